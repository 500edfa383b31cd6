package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// tokenServer gives tokens as RFC 6749 says. It remembers what it was asked.
type tokenServer struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []url.Values
	life   int    // seconds; 0: it does not say
	rotate bool   // each refresh token is good once
	good   string // the refresh token that is
	answer func(w http.ResponseWriter, r *http.Request) bool
}

func startTokenServer(t *testing.T) *tokenServer {
	t.Helper()
	s := &tokenServer{life: 3600, good: "first-refresh-token"}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *tokenServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.ParseForm()
	s.mu.Lock()
	s.asked = append(s.asked, r.PostForm)
	n, answer := len(s.asked), s.answer
	s.mu.Unlock()
	if answer != nil && answer(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	given := map[string]any{"access_token": fmt.Sprint("access-", n), "token_type": "Bearer"}
	if s.life > 0 {
		given["expires_in"] = s.life
	}
	if r.PostForm.Get("grant_type") == "refresh_token" {
		if r.PostForm.Get("refresh_token") != s.good {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error": "invalid_grant", "error_description": "used before"}`)
			return
		}
		if s.rotate {
			s.good = fmt.Sprint("rotated-", n)
			given["refresh_token"] = s.good
		}
	}
	json.NewEncoder(w).Encode(given)
}

func (s *tokenServer) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

func (s *tokenServer) signIn(refresh string) *signIn {
	return newSignIn(OAuth{TokenURL: s.URL + "/token", ClientID: "postern", ClientSecret: NewSecret("the-secret"),
		Scopes: []string{"mail"}, Refresh: NewSecret(refresh)})
}

// memoryStore keeps sealed secrets, and fails on cue.
type memoryStore struct {
	mu     sync.Mutex
	kept   map[string][]byte
	holder string
	fail   error
}

func (m *memoryStore) ClaimSealed(_ context.Context, name, holder string, _ time.Duration) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.holder != "" && m.holder != holder {
		return m.kept[name], false, nil
	}
	m.holder = holder
	return m.kept[name], true, nil
}

func (m *memoryStore) KeepSealed(_ context.Context, name, holder string, secret []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.holder = ""
	if m.fail != nil {
		return m.fail
	}
	m.kept[name] = secret
	return nil
}

func TestSignIn_R15_clientCredentials(t *testing.T) {
	t.Run("R15/a token is asked for once and used until 80 % of its life", func(t *testing.T) {
		server := startTokenServer(t)
		s := server.signIn("")
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if got, err := s.Token(t.Context(), ""); err != nil || got != "access-1" {
					t.Errorf("%q, %v", got, err)
				}
			})
		}
		all.Wait()
		if server.count() != 1 {
			t.Errorf("asked %d times", server.count())
		}
		form := server.asked[0]
		for key, want := range map[string]string{"grant_type": "client_credentials", "client_id": "postern", "client_secret": "the-secret", "scope": "mail"} {
			if form.Get(key) != want {
				t.Errorf("%s = %q", key, form.Get(key))
			}
		}
		if left := time.Until(s.have.RenewAt); left > 48*time.Minute || left < 47*time.Minute {
			t.Errorf("renewed in %s of an hour", left)
		}
	})
	t.Run("R15/a refused token is dropped and fetched anew", func(t *testing.T) {
		server := startTokenServer(t)
		s := server.signIn("")
		first, _ := s.Token(t.Context(), "")
		second, err := s.Token(t.Context(), first)
		if err != nil || second == first {
			t.Fatalf("%q, %v", second, err)
		}
		if again, err := s.Token(t.Context(), first); err != nil || again != second || server.count() != 2 {
			t.Errorf("another that had the first: %q, %v, asked %d times", again, err, server.count())
		}
	})
	t.Run("R15/tokens are renewed in time while nobody asks", func(t *testing.T) {
		server := startTokenServer(t)
		server.life = 1
		s := server.signIn("")
		ctx, cancel := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() { s.Run(ctx, slog.New(slog.DiscardHandler)) })
		by(t, soon, "three tokens", func() bool { return server.count() >= 3 })
		cancel()
		done.Wait()
	})
	t.Run("R15/a token server that fails is no harm while the token is good", func(t *testing.T) {
		server := startTokenServer(t)
		s := server.signIn("")
		first, _ := s.Token(t.Context(), "")
		s.have.RenewAt = time.Now() // 80 % are over
		server.answer = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(503); return true }
		if got, err := s.Token(t.Context(), ""); err != nil || got != first {
			t.Errorf("%q, %v", got, err)
		}
		if got, err := s.Token(t.Context(), first); err == nil {
			t.Errorf("a token that is refused is given again: %q", got)
		}
	})
	t.Run("R15/a token without a word on its life is renewed in half an hour", func(t *testing.T) {
		server := startTokenServer(t)
		server.life = 0
		s := server.signIn("")
		if _, err := s.Token(t.Context(), ""); err != nil || time.Until(s.have.Ends) > tokenLife {
			t.Errorf("%v, ends %s", err, s.have.Ends)
		}
	})
}

