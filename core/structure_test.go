package core_test

import (
	"strings"
	"testing"
	"time"

	"postern/core"
)

func TestReceive_whatAMergeLeavesBehind(t *testing.T) {
	t.Run("R64/who never heard of the desk is told nothing before an agent writes, in the other case either", func(t *testing.T) {
		w := newWorld(t, nil)
		two := w.opens(mail{from: bob})
		r := w.receive(mail{from: mia, to: newCases, subject: "Phone", text: "#requester " + anna + "\nShe called."})
		one := opened{Receipt: r, mia: to(t, w.letters(), mia, core.Transcript)}
		w.Clock.Advance(time.Minute)
		w.commands(one, "#merge "+two.Case)
		noneTo(t, w.last, anna)
		w.Clock.Advance(time.Minute)
		w.commands(two, "#status need-input")
		noneTo(t, w.last, anna)
		to(t, w.last, bob, core.StatusNews)
		w.Clock.Advance(time.Minute)
		w.receive(mail{from: mia, subject: two.Case, to: two.mia.ReplyTo, text: "Hello both."})
		to(t, w.letters(), anna, core.Answer)
		w.commands(two, "#status resolved")
		to(t, w.last, anna, core.StatusNews)
	})
	t.Run("R38/a case that goes its own way again takes its people with it", func(t *testing.T) {
		w := newWorld(t, nil)
		const zoe = "zoe@northwind.example"
		w.opens(mail{from: zoe})
		two, one := w.opens(mail{from: bob}), w.opens(mail{from: anna})
		w.exec(`insert into participant (case_id, person, since) select $1, person, now() from address where address = $2`, one.CaseID, zoe)
		w.Clock.Advance(time.Minute)
		w.commands(one, "#merge "+two.Case)
		if got := w.participants(two); got != anna+" "+zoe && got != anna+", "+zoe {
			t.Fatalf("participants %q", got)
		}
		w.receive(mail{from: zoe, subject: two.Case, text: "I wrote here."})
		w.letters()
		w.Clock.Advance(time.Minute)
		w.commands(one, "#status open")
		if got := w.participants(two); got != zoe {
			t.Errorf("participants %q: Zoe wrote there, Anna did not", got)
		}
		if n := w.count(`select count(*) from event where case_id = $1 and kind = 'unmerged' and became = $2 and internal`, two.CaseID, one.Case); n != 1 {
			t.Errorf("%d events", n)
		}
	})
	t.Run("R34/the address of a case's page names it", func(t *testing.T) {
		w := newWorld(t, nil)
		two, one := w.opens(mail{from: anna}), w.opens(mail{from: anna})
		w.commands(one, "#merge "+two.mia.Case)
		if got := w.mergedInto(one); got != two.Case {
			t.Errorf("%q by %s", got, two.mia.Case)
		}
	})
}

func TestReceive_aCollisionIsToldOnce(t *testing.T) {
	t.Run("R42/a second answer to the same old notice", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		w.Clock.Advance(time.Minute)
		w.receive(mail{from: tom, subject: o.Case, to: o.tom.ReplyTo, text: "Use sand."})
		w.Clock.Advance(time.Minute)
		w.receive(mail{from: mia, subject: o.Case, to: o.mia.ReplyTo, text: "Use water."})
		to(t, w.letters(), mia, core.Transcript)
		w.Clock.Advance(time.Minute)
		w.receive(mail{from: mia, subject: o.Case, to: o.mia.ReplyTo, text: "Much of it."})
		if got := kinds(w.letters(), core.Transcript); len(got) != 0 {
			t.Errorf("told again: %+v", got[0].Payload.Collision)
		}
		w.Clock.Advance(time.Minute)
		w.receive(mail{from: tom, subject: o.Case, to: o.tom.ReplyTo, text: "No: sand."})
		w.letters()
		w.Clock.Advance(time.Minute)
		w.receive(mail{from: mia, subject: o.Case, to: o.mia.ReplyTo, text: "Water!"})
		if p := to(t, w.letters(), mia, core.Transcript).Payload.Collision; p == nil || p.Text != "No: sand." {
			t.Errorf("%+v", p)
		}
	})
}

