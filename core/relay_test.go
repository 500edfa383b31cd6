package core_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// withRelays is a world whose desk file names relays.
func withRelays(t *testing.T, change func(*core.Settings)) *world {
	t.Helper()
	w := newWorld(t, change)
	source := bytes.Replace(coretest.DefaultDesk(t), []byte("\n[[status]]"), []byte(`
[[relay]]
from = "form@www.example"
requester = "reply-to"

[[relay]]
from = "support@desk.example"
requester = "x-original-from"
list_id = "support.desk.example"

[[relay]]
from = "monitor@ops.example"
requester = "from"

[[relay]]
from = "crew@desk.example"
requester = "from"
list_id = "crew.desk.example"

[[status]]`), 1)
	if _, err := w.ApplyDesk(t.Context(), "support", source, nil, false); err != nil {
		t.Fatal(err)
	}
	return w
}

// form is a mail of the web form for somebody.
func form(who string) mail {
	return mail{from: "form@www.example", name: "Contact form", subject: "Printer", text: "It burns.",
		change: func(m *core.Mail) { m.ReplyTo = []core.Address{{Name: "Anna Berg", Address: who}} }}
}

// group is a mail of a Google group in front of the mailbox.
func group(who string) mail {
	return mail{from: "support@desk.example", name: "Anna via Support", subject: "Printer", text: "It burns.", unverified: true,
		change: func(m *core.Mail) {
			m.Original = []core.Address{{Address: who}}
			m.ReplyTo = []core.Address{{Address: who}}
			m.Marks.List, m.Marks.ListID, m.Marks.Precedence = true, "<support.desk.example>", "list"
		}}
}

func TestReceive_aRelaySpeaksForAnother(t *testing.T) {
	list := func(m *core.Mail) {
		m.Marks.List, m.Marks.ListID, m.Marks.Precedence = true, "Crew <CREW.desk.example>", "list"
	}
	for _, c := range []struct {
		name string
		m    mail
		who  string
	}{
		{"a verified web form's Reply-To is the requester", form(anna), anna},
		{"a group in front of the mailbox is known by its List-Id", group(anna), anna},
		{"a list that leaves From as it was is known by its List-Id", mail{from: anna, subject: "x", text: "y", change: list}, anna},
		{"a monitor asks for itself", mail{from: "monitor@ops.example", subject: "Disk full", text: "y"}, "monitor@ops.example"},
	} {
		t.Run("R73/"+c.name, func(t *testing.T) {
			w := withRelays(t, nil)
			r := w.receive(c.m)
			if r.Outcome != "opens a case" || r.Assurance != core.Unknown {
				t.Fatalf("%+v", r)
			}
			if got := w.text(`select a.address from cases c join address a on a.person = c.requester where c.id = $1`, r.CaseID); got != c.who {
				t.Errorf("the requester is %s", got)
			}
			l := to(t, w.letters(), c.who, core.Confirmation)
			if !l.Payload.Fixed {
				t.Error("R51: the confirmation repeats what a stranger wrote")
			}
			if n := w.count(`select count(*) from person where verified_at is not null and id in (select person from address where address = $1)`, c.who); n != 0 {
				t.Error("R31: a relay verified somebody")
			}
		})
	}
	for _, c := range []struct {
		name    string
		m       mail
		state   core.State
		outcome string
		reason  string
	}{
		{"an unverified form without its List-Id is the form's own mail", func() mail { m := form(anna); m.unverified = true; return m }(), core.Filed, "opens a case", ""},
		{"a form that names nobody is held", with(form(anna), func(m *core.Mail) { m.ReplyTo = nil }), core.Held, "held", "relay"},
		{"a form that names two is held", with(form(anna), func(m *core.Mail) { m.ReplyTo = append(m.ReplyTo, core.Address{Address: bob}) }), core.Held, "held", "relay"},
		{"a form that names itself is held", form("form@www.example"), core.Held, "held", "relay"},
		{"a form that names the desk is held", form("support@desk.example"), core.Held, "held", "relay"},
		{"a form that names an agent has no agent's powers", form(mia), core.Held, "held", "agent-forged"},
		{"a form that a person marked as spam is held", with(form(anna), func(m *core.Mail) { m.Marks.Spam = true }), core.Held, "held", "spam"},
		{"another list's mail is held as ever", with(group(anna), func(m *core.Mail) {
			m.From[0].Address, m.Marks.ListID, m.ReplyTo, m.Original = anna, "<other.example>", nil, nil
		}), core.Held, "held", "bulk"},
		{"an own address without the list is held as ever", with(group(anna), func(m *core.Mail) { m.Marks = core.Marks{}; m.Original, m.ReplyTo = nil, nil }), core.Held, "held", "own-address"},
	} {
		t.Run("R73/"+c.name, func(t *testing.T) {
			w := withRelays(t, nil)
			r := w.receive(c.m)
			wants(t, r, c.state, c.outcome, c.reason)
			if n := w.count(`select count(*) from address where address = $1`, anna); n != 0 {
				t.Errorf("%s was made a contact", anna)
			}
		})
	}
	t.Run("R73/a forged relay is nobody's", func(t *testing.T) {
		w := withRelays(t, func(s *core.Settings) { s.Mailboxes[0].Border = "google" })
		m := with(group(anna), func(m *core.Mail) {
			m.Trusted = []core.AuthField{{Name: "Authentication-Results", Value: "mx.google.com; dmarc=fail (p=REJECT) header.from=desk.example"}}
		})
		wants(t, w.receive(m), core.Held, "held", "own-address")
	})
	t.Run("R73/it has no budget of new cases, and its people's confirmations have a stranger's", func(t *testing.T) {
		w := withRelays(t, func(s *core.Settings) {
			s.Budgets.CasesUnknown = []core.Window{{Count: 2, Within: time.Hour}}
			s.Budgets.ConfirmUnknown = []core.Window{{Count: 3, Within: time.Hour}}
		})
		w.opens(mail{from: anna}) // verified herself, which is no reason to mail her more
		sent := 1
		for i := range 6 {
			m := form(anna)
			m.subject = fmt.Sprint("Printer ", i)
			wants(t, w.receive(m), core.Filed, "opens a case", "")
			sent += len(kinds(w.letters(), core.Confirmation))
		}
		if sent != 3 {
			t.Errorf("%d confirmations", sent)
		}
	})
	t.Run("R73/a held mail of a relay is one when it is released, too", func(t *testing.T) {
		w := withRelays(t, nil)
		c := w.keep(with(form(anna), func(m *core.Mail) { m.Marks.Spam = true }))
		wants(t, w.receiveOne(c), core.Held, "held", "spam")
		if err := w.Release(t.Context(), w.signsIn(mia), c.Ledger); err != nil {
			t.Fatal(err)
		}
		c.Signatures, c.DKIM = nil, core.NotChecked // judged once
		r := w.receiveOne(c)
		wants(t, r, core.Filed, "opens a case", "")
		if got := w.text(`select a.address from cases c join address a on a.person = c.requester where c.id = $1`, r.CaseID); got != anna || r.Assurance != core.Unknown {
			t.Errorf("the requester is %s, %s", got, r.Assurance)
		}
	})
	t.Run("R73/an answer through the relay joins the person's case", func(t *testing.T) {
		w := withRelays(t, nil)
		r := w.receive(form(anna))
		m := form(anna)
		m.subject, m.text = "Re: ["+r.Case+"] Printer", "Still."
		wants(t, w.receive(m), core.Filed, "joins", "")
		m = form(carl)
		m.subject, m.text = "Re: ["+r.Case+"] Printer", "Mine."
		wants(t, w.receive(m), core.Filed, "opens a case", "")
	})
}

