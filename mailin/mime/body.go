package mime

import (
	"bytes"
	"html"
	"slices"
	"strings"
)

// block is one stretch of the mail's text: the same in one or two forms, each
// of which may be in pieces, for there may be pictures between. The pieces of
// html may be plain as well.
type block struct {
	plain, html []*part
}

// body chooses the text, cleans the HTML and lists everything else as files.
func (rd *reader) body(root *part) {
	c := chooser{rd: rd, root: root}
	rd.texts(c.choose(root))
	if rd.msg.Text == "" && rd.msg.HTML == "" {
		rd.texts(c.spare)
	}
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
	spare []block
	files []*part
}

func (c *chooser) choose(p *part) []block {
	if p.multipart && len(p.kids) == 0 {
		if p.boundary != "" || p.params["boundary"] != "" {
			c.rd.flaw("multipart without parts")
		}
		p = &part{mediaType: "text/plain", in: p.in, start: p.start, end: p.end, depth: p.depth, params: map[string]string{}, header: p.header}
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
	}
	var blocks []block
	for _, kid := range p.kids {
		if p.mediaType == "multipart/report" && machinePart(kid.mediaType) && !kid.multipart {
			continue // read by report
		}
		blocks = append(blocks, c.choose(kid)...)
	}
	return blocks
}

func (c *chooser) leaf(p *part) []block {
	if !c.isText(p) {
		c.files = append(c.files, p)
		return nil
	}
	b := block{plain: []*part{p}}
	if p.mediaType == "text/html" {
		b = block{html: []*part{p}}
	}
	if p.spare {
		c.spare = append(c.spare, b)
		return nil
	}
	return []block{b}
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
	encoding, known := p.encoding()
	return known && (encoding != "uuencode" || p == c.root) // that has a name as well
}

// otherForm says that a part is the text once more, in a form that nobody
// needs: AMP, a watch's HTML, rich text.
func otherForm(p *part) bool {
	switch p.mediaType {
	case "text/x-amp-html", "text/watch-html", "text/rtf", "application/rtf":
	default:
		return false
	}
	disposition, params := parseParams(p.header.First("Content-Disposition"))
	return !p.multipart && !p.opaque && disposition != "attachment" && params["filename"] == "" && p.params["name"] == ""
}

// alternative takes the first plain and the last HTML form; both may be inside
// further multiparts and in pieces. Other forms of the text are not kept; what
// is none (an invitation) is a file.
func (c *chooser) alternative(p *part) []block {
	var plain, rich []block
	var others []*part
	for _, kid := range p.kids {
		if otherForm(kid) {
			others = append(others, kid)
			continue
		}
		form := c.choose(kid)
		switch {
		case len(form) == 0:
		case slices.ContainsFunc(form, func(b block) bool { return b.html != nil }):
			rich = form
		case plain == nil:
			plain = form
		}
	}
	var b block
	for _, piece := range plain {
		b.plain = append(b.plain, piece.plain...)
	}
	for _, piece := range rich {
		if piece.html != nil {
			b.html = append(b.html, piece.html...)
		} else {
			b.html = append(b.html, piece.plain...)
		}
	}
	switch {
	case plain == nil && rich == nil:
		c.files = append(c.files, others...)
		return nil
	case plain == nil && !slices.ContainsFunc(rich, func(b block) bool { return b.plain == nil }):
		return rich // an alternative within, with both forms
	}
	return []block{b}
}

// related has a root and what the root shows.
func (c *chooser) related(p *part) []block {
	first := 0
	if start := bracketed(p.params["start"]); start != "" {
		for i, kid := range p.kids {
			if bracketed(kid.header.First("Content-Id")) == start {
				first = i
			}
		}
	} else if i := slices.IndexFunc(p.kids, func(kid *part) bool { return kid.multipart || c.isText(kid) }); i >= 0 {
		first = i
	}
	blocks := c.choose(p.kids[first])
	for i, kid := range p.kids {
		switch {
		case i == first:
		case kid.multipart:
			blocks = append(blocks, c.choose(kid)...)
		default: // what the root shows is never read as text of its own
			c.files = append(c.files, kid)
		}
	}
	return blocks
}

// rendered is one piece of HTML, or of text that stands between such pieces.
type rendered struct{ html, text string }

// texts puts the blocks together as Text and HTML.
func (rd *reader) texts(blocks []block) {
	t := texts{rd: rd, room: rd.limits.TextBytes}
	for _, b := range blocks {
		if rd.late() {
			return
		}
		t.block(b)
	}
	m := rd.msg
	var cut bool
	if m.Text, cut = cutText(strings.Join(t.text, "\n\n"), rd.limits.TextBytes); cut {
		rd.flaw("text cut at %s", size(int64(rd.limits.TextBytes)))
	}
	if rd.nested || !t.anyHTML {
		return
	}
	var markup []string
	for _, r := range t.markup {
		if r.html == "" && r.text != "" {
			r.html = `<div>` + strings.ReplaceAll(html.EscapeString(r.text), "\n", "<br>\n") + `</div>`
		}
		markup = append(markup, r.html)
	}
	m.HTML = strings.Join(markup, "\n")
}

