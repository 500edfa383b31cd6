package mailin

import (
	"context"
	"errors"
	"time"

	"postern/core"
)

const (
	feedWindow = 500 // rows of one mailbox that are looked at together
	feedFew    = 100 // rows that are looked at whatever memory they take
	feedRows   = 100 // rows asked for at once
)

// rescanEvery is how often rows are looked for that became due again: after a
// failed try, or because somebody released them.
const rescanEvery = 20 * time.Second

// offerWait is how long a poller waits for the filer, so that the bytes it has
// in memory need not be read back. New mail is fetched even if filing hangs.
const offerWait = 2 * time.Second

// feed is the rows of one mailbox.
type feed struct {
	box   core.Mailbox
	ended func() // a row came to its end

	after    int64 // rows up to here are in the window, or done with
	caught   bool  // there are none beyond
	more     bool  // rows came that are not in the window
	rescan   time.Time
	scanning bool
	recent   map[int64]bool // done with while a scan was under way
	items    map[int64]*item
	fresh    int // in the window
	dropped  bool
}

// keptMail is a row just kept, with its bytes.
type keptMail struct {
	row core.Stored
	raw *spool
}

// Hold begins to file the rows of a mailbox whose lease this process has. ended
// is called when rows came to their end; it must not wait.
func (f *Filer) Hold(box core.Mailbox, ended func()) {
	f.once.Do(f.defaults)
	f.mu.Lock()
	f.feeds[box.ID] = &feed{box: box, ended: ended, items: map[int64]*item{}, recent: map[int64]bool{}}
	f.mu.Unlock()
	f.turn.Broadcast()
}

// Drop ends that. It waits for the mails in hand, until ctx ends.
func (f *Filer) Drop(ctx context.Context, box int64) {
	defer context.AfterFunc(ctx, f.turn.Broadcast)()
	f.mu.Lock()
	defer f.mu.Unlock()
	fd := f.feeds[box]
	if fd == nil {
		return
	}
	delete(f.feeds, box)
	f.empty(fd)
	for f.inWork(fd) && ctx.Err() == nil {
		f.turn.Wait()
	}
}

// Wake looks for rows that became due, at once: somebody released one.
func (f *Filer) Wake() {
	f.once.Do(f.defaults)
	f.mu.Lock()
	for _, fd := range f.feeds {
		fd.rescan = time.Time{}
	}
	f.mu.Unlock()
	f.turn.Broadcast()
}

// empty takes out what is not in work.
func (f *Filer) empty(fd *feed) {
	fd.dropped = true
	for _, it := range fd.items {
		if !it.running {
			f.inHand -= it.held()
			it.raw.Close()
			it.raw = nil
			f.order.remove(it)
			fd.forget(it)
		}
	}
}

func (f *Filer) inWork(fd *feed) bool {
	for _, it := range fd.items {
		if it.running {
			return true
		}
	}
	return false
}

func (fd *feed) forget(it *item) {
	delete(fd.items, it.row.ID)
	if it.fresh {
		fd.fresh--
	}
	if fd.scanning {
		fd.recent[it.row.ID] = true
	}
}

// room says whether more rows may come into the window.
func (f *Filer) room(fd *feed) bool {
	return len(fd.items) < feedFew || len(fd.items) < feedWindow && f.inHand < inHandBytes
}

// offer takes over rows that were just kept, with their bytes, if the filer has
// come as far as they are. If not they wait in the ledger; those that just came
// in are taken all the same, so that they do not wait for the end of a backlog.
func (f *Filer) offer(ctx context.Context, box int64, kept []keptMail) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fd := f.feeds[box]
	if fd != nil && fd.caught {
		f.waitForRoom(ctx, fd)
	}
	for _, k := range kept {
		if !f.accept(fd, k) {
			k.raw.Close()
		}
	}
	f.turn.Broadcast()
}

func (f *Filer) waitForRoom(ctx context.Context, fd *feed) {
	late := time.Now().Add(offerWait)
	timer := time.AfterFunc(offerWait, f.turn.Broadcast)
	defer timer.Stop()
	defer context.AfterFunc(ctx, f.turn.Broadcast)()
	for (f.inHand >= inHandBytes || len(fd.items) > feedWindow-batchUIDs) && !f.stopped && !fd.dropped && ctx.Err() == nil && time.Now().Before(late) {
		f.turn.Wait()
	}
}

