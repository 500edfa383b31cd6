package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// onDesk is a desk on a real database, and the settings file with which the
// commands reach it.
func onDesk(t *testing.T) (*coretest.World, string) {
	t.Helper()
	w := coretest.NewDesk(t, nil)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("a secret of tests, longer than thirty-two bytes"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`[instance]
base_url = "http://desk.example"
state_dir = "."
[database]
url = %q
[mailbox.support]
addresses = ["support@desk.example"]
host = "127.0.0.1"
port = 1
tls = "none"
user = "support"
password = "hunter2"
[smtp]
host = "127.0.0.1"
port = 1
tls = "none"
[desk.support]
file = "default.toml"
`, w.URL)
	config := filepath.Join(dir, "postern.toml")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return w, config
}

func must(t *testing.T, code int, stdout, stderr string, want ...string) {
	t.Helper()
	if code != done {
		t.Fatalf("got %d: %s", code, stderr)
	}
	for _, w := range want {
		if !strings.Contains(stdout, w) {
			t.Errorf("no %q in:\n%s", w, stdout)
		}
	}
}

func TestPeople_areMadeAndListed(t *testing.T) {
	_, config := onDesk(t)
	for _, c := range []struct {
		words []string
		want  string
	}{
		{[]string{"agent", "add", "Eva@Desk.example", "--name", "Eva de Boer", "--role", "admin"}, "eva@desk.example is an admin of desk support"},
		{[]string{"agent", "list"}, "Eva de Boer"},
		{[]string{"agent", "list", "--json"}, `{"address":"eva@desk.example","name":"Eva de Boer","desk":"support","role":"admin"}`},
		{[]string{"organisation", "add", "Bakkerij Zon", "--domain", "@BakkerijZon.example"}, "organisation Bakkerij Zon is known with bakkerijzon.example"},
		{[]string{"organisation", "list"}, "bakkerijzon.example"},
		{[]string{"invite", "anna@bakkerijzon.example", "--organisation", "Bakkerij Zon"}, "is on its way"},
	} {
		code, stdout, stderr := typed(t, "", append(c.words, "--config", config)...)
		must(t, code, stdout, stderr, c.want)
	}
	t.Run("R33/reply addresses are withdrawn by hand", func(t *testing.T) {
		for _, c := range []struct {
			address, want string
			code          int
		}{
			{"Anna@BakkerijZon.example", "1 reply address is withdrawn", done}, // of the invitation
			{"anna@bakkerijzon.example", "0 reply addresses are withdrawn", done},
			{"nobody@bakkerijzon.example", "nobody's address here", failed},
			{"support@desk.example", "is a service address", failed},
			{"anna", "is no mail address", wrongUse},
		} {
			code, stdout, stderr := typed(t, "", "token", "withdraw", c.address, "--config", config)
			if code != c.code || !strings.Contains(stdout+stderr, c.want) {
				t.Errorf("%s: got %d, %s%s", c.address, code, stdout, stderr)
			}
		}
	})
	code, _, stderr := typed(t, "", "organisation", "add", "Everybody", "--domain", "gmail.com", "--config", config)
	if code != failed || !strings.Contains(stderr, "public") {
		t.Errorf("a public provider: got %d, %s", code, stderr)
	}
}

