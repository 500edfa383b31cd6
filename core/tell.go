package core

import (
	"slices"

	"postern/core/flow"
)

// events are what the mail does to its case, as people are told of it: in one
// mail, what somebody wrote first.
func (r *reading) events() []flow.Event {
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
	if r.gives() {
		all = append(all, flow.EventAssigned)
	}
	return all
}

// gives says that an agent gives the case to somebody else.
func (r *reading) gives() bool { return r.plan.owner != 0 && r.plan.owner != r.plan.person }

// told is everybody who is told of what the mail did to a case.
func (r *reading) told(c *caseRow, events []flow.Event) (customers, agents []recipient) {
	if len(events) == 0 {
		return nil, nil
	}
	with := *c
	if r.plan.owner != 0 {
		with.Owner = &r.plan.owner
	}
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
	switch {
	case !r.gives():
	case w.kind == NoticeAssigned && w.to.person != r.plan.owner:
		w.payload.Owner = agentName(r.f.agents, r.plan.owner)
	case w.kind != NoticeAssigned && w.to.person == r.plan.owner:
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
