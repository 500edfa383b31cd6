package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// suite is one run of everything that was asked for.
type suite struct {
	*world
	options
	out    io.Writer
	commit times
	peak   int64 // of Postern, with the usual number of mails
	rows   []row
}

// measure is one of the things that are measured.
type measure struct {
	name, what string
	do         func(context.Context, *suite) error
}

var measures []measure

func init() { // not in the declaration: help lists them, and they need options
	measures = []measure{
		{"drain", "mails of all sizes, half of them replies", func(ctx context.Context, b *suite) error {
			return b.compare(ctx, "all sizes", b.mixed(), 0)
		}},
		{"small", "the same with small mails only", func(ctx context.Context, b *suite) error {
			p := b.mixed()
			p.series, p.small = "small", true
			return b.compare(ctx, "small mails", p, 0)
		}},
		{"slow", "mails of all sizes, every commit of PostgreSQL slowed by 5 ms", func(ctx context.Context, b *suite) error {
			return b.compare(ctx, "commits slowed", b.mixed(), 5*time.Millisecond)
		}},
		{"replies", "new mails only, and then as many replies to them", measureReplies},
		{"memory", "peak memory of Postern: five times as many mails, and ten mails of 39 MiB", measureMemory},
		{"send", "composing and sending 2,000 mails that wait in the outbox", measureSending},
		{"answers", "sending to a server that takes 200 ms for each answer, by 4 and 12 connections", measureSlowAnswers},
		{"latency", "from a mail's arrival to its confirmation, with nothing else to do", measureLatency},
		{"reading", "reading mails of all sizes and deciding what kind each is, per core", measureReading},
		{"worst", "reading every fixture and every bomb: time for its size, and memory", measureWorst},
		{"poll", "CPU time of a poll that finds nothing, in mailboxes of 10 and 20,000 mails", measurePolls},
	}
}

func measureNames() []string {
	var names []string
	for _, m := range measures {
		names = append(names, m.name)
	}
	return names
}

// mixed is the usual mailbox.
func (b *suite) mixed() profile {
	return profile{series: "mixed", mails: b.mails, small: b.small, replies: "half"}
}

func (b *suite) say(format string, args ...any) { fmt.Fprintf(b.out, "  "+format+"\n", args...) }

// drainOnce has a new Postern empty a mailbox with the mails of s.
func (b *suite) drainOnce(ctx context.Context, s *store, delay time.Duration) (d drain, err error) {
	i, err := b.newInstance(ctx, delay, 0)
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, i.remove(context.WithoutCancel(ctx))) }()
	i.profile = b.profile
	if err := s.fill(i.dovecot.MailDir(i.mailbox)); err != nil {
		return d, err
	}
	return i.drain(ctx, len(s.files))
}

// pair is Postern and the raw pipeline on the same mails.
type pair struct{ postern, raw drain }

func (p pair) ratio() float64 { return p.postern.rate() / p.raw.rate() }

// compare lets both take turns, and takes the round in the middle.
func (b *suite) compare(ctx context.Context, label string, p profile, delay time.Duration) error {
	s, err := b.generate(p)
	if err != nil {
		return err
	}
	defer s.remove()
	b.say("%d mails, %.0f MiB, of %d senders", len(s.files), mib(s.bytes), p.people())
	if delay > 0 {
		commit, err := b.commitTime(ctx, delay)
		if err != nil {
			return err
		}
		b.say("a commit takes %s now", ms(commit.at(50)))
	}
	rounds := make([]pair, b.rounds)
	for n := range rounds {
		now := &rounds[n]
		if now.postern, err = b.drainOnce(ctx, s, delay); err != nil {
			return err
		}
		if now.raw, err = b.drainRaw(ctx, s, now.postern.sent, delay); err != nil {
			return err
		}
		b.say("%s", now.postern.line("Postern"))
		b.say("%s", now.raw.line("raw pipeline"))
	}
	slices.SortFunc(rounds, func(x, y pair) int { return cmp.Compare(x.ratio(), y.ratio()) })
	middle := rounds[len(rounds)/2]
	b.record(label, middle, delay)
	return nil
}

