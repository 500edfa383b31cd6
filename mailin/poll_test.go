package mailin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"postern/core"
)

// poller is one that is not patient.
func poller(t *testing.T, d *fakeDesk, s Server) *Poller {
	return &Poller{
		Name: "support", Server: s, PollEvery: 150 * time.Millisecond, Lease: 10 * time.Second,
		Holder: t.Name(), StateDir: t.TempDir(), Desk: d, Log: slog.New(slog.NewTextHandler(testLog{t}, nil)),
		retry: func(int) time.Duration { return 10 * time.Millisecond },
	}
}

func filer(t *testing.T, d *fakeDesk) *Filer {
	return &Filer{Desk: d, Parse: parseLittle, StateDir: t.TempDir(), Log: slog.New(slog.NewTextHandler(testLog{t}, nil))}
}

// parseLittle reads Message-ID and Subject: all that these stories need.
func parseLittle(_ context.Context, r io.ReaderAt, size int64) (core.Mail, error) {
	raw, err := io.ReadAll(io.NewSectionReader(r, 0, min(size, scanBytes)))
	var m core.Mail
	for name, value := range fields(raw) {
		switch name {
		case "message-id":
			m.MessageID = strings.Trim(unfold(value), "<>")
		case "subject":
			m.Subject = unfold(value)
		}
	}
	return m, err
}

type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	if l.t.Context().Err() == nil { // later it would panic
		l.t.Logf("%s", p)
	}
	return len(p), nil
}

// running is what runs until the test ends, or until stop.
func running(t *testing.T, parts ...interface{ Run(context.Context) error }) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for _, part := range parts {
		all.Go(func() {
			if err := part.Run(ctx); err != nil {
				t.Errorf("Run returns %v", err)
			}
		})
	}
	stop = sync.OnceFunc(func() { cancel(); all.Wait() })
	t.Cleanup(stop)
	return stop
}

func pollAndFile(t *testing.T, d *fakeDesk, s *imapServer, set func(*Poller)) (*Poller, func()) {
	p := poller(t, d, s.settings())
	p.Filer = filer(t, d)
	if set != nil {
		set(p)
	}
	return p, running(t, p, p.Filer)
}

// opened waits for the first good poll: what comes now is new.
func (d *fakeDesk) opened(t *testing.T) {
	t.Helper()
	d.wait(t, "first poll", func() bool { return d.polls > 0 })
}

func TestPoll_newMailIsKeptFiledAndMarked(t *testing.T) {
	onEachServer(t, ableAll, func(t *testing.T, s *imapServer) {
		d := newFakeDesk()
		s.put("INBOX", time.Now().Add(-48*time.Hour), nil, letter("before"))
		pollAndFile(t, d, s, nil)
		d.opened(t)
		s.put("INBOX", time.Now(), nil, letter("unread"))
		s.put("INBOX", time.Now(), []imap.Flag{imap.FlagSeen}, letter("read"))

		d.wait(t, "R2/a mail that somebody read is taken too", func() bool { return len(d.received) == 2 })
		s.becomes("INBOX", "before", `unread \Seen`, `read \Seen`) // R74: the old one is left alone
		d.wait(t, "told", func() bool { return d.rows[0].told && d.rows[1].told })
		if got, want := string(d.rows[0].raw), letter("unread"); got != want {
			t.Errorf("kept %q, not %q", got, want)
		}
	})
}

func TestPoll_R1_deskFailsAndMailIsOfferedAgain(t *testing.T) {
	t.Run("R1/nothing is marked before the commit, and what was not committed is offered again", func(t *testing.T) {
		onEachServer(t, ableAll, func(t *testing.T, s *imapServer) {
			d := newFakeDesk()
			failed := 0
			d.failKeep = func(batch []core.Incoming) error {
				if len(batch) > 0 && failed < 3 {
					failed++
					return core.ErrUnavailable
				}
				return nil
			}
			p := poller(t, d, s.settings())
			running(t, p)
			d.opened(t)
			s.put("INBOX", time.Now(), nil, letter("once"))
			d.wait(t, "three failures", func() bool { return failed == 3 })
			s.becomes("INBOX", "once") // not \Seen: nothing was committed, or nothing is filed
			d.wait(t, "kept in the end", func() bool { return len(d.rows) == 1 })
			s.becomes("INBOX", "once")
		})
	})
}

