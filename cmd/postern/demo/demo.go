// Package demo is the world around Postern on one machine: a mail provider
// with an IMAP server, an SMTP server and the DNS that serves its DKIM keys,
// the people who have their mail there, and a page on which one person plays
// them all. Everything listens on loopback and is kept in one folder, so that a
// second start continues where the first one stopped.
//
//	people ── page ──┐                    ┌── Postern
//	mail clients ────┴─ SMTP, IMAP, DNS ──┘
//
// The package knows mail and nothing else. It does not know what a case is, how
// Postern answers or where its database stands; it imports nothing of Postern's
// and talks to it only by sending and reading mail, as people do.
//
//	post.go     what every mailbox holds, one file a mail
//	imap.go     the IMAP server on top of it
//	smtp.go     the SMTP server that delivers into it
//	sign.go     the provider's DKIM signature
//	dns.go      the DNS stub with the public keys
//	player.go   one person's mail client: reads by IMAP, sends by SMTP
//	page.go     the page of inboxes that plays the people
package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-smtp"
)

// Options say where the world lives. An address is host:port; port 0 takes any
// free one.
type Options struct {
	StateDir string // mailboxes and keys; made if it is missing

	HTTPAddr string // the page
	IMAPAddr string
	SMTPAddr string
	DNSAddr  string

	DeskURL string // Postern's web view, for the link on the page; may be empty
	Log     *slog.Logger
}

// World is a running demo world.
type World struct {
	deskURL string
	log     *slog.Logger

	post  *post
	dns   *DNS
	imap  *imapserver.Server
	smtp  *smtp.Server
	hands *hands // mail being delivered
	web   *http.Server

	imapAddr, smtpAddr, webAddr string

	broken  chan error // a server that ended by itself
	closing sync.Once
	closed  error
}

// Start opens the state folder and all four ports. When it returns, everything
// answers. An error is one sentence that says what to do.
func Start(ctx context.Context, o Options) (*World, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := writable(o.StateDir); err != nil {
		return nil, err
	}
	w := &World{deskURL: o.DeskURL, log: o.Log, dns: new(DNS), hands: new(hands), broken: make(chan error, 4)}

	// every port is taken before anything else is touched: a world starts whole
	// or not at all, and never beside another one on the same folder
	var open listeners
	imapLn := open.listen(ctx, "imap", o.IMAPAddr)
	smtpLn := open.listen(ctx, "smtp", o.SMTPAddr)
	webLn := open.listen(ctx, "http", o.HTTPAddr)
	signers, err := w.open(o, open.err)
	if err != nil {
		open.close()
		return nil, errors.Join(err, w.dns.Close())
	}

	w.imapAddr = imapLn.Addr().String()
	w.imap = newIMAPServer(w.post, o.Log)
	go w.serve("imap", func() error { return w.imap.Serve(imapLn) })

	w.smtpAddr = smtpLn.Addr().String()
	w.smtp = newSMTPServer(w.post, signers, w.hands, o.Log)
	go w.serve("smtp", func() error { return w.smtp.Serve(smtpLn) })

	w.webAddr = webLn.Addr().String()
	w.web = &http.Server{
		Handler:           newPage(w),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}
	go w.serve("http", func() error { return w.web.Serve(webLn) })

	if err := w.greeted(ctx); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// open reads the state folder and serves the keys. ports is what went wrong
// with the other ports.
func (w *World) open(o Options, ports error) (map[string]*Signer, error) {
	if ports != nil {
		return nil, ports
	}
	if err := w.dns.Serve(o.DNSAddr); err != nil {
		return nil, portError("dns", o.DNSAddr, err)
	}
	signers, err := openSigners(filepath.Join(o.StateDir, "dkim"), domains())
	if err != nil {
		return nil, err
	}
	for _, s := range signers {
		w.dns.Set(s.Record())
	}
	w.post, err = openPost(filepath.Join(o.StateDir, "mail"), o.Log)
	return signers, err
}

// greeted waits for the first word of both mail servers. From then on they
// stop cleanly: neither library may be closed while it is still starting.
func (w *World) greeted(ctx context.Context) error {
	for _, addr := range []string{w.imapAddr, w.smtpAddr} {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err != nil {
			return fmt.Errorf("the server just started on %s does not answer: %w", addr, err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, err = conn.Read(make([]byte, 1))
		_ = conn.Close()
		if err != nil {
			return fmt.Errorf("the server just started on %s does not answer: %w", addr, err)
		}
	}
	return nil
}

func (w *World) serve(name string, serve func() error) {
	if err := serve(); err != nil && !errors.Is(err, http.ErrServerClosed) {
		w.broken <- fmt.Errorf("the demo's %s server stopped: %w", name, err)
	}
}

// Run waits until ctx ends or a server breaks, then stops everything.
func (w *World) Run(ctx context.Context) error {
	var broken error
	select {
	case <-ctx.Done():
	case broken = <-w.broken:
	}
	return errors.Join(broken, w.Close())
}

// Close stops all servers. Mail in the middle of being delivered is delivered
// first; what was delivered before is on the disk already.
func (w *World) Close() error {
	w.closing.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		var errs []error
		if err := w.web.Shutdown(ctx); err != nil {
			errs = append(errs, w.web.Close())
		}
		if !w.hands.rest(ctx) {
			w.log.Warn("a mail was still arriving when the demo stopped: its sender will try again")
		}
		errs = append(errs, w.smtp.Close(), w.imap.Close(), w.dns.Close())
		w.closed = errors.Join(errs...)
	})
	return w.closed
}

// IMAPAddr is the host:port where mail is read.
func (w *World) IMAPAddr() string { return w.imapAddr }

// SMTPAddr is the host:port where mail is sent and received.
func (w *World) SMTPAddr() string { return w.smtpAddr }

// DNSAddr is the host:port, UDP and TCP, where the DKIM keys are served.
func (w *World) DNSAddr() string { return w.dns.Addr() }

// URL is the address of the page.
func (w *World) URL() string { return "http://" + w.webAddr + "/" }

// listeners collects what was opened, and the first thing that went wrong.
type listeners struct {
	all []net.Listener
	err error
}

func (l *listeners) listen(ctx context.Context, name, addr string) net.Listener {
	if l.err != nil {
		return nil
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		l.err = portError(name, addr, err)
		return nil
	}
	l.all = append(l.all, ln)
	return ln
}

func (l *listeners) close() {
	for _, ln := range l.all {
		_ = ln.Close()
	}
}

// portError says in one sentence what to do about a port that cannot be had.
func portError(name, addr string, err error) error {
	host, _, splitErr := net.SplitHostPort(addr)
	if splitErr != nil || host == "" {
		host = "127.0.0.1"
	}
	other := fmt.Sprintf("choose another with --%s %s", name, net.JoinHostPort(host, "PORT"))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port %s is taken: stop the program that uses it, or %s", addr, other)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("port %s is not allowed for this user: %s, above 1023", addr, other)
	default:
		return fmt.Errorf("port %s cannot be opened (%w): %s", addr, err, other)
	}
}

