package core_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"postern/core"
	"postern/core/coretest"
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

// holds keeps a mail that is held for a reason, and returns its row.
func (w *world) holds(m mail, reason string) core.Mail {
	w.t.Helper()
	c := w.keep(m)
	if r := w.receiveOne(c); r.State != core.Held || r.Reason != reason {
		w.t.Fatalf("held for %q: %+v", reason, r)
	}
	return c
}

func spam(m *core.Mail) { m.Marks.Spam = true }

// What an agent makes a case is one, whatever the mail is.
func TestReleaseAsCase_opensOneWhateverTheMailIs(t *testing.T) {
	empty := ""
	for _, c := range []struct {
		name     string
		mail     mail
		names    bool // it names Anna's case
		reason   string
		answered bool
	}{
		{"a stranger's mail", mail{from: eve, unverified: true, change: spam}, false, "spam", true},
		{"a list's mail", mail{from: eve, change: func(m *core.Mail) { m.Marks.List = true }}, false, "bulk", true},
		{"an automatic answer", mail{from: eve, change: func(m *core.Mail) { m.Marks.AutoReply = true }}, false, "automatic", false},
		{"a bounce of nothing", mail{from: "mailer-daemon@mx.example", change: func(m *core.Mail) { m.Marks.ReturnPath = &empty }}, false, "bounce", false},
		{"a mail that names a case", mail{from: anna, change: spam}, true, "spam", true},
		{"a forged mail in an agent's name", mail{from: mia, unverified: true, text: "#status closed\nx"}, true, "agent-forged", true},
	} {
		t.Run("R41/"+c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			c.mail.subject = "About this"
			if c.names {
				c.mail.subject = "About " + o.Case
			}
			m := w.holds(c.mail, c.reason)
			w.letters()
			if err := w.ReleaseAsCase(t.Context(), w.signsIn(tom), m.Ledger); err != nil {
				t.Fatal(err)
			}
			r := w.receiveOne(m)
			wants(t, r, core.Filed, "opens a case", "")
			letters := w.letters()
			if got := len(kinds(letters, core.Confirmation)) == 1; got != c.answered {
				t.Errorf("R27: answered: %v", got)
			}
			to(t, letters, tom, core.NoticeNew)
			if got := w.status(o); got != "open" {
				t.Errorf("the case it names is %s", got)
			}
			events := w.text(`select coalesce(string_agg(became, ','), '') from event where case_id = $1 and kind = 'perhaps-about'`, r.CaseID)
			if (events == o.Case) != c.names {
				t.Errorf("R36: perhaps about %q", events)
			}
			if says := fmt.Sprint(r.Trace); !strings.Contains(says, "Tom made it a case") {
				t.Errorf("whose word it was: %s", says)
			}
			if n := w.count(`select count(*) from person where verified_at is not null and id in (select person from address where address = $1)`, eve); n != 0 && c.mail.unverified {
				t.Error("R31: the word verified somebody")
			}
		})
	}
}

// What an agent attaches is a comment of its author: it moves nothing, makes
// nobody a participant, and is not answered.
func TestAttach_makesItACommentAndNothingElse(t *testing.T) {
	for _, c := range []struct {
		name       string
		mail       mail
		reason     string
		unverified bool
	}{
		{"an outsider's mail", mail{from: carl, change: spam}, "spam", false},
		{"a stranger's mail", mail{from: eve, name: "Anna Berg", unverified: true, change: spam}, "spam", true},
		{"its requester's mail from elsewhere", mail{from: "anna@home.example", unverified: true, change: spam}, "spam", true},
		{"an automatic answer", mail{from: eve, change: func(m *core.Mail) { m.Marks.AutoReply = true }}, "automatic", false},
	} {
		t.Run("R36/"+c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o, _ := w.resolved()
			w.letters()
			c.mail.subject, c.mail.text = "close", "close"
			m := w.holds(c.mail, c.reason)
			v := w.signsIn(tom)
			if err := w.Attach(t.Context(), v, m.Ledger, " case-10001 "); err != nil {
				t.Fatal(err)
			}
			r := w.receiveOne(m)
			wants(t, r, core.Filed, "attached", "")
			if r.CaseID != o.CaseID {
				t.Fatalf("on case %d", r.CaseID)
			}
			letters := w.letters()
			noneTo(t, letters, anna, c.mail.from, tom)
			to(t, letters, mia, core.NoticeComment)
			if got := w.status(o); got != "resolved" {
				t.Errorf("the case is %s", got)
			}
			marks := w.text(`select array_to_string(marks, ',') from comment c join address a on a.person = c.author where a.address = $1`, c.mail.from)
			if !strings.HasPrefix(marks, "attached") || strings.Contains(marks, "unverified") != c.unverified {
				t.Errorf("marks %q", marks)
			}
			if n := w.count(`select count(*) from participant p join address a on a.person = p.person where a.address = $1`, c.mail.from); n != 0 {
				t.Error("R38: its author is a participant")
			}
			if n := w.count(`select count(*) from event e join address a on a.person = e.actor where e.case_id = $1 and e.kind = 'attached' and a.address = $2`, o.CaseID, tom); n != 1 {
				t.Errorf("whose word it was: %d events", n)
			}
			if _, err := w.Case(t.Context(), w.signsInIfKnown(c.mail.from), o.Case); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("R63: its author sees the case: %v", err)
			}
			r = w.receive(mail{from: c.mail.from, subject: "[" + o.Case + "]", text: "more"})
			if r.CaseID == o.CaseID {
				t.Errorf("R36: its author may join from now on: %+v", r)
			}
		})
	}
}

