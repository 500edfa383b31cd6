package mailin

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"postern/core"
	"postern/core/coretest"
	"postern/mailin/mime"
)

// traced puts a proxy before a server that writes down every command.
func traced(t *testing.T, s Server) (Server, func() []string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var mu sync.Mutex
	var commands []string
	real := s.address()
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", real)
			if err != nil {
				near.Close()
				return
			}
			go func() { io.Copy(near, far); near.Close() }()
			go func() {
				defer far.Close()
				for in := bufio.NewReader(near); ; {
					line, err := in.ReadString('\n')
					mu.Lock()
					commands = append(commands, strings.TrimSpace(line))
					mu.Unlock()
					if _, err2 := io.WriteString(far, line); err != nil || err2 != nil {
						return
					}
				}
			}()
		}
	}()
	s.Port = l.Addr().(*net.TCPAddr).Port
	return s, func() []string { mu.Lock(); defer mu.Unlock(); return slices.Clone(commands) }
}

// lawful says what is wrong with a command of ours.
func lawful(line string) string {
	_, command, _ := strings.Cut(line, " ")
	upper := strings.ToUpper(command)
	first, _, _ := strings.Cut(upper, " ")
	switch {
	case slices.Contains([]string{"EXPUNGE", "CLOSE", "FETCH", "STORE", "COPY", "MOVE", "SEARCH", "DELETE", "RENAME"}, first):
		return "not by UID, or plain EXPUNGE (R2, R12)"
	case strings.Contains(upper, "BODY[") || strings.Contains(upper, "ENVELOPE") || strings.Contains(upper, "BODYSTRUCTURE"):
		return "it sets \\Seen, or has the server parse (R11)"
	}
	return ""
}

// What a server lacks, one thing alone and all together: mail is kept and filed,
// and moved where that is safe, and never does an EXPUNGE take what is not ours.
func TestPoll_R12_serversThatLackSomething(t *testing.T) {
	for name, a := range map[string]able{
		"R12/with everything":     ableAll,
		"R12/without MOVE":        {false, true, true},
		"R12/without UIDPLUS":     {true, false, true},
		"R12/without IDLE":        {true, true, false},
		"R12/without any of them": {false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			onEachServer(t, a, func(t *testing.T, s *imapServer) {
				r := newRealDesk(t)
				// somebody is about to delete mails of theirs
				s.put("INBOX", time.Now().Add(-48*time.Hour), []imap.Flag{imap.FlagDeleted}, letter("theirs"))
				at, commands := traced(t, s.settings())
				stop := r.run(t, at, nil)
				r.until("the first poll", `select count(*) from mailbox where folder = 'INBOX' and polled_at is not null`, 1)
				s.put("INBOX", time.Now(), nil, request("one"), request("two"))
				r.until("both filed", `select count(*) from ledger where state = 'filed' and told`, 2)
				if a.move || a.uidplus {
					s.becomes("INBOX", `theirs \Deleted`)
					s.becomes("Processed", `one \Seen`, `two \Seen`)
				} else {
					s.becomes("INBOX", `theirs \Deleted`, `one \Seen`, `two \Seen`)
				}
				stop()
				r.run(t, at, nil) // R8/it compares
				r.until("two starts", `select count(*) from mailbox where folder = 'INBOX' and epoch = 2 and holder <> ''`, 1)
				s.put("INBOX", time.Now(), nil, request("three"))
				r.until("the third", `select count(*) from cases`, 3)
				r.nothingDoubled()
				for _, c := range commands() {
					if wrong := lawful(c); wrong != "" {
						t.Errorf("%s: %s", c, wrong)
					}
				}
			})
		})
	}
}

func request(subject string) string {
	return "From: Anna <anna@northwind.example>\r\nTo: support@desk.example\r\nSubject: " + subject +
		"\r\nMessage-ID: <" + subject + "@northwind.example>\r\nDate: " + time.Now().Format(time.RFC1123Z) + "\r\n\r\nHello\r\n"
}

// realDesk is the whole way in: a desk on PostgreSQL, the real parser.
type realDesk struct {
	*coretest.World
	t *testing.T
}

func newRealDesk(t *testing.T) *realDesk {
	return &realDesk{coretest.NewDesk(t, func(s *core.Settings) { s.Now = nil }), t}
}

// run polls until the test ends, or until stop.
func (r *realDesk) run(t *testing.T, at Server, set func(*Poller)) (stop func()) {
	p := poller(t, nil, at)
	p.Desk, p.Processed = r.Desk, "Processed"
	p.Filer = r.filer(t)
	if set != nil {
		set(p)
	}
	return running(t, p, p.Filer)
}