// keep puts a mail into the ledger, as a poll does.
func keep(t *testing.T, w *coretest.World, raw string) int64 {
	t.Helper()
	ctx := t.Context()
	mb, err := w.OpenMailbox(ctx, "support", "INBOX", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	mb, held, err := w.LeaseMailbox(ctx, mb.ID, "test", time.Minute)
	if err != nil || !held {
		t.Fatal(held, err)
	}
	rows, err := w.Keep(ctx, mb, 1, []core.Incoming{{
		UIDValidity: 1, UID: mb.NextUID, Received: w.Clock.Now(), Size: int64(len(raw)),
		Raw: io.NewSectionReader(strings.NewReader(raw), 0, int64(len(raw))),
	}}, mb.NextUID+1)
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	return rows[0].ID
}

func TestLedger_quarantinedMailIsListedShownAndRetried(t *testing.T) {
	w, config := onDesk(t)
	id := keep(t, w, plainMail)
	state := core.StateStored
	for state == core.StateStored {
		var err error
		if state, err = w.Failed(t.Context(), id, errors.New("reading took too long")); err != nil {
			t.Fatal(err)
		}
	}
	number := fmt.Sprint(id)
	for _, c := range []struct{ words, want string }{
		{"ledger list", "reading took too long"},
		{"ledger list --state quarantined --json", `"state":"quarantined"`},
		{"ledger list --state held", "there is no such mail"},
		{"ledger show " + number, "quarantined"},
		{"ledger retry " + number, "mail " + number + " is filed again"},
		{"ledger list --state stored", number},
	} {
		code, stdout, stderr := typed(t, "", append(strings.Fields(c.words), "--config", config)...)
		must(t, code, stdout, stderr, c.want)
	}
	if n := balance(t, config)["quarantined"]; n != 0 {
		t.Errorf("%d mails are still quarantined", n)
	}
	code, _, stderr := typed(t, "", "ledger", "retry", number, "--config", config)
	if code != failed || !strings.Contains(stderr, "not quarantined") {
		t.Errorf("a second retry: got %d, %s", code, stderr)
	}
}

func TestLedgerShow_sayWhatIsNotThere(t *testing.T) {
	_, config := onDesk(t)
	code, _, stderr := typed(t, "", "ledger", "show", "4711", "--config", config)
	if code != failed || !strings.Contains(stderr, "there is no mail 4711") {
		t.Errorf("got %d, %s", code, stderr)
	}
	for _, words := range []string{"ledger refuse 4711", "ledger release --agent nobody@desk.example 4711", "contact unblock eve@evil.example"} {
		code, _, stderr := typed(t, "", append(strings.Fields(words), "--config", config)...)
		if code != failed || strings.Contains(stderr, ": not found") {
			t.Errorf("%s: got %d, %s", words, code, stderr)
		}
	}
}

func TestLedgerShow_namesWhatHelps(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		want, not    string
	}{
		{"R73/the lines of a relay, as the desk file needs them", `own-address, [[relay]] from = "web@desk.example", requester = "reply-to", list_id = "a.b"`,
			"     [[relay]]\n     from = \"web@desk.example\"\n     requester = \"reply-to\"\n     list_id = \"a.b\"\n", "no such thing"},
		{"R41/what nobody can be found to file for is only refused", "from", "ledger refuse", "ledger release"},
		{"R41/what the rules would hold again can be made a case", "bounce", "release --agent ADDRESS --as case", "files it on an agent's word"},
		{"R41/what waits for a word is released", "unknown", "files it on an agent's word", "[[relay]]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			p := &program{stdout: &out}
			showMail(p, core.LedgerView{HeldLine: core.HeldLine{Ledger: 12, State: core.Held, Reason: c.reason}})
			if s := out.String(); !strings.Contains(s, c.want) || strings.Contains(s, c.not) {
				t.Errorf("%s", s)
			}
		})
	}
}

func TestDeskApply_showsWhatChangesAndThenUsesIt(t *testing.T) {
	_, config := onDesk(t)
	changed := written(t, "changed.toml", strings.Replace(string(coretest.DefaultDesk(t)), "Customer Service", "Front Office", 1))
	code, stdout, stderr := typed(t, "", "desk", "apply", changed, "--dry-run", "--config", config)
	must(t, code, stdout, stderr, "Front Office", "nothing was changed")
	code, stdout, stderr = typed(t, "", "desk", "show", "--config", config)
	must(t, code, stdout, stderr, "Customer Service")
	code, stdout, stderr = typed(t, "", "desk", "apply", changed, "--config", config)
	must(t, code, stdout, stderr, "in use from now on")
	code, stdout, stderr = typed(t, "", "desk", "show", "--config", config)
	must(t, code, stdout, stderr, "Front Office")
}

