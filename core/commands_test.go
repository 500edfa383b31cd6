package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// unlimited lets one customer open as many cases as a test needs.
func unlimited(s *core.Settings) { s.Budgets = core.Budgets{} }

// writes sends a mail of an agent about a case, and returns what it caused.
func (w *world) writes(from string, o opened, text string) (core.Receipt, []core.Letter) {
	w.t.Helper()
	r := w.receive(mail{from: from, subject: "Re: [" + o.Case + "]", text: text})
	return r, w.letters()
}

// another opens one more case of Anna's.
func (w *world) another1(title string) opened {
	w.t.Helper()
	w.Clock.Advance(3 * time.Minute) // or she would look like a machine (R50)
	o := w.opens(mail{from: anna, subject: title, text: "About " + title})
	w.letters()
	return o
}

func TestCommands_setAndTell(t *testing.T) {
	w := newWorld(t, unlimited)
	for i, c := range []struct {
		name, text string
		sql        string // of case c
		want       string
		tells      string
		event      string // the newest
	}{
		{"assign to oneself", "#assign me", `select name from person p where p.id = c.owner`, "Mia", "owner:  -> Mia", "owner  Mia true"},
		{"assign to a colleague", "#assign tom", `select name from person p where p.id = c.owner`, "Tom", "owner:  -> Tom", "owner  Tom true"},
		{"assign by address", "#tildel tom@desk.example", `select name from person p where p.id = c.owner`, "Tom", "owner:  -> Tom", "owner  Tom true"},
		{"priority by key", "#priority p1", `select c.priority`, "p1", "priority:  -> P1 Critical", "priority  p1 false"},
		{"priority by label", "#prioriteit P2 high", `select c.priority`, "p2", "priority:  -> P2 High", "priority  p2 false"},
		{"type by label", "#type change request", `select c.type`, "change-request", "type:  -> Change Request", "type  change-request false"},
		{"due", "#due 3d", `select to_char(c.due_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI')`, "2026-11-06 08:00", "due:  -> 2026-11-06T08:00:00Z", "due  2026-11-06 09:00 true"},
		{"time", "#time 1h30", `select sum(minutes)::text from time_spent s where s.case_id = c.id`, "90", "time: 0:00 -> 1:30", "time 0:00 1:30 true"},
		{"wait", "#wait 3d", `select c.status || to_char(c.wake_at at time zone 'UTC', ' YYYY-MM-DD HH24:MI')`, "on-hold 2026-11-06 08:00", "status: Open -> On hold\nwakes:  -> 2026-11-06T08:00:00Z", "status open on-hold false"},
		{"close", "#close", `select c.status`, "closed", "status: Open -> Closed", "status open closed false"},
		{"reject", "#reject the same as another", `select c.status`, "cancelled", "status: Open -> Cancelled", "status open cancelled false"},
		{"cc", "#cc add bob@northwind.example", `select a.address from participant p join address a on a.person = p.person where p.case_id = c.id`, bob, "cc-add:  -> bob@northwind.example", "participant  bob@northwind.example false"},
		{"nothing to change", "#due none", `select coalesce(c.due_at::text, '')`, "", "", "opened  open false"},
		{"several, in their order", "#assign tom\n#priority p3\n#status need-input", `select c.status || ' ' || c.priority`, "need-input p3", "owner:  -> Tom\npriority:  -> P3 Normal\nstatus: Open -> Need input", "status open need-input false"},
	} {
		t.Run("R42/"+c.name, func(t *testing.T) {
			o := w.another1(fmt.Sprintf("%s %d", c.name, i))
			r, letters := w.writes(mia, o, c.text)
			wants(t, r, core.Filed, "commands", "")
			if got := w.text(`select (`+c.sql+`) from cases c where c.id = $1`, o.CaseID); got != c.want {
				t.Errorf("it is %q, want %q", got, c.want)
			}
			l := to(t, letters, mia, core.Transcript)
			if saysInTranscript(l) != c.tells || l.Payload.Reason != "" {
				t.Errorf("told: %s", saysInTranscript(l))
			}
			if (l.Undo != "") != (c.tells != "") {
				t.Errorf("undo %q", l.Undo)
			}
			got := w.text(`select kind || ' ' || was || ' ' || became || ' ' || internal from event where case_id = $1 order by id desc limit 1`, o.CaseID)
			if got != c.event {
				t.Errorf("event %q, want %q", got, c.event)
			}
		})
		t.Run("R43/no comment without text: "+c.name, func(t *testing.T) {
			if n := w.count(`select count(*) from comment`) + w.count(`select count(*) from note`); n != 0 {
				t.Errorf("%d entries", n)
			}
		})
	}
}

