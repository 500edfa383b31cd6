package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// store is mails in files, ready to be put into any number of mailboxes.
type store struct {
	profile
	files []string // in the order of their arrival
	bytes int64
}

// generate writes the mails of a profile into a folder.
func generate(dir string, p profile) (*store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	s := &store{profile: p, files: make([]string, p.mails+p.huge)}
	sizes := make([]int64, len(s.files))
	var group errgroup.Group
	group.SetLimit(2)
	for n := range s.files {
		s.files[n] = filepath.Join(dir, fmt.Sprintf("%06d", n))
		group.Go(func() error {
			raw, err := p.at(n)
			if err != nil {
				return err
			}
			sizes[n] = int64(len(raw))
			return os.WriteFile(s.files[n], raw, 0o644)
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, size := range sizes {
		s.bytes += size
	}
	return s, nil
}

// at is the n-th mail to arrive: the huge ones are spread evenly.
func (p profile) at(n int) ([]byte, error) {
	if p.huge == 0 {
		return p.mail(n)
	}
	every := (p.mails + p.huge) / p.huge
	if before := n / every; n%every == every-1 && before < p.huge {
		return p.write(p.mails+before, huge, before)
	} else {
		return p.mail(n - min(before, p.huge))
	}
}

// remove gives the disk back.
func (s *store) remove() {
	if s != nil && len(s.files) > 0 {
		os.RemoveAll(filepath.Dir(s.files[0]))
	}
}

// makeMaildir makes an empty INBOX that the mail server may use: it belongs to
// whom the folder of all mail belongs to.
func makeMaildir(dir string) error {
	all := filepath.Dir(filepath.Dir(dir))
	info, err := os.Stat(all)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%s has no owner", all)
	}
	for _, d := range []string{filepath.Dir(dir), dir, filepath.Join(dir, "new"), filepath.Join(dir, "cur"), filepath.Join(dir, "tmp")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
		if err := os.Chown(d, int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	return nil
}

// arrival names files so that the server numbers mails in the order in which
// they were put in.
var arrival int64

// put lets a mail arrive: a file in new, which is a link, so that all mailboxes
// share its bytes.
func put(dir, file string) error {
	arrival++
	name := fmt.Sprintf("%d.M%06dP1.bench", 1_700_000_000+arrival/1_000_000, arrival%1_000_000)
	return os.Link(file, filepath.Join(dir, "new", name))
}

// fill makes a mailbox with all mails of a store. They came in just now.
func (s *store) fill(dir string) error {
	if err := makeMaildir(dir); err != nil {
		return err
	}
	return s.add(dir)
}

func (s *store) add(dir string) error {
	// after the mailbox was added, also if Postern takes its time to start: what
	// came before that is not answered (R74)
	soon := time.Now().Add(time.Minute)
	for _, file := range s.files {
		if err := os.Chtimes(file, soon, soon); err != nil {
			return err
		}
		if err := put(dir, file); err != nil {
			return err
		}
	}
	return nil
}

// fillOld makes a mailbox with n small mails of long ago: all of them one file.
func fillOld(dir, spare string, n int) error {
	if err := makeMaildir(dir); err != nil {
		return err
	}
	raw := "From: somebody@company.example\r\nTo: " + deskAddress + "\r\nSubject: long ago\r\n\r\n" + strings.Repeat("text\r\n", 50)
	if err := os.WriteFile(spare, []byte(raw), 0o644); err != nil {
		return err
	}
	past := time.Now().AddDate(-1, 0, 0)
	if err := os.Chtimes(spare, past, past); err != nil {
		return err
	}
	for range n {
		if err := put(dir, spare); err != nil {
			return err
		}
	}
	return nil
}
