package mailout

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail"

	"postern/core"
)

// FileError says that the bytes of a file could not be had: the fault of the
// moment, not of the letter.
type FileError struct {
	Blob int64
	Err  error
}

func (e *FileError) Error() string { return fmt.Sprintf("blob %d: %v", e.Blob, e.Err) }
func (e *FileError) Unwrap() error { return e.Err }

// attachments are the files that go along. go-mail writes the parts around
// them; where a file belongs it gets a place holder, and the bytes are put
// there afterwards: it would hold each file twice.
type attachments struct {
	files []core.LetterFile
	mark  string // random, so that no text can hold it
}

func newAttachments(all []core.LetterFile) attachments {
	a := attachments{mark: rand.Text()}
	for _, f := range all {
		if f.Attach {
			a.files = append(a.files, f)
		}
	}
	return a
}

// parts are the files as go-mail wants them.
func (a attachments) parts() []*mail.File {
	var parts []*mail.File
	for i, f := range a.files {
		parts = append(parts, &mail.File{
			Name: f.Name,
			Header: textproto.MIMEHeader{
				"Content-Type":              {mediaType(f.Type)},
				"Content-Disposition":       {disposition(f.Name)},
				"Content-Transfer-Encoding": {"base64"},
			},
			Writer: func(w io.Writer) (int64, error) {
				n, err := io.WriteString(w, a.place(i))
				return int64(n), err
			},
		})
	}
	return parts
}

func (a attachments) place(i int) string { return a.mark + strconv.Itoa(i) }

// fill puts the files into frame.
func (a attachments) fill(frame []byte, open func(int64) (io.ReadCloser, error)) ([]byte, error) {
	if len(a.files) == 0 {
		return frame, nil
	}
	octets := len(frame) + signatureOctets
	for _, f := range a.files {
		octets += base64.StdEncoding.EncodedLen(int(f.Size)) + int(f.Size)/lineOctets*2 + 4
	}
	raw := bytes.NewBuffer(make([]byte, 0, octets))
	for i, f := range a.files {
		place := []byte(base64.StdEncoding.EncodeToString([]byte(a.place(i))))
		before, after, found := bytes.Cut(frame, place)
		if !found {
			return nil, fmt.Errorf("file %d has no place in the mail", i+1)
		}
		raw.Write(before)
		if err := writeFile(raw, f, open); err != nil {
			return nil, &FileError{Blob: f.Blob, Err: err}
		}
		frame = after
	}
	raw.Write(frame)
	return raw.Bytes(), nil
}

// signatureOctets is room for a signature on top, so that it costs no second
// copy of the files.
const signatureOctets = 2 << 10

// lineOctets make a base64 line of 76 characters.
const lineOctets = 57

func writeFile(raw *bytes.Buffer, f core.LetterFile, open func(int64) (io.ReadCloser, error)) error {
	r, err := open(f.Blob)
	if err != nil {
		return err
	}
	defer r.Close()
	block := make([]byte, 256*lineOctets)
	for done := int64(0); ; {
		n, err := io.ReadFull(r, block)
		done += int64(n)
		if done > f.Size || err != nil && done != f.Size {
			if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
				err = fmt.Errorf("%d octets instead of %d: %w", done, f.Size, io.ErrUnexpectedEOF)
			}
			return err
		}
		for line := range slices.Chunk(block[:n], lineOctets) {
			raw.Write(base64.StdEncoding.AppendEncode(raw.AvailableBuffer(), line))
			raw.WriteString("\r\n")
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return nil
		default:
			return err
		}
	}
}

// mediaType is the type as declared, if it can stand in a header and in
// base64: RFC 2046 forbids that for message and multipart.
func mediaType(declared string) string {
	const opaque = "application/octet-stream"
	t, _, err := mime.ParseMediaType(declared)
	if err != nil || len(t) > 100 || !printable(t) {
		return opaque
	}
	top, _, found := strings.Cut(t, "/")
	if !found || top == "message" || top == "multipart" {
		return opaque
	}
	return t
}

// disposition names the file: as it is in ASCII, else by RFC 2231, in pieces
// so that no line grows long.
func disposition(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`/\":`, r) {
			return '_'
		}
		return r
	}, strings.TrimSpace(unturned(name)))
	switch {
	case name == "":
		return "attachment"
	case printable(name):
		return "attachment;\r\n filename=\"" + name + `"`
	}
	pieces := percentEncoded(name, 60)
	if len(pieces) == 1 {
		return "attachment;\r\n filename*=utf-8''" + pieces[0]
	}
	var b strings.Builder
	b.WriteString("attachment")
	for i, p := range pieces {
		charset := ""
		if i == 0 {
			charset = "utf-8''"
		}
		fmt.Fprintf(&b, ";\r\n filename*%d*=%s%s", i, charset, p)
	}
	return b.String()
}

// percentEncoded writes s in the characters of RFC 2231, in pieces of at most
// width octets.
func percentEncoded(s string, width int) []string {
	var pieces []string
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if b.Len()+3 > width {
			pieces = append(pieces, b.String())
			b.Reset()
		}
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return append(pieces, b.String())
}
