package core

import "context"

func withdrawToken(ctx context.Context, t *tx, hash []byte) (int64, error) {
	tag, err := t.Exec(ctx, `
		update outbox set token_until = null
		where id in (select id from outbox where token_hash = $1 union all select id from outbox where note_hash = $1)
			and token_until > $2`, hash, t.now)
	return tag.RowsAffected(), err
}

// withdrawTokensOf reads the whole outbox once: it is done by hand, and rarely.
// Links to one press that lie in the same mails go with them.
func withdrawTokensOf(ctx context.Context, t *tx, address string) (int64, error) {
	var person int64
	if err := t.QueryRow(ctx, `select person from address where address = $1`, address).Scan(&person); err != nil {
		return 0, notFound(err)
	}
	_, err := t.Exec(ctx, `
		update secret set expires_at = $2
		where person = $1 and kind in ('move', 'undo') and used_at is null and expires_at > $2`, person, t.now)
	if err != nil {
		return 0, err
	}
	tag, err := t.Exec(ctx, `
		update outbox set token_until = null where person = $1 and token_until > $2`, person, t.now)
	return tag.RowsAffected(), err
}
