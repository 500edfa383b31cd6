package core

import (
	"context"

	"github.com/jackc/pgx/v5"

	"postern/core/flow"
)

// wishesOf is what a person has said of how they hear of what happens on a
// desk: event and way.
func wishesOf(person, desk string) string {
	return `(select jsonb_object_agg(x.event, x.how) from preference x where x.person = ` + person + ` and x.desk = ` + desk + `) as wishes`
}

// preferenceRow is a desk with which somebody has to do.
type preferenceRow struct {
	Desk   int
	Agent  bool
	Admin  bool
	Wishes map[string]string
}

// preferenceRows are the desks of which a person is an agent, or on which they
// have a case or take part in one.
func preferenceRows(ctx context.Context, t *tx, person int64) ([]preferenceRow, error) {
	rows, _ := t.Query(ctx, `
		select d.id as desk, g.person is not null as agent, coalesce(g.role = 'admin', false) as admin, `+wishesOf("$1", "d.id")+`
		from desk d left join agent g on g.desk = d.id and g.person = $1
		where g.person is not null
			or exists (select from cases c where c.desk = d.id and c.requester = $1)
			or exists (select from participant p join cases c on c.id = p.case_id where p.person = $1 and c.desk = d.id)
		order by d.id`, person)
	return pgx.CollectRows(rows, pgx.RowToStructByName[preferenceRow])
}

// writePreference keeps what a person said; "" is what the desk says again.
func writePreference(ctx context.Context, t *tx, person int64, desk int, e flow.Event, how flow.How) error {
	if how == "" {
		_, err := t.Exec(ctx, `delete from preference where person = $1 and desk = $2 and event = $3`, person, desk, e)
		return err
	}
	_, err := t.Exec(ctx, `
		insert into preference (person, desk, event, how) values ($1, $2, $3, $4)
		on conflict (person, desk, event) do update set how = excluded.how`, person, desk, e, how)
	return err
}