func TestPoll_R12_R13_movesToItsFolder(t *testing.T) {
	for name, a := range map[string]able{
		"with MOVE": ableAll, "by COPY and UID EXPUNGE": {false, true, true},
		"without UIDPLUS it stays": {false, false, true}, "without IDLE": {true, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEachServer(t, a, func(t *testing.T, s *imapServer) {
				d := newFakeDesk()
				d.onReceive = func(m core.Mail) (core.Receipt, error) {
					if m.Subject == "odd" {
						return core.Receipt{State: core.Held}, nil
					}
					return core.Receipt{State: core.Filed}, nil
				}
				// somebody is about to delete a mail of theirs
				s.put("INBOX", time.Now().Add(-48*time.Hour), []imap.Flag{imap.FlagDeleted}, letter("theirs"))
				_, stop := pollAndFile(t, d, s, func(p *Poller) { p.Processed, p.Quarantine = "Processed", "Quarantine" })
				d.opened(t)
				s.put("INBOX", time.Now(), nil, letter("good"), letter("odd"))
				if !a.move && !a.uidplus {
					s.becomes("INBOX", `theirs \Deleted`, `good \Seen`, `odd \Seen`)
					return
				}
				s.becomes("INBOX", `theirs \Deleted`)
				s.becomes("Processed", `good \Seen`)
				s.becomes("Quarantine", `odd \Seen`)
				d.wait(t, "R8/the row knows where the mail lies", func() bool {
					r := d.rows[0]
					return r.told && r.folder == "Processed" && r.atUID == 1 && r.atValidity != 0
				})

				// R8/a restart compares both folders and finds nothing new
				stop()
				p := poller(t, d, s.settings())
				p.Processed, p.Quarantine = "Processed", "Quarantine"
				before := d.polls
				running(t, p)
				d.wait(t, "second start", func() bool { return d.polls > before })
				if len(d.rows) != 2 {
					t.Errorf("R8/a moved mail was taken again: %s", d.dump())
				}

				// R13/released from quarantine it moves on
				func() {
					defer d.lock()()
					d.rows[1].state, d.rows[1].told = core.Filed, false
				}()
				s.becomes("Quarantine")
				s.becomes("Processed", `good \Seen`, `odd \Seen`)
				s.becomes("INBOX", `theirs \Deleted`)
			})
		})
	}
}

func TestPoll_R8_whatSomebodyPutIntoProcessedIsTaken(t *testing.T) {
	onEachServer(t, ableAll, func(t *testing.T, s *imapServer) {
		d := newFakeDesk()
		_, stop := pollAndFile(t, d, s, func(p *Poller) { p.Processed = "Processed" })
		d.opened(t)
		stop()
		s.put("Processed", time.Now(), nil, letter("sorted"))
		_, stop = pollAndFile(t, d, s, func(p *Poller) { p.Processed = "Processed" })
		d.wait(t, "taken", func() bool { return len(d.received) == 1 })
		d.wait(t, "told", func() bool { return d.rows[0].told })
		stop()
		s.becomes("Processed", `sorted \Seen`)
	})
}

func TestPoll_R8_newUIDValidityComparesAll(t *testing.T) {
	onEachServer(t, ableAll, func(t *testing.T, s *imapServer) {
		d := newFakeDesk()
		s.put("INBOX", time.Now().Add(-48*time.Hour), nil, letter("before"))
		_, stop := pollAndFile(t, d, s, nil)
		d.opened(t)
		s.put("INBOX", time.Now(), nil, letter("one"), letter("two"))
		d.wait(t, "filed", func() bool { return len(d.received) == 2 })
		stop()
		s.renumber()
		s.put("INBOX", time.Now(), nil, letter("three"))
		pollAndFile(t, d, s, nil)
		d.wait(t, "all since the start are there again, R5 makes it harmless", func() bool { return len(d.received) == 5 })
		if d.rows[2].origin[0] == d.rows[0].origin[0] {
			t.Error("UIDVALIDITY did not change")
		}
	})
}

