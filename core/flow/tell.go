package flow

import (
	"fmt"
	"slices"
	"strings"
)

// Event is something that happens to a case and that people are told of.
type Event string

const (
	EventNew      Event = "new"      // a case was opened
	EventComment  Event = "comment"  // the customer's side wrote
	EventAnswer   Event = "answer"   // the desk wrote to the customer's side
	EventNote     Event = "note"     // an agent wrote to colleagues
	EventStatus   Event = "status"   // the status changed, and the case goes on
	EventClosed   Event = "closed"   // the case ended
	EventAssigned Event = "assigned" // the case was given to somebody
	EventReminder Event = "reminder" // the case waits for the customer
	EventClosing  Event = "closing"  // the case will close by itself

	// no desk file names these: agents are told of them whatever it says
	EventBounce Event = "bounce" // a mail of the case did not arrive
	EventHeld   Event = "held"   // mail waits for an agent's word

	// EventMorning is the list of the day, which agents ask for themselves.
	EventMorning Event = "morning"
	// EventDigest is a mail that gathers several pieces of news; people may do
	// without it, and take it up again.
	EventDigest Event = "digest"
)

// Role is what somebody is to a case. Who is several hears of an event in the
// way that says most.
type Role string

const (
	RoleRequester   Role = "requester"
	RoleParticipant Role = "participant"
	RoleOwner       Role = "owner"   // the agent who has the case
	RoleUnowned     Role = "unowned" // agents of the desk's notify, while nobody has it
	RoleNotify      Role = "notify"  // agents of the desk's notify
	RoleAgents      Role = "agents"  // every agent of the desk
	RoleAdmins      Role = "admins"  // agents who are admins
)

// How is the way in which somebody hears of an event.
type How string

const (
	ByMail   How = "mail"    // a mail of its own
	InDigest How = "digest"  // with others, in one mail an hour
	Untold   How = "nothing" // not by mail
)

var ways = []How{Untold, InDigest, ByMail}

// Less says that h tells less than other.
func (h How) Less(other How) bool { return slices.Index(ways, h) < slices.Index(ways, other) }

// More is the one of two ways that tells more.
func (h How) More(other How) How {
	if h == "" || h.Less(other) {
		return other
	}
	return h
}

// Ways are those in which an event can be told, the one that tells most first.
// What asks somebody to act, and the list of the day, stand in no digest.
func Ways(e Event) []How {
	switch e {
	case EventReminder, EventClosing, EventMorning, EventDigest:
		return []How{ByMail, Untold}
	}
	return []How{ByMail, InDigest, Untold}
}

// tellRow is one event of the table: whom it can concern, and who is told of it
// unless the file says otherwise.
type tellRow struct {
	event Event
	roles []Role
	usual []Role // by mail; the others are not told
}

var (
	deskRoles = []Role{RoleOwner, RoleUnowned, RoleNotify, RoleAgents, RoleAdmins}
	allRoles  = append([]Role{RoleRequester, RoleParticipant}, deskRoles...)
)

// tellTable is the table of a desk whose file says nothing.
var tellTable = []tellRow{
	{EventNew, []Role{RoleNotify, RoleAgents, RoleAdmins}, []Role{RoleNotify}},
	{EventComment, deskRoles, []Role{RoleOwner, RoleUnowned}},
	{EventAnswer, allRoles, []Role{RoleRequester, RoleParticipant, RoleOwner, RoleUnowned}},
	{EventNote, deskRoles, []Role{RoleOwner, RoleUnowned}},
	{EventStatus, allRoles, []Role{RoleRequester, RoleParticipant, RoleOwner, RoleUnowned}},
	{EventClosed, allRoles, []Role{RoleRequester, RoleParticipant, RoleOwner, RoleUnowned}},
	{EventAssigned, []Role{RoleOwner, RoleNotify, RoleAgents, RoleAdmins}, []Role{RoleOwner}},
	{EventReminder, []Role{RoleRequester, RoleParticipant}, []Role{RoleRequester, RoleParticipant}},
	{EventClosing, []Role{RoleRequester, RoleParticipant}, []Role{RoleRequester, RoleParticipant}},
}