func TestCommands_refusedWithWhatWouldBeRight(t *testing.T) {
	w := newWorld(t, unlimited)
	if err := w.AddAgent(t.Context(), "support", "tom2@desk.example", "Tom", "agent"); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct{ name, text, says string }{
		{"two agents named alike", "#assign tom", "#assign tom: two-agents tom: Tom <tom@desk.example>, Tom <tom2@desk.example>"},
		{"no such agent", "#assign miia", "#assign miia: no-agent miia: Mia <mia@desk.example>"},
		{"no such priority", "#priority p9", "#priority p9: no-option priority: p1, p2, p3, p4"},
		{"no such type", "#type incidnt", "#type incidnt: no-option type: incident"},
		{"no date", "#wait soon", "#wait soon: bad-date soon"},
		{"no reason", "#reject", "#reject: reject-why"},
		{"time that was never spent", "#time -5m", "#time -5m: time-below 0:00"},
		{"another organisation's people", "#cc add carl@fabrikam.example", "#cc add carl@fabrikam.example: cc-elsewhere carl@fabrikam.example"},
		{"its people whom nobody knows yet", "#cc add zoe@fabrikam.example", "cc-elsewhere zoe@fabrikam.example"},
		{"an agent", "#cc add tom@desk.example", "cc-agent tom@desk.example"},
		{"oneself", "#cc add mia@desk.example", "cc-agent mia@desk.example"},
		{"the desk", "#cc add support@desk.example", "own-address support@desk.example"},
		{"the desk with a tag", "#cc add support+x@desk.example", "own-address support+x@desk.example"},
		{"the requester", "#cc remove anna@northwind.example", "cc-requester anna@northwind.example"},
		{"somebody who takes no part", "#cc remove bob@northwind.example", "cc-nobody bob@northwind.example"},
		{"a template of a desk without", "#template x", "no-templates"},
		{"reopening what has not ended", "#reopen", "#reopen: not-over open"},
		{"words behind what takes none", "#close please", "#close please: no-words #close"},
		{"undo beside another", "#note\n#undo abcdefghijkl", "#undo abcdefghijkl: undo-alone"},
		{"a good line beside a bad one", "#priority p1\n#due someday", "#due someday: bad-date someday"},
		{"a command below the text", "Hello\n#erledigt\n#toewijzen mij", "#toewijzen mij: stands-first"},
	} {
		rule := "R43/"
		if strings.Contains(c.says, "elsewhere") {
			rule = "R63/"
		}
		t.Run(rule+c.name, func(t *testing.T) {
			o := w.another1(fmt.Sprintf("%s %d", c.name, i))
			before := w.text(`select row(status, owner, priority, type, due_at)::text from cases where id = $1`, o.CaseID)
			_, letters := w.writes(mia, o, c.text+"\n\nBetween the lines.")
			l := to(t, letters, mia, core.Transcript)
			if !strings.Contains(saysInTranscript(l), c.says) || l.Payload.Reason != "refused" || l.Undo != "" {
				t.Errorf("told %q: %s", l.Payload.Reason, saysInTranscript(l))
			}
			noneTo(t, letters, anna)
			if got := w.text(`select row(status, owner, priority, type, due_at)::text from cases where id = $1`, o.CaseID); got != before {
				t.Errorf("was %s, is %s", before, got)
			}
			if n := w.count(`select count(*) from note where case_id = $1 and text like '%Between the lines.'`, o.CaseID); n != 1 {
				t.Errorf("the text is kept %d times", n)
			}
		})
	}
}

func TestCommands_waitingCaseWakesByItself(t *testing.T) {
	w := newWorld(t, unlimited)
	o := w.opens(mail{from: anna})
	w.writes(mia, o, "#wacht 3d")
	w.Clock.Advance(4 * 24 * time.Hour)
	if _, err := w.WakeUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Run("R42/after its days", func(t *testing.T) {
		if got := w.status(o); got != "in-progress" {
			t.Errorf("it is %s", got)
		}
	})
}

