package core_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"postern/core"
)

func incoming(uid uint32, raw []byte) core.Incoming {
	return core.Incoming{UIDValidity: 7, UID: uid, Received: time.Date(2026, 11, 3, 9, 59, 0, 0, time.UTC), Size: int64(len(raw)),
		Raw: io.NewSectionReader(bytes.NewReader(raw), 0, int64(len(raw)))}
}

func uids(kept []core.Stored) (all []uint32) {
	for _, s := range kept {
		all = append(all, s.UID)
	}
	return all
}

func TestKeep_theSameUIDTwiceIsOneRow(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	first, err := w.Keep(ctx, w.mb, 7, []core.Incoming{incoming(1, []byte("one")), incoming(2, []byte("two"))}, 3)
	if err != nil || !slices.Equal(uids(first), []uint32{1, 2}) {
		t.Fatalf("R2: kept %v, %v", uids(first), err)
	}
	again, err := w.Keep(ctx, w.mb, 7, []core.Incoming{incoming(2, []byte("other")), incoming(3, []byte("three")), incoming(3, []byte("three"))}, 4)
	if err != nil || !slices.Equal(uids(again), []uint32{3}) {
		t.Errorf("R2: kept again %v, %v", uids(again), err)
	}
	var raw bytes.Buffer
	if err := w.Raw(ctx, first[1].ID, &raw); err != nil || raw.String() != "two" {
		t.Errorf("R1: the bytes of UID 2 are %q, %v", raw.String(), err)
	}
	other, err := w.Keep(ctx, w.mb, 8, []core.Incoming{incoming(1, []byte("one"))}, 2)
	if err != nil || len(other) != 1 {
		t.Errorf("R2: UID 1 under another UIDVALIDITY is another mail: %v, %v", other, err)
	}
	if n := w.count(`select count(*) from ledger`); n != 4 {
		t.Errorf("R3: %d rows", n)
	}
}

func TestKeep_allOfABatchOrNothing(t *testing.T) {
	w := newWorld(t, nil)
	broken := incoming(2, nil)
	broken.Raw = io.NewSectionReader(failing{}, 0, 10)
	if _, err := w.Keep(t.Context(), w.mb, 7, []core.Incoming{incoming(1, []byte("one")), broken}, 3); err == nil {
		t.Fatal("R1: a mail that could not be read was kept")
	}
	if n := w.count(`select count(*) from ledger`) + w.count(`select count(*) from blob`) + w.count(`select next_uid - 1 from mailbox`); n != 0 {
		t.Errorf("R1: %d things are left of a batch that failed", n)
	}
}

type failing struct{}

func (failing) ReadAt([]byte, int64) (int, error) { return 0, errors.New("the spool is gone") }

func TestKeep_withAnOldEpochIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	old := w.mb
	w.Clock.Advance(2 * time.Hour) // the lease is over
	if _, ok, err := w.LeaseMailbox(ctx, w.mb.ID, "another", time.Hour); err != nil || !ok {
		t.Fatalf("R16: lease: %v, %v", ok, err)
	}
	_, err := w.Keep(ctx, old, 7, []core.Incoming{incoming(1, []byte("one"))}, 2)
	if !errors.Is(err, core.ErrLeaseLost) {
		t.Errorf("R16: %v, want ErrLeaseLost", err)
	}
	if n := w.count(`select count(*) from ledger`) + w.count(`select count(*) from blob`); n != 0 {
		t.Errorf("R16: %d rows were written all the same", n)
	}
}

