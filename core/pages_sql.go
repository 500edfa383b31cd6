package core

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"postern/core/flow"
)

// viewedCase is a case that a viewer may see. Only visibleCase makes one.
type viewedCase struct {
	caseRow
	ForAgent  bool // the viewer is an agent of its desk: sees notes
	ChangedAt time.Time
	Requested string // name of the requester
	OwnerName string
	Since     *time.Time // sees it as a participant alone: what was written from then on (R38)
}

const viewedColumns = `c.id, c.desk, c.number, c.title, c.requester, c.organisation, coalesce(o.name, '') as company,
	c.owner, c.status, c.class, c.status_at, c.desk_wrote_at, c.opened_at, ` + commandedColumns + `, true as visible,
	exists (select from agent a where a.person = s.person and a.desk = c.desk) as for_agent,
	c.changed_at,
	coalesce(nullif(q.name, ''), (select min(a.address) from address a where a.person = q.id), '') as requested,
	coalesce(w.name, '') as owner_name,
	case when ` + wallWhole + ` then null
		else (select p.since from participant p where p.case_id = c.id and p.person = s.person) end as since`

const viewedFrom = ` from ` + seerByPerson + `, cases c
	join person q on q.id = c.requester
	left join organisation o on o.id = c.organisation
	left join person w on w.id = c.owner
	where ` + wall

// visibleCase finds a case by its number, behind the wall: "there is none" and
// "it is not yours" are one answer, by one query (R63).
func (d *Desk) visibleCase(ctx context.Context, t *tx, v Viewer, number string) (viewedCase, error) {
	desk, n, _ := d.splitNumber(number)
	rows, _ := t.Query(ctx, `select `+viewedColumns+viewedFrom+` and c.desk = $2 and c.number = $3`, v.person, desk, n)
	c, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[viewedCase])
	return c, notFound(err)
}

const casesOnPage = 50

func (d *Desk) casePage(ctx context.Context, t *tx, v Viewer, q CaseQuery) (CasePage, error) {
	args := []any{v.person}
	arg := func(a any) string {
		args = append(args, a)
		return "$" + strconv.Itoa(len(args))
	}
	var where strings.Builder
	switch q.Scope {
	case "organisation":
		where.WriteString(` and c.organisation = (select m.organisation from member m where m.person = $1)`)
	case "desk":
		where.WriteString(` and c.desk in (select a.desk from agent a where a.person = $1)`)
	default:
		where.WriteString(` and c.id = any (array(select id from cases where requester = $1 union all select id from cases where owner = $1
			union all select p.case_id from participant p where p.person = $1))`)
	}
	if !q.Closed {
		where.WriteString(` and c.class not in ('closed', 'rejected')`)
	}
	if s := strings.TrimSpace(q.Search); s != "" {
		if desk, n, ok := d.splitNumber(s); ok {
			fmt.Fprintf(&where, ` and c.desk = %s and c.number = %s`, arg(desk), arg(n))
		} else {
			where.WriteString(searchSQL(s, q.Scope == "desk", arg))
		}
	}
	if at, id, ok := readCursor(q.Before); ok {
		fmt.Fprintf(&where, ` and (c.changed_at, c.id) < (%s, %s)`, arg(at), arg(id))
	}
	rows, _ := t.Query(ctx, `select `+viewedColumns+viewedFrom+where.String()+
		` order by c.changed_at desc, c.id desc limit `+arg(casesOnPage+1), args...)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[viewedCase])
	if err != nil {
		return CasePage{}, err
	}
	var page CasePage
	if len(found) > casesOnPage {
		found = found[:casesOnPage]
		last := found[casesOnPage-1]
		page.Next = fmt.Sprintf("%d.%d", last.ChangedAt.UnixMicro(), last.ID)
	}
	for _, c := range found {
		line, err := d.caseLine(c, v)
		if err != nil {
			return CasePage{}, err
		}
		page.Cases = append(page.Cases, line)
	}
	return page, nil
}

