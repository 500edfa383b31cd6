package flow

import "slices"

// CanMove returns the move by which this side may bring a case from one status
// to the other: one of the file's, or one that a status implies (an answer, the
// first answer of an agent, a wake date, closing after a silence).
func (d *Desk) CanMove(from, to string, by By) (Move, bool) {
	for _, m := range d.MovesFrom(from, by) {
		if m.To == to {
			return m, true
		}
	}
	s, ok := d.Status(from)
	if !ok || to == from {
		return Move{}, false
	}
	for _, m := range s.implied() {
		if m.To == to && slices.Contains(m.By, by) {
			return m, true
		}
	}
	return Move{}, false
}

// MovesFrom returns the moves of the file that this side may make from a
// status, in the order of the file.
func (d *Desk) MovesFrom(from string, by By) []Move {
	var moves []Move
	for _, m := range d.Moves {
		if slices.Contains(m.By, by) && d.leaves(m, from, by) {
			moves = append(moves, m)
		}
	}
	return moves
}

// leaves reports whether m starts at this status. A move from any status gives
// way to one that names the status and leads to the same place.
func (d *Desk) leaves(m Move, from string, by By) bool {
	if m.To == from {
		return false
	}
	if slices.Contains(m.From, from) {
		return true
	}
	s, ok := d.Status(from)
	if !ok || !slices.Contains(m.From, Any) || !s.Class.Active() {
		return false
	}
	return !slices.ContainsFunc(d.Moves, func(own Move) bool {
		return own.To == m.To && slices.Contains(own.By, by) && slices.Contains(own.From, from)
	})
}

// implied returns the moves that a status brings with it.
func (s Status) implied() []Move {
	var moves []Move
	for _, m := range []struct {
		to string
		by By
	}{
		{s.Taken, ByAgent},
		{s.Answer, ByCustomer},
		{s.WakeTo, BySystem},
		{s.CloseTo, BySystem},
	} {
		if m.to != "" && m.to != s.Key {
			moves = append(moves, Move{From: []string{s.Key}, To: m.to, By: []By{m.by}})
		}
	}
	return moves
}
