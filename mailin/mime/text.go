package mime

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes a label of s: one line without control characters and without
// bidirectional embeddings, overrides and isolates (R21), runs of space made
// one, cut at most characters (0 is no limit).
func Clean(s string, most int) string {
	if isClean(s) && (most <= 0 || len(s) <= most) {
		return s
	}
	var b strings.Builder
	n, space := 0, false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) || r == '\u2028' || r == '\u2029':
			space = true
			continue
		case unicode.IsControl(r) || bidiControl(r) || r == '\ufeff':
			continue
		}
		if space && b.Len() > 0 {
			if n++; most > 0 && n > most {
				break
			}
			b.WriteByte(' ')
		}
		space = false
		if n++; most > 0 && n > most {
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimRight(b.String(), " ")
}

// isClean is the quick way for plain ASCII.
func isClean(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 127 || s[i] == ' ' && (i == 0 || i == len(s)-1 || s[i+1] == ' ') {
			return false
		}
	}
	return true
}

// bidiControl are the characters that reorder what stands around them: embeddings,
// overrides and isolates. The harmless marks of right-to-left text stay.
func bidiControl(r rune) bool {
	return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// validText is body text as it is stored: line feeds only, no NUL (R19), no
// other control characters but tabs, no byte order mark.
func validText(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	i := 0
	for i < len(s) && !suspectByte[s[i]] {
		i++
	}
	if i == len(s) {
		return s
	}
	b := make([]byte, 0, len(s))
	b = append(b, s[:i]...)
	for i < len(s) {
		c := s[i]
		if !suspectByte[c] {
			j := i + 1
			for j < len(s) && !suspectByte[s[j]] {
				j++
			}
			b = append(b, s[i:j]...)
			i = j
			continue
		}
		switch {
		case c == '\r':
			if i+1 >= len(s) || s[i+1] != '\n' {
				b = append(b, '\n') // a lone CR is a line end
			}
			i++
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRuneInString(s[i:])
			if !unicode.IsControl(r) && r != '\ufeff' {
				b = append(b, s[i:i+n]...)
			}
			i += n
		}
	}
	return string(b)
}

// suspectByte marks the octets at which validText looks twice: control
// characters, and the first octet of those beyond ASCII (C1, U+FEFF).
var suspectByte = func() (t [256]bool) {
	for c := range ' ' {
		t[c] = c != '\n' && c != '\t'
	}
	t[127], t[0xc2], t[0xef] = true, true, true
	return t
}()

// cutText cuts s at most octets, on a character's edge.
func cutText(s string, most int) (string, bool) {
	if most <= 0 || len(s) <= most {
		return s, false
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most], true
}

func lower(s string) string { return strings.ToLower(s) }

// size tells octets to people.
func size(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d octets", n)
}
