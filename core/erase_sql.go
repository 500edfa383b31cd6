package core

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// erasing is one person on the way out.
type erasing struct {
	*tx
	person    int64 // 0: nobody, only mails came from the address
	name      string
	addresses []string
	replyTo   []string // where they wanted mail of a case (R39)
	own       []int64  // cases that they opened, or whose description they wrote
	cases     []int64  // in which they had any part
	numbers   []string
	mails     []int64 // ledger rows of their mails
	e         *Erasure
}

func (d *Desk) erase(ctx context.Context, t *tx, address string, e *Erasure) error {
	w := &erasing{tx: t, e: e}
	if err := d.findErasing(ctx, w, address); err != nil {
		return err
	}
	if err := d.hashErasing(ctx, w); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{w.texts, w.files, w.raw, w.letters, w.transcripts, w.ledger, w.who, w.mentions} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// do runs a statement and adds the rows it changed to a count, if there is one.
func (w *erasing) do(ctx context.Context, count *int64, sql string, args ...any) error {
	tag, err := w.Exec(ctx, sql, args...)
	if err == nil && count != nil {
		*count += tag.RowsAffected()
	}
	return err
}

// findErasing looks up all that is theirs, with their cases locked and no mail
// of theirs being filed.
func (d *Desk) findErasing(ctx context.Context, w *erasing, address string) error {
	var agentOf *string
	err := w.QueryRow(ctx, `
		select p.id, p.name, array(select x.address from address x where x.person = p.id order by 1),
			(select min(k.key) from agent g join desk k on k.id = g.desk where g.person = p.id)
		from address a join person p on p.id = a.person where a.address = $1 for update of p`, address).
		Scan(&w.person, &w.name, &w.addresses, &agentOf)
	switch {
	case err == pgx.ErrNoRows:
		w.addresses = []string{address}
	case err != nil:
		return err
	case agentOf != nil:
		return fmt.Errorf("they are an agent of desk %s: an agent can be erased only when they are one no more", *agentOf)
	}
	b := &pgx.Batch{}
	b.Queue(`select pg_advisory_xact_lock(hashtextextended(a, k.id::bigint)) from unnest($1::text[]) a, desk k order by a, k.id`, w.addresses)
	b.Queue(`select id from ledger where person = $1 or from_address = any($2) order by id for update`, w.person, w.addresses).Query(values(&w.mails))
	b.Queue(`select id from cases where requester = $1 or author = $1 order by id`, w.person).Query(values(&w.own))
	b.Queue(`select distinct address from reply_to where person = $1 order by 1`, w.person).Query(values(&w.replyTo))
	b.Queue(`
		select id from cases where id in (
			select id from cases where requester = $1 or author = $1
			union select case_id from proposal where address = any($2)
			union select case_id from reply_to where person = $1 or address = any($2)
			union select case_id from participant where person = $1
			union select case_id from comment where author = $1
			union select case_id from note where author = $1
			union select case_id from event where actor = $1
			union select case_id from ledger where person = $1 or from_address = any($2)
			union select case_id from outbox where person = $1 or address = any($2))
		order by id for update`, w.person, w.addresses).Query(values(&w.cases))
	var known, busy int64
	b.Queue(`select count(*) from outbox where person = $1 or address = any($2)`, w.person, w.addresses).Query(value(&known))
	if err := run(ctx, w.tx, b); err != nil {
		return err
	}
	if w.person == 0 && len(w.mails) == 0 && known == 0 {
		return ErrNobody
	}
	err = w.QueryRow(ctx, `
		select count(*) from outbox
		where state in ('sending', 'dotted') and (case_id = any($1) or person = $2 or address = any($3))`,
		w.cases, w.person, w.addresses).Scan(&busy)
	if err == nil && busy > 0 {
		err = fmt.Errorf("%d mails of these cases are being sent at this moment: try again in a minute", busy)
	}
	if err != nil {
		return err
	}
	rows, _ := w.Query(ctx, `select desk, number from cases where id = any($1)`, w.cases)
	var desk int
	var number int64
	_, err = pgx.ForEachRow(rows, []any{&desk, &number}, func() error {
		if r, err := d.deskByID(desk); err == nil {
			w.numbers = append(w.numbers, r.caseNumber(number))
		}
		return nil
	})
	return err
}

// hashErasing keeps what is needed to know them and their mails again.
func (d *Desk) hashErasing(ctx context.Context, w *erasing) error {
	var all []ErasedHash
	for _, a := range w.addresses {
		all = append(all, ErasedHash{"address", d.saltedAddress(a), w.now})
	}
	rows, _ := w.Query(ctx, `select content_hash from ledger where id = any($1) and content_hash is not null`, w.mails)
	hashes, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return err
	}
	for _, h := range hashes {
		all = append(all, ErasedHash{"mail", d.saltedMail(h), w.now})
	}
	_, err = keepErased(ctx, w.tx, all)
	return err
}

