package mime

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// describe reads a part's Content-Type: the topmost that can be used. Without
// one a part is plain text (RFC 2045 §5.2).
func (p *part) describe() {
	for _, field := range p.header.All("Content-Type") {
		p.mediaType, p.params = parseParams(field)
		major, minor, ok := strings.Cut(p.mediaType, "/")
		if ok && major != "" && minor != "" && !strings.ContainsAny(p.mediaType, " \t,\"<>()@[]?={}\\") {
			return
		}
	}
	p.mediaType = "text/plain"
	if p.params == nil {
		p.params = map[string]string{}
	}
}

const (
	mostParams = 200
	mostPieces = 100 // of one parameter
)

// parameter is one that came in pieces or with a charset (RFC 2231).
type parameter struct {
	pieces  map[int]string
	encoded map[int]bool
}

// parseParams reads a value with parameters (Content-Type,
// Content-Disposition): RFC 2045, with the continuations and charsets of
// RFC 2231, and with the faults of real mail: no quotes around spaces and
// parentheses, empty parameters, encoded words.
func parseParams(s string) (value string, params map[string]string) {
	value, rest := s, ""
	if i := endOfValue(s); i < len(s) {
		value, rest = s[:i], s[i+1:]
	}
	value = lower(Clean(stripComments(value), 200))
	params = map[string]string{}
	split := map[string]*parameter{}
	for n := 0; rest != "" && n < mostParams; n++ {
		var name, v string
		name, v, rest = nextParam(rest)
		if name == "" {
			continue
		}
		base, number, starred := strings.Cut(name, "*")
		if !starred {
			if _, again := params[name]; !again {
				if isName(name) {
					v = DecodeWords(v)
				}
				params[name] = v
			}
			continue
		}
		number, encoded := strings.CutSuffix(number, "*")
		if number == "" && name == base+"*" {
			number, encoded = "0", true
		}
		i, err := strconv.Atoi(number)
		if err != nil || i < 0 || i >= mostPieces {
			continue
		}
		if split[base] == nil {
			split[base] = &parameter{map[int]string{}, map[int]bool{}}
		}
		if _, again := split[base].pieces[i]; !again {
			split[base].pieces[i], split[base].encoded[i] = v, encoded
		}
	}
	for base, p := range split {
		params[base] = p.join(isName(base))
	}
	return value, params
}

func isName(param string) bool { return param == "name" || param == "filename" }

// endOfValue is where the first semicolon outside comments and quotes stands.
func endOfValue(s string) int {
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case c == '"' && depth == 0:
			quoted = !quoted
		case c == '(' && !quoted:
			depth++
		case c == ')' && !quoted && depth > 0:
			depth--
		case c == ';' && !quoted && depth == 0:
			return i
		}
	}
	if i := strings.IndexByte(s, ';'); i >= 0 { // a quote or comment without its end
		return i
	}
	return len(s)
}

// join puts the pieces together in the order of their numbers. Encoded words,
// which must not stand there and do, are decoded if nothing else was coded.
func (p *parameter) join(words bool) string {
	var octets []byte
	charset, coded := "", false
	for n, i := range slices.Sorted(maps.Keys(p.pieces)) {
		text := p.pieces[i]
		if p.encoded[i] {
			coded = true
			if n == 0 {
				if cs, after, ok := strings.Cut(text, "'"); ok {
					if _, after, ok := strings.Cut(after, "'"); ok {
						charset, text = cs, after
					}
				}
			}
			text = unpercent(text)
		}
		octets = append(octets, text...)
	}
	text, _ := toUTF8(octets, charset)
	if words && !coded {
		text = DecodeWords(text)
	}
	return text
}

// unpercent decodes what is coded and leaves what is not.
func unpercent(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0 {
			b = append(b, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
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
	name = lower(strings.TrimSpace(stripComments(s[:i])))
	s = strings.TrimLeft(s[i+1:], " \t")
	base, _, _ := strings.Cut(name, "*")
	if strings.HasPrefix(s, `"`) {
		value, rest = quotedParam(s, isName(base))
		return name, value, rest
	}
	if !isName(base) { // in a name parentheses are no comment
		i := endOfValue(s)
		value, rest = stripComments(s[:i]), s[min(i+1, len(s)):]
		return name, value, rest
	}
	value, rest, _ = strings.Cut(s, ";")
	return name, strings.TrimSpace(value), rest
}

// quotedParam reads the quoted string that s begins with. In file names quotes
// and backslashes stand that nobody quoted: there only a quote before a
// semicolon ends it, and only a quote or backslash is quoted by a backslash.
func quotedParam(s string, isName bool) (value, rest string) {
	var b strings.Builder
	i := 1
	for ; i < len(s); i++ {
		c := s[i]
		if c == '\\' && i+1 < len(s) && (!isName || s[i+1] == '"' || s[i+1] == '\\') {
			i++
			b.WriteByte(s[i])
			continue
		}
		if c == '"' && (!isName || endsParam(s[i+1:])) {
			break
		}
		b.WriteByte(c)
	}
	s = s[min(i, len(s)):]
	if strings.HasPrefix(s, `"`) {
		s = s[1:]
		if before, _, ok := strings.Cut(s, "="); ok && strings.TrimSpace(before) != "" && !strings.ContainsAny(before, "\";()") {
			return b.String(), s // somebody forgot the semicolon
		}
	}
	_, rest, _ = strings.Cut(s, ";")
	return b.String(), rest
}

// endsParam says that a quote before s ends a value.
func endsParam(s string) bool {
	s = strings.TrimLeft(s[:min(len(s), 80)], " \t")
	if s == "" || s[0] == ';' || s[0] == '(' {
		return true
	}
	i := strings.IndexAny(s, "= \t\"")
	return i > 0 && s[i] == '=' // the next parameter, without a semicolon
}
