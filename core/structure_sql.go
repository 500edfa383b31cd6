package core

import "github.com/jackc/pgx/v5"

// queueStructureFacts asks for what the commands on top of a mail need beside
// the cases and people that they name.
func (r *reading) queueStructureFacts(b *pgx.Batch, a asked, lock bool) {
	if r.commands("requester") {
		b.Queue(`
			select distinct x.case_id, x.author as person, m.organisation as member,
				exists (select from agent g where g.person = x.author and g.desk = $1) as agent
			from comment x left join member m on m.person = x.author
			where x.case_id = `+theNamed+` and x.side = 'customer'`, r.desk.id).Query(all(&r.f.structure.writers))
	}
}

// queueStructure writes what a command block does to cases as such.
func (d *Desk) queueStructure(b *pgx.Batch, t *tx, r *reading, p *plan) {
	if g := p.structure.gives; g != nil {
		queueGiven(b, t, p.caseID, g)
	}
}
