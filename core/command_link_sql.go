package core

import "github.com/jackc/pgx/v5"

// queuePairs asks what the named cases are linked with, and which desks' agent
// the sender is.
func (r *reading) queuePairs(b *pgx.Batch, a asked) {
	b.Queue(`
		select a, b from case_link where a = ` + theNamed + `
		union select a, b from case_link where b = ` + theNamed).Query(all(&r.f.structure.pairs))
	b.Queue(`select g.desk from address q join agent g on g.person = q.person where q.address = $1`, a.from).
		Query(values(&r.f.structure.desks))
}

func queueLink(b *pgx.Batch, t *tx, one, other, agent int64) {
	b.Queue(`
		insert into case_link (a, b, made_by, made_at) values (least($1::bigint, $2), greatest($1::bigint, $2), $3, $4)
		on conflict do nothing`, one, other, agent, t.now)
}

// queueLinks links the case of a mail with others, or no longer, and says it
// there. The number of a new case is known to the database alone.
func queueLinks(b *pgx.Batch, t *tx, r *reading, p *plan) {
	for _, l := range p.structure.links {
		kind := links{linked: l.linked}.name() + "ed"
		if l.linked {
			queueLink(b, t, p.caseID, l.other, p.person)
		} else {
			b.Queue(`delete from case_link where a = least($1::bigint, $2) and b = greatest($1::bigint, $2)`, p.caseID, l.other)
		}
		b.Queue(`
			insert into event (case_id, at, written_at, kind, actor, became, internal, ledger)
			select $1, $2, $3, $4, $5, $6 || '-' || c.number, true, $7 from cases c where c.id = $8`,
			l.other, r.m.Received, t.now, kind, p.person, r.desk.Prefix, r.m.Ledger, p.caseID)
	}
}
