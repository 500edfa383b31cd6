package mailin

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-sasl"

	"postern/core/coretest"
)

// tokens gives out tokens in turn, the next one when one is refused.
type tokens struct {
	mu      sync.Mutex
	left    []string
	refused []string
	err     error
}

func (g *tokens) Token(_ context.Context, refused string) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if refused != "" {
		g.refused = append(g.refused, refused)
		if len(g.left) > 1 {
			g.left = g.left[1:]
		}
	}
	if g.err != nil {
		return "", g.err
	}
	return g.left[0], nil
}

// tokenSession is a user of a server that takes tokens only.
type tokenSession struct {
	*memorySession
	good string
}

func (s *tokenSession) AuthenticateMechanisms() []string { return []string{"XOAUTH2", "OAUTHBEARER"} }

func (s *tokenSession) Authenticate(mech string) (sasl.Server, error) {
	check := func(user, token string) error {
		if user != "desk" || token != s.good {
			return errors.New("not that token")
		}
		return s.memorySession.Login("desk", "secret")
	}
	if mech == "OAUTHBEARER" {
		return sasl.NewOAuthBearerServer(func(o sasl.OAuthBearerOptions) *sasl.OAuthBearerError {
			if check(o.Username, o.Token) != nil {
				return &sasl.OAuthBearerError{Status: "invalid_token", Schemes: "bearer"}
			}
			return nil
		}), nil
	}
	return &xoauth2Server{check: check}, nil
}

// xoauth2Server speaks XOAUTH2 as Google documents it: a refusal is a
// challenge, which an empty answer ends.
type xoauth2Server struct {
	check func(user, token string) error
	no    error
}

func (x *xoauth2Server) Next(response []byte) (challenge []byte, done bool, err error) {
	if x.no != nil {
		return nil, true, x.no
	}
	if response == nil {
		return []byte{}, false, nil
	}
	user, rest, ok1 := strings.Cut(strings.TrimPrefix(string(response), "user="), "\x01")
	token, end, ok2 := strings.Cut(strings.TrimPrefix(rest, "auth=Bearer "), "\x01")
	if !ok1 || !ok2 || end != "\x01" || !strings.HasPrefix(string(response), "user=") {
		return nil, true, errors.New("malformed")
	}
	if x.no = x.check(user, token); x.no != nil {
		return []byte(`{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}`), false, nil
	}
	return nil, true, nil
}

// tokenServer is an in-memory server whose users sign in by a token.
func tokenServer(t *testing.T, good string, ir bool) Server {
	user := imapmemserver.NewUser("desk", "secret")
	if err := user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	validity := new(atomic.Uint32)
	validity.Store(1)
	caps := ableAll.caps()
	if ir {
		caps[imap.CapSASLIR] = struct{}{}
	}
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &tokenSession{&memorySession{user: user, validity: validity}, good}, nil, nil
		},
		Caps: caps, InsecureAuth: true, Logger: log.New(io.Discard, "", 0),
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return (&imapServer{t: t, addr: l.Addr().String()}).settings()
}