// signsInIfKnown is who an address is to the pages, nobody if it may not sign
// in.
func (w *world) signsInIfKnown(address string) core.Viewer {
	w.t.Helper()
	w.letters()
	if err := w.RequestSignIn(w.t.Context(), address, "browser"); err != nil {
		w.t.Fatal(err)
	}
	letters := w.letters()
	if len(letters) == 0 {
		return core.Viewer{}
	}
	session, err := w.SignInByLink(w.t.Context(), secret(w.t, letters[0]), "browser", "Firefox")
	if err != nil {
		w.t.Fatal(err)
	}
	v, err := w.Session(w.t.Context(), session)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func TestAttach_inAnAgentsNameIsANoteOfNobody(t *testing.T) {
	for name, who := range map[string]string{"R42/by a colleague": tom, "R42/by the agent": mia} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			m := w.holds(mail{from: mia, subject: "hello", text: "#status closed\nGive me your password.", unverified: true}, "agent-forged")
			w.letters()
			if err := w.Attach(t.Context(), w.signsIn(who), m.Ledger, o.Case); err != nil {
				t.Fatal(err)
			}
			wants(t, w.receiveOne(m), core.Filed, "attached as a note", "")
			noneTo(t, w.letters(), anna)
			if n := w.count(`select (select count(*) from comment) + (select count(*) from note where author is not null)`); n != 0 || w.status(o) != "open" {
				t.Errorf("%d things bear the agent's name, the case is %s", n, w.status(o))
			}
		})
	}
}

func TestAttach_onlyToCasesOfItsDesk(t *testing.T) {
	w := twoDesks(t)
	o := w.opens(mail{from: anna})
	hr := w.receive(mail{from: anna, to: "hr@desk.example", subject: "x", text: "y"})
	w.letters()
	m := w.holds(mail{from: eve, change: spam, subject: "x", text: "z"}, "spam")
	v := w.signsIn(mia)
	for _, number := range []string{"", "nonsense", "CASE-99999", hr.Case, "10001-CASE", "CASE-" + strings.Repeat("9", 40), "CASE--1", o.Case + "\x00"} {
		t.Run(fmt.Sprintf("R63/%.20q", number), func(t *testing.T) {
			if err := w.Attach(t.Context(), v, m.Ledger, number); !errors.Is(err, core.ErrNoCase) {
				t.Errorf("%v", err)
			}
		})
	}
	if n := w.count(`select count(*) from ledger where state = 'held' and released_as = ''`); n != 1 {
		t.Error("a wrong number changed the row")
	}
}

// Of two agents one is first, and the other hears of it.
func TestHeldWords_twoAgentsAtOnce(t *testing.T) {
	t.Run("R41/one word counts", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		m := w.holds(mail{from: anna, subject: "x", text: "z", change: spam}, "spam")
		v, u := w.signsIn(mia), w.signsIn(tom)
		words := []func() error{
			func() error { return w.Refuse(t.Context(), u, m.Ledger) },
			func() error { return w.Attach(t.Context(), v, m.Ledger, o.Case) },
			func() error { return w.ReleaseAsCase(t.Context(), u, m.Ledger) },
			func() error { return w.Release(t.Context(), v, m.Ledger) },
		}
		errs := make(chan error, len(words))
		for _, word := range words {
			go func() { errs <- word() }()
		}
		first := 0
		for range words {
			switch err := <-errs; {
			case err == nil:
				first++
			case !errors.Is(err, core.ErrDecided):
				t.Error(err)
			}
		}
		if first != 1 {
			t.Errorf("%d words were taken", first)
		}
	})
}

