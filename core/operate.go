package core

import (
	"context"
	"time"
)

// Stats are the figures that the operator watches.
type Stats struct {
	Ledger       map[State]int64
	Class        map[Class]int64
	Outbox       map[string]int64
	OldestStored time.Time // when the oldest mail that waits to be filed was kept; zero: none waits
	OldestUnsent time.Time // when the oldest mail that is owed was queued
	Mailboxes    []MailboxLag

	Unwritable error // why the database takes nothing (R65), if who asked has tried
}

// MailboxLag says when a mailbox was last polled.
type MailboxLag struct {
	Account  string
	Folder   string
	PolledAt *time.Time
}

// LedgerView is all that is known of one mail.
type LedgerView struct {
	HeldLine
	Mailbox     string
	Folder      string
	UIDValidity int64
	UID         int64
	KeptAt      time.Time
	EndedAt     *time.Time
	Tries       int
	DueAt       time.Time // of the next try
	HeaderOnly  bool      // its body was too large to take (R17)
	Outcome     string
	MessageID   string
	Case        string
	Trace       []Step
	Letters     []LetterLine
}

// LetterLine is one letter that a mail caused.
type LetterLine struct {
	ID      int64
	Kind    Kind
	Address string
	State   string
	Reason  string
}

// Stats counts.
func (d *Desk) Stats(ctx context.Context) (Stats, error) {
	var s Stats
	err := d.readTx(ctx, func(tx *tx) (err error) {
		s, err = stats(ctx, tx, d.set)
		return err
	})
	return s, err
}

// Ping says whether the database answers, and how far its clock is from ours.
func (d *Desk) Ping(ctx context.Context) (time.Duration, error) { return d.MeasureClock(ctx) }

// LedgerRow shows one mail with the rules that decided its fate (R67).
func (d *Desk) LedgerRow(ctx context.Context, id int64) (LedgerView, error) {
	var v LedgerView
	err := d.readTx(ctx, func(tx *tx) (err error) {
		v, err = d.ledgerView(ctx, tx, id)
		return err
	})
	return v, err
}

// ListLedger lists rows in these states, newest first; before is the last row
// of the page before, or 0.
func (d *Desk) ListLedger(ctx context.Context, states []State, before int64, limit int) ([]HeldLine, error) {
	var lines []HeldLine
	err := d.readTx(ctx, func(tx *tx) (err error) {
		lines, err = ledgerLines(ctx, tx, states, before, limit)
		return err
	})
	return lines, err
}

// Retry files a quarantined mail again, as if it had just come.
func (d *Desk) Retry(ctx context.Context, id int64) error {
	return d.inTx(ctx, func(tx *tx) error { return retryRow(ctx, tx, id) })
}
