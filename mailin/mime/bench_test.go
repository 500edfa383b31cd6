package mime

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func reply(kind string, kb int) []byte {
	var b bytes.Buffer
	b.WriteString("Return-Path: <anna@customer.example>\r\nReceived: from a.example by b.example; Mon, 2 Nov 2026 10:00:00 +0000\r\nFrom: =?utf-8?q?Anna_S=C3=B8rensen?= <anna@customer.example>\r\nTo: support@desk.example\r\nSubject: Re: [CASE-10001] The printer\r\nDate: Mon, 2 Nov 2026 11:00:00 +0100\r\nMessage-ID: <abc@customer.example>\r\nIn-Reply-To: <x@desk.example>\r\nReferences: <x@desk.example>\r\nMIME-Version: 1.0\r\n")
	line := "The printer on the second floor prints nothing but stripes since Monday morning.\r\n"
	text := strings.Repeat(line, kb*1024/len(line)+1)
	switch kind {
	case "plain":
		b.WriteString("Content-Type: text/plain; charset=utf-8\r\n\r\n" + text)
	case "html", "htmlonly":
		b.WriteString("Content-Type: multipart/alternative; boundary=b1\r\n\r\n")
		if kind == "html" {
			b.WriteString("--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text[:len(text)/4] + "\r\n")
		}
		b.WriteString("--b1\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><head><style>p{margin:0}</style></head><body lang=EN><div class=WordSection1>")
		for i := 0; b.Len() < kb*1024; i++ {
			fmt.Fprintf(&b, "<p class=MsoNormal style='mso-fareast-language:EN-US;font-size:11.0pt'><span style='font-family:\"Calibri\",sans-serif;color:#1F497D'>%s <a href=\"https://example.com/%d\">link</a><o:p></o:p></span></p>\r\n", line[:70], i)
		}
		b.WriteString("</div></body></html>\r\n--b1--\r\n")
	case "attachment":
		b.WriteString("Content-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + line + "\r\n--b1\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n")
		b.WriteString(strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", kb*1024/78))
		b.WriteString("--b1--\r\n")
	}
	return b.Bytes()
}

func BenchmarkRead(b *testing.B) {
	for _, c := range []struct {
		name, kind string
		kb         int
	}{{"plain 5 KiB", "plain", 5}, {"html and text 50 KiB", "html", 50}, {"html only 50 KiB", "htmlonly", 50}, {"file 1 MiB", "attachment", 1024}} {
		b.Run(c.name, func(b *testing.B) {
			raw := reply(c.kind, c.kb)
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				Read(bytes.NewReader(raw), int64(len(raw)), DefaultLimits)
			}
		})
	}
}