func TestCommands_rejectTellsTheReason(t *testing.T) {
	w := newWorld(t, unlimited)
	o := w.opens(mail{from: eve, unverified: true, subject: "Pills"})
	_, letters := w.writes(mia, o, "#reject We do not sell pills – sorry.")
	t.Run("R42/in the customer's mail", func(t *testing.T) {
		if l := to(t, letters, eve, core.StatusNews); l.Payload.Reason != "We do not sell pills – sorry." || l.Payload.Fixed {
			t.Errorf("%+v", l.Payload)
		}
	})
	t.Run("R42/and on the timeline", func(t *testing.T) {
		if got := w.text(`select why from event where case_id = $1 and kind = 'status'`, o.CaseID); got != "We do not sell pills – sorry." {
			t.Errorf("%q", got)
		}
	})
	t.Run("R42/with a text it goes along", func(t *testing.T) {
		o := w.another1("With a text")
		_, letters := w.writes(mia, o, "#reject not ours\nPlease ask the other desk.")
		if l := to(t, letters, anna, core.Answer); l.Payload.Reason != "not ours" || l.Text != "Please ask the other desk." {
			t.Errorf("%q, %q", l.Payload.Reason, l.Text)
		}
	})
}

func TestCommands_onCasesThatHaveEnded(t *testing.T) {
	w := newWorld(t, unlimited)
	for i, c := range []struct{ name, first, then, status, says string }{
		{"a closed one is reopened", "#close", "#reopen", "in-progress", "status: Closed -> In progress"},
		{"a rejected one, too", "#reject no", "#heropen", "in-progress", "status: Cancelled -> In progress"},
		{"spam, too", "#spam", "#reopen", "in-progress", "status: Cancelled -> In progress"},
		{"it can be given to somebody", "#close", "#assign me", "closed", "owner:  -> Mia"},
		{"it does not rest", "#close", "#wait 3d", "closed", "no-rest closed: in-progress"},
		{"it is closed already", "#close", "#sluiten", "closed", ""},
		{"it is not rejected afterwards", "#close", "#reject no", "closed", "no-reject closed: in-progress"},
		{"a public answer moves nothing", "#close", "Bye.", "closed", ""},
	} {
		t.Run("R44/"+c.name, func(t *testing.T) {
			o := w.another1(fmt.Sprintf("%s %d", c.name, i))
			w.writes(mia, o, c.first)
			_, letters := w.writes(mia, o, c.then)
			if got := w.status(o); got != c.status {
				t.Errorf("it is %s", got)
			}
			if found := kinds(letters, core.Transcript); c.says != "" && (len(found) != 1 || !strings.Contains(saysInTranscript(found[0]), c.says)) {
				t.Errorf("told: %+v", found)
			}
		})
	}
	t.Run("R44/a status that the block names beats what an answer would do", func(t *testing.T) {
		o := w.another1("explicit")
		w.writes(mia, o, "#status open\n#assign nobody\nWe look at it.")
		if got := w.text(`select status || coalesce(owner::text, ' of nobody') from cases where id = $1`, o.CaseID); got != "open of nobody" {
			t.Errorf("it is %s", got)
		}
	})
	t.Run("R44/who is no agent any longer writes text", func(t *testing.T) {
		o := w.another1("former")
		w.exec(`delete from agent where person = (select person from address where address = $1)`, tom)
		w.writes(tom, o, "#close")
		if got := w.status(o); got != "open" {
			t.Errorf("it is %s", got)
		}
	})
}

