package mime

import (
	"encoding/binary"
	"strings"
)

// rtfStart is what the packer's window holds before anything was read
// (MS-OXRTFCP §2.1.2).
const rtfStart = `{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0` +
	"\r\n" + `\par \pard\plain\f0\fs20\b\i\u\tab\tx`

// unpackRTF undoes the packing of MS-OXRTFCP, at most most octets of it. What
// is cut short or damaged gives what came before.
func unpackRTF(b []byte, most int) []byte {
	const head, window = 16, 4096
	if len(b) < head {
		return nil
	}
	want := min(int64(binary.LittleEndian.Uint32(b[4:])), int64(most))
	kind := string(b[8:12])
	b = b[head:]
	switch kind {
	case "MELA": // as it is
		return b[:min(int64(len(b)), want)]
	case "LZFu":
	default:
		return nil
	}
	var dict [window]byte
	at := copy(dict[:], rtfStart)
	var out []byte
	put := func(c byte) {
		dict[at] = c
		at = (at + 1) % window
		out = append(out, c)
	}
	for len(b) > 0 && int64(len(out)) < want {
		flags := b[0]
		b = b[1:]
		for bit := 0; bit < 8 && int64(len(out)) < want; bit++ {
			if flags>>bit&1 == 0 {
				if len(b) == 0 {
					return out
				}
				put(b[0])
				b = b[1:]
				continue
			}
			if len(b) < 2 {
				return out
			}
			ref := int(b[0])<<8 | int(b[1])
			b = b[2:]
			from, n := ref>>4, ref&15+2
			if from == at {
				return out // its end
			}
			for range n {
				put(dict[from])
				from = (from + 1) % window
			}
		}
	}
	return out
}

// rtf reads rich text: for its words, or for the HTML that Outlook wraps in it
// (MS-OXRTFEX).
type rtf struct {
	b       []byte
	pos     int
	out     strings.Builder
	most    int
	html    bool
	codes   []byte // octets that wait to be decoded together
	ansi    string
	fonts   map[int]string // charsets
	skip    int            // characters that stand for the \u before them
	state   rtfState
	stack   []rtfState
	beyond  int // groups deeper than the stack
	current int // font that the font table speaks of
}

type rtfState struct {
	hidden  bool // nothing of this group is text
	fonts   bool // the font table
	only    bool // for readers of RTF alone
	charset string
	after   int // \uc
}

const deepestRTF = 200

// rtfText is the text of rich text in UTF-8, most octets of it at most, and
// whether that is HTML.
func rtfText(b []byte, most int) (text string, isHTML bool) {
	r := &rtf{b: b, most: most, ansi: "windows-1252", fonts: map[int]string{}}
	r.state.after = 1
	for r.pos < len(r.b) && r.out.Len() < most {
		switch c := r.b[r.pos]; c {
		case '{':
			r.pos++
			r.flush()
			r.open()
		case '}':
			r.pos++
			r.flush()
			r.close()
		case '\\':
			r.pos++
			r.control()
		case '\r', '\n':
			r.pos++
		default:
			r.pos++
			r.octet(c)
		}
	}
	r.flush()
	return validText(r.out.String()), r.html
}

func (r *rtf) open() {
	if len(r.stack) >= deepestRTF {
		r.beyond++
		return
	}
	r.stack = append(r.stack, r.state)
}

func (r *rtf) close() {
	if r.beyond > 0 {
		r.beyond--
	} else if n := len(r.stack); n > 0 {
		r.state = r.stack[n-1]
		r.stack = r.stack[:n-1]
	}
	r.skip = 0
}

// shown says that what stands here is text.
func (r *rtf) shown() bool { return !r.state.hidden && !r.state.only }

func (r *rtf) octet(c byte) {
	if r.skip > 0 {
		r.skip--
	} else if r.shown() {
		r.codes = append(r.codes, c)
	}
}

func (r *rtf) flush() {
	if len(r.codes) == 0 {
		return
	}
	cs := r.state.charset
	if cs == "" {
		cs = r.ansi
	}
	text, _ := toUTF8(r.codes, cs)
	r.out.WriteString(text)
	r.codes = r.codes[:0]
}

func (r *rtf) write(s string) {
	r.flush()
	if r.shown() {
		r.out.WriteString(s)
	}
}

// control reads what follows a backslash.
func (r *rtf) control() {
	if r.pos >= len(r.b) {
		return
	}
	c := r.b[r.pos]
	if c|0x20 < 'a' || c|0x20 > 'z' {
		r.pos++
		r.symbol(c)
		return
	}
	start := r.pos
	for r.pos < len(r.b) && r.pos-start < 32 && r.b[r.pos]|0x20 >= 'a' && r.b[r.pos]|0x20 <= 'z' {
		r.pos++
	}
	word := string(r.b[start:r.pos])
	n, given, sign := 0, false, 1
	if r.pos < len(r.b) && r.b[r.pos] == '-' {
		sign = -1
		r.pos++
	}
	for r.pos < len(r.b) && digit(r.b[r.pos]) {
		if n < 1<<20 {
			n = n*10 + int(r.b[r.pos]-'0')
		}
		given = true
		r.pos++
	}
	n *= sign
	if r.pos < len(r.b) && r.b[r.pos] == ' ' {
		r.pos++
	}
	r.word(word, n, given)
}

