package main

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"postern/cmd/postern/demo"
)

const (
	senders    = 200 // each of a domain of their own, with a key of its own
	perCompany = 10
)

// person writes mail that the domain signs.
type person struct {
	name, address string
	signer        *demo.Signer
}

type organisation struct {
	name    string
	domains []string
}

// people are everybody who writes to the desk.
type people struct {
	customers     []*person
	agents        []*person
	organisations []organisation
}

func newPeople(seed uint64) (*people, error) {
	p := new(people)
	add := func(n int, name, local, domain string) (*person, error) {
		var bits [ed25519.SeedSize]byte
		binary.BigEndian.PutUint64(bits[:], seed)
		binary.BigEndian.PutUint64(bits[8:], uint64(n))
		signer, err := demo.NewSigner(domain, "prove", ed25519.NewKeyFromSeed(bits[:]))
		return &person{name, local + "@" + domain, signer}, err
	}
	for n := range senders {
		domain := fmt.Sprintf("customer%03d.example", n)
		c, err := add(n, fmt.Sprintf("Customer %d", n), fmt.Sprintf("anna%d", n), domain)
		if err != nil {
			return nil, err
		}
		p.customers = append(p.customers, c)
		if n%perCompany == 0 {
			p.organisations = append(p.organisations, organisation{name: fmt.Sprintf("Company %d", n/perCompany)})
		}
		o := &p.organisations[len(p.organisations)-1]
		o.domains = append(o.domains, domain)
	}
	for n, name := range []string{"Alice", "Bob"} {
		a, err := add(senders+n, name, strings.ToLower(name), fmt.Sprintf("agents%d.example", n))
		if err != nil {
			return nil, err
		}
		p.agents = append(p.agents, a)
	}
	return p, nil
}

func (p *people) signers() []*demo.Signer {
	var all []*demo.Signer
	for _, person := range append(p.customers, p.agents...) {
		all = append(all, person.signer)
	}
	return all
}

// draft is a mail to be written.
type draft struct {
	from       *person
	to         string
	id         string // Message-ID
	subject    string
	inReplyTo  string
	references string
	text       string
	file       []byte
}

// bytes is the mail as it lies in the mailbox: signed by the writer's domain,
// with the fields that the last server adds.
func (d draft) bytes(now time.Time) ([]byte, error) {
	var b bytes.Buffer
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	field("From", fmt.Sprintf("%q <%s>", d.from.name, d.from.address))
	field("To", "<"+d.to+">")
	field("Subject", d.subject)
	field("Date", now.Format(time.RFC1123Z))
	field("Message-ID", "<"+d.id+">")
	field("In-Reply-To", d.inReplyTo)
	field("References", d.references)
	field("MIME-Version", "1.0")
	if d.file == nil {
		field("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintf(&b, "\r\n%s", d.text)
	} else {
		d.withFile(&b)
	}
	signed, err := d.from.signer.Sign(b.Bytes())
	if err != nil {
		return nil, err
	}
	top := fmt.Sprintf("Return-Path: <%s>\r\nDelivered-To: %s\r\nReceived: from mx.customer.example by mx.postern.example; %s\r\n",
		d.from.address, d.to, now.Format(time.RFC1123Z))
	return append([]byte(top), signed...), nil
}

func (d draft) withFile(b *bytes.Buffer) {
	const boundary = "=_prove_parts"
	fmt.Fprintf(b, "Content-Type: multipart/mixed; boundary=%q\r\n\r\n", boundary)
	fmt.Fprintf(b, "--%s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n", boundary, d.text)
	fmt.Fprintf(b, "--%s\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"log.bin\"\r\n", boundary)
	fmt.Fprint(b, "Content-Transfer-Encoding: base64\r\n\r\n")
	text := base64.StdEncoding.EncodeToString(d.file)
	for len(text) > 76 {
		fmt.Fprintf(b, "%s\r\n", text[:76])
		text = text[76:]
	}
	fmt.Fprintf(b, "%s\r\n--%s--\r\n", text, boundary)
}

var vocabulary = strings.Fields(`the printer on our second floor blinks twice and then stops while the
	green lamp stays on since this morning nobody in accounting can open an invoice without an error
	we restarted it and looked at the cable but that changed nothing please have a look when you can`)

// prose is so many words in lines.
func prose(random *rand.Rand, words int) string {
	var b strings.Builder
	for n := range words {
		b.WriteString(vocabulary[random.IntN(len(vocabulary))])
		if n%12 == 11 || n == words-1 {
			b.WriteString("\r\n")
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}
