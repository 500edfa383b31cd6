package core

import (
	"testing"
	"time"

	"postern/core/flow"
)

func TestCanReopen_daysAreTheDesks(t *testing.T) {
	amsterdam := shippedDesk(t).Zone()
	closed := time.Date(2026, 10, 20, 23, 30, 0, 0, amsterdam) // summer time ends on the 25th
	desk := func(days int, to string) *flow.Desk {
		d := shippedDesk(t)
		d.Reopen = flow.Reopen{Days: days, To: to}
		return d
	}
	for _, c := range []struct {
		name  string
		desk  *flow.Desk
		class flow.Class
		now   time.Time
		want  bool
	}{
		{"at once", desk(14, "in-progress"), flow.Closed, closed, true},
		{"in the last minute of fourteen calendar days, an hour longer in that autumn", desk(14, "in-progress"), flow.Closed,
			time.Date(2026, 11, 3, 23, 29, 0, 0, amsterdam), true},
		{"a minute too late", desk(14, "in-progress"), flow.Closed, time.Date(2026, 11, 3, 23, 31, 0, 0, amsterdam), false},
		{"after years where the desk says always", desk(flow.Always, "in-progress"), flow.Closed, closed.AddDate(5, 0, 0), true},
		{"never where the desk says so", desk(0, "in-progress"), flow.Closed, closed, false},
		{"never without a status to lead to", desk(14, ""), flow.Closed, closed, false},
		{"not a case that was rejected", desk(flow.Always, "in-progress"), flow.Rejected, closed, false},
		{"not a case that never ended", desk(flow.Always, "in-progress"), flow.Resolved, closed, false},
	} {
		t.Run("R36/"+c.name, func(t *testing.T) {
			row := caseRow{Class: string(c.class), StatusAt: closed.UTC()}
			if got := canReopen(c.desk, row, c.now.UTC()); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
