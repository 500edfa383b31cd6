package mailin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"postern/core"
)

func TestRelate(t *testing.T) {
	raw := "Received: from x\r\n by y\r\nFrom: Anna <Anna@Customer.Example>\r\nTo: desk+abcdefghij0123456789@example.org\r\n" +
		"Message-ID:\r\n <me@x>\r\nIn-Reply-To: <b@x>\r\nReferences: <a@x>\r\n\t<b@x>\r\nthis is no field\r\n" +
		"Subject: =?utf-8?B?UmU6IFtDQVNFLTEwMDAxXSDDpg==?=\r\n\r\nFrom: body@example\r\n"
	r := relate([]byte(raw))
	if r.own != "id me@x" || fmt.Sprint(r.names) != "[id a@x id b@x]" {
		t.Errorf("own %q names %q", r.own, r.names)
	}
	want := []string{"from anna@customer.example", "id me@x", "id a@x", "id b@x", "token abcdefghij0123456789", "number CASE-10001"}
	if !slices.Equal(r.keys, want) {
		t.Errorf("keys %q, not %q", r.keys, want)
	}
	for _, odd := range []string{"", "\r\n", "From", "From:", ":", " folded\r\n", strings.Repeat("a", 100_000), strings.Repeat("<", 9000) + ":" + strings.Repeat("<", 70_000)} {
		relate([]byte(odd)) // takes it as it comes
	}
}

// window is a filer with one mailbox and rows in its ledger.
func window(t *testing.T) (*fakeDesk, *Filer, core.Mailbox) {
	d := newFakeDesk()
	mb, _ := d.OpenMailbox(t.Context(), "support", "INBOX", time.Time{})
	f := filer(t, d)
	f.Hold(mb, func() {})
	return d, f, mb
}

func mailFrom(from, id string, fields ...string) string {
	return "From: " + from + "@x.example\r\nMessage-ID: <" + id + ">\r\n" + strings.Join(append(fields, ""), "\r\n") + "\r\nhello\r\n"
}

func TestFile_R75_relatedOnesInOrder(t *testing.T) {
	t.Run("R75/related mails are filed one after another, in the order of their UIDs", func(t *testing.T) {
		d, f, mb := window(t)
		const people, each = 20, 15
		order := map[string][]int64{}
		var mu sync.Mutex
		inWork := map[string]bool{}
		who := map[int64]string{}
		d.onReceive = func(m core.Mail) (core.Receipt, error) {
			mu.Lock()
			p := who[m.Ledger]
			if inWork[p] {
				t.Errorf("R75/two mails of %s at once", p)
			}
			inWork[p] = true
			mu.Unlock()
			time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond)
			mu.Lock()
			defer mu.Unlock()
			inWork[p] = false
			order[p] = append(order[p], m.Ledger)
			return core.Receipt{State: core.Filed}, nil
		}
		for n := range people * each {
			p := fmt.Sprint("p", n%people)
			id := d.store(mb.ID, mailFrom(p, fmt.Sprint("m", n)), time.Now().Add(-time.Duration(n%3)*time.Hour))
			mu.Lock()
			who[id] = p
			mu.Unlock()
		}
		running(t, f)
		d.wait(t, "all", func() bool { return d.allEnded() })
		for p, ids := range order {
			if len(ids) != each || !slices.IsSorted(ids) {
				t.Errorf("%s: %v", p, ids)
			}
		}
	})
}

func TestFile_R75_aMailWaitsForTheOneItNames(t *testing.T) {
	t.Run("R75/that came in after it", func(t *testing.T) {
		for _, childFrom := range []string{"anna", "ben"} {
			d, f, mb := window(t)
			child := d.store(mb.ID, mailFrom(childFrom, "child", "In-Reply-To: <mother>"), time.Now())
			other := d.store(mb.ID, mailFrom("anna", "other"), time.Now())
			mother := d.store(mb.ID, mailFrom("anna", "mother"), time.Now())
			loadAll(t, f, d) // all three are in the window before anybody works
			running(t, f)
			d.wait(t, "all", func() bool { return d.allEnded() })
			if slices.Index(d.received, mother) > slices.Index(d.received, child) {
				t.Errorf("from %s: %v: mother is %d, child %d, other %d", childFrom, d.received, mother, child, other)
			}
		}
	})
	t.Run("R75/that failed and is tried again", func(t *testing.T) {
		d, f, mb := window(t)
		mother := d.store(mb.ID, mailFrom("anna", "mother"), time.Now())
		child := d.store(mb.ID, mailFrom("ben", "child", "References: <mother>"), time.Now())
		var mu sync.Mutex
		tries := 0
		d.onReceive = func(m core.Mail) (core.Receipt, error) {
			mu.Lock()
			defer mu.Unlock()
			if m.Ledger == mother {
				if tries++; tries < 3 {
					return core.Receipt{}, errors.New("not now")
				}
			}
			return core.Receipt{State: core.Filed}, nil
		}
		running(t, f)
		wakeUntil(t, d, f, func() bool { return d.allEnded() })
		if !slices.Equal(d.received, []int64{mother, child}) {
			t.Errorf("received %v", d.received)
		}
	})
}

