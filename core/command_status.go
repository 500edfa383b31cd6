package core

import (
	"slices"
	"strings"
	"time"

	"postern/core/flow"
)

// setsStatus is "#status resolved", or "#status on hold 3d".
type setsStatus struct {
	to    flow.Status
	until time.Time // of a status that rests: zero if no date was given
	why   string    // a reason that the customer reads
}

// untilWords may stand between a status and its date.
var untilWords = []string{" until", " tot", " til", " indtil", " bis"}

// readStatus reads "resolved", "on hold 3d" or "on hold until 2026-12-01".
func readStatus(in commandInput, words string) (order, error) {
	if s, ok := in.desk.FindStatus(words); ok {
		return setsStatus{to: s}, nil
	}
	name, when := words, ""
	if i := strings.LastIndexAny(words, " \t"); i > 0 {
		name, when = strings.TrimSpace(words[:i]), words[i+1:]
		for _, until := range untilWords {
			if rest, ok := strings.CutSuffix(strings.ToLower(name), until); ok {
				name = strings.TrimSpace(rest)
				break
			}
		}
	}
	s, ok := in.desk.FindStatus(name)
	if !ok {
		return nil, wrong{code: "no-status", meant: in.desk.Suggest(words)}
	}
	if s.WakeTo == "" {
		return nil, wrong{code: "no-date-taken", name: s.Key}
	}
	until, err := readDate(when, in.desk.Zone(), in.now)
	if err != nil {
		return nil, err
	}
	return setsStatus{to: s, until: until}, nil
}

func (setsStatus) sets() string { return "status" }

// refuse checks it against the desk's moves.
func (o setsStatus) refuse(r *reading, b *block) error {
	if o.to.Key == b.c.Status || undoesSpam(r.desk.Desk, b.c, o.to.Key) {
		return nil
	}
	m, ok := r.desk.CanMove(b.c.Status, o.to.Key, flow.ByAgent)
	if !ok {
		return r.noWay(b.c, "no-move")
	}
	for _, needed := range m.Requires { // "comment" or "reason"
		if !b.hasText() && o.why == "" {
			return wrong{code: "needs-" + needed, name: o.to.Key}
		}
	}
	return nil
}

// noWay says where an agent can go instead.
func (r *reading) noWay(c *caseRow, code string) error {
	return wrong{code: code, name: c.Status, meant: r.reachable(c.Status)}
}

func (o setsStatus) carry(r *reading, b *block) {
	r.plan.saidStatus = true
	from, _ := r.desk.Status(b.c.Status)
	if o.to.Key == from.Key && o.until.IsZero() {
		return // it has this status already
	}
	// the same status again, with another date, is a change too
	r.plan.change = &statusChange{from: from, to: o.to, actor: b.agent.person, until: o.until, why: o.why}
	b.did(Change{"status", from.Label.In(b.language), o.to.Label.In(b.language)}, undoStep{
		Field: fieldStatus, Was: statusStamp(b.c.Status, timeOr(b.c.WakeAt)), Became: statusStamp(o.to.Key, o.until), Quiet: b.quiet})
	if !o.until.IsZero() {
		b.changed = append(b.changed, Change{"wakes", "", stamp(o.until)})
	}
}

// reachable are the statuses to which an agent can bring a case.
func (r *reading) reachable(from string) []string {
	var keys []string
	for _, s := range r.desk.Statuses {
		if _, ok := r.desk.CanMove(from, s.Key, flow.ByAgent); ok && s.Key != from {
			keys = append(keys, s.Key)
		}
	}
	return keys
}

// leadsTo is a command that names no status: pick finds the one it means for
// this case, or says why there is none.
type leadsTo struct {
	pick  func(r *reading, c *caseRow) (flow.Status, error)
	until time.Time
	why   string
}

func (leadsTo) sets() string { return "status" }

func (o leadsTo) refuse(r *reading, b *block) error {
	s, err := o.pick(r, b.c)
	if err != nil {
		return err
	}
	return setsStatus{s, o.until, o.why}.refuse(r, b)
}

func (o leadsTo) carry(r *reading, b *block) {
	s, err := o.pick(r, b.c)
	if err != nil {
		return // refused before
	}
	setsStatus{s, o.until, o.why}.carry(r, b)
	if o.why != "" && r.plan.change != nil {
		r.plan.deskWrote = true // the customer reads the reason
	}
}

