package mime

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf16"
)

// crlf makes a mail of lines as they are written here.
func crlf(lines ...string) string {
	return strings.ReplaceAll(strings.Join(lines, "\n"), "\n", "\r\n")
}

func b64(s string) string {
	text := base64.StdEncoding.EncodeToString([]byte(s))
	var b strings.Builder
	for len(text) > 76 {
		b.WriteString(text[:76] + "\n")
		text = text[76:]
	}
	return b.String() + text
}

// uu is a block as the program uuencode writes it.
func uu(name, content string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "begin 644 %s\n", name)
	letter := func(c byte) byte {
		if c &= 63; c == 0 {
			return '`'
		}
		return c + ' '
	}
	for rest := []byte(content); len(rest) > 0; {
		line := rest[:min(45, len(rest))]
		rest = rest[len(line):]
		b.WriteByte(letter(byte(len(line))))
		line = append(bytes.Clone(line), 0, 0)
		for ; len(line) >= 3; line = line[3:] {
			b.Write([]byte{letter(line[0] >> 2), letter(line[0]<<4 | line[1]>>4), letter(line[1]<<2 | line[2]>>6), letter(line[2])})
		}
		b.WriteByte('\n')
	}
	return b.String() + "`\nend"
}

// der is an element of known length; ber one of unknown length.
func der(tag byte, content ...string) string {
	body := strings.Join(content, "")
	n := len(body)
	if n < 0x80 {
		return string([]byte{tag, byte(n)}) + body
	}
	return string([]byte{tag, 0x83, byte(n >> 16), byte(n >> 8), byte(n)}) + body
}

func ber(tag byte, content ...string) string {
	return string([]byte{tag, 0x80}) + strings.Join(content, "") + "\x00\x00"
}

const (
	oidSignedData    = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
	oidEnvelopedData = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"
	oidData          = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
	derVersion       = "\x02\x01\x01"
	derDigests       = "\x31\x0d\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"
	derSigners       = "\x31\x00"
)

// cms is signed data the way OpenSSL writes it.
func cms(content string) string {
	return der(0x30, oidSignedData, der(0xa0, der(0x30, derVersion, derDigests,
		der(0x30, oidData, der(0xa0, der(0x04, content))), derSigners)))
}

// cmsPieces is the same as mail servers and streaming signers write it.
func cmsPieces(pieces ...string) string {
	var octets []string
	for _, p := range pieces {
		octets = append(octets, der(0x04, p))
	}
	return ber(0x30, oidSignedData, ber(0xa0, ber(0x30, derVersion, derDigests,
		ber(0x30, oidData, ber(0xa0, ber(0x24, octets...))), derSigners)))
}

// attribute is one of a winmail.dat.
func attribute(level byte, id uint16, kind uint16, data string) string {
	b := []byte{level}
	b = binary.LittleEndian.AppendUint16(b, id)
	b = binary.LittleEndian.AppendUint16(b, kind)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = append(b, data...)
	sum := uint16(0)
	for _, c := range []byte(data) {
		sum += uint16(c)
	}
	return string(binary.LittleEndian.AppendUint16(b, sum))
}

func winmail(attributes ...string) string {
	return "\x78\x9f\x3e\x22\x01\x00" + attribute(1, 0x9007, 6, "\xe4\x04\x00\x00\x00\x00\x00\x00") + strings.Join(attributes, "")
}

// property is one of variable length.
func property(kind, id uint16, value string) string {
	b := binary.LittleEndian.AppendUint16(nil, kind)
	b = binary.LittleEndian.AppendUint16(b, id)
	b = binary.LittleEndian.AppendUint32(b, 1)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(value)))
	return string(b) + value + strings.Repeat("\x00", (4-len(value)%4)%4)
}

func properties(all ...string) string {
	return string(binary.LittleEndian.AppendUint32(nil, uint32(len(all)))) + strings.Join(all, "")
}

func wide(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s + "\x00")) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

// outlookFile is what Outlook writes for one attached file.
func outlookFile(short, long, content string) string {
	return attribute(2, 0x9002, 6, "\x01\x00\xff\xff\xff\xff\x20\x00\x20\x00\x00\x00\x00\x00") +
		attribute(2, 0x8010, 1, short+"\x00") + attribute(2, 0x800f, 6, content) +
		attribute(2, 0x9005, 6, properties(property(0x1f, 0x3707, wide(long)), property(0x1f, 0x370e, wide("application/pdf"))))
}

// plainRTF is rich text that is not packed.
func plainRTF(s string) string {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(s)+12))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(s)))
	return string(b) + "MELA\x00\x00\x00\x00" + s
}

