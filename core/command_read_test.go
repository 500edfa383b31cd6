package core

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"postern/core/flow"
)

// Lines as they come out of mail programs, and lines that are no command.
func TestCommandBlock_asPeopleAndProgramsWriteIt(t *testing.T) {
	for _, c := range []struct {
		name, line    string
		command, word string // "" for text
	}{
		{"a space that does not break", "#status\u00a0on\u00a0hold", "status", "on hold"},
		{"a hash of East Asian width", "＃note", "note", ""},
		{"marks of direction around it", "\u202a#close\u202c", "close", ""},
		{"a mark of no width before it", "\u200b#close", "close", ""},
		{"a byte order mark", "\ufeff#close", "close", ""},
		{"smart quotes stay for who reads the words", "#assign “Tom”", "assign", "“Tom”"},
		{"a full stop behind it, which would else be text for the customer", "#note.", "note", ""},
		{"a colon behind it", "#cc: add a@b.example", "cc", "add a@b.example"},
		{"an equals sign", "#status=resolved", "status", "resolved"},
		{"a minus that belongs to the words", "#time -30m", "time", "-30m"},
		{"another language", "#toewijzen mij", "toewijzen", "mij"},
		{"letters beyond ASCII", "#schließen", "schließen", ""},
		{"its capitals", "#SCHLIESSEN", "SCHLIESSEN", ""},
		{"a mistake", "#asign tom", "asign", "tom"},
		{"a mistake in a word of four letters", "#notes", "notes", ""},
		{"a priority that is none", "#1 priority", "", ""},
		{"a hashtag", "#hashtag", "", ""},
		{"a language", "#C is what it is written in", "", ""},
		{"another one", "#C++", "", ""},
		{"a music note", "#A minor", "", ""},
		{"a hashtag of one letter more than a short command", "#mail is broken", "", ""},
		{"a hashtag with a digit", "#note2self", "", ""},
		{"a hashtag of two words", "#note_to_self", "", ""},
		{"a heading", "# note", "", ""},
		{"a colour", "#fff", "", ""},
		{"an issue", "#4711", "", ""},
		{"a shell's comment", "#!/bin/sh", "", ""},
		{"a hash alone", "#", "", ""},
	} {
		t.Run("R43/"+c.name, func(t *testing.T) {
			lines, text := CommandBlock(c.line + "\nText.")
			if c.command == "" {
				if lines != nil || text != strings.TrimSpace(c.line+"\nText.") {
					t.Errorf("read as %q", lines)
				}
				return
			}
			if len(lines) != 1 || text != "Text." {
				t.Fatalf("%q, %q", lines, text)
			}
			if name, words := splitCommand(lines[0]); name != c.command || words != c.word {
				t.Errorf("%q with %q", name, words)
			}
		})
	}
}

// Words that people put a hash before, in the languages of the commands.
func TestCommandBlock_hashtagsAreText(t *testing.T) {
	for _, word := range strings.Fields(`printer urgent asap invoice order ticket error bug teams excel sap azure login mfa vpn
		fyi todo wip done fail fixed resolved happy thanks monday outlook mail pdf test testing question vraag spoed storing
		factuur bestelling afdeling feil regning hastesag problem frage rechnung dringend system server update version list
		customer kunde klant team home house green red blue 1 p1 it hr ceo eu us de no da`) {
		t.Run("R43/"+word, func(t *testing.T) {
			if lines, _ := CommandBlock("#" + word + " and more"); lines != nil {
				t.Errorf("it is taken for #%s", nearestCommand(word, nil))
			}
		})
	}
}

func TestCommandTable_eachNameStandsForOneCommand(t *testing.T) {
	seen := map[string]string{}
	for _, k := range commandTable {
		for _, name := range k.names() {
			t.Run("R43/"+name, func(t *testing.T) {
				if other := seen[name]; other != "" {
					t.Errorf("it is #%s, too", other)
				}
				if found, ok := findCommand(strings.ToUpper(name)); name != "schließen" && (!ok || found.name != k.name) {
					t.Errorf("its capitals are not found")
				}
				if lines, _ := CommandBlock("#" + name); len(lines) != 1 {
					t.Error("no block begins with it")
				}
				for _, far := range []string{"me", "nobody"} {
					if name == far {
						t.Error("it is a word behind #assign")
					}
				}
			})
			seen[name] = k.name
		}
	}
}

