package mime

import (
	"html"
	"strings"
	"unicode"
)

// block is one stretch of the mail's text: the same in one or two forms.
type block struct {
	plain, html *part
}

// body chooses the text, cleans the HTML and lists everything else as files.
func (rd *reader) body(root *part) {
	c := chooser{rd: rd, root: root}
	blocks := c.choose(root)
	rd.texts(blocks)
	for _, p := range c.files {
		if rd.late() {
			return
		}
		rd.file(p)
		rd.attached(p)
	}
}

// chooser walks the tree of parts and sorts them into text and files.
type chooser struct {
	rd    *reader
	root  *part
	files []*part
}

func (c *chooser) choose(p *part) []block {
	if p.multipart && len(p.kids) == 0 {
		if p.boundary != "" || p.params["boundary"] != "" {
			c.rd.flaw("multipart without parts")
		}
		p = &part{mediaType: "text/plain", start: p.start, end: p.end, depth: p.depth, params: map[string]string{}, header: p.header}
		if c.root.multipart && c.root.start == p.start {
			c.root = p
		}
	}
	switch {
	case !p.multipart:
		return c.leaf(p)
	case p.mediaType == "multipart/alternative":
		return c.alternative(p)
	case p.mediaType == "multipart/related":
		return c.related(p)
	case p.mediaType == "multipart/report":
		return c.reported(p)
	}
	var blocks []block
	for _, kid := range p.kids {
		blocks = append(blocks, c.choose(kid)...)
	}
	return blocks
}

func (c *chooser) leaf(p *part) []block {
	if c.isText(p) {
		if p.mediaType == "text/html" {
			return []block{{html: p}}
		}
		return []block{{plain: p}}
	}
	c.files = append(c.files, p)
	return nil
}

// isText says that a part is meant to be read with the mail.
func (c *chooser) isText(p *part) bool {
	if p.opaque {
		return false
	}
	switch p.mediaType {
	case "text/plain", "text/html", "text/enriched", "text/markdown", "text/x-markdown", "text/richtext":
	default:
		return false
	}
	disposition, params := parseParams(p.header.First("Content-Disposition"))
	named := params["filename"] != "" || p.params["name"] != ""
	if disposition == "attachment" || named && p != c.root {
		return false
	}
	_, known := p.encoding()
	return known
}

// alternative takes the first plain and the last HTML form; both may be inside
// further multiparts. Other forms (an invitation, AMP) are files.
func (c *chooser) alternative(p *part) []block {
	var forms []block
	for _, kid := range p.kids {
		forms = append(forms, c.choose(kid)...)
	}
	var b block
	for _, f := range forms {
		if f.plain != nil && b.plain == nil {
			b.plain = f.plain
		}
		if f.html != nil {
			b.html = f.html
		}
	}
	if b.plain == nil && b.html == nil {
		return nil
	}
	return []block{b}
}

// related has a root and what the root shows.
func (c *chooser) related(p *part) []block {
	first := 0
	if start := MessageID(p.params["start"]); start != "" {
		for i, kid := range p.kids {
			if MessageID(kid.header.First("Content-Id")) == start {
				first = i
			}
		}
	}
	blocks := c.choose(p.kids[first])
	for i, kid := range p.kids {
		if i == first {
			continue
		}
		// what belongs to the root is never read as text of its own
		if kid.multipart {
			c.choose(kid)
		} else {
			c.files = append(c.files, kid)
		}
	}
	return blocks
}

// reported is a bounce or receipt: its text is for people, its machine part is
// read by report, the rest is files.
func (c *chooser) reported(p *part) []block {
	var blocks []block
	for _, kid := range p.kids {
		if machinePart(kid.mediaType) && !kid.multipart {
			continue
		}
		blocks = append(blocks, c.choose(kid)...)
	}
	return blocks
}

// texts puts the blocks together as Text and HTML.
func (rd *reader) texts(blocks []block) {
	var text, markup []string
	anyHTML, rich, room := false, 0, rd.limits.TextBytes
	for _, b := range blocks {
		if rd.late() {
			return
		}
		if b.html != nil {
			anyHTML = true
		}
	}
	for _, b := range blocks {
		if rd.late() {
			return
		}
		plain, usable := rd.plain(b.plain, room)
		var page *page
		if b.html != nil {
			page = rd.page(b.html, rd.limits.HTMLBytes-rich)
			rich += len(page.source)
		}
		cleaned := ""
		if page != nil && page.fits && !rd.nested {
			cleaned = page.clean()
		}
		t := plain
		if !usable && page != nil {
			if made := page.text(); made != "" {
				t = made
			}
		}
		if strings.TrimSpace(t) != "" {
			text = append(text, strings.Trim(t, "\n"))
			room -= min(room, len(t))
		}
		if !anyHTML || rd.nested {
			continue
		}
		switch {
		case page != nil && page.fits:
			markup = append(markup, cleaned)
		case strings.TrimSpace(t) != "":
			markup = append(markup, `<div>`+strings.ReplaceAll(html.EscapeString(strings.Trim(t, "\n")), "\n", "<br>\n")+`</div>`)
		}
	}
	m := rd.msg
	var cut bool
	if m.Text, cut = cutText(strings.Join(text, "\n\n"), rd.limits.TextBytes); cut {
		rd.flaw("text cut at %s", size(int64(rd.limits.TextBytes)))
	}
	m.HTML = strings.Join(markup, "\n")
}

