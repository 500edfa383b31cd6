package core

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"postern/core/token"
)

// probeLife is how long a probe that came back proves that plus addresses
// work. A new one goes out every day (R33).
const probeLife = 3 * 24 * time.Hour

// Probe mails every desk itself at a plus address: until that comes back, no
// reply address is used (R33). It is owed once a day, and at the first start.
func (d *Desk) Probe(ctx context.Context) error {
	for _, key := range d.Desks() {
		desk, err := d.desk(key)
		if err != nil || desk.from == "" {
			continue
		}
		err = d.inTx(ctx, func(tx *tx) error { return d.probeOne(ctx, tx, desk) })
		if err != nil {
			return err
		}
	}
	d.hint()
	return nil
}

// probeEvery is how often a probe is sent; and until the first has come back,
// how often another one.
const probeEvery, probeAgain = 24 * time.Hour, 15 * time.Minute

func (d *Desk) probeOne(ctx context.Context, t *tx, desk *running) error {
	var sent *time.Time
	var back bool
	err := t.QueryRow(ctx, `
		select max(sent_at), coalesce(bool_or(back_at is not null), false) from probe
		where desk = $1 and sent_at > $2`, desk.id, t.now.Add(-probeEvery)).Scan(&sent, &back)
	if err != nil || sent != nil && (back || sent.After(t.now.Add(-probeAgain))) {
		return err
	}
	b := &pgx.Batch{}
	w := draft{kind: ProbeMail, to: recipient{address: desk.from, language: "en", agent: true}}
	var number int64
	if err := t.QueryRow(ctx, `select coalesce(max(id), 0) + 1 from outbox`).Scan(&number); err != nil {
		return err
	}
	id := d.queueLetter(b, t, cause{"probe", number}, desk, 0, gate(w, nil, counts{}, d.set.Budgets, 0, t.now))
	b.Queue(`insert into probe (hash, desk, sent_at) values ($1, $2, $3)`,
		token.Hash(d.set.Key.Reply("probe", id)), desk.id, t.now)
	b.Queue(`delete from probe where sent_at < $1`, t.now.Add(-30*24*time.Hour))
	return run(ctx, t, b)
}

// ProbeLine is what is known of a desk's plus addresses.
type ProbeLine struct {
	Desk       string
	Address    string
	SentAt     *time.Time
	BackAt     *time.Time
	ReturnPath bool // and our bounce address came back in Return-Path (R53)
}

// ProbeState tells of every desk whether its plus addresses work.
func (d *Desk) ProbeState(ctx context.Context) ([]ProbeLine, error) {
	var lines []ProbeLine
	err := d.readTx(ctx, func(tx *tx) error {
		lines = nil
		for _, key := range d.Desks() {
			desk, err := d.desk(key)
			if err != nil {
				return err
			}
			l := ProbeLine{Desk: key, Address: desk.from}
			err = tx.QueryRow(ctx, `
				select sent_at, back_at, return_path from probe where desk = $1
				order by back_at is null, sent_at desc limit 1`, desk.id).Scan(&l.SentAt, &l.BackAt, &l.ReturnPath)
			if err != nil && err != pgx.ErrNoRows {
				return err
			}
			lines = append(lines, l)
		}
		return nil
	})
	return lines, err
}
