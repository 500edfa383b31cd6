package core

// twinRow is a case that this very mail opened on another desk (R5).
type twinRow struct {
	caseID int64
	name   string // its number as people read it
}

// linkTwin links two cases that one mail to two desks opened: for agents of
// both alone.
func (r *reading) linkTwin() {
	if len(r.f.twins) == 0 {
		return
	}
	r.plan.twin = &r.f.twins[0]
	r.say("R5", "the same mail opened a case on another desk: linked for agents of both")
	r.plan.events = append(r.plan.events, newEvent{kind: sameMail, became: r.plan.twin.name, internal: true})
}

// sameMail is the event that links twins. Like any link it is shown to those who
// are agents of the other case's desk too: its number is for nobody else (R63).
const sameMail = "same-mail"

// showsEvent says whether an event may be shown to a viewer who sees the case.
func (d *Desk) showsEvent(v Viewer, e entryRow) bool {
	switch e.Event {
	case sameMail, "linked", "unlinked":
	default:
		return true
	}
	desk, _, ok := d.splitNumber(e.Became)
	if !ok {
		return false
	}
	other, err := d.deskByID(desk)
	if err != nil {
		return false
	}
	for _, key := range v.Desks {
		if key == other.Key {
			return true
		}
	}
	return false
}