// loadAll fills the window as the feeding goroutine would, before Run.
func loadAll(t *testing.T, f *Filer, d *fakeDesk) {
	t.Helper()
	for _, fd := range f.feeds {
		rows, err := d.Stored(t.Context(), fd.box.ID, 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if err := f.bring(t.Context(), fd, row); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// wakeUntil does what time does: rows become due again.
func wakeUntil(t *testing.T, d *fakeDesk, f *Filer, fact func() bool) {
	t.Helper()
	stop := make(chan struct{})
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				f.Wake()
			}
		}
	}()
	defer close(stop)
	d.wait(t, "all at their end", fact)
}

func TestFile_R10_aBadMailConcernsItsRowAlone(t *testing.T) {
	d, f, mb := window(t)
	var ids []int64
	for n := range 30 {
		ids = append(ids, d.store(mb.ID, mailFrom("anna", fmt.Sprint("m", n)), time.Now()))
	}
	parse := f.Parse
	f.Parse = func(ctx context.Context, r io.ReaderAt, size int64) (core.Mail, error) {
		m, err := parse(ctx, r, size)
		switch m.MessageID {
		case "m3":
			panic("no such mail")
		case "m5":
			err = errors.New("a limit")
		}
		return m, err
	}
	running(t, f)
	wakeUntil(t, d, f, func() bool { return d.allEnded() })
	for n, id := range ids {
		want := core.Filed
		if n == 3 || n == 5 {
			want = core.Quarantined
		}
		if got := d.state(id); got != want {
			t.Errorf("mail %d is %s", n, got)
		}
	}
	if tries := d.rows[3].Tries; tries != 5 {
		t.Errorf("R10/%d tries", tries)
	}
}

func TestFile_R10_databaseAwayCountsNoTry(t *testing.T) {
	d, f, mb := window(t)
	var mu sync.Mutex
	calls := 0
	d.onReceive = func(m core.Mail) (core.Receipt, error) {
		mu.Lock()
		defer mu.Unlock()
		if calls++; calls <= 2 {
			return core.Receipt{}, fmt.Errorf("begin: %w", core.ErrUnavailable)
		}
		return core.Receipt{State: core.Filed}, nil
	}
	for n := range 20 {
		d.store(mb.ID, mailFrom(fmt.Sprint("p", n), fmt.Sprint("m", n)), time.Now())
	}
	running(t, f)
	d.wait(t, "all", func() bool { return d.allEnded() })
	for _, r := range d.rows {
		if r.Tries != 0 || r.state != core.Filed {
			t.Errorf("row %d: %s after %d tries", r.ID, r.state, r.Tries)
		}
	}
	if calls > 40 {
		t.Errorf("%d calls while the database was away", calls)
	}
}

func TestFile_R31_postponedUntilTheDNSAnswers(t *testing.T) {
	t.Run("R31/a mail stays stored until the DNS answers or is given up", func(t *testing.T) {
		d, f, mb := window(t)
		var mu sync.Mutex
		asked, verdict := 0, core.CheckLater
		f.Verify = func(context.Context, io.ReaderAt, int64) ([]core.Signature, core.Checked) {
			mu.Lock()
			defer mu.Unlock()
			asked++
			return nil, verdict
		}
		d.onPostpone = func(int64) bool { mu.Lock(); defer mu.Unlock(); return asked >= 4 }
		var got core.Mail
		d.onReceive = func(m core.Mail) (core.Receipt, error) {
			got = m
			return core.Receipt{State: core.Filed}, nil
		}
		d.store(mb.ID, mailFrom("anna", "m"), time.Now())
		running(t, f)
		wakeUntil(t, d, f, func() bool { return d.allEnded() })
		if asked != 4 || got.DKIM != core.CheckLater || d.rows[0].Tries != 0 {
			t.Errorf("asked %d times, filed with %q after %d tries", asked, got.DKIM, d.rows[0].Tries)
		}
		if got.Mailbox != "support" || got.Ledger != 1 || got.Received.IsZero() || got.Size == 0 {
			t.Errorf("facts are missing: %+v", got)
		}
	})
}

