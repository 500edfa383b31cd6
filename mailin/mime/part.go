package mime

import (
	"bufio"
	"crypto/sha256"
	"io"
	"strings"

	"github.com/emersion/go-message"
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
	case "7-bit", "8-bit", "7 bit", "8 bit", "utf-8", "utf8", "us-ascii", "ascii", "none", "text", "plain", "identity":
		return "8bit", true // seen often, and never meant more than "as it is"
	}
	return Clean(declared, 40), false
}

// decodedPart is a part's content without its transfer encoding. What a decoder
// would stop at is repaired before it sees it, so a damaged part gives what is
// left of it. An unknown encoding is left as it is.
func (rd *reader) decodedPart(p *part) io.Reader {
	raw := io.NewSectionReader(rd.src, p.start, p.end-p.start)
	name, known := p.encoding()
	if !known {
		return raw
	}
	var in io.Reader = raw
	switch name {
	case "base64":
		return &base64Octets{from: base64Repair{src: bufio.NewReaderSize(raw, 8<<10)}}
	case "quoted-printable":
		in = &quotedRepair{src: bufio.NewReaderSize(raw, 4096)}
	default:
		return raw
	}
	var h message.Header
	h.Set("Content-Type", "application/octet-stream") // the charset is ours to decide
	h.Set("Content-Transfer-Encoding", name)
	e, err := message.New(h, in)
	if err != nil {
		return raw
	}
	return e.Body
}

// content reads at most n decoded octets of a part; more says that there are
// others.
func (rd *reader) content(p *part, n int) (b []byte, more bool) {
	b, _ = io.ReadAll(io.LimitReader(rd.decodedPart(p), int64(n)+1)) // what a decoder stops at is no error of ours
	rd.broken()
	if len(b) > n {
		return b[:n], true
	}
	return b, false
}

// file lists a part as a file. Its size and hash are taken while it streams
// by; nothing of it stays in memory.
func (rd *reader) file(p *part) {
	if rd.nested {
		return
	}
	l := rd.limits
	f := File{Type: p.mediaType, ContentID: MessageID(p.header.First("Content-Id"))}
	disposition, params := parseParams(p.header.First("Content-Disposition"))
	f.Inline = disposition == "inline" || disposition == "" && f.ContentID != ""
	f.Name = fileName(params["filename"], p.params["name"], p.mediaType, len(rd.msg.Files)+1, l.FileNameRunes)
	if name, known := p.encoding(); !known {
		rd.flaw("unknown transfer encoding %s: kept as file", name)
	}
	if _, bad := rd.suspect(p); bad {
		rd.flaw("file %d: base64 is damaged", len(rd.msg.Files)+1)
	}
	sum := sha256.New()
	f.Size = rd.stream(sum, rd.decodedPart(p))
	sum.Sum(f.SHA256[:0])
	rd.decoded += f.Size
	switch {
	case len(rd.msg.Files) >= l.Files:
		rd.flaw("more than %d files: the rest is listed only", l.Files)
	case f.Size > l.FileBytes:
		rd.flaw("file over %s: listed only", size(l.FileBytes))
	case rd.decoded > l.AllBytes:
		rd.flaw("files over %s in all: the rest is listed only", size(l.AllBytes))
	default:
		at := rd.src.at
		f.Open = func() (io.ReadCloser, error) {
			again := reader{src: &source{at: at}} // the message is not touched any more
			return io.NopCloser(again.decodedPart(p)), nil
		}
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

// suspect says whether a base64 part looks cut: its last line is looked at, no
// more.
func (rd *reader) suspect(p *part) (encoding string, bad bool) {
	name, _ := p.encoding()
	if name != "base64" || p.end-p.start < 4 {
		return name, false
	}
	tail := make([]byte, min(p.end-p.start, 200))
	n, _ := rd.src.ReadAt(tail, p.end-int64(len(tail)))
	rd.broken()
	last := strings.TrimRight(string(tail[:n]), "\r\n \t")
	if i := strings.LastIndexByte(last, '\n'); i >= 0 {
		last = last[i+1:]
	} else if n < int(p.end-p.start) {
		return name, false // one long line
	}
	return name, len(strings.TrimRight(last, "\r"))%4 != 0
}

var extensions = map[string]string{
	"message/rfc822": ".eml", "message/global": ".eml", "text/plain": ".txt", "text/html": ".html",
	"text/calendar": ".ics", "text/csv": ".csv", "image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif",
	"image/webp": ".webp", "application/pdf": ".pdf", "application/zip": ".zip", "text/rfc822-headers": ".txt",
	"application/pgp-signature": ".asc", "application/pkcs7-signature": ".p7s", "application/x-pkcs7-signature": ".p7s",
}

// fileName makes a label of what the mail says: no folders, no control
// characters (R21, R22). The extension survives a cut.
func fileName(disposition, contentType, mediaType string, n, most int) string {
	name := disposition
	if strings.TrimSpace(name) == "" {
		name = contentType
	}
	name = Clean(DecodeWords(name), 0)
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
