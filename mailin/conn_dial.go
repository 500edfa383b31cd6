package mailin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// Server says where a mailbox is and who reads it.
type Server struct {
	Host           string
	Port           int
	TLS            string // implicit, starttls; none on loopback only (R14)
	CAFile         string // a company's own authority, in PEM
	CertSHA256     string // or the fingerprint of the one certificate that is right, in hex
	User, Password string

	Auth  string      // xoauth2 or oauthbearer, if there is Token
	Token TokenSource // nil: by password

	pace *pace // nil: the usual
}

func (s Server) address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// Dial connects and signs in. Its errors are sentences that say what to check.
// A token that is refused may have been withdrawn: once, another is fetched.
func Dial(ctx context.Context, s Server) (*Conn, error) {
	c, err := s.dial(ctx, "")
	var login *LoginError
	if errors.As(err, &login) && login.refused != "" {
		c, err = s.dial(ctx, login.refused)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.address(), err)
	}
	return c, nil
}

func (s Server) dial(ctx context.Context, refused string) (*Conn, error) {
	limits := usualPace
	if s.pace != nil {
		limits = *s.pace
	}
	token, err := s.token(ctx, refused) // first: a server waits for nobody to sign in
	if err != nil {
		return nil, err
	}
	c, err := s.connect(ctx, limits)
	if err != nil {
		return nil, err
	}
	if err := c.signIn(ctx, s, token); err != nil {
		c.guard.fail(err)
		return nil, err
	}
	return c, nil
}

// connect comes as far as the greeting.
func (s Server) connect(ctx context.Context, limits pace) (*Conn, error) {
	late := fmt.Errorf("no answer in %s: check host, port and firewall", limits.connect)
	ctx, cancel := context.WithTimeoutCause(ctx, limits.connect, late)
	defer cancel()
	settings, err := s.tlsConfig()
	if err != nil {
		return nil, err
	}
	tcp, err := new(net.Dialer).DialContext(ctx, "tcp", s.address())
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	guard := &guardConn{Conn: tcp, idle: 2 * limits.connect, left: talk} // ctx comes first
	defer context.AfterFunc(ctx, func() { guard.fail(context.Cause(ctx)) })()
	wire, err := s.secure(ctx, guard, settings)
	if err == nil {
		c := &Conn{guard: guard, pace: limits, news: make(chan struct{}, 1)}
		if err = c.greet(wire); err == nil {
			return c, nil
		}
	}
	if cause := guard.why(); cause != nil {
		err = cause
	}
	guard.fail(err)
	return nil, s.explain(ctx, err)
}

func (s Server) tlsConfig() (*tls.Config, error) {
	settings := &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12}
	if s.CertSHA256 != "" {
		return settings, pin(settings, s.CertSHA256)
	}
	if s.CAFile == "" {
		return settings, nil
	}
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, fmt.Errorf("ca_file: %w", err)
	}
	if settings.RootCAs, err = x509.SystemCertPool(); err != nil {
		settings.RootCAs = x509.NewCertPool()
	}
	if !settings.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file: no certificate in %s: it must be PEM (-----BEGIN CERTIFICATE-----)", s.CAFile)
	}
	return settings, nil
}

// pin believes one certificate, whoever signed it and whatever name it is for.
func pin(settings *tls.Config, fingerprint string) error {
	want, err := hex.DecodeString(strings.ReplaceAll(fingerprint, ":", ""))
	if err != nil || len(want) != sha256.Size {
		return errors.New("cert_sha256 is no SHA-256 fingerprint: 64 hexadecimal digits")
	}
	settings.InsecureSkipVerify = true // verified here, by the fingerprint
	settings.VerifyConnection = func(c tls.ConnectionState) error {
		got := sha256.Sum256(c.PeerCertificates[0].Raw)
		if subtle.ConstantTimeCompare(got[:], want) != 1 {
			return fmt.Errorf("its certificate is not the one of cert_sha256: if it was renewed there, write %x", got)
		}
		return nil
	}
	return nil
}

