package core

// The ledger keeps every mail ever seen. A row goes
//
//	            +------------------------------+-----> filed       became part of a case, or an event
//	            |                              +-----> duplicate   known before, no effect (R5)
//	fetched     |         Receive              |
//	---------> stored ------------------------>+-----> held        waits for a person --+
//	Keep: R1    |  ^  ^                                  |  |                           | refuse
//	            |  |  +----------------------------------+  |                           v
//	            |  |        released by an agent            +----------------------> refused
//	            |  +--------------------------------------- retried
//	            |                                              |
//	            +-- five tries over an hour failed (R10) --> quarantined
//
//	fetched twice without bytes (R9) --> gone
//
// stored is the only state in which a row waits for the program; held and
// quarantined wait for a person; all others are ends.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// OpenMailbox finds a mailbox's row, or adds it now: mail from before that
// moment is left alone (R74). since, if not zero, moves the moment back.
func (d *Desk) OpenMailbox(ctx context.Context, account, folder string, since time.Time) (Mailbox, error) {
	border := "none"
	for _, m := range d.set.Mailboxes {
		if m.Name == account && m.Border != "" {
			border = m.Border
		}
	}
	var mb Mailbox
	err := d.inTx(ctx, func(tx *tx) (err error) {
		mb, err = openMailbox(ctx, tx, account, folder, since, border)
		return err
	})
	if err != nil {
		return Mailbox{}, fmt.Errorf("open mailbox %s: %w", account, err)
	}
	return mb, nil
}

// LeaseMailbox takes a mailbox for a holder, or renews its lease (R16). It
// returns the row as it is now; false if another process holds it.
func (d *Desk) LeaseMailbox(ctx context.Context, id int64, holder string, lease time.Duration) (Mailbox, bool, error) {
	var mb Mailbox
	var ok bool
	err := d.inTx(ctx, func(tx *tx) (err error) {
		mb, ok, err = leaseMailbox(ctx, tx, id, holder, lease)
		return err
	})
	if err != nil {
		return Mailbox{}, false, fmt.Errorf("lease mailbox %d: %w", id, err)
	}
	return mb, ok, nil
}

// ReleaseMailbox gives a lease back, so that another process need not wait.
func (d *Desk) ReleaseMailbox(ctx context.Context, id int64, holder string) error {
	return d.inTx(ctx, func(tx *tx) error { return releaseMailbox(ctx, tx, id, holder) })
}

// Keep commits a batch of mails: their rows, their bytes and the cursor, in
// one commit and before anything is read in them (R1). Every UID below next is
// known from now on. UIDs that the ledger has are passed over. It returns the
// new rows in the order of their UIDs, and ErrLeaseLost if another process took
// the mailbox.
func (d *Desk) Keep(ctx context.Context, mb Mailbox, uidValidity uint32, batch []Incoming, next uint32) ([]Stored, error) {
	var kept []Stored
	err := d.inTx(ctx, func(tx *tx) error {
		kept = nil
		fresh, ids, err := beginKeep(ctx, tx, mb, uidValidity, batch)
		if err != nil {
			return err
		}
		kept, err = keep(ctx, tx, mb, uidValidity, fresh, ids, next)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("keep %d mails of mailbox %s: %w", len(batch), mb.Account, err)
	}
	return kept, nil
}

// Unknown returns those of uids that the ledger has no row for, neither as
// they were fetched nor where they were moved to, from whichever folder of the
// account (R8).
func (d *Desk) Unknown(ctx context.Context, mb Mailbox, folder string, uidValidity uint32, uids []uint32) ([]uint32, error) {
	var unknown []uint32
	err := d.readTx(ctx, func(tx *tx) (err error) {
		unknown, err = unknownUIDs(ctx, tx, mb.ID, folder, uidValidity, uids)
		return err
	})
	return unknown, err
}

// Polled records that a poll ended well.
func (d *Desk) Polled(ctx context.Context, mb Mailbox) error {
	return d.inTx(ctx, func(tx *tx) error { return polled(ctx, tx, mb.ID) })
}

// Ended returns rows at their end of which the mail server has not been told.
func (d *Desk) Ended(ctx context.Context, mailbox, after int64, limit int) ([]Ended, error) {
	var rows []Ended
	err := d.readTx(ctx, func(tx *tx) (err error) {
		rows, err = endedRows(ctx, tx, mailbox, after, limit)
		return err
	})
	return rows, err
}

// Told records where mails lie now that the server has been told of their end.
func (d *Desk) Told(ctx context.Context, mailbox int64, told []Told) error {
	return d.inTx(ctx, func(tx *tx) error { return toldRows(ctx, tx, mailbox, told) })
}

// Outlived returns mails of an account that are done with for longer than older
// and lie in a folder of it (R13), after an id and in order of id.
func (d *Desk) Outlived(ctx context.Context, mb Mailbox, folder string, uidValidity uint32, older time.Duration, after int64, limit int) ([]Outlived, error) {
	var rows []Outlived
	err := d.readTx(ctx, func(tx *tx) (err error) {
		rows, err = outlivedRows(ctx, tx, mb.ID, folder, uidValidity, older, after, limit)
		return err
	})
	return rows, err
}

// Stored returns due rows of a mailbox in the order in which they came.
func (d *Desk) Stored(ctx context.Context, mailbox, after int64, limit int) ([]Stored, error) {
	var rows []Stored
	err := d.readTx(ctx, func(tx *tx) (err error) {
		rows, err = storedRows(ctx, tx, mailbox, after, limit)
		return err
	})
	return rows, err
}

// Raw writes the kept bytes of a mail, chunk by chunk.
func (d *Desk) Raw(ctx context.Context, ledger int64, w io.Writer) error {
	err := d.readTx(ctx, func(tx *tx) error { return rawBytes(ctx, tx, ledger, w) })
	if err != nil {
		return fmt.Errorf("raw mail %d: %w", ledger, err)
	}
	return nil
}

// tryAgain is when a row is due after so many failed tries: five tries over an
// hour (R10).
var tryAgain = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 40 * time.Minute}

// Failed records that a try to file a mail failed by the mail's own fault. The
// row is due again later, or quarantined after five tries (R10).
func (d *Desk) Failed(ctx context.Context, ledger int64, cause error) (State, error) {
	if errors.Is(cause, ErrUnavailable) {
		return StateStored, nil
	}
	var state State
	err := d.inTx(ctx, func(tx *tx) (err error) {
		state, err = failedRow(ctx, tx, ledger, clean(cause.Error(), 500), errors.Is(cause, ErrHopeless))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("ledger row %d failed (%v): %w", ledger, cause, err)
	}
	return state, nil
}

// askAgain is when the DNS is asked again that gave no answer (R31).
var askAgain = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}

// Postpone leaves a row stored because the DNS gave no answer (R31). It
// returns true if it was asked often enough: the mail is then filed as unknown.
func (d *Desk) Postpone(ctx context.Context, ledger int64, reason string) (bool, error) {
	var giveUp bool
	err := d.inTx(ctx, func(tx *tx) (err error) {
		giveUp, err = postponeRow(ctx, tx, ledger, clean(reason, 500))
		return err
	})
	return giveUp, err
}
