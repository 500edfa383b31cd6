package mailin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-sasl"
)

// TokenSource gives the token to sign in with by OAuth. refused is one that the
// mail server did not take, so that it is not given again; "" at first.
type TokenSource func(ctx context.Context, refused string) (string, error)

// Ways to sign in.
const (
	byXOAuth2     = "xoauth2"
	byOAuthBearer = "oauthbearer"
)

// signIn leaves the connection ready for SELECT.
func (c *Conn) signIn(ctx context.Context, s Server, token string) error {
	var caps imap.CapSet
	err := c.do(ctx, "CAPABILITY", func() (err error) {
		caps, err = c.client.Capability().Wait()
		return err
	})
	if err != nil {
		return err
	}
	if s.Token != nil {
		err = c.signInByToken(ctx, s, caps, token)
	} else {
		err = c.signInByPassword(ctx, s, caps)
	}
	if err != nil {
		return err
	}
	return c.do(ctx, "CAPABILITY", func() (err error) {
		c.caps, err = c.client.Capability().Wait() // there are more after signing in
		return err
	})
}

func (c *Conn) signInByPassword(ctx context.Context, s Server, caps imap.CapSet) error {
	var how func() error
	switch {
	case caps.Has(imap.AuthCap(sasl.Plain)):
		c.way = "AUTH=PLAIN"
		how = func() error { return c.client.Authenticate(sasl.NewPlainClient("", s.User, s.Password)) }
	case !caps.Has(imap.CapLoginDisabled):
		c.way = "LOGIN"
		how = func() error { return c.client.Login(s.User, s.Password).Wait() }
	case caps.Has(imap.AuthCap(sasl.Login)):
		c.way = "AUTH=LOGIN"
		how = func() error { return c.client.Authenticate(&loginAnswers{left: []string{s.User, s.Password}}) }
	default:
		return fmt.Errorf("the server takes no passwords (%s): does it need OAuth (auth = %q), or TLS?", offers(caps), byXOAuth2)
	}
	err := c.do(ctx, "sign in", how)
	if wait := busy(err); refused(err) && wait == 0 {
		return &LoginError{User: s.User, check: "user and password", err: err}
	}
	return err
}

// loginAnswers is AUTH=LOGIN: the server asks for user and password in turn.
type loginAnswers struct{ left []string }

func (l *loginAnswers) Start() (mech string, ir []byte, err error) { return sasl.Login, nil, nil }
func (l *loginAnswers) Next([]byte) ([]byte, error) {
	if len(l.left) == 0 {
		return nil, errors.New("the server asks for more than user and password")
	}
	next := l.left[0]
	l.left = l.left[1:]
	return []byte(next), nil
}

func (c *Conn) signInByToken(ctx context.Context, s Server, caps imap.CapSet, token string) error {
	b := &bearer{server: s, token: token}
	if c.way = "AUTH=" + b.mechanism(); !caps.Has(imap.AuthCap(b.mechanism())) {
		return fmt.Errorf("the server does not offer %s, but %s: set auth to what it offers", c.way, offers(caps))
	}
	err := c.do(ctx, "sign in", func() error { return c.client.Authenticate(b) })
	switch {
	case b.answer != "": // the connection is in the middle of it and good for nothing
		err = fmt.Errorf("the server says %q", b.answer)
	case !refused(err) || busy(err) > 0:
		return err
	}
	return &LoginError{User: s.User, check: "that the token is for this mailbox, that IMAP is switched on for it, and the consent given", refused: token, err: err}
}

// bearer is XOAUTH2 and OAUTHBEARER (RFC 7628).
type bearer struct {
	server Server
	token  string
	answer string // of a server that refuses
}

func (b *bearer) mechanism() string { return strings.ToUpper(b.server.Auth) }

func (b *bearer) Start() (mech string, ir []byte, err error) {
	if b.server.Auth == byOAuthBearer {
		return sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{
			Username: b.server.User, Token: b.token, Host: b.server.Host, Port: b.server.Port,
		}).Start()
	}
	return b.mechanism(), []byte("user=" + b.server.User + "\x01auth=Bearer " + b.token + "\x01\x01"), nil
}

// Next is called only if the server refuses. The library cannot send the empty
// answer that would end it properly: the caller hangs up.
func (b *bearer) Next(challenge []byte) ([]byte, error) {
	b.answer = "nothing more"
	if text := oneLine(string(challenge)); text != "" {
		b.answer = text
	}
	return nil, errors.New("the token is refused")
}

// offers lists the ways in, for people.
func offers(caps imap.CapSet) string {
	var list []string
	for c := range caps {
		if strings.HasPrefix(string(c), "AUTH=") || c == imap.CapLoginDisabled {
			list = append(list, oneLine(string(c)))
		}
	}
	if len(list) == 0 {
		return "no AUTH"
	}
	return strings.Join(slices.Sorted(slices.Values(list)), ", ")
}

// LoginError is a refused user, password or token. Trying on fast would lock
// the account.
type LoginError struct {
	User    string
	check   string
	refused string // the token
	err     error
}

func (e *LoginError) Error() string {
	return fmt.Sprintf("user %q is refused: check %s (%v)", e.User, e.check, e.err)
}

func (e *LoginError) Unwrap() error { return e.err }

// tokenError is a token server's refusal, as TokenSource returns it: it holds
// for a while, too.
type tokenError interface {
	error
	TokenRefused() bool
}

// token asks for one to sign in with.
func (s Server) token(ctx context.Context, refused string) (string, error) {
	if s.Token == nil {
		return "", nil
	}
	token, err := s.Token(ctx, refused)
	var final tokenError
	if errors.As(err, &final) && final.TokenRefused() {
		return "", &LoginError{User: s.User, check: "what the token server says", err: err}
	}
	return token, err
}