// secure returns the connection on which IMAP is spoken.
func (s Server) secure(ctx context.Context, guard *guardConn, settings *tls.Config) (net.Conn, error) {
	switch s.TLS {
	case "implicit":
		wire := tls.Client(guard, settings)
		return wire, wire.HandshakeContext(ctx)
	case "starttls":
		if err := askForTLS(guard); err != nil {
			return nil, err
		}
		wire := tls.Client(guard, settings)
		if err := wire.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		// The library waits for a greeting; the server's was before TLS, so
		// nothing in it counts.
		return &greeted{wire, strings.NewReader("* OK secured\r\n")}, nil
	case "none":
		if host, ok := guard.RemoteAddr().(*net.TCPAddr); !ok || !host.IP.IsLoopback() {
			return nil, errors.New(`tls = "none" is for this machine only: use "implicit" or "starttls"`)
		}
		return guard, nil
	}
	return nil, fmt.Errorf("tls = %q: it is implicit, starttls or none", s.TLS)
}

// greeted gives a greeting before what the server sends.
type greeted struct {
	net.Conn
	greeting *strings.Reader
}

func (g *greeted) Read(p []byte) (int, error) {
	if g.greeting.Len() > 0 {
		return g.greeting.Read(p)
	}
	return g.Conn.Read(p)
}

// askForTLS does the few lines before TLS by itself. The library would take
// what somebody slipped in behind the answer for the server's.
func askForTLS(wire io.ReadWriter) error {
	in := plainLines{wire: wire}
	greeting, err := in.next()
	if err != nil {
		return err
	}
	switch upper := strings.ToUpper(greeting); {
	case strings.HasPrefix(upper, "* PREAUTH"):
		return errPreauth
	case !strings.HasPrefix(upper, "* OK"):
		return fmt.Errorf("the server greets with %q", oneLine(greeting))
	}
	if _, err := io.WriteString(wire, "T0 STARTTLS\r\n"); err != nil {
		return err
	}
	for {
		line, err := in.next()
		if err != nil {
			return err
		}
		upper := strings.ToUpper(line)
		switch {
		case !strings.HasPrefix(upper, "T0 "):
			continue // untagged
		case !strings.HasPrefix(upper, "T0 OK"):
			return fmt.Errorf("the server has no STARTTLS (%q): use tls = \"implicit\" and its port, mostly 993", oneLine(line))
		case len(in.rest) > 0:
			return errSlippedIn
		}
		return nil
	}
}

var (
	errPreauth   = errors.New("the server greets us as somebody who is signed in already (PREAUTH): it is not used")
	errSlippedIn = errors.New("bytes came between the answer to STARTTLS and TLS: somebody may be in between, the server is not used")
)

// plainLines reads the short lines before TLS.
type plainLines struct {
	wire io.Reader
	rest []byte
	read int
}

func (l *plainLines) next() (string, error) {
	for {
		if line, rest, ok := bytes.Cut(l.rest, []byte("\r\n")); ok {
			l.rest = rest
			return string(line), nil
		}
		if l.read > 64<<10 {
			return "", errors.New("the server talks without end before TLS")
		}
		buffer := make([]byte, 4096)
		n, err := l.wire.Read(buffer)
		l.rest, l.read = append(l.rest, buffer[:n]...), l.read+n
		if err != nil && n == 0 {
			return "", err
		}
	}
}

// greet starts the library and waits for the greeting.
func (c *Conn) greet(wire net.Conn) error {
	c.client = imapclient.New(wire, &imapclient.Options{
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{
			// no command in here: it would wait for itself
			Mailbox: func(data *imapclient.UnilateralDataMailbox) {
				if data.NumMessages != nil {
					select {
					case c.news <- struct{}{}:
					default:
					}
				}
			},
		},
	})
	if err := c.client.WaitGreeting(); err != nil {
		return err
	}
	if c.client.State() != imap.ConnStateNotAuthenticated {
		return errPreauth
	}
	return nil
}
