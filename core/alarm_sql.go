package core

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// When something needs a person.
const (
	pollAlarm  = 15 * time.Minute // without a good poll of a mailbox (R15)
	lateAlarm  = 4 * time.Hour    // a letter that has not left (R60)
	alarmEvery = time.Hour
)

// Alarms finds what needs a person now. It mails each operator once an hour at
// most, and tells agents of texts of theirs that have not left for 4 hours. It
// returns the alarms, for the log.
func (d *Desk) Alarms(ctx context.Context) ([]string, error) {
	var lines []string
	err := d.inTx(ctx, func(tx *tx) (err error) {
		if lines, err = alarms(ctx, tx, d.set); err != nil {
			return err
		}
		if err := d.tellLate(ctx, tx); err != nil || len(lines) == 0 {
			return err
		}
		return d.mailAlarm(ctx, tx, lines)
	})
	if len(lines) > 0 {
		d.hint()
	}
	return lines, err
}

func alarms(ctx context.Context, t *tx, set Settings) ([]string, error) {
	accounts, folders := set.polled()
	rows, _ := t.Query(ctx, `
		select 'mailbox ' || account || ' (' || folder || '): no good poll since '
			|| to_char(coalesce(polled_at, added_at) at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC'
		from mailbox where coalesce(polled_at, added_at) < $1
			and (account, folder) in (select * from unnest($3::text[], $4::text[]))
		union all
		select count(*) || ' mails are quarantined: postern ledger list'
		from ledger where state = 'quarantined' having count(*) > 0
		union all
		select count(*) || ' letters may have arrived or not, and were sent twice: postern outbox list --state uncertain, then postern outbox settle'
		from outbox where state = 'uncertain' and resent having count(*) > 0
		union all
		select count(*) || ' letters have not left for 4 hours'
		from outbox where state in ('queued', 'retry') and queued_at < $2 having count(*) > 0
		union all
		select 'agent ' || a.address || ' gets no mail: ' || a.suppressed_reason
		from address a where a.suppressed_at is not null and exists (select from agent g where g.person = a.person)
		union all
		select distinct 'mail to agent ' || e.was || ' came back: ' || e.became || ' ' || e.why
		from event e join address a on a.address = e.was
		where e.kind = 'bounce' and e.at > $5 and a.suppressed_at is null and exists (select from agent g where g.person = a.person)
		union all
		select 'a server refused the bounce address of ' || (select key from desk where 'plain-envelope-' || id = i.key) || ': ' || i.value
		from instance i where i.key like 'plain-envelope-%'
		limit 50`, t.now.Add(-pollAlarm), t.now.Add(-lateAlarm), accounts, folders, t.now.Add(-alarmEvery))
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func (d *Desk) mailAlarm(ctx context.Context, t *tx, lines []string) error {
	keys := d.Desks()
	if len(keys) == 0 || len(d.set.Operator) == 0 {
		return nil
	}
	desk, err := d.desk(keys[0])
	if err != nil {
		return err
	}
	b := &pgx.Batch{}
	hour := t.now.Unix() / int64(alarmEvery.Seconds())
	for _, address := range d.set.Operator {
		w := draft{kind: Alarm, to: recipient{address: address, language: "en", agent: true},
			payload: Payload{Lines: lines, Desk: d.set.BaseURL, Zone: desk.Timezone}}
		d.queueLetter(b, t, cause{"alarm", hour}, desk, 0, gate(w, nil, counts{}, d.set.Budgets, 0, t.now))
	}
	return run(ctx, t, b)
}

type lateLetter struct {
	ID      int64
	CaseID  int64
	Desk    int
	Address string
	Payload []byte
	Reason  string
	Authors []int64
}

// tellLate tells the agents of a case that a text to the customer has not left
// for 4 hours, once for each letter.
func (d *Desk) tellLate(ctx context.Context, t *tx) error {
	rows, _ := t.Query(ctx, `
		select o.id, o.case_id, o.desk, o.address, o.payload, o.reason, `+authors+` from outbox o
		where o.state = 'retry' and o.kind = 'answer' and o.queued_at < $1 and o.case_id is not null
			and not exists (select from outbox n where n.cause_kind = 'late' and n.cause_id = o.id)
		order by o.id limit 50`, t.now.Add(-lateAlarm))
	late, err := pgx.CollectRows(rows, pgx.RowToStructByName[lateLetter])
	if err != nil {
		return err
	}
	b := &pgx.Batch{}
	for _, l := range late {
		var p Payload
		if err := json.Unmarshal(l.Payload, &p); err != nil {
			return err
		}
		reason := fmt.Sprintf("not delivered for 4 hours, and still tried: %s", l.Reason)
		if err := d.queueUndelivered(ctx, t, b, undelivered{cause{"late", l.ID}, l.CaseID, l.Desk, l.Address, p, l.Authors, reason}); err != nil {
			return err
		}
	}
	return run(ctx, t, b)
}
