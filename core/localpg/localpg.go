// Package localpg runs a private PostgreSQL on the programs the system has: for
// the demo world, for tests and for measurements. One folder holds one cluster
// with one database, reached by a Unix socket that only its owner may open.
//
// It knows how to find the programs, make the cluster, start it as somebody who
// is not root, and stop it whatever happens to us. It does not know what the
// database is for: no schema, no migrations, no pool.
//
// The folder, with everything in it owned by the user that runs PostgreSQL:
//
//	postgres/lock      held while a process of ours uses the folder
//	postgres/data      the cluster; once there, never deleted by us
//	postgres/data.new  a cluster being made; worthless if we die meanwhile
//	postgres/log       what PostgreSQL said since its last start
//	postgres/.s.PGSQL.5432
package localpg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// role and database are the same word in every cluster; trust is enough behind
// a socket in a folder that nobody else can enter.
const (
	role     = "postern"
	database = "postern"
	port     = "5432" // only part of the socket's name
)

// fastShutdown is how long PostgreSQL may take to write everything down before
// it is stopped without; it then recovers from its log at the next start.
const fastShutdown = time.Minute

// Options say where the server lives and how careful it is.
type Options struct {
	Dir       string            // the state folder; empty is allowed with Ephemeral
	Bin       string            // the folder of initdb and postgres; empty: looked for
	Ephemeral bool              // for tests: fast, not durable, gone after Stop if the folder was made by Start
	Settings  map[string]string // more of postgresql.conf
	Log       *slog.Logger      // nil: silent
}

// Server is a running PostgreSQL that is ours alone.
type Server struct {
	home   *home
	socket string // folder of the socket
	cmd    *exec.Cmd
	done   chan struct{} // closed when the process has ended

	ephemeral bool
	stopOnce  sync.Once
	stopErr   error
}

// Start returns when the database answers. ctx bounds the start only: the
// server runs until Stop, or until this process dies.
//
// Its errors are single sentences for the person at the terminal.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if _, err := candidates(o.Bin); err != nil {
		return nil, err
	}
	home, err := openHome(o)
	if err != nil {
		return nil, err
	}
	s := &Server{home: home, done: make(chan struct{}), ephemeral: o.Ephemeral}
	if err := s.start(ctx, o); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, o Options) error {
	if err := s.home.waitForPredecessor(ctx); err != nil {
		return err
	}
	bin, err := s.home.binaries(o.Bin)
	if err != nil {
		return err
	}
	if s.home.version() == "" {
		o.Log.Info("making a database cluster", "folder", s.home.dir)
		if err := s.home.initialise(ctx, bin, o.Ephemeral); err != nil {
			return err
		}
	}
	if s.socket, err = s.home.socketFolder(); err != nil {
		return err
	}
	if err := s.run(bin, o); err != nil {
		return err
	}
	if err := s.ready(ctx); err != nil {
		return err
	}
	o.Log.Info("database ready", "folder", s.home.dir, "pid", s.PID())
	return nil
}

// run starts postgres itself, not pg_ctl: it is our child and ends with us.
func (s *Server) run(bin string, o Options) error {
	log, err := s.home.openLog()
	if err != nil {
		return err
	}
	defer log.Close()
	args := []string{"-D", s.home.data(), "-k", s.socket, "-p", port}
	for name, value := range settings(o) {
		args = append(args, "-c", name+"="+value)
	}
	cmd := s.home.command(filepath.Join(bin, "postgres"), args...)
	cmd.Stdout, cmd.Stderr = log, log
	dieWithUs(cmd, syscall.SIGINT)

	started := make(chan error, 1)
	go startAndWait(cmd, started, s.done)
	if err := <-started; err != nil {
		return fmt.Errorf("PostgreSQL in %s cannot be started: %w", bin, err)
	}
	s.cmd = cmd
	return nil
}

func settings(o Options) map[string]string {
	all := map[string]string{
		"listen_addresses":        "", // the socket only
		"unix_socket_permissions": "0700",
		"cluster_name":            "postern",
		"logging_collector":       "off",
		"log_destination":         "stderr",
		"timezone":                "UTC",
		"log_timezone":            "UTC",
	}
	if o.Ephemeral {
		all["fsync"] = "off"
		all["synchronous_commit"] = "off"
		all["full_page_writes"] = "off"
		// a database for each test: made and dropped without writing much of it
		all["wal_level"], all["max_wal_senders"] = "minimal", "0"
		all["shared_buffers"] = "256MB"
		all["max_wal_size"] = "1GB"
		all["checkpoint_timeout"] = "1h"
		all["max_connections"] = "200" // many tests, a small pool each
	}
	for name, value := range o.Settings {
		all[name] = value
	}
	return all
}

// ready waits until the database answers, and makes it if this is a new
// cluster. A server that is recovering from a crash may take its time.
func (s *Server) ready(ctx context.Context) error {
	for {
		err := s.greet(ctx, database)
		var answer *pgconn.PgError
		if errors.As(err, &answer) && answer.Code == "3D000" { // no such database
			err = s.greet(ctx, "postgres", "create database "+database)
		}
		if err == nil {
			return nil
		}
		select {
		case <-s.done:
			return fmt.Errorf("PostgreSQL did not start: %s (all it said is in %s)", s.home.lastWords(), s.home.path("log"))
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL did not answer in %s: %w", s.home.dir, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// greet opens a connection and runs statements on it.
func (s *Server) greet(ctx context.Context, database string, statements ...string) error {
	conn, err := pgx.Connect(ctx, s.url(database))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// URL leads pgx to the database. It names every part of the address, so PGHOST
// and its like in the environment change nothing.
func (s *Server) URL() string { return s.url(database) }

func (s *Server) url(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database}
	u.RawQuery = url.Values{"host": {s.socket}, "port": {port}, "sslmode": {"disable"}}.Encode()
	return u.String()
}

// PID is the process id of the postmaster.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Folder is where the cluster really is: Dir/postgres, or a system folder if
// the user that runs PostgreSQL cannot reach Dir.
func (s *Server) Folder() string { return s.home.dir }

// Done is closed when PostgreSQL has ended, by Stop or by itself.
func (s *Server) Done() <-chan struct{} { return s.done }

// Stop ends all sessions, waits until everything is written, and gives the
// folder back. It may be called more than once.
func (s *Server) Stop() error {
	s.stopOnce.Do(func() { s.stopErr = s.stop() })
	return s.stopErr
}

func (s *Server) stop() error {
	if s.cmd != nil {
		s.cmd.Process.Signal(syscall.SIGINT) // an error means that it has ended already
		select {
		case <-s.done:
		case <-time.After(fastShutdown):
			s.cmd.Process.Signal(syscall.SIGQUIT)
			<-s.done
		}
	}
	if s.socket != "" && s.socket != s.home.dir {
		os.RemoveAll(s.socket)
	}
	return s.home.close(s.ephemeral)
}

// lastWords is the reason PostgreSQL gave when it ended.
func (h *home) lastWords() string {
	raw, err := os.ReadFile(h.path("log"))
	if err != nil {
		return err.Error()
	}
	reason := "it gave no reason"
	for line := range strings.Lines(string(raw)) {
		if _, after, found := strings.Cut(line, "FATAL:"); found {
			reason = strings.TrimSpace(after)
		}
	}
	return reason
}