func (r *rtf) symbol(c byte) {
	switch c {
	case '\'':
		if r.pos+2 <= len(r.b) && unhex(r.b[r.pos]) >= 0 && unhex(r.b[r.pos+1]) >= 0 {
			c := byte(unhex(r.b[r.pos])<<4 | unhex(r.b[r.pos+1]))
			r.pos += 2
			r.octet(c)
		}
	case '\\', '{', '}':
		r.octet(c)
	case '~':
		r.write("\u00a0")
	case '_':
		r.write("-")
	case '\r', '\n':
		r.write("\n")
	case '*': // a group that only some understand
		if !r.wellKnown() {
			r.state.hidden = true
		}
	}
}

// wellKnown reads on after \*.
func (r *rtf) wellKnown() bool {
	rest := r.b[r.pos:min(len(r.b), r.pos+10)]
	return strings.HasPrefix(string(rest), `\htmltag`)
}

var rtfSigns = map[string]string{
	"par": "\n", "line": "\n", "row": "\n", "sect": "\n", "page": "\n", "tab": "\t", "cell": "\t",
	"emdash": "—", "endash": "–", "bullet": "•", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”",
	"emspace": " ", "enspace": " ", "qmspace": " ", "zwj": "\u200d", "zwnj": "\u200c", "rtlmark": "\u200f", "ltrmark": "\u200e",
}

// rtfHidden are groups that hold no text of the mail.
var rtfHidden = set("colortbl stylesheet info pict object header footer headerl headerr headerf footerl footerr footerf filetbl listtable revtbl fldinst themedata datastore")

func (r *rtf) word(word string, n int, given bool) {
	if word != "u" {
		if sign, ok := rtfSigns[word]; ok {
			r.write(sign)
			return
		}
	}
	switch word {
	case "u":
		r.flush()
		if n < 0 {
			n += 65536
		}
		if r.shown() {
			r.unicode(rune(n))
		}
		r.skip = r.state.after
	case "uc":
		r.state.after = max(0, min(n, 10))
	case "ansicpg":
		if name := codepage(uint32(max(n, 0))); name != "" {
			r.ansi = name
		}
	case "mac":
		r.ansi = "macintosh"
	case "fonttbl":
		r.state.hidden, r.state.fonts = true, true
	case "f":
		r.flush()
		r.current = n
		r.state.charset = r.fonts[n]
	case "plain":
		r.flush()
		r.state.charset = ""
	case "fcharset":
		if r.state.fonts && len(r.fonts) < 1000 {
			r.fonts[r.current] = fontCharsets[n]
		}
	case "fromhtml":
		r.html = true
	case "htmltag", "mhtmltag":
		r.state.hidden, r.state.only = word == "mhtmltag", false
	case "htmlrtf":
		r.flush()
		r.state.only = !given || n != 0
	case "bin":
		r.pos += max(0, min(n, len(r.b)-r.pos))
	default:
		if rtfHidden[word] {
			r.state.hidden = true
		}
	}
}

// unicode writes one unit of UTF-16: pairs come one after the other, with
// what stands for each.
func (r *rtf) unicode(c rune) {
	switch {
	case c >= 0xd800 && c < 0xdc00:
		rest := r.b[r.pos:]
		i := strings.Index(string(rest[:min(len(rest), 20)]), `\u`)
		if i < 0 {
			return
		}
		low, sign, j := rune(0), rune(1), i+2
		if j < len(rest) && rest[j] == '-' {
			sign = -1
			j++
		}
		for ; j < len(rest) && digit(rest[j]) && low < 1<<17; j++ {
			low = low*10 + rune(rest[j]-'0')
		}
		if low *= sign; low < 0 {
			low += 65536
		}
		if low >= 0xdc00 && low < 0xe000 {
			r.out.WriteRune((c-0xd800)<<10 + (low - 0xdc00) + 0x10000)
		}
	case c >= 0xdc00 && c < 0xe000: // written with the first of its pair
	default:
		r.out.WriteRune(c)
	}
}

// fontCharsets are the charsets of Windows fonts.
var fontCharsets = map[int]string{
	0: "windows-1252", 77: "macintosh", 128: "cp932", 129: "cp949", 134: "gb18030", 136: "big5", 161: "windows-1253", 162: "windows-1254",
	163: "windows-1258", 177: "windows-1255", 178: "windows-1256", 186: "windows-1257", 204: "windows-1251", 222: "windows-874", 238: "windows-1250",
}
