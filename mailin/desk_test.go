package mailin

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"postern/core"
)

var (
	_ PollDesk = (*core.Desk)(nil)
	_ FileDesk = (*core.Desk)(nil)
)

// fakeDesk is a ledger in memory that fails on cue.
type fakeDesk struct {
	mu      sync.Mutex
	changed *sync.Cond
	boxes   map[string]*fakeBox
	rows    []*fakeRow
	now     func() time.Time

	failKeep   func(batch []core.Incoming) error
	onReceive  func(m core.Mail) (core.Receipt, error)
	onPostpone func(ledger int64) bool
	received   []int64 // ledger ids in the order in which Receive returned
	keeps      int
	kept       []int // mails of each Keep
	polls      int
	asked      int // UIDs that Unknown was asked about
	storedErr  error
	raws       int
}

type fakeBox struct {
	core.Mailbox
	holder string
	until  time.Time
}

type fakeRow struct {
	core.Stored
	box        int64
	folder     string
	atValidity uint32
	atUID      uint32
	origin     [2]uint32
	raw        []byte
	state      core.State
	told       bool
}

func newFakeDesk() *fakeDesk {
	d := &fakeDesk{boxes: map[string]*fakeBox{}, now: time.Now}
	d.changed = sync.NewCond(&d.mu)
	return d
}

func (d *fakeDesk) lock() func() {
	d.mu.Lock()
	return func() { d.changed.Broadcast(); d.mu.Unlock() }
}

// patience is for a busy machine and the race detector; no test that passes
// needs it.
const patience = 90 * time.Second

// wait blocks until a fact holds.
func (d *fakeDesk) wait(t *testing.T, what string, fact func() bool) {
	t.Helper()
	late := time.AfterFunc(patience, d.changed.Broadcast)
	defer late.Stop()
	deadline := time.Now().Add(patience)
	d.mu.Lock()
	defer d.mu.Unlock()
	for !fact() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not in time; rows: %s", what, d.dump())
		}
		d.changed.Wait()
	}
}

func (d *fakeDesk) dump() string {
	var b bytes.Buffer
	for _, r := range d.rows[:min(len(d.rows), 20)] {
		fmt.Fprintf(&b, "\n%d uid %d %s told %v in %s (%d %d)", r.ID, r.UID, r.state, r.told, r.folder, r.atValidity, r.atUID)
	}
	return b.String()
}

func (d *fakeDesk) OpenMailbox(ctx context.Context, account, folder string, since time.Time) (core.Mailbox, error) {
	defer d.lock()()
	key := account + "/" + folder
	b := d.boxes[key]
	if b == nil {
		b = &fakeBox{Mailbox: core.Mailbox{ID: int64(len(d.boxes) + 1), Account: account, Folder: folder, AddedAt: d.now(), NextUID: 1}}
		d.boxes[key] = b
	}
	if !since.IsZero() && since.Before(b.AddedAt) {
		b.AddedAt, b.NextUID = since, 1
	}
	return b.Mailbox, nil
}

func (d *fakeDesk) box(id int64) *fakeBox {
	for _, b := range d.boxes {
		if b.ID == id {
			return b
		}
	}
	return nil
}

func (d *fakeDesk) LeaseMailbox(ctx context.Context, id int64, holder string, lease time.Duration) (core.Mailbox, bool, error) {
	defer d.lock()()
	b := d.box(id)
	if b.holder != holder {
		if d.now().Before(b.until) {
			return core.Mailbox{}, false, nil
		}
		b.holder = holder
		b.Epoch++
	}
	b.until = d.now().Add(lease)
	return b.Mailbox, true, nil
}

func (d *fakeDesk) ReleaseMailbox(ctx context.Context, id int64, holder string) error {
	defer d.lock()()
	if b := d.box(id); b.holder == holder {
		b.holder, b.until = "", time.Time{}
	}
	return nil
}

func (d *fakeDesk) Keep(ctx context.Context, mb core.Mailbox, validity uint32, batch []core.Incoming, next uint32) ([]core.Stored, error) {
	defer d.lock()()
	d.keeps++
	if d.failKeep != nil {
		if err := d.failKeep(batch); err != nil {
			return nil, err
		}
	}
	d.kept = append(d.kept, len(batch))
	b := d.box(mb.ID)
	if b.Epoch != mb.Epoch {
		return nil, core.ErrLeaseLost
	}
	var rows []core.Stored
	for _, in := range batch {
		if d.known(mb.ID, validity, in.UID) {
			continue
		}
		r := &fakeRow{box: mb.ID, folder: mb.Folder, atValidity: validity, atUID: in.UID, origin: [2]uint32{validity, in.UID}, state: core.StateStored}
		r.Stored = core.Stored{ID: int64(len(d.rows) + 1), UID: in.UID, Received: in.Received, Size: in.Size, HeaderOnly: in.HeaderOnly, DueAt: d.now()}
		if in.Gone {
			r.state, r.told = core.Gone, true
		} else {
			r.raw, _ = io.ReadAll(io.NewSectionReader(in.Raw, 0, in.Raw.Size()))
			rows = append(rows, r.Stored)
		}
		d.rows = append(d.rows, r)
	}
	if b.UIDValidity != validity || b.NextUID < next {
		b.UIDValidity, b.NextUID = validity, next
	}
	return rows, nil
}

