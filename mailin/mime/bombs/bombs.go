// Package bombs makes mails that try to cost a reader more than their size: by
// depth, by breadth, by what has to be looked for again and again (R18). Tests
// and measures use it; the program does not.
package bombs

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
)

// Bomb makes a mail of one kind, of about n octets.
type Bomb struct {
	Name string
	Make func(n int) string
}

// All are the kinds there are. Pages keep within the limits of R17 up to
// 2 MiB, all others may have any size.
func All() []Bomb { return append(Mails(), Pages()...) }

const (
	multi = "From: a@customer.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
	page  = "From: a@customer.example\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
	coded = "Content-Transfer-Encoding: base64\r\n\r\n"
)

// repeat fills a mail up with a unit.
func repeat(name, head, unit string) Bomb {
	return Bomb{name, func(n int) string { return head + strings.Repeat(unit, max(1, (n-len(head))/len(unit))) }}
}

// numbered fills it up with units that differ.
func numbered(name, head, format string) Bomb {
	return Bomb{name, func(n int) string {
		var b strings.Builder
		b.WriteString(head)
		for i := 0; b.Len() < n; i++ {
			fmt.Fprintf(&b, format, i, i+1)
		}
		return b.String()
	}}
}

// wrapper is a file of a kind that is opened, about three quarters of n.
func wrapper(name, mediaType string, content func(n int) string) Bomb {
	return Bomb{name, func(n int) string {
		text := base64.StdEncoding.EncodeToString([]byte(content(n * 3 / 4)))
		var b strings.Builder
		b.WriteString("From: a@customer.example\r\nContent-Type: " + mediaType + "\r\n" + coded)
		for len(text) > 76 {
			b.WriteString(text[:76] + "\r\n")
			text = text[76:]
		}
		return b.String() + text + "\r\n"
	}}
}

