package core

import (
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"postern/core/token"
)

// queueUndoNamed asks what the token of an #undo takes back, and what has
// happened on that case since.
func queueUndoNamed(b *pgx.Batch, a asked, lock bool, f *facts) {
	q := `
		select u.hash, u.case_id, u.person, u.made_at, u.until, u.used_at, u.steps,
			coalesce((select jsonb_agg(jsonb_build_object('kind', e.kind, 'became', e.became, 'actor',
					coalesce(nullif(p.name, ''), (select min(x.address) from address x where x.person = p.id), ''))
					order by e.id desc)
				from event e left join person p on p.id = e.actor
				where e.case_id = u.case_id and e.written_at > u.made_at), '[]') as since,
			array(select x.address from participant p join address x on x.person = p.person where p.case_id = u.case_id) as participants,
			exists (select from person p join cases c on c.requester = p.id where c.id = u.case_id and p.blocked_at is not null) as blocked
		from undo u where u.hash = $1`
	if lock {
		q += ` for update of u`
	}
	b.Queue(q, a.undo).Query(one(&f.undo))
}

// queueUndoMade keeps how a block is taken back, by the hash of the token that
// the letter id will show.
func (d *Desk) queueUndoMade(b *pgx.Batch, t *tx, id string, caseID, person int64, steps []undoStep) {
	kept, err := json.Marshal(steps)
	if err != nil {
		panic(err) // strings: they always can be written
	}
	b.Queue(`
		insert into undo (hash, case_id, person, made_at, until, steps) values ($1, $2, $3, $4, $5, $6)
		on conflict do nothing`,
		token.Hash(undoToken(d.set.Key, id)), caseID, person, t.now, t.now.Add(undoLife), kept)
}

// queueSpent writes down time that an agent spent.
func queueSpent(b *pgx.Batch, t *tx, r *reading, p *plan) {
	b.Queue(`
		insert into time_spent (case_id, person, at, minutes, ledger) values ($1, $2, $3, $4, $5)`,
		p.caseID, p.person, t.now, p.spends, r.m.Ledger)
}

// queueRemoved ends that somebody takes part in a case.
func queueRemoved(b *pgx.Batch, p *plan) {
	for _, address := range p.leaving {
		b.Queue(`
			delete from participant where case_id = $1 and person = (select person from address where address = $2)`, p.caseID, address)
		b.Queue(`
			delete from reply_to where case_id = $1 and person = (select person from address where address = $2)`, p.caseID, address)
	}
}
