package core

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"postern/core/token"
)

// facts are what the database knows that matters to one mail. They are looked
// up in one batch, with the cases in question locked, and every decision is
// made from them and the mail alone.
type facts struct {
	row      ledgerRow
	sender   *senderRow // nil: From is no address we know
	domain   *domainRow // the organisation that From's domain belongs to
	tokens   []letterRow
	ours     []letterRow // letters of ours that In-Reply-To and References name
	known    []knownRow  // mails we took in that they name
	same     []knownRow  // earlier mails of this sender with this Message-ID or content
	resent   bool        // a verified mail of this sender came before that differs in spaces and Message-ID alone
	erased   bool        // a mail with this content was erased (R66)
	cases    []caseRow   // every case that any evidence names, in order of id
	people   []caseperson
	others   []otherRow // who else stands in the mail
	proposed []int64    // cases that it names, for which its sender is proposed
	left     []int64    // and those that its sender has left
	agents   []agentRow
	beside   beside    // letters about those cases that wait, and that were queued lately
	files    []fileRow // files those cases have already, of those that the mail brings
	probe    *probeRow
	counts   counts
	talks    []talk  // of the sender's address, and of each case named (R50)
	ids      []int64 // reserved: person, case, comment, note, and two for each file
	border   *borderRow
	// of letters that came back: failures of their addresses within a week
	bounced map[string]int

	listed   []listedRow     // mails that a list of held mail showed, which this mail answers
	attachTo map[int64]int64 // cases that such an answer names: number to id
	found    []queryFound    // what the database has for each query of the mail
	answered int             // queries of the sender that were answered in the last 10 minutes
	undo     *undoRow        // what an #undo names
	twins    []twinRow       // cases that this very mail opened on other desks (R5)

	structure structureFacts // what commands about cases as such need
}

type ledgerRow struct {
	ID         int64
	State      State
	ReleasedBy *int64
	Releaser   string // name of who released it
	Assurance  Assurance
	Evidence   []Step // of the assurance, if it was judged before
	Judged     bool
	Folder     string    // where it was fetched from
	Begun      time.Time // when its mailbox was first seen, in whole seconds (R74)

	ReleasedAs   HeldWord // what that agent said
	ReleasedCase int64    // of AttachIt: the case
}

type senderRow struct {
	ID         int64
	Name       string
	Language   string
	Verified   bool // some mail of theirs was verified, or they signed in by a mailed link
	Blocked    bool
	Suppressed bool
	Role       string // as agent of this desk; "" if it is none
	Member     *int64 // organisation
	MemberName string
	MemberLang string
}

type domainRow struct {
	Organisation int64
	Name         string
	Language     string
}

// letterRow is a letter of ours that a mail names, by token or Message-ID.
type letterRow struct {
	ID         int64
	Kind       Kind
	CaseID     *int64
	Person     *int64
	Address    string
	Automatic  bool
	ForAgent   bool
	IDHash     []byte
	TokenHash  []byte
	NoteHash   []byte
	Answerable bool // an answer to TokenHash is public; false: only its bounces use it
	TokenUntil *time.Time
	Comment    int64     // whose text it carried
	Authors    []int64   // and who wrote it, and the others that it carried
	Listed     []int64   // held mails that it showed
	Asked      string    // the status that a word leads to for which it asked a text (R45)
	Queued     time.Time // when it was written
	Texts      []TextOf  // and those of all, if it carried several
}

// knownRow is an earlier mail.
type knownRow struct {
	ID          int64
	IDHash      []byte
	ContentHash []byte
	CaseID      *int64
	State       State
	Account     string // its mailbox
	Folder      string // where it was fetched from
	Received    time.Time
}

type caseRow struct {
	ID           int64
	Desk         int
	Number       int64
	Title        string
	Requester    int64
	Organisation *int64
	Company      string
	Owner        *int64
	Status       string
	Class        string
	StatusAt     time.Time
	DeskWroteAt  *time.Time
	OpenedAt     time.Time
	Priority     string
	Type         string
	DueAt        *time.Time
	MergedInto   *int64
	ByAgent      bool // an agent opened it for its requester (R64)
	WakeAt       *time.Time
	Spent        int64 // minutes
	Visible      bool  // the wall lets the sender see it
}

