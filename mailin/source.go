package mailin

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// Source is one mail in a file. It may be read until the next one is asked for.
type Source struct {
	Name string // the file's path; in an mbox of several, "path#3"
	Mail io.ReaderAt
	Size int64
}

// Files walks mails in files and folders, in the memory of one line. A file
// that is named may be an mbox of several; in a folder (all it holds, in the
// order of names) every file is one mail, whatever it begins with. What cannot
// be read is given with its name and an error, and the walk goes on.
func Files(paths []string) iter.Seq2[Source, error] {
	return func(yield func(Source, error) bool) {
		for _, path := range paths {
			if !walkFiles(path, yield) {
				return
			}
		}
	}
}

// Stream is Files for what can be read only once: it is kept in an unlinked
// file while it is looked at.
func Stream(name string, in io.Reader) iter.Seq2[Source, error] {
	return func(yield func(Source, error) bool) { readStream(name, in, yield) }
}

// walkFiles returns false when the caller has had enough.
func walkFiles(path string, yield func(Source, error) bool) bool {
	info, err := os.Stat(path)
	if err != nil {
		return yield(Source{Name: path}, err)
	}
	if !info.IsDir() {
		return openMails(path, info, splitMbox, yield)
	}
	root := path
	if link, err := os.Lstat(path); err == nil && !link.IsDir() {
		root += string(filepath.Separator) // a link to a folder: WalkDir goes into none
	}
	enough := errors.New("enough")
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			if !yield(Source{Name: name}, err) {
				return enough
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		info, err := os.Stat(name) // a link counts as the file it leads to
		if err == nil && info.IsDir() {
			return nil // a link to a folder: it may lead back here
		}
		if err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
			err = errors.New("a pipe, not a file")
		}
		if err != nil {
			if !yield(Source{Name: name}, err) {
				return enough
			}
		} else if !openMails(name, info, oneMail, yield) {
			return enough
		}
		return nil
	})
	return err != enough
}

// splitting yields the mails that a file holds.
type splitting func(path string, f io.ReaderAt, size int64, yield func(Source, error) bool) bool

// oneMail takes a file as a mail.
func oneMail(path string, f io.ReaderAt, size int64, yield func(Source, error) bool) bool {
	return yield(Source{path, f, size}, nil)
}

func openMails(path string, info fs.FileInfo, split splitting, yield func(Source, error) bool) bool {
	switch mode := info.Mode(); {
	case mode&fs.ModeSocket != 0:
		return yield(Source{Name: path}, errors.New("a socket, not a file"))
	case mode&fs.ModeDevice != 0:
		return yield(Source{Name: path}, errors.New("a device, not a file"))
	}
	// to open a pipe that nobody writes into would wait for ever
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return yield(Source{Name: path}, err)
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return yield(Source{Name: path}, err)
	}
	switch {
	case info.Mode().IsRegular():
		return split(path, f, info.Size(), yield)
	case info.Mode()&fs.ModeNamedPipe != 0:
		return readStream(path, pipe{f}, yield)
	}
	return yield(Source{Name: path}, errors.New("it is no file any more"))
}

const (
	streamBytes = 1 << 30 // of what can be read once only; more must be a file
	pipeSilence = 10 * time.Second
)

// pipe gives up on one whose writer has nothing to say.
type pipe struct{ *os.File }

func (p pipe) Read(b []byte) (int, error) {
	p.SetReadDeadline(time.Now().Add(pipeSilence)) // where there are none we wait
	n, err := p.File.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("a pipe: nothing came for %s", pipeSilence)
	}
	return n, err
}

func readStream(name string, in io.Reader, yield func(Source, error) bool) bool {
	kept, err := newSpool("", 0)
	if err == nil {
		defer kept.Close()
		err = kept.fill("", io.LimitReader(in, streamBytes+1))
	}
	if err == nil && kept.size > streamBytes {
		err = fmt.Errorf("more than %d MiB: write it to a file first", streamBytes>>20)
	}
	if _, isPipe := in.(pipe); err == nil && isPipe && kept.size == 0 {
		err = errors.New("a pipe that nobody writes into")
	}
	if err != nil {
		return yield(Source{Name: name}, err)
	}
	return splitMbox(name, kept, kept.size, yield)
}

