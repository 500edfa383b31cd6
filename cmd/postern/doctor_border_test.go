package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"postern/core"
	"postern/core/coretest"
	"postern/mailin"
	"postern/mailin/mime"
)

// exchanger is a mail exchanger that keeps what strangers bring.
type exchanger struct {
	mu     sync.Mutex
	from   string
	to     string
	raw    []byte
	refuse bool
}

func (x *exchanger) NewSession(*smtp.Conn) (smtp.Session, error) { return x, nil }
func (x *exchanger) Reset()                                      {}
func (x *exchanger) Logout() error                               { return nil }

func (x *exchanger) Mail(from string, _ *smtp.MailOptions) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.from = from
	return nil
}

func (x *exchanger) Rcpt(to string, _ *smtp.RcptOptions) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.refuse {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "not from you"}
	}
	x.to = to
	return nil
}

func (x *exchanger) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.raw = raw
	return err
}

func exchange(t *testing.T) (*exchanger, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	x := &exchanger{}
	server := smtp.NewServer(x)
	server.Domain = "mx.desk.example"
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(listener) }()
	t.Cleanup(func() { server.Close(); <-done })
	return x, listener.Addr().String()
}

// bordered sets the border in a settings file, and an operator.
func bordered(t *testing.T, config, border string) {
	t.Helper()
	raw, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(raw), "[mailbox.support]\n", "[mailbox.support]\nborder = \""+border+"\"\n", 1)
	text = strings.Replace(text, "[instance]\n", "[instance]\noperator = [\"op@elsewhere.example\"]\n", 1)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// arrives files a mail as the gateway does.