func (d drain) line(who string) string {
	of := func(t time.Duration) float64 { return t.Seconds() * 1000 / float64(d.mails) }
	return fmt.Sprintf("%-12s %6.0f mails/s, %d mails out, %5.2f s CPU per 1,000 (%s %.2f, PostgreSQL %.2f, Dovecot %.2f, sink %.2f)%s",
		who, d.rate(), d.sent, d.per1000(), strings.Fields(who)[0], of(d.cpu.pipeline), of(d.cpu.postgres), of(d.cpu.dovecot), of(d.cpu.sink), d.memory())
}

func (d drain) memory() string {
	if d.peak == 0 {
		return ""
	}
	return fmt.Sprintf(", peak %.0f MiB", mib(d.peak))
}

func (b *suite) record(label string, m pair, delay time.Duration) {
	b.add(row{"drain, " + label, perSecond(m.postern.rate()), perSecond(m.raw.rate()), m.ratio(), atLeast(m.ratio(), 0.5)})
	if delay > 0 {
		return
	}
	cpu := m.postern.per1000() / m.raw.per1000()
	b.add(row{"CPU per 1,000, " + label, seconds(m.postern.per1000()), seconds(m.raw.per1000()), cpu, atMost(cpu, 2)})
	if label == "all sizes" {
		b.peak = m.postern.peak
		b.add(row{fmt.Sprintf("peak memory, %d mails", m.postern.mails), inMiB(b.peak), "", 0, aim{"< 80 MiB", b.peak < 80<<20}})
	}
}

func measureReplies(ctx context.Context, b *suite) (err error) {
	first := profile{series: "new", mails: b.mails, small: b.small}
	second := profile{series: "reply", mails: b.mails, small: b.small, replies: "all", parents: first.series}
	i, err := b.newInstance(ctx, 0, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, i.remove(context.WithoutCancel(ctx))) }()
	mailbox := i.dovecot.MailDir(i.mailbox)
	if err := makeMaildir(mailbox); err != nil {
		return err
	}
	var both []drain
	for _, p := range []profile{first, second} {
		s, err := b.generate(p)
		if err != nil {
			return err
		}
		defer s.remove()
		if err := s.add(mailbox); err != nil {
			return err
		}
		d, err := i.drain(ctx, len(s.files))
		if err != nil {
			return err
		}
		b.say("%s", d.line(map[string]string{"new": "new mails", "reply": "replies"}[p.series]))
		both = append(both, d)
	}
	ratio := both[1].rate() / both[0].rate()
	b.add(row{"drain, replies beside new mails", perSecond(both[1].rate()), perSecond(both[0].rate()) + " (new)", ratio, atLeast(ratio, 1)})
	return nil
}

func measureMemory(ctx context.Context, b *suite) error {
	peak := func(p profile) (int64, error) {
		s, err := b.generate(p)
		if err != nil {
			return 0, err
		}
		defer s.remove()
		d, err := b.drainOnce(ctx, s, 0)
		b.say("%d mails, %.0f MiB: peak %.0f MiB", len(s.files), mib(s.bytes), mib(d.peak))
		return d.peak, err
	}
	var err error
	if b.peak == 0 { // the drain was not measured in this run
		if b.peak, err = peak(b.mixed()); err != nil {
			return err
		}
	}
	many := b.mixed()
	many.series, many.mails = "many", 5*b.mails
	five, err := peak(many)
	if err != nil {
		return err
	}
	large := b.mixed()
	large.series, large.huge = "large", 10
	ten, err := peak(large)
	if err != nil {
		return err
	}
	const same = 8 << 20 // what the garbage collector makes of it differs from run to run
	b.add(row{fmt.Sprintf("peak memory, %d mails", many.mails), inMiB(five), "", 0,
		aim{fmt.Sprintf("< 80 MiB, as with %d", b.mails), five < 80<<20 && five-b.peak <= same}})
	b.add(row{fmt.Sprintf("peak memory, %d mails and 10 of 39 MiB", large.mails), inMiB(ten), "", 0,
		aim{fmt.Sprintf("at most 40 MiB more than %.0f", mib(b.peak)), ten-b.peak <= 40<<20}})
	return nil
}
