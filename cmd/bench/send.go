package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// sent is what it took to empty an outbox.
type sent struct {
	mails int
	took  time.Duration
	cpu   cpu
	peak  int64 // of Postern
}

func (s sent) rate() float64 { return float64(s.mails) / s.took.Seconds() }

func (s sent) line(who string) string {
	peak := ""
	if s.peak > 0 {
		peak = fmt.Sprintf(", peak %.0f MiB", mib(s.peak))
	}
	return fmt.Sprintf("%-12s %6.0f mails/s, %.2f s CPU per 1,000%s", who, s.rate(), s.cpu.total().Seconds()*1000/float64(s.mails), peak)
}

// owing is an installation whose outbox holds mails that nothing has composed
// yet: Postern filed as many mails and did not send.
func (b *suite) owing(ctx context.Context, mails, connections int, smtp *sink) (i *instance, err error) {
	s, err := b.generate(profile{series: b.next("owed"), mails: mails, small: true})
	if err != nil {
		return nil, err
	}
	defer s.remove()
	if i, err = b.newInstance(ctx, 0, 0); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, i.remove(context.WithoutCancel(ctx)))
		}
	}()
	i.connections, i.smtp = connections, smtp
	if err := i.settings(0); err != nil {
		return nil, err
	}
	if err := s.fill(i.dovecot.MailDir(i.mailbox)); err != nil {
		return nil, err
	}
	p, err := i.serve("--hold")
	if err != nil {
		return nil, err
	}
	defer p.stop()
	db, err := pgx.Connect(ctx, i.databaseURL(i.database))
	if err != nil {
		return nil, err
	}
	defer db.Close(context.WithoutCancel(ctx))
	err = i.until(ctx, p, func() (left int, err error) {
		n, err := i.filed(ctx, db)
		return mails - n, err
	})
	if err == nil {
		err = i.right(ctx, db, mails)
	}
	return i, errors.Join(err, p.stop())
}