// What #help says stands in the agents' guide, too.
func TestCommandTable_isInTheGuide(t *testing.T) {
	guide, err := os.ReadFile("../docs/agents.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range Commands() {
		t.Run("R43/"+k.Name, func(t *testing.T) {
			row := fmt.Sprintf("| `#%s` |", strings.TrimSpace(k.Name+" "+strings.ReplaceAll(k.Takes, "|", `\|`)))
			if !strings.Contains(string(guide), row) {
				t.Errorf("no row %s", row)
			}
			for _, also := range k.Also {
				if !strings.Contains(string(guide), "`#"+also+"`") {
					t.Errorf("no #%s", also)
				}
			}
		})
	}
}

// agentsOf is a desk's agents: two of the same name, and one with two addresses.
func someAgents() []agentRow {
	return []agentRow{
		{Person: 1, Name: "Mia Holm", Address: "mia@desk.example"},
		{Person: 2, Name: "Tom Visser", Address: "tom@desk.example"},
		{Person: 2, Name: "Tom Visser", Address: "tom.visser@desk.example"},
		{Person: 3, Name: "Jan Smit", Address: "jan@desk.example"},
		{Person: 4, Name: "Jan Smit", Address: "jan.smit@desk.example"},
		{Person: 5, Name: "Tom Bakker", Address: "bakker@desk.example"},
		{Person: 6, Name: "", Address: "noname@desk.example"},
	}
}

func TestReadAssign_findsOneAgent(t *testing.T) {
	for _, c := range []struct {
		words string
		to    int64  // -1: a mistake
		says  string // its code and what would be right
	}{
		{"me", 1, ""}, {"mij", 1, ""}, {"MICH", 1, ""}, {"mig.", 1, ""}, {"“meg”", 1, ""},
		{"nobody", 0, ""}, {"niemand", 0, ""}, {"ingen", 0, ""}, {"-", 0, ""},
		{"mia", 1, ""}, {"Mia Holm", 1, ""}, {"MIA@DESK.example", 1, ""}, {"<tom.visser@desk.example>", 2, ""}, {"Tom Visser", 2, ""},
		{"noname@desk.example", 6, ""},
		{"jan", -1, "two-agents jan: Jan Smit <jan@desk.example>, Jan Smit <jan.smit@desk.example>"},
		{"Jan Smit", -1, "two-agents Jan Smit: Jan Smit <jan@desk.example>, Jan Smit <jan.smit@desk.example>"},
		{"jan.smit@desk.example", 4, ""},
		{"tom", -1, "two-agents tom: Tom Visser <tom@desk.example>, Tom Bakker <bakker@desk.example>"},
		{"mai", -1, "no-agent mai: Mia Holm <mia@desk.example>"},
		{"viser", -1, "no-agent viser: Tom Visser <tom@desk.example>"},
		{"bob", -1, "no-agent bob: Mia Holm <mia@desk.example>, "},
		{"anna@northwind.example", -1, "no-agent anna@northwind.example: "},
		{"", -1, "assign-whom: Mia Holm <mia@desk.example>, "},
		{strings.Repeat("x", 10000), -1, "no-agent"},
	} {
		t.Run("R42/"+cut(c.words, 40), func(t *testing.T) {
			o, err := readAssign(commandInput{agents: someAgents(), me: 1}, c.words)
			switch {
			case c.to < 0 && (err == nil || !strings.HasPrefix(err.Error(), c.says)):
				t.Errorf("%v, want %q", err, c.says)
			case c.to >= 0 && (err != nil || o.(assigns).to != c.to):
				t.Errorf("%+v, %v", o, err)
			}
		})
	}
	t.Run("R42/of two alike the address is shown", func(t *testing.T) {
		o, err := readAssign(commandInput{agents: someAgents()}, "jan@desk.example")
		if err != nil || o.(assigns).name != "Jan Smit <jan@desk.example>" {
			t.Errorf("%+v, %v", o, err)
		}
	})
	t.Run("R42/an agent who is called like a word is the agent", func(t *testing.T) {
		o, err := readAssign(commandInput{agents: []agentRow{{Person: 9, Name: "Me", Address: "x@desk.example"}}, me: 1}, "me")
		if err != nil || o.(assigns).to != 9 {
			t.Errorf("%+v, %v", o, err)
		}
	})
}

