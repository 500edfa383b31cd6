package mailin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"

	"postern/core"
)

// listing is a set of UIDs to be taken, in ascending order.
type listing struct {
	box      core.Mailbox
	folder   string
	validity uint32
	uids     imap.UIDSet
	compare  bool // ask the ledger first: it may have some of them
	advance  bool // move the cursor along
	between  bool // look for new mail between batches
}

// takeNew takes what lies above the cursor.
func (s *session) takeNew(ctx context.Context) error {
	found, err := s.c.from(ctx, s.next)
	if err != nil || len(found) == 0 {
		return err
	}
	return s.takeInbox(ctx, listing{uids: found, compare: s.stuck})
}

// compare looks for mail that the ledger does not have (R8): in the inbox all
// since the start or 30 days, in Processed what somebody put there before we
// saw it. It is also how a new mailbox starts, whose 100,000 old mails cost
// one SEARCH (R74). When all of it is compared, so is Quarantine: after a
// restore of the database mail lies there that the ledger has forgotten.
func (s *session) compare(ctx context.Context) error {
	if !s.comparedAt.IsZero() { // the numbers may have changed while we were connected
		if data, err := s.enter(ctx, s.Folder); err != nil {
			return err
		} else if data.UIDValidity != s.validity {
			return errUIDValidity
		}
	}
	added := s.inbox.AddedAt
	back := added
	whole := s.inbox.UIDValidity != s.validity || !s.Since.IsZero()
	if !whole {
		back = later(added, time.Now().Add(-compareBack))
	}
	known, err := s.c.since(ctx, back)
	if err != nil {
		return err
	}
	if s.next > 1 { // we may have been away for longer
		fresh, err := s.c.from(ctx, s.next)
		if err != nil {
			return err
		}
		known.AddSet(fresh)
	}
	if err := s.takeInbox(ctx, listing{uids: known, compare: true}); err != nil {
		return err
	}
	if s.processed.ID != 0 && s.folders[s.Processed] {
		if err := s.compareFolder(ctx, s.processed, whole); err != nil {
			return err
		}
		if err := s.deleteOld(ctx); err != nil {
			return err
		}
	}
	if whole && s.quarantine.ID != 0 && s.folders[s.Quarantine] {
		if err := s.compareFolder(ctx, s.quarantine, whole); err != nil {
			return err
		}
	}
	s.comparedAt = time.Now()
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (s *session) compareFolder(ctx context.Context, box core.Mailbox, whole bool) error {
	return s.within(ctx, box.Folder, func(validity uint32) error {
		back := box.AddedAt
		if !whole {
			back = later(back, time.Now().Add(-compareBack))
		}
		found, err := s.c.since(ctx, back)
		if err != nil {
			return err
		}
		return s.take(ctx, listing{box: box, folder: box.Folder, validity: validity, uids: found, compare: true})
	})
}

// within does work in another folder and comes back to the inbox.
func (s *session) within(ctx context.Context, folder string, work func(validity uint32) error) error {
	data, err := s.enter(ctx, folder)
	if err != nil {
		return err
	}
	if err := work(data.UIDValidity); err != nil {
		return err
	}
	if data, err = s.enter(ctx, s.Folder); err == nil && data.UIDValidity != s.validity {
		err = errUIDValidity
	}
	return err
}

// takeInbox takes a list that holds every UID from the cursor on, and then
// moves the cursor behind it.
func (s *session) takeInbox(ctx context.Context, l listing) error {
	l.box, l.folder, l.validity = s.inbox, s.Folder, s.validity
	l.advance, l.between = true, true
	s.stuck = false
	if n := len(l.uids); n > 0 {
		s.top = max(s.top, uint32(l.uids[n-1].Stop))
	}
	if err := s.take(ctx, l); err != nil {
		return err
	}
	next := after(min(s.top, s.real))
	if s.stuck || s.next >= next && s.inbox.UIDValidity == s.validity {
		return nil
	}
	// The last ones may have been too old, or gone.
	if _, err := s.Desk.Keep(ctx, s.inbox, s.validity, nil, next); err != nil {
		return err
	}
	s.moved(next)
	return nil
}

// moved follows the cursor that was committed.
func (s *session) moved(next uint32) {
	s.next, s.inbox.NextUID, s.inbox.UIDValidity = next, next, s.validity
}

// after is the next UID; there is none after the last.
func after(uid uint32) uint32 { return max(uid, uid+1) }

// take brings to the ledger what it does not have.
func (s *session) take(ctx context.Context, l listing) error {
	left := int(count(l.uids))
	for uids := range windows(l.uids, windowUIDs) {
		left -= len(uids)
		s.note(func(st *Status) { st.Behind = left })
		if err := s.room(); err != nil {
			return err
		}
		if l.compare {
			unknown, err := s.unknown(ctx, l, uids)
			if err != nil {
				return err
			}
			if len(unknown) < len(uids) {
				s.isReal(l, without(uids, unknown))
			}
			uids = unknown
		}
		if len(uids) == 0 {
			continue
		}
		heads, err := s.c.heads(ctx, uids)
		if err != nil {
			return err
		}
		if n := len(heads); n > 0 {
			s.isReal(l, heads[n-1].uid)
		}
		heads = slices.DeleteFunc(heads, func(h head) bool { return s.leaveAlone(l.box, h) })
		behind := left + len(heads)
		for batch := range batches(heads, s.MailBytes, s.alone(l)) {
			if err := s.takeBatch(ctx, l, batch); err != nil {
				return err
			}
			if behind -= len(batch); l.between && behind > batchUIDs {
				if err := s.between(ctx); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// isReal follows the highest UID of the inbox that was more than listed: one
// out of all reason must not carry the cursor away.
func (s *session) isReal(l listing, uid uint32) {
	if l.box.ID == s.inbox.ID {
		s.real = max(s.real, uid)
	}
}

// without is the highest of uids that is not among others; both ascend.
func without(uids, others []uint32) uint32 {
	for i, j := len(uids)-1, len(others)-1; i >= 0; i, j = i-1, j-1 {
		if j < 0 || uids[i] != others[j] {
			return uids[i]
		}
	}
	return 0
}

// unknown asks the ledger: it knows the rows of every folder of the account, as
// what came in by one may lie in another.
func (s *session) unknown(ctx context.Context, l listing, uids []uint32) ([]uint32, error) {
	unknown, err := s.Desk.Unknown(ctx, l.box, l.folder, l.validity, uids)
	if err != nil {
		return nil, err
	}
	slices.Sort(unknown)
	return unknown, nil
}

// leaveAlone is R74.
func (s *session) leaveAlone(box core.Mailbox, h head) bool { return beforeStart(box, h) }

// beforeStart says that a mail came before the mailbox was added. INTERNALDATE
// has whole seconds.
func beforeStart(box core.Mailbox, h head) bool {
	return h.received.Before(box.AddedAt.Truncate(time.Second))
}

// between keeps the end of a backlog from being what new mail waits for: what
// came in meanwhile is taken first, and what ended is told.
func (s *session) between(ctx context.Context) error {
	select {
	case <-s.c.news:
		found, err := s.c.from(ctx, after(s.top))
		if err != nil {
			return err
		}
		if n := len(found); n > 0 {
			s.top = uint32(found[n-1].Stop)
			return s.take(ctx, listing{box: s.inbox, folder: s.Folder, validity: s.validity, uids: found})
		}
	case <-s.tell:
		s.rowsEnded()
		if time.Since(s.toldAt) > time.Second {
			return s.tellEnded(ctx)
		}
	default:
	}
	return nil
}

// batches cuts heads into what one FETCH brings (R11). A mail that is too
// large, or on which something broke before, comes alone.
func batches(heads []head, most int64, alone func(head) bool) func(yield func([]head) bool) {
	return func(yield func([]head) bool) {
		for len(heads) > 0 {
			n, bytes := 0, int64(0)
			for n < len(heads) && n < batchUIDs {
				single := heads[n].size > most || alone(heads[n])
				if n > 0 && (single || bytes+heads[n].size > batchBytes) {
					break
				}
				bytes += heads[n].size
				if n++; single {
					break
				}
			}
			if !yield(heads[:n]) {
				return
			}
			heads = heads[n:]
		}
	}
}

// badAfter is how often a mail may break its fetch or its commit before the
// others go on without it, and badFor for how long.
const (
	badAfter = 5
	badFor   = time.Hour
)

// mailKey names a mail on the server.
type mailKey struct {
	box           int64
	validity, uid uint32
}

// trouble is what a mail has caused.
type trouble struct {
	times int
	until time.Time // it is left out
}

func (l listing) key(h head) mailKey { return mailKey{l.box.ID, l.validity, h.uid} }

func (s *session) alone(l listing) func(head) bool {
	return func(h head) bool { return s.bad[l.key(h)].times > 0 }
}

// broke counts against every mail of a batch, and has them come alone the next
// time. If it was alone and breaks on and on, a person must look.
func (s *session) broke(l listing, batch []head, what string, err error) {
	for _, h := range batch {
		t := s.bad[l.key(h)]
		if t.times++; t.times >= badAfter && len(batch) == 1 {
			t.until = time.Now().Add(badFor)
			s.Log.Error(what, "mailbox", s.Name, "uid", h.uid, "size", h.size, "err", err, "again", badFor)
		}
		s.bad[l.key(h)] = t
	}
}

// givenUp says that a mail is left out for now. The cursor stays below it.
func (s *session) givenUp(l listing, batch []head) bool {
	if len(batch) > 1 || !time.Now().Before(s.bad[l.key(batch[0])].until) {
		return false
	}
	s.stuck = true
	return true
}

// takeBatch fetches and keeps. Nothing is told to the server before the
// commit, so whatever breaks, the mail is offered again.
func (s *session) takeBatch(ctx context.Context, l listing, batch []head) error {
	if s.givenUp(l, batch) {
		return nil
	}
	mails, err := s.fetch(ctx, batch)
	if err != nil {
		if ctx.Err() == nil && busy(err) == 0 {
			s.broke(l, batch, "mail cannot be fetched", err)
		}
		return err
	}
	defer drop(mails) // what is still ours
	err = s.keep(ctx, l, mails)
	if err == nil || ctx.Err() != nil || errors.Is(err, core.ErrUnavailable) || errors.Is(err, core.ErrLeaseLost) {
		return err
	}
	// One bad mail must not stop the other 49 (R10).
	for i := range mails {
		if err := s.keep(ctx, l, mails[i:i+1]); errors.Is(err, core.ErrUnavailable) || errors.Is(err, core.ErrLeaseLost) {
			return err
		} else if err != nil {
			s.stuck = true
			s.broke(l, batch[i:i+1], "mail cannot be kept", err)
		}
	}
	return nil
}

// fetch brings a batch, and asks once more for what came without bytes (R9).
func (s *session) fetch(ctx context.Context, batch []head) ([]fetched, error) {
	mails, err := s.c.bodies(ctx, s.StateDir, batch, s.MailBytes)
	if err != nil {
		return nil, err
	}
	for i := range mails {
		if mails[i].raw != nil {
			continue
		}
		again, err := s.c.bodies(ctx, s.StateDir, batch[i:i+1], s.MailBytes)
		if err != nil {
			drop(mails)
			return nil, err
		}
		if mails[i] = again[0]; mails[i].raw == nil {
			s.Log.Warn("the server gives no bytes for a mail: gone", "mailbox", s.Name, "uid", mails[i].uid, "size", mails[i].size)
		}
	}
	return mails, nil
}

// keep commits mails and the cursor, and hands them to the filer.
func (s *session) keep(ctx context.Context, l listing, mails []fetched) error {
	next := s.next
	if l.advance && !s.stuck {
		next = max(next, after(mails[len(mails)-1].uid))
	}
	batch := make([]core.Incoming, len(mails))
	for i, m := range mails {
		batch[i] = m.incoming(l.validity)
	}
	// A stop lets the commit in hand come to its end (R68).
	kept, cancel := context.WithTimeout(context.WithoutCancel(ctx), letGo)
	defer cancel()
	rows, err := s.Desk.Keep(kept, l.box, l.validity, batch, next)
	if err != nil {
		return fmt.Errorf("keep: %w", err)
	}
	if l.box.ID == s.inbox.ID {
		s.moved(next)
	}
	for _, m := range mails {
		delete(s.bad, l.key(m.head))
	}
	s.note(func(st *Status) { st.Kept += int64(len(rows)) })
	s.handOver(ctx, l.box.ID, rows, mails)
	return nil
}

// handOver gives the filer rows with their bytes, which are then its own.
func (s *session) handOver(ctx context.Context, box int64, rows []core.Stored, mails []fetched) {
	if s.Filer == nil {
		return
	}
	kept := make([]keptMail, 0, len(rows))
	for i := range mails {
		for len(rows) > 0 && rows[0].UID < mails[i].uid {
			rows = rows[1:]
		}
		if len(rows) > 0 && rows[0].UID == mails[i].uid {
			kept = append(kept, keptMail{rows[0], mails[i].raw})
			mails[i].raw = nil
		}
	}
	s.Filer.offer(ctx, box, kept)
}
