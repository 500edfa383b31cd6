package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/jackc/pgx/v5/pgxpool"

	"postern/cmd/postern/demo"
	"postern/core/localpg"
)

const (
	service  = "support@postern.example"
	password = "prove"
)

// world is everything around Postern; it survives every kill.
type world struct {
	dir      string
	keep     bool
	stderr   io.Writer
	program  string
	config   string
	database *localpg.Server
	pool     *pgxpool.Pool
	dns      *demo.DNS
	inbox    *inbox
	sink     *sink
	people   *people
	log      *os.File // of all of Postern's lives
}

func openWorld(ctx context.Context, o options, stderr io.Writer) (w *world, err error) {
	w = &world{keep: o.keep, stderr: stderr, dns: new(demo.DNS)}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
			w = nil
		}
	}()
	if w.dir, err = os.MkdirTemp("", "postern-prove-"); err != nil {
		return w, err
	}
	if err = os.Chmod(w.dir, 0o711); err != nil { // PostgreSQL's user passes through
		return w, err
	}
	if err = w.build(ctx); err != nil {
		return w, err
	}
	if w.log, err = os.Create(filepath.Join(w.dir, "postern.log")); err != nil {
		return w, err
	}
	// durable, as in life: a commit costs what it costs
	if w.database, err = localpg.Start(ctx, localpg.Options{Dir: w.dir}); err != nil {
		return w, err
	}
	if err = w.servers(o); err != nil {
		return w, err
	}
	if err = w.settings(); err != nil {
		return w, err
	}
	if err = w.populate(ctx); err != nil {
		return w, err
	}
	w.pool, err = openPool(ctx, w.database.URL())
	return w, err
}

// build makes a Postern with kill points.
func (w *world) build(ctx context.Context) error {
	w.program = filepath.Join(w.dir, "postern-prove")
	out, err := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-tags", "prove", "-o", w.program, "postern/cmd/postern").CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
}

// ours is the name of our own sessions, so that those of a dead Postern can be
// told from them.
const ours = "prove"

func openPool(ctx context.Context, url string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.ConnConfig.RuntimeParams["application_name"] = ours
	return pgxpool.NewWithConfig(ctx, config)
}

func (w *world) servers(o options) (err error) {
	if w.people, err = newPeople(o.seed); err != nil {
		return err
	}
	for _, s := range w.people.signers() {
		w.dns.Set(s.Record())
	}
	if err = w.dns.Serve("127.0.0.1:0"); err != nil {
		return err
	}
	if w.inbox, err = openInbox(); err != nil {
		return err
	}
	w.sink, err = openSink(o.seed, w.inbox)
	return err
}

var settingsFile = template.Must(template.New("postern.toml").Parse(`[instance]
base_url = "http://{{.Listen}}"
listen = "{{.Listen}}"
state_dir = "{{.Dir}}/state"
dns = "{{.DNS}}"
[database]
url = "{{.Database}}"
[mailbox.support]
desk = "support"
addresses = ["{{.Service}}"]
host = "127.0.0.1"
port = {{.IMAP}}
tls = "none"
user = "{{.Service}}"
password = "{{.Password}}"
processed = "Processed"
quarantine = "Quarantine"
[smtp]
host = "127.0.0.1"
port = {{.SMTP}}
tls = "none"
[desk.support]
file = "default.toml"
[limits]
gather = "0s"
lease = "3s"
uncertain_after = "3s"
`))

func (w *world) settings() error {
	listen, err := freePort()
	if err != nil {
		return err
	}
	var text bytes.Buffer
	err = settingsFile.Execute(&text, map[string]any{
		"Listen": listen, "Dir": w.dir, "DNS": w.dns.Addr(), "Database": w.database.URL(),
		"Service": service, "Password": password, "IMAP": w.inbox.port(), "SMTP": w.sink.port(),
	})
	if err != nil {
		return err
	}
	w.config = filepath.Join(w.dir, "postern.toml")
	return os.WriteFile(w.config, text.Bytes(), 0o600)
}

// freePort is a port for the web view. It stays the same over all of Postern's
// lives, so it cannot be 0.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// populate makes agents and organisations with the commands that an operator
// types.
func (w *world) populate(ctx context.Context) error {
	for _, a := range w.people.agents {
		if err := w.postern(ctx, "agent", "add", a.address, "--name", a.name); err != nil {
			return err
		}
	}
	for _, o := range w.people.organisations {
		args := []string{"organisation", "add", o.name}
		for _, d := range o.domains {
			args = append(args, "--domain", d)
		}
		if err := w.postern(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) postern(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, w.program, append([]string{"--config", w.config}, args...)...)
	cmd.Env = environment("")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("postern %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// environment is ours without what steers Postern, and with its kill point.
func environment(point string) []string {
	var kept []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "POSTERN_") {
			kept = append(kept, entry)
		}
	}
	if point != "" {
		kept = append(kept, "POSTERN_PROVE_KILL="+point)
	}
	return kept
}

// busyFile exists while Postern may kill itself.
func (w *world) busyFile() string { return filepath.Join(w.dir, "busy") }

// lastWords is the end of Postern's log, for an error that it may explain.
func (w *world) lastWords() string {
	raw, err := os.ReadFile(w.log.Name())
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return "\nthe last Postern said:\n" + strings.Join(lines[max(0, len(lines)-8):], "\n")
}

// errorLines are what Postern asked a person for.
func (w *world) errorLines() ([]string, error) {
	raw, err := os.ReadFile(w.log.Name())
	if err != nil {
		return nil, err
	}
	var found []string
	for line := range strings.Lines(string(raw)) {
		if strings.Contains(line, "level=ERROR") || strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found, nil
}

// close leaves nothing behind, unless asked to.
func (w *world) close() error {
	var errs []error
	if w.pool != nil {
		w.pool.Close()
	}
	if w.sink != nil {
		errs = append(errs, w.sink.close())
	}
	if w.inbox != nil {
		errs = append(errs, w.inbox.close())
	}
	errs = append(errs, w.dns.Close())
	if w.database != nil {
		errs = append(errs, w.database.Stop())
	}
	if w.log != nil {
		errs = append(errs, w.log.Close())
	}
	if w.keep {
		fmt.Fprintln(w.stderr, "kept:", w.dir)
	} else if w.dir != "" {
		errs = append(errs, os.RemoveAll(w.dir))
		if w.database != nil {
			errs = append(errs, os.RemoveAll(w.database.Folder())) // it may be elsewhere
		}
	}
	return errors.Join(errs...)
}
