package mailout

import (
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"postern/core"
)

// tableMark stands around the number of a table in a body: text and HTML each
// make it their own way.
const tableMark = "\x05"

// textWidth is what a plain table fits into.
const textWidth = 80

// answer is what a template sees of one answered query.
type answer struct {
	Line, Verb, Scope, Problem, Meant string
	Count, More                       int    // of cases: all of them, those that are not shown
	Table                             string // "" if there are none
	Sheet                             *sheet
}

// sheet is one case.
type sheet struct {
	Number, Title, Status, Means, Priority, Type string
	Customer, Company, Owner                     string
	Opened, Changed, Due                         string
	Overdue, Turn                                bool
	Participants                                 []string
	Entries                                      []sheetEntry
	Left                                         int
}

type sheetEntry struct {
	Kind, At, Author, Quoted string
	Cut                      bool
	Marks                    []string
	Event, Was, Became, Why  string
	Until                    string // of a status that wakes by itself
}

// queries fills in what was asked for: p is the letter's payload, as shownPayload made it.
func (v *view) queries(l core.Letter, p core.Payload, lang *language, zone *time.Location) {
	v.Agent, v.Command, v.Over, v.Unassigned = l.ForAgent, l.Command, p.Over, p.Unassigned
	v.Unread = strings.Join(strings.Fields(p.Unread), " ")
	for _, n := range p.HeldCount {
		v.HeldInAll += n
	}
	day := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(zone).Format("2006-01-02")
	}
	for _, a := range p.Answers {
		shown := answer{Line: a.Line, Verb: a.Verb, Scope: a.Scope, Problem: a.Problem, Meant: a.Meant, Count: len(a.Cases) + a.More, More: a.More}
		if len(a.Cases) > 0 {
			shown.Table = tableMark + strconv.Itoa(len(v.tables)) + tableMark
			v.tables = append(v.tables, table{lang, a.Cases, day, l.Command, l.ForAgent})
		}
		if s := a.Sheet; s != nil {
			shown.Sheet = &sheet{Number: s.Number, Title: s.Title, Status: s.Status, Means: s.Means, Priority: s.Priority, Type: s.Type,
				Customer: s.Customer, Company: s.Company, Owner: s.Owner, Opened: lang.date(s.Opened, zone), Changed: lang.date(s.Changed, zone),
				Due: lang.date(s.Due, zone), Overdue: s.Overdue, Turn: s.Turn, Participants: s.Participants, Left: s.Left}
			for _, e := range s.Entries {
				shown.Sheet.Entries = append(shown.Sheet.Entries, sheetEntry{Kind: e.Kind, At: lang.date(e.At, zone), Author: e.Author,
					Quoted: quoted(written(e.Text)), Cut: e.Cut, Marks: e.Marks, Event: e.Event, Was: e.Was, Became: e.Became, Until: lang.date(e.Until, zone),
					Why: firstChars(strings.Join(strings.Fields(e.Why), " "), 300)})
			}
		}
		v.Answers = append(v.Answers, shown)
	}
}

// shownAnswers are answers whose values are as a template may have them.
func shownAnswers(answers []core.QueryAnswer) []core.QueryAnswer {
	each := func(values ...*string) {
		for _, v := range values {
			*v = shown(*v)
		}
	}
	item := func(c *core.CaseItem) {
		each(&c.Number, &c.Title, &c.Status, &c.Priority, &c.Customer, &c.Company, &c.Owner)
	}
	answers = slices.Clone(answers)
	for i := range answers {
		a := &answers[i]
		each(&a.Line, &a.Problem, &a.Meant)
		a.Cases = slices.Clone(a.Cases)
		for j := range a.Cases {
			item(&a.Cases[j])
		}
		if a.Sheet == nil {
			continue
		}
		s := *a.Sheet
		item(&s.CaseItem)
		each(&s.Type, &s.Means)
		s.Participants, s.Entries = slices.Clone(s.Participants), slices.Clone(s.Entries)
		for j := range s.Participants {
			each(&s.Participants[j])
		}
		for j := range s.Entries {
			e := &s.Entries[j]
			each(&e.Author, &e.Event, &e.Was, &e.Became, &e.Why)
			e.Text = shownLines(e.Text)
			e.Marks = slices.Clone(e.Marks)
			for k := range e.Marks {
				each(&e.Marks[k])
			}
		}
		a.Sheet = &s
	}
	return answers
}

// table is a list of cases. The words of its head are "columns" of the
// templates: number, title, status, requester, changed; then overdue, answered,
// your turn; then the word that shows a case.
type table struct {
	lang    *language
	cases   []core.CaseItem
	day     func(time.Time) string
	command string
	agent   bool
}

