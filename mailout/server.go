package mailout

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// How a connection is encrypted (R14). There is no way to switch the check of
// certificates off.
const (
	StartTLS = "starttls" // required: a server without it is not used
	Implicit = "implicit"
	NoTLS    = "none" // to loopback only
)

// Server is the one SMTP server mail is sent through.
type Server struct {
	Host           string
	Port           int
	TLS            string // StartTLS, Implicit or NoTLS; empty: StartTLS
	CAFile         string // PEM file of a company's own authority, beside the system's
	CertSHA256     string // or the fingerprint of the one certificate that is right, in hex
	User, Password string // both empty: no login
	HELO           string // the name we introduce ourselves by; empty: the machine's

	Auth  string      // "xoauth2" or "oauthbearer", if there is Token
	Token TokenSource // nil: by password
}

// TokenSource gives the token to log in with by OAuth. refused is one that the
// server did not take, so that it is not given again; "" at first.
type TokenSource func(ctx context.Context, refused string) (string, error)

// Address is host:port.
func (s Server) Address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// ServerError says in a sentence what keeps us from using the server.
type ServerError struct {
	Server string // host:port
	Says   string // what is wrong and, where we know it, what would help
	Config bool   // it stays so until a person changes a setting, here or there
	Err    error
}

func (e *ServerError) Error() string {
	if e.Err == nil {
		return e.Server + ": " + e.Says
	}
	return e.Server + ": " + e.Says + ": " + oneLine(e.Err.Error())
}
func (e *ServerError) Unwrap() error { return e.Err }

// Check connects, encrypts, logs in and takes its leave: whether mail could be
// sent now. Its error is a sentence for the operator.
func Check(ctx context.Context, s Server) error {
	t, err := tlsConfig(s)
	if err != nil {
		return err
	}
	c, err := dial(ctx, s, t, defaultLimits)
	if err != nil {
		return err
	}
	c.quit()
	return nil
}

// tlsConfig reads what is needed to know the server's certificate.
func tlsConfig(s Server) (*tls.Config, error) {
	refuse := func(says string, err error) (*tls.Config, error) {
		return nil, &ServerError{Server: s.Address(), Says: says, Config: true, Err: err}
	}
	switch s.TLS {
	case "", StartTLS, Implicit:
	case NoTLS:
		return nil, nil
	default:
		return refuse(fmt.Sprintf("tls = %q: use %q, %q or, on this machine, %q", s.TLS, StartTLS, Implicit, NoTLS), nil)
	}
	t := &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12}
	if s.CAFile != "" {
		pem, err := os.ReadFile(s.CAFile)
		if err != nil {
			return refuse("the file of ca_file cannot be read", err)
		}
		if t.RootCAs, err = x509.SystemCertPool(); err != nil {
			t.RootCAs = x509.NewCertPool()
		}
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return refuse("the file of ca_file holds no certificate in PEM form: "+s.CAFile, nil)
		}
	}
	if s.CertSHA256 != "" {
		want, err := hex.DecodeString(strings.ReplaceAll(s.CertSHA256, ":", ""))
		if err != nil || len(want) != sha256.Size {
			return refuse("cert_sha256 is no SHA-256 fingerprint: 64 hexadecimal digits", nil)
		}
		t.InsecureSkipVerify = true // verified below, by the one fingerprint
		t.VerifyConnection = func(c tls.ConnectionState) error {
			got := sha256.Sum256(c.PeerCertificates[0].Raw)
			if subtle.ConstantTimeCompare(got[:], want) != 1 {
				return errWrongPin
			}
			return nil
		}
	}
	return t, nil
}

var errWrongPin = errors.New("the certificate is not the one of cert_sha256")

// connection is one kept SMTP connection. It serves one mail after another.
type connection struct {
	*smtp.Client
	wire   *wire
	unhook func() bool // from what would cut it, nil if nothing would
}

