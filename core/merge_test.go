package core_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"postern/core"
)

func (w *world) mergedInto(o opened) string {
	w.t.Helper()
	return w.text(`select coalesce((select 'CASE-' || b.number from cases b where b.id = c.merged_into), '') from cases c where c.id = $1`, o.CaseID)
}

func TestReceive_merges(t *testing.T) {
	t.Run("R37/a case goes on as another, and nothing of it is lost", func(t *testing.T) {
		w := newWorld(t, nil)
		two := w.opens(mail{from: bob, subject: "Fire in hall 2"})
		one := w.opens(mail{from: anna})
		w.exec(`insert into participant (case_id, person, since) select $1, person, now() from address where address = 'bob@northwind.example'`, one.CaseID)
		entries := len(w.view(tom, one.Case).Entries)
		w.Clock.Advance(time.Minute)
		r, told := w.commands(one, "#merge "+two.Case+"\nYour colleague Bob has told us.")
		wants(t, r, core.Filed, "answers", "")
		says(t, told, one.Case+" -> "+two.Case)
		if got := w.status(one) + " " + w.mergedInto(one) + ", " + w.status(two) + " " + w.mergedInto(two); got != "cancelled "+two.Case+", open " {
			t.Errorf("%s", got)
		}
		if got := len(w.view(tom, one.Case).Entries); got <= entries {
			t.Errorf("%d entries, %d before", got, entries)
		}
		if got := w.participants(two); got != anna {
			t.Errorf("participants of %s: %q", two.Case, got)
		}
		l := to(t, w.last, anna, core.Answer)
		if l.Payload.GoesOn != two.Case || len(l.Payload.Words)+len(l.Payload.Links) != 0 || l.Text != "Your colleague Bob has told us." {
			t.Errorf("Anna is told %+v", l.Payload)
		}
		if n := len(kinds(w.last, core.StatusNews)); n != 0 {
			t.Errorf("%d mails of status beside it", n)
		}
		t.Run("R38/its people see of the other what is written later", func(t *testing.T) {
			w.exec(`update desk set sees = 'own'`)
			defer w.exec(`update desk set sees = 'organisation'`)
			w.Clock.Advance(time.Minute)
			w.receive(mail{from: bob, subject: two.Case, text: "Hall 3 too."})
			w.letters()
			if got := w.entries(w.signsIn(anna), two.Case, "comment"); len(got) != 1 || got[0] != "Hall 3 too." {
				t.Errorf("Anna sees %q", got)
			}
			if got := w.entries(w.signsIn(anna), two.Case, "description"); len(got) != 0 {
				t.Errorf("and the history: %q", got)
			}
		})
		for name, m := range map[string]mail{
			"token":      {subject: "Re: x", to: one.confirmation.ReplyTo},
			"Message-ID": {subject: "Re: x", inReplyTo: one.confirmation.MessageID},
			"number":     {subject: "Re: [" + one.Case + "]"},
		} {
			t.Run("R34/later mail that names it by "+name+" joins the other one", func(t *testing.T) {
				m.from, m.text = anna, "It burns again, says "+name+"."
				r := w.receive(m)
				if r.State != core.Filed || r.Case != two.Case {
					t.Errorf("%+v", r)
				}
				if !strings.Contains(traceOf(r), one.Case+" goes on as "+two.Case) {
					t.Errorf("the trace: %s", traceOf(r))
				}
			})
		}
		t.Run("R45/a word in it was said of the other case", func(t *testing.T) {
			before := w.status(two)
			r := w.receive(mail{from: anna, subject: "Re: x", to: one.confirmation.ReplyTo, text: "cancel"})
			if r.Case != two.Case || w.status(two) != before {
				t.Errorf("%s is %s: %+v", two.Case, w.status(two), r)
			}
		})
		t.Run("R42/an agent's text joins the other one, too", func(t *testing.T) {
			if r := w.receive(mail{from: mia, subject: "Re: " + one.Case, to: one.mia.ReplyTo, text: "Is it out?"}); r.Case != two.Case {
				t.Errorf("%+v", r)
			}
		})
		t.Run("R42/and a status takes it out again", func(t *testing.T) {
			w.letters()
			r, _ := w.commands(one, "#status open")
			if r.Case != one.Case || w.mergedInto(one) != "" || w.status(one) != "open" {
				t.Errorf("%+v: %s, %q", r, w.status(one), w.mergedInto(one))
			}
			if r := w.receive(mail{from: anna, subject: "Re: x", to: one.confirmation.ReplyTo, text: "Thanks."}); r.Case != one.Case {
				t.Errorf("%+v", r)
			}
		})
	})
	t.Run("R37/without a text its customer is told in one mail", func(t *testing.T) {
		w := newWorld(t, nil)
		two, one := w.opens(mail{from: anna, subject: "A"}), w.opens(mail{from: anna, subject: "B"})
		w.commands(one, "#merge ["+strings.ToLower(two.Case)+"]")
		if l := to(t, w.last, anna, core.StatusNews); l.Payload.GoesOn != two.Case || l.Number != one.Case {
			t.Errorf("%s: %+v", l.Number, l.Payload)
		}
		if got := w.participants(two); got != "" {
			t.Errorf("the requester of both takes part: %q", got)
		}
	})
	t.Run("R34/a chain is followed to its end", func(t *testing.T) {
		w := newWorld(t, nil)
		a, b, c := w.opens(mail{from: anna, subject: "A"}), w.opens(mail{from: anna, subject: "B"}), w.opens(mail{from: anna, subject: "C"})
		w.commands(a, "#merge "+b.Case)
		w.commands(b, "#merge "+c.Case)
		if r := w.receive(mail{from: anna, subject: a.Case, text: "More."}); r.Case != c.Case {
			t.Errorf("%+v", r)
		}
		_, told := w.commands(c, "#merge "+a.Case)
		says(t, told, "merged-here "+a.Case)
		_, told = w.commands(a, "#merge "+c.Case)
		says(t, told, "merged-already "+c.Case)
		w.Clock.Advance(15 * time.Minute) // Anna has had much mail
		d := w.opens(mail{from: anna, subject: "D"})
		_, told = w.commands(d, "#merge "+a.Case)
		says(t, told, "merged-on "+a.Case+": #merge "+c.Case)
	})
	t.Run("R63/somebody of the old case who may not see the new one is told nothing of it", func(t *testing.T) {
		w := newWorld(t, nil)
		w.opens(mail{from: carl})
		two, one := w.opens(mail{from: anna, subject: "A"}), w.opens(mail{from: anna, subject: "B"})
		w.exec(`insert into participant (case_id, person, since) select $1, person, '2000-01-01' from address where address = $2`, one.CaseID, carl)
		_, told := w.commands(one, "#merge "+two.Case)
		says(t, told, "merged-without: "+two.Case+" -> "+carl)
		if l := to(t, w.last, carl, core.StatusNews); l.Payload.GoesOn != "" {
			t.Errorf("%+v", l.Payload)
		}
		if got := w.participants(two); got != "" {
			t.Errorf("participants %q", got)
		}
		view, err := w.Case(t.Context(), w.signsIn(carl), one.Case)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range view.Entries {
			if strings.Contains(e.Became+e.Why, two.Case) {
				t.Errorf("Carl's page names it: %+v", e)
			}
		}
		if view.GoesOn != "" || w.view(anna, one.Case).GoesOn != two.Case {
			t.Errorf("pages: %q to Carl", view.GoesOn)
		}
		r := w.receive(mail{from: carl, subject: one.Case, text: "And I?"})
		if r.Outcome != "opens a case" || r.Case == two.Case {
			t.Errorf("%+v", r)
		}
	})
	w := newWorld(t, nil)
	one, other := w.opens(mail{from: anna}), w.opens(mail{from: carl, subject: "Other"})
	stranger, ended := w.opens(mail{from: "zed@stranger.example", subject: "Zed's"}), w.opens(mail{from: anna, subject: "Ended"})
	w.commands(ended, "#status closed")
	zed := w.opens(mail{from: "yan@stranger.example", subject: "Yan's"})
	w.exec(`insert into desk (id, key, source, sees, version, applied_at) values (77, 'elsewhere', '', 'own', 1, now())`)
	w.exec(`insert into prefix (prefix, desk) values ('ELSE', 77)`)
	for _, c := range []struct {
		name string
		of   opened
		line string
		why  string
	}{
		{"R63/cases of two organisations are not merged", one, "#merge " + other.Case, "merge-company"},
		{"R63/nor is one of none", one, "#merge " + stranger.Case, "merge-company"},
		{"R63/nor those of two people without one", zed, "#merge " + stranger.Case, "merge-person"},
		{"R63/a number of nobody is none", one, "#merge CASE-99", "no-case CASE-99"},
		{"R63/one of another desk is none", one, "#merge ELSE-1", "no-case ELSE-1"},
		{"R34/nor is an unknown prefix", one, "#merge NONE-10001", "no-case NONE-10001"},
		{"R34/nor a huge number", one, "#merge CASE-99999999999999999999999", "no-case CASE-99999999999999999999999"},
		{"R37/a case does not go on as itself", one, "#merge " + one.Case, "this-case"},
		{"R37/nor as one that is over", one, "#merge " + ended.Case, "merge-ended"},
		{"R43/a number is needed", one, "#merge", "merge-which"},
		{"R43/one, not ten", one, "#merge " + strings.Repeat(other.Case+" ", 10), "merge-which"},
		{"R43/nor can it stand beside a status", one, "#status resolved\n#merge " + ended.Case, "twice status"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, told := w.commands(c.of, c.line)
			wants(t, r, core.Filed, "commands refused", "")
			says(t, told, c.why)
			if w.mergedInto(c.of) != "" || w.status(c.of) != "open" {
				t.Errorf("%s, %q", w.status(c.of), w.mergedInto(c.of))
			}
		})
	}
	t.Run("R63/who may not follow is not told where to", func(t *testing.T) {
		w := newWorld(t, nil)
		two, one := w.opens(mail{from: bob, subject: "A"}), w.opens(mail{from: anna, subject: "B"})
		w.opens(mail{from: carl})
		w.exec(`insert into participant (case_id, person, since) select $1, person, now() - interval '50 years' from address where address = $2`, one.CaseID, carl)
		w.commands(one, "#merge "+two.Case)
		for who, told := range map[string]bool{anna: true, carl: false, mia: true} {
			l := w.queries(who, "history "+one.Case)
			if got := strings.Contains(tells(l), two.Case); got != told || !strings.Contains(tells(l), "Cancelled") {
				t.Errorf("%s: %s", who, tells(l))
			}
		}
	})
	t.Run("R63/people of no organisation are not of one", func(t *testing.T) {
		w := newWorld(t, nil)
		one, two := w.opens(mail{from: "zed@stranger.example", subject: "A"}), w.opens(mail{from: "zed@stranger.example", subject: "B"})
		w.commands(one, "#cc add yan@elsewhere.example")
		_, told := w.commands(one, "#merge "+two.Case)
		says(t, told, "merged-without: "+two.Case+" -> yan@elsewhere.example")
		if got := w.participants(two); got != "" {
			t.Errorf("participants of %s: %q", two.Case, got)
		}
	})
	t.Run("R42/a token alone merges nothing", func(t *testing.T) {
		w := newWorld(t, nil)
		w.apply(t, func(s string) string { return replace(t, s, `agent_proof = "verified"`, `agent_proof = "token"`) })
		two, one := w.opens(mail{from: anna, subject: "A"}), w.opens(mail{from: anna, subject: "B"})
		r := w.receive(mail{from: mia, subject: one.Case, to: one.mia.ReplyTo, text: "#merge " + two.Case, unverified: true})
		wants(t, r, core.Filed, "commands refused", "")
		if w.mergedInto(one) != "" {
			t.Error("merged")
		}
	})
}

