package core

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// chunkBytes is the size of a blob's chunk.
const chunkBytes = 256 << 10

const mailboxColumns = `id, account, folder, added_at, uidvalidity::bigint as uid_validity, next_uid::bigint as next_uid, epoch, polled_at`

type mailboxRow struct {
	ID          int64
	Account     string
	Folder      string
	AddedAt     time.Time
	UIDValidity int64 `db:"uid_validity"`
	NextUID     int64 `db:"next_uid"`
	Epoch       int64
	PolledAt    *time.Time
}

func (r mailboxRow) mailbox() Mailbox {
	return Mailbox{ID: r.ID, Account: r.Account, Folder: r.Folder, AddedAt: r.AddedAt,
		UIDValidity: uint32(r.UIDValidity), NextUID: uint32(r.NextUID), Epoch: r.Epoch, PolledAt: r.PolledAt}
}

func openMailbox(ctx context.Context, t *tx, account, folder string, since time.Time, border string) (Mailbox, error) {
	added := t.now
	if !since.IsZero() {
		added = since
	}
	// a since that is set later moves the start back, and never forth
	rows, _ := t.Query(ctx, `
		insert into mailbox (account, folder, added_at, border, begun_at) values ($1, $2, $3, $4, $6)
		on conflict (account, folder) do update set
			border = excluded.border,
			next_uid = case when $5 and excluded.added_at < mailbox.added_at then 1 else mailbox.next_uid end,
			added_at = case when $5 then least(mailbox.added_at, excluded.added_at) else mailbox.added_at end
		returning `+mailboxColumns, account, folder, added, border, !since.IsZero(), t.now)
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[mailboxRow])
	return row.mailbox(), err
}

func leaseMailbox(ctx context.Context, t *tx, id int64, holder string, lease time.Duration) (Mailbox, bool, error) {
	rows, _ := t.Query(ctx, `
		update mailbox set
			epoch = case when holder = $2 then epoch else epoch + 1 end,
			holder = $2, lease_until = $3
		where id = $1 and (holder = $2 or lease_until < $4)
		returning `+mailboxColumns, id, holder, t.now.Add(lease), t.now)
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[mailboxRow])
	if err == pgx.ErrNoRows {
		return Mailbox{}, false, nil
	}
	return row.mailbox(), err == nil, err
}

func releaseMailbox(ctx context.Context, t *tx, id int64, holder string) error {
	_, err := t.Exec(ctx, `
		update mailbox set holder = '', lease_until = '-infinity'
		where id = $1 and holder = $2`, id, holder)
	return err
}

// beginKeep checks the lease, sorts out what is known, and reserves ids: one
// for the row and one for its bytes of each new mail.
func beginKeep(ctx context.Context, t *tx, mb Mailbox, validity uint32, batch []Incoming) ([]Incoming, []int64, error) {
	uids := make([]int64, len(batch))
	for i, m := range batch {
		uids[i] = int64(m.UID)
	}
	var epoch int64
	var known, ids []int64
	b := &pgx.Batch{}
	b.Queue(`select epoch from mailbox where id = $1 for update`, mb.ID).Query(value(&epoch))
	b.Queue(`
		select uid from ledger
		where mailbox = $1 and uidvalidity = $2 and uid = any($3)`,
		mb.ID, int64(validity), uids).Query(values(&known))
	b.Queue(`
		select nextval(s.name) from generate_series(1, $1::int),
			(values ('ledger_id_seq'::regclass), ('blob_id_seq'::regclass)) as s (name)`,
		len(batch)).Query(values(&ids))
	if err := run(ctx, t, b); err != nil {
		return nil, nil, err
	}
	if epoch != mb.Epoch {
		return nil, nil, ErrLeaseLost
	}
	seen := make(map[int64]bool, len(known))
	for _, u := range known {
		seen[u] = true
	}
	fresh := make([]Incoming, 0, len(batch))
	for i, m := range batch {
		if !seen[uids[i]] {
			seen[uids[i]] = true
			fresh = append(fresh, m)
		}
	}
	return fresh, ids, nil
}

