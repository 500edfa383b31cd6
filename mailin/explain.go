package mailin

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"postern/core"
)

// Explanation is what explain prints of one mail, an object a line.
type Explanation struct {
	File       string   `json:"file"`
	Class      string   `json:"class"`
	Assurance  string   `json:"assurance"`
	Subject    string   `json:"subject"`
	From       string   `json:"from"`
	FromName   string   `json:"from_name"`
	To         []string `json:"to"`
	Cc         []string `json:"cc"`
	ReplyTo    []string `json:"reply_to"`
	Date       *string  `json:"date"` // RFC 3339, UTC; null if there is none
	MessageID  string   `json:"message_id"`
	InReplyTo  string   `json:"in_reply_to"` // several ids are separated by a space
	References []string `json:"references"`

	Text        string                `json:"text"`
	Reply       string                `json:"reply"`
	HTML        string                `json:"html"`
	Attachments []AttachmentExplained `json:"attachments"`
	DSN         *DSNExplained         `json:"dsn"`
	Forwarded   *ForwardedExplanation `json:"forwarded"`

	// What core makes of it: filled in by the caller.
	Commands any `json:"commands"`
	Evidence any `json:"evidence"`
	Decision any `json:"decision"`
	Trace    any `json:"trace"`
}

// AttachmentExplained is one file of the mail.
type AttachmentExplained struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Inline bool   `json:"inline"`
}

// DSNExplained is a delivery report: the lists run parallel, one entry for each
// recipient.
type DSNExplained struct {
	Status     []string `json:"status"`
	Action     []string `json:"action"`
	Recipient  []string `json:"recipient"`
	Original   []string `json:"original"` // the address written to, "" where it is the recipient
	Diagnostic []string `json:"diagnostic"`
}

// ForwardedExplanation is the outermost mail that is forwarded in the mail.
type ForwardedExplanation struct {
	From    string `json:"from"`
	Subject string `json:"subject"`
	Date    string `json:"date"`
	Text    string `json:"text"`
}

// NewExplanation tells what m holds. Class, assurance, commands, evidence and
// trace are core's to say: the caller adds them.
func NewExplanation(file string, m core.Mail) Explanation {
	e := Explanation{
		File: strings.ToValidUTF8(file, "\ufffd"), Subject: m.Subject,
		To: bare(m.To), Cc: bare(m.Cc), ReplyTo: bare(m.ReplyTo),
		MessageID: m.MessageID, InReplyTo: strings.Join(m.InReplyTo, " "), References: append([]string{}, m.References...),
		Text: m.Text, Reply: m.Reply, HTML: m.HTML,
		Attachments: []AttachmentExplained{},
		Commands:    []string{}, Evidence: []string{}, Trace: []string{},
	}
	if len(m.From) > 0 {
		e.From, e.FromName = m.From[0].Address, m.From[0].Name
	}
	if !m.Date.IsZero() {
		date := m.Date.UTC().Format(time.RFC3339)
		e.Date = &date
	}
	for _, f := range m.Files {
		e.Attachments = append(e.Attachments, AttachmentExplained{f.Name, f.Type, f.Size, hex.EncodeToString(f.SHA256[:]), f.Inline})
	}
	if m.Report != nil {
		e.DSN = &DSNExplained{[]string{}, []string{}, []string{}, []string{}, []string{}}
		for _, r := range m.Report.Recipients {
			e.DSN.Status = append(e.DSN.Status, r.Status)
			e.DSN.Action = append(e.DSN.Action, r.Action)
			e.DSN.Recipient = append(e.DSN.Recipient, r.Address)
			e.DSN.Original = append(e.DSN.Original, r.Original)
			e.DSN.Diagnostic = append(e.DSN.Diagnostic, r.Diagnostic)
		}
	}
	if len(m.Forwarded) > 0 {
		q := m.Forwarded[0]
		from := q.From.Address
		if from == "" {
			from = q.From.Name
		}
		e.Forwarded = &ForwardedExplanation{from, q.Subject, q.Date, q.Text}
	}
	return e
}

