package core

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"postern/core/flow"
)

func shippedDesk(t testing.TB) *flow.Desk {
	t.Helper()
	source, err := os.ReadFile("../templates/desks/default.toml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := flow.Parse("support", source)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestCommandBlock_standsFirstAndNowhereElse(t *testing.T) {
	for _, c := range []struct {
		name  string
		reply string
		lines []string
		text  string
	}{
		{"a line on top is a command", "#status resolved\nUse water.", []string{"#status resolved"}, "Use water."},
		{"several lines are one block", "#status on hold 3d\n#note\n\nLater.", []string{"#status on hold 3d", "#note"}, "Later."},
		{"blank lines before and between do not end it", "\r\n\n#note\r\n\r\n#status open\r\nx", []string{"#note", "#status open"}, "x"},
		{"a block alone leaves no text", "#status resolved", []string{"#status resolved"}, ""},
		{"capitals do not matter", "#STATUS resolved\nx", []string{"#STATUS resolved"}, "x"},
		{"a colon is allowed", "#status: resolved\nx", []string{"#status: resolved"}, "x"},
		{"a word within two letters is a command with a mistake", "#statsu resolved\nx", []string{"#statsu resolved"}, "x"},
		{"another word is text", "#hashtag of the day\nx", nil, "#hashtag of the day\nx"},
		{"a number is text", "#10001 is broken", nil, "#10001 is broken"},
		{"a heading is text", "# status\nx", nil, "# status\nx"},
		{"two hashes are text", "##status resolved", nil, "##status resolved"},
		{"text ends the block", "Hello\n#status resolved", nil, "Hello\n#status resolved"},
		{"a command after the text stays in it", "#note\nHello\n#status resolved", []string{"#note"}, "Hello\n#status resolved"},
		{"nothing is nothing", " \n ", nil, ""},
	} {
		t.Run("R43/"+c.name, func(t *testing.T) {
			lines, text := CommandBlock(c.reply)
			if !slices.Equal(lines, c.lines) || text != c.text {
				t.Errorf("%q, %q; want %q, %q", lines, text, c.lines, c.text)
			}
		})
	}
}

func FuzzCommandBlock(f *testing.F) {
	d := shippedDesk(f)
	now := time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC)
	for _, s := range []string{"#status resolved\nx", "#note", "#statsu 3d\n#nota", "# x", "#status on hold until 2026-12-01", "#\x00", "#status\u00a0resolved",
		"＃note.\n\u200b#cc: add a@b.example", "#time −1h30\n#assign “me”", "#schließen\n#luk", "\u202e#wait 2w\u2069", "#undo abc"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, reply string) {
		lines, text := CommandBlock(reply)
		for _, l := range lines {
			if name, _ := splitCommand(l); name == "" || strings.ContainsAny(l, "\n") {
				t.Errorf("%q is no command line", l)
			}
			if !strings.Contains(reply, l) {
				t.Errorf("%q was not written", l)
			}
		}
		if banner, _ := splitBanner(reply); strings.TrimSpace(banner) != "" {
			return // FuzzBanner: the text is in two pieces
		}
		if !strings.Contains(reply, text) {
			t.Errorf("text %q was not written", text)
		}
		if more, rest := CommandBlock(text); lines != nil && len(lines) <= commandsInAMail && (more != nil || rest != text) {
			t.Errorf("%q is left with %q on top", text, more)
		}
		commands, problems := readCommands(commandInput{desk: d, now: now}, lines)
		if problems != nil && commands != nil {
			t.Errorf("a rejected block has commands: %v, %v", problems, commands)
		}
		if problems == nil && len(commands) != len(lines) {
			t.Errorf("%d lines, %d commands", len(lines), len(commands))
		}
	})
}