func TestCommands_copies(t *testing.T) {
	w := newWorld(t, unlimited)
	o := w.opens(mail{from: anna})
	w.writes(mia, o, "#cc add bob@northwind.example, dan@consultants.example")
	t.Run("R38/who was added gets what is written from then on", func(t *testing.T) {
		_, letters := w.writes(mia, o, "News.")
		for _, a := range []string{anna, bob, "dan@consultants.example"} {
			to(t, letters, a, core.Answer)
		}
	})
	t.Run("R38/twice is once", func(t *testing.T) {
		_, letters := w.writes(mia, o, "#cc add BOB@northwind.example")
		if l := to(t, letters, mia, core.Transcript); saysInTranscript(l) != "" {
			t.Errorf("told: %s", saysInTranscript(l))
		}
	})
	t.Run("R38/who was taken out gets nothing more", func(t *testing.T) {
		_, letters := w.writes(mia, o, "#cc remove bob@northwind.example")
		if l := to(t, letters, mia, core.Transcript); saysInTranscript(l) != "cc-remove:  -> bob@northwind.example" {
			t.Errorf("told: %s", saysInTranscript(l))
		}
		_, letters = w.writes(mia, o, "More news.")
		noneTo(t, letters, bob)
		to(t, letters, anna, core.Answer)
	})
	t.Run("R38/a case of no organisation takes anybody", func(t *testing.T) {
		o := w.opens(mail{from: eve, unverified: true, subject: "No company"})
		w.writes(mia, o, "#cc add carl@fabrikam.example")
		if n := w.count(`select count(*) from participant where case_id = $1`, o.CaseID); n != 1 {
			t.Errorf("%d take part", n)
		}
	})
	t.Run("R42/a reply address alone invites nobody", func(t *testing.T) {
		w.apply(t, func(s string) string { return replace(t, s, `agent_proof = "verified"`, `agent_proof = "token"`) })
		o := w.another1("by token")
		r := w.receive(mail{from: mia, to: o.mia.ReplyTo, subject: "Re: " + o.Case, text: "#cc add bob@northwind.example", unverified: true})
		wants(t, r, core.Filed, "commands refused", "")
		if l := to(t, w.letters(), mia, core.Transcript); !strings.Contains(saysInTranscript(l), "token-proof") {
			t.Errorf("told: %s", saysInTranscript(l))
		}
		r = w.receive(mail{from: mia, to: o.mia.ReplyTo, subject: "Re: " + o.Case, text: "#assign me\n#priority p1", unverified: true})
		wants(t, r, core.Filed, "commands", "")
		undo := to(t, w.letters(), mia, core.Transcript).Undo
		w.receive(mail{from: mia, to: o.mia.ReplyTo, subject: "Re: " + o.Case, text: "#undo " + undo, unverified: true})
		if l := to(t, w.letters(), mia, core.Transcript); !strings.Contains(saysInTranscript(l), "token-proof") {
			t.Errorf("told: %s", saysInTranscript(l))
		}
	})
}

func TestCommands_template(t *testing.T) {
	w := newWorld(t, unlimited)
	w.apply(t, func(s string) string {
		return s + `
[aliases]
wachtwoord = "template password"
[[template]]
key = "password"
label = "New password"
text.en = "Hello {name},\n\n{number} is {status}: {title}. {agent}, {desk}"
text.nl = "Beste {name}, {number}: {status}. {desk}"
`
	})
	t.Run("R43/above the agent's own text", func(t *testing.T) {
		o := w.another1("A {name} title")
		_, letters := w.writes(mia, o, "#template New Password\n#status resolved\n\nBye.")
		want := "Hello anna@northwind.example,\n\n" + o.Case + " is Resolved: A {name} title. Mia, Customer Service\n\nBye."
		if l := to(t, letters, anna, core.Answer); l.Text != want {
			t.Errorf("%q\nwant %q", l.Text, want)
		}
		if l := to(t, letters, mia, core.Transcript); saysInTranscript(l) != "template:  -> New password\nstatus: Open -> Resolved" {
			t.Errorf("told: %s", saysInTranscript(l))
		}
	})
	t.Run("R43/alone it is the answer, in the requester's language", func(t *testing.T) {
		o := w.another1("Dutch")
		w.exec(`update person set language = 'nl' where id = (select requester from cases where id = $1)`, o.CaseID)
		_, letters := w.writes(mia, o, "#wachtwoord")
		if l := to(t, letters, anna, core.Answer); !strings.HasPrefix(l.Text, "Beste ") || !strings.HasSuffix(l.Text, "In progress. Klantenservice") {
			t.Errorf("%q", l.Text)
		}
	})
	t.Run("R43/it is text that a status may need", func(t *testing.T) {
		o := w.another1("Needs")
		w.writes(mia, o, "#template password\n#status cancelled")
		if got := w.status(o); got != "cancelled" {
			t.Errorf("it is %s", got)
		}
	})
	t.Run("R40/with a note it is one", func(t *testing.T) {
		o := w.another1("Note")
		_, letters := w.writes(mia, o, "#template password\n#note")
		noneTo(t, letters, anna)
	})
	t.Run("R43/a mistake names what there is", func(t *testing.T) {
		o := w.another1("Mistake")
		_, letters := w.writes(mia, o, "#template pasword\nHello.")
		if l := to(t, letters, mia, core.Transcript); saysInTranscript(l) != "#template pasword: no-template pasword: password" {
			t.Errorf("told: %s", saysInTranscript(l))
		}
		noneTo(t, letters, anna)
	})
}

