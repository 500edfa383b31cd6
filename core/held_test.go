package core_test

import (
	"errors"
	"testing"

	"postern/core"
)

func TestRelease_opensTheCaseAndConfirms(t *testing.T) {
	for name, m := range map[string]mail{
		"bulk":                   {from: anna, subject: "x", text: "y", change: func(m *core.Mail) { m.Marks.List = true }},
		"spam":                   {from: anna, subject: "x", text: "y", change: func(m *core.Mail) { m.Marks.Spam = true }},
		"a loop":                 {from: anna, subject: "x", text: "y", change: func(m *core.Mail) { m.Marks.Received = 60 }},
		"an unverified stranger": {from: eve, subject: "x", text: "y", unverified: true, change: func(m *core.Mail) { m.Marks.Spam = true }},
	} {
		t.Run("R28/"+name, func(t *testing.T) {
			w := newWorld(t, nil)
			c := w.keep(m)
			if r := w.receiveOne(c); r.State != core.Held {
				t.Fatalf("%+v", r)
			}
			v := w.signsIn(mia)
			page, err := w.HeldMail(t.Context(), v, core.HeldQuery{})
			lines := page.Mails
			if err != nil || len(lines) != 1 || lines[0].Ledger != c.Ledger || lines[0].From != m.from || lines[0].Subject != "x" || lines[0].Reason == "" {
				t.Fatalf("the list: %+v, %v", lines, err)
			}
			view, err := w.HeldMailView(t.Context(), v, c.Ledger)
			if err != nil || len(view.Trace) == 0 || string(view.Raw) != "raw mail 1" {
				t.Errorf("the mail: %+v, %v", view, err)
			}
			if err := w.Release(t.Context(), v, c.Ledger); err != nil {
				t.Fatal(err)
			}
			wants(t, w.receiveOne(c), core.Filed, "opens a case", "")
			if l := to(t, w.letters(), m.from, core.Confirmation); l.Number != "CASE-10001" {
				t.Errorf("the confirmation's number is %q", l.Number)
			}
			if page, err := w.HeldMail(t.Context(), v, core.HeldQuery{}); err != nil || len(page.Mails) != 0 {
				t.Errorf("still listed: %+v, %v", page, err)
			}
			if err := w.Release(t.Context(), v, c.Ledger); !errors.Is(err, core.ErrDecided) {
				t.Errorf("released twice: %v", err)
			}
			if n := w.count(`select count(*) from person where verified_at is not null and id in (select person from address where address = $1)`, eve); n != 0 {
				t.Error("R31: a release verified somebody")
			}
		})
	}
}

func TestRefuse_endsTheMailAndKeepsItsBytes(t *testing.T) {
	w := newWorld(t, nil)
	c := w.keep(mail{from: anna, subject: "x", text: "y", change: func(m *core.Mail) { m.Marks.Spam = true }})
	w.receiveOne(c)
	v := w.signsIn(mia)
	if err := w.Refuse(t.Context(), v, c.Ledger); err != nil {
		t.Fatal(err)
	}
	wants(t, w.receiveOne(c), core.Refused, "was at its end before", "")
	if n := w.count(`select count(*) from ledger l join blob_chunk b on b.blob = l.blob where l.state = 'refused' and not l.told`); n != 1 {
		t.Error("R3: its bytes are gone, or the server will not be told")
	}
	for name, err := range map[string]error{"refused": w.Refuse(t.Context(), v, c.Ledger), "released": w.Release(t.Context(), v, c.Ledger)} {
		if !errors.Is(err, core.ErrDecided) {
			t.Errorf("R3: a refused mail was %s: %v", name, err)
		}
	}
	if len(w.letters()) != 0 || w.count(`select count(*) from cases`) != 0 {
		t.Error("a refused mail had an effect")
	}
}

