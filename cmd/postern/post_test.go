package main

import (
	"fmt"
	"io"
	"net"
	"net/mail"
	"net/smtp"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	gosmtp "github.com/emersion/go-smtp"

	"postern/core"
	"postern/core/coretest"
	"postern/mailin"
	"postern/mailin/mime"
)

// town is a desk among people who have nothing but a mail client: everybody's
// mailbox is on a real Dovecot, and what they send goes through a real SMTP
// server that signs for them, as their providers do.
type town struct {
	*desk
	dovecot *coretest.Dovecot
	smtp    string // where people hand in their mail
	n       atomic.Int64
}

// newTown is newDesk with everybody's mailboxes around it. change may change the
// desk file.
func newTown(t *testing.T, change func(file string) string) *town {
	t.Helper()
	w := &town{dovecot: coretest.StartDovecot(t, coretest.DovecotOptions{})}
	w.desk = newDesk(t, func(t *testing.T) account {
		a := account{t: t, addr: w.dovecot.Addr(), password: "any"}
		a.list() // makes the folders
		a.put = func(raw []byte) { w.deliver(service, raw) }
		return a
	})
	if change != nil {
		w.use(change)
	}
	w.sink.others = func(l letter) { w.deliver(l.To[0].Address, l.raw) }
	office := gosmtp.NewServer(gosmtp.BackendFunc(func(*gosmtp.Conn) (gosmtp.Session, error) { return &handedIn{town: w}, nil }))
	office.Domain = "out.example"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.smtp = l.Addr().String()
	var ended sync.WaitGroup
	ended.Go(func() { office.Serve(l) })
	t.Cleanup(func() {
		office.Close()
		ended.Wait()
	})
	w.sink.listen(t)
	return w
}

