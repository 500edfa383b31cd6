package core_test

import (
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// Whoever gets a signed mail of an agent, written to anybody, may hand it to
// the desk: the signature holds, and Message-ID, In-Reply-To, To and Cc are
// theirs to choose where they are not signed.
func TestReceive_aSignedMailOfAnAgentSentOnByOthers(t *testing.T) {
	open := func(m *core.Mail) {
		for i := range m.Signatures {
			m.Signatures[i].ToOpen = true
		}
	}
	written := func(to ...string) func(*core.Mail) {
		return func(m *core.Mail) {
			m.To = nil
			for _, a := range to {
				m.To = append(m.To, core.Address{Address: a})
			}
		}
	}
	dmarc := func(m *core.Mail) {
		m.Signatures = nil
		m.Trusted = []core.AuthField{{Name: "Authentication-Results", Value: "mx.google.com; dmarc=pass header.from=desk.example"}}
	}
	for _, c := range []struct {
		name   string
		token  bool // delivered to a live reply address of the agent, which leaked
		change func(*core.Mail)
		state  core.State
		result string
		reason string
	}{
		{"written to somebody else it is held", false, written(eve), core.Held, "held", "agent-elsewhere"},
		{"delivered to a leaked reply address it waits for the agent's word", true, written(eve), core.Held, "note, waits", "agent-unproved"},
		{"with the desk put into an unsigned To it is held", false, open, core.Held, "held", "agent-elsewhere"},
		{"with the desk put into an unsigned Cc it is held", false, chain(written(eve), cc("support@desk.example"), open), core.Held, "held", "agent-elsewhere"},
		{"a second signature that holds less takes nothing away", false, func(m *core.Mail) {
			m.Signatures = append([]core.Signature{m.Signatures[0]}, m.Signatures...)
			m.Signatures[0].ToOpen = true
		}, core.Filed, "answers", ""},
		{"somebody else's closed signature adds nothing", false, func(m *core.Mail) {
			open(m)
			m.Signatures = append(m.Signatures, core.Signature{Domain: "evil.example", Org: "evil.example", Valid: true, Covers: true})
		}, core.Held, "held", "agent-elsewhere"},
		{"a border that vouches is believed if the desk stands in To", false, dmarc, core.Filed, "answers", ""},
		{"and not if it does not", false, chain(dmarc, written(eve)), core.Held, "held", "agent-elsewhere"},
		{"written to the desk in Cc it is proved", false, chain(written(anna), cc("Support@desk.example", "support@desk.example")), core.Filed, "answers", ""},
		{"an address of the desk beyond the fortieth is not seen", false, func(m *core.Mail) {
			m.To = nil
			for range 40 {
				m.To = append(m.To, core.Address{Address: eve})
			}
			m.Cc = []core.Address{{Address: "support@desk.example"}}
		}, core.Held, "held", "agent-elsewhere"},
	} {
		t.Run("R42/"+c.name, func(t *testing.T) {
			w := newWorld(t, func(s *core.Settings) { s.Mailboxes[0].Border = "google" })
			o := w.opens(mail{from: anna})
			m := mail{from: mia, subject: "Re: [" + o.Case + "]", text: "Use water.", change: c.change}
			if c.token {
				m.change = chain(c.change, func(m *core.Mail) { m.Delivered = []string{o.mia.ReplyTo} })
			}
			wants(t, w.receive(m), c.state, c.result, c.reason)
			letters := w.letters()
			if c.state == core.Held {
				noneTo(t, letters, anna)
				if got := w.status(o); got != "open" {
					t.Errorf("the case is %s", got)
				}
			}
			if c.reason == "agent-elsewhere" {
				if l := to(t, letters, mia, core.Warning); l.Payload.Reason != "agent-elsewhere" {
					t.Errorf("the warning: %q", l.Payload.Reason)
				}
			}
		})
	}
}

func TestReceive_aSignedMailSentAgain(t *testing.T) {
	hash := func(s string) func(*core.Mail) {
		return func(m *core.Mail) { copy(m.Hash[:], s) }
	}
	t.Run("R5/the same mail is a duplicate", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		m := fromMia(o, "#status closed\nBye.", false)
		m.id = "one@agents.example"
		wants(t, w.receive(m), core.Filed, "answers", "")
		w.letters()
		wants(t, w.receive(mail{from: anna, subject: o.Case, text: "reopen"}), core.Filed, "reopens", "")
		w.letters()
		wants(t, w.receive(m), core.Duplicate, "duplicate", "")
		if got := w.status(o); got == "closed" {
			t.Error("it closed the case again")
		}
	})
	t.Run("R42/the same text and Date under another Message-ID waits", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		m := fromMia(o, "#status closed\nBye.", false)
		m.change = hash("the same")
		wants(t, w.receive(m), core.Filed, "answers", "")
		w.letters()
		wants(t, w.receive(mail{from: anna, subject: o.Case, text: "reopen"}), core.Filed, "reopens", "")
		w.letters()
		wants(t, w.receive(m), core.Held, "note, waits", "agent-unproved")
		if got := w.status(o); got == "closed" {
			t.Error("it closed the case again")
		}
		m.to = ""
		wants(t, w.receive(m), core.Held, "held", "agent-forged")
	})
	t.Run("R42/with other spaces under another Message-ID it waits, too", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		gist := func(m *core.Mail) { copy(m.Gist[:], "the same") }
		m := fromMia(o, "#status closed\nBye.", false)
		m.change = chain(hash("one"), gist)
		wants(t, w.receive(m), core.Filed, "answers", "")
		w.letters()
		wants(t, w.receive(mail{from: anna, subject: o.Case, text: "reopen"}), core.Filed, "reopens", "")
		w.letters()
		m.change = chain(hash("two"), gist)
		wants(t, w.receive(m), core.Held, "note, waits", "agent-unproved")
		m.change = chain(hash("three"), gist, func(m *core.Mail) { m.MessageID = "" })
		wants(t, w.receive(m), core.Held, "note, waits", "agent-unproved")
		noneTo(t, w.letters(), anna)
		if got := w.status(o); got == "closed" {
			t.Error("it closed the case again")
		}
		t.Run("R42/what nothing proved is no reason to doubt the mail itself", func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			m := fromMia(o, "Use water.", true)
			m.change = chain(hash("one"), gist)
			wants(t, w.receive(m), core.Held, "note, waits", "agent-unproved")
			m.unverified, m.change = false, chain(hash("two"), gist)
			wants(t, w.receive(m), core.Filed, "answers", "")
		})
	})
	t.Run("R42/with another text under the same Message-ID it is a variant and no mail", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		m := fromMia(o, "Use water.", false)
		m.id = "one@agents.example"
		wants(t, w.receive(m), core.Filed, "answers", "")
		w.letters()
		m.text = "#status closed\nUse oil."
		wants(t, w.receive(m), core.Filed, "note, a variant", "")
		noneTo(t, w.letters(), anna)
	})
	t.Run("R45/a customer's binding word sent again binds nobody", func(t *testing.T) {
		w := newWorld(t, nil)
		o, answer := w.resolved()
		m := mail{from: anna, subject: o.Case, text: "close", change: hash("close")}
		wants(t, w.receive(m), core.Filed, "joins and moves to closed", "")
		wants(t, w.receive(mail{from: anna, subject: o.Case, text: "reopen"}), core.Filed, "reopens", "")
		w.receive(fromMia(o, "#status resolved\nNow?", false))
		w.letters()
		r := w.receive(m)
		if got := w.status(o); got != "resolved" {
			t.Errorf("%+v: the case is %s", r, got)
		}
		_ = answer
	})
	t.Run("R42/eight days later it is held for its Date", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		at := w.Clock.Now()
		w.Clock.Advance(8 * 24 * time.Hour)
		wants(t, w.receive(mail{from: mia, subject: o.Case, text: "Use water.", change: func(m *core.Mail) { m.Date = at }}), core.Held, "held", "agent-forged")
		noneTo(t, w.letters(), anna)
	})
}

