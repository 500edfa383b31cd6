package core

import "github.com/jackc/pgx/v5"

// byAgentHere says that the sender $1 is an agent of the desk $2.
const byAgentHere = `exists (select from address q join agent g on g.person = q.person where q.address = $1 and g.desk = $2)`

// queueCollisions asks what other agents did in public on the cases that an
// agent's mail names, and when the agent was told of those last.
func (r *reading) queueCollisions(b *pgx.Batch, a asked) {
	b.Queue(`
		select c.id as case_id,
			(select max(o.queued_at) from outbox o where o.case_id = c.id and o.address = $1 and o.for_agent and o.let_out) as at,
			(select max(x.written_at) from comment x where x.case_id = c.id
				and x.author = (select q.person from address q where q.address = $1)) as wrote
		from cases c where c.id = `+theNamed+` and `+byAgentHere, a.from, r.desk.id).Query(all(&r.f.structure.notices))
	b.Queue(`
		select * from (
			select x.case_id, x.written_at as at, coalesce(nullif(p.name, ''), 'an agent') as name, left(x.text, 4000) as text, '' as status
			from comment x join person p on p.id = x.author
			where x.case_id = `+theNamed+` and x.side = 'desk' and `+byAgentHere+`
				and x.author <> (select q.person from address q where q.address = $1)
			union all
			select e.case_id, e.written_at, coalesce(nullif(p.name, ''), 'an agent'), '', e.became
			from event e join person p on p.id = e.actor
			where e.case_id = `+theNamed+` and e.kind = 'status' and `+byAgentHere+`
				and exists (select from agent g where g.person = e.actor and g.desk = $2)
				and e.actor <> (select q.person from address q where q.address = $1)
			order by at desc limit 100) newest
		order by at`, a.from, r.desk.id).Query(all(&r.f.structure.done))
}
