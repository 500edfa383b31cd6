package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"postern/core"
	"postern/mailin"
	"postern/mailout"
)

// finding is what the doctor says of one thing.
type finding struct {
	Level string `json:"level"` // OK, WARN, FAIL
	About string `json:"about"`
	Says  string `json:"says"`
	Next  string `json:"next,omitempty"` // what to type or ask for
}

const (
	fine    = "OK"
	warning = "WARN"
	broken  = "FAIL"
)

// doctor looks at one thing after another and says what it finds at once.
type doctor struct {
	*program
	asJSON bool
	sick   bool // something fails
}

// patience is how long one server may take to show that it works.
const patience = 45 * time.Second

func doctorCommand(f *flag.FlagSet) action {
	asJSON := f.Bool("json", false, "print one JSON object a line")
	probe := f.Bool("probe", false, "mail the desks to themselves, to see whether plus addresses come back")
	return func(ctx context.Context, p *program, args []string) error {
		if err := none(args); err != nil {
			return err
		}
		d := &doctor{program: p, asJSON: *asJSON}
		s := d.settingsFound()
		if s == nil {
			return errSaid
		}
		d.disk(s)
		d.names(ctx, s)
		desk := d.database(ctx, s)
		if desk != nil {
			defer desk.Close()
			d.desks(ctx, s, desk)
			d.waiting(ctx, desk)
			d.probes(ctx, s, desk, *probe)
		}
		for _, m := range s.Mailboxes {
			d.mailbox(ctx, m)
			d.border(ctx, desk, m)
		}
		d.smtp(ctx, s)
		d.signatures(ctx, s)
		if d.sick {
			return errSaid
		}
		return nil
	}
}

func (d *doctor) say(level, about, next, format string, args ...any) {
	f := finding{level, about, harmless(fmt.Sprintf(format, args...)), next}
	d.sick = d.sick || level == broken
	if d.asJSON {
		printJSON(d.stdout, f)
		return
	}
	fmt.Fprintf(d.stdout, "%-4s  %s: %s\n", f.Level, f.About, f.Says)
	if f.Next != "" {
		fmt.Fprintf(d.stdout, "      -> %s\n", f.Next)
	}
}

// settingsFound reads the settings, and what lies beside them.
func (d *doctor) settingsFound() *Settings {
	s, err := d.settings()
	var list problems
	switch {
	case errors.As(err, &list):
		for _, p := range list {
			d.say(broken, "settings", "", "%s", p)
		}
		return nil
	case err != nil:
		d.say(broken, "settings", "", "%v", err)
		return nil
	}
	d.say(fine, "settings", "", "%s: %d mailboxes, %d desks", s.File, len(s.Mailboxes), len(s.Desks))
	if strings.HasPrefix(s.Instance.BaseURL, "http:") && !loopback(hostOf(s.Instance.BaseURL)) {
		d.say(warning, "settings", "put a proxy with TLS in front and write https in instance.base_url",
			"base_url is http: sign-in links and cookies travel in clear")
	}
	d.readableByOthers("settings", s.File, "password =", "url =")
	d.secret(s)
	return s
}

func hostOf(base string) string {
	_, host, _ := strings.Cut(base, "://")
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// readableByOthers warns of a file with secrets that every user can read. With
// words, only if one of them stands in it.
func (d *doctor) readableByOthers(about, path string, words ...string) {
	if !readable(path) {
		return
	}
	raw, _ := readSmall(path)
	if len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return strings.Contains(string(raw), w) }) {
		return
	}
	d.say(warning, about, "chmod o-rwx "+path, "every user of this machine can read %s", path)
}

// readable says whether every user of this machine can read a file.
func readable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o004 != 0
}

func (d *doctor) secret(s *Settings) {
	path := s.Instance.secretPath()
	_, err := s.Instance.existingKey()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := writable(s.Instance.StateDir); err != nil {
			d.say(broken, "secret", "make the folder and give it to the user that runs postern", "there is none yet and %v", err)
			return
		}
		d.say(fine, "secret", "", "there is none yet: it is made in %s at the first start; keep it with the backups", path)
		return
	case err != nil:
		d.say(broken, "secret", "put back the one of a backup", "%v", err)
		return
	}
	d.say(fine, "secret", "", "%s", path)
	d.readableByOthers("secret", path)
}

// writable proves that a folder, or the one it will be made in, can be written.
func writable(dir string) error {
	for {
		f, err := os.CreateTemp(dir, ".doctor-*")
		if err == nil {
			f.Close()
			return os.Remove(f.Name())
		}
		if up := filepath.Dir(dir); errors.Is(err, fs.ErrNotExist) && up != dir {
			dir = up
			continue
		}
		return err
	}
}

func (d *doctor) disk(s *Settings) {
	dir := s.Instance.StateDir
	free, err := freeBytes(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return // said with the secret
	case err != nil:
		d.say(broken, "disk", "", "%v", err)
	case free < leastFree:
		d.say(broken, "disk", "make room on that disk", "%d MiB free for %s, less than %d: nothing is fetched", free>>20, dir, leastFree>>20)
	case free < 4*leastFree:
		d.say(warning, "disk", "make room on that disk", "%d MiB free for %s; below %d nothing is fetched", free>>20, dir, leastFree>>20)
	default:
		d.say(fine, "disk", "", "%d GiB free for %s", free>>30, dir)
	}
}