func TestKeep_aGoneUIDHasARowAndNoBytes(t *testing.T) {
	w := newWorld(t, nil)
	gone := core.Incoming{UIDValidity: 7, UID: 1, Received: w.Clock.Now(), Gone: true}
	kept, err := w.Keep(t.Context(), w.mb, 7, []core.Incoming{gone, incoming(2, []byte("two"))}, 3)
	if err != nil || !slices.Equal(uids(kept), []uint32{2}) {
		t.Fatalf("R9: kept %v, %v", uids(kept), err)
	}
	balance, err := w.Balance(t.Context())
	if err != nil || balance.States[core.Gone] != 1 || balance.States[core.StateStored] != 1 {
		t.Errorf("R9: %v, %v", balance, err)
	}
	var raw bytes.Buffer
	id := w.count(`select id from ledger where state = 'gone'`)
	if err := w.Raw(t.Context(), id, &raw); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("R9: the bytes of nothing: %v", err)
	}
	if ended, err := w.Ended(t.Context(), w.mb.ID, 0, 10); err != nil || len(ended) != 0 {
		t.Errorf("R9: the server is to be told of %v, %v", ended, err)
	}
}

// The sizes lie around the edges of chunks, and beyond what one query brings.
func TestRaw_isByteForByteWhatWasKept(t *testing.T) {
	w := newWorld(t, nil)
	source := rand.NewChaCha8([32]byte{1})
	for uid, size := range []int{1, 256<<10 - 1, 256 << 10, 256<<10 + 1, 600_000, 4 * 256 << 10, 1_500_000} {
		raw := make([]byte, size)
		source.Read(raw)
		kept, err := w.Keep(t.Context(), w.mb, 7, []core.Incoming{incoming(uint32(uid+1), raw)}, uint32(uid+2))
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := w.Raw(t.Context(), kept[0].ID, &got); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), raw) {
			t.Errorf("R1: %d bytes came back as %d others", size, got.Len())
		}
		sum := sha256.Sum256(raw)
		if n := w.count(`select count(*) from blob where size = $1 and sha256 = $2`, size, sum[:]); n != 1 {
			t.Errorf("R1: size and hash of %d bytes are not in the ledger", size)
		}
	}
}

func TestUnknown_knowsMailWhereItCameAndWhereItWent(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	m := w.keep(mail{from: anna, subject: "x", text: "y"})
	w.receiveOne(m)
	ended, err := w.Ended(ctx, w.mb.ID, 0, 10)
	if err != nil || len(ended) != 1 || ended[0].UID != 1 || ended[0].State != core.Filed || ended[0].Folder != "INBOX" {
		t.Fatalf("R12: the server is to be told of %+v, %v", ended, err)
	}
	if err := w.Told(ctx, w.mb.ID, []core.Told{{ID: ended[0].ID, Folder: "Processed", UIDValidity: 99, UID: 55}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		folder   string
		validity uint32
		want     []uint32
	}{
		{"in the inbox as it came", "INBOX", 7, []uint32{2, 55}},
		{"in the folder where it lies now", "Processed", 99, []uint32{1, 2}},
		{"under another UIDVALIDITY everything is unknown", "Processed", 100, []uint32{1, 2, 55}},
		{"in another folder everything is unknown", "Junk", 99, []uint32{1, 2, 55}},
	} {
		t.Run("R8/"+c.name, func(t *testing.T) {
			got, err := w.Unknown(ctx, w.mb, c.folder, c.validity, []uint32{55, 1, 2})
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%v, %v; want %v", got, err, c.want)
			}
		})
	}
	if ended, err := w.Ended(ctx, w.mb.ID, 0, 10); err != nil || len(ended) != 0 {
		t.Errorf("R12: told, and again to be told: %v, %v", ended, err)
	}
}

