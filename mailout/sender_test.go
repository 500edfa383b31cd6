package mailout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"postern/core"
	"postern/templates"
)

// quick is a Config whose waits are short.
func quick(k *sink) Config {
	return Config{
		Server: k.server(), Connections: 4, Poll: 5 * time.Millisecond, Gather: 5 * time.Millisecond,
		FirstPause: time.Millisecond, LongestPause: 5 * time.Millisecond, Renew: 10 * time.Millisecond,
	}
}

// start runs a sender; stop ends it and waits.
func start(t testing.TB, d Desk, c Config) (s *Sender, stop func()) {
	t.Helper()
	s, err := NewSender(d, newComposer(t), c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return s, stop
}

func TestSender_deliversTheMailAndSaysSo(t *testing.T) {
	d, k := newDesk(), newSink(t)
	var logged safeBuffer
	c := quick(k)
	c.Log = slog.New(slog.NewTextHandler(&logged, nil))
	s, stop := start(t, d, c)
	for n := range int64(50) {
		d.queue(letterNo(n))
	}
	eventually(t, "all are sent", func() bool { return d.states()["sent"] == 50 })
	stop()
	for n := range int64(50) {
		got := k.taken(n)
		if len(got) != 1 || got[0].from != letterNo(n).Envelope || got[0].to != letterNo(n).To.Address {
			t.Fatalf("letter %d: %+v", n, got)
		}
		if got[0].raw != string(d.rows[n].Bytes) {
			t.Fatalf("R58/the bytes kept are the bytes sent:\n%q\n%q", got[0].raw, d.rows[n].Bytes)
		}
	}
	if _, conns := k.total(); conns > 4 {
		t.Errorf("%d connections, not 4 kept ones", conns)
	}
	if n := s.Status().Results[core.Accepted]; n != 50 {
		t.Errorf("Status counts %d", n)
	}
	if n := strings.Count(logged.String(), "mail sent"); n != 50 {
		t.Errorf("%d lines of log", n)
	}
	for _, secret := range []string{"Printer", "customer.example", "onetimesecret", "7F3K"} {
		if strings.Contains(logged.String(), secret) {
			t.Errorf("the log tells %q", secret)
		}
	}
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}
func (s *safeBuffer) String() string { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }

func TestSender_faults(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault fault
		ends  string // what is settled of the letter
		state string
		taken int
	}{
		{"R60/4xx to MAIL is tried again", mail4, "temporary accepted", "sent", 1},
		{"R60/421 before DATA costs no attempt", mail421, "accepted", "sent", 1},
		{"R60/4.3.2 before DATA costs no attempt", mail432, "accepted", "sent", 1},
		{"R60/4.7.x before DATA costs no attempt", rcpt47, "accepted", "sent", 1},
		{"R60/a server that wants a login costs no attempt", mail530, "accepted", "sent", 1},
		{"R60/5xx to MAIL blames the sender", mail5, "sender-refused accepted", "sent", 1},
		{"R60/5.7.60 blames the sender at any stage", dot5760, "sender-refused accepted", "sent", 1},
		{"R60/4xx to RCPT is tried again", rcpt4, "temporary accepted", "sent", 1},
		{"R60/5xx to RCPT is final", rcpt5, "permanent", "failed", 0},
		{"R60/4xx to the dot is tried again", dot4, "temporary accepted", "sent", 1},
		{"R60/5xx to the dot is final", dot5, "permanent", "failed", 0},
		{"R60/a connection lost at MAIL costs no attempt", mailDrop, "unsent accepted", "sent", 1},
		{"R60/a connection lost at RCPT costs no attempt", rcptDrop, "unsent accepted", "sent", 1},
		{"R59/no answer to the dot is uncertain", dotDropLost, "unanswered accepted", "sent", 1},
		{"R59/and the one re-send may be a second copy", dotDropKept, "unanswered accepted", "sent", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, k := newDesk(), newSink(t)
			k.fail(c.fault)
			_, stop := start(t, d, quick(k))
			d.queue(letterNo(1))
			eventually(t, "it ends\n"+d.String(), d.over)
			stop()
			if got := d.results(1); got != c.ends || d.states()[c.state] != 1 {
				t.Errorf("settled %q, want %q\n%s", got, c.ends, d)
			}
			got := k.taken(1)
			if len(got) != c.taken {
				t.Errorf("taken %d times, want %d", len(got), c.taken)
			}
			if len(got) == 2 && got[0].raw != got[1].raw {
				t.Error("R59/the second copy is another mail")
			}
		})
	}
}

