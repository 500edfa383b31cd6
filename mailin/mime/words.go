package mime

import (
	"encoding/base64"
	"strings"
)

// DecodeWords decodes the encoded words of RFC 2047 in s, once: what comes out
// is never looked at again, so an encoded word cannot hide another (R20). What
// is no proper encoded word stays as it is. Words that follow one another in
// the same charset are joined before they are decoded, since many programs
// cut characters in two.
func DecodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return s
	}
	var out strings.Builder
	var pending []byte // decoded octets that wait for the next word
	var pendingCharset string
	flush := func() {
		if pending != nil {
			text, _ := toUTF8(pending, pendingCharset)
			out.WriteString(text)
			pending = nil
		}
	}
	for s != "" {
		i := strings.Index(s, "=?")
		if i < 0 {
			break
		}
		cs, octets, n, ok := encodedWord(s[i:])
		between := s[:i]
		if !ok {
			flush()
			out.WriteString(s[:i+2])
			s = s[i+2:]
			continue
		}
		if pending == nil || strings.Trim(between, " \t\r\n") != "" {
			flush()
			out.WriteString(between)
		} else if !strings.EqualFold(cs, pendingCharset) {
			flush()
		}
		if pending == nil {
			pending = []byte{}
		}
		pending, pendingCharset = append(pending, octets...), cs
		s = s[i+n:]
	}
	flush()
	out.WriteString(s)
	return strings.ReplaceAll(strings.ToValidUTF8(out.String(), "\ufffd"), "\x00", "")
}

// encodedWord reads the encoded word that s begins with; n is its length.
func encodedWord(s string) (charset string, octets []byte, n int, ok bool) {
	const longest = 1000 // RFC 2047 allows 75; real mail goes beyond
	rest := s[2:min(len(s), longest)]
	charset, rest, ok = strings.Cut(rest, "?")
	if !ok || charset == "" || strings.ContainsAny(charset, " \t=") {
		return "", nil, 0, false
	}
	how, rest, ok := strings.Cut(rest, "?")
	if !ok || len(how) != 1 {
		return "", nil, 0, false
	}
	text, _, ok := strings.Cut(rest, "?=")
	if !ok {
		return "", nil, 0, false
	}
	n = 2 + len(charset) + 1 + len(how) + 1 + len(text) + 2
	charset, _, _ = strings.Cut(charset, "*") // RFC 2231 §5: a language may follow
	switch how {
	case "q", "Q":
		return charset, decodeQ(text), n, true
	case "b", "B":
		text = strings.TrimRight(strings.Join(strings.Fields(text), ""), "=")
		octets, err := base64.RawStdEncoding.DecodeString(text)
		if err != nil && len(octets) == 0 {
			return "", nil, 0, false
		}
		return charset, octets, n, true
	}
	return "", nil, 0, false
}

func decodeQ(s string) []byte {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '_':
			out = append(out, ' ')
		case c == '=' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			out = append(out, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return out
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