// until waits until nothing is left. It asks little, as its questions cost CPU
// time of PostgreSQL.
func (i *instance) until(ctx context.Context, p *process, ask func() (left int, err error)) error {
	least, at := -1, time.Now()
	for {
		left, err := ask()
		if err != nil || left <= 0 {
			return err
		}
		if least < 0 || left < least {
			least, at = left, time.Now()
		}
		if time.Since(at) > patience {
			return fmt.Errorf("postern stands still: %d are left; it said: %s", left, i.lastWords())
		}
		select {
		case <-p.done:
			return fmt.Errorf("postern ended: %s", i.lastWords())
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

const unsentLetters = `select count(*) from outbox where state in ('queued', 'retry', 'sending', 'dotted')`

// sendAll has Postern empty its outbox.
func (i *instance) sendAll(ctx context.Context) (d sent, err error) {
	db, err := pgx.Connect(ctx, i.databaseURL(i.database))
	if err != nil {
		return d, err
	}
	defer db.Close(context.WithoutCancel(ctx))
	if err := db.QueryRow(ctx, unsentLetters).Scan(&d.mails); err != nil {
		return d, err
	}
	sink := i.sink
	if i.smtp != nil {
		sink = i.smtp
	}
	if _, err := db.Exec(ctx, "checkpoint"); err != nil { // what was filed shall not fall into it
		return d, err
	}
	sink.forget()
	spent := i.spent(0)
	p, err := i.serve()
	if err != nil {
		return d, err
	}
	defer p.stop()
	err = i.until(ctx, p, func() (left int, err error) {
		return left, db.QueryRow(ctx, unsentLetters).Scan(&left)
	})
	if err != nil {
		return d, err
	}
	d.cpu = i.spent(p.Process.Pid).minus(spent)
	if d.peak, err = peakMemory(p.Process.Pid); err != nil {
		return d, err
	}
	if err := i.keepProfile(ctx, p); err != nil {
		return d, err
	}
	if err := p.stop(); err != nil {
		return d, err
	}
	began, err := i.servingSince()
	if err != nil {
		return d, err
	}
	n, last := sink.mails()
	if d.mails == 0 || n < d.mails*9/10 { // digests of notices and the probe come on top
		return d, fmt.Errorf("%d of %d mails came to the sink: this measures something else", n, d.mails)
	}
	d.mails, d.took = n, last.Sub(began)
	return d, nil
}

// sendRaw has the raw senders send what Postern has composed for this
// installation: the same bytes, ready-made, with the commits of R58.
func (i *instance) sendRaw(ctx context.Context) (d sent, err error) {
	from, err := pgx.Connect(ctx, i.databaseURL(i.database))
	if err != nil {
		return d, err
	}
	defer from.Close(context.WithoutCancel(ctx))
	database, err := i.newDatabase(ctx, 0)
	if err != nil {
		return d, err
	}
	defer i.dropDatabase(context.WithoutCancel(ctx), database)
	if err := i.rawTables(ctx, database); err != nil {
		return d, err
	}
	to, err := pgx.Connect(ctx, i.databaseURL(database))
	if err != nil {
		return d, err
	}
	defer to.Close(context.WithoutCancel(ctx))
	rows, err := from.Query(ctx, `select address, bytes, queued_at from outbox where state = 'sent' and bytes is not null and kind <> 'probe'`)
	if err != nil {
		return d, err
	}
	defer rows.Close()
	n, err := to.CopyFrom(ctx, pgx.Identifier{"letter"}, []string{"address", "bytes", "due_at"}, pgx.CopyFromFunc(func() ([]any, error) {
		if !rows.Next() {
			return nil, rows.Err()
		}
		return rows.Values()
	}))
	if err != nil {
		return d, err
	}
	// PostgreSQL knows the outbox from its filing: it shall know this table, too
	if _, err := to.Exec(ctx, "analyze letter"); err != nil {
		return d, err
	}
	if _, err := to.Exec(ctx, "checkpoint"); err != nil {
		return d, err
	}
	order, err := json.Marshal(rawOrder{Database: i.databaseURL(database), SMTP: i.sink.addr, Out: int(n), Ready: true})
	if err != nil {
		return d, err
	}
	i.sink.forget()
	cmd := exec.Command(ourselves(), "raw")
	var said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(order), &said, os.Stderr
	spent := i.spent(0)
	p, err := start(cmd)
	if err != nil {
		return d, err
	}
	if err := p.wait(ctx); err != nil {
		return d, fmt.Errorf("raw senders: %w", err)
	}
	d.cpu = i.spent(0).minus(spent)
	d.cpu.pipeline = p.ProcessState.UserTime() + p.ProcessState.SystemTime()
	var done rawDone
	if err := json.Unmarshal(said.Bytes(), &done); err != nil {
		return d, err
	}
	d.mails, d.took = int(n), done.Ended.Sub(done.Began)
	return d, nil
}

// measureSending lets both take turns, and takes the round in the middle.
func measureSending(ctx context.Context, b *suite) error {
	mails := 2000
	if b.quick {
		mails = 400
	}
	type pair struct{ postern, raw sent }
	var rounds []pair
	for range b.rounds {
		var now pair
		err := func() (err error) {
			i, err := b.owing(ctx, mails, 0, nil)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, i.remove(context.WithoutCancel(ctx))) }()
			i.profile = b.profile
			if now.postern, err = i.sendAll(ctx); err != nil {
				return err
			}
			now.raw, err = i.sendRaw(ctx)
			return err
		}()
		if err != nil {
			return err
		}
		b.say("%s", now.postern.line("Postern"))
		b.say("%s", now.raw.line("raw senders"))
		rounds = append(rounds, now)
	}
	ratio := func(p pair) float64 { return p.postern.rate() / p.raw.rate() }
	slices.SortFunc(rounds, func(x, y pair) int { return cmp.Compare(ratio(x), ratio(y)) })
	m := rounds[len(rounds)/2]
	b.add(row{fmt.Sprintf("composing and sending %d mails", m.postern.mails), perSecond(m.postern.rate()), perSecond(m.raw.rate()) + " (ready-made)", ratio(m), atLeast(ratio(m), 0.5)})
	b.add(row{"peak memory while sending", inMiB(m.postern.peak), "", 0, aim{"< 80 MiB", m.postern.peak < 80<<20}})
	return nil
}

// measureSlowAnswers sends to a server that takes its time.
func measureSlowAnswers(ctx context.Context, b *suite) (err error) {
	smtp, err := startSink(200 * time.Millisecond)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, smtp.stop()) }()
	for _, c := range []struct {
		connections, mails int
		least              float64 // mails a second
	}{{4, 100, 4.5}, {12, 300, 13}} {
		err := func() (err error) {
			i, err := b.owing(ctx, c.mails, c.connections, smtp)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, i.remove(context.WithoutCancel(ctx))) }()
			d, err := i.sendAll(ctx)
			if err != nil {
				return err
			}
			b.say("%d connections: %d mails in %.1f s", c.connections, d.mails, d.took.Seconds())
			b.add(row{fmt.Sprintf("sending, 200 ms for each answer, %d connections", c.connections), fmt.Sprintf("%.1f/s", d.rate()), "", 0,
				aim{fmt.Sprintf(">= %g/s", c.least), d.rate() >= c.least}})
			return nil
		}()
		if err != nil {
			return err
		}
	}
	return nil
}
