package core

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"postern/core/flow"
)

func claimTick(ctx context.Context, t *tx, chore string, tick time.Time) (bool, error) {
	tag, err := t.Exec(ctx, `insert into chore_run (chore, tick) values ($1, $2) on conflict do nothing`, chore, tick)
	return tag.RowsAffected() == 1, err
}

// claimRule claims one run of a rule on a case for a period (R62).
func claimRule(ctx context.Context, t *tx, r due) (bool, error) {
	tag, err := t.Exec(ctx, `
		insert into rule_run (case_id, rule, period) values ($1, $2, $3) on conflict do nothing`, r.CaseID, r.Rule, r.Period)
	return tag.RowsAffected() == 1, err
}

type silentCase struct {
	ID       int64
	Status   string
	Since    time.Time // of the silence
	StatusAt time.Time
}

// silent are cases of a status that nobody has publicly written on since
// before, the longest silence first.
func silent(ctx context.Context, t *tx, desk int, status string, before time.Time, limit int, but string) ([]silentCase, error) {
	rows, _ := t.Query(ctx, `
		select * from (
			select c.id, c.status, greatest(c.status_at,
				coalesce((select max(x.written_at) from comment x where x.case_id = c.id), c.status_at)) as since, c.status_at
			from cases c
			where c.desk = $1 and c.status = $2 and c.class in ('customer', 'resolved') and c.status_at < $3
				and (c.wake_at is null or c.wake_at < $3)
		) s
		where s.since < $3 and not exists (select from rule_run r
			where r.case_id = s.id and r.rule = $5 and r.period = to_char(s.since at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'))
		order by since, id limit $4`, desk, status, before, limit, but)
	return pgx.CollectRows(rows, pgx.RowToStructByName[silentCase])
}

func period(since time.Time) string { return since.UTC().Format("2006-01-02T15:04:05.000000") }

// daysAgo is the instant so many calendar days before now, in the desk's zone.
func daysAgo(d *running, now time.Time, days int) time.Time {
	return now.In(d.Zone()).AddDate(0, 0, -days).UTC()
}

