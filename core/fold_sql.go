package core

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// queueBeside asks which letters about some cases wait, and locks them: whoever
// claims letters passes over them until the transaction ends, and one that was
// claimed a moment before waits no longer. The cases must be locked already, so
// that nobody else queues letters about them.
func queueBeside(b *pgx.Batch, cases string, args []any, lock bool, now time.Time, gather time.Duration, s *beside) {
	if gather <= 0 {
		return
	}
	n := len(args)
	q := `
		select o.id, o.case_id, o.address, o.kind, o.message_id, o.queued_at, o.payload from outbox o
		where o.case_id = ` + cases + ` and o.state = 'queued' and o.bytes is null
			and (o.due_at > o.queued_at or o.kind in ('answer', 'notice-comment', 'notice-note'))
			and o.kind = any(` + "$" + strconv.Itoa(n+1) + `)
		order by o.id`
	if lock {
		q += ` for update`
	}
	b.Queue(q, append(args[:n:n], foldable)...).Query(func(rows pgx.Rows) error {
		var w openLetter
		var payload []byte
		_, err := pgx.ForEachRow(rows, []any{&w.ID, &w.CaseID, &w.Address, &w.Kind, &w.MessageID, &w.QueuedAt, &payload}, func() error {
			w.Payload = Payload{}
			if err := json.Unmarshal(payload, &w.Payload); err != nil {
				return err
			}
			s.waiting = append(s.waiting, w)
			return nil
		})
		return err
	})
	b.Queue(`
		select o.id, o.case_id, o.address, o.queued_at as at from outbox o
		where o.case_id = `+cases+` and o.let_out and o.queued_at > `+"$"+strconv.Itoa(n+2)+` and o.kind = any(`+"$"+strconv.Itoa(n+1)+`)`,
		append(args[:n:n], notices, now.Add(-gather))...).Query(all(&s.lately))
}

// besideCase is what waits about one case, which the transaction has locked.
func (d *Desk) besideCase(ctx context.Context, t *tx, caseID int64) (beside, error) {
	var s beside
	b := &pgx.Batch{}
	queueBeside(b, `$1`, []any{caseID}, true, t.now, d.set.Gather, &s)
	if b.Len() == 0 {
		return s, nil
	}
	return s, run(ctx, t, b)
}

// queueFold writes down what a letter does to those that waited.
func (d *Desk) queueFold(b *pgx.Batch, t *tx, desk *running, caseID int64, l cleared) {
	end := func(id int64, why string) {
		b.Queue(`
			update outbox set state = 'withheld', reason = $2, let_out = false, note_hash = null
			where id = $1 and state = 'queued' and bytes is null`, id, why)
	}
	if l.takes != 0 {
		end(l.takes, toldAfter)
	}
	if l.moot != 0 {
		end(l.moot, backAgain)
	}
	f := l.into
	if f == nil {
		return
	}
	for i := range f.payload.Links {
		f.payload.Links[i].Nonce = f.messageID
	}
	payload, err := json.Marshal(f.payload)
	if err != nil {
		panic(err) // as in queueLetter
	}
	b.Queue(`
		update outbox set payload = $2, kind = $3, secret = secret or $4
		where id = $1 and state = 'queued' and bytes is null`, f.id, payload, f.kind, l.secret != "")
	told := l.draft
	told.payload = f.payload
	d.queuePressLinks(b, t, desk, told, caseID)
}
