package mime

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// good holds R19 for a string.
func good(t *testing.T, s string) {
	t.Helper()
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		t.Errorf("R19: %.200q", s)
	}
}

// label holds R21 for a string that people see in a list.
func label(t *testing.T, s string, most int) {
	t.Helper()
	good(t, s)
	if s != Clean(s, most) || utf8.RuneCountInString(s) > most {
		t.Errorf("R21: %.300q", s)
	}
}

// twice reads a mail two times and holds what every mail must keep.
func twice(t *testing.T, raw string) *Message {
	t.Helper()
	m, again := readWith(raw, untimed), readWith(raw, untimed)
	checkClean(t, m)
	if m.Err != nil && m.Err != ErrHeaderTooLarge {
		t.Fatal(m.Err)
	}
	if m.Text != again.Text || m.HTML != again.HTML || !reflect.DeepEqual(m.Flaws, again.Flaws) || !reflect.DeepEqual(m.Report, again.Report) || len(m.Files) != len(again.Files) {
		t.Error("read otherwise the second time")
	}
	l := untimed
	if len(m.Text) > l.TextBytes || len(m.Files) > l.Parts+l.Files+1 || len(m.Nested) > 10 {
		t.Errorf("R17: %d octets of text, %d files, %d nested", len(m.Text), len(m.Files), len(m.Nested))
	}
	for i, f := range m.Files {
		label(t, f.Name, l.FileNameRunes)
		if f.SHA256 != again.Files[i].SHA256 || f.Name != again.Files[i].Name {
			t.Errorf("file %d is another one the second time", i)
		}
		if f.Open == nil {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := io.Copy(io.Discard, r); n != f.Size {
			t.Errorf("%s: %d octets, %d told", f.Name, n, f.Size)
		}
	}
	return m
}

func FuzzCharset(f *testing.F) {
	for _, s := range []string{"utf-8", "utf-7", "utf-16", "utf-16le", "utf-32", "iso-2022-jp", "gb18030", "big5", "euc-kr", "shift_jis", "koi8-r", "windows-1251", "hz-gb-2312", "x-none", "us-ascii", ""} {
		f.Add(s, []byte("a\x00+AOY-\x1b$B%F\x1b(B\xc3\xb8\xff\xfe\xd8\x00~{VD~}"))
	}
	f.Fuzz(func(t *testing.T, charset string, b []byte) {
		text, _ := toUTF8(b, charset)
		if !utf8.ValidString(text) {
			t.Errorf("R19: %q in %q is %q", b, charset, text)
		}
		if again, _ := toUTF8(b, charset); again != text {
			t.Error("read otherwise the second time")
		}
		if len(text) > 4*len(b)+16 {
			t.Errorf("R18: %d octets out of %d", len(text), len(b))
		}
		good(t, validText(text))
	})
}

func FuzzWords(f *testing.F) {
	for _, s := range []string{"=?utf-8?q?a?=", "=?utf-8?b?4piD4p?= =?utf-8?B?iD?=", "=?utf-8?Q?a?=3Fb?=", "=?iso-2022-jp?b?GyRC?= =?iso-2022-jp?b?GyRC?=", "=?utf-7?q?+AOY-?=", "=?utf-8*da?q?=00?=", "=?=?=?q?", "\"=?a?b?c?=\""} {
		f.Add(s)
	}
	for _, raw := range seventh() {
		for _, field := range readWith(string(raw), untimed).Header {
			if strings.Contains(field.Value, "=?") {
				f.Add(field.Value)
			}
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := DecodeWords(s)
		if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 || strings.Contains(s, "=?") {
			good(t, got)
		}
		if got != DecodeWords(s) {
			t.Error("read otherwise the second time")
		}
		if len(got) > 4*len(s)+16 {
			t.Errorf("R18: %d octets out of %d", len(got), len(s))
		}
	})
}

func FuzzParams(f *testing.F) {
	for _, s := range []string{`text/plain; charset=utf-8`, `a/b; name*1*=%20b; name*0*=utf-8''a`, `a/b; filename="a"b.pdf"; x=(y;z)`, `multipart/mixed; boundary="b" charset=x`, `;;=;"`, `a/b; name="=?utf-8?q?a?="`, `a (;"`, `a/b; name*=%00%FF`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = repairUTF8([]byte(s))
		value, params := parseParams(s)
		again, same := parseParams(s)
		if value != again || !reflect.DeepEqual(params, same) {
			t.Error("read otherwise the second time")
		}
		label(t, value, 200)
		if len(params) > mostParams {
			t.Errorf("R17: %d parameters", len(params))
		}
		for name, v := range params {
			if !utf8.ValidString(name) || !utf8.ValidString(v) {
				t.Errorf("R19: %q=%q", name, v)
			}
		}
		label(t, fileName(params["name"], "image/png", 1, 150), 150)
		twice(t, "Content-Type: "+unfold(s)+"\r\nContent-Disposition: "+unfold(s)+"\r\n\r\nx")
	})
}