func (f *Filer) accept(fd *feed, k keptMail) bool {
	if fd == nil || fd.dropped || f.stopped {
		return false
	}
	it := &item{row: k.row, feed: fd, raw: k.raw, fresh: time.Since(k.row.Received) < freshFor}
	inOrder := fd.caught && len(fd.items) < feedWindow
	if !inOrder {
		fd.caught, fd.more = false, true
		if !it.fresh || fd.fresh >= freshOnes {
			return false
		}
	} else {
		fd.after = k.row.ID
	}
	it.relation = relate(it.raw.start())
	if f.inHand >= inHandBytes {
		it.raw.Close()
		it.raw = nil
	}
	f.put(it)
	return true
}

// put brings an item into the window. The lock is held.
func (f *Filer) put(it *item) {
	it.feed.items[it.row.ID] = it
	if it.fresh {
		it.feed.fresh++
	}
	f.inHand += it.held()
	f.order.add(it)
}

// feedAll reads rows from the ledger where the window has room.
func (f *Filer) feedAll(ctx context.Context) {
	for {
		fd, after := f.hungry()
		if fd == nil {
			return
		}
		rows, err := f.Desk.Stored(ctx, fd.box.ID, after, feedRows)
		for _, row := range rows {
			if err == nil {
				err = f.bring(ctx, fd, row)
			}
		}
		f.scanned(fd, len(rows) < feedRows, err)
	}
}

// hungry waits for a mailbox that has rows and room for them.
func (f *Filer) hungry() (*feed, int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for !f.stopped {
		wait := rescanEvery
		now := time.Now()
		for _, fd := range f.feeds {
			if fd.caught && !now.Before(fd.rescan) {
				fd.caught, fd.after = false, 0
			}
			if !fd.caught && f.room(fd) && !now.Before(f.awayTill) {
				fd.scanning = true
				return fd, fd.after
			}
			if fd.caught {
				wait = min(wait, fd.rescan.Sub(now))
			}
		}
		timer := time.AfterFunc(max(wait, 10*time.Millisecond), f.turn.Broadcast)
		f.turn.Wait()
		timer.Stop()
	}
	return nil, 0
}

// scanned ends a look at the ledger.
func (f *Filer) scanned(fd *feed, last bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fd.scanning = false
	clear(fd.recent)
	switch {
	case err != nil:
		f.databaseAway(err)
	case !last: // there is more
	case fd.more: // rows were kept meanwhile
		fd.more = false
	default:
		fd.caught, fd.rescan = true, time.Now().Add(rescanEvery)
	}
	f.turn.Broadcast()
}

// bring reads what it takes to know a row's relations: all of a small mail, the
// header block of others.
func (f *Filer) bring(ctx context.Context, fd *feed, row core.Stored) error {
	f.mu.Lock()
	known := fd.items[row.ID] != nil || fd.recent[row.ID] || fd.dropped
	full := f.inHand >= inHandBytes
	f.mu.Unlock()
	it := &item{row: row, feed: fd, fresh: time.Since(row.Received) < freshFor}
	if !known {
		raw, whole, err := f.beginning(ctx, row, full)
		if errors.Is(err, core.ErrUnavailable) || ctx.Err() != nil {
			return err
		}
		// Any other error comes again when its turn has come, and is counted.
		it.relation = relate(raw.start())
		if whole {
			it.raw = raw
		} else {
			raw.Close()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	fd.after = row.ID
	if known || fd.dropped || f.stopped || fd.items[row.ID] != nil || fd.recent[row.ID] {
		it.raw.Close()
		return nil
	}
	f.put(it)
	f.turn.Broadcast()
	return nil
}

var errEnough = errors.New("enough")

// beginning reads a mail if it is small, else as much as relations need.
func (f *Filer) beginning(ctx context.Context, row core.Stored, full bool) (raw *spool, whole bool, err error) {
	raw = &spool{}
	most := int64(scanBytes)
	if !full && row.Size <= spoolBytes {
		most = spoolBytes + 1
	}
	err = f.Desk.Raw(ctx, row.ID, firstBytes{raw, most})
	return raw, err == nil && most > scanBytes, err
}

// firstBytes takes the first octets of a mail and refuses the others.
type firstBytes struct {
	*spool
	most int64
}

func (w firstBytes) Write(p []byte) (int, error) {
	n := min(int64(len(p)), w.most-w.size)
	w.memory = append(w.memory, p[:n]...)
	w.size += n
	if n < int64(len(p)) {
		return int(n), errEnough
	}
	return int(n), nil
}