func TestSignIn_R15_refreshTokens(t *testing.T) {
	t.Run("R15/several processes renew a token that changes, each use once, and share what they get", func(t *testing.T) {
		w := coretest.NewDesk(t, func(s *core.Settings) { s.Now = nil })
		server := startTokenServer(t)
		server.rotate = true
		processes := make([]*signIn, 5)
		for i := range processes {
			processes[i] = server.signIn("first-refresh-token")
			processes[i].keep(w.Desk, coretest.Key())
		}
		refused := ""
		for round := 1; round <= 3; round++ {
			got := make([]string, len(processes))
			var all sync.WaitGroup
			for i, p := range processes {
				all.Go(func() {
					var err error
					if got[i], err = p.Token(t.Context(), refused); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if slices.ContainsFunc(got, func(s string) bool { return s != got[0] || s == refused }) || server.count() != round {
				t.Fatalf("round %d: %q, asked %d times", round, got, server.count())
			}
			refused = got[0]
		}
		late := server.signIn("first-refresh-token") // a process that starts now has the old one in its file
		late.keep(w.Desk, coretest.Key())
		if got, err := late.Token(t.Context(), ""); err != nil || got != refused || server.count() != 3 {
			t.Errorf("%q, %v, asked %d times", got, err, server.count())
		}
		var kept []byte
		if err := w.DB.QueryRow(t.Context(), `select secret from sealed`).Scan(&kept); err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"rotated", "access", "first-refresh"} {
			if bytes.Contains(kept, []byte(secret)) {
				t.Errorf("R61/%q is in clear in the database", secret)
			}
		}
		anew := server.signIn("from-the-operator") // a new one in the file is another
		if anew.name == late.name {
			t.Error("a new refresh token is not used")
		}
	})
	t.Run("R15/a renewal that cannot be kept is not lost", func(t *testing.T) {
		server := startTokenServer(t)
		server.rotate = true
		store := &memoryStore{kept: map[string][]byte{}, fail: core.ErrUnavailable}
		s := server.signIn("first-refresh-token")
		s.keep(store, coretest.Key())
		first, err := s.Token(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		store.fail = nil
		second, err := s.Token(t.Context(), first)
		if err != nil || second == first || len(store.kept) != 1 {
			t.Errorf("%q, %v, kept %d", second, err, len(store.kept))
		}
	})
	t.Run("R15/without a database no refresh token is used up", func(t *testing.T) {
		server := startTokenServer(t)
		if _, err := server.signIn("first-refresh-token").Token(t.Context(), ""); err == nil || server.count() > 0 {
			t.Errorf("%v, asked %d times", err, server.count())
		}
	})
	t.Run("R15/one that waits for another process ends with its context", func(t *testing.T) {
		server := startTokenServer(t)
		s := server.signIn("first-refresh-token")
		s.keep(&memoryStore{holder: "another", kept: map[string][]byte{}}, coretest.Key())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.Token(ctx, ""); err == nil {
			t.Error("it has a token")
		}
	})
}

func TestSignIn_R15_errorsSayWhatToCheck(t *testing.T) {
	for name, c := range map[string]struct {
		status      int
		code, says  string
		want        string
		forgoodOnly bool // a person must do something
	}{
		"R15/a wrong client secret":             {401, "invalid_client", "AADSTS7000215: Invalid client secret provided.", "the secret's value, not its id", true},
		"R15/an expired client secret":          {401, "invalid_client", "AADSTS7000222: The provided client secret keys are expired.", "the client secret has expired", true},
		"R15/a wrong client":                    {401, "invalid_client", "The OAuth client was not found.", "check oauth.client_id and oauth.client_secret_file", true},
		"R15/an expired refresh token":          {400, "invalid_grant", "Token has been expired or revoked.", "make a new one and put it in oauth.refresh_token_file", true},
		"R15/missing consent":                   {400, "invalid_grant", "AADSTS65001: The user or administrator has not consented", "has not consented", true},
		"R15/a wrong scope":                     {400, "invalid_scope", "", "check oauth.scope", true},
		"R15/a wrong tenant":                    {400, "invalid_request", "AADSTS90002: Tenant 'x' not found.", "check oauth.tenant", true},
		"R15/a token server in trouble":         {503, "", "", "status 503", false},
		"R15/a token server that is busy":       {429, "slow_down", "", "slow_down", false},
		"R15/a token server that moved":         {302, "", "", "status 302", true},
		"R15/an answer that is no JSON":         {200, "html", "", "cannot be asked for a token", false},
		"R15/an answer without a token":         {200, "empty", "", "cannot be asked for a token", false},
		"R15/a token that would break a line":   {200, "broken", "", "without a token that can be used", false},
		"R69/a description of many lines":       {400, "invalid_request", "a\r\nb\x1b[31m" + strings.Repeat("x", 5000), "invalid_request", true},
		"R61/a description with the secret":     {400, "invalid_request", "you sent the-secret and first-refresh-token", "you sent *** and ***", true},
		"R15/a silent token server":             {0, "silent", "", "no answer in", false},
		"R15/one that hangs up in its answer":   {0, "half", "", "cannot be asked for a token", false},
		"R15/one that answers without an end":   {0, "endless", "", "", false},
		"R15/one that is not there":             {0, "gone", "", "cannot be asked for a token", false},
		"R15/one that is slow and then answers": {0, "slow", "", "none", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startTokenServer(t)
			release := make(chan struct{})
			t.Cleanup(sync.OnceFunc(func() { close(release) }))
			server.answer = func(w http.ResponseWriter, r *http.Request) bool {
				switch c.code {
				case "silent":
					<-release
				case "slow":
					w.(http.Flusher).Flush()
					return false
				case "half":
					w.Header().Set("Content-Length", "1000")
					fmt.Fprint(w, `{"access_token": "acc`)
					panic(http.ErrAbortHandler)
				case "endless":
					line := []byte(strings.Repeat(" ", 1<<16))
					for {
						if _, err := w.Write(line); err != nil {
							return true
						}
					}
				case "html":
					fmt.Fprint(w, "<html>sign in</html>")
				case "empty":
					w.Header().Set("Content-Type", "application/json")
					fmt.Fprint(w, "{}")
				case "broken":
					w.Header().Set("Content-Type", "application/json")
					fmt.Fprint(w, `{"access_token": "a\u0001auth=Bearer b"}`)
				default:
					if c.status == 302 {
						w.Header().Set("Location", "https://elsewhere.example/")
					}
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(c.status)
					if c.code != "" {
						json.NewEncoder(w).Encode(map[string]string{"error": c.code, "error_description": c.says})
					}
				}
				return true
			}
			s := server.signIn("first-refresh-token")
			s.keep(&memoryStore{kept: map[string][]byte{}}, coretest.Key())
			switch c.code {
			case "silent":
				s.answer = 100 * time.Millisecond
			case "gone":
				server.Close()
			}
			_, err := s.Token(t.Context(), "")
			if c.want == "none" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil {
				t.Fatal("a token")
			}
			text := err.Error()
			if !strings.Contains(text, c.want) || strings.ContainsAny(text, "\r\n\x1b") || len(text) > 600 {
				t.Errorf("%q, without %q", text, c.want)
			}
			if strings.Contains(text, "the-secret") || strings.Contains(text, "first-refresh-token") {
				t.Errorf("R61/a secret is in %q", text)
			}
			var final *oauthError
			if got := errors.As(err, &final) && final.TokenRefused(); got != c.forgoodOnly {
				t.Errorf("a person must do something: %v (%v)", got, err)
			}
		})
	}
	t.Run("R69/trouble is logged once a minute, without secrets", func(t *testing.T) {
		server := startTokenServer(t)
		server.answer = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(500); return true }
		s := server.signIn("")
		var out bytes.Buffer
		var lines atomic.Int32
		ctx, cancel := context.WithCancel(t.Context())
		log := slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) { lines.Add(1); return out.Write(p) }), nil))
		var done sync.WaitGroup
		done.Go(func() { s.Run(ctx, log) })
		by(t, soon, "a line", func() bool { return lines.Load() > 0 })
		cancel()
		done.Wait()
		if lines.Load() != 1 || strings.Contains(out.String(), "the-secret") {
			t.Errorf("%s", out.String())
		}
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// byOAuth makes a mailbox of the good settings sign in by OAuth.
func byOAuth(lines string) string {
	return strings.Replace(goodSettings, `password = "hunter2"`, lines, 1)
}

