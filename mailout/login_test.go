package mailout

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
)

// tokenSMTP takes one token, by the mechanisms that it offers, and answers a
// wrong one as Google and Microsoft document it: by a challenge, then 535.
func tokenSMTP(t *testing.T, offers, good string) Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	port := l.Addr().(*net.TCPAddr).Port
	want := map[string]string{
		"XOAUTH2":     "user=desk@example.org\x01auth=Bearer " + good + "\x01\x01",
		"OAUTHBEARER": fmt.Sprintf("n,a=desk@example.org,\x01host=127.0.0.1\x01port=%d\x01auth=Bearer %s\x01\x01", port, good),
	}
	serve := func(conn net.Conn) {
		defer conn.Close()
		in := bufio.NewReader(conn)
		say := func(line string) { fmt.Fprint(conn, line+"\r\n") }
		say("220 here")
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			words := strings.Fields(line)
			switch {
			case strings.HasPrefix(line, "EHLO"):
				say("250-here")
				say("250 AUTH " + offers)
			case strings.HasPrefix(line, "AUTH") && len(words) == 3:
				given, _ := base64.StdEncoding.DecodeString(words[2])
				if string(given) == want[words[1]] {
					say("235 2.7.0 in")
					continue
				}
				say("334 " + base64.StdEncoding.EncodeToString([]byte(`{"status":"401"}`)))
				in.ReadString('\n')
				say("535 5.7.3 Authentication unsuccessful")
			case strings.HasPrefix(line, "QUIT"):
				say("221 bye")
				return
			default:
				say("250 ok")
			}
		}
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return Server{Host: "127.0.0.1", Port: port, TLS: NoTLS, User: "desk@example.org"}
}

type refusal struct{}

func (refusal) Error() string      { return "oauth: invalid_client" }
func (refusal) TokenRefused() bool { return true }

func TestCheck_R15_loginByToken(t *testing.T) {
	for name, c := range map[string]struct {
		offers, auth string
		tokens       []string // given in turn
		trouble      error    // of the token server
		refused      []string
		says         string
		config       bool
	}{
		"R15/xoauth2":                          {"LOGIN XOAUTH2", "xoauth2", []string{"good"}, nil, nil, "", false},
		"R15/oauthbearer":                      {"LOGIN OAUTHBEARER", "oauthbearer", []string{"good"}, nil, nil, "", false},
		"R15/a token that was withdrawn":       {"XOAUTH2", "xoauth2", []string{"old", "good"}, nil, []string{"old"}, "", false},
		"R15/the same by oauthbearer":          {"OAUTHBEARER", "oauthbearer", []string{"old", "good"}, nil, []string{"old"}, "", false},
		"R15/a wrong one, and another":         {"XOAUTH2", "xoauth2", []string{"old", "older"}, nil, []string{"old"}, "the login of desk@example.org is refused", true},
		"R15/a server that does not offer it":  {"LOGIN PLAIN", "xoauth2", []string{"good"}, nil, nil, "it does not offer XOAUTH2, only", true},
		"R15/a token server that refuses":      {"XOAUTH2", "xoauth2", nil, refusal{}, nil, "no token to log in with", true},
		"R15/a token server that is only away": {"XOAUTH2", "xoauth2", nil, errors.New("away"), nil, "no token to log in with", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := tokenSMTP(t, c.offers, "good")
			var mu sync.Mutex
			var refused []string
			left := c.tokens
			s.Auth, s.Token = c.auth, func(_ context.Context, no string) (string, error) {
				mu.Lock()
				defer mu.Unlock()
				if c.trouble != nil {
					return "", c.trouble
				}
				if no != "" {
					refused = append(refused, no)
					left = left[1:]
				}
				return left[0], nil
			}
			err := Check(t.Context(), s)
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Fatalf("says %v, want %q", err, c.says)
			}
			if !slices.Equal(refused, c.refused) {
				t.Errorf("%q were said to be refused", refused)
			}
			var e *ServerError
			if err != nil && (!errors.As(err, &e) || e.Config != c.config) {
				t.Errorf("a person must do something: %+v", err)
			}
			for _, secret := range c.tokens {
				if err != nil && strings.Contains(err.Error(), "Bearer "+secret) {
					t.Errorf("R61/the token is in %v", err)
				}
			}
		})
	}
}
