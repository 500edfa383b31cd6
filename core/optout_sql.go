package core

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// optOutByLink finds the letter whose List-Unsubscribe a link stands in.
func (d *Desk) optOutByLink(ctx context.Context, t *tx, link string) (OptOut, optOut, error) {
	letter, secret := readOptOutLink(link)
	var v OptOut
	var l optOut
	var kind Kind
	var id, language string
	err := t.QueryRow(ctx, `
		select person, desk, kind, address, message_id, language from outbox
		where id = $1 and person is not null`, letter).
		Scan(&l.person, &l.desk, &kind, &v.Address, &id, &language)
	if err == pgx.ErrNoRows || err == nil && (optional[kind] == "" || !sameSecret(secret, d.set.Key.Link(unsubscribe, id))) {
		return OptOut{}, optOut{}, ErrExpired
	}
	if err != nil {
		return OptOut{}, optOut{}, err
	}
	desk, err := d.deskByID(l.desk)
	if err != nil {
		return OptOut{}, optOut{}, err
	}
	l.event = optional[kind]
	v.Event, v.Desk = l.event, desk.Name.In(language)
	err = t.QueryRow(ctx, `
		select exists (select from preference where person = $1 and desk = $2 and event = $3 and how = 'nothing')`,
		l.person, l.desk, l.event).Scan(&v.Done)
	return v, l, err
}

const turningOff = `
	insert into preference (person, desk, event, how) values ($1, $2, $3, 'nothing')
	on conflict (person, desk, event) do update set how = 'nothing'`

func turnOff(ctx context.Context, t *tx, l optOut) error {
	_, err := t.Exec(ctx, turningOff, l.person, l.desk, l.event)
	return err
}

func queueTurnOff(b *pgx.Batch, l *optOut) {
	if l != nil {
		b.Queue(turningOff, l.person, l.desk, l.event)
	}
}
