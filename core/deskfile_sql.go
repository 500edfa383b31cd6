package core

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"postern/core/flow"
)

// deskLock is the first key of the advisory lock that filing shares, and that
// applying a desk file takes alone; the second is the desk.
const deskLock = 1

// lockDesk keeps filing away from a desk until the transaction ends.
func lockDesk(ctx context.Context, t *tx, desk int) error {
	_, err := t.Exec(ctx, `select pg_advisory_xact_lock($1::int, $2::int)`, deskLock, desk)
	return err
}

type deskRecord struct {
	ID      int
	Key     string
	Source  string
	Version int
}

func deskRow(ctx context.Context, t *tx, key string) (deskRecord, error) {
	rows, _ := t.Query(ctx, `select id, key, source, version from desk where key = $1`, key)
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[deskRecord])
	return row, notFound(err)
}

// insertDesk writes a desk and makes the sequence of its numbers. Two
// processes may try at once: the second finds it done.
func insertDesk(ctx context.Context, t *tx, f *flow.Desk) error {
	var id int
	err := t.QueryRow(ctx, `
		insert into desk (key, source, sees, applied_at) values ($1, $2, $3, $4)
		on conflict (key) do nothing returning id`,
		f.Key, string(f.Source), f.Sees, t.now).Scan(&id)
	if err == pgx.ErrNoRows {
		return nil
	}
	if err != nil {
		return err
	}
	// a sequence's name is no parameter; id and FirstNumber are numbers of ours
	if _, err := t.Exec(ctx, fmt.Sprintf(`create sequence case_number_%d start %d`, id, f.FirstNumber)); err != nil {
		return err
	}
	if _, err := t.Exec(ctx, `notify postern_desk`); err != nil {
		return err
	}
	return claimPrefix(ctx, t, id, f.Prefix)
}

func claimPrefix(ctx context.Context, t *tx, desk int, prefix string) error {
	var owner int
	err := t.QueryRow(ctx, `
		insert into prefix (prefix, desk) values ($1, $2)
		on conflict (prefix) do update set prefix = excluded.prefix
		returning desk`, prefix, desk).Scan(&owner)
	if err != nil {
		return err
	}
	if owner != desk {
		return fmt.Errorf("prefix %s belongs to another desk: choose one that no desk ever had", prefix)
	}
	return nil
}

func updateDesk(ctx context.Context, t *tx, id int, f *flow.Desk) error {
	_, err := t.Exec(ctx, `
		update desk set source = $2, sees = $3, version = version + 1, applied_at = $4
		where id = $1`, id, string(f.Source), f.Sees, t.now)
	if err != nil {
		return err
	}
	if _, err := t.Exec(ctx, `notify postern_desk`); err != nil {
		return err
	}
	return claimPrefix(ctx, t, id, f.Prefix)
}

type usedKey struct {
	Key   string
	Cases int64
}

func usedKeys(ctx context.Context, t *tx, desk int, keys []string) ([]usedKey, error) {
	rows, _ := t.Query(ctx, `
		select key, count(*) as cases
		from cases, lateral (values (status), (type), (priority)) as used (key)
		where desk = $1 and key = any($2)
		group by key`, desk, keys)
	return pgx.CollectRows(rows, pgx.RowToStructByName[usedKey])
}

func moveAll(ctx context.Context, t *tx, desk int, from string, to flow.Status) error {
	_, err := t.Exec(ctx, `
		with moved as (
			update cases set status = $3, class = $4, changed_at = $5
			where desk = $1 and status = $2
			returning id
		)
		insert into event (case_id, at, written_at, kind, was, became, why, internal)
		select id, $5, $5, 'status', $2, $3, 'a new desk file', true from moved`, desk, from, to.Key, to.Class, t.now)
	return err
}

// loadDesks reads every desk whose version is new to this process.
func (d *Desk) loadDesks(ctx context.Context) error {
	d.loading.Lock()
	defer d.loading.Unlock()
	rows, _ := d.pool.Query(ctx, `select id, key, source, version from desk`)
	desks, err := pgx.CollectRows(rows, pgx.RowToStructByName[deskRecord])
	if err != nil {
		return unavailable(fmt.Errorf("read desks: %w", err))
	}
	type owned struct {
		Prefix string
		Desk   int
	}
	rows, _ = d.pool.Query(ctx, `select prefix, desk from prefix`)
	prefixes, err := pgx.CollectRows(rows, pgx.RowToStructByName[owned])
	if err != nil {
		return unavailable(fmt.Errorf("read prefixes: %w", err))
	}
	loaded := map[string]*running{}
	for _, row := range desks {
		f, err := flow.Parse(row.Key, []byte(row.Source))
		if err != nil {
			return fmt.Errorf("desk %s as stored: %w", row.Key, err)
		}
		r := &running{Desk: f, id: row.ID, version: row.Version, from: d.addressOf(row.Key), prefixes: map[string]struct{}{}}
		for _, p := range prefixes {
			if p.Desk == row.ID {
				r.prefixes[p.Prefix] = struct{}{}
			}
		}
		loaded[row.Key] = r
	}
	d.mu.Lock()
	d.desks = loaded
	d.mu.Unlock()
	return nil
}
