package mime

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// tnef is what a winmail.dat holds (MS-OXTNEF): Outlook's text, where it was
// written as "rich text", and the files.
type tnef struct {
	text, html []byte
	charset    string // of both
	files      []tnefFile
}

type tnefFile struct {
	name, mediaType, contentID string
	content                    []byte
}

// Attributes and properties that are read; all others are passed over.
const (
	tnefSignature    = 0x223e9f78
	attBody          = 0x800c
	attTitle         = 0x8010
	attData          = 0x800f
	attTransportName = 0x9001
	attRendering     = 0x9002 // begins a file
	attMessageProps  = 0x9003
	attFileProps     = 0x9005
	attCodepage      = 0x9007

	propBody       = 0x1000
	propRTF        = 0x1009
	propHTML       = 0x1013
	propData       = 0x3701
	propFileName   = 0x3704
	propLongName   = 0x3707
	propMediaType  = 0x370e
	propContentID  = 0x3712
	propCodepage   = 0x3fde
	mostNameOctets = 2000
	mostRTF        = 8 // times the limit of HTML: markup that is thrown away
)

// readTNEF reads at most so many files, whose content stays where it is in b,
// and most octets of text. ok is false for what is no TNEF or is cut short.
func readTNEF(b []byte, files, most int) (t tnef, ok bool) {
	if len(b) < 6 || binary.LittleEndian.Uint32(b) != tnefSignature {
		return t, false
	}
	var oem, rtf []byte
	internet := ""
	var file *tnefFile
	for b = b[6:]; len(b) > 0; {
		const head, check = 9, 2
		if len(b) < head+check {
			return t, false
		}
		id := binary.LittleEndian.Uint16(b[1:])
		n := int64(binary.LittleEndian.Uint32(b[5:]))
		if n > int64(len(b)-head-check) {
			return t, false
		}
		data := b[head : head+n]
		b = b[head+n+check:]
		if id == attRendering {
			if len(t.files) >= files {
				return t, false // the whole is listed then
			}
			t.files = append(t.files, tnefFile{})
			file = &t.files[len(t.files)-1]
			continue
		}
		switch {
		case id == attCodepage && len(data) >= 4:
			t.charset = codepage(binary.LittleEndian.Uint32(data))
		case id == attBody:
			oem = bytes.TrimRight(data, "\x00")
		case id == attMessageProps:
			tnefProps(data, func(prop, kind uint16, v []byte) {
				switch prop {
				case propBody:
					if s := tnefString(kind, v, t.charset); s != "" {
						t.text = []byte(s)
					}
				case propHTML:
					t.html = bytes.TrimRight(v, "\x00")
				case propRTF:
					rtf = v
				case propCodepage:
					if len(v) == 4 {
						internet = codepage(binary.LittleEndian.Uint32(v))
					}
				}
			})
		case file == nil:
		case id == attTitle && file.name == "", id == attTransportName && file.name == "":
			file.name = oemString(data, t.charset)
		case id == attData:
			file.content = data
		case id == attFileProps:
			file.props(data, t.charset)
		}
	}
	t.choose(oem, rtf, internet, most)
	return t, true
}

// choose takes the best form of the text: HTML, the HTML or text that is inside
// RTF, plain text.
func (t *tnef) choose(oem, rtf []byte, internet string, most int) {
	if t.text != nil { // from a property, in UTF-8 by now
		t.text = t.text[:min(len(t.text), most)]
	} else if len(oem) > 0 {
		t.text = []byte(oemString(oem[:min(len(oem), most)], t.charset))
	}
	switch {
	case len(t.html) > 0:
		t.html = t.html[:min(len(t.html), most)]
		t.charset = internet
		return
	case len(rtf) > 0:
		text, isHTML := rtfText(unpackRTF(rtf, most*mostRTF), most)
		if isHTML && strings.TrimSpace(text) != "" {
			t.html = []byte(text)
		} else if len(bytes.TrimSpace(t.text)) == 0 {
			t.text = []byte(text)
		}
	}
	t.charset = "utf-8"
}

