package mailin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"

	"golang.org/x/net/publicsuffix"

	"postern/core"
	"postern/mailin/mime"
	"postern/mailin/quote"
)

// Parse reads a mail with the limits l: facts only, nothing is decided here.
// What is odd in it stands in Flaws.
func Parse(r io.ReaderAt, size int64, l mime.Limits) core.Mail {
	m, _ := ParseContext(context.Background(), r, size, l)
	return m
}

// ParseContext is Parse that says when a mail is for quarantine (R17):
// mime.ErrTooSlow after l.Time or when ctx ends, mime.ErrHeaderTooLarge. Any
// other error is one of the reader and says nothing about the mail: it is to
// be read again. Beside an error stands what was understood until then.
func ParseContext(ctx context.Context, r io.ReaderAt, size int64, l mime.Limits) (core.Mail, error) {
	read := mime.ReadContext(ctx, r, size, l)
	h := read.Header
	m := core.Mail{
		Size:       size,
		From:       addresses(h, "From", 10),
		ReplyTo:    addresses(h, "Reply-To", 10),
		Original:   addresses(h, "X-Original-From", 10),
		To:         addresses(h, "To", l.Addresses),
		Cc:         addresses(h, "Cc", l.Addresses),
		Subject:    h.Text("Subject", l.SubjectRunes),
		Date:       h.Date(),
		MessageID:  mime.MessageID(h.First("Message-ID")),
		InReplyTo:  mime.MessageIDs(h.First("In-Reply-To")),
		References: mime.MessageIDs(h.First("References")),
		Marks:      marks(read),
		Report:     report(read.Report),
		Trusted:    trusted(h),
		Text:       read.Text,
		HTML:       read.HTML,
		Files:      files(read.Files),
		Flaws:      read.Flaws,
	}
	m.Delivered = delivered(h)
	if len(m.From) > 0 {
		m.FromOrg = organisation(m.From[0].Domain())
	}
	m.Reply, m.Rest = quote.Cut(m.Text)
	if m.Report == nil && m.Marks.ReportType == "" { // a report gives a mail back, it forwards none
		m.Forwarded = forwarded(read)
	}
	var err error
	m.Hash, m.Gist, err = contentHashes(r, read.BodyAt, size, h)
	if read.Err != nil {
		err = read.Err
	}
	return m, err
}

func addresses(h mime.Header, name string, most int) []core.Address {
	var all []core.Address
	for _, a := range h.Addresses(name, most) {
		all = append(all, core.Address{Name: a.Name, Address: a.Address})
	}
	return all
}

// delivered are the addresses of the topmost Delivered-To and X-Original-To:
// lower ones may come from outside.
func delivered(h mime.Header) []string {
	var all []string
	for _, name := range []string{"Delivered-To", "X-Original-To"} {
		for _, a := range mime.ParseAddresses(h.First(name), 1) {
			all = append(all, a.Address)
		}
	}
	return all
}

func marks(read *mime.Message) core.Marks {
	h := read.Header
	m := core.Marks{
		AutoSubmitted: autoSubmitted(h),
		Precedence:    h.Token("Precedence"),
		Suppress:      h.Text("X-Auto-Response-Suppress", 200),
		AutoReply:     h.Has("X-Autoreply") || h.Has("X-Autorespond"),
		InboxRules:    h.Has("X-MS-Exchange-Inbox-Rules-Loop"),
		ListID:        strings.ToLower(h.Text("List-Id", 250)),
		List:          h.Has("List-Id") || h.Has("List-Post") || h.Has("List-Unsubscribe"),
		ReportType:    read.ReportType,
		Loop:          h.Text("X-Postern-Loop", 200),
		Spam:          h.Token("X-Spam-Flag") == "yes" || strings.HasPrefix(h.Token("X-Spam-Status"), "yes"),
		Received:      len(h.All("Received")),
	}
	m.ReturnPath, m.Daemon = returnPath(h), daemon(h)
	return m
}

func report(r *mime.Report) *core.Report {
	if r == nil {
		return nil
	}
	out := &core.Report{ReturnedID: r.ReturnedID}
	for _, to := range r.Recipients {
		out.Recipients = append(out.Recipients, core.ReportRecipient(to))
	}
	return out
}

// autoSubmitted is the topmost Auto-Submitted that says something: a second
// field may say what the first one, "no", does not.
func autoSubmitted(h mime.Header) string {
	said := ""
	for _, v := range h.Tokens("Auto-Submitted") {
		if said == "" || said == "no" {
			said = v
		}
	}
	return said
}

// borderFields are what the borders' rules read (R32).
var borderFields = []string{
	"Authentication-Results", "X-MS-Exchange-Organization-AuthAs", "X-MS-Exchange-Organization-SCL",
	"X-MS-Exchange-CrossTenant-AuthAs", "X-MS-Exchange-Organization-MessageDirectionality",
}

