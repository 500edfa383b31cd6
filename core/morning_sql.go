package core

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// queueMorning keeps whether an agent wants the digest of the morning.
func queueMorning(b *pgx.Batch, r *reading, p *plan) {
	if p.morning == "" {
		return
	}
	how := map[string]string{"on": "mail", "off": "nothing"}[p.morning]
	b.Queue(`
		insert into preference (person, desk, event, how) values ($1, $2, 'morning', $3)
		on conflict (person, desk, event) do update set how = excluded.how`, p.person, r.desk.id, how)
}

type earlyBird struct {
	Person   int64
	Name     string
	Language string
	Address  string
}

func (d *Desk) sendMornings(ctx context.Context, t *tx, desk *running, day time.Time) (int, error) {
	rows, _ := t.Query(ctx, `
		select g.person, p.name, p.language, a.address
		from preference f join agent g on g.person = f.person and g.desk = f.desk
		join person p on p.id = g.person
		cross join lateral (select min(x.address) as address from address x where x.person = p.id and x.suppressed_at is null) a
		where f.desk = $1 and f.event = 'morning' and f.how = 'mail' and a.address is not null
		order by g.person`, desk.id)
	birds, err := pgx.CollectRows(rows, pgx.RowToStructByName[earlyBird])
	if err != nil {
		return 0, err
	}
	n := 0
	for _, bird := range birds {
		won, err := claimTick(ctx, t, fmt.Sprintf("morning-%d-%d", desk.id, bird.Person), day.UTC())
		if err != nil {
			return n, err
		}
		if !won {
			continue
		}
		sent, err := d.sendMorning(ctx, t, desk, bird)
		if err != nil {
			return n, err
		}
		if sent {
			n++
		}
	}
	return n, nil
}

func (d *Desk) sendMorning(ctx context.Context, t *tx, desk *running, bird earlyBird) (bool, error) {
	language := desk.language(bird.Language)
	var cases []listedCase
	var unassigned, event int64
	held := map[HeldKind]int{}
	b := &pgx.Batch{}
	b.Queue(`select `+listColumns+`, count(*) over () as total`+listFrom+` and `+active+` and c.owner = $6
		order by overdue desc, answered desc, array_position($7::text[], nullif(c.priority, '')) nulls last, c.opened_at, c.id
		limit `+strconv.Itoa(casesInList), bird.Address, Address{Address: bird.Address}.Domain(), true, desk.id, t.now,
		bird.Person, priorities(desk.Desk)).Query(all(&cases))
	b.Queue(`select count(*) from cases c where c.desk = $1 and `+active+` and c.owner is null`, desk.id).Query(value(&unassigned))
	b.Queue(`select `+kindOf("$2", "$3")+` as kind, count(*) from ledger l
		where `+isHeld+` and l.desk = $1 and `+notAsked+` group by 1`, desk.id, codesOf(HeldMachines), codesOf(HeldSpam)).Query(
		func(rows pgx.Rows) error { return countKinds(rows, held) })
	b.Queue(`select nextval('event_id_seq')`).Query(value(&event)) // a number of its own for each digest
	if err := run(ctx, t, b); err != nil {
		return false, err
	}
	if len(cases) == 0 && unassigned == 0 && len(held) == 0 {
		return false, nil
	}
	w := draft{kind: Morning, to: recipient{person: bird.Person, name: bird.Name, address: bird.Address, language: language, agent: true},
		payload: Payload{Answers: mornings(desk, cases, language), Unassigned: unassigned, HeldCount: held,
			Desk: desk.Name.In(language), Zone: desk.Timezone, When: t.now, Words: queryWordsIn(language, true)}}
	if len(held) > 0 {
		w.payload.Page = d.set.BaseURL + "/held"
	}
	letters := &pgx.Batch{}
	d.queueLetter(letters, t, cause{"morning", event}, desk, 0, gate(w, nil, counts{}, d.set.Budgets, 0, t.now))
	return true, run(ctx, t, letters)
}