var (
	// mboxLine begins a mail in an mbox; an ordinary sentence that begins with
	// "From " has no time and year at its end.
	mboxLine = regexp.MustCompile(`^From \S.*\d\d:\d\d.*\d{4}`)
	// strictLine does so even where no empty line stands before it.
	strictLine = regexp.MustCompile(`^From \S+ +(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d(:\d\d)?( [A-Z]{3,4}| [+-]\d{4})? \d{4}( [+-]\d{4})?\s*$`)
	// quotedLine is one of a mail's own that must not be taken for the next mail.
	quotedLine = regexp.MustCompile(`^>+From `)
)

// splitMbox yields the mails of an mbox, or the file as one mail if it is
// none. Each mail is a section of the file, or a copy of it where its lines
// are quoted (">From ").
func splitMbox(path string, f io.ReaderAt, size int64, yield func(Source, error) bool) bool {
	in := bufio.NewReaderSize(io.NewSectionReader(f, 0, size), 64<<10)
	var pos, start int64 // start of the mail under way, behind its From line
	var gap int64        // length of the empty line before the current one
	n, fresh, mbox, quoted := 0, true, false, false
	mail := func(from, to int64, last bool) bool {
		name := path
		if n++; n > 1 || !last {
			name = fmt.Sprintf("%s#%d", path, n)
		}
		part := io.NewSectionReader(f, from, to-from)
		if !quoted {
			return yield(Source{name, part, part.Size()}, nil)
		}
		plain, err := unquoted(part)
		if err != nil {
			return yield(Source{Name: name}, err)
		}
		defer plain.Close()
		return yield(Source{name, plain, plain.size}, nil)
	}
	for {
		line, err := in.ReadSlice('\n')
		if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
			return yield(Source{Name: path}, err)
		}
		if fresh && begins(line, pos == 0 || mbox && gap > 0, mbox) {
			if mbox && !mail(start, pos-gap, false) {
				return false
			}
			mbox, start, quoted = true, pos+int64(len(line)), false
		}
		if !mbox {
			return mail(0, size, true)
		}
		quoted = quoted || fresh && len(line) > 0 && line[0] == '>' && quotedLine.Match(line)
		if len(line) > 0 {
			gap = 0
		}
		if fresh && len(line) > 0 && len(bytes.TrimRight(line, "\r\n")) == 0 {
			gap = int64(len(line))
		}
		pos += int64(len(line))
		fresh = err == nil
		if err == io.EOF {
			return mail(start, max(start, pos-gap), true)
		}
	}
}

// begins says whether a mail begins with this line of an mbox: apart says that
// it is the first or follows an empty one.
func begins(line []byte, apart, mbox bool) bool {
	if !bytes.HasPrefix(line, []byte("From ")) {
		return false
	}
	line = line[:min(len(line), 300)]
	return apart && mboxLine.Match(line) || mbox && strictLine.Match(line)
}

// unquoted is a mail of an mbox as it was before: a line ">From " has lost its
// mark, ">>From " one of two.
func unquoted(r io.Reader) (*spool, error) {
	kept, err := newSpool("", 0)
	if err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(r, 64<<10)
	for fresh := true; ; {
		line, err := in.ReadSlice('\n')
		if fresh && len(line) > 0 && line[0] == '>' && quotedLine.Match(line) {
			line = line[1:]
		}
		fresh = err == nil
		if bad := kept.add("", line); bad != nil {
			err = bad
		}
		switch err {
		case nil, bufio.ErrBufferFull:
		case io.EOF:
			return kept, nil
		default:
			kept.Close()
			return nil, err
		}
	}
}