func TestReceive_linksCasesOfTwoDesks(t *testing.T) {
	w := twoDesks(t)
	one := w.opens(mail{from: anna})
	hr := w.receive(mail{from: carl, subject: "Ours", text: "Please.", to: "hr@desk.example"})
	w.letters()
	t.Run("R63/an agent of one desk alone finds nothing of the other", func(t *testing.T) {
		none := to(t, w.says(tom, one, "#link SAK-99999"), tom, core.Transcript)
		other := to(t, w.says(tom, one, "#link "+hr.Case), tom, core.Transcript)
		if saysInTranscript(none) != "#link SAK-99999: no-case SAK-99999" || saysInTranscript(other) != "#link "+hr.Case+": no-case "+hr.Case {
			t.Errorf("%q, %q", saysInTranscript(none), saysInTranscript(other))
		}
	})
	t.Run("R44/one of both links them, and only they see it", func(t *testing.T) {
		told := to(t, w.says(mia, one, "#link "+hr.Case), mia, core.Transcript)
		if saysInTranscript(told) != "linked:  -> "+hr.Case {
			t.Fatalf("%q", saysInTranscript(told))
		}
		sees := func(address, number string) string {
			v := w.view(address, number)
			all := strings.Join(v.Linked, " ")
			for _, e := range v.Entries {
				if e.Event == "linked" {
					all += " event " + e.Became
				}
			}
			return all
		}
		for _, c := range []struct{ who, number, want string }{
			{mia, one.Case, hr.Case + " event " + hr.Case}, {mia, hr.Case, one.Case + " event " + one.Case},
			{tom, one.Case, ""}, {anna, one.Case, ""}, {carl, hr.Case, ""},
		} {
			if got := sees(c.who, c.number); got != c.want {
				t.Errorf("%s sees of %s %q, want %q", c.who, c.number, got, c.want)
			}
		}
		t.Run("R63/nor do mails tell it to anybody else", func(t *testing.T) {
			w.receive(mail{from: anna, subject: "Both", text: "Please.", id: "both@client.example", to: "hr@desk.example"})
			w.receive(mail{from: anna, subject: "Both", text: "Please.", id: "both@client.example"})
			twin := opened{Receipt: core.Receipt{Case: "CASE-10002"}}
			w.letters()
			for _, c := range []struct {
				who   string
				of    opened
				tells bool
			}{{mia, one, true}, {tom, one, false}, {mia, twin, true}, {tom, twin, false}} {
				answer := tells(w.queries(c.who, "history "+c.of.Case))
				var history string
				for _, e := range to(t, w.says(c.who, c.of, "#history"), c.who, core.Transcript).History {
					history += e.Became + " "
				}
				if strings.Contains(answer, "SAK-1") != c.tells || strings.Contains(history, "SAK-1") != c.tells {
					t.Errorf("of %s %s is told %q and %s", c.of.Case, c.who, history, answer)
				}
			}
		})
		t.Run("R43/and takes it back", func(t *testing.T) {
			l := to(t, w.says(mia, one, "#undo "+told.Undo), mia, core.Transcript)
			if saysInTranscript(l) != "unlinked:  -> "+hr.Case || w.count(`select count(*) from case_link`) != 0 {
				t.Errorf("%q", saysInTranscript(l))
			}
		})
	})
}

// says sends a mail about a case to its desk, and returns what goes out.
func (w *world) says(from string, o opened, text string) []core.Letter {
	w.t.Helper()
	w.receive(mail{from: from, subject: "Re: " + o.Case, text: text})
	return w.letters()
}

