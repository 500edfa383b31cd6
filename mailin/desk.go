package mailin

import (
	"context"
	"io"
	"time"

	"postern/core"
)

// PollDesk is what a Poller needs of the desk.
type PollDesk interface {
	Leases
	Keeper
	Teller
}

// Leases sees that a mailbox has one process at a time (R16).
type Leases interface {
	// OpenMailbox finds the mailbox's row, or adds it now. since moves the
	// moment from which mail is taken back (R74); zero leaves it.
	OpenMailbox(ctx context.Context, account, folder string, since time.Time) (core.Mailbox, error)
	// LeaseMailbox takes or renews the lease. False: another process has it.
	LeaseMailbox(ctx context.Context, id int64, holder string, lease time.Duration) (core.Mailbox, bool, error)
	ReleaseMailbox(ctx context.Context, id int64, holder string) error
}

// Keeper is the ledger as fetching sees it.
type Keeper interface {
	// Keep commits a batch and the cursor: every UID below next is known from
	// now on. UIDs that have a row are passed over.
	Keep(ctx context.Context, mb core.Mailbox, uidValidity uint32, batch []core.Incoming, next uint32) ([]core.Stored, error)
	// Unknown gives those of uids for which there is no row (R8).
	Unknown(ctx context.Context, mb core.Mailbox, folder string, uidValidity uint32, uids []uint32) ([]uint32, error)
	Polled(ctx context.Context, mb core.Mailbox) error
}

// Teller knows which ends the server has not heard of.
type Teller interface {
	Ended(ctx context.Context, mailbox int64, after int64, limit int) ([]core.Ended, error)
	Told(ctx context.Context, mailbox int64, told []core.Told) error
	// Outlived gives mails that are done with for longer than older and lie in
	// a folder, whichever folder of the account they came by (R13).
	Outlived(ctx context.Context, mb core.Mailbox, folder string, uidValidity uint32, older time.Duration, after int64, limit int) ([]core.Outlived, error)
}

// FileDesk is what a Filer needs of the desk.
type FileDesk interface {
	Reader
	Receiver
}

// Reader gives back what was kept.
type Reader interface {
	Stored(ctx context.Context, mailbox int64, after int64, limit int) ([]core.Stored, error) // those that are due
	Raw(ctx context.Context, ledger int64, w io.Writer) error
}

// Receiver ends a row, or says when it is due again.
type Receiver interface {
	Receive(ctx context.Context, m core.Mail) (core.Receipt, error)
	// Failed counts a try: the row is due later, or quarantined (R10).
	Failed(ctx context.Context, ledger int64, cause error) (core.State, error)
	// Postpone is for a DNS that does not answer (R31); giveUp: file it now,
	// as unknown.
	Postpone(ctx context.Context, ledger int64, reason string) (giveUp bool, err error)
}
