package core

import (
	"time"
)

// Viewer is a person who is signed in to the web view. Only Session makes one
// that holds anybody; the zero Viewer sees nothing.
type Viewer struct {
	person   int64
	Name     string
	Address  string // the first of the person's addresses
	Language string
	Agent    bool     // of any desk
	Desks    []string // keys of the desks whose agent it is
}

// SignedIn says whether the Viewer is anybody.
func (v Viewer) SignedIn() bool { return v.person != 0 }

// CaseQuery asks for a page of cases.
type CaseQuery struct {
	Scope  string // "mine", "organisation", "desk" (agents)
	Closed bool   // ended cases too
	Search string // a number, or words: see readTerms
	Before string // cursor of the page before: CasePage.Next
}

// CasePage is a page of at most 50 cases, last changed first.
type CasePage struct {
	Cases []CaseLine
	Next  string // "" if this is the last page
}

// CaseLine is one case in a list.
type CaseLine struct {
	Number    string // "CASE-10001"
	Title     string
	Status    string // label in the viewer's language
	Class     string // status class
	YourTurn  bool   // it waits for the customer (and the viewer is one)
	Requester string
	Company   string
	Owner     string
	Opened    time.Time
	Changed   time.Time
}

// CaseView is one case as one viewer may see it: a customer's has no notes
// and no internal events.
type CaseView struct {
	CaseLine
	Desk     string // name of the desk
	Means    string // what the status means
	Priority string
	Type     string
	ForAgent bool
	Entries  []Entry // by (at, id)
	Files    []FileLine
	Moves    []CaseMove // what the viewer may do with a press
	Sent     []SentMail // for agents: mails of the case that bring no entry's text
	// for agents: who may be added to the case with a press (R38), and the case
	// to which its requester may be added, if this one is perhaps about that (R37)
	Proposed []PersonLine
	// the case as which it goes on, if the viewer may see that; for agents also
	// those that go on as this one, and those that it is linked to
	GoesOn     string
	MergedFrom []string
	Linked     []string
	About      *AboutLine
}

// PersonLine is somebody as agents see them.
type PersonLine struct {
	Address string
	Name    string
}

// AboutLine is a case that another one is perhaps about, and the requester of
// that other one, who does not see it.
type AboutLine struct {
	Number string
	PersonLine
}

// Entry is one line of the timeline.
type Entry struct {
	ID      int64
	Kind    string // "description", "comment", "note", "event"
	At      time.Time
	Author  string
	Side    string // "customer", "desk", ""
	Text    string
	Rest    string // quoted history, one click away
	HasHTML bool   // EntryHTML has a cleaned version
	Marks   []string
	Files   []FileLine
	Sent    []SentMail // for agents: the mails that brought it to people
	// of an event
	Event       string // "opened", "status", "owner", ...
	Was, Became string // labels
	Why         string
	Until       time.Time // of a status that wakes by itself
}

// FileLine is one file of a case.
type FileLine struct {
	ID       int64
	Name     string
	Type     string
	Size     int64
	Inline   bool
	Internal bool
	Absent   bool // beyond a limit: listed, not kept (R17)
}

// CaseMove is a press of a button on a case's page.
type CaseMove struct {
	To    string // status key
	Label string // label of that status
	Word  string // the word that does the same by mail, "" if none
}

// MoveLink is what the page behind a one-time link shows before the press.
type MoveLink struct {
	Number string
	Title  string    // "" if it may not be shown
	Now    string    // label of the status it has
	To     string    // label of the status it will have
	Class  string    // class of that status
	Done   bool      // pressed before, or the case has it already
	Used   time.Time // when it was pressed; zero if it was not
	Gone   bool      // the case has changed, and it can no longer be done
	GoesOn string    // number of the case into which it was merged, if that is why

	NeedsText bool // it is done with a text only
	Undo      bool // it takes back what was pressed
}

// InvitationView is what the page behind an invitation shows.
type InvitationView struct {
	Address      string
	Desk         string
	Organisation string
	Expires      time.Time
}

// QuestionView is what the page behind "did you write these?" shows.
type QuestionView struct {
	Address string
	Items   []QuestionItem
}

// QuestionItem is one waiting mail.
type QuestionItem struct {
	Ledger int64
	Waiting
}

// HeldQuery asks for a page of held mail.
type HeldQuery struct {
	Kind   HeldKind // "" is all
	Before int64    // last row of the page before, 0 for the newest
}

// HeldPage is a page of at most 50 held mails.
type HeldPage struct {
	Mails []HeldLine
	Count map[HeldKind]int // of all pages
	More  bool
}

// HeldLine is one held or quarantined mail in the agents' list.
type HeldLine struct {
	Ledger    int64
	State     State
	Reason    string // as the ledger has it
	From      string
	Subject   string
	Received  time.Time
	Size      int64
	Class     string
	Assurance string

	// of mail that waits for an agent
	Code   string   `db:"-"` // of the reason: one of HeldReasons
	Detail string   `db:"-"` // what the reason names
	Kind   HeldKind `db:"-"`
	About  string   `db:"-"` // number of the case that it names, "" if none (R36)
}

// HeldView is a held mail with the trace of the rules that held it, and its text.
type HeldView struct {
	HeldLine
	Mailbox string
	Blocked bool // its sender is (R72)
	Barred  bool // its sender cannot be blocked: nobody, an agent, or an address of ours
	Trace   []Step
	Raw     []byte // its first 64 KiB, as they came
}

// SessionLine is one place where a person is signed in.
type SessionLine struct {
	Browser string
	Made    time.Time
	Seen    time.Time
	Current bool
}
