package core

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// personAt finds the person of an address, or makes one.
func personAt(ctx context.Context, t *tx, address, name string) (int64, error) {
	var id int64
	err := t.QueryRow(ctx, `select person from address where address = $1`, address).Scan(&id)
	if err == nil {
		_, err = t.Exec(ctx, `update person set name = $2 where id = $1 and name = '' and $2 <> ''`, id, name)
		return id, err
	}
	if err != pgx.ErrNoRows {
		return 0, err
	}
	if err := t.QueryRow(ctx, `insert into person (name) values ($1) returning id`, name).Scan(&id); err != nil {
		return 0, err
	}
	_, err = t.Exec(ctx, `insert into address (address, person) values ($1, $2)`, address, id)
	return id, err
}

func addAgent(ctx context.Context, t *tx, desk int, address, name, role string) error {
	person, err := personAt(ctx, t, address, name)
	if err != nil {
		return err
	}
	_, err = t.Exec(ctx, `
		insert into agent (person, desk, role) values ($1, $2, $3)
		on conflict (person, desk) do update set role = excluded.role`, person, desk, role)
	return err
}

func agentLines(ctx context.Context, t *tx) ([]AgentLine, error) {
	rows, _ := t.Query(ctx, `
		select d.key as desk, min(a.address) as address, p.name, g.role
		from agent g
		join desk d on d.id = g.desk
		join person p on p.id = g.person
		join address a on a.person = p.id
		group by d.key, p.id, p.name, g.role
		order by d.key, p.name, p.id`)
	return pgx.CollectRows(rows, pgx.RowToStructByName[AgentLine])
}

func addOrganisation(ctx context.Context, t *tx, name string, domains []string) error {
	var id int64
	err := t.QueryRow(ctx, `
		insert into organisation (name) values ($1)
		on conflict (name) do update set name = excluded.name
		returning id`, name).Scan(&id)
	if err != nil {
		return err
	}
	for _, domain := range domains {
		var owner int64
		err := t.QueryRow(ctx, `
			insert into domain (domain, organisation) values ($1, $2)
			on conflict (domain) do update set domain = excluded.domain
			returning organisation`, domain, id).Scan(&owner)
		if err != nil {
			return err
		}
		if owner != id {
			return fmt.Errorf("%s belongs to another organisation", domain)
		}
	}
	return nil
}

func organisationLines(ctx context.Context, t *tx) ([]OrganisationLine, error) {
	rows, _ := t.Query(ctx, `
		select o.name, array(select domain from domain where organisation = o.id order by domain) as domains,
			(select count(*) from member m where m.organisation = o.id) as members
		from organisation o order by o.name limit 1000`)
	return pgx.CollectRows(rows, pgx.RowToStructByName[OrganisationLine])
}

// organisationNamed finds an organisation by its name.
func organisationNamed(ctx context.Context, t *tx, name string) (int64, string, error) {
	var id int64
	var language string
	err := t.QueryRow(ctx, `select id, language from organisation where lower(name) = lower($1)`, name).Scan(&id, &language)
	if err == pgx.ErrNoRows {
		return 0, "", fmt.Errorf("organisation %q: %w; make it with: postern organisation add", clean(name, 80), ErrNotFound)
	}
	return id, language, err
}

// caseAndAgents reads a case, locked, and the agents of its desk.
func caseAndAgents(ctx context.Context, t *tx, id int64) (caseRow, []agentRow, error) {
	rows, _ := t.Query(ctx, `
		select c.id, c.desk, c.number, c.title, c.requester, c.organisation, coalesce(o.name, '') as company, c.owner,
			c.status, c.class, c.status_at, c.desk_wrote_at, c.opened_at,
			`+commandedColumns+`, true as visible
		from cases c left join organisation o on o.id = c.organisation
		where c.id = $1 for update of c`, id)
	c, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[caseRow])
	if err != nil {
		return c, nil, notFound(err)
	}
	rows, _ = t.Query(ctx, `
		select g.person, p.name, a.address, p.language, a.suppressed_at is not null as suppressed,
			(select count(*) from (select from outbox x where x.address = a.address and x.automatic and x.let_out
				and x.kind not in `+workedFor+` and x.queued_at > $2 limit `+noticesCounted+`) recent) as notices,
			g.role, `+wishesOf("g.person", "g.desk")+`
		from agent g join person p on p.id = g.person join address a on a.person = p.id
		where g.desk = $1 order by g.person, a.address`, c.Desk, t.now.Add(-noticeWindow))
	agents, err := pgx.CollectRows(rows, pgx.RowToStructByName[agentRow])
	return c, agents, err
}

// customersOf are the people on the customer's side of a case, but for
// participants who left it.
func customersOf(ctx context.Context, t *tx, c caseRow) ([]caseperson, error) {
	rows, _ := t.Query(ctx, `
		with side as (
			select $2::bigint as case_id, $3::bigint as person
			union select case_id, person from participant where case_id = $2
		)
		select distinct on (s.person) s.case_id, s.person, p.name, a.address,
			coalesce(nullif(p.language, ''), o.language, '') as language,
			p.verified_at is not null as verified, a.suppressed_at is not null as suppressed, s.person = $3 as requester,
			exists (select from agent g where g.person = p.id) as agent,
			`+quietCase+` as quiet, a.asked, `+hasLeft+` as left,
			m.organisation as member, `+wishesOf("s.person", "$4")+`,
			`+recentMail+`
		from side s
		join person p on p.id = s.person
		cross join lateral (`+mailedAt+`) a
		left join member m on m.person = p.id
		left join organisation o on o.id = m.organisation
		where s.person = $3 or not `+hasLeft+` and not exists (select from agent g where g.person = s.person and g.desk = $4)
		order by s.person, a.suppressed_at nulls first, a.address limit 200`, t.now, c.ID, c.Requester, c.Desk)
	return pgx.CollectRows(rows, pgx.RowToStructByName[caseperson])
}
