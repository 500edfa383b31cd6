package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"mime/quotedprintable"
	"strings"
	"time"

	"postern/cmd/postern/demo"
)

// profile says which mails a mailbox holds. The same profile is the same mails,
// but for the time in their signatures.
type profile struct {
	series  string // part of every Message-ID
	mails   int
	small   bool   // 2 to 8 KB each; else of all sizes
	replies string // "half"; "all", to the mails of series parents; "": none
	parents string
	huge    int // further mails of 39 MiB among them
}

// people is how many customers write the mails: 200, and more where they would
// else come near the budgets of an hour (R48).
func (p profile) people() int { return max(200, p.mails/5) }

// kinds of mail, by size.
type kind int

const (
	small kind = iota // 60 %: 2 to 8 KB of text
	html              // 30 %: 20 to 80 KB, most of it quoted history; every fifth without a text/plain part
	files             // 10 %: 200 KB to 2 MB of attachments
	huge              // 39 MiB
)

// kindOf gives new mails and replies the same shares.
func (p profile) kindOf(i int) kind {
	if p.small {
		return small
	}
	switch n := (i/2*7 + i%2*5) % 10; {
	case n < 6:
		return small
	case n < 9:
		return html
	}
	return files
}

// parentOf is the mail that mail i answers, or none.
func (p profile) parentOf(i int) (series string, parent int, ok bool) {
	switch {
	case p.replies == "all":
		return p.parents, i, true
	case p.replies == "half" && i%2 == 1:
		return p.series, 2 * p.random(i, "parent").IntN((i+1)/2), true
	}
	return "", 0, false
}

func (p profile) senderOf(i int) int {
	if _, parent, ok := p.parentOf(i); ok {
		i = parent
	}
	if p.replies == "half" {
		i /= 2
	}
	return i % p.people()
}

// random gives every mail its own numbers, whatever is generated before it.
func (p profile) random(i int, what string) *rand.Rand {
	seed := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", what, p.series, i))
	return rand.New(rand.NewChaCha8(seed))
}

const (
	deskDomain  = "desk.example"
	deskAddress = "support@" + deskDomain
	selector    = "bench"
)

func customer(n int) (name, address, domain string) {
	domain = fmt.Sprintf("company%d.example", n)
	return fmt.Sprintf("Customer %d", n), fmt.Sprintf("person%d@%s", n, domain), domain
}

// signerOf signs for a customer's domain, with a key of its own.
func signerOf(n int) (*demo.Signer, error) {
	_, _, domain := customer(n)
	seed := sha256.Sum256([]byte("key of " + domain))
	return demo.NewSigner(domain, selector, ed25519.NewKeyFromSeed(seed[:]))
}

func messageID(series string, i int, domain string) string {
	return fmt.Sprintf("<%s.%d@%s>", series, i, domain)
}

// firstDate is when the first mail says it was written. Dates decide nothing.
var firstDate = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// mail makes mail i, as a mailbox holds it: signed, with what its way added on
// top.
func (p profile) mail(i int) ([]byte, error) {
	kind := p.kindOf(i)
	sender := p.senderOf(i)
	return p.write(i, kind, sender)
}

func (p profile) write(i int, k kind, sender int) ([]byte, error) {
	r := p.random(i, "body")
	name, address, domain := customer(sender)
	signer, err := signerOf(sender)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	topic := sentence(r, 5)
	if series, parent, ok := p.parentOf(i); ok && k != huge {
		topic = sentence(profile{series: series}.random(parent, "body"), 5)
		id := messageID(series, parent, domain)
		fmt.Fprintf(&b, "In-Reply-To: %s\r\nReferences: %s\r\nSubject: Re: %s\r\n", id, id, topic)
	} else {
		fmt.Fprintf(&b, "Subject: %s\r\n", topic)
	}
	at := firstDate.Add(time.Duration(i) * time.Minute)
	fmt.Fprintf(&b, "From: %s <%s>\r\nTo: Support <%s>\r\nDate: %s\r\nMessage-ID: %s\r\nMIME-Version: 1.0\r\n",
		name, address, deskAddress, at.Format(time.RFC1123Z), messageID(p.series, i, domain))
	p.body(&b, r, i, k)
	signed, err := signer.Sign(b.Bytes())
	if err != nil {
		return nil, err
	}
	return append(onTheWay(address, domain, at), signed...), nil
}

// onTheWay are the fields that servers add.
func onTheWay(from, domain string, at time.Time) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Return-Path: <%s>\r\nDelivered-To: %s\r\n", from, deskAddress)
	for hop, host := range []string{"mx." + deskDomain, "out." + domain, "mail." + domain} {
		fmt.Fprintf(&b, "Received: from relay%d.%s (relay%d.%s [192.0.2.%d])\r\n\tby %s with ESMTPS id %x\r\n\tfor <%s>; %s\r\n",
			hop, domain, hop, domain, 10+hop, host, at.UnixNano()+int64(hop), deskAddress, at.Format(time.RFC1123Z))
	}
	return b.Bytes()
}

func (p profile) body(b *bytes.Buffer, r *rand.Rand, i int, k kind) {
	switch k {
	case small:
		textPart(b, text(r, 1_200+r.IntN(5_600)))
	case html:
		size := 18_500 + r.IntN(58_000)
		if i/2%5 == 0 {
			htmlPart(b, history(r, size))
			return
		}
		own := text(r, 600)
		multipart(b, "alternative", func(next func()) {
			next()
			textPart(b, own+quoted(r, size/3))
			next()
			htmlPart(b, history(r, size*2/3))
		})
	case files:
		p.mixed(b, r, 1+r.IntN(3), 200_000+r.IntN(1_800_000))
	case huge:
		p.mixed(b, r, 2, 29_870_000) // a little less than 39 MiB when encoded
	}
}