func (d *Desk) eachStatus(visit func(*running, flow.Status) error) error {
	for _, key := range d.Desks() {
		desk, err := d.desk(key)
		if err != nil {
			return err
		}
		for _, s := range desk.Statuses {
			if err := visit(desk, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Desk) dueReminders(ctx context.Context, t *tx) ([]due, error) {
	var list []due
	err := d.eachStatus(func(desk *running, s flow.Status) error {
		for _, days := range s.Remind {
			rule := fmt.Sprintf("remind-%d", days)
			found, err := silent(ctx, t, desk.id, s.Key, daysAgo(desk, t.now, int(days)), 200, rule)
			if err != nil {
				return err
			}
			for _, c := range found {
				list = append(list, due{CaseID: c.ID, Rule: rule, Period: period(c.Since), kind: Reminder})
			}
		}
		return nil
	})
	return list, err
}

func (d *Desk) dueClosings(ctx context.Context, t *tx) ([]due, error) {
	var list []due
	closings := 0
	err := d.eachStatus(func(desk *running, s flow.Status) error {
		if s.CloseAfter == 0 {
			return nil
		}
		announce, err := silent(ctx, t, desk.id, s.Key, daysAgo(desk, t.now, s.CloseAfter-s.Announce), 200, "announce")
		if err != nil {
			return err
		}
		for _, c := range announce {
			// never closed sooner than announced, however late the announcement is
			when := c.Since.In(desk.Zone()).AddDate(0, 0, s.CloseAfter)
			if earliest := t.now.In(desk.Zone()).AddDate(0, 0, s.Announce); when.Before(earliest) {
				when = earliest
			}
			list = append(list, due{CaseID: c.ID, Rule: "announce", Period: period(c.Since), kind: ClosingSoon, when: when.UTC()})
		}
		closing, err := silent(ctx, t, desk.id, s.Key, daysAgo(desk, t.now, s.CloseAfter), closedInARun, "close")
		if err != nil {
			return err
		}
		for _, c := range closing {
			if closings++; closings > closedInARun {
				break
			}
			list = append(list, due{CaseID: c.ID, Rule: "close", Period: period(c.Since), to: s.CloseTo})
		}
		return nil
	})
	return list, err
}

func (d *Desk) dueWakings(ctx context.Context, t *tx) ([]due, error) {
	rows, _ := t.Query(ctx, `
		select id, desk, status, wake_at from cases where wake_at <= $1 order by wake_at limit 200`, t.now)
	var list []due
	var id int64
	var deskID int
	var status string
	var at time.Time
	_, err := pgx.ForEachRow(rows, []any{&id, &deskID, &status, &at}, func() error {
		desk, err := d.deskByID(deskID)
		if err != nil {
			return err
		}
		s, _ := desk.Status(status)
		list = append(list, due{CaseID: id, Rule: "wake", Period: period(at), to: s.WakeTo})
		return nil
	})
	return list, err
}

// stillSilent reads a case again, locked: false if something happened to it
// since it was found due.
func (d *Desk) stillSilent(ctx context.Context, t *tx, r due) (caseRow, []agentRow, *running, bool, error) {
	c, agents, err := caseAndAgents(ctx, t, r.CaseID)
	if err != nil {
		return c, nil, nil, false, err
	}
	desk, err := d.deskByID(c.Desk)
	if err != nil {
		return c, nil, nil, false, err
	}
	since := c.StatusAt
	var last *time.Time
	if err := t.QueryRow(ctx, `select max(written_at) from comment where case_id = $1`, c.ID).Scan(&last); err != nil {
		return c, nil, nil, false, err
	}
	if last != nil && last.After(since) {
		since = *last
	}
	return c, agents, desk, period(since) == r.Period, nil
}

func (d *Desk) remindOne(ctx context.Context, t *tx, r due) (bool, error) {
	c, agents, desk, still, err := d.stillSilent(ctx, t, r)
	if err != nil || !still {
		return false, err
	}
	if won, err := claimRule(ctx, t, r); err != nil || !won {
		return false, err
	}
	people, err := customersOf(ctx, t, c)
	if err != nil {
		return false, err
	}
	b := &pgx.Batch{}
	var id int64
	if err := t.QueryRow(ctx, `select nextval('event_id_seq')`).Scan(&id); err != nil {
		return false, err
	}
	event := flow.EventReminder
	if r.kind == ClosingSoon {
		event = flow.EventClosing
	}
	status, _ := desk.Status(c.Status)
	queueEvent(b, t, c.ID, newEvent{kind: string(r.kind)}, Mail{})
	for _, to := range told(desk, c, audience{agents, people, d.isOwn}, happened{events: []flow.Event{event}}) {
		i := slices.IndexFunc(people, func(p caseperson) bool { return p.Person == to.person })
		w := draft{kind: r.kind, to: to}
		lang := w.to.language
		w.payload = Payload{Title: c.Title, Company: c.Company,
			Fixed: c.DeskWroteAt == nil && !requesterVerified(people), When: r.when,
			Desk: desk.Name.In(lang), Contact: desk.Contact.In(lang), Zone: desk.Timezone}
		w.payload.describes(status, lang)
		offer(desk, &w, status.Key)
		d.queueLetter(b, t, cause{"clock", id}, desk, c.ID, gate(w, nil, people[i].counts(), d.set.Budgets, c.ID, t.now))
	}
	return true, run(ctx, t, b)
}

func (d *Desk) closeOne(ctx context.Context, t *tx, r due) (bool, error) {
	if r.Rule == "announce" {
		return d.remindOne(ctx, t, r)
	}
	c, agents, desk, still, err := d.stillSilent(ctx, t, r)
	if err != nil || !still {
		return false, err
	}
	s, _ := desk.Status(c.Status)
	if s.Announce > 0 {
		// closing is announced, and the announcement is old enough
		var told *time.Time
		err := t.QueryRow(ctx, `
			select max(written_at) from event where case_id = $1 and kind = $2 and written_at > $3`,
			c.ID, string(ClosingSoon), c.StatusAt).Scan(&told)
		if err != nil {
			return false, err
		}
		if told == nil || told.After(daysAgo(desk, t.now, s.Announce)) {
			return false, nil
		}
	}
	if won, err := claimRule(ctx, t, r); err != nil || !won {
		return false, err
	}
	return true, d.moveAndTell(ctx, t, desk, c, agents, r.to, 0)
}

func (d *Desk) wakeOne(ctx context.Context, t *tx, r due) (bool, error) {
	c, agents, err := caseAndAgents(ctx, t, r.CaseID)
	if err != nil {
		return false, err
	}
	desk, err := d.deskByID(c.Desk)
	if err != nil {
		return false, err
	}
	var at *time.Time
	if err := t.QueryRow(ctx, `select wake_at from cases where id = $1`, c.ID).Scan(&at); err != nil {
		return false, err
	}
	if at == nil || period(*at) != r.Period || at.After(t.now) {
		return false, nil
	}
	if won, err := claimRule(ctx, t, r); err != nil || !won {
		return false, err
	}
	if r.to == "" { // the desk lets this status rest no longer
		_, err := t.Exec(ctx, `update cases set wake_at = null where id = $1`, c.ID)
		return true, err
	}
	return true, d.moveAndTell(ctx, t, desk, c, agents, r.to, 0)
}

func prune(ctx context.Context, t *tx) error {
	b := &pgx.Batch{}
	month := t.now.Add(-30 * 24 * time.Hour)
	b.Queue(`update outbox set bytes = null where id in (
		select id from outbox where bytes is not null and coalesce(sent_at, queued_at) < $1 and state in ('sent', 'failed', 'expired', 'uncertain') limit 5000)`, month)
	b.Queue(`delete from session where made_at < $1 or seen_at < $2`, t.now.Add(-sessionLife), t.now.Add(-sessionIdle))
	b.Queue(`delete from undo where until < $1`, month)
	b.Queue(`delete from secret where expires_at < $1 and kind <> 'question'`, month)
	b.Queue(`delete from undo where until < $1`, month)
	b.Queue(`delete from chore_run where tick < $1`, month)
	return run(ctx, t, b)
}
