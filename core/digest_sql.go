package core

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// waitsForDigest is a letter that is kept to be told in a digest.
type waitsForDigest struct {
	ID       int64
	Address  string
	Person   int64
	Name     string
	Language string
	Desk     int
	CaseID   int64
	Number   int64
	Title    string
	Text     string
	At       time.Time
	ForAgent bool
	Payload  []byte
}

// digestItems bounds one digest; what is more follows in the next.
const digestItems = 100

// sendDigests makes one mail for each person of what is kept for this reason.
func (d *Desk) sendDigests(ctx context.Context, t *tx, reason string) (int, error) {
	if err := dropUnseen(ctx, t, reason); err != nil {
		return 0, err
	}
	if err := forgoDigests(ctx, t, reason); err != nil {
		return 0, err
	}
	rows, _ := t.Query(ctx, `
		select o.id, o.address, o.person, coalesce(p.name, '') as name, o.language, o.desk, o.case_id, c.number, c.title, o.queued_at as at,
			left(coalesce((select x.text from comment x where x.id = (o.payload->>'comment')::bigint),
				(select x.text from note x where x.id = (o.payload->>'note')::bigint),
				case when o.kind = 'notice-new' then c.description end, ''), 20000) as text, o.for_agent, o.payload
		from outbox o
		join cases c on c.id = o.case_id
		join person p on p.id = o.person
		left join address a on a.address = o.address
		where o.state = 'withheld' and o.reason = $1 and a.suppressed_at is null
		order by o.address, o.desk, o.for_agent, o.id limit 2000 for update of o skip locked`, reason)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[waitsForDigest])
	if err != nil {
		return 0, err
	}
	b := &pgx.Batch{}
	n := 0
	for len(found) > 0 {
		first := found[0]
		desk, err := d.deskByID(first.Desk)
		if err != nil {
			return 0, err
		}
		var ids []int64
		var items []Waiting
		oneCase, fixed := first.CaseID, false
		for len(found) > 0 && found[0].Address == first.Address && found[0].Desk == first.Desk && found[0].ForAgent == first.ForAgent {
			if len(items) < digestItems {
				item, about, err := found[0].item(desk)
				if err != nil {
					return 0, err
				}
				fixed = fixed || about
				ids, items = append(ids, found[0].ID), append(items, item)
				if found[0].CaseID != oneCase {
					oneCase = 0
				}
			}
			found = found[1:]
		}
		to := recipient{person: first.Person, name: first.Name, address: first.Address, language: first.Language, agent: first.ForAgent}
		w := draft{kind: Digest, to: to, payload: Payload{Items: items, Desk: desk.Name.In(first.Language), Zone: desk.Timezone}}
		spent := counts{}
		if reason == forDigest {
			w.kind, w.payload.Contact, w.payload.Fixed = News, desk.Contact.In(first.Language), fixed
		}
		if first.ForAgent {
			oneCase = 0 // an answer to it is no answer to a customer
		} else {
			if spent, err = spentOn(ctx, t, first.Address); err != nil {
				return 0, err
			}
			if oneCase != 0 {
				w.payload.Title = items[0].Title
			}
		}
		l := gate(w, nil, spent, d.set.Budgets, 0, t.now)
		if l.withheld != "" {
			continue // it waits on, with what follows
		}
		d.queueLetter(b, t, cause{"digest", ids[len(ids)-1]}, desk, oneCase, l)
		b.Queue(`update outbox set reason = 'in a digest', sent_at = $2 where id = any($1)`, ids, t.now)
		n++
	}
	return n, run(ctx, t, b)
}

// dropUnseen ends what waits for a digest of somebody who may see its case no
// longer: a former agent, or who was taken out of it (R44, R63).
func dropUnseen(ctx context.Context, t *tx, reason string) error {
	_, err := t.Exec(ctx, `
		update outbox o set reason = 'its reader may see the case no longer (R63)'
		where o.state = 'withheld' and o.reason = $1 and o.case_id is not null and not (
			(not o.for_agent or exists (select from agent g where g.person = o.person and g.desk = o.desk))
			and exists (select from `+strings.Replace(seerByPerson, "$1", "o.person", 1)+`, cases c where c.id = o.case_id and `+wall+`))`, reason)
	return err
}

// forgoDigests lets go what waits for people who want no digests: who takes them
// up again gets what comes then, and not what came all the while.
func forgoDigests(ctx context.Context, t *tx, reason string) error {
	_, err := t.Exec(ctx, `
		update outbox o set reason = 'its recipient wants no digests'
		from preference x
		where o.state = 'withheld' and o.reason = $1
			and x.person = o.person and x.desk = o.desk and x.event = 'digest' and x.how = 'nothing'`, reason)
	return err
}

// item is what a digest says of a letter: what somebody wrote, or what became
// of the case; nothing of either, if nothing may be repeated (R51).
func (w waitsForDigest) item(desk *running) (i Waiting, fixed bool, err error) {
	var p Payload
	if err := json.Unmarshal(w.Payload, &p); err != nil {
		return Waiting{}, false, err
	}
	lines, characters := 4, 300
	if !w.ForAgent { // perhaps they read it nowhere else
		lines, characters = 200, 10_000
	}
	i = Waiting{Number: desk.caseNumber(w.Number), Title: w.Title, Text: firstLines(w.Text, lines, characters), At: w.At}
	if p.Fixed {
		i.Title, i.Text = "", ""
	}
	if p.Changed {
		if i.Text != "" {
			i.Text += "\n\n"
		}
		i.Text += p.Was + " -> " + p.Status
	}
	return i, p.Fixed, nil
}

// spentOn is what the budgets know of an address of the customers' side.
func spentOn(ctx context.Context, t *tx, address string) (counts, error) {
	var c counts
	var muted bool
	err := t.QueryRow(ctx, `
		select array(select queued_at from outbox
				where address = $1 and automatic and let_out and not for_agent
					and kind not in ('sign-in', 'word-refused', 'left-case', 'worklist', 'case-sheet') and queued_at > $2
				order by queued_at desc limit 100),
			exists (select from outbox where address = $1 and reason = '`+pingPongReason+`' and queued_at > $2)`,
		address, t.now.Add(-24*time.Hour)).Scan(&c.automatic, &muted)
	if muted {
		c.stopped = mutedReason
	}
	return c, err
}