func readCursor(s string) (time.Time, int64, bool) {
	at, id, ok := strings.Cut(s, ".")
	us, err1 := strconv.ParseInt(at, 10, 64)
	n, err2 := strconv.ParseInt(id, 10, 64)
	return time.UnixMicro(us).UTC(), n, ok && err1 == nil && err2 == nil
}

func (d *Desk) caseLine(c viewedCase, v Viewer) (CaseLine, error) {
	desk, err := d.deskByID(c.Desk)
	if err != nil {
		return CaseLine{}, err
	}
	lang := desk.language(v.Language)
	s, _ := desk.Status(c.Status)
	return CaseLine{Number: desk.caseNumber(c.Number), Title: c.Title, Status: s.Label.In(lang), Class: c.Class,
		YourTurn:  !c.ForAgent && (s.Class == flow.Customer || s.Class == flow.Resolved),
		Requester: c.Requested, Company: c.Company, Owner: c.OwnerName, Opened: c.OpenedAt, Changed: c.ChangedAt}, nil
}

type entryRow struct {
	ID     int64
	Kind   string
	At     time.Time
	Author string
	Side   string
	Text   string
	Rest   string
	HTML   bool
	Marks  []string
	Event  string
	Was    string
	Became string
	Why    string
}

// What a comment x quotes is its desk's if the desk wrote it: notices that the
// agent answered, with all that they tell agents alone (R40), and the command
// lines above it (R43). And it is the history, which somebody who is a
// participant and nothing else does not see (R38). $2: the viewer is an agent,
// $4: since when they take part.
const (
	shownRest = `($2 or x.side = 'customer' and $4::timestamptz is null)`
	shownHTML = `($2 or x.side = 'customer' and ($4::timestamptz is null or x.rest = ''))`
)

// entriesShown bounds what one page of a case shows; the newest are kept.
const entriesShown = 500

