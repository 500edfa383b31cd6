package mailin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"postern/core"
	"postern/core/coretest"
)

func TestPoll_R13_deletesWhatIsDoneWithForLong(t *testing.T) {
	for name, a := range map[string]able{
		"R13/after its time what is done with is deleted, and nothing else": ableAll,
		"R13/without UIDPLUS nothing is deleted":                            {true, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			onEachServer(t, a, func(t *testing.T, s *imapServer) {
				r := newRealDesk(t)
				at, commands := traced(t, s.settings())
				stop := r.run(t, at, nil)
				r.until("the first poll", `select count(*) from mailbox where folder = 'INBOX' and polled_at is not null`, 1)
				s.put("INBOX", time.Now(), nil, request("old"), request("changed"), request("young"))
				r.until("filed", `select count(*) from ledger where state = 'filed' and told`, 3)
				stop()
				// without UIDPLUS there is no COPYUID: the second row that Processed then gives is the one that knows
				s.put("Processed", time.Now().Add(-90*24*time.Hour), []imap.Flag{imap.FlagDeleted}, request("theirs"))
				stop = r.run(t, at, nil)
				r.until("compared", `select count(*) from mailbox where folder = 'INBOX' and epoch = 2 and holder <> ''`, 1)
				s.put("INBOX", time.Now(), nil, request("after"))
				r.until("filed", `select count(*) from ledger where state = 'filed' and told`, 4)
				stop()
				for _, sql := range []string{
					`update ledger set ended_at = now() - interval '31 days' where subject in ('old', 'changed')`,
					`update ledger set ended_at = now() - interval '29 days' where subject = 'young'`,
					`update ledger set size = size + 1 where subject = 'changed'`, // another mail lies there now
				} {
					if _, err := r.DB.Exec(t.Context(), sql); err != nil {
						t.Fatal(err)
					}
				}
				// asked for earlier than allowed: 30 days all the same
				r.run(t, at, func(p *Poller) { p.DeleteAfter = time.Hour })
				r.until("compared", `select count(*) from mailbox where folder = 'INBOX' and epoch = 3 and holder <> ''`, 1)
				s.put("INBOX", time.Now(), nil, request("last"))
				r.until("filed", `select count(*) from ledger where state = 'filed' and told`, 5)
				want := []string{`changed \Seen`, `young \Seen`, `theirs \Deleted`, `after \Seen`, `last \Seen`}
				if !a.uidplus {
					want = append([]string{`old \Seen`}, want...)
				}
				s.becomes("Processed", want...)
				for _, c := range commands() {
					if wrong := lawful(c); wrong != "" {
						t.Errorf("%s: %s", c, wrong)
					}
				}
				if n := r.number(`select count(*) from ledger where blob is null`); n != 0 {
					t.Errorf("R1: %d mails are gone from the ledger too", n)
				}
				r.nothingDoubled()
			})
		})
	}
}

// frozenDesk stands still at its first Keep, with the whole process: no lease
// is renewed either.
type frozenDesk struct {
	*core.Desk
	frozen, thaw chan struct{}
	once         sync.Once
	result       chan error
}

func (d *frozenDesk) Keep(ctx context.Context, mb core.Mailbox, validity uint32, batch []core.Incoming, next uint32) ([]core.Stored, error) {
	if len(batch) == 0 {
		return d.Desk.Keep(ctx, mb, validity, batch, next)
	}
	d.once.Do(func() { close(d.frozen) })
	<-d.thaw
	rows, err := d.Desk.Keep(context.WithoutCancel(ctx), mb, validity, batch, next)
	d.result <- err
	return rows, err
}

func (d *frozenDesk) LeaseMailbox(ctx context.Context, id int64, holder string, lease time.Duration) (core.Mailbox, bool, error) {
	select {
	case <-d.frozen:
		<-d.thaw
	default:
	}
	return d.Desk.LeaseMailbox(ctx, id, holder, lease)
}

