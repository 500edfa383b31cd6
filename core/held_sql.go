package core

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"postern/core/flow"
)

const heldColumns = `l.id as ledger, l.state, l.reason, l.from_address as "from", l.subject, l.received_at as received,
	l.size, l.class, l.assurance`

const isHeld = `l.state in ('held', 'quarantined')`

// heldOf is mail of the desks whose agent a person is, $1. What could not be
// filed has no desk yet: it is for admins.
const heldOf = `(l.desk in (select a.desk from agent a where a.person = $1)
	or l.desk is null and exists (select from agent a where a.person = $1 and a.role = 'admin'))`

// kindOf is the kind of a held mail; the codes of machines and of spam are in
// the two arguments.
func kindOf(machines, spam string) string {
	return `case when l.state = 'quarantined' then 'people'
		when split_part(l.reason, ', ', 1) = any(` + machines + `::text[]) then 'machines'
		when split_part(l.reason, ', ', 1) = any(` + spam + `::text[]) then 'spam'
		else 'people' end`
}

type heldRow struct {
	HeldLine
	AboutDesk   *int
	AboutNumber *int64
}

func (d *Desk) heldLine(r heldRow) HeldLine {
	l := r.HeldLine
	l.Code, l.Detail = heldCode(l.State, l.Reason)
	l.Kind = heldReasons[l.Code].kind
	if l.Kind == "" {
		l.Kind = HeldPeople
	}
	if r.AboutDesk != nil {
		if desk, err := d.deskByID(*r.AboutDesk); err == nil {
			l.About = desk.caseNumber(*r.AboutNumber)
		}
	}
	return l
}

func (d *Desk) heldLines(rows pgx.Rows) ([]HeldLine, error) {
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[heldRow])
	var lines []HeldLine
	for _, r := range found {
		lines = append(lines, d.heldLine(r))
	}
	return lines, err
}

const (
	heldSelect = `select ` + heldColumns + `, c.desk as about_desk, c.number as about_number
		from ledger l left join cases c on c.id = l.about where ` + isHeld

	heldOnPage = 50
	rawShown   = 64 << 10
)

func (d *Desk) heldPage(ctx context.Context, t *tx, v Viewer, q HeldQuery) (HeldPage, error) {
	page := HeldPage{Count: map[HeldKind]int{}}
	rows, _ := t.Query(ctx, `select `+kindOf("$2", "$3")+` as kind, count(*) from ledger l
		where `+isHeld+` and `+heldOf+` group by 1`, v.person, codesOf(HeldMachines), codesOf(HeldSpam))
	err := countKinds(rows, page.Count)
	if err != nil {
		return page, err
	}
	rows, _ = t.Query(ctx, heldSelect+` and `+heldOf+` and ($2 = 0 or l.id < $2) and ($3 = '' or `+kindOf("$4", "$5")+` = $3)
		order by l.id desc limit $6`, v.person, q.Before, string(q.Kind), codesOf(HeldMachines), codesOf(HeldSpam), heldOnPage+1)
	page.Mails, err = d.heldLines(rows)
	if len(page.Mails) > heldOnPage {
		page.Mails, page.More = page.Mails[:heldOnPage], true
	}
	return page, err
}

func (d *Desk) heldView(ctx context.Context, t *tx, v Viewer, ledger int64) (HeldView, error) {
	var view HeldView
	rows, _ := t.Query(ctx, heldSelect+` and `+heldOf+` and l.id = $2`, v.person, ledger)
	lines, err := d.heldLines(rows)
	if err != nil {
		return view, err
	}
	if lines == nil {
		return view, ErrNotFound
	}
	view.HeldLine = lines[0]
	var trace []byte
	err = t.QueryRow(ctx, `
		select b.account, l.trace, coalesce((select k.bytes from blob_chunk k where k.blob = l.blob and k.n = 0), ''),
			exists (select from address a join person p on p.id = a.person where a.address = l.from_address and p.blocked_at is not null),
			exists (select from address a join agent g on g.person = a.person where a.address = l.from_address)
		from ledger l join mailbox b on b.id = l.mailbox where l.id = $1`, ledger).Scan(&view.Mailbox, &trace, &view.Raw, &view.Blocked, &view.Barred)
	if err != nil {
		return view, err
	}
	view.Barred = view.Barred || view.From == "" || d.isOwn(view.From)
	view.Raw = view.Raw[:min(len(view.Raw), rawShown)]
	if trace != nil {
		err = json.Unmarshal(trace, &view.Trace)
	}
	return view, err
}

