package mime

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Address is one mailbox.
type Address struct {
	Name    string // decoded and cleaned (R21)
	Address string // local@domain, the domain in ASCII form, all lower case (R30)
}

const (
	nameRunes    = 100 // R17
	longestEmail = 320
)

// ParseAddresses reads an address list. What is no mailbox is left out and
// costs nobody else theirs. Encoded words are decoded after the structure is
// known and only in names, so they never add or change an address (R20).
//
// Where a field is ambiguous (two addresses without a comma between) all of
// them are returned: who asks for exactly one then has none.
func ParseAddresses(field string, most int) []Address {
	if most <= 0 || field == "" {
		return nil
	}
	if !utf8.ValidString(field) {
		field = repairUTF8([]byte(field))
	}
	s := addressScanner{s: field}
	var list []Address
	for len(list) < most && s.piece() {
		list = append(list, s.mailboxes()...)
	}
	return list[:min(len(list), most)]
}

// addressScanner takes a list apart, in one pass.
type addressScanner struct {
	s    string
	pos  int
	name string   // words outside <>
	note string   // the last comment
	in   []string // what stood in <>
	left string   // words before a comma that look like "Doe, John <...>"
	odd  bool     // a quote without its end was seen: quotes are letters from here on
}

// piece reads up to the next separator. It returns false at the end.
func (a *addressScanner) piece() bool {
	if a.pos >= len(a.s) {
		return false
	}
	var words strings.Builder
	a.name, a.note, a.in = "", "", nil
	for a.pos < len(a.s) {
		switch c := a.s[a.pos]; c {
		case ',', ';':
			a.pos++
			a.name = words.String()
			return true
		case ':':
			// a group's name ends here, unless this is a bare word like mailto:
			a.pos++
			words.Reset()
			a.left = ""
		case '"':
			words.WriteString(a.quoted())
		case '(':
			a.note = a.comment()
			words.WriteByte(' ')
		case '<':
			a.in = append(a.in, a.angle())
			words.WriteByte(' ')
		case '[':
			end := strings.IndexByte(a.s[a.pos:], ']')
			if end < 0 {
				end = len(a.s) - a.pos - 1
			}
			words.WriteString(a.s[a.pos : a.pos+end+1])
			a.pos += end + 1
		default:
			words.WriteByte(c)
			a.pos++
		}
	}
	a.name = words.String()
	return true
}

// quoted reads a quoted string, quotes kept.
func (a *addressScanner) quoted() string {
	for i := a.pos + 1; i < len(a.s) && !a.odd; i++ {
		switch a.s[i] {
		case '\\':
			i++
		case '"':
			q := a.s[a.pos : i+1]
			a.pos = i + 1
			return q
		}
	}
	a.pos++
	a.odd = true
	return ""
}

func (a *addressScanner) comment() string {
	depth := 0
	for i := a.pos; i < len(a.s); i++ {
		switch a.s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				c := a.s[a.pos+1 : i]
				a.pos = i + 1
				return c
			}
		}
	}
	c := a.s[a.pos+1:]
	a.pos = len(a.s)
	return c
}

// angle reads <...>; without its end it goes to the next comma. Commas stand in
// old routes only.
func (a *addressScanner) angle() string {
	route := strings.HasPrefix(strings.TrimLeft(a.s[a.pos+1:], " \t"), "@")
	for i := a.pos + 1; i < len(a.s); i++ {
		switch a.s[i] {
		case ',', ';':
			if !route {
				in := a.s[a.pos+1 : i]
				a.pos = i
				return in
			}
		case '"':
			if end := strings.IndexByte(a.s[i+1:], '"'); end >= 0 {
				i += end + 1
			}
		case '>':
			in := a.s[a.pos+1 : i]
			for a.pos = i + 1; in != "" && a.pos < len(a.s) && a.s[a.pos] == '>'; a.pos++ {
			}
			return in
		case '<':
			in := a.s[a.pos+1 : i]
			a.pos = i
			return in
		}
	}
	end := strings.IndexAny(a.s[a.pos:], ",;")
	if end < 0 {
		end = len(a.s) - a.pos
	}
	in := a.s[a.pos+1 : a.pos+end]
	a.pos += end
	return in
}

// mailboxes are the valid ones of the current piece: one as a rule.
func (a *addressScanner) mailboxes() []Address {
	if len(a.in) == 0 {
		return a.bare()
	}
	name := displayName(a.left + a.name)
	if name == "" {
		name = displayName(a.note)
	}
	a.left = ""
	var list []Address
	for _, in := range a.in {
		if i := strings.LastIndexByte(in, ':'); i >= 0 && strings.HasPrefix(strings.TrimSpace(in), "@") {
			in = in[i+1:] // an old route, RFC 5322 §4.4
		}
		in = strings.TrimSpace(in)
		if len(in) > 7 && strings.EqualFold(in[:7], "mailto:") {
			in = in[7:]
		}
		if addr := Normal(unspaced(stripComments(in))); addr != "" {
			list = append(list, Address{name, addr})
		}
	}
	return list
}

