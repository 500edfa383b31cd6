package core_test

import (
	"strings"
	"testing"
	"time"

	"postern/core"
)

func TestBorder_authservCountsOnlyAfterATestFromOutside(t *testing.T) {
	const name = "mx.desk.example"
	believes := func(w *world) (bool, string) {
		w.Clock.Advance(time.Minute)
		r := w.receive(mail{from: anna, subject: "x", text: w.Clock.Now().String(), unverified: true, change: func(m *core.Mail) {
			m.Trusted = []core.AuthField{{Name: "Authentication-Results", Value: name + "; dmarc=pass header.from=northwind.example"}}
		}})
		var why []string
		for _, s := range r.Trace {
			why = append(why, s.Says)
		}
		return r.Assurance == core.Verified, strings.Join(why, "\n")
	}
	// test makes one, and has it come in with these fields.
	test := func(w *world, fields ...string) core.Receipt {
		w.t.Helper()
		b, err := w.BeginBorderTest(t.Context(), "support", "MX.desk.example")
		if err != nil {
			w.t.Fatal(err)
		}
		w.Clock.Advance(time.Minute)
		return w.receive(mail{from: "op@desk.example", subject: "Border test", text: b.Token, id: b.MessageID, to: b.To, unverified: true, change: func(m *core.Mail) {
			for _, f := range fields {
				m.Trusted = append(m.Trusted, core.AuthField{Name: "Authentication-Results", Value: strings.ReplaceAll(f, "TOKEN", strings.ToUpper(b.Token))})
			}
		}})
	}
	for _, c := range []struct {
		name  string
		tests [][]string
		want  bool
	}{
		{"without a test nothing is believed", nil, false},
		{"a test that came in clean is a proof", [][]string{{name + "; dmarc=none"}}, true},
		{"a test that came in with its forged field is none", [][]string{{name + "; dmarc=none", name + "; dmarc=pass header.from=desk.example reason=TOKEN"}}, false},
		{"a forged field in another spelling counts as one", [][]string{{"(x) MX.Desk.Example 1; dmarc=pass reason=TOKEN"}}, false},
		{"a field that lost its name is no longer forged", [][]string{{"spoofed.invalid; dmarc=pass reason=TOKEN"}}, true},
		{"a later test with it takes the proof away", [][]string{{}, {name + "; dmarc=pass reason=TOKEN"}}, false},
		{"a later test without it gives it back", [][]string{{name + "; dmarc=pass reason=TOKEN"}, {}}, true},
	} {
		t.Run("R32/"+c.name, func(t *testing.T) {
			w := newWorld(t, func(s *core.Settings) { s.Mailboxes[0].Border = "authserv:" + name })
			for _, fields := range c.tests {
				wants(t, test(w, fields...), core.Filed, "border test", "")
			}
			got, why := believes(w)
			if got != c.want {
				t.Errorf("believed: %v\n%s", got, why)
			}
			if !got && !strings.Contains(why, "authserv:"+name+" is not proved: postern doctor border") {
				t.Errorf("the trace does not say what to do:\n%s", why)
			}
			if s, err := w.Border(t.Context(), "support", name); err != nil || s.Proved != c.want || (s.MadeAt != nil) != (c.tests != nil) {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
	t.Run("R32/a test has no other effect", func(t *testing.T) {
		w := newWorld(t, func(s *core.Settings) { s.Mailboxes[0].Border = "authserv:" + name })
		test(w)
		if n := w.count(`select (select count(*) from cases) + (select count(*) from outbox)`); n != 0 {
			t.Errorf("%d effects", n)
		}
	})
	t.Run("R32/a guessed token is a mail like any", func(t *testing.T) {
		w := newWorld(t, func(s *core.Settings) { s.Mailboxes[0].Border = "authserv:" + name })
		w.receive(mail{from: eve, subject: "x", text: "y", id: "postern-border.aaaaaaaaaaaaaaaaaaaaaaaaaa@desk.example"})
		if got, _ := believes(w); got {
			t.Error("it proved the border")
		}
	})
	t.Run("R32/a copy of a test that failed proves nothing", func(t *testing.T) {
		w := newWorld(t, func(s *core.Settings) { s.Mailboxes[0].Border = "authserv:" + name })
		b, err := w.BeginBorderTest(t.Context(), "support", name)
		if err != nil {
			t.Fatal(err)
		}
		for _, forged := range []bool{true, false} {
			w.receive(mail{from: "op@desk.example", subject: "Border test", text: "x", id: b.MessageID, unverified: true, change: func(m *core.Mail) {
				if forged {
					m.Trusted = []core.AuthField{{Name: "Authentication-Results", Value: name + "; dmarc=pass reason=" + b.Token}}
				}
			}})
			w.Clock.Advance(time.Minute)
		}
		if got, _ := believes(w); got {
			t.Error("it proved the border")
		}
	})
	t.Run("R32/a proof is good for its name alone", func(t *testing.T) {
		w := newWorld(t, func(s *core.Settings) { s.Mailboxes[0].Border = "authserv:other.desk.example" })
		test(w)
		if s, err := w.Border(t.Context(), "support", "other.desk.example"); err != nil || s.Proved {
			t.Errorf("%+v, %v", s, err)
		}
	})
}
