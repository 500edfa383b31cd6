package core

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// show writes commands down shortly: "release 12; attach 13 CASE-1; wrong!".
func show(lines []heldCommand) string {
	var all []string
	for _, c := range lines {
		switch {
		case c.wrong != "":
			all = append(all, c.wrong+"! "+c.meant)
		case c.all:
			all = append(all, strings.TrimSpace(fmt.Sprintf("%s %v all", c.word, c.ids)))
		default:
			all = append(all, strings.TrimSpace(fmt.Sprintf("%s %v %s", c.word, c.ids, c.number)))
		}
	}
	return strings.Join(all, "; ")
}

func TestReadHeldCommands(t *testing.T) {
	for _, c := range []struct{ name, reply, want string }{
		{"R42/one word", "release 12", "release [12]"},
		{"R42/each word", "release 1\ncase 2\nattach 3 CASE-10001\nrefuse 4 5 6\n", "release [1]; case [2]; attach [3] CASE-10001; refuse [4 5 6]"},
		{"R42/the rest of the list", "release 12\n\nrefuse all", "release [12]; refuse [] all"},
		{"R42/case, punctuation and a leading #", "  #Release: #12, 13.\n* REFUSE 14; 15 and 16!", "release [12 13]; refuse [14 15 16]"},
		{"R42/a case in brackets, with a word between", "Attach 12 to [CASE-10001].", "attach [12] CASE-10001"},
		{"R42/a bare number of a case", "attach 12 10001", "attach [12] 10001"},
		{"R42/in Dutch", "vrijgeven 1\nzaak 2\nCase 3\nkoppelen 4 aan CASE-1\nweigeren 5 en 6\nweiger alles", "release [1]; case [2]; case [3]; attach [4] CASE-1; refuse [5 6]; refuse [] all"},
		{"R42/text below", "release 12\n\nI know her.\n-- \nMia", "release [12]"},
		{"R42/text above is no answer", "Hello,\nrelease 12", ""},
		{"R42/nothing", " \n\t\n", ""},
		{"R42/quoted lines say nothing", "> release 12\n> refuse all", ""},
		{"R43/a slip of the pen names the word", "relese 12", "no-word! release 12"},
		{"R43/a word without a number", "release", "which! "},
		{"R43/a word with other words", "case closed, thanks", "no-number! "},
		{"R43/our own lines, sent back", "release NUMBER - file it by the rules", "no-number! "},
		{"R43/our own last line, sent back", "refuse all - the same for whatever else is listed here", "no-number! "},
		{"R43/attach without a case", "attach 12", "attach-what! "},
		{"R43/attach alone", "attach", "attach-what! "},
		{"R43/only refuse is for all", "release all", "no-number! "},
		{"R43/a word below text", "release 12\nand then\nrefuse 13", "release [12]; below-text! "},
		{"R43/a negative number", "release -12", "release [12]"},
		{"R43/a number beyond all numbers", "release 99999999999999999999", "no-number! "},
		{"R43/ranges are not read", "refuse 12-14", "no-number! "},
		{"R21/control characters", "release\x00 12", "release [12]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := show(readHeldCommands(c.reply)); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	t.Run("R18/hostile text is read in no time", func(t *testing.T) {
		for _, s := range []string{strings.Repeat("release 1 ", 100_000), strings.Repeat("refuse 1\n", 100_000), strings.Repeat("\n", 1_000_000), "release " + strings.Repeat("9", 1_000_000)} {
			if n := len(readHeldCommands(s)); n > longestHeldAnswer {
				t.Errorf("%d lines", n)
			}
		}
	})
}

func TestHeldListDue(t *testing.T) {
	before := func(d time.Duration) *time.Time { at := noon.Add(-d); return &at }
	for _, c := range []struct {
		name  string
		fresh map[HeldKind]int
		last  *time.Time
		want  bool
	}{
		{"R41/nothing new", nil, before(48 * time.Hour), false},
		{"R41/the first", map[HeldKind]int{HeldPeople: 1}, nil, true},
		{"R41/within the hour", map[HeldKind]int{HeldPeople: 9, HeldSpam: 9}, before(59 * time.Minute), false},
		{"R41/after an hour", map[HeldKind]int{HeldPeople: 1}, before(time.Hour), true},
		{"R41/machines wait for a day", map[HeldKind]int{HeldMachines: 9, HeldSpam: 9}, before(23 * time.Hour), false},
		{"R41/machines after a day", map[HeldKind]int{HeldSpam: 1}, before(24 * time.Hour), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := heldListDue(c.fresh, c.last, noon); got != c.want {
				t.Errorf("due: %v", got)
			}
		})
	}
}

// Every reason in the code has a place in the table, from which pages and mails
// have their words.
func TestHeldReasons_areAllOfTheCode(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	held := regexp.MustCompile(`(?s)\bhold\("R\d+",\s*(?:r\.perhapsRelay\()?"([a-z-]+)"|end\(Held, "[^"]*", "([a-z-]+)"|\breason :?= "([a-z-]+)"`)
	found := map[string]bool{quarantinedReason: true}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		source, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range held.FindAllStringSubmatch(string(source), -1) {
			code := m[1] + m[2] + m[3]
			found[code] = true
			if _, ok := heldReasons[code]; !ok {
				t.Errorf("R41: %s holds mail for %q, of which heldReasons and templates/words know nothing", f.Name(), code)
			}
		}
		if n := strings.Count(string(source), ".hold(\"") + strings.Count(string(source), "end(Held,"); n > 0 && f.Name() != "decide.go" {
			if got := len(held.FindAllString(string(source), -1)); got < n {
				t.Errorf("%s: %d of %d reasons were understood", f.Name(), got, n)
			}
		}
	}
	for _, code := range HeldReasons() {
		if !found[code] {
			t.Errorf("nothing is held for %q", code)
		}
	}
	if !slices.Contains(HeldReasons(), "agent-forged") || len(found) < 15 {
		t.Fatalf("only %d reasons were found", len(found))
	}
}

// Whether a number exists, and whose it is, must not show in what is looked up.
func TestNamed_looksUpTheSameForEveryNumber(t *testing.T) {
	t.Run("R37/the same statements whatever the number", func(t *testing.T) {
		m := func(subject string) string {
			r := subjectNumbers(subject, prefixesOfTests)
			a := asked{from: "eve@evil.example"}
			for _, n := range r {
				a.desks, a.numbers = append(a.desks, int32(n.desk)), append(a.numbers, n.number)
			}
			sql, _ := named(a)
			return sql
		}
		if a, b := m("[CASE-10001] x"), m("[CASE-99999] x"); a != b {
			t.Errorf("%s\n%s", a, b)
		}
	})
}