// names asks the DNS, which signatures are checked with.
func (d *doctor) names(ctx context.Context, s *Settings) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	resolver, which := s.Instance.resolver()
	_, domain, _ := strings.Cut(s.Mailboxes[0].Addresses[0], "@")
	_, err := resolver.LookupTXT(ctx, "_dmarc."+domain+".")
	var answer *net.DNSError
	switch {
	case err == nil:
		d.say(fine, "dns", "", "%s answers; %s has a DMARC record", which, domain)
	case errors.As(err, &answer) && answer.IsNotFound:
		d.say(fine, "dns", "", "%s answers", which)
	default:
		d.say(broken, "dns", "check the network, /etc/resolv.conf or instance.dns", "%s gives no answer, so that no signature can be checked: %v", which, err)
	}
}

// resolver asks the DNS server of the settings, and says which that is.
func (s *Instance) resolver() (*net.Resolver, string) {
	if s.DNS == "" {
		return net.DefaultResolver, "the system's servers"
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.DNS)
	}}, s.DNS
}

// database says what state it is in. Without its tables there is no desk.
func (d *doctor) database(ctx context.Context, s *Settings) *core.Desk {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	version, tables, err := databaseState(ctx, s.Database.URL.Reveal())
	switch {
	case err != nil:
		d.say(broken, "database", "check that PostgreSQL runs, and database.url", "%v", err)
		return nil
	case tables == 0:
		d.say(broken, "database", "postern migrate", "PostgreSQL %s answers; there are no tables yet", version)
		return nil
	}
	key, err := s.Instance.existingKey()
	if err != nil {
		d.say(warning, "database", "", "PostgreSQL %s answers, tables are of version %d; more when there is a secret", version, tables)
		return nil
	}
	desk, err := core.Open(context.WithoutCancel(ctx), s.core(key))
	if err != nil {
		d.say(broken, "database", "postern migrate", "PostgreSQL %s answers, tables are of version %d: %v", version, tables, err)
		return nil
	}
	s.keepTokens(desk, key)
	offset, err := desk.Ping(ctx)
	if err != nil {
		d.say(broken, "database", "", "%v", err)
		desk.Close()
		return nil
	}
	level, next := fine, ""
	if offset.Abs() > time.Minute {
		level, next = warning, "let both machines take the time from the network (NTP)"
	}
	d.say(level, "database", next, "PostgreSQL %s, tables of version %d, its clock is %s from ours (the database's counts)", version, tables, offset.Abs().Round(time.Millisecond))
	return desk
}

// databaseState asks PostgreSQL itself, as a desk opens only at this program's
// version.
func databaseState(ctx context.Context, url string) (version string, tables int64, err error) {
	db, err := sql.Open("pgx", url) // the driver comes with package migrations
	if err != nil {
		return "", 0, err
	}
	defer db.Close()
	if err := db.QueryRowContext(ctx, `show server_version`).Scan(&version); err != nil {
		return "", 0, err
	}
	var there bool
	if err := db.QueryRowContext(ctx, `select to_regclass('goose_db_version') is not null`).Scan(&there); err != nil || !there {
		return version, 0, err
	}
	err = db.QueryRowContext(ctx, `select coalesce(max(version_id), 0) from goose_db_version where is_applied`).Scan(&tables)
	return version, tables, err
}

func (d *doctor) desks(ctx context.Context, s *Settings, desk *core.Desk) {
	agents, err := desk.Agents(ctx)
	if err != nil {
		d.say(broken, "desks", "", "%v", err)
		return
	}
	for _, f := range s.Desks {
		about := "desk " + f.Key
		_, version, err := desk.DeskSource(ctx, f.Key)
		if errors.Is(err, core.ErrNotFound) {
			d.say(warning, about, "postern serve", "not in the database yet: serve makes it from %s", f.File)
			continue
		}
		if err != nil {
			d.say(broken, about, "", "%v", err)
			continue
		}
		n := 0
		for _, a := range agents {
			if a.Desk == f.Key {
				n++
			}
		}
		if n == 0 {
			d.say(broken, about, fmt.Sprintf("postern agent add ADDRESS --desk %s --role admin", f.Key), "version %d of its file; it has no agents: nobody is told of new cases", version)
			continue
		}
		d.say(fine, about, "", "version %d of its file, %d agents", version, n)
	}
}

// waiting says what waits for a person.
func (d *doctor) waiting(ctx context.Context, desk *core.Desk) {
	stats, err := desk.Stats(ctx)
	if err != nil {
		d.say(broken, "ledger", "", "%v", err)
		return
	}
	well := true
	for _, w := range []struct {
		n           int64
		about, next string
		what        string
	}{
		{stats.Ledger[core.Quarantined], "ledger", "postern ledger list --state quarantined", "mails could not be filed"},
		{stats.Ledger[core.Held], "ledger", "postern ledger list --state held", "mails are held until somebody has looked"},
		{stats.Outbox["uncertain"], "outbox", "postern outbox list --state uncertain, then postern outbox settle", "mails were sent and never answered for"},
		{stats.Outbox["failed"], "outbox", "postern outbox list --state failed names them", "mails were refused for good"},
	} {
		if w.n > 0 {
			well = false
			d.say(warning, w.about, w.next, "%d %s", w.n, w.what)
		}
	}
	if well {
		d.say(fine, "ledger", "", "no mail waits for a person")
	}
}

