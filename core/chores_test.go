package core_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postern/core"
)

const aDay = 24 * time.Hour

// chore runs a chore and returns the letters it caused.
func (w *world) chore(run func(context.Context) (int, error)) []core.Letter {
	w.t.Helper()
	if _, err := run(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	return w.letters()
}

// asked is a case that waits for Anna.
func (w *world) asked() opened {
	w.t.Helper()
	o := w.opens(mail{from: anna})
	w.answers(o, "#status need-input\nWhich printer?")
	return o
}

func TestRemind_atThreeAndSevenDaysOnceEach(t *testing.T) {
	w := newWorld(t, nil)
	w.asked()
	var days []int
	for hour := range 24 * 30 {
		for _, l := range w.chore(w.Remind) {
			if l.Kind != core.Reminder || l.To.Address != anna || !l.Automatic || l.Replied || l.Payload.Status != "Need input" {
				t.Errorf("R62: %s to %s: %+v", l.Kind, l.To.Address, l.Payload)
			}
			days = append(days, hour/24)
		}
		w.Clock.Advance(time.Hour)
	}
	if len(days) != 2 || days[0] != 3 || days[1] != 7 {
		t.Errorf("R62: reminded on days %v", days)
	}
}

func TestRemind_aWordStartsTheDaysAnew(t *testing.T) {
	w := newWorld(t, nil)
	o := w.asked()
	w.Clock.Advance(2*aDay + 23*time.Hour)
	w.receive(fromMia(o, "I mean the one on the third floor.", false))
	w.letters()
	w.Clock.Advance(2 * time.Hour)
	if n := len(w.chore(w.Remind)); n != 0 {
		t.Errorf("R62: reminded two hours after a word")
	}
	w.Clock.Advance(3 * aDay)
	if n := len(w.chore(w.Remind)); n != 1 {
		t.Errorf("R62: %d reminders three days after it", n)
	}
	w.receive(mail{from: anna, subject: o.Case, text: "That one."})
	w.letters()
	w.Clock.Advance(30 * aDay)
	if n := len(w.chore(w.Remind)); n != 0 {
		t.Error("R62: reminded of a question that was answered")
	}
}

// Three days over the end of summer time are three days by the desk's clock,
// 73 hours by any other.
func TestRemind_daysAreTheDesks(t *testing.T) {
	w := newWorld(t, nil)
	w.Clock.Set(time.Date(2027, 10, 29, 10, 0, 0, 0, time.UTC))
	w.asked()
	w.Clock.Advance(72*time.Hour + 30*time.Minute)
	if n := len(w.chore(w.Remind)); n != 0 {
		t.Error("R62: reminded after 72 hours and a half")
	}
	w.Clock.Advance(31 * time.Minute)
	if n := len(w.chore(w.Remind)); n != 1 {
		t.Errorf("R62: %d reminders after 73 hours", n)
	}
}

func TestRemind_manyProcessesRemindOnce(t *testing.T) {
	w := newWorld(t, nil)
	w.asked()
	w.Clock.Advance(4 * aDay)
	var all sync.WaitGroup
	var reminded atomic.Int64
	for range 6 {
		all.Go(func() {
			n, err := w.Remind(context.Background())
			if err != nil {
				t.Error(err)
			}
			reminded.Add(int64(n))
		})
	}
	all.Wait()
	if n := len(w.letters()); n != 1 || reminded.Load() != 1 {
		t.Errorf("R62: %d reminders, %d counted", n, reminded.Load())
	}
}

func TestCloseSilent_announcesAndThenCloses(t *testing.T) {
	w := newWorld(t, nil)
	o, _ := w.resolved()
	type step struct {
		day  int
		kind core.Kind
		to   string
	}
	var steps []step
	for hour := range 24 * 20 {
		for _, l := range w.chore(w.CloseSilent) {
			steps = append(steps, step{hour / 24, l.Kind, l.To.Address})
			if l.Kind == core.ClosingSoon && !l.Payload.When.Equal(w.Clock.Now().Add(2*aDay)) {
				t.Errorf("R62: announced for %v at %v", l.Payload.When, w.Clock.Now())
			}
		}
		w.Clock.Advance(time.Hour)
	}
	want := []step{{5, core.ClosingSoon, anna}, {7, core.StatusNews, anna}, {7, core.NoticeStatus, mia}}
	if len(steps) != 3 || steps[0] != want[0] || steps[1] != want[1] || steps[2] != want[2] {
		t.Errorf("R62: %v, want %v", steps, want)
	}
	if got := w.status(o); got != "closed" {
		t.Errorf("R62: the case is %s", got)
	}
}

func TestCloseSilent_neverBeforeTheAnnouncementIsTwoDaysOld(t *testing.T) {
	w := newWorld(t, nil)
	o, _ := w.resolved()
	w.Clock.Advance(30 * aDay) // nothing ran for a month
	letters := w.chore(w.CloseSilent)
	l := to(t, letters, anna, core.ClosingSoon)
	if len(letters) != 1 || w.status(o) != "resolved" || !l.Payload.When.Equal(w.Clock.Now().Add(2*aDay)) {
		t.Errorf("R62: %d letters, it is %s, announced for %v", len(letters), w.status(o), l.Payload.When)
	}
	w.Clock.Advance(2*aDay - time.Minute)
	if n := len(w.chore(w.CloseSilent)); n != 0 || w.status(o) != "resolved" {
		t.Errorf("R62: a minute before: %d letters, it is %s", n, w.status(o))
	}
	w.Clock.Advance(time.Minute)
	if w.chore(w.CloseSilent); w.status(o) != "closed" {
		t.Errorf("R62: two days later it is %s", w.status(o))
	}
}

func TestCloseSilent_aWordStopsIt(t *testing.T) {
	w := newWorld(t, nil)
	o, _ := w.resolved()
	w.Clock.Advance(6 * aDay)
	w.chore(w.CloseSilent)
	w.receive(fromMia(o, "Are you well?", false)) // stays resolved: a new silence begins
	w.letters()
	w.Clock.Advance(2 * aDay)
	if n := len(w.chore(w.CloseSilent)); n != 0 || w.status(o) != "resolved" {
		t.Errorf("R62: %d letters, it is %s", n, w.status(o))
	}
	w.receive(mail{from: anna, subject: o.Case, text: "It burns again."})
	w.letters()
	w.Clock.Advance(30 * aDay)
	if n := len(w.chore(w.CloseSilent)); n != 0 || w.status(o) != "in-progress" {
		t.Errorf("R62: after an answer: %d letters, it is %s", n, w.status(o))
	}
}

func TestCloseSilent_aRunClosesFiftyAtMost(t *testing.T) {
	w := newWorld(t, func(s *core.Settings) { s.Budgets = core.Budgets{} })
	w.resolved()
	w.exec(`
		insert into cases (desk, number, title, description, requester, status, class, opened_at, changed_at, status_at, desk_wrote_at)
		select desk, number + n, title, description, requester, status, class, opened_at, changed_at, status_at, desk_wrote_at
		from cases, generate_series(1, 59) as n`)
	w.Clock.Advance(5*aDay + time.Minute)
	if _, err := w.CloseSilent(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(2 * aDay)
	if _, err := w.CloseSilent(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := w.count(`select count(*) from cases where status = 'closed'`); n != 50 {
		t.Errorf("R62: %d closed by one run", n)
	}
	if _, err := w.CloseSilent(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := w.count(`select count(*) from cases where status = 'closed'`); n != 60 {
		t.Errorf("R62: %d closed by two runs", n)
	}
}

func TestWakeUp_onItsDateAndNotBefore(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	w.receive(fromMia(o, "#status on hold 3d\nAs agreed.", false))
	w.letters()
	if got := w.status(o); got != "on-hold" {
		t.Fatalf("the case is %s", got)
	}
	w.Clock.Set(time.Date(2026, 11, 6, 7, 59, 0, 0, time.UTC)) // nine in Amsterdam is eight in UTC
	if n := len(w.chore(w.WakeUp)); n != 0 {
		t.Error("R62: woken a minute before nine")
	}
	w.Clock.Advance(time.Minute)
	letters := w.chore(w.WakeUp)
	to(t, letters, anna, core.StatusNews)
	to(t, letters, mia, core.NoticeStatus)
	if got := w.status(o); got != "in-progress" {
		t.Errorf("R62: the case is %s", got)
	}
	if n := len(w.chore(w.WakeUp)); n != 0 {
		t.Error("R62: woken twice")
	}
}

func TestWakeUp_anAnswerBeforeItsDateEndsTheRest(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	w.receive(fromMia(o, "#status on hold 3d\nAs agreed.", false))
	w.receive(mail{from: anna, subject: o.Case, text: "Go on."})
	w.receive(fromMia(o, "#status need-input\nWith what?", false))
	w.letters()
	w.Clock.Advance(3*aDay - time.Minute)
	if n := len(w.chore(w.WakeUp)); n != 0 || w.status(o) != "need-input" {
		t.Errorf("%d letters, the case is %s", n, w.status(o))
	}
}

func TestTick_hasOneWinner(t *testing.T) {
	w := newWorld(t, nil)
	at := w.Clock.Now().Truncate(time.Minute)
	var winners atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			won, err := w.Tick(context.Background(), "remind", at)
			if err != nil {
				t.Error(err)
			}
			if won {
				winners.Add(1)
			}
		})
	}
	all.Wait()
	if winners.Load() != 1 {
		t.Errorf("R62: %d winners", winners.Load())
	}
	for name, try := range map[string]struct {
		chore string
		at    time.Time
		want  bool
	}{
		"the same tick in another zone": {"remind", at.In(time.FixedZone("", 3600)), false},
		"the next tick":                 {"remind", at.Add(time.Minute), true},
		"another chore's tick":          {"close", at, true},
	} {
		if won, err := w.Tick(t.Context(), try.chore, try.at); err != nil || won != try.want {
			t.Errorf("R62/%s: %v, %v", name, won, err)
		}
	}
}