func TestReadCommands_oneBadLineRejectsTheBlock(t *testing.T) {
	d := shippedDesk(t)
	now := time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name     string
		lines    []string
		commands int
		problems []string // what they mention, in order
	}{
		{"good lines are understood", []string{"#status resolved", "#note"}, 2, nil},
		{"a mistyped command is named with what is near", []string{"#statsu resolved"}, 0, []string{"#status"}},
		{"a mistyped status is named with what is near", []string{"#status reslved"}, 0, []string{"resolved"}},
		{"an unknown status is named with all there are", []string{"#status blue"}, 0, []string{"open, in-progress, need-input, on-hold, third-party, resolved, closed, cancelled"}},
		{"a good line beside a bad one does nothing", []string{"#note", "#status blue"}, 0, []string{"blue"}},
		{"each bad line is named", []string{"#nota", "#status blue"}, 0, []string{"#nota", "blue"}},
		{"a status without a name is one", []string{"#status"}, 0, []string{"no-status"}},
	} {
		t.Run("R43/"+c.name, func(t *testing.T) {
			commands, problems := readCommands(commandInput{desk: d, now: now}, c.lines)
			if len(commands) != c.commands || len(problems) != len(c.problems) {
				t.Fatalf("%d commands, problems %q", len(commands), problems)
			}
			for i, want := range c.problems {
				if !strings.Contains(problems[i].String(), want) {
					t.Errorf("%q does not mention %q", problems[i].String(), want)
				}
			}
		})
	}
}

func TestReadStatus_andItsDate(t *testing.T) {
	d := shippedDesk(t)
	now := time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC) // 11:00 in Amsterdam
	at := func(day string) time.Time {
		t, err := time.ParseInLocation("2006-01-02 15:04", day+" 09:00", d.Zone())
		if err != nil {
			panic(err)
		}
		return t
	}
	for _, c := range []struct {
		words string
		want  string // key, "" for a mistake
		until time.Time
	}{
		{"resolved", "resolved", time.Time{}},
		{"Resolved", "resolved", time.Time{}},
		{"need input", "need-input", time.Time{}},
		{"NEED-INPUT", "need-input", time.Time{}},
		{"on hold", "on-hold", time.Time{}},
		{"3rd party", "third-party", time.Time{}},
		{"on hold 3d", "on-hold", at("2026-11-06")},
		{"on-hold 1D", "on-hold", at("2026-11-04")},
		{"on hold until 2026-12-01", "on-hold", at("2026-12-01")},
		{"on hold UNTIL 1-12-2026", "on-hold", at("2026-12-01")},
		{"on hold 01.12.2026", "on-hold", at("2026-12-01")},
		{"on hold 1/12/2026", "on-hold", at("2026-12-01")},
		{"on hold 0d", "", time.Time{}},
		{"on hold -3d", "", time.Time{}},
		{"on hold 367d", "", time.Time{}},
		{"on hold tomorrow", "on-hold", at("2026-11-04")},
		{"on hold til fredag", "on-hold", at("2026-11-06")},
		{"on hold bis dienstag", "on-hold", at("2026-11-10")}, // not today
		{"on hold 2w", "on-hold", at("2026-11-17")},
		{"on hold someday", "", time.Time{}},
		{"on hold until", "", time.Time{}},
		{"on hold 2026-02-30", "", time.Time{}},
		{"on hold 2026-11-02", "", time.Time{}}, // is over
		{"on hold 2026-11-03", "", time.Time{}}, // nine o'clock is over
		{"on hold 2029-01-01", "", time.Time{}}, // too far away
		{"resolved 3d", "", time.Time{}},        // takes no date
		{"", "", time.Time{}},
	} {
		t.Run("R43/"+c.words, func(t *testing.T) {
			o, err := readStatus(commandInput{desk: d, now: now}, c.words)
			got, _ := o.(setsStatus)
			switch {
			case c.want == "" && err == nil:
				t.Errorf("read as %s until %v", got.to.Key, got.until)
			case c.want == "":
			case err != nil:
				t.Error(err)
			case got.to.Key != c.want || !got.until.Equal(c.until):
				t.Errorf("%s until %v, want %s until %v", got.to.Key, got.until, c.want, c.until)
			}
		})
	}
}

// Three days over the change from summer time are three calendar days, at
// opening time by the desk's clock.
func TestReadDate_calendarDaysInTheDesksZone(t *testing.T) {
	d := shippedDesk(t)
	friday := time.Date(2026, 10, 23, 22, 30, 0, 0, time.UTC) // Saturday 00:30 in Amsterdam
	got, err := readDate("3d", d.Zone(), friday)
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2026, 10, 27, 8, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("%v, want %v", got.UTC(), want)
	}
}

func TestFirstLine_splitsAWordFromItsText(t *testing.T) {
	for reply, want := range map[string][2]string{
		"close":                       {"close", ""},
		"\n Close. \r\n\r\nThank you": {"Close.", "Thank you"},
		"":                            {"", ""},
	} {
		if line, rest := firstLine(reply); line != want[0] || rest != want[1] {
			t.Errorf("%q: %q, %q", reply, line, rest)
		}
	}
}