func bare(list []core.Address) []string {
	all := []string{}
	for _, a := range list {
		all = append(all, a.Address)
	}
	return all
}

// Source is one mail in a file. It may be read until the next one is asked for.
type Source struct {
	Name string // the file's path; in an mbox of several, "path#3"
	Mail io.ReaderAt
	Size int64
}

// Files walks mails in files, directories (all they hold, in the order of
// names) and mboxes, in the memory of one line. What cannot be read is given
// with its name and an error, and the walk goes on.
func Files(paths []string) iter.Seq2[Source, error] {
	return func(yield func(Source, error) bool) {
		for _, path := range paths {
			if !walkFiles(path, yield) {
				return
			}
		}
	}
}

// walkFiles returns false when the caller has had enough.
func walkFiles(path string, yield func(Source, error) bool) bool {
	info, err := os.Stat(path)
	if err != nil {
		return yield(Source{Name: path}, err)
	}
	if !info.IsDir() {
		return openMails(path, info, yield)
	}
	enough := errors.New("enough")
	err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			if !yield(Source{Name: name}, err) {
				return enough
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		info, err := os.Stat(name) // a link counts as the file it leads to
		switch {
		case err != nil:
			if !yield(Source{Name: name}, err) {
				return enough
			}
		case info.Mode().IsRegular():
			if !openMails(name, info, yield) {
				return enough
			}
		}
		return nil
	})
	return err != enough
}

func openMails(path string, info fs.FileInfo, yield func(Source, error) bool) bool {
	f, err := os.Open(path)
	if err != nil {
		return yield(Source{Name: path}, err)
	}
	defer f.Close()
	if !info.Mode().IsRegular() { // a pipe: it can be read once only
		const most = 64 << 20
		b, err := io.ReadAll(io.LimitReader(f, most+1))
		if err == nil && len(b) > most {
			err = fmt.Errorf("%s: larger than %d MiB", path, most>>20)
		}
		if err != nil {
			return yield(Source{Name: path}, err)
		}
		return splitMbox(path, bytes.NewReader(b), int64(len(b)), yield)
	}
	return splitMbox(path, f, info.Size(), yield)
}

// mboxLine begins a mail in an mbox; an ordinary sentence that begins with
// "From " has no time and year at its end.
var mboxLine = regexp.MustCompile(`^From \S.*\d\d:\d\d.*\d{4}`)

// splitMbox yields the mails of an mbox, or the file as one mail if it is
// none. Each mail is a section of the file.
func splitMbox(path string, f io.ReaderAt, size int64, yield func(Source, error) bool) bool {
	in := bufio.NewReaderSize(io.NewSectionReader(f, 0, size), 64<<10)
	var pos, start int64 // start of the mail under way, behind its From line
	var gap int64        // length of the empty line before the current one
	n, fresh := 0, true
	mail := func(from, to int64, last bool) bool {
		name := path
		if n++; n > 1 || !last {
			name = fmt.Sprintf("%s#%d", path, n)
		}
		return yield(Source{name, io.NewSectionReader(f, from, to-from), to - from}, nil)
	}
	mbox := false
	for {
		line, err := in.ReadSlice('\n')
		if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
			return yield(Source{Name: path}, err)
		}
		if fresh && (pos == 0 || mbox && gap > 0) && bytes.HasPrefix(line, []byte("From ")) && mboxLine.Match(line[:min(len(line), 300)]) {
			if mbox && !mail(start, pos-gap, false) {
				return false
			}
			mbox, start = true, pos+int64(len(line))
		}
		if !mbox {
			return mail(0, size, true)
		}
		if len(line) > 0 {
			gap = 0
		}
		if fresh && len(line) > 0 && len(bytes.TrimRight(line, "\r\n")) == 0 {
			gap = int64(len(line))
		}
		pos += int64(len(line))
		fresh = err == nil
		if err == io.EOF {
			return mail(start, max(start, pos-gap), true)
		}
	}
}
