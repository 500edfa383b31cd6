// Package core is the desk: its nouns, its rules, its use cases and its
// tables. It knows who may do what, which case a mail belongs to, what becomes
// of it and what is owed to whom, and it keeps all of that in PostgreSQL, one
// transaction for each use case.
//
// It knows no IMAP, SMTP, MIME or HTTP, no templates and no settings files, and
// it never logs: it takes values and returns values and errors. Rules are pure
// functions (class.go, assurance.go, thread.go, decide.go, gate.go), use cases
// are methods of *Desk, and SQL stands in desk.go, db.go and *_sql.go alone.
package core

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"postern/core/flow"
	"postern/core/token"
)

// Desk is the engine behind all desks of an instance. Its methods may be
// called from any goroutine and any number of processes.
type Desk struct {
	pool *pgxpool.Pool
	set  Settings
	own  map[string]string // own address -> key of its desk
	wake chan struct{}     // a hint that mail was queued
	stop context.CancelFunc
	done sync.WaitGroup

	clock  atomic.Pointer[measured] // the database's clock, as last measured (R62)
	jumped atomic.Int64             // when it last jumped, Unix seconds

	loading sync.Mutex // one reads the desks at a time: an older look never replaces a newer one
	mu      sync.RWMutex
	desks   map[string]*running // by key
}

// running is a desk as its file says now, at the version a transaction found.
type running struct {
	*flow.Desk
	id       int
	version  int
	from     string              // the address that sends
	prefixes map[string]struct{} // own and retired, upper case
}

// Open connects to the database and reads the desks in it. The tables must
// have been migrated.
func Open(ctx context.Context, set Settings) (*Desk, error) {
	defaults(&set)
	config, err := pgxpool.ParseConfig(set.DatabaseURL)
	if err != nil {
		return nil, fmt.Errorf("database url: %w", err)
	}
	config.MaxConns = int32(set.Connections)
	config.ConnConfig.ConnectTimeout = 10 * time.Second
	// Every statement is a look-up by keys: planning it anew for each mail costs
	// more than running it. Tables that have just been made have no statistics
	// to plan by, hence no sequential scans; and nothing here is worth compiling.
	params := config.ConnConfig.RuntimeParams
	params["plan_cache_mode"], params["jit"] = "force_generic_plan", "off"
	params["enable_seqscan"], params["enable_hashjoin"], params["enable_mergejoin"] = "off", "off", "off"
	params["application_name"] = "postern"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	d := &Desk{pool: pool, set: set, own: map[string]string{}, wake: make(chan struct{}, 1), desks: map[string]*running{}}
	for _, m := range set.Mailboxes {
		for _, a := range m.Addresses {
			d.own[strings.ToLower(a)] = m.Desk
		}
	}
	if err := d.start(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return d, nil
}

func defaults(s *Settings) {
	if s.Connections == 0 {
		s.Connections = 16
	}
	if s.Answer == 0 {
		s.Answer = 24 * time.Hour
	}
	if s.Lease == 0 {
		s.Lease = time.Minute
	}
	if s.Uncertain == 0 {
		s.Uncertain = 15 * time.Minute
	}
	if s.ReplyTokens == "" {
		s.ReplyTokens = "auto"
	}
	if s.Envelope == "" {
		s.Envelope = "auto"
	}
}

// start measures the clock, checks the secret and reads the desks.
func (d *Desk) start(ctx context.Context) error {
	if _, err := d.MeasureClock(ctx); err != nil {
		return err
	}
	if err := d.checkSecret(ctx); err != nil {
		return err
	}
	if err := d.loadDesks(ctx); err != nil {
		return err
	}
	listening, stop := context.WithCancel(context.WithoutCancel(ctx))
	d.stop = stop
	d.done.Go(func() { d.listen(listening) })
	return nil
}

// Close ends all work with the database.
func (d *Desk) Close() {
	d.stop()
	d.done.Wait()
	d.pool.Close()
}

// checkSecret refuses a secret other than the one the database's hashes were
// made with: with it, no reply address that customers hold would match.
func (d *Desk) checkSecret(ctx context.Context) error {
	mine := d.set.Key.Fingerprint()
	var kept string
	err := d.pool.QueryRow(ctx, `select value from instance where key = 'secret'`).Scan(&kept)
	if err == pgx.ErrNoRows { // only the first time: who just looks writes nothing
		err = d.pool.QueryRow(ctx, `
			insert into instance (key, value) values ('secret', $1)
			on conflict (key) do update set value = instance.value
			returning value`, mine).Scan(&kept)
	}
	if err != nil {
		return unavailable(fmt.Errorf("read the instance's secret: %w", err))
	}
	if kept != mine {
		return fmt.Errorf("this database belongs to another secret (%s, not %s): set instance.secret_file to the one it was made with", kept, mine)
	}
	return nil
}

// measured is one look at the database's clock.
type measured struct {
	theirs time.Time
	ours   time.Time // with its monotonic reading: a jump of our clock does not matter
}

func (m measured) now() time.Time { return m.theirs.Add(time.Since(m.ours)) }

// clockJump is how far the clock may jump before what runs by it rests for as
// long (R62).
const clockJump = 10 * time.Minute

// MeasureClock reads the database's clock, by which this process goes until it
// is measured again, and returns how far it is from ours (R62).
func (d *Desk) MeasureClock(ctx context.Context) (time.Duration, error) {
	before := time.Now()
	var theirs time.Time
	if err := d.pool.QueryRow(ctx, `select clock_timestamp()`).Scan(&theirs); err != nil {
		return 0, unavailable(fmt.Errorf("read the database's clock: %w", err))
	}
	middle := before.Add(time.Since(before) / 2)
	old := d.clock.Swap(&measured{theirs: theirs, ours: middle})
	if old != nil && theirs.Sub(old.theirs.Add(middle.Sub(old.ours))).Abs() > clockJump {
		d.jumped.Store(theirs.Unix())
	}
	return theirs.Sub(middle), nil
}

// now is the database's time, or the tests'.
func (d *Desk) now() time.Time {
	if d.set.Now != nil {
		return d.set.Now().UTC()
	}
	return d.clock.Load().now().UTC()
}

// jumpedLately says that the clock has jumped, and that nothing should run by
// it until somebody had time to look.
func (d *Desk) jumpedLately() bool {
	at := d.jumped.Load()
	return at != 0 && d.now().Sub(time.Unix(at, 0)) < clockJump
}

// Wake gives a hint each time this process may have queued mail. Hints get
// lost, and other processes give none: poll as well.
func (d *Desk) Wake() <-chan struct{} { return d.wake }

func (d *Desk) hint() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// listen hears of desk files that other processes apply, until ctx ends. What
// it misses is found by the next mail, which compares versions (lookUp).
func (d *Desk) listen(ctx context.Context) {
	for ctx.Err() == nil {
		err := d.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
			if _, err := c.Exec(ctx, `listen postern_desk`); err != nil {
				return err
			}
			for {
				if err := d.loadDesks(ctx); err != nil {
					return err
				}
				if _, err := c.Conn().WaitForNotification(ctx); err != nil {
					c.Conn().Close(context.WithoutCancel(ctx))
					return err
				}
			}
		})
		if err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(5 * time.Second):
			}
		}
	}
}