func (p profile) mixed(b *bytes.Buffer, r *rand.Rand, n, bytes int) {
	multipart(b, "mixed", func(next func()) {
		next()
		textPart(b, text(r, 1_000))
		for f := range n {
			next()
			filePart(b, r, f, bytes/n)
		}
	})
}

const boundary = "=_bench_"

func multipart(b *bytes.Buffer, subtype string, parts func(next func())) {
	fmt.Fprintf(b, "Content-Type: multipart/%s; boundary=\"%s\"\r\n", subtype, boundary)
	parts(func() { fmt.Fprintf(b, "\r\n--%s\r\n", boundary) })
	fmt.Fprintf(b, "\r\n--%s--\r\n", boundary)
}

func textPart(b *bytes.Buffer, text string) { printable(b, "text/plain", text) }
func htmlPart(b *bytes.Buffer, html string) { printable(b, "text/html", html) }

func printable(b *bytes.Buffer, mediaType, text string) {
	fmt.Fprintf(b, "Content-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", mediaType)
	w := quotedprintable.NewWriter(b)
	_, _ = w.Write([]byte(text)) // a buffer takes everything
	_ = w.Close()
	b.WriteString("\r\n")
}

func filePart(b *bytes.Buffer, r *rand.Rand, n, bytes int) {
	types := []string{"application/pdf", "image/jpeg", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}
	fmt.Fprintf(b, "Content-Type: %s; name=\"file %d.bin\"\r\nContent-Disposition: attachment; filename=\"file %d.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n",
		types[n%len(types)], n+1, n+1)
	const perLine = 57 // 76 characters
	b.Grow(bytes*78/perLine + 100)
	line := make([]byte, perLine+7) // whole words of random bits
	coded := make([]byte, 76)
	for left := bytes; left > 0; left -= perLine {
		for at := 0; at+8 <= len(line); at += 8 {
			v := r.Uint64()
			for j := range 8 {
				line[at+j] = byte(v >> (8 * j))
			}
		}
		base64.StdEncoding.Encode(coded, line[:perLine])
		b.Write(coded)
		b.WriteString("\r\n")
	}
}

var vocabulary = strings.Fields(`the invoice of last month shows another amount than our order and we cannot
	open the attached report since the update on Monday please tell us when the printer in the second office will
	be repaired because two colleagues wait for it thank you for your quick answer the new user has no access to
	the shared folder the password was changed but the phone still asks for it delivery address is wrong again
	café naïve Zürich übermorgen façade könnte prøve være också één`)

func sentence(r *rand.Rand, words int) string {
	var b strings.Builder
	for n := range words {
		if n > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(vocabulary[r.IntN(len(vocabulary))])
	}
	return b.String()
}

// text is paragraphs of about so many bytes.
func text(r *rand.Rand, bytes int) string {
	var b strings.Builder
	b.WriteString("Hello,\r\n\r\n")
	for b.Len() < bytes {
		b.WriteString(sentence(r, 8+r.IntN(6)))
		b.WriteString(".\r\n")
		if r.IntN(5) == 0 {
			b.WriteString("\r\n")
		}
	}
	b.WriteString("\r\nKind regards\r\n")
	return b.String()
}

// quoted is what mail programs put below an answer.
func quoted(r *rand.Rand, bytes int) string {
	var b strings.Builder
	b.WriteString("\r\nOn Mon, 5 Jan 2026 at 09:00, Support <" + deskAddress + "> wrote:\r\n")
	for b.Len() < bytes {
		b.WriteString("> " + sentence(r, 9) + "\r\n")
	}
	return b.String()
}

// history is HTML as office programs write it: a short answer above a long
// history.
func history(r *rand.Rand, bytes int) string {
	var b strings.Builder
	b.WriteString("<html><head><style>p.MsoNormal {margin:0cm; font-size:11.0pt; font-family:\"Calibri\",sans-serif}</style></head>\r\n" +
		"<body lang=\"EN\" style=\"word-wrap:break-word\"><div class=\"WordSection1\">\r\n")
	for range 3 {
		paragraph(&b, r)
	}
	for b.Len() < bytes {
		fmt.Fprintf(&b, "<div style=\"border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm\"><p class=\"MsoNormal\">"+
			"<b>From:</b> Support &lt;%s&gt;<br><b>Sent:</b> Monday, 5 January 2026 09:00<br><b>To:</b> Customer<br><b>Subject:</b> %s</p></div>\r\n",
			deskAddress, sentence(r, 5))
		for range 6 + r.IntN(10) {
			paragraph(&b, r)
		}
		b.WriteString("<table border=\"1\" cellpadding=\"3\"><tbody>\r\n")
		for range 4 {
			fmt.Fprintf(&b, "<tr><td style=\"width:120pt\"><p class=\"MsoNormal\">%s</p></td><td>%d</td></tr>\r\n", sentence(r, 2), r.IntN(1000))
		}
		b.WriteString("</tbody></table><p><a href=\"https://company.example/orders?id=1&amp;lang=en\">order</a></p>\r\n")
	}
	b.WriteString("</div></body></html>")
	return b.String()
}

func paragraph(b *strings.Builder, r *rand.Rand) {
	fmt.Fprintf(b, "<p class=\"MsoNormal\"><span lang=\"EN-GB\" style=\"font-size:11.0pt;color:#1F497D\">%s.<o:p></o:p></span></p>\r\n", sentence(r, 12))
}
