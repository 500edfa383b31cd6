package core

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"postern/core/flow"
)

const (
	casesInList    = 50
	entriesOnSheet = 5         // entries on a sheet that shows a case
	historyBytes   = 200 << 10 // of text in the histories of one mail
	entryBytes     = 8 << 10   // of one text on a sheet that shows a case
)

// queryFound is what the database has for one query.
type queryFound struct {
	cases   []listedCase
	sheet   *sheetCase
	entries []timelineRow
}

// listedCase is a case in a list, as the wall lets the asker see it.
type listedCase struct {
	Number    int64
	Title     string
	Status    string
	Class     string
	Priority  string
	Requested string
	Company   string
	OwnerName string
	OpenedAt  time.Time
	ChangedAt time.Time
	DueAt     *time.Time
	Overdue   bool
	Answered  bool // the customer's side wrote last, and the desk is to act
	Fixed     bool // mail about it repeats nothing (R51)
	Total     int64
}

type sheetCase struct {
	listedCase
	ID           int64
	Type         string
	Participants []string
}

type timelineRow struct {
	Kind   string
	At     time.Time
	Author string
	Text   string
	Size   int64
	Marks  []string
	Event  string
	Was    string
	Became string
	Why    string
	Total  int64
}

const active = `c.class not in ('closed', 'rejected')`

// answered says that the customer's side wrote last, and that the desk is to act.
const answered = `(c.class in ('new', 'open')
	and coalesce((select x.side from comment x where x.case_id = c.id order by x.at desc, x.id desc limit 1), '') = 'customer')`

// listColumns are those of listedCase: $3 says that the asker's mail is verified, $5 is now.
const listColumns = `c.number, c.title, c.status, c.class, c.priority,
	coalesce(case when q.verified_at is not null then nullif(q.name, '') end,
		(select min(a.address) from address a where a.person = q.id), '') as requested,
	coalesce(o.name, '') as company, coalesce(w.name, '') as owner_name, c.opened_at, c.changed_at, c.due_at,
	coalesce(c.due_at < $5 and c.class in ('new', 'open', 'customer', 'blocked'), false) as overdue,
	` + answered + ` as answered,
	c.desk_wrote_at is null and q.verified_at is null and not (c.requester = s.person and $3) as fixed`

const listFrom = ` from ` + seerByAddress + `, cases c
	join person q on q.id = c.requester
	left join organisation o on o.id = c.organisation
	left join person w on w.id = c.owner
	where c.desk = $4 and ` + wall

// lookUpQueries reads what a mail asks for, in a round trip of its own: few mails
// ask, and what is asked of the database depends on who does. Whether they get
// it is decided later.
func (d *Desk) lookUpQueries(ctx context.Context, t *tx, r *reading, a asked, sure bool) error {
	s := r.f.sender
	if s == nil || !r.toCommand && (len(r.asked.lines) == 0 || !r.asked.whole) {
		return nil
	}
	r.f.found = make([]queryFound, len(r.asked.lines))
	histories := 0
	for _, q := range r.asked.lines {
		if q.verb == asksHistory {
			histories++
		}
	}
	b := &pgx.Batch{}
	b.Queue(`
		select count(*) from (
			select from outbox x
			where x.address = $1 and x.automatic and x.let_out and x.queued_at > $2 and x.kind = $3
			limit `+noticesCounted+`) recent`, a.from, r.now.Add(-noticeWindow), Worklist).QueryRow(func(row pgx.Row) error { return row.Scan(&r.f.answered) })
	for i, q := range r.asked.lines {
		found := &r.f.found[i]
		switch {
		case q.wrong != "":
		case q.verb == asksList || q.verb == asksSearch:
			queueList(b, r, a, sure, q, &found.cases)
		case q.verb == asksShow:
			queueSheet(b, r, a, sure, q, entryBytes, entriesOnSheet*entryBytes, entriesOnSheet, found)
		case q.verb == asksHistory:
			queueSheet(b, r, a, sure, q, historyBytes, historyBytes/histories, 5000, found)
		}
	}
	return run(ctx, t, b)
}

