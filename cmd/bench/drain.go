package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// drain is what it took to empty a mailbox.
type drain struct {
	mails, sent int
	took        time.Duration
	cpu         cpu
	peak        int64 // bytes of memory of Postern
}

func (d drain) rate() float64 { return float64(d.mails) / d.took.Seconds() }

// per1000 is the CPU seconds of all processes for 1,000 mails.
func (d drain) per1000() float64 { return d.cpu.total().Seconds() * 1000 / float64(d.mails) }

// cpu is time by who spent it.
type cpu struct{ pipeline, postgres, dovecot, sink time.Duration }

func (c cpu) total() time.Duration { return c.pipeline + c.postgres + c.dovecot + c.sink }

func (c cpu) minus(b cpu) cpu {
	return cpu{c.pipeline - b.pipeline, c.postgres - b.postgres, c.dovecot - b.dovecot, c.sink - b.sink}
}

// spent is the CPU time so far. pipeline 0: it has not begun.
func (w *world) spent(pipeline int) cpu {
	c := cpu{postgres: treeCPU(w.pg.PID()), dovecot: treeCPU(w.dovecot.PID()), sink: treeCPU(w.sink.Process.Pid)}
	if pipeline != 0 {
		c.pipeline = treeCPU(pipeline)
	}
	return c
}

// patience is how long a drain may stand still.
const patience = 40 * time.Second

// drain has Postern empty its mailbox, in which lie so many mails that it does
// not know, and checks what it made of them.
func (i *instance) drain(ctx context.Context, mails int) (d drain, err error) {
	db, err := pgx.Connect(ctx, i.databaseURL(i.database))
	if err != nil {
		return d, err
	}
	defer db.Close(context.WithoutCancel(ctx))
	before, err := i.filed(ctx, db)
	if err != nil {
		return d, err
	}
	i.sink.forget()
	spent := i.spent(0)
	p, err := i.serve()
	if err != nil {
		return d, err
	}
	defer p.stop()
	if err := i.drained(ctx, db, p, before+mails); err != nil {
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
	var last time.Time
	d.mails = mails
	d.sent, last = i.sink.mails()
	var ended time.Time
	if err := db.QueryRow(ctx, "select max(ended_at) from ledger").Scan(&ended); err != nil {
		return d, err
	}
	if ended.After(last) {
		last = ended
	}
	d.took = last.Sub(began)
	return d, i.right(ctx, db, before+mails)
}

func (i *instance) filed(ctx context.Context, db *pgx.Conn) (n int, err error) {
	err = db.QueryRow(ctx, "select count(*) from ledger where state <> 'stored'").Scan(&n)
	return n, err
}

// drained waits until every mail is filed and every letter sent. It asks
// little, as its questions cost CPU time of PostgreSQL.
func (i *instance) drained(ctx context.Context, db *pgx.Conn, p *process, mails int) error {
	progress, at := -1, time.Now()
	for {
		var kept, open int
		err := db.QueryRow(ctx, `
			select coalesce((select next_uid - 1 from mailbox), 0),
				(select count(*) from ledger where state = 'stored')
				+ (select count(*) from outbox where state in ('queued', 'retry', 'sending', 'dotted'))`).Scan(&kept, &open)
		if err != nil {
			return err
		}
		if kept >= mails && open == 0 {
			return nil
		}
		if now := kept - open; now != progress {
			progress, at = now, time.Now()
		}
		if time.Since(at) > patience {
			return fmt.Errorf("postern stands still: %d of %d mails kept, %d rows open; it said: %s", kept, mails, open, i.lastWords())
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

// right refuses figures of a drain that did not do its work.
func (i *instance) right(ctx context.Context, db *pgx.Conn, mails int) error {
	rows, _ := db.Query(ctx, `
		select state || ', ' || assurance || coalesce(nullif(', ' || reason, ', '), ''), count(*) from ledger
		where state <> 'filed' or assurance <> 'verified' group by 1 limit 5`)
	var fate string
	var n int
	var wrong []string
	_, err := pgx.ForEachRow(rows, []any{&fate, &n}, func() error {
		wrong = append(wrong, fmt.Sprintf("%d mails: %s", n, fate))
		return nil
	})
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		return fmt.Errorf("of %d mails not all were filed as verified, so this measures something else: %s", mails, strings.Join(wrong, "; "))
	}
	return nil
}
