package demo

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-message/textproto"
)

// newIMAPServer serves the post. Only what is named here is offered: LIST-STATUS
// and IMAP4rev2 are not, since they would show the memory server's own
// UIDVALIDITY, which starts at 1 in each process.
func newIMAPServer(p *post, log *slog.Logger) *imapserver.Server {
	return imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &session{post: p}, nil, nil
		},
		Caps: imap.CapSet{
			imap.CapIMAP4rev1: {}, imap.CapIdle: {}, imap.CapMove: {}, imap.CapUIDPlus: {},
			imap.CapNamespace: {}, imap.CapESearch: {}, imap.CapStatusSize: {}, imap.CapLiteralPlus: {},
		},
		InsecureAuth: true, // loopback
		Logger:       slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	})
}

// session is one IMAP connection. The memory server searches, counts and tells
// the news; what changes mail is done here too, so that the files follow, and
// bytes come from the files as they are: the memory server parses a mail before
// it hands it out, and gives nothing at all for a broken header.
type session struct {
	*imapmemserver.UserSession // nil before Login

	post     *post
	account  *account
	mailbox  string // the selected one
	readOnly bool
}

var _ imapserver.SessionMove = (*session)(nil)

var errReadOnly = &imap.Error{Type: imap.StatusResponseTypeNo, Text: "The mailbox is open for reading only"}

func (s *session) Login(user, password string) error {
	a := s.post.accounts[strings.ToLower(strings.TrimSpace(user))]
	if a == nil {
		return imapserver.ErrAuthFailed
	}
	if err := a.user.Login(strings.ToLower(strings.TrimSpace(user)), password); err != nil {
		return err
	}
	s.account, s.UserSession = a, imapmemserver.NewUserSession(a.user)
	return nil
}

func (s *session) Select(mailbox string, o *imap.SelectOptions) (*imap.SelectData, error) {
	data, err := s.UserSession.Select(mailbox, o)
	if err != nil {
		return nil, err
	}
	data.UIDValidity = s.post.uidValidity
	s.mailbox, s.readOnly = mailbox, o != nil && o.ReadOnly
	return data, nil
}

func (s *session) Status(mailbox string, o *imap.StatusOptions) (*imap.StatusData, error) {
	data, err := s.UserSession.Status(mailbox, o)
	if err == nil && o.UIDValidity {
		data.UIDValidity = s.post.uidValidity
	}
	return data, err
}

func (s *session) List(w *imapserver.ListWriter, ref string, patterns []string, o *imap.ListOptions) error {
	plain := *o
	plain.ReturnStatus = nil // see newIMAPServer
	return s.UserSession.List(w, ref, patterns, &plain)
}

// Idle tells first what happened before it: the memory server does not.
func (s *session) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	if err := s.Poll(w, true); err != nil {
		return err
	}
	return s.UserSession.Idle(w, stop)
}

func (s *session) Append(mailbox string, r imap.LiteralReader, o *imap.AppendOptions) (*imap.AppendData, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	arrived := o.Time
	if arrived.IsZero() {
		arrived = time.Now()
	}
	uid, err := s.account.add(mailbox, raw, o.Flags, arrived)
	if err != nil {
		return nil, err
	}
	return &imap.AppendData{UID: uid, UIDValidity: s.post.uidValidity}, nil
}

// chosen are the mails that a set means now, by UID and by the number under
// which this connection knows them, in the order of the mailbox.
func (s *session) chosen(set imap.NumSet) (uids []imap.UID, seqs []uint32, err error) {
	criteria := func() *imap.SearchCriteria { // Search writes into it
		switch set := set.(type) {
		case imap.UIDSet:
			return &imap.SearchCriteria{UID: []imap.UIDSet{slices.Clone(set)}}
		case imap.SeqSet:
			return &imap.SearchCriteria{SeqNum: []imap.SeqSet{slices.Clone(set)}}
		}
		return &imap.SearchCriteria{}
	}
	bySeq, err := s.Search(imapserver.NumKindSeq, criteria(), &imap.SearchOptions{})
	if err != nil {
		return nil, nil, err
	}
	byUID, err := s.Search(imapserver.NumKindUID, criteria(), &imap.SearchOptions{})
	if err != nil {
		return nil, nil, err
	}
	if found, ok := bySeq.All.(imap.SeqSet); ok {
		seqs, _ = found.Nums()
	}
	if found, ok := byUID.All.(imap.UIDSet); ok {
		uids, _ = found.Nums()
	}
	if len(uids) > len(seqs) {
		uids = uids[:len(seqs)] // the newest ones this connection has not been told of
	}
	return uids, seqs[:len(uids)], nil
}

