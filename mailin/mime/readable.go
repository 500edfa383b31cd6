package mime

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// textRuler stands for every line across a page. Outlook writes it so above
// the header fields of the mail it answers.
const textRuler = "________________________________"

// readable makes text of a pruned tree, in one pass and in space linear in it:
// lines as a reader sees them, without marks for bold and the like, so that
// words and commands stand as they were written. Quotes begin with ">", lists
// with "-" or a number, tables of data have "|" between their cells.
func readable(top *html.Node, roles map[*html.Node]role, most int) string {
	w := &textWriter{roles: roles, most: most}
	w.children(top)
	w.end()
	w.signatures()
	var b strings.Builder
	for i, l := range w.lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		for q := range l.quote {
			if b.WriteByte('>'); l.text != "" || q < l.quote-1 {
				b.WriteByte(' ')
			}
		}
		b.WriteString(l.text)
	}
	return b.String()
}

// deepest is how many quotes or lists in each other are told apart.
const deepest = 15

type textLine struct {
	text      string
	quote     int
	signature bool
}

type textWriter struct {
	roles map[*html.Node]role
	most  int // octets after which nothing is written any more, 0 is all
	size  int

	lines []textLine
	line  []byte // being written
	begun bool   // something shows on it, if only a no-break space
	space bool   // wanted before the next letter
	gap   bool   // an empty line is wanted before the next one

	quote, indent int
	marker        string // of the list item that begins here
	lists         []int  // number of the next item, -1 in a list without numbers
	apart         bool   // the next item begins a list: an empty line may stand above it
	signature     bool
	verbatim      bool
	unseen        bool
}

// children writes what is in n.
func (w *textWriter) children(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		w.node(c)
	}
}

func (w *textWriter) node(n *html.Node) {
	is := w.roles[n]
	if is&gone != 0 || w.most > 0 && w.size > w.most {
		return
	}
	outer := [...]bool{w.unseen, w.verbatim, w.signature}
	switch {
	case is&unseen != 0:
		w.unseen = true
	case is&seen != 0:
		w.unseen = false
	}
	w.verbatim = w.verbatim || is&verbatim != 0
	if is&heading != 0 {
		w.ruler()
	}
	if is&signature != 0 {
		w.end()
		w.signature = true
	}
	if is&quoted != 0 && w.quote == 0 {
		w.inQuote(func() { w.inner(n, is) })
	} else {
		w.inner(n, is)
	}
	if is&signature != 0 {
		w.end()
	}
	w.unseen, w.verbatim, w.signature = outer[0], outer[1], outer[2]
}

func (w *textWriter) inner(n *html.Node, is role) {
	if n.Type == html.TextNode {
		w.text(n.Data)
		return
	}
	if is&bullet != 0 {
		if b := strings.TrimSpace(plainText(n)); utf8.RuneCountInString(b) == 1 && (b == "o" || !unicode.IsLetter(firstRune(b)) && !unicode.IsDigit(firstRune(b))) {
			w.text("- ")
			return
		}
	}
	switch n.Data {
	case "br":
		if !w.unseen {
			w.flush()
		}
	case "hr":
		w.ruler()
	case "img":
		w.image(n)
	case "a":
		w.link(n)
	case "blockquote":
		if is&indented != 0 {
			w.block(n)
		} else {
			w.inQuote(func() { w.children(n) })
		}
	case "ul", "ol":
		w.list(n)
	case "li":
		w.item(n)
	case "pre":
		w.end()
		w.gap = true
		verbatim := w.verbatim
		w.verbatim = true
		w.children(n)
		w.end()
		w.verbatim, w.gap = verbatim, true
	case "table":
		w.table(n, is)
	case "p", "h1", "h2", "h3", "h4", "h5", "h6":
		if is&tight != 0 {
			w.block(n)
			return
		}
		w.end()
		w.gap = true
		w.children(n)
		w.end()
		w.gap = true
	case "div", "section", "article", "header", "footer", "main", "address", "center", "figure", "figcaption",
		"dl", "dt", "dd", "caption", "thead", "tbody", "tfoot", "tr", "td", "th":
		w.block(n)
	default:
		w.children(n)
	}
}

func (w *textWriter) block(n *html.Node) {
	w.end()
	w.children(n)
	w.end()
}

func (w *textWriter) inQuote(write func()) {
	w.end()
	depth := w.quote
	w.quote = min(depth+1, deepest)
	w.gap = true
	write()
	w.end()
	w.quote = depth
	w.gap = true
}

// text writes letters. Space is one space, but where line breaks are meant.
func (w *textWriter) text(s string) {
	if w.unseen {
		return
	}
	for _, r := range s {
		switch r {
		case '\n', ' ', '\t', '\r', '\f':
			switch {
			case !w.verbatim:
				w.space = true
			case r == '\n':
				w.flush()
			case r == ' ' || r == '\t':
				w.line = append(w.line, byte(r))
			}
		case '\u00a0':
			w.begun = true
			if w.verbatim {
				w.line = append(w.line, ' ')
			} else {
				w.space = true
			}
		case '\u00ad', '\u200b', '\u034f', '\ufeff', '\u2060': // nothing to see
		default:
			if w.space {
				if w.space = false; len(w.line) > 0 {
					w.line = append(w.line, ' ')
				}
			}
			w.begun = true
			w.line = utf8.AppendRune(w.line, r)
		}
	}
}

