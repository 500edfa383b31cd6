package mime

import (
	"bytes"
	"slices"
	"strings"
)

// wrappers is how many wrappers inside one another are opened: a mail that is
// signed twice occurs, more does not.
const wrappers = 2

// unwrap puts what signed mail and Outlook's winmail.dat hold in the place of
// the part that holds it. What cannot be opened stays a file.
func (rd *reader) unwrap(p *part, level int) {
	if p.multipart {
		if p.mediaType == "multipart/encrypted" {
			rd.flaw(encrypted)
		}
		if len(p.kids) == 0 {
			rd.codedMultipart(p)
		}
		for _, kid := range p.kids {
			rd.unwrap(kid, level)
		}
		return
	}
	if p.opaque || level >= wrappers || rd.late() {
		return
	}
	switch p.wrapper() {
	case "smime":
		rd.signed(p, level)
	case "tnef":
		rd.outlook(p)
	}
}

// codedMultipart reads a multipart that somebody coded as a whole, which is
// forbidden (RFC 2045 §6.4).
func (rd *reader) codedMultipart(p *part) {
	name, _ := p.encoding()
	if name != "base64" && name != "quoted-printable" || p.in != nil {
		return
	}
	content := rd.wrapped(p)
	in := bytes.NewReader(content)
	root := &part{in: in, depth: p.depth, header: slices.DeleteFunc(slices.Clone(p.header), func(f Field) bool {
		return strings.EqualFold(f.Name, "Content-Transfer-Encoding")
	})}
	if rd.walker(in, in.Size()).tree(root); len(root.kids) > 0 {
		root.header = p.header
		*p = *root
	}
}

const encrypted = "the mail is encrypted: its text cannot be read"

// wrapper tells by type and name what a part wraps. Many programs send both
// kinds as plain octets.
func (p *part) wrapper() string {
	switch p.mediaType {
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		return "smime"
	case "application/ms-tnef", "application/vnd.ms-tnef":
		return "tnef"
	case "application/octet-stream", "application/x-unknown":
		_, params := parseParams(p.header.First("Content-Disposition"))
		switch name := lower(params["filename"] + "|" + p.params["name"]); {
		case strings.Contains(name, "smime.p7m"):
			return "smime"
		case strings.Contains(name, "winmail.dat") || strings.Contains(name, "win.dat"):
			return "tnef"
		}
	}
	return ""
}

// wrapped is what a wrapper holds, nil if it is too large to be opened: it is
// held in memory.
func (rd *reader) wrapped(p *part) []byte {
	raw, more := rd.content(p, int(rd.limits.FileBytes))
	if more {
		rd.flaw("wrapped mail over %s: kept as file", size(rd.limits.FileBytes))
		return nil
	}
	return raw
}

func (rd *reader) signed(p *part, level int) {
	content, what := signedContent(rd.wrapped(p))
	switch {
	case what == cmsEncrypted:
		rd.flaw(encrypted)
	case what == cmsSigned && len(content) > 0:
		inner := rd.walkInside(p, content)
		if inner.mediaType == "message/rfc822" { // the header was signed as well (RFC 8551 §3.1): this is the mail itself
			raw, _ := rd.content(inner, len(content))
			inner = rd.walkInside(p, raw)
		}
		rd.unwrap(inner, level+1)
		*p = *inner
	}
}

func (rd *reader) outlook(p *part) {
	raw := rd.wrapped(p)
	if raw == nil {
		return
	}
	t, ok := readTNEF(raw, rd.limits.Files, rd.limits.HTMLBytes)
	if !ok {
		rd.flaw("winmail.dat is broken: kept as file")
		return
	}
	inner := &part{mediaType: "multipart/mixed", multipart: true, depth: p.depth, params: map[string]string{}}
	add := func(content []byte, mediaType string, spare bool, fields ...Field) *part {
		kid := &part{in: bytes.NewReader(content), end: int64(len(content)), mediaType: mediaType,
			params: map[string]string{}, depth: p.depth + 1, spare: spare, header: fields}
		inner.kids = append(inner.kids, kid)
		return kid
	}
	if t.html != nil {
		add(t.html, "text/html", true).params["charset"] = t.charset
	} else if t.text != nil {
		add(t.text, "text/plain", true).params["charset"] = t.charset
	}
	for _, f := range t.files {
		var fields []Field
		if f.contentID != "" {
			fields = []Field{{"Content-Id", "<" + f.contentID + ">"}}
		}
		if f.mediaType == "" {
			f.mediaType = "application/octet-stream"
		}
		add(f.content, f.mediaType, false, fields...).params["name"] = f.name
	}
	if len(inner.kids) > 0 {
		*p = *inner
	}
}