// keep writes rows, bytes and cursor. ids alternate: a row's, its blob's.
func keep(ctx context.Context, t *tx, mb Mailbox, validity uint32, batch []Incoming, ids []int64, next uint32) ([]Stored, error) {
	var blobs, rows [][]any
	var kept []Stored
	var raws []rawCopy
	for i, m := range batch {
		row, blob := ids[2*i], any(nil)
		state, ended := StateStored, any(nil)
		if m.Gone {
			state, ended = Gone, t.now
		} else {
			sum := sha256.New()
			if _, err := io.Copy(sum, io.NewSectionReader(m.Raw, 0, m.Raw.Size())); err != nil {
				return nil, fmt.Errorf("read uid %d: %w", m.UID, err)
			}
			blob = ids[2*i+1]
			blobs = append(blobs, []any{blob, m.Raw.Size(), sum.Sum(nil)})
			raws = append(raws, rawCopy{ids[2*i+1], m.Raw})
			kept = append(kept, Stored{ID: row, UID: m.UID, Received: m.Received, Size: m.Size, HeaderOnly: m.HeaderOnly, DueAt: t.now})
		}
		rows = append(rows, []any{row, mb.ID, int64(validity), int64(m.UID), mb.Folder, int64(validity), int64(m.UID),
			m.Received, t.now, m.Size, m.HeaderOnly, blob, string(state), t.now, ended, m.Gone})
	}
	if err := copyBlobs(ctx, t, blobs, raws); err != nil {
		return nil, err
	}
	if len(rows) > 0 {
		_, err := t.CopyFrom(ctx, pgx.Identifier{"ledger"}, []string{"id", "mailbox", "uidvalidity", "uid", "folder",
			"at_validity", "at_uid", "received_at", "kept_at", "size", "header_only", "blob", "state", "due_at", "ended_at", "told"},
			pgx.CopyFromRows(rows))
		if err != nil {
			return nil, err
		}
	}
	_, err := t.Exec(ctx, `
		update mailbox set uidvalidity = $2, next_uid = $3
		where id = $1 and (uidvalidity <> $2 or next_uid < $3)`, mb.ID, int64(validity), int64(next))
	return kept, err
}

type rawCopy struct {
	blob int64
	from *io.SectionReader
}

// copyBlobs writes blobs chunk by chunk: one chunk in memory, whatever their
// size.
func copyBlobs(ctx context.Context, t *tx, blobs [][]any, raws []rawCopy) error {
	if len(blobs) == 0 {
		return nil
	}
	if _, err := t.CopyFrom(ctx, pgx.Identifier{"blob"}, []string{"id", "size", "sha256"}, pgx.CopyFromRows(blobs)); err != nil {
		return err
	}
	i, n := 0, 0
	buf := make([]byte, chunkBytes)
	_, err := t.CopyFrom(ctx, pgx.Identifier{"blob_chunk"}, []string{"blob", "n", "bytes"},
		pgx.CopyFromFunc(func() ([]any, error) {
			for i < len(raws) {
				at := int64(n) * chunkBytes
				left := raws[i].from.Size() - at
				if left <= 0 {
					i, n = i+1, 0
					continue
				}
				part := buf[:min(left, chunkBytes)]
				if _, err := raws[i].from.ReadAt(part, at); err != nil && err != io.EOF {
					return nil, err
				}
				n++
				return []any{raws[i].blob, n - 1, part}, nil
			}
			return nil, nil
		}))
	return err
}

// sameAccount are the mailboxes of the account to which $1 belongs.
const sameAccount = `(select o.id from mailbox o join mailbox m on m.account = o.account where m.id = $1)`

func unknownUIDs(ctx context.Context, t *tx, mailbox int64, folder string, validity uint32, uids []uint32) ([]uint32, error) {
	asked := make([]int64, len(uids))
	for i, u := range uids {
		asked[i] = int64(u)
	}
	rows, _ := t.Query(ctx, `
		select u from unnest($4::bigint[]) as u
		where not exists (select from ledger l where l.mailbox in `+sameAccount+`
				and l.folder = $2 and l.at_validity = $3 and l.at_uid = u)
			and not exists (select from ledger l join mailbox m on m.id = l.mailbox
				where m.id in `+sameAccount+` and m.folder = $2 and l.uidvalidity = $3 and l.uid = u)
		order by u`, mailbox, folder, int64(validity), asked)
	found, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	unknown := make([]uint32, len(found))
	for i, u := range found {
		unknown[i] = uint32(u)
	}
	return unknown, err
}

func polled(ctx context.Context, t *tx, mailbox int64) error {
	_, err := t.Exec(ctx, `update mailbox set polled_at = $2 where id = $1`, mailbox, t.now)
	return err
}

func endedRows(ctx context.Context, t *tx, mailbox, after int64, limit int) ([]Ended, error) {
	rows, _ := t.Query(ctx, `
		select id, folder, at_validity, at_uid, state from ledger
		where mailbox = $1 and id > $2 and state <> 'stored' and not told
		order by id limit $3`, mailbox, after, limit)
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (Ended, error) {
		var e Ended
		var validity, uid int64
		err := r.Scan(&e.ID, &e.Folder, &validity, &uid, (*string)(&e.State))
		e.UIDValidity, e.UID = uint32(validity), uint32(uid)
		return e, err
	})
}