func TestCommands_helpAndHistory(t *testing.T) {
	w := newWorld(t, unlimited)
	o := w.opens(mail{from: anna, text: "It burns."})
	w.Clock.Advance(time.Minute)
	w.writes(mia, o, "#note\nI think.")
	_, letters := w.writes(mia, o, "#help\n#history")
	l := to(t, letters, mia, core.Transcript)
	t.Run("R43/help names what the desk has", func(t *testing.T) {
		h := l.Payload.Help
		if h == nil || len(h.Commands) != len(core.Commands()) || !slices.Contains(h.Statuses, "on-hold") || !slices.Contains(h.Priorities, "p1") || !slices.Contains(h.Agents, "Tom <tom@desk.example>") {
			t.Errorf("%+v", h)
		}
	})
	t.Run("R43/history tells what was, and not itself", func(t *testing.T) {
		var got []string
		for _, e := range l.History {
			got = append(got, e.Kind+" "+e.Author+" "+e.Text+e.Event)
		}
		if strings.Join(got, "; ") != "description anna@northwind.example It burns.; event anna@northwind.example opened; note Mia I think." {
			t.Errorf("%q", got)
		}
	})
	t.Run("R66/what it tells is kept in no letter", func(t *testing.T) {
		if n := w.count(`select count(*) from outbox where kind = 'transcript' and payload::text like '%burns%'`); n != 0 {
			t.Error("the text stands in the outbox")
		}
	})
	w.Clock.Advance(time.Minute)
	for i := range 60 {
		w.exec(`insert into note (case_id, at, written_at, author, text) select $1, $2, $2, requester, $3 from cases where id = $1`,
			o.CaseID, w.Clock.Now(), fmt.Sprintf("%d %s", i, strings.Repeat("long ", 1000)))
	}
	t.Run("R43/of a long one the newest entries, and of each the beginning", func(t *testing.T) {
		_, letters := w.writes(mia, o, "#geschiedenis")
		h := to(t, letters, mia, core.Transcript).History
		if len(h) != 40 || !strings.HasPrefix(h[39].Text, "59 ") || len([]rune(h[39].Text)) > 400 {
			t.Errorf("%d entries", len(h))
		}
	})
}

func TestCommands_ofAnUnprovedAgentWait(t *testing.T) {
	w := newWorld(t, unlimited)
	o := w.opens(mail{from: anna})
	m := fromMia(o, "#priority p1\n#close", true)
	wants(t, w.receive(m), core.Held, "note, waits", "agent-unproved")
	t.Run("R42/nothing is done before", func(t *testing.T) {
		if got := w.text(`select status || priority from cases where id = $1`, o.CaseID); got != "open" {
			t.Errorf("it is %s", got)
		}
	})
	t.Run("R42/a customer's commands are text", func(t *testing.T) {
		w.receive(mail{from: anna, to: o.confirmation.ReplyTo, subject: "Re: " + o.Case, text: "#assign me\n#close\n#undo abcdefghijkl"})
		if got := w.text(`select status || priority || coalesce(owner::text, '') from cases where id = $1`, o.CaseID); got != "open" {
			t.Errorf("it is %s", got)
		}
		if got := w.text(`select text from comment where case_id = $1`, o.CaseID); got != "#assign me\n#close\n#undo abcdefghijkl" {
			t.Errorf("the text is %q", got)
		}
	})
	t.Run("R28/what is perhaps a machine's runs none", func(t *testing.T) {
		o := w.another1("machine")
		m := fromMia(o, "#close", false)
		m.change = func(m *core.Mail) { m.Marks.AutoSubmitted = "auto-generated" }
		w.receive(m)
		if got := w.status(o); got != "open" {
			t.Errorf("it is %s", got)
		}
	})
}

