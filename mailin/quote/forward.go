package quote

import "strings"

// Quote is a mail that stands in the text of another, as its words say.
type Quote struct {
	From    string // as written: name, address or both
	Date    string
	Subject string
	Text    string
	// Announced says that a line such as "Forwarded message" begins it. Outlook
	// writes none: there a forwarded mail looks like a quoted one.
	Announced bool
}

// Forwarded finds the outermost mail forwarded in text; before is what the
// writer put above it.
func Forwarded(text string) (before string, q Quote, ok bool) {
	t := newLines(text)
	for i := range t.all {
		start := -1
		switch {
		case announced(t.bare[i]):
			for j := i + 1; j < len(t.all) && j <= i+4; j++ {
				if key, _ := field(t.bare[j]); key != "" {
					start = j
					break
				}
			}
		case t.headerBlock(i) >= 3:
			start = i
		}
		if start < 0 {
			continue
		}
		q, ok := t.quoteAt(start)
		if !ok {
			continue
		}
		q.Announced = start > i
		at := t.above(i)
		return strings.TrimSpace(t.join(0, at)), q, true
	}
	return text, Quote{}, false
}

// quoteAt reads the fields from line i on and the text below them.
func (t *lines) quoteAt(i int) (q Quote, ok bool) {
	const mostFields, mostFolds = 12, 8
	depth := quoteDepth(t.bare[i])
	last, seen, folds := "", 0, 0
	for ; i < len(t.all) && seen < mostFields; i++ {
		line := strings.TrimSpace(strings.TrimLeft(t.bare[i], "> "))
		if line == "" {
			if next := i + 1; seen < 3 && next < len(t.all) {
				if key, _ := field(t.bare[next]); key != "" {
					continue // Apple's and converted mail puts empty lines between
				}
			}
			break
		}
		if strings.Trim(line, "|-: ") == "" {
			continue // the ruler of a converted table
		}
		key, value := field(t.bare[i])
		if key == "" {
			if folds++; folds > mostFolds {
				break
			}
			if last == "subject" {
				q.Subject += " " + line
			}
			if last == "from" {
				q.From += " " + line
			}
			continue
		}
		seen++
		last = key
		switch {
		case key == "from" && q.From == "":
			q.From = plainAddress(value)
		case key == "date" && q.Date == "":
			q.Date = value
		case key == "subject" && q.Subject == "":
			q.Subject = value
		}
	}
	if q.From == "" || seen < 2 {
		return Quote{}, false
	}
	var body []string
	for _, line := range t.all[i:] {
		body = append(body, unquote(line, depth))
	}
	q.Text = strings.TrimSpace(strings.Join(body, "\n"))
	return q, true
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
