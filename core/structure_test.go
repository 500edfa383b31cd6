package core_test

import (
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
