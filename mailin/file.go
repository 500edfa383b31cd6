package mailin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"postern/core"
	"postern/mailin/mime"
)

// Filer takes the rows of the mailboxes that this process holds, reads each
// mail and has the desk file it. One Filer serves all Pollers of a process.
type Filer struct {
	Desk FileDesk
	// Parse understands a mail. An error is one of reading it, or a limit of
	// R17 that means quarantine: the row's try has failed.
	Parse func(ctx context.Context, r io.ReaderAt, size int64) (core.Mail, error)
	// Verify checks signatures over the network; nil: nobody does.
	Verify func(ctx context.Context, r io.ReaderAt, size int64) ([]core.Signature, core.Checked)

	Workers, FreshWorkers int   // 0: six, and two for mail of the last ten minutes (R75)
	MemoryBytes           int64 // of mails in work; a larger one takes all of it; 0: 32 MiB
	StateDir              string
	Log                   *slog.Logger
	Filed                 func(Filing) // told of each mail, for metrics; may be nil

	once   sync.Once
	memory *semaphore.Weighted

	mu       sync.Mutex
	turn     *sync.Cond // anything below changed
	feeds    map[int64]*feed
	order    order
	inHand   int64 // bytes in memory of mails that wait
	awayTill time.Time
	awayFor  int // failures in a row
	stopped  bool
}

// Filing is what became of one mail.
type Filing struct {
	Mailbox string
	State   core.State // StateStored: it is tried again
	Outcome string
	Took    time.Duration
}

const (
	inHandBytes = 8 << 20
	fileWithin  = 2 * time.Minute
)

func (f *Filer) defaults() {
	if f.Workers == 0 {
		f.Workers = 6
	}
	if f.FreshWorkers == 0 {
		f.FreshWorkers = 2
	}
	if f.MemoryBytes == 0 {
		f.MemoryBytes = 32 << 20
	}
	if f.Log == nil {
		f.Log = slog.New(slog.DiscardHandler)
	}
	f.memory = semaphore.NewWeighted(f.MemoryBytes)
	f.turn = sync.NewCond(&f.mu)
	f.feeds = map[int64]*feed{}
	f.order = newOrder()
}

// Run files mail until ctx ends. What is in hand is finished first.
func (f *Filer) Run(ctx context.Context) error {
	f.once.Do(f.defaults)
	defer context.AfterFunc(ctx, func() {
		f.mu.Lock()
		f.stopped = true
		f.mu.Unlock()
		f.turn.Broadcast()
	})()
	var running sync.WaitGroup
	for n := range f.Workers + f.FreshWorkers {
		running.Go(func() {
			for it := f.next(ctx, n >= f.Workers); it != nil; it = f.next(ctx, n >= f.Workers) {
				f.file(ctx, it)
			}
		})
	}
	running.Go(func() { f.feedAll(ctx) })
	running.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fd := range f.feeds {
		f.empty(fd)
	}
	return nil
}

// next waits for a mail whose turn it is. Nil: stop.
func (f *Filer) next(ctx context.Context, freshOnly bool) *item {
	f.mu.Lock()
	defer f.mu.Unlock()
	for !f.stopped && ctx.Err() == nil {
		if now := time.Now(); !now.Before(f.awayTill) {
			if it := f.order.take(freshOnly, now); it != nil {
				f.inHand -= it.held()
				return it
			}
		}
		f.turn.Wait()
	}
	return nil
}

// result is how a try ended.
type result struct {
	kind    resultKind
	state   core.State // StateStored: due again later
	receipt core.Receipt
	err     error
	id      string // Message-ID, for the log
}

type resultKind int

const (
	ended     resultKind = iota // a decision: the row is at its end
	tryFailed                   // counted against the mail
	postponed                   // the DNS did not answer
	away                        // the database: nothing counts (R10)
	vanished                    // somebody else ended the row
)

// file makes one try at one mail.
func (f *Filer) file(ctx context.Context, it *item) {
	// A stop lets the mail in hand come to its end (R68).
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), fileWithin)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(letGo, cancel) })()

	began := time.Now()
	r := f.try(work, it)
	it.raw.Close()
	it.raw = nil
	f.settle(it, r)
	f.report(it, r, time.Since(began))
}

