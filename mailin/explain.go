package mailin

import (
	"encoding/hex"
	"io"
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

// HeaderOnly reads of a mail what is taken of one that is too large: its header
// block, 256 KiB of it at most (R17).
func HeaderOnly(r io.ReaderAt, size int64) (*io.SectionReader, error) {
	block := make([]byte, min(size, headerBytes))
	n, err := r.ReadAt(block, 0)
	if err == io.EOF {
		err = nil
	}
	if end := headerEnd(block[:n]); end >= 0 {
		n = end
	}
	return io.NewSectionReader(r, 0, int64(n)), err
}

// SignedBy are the domains whose DKIM signatures a mail carries, unchecked.
func SignedBy(r io.ReaderAt, size int64) []string {
	const most = 10
	var domains []string
	for _, f := range headerOf(r, size) {
		if strings.EqualFold(f.Name, "DKIM-Signature") && len(domains) < most {
			domains = append(domains, tag(f.Value, "d"))
		}
	}
	return domains
}
