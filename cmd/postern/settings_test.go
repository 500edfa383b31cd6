package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postern/core"
)

// goodSettings are complete and right. Tests change a line of them.
const goodSettings = `[instance]
base_url = "https://desk.example"
state_dir = "/var/lib/postern"
[database]
url = "postgres:///postern"
[mailbox.support]
addresses = ["support@example.org", "Help@Example.org"]
host = "imap.example.org"
user = "support@example.org"
password = "hunter2"
[smtp]
host = "smtp.example.org"
user = "support@example.org"
password = "hunter3"
[desk.support]
file = "default.toml"
`

// environment is a getenv for tests.
func environment(pairs ...string) func(string) string {
	all := make(map[string]string)
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return all[name] }
}

func parsed(t *testing.T, source string, env ...string) *Settings {
	t.Helper()
	s, err := parseSettings(filepath.Join(t.TempDir(), "postern.toml"), []byte(source), environment(env...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSettings_defaults(t *testing.T) {
	s := parsed(t, goodSettings)
	m := s.Mailboxes[0]
	for _, c := range []struct{ what, got, want string }{
		{"listen", s.Instance.Listen, "127.0.0.1:8080"},
		{"imap tls", m.TLS, "implicit"},
		{"imap port", fmt.Sprint(m.Port), "993"},
		{"smtp tls", s.SMTP.TLS, "starttls"},
		{"smtp port", fmt.Sprint(s.SMTP.Port), "587"},
		{"desk, the only one", m.Desk, "support"},
		{"addresses, in lower case", strings.Join(m.Addresses, " "), "support@example.org help@example.org"},
		{"inbox", m.Inbox, "INBOX"},
		{"border", m.Border, "none"},
		{"envelope", s.SMTP.Envelope, "auto"},
		{"reply tokens", s.SMTP.ReplyTokens, "auto"},
		{"lease", s.Limits.Lease.String(), "1m0s"},
		{"mail", fmt.Sprint(s.Limits.MailBytes), "41943040"},
		{"budgets", fmt.Sprint(s.Budgets), fmt.Sprint(core.DefaultBudgets())},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %s, want %s", c.what, c.got, c.want)
		}
	}
	if len(s.Desks[0].Source) == 0 {
		t.Error("the desk file that comes with Postern was not found")
	}
}

func TestSettings_values(t *testing.T) {
	s := parsed(t, goodSettings+`
[budgets]
confirm_unknown = ["2/1h", "5/24h"]
per_case = []
links = "9/30m"
bytes_unknown = "10MiB"
[limits]
gather = "0s"
lease = "3s"
uncertain_after = "3s"
answer_within = "48h"
mail = "1MiB"
parts = 10
`)
	if got := s.Budgets.ConfirmUnknown; len(got) != 2 || got[1] != (core.Window{Count: 5, Within: 24 * time.Hour}) {
		t.Errorf("confirm_unknown: got %v", got)
	}
	if len(s.Budgets.PerCase) != 0 || s.Budgets.Links.Count != 9 || s.Budgets.BytesUnknown != 10<<20 {
		t.Errorf("budgets: got %+v", s.Budgets)
	}
	if s.Limits.Gather != 0 || s.Limits.Lease != 3*time.Second || s.Limits.AnswerWithin != 48*time.Hour || s.Limits.MailBytes != 1<<20 || s.Limits.Reading.Parts != 10 {
		t.Errorf("limits: got %+v", s.Limits)
	}
}

func TestSettings_portSaysHowItIsEncrypted(t *testing.T) {
	for _, c := range []struct {
		add  string
		tls  string
		port int
	}{
		{"port = 465", "implicit", 465},
		{"port = 587", "starttls", 587},
		{"port = 2525", "starttls", 2525},
		{`tls = "implicit"`, "implicit", 465},
		{"port = 465\ntls = \"starttls\"", "starttls", 465},
	} {
		s := parsed(t, strings.Replace(goodSettings, "[smtp]", "[smtp]\n"+c.add, 1))
		if s.SMTP.TLS != c.tls || s.SMTP.Port != c.port {
			t.Errorf("%s: got %s on %d, want %s on %d", c.add, s.SMTP.TLS, s.SMTP.Port, c.tls, c.port)
		}
	}
}

// Each case changes one line of the good settings and names the one complaint
// that must come of it.
func TestSettings_wrong(t *testing.T) {
	for _, c := range []struct {
		name, old, new string
		want           string // where, and what would be right
	}{
		{"an unknown key is refused", `host = "imap`, `hots = "imap`, "8:8: there is no setting mailbox.support.hots: mailbox.support.host is meant, perhaps"},
		{"an unknown section is refused", "[smtp]", "[imap]\n[smtp]", "11:2: there is no section [imap]"},
		{"a section of the wrong kind is refused", "[smtp]", "[[budget]]\n[smtp]", "11:3: there is no setting budget"},
		{"base_url needs a scheme", "https://desk.example", "desk.example", `2:12: instance.base_url = "desk.example": must be http or https and a host`},
		{"base_url has no path", "https://desk.example", "https://desk.example/help", "2:12: instance.base_url"},
		{"base_url must be there", `base_url = "https://desk.example"`, "", "1:2: instance.base_url is missing"},
		{"the database's address is never repeated", "postgres:///postern", "mysql://root:hunter4@db", `5:7: database.url must look like "postgres://`},
		{"a port is a number", `host = "smtp.example.org"`, `port = "587"`, `12:8: smtp.port = "587": must be a whole number from 1 to 65535`},
		{"a port is in range", `host = "smtp.example.org"`, "port = 70000", `12:8: smtp.port = "70000": must be a whole number`},
		{"plain text stays on this machine", `host = "smtp.example.org"`, "host = \"smtp.example.org\"\ntls = \"none\"", `13:7: smtp.tls = "none": smtp.example.org is another machine`},
		{"tls is one of three", `host = "smtp.example.org"`, "host = \"smtp.example.org\"\ntls = \"yes\"", `13:7: smtp.tls = "yes": must be "implicit", "starttls" or "none"`},
		{"addresses are addresses", `"Help@Example.org"`, `"help desk"`, `7:1: mailbox.support.addresses: "help desk" is no mail address`},
		{"addresses have no tags", `"Help@Example.org"`, `"support+x@example.org"`, `7:1: mailbox.support.addresses: "support+x@example.org" has a plus tag`},
		{"an address stands once", `"Help@Example.org"`, `"SUPPORT@example.org"`, "7:1: mailbox.support.addresses: support@example.org stands in mailbox.support already"},
		{"a mailbox has a desk that is there", `host = "imap`, "desk = \"sales\"\nhost = \"imap", `8:8: mailbox.support.desk = "sales": there is no [desk.sales]: must be "support"`},
		{"a mailbox has a password", `password = "hunter2"`, "", "6:10: mailbox.support.password is missing: name a file with password_file or POSTERN_MAILBOX_SUPPORT_PASSWORD_FILE"},
		{"a password file must be there", `password = "hunter2"`, `password_file = "nowhere"`, "10:17: mailbox.support.password_file: open"},
		{"a password is a string", `password = "hunter2"`, "password = 12345", "10:12: mailbox.support.password must be a string in quotes"},
		{"a border is one that we can read", `host = "imap`, "border = \"gmail\"\nhost = \"imap", `8:10: mailbox.support.border = "gmail": must be "none", "google", "microsoft365" or "authserv:NAME"`},
		{"the junk folder is none of the others", `host = "imap`, "junk = \"INBOX\"\nhost = \"imap", "8:8: mailbox.support.junk is the inbox folder too"},
		{"since is a date", `host = "imap`, "since = \"yesterday\"\nhost = \"imap", `8:9: mailbox.support.since = "yesterday": must be a date`},
		{"a desk file must be there", "default.toml", "no-such.toml", "16:8: desk.support.file: open"},
		{"a desk has a mailbox", "[desk.support]", "[desk.sales]\n[desk.support]", "["},
		{"a duration has a unit", "[desk.support]", "[limits]\nlease = 60\n[desk.support]", `16:9: limits.lease = "60": must be a duration from 1s to 1h, as "90s"`},
		{"a size is in range", "[desk.support]", "[limits]\nmail = \"2TiB\"\n[desk.support]", `16:8: limits.mail = "2TiB": must be a size from 64KiB to 1GiB`},
		{"a budget is a number and a duration", "[desk.support]", "[budgets]\nlinks = \"many\"\n[desk.support]", `16:9: budgets.links: "many" must be a number and a duration`},
		{"a proxy is a network", `state_dir = "/var/lib/postern"`, `trusted_proxies = ["proxy"]`, `3:1: instance.trusted_proxies: "proxy" must be an IP address or network`},
		{"listen has a port", `state_dir = "/var/lib/postern"`, `listen = "localhost"`, `3:10: instance.listen = "localhost": must be an address and a port`},
		{"the operator is a person", `state_dir = "/var/lib/postern"`, `operator = "help@example.org"`, "3:12: instance.operator: help@example.org is an own address of mailbox.support"},
		{"TOML is checked first", `file = "default.toml"`, `file = "default.toml`, "16:"},
		{"a key stands once", `file = "default.toml"`, "file = \"default.toml\"\nfile = \"default.toml\"", "17:1: not readable as TOML"},
	} {
		t.Run(c.name, func(t *testing.T) {
			source := strings.Replace(goodSettings, c.old, c.new, 1)
			if source == goodSettings {
				t.Fatal("nothing was changed")
			}
			_, err := parseSettings("postern.toml", []byte(source), environment())
			if err == nil {
				t.Fatal("accepted")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got\n%v\nwant\n%s", err, c.want)
			}
			if strings.Contains(err.Error(), "hunter") {
				t.Errorf("a secret was told: %v", err)
			}
		})
	}
}

func TestSettings_allProblemsAtOnce(t *testing.T) {
	dir := t.TempDir()
	desk := filepath.Join(dir, "wrong.toml")
	if err := os.WriteFile(desk, []byte("prefix = \"c\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := parseSettings(filepath.Join(dir, "postern.toml"), []byte(`
[instance]
colour = "blue"
[database]
url = "postgres:///postern"
[mailbox.support]
tls = "none"
host = "imap.example.org"
[smtp]
port = 0
[desk.support]
file = "wrong.toml"
`), environment("POSTERN_SMTP_CONNECTIONS", "lots"))
	list, ok := err.(problems)
	if !ok {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		"postern.toml:2:2: instance.base_url is missing",
		"postern.toml:3:10: there is no setting instance.colour",
		"postern.toml:6:10: mailbox.support.user is missing",
		"postern.toml:6:10: mailbox.support.password is missing",
		"postern.toml:6:10: mailbox.support.addresses is missing",
		"postern.toml:7:7: mailbox.support.tls",
		"postern.toml:9:2: smtp.host is missing",
		"postern.toml:10:8: smtp.port",
		"wrong.toml:1:",
		`POSTERN_SMTP_CONNECTIONS: smtp.connections = "lots": must be a whole number from 1 to 200`,
	} {
		if !strings.Contains(list.Error(), want) {
			t.Errorf("missing: %s", want)
		}
	}
	if t.Failed() {
		t.Log(list.Error())
	}
}

func TestSettings_environmentWins(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "imap")
	if err := os.WriteFile(secret, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	source := strings.Replace(goodSettings, `password = "hunter2"`, "", 1)
	s := parsed(t, source,
		"POSTERN_INSTANCE_BASE_URL", "https://other.example/",
		"POSTERN_MAILBOX_SUPPORT_PASSWORD_FILE", secret,
		"POSTERN_MAILBOX_SUPPORT_ADDRESSES", "a@example.org, b@example.org",
		"POSTERN_SMTP_PORT", "465",
		"POSTERN_BUDGETS_LINKS", "7/1h",
		"POSTERN_LIMITS_ANSWER_WITHIN", "1h",
		"POSTERN_DATABASE_URL", "postgres://env/postern",
	)
	for _, c := range []struct{ what, got, want string }{
		{"base_url", s.Instance.BaseURL, "https://other.example"},
		{"password", s.Mailboxes[0].Password.Reveal(), "from a file"},
		{"addresses", strings.Join(s.Mailboxes[0].Addresses, " "), "a@example.org b@example.org"},
		{"port", fmt.Sprint(s.SMTP.Port), "465"},
		{"tls of that port", s.SMTP.TLS, "implicit"},
		{"links", fmt.Sprint(s.Budgets.Links.Count), "7"},
		{"answer_within", s.Limits.AnswerWithin.String(), "1h0m0s"},
		{"database", s.Database.URL.Reveal(), "postgres://env/postern"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %s, want %s", c.what, c.got, c.want)
		}
	}
}

func TestSettings_passwordAndPasswordFileTogetherAreRefused(t *testing.T) {
	_, err := parseSettings("postern.toml", []byte(goodSettings), environment("POSTERN_SMTP_PASSWORD_FILE", "/dev/null"))
	if err == nil || !strings.Contains(err.Error(), "smtp.password and smtp.password_file are both set") {
		t.Errorf("got %v", err)
	}
}

func TestSettings_stateDirOfSystemd(t *testing.T) {
	source := strings.Replace(goodSettings, `state_dir = "/var/lib/postern"`, "", 1)
	if got := parsed(t, source, "STATE_DIRECTORY", "/var/lib/desk:/var/lib/more").Instance.StateDir; got != "/var/lib/desk" {
		t.Errorf("got %s", got)
	}
	if got := parsed(t, source).Instance.StateDir; got != "/var/lib/postern" {
		t.Errorf("without systemd: got %s", got)
	}
}

func TestSettings_missingFileSaysWhatToDo(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := os.Stat(settingsPlaces[1]); err == nil {
		t.Fatalf("this machine has %s: the test needs one without", settingsPlaces[1])
	}
	_, err := loadSettings("", environment())
	if err == nil || !strings.Contains(err.Error(), "postern demo") {
		t.Errorf("got %v", err)
	}
}

func TestSecret_isNeverPrinted(t *testing.T) {
	s := parsed(t, goodSettings)
	var log strings.Builder
	newLog(&log).Info("settings", "password", s.SMTP.Password, "all", s, "smtp", slog.AnyValue(s.SMTP))
	asJSON, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{log.String(), string(asJSON)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%t", "%p"} {
		shown = append(shown, fmt.Sprintf(verb, s.SMTP.Password), fmt.Sprintf(verb, *s), fmt.Sprintf(verb, s.SMTP.Server), fmt.Sprintf(verb, []any{s.SMTP}))
	}
	for _, text := range shown {
		for _, secret := range []string{"hunter2", "hunter3", fmt.Sprintf("%x", "hunter3")} {
			if strings.Contains(text, secret) {
				t.Errorf("a secret was printed: %s", text)
			}
		}
	}
	if got := fmt.Sprint(s.SMTP.Password); got != stars {
		t.Errorf("got %s, want %s", got, stars)
	}
}

func FuzzSettings(f *testing.F) {
	f.Add([]byte(goodSettings))
	f.Add([]byte("[mailbox]\nsupport = 1\n[[desk]]\nx.y.z = {a = [1, {b = 2}]}\n"))
	f.Add([]byte("a.b.c = 1\n[a.b]\nd = [[\"x\"], 2]\n"))
	f.Add([]byte("[limits]\nlease = 0x_1\nmail = 07:32:00\n"))
	f.Fuzz(func(t *testing.T, source []byte) {
		if _, err := parseSettings("postern.toml", source, environment()); err != nil && err.Error() == "" {
			t.Error("refused without a word")
		}
	})
}
