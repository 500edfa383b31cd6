package mailin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"postern/core"
)

// What one mail costs at most (R11, R17).
const (
	windowUIDs  = 500
	batchUIDs   = 50
	batchBytes  = 8 << 20
	mailBytes   = 40 << 20
	headerBytes = 256 << 10
)

// head is what is known of a mail before its bytes.
type head struct {
	uid      uint32
	size     int64
	received time.Time // INTERNALDATE
}

// search lists UIDs in ascending order.
func (c *Conn) search(ctx context.Context, criteria *imap.SearchCriteria) (imap.UIDSet, error) {
	var options *imap.SearchOptions
	if c.caps.Has(imap.CapESearch) {
		options = &imap.SearchOptions{ReturnAll: true} // ranges instead of 100,000 numbers
	}
	var found imap.UIDSet
	err := c.do(ctx, "UID SEARCH", func() error {
		data, err := c.client.UIDSearch(criteria, options).Wait()
		if err == nil {
			found, _ = data.All.(imap.UIDSet)
		}
		return err
	})
	if n := count(found); n > mostListed {
		return nil, fmt.Errorf("the server lists %d mails: that cannot be", n)
	}
	return found, err
}

// mostListed is more than any folder holds. A set of all numbers there are
// would keep us asking for years.
const mostListed = 20_000_000

func count(set imap.UIDSet) (n int64) {
	for _, r := range set {
		if r.Stop >= r.Start {
			n += int64(r.Stop) - int64(r.Start) + 1
		}
	}
	return n
}

// since lists what the server took in from a moment on, and up to two days
// more: SEARCH compares dates in a zone of the server's choice.
func (c *Conn) since(ctx context.Context, t time.Time) (imap.UIDSet, error) {
	if !t.After(time.Unix(0, 0)) {
		return c.from(ctx, 1)
	}
	return c.search(ctx, &imap.SearchCriteria{Since: t.UTC().AddDate(0, 0, -1)})
}

// from lists the UIDs from first on.
func (c *Conn) from(ctx context.Context, first uint32) (imap.UIDSet, error) {
	found, err := c.search(ctx, &imap.SearchCriteria{
		UID: []imap.UIDSet{{imap.UIDRange{Start: imap.UID(first), Stop: 0}}},
	})
	return above(found, first), err
}

// above leaves out what is below first: n:* gives the last mail even if its
// UID is lower.
func above(set imap.UIDSet, first uint32) imap.UIDSet {
	var kept imap.UIDSet
	for _, r := range set {
		if uint32(r.Stop) >= first {
			kept = append(kept, imap.UIDRange{Start: max(r.Start, imap.UID(first)), Stop: r.Stop})
		}
	}
	return kept
}

// windows cuts a set into lists of at most n UIDs without ever holding all.
func windows(set imap.UIDSet, n int) func(yield func([]uint32) bool) {
	return func(yield func([]uint32) bool) {
		window := make([]uint32, 0, n)
		for _, r := range set {
			// 64 bits: a range may end at the highest UID
			for uid := uint64(r.Start); uid <= uint64(r.Stop); uid++ {
				if window = append(window, uint32(uid)); len(window) == n {
					if !yield(window) {
						return
					}
					window = make([]uint32, 0, n)
				}
			}
		}
		if len(window) > 0 {
			yield(window)
		}
	}
}

func uidSet(uids []uint32) imap.UIDSet {
	var set imap.UIDSet
	for _, uid := range uids {
		set.AddNum(imap.UID(uid))
	}
	return set
}

