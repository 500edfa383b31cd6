package mime

import (
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// RemoteSource is the attribute that keeps the address of a remote image, which
// has no src: no mail makes a reader's browser fetch anything (R23). A web view
// may load it after a click.
const RemoteSource = "data-src"

// page is one HTML part.
type page struct {
	rd     *reader
	source string // UTF-8 without NUL
	fits   bool   // within the limits: can be parsed and cleaned
	parsed *html.Node
	roles  map[*html.Node]role // of its elements, read before it was pruned
}

// page reads an HTML part. One that is too large stays a file, and one that is
// too deep is text only (R17).
func (rd *reader) page(p *part, room int) *page {
	raw, more := rd.content(p, max(room, 0))
	if encoding, bad := rd.suspect(p); bad {
		rd.flaw("HTML: %s is damaged", encoding)
	}
	declared := p.params["charset"]
	if declared == "" {
		declared = metaCharset(raw)
	}
	text, known := toUTF8(raw, declared)
	if !known {
		rd.flaw("unknown charset %s", declared)
	}
	text = validText(text)
	pg := &page{rd: rd, source: text}
	switch {
	case more:
		rd.flaw("HTML over %s: kept as file", size(int64(rd.limits.HTMLBytes)))
		rd.file(p)
	case !measure(text, rd.limits.HTMLDepth, rd.limits.HTMLElements):
		rd.flaw("HTML nested too deep or with too many elements: text only")
	default:
		pg.fits = true
	}
	return pg
}

var metaPattern = regexp.MustCompile(`(?i)<meta[^>]{0,200}charset\s*=\s*["']?([a-z0-9_:.-]{2,40})`)

func metaCharset(raw []byte) string {
	if m := metaPattern.FindSubmatch(raw[:min(len(raw), 2048)]); m != nil {
		name := lower(string(m[1]))
		if strings.HasPrefix(name, "utf-16") { // it was read as bytes: it cannot be that
			return ""
		}
		return name
	}
	return ""
}

// void elements have no end tag; the ends of lax ones are left out so often that
// they say nothing about depth, and the parser closes them by itself.
var (
	void = set("area base br col embed hr img input link meta param source track wbr")
	lax  = set("p li td th tr dd dt option thead tbody tfoot colgroup html head body")
)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// measure says whether HTML keeps within depth and elements. It looks at tags
// only, as they stand, and is linear, which the parser behind it is not; what
// is hidden from it that way the parser's own limit of 512 open elements stops.
func measure(source string, depth, elements int) bool {
	open, n, paragraph := 0, 0, false
	formats, again := 0, 0 // formats open, and how often they may be opened again
	for i := 0; ; {
		j := strings.IndexByte(source[i:], '<')
		if j < 0 {
			return true
		}
		i += j + 1
		end := i < len(source) && source[i] == '/'
		if end {
			i++
		}
		if strings.HasPrefix(source[i:], "!--") {
			i += 3
			switch { // "<!-->" and "<!--->" are whole comments
			case strings.HasPrefix(source[i:], ">"), strings.HasPrefix(source[i:], "->"):
				continue
			}
			k := strings.Index(source[i:], "-->")
			if k < 0 {
				return true
			}
			i += k + 3
			continue
		}
		k := i
		for k < len(source) && (source[k]|0x20 >= 'a' && source[k]|0x20 <= 'z' || k > i && source[k] >= '0' && source[k] <= '9') {
			k++
		}
		if k == i {
			continue
		}
		shut := neverOpen(source[i:k])
		alone := false // an end tag that makes an element, for there is none to end
		switch name := source[i:k]; {
		case strings.EqualFold(name, "br"):
			alone = end
		case strings.EqualFold(name, "p"):
			alone, paragraph = end && !paragraph, !end
		}
		if again += formats; again > 4*elements {
			return false
		}
		if formatting(source[i:k]) {
			if end {
				formats = max(0, formats-1)
			} else {
				formats++
			}
		}
		i = k
		switch {
		case end && !shut:
			open = max(0, open-1)
		case end && !alone:
		default:
			if n++; n > elements {
				return false
			}
			if !shut {
				if open++; open > depth {
					return false
				}
			}
		}
	}
}

// formatting says that the parser opens an element again in every block that
// follows until it is closed: some open ones multiply everything behind them.
func formatting(name string) bool {
	switch len(name) {
	case 1, 2, 3, 4, 5, 6:
		switch strings.ToLower(name) {
		case "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u":
			return true
		}
	}
	return false
}

// neverOpen says that an element counts for no depth.
func neverOpen(name string) bool {
	if len(name) > 8 {
		return false
	}
	var buf [8]byte
	for i := range len(name) {
		buf[i] = name[i] | 0x20 // digits have the bit already
	}
	return void[string(buf[:len(name)])] || lax[string(buf[:len(name)])]
}

// text is the part's text, for a mail without a usable text/plain. Quotes come
// out as lines with ">", and so does what programs mark as history otherwise
// (known.go); what does not show is not in it.
func (pg *page) text() string {
	if !pg.fits {
		return strings.TrimSpace(stripTags(pg.source))
	}
	return validText(readable(pg.tree(), pg.roles, pg.rd.limits.TextBytes))
}

// tidy removes what the conversion leaves between paragraphs.
func tidy(s string) string {
	lines := strings.Split(s, "\n")
	kept := lines[:0]
	empty := 0
	for _, line := range lines {
		line = strings.TrimRight(strings.ReplaceAll(line, "\u00a0", " "), " \t")
		if line == "" {
			if empty++; empty > 1 {
				continue
			}
		} else {
			empty = 0
		}
		kept = append(kept, line)
	}
	return strings.Trim(strings.Join(kept, "\n"), "\n")
}

// clean is the part's HTML by the allow-list of R23, balanced: it cannot close
// an element of the page around it.
//
// The tree is pruned first and printed, which balances it and takes away most
// of what mail programs add; bluemonday then judges what is left. It finds
// nothing to remove as long as prune.go is right, and is the one that is
// trusted.
func (pg *page) clean() string {
	var b strings.Builder
	for n := pg.tree().FirstChild; n != nil; n = n.NextSibling {
		if err := html.Render(&b, n); err != nil {
			return ""
		}
	}
	return validText(policy().Sanitize(b.String()))
}

// tree is the part's body, pruned, under one div. It is parsed once.
func (pg *page) tree() *html.Node {
	if pg.parsed == nil {
		pg.parsed = pg.parse()
	}
	return pg.parsed
}

func (pg *page) parse() *html.Node {
	top := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(strings.NewReader(pg.source), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil { // deeper than the parser goes, by ways that tags do not show
		top.AppendChild(&html.Node{Type: html.TextNode, Data: stripTags(pg.source)})
		return top
	}
	for _, n := range nodes {
		top.AppendChild(n)
	}
	pg.roles = roles(top)
	prune(top, 0)
	return top
}

// stripTags is the text of HTML that is too large or too deep to be parsed:
// one pass, no tree.
func stripTags(source string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(source))
	skip := ""
	for {
		switch z.Next() {
		case html.ErrorToken:
			return tidy(validText(b.String()))
		case html.TextToken:
			if skip == "" {
				b.Write(z.Text())
			}
		case html.StartTagToken:
			name, _ := z.TagName()
			switch string(name) {
			case "script", "style", "title", "head":
				if skip == "" {
					skip = string(name)
				}
			case "body":
				skip = ""
			case "br", "p", "div", "tr", "li", "h1", "h2", "h3", "blockquote", "table":
				b.WriteByte('\n')
			case "td", "th":
				b.WriteByte(' ')
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if string(name) == skip {
				skip = ""
			}
		}
	}
}

// policy is the allow-list of R23.
var policy = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "div", "span", "br", "hr", "b", "strong", "i", "em", "u", "s", "strike", "del", "ins",
		"sub", "sup", "small", "big", "code", "pre", "tt", "kbd", "samp", "blockquote", "q", "cite", "abbr",
		"h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "center", "font", "address",
		"table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th", "colgroup", "col", "a", "img",
		"figure", "figcaption", "section", "article", "header", "footer", "main", "wbr")
	p.AllowNoAttrs().OnElements("span", "font", "a", "img")
	word := regexp.MustCompile(`^[a-zA-Z0-9 #%.-]{1,40}$`)
	p.AllowAttrs("align", "valign", "dir", "width", "height", "bgcolor", "color").Matching(word).Globally()
	p.AllowAttrs("size").Matching(word).OnElements("font", "hr")
	p.AllowAttrs("border", "cellpadding", "cellspacing").Matching(word).OnElements("table", "img")
	p.AllowAttrs("colspan", "rowspan", "span").Matching(regexp.MustCompile(`^[0-9]{1,3}$`)).OnElements("td", "th", "col", "colgroup")
	p.AllowAttrs("start").Matching(regexp.MustCompile(`^[0-9]{1,6}$`)).OnElements("ol")
	p.AllowAttrs("type").Matching(regexp.MustCompile(`^[1aAiI]$|^(disc|circle|square)$`)).OnElements("ol", "ul", "li")
	p.AllowAttrs("lang").Matching(regexp.MustCompile(`^[a-zA-Z-]{2,20}$`)).Globally()
	p.AllowAttrs("title", "alt").Globally()
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("src").OnElements("img")
	p.AllowAttrs(RemoteSource).Matching(regexp.MustCompile(`^(?i:https?)://`)).OnElements("img")
	p.AllowAttrs("style").Matching(stylePattern).Globally()
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowURLSchemeWithCustomPolicy("cid", func(*url.URL) bool { return true })
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true)
	p.AddSpaceWhenStrippingTag(false)
	return p
})
