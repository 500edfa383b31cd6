package mailout

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	netmail "net/mail"
	"strings"

	"github.com/wneessen/go-mail"

	"postern/core"
)

// Composer turns letters into mails. It holds the parsed templates, is built
// once and serves any number of goroutines.
type Composer struct {
	files     fs.FS // of the words that come along
	languages map[string]*language
	signers   map[string]*Signer              // by the address that sends
	desks     map[string]map[string]*language // of desks with words of their own: all of them
}

// Sign has all mail from an address signed. It is called before the Composer
// is used.
func (c *Composer) Sign(from string, s *Signer) {
	if c.signers == nil {
		c.signers = map[string]*Signer{}
	}
	c.signers[from] = s
}

// Compose builds the mail: its bytes are what every attempt sends (R58). open
// gives the bytes of a file. An error of open or of reading is returned as
// *FileError: the letter is sound and may be composed later. Any other error
// is a defect, of the letter or of a template.
func (c *Composer) Compose(l core.Letter, open func(blob int64) (io.ReadCloser, error)) ([]byte, error) {
	l = prepared(l)
	subject, body, inHTML, err := c.words(l)
	if err == nil {
		subject, err = c.steady(l, subject)
	}
	if err != nil {
		return nil, err
	}
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := writeHeader(m, l, subject); err != nil {
		return nil, err
	}
	m.SetBodyString(mail.TypeTextPlain, body)
	m.AddAlternativeString(mail.TypeTextHTML, inHTML)
	files := newAttachments(l.Files)
	m.SetAttachments(files.parts())

	var frame bytes.Buffer
	frame.Grow(len(body) + len(inHTML) + len(body)/4 + 2048 + signatureOctets)
	if _, err := m.WriteTo(&frame); err != nil {
		return nil, fmt.Errorf("build the mail: %w", err)
	}
	raw, err := files.fill(frame.Bytes(), open)
	if signer := c.signers[l.From.Address]; err == nil && signer != nil {
		return signer.sign(raw)
	}
	return raw, err
}

// prepared is a letter without what must not be repeated, and of which nothing
// can take the mail apart.
func prepared(l core.Letter) core.Letter {
	l = withheld(l)
	l.Payload = shownPayload(l.Payload)
	l.To.Name, l.From.Name, l.Text, l.Said = shown(l.To.Name), shown(l.From.Name), shownLines(l.Text), shownLines(l.Said)
	return l
}

// withheld takes out of a letter what it must not repeat of the mail that
// caused it (R51): subject, text, names, files. Our own links and words stay.
// It is done here and not in the templates: no wording can undo it.
func withheld(l core.Letter) core.Letter {
	if l.Kind == core.HeldAnswer || l.Kind == core.TooLarge {
		l.Number, l.Case = "", ""
	}
	if !l.Payload.Fixed {
		return l
	}
	p := l.Payload
	l.To.Name, l.Said = "", ""
	if l.Kind != core.Answer { // what a person of the desk wrote is no repetition
		l.Text, l.Texts, l.Files = "", nil, nil
	}
	l.Payload = core.Payload{
		Fixed: true, Desk: p.Desk, Contact: p.Contact,
		Status: p.Status, Means: p.Means, Class: p.Class, Changed: p.Changed, Was: p.Was, From: p.From, GoesOn: p.GoesOn, SplitOf: p.SplitOf,
		Words: p.Words, Links: p.Links, Code: p.Code, When: p.When, Zone: p.Zone,
	}
	if l.Kind == core.News {
		l.Payload.Items = p.Items // what is in it was kept apart one by one
	}
	if l.Kind == core.WordRefused || l.Kind == core.LeftCase {
		l.Payload.Reason = p.Reason // a code, not words
	}
	return l
}

// writeHeader is the one place where header fields are written (R53, R56).
func writeHeader(m *mail.Msg, l core.Letter, subject string) error {
	from, err := headerAddress("From", l.From)
	if err != nil {
		return err
	}
	to, err := headerAddress("To", l.To)
	if err != nil {
		return err
	}
	if to.Address == from.Address && l.Kind != core.ProbeMail {
		return fmt.Errorf("the desk does not write to itself (R52)")
	}
	if err := plain("Subject", subject); err != nil {
		return err
	}
	if !validID(l.MessageID) {
		return fmt.Errorf("%q is no Message-ID", l.MessageID)
	}
	m.FromMailAddress(from)
	m.ToMailAddress(to)
	if l.ReplyTo != "" {
		reply, err := headerAddress("Reply-To", core.Address{Name: l.From.Name, Address: l.ReplyTo})
		if err != nil {
			return err
		}
		m.ReplyToMailAddress(reply)
	}
	m.SetGenHeader(mail.HeaderSubject, tagged(l.Number, unturned(subject)))
	m.SetDateWithValue(l.QueuedAt.UTC())
	m.SetGenHeader(mail.HeaderMessageID, "<"+l.MessageID+">")
	if validID(l.InReplyTo) {
		m.SetGenHeader(mail.HeaderInReplyTo, "<"+l.InReplyTo+">")
	}
	if refs := references(l.References, l.InReplyTo); refs != "" {
		m.SetGenHeader(mail.HeaderReferences, refs)
	}
	if l.Automatic {
		submitted := "auto-generated"
		if l.Replied {
			submitted = "auto-replied"
		}
		m.SetGenHeader("Auto-Submitted", submitted)
		m.SetGenHeader(mail.HeaderXAutoResponseSuppress, "All")
	}
	if err := writeList(m, l); err != nil {
		return err
	}
	if l.Loop != "" {
		if !printable(l.Loop) {
			return fmt.Errorf("%q cannot stand in X-Postern-Loop", l.Loop)
		}
		m.SetGenHeader("X-Postern-Loop", l.Loop)
	}
	return nil
}

// headerAddress makes a mailbox of its parts; go-mail quotes and encodes it.
func headerAddress(field string, a core.Address) (*netmail.Address, error) {
	if err := plain(field, a.Name); err != nil {
		return nil, err
	}
	if err := checkAddress(a.Address); err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return &netmail.Address{Name: strings.TrimSpace(unturned(a.Name)), Address: a.Address}, nil
}
