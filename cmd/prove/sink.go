package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// The sink thinks before it answers to a dot, as a server does that keeps a
// mail safely, and now and then for long, as one that looks for spam.
const (
	quick, slow = 30 * time.Millisecond, 800 * time.Millisecond // at most
	slowOnes    = 4                                             // one in so many
)

// sink takes every mail that Postern sends and keeps every copy of it.
type sink struct {
	inbox    *inbox // mail to the service's own address goes there
	server   *smtp.Server
	listener net.Listener

	mu     sync.Mutex
	random *rand.Rand
	life   int                  // of Postern: connections belong to the one that opened them
	slow   bool                 // every answer takes long
	copies map[string][]*handed // by Message-ID, in the order of their dots
	order  []string             // of their first copies
	trap   func()               // called at a dot, before its answer
	dots   int                  // until then
	failed error
}

// handed is one copy of a mail that was handed over: its final dot arrived.
type handed struct {
	from, to string
	raw      []byte
	life     int
	dot      time.Time
	answered time.Time // when our answer was on its way; zero: the connection was gone
	heard    bool      // Postern said something after it
}

func openSink(seed uint64, b *inbox) (*sink, error) {
	s := &sink{inbox: b, copies: make(map[string][]*handed), random: rand.New(rand.NewPCG(seed, 2))}
	s.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &delivery{sink: s, line: c.Conn().(*line)}, nil
	}))
	s.server.Domain = "mx.postern.example"
	s.server.MaxMessageBytes = 50 << 20
	s.server.ErrorLog = log.New(io.Discard, "", 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.listener = l
	go func() { _ = s.server.Serve(&lines{l, s}) }() // ends by close
	return s, nil
}

func (s *sink) port() int { return s.listener.Addr().(*net.TCPAddr).Port }

func (s *sink) close() error { return s.server.Close() }

// begin says which of Postern's lives connects from now on, and whether the
// sink is slow as long as it lasts.
func (s *sink) begin(life int, slow bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.life, s.slow = life, slow
}

// set has kill called at the n-th dot from now. Nil takes it back.
func (s *sink) set(n int, kill func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dots, s.trap = n, kill
}

// all are the copies of every mail, in the order of their first ones, and what
// went wrong in the sink itself.
func (s *sink) all() (ids []string, copies map[string][]*handed, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.order, s.copies, s.failed
}

// since gives the first copies of mails from the n-th on.
func (s *sink) since(n int) []*handed {
	s.mu.Lock()
	defer s.mu.Unlock()
	var fresh []*handed
	for _, id := range s.order[n:] {
		fresh = append(fresh, s.copies[id][0])
	}
	return fresh
}

// keep notes a copy and says how long to think about it.
func (s *sink) keep(h *handed) (think time.Duration, trap func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := messageID(h.raw)
	if s.copies[id] == nil {
		s.order = append(s.order, id)
	}
	s.copies[id] = append(s.copies[id], h)
	if s.trap != nil {
		if s.dots--; s.dots == 0 {
			trap, s.trap = s.trap, nil
		}
	}
	switch {
	case s.slow:
		think = slow
	case s.random.IntN(slowOnes) == 0:
		think = time.Duration(s.random.Int64N(int64(slow)))
	default:
		think = time.Duration(s.random.Int64N(int64(quick)))
	}
	return think, trap
}

func (s *sink) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = errors.Join(s.failed, err)
}

// delivery is one SMTP session.
type delivery struct {
	sink *sink
	line *line
	from string
	to   []string
}

func (d *delivery) Mail(from string, _ *smtp.MailOptions) error {
	d.from = from
	return nil
}

func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.to = append(d.to, to)
	return nil
}

// Data returns without error when the mail is ours to deliver, whether or not
// anybody is left to be told so.
func (d *delivery) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err // no dot, no mail
	}
	h := &handed{from: d.from, to: strings.Join(d.to, " "), raw: raw, life: d.line.life, dot: time.Now()}
	think, trap := d.sink.keep(h)
	d.line.waitsFor(h)
	if trap != nil {
		trap()
	}
	time.Sleep(think)
	if user, domain, _ := strings.Cut(h.to, "@"); user+"@"+domain == service || strings.HasPrefix(user, "support+") {
		top := fmt.Sprintf("Return-Path: <%s>\r\nDelivered-To: %s\r\n", h.from, h.to)
		if err := d.sink.inbox.add(append([]byte(top), raw...)); err != nil {
			d.sink.fail(err)
		}
	}
	return nil
}

func (d *delivery) Reset() { d.from, d.to = "", nil }

func (d *delivery) Logout() error { return nil }

// lines are the sink's connections.
type lines struct {
	net.Listener
	sink *sink
}

func (l *lines) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.sink.mu.Lock()
	defer l.sink.mu.Unlock()
	return &line{Conn: c, sink: l.sink, life: l.sink.life}, nil
}

// line is one connection. It sees whether the answer to a dot could be given
// and whether Postern went on after it.
type line struct {
	net.Conn
	sink *sink
	life int
	last *handed // whose answer is due, or not known to be heard
}

func (l *line) waitsFor(h *handed) {
	l.sink.mu.Lock()
	defer l.sink.mu.Unlock()
	l.last = h
}

func (l *line) Write(p []byte) (int, error) {
	n, err := l.Conn.Write(p)
	l.sink.mu.Lock()
	defer l.sink.mu.Unlock()
	if l.last != nil && l.last.answered.IsZero() && err == nil && bytes.HasPrefix(p, []byte("250")) {
		l.last.answered = time.Now()
	}
	return n, err
}

func (l *line) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	l.sink.mu.Lock()
	defer l.sink.mu.Unlock()
	if n > 0 && l.last != nil && !l.last.answered.IsZero() {
		l.last.heard, l.last = true, nil
	}
	return n, err
}