func TestSender_aMailThatBreaksOffIsNotDelivered(t *testing.T) {
	for name, f := range map[string]fault{"dropped in the middle": midDrop, "refused in the middle": mid5} {
		t.Run("R58/"+name, func(t *testing.T) {
			d, k := newDesk(), newSink(t)
			k.fail(f)
			_, stop := start(t, d, quick(k))
			l := letterNo(1) // larger than what sockets hold by themselves
			l.Files = []core.LetterFile{{Name: "a.bin", Type: "application/octet-stream", Size: 8 << 20, Attach: true, Blob: 8 << 20}}
			d.queue(l)
			eventually(t, "it ends", d.over)
			stop()
			switch got := d.results(1); {
			case f == midDrop && got == "unsent accepted" && len(k.taken(1)) == 1:
			case f == mid5 && got == "permanent" && len(k.taken(1)) == 0:
			case f == mid5 && got == "unsent accepted": // its word was lost with the connection
			default:
				t.Errorf("settled %q, taken %d times", got, len(k.taken(1)))
			}
		})
	}
}

func TestSender_silenceAfterTheDot(t *testing.T) {
	d, k := newDesk(), newSink(t)
	k.hold = make(chan struct{})
	d.doubt = time.Hour
	c := quick(k)
	c.DotTimeout = 30 * time.Millisecond
	_, stop := start(t, d, c)
	d.queue(letterNo(1))
	eventually(t, "R59/it is uncertain", func() bool { return d.states()["uncertain"] == 1 })
	close(k.hold)
	stop()
	if got := d.results(1); got != "unanswered" {
		t.Errorf("settled %q", got)
	}
}

func TestSender_dottedIsCommittedBeforeTheDot(t *testing.T) {
	d, k := newDesk(), newSink(t)
	var early atomic.Bool
	d.onSettle = func(_ []core.Delivery, next []core.Dotting) {
		for _, n := range next {
			if len(k.taken(n.ID)) > 0 {
				early.Store(true)
			}
		}
	}
	start(t, d, quick(k))
	for n := range int64(20) {
		d.queue(letterNo(n))
	}
	eventually(t, "all are sent", func() bool { return d.states()["sent"] == 20 })
	if early.Load() {
		t.Error("R58/a mail was there before its `dotted` was committed")
	}
}

func TestSender_withoutTheLeaseNoDot(t *testing.T) {
	d, k := newDesk(), newSink(t)
	var tried atomic.Int32
	d.refuse = func(n core.Dotting) bool { return n.ID == 1 && tried.Add(1) == 1 }
	d.lease = 20 * time.Millisecond
	c := quick(k)
	c.Renew = time.Hour
	start(t, d, c)
	d.queue(letterNo(1))
	eventually(t, "R58/the half mail breaks off", func() bool { k.mu.Lock(); defer k.mu.Unlock(); return k.halves == 1 })
	eventually(t, "it is sent when its lease is had again", func() bool { return d.states()["sent"] == 1 })
	if n := len(k.taken(1)); n != 1 || d.results(1) != "accepted" {
		t.Errorf("taken %d times, settled %q", n, d.results(1))
	}
}