func TestReceive_takesBackWhatItDidToCases(t *testing.T) {
	t.Run("R43/a merge", func(t *testing.T) {
		w := newWorld(t, nil)
		two, one := w.opens(mail{from: bob}), w.opens(mail{from: anna})
		w.Clock.Advance(time.Minute)
		told := to(t, w.says(mia, one, "#merge "+two.Case), mia, core.Transcript)
		w.Clock.Advance(time.Minute)
		l := to(t, w.says(mia, two, "#undo "+told.Undo), mia, core.Transcript)
		if l.Payload.Reason != "undone" || w.mergedInto(one) != "" || w.status(one) != "open" || w.participants(two) != "" {
			t.Errorf("%q: %q, %s, %q", saysInTranscript(l), w.mergedInto(one), w.status(one), w.participants(two))
		}
		r := w.receive(mail{from: anna, subject: "Re: x", to: one.confirmation.ReplyTo, text: "Thanks."})
		if r.Case != one.Case {
			t.Errorf("%+v", r)
		}
	})
	t.Run("R43/what a new case was opened with", func(t *testing.T) {
		w := newWorld(t, nil)
		r := w.receive(mail{from: mia, to: newCases, subject: "Phone", text: "#requester " + anna + "\n#assign tom\n#status in-progress\nShe called."})
		told := to(t, w.letters(), mia, core.Transcript)
		o := opened{Receipt: r}
		if w.status(o) != "in-progress" || w.view(tom, r.Case).Owner != "Tom" {
			t.Fatalf("%s, %q", w.status(o), w.view(tom, r.Case).Owner)
		}
		l := to(t, w.says(mia, o, "#undo "+told.Undo), mia, core.Transcript)
		if l.Payload.Reason != "undone" || w.status(o) != "open" || w.view(tom, r.Case).Owner != "" {
			t.Errorf("%q: %s, %q", saysInTranscript(l), w.status(o), w.view(tom, r.Case).Owner)
		}
	})
}

func TestReceive_opensNoCaseByAPreparedText(t *testing.T) {
	t.Run("R43/the case is opened without commands, and its line is named", func(t *testing.T) {
		w := newWorld(t, nil)
		w.apply(t, func(s string) string {
			return s + "\n[[template]]\nkey = \"password\"\nlabel = \"Password\"\ntext = \"Choose another.\"\n"
		})
		r := w.receive(mail{from: mia, to: newCases, subject: "Phone", text: "#requester " + anna + "\n#template password\nShe called."})
		wants(t, r, core.Filed, "opens a case", "")
		if got := saysInTranscript(to(t, w.letters(), mia, core.Transcript)); !strings.Contains(got, "new-template") {
			t.Errorf("%q", got)
		}
	})
}

func TestReceive_everyCommandOnANewCase(t *testing.T) {
	for _, c := range []struct{ line, says string }{
		{"#assign me", "owner:  -> Mia"}, {"#priority high", "priority"}, {"#due 3d", "due:  -> 20"}, {"#time 45m", "time: 0:00 -> 0:45"},
		{"#cc add " + bob, "cc-add:  -> " + bob}, {"#wait 3d", "status: Open -> On hold"}, {"#block", "blocked"}, {"#spam", "Cancelled"},
		{"#merge CASE-10001", "new-merge CASE-10001"}, {"#split x", "new-split"}, {"#undo abcdefghjkmn", "undo-alone"},
		{"#link CASE-10001", "linked:  -> CASE-10001"}, {"#reopen", "not-over"}, {"#reject a duplicate", "Cancelled"},
	} {
		t.Run("R64/"+c.line, func(t *testing.T) {
			w := newWorld(t, nil)
			w.opens(mail{from: carl})
			r := w.receive(mail{from: mia, to: newCases, subject: "Phone", text: "#requester " + anna + "\n" + c.line + "\nShe called."})
			if r.State != core.Filed || !strings.HasPrefix(r.Outcome, "opens a case") {
				t.Fatalf("%+v", r)
			}
			letters := w.letters()
			noneTo(t, letters, anna)
			if got := saysInTranscript(to(t, letters, mia, core.Transcript)); !strings.Contains(got, c.says) {
				t.Errorf("%q", got)
			}
		})
	}
}
