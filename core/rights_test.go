package core_test

import (
	"strings"
	"testing"
	"time"

	"postern/core"
)

func TestReceive_whoMayJoin(t *testing.T) {
	failed := func(m *core.Mail) {
		m.Signatures = nil
		m.Trusted = []core.AuthField{{Name: "Authentication-Results", Value: "mx.google.com; dmarc=fail (p=REJECT)"}}
	}
	for _, c := range []struct {
		name    string
		mail    mail
		outcome string
		marks   string
		own     bool // opens a case of its own instead
	}{
		{"R36/the requester, verified, joins", mail{from: anna}, "joins", "", false},
		{"R36/the requester, unknown, joins and is marked", mail{from: anna, unverified: true}, "joins", "unverified", false},
		{"R36/a colleague by domain joins by a verified mail", mail{from: bob}, "joins", "", false},
		{"R71/a colleague by domain opens a case of their own until verified", mail{from: bob, unverified: true}, "opens a case", "", true},
		{"R36/a customer of another company opens a case of their own", mail{from: carl}, "opens a case", "", true},
		{"R36/a stranger with a real number opens a case of their own", mail{from: eve}, "opens a case", "", true},
		{"R36/a stranger whom nothing verifies too", mail{from: eve, unverified: true}, "opens a case", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, func(s *core.Settings) { s.Mailboxes[0].Border = "google" })
			o := w.opens(mail{from: anna})
			c.mail.subject, c.mail.text, c.mail.inReplyTo = "Re: ["+o.Case+"] Printer on fire", "more", o.confirmation.MessageID
			r := w.receive(c.mail)
			wants(t, r, core.Filed, c.outcome, "")
			if (r.CaseID != o.CaseID) != c.own {
				t.Errorf("filed in case %d, the one it names is %d", r.CaseID, o.CaseID)
			}
			if got := w.text(`select coalesce(string_agg(array_to_string(marks, ' '), ','), '') from comment`); got != c.marks {
				t.Errorf("marks %q, want %q", got, c.marks)
			}
			if n := w.count(`select count(*) from cases where linked = $1`, o.CaseID); (n == 1) != c.own {
				t.Errorf("%d linked cases", n)
			}
		})
	}
	t.Run("R36/the requester, failed, is held and not answered", func(t *testing.T) {
		w := newWorld(t, func(s *core.Settings) { s.Mailboxes[0].Border = "google" })
		o := w.opens(mail{from: anna})
		wants(t, w.receive(mail{from: anna, subject: o.Case, text: "close", to: o.confirmation.ReplyTo, change: failed}), core.Held, "held", "failed")
		if letters := w.letters(); len(letters) != 0 {
			t.Errorf("R41: %d letters", len(letters))
		}
		if got := w.status(o); got != "open" {
			t.Errorf("the case is %s", got)
		}
	})
}

// A colleague whose domain is known, and whom nobody has seen before, may read
// and join by their first verified mail; they are somebody from then on.
func TestReceive_aNewColleagueWhoJoinsIsSomebody(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	wants(t, w.receive(mail{from: bob, name: "Bob", subject: o.Case, text: "me too"}), core.Filed, "joins", "")
	if n := w.count(`select count(*) from member m join address a on a.person = m.person where a.address = $1 and m.by = 'domain'`, bob); n != 1 {
		t.Errorf("R71: %d memberships", n)
	}
	if n := w.count(`select count(*) from participant p join address a on a.person = p.person where a.address = $1 and p.case_id = $2`, bob, o.CaseID); n != 1 {
		t.Errorf("R38: %d participations", n)
	}
	if got := w.entries(w.signsIn(bob), o.Case, "comment"); len(got) != 1 || got[0] != "me too" {
		t.Errorf("Bob sees %q", got)
	}
}