func (r *realDesk) filer(t *testing.T) *Filer {
	return &Filer{
		Desk: r.Desk, StateDir: t.TempDir(),
		Parse: func(ctx context.Context, raw io.ReaderAt, size int64) (core.Mail, error) {
			return ParseContext(ctx, raw, size, mime.DefaultLimits)
		},
	}
}

func (r *realDesk) number(sql string) (n int) {
	r.t.Helper()
	if err := r.DB.QueryRow(r.t.Context(), sql).Scan(&n); err != nil {
		r.t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// until waits for a number.
func (r *realDesk) until(what, sql string, want int) {
	r.t.Helper()
	for end := time.Now().Add(patience); r.number(sql) != want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			var rows string
			r.DB.QueryRow(r.t.Context(), `select string_agg(id || ' ' || state || ' ' || reason || ' ' || folder || ' ' || at_uid || ' ' || told || ' ' || subject, e'\n' order by id) from ledger`).Scan(&rows)
			r.t.Fatalf("%s: %d, not %d, in time; the ledger:\n%s", what, r.number(sql), want, rows)
		}
	}
}

// nothingDoubled holds whatever happened: one case for each mail, one
// confirmation for each case, no row of a mail that is neither filed nor known.
func (r *realDesk) nothingDoubled() {
	r.t.Helper()
	if a, b := r.number(`select count(*) from cases`), r.number(`select count(distinct subject) from ledger where state = 'filed'`); a != b {
		r.t.Errorf("%d cases of %d mails", a, b)
	}
	if n := r.number(`select count(*) from comment`); n != 0 {
		r.t.Errorf("%d comments", n)
	}
	if n := r.number(`select count(*) from (select from outbox where kind = 'confirmation' group by case_id having count(*) > 1) as twice`); n != 0 {
		r.t.Errorf("%d cases were confirmed twice", n)
	}
}

// somebody works in the same mailbox by a mail program.
func somebody(t *testing.T, s *imapServer, folder string, work func(c *imapclient.Client) error) {
	t.Helper()
	s.as(func(c *imapclient.Client) {
		if _, err := c.Select(folder, nil).Wait(); err != nil {
			t.Fatal(err)
		}
		if err := work(c); err != nil {
			t.Fatal(err)
		}
	})
}

