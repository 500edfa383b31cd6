package demo

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // so that old charsets can be read
	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-message/textproto"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// letter is a mail as a person's mail program shows it.
type letter struct {
	From, ReplyTo, To, Cc string
	Subject               string
	Date                  time.Time
	MessageID             string // with its brackets; empty if there is none
	References            []string
	Text                  string
	Files                 []attachment
}

type attachment struct {
	Name    string
	Content []byte
}

// Limits of what is shown. Mail comes from anywhere.
const (
	deepestPart = 10
	mostParts   = 100
	mostText    = 256 << 10
)

// summary is a mail's line in a list, from its first bytes.
func summary(head []byte) line {
	h := readHeader(head)
	return line{From: author(h.Get("From")), To: author(h.Get("To")), Subject: words(&h, "Subject")}
}

// author is the name of the first person of an address field.
func author(field string) string {
	people, err := mail.ParseAddressList(field)
	if err != nil || len(people) == 0 {
		return clean(field)
	}
	if people[0].Name != "" {
		return clean(people[0].Name)
	}
	return clean(people[0].Address)
}

// readLetter never fails: what cannot be understood is shown as it stands.
func readLetter(raw []byte) letter {
	h := readHeader(raw)
	l := letter{
		From: words(&h, "From"), ReplyTo: words(&h, "Reply-To"), To: words(&h, "To"), Cc: words(&h, "Cc"),
		Subject:    words(&h, "Subject"),
		MessageID:  strings.TrimSpace(h.Get("Message-Id")),
		References: strings.Fields(h.Get("References")),
	}
	if date, err := (&mail.Header{Header: message.Header{Header: h}}).Date(); err == nil {
		l.Date = date
	}
	var found parts
	e, err := message.New(message.Header{Header: h}, bytes.NewReader(body(raw)))
	if e == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		l.Text = clean(string(body(raw)))
		return l
	}
	found.walk(e, 0)
	l.Files = found.files
	switch {
	case found.plain != "":
		l.Text = found.plain
	case found.html != "":
		l.Text = htmlText(found.html)
	}
	return l
}

// parts collects what a mail is made of.
type parts struct {
	plain, html string
	files       []attachment
	count       int
}

func (p *parts) walk(e *message.Entity, depth int) {
	if p.count++; p.count > mostParts || depth > deepestPart {
		return
	}
	if mr := e.MultipartReader(); mr != nil {
		for p.count <= mostParts {
			part, err := mr.NextPart()
			if part == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
				return
			}
			p.walk(part, depth+1)
		}
		return
	}
	content, _ := io.ReadAll(e.Body) // a part that ends too early is shown as far as it goes
	kind, params, _ := e.Header.ContentType()
	disposition, dispositionParams, _ := e.Header.ContentDisposition()
	name := dispositionParams["filename"]
	if name == "" {
		name = params["name"]
	}
	switch {
	case disposition == "attachment" || name != "" || !strings.HasPrefix(kind, "text/") && kind != "":
		if name == "" {
			name = "file"
		}
		p.files = append(p.files, attachment{Name: clean(name), Content: content})
	case kind == "text/html":
		p.html += clean(string(content))
	default:
		p.plain += clean(string(content))
	}
}

// readHeader reads what can be read: lines without a colon are left out.
func readHeader(raw []byte) textproto.Header {
	var kept bytes.Buffer
	for lineOf := range bytes.Lines(raw) {
		trimmed := bytes.TrimRight(lineOf, "\r\n")
		if len(trimmed) == 0 {
			break
		}
		continued := trimmed[0] == ' ' || trimmed[0] == '\t'
		name, _, hasColon := bytes.Cut(trimmed, []byte(":"))
		if continued && kept.Len() > 0 || hasColon && fieldName(name) {
			kept.Write(trimmed)
			kept.WriteString("\r\n")
		}
	}
	kept.WriteString("\r\n")
	h, _ := textproto.ReadHeader(bufio.NewReader(&kept))
	return h
}

func fieldName(name []byte) bool {
	return len(name) > 0 && !slices.ContainsFunc(name, func(c byte) bool { return c <= ' ' || c >= 0x7f })
}

func body(raw []byte) []byte {
	for _, blank := range []string{"\r\n\r\n", "\n\n"} {
		if _, after, found := bytes.Cut(raw, []byte(blank)); found {
			return after
		}
	}
	return nil
}

// words is a decoded header field on one line.
func words(h *textproto.Header, field string) string {
	text, err := (&message.Header{Header: *h}).Text(field)
	if err != nil {
		text = h.Get(field)
	}
	return strings.Join(strings.Fields(clean(text)), " ")
}

