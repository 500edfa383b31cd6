package mailout

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"
)

// fault is what goes wrong in one transaction.
type fault string

const (
	fine          fault = ""
	mail421       fault = "421 to MAIL"
	mail432       fault = "4.3.2 to MAIL"
	mail4         fault = "451 to MAIL"
	mail5         fault = "550 to MAIL"
	mail530       fault = "530 to MAIL"
	mailDrop      fault = "drop at MAIL"
	rcpt4         fault = "450 to RCPT"
	rcpt47        fault = "4.7.1 to RCPT"
	rcpt5         fault = "550 to RCPT"
	rcptDrop      fault = "drop at RCPT"
	midDrop       fault = "drop in the middle of DATA"
	mid5          fault = "552 in the middle of DATA, then hang up"
	dot4          fault = "451 to the dot"
	dot5          fault = "554 to the dot"
	dot5760       fault = "5.7.60 to the dot"
	dotDropKept   fault = "no answer to the dot, delivered"
	dotDropLost   fault = "no answer to the dot, not delivered"
	dotSilentKept fault = "silence after the dot, delivered"
)

var allFaults = []fault{fine, fine, fine, mail421, mail432, mail4, mail5, mailDrop, rcpt4, rcpt47, rcpt5, rcptDrop,
	midDrop, mid5, dot4, dot5, dot5760, dotDropKept, dotDropLost}

// arrived is one mail that the server took.
type arrived struct{ from, to, raw string }

// sink is an SMTP server that fails on cue and keeps what it takes.
type sink struct {
	*gosmtp.Server
	port int

	mu      sync.Mutex
	faults  []fault               // of the transactions to come
	faultOf func(to string) fault // instead, by recipient
	mails   map[string][]arrived  // by Message-ID
	conns   map[*gosmtp.Conn]bool // ever opened
	open    int
	halves  int           // mails that broke off
	hold    chan struct{} // the answer to the dot waits for it, if not nil
	atDot   chan struct{} // told when a mail has come whole
	user    string
}

func newSink(t testing.TB, options ...func(*gosmtp.Server, net.Listener) net.Listener) *sink {
	t.Helper()
	k, stop := bareSink(options...)
	t.Cleanup(stop)
	return k
}

// bareSink is a sink that whoever starts it also stops.
func bareSink(options ...func(*gosmtp.Server, net.Listener) net.Listener) (k *sink, stop func()) {
	k = &sink{mails: map[string][]arrived{}, conns: map[*gosmtp.Conn]bool{}, atDot: make(chan struct{}, 1000)}
	k.Server = gosmtp.NewServer(k)
	k.Domain, k.AllowInsecureAuth, k.EnableSMTPUTF8 = "localhost", true, true
	k.ErrorLog = log.New(io.Discard, "", 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	k.port = l.Addr().(*net.TCPAddr).Port
	for _, o := range options {
		l = o(k.Server, l)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = k.Serve(l) }()
	return k, func() { k.Close(); <-done }
}

func (k *sink) server() Server {
	return Server{Host: "127.0.0.1", Port: k.port, TLS: NoTLS, HELO: "postern.example"}
}

func (k *sink) fail(faults ...fault) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.faults = faults
}

// taken is how often the mail of letter n was taken.
func (k *sink) taken(n int64) []arrived {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.mails["<"+letterNo(n).MessageID+">"]
}

func (k *sink) total() (mails, conns int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, m := range k.mails {
		mails += len(m)
	}
	return mails, len(k.conns)
}

func (k *sink) NewSession(c *gosmtp.Conn) (gosmtp.Session, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.conns[c] = true
	k.open++
	return &session{k: k, c: c}, nil
}

type session struct {
	k        *sink
	c        *gosmtp.Conn
	fault    fault
	from, to string
}

func (s *session) AuthMechanisms() []string { return []string{"LOGIN", "PLAIN"} }
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if password != "right" {
			return gosmtp.ErrAuthFailed
		}
		s.k.mu.Lock()
		defer s.k.mu.Unlock()
		s.k.user = user
		return nil
	}), nil
}