// Mails are bombs of any size.
func Mails() []Bomb {
	return []Bomb{
		numbered("unclosed boundaries", "Content-Type: multipart/mixed; boundary=b0\r\n\r\n", "--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n"),
		{"closed boundaries, deep", deep},
		repeat("empty parts", multi, "--b\r\n\r\n"),
		repeat("parts without header", multi, "--b\r\n"),
		repeat("parts without an empty line", multi, "--b\r\nwords\r\nx-y: z\r\n"),
		repeat("hyphens", multi, "--"),
		repeat("lines like boundaries", multi, "--bx\r\n"),
		numbered("lines like many boundaries", multi, "--b%d--%d\r\n"),
		repeat("no line end", "", "x"),
		repeat("only line ends", "", "\n"),
		repeat("only CR", "From: a@b.example\r", "x\r"),
		repeat("colons", "", ":\n"),
		repeat("many fields", "From: a@customer.example\r\n", "X: y\r\n"),
		repeat("a very long field", "From: a@customer.example\r\nX: ", "yyyy yyyy "),
		repeat("lines that are no fields", "From: a@customer.example\r\n", "words\r\nX-A: b\r\n"),
		repeat("folds", "From: a@customer.example\r\nX: y", "\r\n y"),
		repeat("folds of nothing but space", "From: a@customer.example\r\nX: y", "\r\n "),
		repeat("encoded words", "Subject: ", "=?utf-8?q?a?= "),
		repeat("encoded words that are joined", "Subject: ", "=?utf-8?b?w6Y?= "),
		repeat("encoded words of many charsets", "Subject: ", "=?utf-7?q?+?= =?iso-2022-jp?q?=1b?= "),
		repeat("beginnings of encoded words", "Subject: ", "=?"),
		repeat("question marks in encoded words", "Subject: =?utf-8?q?", "?=3F"),
		repeat("a subject that is no UTF-8", "Subject: "+strings.Repeat("x", 30_000), "\xff"),
		repeat("addresses", "From: ", "a@b.example, "),
		repeat("odd addresses", "From: ", `"\"<,(:`),
		repeat("addresses without brackets", "To: ", "a b "),
		repeat("open angle brackets", "To: ", `<",<`),
		repeat("open groups", "To: ", "g:["),
		repeat("comments", "Date: ", "("),
		repeat("comments in an address", "From: a", "(b"),
		repeat("words of a date", "Date: ", "1 "),
		repeat("pieces of a parameter", "Content-Type: text/plain", `;a*1*="x'`),
		numbered("numbered pieces of a parameter", "Content-Type: text/plain", `;a*%d*=utf-8''%%4%d`),
		numbered("many parameters", "Content-Type: text/plain", `;a%d="b(%d`),
		repeat("quotes in a file name", "Content-Type: image/png; name=", `"a"b`),
		repeat("references", "References: ", "<a@b><"),
		repeat("base64 in small bits", coded, "QQ=="),
		repeat("base64 line by line", coded, "QQ==\r\n"),
		repeat("base64 of junk", coded, "%"),
		repeat("base64", coded, strings.Repeat("QUJD", 19)+"\r\n"),
		repeat("quoted-printable, bad", "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "= "),
		repeat("quoted-printable, long", "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "=C3=B8"),
		repeat("flowed", "Content-Type: text/plain; format=flowed\r\n\r\n", "> > a \r\n"),
		repeat("UTF-7", "Content-Type: text/plain; charset=utf-7\r\n\r\n", "+AOY-"),
		repeat("ISO-2022-JP", "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n", "\x1b$B\x1b(B"),
		repeat("attached mails", multi, "--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: a@b\r\n\r\n"),
		repeat("attached mails in one another", "", "Content-Type: message/rfc822\r\n\r\n"),
		{"attached mails of HTML", attachedPages},
		repeat("uuencode, beginnings", "From: a@b.example\r\n\r\n", "begin 644 a\n"),
		repeat("uuencode, small blocks", "From: a@b.example\r\n\r\n", "begin 644 a\n#86)C\n`\nend\n"),
		repeat("uuencode, cut blocks", "From: a@b.example\r\n\r\n", "begin 644 a\n#86)C\n"),
		repeat("uuencode, one block", "From: a@b.example\r\n\r\nbegin 644 a\n", "M"+strings.Repeat("86)C", 15)+"\n"),
		repeat("uuencode as transfer encoding", "Content-Transfer-Encoding: x-uuencode\r\n\r\n", "begin 644 a\n"),
		wrapper("BER, deep", "application/pkcs7-mime", func(n int) string { return berDeep("\x30\x84\x7f\xff\xff\xff", n) }),
		wrapper("BER, deep, of unknown length", "application/pkcs7-mime", func(n int) string { return berDeep("\x30\x80", n) }),
		wrapper("BER, strings in strings", "application/pkcs7-mime", func(n int) string { return signedStart + strings.Repeat("\x24\x80", n/2) }),
		wrapper("BER, strings of one octet", "application/pkcs7-mime", func(n int) string { return signedStart + "\x24\x80" + strings.Repeat("\x04\x01a", n/3) }),
		wrapper("BER, empty strings", "application/pkcs7-mime", func(n int) string {
			return signedStart + "\x24\x80" + strings.Repeat("\x24\x80\x04\x00\x00\x00", n/6)
		}),
		wrapper("signed, with boundaries inside", "application/pkcs7-mime", func(n int) string {
			return signedStart + "\x04\x84\x7f\xff\xff\xff" + multi + strings.Repeat("--b\r\n\r\n", n/7)
		}),
		wrapper("TNEF, small attributes", "application/ms-tnef", func(n int) string {
			return tnefStart + strings.Repeat("\x01\x0c\x80\x02\x00\x00\x00\x00\x00\x00\x00", n/11)
		}),
		wrapper("TNEF, files", "application/ms-tnef", func(n int) string {
			return tnefStart + strings.Repeat("\x02\x02\x90\x06\x00\x00\x00\x00\x00\x00\x00", n/11)
		}),
		wrapper("TNEF, properties", "application/ms-tnef", func(n int) string {
			return tnefProps(strings.Repeat("\x1e\x00\x00\x10\xff\xff\xff\x00\x00\x00\x00\x00", n/12))
		}),
		wrapper("TNEF, rich text that grows", "application/ms-tnef", func(n int) string {
			return tnefRTF(strings.Repeat("\xff"+strings.Repeat("\x00\x0f", 8), n/17))
		}),
		wrapper("TNEF, rich text of groups", "application/ms-tnef", func(n int) string { return tnefPlain(strings.Repeat(`{\fonttbl`, n/9)) }),
		wrapper("TNEF, rich text of signs", "application/ms-tnef", func(n int) string { return tnefPlain(strings.Repeat(`\u-10179\'e`, n/11)) }),
	}
}

// deep closes every boundary that it opens.
func deep(n int) string {
	const each = 2 * 60
	var head, tail strings.Builder
	head.WriteString("Content-Type: multipart/mixed; boundary=b0\r\n\r\n")
	closing := make([]string, 0, n/each+1)
	for i := 0; head.Len() < n*3/4; i++ {
		fmt.Fprintf(&head, "--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n", i, i+1)
		closing = append(closing, fmt.Sprintf("--b%d--\r\n", i+1))
	}
	for i := len(closing) - 1; i >= 0; i-- {
		tail.WriteString(closing[i])
	}
	return head.String() + tail.String()
}

// attachedPages are ten mails of HTML: as many as are looked into.
func attachedPages(n int) string {
	const mails = 10
	var b strings.Builder
	b.WriteString(multi)
	for range mails {
		b.WriteString("--b\r\nContent-Type: message/rfc822\r\n\r\n" + page)
		b.WriteString(strings.Repeat("<table><tr><td><b>x</b></table>\r\n", n/mails/33))
	}
	return b.String() + "--b--\r\n"
}

const (
	signedStart = "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30\x80\x02\x01\x01\x31\x00\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x80"
	tnefStart   = "\x78\x9f\x3e\x22\x01\x00"
)

func berDeep(unit string, n int) string { return strings.Repeat(unit, n/len(unit)) }

func tnefProps(properties string) string {
	b := []byte(tnefStart + "\x01\x03\x90\x06\x00")
	b = binary.LittleEndian.AppendUint32(b, uint32(len(properties)+4))
	b = binary.LittleEndian.AppendUint32(b, 1<<31)
	return string(b) + properties + "\x00\x00"
}

func tnefPacked(kind, content string, grown int) string {
	b := binary.LittleEndian.AppendUint32([]byte("\x02\x01\x09\x10\x01\x00\x00\x00"), uint32(len(content)+16))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(content)+12))
	b = binary.LittleEndian.AppendUint32(b, uint32(grown))
	return tnefProps(string(b) + kind + "\x00\x00\x00\x00" + content + strings.Repeat("\x00", (4-len(content)%4)%4))
}

