package core

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

func (d *Desk) treatAsHuman(ctx context.Context, t *tx, v Viewer, number string, comment int64) error {
	seen, err := d.visibleCase(ctx, t, v, number)
	if err != nil {
		return err
	}
	if !seen.ForAgent {
		return ErrNotFound
	}
	c, _, err := caseAndAgents(ctx, t, seen.ID)
	if err != nil {
		return err
	}
	desk, err := d.deskByID(c.Desk)
	if err != nil {
		return err
	}
	var author int64
	var written time.Time
	err = t.QueryRow(ctx, `
		update comment set marks = array_remove(marks, 'machine')
		where id = $1 and case_id = $2 and 'machine' = any(marks)
		returning author, written_at`, comment, c.ID).Scan(&author, &written)
	if err != nil {
		return notFound(err)
	}
	b := &pgx.Batch{}
	queueEvent(b, t, c.ID, newEvent{kind: "human", actor: v.person, internal: true}, Mail{})
	if to, ok := desk.Status(answerLeads(desk.Desk, c, t.now)); ok && !c.StatusAt.After(written) {
		from, _ := desk.Status(c.Status)
		queueStatus(b, t, c.ID, &statusChange{from: from, to: to, actor: author}, Mail{})
	} else {
		b.Queue(`update cases set changed_at = $2 where id = $1`, c.ID, t.now)
	}
	return run(ctx, t, b)
}
