package core

import "postern/core/flow"

// Action is a command that a notice offers: its link opens a mail in which the
// command is written already, so that the agent only sends it.
type Action struct {
	Does    string `json:"does"`            // an ActionStatus, ActionAssign or ActionNote
	Label   string `json:"label,omitempty"` // of the status, in the agent's language
	Command string `json:"command"`         // "#status resolved"
}

// What an action does.
const (
	ActionStatus = "status"
	ActionAssign = "assign"
	ActionNote   = "note"
)

// actions are what an agent can do to a case of this status by one command:
// offer a solution, ask the customer, take the case, write a note. A status is
// offered only if an agent may set it from here.
func actions(d *flow.Desk, status, language string, theirs bool) []Action {
	var all []Action
	for _, class := range []flow.Class{flow.Resolved, flow.Customer} {
		for _, s := range d.Statuses {
			if s.Class != class {
				continue
			}
			if _, ok := d.CanMove(status, s.Key, flow.ByAgent); ok && s.Key != status {
				all = append(all, Action{ActionStatus, s.Label.In(language), "#status " + s.Key})
				break
			}
		}
	}
	if !theirs {
		all = append(all, Action{ActionAssign, "", "#assign me"})
	}
	return append(all, Action{ActionNote, "", "#note"})
}

// describes fills in what a letter tells of the status that a case has.
func (p *Payload) describes(s flow.Status, language string) {
	p.Status, p.Means, p.Class = s.Label.In(language), s.Means.In(language), s.Class
}

// changedFrom fills in which status a case had before.
func (p *Payload) changedFrom(s flow.Status, language string) {
	p.Changed, p.Was, p.From = true, s.Label.In(language), s.Class
}
