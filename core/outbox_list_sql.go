package core

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

const outboxColumns = `o.id, o.kind, o.address, o.state, o.reason, o.queued_at, o.due_at, o.dotted_at, o.sent_at as ended_at,
	o.tries, o.resent, o.desk, c.number`

func (d *Desk) outboxLines(ctx context.Context, t *tx, states []string, before int64, limit int) ([]OutboxLine, error) {
	rows, _ := t.Query(ctx, `
		select `+outboxColumns+` from outbox o left join cases c on c.id = o.case_id
		where (cardinality($1::text[]) = 0 or o.state = any($1)) and ($2 = 0 or o.id < $2)
		order by o.id desc limit $3`, append([]string{}, states...), before, limit)
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (OutboxLine, error) {
		var o OutboxLine
		_, err := d.scanOutbox(r, &o)
		return o, err
	})
}

// scanOutbox reads outboxColumns, and what follows them.
func (d *Desk) scanOutbox(r pgx.Row, o *OutboxLine, more ...any) (desk int, err error) {
	var number *int64
	err = r.Scan(append([]any{&o.ID, &o.Kind, &o.Address, &o.State, &o.Reason, &o.QueuedAt, &o.DueAt, &o.DottedAt, &o.EndedAt,
		&o.Tries, &o.Resent, &desk, &number}, more...)...)
	if err != nil {
		return 0, notFound(err)
	}
	if running, err := d.deskByID(desk); err == nil && number != nil {
		o.Case = running.caseNumber(*number)
	}
	return desk, nil
}

func (d *Desk) outboxView(ctx context.Context, t *tx, id int64) (OutboxView, error) {
	var v OutboxView
	desk, err := d.scanOutbox(t.QueryRow(ctx, `
		select `+outboxColumns+`, coalesce(o.payload->>'title', ''), o.message_id, o.return_path, coalesce(length(o.bytes), 0), o.secret, o.expires_at
		from outbox o left join cases c on c.id = o.case_id
		where o.id = $1`, id), &v.OutboxLine, &v.Title, &v.MessageID, &v.Envelope, &v.Bytes, &v.Secret, &v.ExpiresAt)
	if err != nil {
		return v, err
	}
	if running, err := d.deskByID(desk); err == nil {
		v.Desk = running.Key
	}
	return v, nil
}

// handLetter is an uncertain letter, locked. Only uncertain makes one.
type handLetter struct {
	ID     int64
	Desk   int
	CaseID *int64
	State  string
	Bytes  bool
	Secret bool
	Addr   string
}

// uncertain locks a letter that waits for a person's word; of that case, if one
// is named.
func uncertain(ctx context.Context, t *tx, id, caseID int64) (handLetter, error) {
	rows, _ := t.Query(ctx, `
		select id, desk, case_id, state, bytes is not null as bytes, secret, address as addr from outbox
		where id = $1 and ($2 = 0 or case_id = $2) for update`, id, caseID)
	l, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[handLetter])
	switch {
	case err == pgx.ErrNoRows:
		return l, fmt.Errorf("there is no such letter: %w", ErrNotFound)
	case err != nil:
		return l, err
	case l.State != "uncertain":
		return l, fmt.Errorf("it is %s, not uncertain: %w", l.State, ErrNotAllowed)
	}
	return l, nil
}

// agentOfDesk is the agent of a desk with an address; 0 if there is none.
func agentOfDesk(ctx context.Context, t *tx, desk int, address string) (person int64, err error) {
	err = t.QueryRow(ctx, `
		select g.person from agent g join address a on a.person = g.person
		where a.address = lower($1) and g.desk = $2`, address, desk).Scan(&person)
	if err == pgx.ErrNoRows {
		return 0, nil
	}
	return person, err
}

// settleByHand carries a person's word out (R59).
func (d *Desk) settleByHand(ctx context.Context, t *tx, l handLetter, word LetterWord, by saidBy) error {
	why := settledWhy[word]
	if by.operator != "" {
		why += " (" + by.operator + ")"
	}
	b := &pgx.Batch{}
	switch word {
	case ItArrived:
		b.Queue(`
			update outbox set state = 'sent', sent_at = $2, reason = $3, bytes = case when secret then null else bytes end
			where id = $1`, l.ID, t.now, why)
	case SendAgain:
		if !l.Bytes {
			return fmt.Errorf("its bytes are no longer kept, and another mail would not be the same: %w", ErrNotAllowed)
		}
		// it stays re-sent: if nobody answers this time either, a person decides again
		b.Queue(`update outbox set state = 'retry', resent = true, due_at = $2, reason = $3 where id = $1`, l.ID, t.now, why)
	case GiveUp:
		b.Queue(`
			update outbox set state = 'failed', sent_at = $2, reason = $3, bytes = case when secret then null else bytes end
			where id = $1`, l.ID, t.now, why)
		if err := d.queueFailed(ctx, t, b, l.ID, why); err != nil {
			return err
		}
	default:
		return fmt.Errorf("there is no word %q: %w", clean(string(word), 20), ErrNotAllowed)
	}
	if l.CaseID != nil {
		queueEvent(b, t, *l.CaseID, newEvent{kind: "letter-" + string(word), actor: by.person, was: l.Addr, why: by.operator, internal: true}, Mail{})
	}
	return run(ctx, t, b)
}