func (d *fakeDesk) known(box int64, validity, uid uint32) bool {
	return slices.ContainsFunc(d.rows, func(r *fakeRow) bool {
		return r.box == box && r.origin == [2]uint32{validity, uid}
	})
}

func (d *fakeDesk) Unknown(ctx context.Context, mb core.Mailbox, folder string, validity uint32, uids []uint32) ([]uint32, error) {
	defer d.lock()()
	d.asked += len(uids)
	var unknown []uint32
	for _, uid := range uids {
		here := slices.ContainsFunc(d.rows, func(r *fakeRow) bool {
			from := d.box(r.box)
			return from.Account == mb.Account && (r.folder == folder && r.atValidity == validity && r.atUID == uid ||
				from.Folder == folder && r.origin == [2]uint32{validity, uid})
		})
		if !here {
			unknown = append(unknown, uid)
		}
	}
	return unknown, nil
}

func (d *fakeDesk) Polled(ctx context.Context, mb core.Mailbox) error {
	defer d.lock()()
	d.polls++
	return nil
}

func (d *fakeDesk) Ended(ctx context.Context, mailbox, after int64, limit int) ([]core.Ended, error) {
	defer d.lock()()
	var ended []core.Ended
	for _, r := range d.rows {
		if r.box == mailbox && r.ID > after && r.state != core.StateStored && !r.told && len(ended) < limit {
			ended = append(ended, core.Ended{ID: r.ID, Folder: r.folder, UIDValidity: r.atValidity, UID: r.atUID, State: r.state})
		}
	}
	return ended, nil
}

func (d *fakeDesk) Told(ctx context.Context, mailbox int64, told []core.Told) error {
	defer d.lock()()
	for _, t := range told {
		r := d.rows[t.ID-1]
		r.told, r.folder, r.atValidity, r.atUID = true, t.Folder, t.UIDValidity, t.UID
	}
	return nil
}

func (d *fakeDesk) Outlived(ctx context.Context, mb core.Mailbox, folder string, validity uint32, older time.Duration, after int64, limit int) ([]core.Outlived, error) {
	return nil, nil
}

func (d *fakeDesk) Stored(ctx context.Context, mailbox, after int64, limit int) ([]core.Stored, error) {
	defer d.lock()()
	if d.storedErr != nil {
		return nil, d.storedErr
	}
	var rows []core.Stored
	for i := int(after); i < len(d.rows); i++ {
		r := d.rows[i]
		if r.box == mailbox && r.state == core.StateStored && !r.DueAt.After(d.now()) && len(rows) < limit {
			rows = append(rows, r.Stored)
		}
	}
	return rows, nil
}

func (d *fakeDesk) Raw(ctx context.Context, ledger int64, w io.Writer) error {
	d.mu.Lock()
	d.raws++
	raw := d.rows[ledger-1].raw
	d.changed.Broadcast()
	d.mu.Unlock()
	for chunk := range slices.Chunk(raw, 256<<10) {
		if _, err := w.Write(chunk); err != nil {
			return fmt.Errorf("raw mail %d: %w", ledger, err)
		}
	}
	return nil
}

func (d *fakeDesk) Receive(ctx context.Context, m core.Mail) (core.Receipt, error) {
	d.mu.Lock()
	on := d.onReceive
	d.mu.Unlock()
	receipt := core.Receipt{State: core.Filed, Outcome: "opens a case", Case: "CASE-10001"}
	if on != nil {
		var err error
		if receipt, err = on(m); err != nil {
			return core.Receipt{}, err
		}
	}
	defer d.lock()()
	d.rows[m.Ledger-1].state = receipt.State
	d.received = append(d.received, m.Ledger)
	return receipt, nil
}

func (d *fakeDesk) Failed(ctx context.Context, ledger int64, cause error) (core.State, error) {
	defer d.lock()()
	r := d.rows[ledger-1]
	if r.Tries++; r.Tries >= 5 {
		r.state = core.Quarantined
	} else {
		r.DueAt = d.now().Add(time.Duration(r.Tries) * 10 * time.Millisecond)
	}
	return r.state, nil
}

func (d *fakeDesk) Postpone(ctx context.Context, ledger int64, reason string) (bool, error) {
	d.mu.Lock()
	on := d.onPostpone
	d.mu.Unlock()
	giveUp := on == nil || on(ledger)
	defer d.lock()()
	d.rows[ledger-1].DueAt = d.now().Add(10 * time.Millisecond)
	return giveUp, nil
}

// store puts a mail into the ledger, past every server.
func (d *fakeDesk) store(box int64, raw string, received time.Time) int64 {
	defer d.lock()()
	id := int64(len(d.rows) + 1)
	r := &fakeRow{box: box, raw: []byte(raw), state: core.StateStored, told: true, origin: [2]uint32{1, uint32(id)}}
	r.Stored = core.Stored{ID: id, UID: uint32(id), Received: received, Size: int64(len(raw)), DueAt: d.now()}
	d.rows = append(d.rows, r)
	return id
}

func (d *fakeDesk) state(id int64) core.State { return d.rows[id-1].state }

func (d *fakeDesk) allEnded() bool {
	return !slices.ContainsFunc(d.rows, func(r *fakeRow) bool { return r.state == core.StateStored })
}
