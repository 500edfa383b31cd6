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
	var carry string   // letters of base64 that are no whole group: the next word may go on
	var charset string // of both
	waiting := false
	flush := func() {
		if waiting {
			octets, _ := decodeB(carry)
			text, _ := toUTF8(append(pending, octets...), charset)
			out.WriteString(text)
			pending, carry, waiting = nil, "", false
		}
	}
	for s != "" {
		i := strings.Index(s, "=?")
		if i < 0 {
			break
		}
		w, ok := encodedWord(s[i:])
		between := s[:i]
		if !ok {
			flush()
			out.WriteString(s[:i+2])
			s = s[i+2:]
			continue
		}
		if !waiting || strings.Trim(between, " \t\r\n") != "" {
			flush()
			out.WriteString(between)
		} else if !strings.EqualFold(w.charset, charset) {
			flush()
		}
		text := w.text
		if w.base64 && (len(carry)+len(text))%4 == 0 {
			text, carry = carry+text, ""
		}
		octets, _ := decodeB(carry)
		pending, carry = append(pending, octets...), ""
		if w.base64 {
			octets, carry = decodeB(text)
			octets = octets[:len(octets)-max(len(carry)-1, 0)]
		} else {
			octets = decodeQ(text)
		}
		pending = append(pending, octets...)
		charset, waiting = w.charset, true
		s = s[i+w.length:]
	}
	flush()
	out.WriteString(s)
	return strings.ReplaceAll(strings.ToValidUTF8(out.String(), "\ufffd"), "\x00", "")
}

// word is an encoded word.
type word struct {
	charset string
	base64  bool
	text    string // still encoded
	length  int    // of the whole
}

// encodedWord reads the encoded word that s begins with.
func encodedWord(s string) (w word, ok bool) {
	const longest = 1000 // RFC 2047 allows 75; real mail goes beyond
	rest := s[2:min(len(s), longest)]
	charset, rest, ok := strings.Cut(rest, "?")
	if !ok || charset == "" || strings.ContainsAny(charset, " \t=") {
		return w, false
	}
	how, rest, ok := strings.Cut(rest, "?")
	if !ok || len(how) != 1 {
		return w, false
	}
	end := strings.Index(rest, "?=")
	if end < 0 {
		return w, false
	}
	w.length = 2 + len(charset) + 1 + len(how) + 1
	w.charset, _, _ = strings.Cut(charset, "*") // RFC 2231 §5: a language may follow
	switch how {
	case "q", "Q":
		// a question mark that was not coded, before a code
		for code := rest[end+2:]; len(code) > 2 && unhex(code[0]) >= 0 && unhex(code[1]) >= 0; code = rest[end+2:] {
			more := strings.Index(code, "?=")
			if more < 0 || strings.ContainsAny(code[:more], " \t?") {
				break
			}
			end += 2 + more
		}
	case "b", "B":
		w.base64 = true
	default:
		return w, false
	}
	w.text = rest[:end]
	w.length += end + 2
	if w.base64 {
		w.text = strings.Join(strings.Fields(w.text), "")
		if octets, _ := decodeB(w.text); len(octets) == 0 && strings.Trim(w.text, "=") != "" && len(w.text) > 1 {
			return w, false
		}
	}
	return w, true
}

// decodeB decodes base64 up to what is none. rest is the last group if it has
// no padding and is not whole; its octets are among the others.
func decodeB(s string) (octets []byte, rest string) {
	letters := strings.TrimRight(s, "=")
	n := len(letters) % 4
	whole := letters
	if n == 1 { // a single letter holds no octet
		whole = letters[:len(letters)-1]
	}
	octets, err := base64.RawStdEncoding.DecodeString(whole)
	if err == nil && letters == s && n > 0 {
		rest = letters[len(letters)-n:]
	}
	return octets, rest
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