func TestSettings_R15_OAuth(t *testing.T) {
	const app = "auth = \"xoauth2\"\noauth.client_id = \"id\"\noauth.client_secret = \"shh\"\n"
	for name, c := range map[string]struct {
		lines  string
		want   OAuth
		scopes string
	}{
		"R15/Microsoft 365 by client credentials": {app + "oauth.provider = \"microsoft365\"\noauth.tenant = \"example.org\"",
			OAuth{TokenURL: "https://login.microsoftonline.com/example.org/oauth2/v2.0/token"}, "https://outlook.office365.com/.default"},
		"R15/Microsoft 365 by a refresh token": {app + "oauth.provider = \"microsoft365\"\noauth.tenant = \"example.org\"\noauth.refresh_token = \"r\"",
			OAuth{TokenURL: "https://login.microsoftonline.com/example.org/oauth2/v2.0/token", Refresh: NewSecret("r")}, "offline_access https://outlook.office.com/IMAP.AccessAsUser.All"},
		"R15/Google by a refresh token": {app + "oauth.provider = \"google\"\noauth.refresh_token = \"r\"",
			OAuth{TokenURL: "https://oauth2.googleapis.com/token", Refresh: NewSecret("r")}, "https://mail.google.com/"},
		"R15/a provider of one's own": {app + "oauth.token_url = \"https://login.example/token\"\noauth.scope = \"a b\"",
			OAuth{TokenURL: "https://login.example/token"}, "a b"},
	} {
		t.Run(name, func(t *testing.T) {
			s := parsed(t, byOAuth(c.lines))
			m := s.Mailboxes[0]
			if m.Auth != "xoauth2" || m.signIn == nil {
				t.Fatalf("%+v", m)
			}
			if m.signIn.TokenURL != c.want.TokenURL || m.signIn.Refresh.Reveal() != c.want.Refresh.Reveal() || strings.Join(m.signIn.Scopes, " ") != c.scopes {
				t.Errorf("%s %q %q", m.signIn.TokenURL, m.signIn.Refresh.Reveal(), m.signIn.Scopes)
			}
			if m.imap().Token == nil || m.imap().Auth != "xoauth2" {
				t.Error("mailin is not told")
			}
		})
	}
	t.Run("R15/a mailbox and the SMTP server of one account share their token", func(t *testing.T) {
		const lines = app + "oauth.token_url = \"https://login.example/token\""
		s := parsed(t, strings.Replace(byOAuth(lines), `password = "hunter3"`, lines, 1))
		if s.SMTP.signIn != s.Mailboxes[0].signIn || len(s.signIns()) != 1 || s.SMTP.out().Token == nil {
			t.Errorf("%d sign-ins", len(s.signIns()))
		}
	})
	for name, c := range map[string]struct{ lines, want string }{
		"R15/no client":                 {"auth = \"xoauth2\"\noauth.token_url = \"https://login.example/t\"", "mailbox.support.oauth.client_id is missing"},
		"R15/nowhere to ask":            {app, "mailbox.support.oauth.token_url is missing"},
		"R15/no tenant":                 {app + "oauth.provider = \"microsoft365\"", "mailbox.support.oauth.tenant must be the id of your directory"},
		"R15/a tenant that is a path":   {app + "oauth.provider = \"microsoft365\"\noauth.tenant = \"a/../b\"", "mailbox.support.oauth.tenant must be"},
		"R15/Google without a token":    {app + "oauth.provider = \"google\"", "refresh_token_file is missing"},
		"R15/Google by credentials":     {app + "oauth.provider = \"google\"\noauth.grant = \"client_credentials\"", `must be "refresh_token"`},
		"R15/no secret":                 {"auth = \"xoauth2\"\noauth.client_id = \"id\"\noauth.token_url = \"https://login.example/t\"", "client_secret_file is missing"},
		"R61/a secret in clear":         {app + "oauth.token_url = \"http://login.example/t\"", "must be an https address"},
		"R15/a password beside it":      {app + "password = \"hunter2\"\noauth.token_url = \"https://login.example/t\"", "mailbox.support.password is not used with auth"},
		"R15/OAuth without auth":        {"password = \"hunter2\"\noauth.client_id = \"id\"", "[mailbox.support.oauth] is for auth"},
		"R15/an unknown way":            {"password = \"hunter2\"\nauth = \"kerberos\"", `mailbox.support.auth = "kerberos": must be "password", "xoauth2" or "oauthbearer"`},
		"R15/an unknown key":            {app + "oauth.token_url = \"https://login.example/t\"\noauth.tokenurl = \"x\"", "there is no setting mailbox.support.oauth.tokenurl"},
		"R15/a refresh token not used":  {app + "oauth.token_url = \"https://login.example/t\"\noauth.grant = \"client_credentials\"\noauth.refresh_token = \"r\"", "uses no refresh token"},
		"R15/an unknown provider":       {app + "oauth.provider = \"yahoo\"", `must be "microsoft365" or "google"`},
		"R14/half a fingerprint":        {"password = \"hunter2\"\ncert_sha256 = \"abcd\"", "mailbox.support.cert_sha256 must be the SHA-256 fingerprint"},
		"R13/deleted too early":         {"password = \"hunter2\"\nprocessed = \"Done\"\ndelete_processed_after = \"24h\"", `mailbox.support.delete_processed_after = "24h": must be a duration from 720h`},
		"R13/deleted from nowhere":      {"password = \"hunter2\"\ndelete_processed_after = \"720h\"", "is for mail in the folder processed"},
		"R15/an inbox twice":            {"password = \"hunter2\"\ninbox = [\"INBOX\", \"inbox\"]", "must be the name of a folder, and stand there once"},
		"R15/no inbox at all":           {"password = \"hunter2\"\ninbox = []", "mailbox.support.inbox names no folder"},
		"R13/done with and read":        {"password = \"hunter2\"\ninbox = [\"INBOX\", \"Done\"]\nprocessed = \"Done\"", "mailbox.support.processed is the folder that is read"},
		"R72/junk that is read as well": {"password = \"hunter2\"\ninbox = [\"INBOX\", \"Spam\"]\njunk = \"Spam\"", "mailbox.support.junk is the inbox folder too"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseSettings("postern.toml", []byte(byOAuth(c.lines)), environment())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got\n%v\nwant\n%s", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "shh") {
				t.Error("R61/the secret is in the error")
			}
		})
	}
}

