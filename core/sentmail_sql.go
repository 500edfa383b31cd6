package core

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// sentShown bounds what one page of a case tells of letters; the newest are told.
const sentShown = 500

// sentMails are the letters of a case: all to the customer's side, and of those
// to agents what did not arrive.
func sentMails(ctx context.Context, t *tx, caseID int64) ([]SentMail, error) {
	rows, _ := t.Query(ctx, `
		select * from (
			select o.id, o.kind, o.address, o.state, o.message_id, o.reason, o.queued_at, o.sent_at, o.due_at, o.resent, o.bytes is not null,
				coalesce((o.payload->>'comment')::bigint, 0), coalesce((o.payload->>'note')::bigint, 0)
			from outbox o
			where o.case_id = $1 and (not o.for_agent or o.state in ('retry', 'failed', 'uncertain')
				or o.state = 'withheld' and o.reason like '%(R55)')
			order by o.id desc limit $2
		) newest order by id`, caseID, sentShown)
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (m SentMail, err error) {
		var ended *time.Time
		var resent bool
		err = r.Scan(&m.ID, &m.Kind, &m.Address, &m.State, &m.MessageID, &m.Answer, &m.Queued, &ended, &m.Next, &resent, &m.Kept, &m.comment, &m.note)
		if ended != nil {
			m.At = *ended
		}
		m.Waits = m.State == "uncertain" && resent
		if m.Over() {
			m.Next = time.Time{}
		}
		return m, err
	})
}
