package core_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"postern/core"
)

func TestReceive_spamIsHeldUnansweredAndListed(t *testing.T) {
	auto := func(m *core.Mail) { m.Marks.AutoSubmitted, m.Marks.Spam = "auto-replied", true }
	for _, c := range []struct {
		name, border string
		change       func(*core.Mail)
		held         bool
	}{
		{"X-Spam-Flag or X-Spam-Status holds", "none", func(m *core.Mail) { m.Marks.Spam = true }, true},
		{"Exchange's level of 5 holds behind Exchange", "microsoft365", scl("5"), true},
		{"Exchange's level of 9 holds behind Exchange", "microsoft365", scl(" 9 "), true},
		{"Exchange's level of 4 does not", "microsoft365", scl("4"), false},
		{"Exchange's level of -1 does not", "microsoft365", scl("-1"), false},
		{"a level that is no number does not", "microsoft365", scl("high"), false},
		{"Exchange's level means nothing behind another border", "none", scl("9"), false},
		{"spam that names a case and calls itself an auto-reply is held too", "none", auto, true},
	} {
		t.Run("R72/"+c.name, func(t *testing.T) {
			w := newWorld(t, func(s *core.Settings) { s.Mailboxes[0].Border = c.border })
			o := w.opens(mail{from: anna})
			r := w.receive(mail{from: carl, subject: o.Case, text: "Buy!", inReplyTo: o.confirmation.MessageID, change: c.change})
			letters := w.letters()
			if !c.held {
				if r.State != core.Filed {
					t.Errorf("%+v", r)
				}
				return
			}
			wants(t, r, core.Held, "held", "spam")
			if len(letters) != 0 {
				t.Errorf("%s to %s", letters[0].Kind, letters[0].To.Address)
			}
			page, err := w.HeldMail(t.Context(), w.signsIn(mia), core.HeldQuery{})
			lines := page.Mails
			if err != nil || len(lines) != 1 || lines[0].Reason != "spam" {
				t.Errorf("the list: %+v, %v", lines, err)
			}
		})
	}
}

func scl(level string) func(*core.Mail) {
	return func(m *core.Mail) {
		m.Trusted = append(m.Trusted, core.AuthField{Name: "X-MS-Exchange-Organization-SCL", Value: level})
	}
}

func TestReceive_spamByCommandEndsACaseWithoutAWord(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	r := w.receive(fromMia(o, "#spam\nThe usual pills.", false))
	letters := w.letters()
	t.Run("R72/the case is rejected", func(t *testing.T) {
		wants(t, r, core.Filed, "note", "")
		if got := w.text(`select class from cases where id = $1`, o.CaseID); got != "rejected" {
			t.Errorf("it is %s", got)
		}
	})
	t.Run("R72/the customer hears nothing, and the text is a note", func(t *testing.T) {
		noneTo(t, letters, anna)
		if n := w.count(`select count(*) from comment`); n != 0 {
			t.Errorf("%d comments", n)
		}
		to(t, letters, mia, core.Transcript)
	})
	t.Run("R72/#status undoes it", func(t *testing.T) {
		back := fromMia(o, "#status open", false)
		back.id = "undo@desk.example"
		w.receive(back)
		if got := w.status(o); got != "open" {
			t.Errorf("it is %s", got)
		}
	})
	t.Run("R72/the next mail of the sender is filed as ever", func(t *testing.T) {
		w.opens(mail{from: anna, subject: "A second one"})
	})
	for text, want := range map[string]string{
		"#spam now":               "#spam now: no-words #spam",
		"#spam\n#status resolved": "#status resolved: twice status #spam",
		"#block anna":             "no-words",
		"#unblock anna@x.example": "no-words",
		"Hello\n#spam":            "#spam: stands-first",
		"#spamm":                  "no-command #spam",
	} {
		t.Run("R72/a block with a mistake changes nothing: "+strings.ReplaceAll(text, "\n", " / "), func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			w.receive(fromMia(o, text, false))
			if got := w.status(o); got != "open" || w.count(`select count(*) from person where blocked_at is not null`) != 0 {
				t.Errorf("the case is %s", got)
			}
			l := to(t, w.letters(), mia, core.Transcript)
			if !strings.Contains(tells(l), want) {
				t.Errorf("%q", tells(l))
			}
		})
	}
	t.Run("R72/a customer's #spam is text", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		w.receive(mail{from: anna, subject: o.Case, text: "#spam\n#block", to: o.confirmation.ReplyTo})
		if got := w.status(o); got != "open" || w.count(`select count(*) from person where blocked_at is not null`) != 0 {
			t.Errorf("the case is %s", got)
		}
	})
}

