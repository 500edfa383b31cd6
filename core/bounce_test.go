package core_test

import (
	"fmt"
	"strings"
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
			if n := w.count(`select count(*) from event where case_id = $1 and kind = $3 and internal and became = $2`, o.CaseID, c.status, map[string]string{"delayed": "delayed", "failed": "bounce"}[c.action]); n != 1 {
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

// Two agents wrote within the minute, and the customer was to get one mail.
func TestReceive_aMailOfTwoAgentsThatFailsReturnsToBoth(t *testing.T) {
	for name, fail := range map[string]func(*world, core.Letter){
		"R54/a bounce": func(w *world, l core.Letter) { w.receive(bounces(l, "5.1.1", "failed", true)) },
		"R60/a refusal": func(w *world, l core.Letter) {
			w.exec(`update outbox set state = 'sending', holder = 'a' where id = $1`, l.ID)
			w.ends("a", l, core.Permanent, "550 5.1.1 no such user")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(s *core.Settings) { s.Gather = time.Minute })
			o := w.opens(mail{from: anna})
			w.receive(fromMia(o, "Use water.", false))
			w.receive(mail{from: tom, subject: "Re: " + o.Case, to: o.tom.ReplyTo, inReplyTo: o.tom.MessageID, text: "Or oil."})
			w.Clock.Advance(2 * time.Minute)
			l := to(t, w.letters(), anna, core.Answer)
			if len(l.Texts) != 2 {
				t.Fatalf("%q", l.Texts)
			}
			fail(w, l)
			letters := w.letters()
			to(t, letters, mia, core.NoticeBounce)
			to(t, letters, tom, core.NoticeBounce)
		})
	}
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
		t.Run("R54/a forged bounce "+name+" is held and suppresses nobody", func(t *testing.T) {
			m := bounces(o.confirmation, "5.1.1", "failed", false)
			m.change = chain(m.change, change)
			wants(t, w.receive(m), core.Held, "held", "bounce")
			if n := w.count(`select (select count(*) from address where suppressed_at is not null) + (select count(*) from event where kind = 'bounce')`); n != 0 {
				t.Errorf("%d effects", n)
			}
		})
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

func TestReceive_bouncesAreCountedByAddress(t *testing.T) {
	suppressed := func(w *world) bool {
		return w.count(`select count(*) from address where address = $1 and suppressed_at is not null`, anna) == 1
	}
	for _, c := range []struct {
		name    string
		said    []string // status and action of one bounce after another, a day apart
		want    bool
		between time.Duration
	}{
		{"two failures suppress nobody", []string{"5.2.2 failed", "5.7.1 failed"}, false, 24 * time.Hour},
		{"three failures of any kind within 7 days suppress", []string{"5.2.2 failed", "5.7.1 failed", "5.0.0 failed"}, true, 24 * time.Hour},
		{"three failures over more than 7 days do not", []string{"5.2.2 failed", "5.2.2 failed", "5.2.2 failed"}, false, 4 * 24 * time.Hour},
		{"delays never count", []string{"4.2.2 delayed", "5.2.2 delayed", "4.4.7 delayed", "5.2.2 failed"}, false, time.Hour},
		{"4.x.x never counts, even when it was given up", []string{"4.4.7 failed", "4.4.7 failed", "4.4.7 failed", "4.4.7 failed"}, false, time.Hour},
		{"what arrived never counts", []string{"2.0.0 delivered", "2.1.5 relayed", "2.1.5 expanded", "5.2.2 failed"}, false, time.Hour},
	} {
		t.Run("R54/"+c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			for i, said := range c.said {
				status, action, _ := strings.Cut(said, " ")
				m := bounces(o.confirmation, status, action, false)
				m.id = fmt.Sprintf("b%d@mx.example", i)
				m.text = said + fmt.Sprint(i)
				wants(t, w.receive(m), core.Filed, "event: a bounce", "")
				w.Clock.Advance(c.between)
			}
			if suppressed(w) != c.want {
				t.Errorf("suppressed: %v", suppressed(w))
			}
		})
	}
	t.Run("R54/another's failures do not count", func(t *testing.T) {
		w := newWorld(t, nil)
		a, b := w.opens(mail{from: anna}), w.opens(mail{from: carl})
		for i := range 3 {
			m := bounces([]opened{a, b, b}[i].confirmation, "5.2.2", "failed", false)
			m.text = fmt.Sprint(i)
			w.receive(m)
			w.Clock.Advance(time.Minute)
		}
		if n := w.count(`select count(*) from address where suppressed_at is not null`); n != 0 {
			t.Errorf("%d addresses are suppressed", n)
		}
	})
}

