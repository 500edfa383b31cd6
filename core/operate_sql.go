package core

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

func counted[K ~string](into map[K]int64) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var k string
		var n int64
		_, err := pgx.ForEachRow(rows, []any{&k, &n}, func() error {
			into[K(k)] = n
			return nil
		})
		return err
	}
}

func stats(ctx context.Context, t *tx, set Settings) (Stats, error) {
	s := Stats{Ledger: map[State]int64{}, Class: map[Class]int64{}, Outbox: map[string]int64{}}
	var stored, unsent *time.Time
	b := &pgx.Batch{}
	b.Queue(`select state, count(*) from ledger group by state`).Query(counted(s.Ledger))
	b.Queue(`select class, count(*) from ledger where class <> '' group by class`).Query(counted(s.Class))
	b.Queue(`select state, count(*) from outbox group by state`).Query(counted(s.Outbox))
	b.Queue(`select min(kept_at) from ledger where state = 'stored'`).Query(value(&stored))
	b.Queue(`
		select min(queued_at) from outbox
		where state in ('queued', 'sending', 'retry', 'dotted')`).Query(value(&unsent))
	accounts, folders := set.polled()
	b.Queue(`
		select account, folder, polled_at from mailbox
		where (account, folder) in (select * from unnest($1::text[], $2::text[]))
		order by account, folder`, accounts, folders).Query(all(&s.Mailboxes))
	if err := run(ctx, t, b); err != nil {
		return s, err
	}
	if stored != nil {
		s.OldestStored = *stored
	}
	if unsent != nil {
		s.OldestUnsent = *unsent
	}
	return s, nil
}

func ledgerLines(ctx context.Context, t *tx, states []State, before int64, limit int) ([]HeldLine, error) {
	names := make([]string, len(states))
	for i, s := range states {
		names[i] = string(s)
	}
	rows, _ := t.Query(ctx, `
		select `+heldColumns+` from ledger l
		where l.state = any($1) and ($2 = 0 or l.id < $2)
		order by l.id desc limit $3`, names, before, limit)
	return pgx.CollectRows(rows, pgx.RowToStructByName[HeldLine])
}

func (d *Desk) ledgerView(ctx context.Context, t *tx, id int64) (LedgerView, error) {
	var v LedgerView
	var trace []byte
	var desk *int
	var number *int64
	err := t.QueryRow(ctx, `
		select l.id, l.state, l.reason, l.from_address, l.subject, l.received_at, l.size, l.class, l.assurance,
			b.account, l.folder, l.at_validity, l.at_uid, l.kept_at, l.ended_at, l.tries, l.due_at, l.header_only, l.outcome, l.message_id,
			l.trace, c.desk, c.number
		from ledger l join mailbox b on b.id = l.mailbox left join cases c on c.id = l.case_id
		where l.id = $1`, id).Scan(&v.Ledger, &v.State, &v.Reason, &v.From, &v.Subject, &v.Received, &v.Size, &v.Class, &v.Assurance,
		&v.Mailbox, &v.Folder, &v.UIDValidity, &v.UID, &v.KeptAt, &v.EndedAt, &v.Tries, &v.DueAt, &v.HeaderOnly, &v.Outcome, &v.MessageID,
		&trace, &desk, &number)
	if err != nil {
		return v, notFound(err)
	}
	if desk != nil {
		if r, err := d.deskByID(*desk); err == nil {
			v.Case = r.caseNumber(*number)
		}
	}
	if trace != nil {
		if err := json.Unmarshal(trace, &v.Trace); err != nil {
			return v, err
		}
	}
	rows, _ := t.Query(ctx, `
		select id, kind, address, state, reason from outbox
		where cause_kind in ('ledger', 'released') and cause_id = $1 order by id`, id)
	v.Letters, err = pgx.CollectRows(rows, pgx.RowToStructByName[LetterLine])
	return v, err
}

// waitsFor says what keeps something from being done with a mail; nil: it waits
// in one of the states, with its bytes. The row stays locked.
func waitsFor(ctx context.Context, t *tx, id int64, states ...State) error {
	var state State
	var bytes, headerOnly bool
	err := t.QueryRow(ctx, `select state, blob is not null, header_only from ledger where id = $1 for update`, id).
		Scan((*string)(&state), &bytes, &headerOnly)
	switch {
	case err == pgx.ErrNoRows:
		return fmt.Errorf("there is no such mail in the ledger: %w", ErrNotFound)
	case err != nil:
		return err
	case !slices.Contains(states, state):
		return fmt.Errorf("it is %s, not %s: %w", state, join(states), ErrNotAllowed)
	case !bytes:
		return fmt.Errorf("its bytes are no longer kept: %w", ErrNotAllowed)
	case headerOnly:
		return fmt.Errorf("its body was too large to take, it lies on the mail server: raise limits.mail, or answer it there: %w", ErrNotAllowed)
	}
	return nil
}

func join(states []State) string {
	words := make([]string, len(states))
	for i, s := range states {
		words[i] = string(s)
	}
	return strings.Join(words, " or ")
}

func retryRow(ctx context.Context, t *tx, id int64) error {
	if err := waitsFor(ctx, t, id, Quarantined); err != nil {
		return err
	}
	_, err := t.Exec(ctx, `
		update ledger set state = 'stored', tries = 0, due_at = $2, told = false, ended_at = null
		where id = $1`, id, t.now)
	return err
}
