package mailin

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
)

// spoolBytes is how much of one mail stays in memory.
const spoolBytes = 1 << 20

// spool holds the bytes of one mail on their way: in memory if it is small,
// else in a file without a name, so that nothing is left of it after a crash.
type spool struct {
	memory []byte
	file   *os.File
	size   int64
}

// newSpool makes room for a mail of about the given size.
func newSpool(folder string, size int64) (*spool, error) {
	if size <= spoolBytes {
		// one more, to see the end without growing
		return &spool{memory: make([]byte, 0, max(size, 0)+1)}, nil
	}
	s := new(spool)
	return s, s.toFile(folder)
}

func (s *spool) toFile(folder string) error {
	f, err := os.CreateTemp(folder, "spool-*")
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	os.Remove(f.Name())
	s.file = f
	if _, err := f.Write(s.memory); err != nil {
		s.Close()
		return fmt.Errorf("spool: %w", err)
	}
	s.memory = nil
	return nil
}

// fill reads r to its end, of which at most 1 MiB is ever in memory.
func (s *spool) fill(folder string, r io.Reader) error {
	for s.file == nil {
		if len(s.memory) == cap(s.memory) {
			if err := s.grow(folder); err != nil {
				return err
			}
			continue
		}
		n, err := r.Read(s.memory[len(s.memory):cap(s.memory)])
		s.memory = s.memory[:len(s.memory)+n]
		s.size += int64(n)
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
	buffer := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buffer)
	n, err := io.CopyBuffer(struct{ io.Writer }{s.file}, struct{ io.Reader }{r}, *buffer)
	s.size += n
	return err
}

func (s *spool) grow(folder string) error {
	if len(s.memory) > spoolBytes {
		return s.toFile(folder)
	}
	grown := make([]byte, len(s.memory), min(2*cap(s.memory)+512, spoolBytes+1))
	copy(grown, s.memory)
	s.memory = grown
	return nil
}

// add is fill for bytes that we have.
func (s *spool) add(folder string, p []byte) error {
	if s.file == nil && len(s.memory)+len(p) > spoolBytes {
		if err := s.toFile(folder); err != nil {
			return err
		}
	}
	s.size += int64(len(p))
	if s.file == nil {
		s.memory = append(s.memory, p...)
		return nil
	}
	_, err := s.file.Write(p)
	return err
}

var copyBuffers = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}

// reader reads all of it; many may at once.
func (s *spool) reader() *io.SectionReader {
	return io.NewSectionReader(s, 0, s.size)
}

func (s *spool) ReadAt(p []byte, at int64) (int, error) {
	if s.file != nil {
		return s.file.ReadAt(p, at)
	}
	if at >= int64(len(s.memory)) {
		return 0, io.EOF
	}
	n := copy(p, s.memory[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// held is what it holds in memory.
func (s *spool) held() int64 { return int64(cap(s.memory)) }

// Close gives its room back. A nil spool has none.
func (s *spool) Close() {
	if s == nil {
		return
	}
	s.memory = nil
	if s.file != nil {
		s.file.Close()
	}
}

// cut leaves the first n bytes of what is in memory.
func (s *spool) cut(n int) {
	s.memory = s.memory[:n]
	s.size = int64(n)
}

// endOfHeader is where the header block ends, with its blank line.
func endOfHeader(raw []byte) int {
	for at := 0; at < len(raw); {
		end := bytes.IndexByte(raw[at:], '\n')
		if end < 0 {
			break
		}
		if line := raw[at : at+end]; len(line) == 0 || len(line) == 1 && line[0] == '\r' {
			return at + end + 1
		}
		at += end + 1
	}
	return len(raw)
}

// start is the beginning of the mail, enough for most header blocks.
func (s *spool) start() []byte {
	if s == nil {
		return nil
	}
	if s.file == nil {
		return s.memory
	}
	buffer := make([]byte, scanBytes)
	n, _ := s.ReadAt(buffer, 0)
	return buffer[:n]
}
