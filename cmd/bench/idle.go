package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
)

// What Postern takes when there is next to nothing to do.

// calm is how long it takes until everything has settled after a mail: it is
// marked as read 300 ms later, and only then is IDLE on again.
const calm = 900 * time.Millisecond

func measureLatency(ctx context.Context, b *suite) (err error) {
	n, bare := 100, 40
	if b.quick {
		n, bare = 10, 6
	}
	s, err := b.generate(profile{series: "single", mails: n, small: true})
	if err != nil {
		return err
	}
	defer s.remove()
	news, err := b.newsDelay(ctx, s, bare)
	if err != nil {
		return err
	}
	b.say("Dovecot tells a bare IDLE client of a mail after %s (p50), %s (p95)", ms(news.at(50)), ms(news.at(95)))
	all, err := b.confirmations(ctx, s)
	if err != nil {
		return err
	}
	for i := range all {
		all[i] -= news.at(50)
	}
	commit := b.commit.at(50)
	most := 30*time.Millisecond + 3*commit
	b.say("arrival to confirmation, without that: p50 %s, p95 %s, of %d mails; a commit takes %s", ms(all.at(50)), ms(all.at(95)), n, ms(commit))
	b.add(row{fmt.Sprintf("arrival to confirmation, p50 (IDLE news of %s taken off)", ms(news.at(50))), ms(all.at(50)), "", 0, aim{}})
	b.add(row{"arrival to confirmation, p95", ms(all.at(95)), "", 0,
		aim{fmt.Sprintf("< %s: 30 ms + 3 commits of %s", ms(most), ms(commit)), all.at(95) < most}})
	return nil
}

// newsDelay is how long Dovecot holds news back.
func (b *suite) newsDelay(ctx context.Context, s *store, n int) (times, error) {
	user := b.next("box")
	dir := b.dovecot.MailDir(user)
	if err := makeMaildir(dir); err != nil {
		return nil, err
	}
	w, err := watch(b.dovecot.Addr(), user)
	if err != nil {
		return nil, err
	}
	defer w.close()
	var all times
	for i := range n {
		if err := sleep(ctx, calm); err != nil {
			return nil, err
		}
		limited, cancel := context.WithTimeout(ctx, 30*time.Second)
		d, err := w.delay(limited, func() error { return put(dir, s.files[i%len(s.files)]) })
		cancel()
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// confirmations are the times from a mail's arrival until the sink has its
// confirmation, one mail after another.
func (b *suite) confirmations(ctx context.Context, s *store) (all times, err error) {
	i, err := b.newInstance(ctx, 0, 20*time.Minute) // news come by IDLE, never by chance
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, i.remove(context.WithoutCancel(ctx))) }()
	dir := i.dovecot.MailDir(i.mailbox)
	if err := makeMaildir(dir); err != nil {
		return nil, err
	}
	p, err := i.serve()
	if err != nil {
		return nil, err
	}
	defer p.stop()
	if err := i.polled(ctx); err != nil {
		return nil, err
	}
	i.sink.forget()
	for n, file := range s.files {
		if err := sleep(ctx, calm); err != nil {
			return nil, err
		}
		now := time.Now()
		if err := os.Chtimes(file, now, now); err != nil {
			return nil, err
		}
		if err := put(dir, file); err != nil {
			return nil, err
		}
		_, to, _ := customer(s.senderOf(n))
		limited, cancel := context.WithTimeout(ctx, 30*time.Second)
		at, err := i.sink.wait(limited, to)
		cancel()
		if err != nil {
			return nil, fmt.Errorf("%w; postern said: %s", err, i.lastWords())
		}
		all = append(all, at.Sub(now))
	}
	return all, nil
}

// polled waits until Postern has looked into its mailbox.
func (i *instance) polled(ctx context.Context) error {
	db, err := pgx.Connect(ctx, i.databaseURL(i.database))
	if err != nil {
		return err
	}
	defer db.Close(context.WithoutCancel(ctx))
	for range 600 {
		var polled bool
		err := db.QueryRow(ctx, "select exists (select from mailbox where polled_at is not null)").Scan(&polled)
		if err != nil || polled {
			return err
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("postern does not poll: %s", i.lastWords())
}

// measurePolls has Postern poll every second and nothing else.
func measurePolls(ctx context.Context, b *suite) error {
	polls := 30
	if b.quick {
		polls = 7
	}
	for _, mails := range []int{10, 20_000} {
		one, err := b.poll(ctx, mails, polls)
		if err != nil {
			return err
		}
		b.say("%d mails: %s of CPU a poll (Postern %s, PostgreSQL %s, Dovecot %s), the median of %d", mails,
			ms(one.total()), ms(one.pipeline), ms(one.postgres), ms(one.dovecot), polls)
		b.add(row{fmt.Sprintf("CPU of an empty poll, %d mails", mails), ms(one.total()), "", 0,
			aim{"< 3 ms", one.total() < 3*time.Millisecond}})
	}
	return nil
}

// poll is the CPU time of a second in which Postern polls once: the median, so
// that what is done more rarely, by PostgreSQL above all, is not taken for part
// of it.
func (b *suite) poll(ctx context.Context, mails, polls int) (one cpu, err error) {
	i, err := b.newInstance(ctx, 0, time.Second)
	if err != nil {
		return one, err
	}
	defer func() { err = errors.Join(err, i.remove(context.WithoutCancel(ctx))) }()
	if err := fillOld(i.dovecot.MailDir(i.mailbox), i.path(i.next("old")), mails); err != nil {
		return one, err
	}
	p, err := i.serve()
	if err != nil {
		return one, err
	}
	defer p.stop()
	if err := i.polled(ctx); err != nil {
		return one, err
	}
	if err := sleep(ctx, 5*time.Second); err != nil { // Dovecot looks through a folder that was just changed once more
		return one, err
	}
	var pipeline, postgres, dovecot, sink times
	for range polls {
		before := i.spent(p.Process.Pid)
		if err := sleep(ctx, time.Second); err != nil {
			return one, err
		}
		now := i.spent(p.Process.Pid).minus(before)
		pipeline, postgres = append(pipeline, now.pipeline), append(postgres, now.postgres)
		dovecot, sink = append(dovecot, now.dovecot), append(sink, now.sink)
	}
	return cpu{pipeline.at(50), postgres.at(50), dovecot.at(50), sink.at(50)}, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
