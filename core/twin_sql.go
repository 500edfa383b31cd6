package core

import "github.com/jackc/pgx/v5"

// queueTwins asks for cases that the same mail opened on other desks.
func (d *Desk) queueTwins(b *pgx.Batch, a asked, desk int, f *facts) {
	b.Queue(`
		select c.id, c.desk, c.number
		from ledger l join cases c on c.ledger = l.id
		where l.content_hash = $1 and l.from_address = $2 and l.id_hash is not distinct from $3 and l.desk <> $4 and l.from_address <> ''
		order by c.id limit 1`, a.content, a.from, a.id, desk).Query(func(rows pgx.Rows) error {
		f.twins = nil
		var id, number int64
		var other int
		_, err := pgx.ForEachRow(rows, []any{&id, &other, &number}, func() error {
			if r, err := d.deskByID(other); err == nil {
				f.twins = append(f.twins, twinRow{id, r.caseNumber(number)})
			}
			return nil
		})
		return err
	})
}

// queueTwin tells the earlier case of the new one, whose number is known only
// now.
func queueTwin(b *pgx.Batch, t *tx, r *reading, p *plan) {
	b.Queue(`
		insert into event (case_id, at, written_at, kind, became, internal, ledger)
		select $1, $2, $3, $4, $5 || '-' || c.number, true, $6 from cases c where c.id = $7`,
		p.twin.caseID, r.m.Received, t.now, sameMail, r.desk.Prefix, r.m.Ledger, p.caseID)
}
