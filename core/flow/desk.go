// Package flow reads a desk file and answers questions about it: which
// statuses a desk has, what they are called, who may move a case from where to
// where, and which word of a reply does it. A desk is data: everything a team
// decides about its own way of working stands in one TOML file, and this
// package is the only one that reads it.
//
// It knows no case, no person, no mail, no clock and no store: a file goes in,
// values come out. Whether somebody may act on a case at all, whether a mail
// proves who wrote it, and when days are over is decided by its callers.
//
// A desk names its statuses as it likes. The engine understands only their
// class, and the moves of the file go over these:
//
//	            an agent                    a solution
//	            answers                      is offered
//	   +-----+          +------+                       +----------+
//	-->| new |--------->| open |---------------------->| resolved |
//	   +-----+          +------+<----------------------+----------+
//	                     ^ |  ^ |   turned down, or an     |
//	        an answer    | |  | |   answer                 | agreed, or silence
//	                     | v  | v                          v
//	           +----------+  +---------+              +--------+
//	           | customer |  | blocked |              | closed |---> open, by reopen
//	           +----------+  +---------+              +--------+
//	            the customer  a third                 +----------+
//	            must act      party must              | rejected | ended without
//	                                                  +----------+
//
// Closed and rejected can be reached from every other class if the desk says
// so. Clocks run in new and open, pause in customer and blocked, and stand
// still in the rest.
package flow

import (
	"slices"
	"time"
)

// Class is what the engine understands of a status.
type Class string

const (
	New      Class = "new"      // nobody has taken it
	Open     Class = "open"     // the desk works on it
	Customer Class = "customer" // the customer must act
	Blocked  Class = "blocked"  // waits for a third party
	Resolved Class = "resolved" // a solution is offered, agreement is wanted
	Closed   Class = "closed"   // ended well
	Rejected Class = "rejected" // ended without
)

// classes in the order in which a case meets them.
var classes = []Class{New, Open, Customer, Blocked, Resolved, Closed, Rejected}

// Ended reports whether a case of this class is over.
func (c Class) Ended() bool { return c == Closed || c == Rejected }

// Active reports whether somebody still has to do something.
func (c Class) Active() bool { return slices.Contains(classes, c) && !c.Ended() }

// By says who makes a move.
type By string

const (
	ByAgent    By = "agent"
	ByCustomer By = "customer"
	BySystem   By = "system" // a clock: silence, a wake date
)

var everybody = []By{ByAgent, ByCustomer, BySystem}

// Days is a number of calendar days in the desk's zone.
type Days int

// Always, as Reopen.Days, lets a closed case be reopened at any later time.
const Always = -1

// Any, in Move.From, stands for every active status that does not name a move
// of its own to the same status.
const Any = "*"

// Desk is one desk file.
type Desk struct {
	Key         string // not in the file: what the settings call this desk
	Name        Text
	Prefix      string   // of case numbers: CASE in CASE-10001
	FirstNumber int64    // of the first case
	Languages   []string // the first is the desk's own
	Timezone    string
	Contact     Text     // how else the desk is reached; may be empty
	Unknown     string   // mail of unknown people: "opens" a case, or is "held"
	Sees        string   // a contact sees the cases of the "organisation", or its "own"
	Bulk        string   // mail of mailing lists: "held", or as if a "human" wrote it
	AgentProof  string   // an agent's powers by mail need: "verified", or a "token"
	Notify      []string // agents told of new cases; empty: all
	Initial     string   // status of a new case
	Reopen      Reopen
	Priorities  []Option // highest first
	Types       []Option
	Statuses    []Status
	Moves       []Move
	Relays      []Relay    // addresses that write for others
	Templates   []Template // canned answers
	Aliases     []Alias    // its own names for commands of agents
	Source      []byte     // the file itself

	zone *time.Location
}

// Reopen says what a reply to a closed case does. Where a case is not
// reopened, the reply opens a new one, linked to it.
type Reopen struct {
	Days int    // after closing; 0: never; Always
	To   string // the status a reopened case gets; empty if never
}

// Option is one of a desk's priorities or types.
type Option struct {
	Key   string
	Label Text
	Means Text // a sentence for those who choose; may be empty
}

// Status is one of a desk's statuses.
type Status struct {
	Key        string
	Class      Class
	Label      Text
	Means      Text   // one sentence: what it means, whether the customer must act
	Answer     string // where a customer's plain answer leads; empty or its own key: nowhere
	Taken      string // where the first public answer of an agent leads; empty: nowhere
	Remind     []Days // days of silence after which the customer is reminded, ascending
	CloseAfter int    // days of silence after which the case closes by itself; 0: never
	Announce   int    // days before closing at which it is announced; 0: it is not
	CloseTo    string // the status it gets then
	WakeTo     string // it may have a wake date, and leads here then; empty: it has none
}

// Move is a way from one status to another.
type Move struct {
	From     []string // status keys, or Any alone
	To       string
	By       []By
	Words    map[string][]string // by language: replies that make this move; the first is shown in mails
	Requires []string            // "comment", "reason"
	Binding  bool                // a customer's word counts only if it is sure who wrote it
}

// Zone is where the desk's days begin and end.
func (d *Desk) Zone() *time.Location {
	if d.zone == nil {
		return time.UTC
	}
	return d.zone
}

// Status returns the status with this key.
func (d *Desk) Status(key string) (Status, bool) {
	for _, s := range d.Statuses {
		if s.Key == key {
			return s, true
		}
	}
	return Status{}, false
}
