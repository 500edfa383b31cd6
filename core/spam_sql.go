package core

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

func contact(ctx context.Context, t *tx, address string) (Contact, error) {
	rows, _ := t.Query(ctx, `
		select a.address, p.name, coalesce(o.name, '') as organisation, p.verified_at is not null as verified,
			p.blocked_at as blocked, a.suppressed_at as suppressed, a.suppressed_reason as reason,
			(select count(*) from cases c where c.requester = p.id) as cases
		from address a join person p on p.id = a.person
		left join member m on m.person = p.id left join organisation o on o.id = m.organisation
		where a.address = $1`, address)
	c, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Contact])
	return c, notFound(err)
}

func setBlocked(ctx context.Context, t *tx, address string, blocked bool) error {
	var agent bool
	err := t.QueryRow(ctx, `
		select exists (select from agent g join address a on a.person = g.person where a.address = $1)`, address).Scan(&agent)
	if err != nil {
		return err
	}
	if agent && blocked {
		return fmt.Errorf("%s is an agent: %w", address, ErrNotAllowed)
	}
	if !blocked {
		tag, err := t.Exec(ctx, `
			update person set blocked_at = null
			where id = (select person from address where address = $1) and blocked_at is not null`, address)
		if err == nil && tag.RowsAffected() == 0 {
			return fmt.Errorf("%s is not blocked: %w", address, ErrNotFound)
		}
		return err
	}
	person, err := personAt(ctx, t, address, "")
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `update person set blocked_at = coalesce(blocked_at, $2) where id = $1`, person, t.now)
	return err
}

func unsuppress(ctx context.Context, t *tx, address string) error {
	tag, err := t.Exec(ctx, `
		update address set suppressed_at = null, suppressed_reason = ''
		where address = $1 and suppressed_at is not null`, address)
	if err == nil && tag.RowsAffected() == 0 {
		return fmt.Errorf("%s is not suppressed: %w", address, ErrNotFound)
	}
	return err
}

// heldSender is From of a held mail that a viewer may decide on.
func heldSender(ctx context.Context, t *tx, v Viewer, ledger int64) (string, error) {
	var address string
	err := t.QueryRow(ctx, `select l.from_address from ledger l where `+isHeld+` and `+heldOf+` and l.id = $2`, v.person, ledger).Scan(&address)
	return address, notFound(err)
}

// queueBlock blocks a person, or no longer.
func queueBlock(b *pgx.Batch, t *tx, p *plan) {
	if p.blocked {
		b.Queue(`update person set blocked_at = coalesce(blocked_at, $2) where id = $1`, p.block, t.now)
		return
	}
	b.Queue(`update person set blocked_at = null where id = $1`, p.block)
}

// queueRescue ends the row of a mail that a person took out of the junk
// folder: the mail server has it there no longer, and is told nothing.
func queueRescue(b *pgx.Batch, t *tx, row int64, by int64) {
	b.Queue(`
		update ledger set state = 'duplicate', outcome = 'duplicate', ended_at = $2, told = true,
			reason = 'taken out of the junk folder: ledger row ' || $3::bigint
		where id = $1 and state = 'held'`, row, t.now, by)
}
