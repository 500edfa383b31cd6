package demo

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// post holds every account's mail: one file a mail below dir, and beside it an
// imapmemserver user who answers searches and news. The files are the truth;
// the memory is filled from them at each start.
//
//	mail/anna@northwind.example/INBOX/00000012_20251122T021500Z_1834_S.eml
type post struct {
	uidValidity uint32 // of this start, higher than that of every start before
	accounts    map[string]*account
}

// account is one person's mail. mu orders what changes it; the memory server
// has locks of its own below.
type account struct {
	dir  string
	user *imapmemserver.User

	mu    sync.Mutex
	boxes map[string]*box
}

type box struct {
	dir   string
	last  int // the highest number a file of this mailbox ever had
	mails map[imap.UID]file
}

// file is what the name of a mail's file says.
type file struct {
	number  int // order of arrival
	arrived time.Time
	size    int // tells a cut file from a whole one
	flags   []imap.Flag
}

var errNoMailbox = &imap.Error{
	Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeTryCreate, Text: "No such mailbox",
}

// inbox cannot be removed or renamed, RFC 9051 §6.3.4.
const inbox = "INBOX"

// foldersOf are there from the first start, as at any provider.
func foldersOf(p Person) []string {
	if p.Role == Service {
		return []string{inbox, "Processed", "Quarantine", "Junk"}
	}
	return []string{inbox, "Sent", "Drafts", "Trash"}
}

func openPost(dir string, log *slog.Logger) (*post, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the folder %s cannot be made (%w): make its parent writable", dir, err)
	}
	p := &post{accounts: make(map[string]*account)}
	var err error
	if p.uidValidity, err = nextUIDValidity(filepath.Join(dir, "uidvalidity"), time.Now()); err != nil {
		return nil, fmt.Errorf("the folder %s cannot be written (%w): make it writable", dir, err)
	}
	for _, person := range cast {
		a := &account{
			dir:   filepath.Join(dir, person.Address),
			user:  imapmemserver.NewUser(person.Address, person.Password),
			boxes: make(map[string]*box),
		}
		for _, folder := range foldersOf(person) {
			if err := os.MkdirAll(filepath.Join(a.dir, folder), 0o700); err != nil {
				return nil, fmt.Errorf("the folder %s cannot be made (%w): make its parent writable", a.dir, err)
			}
		}
		if err := a.load(log); err != nil {
			return nil, fmt.Errorf("the mail of %s cannot be read: %w", person.Address, err)
		}
		p.accounts[person.Address] = a
	}
	return p, nil
}

// nextUIDValidity is the time in seconds, but never one that was given before:
// the mails are numbered anew at each start, and a client that kept the old
// numbers must see that they are void.
func nextUIDValidity(path string, now time.Time) (uint32, error) {
	next := uint64(now.Unix())
	if text, err := os.ReadFile(path); err == nil {
		if last, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32); err == nil {
			next = max(next, last+1)
		}
	}
	return uint32(next), writeFile(path, []byte(strconv.FormatUint(next, 10)+"\n"))
}

// account finds the mailbox behind an address, with or without a plus tag; nil
// if nobody has it.
func (p *post) account(address string) *account { return p.accounts[base(address)] }

// load takes every mail of the account's folders into memory, in the order in
// which they arrived.
func (a *account) load(log *slog.Logger) error {
	folders, err := os.ReadDir(a.dir)
	if err != nil {
		return err
	}
	for _, folder := range folders {
		name, err := folderMailbox(folder.Name())
		if err != nil || !folder.IsDir() {
			log.Warn("passed over: not a mailbox", "file", filepath.Join(a.dir, folder.Name()))
			continue
		}
		if err := a.user.Create(name, nil); err != nil {
			return err
		}
		b := &box{dir: filepath.Join(a.dir, folder.Name()), mails: make(map[imap.UID]file)}
		a.boxes[name] = b
		if err := a.fill(name, b, log); err != nil {
			return err
		}
	}
	return nil
}