// texts empties what they wrote. What others wrote stays, without the history
// that it quotes.
func (w *erasing) texts(ctx context.Context) error {
	err := w.do(ctx, &w.e.Cases, `
		update cases set title = $2, description = '', rest = '', html = '', marks = array_append(array_remove(marks, 'erased'), 'erased')
		where id = any($1)`, w.own, erasedMark)
	for _, table := range []string{"comment", "note"} {
		if err != nil {
			return err
		}
		err = w.do(ctx, &w.e.Entries, `
			update `+table+` set text = '', rest = '', html = '', marks = array_append(array_remove(marks, 'erased'), 'erased')
			where author = $1`, w.person)
		if err == nil {
			err = w.do(ctx, nil, `
				update `+table+` set rest = '', html = ''
				where case_id = any($1) and rest <> ''`, w.cases)
		}
	}
	if err != nil {
		return err
	}
	return w.do(ctx, nil, `update event set why = '' where actor = $1 or ledger = any($2)`, w.person, w.mails)
}

// files removes what they brought, unless somebody else brought it too.
func (w *erasing) files(ctx context.Context) error {
	rows, _ := w.Query(ctx, `
		delete from entry_file e using file f
		where f.id = e.file and (
			e.comment in (select id from comment where author = $1)
			or e.note in (select id from note where author = $1)
			or e.comment is null and e.note is null and f.case_id = any($2))
		returning e.file`, w.person, w.own)
	theirs, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	err = w.do(ctx, &w.e.Files, `
		with gone as (
			delete from file f where f.id = any($1) and not exists (select from entry_file e where e.file = f.id)
			returning id, blob
		), _ as (
			delete from blob where id in (select blob from gone)
				and not exists (select from file x where x.blob = blob.id and x.id not in (select id from gone)) -- a split case has it too
		)
		select from gone`, theirs)
	if err != nil {
		return err
	}
	return w.do(ctx, nil, `
		update file f set name = (select min(e.name) from entry_file e where e.file = f.id)
		where f.id = any($1)`, theirs)
}

// raw removes the bytes of their mails, and of others' mails in these cases,
// which may quote them.
func (w *erasing) raw(ctx context.Context) error {
	return w.do(ctx, &w.e.Raw, `
		delete from blob where id in (
			select blob from ledger
			where id = any($1) or case_id = any($2) and state not in ('stored', 'held', 'quarantined'))`, w.mails, w.cases)
}