func TestPoll_R74_start(t *testing.T) {
	t.Run("R74/since takes older mail in, oldest first", func(t *testing.T) {
		onEachServer(t, ableAll, func(t *testing.T, s *imapServer) {
			d := newFakeDesk()
			week := 7 * 24 * time.Hour
			s.put("INBOX", time.Now().Add(-3*week), nil, letter("ancient"))
			s.put("INBOX", time.Now().Add(-week), nil, letter("older"))
			s.put("INBOX", time.Now().Add(-time.Hour), nil, letter("old"))
			pollAndFile(t, d, s, func(p *Poller) { p.Since = time.Now().Add(-2 * week) })
			d.wait(t, "two", func() bool { return len(d.received) == 2 })
			d.opened(t)
			if len(d.rows) != 2 || !strings.Contains(string(d.rows[0].raw), "older") {
				t.Error(d.dump())
			}
		})
	})
	t.Run("R74/old mail costs one SEARCH, and its sizes are not asked", func(t *testing.T) {
		s := memoryServer(t, ableAll)
		many := make([]string, 3000)
		for i := range many {
			many[i] = "Subject: old\r\n\r\n"
		}
		s.put("INBOX", time.Now().Add(-30*24*time.Hour), nil, many...)
		d := newFakeDesk()
		p := poller(t, d, s.settings())
		running(t, p)
		d.opened(t)
		if d.asked > 0 || len(d.rows) > 0 {
			t.Errorf("%d UIDs were compared, %d rows kept", d.asked, len(d.rows))
		}
		if next := d.boxes["support/INBOX"].NextUID; next != 3001 {
			t.Errorf("the cursor is %d, not 3001", next)
		}
		s.put("INBOX", time.Now(), nil, letter("new"))
		d.wait(t, "new mail", func() bool { return len(d.rows) == 1 })
	})
}

func TestPoll_R11_batches(t *testing.T) {
	onEachServer(t, ableAll, func(t *testing.T, s *imapServer) {
		d := newFakeDesk()
		var mails []string
		for i := range 120 {
			mails = append(mails, letter(fmt.Sprint("m", i)))
		}
		mails = append(mails, letter("big1")+strings.Repeat("x\r\n", 2<<20), letter("big2")+strings.Repeat("x\r\n", 2<<20))
		s.put("INBOX", time.Now().Add(-time.Hour), nil, mails...)
		pollAndFile(t, d, s, func(p *Poller) { p.Since = time.Now().Add(-24 * time.Hour) })
		d.wait(t, "all", func() bool { return len(d.received) == 122 })
		d.opened(t)
		defer d.lock()()
		for i, n := range d.kept {
			if n > batchUIDs {
				t.Errorf("batch %d holds %d mails", i, n)
			}
		}
		if len(d.kept) > 6 {
			t.Errorf("%d commits for 122 mails: %v", len(d.kept), d.kept)
		}
		for i, r := range d.rows {
			if string(r.raw) != mails[i] {
				t.Fatalf("mail %d was not kept byte for byte: %d instead of %d octets", i, len(r.raw), len(mails[i]))
			}
		}
	})
}

func TestPoll_R17_tooLargeIsKeptByItsHeader(t *testing.T) {
	onEachServer(t, ableAll, func(t *testing.T, s *imapServer) {
		d := newFakeDesk()
		var size int64
		d.onReceive = func(m core.Mail) (core.Receipt, error) {
			if m.HeaderOnly {
				size = m.Size
				return core.Receipt{State: core.Held}, nil
			}
			return core.Receipt{State: core.Filed}, nil
		}
		pollAndFile(t, d, s, func(p *Poller) { p.MailBytes, p.Quarantine = 100_000, "Quarantine" })
		d.opened(t)
		large := letter("large") + strings.Repeat("x\r\n", 100_000)
		s.put("INBOX", time.Now(), nil, letter("small"), large, letter("next"))
		d.wait(t, "all three", func() bool { return len(d.received) == 3 })
		s.becomes("Quarantine", `large \Seen`)
		if size != int64(len(large)) {
			t.Errorf("size %d, not %d", size, len(large))
		}
		if got := string(d.rows[1].raw); !strings.HasPrefix(large, got) || !strings.HasSuffix(got, "\r\n\r\n") {
			t.Errorf("kept %q", got)
		}
	})
}

