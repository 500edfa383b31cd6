package core

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// queueStructureFacts asks for what the commands on top of a mail need beside
// the cases and people that they name.
func (r *reading) queueStructureFacts(b *pgx.Batch, a asked, lock bool) {
	if a.from != "" {
		r.queueCollisions(b, a)
	}
	if r.commands("split") {
		r.queueSplits(b, a, lock)
	}
	if r.commands("link", "unlink", "undo") {
		r.queuePairs(b, a)
	}
	if r.commands("requester") {
		b.Queue(`
			select distinct x.case_id, x.author as person, m.organisation as member,
				exists (select from agent g where g.person = x.author and g.desk = $1) as agent
			from (
				select case_id, author from comment where case_id = `+theNamed+` and side = 'customer'
				union all
				select id, coalesce(author, requester) from cases where id = `+theNamed+` and split_of is not null
			) x left join member m on m.person = x.author`, r.desk.id).Query(all(&r.f.structure.writers))
	}
}

// queueStructure writes what a command block does to cases as such.
func (d *Desk) queueStructure(b *pgx.Batch, t *tx, r *reading, p *plan) {
	if g := p.structure.gives; g != nil {
		queueGiven(b, t, p.caseID, g)
	}
	if p.structure.merges != nil {
		queueMerged(b, t, r, p)
	}
	if p.structure.splits != nil {
		d.queueSplit(b, t, r, p)
	}
	queueLinks(b, t, r, p)
}

// beside says of the page of a case which other cases belong to it: the one as
// which it goes on, if the viewer may see that (R63); for agents all others.
func (d *Desk) beside(ctx context.Context, t *tx, v Viewer, c viewedCase, desk *running, view *CaseView) error {
	rows, _ := t.Query(ctx, `
		select 'goes on', c.number, c.desk from `+seerByPerson+`, cases c where `+wall+` and c.desk = $2 and c.id = $3
		union all
		select 'merged', c.number, c.desk from cases c where c.merged_into = $4 and c.desk = $2 and $5
		union all
		select 'linked', c.number, c.desk from cases c where $5 and c.desk in (select desk from agent where person = $1)
			and c.id in (select b from case_link where a = $4 union select a from case_link where b = $4)
		order by 3, 2 limit 200`, v.person, c.Desk, c.MergedInto, c.ID, c.ForAgent)
	var how string
	var number int64
	var of int
	_, err := pgx.ForEachRow(rows, []any{&how, &number, &of}, func() error {
		its := desk
		if of != desk.id {
			var err error
			if its, err = d.deskByID(of); err != nil {
				return nil // a desk that this process does not run
			}
		}
		switch n := its.caseNumber(number); how {
		case "goes on":
			view.GoesOn = n
		case "merged":
			view.MergedFrom = append(view.MergedFrom, n)
		default:
			view.Linked = append(view.Linked, n)
		}
		return nil
	})
	return err
}
