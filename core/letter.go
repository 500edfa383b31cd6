package core

import (
	"time"

	"postern/core/flow"
)

// Kind names the template of a mail we send.
type Kind string

// Mails to customers. All but Answer are automatic (R47).
const (
	Confirmation Kind = "confirmation" // a case was opened by this person's mail
	Answer       Kind = "answer"       // what a person wrote, to the other side
	StatusNews   Kind = "status"       // the status changed, in a way that concerns them
	Reminder     Kind = "reminder"     // the case waits for them
	ClosingSoon  Kind = "closing"      // the case will close by itself
	HeldAnswer   Kind = "held"         // a colleague will look at it; no number (R51)
	TooLarge     Kind = "too-large"    // beyond the raw size limit (R17)
	WordRefused  Kind = "word-refused" // the word cannot be followed as it came; asks for what is missing, or says what can
	SplitOff     Kind = "split"        // a comment of theirs has become a case of its own
	LeftCase     Kind = "left-case"    // they get no more mail of a case, or get it again
	SignIn       Kind = "sign-in"
	News         Kind = "news" // of an hour, for agents and customers who hear in a digest
	Invitation   Kind = "invitation"

	// There are words for these, and nothing that sends them yet.
	Approval      Kind = "approval"       // asks for a yes or no to a text, hours, a file
	Meeting       Kind = "meeting"        // a date, confirmed or proposed
	PasswordReset Kind = "password-reset" // a new password for the web view
	Satisfaction  Kind = "satisfaction"   // how the customer found it
)

// Answers to who asks for lists and cases, customers and agents alike.
const (
	Worklist  Kind = "worklist"   // lists, searches, several cases, help
	CaseSheet Kind = "case-sheet" // one case: an answer goes to that case
)

// Mails to agents and the operator.
const (
	NoticeNew      Kind = "notice-new"      // a case was opened
	NoticeComment  Kind = "notice-comment"  // the customer's side wrote, or a colleague answered
	NoticeNote     Kind = "notice-note"     // a colleague wrote a note; answers go to the internal address
	NoticeStatus   Kind = "notice-status"   // the customer or the clock changed the status
	NoticeAssigned Kind = "notice-assigned" // the case was given to somebody
	NoticeBounce   Kind = "notice-bounce"   // a mail of the case did not arrive
	Transcript     Kind = "transcript"      // what became of a command, also when it was refused
	Question       Kind = "question"        // "did you write these?" (R42)
	HeldList       Kind = "held-list"       // what waits for an agent's word; answered by lines of words
	HeldDone       Kind = "held-done"       // what became of such lines
	Morning        Kind = "morning"         // an agent's work of the day, for those who want it
	Warning        Kind = "warning"         // mail in the agent's name was set aside (R42)
	Digest         Kind = "digest"          // many notices gathered (R47)
	Alarm          Kind = "alarm"           // to the operator
	ProbeMail      Kind = "probe"           // to ourselves (R33)
	Escalation     Kind = "escalation"      // to the next step of the desk's ladder; nothing sends it yet
)

// Letter is one mail of the outbox, claimed to be composed and sent. It holds
// every fact that the mail tells, as they were when it was caused (R58).
type Letter struct {
	ID        int64
	Kind      Kind
	Language  string // "en", "nl"
	Automatic bool   // carries Auto-Submitted and X-Auto-Response-Suppress (R53)
	Replied   bool   // Auto-Submitted: auto-replied rather than auto-generated
	ForAgent  bool
	Desk      string  // key of the desk
	From      Address // the desk's name and address
	To        Address
	ReplyTo   string // plus address of this recipient, or the desk's address (R33)
	Internal  string // the note address of the same letter, "" if there is none
	Envelope  string // envelope sender (R53)
	Command   string // where queries go: the command address, or the desk's

	MessageID   string // without angle brackets, as all ids here
	InReplyTo   string
	References  []string
	Optional    string   // event by which its reader turns mail of its kind off, "" if they cannot
	Unsubscribe []string // where they do that: a mailto, and a page if that is https
	Loop        string   // value of X-Postern-Loop, "" for none
	QueuedAt    time.Time

	Number  string // "CASE-10001", "" if the mail is about no case
	Case    string // URL of the case's page, "" if none
	Payload Payload
	Told    string   // the title by which this recipient knows the case; it stays in the subject
	Said    string   // what the recipient wrote last on the case, for the kinds that remind of it
	Text    string   // the comment's or note's text, for the kinds that carry one
	Texts   []string // of all of Payload.Texts, in their order
	Undo    string   // token by which an agent takes back what the letter tells, "" for none
	History []HistoryEntry
	Files   []LetterFile

	// Bytes is the mail as composed before; nil at the first claim. What was
	// composed once is sent again byte for byte (R58).
	Bytes []byte
}

