package mime

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// role is what a mail program says about an element by its class, id or style.
// The text made of HTML follows it; the HTML that is shown knows nothing of it.
type role uint16

const (
	history   role = 1 << iota // a container of an earlier mail, sentence above it included
	lead                       // the sentence that says who wrote what is quoted below it
	heading                    // begins with the header fields of an earlier mail
	signature                  //
	gone                       // shows nothing, nor does what is in it
	unseen                     // shows no text, unless something in it does again
	seen                       // shows text again
	tight                      // a paragraph without space around it
	verbatim                   // its line breaks are meant
	bullet                     // the dot that Word writes before an item of a list
	layout                     // a table that arranges, or holds another table
	indented                   // a blockquote that quotes nobody
	quoted                     // found to be history, whatever the element is
	whole                      // with history: it holds nothing else
)

// classes and ids that mail programs write, in lower case. Outlook on the web
// puts x_ before those of an earlier mail: they are not ours to read then.
var (
	classes = map[string]role{
		"gmail_quote": history, "gmail_quote_container": history, "gmail_extra": history, "gmail_attr": lead, "gmail_signature": signature,
		"yahoo_quoted": history | whole, "ymail_android_signature": signature,
		"protonmail_quote": history | whole, "protonmail_signature_block": signature,
		"tutanota_quote": history | whole, "zmail_extra": history | whole,
		"moz-cite-prefix": lead, "moz-signature": signature,
		"ms-outlook-mobile-reference-message": heading,
		"msonormal":                           tight, "msoplaintext": tight, "msolistparagraph": tight, "msolistparagraphcxspfirst": tight,
		"msolistparagraphcxspmiddle": tight, "msolistparagraphcxsplast": tight, "msonospacing": tight,
	}
	ids = map[string]role{
		"divrplyfwdmsg": heading, "olk_src_body_section": heading, "mail-editor-reference-message-container": heading,
		"reply-intro": lead, "replyintro": lead,
		"applemailsignature": signature, "ms-outlook-mobile-signature": signature, "signature": signature, "composer_signature": signature,
	}
)

// roles reads a tree before it is pruned.
func roles(top *html.Node) map[*html.Node]role {
	r := marker{}
	r.mark(top)
	return r
}

type marker map[*html.Node]role

// mark says whether there is a table in n.
func (m marker) mark(n *html.Node) (table bool) {
	var is role
	if n.Type == html.ElementNode && n.Namespace == "" {
		is = m.read(n)
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if m.mark(c) {
			table = true
		}
	}
	if n.Type == html.ElementNode && n.Data == "table" {
		if table {
			is |= layout
		}
		table = true
	}
	if is&history != 0 && n.Data != "blockquote" {
		m.container(n, is)
	}
	if is&lead != 0 && quoteFollows(n) && fieldLines(n) < 3 {
		is |= quoted
	}
	if is&^(history|lead|whole) != 0 {
		m[n] |= is &^ (history | lead | whole)
	}
	return table
}

// read finds the role of an element in its attributes.
func (m marker) read(n *html.Node) (is role) {
	style := ""
	for _, a := range n.Attr {
		switch a.Key {
		case "class":
			for c := range strings.FieldsSeq(a.Val[:min(len(a.Val), 1000)]) {
				is |= classes[lower(c)]
			}
		case "id":
			id := lower(a.Val[:min(len(a.Val), 100)])
			is |= ids[id]
			if strings.HasPrefix(id, "yahoo_quoted") {
				is |= history | whole
			}
		case "name":
			if n.Data == "div" && a.Val == "quote" { // GMX and web.de
				is |= heading
			}
		case "hidden":
			is |= gone
		case "role":
			if r := lower(a.Val); n.Data == "table" && (r == "presentation" || r == "none") {
				is |= layout
			}
		case "style":
			style = a.Val[:min(len(a.Val), 4000)]
		}
	}
	if style != "" {
		is |= m.styled(n, style)
	}
	return is
}

