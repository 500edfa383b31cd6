package core

import (
	"fmt"

	"github.com/jackc/pgx/v5"
)

// queueSplits asks for the comments that could become a case, and takes a number
// for one, which is never given again.
func (r *reading) queueSplits(b *pgx.Batch, a asked, lock bool) {
	b.Queue(`
		select x.id, x.case_id, x.author, left(x.text, 1000) as text, x.marks, n.number as became
		from comment x left join cases n on n.split_of = x.id
		where x.case_id = `+theNamed+` and x.side = 'customer' and (
			x.id in (select (o.payload->>'comment')::bigint from outbox o where o.token_hash = any($1)
				union all select (o.payload->>'comment')::bigint from outbox o where o.note_hash = any($1)
				union all select (o.payload->>'comment')::bigint from outbox o where o.id_hash = any($2))
			or x.id = (select y.id from comment y where y.case_id = x.case_id and y.side = 'customer'
				order by y.written_at desc, y.id desc limit 1))
		order by x.written_at, x.id`, a.tokens, a.ids).Query(all(&r.f.structure.splits))
	if lock {
		b.Queue(`select nextval($3::text::regclass) where `+byAgentHere, a.from, r.desk.id,
			fmt.Sprintf("case_number_%d", r.desk.id)).Query(value(&r.f.structure.splitNumber))
	}
}

// queueSplit makes a case of a comment. Its files are the same bytes, by the
// same blobs.
func (d *Desk) queueSplit(b *pgx.Batch, t *tx, r *reading, p *plan) {
	s := p.structure.splits
	author := s.comment.Author
	if author == s.c.Requester {
		author = 0
	}
	by := s.by
	if !s.quiet {
		by = 0
	}
	b.Queue(`
		insert into cases (id, desk, number, title, description, html, requester, organisation, status, class,
			opened_at, changed_at, status_at, opened_by, author, marks, split_of)
		select $1, $2, $3, $4, x.text, case when x.rest = '' then x.html else '' end, $5, $6, $7, $8,
			$9, $10, $10, nullif($11::bigint, 0), nullif($12::bigint, 0), x.marks, x.id
		from comment x where x.id = $13`,
		s.c.ID, s.c.Desk, s.c.Number, s.c.Title, s.c.Requester, s.c.Organisation, s.status, s.class,
		r.m.Received, t.now, by, author, s.comment.ID)
	b.Queue(`
		with brought as (
			select e.name, e.inline, e.content_id, f.blob, f.sha256, f.type, f.size
			from entry_file e join file f on f.id = e.file where e.comment = $2
		),
		shared as (
			insert into file (case_id, internal, blob, sha256, name, type, size)
			select distinct on (sha256) $1::bigint, false, blob, sha256, name, type, size from brought order by sha256
			returning id, sha256
		)
		insert into entry_file (file, name, inline, content_id)
		select s.id, x.name, x.inline, x.content_id from brought x join shared s on s.sha256 = x.sha256`, s.c.ID, s.comment.ID)
	if s.joins != 0 {
		b.Queue(`insert into participant (case_id, person, since) values ($1, $2, $3)`, s.c.ID, s.joins, t.now)
	}
	queueLink(b, t, p.caseID, s.c.ID, s.by)
	queueEvent(b, t, s.c.ID, newEvent{kind: "opened", actor: s.by, became: s.status}, r.m)
	queueEvent(b, t, s.c.ID, newEvent{kind: "split-from", actor: s.by, became: p.number, internal: true}, r.m)
	for _, l := range s.letters {
		d.queueLetter(b, t, cause{"split", r.m.Ledger}, r.desk, s.c.ID, l)
	}
}