func tnefRTF(packed string) string { return tnefPacked("LZFu", packed, 1<<31-1) }

func tnefPlain(text string) string { return tnefPacked("MELA", text, len(text)) }

// Pages are bombs of HTML within the limits of a page, at 2 MiB.
func Pages() []Bomb {
	const whole = 2 << 20
	rep := strings.Repeat
	fonts := ""
	for i := range 95 {
		fonts += fmt.Sprintf("<font size=%d>", i)
	}
	var all []Bomb
	add := func(name string, make func(share func(int) int) string) {
		all = append(all, Bomb{name, func(n int) string {
			return page + make(func(count int) int { return max(1, int(int64(count)*int64(n)/whole)) })
		}})
	}
	add("open tags", func(of func(int) int) string { return rep("<b>", of(690_000)) })
	add("open font tags", func(of func(int) int) string { return rep("<font color=red><p>", of(110_000)) })
	add("open tables", func(of func(int) int) string { return rep("<table><tr><td>", of(130_000)) })
	add("lists", func(of func(int) int) string { return rep("<ul><li>a", of(230_000)) })
	add("void tags", func(of func(int) int) string { return rep("<br>", of(500_000)) })
	add("brackets", func(of func(int) int) string { return rep("<", of(2_000_000)) })
	add("comments", func(of func(int) int) string { return rep("<!--", of(500_000)) })
	add("attributes", func(of func(int) int) string { return "<p " + rep("a=b ", of(500_000)) })
	add("one style", func(of func(int) int) string { return "<p style='" + rep("color:red;", of(200_000)) + "'>x" })
	add("one style of brackets", func(of func(int) int) string { return "<p style='" + rep("color:((", of(250_000)) + "'>x" })
	add("many styles", func(of func(int) int) string {
		return rep("<p style='color:red;background:url(x);font-weight:bold'>x</p>", of(33_000))
	})
	add("a style sheet", func(of func(int) int) string {
		return "<style>" + rep("p,p p{color:red}/*", of(110_000)) + "</style><p>x"
	})
	add("entities", func(of func(int) int) string { return rep("&amp;", of(400_000)) })
	add("markdown", func(of func(int) int) string { return rep("*_`[](", of(340_000)) })
	add("end tags", func(of func(int) int) string { return rep("</p>", of(500_000)) })
	add("table cells", func(of func(int) int) string { return "<table>" + rep("<td>a", of(400_000)) })
	add("formats that are opened again", func(of func(int) int) string { return "<p>" + fonts + "</p>" + rep("<p>x</p>", of(24_000)) })
	add("formats and stray ends", func(of func(int) int) string { return "<p>" + fonts + "</p>" + rep("x</p>", of(49_000)) })
	add("links that are never closed", func(of func(int) int) string { return rep("<a href=http://x.example/>x<p>", of(90)) })
	add("misnested", func(of func(int) int) string { return rep("<b><i><p>x</b></i></p>", of(16_000)) })
	add("table with a wide cell", func(of func(int) int) string {
		return "<table><tr><td>" + rep("x", of(500_000)) + "</td></tr>" + rep("<tr><td>x</td></tr>", of(20_000)) + "</table>"
	})
	add("table with many columns", func(of func(int) int) string {
		return "<table><tr>" + rep("<td>x", of(10_000)) + "</tr>" + rep("<tr><td>x</td></tr>", of(15_000)) + "</table>"
	})
	add("table with great spans", func(of func(int) int) string {
		return "<table><tr>" + rep("<td colspan=999 rowspan=999>x</td>", of(20_000)) + "</tr></table>"
	})
	add("table with greater spans", func(of func(int) int) string {
		return "<table><tr><td colspan=2000000000 rowspan=2000000000>x</td></tr></table>"
	})
	add("tables in tables", func(of func(int) int) string {
		return rep("<table><tr><td>", 24) + rep("x", of(1<<20)) + rep("</td></tr></table>", 24)
	})
	add("lists in lists", func(of func(int) int) string {
		return rep("<ul><li>a", 49) + rep("<li>line", of(40_000)) + rep("</ul>", 49)
	})
	add("quotes in quotes", func(of func(int) int) string {
		return rep("<blockquote>", 99) + rep("a<br>", of(40_000)) + rep("</blockquote>", 99)
	})
	add("bold in bold", func(of func(int) int) string { return rep("<b>x</b>", of(49_000)) })
	add("markdown marks", func(of func(int) int) string { return rep("*_`[](#<>|~", of(150_000)) })
	add("one word", func(of func(int) int) string { return rep("x", of(1_900_000)) })
	add("spaces", func(of func(int) int) string { return rep(" ", of(1_900_000)) + "x" })
	add("no-break spaces", func(of func(int) int) string { return rep("&nbsp;", of(300_000)) + "x" })
	add("line breaks", func(of func(int) int) string { return rep("<br>", of(49_000)) })
	add("preformatted", func(of func(int) int) string { return "<pre>" + rep("```\n", of(400_000)) + "</pre>" })
	add("code", func(of func(int) int) string { return "<code>" + rep("`", of(1_500_000)) + "</code>" })
	add("a very long link", func(of func(int) int) string {
		return `<a href="https://x.example/` + rep("a", of(1_500_000)) + `">x</a>`
	})
	add("different attributes", func(of func(int) int) string {
		var b strings.Builder
		for i := range of(200_000) {
			fmt.Fprintf(&b, "a%d=b ", i)
		}
		return "<p " + b.String() + ">x"
	})
	add("foster parents", func(of func(int) int) string { return "<table>" + rep("<b>x<tr>", of(24_000)) })
	add("headings", func(of func(int) int) string { return rep("<h1>x", of(49_000)) })
	add("selects", func(of func(int) int) string { return rep("<select><option>x", of(90)) })
	add("templates", func(of func(int) int) string { return rep("<template>", of(90)) + "x" })
	add("frames", func(of func(int) int) string { return rep("<frameset><frame>", of(90)) })
	add("plain text until the end", func(of func(int) int) string { return "<plaintext>" + rep("</p>", of(400_000)) })
	return all
}
