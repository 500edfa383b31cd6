package core

import (
	"context"
	"errors"
	"time"
)

// Tick claims one tick of a chore for this process; false if another has it.
// tick is the time the clock was set to, not the time it is.
func (d *Desk) Tick(ctx context.Context, chore string, tick time.Time) (bool, error) {
	var won bool
	err := d.inTx(ctx, func(tx *tx) (err error) {
		won, err = claimTick(ctx, tx, chore, tick.UTC())
		return err
	})
	return won, err
}

// closedInARun bounds what one run closes (R62): if something is wrong with the
// clocks, it is seen before everything is closed.
const closedInARun = 50

// Remind reminds customers of cases that wait for them, as each status says:
// the days count in the desk's zone, from when the case got the status or the
// last public word on it. It returns how many were reminded.
func (d *Desk) Remind(ctx context.Context) (int, error) {
	if d.jumpedLately() {
		return 0, nil
	}
	return d.eachDue(ctx, d.dueReminders, d.remindOne)
}

// CloseSilent announces the closing of cases that have been silent, and closes
// those whose time has come. It returns how many it announced or closed.
func (d *Desk) CloseSilent(ctx context.Context) (int, error) {
	if d.jumpedLately() {
		return 0, nil
	}
	return d.eachDue(ctx, d.dueClosings, d.closeOne)
}

// WakeUp ends the rest of cases whose date has come.
func (d *Desk) WakeUp(ctx context.Context) (int, error) {
	return d.eachDue(ctx, d.dueWakings, d.wakeOne)
}

// due is one thing that the clock has to do to a case.
type due struct {
	CaseID int64
	Rule   string // "remind-3", "announce", "close", "wake"
	Period string // since when: with it the rule runs once (R62)
	to     string
	kind   Kind
	when   time.Time
}

// eachDue does what is due, each in a transaction of its own: one case that
// cannot be done keeps no other from it.
func (d *Desk) eachDue(ctx context.Context, find func(context.Context, *tx) ([]due, error),
	do func(context.Context, *tx, due) (bool, error)) (int, error) {
	var list []due
	err := d.readTx(ctx, func(tx *tx) (err error) {
		list, err = find(ctx, tx)
		return err
	})
	if err != nil {
		return 0, err
	}
	n := 0
	var failed []error
	for _, item := range list {
		var did bool
		err := d.inTx(ctx, func(tx *tx) (err error) {
			did, err = do(ctx, tx, item)
			return err
		})
		switch {
		case errors.Is(err, ErrUnavailable):
			return n, err
		case err != nil:
			failed = append(failed, err)
		case did:
			n++
		}
	}
	if n > 0 {
		d.hint()
	}
	return n, errors.Join(failed...)
}

// SendDigests gathers the notices that waited into one mail for each agent:
// there were too many to send each (R47).
func (d *Desk) SendDigests(ctx context.Context) (int, error) { return d.digests(ctx, gathered) }

// SendHourly gathers what waited for the digest of the hour into one mail for
// each person: so they, or their desk, want to hear of it.
func (d *Desk) SendHourly(ctx context.Context) (int, error) { return d.digests(ctx, forDigest) }

func (d *Desk) digests(ctx context.Context, reason string) (int, error) {
	n := 0
	err := d.inTx(ctx, func(tx *tx) (err error) {
		n, err = d.sendDigests(ctx, tx, reason)
		return err
	})
	if n > 0 {
		d.hint()
	}
	return n, err
}

// Prune deletes what is kept no longer: bytes of sent letters, sessions,
// secrets, undos, ticks. Cases, their files and the raw mail stay.
func (d *Desk) Prune(ctx context.Context) error {
	return d.inTx(ctx, func(tx *tx) error { return prune(ctx, tx) })
}
