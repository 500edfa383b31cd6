package core

import (
	"context"
	"fmt"
	"time"

	"postern/core/flow"
)

// TreatAsHuman is an agent's press on a comment that perhaps a machine wrote
// (R28): from now on it counts as a person's answer. The case moves as that
// answer would have moved it, unless somebody has moved it since; nobody is
// mailed, for the agents had the comment already and R27 answers no machine.
// ErrNotFound: no such comment, or not for this viewer, or pressed before.
func (d *Desk) TreatAsHuman(ctx context.Context, v Viewer, number string, comment int64) error {
	err := d.inTx(ctx, func(tx *tx) error { return d.treatAsHuman(ctx, tx, v, number, comment) })
	if err != nil {
		return fmt.Errorf("comment %d of %s: %w", comment, clean(number, 40), err)
	}
	return nil
}

// answerLeads is the status to which an answer of the customer's side leads,
// "" if it moves nothing.
func answerLeads(d *flow.Desk, c caseRow, now time.Time) string {
	s, ok := d.Status(c.Status)
	switch {
	case !ok:
		return ""
	case s.Class.Ended() && canReopen(d, c, now):
		return d.Reopen.To
	case s.Class.Ended() || s.Answer == s.Key:
		return ""
	}
	return s.Answer
}
