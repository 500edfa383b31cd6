package flow

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// small is a desk file that is right; the tests below each break one thing.
const small = `name = "Help"
prefix = "HELP"
languages = ["en", "nl"]
timezone = "UTC"
unknown = "held"
sees = "own"
initial = "fresh"

[[status]]
key = "fresh"
class = "new"
label = "Fresh"
means = "We have it."
taken = "work"

[[status]]
key = "work"
class = "open"
label = { en = "Work", nl = "Werk" }
means = "We work."

[[status]]
key = "you"
class = "customer"
label = "You"
means = "Your turn."
answer = "work"
remind = [3, 7]
close_after = 10
close_to = "done"

[[status]]
key = "done"
class = "closed"
label = "Done"
means = "It is over."

[[move]]
from = "work"
to = "you"
by = "agent"

[[move]]
from = "*"
to = "done"
by = ["customer", "agent"]
words = { en = ["close"], nl = ["sluiten"] }

[[move]]
from = "done"
to = "work"
by = "customer"
words = ["again"]
requires = "comment"
`

func TestParse_saysWhatIsWrongAndWhere(t *testing.T) {
	for _, test := range []struct{ name, old, new, want string }{
		{"an unknown key", "prefix =", "prefx =", `2:1: unknown key "prefx": perhaps prefix`},
		{"an unknown key far from all", "class = \"open\"", "class = \"open\"\nsmell = 1", `19:1: unknown key "smell": known here are announce, answer, `},
		{"a missing key", "timezone = \"UTC\"\n", "", `1:1: timezone is missing: where its days begin`},
		{"a missing key of a status", "class = \"open\"\n", "", `16:3: class is missing: what the engine understands of it, one of "new", `},
		{"a string that is a number", `"HELP"`, `7`, `2:10: this is a whole number: a string is wanted`},
		{"an empty string", `"Help"`, `" "`, `1:8: this is empty: write something, or leave the key away`},
		{"a list that is a table", "[[move]]\nfrom = \"done\"\nto = \"work\"\nby", "[reopen]\ndays = 1\nto = \"work\"\nby", `52:1: unknown key "by": known here are days, to`},
		{"one status only", "[[status]]\nkey = \"done\"", "[status]\nkey = \"done\"", `32:2: not readable as TOML: table status already exists`},
		{"a broken line", `prefix = "HELP"`, `prefix = "HELP`, `2:15: not readable as TOML: `},
		{"a key twice", "sees =", "unknown =", `6:1: not readable as TOML: `},
		{"a pattern of a prefix", `"HELP"`, `"Help-1"`, `2:10: prefix "Help-1": 2 to 16 capitals`},
		{"a short prefix", `"HELP"`, `"H"`, `2:10: prefix "H": 2 to 16 capitals`},
		{"no languages", `["en", "nl"]`, `[]`, `3:1: no language: the desk's own first`},
		{"an unknown language", `["en", "nl"]`, `["en", "nl", "Dutch"]`, `3:26: unknown language "Dutch": a code`},
		{"a language twice", `["en", "nl"]`, `["en", "nl", "en"]`, `3:26: language "en" stands twice`},
		{"an unknown time zone", `"UTC"`, `"Mars/Base"`, `4:12: unknown time zone "Mars/Base": a name such as "Europe/Amsterdam"`},
		{"the zone of a machine", `"UTC"`, `"Local"`, `4:12: unknown time zone "Local"`},
		{"an unknown choice", `"held"`, `"shred"`, `5:11: unknown value "shred": one of "opens", "held"`},
		{"a number out of range", "unknown =", "first_number = 0\nunknown =", `5:16: 0 is out of range: from 1 to `},
		{"an address", "unknown =", "notify = [\"a@b.example\", \"anna\"]\nunknown =", `5:26: "anna" is no address`},
		{"an initial status that is none", `initial = "fresh"`, `initial = "frsh"`, `7:11: unknown status "frsh": one of fresh`},
		{"an initial status that is not new", `initial = "fresh"`, `initial = "work"`, `7:11: a new case begins in a status of class new: "work" is open; one of fresh`},
		{"an unknown class", `"open"`, `"opne"`, `18:9: unknown value "opne": one of "new", "open", `},
		{"the pattern of a key", `key = "work"`, `key = "Work_1"`, `17:7: key "Work_1": up to 40 of a to z`},
		{"a key twice in a list", `key = "you"`, `key = "fresh"`, `23:7: status "fresh" stands twice`},
		{"a label without English", `{ en = "Work", nl = "Werk" }`, `{ nl = "Werk" }`, `19:9: en is missing`},
		{"a language that is none of the desk's", `nl = "Werk"`, `de = "Werk"`, `19:24: language "de" is none of the desk's: one of "en", "nl"`},
		{"a label of another status", `nl = "Werk"`, `nl = "fresh"`, `19:29: label "fresh" already names status "fresh"`},
		{"no answer where the customer must act", "answer = \"work\"\n", "", `22:3: answer is missing: where a customer's answer leads; "you" if it is only a comment`},
		{"an answer that leads nowhere", `answer = "work"`, `answer = "wrok"`, `27:10: unknown status "wrok": one of work`},
		{"an answer that ends the case", `answer = "work"`, `answer = "done"`, `27:10: answer must not end a case: "done" is closed`},
		{"an answer without effect", `means = "We work."`, `answer = "you"`, `20:10: answer has no effect in a status of class open`},
		{"a taken that leads nowhere", `taken = "work"`, `taken = "wrk"`, `14:9: unknown status "wrk": one of work`},
		{"a taken of no new status", `means = "We work."`, `taken = "you"`, `20:9: taken has no effect in a status of class open: only a new case can be taken; allowed in "new"`},
		{"a wake date that leads nowhere", `answer = "work"`, "answer = \"work\"\nwake_to = \"bedroom\"", `28:11: unknown status "bedroom": one of fresh, work, you, done`},
		{"a reminder out of range", `[3, 7]`, `[3, 0]`, `28:14: 0 is out of range: from 1 to 365`},
		{"reminders in disorder", `[3, 7]`, `[7, 3]`, `28:14: day 3 does not come after day 7`},
		{"a reminder after the end", `[3, 7]`, `[3, 17]`, `28:14: reminded after 17 days, but the case closes after 10`},
		{"an announcement before the silence", `close_after = 10`, "close_after = 10\nannounce = 10", `30:12: announced 10 days before, but the case closes after 10`},
		{"a silence that leads nowhere", `close_to = "done"`, `close_to = "dnoe"`, `30:12: unknown status "dnoe": one of done`},
		{"a silence that does not end the case", `close_to = "done"`, `close_to = "work"`, `30:12: close_to must end the case: "work" is open; one of done`},
		{"a silence without an end", "close_to = \"done\"\n", "", `29:15: close_to is missing: the status a case gets after 10 days`},
		{"an end without a silence", "close_after = 10\n", "", `29:12: close_to has no effect without close_after`},
		{"a reopening that leads nowhere", "[[status]]\nkey = \"fresh\"", "[reopen]\ndays = 1\nto = \"wokr\"\n[[status]]\nkey = \"fresh\"", `11:6: unknown status "wokr": one of work`},
		{"a reopening to the end", "[[status]]\nkey = \"fresh\"", "[reopen]\ndays = 1\nto = \"done\"\n[[status]]\nkey = \"fresh\"", `11:6: a reopened case is the desk's to work on: "done" is closed; one of fresh, work`},
		{"a reopening to nothing", "[[status]]\nkey = \"fresh\"", "[reopen]\ndays = 1\n[[status]]\nkey = \"fresh\"", `9:2: to is missing: the status that a reopened case gets; one of work`},
		{"a move from nowhere", "from = \"work\"", "from = [\"work\", \"werk2\"]", `39:17: unknown status "werk2": one of work`},
		{"a move to nowhere", `to = "you"`, `to = "yuo"`, `40:6: unknown status "yuo": one of you`},
		{"a move to itself", `to = "you"`, `to = "work"`, `39:8: a move from "work" to itself`},
		{"a star among others", `from = "*"`, `from = ["*", "fresh"]`, `44:9: "*" stands for every active status: write it alone`},
		{"a move by a stranger", `by = "agent"`, `by = ["agent", "boss"]`, `41:16: unknown side "boss": some of "agent", "customer", "system"`},
		{"a move by nobody", `by = "agent"`, `by = []`, `41:1: nobody: some of "agent"`},
		{"an unknown requirement", `"comment"`, `"flowers"`, `54:12: unknown requirement "flowers": "comment" or "reason"`},
		{"words of a clock", `by = "customer"`, `by = "system"`, `53:1: words are for people`},
		{"a word of nothing", `["again"]`, `["again", "..."]`, `53:19: word "...": one line`},
		{"a word like a command", `["again"]`, `["#again"]`, `53:10: word "#again": one line`},
		{"words that clash", "[[move]]\nfrom = \"done\"", "[[move]]\nfrom = \"work\"\nto = \"you\"\nby = \"customer\"\nwords = [\"SLUITEN!\"]\n\n[[move]]\nfrom = \"done\"",
			`53:10: from "work" the word "SLUITEN!" already leads to "done" (line 43): choose another`},
		{"a move twice", "[[move]]\nfrom = \"done\"", "[[move]]\nfrom = \"work\"\nto = \"you\"\nby = \"agent\"\n\n[[move]]\nfrom = \"done\"",
			`50:8: a second move from "work" to "you" by agent: the first stands in line 38; make them one`},
		{"a status no case comes to", "[[move]]\nfrom = \"work\"\nto = \"you\"\nby = \"agent\"\n", "", `22:3: no case ever comes to "you"`},
		{"words of nobody's language", `nl = ["sluiten"]`, `da = ["luk"]`, `47:27: language "da" is none of the desk's`},
		{"no end", `class = "closed"`, `class = "rejected"`, `9:3: no status of class closed`},
	} {
		t.Run(test.name, func(t *testing.T) {
			source := strings.Replace(small, test.old, test.new, 1)
			if source == small {
				t.Fatal("the test changes nothing")
			}
			_, err := Parse("help", []byte(source))
			var problems *Problems
			if !errors.As(err, &problems) {
				t.Fatalf("no problem is found, want %s", test.want)
			}
			if !strings.Contains("\n"+err.Error(), "\n"+test.want) {
				t.Errorf("got\n%v\nwant\n%s", err, test.want)
			}
		})
	}
}

