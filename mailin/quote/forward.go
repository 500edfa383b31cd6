package quote

import (
	"slices"
	"strings"
)

// Quote is a mail that stands in the text of another, as its words say.
type Quote struct {
	From    string // as written: name, address or both
	Date    string
	Subject string
	Text    string
	// Announced says that a line such as "Forwarded message" begins it. Outlook
	// writes none: there a forwarded mail looks like a quoted one.
	Announced bool

	fromField string // the name of the field that names From: it tells the language
}

// IsForward says that a mail with this subject forwards q, and does not answer
// it: it announces q, or its subject says so in the language of q's fields.
// "VS:" stands above an answer in Finnish, and above a forwarded mail in Danish
// and Norwegian.
func (q *Quote) IsForward(subject string) bool {
	if q.Announced {
		return true
	}
	i := strings.IndexAny(subject, ":：")
	if i < 0 {
		return false
	}
	switch prefix := strings.ToLower(strings.TrimSpace(subject[:i])); prefix {
	case "fw", "fwd":
		return true
	default:
		return slices.Contains(prefixes[prefix], q.fromField)
	}
}

// mostNameless is how many forwarded mails without an author are passed over: a
// text with more of them forwards nothing.
const mostNameless = 100

// Forwarded finds the outermost mail forwarded in text; before is what the
// writer put above it. What stands in the quoted history of a reply was not
// forwarded by this mail.
func Forwarded(text string) (before string, q Quote, ok bool) {
	t := newLines(text)
	nobody := 0
	for i := range t.all {
		if nobody > mostNameless {
			break
		}
		l := &t.all[i]
		switch {
		case l.bare == "":
		case t.forwards(i):
			q, ok := t.announcedAt(i)
			if !ok {
				nobody++
				continue
			}
			return strings.TrimSpace(t.join(0, t.above(i))), q, true
		case l.quoted && l.tail && t.written(i), strings.Contains(l.bare, Above):
			return text, Quote{}, false
		case !l.quoted && l.is != noField && t.headers(i):
			q, ok := t.quoteAt(i)
			if !ok {
				nobody++
				continue
			}
			return strings.TrimSpace(t.join(0, t.above(i))), q, true
		case !l.quoted && sentenceEnds(l.bare):
			if _, ok := t.attributed(i); ok {
				return text, Quote{}, false
			}
		}
	}
	return text, Quote{}, false
}

// announcedAt reads the mail that line i announces.
func (t *lines) announcedAt(i int) (q Quote, ok bool) {
	if _, rest, runs := runTogether(t.all[i].bare); runs {
		for _, f := range apart(rest) {
			switch is, value := field(f); {
			case is == from && q.From == "":
				q.From = plainAddress(value)
			case is == date && q.Date == "":
				q.Date = value
			case is == subject && q.Subject == "":
				q.Subject = value
			}
		}
		if q.From == "" {
			return Quote{}, false
		}
		q.Text, q.Announced = t.body(i+1, quoteDepth(t.all[i].bare)), true
		return q, true
	}
	for j := i + 1; j < len(t.all) && j <= i+4; j++ {
		if t.all[j].is != noField {
			q, ok = t.quoteAt(j)
			break
		}
		if b := t.all[j].bare; b != "" && sentenceEnds(b) {
			if q, ok = sentenceQuote(b); ok {
				q.Text = t.body(j+1, quoteDepth(b))
			}
			break
		}
	}
	q.Announced = ok
	return q, ok
}

// sentenceQuote reads `02.11.2026, 10:00, "Anna" <a@b>:`.
func sentenceQuote(s string) (q Quote, ok bool) {
	s = strings.TrimRight(strings.TrimLeft(s, "> *_"), " *_:：")
	open := strings.LastIndexByte(s, '<')
	if open < 0 || !strings.Contains(s[open:], "@") {
		return Quote{}, false
	}
	end := strings.IndexByte(s[open:], '>')
	if end < 0 {
		return Quote{}, false
	}
	name := strings.LastIndexByte(s[:open], ',')
	return Quote{From: strings.TrimSpace(s[name+1 : open+end+1]), Date: strings.Trim(s[:max(name, 0)], ", ")}, true
}

