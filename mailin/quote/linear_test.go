package quote

import (
	"strings"
	"testing"
	"time"
)

// hostile is 1 MiB each of what would hurt a reader that looks twice at the same
// lines or goes back.
func hostile() map[string]string {
	const total = 1 << 20
	all := map[string]string{}
	for name, unit := range map[string]string{
		"sentences without quotes":              "On Mon, Nov 2, 2026 at 10:00 AM a <a@b.example> wrote:\n",
		"sentences and answers":                 "On Mon, Nov 2, 2026 at 10:00 AM a <a@b.example> wrote:\n> a\nb\n",
		"short sentences":                       "a wrote:\n",
		"shortest sentences":                    ":\n",
		"wide colons":                           "：\n",
		"sentences that never end":              "On Mon, Nov 2, 2026 at 10:00 AM a <a@b.example>\n",
		"prefixes":                              "On ",
		"lines of prefixes":                     "On 2 Nov 2026\n",
		"words with verbs":                      "wrote skrev schrieb a écrit 写道 ",
		"lines with verbs":                      "wrote skrev schrieb 写道:\n",
		"long lines with verbs":                 strings.Repeat("wrote ", 98) + ":\n",
		"quotes":                                "> a\n",
		"quotes and answers":                    "> a\nb\n",
		"deep quotes":                           strings.Repeat("> ", 500) + "a\n",
		"quotes in one line":                    ">",
		"our line quoted, with answers":         "> -- >8 --\na\n",
		"From alone":                            "From: a\n",
		"fields without author":                 "To: a\nSubject: b\n",
		"fields between answers":                "From: a\nb\nTo: c\nd\n",
		"fields and empty lines":                "To: a\n\n",
		"a field over and over, no name":        ": a\n",
		"Chinese fields":                        "收件人：a\n",
		"forwards without fields":               "---------- Forwarded message ---------\n\n\n\n\n",
		"forwards with one field":               "---------- Forwarded message ---------\nTo: a\n\n",
		"quoted forwards":                       "> Begin forwarded message:\n> To: a\n",
		"forwards with fields that say nothing": "---------- Forwarded message ---------\nImportance: a\n",
		"forwards of Thunderbird, no author":    "-------- Forwarded Message --------\nSubject: a\n---\n",
		"copies of servers":                     "--- Below this line is a copy of the message.\n",
		"ends of forwards":                      "----- Forwarded message from a -----\nFrom: a\nTo: b\n----- End forwarded message -----\n",
		"forwards in one line":                  "----- Forwarded Message ----- From: a To: b\n",
		"a forward in one line, no author":      "----- Forwarded Message ----- " + strings.Repeat("To: A", 700) + "\n",
		"originals":                             "-----Original Message-----\n",
		"rulers":                                "________________________________\n",
		"rulers and almost fields":              "________________________________\na@b: c@d\ne: 1\nf: g\n\n",
		"delimiters":                            "-- \n",
		"footers":                               "Sent from my iPhone\n",
		"line ends":                             "\n",
		"carriage returns":                      "\r",
		"both":                                  "\r\n",
		"letters without line end":              "a",
		"spaces":                                " ",
		"no-break spaces":                       "\u00a0",
		"lines of no-break spaces":              "\u202f\u00a0\n",
		"marks of direction":                    "\u200e",
		"lines of marks":                        "\u202a\u202c:\n",
		"wide spaces":                           "\u3000",
		"stars":                                 "*",
		"broken UTF-8":                          "\xe2\x80",
		"hyphens":                               "-",
		"angle brackets":                        "<a@b> ",
		"mailto":                                "[a](mailto:b)",
	} {
		all[name] = strings.Repeat(unit, total/len(unit)) + "\nlast words"
	}
	fields := "---------- Forwarded message ---------\nSubject: a\nFrom: b\nDate: c\n"
	all["a forward with endless folds"] = fields + strings.Repeat(" a\n", total/3)
	all["a forward with an endless author"] = "---------- Forwarded message ---------\nSubject: a\nFrom: " + strings.Repeat("[a](mailto:b)", total/13)
	all["forwards in forwards"] = strings.Repeat(fields+"\n", total/len(fields))
	return all
}

// The aim is 100 ms for 1 MiB (BenchmarkHostile); the test only tells linear
// from not, whatever else the machine does: the best of some runs counts.
func TestCut_isLinear(t *testing.T) {
	const runs, patience = 4, 2 * time.Second
	best := func(do func()) time.Duration {
		least := time.Hour
		for range runs {
			start := time.Now()
			do()
			if least = min(least, time.Since(start)); least < patience {
				break
			}
		}
		return least
	}
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			var reply, rest string
			if took := best(func() { reply, rest = Cut(text) }); took > patience {
				t.Errorf("cutting 1 MiB took %v", took)
			}
			if took := best(func() { Forwarded(text) }); took > patience {
				t.Errorf("looking for a forward in 1 MiB took %v", took)
			}
			if len(reply)+len(rest) < len(strings.TrimSpace(text))-16 {
				t.Errorf("%d octets became %d and %d", len(text), len(reply), len(rest))
			}
		})
	}
}

func BenchmarkHostile(b *testing.B) {
	for name, text := range hostile() {
		b.Run("cut/"+name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				Cut(text)
			}
		})
		b.Run("forwarded/"+name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				Forwarded(text)
			}
		})
	}
}