func TestDoctor_saysWhatToTypeNext(t *testing.T) {
	_, config := onDesk(t)
	code, stdout, _ := typed(t, "", "doctor", "--config", config)
	if code != failed {
		t.Errorf("got %d: no mail server listens on port 1", code)
	}
	for _, want := range []string{
		"OK    settings: " + config, "OK    database: PostgreSQL", "OK    desk support: version 1 of its file, 2 agents",
		"WARN  probe support: no mail to a plus address of support@desk.example was sent yet", "      -> postern serve",
		"FAIL  mailbox support: 127.0.0.1:1", "FAIL  smtp: 127.0.0.1:1",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in:\n%s", want, stdout)
		}
	}
}

func TestDoctor_namesWhereRefusedMailIsListed(t *testing.T) {
	w, config := onDesk(t)
	code, stdout, stderr := typed(t, "", "invite", "anna@customer.example", "--organisation", "Customer", "--config", config)
	must(t, code, stdout, stderr, "an invitation for")
	if _, err := w.DB.Exec(t.Context(), `update outbox set state = 'failed', reason = '5.1.1'`); err != nil {
		t.Fatal(err)
	}
	if _, stdout, _ := typed(t, "", "doctor", "--config", config); !strings.Contains(stdout, "1 mails were refused for good\n      -> postern outbox list --state failed names them") {
		t.Error(stdout)
	}
}

func TestOpenAsIs_saysWhatToDoWithoutADatabase(t *testing.T) {
	w, config := onDesk(t)
	raw, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	away := filepath.Join(filepath.Dir(config), "away.toml")
	line := regexp.MustCompile(`(?m)^url = .*`).ReplaceAll(raw, []byte(`url = "postgres://postern@127.0.0.1:1/postern"`))
	if err := os.WriteFile(away, line, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ file, want string }{{away, "PostgreSQL does not answer"}, {config, "postern migrate makes them"}} {
		if c.file == config {
			if _, err := w.DB.Exec(t.Context(), `alter table goose_db_version rename to gone`); err != nil {
				t.Fatal(err)
			}
		}
		code, _, stderr := typed(t, "", "doctor", "border", "--border", "google", "--config", c.file)
		if code != failed || !strings.Contains(stderr, c.want) {
			t.Errorf("got %d: %s", code, stderr)
		}
	}
}

func TestDoctor_withoutTables(t *testing.T) {
	source := strings.Replace(goodSettings, "postgres:///postern", "postgres://postern@127.0.0.1:1/postern?connect_timeout=2", 1)
	path := written(t, "postern.toml", source)
	d := &doctor{program: &program{getenv: environment(), stdout: io.Discard, stderr: io.Discard, config: path}}
	s := d.settingsFound()
	var out bytes.Buffer
	d.stdout = &out
	if desk := d.database(t.Context(), s); desk != nil || !d.sick {
		t.Errorf("a database that is away: %s", out.String())
	}
	if strings.Contains(out.String(), "hunter") || !strings.Contains(out.String(), "-> check that PostgreSQL runs") {
		t.Errorf("got %s", out.String())
	}
}

func TestChore_runsOnceForEachTickHoweverManyProcesses(t *testing.T) {
	w, _ := onDesk(t)
	var runs atomic.Int64
	c := chore{"* * * * *", "test", func(context.Context, *core.Desk, *slog.Logger) (int, error) {
		runs.Add(1)
		return 1, nil
	}}
	quiet := slog.New(slog.DiscardHandler)
	tick := time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC)
	for n := range int64(3) {
		var processes sync.WaitGroup
		for range 4 {
			processes.Go(func() { runChore(t.Context(), w.Desk, c, tick.Add(time.Duration(n)*time.Minute), quiet) })
		}
		processes.Wait()
		if runs.Load() != n+1 {
			t.Fatalf("after %d ticks: %d runs", n+1, runs.Load())
		}
	}
}

func TestChores_allCanRunAndStop(t *testing.T) {
	w, _ := onDesk(t)
	names := make(map[string]bool)
	for _, c := range chores {
		if names[c.name] {
			t.Errorf("two chores are called %s", c.name)
		}
		names[c.name] = true
		if _, err := c.do(t.Context(), w.Desk, slog.New(slog.DiscardHandler)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := runChores(ctx, w.Desk, slog.New(slog.DiscardHandler)); err != nil {
		t.Error(err)
	}
}
