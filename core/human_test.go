package core_test

import (
	"errors"
	"testing"
	"time"

	"postern/core"
)

func machine(m *core.Mail) { m.Marks.AutoSubmitted = "auto-generated" }

func TestTreatAsHuman_countsAsTheAnswerItIs(t *testing.T) {
	for _, c := range []struct {
		name, command, before, after string
		meanwhile                    string
	}{
		{"an answer wakes the case that waited for it", "#status need input\nWhich one?", "need-input", "in-progress", ""},
		{"an answer reopens a closed case", "#status closed\nBye.", "closed", "in-progress", ""},
		{"a comment on an open case moves nothing", "Hello.", "in-progress", "in-progress", ""},
		{"a case that somebody has moved since stays where it is", "#status need input\nWhich one?", "need-input", "closed", "#status closed\nBye."},
	} {
		t.Run("R28/"+c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			w.receive(fromMia(o, c.command, false))
			w.letters()
			w.Clock.Advance(time.Minute)
			wants(t, w.receive(mail{from: anna, subject: o.Case, text: "The left one.", change: machine}), core.Filed, "joins", "")
			if got := w.status(o); got != c.before {
				t.Fatalf("a machine moved it to %s", got)
			}
			w.Clock.Advance(time.Minute)
			if c.meanwhile != "" {
				m := fromMia(o, c.meanwhile, false)
				m.id = "meanwhile@desk.example"
				w.receive(m)
			}
			w.letters()
			id := w.count(`select max(id) from comment where 'machine' = any(marks)`)
			v := w.signsIn(mia)
			for name, other := range map[string]core.Viewer{"the customer": w.signsIn(anna), "nobody": {}} {
				if err := w.TreatAsHuman(t.Context(), other, o.Case, id); !errors.Is(err, core.ErrNotFound) {
					t.Errorf("%s pressed: %v", name, err)
				}
			}
			if err := w.TreatAsHuman(t.Context(), v, o.Case, id); err != nil {
				t.Fatal(err)
			}
			if got := w.status(o); got != c.after {
				t.Errorf("the case is %s, not %s", got, c.after)
			}
			if l := w.letters(); len(l) != 0 {
				t.Errorf("%s to %s", l[0].Kind, l[0].To.Address)
			}
			if n := w.count(`select count(*) from event where kind = 'human' and internal and actor is not null`); n != 1 {
				t.Errorf("%d events", n)
			}
			if err := w.TreatAsHuman(t.Context(), v, o.Case, id); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("pressed twice: %v", err)
			}
		})
	}
}
