package core

// The wall between organisations (R63). Whoever asks, by mail or in the web
// view, sees a case if and only if this one expression says so: c is the case,
// s who asks.
//
// A person sees what they asked for or take part in; an agent all of the desk;
// a member what the organisation has, if the desk shows it to all of it or to
// power users, and once it is sure that the person is who they say (R71: a
// domain in an address alone opens nothing).
const wall = `(` + wallWhole + `
	or exists (select from participant p where p.case_id = c.id and p.person = s.person)
)`

// wallWhole is who sees all of a case. Somebody who is a participant and
// nothing else sees what was written since they are (R38).
const wallWhole = `(
	c.requester = s.person
	or exists (select from agent a where a.person = s.person and a.desk = c.desk)
	or (c.organisation = s.organisation and s.sure
		and (s.power or exists (select from desk d where d.id = c.desk and d.sees = 'organisation')))
)`

// seerByPerson is who asks, when they are signed in: $1 is the person.
const seerByPerson = `(
	select p.id as person, m.organisation, coalesce(m.role = 'power', false) as power,
		p.verified_at is not null or coalesce(m.by in ('invitation', 'agent'), false) as sure
	from person p left join member m on m.person = p.id
	where p.id = $1
) s`

// seerByAddress is who asks by mail: $1 the address in From, $2 its domain, $3
// whether this very mail is verified. An address that nobody has yet may be
// a colleague's, by domain.
const seerByAddress = `(
	select a.person, coalesce(m.organisation, o.organisation) as organisation,
		coalesce(m.role = 'power', false) as power,
		$3 or p.verified_at is not null or coalesce(m.by in ('invitation', 'agent'), false) as sure
	from (select $1::text as address, $2::text as domain) q
	left join address a on a.address = q.address
	left join person p on p.id = a.person
	left join member m on m.person = a.person
	left join domain o on o.domain = q.domain and m.person is null and $3
) s`