func (d *Desk) caseView(ctx context.Context, t *tx, v Viewer, number string) (CaseView, error) {
	c, err := d.visibleCase(ctx, t, v, number)
	if err != nil {
		return CaseView{}, err
	}
	desk, err := d.deskByID(c.Desk)
	if err != nil {
		return CaseView{}, err
	}
	lang := desk.language(v.Language)
	view := CaseView{Desk: desk.Name.In(lang), ForAgent: c.ForAgent}
	if view.CaseLine, err = d.caseLine(c, v); err != nil {
		return CaseView{}, err
	}
	s, _ := desk.Status(c.Status)
	view.Means = s.Means.In(lang)
	view.Priority, view.Type = option(desk.Priorities, c.Priority, lang), option(desk.Types, c.Type, lang)
	rows, _ := t.Query(ctx, `
		select * from (
			select 0::bigint as id, 'description' as kind, c.opened_at as at, coalesce(nullif(p.name, ''),
					(select min(a.address) from address a where a.person = p.id), '') as author,
				case when c.author = c.opened_by then 'desk' else 'customer' end as side,
				c.description as text, c.rest, c.html <> '' as html, c.marks, '' as event, '' as was, '' as became, '' as why,
				'-infinity'::timestamptz as written_at, 0 as rank
			from cases c join person p on p.id = coalesce(c.author, c.requester) where c.id = $1
			union all
			select x.id, 'comment', x.at, coalesce(nullif(p.name, ''),
					(select min(a.address) from address a where a.person = p.id), ''), x.side,
				x.text, case when `+shownRest+` then x.rest else '' end, x.html <> '' and `+shownHTML+`, x.marks, '', '', '', '', x.written_at, 1
			from comment x join person p on p.id = x.author where x.case_id = $1
			union all
			select x.id, 'note', x.at, coalesce(p.name, ''), 'desk', x.text, x.rest, x.html <> '', x.marks, '', '', '', '', x.written_at, 1
			from note x left join person p on p.id = x.author where x.case_id = $1 and $2
			union all
			select x.id, 'event', x.at, coalesce(p.name, ''), '', '', '', false, '{}', x.kind, x.was, x.became, x.why, x.written_at, 2
			from event x left join person p on p.id = x.actor where x.case_id = $1 and ($2 or not x.internal)
		) e where $4::timestamptz is null or written_at >= $4
		order by at desc, written_at desc, rank desc, id desc limit $3`, c.ID, c.ForAgent, entriesShown, c.Since)
	found, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (entryRow, error) {
		var e entryRow
		err := r.Scan(&e.ID, &e.Kind, &e.At, &e.Author, &e.Side, &e.Text, &e.Rest, &e.HTML, &e.Marks, &e.Event, &e.Was, &e.Became, &e.Why, nil, nil)
		return e, err
	})
	if err != nil {
		return CaseView{}, err
	}
	slices.Reverse(found)
	if err := d.beside(ctx, t, v, c, desk, &view); err != nil {
		return CaseView{}, err
	}
	files, list, err := caseFiles(ctx, t, c)
	if err != nil {
		return CaseView{}, err
	}
	view.Files = list
	for _, e := range found {
		if !d.showsEvent(v, e) || e.Event == "merged" && !c.ForAgent && e.Became != view.GoesOn {
			continue
		}
		entry := Entry{ID: e.ID, Kind: e.Kind, At: e.At, Author: e.Author, Side: e.Side, Text: e.Text, Rest: e.Rest,
			HasHTML: e.HTML, Event: e.Event, Was: e.Was, Became: e.Became, Why: e.Why,
			Files: files[fmt.Sprintf("%s %d", e.Kind, e.ID)]}
		if c.ForAgent {
			entry.Marks = e.Marks
		}
		entry.Was, entry.Became = eventLabel(desk, e.Event, e.Was, lang), eventLabel(desk, e.Event, e.Became, lang)
		entry.Why, entry.Until = readUntil(entry.Why)
		view.Entries = append(view.Entries, entry)
	}
	view.Moves = d.caseMoves(desk, c, lang, t.now)
	if c.ForAgent {
		sent, err := sentMails(ctx, t, c.ID)
		if err != nil {
			return CaseView{}, err
		}
		view.addSent(sent)
		if view.Proposed, err = wouldJoin(ctx, t, c.caseRow); err != nil {
			return CaseView{}, err
		}
		about, err := aboutCase(ctx, t, c.caseRow)
		if err != nil {
			return CaseView{}, err
		}
		if about != nil {
			view.About = &AboutLine{desk.caseNumber(about.Number), PersonLine{about.Address, about.Name}}
		}
	}
	return view, nil
}

func option(options []flow.Option, key, lang string) string {
	for _, o := range options {
		if o.Key == key {
			return o.Label.In(lang)
		}
	}
	return ""
}

func statusLabel(d *running, key, lang string) string {
	if s, ok := d.Status(key); ok {
		return s.Label.In(lang)
	}
	return key
}

// caseMoves are the presses that the viewer may make. What needs a text with
// it is done by mail.
func (d *Desk) caseMoves(desk *running, c viewedCase, lang string, now time.Time) []CaseMove {
	by := flow.ByCustomer
	if c.ForAgent {
		by = flow.ByAgent
	}
	if flow.Class(c.Class).Ended() && by == flow.ByCustomer && !canReopen(desk.Desk, c.caseRow, now) {
		return nil
	}
	var moves []CaseMove
	for _, s := range desk.Statuses {
		m, ok := desk.CanMove(c.Status, s.Key, by)
		if !ok || s.Key == c.Status || len(m.Requires) > 0 {
			continue
		}
		if by == flow.ByCustomer && len(m.Words) == 0 {
			continue
		}
		word := ""
		for _, r := range desk.Words(lang, c.Status, by) {
			if r.Move.To == s.Key {
				word = r.Word
				break
			}
		}
		moves = append(moves, CaseMove{To: s.Key, Label: s.Label.In(lang), Word: word})
	}
	return moves
}