// letters empties the mails to them, ends those that have not left, and takes
// their words out of the mails to others.
func (w *erasing) letters(ctx context.Context) error {
	err := w.do(ctx, &w.e.Letters, `
		update outbox set payload = '{}', bytes = null, in_reply_to = '', address = 'erased-' || id, person = null, token_until = null,
			reason = case when state in ('queued', 'retry', 'uncertain') then 'erased' else '' end,
			sent_at = coalesce(sent_at, $3),
			state = case when state in ('queued', 'retry', 'uncertain') then 'expired' else state end
		where person = $1 or address = any($2)`, w.person, w.addresses, w.now)
	if err != nil {
		return err
	}
	err = w.do(ctx, nil, `
		update outbox set bytes = null, in_reply_to = '',
			payload = case when payload ? 'title' and case_id = any($2) then payload || jsonb_build_object('title', $3::text) else payload end
		where case_id = any($1)`, w.cases, w.own, erasedMark)
	if err != nil {
		return err
	}
	err = w.do(ctx, nil, `
		update outbox set bytes = null, payload = jsonb_set(payload, '{items}', (
			select jsonb_agg(case when i->>'number' = any($1) then i || jsonb_build_object('title', $2::text, 'text', '') else i end)
			from jsonb_array_elements(payload->'items') i))
		where jsonb_typeof(payload->'items') = 'array'
			and exists (select from jsonb_array_elements(payload->'items') i where i->>'number' = any($1))`, w.numbers, erasedMark)
	if err != nil {
		return err
	}
	// what was asked for by mail may tell of these cases
	err = w.do(ctx, nil, `
		update outbox set bytes = null, payload = payload - 'answers'
		where payload ? 'answers' and exists (select from unnest($1::text[]) number
			where jsonb_path_exists(payload->'answers', '$.**.number ? (@ == $n)', jsonb_build_object('n', number)))`, w.numbers)
	if err != nil {
		return err
	}
	// lists for agents that name them, which have left
	return w.do(ctx, nil, `
		update outbox set bytes = null, payload = '{}'
		where case_id is null and state in ('sent', 'failed', 'expired') and payload::text ilike any($1)`, newNeedles(w.addresses...).like())
}

// transcripts takes out the beginning of a comment that became a case of its own.
func (w *erasing) transcripts(ctx context.Context) error {
	return w.do(ctx, nil, `
		update outbox set payload = jsonb_set(payload, '{changes}', (
			select jsonb_agg(case when c->>'what' = 'split' then c || jsonb_build_object('was', $2::text) else c end order by n)
			from jsonb_array_elements(payload->'changes') with ordinality x (c, n)))
		where case_id = any($1) and payload->'changes' @> '[{"what": "split"}]'`, w.cases, erasedMark)
}

// ledger leaves of their mails that they came, and what became of them.
func (w *erasing) ledger(ctx context.Context) error {
	err := w.do(ctx, &w.e.Mails, `
		update ledger set from_address = '', from_domain = '', subject = '', message_id = '', id_hash = null, content_hash = null, gist = null,
			evidence = null, trace = $2,
			reason = case when state in ('stored', 'held', 'quarantined') then 'erased' when state = 'filed' then '' else reason end,
			told = told and state not in ('stored', 'held', 'quarantined'), ended_at = coalesce(ended_at, $3),
			state = case when state in ('stored', 'held', 'quarantined') then 'refused' else state end
		where id = any($1)`, w.mails, `[{"rule": "R66", "says": "erased"}]`, w.now)
	if err != nil {
		return err
	}
	return w.do(ctx, nil, `
		update ledger set subject = ''
		where case_id = any($1)`, w.own)
}