func (a *account) fill(name string, b *box, log *slog.Logger) error {
	entries, err := os.ReadDir(b.dir)
	if err != nil {
		return err
	}
	var files []file
	for _, e := range entries {
		f, ok := parseFileName(e.Name())
		if !ok || e.IsDir() {
			log.Warn("passed over: not a mail of the demo", "file", filepath.Join(b.dir, e.Name()))
			continue
		}
		files = append(files, f)
	}
	slices.SortFunc(files, func(x, y file) int { return x.number - y.number })
	for _, f := range files {
		b.last = max(b.last, f.number)
		path := filepath.Join(b.dir, f.name())
		raw, err := os.ReadFile(path)
		if err == nil && len(raw) != f.size {
			err = fmt.Errorf("%d of %d bytes are there", len(raw), f.size)
		}
		if err != nil {
			log.Warn("passed over: not a whole mail", "file", path, "err", err)
			continue
		}
		if err := a.remember(name, b, raw, f); err != nil {
			return err
		}
	}
	return nil
}

// remember appends a mail that has its file to the memory of IMAP.
func (a *account) remember(name string, b *box, raw []byte, f file) error {
	data, err := a.user.Append(name, bytes.NewReader(raw), &imap.AppendOptions{Flags: f.flags, Time: f.arrived})
	if err != nil {
		return err
	}
	b.mails[data.UID] = f
	return nil
}

// add keeps one more mail: on the disk first, then in memory.
func (a *account) add(mailbox string, raw []byte, flags []imap.Flag, arrived time.Time) (imap.UID, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.boxes[mailbox]
	if b == nil {
		return 0, errNoMailbox
	}
	b.last++
	f := file{number: b.last, arrived: arrived.UTC().Truncate(time.Second), size: len(raw)}
	f.change(imap.StoreFlagsSet, flags)
	if err := writeFile(filepath.Join(b.dir, f.name()), raw); err != nil {
		return 0, err
	}
	data, err := a.user.Append(mailbox, bytes.NewReader(raw), &imap.AppendOptions{Flags: f.flags, Time: f.arrived})
	if err != nil {
		return 0, errors.Join(err, os.Remove(filepath.Join(b.dir, f.name())))
	}
	b.mails[data.UID] = f
	return data.UID, nil
}

// copied keeps the files of mails that the memory server has just copied.
// Callers hold mu.
func (a *account) copied(from, to *box, sources, dests []imap.UID) error {
	for i, uid := range sources {
		f := from.mails[uid]
		raw, err := os.ReadFile(filepath.Join(from.dir, f.name()))
		if err != nil {
			return err
		}
		to.last++
		f.number = to.last
		if err := writeFile(filepath.Join(to.dir, f.name()), raw); err != nil {
			return err
		}
		to.mails[dests[i]] = f
	}
	return nil
}

// flag changes the flags of mails, as the memory server has just done. Callers
// hold mu.
func (b *box) flag(uids []imap.UID, op imap.StoreFlagsOp, flags []imap.Flag) error {
	var errs []error
	for _, uid := range uids {
		f, ok := b.mails[uid]
		if !ok {
			continue
		}
		before := f.name()
		f.change(op, flags)
		if f.name() != before {
			errs = append(errs, os.Rename(filepath.Join(b.dir, before), filepath.Join(b.dir, f.name())))
		}
		b.mails[uid] = f
	}
	return errors.Join(errs...)
}

// drop removes mails that the memory server has just expunged. Callers hold mu.
func (b *box) drop(uids []imap.UID) error {
	var errs []error
	for _, uid := range uids {
		errs = append(errs, os.Remove(filepath.Join(b.dir, b.mails[uid].name())))
		delete(b.mails, uid)
	}
	return errors.Join(errs...)
}