// told is what the tests look at, a line each.
func told(m *Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "text %q", m.Text)
	for _, f := range m.Files {
		content := "listed only"
		if f.Open != nil {
			r, _ := f.Open()
			raw, _ := io.ReadAll(r)
			content = fmt.Sprintf("%q", raw)
			if int64(len(raw)) != f.Size {
				content += fmt.Sprintf(" but size %d", f.Size)
			}
		}
		inline := ""
		if f.Inline {
			inline = " inline"
		}
		fmt.Fprintf(&b, "\nfile %s %s%s %.60s", f.Name, f.Type, inline, content)
	}
	for _, f := range m.Flaws {
		fmt.Fprintf(&b, "\nflaw %s", f)
	}
	return b.String()
}

const (
	plainHead = "From: a@customer.example\nContent-Type: text/plain; charset=utf-8\n"
	mixedHead = "From: a@customer.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"b\"\n"
	altHead   = "From: a@customer.example\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=\"b\"\n"
)

// wrapped is a mail that is one wrapper.
func wrappedIn(contentType, content string) string {
	return crlf("From: a@customer.example", "MIME-Version: 1.0", "Content-Type: "+contentType, "Content-Transfer-Encoding: base64", "", b64(content), "")
}

const signedType = "application/pkcs7-mime; smime-type=signed-data; name=smime.p7m"

