package core

import (
	"strings"
	"unicode/utf8"
)

// clean makes one line of at most max characters: valid UTF-8, without control
// characters (R19, R21).
func clean(s string, max int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0:
			return -1
		case r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, s)
	return cut(strings.TrimSpace(s), max)
}

// cut shortens s to at most max characters.
func cut(s string, max int) string {
	if len(s) <= max || utf8.RuneCountInString(s) <= max {
		return s
	}
	n := 0
	for i := range s {
		if n == max-1 {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

// firstLines is the beginning of a text, for lists and questions.
func firstLines(s string, lines, max int) string {
	parts := strings.SplitN(strings.TrimSpace(s), "\n", lines+1)
	if len(parts) > lines {
		parts = parts[:lines]
	}
	return cut(strings.Join(parts, "\n"), max)
}
