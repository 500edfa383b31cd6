package mailout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"postern/core"
)

// fakeDesk is an outbox in memory, with the states of the real one. It fails
// on cue.
type fakeDesk struct {
	lease, retry, doubt time.Duration // doubt: how long an uncertain letter waits

	mu       sync.Mutex
	rows     map[int64]*row
	wake     chan struct{}
	ends     []core.Delivery
	released []int64
	renewed  map[int64]int
	settles  int

	onSettle func(ended []core.Delivery, next []core.Dotting) // before anything else, without the lock
	refuse   func(core.Dotting) bool                          // the lease of this one is lost
	away     func() (before, after error)                     // Settle fails before or after its work
}

type row struct {
	core.Letter
	state, holder string
	lease, due    time.Time
	tries         int
	resent, doubt bool
}

func newDesk() *fakeDesk {
	return &fakeDesk{
		lease: time.Minute, retry: time.Millisecond, doubt: time.Millisecond,
		rows: map[int64]*row{}, wake: make(chan struct{}, 1), renewed: map[int64]int{},
	}
}

func (d *fakeDesk) queue(letters ...core.Letter) {
	d.mu.Lock()
	for _, l := range letters {
		d.rows[l.ID] = &row{Letter: l, state: "queued"}
	}
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func (d *fakeDesk) ClaimLetters(_ context.Context, holder string, limit int) ([]core.Letter, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	var ids []int64
	for id, r := range d.rows {
		if r.state == "dotted" && r.lease.Before(now) {
			r.state, r.holder, r.due, r.doubt = "uncertain", "", now.Add(d.doubt), true
		}
		due := !r.due.After(now)
		switch {
		case (r.state == "queued" || r.state == "retry") && due,
			r.state == "sending" && r.lease.Before(now),
			r.state == "uncertain" && !r.resent && due:
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	var letters []core.Letter
	for _, id := range ids[:min(limit, len(ids))] {
		r := d.rows[id]
		r.resent = r.resent || r.state == "uncertain"
		r.state, r.holder, r.lease = "sending", holder, now.Add(d.lease)
		letters = append(letters, r.Letter)
	}
	return letters, nil
}

func (d *fakeDesk) RenewLetters(_ context.Context, holder string, ids []int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range ids {
		if r := d.rows[id]; r.holder == holder && (r.state == "sending" || r.state == "dotted") {
			r.lease = time.Now().Add(d.lease)
			d.renewed[id]++
		}
	}
	return nil
}

func (d *fakeDesk) Settle(_ context.Context, holder string, ended []core.Delivery, next []core.Dotting) ([]int64, error) {
	if d.onSettle != nil {
		d.onSettle(ended, next)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settles++
	var before, after error
	if d.away != nil {
		before, after = d.away()
	}
	if before != nil {
		return nil, before
	}
	now := time.Now()
	for _, e := range ended {
		d.ends = append(d.ends, e)
		r := d.rows[e.ID]
		if r.holder != holder || r.state != "sending" && r.state != "dotted" {
			continue
		}
		r.holder = ""
		switch e.Result {
		case core.Accepted:
			r.state = "sent"
		case core.Unanswered:
			r.state, r.due, r.doubt = "uncertain", now.Add(d.doubt), true
		case core.Permanent, core.Uncomposable:
			r.state = "failed"
		case core.SenderRefused:
			r.state, r.due = "retry", now
			r.Envelope = r.From.Address
		case core.Temporary:
			r.tries++
			fallthrough
		default:
			r.state, r.due = "retry", now.Add(d.retry)
		}
	}
	var mine []int64
	for _, n := range next {
		r := d.rows[n.ID]
		if r.holder != holder || r.state != "sending" || d.refuse != nil && d.refuse(n) {
			continue
		}
		r.state, r.lease = "dotted", now.Add(d.lease)
		if r.Bytes == nil {
			r.Bytes = n.Bytes
		}
		mine = append(mine, n.ID)
	}
	return mine, after
}

func (d *fakeDesk) ReleaseLetters(_ context.Context, holder string, ids []int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range ids {
		d.released = append(d.released, id)
		r := d.rows[id]
		if r.holder != holder || r.state != "sending" {
			continue
		}
		r.holder, r.state = "", "queued"
		if r.resent {
			r.state, r.resent = "uncertain", false
		}
	}
	return nil
}

func (d *fakeDesk) OpenBlob(_ context.Context, blob int64) (io.ReadCloser, error) {
	if blob < 0 {
		return nil, errors.New("no such blob today")
	}
	return io.NopCloser(bytes.NewReader(bytes.Repeat([]byte("x"), int(blob)))), nil
}

func (d *fakeDesk) Wake() <-chan struct{} { return d.wake }

// states counts letters by state.
func (d *fakeDesk) states() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := map[string]int{}
	for _, r := range d.rows {
		n[r.state]++
	}
	return n
}

// over says whether every letter has come to an end.
func (d *fakeDesk) over() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.rows {
		if r.state != "sent" && r.state != "failed" && !(r.state == "uncertain" && r.resent) {
			return false
		}
	}
	return true
}

// results are what was settled of a letter, in order.
func (d *fakeDesk) results(id int64) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	for _, e := range d.ends {
		if e.ID == id {
			all = append(all, string(e.Result))
		}
	}
	return strings.Join(all, " ")
}

func (d *fakeDesk) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var b strings.Builder
	for id, r := range d.rows {
		fmt.Fprintf(&b, "letter %d: %s, tries %d, resent %v\n", id, r.state, r.tries, r.resent)
	}
	fmt.Fprintf(&b, "ends %v\nreleased %v", d.ends, d.released)
	return b.String()
}

// letterNo is a small letter to customer n.
func letterNo(n int64) core.Letter {
	l := full(core.Confirmation, "en")
	l.ID, l.Files = n, nil
	l.Number = fmt.Sprintf("CASE-%d", 10000+n)
	l.MessageID = fmt.Sprintf("%032d@example.org", n)
	l.To = core.Address{Name: "Anna", Address: fmt.Sprintf("anna%d@customer.example", n)}
	return l
}

func eventually(t testing.TB, what string, fact func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !fact(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}
