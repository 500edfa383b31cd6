package mime

import (
	"bytes"
	"strings"
	"time"
	"unicode/utf8"
)

// Field is one header field.
type Field struct {
	Name  string // as written
	Value string // unfolded and in UTF-8, encoded words not decoded
}

// Header holds a mail's fields in their order, topmost first. Names are
// compared without case.
type Header []Field

// First is the topmost field's value, undecoded; "" if there is none.
func (h Header) First(name string) string {
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// All is the values of all fields of that name, topmost first.
func (h Header) All(name string) []string {
	var all []string
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			all = append(all, f.Value)
		}
	}
	return all
}

// Has says whether there is such a field, be it empty.
func (h Header) Has(name string) bool {
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			return true
		}
	}
	return false
}

// Text is the topmost field decoded for people: one line, no control
// characters (R21). most is in characters; 0 is no limit.
func (h Header) Text(name string, most int) string {
	return Clean(DecodeWords(h.First(name)), most)
}

// Addresses are the mailboxes of all fields of that name, most of them at
// most.
func (h Header) Addresses(name string, most int) []Address {
	var all []Address
	for _, v := range h.All(name) {
		all = append(all, ParseAddresses(v, most-len(all))...)
		if len(all) >= most {
			break
		}
	}
	return all
}

// Date is the topmost Date field, zero if it cannot be understood.
func (h Header) Date() time.Time {
	return parseDate(h.First("Date"))
}

// Token is the topmost field without comments and parameters, lower case: how
// fields like Auto-Submitted and Precedence are compared (R26).
func (h Header) Token(name string) string { return token(h.First(name)) }

// Tokens are those of all fields of that name, topmost first.
func (h Header) Tokens(name string) []string {
	var all []string
	for _, v := range h.All(name) {
		all = append(all, token(v))
	}
	return all
}

func token(field string) string {
	v := stripComments(field)
	if i := strings.IndexByte(v, ';'); i >= 0 {
		v = v[:i]
	}
	return lower(Clean(v, 200))
}

// fields parses a header block, repairing what can be repaired: mbox lines and
// lines without a colon are left out with their continuations.
func (rd *reader) fields(block []byte, most int, want func(lowerName string) bool) Header {
	if i := bytes.IndexByte(block, 0); i >= 0 {
		rd.flaw("NUL in the header")
		block = bytes.ReplaceAll(block, []byte{0}, nil)
	}
	text := headerText(block)
	n := 0
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' && i+1 < len(text) && text[i+1] != ' ' && text[i+1] != '\t' {
			n++
		}
	}
	h := make(Header, 0, min(n+1, most))
	for text != "" {
		line := nextField(&text)
		name, value, ok := strings.Cut(line, ":")
		name = fieldName(name)
		switch {
		case !ok || name == "":
			if !fromLine([]byte(line)) && strings.TrimSpace(line) != "" {
				rd.flaw("header line without a field name: left out")
			}
			continue
		case len(h) >= most:
			rd.flaw("more than %d header fields: the rest is ignored", most)
			return h
		case !want(lower(name)):
			continue
		}
		if len(value) > rd.limits.FieldBytes {
			rd.flaw("field %s cut at %s", name, size(int64(rd.limits.FieldBytes)))
			value = strings.ToValidUTF8(value[:rd.limits.FieldBytes], "")
		}
		h = append(h, Field{name, unfold(value)})
	}
	return h
}

// headerText is a block in UTF-8. Fields that are not are read by themselves:
// in the charset that the block declares for the body, which is the writer's,
// else as R20 says.
func headerText(block []byte) string {
	if utf8.Valid(block) && bytes.IndexByte(block, 0x1b) < 0 {
		return string(block)
	}
	declared := ""
	for rest := string(block); rest != "" && declared == ""; {
		name, value, _ := strings.Cut(nextField(&rest), ":")
		if strings.EqualFold(strings.TrimSpace(name), "Content-Type") {
			_, params := parseParams(repairUTF8([]byte(unfold(value))))
			declared = params["charset"]
		}
	}
	var b strings.Builder
	for rest := string(block); rest != ""; {
		field := nextField(&rest)
		switch text, known := toUTF8([]byte(field), declared); {
		case utf8.ValidString(field) && strings.IndexByte(field, 0x1b) < 0:
			b.WriteString(field)
		case declared != "" && known && strings.Count(text, "\n") == strings.Count(field, "\n"):
			b.WriteString(text)
		default:
			b.WriteString(repairUTF8([]byte(field)))
		}
	}
	return b.String()
}

// nextField cuts the first field with its continuation lines off text.
func nextField(text *string) string {
	s := *text
	for i := 0; ; {
		j := strings.IndexByte(s[i:], '\n')
		if j < 0 {
			*text = ""
			return s
		}
		i += j + 1
		if i >= len(s) || s[i] != ' ' && s[i] != '\t' {
			*text = s[i:]
			return s[:i]
		}
	}
}

// fieldName is s without the space that some programs put before the colon, or
// "" if it is no field name (RFC 5322 §3.6.8).
func fieldName(s string) string {
	s = strings.TrimRight(s, " \t")
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] >= 127 || s[i] == ':' {
			return ""
		}
	}
	return s
}

// unfold makes one line of a field's value. A lone CR or LF is space as well:
// no value ever carries a line break.
func unfold(s string) string {
	s = strings.TrimSpace(s)
	if !strings.ContainsAny(s, "\r\n") {
		return s
	}
	s = strings.ReplaceAll(s, "\r\n", "")
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(s)
}

// stripComments removes RFC 5322 comments, which may be nested, outside quoted
// strings.
func stripComments(s string) string {
	if strings.IndexByte(s, '(') < 0 {
		return strings.TrimSpace(s)
	}
	var b strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			if depth == 0 {
				b.WriteString(s[i : i+2])
			}
			i++
		case c == '"' && depth == 0:
			quoted = !quoted
			b.WriteByte(c)
		case c == '(' && !quoted:
			depth++
		case c == ')' && !quoted && depth > 0:
			depth--
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return strings.TrimSpace(b.String())
}
