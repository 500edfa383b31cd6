package core_test

import (
	"strings"
	"testing"

	"postern/core"
)

// Each class of R26, on a real case and without one.
func TestReceive_filesEachClassOfMail(t *testing.T) {
	empty := ""
	mark := func(change func(*core.Marks)) func(*core.Mail) { return func(m *core.Mail) { change(&m.Marks) } }
	for _, c := range []struct {
		name    string
		mail    mail
		known   bool // it names the case
		state   core.State
		outcome string
		reason  string
		event   string // the one it leaves on the case
		comment bool
		answers bool // customers get mail
		desk    bool // agents do
	}{
		{name: "an out-of-office reply on a case is an event", mail: mail{text: "I am away.", change: mark(func(k *core.Marks) { k.AutoSubmitted = "auto-replied" })},
			known: true, state: core.Filed, outcome: "event", event: "auto-reply"},
		{name: "an out-of-office reply about nothing is listed", mail: mail{change: mark(func(k *core.Marks) { k.AutoSubmitted = "auto-replied" })},
			state: core.Held, outcome: "held", reason: "automatic"},
		{name: "a read receipt on a case is an event", mail: mail{change: mark(func(k *core.Marks) { k.ReportType = "disposition-notification" })},
			known: true, state: core.Filed, outcome: "event", event: "receipt"},
		{name: "a list's mail is held though it names a case", mail: mail{change: mark(func(k *core.Marks) { k.List = true })},
			known: true, state: core.Held, outcome: "held", reason: "bulk"},
		{name: "a list's mail is held", mail: mail{change: mark(func(k *core.Marks) { k.Precedence = "bulk" })},
			state: core.Held, outcome: "held", reason: "bulk"},
		{name: "a machine's mail is a comment and unanswered", mail: mail{change: mark(func(k *core.Marks) { k.AutoSubmitted = "auto-generated" })},
			known: true, state: core.Filed, outcome: "joins", comment: true, desk: true},
		{name: "a machine's mail opens a case, unanswered", mail: mail{change: mark(func(k *core.Marks) { k.ReturnPath = &empty })},
			state: core.Filed, outcome: "opens a case", desk: true},
		{name: "From our own address without our mark is held", mail: mail{from: "support@desk.example"},
			known: true, state: core.Held, outcome: "held", reason: "own-address"},
		{name: "From our own address with a tag is held", mail: mail{from: "support+x@desk.example"},
			state: core.Held, outcome: "held", reason: "own-address"},
		{name: "a bounce of nothing of ours is kept and listed", mail: mail{from: "mailer-daemon@mx.example", change: mark(func(k *core.Marks) { k.ReturnPath = &empty })},
			known: true, state: core.Held, outcome: "held", reason: "bounce"},
		{name: "a person is answered", mail: mail{}, state: core.Filed, outcome: "opens a case", answers: true, desk: true},
		{name: "a person who wants no automatic answer gets none", mail: mail{change: mark(func(k *core.Marks) { k.Suppress = "All" })},
			state: core.Filed, outcome: "opens a case", desk: true},
	} {
		t.Run("R26/"+c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			if c.mail.from == "" {
				c.mail.from = anna
			}
			if c.known {
				c.mail.subject, c.mail.inReplyTo = "Re: ["+o.Case+"]", o.confirmation.MessageID
			}
			if c.mail.text == "" {
				c.mail.text = "close"
			}
			wants(t, w.receive(c.mail), c.state, c.outcome, c.reason)
			letters := w.letters()
			if got := len(letters) > 0; got != (c.answers || c.desk) {
				t.Errorf("%d letters", len(letters))
			}
			if !c.answers {
				noneTo(t, letters, c.mail.from)
			}
			if n := w.count(`select count(*) from comment where case_id = $1`, o.CaseID); (n == 1) != c.comment {
				t.Errorf("R28: %d comments", n)
			}
			if got := w.text(`select coalesce(string_agg(kind, ','), '') from event where case_id = $1 and kind <> 'opened'`, o.CaseID); got != c.event {
				t.Errorf("events %q, want %q", got, c.event)
			}
			if status := w.status(o); status != "open" {
				t.Errorf("R28: the case is now %s", status)
			}
			if v := w.signsIn(anna); c.event != "" {
				if events := w.entries(v, o.Case, "event"); len(events) != 1 {
					t.Errorf("the customer sees the desk's events: %d", len(events))
				}
			}
		})
	}
}

// What a machine writes never reopens, closes, wakes, answers or runs a word.
func TestReceive_whatAMachineWritesMovesNothing(t *testing.T) {
	for status, text := range map[string]string{"closed": "reopen", "resolved": "close", "need-input": "here it is", "on-hold": "wake up"} {
		for name, change := range map[string]func(*core.Mail){
			"perhaps a machine": func(m *core.Mail) { m.Marks.AutoSubmitted = "auto-generated" },
			"an auto-reply":     func(m *core.Mail) { m.Marks.AutoReply = true },
		} {
			t.Run("R28/"+name+" on "+status, func(t *testing.T) {
				w := newWorld(t, nil)
				o := w.opens(mail{from: anna})
				w.receive(mail{from: mia, subject: o.Case, text: "#status " + status + "\nSo it is."})
				w.letters()
				if got := w.status(o); got != status {
					t.Fatalf("the case is %s", got)
				}
				r := w.receive(mail{from: anna, subject: o.Case, text: text, change: change})
				if got := w.status(o); got != status || r.State != core.Filed {
					t.Errorf("the case is now %s; %+v", got, r)
				}
				if n := w.count(`select count(*) from cases`); n != 1 {
					t.Errorf("%d cases", n)
				}
			})
		}
	}
}