func TestRead_kinds(t *testing.T) {
	inner := crlf("Content-Type: multipart/mixed; boundary=i", "", "--i", "Content-Type: text/plain", "", "Signed words.", "--i",
		"Content-Type: application/pdf; name=a.pdf", "", "%PDF", "--i--", "")
	const innerTold = "text \"Signed words.\"\nfile a.pdf application/pdf \"%PDF\""
	long := strings.Repeat("0123456789", 30)
	for _, c := range []struct{ name, raw, want string }{
		// files in the text
		{"R17/uuencode, one block", crlf(plainHead, "See the file.", "", uu("a.txt", long), "", "Anna"), "text \"See the file.\\n\\n\\nAnna\"\nfile a.txt application/octet-stream \"01234567890123456789012345678901234567890123456789012345678"},
		{"R17/uuencode, two blocks", crlf(plainHead, "Two.", uu("a.txt", "abc"), "and", uu("b c.txt", "defg"), "End."), "text \"Two.\\nand\\nEnd.\"\nfile a.txt application/octet-stream \"abc\"\nfile b c.txt application/octet-stream \"defg\""},
		{"R17/uuencode, truncated", crlf(plainHead, "Cut.", strings.TrimSuffix(uu("a.txt", "abc"), "`\nend")), "text \"Cut.\"\nfile a.txt application/octet-stream \"abc\"\nflaw uuencoded file a.txt is damaged"},
		{"R17/uuencode, text after a cut block", crlf(plainHead, "Cut.", strings.TrimSuffix(uu("a.txt", "abc"), "`\nend")+"the rest is words"), "text \"Cut.\\nthe rest is words\"\nfile a.txt application/octet-stream \"abc\"\nflaw uuencoded file a.txt is damaged"},
		{"R17/uuencode, spaces for zeros", crlf(plainHead, "Old.", "begin 644 a", "#    ", " ", "end"), "text \"Old.\"\nfile a application/octet-stream \"\\x00\\x00\\x00\""},
		{"R17/uuencode, only spoken of", crlf(plainHead, "begin 644 today", "and we shall end", "end", "begin with me"), `text "begin 644 today\nand we shall end\nend\nbegin with me"`},
		{"R22/uuencode, name with a path", crlf(plainHead, "x", uu("../../etc/passwd", "abc")), "text \"x\"\nfile passwd application/octet-stream \"abc\""},
		{"R17/uuencode as transfer encoding", crlf(mixedHead, "--b", "", "Text.", "--b", "Content-Type: image/gif", "Content-Transfer-Encoding: x-uuencode", "", uu("a.gif", "GIF89a"), "--b--", ""), "text \"Text.\"\nfile a.gif image/gif \"GIF89a\""},
		{"R17/uuencode as transfer encoding of the mail", crlf("Content-Type: text/plain", "Content-Transfer-Encoding: uuencode", "", uu("x", "the text")), `text "the text"`},
		{"R17/uuencode as transfer encoding, and is not", crlf("Content-Type: text/plain", "Content-Transfer-Encoding: x-uue", "", "plain words"), `text "plain words"`},
		{"R17/yEnc stays text", crlf(plainHead, "=ybegin line=128 size=3 name=a.bin", "abc", "=yend size=3"), `text "=ybegin line=128 size=3 name=a.bin\nabc\n=yend size=3"`},

		// signed and encrypted
		{"R17/S-MIME signed", wrappedIn(signedType, cms(inner)), innerTold},
		{"R17/S-MIME signed, in pieces of unknown length", wrappedIn("application/x-pkcs7-mime; name=smime.p7m", cmsPieces(inner[:20], inner[20:50], inner[50:])), innerTold},
		{"R17/S-MIME signed, as plain octets", wrappedIn("application/octet-stream; name=smime.p7m", cms(inner)), innerTold},
		{"R17/S-MIME signed, with its header", wrappedIn(signedType, cms("Content-Type: message/rfc822\r\n\r\nFrom: a@customer.example\r\n"+inner)), innerTold},
		{"R17/S-MIME signed twice", wrappedIn(signedType, cms(wrappedIn(signedType, cms(inner)))), innerTold},
		{"R17/S-MIME signed three times", wrappedIn(signedType, cms(wrappedIn(signedType, cms(wrappedIn(signedType, cms(inner)))))), "~text \"\"\nfile smime.p7m application/pkcs7-mime \"0\\x83"},
		{"R17/S-MIME, cut short", wrappedIn(signedType, cms(inner)[:len(cms(inner))-11]), "text \"Signed words.\"\nfile a.pdf application/pdf \"%PDF\"\nflaw no closing boundary"},
		{"R17/S-MIME, nothing but text inside", wrappedIn(signedType, cms("Just words.\r\n")), "text \"Just words.\"\nflaw no empty line before the text"},
		{"R17/S-MIME encrypted", wrappedIn("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", der(0x30, oidEnvelopedData, der(0xa0, "\x30\x00"))), "text \"\"\nfile smime.p7m application/pkcs7-mime \"0\\x0f\\x06\\t*\\x86H\\x86\\xf7\\r\\x01\\a\\x03\\xa0\\x020\\x00\"\nflaw the mail is encrypted: its text cannot be read"},
		{"R17/S-MIME, certificates alone", wrappedIn("application/pkcs7-mime; smime-type=certs-only", der(0x30, oidSignedData, der(0xa0, der(0x30, derVersion, derDigests, der(0x30, oidData))))), "~text \"\"\nfile file-1.p7m application/pkcs7-mime \"0"},
		{"R17/S-MIME, broken", wrappedIn(signedType, "0\x84\xff\xff\xff\xffjunk"), "text \"\"\nfile smime.p7m application/pkcs7-mime \"0\\x84\\xff\\xff\\xff\\xffjunk\""},
		{"R17/S-MIME clear-signed", crlf("Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=b", "", "--b", "Content-Type: text/plain", "", "Words.", "--b", "Content-Type: application/pkcs7-signature; name=smime.p7s", "Content-Disposition: attachment; filename=smime.p7s", "Content-Transfer-Encoding: base64", "", "MIIB", "--b--", ""), "text \"Words.\"\nfile smime.p7s application/pkcs7-signature \"0\\x82\\x01\""},
		{"R17/PGP-MIME signed", crlf("Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; micalg=pgp-sha256; boundary=b", "", "--b", "Content-Type: text/plain", "", "Words.", "--b", "Content-Type: application/pgp-signature; name=signature.asc", "", "-----BEGIN PGP SIGNATURE-----", "--b--", ""), "text \"Words.\"\nfile signature.asc application/pgp-signature \"-----BEGIN PGP SIGNATURE-----\""},
		{"R17/PGP-MIME encrypted", crlf("Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b", "", "--b", "Content-Type: application/pgp-encrypted", "", "Version: 1", "--b", "Content-Type: application/octet-stream; name=encrypted.asc", "Content-Disposition: inline; filename=encrypted.asc", "", "-----BEGIN PGP MESSAGE-----", "--b--", ""), "text \"\"\nfile file-1 application/pgp-encrypted \"Version: 1\"\nfile encrypted.asc application/octet-stream inline \"-----BEGIN PGP MESSAGE-----\"\nflaw the mail is encrypted: its text cannot be read"},
		{"R17/PGP in the text stays text", crlf(plainHead, "-----BEGIN PGP MESSAGE-----", "", "hQEM", "-----END PGP MESSAGE-----"), `text "-----BEGIN PGP MESSAGE-----\n\nhQEM\n-----END PGP MESSAGE-----"`},

		// Outlook
		{"R17/TNEF, a file beside the text", crlf(mixedHead, "--b", "Content-Type: text/plain", "", "See file.", "--b", "Content-Type: application/ms-tnef; name=\"winmail.dat\"", "Content-Transfer-Encoding: base64", "", b64(winmail(attribute(1, 0x800c, 2, "Other words.\x00"), outlookFile("REPORT~1.PDF", "Report für Anna.pdf", "%PDF"))), "--b--", ""), "text \"See file.\"\nfile Report für Anna.pdf application/pdf \"%PDF\""},
		{"R17/TNEF, all there is", wrappedIn("application/ms-tnef", winmail(attribute(1, 0x800c, 2, "Gr\xfc\xdfe\x00"), attribute(2, 0x9002, 6, "\x01\x00"), attribute(2, 0x8010, 1, "old.txt\x00"), attribute(2, 0x800f, 6, "abc"))), "text \"Grüße\"\nfile old.txt application/octet-stream \"abc\""},
		{"R17/TNEF, HTML", wrappedIn("application/octet-stream; name=winmail.dat", winmail(attribute(1, 0x9003, 6, properties("\x03\x00\xde\x3f\xe9\xfd\x00\x00", property(0x102, 0x1013, "<p>Hall\u00e5 <b>du</b></p>"))))), `text "Hallå du"`},
		{"R17/TNEF, rich text", wrappedIn("application/ms-tnef", winmail(attribute(1, 0x9003, 6, properties(property(0x102, 0x1009, plainRTF(`{\rtf1\ansi\ansicpg1251\deff0{\fonttbl{\f0\fswiss Arial;}{\f1\fnil\fcharset204 Arial;}}{\colortbl;\red0\green0\blue0;}{\*\generator X;}\pard\f1\'cf\'f0\'e8\'e2\'e5\'f2\par gr\u252?n \u-10179?\u-8704?\par}`)))))), `text "Привет\ngrün 😀"`},
		{"R17/TNEF, HTML in rich text", wrappedIn("application/ms-tnef", winmail(attribute(1, 0x9003, 6, properties(property(0x102, 0x1009, plainRTF(`{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0 Arial;}}{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 Caf\'e9 {\*\htmltag84 &lt;}\htmlrtf <\htmlrtf0 3{\*\htmltag72 </p>}\htmlrtf }\htmlrtf0}`)))))), `text "Café <3"`},
		{"R17/TNEF, broken", wrappedIn("application/ms-tnef; name=winmail.dat", winmail(outlookFile("A.PDF", "a.pdf", "%PDF"))[:60]), "~text \"\"\nfile winmail.dat application/ms-tnef \"x\\x9f>\\"},

		// pictures and alternatives
		{"R17/picture between texts, from Apple Mail", crlf(mixedHead, "--b", "Content-Type: text/plain", "", "Before.", "--b", "Content-Disposition: inline; filename=IMG_1.jpeg", "Content-Type: image/jpeg; name=IMG_1.jpeg", "", "JFIF", "--b", "Content-Type: text/plain", "", "After.", "--b--", ""), "text \"Before.\\n\\nAfter.\"\nfile IMG_1.jpeg image/jpeg inline \"JFIF\""},
		{"R17/HTML in pieces, from Apple Mail", crlf(altHead, "--b", "Content-Type: text/plain", "", "One. Two.", "--b", "Content-Type: multipart/mixed; boundary=c", "", "--c", "Content-Type: text/html", "", "<p>One.</p>", "--c", "Content-Type: application/pdf; name=a.pdf", "Content-Disposition: inline; filename=a.pdf", "", "%PDF", "--c", "Content-Type: text/html", "", "<p>Two.</p>", "--c--", "--b--", ""), "text \"One. Two.\"\nfile a.pdf application/pdf inline \"%PDF\""},
		{"R17/HTML in pieces and nothing else", crlf(mixedHead, "--b", "Content-Type: text/html", "", "<p>One.</p>", "--b", "Content-Type: image/png; name=a.png", "Content-Disposition: inline", "", "PNG", "--b", "Content-Type: text/html", "", "<p>Two.</p>", "--b--", ""), "text \"One.\\n\\nTwo.\"\nfile a.png image/png inline \"PNG\""},
		{"R17/picture named in the HTML", crlf("Content-Type: multipart/related; boundary=b", "", "--b", "Content-Type: text/html", "", "<p>Look <img alt=\"it\" src=\"cid:i1@x\"></p>", "--b", "Content-Type: image/png; name=image001.png", "Content-ID: <i1@x>", "", "PNG", "--b--", ""), "~file image001.png image/png inline \"PNG\""},
		{"R17/related whose root is not the first", crlf("Content-Type: multipart/related; boundary=b; start=\"<r@x>\"", "", "--b", "Content-Type: image/png; name=a.png", "Content-ID: <i1@x>", "", "PNG", "--b", "Content-Type: text/plain", "Content-ID: <r@x>", "", "Root.", "--b--", ""), "text \"Root.\"\nfile a.png image/png inline \"PNG\""},
		{"R17/AMP is neither text nor file", crlf(altHead, "--b", "Content-Type: text/plain", "", "Plain.", "--b", "Content-Type: text/x-amp-html", "", "<html amp4email>", "--b", "Content-Type: text/html", "", "<p>Rich.</p>", "--b--", ""), `text "Plain."`},
		{"R17/invitation", crlf(altHead, "--b", "Content-Type: text/plain", "", "Meet.", "--b", "Content-Type: text/calendar; method=REQUEST; name=meeting.ics", "", "BEGIN:VCALENDAR", "--b--", ""), "text \"Meet.\"\nfile meeting.ics text/calendar \"BEGIN:VCALENDAR\""},
		{"R17/attached mail in base64", crlf(mixedHead, "--b", "Content-Type: text/plain", "", "See mail.", "--b", "Content-Type: message/rfc822; name=a.eml", "Content-Transfer-Encoding: base64", "", b64("From: b@x.example\r\n\r\nInner."), "--b--", ""), "text \"See mail.\"\nfile a.eml message/rfc822 \"From: b@x.example\\r\\n\\r\\nInner.\""},
		{"R17/digest", crlf("Content-Type: multipart/digest; boundary=b", "", "--b", "", "From: b@x.example", "", "One.", "--b--", ""), "text \"\"\nfile file-1.eml message/rfc822 \"From: b@x.example\\r\\n\\r\\nOne.\""},
		{"R23/HTML that calls itself plain", crlf(plainHead, "<html><body><p>Hello <b>you</b><script>x()</script></p></body></html>"), "text \"Hello you\"\nflaw HTML that calls itself plain text"},
		{"R23/HTML that is only spoken of", crlf(plainHead, "Use <b>bold</b> and <html>."), `text "Use <b>bold</b> and <html>."`},
		{"R17/format=flowed with DelSp and quotes", crlf("Content-Type: text/plain; format=flowed; delsp=yes", "", "ab ", "cd", "> q1 ", "> q2", " > stuffed", "-- ", "Anna"), `text "abcd\n> q1q2\n> stuffed\n-- \nAnna"`},

		// charsets
		{"R20/UTF-7", crlf("Content-Type: text/plain; charset=utf-7", "", "Hi Mom -+Jjo--! 1 +- 1 +ZeVnLIqe-."), `text "Hi Mom -☺-! 1 + 1 日本語."`},
		{"R20/UTF-7 undeclared stays", crlf(plainHead, "+ADw-script+AD4-"), `text "+ADw-script+AD4-"`},
		{"R20/EUC-KR", "Content-Type: text/plain; charset=euc-kr\r\n\r\n\xc7\xc1\xb8\xb0\xc5\xcd", `text "프린터"`},
		{"R20/Big5", "Content-Type: text/plain; charset=big5\r\n\r\n\xa6\x4c\xaa\xed\xbe\xf7", `text "印表機"`},
		{"R20/Java's name of Korean", "Content-Type: text/plain; charset=x-windows-949\r\n\r\n\xb0\xa1\x8c\x63", `text "가똠"`},
		{"R20/KOI8-U", "Content-Type: text/plain; charset=koi8-u\r\n\r\n\xf0\xd2\xc9\xd7\xa6\xd4", `text "Привіт"`},
		{"R20/UTF-8 that says KOI8-R", "Content-Type: text/plain; charset=koi8-r\r\n\r\nПривет", `text "Привет"`},
		{"R20/UTF-8 that says GB2312", "Content-Type: text/plain; charset=gb2312\r\n\r\n打印机坏了吗", `text "打印机坏了吗"`},
		{"R20/UTF-8 that says Shift_JIS", "Content-Type: text/plain; charset=shift_jis\r\n\r\nプリンターが", `text "プリンターが"`},
		{"R20/GBK that happens to be UTF-8", "Content-Type: text/plain; charset=gbk\r\n\r\n\xc4\xa3\xc4\xa3", `text "模模"`},
		{"R20/UTF-16 without a mark", "Content-Type: text/plain; charset=utf-16\r\n\r\nH\x00i\x00", `text "Hi"`},
		{"R20/UTF-16 with a mark, undeclared", "Content-Type: text/plain\r\n\r\n\xff\xfeH\x00i\x00", `text "Hi"`},
		{"R20/UTF-8 that calls itself latin-1", "Content-Type: text/plain; charset=iso-8859-1\r\n\r\nr\xc3\xb8d", `text "rød"`},
		{"R20/UTF-8 that calls itself ASCII", "Content-Type: text/plain; charset=us-ascii\r\n\r\nr\xc3\xb8d", `text "rød"`},
		{"R20/latin-1 that calls itself UTF-8", "Content-Type: text/plain; charset=utf-8\r\n\r\nr\xf8d gr\xf8d", `text "rød grød"`},
		{"R20/ISO-2022-JP that calls itself ASCII", "Content-Type: text/plain; charset=us-ascii\r\n\r\n\x1b$B%F%9%H\x1b(B!", `text "テスト!"`},

		// transfer encodings
		{"R17/base64, line by line", crlf("Content-Transfer-Encoding: base64", "", "T25lIA==", "dHdv"), `text "One two"`},
		{"R17/base64, junk between", crlf("Content-Transfer-Encoding: base64", "", "T2%%5l", "I!A=="), "text \"One \"\nflaw text: base64 is damaged"},
		{"R17/base64, a footer behind it without padding", crlf("Content-Transfer-Encoding: base64", "", "T25l", "____________", "list mailing list"), "text \"One\"\nflaw text: base64 is damaged"},
		{"R17/base64 around a multipart", crlf("Content-Type: multipart/mixed; boundary=b", "Content-Transfer-Encoding: base64", "", b64(crlf("--b", "Content-Type: text/plain", "", "Inside.", "--b--"))), `text "Inside."`},
		{"R17/base64, a footer behind it", crlf("Content-Transfer-Encoding: base64", "", "T25l", "dHc=", "____________", "list mailing list"), "text \"Onetw\"\nflaw text: base64 is damaged"},
		{"R17/quoted-printable, damaged", crlf("Content-Transfer-Encoding: quoted-printable", "", "50=% =C3=B8 =4", "soft =  ", "break=0"), "text \"50=% ø =4\\nsoft break=0\"\nflaw text: quoted-printable is damaged"},
		{"R17/two transfer encodings", crlf("Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: 7bit", "", "T25l"), `text "One"`},
		{"R17/two types, the first cannot be used", crlf("Content-Type: multipart", "Content-Type: text/html", "", "<p>One</p>"), "text \"One\"\nflaw more than one Content-Type: the first that can be used counts"},

		// boundaries
		{"R17/boundary that never appears", crlf(mixedHead, "Just words.", ""), "text \"Just words.\"\nflaw multipart without parts"},
		{"R17/boundary that is over-long", crlf("Content-Type: multipart/mixed; boundary=\""+strings.Repeat("x", 600)+"\"", "", "--"+strings.Repeat("x", 600), "", "Words."), "~flaw multipart without parts"},
		{"R17/boundary of odd signs", crlf("Content-Type: multipart/mixed; boundary=\"a'()+_,-./:=? b\"", "", "--a'()+_,-./:=? b", "", "Words.", "--a'()+_,-./:=? b--"), `text "Words."`},
		{"R17/boundary that another begins with", crlf("Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Type: multipart/alternative; boundary=bb", "", "--bb", "", "Plain.", "--bb", "Content-Type: text/html", "", "<p>Rich.</p>", "--bb--", "--b", "Content-Type: text/plain; name=a.txt", "", "file", "--b--"), "text \"Plain.\"\nfile a.txt text/plain \"file\""},
		{"R17/multipart cut in a file", crlf(mixedHead, "--b", "", "Words.", "--b", "Content-Type: image/png; name=a.png", "Content-Transfer-Encoding: base64", "", "aGVsbG8g"), "text \"Words.\"\nfile a.png image/png \"hello \"\nflaw no closing boundary"},
		{"R17/part without an empty line", crlf(mixedHead, "--b", "Words at once,", "and more.", "--b--"), "text \"Words at once,\\nand more.\"\nflaw no empty line before the text"},

		// header blocks
		{"R17/text without an empty line before it", crlf("From: a@x.example", "Subject: x", "Hello there,", "", "it broke."), "text \"Hello there,\\n\\nit broke.\"\nflaw no empty line before the text"},
		{"R17/text without a header", crlf("Hello there,", "it broke."), "text \"Hello there,\\nit broke.\"\nflaw no empty line before the text"},
		{"R17/space in the empty line", crlf("From: a@x.example", "  ", "Hello.", "", "More."), `text "Hello.\n\nMore."`},
		{"R17/space where a field goes on", crlf("From: a@x.example", "  ", "Subject: x", "", "Hello."), `text "Hello."`},
		{"R17/lines that end with CR", "From: a@x.example\rSubject: x\r\rHello.\rMore.", "text \"Hello.\\nMore.\"\nflaw lines end with CR alone"},
		{"R17/line ends mixed", "From: a@x.example\r\nSubject: x\n\nHello.\rMore.\r\nEnd.\n", `text "Hello.\nMore.\nEnd."`},
		{"R19/NUL everywhere", "From: a@x.example\r\nSub\x00ject: x\x00y\r\n\r\na\x00b", "text \"ab\"\nflaw NUL in the header\nflaw NUL in the text"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := read(c.raw)
			part, some := strings.CutPrefix(c.want, "~")
			if got := told(m); got != c.want && !(some && strings.Contains(got, part)) {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			checkClean(t, m)
		})
	}
}