// styled reads what a style says about being seen, and Outlook's line above a
// header block.
func (m marker) styled(n *html.Node, style string) (is role) {
	noHeight, cut, noBorder, borderTop, cited := false, false, false, false, false
	for d := range strings.SplitSeq(lower(style), ";") {
		name, value, _ := strings.Cut(d, ":")
		name = strings.TrimSpace(name)
		value = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "!important"))
		switch name {
		case "display":
			if value == "none" {
				is |= gone
			}
		case "visibility":
			if value == "hidden" || value == "collapse" {
				is |= gone
			}
		case "opacity":
			if f, err := strconv.ParseFloat(value, 64); err == nil && f == 0 {
				is |= gone
			}
		case "font-size":
			switch size, ok := length(value); {
			case !ok:
				is |= seen
			case size <= 1:
				is |= unseen
			default:
				is |= seen
			}
		case "font":
			is |= seen
		case "height", "max-height", "width", "max-width":
			if size, ok := length(value); ok && size == 0 {
				noHeight = true
			}
		case "overflow", "overflow-y", "overflow-x":
			cut = cut || value == "hidden"
		case "left", "top", "text-indent", "margin-left", "margin-top":
			if size, ok := length(value); ok && size <= -500 {
				is |= gone
			}
		case "white-space":
			if strings.HasPrefix(value, "pre") || value == "break-spaces" {
				is |= verbatim
			}
		case "margin", "margin-bottom":
			if size, ok := length(value); ok && size == 0 && n.Data == "p" {
				is |= tight
			}
		case "border", "border-style":
			noBorder = noBorder || strings.Contains(value, "none")
			borderTop = borderTop || strings.HasPrefix(value, "solid none none")
		case "border-top":
			borderTop = strings.Contains(value, "solid")
		case "mso-list":
			if value == "ignore" {
				is |= bullet
			}
		}
	}
	if noHeight && cut {
		is |= gone
	}
	if borderTop && n.Data == "div" && fieldLines(n) >= 3 {
		is |= heading
	}
	if n.Data == "blockquote" && noBorder {
		for _, a := range n.Attr {
			cited = cited || a.Key == "type" || a.Key == "cite" || a.Key == "class"
		}
		if !cited { // the "indent" button of Gmail and Apple Mail
			is |= indented
		}
	}
	return is
}

// length reads a size of style: 0, 0px, 1.5em.
func length(s string) (float64, bool) {
	s, _, _ = strings.Cut(s, " ")
	number := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyz%")
	f, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0, false
	}
	if f > 0 && s != number && !strings.HasSuffix(s, "px") && !strings.HasSuffix(s, "pt") {
		f *= 10 // em, rem and % are no pixels: enough to tell them from nothing
	}
	return f, true
}

// container marks what is history in n. Where a blockquote holds the earlier
// mail only the sentence above it is marked: what stands below the blockquote
// somebody wrote as an answer. A container that begins with header fields is a
// forwarded mail, or read as text like any header block.
func (m marker) container(n *html.Node, is role) {
	var quote *html.Node
	for c := n.FirstChild; c != nil && quote == nil; c = c.NextSibling {
		if c.Data == "blockquote" {
			quote = c
		}
	}
	switch {
	case fieldLines(n) >= 3:
	case quote != nil:
		for c := n.FirstChild; c != quote; c = c.NextSibling {
			m[c] |= quoted
		}
	case is&whole != 0:
		m[n] |= quoted
	}
}

// quoteFollows says that the next thing beside n is a blockquote.
func quoteFollows(n *html.Node) bool {
	c := n.NextSibling
	for range 6 {
		switch {
		case c == nil:
			return false
		case c.Type == html.ElementNode && c.Data == "blockquote":
			return true
		case c.Type == html.ElementNode && c.Data == "br", c.Type == html.TextNode && strings.TrimSpace(c.Data) == "":
			c = c.NextSibling
		default:
			return false
		}
	}
	return false
}

// fieldLines counts the lines at the beginning of n, before any blockquote,
// that look like header fields in whatever language.
func fieldLines(n *html.Node) int {
	const most, nodes = 2000, 150
	var b strings.Builder
	seen := 0
	var walk func(*html.Node) bool
	walk = func(n *html.Node) bool {
		if seen++; seen > nodes || b.Len() > most {
			return false
		}
		switch {
		case n.Type == html.TextNode:
			b.WriteString(strings.Join(strings.Fields(n.Data[:min(len(n.Data), most)]), " ") + " ")
		case n.Type != html.ElementNode || n.Data == "style":
			return true
		case n.Data == "blockquote":
			return false
		case n.Data == "br" || n.Data == "div" || n.Data == "p" || n.Data == "tr":
			b.WriteByte('\n')
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if !walk(c) {
				return false
			}
		}
		return true
	}
	for c := n.FirstChild; c != nil && walk(c); c = c.NextSibling {
	}
	found, lines := 0, 0
	for line := range strings.SplitSeq(b.String(), "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if lines++; lines > 8 {
			break
		}
		if i := strings.IndexAny(line, ":："); i > 0 && i < 40 && !strings.ContainsAny(line[:i], "0123456789@") && len(line) > i+2 {
			found++
		}
	}
	return found
}
