package core

import (
	"time"

	"postern/core/flow"
)

// moveLinkLife is how long a one-time link that moves a case is good for.
const moveLinkLife = 14 * 24 * time.Hour

// undoLife is how long what was pressed on a page, or done by commands, can be
// taken back.
const undoLife = 24 * time.Hour

// maxPressText is how long a text that goes with a press may be, in characters.
const maxPressText = 10_000

// canReopen says whether a reply, a word or a press of the customer may bring
// an ended case back: the desk's days are counted from its end.
func canReopen(d *flow.Desk, c caseRow, now time.Time) bool {
	if flow.Class(c.Class) != flow.Closed || d.Reopen.Days == 0 || d.Reopen.To == "" {
		return false
	}
	if d.Reopen.Days == flow.Always {
		return true
	}
	last := c.StatusAt.In(d.Zone()).AddDate(0, 0, d.Reopen.Days)
	return !now.After(last)
}
