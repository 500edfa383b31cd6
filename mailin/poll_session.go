package mailin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"postern/core"
)

// session is one connection to one mailbox.
type session struct {
	*Poller
	boxes
	c *Conn

	validity uint32 // UIDVALIDITY of the inbox
	next     uint32 // the cursor: every UID below is known
	top      uint32 // the highest UID that was ever listed
	real     uint32 // and the highest that is there, or was when we came
	stuck    bool   // a mail that cannot be taken holds the cursor back

	folders    map[string]bool // of ours: those that are there
	comparedAt time.Time
	polledAt   time.Time // told to the desk
	toldAt     time.Time
	tellAfter  time.Time // a server that refuses is not asked at once again
	refusals   int
	full       bool // there is no room on the disk
}

// session connects, catches up, and then waits for mail until something
// breaks. good is called after each good poll.
func (p *Poller) session(ctx context.Context, good func()) error {
	b, held, err := p.lease(ctx) // the database first: without it nothing is fetched (R10)
	if err != nil {
		return err
	} else if !held {
		return core.ErrLeaseLost
	}
	s := &session{Poller: p, boxes: b, folders: map[string]bool{}}
	if p.Line != nil {
		return s.taking(ctx, good)
	}
	if s.c, err = Dial(ctx, p.Server); err != nil {
		return err
	}
	defer s.c.Close()
	if err := s.open(ctx); err != nil {
		return err
	}
	p.note(func(st *Status) { st.Connected, st.Abilities = true, s.c.Abilities() })
	for {
		room, err := s.poll(ctx)
		if err != nil {
			return err
		}
		s.polled(room, good)
		if err := s.rest(ctx); err != nil {
			return err
		}
	}
}

func (s *session) polled(room bool, good func()) {
	s.full = !room
	if room {
		good()
		s.note(func(st *Status) { st.PolledAt, st.Err, st.NotKept, st.Behind = time.Now(), "", false, 0 })
	}
}

// every is the time between polls: without room on the disk it is short, as
// work goes on within a minute of there being some (R65).
func (s *session) every() time.Duration {
	if s.full {
		return min(s.PollEvery, soonAgain)
	}
	return s.PollEvery
}

// open selects the inbox and sees that the other folders are there.
func (s *session) open(ctx context.Context) error {
	for _, name := range []string{s.Processed, s.Quarantine} {
		if name != "" {
			if err := s.need(ctx, name); err != nil {
				return err
			}
		}
	}
	data, err := s.enter(ctx, s.Folder)
	if err != nil {
		return err
	}
	s.validity, s.next = data.UIDValidity, s.inbox.NextUID
	if s.inbox.UIDValidity == s.validity && data.UIDNext != 0 && uint32(data.UIDNext) < s.next && !s.wentBack {
		s.wentBack = true
		// a restored backup, say: what it numbers now, it may have numbered before
		s.Log.Error("the server has gone back in its numbers without a new UIDVALIDITY: mail whose number was given before is not seen as new",
			"mailbox", s.Name, "folder", s.Folder, "uidvalidity", s.validity, "uidnext", data.UIDNext, "known", s.next)
	}
	if s.inbox.UIDValidity != s.validity {
		if s.inbox.UIDValidity != 0 {
			s.Log.Warn("the server numbers its mail anew", "mailbox", s.Name,
				"was", s.inbox.UIDValidity, "uidvalidity", s.validity)
		}
		s.next, s.comparedAt = 1, time.Time{} // R8: everything is compared
	}
	// What is there now and is not listed later was left out for its date.
	s.top = max(s.next, uint32(data.UIDNext)) - 1
	s.real = s.top
	return nil
}

// need makes a folder that is missing. Where that is refused the mail stays
// where it is.
func (s *session) need(ctx context.Context, name string) error {
	_, err := s.c.Folder(ctx, name)
	if busy(err) > 0 {
		return err // it says nothing of the folder
	}
	if refused(err) {
		err = s.c.do(ctx, "CREATE "+name, func() error { return s.c.client.Create(name, nil).Wait() })
		if err == nil {
			err = s.c.do(ctx, "SUBSCRIBE "+name, func() error { return s.c.client.Subscribe(name).Wait() })
			if refused(err) {
				err = nil // it is there all the same
			}
		} else if refused(err) {
			// another session of the account may have been first
			if _, again := s.c.Folder(ctx, name); !refused(again) {
				err = again
			}
		}
	}
	if refused(err) {
		s.Log.Warn("folder is missing and cannot be made: mail stays where it is", "mailbox", s.Name, "folder", name, "err", err)
		return nil
	}
	s.folders[name] = err == nil
	return err
}

func (s *session) enter(ctx context.Context, folder string) (data *imap.SelectData, err error) {
	err = s.c.do(ctx, "SELECT "+folder, func() (err error) {
		data, err = s.c.client.Select(folder, nil).Wait()
		return err
	})
	if err == nil && data.UIDValidity == 0 {
		err = fmt.Errorf("SELECT %s: the server gives no UIDVALIDITY: mails cannot be told apart (R2)", folder)
	}
	return data, err
}

// poll takes what is new and tells what ended. False: there is no room.
func (s *session) poll(ctx context.Context) (bool, error) {
	take := s.takeNew
	if time.Since(s.comparedAt) > s.compareEvery {
		take = s.compare
	}
	full := s.room()
	if full == nil {
		full = take(ctx)
	}
	if full != nil && !errors.Is(full, errNoRoom) {
		return false, full
	}
	if err := s.tellEnded(ctx); err != nil {
		return false, err
	}
	if full != nil { // filing and sending go on
		s.note(func(st *Status) { st.Err = full.Error() })
		s.Log.Error("nothing is fetched", "mailbox", s.Name, "err", full)
		return false, nil
	}
	if time.Since(s.polledAt) < s.PollEvery/2 {
		return true, nil // news came in between; a commit a minute is enough
	}
	s.polledAt = time.Now()
	return true, s.Desk.Polled(ctx, s.inbox)
}

// rest waits for the next poll: for mail, for rows that ended, or for the
// clock. EXISTS can be missed before IDLE has begun, so the clock decides.
func (s *session) rest(ctx context.Context) error {
	idle, err := s.idle(ctx)
	if err != nil {
		return err
	}
	tick := time.NewTimer(s.every())
	defer tick.Stop()
	var gathered <-chan time.Time // rows that end are told together
	for woken := false; !woken; {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.c.client.Closed():
			return s.c.reason("IDLE", errors.New("the server hung up"))
		case <-s.tell:
			if gathered == nil {
				gathered = time.After(min(300*time.Millisecond, s.PollEvery))
			}
		case <-gathered:
			woken = true
		case <-s.c.news:
			woken = true
		case <-tick.C:
			woken = true
		}
	}
	if gathered != nil {
		s.rowsEnded()
	}
	if idle == nil {
		return nil
	}
	return s.c.do(ctx, "DONE", func() error {
		if err := idle.Close(); err != nil {
			return err
		}
		return idle.Wait()
	})
}

// idle begins IDLE, where the server has it.
func (s *session) idle(ctx context.Context) (*imapclient.IdleCommand, error) {
	if !s.c.caps.Has(imap.CapIdle) {
		return nil, nil
	}
	var idle *imapclient.IdleCommand
	err := s.c.do(ctx, "IDLE", func() (err error) {
		idle, err = s.c.client.Idle()
		return err
	})
	return idle, err
}