// Payload is what the causing transaction writes down for a letter.
type Payload struct {
	Title    string `json:"title,omitempty"`
	Fixed    bool   `json:"fixed,omitempty"` // repeat neither subject, text, name nor link (R51)
	Actor    string `json:"actor,omitempty"` // who wrote or did it, as shown
	Customer string `json:"customer,omitempty"`
	Company  string `json:"company,omitempty"`
	Desk     string `json:"desk,omitempty"` // name of the desk in the recipient's language
	Contact  string `json:"contact,omitempty"`

	Comment int64 `json:"comment,omitempty"` // whose text and files go along
	Note    int64 `json:"note,omitempty"`
	// Texts are all of them, the first one too, if a mail brings several
	Texts []TextOf `json:"texts,omitempty"`
	Owner string   `json:"owner,omitempty"` // who has the case now; "": the recipient

	Status  string     `json:"status,omitempty"`  // label of the case's status
	Means   string     `json:"means,omitempty"`   // its sentence
	Class   flow.Class `json:"class,omitempty"`   // its class
	Changed bool       `json:"changed,omitempty"` // the status changed with this mail
	Was     string     `json:"was,omitempty"`
	From    flow.Class `json:"from,omitempty"`     // class of that status
	GoesOn  string     `json:"goes_on,omitempty"`  // number of the case as which this one goes on
	SplitOf string     `json:"split_of,omitempty"` // and of the one in which the comment stands that this one was

	Words []Word `json:"words,omitempty"` // what the recipient may answer by one word
	Links []Link `json:"links,omitempty"`
	Code  string `json:"-"`

	Actions   []Action   `json:"actions,omitempty"` // what an agent may do by a mail that is written already
	Documents []Document `json:"documents,omitempty"`
	// of a transcript
	Changes  []Change  `json:"changes,omitempty"`
	Problems []Problem `json:"problems,omitempty"` // why nothing was carried out
	Undo     bool      `json:"undo,omitempty"`     // it can be taken back
	Help     *Help     `json:"help,omitempty"`
	History  bool      `json:"history,omitempty"` // the case's timeline goes along

	Marks  []string  `json:"marks,omitempty"` // unverified, machine ...: shown to agents
	Reason string    `json:"reason,omitempty"`
	Asked  string    `json:"asked,omitempty"` // key of the status that an answer leads to, if it brings the text that is asked for
	Lines  []string  `json:"lines,omitempty"` // transcript, warning, alarm: one fact a line
	When   time.Time `json:"when,omitzero"`   // closes then, expires then
	Zone   string    `json:"zone,omitempty"`
	// for agents: the case this one may be about, and who is proposed as a participant
	PerhapsAbout string    `json:"perhaps_about,omitempty"`
	Proposed     []string  `json:"proposed,omitempty"`
	Items        []Waiting `json:"items,omitempty"`

	Answers    []QueryAnswer `json:"answers,omitempty"`    // of Worklist, CaseSheet and Morning
	Unread     string        `json:"unread,omitempty"`     // the beginning of a query's text that was not read
	Over       bool          `json:"over,omitempty"`       // more was asked than is answered at a time
	Unassigned int64         `json:"unassigned,omitempty"` // of Morning: cases that nobody owns
	Collision  *Collision    `json:"collision,omitempty"`  // of a transcript

	Held      []HeldItem       `json:"held,omitempty"`       // of HeldList: what waits, newest first; of HeldDone: what became of it
	HeldCount map[HeldKind]int `json:"held_count,omitempty"` // how much waits in all
	Listed    []int64          `json:"listed,omitempty"`     // ledger numbers that an answer may name
	Page      string           `json:"page,omitempty"`       // where it can be looked at
}

