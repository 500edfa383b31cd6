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

// queueUnmerged lets a merged case go its own way again, as a new status does:
// whom the merge made take part in the other one does so no longer, unless they
// have written there. The merge gave its instant to all that it wrote.
func queueUnmerged(b *pgx.Batch, t *tx, caseID, actor int64) {
	b.Queue(`
		delete from participant p using cases c
		where c.id = $1 and p.case_id = c.merged_into and p.since = c.status_at
			and not exists (select from comment x where x.case_id = p.case_id and x.author = p.person)`, caseID)
	b.Queue(`
		insert into event (case_id, at, written_at, kind, actor, became, internal)
		select e.case_id, $2, $2, 'unmerged', nullif($3::bigint, 0), e.became, true
		from cases c join event e on e.case_id = c.merged_into and e.kind = 'merged-from' and e.written_at = c.status_at
		where c.id = $1`, caseID, t.now, actor)
}