func TestLeaseMailbox_oneHolderAtATime(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	if err := w.ReleaseMailbox(ctx, w.mb.ID, "test"); err != nil {
		t.Fatal(err)
	}
	epoch := w.mb.Epoch
	for _, c := range []struct {
		name    string
		advance time.Duration
		holder  string
		release bool
		want    bool
		epoch   int64 // above the first
	}{
		{"a free mailbox is taken", 0, "a", false, true, 1},
		{"its holder renews it without a new epoch", 30 * time.Second, "a", false, true, 1},
		{"nobody else gets it", 30 * time.Second, "b", false, false, 0},
		{"nobody else gets it in its last second", 29 * time.Second, "b", false, false, 0},
		{"somebody else gets it when it is over", 2 * time.Second, "b", false, true, 2},
		{"the old holder does not get it back", 0, "a", false, false, 0},
		{"what was given back is free at once", 0, "b", true, true, 3},
	} {
		w.Clock.Advance(c.advance)
		if c.release {
			if err := w.ReleaseMailbox(ctx, w.mb.ID, c.holder); err != nil {
				t.Fatal(err)
			}
			c.holder = "a"
		}
		mb, ok, err := w.LeaseMailbox(ctx, w.mb.ID, c.holder, time.Minute)
		if err != nil || ok != c.want {
			t.Fatalf("R16/%s: %v, %v", c.name, ok, err)
		}
		if ok && mb.Epoch != epoch+c.epoch {
			t.Errorf("R16/%s: epoch %d, want %d", c.name, mb.Epoch-epoch, c.epoch)
		}
	}
	if err := w.ReleaseMailbox(ctx, w.mb.ID, "a stranger"); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := w.LeaseMailbox(ctx, w.mb.ID, "b", time.Minute); ok {
		t.Error("R16: a stranger gave the mailbox away")
	}
}

func TestOpenMailbox_theStartMovesBackAndNeverForth(t *testing.T) {
	t.Run("R74/the start moves back and never forth", func(t *testing.T) {
		w := newWorld(t, nil)
		ctx := t.Context()
		added := w.mb.AddedAt
		w.Clock.Advance(time.Hour)
		if mb, err := w.OpenMailbox(ctx, "support", "INBOX", time.Time{}); err != nil || !mb.AddedAt.Equal(added) {
			t.Errorf("R74: opened again it starts at %v, %v", mb.AddedAt, err)
		}
		w.keep(mail{from: anna})
		since := added.Add(-48 * time.Hour)
		mb, err := w.OpenMailbox(ctx, "support", "INBOX", since)
		if err != nil || !mb.AddedAt.Equal(since) || mb.NextUID != 1 {
			t.Errorf("R74: since an earlier day: starts %v at UID %d, %v", mb.AddedAt, mb.NextUID, err)
		}
		if mb, err = w.OpenMailbox(ctx, "support", "INBOX", added); err != nil || !mb.AddedAt.Equal(since) {
			t.Errorf("R74: since a later day: starts %v, %v", mb.AddedAt, err)
		}
	})
}

func TestFailed_fiveTriesOverAnHour(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	m := w.keep(mail{from: anna, subject: "x", text: "y"})
	cause := errors.New("it\x00 makes us panic\r\n")
	due := func() int {
		rows, err := w.Stored(ctx, w.mb.ID, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(rows)
	}
	start := w.Clock.Now()
	for try, wait := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 40 * time.Minute} {
		if due() != 1 {
			t.Fatalf("R10: before try %d it is not due", try+1)
		}
		if state, err := w.Failed(ctx, m.Ledger, cause); err != nil || state != core.StateStored {
			t.Fatalf("R10: after try %d: %s, %v", try+1, state, err)
		}
		w.Clock.Advance(wait - time.Second)
		if due() != 0 {
			t.Errorf("R10: after try %d it is due before %v", try+1, wait)
		}
		w.Clock.Advance(time.Second)
	}
	if over := w.Clock.Now().Sub(start); over < time.Hour {
		t.Errorf("R10: only %v have passed", over)
	}
	if state, err := w.Failed(ctx, m.Ledger, cause); err != nil || state != core.Quarantined {
		t.Fatalf("R10: after five tries: %s, %v", state, err)
	}
	v, err := w.LedgerRow(ctx, m.Ledger)
	if err != nil || v.State != core.Quarantined || v.Reason != "it makes us panic" || v.Tries != 5 {
		t.Errorf("R10: %s, reason %q, %d tries, %v", v.State, v.Reason, v.Tries, err)
	}
	if due() != 0 {
		t.Error("R10: a quarantined mail is due")
	}
	if err := w.Retry(ctx, m.Ledger); err != nil {
		t.Fatal(err)
	}
	if due() != 1 {
		t.Error("R10: retried, and not due")
	}
	wants(t, w.receiveOne(m), core.Filed, "opens a case", "")
	if err := w.Retry(ctx, m.Ledger); !errors.Is(err, core.ErrNotAllowed) {
		t.Errorf("R10: a filed mail was retried: %v", err)
	}
}