// heads asks for sizes and dates (R11). UIDs that are gone are not in the
// answer; those that are not are asked for once more, as an answer that lacks
// some is what a server in trouble gives.
func (c *Conn) heads(ctx context.Context, uids []uint32) ([]head, error) {
	heads, err := c.headsOnce(ctx, uids)
	if err != nil || len(heads) >= len(uids) {
		return heads, err
	}
	missing := slices.DeleteFunc(slices.Clone(uids), func(uid uint32) bool {
		_, found := slices.BinarySearchFunc(heads, uid, func(h head, uid uint32) int { return cmp.Compare(h.uid, uid) })
		return found
	})
	more, err := c.headsOnce(ctx, missing)
	heads = append(heads, more...)
	slices.SortFunc(heads, byUID)
	return heads, err
}

func byUID(a, b head) int { return cmp.Compare(a.uid, b.uid) }

func (c *Conn) headsOnce(ctx context.Context, uids []uint32) ([]head, error) {
	asked := uidSet(uids)
	var heads []head
	err := c.do(ctx, "UID FETCH sizes", func() error {
		cmd := c.client.Fetch(asked, &imap.FetchOptions{UID: true, RFC822Size: true, InternalDate: true})
		for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
			var h head
			var told bool
			for item := msg.Next(); item != nil; item = msg.Next() {
				switch item := item.(type) {
				case imapclient.FetchItemDataUID:
					h.uid = uint32(item.UID)
				case imapclient.FetchItemDataRFC822Size:
					h.size, told = item.Size, true
				case imapclient.FetchItemDataInternalDate:
					h.received, told = item.Time, true
				}
			}
			if h.received.IsZero() {
				h.received = time.Now() // the server keeps none
			}
			// else flags that somebody changed, or nothing that we asked for
			if told && asked.Contains(imap.UID(h.uid)) {
				heads = append(heads, h)
			}
		}
		return cmd.Close()
	})
	// the order of answers is free, and one may come twice
	slices.SortFunc(heads, byUID)
	return slices.CompactFunc(heads, func(a, b head) bool { return a.uid == b.uid }), err
}

// fetched is one mail as it came: no raw bytes, no mail (R9).
type fetched struct {
	head
	headerOnly bool
	raw        *spool
}

func (f fetched) incoming(validity uint32) core.Incoming {
	in := core.Incoming{
		UIDValidity: validity, UID: f.uid, Received: f.received, Size: f.size,
		HeaderOnly: f.headerOnly, Gone: f.raw == nil,
	}
	if f.raw != nil {
		in.Raw = f.raw.reader()
	}
	return in
}

func drop(batch []fetched) {
	for _, f := range batch {
		f.raw.Close()
	}
}

// bodies fetches the bytes of a batch, without setting \Seen. Whatever it
// returns beside an error is to be dropped: a cut mail reads as a whole one.
func (c *Conn) bodies(ctx context.Context, folder string, batch []head, most int64) ([]fetched, error) {
	whole := &imap.FetchItemBodySection{Peek: true}
	headers := &imap.FetchItemBodySection{
		Peek: true, Specifier: imap.PartSpecifierHeader,
		Partial: &imap.SectionPartial{Size: headerBytes},
	}
	if len(batch) == 1 && batch[0].size > most {
		large, err := c.reaches(ctx, batch[0].uid, most)
		if err != nil {
			return nil, err
		}
		if large {
			return c.sections(ctx, folder, batch, headers, most)
		}
	}
	return c.sections(ctx, folder, batch, whole, most)
}

// reaches asks for the one octet behind the most that we take of a mail: some
// servers guess RFC822.SIZE, and a guess must not cost a mail its text.
func (c *Conn) reaches(ctx context.Context, uid uint32, most int64) (bool, error) {
	beyond := &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Offset: most, Size: 1}}
	found, empty := false, false
	err := c.do(ctx, "UID FETCH", func() error {
		cmd := c.client.Fetch(uidSet([]uint32{uid}), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{beyond}})
		for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
			for item := msg.Next(); item != nil; item = msg.Next() {
				if body, is := item.(imapclient.FetchItemDataBodySection); is && body.Literal != nil {
					found, empty = found || body.Literal.Size() > 0, body.Literal.Size() == 0
				}
			}
		}
		return cmd.Close()
	})
	if refused(err) && busy(err) == 0 {
		return true, nil // it cannot be asked: its word on the size holds
	}
	return found || !empty, err
}

