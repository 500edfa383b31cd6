package core_test

import (
	"testing"
	"time"

	"postern/core"
)

// What R53 says of each kind, of letters as the rules cause them.
func TestLetters_sayOfThemselvesWhatTheyAre(t *testing.T) {
	type flags struct {
		automatic, replied, optional, null bool
	}
	generated, answers := flags{automatic: true}, flags{automatic: true, replied: true}
	table := map[core.Kind]flags{
		core.Confirmation: answers, core.Transcript: answers,
		core.WordRefused: {automatic: true, replied: true, null: true},
		core.TooLarge:    {automatic: true, replied: true, null: true},
		core.StatusNews:  generated, core.ClosingSoon: generated, core.SignIn: generated, core.Invitation: generated,
		core.Reminder: {automatic: true, optional: true}, core.Digest: {automatic: true, optional: true},
		core.NoticeNew: generated, core.NoticeComment: generated, core.NoticeNote: generated, core.NoticeStatus: generated,
		core.NoticeBounce: generated, core.Alarm: generated, core.ProbeMail: generated,
		core.Answer: {},
	}
	seen := map[core.Kind]core.Letter{}
	w := newWorld(t, func(s *core.Settings) { s.Operator = []string{"ops@desk.example"}; s.Budgets = core.Budgets{} })
	ctx := t.Context()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	all := func() {
		for _, l := range w.letters() {
			if _, before := seen[l.Kind]; !before {
				seen[l.Kind] = l
			}
		}
	}
	o := w.opens(mail{from: anna})
	seen[core.Confirmation], seen[core.NoticeNew] = o.confirmation, o.mia
	w.receive(fromMia(o, "#note\nBetween us.", false))
	all()
	ok(w.MoveCase(ctx, w.signsIn(mia), o.Case, "resolved"))
	all()
	w.receive(mail{from: anna, subject: o.Case, text: "disagree"})
	all()
	ok(w.Probe(ctx))
	all()
	w.signsIn(mia)
	ok(w.RequestSignIn(ctx, mia, "browser"))
	ok(w.Invite(ctx, core.InviteRequest{Address: carl, Desk: "support", Organisation: "Fabrikam"}))
	all()
	w.receive(fromMia(o, "#status nonsense\nx", false))
	m := w.keep(mail{from: anna, subject: "x", text: "y", change: func(m *core.Mail) { m.HeaderOnly, m.Size = true, 60<<20 }})
	w.receiveOne(m)
	all()
	w.Clock.Advance(time.Hour)
	w.receive(mail{from: mia, subject: o.Case, text: "#status need input\nWhich one?", to: o.mia.ReplyTo, id: "asks@desk.example"})
	all()
	w.Clock.Advance(3*24*time.Hour + time.Hour)
	_, err := w.Remind(ctx)
	ok(err)
	all()
	w.receive(mail{from: mia, subject: o.Case, text: "#status resolved\nDone.", to: o.mia.ReplyTo, id: "resolves@desk.example"})
	all()
	w.Clock.Advance(6 * 24 * time.Hour)
	_, err = w.CloseSilent(ctx)
	ok(err)
	all()
	w.receive(fromMia(o, "#status closed\nBye.", false))
	all()
	w.receive(mail{from: anna, subject: o.Case, text: "disagree"})
	w.receive(mail{from: anna, subject: o.Case, text: "close"})
	all()
	w.receive(bounces(seen[core.Answer], "5.1.1", "failed", false))
	all()
	_, err = w.Alarms(ctx)
	ok(err)
	all()
	for range 13 {
		w.receive(mail{from: bob, subject: "x", text: "y"})
	}
	all()
	w.Clock.Advance(time.Minute)
	_, err = w.SendDigests(ctx)
	ok(err)
	all()
	for kind, want := range table {
		t.Run("R53/"+string(kind)+" says what it is", func(t *testing.T) {
			l, ok := seen[kind]
			if !ok {
				t.Fatal("none was caused")
			}
			got := flags{l.Automatic, l.Replied, l.Optional != "", l.Envelope == ""}
			if got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
			if l.Loop == "" || l.MessageID == "" || l.QueuedAt.IsZero() || l.From.Address != "support@desk.example" {
				t.Errorf("%+v", l)
			}
		})
	}
	for kind := range seen {
		if _, ok := table[kind]; !ok {
			t.Logf("not in the table: %s", kind)
		}
	}
}

// A server that does not take the empty sender is asked once.
func TestOutbox_refusalsGoOutWithTheEmptySenderWhereTheServerTakesIt(t *testing.T) {
	refusal := func(w *world, id string) core.Letter {
		m := w.keep(mail{from: anna, subject: id, text: "y", change: func(m *core.Mail) { m.HeaderOnly, m.Size = true, 60<<20 }})
		w.receiveOne(m)
		return to(w.t, w.claim("a", 10), anna, core.TooLarge)
	}
	for name, c := range map[string]struct {
		result   core.Result
		enhanced string
		plain    bool
	}{
		"R53/taken":                             {core.Accepted, "2.0.0", false},
		"R53/refused at MAIL":                   {core.SenderRefused, "5.7.60", true},
		"R53/refused by policy, later":          {core.Permanent, "5.7.1", true},
		"R60/a recipient that does not exist":   {core.Permanent, "5.1.1", false},
		"R60/a server that wants us to wait":    {core.Temporary, "4.2.0", false},
		"R60/a connection that broke before it": {core.Unsent, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			l := refusal(w, "one")
			if l.Envelope != "" {
				t.Fatalf("it goes out as %q", l.Envelope)
			}
			if _, err := w.Settle(t.Context(), "a", []core.Delivery{{ID: l.ID, Result: c.result, Enhanced: c.enhanced, Answer: "its words", Envelope: ""}}, nil); err != nil {
				t.Fatal(err)
			}
			if c.plain {
				again := w.claim("a", 10)
				if len(again) != 1 || again[0].ID != l.ID || again[0].Envelope != "support@desk.example" {
					t.Fatalf("not at once with the plain one: %+v", again)
				}
			}
			w.Clock.Advance(time.Hour)
			w.exec(`update outbox set state = 'sent'`)
			w.exec(`update address set suppressed_at = null`)
			if next := refusal(w, "two"); (next.Envelope == "support@desk.example") != c.plain {
				t.Errorf("the next one goes out as %q", next.Envelope)
			}
		})
	}
	t.Run("R53/envelope plain means the desk's address, always", func(t *testing.T) {
		w := newWorld(t, func(s *core.Settings) { s.Envelope = "plain" })
		if l := refusal(w, "one"); l.Envelope != "support@desk.example" {
			t.Errorf("%q", l.Envelope)
		}
	})
}