// who forgets the person. Their row stays without a name: cases and events
// point at it.
func (w *erasing) who(ctx context.Context) error {
	for _, s := range []struct {
		count *int64
		sql   string
		args  []any
	}{
		{&w.e.Secrets, `delete from secret where person = $1 or address = any($2)`, []any{w.person, w.addresses}},
		{&w.e.Secrets, `delete from session where person = $1`, []any{w.person}},
		{nil, `delete from member where person = $1`, []any{w.person}},
		{nil, `delete from participant where person = $1`, []any{w.person}},
		{nil, `delete from preference where person = $1`, []any{w.person}},
		{nil, `delete from undo where person = $1`, []any{w.person}},
		{nil, `delete from left_case where person = $1`, []any{w.person}},
		{nil, `delete from reply_to where person = $1 or address = any($2)`, []any{w.person, w.addresses}},
		{nil, `delete from proposal where address = any($1)`, []any{w.addresses}},
		{nil, `update event set became = '' where case_id = any($1) and kind in ('participant', 'removed') and became = any($2)`, []any{w.cases, w.addresses}},
		{&w.e.Addresses, `delete from address where person = $1`, []any{w.person}},
		{nil, `update person set name = '', language = '' where id = $1`, []any{w.person}},
	} {
		if err := w.do(ctx, s.count, s.sql, s.args...); err != nil {
			return err
		}
	}
	return nil
}

// column is one that holds texts.
type column struct{ Table, Column, Type string }

// mentions takes the addresses out of every text of the database, and the name
// out of those of their cases. Desk files are for people to change.
func (w *erasing) mentions(ctx context.Context) error {
	addresses := newNeedles(slices.Concat(w.addresses, w.replyTo)...)
	rows, _ := w.Query(ctx, `select key from desk where source ilike any($1) order by key`, addresses.like())
	keys, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	w.e.DeskFiles = keys
	rows, _ = w.Query(ctx, `
		select c.table_name as "table", c.column_name as "column", c.udt_name as type
		from information_schema.columns c
		join information_schema.tables t on t.table_schema = c.table_schema and t.table_name = c.table_name
		where c.table_schema = current_schema() and t.table_type = 'BASE TABLE'
			and c.udt_name in ('text', 'varchar', '_text', 'jsonb')
			and c.table_name not in ('desk', 'instance', 'goose_db_version')
		order by 1, 2`)
	columns, err := pgx.CollectRows(rows, pgx.RowToStructByName[column])
	if err != nil {
		return err
	}
	ofCase := map[string]string{"cases": "id"}
	rows, _ = w.Query(ctx, `select table_name from information_schema.columns where table_schema = current_schema() and column_name = 'case_id'`)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, t := range tables {
		ofCase[t] = "case_id"
	}
	name := newNeedles(w.name)
	for _, c := range columns {
		if err := w.blot(ctx, c, addresses, "true"); err != nil {
			return err
		}
		if id := ofCase[c.Table]; id != "" {
			if err := w.blot(ctx, c, name, pgx.Identifier{id}.Sanitize()+` = any($2)`, w.cases); err != nil {
				return err
			}
		}
	}
	return nil
}

// blot marks what n finds in a column, row by row.
func (w *erasing) blot(ctx context.Context, c column, n needles, where string, args ...any) error {
	if n.words == nil {
		return nil
	}
	table, name := pgx.Identifier{c.Table}.Sanitize(), pgx.Identifier{c.Column}.Sanitize()
	type found struct {
		at   string
		json string
	}
	rows, _ := w.Query(ctx, `
		select ctid::text, to_jsonb(`+name+`)::text from `+table+`
		where `+name+`::text ilike any($1) and `+where, append([]any{n.like()}, args...)...)
	all, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (f found, err error) {
		return f, r.Scan(&f.at, &f.json)
	})
	if err != nil {
		return err
	}
	value := map[string]string{
		"_text": `array(select jsonb_array_elements_text($1::text::jsonb))`,
		"jsonb": `$1::text::jsonb`,
	}[c.Type]
	if value == "" {
		value = `$1::text::jsonb #>> '{}'`
	}
	for _, f := range all {
		in := json.NewDecoder(bytes.NewReader([]byte(f.json)))
		in.UseNumber()
		var v any
		if err := in.Decode(&v); err != nil {
			return fmt.Errorf("%s.%s: %w", c.Table, c.Column, err)
		}
		blotted, err := json.Marshal(n.blotJSON(v))
		if err != nil {
			return err
		}
		if err := w.do(ctx, &w.e.Mentions, `update `+table+` set `+name+` = `+value+` where ctid = $2::text::tid`, string(blotted), f.at); err != nil {
			return fmt.Errorf("%s.%s: %w", c.Table, c.Column, err)
		}
	}
	return nil
}

