package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"postern/cmd/postern/web"
	"postern/core"
	"postern/mailin"
	"postern/mailout"
	"postern/migrations"
	"postern/templates"
)

func serveCommand(f *flag.FlagSet) action {
	hold := f.Bool("hold", false, "do everything but send: mail waits in the outbox")
	return func(ctx context.Context, p *program, args []string) error {
		if err := none(args); err != nil {
			return err
		}
		s, err := p.settings()
		if err != nil {
			return err
		}
		log := newLog(p.stderr)
		l, err := listenWeb(ctx, s.Instance.Listen)
		if err != nil {
			return fmt.Errorf("%w: free that port or set instance.listen", err)
		}
		defer l.Close()
		g, err := newGateway(ctx, s, l, log, *hold)
		if err != nil {
			return err
		}
		defer g.desk.Close()
		return g.run(ctx)
	}
}

func migrateCommand(*flag.FlagSet) action {
	return func(ctx context.Context, p *program, args []string) error {
		if err := none(args); err != nil {
			return err
		}
		s, err := p.settings()
		if err != nil {
			return err
		}
		if err := migrate(ctx, s); err != nil {
			return err
		}
		fmt.Fprintln(p.stdout, "the database is at this version")
		return nil
	}
}

// migrate brings the database to this version. It is the first to speak with
// it, and says what to do if nobody answers.
func migrate(ctx context.Context, s *Settings) error {
	return answers(migrations.Up(ctx, s.Database.URL.Reveal()))
}

// answers says what to do about a database that nobody serves.
func answers(err error) error {
	var nobody *net.OpError
	if errors.As(err, &nobody) {
		return fmt.Errorf("PostgreSQL does not answer (%w): check that it runs, and database.url", nobody)
	}
	return err
}

// gateway is one process's share of the work: its parts, none of them running
// yet.
type gateway struct {
	settings *Settings
	desk     *core.Desk
	log      *slog.Logger
	filer    *mailin.Filer
	pollers  []*mailin.Poller
	sender   *mailout.Sender // nil if mail is held
	listener net.Listener
	web      *http.Server
	filing   *prometheus.HistogramVec // seconds, by fate
}

// newGateway opens the database and builds the parts. l is where the web view
// listens.
func newGateway(ctx context.Context, s *Settings, l net.Listener, log *slog.Logger, hold bool) (g *gateway, err error) {
	if err := os.MkdirAll(s.Instance.StateDir, 0o700); err != nil {
		return nil, fmt.Errorf("state folder: %w: make it and give it to the user that runs postern, or set instance.state_dir", err)
	}
	desk, err := openDesk(ctx, s)
	if err != nil {
		return nil, err
	}
	g = &gateway{settings: s, desk: desk, log: log, listener: l, filing: filingTimes()}
	defer func() {
		if err != nil {
			desk.Close()
		}
	}()
	if !hold {
		if g.sender, err = newSender(desk, s, log); err != nil {
			return nil, err
		}
	}
	g.filer = newFiler(g)
	holder := holderName()
	for _, m := range s.Mailboxes {
		g.pollers = append(g.pollers, newPollers(m, g, holder)...)
	}
	numbers := &lately{statistics: desk, writes: desk.TryWrite}
	pages, err := web.New(web.Options{
		Desk: desk, BaseURL: s.Instance.BaseURL, Log: log, Zone: firstZone(s),
		Health: healthHandler(numbers, s.Instance.StateDir, g.unwell), Metrics: metricsHandler(numbers, log, processMetrics{g}, g.filing),
		TrustedProxies: s.Instance.TrustedProxies,
	})
	if err != nil {
		return nil, err
	}
	g.web = newServer(pages, log)
	return g, nil
}

// holderName names this process in leases, unlike any other that ever was.
func holderName() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), rand.Text()[:8])
}

// firstZone is the zone of the times on the pages: the first desk's.
func firstZone(s *Settings) *time.Location {
	desk, err := core.ParseDesk(s.Desks[0].Key, s.Desks[0].Source)
	if err != nil {
		return time.UTC // the settings were checked: it does not happen
	}
	return desk.Zone()
}

func newSender(desk *core.Desk, s *Settings, log *slog.Logger) (*mailout.Sender, error) {
	composer, err := mailout.NewComposer(templates.Mail)
	if err != nil {
		return nil, err
	}
	return mailout.NewSender(atPoints(desk), composer, mailout.Config{
		Server: s.SMTP.out(), Connections: s.SMTP.Connections, RatePerMinute: s.SMTP.RatePerMinute,
		Renew: s.Limits.Lease / 3, Log: log,
	})
}

func newFiler(g *gateway) *mailin.Filer {
	s := g.settings
	return &mailin.Filer{
		Desk: atPoints(g.desk),
		Parse: func(ctx context.Context, r io.ReaderAt, size int64) (core.Mail, error) {
			return mailin.ParseContext(ctx, r, size, s.Limits.Reading)
		},
		Verify:      mailin.NewVerifier(s.Instance.DNS).Verify,
		MemoryBytes: s.Limits.WorkBytes,
		StateDir:    s.Instance.StateDir,
		Log:         g.log,
		Filed: func(f mailin.Filing) {
			g.filing.WithLabelValues(string(f.State)).Observe(f.Took.Seconds())
		},
	}
}