func TestPoll_newMailDoesNotWaitForABacklog(t *testing.T) {
	onEachServer(t, ableAll, func(t *testing.T, s *imapServer) {
		d := newFakeDesk()
		var backlog []string
		for i := range 1000 {
			backlog = append(backlog, letter(fmt.Sprint("old", i)))
		}
		s.put("INBOX", time.Now().Add(-2*time.Hour), nil, backlog...)
		arrived := false
		d.failKeep = func(batch []core.Incoming) error { // with the desk's lock held
			if len(d.rows) >= 100 && !arrived {
				arrived = true
				s.put("INBOX", time.Now(), nil, letter("urgent"))
			}
			return nil
		}
		p := poller(t, d, s.settings())
		p.Since = time.Now().Add(-24 * time.Hour)
		running(t, p)
		d.wait(t, "all", func() bool { return len(d.rows) == 1001 })
		for i, r := range d.rows {
			if r.UID == 1001 && i > 400 {
				t.Errorf("the new mail was taken as number %d of 1001", i)
			}
		}
	})
}

func TestPoll_R10_oneBadMailDoesNotStopOthers(t *testing.T) {
	s := memoryServer(t, ableAll)
	d := newFakeDesk()
	bad := true
	d.failKeep = func(batch []core.Incoming) error {
		for _, in := range batch {
			if in.UID == 2 && bad {
				return errors.New("the database does not like it")
			}
		}
		return nil
	}
	stop := running(t, poller(t, d, s.settings()))
	d.opened(t)
	s.put("INBOX", time.Now(), nil, letter("one"), letter("two"), letter("three"))
	d.wait(t, "the others", func() bool { return len(d.rows) == 2 })
	if next := d.boxes["support/INBOX"].NextUID; next > 2 {
		t.Errorf("the cursor %d passed a mail that is not kept", next)
	}
	s.put("INBOX", time.Now(), nil, letter("four"))
	d.wait(t, "a later one", func() bool { return len(d.rows) == 3 })
	stop()
	bad = false
	running(t, poller(t, d, s.settings()))
	d.wait(t, "the bad one", func() bool { return len(d.rows) == 4 })
}

func TestPoll_R10_oneMailThatBreaksTheConnectionDoesNotStopOthers(t *testing.T) {
	d := newFakeDesk()
	size := len(letter("x1"))
	server := script(t, func(w *wire) {
		w.signIn("IMAP4rev1")
		w.answer("SELECT", "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] .\r\n* OK [UIDNEXT 4] .")
		for {
			tag, command, _ := strings.Cut(w.line(), " ")
			switch {
			case strings.HasPrefix(command, "UID SEARCH"):
				w.say("* SEARCH 1 2 3")
			case strings.Contains(command, "RFC822.SIZE"):
				for uid := range 3 {
					w.say(fmt.Sprintf(`* %d FETCH (UID %d RFC822.SIZE %d INTERNALDATE %q)`, uid+1, uid+1, size, imapNow()))
				}
			case strings.HasPrefix(command, "UID FETCH"):
				for uid := 1; uid <= 3; uid++ {
					if !strings.Contains(command, fmt.Sprint(uid)) && !strings.Contains(command, "1:3") {
						continue
					}
					if uid == 2 {
						return // it crashes
					}
					w.say(fmt.Sprintf("* %d FETCH (UID %d BODY[] {%d}", uid, uid, size))
					w.raw(letter(fmt.Sprint("x", uid)) + ")\r\n")
				}
			}
			w.say(tag + " OK done")
		}
	})
	running(t, poller(t, d, server))
	d.wait(t, "the others", func() bool { return len(d.rows) == 2 })
	defer d.lock()()
	if d.rows[0].UID != 1 || d.rows[1].UID != 3 || d.boxes["support/INBOX"].NextUID > 2 {
		t.Error(d.dump())
	}
}

