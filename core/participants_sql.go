package core

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// queueOthers asks who else stands in a mail, and for which of the cases it
// names its sender is proposed.
func queueOthers(b *pgx.Batch, a asked, desk int, f *facts) {
	b.Queue(`
		select case_id from proposal
		where case_id = `+theNamed+` and address = $1`, a.from).Query(values(&f.proposed))
	b.Queue(`
		select l.case_id from left_case l join address a on a.person = l.person
		where l.case_id = `+theNamed+` and a.address = $1`, a.from).Query(values(&f.left))
	if len(a.others) == 0 {
		return
	}
	domains := make([]string, len(a.others))
	for i, o := range a.others {
		domains[i] = domainOf(o)
	}
	b.Queue(`
		select q.address, a.person, coalesce(p.name, '') as name, p.verified_at is not null as verified,
			coalesce(nullif(p.language, ''), o.language, '') as language, g.person is not null as agent, m.person is not null as member,
			o.id as organisation, coalesce(o.name, '') as company
		from unnest($1::text[], $2::text[]) as q (address, domain)
		left join address a on a.address = q.address
		left join person p on p.id = a.person
		left join agent g on g.person = a.person and g.desk = $3
		left join member m on m.person = a.person
		left join domain d on d.domain = q.domain and m.person is null
		left join organisation o on o.id = coalesce(m.organisation, d.organisation)`,
		a.others, domains, desk).Query(all(&f.others))
}

// contactAt finds the person of address $1, or makes one with the name $2: a
// contact of the organisation of the domain $3, if that is one's (R71).
const contactAt = `
	known as (select person as id from address where address = $1),
	made as (insert into person (name) select $2 where not exists (select from known) returning id),
	addressed as (insert into address (address, person) select $1, id from made),
	joined as (
		insert into member (person, organisation, by)
		select made.id, d.organisation, 'domain' from made join domain d on d.domain = $3
	),
	contact as (select id from known union all select id from made)`

// queueInvited writes down whom a mail made participants, and whom it proposes.
func queueInvited(b *pgx.Batch, t *tx, p *plan) {
	for _, i := range p.joining {
		b.Queue(`with `+contactAt+`
			insert into participant (case_id, person, since) select $4, id, $5 from contact
			on conflict do nothing`, i.address, i.name, domainOf(i.address), p.caseID, t.now)
		b.Queue(`delete from proposal where case_id = $1 and address = $2`, p.caseID, i.address)
	}
	for _, i := range p.proposed {
		b.Queue(`
			insert into proposal (case_id, address, name, made_at) values ($1, $2, $3, $4)
			on conflict do nothing`, p.caseID, i.address, i.name, t.now)
	}
}

// addParticipant adds somebody on an agent's press. Twice is once.
func addParticipant(ctx context.Context, t *tx, c caseRow, address string, agent int64) error {
	if _, err := t.Exec(ctx, `select from cases where id = $1 for update`, c.ID); err != nil {
		return err
	}
	var isAgent, isThere bool
	var name string
	err := t.QueryRow(ctx, `
		select exists (select from address a join agent g on g.person = a.person where a.address = $1 and g.desk = $2),
			exists (select from address a where a.address = $1 and (a.person = $4
				or exists (select from participant p where p.case_id = $3 and p.person = a.person))),
			coalesce((select name from proposal where case_id = $3 and address = $1), '')`,
		address, c.Desk, c.ID, c.Requester).Scan(&isAgent, &isThere, &name)
	if err != nil {
		return err
	}
	if isAgent {
		return fmt.Errorf("%s is an agent of the desk and sees the case: %w", address, ErrNotAllowed)
	}
	b := &pgx.Batch{}
	b.Queue(`delete from proposal where case_id = $1 and address = $2`, c.ID, address)
	if !isThere {
		b.Queue(`with `+contactAt+`
			insert into participant (case_id, person, since) select $4, id, $5 from contact`,
			address, name, domainOf(address), c.ID, t.now)
		queueEvent(b, t, c.ID, newEvent{kind: "participant", actor: agent, became: address}, Mail{})
		b.Queue(`update cases set changed_at = $2 where id = $1`, c.ID, t.now)
	}
	return run(ctx, t, b)
}

