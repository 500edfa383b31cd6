package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

// instance is one installation of Postern: settings, database, mailbox.
type instance struct {
	*world
	database string
	mailbox  string // the user at the IMAP server
	dir      string
	log      string
	profile  string // folder for profiles; "": none

	smtp        *sink // nil: the world's
	connections int   // to it at most; 0: as it comes
}

var settingsFile = template.Must(template.New("postern.toml").Parse(`[instance]
base_url = "http://{{.Listen}}"
listen = "{{.Listen}}"
state_dir = "{{.Dir}}"
dns = "{{.DNS}}"
[database]
url = "{{.Database}}"
[mailbox.support]
desk = "support"
addresses = ["{{.Address}}"]
host = "127.0.0.1"
port = {{.IMAPPort}}
tls = "none"
user = "{{.User}}"
password = "any"
{{with .Since}}since = "{{.}}"{{end}}
[smtp]
host = "127.0.0.1"
port = {{.SMTPPort}}
tls = "none"
{{with .Connections}}connections = {{.}}
{{end}}[desk.support]
file = "default.toml"
{{with .Poll}}[limits]
poll = "{{.}}"{{end}}
`))

// newInstance makes an installation on a database of its own, with two agents
// who get notices. Everything else is as it comes: no budget is changed.
func (w *world) newInstance(ctx context.Context, delay, poll time.Duration) (*instance, error) {
	i := &instance{world: w, mailbox: w.next("box")}
	i.dir = w.path(w.next("state"))
	i.log = filepath.Join(i.dir, "postern.log")
	if err := os.Mkdir(i.dir, 0o700); err != nil {
		return nil, err
	}
	var err error
	if i.database, err = w.newDatabase(ctx, delay); err != nil {
		return nil, err
	}
	if err := i.settings(poll); err != nil {
		return nil, err
	}
	for _, agent := range []string{"ann", "bob"} {
		if err := i.command(ctx, "agent", "add", agent+"@agents.example"); err != nil {
			return nil, err
		}
	}
	return i, nil
}

func (i *instance) settings(poll time.Duration) error {
	listen, err := freeAddress()
	if err != nil {
		return err
	}
	_, smtp, err := net.SplitHostPort(cmp.Or(i.smtp, i.sink).addr)
	if err != nil {
		return err
	}
	facts := map[string]any{
		"Listen": listen, "Dir": i.dir, "DNS": i.dns.Addr(), "Database": i.databaseURL(i.database),
		"Address": deskAddress, "IMAPPort": i.imapPort(), "SMTPPort": smtp, "User": i.mailbox, "Poll": "",
		"Since": "", "Connections": i.connections,
	}
	if poll > 0 {
		facts["Poll"] = poll.String()
	} else { // what lies there at the start is taken
		facts["Since"] = time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	}
	var text bytes.Buffer
	if err := settingsFile.Execute(&text, facts); err != nil {
		return err
	}
	return os.WriteFile(i.config(), text.Bytes(), 0o600)
}

func (i *instance) config() string { return filepath.Join(i.dir, "postern.toml") }

// command runs one of Postern's short commands.
func (i *instance) command(ctx context.Context, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, i.program, append(args, "--config", i.config())...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("postern %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// serve starts Postern.
func (i *instance) serve(words ...string) (*process, error) {
	log, err := os.OpenFile(i.log, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(i.program, append([]string{"serve", "--config", i.config()}, words...)...)
	cmd.Stdout, cmd.Stderr = log, log
	if i.profile != "" {
		cmd.Env = append(os.Environ(), "BENCH_PROFILE="+i.profile)
	}
	return start(cmd)
}

// servingSince is when Postern began to look for mail: its first line.
func (i *instance) servingSince() (time.Time, error) {
	raw, err := os.ReadFile(i.log)
	if err != nil {
		return time.Time{}, err
	}
	for line := range strings.Lines(string(raw)) {
		if strings.Contains(line, `msg="postern serves"`) {
			stamp, _, _ := strings.Cut(strings.TrimPrefix(line, "time="), " ")
			return time.Parse(time.RFC3339Nano, stamp)
		}
	}
	return time.Time{}, fmt.Errorf("postern does not serve: %s", i.lastWords())
}

func (i *instance) lastWords() string {
	raw, _ := os.ReadFile(i.log)
	return strings.TrimSpace(string(raw[max(0, len(raw)-1000):]))
}

// remove gives database and mailbox back.
func (i *instance) remove(ctx context.Context) error {
	mailbox := filepath.Dir(i.dovecot.MailDir(i.mailbox))
	return errors.Join(i.dropDatabase(ctx, i.database), os.RemoveAll(mailbox), os.RemoveAll(i.dir))
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