func TestReadTime_inMinutes(t *testing.T) {
	for words, want := range map[string]int{
		"45m": 45, "45 min": 45, "90": 90, "1h30": 90, "1h 30m": 90, "1:30": 90, "1h": 60, "1.5h": 90, "1,5h": 90, "1,5 uur": 90, "0.25h": 15,
		"2u": 120, "1t30": 90, "2 Std": 120, "2 hours": 120, "1.333h": 0, "-30m": -30, "−30m": -30, "–1h": -60, "- 1h30": -90, "+15": 15, "100h": 6000,
		"0": 0, "": 0, "-": 0, "1h75": 0, "soon": 0, "1d": 0, "6001": 0, "99999999999999999999": 0, "1h30h": 0, "NaN": 0, "1e3": 0,
	} {
		t.Run("R43/"+words, func(t *testing.T) {
			o, err := readTime(commandInput{}, words)
			if want == 0 && err == nil || want != 0 && (err != nil || o.(spends).minutes != want) {
				t.Errorf("%+v, %v; want %d", o, err, want)
			}
		})
	}
}

func TestReadCc_addresses(t *testing.T) {
	for _, c := range []struct {
		words string
		add   bool
		want  string // addresses; "" for a mistake
		code  string
	}{
		{"add anna@northwind.example", true, "anna@northwind.example", ""},
		{"anna@northwind.example", true, "anna@northwind.example", ""},
		{"+ <Anna@Northwind.example>, bob@northwind.example;", true, "anna@northwind.example bob@northwind.example", ""},
		{"add a@b.example A@B.example", true, "a@b.example", ""},
		{"remove a@b.example", false, "a@b.example", ""},
		{"verwijderen a@b.example", false, "a@b.example", ""},
		{"legg til a@b.example", true, "a@b.example", ""},
		{"add a@b.example and c@d.example", true, "a@b.example c@d.example", ""},
		{"add", true, "", "cc-how"}, {"", true, "", "cc-how"}, {"anna", true, "", "cc-how"},
		{"add anna", true, "", "bad-address anna"}, {"add a@b", true, "", ""}, {"add a@b.example\r\nBcc:x", true, "", "bad-address"},
		{"add ä@b.example", true, "", "bad-address"},
		{"add " + strings.Repeat("a@b.example ", 3) + many(11), true, "", "cc-many 10"},
	} {
		t.Run("R38/"+cut(c.words, 40), func(t *testing.T) {
			o, err := readCc(commandInput{}, c.words)
			if c.want == "" {
				if c.code != "" && (err == nil || !strings.HasPrefix(err.Error(), c.code)) {
					t.Errorf("%+v, %v", o, err)
				}
				return
			}
			if err != nil || o.(copies).add != c.add || strings.Join(o.(copies).addresses, " ") != c.want {
				t.Errorf("%+v, %v", o, err)
			}
		})
	}
}

func many(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, "a%d@b.example ", i)
	}
	return s.String()
}