// trusted lists the fields a border may have written, as they stand, topmost
// first. Whether any is believed is core's decision.
func trusted(h mime.Header) []core.AuthField {
	const most = 50
	var all []core.AuthField
	for _, f := range h {
		for _, name := range borderFields {
			if strings.EqualFold(f.Name, name) && len(all) < most {
				all = append(all, core.AuthField{Name: name, Value: f.Value})
			}
		}
	}
	return all
}

func files(in []mime.File) []core.File {
	var all []core.File
	for _, f := range in {
		all = append(all, core.File(f))
	}
	return all
}

// organisation is the organisational domain by the public suffix list, "" if
// there is none.
func organisation(domain string) string {
	org, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return ""
	}
	return org
}

// forwarded lists the mails this one forwards: attached ones in their order,
// else the ones in its text, outermost first.
func forwarded(read *mime.Message) []core.Quote {
	const most = 5
	var all []core.Quote
	for _, n := range read.Nested {
		q := core.Quote{Date: n.Date, Subject: n.Subject, Text: n.Text}
		if len(n.From) == 1 {
			q.From = core.Address(n.From[0])
		}
		if len(all) == 0 {
			q.Above = read.Text
		}
		all = append(all, q)
	}
	text, subject := read.Text, read.Header.Text("Subject", 250)
	for len(all) < most && len(read.Nested) == 0 {
		above, q, ok := quote.Forwarded(text)
		if !ok || !q.IsForward(subject) {
			break
		}
		subject = q.Subject
		f := core.Quote{Above: above, Date: mime.Clean(q.Date, 100), Subject: mime.Clean(q.Subject, 250), Text: q.Text}
		if from := mime.ParseAddresses(q.From, 2); len(from) == 1 {
			f.From = core.Address(from[0])
		} else {
			f.From.Name = mime.Clean(q.From, 100)
		}
		all = append(all, f)
		text = q.Text
	}
	return all
}

// contentHashes are the content hash of R5, and one that no change of spaces
// alters. Each decoded field ends with CRLF, so that no text can move from one
// into the next.
func contentHashes(r io.ReaderAt, bodyAt, size int64, h mime.Header) (content, gist [32]byte, err error) {
	sum, rough := sha256.New(), sha256.New()
	for _, name := range []string{"From", "Date", "Subject"} {
		text := h.Text(name, 0)
		fmt.Fprintf(sum, "%s\r\n", text)
		fmt.Fprintf(rough, "%s\r\n", strings.Join(strings.Fields(text), ""))
	}
	body := &lineEnds{w: sum}
	_, err = io.CopyBuffer(io.MultiWriter(body, &spaceless{w: rough}), io.NewSectionReader(r, bodyAt, size-bodyAt), make([]byte, 32<<10))
	body.flush()
	if err != nil {
		err = fmt.Errorf("read mail: %w", err)
	}
	return [32]byte(sum.Sum(nil)), [32]byte(rough.Sum(nil)), err
}

// spaceless hands octets on without blanks, tabs and line ends: what relaxed
// canonicalization may alter or leave out (RFC 6376 section 3.4.4).
type spaceless struct {
	w   io.Writer
	buf []byte
}

func (s *spaceless) Write(p []byte) (int, error) {
	s.buf = s.buf[:0]
	for _, c := range p {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			s.buf = append(s.buf, c)
		}
	}
	if _, err := s.w.Write(s.buf); err != nil {
		return 0, err
	}
	return len(p), nil
}

// lineEnds hands octets on with every line end (CRLF, LF, CR) as CRLF and
// without those at the end.
type lineEnds struct {
	w    io.Writer
	ends int  // line ends not handed on yet
	cr   bool // the last octet was a CR
	buf  bytes.Buffer
}

func (l *lineEnds) Write(p []byte) (int, error) {
	l.buf.Reset()
	for rest := p; len(rest) > 0; {
		if l.cr {
			l.cr = false
			if rest[0] == '\n' {
				rest = rest[1:]
				continue
			}
		}
		i := bytes.IndexAny(rest, "\r\n")
		if i < 0 {
			i = len(rest)
		}
		if i > 0 {
			l.hand()
			l.buf.Write(rest[:i])
		}
		if i < len(rest) {
			l.ends++
			l.cr = rest[i] == '\r'
			i++
		}
		rest = rest[i:]
	}
	if _, err := l.w.Write(l.buf.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// hand gives out the line ends that turned out not to be the last ones.
func (l *lineEnds) hand() {
	const many = 1024
	for ; l.ends > 0; l.ends-- {
		l.buf.WriteString("\r\n")
		if l.buf.Len() > many {
			l.w.Write(l.buf.Bytes()) // a hash's Write never fails
			l.buf.Reset()
		}
	}
}

func (l *lineEnds) flush() { l.ends = 0 }