// queueErased leaves nothing of a mail that came back after it was erased.
func queueErased(b *pgx.Batch, ledger int64) {
	b.Queue(`delete from blob where id = (select blob from ledger where id = $1)`, ledger)
	b.Queue(`update ledger set content_hash = null, gist = null, evidence = null, person = null where id = $1`, ledger)
}

func erasedHashes(ctx context.Context, t *tx) ([]ErasedHash, error) {
	rows, _ := t.Query(ctx, `select kind, hash, at from erased order by at, kind, hash`)
	return pgx.CollectRows(rows, pgx.RowToStructByName[ErasedHash])
}

// keepErased adds hashes and says how many were new.
func keepErased(ctx context.Context, t *tx, all []ErasedHash) (int64, error) {
	kinds, hashes, times := make([]string, len(all)), make([][]byte, len(all)), make([]time.Time, len(all))
	for i, h := range all {
		kinds[i], hashes[i], times[i] = h.Kind, h.Hash, h.At
	}
	var fresh int64
	err := t.QueryRow(ctx, `
		with put as (
			insert into erased (kind, hash, at)
			select min(kind), hash, max(at) from unnest($1::text[], $2::bytea[], $3::timestamptz[]) as x (kind, hash, at) group by hash
			on conflict (hash) do update set at = greatest(erased.at, excluded.at)
			returning xmax = 0 as fresh
		)
		select count(*) filter (where fresh) from put`, kinds, hashes, times).Scan(&fresh)
	return fresh, err
}

// erasedSince are the addresses in the database that were erased after what
// the database knows of.
func (d *Desk) erasedSince(ctx context.Context, t *tx, kept []ErasedHash) ([]string, error) {
	known, err := erasedHashes(ctx, t)
	if err != nil {
		return nil, err
	}
	late := map[string]time.Time{}
	for _, h := range kept {
		if h.Kind == "address" && h.At.After(late[string(h.Hash)]) {
			late[string(h.Hash)] = h.At
		}
	}
	for _, h := range known {
		if at, ok := late[string(h.Hash)]; ok && !at.After(h.At) {
			delete(late, string(h.Hash))
		}
	}
	if len(late) == 0 {
		return nil, nil
	}
	rows, _ := t.Query(ctx, `
		select address from address
		union select from_address from ledger where from_address <> ''
		union select address from outbox`)
	var again []string
	var address string
	_, err = pgx.ForEachRow(rows, []any{&address}, func() error {
		if _, ok := late[string(d.saltedAddress(address))]; ok {
			again = append(again, address)
		}
		return nil
	})
	return again, err
}

func liveLeases(ctx context.Context, t *tx) (n int64, err error) {
	err = t.QueryRow(ctx, `select count(*) from mailbox where holder <> '' and lease_until >= $1`, t.now).Scan(&n)
	return n, err
}

func whatWaits(ctx context.Context, t *tx) (queued, boxes int64, err error) {
	err = t.QueryRow(ctx, `
		select (select count(*) from outbox where state in ('queued', 'sending', 'retry', 'dotted', 'uncertain')),
			(select count(*) from mailbox)`).Scan(&queued, &boxes)
	return queued, boxes, err
}

// moveNumbers leaves out the next numbers of a desk, and says which follows.
func moveNumbers(ctx context.Context, t *tx, desk int, by int64) (next int64, err error) {
	name := fmt.Sprintf("case_number_%d", desk)
	err = t.QueryRow(ctx, `select setval($1::text::regclass, nextval($1::text::regclass) + $2 - 1) + 1`, name, by).Scan(&next)
	return next, err
}
