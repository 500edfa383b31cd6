package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/mailin"
)

// numbers are what a database would say.
type numbers struct {
	stats core.Stats
	err   error
	asked int
}

func (n *numbers) Stats(context.Context) (core.Stats, error) {
	n.asked++
	return n.stats, n.err
}

func TestHealth(t *testing.T) {
	now := time.Now()
	ago := func(d time.Duration) *time.Time { at := now.Add(-d); return &at }
	polled := func(d time.Duration) core.Stats {
		return core.Stats{Mailboxes: []core.MailboxLag{{Account: "support", Folder: "INBOX", PolledAt: ago(d)}}}
	}
	for _, c := range []struct {
		name string
		n    numbers
		code int
		want string
	}{
		{"all is well", numbers{stats: polled(time.Minute)}, 200, "ok"},
		{"nothing was ever polled", numbers{stats: core.Stats{Mailboxes: []core.MailboxLag{{Account: "support"}}}}, 200, "ok"},
		{"the database is away", numbers{err: errors.New("connect to 10.0.0.1: refused")}, 503, "the database is away"},
		{"the database is slow", numbers{err: context.DeadlineExceeded}, 503, "does not answer in time"},
		{"a mailbox is silent", numbers{stats: polled(time.Hour)}, 503, "mailbox support, folder INBOX: no good poll for 1h0m0s"},
		{"mail is not filed", numbers{stats: core.Stats{OldestStored: *ago(20 * time.Minute)}}, 503, "mail waits to be filed"},
		{"mail is not sent", numbers{stats: core.Stats{OldestUnsent: *ago(5 * time.Hour)}}, 503, "mail waits to be sent"},
		{"R65/the database refuses what is written", numbers{stats: core.Stats{Unwritable: errors.New("25006")}}, 503, "nothing is fetched and nothing is sent"},
		{"mail in quarantine stops nobody", numbers{stats: core.Stats{Ledger: map[core.State]int64{core.Quarantined: 2}}}, 200, "2 mails in quarantine"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			healthHandler(&c.n, t.TempDir(), func() []string { return nil }).ServeHTTP(w, httptest.NewRequest("GET", "/healthz", nil))
			if w.Code != c.code || !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("got %d, %s", w.Code, w.Body)
			}
			if strings.Contains(w.Body.String(), "10.0.0.1") {
				t.Error("it tells strangers where the database is")
			}
		})
	}
}