func TestReceive_whatLooksLikeARelaySaysWhatToWrite(t *testing.T) {
	for _, c := range []struct {
		name string
		m    mail
		want []string
	}{
		{"a group's List-Id and Reply-To", mail{from: carl, subject: "x", text: "y", change: func(m *core.Mail) {
			m.Marks.List, m.Marks.ListID = true, "<help.fabrikam.example>"
			m.ReplyTo = []core.Address{{Address: anna}}
		}}, []string{"bulk, ", `from = "carl@fabrikam.example", requester = "reply-to", list_id = "help.fabrikam.example"`}},
		{"an own address with another's Reply-To", mail{from: "support@desk.example", subject: "x", text: "y", change: func(m *core.Mail) {
			m.ReplyTo = []core.Address{{Address: anna}}
		}}, []string{"own-address, ", `from = "support@desk.example", requester = "reply-to"`}},
		{"X-Original-From", mail{from: "support@desk.example", subject: "x", text: "y", change: func(m *core.Mail) {
			m.Original = []core.Address{{Address: anna}}
		}}, []string{`requester = "x-original-from"`}},
		{"a list that answers to itself does not", mail{from: carl, subject: "x", text: "y", change: func(m *core.Mail) {
			m.Marks.List, m.Marks.ListID = true, "<help.fabrikam.example>"
			m.ReplyTo = []core.Address{{Address: carl}}
		}}, nil},
		{"a newsletter does not", mail{from: carl, subject: "x", text: "y", change: func(m *core.Mail) {
			m.Marks.List = true
			m.ReplyTo = []core.Address{{Address: anna}}
		}}, nil},
	} {
		t.Run("R73/"+c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			r := w.receive(c.m)
			if r.State != core.Held {
				t.Fatalf("%+v", r)
			}
			for _, want := range c.want {
				if !strings.Contains(r.Reason, want) {
					t.Errorf("no %s in %s", want, r.Reason)
				}
			}
			if c.want == nil && strings.Contains(r.Reason, "[[relay]]") {
				t.Errorf("%s", r.Reason)
			}
		})
	}
}

func with(m mail, change func(*core.Mail)) mail {
	m.change = chain(m.change, change)
	return m
}

// A web form lets everybody write any address into Reply-To. Its own signature
// was judged before the desk file named it, and must prove nobody else.
func TestReceive_aRelayThatIsNamedLaterVerifiesNobody(t *testing.T) {
	for _, who := range []string{anna, mia} {
		t.Run("R73/held mail of a relay that the desk file names since proves nothing of "+who, func(t *testing.T) {
			w := newWorld(t, nil)
			c := w.keep(with(form(who), func(m *core.Mail) { m.Marks.Spam = true }))
			wants(t, w.receiveOne(c), core.Held, "held", "spam")
			w.apply(t, func(s string) string {
				return replace(t, s, "\n[[status]]", "\n[[relay]]\nfrom = \"form@www.example\"\nrequester = \"reply-to\"\n\n[[status]]")
			})
			if err := w.Release(t.Context(), w.signsIn(tom), c.Ledger); err != nil {
				t.Fatal(err)
			}
			w.exec(`update person set verified_at = null`)
			c.Signatures, c.DKIM = nil, core.NotChecked // judged once
			if r := w.receiveOne(c); r.State != core.Filed || r.Assurance != core.Unknown {
				t.Errorf("%+v", r)
			}
			if n := w.count(`select count(*) from person where verified_at is not null`); n != 0 {
				t.Errorf("%d people are verified", n)
			}
		})
	}
}
