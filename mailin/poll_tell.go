package mailin

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"

	"postern/core"
)

const tellBatch = 200

// tellEnded tells the server what became of its mail: \Seen, and the folder
// (R12, R13). It is a courtesy to people who look: a server that refuses is
// asked again later, and nothing depends on it.
func (s *session) tellEnded(ctx context.Context) error {
	select {
	case <-s.tell:
	default:
	}
	s.toldAt = time.Now()
	if time.Now().Before(s.tellAfter) {
		return nil
	}
	for _, box := range s.all() {
		for more := true; more; {
			rows, err := s.Desk.Ended(ctx, box.ID, 0, tellBatch)
			if err != nil {
				return err
			}
			more = len(rows) == tellBatch
			if len(rows) == 0 {
				break
			}
			told, err := s.tellRows(ctx, rows)
			if len(told) > 0 {
				if err := s.Desk.Told(ctx, box.ID, told); err != nil {
					return err
				}
			}
			if refused(err) {
				s.refusals++
				wait := max(min(cmp.Or(s.shortest, time.Minute)<<min(s.refusals-1, 6), time.Hour), busy(err))
				s.tellAfter = time.Now().Add(wait)
				s.Log.Warn("the server does not let us mark or move mail", "mailbox", s.Name, "err", err, "again", wait)
				return nil
			}
			if err != nil {
				return err
			}
		}
	}
	s.refusals = 0
	return nil
}

// tellRows goes through the folders in which the rows lie.
func (s *session) tellRows(ctx context.Context, rows []core.Ended) ([]core.Told, error) {
	byFolder := map[string][]core.Ended{}
	for _, r := range rows {
		byFolder[r.Folder] = append(byFolder[r.Folder], r)
	}
	var told []core.Told
	for _, folder := range slices.Sorted(maps.Keys(byFolder)) {
		var done []core.Told
		var err error
		if folder == s.Folder {
			done, err = s.tellFolder(ctx, folder, s.validity, byFolder[folder])
		} else {
			done, err = s.tellOther(ctx, folder, byFolder[folder])
		}
		told = append(told, done...)
		if err != nil {
			return told, err
		}
	}
	return told, nil
}

// tellOther is for mail that was moved before: released from Quarantine, say.
func (s *session) tellOther(ctx context.Context, folder string, rows []core.Ended) (told []core.Told, err error) {
	worth := slices.ContainsFunc(rows, func(r core.Ended) bool { return r.UID != 0 })
	if !worth {
		return asBefore(rows), nil
	}
	inside := false
	err = s.within(ctx, folder, func(validity uint32) (err error) {
		inside = true
		told, err = s.tellFolder(ctx, folder, validity, rows)
		return err
	})
	if refused(err) && !inside && busy(err) == 0 { // the folder is gone
		_, err = s.enter(ctx, s.Folder) // a failed SELECT leaves none selected
		return asBefore(rows), err
	}
	return told, err
}

func asBefore(rows []core.Ended) []core.Told {
	told := make([]core.Told, len(rows))
	for i, r := range rows {
		told[i] = core.Told{ID: r.ID, Folder: r.Folder, UIDValidity: r.UIDValidity, UID: r.UID}
	}
	return told
}

// tellFolder marks and moves mail of the selected folder.
func (s *session) tellFolder(ctx context.Context, folder string, validity uint32, rows []core.Ended) ([]core.Told, error) {
	var told []core.Told
	here := map[string][]core.Ended{} // where to -> rows
	for _, r := range rows {
		if r.UIDValidity != validity || r.UID == 0 || r.State == core.Gone {
			told = append(told, asBefore([]core.Ended{r})...)
			continue
		}
		to := s.home(r.State)
		if to == folder {
			to = "" // it is there
		}
		here[to] = append(here[to], r)
	}
	for _, to := range slices.Sorted(maps.Keys(here)) {
		done, err := s.tellSome(ctx, folder, to, here[to])
		told = append(told, done...)
		if err != nil {
			return told, err
		}
	}
	return told, nil
}

// home is the folder for a state; "" where it is.
func (s *session) home(state core.State) string {
	var to string
	switch state {
	case core.Filed, core.Duplicate, core.Refused:
		to = s.Processed
	case core.Held, core.Quarantined:
		to = s.Quarantine
	}
	if !s.folders[to] {
		return ""
	}
	return to
}

// tellSome marks and moves a batch. If the server refuses the batch but not
// each of its mails, the mails that it refuses stay as they are.
func (s *session) tellSome(ctx context.Context, folder, to string, rows []core.Ended) ([]core.Told, error) {
	told, err := s.markAndMove(ctx, to, rows)
	if !refused(err) || busy(err) > 0 || len(rows) == 1 {
		return told, err
	}
	told = nil
	var odd []core.Ended
	for _, r := range rows {
		one, failed := s.markAndMove(ctx, to, []core.Ended{r})
		if failed != nil && (!refused(failed) || busy(failed) > 0) {
			return told, failed
		} else if failed != nil {
			if odd = append(odd, r); len(odd) > 5 && len(told) == 0 {
				return nil, err // it is not the mails
			}
			continue
		}
		told = append(told, one...)
	}
	if len(told) == 0 {
		return nil, err
	}
	for _, r := range odd {
		s.Log.Warn("the server does not let us mark or move this mail: it stays", "mailbox", s.Name, "ledger", r.ID, "folder", folder, "uid", r.UID)
	}
	return append(told, asBefore(odd)...), nil
}

// markAndMove sets \Seen and moves what is still there: somebody may have
// moved or deleted it, which is no error (R13).
func (s *session) markAndMove(ctx context.Context, to string, rows []core.Ended) ([]core.Told, error) {
	uids := make([]uint32, len(rows))
	for i, r := range rows {
		uids[i] = r.UID
	}
	slices.Sort(uids)
	there, err := s.c.search(ctx, &imap.SearchCriteria{UID: []imap.UIDSet{uidSet(uids)}})
	if err != nil || len(there) == 0 {
		if err != nil {
			return nil, err
		}
		return asBefore(rows), nil
	}
	if err := s.c.mark(ctx, there, imap.FlagSeen); err != nil {
		return nil, err
	}
	told := asBefore(rows)
	if to == "" {
		return told, nil
	}
	moved, err := s.c.move(ctx, there, to)
	if err != nil {
		return nil, err
	}
	for i := range told {
		if !there.Contains(imap.UID(told[i].UID)) || !moved.done {
			continue
		}
		told[i].Folder, told[i].UIDValidity, told[i].UID = to, moved.validity, moved.to[told[i].UID]
	}
	return told, nil
}