func TestLately_asksOnceForManyWhoAsk(t *testing.T) {
	n := &numbers{err: errors.New("away")}
	l := &lately{statistics: n}
	if _, err := l.Stats(t.Context()); err == nil {
		t.Error("an error was swallowed")
	}
	n.err = nil
	for range 5 {
		if _, err := l.Stats(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if n.asked != 2 {
		t.Errorf("asked %d times: once for the error, once for all others", n.asked)
	}
}

// A mailbox may be called by any word that stands in findings.
func TestHealth_aMailboxCalledQuarantineStopsToo(t *testing.T) {
	at := time.Now().Add(-time.Hour)
	n := &numbers{stats: core.Stats{Mailboxes: []core.MailboxLag{{Account: "quarantine", Folder: "INBOX", PolledAt: &at}}}}
	w := httptest.NewRecorder()
	healthHandler(n, t.TempDir(), func() []string { return nil }).ServeHTTP(w, httptest.NewRequest("GET", "/healthz", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("got %d, %s", w.Code, w.Body)
	}
}

func TestHealth_whatThisProcessSaysStops(t *testing.T) {
	w := httptest.NewRecorder()
	healthHandler(&numbers{}, t.TempDir(), func() []string { return []string{"the server of quarantine.example takes no mail"} }).
		ServeHTTP(w, httptest.NewRequest("GET", "/healthz", nil))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "takes no mail") {
		t.Errorf("got %d, %s", w.Code, w.Body)
	}
}

// supportAndJunk are settings with one mailbox, whose junk folder is read too.
func supportAndJunk(t *testing.T) *Settings {
	t.Helper()
	return &Settings{Mailboxes: []Mailbox{{Name: "support", Inbox: "INBOX", Junk: "Spam", Processed: "Processed", Quarantine: "Quarantine"}}}
}

func TestHealth_judgesOnlyFoldersThatArePolled(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	for _, c := range []struct {
		account, folder string
		code            int
	}{
		{"support", "INBOX", 503},
		{"support", "Spam", 503},
		{"support", "Processed", 200},
		{"support", "Quarantine", 200},
		{"gone-from-the-settings", "INBOX", 200},
	} {
		t.Run(c.account+" "+c.folder, func(t *testing.T) {
			at := time.Now().Add(-time.Hour)
			n := &lately{statistics: &numbers{stats: core.Stats{Mailboxes: []core.MailboxLag{{Account: c.account, Folder: c.folder, PolledAt: &at}}}}}
			metrics := metricsHandler(n, quiet, processMetrics{&gateway{settings: supportAndJunk(t)}}) // as newGateway does
			w := httptest.NewRecorder()
			healthHandler(n, t.TempDir(), func() []string { return nil }).ServeHTTP(w, httptest.NewRequest("GET", "/healthz", nil))
			if w.Code != c.code {
				t.Errorf("got %d, %s", w.Code, w.Body)
			}
			w = httptest.NewRecorder()
			metrics.ServeHTTP(w, scrape("127.0.0.1:4711"))
			if got := strings.Contains(w.Body.String(), "postern_mailbox_lag_seconds{"); got != (c.code == 503) {
				t.Errorf("its lag is measured: %v", got)
			}
		})
	}
}

// scrape is a request for /metrics from an address.
func scrape(from string) *http.Request {
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.RemoteAddr = from
	return r
}

func TestMetrics_twoFoldersOfOneMailbox(t *testing.T) {
	g := &gateway{settings: supportAndJunk(t), pollers: []*mailin.Poller{
		{Name: "support", Folder: "INBOX"}, {Name: "support", Folder: "Spam"},
	}}
	w := httptest.NewRecorder()
	metricsHandler(&numbers{}, slog.New(slog.DiscardHandler), processMetrics{g}).ServeHTTP(w, scrape("127.0.0.1:4711"))
	if w.Code != http.StatusOK {
		t.Fatalf("got %d, %s", w.Code, w.Body)
	}
	for _, name := range []string{"postern_mails_kept_total", "postern_mailbox_behind", "postern_mailbox_held"} {
		for _, folder := range []string{"INBOX", "Spam"} {
			if want := name + `{account="support",folder="` + folder + `"} 0`; !strings.Contains(w.Body.String(), want) {
				t.Errorf("no %s", want)
			}
		}
	}
}

func TestMetrics_areForThisMachineAndTrustedProxies(t *testing.T) {
	s := supportAndJunk(t)
	s.Instance.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::1/128")}
	h := metricsHandler(&numbers{}, slog.New(slog.DiscardHandler), processMetrics{&gateway{settings: s}})
	for _, c := range []struct {
		from, field string
		code        int
	}{
		{"127.0.0.1:4711", "", 200},
		{"[::1]:4711", "", 200},
		{"[::ffff:127.0.0.1]:4711", "", 200},
		{"10.1.2.3:4711", "", 200},
		{"[fd00::1]:4711", "", 200},
		{"10.2.2.3:4711", "", 404},
		{"192.0.2.1:4711", "", 404},
		{"127.0.0.1:4711", "X-Forwarded-For", 404},
		{"10.1.2.3:4711", "X-Forwarded-For", 404},
		{"127.0.0.1:4711", "Forwarded", 404},
		{"127.0.0.1:4711", "X-Real-IP", 404},
		{"127.0.0.1:4711", "Via", 404},
		{"@", "", 404},
		{"", "", 404},
	} {
		r := scrape(c.from)
		if c.field != "" {
			r.Header.Set(c.field, "127.0.0.1")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.code || c.code == 404 && strings.Contains(w.Body.String(), "postern_") {
			t.Errorf("%s %s: got %d", c.from, c.field, w.Code)
		}
	}
}

func TestMetrics(t *testing.T) {
	at := time.Now().Add(-time.Minute)
	n := &numbers{stats: core.Stats{
		Ledger: map[core.State]int64{core.Filed: 7}, Class: map[core.Class]int64{core.Human: 6}, Outbox: map[string]int64{"queued": 2},
		OldestUnsent: at, Mailboxes: []core.MailboxLag{{Account: "support", Folder: "INBOX", PolledAt: &at}},
	}}
	w := httptest.NewRecorder()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	metricsHandler(n, quiet).ServeHTTP(w, scrape("127.0.0.1:4711"))
	for _, want := range []string{
		`postern_mails{state="filed"} 7`, `postern_mails{state="held"} 0`, `postern_mails_by_class{class="human"} 6`,
		`postern_outbox_mails{state="queued"} 2`, "postern_oldest_stored_seconds 0", "postern_oldest_unsent_seconds 6",
		`postern_mailbox_lag_seconds{account="support",folder="INBOX"} 6`, "postern_database_up 1", "go_goroutines",
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %s", want)
		}
	}
	n.err = errors.New("away")
	w = httptest.NewRecorder()
	metricsHandler(n, quiet).ServeHTTP(w, scrape("127.0.0.1:4711"))
	if w.Code != 200 || !strings.Contains(w.Body.String(), "postern_database_up 0") {
		t.Errorf("without a database: %d", w.Code)
	}
}

func TestFreeBytes(t *testing.T) {
	if free, err := freeBytes(t.TempDir()); err != nil || free <= 0 {
		t.Errorf("got %d, %v", free, err)
	}
	if _, err := freeBytes("/no/such/folder"); err == nil {
		t.Error("a missing folder has room")
	}
}

func TestLog_keepsHostileValuesToOneShortLine(t *testing.T) {
	var out strings.Builder
	newLog(&out).Warn("mail", "err", errors.New("a\nb\x1b[2J"+strings.Repeat("x", 1000)), "took", 1234567*time.Nanosecond)
	if strings.Count(out.String(), "\n") != 1 || strings.Contains(out.String(), "\x1b") || len(out.String()) > 400 {
		t.Errorf("got %q", out.String())
	}
	if !strings.Contains(out.String(), "took=1.235ms") {
		t.Errorf("got %q", out.String())
	}
}