// wordRow is what decides whether a word may be said of a mail.
type wordRow struct {
	ID         int64
	State      State
	Reason     string
	Desk       *int
	HeaderOnly bool
	Bytes      bool
	Decided    bool
}

// wordColumns tell it; wherever they are asked for, the row is locked, so that
// of two agents one is first.
const wordColumns = `l.id, l.state, l.reason, l.desk, l.header_only, l.blob is not null as bytes,
	not ` + isHeld + ` and (l.released_by is not null or l.state = 'refused') as decided`

// may says why a word cannot be said of a mail, nil if it can.
func (r wordRow) may(word HeldWord) error {
	code, _ := heldCode(r.State, r.Reason)
	switch {
	case r.Decided:
		return ErrDecided
	case r.State != Held && r.State != Quarantined:
		return ErrNotFound
	case word != RefuseIt && r.HeaderOnly:
		return fmt.Errorf("its body was too large to take, it lies on the mail server: %w", ErrNotAllowed)
	case word != RefuseIt && !r.Bytes:
		return fmt.Errorf("its bytes are no longer kept: %w", ErrNotAllowed)
	case !(HeldLine{Code: code}).May(word):
		return fmt.Errorf("%s would have it held again (%s): %w", word, code, ErrNotAllowed)
	}
	return nil
}

// hears takes an agent's word on one mail.
func (d *Desk) hears(ctx context.Context, t *tx, person int64, s saidOfHeld) error {
	rows, _ := t.Query(ctx, `select `+wordColumns+` from ledger l where l.id = $2 and `+heldOf+` for update of l`, person, s.ledger)
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[wordRow])
	if err != nil {
		return notFound(err)
	}
	if err := row.may(s.word); err != nil {
		return err
	}
	if s.word == AttachIt {
		desk, number, _ := d.splitNumber(s.number)
		if row.Desk != nil {
			r, err := d.deskByID(*row.Desk)
			if err != nil {
				return err
			}
			desk = r.id
			number, _ = r.readNumber(s.number)
		}
		err := t.QueryRow(ctx, `
			select c.id from cases c
			where c.desk = $1 and c.number = $2 and exists (select from agent a where a.person = $3 and a.desk = c.desk)`,
			desk, number, person).Scan(&s.caseID)
		if err == pgx.ErrNoRows {
			return ErrNoCase
		}
		if err != nil {
			return err
		}
	}
	b := &pgx.Batch{}
	queueHeldWord(b, t, person, s)
	return run(ctx, t, b)
}

// queueHeldWord writes a word down: the mail is due to be filed on it, or is
// at its end.
func queueHeldWord(b *pgx.Batch, t *tx, person int64, s saidOfHeld) {
	if s.word == RefuseIt {
		b.Queue(`
			update ledger l set state = 'refused', released_by = $2, released_as = 'refuse', ended_at = $3, told = false,
				trace = coalesce(trace, '[]') || jsonb_build_array(jsonb_build_object('rule', 'R3', 'says', 'refused by '
					|| coalesce((select nullif(p.name, '') from person p where p.id = $2), 'an agent')))
			where id = $1 and `+isHeld, s.ledger, person, t.now)
		return
	}
	b.Queue(`
		update ledger l set state = 'stored', released_by = $2, released_as = $3, released_case = nullif($4::bigint, 0),
			due_at = $5, tries = 0, told = false, listed_at = null
		where id = $1 and `+isHeld, s.ledger, person, string(s.word), s.caseID, t.now)
}

