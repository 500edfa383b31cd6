package mailout

import (
	"context"
	"sync"
	"time"
)

// channel is the way to the server as a whole. When the server is away, or
// asks for less, everything pauses: 1, 2, 4 ... 60 seconds, and no letter pays
// for it (R60). After a pause one mail at a time goes out, until the server
// has said something about a mail again.
//
//	open --pause--> paused --time--> trial --good--> open
//	                  ^                | pause
//	                  +----------------+
type channel struct {
	first, longest time.Duration

	mu     sync.Mutex
	until  time.Time
	step   time.Duration // of the last pause; 0: open
	broken int           // connections that broke one after another
	why    string
	config bool
	since  time.Time // when it was last open
}

// enough is how many connections may break one after another before the
// server counts as away.
const enough = 3

// pause begins a pause, or a longer one after a trial that went wrong. It
// returns its length; 0 if a pause is on already.
func (c *channel) pause(why string, config bool) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if now.Before(c.until) {
		return 0
	}
	if c.step == 0 {
		c.since = now
	}
	switch {
	case config:
		c.step = c.longest // trying sooner would only lock the account
	case c.step == 0:
		c.step = c.first
	default:
		c.step = min(2*c.step, c.longest)
	}
	c.until, c.why, c.config, c.broken = now.Add(c.step), why, config, 0
	return c.step
}

// good notes that the server dealt with a mail, whatever it said about it. It
// says whether that ended a trial.
func (c *channel) good() (reopened bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken = 0
	if c.step == 0 || time.Now().Before(c.until) {
		return false
	}
	c.step, c.why, c.config = 0, "", false
	return true
}

// broke notes a connection that broke without an answer, and says whether
// enough of them did.
func (c *channel) broke() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken++
	return c.broken >= enough
}

// left is how much of a pause is left, and whether the next mail is a trial.
func (c *channel) left() (pause time.Duration, trial bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(0, time.Until(c.until)), c.step > 0
}

// pace spreads mails over time.
type pace struct {
	every time.Duration // 0: no limit
	mu    sync.Mutex
	next  time.Time
}

func (p *pace) wait(ctx context.Context) error {
	if p.every == 0 {
		return nil
	}
	p.mu.Lock()
	now := time.Now()
	at := p.next
	if at.Before(now) {
		at = now
	}
	p.next = at.Add(p.every)
	p.mu.Unlock()
	return sleep(ctx, at.Sub(now))
}

// sleep waits, and returns early with an error when ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