// tx is one database transaction and the one instant at which it happens.
type tx struct {
	pgx.Tx
	now time.Time // the database's clock (R62), UTC; every row the transaction writes carries it
}

// inTx runs work in a transaction: all of it is kept, or none of it. It runs
// work again if another transaction was in the way.
func (d *Desk) inTx(ctx context.Context, work func(*tx) error) error {
	return again(func() error {
		return pgx.BeginFunc(ctx, d.pool, func(t pgx.Tx) error {
			return work(&tx{t, d.now()})
		})
	})
}

// readTx runs work in a transaction that cannot write.
func (d *Desk) readTx(ctx context.Context, work func(*tx) error) error {
	err := pgx.BeginTxFunc(ctx, d.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(t pgx.Tx) error {
		return work(&tx{t, d.now()})
	})
	return unavailable(err)
}

// desk returns a desk by its key.
func (d *Desk) desk(key string) (*running, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if r := d.desks[key]; r != nil {
		return r, nil
	}
	return nil, fmt.Errorf("desk %q: %w", key, ErrNotFound)
}

func (d *Desk) deskByID(id int) (*running, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, r := range d.desks {
		if r.id == id {
			return r, nil
		}
	}
	return nil, fmt.Errorf("desk %d: %w", id, ErrNotFound)
}

// Desks are the keys of all desks.
func (d *Desk) Desks() []string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var keys []string
	for k := range d.desks {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// addressOf is the address from which a desk sends: the first of its first
// mailbox.
func (d *Desk) addressOf(desk string) string {
	for _, m := range d.set.Mailboxes {
		if m.Desk == desk && len(m.Addresses) > 0 {
			return strings.ToLower(m.Addresses[0])
		}
	}
	return ""
}

// isOwn says whether an address is one of ours, with or without a plus tag.
func (d *Desk) isOwn(address string) bool {
	if _, ok := d.own[address]; ok {
		return true
	}
	plain, _, found := strings.Cut(address, "+")
	at := strings.LastIndexByte(address, '@')
	if !found || at < len(plain) {
		return false
	}
	_, ok := d.own[plain+address[at:]]
	return ok
}

// hashID is what indexes hold of a Message-ID (R7).
func hashID(id string) []byte {
	if id == "" {
		return nil
	}
	h := sha256.Sum256([]byte(id))
	return h[:]
}

// newMessageID makes the Message-ID of a mail of ours: 128 random bits (R53).
func newMessageID(from string) string {
	domain := Address{Address: from}.Domain()
	if domain == "" {
		domain = "postern.invalid"
	}
	return "postern." + token.Nonce() + "@" + domain
}

// again runs work until no other transaction is in its way, four times at most.
func again(work func() error) error {
	var err error
	for range 4 {
		if err = work(); !conflicted(err) {
			return unavailable(err)
		}
	}
	return unavailable(err)
}