func TestReceive_aTokenAsProofIsGoodForItsCaseAlone(t *testing.T) {
	w := newWorld(t, nil)
	w.apply(t, func(s string) string { return replace(t, s, `agent_proof = "verified"`, `agent_proof = "token"`) })
	one, two := w.opens(mail{from: anna}), w.opens(mail{from: anna, subject: "Another"})
	for name, change := range map[string]func(*core.Mail){
		"a colleague's token before it names another case": func(m *core.Mail) {
			m.Delivered = []string{two.tom.ReplyTo}
			m.To = []core.Address{{Address: two.tom.ReplyTo}, {Address: one.mia.ReplyTo}}
		},
		"a customer's token before it too": func(m *core.Mail) {
			m.Delivered = []string{two.confirmation.ReplyTo}
			m.Cc = []core.Address{{Address: one.mia.ReplyTo}}
			m.To = nil
		},
	} {
		t.Run("R42/"+name, func(t *testing.T) {
			r := w.receive(mail{from: mia, subject: "Re", text: "Use water " + name, unverified: true, change: change})
			if r.State != core.Held {
				t.Errorf("%+v", r)
			}
			noneTo(t, w.letters(), anna)
		})
	}
	t.Run("R42/and opens no case, for nobody", func(t *testing.T) {
		r := w.receive(mail{from: mia, subject: "Fwd: x", text: "x", unverified: true, change: forwards("x", carl, "y")})
		wants(t, r, core.Held, "held", "agent-forged")
	})
	t.Run("R42/and invites nobody", func(t *testing.T) {
		m := fromMia(one, "Use water.", true)
		m.change = cc(bob, zed)
		wants(t, w.receive(m), core.Filed, "answers", "")
		if got := w.participants(one) + w.proposed(one); got != "" {
			t.Errorf("invited or proposed: %s", got)
		}
	})
}