// end closes a line that was begun.
func (w *textWriter) end() {
	if w.begun || len(w.line) > 0 {
		w.flush()
	}
	w.space = false
}

// flush closes the line, be it empty.
func (w *textWriter) flush() {
	s := strings.TrimRight(string(w.line), " \t")
	w.line, w.begun, w.space = w.line[:0], false, false
	if s == "" {
		w.add("")
		return
	}
	if in := w.indent - len(w.marker); in > 0 {
		s = strings.Repeat(" ", in) + w.marker + s
	} else {
		s = w.marker + s
	}
	if w.marker != "" { // items stand close, whatever paragraphs are in them
		w.gap, w.apart, w.marker = w.gap && w.apart, false, ""
	}
	w.add(s)
}

// add appends a line; of several empty ones the first.
func (w *textWriter) add(s string) {
	last := len(w.lines) - 1
	if s == "" {
		w.gap = w.gap || last >= 0
		return
	}
	if w.gap && last >= 0 {
		w.lines = append(w.lines, textLine{quote: min(w.quote, w.lines[last].quote), signature: w.signature && w.lines[last].signature})
	}
	w.gap = false
	w.size += len(s) + 2*w.quote + 1
	w.lines = append(w.lines, textLine{s, w.quote, w.signature})
}

func (w *textWriter) ruler() {
	w.end()
	if last := len(w.lines) - 1; w.unseen || last >= 0 && w.lines[last].text == textRuler {
		return
	}
	w.add(textRuler)
}

// image is the words that stand for a picture. Programs write emoji as pictures.
func (w *textWriter) image(n *html.Node) {
	alt := ""
	for _, a := range n.Attr {
		switch {
		case a.Key == "alt":
			alt = strings.TrimSpace(a.Val)
		case (a.Key == "width" || a.Key == "height") && (a.Val == "0" || a.Val == "1"):
			return
		}
	}
	switch {
	case alt == "":
	case strings.ContainsFunc(alt, unicode.IsLetter):
		w.text("[" + alt + "]")
	default:
		w.text(alt)
	}
}

// link writes words and address: "[words](https://...)", "Anna <anna@...>", or
// the address alone if that is what the words say.
func (w *textWriter) link(n *html.Node) {
	href := ""
	for _, a := range n.Attr {
		if a.Key == "href" {
			href = a.Val
		}
	}
	lines, start := len(w.lines), len(w.line)
	w.children(n)
	if href == "" || w.unseen {
		return
	}
	address, mail := strings.CutPrefix(href, "mailto:")
	if mail {
		address, _, _ = strings.Cut(address, "?")
		if plain, err := url.PathUnescape(address); err == nil {
			address = Clean(plain, 320)
		}
	}
	if len(w.lines) != lines || len(w.line) < start {
		return // a block in a link: its words stand as they are
	}
	words := strings.TrimSpace(string(w.line[start:]))
	lead := string(w.line[start:][:len(w.line[start:])-len(strings.TrimLeft(string(w.line[start:]), " "))])
	switch {
	case words == "" || address == "" || strings.HasPrefix(href, "cid:"):
		return
	case mail && strings.EqualFold(strings.Trim(words, "<>"), address):
		return
	case mail:
		w.line = append(w.line, " <"+address+">"...)
	case sameAddress(words, href):
		w.line = append(w.line[:start], lead+href...)
	default:
		w.line = append(w.line[:start], lead+"["+words+"]("+href+")"...)
	}
}

func sameAddress(words, href string) bool {
	bare := func(s string) string {
		s = strings.TrimPrefix(strings.TrimPrefix(lower(s), "https://"), "http://")
		return strings.TrimSuffix(s, "/")
	}
	return bare(words) == bare(href)
}

func (w *textWriter) list(n *html.Node) {
	w.end()
	if len(w.lists) == 0 {
		w.gap, w.apart = true, true
	}
	first := -1
	if n.Data == "ol" {
		first = 1
		for _, a := range n.Attr {
			if a.Key == "start" {
				if i, err := strconv.Atoi(a.Val); err == nil && i >= 0 && i < 1_000_000 {
					first = i
				}
			}
		}
	}
	w.lists = append(w.lists, first)
	w.children(n)
	w.end()
	if w.lists = w.lists[:len(w.lists)-1]; len(w.lists) == 0 {
		w.gap = true
	}
}