// The examples of MS-OXRTFCP §4.
func TestUnpackRTF(t *testing.T) {
	for packed, want := range map[string]string{
		"2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0": "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n",
		"1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0":                                       `{\rtf1 WXYZWXYZWXYZWXYZWXYZ}`,
	} {
		raw, err := hex.DecodeString(packed)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(unpackRTF(raw, 1000)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestHeader_kinds(t *testing.T) {
	for _, c := range []struct{ name, raw, field, want string }{
		{"R20/UTF-8 as it is", "Subject: r\xc3\xb8d\r\n\r\n", "Subject", "rød"},
		{"R20/latin-1 as it is", "Subject: r\xf8d\r\n\r\n", "Subject", "rød"},
		{"R20/each field by itself", "Subject: r\xf8d\r\nTo: Bl\xc3\xa5b\xc3\xa6r <a@x.example>\r\n\r\n", "Subject", "rød"},
		{"R20/the body's charset", "Subject: \xcf\xf0\xe8\xe2\xe5\xf2\r\nContent-Type: text/plain; charset=windows-1251\r\n\r\n", "Subject", "Привет"},
		{"R20/ISO-2022-JP as it is", "Subject: \x1b$B%F%9%H\x1b(B\r\n\r\n", "Subject", "テスト"},
		{"R20/ISO-2022-JP over two words", "Subject: =?ISO-2022-JP?B?GyRCJUYbKEI=?=\r\n =?ISO-2022-JP?B?GyRCJTklSBsoQg==?=\r\n\r\n", "Subject", "テスト"},
		{"R20/cut in a group of letters", "Subject: =?utf-8?B?4piD4p?= =?utf-8?B?iD?=\r\n\r\n", "Subject", "☃☃"},
		{"R20/words without padding", "Subject: =?utf-8?B?w6Y?= =?utf-8?B?w7g?=\r\n\r\n", "Subject", "æø"},
		{"R20/Q and B mixed", "Subject: =?utf-8?Q?=C3?= =?utf-8?B?uA==?=\r\n\r\n", "Subject", "ø"},
		{"R20/a question mark that is not coded", "Subject: =?utf-8?Q?Really?=3F_Yes=C3=B8?= end\r\n\r\n", "Subject", "Really?? Yesø end"},
		{"R20/a language", "Subject: =?iso-8859-1*da?Q?r=F8d?=\r\n\r\n", "Subject", "rød"},
		{"R20/an unknown charset", "Subject: =?x-none?Q?r=F8d?=\r\n\r\n", "Subject", "rød"},
		{"R20/in a quoted string", "Subject: \"=?utf-8?Q?r=C3=B8d?=\"\r\n\r\n", "Subject", "\"rød\""},
		{"R20/UTF-7", "Subject: =?utf-7?Q?Gr+APwA3w-e?=\r\n\r\n", "Subject", "Grüße"},
		{"R17/a line without colon among fields", "From: a@x.example\r\nnothing at all\r\nSubject: here\r\n\r\n", "Subject", "here"},
		{"R17/an mbox line", "From a@x Mon Nov  2 10:00:00 2026\r\n>From b@x Mon\r\nSubject: here\r\n\r\n", "Subject", "here"},
		{"R17/a space before the colon", "Subject : here\r\n\r\n", "Subject", "here"},
		{"R20/CR alone is no line end", "Subject: one\rBcc: two\r\n\r\n", "Bcc", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := read(c.raw).Header.Text(c.field, 250); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestParseParams(t *testing.T) {
	for _, c := range []struct{ name, in, param, want string }{
		{"R20/in pieces, out of order", `attachment; filename*1*=%20gr%C3%B8d.pdf; filename*0*=utf-8'da'r%C3%B8d`, "filename", "rød grød.pdf"},
		{"R20/coded without a charset", `attachment; filename*=r%C3%B8d.pdf`, "filename", "rød.pdf"},
		{"R20/latin-1", `attachment; filename*=iso-8859-1''r%F8d.pdf`, "filename", "rød.pdf"},
		{"R20/twice, the first counts", `attachment; filename=a.pdf; filename=b.pdf`, "filename", "a.pdf"},
		{"R20/both forms, the coded one counts", `attachment; filename=r_d.pdf; filename*=utf-8''r%C3%B8d.pdf`, "filename", "rød.pdf"},
		{"R20/an encoded word", `attachment; filename="=?utf-8?Q?r=C3=B8d.pdf?="`, "filename", "rød.pdf"},
		{"R20/encoded words in pieces", `attachment; filename*0="=?utf-8?Q?r=C3="; filename*1="B8d.pdf?="`, "filename", "rød.pdf"},
		{"R20/decoded once", `attachment; filename*=utf-8''%3D%3Futf-8%3FQ%3Fa%3F%3D`, "filename", "=?utf-8?Q?a?="},
		{"R20/a percent sign", `attachment; filename*=utf-8''100%.pdf`, "filename", "100%.pdf"},
		{"R20/no quotes around spaces", `attachment; filename=my report (1).pdf; size=3`, "filename", "my report (1).pdf"},
		{"R20/quotes in quotes", `attachment; filename="the "big" one.pdf"; size=3`, "filename", `the "big" one.pdf`},
		{"R20/no semicolon", `multipart/mixed; boundary="b" charset=utf-8`, "charset", "utf-8"},
		{"R20/a comment", `text/plain; charset=us-ascii (Plain text)`, "charset", "us-ascii"},
		{"R20/a comment with a semicolon", `text/plain (a; b="c); charset=koi8-r`, "charset", "koi8-r"},
		{"R22/a path", `attachment; filename="C:\Temp\a.doc"`, "filename", `C:\Temp\a.doc`},
		{"R20/empty parameters", `text/plain;; ; charset=x;`, "charset", "x"},
		{"R20/no end of the quotes", `attachment; filename="a.pdf`, "filename", "a.pdf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, params := parseParams(c.in); params[c.param] != c.want {
				t.Errorf("%q, want %q", params[c.param], c.want)
			}
		})
	}
}

func TestAddresses_kinds(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"R30/name without brackets around the address", `Anna Smith anna@customer.example`, "Anna Smith|anna@customer.example"},
		{"R30/square brackets", `Anna [mailto:anna@customer.example]`, "Anna|anna@customer.example"},
		{"R30/two pairs of brackets", `Anna <<anna@customer.example>>, b@x.example`, "Anna|anna@customer.example |b@x.example"},
		{"R30/single quotes", `'anna@customer.example'`, "|anna@customer.example"},
		{"R30/no opening bracket", `Anna anna@customer.example>`, "Anna|anna@customer.example"},
		{"R30/space around the at sign", `<anna @ customer.example>`, "|anna@customer.example"},
		{"R30/encoded word in a quoted string", `"=?utf-8?q?S=C3=B8ren?=" <s@x.example>`, "Søren|s@x.example"},
		{"R30/encoded word in a comment", `s@x.example (=?utf-8?q?S=C3=B8ren?=)`, "Søren|s@x.example"},
		{"R20/two addresses in an encoded word", `=?utf-8?q?a=40x=2Eexample=2C_b=40x=2Eexample?= <c@x.example>`, "a@x.example, b@x.example|c@x.example"},
		{"R20/a comma in an encoded word", `=?utf-8?q?Smith=2C_Anna?= <a@x.example>, b@x.example`, "Smith, Anna|a@x.example |b@x.example"},
		{"R20/two in one pair of brackets", `<a@x.example, b@x.example>`, "|a@x.example |b@x.example"},
		{"R30/a bracket that is never closed", `broken <, ok@x.example, "no end <b@x.example>`, "|ok@x.example no end|b@x.example"},
		{"R30/IDN and a local part beyond ASCII", `Ærø <ærø@Blåbær.example>`, "Ærø|ærø@xn--blbr-roah.example"},
		{"R30/groups", `undisclosed-recipients:;, Team: a@x.example, b@y.example;`, "|a@x.example |b@y.example"},
		{"R30/half a group", `Team: a@x.example, b@y.example`, "|a@x.example |b@y.example"},
		{"R30/semicolons", `Anna <a@x.example>; Bob <b@y.example>;`, "Anna|a@x.example Bob|b@y.example"},
		{"R30/a comment in the address", `a(c)@x.example (Anna)`, "Anna|a@x.example"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, a := range ParseAddresses(c.in, 10) {
				got = append(got, a.Name+"|"+a.Address)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
