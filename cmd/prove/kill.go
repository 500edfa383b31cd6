package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
)

// answerBefore is the one point that is not in Postern but in the sink: it has
// the final dot and has not answered yet.
const answerBefore = "answer-before"

// point is a named one. Postern is killed there at its n-th pass, most at most.
// Where nothing else would be under way by then, the sink is slow.
type point struct {
	name string
	most int
	slow bool
}

var points = []point{
	{"keep-before", 2, true}, {"keep-after", 2, false}, {"receive-before", 6, false}, {"receive-after", 6, false},
	{"told-before", 1, true}, {"told-after", 1, true}, {"claim-before", 3, true}, {"claim-after", 2, false},
	{"dotted-before", 4, false}, {"dotted-after", 4, false}, {answerBefore, 4, false},
	{"sent-before", 4, false}, {"sent-after", 4, true}, {"lease-after", 1, true},
}

const (
	latestMoment = 4500 * time.Millisecond // of a random kill, after the start
	latestFeed   = 3 * time.Second         // of a round's mails
	leastShare   = 3                       // mails: one to be killed at, others to be under way
	givesUp      = 8 * time.Second         // with nothing under way, and no point that came
	settles      = 2 * time.Minute         // the work that is left after the last kill
)

// kill is one end of Postern's life.
type kill struct {
	point  string // empty: a random moment
	at     time.Time
	life   int
	ledger map[int64]bool   // rows that were stored
	outbox map[int64]string // letters that were not at their end, and their state
}

func (k kill) busy() bool { return len(k.ledger)+len(k.outbox) > 0 }

// proof is one run of everything.
type proof struct {
	world    *world
	options  options
	random   *rand.Rand
	feeder   *feeder
	progress *progress
	life     int
	kills    []kill
	idle     int // kills that found everything at its end: not counted
	began    time.Time
	took     time.Duration
	places   map[place]string // where each mail lies at the end
}

func newRun(_ context.Context, w *world, o options, p *progress) (*proof, error) {
	return &proof{world: w, options: o, random: rand.New(rand.NewPCG(o.seed, 3)), feeder: newFeeder(w, o), progress: p, began: time.Now()}, nil
}

// all feeds and kills until both are done, lets Postern come to an end with
// everything, and looks where the mail lies.
func (r *proof) all(ctx context.Context) (err error) {
	defer func() { r.progress.end() }()
	if err := r.warmUp(ctx); err != nil {
		return err
	}
	feeding, stop := context.WithCancel(ctx)
	fed := make(chan struct{})
	go func() { defer close(fed); r.feeder.run(feeding) }()
	defer func() { stop(); <-fed }()

	plan, again := r.plan(), false
	for tries := 0; len(r.kills) < len(plan); tries++ {
		if unfed, _, _ := r.feeder.left(); tries > 3*len(plan)+3 || again && unfed == 0 {
			return fmt.Errorf("only %d of %d kills came while work was under way", len(r.kills), len(plan))
		}
		before := len(r.kills)
		if err := r.round(ctx, plan[before], len(plan)-before, again); err != nil {
			return err
		}
		again = len(r.kills) == before
	}
	if err := r.finish(ctx); err != nil {
		return err
	}
	r.took = time.Since(r.began)
	r.places, err = r.world.inbox.list()
	return err
}

