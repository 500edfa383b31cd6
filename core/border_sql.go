package core

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

func beginBorderTest(ctx context.Context, t *tx, hash []byte, mailbox, name string) error {
	b := &pgx.Batch{}
	b.Queue(`insert into border_test (hash, mailbox, name, made_at) values ($1, $2, $3, $4)`, hash, mailbox, name, t.now)
	b.Queue(`delete from border_test where back_at is null and made_at < $1`, t.now.Add(-30*24*time.Hour))
	return run(ctx, t, b)
}

func borderState(ctx context.Context, t *tx, mailbox, name string) (BorderState, error) {
	var s BorderState
	err := t.QueryRow(ctx, `
		select max(made_at), max(back_at),
			coalesce((select not l.survived from border_test l
				where l.mailbox = $1 and l.name = $2 and l.back_at is not null
				order by l.back_at desc, l.survived desc limit 1), false)
		from border_test where mailbox = $1 and name = $2`, mailbox, name).Scan(&s.MadeAt, &s.BackAt, &s.Proved)
	return s, err
}

// provedBorder is the border that counts for a mailbox: authserv:NAME only
// after a test has come in without its forged fields, and none with them since.
func (d *Desk) provedBorder(ctx context.Context, t *tx, mailbox, border string) (string, error) {
	name, ok := strings.CutPrefix(border, "authserv:")
	if !ok {
		return border, nil
	}
	s, err := borderState(ctx, t, mailbox, strings.ToLower(name))
	if err != nil || s.Proved {
		return border, err
	}
	return "none, for " + border + " is not proved: postern doctor border", nil
}

// queueBorderTest asks whether a mail is the test of a border.
func queueBorderTest(b *pgx.Batch, hash []byte, f *facts) {
	b.Queue(`select hash, mailbox, name from border_test where hash = $1`, hash).Query(one(&f.border))
}

// queueBorderBack records that a test came in. What once came through is not
// undone by a copy that came in without.
func queueBorderBack(b *pgx.Batch, t *tx, p *plan) {
	b.Queue(`update border_test set back_at = $2, survived = survived or $3 where hash = $1`, p.border.Hash, t.now, p.forged)
}

func newestMail(ctx context.Context, t *tx, mailbox string, limit int) ([]LedgerBrief, error) {
	rows, _ := t.Query(ctx, `
		select l.id, l.received_at as received from ledger l join mailbox b on b.id = l.mailbox
		where b.account = $1 and l.blob is not null
		order by l.id desc limit $2`, mailbox, limit)
	return pgx.CollectRows(rows, pgx.RowToStructByName[LedgerBrief])
}