// try never panics: whatever a mail does concerns its row alone (R10).
func (f *Filer) try(ctx context.Context, it *item) (r result) {
	defer func() {
		if p := recover(); p != nil {
			f.Log.Error("panic", "ledger", it.row.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			r = f.failed(ctx, it, fmt.Errorf("panic: %v", p))
		}
	}()
	bytes := min(max(it.row.Size, 1), f.MemoryBytes)
	if err := f.memory.Acquire(ctx, bytes); err != nil {
		return result{kind: away, err: err}
	}
	defer f.memory.Release(bytes)

	m, err := f.read(ctx, it)
	if err != nil {
		return f.failed(ctx, it, err)
	}
	if m.DKIM == core.CheckLater {
		giveUp, err := f.Desk.Postpone(ctx, it.row.ID, "DNS gives no answer")
		if err != nil {
			return f.failed(ctx, it, err)
		} else if !giveUp {
			return result{kind: postponed, state: core.StateStored, id: m.MessageID}
		}
	}
	receipt, err := f.Desk.Receive(ctx, m)
	if err != nil {
		return f.failed(ctx, it, err)
	}
	return result{kind: ended, state: receipt.State, receipt: receipt, id: m.MessageID}
}

// read understands a mail and checks its signatures: over the network, so
// before the transaction.
func (f *Filer) read(ctx context.Context, it *item) (core.Mail, error) {
	if it.raw == nil {
		raw, err := f.whole(ctx, it.row)
		if err != nil {
			return core.Mail{}, err
		}
		it.raw = raw
	}
	m, err := f.Parse(ctx, it.raw, it.raw.size)
	if errors.Is(err, mime.ErrHeaderTooLarge) {
		return m, fmt.Errorf("read: %w: %w", core.ErrHopeless, err)
	}
	if err != nil {
		return m, fmt.Errorf("read: %w", err)
	}
	m.Ledger, m.Mailbox = it.row.ID, it.feed.box.Account
	m.Received, m.Size, m.HeaderOnly = it.row.Received, it.row.Size, it.row.HeaderOnly
	// Assurance is judged once (R31); a body that is not there has no hash.
	if f.Verify != nil && !it.row.Evidence && !m.HeaderOnly {
		m.Signatures, m.DKIM = f.Verify(ctx, it.raw, it.raw.size)
	}
	return m, nil
}

// whole reads a mail back from the ledger.
func (f *Filer) whole(ctx context.Context, row core.Stored) (*spool, error) {
	raw, err := newSpool(f.StateDir, row.Size)
	if err != nil {
		return nil, err
	}
	if err := f.Desk.Raw(ctx, row.ID, spoolWriter{raw, f.StateDir}); err != nil {
		raw.Close()
		return nil, err
	}
	return raw, nil
}

type spoolWriter struct {
	*spool
	folder string
}

func (w spoolWriter) Write(p []byte) (int, error) { return len(p), w.add(w.folder, p) }

// failed counts a try against the mail, unless the database is away: then no
// mail is to blame.
func (f *Filer) failed(ctx context.Context, it *item, cause error) result {
	if errors.Is(cause, core.ErrUnavailable) || errors.Is(cause, context.Canceled) {
		return result{kind: away, err: cause}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), letGo) // its own may be what ended
	defer cancel()
	state, err := f.Desk.Failed(ctx, it.row.ID, cause)
	switch {
	case errors.Is(err, core.ErrNotFound):
		return result{kind: vanished, err: cause}
	case err != nil:
		return result{kind: away, err: err}
	}
	return result{kind: tryFailed, state: state, err: cause}
}

// settle lets those go on that waited for this mail.
func (f *Filer) settle(it *item, r result) {
	f.mu.Lock()
	if r.kind == away {
		f.order.putBack(it)
		f.databaseAway(r.err)
	} else {
		if r.kind != vanished {
			f.awayFor = 0
		}
		f.order.finish(it)
		it.feed.forget(it)
		f.settleNames(it, r)
	}
	f.mu.Unlock()
	f.turn.Broadcast()
	if r.kind == ended || r.kind == tryFailed && r.state != core.StateStored {
		it.feed.ended()
	}
}

// settleNames: mails that name this one wait for it while it is stored (R75).
func (f *Filer) settleNames(it *item, r result) {
	if it.own == "" {
		return
	}
	if r.state != core.StateStored || r.kind == vanished {
		f.order.came(it.own)
		return
	}
	if f.order.late(it.own, time.Now().Add(waitForNamed)) {
		time.AfterFunc(waitForNamed, func() {
			f.mu.Lock()
			f.order.unpark()
			f.mu.Unlock()
			f.turn.Broadcast()
		})
	}
}

// databaseAway stops all tries for a while. The lock is held.
func (f *Filer) databaseAway(err error) {
	if f.stopped || time.Now().Before(f.awayTill) {
		return // eight workers see the same outage
	}
	f.awayFor++
	wait := min(time.Second<<min(f.awayFor-1, 5), 30*time.Second)
	f.awayTill = time.Now().Add(wait)
	time.AfterFunc(wait, f.turn.Broadcast)
	f.Log.Warn("filing stops: the database is away", "err", err, "again", wait)
}

// report is the one line for each mail (style: logging).
func (f *Filer) report(it *item, r result, took time.Duration) {
	if f.Filed != nil && r.kind != away {
		f.Filed(Filing{it.feed.box.Account, r.state, r.receipt.Outcome, took})
	}
	log := f.Log.With("mailbox", it.feed.box.Account, "ledger", it.row.ID, "uid", it.row.UID)
	switch r.kind {
	case ended:
		log.Info("mail in", "message_id", oneLine(r.id), "fate", r.state, "kind", r.receipt.Outcome,
			"case", r.receipt.Case, "reason", oneLine(r.receipt.Reason), "letters", r.receipt.Letters,
			"took", took.Round(time.Microsecond))
	case tryFailed:
		if r.state == core.StateStored {
			log.Warn("mail is tried again", "attempt", it.row.Tries+1, "err", r.err)
		} else {
			log.Error("mail is put aside", "fate", r.state, "attempt", it.row.Tries+1, "err", r.err)
		}
	case postponed:
		log.Warn("mail waits for the DNS", "message_id", oneLine(r.id))
	}
}