func TestPoll_R13_aPersonWorksInTheSameMailbox(t *testing.T) {
	all := imap.SeqSet{{Start: 1, Stop: 0}}
	flag := func(op imap.StoreFlagsOp, flags ...imap.Flag) func(c *imapclient.Client) error {
		return func(c *imapclient.Client) error {
			return c.Store(all, &imap.StoreFlags{Op: op, Flags: flags}, nil).Close()
		}
	}
	filed := func(r *realDesk, n int) {
		r.t.Helper()
		r.until("filed and told", `select count(*) from ledger where state = 'filed' and told`, n)
	}
	for name, c := range map[string]struct {
		set   func(p *Poller)
		story func(t *testing.T, r *realDesk, s *imapServer, again func())
	}{
		"R2/marking read, unread and flagged makes no mail new": {func(p *Poller) { p.Processed = "" }, func(t *testing.T, r *realDesk, s *imapServer, again func()) {
			s.put("INBOX", time.Now(), []imap.Flag{imap.FlagSeen, imap.FlagFlagged}, request("one"))
			filed(r, 1)
			somebody(t, s, "INBOX", flag(imap.StoreFlagsDel, imap.FlagSeen))
			again()
			somebody(t, s, "INBOX", flag(imap.StoreFlagsAdd, imap.FlagFlagged, imap.FlagAnswered))
			s.put("INBOX", time.Now(), nil, request("two"))
			filed(r, 2)
			s.becomes("INBOX", "one", `two \Seen`) // unread they left it, unread it stays
		}},
		"R13/what somebody moves back to the inbox has no effect and goes where it was": {nil, func(t *testing.T, r *realDesk, s *imapServer, again func()) {
			s.put("INBOX", time.Now(), nil, request("one"))
			filed(r, 1)
			somebody(t, s, "Processed", func(c *imapclient.Client) error { _, err := c.Move(all, "INBOX").Wait(); return err })
			r.until("known", `select count(*) from ledger where state = 'duplicate' and told`, 1)
			s.becomes("INBOX")
			s.becomes("Processed", `one \Seen`)
			again()
		}},
		"R13/what somebody moves to a folder of theirs is theirs": {func(p *Poller) { p.Processed = "" }, func(t *testing.T, r *realDesk, s *imapServer, again func()) {
			s.as(func(c *imapclient.Client) {
				if err := c.Create("Theirs", nil).Wait(); err != nil {
					t.Fatal(err)
				}
			})
			s.put("INBOX", time.Now(), nil, request("one"))
			filed(r, 1)
			somebody(t, s, "INBOX", func(c *imapclient.Client) error { _, err := c.Move(all, "Theirs").Wait(); return err })
			again()
			s.put("INBOX", time.Now(), nil, request("two"))
			filed(r, 2)
			s.becomes("Theirs", `one \Seen`)
		}},
		"R13/what somebody deletes is no trouble": {func(p *Poller) { p.Processed = "" }, func(t *testing.T, r *realDesk, s *imapServer, again func()) {
			s.put("INBOX", time.Now(), nil, request("one"))
			filed(r, 1)
			somebody(t, s, "INBOX", func(c *imapclient.Client) error {
				if err := flag(imap.StoreFlagsAdd, imap.FlagDeleted)(c); err != nil {
					return err
				}
				return c.Expunge().Close()
			})
			again()
			s.put("INBOX", time.Now(), nil, request("two"))
			filed(r, 2)
			s.becomes("INBOX", `two \Seen`)
		}},
		"R5/a copy has no effect": {nil, func(t *testing.T, r *realDesk, s *imapServer, again func()) {
			s.put("INBOX", time.Now(), nil, request("one"))
			filed(r, 1)
			somebody(t, s, "Processed", func(c *imapclient.Client) error { _, err := c.Copy(all, "INBOX").Wait(); return err })
			r.until("known", `select count(*) from ledger where state = 'duplicate' and told`, 1)
			s.becomes("INBOX")
			s.becomes("Processed", `one \Seen`, `one \Seen`)
			again()
		}},
		"R8/what somebody moves to Processed before we saw it is taken": {nil, func(t *testing.T, r *realDesk, s *imapServer, again func()) {
			s.put("Processed", time.Now(), nil, request("sorted"))
			again()
			filed(r, 1)
			s.becomes("Processed", `sorted \Seen`)
		}},
		"R8/new numbers of Processed and of the inbox double nothing": {nil, func(t *testing.T, r *realDesk, s *imapServer, again func()) {
			if s.name != "dovecot" { // the in-memory server gives no new ones to other folders
				return
			}
			s.put("INBOX", time.Now(), nil, request("one"), request("two"))
			filed(r, 2)
			s.becomes("INBOX")
			s.renumberFolders = []string{"INBOX", "Processed"}
			again()
			r.until("both are known", `select count(*) from ledger where state = 'duplicate'`, 2)
			s.put("INBOX", time.Now(), nil, request("three")) // under a number that was used before
			filed(r, 3)
		}},
		"R9/a mail that somebody deletes between listing and fetching is not there": {func(p *Poller) {
			p.PollEvery = time.Hour // one poll sees all three
		}, func(t *testing.T, r *realDesk, s *imapServer, again func()) {
			s.duringTake = sync.OnceFunc(func() {
				somebody(t, s, "INBOX", func(c *imapclient.Client) error {
					two := imap.SeqSetNum(2)
					if err := c.Store(two, &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close(); err != nil {
						return err
					}
					return c.Expunge().Close()
				})
			})
			s.beforeStart = func() { s.put("INBOX", time.Now(), nil, request("one"), request("deleted"), request("three")) }
			again()
			filed(r, 2)
			s.becomes("Processed", `one \Seen`, `three \Seen`)
			if n := r.number(`select count(*) from ledger`); n != 2 {
				t.Errorf("R9: %d rows", n)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			onEachServer(t, ableAll, func(t *testing.T, s *imapServer) {
				r := newRealDesk(t)
				starts := 0
				set := func(p *Poller) {
					if c.set != nil {
						c.set(p)
					}
					p.FreeBytes = func() (int64, error) {
						if s.duringTake != nil && s.armed.Load() {
							s.armed.Store(false)
							s.duringTake()
						}
						return 1 << 40, nil
					}
				}
				var stop func()
				start := func() {
					starts++
					stop = r.run(t, s.settings(), set)
					r.until("a poll of this start", fmt.Sprintf(`select count(*) from mailbox where folder = 'INBOX' and epoch = %d and holder <> ''`, starts), 1)
				}
				start()
				r.until("the first poll", `select count(*) from mailbox where folder = 'INBOX' and polled_at is not null`, 1)
				c.story(t, r, s, func() {
					stop()
					for _, folder := range s.renumberFolders {
						if err := s.newNumbers(folder); err != nil {
							t.Fatal(err)
						}
					}
					if s.beforeStart != nil {
						s.beforeStart()
						s.armed.Store(true)
					}
					start()
				})
				r.nothingDoubled()
			})
		})
	}
}

func TestPoll_R8_newNumbersWhileConnected(t *testing.T) {
	t.Run("R8/a UIDVALIDITY that changes while we are connected is seen, and doubles nothing", func(t *testing.T) {
		s := memoryServer(t, ableAll)
		r := newRealDesk(t)
		r.run(t, s.settings(), func(p *Poller) { p.Processed, p.compareEvery = "", 50*time.Millisecond })
		r.until("the first poll", `select count(*) from mailbox where folder = 'INBOX' and polled_at is not null`, 1)
		s.put("INBOX", time.Now(), nil, request("one"), request("two"))
		r.until("filed", `select count(*) from ledger where state = 'filed' and told`, 2)
		s.renumber()
		r.until("all are compared", `select count(*) from ledger where state = 'duplicate' and told`, 2)
		s.put("INBOX", time.Now(), nil, request("three"))
		r.until("filed", `select count(*) from ledger where state = 'filed' and told`, 3)
		r.nothingDoubled()
	})
	t.Run("R8/the same of the folder of what is done with, and of a folder that takes turns", func(t *testing.T) {
		s := memoryServer(t, ableAll)
		r := newRealDesk(t)
		r.run(t, s.settings(), func(p *Poller) { p.Line, p.compareEvery = NewLine(), 50*time.Millisecond })
		r.until("the first poll", `select count(*) from mailbox where folder = 'INBOX' and polled_at is not null`, 1)
		s.put("INBOX", time.Now(), nil, request("one"))
		r.until("filed", `select count(*) from ledger where state = 'filed' and told`, 1)
		s.renumber()
		s.put("INBOX", time.Now(), nil, request("two")) // UID 2, of the new numbers
		r.until("filed", `select count(*) from ledger where state = 'filed' and told`, 2)
		if n := r.number(`select count(distinct uidvalidity) from ledger`); n != 2 {
			t.Errorf("%d UIDVALIDITY", n)
		}
		r.nothingDoubled()
	})
	t.Run("R8/a server that goes back in its numbers is an error, once", func(t *testing.T) {
		box := newLittleBox(letter("one"), letter("two"), letter("three"))
		d := newFakeDesk()
		stop := running(t, poller(t, d, script(t, box.play)))
		d.wait(t, "all", func() bool { return len(d.rows) == 3 })
		stop()
		older := newLittleBox(letter("one"))
		p := poller(t, d, script(t, older.play))
		var log lines
		p.Log, p.Line = slog.New(slog.NewTextHandler(&log, nil)), NewLine()
		running(t, p)
		d.wait(t, "polls of the restored one", func() bool { return d.polls > 5 })
		if n := log.count("gone back in its numbers"); n != 1 {
			t.Errorf("said %d times", n)
		}
	})
}

// lines is a log that can be asked.
type lines struct {
	mu  sync.Mutex
	all strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.all.String(), what)
}

func TestPoll_R3_everyUIDHasARow(t *testing.T) {
	t.Run("R3/each UID since the start has a row that comes to an end, and no row is without a UID", func(t *testing.T) {
		onEachServer(t, ableAll, func(t *testing.T, s *imapServer) {
			r := newRealDesk(t)
			s.put("INBOX", time.Now().Add(-48*time.Hour), nil, request("before"))
			r.run(t, s.settings(), func(p *Poller) { p.Processed = "" })
			r.until("the first poll", `select count(*) from mailbox where folder = 'INBOX' and polled_at is not null`, 1)
			odd := []string{request("one"), "no header at all", "\r\n\r\n", request("one"), "Subject: only\r\n\r\n", request("two") + strings.Repeat("x\r\n", 300_000)}
			s.put("INBOX", time.Now(), nil, odd...)
			r.until("all are at an end", `select count(*) from ledger where state in ('filed', 'duplicate', 'held', 'quarantined', 'gone') and told`, len(odd))
			if n := r.number(`select count(*) from ledger l where uid between 2 and 7`); n != len(odd) || r.number(`select count(*) from ledger`) != n {
				t.Errorf("%d rows of %d mails", n, len(odd))
			}
		})
	})
}
