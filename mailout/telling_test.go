package mailout

import (
	"strings"
	"testing"
	"time"

	"postern/core"
)

func TestCompose_severalTextsAreOneMail(t *testing.T) {
	at := time.Date(2026, 3, 4, 9, 30, 0, 0, time.UTC)
	for lang, when := range map[string]string{"en": "Wednesday 4 March 2026 at 10:30", "de": "Mittwoch 4. März 2026 um 10:30"} {
		l := Sample(core.NoticeComment, lang)
		l.Payload.Texts = []core.TextOf{{ID: 1, Actor: "Anna Berg", At: at}, {ID: 2, Actor: "Bob\x02 Roe", At: at.Add(20 * time.Second)}}
		l.Text, l.Texts = "It smokes.", []string{"It smokes.", "I have\n\nwater.\x03\n"}
		m := compose(t, l)
		want := "Anna Berg, " + when + ":\n\nIt smokes.\n\nBob Roe, " + when + ":\n\nI have\n\nwater.\n"
		t.Run("R57/each below who wrote it and when, in "+lang, func(t *testing.T) {
			if !strings.Contains(m.text, want) {
				t.Errorf("no\n%s\nin\n%s", want, m.text)
			}
		})
	}
	t.Run("R51/none of them where nothing may be repeated", func(t *testing.T) {
		l := Sample(core.NoticeComment, "en")
		l.Payload.Texts = []core.TextOf{{ID: 1, At: at}, {ID: 2, At: at}}
		l.Payload.Fixed, l.Text, l.Texts = true, "It smokes.", []string{"It smokes.", "I have water."}
		if m := compose(t, l); strings.Contains(m.text, "smokes") || strings.Contains(m.text, "water") {
			t.Error(m.text)
		}
	})
}

func TestCompose_newsOfAnHour(t *testing.T) {
	t.Run("R53/is bulk", func(t *testing.T) {
		l := Sample(core.News, "en")
		l.Optional = "digest"
		if m := compose(t, l); m.header.Get("Precedence") != "bulk" || m.header.Get("Auto-Submitted") != "auto-generated" {
			t.Errorf("%v", m.header)
		}
	})
	t.Run("R51/shows what was left of its items, and no name", func(t *testing.T) {
		l := Sample(core.News, "en")
		l.Payload.Fixed, l.Payload.Items = true, []core.Waiting{{Number: "CASE-10123", Text: "Open -> Need input", At: l.QueuedAt}}
		m := compose(t, l)
		if !strings.Contains(m.text, "Open -> Need input") || strings.Contains(m.text, "Anna") || strings.Contains(m.header.Get("To"), "Anna") {
			t.Errorf("%s\n%s", m.header.Get("To"), m.text)
		}
	})
	t.Run("R33/of one case can be answered", func(t *testing.T) {
		l := Sample(core.News, "en")
		l.Number = "CASE-10123"
		if m := compose(t, l); !strings.Contains(m.text, "Answer this mail") || !strings.HasPrefix(m.subject, "[CASE-10123]") {
			t.Errorf("%s\n%s", m.subject, m.text)
		}
	})
}

func TestCompose_whoHasTheCase(t *testing.T) {
	l := Sample(core.NoticeAssigned, "en")
	if m := compose(t, l); !strings.Contains(m.text, "Tom Visser gave you this case.") {
		t.Error(m.text)
	}
	l.Payload.Owner = "Zoe"
	if m := compose(t, l); !strings.Contains(m.text, "Tom Visser gave this case to Zoe.") {
		t.Error(m.text)
	}
}