func caseFiles(ctx context.Context, t *tx, c viewedCase) (map[string][]FileLine, []FileLine, error) {
	rows, _ := t.Query(ctx, `
		select f.id, e.name, f.type, f.size, e.inline, f.internal, f.blob is null, coalesce(e.comment, e.note, 0),
			case when e.comment is not null then 'comment' when e.note is not null then 'note' else 'description' end
		from file f join entry_file e on e.file = f.id
		where f.case_id = $1 and ($2 or not f.internal) and `+entrySince("$3")+`
		order by f.id, e.comment nulls first, e.note nulls first limit 2000`, c.ID, c.ForAgent, c.Since)
	by := map[string][]FileLine{}
	var list []FileLine
	seen := map[int64]bool{}
	var f FileLine
	var entry int64
	var kind string
	_, err := pgx.ForEachRow(rows, []any{&f.ID, &f.Name, &f.Type, &f.Size, &f.Inline, &f.Internal, &f.Absent, &entry, &kind}, func() error {
		key := fmt.Sprintf("%s %d", kind, entry)
		by[key] = append(by[key], f)
		if !seen[f.ID] {
			seen[f.ID] = true
			list = append(list, f)
		}
		return nil
	})
	return by, list, err
}

// entrySince is which entry's files somebody sees who takes part since then: e
// is entry_file.
func entrySince(since string) string {
	return `(` + since + `::timestamptz is null
		or exists (select from comment y where y.id = e.comment and y.written_at >= ` + since + `))`
}

func entryHTML(ctx context.Context, t *tx, c viewedCase, kind string, id int64) (string, error) {
	var html string
	var err error
	switch {
	case kind == "description" && c.Since == nil:
		err = t.QueryRow(ctx, `select html from cases where id = $1`, c.ID).Scan(&html)
	case kind == "comment":
		err = t.QueryRow(ctx, `
			select x.html from comment x
			where x.case_id = $1 and x.id = $3 and ($4::timestamptz is null or x.written_at >= $4) and `+shownHTML,
			c.ID, c.ForAgent, id, c.Since).Scan(&html)
	case kind == "note" && c.ForAgent:
		err = t.QueryRow(ctx, `select html from note where case_id = $1 and id = $2`, c.ID, id).Scan(&html)
	default:
		return "", ErrNotFound
	}
	if err == nil && html == "" {
		return "", ErrNotFound
	}
	return html, notFound(err)
}

func fileOf(ctx context.Context, t *tx, c viewedCase, id int64) (FileLine, int64, error) {
	var f FileLine
	var blob int64
	err := t.QueryRow(ctx, `
		select id, name, type, size, internal, blob from file
		where case_id = $1 and id = $2 and ($3 or not internal) and blob is not null
			and exists (select from entry_file e where e.file = file.id and `+entrySince("$4")+`)`, c.ID, id, c.ForAgent, c.Since).
		Scan(&f.ID, &f.Name, &f.Type, &f.Size, &f.Internal, &blob)
	return f, blob, notFound(err)
}

func inlineFileOf(ctx context.Context, t *tx, c viewedCase, kind string, entry int64, contentID string) (FileLine, int64, error) {
	var f FileLine
	var blob int64
	err := t.QueryRow(ctx, `
		select f.id, e.name, f.type, f.size, f.internal, f.blob
		from entry_file e join file f on f.id = e.file
		where f.case_id = $1 and ($2 or not f.internal) and f.blob is not null and e.content_id = $3 and e.content_id <> ''
			and case $4
				when 'comment' then e.comment = $5
				when 'note' then e.note = $5
				else e.comment is null and e.note is null end
			and `+entrySince("$6")+`
		order by f.id limit 1`, c.ID, c.ForAgent, contentID, kind, entry, c.Since).
		Scan(&f.ID, &f.Name, &f.Type, &f.Size, &f.Internal, &blob)
	f.Inline = true
	return f, blob, notFound(err)
}

