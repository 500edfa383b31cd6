package core

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"postern/core/token"
)

// questionLife is how long an agent may confirm what waits.
const questionLife = 7 * 24 * time.Hour

// questionEvery is how often an agent is asked at most (R42).
const questionEvery = 10 * time.Minute

// queueQuestion asks an agent about the mail that has just been set aside,
// unless a question went out lately: then the chore asks, for all that waits.
func (d *Desk) queueQuestion(b *pgx.Batch, t *tx, r *reading) {
	if at := r.f.counts.asked; at != nil && at.After(t.now.Add(-questionEvery)) {
		return
	}
	c := r.f.caseByID(r.plan.caseID)
	to := r.sender()
	to.agent = true
	d.putQuestion(b, t, r.desk, to, []int64{r.m.Ledger}, []Waiting{{
		Number: r.desk.caseNumber(c.Number), Title: c.Title, At: r.m.Received,
		Text: shownOfWaiting(r.plan.entry.text),
	}})
}

// putQuestion writes one question with its one-time secret.
func (d *Desk) putQuestion(b *pgx.Batch, t *tx, desk *running, to recipient, waiting []int64, items []Waiting) {
	w := draft{kind: Question, to: to, secret: "question", payload: Payload{
		Desk: desk.Name.In(to.language), Zone: desk.Timezone, Items: items,
		Links: []Link{{Purpose: "question"}}}}
	l := gate(w, nil, counts{}, d.set.Budgets, 0, t.now)
	id := d.queueLetter(b, t, cause{"question", waiting[len(waiting)-1]}, desk, 0, l)
	b.Queue(`
		insert into secret (kind, link_hash, person, address, desk, waiting, made_at, expires_at, letter)
		select 'question', $1, $2, $3, $4, $5, $6, $7, o.id from outbox o where o.message_id = $8
		on conflict do nothing`,
		token.Hash(d.set.Key.Link("question", id)), to.person, to.address, desk.id, waiting, t.now, t.now.Add(questionLife), id)
}

// queueRelease files what a question showed, now that its agent has confirmed
// it by mail.
func queueRelease(b *pgx.Batch, t *tx, letter, person int64) {
	b.Queue(`
		with used as (
			update secret set used_at = $3
			where letter = $1 and person = $2 and used_at is null and expires_at > $3
			returning waiting
		)
		update ledger set state = 'stored', released_by = $2, due_at = $3, told = false
		where id in (select unnest(waiting) from used) and state = 'held'`, letter, person, t.now)
	b.Queue(`update outbox set token_until = null where id = $1`, letter)
}

type waitingRow struct {
	Ledger   int64
	Person   int64
	Name     string
	Address  string
	Language string
	Desk     int
	Number   int64
	Title    string
	Text     string
	At       time.Time
}

// unasked are mails that wait for their agent's word and stand in no question
// yet, of agents who have not been asked lately.
func unasked(ctx context.Context, t *tx) ([]waitingRow, error) {
	rows, _ := t.Query(ctx, `
		select l.id as ledger, l.person, p.name, l.from_address as address, p.language, l.desk, c.number, c.title,
			n.text, l.received_at as at
		from ledger l
		join person p on p.id = l.person
		join cases c on c.id = l.case_id
		join note n on n.ledger = l.id
		where l.state = 'held' and l.reason = 'agent-unproved'
			and not exists (select from secret s where s.kind = 'question' and s.person = l.person and l.id = any(s.waiting))
			and not exists (select from outbox o where o.address = l.from_address and o.for_agent and o.automatic
				and o.kind = 'question' and o.queued_at > $1)
		order by l.person, l.id limit 500
		for update of l skip locked`, t.now.Add(-questionEvery))
	return pgx.CollectRows(rows, pgx.RowToStructByName[waitingRow])
}

type questionRow struct {
	ID      int64
	Person  int64
	Address string
	Waiting []int64
}

func questionByLink(ctx context.Context, t *tx, link string, lock bool) (questionRow, error) {
	q := `
		select id, person, address, waiting from secret
		where kind = 'question' and link_hash = $1 and used_at is null and expires_at > $2`
	if lock {
		q += ` for update`
	}
	rows, _ := t.Query(ctx, q, token.Hash(link), t.now)
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[questionRow])
	if err == pgx.ErrNoRows {
		return row, ErrExpired
	}
	return row, err
}

func questionItems(ctx context.Context, t *tx, d *Desk, waiting []int64) ([]QuestionItem, error) {
	rows, _ := t.Query(ctx, `
		select l.id as ledger, l.person, '' as name, l.from_address as address, '' as language, l.desk, c.number, c.title,
			n.text, l.received_at as at
		from ledger l
		join cases c on c.id = l.case_id
		join note n on n.ledger = l.id
		where l.id = any($1) and l.state = 'held'
		order by l.id`, waiting)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[waitingRow])
	var items []QuestionItem
	for _, w := range found {
		desk, err := d.deskByID(w.Desk)
		if err != nil {
			return nil, err
		}
		items = append(items, QuestionItem{w.Ledger, Waiting{Number: desk.caseNumber(w.Number), Title: w.Title,
			Text: shownOfWaiting(w.Text), At: w.At}})
	}
	return items, err
}

// pressQuestion uses a question up: what was struck is refused, the rest is
// filed in the agent's name.
func pressQuestion(ctx context.Context, t *tx, q questionRow, struck []int64) error {
	if struck == nil {
		struck = []int64{} // null would be unequal to every row
	}
	b := &pgx.Batch{}
	b.Queue(`update secret set used_at = $2 where id = $1`, q.ID, t.now)
	b.Queue(`update outbox set token_until = null where id = (select letter from secret where id = $1)`, q.ID)
	b.Queue(`
		update ledger set state = 'refused', reason = 'struck out by its agent', ended_at = $3, told = false
		where id = any($1) and id = any($2) and state = 'held'`, q.Waiting, struck, t.now)
	b.Queue(`
		update ledger set state = 'stored', released_by = $3, due_at = $4, told = false
		where id = any($1) and not id = any($2) and state = 'held'`, q.Waiting, struck, q.Person, t.now)
	return run(ctx, t, b)
}

func (d *Desk) askOne(ctx context.Context, t *tx, desk *running, to recipient, ids []int64, items []Waiting) error {
	b := &pgx.Batch{}
	d.putQuestion(b, t, desk, to, ids, items)
	return run(ctx, t, b)
}