func TestParse_aStatusNoCaseLeaves(t *testing.T) {
	source := strings.Replace(small, `from = "*"`, `from = "work"`, 1)
	source = strings.Replace(source, "answer = \"work\"\nremind = [3, 7]\nclose_after = 10\nclose_to = \"done\"", `answer = "you"`, 1)
	_, err := Parse("help", []byte(source))
	if err == nil || err.Error() != `22:3: no case ever leaves "you": it is not an end, so add a move from it` {
		t.Errorf("got %v", err)
	}
}

func TestParse_saysEverythingAtOnce(t *testing.T) {
	source := strings.NewReplacer(`"HELP"`, `"h"`, `"held"`, `"x"`, `to = "you"`, `to = "yo"`).Replace(small)
	_, err := Parse("help", []byte(source))
	var problems *Problems
	if !errors.As(err, &problems) || len(*problems) != 3 {
		t.Fatalf("got %v", err)
	}
	for i, line := range []int{2, 5, 40} {
		if (*problems)[i].Line != line {
			t.Errorf("problem %d stands in line %d, want %d", i, (*problems)[i].Line, line)
		}
	}
}

func TestParse_filesThatAreNone(t *testing.T) {
	for _, test := range []struct{ name, source, want string }{
		{"an empty file", "", "1:1: the file is empty: copy default.toml and change it"},
		{"a file of spaces", " \n\t\n", "1:1: the file is empty: copy default.toml and change it"},
		{"a file that is not UTF-8", "name = \"x\"\nprefix = \"\xe9\"", "2:11: not UTF-8: save the file with the encoding UTF-8"},
		{"a huge file", strings.Repeat("#", maxFileBytes+1), "1:1: the file has 131073 bytes: a desk file has at most 131072"},
		{"a column counted in characters", "name = \"é\" x", "1:12: not readable as TOML: "},
		{"deep nesting", "name = " + strings.Repeat("[", 60000), "1:10008: not readable as TOML: "},
	} {
		_, err := Parse("x", []byte(test.source))
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
}

func TestParse_acceptsAByteOrderMark(t *testing.T) {
	if _, err := Parse("x", []byte("\uFEFF"+small)); err != nil {
		t.Error(err)
	}
	_, err := Parse("x", []byte("\uFEFFnaem = 1\n"+small))
	if err == nil || !strings.HasPrefix(err.Error(), "1:1: ") {
		t.Errorf("got %v", err)
	}
}

func TestParse_hostileFilesCostAMoment(t *testing.T) {
	var words strings.Builder
	for i := range 25000 {
		words.WriteString(string(rune('a'+i%26)) + `","`)
	}
	for _, test := range []struct{ name, source string }{
		{"tables", strings.Repeat("[[status]]\n", 11000)},
		{"moves", strings.Repeat("[[move]]\nfrom=\"a\"\n", 6000)},
		{"a long list", small + "words.nl = [\"" + words.String() + "\"]"},
		{"unknown keys", strings.Repeat("[[x]]\n[x.y]\n", 10000)},
		{"names that are none", small + strings.Repeat("[[move]]\nfrom=[\""+strings.Repeat("q\",\"", 59)+"\"]\n", 190)},
	} {
		begin := time.Now()
		if _, err := Parse("x", []byte(test.source)); err == nil {
			t.Errorf("%s: accepted", test.name)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%s: took %v", test.name, took)
		}
	}
}

func TestParse_aDamagedFileIsNeverHalfRead(t *testing.T) {
	source := []byte(small)
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, len(source)-1).Draw(t, "at")
		n := rapid.IntRange(0, min(40, len(source)-at)).Draw(t, "cut")
		put := rapid.StringMatching(`[\[\]{}="*a-z0-9.,\n#]{0,8}`).Draw(t, "put")
		checkParse(t, append(append(append([]byte{}, source[:at]...), put...), source[at+n:]...))
	})
}