func TestReceive_blockHoldsTheSendersLaterMail(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	w.receive(fromMia(o, "#spam\n#block", false))
	noneTo(t, w.letters(), anna)
	t.Run("R72/later mail is held, unanswered and listed", func(t *testing.T) {
		wants(t, w.receive(mail{from: anna, subject: "More pills", text: "x"}), core.Held, "held", "blocked")
		wants(t, w.receive(mail{from: anna, subject: o.Case, text: "y", change: func(m *core.Mail) { m.Marks.AutoSubmitted = "auto-replied" }}), core.Held, "held", "blocked")
		if l := w.letters(); len(l) != 0 {
			t.Errorf("%s to %s", l[0].Kind, l[0].To.Address)
		}
		page, err := w.HeldMail(t.Context(), w.signsIn(mia), core.HeldQuery{})
		lines := page.Mails
		if err != nil || len(lines) != 2 {
			t.Errorf("%+v, %v", lines, err)
		}
	})
	t.Run("R72/others' mail is not", func(t *testing.T) { w.opens(mail{from: bob, subject: "Mine"}) })
	t.Run("R72/#unblock undoes it", func(t *testing.T) {
		undo := fromMia(o, "#unblock", false)
		undo.id = "undo@desk.example"
		w.receive(undo)
		if l := to(t, w.letters(), mia, core.Transcript); !strings.Contains(tells(l), "unblocked") {
			t.Errorf("%q", tells(l))
		}
		w.opens(mail{from: anna, subject: "Sorry"})
	})
	t.Run("R72/an agent's own case blocks no agent", func(t *testing.T) {
		r := w.receive(mail{from: mia, subject: "My own", text: "x"})
		w.letters()
		w.receive(mail{from: mia, subject: "Re: [" + r.Case + "]", text: "#block"})
		if n := w.count(`select count(*) from person where blocked_at is not null`); n != 0 {
			t.Error("an agent is blocked")
		}
	})
}

