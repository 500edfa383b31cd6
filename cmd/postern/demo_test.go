package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/smtp"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"postern/cmd/postern/demo"
	"postern/core/localpg"
)

// terminal is what a program writes, readable while it writes.
type terminal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *terminal) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *terminal) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// eventually waits for a fact.
func eventually(t *testing.T, what string, fact func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !fact(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

func forgetful(ctx context.Context, _ string, log *slog.Logger) (*localpg.Server, error) {
	return localpg.Start(ctx, localpg.Options{Ephemeral: true, Log: log})
}

// startDemo runs the demo world on ports of its own until the test ends it.
func startDemo(t *testing.T, dir string) (banner string, stop func() error) {
	t.Helper()
	const anyPort = "127.0.0.1:0"
	var out terminal
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		p := &program{getenv: environment(), stdout: &out, stderr: io.Discard}
		o := demo.Options{StateDir: dir, HTTPAddr: anyPort, IMAPAddr: anyPort, SMTPAddr: anyPort, DNSAddr: anyPort}
		ended <- runDemo(ctx, p, o, anyPort, forgetful)
	}()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { stop() })
	eventually(t, "the banner", func() bool {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the demo ended: %v", err)
		default:
		}
		return strings.Contains(out.String(), "Ctrl-C")
	})
	return out.String(), stop
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func TestDemo_takesMailAnswersAndStops(t *testing.T) {
	dir := t.TempDir()
	banner, stop := startDemo(t, dir)
	config := filepath.Join(dir, "postern.toml")
	urls := regexp.MustCompile(`http://\S+`).FindAllString(banner, -1)
	for _, url := range urls {
		if code, _ := get(t, url); code != http.StatusOK {
			t.Errorf("the banner shows %s, which answers %d", url, code)
		}
	}
	smtpAddr := regexp.MustCompile(`smtp://(\S+)`).FindStringSubmatch(banner)[1]
	host, _, _ := net.SplitHostPort(smtpAddr)
	mail := "From: Anna <anna@northwind.example>\r\nTo: support@desk.example\r\nSubject: The printer burns\r\n" +
		"Date: " + time.Now().Format(time.RFC1123Z) + "\r\nMessage-ID: <a1@northwind.example>\r\n\r\nHelp!\r\n"
	err := smtp.SendMail(smtpAddr, smtp.PlainAuth("", "anna@northwind.example", "postern", host), "anna@northwind.example", []string{"support@desk.example"}, []byte(mail))
	if err != nil {
		t.Fatal(err)
	}
	desk := strings.TrimRight(urls[1], "/")
	eventually(t, "mail is filed, confirmation and two notices and the probe are sent", func() bool {
		_, body := get(t, desk+"/metrics")
		return strings.Contains(body, `postern_mails_by_class{class="human"} 1`) || strings.Contains(body, `postern_send_attempts_total{result="accepted"} 4`)
	})
	if code, body := get(t, desk+"/healthz"); code != http.StatusOK || !strings.HasPrefix(body, "ok") {
		t.Errorf("/healthz: %d, %s", code, body)
	}
	for _, c := range []struct{ words, want string }{
		{"doctor", "OK    database: PostgreSQL"},
		{"doctor --json", `{"level":"OK","about":"smtp"`},
		{"ledger check", "filed"},
		{"agent list", "mia@desk.example"},
		{"organisation list --json", `"domains":["northwind.example"]`},
		{"invite carla@fabrikam.example --organisation Fabrikam", "an invitation for carla@fabrikam.example is on its way"},
		{"desk apply default.toml --dry-run", "nothing changes"},
		{"desk show support", `prefix = "CASE"`},
	} {
		code, stdout, stderr := typed(t, "", append(strings.Fields(c.words), "--config", config)...)
		if code != done || !strings.Contains(stdout, c.want) {
			t.Errorf("%s: got %d\n%s%s", c.words, code, stdout, stderr)
		}
	}
	code, stdout, stderr := typed(t, strings.ReplaceAll(mail, "a1@", "a2@"), "explain", "--live", "--json", "--config", config, "-")
	if code != done || !strings.Contains(stdout, `"outcome":"opens a case"`) || !strings.Contains(stdout, `"assurance":"unknown"`) {
		t.Errorf("explain --live: got %d\n%s%s", code, stdout, stderr)
	}
	if err := stop(); err != nil {
		t.Errorf("stopping: %v", err)
	}
}

func TestDemo_saysInOneSentenceWhatToDo(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().String()
	file := written(t, "file", "")
	for _, c := range []struct{ name, words, want string }{
		{"Postern's port is taken", "--web " + port, "choose another with --web"},
		{"a mail port is taken", "--web 127.0.0.1:0 --imap " + port, "choose another with --imap"},
		{"the folder cannot be written", "--web 127.0.0.1:0 --state " + file + "/below", "choose another with --state"},
	} {
		t.Run(c.name, func(t *testing.T) {
			words := append([]string{"demo", "--state", t.TempDir()}, strings.Fields(c.words)...)
			code, _, stderr := typed(t, "", words...)
			if code != failed || !strings.Contains(stderr, c.want) || strings.Count(strings.TrimSpace(stderr), "\n") > 0 {
				t.Errorf("got %d, %s", code, stderr)
			}
		})
	}
}