// first is the first status in the order of the file that an agent can bring a
// case to and that fits.
func (r *reading) first(c *caseRow, fits func(flow.Status) bool) (flow.Status, bool) {
	for _, s := range r.desk.Statuses {
		if !fits(s) {
			continue
		}
		if _, ok := r.desk.CanMove(c.Status, s.Key, flow.ByAgent); ok || s.Key == c.Status {
			return s, true
		}
	}
	return flow.Status{}, false
}

// readWait reads "#wait 3d": the case rests, in the first status of the file
// that has a date to wake at.
func readWait(in commandInput, words string) (order, error) {
	for _, until := range untilWords {
		words = strings.TrimPrefix(words, until[1:]+" ")
	}
	if words == "" {
		return nil, wrong{code: "wait-when"}
	}
	until, err := readDate(words, in.desk.Zone(), in.now)
	if err != nil {
		return nil, err
	}
	rests := func(r *reading, c *caseRow) (flow.Status, error) {
		s, ok := r.first(c, func(s flow.Status) bool { return s.WakeTo != "" })
		if !ok {
			return s, r.noWay(c, "no-rest")
		}
		return s, nil
	}
	return leadsTo{pick: rests, until: until}, nil
}

// readClose reads "#close": the first status of class closed.
func readClose(_ commandInput, words string) (order, error) {
	return leadsTo{pick: func(r *reading, c *caseRow) (flow.Status, error) {
		s, ok := r.first(c, func(s flow.Status) bool { return s.Class == flow.Closed })
		if !ok {
			return s, r.noWay(c, "no-close")
		}
		return s, nil
	}}, takesNoWords(words, "close")
}

// readReject reads "#reject a duplicate of CASE-10001": the first status of class
// rejected, with a reason that the customer reads.
func readReject(in commandInput, words string) (order, error) {
	if words == "" {
		return nil, wrong{code: "reject-why"}
	}
	if _, ok := rejectedStatus(in.desk); !ok {
		return nil, wrong{code: "no-rejected"}
	}
	return leadsTo{why: clean(words, 500), pick: func(r *reading, c *caseRow) (flow.Status, error) {
		s, ok := r.first(c, func(s flow.Status) bool { return s.Class == flow.Rejected })
		if !ok {
			return s, r.noWay(c, "no-reject")
		}
		return s, nil
	}}, nil
}

// readReopen reads "#reopen": to where a customer's reply would bring a closed
// case, else to the first status in which somebody works on it. What was
// rejected comes back as from #spam.
func readReopen(_ commandInput, words string) (order, error) {
	return leadsTo{pick: func(r *reading, c *caseRow) (flow.Status, error) {
		if !flow.Class(c.Class).Ended() {
			return flow.Status{}, wrong{code: "not-over", name: c.Status}
		}
		_, moves := r.desk.CanMove(c.Status, r.desk.Reopen.To, flow.ByAgent)
		if to, ok := r.desk.Status(r.desk.Reopen.To); ok && (moves || undoesSpam(r.desk.Desk, c, to.Key)) {
			return to, nil
		}
		s, ok := r.first(c, func(s flow.Status) bool { return s.Class == flow.Open || s.Class == flow.New })
		if !ok && undoesSpam(r.desk.Desk, c, r.desk.Initial) {
			s, ok = r.desk.Status(r.desk.Initial)
		}
		if !ok {
			return s, r.noWay(c, "no-reopen")
		}
		return s, nil
	}}, takesNoWords(words, "reopen")
}

// writesInternally is "#note": the whole mail is for colleagues (R40).
type writesInternally struct{}

func readNote(_ commandInput, words string) (order, error) {
	return writesInternally{}, takesNoWords(words, "note")
}

func (writesInternally) sets() string                  { return "" }
func (writesInternally) refuse(*reading, *block) error { return nil }
func (writesInternally) carry(_ *reading, b *block)    { b.note = true }

// statusStamp is a status with its date, as undo keeps it.
func statusStamp(key string, until time.Time) string {
	return strings.TrimSpace(key + " " + stamp(until))
}

// isOneOf says that a word is one of a list, as people write it.
func isOneOf(word string, list []string) bool {
	return slices.Contains(list, strings.ToLower(strings.Trim(word, " .\"'“”„‘’")))
}
