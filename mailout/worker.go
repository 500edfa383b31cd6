package mailout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"postern/core"
)

// worker is one connection to the server and what is sent over it.
type worker struct {
	given chan core.Letter
	conn  *connection
}

// work sends first, then what the queue has, and ends when there was nothing
// for a while.
func (s *Sender) work(ctx, hard context.Context, w *worker, first core.Letter) {
	for l, ok := first, true; ok; l, ok = s.next(w) {
		s.send(ctx, hard, w, l)
	}
	if w.conn != nil && !w.conn.wire.shut.Load() {
		w.conn.quit()
	}
}

// next waits for a letter.
func (s *Sender) next(w *worker) (core.Letter, bool) {
	s.mu.Lock()
	if len(s.queue) > 0 && s.workers-len(s.idle) <= s.allowed() {
		defer s.mu.Unlock()
		return s.pop(), true
	}
	s.idle = append(s.idle, w)
	s.mu.Unlock()

	timer := time.NewTimer(s.config.Idle)
	defer timer.Stop()
	select {
	case l := <-w.given:
		return l, true
	case <-timer.C:
	case <-s.stop:
	}
	s.mu.Lock()
	if i := slices.Index(s.idle, w); i >= 0 {
		s.idle = slices.Delete(s.idle, i, i+1)
		s.workers--
		s.mu.Unlock()
		return core.Letter{}, false
	}
	s.mu.Unlock()
	return <-w.given, true // it was handed over at this moment
}

// send makes one attempt to send l.
func (s *Sender) send(ctx, hard context.Context, w *worker, l core.Letter) {
	begun := time.Now()
	if pause, _ := s.channel.left(); pause > 0 || s.pace.wait(ctx) != nil || ctx.Err() != nil {
		s.release(l.ID)
		return
	}
	weight := weight(l)
	if s.memory.Acquire(hard, weight) != nil {
		s.release(l.ID)
		return
	}
	defer s.memory.Release(weight)

	v, ok := s.attempt(ctx, hard, w, l)
	v.ID, v.Envelope = l.ID, l.Envelope
	switch {
	case !ok: // said and done
	case v.Channel && !s.itsOwn(l.ID, v):
		s.away(v.Answer, v.Config)
		s.release(l.ID)
	case v.Result == core.LostLease:
		s.log.Warn("another process holds the mail: not sent", s.facts(l, begun)...)
		s.forget(l.ID)
	default:
		s.ended(ctx, hard, l, v, begun)
	}
}

// attempt composes l and hands it over. It returns false if the letter went
// back without an attempt.
func (s *Sender) attempt(ctx, hard context.Context, w *worker, l core.Letter) (verdict, bool) {
	raw, fresh := l.Bytes, []byte(nil)
	if raw == nil {
		var err error
		raw, err = s.compose(hard, l)
		var file *FileError
		switch {
		case errors.As(err, &file) && !errors.Is(err, core.ErrNotFound):
			s.log.Warn("a file cannot be read: the mail waits", "letter", l.ID, "err", err)
			s.forget(l.ID) // not put back at once: it comes again when its lease ends
			return verdict{}, false
		case err != nil:
			return defect(err), true
		}
		fresh = raw
	}
	dot := func() leave {
		return s.settler.dot(core.Dotting{ID: l.ID, Bytes: fresh, Envelope: l.Envelope})
	}
	for {
		kept := w.conn != nil && !w.conn.wire.shut.Load()
		if !kept {
			var err error
			if w.conn, err = s.connect(ctx, hard); err != nil {
				w.conn = nil
				if ctx.Err() == nil {
					config := &ServerError{}
					s.away(oneLine(err.Error()), errors.As(err, &config) && config.Config)
				}
				s.release(l.ID)
				return verdict{}, false
			}
		}
		v, at := w.conn.transact(l, raw, s.limits, dot)
		if kept && at == atMail && (v.Result == core.Unsent || v.Code == 421) {
			w.conn.cut() // the server had enough of this connection: that is no news about the mail
			continue
		}
		return v, true
	}
}

