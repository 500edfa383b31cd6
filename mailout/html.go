package mailout

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"

	"postern/core"
)

// The HTML of a mail is made of its plain text, so that both say the same in
// the same order: a template is written once, as people read it in a terminal.
// What the text shows by its shape (a list, a quote, a link on a line of its
// own) HTML shows by its own means. Everything is escaped, and only addresses
// that the letter itself holds become links.
//
// The shapes, one block a paragraph:
//
//	two blanks before a line      a row of a list; a link there is a button
//	"> " before a line            a quote
//	a line of dashes              a rule
//	beginCard ... endCard         a box, in which lines stay lines
//	foot                          from here on small print
const (
	beginCard = "\x02"
	endCard   = "\x03"
	foot      = "\x04"
)

// marks are the lines that only HTML is made of.
var marks = strings.NewReplacer(beginCard, "", endCard, "", foot, "")

// unmarked is a value without what a template alone may write.
func unmarked(s string) string {
	if !strings.ContainsAny(s, beginCard+endCard+foot+"\x01") {
		return s
	}
	return strings.ReplaceAll(marks.Replace(s), "\x01", "")
}

// unmarkedPayload is a payload of which that is true.
func unmarkedPayload(p core.Payload) core.Payload {
	each := func(values ...*string) {
		for _, v := range values {
			*v = unmarked(*v)
		}
	}
	each(&p.Title, &p.Actor, &p.Customer, &p.Company, &p.Desk, &p.Contact, &p.Status, &p.Means, &p.Was, &p.Reason, &p.PerhapsAbout)
	for _, list := range []*[]string{&p.Marks, &p.Lines, &p.Proposed} {
		*list = slices.Clone(*list)
		for i := range *list {
			each(&(*list)[i])
		}
	}
	p.Words, p.Links, p.Items, p.Held = slices.Clone(p.Words), slices.Clone(p.Links), slices.Clone(p.Items), slices.Clone(p.Held)
	for i := range p.Words {
		each(&p.Words[i].Word, &p.Words[i].Does)
	}
	for i := range p.Links {
		each(&p.Links[i].Label)
	}
	for i := range p.Items {
		each(&p.Items[i].Number, &p.Items[i].Title, &p.Items[i].Text)
	}
	for i := range p.Held {
		h := &p.Held[i]
		each(&h.From, &h.Subject, &h.Detail, &h.Line, &h.Case, &h.Meant)
	}
	return p
}

// Colours of the light theme stand in each element, since many mail programs
// read nothing else. Those of the dark one hang on classes.
const page = `<!DOCTYPE html>
<html lang="LANG"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
<style>
:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (prefers-color-scheme:dark){
.bg{background:#111418!important}.sheet{background:#1b2026!important;border-color:#323a44!important}
.ink{color:#e6e9ed!important}.dim{color:#a3adb8!important}.box{background:#232a32!important;border-color:#3a444f!important}
.line{border-color:#3a444f!important}.link{color:#8ab4f8!important}.press{background:#8ab4f8!important;color:#111418!important}
}
@media (max-width:480px){.pad{padding:20px 16px!important}}
</style></head>
<body class="bg" style="margin:0;padding:0;background:#f2f4f6">
<table role="presentation" class="bg" width="100%" cellpadding="0" cellspacing="0" border="0" style="background:#f2f4f6"><tr><td align="center" style="padding:16px 8px">
<table role="presentation" class="sheet" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:600px;background:#ffffff;border:1px solid #d9dee4;border-radius:8px"><tr><td class="pad ink" align="left" style="padding:28px;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5;color:#1c232b;text-align:start;overflow-wrap:anywhere">
BODY</td></tr></table>
</td></tr></table>
</body></html>
`

// inHTML makes the HTML of a rendered body. text is the person's text that
// stands where the body has its place holder; urls are the addresses that may
// be linked.
func inHTML(lang, body, text string, v *view) string {
	w := &htmlWriter{urls: v.urls(), words: map[string]bool{}}
	for _, word := range v.Words {
		w.words[word.Word] = true
	}
	for block := range strings.SplitSeq(body, "\n\n") {
		w.block(strings.Split(strings.Trim(block, "\n"), "\n"), text)
	}
	w.closeCard()
	s := strings.Replace(page, "LANG", html.EscapeString(lang), 1)
	return strings.Replace(s, "BODY", w.b.String(), 1)
}

