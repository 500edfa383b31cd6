package mailin

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"

	"postern/core"
)

// BalanceDesk is what a comparison with the server needs of the desk. It only
// reads.
type BalanceDesk interface {
	MailboxesOf(ctx context.Context, account string) ([]core.ServedMailbox, error)
	Unknown(ctx context.Context, mb core.Mailbox, folder string, uidValidity uint32, uids []uint32) ([]uint32, error)
	RowsAt(ctx context.Context, account, folder string, uidValidity, after uint32, limit int) ([]uint32, error)
}

// Account is a mailbox to be compared with the ledger (R3, R8).
type Account struct {
	Name      string   // in the settings
	Server    Server   // where it is
	Inboxes   []string // folders from which mail is taken, the first is the inbox
	Others    []string // Processed, Quarantine: where it goes
	PollEvery time.Duration
}

// FolderBalance is what the server and the ledger have of a folder. Mail from
// before the mailbox's start does not count (R74).
type FolderBalance struct {
	Folder      string
	UIDValidity uint32
	Server      int      // mails on the server: the sum of the next three
	Known       int      // the ledger has a row
	New         int      // none yet, and none can be expected: it has just come
	Unknown     int      // none, and there should be one
	UIDs        []uint32 // the first of the unknown ones
	Removed     int      // rows whose mail is not there any more: no fault
	Missing     bool     // there is no such folder
}

// namedUIDs is how many unknown mails are named.
const namedUIDs = 20

// comparison is one account on its way through the folders.
type comparison struct {
	Account
	desk  BalanceDesk
	c     *Conn
	boxes []core.ServedMailbox
	inbox core.Mailbox
}

// Balance compares an account's folders with the ledger. It changes nothing on
// the server. held says that some process serves the account now.
func Balance(ctx context.Context, desk BalanceDesk, a Account) (folders []FolderBalance, held bool, err error) {
	w := comparison{Account: a, desk: desk}
	if w.boxes, err = desk.MailboxesOf(ctx, a.Name); err != nil {
		return nil, false, err
	}
	for _, b := range w.boxes {
		if b.Folder == a.Inboxes[0] {
			w.inbox, held = b.Mailbox, b.Held
		}
	}
	if w.inbox.ID == 0 {
		return nil, false, fmt.Errorf("%s was never polled: the ledger has nothing of it", a.Inboxes[0])
	}
	if w.c, err = Dial(ctx, a.Server); err != nil {
		return nil, held, err
	}
	defer w.c.Close()
	for _, name := range slices.Concat(a.Inboxes, a.Others) {
		if name == "" || slices.ContainsFunc(folders, func(f FolderBalance) bool { return f.Folder == name }) {
			continue
		}
		f, err := w.folder(ctx, name)
		if err != nil {
			return folders, held, fmt.Errorf("folder %s: %w", name, err)
		}
		folders = append(folders, f)
	}
	return folders, held, nil
}

// box is the row of a folder; one that was never polled starts with the inbox.
func (w *comparison) box(folder string) core.Mailbox {
	for _, b := range w.boxes {
		if b.Folder == folder {
			return b.Mailbox
		}
	}
	return core.Mailbox{Account: w.Name, Folder: folder, AddedAt: w.inbox.AddedAt}
}

func (w *comparison) folder(ctx context.Context, name string) (FolderBalance, error) {
	f := FolderBalance{Folder: name}
	box := w.box(name)
	var data *imap.SelectData
	err := w.c.do(ctx, "EXAMINE "+name, func() (err error) {
		data, err = w.c.client.Select(name, &imap.SelectOptions{ReadOnly: true}).Wait()
		return err
	})
	if refused(err) && name != w.Inboxes[0] {
		f.Missing = true
		return f, nil
	} else if err != nil {
		return f, err
	}
	f.UIDValidity = data.UIDValidity
	there, err := w.c.since(ctx, box.AddedAt)
	if err != nil {
		return f, err
	}
	var odd []uint32
	for uids := range windows(there, windowUIDs) {
		unknown, err := w.unknown(ctx, f, uids)
		if err != nil {
			return f, err
		}
		f.Known += len(uids) - len(unknown)
		if odd = append(odd, unknown...); len(odd) >= windowUIDs {
			if err := w.judge(ctx, &f, box, odd); err != nil {
				return f, err
			}
			odd = nil
		}
	}
	if err := w.judge(ctx, &f, box, odd); err != nil {
		return f, err
	}
	f.Server = f.Known + f.New + f.Unknown
	return f, w.removed(ctx, &f, there)
}

func (w *comparison) unknown(ctx context.Context, f FolderBalance, uids []uint32) (unknown []uint32, err error) {
	unknown = uids
	for _, b := range w.boxes {
		if len(unknown) == 0 {
			break
		}
		if unknown, err = w.desk.Unknown(ctx, b.Mailbox, f.Folder, f.UIDValidity, unknown); err != nil {
			return nil, err
		}
	}
	return unknown, nil
}

// judge says of mails without a row whether one could be expected.
func (w *comparison) judge(ctx context.Context, f *FolderBalance, box core.Mailbox, uids []uint32) error {
	if len(uids) == 0 {
		return nil
	}
	heads, err := w.c.heads(ctx, uids)
	if err != nil {
		return err
	}
	// some were moved by a poll a moment ago, which has said so by now
	unknown, err := w.unknown(ctx, *f, uids)
	if err != nil {
		return err
	}
	f.Known += len(uids) - len(unknown)
	recently := time.Now().Add(-2*w.PollEvery - time.Second) // INTERNALDATE has whole seconds
	polled := box.PolledAt != nil && box.PolledAt.After(recently) && box.UIDValidity == f.UIDValidity
	for _, h := range heads {
		switch {
		case !slices.Contains(unknown, h.uid) || beforeStart(box, h):
		case h.received.After(recently) || polled && h.uid >= box.NextUID:
			f.New++
		default:
			if f.Unknown++; len(f.UIDs) < namedUIDs {
				f.UIDs = append(f.UIDs, h.uid)
			}
		}
	}
	return nil
}

// removed counts the rows that name a mail in this folder that is not there.
// Both lists ascend.
func (w *comparison) removed(ctx context.Context, f *FolderBalance, there imap.UIDSet) error {
	const page = 5000
	slices.SortFunc(there, func(a, b imap.UIDRange) int { return int(int64(a.Start) - int64(b.Start)) })
	for after := uint32(0); ; {
		rows, err := w.desk.RowsAt(ctx, w.Name, f.Folder, f.UIDValidity, after, page)
		if err != nil {
			return err
		}
		for _, uid := range rows {
			for len(there) > 0 && uint32(there[0].Stop) < uid {
				there = there[1:]
			}
			if len(there) == 0 || uint32(there[0].Start) > uid {
				f.Removed++
			}
		}
		if len(rows) < page {
			return nil
		}
		after = rows[len(rows)-1]
	}
}