func TestFile_newMailDoesNotWaitForABacklog(t *testing.T) {
	t.Run("R75/mail of the last ten minutes has workers of its own", func(t *testing.T) {
		d, f, mb := window(t)
		gate := make(chan struct{})
		fresh := make(chan int64, 1)
		d.onReceive = func(m core.Mail) (core.Receipt, error) {
			if time.Since(m.Received) < freshFor {
				fresh <- m.Ledger
			} else {
				<-gate // a backlog that does not move
			}
			return core.Receipt{State: core.Filed}, nil
		}
		for n := range 2000 {
			d.store(mb.ID, mailFrom(fmt.Sprint("p", n), fmt.Sprint("m", n)), time.Now().Add(-time.Hour))
		}
		running(t, f)
		d.wait(t, "the window is full", func() bool { return d.raws >= feedWindow })
		raw := mailFrom("new", "new")
		id := d.store(mb.ID, raw, time.Now())
		s := &spool{memory: []byte(raw), size: int64(len(raw))}
		f.offer(t.Context(), mb.ID, []keptMail{{d.rows[id-1].Stored, s}})
		select {
		case got := <-fresh:
			if got != id {
				t.Errorf("row %d", got)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("it waits")
		}
		close(gate)
		d.wait(t, "all", func() bool { return d.allEnded() })
		if len(d.received) != 2001 {
			t.Errorf("%d receipts for 2001 rows", len(d.received))
		}
	})
}

func TestFile_eachRowOnceAndBytesAreHandedOver(t *testing.T) {
	d, f, mb := window(t)
	stop := running(t, f)
	d.wait(t, "caught up", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.feeds[mb.ID].caught })
	const n = 5000
	for at := 0; at < n; at += 50 {
		var kept []keptMail
		for i := range 50 {
			raw := mailFrom(fmt.Sprint("p", i), fmt.Sprint("m", at+i))
			id := d.store(mb.ID, raw, time.Now())
			d.mu.Lock()
			row := d.rows[id-1].Stored
			d.mu.Unlock()
			kept = append(kept, keptMail{row, &spool{memory: []byte(raw), size: int64(len(raw))}})
		}
		f.offer(t.Context(), mb.ID, kept)
	}
	d.wait(t, "all", func() bool { return d.allEnded() })
	stop() // what is in hand is settled
	if len(d.received) != n {
		t.Errorf("%d receipts for %d rows", len(d.received), n)
	}
	if d.raws > n/10 {
		t.Errorf("%d of %d mails were read back", d.raws, n)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.inHand != 0 || len(f.order.queues) != 0 || len(f.order.items) != 0 || len(f.feeds[mb.ID].items) != 0 {
		t.Errorf("left over: %d octets, %d queues, %d items", f.inHand, len(f.order.queues), len(f.order.items))
	}
}

func TestFile_R68_stopFinishesWhatIsInHand(t *testing.T) {
	d, f, mb := window(t)
	begun, goOn := make(chan struct{}), make(chan struct{})
	d.onReceive = func(m core.Mail) (core.Receipt, error) {
		close(begun)
		<-goOn
		return core.Receipt{State: core.Filed}, nil
	}
	d.store(mb.ID, mailFrom("anna", "one"), time.Now())
	d.store(mb.ID, mailFrom("anna", "two"), time.Now())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- f.Run(ctx) }()
	<-begun
	cancel()
	close(goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if d.state(1) != core.Filed || d.state(2) != core.StateStored || d.rows[1].Tries != 0 {
		t.Error(d.dump())
	}
}

// Whatever comes and ends in whatever order: nobody waits for ever, and no two
// related ones are in work together.
func TestOrder_anything(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		o := newOrder()
		var working []*item
		busy := map[string]bool{}
		done, total := 0, 60
		for added := 0; done < total; {
			switch {
			case added < total && r.IntN(2) == 0:
				it := &item{fresh: r.IntN(4) == 0}
				it.own = fmt.Sprint("id ", r.IntN(total))
				it.keys = append(it.keys, it.own, fmt.Sprint("from ", r.IntN(6)))
				if name := fmt.Sprint("id ", r.IntN(total)); name != it.own {
					it.names = []string{name}
					it.keys = append(it.keys, name)
				}
				o.add(it)
				added++
			case len(working) > 0 && r.IntN(2) == 0:
				at := r.IntN(len(working))
				it := working[at]
				working = slices.Delete(working, at, at+1)
				for _, k := range it.keys {
					delete(busy, k)
				}
				if r.IntN(5) == 0 {
					o.putBack(it)
				} else {
					o.finish(it)
					done++
				}
			default:
				it := o.take(r.IntN(3) == 0, time.Now())
				if it == nil && added == total && len(working) == 0 {
					if it = o.take(false, time.Now()); it == nil {
						t.Fatalf("seed %d: %d of %d, and nobody's turn", seed, done, total)
					}
				}
				if it == nil {
					continue
				}
				for _, k := range it.keys {
					if busy[k] {
						t.Fatalf("seed %d: two with %q in work", seed, k)
					}
					busy[k] = true
				}
				working = append(working, it)
			}
		}
		if len(o.queues)+len(o.items) > 0 {
			t.Fatalf("seed %d: %d queues, %d items left", seed, len(o.queues), len(o.items))
		}
	}
}