// TextOf is one of several texts in a mail: a comment, or a note if the
// letter's first is one.
type TextOf struct {
	ID    int64     `json:"id"`
	Actor string    `json:"actor,omitempty"`
	At    time.Time `json:"at"`
}

// HeldItem is one held mail in a letter to agents, or in an answer to them.
type HeldItem struct {
	ID      int64     `json:"id,omitempty"` // ledger number, by which it is answered
	Kind    HeldKind  `json:"kind,omitempty"`
	From    string    `json:"from,omitempty"`
	Subject string    `json:"subject,omitempty"`
	Code    string    `json:"code,omitempty"` // why it is held: one of HeldReasons
	Detail  string    `json:"detail,omitempty"`
	At      time.Time `json:"at,omitzero"`

	Line    string `json:"line,omitempty"` // what the agent wrote
	Word    string `json:"word,omitempty"` // what that does: a HeldWord
	Case    string `json:"case,omitempty"` // the case it names, perhaps (R36); of AttachIt: the one it is attached to
	Problem string `json:"problem,omitempty"`
	Meant   string `json:"meant,omitempty"` // what would be right
}

// Change is one thing that a command changed, before and after. What is a code
// that the templates have a word for; a date stands as RFC 3339 says.
type Change struct {
	What   string `json:"what"`
	Was    string `json:"was,omitempty"`
	Became string `json:"became,omitempty"`
}

// Word is an answer of one word and what it does.
type Word struct {
	Word string `json:"word"`
	Does string `json:"does"` // label of the status it leads to
}

// Link is a one-time link: URL is made when the letter is claimed, from the
// instance's secret; the database has only a hash of it (R61).
type Link struct {
	Purpose string `json:"purpose"`         // "move", "undo", "sign-in", "invitation", "question"
	Label   string `json:"label,omitempty"` // of the status that a press leads to
	Word    string `json:"word,omitempty"`  // that does the same
	Move    string `json:"move,omitempty"`  // key of the status that a press leads to
	Nonce   string `json:"nonce"`
	URL     string `json:"-"`
}

// Document is something to read that may answer a question.
type Document struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// Waiting is one thing gathered in a question or digest.
type Waiting struct {
	Number string    `json:"number"`
	Title  string    `json:"title"`
	Text   string    `json:"text"` // first lines
	At     time.Time `json:"at"`
}

// LetterFile is a file that goes along, or is only named if Attach is false
// (beyond 10 MiB in all, R58).
type LetterFile struct {
	Name   string
	Type   string
	Size   int64
	Attach bool
	Blob   int64
}

// Result is what an SMTP server said to one letter, or did not say.
type Result string

const (
	Accepted      Result = "accepted"       // 250 after the dot
	Temporary     Result = "temporary"      // 4xx
	Permanent     Result = "permanent"      // 5xx
	SenderRefused Result = "sender-refused" // 5xx that blames the envelope sender (R60)
	Unsent        Result = "unsent"         // the connection broke before the dot: costs no attempt
	Unanswered    Result = "unanswered"     // nothing after the dot (R59)
	Uncomposable  Result = "uncomposable"   // the mail cannot be built: a defect of ours
	LostLease     Result = "lost-lease"     // another process holds it
)

// Delivery is the end of one attempt.
type Delivery struct {
	ID       int64
	Result   Result
	Code     int    // SMTP reply code, 0 if none
	Enhanced string // enhanced status code "5.1.1", "" if none
	Answer   string // the server's words, one line
	Envelope string // the envelope sender that was used
}

// Dotting is a letter whose bytes are with the server, all but the final dot.
type Dotting struct {
	ID       int64
	Bytes    []byte // kept now, if this was the first composition
	Envelope string
}