func TestPoll_R16_processesThatStandStillOrDie(t *testing.T) {
	t.Run("R16/one that is frozen in the middle of a batch loses it, and writes nothing when it wakes", func(t *testing.T) {
		onEachServer(t, ableAll, func(t *testing.T, s *imapServer) {
			r := newRealDesk(t)
			slow := &frozenDesk{Desk: r.Desk, frozen: make(chan struct{}), thaw: make(chan struct{}), result: make(chan error, 1)}
			lease := func(p *Poller) { p.Lease = 500 * time.Millisecond }
			r.run(t, s.settings(), func(p *Poller) { lease(p); p.Holder, p.Desk = "frozen", slow })
			wake := sync.OnceFunc(func() { close(slow.thaw) })
			t.Cleanup(wake) // before the pollers are stopped
			r.until("the first poll", `select count(*) from mailbox where folder = 'INBOX' and polled_at is not null`, 1)
			s.put("INBOX", time.Now(), nil, request("one"), request("two"))
			<-slow.frozen
			r.run(t, s.settings(), func(p *Poller) { lease(p); p.Holder = "second" })
			r.until("the second files", `select count(*) from ledger where state = 'filed' and told`, 2)
			wake()
			if err := <-slow.result; !errors.Is(err, core.ErrLeaseLost) {
				t.Errorf("the one that woke: %v", err)
			}
			s.put("INBOX", time.Now(), nil, request("three"))
			r.until("and goes on", `select count(*) from ledger where state = 'filed' and told`, 3)
			if n := r.number(`select count(*) from ledger`); n != 3 {
				t.Errorf("%d rows", n)
			}
			r.nothingDoubled()
		})
	})
	t.Run("R16/without any lease the ledger lets nothing in twice", func(t *testing.T) {
		r := newRealDesk(t)
		mb, err := r.OpenMailbox(t.Context(), "support", "INBOX", time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		raw := []byte(request("one"))
		var kept atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				rows, err := r.Keep(t.Context(), mb, 7, []core.Incoming{{UIDValidity: 7, UID: 1, Received: time.Now(), Size: int64(len(raw)),
					Raw: io.NewSectionReader(bytes.NewReader(raw), 0, int64(len(raw)))}}, 2)
				if err != nil {
					t.Error(err)
				}
				kept.Add(int32(len(rows)))
			})
		}
		all.Wait()
		if kept.Load() != 1 || r.number(`select count(*) from ledger`) != 1 {
			t.Errorf("kept %d times", kept.Load())
		}
	})
}

// counted is a proxy that knows how many connections there were at a time.
func counted(t *testing.T, s Server) (Server, *atomic.Int32) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var now, most atomic.Int32
	real := s.address()
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer near.Close()
				far, err := net.Dial("tcp", real)
				if err != nil {
					return
				}
				n := now.Add(1)
				defer now.Add(-1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				go func() { io.Copy(near, far); near.Close() }()
				io.Copy(far, near)
				far.Close()
			}()
		}
	}()
	s.Port = l.Addr().(*net.TCPAddr).Port
	return s, &most
}

