package core

import (
	"context"
	"time"
)

// LedgerBalance says what became of every mail that was ever taken in (R3), and
// names what has not come to its end.
type LedgerBalance struct {
	Received int64
	States   map[State]int64
	Waiting  []WaitingRow // stored for some minutes, the oldest first
	Letters  []LetterLine // uncertain or failed, the newest first
}

// WaitingRow is a mail that waits to be filed.
type WaitingRow struct {
	Ledger int64
	KeptAt time.Time
	DueAt  time.Time // of the next try
	Tries  int
	Reason string // why the last one failed
	Late   bool   // it is due for so long that nobody can be filing
}

const (
	someMinutes = 5 * time.Minute  // a mail that is stored for as long is worth a line
	nobodyFiles = 15 * time.Minute // one that is due for as long waits for a process
	namedRows   = 20
)

// Balance counts the ledger.
func (d *Desk) Balance(ctx context.Context) (LedgerBalance, error) {
	b := LedgerBalance{States: map[State]int64{}}
	err := d.readTx(ctx, func(tx *tx) error { return balance(ctx, tx, &b) })
	return b, err
}

// ServedMailbox is a folder that the ledger knows.
type ServedMailbox struct {
	Mailbox
	Held bool // some process holds it now
}

// MailboxesOf are the folders of an account that were ever polled.
func (d *Desk) MailboxesOf(ctx context.Context, account string) ([]ServedMailbox, error) {
	var all []ServedMailbox
	err := d.readTx(ctx, func(tx *tx) (err error) {
		all, err = mailboxesOf(ctx, tx, account)
		return err
	})
	return all, err
}

// RowsAt lists the UIDs above after that mails of an account have in a folder,
// as the ledger has it; ascending, at most limit.
func (d *Desk) RowsAt(ctx context.Context, account, folder string, uidValidity, after uint32, limit int) ([]uint32, error) {
	var uids []uint32
	err := d.readTx(ctx, func(tx *tx) (err error) {
		uids, err = rowsAt(ctx, tx, account, folder, uidValidity, after, limit)
		return err
	})
	return uids, err
}

// CompareAgain has whoever serves an account compare the whole of its mailbox
// with the ledger, from its start on (R8): the cursor goes back and the lease
// ends, so that the next poll begins as a first one does. What is known is not
// fetched again. account "" means all.
func (d *Desk) CompareAgain(ctx context.Context, account string) error {
	return d.inTx(ctx, func(tx *tx) error { return compareAgain(ctx, tx, account) })
}
