package core

import (
	"io"
	"time"
)

// Mail is what mailin understood of one mail: facts, and nothing decided.
// Every string is valid UTF-8 without NUL (R19), whatever the mail held.
type Mail struct {
	Ledger   int64     // the ledger row that keeps its bytes; 0 for explain
	Mailbox  string    // name of the mailbox in the settings
	Received time.Time // INTERNALDATE: all clocks run from it
	Size     int64     // octets of the whole mail
	// HeaderOnly says that the body was too large to take (R17): the ledger
	// keeps the header block and Size, and the mail is held.
	HeaderOnly bool

	From       []Address // all mailboxes of all From fields; identity needs exactly one (R30)
	ReplyTo    []Address
	Original   []Address // X-Original-From: whom a group's mail was written by (R73)
	To, Cc     []Address
	Delivered  []string // topmost Delivered-To and X-Original-To, addresses, lower case
	Subject    string   // decoded, one line, 250 characters at most
	Date       time.Time
	MessageID  string   // without angle brackets; "" if none, malformed or over-long (R7)
	InReplyTo  []string // without angle brackets
	References []string // oldest first
	Hash       [32]byte // the content hash of R5
	Gist       [32]byte // the same without any space, which signatures may let change; zero: not known

	Marks      Marks
	Report     *Report     // a bounce's or receipt's machine part
	Signatures []Signature // DKIM signatures as checked by us; nil if nobody checked
	DKIM       Checked     // whether the look-ups could be done
	FromOrg    string      // organisational domain of From (public suffix list), "" if none
	Trusted    []AuthField // Authentication-Results fields, topmost first; believed only as R32 says

	Text      string  // the whole text
	Reply     string  // the visible reply: Text without quoted history and signature
	Rest      string  // what Reply leaves out
	HTML      string  // cleaned (R23), "" if the mail has none
	Files     []File  // everything that is not the text
	Forwarded []Quote // mail forwarded inside this one, outermost first
	Flaws     []string
}

// Address is one mailbox of a header field.
type Address struct {
	Name    string // display name, decoded and cleaned (R21); may be ""
	Address string // local@domain: domain in ASCII form, all lower case (R30)
}

// Domain is what follows the last @.
func (a Address) Domain() string {
	for i := len(a.Address) - 1; i >= 0; i-- {
		if a.Address[i] == '@' {
			return a.Address[i+1:]
		}
	}
	return ""
}

// Marks are header fields that tell what kind of mail it is (R26), as they
// stand in it: lower case, without comments and parameters unless said.
type Marks struct {
	ReturnPath    *string // topmost Return-Path: nil if absent (unknown), "" for <> (R29)
	Daemon        bool    // From is a mailer-daemon or postmaster without a domain
	AutoSubmitted string
	Precedence    string
	Suppress      string // X-Auto-Response-Suppress, the whole value
	AutoReply     bool   // X-Autoreply or X-Autorespond is there
	InboxRules    bool   // X-MS-Exchange-Inbox-Rules-Loop is there
	ListID        string // List-Id
	List          bool   // List-Id, List-Post or List-Unsubscribe is there
	ReportType    string // multipart/report's report-type, "" if it is no report
	Loop          string // X-Postern-Loop, the whole value (R25)
	Spam          bool   // X-Spam-Flag: YES or X-Spam-Status: Yes (R72)
	Received      int    // how many Received fields
}

// Report is the machine part of a bounce (RFC 3464) or receipt.
type Report struct {
	Recipients []ReportRecipient
	ReturnedID string // Message-ID of the returned mail, without angle brackets
}

// ReportRecipient is one recipient's block of a bounce.
type ReportRecipient struct {
	Address    string // final recipient, lower case
	Original   string // the address that was written to, if the report says another one
	Action     string // failed, delayed, delivered, relayed, expanded
	Status     string // "5.1.1"
	Diagnostic string
}

// Checked says what became of looking up the keys of a mail's signatures.
type Checked string

const (
	NotChecked Checked = ""       // nobody tried (explain without --dns)
	CheckDone  Checked = "done"   // every signature has its answer
	CheckLater Checked = "no-dns" // the DNS gave no answer: ask again later (R31)
)

// Signature is one DKIM signature (RFC 6376) and what our check said.
type Signature struct {
	Domain   string // d=
	Org      string // organisational domain of d=
	Valid    bool   // signature and body hash hold, not expired
	Covers   bool   // h= holds From, Subject and Date
	Limited  bool   // has l=: proves nothing of what was added
	ToOpen   bool   // it holds with another To or Cc, too: it does not say to whom the mail was written
	Why      string // why it is not valid, for the trace
	Selector string
}

// AuthField is one Authentication-Results field (RFC 8601), or another field
// that a border's own rules read (R32).
type AuthField struct {
	Name  string // canonical field name
	Value string // unfolded
}

// Quote is a mail that another mail forwards.
type Quote struct {
	Above   string // what stands above it in the mail that forwards it
	From    Address
	Date    string
	Subject string
	Text    string
}

// File is one attachment or inline part.
type File struct {
	Name      string // a label, never a path (R22)
	Type      string // media type as declared, lower case
	Size      int64  // octets, decoded
	SHA256    [32]byte
	Inline    bool
	ContentID string                        // without angle brackets, "" if none
	Open      func() (io.ReadCloser, error) // nil: beyond a limit, listed only (R17)
}

// Incoming is one mail as the IMAP server gave it, before anything is read
// in it: what Keep commits (R1).
type Incoming struct {
	UIDValidity uint32
	UID         uint32
	Received    time.Time // INTERNALDATE
	Size        int64     // octets of the mail on the server
	HeaderOnly  bool      // Raw is the header block alone (R17)
	Gone        bool      // the server twice gave no bytes for it (R9); Raw is nil
	Raw         *io.SectionReader
}