func TestHeldWords_whatWouldNotHelpIsRefused(t *testing.T) {
	two := func(m *core.Mail) { m.From = append(m.From, core.Address{Address: bob}) }
	empty := ""
	for name, m := range map[string]mail{
		"R30/without one author nothing is filed": {from: anna, change: two},
		"R54/a bounce of nothing is not released": {from: "postmaster@mx.example", change: func(m *core.Mail) { m.Marks.ReturnPath = &empty }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			m.subject, m.text = "x", "y"
			c := w.keep(m)
			r := w.receiveOne(c)
			v := w.signsIn(mia)
			if err := w.Release(t.Context(), v, c.Ledger); !errors.Is(err, core.ErrNotAllowed) {
				t.Errorf("%s: %v", r.Reason, err)
			}
			view, err := w.HeldMailView(t.Context(), v, c.Ledger)
			if err != nil || view.May(core.ReleaseIt) || view.May(core.MakeCase) != (r.Reason == "bounce") || !view.May(core.RefuseIt) {
				t.Errorf("%+v, %v", view, err)
			}
		})
	}
}

func TestHeldMail_byKindOfWriter(t *testing.T) {
	t.Run("R41/people apart from machines and spam", func(t *testing.T) {
		w := newWorld(t, nil)
		w.apply(t, func(s string) string { return replace(t, s, `unknown = "opens"`, `unknown = "held"`) })
		w.holds(mail{from: bob, subject: "person", text: "x"}, "unknown, Northwind")
		w.holds(mail{from: eve, subject: "list", text: "x", change: func(m *core.Mail) { m.Marks.List = true }}, "bulk")
		w.holds(mail{from: eve, subject: "spam", text: "x", change: spam}, "spam")
		v := w.signsIn(mia)
		for kind, subject := range map[core.HeldKind]string{core.HeldPeople: "person", core.HeldMachines: "list", core.HeldSpam: "spam"} {
			page, err := w.HeldMail(t.Context(), v, core.HeldQuery{Kind: kind})
			if err != nil || len(page.Mails) != 1 || page.Mails[0].Subject != subject || page.Mails[0].Kind != kind || page.Count[kind] != 1 {
				t.Errorf("%s: %+v, %v", kind, page, err)
			}
		}
		page, err := w.HeldMail(t.Context(), v, core.HeldQuery{})
		if err != nil || len(page.Mails) != 3 || page.Mails[2].Code != "unknown" || page.Mails[2].Detail != "Northwind" {
			t.Errorf("%+v, %v", page, err)
		}
	})
}

// A stranger who names a case is answered like any stranger; agents see the
// link.
func TestHeld_perhapsAboutACase(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	w.apply(t, func(s string) string { return replace(t, s, `unknown = "opens"`, `unknown = "held"`) })
	v := w.signsIn(mia)
	ignored := regexp.MustCompile(`"(nonce|when)":"[^"]*"`)
	answers := map[string]string{}
	for name, subject := range map[string]string{"another's case": "[" + o.Case + "] hello", "no case": "[CASE-99999] hello", "nothing": "hello you"} {
		from := strings.ReplaceAll(name, " ", "-")[:5] + "@evil.example"
		m := w.holds(mail{from: from, subject: subject, text: "Please.", unverified: true}, "unknown")
		letters := w.letters()
		l := to(t, letters, from, core.HeldAnswer)
		payload, err := json.Marshal(l.Payload)
		if err != nil || len(letters) != 1 || l.Number != "" || l.Case != "" {
			t.Errorf("R37/%s: %+v, %v", name, letters, err)
		}
		answers[ignored.ReplaceAllString(string(payload), "")] = name
		view, err := w.HeldMailView(t.Context(), v, m.Ledger)
		want := map[string]string{"another's case": o.Case}[name]
		t.Run("R36/held mail that names "+name, func(t *testing.T) {
			if err != nil || view.About != want {
				t.Errorf("about %q, %v", view.About, err)
			}
		})
	}
	t.Run("R37/the same answer whatever is named", func(t *testing.T) {
		if len(answers) != 1 {
			t.Errorf("%d answers: %v", len(answers), answers)
		}
	})
	t.Run("R41/the budget of confirmations holds for held mail", func(t *testing.T) {
		for i := range 6 {
			w.holds(mail{from: eve, subject: fmt.Sprint("again ", i), text: "Please.", unverified: true}, "unknown")
		}
		if n := len(w.letters()); n != 3 {
			t.Errorf("%d answers within the hour", n)
		}
	})
	t.Run("R41/failed mail is held and never answered", func(t *testing.T) {
		g := newWorld(t, func(s *core.Settings) { s.Mailboxes[0].Border = "google" })
		g.apply(t, func(s string) string { return replace(t, s, `unknown = "opens"`, `unknown = "held"`) })
		g.holds(mail{from: eve, subject: "x", text: "y", change: func(m *core.Mail) {
			m.Signatures = nil
			m.Trusted = []core.AuthField{{Name: "Authentication-Results", Value: "mx.google.com; dmarc=fail (p=REJECT)"}}
		}}, "failed")
		if n := len(g.letters()); n != 0 {
			t.Errorf("%d letters", n)
		}
	})
	t.Run("R36/the case of a released one shows the link to agents alone", func(t *testing.T) {
		m := w.holds(mail{from: carl, subject: o.Case, text: "Me.", change: spam}, "spam")
		if err := w.ReleaseAsCase(t.Context(), v, m.Ledger); err != nil {
			t.Fatal(err)
		}
		r := w.receiveOne(m)
		if got := len(w.entries(w.signsIn(mia), r.Case, "event")); got != 2 {
			t.Errorf("an agent sees %d events", got)
		}
		if got := len(w.entries(w.signsIn(carl), r.Case, "event")); got != 1 {
			t.Errorf("its requester sees %d events", got)
		}
	})
}