func TestUndo_restoresWhatNobodyHasChanged(t *testing.T) {
	w := newWorld(t, unlimited)
	o := w.opens(mail{from: anna})
	w.writes(mia, o, "#time 10\n#assign tom\n#priority p4\n#due 2w\n#wait 5d")
	all := `select row(status, wake_at, owner, priority, type, due_at, (select sum(minutes) from time_spent where case_id = c.id),
		array(select person from participant where case_id = c.id))::text from cases c where id = $1`
	before := w.text(all, o.CaseID)
	block := "#status resolved\n#assign me\n#priority p1\n#type incident\n#due none\n#time 45m\n#cc add bob@northwind.example\n#block"
	_, letters := w.writes(mia, o, block)
	undo := to(t, letters, mia, core.Transcript).Undo
	if w.text(all, o.CaseID) == before || undo == "" {
		t.Fatal("the block did nothing")
	}
	events := w.count(`select count(*) from event where case_id = $1 and kind <> 'status'`, o.CaseID)
	t.Run("R63/somebody else's token and none are answered alike", func(t *testing.T) {
		said := map[string]bool{}
		for _, c := range []struct{ from, text string }{{tom, "#undo " + undo}, {tom, "#undo aaaabbbbcccc"}, {mia, "#undo"}} {
			r, letters := w.writes(c.from, o, c.text)
			wants(t, r, core.Filed, "undo refused", "")
			l := to(t, letters, c.from, core.Transcript)
			said[strings.ReplaceAll(saysInTranscript(l), c.text, "")] = true
		}
		if len(said) != 1 || !said[": undo-none"] {
			t.Errorf("%v", said)
		}
	})
	r := w.receive(mail{from: mia, subject: "no number here", text: "#UNDO " + strings.ToUpper(undo)})
	letters = w.letters()
	t.Run("R42/each thing is as it was, though the mail names no case", func(t *testing.T) {
		wants(t, r, core.Filed, "takes back", "")
		if got := w.text(all, o.CaseID); got != before {
			t.Errorf("\n is %s\nwas %s", got, before)
		}
		if w.count(`select count(*) from person where blocked_at is not null`) != 0 {
			t.Error("the requester is blocked still")
		}
	})
	t.Run("R42/it is told, before and after", func(t *testing.T) {
		l := to(t, letters, mia, core.Transcript)
		want := "unblocked:  -> \ncc-remove:  -> bob@northwind.example\ntime: 0:55 -> 0:10\ndue:  -> 2026-11-17T08:00:00Z\ntype: Incident -> \n" +
			"priority: P1 Critical -> P4 Low\nowner: Mia -> Tom\nstatus: Resolved -> On hold"
		if saysInTranscript(l) != want || l.Payload.Reason != "undone" || l.Undo != "" {
			t.Errorf("%s", saysInTranscript(l))
		}
	})
	t.Run("R42/the customer's side hears of the status", func(t *testing.T) {
		to(t, letters, anna, core.StatusNews)
	})
	t.Run("R42/it is one event", func(t *testing.T) {
		if n := w.count(`select count(*) from event where case_id = $1 and kind <> 'status'`, o.CaseID); n != events+1 {
			t.Errorf("%d events more", n-events)
		}
		if got := w.text(`select was from event where kind = 'taken-back'`); got != "block, cc, time, due, type, priority, owner, status" {
			t.Errorf("%q", got)
		}
	})
	t.Run("R42/once", func(t *testing.T) {
		_, letters := w.writes(mia, o, "#undo "+undo+"\nOnce more.")
		if l := to(t, letters, mia, core.Transcript); !strings.HasSuffix(saysInTranscript(l), ": undo-used") {
			t.Errorf("told: %s", saysInTranscript(l))
		}
		if n := w.count(`select count(*) from note where text = 'Once more.'`); n != 1 {
			t.Error("the text is lost")
		}
		noneTo(t, letters, anna)
	})
}

