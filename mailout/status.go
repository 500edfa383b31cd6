package mailout

import (
	"time"

	"postern/core"
)

// Status is how sending stands, for /healthz and /metrics.
type Status struct {
	// Attempts by their result since the start: accepted, temporary ...
	Results map[core.Result]int64

	Queued      int // claimed, not begun
	Held        int // claimed and not yet settled
	Connections int

	PausedUntil time.Time // zero unless the channel pauses
	PausedSince time.Time // since when the server has taken no mail
	PausedWhy   string
	NeedsPerson bool // it pauses until a setting is changed

	LastError   string
	LastErrorAt time.Time
}

// Status is a snapshot.
func (s *Sender) Status() Status {
	s.mu.Lock()
	st := s.counts
	st.Results = make(map[core.Result]int64, len(s.counts.Results))
	for k, n := range s.counts.Results {
		st.Results[k] = n
	}
	st.Queued, st.Held, st.Connections = len(s.queue), len(s.held), s.workers
	s.mu.Unlock()

	c := &s.channel
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.step > 0 {
		st.PausedUntil, st.PausedSince, st.PausedWhy, st.NeedsPerson = c.until, c.since, c.why, c.config
	}
	return st
}

func (s *Sender) count(l core.Letter, v verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts.Results == nil {
		s.counts.Results = map[core.Result]int64{}
	}
	s.counts.Results[v.Result]++
	if v.Result != core.Accepted {
		s.counts.LastError, s.counts.LastErrorAt = v.Answer, time.Now()
	}
	if v.Result != core.Temporary {
		delete(s.delayed, l.ID)
	}
}