// mail is one mail as it is now: its facts and its bytes.
func (a *account) mail(mailbox string, uid imap.UID) (file, []byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.boxes[mailbox]
	if b == nil {
		return file{}, nil, errNoMailbox
	}
	f, ok := b.mails[uid]
	if !ok {
		return file{}, nil, os.ErrNotExist
	}
	raw, err := os.ReadFile(filepath.Join(b.dir, f.name()))
	return f, raw, err
}

// change sets, adds or removes flags. The memory server keeps them in lower
// case, sorted here so that equal flags make equal names.
func (f *file) change(op imap.StoreFlagsOp, flags []imap.Flag) {
	kept := slices.Clone(f.flags)
	if op == imap.StoreFlagsSet {
		kept = nil
	}
	for _, flag := range flags {
		flag = imap.Flag(strings.ToLower(string(flag)))
		kept = slices.DeleteFunc(kept, func(k imap.Flag) bool { return k == flag })
		if op != imap.StoreFlagsDel {
			kept = append(kept, flag)
		}
	}
	slices.Sort(kept)
	f.flags = kept
}

func (f file) has(flag imap.Flag) bool {
	return slices.Contains(f.flags, imap.Flag(strings.ToLower(string(flag))))
}

const (
	arrivalLayout = "20060102T150405Z"

	// longestName leaves room below the 255 bytes of most file systems; what
	// keywords a client sets beyond it are lost at the next start.
	longestName = 200
)

// systemFlags have a letter each in file names; keywords follow, each after a
// plus sign.
var systemFlags = []struct {
	letter string
	flag   imap.Flag
}{
	{"A", `\answered`}, {"D", `\draft`}, {"F", `\flagged`}, {"S", `\seen`}, {"T", `\deleted`},
}

func (f file) name() string {
	flags := ""
	for _, s := range systemFlags {
		if f.has(s.flag) {
			flags += s.letter
		}
	}
	for _, flag := range f.flags {
		word := "+" + url.QueryEscape(string(flag))
		if !strings.HasPrefix(string(flag), `\`) && len(flags)+len(word) < longestName-60 {
			flags += word
		}
	}
	return fmt.Sprintf("%08d_%s_%d_%s.eml", f.number, f.arrived.Format(arrivalLayout), f.size, flags)
}

func parseFileName(name string) (file, bool) {
	stem, isMail := strings.CutSuffix(name, ".eml")
	parts := strings.SplitN(stem, "_", 4)
	if !isMail || len(parts) != 4 {
		return file{}, false
	}
	number, err1 := strconv.Atoi(parts[0])
	arrived, err2 := time.Parse(arrivalLayout, parts[1])
	size, err3 := strconv.Atoi(parts[2])
	if errors.Join(err1, err2, err3) != nil {
		return file{}, false
	}
	f := file{number: number, arrived: arrived, size: size}
	letters, keywords, hasKeywords := strings.Cut(parts[3], "+")
	for _, s := range systemFlags {
		if strings.Contains(letters, s.letter) {
			f.flags = append(f.flags, s.flag)
		}
	}
	if hasKeywords {
		for word := range strings.SplitSeq(keywords, "+") {
			flag, err := url.QueryUnescape(word)
			if err != nil {
				return file{}, false
			}
			f.flags = append(f.flags, imap.Flag(flag))
		}
	}
	slices.Sort(f.flags)
	return f, f.name() == name // any other spelling is not ours
}

// mailboxFolder is the folder of a mailbox: its name, escaped so that no name
// leaves the account's folder.
func mailboxFolder(mailbox string) string {
	return strings.ReplaceAll(url.PathEscape(mailbox), ".", "%2E")
}

func folderMailbox(folder string) (string, error) {
	mailbox, err := url.PathUnescape(folder)
	if err == nil && mailboxFolder(mailbox) != folder {
		err = errors.New("not the name of a mailbox")
	}
	return mailbox, err
}

// writeFile writes a whole file or none: under another name first.
func writeFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "half-*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