func TestReadDate_wordsOfFiveLanguages(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	tuesday := time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		day   string
		words []string
	}{
		{"2026-11-04", []string{"tomorrow", "Morgen", "i morgen", "wednesday", "woensdag", "onsdag", "Mittwoch", "1d", "1 d"}},
		{"2026-11-09", []string{"monday", "maandag", "mandag", "Montag."}},
		{"2026-11-10", []string{"tuesday", "dinsdag", "tirsdag", "1w", "7d"}},
		{"2026-11-08", []string{"søndag", "SØNDAG", "“sunday”"}},
		{"2026-12-01", []string{"2026-12-1", "1.12.2026", "01/12/2026"}},
	} {
		for _, word := range c.words {
			t.Run("R43/"+word, func(t *testing.T) {
				if at, err := readDate(word, zone, tuesday); err != nil || at.Format("2006-01-02 15:04") != c.day+" 09:00" {
					t.Errorf("%v, %v", at, err)
				}
			})
		}
	}
	for word, code := range map[string]string{"2026-11-03": "date-over", "2029-01-01": "date-far", "60w": "bad-date", "0w": "bad-date", "morgen?": "bad-date", "": "bad-date", "3": "bad-date"} {
		t.Run("R43/no date: "+word, func(t *testing.T) {
			_, err := readDate(word, zone, tuesday)
			var w wrong
			if !errors.As(err, &w) || w.code != code {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestReadCommands_hostileBlocks(t *testing.T) {
	d := shippedDesk(t)
	in := commandInput{desk: d, now: time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC), agents: someAgents(), me: 1}
	t.Run("R43/a thousand lines are refused by one sentence", func(t *testing.T) {
		lines, _ := CommandBlock(strings.Repeat("#note\n", 1000))
		_, problems := readCommands(in, lines)
		if len(lines) != commandsInAMail+1 || len(problems) != 1 || problems[0].Code != "too-many" {
			t.Errorf("%d lines, %v", len(lines), problems)
		}
	})
	t.Run("R43/a line of ten kilobytes is told in a hundred characters", func(t *testing.T) {
		lines, _ := CommandBlock("#status " + strings.Repeat("ä", 5000))
		_, problems := readCommands(in, lines)
		if len(problems) != 1 || len([]rune(problems[0].Line)) > 100 || len([]rune(problems[0].Name)) > 100 {
			t.Errorf("%v", problems)
		}
	})
	t.Run("R21/no control character gets into an answer", func(t *testing.T) {
		lines, _ := CommandBlock("#assign to\x1b[2Jm\u202e\u2066\rx")
		_, problems := readCommands(in, lines)
		if len(problems) != 1 || strings.ContainsAny(problems[0].Line+problems[0].Name, "\x1b\r\u202e\u2066") {
			t.Errorf("%q", problems)
		}
	})
	t.Run("R43/the same thing twice is refused, whatever it is called", func(t *testing.T) {
		for _, block := range []string{"#status resolved\n#close", "#wait 3d\n#spam", "#assign me\n#zuweisen mia", "#priority p1\n#prioriteit p2", "#time 5\n#tid 6"} {
			lines, _ := CommandBlock(block)
			if _, problems := readCommands(in, lines); len(problems) != 1 || problems[0].Code != "twice" {
				t.Errorf("%q: %v", block, problems)
			}
		}
	})
}

func TestParseDesk_aliases(t *testing.T) {
	source, err := os.ReadFile("../templates/desks/default.toml")
	if err != nil {
		t.Fatal(err)
	}
	with := func(lines string) ([]string, *flow.Desk) {
		d, err := ParseDesk("support", append(slices.Clone(source), []byte("\n[aliases]\n"+lines)...))
		if err != nil {
			return strings.Split(err.Error(), "\n"), nil
		}
		return nil, d
	}
	at := strings.Count(string(source), "\n") + 3
	for _, c := range []struct{ name, lines, want string }{
		{"a name of a command", `note = "status resolved"`, `1: alias "note": #note is a command already`},
		{"its capitals", `NOTE = "status resolved"`, `1: alias "note": #note is a command already`},
		{"its name in another language", `"schließen" = "status resolved"`, `1: alias "schließen": #close is a command already`},
		{"no command", `erledigt = "statsu resolved"`, `1: alias "erledigt": there is no command "statsu": perhaps status`},
		{"nothing like one", `erledigt = "banana"`, `1: alias "erledigt": there is no command "banana"`},
		{"an alias", "erledigt = \"status resolved\"\nfertig = \"erledigt\"", `1: alias "fertig": "erledigt" is an alias, too`},
		{"a status that is none", `erledigt = "status resolvd"`, `1: alias "erledigt": #status resolvd: the desk has none of that name; there are: resolved`},
		{"a hash", `erledigt = "#status resolved"`, `12: "#status resolved": one command without its #`},
		{"two lines", `erledigt = "status\nresolved"`, `12: "status\nresolved": one command`},
		{"no word", `"er ledigt" = "close"`, `1: alias "er ledigt": 2 to 40 letters`},
		{"the same twice", "erledigt = \"close\"\nERLEDIGT = \"note\"", `1: alias "ERLEDIGT" stands twice`},
		{"an empty line", `erledigt = " "`, `12: this is empty`},
	} {
		t.Run("R43/"+c.name, func(t *testing.T) {
			line := at + strings.Count(c.lines, "\n")
			found, _ := with(c.lines)
			if len(found) != 1 || !strings.HasPrefix(found[0], fmt.Sprintf("%d:%s", line, c.want)) {
				t.Errorf("%q, want %d:%s", found, line, c.want)
			}
		})
	}
	found, d := with("erledigt = \"status resolved\"\nspaeter = \"wait\"\nprio = \"priority\"")
	if found != nil {
		t.Fatal(found)
	}
	in := commandInput{desk: d, now: time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC)}
	for block, want := range map[string]string{
		"#erledigt\nx": "resolved", "#ERLEDIGT.\nx": "resolved", "#erledigtt": "no-command #erledigt", "#spaeter 3d": "", "#spaeter": "wait-when", "#prio p1": "",
	} {
		t.Run("R43/"+block, func(t *testing.T) {
			lines, _ := CommandBlock(block, d.AliasWords()...)
			orders, problems := readCommands(in, lines)
			got := fmt.Sprint(problems)
			if len(orders) == 1 {
				got = fmt.Sprintf("%+v", orders[0])
			}
			if !strings.Contains(got, want) || want == "" && problems != nil {
				t.Errorf("%s", got)
			}
		})
	}
	t.Run("R43/below the text it is a command, too", func(t *testing.T) {
		if p := strayCommands("Hello\n#erledigt", d.AliasWords()...); len(p) != 1 {
			t.Errorf("%v", p)
		}
	})
}
