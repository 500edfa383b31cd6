package mime

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// describe reads a part's Content-Type. Without a usable one a part is plain
// text (RFC 2045 §5.2).
func (p *part) describe() {
	p.mediaType, p.params = parseParams(p.header.First("Content-Type"))
	major, minor, ok := strings.Cut(p.mediaType, "/")
	if !ok || major == "" || minor == "" || strings.ContainsAny(p.mediaType, " \t,\"<>()@[]?={}\\") {
		p.mediaType = "text/plain"
	}
}

// parseParams reads a value with parameters (Content-Type,
// Content-Disposition): RFC 2045, with the continuations and charsets of
// RFC 2231, and with the faults of real mail: no quotes around spaces, empty
// parameters, encoded words.
func parseParams(s string) (value string, params map[string]string) {
	s = stripComments(s)
	value, rest, _ := strings.Cut(s, ";")
	value = lower(Clean(value, 200))
	params = map[string]string{}
	type piece struct {
		text    string
		encoded bool
	}
	pieces := map[string]map[int]piece{} // RFC 2231 parts by name and number
	for n := 0; rest != "" && n < 200; n++ {
		var name, v string
		name, v, rest = nextParam(rest)
		if name == "" {
			continue
		}
		base, number, _ := strings.Cut(name, "*")
		if base == name {
			if _, again := params[name]; !again {
				params[name] = v
			}
			continue
		}
		number, encoded := strings.CutSuffix(number, "*")
		if name == base+"*" {
			number, encoded = "0", true
		}
		i, err := strconv.Atoi(number)
		if err != nil || i < 0 || i > 100 {
			continue
		}
		if pieces[base] == nil {
			pieces[base] = map[int]piece{}
		}
		if _, again := pieces[base][i]; !again {
			pieces[base][i] = piece{v, encoded}
		}
	}
	for base, parts := range pieces {
		var octets []byte
		declared := ""
		for _, i := range slices.Sorted(maps.Keys(parts)) {
			p := parts[i]
			text := p.text
			if p.encoded {
				if i == 0 {
					if cs, after, ok := strings.Cut(text, "'"); ok {
						if _, after, ok := strings.Cut(after, "'"); ok {
							declared, text = cs, after
						}
					}
				}
				if plain, err := url.PathUnescape(text); err == nil {
					text = plain
				}
			}
			octets = append(octets, text...)
		}
		params[base], _ = toUTF8(octets, declared)
	}
	return value, params
}

// nextParam cuts the first parameter off s.
func nextParam(s string) (name, value, rest string) {
	s = strings.TrimLeft(s, "; \t")
	i := strings.IndexAny(s, "=;")
	if i < 0 {
		return "", "", ""
	}
	if s[i] == ';' {
		return "", "", s[i+1:]
	}
	name = lower(strings.TrimSpace(s[:i]))
	s = strings.TrimLeft(s[i+1:], " \t")
	if !strings.HasPrefix(s, `"`) {
		value, rest, _ = strings.Cut(s, ";")
		return name, strings.TrimSpace(value), rest
	}
	var b strings.Builder
	for i = 1; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			b.WriteByte(s[i])
			continue
		}
		if s[i] == '"' {
			break
		}
		b.WriteByte(s[i])
	}
	_, rest, _ = strings.Cut(s[min(i, len(s)):], ";")
	return name, b.String(), rest
}
