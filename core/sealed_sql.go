package core

import (
	"context"
	"time"
)

func claimSealed(ctx context.Context, t *tx, name, holder string, lease time.Duration) ([]byte, bool, error) {
	if _, err := t.Exec(ctx, `insert into sealed (name) values ($1) on conflict do nothing`, name); err != nil {
		return nil, false, err
	}
	var secret []byte
	var other string
	var free bool
	err := t.QueryRow(ctx, `
		select secret, holder, lease_until < $2 from sealed
		where name = $1 for update`, name, t.now).Scan(&secret, &other, &free)
	if err != nil || !free && other != holder {
		return secret, false, err
	}
	_, err = t.Exec(ctx, `update sealed set holder = $2, lease_until = $3 where name = $1`, name, holder, t.now.Add(lease))
	return secret, err == nil, err
}

func keepSealed(ctx context.Context, t *tx, name, holder string, secret []byte) error {
	tag, err := t.Exec(ctx, `
		update sealed set secret = $3, holder = '', lease_until = '-infinity'
		where name = $1 and holder = $2`, name, holder, secret)
	if err == nil && tag.RowsAffected() == 0 {
		return ErrLeaseLost
	}
	return err
}

func tryWrite(ctx context.Context, t *tx) error {
	_, err := t.Exec(ctx, `
		insert into instance (key, value) values ('written_at', $1)
		on conflict (key) do update set value = excluded.value`, t.now.Format(time.RFC3339Nano))
	return err
}
