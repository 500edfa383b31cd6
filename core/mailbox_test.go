package core_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"postern/core"
)

func TestMailbox_startsOrderAndLeases(t *testing.T) {
	junk := func(s *core.Settings) { s.Mailboxes[0].Junk = "Junk" }
	ctx := context.Background()

	t.Run("R74/mail from before the mailbox was added is filed and not answered, though it is young", func(t *testing.T) {
		w := newWorld(t, nil)
		since := w.Clock.Now().Add(-48 * time.Hour)
		if _, err := w.OpenMailbox(ctx, "support", "INBOX", since); err != nil {
			t.Fatal(err)
		}
		w.lease()
		old := w.keep(mail{from: anna, subject: "An hour before"})
		old.Received = w.Clock.Now().Add(-time.Hour)
		if r, err := w.Receive(ctx, old); err != nil || r.State != core.Filed || r.Case == "" {
			t.Fatalf("%+v, %v", r, err)
		}
		if n := w.count(`select count(*) from outbox where let_out and address = '` + anna + `'`); n != 0 {
			t.Errorf("%d automatic mails for a mail from before the start", n)
		}
		if r := w.receive(mail{from: anna, subject: "Now"}); r.State != core.Filed {
			t.Fatalf("%+v", r)
		}
		if n := w.count(`select count(*) from outbox where let_out and address = '` + anna + `'`); n != 1 {
			t.Errorf("%d confirmations of a new mail", n)
		}
	})

	t.Run("R72/a mail that somebody takes out of junk is filed, not passed over as a duplicate", func(t *testing.T) {
		w := newWorld(t, junk)
		inbox := w.mb
		if _, err := w.OpenMailbox(ctx, "support", "Junk", time.Time{}); err != nil {
			t.Fatal(err)
		}
		m := mail{from: anna, subject: "Not spam at all", id: "one@northwind.example"}
		id := w.count(`select id from mailbox where folder = 'Junk'`)
		box, ok, err := w.LeaseMailbox(ctx, id, "test", time.Hour)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		w.mb = box
		if r := w.receive(m); r.State != core.Held || r.Reason != "spam" {
			t.Fatalf("%+v", r)
		}
		w.mb = inbox
		if r := w.receive(m); r.State != core.Filed || r.Case == "" {
			t.Errorf("R72: moved to the inbox it is %s (%s)", r.State, r.Outcome)
		}
		w.mb = box
		if r := w.receive(m); r.State != core.Duplicate {
			t.Errorf("R5: moved back to junk it is %s", r.State)
		}
	})

	t.Run("R8/what one folder's row knows is known in every folder of the account", func(t *testing.T) {
		w := newWorld(t, nil)
		m := w.keep(mail{from: anna, subject: "Moved"})
		if err := w.Told(ctx, w.mb.ID, []core.Told{{ID: m.Ledger, Folder: "Processed", UIDValidity: 9, UID: 4}}); err != nil {
			t.Fatal(err)
		}
		other, err := w.OpenMailbox(ctx, "support", "Processed", time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		stranger, err := w.OpenMailbox(ctx, "sales", "Processed", time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			mb   core.Mailbox
			want int
		}{{other, 1}, {stranger, 2}} {
			if unknown, err := w.Unknown(ctx, c.mb, "Processed", 9, []uint32{4, 5}); err != nil || len(unknown) != c.want {
				t.Errorf("%s: %v unknown, %v", c.mb.Account, unknown, err)
			}
		}
	})

	t.Run("R13/only what is done with for long enough and lies there is to be deleted", func(t *testing.T) {
		w := newWorld(t, nil)
		const month = 30 * 24 * time.Hour
		var last int64
		for i, state := range []core.State{core.Filed, core.Duplicate, core.Refused, core.Held, core.Quarantined, core.StateStored, core.Gone} {
			m := w.keep(mail{from: anna, subject: string(state)})
			last = m.Ledger
			if _, err := w.DB.Exec(ctx, `update ledger set state = $2, ended_at = $3, told = true, folder = 'Processed', at_validity = 9, at_uid = $4
				where id = $1`, m.Ledger, string(state), w.Clock.Now().Add(-month-time.Hour), i+1); err != nil {
				t.Fatal(err)
			}
		}
		for uid, change := range []string{`ended_at = now() + interval '10 years'`, `told = false`, `at_uid = 0`, `folder = 'INBOX'`, `at_validity = 8`} {
			m := w.keep(mail{from: anna, subject: change})
			if _, err := w.DB.Exec(ctx, `update ledger set state = 'filed', ended_at = $2, told = true, folder = 'Processed', at_validity = 9, at_uid = $3
				where id = $1`, m.Ledger, w.Clock.Now().Add(-month-time.Hour), 20+uid); err != nil {
				t.Fatal(err)
			}
			if _, err := w.DB.Exec(ctx, `update ledger set `+change+` where id = $1`, m.Ledger); err != nil {
				t.Fatal(err)
			}
		}
		rows, err := w.Outlived(ctx, w.mb, "Processed", 9, month, 0, 100)
		if err != nil || len(rows) != 3 || rows[0].UID != 1 || rows[1].UID != 2 || rows[2].UID != 3 || rows[0].Size == 0 {
			t.Errorf("%+v, %v", rows, err)
		}
		if rows, err := w.Outlived(ctx, w.mb, "Processed", 9, month, last, 100); err != nil || len(rows) != 0 {
			t.Errorf("after the last one: %+v, %v", rows, err)
		}
	})

	t.Run("R16/two processes whose clocks differ agree on a lease, as the database's clock counts", func(t *testing.T) {
		w := newWorld(t, nil)
		id := w.mb.ID
		if _, ok, err := w.LeaseMailbox(ctx, id, "a fast clock", time.Minute); err != nil || ok {
			t.Errorf("taken from its holder: %v, %v", ok, err)
		}
		w.Clock.Advance(time.Hour + time.Second)
		mb, ok, err := w.LeaseMailbox(ctx, id, "another", time.Minute)
		if err != nil || !ok || mb.Epoch != w.mb.Epoch+1 {
			t.Errorf("not taken after its end: %+v, %v, %v", mb, ok, err)
		}
	})
}

func TestSealed_R15_oneProcessRenews(t *testing.T) {
	w := newWorld(t, nil)
	ctx := context.Background()
	claim := func(holder string) ([]byte, bool) {
		t.Helper()
		secret, mine, err := w.ClaimSealed(ctx, "a token", holder, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return secret, mine
	}
	t.Run("R15/a refresh token is renewed by one process at a time", func(t *testing.T) {
		if secret, mine := claim("first"); len(secret) != 0 || !mine {
			t.Fatalf("%q, %v", secret, mine)
		}
		if _, mine := claim("second"); mine {
			t.Error("both have it")
		}
		if err := w.KeepSealed(ctx, "a token", "second", []byte("stolen")); !errors.Is(err, core.ErrLeaseLost) {
			t.Errorf("kept without holding it: %v", err)
		}
		if err := w.KeepSealed(ctx, "a token", "first", []byte("sealed")); err != nil {
			t.Fatal(err)
		}
		if secret, mine := claim("second"); string(secret) != "sealed" || !mine {
			t.Errorf("%q, %v", secret, mine)
		}
	})
	t.Run("R15/one that died does not keep it", func(t *testing.T) {
		w.Clock.Advance(time.Minute + time.Second)
		if _, mine := claim("third"); !mine {
			t.Error("still held")
		}
		if err := w.KeepSealed(ctx, "a token", "second", []byte("late")); !errors.Is(err, core.ErrLeaseLost) {
			t.Errorf("one past its lease keeps: %v", err)
		}
	})
}

func TestTryWrite_R65(t *testing.T) {
	w := newWorld(t, nil)
	if err := w.TryWrite(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Run("R65/a database that can only be read is unavailable", func(t *testing.T) {
		w.readOnly("on")
		for range 3 { // connections that broke at this moment say so first
			if err := w.TryWrite(t.Context()); !errors.Is(err, core.ErrUnavailable) {
				t.Errorf("%v", err)
			}
		}
		if err := w.TryWrite(t.Context()); err == nil || !strings.Contains(err.Error(), "25006") {
			t.Errorf("%v", err)
		}
		if _, err := w.Keep(t.Context(), w.mb, 7, []core.Incoming{incoming(1, []byte("one"))}, 2); !errors.Is(err, core.ErrUnavailable) {
			t.Errorf("R10: keep: %v", err)
		}
		w.readOnly("off")
		for err := w.TryWrite(t.Context()); err != nil; err = w.TryWrite(t.Context()) {
			if !errors.Is(err, core.ErrUnavailable) {
				t.Fatal(err)
			}
		}
		if _, err := w.Keep(t.Context(), w.mb, 7, []core.Incoming{incoming(1, []byte("one"))}, 2); err != nil {
			t.Errorf("it does not go on: %v", err)
		}
	})
}

// readOnly is a standby, or a disk that is full: nobody who connects can write.
func (w *world) readOnly(on string) {
	w.t.Helper()
	for _, sql := range []string{
		`set default_transaction_read_only = off`, `do $$ begin execute format('alter database %I set default_transaction_read_only = ` + on + `', current_database()); end $$`,
		`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
	} {
		if _, err := w.DB.Exec(context.Background(), sql); err != nil {
			w.t.Fatal(err)
		}
	}
}