// dial connects to s, encrypts and logs in. A token that is refused may have
// been withdrawn: once, another is fetched.
func dial(ctx context.Context, s Server, t *tls.Config, limits limits) (*connection, error) {
	if s.Token == nil {
		return dialWith(ctx, s, t, limits, "")
	}
	token, err := s.Token(ctx, "")
	if err != nil {
		return nil, tokenTrouble(s, err)
	}
	c, err := dialWith(ctx, s, t, limits, token)
	if !errors.Is(err, errLogin) {
		return c, err
	}
	other, trouble := s.Token(ctx, token)
	if trouble != nil {
		return nil, tokenTrouble(s, trouble)
	}
	return dialWith(ctx, s, t, limits, other)
}

// dialWith is dial with one token, all within the limits.
func dialWith(ctx context.Context, s Server, t *tls.Config, limits limits, token string) (c *connection, err error) {
	fail := func(says string, err error) (*connection, error) {
		return nil, serverError(s, says, err)
	}
	ctx, cancel := context.WithTimeout(ctx, limits.connect)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Address())
	if err != nil {
		return fail("no connection", err)
	}
	if t == nil && !isLoopback(raw.RemoteAddr()) {
		raw.Close()
		return fail(`tls = "none" is for a server on this machine only: use "starttls" or "implicit"`, errConfig)
	}
	w := &wire{Conn: raw}
	w.limit(limits.greet)
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer func() {
		if !stop() && err == nil {
			err = serverError(s, "no connection", context.Cause(ctx))
		}
		if err != nil {
			raw.Close()
		}
	}()

	var line net.Conn = w
	if s.TLS == Implicit {
		secure := tls.Client(w, t)
		if err := secure.HandshakeContext(ctx); err != nil {
			return fail("no encryption", err)
		}
		line = secure
	}
	client, err := smtp.NewClient(line, s.Host)
	if err != nil {
		return fail("no greeting", err)
	}
	if err := client.Hello(s.helo()); err != nil {
		return fail("it does not take our EHLO "+s.helo(), err)
	}
	if t != nil && s.TLS != Implicit {
		if offered, _ := client.Extension("STARTTLS"); !offered {
			return fail(`it offers no STARTTLS: try tls = "implicit" with port 465; mail is not sent in clear`, errConfig)
		}
		w.expectHandshake()
		if err := client.StartTLS(t); err != nil {
			return fail("no encryption", err)
		}
	}
	if s.User != "" || s.Password != "" {
		if offered, _ := client.Extension("AUTH"); !offered {
			return fail("it offers no login: is this its port for sending mail (587 or 465)?", errConfig)
		}
		if err := client.Auth(&login{server: s, token: token, loopback: t == nil}); err != nil {
			var answer *textproto.Error
			if errors.As(err, &answer) && answer.Code/100 == 5 {
				err = fmt.Errorf("%w: %w", errLogin, err)
			}
			return fail("the login of "+s.User+" is refused", err)
		}
	}
	return &connection{Client: client, wire: w}, nil
}

func (s Server) helo() string {
	if s.HELO != "" {
		return s.HELO
	}
	if name, err := os.Hostname(); err == nil && name != "" && printable(name) && !strings.Contains(name, " ") {
		return name
	}
	return "localhost"
}

func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// quit ends a connection on which no mail is under way.
func (c *connection) quit() {
	c.wire.limit(5 * time.Second)
	_ = c.Quit() // the server may have gone before us
	c.cut()
}

// cut ends a connection where it stands. A mail under way is not delivered:
// any further command, even QUIT, would end it and let it go (RFC 5321 §4.1.1.4).
func (c *connection) cut() {
	c.wire.Close()
	if c.unhook != nil {
		c.unhook()
	}
}

// login picks the strongest way in that needs no more than user and password.
type login struct {
	server   Server
	token    string
	loopback bool // the connection is not encrypted, and never leaves this machine
	smtp.Auth
}