func traceOf(r core.Receipt) string {
	var all []string
	for _, s := range r.Trace {
		all = append(all, s.Rule+" "+s.Says)
	}
	return strings.Join(all, "\n")
}

func TestReceive_mergesAtTheSameTime(t *testing.T) {
	t.Run("R75/two cases into each other: one of them wins", func(t *testing.T) {
		w := newWorld(t, nil)
		a, b := w.opens(mail{from: anna, subject: "A"}), w.opens(mail{from: anna, subject: "B"})
		w.atOnce(w.keep(mail{from: mia, subject: a.Case, to: a.mia.ReplyTo, text: "#merge " + b.Case}),
			w.keep(mail{from: tom, subject: b.Case, to: b.tom.ReplyTo, text: "#merge " + a.Case}))
		if got := w.mergedInto(a) + w.mergedInto(b); got != a.Case && got != b.Case {
			t.Errorf("%q and %q", w.mergedInto(a), w.mergedInto(b))
		}
	})
	t.Run("R75/mail that comes meanwhile is on one of them", func(t *testing.T) {
		w := newWorld(t, nil)
		a, b := w.opens(mail{from: anna, subject: "A"}), w.opens(mail{from: anna, subject: "B"})
		ctx := t.Context()
		merging, err := w.DB.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		// the case is locked, and merged when the mail already waits for it
		if _, err := merging.Exec(ctx, `update cases set merged_into = $2, status = 'cancelled', class = 'rejected' where id = $1`, a.CaseID, b.CaseID); err != nil {
			t.Fatal(err)
		}
		m := w.keep(mail{from: anna, subject: a.Case, text: "It burns again."})
		done := make(chan core.Receipt)
		go func() {
			r, err := w.Receive(ctx, m)
			if err != nil {
				t.Error(err)
			}
			done <- r
		}()
		w.waitsForLock()
		if err := merging.Commit(ctx); err != nil {
			t.Fatal(err)
		}
		if r := <-done; r.Case != b.Case {
			t.Errorf("it is on %s: %+v", r.Case, r)
		}
	})
}

// waitsForLock waits until somebody waits for what the open transaction of w.DB
// has locked.
func (w *world) waitsForLock() {
	w.t.Helper()
	for w.count(`select count(*) from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))`) == 0 {
	}
}

// atOnce files mails side by side.
func (w *world) atOnce(mails ...core.Mail) {
	w.t.Helper()
	var g sync.WaitGroup
	for _, m := range mails {
		g.Go(func() {
			if _, err := w.Receive(w.t.Context(), m); err != nil {
				w.t.Error(err)
			}
		})
	}
	g.Wait()
}