const (
	columnsShown = 5
	columnWords  = columnsShown + 4
)

// rows are the cells of each case.
func (t table) rows() [][]string {
	words := t.lang.columns
	var all [][]string
	for _, c := range t.cases {
		status := c.Status
		switch {
		case c.Overdue:
			status += ", " + words[columnsShown]
		case c.Turn && t.agent:
			status += ", " + words[columnsShown+1]
		case c.Turn:
			status += ", " + words[columnsShown+2]
		}
		title := firstChars(oneSpace(c.Title), 100)
		if title == "" {
			title = "…"
		}
		all = append(all, []string{c.Number, title, status, firstChars(oneSpace(c.Customer), 60), t.day(c.Changed)})
	}
	return all
}

func oneSpace(s string) string { return strings.Join(strings.Fields(s), " ") }

func firstChars(s string, max int) string {
	if utf8.RuneCountInString(s) <= max {
		return s
	}
	return strings.TrimRight(string([]rune(s)[:max-1]), " ") + "…"
}

// text is the table in aligned columns. What is too long for its column goes on
// in the next line; the number comes first, so that no line begins with what
// somebody wrote.
func (t table) text() string {
	rows := append([][]string{t.lang.columns[:columnsShown]}, t.rows()...)
	widths := []int{0, 0, 0, 0, 0}
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	widths[0], widths[2], widths[3] = min(widths[0], 24), min(widths[2], 14), min(widths[3], 16)
	left := textWidth - 2*(columnsShown-1)
	for i, w := range widths {
		if i != 1 {
			left -= w
		}
	}
	widths[1] = min(widths[1], left)
	var b strings.Builder
	for _, row := range rows {
		var cells [columnsShown][]string
		height := 1
		for i, cell := range row {
			cells[i] = wrapped(cell, widths[i])
			height = max(height, len(cells[i]))
		}
		for n := range height {
			line := ""
			for i := range cells {
				part := ""
				if n < len(cells[i]) {
					part = cells[i][n]
				}
				line += part + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(part)+2)
			}
			b.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// wrapped breaks a cell between words, and a word where it must be.
func wrapped(s string, width int) (lines []string) {
	line := []rune{}
	for _, field := range strings.Fields(s) {
		word := []rune(field)
		if len(line) > 0 && len(line)+1+len(word) > width {
			lines, line = append(lines, string(line)), nil
		}
		if len(line) > 0 {
			line = append(line, ' ')
		}
		line = append(line, word...)
		for len(line) > width {
			lines, line = append(lines, string(line[:width])), line[width:]
		}
	}
	return append(lines, string(line))
}

// html is the table with a block for each case, which fits any width; its number
// opens a mail that asks for the case.
func (t table) html() string {
	dim := `<span class="dim" style="color:#66717d;font-size:14px">`
	var b strings.Builder
	b.WriteString(`<table width="100%" cellpadding="0" cellspacing="0" border="0" style="margin:0 0 16px;border-collapse:collapse">` + "\n" +
		`<tr><th class="dim" align="left" style="padding:0 0 6px;font-weight:normal;font-size:13px;color:#66717d">` +
		html.EscapeString(strings.Join(t.lang.columns[:columnsShown], " · ")) + "</th></tr>\n")
	for _, row := range t.rows() {
		number := html.EscapeString(row[0])
		if t.command != "" {
			ask := url.PathEscape(t.lang.columns[columnWords-1] + " " + row[0])
			number = anchor("mailto:"+t.command+"?subject="+ask+"&body="+ask, row[0])
		}
		var facts []string
		for i, fact := range row[2:] {
			style := ""
			if i == len(row)-3 { // the date
				style = ` style="white-space:nowrap"`
			}
			if fact != "" {
				facts = append(facts, `<span dir="auto"`+style+`>`+html.EscapeString(fact)+"</span>")
			}
		}
		b.WriteString(`<tr><td class="line ink" style="padding:10px 0;border-top:1px solid #d9dee4;color:#1c232b">` + number +
			` <strong dir="auto">` + html.EscapeString(row[1]) + "</strong><br>" + dim + strings.Join(facts, " · ") + "</span></td></tr>\n")
	}
	b.WriteString("</table>\n")
	return b.String()
}

// withTables puts the tables in place of their marks.
func (v *view) withTables(body string) string {
	for i, t := range v.tables {
		body = strings.Replace(body, tableMark+strconv.Itoa(i)+tableMark, t.text(), 1)
	}
	return body
}
