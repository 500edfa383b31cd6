package mime

import (
	"bufio"
	"encoding/base64"
	"io"
	"strconv"
)

func itoa(n int) string { return strconv.Itoa(n) }

// base64Repair hands on what is base64 and nothing else: junk between is
// dropped, and a cut end is filled up, so the decoder gives all that is there.
// What follows the padding is dropped (RFC 2045 §6.8).
type base64Repair struct {
	src   *bufio.Reader
	rest  [3]byte // letters that wait for their group of four
	n     int     // of rest
	ended bool
}

var base64Letter = func() (t [256]bool) {
	for c := range 256 {
		t[c] = c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
	}
	return t
}()

func (b *base64Repair) Read(p []byte) (int, error) {
	if len(p) < 8 {
		return 0, io.ErrShortBuffer
	}
	for !b.ended {
		if _, err := b.src.Peek(1); err == io.EOF {
			b.ended = true
			break
		} else if err != nil {
			return 0, err
		}
		n := copy(p, b.rest[:b.n])
		chunk, _ := b.src.Peek(min(b.src.Buffered(), len(p)-n))
		used := 0
		for _, c := range chunk {
			used++
			if base64Letter[c] {
				p[n] = c
				n++
			} else if c == '=' {
				b.ended = true
				break
			}
		}
		b.src.Discard(used)
		whole := n &^ 3
		b.n = copy(b.rest[:], p[whole:n])
		if whole > 0 {
			return whole, nil
		}
	}
	// the last group: a single letter holds no octet
	n := 0
	if b.n > 1 {
		n = copy(p, b.rest[:b.n])
		n += copy(p[n:], "=="[b.n-2:])
	}
	b.n = 0
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// base64Octets decodes repaired base64: whole groups of four letters, so that
// nothing has to be looked for a second time.
type base64Octets struct {
	from    base64Repair
	letters [8 << 10]byte
	octets  [6 << 10]byte
	out     []byte // of octets, still to be read
}

func (b *base64Octets) Read(p []byte) (int, error) {
	for len(b.out) == 0 {
		n, err := b.from.Read(b.letters[:])
		if n == 0 {
			return 0, err
		}
		got, _ := base64.StdEncoding.Decode(b.octets[:], b.letters[:n]) // there is nothing in it that could be wrong
		b.out = b.octets[:got]
	}
	n := copy(p, b.out)
	b.out = b.out[n:]
	return n, nil
}

// quotedRepair makes quoted-printable acceptable to the decoder: a hyphen-less
// "=" that begins no code becomes "=3D", octets that must not stand there are
// coded, and over-long lines are broken softly.
type quotedRepair struct {
	src *bufio.Reader
	buf []byte
	out []byte // the rest of buf that is to be read
	col int
	err error
}

const longestQuotedLine = 1000

func (q *quotedRepair) Read(p []byte) (int, error) {
	for len(q.out) == 0 {
		if q.err != nil {
			return 0, q.err
		}
		q.fillUp()
	}
	n := copy(p, q.out)
	q.out = q.out[n:]
	return n, nil
}

func (q *quotedRepair) fillUp() {
	const hex = "0123456789ABCDEF"
	q.buf = q.buf[:0]
	for len(q.buf) < 4096 {
		c, err := q.src.ReadByte()
		if err != nil {
			q.err = err
			break
		}
		if q.col >= longestQuotedLine && c != '\r' && c != '\n' {
			q.buf = append(q.buf, "=\r\n"...)
			q.col = 0
		}
		q.col++
		switch {
		case c == '\n':
			q.col = 0
			q.buf = append(q.buf, c)
		case c == '=' && !q.code():
			q.buf = append(q.buf, "=3D"...)
			q.col += 2
		case c == '=':
			// hand on the code whole, so that no soft break falls into it
			q.buf = append(q.buf, c)
			if next, _ := q.src.Peek(2); len(next) == 2 && unhex(next[0]) >= 0 {
				q.buf = append(q.buf, next...)
				q.src.Discard(2)
				q.col += 2
			}
		case c < ' ' && c != '\t' && c != '\r' || c == 127:
			q.buf = append(q.buf, '=', hex[c>>4], hex[c&15])
			q.col += 2
		default:
			q.buf = append(q.buf, c)
		}
	}
	q.out = q.buf
}

// code says whether the "=" just read begins a code or a soft line break.
func (q *quotedRepair) code() bool {
	next, _ := q.src.Peek(2)
	if len(next) == 2 && unhex(next[0]) >= 0 && unhex(next[1]) >= 0 {
		return true
	}
	for n := 1; n < 200; n++ { // space may follow a soft break's "="
		next, err := q.src.Peek(n)
		if err != nil {
			return len(next) == n-1 // nothing but space up to the end
		}
		switch next[n-1] {
		case ' ', '\t', '\r':
		case '\n':
			return true
		default:
			return false
		}
	}
	return false
}