func TestReceive_rightsAreThoseOfNow(t *testing.T) {
	t.Run("R44/an agent who was removed after the notice is a stranger", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		w.exec(`delete from agent where person = (select person from address where address = $1)`, mia)
		r := w.receive(fromMia(o, "#status closed\nBye.", false))
		wants(t, r, core.Filed, "opens a case", "")
		if r.CaseID == o.CaseID || w.status(o) != "open" {
			t.Errorf("%+v, the case is %s", r, w.status(o))
		}
		noneTo(t, w.letters(), anna)
	})
	t.Run("R44/a question answered by an agent who was removed gives them nothing", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		waiting := w.waits(o, "#status closed\nBye.")
		question := to(t, w.letters(), mia, core.Question)
		w.exec(`delete from agent where person = (select person from address where address = $1)`, mia)
		if err := w.PressQuestion(t.Context(), secret(t, question), nil); err != nil {
			t.Fatal(err)
		}
		r := w.receiveOne(waiting)
		if r.CaseID == o.CaseID || w.status(o) != "open" {
			t.Errorf("%+v, the case is %s", r, w.status(o))
		}
		noneTo(t, w.letters(), anna)
	})
	t.Run("R33/a token is good as long as the person may see the case", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		wants(t, w.receive(mail{from: bob, subject: o.Case, text: "me too"}), core.Filed, "joins", "")
		w.letters()
		w.receive(fromMia(o, "Use water.", false))
		l := to(t, w.letters(), bob, core.Answer)
		wants(t, w.receive(mail{from: bob, subject: "Re", to: l.ReplyTo, text: "thanks"}), core.Filed, "joins", "")
		w.exec(`delete from participant where person = (select person from address where address = $1)`, bob)
		w.exec(`update member set organisation = (select id from organisation where name = 'Fabrikam') where person = (select person from address where address = $1)`, bob)
		r := w.receive(mail{from: bob, subject: "Re", to: l.ReplyTo, text: "close"})
		wants(t, r, core.Filed, "opens a case", "")
		if r.CaseID == o.CaseID {
			t.Error("filed in the case")
		}
	})
	t.Run("R44/a customer here who is an agent elsewhere is a customer here", func(t *testing.T) {
		w := newWorld(t, func(s *core.Settings) {
			s.Mailboxes = append(s.Mailboxes, core.MailboxSettings{Name: "sales", Desk: "sales", Addresses: []string{"sales@desk.example"}, Border: "none"})
		})
		if err := w.EnsureDesk(t.Context(), "sales", []byte(replace(t, string(coretest.DefaultDesk(t)), `prefix = "CASE"`, `prefix = "SALE"`))); err != nil {
			t.Fatal(err)
		}
		if err := w.AddAgent(t.Context(), "sales", anna, "Anna", "admin"); err != nil {
			t.Fatal(err)
		}
		o := w.opens(mail{from: anna})
		r := w.receive(mail{from: anna, subject: o.Case, text: "#status closed\nBye.", to: o.confirmation.ReplyTo})
		wants(t, r, core.Filed, "joins", "")
		if got := w.status(o); got != "open" {
			t.Errorf("the case is %s", got)
		}
		sale := w.receive(mail{from: carl, subject: "Buy", text: "x", to: "sales@desk.example"})
		notice := to(t, w.letters(), anna, core.NoticeNew)
		r = w.receive(mail{from: anna, subject: "Re", text: "Cheap.", change: func(m *core.Mail) {
			m.Delivered = []string{"support@desk.example"}
			m.To = []core.Address{{Address: notice.ReplyTo}}
		}})
		if r.CaseID == sale.CaseID {
			t.Errorf("R34: a token of another desk named a case here: %+v", r)
		}
	})
}