func TestReceive_aNewColleagueOnADeskThatHoldsUnknownPeopleIsHeld(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	w.apply(t, func(s string) string { return replace(t, s, `unknown = "opens"`, `unknown = "held"`) })
	r := w.receive(mail{from: bob, subject: o.Case, text: "me too"})
	wants(t, r, core.Held, "held", "unknown, Northwind")
	to(t, w.letters(), bob, core.HeldAnswer)
	if n := w.count(`select count(*) from comment`); n != 0 {
		t.Errorf("R71: %d comments", n)
	}
}

// A stranger's evidence of any kind opens a case whose confirmation differs in
// nothing from that of any new case (R37).
func TestReceive_anOutsidersAnswerTellsNothing(t *testing.T) {
	for _, c := range []struct {
		name  string
		names func(opened, *mail)
	}{
		{"by the number", func(o opened, m *mail) { m.subject = "Printer [" + o.Case + "]" }},
		{"by a customer's reply token", func(o opened, m *mail) { m.to = o.confirmation.ReplyTo }},
		{"by an agent's reply token", func(o opened, m *mail) { m.to = o.mia.ReplyTo }},
		{"by an agent's internal token", func(o opened, m *mail) { m.to = o.mia.Internal }},
		{"by our Message-ID", func(o opened, m *mail) { m.inReplyTo = o.confirmation.MessageID }},
		{"by a customer's Message-ID", func(o opened, m *mail) { m.inReplyTo = "1@client.example" }},
		{"by References", func(o opened, m *mail) {
			m.change = func(c *core.Mail) { c.References = []string{"x@y", o.mia.MessageID} }
		}},
	} {
		for _, from := range []string{eve, carl} {
			t.Run("R36/"+c.name+" from "+from, func(t *testing.T) {
				w := newWorld(t, nil)
				o := w.opens(mail{from: anna})
				plain := w.opens(mail{from: "other@" + from[strings.IndexByte(from, '@')+1:], subject: "Printer"})
				m := mail{from: from, subject: "Printer", text: "It burns."}
				c.names(o, &m)
				r := w.receive(m)
				wants(t, r, core.Filed, "opens a case", "")
				letters := w.letters()
				l := to(t, letters, from, core.Confirmation)
				if len(letters) != 3 {
					t.Errorf("R37: %d letters", len(letters))
				}
				a, b := l.Payload, plain.confirmation.Payload
				a.Title, b.Title = "", ""
				if a.Company != b.Company || a.Fixed != b.Fixed || a.Status != b.Status || a.Means != b.Means || len(a.Words) != len(b.Words) ||
					len(a.Links) != len(b.Links) || len(l.References) > 1 || l.Automatic != plain.confirmation.Automatic {
					t.Errorf("R37: %+v\ndiffers from %+v", l, plain.confirmation)
				}
				if l.Number == o.Case {
					t.Errorf("R37: the answer names %s", l.Number)
				}
				own := w.signsIn(from)
				view, err := w.Case(t.Context(), own, l.Number)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range view.Entries {
					if strings.Contains(e.Was+e.Became+e.Why+e.Text, o.Case) && !strings.Contains(m.subject, o.Case) {
						t.Errorf("R36: the stranger sees the link: %+v", e)
					}
				}
				linked := false
				for _, e := range w.view(mia, l.Number).Entries {
					linked = linked || e.Event == "perhaps-about" && e.Became == o.Case
				}
				if !linked {
					t.Error("R36: agents see no link")
				}
				if n := w.count(`select count(*) from comment where case_id = $1`, o.CaseID); n != 0 {
					t.Errorf("R35: %d comments on the case", n)
				}
			})
		}
	}
}

