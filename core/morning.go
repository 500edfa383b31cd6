package core

import (
	"context"
	"time"
)

// lastMorning is the hour until which a morning that was missed is made up for:
// in the afternoon nobody wants to read what the day will bring.
const lastMorning = 12

// isMorning says that the day's work is told now: on a weekday, from the desk's
// opening on. day is when that day began.
func isMorning(d *running, now time.Time) (day time.Time, ok bool) {
	local := now.In(d.Zone())
	day = time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, d.Zone())
	weekend := local.Weekday() == time.Saturday || local.Weekday() == time.Sunday
	return day, !weekend && local.Hour() >= opening && local.Hour() < lastMorning
}

// SendMornings tells the agents who want it what the day holds: their cases, what
// is overdue, what customers answered, and how much waits for anybody. Once a
// day, and nothing to those for whom there is nothing. It returns how many it
// queued.
func (d *Desk) SendMornings(ctx context.Context) (int, error) {
	if d.jumpedLately() {
		return 0, nil
	}
	n := 0
	for _, key := range d.Desks() {
		desk, err := d.desk(key)
		if err != nil {
			return n, err
		}
		day, ok := isMorning(desk, d.now())
		if !ok || desk.from == "" {
			continue
		}
		var queued int
		err = d.inTx(ctx, func(tx *tx) (err error) {
			queued, err = d.sendMornings(ctx, tx, desk, day)
			return err
		})
		if err != nil {
			return n, err
		}
		n += queued
	}
	if n > 0 {
		d.hint()
	}
	return n, nil
}

// mornings are an agent's cases in the order in which they matter: overdue ones,
// those in which the customer wrote last, the rest.
func mornings(desk *running, cases []listedCase, language string) []QueryAnswer {
	parts := []QueryAnswer{{Verb: asksMorning, Scope: "overdue"}, {Verb: asksMorning, Scope: "waiting"}, {Verb: asksMorning, Scope: "mine"}}
	for _, c := range cases {
		part := &parts[2]
		switch {
		case c.Overdue:
			part = &parts[0]
		case c.Answered:
			part = &parts[1]
		}
		part.Cases = append(part.Cases, caseItem(desk, c, true, language))
	}
	var all []QueryAnswer
	for _, p := range parts {
		if p.Cases != nil {
			all = append(all, p)
		}
	}
	if len(cases) > 0 {
		all[len(all)-1].More = int(cases[0].Total) - len(cases)
	}
	return all
}