func TestSender_aDeskThatIsAwayCostsNothing(t *testing.T) {
	for name, after := range map[string]bool{"the commit fails": false, "the commit succeeds and nobody hears of it": true} {
		t.Run("R58/"+name, func(t *testing.T) {
			d, k := newDesk(), newSink(t)
			gone := errors.New("database is away")
			fails := 5
			d.away = func() (error, error) {
				if fails--; fails < 0 {
					return nil, nil
				}
				if after {
					return nil, gone
				}
				return gone, nil
			}
			start(t, d, quick(k))
			for n := range int64(5) {
				d.queue(letterNo(n))
			}
			eventually(t, "all are sent", func() bool { return d.states()["sent"] == 5 })
			for n := range int64(5) {
				if len(k.taken(n)) != 1 {
					t.Errorf("letter %d was taken %d times\n%s", n, len(k.taken(n)), d)
				}
			}
		})
	}
}

func TestSender_oneCommitForEachMail(t *testing.T) {
	d, k := newDesk(), newSink(t)
	c := quick(k)
	c.Connections, c.Gather = 1, time.Second
	start(t, d, c)
	for n := range int64(40) {
		d.queue(letterNo(n))
	}
	eventually(t, "all are sent", func() bool { return d.states()["sent"] == 40 })
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.settles != 41 {
		t.Errorf("R58/%d commits for 40 mails on one connection, want 41", d.settles)
	}
}

func TestSender_leasesAreRenewedWhileTheServerThinks(t *testing.T) {
	d, k := newDesk(), newSink(t)
	k.hold = make(chan struct{})
	d.lease = 100 * time.Millisecond
	start(t, d, quick(k))
	d.queue(letterNo(1))
	eventually(t, "R58/the lease is renewed many times", func() bool { d.mu.Lock(); defer d.mu.Unlock(); return d.renewed[1] > 20 })
	close(k.hold)
	eventually(t, "it is sent", func() bool { return d.states()["sent"] == 1 })
	if got := len(k.taken(1)); got != 1 {
		t.Errorf("taken %d times", got)
	}
}

