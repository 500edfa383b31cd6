package core_test

import (
	"strings"
	"testing"
	"time"

	"postern/core"
)

func TestReceive_twoAgentsAnswerTheSameCase(t *testing.T) {
	// Tom answers, or does something else, between the notice and Mia's mail.
	for _, c := range []struct {
		name     string
		tom      string
		internal bool
		mia      string
		how      string // "token", "Message-ID", "number"
		text     string // of the collision; "" : none
		status   string
	}{
		{"R33/an answer to a notice that is older than another's", "Use sand.", false, "Use water.", "token", "Use sand.", ""},
		{"R34/the same by its Message-ID", "Use sand.", false, "Use water.", "Message-ID", "Use sand.", ""},
		{"R34/by a number alone the newest notice to them counts, and that told it", "Use sand.", false, "Use water.", "number", "", ""},
		{"R42/with commands", "Use sand.", false, "#status resolved\nUse water.", "token", "Use sand.", ""},
		{"R42/with a command alone that the customer hears of", "Use sand.", false, "#status resolved", "token", "Use sand.", ""},
		{"R42/another set the status", "#status resolved", false, "Use water.", "token", "", "Resolved"},
		{"R40/a colleague's note collides with nothing", "Who takes it?", true, "Use water.", "token", "", ""},
		{"R40/nor does a note with another's answer", "Use sand.", false, "#note\nHe is right.", "token", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			w.Clock.Advance(time.Minute)
			m := mail{from: tom, subject: o.Case, to: o.tom.ReplyTo, text: c.tom}
			if c.internal {
				m.to = o.tom.Internal
			}
			w.receive(m)
			at := w.Clock.Now()
			w.letters()
			w.Clock.Advance(time.Minute)
			m = mail{from: mia, subject: "Re: x", text: c.mia}
			switch c.how {
			case "token":
				m.to = o.mia.ReplyTo
			case "Message-ID":
				m.inReplyTo = o.mia.MessageID
			default:
				m.subject = o.Case
				w.receive(mail{from: anna, subject: o.Case, text: "And now?"}) // Tom owns it: Mia is told nothing
				w.exec(`update outbox set queued_at = $1 where address = $2`, w.Clock.Now(), mia)
			}
			r := w.receive(m)
			letters := w.letters()
			if !strings.HasPrefix(c.mia, "#") {
				wants(t, r, core.Filed, "answers", "")
				if l := to(t, letters, anna, core.Answer); l.Text != c.mia {
					t.Errorf("%q", l.Text)
				}
			}
			found := kinds(letters, core.Transcript)
			if c.text+c.status == "" {
				if len(found) == 1 && found[0].Payload.Collision != nil || len(found) == 1 && !strings.HasPrefix(c.mia, "#") {
					t.Errorf("told: %+v", found[0].Payload)
				}
				return
			}
			p := to(t, letters, mia, core.Transcript).Payload.Collision
			if p == nil || p.Text != c.text || p.Status != c.status || p.Name != "Tom" || !p.When.Equal(at) {
				t.Errorf("told %+v", p)
			}
		})
	}
	t.Run("R75/two who answer in the same moment: the second learns of it", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		w.Clock.Advance(time.Minute)
		w.atOnce(w.keep(mail{from: tom, subject: o.Case, to: o.tom.ReplyTo, text: "Use sand."}),
			w.keep(mail{from: mia, subject: o.Case, to: o.mia.ReplyTo, text: "Use water."}))
		letters := w.letters()
		if got := len(kinds(letters, core.Transcript)); got != 1 {
			t.Errorf("%d transcripts", got)
		}
	})
	t.Run("R63/a customer learns nothing of it", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		w.Clock.Advance(time.Minute)
		w.receive(mail{from: tom, subject: o.Case, to: o.tom.ReplyTo, text: "Use sand."})
		w.letters()
		w.receive(mail{from: anna, subject: o.Case, to: o.confirmation.ReplyTo, text: "It is out."})
		if got := kinds(w.letters(), core.Transcript); len(got) != 0 {
			t.Errorf("%+v", got)
		}
	})
}