// quoteAt reads the fields from line i on and the text below them.
func (t *lines) quoteAt(i int) (q Quote, ok bool) {
	const mostFields, mostFolds, mostLines = 12, 8, 60
	depth := quoteDepth(t.all[i].bare)
	last, seen, folds := noField, 0, 0
	for end := min(len(t.all), i+mostLines); i < end && seen < mostFields; i++ {
		bare := t.all[i].bare
		words := strings.TrimSpace(strings.TrimLeft(bare, "> "))
		if words == "" {
			if next := i + 1; seen < 3 && next < len(t.all) && t.all[next].is != noField {
				continue // Apple's and converted mail puts empty lines between
			}
			break
		}
		if strings.Trim(words, "|-: ") == "" || seen > 0 && announced(words) {
			continue // the ruler of a converted table; Zoho says it below the fields too
		}
		if t.all[i].is == noField {
			if folds++; folds > mostFolds || !t.folded(i, last) {
				break
			}
			switch last {
			case subject:
				q.Subject += " " + words
			case from:
				q.From = plainAddress(q.From + " " + words)
			}
			continue
		}
		is, value := field(bare)
		if is == from && q.fromField == "" {
			q.fromField = fieldName(bare)
		}
		if is != other || last == noField {
			seen++
		}
		last = is
		switch {
		case is == from && q.From == "":
			q.From = plainAddress(value)
		case is == date && q.Date == "":
			q.Date = value
		case is == subject && q.Subject == "":
			q.Subject = value
		}
	}
	if q.From == "" || seen < 2 {
		return Quote{}, false
	}
	q.Text = t.body(i, depth)
	return q, true
}

// folded says that line i, which names no field, goes on with the field above.
func (t *lines) folded(i int, last meaning) bool {
	raw := t.all[i].raw
	switch {
	case t.foldSoon(i):
		return true
	case last == to || last == cc || last == from:
		before := t.all[i-1].bare
		return strings.HasSuffix(before, ",") || strings.HasSuffix(before, ";") || strings.HasSuffix(before, "<")
	case last == subject:
		return !t.all[i].quoted && raw != "" && (raw[0] == ' ' || raw[0] == '\t')
	}
	return false
}

// body is the text from line i on without depth quote marks. Some programs
// quote what they forward below the fields: then those marks go too.
func (t *lines) body(i, depth int) string {
	if depth == 0 {
		quoted := false
		for j := i; j < len(t.all); j++ {
			if t.all[j].bare == "" {
				continue
			}
			if quoted = t.all[j].quoted; !quoted {
				break
			}
		}
		if quoted {
			depth = 1
		}
	}
	var b strings.Builder
	for j := i; j < len(t.all); j++ {
		if ends(t.all[j].bare) {
			break
		}
		b.WriteString(unquote(t.all[j].raw, depth))
		b.WriteByte('\n')
	}
	return strings.TrimSpace(b.String())
}

// ends tells mutt's line below a forwarded mail.
func ends(bare string) bool {
	return strings.HasPrefix(bare, "----- End ") && phrase(bare) == "end forwarded message"
}

// plainAddress removes the marks of converted HTML: **bold** and
// [a@b](mailto:a@b).
func plainAddress(s string) string {
	s = strings.ReplaceAll(s, "**", "")
	for n := 0; n < 4; n++ {
		i := strings.Index(s, "](mailto:")
		if i < 0 {
			break
		}
		open := strings.LastIndexByte(s[:i], '[')
		end := strings.IndexByte(s[i:], ')')
		if open < 0 || end < 0 {
			break
		}
		in := s[open+1 : i]
		if !strings.Contains(in, "<") && !strings.HasSuffix(strings.TrimSpace(s[:open]), "<") && strings.Contains(in, "@") {
			in = "<" + in + ">"
		}
		s = s[:open] + in + s[i+end+1:]
	}
	if i := strings.Index(s, "[mailto:"); i >= 0 { // Outlook: Anna [mailto:anna@b]
		if end := strings.IndexByte(s[i:], ']'); end > 0 {
			s = s[:i] + "<" + s[i+8:i+end] + ">" + s[i+end+1:]
		}
	}
	if i := strings.Index(s, "<mailto:"); i > 0 { // Outlook's plain text: anna@b<mailto:anna@b>
		if end := strings.IndexByte(s[i:], '>'); end > 0 {
			s = s[:i] + s[i+end+1:]
		}
	}
	s = strings.Replace(s, "< ", "<", 1)
	return strings.TrimSpace(s)
}

func quoteDepth(bare string) int {
	n := 0
	for _, r := range bare {
		switch r {
		case '>':
			n++
		case ' ':
		default:
			return n
		}
	}
	return n
}

// unquote removes depth quote marks.
func unquote(line string, depth int) string {
	s := line
	for range depth {
		t := strings.TrimLeft(s, " ")
		if !strings.HasPrefix(t, ">") {
			break
		}
		s = strings.TrimPrefix(t[1:], " ")
	}
	return s
}