// bare reads a piece without angle brackets. What stands before its only
// address is its name.
func (a *addressScanner) bare() []Address {
	var list []Address
	var before []string
	all := words(unspaced(a.name))
	for _, word := range all {
		if addr := Normal(peeled(word)); addr != "" {
			list = append(list, Address{displayName(a.note), addr})
		} else if len(list) == 0 {
			before = append(before, word)
		}
	}
	if len(list) == 1 && list[0].Name == "" && Normal(peeled(all[len(all)-1])) != "" {
		list[0].Name = displayName(a.left + strings.Join(before, " "))
	}
	if len(list) == 0 && len(a.left)+len(a.name) < 1000 {
		a.left += a.name + ","
	} else {
		a.left = ""
	}
	return list
}

// unspaced takes away the space that old mail has around the @ (RFC 5322
// §4.4).
func unspaced(s string) string {
	if !strings.Contains(s, " @") && !strings.Contains(s, "@ ") || strings.IndexByte(s, '"') >= 0 {
		return s
	}
	local, domain, _ := strings.Cut(s, "@")
	return strings.TrimRight(local, " \t") + "@" + strings.TrimLeft(domain, " \t")
}

// peeled takes away what people and programs put around an address instead
// of angle brackets, or what is left of those.
func peeled(word string) string {
	word = strings.Trim(word, "<>")
	for _, pair := range []string{"[]", "''"} {
		if len(word) > 2 && word[0] == pair[0] && word[len(word)-1] == pair[1] {
			word = word[1 : len(word)-1]
		}
	}
	if len(word) > 7 && strings.EqualFold(word[:7], "mailto:") {
		word = word[7:]
	}
	return word
}

// words splits at spaces outside quotes.
func words(s string) []string {
	quoted := false
	return strings.FieldsFunc(s, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return !quoted && (r == ' ' || r == '\t')
	})
}

func displayName(raw string) string {
	raw = strings.Trim(raw, " \t,")
	if strings.ContainsAny(raw, `"\`) {
		var b strings.Builder
		for i := 0; i < len(raw); i++ {
			switch raw[i] {
			case '"':
				continue
			case '\\':
				if i+1 < len(raw) {
					i++
				}
			}
			b.WriteByte(raw[i])
		}
		raw = b.String()
	}
	return Clean(DecodeWords(raw), nameRunes)
}

var toASCII = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

// Normal is a bare address in the one form that addresses are compared in
// (R30), or "" if it is none.
func Normal(s string) string {
	if len(s) > longestEmail {
		return ""
	}
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at == len(s)-1 {
		return ""
	}
	local, domain := localPart(s[:at]), lower(strings.TrimSuffix(s[at+1:], "."))
	if local == "" {
		return ""
	}
	if !isASCII(domain) {
		ascii, err := toASCII.ToASCII(domain)
		if err != nil {
			return ""
		}
		domain = ascii
	}
	if !validDomain(domain) {
		return ""
	}
	return local + "@" + domain
}

// localPart is lower case; quotes that are not needed are dropped.
func localPart(s string) string {
	s = lower(s)
	quoted := false
	if len(s) > 2 && s[0] == '"' && s[len(s)-1] == '"' {
		in := s[1 : len(s)-1]
		if !strings.ContainsAny(in, "\"\\ ()<>[]:;@,") {
			s = in
		} else {
			quoted = true
			s = in
		}
	}
	for _, r := range s {
		if r == utf8.RuneError || unicode.IsControl(r) || bidiControl(r) || unicode.Is(unicode.Cf, r) ||
			!quoted && (unicode.IsSpace(r) || strings.ContainsRune("\"()<>[]:;@,\\", r)) {
			return ""
		}
	}
	if quoted {
		return `"` + s + `"`
	}
	return s
}

func validDomain(d string) bool {
	if strings.HasPrefix(d, "[") && strings.HasSuffix(d, "]") {
		return len(d) > 2 && !strings.ContainsAny(d[1:len(d)-1], "[] @<>\",;")
	}
	if len(d) > 253 {
		return false
	}
	for label := range strings.SplitSeq(d, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := 0; i < len(label); i++ {
			c := label[i]
			if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
				return false
			}
		}
	}
	return true
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