// pressed makes a move that somebody pressed for, and tells both sides. text goes
// with the move: "" if it brings none.
func (d *Desk) pressed(ctx context.Context, t *tx, seen caseRow, to string, person int64, by flow.By, text string) error {
	c, agents, err := caseAndAgents(ctx, t, seen.ID)
	if err != nil {
		return err
	}
	desk, err := d.deskByID(c.Desk)
	if err != nil {
		return err
	}
	m, ok := desk.CanMove(c.Status, to, by)
	if !ok || m.NeedsText() && text == "" || by == flow.ByCustomer && len(m.Words) == 0 {
		return ErrNotAllowed
	}
	if flow.Class(c.Class).Ended() && by == flow.ByCustomer && !canReopen(desk.Desk, c, t.now) {
		return ErrNotAllowed
	}
	return d.moveAndTellOf(ctx, t, desk, c, agents, to, person, press{text: text, binding: m.Binding && by == flow.ByCustomer})
}

// moveAndTell sets a status outside of any mail, and queues the news of it for
// both sides. person is 0 if the clock did it.
func (d *Desk) moveAndTell(ctx context.Context, t *tx, desk *running, c caseRow, agents []agentRow, to string, person int64) error {
	return d.moveAndTellOf(ctx, t, desk, c, agents, to, person, press{})
}

func (d *Desk) moveAndTellOf(ctx context.Context, t *tx, desk *running, c caseRow, agents []agentRow, to string, person int64, of press) error {
	people, err := customersOf(ctx, t, c)
	if err != nil {
		return err
	}
	waiting, err := d.besideCase(ctx, t, c.ID)
	if err != nil {
		return err
	}
	b := &pgx.Batch{}
	from, _ := desk.Status(c.Status)
	status, _ := desk.Status(to)
	brings, err := queuePress(ctx, t, b, c, person, of)
	if err != nil {
		return err
	}
	queueStatus(b, t, c.ID, &statusChange{from: from, to: status, actor: person, until: of.until}, Mail{})
	var event int64
	if err := t.QueryRow(ctx, `select nextval('event_id_seq')`).Scan(&event); err != nil {
		return err
	}
	spent, actor, requester := map[int64]counts{}, agentName(agents, person), ""
	for _, p := range people {
		spent[p.Person] = p.counts()
		if p.Person == person {
			actor = nameOr(p.Name, p.Address)
		}
		if p.Requester {
			requester = nameOr(p.Name, p.Address)
		}
	}
	h := happened{events: []flow.Event{statusEvent(status)}, by: []int64{person},
		receipt: (status.Class.Ended() || from.Class.Ended() || of.binding) && agentName(agents, person) == ""}
	if brings.comment != 0 {
		h.events = append(h.events, flow.EventComment)
	}
	for _, to := range told(desk, c, audience{agents, people, d.isOwn}, h) {
		w := draft{kind: StatusNews, to: to}
		w.payload = Payload{Title: c.Title, Company: c.Company, Actor: actor,
			Desk: desk.Name.In(to.language), Contact: desk.Contact.In(to.language), Zone: desk.Timezone}
		w.payload.describes(status, to.language)
		w.payload.changedFrom(from, to.language)
		sofar := spent[to.person]
		if to.agent {
			w.kind, w.payload.Customer, sofar = NoticeStatus, requester, counts{}
			w.payload.Actions = actions(desk.Desk, status.Key, to.language, c.Owner != nil && *c.Owner == to.person)
			if brings.comment != 0 {
				w.kind, w.payload.Comment = NoticeComment, brings.comment
			}
		} else {
			w.payload.Fixed = c.DeskWroteAt == nil && !requesterVerified(people)
			offer(desk, &w, status.Key)
			if of.binding && (to.person == person || to.person == c.Requester) {
				offerUndo(&w, from, brings.wake)
			}
		}
		l := waiting.fold(gate(w, nil, sofar, d.set.Budgets, c.ID, t.now), c.ID, d.set.Gather, t.now)
		d.queueLetter(b, t, cause{"event", event}, desk, c.ID, l)
	}
	return run(ctx, t, b)
}

func requesterVerified(people []caseperson) bool {
	return slices.ContainsFunc(people, func(p caseperson) bool { return p.Requester && p.Verified })
}