func FuzzDate(f *testing.F) {
	for _, s := range []string{"Mon, 2 Nov 2026 10:00:00 +0100", "2-Nov-26 10:00 GMT+2", "2026-11-02T10:00:00Z", "mar., 3 mars 2026 22:00 PM", "1 1 1:1:1 -", "Mon, 31 Feb 0 :"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d := parseDate(s)
		if d.IsZero() {
			return
		}
		if y := d.UTC().Year(); y < 1969 || y > 2201 {
			t.Errorf("%q is %v", s, d)
		}
		if _, err := time.Parse(time.RFC3339, d.UTC().Format(time.RFC3339)); err != nil {
			t.Error(err)
		}
	})
}

func FuzzReport(f *testing.F) {
	f.Add("Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; a@customer.example\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n", "Message-ID: <n1@desk.example>\r\n")
	f.Add("Original-Recipient: a\x00b\r\nDisposition: x; displayed\r\n\r\n\r\nFinal-Recipient: =?utf-8?q?a?=\r\n", "")
	f.Add("Hi. This is the qmail-send program.\n<a@customer.example>:\nno such user\n--- Below this line is a copy of the message.\n\nMessage-ID: <a@b>\n", "Message-ID: <")
	for _, raw := range seventh() {
		if m := readWith(string(raw), untimed); m.Report != nil {
			status := m.Text
			if _, fields, ok := strings.Cut(string(raw), "message/delivery-status\r\n\r\n"); ok {
				status, _, _ = strings.Cut(fields, "\r\n--")
			}
			f.Add(status, string(raw))
		}
	}
	f.Fuzz(func(t *testing.T, status, returned string) {
		for _, raw := range []string{
			"From: MAILER-DAEMON@mx.example\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nIt bounced.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n" + status + "\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n" + returned + "\r\n--b--\r\n",
			"From: MAILER-DAEMON@mx.example\r\n\r\n" + status + "\r\n" + returned,
		} {
			m := twice(t, raw)
			if m.Report == nil {
				continue
			}
			if len(m.Report.Recipients) > mostReported {
				t.Errorf("R17: %d recipients", len(m.Report.Recipients))
			}
			good(t, m.Report.ReturnedID)
			for _, r := range m.Report.Recipients {
				label(t, r.Address, longestEmail)
				label(t, r.Diagnostic, 500)
				label(t, r.Action, 200)
			}
		}
	})
}

func FuzzTNEF(f *testing.F) {
	f.Add([]byte(winmail(attribute(1, 0x800c, 2, "Words.\x00"), outlookFile("A.PDF", "a\u202e.pdf", "%PDF"))))
	f.Add([]byte(winmail(attribute(1, 0x9003, 6, properties(property(0x102, 0x1009, plainRTF(`{\rtf1\fromhtml1{\*\htmltag64 <p>}\'e9\u-10179?\u-8704?\par}`)))))))
	f.Add([]byte(winmail(attribute(1, 0x9003, 6, properties(property(0x102, 0x1009, "\x20\x00\x00\x00\x40\x00\x00\x00LZFu\x00\x00\x00\x00\x03\x00\x0a\x00\x72\x63"), property(0x102, 0x1013, "<p>x"))))))
	f.Fuzz(func(t *testing.T, b []byte) {
		tnef, ok := readTNEF(b, 100, 1<<20)
		if ok && (len(tnef.files) > 100 || len(tnef.text) > 3<<20 || len(tnef.html) > 3<<20) {
			t.Errorf("R17: %d files, %d and %d octets of text", len(tnef.files), len(tnef.text), len(tnef.html))
		}
		good(t, func() string { s, _ := rtfText(b, 1<<20); return s }())
		if n := len(unpackRTF(b, 1000)); n > 1000+17 {
			t.Errorf("R18: %d octets", n)
		}
		twice(t, "Content-Type: application/ms-tnef\r\n\r\n"+string(b))
	})
}

func FuzzSigned(f *testing.F) {
	f.Add([]byte(cms("Content-Type: text/plain\r\n\r\nWords.")))
	f.Add([]byte(cmsPieces("Content-Type: ", "text/plain\r\n\r\n", "Words.")))
	f.Add([]byte(der(0x30, oidEnvelopedData, der(0xa0, "\x30\x00"))))
	f.Fuzz(func(t *testing.T, b []byte) {
		content, what := signedContent(bytes.Clone(b))
		again, same := signedContent(bytes.Clone(b))
		if !bytes.Equal(content, again) || what != same || len(content) > len(b) {
			t.Errorf("%d of %d octets, then %d", len(content), len(b), len(again))
		}
		twice(t, "Content-Type: application/pkcs7-mime\r\n\r\n"+string(b))
	})
}

func FuzzUUencode(f *testing.F) {
	f.Add(uu("a.txt", "abc") + "\ntext\n" + uu("b", strings.Repeat("x", 100)))
	f.Add("begin 644 a\n#86)C\nbegin 644 b\n#86)C\n")
	f.Add("begin 644 \u202ea\n#86")
	f.Fuzz(func(t *testing.T, s string) {
		twice(t, "Content-Type: text/plain\r\n\r\n"+s)
		twice(t, "Content-Type: image/gif\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n"+s)
	})
}
