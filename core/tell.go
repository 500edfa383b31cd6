package core

import (
	"slices"

	"postern/core/flow"
)

// events are what the mail does to its case, as people are told of it: in one
// mail, what somebody wrote first.
func (r *reading) events() []flow.Event {
	if r.other != "" {
		return []flow.Event{r.other}
	}
	var all []flow.Event
	switch e := r.plan.entry; {
	case r.plan.opens != nil:
		return []flow.Event{flow.EventNew}
	case e == nil:
	case e.note:
		all = append(all, flow.EventNote)
	case e.side == "desk":
		all = append(all, flow.EventAnswer)
	default:
		all = append(all, flow.EventComment)
	}
	if ch := r.plan.change; ch != nil && ch.from.Key != ch.to.Key {
		all = append(all, statusEvent(ch.to))
	}
	if r.givenTo() != 0 {
		all = append(all, flow.EventAssigned)
	}
	return all
}

// ownerOf is who has the case after this mail, nil if nobody has it.
func (r *reading) ownerOf(c *caseRow) *int64 {
	for _, s := range r.plan.sets {
		if s.column == columnOwner {
			id, _ := s.value.(int64)
			return owner(id)
		}
	}
	if r.plan.owner != 0 {
		return owner(r.plan.owner)
	}
	return c.Owner
}

func owner(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

// givenTo is to whom else an agent gives the case, 0 if to nobody.
func (r *reading) givenTo() int64 {
	if o := r.ownerOf(&caseRow{}); o != nil && *o != r.plan.person {
		return *o
	}
	return 0
}

// told is everybody who is told of what the mail did to a case.
func (r *reading) told(c *caseRow, events []flow.Event) (customers, agents []recipient) {
	if len(events) == 0 {
		return nil, nil
	}
	with := *c
	with.Owner = r.ownerOf(c)
	h := happened{events: events, by: []int64{r.plan.person}}
	if r.f.row.ReleasedAs == AttachIt { // who attached it knows it
		h.by = append(h.by, *r.f.row.ReleasedBy)
	}
	if ch := r.plan.change; ch != nil && !r.agentOf(r.plan.person) { // agents have a transcript
		h.receipt = ch.to.Class.Ended() || ch.from.Class.Ended()
	}
	for _, to := range told(r.desk, with, audience{r.f.agents, r.f.people, r.isOwn}, h) {
		if to.agent {
			agents = append(agents, to)
		} else {
			customers = append(customers, to)
		}
	}
	return customers, agents
}

// tellColleagues tells the other agents what commands alone did to a case.
func (r *reading) tellColleagues(c *caseRow, agent provenAgent) {
	switch events := r.events(); {
	case len(events) == 0:
	case events[0] == flow.EventAssigned:
		r.tellDesk(c, NoticeAssigned, agent.name, nil)
	default:
		r.tellDesk(c, NoticeStatus, agent.name, nil)
	}
}

// assigned puts into a notice that the case was given to somebody: a mark says
// it to its new owner, if the notice is of something else as well.
func (r *reading) assigned(w *draft, marks []string) []string {
	switch to := r.givenTo(); {
	case to == 0:
	case w.kind == NoticeAssigned && w.to.person != to:
		w.payload.Owner = agentName(r.f.agents, to)
	case w.kind != NoticeAssigned && w.to.person == to:
		return append(slices.Clone(marks), "assigned")
	}
	return marks
}

func agentName(agents []agentRow, person int64) string {
	for _, a := range agents {
		if a.Person == person {
			return nameOr(a.Name, a.Address)
		}
	}
	return ""
}
