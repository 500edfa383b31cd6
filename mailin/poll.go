package mailin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"postern/core"
)

// Poller brings the mail of one mailbox to the ledger, and tells the server
// what became of it. Any number of processes may have a Poller for the same
// mailbox: one of them holds it at a time (R16).
type Poller struct {
	Name   string // of the mailbox, in the settings
	Server Server
	Folder string // "": INBOX

	// Where mail goes that is done with, and mail that waits for a person.
	// Empty: it stays where it is (R13).
	Processed, Quarantine string

	// DeleteAfter is how long a mail that is done with lies in Processed until
	// it is deleted there; zero: for ever (R13).
	DeleteAfter time.Duration

	// Line is a connection that several pollers of one account take in turn, so
	// that it has two at most (R15). nil: this one has its own.
	Line *Line

	// Follows is for a further folder of an account: it moves mail to Processed
	// and leaves comparing that folder to the poller of the first.
	Follows bool

	Since     time.Time     // R74; zero: from the moment the mailbox was added
	PollEvery time.Duration // beside IDLE too (R15); 0: a minute
	MailBytes int64         // beyond it only the header block is taken (R17); 0: 40 MiB
	Lease     time.Duration // 0: a minute
	Holder    string        // this process, unlike any other; "": made up
	StateDir  string        // large mails are spooled there; "": the system's
	FreeBytes func() (int64, error)

	Desk  PollDesk
	Filer *Filer // nil: the mail is kept and not filed by this process
	Log   *slog.Logger

	once   sync.Once
	tell   chan struct{} // rows ended
	retry  func(tries int) time.Duration
	bad    map[mailKey]trouble // mails on which a fetch or a commit broke
	mu     sync.Mutex
	status Status

	compareEvery time.Duration // R8; 0: 12 h

	shortest time.Duration // a refused STORE or MOVE is tried again after it; 0: a minute

	wentBack bool // the server gives numbers again: it was said
}

const (
	usualCompare = 12 * time.Hour      // R8
	compareBack  = 30 * 24 * time.Hour // R8
	leastFree    = 1 << 30             // R65
	loginAgain   = time.Minute         // R15
	alarmAfter   = 15 * time.Minute    // R15
	soonAgain    = 30 * time.Second    // R65
	letGo        = 30 * time.Second    // for what is in hand when we stop (R68)
)

// Status is how a mailbox does, for people who look.
type Status struct {
	Mailbox   string
	Folder    string
	Held      bool // by this process
	Connected bool
	Abilities []string  // of the server
	PolledAt  time.Time // the end of the last good poll of this process
	Err       string    // of the last try; "" if it went well
	NotKept   bool      // because the database could not be used (R65)
	Kept      int64     // mails taken since the start
	Behind    int       // mails listed and not yet taken
}

// Status may be asked at any time.
func (p *Poller) Status() Status {
	p.once.Do(p.defaults)
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.status
	s.Mailbox, s.Folder = p.Name, p.Folder
	return s
}

func (p *Poller) note(change func(*Status)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.status)
}

// Run polls until ctx ends. A server or database that is away is logged and
// tried again, never returned.
func (p *Poller) Run(ctx context.Context) error {
	p.once.Do(p.defaults)
	good := time.Now()
	for tries := 0; ctx.Err() == nil; {
		held, err := p.hold(ctx, &good)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			tries++
			again := p.again(tries, err)
			p.failed(err, &good, again)
			pause(ctx, again)
		case !held:
			tries = 0
			p.note(func(s *Status) { s.Err, s.NotKept = "", false })
			pause(ctx, p.Lease/3)
		default:
			tries = 0 // the lease was lost
		}
	}
	return nil
}

func (p *Poller) defaults() {
	if p.Folder == "" {
		p.Folder = "INBOX"
	}
	if p.PollEvery == 0 {
		p.PollEvery = time.Minute
	}
	p.PollEvery = min(p.PollEvery, 25*time.Minute) // IDLE is renewed by it
	if p.MailBytes == 0 {
		p.MailBytes = mailBytes
	}
	if p.Lease == 0 {
		p.Lease = time.Minute
	}
	if p.Holder == "" {
		host, _ := os.Hostname()
		p.Holder = fmt.Sprintf("%s %d %x", host, os.Getpid(), rand.Uint64())
	}
	if p.compareEvery == 0 {
		p.compareEvery = usualCompare
	}
	if p.retry == nil {
		p.retry = backOff
	}
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	p.tell = make(chan struct{}, 1)
	p.bad = map[mailKey]trouble{}
}

// backOff is 1, 2, 4 ... 300 s, less up to a fifth, so that fifty mailboxes do
// not come back in the same second.
func backOff(tries int) time.Duration {
	wait := min(time.Second<<min(tries-1, 9), 300*time.Second)
	return wait - time.Duration(rand.Int64N(int64(wait/5)))
}

