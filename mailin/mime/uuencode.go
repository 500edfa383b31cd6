package mime

import (
	"bufio"
	"bytes"
	"io"
	"strings"
)

// Files in the text, as programs sent them before MIME and some still do:
//
//	begin 644 name
//	#86)C
//	`
//	end
//
// Everything is told line by line, with the next line in sight: a text that
// only speaks of "begin" has no such line behind it.

const (
	longestUULine  = 61 + 63 // a full line, and room for what some programs add
	longestUUBegin = 998
)

// uuBegin is the name in a line that begins a block.
func uuBegin(line []byte) (name string, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte("begin "))
	if !ok || len(line) > longestUUBegin {
		return "", false
	}
	mode, file, ok := bytes.Cut(bytes.TrimLeft(rest, " "), []byte(" "))
	file = bytes.TrimSpace(file)
	if !ok || len(mode) < 3 || len(mode) > 4 || len(file) == 0 {
		return "", false
	}
	for _, c := range mode {
		if c < '0' || c > '7' {
			return "", false
		}
	}
	return string(file), true
}

// uuLine says how many octets a line of a block holds. Space at its end may
// have been lost on the way, and a check letter may have been added.
func uuLine(line []byte) (octets int, ok bool) {
	if len(line) == 0 {
		return 0, true
	}
	for _, c := range line {
		if c < ' ' || c > '`' {
			return 0, false
		}
	}
	octets = int(line[0]-' ') & 63
	need := 1 + (octets+2)/3*4
	if octets == 0 {
		return 0, len(line) <= 2
	}
	const lost = 12
	return octets, len(line) <= need+2 && len(line)+lost >= need
}

// peekLine is the next line without its end, if it is short enough for a
// block; all is its whole length.
func peekLine(in *bufio.Reader) (line []byte, all int, ok bool) {
	ahead, err := in.Peek(longestUULine + 2)
	i := bytes.IndexByte(ahead, '\n')
	switch {
	case i >= 0:
		return bytes.TrimSuffix(ahead[:i], []byte("\r")), i + 1, true
	case err == io.EOF && len(ahead) > 0:
		return ahead, len(ahead), true
	}
	return nil, 0, false
}

// nextUU hands on text up to the next block, whose first line then comes next,
// and gives the block's name.
func nextUU(in *bufio.Reader, text func(line []byte)) (name string, found bool) {
	fresh := true
	for {
		line, err := in.ReadSlice('\n')
		if len(line) == 0 && err != nil {
			return "", false
		}
		if fresh && line[0] == 'b' {
			if name, ok := uuBegin(bytes.TrimRight(line, "\r\n")); ok {
				held := bytes.Clone(line) // looking ahead moves the buffer
				first, _, ok := peekLine(in)
				if n, good := uuLine(first); ok && good && n > 0 {
					return Clean(repairUTF8([]byte(name)), 0), true
				}
				line = held
			}
		}
		if text != nil {
			text(line)
		}
		fresh = line[len(line)-1] == '\n'
	}
}

// uuOctets decodes a block whose first line comes next, and takes its end. It
// stops before a line that is none of it: that is text again.
type uuOctets struct {
	in    *bufio.Reader
	buf   [66]byte
	out   []byte // of buf, still to be read
	ended bool
	bad   bool
}

func (u *uuOctets) damaged() bool { return u.bad }

func (u *uuOctets) Read(p []byte) (int, error) {
	for len(u.out) == 0 {
		if u.ended {
			return 0, io.EOF
		}
		u.next()
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	return n, nil
}

func (u *uuOctets) next() {
	line, all, ok := peekLine(u.in)
	if ok && strings.TrimRight(string(line), " \t") == "end" {
		u.in.Discard(all)
		u.ended = true
		return
	}
	n, good := uuLine(line)
	if !ok || !good {
		u.ended, u.bad = true, true
		return
	}
	u.out = u.buf[:0]
	if n > 0 {
		at := func(i int) byte {
			if i < len(line) {
				return (line[i] - ' ') & 63
			}
			return 0
		}
		for i := 1; len(u.out) < n; i += 4 {
			a, b, c, d := at(i), at(i+1), at(i+2), at(i+3)
			u.out = append(u.out, a<<2|b>>4, b<<4|c>>2, c<<6|d)
		}
		u.out = u.out[:n]
	}
	u.in.Discard(all)
}

// withoutUU takes the blocks out of a text part, which become files, and gives
// what is left, room octets at most.
func (rd *reader) withoutUU(p *part, room int) (text []byte, more bool) {
	d := rd.decodedPart(p)
	in := bufio.NewReaderSize(d, 8<<10)
	keep := func(line []byte) {
		if n := min(len(line), room-len(text)); n > 0 {
			text = append(text, line[:n]...)
		} else {
			more = true
		}
	}
	at, cr := rd.src.at, rd.src.cr
	for nth := 0; !rd.late(); nth++ {
		name, found := nextUU(in, keep)
		if !found {
			break
		}
		if rd.parts++; rd.parts > rd.limits.Parts {
			rd.flaw("more than %d parts: the rest stays text", rd.limits.Parts)
			keep([]byte("begin 644 " + name + "\n"))
			for {
				line, err := in.ReadSlice('\n')
				keep(line)
				if len(line) == 0 && err != nil {
					break
				}
			}
			break
		}
		block := &uuOctets{in: in}
		n := len(rd.msg.Files) + 1
		f := File{Name: fileName(name, "", n, rd.limits.FileNameRunes), Type: "application/octet-stream"}
		rd.list(f, block, func() (io.ReadCloser, error) {
			again := reader{src: &source{at: at, cr: cr}}
			return io.NopCloser(nthUU(again.decodedPart(p), nth)), nil
		})
		if block.bad {
			rd.flaw("uuencoded file %s is damaged", f.Name)
		}
	}
	rd.broken()
	p.damaged = d.damaged()
	return text, more
}

// nthUU finds a block again.
func nthUU(r io.Reader, nth int) io.Reader {
	in := bufio.NewReaderSize(r, 8<<10)
	for {
		if _, found := nextUU(in, nil); !found {
			return strings.NewReader("")
		}
		block := &uuOctets{in: in}
		if nth == 0 {
			return block
		}
		nth--
		_, _ = io.Copy(io.Discard, block)
	}
}