// compose builds the mail. What goes wrong there concerns this letter alone.
func (s *Sender) compose(ctx context.Context, l core.Letter) (raw []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			raw, err = nil, fmt.Errorf("compose: panic: %v", r)
		}
	}()
	return s.composer.Compose(l, func(blob int64) (io.ReadCloser, error) { return s.desk.OpenBlob(ctx, blob) })
}

// connect opens a connection that is cut when hard ends.
func (s *Sender) connect(ctx, hard context.Context) (*connection, error) {
	c, err := dial(ctx, s.config.Server, s.tls, s.limits)
	if err != nil {
		return nil, err
	}
	c.unhook = context.AfterFunc(hard, func() { c.wire.Close() })
	return c, nil
}

// itsOwn says whether an answer that could be about one recipient is taken so:
// when it comes for the third time. Else one greylisted address would keep all
// others waiting.
func (s *Sender) itsOwn(id int64, v verdict) bool {
	if !v.OwnToo {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.delayed) > 10_000 {
		clear(s.delayed)
	}
	s.delayed[id]++
	return s.delayed[id] >= enough
}

// away pauses the channel and puts back what waits for it.
func (s *Sender) away(why string, config bool) {
	pause := s.channel.pause(why, config)
	if pause == 0 {
		return
	}
	if config {
		s.log.Error("the server does not let us send: a setting must be changed", "pause", pause, "err", why)
	} else {
		s.log.Warn("the server is away: sending pauses", "pause", pause, "err", why)
	}
	s.mu.Lock()
	s.counts.LastError, s.counts.LastErrorAt = why, time.Now()
	ids := s.drain()
	s.mu.Unlock()
	s.release(ids...)
	hint(s.paused)
}

// ended settles an attempt, and says so in the log.
func (s *Sender) ended(ctx, hard context.Context, l core.Letter, v verdict, begun time.Time) {
	facts := s.facts(l, begun)
	if v.Result != core.Accepted {
		facts = append(facts, "to", l.To.Address, "code", v.Code, "enhanced", v.Enhanced, "answer", v.Answer)
	}
	s.count(l, v)
	if v.noted {
		s.log.Warn("the desk cannot be reached: the mail was not sent", facts...)
		return
	}
	s.settler.end(v.Delivery)
	switch v.Result {
	case core.Accepted:
		s.log.Info("mail sent", facts...)
	case core.Temporary, core.Permanent:
		s.log.Warn("mail refused", append(facts, "result", v.Result)...)
	case core.Unanswered:
		s.log.Warn("no answer to the end of a mail: it may have been delivered", facts...)
	case core.Unsent:
		s.log.Warn("the connection broke before the end of a mail: it was not delivered", facts...)
		if s.channel.broke() {
			s.away(v.Answer, false)
		}
		return
	case core.Uncomposable:
		s.log.Error("mail cannot be built", facts...)
		return
	case core.SenderRefused:
		if v.Envelope == "" { // tried, and refused: no one's fault
			s.log.Info("the server does not take the empty sender", facts...)
			break
		}
		s.log.Error("the server refuses the envelope sender", append(facts, "envelope", v.Envelope)...)
		if v.Envelope == l.From.Address { // nothing plainer to fall back to
			s.away("the sender is refused: "+v.Answer, true)
			return
		}
	}
	if s.channel.good() {
		s.log.Info("the server takes mail again")
		s.mu.Lock()
		s.spread(ctx, hard)
		s.mu.Unlock()
	}
}

func (s *Sender) facts(l core.Letter, begun time.Time) []any {
	return []any{
		slog.Int64("letter", l.ID), slog.String("case", l.Number), slog.String("kind", string(l.Kind)),
		slog.Duration("took", time.Since(begun)),
	}
}

// weight is what a letter takes in memory until it is sent: its bytes, and a
// copy of them on the way into the database.
func weight(l core.Letter) int64 {
	n := int64(len(l.Bytes)) + 64<<10
	if l.Bytes == nil {
		for _, f := range l.Files {
			if f.Attach {
				n += 3 * f.Size
			}
		}
	}
	return min(n, memorySize)
}
