package core

import (
	"slices"
	"time"

	"postern/core/flow"
)

// mergesInto is "#merge CASE-2": the case goes on as that one (R37).
type mergesInto struct {
	number string
	ends   flow.Status // of a case that goes on as another
}

// merged is a case on its way into another.
type merged struct {
	into   *caseRow
	people []int64 // of the one who take part in the other from now on
}

func readMerge(in commandInput, words string) (order, error) {
	number, ok := readCaseNumber(words)
	if !ok {
		return nil, wrong{code: "merge-which", name: in.desk.Prefix + "-10001"}
	}
	ends, ok := rejectedStatus(in.desk)
	if !ok {
		return nil, wrong{code: "no-rejected"}
	}
	return mergesInto{number, ends}, nil
}

func (mergesInto) sets() string { return "status" }

func (o mergesInto) refuse(r *reading, b *block) error {
	into, err := r.caseNamed(o.number)
	switch {
	case b.agent.byToken:
		return wrong{code: "token-proof"}
	case r.isNew(b.c):
		return wrong{code: "new-merge", name: o.number}
	case err != nil:
		return err
	case into.ID == b.c.ID:
		return wrong{code: "this-case", name: o.number}
	case b.c.MergedInto != nil:
		return wrong{code: "merged-already", name: r.numberOf(r.f.endOf(b.c))}
	case into.MergedInto != nil && r.f.endOf(into).ID == b.c.ID:
		return wrong{code: "merged-here", name: o.number}
	case into.MergedInto != nil:
		return wrong{code: "merged-on", name: o.number, meant: []string{"#merge " + r.numberOf(r.f.endOf(into))}}
	case !sameOrganisation(b.c.Organisation, into.Organisation):
		return wrong{code: "merge-company", name: o.number}
	case into.Organisation == nil && into.Requester != b.c.Requester:
		return wrong{code: "merge-person", name: o.number}
	case flow.Class(into.Class).Ended():
		return wrong{code: "merge-ended", name: o.number}
	}
	return nil
}

// carry ends the case, and lets its people take part in the other one: in what
// is written there from now on, and of the same organisation alone (R38, R63).
func (o mergesInto) carry(r *reading, b *block) {
	into, _ := r.caseNamed(o.number)
	m := &merged{into: into}
	var left []string
	for _, p := range r.f.people {
		switch {
		case p.CaseID != b.c.ID || r.agentOf(p.Person) || p.Left && !p.Requester:
		case p.Person == into.Requester || into.Organisation != nil && sameOrganisation(p.Member, into.Organisation):
			m.people = append(m.people, p.Person)
		default:
			left = append(left, p.Address)
		}
	}
	r.plan.structure.merges = m
	from, _ := r.desk.Status(b.c.Status)
	r.plan.change = &statusChange{from: from, to: o.ends, actor: b.agent.person}
	r.plan.sets = append(r.plan.sets, caseField{columnMerged, into.ID})
	r.plan.events = append(r.plan.events, newEvent{kind: "merged", actor: b.agent.person, became: r.numberOf(into)})
	r.say("R37", "it goes on as %s", r.numberOf(into))
	b.did(Change{"merged", r.numberOf(b.c), r.numberOf(into)},
		undoStep{Field: fieldStatus, Was: statusStamp(b.c.Status, timeOr(b.c.WakeAt)), Became: statusStamp(o.ends.Key, time.Time{})})
	for _, address := range left {
		b.did(Change{"merged-without", r.numberOf(into), address})
	}
}

func (r *reading) numberOf(c *caseRow) string { return r.desk.caseNumber(c.Number) }

// endOf is the case as which c goes on, c itself if it goes on as none. No chain
// of merged cases leads back to where it began: all of it is locked when one more
// is merged.
func (f *facts) endOf(c *caseRow) *caseRow {
	for range f.cases {
		if c.MergedInto == nil {
			return c
		}
		next := f.caseByID(*c.MergedInto)
		if next == nil {
			return c
		}
		c = next
	}
	return c
}

// goesOn follows the case that was found to the one as which it goes on, if the
// sender may see that (R63).
func (r *reading) goesOn() {
	c := r.thread.found
	if c == nil || c.MergedInto == nil {
		return
	}
	switch end := r.f.endOf(c); {
	case end.Desk != r.desk.id || !end.Visible:
		r.say("R37", "the case goes on as one that this person may not see")
	default:
		r.say("R37", "%s goes on as %s", r.numberOf(c), r.numberOf(end))
		r.thread.found, r.thread.mergedFrom = end, c
	}
}

// isAboutMerged says that an agent's commands are about the merged case itself:
// its status is what takes it out again.
func (r *reading) isAboutMerged() bool {
	lines, _ := r.commandBlock()
	orders, _ := readCommands(r.commandInput(), lines)
	return slices.ContainsFunc(orders, func(o order) bool { return o.sets() == "status" })
}

// tellsMerged puts the news that a case goes on as another into a letter to
// somebody who takes part there. There is nothing more to do with this one.
func (r *reading) tellsMerged(w *draft) {
	m := r.plan.structure.merges
	if m == nil || w.to.agent || !slices.Contains(m.people, w.to.person) {
		return
	}
	w.payload.GoesOn = r.numberOf(m.into)
	w.payload.Words, w.payload.Links, w.secret, w.expires = nil, nil, "", 0
}