func FuzzParse(f *testing.F) {
	f.Add(defaultFile(f))
	f.Add([]byte(small))
	f.Add([]byte("status = [[{}], 1]\nmove = 1\n[reopen]\n"))
	f.Add([]byte("a.b = 1\n[status.x]\n[[status]]\n"))
	f.Fuzz(func(t *testing.T, source []byte) { checkParse(t, source) })
}

// checkParse holds of every file: either it is read whole, and everything a
// desk is asked for answers, or the problems stand within the file.
func checkParse(t interface {
	Fatalf(string, ...any)
}, source []byte) {
	d, err := Parse("x", source)
	if err != nil {
		var problems *Problems
		if !errors.As(err, &problems) || len(*problems) == 0 || d != nil {
			t.Fatalf("got %v and %T", d, err)
		}
		lines := strings.Count(string(source), "\n") + 1
		for _, p := range *problems {
			if p.Line < 1 || p.Line > lines || p.Column < 1 || p.Message == "" || !utf8.ValidString(p.Message) {
				t.Fatalf("a problem outside of the file: %+v", p)
			}
		}
		return
	}
	s, ok := d.Status(d.Initial)
	if !ok || s.Class != New {
		t.Fatalf("a case begins nowhere: %q", d.Initial)
	}
	for _, s := range d.Statuses {
		for _, by := range everybody {
			for _, m := range d.MovesFrom(s.Key, by) {
				if _, can := d.CanMove(s.Key, m.To, by); !can {
					t.Fatalf("a move from %q to %q cannot be made", s.Key, m.To)
				}
			}
			for _, r := range d.Words("nl", s.Key, by) {
				if m, ok := d.Word(r.Word, s.Key, by); !ok || m.To != r.Move.To {
					t.Fatalf("word %q shown for %q leads to %q", r.Word, r.Move.To, m.To)
				}
			}
		}
	}
	if changes := d.Changes(d); len(changes) > 0 {
		t.Fatalf("a desk differs from itself: %v", changes)
	}
	checkSVG(t, d.Graph("nl"))
}
