package demo

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-message/mail"
)

// draft is a mail that somebody is writing.
type draft struct {
	To, Subject, Text string
	InReplyTo         string
	References        []string
	Files             []attachment
}

// reply starts the answer to a mail as a mail client does: to Reply-To, with
// the original quoted below.
func reply(l letter) draft {
	d := draft{To: l.answerTo(), Subject: l.Subject, InReplyTo: l.MessageID, References: slices.Clone(l.References)}
	if !strings.HasPrefix(strings.ToLower(d.Subject), "re:") {
		d.Subject = "Re: " + d.Subject
	}
	if l.MessageID != "" {
		d.References = append(d.References, l.MessageID)
	}
	var b strings.Builder
	when := ""
	if !l.Date.IsZero() {
		when = "On " + l.Date.Local().Format("Mon, 2 Jan 2006 at 15:04") + ", "
	}
	fmt.Fprintf(&b, "\n\n%s%s wrote:\n\n", when, l.From)
	for row := range strings.Lines(strings.TrimSpace(l.Text) + "\n") {
		if strings.HasPrefix(row, ">") {
			b.WriteString(">" + row)
		} else {
			b.WriteString("> " + row)
		}
	}
	d.Text = b.String()
	return d
}

// mailto fills a draft from a link, RFC 6068.
func mailto(link string) (draft, error) {
	u, err := url.Parse(link)
	if err != nil || !strings.EqualFold(u.Scheme, "mailto") {
		return draft{}, errors.New("not a mail link")
	}
	to, err := url.PathUnescape(u.Opaque)
	if err != nil {
		return draft{}, err
	}
	// a plus sign is itself here, not a blank
	q, err := url.ParseQuery(strings.ReplaceAll(u.RawQuery, "+", "%2B"))
	if err != nil {
		return draft{}, err
	}
	return draft{To: to, Subject: q.Get("subject"), Text: q.Get("body")}, nil
}

// longestThread bounds References: old ones say nothing new.
const longestThread = 20

// compose makes the bytes of a draft and says to which addresses it goes. The
// error is a sentence for the writer.
func (d draft) compose(from Person) (raw []byte, to []string, err error) {
	people, err := mail.ParseAddressList(d.To)
	if err != nil || len(people) == 0 {
		return nil, nil, fmt.Errorf("%q is no address to write to: it looks like name@company.example", d.To)
	}
	for _, p := range people {
		to = append(to, p.Address)
	}
	var h mail.Header
	h.SetDate(time.Now())
	h.SetAddressList("From", []*mail.Address{{Name: from.Name, Address: from.Address}})
	h.SetAddressList("To", people)
	h.SetSubject(strings.Join(strings.Fields(d.Subject), " "))
	h.SetMessageID(strings.ToLower(rand.Text()) + "@" + domain(from.Address))
	if id := bare(d.InReplyTo); id != "" {
		h.SetMsgIDList("In-Reply-To", []string{id})
	}
	var thread []string
	for _, ref := range d.References {
		if id := bare(ref); id != "" {
			thread = append(thread, id)
		}
	}
	if len(thread) > longestThread {
		thread = append(thread[:1:1], thread[len(thread)-longestThread+1:]...)
	}
	if len(thread) > 0 {
		h.SetMsgIDList("References", thread)
	}
	raw, err = d.write(h)
	return raw, to, err
}

// bare takes the brackets off a Message-ID; empty if it cannot stand in a
// header.
func bare(id string) string {
	id = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(id), "<"), ">")
	if strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' }) {
		return ""
	}
	return id
}

func (d draft) write(h mail.Header) ([]byte, error) {
	var b bytes.Buffer
	var text mail.InlineHeader
	text.SetContentType("text/plain", map[string]string{"charset": "utf-8"})
	words := strings.ReplaceAll(d.Text, "\r\n", "\n")

	if len(d.Files) == 0 {
		h.SetContentType("text/plain", map[string]string{"charset": "utf-8"})
		w, err := mail.CreateSingleInlineWriter(&b, h)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write([]byte(words)); err != nil {
			return nil, err
		}
		err = w.Close() // writes the last line
		return b.Bytes(), err
	}

	m, err := mail.CreateWriter(&b, h)
	if err != nil {
		return nil, err
	}
	w, err := m.CreateSingleInline(text)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte(words)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	for _, f := range d.Files {
		if err := attach(m, f); err != nil {
			return nil, err
		}
	}
	if err := m.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func attach(m *mail.Writer, f attachment) error {
	var h mail.AttachmentHeader
	h.SetContentType("application/octet-stream", nil)
	h.SetFilename(f.Name)
	w, err := m.CreateAttachment(h)
	if err != nil {
		return err
	}
	if _, err := w.Write(f.Content); err != nil {
		return err
	}
	return w.Close()
}
