package web

import (
	"net/netip"
	"sync"
	"time"
)

// brake slows down a client that tries addresses or codes. It is a courtesy of
// this process only: the desk's own budgets (R46, R48) are what counts, so a
// full brake lets people through.
type brake struct {
	now func() time.Time

	mu    sync.Mutex
	since time.Time
	tries map[netip.Prefix]int
}

const (
	brakeWindow  = 10 * time.Minute
	brakeTries   = 30 // of one client in a window: an office shares one address
	brakeClients = 10_000
)

func newBrake(now func() time.Time) *brake {
	return &brake{now: now, tries: map[netip.Prefix]int{}}
}

// allow counts one try and says whether it may go on.
func (b *brake) allow(addr netip.Addr) bool {
	bits := 64 // what one household has
	if addr.Is4() {
		bits = 32
	}
	client, err := addr.Prefix(bits)
	if err != nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if now := b.now(); now.Sub(b.since) > brakeWindow {
		b.since = now
		clear(b.tries)
	}
	if _, known := b.tries[client]; !known && len(b.tries) >= brakeClients {
		return true
	}
	b.tries[client]++
	return b.tries[client] <= brakeTries
}
