package mime

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

var (
	utf16Big    = unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	utf16Little = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
)

// charsets are names that mail uses and the web's table lacks, or reads in
// another way.
var charsets = map[string]encoding.Encoding{
	"utf-16": utf16Big, "utf16": utf16Big, "ucs-2": utf16Big, "iso-10646-ucs-2": utf16Big, "unicode": utf16Little,
	"utf-16be": unicode.UTF16(unicode.BigEndian, unicode.UseBOM), "utf-16le": unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	"utf-32": utf32.UTF32(utf32.BigEndian, utf32.UseBOM), "utf-32be": utf32.UTF32(utf32.BigEndian, utf32.UseBOM),
	"utf-32le": utf32.UTF32(utf32.LittleEndian, utf32.UseBOM),
	"cp437":    charmap.CodePage437, "ibm437": charmap.CodePage437,
	"cp850": charmap.CodePage850, "cp-850": charmap.CodePage850, "ibm850": charmap.CodePage850,
	"cp852": charmap.CodePage852, "ibm852": charmap.CodePage852,
	"cp855": charmap.CodePage855, "cp858": charmap.CodePage858, "cp865": charmap.CodePage865, "ibm865": charmap.CodePage865,
	"cp932": japanese.ShiftJIS, "cp936": simplifiedchinese.GBK, "cp949": korean.EUCKR, "x-windows-949": korean.EUCKR, "ms949": korean.EUCKR, "uhc": korean.EUCKR, "x-euc-kr": korean.EUCKR,
	"ks_c_5601":  korean.EUCKR,
	"hz-gb-2312": simplifiedchinese.HZGB2312, "x-gbk": simplifiedchinese.GBK,
	"iso-2022-jp-1": japanese.ISO2022JP, "iso-2022-jp-2": japanese.ISO2022JP, "iso-2022-jp-ms": japanese.ISO2022JP, "cp50221": japanese.ISO2022JP,
	"ansi": charmap.Windows1252, "x-ansi": charmap.Windows1252, "iso-8859-1-windows-3.1-latin-1": charmap.Windows1252,
	"latin-1": charmap.Windows1252, "iso8859_1": charmap.Windows1252, "iso_8859-15": charmap.ISO8859_15, "latin-9": charmap.ISO8859_15,
}

// charset finds the decoder of a declared name. guess says that the name
// promises nothing (none, US-ASCII, UTF-8): the bytes decide (R20). nil and
// false is a name that nobody knows.
func charset(name string) (enc encoding.Encoding, guess bool) {
	name = lower(strings.Trim(name, " \t\"'"))
	switch name {
	case "", "utf-8", "utf8", "us-ascii", "ascii", "usascii", "7bit", "8bit", "unknown-8bit", "x-unknown",
		"unknown", "binary", "default", "none", "ansi_x3.4-1968", "unicode-1-1-utf-8", "utf-8mb4", "utf8mb4", "utf_8", "utf-8-sig", "us_ascii", "646":
		return nil, true
	}
	if enc, ok := charsets[name]; ok {
		return enc, false
	}
	if n, ok := strings.CutPrefix(name, "win-"); ok {
		name = "windows-" + n
	}
	enc, err := htmlindex.Get(name)
	if err != nil || enc == encoding.Replacement {
		return nil, false
	}
	return enc, false
}

// toUTF8 decodes b: by the declared charset, else as UTF-8, else as
// windows-1252 (R20). known is false for a charset nobody knows.
func toUTF8(b []byte, declared string) (text string, known bool) {
	switch lower(strings.Trim(declared, " \t\"'")) {
	case "utf-7", "utf7", "unicode-1-1-utf-7", "csunicode11utf7", "x-unicode-2-0-utf-7":
		return decodeUTF7(b), true
	}
	enc, guess := charset(declared)
	if enc == nil {
		return repairUTF8(b), guess
	}
	if ascii(b) && !shifting(enc) {
		return repairUTF8(b), true
	}
	if (western(enc) || !shifting(enc) && manyRunes(b)) && utf8.Valid(b) {
		return string(b), true // the label is wrong: no such text happens to be UTF-8
	}
	if enc == utf16Big && littleEndian(b) {
		enc = utf16Little
	}
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return repairUTF8(b), true
	}
	return strings.ToValidUTF8(string(out), "\ufffd"), true
}

func western(enc encoding.Encoding) bool {
	return enc == charmap.Windows1252 || enc == charmap.ISO8859_1 || enc == charmap.ISO8859_15
}

// manyRunes says that b, if it is UTF-8, has so many letters beyond ASCII that no
// text in another charset can look like it: not even one of Chinese, whose pairs
// of octets now and then do.
func manyRunes(b []byte) bool {
	const many = 6
	n := 0
	for i := 0; i < len(b) && n < many; i++ {
		if b[i] >= 0xc2 {
			n++
		}
	}
	return n == many
}

// littleEndian tells the order of UTF-16 without a mark by where the zeros of
// Latin letters, spaces and line ends stand.
func littleEndian(b []byte) bool {
	if len(b) < 2 || b[0] == 0xfe && b[1] == 0xff || b[0] == 0xff && b[1] == 0xfe {
		return false
	}
	zeros := [2]int{}
	for i, c := range b {
		if c == 0 {
			zeros[i&1]++
		}
	}
	return zeros[1] > zeros[0]
}

// shifting says that ASCII bytes may mean something else in enc.
func shifting(enc encoding.Encoding) bool {
	_, single := enc.(*charmap.Charmap)
	return !single && enc != japanese.ShiftJIS && enc != japanese.EUCJP && enc != korean.EUCKR &&
		enc != simplifiedchinese.GBK && enc != simplifiedchinese.GB18030
}

// repairUTF8 reads b as what it must be by its own marks, as UTF-8, and as
// windows-1252 if it is rather that. A few
// bad bytes in a text that is otherwise UTF-8 do not spoil the rest of it.
func repairUTF8(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")): // a mark that nothing else begins with
		if out, err := utf16Big.NewDecoder().Bytes(b); err == nil {
			return string(out)
		}
	case bytes.Contains(b, []byte("\x1b$")) && ascii(b): // old Japanese mail names no charset
		if out, err := japanese.ISO2022JP.NewDecoder().Bytes(b); err == nil {
			return string(out)
		}
	case utf8.Valid(b):
		return string(b)
	}
	good, bad := 0, 0
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			bad++
		} else {
			good++
		}
		i += n
	}
	if good > bad {
		return string(bytes.ToValidUTF8(b, []byte("\ufffd")))
	}
	out, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return string(bytes.ToValidUTF8(b, []byte("\ufffd")))
	}
	return string(out)
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
