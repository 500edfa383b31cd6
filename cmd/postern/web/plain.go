package web

import (
	"fmt"
	"strings"
	"unicode"
)

// line makes one harmless line of what other people wrote (R21): no control
// characters, nothing that changes the direction of what follows, line breaks
// as spaces. Mail is cleaned when it is filed; this is for whatever was not.
func line(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r) || turns(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}

// turns reports whether a character embeds, overrides or isolates a direction.
func turns(r rune) bool {
	return r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069'
}

// source shows raw bytes as they are: what does not print becomes its number.
func source(raw []byte) string {
	var b strings.Builder
	text := strings.ReplaceAll(string(raw), "\r\n", "\n")
	for i, r := range text {
		switch {
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r == unicode.ReplacementChar && text[i] != 0xEF:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case unicode.IsControl(r) || turns(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// size is a number of octets for people: decimal, as mail programs count.
func size(octets int64) string {
	n, unit := float64(octets), 0
	units := []string{"B", "kB", "MB", "GB"}
	for n >= 999.5 && unit < len(units)-1 {
		n, unit = n/1000, unit+1
	}
	if unit == 0 || n >= 9.95 {
		return fmt.Sprintf("%.0f %s", n, units[unit])
	}
	return fmt.Sprintf("%.1f %s", n, units[unit])
}