// urls are the addresses of the letter's own pages, and of its note address.
func (v *view) urls() map[string]string {
	all := map[string]string{}
	for _, l := range v.Links {
		all[l.URL] = l.URL
	}
	all[v.Case], all[v.Page], all[v.UndoURL] = v.Case, v.Page, v.UndoURL
	if v.Internal != "" {
		all[v.Internal] = "mailto:" + v.Internal
	}
	delete(all, "")
	return all
}

type htmlWriter struct {
	b     strings.Builder
	urls  map[string]string // shown to href
	words map[string]bool   // answers of one word
	card  bool
	small bool
}

// block writes one paragraph's lines: runs of the same shape go together.
func (w *htmlWriter) block(lines []string, text string) {
	for len(lines) > 0 {
		n := 1
		shape := shapeOf(lines[0])
		for n < len(lines) && shapeOf(lines[n]) == shape && shape != "mark" {
			n++
		}
		run := lines[:n]
		lines = lines[n:]
		below := 16 // pixels; what introduces a list stands close to it
		if len(lines) > 0 {
			if next := shapeOf(lines[0]); next == "row" || next == "quote" {
				below = 4
			}
		}
		switch shape {
		case "mark":
			w.mark(run[0])
		case "text":
			w.person(text)
		case "above":
			w.b.WriteString(`<p class="dim" style="margin:0 0 12px;color:#66717d;font-size:13px">` + Above + "</p>\n")
		case "rule":
			w.b.WriteString(`<hr class="line" style="border:0;border-top:1px solid #d9dee4;margin:20px 0">` + "\n")
		case "quote":
			w.quote(run)
		case "row":
			w.rows(run)
		case "plain":
			w.paragraph(run, below)
		}
	}
}

func shapeOf(line string) string {
	switch {
	case line == "":
		return ""
	case line == beginCard, line == endCard, line == foot:
		return "mark"
	case line == textGoesHere:
		return "text"
	case line == Above:
		return "above"
	case strings.Trim(line, "-") == "" && len(line) > 8:
		return "rule"
	case strings.HasPrefix(line, ">"):
		return "quote"
	case strings.HasPrefix(line, "  "):
		return "row"
	}
	return "plain"
}

func (w *htmlWriter) mark(line string) {
	switch line {
	case beginCard:
		w.closeCard()
		w.card = true
		w.b.WriteString(`<table role="presentation" class="box" width="100%" cellpadding="0" cellspacing="0" border="0" style="margin:0 0 16px;background:#f6f8fa;border:1px solid #d9dee4;border-radius:6px"><tr><td class="ink" style="padding:12px 16px 0;color:#1c232b">` + "\n")
	case endCard:
		w.closeCard()
	case foot:
		w.closeCard()
		w.small = true
		w.b.WriteString(`<hr class="line" style="border:0;border-top:1px solid #d9dee4;margin:20px 0 16px">` + "\n")
	}
}

func (w *htmlWriter) closeCard() {
	if w.card {
		w.b.WriteString("</td></tr></table>\n")
	}
	w.card = false
}

// paragraph joins what the template wrapped; in a card and in the small print
// each line is its own.
func (w *htmlWriter) paragraph(lines []string, below int) {
	open, between := fmt.Sprintf(`<p style="margin:0 0 %dpx">`, below), " "
	switch {
	case w.card:
		open, between = `<p style="margin:0 0 12px">`, "<br>\n"
	case w.small:
		open, between = `<p class="dim" style="margin:0 0 8px;color:#66717d;font-size:14px">`, "<br>\n"
	}
	w.b.WriteString(open)
	for i, line := range lines {
		if i > 0 {
			w.b.WriteString(between)
		}
		if w.card && i == 0 {
			w.b.WriteString("<strong>" + w.inline(line) + "</strong>")
			continue
		}
		w.b.WriteString(w.inline(line))
	}
	w.b.WriteString("</p>\n")
}