func (f *tnefFile) props(data []byte, charset string) {
	short := ""
	tnefProps(data, func(prop, kind uint16, v []byte) {
		if prop == propData && (kind == 0x0d || kind == 0x102) && len(f.content) == 0 {
			const guid = 16
			f.content = v
			if kind == 0x0d && len(v) > guid { // a mail within, as TNEF once more
				f.content, f.mediaType = v[guid:], "application/ms-tnef"
			}
			return
		}
		s := ""
		if len(v) <= mostNameOctets {
			s = tnefString(kind, v, charset)
		}
		switch {
		case s == "":
		case prop == propLongName:
			f.name = s
		case prop == propFileName:
			short = s
		case prop == propMediaType && f.mediaType == "":
			f.mediaType = lower(Clean(s, 100))
		case prop == propContentID:
			f.contentID = Clean(strings.Trim(s, "<>"), 250)
		}
	})
	if f.name == "" {
		f.name = short
	}
}

// tnefProps walks a list of MAPI properties. A list that is cut short or odd
// ends there.
func tnefProps(b []byte, each func(prop, kind uint16, value []byte)) {
	take := func(n int64) []byte {
		if n < 0 || n > int64(len(b)) {
			b = nil
			return nil
		}
		v := b[:n]
		b = b[n:]
		return v
	}
	number := func() (int64, bool) {
		v := take(4)
		if v == nil {
			return 0, false
		}
		return int64(binary.LittleEndian.Uint32(v)), true
	}
	padded := func() ([]byte, bool) {
		n, ok := number()
		if !ok || n > int64(len(b)) {
			return nil, false
		}
		v := take(n)
		take(min((4-n%4)%4, int64(len(b))))
		return v, true
	}
	count, _ := number()
	for ; count > 0 && len(b) >= 4; count-- {
		kind, prop := binary.LittleEndian.Uint16(b), binary.LittleEndian.Uint16(b[2:])
		take(4)
		if prop >= 0x8000 { // has a name
			take(16)
			if named, ok := number(); !ok {
				return
			} else if named == 0 {
				take(4)
			} else if _, ok := padded(); !ok {
				return
			}
		}
		many := kind&0x1000 != 0
		width := int64(0)
		switch kind &^ 0x1000 {
		case 0x1e, 0x1f, 0x102, 0x0d:
			n, ok := number()
			if !ok {
				return
			}
			for i := int64(0); i < n; i++ {
				v, ok := padded()
				if !ok {
					return
				}
				if i == 0 {
					each(prop, kind&^0x1000, v)
				}
			}
			continue
		case 0x01:
		case 0x02, 0x03, 0x04, 0x0a, 0x0b:
			width = 4
		case 0x05, 0x06, 0x07, 0x14, 0x40:
			width = 8
		case 0x48:
			width = 16
		default:
			return
		}
		n := int64(1)
		if many {
			var ok bool
			if n, ok = number(); !ok {
				return
			}
		}
		if v := take(n * width); !many && v != nil {
			each(prop, kind, v)
		}
	}
}

// tnefString is a property of text in UTF-8.
func tnefString(kind uint16, v []byte, charset string) string {
	switch kind {
	case 0x1e:
		return oemString(v, charset)
	case 0x1f:
		units := make([]uint16, 0, len(v)/2)
		for ; len(v) >= 2; v = v[2:] {
			units = append(units, binary.LittleEndian.Uint16(v))
		}
		return strings.TrimRight(string(utf16.Decode(units)), "\x00")
	}
	return ""
}

func oemString(b []byte, charset string) string {
	text, _ := toUTF8(bytes.TrimRight(b, "\x00"), charset)
	return text
}

// codepage is the charset that Windows gives a number.
func codepage(n uint32) string {
	switch {
	case n == 65001:
		return "utf-8"
	case n == 20127:
		return "us-ascii"
	case n == 20866:
		return "koi8-r"
	case n == 21866:
		return "koi8-u"
	case n == 50220, n == 50221, n == 50222:
		return "iso-2022-jp"
	case n == 51932:
		return "euc-jp"
	case n == 51949:
		return "euc-kr"
	case n == 54936:
		return "gb18030"
	case n == 950:
		return "big5"
	case n == 10000:
		return "macintosh"
	case n >= 1250 && n <= 1258:
		return "windows-" + itoa(int(n))
	case n >= 28591 && n <= 28606:
		return "iso-8859-" + itoa(int(n)-28590)
	case n > 0 && n < 10000:
		return "cp" + itoa(int(n))
	}
	return ""
}