func TestBlock_byAddressAndFromTheHeldMail(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	t.Run("R72/an address that nobody knows yet can be blocked, and unblocked", func(t *testing.T) {
		if err := w.Block(ctx, " Eve@Evil.example "); err != nil {
			t.Fatal(err)
		}
		if c, err := w.Contact(ctx, eve); err != nil || c.Blocked == nil || c.Cases != 0 {
			t.Errorf("%+v, %v", c, err)
		}
		wants(t, w.receive(mail{from: eve, subject: "x", text: "y"}), core.Held, "held", "blocked")
		if err := w.Unblock(ctx, eve); err != nil {
			t.Fatal(err)
		}
		w.opens(mail{from: eve, subject: "z"})
		if err := w.Unblock(ctx, eve); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("twice: %v", err)
		}
	})
	for name, address := range map[string]string{"an agent": mia, "a service address": "support@desk.example", "no address": "eve", "a plus address of ours": "support+x@desk.example"} {
		t.Run("R72/not to be blocked: "+name, func(t *testing.T) {
			if err := w.Block(ctx, address); err == nil {
				t.Error("it is")
			}
		})
	}
	t.Run("R72/an agent blocks the sender of a held mail by a press", func(t *testing.T) {
		m := w.keep(mail{from: carl, subject: "pills", text: "y", change: func(m *core.Mail) { m.Marks.Spam = true }})
		w.receiveOne(m)
		for who, v := range map[string]core.Viewer{"a customer": w.signsIn(eve), "nobody": {}} {
			if err := w.BlockSender(ctx, v, m.Ledger, true); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("R63/%s: %v", who, err)
			}
		}
		v := w.signsIn(mia)
		if err := w.BlockSender(ctx, v, m.Ledger, true); err != nil {
			t.Fatal(err)
		}
		view, err := w.HeldMailView(ctx, v, m.Ledger)
		if err != nil || !view.Blocked || view.Barred {
			t.Errorf("%+v, %v", view, err)
		}
		wants(t, w.receive(mail{from: carl, subject: "more", text: "y"}), core.Held, "held", "blocked")
		if err := w.BlockSender(ctx, v, m.Ledger, false); err != nil {
			t.Fatal(err)
		}
		w.opens(mail{from: carl, subject: "sorry"})
	})
	t.Run("R72/a held mail says that its sender cannot be blocked", func(t *testing.T) {
		for name, x := range map[string]mail{
			"an agent":           {from: mia, subject: "forged", unverified: true},
			"a service address":  {from: "support@desk.example", subject: "a form"},
			"nobody in its From": {from: carl, subject: "two", change: func(m *core.Mail) { m.From = nil }},
		} {
			m := w.keep(x)
			w.receiveOne(m)
			v := w.signsIn(mia)
			if view, err := w.HeldMailView(ctx, v, m.Ledger); err != nil || !view.Barred {
				t.Errorf("%s: %+v, %v", name, view, err)
			}
			if err := w.BlockSender(ctx, v, m.Ledger, true); !errors.Is(err, core.ErrNotAllowed) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("R55/a suppressed address is let go again on a person's word", func(t *testing.T) {
		o := w.opens(mail{from: bob, subject: "bounces"})
		w.receive(bounces(o.confirmation, "5.1.1", "failed", true))
		if c, err := w.Contact(ctx, bob); err != nil || c.Suppressed == nil || !strings.Contains(c.Reason, "5.1.1") {
			t.Errorf("%+v, %v", c, err)
		}
		if err := w.Unsuppress(ctx, bob); err != nil {
			t.Fatal(err)
		}
		w.receive(mail{from: bob, subject: "again", text: "x", unverified: true})
		to(t, w.letters(), bob, core.Confirmation)
		if err := w.Unsuppress(ctx, bob); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("twice: %v", err)
		}
	})
}

// Junk is a second folder of the same mailbox.
func TestReceive_aMailTakenOutOfJunkByHandIsFiled(t *testing.T) {
	for _, c := range []struct {
		name  string
		later time.Duration // the server gave it another time of arrival
		mark  bool          // its header says spam, too
		want  core.State
	}{
		{"is filed as not spam", 0, false, core.Filed},
		{"is filed though its header says spam", 0, true, core.Filed},
		{"is filed where the server gave it another time of arrival", time.Hour, false, core.Filed},
		{"with another time of arrival is judged by its header", time.Hour, true, core.Held},
	} {
		t.Run("R72/a mail taken out of junk by hand "+c.name, func(t *testing.T) {
			w := newWorld(t, func(s *core.Settings) { s.Mailboxes[0].Junk = "Junk" })
			inbox := w.mb
			var err error
			if w.mb, err = w.OpenMailbox(t.Context(), "support", "Junk", time.Time{}); err != nil {
				t.Fatal(err)
			}
			w.lease()
			at := w.Clock.Now()
			m := mail{from: anna, subject: "Printer", text: "It burns.", id: "same@client.example", change: func(m *core.Mail) { m.Marks.Spam = c.mark; m.Received = at }}
			junk := w.keep(m)
			wants(t, w.receiveOne(junk), core.Held, "held", "spam")
			w.Clock.Advance(c.later)
			at = at.Add(c.later)
			w.exec(`update ledger set received_at = $1 where id = $2`, junk.Received, junk.Ledger)
			w.mb = inbox
			r := w.receive(m)
			if r.State != c.want {
				t.Fatalf("%+v", r)
			}
			if got := w.text(`select state || ' ' || told from ledger where id = $1`, junk.Ledger); got != "duplicate true" {
				t.Errorf("the row in junk is %s", got)
			}
			if n := w.count(`select count(*) from cases`); (n == 1) != (c.want == core.Filed) {
				t.Errorf("%d cases", n)
			}
		})
	}
	t.Run("R72/a mail that lies in junk after it was filed is a duplicate", func(t *testing.T) {
		w := newWorld(t, func(s *core.Settings) { s.Mailboxes[0].Junk = "Junk" })
		m := mail{from: anna, subject: "Printer", text: "It burns.", id: "same@client.example"}
		w.receive(m)
		var err error
		if w.mb, err = w.OpenMailbox(t.Context(), "support", "Junk", time.Time{}); err != nil {
			t.Fatal(err)
		}
		w.lease()
		wants(t, w.receive(m), core.Duplicate, "duplicate", "")
	})
	t.Run("R72/a blocked sender stays blocked", func(t *testing.T) {
		w := newWorld(t, func(s *core.Settings) { s.Mailboxes[0].Junk = "Junk" })
		if err := w.Block(t.Context(), eve); err != nil {
			t.Fatal(err)
		}
		inbox := w.mb
		var err error
		if w.mb, err = w.OpenMailbox(t.Context(), "support", "Junk", time.Time{}); err != nil {
			t.Fatal(err)
		}
		w.lease()
		m := mail{from: eve, subject: "x", text: "y", id: "same@client.example"}
		w.receive(m)
		w.mb = inbox
		wants(t, w.receive(m), core.Held, "held", "blocked")
	})
}

// What an agent's address is blocked for is held on every desk, their own among
// them.
func TestReceive_noAgentIsBlocked(t *testing.T) {
	w := twoDesks(t)
	w.exec(`insert into agent (person, desk, role) select a.person, d.id, 'agent' from address a, desk d where a.address = $1 and d.key = 'hr' on conflict do nothing`, tom)
	w.exec(`delete from agent where person = (select person from address where address = $1) and desk = (select id from desk where key = 'support')`, tom)
	asked := w.receive(mail{from: tom, subject: "My printer", text: "It burns."})
	wants(t, asked, core.Filed, "opens a case", "")
	t.Run("R72/an agent of another desk is not blocked by command", func(t *testing.T) {
		r := w.receive(mail{from: mia, subject: "[" + asked.Case + "]", text: "#block"})
		wants(t, r, core.Filed, "commands refused", "")
		if n := w.count(`select count(*) from person where blocked_at is not null`); n != 0 {
			t.Error("blocked")
		}
	})
	t.Run("R72/who became an agent since is heard", func(t *testing.T) {
		w.exec(`update person set blocked_at = now() where id = (select person from address where address = $1)`, tom)
		wants(t, w.receive(mail{from: tom, subject: "For hr", text: "x", to: "hr@desk.example"}), core.Filed, "opens a case", "")
		wants(t, w.receive(mail{from: tom, subject: "For support", text: "x"}), core.Held, "held", "blocked")
	})
}

// Everybody can write an automatic answer that names a case: agents see by whose
// address, and a name only if it is proved.
func TestReceive_anAutomaticAnswerSaysWhoseItIs(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna, name: "Anna Berg"})
	auto := func(m *core.Mail) { m.Marks.AutoSubmitted = "auto-replied" }
	for name, c := range map[string]struct {
		m     mail
		actor int64
	}{
		"a stranger's has the stranger's address":       {mail{from: eve, name: "Anna Berg"}, 0},
		"a forged one has the address, and no name":     {mail{from: anna, unverified: true}, 0},
		"a verified one has the name of its author too": {mail{from: anna}, 1},
	} {
		t.Run("R26/"+name, func(t *testing.T) {
			c.m.subject, c.m.text, c.m.change = "Away: "+o.Case, "I am away "+name, auto
			r := w.receive(c.m)
			wants(t, r, core.Filed, "event", "")
			if n := w.count(`select count(*) from event where case_id = $1 and kind = 'auto-reply' and internal and was = $2 and why = $3
				and (actor is not null) = ($4 = 1)`, o.CaseID, c.m.from, c.m.text, c.actor); n != 1 {
				t.Errorf("%d such events", n)
			}
		})
	}
}