// plan is which points come, in an order drawn from the seed; empty for random
// moments.
func (r *proof) plan() []point {
	list := make([]point, r.options.kills)
	order := r.random.Perm(len(points)) // with few kills not all of them come
	for i := range len(list) * 2 / 5 {
		list[i] = points[order[i%len(order)]]
	}
	r.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// warmUp has Postern add its mailbox and find out that plus addresses work, as
// at any first start.
func (r *proof) warmUp(ctx context.Context) error {
	r.progress.say("the first start")
	p, err := r.begin("", false)
	if err != nil {
		return err
	}
	defer p.kill()
	err = r.until(ctx, p, time.Minute, func() (bool, error) {
		var back bool
		err := r.world.pool.QueryRow(ctx, `
			select exists (select from probe where back_at is not null) and not exists (select from ledger where not told)
				and not exists (select from outbox where state <> 'sent')`).Scan(&back)
		return back, err
	})
	if err != nil {
		return fmt.Errorf("the first start: %w", err)
	}
	return p.stop()
}

func (r *proof) begin(kill string, slow bool) (*process, error) {
	r.life++
	r.world.sink.begin(r.life, slow)
	return r.world.start(kill)
}

// until waits for something in the life of p.
func (r *proof) until(ctx context.Context, p *process, most time.Duration, what func() (bool, error)) error {
	late := time.After(most)
	for {
		if ok, err := what(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.New("interrupted")
		case <-p.done:
			return p.killed()
		case <-late:
			return fmt.Errorf("nothing came of it in %s", most)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// round is one life: it begins, gets its share of mail at some moment, and is
// killed at the point or at a random moment with work on its way. again says
// that it did not come to that the last time.
func (r *proof) round(ctx context.Context, at point, roundsLeft int, again bool) error {
	unfed, _, err := r.feeder.left()
	if err != nil {
		return err
	}
	share := (unfed + roundsLeft) / (roundsLeft + 1)
	if again {
		share = min(leastShare, unfed) // the others are for the rounds to come
	}
	set, n := "", 1
	if most := min(at.most, share/2); most > 0 && !again { // each mail passes most points once
		n = 1 + r.random.IntN(most)
	}
	if at.name != "" && at.name != answerBefore {
		set = fmt.Sprintf("%s %d %s", at.name, n, r.world.busyFile())
	}
	feedAt, killAt := r.draw(latestFeed), r.draw(latestMoment)
	p, err := r.begin(set, at.slow)
	if err != nil {
		return err
	}
	defer p.kill() // in case we leave early
	defer func() { _ = os.Remove(r.world.busyFile()) }()
	if at.name == answerBefore { // its letter is under way itself
		r.world.sink.set(n, p.kill)
		defer r.world.sink.set(0, nil)
	}
	given, armed, quiet := false, false, p.began
	for !p.over() {
		select {
		case <-ctx.Done():
			return errors.New("interrupted")
		case <-p.done:
			continue
		case <-time.After(10 * time.Millisecond):
		}
		busy, kept, err := r.work(ctx)
		if err != nil {
			return err
		}
		unfed, allowed, err := r.feeder.left()
		if err != nil {
			return err
		}
		if armed, err = r.arm(busy, armed); err != nil {
			return err
		}
		if busy || allowed > 0 || kept < r.options.mails-unfed {
			quiet = time.Now()
		}
		switch still := time.Since(quiet); {
		case !given && time.Since(p.began) > feedAt:
			r.feeder.allow(share)
			given = true
		case at.name == "" && time.Since(p.began) > killAt && busy, still > givesUp:
			p.kill()
		case given && still > time.Second && unfed > leastShare*roundsLeft:
			r.feeder.allow(2) // everything is at its end, and the point has not come
			quiet = time.Now()
		}
	}
	if err := p.killed(); err != nil {
		return err
	}
	k, err := r.autopsy(ctx)
	if err != nil {
		return err
	}
	k.point, k.at, k.life = at.name, p.ended, r.life
	if !k.busy() {
		r.idle++
		return nil
	}
	r.kills = append(r.kills, k)
	unfed, _, err = r.feeder.left()
	r.progress.say("%d of %d mails, %d of %d kills, %s", r.options.mails-unfed, r.options.mails,
		len(r.kills), r.options.kills, time.Since(r.began).Round(time.Second))
	return err
}

// arm lets Postern kill itself at its point while work is under way.
func (r *proof) arm(busy, armed bool) (bool, error) {
	switch {
	case busy && !armed:
		return true, os.WriteFile(r.world.busyFile(), nil, 0o600)
	case armed && !busy:
		return false, os.Remove(r.world.busyFile())
	}
	return armed, nil
}

func (r *proof) draw(most time.Duration) time.Duration {
	return time.Duration(r.random.Int64N(int64(most)))
}

// unfinished is a letter that is not at its end (R58, R59).
const unfinished = `(state in ('queued', 'sending', 'dotted', 'retry') or state = 'uncertain' and not resent)`

// work says whether any row is not at its end, and how many of the fed mails
// have one.
func (r *proof) work(ctx context.Context) (busy bool, kept int, err error) {
	err = r.world.pool.QueryRow(ctx, `
		select exists (select from ledger where state = 'stored') or exists (select from outbox where `+unfinished+`),
			(select count(*) from ledger l join mailbox m on m.id = l.mailbox
				where m.folder = 'INBOX') - (select count(*) from probe where back_at is not null)`).Scan(&busy, &kept)
	return busy, kept, err
}

// autopsy waits until the dead process's sessions are over, since a commit that
// was on its way may still be done, and notes what was not at its end.
func (r *proof) autopsy(ctx context.Context) (kill, error) {
	k := kill{ledger: make(map[int64]bool), outbox: make(map[int64]string)}
	for range 500 {
		var left int
		err := r.world.pool.QueryRow(ctx, `
			select count(*) from pg_stat_activity
			where datname = current_database() and application_name <> $1 and backend_type = 'client backend'`, ours).Scan(&left)
		if err != nil {
			return k, err
		}
		if left > 0 {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		var id int64
		var state string
		rows, _ := r.world.pool.Query(ctx, `select id from ledger where state = 'stored'`)
		if _, err := pgx.ForEachRow(rows, []any{&id}, func() error { k.ledger[id] = true; return nil }); err != nil {
			return k, err
		}
		rows, _ = r.world.pool.Query(ctx, `select id, state from outbox where `+unfinished)
		_, err = pgx.ForEachRow(rows, []any{&id, &state}, func() error { k.outbox[id] = state; return nil })
		return k, err
	}
	return k, errors.New("the sessions of a dead Postern do not end")
}

// finish lets one last life come to the end of everything, and stops it.
func (r *proof) finish(ctx context.Context) error {
	p, err := r.begin("", false)
	if err != nil {
		return err
	}
	defer p.kill()
	r.feeder.allow(r.options.mails)
	err = r.until(ctx, p, settles, func() (bool, error) {
		unfed, _, err := r.feeder.left()
		r.progress.say("the end: %d mails to come, %s", unfed, time.Since(r.began).Round(time.Second))
		if err != nil || unfed > 0 {
			return false, err
		}
		var over bool
		err = r.world.pool.QueryRow(ctx, `
			select (select count(distinct message_id) from ledger) >= $1 + 1
				and not exists (select from ledger where state = 'stored' or not told)
				and not exists (select from outbox where `+unfinished+`)`, r.options.mails).Scan(&over)
		return over, err
	})
	if err != nil { // what is missing is for the checks to say
		r.progress.say("")
		fmt.Fprintln(r.world.stderr, "prove: the work did not come to its end:", err)
		if ctx.Err() != nil || p.over() {
			return err
		}
	}
	return p.stop()
}
