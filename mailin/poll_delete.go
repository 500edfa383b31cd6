package mailin

import (
	"context"
	"time"

	"github.com/emersion/go-imap/v2"

	"postern/core"
)

// leastKept is the least that a mail lies in Processed (R13).
const leastKept = 30 * 24 * time.Hour

// deleteOld deletes from Processed what has been done with for long enough: only
// what the ledger says we put there or filed there, each by its UID, and never
// by EXPUNGE, which would take other people's deletions too (R12, R13).
func (s *session) deleteOld(ctx context.Context) error {
	if s.DeleteAfter == 0 {
		return nil
	}
	if !s.c.caps.Has(imap.CapUIDPlus) {
		s.Log.Warn("nothing is deleted: the server has no UIDPLUS", "mailbox", s.Name, "folder", s.Processed)
		return nil
	}
	err := s.within(ctx, s.Processed, func(validity uint32) error {
		for after := int64(0); ; {
			rows, err := s.Desk.Outlived(ctx, s.inbox, s.Processed, validity, max(s.DeleteAfter, leastKept), after, tellBatch)
			if err != nil || len(rows) == 0 {
				return err
			}
			if err := s.deleteRows(ctx, rows); err != nil {
				return err
			}
			after = rows[len(rows)-1].ID
		}
	})
	if refused(err) {
		s.Log.Warn("the server does not let us delete mail", "mailbox", s.Name, "folder", s.Processed, "err", err)
		_, err = s.enter(ctx, s.Folder)
	}
	return err
}

// deleteRows deletes mails of the selected folder. One that is not as large as
// the mail that the ledger means is left alone, whatever its number.
func (s *session) deleteRows(ctx context.Context, rows []core.Outlived) error {
	sizes := make(map[uint32]int64, len(rows))
	var asked []uint32
	told := make([]core.Told, len(rows))
	for i, r := range rows {
		sizes[r.UID] = r.Size
		asked = append(asked, r.UID)
		told[i] = core.Told{ID: r.ID, Folder: s.Processed} // it lies nowhere
	}
	heads, err := s.c.heads(ctx, asked)
	if err != nil {
		return err
	}
	var doomed imap.UIDSet
	for _, h := range heads {
		if h.size == sizes[h.uid] {
			doomed.AddNum(imap.UID(h.uid))
		}
	}
	if len(doomed) > 0 {
		if err := s.c.mark(ctx, doomed, imap.FlagDeleted); err != nil {
			return err
		}
		if err := s.c.do(ctx, "UID EXPUNGE", func() error { return s.c.client.UIDExpunge(doomed).Close() }); err != nil {
			return err
		}
		s.Log.Info("deleted from the folder of what is done with", "mailbox", s.Name, "folder", s.Processed, "mails", count(doomed))
	}
	return s.Desk.Told(ctx, s.inbox.ID, told)
}