func TestHeldMail_isForAgentsOfItsDeskAlone(t *testing.T) {
	w := newWorld(t, nil)
	w.opens(mail{from: anna})
	c := w.keep(mail{from: anna, subject: "x", text: "y", change: func(m *core.Mail) { m.Marks.Spam = true }})
	w.receiveOne(c)
	for name, v := range map[string]core.Viewer{"its own sender": w.signsIn(anna), "nobody": {}} {
		if page, err := w.HeldMail(t.Context(), v, core.HeldQuery{}); err != nil || len(page.Mails)+len(page.Count) != 0 {
			t.Errorf("R63/%s lists %+v, %v", name, page, err)
		}
		_, err := w.HeldMailView(t.Context(), v, c.Ledger)
		for what, err := range map[string]error{"sees": err, "releases": w.Release(t.Context(), v, c.Ledger), "refuses": w.Refuse(t.Context(), v, c.Ledger)} {
			if !errors.Is(err, core.ErrNotFound) {
				t.Errorf("R63/%s %s it: %v", name, what, err)
			}
		}
	}
}

func TestRelease_nothingBeyondTheSizeLimit(t *testing.T) {
	w := newWorld(t, nil)
	c := w.keep(mail{from: anna})
	c.HeaderOnly, c.Size = true, 60<<20
	w.exec(`update ledger set header_only = true where id = $1`, c.Ledger)
	wants(t, w.receiveOne(c), core.Held, "held", "too-large")
	if err := w.Release(t.Context(), w.signsIn(mia), c.Ledger); !errors.Is(err, core.ErrNotAllowed) {
		t.Errorf("R17: %v", err)
	}
}

// A colleague can vouch that a mail is worth reading, not that Mia wrote it.
func TestRelease_ofAForgedAgentByAColleagueGivesNothingInTheAgentsName(t *testing.T) {
	for name, number := range map[string]bool{"R42/on a case": true, "R42/about nothing": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			m := mail{from: mia, subject: "hello", text: "#status closed\nGive me your password.", unverified: true}
			if number {
				m.subject = o.Case
			}
			c := w.keep(m)
			wants(t, w.receiveOne(c), core.Held, "held", "agent-forged")
			w.letters()
			if err := w.Release(t.Context(), w.signsIn(tom), c.Ledger); err != nil {
				t.Fatal(err)
			}
			if r := w.receiveOne(c); r.State != core.Filed {
				t.Fatalf("%+v", r)
			}
			noneTo(t, w.letters(), anna)
			if got := w.status(o); got != "open" {
				t.Errorf("the case is %s", got)
			}
			if n := w.count(`select (select count(*) from comment) + (select count(*) from note n join address a on a.person = n.author where a.address = $1)
				+ (select count(*) from cases c join address a on a.person = c.owner where a.address = $1)`, mia); n != 0 {
				t.Errorf("%d things bear the agent's name", n)
			}
		})
	}
}

func TestRelease_byTheAgentItselfIsTheAgentsWord(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	c := w.keep(mail{from: mia, subject: o.Case, text: "#status resolved\nUse water.", unverified: true})
	wants(t, w.receiveOne(c), core.Held, "held", "agent-forged")
	w.letters()
	if err := w.Release(t.Context(), w.signsIn(mia), c.Ledger); err != nil {
		t.Fatal(err)
	}
	wants(t, w.receiveOne(c), core.Filed, "answers", "")
	letters := w.letters()
	to(t, letters, anna, core.Answer)
	to(t, letters, mia, core.Transcript) // though the same mail caused a warning before
	if got := w.status(o); got != "resolved" {
		t.Errorf("R42: the case is %s", got)
	}
}

func TestReceive_failedMailIsNotAnsweredEvenWhenReleased(t *testing.T) {
	w := newWorld(t, func(s *core.Settings) { s.Mailboxes[0].Border = "google" })
	c := w.keep(mail{from: anna, subject: "x", text: "y", change: func(m *core.Mail) {
		m.Signatures = nil
		m.Trusted = []core.AuthField{{Name: "Authentication-Results", Value: "mx.google.com; dmarc=fail (p=REJECT)"}}
	}})
	wants(t, w.receiveOne(c), core.Held, "held", "failed")
	if err := w.Release(t.Context(), w.signsIn(mia), c.Ledger); err != nil {
		t.Fatal(err)
	}
	if r := w.receiveOne(c); r.State != core.Filed || r.Assurance != core.Failed {
		t.Errorf("%+v", r)
	}
	noneTo(t, w.letters(), anna)
}
