package core_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"postern/core"
)

func TestWithdrawTokens_makesReplyAddressesWorthless(t *testing.T) {
	ctx := t.Context()
	t.Run("R33/one of them", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		if n, err := w.WithdrawTokens(ctx, strings.ToUpper(o.confirmation.ReplyTo)); n != 1 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
		wants(t, w.receive(mail{from: anna, subject: "Re", text: "x", to: o.confirmation.ReplyTo}), core.Filed, "opens a case", "")
		wants(t, w.receive(mail{from: anna, subject: "Re", text: "y", to: o.mia.ReplyTo}), core.Filed, "joins", "")
		wants(t, w.receive(mail{from: anna, subject: "Re", text: "z", to: o.confirmation.ReplyTo, inReplyTo: o.confirmation.MessageID}), core.Filed, "joins", "")
		if n, err := w.WithdrawTokens(ctx, o.confirmation.ReplyTo); n != 0 || err != nil {
			t.Errorf("again: %d, %v", n, err)
		}
	})
	t.Run("R33/all of a person's, of every case", func(t *testing.T) {
		w := newWorld(t, nil)
		one, two := w.opens(mail{from: anna}), w.opens(mail{from: anna, subject: "Another"})
		if n, err := w.WithdrawTokens(ctx, "Anna@Northwind.example"); n != 2 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
		for _, o := range []opened{one, two} {
			wants(t, w.receive(mail{from: anna, subject: "Re", text: "x" + o.Case, to: o.confirmation.ReplyTo}), core.Filed, "opens a case", "")
			wants(t, w.receive(fromMia(o, "Use water.", false)), core.Filed, "answers", "")
		}
	})
	t.Run("R33/a note's address takes the public one of the same mail along", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		if n, err := w.WithdrawTokens(ctx, o.mia.Internal); n != 1 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
		wants(t, w.receive(mail{from: mia, subject: "Re", text: "x", to: o.mia.ReplyTo, unverified: true}), core.Held, "held", "agent-forged")
		// what was meant to be internal stays so: the number names the case
		wants(t, w.receive(mail{from: mia, subject: o.Case, text: "y", to: o.mia.Internal}), core.Filed, "note", "")
	})
	t.Run("R42/an agent's withdrawn address proves nothing", func(t *testing.T) {
		w := newWorld(t, nil)
		w.apply(t, func(s string) string { return replace(t, s, `agent_proof = "verified"`, `agent_proof = "token"`) })
		o := w.opens(mail{from: anna})
		if n, err := w.WithdrawTokens(ctx, mia); n != 1 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
		wants(t, w.receive(fromMia(o, "Use water.", true)), core.Held, "held", "agent-forged")
	})
	t.Run("R42/a withdrawn question is over", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		w.waits(o, "First.")
		question := to(t, w.letters(), mia, core.Question)
		if _, err := w.WithdrawTokens(ctx, mia); err != nil {
			t.Fatal(err)
		}
		wants(t, w.receive(mail{from: mia, subject: "Re", text: "yes", to: question.ReplyTo, unverified: true}), core.Held, "held", "question-over")
	})
	t.Run("R54/its bounces are still known", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		if _, err := w.WithdrawTokens(ctx, anna); err != nil {
			t.Fatal(err)
		}
		r := w.receive(mail{from: "mailer-daemon@northwind.example", subject: "no", text: "no", to: strings.Replace(o.confirmation.ReplyTo, "+", "+b-", 1), change: func(m *core.Mail) {
			m.Marks.ReportType = "delivery-status"
			m.Report = &core.Report{Recipients: []core.ReportRecipient{{Address: anna, Action: "failed", Status: "5.1.1"}}}
		}})
		wants(t, r, core.Filed, "event: a bounce", "")
	})
	t.Run("R33/what is no such address is refused", func(t *testing.T) {
		w := newWorld(t, nil)
		w.opens(mail{from: anna})
		for _, a := range []string{"", "x", "support@desk.example", "support+x@desk.example", "support+p-aaaaaaaaaaaaaaaaaaaa@desk.example", strings.Repeat("a", 1000)} {
			if n, err := w.WithdrawTokens(ctx, a); n != 0 || err == nil {
				t.Errorf("%.40q: %d, %v", a, n, err)
			}
		}
		if n, err := w.WithdrawTokens(ctx, "nobody@nowhere.example"); n != 0 || !errors.Is(err, core.ErrNotFound) {
			t.Errorf("nobody's: %d, %v", n, err)
		}
		if n, err := w.WithdrawTokens(ctx, "support+aaaaaaaaaaaaaaaaaaaa@desk.example"); n != 0 || err != nil {
			t.Errorf("a guessed one: %d, %v", n, err)
		}
	})
}

func TestReplyAddress_shapeAndLife(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	t.Run("R33/20 characters of base32, of its own for each recipient and mode", func(t *testing.T) {
		seen := map[string]bool{}
		for _, a := range []string{o.confirmation.ReplyTo, o.mia.ReplyTo, o.mia.Internal, o.tom.ReplyTo, o.tom.Internal} {
			tag := strings.TrimSuffix(strings.TrimPrefix(a, "support+"), "@desk.example")
			if len(tag) != 20 || strings.Trim(tag, "abcdefghijklmnopqrstuvwxyz234567") != "" || seen[tag] {
				t.Errorf("%s", a)
			}
			seen[tag] = true
		}
		if o.confirmation.Internal != "" {
			t.Errorf("R40: the customer has an internal address: %s", o.confirmation.Internal)
		}
	})
	t.Run("R33/the database has hashes alone", func(t *testing.T) {
		tag := strings.TrimSuffix(strings.TrimPrefix(o.confirmation.ReplyTo, "support+"), "@desk.example")
		if n := w.count(`select count(*) from outbox o where o::text like '%' || $1 || '%'`, tag); n != 0 {
			t.Error("the token stands in the outbox")
		}
	})
	t.Run("R33/it lives for 90 days", func(t *testing.T) {
		if n := w.count(`select count(*) from outbox where token_until <> queued_at + interval '90 days'`); n != 0 {
			t.Errorf("%d letters have another life", n)
		}
		w.Clock.Advance(90*24*time.Hour - time.Minute)
		w.lease()
		wants(t, w.receive(mail{from: anna, subject: "Re", text: "x", to: o.confirmation.ReplyTo}), core.Filed, "joins", "")
	})
}
