package mailout

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"postern/core"
)

// Desk is the part of core.Desk the sender needs.
type Desk interface {
	// ClaimLetters leases due letters to holder: queued ones, those to be tried
	// again, and those of holders that died.
	ClaimLetters(ctx context.Context, holder string, limit int) ([]core.Letter, error)
	// RenewLetters makes the leases of letters that holder still works on new.
	RenewLetters(ctx context.Context, holder string, ids []int64) error
	// Settle commits the ends of attempts and the `dotted` of the next letters
	// in one transaction. It returns those of next that this holder still holds
	// and may send the dot for.
	Settle(ctx context.Context, holder string, ended []core.Delivery, next []core.Dotting) ([]int64, error)
	// ReleaseLetters puts letters back that were claimed but not sent: it costs
	// no attempt.
	ReleaseLetters(ctx context.Context, holder string, ids []int64) error
	OpenBlob(ctx context.Context, blob int64) (io.ReadCloser, error)
	// Wake hints that a letter was queued; the sender asks every few seconds
	// all the same.
	Wake() <-chan struct{}
}

// Config is how a sender works. Zero values stand for the defaults named here.
type Config struct {
	Server        Server
	Holder        string        // names this process in leases: random
	Connections   int           // kept SMTP connections at most: 16
	RatePerMinute int           // mails a minute: no limit
	DotTimeout    time.Duration // how long to wait for the answer to a mail: 10 minutes (R59)
	Renew         time.Duration // a third of the lease: 20 s (R58)
	Log           *slog.Logger

	// Short in tests.
	Poll         time.Duration // between claims when nothing wakes us: 5 s
	Idle         time.Duration // an unused connection is kept so long: 30 s
	Gather       time.Duration // an end waits so long for the next dot: 50 ms
	Grace        time.Duration // for the mails in hand when stopping: 30 s (R68)
	FirstPause   time.Duration // of the channel: 1 s, doubled each time
	LongestPause time.Duration // 60 s
}

// Sender sends the letters of one desk database through one server.
type Sender struct {
	desk     Desk
	composer *Composer
	config   Config
	limits   limits
	tls      *tls.Config
	holder   string
	log      *slog.Logger

	channel channel
	pace    pace
	settler *settler
	memory  *semaphore.Weighted // octets of mails being built and sent

	mu      sync.Mutex
	queue   []core.Letter
	idle    []*worker // the one used last is taken first, so that few connections stay warm
	workers int
	ending  bool
	held    map[int64]bool // claimed, and not yet settled or put back
	delayed map[int64]int  // how often RCPT was answered by 4.7.x
	counts  Status
	low     chan struct{} // the queue is running out
	paused  chan struct{} // a pause has begun
	stop    chan struct{}
	working sync.WaitGroup
}

const (
	minClaim   = 20       // letters; one row a claim is seven times slower
	memorySize = 24 << 20 // mails in work, as they lie in memory
	deskWithin = 20 * time.Second
)

// NewSender checks the settings; it connects to nothing.
func NewSender(d Desk, c *Composer, config Config) (*Sender, error) {
	t, err := tlsConfig(config.Server)
	if err != nil {
		return nil, err
	}
	config = withDefaults(config)
	s := &Sender{
		desk: d, composer: c, config: config, tls: t, log: config.Log,
		limits:  defaultLimits,
		holder:  cmp.Or(config.Holder, rand.Text()),
		channel: channel{first: config.FirstPause, longest: config.LongestPause},
		memory:  semaphore.NewWeighted(memorySize),
		held:    map[int64]bool{},
		delayed: map[int64]int{},
		low:     make(chan struct{}, 1),
		paused:  make(chan struct{}, 1),
		stop:    make(chan struct{}),
	}
	s.limits.dot = config.DotTimeout
	if config.RatePerMinute > 0 {
		s.pace.every = time.Minute / time.Duration(config.RatePerMinute)
	}
	s.settler = &settler{
		desk: d, holder: s.holder, gather: config.Gather, log: s.log,
		settled: s.forget, wake: make(chan struct{}, 1),
		first: config.FirstPause / 20, longest: config.LongestPause / 12,
	}
	return s, nil
}

func withDefaults(c Config) Config {
	c.Connections = cmp.Or(c.Connections, 16)
	c.DotTimeout = cmp.Or(c.DotTimeout, defaultLimits.dot)
	c.Renew = cmp.Or(c.Renew, 20*time.Second)
	c.Poll = cmp.Or(c.Poll, 5*time.Second)
	c.Idle = cmp.Or(c.Idle, 30*time.Second)
	c.Gather = cmp.Or(c.Gather, 50*time.Millisecond)
	c.Grace = cmp.Or(c.Grace, 30*time.Second)
	c.FirstPause = cmp.Or(c.FirstPause, time.Second)
	c.LongestPause = cmp.Or(c.LongestPause, time.Minute)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Run sends until ctx ends. Then the mails in hand are finished, the others
// put back, and it returns nil (R68). It is called once.
func (s *Sender) Run(ctx context.Context) error {
	hard, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(s.config.Grace, cut) })()

	settled := make(chan struct{})
	over := make(chan struct{}) // no connection has anything more to settle
	go func() {
		defer close(settled)
		s.settler.run(over)
	}()
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		s.renew(settled)
	}()

	s.claim(ctx, hard)
	s.release(s.end()...)
	s.working.Wait()
	close(over)
	<-settled
	<-renewed
	return nil
}