// A customer's signed mail, written to somebody else, can be handed to us like
// an agent's.
func TestReceive_aSignedMailOfACustomerSentOnByOthers(t *testing.T) {
	elsewhere := func(m *core.Mail) { m.To = []core.Address{{Address: eve}} }
	unsignedTo := func(m *core.Mail) { m.Signatures[0].ToOpen = true }
	for _, c := range []struct {
		name    string
		number  bool // in the subject
		change  func(*core.Mail)
		outcome string
		status  string
	}{
		{"written to somebody else it binds nobody", false, elsewhere, "joins", "resolved"},
		{"with the desk put into an unsigned To neither", false, unsignedTo, "joins", "resolved"},
		{"with the number in its subject it does", true, unsignedTo, "joins and moves to closed", "closed"},
		{"written to the desk it does", false, nil, "joins and moves to closed", "closed"},
	} {
		t.Run("R45/"+c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o, answer := w.resolved()
			m := mail{from: anna, subject: "Re: Printer on fire", text: "close", inReplyTo: answer.MessageID, change: c.change}
			if c.number {
				m.subject = "Re: [" + o.Case + "] Printer on fire"
			}
			wants(t, w.receive(m), core.Filed, c.outcome, "")
			letters := w.letters()
			if got := w.status(o); got != c.status {
				t.Errorf("the case is %s", got)
			}
			if c.status == "resolved" {
				to(t, letters, anna, core.WordRefused)
			}
		})
	}
	t.Run("R39/its Reply-To, which need not be signed, is not used", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		w.receive(mail{from: anna, subject: "Hello", text: "Hello, Eve.", inReplyTo: o.confirmation.MessageID,
			change: chain(elsewhere, func(m *core.Mail) { m.ReplyTo = []core.Address{{Address: "nobody@northwind.example"}} })})
		w.letters()
		w.receive(fromMia(o, "Use water.", false))
		to(t, w.letters(), anna, core.Answer)
	})
	t.Run("R38/sent a second time it invites nobody", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		m := mail{from: anna, subject: o.Case, text: "Hello?", change: func(m *core.Mail) { copy(m.Hash[:], "the same") }}
		w.receive(m)
		m.change = chain(m.change, cc(bob))
		w.receive(m)
		if got := w.participants(o); got != "" {
			t.Errorf("participants: %s", got)
		}
	})
}