func agentByAddress(ctx context.Context, t *tx, address string) (int64, error) {
	var person int64
	err := t.QueryRow(ctx, `
		select g.person from agent g join address a on a.person = g.person
		where a.address = lower($1) order by g.desk limit 1`, address).Scan(&person)
	if err == pgx.ErrNoRows {
		return 0, fmt.Errorf("%s is no agent (postern agent list): %w", clean(address, 80), ErrNotFound)
	}
	return person, err
}

func refuseByOperator(ctx context.Context, t *tx, ledger int64) error {
	var state State
	err := t.QueryRow(ctx, `select state from ledger where id = $1 for update`, ledger).Scan((*string)(&state))
	switch {
	case err == pgx.ErrNoRows:
		return fmt.Errorf("there is no such mail in the ledger: %w", ErrNotFound)
	case err != nil:
		return err
	case state != Held && state != Quarantined:
		return fmt.Errorf("it is %s, not held or quarantined: %w", state, ErrNotAllowed)
	}
	_, err = t.Exec(ctx, `
		update ledger l set state = 'refused', released_by = null, released_as = 'refuse', ended_at = $2, told = false,
			trace = coalesce(trace, '[]') || jsonb_build_array(jsonb_build_object('rule', 'R3', 'says', 'refused by the operator'))
		where id = $1 and `+isHeld, ledger, t.now)
	return err
}

// queueListed asks for the mails that a list named by this mail shows, locked,
// and for the cases that its lines name: only a mail that begins like an answer
// to such a list needs them.
func queueListed(b *pgx.Batch, a asked, desk *running, lines []heldCommand, lock bool, f *facts) {
	if len(lines) == 0 || len(a.tokens)+len(a.ids) == 0 {
		return
	}
	q := `
		select ` + wordColumns + `, l.from_address as "from", l.subject, l.person
		from ledger l
		where l.desk = $1 and l.id in (
			select x::bigint from outbox o, jsonb_array_elements_text(o.payload->'listed') x
			where o.kind in ('held-list', 'held-done') and (o.token_hash = any($2) or o.id_hash = any($3)))
		order by l.id`
	if lock {
		q += ` for update of l`
	}
	b.Queue(q, desk.id, a.tokens, a.ids).Query(all(&f.listed))
	var numbers []int64
	for _, l := range lines {
		if n, ok := desk.readNumber(l.number); ok {
			numbers = append(numbers, n)
		}
	}
	if numbers != nil {
		b.Queue(`select c.id, c.number from cases c where c.desk = $1 and c.number = any($2)`, desk.id, numbers).Query(
			func(rows pgx.Rows) error {
				f.attachTo = map[int64]int64{}
				var id, number int64
				_, err := pgx.ForEachRow(rows, []any{&id, &number}, func() error {
					f.attachTo[number] = id
					return nil
				})
				return err
			})
	}
}

// toldOfHeld are those of the agents who hear of held mail, and when one of
// them last did.
type toldOfHeld struct {
	agentRow
	Last *time.Time
}

// listHeld tells a desk's agents what waits, if it is time to.
func (d *Desk) listHeld(ctx context.Context, t *tx, desk *running) (int, error) {
	// one process at a time; the row's key is not locked, so that mail goes on
	if _, err := t.Exec(ctx, `select from desk where id = $1 for no key update`, desk.id); err != nil {
		return 0, err
	}
	fresh := map[HeldKind]int{}
	rows, _ := t.Query(ctx, `select `+kindOf("$2", "$3")+` as kind, count(*) from ledger l
		where `+isHeld+` and l.desk = $1 and l.listed_at is null and `+notAsked+` group by 1`,
		desk.id, codesOf(HeldMachines), codesOf(HeldSpam))
	if err := countKinds(rows, fresh); err != nil || len(fresh) == 0 {
		return 0, err
	}
	to, last, err := d.hearOfHeld(ctx, t, desk)
	if err != nil || len(to) == 0 || !heldListDue(fresh, last, t.now) {
		return 0, err
	}
	if _, err := t.Exec(ctx, `
		update ledger l set listed_at = $2
		where `+isHeld+` and l.desk = $1 and l.listed_at is null and `+notAsked, desk.id, t.now); err != nil {
		return 0, err
	}
	items, count, err := d.waitingOf(ctx, t, desk)
	if err != nil {
		return 0, err
	}
	var event int64 // a number of its own for each list
	if err := t.QueryRow(ctx, `select nextval('event_id_seq')`).Scan(&event); err != nil {
		return 0, err
	}
	var listed []int64
	for _, i := range items {
		listed = append(listed, i.ID)
	}
	b := &pgx.Batch{}
	for _, agent := range to {
		w := draft{kind: HeldList, to: agent, payload: Payload{Desk: desk.Name.In(agent.language), Zone: desk.Timezone,
			Held: items, HeldCount: count, Listed: listed, Words: heldWordsIn(agent.language), Page: d.set.BaseURL + "/held"}}
		d.queueLetter(b, t, cause{"held-list", event}, desk, 0, gate(w, nil, counts{}, d.set.Budgets, 0, t.now))
	}
	return len(to), run(ctx, t, b)
}