// newPollers read the folders of a mailbox. Two have a connection each; of more,
// all but the first take turns with one (R15).
func newPollers(m Mailbox, g *gateway, holder string) []*mailin.Poller {
	folders := m.inboxes()
	if m.Junk != "" { // what lies there is held, and listed with other held mail (R72)
		folders = append(folders, m.Junk)
	}
	var all []*mailin.Poller
	for _, folder := range folders {
		all = append(all, newPoller(m, folder, g, holder))
	}
	if len(all) > 2 {
		line := mailin.NewLine()
		for _, p := range all[1:] {
			p.Line = line
		}
	}
	return all
}

// newPoller reads one folder of a mailbox. What came to the junk folder is not
// moved.
func newPoller(m Mailbox, folder string, g *gateway, holder string) *mailin.Poller {
	s := g.settings
	p := &mailin.Poller{
		Name: m.Name, Server: m.imap(), Folder: folder,
		Since: m.Since, PollEvery: s.Limits.Poll, MailBytes: s.Limits.MailBytes, Lease: s.Limits.Lease,
		Holder: holder, StateDir: s.Instance.StateDir,
		FreeBytes: func() (int64, error) { return freeBytes(s.Instance.StateDir) },
		Desk:      atPoints(g.desk), Filer: g.filer, Log: g.log,
	}
	if folder != m.Junk {
		p.Processed, p.Quarantine = m.Processed, m.Quarantine
		p.Follows, p.DeleteAfter = folder != m.Inbox, m.DeleteProcessedAfter
	}
	return p
}

// besides is the memory that the program needs besides the mails in work.
const besides = 40 << 20

// run works until ctx ends, then finishes what is in hand (R68).
func (g *gateway) run(ctx context.Context) error {
	if os.Getenv("GOMEMLIMIT") == "" {
		// the mails in work, and what the program needs besides: garbage of a
		// large mail is collected before more memory is asked for
		debug.SetMemoryLimit(g.settings.Limits.WorkBytes + besides)
	}
	g.log.Info("postern serves", "url", g.settings.Instance.BaseURL, "listen", g.listener.Addr().String(),
		"mailboxes", len(g.settings.Mailboxes), "folders", len(g.pollers), "desks", len(g.settings.Desks), "hold", g.sender == nil)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return g.filer.Run(ctx) })
	for _, p := range g.pollers {
		group.Go(func() error { return p.Run(ctx) })
	}
	if g.sender != nil {
		group.Go(func() error { return g.sender.Run(ctx) })
	}
	for _, one := range g.settings.signIns() {
		group.Go(func() error { return one.Run(ctx, g.log) })
	}
	group.Go(func() error { return runChores(ctx, g.desk, g.log) })
	group.Go(func() error { return keepTime(ctx, g.desk, g.log) })
	group.Go(func() error { return serveWeb(ctx, g.listener, g.web) })
	err := group.Wait()
	g.log.Info("postern stopped")
	return err
}

// keepTime measures every minute how far the database's clock is from ours
// (R62). At the start it sees that a probe is under way (R33).
func keepTime(ctx context.Context, desk *core.Desk, log *slog.Logger) error {
	if err := desk.Probe(ctx); err != nil && ctx.Err() == nil {
		log.Warn("no probe was queued: the clock tries again", "err", err)
	}
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if _, err := desk.Ping(ctx); err != nil && ctx.Err() == nil {
			log.Warn("the database's clock cannot be read", "err", err)
		}
	}
}

// unwell says what keeps this process from its work, beyond what the database
// knows.
func (g *gateway) unwell() []string {
	var wrong []string
	for _, p := range g.pollers {
		if s := p.Status(); s.NotKept {
			wrong = append(wrong, fmt.Sprintf("mailbox %s, folder %s: the database cannot be written to, so nothing is fetched", s.Mailbox, s.Folder))
		}
	}
	if g.sender == nil {
		return wrong
	}
	s := g.sender.Status()
	if s.PausedSince.IsZero() || time.Since(s.PausedSince) < longestPause && !s.NeedsPerson {
		return wrong
	}
	return append(wrong, "the SMTP server takes no mail since "+moment(s.PausedSince))
}

// openDesk opens the database at this program's version, with every desk of the
// settings in it.
func openDesk(ctx context.Context, s *Settings) (*core.Desk, error) {
	key, err := s.Instance.key()
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, s); err != nil {
		return nil, err
	}
	d, err := core.Open(ctx, s.core(key))
	if err != nil {
		return nil, err
	}
	s.keepTokens(d, key)
	for _, f := range s.Desks {
		if err := d.EnsureDesk(ctx, f.Key, f.Source); err != nil {
			d.Close()
			return nil, err
		}
	}
	return d, nil
}