func TestSender_stopFinishesTheMailInHand(t *testing.T) {
	d, k := newDesk(), newSink(t)
	hold := make(chan struct{})
	k.hold = hold
	c := quick(k)
	c.Connections = 1
	s, err := NewSender(d, newComposer(t), c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	d.queue(letterNo(1), letterNo(2), letterNo(3))
	<-k.atDot
	cancel()
	eventually(t, "R68/what was not begun is put back", func() bool { return d.states()["queued"] == 2 })
	select {
	case <-done:
		t.Fatal("R68/Run ended with a mail in hand")
	case <-time.After(20 * time.Millisecond):
	}
	close(hold)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := d.states(); got["sent"] != 1 || got["queued"] != 2 {
		t.Errorf("R68/%v", got)
	}
	t.Run("R68/but not for ever", func(t *testing.T) {
		d, k := newDesk(), newSink(t)
		k.hold = make(chan struct{})
		defer close(k.hold)
		c := quick(k)
		c.Grace = 20 * time.Millisecond
		_, stop := start(t, d, c)
		d.queue(letterNo(1))
		<-k.atDot
		stop()
		if got := d.results(1); got != "unanswered" {
			t.Errorf("settled %q", got)
		}
	})
}

func TestSender_aServerThatIsAwayPausesTheChannel(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d, k := newDesk(), &sink{port: l.Addr().(*net.TCPAddr).Port}
	l.Close() // nobody is at home there
	s, _ := start(t, d, quick(k))
	for n := range int64(10) {
		d.queue(letterNo(n))
	}
	eventually(t, "R60/the channel pauses", func() bool { return s.Status().PausedWhy != "" })
	eventually(t, "R60/letters go back", func() bool { d.mu.Lock(); defer d.mu.Unlock(); return len(d.released) > 10 })
	if len(d.results(1)) > 0 {
		t.Errorf("R60/it cost an attempt: %s", d.results(1))
	}
	if st := s.Status(); st.PausedSince.IsZero() || !strings.Contains(st.PausedWhy, "no connection") {
		t.Errorf("%+v", st)
	}
}

func TestSender_oneGreylistedRecipientDoesNotStopTheOthers(t *testing.T) {
	d, k := newDesk(), newSink(t)
	d.retry = time.Hour
	k.faultOf = func(to string) fault {
		if to == letterNo(0).To.Address {
			return rcpt47
		}
		return fine
	}
	c := quick(k)
	c.Connections = 1
	start(t, d, c)
	for n := range int64(30) {
		d.queue(letterNo(n))
	}
	defer func() {
		if t.Failed() {
			t.Log(d)
		}
	}()
	eventually(t, "the others are sent", func() bool { return d.states()["sent"] == 29 })
	eventually(t, "R60/the third 4.7.x is its own", func() bool { return d.results(0) == "temporary" })
}

func TestSender_aSenderRefusedInPlainPausesTheChannel(t *testing.T) {
	d, k := newDesk(), newSink(t)
	k.fail(mail5, mail5)
	c := quick(k)
	c.LongestPause = time.Hour
	s, _ := start(t, d, c)
	d.queue(letterNo(1))
	eventually(t, "R60/it pauses until a person acts", func() bool { return s.Status().NeedsPerson })
	if got := d.results(1); !strings.HasPrefix(got, "sender-refused sender-refused") && got != "sender-refused" {
		t.Errorf("settled %q", got)
	}
	if len(k.taken(1)) != 0 {
		t.Error("it was sent all the same")
	}
}

func TestSender_aKeptConnectionThatTheServerClosedIsNoNews(t *testing.T) {
	d, k := newDesk(), newSink(t)
	c := quick(k)
	c.Connections = 1
	start(t, d, c)
	d.queue(letterNo(1))
	eventually(t, "the first is sent", func() bool { return d.states()["sent"] == 1 })
	for _, f := range []fault{mailDrop, mail421} {
		k.fail(f)
		n := int64(len(f))
		d.queue(letterNo(n))
		eventually(t, "so is the next", func() bool { return d.results(n) != "" })
		if d.results(n) != "accepted" || len(k.taken(n)) != 1 {
			t.Errorf("%s: settled %q", f, d.results(n))
		}
	}
	if len(d.released) != 0 {
		t.Errorf("put back: %v", d.released)
	}
}

func TestSender_aLetterThatCannotBeBuiltHurtsNobody(t *testing.T) {
	d, k := newDesk(), newSink(t)
	bad := letterNo(1)
	bad.MessageID = "a b"
	wordless := letterNo(2)
	wordless.Kind = "unheard-of"
	unread := letterNo(3)
	unread.Files = []core.LetterFile{{Name: "a", Size: 5, Attach: true, Blob: -1}}
	start(t, d, quick(k))
	d.queue(bad, wordless, unread, letterNo(4))
	eventually(t, "the good one is sent and the bad ones are known", func() bool {
		return d.results(4) == "accepted" && d.results(1) == "uncomposable" && d.results(2) == "uncomposable"
	})
	if d.states()["failed"] != 2 || d.results(3) != "" {
		t.Errorf("a file that cannot be read now is no defect of its letter\n%s", d)
	}
}

func TestSender_rateIsKept(t *testing.T) {
	d, k := newDesk(), newSink(t)
	c := quick(k)
	c.RatePerMinute = 1200
	begun := time.Now()
	start(t, d, c)
	for n := range int64(5) {
		d.queue(letterNo(n))
	}
	eventually(t, "all are sent", func() bool { return d.states()["sent"] == 5 })
	if took := time.Since(begun); took < 200*time.Millisecond {
		t.Errorf("5 mails at 1,200 a minute took %s", took)
	}
}

func TestSender_idleConnectionsAreClosed(t *testing.T) {
	d, k := newDesk(), newSink(t)
	c := quick(k)
	c.Idle = 20 * time.Millisecond
	s, _ := start(t, d, c)
	d.queue(letterNo(1))
	eventually(t, "it is sent", func() bool { return d.states()["sent"] == 1 })
	eventually(t, "the connection is closed", func() bool { k.mu.Lock(); defer k.mu.Unlock(); return k.open == 0 })
	eventually(t, "and forgotten", func() bool { return s.Status().Connections == 0 })
	d.queue(letterNo(2))
	eventually(t, "the next mail opens another", func() bool { return d.states()["sent"] == 2 })
}

// Whatever the server and the desk do to two senders: no letter is lost, and
// none arrives twice unless it was uncertain, and then once more at most, the
// same bytes.
func TestSender_nothingLostNothingTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		faults := rapid.SliceOfN(rapid.SampledFrom(allFaults), 0, 25).Draw(t, "faults")
		desk := rapid.SliceOfN(rapid.IntRange(0, 5), 0, 15).Draw(t, "desk")
		letters := rapid.SampledFrom([]int{1, 2, 3, 5, 8, 12, 40}).Draw(t, "letters")
		connections := rapid.IntRange(1, 4).Draw(t, "connections")

		d := newDesk()
		d.lease = 300 * time.Millisecond
		gone := errors.New("database is away")
		d.away = func() (before, after error) {
			if len(desk) == 0 {
				return nil, nil
			}
			n := desk[0]
			desk = desk[1:]
			switch n {
			case 0:
				return gone, nil
			case 1:
				return nil, gone
			}
			return nil, nil
		}
		k, closeSink := bareSink()
		defer closeSink()
		k.fail(faults...)
		for n := range int64(letters) {
			d.queue(letterNo(n))
		}
		c := quick(k)
		c.Connections = connections
		ctx, stop := context.WithCancel(context.Background())
		var senders sync.WaitGroup
		for range 2 {
			s, err := NewSender(d, sharedComposer(), c)
			if err != nil {
				t.Fatal(err)
			}
			senders.Go(func() { _ = s.Run(ctx) })
		}
		end := time.Now().Add(20 * time.Second)
		for !d.over() && time.Now().Before(end) {
			time.Sleep(time.Millisecond)
		}
		stop()
		senders.Wait()
		if !d.over() {
			t.Fatalf("letters are lost:\n%s", d)
		}
		for n := range int64(letters) {
			r, got := d.rows[n], k.taken(n)
			switch {
			case r.state == "sent" && len(got) == 0:
				t.Fatalf("letter %d counts as sent and never came\n%s", n, d)
			case len(got) > 1 && !r.doubt:
				t.Fatalf("letter %d came %d times and was never uncertain\n%s", n, len(got), d)
			case len(got) > 2:
				t.Fatalf("letter %d came %d times\n%s", n, len(got), d)
			case r.state == "failed" && len(got) > 0 && !r.doubt:
				t.Fatalf("letter %d counts as failed and came\n%s", n, d)
			}
			for _, m := range got {
				if m.raw != got[0].raw {
					t.Fatalf("letter %d came as two different mails", n)
				}
			}
		}
	})
}

var sharedComposer = sync.OnceValue(func() *Composer {
	c, err := NewComposer(templates.Mail)
	if err != nil {
		panic(err)
	}
	return c
})

func BenchmarkSender(b *testing.B) {
	for _, connections := range []int{1, 16} {
		b.Run(fmt.Sprintf("%d connections", connections), func(b *testing.B) {
			d, k := newDesk(), newSink(b)
			for n := range int64(b.N) {
				d.queue(letterNo(n))
			}
			b.ResetTimer()
			c := quick(k)
			c.Connections = connections
			start(b, d, c)
			for d.states()["sent"] < b.N {
				time.Sleep(time.Millisecond)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mails/s")
		})
	}
}
