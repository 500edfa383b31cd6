// Package mime turns the bytes of one mail into header fields, text, cleaned
// HTML and files.
//
// It never fails and never panics on what a mail holds: whatever is odd in it
// becomes a flaw, a short fact in English. Work and memory are bounded by
// Limits while reading; files stay where they are and are decoded from their
// section when somebody opens them, so a mail of 40 MiB costs no more memory
// than a small one.
//
// The way: one pass over the lines finds header blocks and boundaries
// (walk.go), header.go repairs and decodes fields, part.go and repair.go decode
// bodies, unwrap.go opens signed mail (smime.go) and what Outlook wraps
// (tnef.go, rtf.go), body.go chooses the text, html.go and
// prune.go clean HTML, known.go reads what mail programs mark in it, readable.go
// makes text of it.
//
// It does not know what a case, an agent or a rule about senders is, it asks no
// network, and it decides nothing: a From is what the mail says, not who wrote.
package mime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Message is what was understood of one mail. All strings are valid UTF-8
// without NUL (R19).
type Message struct {
	Header Header
	BodyAt int64 // offset of the first octet after the header block

	Type       string // media type of the whole mail, lower case
	ReportType string // of multipart/report, lower case

	Text  string // text/plain if usable, else made from the HTML; "" if there is none
	HTML  string // cleaned (R23); "" if the mail has none
	Files []File // in the order of the mail

	Report *Report  // a bounce's or receipt's machine part
	Nested []Nested // attached mails, in order
	Flaws  []string

	// Err is nil, ErrTooSlow, ErrHeaderTooLarge, or an error of the ReaderAt:
	// the last says nothing about the mail and asks for another try.
	Err error
}

// File is one part that is not the text.
type File struct {
	Name      string // a label, never a path (R22)
	Type      string // media type as declared, lower case
	Size      int64  // decoded
	SHA256    [32]byte
	Inline    bool
	ContentID string // without angle brackets
	// Open decodes the file from the mail. It is nil for a file beyond a limit,
	// which is listed only (R17).
	Open func() (io.ReadCloser, error)
}

// Nested is a mail attached to the mail (message/rfc822).
type Nested struct {
	From    []Address
	Date    string
	Subject string
	Text    string
}

// Read reads one mail. It never fails: see Message.Err for the mails that a
// rule keeps out.
func Read(r io.ReaderAt, size int64, l Limits) *Message {
	return ReadContext(context.Background(), r, size, l)
}

// ReadContext is Read that also ends, with Err set, when ctx does.
func ReadContext(ctx context.Context, r io.ReaderAt, size int64, l Limits) *Message {
	m := &Message{}
	rd := &reader{ctx: ctx, src: &source{at: r}, size: size, limits: l, msg: m}
	if l.Time > 0 {
		rd.deadline = time.Now().Add(l.Time)
	}
	rd.read()
	return m
}

// reader is the work on one mail.
type reader struct {
	ctx      context.Context
	src      *source
	size     int64
	limits   Limits
	deadline time.Time
	nested   bool // an attached mail: neither its files nor its own attached mails are read
	msg      *Message
	flawed   map[string]bool
	decoded  int64 // octets of files so far
	parts    int   // so far
}

func (rd *reader) read() {
	rd.oldLineEnds()
	root := rd.walk()
	rd.unwrap(root, 0)
	m := rd.msg
	m.Type = root.mediaType
	if root.mediaType == "multipart/report" {
		m.ReportType = lower(root.params["report-type"])
	}
	rd.body(root)
	rd.report(root)
	if rd.msg.Err == nil && rd.late() {
		m.Err = ErrTooSlow
	}
}

// flaw notes one fact about the mail, once.
func (rd *reader) flaw(format string, args ...any) {
	const most = 20 // R69: one mail does not fill the log
	f := Clean(fmt.Sprintf(format, args...), 200)
	if rd.flawed[f] || len(rd.msg.Flaws) >= most {
		return
	}
	if rd.flawed == nil {
		rd.flawed = map[string]bool{}
	}
	rd.flawed[f] = true
	rd.msg.Flaws = append(rd.msg.Flaws, f)
}

// late says that the time for this mail is over. It is asked between blocks
// and parts.
func (rd *reader) late() bool {
	if rd.msg.Err != nil {
		return errors.Is(rd.msg.Err, ErrTooSlow)
	}
	if err := rd.ctx.Err(); err != nil {
		rd.msg.Err = fmt.Errorf("%w: %w", ErrTooSlow, err)
		return true
	}
	if !rd.deadline.IsZero() && time.Now().After(rd.deadline) {
		rd.msg.Err = ErrTooSlow
		return true
	}
	return false
}

// broken keeps an error of the source, which is not the mail's fault.
func (rd *reader) broken() {
	if rd.msg.Err == nil && rd.src.err != nil {
		rd.msg.Err = fmt.Errorf("read mail: %w", rd.src.err)
	}
}

// source remembers that reading failed, so that a broken disk is never taken
// for a broken mail, nor the other way round.
type source struct {
	at  io.ReaderAt
	cr  bool // lines end with CR alone
	err error
}

func (s *source) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.at.ReadAt(p, off)
	if err != nil && err != io.EOF && s.err == nil {
		s.err = err
	}
	if s.cr {
		for i, c := range p[:n] {
			if c == '\r' {
				p[i] = '\n'
			}
		}
	}
	return n, err
}

// oldLineEnds finds out whether CR alone ends the lines: there is nothing else
// where the header stands. Beside other line ends a CR is no line end: it
// would add a field that others do not see (R20).
func (rd *reader) oldLineEnds() {
	head := make([]byte, min(rd.size, 4096))
	n, _ := rd.src.ReadAt(head, 0)
	rd.broken()
	if head = head[:n]; bytes.IndexByte(head, '\r') >= 0 && bytes.IndexByte(head, '\n') < 0 {
		rd.src.cr = true
		rd.flaw("lines end with CR alone")
	}
}
