package mime

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// kept are the elements that stay; of every other one the content stays, and of
// dropped nothing does.
var (
	kept = set("p div span br hr b strong i em u s strike del ins sub sup small big code pre tt kbd samp blockquote q cite abbr " +
		"h1 h2 h3 h4 h5 h6 ul ol li dl dt dd center font address table caption thead tbody tfoot tr td th colgroup col a img " +
		"figure figcaption section article header footer main wbr")
	dropped = set("script style head title meta link base object embed applet frame frameset iframe noframes noscript svg math " +
		"form input button select option optgroup textarea audio video source track canvas template map area dialog " +
		"param xml noembed plaintext xmp marquee portal slot")
	// forms hold layouts in some mails, buttons and maps what follows them if nobody
	// closes them: their words are kept, they are not
	unwrapped  = set("form button map marquee slot")
	plainAttrs = set("align valign dir width height bgcolor color size border cellpadding cellspacing start type lang")
	styleNames = set("color background-color font-weight font-style text-decoration text-align vertical-align white-space")
)

// prune takes away what is not on the allow-list, in place.
func prune(n *html.Node, depth int) {
	const deepest = 600 // the parser stops at 512
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		switch {
		case c.Type == html.TextNode:
		case c.Type != html.ElementNode || c.Namespace != "" || depth > deepest:
			n.RemoveChild(c)
		case dropped[c.Data] && !unwrapped[c.Data]:
			n.RemoveChild(c)
		case !kept[c.Data]:
			first := c.FirstChild
			for g := first; g != nil; {
				after := g.NextSibling
				c.RemoveChild(g)
				n.InsertBefore(g, c)
				g = after
			}
			n.RemoveChild(c)
			if first != nil {
				next = first // what was inside is looked at in its new place
			}
		default:
			c.Attr = attributes(c)
			prune(c, depth+1)
		}
		c = next
	}
}

func attributes(n *html.Node) []html.Attribute {
	keep := n.Attr[:0]
	remote := ""
	for _, a := range n.Attr {
		if a.Namespace != "" {
			continue
		}
		switch {
		case a.Key == "colspan" || a.Key == "rowspan" || a.Key == "span":
			if n, err := strconv.Atoi(a.Val); err == nil && n > 0 && n <= 100 {
				keep = append(keep, a)
			}
		case plainAttrs[a.Key]:
			if plainValue(a.Val) {
				keep = append(keep, a)
			}
		case a.Key == "title" || a.Key == "alt":
			a.Val = Clean(a.Val, 250)
			keep = append(keep, a)
		case a.Key == "style":
			if a.Val = styles(a.Val); a.Val != "" {
				keep = append(keep, a)
			}
		case a.Key == "href" && n.Data == "a":
			if a.Val = link(a.Val); a.Val != "" {
				keep = append(keep, a)
			}
		case a.Key == "src" && n.Data == "img":
			src := strings.TrimSpace(a.Val)
			switch {
			case hasScheme(src, "cid:"):
				a.Val = "cid:" + src[4:]
				keep = append(keep, a)
			case hasScheme(src, "http:") || hasScheme(src, "https:"):
				remote = link(src)
			}
		}
	}
	if remote != "" {
		keep = append(keep, html.Attribute{Key: RemoteSource, Val: remote})
	}
	return keep
}

func hasScheme(s, scheme string) bool {
	return len(s) > len(scheme) && strings.EqualFold(s[:len(scheme)], scheme)
}

// link is an address a reader may follow, or "".
func link(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 127 || bidiControl(r) {
			return -1 // browsers drop them too: java&#10;script
		}
		return r
	}, strings.TrimSpace(s))
	if !hasScheme(s, "http:") && !hasScheme(s, "https:") && !hasScheme(s, "mailto:") && !hasScheme(s, "cid:") || len(s) > 4000 {
		return ""
	}
	s = strings.ReplaceAll(s, " ", "%20")
	if _, err := url.Parse(s); err != nil {
		return ""
	}
	return s
}

// plainValue is what sizes, colours and names are made of.
func plainValue(s string) bool {
	if s == "" || len(s) > 40 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == ' ' || c == '#' || c == '%' || c == '.' || c == '-') {
			return false
		}
	}
	return true
}

// stylePattern is the only shape that styles gives.
var stylePattern = regexp.MustCompile(`^([a-z-]{1,20}:[a-zA-Z0-9 #%.,()-]{1,60};)+$`)

// styles keeps the few properties that carry meaning, with values that name
// nothing outside.
func styles(s string) string {
	var b strings.Builder
	for d := range strings.SplitSeq(s, ";") {
		name, value, ok := strings.Cut(d, ":")
		name, value = lower(strings.TrimSpace(name)), lower(strings.TrimSpace(value))
		if !ok || !styleNames[name] || !styleValue(value) {
			continue
		}
		b.WriteString(name + ":" + value + ";")
	}
	return b.String()
}

func styleValue(s string) bool {
	if i := strings.IndexByte(s, '('); i >= 0 {
		in, ok := strings.CutSuffix(s[i+1:], ")")
		if !ok || s[:i] != "rgb" && s[:i] != "rgba" || strings.Trim(in, "0123456789., %") != "" {
			return false
		}
		return len(s) <= 60
	}
	return plainValue(s)
}
