package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"postern/cmd/postern/demo"
	"postern/core/coretest"
	"postern/core/localpg"
)

// world is everything around the program that is measured. The name server
// with the DKIM keys runs in this process, whose CPU time is nobody's.
type world struct {
	dir     string // everything is in here, and goes with it
	pg      *localpg.Server
	dovecot *coretest.Dovecot
	dns     demo.DNS
	sink    *sink
	program string // postern
	db      *pgx.Conn
	known   int // customers whose keys are served
	number  int // of databases, mailboxes and folders made
	set     string
}

func newWorld(ctx context.Context, o options) (w *world, err error) {
	w = &world{}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.dir, err = os.MkdirTemp("", "postern-bench-"); err != nil {
		return w, err
	}
	if err = os.Chmod(w.dir, 0o755); err != nil { // PostgreSQL and Dovecot may run as somebody else
		return w, err
	}
	if w.program, err = buildPostern(ctx, w.dir, o.profile != ""); err != nil {
		return w, err
	}
	server := localpg.Options{Dir: w.dir}
	if o.profile != "" {
		server.Settings = map[string]string{"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track_planning": "on"}
	}
	w.set = o.set
	if w.pg, err = localpg.Start(ctx, server); err != nil {
		return w, err
	}
	if w.db, err = pgx.Connect(ctx, w.pg.URL()); err != nil {
		return w, err
	}
	if o.profile != "" {
		if _, err = w.db.Exec(ctx, "create extension pg_stat_statements"); err != nil {
			return w, err
		}
	}
	mail := filepath.Join(w.dir, "dovecot")
	if err = os.Mkdir(mail, 0o755); err != nil {
		return w, err
	}
	if w.dovecot, err = coretest.RunDovecot(mail, coretest.DovecotOptions{}); err != nil {
		return w, err
	}
	if err = w.dns.Serve("127.0.0.1:0"); err != nil {
		return w, err
	}
	w.sink, err = startSink(0)
	return w, err
}

// close stops everything and leaves nothing behind.
func (w *world) close() error {
	var errs []error
	if w.sink != nil && w.sink.process != nil {
		errs = append(errs, w.sink.stop())
	}
	errs = append(errs, w.dns.Close())
	if w.dovecot != nil {
		errs = append(errs, w.dovecot.Stop())
	}
	if w.db != nil {
		errs = append(errs, w.db.Close(context.Background()))
	}
	if w.pg != nil {
		errs = append(errs, w.pg.Stop())
		errs = append(errs, os.RemoveAll(w.pg.Folder())) // may lie elsewhere
	}
	if w.dir != "" {
		errs = append(errs, os.RemoveAll(w.dir))
	}
	return errors.Join(errs...)
}

// next gives a name that was not used before.
func (w *world) next(what string) string {
	w.number++
	return fmt.Sprintf("%s_%d", what, w.number)
}

// path is a place in the folder of this run.
func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// newDatabase makes an empty database. With a delay every commit takes that
// much longer, as on a slow disk.
func (w *world) newDatabase(ctx context.Context, delay time.Duration) (name string, err error) {
	name = w.next("bench")
	statements := []string{"create database " + name}
	if delay > 0 {
		statements = append(statements,
			fmt.Sprintf("alter database %s set commit_delay = %d", name, delay.Microseconds()),
			fmt.Sprintf("alter database %s set commit_siblings = 0", name))
	}
	for _, s := range strings.Fields(w.set) {
		statements = append(statements, "alter database "+name+" set "+s)
	}
	statements = append(statements, "checkpoint") // none shall fall into a measurement by what was before it
	for _, s := range statements {
		if _, err := w.db.Exec(ctx, s); err != nil {
			return "", fmt.Errorf("%s: %w", s, err)
		}
	}
	return name, nil
}

func (w *world) dropDatabase(ctx context.Context, name string) error {
	_, err := w.db.Exec(ctx, "drop database if exists "+name+" with (force)")
	return err
}

func (w *world) databaseURL(name string) string {
	u, _ := url.Parse(w.pg.URL()) // it was made by url.URL
	u.Path = "/" + name
	return u.String()
}

// generate makes the mails of a profile, and serves its senders' keys.
func (w *world) generate(p profile) (*store, error) {
	for ; w.known < p.people(); w.known++ {
		signer, err := signerOf(w.known)
		if err != nil {
			return nil, err
		}
		w.dns.Set(signer.Record())
	}
	return generate(w.path("mails-"+p.series), p)
}

// imapPort is Dovecot's.
func (w *world) imapPort() string {
	_, port, _ := net.SplitHostPort(w.dovecot.Addr())
	return port
}

// commitTime is how long a commit of one row takes, in the middle of 200.
func (w *world) commitTime(ctx context.Context, delay time.Duration) (times, error) {
	name, err := w.newDatabase(ctx, delay)
	if err != nil {
		return nil, err
	}
	defer w.dropDatabase(ctx, name)
	conn, err := pgx.Connect(ctx, w.databaseURL(name))
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "create table one (n int)"); err != nil {
		return nil, err
	}
	var all times
	for n := range 200 {
		began := time.Now()
		if _, err := conn.Exec(ctx, "insert into one values ($1)", n); err != nil {
			return nil, err
		}
		all = append(all, time.Since(began))
	}
	return all, nil
}