// rows are a list: buttons, answers of one word, codes, facts.
func (w *htmlWriter) rows(lines []string) {
	w.b.WriteString(`<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:0 0 16px">` + "\n")
	for _, line := range lines {
		line = strings.TrimSpace(line)
		label, rest, split := strings.Cut(line, ": ")
		word, does, answers := strings.Cut(line, " - ")
		w.b.WriteString("<tr>")
		switch {
		case split && w.urls[rest] != "":
			w.b.WriteString(`<td style="padding:4px 0">` + button(w.urls[rest], label) + "</td>")
		case w.words[line] || answers && w.answer(word):
			if !answers {
				word = line
			}
			w.b.WriteString(`<td class="ink" valign="top" style="padding:2px 16px 2px 0;font-family:ui-monospace,Consolas,Menlo,monospace;font-weight:bold;color:#1c232b">` + html.EscapeString(word) +
				`</td><td class="ink" style="padding:2px 0;color:#1c232b">` + html.EscapeString(does) + "</td>")
		case codePattern.MatchString(line):
			w.b.WriteString(`<td class="ink" style="padding:4px 0;font-family:ui-monospace,Consolas,Menlo,monospace;font-size:24px;letter-spacing:2px;color:#1c232b">` + html.EscapeString(line) + "</td>")
		default:
			w.b.WriteString(`<td class="ink" style="padding:2px 0 2px 12px;color:#1c232b">` + w.inline(line) + "</td>")
		}
		w.b.WriteString("</tr>\n")
	}
	w.b.WriteString("</table>\n")
}

// answer says that s is what people type: a word, with place holders in capitals
// behind it if it takes something ("attach NUMBER CASE").
func (w *htmlWriter) answer(s string) bool {
	word, rest, _ := strings.Cut(s, " ")
	return w.words[s] || w.words[word] && rest == strings.ToUpper(rest)
}

// codePattern is what people type off a mail: digits, or an invitation's code.
var codePattern = regexp.MustCompile(`^([0-9]{6}|[0-9A-Z]{4}-[0-9A-Z]{4})$`)

func button(url, label string) string {
	return `<a class="press" href="` + html.EscapeString(url) + `" style="display:inline-block;padding:10px 18px;border-radius:6px;background:#1a56c4;color:#ffffff;text-decoration:none;font-weight:bold">` + html.EscapeString(label) + "</a>"
}

func (w *htmlWriter) quote(lines []string) {
	w.b.WriteString(`<blockquote class="line dim" dir="auto" style="margin:0 0 16px;padding:0 0 0 12px;border-left:3px solid #d9dee4;color:#66717d">`)
	for i, line := range lines {
		if i > 0 {
			w.b.WriteString("<br>\n")
		}
		w.b.WriteString(html.EscapeString(strings.TrimPrefix(strings.TrimPrefix(line, ">"), " ")))
	}
	w.b.WriteString("</blockquote>\n")
}

// person is the text of a person: line ends and indents as they were written,
// web addresses linked.
func (w *htmlWriter) person(text string) {
	w.b.WriteString(`<div class="ink" dir="auto" style="margin:0 0 16px;color:#1c232b">` + "\n")
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		if strings.TrimSpace(paragraph) == "" {
			continue
		}
		w.b.WriteString(`<p style="margin:0 0 16px">`)
		for i, line := range strings.Split(strings.Trim(paragraph, "\n"), "\n") {
			if i > 0 {
				w.b.WriteString("<br>\n")
			}
			indent := len(line) - len(strings.TrimLeft(line, " \t"))
			w.b.WriteString(strings.Repeat("&nbsp;", min(indent, 40)))
			w.b.WriteString(linked(line[indent:]))
		}
		w.b.WriteString("</p>\n")
	}
	w.b.WriteString("</div>\n")
}

var webAddress = regexp.MustCompile(`https?://[^\s<>"'()\[\]{}]+`)

// linked escapes a line and links the web addresses in it, as they stand.
func linked(line string) string {
	var b strings.Builder
	at := 0
	for _, m := range webAddress.FindAllStringIndex(line, -1) {
		url := strings.TrimRight(line[m[0]:m[1]], ".,;:!?")
		b.WriteString(html.EscapeString(line[at:m[0]]))
		b.WriteString(anchor(url, url))
		at = m[0] + len(url)
	}
	b.WriteString(html.EscapeString(line[at:]))
	return b.String()
}

func anchor(href, shown string) string {
	return `<a class="link" href="` + html.EscapeString(href) + `" style="color:#1a56c4">` + html.EscapeString(shown) + "</a>"
}

// inline escapes a line of the template; addresses of the letter become links.
func (w *htmlWriter) inline(line string) string {
	at, length, href := -1, 0, ""
	for shown, to := range w.urls { // at most one stands in a line: the longest that does
		if i := strings.Index(line, shown); i >= 0 && len(shown) > length {
			at, length, href = i, len(shown), to
		}
	}
	if at < 0 {
		return html.EscapeString(line)
	}
	return html.EscapeString(line[:at]) + anchor(href, line[at:at+length]) + html.EscapeString(line[at+length:])
}