func TestPoll_R15_severalFolders(t *testing.T) {
	t.Run("R15/four folders of an account need two connections, and share the folder of what is done with", func(t *testing.T) {
		onEachServer(t, ableAll, func(t *testing.T, s *imapServer) {
			r := newRealDesk(t)
			folders := []string{"INBOX", "Sales", "Orders", "Press"}
			s.as(func(c *imapclient.Client) {
				for _, f := range folders[1:] {
					if err := c.Create(f, nil).Wait(); err != nil {
						t.Fatal(err)
					}
				}
			})
			at, most := counted(t, s.settings())
			start := func() (stop func()) {
				line := NewLine()
				f := r.filer(t)
				parts := []interface{ Run(context.Context) error }{f}
				for i, folder := range folders {
					p := poller(t, nil, at)
					p.Desk, p.Folder, p.Processed, p.Filer = r.Desk, folder, "Processed", f
					if i > 0 {
						p.Line, p.Follows = line, true
					}
					parts = append(parts, p)
				}
				return running(t, parts...)
			}
			stop := start()
			r.until("all are polled", `select count(*) from mailbox where polled_at is not null`, 4)
			for _, f := range folders {
				s.put(f, time.Now(), nil, request(strings.ToLower(f)))
			}
			r.until("all are filed and told", `select count(*) from ledger where state = 'filed' and told and folder = 'Processed' and at_uid > 0`, 4)
			for _, f := range folders {
				s.becomes(f)
			}
			stop()
			start()
			r.until("all are held again", `select count(*) from mailbox where holder <> '' and epoch = 2`, 5)
			s.put("INBOX", time.Now(), nil, request("again"))
			r.until("filed", `select count(*) from ledger where state = 'filed' and told`, 5)
			if n := r.number(`select count(*) from ledger`); n != 5 {
				t.Errorf("R8: %d rows of 5 mails", n)
			}
			if n := most.Load(); n > 2 {
				t.Errorf("%d connections at a time", n)
			}
			r.nothingDoubled()
		})
	})
}

func TestPoll_severalMailboxesAndDesks(t *testing.T) {
	world := func(t *testing.T, boxes ...core.MailboxSettings) *realDesk {
		r := &realDesk{coretest.NewDesk(t, func(s *core.Settings) { s.Now, s.Mailboxes = nil, boxes }), t}
		other := bytes.Replace(coretest.DefaultDesk(t), []byte(`prefix = "CASE"`), []byte(`prefix = "SALE"`), 1)
		if err := r.EnsureDesk(t.Context(), "sales", other); err != nil {
			t.Fatal(err)
		}
		return r
	}
	to := func(subject, addresses string) string {
		return strings.Replace(request(subject), "To: support@desk.example", "To: "+addresses, 1)
	}
	cases := func(r *realDesk, desk string, n int) {
		r.t.Helper()
		r.until(desk, fmt.Sprintf(`select count(*) from cases c join desk d on d.id = c.desk where d.key = '%s'`, desk), n)
	}
	named := func(name string) func(p *Poller) { return func(p *Poller) { p.Name, p.Holder = name, name } }
	ready := func(r *realDesk, n int) {
		r.t.Helper()
		r.until("all are polled", `select count(*) from mailbox where polled_at is not null`, n)
	}
	t.Run("R16/two mailboxes of one desk", func(t *testing.T) {
		one, two := memoryServer(t, ableAll), memoryServer(t, ableAll)
		r := world(t, core.MailboxSettings{Name: "support", Desk: "support", Addresses: []string{"support@desk.example"}},
			core.MailboxSettings{Name: "help", Desk: "support", Addresses: []string{"help@desk.example"}},
			core.MailboxSettings{Name: "sales", Desk: "sales", Addresses: []string{"sales@desk.example"}})
		r.run(t, one.settings(), named("support"))
		r.run(t, two.settings(), named("help"))
		ready(r, 2)
		one.put("INBOX", time.Now(), nil, to("one", "support@desk.example"))
		two.put("INBOX", time.Now(), nil, to("two", "help@desk.example")) // the same UID and UIDVALIDITY
		cases(r, "support", 2)
	})
	t.Run("R5/two desks in one mailbox, by address", func(t *testing.T) {
		onEachServer(t, ableAll, func(t *testing.T, s *imapServer) {
			r := world(t, core.MailboxSettings{Name: "support", Desk: "support", Addresses: []string{"support@desk.example", "help@desk.example"}},
				core.MailboxSettings{Name: "sales", Desk: "sales", Addresses: []string{"sales@desk.example"}})
			r.run(t, s.settings(), named("support"))
			ready(r, 1)
			s.put("INBOX", time.Now(), nil, to("one", "support@desk.example"), to("two", "Sales <sales@desk.example>"), to("three", "help@desk.example"))
			cases(r, "support", 2)
			cases(r, "sales", 1)
		})
	})
	t.Run("R5/a mail to both desks opens a case in each", func(t *testing.T) {
		one, two := memoryServer(t, ableAll), memoryServer(t, ableAll)
		r := world(t, core.MailboxSettings{Name: "support", Desk: "support", Addresses: []string{"support@desk.example"}},
			core.MailboxSettings{Name: "sales", Desk: "sales", Addresses: []string{"sales@desk.example"}})
		r.run(t, one.settings(), named("support"))
		r.run(t, two.settings(), named("sales"))
		ready(r, 2)
		both := to("both", "support@desk.example, sales@desk.example")
		one.put("INBOX", time.Now(), nil, "Delivered-To: support@desk.example\r\n"+both)
		two.put("INBOX", time.Now(), nil, "Delivered-To: sales@desk.example\r\n"+both)
		cases(r, "support", 1)
		cases(r, "sales", 1)
	})
}

