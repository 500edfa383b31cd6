package mailout

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"postern/core"
)

// settler commits what happened to letters, for all connections of a sender.
// Whatever several of them have to say at the same moment goes into one
// commit: the `sent` of a mail together with the next one's `dotted`, and both
// together with those of other connections (R58).
type settler struct {
	desk    Desk
	holder  string
	gather  time.Duration      // how long an end may wait for company
	settled func(ids ...int64) // the ends of these are committed
	log     *slog.Logger

	// Between commits that fail: the first wait, doubled up to the longest.
	first, longest time.Duration

	mu    sync.Mutex
	ended []core.Delivery
	since time.Time // of the oldest in ended
	dots  []*dotRequest
	wake  chan struct{}
}

// dotRequest asks for the leave to send one final dot.
type dotRequest struct {
	core.Dotting
	answer chan leave
}

// leave is the desk's word on a final dot.
type leave int

const (
	granted    leave = iota
	lost             // another process holds the letter
	unrecorded       // the desk cannot be reached; the settler has noted the letter as unsent
)

const (
	settleWithin = 20 * time.Second // one commit; the lease outlives it
	settleAtEnd  = 10 * time.Second // for the last ends when the sender stops
)

// end notes the end of an attempt. It is committed with the next dot, or by
// itself after the time of gathering.
func (t *settler) end(d core.Delivery) {
	t.mu.Lock()
	if len(t.ended) == 0 {
		t.since = time.Now()
	}
	t.ended = append(t.ended, d)
	t.mu.Unlock()
	hint(t.wake)
}

// dot returns once `dotted` is committed, or cannot be.
func (t *settler) dot(d core.Dotting) leave {
	r := &dotRequest{d, make(chan leave, 1)}
	t.mu.Lock()
	t.dots = append(t.dots, r)
	t.mu.Unlock()
	hint(t.wake)
	return <-r.answer
}

// lanes are how many commits may be under way at a time: while one waits for
// the disk, letters that are ready gather for the next. A letter is in one of
// them at most.
const lanes = 4

// run commits until stop is closed, and what is left then.
func (t *settler) run(stop <-chan struct{}) {
	var others sync.WaitGroup
	for range lanes - 1 {
		others.Go(func() { t.lane(stop, false) })
	}
	t.lane(stop, true)
	others.Wait()
}

// lane makes one commit after another. The last one commits what is left at the
// end.
func (t *settler) lane(stop <-chan struct{}, last bool) {
	var failing time.Time // since when
	pause := t.first
	for {
		wait, something := t.due()
		stopping := closed(stop)
		switch {
		case stopping && (!something || !last):
			return
		case something && (wait <= 0 || stopping):
			err := t.commit()
			if err == nil {
				failing, pause = time.Time{}, t.first
				continue
			}
			if failing.IsZero() {
				failing = time.Now()
				t.log.Warn("the ends of mails cannot be recorded yet", "err", err)
			}
			if stopping && time.Since(failing) > settleAtEnd {
				t.log.Error("the ends of mails could not be recorded: they count as uncertain", "letters", t.left())
				return
			}
			time.Sleep(pause)
			pause = min(2*pause, t.longest)
		default:
			t.rest(wait, something, stop)
		}
	}
}

// due says how long the next commit may wait.
func (t *settler) due() (wait time.Duration, something bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.dots) > 0 {
		return 0, true
	}
	return t.gather - time.Since(t.since), len(t.ended) > 0
}

func (t *settler) rest(wait time.Duration, timed bool, stop <-chan struct{}) {
	var over <-chan time.Time
	if timed {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-t.wake:
	case <-over:
	case <-stop:
	}
}

func (t *settler) left() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.ended)
}

// commit settles all there is. If that fails no dot goes out: whether `dotted`
// was committed is not known then, so the letters are noted as unsent, which
// they are.
func (t *settler) commit() error {
	t.mu.Lock()
	ended, dots := t.ended, t.dots
	t.ended, t.dots = nil, nil
	t.mu.Unlock()
	if len(ended) == 0 && len(dots) == 0 {
		return nil // another lane has them
	}
	next := make([]core.Dotting, len(dots))
	for i, r := range dots {
		next[i] = r.Dotting
	}
	ctx, cancel := context.WithTimeout(context.Background(), settleWithin)
	ours, err := t.desk.Settle(ctx, t.holder, ended, next)
	cancel()
	if err != nil {
		for _, r := range dots {
			ended = append(ended, core.Delivery{ID: r.ID, Result: core.Unsent, Answer: "the desk could not be reached", Envelope: r.Envelope})
			r.answer <- unrecorded
		}
		t.mu.Lock()
		t.ended = append(ended, t.ended...)
		t.mu.Unlock()
		return err
	}
	held := make(map[int64]bool, len(ours))
	for _, id := range ours {
		held[id] = true
	}
	for _, r := range dots {
		if held[r.ID] {
			r.answer <- granted
		} else {
			r.answer <- lost
		}
	}
	for _, d := range ended {
		t.settled(d.ID)
	}
	return nil
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