// An agent's forwarding rule or cron job is no proof of what the agent wants.
func TestReceive_anAgentsMachineRunsNoCommand(t *testing.T) {
	t.Run("R28/an agent's machine runs no command", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		r := w.receive(mail{from: mia, subject: o.Case, text: "#status resolved\nDone.", to: o.mia.ReplyTo,
			change: func(m *core.Mail) { m.Marks.AutoSubmitted = "auto-generated" }})
		if got := w.status(o); got != "open" || r.Outcome != "note" {
			t.Errorf("R28: the case is %s; %+v", got, r)
		}
		noneTo(t, w.letters(), anna)
	})
}

func TestReceive_ourOwnMailThatComesBackIsAnEvent(t *testing.T) {
	for name, back := range map[string]func(core.Letter, *core.Mail){
		"known by its Message-ID": func(l core.Letter, m *core.Mail) { m.MessageID = l.MessageID },
		"known by its loop token": func(l core.Letter, m *core.Mail) { m.Marks.Loop = l.Loop },
	} {
		t.Run("R26/"+name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			r := w.receive(mail{from: "support@desk.example", subject: "Re: " + o.Case, text: "our own words",
				change: func(m *core.Mail) { back(o.confirmation, m) }})
			wants(t, r, core.Filed, "event: our own mail", "")
			if letters := w.letters(); len(letters) != 0 {
				t.Errorf("R27: %d letters answer our own mail", len(letters))
			}
			if n := w.count(`select count(*) from event where case_id = $1 and kind = 'own-mail' and internal`, o.CaseID); n != 1 {
				t.Errorf("%d events", n)
			}
		})
	}
}

func TestReceive_aStrangersLoopFieldIsIgnored(t *testing.T) {
	w := newWorld(t, nil)
	for _, field := range []string{"guess 1", "", "abcdefghijklmnop2345 1", " "} {
		r := w.receive(mail{from: anna, subject: "x", text: field, change: func(m *core.Mail) { m.Marks.Loop = field }})
		wants(t, r, core.Filed, "opens a case", "")
	}
}

func TestReceive_aDeskThatTakesListsAsPeople(t *testing.T) {
	t.Run("R27/a list that the desk takes as people is not answered", func(t *testing.T) {
		w := newWorld(t, nil)
		w.apply(t, func(s string) string { return replace(t, s, `bulk = "held"`, `bulk = "human"`) })
		r := w.receive(mail{from: anna, subject: "x", text: "y", change: func(m *core.Mail) { m.Marks.List = true }})
		if r.Outcome != "opens a case" {
			t.Errorf("R26: %+v", r)
		}
		noneTo(t, w.letters(), anna) // R27: still no human's mail
	})
}

func TestReceive_limitsOfAWholeMail(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*core.Mail)
		reason string
		told   bool
	}{
		{"R17/too large is held and told", func(m *core.Mail) { m.HeaderOnly, m.Size = true, 60<<20 }, "too-large", true},
		{"R17/two authors are held", func(m *core.Mail) { m.From = append(m.From, core.Address{Address: carl}) }, "from", false},
		{"R17/no author is held", func(m *core.Mail) { m.From = nil }, "from", false},
		{"R17/51 Received fields are a loop", func(m *core.Mail) { m.Marks.Received = 51 }, "loop", false},
		{"R72/marked spam is held", func(m *core.Mail) { m.Marks.Spam = true }, "spam", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			m := w.keep(mail{from: anna, subject: "x", text: "y", change: c.change})
			wants(t, w.receiveOne(m), core.Held, "held", c.reason)
			wants(t, w.receiveOne(m), core.Held, "was at its end before", "")
			letters := w.letters()
			if c.told {
				l := to(t, letters, anna, core.TooLarge)
				if l.Number != "" || !l.Payload.Fixed || l.Payload.Title != "" || l.ReplyTo != "support@desk.example" {
					t.Errorf("R51: it repeats something: %+v", l)
				}
			} else if len(letters) != 0 {
				t.Errorf("%s to %s", letters[0].Kind, letters[0].To.Address)
			}
			if n := w.count(`select count(*) from cases`); n != 0 {
				t.Errorf("%d cases", n)
			}
		})
	}
}

// apply changes the running desk file.
func (w *world) apply(t testing.TB, change func(string) string) {
	t.Helper()
	source, _, err := w.DeskSource(t.Context(), "support")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ApplyDesk(t.Context(), "support", []byte(change(string(source))), nil, false); err != nil {
		t.Fatal(err)
	}
}

func replace(t testing.TB, s, old, new string) string {
	t.Helper()
	if !strings.Contains(s, old) {
		t.Fatalf("the desk file has no %q", old)
	}
	return strings.Replace(s, old, new, 1)
}