// again is how long to wait after something went wrong.
func (p *Poller) again(tries int, err error) time.Duration {
	wait := p.retry(tries)
	var login *LoginError
	switch {
	case errors.As(err, &login):
		return max(wait, loginAgain)
	case errors.Is(err, core.ErrUnavailable):
		return min(wait, soonAgain) // a database that is back is used within a minute (R65)
	}
	return max(wait, busy(err))
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// failed is the one place where what went wrong is logged.
func (p *Poller) failed(err error, good *time.Time, again time.Duration) {
	p.note(func(s *Status) {
		s.Err, s.Connected, s.NotKept = err.Error(), false, errors.Is(err, core.ErrUnavailable)
	})
	p.Log.Warn("mailbox cannot be polled", "mailbox", p.Name, "err", err, "again", again.Round(time.Second))
	if time.Since(*good) > alarmAfter {
		p.Log.Error("no good poll for a long time", "mailbox", p.Name, "err", err)
		*good = time.Now() // the next alarm
	}
}

// boxes are the folders of which we take mail: the inbox, and Processed and
// Quarantine for what somebody put there before we saw it, or the ledger has
// forgotten (R8).
type boxes struct {
	inbox      core.Mailbox
	processed  core.Mailbox // ID 0 without one
	quarantine core.Mailbox // likewise
}

func (b boxes) all() []core.Mailbox {
	all := []core.Mailbox{b.inbox}
	for _, other := range []core.Mailbox{b.processed, b.quarantine} {
		if other.ID != 0 {
			all = append(all, other)
		}
	}
	return all
}

// lease takes or renews the boxes, and reads their rows.
func (p *Poller) lease(ctx context.Context) (b boxes, held bool, err error) {
	open := func(folder string, since time.Time, into *core.Mailbox) (bool, error) {
		mb, err := p.Desk.OpenMailbox(ctx, p.Name, folder, since)
		if err != nil {
			return false, err
		}
		var ok bool
		*into, ok, err = p.Desk.LeaseMailbox(ctx, mb.ID, p.Holder, p.Lease)
		return ok, err
	}
	if held, err = open(p.Folder, p.Since, &b.inbox); err != nil || !held {
		return b, false, err
	}
	if p.Follows {
		return b, held, nil
	}
	if p.Processed != "" && p.Processed != p.Folder {
		if held, err = open(p.Processed, b.inbox.AddedAt, &b.processed); err != nil || !held {
			return b, held, err
		}
	}
	if p.Quarantine != "" && p.Quarantine != p.Folder && p.Quarantine != p.Processed {
		held, err = open(p.Quarantine, b.inbox.AddedAt, &b.quarantine)
	}
	return b, held, err
}

// hold works on the mailbox for as long as this process has it. False: another
// one has.
func (p *Poller) hold(ctx context.Context, good *time.Time) (bool, error) {
	b, held, err := p.lease(ctx)
	if err != nil || !held {
		return false, err
	}
	p.note(func(s *Status) { s.Held = true })
	defer p.note(func(s *Status) { s.Held, s.Connected = false, false })

	work, lost := context.WithCancelCause(ctx)
	defer lost(nil)
	var renewing sync.WaitGroup
	defer renewing.Wait()
	defer lost(nil)
	renewing.Go(func() { p.renew(work, b, lost) })

	p.hand(b)
	defer p.release(ctx, b)

	for tries := 0; work.Err() == nil; {
		polled := false
		err := p.session(work, func() { polled, *good = true, time.Now() })
		if errors.Is(err, core.ErrLeaseLost) {
			lost(err)
		}
		if work.Err() != nil {
			break
		}
		if polled {
			tries = 0
		}
		tries++
		again := p.again(tries, err)
		p.failed(err, good, again)
		pause(work, again)
	}
	if ctx.Err() == nil {
		p.Log.Info("another process has the mailbox now", "mailbox", p.Name)
	}
	return true, nil
}

// renew keeps the lease while a large mail is on its way.
func (p *Poller) renew(ctx context.Context, had boxes, lost func(error)) {
	for {
		pause(ctx, p.Lease/3)
		if ctx.Err() != nil {
			return
		}
		b, held, err := p.lease(ctx)
		if err != nil {
			continue // Keep would say so; the epoch guards
		}
		if !held || b.inbox.Epoch != had.inbox.Epoch || b.processed.Epoch != had.processed.Epoch || b.quarantine.Epoch != had.quarantine.Epoch {
			lost(core.ErrLeaseLost)
			return
		}
	}
}

func (p *Poller) hand(b boxes) {
	if p.Filer == nil {
		return
	}
	for _, mb := range b.all() {
		p.Filer.Hold(mb, p.rowsEnded)
	}
}

// rowsEnded is called by the filer.
func (p *Poller) rowsEnded() {
	select {
	case p.tell <- struct{}{}:
	default:
	}
}

// release lets another process go on; mails in hand are finished first.
func (p *Poller) release(ctx context.Context, b boxes) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), letGo)
	defer cancel()
	for _, mb := range b.all() {
		if p.Filer != nil {
			p.Filer.Drop(ctx, mb.ID)
		}
		if err := p.Desk.ReleaseMailbox(ctx, mb.ID, p.Holder); err != nil {
			p.Log.Warn("lease is left to run out", "mailbox", p.Name, "err", err)
		}
	}
}

// room says whether there is disk enough to go on (R65).
func (p *Poller) room() error {
	if p.FreeBytes == nil {
		return nil
	}
	free, err := p.FreeBytes()
	if err != nil {
		return fmt.Errorf("free disk space: %w", err)
	}
	if free < leastFree {
		return fmt.Errorf("%w: %d MiB free", errNoRoom, free>>20)
	}
	return nil
}

var errNoRoom = errors.New("less than 1 GiB is free on the disk")