// writable makes the state folder and proves that it can be written.
func writable(dir string) error {
	if dir == "" {
		return errors.New("the demo has no state folder: name one with --state FOLDER")
	}
	refused := func(err error) error {
		var at *os.PathError
		if errors.As(err, &at) {
			err = at.Err
		}
		return fmt.Errorf("the folder %s cannot be written (%w): make it writable, or choose another with --state FOLDER", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return refused(err)
	}
	trial, err := os.CreateTemp(dir, "trial-*.tmp")
	if err != nil {
		return refused(err)
	}
	_, err = trial.WriteString("x")
	if err = errors.Join(err, trial.Close(), os.Remove(trial.Name())); err != nil {
		return refused(err)
	}
	return nil
}

// Banner is what a terminal shows when everything runs: every line is true,
// every address can be opened.
func (w *World) Banner(posternURL string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nThe demo world is running. Play everybody here:\n\n    %s\n\n", w.URL())
	if posternURL != "" {
		fmt.Fprintf(&b, "Postern's web view:   %s\n", posternURL)
	}
	fmt.Fprintf(&b, "The service address:  %s\n\n", serviceAddress)
	fmt.Fprintf(&b, "An ordinary mail client can join (no encryption, user = the address, password %q):\n", password)
	fmt.Fprintf(&b, "    read   imap://%s\n    send   smtp://%s\n\n", w.imapAddr, w.smtpAddr)
	fmt.Fprintf(&b, "    %-12s %-26s %-9s %s\n", "who", "address and user", "role", "company")
	for _, p := range w.People() {
		fmt.Fprintf(&b, "    %-12s %-26s %-9s %s\n", p.Name, p.Address, p.Role, p.Company)
	}
	fmt.Fprintf(&b, "\nCtrl-C stops everything; the next start continues here.\n")
	return b.String()
}