func (c *Conn) sections(ctx context.Context, folder string, batch []head, section *imap.FetchItemBodySection, most int64) ([]fetched, error) {
	asked := make(map[uint32]*fetched, len(batch))
	got := make([]fetched, len(batch)) // in UID order, as asked
	uids := make([]uint32, len(batch))
	var bytes int64
	for i, h := range batch {
		got[i] = fetched{head: h, headerOnly: section.Partial != nil}
		asked[h.uid], uids[i] = &got[i], h.uid
		bytes += min(h.size, most)
	}
	limit := c.pace.command + time.Duration(bytes/slowest)*time.Second
	// and once more, in case that a size was told too small
	err := c.doWithin(ctx, limit, bytes+most, "UID FETCH", func() error {
		cmd := c.client.Fetch(uidSet(uids), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
		for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
			if err := c.message(folder, msg, asked, most); err != nil {
				return err // not even Close: the library reads on in another goroutine
			}
		}
		return cmd.Close()
	})
	if err != nil {
		drop(got)
		return nil, err
	}
	return got, nil
}

// message takes one answer to a FETCH.
func (c *Conn) message(folder string, msg *imapclient.FetchMessageData, asked map[uint32]*fetched, most int64) error {
	var mail *fetched
	for item := msg.Next(); item != nil; item = msg.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			mail = asked[uint32(item.UID)]
		case imapclient.FetchItemDataBodySection:
			if item.Literal == nil || mail == nil || mail.raw != nil {
				continue // NIL, or nothing we asked for: the library discards it
			}
			if err := c.literal(folder, mail, item.Literal, most); err != nil {
				return err
			}
		}
	}
	return nil
}

// literal spools the bytes of one mail. After an error nobody may touch the
// literal again: the library's reader has its buffer back.
func (c *Conn) literal(folder string, mail *fetched, literal imap.LiteralReader, most int64) (err error) {
	in := &watched{r: literal}
	announced := literal.Size()
	if !mail.headerOnly && announced > most { // RFC822.SIZE said less
		mail.headerOnly, mail.size = true, announced
	}
	var raw *spool
	if mail.headerOnly {
		raw, err = spoolHeader(in)
	} else if raw, err = newSpool(folder, announced); err == nil {
		err = raw.fill(folder, in)
	}
	if err == nil && in.read != announced {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		raw.Close()
		c.guard.fail(fmt.Errorf("mail %d: %w", mail.uid, err))
		if !in.ended { // our own trouble: let the library's reader go
			io.Copy(io.Discard, in)
		}
		return err
	}
	if raw.size == 0 && mail.size > 0 {
		raw.Close()
		return nil // no bytes for a mail that has some (R9)
	}
	if !mail.headerOnly {
		mail.size = announced // RFC822.SIZE may have been a guess
	}
	mail.raw = raw
	return nil
}

// spoolHeader keeps the header block and lets the rest go by.
func spoolHeader(in *watched) (*spool, error) {
	raw, err := newSpool("", headerBytes)
	if err == nil {
		err = raw.fill("", io.LimitReader(in, headerBytes))
	}
	if err == nil && !in.ended {
		_, err = io.Copy(io.Discard, in)
	}
	if err == nil {
		raw.cut(endOfHeader(raw.memory))
	}
	return raw, err
}

// watched knows whether a reader has come to its end.
type watched struct {
	r     io.Reader
	read  int64
	ended bool
}

func (w *watched) Read(p []byte) (int, error) {
	if w.ended {
		return 0, io.EOF
	}
	n, err := w.r.Read(p)
	w.read += int64(n)
	w.ended = err != nil
	return n, err
}

var errUIDValidity = errors.New("UIDVALIDITY changed")
