package mailin

import (
	"context"

	"github.com/emersion/go-imap/v2"
)

// mark adds a flag.
func (c *Conn) mark(ctx context.Context, uids imap.UIDSet, flag imap.Flag) error {
	return c.do(ctx, "UID STORE", func() error {
		add := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{flag}}
		return c.client.Store(uids, add, nil).Close()
	})
}

// moved says where mails are after a move. Without COPYUID nobody knows, and
// to is empty.
type moved struct {
	done     bool
	validity uint32
	to       map[uint32]uint32
}

// move moves mails, or leaves them where that is not safe (R12). The library's
// own fallback expunges without waiting for the copy, and other people's
// deletions with it.
func (c *Conn) move(ctx context.Context, uids imap.UIDSet, folder string) (m moved, err error) {
	if c.caps.Has(imap.CapMove) {
		err = c.do(ctx, "UID MOVE", func() error {
			data, err := c.client.Move(uids, folder).Wait()
			if err == nil {
				m = movedTo(data.UIDValidity, data.SourceUIDs, data.DestUIDs)
			}
			return err
		})
		return m, err
	}
	if !c.caps.Has(imap.CapUIDPlus) {
		return moved{}, nil
	}
	err = c.do(ctx, "UID COPY", func() error {
		data, err := c.client.Copy(uids, folder).Wait()
		if err == nil {
			m = movedTo(data.UIDValidity, data.SourceUIDs, data.DestUIDs)
		}
		return err
	})
	if err != nil {
		return moved{}, err
	}
	if err := c.mark(ctx, uids, imap.FlagDeleted); err != nil {
		return moved{}, err
	}
	return m, c.do(ctx, "UID EXPUNGE", func() error { return c.client.UIDExpunge(uids).Close() })
}

// movedTo pairs the sets of COPYUID (RFC 4315 section 3).
func movedTo(validity uint32, from, to imap.NumSet) moved {
	m := moved{done: true, to: map[uint32]uint32{}}
	was, _ := from.(imap.UIDSet)
	now, _ := to.(imap.UIDSet)
	old, ok1 := was.Nums()
	uids, ok2 := now.Nums()
	if !ok1 || !ok2 || len(old) != len(uids) {
		return m
	}
	m.validity = validity
	for i, uid := range old {
		m.to[uint32(uid)] = uint32(uids[i])
	}
	return m
}