// fixedRows are what no file changes.
var fixedRows = []tellRow{
	{EventBounce, nil, []Role{RoleOwner, RoleUnowned}},
	{EventHeld, nil, []Role{RoleNotify}},
	{EventDigest, nil, allRoles},
}

// neverOff are mails that somebody would look for in the table, and why they do
// not stand in it.
var neverOff = map[string]string{
	"confirmation": "whoever opens a case is always told of it",
	"bounce":       "agents are always told of an answer that did not arrive",
	"held":         "agents are always told of mail that waits for their word",
	"question":     "an agent is always asked whether they wrote what nothing proves",
	"warning":      "an agent is always warned of mail in their name",
	"transcript":   "an agent is always told what became of a command",
	"morning":      "each agent asks for the list of the day on the account page",
}

// Tell says how a role hears of an event.
func (d *Desk) Tell(e Event, r Role) How {
	if how, ok := d.Told[e][r]; ok {
		return how
	}
	for _, row := range append(slices.Clip(tellTable), fixedRows...) {
		if row.event == e && slices.Contains(row.usual, r) {
			return ByMail
		}
	}
	return Untold
}

// TellEvents are the events that a desk file may name.
func TellEvents() []Event {
	all := make([]Event, len(tellTable))
	for i, row := range tellTable {
		all[i] = row.event
	}
	return all
}

// Wishes are the events of which a person may say for themselves how they hear:
// an agent of whatever agents are told, a contact of what they can do without.
func Wishes(agent bool) []Event {
	if !agent {
		return []Event{EventStatus, EventClosed, EventReminder, EventDigest}
	}
	var all []Event
	for _, row := range tellTable {
		if slices.Contains(row.roles, RoleAgents) {
			all = append(all, row.event)
		}
	}
	return append(all, EventMorning, EventDigest)
}

// TellRow is a line of the table, for people to read: "owner mail, admins digest".
func (d *Desk) TellRow(e Event) string {
	var parts []string
	for _, row := range tellTable {
		for _, r := range row.roles {
			if how := d.Tell(e, r); row.event == e && how != Untold {
				parts = append(parts, fmt.Sprintf("%s %s", r, how))
			}
		}
	}
	if parts == nil {
		return "nobody"
	}
	return strings.Join(parts, ", ")
}

// tell reads the table of who is told of what.
func (r *reader) tell(n *node) map[Event]map[Role]How {
	told := map[Event]map[Role]How{}
	known := fields{}
	for _, row := range tellTable {
		known[string(row.event)] = func(n *node) { told[row.event] = r.tellRow(n, row) }
	}
	if !r.is(n, aTable) {
		return told
	}
	for _, e := range n.entries {
		if why, always := neverOff[e.key]; always {
			r.add(e.at, "%q does not stand in the table: %s", e.key, why)
			known[e.key] = func(*node) {}
		}
	}
	r.table(n, known)
	return told
}

func (r *reader) tellRow(n *node, row tellRow) map[Role]How {
	hows := map[Role]How{}
	known := fields{}
	for _, role := range row.roles {
		known[string(role)] = func(n *node) {
			var how string
			var allowed []string
			for _, way := range Ways(row.event) {
				allowed = append(allowed, string(way))
			}
			r.oneOf(&how, allowed...)(n)
			switch {
			case how == "":
			case row.event == EventAnswer && role == RoleRequester && How(how) != ByMail:
				r.add(n.at, "the requester waits for the desk's answers: they are always mailed")
			case row.event == EventClosing && role == RoleRequester && How(how) == Untold:
				r.add(n.at, "the requester is always told that a case will close: write announce = 0 in the status if none should be announced")
			default:
				hows[role] = How(how)
			}
		}
	}
	r.table(n, known)
	return hows
}