// texts gathers what is read.
type texts struct {
	rd     *reader
	text   []string
	markup []rendered
	room   int // for text
	rich   int // octets of HTML so far

	anyHTML bool
}

func (t *texts) block(b block) {
	plain, markup := t.plain(b.plain), t.html(b.html)
	if plain.usable && !(plain.page != nil && markup != nil) {
		t.say(plain.text)
		if plain.page != nil {
			t.markup = append(t.markup, rendered{html: plain.page.clean(), text: plain.text})
		} else if markup == nil {
			t.markup = append(t.markup, rendered{text: plain.text})
		}
	}
	for _, r := range markup {
		if !plain.usable || plain.page != nil {
			t.say(r.text)
		}
		t.markup = append(t.markup, r)
	}
	if !plain.usable && !slices.ContainsFunc(markup, func(r rendered) bool { return r.text != "" }) {
		t.say(plain.text)
	}
}

func (t *texts) say(text string) {
	if text = strings.Trim(text, "\n"); strings.TrimSpace(text) != "" {
		t.text = append(t.text, text)
		t.room -= min(t.room, len(text))
	}
}

// html reads the pieces of an HTML form.
func (t *texts) html(parts []*part) []rendered {
	var all []rendered
	for _, p := range parts {
		if p.mediaType != "text/html" {
			if text := strings.Trim(t.rd.plain(p, t.room), "\n"); text != "" {
				all = append(all, rendered{text: text})
			}
			continue
		}
		t.anyHTML = true
		page := t.rd.page(p, t.rd.limits.HTMLBytes-t.rich)
		t.rich += len(page.source)
		r := rendered{}
		if page.fits && !t.rd.nested {
			r.html = page.clean()
		}
		r.text = strings.Trim(page.text(), "\n")
		if r != (rendered{}) {
			all = append(all, r)
		}
	}
	return all
}

// plainForm is the plain form of a block. usable is false for nothing but
// space, and for the sentence some programs put there instead of the text.
type plainForm struct {
	text   string
	usable bool
	page   *page // the text is HTML by its looks
}

func (t *texts) plain(parts []*part) plainForm {
	var pieces []string
	var f plainForm
	room := t.room
	for _, p := range parts {
		text := strings.Trim(t.rd.plain(p, room), "\n")
		if strings.TrimSpace(text) == "" {
			continue
		}
		room -= min(room, len(text))
		pieces = append(pieces, text)
	}
	f.text = strings.Join(pieces, "\n\n")
	f.usable = f.text != "" && !stub(f.text)
	if len(pieces) == 1 && looksHTML(f.text) && len(f.text) <= t.rd.limits.HTMLBytes-t.rich {
		if pg := t.rd.pageOf(f.text); pg.fits {
			t.rd.flaw("HTML that calls itself plain text")
			t.rich += len(f.text)
			t.anyHTML = true
			f.page = pg
			if made := pg.asText(); made != "" {
				f.text = made
			}
		}
	}
	return f
}

// asText is text without touching the tree that clean reads.
func (pg *page) asText() string {
	again := page{rd: pg.rd, source: pg.source, fits: pg.fits}
	return again.text()
}

// pageOf is a page of a text that is HTML.
func (rd *reader) pageOf(source string) *page {
	return &page{rd: rd, source: source, fits: measure(source, rd.limits.HTMLDepth, rd.limits.HTMLElements)}
}

// looksHTML says that a text is HTML from its first sign to its last. Who only
// writes about HTML begins with a word.
func looksHTML(text string) bool {
	const most = 20
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "<") || !strings.HasSuffix(text, ">") {
		return false
	}
	name := lower(text[1:min(len(text), most)])
	if strings.HasPrefix(name, "!doctype html") {
		return true
	}
	if i := strings.IndexAny(name, " />\t\n"); i > 0 {
		switch name[:i] {
		case "html", "head", "body", "meta", "style", "div", "p", "table", "span", "font", "center", "h1", "h2", "h3":
			return strings.Contains(lower(text), "</"+name[:i]) || name[:i] == "meta" || name[:i] == "p"
		}
	}
	return false
}

// plain reads a part that is not HTML.
func (rd *reader) plain(p *part, room int) (text string) {
	raw, more := rd.content(p, room)
	if p.mediaType == "text/plain" && (more || bytes.Contains(raw, []byte("begin "))) {
		raw, more = rd.withoutUU(p, room)
	}
	if more {
		rd.flaw("text cut at %s", size(int64(rd.limits.TextBytes)))
	}
	if encoding, bad := rd.suspect(p); bad {
		rd.flaw("text: %s is damaged", encoding)
	}
	text = rd.decode(raw, p.params["charset"])
	if p.mediaType == "text/enriched" || p.mediaType == "text/richtext" {
		text = stripTags(strings.ReplaceAll(text, "<<", "&lt;"))
	}
	if lower(p.params["format"]) == "flowed" {
		text = unflow(text, lower(p.params["delsp"]) == "yes")
	}
	return text
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