func (l *login) Start(server *smtp.ServerInfo) (string, []byte, error) {
	s := l.server
	offers := map[string]bool{}
	for _, m := range server.Auth {
		offers[strings.ToUpper(m)] = true
	}
	switch {
	case s.Token != nil && !offers[strings.ToUpper(s.Auth)]:
		return "", nil, fmt.Errorf("it does not offer %s, only %s: %w", strings.ToUpper(s.Auth), strings.Join(server.Auth, ", "), errConfig)
	case s.Token != nil && s.Auth == "oauthbearer":
		l.Auth = oauthBearer{s, l.token}
	case s.Token != nil:
		l.Auth = smtp.XOAuth2Auth(s.User, l.token)
	case offers["SCRAM-SHA-256"]:
		l.Auth = smtp.ScramSHA256Auth(s.User, s.Password)
	case offers["PLAIN"]:
		l.Auth = smtp.PlainAuth("", s.User, s.Password, s.Host, l.loopback)
	case offers["LOGIN"]:
		l.Auth = smtp.LoginAuth(s.User, s.Password, s.Host, l.loopback)
	case offers["SCRAM-SHA-1"]:
		l.Auth = smtp.ScramSHA1Auth(s.User, s.Password)
	case offers["CRAM-MD5"]:
		l.Auth = smtp.CRAMMD5Auth(s.User, s.Password)
	default:
		return "", nil, fmt.Errorf("it offers only %s: %w", strings.Join(server.Auth, ", "), errConfig)
	}
	return l.Auth.Start(server)
}

// oauthBearer is OAUTHBEARER (RFC 7628).
type oauthBearer struct {
	server Server
	token  string
}

func (o oauthBearer) Start(*smtp.ServerInfo) (string, []byte, error) {
	return "OAUTHBEARER", []byte(fmt.Sprintf("n,a=%s,\x01host=%s\x01port=%d\x01auth=Bearer %s\x01\x01",
		o.server.User, o.server.Host, o.server.Port, o.token)), nil
}

// Next ends what the server refuses: its last answer then says so.
func (o oauthBearer) Next(_ []byte, more bool) ([]byte, error) {
	if more {
		return []byte{1}, nil
	}
	return nil, nil
}

// tokenTrouble says that there is nothing to log in with, and whether a person
// must do something.
func tokenTrouble(s Server, err error) error {
	var final interface {
		error
		TokenRefused() bool
	}
	config := errors.As(err, &final) && final.TokenRefused()
	return &ServerError{Server: s.Address(), Says: "no token to log in with as " + s.User, Config: config, Err: err}
}

// errLogin marks a server's no to user, password or token.
var errLogin = errors.New("login")

// errConfig marks what only a person can change.
var errConfig = errors.New("setting")

// serverError finds the words for err.
func serverError(s Server, says string, err error) *ServerError {
	e := &ServerError{Server: s.Address(), Says: says, Err: err}
	var (
		answer    *textproto.Error
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		noTLS     tls.RecordHeaderError
		dns       *net.DNSError
	)
	switch {
	case errors.Is(err, errConfig):
		e.Config = true
		if err == errConfig {
			e.Err = nil
		}
	case errors.As(err, &authority):
		e.Config, e.Says = true, "its certificate comes from an authority that is not known here: name a company's own one in ca_file"
	case errors.As(err, &name):
		e.Config, e.Says = true, "its certificate is for another name: host must be a name that the certificate holds"
	case errors.As(err, &invalid):
		e.Config, e.Says = true, "its certificate is not valid"
	case errors.Is(err, errWrongPin):
		e.Config, e.Says = true, "its certificate is not trusted"
	case errors.Is(err, errInjected):
		e.Config, e.Says = true, "it must not be used"
	case errors.As(err, &noTLS):
		e.Config, e.Says = true, `it does not speak TLS on this port: try tls = "starttls" with port 587`
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Config, e.Says = true, "the name of the host does not exist"
	case errors.As(err, &answer) && answer.Code/100 == 5:
		e.Config = true
	}
	return e
}