func (s *session) Fetch(w *imapserver.FetchWriter, set imap.NumSet, o *imap.FetchOptions) error {
	uids, seqs, err := s.chosen(set)
	if err != nil {
		return err
	}
	reads := slices.ContainsFunc(o.BodySection, func(b *imap.FetchItemBodySection) bool { return !b.Peek }) ||
		slices.ContainsFunc(o.BinarySection, func(b *imap.FetchItemBinarySection) bool { return !b.Peek })
	if reads && !s.readOnly && len(uids) > 0 {
		seen := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagSeen}}
		if err := s.Store(nil, imap.UIDSetNum(uids...), seen, nil); err != nil {
			return err
		}
		asked := *o
		asked.Flags = true
		o = &asked
	}
	for i, uid := range uids {
		f, raw, err := s.account.mail(s.mailbox, uid)
		if err != nil {
			continue // gone since the search
		}
		if err := write(w.CreateMessage(seqs[i]), uid, f, raw, o); err != nil {
			return err
		}
	}
	return nil
}

// write answers a FETCH for one mail.
func write(w *imapserver.FetchResponseWriter, uid imap.UID, f file, raw []byte, o *imap.FetchOptions) error {
	w.WriteUID(uid)
	if o.Flags {
		w.WriteFlags(f.flags)
	}
	if o.InternalDate {
		w.WriteInternalDate(f.arrived)
	}
	if o.RFC822Size {
		w.WriteRFC822Size(int64(len(raw)))
	}
	if o.Envelope {
		header, _ := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(raw))) // what could be read
		w.WriteEnvelope(imapserver.ExtractEnvelope(header))
	}
	if o.BodyStructure != nil {
		w.WriteBodyStructure(imapserver.ExtractBodyStructure(bytes.NewReader(raw)))
	}
	for _, section := range o.BodySection {
		part := bodySection(raw, section)
		if err := literal(w.WriteBodySection(section, int64(len(part))), part); err != nil {
			return err
		}
	}
	for _, section := range o.BinarySection {
		part := imapserver.ExtractBinarySection(bytes.NewReader(raw), section)
		if err := literal(w.WriteBinarySection(section, int64(len(part))), part); err != nil {
			return err
		}
	}
	for _, section := range o.BinarySectionSize {
		w.WriteBinarySectionSize(section, imapserver.ExtractBinarySectionSize(bytes.NewReader(raw), section))
	}
	return w.Close()
}

func literal(w io.WriteCloser, part []byte) error {
	if _, err := w.Write(part); err != nil {
		return err
	}
	return w.Close()
}

// bodySection cuts what was asked for out of a mail; the whole mail is given
// byte for byte.
func bodySection(raw []byte, section *imap.FetchItemBodySection) []byte {
	if len(section.Part) > 0 || section.Specifier != imap.PartSpecifierNone {
		return imapserver.ExtractBodySection(bytes.NewReader(raw), section)
	}
	if section.Partial == nil {
		return raw
	}
	from := min(max(section.Partial.Offset, 0), int64(len(raw)))
	to := min(from+max(section.Partial.Size, 0), int64(len(raw)))
	return raw[from:to]
}

func (s *session) Store(w *imapserver.FetchWriter, set imap.NumSet, flags *imap.StoreFlags, o *imap.StoreOptions) error {
	if s.readOnly {
		return errReadOnly
	}
	uids, _, err := s.chosen(set)
	if err != nil || len(uids) == 0 {
		return err
	}
	if err := s.store(uids, flags); err != nil {
		return err
	}
	if flags.Silent {
		return nil
	}
	return s.Fetch(w, set, &imap.FetchOptions{Flags: true, UID: true})
}

func (s *session) store(uids []imap.UID, flags *imap.StoreFlags) error {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	b := s.account.boxes[s.mailbox]
	if b == nil {
		return errNoMailbox
	}
	silent := *flags
	silent.Silent = true
	if err := s.UserSession.Store(nil, imap.UIDSetNum(uids...), &silent, nil); err != nil {
		return err
	}
	return b.flag(uids, flags.Op, flags.Flags)
}

func (s *session) Expunge(w *imapserver.ExpungeWriter, only *imap.UIDSet) error {
	if s.readOnly {
		return nil // CLOSE comes here too, and must not fail, RFC 9051 §6.4.1
	}
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	return s.expunge(only)
}

