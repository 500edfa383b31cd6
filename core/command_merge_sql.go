package core

import (
	"strings"

	"github.com/jackc/pgx/v5"
)

// withMerged adds to the cases that a mail names those as which they go on.
func withMerged(ids string) string {
	return strings.Replace(`
		with recursive goes (id) as (
			select case_id from (IDS) n where case_id is not null
			union
			select c.merged_into from goes g join cases c on c.id = g.id where c.merged_into is not null
		)
		select id as case_id from goes`, "IDS", ids, 1)
}

// mergedMeanwhile says that a case was merged between the look at what the mail
// names and the lock of it: the other one is not locked, and not known.
func (f *facts) mergedMeanwhile() bool {
	for _, c := range f.cases {
		if c.MergedInto != nil && f.caseByID(*c.MergedInto) == nil {
			return true
		}
	}
	return false
}

// queueMerged lets the people of a merged case take part in the other one.
func queueMerged(b *pgx.Batch, t *tx, r *reading, p *plan) {
	m := p.structure.merges
	b.Queue(`
		insert into participant (case_id, person, since)
		select c.id, x, $3 from cases c, unnest($2::bigint[]) x where c.id = $1 and x <> c.requester
		on conflict do nothing`, m.into.ID, m.people, t.now)
	queueEvent(b, t, m.into.ID, newEvent{kind: "merged-from", actor: p.person, became: p.number, internal: true}, r.m)
	b.Queue(`update cases set changed_at = $2 where id = $1`, m.into.ID, t.now)
}