func arrives(t *testing.T, w *coretest.World, raw []byte) core.Receipt {
	t.Helper()
	id := keep(t, w, string(raw))
	m := mailin.Parse(bytes.NewReader(raw), int64(len(raw)), mime.DefaultLimits)
	m.Ledger, m.Mailbox, m.Received, m.DKIM = id, "support", w.Clock.Now(), core.CheckDone
	r, err := w.Receive(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// clean takes the forged fields out, and writes the server's own.
func clean(raw []byte) []byte {
	_, rest, _ := bytes.Cut(raw, []byte("\r\nFrom:"))
	return append([]byte("Authentication-Results: mx.desk.example; dmarc=none\r\nFrom:"), rest...)
}

func TestDoctorBorder_provesAServerByAForgedMail(t *testing.T) {
	for _, c := range []struct {
		name  string
		strip bool
		level string
		says  string
	}{
		{"a server that takes forged fields away is believed", true, "OK", "came in without the fields it had forged"},
		{"a server that lets them through is not", false, "FAIL", "nothing is believed: a test of"},
	} {
		t.Run("R32/"+c.name, func(t *testing.T) {
			w, config := onDesk(t)
			bordered(t, config, "authserv:mx.desk.example")
			x, address := exchange(t)
			state := func() string {
				_, stdout, _ := typed(t, "", "doctor", "--config", config)
				for line := range strings.Lines(stdout) {
					if strings.Contains(line, "border is") {
						return line
					}
				}
				return stdout
			}
			if got := state(); !strings.HasPrefix(got, "WARN") || !strings.Contains(got, "nothing is believed yet: it was not tested") {
				t.Errorf("before the test: %s", got)
			}
			code, stdout, stderr := typed(t, "", "doctor", "border", "--send", address, "--config", config)
			must(t, code, stdout, stderr, "took the test for support@desk.example (without TLS)")
			x.mu.Lock()
			raw := x.raw
			if x.from != "op@elsewhere.example" || x.to != "support@desk.example" || strings.Count(string(raw), "Authentication-Results:") != 4 {
				t.Errorf("from %s to %s:\n%s", x.from, x.to, raw)
			}
			x.mu.Unlock()
			if got := state(); !strings.Contains(got, "did not come in") {
				t.Errorf("on its way: %s", got)
			}
			if c.strip {
				raw = clean(raw)
			}
			if r := arrives(t, w, raw); r.State != core.Filed || r.Outcome != "border test" {
				t.Errorf("%+v", r)
			}
			if got := state(); !strings.HasPrefix(got, c.level) || !strings.Contains(got, c.says) {
				t.Errorf("afterwards: %s", got)
			}
			// who tries a border before it is in the settings reads it here
			code, stdout, stderr = typed(t, "", "doctor", "border", "--border", "authserv:mx.desk.example", "--config", config)
			must(t, code, stdout, stderr, map[bool]string{true: "this border can be believed", false: "nothing is believed of it"}[c.strip])
		})
	}
	t.Run("R32/a server that refuses the test is told as it said", func(t *testing.T) {
		_, config := onDesk(t)
		x, address := exchange(t)
		x.refuse = true
		code, _, stderr := typed(t, "", "doctor", "border", "--border", "authserv:mx.desk.example", "--from", "op@elsewhere.example", "--send", address, "--config", config)
		if code != failed || !strings.Contains(stderr, "not from you") || !strings.Contains(stderr, "RCPT TO:<support@desk.example>") {
			t.Errorf("got %d: %s", code, stderr)
		}
	})
	t.Run("R32/the test is written for other means, and over nothing", func(t *testing.T) {
		w, config := onDesk(t)
		bordered(t, config, "authserv:mx.desk.example")
		file := filepath.Join(t.TempDir(), "test.eml")
		code, stdout, stderr := typed(t, "", "doctor", "border", "--write", file, "--config", config)
		must(t, code, stdout, stderr, "send it from outside")
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if code, _, stderr := typed(t, "", "doctor", "border", "--write", file, "--config", config); code != failed || !strings.Contains(stderr, "exists") {
			t.Errorf("a second time: %d, %s", code, stderr)
		}
		arrives(t, w, clean(raw))
		if s, err := w.Border(t.Context(), "support", "mx.desk.example"); err != nil || !s.Proved {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

func TestDoctorBorder_showsWhatItWouldHaveBelieved(t *testing.T) {
	w, config := onDesk(t)
	const from = "From: anna@northwind.example\r\nSubject: x\r\n\r\n"
	for _, raw := range []string{
		"Authentication-Results: mx.google.com; dmarc=pass (p=NONE) header.from=northwind.example\r\n" + from,
		"Authentication-Results: mx.google.com; dmarc=fail (p=REJECT) header.from=northwind.example\r\n" + from,
		"Authentication-Results: mx.evil.example; dmarc=pass header.from=northwind.example\r\n" + from + strings.Repeat("long line\r\n", 100_000),
	} {
		keep(t, w, raw)
		w.Clock.Advance(time.Second)
	}
	t.Run("R32/of each of the last mails, with the reason", func(t *testing.T) {
		code, stdout, stderr := typed(t, "", "doctor", "border", "--border", "google", "--config", config)
		must(t, code, stdout, stderr, "anna@northwind.example", "mx.google.com says dmarc=pass", "no trusted evidence",
			"of the last 3 mails border google would have called 1 verified, 1 failed, 1 unknown", "not yet seen live")
	})
	t.Run("R32/as lines of JSON", func(t *testing.T) {
		code, stdout, stderr := typed(t, "", "doctor", "border", "--border", "google", "--json", "--config", config)
		must(t, code, stdout, stderr, `"from":"anna@northwind.example","says":"unknown"`, `"says":"failed"`, `"says":"verified"`)
		if n := strings.Count(stdout, "\n"); n != 3 {
			t.Errorf("%d lines", n)
		}
	})
	t.Run("R32/of a named server before it is proved", func(t *testing.T) {
		code, stdout, stderr := typed(t, "", "doctor", "border", "--border", "authserv:mx.google.com", "--config", config)
		must(t, code, stdout, stderr, "1 verified, 1 failed, 1 unknown")
	})
	for words, want := range map[string]string{
		"":                                       "nothing is believed with border none",
		"--border gmail":                         `must be "google", "microsoft365" or "authserv:NAME"`,
		"--border google --send mx":              "only a border of authserv:NAME is tested",
		"--border authserv:x --send y --write z": "one of them",
		"--border authserv:x;y":                  `must be "google"`,
		"--border authserv:x --write z":          "say who sends the test with --from",
		"--border authserv:x --write z --from nobody": "no mail address",
		"--border google --mailbox sales":             "there is no mailbox",
		"--border google more":                        "is too much",
	} {
		t.Run("R32/wrong use: "+words, func(t *testing.T) {
			code, _, stderr := typed(t, "", append(append([]string{"doctor", "border"}, strings.Fields(words)...), "--config", config)...)
			if code != wrongUse || !strings.Contains(stderr, want) {
				t.Errorf("got %d, %s", code, stderr)
			}
		})
	}
}

func TestContact_isBlockedAndUnblocked(t *testing.T) {
	w, config := onDesk(t)
	for _, c := range []struct {
		words string
		code  int
		want  string
	}{
		{"show eve@evil.example", failed, "nobody is known by eve@evil.example"},
		{"block Eve@Evil.example", done, "eve@evil.example is blocked: its mail is held"},
		{"show eve@evil.example", done, "blocked since"},
		{"show --json eve@evil.example", done, `"blocked":"20`},
		{"unblock eve@evil.example", done, "is blocked no longer"},
		{"unblock eve@evil.example", failed, "is not blocked"},
		{"block mia@desk.example", failed, "mia@desk.example is an agent"},
		{"block support@desk.example", failed, "service address"},
		{"block", wrongUse, "mail address"},
		{"unsuppress eve@evil.example", failed, "is not suppressed"},
	} {
		t.Run("R72/"+c.words, func(t *testing.T) {
			code, stdout, stderr := typed(t, "", append(append([]string{"contact"}, strings.Fields(c.words)...), "--config", config)...)
			if code != c.code || !strings.Contains(stdout+stderr, c.want) {
				t.Errorf("got %d: %s%s", code, stdout, stderr)
			}
		})
	}
	t.Run("R55/a suppressed address is mailed again", func(t *testing.T) {
		if _, err := w.DB.Exec(t.Context(), `update address set suppressed_at = now(), suppressed_reason = '5.1.1 gone' where address = 'eve@evil.example'`); err != nil {
			t.Fatal(err)
		}
		code, stdout, stderr := typed(t, "", "contact", "show", "eve@evil.example", "--config", config)
		must(t, code, stdout, stderr, "5.1.1 gone (postern contact unsuppress eve@evil.example)")
		code, stdout, stderr = typed(t, "", "contact", "unsuppress", "eve@evil.example", "--config", config)
		must(t, code, stdout, stderr, "gets automatic mail again")
	})
}
