package core_test

import (
	"testing"
	"time"

	"postern/core"
)

// bounces is a bounce of a letter with a status, sent to a bounce address or
// known by the returned Message-ID.
func bounces(l core.Letter, status, action string, byAddress bool) mail {
	empty := ""
	m := mail{from: "mailer-daemon@mx.northwind.example", subject: "Undeliverable", text: "It came back.", unverified: true}
	m.change = func(c *core.Mail) {
		c.Marks.ReturnPath = &empty
		c.Marks.ReportType = "delivery-status"
		c.Report = &core.Report{ReturnedID: l.MessageID,
			Recipients: []core.ReportRecipient{{Address: l.To.Address, Action: action, Status: status, Diagnostic: "smtp; 550 " + status}}}
		if byAddress {
			c.To = []core.Address{{Address: "support+b-" + l.Loop[:20] + "@desk.example"}}
			c.Delivered = nil
			c.Report.ReturnedID = ""
			c.Report.Recipients[0].Address = ""
		}
	}
	return m
}

func TestReceive_aBounceIsAnEventOnItsCase(t *testing.T) {
	for _, c := range []struct {
		name       string
		status     string
		action     string
		byAddress  bool
		suppressed bool
	}{
		{"R54/by its bounce address", "5.1.1", "failed", true, true},
		{"R54/by the returned Message-ID", "5.1.1", "failed", false, true},
		{"R54/5.1.10 suppresses", "5.1.10", "failed", false, true},
		{"R54/5.2.1 suppresses", "5.2.1", "failed", false, true},
		{"R54/a full mailbox does not", "5.2.2", "failed", false, false},
		{"R54/4.x.x never does", "4.4.1", "delayed", true, false},
		{"R54/a delay of a dead address does not yet", "5.1.1", "delayed", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			wants(t, w.receive(bounces(o.confirmation, c.status, c.action, c.byAddress)), core.Filed, "event: a bounce", "")
			if n := w.count(`select count(*) from event where case_id = $1 and kind = 'bounce' and internal and became = $2`, o.CaseID, c.status); n != 1 {
				t.Errorf("%d events", n)
			}
			if n := w.count(`select count(*) from address where address = $1 and suppressed_at is not null`, anna); (n == 1) != c.suppressed {
				t.Errorf("suppressed: %d", n)
			}
			letters := w.letters()
			if len(letters) != 0 {
				t.Errorf("R54: a confirmation's bounce tells %s %s", letters[0].To.Address, letters[0].Kind)
			}
			if n := w.count(`select (select count(*) from cases) - 1 + (select count(*) from comment) + (select count(*) from note)`); n != 0 {
				t.Errorf("R54: it wrote %d things", n)
			}
			if got := w.status(o); got != "open" {
				t.Errorf("R54: the case is %s", got)
			}
		})
	}
}

func TestReceive_aBounceOfAPersonsTextReturnsToTheAgent(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	answer := w.answers(o, "Use water.")
	w.receive(bounces(answer, "5.1.1", "failed", true))
	letters := w.letters()
	l := to(t, letters, mia, core.NoticeBounce)
	if l.Text != "Use water." || l.Payload.Actor != anna || l.Payload.Reason == "" {
		t.Errorf("R54: the agent reads %q, %+v", l.Text, l.Payload)
	}
	noneTo(t, letters, tom, anna)
}

func TestReceive_aBounceOnAClosedCaseReopensNothing(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	answer := w.answers(o, "#status closed\nBye.")
	w.receive(bounces(answer, "5.1.1", "failed", false))
	if got := w.status(o); got != "closed" {
		t.Errorf("R54: the case is %s", got)
	}
}

// Anybody can write a bounce: one that names no mail of ours, or another
// recipient than it had, suppresses nobody.
func TestReceive_aForgedBounceSuppressesNobody(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	for name, change := range map[string]func(*core.Mail){
		"for another recipient": func(m *core.Mail) { m.Report.Recipients[0].Address = carl },
		"of an unknown id":      func(m *core.Mail) { m.Report.ReturnedID = "guess@desk.example" },
		"of no id":              func(m *core.Mail) { m.Report.ReturnedID = "" },
		"without a report":      func(m *core.Mail) { m.Report = nil },
		"to a guessed address": func(m *core.Mail) {
			m.Report.ReturnedID = ""
			m.To[0].Address = "support+b-aaaaaaaaaaaaaaaaaaaa@desk.example"
		},
		"of a customer's own mail": func(m *core.Mail) { m.Report.ReturnedID = "1@client.example" },
	} {
		m := bounces(o.confirmation, "5.1.1", "failed", false)
		m.change = chain(m.change, change)
		wants(t, w.receive(m), core.Held, "held", "bounce")
		if n := w.count(`select count(*) from address where suppressed_at is not null`); n != 0 {
			t.Errorf("R54/%s: %d addresses are suppressed", name, n)
		}
		w.Clock.Advance(time.Second)
	}
}

func TestReceive_aBounceSuppressesUntilAVerifiedMail(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	w.receive(bounces(o.confirmation, "5.1.1", "failed", true))
	w.receive(mail{from: anna, subject: "unverified", text: "x", unverified: true})
	noneTo(t, w.letters(), anna)
	w.receive(mail{from: anna, subject: "verified", text: "x"})
	to(t, w.letters(), anna, core.Confirmation)
}