func toldRows(ctx context.Context, t *tx, mailbox int64, told []Told) error {
	ids := make([]int64, len(told))
	folders := make([]string, len(told))
	validities, uids := make([]int64, len(told)), make([]int64, len(told))
	for i, r := range told {
		ids[i], folders[i] = r.ID, r.Folder
		validities[i], uids[i] = int64(r.UIDValidity), int64(r.UID)
	}
	_, err := t.Exec(ctx, `
		update ledger l set told = true, folder = r.folder, at_validity = r.validity, at_uid = r.uid
		from unnest($2::bigint[], $3::text[], $4::bigint[], $5::bigint[]) as r (id, folder, validity, uid)
		where l.id = r.id and l.mailbox in `+sameAccount, mailbox, ids, folders, validities, uids)
	return err
}

func outlivedRows(ctx context.Context, t *tx, mailbox int64, folder string, validity uint32, older time.Duration, after int64, limit int) ([]Outlived, error) {
	rows, _ := t.Query(ctx, `
		select l.id, l.at_uid, l.size from ledger l
		where l.mailbox in `+sameAccount+` and l.id > $5
			and l.folder = $2 and l.at_validity = $3 and l.at_uid > 0
			and l.state in ('filed', 'duplicate', 'refused') and l.told and l.ended_at < $4
		order by l.id limit $6`, mailbox, folder, int64(validity), t.now.Add(-older), after, limit)
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (Outlived, error) {
		var o Outlived
		var uid int64
		err := r.Scan(&o.ID, &uid, &o.Size)
		o.UID = uint32(uid)
		return o, err
	})
}

func storedRows(ctx context.Context, t *tx, mailbox, after int64, limit int) ([]Stored, error) {
	rows, _ := t.Query(ctx, `
		select id, uid, received_at, size, header_only, tries, due_at, evidence is not null
		from ledger
		where mailbox = $1 and id > $2 and state = 'stored' and due_at <= $3
		order by id limit $4`, mailbox, after, t.now, limit)
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (Stored, error) {
		var s Stored
		var uid int64
		err := r.Scan(&s.ID, &uid, &s.Received, &s.Size, &s.HeaderOnly, &s.Tries, &s.DueAt, &s.Evidence)
		s.UID = uint32(uid)
		return s, err
	})
}

func rawBytes(ctx context.Context, t *tx, ledger int64, w io.Writer) error {
	var blob *int64
	if err := t.QueryRow(ctx, `select blob from ledger where id = $1`, ledger).Scan(&blob); err != nil {
		return notFound(err)
	}
	if blob == nil {
		return fmt.Errorf("its bytes are no longer kept: %w", ErrNotFound)
	}
	return writeBlob(ctx, t, *blob, w)
}

// writeBlob writes a blob's bytes, one chunk in memory at a time.
func writeBlob(ctx context.Context, t *tx, blob int64, w io.Writer) error {
	const few = 4 // chunks a query brings
	for n := 0; ; n += few {
		rows, _ := t.Query(ctx, `
			select bytes from blob_chunk
			where blob = $1 and n >= $2 and n < $3
			order by n`, blob, n, n+few)
		count := 0
		var part []byte
		_, err := pgx.ForEachRow(rows, []any{(*pgtype.DriverBytes)(&part)}, func() error {
			count++
			_, err := w.Write(part)
			return err
		})
		if err != nil || count < few {
			return err
		}
	}
}

func failedRow(ctx context.Context, t *tx, id int64, reason string, hopeless bool) (State, error) {
	var tries int
	err := t.QueryRow(ctx, `select tries from ledger where id = $1 and state = 'stored' for update`, id).Scan(&tries)
	if err != nil {
		return "", notFound(err)
	}
	if hopeless || tries >= len(tryAgain) {
		_, err = t.Exec(ctx, `
			update ledger set state = 'quarantined', tries = tries + 1, reason = $2, ended_at = $3,
				trace = jsonb_build_array(jsonb_build_object('rule', 'R10', 'says', 'quarantined: ' || $2::text))
			where id = $1`, id, reason, t.now)
		return Quarantined, err
	}
	_, err = t.Exec(ctx, `
		update ledger set tries = tries + 1, reason = $2, due_at = $3
		where id = $1`, id, reason, t.now.Add(tryAgain[tries]))
	return StateStored, err
}

func postponeRow(ctx context.Context, t *tx, id int64, reason string) (bool, error) {
	var kept time.Time
	err := t.QueryRow(ctx, `select kept_at from ledger where id = $1 and state = 'stored' for update`, id).Scan(&kept)
	if err != nil {
		return false, notFound(err)
	}
	// asked at once, and then 1, 5 and 15 min after the one before
	due := kept
	for _, wait := range askAgain {
		due = due.Add(wait)
		if due.After(t.now) {
			_, err = t.Exec(ctx, `update ledger set due_at = $2, reason = $3 where id = $1`, id, due, reason)
			return false, err
		}
	}
	return true, nil
}
