package demo

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/mail"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-message/textproto"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// maxMailBytes is more than a gateway takes, so that its limit can be met.
const maxMailBytes = 100 << 20

// newSMTPServer receives mail for everybody who has a mailbox here. Who signs
// in as one of them submits, as at a provider: the mail gets the domain's DKIM
// signature. Who does not is a stranger on the internet, and may claim to be
// anybody: such mail is taken as it is.
func newSMTPServer(p *post, signers map[string]*Signer, h *hands, log *slog.Logger) *smtp.Server {
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &delivery{post: p, signers: signers, hands: h, log: log, helo: c.Hostname()}, nil
	}))
	server.Domain = "mx.desk.example"
	server.AllowInsecureAuth = true // loopback
	server.EnableSMTPUTF8 = true
	server.MaxMessageBytes = maxMailBytes
	server.MaxLineLength = 1 << 20 // taken like any odd mail
	server.MaxRecipients = 100
	server.ReadTimeout = 10 * time.Minute
	server.WriteTimeout = time.Minute
	server.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelDebug)
	return server
}

// delivery is one SMTP connection.
type delivery struct {
	post    *post
	signers map[string]*Signer
	hands   *hands
	log     *slog.Logger
	helo    string

	user string // who signed in; empty: nobody
	from string
	to   []recipient
}

type recipient struct {
	address string // as it was given, with its plus tag
	account *account
}

func (d *delivery) AuthMechanisms() []string { return []string{sasl.Plain} }

func (d *delivery) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		user = strings.ToLower(strings.TrimSpace(user))
		a := d.post.accounts[user]
		if a == nil || a.user.Login(user, password) != nil {
			return smtp.ErrAuthFailed
		}
		d.user = user
		return nil
	}), nil
}

func (d *delivery) Mail(from string, _ *smtp.MailOptions) error {
	d.from = from
	return nil
}

func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	a := d.post.account(to)
	if a == nil {
		return &smtp.SMTPError{
			Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1},
			Message: fmt.Sprintf("<%s>: nobody here has this address", to),
		}
	}
	d.to = append(d.to, recipient{to, a})
	return nil
}

func (d *delivery) Data(r io.Reader) error {
	if !d.hands.take(d) {
		return &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "The demo is stopping"}
	}
	from, to := d.from, d.to
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	id, arrived := rand.Text()[:10], time.Now()
	raw = d.sign(raw, id)
	for _, to := range to {
		var top bytes.Buffer
		fmt.Fprintf(&top, "Return-Path: <%s>\r\n", from)
		fmt.Fprintf(&top, "Delivered-To: %s\r\n", to.address)
		fmt.Fprintf(&top, "Received: from %s ([127.0.0.1])\r\n\tby mx.desk.example with %s id %s\r\n\tfor <%s>; %s\r\n",
			hostName(d.helo), d.protocol(), id, to.address, arrived.Format(time.RFC1123Z))
		if _, err := to.account.add(inbox, append(top.Bytes(), raw...), nil, arrived); err != nil {
			d.log.Error("a mail cannot be kept", "source", id, "to", to.address, "err", err)
			return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "The mail cannot be kept now"}
		}
	}
	d.log.Debug("mail delivered", "source", id, "recipients", len(to), "bytes", len(raw))
	return nil
}

// sign adds the signature of the submitter's domain, but only to mail that says
// it is from there.
func (d *delivery) sign(raw []byte, id string) []byte {
	signer := d.signers[domain(d.user)]
	if d.user == "" || signer == nil || fromDomain(raw) != domain(d.user) {
		return raw
	}
	signed, err := signer.Sign(raw)
	if err != nil {
		d.log.Warn("a mail goes unsigned", "source", id, "err", err)
		return raw
	}
	return signed
}

// fromDomain is the domain of a mail's one author, or empty.
func fromDomain(raw []byte) string {
	header, err := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil || len(header.Values("From")) != 1 {
		return ""
	}
	authors, err := mail.ParseAddressList(header.Get("From"))
	if err != nil || len(authors) != 1 {
		return ""
	}
	return domain(authors[0].Address)
}

// protocol is the word of RFC 3848 for the Received field.
func (d *delivery) protocol() string {
	if d.user == "" {
		return "ESMTP"
	}
	return "ESMTPA"
}

// hostName keeps what a host name is made of: a client's greeting goes into a
// header.
func hostName(helo string) string {
	kept := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(".-:[]", r) {
			return r
		}
		return -1
	}, helo)
	if kept == "" {
		return "unknown"
	}
	return kept
}

// Reset comes when a mail's answer has been written.
func (d *delivery) Reset() {
	d.hands.put(d)
	d.from, d.to = "", nil
}

func (d *delivery) Logout() error {
	d.hands.put(d)
	return nil
}

// hands holds the mails in the middle of being delivered, so that a stop can
// wait for them.
type hands struct {
	mu       sync.Mutex
	full     map[*delivery]bool
	stopping bool
	free     chan struct{} // closed when nothing is in hand any more
}

// take is false once the hands have been told to rest.
func (h *hands) take(d *delivery) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopping {
		return false
	}
	if h.full == nil {
		h.full = make(map[*delivery]bool)
	}
	h.full[d] = true
	return true
}

// put may be called for a delivery that holds nothing.
func (h *hands) put(d *delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.full[d] {
		return
	}
	delete(h.full, d)
	if h.stopping && len(h.full) == 0 {
		close(h.free)
	}
}

// rest takes no more mail, waits until none is in hand and says whether that
// came before ctx ended. It is called once.
func (h *hands) rest(ctx context.Context) bool {
	h.mu.Lock()
	h.stopping, h.free = true, make(chan struct{})
	if len(h.full) == 0 {
		close(h.free)
	}
	h.mu.Unlock()
	select {
	case <-h.free:
		return true
	case <-ctx.Done():
		return false
	}
}
