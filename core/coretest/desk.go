// Package coretest gives tests real parts: a desk on a real database, a
// Dovecot, a browser. It is for tests and for the programs that measure; it
// knows nothing that a user of Postern needs.
package coretest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"postern/core"
	"postern/core/localpg"
	"postern/core/token"
	"postern/migrations"
	"postern/templates/desks"
)

var cluster struct {
	once sync.Once
	url  string
	err  error
	n    atomic.Int64
}

// templateBase names the database that every test's is a copy of.
const templateBase = "postern_template"

// database is the URL of a fresh, migrated database that goes with the test.
// Without TEST_DATABASE_URL a private cluster is started, once for each test
// program; it ends with the program.
func database(t testing.TB) string {
	t.Helper()
	cluster.once.Do(func() {
		cluster.url = os.Getenv("TEST_DATABASE_URL")
		if cluster.url == "" {
			s, err := localpg.Start(context.Background(), localpg.Options{Ephemeral: true})
			if err != nil {
				cluster.err = err
				return
			}
			cluster.url = s.URL()
		}
		cluster.err = makeTemplate(context.Background(), cluster.url)
	})
	if cluster.err != nil {
		t.Fatalf("test database: %v", cluster.err)
	}
	name := fmt.Sprintf("postern_test_%d_%d", os.Getpid(), cluster.n.Add(1))
	ctx := context.Background()
	admin, err := pgx.Connect(ctx, cluster.url)
	if err != nil {
		t.Fatalf("test database: %v", err)
	}
	defer admin.Close(ctx)
	if _, err := admin.Exec(ctx, `create database `+name+` template `+templateName()); err != nil {
		t.Fatalf("test database: %v", err)
	}
	t.Cleanup(func() {
		admin, err := pgx.Connect(ctx, cluster.url)
		if err != nil {
			return // the cluster is gone, and the database with it
		}
		defer admin.Close(ctx)
		if _, err := admin.Exec(ctx, `drop database if exists `+name+` with (force)`); err != nil {
			t.Errorf("drop test database: %v", err)
		}
	})
	return withDatabase(cluster.url, name)
}

func templateName() string { return fmt.Sprintf("%s_%d", templateBase, os.Getpid()) }

func makeTemplate(ctx context.Context, url string) error {
	admin, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer admin.Close(ctx)
	if _, err := admin.Exec(ctx, `create database `+templateName()); err != nil {
		return err
	}
	return migrations.Up(ctx, withDatabase(url, templateName()))
}

// withDatabase names another database in a URL.
func withDatabase(url, name string) string {
	base, query, _ := strings.Cut(url, "?")
	i := strings.LastIndexByte(base, '/')
	base = base[:i+1] + name
	if query != "" {
		base += "?" + query
	}
	return base
}

// Clock is a clock that tests turn.
type Clock struct{ at atomic.Int64 }

// Now is the clock's time.
func (c *Clock) Now() time.Time { return time.Unix(0, c.at.Load()).UTC() }

// Set turns the clock.
func (c *Clock) Set(t time.Time) { c.at.Store(t.UnixNano()) }

// Advance turns the clock on.
func (c *Clock) Advance(d time.Duration) { c.at.Add(int64(d)) }

// World is a desk on a real database, with a clock that the test turns.
type World struct {
	*core.Desk
	Clock *Clock
	URL   string
	DB    *pgx.Conn // for looking at tables
}

// Key is the secret of all tests.
func Key() token.Key {
	k, err := token.NewKey([]byte("a secret of tests, longer than thirty-two bytes"))
	if err != nil {
		panic(err)
	}
	return k
}

// DefaultDesk is the desk file that Postern ships.
func DefaultDesk(t testing.TB) []byte {
	source, err := desks.Files.ReadFile("default.toml")
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// NewDesk makes a desk "support" with the default desk file on a database of
// its own: support@desk.example, two organisations, two agents. change, if not
// nil, may change the settings first.
func NewDesk(t testing.TB, change func(*core.Settings)) *World {
	t.Helper()
	clock := &Clock{}
	clock.Set(time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC)) // a Tuesday
	set := core.Settings{
		DatabaseURL: database(t),
		Connections: 8,
		BaseURL:     "http://desk.example",
		Key:         Key(),
		Mailboxes:   []core.MailboxSettings{{Name: "support", Desk: "support", Addresses: []string{"support@desk.example"}, Border: "none"}},
		Budgets:     core.DefaultBudgets(),
		Now:         clock.Now,
		ReplyTokens: "on",
	}
	if change != nil {
		change(&set)
	}
	ctx := context.Background()
	d, err := core.Open(ctx, set)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	db, err := pgx.Connect(ctx, set.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close(context.Background()) })
	w := &World{Desk: d, Clock: clock, URL: set.DatabaseURL, DB: db}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(d.EnsureDesk(ctx, "support", DefaultDesk(t)))
	must(d.AddOrganisation(ctx, "Northwind", []string{"northwind.example"}))
	must(d.AddOrganisation(ctx, "Fabrikam", []string{"fabrikam.example"}))
	must(d.AddAgent(ctx, "support", "mia@desk.example", "Mia", "admin"))
	must(d.AddAgent(ctx, "support", "tom@desk.example", "Tom", "agent"))
	return w
}
