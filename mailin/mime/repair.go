package mime

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"strconv"
)

func itoa(n int) string { return strconv.Itoa(n) }

// decoder gives a part's octets. What a general decoder would stop at is
// passed over, so a damaged part gives what is left of it; damaged says,
// once everything was read, that something was.
type decoder interface {
	io.Reader
	damaged() bool
}

// asItIs is a part without a transfer encoding.
type asItIs struct{ io.Reader }

func (asItIs) damaged() bool { return false }

// base64Octets decodes base64 and nothing else: junk between is dropped, and a
// cut end is filled up. Padding ends it (RFC 2045 §6.8) unless whole lines of
// base64 follow: some programs code line by line. A line that begins with junk
// ends it as well: mailing lists put their ruler and words there.
type base64Octets struct {
	src     *bufio.Reader
	letters [8 << 10]byte
	n       int // of letters, that wait for their group of four
	octets  [6 << 10]byte
	out     []byte // of octets, still to be read
	padded  bool   // the last group had padding
	begun   bool   // something was decoded
	inLine  bool   // a letter stands in this line
	junk    int    // what stands at the beginning of this line and is no letter
	ended   bool
	bad     bool
}

var base64Letter = func() (t [256]bool) {
	for c := range 256 {
		t[c] = c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
	}
	return t
}()

func newBase64(raw io.Reader) *base64Octets {
	return &base64Octets{src: bufio.NewReaderSize(raw, 8<<10)}
}

func (b *base64Octets) damaged() bool { return b.bad }

func (b *base64Octets) Read(p []byte) (int, error) {
	for len(b.out) == 0 {
		if b.ended {
			return 0, io.EOF
		}
		if err := b.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, b.out)
	b.out = b.out[n:]
	return n, nil
}

// fill decodes what is at hand.
func (b *base64Octets) fill() error {
	if b.padded && !b.goesOn() {
		b.ended = true
		return nil
	}
	b.padded = false
	if _, err := b.src.Peek(1); err == io.EOF {
		b.bad = b.bad || b.n > 0
		b.ended = true
		b.decode(true)
		return nil
	} else if err != nil {
		return err
	}
	const groupOpen = 4
	chunk, _ := b.src.Peek(min(b.src.Buffered(), len(b.letters)-groupOpen-b.n))
	used := 0
	for _, c := range chunk {
		used++
		if base64Letter[c] {
			b.letters[b.n] = c
			b.n++
			b.inLine = true
			continue
		}
		if c == '=' {
			b.padded = true
			break
		}
		switch c {
		case '\n':
			b.inLine, b.junk = false, 0
		case '\r', ' ', '\t':
		default:
			b.bad = true
			if b.junk++; b.junk > 1 && !b.inLine && (b.begun || b.n > 0) {
				b.ended = true
			}
		}
		if b.ended {
			break
		}
	}
	b.src.Discard(used)
	b.decode(b.padded || b.ended)
	b.begun = b.begun || len(b.out) > 0
	return nil
}

// decode turns whole groups into octets; last fills up the one that is begun.
// A single letter holds no octet.
func (b *base64Octets) decode(last bool) {
	whole := b.n &^ 3
	rest := b.n - whole
	end := whole
	if last && rest == 1 {
		b.bad = true
	}
	if last && rest > 1 {
		end = whole + rest + copy(b.letters[whole+rest:], "=="[rest-2:])
	}
	got, _ := base64.StdEncoding.Decode(b.octets[:], b.letters[:end]) // there is nothing in it that could be wrong
	b.out = b.octets[:got]
	b.n = 0
	if !last {
		b.n = copy(b.letters[:], b.letters[whole:whole+rest])
	}
}

// goesOn says whether base64 follows the padding.
func (b *base64Octets) goesOn() bool {
	for {
		c, err := b.src.ReadByte()
		if err != nil {
			return false
		}
		if c != '=' && c != '\r' && c != '\n' && c != ' ' && c != '\t' {
			b.src.UnreadByte()
			break
		}
	}
	const longest = 80
	line, _ := b.src.Peek(longest)
	if i := bytes.IndexAny(line, "\r\n"); i >= 0 {
		line = line[:i]
	}
	letters := bytes.TrimRight(line, "=")
	for _, c := range letters {
		if !base64Letter[c] {
			b.bad = true
			return false
		}
	}
	if len(line) == 0 || len(line)%4 != 0 || len(line)-len(letters) > 2 {
		b.bad = true
		return false
	}
	return true
}

// quotedOctets decodes quoted-printable. An "=" that begins no code stays, and
// so do octets that must not stand there.
type quotedOctets struct {
	src *bufio.Reader
	in  []byte // the line at hand
	buf []byte
	out []byte // the rest of buf that is to be read
	bad bool
	err error
}

func newQuoted(raw io.Reader) *quotedOctets {
	return &quotedOctets{src: bufio.NewReaderSize(raw, 4096)}
}

func (q *quotedOctets) damaged() bool { return q.bad }

func (q *quotedOctets) Read(p []byte) (int, error) {
	for len(q.out) == 0 {
		if q.err != nil {
			return 0, q.err
		}
		q.buf = q.buf[:0]
		for len(q.buf) < 4096 && q.err == nil {
			q.line()
		}
		q.out = q.buf
	}
	n := copy(p, q.out)
	q.out = q.out[n:]
	return n, nil
}

// line decodes a line, or a piece of a very long one.
func (q *quotedOctets) line() {
	piece, err := q.src.ReadSlice('\n')
	if len(q.in) > 0 {
		q.in = append(q.in, piece...)
		piece = q.in
	}
	if err == bufio.ErrBufferFull { // a code may be cut in two
		keep := 0
		if i := bytes.LastIndexByte(piece[len(piece)-2:], '='); i >= 0 {
			keep = 2 - i
		}
		q.decode(piece[:len(piece)-keep])
		q.in = append(q.in[:0], piece[len(piece)-keep:]...)
		return
	}
	q.err = err
	eol := piece[len(piece)-lineEnd(piece):]
	text := bytes.TrimRight(piece[:len(piece)-len(eol)], " \t")
	if soft := len(text) > 0 && text[len(text)-1] == '='; soft {
		text, eol = text[:len(text)-1], nil
	}
	q.decode(text)
	q.buf = append(q.buf, eol...)
	q.in = q.in[:0]
}

func (q *quotedOctets) decode(text []byte) {
	for {
		i := bytes.IndexByte(text, '=')
		if i < 0 {
			q.buf = append(q.buf, text...)
			return
		}
		q.buf = append(q.buf, text[:i]...)
		text = text[i:]
		if len(text) >= 3 && unhex(text[1]) >= 0 && unhex(text[2]) >= 0 {
			q.buf = append(q.buf, byte(unhex(text[1])<<4|unhex(text[2])))
			text = text[3:]
			continue
		}
		q.bad = true
		q.buf = append(q.buf, '=')
		text = text[1:]
	}
}
