package core

import (
	"context"

	"github.com/jackc/pgx/v5"
)

func balance(ctx context.Context, t *tx, into *LedgerBalance) error {
	b := &pgx.Batch{}
	b.Queue(`select count(*) from ledger`).Query(value(&into.Received))
	b.Queue(`select state, count(*) from ledger group by state`).Query(counted(into.States))
	b.Queue(`
		select id as ledger, kept_at, due_at, tries, reason, due_at < $2 as late from ledger
		where state = 'stored' and kept_at < $1
		order by kept_at, id limit $3`, t.now.Add(-someMinutes), t.now.Add(-nobodyFiles), namedRows).Query(all(&into.Waiting))
	b.Queue(`
		select id, kind, address, state, reason from outbox
		where state in ('uncertain', 'failed')
		order by id desc limit $1`, namedRows).Query(all(&into.Letters))
	return run(ctx, t, b)
}

func mailboxesOf(ctx context.Context, t *tx, account string) ([]ServedMailbox, error) {
	rows, _ := t.Query(ctx, `
		select `+mailboxColumns+` from mailbox
		where account = $1 order by id`, account)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[mailboxRow])
	if err != nil {
		return nil, err
	}
	rows, _ = t.Query(ctx, `select id from mailbox where holder <> '' and lease_until >= $1`, t.now)
	held, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	served := make([]ServedMailbox, len(found))
	for i, r := range found {
		served[i].Mailbox = r.mailbox()
		for _, id := range held {
			served[i].Held = served[i].Held || id == r.ID
		}
	}
	return served, err
}

func rowsAt(ctx context.Context, t *tx, account, folder string, validity, after uint32, limit int) ([]uint32, error) {
	rows, _ := t.Query(ctx, `
		select distinct l.at_uid from ledger l
		where l.mailbox in (select id from mailbox where account = $1)
			and l.folder = $2 and l.at_validity = $3 and l.at_uid > $4 and l.state <> 'gone'
		order by l.at_uid limit $5`, account, folder, int64(validity), int64(after), limit)
	found, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	uids := make([]uint32, len(found))
	for i, u := range found {
		uids[i] = uint32(u)
	}
	return uids, err
}

func compareAgain(ctx context.Context, t *tx, account string) error {
	_, err := t.Exec(ctx, `
		update mailbox set uidvalidity = 0, next_uid = 1, epoch = epoch + 1, holder = '', lease_until = '-infinity'
		where account = $1 or $1 = ''`, account)
	return err
}