func says(code int, a, b, c int, words string) error {
	return &gosmtp.SMTPError{Code: code, EnhancedCode: gosmtp.EnhancedCode{a, b, c}, Message: words}
}

func (s *session) drop() error {
	s.c.Conn().Close()
	return errors.New("dropped on cue")
}

func (s *session) Mail(from string, _ *gosmtp.MailOptions) error {
	s.from, s.fault = from, fine
	s.k.mu.Lock()
	if len(s.k.faults) > 0 {
		s.fault = s.k.faults[0]
		s.k.faults = s.k.faults[1:]
	}
	s.k.mu.Unlock()
	switch s.fault {
	case mail421:
		return says(421, 4, 7, 0, "too many connections")
	case mail432:
		return says(453, 4, 3, 2, "system not accepting messages")
	case mail4:
		return says(451, 4, 3, 0, "try later")
	case mail5:
		return says(550, 5, 7, 1, "sender rejected")
	case mail530:
		return says(530, 5, 7, 0, "authentication required")
	case mailDrop:
		return s.drop()
	}
	return nil
}

func (s *session) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	s.to = to
	if s.k.faultOf != nil {
		s.fault = s.k.faultOf(to)
	}
	switch s.fault {
	case rcpt4:
		return says(450, 4, 2, 1, "mailbox busy")
	case rcpt47:
		return says(451, 4, 7, 1, "greylisted")
	case rcpt5:
		return says(550, 5, 1, 1, "no such user")
	case rcptDrop:
		return s.drop()
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	switch s.fault {
	case midDrop:
		_, _ = io.ReadFull(r, make([]byte, 100))
		return s.drop()
	case mid5:
		_, _ = io.ReadFull(r, make([]byte, 100))
		_, _ = io.WriteString(s.c.Conn(), "552 5.3.4 too large for us\r\n")
		if tcp, ok := s.c.Conn().(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
		time.Sleep(5 * time.Millisecond)
		return s.drop()
	}
	raw, err := io.ReadAll(r)
	if err != nil {
		s.k.mu.Lock()
		s.k.halves++
		s.k.mu.Unlock()
		return err
	}
	select {
	case s.k.atDot <- struct{}{}:
	default:
	}
	s.k.mu.Lock()
	hold := s.k.hold
	s.k.mu.Unlock()
	if hold != nil {
		<-hold
	}
	switch s.fault {
	case dot4:
		return says(451, 4, 3, 0, "try later")
	case dot5:
		return says(554, 5, 6, 0, "not that")
	case dot5760:
		return says(550, 5, 7, 60, "client does not have permissions to send as this sender")
	case dotDropLost:
		return s.drop()
	}
	m, err := netmail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		return says(554, 5, 6, 0, err.Error())
	}
	id := m.Header.Get("Message-Id")
	s.k.mu.Lock()
	s.k.mails[id] = append(s.k.mails[id], arrived{s.from, s.to, string(raw)})
	s.k.mu.Unlock()
	if s.fault == dotDropKept {
		return s.drop()
	}
	return nil
}

func (s *session) Reset() {}
func (s *session) Logout() error {
	s.k.mu.Lock()
	defer s.k.mu.Unlock()
	s.k.open--
	return nil
}

// authority is a company's own one.
type authority struct {
	file string // its certificate, PEM
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Example's own authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	a := authority{file: filepath.Join(t.TempDir(), "ca.pem"), key: key}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// certificate is one for a server, and its fingerprint.
func (a authority) certificate(t testing.TB, names []string, ips ...net.IP) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: names, IPAddresses: ips,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, hex.EncodeToString(sum[:])
}

func withSTARTTLS(cert tls.Certificate) func(*gosmtp.Server, net.Listener) net.Listener {
	return func(s *gosmtp.Server, l net.Listener) net.Listener {
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
		return l
	}
}

func withTLS(cert tls.Certificate) func(*gosmtp.Server, net.Listener) net.Listener {
	return func(_ *gosmtp.Server, l net.Listener) net.Listener {
		return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}})
	}
}
