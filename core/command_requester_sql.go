package core

import "github.com/jackc/pgx/v5"

// queueGiven gives a case to another requester. What it says stays with whoever
// wrote it (R51, R66). Who has no part in it any longer loses what they could
// answer it by.
func queueGiven(b *pgx.Batch, t *tx, caseID int64, g *given) {
	b.Queue(`
		update cases set requester = $2, organisation = $3, author = coalesce(author, requester), given_at = $4, changed_at = $4
		where id = $1`,
		caseID, g.to, g.organisation, t.now)
	if g.moved { // who took part is the business of those whose case it was (R63)
		b.Queue(`
			update event set internal = true
			where case_id = $1 and kind in ('participant', 'removed', 'left', 'back') and written_at < $2`, caseID, t.now)
	}
	b.Queue(`delete from participant where case_id = $1 and (person = $2 or person = any($3))`, caseID, g.to, g.leaving)
	if g.former != 0 { // they had all of it
		b.Queue(`
			insert into participant (case_id, person, since) select id, $2, opened_at from cases where id = $1
			on conflict do nothing`, caseID, g.former)
	}
	if len(g.leaving) == 0 {
		return
	}
	b.Queue(`delete from reply_to where case_id = $1 and person = any($2)`, caseID, g.leaving)
	b.Queue(`update outbox set token_until = null where case_id = $1 and person = any($2) and token_until > $3`, caseID, g.leaving, t.now)
	b.Queue(`
		update secret set expires_at = $3
		where kind = 'move' and case_id = $1 and person = any($2) and expires_at > $3`, caseID, g.leaving, t.now)
}
