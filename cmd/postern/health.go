package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"postern/core"
)

// leastFree is the room below which nothing is fetched: what we could not keep
// stays with the mail server (R65).
const leastFree = 1 << 30

// freeBytes is the room left for us on the disk of a folder.
func freeBytes(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	return int64(s.Bavail) * int64(s.Bsize), nil // the types differ between systems
}

// Limits of a healthy instance (R15, R60).
const (
	longestUnpolled = 15 * time.Minute
	longestUnfiled  = 15 * time.Minute
	longestUnsent   = 4 * time.Hour
	longestPause    = 15 * time.Minute // of the SMTP server
)

// health says whether this instance can work: what is wrong, in the words of an
// operator and without anybody's address, as anyone may ask. What is broken
// stops it; a warning waits for a person and stops nobody.
func health(ctx context.Context, desk statistics, stateDir string, now time.Time) []finding {
	var wrong []finding
	say := func(level, about, format string, args ...any) {
		wrong = append(wrong, finding{Level: level, About: about, Says: fmt.Sprintf(format, args...)})
	}
	if free, err := freeBytes(stateDir); err != nil || free < leastFree {
		say(broken, "disk", "no room on the disk of the state folder: nothing is fetched")
	}
	stats, err := desk.Stats(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		say(broken, "database", "the database does not answer in time")
		return wrong
	}
	if err != nil {
		say(broken, "database", "the database is away")
		return wrong
	}
	if stats.Unwritable != nil {
		say(broken, "database", "the database refuses what is written, as a full disk or a standby does: nothing is fetched and nothing is sent")
	}
	late := func(t time.Time, longest time.Duration) bool { return !t.IsZero() && now.Sub(t) > longest }
	for _, b := range stats.Mailboxes {
		if b.PolledAt != nil && late(*b.PolledAt, longestUnpolled) {
			say(broken, "mailbox", "mailbox %s, folder %s: no good poll for %s", b.Account, b.Folder, now.Sub(*b.PolledAt).Round(time.Minute))
		}
	}
	if late(stats.OldestStored, longestUnfiled) {
		say(broken, "ledger", "mail waits to be filed for %s", now.Sub(stats.OldestStored).Round(time.Minute))
	}
	if late(stats.OldestUnsent, longestUnsent) {
		say(broken, "outbox", "mail waits to be sent for %s", now.Sub(stats.OldestUnsent).Round(time.Minute))
	}
	if n := stats.Ledger[core.Quarantined]; n > 0 {
		say(warning, "ledger", "%d mails in quarantine: postern ledger list --state quarantined", n)
	}
	return wrong
}

// polledFolder is a folder that a poller reads.
type polledFolder struct{ account, folder string }

// polledFolders are those that are polled by these settings: the database also
// knows mailboxes that were taken out of them, and folders that mail is moved
// to, which nobody polls.
func polledFolders(s *Settings) map[polledFolder]bool {
	polled := make(map[polledFolder]bool)
	for _, m := range s.Mailboxes {
		for _, folder := range m.inboxes() {
			polled[polledFolder{m.Name, folder}] = true
		}
		if m.Junk != "" {
			polled[polledFolder{m.Name, m.Junk}] = true
		}
	}
	return polled
}

// lately remembers the numbers for a while: counting a large ledger for
// everybody who asks would be a way to keep the database busy.
type lately struct {
	statistics
	sync.Mutex
	writes func(context.Context) error // tries to write; nil: nobody tries
	polled map[polledFolder]bool       // nil: not known, all count
	stats  core.Stats
	at     time.Time
}

// only leaves folders that are not polled out of the numbers from now on.
func (l *lately) only(polled map[polledFolder]bool) {
	l.Lock()
	defer l.Unlock()
	l.polled, l.at = polled, time.Time{}
}

const fresh = 10 * time.Second

// Stats asks the database if what is known is older than fresh. An error is not
// kept.
func (l *lately) Stats(ctx context.Context) (core.Stats, error) {
	l.Lock()
	defer l.Unlock()
	if !l.at.IsZero() && time.Since(l.at) < fresh {
		return l.stats, nil
	}
	stats, err := l.statistics.Stats(ctx)
	if l.polled != nil {
		stats.Mailboxes = slices.DeleteFunc(slices.Clone(stats.Mailboxes), func(b core.MailboxLag) bool {
			return !l.polled[polledFolder{b.Account, b.Folder}]
		})
	}
	if err == nil && l.writes != nil {
		stats.Unwritable = l.writes(ctx)
	}
	if err == nil {
		l.stats, l.at = stats, time.Now()
	}
	return stats, err
}

// healthHandler serves /healthz: 200 while it can work, else 503 and why.
// Quarantined mail waits for a person but stops nobody.
func healthHandler(desk statistics, stateDir string, unwell func() []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), scrapeTime)
		defer cancel()
		wrong := health(ctx, desk, stateDir, time.Now())
		for _, says := range unwell() {
			wrong = append(wrong, finding{Level: broken, About: "process", Says: says})
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		if slices.ContainsFunc(wrong, func(f finding) bool { return f.Level == broken }) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		if len(wrong) == 0 {
			fmt.Fprintln(w, "ok")
		}
		for _, f := range wrong {
			fmt.Fprintln(w, f.Says)
		}
	})
}