// dovecotWithTokens asks a token server of the test's about each token.
func dovecotWithTokens(t *testing.T, good string) Server {
	info := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("access_token") != good {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"user": "desk", "active": "true"}`)
	}))
	t.Cleanup(info.Close)
	d := coretest.StartDovecot(t, coretest.DovecotOptions{TokenInfo: info.URL + "/tokeninfo?access_token="})
	return (&imapServer{t: t, addr: d.Addr()}).settings()
}

func TestDial_R15_byToken(t *testing.T) {
	for name, server := range map[string]func(t *testing.T) Server{
		"imapmemserver":                func(t *testing.T) Server { return tokenServer(t, "good", true) },
		"imapmemserver without SASLIR": func(t *testing.T) Server { return tokenServer(t, "good", false) },
		"dovecot":                      func(t *testing.T) Server { return dovecotWithTokens(t, "good") },
	} {
		for _, auth := range []string{byXOAuth2, byOAuthBearer} {
			t.Run("R15/"+auth+" on "+name, func(t *testing.T) {
				t.Parallel()
				at := server(t)
				at.Auth, at.Password = auth, ""
				for what, c := range map[string]struct {
					left, refused []string
					fails         bool
				}{
					"a good token": {[]string{"good"}, nil, false},
					"one that was withdrawn, then a good one": {[]string{"old", "good"}, []string{"old"}, false},
					"a bad one, and another":                  {[]string{"old", "older"}, []string{"old"}, true},
				} {
					source := &tokens{left: c.left}
					at.Token = source.Token
					conn, err := Dial(t.Context(), at)
					var login *LoginError
					if c.fails != errors.As(err, &login) || !c.fails && err != nil {
						t.Fatalf("%s: %v", what, err)
					}
					if !slices.Equal(source.refused, c.refused) {
						t.Errorf("%s: %q were said to be refused, not %q", what, source.refused, c.refused)
					}
					if err != nil {
						for _, secret := range c.left {
							if strings.Contains(err.Error(), "Bearer "+secret) {
								t.Errorf("R61/the token is in %q", err)
							}
						}
						continue
					}
					if way := conn.SignIn(); way != "AUTH="+strings.ToUpper(auth) {
						t.Errorf("%s: by %s", what, way)
					}
					if _, err := conn.Folder(t.Context(), "INBOX"); err != nil {
						t.Errorf("%s: %v", what, err)
					}
					conn.Close()
				}
			})
		}
	}
}

func TestPoll_R15_byToken(t *testing.T) {
	t.Run("R15/mail comes in by a token, also after the first was withdrawn", func(t *testing.T) {
		at := tokenServer(t, "good", true)
		source := &tokens{left: []string{"old", "good"}}
		at.Auth, at.Token = byXOAuth2, source.Token
		d := newFakeDesk()
		running(t, poller(t, d, at))
		d.opened(t)
	})
	t.Run("R15/a token server that refuses is asked once a minute", func(t *testing.T) {
		box := newLittleBox()
		at := script(t, box.play)
		source := &tokens{err: refusedToken{}}
		asked := make(chan struct{}, 100)
		at.Auth, at.Token = byXOAuth2, func(ctx context.Context, refused string) (string, error) {
			asked <- struct{}{}
			return source.Token(ctx, refused)
		}
		p := poller(t, newFakeDesk(), at)
		if wait := p.again(1, firstOf(Dial(t.Context(), at))); wait < time.Minute {
			t.Errorf("asked again after %s", wait)
		}
		source.err = errors.New("it is away")
		if wait := p.again(1, firstOf(Dial(t.Context(), at))); wait >= time.Minute {
			t.Errorf("one that is away is asked again after %s", wait)
		}
	})
}

type refusedToken struct{}

func (refusedToken) Error() string      { return "oauth: invalid_client" }
func (refusedToken) TokenRefused() bool { return true }

func firstOf(_ *Conn, err error) error { return err }

func TestDial_R15_byPassword(t *testing.T) {
	for name, c := range map[string]struct {
		caps, command string
		answers       int
		way           string
	}{
		"R15/AUTH=PLAIN":                    {"IMAP4rev1 SASL-IR AUTH=PLAIN", "AUTHENTICATE PLAIN", 0, "AUTH=PLAIN"},
		"R15/the LOGIN command":             {"IMAP4rev1", "LOGIN", 0, "LOGIN"},
		"R15/AUTH=LOGIN, where LOGIN is no": {"IMAP4rev1 LOGINDISABLED AUTH=LOGIN", "AUTHENTICATE LOGIN", 2, "AUTH=LOGIN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			server := script(t, func(w *wire) {
				w.say("* OK [CAPABILITY " + c.caps + "] hello")
				for {
					tag, command, _ := strings.Cut(w.line(), " ")
					if strings.HasPrefix(command, c.command) {
						for _, challenge := range []string{"VXNlcm5hbWU6", "UGFzc3dvcmQ6"}[:c.answers] {
							w.say("+ " + challenge)
							got = append(got, w.line())
						}
						w.say(tag + " OK in")
					} else {
						w.say("* CAPABILITY "+c.caps, tag+" OK done")
					}
				}
			})
			conn, err := Dial(t.Context(), server)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if conn.SignIn() != c.way {
				t.Errorf("by %s", conn.SignIn())
			}
			if c.answers > 0 && !slices.Equal(got, []string{"ZGVzaw==", "c2VjcmV0"}) {
				t.Errorf("answered %q", got)
			}
		})
	}
	t.Run("R15/a server that does not offer the way of the settings is named with what it offers", func(t *testing.T) {
		box := newLittleBox()
		box.caps = "IMAP4rev1 AUTH=PLAIN"
		at := script(t, box.play)
		at.Auth, at.Token = byXOAuth2, (&tokens{left: []string{"good"}}).Token
		if _, err := Dial(t.Context(), at); err == nil || !strings.Contains(err.Error(), "AUTH=XOAUTH2, but AUTH=PLAIN") {
			t.Errorf("%v", err)
		}
	})
}

func TestDial_R14_pinnedCertificate(t *testing.T) {
	_, certificate := makeCertificate(t, "another name")
	server := func(t *testing.T, tlsMode string) Server {
		secure := func(w *wire) {
			conn := tls.Server(w.conn, &tls.Config{Certificates: []tls.Certificate{certificate}})
			w.conn, w.in = conn, bufio.NewReader(conn)
		}
		s := script(t, func(w *wire) {
			if tlsMode == "starttls" {
				w.say("* OK hello")
				w.say(w.expect("STARTTLS") + " OK go")
				secure(w)
			} else {
				secure(w)
				w.say("* OK [CAPABILITY IMAP4rev1] hello")
			}
			w.say(w.expect("LOGIN") + " OK in")
			w.expect("nothing")
		})
		s.TLS = tlsMode
		return s
	}
	sum := sha256.Sum256(certificate.Certificate[0])
	right := hex.EncodeToString(sum[:])
	wrong := "00" + right[2:]
	for _, mode := range []string{"implicit", "starttls"} {
		for name, c := range map[string]struct{ pin, want string }{
			"R14/the one certificate is believed, whoever signed it": {right, ""},
			"R14/with colons and capitals":                           {strings.ToUpper(right[:2]) + ":" + right[2:], ""},
			"R14/another certificate is not":                         {wrong, "not the one of cert_sha256"},
			"R14/half a fingerprint is none":                         {right[:32], "64 hexadecimal digits"},
		} {
			t.Run(name+", "+mode, func(t *testing.T) {
				t.Parallel()
				s := server(t, mode)
				s.CertSHA256 = c.pin
				conn, err := Dial(t.Context(), s)
				if err == nil {
					conn.Close()
				}
				if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v", err)
				}
			})
		}
	}
}