// expunge removes what is marked as deleted; the connection hears of it by its
// next poll. Callers hold the account's mu.
func (s *session) expunge(only *imap.UIDSet) error {
	b := s.account.boxes[s.mailbox]
	if b == nil {
		return errNoMailbox
	}
	var gone []imap.UID
	for uid, f := range b.mails {
		if f.has(imap.FlagDeleted) && (only == nil || only.Contains(uid)) {
			gone = append(gone, uid)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	set := imap.UIDSetNum(gone...)
	if err := s.UserSession.Expunge(nil, &set); err != nil {
		return err
	}
	return b.drop(gone)
}

func (s *session) Copy(set imap.NumSet, mailbox string) (*imap.CopyData, error) {
	uids, _, err := s.chosen(set)
	if err != nil {
		return nil, err
	}
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	return s.copy(uids, mailbox)
}

// copy is nil data if nothing was there to copy: the library's encoder breaks
// on an empty set. Callers hold the account's mu.
func (s *session) copy(uids []imap.UID, mailbox string) (*imap.CopyData, error) {
	from, to := s.account.boxes[s.mailbox], s.account.boxes[mailbox]
	if from == nil || to == nil {
		return nil, errNoMailbox
	}
	uids = slices.DeleteFunc(uids, func(uid imap.UID) bool { _, here := from.mails[uid]; return !here })
	if len(uids) == 0 {
		return nil, nil
	}
	data, err := s.UserSession.Copy(imap.UIDSetNum(uids...), mailbox)
	if err != nil {
		return nil, err
	}
	data.UIDValidity = s.post.uidValidity
	dests, _ := data.DestUIDs.Nums()
	return data, s.account.copied(from, to, uids, dests)
}

func (s *session) Move(w *imapserver.MoveWriter, set imap.NumSet, mailbox string) error {
	if s.readOnly {
		return errReadOnly
	}
	uids, _, err := s.chosen(set)
	if err != nil {
		return err
	}
	data, err := s.move(uids, mailbox)
	if err != nil || data == nil {
		return err
	}
	return w.WriteCopyData(data)
}

func (s *session) move(uids []imap.UID, mailbox string) (*imap.CopyData, error) {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	data, err := s.copy(uids, mailbox)
	if err != nil || data == nil {
		return nil, err
	}
	deleted := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagDeleted}}
	if err := s.UserSession.Store(nil, data.SourceUIDs, deleted, nil); err != nil {
		return nil, err
	}
	moved, _ := data.SourceUIDs.Nums()
	if err := s.account.boxes[s.mailbox].flag(moved, deleted.Op, deleted.Flags); err != nil {
		return nil, err
	}
	return data, s.expunge(&data.SourceUIDs)
}

func (s *session) Create(mailbox string, o *imap.CreateOptions) error {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	mailbox = strings.TrimRight(mailbox, "/")
	dir := filepath.Join(s.account.dir, mailboxFolder(mailbox))
	if err := s.UserSession.Create(mailbox, o); err != nil {
		return err
	}
	s.account.boxes[mailbox] = &box{dir: dir, mails: make(map[imap.UID]file)}
	return os.MkdirAll(dir, 0o700)
}

func (s *session) Delete(mailbox string) error {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	b := s.account.boxes[mailbox]
	if b == nil {
		return errNoMailbox
	}
	if mailbox == inbox {
		return &imap.Error{Type: imap.StatusResponseTypeNo, Text: "INBOX cannot be removed"}
	}
	if err := s.UserSession.Delete(mailbox); err != nil {
		return err
	}
	delete(s.account.boxes, mailbox)
	return os.RemoveAll(b.dir)
}

func (s *session) Rename(from, to string, o *imap.RenameOptions) error {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	to = strings.TrimRight(to, "/")
	b := s.account.boxes[from]
	if b == nil {
		return errNoMailbox
	}
	if from == inbox {
		return &imap.Error{Type: imap.StatusResponseTypeNo, Text: "INBOX cannot be renamed"}
	}
	if err := s.UserSession.Rename(from, to, o); err != nil {
		return err
	}
	dir := filepath.Join(s.account.dir, mailboxFolder(to))
	if err := os.Rename(b.dir, dir); err != nil {
		return err
	}
	b.dir = dir
	delete(s.account.boxes, from)
	s.account.boxes[to] = b
	return nil
}