// caseperson is somebody on the customer's side of a case.
type caseperson struct {
	CaseID     int64
	Person     int64
	Name       string
	Address    string
	Language   string
	Verified   bool
	Suppressed bool
	Requester  bool
	Agent      bool              // of whatever desk
	Quiet      bool              // nothing goes to them yet (R64)
	Left       bool              // wants no more mail of this case (R38)
	Asked      bool              // Address is where they want the mail of this case (R39)
	Automatic  []time.Time       // automatic mail to this address within a day, newest first
	OnCase     []time.Time       // and of it on this case
	Muted      bool              // a ping-pong with it, or on this case, was stopped within the day (R50)
	Wishes     map[string]string // what they have said of how they hear of what
	Member     *int64            // organisation
}

// counts are what budgets are compared with for mail to this person.
func (p caseperson) counts() counts {
	c := counts{automatic: p.Automatic}
	if p.Muted {
		c.stopped = mutedReason
	}
	for _, at := range p.OnCase {
		c.onCase = append(c.onCase, caseTime{p.CaseID, at})
	}
	return c
}

type agentRow struct {
	Person     int64
	Name       string
	Address    string
	Language   string
	Suppressed bool
	Notices    int               // to this address in the last 10 minutes
	Role       string            // "agent", "admin"
	Wishes     map[string]string // what they have said of how they hear of what
}

type fileRow struct {
	ID       int64
	CaseID   int64
	Internal bool
	SHA256   []byte
}

type probeRow struct {
	Hash []byte
	Desk int
}

// counts are what the budgets of R48 are compared with: instants of what was
// let out or filed lately, newest first.
type counts struct {
	confirmed []time.Time // confirmations to this address
	automatic []time.Time // automatic mail to it
	onCase    []caseTime  // the same, by case
	refused   []time.Time // words that could not be followed, which count apart
	answered  []time.Time // confirmations to unverified senders, all
	sameHost  int         // and those of this domain within the hour
	opened    []time.Time // cases of this sender
	bytes     int64       // of this sender in a day
	asked     *time.Time  // last question to this person
	warned    *time.Time  // last warning to it
	stopped   string      // why automatic mail has stopped (R50), "" if it has not
}

type caseTime struct {
	CaseID int64
	At     time.Time
}

// asked is what lookUp asks the database for: the keys that a mail holds.
type asked struct {
	ledger  int64
	from    string
	domain  string
	tokens  [][]byte
	probe   []byte
	ids     [][]byte // of In-Reply-To and References, hashed
	id      []byte   // of the mail itself
	content []byte
	gist    []byte  // nil: not known
	desks   []int32 // of the numbers in the subject
	numbers []int64
	files   [][]byte
	others  []string // addresses of others
	undo    []byte   // of the token in an #undo
}

// evidence is one sign of which case a mail belongs to, in the order of R34.
type evidence struct {
	part   string // "a" to "e"
	says   string
	letter *letterRow
	caseID int64
}

var (
	taggedNumber = regexp.MustCompile(`(?i)\[([A-Z][A-Z0-9]{1,15})-([0-9]{1,15})\]`)
	bareNumber   = regexp.MustCompile(`(?i)\b([A-Z][A-Z0-9]{1,15})-([0-9]{1,15})\b`)
)

type subjectNumber struct {
	desk   int
	number int64
	tagged bool
	text   string
}

// subjectNumbers finds the case numbers in a subject, tagged ones first, from
// left to right (R34 d, e). prefixes says which desk a prefix belongs to.
func subjectNumbers(subject string, prefixes map[string]int) []subjectNumber {
	var found []subjectNumber
	for i, pattern := range []*regexp.Regexp{taggedNumber, bareNumber} {
		for _, m := range pattern.FindAllStringSubmatch(subject, 10) {
			desk, ok := prefixes[strings.ToUpper(m[1])]
			n, err := strconv.ParseInt(m[2], 10, 64)
			if ok && err == nil {
				found = append(found, subjectNumber{desk, n, i == 0, strings.ToUpper(m[1]) + "-" + m[2]})
			}
		}
	}
	return found
}

// sentTo are the tokens of the plus addresses that a mail was sent to, by what
// they are for, in the order of R33: the topmost Delivered-To or
// X-Original-To, then To, then Cc.
func (d *Desk) sentTo(m Mail) map[token.Mode][]string {
	found := map[token.Mode][]string{}
	look := func(address string) {
		if _, mode, t, ok := token.Split(address); ok && d.isOwn(address) {
			found[mode] = append(found[mode], t)
		}
	}
	for _, a := range m.Delivered {
		look(a)
	}
	for _, list := range [][]Address{m.To, m.Cc} {
		for _, a := range list[:min(len(list), 40)] {
			look(a.Address)
		}
	}
	return found
}

// loopToken is the token of an X-Postern-Loop field (R25), "" if there is none.
func loopToken(field string) string {
	t, _, _ := strings.Cut(strings.TrimSpace(field), " ")
	return t
}