// claim fetches letters as long as ctx lasts.
func (s *Sender) claim(ctx, hard context.Context) {
	failed := time.Duration(0)
	for ctx.Err() == nil {
		if pause, _ := s.channel.left(); pause > 0 {
			_ = sleep(ctx, pause)
			continue
		}
		s.mu.Lock()
		s.spread(ctx, hard) // what was claimed while a pause began
		s.mu.Unlock()
		room := s.room()
		if room == 0 {
			select {
			case <-s.low:
			case <-s.paused:
			case <-ctx.Done():
			}
			continue
		}
		// not cut off by the end of ctx: what was claimed must be known here
		limited, cancel := context.WithTimeout(hard, deskWithin)
		letters, err := s.desk.ClaimLetters(limited, s.holder, room)
		cancel()
		if err != nil {
			if failed == 0 {
				s.log.Warn("no letters can be claimed", "err", err)
			}
			failed = min(max(2*failed, s.config.FirstPause), s.config.LongestPause)
			_ = sleep(ctx, failed)
			continue
		}
		failed = 0
		s.take(ctx, hard, letters)
		if len(letters) >= room {
			continue
		}
		timer := time.NewTimer(s.config.Poll)
		select {
		case <-s.desk.Wake():
		case <-s.paused:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// room is how many letters to claim now: none until the queue runs low.
func (s *Sender) room() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	batch := max(minClaim, 2*s.config.Connections)
	if s.config.RatePerMinute > 0 { // others may be faster: keep what goes in 5 s
		batch = min(batch, 1+s.config.RatePerMinute/12)
	}
	if len(s.queue) > batch/2 {
		return 0
	}
	return batch - len(s.queue)
}

// take puts claimed letters into the queue and hands them out.
func (s *Sender) take(ctx, hard context.Context, letters []core.Letter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range letters {
		if s.held[l.ID] {
			continue // our lease ran out and we got it again: it is in hand, once is enough
		}
		s.held[l.ID] = true
		s.queue = append(s.queue, l)
	}
	// letters that the server keeps putting off must not make others wait
	slices.SortStableFunc(s.queue, func(a, b core.Letter) int {
		return cmp.Compare(s.delayed[a.ID], s.delayed[b.ID])
	})
	s.spread(ctx, hard)
}

// spread hands queued letters to idle connections, and opens more where that
// is not enough. s.mu is held.
func (s *Sender) spread(ctx, hard context.Context) {
	for len(s.queue) > 0 && s.workers-len(s.idle) < s.allowed() {
		l := s.pop()
		if n := len(s.idle); n > 0 {
			w := s.idle[n-1]
			s.idle = s.idle[:n-1]
			w.given <- l
			continue
		}
		s.workers++
		s.working.Add(1)
		w := &worker{given: make(chan core.Letter, 1)}
		go func() {
			defer s.working.Done()
			s.work(ctx, hard, w, l)
		}()
	}
}

// allowed is how many connections may be busy. s.mu is held.
func (s *Sender) allowed() int {
	switch pause, trial := s.channel.left(); {
	case pause > 0 || s.ending:
		return 0
	case trial:
		return 1
	}
	return s.config.Connections
}

// pop takes the next letter. s.mu is held.
func (s *Sender) pop() core.Letter {
	l := s.queue[0]
	s.queue[0] = core.Letter{}
	s.queue = s.queue[1:]
	if len(s.queue) <= s.config.Connections/2 {
		hint(s.low)
	}
	return l
}

// end refuses further letters and returns those that nobody has begun.
func (s *Sender) end() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ending = true
	close(s.stop)
	return s.drain()
}

// drain empties the queue. s.mu is held.
func (s *Sender) drain() []int64 {
	var ids []int64
	for _, l := range s.queue {
		ids = append(ids, l.ID)
	}
	s.queue = nil
	return ids
}

// hint tells whoever waits for c; one hint is as good as many.
func hint(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// release puts letters back: not begun, or begun and not ended. If that fails
// their lease runs out.
func (s *Sender) release(ids ...int64) {
	if len(ids) == 0 {
		return
	}
	s.forget(ids...)
	ctx, cancel := context.WithTimeout(context.Background(), deskWithin)
	defer cancel()
	if err := s.desk.ReleaseLetters(ctx, s.holder, ids); err != nil {
		s.log.Warn("letters could not be put back: their lease will end", "letters", len(ids), "err", err)
	}
}

// forget ends our care for letters: their lease is no longer renewed.
func (s *Sender) forget(ids ...int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		delete(s.held, id)
	}
}

// renew keeps the leases of all letters in hand until done.
func (s *Sender) renew(done <-chan struct{}) {
	tick := time.NewTicker(s.config.Renew)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-done:
			return
		}
		s.mu.Lock()
		ids := make([]int64, 0, len(s.held))
		for id := range s.held {
			ids = append(ids, id)
		}
		s.mu.Unlock()
		if len(ids) == 0 {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), s.config.Renew)
		if err := s.desk.RenewLetters(ctx, s.holder, ids); err != nil && !errors.Is(err, core.ErrLeaseLost) {
			s.log.Warn("leases could not be renewed", "letters", len(ids), "err", err)
		}
		cancel()
	}
}