func TestPoll_R13_expungedBetween(t *testing.T) {
	onEachServer(t, ableAll, func(t *testing.T, s *imapServer) {
		d := newFakeDesk()
		expunge := sync.OnceFunc(func() {
			s.as(func(c *imapclient.Client) {
				c.Select("INBOX", nil).Wait()
				c.Store(imap.SeqSetNum(1), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close()
				c.Expunge().Close()
			})
		})
		d.onReceive = func(m core.Mail) (core.Receipt, error) {
			expunge() // somebody is faster than we are
			return core.Receipt{State: core.Filed}, nil
		}
		pollAndFile(t, d, s, func(p *Poller) { p.Processed = "Processed" })
		d.opened(t)
		s.put("INBOX", time.Now(), nil, letter("deleted"), letter("stays"))
		s.becomes("Processed", `stays \Seen`)
		d.wait(t, "both told", func() bool { return d.rows[0].told && d.rows[1].told })
		s.becomes("INBOX")
	})
}

func TestPoll_R16_onePollerHasTheMailbox(t *testing.T) {
	s := memoryServer(t, ableAll)
	d := newFakeDesk()
	first, second := poller(t, d, s.settings()), poller(t, d, s.settings())
	second.Holder = "another process"
	for _, p := range []*Poller{first, second} {
		p.Lease = 300 * time.Millisecond
	}
	stop := running(t, first)
	d.wait(t, "first has it", func() bool { return first.Status().Held && d.polls > 0 })
	running(t, second)
	s.put("INBOX", time.Now(), nil, letter("one"))
	d.wait(t, "kept", func() bool { return len(d.rows) == 1 })
	if second.Status().Held {
		t.Error("both hold the mailbox")
	}
	stop()
	s.put("INBOX", time.Now(), nil, letter("two"))
	d.wait(t, "the second goes on", func() bool { return len(d.rows) == 2 })

	t.Run("R16/a lost lease ends the work", func(t *testing.T) {
		func() {
			defer d.lock()()
			b := d.boxes["support/INBOX"]
			b.holder, b.Epoch, b.until = "a third", b.Epoch+1, time.Now().Add(time.Hour)
		}()
		s.put("INBOX", time.Now(), nil, letter("three"))
		for deadline := time.Now().Add(20 * time.Second); second.Status().Held; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("still held")
			}
		}
		if len(d.rows) != 2 {
			t.Error("kept without the lease")
		}
	})
}

func TestPoll_R65_noRoomOnTheDisk(t *testing.T) {
	s := memoryServer(t, ableAll)
	d := newFakeDesk()
	var mu sync.Mutex
	free := int64(2 << 30)
	p := poller(t, d, s.settings())
	p.FreeBytes = func() (int64, error) { mu.Lock(); defer mu.Unlock(); return free, nil }
	set := func(n int64) { mu.Lock(); free = n; mu.Unlock() }
	running(t, p)
	d.opened(t)
	set(1 << 20)
	s.put("INBOX", time.Now(), nil, letter("waits"))
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(p.Status().Err, "free"); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody says that the disk is full")
		}
	}
	if len(d.rows) > 0 {
		t.Error("fetched all the same")
	}
	set(2 << 30)
	d.wait(t, "goes on by itself", func() bool { return len(d.rows) == 1 })
}

func TestPoll_largeMailIsSpooledWithFlatMemory(t *testing.T) {
	d := &countingDesk{fakeDesk: newFakeDesk()}
	const size = 39 << 20
	l := script(t, func(w *wire) {
		w.signIn("IMAP4rev1")
		w.answer("SELECT", "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] .\r\n* OK [UIDNEXT 2] .")
		w.answer("UID SEARCH", "* SEARCH 1")
		w.answer("UID FETCH", fmt.Sprintf(`* 1 FETCH (UID 1 RFC822.SIZE %d INTERNALDATE %q)`, size, imapNow()))
		tag := w.expect("UID FETCH")
		w.raw(fmt.Sprintf("* 1 FETCH (UID 1 BODY[] {%d}\r\n", size))
		line := strings.Repeat("x", 1022) + "\r\n"
		for range size / 1024 {
			w.raw(line)
		}
		w.raw(")\r\n" + tag + " OK done\r\n")
		w.hang()
	})
	p := poller(t, d.fakeDesk, l)
	p.Desk = d
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	running(t, p)
	d.wait(t, "kept", func() bool { return d.bytes > 0 })
	runtime.ReadMemStats(&after)
	if d.bytes != size {
		t.Errorf("kept %d octets, not %d", d.bytes, size)
	}
	if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 16<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
}

// countingDesk throws the bytes away.
type countingDesk struct {
	*fakeDesk
	bytes int64
}

func (d *countingDesk) Keep(ctx context.Context, mb core.Mailbox, validity uint32, batch []core.Incoming, next uint32) ([]core.Stored, error) {
	for _, in := range batch {
		n, err := io.Copy(io.Discard, struct{ io.Reader }{in.Raw})
		if err != nil {
			return nil, err
		}
		defer d.lock()()
		d.bytes += n
	}
	return nil, nil
}