func TestFailed_noTryCountsWhileTheDatabaseIsAway(t *testing.T) {
	w := newWorld(t, nil)
	m := w.keep(mail{from: anna})
	for range 10 {
		state, err := w.Failed(t.Context(), m.Ledger, fmt.Errorf("receive: %w", core.ErrUnavailable))
		if err != nil || state != core.StateStored {
			t.Fatalf("R10: %s, %v", state, err)
		}
	}
	if n := w.count(`select tries from ledger where id = $1`, m.Ledger); n != 0 {
		t.Errorf("R10: %d tries counted", n)
	}
}

func TestFailed_aBadMailStopsNoOther(t *testing.T) {
	w := newWorld(t, nil)
	bad := w.keep(mail{from: anna, subject: "bad"})
	good := w.keep(mail{from: anna, subject: "good", text: "y"})
	if _, err := w.Failed(t.Context(), bad.Ledger, errors.New("no")); err != nil {
		t.Fatal(err)
	}
	rows, err := w.Stored(t.Context(), w.mb.ID, 0, 10)
	if err != nil || len(rows) != 1 || rows[0].ID != good.Ledger {
		t.Fatalf("R10: due are %+v, %v", rows, err)
	}
	wants(t, w.receiveOne(good), core.Filed, "opens a case", "")
}

func TestPostpone_theDNSIsAskedFourTimes(t *testing.T) {
	t.Run("R31/without an answer it is asked again after 1, 5 and 15 minutes, then unknown", func(t *testing.T) {
		w := newWorld(t, nil)
		ctx := t.Context()
		m := w.keep(mail{from: anna})
		for i, wait := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute} {
			giveUp, err := w.Postpone(ctx, m.Ledger, "no answer")
			if err != nil || giveUp {
				t.Fatalf("R31: asked %d times: gave up %v, %v", i+1, giveUp, err)
			}
			w.Clock.Advance(wait - time.Second)
			if rows, _ := w.Stored(ctx, w.mb.ID, 0, 10); len(rows) != 0 {
				t.Errorf("R31: due %v after the last time", wait-time.Second)
			}
			w.Clock.Advance(time.Second)
			if rows, _ := w.Stored(ctx, w.mb.ID, 0, 10); len(rows) != 1 || rows[0].Tries != 0 {
				t.Fatalf("R31: not due %v after the last time, or a try was counted: %+v", wait, rows)
			}
		}
		if giveUp, err := w.Postpone(ctx, m.Ledger, "no answer"); err != nil || !giveUp {
			t.Errorf("R31: asked four times: gave up %v, %v", giveUp, err)
		}
		m.Signatures, m.DKIM = nil, core.CheckLater
		if r := w.receiveOne(m); r.State != core.Filed || r.Assurance != core.Unknown {
			t.Errorf("R31: %+v", r)
		}
	})
}

func TestReceive_ofARowThatIsNotThere(t *testing.T) {
	w := newWorld(t, nil)
	m := w.keep(mail{from: anna})
	m.Ledger += 1000
	if _, err := w.Receive(context.Background(), m); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("%v", err)
	}
	if n := w.count(`select count(*) from cases`); n != 0 {
		t.Errorf("R4: %d cases of a mail that the ledger does not have", n)
	}
}
