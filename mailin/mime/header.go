package mime

import (
	"bytes"
	"net/mail"
	"strings"
	"time"
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
func (h Header) Token(name string) string {
	v := stripComments(h.First(name))
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
	text := repairUTF8(block)
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
			if !strings.HasPrefix(line, "From ") && !strings.HasPrefix(line, ">From ") && strings.TrimSpace(line) != "" {
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

// dateLayouts are what net/mail does not read and real mail holds.
var dateLayouts = []string{
	"Mon, 2 Jan 2006 15:04:05", "2 Jan 2006 15:04:05", "Mon, 2 Jan 2006 15:04 -0700",
	"Mon Jan 2 15:04:05 2006", "Mon Jan _2 15:04:05 MST 2006", "Mon Jan _2 15:04:05 2006 -0700",
	"Mon, 2-Jan-2006 15:04:05 -0700", "Mon, 02 Jan 06 15:04:05 MST",
	time.RFC3339, "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05",
}

func parseDate(s string) time.Time {
	s = strings.Join(strings.Fields(stripComments(s)), " ")
	if s == "" || len(s) > 100 {
		return time.Time{}
	}
	if t, err := mail.ParseDate(s); err == nil {
		return sane(t)
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return sane(t)
		}
	}
	return time.Time{}
}

// sane drops years that no store can keep.
func sane(t time.Time) time.Time {
	if y := t.Year(); y < 1970 || y > 2200 {
		return time.Time{}
	}
	return t
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
