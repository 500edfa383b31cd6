package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"mime"
	"net/mail"
	"regexp"
	"strings"
	"sync"
	"time"
)

const (
	pace       = time.Second / 20 // between two mails
	agentsMost = 10               // answers of agents among the replies
)

// role is what a fed mail is to become.
type role int

const (
	opens   role = iota // a new case
	joins               // a comment of the customer
	answers             // a comment of an agent, which is mailed to the customer
)

// fed is one mail that was put into the mailbox.
type fed struct {
	id     string
	from   *person
	role   role
	about  *fed   // the mail that opened the case; itself, for a new one
	by     string // token, Message-ID or number: how a reply names its case
	marker string // stands in its text and in no other
	file   bool
}

// letter is a mail of Postern's that somebody can reply to.
type letter struct {
	to      *person
	agent   bool
	answer  bool // an agent's words, not a confirmation
	about   *fed
	id      string
	replyTo string
	number  string // "[CASE-10001]"
}

// feeder puts mail into the mailbox, at most one in each pace, as far as it is
// allowed.
type feeder struct {
	world  *world
	random *rand.Rand
	total  int

	mu      sync.Mutex
	allowed int
	mails   []*fed
	byID    map[string]*fed
	replies int
	agents  int // answers of agents
	seen    int // of the sink's mails
	cases   map[string]*fed
	unknown []letter // notices whose case no confirmation has named yet
	waiting []letter
	err     error
}

func newFeeder(w *world, o options) *feeder {
	return &feeder{world: w, random: rand.New(rand.NewPCG(o.seed, 1)), total: o.mails,
		byID: make(map[string]*fed), cases: make(map[string]*fed)}
}

// run feeds until ctx ends.
func (f *feeder) run(ctx context.Context) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f.one()
		}
	}
}

// allow lets n more mails come.
func (f *feeder) allow(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.allowed = min(f.allowed+n, f.total)
}

// left is how many mails are still to come: of all, and of those allowed.
func (f *feeder) left() (all, allowed int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.total - len(f.mails), f.allowed - len(f.mails), f.err
}

// one feeds a mail, if it is time for one. Every fifth is a reply; where there
// is nothing to reply to yet, a later one.
func (f *feeder) one() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil || len(f.mails) >= f.allowed {
		return
	}
	f.readSink()
	n := len(f.mails)
	mustReply := n-f.replies >= f.total-f.total/5
	var d draft
	var m *fed
	switch {
	case f.replies < (n+1)/5 && len(f.waiting) > 0, mustReply && len(f.waiting) > 0:
		d, m = f.reply()
	case mustReply:
		return // until somebody has got a confirmation
	default:
		d, m = f.fresh(n)
	}
	raw, err := d.bytes(time.Now())
	if err == nil {
		err = f.world.inbox.add(raw)
	}
	if err != nil {
		f.err = err
		return
	}
	f.mails = append(f.mails, m)
	f.byID[m.id] = m
}

func (f *feeder) fresh(n int) (draft, *fed) {
	c := f.world.people.customers
	m := &fed{id: fmt.Sprintf("new-%d-%x@customer.example", n, f.random.Uint64()), from: c[(n*7)%len(c)], role: opens,
		marker: fmt.Sprintf("This is mail number %d.", n), file: n%10 == 3}
	m.about = m
	d := draft{from: m.from, to: service, id: m.id, subject: fmt.Sprintf("The printer blinks, part %d", n),
		text: "Hello,\r\n\r\n" + m.marker + "\r\n" + prose(f.random, 50+f.random.IntN(600))}
	if m.file {
		d.file = make([]byte, 20<<10+f.random.IntN(200<<10))
		for i := range d.file {
			d.file[i] = byte(f.random.Uint32())
		}
	}
	return d, m
}

// reply answers a letter, and names the case in one way only.
func (f *feeder) reply() (draft, *fed) {
	l := f.waiting[0]
	f.waiting = f.waiting[1:]
	n := f.replies
	f.replies++
	m := &fed{id: fmt.Sprintf("reply-%d-%x@customer.example", n, f.random.Uint64()), from: l.to, role: joins, about: l.about,
		marker: fmt.Sprintf("This is reply number %d.", n)}
	if l.agent {
		m.role = answers
	}
	d := draft{from: m.from, to: service, id: m.id, subject: "Re: your mail",
		text: m.marker + "\r\n" + prose(f.random, 20+f.random.IntN(60)) +
			"\r\nOn Monday Customer Service wrote:\r\n> " + strings.ReplaceAll(strings.TrimSpace(prose(f.random, 40)), "\n", "\n> ") + "\r\n"}
	m.by = []string{"token", "Message-ID", "number"}[n%3]
	if m.by == "token" && !strings.Contains(l.replyTo, "+") {
		m.by = "Message-ID"
	}
	switch m.by {
	case "token":
		d.to = l.replyTo
	case "Message-ID":
		d.inReplyTo = "<" + l.id + ">"
		d.references = "<" + l.about.id + "> <" + l.id + ">"
	default:
		d.subject = "Re: " + l.number + " your mail"
	}
	return d, m
}

var caseTag = regexp.MustCompile(`\[CASE-[0-9]+\]`)

// readSink finds the letters that came in since the last time, and puts those
// that are worth a reply in line: agents and answers first.
func (f *feeder) readSink() {
	fresh := f.world.sink.since(f.seen)
	f.seen += len(fresh)
	for _, h := range fresh {
		f.sort(h)
	}
	known := f.unknown[:0]
	for _, l := range f.unknown {
		if l.about = f.cases[l.number]; l.about == nil {
			known = append(known, l)
		} else if f.agents < agentsMost && f.agents < f.total/50 {
			f.agents++
			f.waiting = append([]letter{l}, f.waiting...)
		}
	}
	f.unknown = known
}

func (f *feeder) sort(h *handed) {
	m, err := mail.ReadMessage(bytes.NewReader(h.raw))
	if err != nil {
		f.err = fmt.Errorf("a mail that Postern sent cannot be read: %w", err)
		return
	}
	subject, _ := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	l := letter{id: messageID(h.raw), number: caseTag.FindString(subject)}
	if to, err := mail.ParseAddress(m.Header.Get("Reply-To")); err == nil {
		l.replyTo = to.Address
	}
	for _, a := range f.world.people.agents {
		if h.to == a.address && l.number != "" {
			l.to, l.agent = a, true
			f.unknown = append(f.unknown, l)
		}
	}
	cause := f.byID[strings.Trim(m.Header.Get("In-Reply-To"), "<> ")]
	switch {
	case l.agent || l.number == "":
	case m.Header.Get("Auto-Submitted") == "auto-replied" && cause != nil && cause.role == opens && h.to == cause.from.address:
		l.to, l.about = cause.from, cause
		f.cases[l.number] = cause
		f.waiting = append(f.waiting, l)
	case m.Header.Get("Auto-Submitted") == "" && f.cases[l.number] != nil && h.to == f.cases[l.number].from.address:
		l.about, l.answer = f.cases[l.number], true
		l.to = l.about.from
		f.waiting = append([]letter{l}, f.waiting...)
	}
}

// fed gives what was fed.
func (f *feeder) all() []*fed {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mails
}
