package mime

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"io"
	"strings"
)

// encoding is a part's transfer encoding as it is read here, and whether
// anybody knows it.
func (p *part) encoding() (name string, known bool) {
	declared := lower(strings.Trim(stripComments(p.header.First("Content-Transfer-Encoding")), " \t\"';"))
	switch declared {
	case "base64", "quoted-printable", "7bit", "8bit", "binary", "":
		return declared, true
	case "quoted_printable", "quotedprintable", "qp":
		return "quoted-printable", true
	case "base-64", "b64":
		return "base64", true
	case "uuencode", "x-uuencode", "x-uue", "uue":
		return "uuencode", true
	case "7-bit", "8-bit", "7 bit", "8 bit", "utf-8", "utf8", "us-ascii", "ascii", "none", "text", "plain", "identity":
		return "8bit", true // seen often, and never meant more than "as it is"
	}
	return Clean(declared, 40), false
}

// decodedPart is a part's content without its transfer encoding. An unknown
// encoding is left as it is.
func (rd *reader) decodedPart(p *part) decoder {
	var at io.ReaderAt = rd.src
	if p.in != nil {
		at = p.in
	}
	raw := io.NewSectionReader(at, p.start, p.end-p.start)
	switch name, _ := p.encoding(); name {
	case "base64":
		return newBase64(raw)
	case "quoted-printable":
		return newQuoted(raw)
	case "uuencode":
		in := bufio.NewReaderSize(raw, 8<<10)
		if _, found := nextUU(in, nil); found {
			return &uuOctets{in: in}
		}
		return asItIs{io.NewSectionReader(at, p.start, p.end-p.start)}
	}
	return asItIs{raw}
}

// content reads at most n decoded octets of a part; more says that there are
// others. Whether they were damaged is noted in the part.
func (rd *reader) content(p *part, n int) (b []byte, more bool) {
	d := rd.decodedPart(p)
	var buf bytes.Buffer
	buf.Grow(int(min(int64(n), p.end-p.start)) + bytes.MinRead) // what is decoded is no longer than what is coded
	_, _ = buf.ReadFrom(io.LimitReader(d, int64(n)+1))          // what a decoder stops at is no error of ours
	rd.broken()
	p.damaged = d.damaged()
	if b = buf.Bytes(); len(b) > n {
		return b[:n], true
	}
	return b, false
}

// suspect says whether a part whose content was read was damaged, and in what
// encoding.
func (rd *reader) suspect(p *part) (encoding string, bad bool) {
	name, _ := p.encoding()
	return name, p.damaged
}

// file lists a part as a file.
func (rd *reader) file(p *part) {
	if rd.nested {
		return
	}
	n := len(rd.msg.Files) + 1
	f := File{Type: p.mediaType, ContentID: bracketed(p.header.First("Content-Id"))}
	disposition, params := parseParams(p.header.First("Content-Disposition"))
	f.Inline = disposition == "inline" || disposition == "" && f.ContentID != ""
	encoding, known := p.encoding()
	if !known {
		rd.flaw("unknown transfer encoding %s: kept as file", encoding)
	}
	name := params["filename"]
	if strings.TrimSpace(name) == "" {
		name = p.params["name"]
	}
	if strings.TrimSpace(name) == "" && encoding == "uuencode" {
		name, _ = nextUU(bufio.NewReader(io.NewSectionReader(rd.src, p.start, p.end-p.start)), nil)
	}
	f.Name = fileName(name, p.mediaType, n, rd.limits.FileNameRunes)
	d := rd.decodedPart(p)
	at, cr := rd.src.at, rd.src.cr
	rd.list(f, d, func() (io.ReadCloser, error) {
		again := reader{src: &source{at: at, cr: cr}} // the message is not touched any more
		return io.NopCloser(again.decodedPart(p)), nil
	})
	if d.damaged() {
		rd.flaw("file %d: %s is damaged", n, encoding)
	}
}

// list adds a file. Its size and hash are taken while it streams by; nothing of
// it stays in memory.
func (rd *reader) list(f File, content io.Reader, open func() (io.ReadCloser, error)) {
	l := rd.limits
	sum := sha256.New()
	f.Size = rd.stream(sum, content)
	sum.Sum(f.SHA256[:0])
	if rd.nested {
		return
	}
	rd.decoded += f.Size
	switch {
	case len(rd.msg.Files) >= l.Files:
		rd.flaw("more than %d files: the rest is listed only", l.Files)
	case f.Size > l.FileBytes:
		rd.flaw("file over %s: listed only", size(l.FileBytes))
	case rd.decoded > l.AllBytes:
		rd.flaw("files over %s in all: the rest is listed only", size(l.AllBytes))
	default:
		f.Open = open
	}
	rd.msg.Files = append(rd.msg.Files, f)
}

// stream copies block by block and stops when the time is over.
func (rd *reader) stream(w io.Writer, r io.Reader) int64 {
	var n int64
	for !rd.late() {
		k, err := io.CopyN(w, r, 1<<20)
		n += k
		if err != nil {
			rd.broken()
			break
		}
	}
	return n
}

var extensions = map[string]string{
	"message/rfc822": ".eml", "message/global": ".eml", "text/plain": ".txt", "text/html": ".html",
	"text/calendar": ".ics", "text/csv": ".csv", "image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif",
	"image/webp": ".webp", "application/pdf": ".pdf", "application/zip": ".zip", "text/rfc822-headers": ".txt",
	"application/pgp-signature": ".asc", "application/pkcs7-signature": ".p7s", "application/x-pkcs7-signature": ".p7s",
	"application/pkcs7-mime": ".p7m", "application/x-pkcs7-mime": ".p7m", "application/ms-tnef": ".tnef", "text/rtf": ".rtf",
}

// fileName makes a label of what the mail says: no folders, no control
// characters (R21, R22). The extension survives a cut.
func fileName(name, mediaType string, n, most int) string {
	name = Clean(name, 0)
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.TrimSpace(strings.Trim(name, "\"'"))
	if strings.Trim(name, ". ") == "" {
		return "file-" + itoa(n) + extensions[mediaType]
	}
	runes := []rune(name)
	if most > 0 && len(runes) > most {
		ext := ""
		if i := strings.LastIndexByte(name, '.'); i >= 0 && len([]rune(name[i:])) <= 12 {
			ext = name[i:]
		}
		name = strings.TrimSpace(string(runes[:most-len([]rune(ext))])) + ext
	}
	return name
}