// wouldJoin are those whom an agent may add to a case with a press.
func wouldJoin(ctx context.Context, t *tx, c caseRow) ([]PersonLine, error) {
	rows, _ := t.Query(ctx, `
		select q.address, q.name from proposal q
		where q.case_id = $1 and not exists (
			select from address a left join participant p on p.person = a.person and p.case_id = $1
			where a.address = q.address and (p.person is not null or a.person = $2))
		order by q.made_at, q.address limit 50`, c.ID, c.Requester)
	return pgx.CollectRows(rows, pgx.RowToStructByName[PersonLine])
}

type aboutRow struct {
	Number  int64
	Address string
	Name    string
	Sees    bool
}

// aboutCase is the case that this one may be about, if its requester does not
// see that: an agent may add them there (R37).
func aboutCase(ctx context.Context, t *tx, c caseRow) (*aboutRow, error) {
	rows, _ := t.Query(ctx, `
		select c.number, coalesce((select min(a.address) from address a where a.person = $1), '') as address,
			(select p.name from person p where p.id = $1) as name,
			exists (select from `+seerByPerson+` where `+wall+`) as sees
		from cases new join cases c on c.id = new.linked and c.desk = new.desk
		where new.id = $2`, c.Requester, c.ID)
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[aboutRow])
	if err == pgx.ErrNoRows || err == nil && (row.Sees || row.Address == "") {
		return nil, nil
	}
	return row, err
}

// queueBehalf makes the person for whom an agent opened a case, if nobody has
// their address yet.
func queueBehalf(b *pgx.Batch, p *plan) {
	x := p.behalf
	if x == nil || !x.isNew {
		return
	}
	b.Queue(`insert into person (id, name) values ($1, $2)`, x.id, x.name)
	b.Queue(`insert into address (address, person) values ($1, $2)`, x.address, x.id)
	b.Queue(`
		insert into member (person, organisation, by)
		select $1, organisation, 'domain' from domain where domain = $2`, x.id, domainOf(x.address))
}

// mailedAt are the addresses at which person s.person gets the mail of case
// s.case_id: where they asked for it (R39), else their own.
const mailedAt = `
	select w.address, (select x.suppressed_at from address x where x.address = w.address) as suppressed_at, true as asked
	from reply_to w where w.case_id = s.case_id and w.person = s.person
	union all
	select x.address, x.suppressed_at, false from address x
	where x.person = s.person
		and not exists (select from reply_to w where w.case_id = s.case_id and w.person = s.person)`

// quietCase says that an agent opened case s.case_id for somebody, and that the
// desk has written nothing publicly yet (R64), or that an agent gave the case to
// person s.person, or merged such a case of theirs into it, and it has written
// nothing since.
const quietCase = `exists (select from cases k where k.id = s.case_id
		and (k.opened_by is not null and k.desk_wrote_at is null
			or k.requester = s.person and k.given_at is not null and coalesce(k.desk_wrote_at < k.given_at, true)
			or exists (select from cases j where j.merged_into = k.id and j.requester = s.person and j.opened_by is not null
				and j.desk_wrote_at is null and coalesce(k.desk_wrote_at < j.status_at, true))))`

// hasLeft says that person s.person wants no more mail of case s.case_id (R38).
const hasLeft = `exists (select from left_case l where l.case_id = s.case_id and l.person = s.person)`

// queueLeaving writes down that the sender leaves a case, or comes back.
func queueLeaving(b *pgx.Batch, t *tx, p *plan) {
	switch {
	case p.leaves == nil:
	case p.leaves.back:
		b.Queue(`delete from left_case where case_id = $1 and person = $2`, p.caseID, p.person)
	default:
		b.Queue(`
			insert into left_case (case_id, person, at) values ($1, $2, $3)
			on conflict do nothing`, p.caseID, p.person, t.now)
	}
}

// queueRepliesTo writes down where the sender of a mail wants answers.
func queueRepliesTo(b *pgx.Batch, p *plan) {
	switch to := p.repliesTo; {
	case to == nil:
	case *to == "":
		b.Queue(`delete from reply_to where case_id = $1 and person = $2`, p.caseID, p.person)
	default:
		b.Queue(`
			insert into reply_to (case_id, person, address) values ($1, $2, $3)
			on conflict (case_id, person) do update set address = excluded.address`, p.caseID, p.person, *to)
	}
}