func TestSettings_R15_folders(t *testing.T) {
	poll := func(t *testing.T, lines string, env ...string) (s *Settings, folders []string, lines2 int) {
		s = parsed(t, byOAuth("password = \"hunter2\"\nprocessed = \"Done\"\n"+lines), env...)
		g := &gateway{settings: s}
		shared := map[any]bool{}
		for _, p := range newPollers(s.Mailboxes[0], g, "here") {
			folders = append(folders, p.Folder)
			if p.Line != nil {
				shared[p.Line] = true
			} else {
				lines2++
			}
		}
		return s, folders, lines2 + len(shared)
	}
	for name, c := range map[string]struct {
		lines, env  string
		folders     string
		connections int
	}{
		"R15/one folder":                           {"", "", "INBOX", 1},
		"R15/one, named":                           {`inbox = "Support, urgent"`, "", "Support, urgent", 1},
		"R15/two have a connection each":           {`inbox = ["INBOX", "Sales"]`, "", "INBOX|Sales", 2},
		"R15/five folders have two connections":    {"inbox = [\"INBOX\", \"Sales\", \"Orders\", \"Press\"]\njunk = \"Spam\"", "", "INBOX|Sales|Orders|Press|Spam", 2},
		"R15/several are named in the environment": {"", "INBOX,Sales", "INBOX|Sales", 2},
	} {
		t.Run(name, func(t *testing.T) {
			s, folders, connections := poll(t, c.lines, "POSTERN_MAILBOX_SUPPORT_INBOX", c.env)
			if strings.Join(folders, "|") != c.folders || connections != c.connections {
				t.Errorf("%q by %d connections", folders, connections)
			}
			polled := polledFolders(s)
			for _, f := range folders {
				if !polled[polledFolder{"support", f}] {
					t.Errorf("nobody is worried about %s", f)
				}
			}
		})
	}
}

