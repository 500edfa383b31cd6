package core

import "time"

// setsDue is "#due 2026-12-01": by then the desk wants it done.
type setsDue struct{ at time.Time } // zero: by no time

func readDue(in commandInput, words string) (order, error) {
	if isOneOf(words, noneWords) {
		return setsDue{}, nil
	}
	if words == "" {
		return nil, wrong{code: "due-when"}
	}
	at, err := readDate(words, in.desk.Zone(), in.now)
	if err != nil {
		return nil, err
	}
	return setsDue{at}, nil
}

func (setsDue) sets() string                  { return "due" }
func (setsDue) refuse(*reading, *block) error { return nil }

func (o setsDue) carry(r *reading, b *block) {
	was := timeOr(b.c.DueAt)
	if was.Equal(o.at) {
		return
	}
	r.setsDue(o.at)
	r.plan.events = append(r.plan.events, newEvent{kind: "due", actor: b.agent.person, internal: true,
		was: shownStamp(was, r.desk.Zone()), became: shownStamp(o.at, r.desk.Zone())})
	b.did(Change{"due", stamp(was), stamp(o.at)}, undoStep{Field: fieldDue, Was: stamp(was), Became: stamp(o.at)})
}

// setsDue plans by when the desk wants it done; zero: by no time.
func (r *reading) setsDue(at time.Time) {
	var value any
	if !at.IsZero() {
		value = at
	}
	r.plan.sets = append(r.plan.sets, caseField{columnDue, value})
}
