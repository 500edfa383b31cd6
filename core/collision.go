package core

import "time"

// Collision is what another agent did on a case since the notice that an agent
// answers: the answer goes out all the same, and its author learns of it.
type Collision struct {
	Name   string    `json:"name"`
	When   time.Time `json:"when"`
	Text   string    `json:"text,omitempty"`   // first lines of their answer
	Status string    `json:"status,omitempty"` // what they set, if they wrote nothing
}

// doneRow is what another agent did on a case, in public.
type doneRow struct {
	CaseID int64
	At     time.Time
	Name   string
	Text   string
	Status string // key of the status that they set; "" of an answer
}

// noticeRow is the newest letter to the sender on a case, and the newest comment
// of theirs.
type noticeRow struct {
	CaseID int64
	At     *time.Time
	Wrote  *time.Time
}

// collisionLines is how much of another's answer a transcript quotes.
const collisionLines, collisionChars = 8, 800

// collision is what others did on the case since the sender was told of it: by
// the letter that is answered, else by the newest one to them. nil: nothing.
func (r *reading) collision(c *caseRow) *Collision {
	var since, wrote time.Time
	for _, n := range r.f.structure.notices {
		if n.CaseID == c.ID {
			since, wrote = timeOr(n.At), timeOr(n.Wrote)
		}
	}
	if l := r.thread.letter; l != nil && l.ForAgent && l.CaseID != nil && *l.CaseID == c.ID && l.Person != nil && *l.Person == r.plan.person {
		since = l.Queued
		for _, x := range l.Texts { // it waited, and told what came as well
			if x.At.After(since) {
				since = x.At
			}
		}
	}
	if wrote.After(since) {
		since = wrote // what was done before was told then
	}
	var answer, status *doneRow
	for i := range r.f.structure.done { // oldest first
		switch d := &r.f.structure.done[i]; {
		case since.IsZero() || d.CaseID != c.ID || !d.At.After(since):
		case d.Status == "":
			answer = d
		default:
			status = d
		}
	}
	switch {
	case answer != nil:
		return &Collision{Name: answer.Name, When: answer.At, Text: firstLines(answer.Text, collisionLines, collisionChars)}
	case status != nil:
		s, _ := r.desk.Status(status.Status)
		return &Collision{Name: status.Name, When: status.At, Status: nameOr(s.Label.In(r.sender().language), status.Status)}
	}
	return nil
}

// collides says that a mail of an agent which the customer's side hears of came
// after another agent's.
func (r *reading) collides(c *caseRow) bool {
	if e := r.plan.entry; r.plan.change == nil && (e == nil || e.note) {
		return false
	}
	r.collided = r.collision(c)
	if r.collided != nil {
		r.say("R42", "%s did something on the case since: the agent is told", clean(r.collided.Name, 60))
	}
	return r.collided != nil
}