func (w *textWriter) item(n *html.Node) {
	w.end()
	marker := "- "
	if top := len(w.lists) - 1; top >= 0 && w.lists[top] >= 0 {
		marker = strconv.Itoa(w.lists[top]) + ". "
		w.lists[top]++
	}
	outer := w.indent
	if outer < deepest*2 {
		w.indent += len(marker)
	}
	w.marker = marker
	w.children(n)
	w.end()
	w.indent, w.marker = outer, ""
}

// table writes data as rows of cells, and everything else as lines.
func (w *textWriter) table(n *html.Node, is role) {
	w.end()
	if is&layout != 0 {
		w.children(n)
		w.end()
		return
	}
	t := w.read(n)
	if t.caption != nil {
		w.block(t.caption)
	}
	data := t.isData()
	if data {
		w.gap = true
	}
	for i, row := range t.rows {
		switch {
		case data:
			w.add("| " + strings.Join(row.texts(), " | ") + " |")
			if i == 0 && row.heads {
				w.add("|" + strings.Repeat("---|", len(row.cells)))
			}
		case row.oneLine():
			var words []string
			for _, s := range row.texts() {
				if s != "" {
					words = append(words, s)
				}
			}
			if s := strings.Join(words, " "); s != "" {
				w.add(s)
			}
		default:
			for _, cell := range row.cells {
				for _, l := range cell {
					depth := w.quote
					w.quote = min(depth+l.quote, deepest)
					w.add(l.text)
					w.quote = depth
				}
			}
		}
	}
	if data {
		w.gap = true
	}
}

// grid is a table without tables in it, each cell made text.
type grid struct {
	caption *html.Node
	rows    []gridRow
}

type gridRow struct {
	cells [][]textLine
	heads bool // all its cells are headings
}

func (w *textWriter) read(table *html.Node) (t grid) {
	for c := table.FirstChild; c != nil; c = c.NextSibling {
		switch {
		case c.Type != html.ElementNode || w.roles[c]&gone != 0:
		case c.Data == "caption":
			t.caption = c
		case c.Data == "thead" || c.Data == "tbody" || c.Data == "tfoot":
			t.rows = append(t.rows, w.read(c).rows...)
		case c.Data == "tr":
			row := gridRow{heads: true}
			for cell := c.FirstChild; cell != nil; cell = cell.NextSibling {
				if cell.Type != html.ElementNode || w.roles[cell]&gone != 0 {
					continue
				}
				row.heads = row.heads && cell.Data == "th"
				in := &textWriter{roles: w.roles, most: w.most, size: w.size, verbatim: w.verbatim, unseen: w.unseen, signature: w.signature}
				in.node(cell)
				in.end()
				w.size = in.size
				row.cells = append(row.cells, in.lines)
			}
			t.rows = append(t.rows, row)
		}
	}
	return t
}

// isData says that rows and columns mean something: several rows that fill
// several columns with short words, and not names before a colon.
func (t grid) isData() bool {
	const longest = 300
	full, fields := 0, 0
	for _, row := range t.rows {
		if !row.oneLine() {
			return false
		}
		filled := 0
		for _, s := range row.texts() {
			if len(s) > longest {
				return false
			}
			if s != "" {
				filled++
			}
		}
		if filled >= 2 {
			full++
			if strings.HasSuffix(row.texts()[0], ":") {
				fields++
			}
		}
	}
	return full >= 2 && fields < full
}

func (r gridRow) oneLine() bool {
	for _, cell := range r.cells {
		if len(cell) > 1 || len(cell) == 1 && cell[0].quote > 0 {
			return false
		}
	}
	return true
}

func (r gridRow) texts() []string {
	s := make([]string, len(r.cells))
	for i, cell := range r.cells {
		if len(cell) > 0 {
			s[i] = cell[0].text
		}
	}
	return s
}

// signatures puts the usual delimiter above what programs mark as signature,
// if nothing follows it but history: a delimiter says that the rest is one.
func (w *textWriter) signatures() {
	const longest = 20
	for end := len(w.lines); end > 0; end-- {
		if !w.lines[end-1].signature {
			continue
		}
		start := end
		for start > 0 && w.lines[start-1].signature {
			start--
		}
		next := end
		for next < len(w.lines) && w.lines[next].text == "" {
			next++
		}
		quotes := false
		for _, l := range w.lines[start:end] {
			quotes = quotes || l.quote > 0
		}
		first := strings.TrimSpace(w.lines[start].text)
		last := start - 1
		for last >= 0 && w.lines[last].text == "" {
			last--
		}
		above := last >= 0 && w.lines[last].text == "--"
		history := next == len(w.lines) || w.lines[next].quote > 0 || w.lines[next].text == textRuler
		if last >= 0 && history && !quotes && end-start <= longest && first != "--" && !above {
			w.lines = append(w.lines[:start], append([]textLine{{text: "-- "}}, w.lines[start:]...)...)
		}
		return // the last one alone
	}
}

// plainText is the words in n, for a few of them.
func plainText(n *html.Node) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode && b.Len() < 100 {
			b.WriteString(n.Data[:min(len(n.Data), 100)])
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(n)
	return b.String()
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}