// view is a case as an address sees it.
func (w *world) view(address, number string) core.CaseView {
	w.t.Helper()
	v, err := w.Case(w.t.Context(), w.signsIn(address), number)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func TestReceive_aLeakedTokenGivesNothing(t *testing.T) {
	for name, m := range map[string]mail{
		"R35/to a stranger":                       {from: eve, text: "close"},
		"R35/to a customer of another company":    {from: carl, text: "cancel"},
		"R42/to somebody who says to be an agent": {from: tom, text: "#status closed\nBye.", unverified: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			for _, address := range []string{o.confirmation.ReplyTo, o.mia.ReplyTo, o.mia.Internal} {
				m.to, m.subject, m.text = address, "Re: Printer", m.text+" "
				r := w.receive(m)
				if r.CaseID == o.CaseID {
					t.Errorf("filed in the case: %+v", r)
				}
			}
			if got := w.status(o); got != "open" {
				t.Errorf("the case is %s", got)
			}
			if n := w.count(`select (select count(*) from comment where case_id = $1) + (select count(*) from note where case_id = $1)`, o.CaseID); n != 0 {
				t.Errorf("%d entries", n)
			}
			noneTo(t, w.letters(), anna)
		})
	}
}

func TestReceive_whatNamesTwoOrganisationsIsHeld(t *testing.T) {
	w := newWorld(t, nil)
	one, two := w.opens(mail{from: anna}), w.opens(mail{from: carl})
	r := w.receive(mail{from: mia, subject: one.Case, inReplyTo: two.mia.MessageID, text: "Which?"})
	wants(t, r, core.Held, "held", "two-organisations")
	noneTo(t, w.letters(), anna, carl)
}

// Anna may see nothing of Carl's case: it is not weighed, and hers is joined.
func TestReceive_aNumberOfAnotherCompanyBesideOnesOwnIsNotWeighed(t *testing.T) {
	w := newWorld(t, nil)
	one, two := w.opens(mail{from: anna}), w.opens(mail{from: carl})
	r := w.receive(mail{from: anna, subject: "[" + two.Case + "] [" + one.Case + "]", text: "more"})
	wants(t, r, core.Filed, "joins", "")
	if r.CaseID != one.CaseID {
		t.Errorf("R34: filed in case %d, not %d", r.CaseID, one.CaseID)
	}
}

func TestReceive_anExpiredTokenNamesNothing(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	w.Clock.Advance(89 * 24 * time.Hour)
	wants(t, w.receive(mail{from: anna, subject: "hello", text: "one", to: o.confirmation.ReplyTo}), core.Filed, "joins", "")
	w.Clock.Advance(2 * 24 * time.Hour)
	wants(t, w.receive(mail{from: anna, subject: "hello", text: "two", to: o.confirmation.ReplyTo}), core.Filed, "opens a case", "")
}

func TestReceive_repliesGoToStoredAddressesOnly(t *testing.T) {
	w := newWorld(t, nil)
	r := w.receive(mail{from: anna, subject: "x", text: "y", unverified: true, change: func(m *core.Mail) {
		m.ReplyTo = []core.Address{{Address: eve}}
		m.Cc = []core.Address{{Address: carl}, {Address: bob}}
	}})
	wants(t, r, core.Filed, "opens a case", "")
	letters := w.letters()
	to(t, letters, anna, core.Confirmation)
	noneTo(t, letters, eve, carl, bob)
	if n := w.count(`select count(*) from participant`); n != 0 {
		t.Errorf("R38: %d participants by Cc", n)
	}
}

func TestReceive_aDeskOfOwnCasesShowsColleaguesNothing(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	w.opens(mail{from: bob})
	w.apply(t, func(s string) string { return replace(t, s, `sees = "organisation"`, `sees = "own"`) })
	r := w.receive(mail{from: bob, subject: o.Case, text: "me too"})
	if r.Outcome != "opens a case" || r.CaseID == o.CaseID {
		t.Errorf("R36: %+v", r)
	}
	w.exec(`update member set role = 'power' where person = (select person from address where address = $1)`, bob)
	wants(t, w.receive(mail{from: bob, subject: o.Case, text: "me again"}), core.Filed, "joins", "")
}