// plain reads a text/plain part. usable is false for nothing but space, and
// for the sentence some programs put there instead of the text.
func (rd *reader) plain(p *part, room int) (text string, usable bool) {
	if p == nil {
		return "", false
	}
	raw, more := rd.content(p, room)
	if more {
		rd.flaw("text cut at %s", size(int64(rd.limits.TextBytes)))
	}
	if _, bad := rd.suspect(p); bad {
		rd.flaw("text: base64 is damaged")
	}
	text = rd.decode(raw, p.params["charset"])
	if p.mediaType == "text/enriched" || p.mediaType == "text/richtext" {
		text = strings.ReplaceAll(text, "<<", "&lt;")
		text = stripTags(text)
	}
	if lower(p.params["format"]) == "flowed" {
		text = unflow(text, lower(p.params["delsp"]) == "yes")
	}
	if !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsSpace(r) }) {
		return "", false
	}
	return text, !stub(text)
}

// decode makes stored text of decoded octets.
func (rd *reader) decode(raw []byte, declared string) string {
	text, known := toUTF8(raw, declared)
	if !known {
		rd.flaw("unknown charset %s", declared)
	}
	if strings.IndexByte(text, 0) >= 0 {
		rd.flaw("NUL in the text")
	}
	return validText(text)
}

// stub tells a text that only says that the mail is HTML.
func stub(text string) bool {
	if len(text) > 300 {
		return false
	}
	t := lower(text)
	return strings.Contains(t, "html") && (strings.Contains(t, "not support") || strings.Contains(t, "doesn't support") ||
		strings.Contains(t, "view this") || strings.Contains(t, "cannot display") || strings.Contains(t, "capable") ||
		strings.Contains(t, "understøtter ikke") || strings.Contains(t, "ondersteunt geen") || strings.Contains(t, "anzeigen"))
}

// unflow joins the lines of format=flowed (RFC 3676).
func unflow(text string, delsp bool) string {
	var b strings.Builder
	b.Grow(len(text))
	open, depth := false, 0 // an unfinished paragraph and its quote depth
	for i, line := range strings.Split(text, "\n") {
		d := 0
		for d < len(line) && line[d] == '>' {
			d++
		}
		body := strings.TrimPrefix(line[d:], " ") // space-stuffing
		flowed := strings.HasSuffix(body, " ") && body != "-- "
		if open && d == depth && body != "-- " {
			// the paragraph goes on
		} else {
			if i > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(strings.Repeat(">", d))
			if d > 0 && body != "" {
				b.WriteByte(' ')
			}
		}
		if flowed && delsp {
			body = body[:len(body)-1]
		}
		b.WriteString(body)
		open, depth = flowed, d
	}
	return b.String()
}

// attached reads who wrote a mail that is attached, and what. Mails inside it
// are not looked at.
func (rd *reader) attached(p *part) {
	const most = 10
	if rd.nested || p.mediaType != "message/rfc822" && p.mediaType != "message/global" || len(rd.msg.Nested) >= most {
		return
	}
	inner := rd.inner(p, 1<<20)
	if inner == nil {
		return
	}
	h := inner.Header
	if len(h) == 0 {
		return
	}
	rd.msg.Nested = append(rd.msg.Nested, Nested{
		From:    h.Addresses("From", 10),
		Date:    h.Text("Date", 100),
		Subject: h.Text("Subject", rd.limits.SubjectRunes),
		Text:    inner.Text,
	})
}

// inner reads an attached mail, at most most octets of it.
func (rd *reader) inner(p *part, most int) *Message {
	raw, _ := rd.content(p, most)
	in := *rd
	in.src, in.size = &source{at: bytesAt(raw)}, int64(len(raw))
	in.nested, in.msg, in.flawed, in.decoded = true, &Message{}, nil, 0
	in.read()
	if in.msg.Err != nil && rd.msg.Err == nil && rd.late() {
		return nil
	}
	return in.msg
}