func TestPoll_R65_R68_databaseAndStops(t *testing.T) {
	t.Run("R65/a database that refuses writes stops fetching, says so, and work goes on by itself", func(t *testing.T) {
		s := memoryServer(t, ableAll)
		r := newRealDesk(t)
		p := poller(t, nil, s.settings())
		p.Desk, p.Filer = r.Desk, r.filer(t)
		running(t, p, p.Filer)
		r.until("the first poll", `select count(*) from mailbox where folder = 'INBOX' and polled_at is not null`, 1)
		readOnly := func(on string) {
			for _, sql := range []string{
				`set default_transaction_read_only = off`,
				`do $$ begin execute format('alter database %I set default_transaction_read_only = ` + on + `', current_database()); end $$`,
				`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
			} {
				if _, err := r.DB.Exec(context.Background(), sql); err != nil {
					t.Fatal(err)
				}
			}
		}
		readOnly("on")
		s.put("INBOX", time.Now(), nil, request("waits"))
		for end := time.Now().Add(20 * time.Second); !p.Status().NotKept || !strings.Contains(p.Status().Err, "25006"); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("nobody says it: %+v", p.Status())
			}
		}
		s.becomes("INBOX", "waits") // not marked
		readOnly("off")
		r.until("it goes on", `select count(*) from ledger where state = 'filed'`, 1)
		s.becomes("INBOX", `waits \Seen`)
		if p.Status().NotKept {
			t.Error("it still says so")
		}
	})
	t.Run("R65/whatever the waits have grown to, a database and a disk that are back are seen within a minute", func(t *testing.T) {
		p := &Poller{PollEvery: 20 * time.Minute}
		p.once.Do(p.defaults)
		if wait := p.again(100, fmt.Errorf("keep: %w", core.ErrUnavailable)); wait > 45*time.Second {
			t.Errorf("the database: %s", wait)
		}
		if wait := p.again(100, errors.New("another thing")); wait < time.Minute {
			t.Errorf("R15: a server that is away is asked again after %s", wait)
		}
		s := &session{Poller: p, full: true}
		if wait := s.every(); wait > 45*time.Second {
			t.Errorf("the disk: %s", wait)
		}
		if s.full = false; s.every() != 20*time.Minute {
			t.Error("R15: the setting is not held")
		}
	})
	t.Run("R68/a stop in the middle of a commit lets it end, and gives the lease back", func(t *testing.T) {
		s := memoryServer(t, ableAll)
		d := newFakeDesk()
		var stop func()
		stopped := make(chan struct{})
		d.failKeep = func(batch []core.Incoming) error {
			if len(batch) > 0 {
				go func() { stop(); close(stopped) }()
			}
			return nil
		}
		stop = running(t, poller(t, d, s.settings()))
		d.opened(t)
		s.put("INBOX", time.Now(), nil, letter("one"))
		<-stopped
		defer d.lock()()
		if len(d.rows) != 1 || d.boxes["support/INBOX"].holder != "" {
			t.Errorf("%d rows, held by %q", len(d.rows), d.boxes["support/INBOX"].holder)
		}
	})
}
