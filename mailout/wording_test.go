package mailout

import (
	"slices"
	"strings"
	"testing"
	"time"

	"postern/core"
)

var everyLanguage = []string{"en", "nl", "da", "nb", "de"}

// What people read is true, and in their language.
func TestWording(t *testing.T) {
	for _, lang := range everyLanguage {
		t.Run("R40/below a note no line says that an answer moves the case "+lang, func(t *testing.T) {
			if m := compose(t, full(core.NoticeNote, lang)); strings.Contains(m.text, "\n#status") {
				t.Errorf("an answer to it is a note, yet:\n%s", m.text)
			}
		})
		t.Run("R37/a case that goes on as another did not end without a solution "+lang, func(t *testing.T) {
			for _, k := range []core.Kind{core.Answer, core.StatusNews} {
				l := full(k, lang)
				p := &l.Payload
				p.Changed, p.Status, p.Was, p.Class, p.Means, p.GoesOn = true, "Gone", "Open", "rejected", "It has no solution.", "CASE-10007"
				if m := compose(t, l); !strings.Contains(m.text, "CASE-10007") || strings.Contains(m.text, "no solution") || strings.Contains(m.text, "Gone") {
					t.Errorf("%s:\n%s", k, m.text)
				}
			}
		})
		t.Run("R64/why a case is the agent's own "+lang, func(t *testing.T) {
			for _, code := range []string{"nobody", "no-author", "our-address", "an-agent", "unreachable"} {
				l := full(core.Transcript, lang)
				l.Payload.Reason, l.Payload.Lines = "own-case", []string{code}
				if m := compose(t, l); strings.Contains(m.text, "  "+code+"\n") || !strings.Contains(m.text, "#requester") {
					t.Errorf("%s:\n%s", code, m.text)
				}
			}
		})
		t.Run("R43/what happened to a case is said in words, by both histories "+lang, func(t *testing.T) {
			until := time.Date(2026, 3, 11, 8, 0, 0, 0, time.UTC)
			asked, sheet := full(core.Transcript, lang), full(core.CaseSheet, lang)
			var entries []core.SheetEntry
			for _, kind := range []string{"left", "back", "undone", "letter-again", "priority", "split-from", "unmerged"} {
				asked.History = append(asked.History, core.HistoryEntry{Kind: "event", Event: kind, Became: "X"})
				entries = append(entries, core.SheetEntry{Kind: "event", Event: kind, Became: "X"})
			}
			asked.History = append(asked.History, core.HistoryEntry{Kind: "event", Event: "status", Became: "On hold", Until: until})
			entries = append(entries, core.SheetEntry{Kind: "event", Event: "status", Became: "On hold", Until: until})
			sheet.Payload.Zone, asked.Payload.Zone = "Europe/Amsterdam", "Europe/Amsterdam"
			sheet.Payload.Answers = []core.QueryAnswer{{Verb: "history", Sheet: &core.Sheet{Entries: entries}}}
			var said [2][]string
			for i, l := range []core.Letter{asked, sheet} {
				m := compose(t, l)
				for line := range strings.Lines(m.text) {
					if strings.HasSuffix(line, ": X\n") || strings.Contains(line, ": On hold (") {
						_, what, _ := strings.Cut(line, "00:00")
						said[i] = append(said[i], strings.TrimLeft(what, ": "))
					}
				}
				for _, raw := range []string{": left:", ": back:", ": undone:", "letter-again", "split-from", "unmerged", "UTC"} {
					if strings.Contains(m.text, raw) {
						t.Errorf("%q in\n%s", raw, m.text)
					}
				}
				if !strings.Contains(m.text, "09:00)") {
					t.Errorf("not until when, by the desk's clock:\n%s", m.text)
				}
			}
			if len(said[0]) != 8 || !slices.Equal(said[0], said[1]) {
				t.Errorf("they differ:\n%q\n%q", said[0], said[1])
			}
		})
		t.Run("R45/a case that rests until a date is nobody's turn "+lang, func(t *testing.T) {
			l := full(core.StatusNews, lang)
			l.Payload.GoesOn, l.Payload.Class, l.Payload.When = "", "customer", time.Time{}
			turn := compose(t, l).text
			l.Payload.When = time.Date(2026, 3, 11, 8, 0, 0, 0, time.UTC)
			rests := compose(t, l).text
			says := map[string]string{"en": "your turn", "nl": "aan zet", "da": "din tur", "nb": "din tur", "de": "am Zug"}[lang]
			if !strings.Contains(turn, says) || strings.Contains(rests, says) {
				t.Errorf("%q:\n%s\n%s", says, turn, rests)
			}
		})
	}
	t.Run("R46/a button is called by the word that does the same", func(t *testing.T) {
		l := full(core.StatusNews, "en")
		l.Payload.Links = []core.Link{{Purpose: "move", Label: "In progress", Word: "reopen", URL: "https://desk.example/m/x"}}
		if m := compose(t, l); !strings.Contains(m.text, "  Reopen: https://desk.example/m/x\n") {
			t.Errorf("\n%s", m.text)
		}
	})
}