// clean makes text that can be shown: valid UTF-8, line ends of one kind, no
// control characters that could hide or turn what stands there.
func clean(text string) string {
	if len(text) > mostText {
		text = text[:mostText] + "\n[...]"
	}
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if unicode.IsControl(r) || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, text)
}

// htmlText is the text of an HTML mail, its links written out.
func htmlText(source string) string {
	var b strings.Builder
	tokens := html.NewTokenizer(strings.NewReader(source))
	hidden, href := 0, ""
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			if errors.Is(tokens.Err(), io.EOF) {
				return strings.TrimSpace(manyBlankLines.ReplaceAllString(b.String(), "\n\n"))
			}
			return strings.TrimSpace(b.String())
		case html.TextToken:
			if hidden == 0 {
				b.WriteString(manyBlanks.ReplaceAllString(string(tokens.Text()), " "))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			t := tokens.Token()
			switch t.DataAtom {
			case atom.Script, atom.Style, atom.Head, atom.Title:
				if t.Type == html.StartTagToken {
					hidden++
				}
			case atom.Br, atom.P, atom.Div, atom.Tr, atom.Li, atom.Table, atom.H1, atom.H2, atom.H3, atom.Blockquote:
				b.WriteString("\n")
			case atom.A:
				href = ""
				for _, a := range t.Attr {
					if a.Key == "href" {
						href = a.Val
					}
				}
			}
		case html.EndTagToken:
			t := tokens.Token()
			switch t.DataAtom {
			case atom.Script, atom.Style, atom.Head, atom.Title:
				hidden = max(0, hidden-1)
			case atom.P, atom.Div, atom.Table, atom.H1, atom.H2, atom.H3, atom.Blockquote:
				b.WriteString("\n")
			case atom.A:
				if href != "" && hidden == 0 {
					b.WriteString(" <" + href + ">")
				}
				href = ""
			}
		}
	}
}

var (
	manyBlanks     = regexp.MustCompile(`\s+`)
	manyBlankLines = regexp.MustCompile(`\n\s*\n\s*`)
)

// block is a run of lines of a mail, quoted or not; its pieces are text and
// links in their order.
type block struct {
	Quote  bool
	Pieces []piece
}

type piece struct {
	Text string
	Link string // empty: plain text
	Mail bool   // the link writes a mail on this page
}

var link = regexp.MustCompile(`(?i)\b(?:https?://|mailto:)[^\s<>"]+`)

// blocks cuts a text for the page. The page escapes every piece.
func blocks(text string, as Person) []block {
	var all []block
	for row := range strings.Lines(strings.TrimSpace(text) + "\n") {
		quote := strings.HasPrefix(row, ">")
		if len(all) == 0 || all[len(all)-1].Quote != quote {
			all = append(all, block{Quote: quote})
		}
		last := &all[len(all)-1]
		last.Pieces = append(last.Pieces, linked(row, as)...)
	}
	return all
}

func linked(text string, as Person) []piece {
	var all []piece
	for {
		at := link.FindStringIndex(text)
		if at == nil {
			return append(all, piece{Text: text})
		}
		target := strings.TrimRight(text[at[0]:at[1]], ".,;:!?)]'")
		p := piece{Text: target, Link: target}
		if strings.HasPrefix(strings.ToLower(target), "mailto:") {
			p.Link, p.Mail = "/people/"+as.ID()+"/write?mailto="+url.QueryEscape(target), true
		}
		all = append(all, piece{Text: text[:at[0]]}, p)
		text = text[at[0]+len(target):]
	}
}

var tagged = regexp.MustCompile(`[a-zA-Z0-9._-]+\+[a-zA-Z0-9._-]+@[a-zA-Z0-9.-]*[a-zA-Z0-9]`)

// otherAddresses are the plus addresses that a mail names in its own words,
// beside the one an ordinary answer goes to.
func otherAddresses(l letter) []string {
	var all []string
	for row := range strings.Lines(l.Text) {
		if strings.HasPrefix(row, ">") {
			continue // a quoted mail's addresses belong to another answer
		}
		for _, address := range tagged.FindAllString(row, -1) {
			usual := strings.Contains(strings.ToLower(l.answerTo()), strings.ToLower(address))
			if !usual && !slices.Contains(all, address) && len(all) < 3 {
				all = append(all, address)
			}
		}
	}
	return all
}

// answerTo is where an answer goes, RFC 5322 §3.6.2.
func (l letter) answerTo() string {
	if l.ReplyTo != "" {
		return l.ReplyTo
	}
	return l.From
}