// notAsked leaves out mail that waits for its own agent's word: a question is
// put for it (R42).
const notAsked = `l.reason <> 'agent-unproved'`

func countKinds(rows pgx.Rows, into map[HeldKind]int) error {
	var kind string
	var n int
	_, err := pgx.ForEachRow(rows, []any{&kind, &n}, func() error {
		into[HeldKind(kind)] = n
		return nil
	})
	return err
}

// hearOfHeld are the agents whom the desk tells of new cases, and when the last
// of them heard of held mail within the day.
func (d *Desk) hearOfHeld(ctx context.Context, t *tx, desk *running) ([]recipient, *time.Time, error) {
	rows, _ := t.Query(ctx, `
		select g.person, p.name, a.address, p.language, a.suppressed_at is not null as suppressed, 0 as notices,
			g.role, null::jsonb as wishes,
			(select max(o.queued_at) from outbox o where o.address = a.address and o.kind = 'held-list'
				and o.desk = g.desk and o.queued_at > $2) as last
		from agent g join person p on p.id = g.person join address a on a.person = p.id
		where g.desk = $1 order by g.person, a.address`, desk.id, t.now.Add(-heldOthersEvery))
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[toldOfHeld])
	if err != nil {
		return nil, nil, err
	}
	var agents []agentRow
	var last *time.Time
	for _, a := range found {
		agents = append(agents, a.agentRow)
	}
	to := told(desk, caseRow{}, audience{agents: agents, own: d.isOwn}, happened{events: []flow.Event{flow.EventHeld}})
	for _, a := range found {
		hears := slices.ContainsFunc(to, func(r recipient) bool { return r.address == a.Address })
		if hears && a.Last != nil && (last == nil || a.Last.After(*last)) {
			last = a.Last
		}
	}
	return to, last, nil
}

// waitingOf is what a list shows: the newest mail of people, and the newest of
// the rest, with how much there is of each.
func (d *Desk) waitingOf(ctx context.Context, t *tx, desk *running) ([]HeldItem, map[HeldKind]int, error) {
	count := map[HeldKind]int{}
	rows, _ := t.Query(ctx, `select `+kindOf("$2", "$3")+` as kind, count(*) from ledger l
		where `+isHeld+` and l.desk = $1 and `+notAsked+` group by 1`, desk.id, codesOf(HeldMachines), codesOf(HeldSpam))
	if err := countKinds(rows, count); err != nil {
		return nil, nil, err
	}
	var items []HeldItem
	for _, people := range []bool{true, false} {
		rows, _ := t.Query(ctx, heldSelect+` and l.desk = $1 and `+notAsked+` and (`+kindOf("$2", "$3")+` = 'people') = $4
			order by l.id desc limit $5`, desk.id, codesOf(HeldMachines), codesOf(HeldSpam), people, heldListed)
		lines, err := d.heldLines(rows)
		if err != nil {
			return nil, nil, err
		}
		for _, l := range lines {
			items = append(items, l.item())
		}
	}
	return items, count, nil
}
