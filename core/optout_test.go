package core_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"postern/core"
)

// reminded is a case that waits for Anna, with the reminder that she got.
func reminded(w *world) (opened, core.Letter) {
	w.t.Helper()
	o := w.opens(mail{from: anna})
	w.receive(fromMia(o, "#status need input\nWhich one?", false))
	w.letters()
	w.Clock.Advance(3*24*time.Hour + time.Hour)
	if _, err := w.Remind(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return o, to(w.t, w.letters(), anna, core.Reminder)
}

func (w *world) off(address string) string {
	w.t.Helper()
	return w.text(`select coalesce((select string_agg(event || '=' || how, ' ') from preference x join address a on a.person = x.person where a.address = $1), '')`, address)
}

// unsubscribes is what a program makes of a mailto of List-Unsubscribe.
func unsubscribes(t *testing.T, l core.Letter, from string) mail {
	t.Helper()
	u, err := url.Parse(l.Unsubscribe[0])
	if err != nil || u.Scheme != "mailto" {
		t.Fatalf("%v, %q", err, l.Unsubscribe)
	}
	to, err := url.PathUnescape(u.Opaque)
	if err != nil {
		t.Fatal(err)
	}
	return mail{from: from, to: to, subject: u.Query().Get("subject"), text: u.Query().Get("body")}
}

func TestOptional_isTurnedOffByAMail(t *testing.T) {
	for name, c := range map[string]struct {
		tokens  string
		from    string
		change  func(*mail)
		off     string
		outcome string
	}{
		"R53/to the reply address":                    {"on", anna, nil, "reminder=nothing", "unsubscribes"},
		"R53/unverified too, with her own token":      {"on", anna, func(m *mail) { m.unverified = true }, "reminder=nothing", "unsubscribes"},
		"R53/without plus addresses, verified":        {"off", anna, nil, "reminder=nothing", "unsubscribes"},
		"R31/without either it is mail like any":      {"off", anna, func(m *mail) { m.unverified = true }, "", ""},
		"R35/somebody else's token turns nothing off": {"on", bob, nil, "", ""},
		"R31/nor does a mail that was written to somebody else": {"off", anna, func(m *mail) {
			m.change = func(m *core.Mail) { m.To = []core.Address{{Address: "news@shop.example"}} }
		}, "", ""},
		"R53/with a text it is an answer":   {"on", anna, func(m *mail) { m.text = "unsubscribe?\nNo, I want to know more." }, "", ""},
		"R28/a machine's turns nothing off": {"on", anna, func(m *mail) { m.change = machine }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(s *core.Settings) { s.ReplyTokens = c.tokens })
			o, l := reminded(w)
			m := unsubscribes(t, l, c.from)
			if c.change != nil {
				c.change(&m)
			}
			before := w.count(`select count(*) from comment where case_id = $1`, o.CaseID)
			r := w.receive(m)
			if got := w.off(c.from); got != c.off {
				t.Errorf("turned off: %q, want %q\n%+v", got, c.off, r)
			}
			if c.outcome == "" {
				return
			}
			wants(t, r, core.Filed, c.outcome, "")
			if n := w.count(`select count(*) from comment where case_id = $1`, o.CaseID); n != before || len(w.letters()) != 0 {
				t.Errorf("it made a comment, or a mail")
			}
		})
	}
}

func TestOptional_isTurnedOffByOnePress(t *testing.T) {
	w := newWorld(t, func(s *core.Settings) { s.BaseURL = "https://desk.example" })
	_, l := reminded(w)
	link, ok := strings.CutPrefix(l.Unsubscribe[1], "https://desk.example/o/")
	if !ok {
		t.Fatalf("%q", l.Unsubscribe)
	}
	t.Run("R53/looking shows what, and changes nothing", func(t *testing.T) {
		v, err := w.OptOutByLink(t.Context(), link)
		if err != nil || v.Event != "reminder" || v.Address != anna || v.Done || w.off(anna) != "" {
			t.Errorf("%v, %+v, %q", err, v, w.off(anna))
		}
	})
	t.Run("R61/a link that was changed is none", func(t *testing.T) {
		id, secret, _ := strings.Cut(link, "-")
		for _, bad := range []string{"", "-", id, id + "-", id + "-" + strings.Repeat("a", len(secret)), "1-" + secret, "-1-" + secret, strings.Repeat("z", 30) + "-" + secret, link + "a"} {
			if _, err := w.OptOutByLink(t.Context(), bad); !errors.Is(err, core.ErrExpired) {
				t.Errorf("%q: %v", bad, err)
			}
			if _, err := w.PressOptOut(t.Context(), bad); !errors.Is(err, core.ErrExpired) {
				t.Errorf("%q: %v", bad, err)
			}
		}
	})
	t.Run("R53/a press turns it off, a second one changes nothing", func(t *testing.T) {
		for range 2 {
			if v, err := w.PressOptOut(t.Context(), link); err != nil || !v.Done || w.off(anna) != "reminder=nothing" {
				t.Errorf("%v, %+v, %q", err, v, w.off(anna))
			}
		}
		if v, err := w.OptOutByLink(t.Context(), link); err != nil || !v.Done {
			t.Errorf("%v, %+v", err, v)
		}
	})
	t.Run("R53/other mail of the case has no such link", func(t *testing.T) {
		for _, l := range w.opens(mail{from: carl}).all() {
			if l.Optional != "" || l.Unsubscribe != nil {
				t.Errorf("%s: %q", l.Kind, l.Unsubscribe)
			}
		}
	})
}

func (o opened) all() []core.Letter { return []core.Letter{o.confirmation, o.mia, o.tom} }

func TestOptional_anAgentDoesWithoutDigests(t *testing.T) {
	w := newWorld(t, func(s *core.Settings) { s.Budgets = core.Budgets{} })
	many := func() {
		for range 12 {
			w.receive(mail{from: anna, subject: "x", text: "y"})
		}
		w.letters()
		w.Clock.Advance(time.Minute)
		if _, err := w.SendDigests(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	many()
	l := to(t, w.letters(), mia, core.Digest)
	t.Run("R53/a digest says how it is turned off", func(t *testing.T) {
		if l.Optional != "digest" || len(l.Unsubscribe) == 0 {
			t.Fatalf("%q", l.Unsubscribe)
		}
		wants(t, w.receive(unsubscribes(t, l, mia)), core.Filed, "unsubscribes", "")
	})
	t.Run("R53/and none comes afterwards, but to her colleague", func(t *testing.T) {
		w.Clock.Advance(time.Hour)
		many()
		digests := kinds(w.letters(), core.Digest)
		if len(digests) != 1 || digests[0].To.Address != tom {
			t.Errorf("%d digests", len(digests))
		}
	})
	t.Run("R53/who takes them up again hears of what comes then", func(t *testing.T) {
		if err := w.SetPreferences(t.Context(), w.signsIn(mia), "support", map[string]string{"digest": ""}); err != nil {
			t.Fatal(err)
		}
		w.letters()
		w.Clock.Advance(time.Hour)
		many()
		letters := w.letters()
		if hers, his := to(t, letters, mia, core.Digest), to(t, letters, tom, core.Digest); len(hers.Payload.Items) != len(his.Payload.Items) {
			t.Errorf("%d pieces of news, %d for her colleague", len(hers.Payload.Items), len(his.Payload.Items))
		}
	})
}