// probes says whether mail to plus addresses comes back (R33, R53).
func (d *doctor) probes(ctx context.Context, s *Settings, desk *core.Desk, again bool) {
	if s.SMTP.ReplyTokens == "off" {
		d.say(fine, "probe", "", "reply_tokens is off: replies are known by Message-ID, References and the number in the subject")
		return
	}
	if again {
		if err := desk.Probe(ctx); err != nil {
			d.say(broken, "probe", "", "%v", err)
			return
		}
		d.say(fine, "probe", "postern doctor, in a minute", "asked for: postern serve mails each desk to itself, unless that came back within the last day")
	}
	lines, err := desk.ProbeState(ctx)
	if err != nil {
		d.say(broken, "probe", "", "%v", err)
		return
	}
	for _, l := range lines {
		d.probe(l)
	}
}

func (d *doctor) probe(l core.ProbeLine) {
	about := "probe " + l.Desk
	switch {
	case l.SentAt == nil:
		d.say(warning, about, "postern serve", "no mail to a plus address of %s was sent yet: serve does it at its start", l.Address)
	case l.BackAt == nil && time.Since(*l.SentAt) < 10*time.Minute:
		d.say(warning, about, "postern doctor, in a minute", "mail to a plus address of %s left at %s and is not back yet", l.Address, moment(*l.SentAt))
	case l.BackAt == nil:
		d.say(warning, about, "ask the mail provider to deliver "+strings.Replace(l.Address, "@", "+anything@", 1)+" (plus addresses), then postern doctor --probe",
			"mail to a plus address of %s did not come back: replies are known by Message-ID, References and the number in the subject", l.Address)
	case !l.ReturnPath:
		d.say(fine, about, "", "plus addresses of %s come back; the envelope sender does not, so bounces are known by Message-ID", l.Address)
	default:
		d.say(fine, about, "", "plus addresses of %s come back, and so does the envelope sender", l.Address)
	}
}

func (d *doctor) mailbox(ctx context.Context, m Mailbox) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	about := "mailbox " + m.Name
	c, err := mailin.Dial(ctx, m.imap())
	if err != nil {
		d.say(broken, about, "", "%v", err)
		return
	}
	defer c.Close()
	holds := make([]string, 0, 1)
	for _, folder := range m.inboxes() {
		n, err := c.Folder(ctx, folder)
		if err != nil {
			d.say(broken, about, fmt.Sprintf("set mailbox.%s.inbox to a folder that is there", m.Name), "signed in by %s; folder %s: %v", c.SignIn(), folder, err)
			return
		}
		holds = append(holds, fmt.Sprintf("%s holds %d mails", folder, n))
	}
	able := c.Abilities()
	d.say(fine, about, "", "signed in to %s as %s (tls %s, %s); %s; the server can %s", m.address(), m.User, m.TLS, c.SignIn(), strings.Join(holds, ", "), cmp.Or(strings.Join(able, ", "), "neither IDLE nor MOVE nor UIDPLUS"))
	for _, folder := range []string{m.Processed, m.Quarantine} {
		if folder == "" {
			continue
		}
		if _, err := c.Folder(ctx, folder); err != nil {
			d.say(warning, about, "", "folder %s is not there yet: serve makes it, if the server lets it (%v)", folder, err)
		}
	}
	if m.Junk != "" {
		if _, err := c.Folder(ctx, m.Junk); err != nil { // serve reads it, and makes none
			d.say(broken, about, fmt.Sprintf("set mailbox.%s.junk to a folder that is there, or leave it out", m.Name), "folder %s: %v", m.Junk, err)
		}
	}
	if m.DeleteProcessedAfter > 0 && !slices.Contains(able, "UIDPLUS") {
		d.say(warning, about, "", "the server has no UIDPLUS: nothing is deleted from %s", m.Processed)
	}
	if (m.Processed != "" || m.Quarantine != "") && !slices.Contains(able, "MOVE") && !slices.Contains(able, "UIDPLUS") {
		d.say(warning, about, "", "the server can neither MOVE nor UIDPLUS: mail stays in %s", m.Inbox)
	}
}

func (d *doctor) smtp(ctx context.Context, s *Settings) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := mailout.Check(ctx, s.SMTP.out()); err != nil {
		d.say(broken, "smtp", "", "%v", err)
		return
	}
	who := "without signing in"
	if s.SMTP.User != "" {
		who = "as " + s.SMTP.User + " by " + s.SMTP.Auth
	}
	d.say(fine, "smtp", "", "%s takes our mail, %s (tls %s)", s.SMTP.address(), who, s.SMTP.TLS)
}