// use makes a changed copy of the desk file the desk's own.
func (w *town) use(change func(string) string) {
	w.t.Helper()
	file := filepath.Join(filepath.Dir(w.config), "desk.toml")
	if err := os.WriteFile(file, []byte(change(string(coretest.DefaultDesk(w.t)))), 0o600); err != nil {
		w.t.Fatal(err)
	}
	settings, err := os.ReadFile(w.config)
	if err == nil {
		err = os.WriteFile(w.config, []byte(strings.Replace(string(settings), `file = "default.toml"`, fmt.Sprintf("file = %q", file), 1)), 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	typedOK(w.t, w.config, "desk", "apply", file)
}

// deliver puts a mail into somebody's Maildir, as a local delivery agent does.
func (w *town) deliver(to string, raw []byte) {
	dir := w.dovecot.MailDir(to)
	name := fmt.Sprintf("%d.%06d.here", time.Now().Unix(), w.n.Add(1))
	half := filepath.Join(dir, "tmp", name)
	err := os.WriteFile(half, raw, 0o644)
	if err == nil {
		err = os.Rename(half, filepath.Join(dir, "new", name))
	}
	if err != nil {
		w.t.Errorf("deliver to %s: %v", to, err)
	}
}

// handedIn is one mail on its way out of a person's mail client.
type handedIn struct {
	*town
	from string
	to   []string
}

func (h *handedIn) Mail(from string, _ *gosmtp.MailOptions) error { h.from = from; return nil }
func (h *handedIn) Rcpt(to string, _ *gosmtp.RcptOptions) error   { h.to = append(h.to, to); return nil }
func (h *handedIn) Reset()                                        { h.from, h.to = "", nil }
func (h *handedIn) Logout() error                                 { return nil }

func (h *handedIn) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	signed, err := h.signer[strings.SplitN(h.from, "@", 2)[1]].Sign(raw)
	if err != nil {
		return err
	}
	for _, to := range h.to {
		trace := fmt.Appendf(nil, "Return-Path: <%s>\r\nDelivered-To: %s\r\n", h.from, to)
		if local, _, _ := strings.Cut(to, "@"); local == "support" || strings.HasPrefix(local, "support+") {
			to = service
		}
		h.deliver(to, append(trace, signed...))
	}
	return nil
}

// resident is somebody with a mail client.
type resident struct {
	*town
	name, address string
	box           *imapclient.Client
	mu            *sync.Mutex
}

// lives gives somebody a mailbox.
func (w *town) lives(name, address string) resident {
	w.t.Helper()
	c, err := imapclient.DialInsecure(w.dovecot.Addr(), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	if err := c.Login(address, "any").Wait(); err != nil {
		w.t.Fatal(err)
	}
	if _, err := c.Select("INBOX", nil).Wait(); err != nil { // makes the folders
		w.t.Fatal(err)
	}
	return resident{w, name, address, c, &sync.Mutex{}}
}

// inbox is all their mail, newest first.
func (p resident) inbox() []core.Mail {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.box.Noop().Wait(); err != nil {
		p.t.Fatal(err)
	}
	n := p.box.Mailbox().NumMessages
	if n == 0 {
		return nil
	}
	var all imap.SeqSet
	all.AddRange(1, n)
	found, err := p.box.Fetch(all, &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{{}}}).Collect()
	if err != nil {
		p.t.Fatal(err)
	}
	var mails []core.Mail
	for _, m := range found {
		raw := string(m.BodySection[0].Bytes)
		mails = append(mails, mailin.Parse(strings.NewReader(raw), int64(len(raw)), mime.DefaultLimits))
	}
	slices.Reverse(mails)
	return mails
}

// reads waits for a mail whose subject and text hold all these words.
func (p resident) reads(words ...string) core.Mail {
	p.t.Helper()
	var found core.Mail
	var have []string
	defer func() {
		if found.MessageID == "" {
			p.t.Logf("%s has:\n%s", p.name, strings.Join(have, "\n======\n"))
		}
	}()
	by(p.t, soon, fmt.Sprintf("a mail to %s with %q", p.name, words), func() bool {
		have = nil
		for _, m := range p.inbox() {
			all := m.Subject + "\n" + m.Text
			have = append(have, all)
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(all, w) }) {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// writes sends a new mail. More fields are whole lines; Cc people get it too.
func (p resident) writes(to, subject, text string, more ...string) {
	p.t.Helper()
	raw := mailOf(fmt.Sprintf("%s <%s>", p.name, p.address), subject, text, append([]string{"To: " + to}, more...)...)
	people, err := mail.ParseAddressList(to)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, field := range more {
		if list, is := strings.CutPrefix(field, "Cc: "); is {
			copied, err := mail.ParseAddressList(list)
			if err != nil {
				p.t.Fatal(err)
			}
			people = append(people, copied...)
		}
	}
	var envelope []string
	for _, a := range people {
		envelope = append(envelope, a.Address)
	}
	if err := smtp.SendMail(p.smtp, nil, p.address, envelope, []byte(raw)); err != nil {
		p.t.Fatal(err)
	}
}

// answers replies as mail clients do: to Reply-To, with the mail quoted below.
func (p resident) answers(m core.Mail, text string, more ...string) {
	p.t.Helper()
	p.answersTo(answerTo(m), m, text, more...)
}

// answersTo is an answer to another address that the mail names.
func (p resident) answersTo(to string, m core.Mail, text string, more ...string) {
	p.t.Helper()
	var quoted strings.Builder
	for line := range strings.Lines(m.Text) {
		quoted.WriteString("> " + line)
	}
	subject := m.Subject
	if !strings.HasPrefix(subject, "Re: ") {
		subject = "Re: " + subject
	}
	p.writes(to, subject, text+"\n\nOn Tuesday, "+m.From[0].Address+" wrote:\n"+quoted.String(), append([]string{
		"In-Reply-To: <" + m.MessageID + ">",
		"References: <" + strings.Join(append(slices.Clone(m.References), m.MessageID), "> <") + ">",
	}, more...)...)
}

func answerTo(m core.Mail) string {
	if len(m.ReplyTo) > 0 {
		return m.ReplyTo[0].Address
	}
	return m.From[0].Address
}

// internalOf is the address for notes that a notice names.
func internalOf(t *testing.T, m core.Mail) string {
	t.Helper()
	for _, found := range regexp.MustCompile(`support\+[a-z2-7]{20}@desk\.example`).FindAllString(m.Text, -1) {
		if found != answerTo(m) {
			return found
		}
	}
	t.Fatalf("no second address in:\n%s", m.Text)
	return ""
}

// presses sends the mail that a link in m writes (RFC 6068), as it stands. The
// link is the one whose written mail holds the words.
func (p resident) presses(m core.Mail, words string) {
	p.t.Helper()
	for _, found := range regexp.MustCompile(`mailto:[^\s<>"]+`).FindAllString(m.Text, -1) {
		link, err := url.Parse(found)
		if err != nil {
			p.t.Fatalf("%s: %v", found, err)
		}
		to, err := url.PathUnescape(link.Opaque)
		if err != nil {
			p.t.Fatalf("%s: %v", found, err)
		}
		fields := map[string]string{}
		for field := range strings.SplitSeq(link.RawQuery, "&") {
			name, value, _ := strings.Cut(field, "=")
			if fields[name], err = url.PathUnescape(value); err != nil { // a plus is a plus here
				p.t.Fatalf("%s: %v", found, err)
			}
		}
		if strings.Contains(fields["subject"]+"\n"+fields["body"], words) {
			p.writes(to, fields["subject"], fields["body"])
			return
		}
	}
	p.t.Fatalf("no link writes %q in:\n%s", words, m.Text)
}