// twoDesks is a world with a second desk, of which Tom is no agent.
func twoDesks(t testing.TB) *world {
	w := newWorld(t, func(s *core.Settings) {
		s.Mailboxes = append(s.Mailboxes, core.MailboxSettings{Name: "hr", Desk: "hr", Addresses: []string{"hr@desk.example"}, Border: "none"})
	})
	if err := w.EnsureDesk(t.Context(), "hr", []byte(replace(t, string(coretest.DefaultDesk(t)), `prefix = "CASE"`, `prefix = "SAK"`))); err != nil {
		t.Fatal(err)
	}
	if err := w.AddAgent(t.Context(), "hr", mia, "Mia", "agent"); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestTwins_oneMailToTwoDesks(t *testing.T) {
	w := twoDesks(t)
	m := mail{from: anna, subject: "Both of you", text: "Please.", id: "both@client.example"}
	support := w.receive(m)
	m.to = "hr@desk.example"
	hr := w.receive(m)
	t.Run("R5/a case in each, linked for agents of both", func(t *testing.T) {
		if support.Case != "CASE-10001" || hr.Case != "SAK-10001" {
			t.Fatalf("%+v\n%+v", support, hr)
		}
		links := func(v core.Viewer, number string) (all []string) {
			view, err := w.Case(t.Context(), v, number)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range view.Entries {
				if e.Event == "same-mail" {
					all = append(all, e.Became)
				}
			}
			return all
		}
		v := w.signsIn(mia)
		if a, b := links(v, support.Case), links(v, hr.Case); fmt.Sprint(a, b) != "[SAK-10001] [CASE-10001]" {
			t.Errorf("an agent of both: %v, %v", a, b)
		}
		if a := links(w.signsIn(tom), support.Case); a != nil {
			t.Errorf("R63: an agent of one desk: %v", a)
		}
		if a := links(w.signsIn(anna), support.Case); a != nil {
			t.Errorf("R63: the customer: %v", a)
		}
	})
	t.Run("R5/another mail is not linked", func(t *testing.T) {
		other := w.receive(mail{from: anna, subject: "Both of you", text: "Other.", to: "hr@desk.example"})
		if n := w.count(`select count(*) from event where case_id = $1 and kind = 'same-mail'`, other.CaseID); n != 0 {
			t.Errorf("%d links", n)
		}
	})
	t.Run("R5/both at once are linked too", func(t *testing.T) {
		m := mail{from: carl, subject: "At once", text: "x", id: "at-once@client.example"}
		one := w.keep(m)
		m.to = "hr@desk.example"
		two := w.keep(m)
		done := make(chan error, 2)
		for _, c := range []core.Mail{one, two} {
			go func() { _, err := w.Receive(t.Context(), c); done <- err }()
		}
		for range 2 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		if n := w.count(`select count(*) from event e join cases c on c.id = e.case_id where kind = 'same-mail' and c.title = 'At once'`); n != 2 {
			t.Errorf("%d links", n)
		}
	})
}