func TestReceive_whatABounceSaysIsReadWithCare(t *testing.T) {
	for _, c := range []struct {
		name       string
		byAddress  bool
		change     func(*core.Report)
		suppressed bool
		told       bool // the agent whose text it was
	}{
		{"the code in the other server's words counts where the status is a general one", false, func(r *core.Report) {
			r.Recipients[0].Status, r.Recipients[0].Diagnostic = "5.0.0", "550 5.1.1 User unknown"
		}, true, true},
		{"a code of another class does not", false, func(r *core.Report) {
			r.Recipients[0].Status, r.Recipients[0].Diagnostic = "4.0.0", "550 5.1.1 User unknown"
		}, false, true},
		{"an address in numbers is no code", false, func(r *core.Report) {
			r.Recipients[0].Status, r.Recipients[0].Diagnostic = "5.0.0", "host 5.1.1.9 said no"
		}, false, true},
		{"the address that was written to is found behind the final one", false, func(r *core.Report) {
			r.Recipients[0].Original, r.Recipients[0].Address = anna, "a.berg@int.northwind.example"
		}, true, true},
		{"among several the one whose letter it was is meant", true, func(r *core.Report) {
			r.Recipients = []core.ReportRecipient{{Address: carl, Action: "failed", Status: "5.2.2"}, {Address: anna, Action: "failed", Status: "5.1.1"}}
		}, true, true},
		{"an alias that failed behind a bounce address counts for the letter's recipient", true, func(r *core.Report) {
			r.Recipients = []core.ReportRecipient{{Address: "x@a.example", Action: "delivered", Status: "2.0.0"}, {Address: "y@b.example", Action: "failed", Status: "5.1.1"}}
		}, true, true},
		{"a mail that was delivered is no failure", true, func(r *core.Report) {
			r.Recipients[0].Action, r.Recipients[0].Status = "delivered", "2.0.0"
		}, false, false},
		{"a mail that was relayed with a failing code is no failure", true, func(r *core.Report) {
			r.Recipients[0].Action, r.Recipients[0].Status = "relayed", "5.1.1"
		}, false, false},
		{"a report that says nothing at a bounce address is an event", true, func(r *core.Report) { r.Recipients = nil }, false, false},
	} {
		t.Run("R54/"+c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			m := bounces(w.answers(o, "Use water."), "5.1.1", "failed", c.byAddress)
			m.change = chain(m.change, func(x *core.Mail) { c.change(x.Report) })
			wants(t, w.receive(m), core.Filed, "event: a bounce", "")
			if n := w.count(`select count(*) from address where address = $1 and suppressed_at is not null`, anna); (n == 1) != c.suppressed {
				t.Errorf("suppressed: %d", n)
			}
			if n := w.count(`select count(*) from address where address <> $1 and suppressed_at is not null`, anna); n != 0 {
				t.Errorf("%d others are suppressed", n)
			}
			if told := len(kinds(w.letters(), core.NoticeBounce)) == 1; told != c.told {
				t.Errorf("the agent was told: %v", told)
			}
		})
	}
	t.Run("R54/only a bounce by class has effects", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		m := bounces(o.confirmation, "5.1.1", "failed", false)
		m.from = anna
		m.change = chain(m.change, func(x *core.Mail) { x.Marks.ReportType, x.Marks.ReturnPath = "", &x.From[0].Address })
		w.receive(m)
		if n := w.count(`select (select count(*) from address where suppressed_at is not null) + (select count(*) from event where kind = 'bounce')`); n != 0 {
			t.Errorf("%d effects", n)
		}
	})
	t.Run("R54/a bounce of a daemon without an address is filed", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		m := bounces(o.confirmation, "5.1.1", "failed", true)
		m.change = chain(m.change, func(x *core.Mail) { x.From, x.Marks.Daemon, x.Marks.ReportType = nil, true, "" })
		wants(t, w.receive(m), core.Filed, "event: a bounce", "")
	})
}

func TestAlarms_tellOfAnAgentsMailThatCameBack(t *testing.T) {
	for status, want := range map[string]string{"5.1.1": "gets no mail", "5.2.2": "came back: 5.2.2"} {
		t.Run("R55/the operator hears of an agent's "+status, func(t *testing.T) {
			w := newWorld(t, func(s *core.Settings) { s.Operator = []string{"op@desk.example"} })
			o := w.opens(mail{from: anna})
			w.receive(bounces(o.mia, status, "failed", true))
			lines, err := w.Alarms(t.Context())
			if err != nil || !strings.Contains(strings.Join(lines, "\n"), mia+" "+want) {
				t.Errorf("%q, %v", lines, err)
			}
			to(t, w.letters(), "op@desk.example", core.Alarm)
			w.Clock.Advance(2 * time.Hour)
			lines, err = w.Alarms(t.Context())
			if err != nil || strings.Contains(strings.Join(lines, "\n"), mia) != (status == "5.1.1") {
				t.Errorf("two hours later: %q, %v", lines, err)
			}
		})
	}
}
