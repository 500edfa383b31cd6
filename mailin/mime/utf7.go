package mime

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decodeUTF7 reads UTF-7 (RFC 2152). It is used for a declared UTF-7 alone:
// text of any other name that looks like it stays what it is.
func decodeUTF7(b []byte) string {
	var out strings.Builder
	out.Grow(len(b))
	for i := 0; i < len(b); {
		if b[i] != '+' {
			r, n := utf8.DecodeRune(b[i:]) // octets beyond ASCII must not stand here
			out.WriteRune(r)
			i += n
			continue
		}
		i++
		if i < len(b) && b[i] == '-' {
			out.WriteByte('+')
			i++
			continue
		}
		var units []uint16
		bits, n, start := uint32(0), 0, i
		for ; i < len(b) && base64Letter[b[i]]; i++ {
			bits = bits<<6 | uint32(base64Value(b[i]))
			if n += 6; n >= 16 {
				n -= 16
				units = append(units, uint16(bits>>n))
			}
		}
		if i == start {
			out.WriteByte('+') // a plus that nobody shifted with
			continue
		}
		for _, r := range utf16.Decode(units) {
			out.WriteRune(r)
		}
		if i < len(b) && b[i] == '-' {
			i++
		}
	}
	return out.String()
}

func base64Value(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c - 'A'
	case c >= 'a' && c <= 'z':
		return c - 'a' + 26
	case c >= '0' && c <= '9':
		return c - '0' + 52
	case c == '+':
		return 62
	}
	return 63
}
