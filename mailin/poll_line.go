package mailin

import (
	"context"
	"time"
)

// Line is one connection that the pollers of several folders take in turn.
type Line struct {
	turn chan *Conn // holds nil while there is no connection
}

// NewLine makes a line that nobody has taken.
func NewLine() *Line {
	l := &Line{make(chan *Conn, 1)}
	l.turn <- nil
	return l
}

// take waits for its turn. The connection that comes with it may have broken
// meanwhile: then it is another.
func (l *Line) take(ctx context.Context, s Server) (c *Conn, err error) {
	select {
	case c = <-l.turn:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if c != nil && c.over() {
		c.guard.fail(errLineBroke)
		c = nil
	}
	if c == nil {
		if c, err = Dial(ctx, s); err != nil {
			l.turn <- nil
		}
	}
	return c, err
}

// give lets the next one have its turn, with the connection if it is good.
func (l *Line) give(c *Conn, err error) {
	if err != nil {
		c.Close()
		c = nil
	}
	l.turn <- c
}

// hangUp ends a connection that nobody uses at the moment.
func (l *Line) hangUp() {
	select {
	case c := <-l.turn:
		if c != nil {
			c.Close()
		}
		l.turn <- nil
	default:
	}
}

// taking polls at the clock, each time with the line for as long as that takes.
func (s *session) taking(ctx context.Context, good func()) error {
	defer s.Line.hangUp()
	for {
		if err := s.onLine(ctx, good); err != nil {
			return err
		}
		tick := time.NewTimer(s.every())
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-s.tell:
			s.rowsEnded()
			pause(ctx, min(time.Second, s.PollEvery)) // what ends together is told together
		}
		tick.Stop()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

func (s *session) onLine(ctx context.Context, good func()) (err error) {
	if s.c, err = s.Line.take(ctx, s.Server); err != nil {
		return err
	}
	defer func() { s.Line.give(s.c, err) }()
	if err := s.open(ctx); err != nil {
		return err
	}
	s.note(func(st *Status) { st.Connected, st.Abilities = true, s.c.Abilities() })
	room, err := s.poll(ctx)
	if err == nil {
		s.polled(room, good)
	}
	return err
}