func TestUndo_leavesWhatOthersHaveChanged(t *testing.T) {
	w := newWorld(t, unlimited)
	o := w.opens(mail{from: anna})
	_, letters := w.writes(mia, o, "#priority p1\n#status need-input\n#assign me\n#cc add bob@northwind.example\nWhich printer?")
	undo := to(t, letters, mia, core.Transcript).Undo
	w.Clock.Advance(time.Minute)
	w.writes(tom, o, "#priority p2\n#cc remove bob@northwind.example")
	w.receive(mail{from: anna, to: o.confirmation.ReplyTo, subject: "Re: " + o.Case, text: "The one in hall 2."})
	w.letters()
	_, letters = w.writes(mia, o, "#undo "+undo)
	t.Run("R42/and says who", func(t *testing.T) {
		want := "left: cc -> Tom\nowner: Mia -> \nleft: status -> anna@northwind.example\nleft: priority -> Tom"
		if l := to(t, letters, mia, core.Transcript); saysInTranscript(l) != want {
			t.Errorf("%s", saysInTranscript(l))
		}
		if got := w.text(`select status || ' ' || priority || coalesce(owner::text, '') from cases where id = $1`, o.CaseID); got != "in-progress p2" {
			t.Errorf("it is %s", got)
		}
		noneTo(t, letters, anna)
	})
	t.Run("R42/after a day nothing", func(t *testing.T) {
		_, letters := w.writes(mia, o, "#priority p4")
		undo := to(t, letters, mia, core.Transcript).Undo
		w.Clock.Advance(24*time.Hour + time.Second)
		_, letters = w.writes(mia, o, "#undo "+undo)
		if l := to(t, letters, mia, core.Transcript); !strings.HasSuffix(saysInTranscript(l), ": undo-over") {
			t.Errorf("told: %s", saysInTranscript(l))
		}
	})
	t.Run("R43/after a month what it would take back is forgotten", func(t *testing.T) {
		w.Clock.Advance(31 * 24 * time.Hour)
		if err := w.Prune(t.Context()); err != nil || w.count(`select count(*) from undo`) != 0 {
			t.Errorf("%v, %d are left", err, w.count(`select count(*) from undo`))
		}
	})
	t.Run("R72/what was done without a word is undone without one", func(t *testing.T) {
		o := w.another1("spam")
		_, letters := w.writes(mia, o, "#spam\n#block")
		_, letters = w.writes(mia, o, "#undo "+to(t, letters, mia, core.Transcript).Undo)
		noneTo(t, letters, anna)
		if got := w.status(o); got != "open" {
			t.Errorf("it is %s", got)
		}
	})
	t.Run("R42/without the proof it waits", func(t *testing.T) {
		o := w.another1("unproved")
		_, letters := w.writes(mia, o, "#priority p4")
		m := fromMia(o, "#undo "+to(t, letters, mia, core.Transcript).Undo, true)
		wants(t, w.receive(m), core.Held, "note, waits", "agent-unproved")
		if got := w.text(`select priority from cases where id = $1`, o.CaseID); got != "p4" {
			t.Errorf("it is %q", got)
		}
	})
	t.Run("R42/not what the desk has no longer", func(t *testing.T) {
		o := w.another1("gone")
		w.writes(mia, o, "#assign tom\n#type incident")
		_, letters := w.writes(mia, o, "#assign me\n#type question")
		undo := to(t, letters, mia, core.Transcript).Undo
		w.exec(`delete from agent where person = (select person from address where address = $1)`, tom)
		_, letters = w.writes(mia, o, "#undo "+undo)
		if l := to(t, letters, mia, core.Transcript); saysInTranscript(l) != "type: Question -> Incident\nleft: owner -> " {
			t.Errorf("%s", saysInTranscript(l))
		}
	})
}

// What can be taken back no longer is kept for a month, so that its author is
// told why; it names people, and is not kept for ever.
func TestUndo_isNotKeptForEver(t *testing.T) {
	w := newWorld(t, unlimited)
	o := w.opens(mail{from: anna})
	w.writes(mia, o, "#cc add bob@northwind.example")
	left := func(days int) int64 {
		w.Clock.Advance(time.Duration(days) * 24 * time.Hour)
		if err := w.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		return w.count(`select count(*) from undo`)
	}
	t.Run("R43/but for a month", func(t *testing.T) {
		if before, after := left(29), left(3); before != 1 || after != 0 {
			t.Errorf("%d, then %d", before, after)
		}
	})
}

// A desk's file without types or priorities says so.
func TestCommands_aDeskWithoutOptions(t *testing.T) {
	w := newWorld(t, unlimited)
	source := string(coretest.DefaultDesk(t))
	bare := source[:strings.Index(source, "# --- Types and priorities")]
	w.apply(t, func(string) string { return bare })
	o := w.opens(mail{from: anna})
	_, letters := w.writes(mia, o, "#type incident\n#priority p1")
	t.Run("R43/and sets none", func(t *testing.T) {
		if l := to(t, letters, mia, core.Transcript); saysInTranscript(l) != "#type incident: no-options type\n#priority p1: no-options priority" {
			t.Errorf("%s", saysInTranscript(l))
		}
	})
}
