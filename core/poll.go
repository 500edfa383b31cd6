package core

import "time"

// Mailbox is one folder of one IMAP account, as the ledger knows it.
type Mailbox struct {
	ID          int64
	Account     string // name of the mailbox in the settings
	Folder      string
	AddedAt     time.Time // mail from before is left alone (R74)
	UIDValidity uint32    // 0 until the first poll
	NextUID     uint32    // every UID below is in the ledger, or older than AddedAt
	Epoch       int64     // counts holders: a write with an old epoch is refused (R16)
	PolledAt    *time.Time
}

// Stored is a ledger row that waits to be filed.
type Stored struct {
	ID         int64
	UID        uint32
	Received   time.Time
	Size       int64
	HeaderOnly bool
	Tries      int
	DueAt      time.Time
	Evidence   bool // its assurance was judged before: no look-ups again (R31)
}

// Ended is a ledger row at its end of which the server has not been told.
type Ended struct {
	ID          int64
	Folder      string // where the mail lies
	UIDValidity uint32
	UID         uint32
	State       State
}

// Told says where a mail lies after the server was told: unchanged if it was
// not moved.
type Told struct {
	ID          int64
	Folder      string
	UIDValidity uint32
	UID         uint32
}

// Outlived is a mail that is done with for longer than it is kept on the server.
type Outlived struct {
	ID   int64
	UID  uint32 // where it lies
	Size int64
}

// State is the state of a ledger row.
type State string

const (
	StateStored State = "stored"
	Filed       State = "filed"
	Duplicate   State = "duplicate"
	Held        State = "held"
	Quarantined State = "quarantined"
	Refused     State = "refused"
	Gone        State = "gone"
)

// Receipt is what became of one mail.
type Receipt struct {
	State   State
	Outcome string // "opens a case", "joins", "note", "event", ...: for the log
	Case    string // "CASE-10001", "" if none
	CaseID  int64
	Reason  string // why it is held, and the like
	Letters int    // mails queued by it
	Trace   []Step

	Class     Class
	Assurance Assurance
}

// Step is one decision with the rule that made it.
type Step struct {
	Rule string `json:"rule"` // "R34"
	Says string `json:"says"` // a sentence without secrets
}