// queueList asks for the cases of a list or a search. Agents ask all of the
// desk, customers what is theirs.
func queueList(b *pgx.Batch, r *reading, a asked, sure bool, q query, into *[]listedCase) {
	s := r.f.sender
	args := []any{a.from, a.domain, sure, r.desk.id, r.now}
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	agent := s.Role != ""
	where := ""
	if !agent {
		organisation := s.Member
		if organisation == nil && sure && r.f.domain != nil {
			organisation = &r.f.domain.Organisation
		}
		person := arg(s.ID)
		where = ` and c.id = any (array(select id from cases where requester = ` + person + `
			union all select p.case_id from participant p where p.person = ` + person
		if q.scope != "mine" {
			where += ` union all select id from cases where organisation = ` + arg(organisation) + `::bigint`
		}
		where += `))` // looked up first: no other case is touched
	}
	byUrgency := func() string {
		return `overdue desc, array_position(` + arg(priorities(r.desk.Desk)) + `::text[], nullif(c.priority, '')) nulls last, `
	}
	order := ""
	switch {
	case q.verb == asksSearch:
		where += searchSQL(q.words, agent, arg)
		order = `not (` + active + `), ` + byUrgency() + `c.changed_at desc, c.id desc`
	case q.scope == "closed":
		where += ` and not (` + active + `)`
		order = `c.changed_at desc, c.id desc`
	case agent && (q.scope == "" || q.scope == "mine"):
		where += ` and ` + active + ` and c.owner = ` + arg(s.ID)
	case q.scope == "overdue":
		where += ` and c.due_at < $5 and c.class in ('new', 'open', 'customer', 'blocked')`
	case q.scope == "unassigned":
		where += ` and ` + active + ` and c.owner is null`
	case q.scope == "waiting":
		where += ` and ` + answered
	default:
		where += ` and ` + active
	}
	if order == "" {
		order = byUrgency() + `c.opened_at, c.id`
	}
	b.Queue(`select `+listColumns+`, count(*) over () as total`+listFrom+where+
		` order by `+order+` limit `+strconv.Itoa(casesInList), args...).Query(all(into))
}

func priorities(d *flow.Desk) []string {
	keys := []string{}
	for _, p := range d.Priorities {
		keys = append(keys, p.Key)
	}
	return keys
}

// queueSheet asks for one case and its newest entries, whole bytes of each at
// most, and as many as fit into so many bytes. "There is none" and "it is not yours" are one answer by the same
// statements (R63).
func queueSheet(b *pgx.Batch, r *reading, a asked, sure bool, q query, whole, bytes, entries int, into *queryFound) {
	number, _ := r.desk.readNumber(q.number)
	b.Queue(`
		select `+listColumns+`, 1::bigint as total, c.id, c.type,
			array(select coalesce(nullif(y.name, ''), (select min(a.address) from address a where a.person = y.id), '')
				from participant p join person y on y.id = p.person
				where p.case_id = c.id and p.person <> c.requester order by p.since, y.id limit 40) as participants
		`+listFrom+` and c.number = $6`, a.from, a.domain, sure, r.desk.id, r.now, number).Query(one(&into.sheet))
	b.Queue(`
		with seen as materialized (
			select c.id, c.opened_at, c.description, c.marks, coalesce(c.author, c.requester) as writer,
				exists (select from agent a where a.person = s.person and a.desk = c.desk) as agent,
				case when `+wallWhole+` then '-infinity'
					else (select p.since from participant p where p.case_id = c.id and p.person = s.person) end as since
			from `+seerByAddress+`, cases c
			where c.desk = $4 and c.number = $5 and `+wall+`
		), line as (
			select 'description' as kind, c.opened_at as at, `+authorName+` as author, c.description as text, c.marks,
				'' as event, '' as was, '' as became, '' as why, '-infinity'::timestamptz as written_at, 0 as rank, 0::bigint as id
			from seen c join person p on p.id = c.writer where c.since = '-infinity'
			union all
			select 'comment', x.at, `+authorName+`, x.text, x.marks, '', '', '', '', x.written_at, 1, x.id
			from seen c join comment x on x.case_id = c.id join person p on p.id = x.author where x.written_at >= c.since
			union all
			select 'note', x.at, coalesce(p.name, ''), x.text, x.marks, '', '', '', '', x.written_at, 1, x.id
			from seen c join note x on x.case_id = c.id left join person p on p.id = x.author where c.agent
			union all
			select 'event', x.at, coalesce(p.name, ''), '', '{}', x.kind, x.was, x.became, x.why, x.written_at, 2, x.id
			from seen c join event x on x.case_id = c.id left join person p on p.id = x.actor
			where $8 and (c.agent or not x.internal) and `+readersEvent("$1")+` and x.written_at >= c.since
				and (x.kind <> 'merged' or c.agent or `+mayFollow+`)
		)
		select kind, at, author, left(text, $6::int) as text, octet_length(text) as size, marks, event, was, became, why, total
		from (
			select *, count(*) over () as total, sum(least(octet_length(text), $9::int) + octet_length(why) + 80) over newest
				- least(octet_length(text), $9::int) as newer
			from line
			window newest as (order by at desc, written_at desc, rank desc, id desc)
		) l
		where newer < $6
		order by at desc, written_at desc, rank desc, id desc limit $7`,
		a.from, a.domain, sure, r.desk.id, number, bytes, entries, q.verb == asksHistory, whole).Query(all(&into.entries))
}

// mayFollow says that who asks sees the case as which that of event x goes on
// (R63).
const mayFollow = `exists (
	select from ` + seerByAddress + `, cases m join cases c on c.id = m.merged_into
	where m.id = x.case_id and x.became like '%-' || c.number and ` + wall + `)`

const authorName = `coalesce(nullif(p.name, ''), (select min(a.address) from address a where a.person = p.id), '')`
