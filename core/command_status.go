package core

import (
	"fmt"
	"strings"
	"time"

	"postern/core/flow"
)

// setsStatus is "#status resolved", or "#status on hold 3d".
type setsStatus struct {
	to    flow.Status
	until time.Time // of a status that rests: zero if no date was given
}

// readStatus reads "resolved", "on hold 3d" or "on hold until 2026-12-01".
func readStatus(in commandInput, words string) (order, error) {
	if s, ok := in.desk.FindStatus(words); ok {
		return setsStatus{to: s}, nil
	}
	name, when := words, ""
	if i := strings.LastIndexAny(words, " \t"); i > 0 {
		name, when = strings.TrimSpace(words[:i]), words[i+1:]
		name = strings.TrimSpace(strings.TrimSuffix(strings.ToLower(name), " until"))
	}
	s, ok := in.desk.FindStatus(name)
	if !ok {
		return nil, fmt.Errorf("no such status; there are: %s", strings.Join(in.desk.Suggest(words), ", "))
	}
	if s.WakeTo == "" {
		return nil, fmt.Errorf("%s takes no date", s.Key)
	}
	until, err := readDate(when, in.desk.Zone(), in.now)
	if err != nil {
		return nil, err
	}
	return setsStatus{s, until}, nil
}

func (setsStatus) sets() string { return "status" }

// refuse checks it against the desk's moves.
func (o setsStatus) refuse(r *reading, b *block) string {
	if o.to.Key == b.c.Status || undoesSpam(r.desk.Desk, b.c, o.to.Key) {
		return ""
	}
	m, ok := r.desk.CanMove(b.c.Status, o.to.Key, flow.ByAgent)
	switch {
	case !ok:
		return fmt.Sprintf("#status %s: from %s an agent can go to: %s",
			o.to.Key, b.c.Status, strings.Join(r.reachable(b.c.Status), ", "))
	case len(m.Requires) > 0 && b.text == "":
		return fmt.Sprintf("#status %s: it needs a %s: write it below the command",
			o.to.Key, strings.Join(m.Requires, " and a "))
	}
	return ""
}

func (o setsStatus) carry(r *reading, b *block) {
	from, _ := r.desk.Status(b.c.Status)
	if o.to.Key == from.Key && o.until.IsZero() {
		return // it has this status already
	}
	// the same status again, with another date, is a change too
	r.plan.change = &statusChange{from: from, to: o.to, actor: b.agent.person, until: o.until}
	became := o.to.Key
	if !o.until.IsZero() {
		became += " until " + o.until.In(r.desk.Zone()).Format("2006-01-02 15:04")
	}
	b.changed = append(b.changed, change{"status", from.Key, became})
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

// writesInternally is "#note": the whole mail is for colleagues (R40).
type writesInternally struct{}

func readNote(_ commandInput, words string) (order, error) {
	if words != "" {
		return nil, fmt.Errorf("it takes no words: write the note below it")
	}
	return writesInternally{}, nil
}

func (writesInternally) sets() string                   { return "" }
func (writesInternally) refuse(*reading, *block) string { return "" }
func (writesInternally) carry(_ *reading, b *block)     { b.note = true }