func TestDoctor_R15_saysWhichSignInWorks(t *testing.T) {
	tokens := startTokenServer(t)
	info := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Query().Get("access_token"), "access-") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"user": "support@example.org", "active": "true"}`)
	}))
	t.Cleanup(info.Close)
	server := coretest.StartDovecot(t, coretest.DovecotOptions{TokenInfo: info.URL + "/?access_token="})
	host, port, _ := strings.Cut(server.Addr(), ":")
	say := func(t *testing.T, auth string) string {
		source := strings.Replace(byOAuth(fmt.Sprintf("port = %s\ntls = \"none\"\nauth = %q\noauth.client_id = \"id\"\noauth.client_secret = \"the-secret\"\noauth.token_url = %q",
			port, auth, tokens.URL+"/token")), `host = "imap.example.org"`, fmt.Sprintf("host = %q", host), 1)
		var out bytes.Buffer
		d := &doctor{program: &program{stdout: &out}}
		d.mailbox(t.Context(), parsed(t, source).Mailboxes[0])
		return out.String()
	}
	for _, auth := range []string{"xoauth2", "oauthbearer"} {
		t.Run("R15/doctor names "+auth+" if it works", func(t *testing.T) {
			if got := say(t, auth); !strings.Contains(got, "OK") || !strings.Contains(got, "AUTH="+strings.ToUpper(auth)) {
				t.Error(got)
			}
		})
	}
	t.Run("R15/doctor says what to check if it does not", func(t *testing.T) {
		tokens.mu.Lock()
		tokens.answer = func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error": "invalid_client", "error_description": "AADSTS7000222: expired"}`)
			return true
		}
		tokens.mu.Unlock()
		if got := say(t, "xoauth2"); !strings.Contains(got, "FAIL") || !strings.Contains(got, "the client secret has expired") || strings.Contains(got, "the-secret") {
			t.Error(got)
		}
	})
}
