package mime

import (
	"bufio"
	"bytes"
	"io"
	"strings"
)

// part is a node of the mail's tree: a section of the bytes and what its
// header says.
type part struct {
	header     Header      // of an inner part the Content-* fields only
	in         io.ReaderAt // what start and end count in; nil for the mail itself
	mediaType  string
	params     map[string]string
	start, end int64 // body
	depth      int
	boundary   string // of a multipart that was entered; "" until one is guessed
	multipart  bool   // entered
	opaque     bool   // beyond a limit: one file, whatever it is
	damaged    bool   // as its content was read
	spare      bool   // text that counts only if the mail has no other
	kids       []*part
}

// walker makes the one pass over the mail's lines. Each line that begins with
// two hyphens is compared with the open boundaries (Depth of them at most), so
// unclosed boundaries cost nothing (R18).
type walker struct {
	*reader
	at     io.ReaderAt // nil: the mail itself
	size   int64
	in     *bufio.Reader
	line   []byte // with its line end; a very long line comes in pieces
	off    int64  // of line
	next   int64  // offset behind line
	fresh  bool   // line begins at a line's beginning
	whole  bool   // line has its line end: the next one is fresh
	again  bool   // hand out line once more
	eol    int64  // length of the line end before line
	stack  []*part
	leaf   *part // the open part that takes lines, or nil
	unread int64 // octets since the clock was looked at
}

const (
	blockBytes      = 64 << 10
	longestBoundary = 512      // RFC 2046 allows 70
	partHeaderBytes = 32 << 10 // an inner part has no use for more
	partFields      = 100
)

// walk reads the mail itself.
func (rd *reader) walk() *part {
	w := rd.walker(nil, rd.size)
	root := &part{}
	w.rootHeader(root)
	w.tree(root)
	return root
}

// walkInside reads what a wrapper held, which stands where p stood.
func (rd *reader) walkInside(p *part, content []byte) *part {
	in := bytes.NewReader(content)
	w := rd.walker(in, in.Size())
	root := &part{in: in, depth: p.depth}
	w.partHeader(root)
	w.tree(root)
	return root
}

func (rd *reader) walker(at io.ReaderAt, size int64) *walker {
	w := &walker{reader: rd, at: at, size: size, whole: true}
	if at == nil {
		at = rd.src
	}
	w.in = bufio.NewReaderSize(io.NewSectionReader(at, 0, size), int(min(blockBytes, max(size, 16))))
	return w
}

// tree reads all that follows root's header.
func (w *walker) tree(root *part) {
	w.enter(root)
	for w.scan() {
		if p, closing := w.delimiter(); p != nil {
			w.cross(p, closing)
		}
	}
	if w.leaf != nil {
		w.leaf.end = max(w.leaf.start, w.next)
	}
	for _, p := range w.stack {
		p.end = max(p.start, w.next)
		if len(p.kids) > 0 {
			w.flaw("no closing boundary")
		}
	}
}

// scan reads the next line, or the next piece of a very long one.
func (w *walker) scan() bool {
	if w.again {
		w.again = false
		return true
	}
	if w.unread > 1<<20 {
		w.unread = 0
		if w.late() {
			return false
		}
	}
	w.eol = 0
	if w.whole {
		w.eol = int64(lineEnd(w.line))
	}
	line, err := w.in.ReadSlice('\n')
	if err != nil && err != bufio.ErrBufferFull {
		w.broken()
	}
	if len(line) == 0 {
		w.line = nil
		return false
	}
	w.fresh = w.whole
	w.whole = line[len(line)-1] == '\n'
	w.off = w.next
	w.next += int64(len(line))
	w.unread += int64(len(line))
	w.line = line
	return true
}

// lineEnd is the length of the CRLF or LF that ends line.
func lineEnd(line []byte) int {
	switch {
	case bytes.HasSuffix(line, []byte("\r\n")):
		return 2
	case bytes.HasSuffix(line, []byte("\n")):
		return 1
	}
	return 0
}

// delimiter says which open multipart the current line delimits, if any.
func (w *walker) delimiter() (p *part, closing bool) {
	if !w.fresh || len(w.stack) == 0 || len(w.line) < 3 || w.line[0] != '-' || w.line[1] != '-' {
		return nil, false
	}
	if len(w.line) > longestBoundary {
		return nil, false
	}
	got := bytes.TrimRight(w.line[2:], " \t\r\n")
	for i := len(w.stack) - 1; i >= 0; i-- {
		p := w.stack[i]
		rest, ok := bytes.CutPrefix(got, []byte(p.boundary))
		if p.boundary == "" || !ok {
			continue
		}
		if len(rest) == 0 {
			return p, false
		}
		if string(rest) == "--" {
			return p, true
		}
	}
	// a multipart that names no boundary: the first line that looks like one
	top := w.stack[len(w.stack)-1]
	if top.boundary == "" && w.leaf == nil && len(got) > 0 && len(got) <= 70 && !bytes.ContainsAny(got, " \t") {
		top.boundary = string(got)
		return top, false
	}
	return nil, false
}

// cross ends what is open inside p at the current line and begins p's next
// part, or ends p.
func (w *walker) cross(p *part, closing bool) {
	end := w.off - w.eol
	if w.leaf != nil {
		w.leaf.end = max(w.leaf.start, end)
		w.leaf = nil
	}
	for w.stack[len(w.stack)-1] != p {
		top := w.stack[len(w.stack)-1]
		top.end = max(top.start, end)
		w.stack = w.stack[:len(w.stack)-1]
		w.flaw("no closing boundary")
	}
	if closing {
		p.end = max(p.start, end)
		w.stack = w.stack[:len(w.stack)-1]
		return
	}
	kid := &part{depth: p.depth + 1, in: w.at}
	if w.parts++; w.parts > w.limits.Parts {
		// the rest of the mail is one file, whatever boundaries it holds
		w.flaw("more than %d parts: the rest is kept as one file", w.limits.Parts)
		for _, open := range w.stack {
			open.end = w.size
		}
		w.stack = nil
		kid.opaque = true
	}
	p.kids = append(p.kids, kid)
	w.partHeader(kid)
	if p.mediaType == "multipart/digest" && !kid.header.Has("Content-Type") {
		kid.header = append(kid.header, Field{"Content-Type", "message/rfc822"}) // RFC 2046 §5.1.5
	}
	w.enter(kid)
}

// enter decides whether p is looked into or taken as it is. p's header has
// been read.
func (w *walker) enter(p *part) {
	p.start, p.end = w.next, w.next
	if w.again { // the header ended at a boundary: that line is not p's
		p.start, p.end = w.off, w.off
	}
	p.describe()
	if len(p.header.All("Content-Type")) > 1 {
		w.flaw("more than one Content-Type: the first that can be used counts")
	}
	if p.opaque || !strings.HasPrefix(p.mediaType, "multipart/") {
		w.leaf = p
		return
	}
	if p.depth >= w.limits.Depth {
		w.flaw("nested deeper than %d: kept as one file", w.limits.Depth)
		p.opaque = true
		w.leaf = p
		return
	}
	p.multipart = true
	p.boundary = strings.TrimRight(p.params["boundary"], " \t")
	if p.boundary == "" {
		w.flaw("multipart without boundary")
	}
	w.leaf = nil
	w.stack = append(w.stack, p)
}

// rootHeader reads the mail's header block.
func (w *walker) rootHeader(p *part) {
	block, total := w.block(w.limits.HeaderBytes, true)
	if total > int64(w.limits.HeaderBytes) {
		w.flaw("header cut at %s", size(int64(w.limits.HeaderBytes)))
		block = block[:bytes.LastIndexByte(block, '\n')+1]
	}
	if w.limits.HeaderRefused > 0 && total > int64(w.limits.HeaderRefused) && w.msg.Err == nil {
		w.msg.Err = ErrHeaderTooLarge
	}
	p.header = w.fields(block, w.limits.Fields, func(string) bool { return true })
	w.msg.Header = p.header
	w.msg.BodyAt = w.next
	if w.again {
		w.msg.BodyAt = w.off
	}
}

// partHeader reads the header block of an inner part. It ends at an empty line
// or at a boundary.
func (w *walker) partHeader(p *part) {
	block, _ := w.block(partHeaderBytes, false)
	p.header = w.fields(block, partFields, func(name string) bool { return strings.HasPrefix(name, "content-") })
}

// block reads a header block, at most octets of it; total is its length. A
// line that cannot stand in one ends it, if no fields follow: somebody forgot
// the empty line, or the header.
func (w *walker) block(most int, mail bool) (block []byte, total int64) {
	for started := false; w.scan(); started = true {
		if w.fresh {
			if blank(w.line) {
				if mail && !started {
					started = true // empty lines before the first field
					if !w.skipBlank() {
						break
					}
				} else {
					break
				}
			}
			if d, _ := w.delimiter(); d != nil && d.boundary != "" {
				w.again = true
				break
			}
			if !w.belongs(started) {
				break
			}
		}
		total += int64(len(w.line))
		if room := most - len(block); room > 0 {
			block = append(block, w.line[:min(room, len(w.line))]...)
		}
	}
	return block, total
}

// skipBlank goes to the first line that is not empty.
func (w *walker) skipBlank() bool {
	for w.scan() {
		if !blank(w.line) {
			return true
		}
	}
	return false
}

// belongs says whether the current line belongs to the header block. If it is
// text, it is handed out once more; a line of nothing but space is not.
func (w *walker) belongs(started bool) bool {
	space := w.line[0] == ' ' || w.line[0] == '\t'
	switch {
	case !space && (looksLikeField(w.line) || fromLine(w.line)):
		return true
	case space && started && len(bytes.TrimSpace(w.line)) > 0:
		return true
	}
	w.line = bytes.Clone(w.line) // looking ahead moves the buffer
	if w.fieldsFollow(space) {
		return true
	}
	if len(bytes.TrimSpace(w.line)) > 0 {
		w.again = true
		w.flaw("no empty line before the text")
	}
	return false
}

// fieldsFollow says whether one of the next lines, up to an empty one, is a
// field of a mail: then the current line is a broken one among them. After a
// line of nothing but space it is the very next one that counts; the field may
// go on there as well, or the header end.
func (w *walker) fieldsFollow(space bool) bool {
	const lines, octets = 5, 16 << 10
	most := min(octets, w.in.Size())
	ahead, _ := w.in.Peek(most)
	for n := 0; n < lines; {
		line, rest, whole := bytes.Cut(ahead, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 || !whole && len(rest) == 0 && w.in.Buffered() >= most {
			return space && whole
		}
		if line[0] == ' ' || line[0] == '\t' {
			if space {
				return true
			}
			ahead = rest // goes with the line before
			continue
		}
		if i := bytes.IndexByte(line, ':'); i > 0 && commonField(fieldName(string(line[:i]))) {
			return true
		}
		if n++; space {
			return false
		}
		ahead = rest
	}
	return false
}

// commonField tells fields of mail from words with a colon behind them.
func commonField(name string) bool {
	name = lower(name)
	switch name {
	case "from", "to", "cc", "bcc", "subject", "date", "sender", "received", "organization", "importance", "priority", "precedence", "references", "comments", "keywords", "status", "lines", "newsgroups":
		return true
	}
	for _, prefix := range []string{"x-", "content-", "mime-", "delivery-", "envelope-", "feedback-", "message-", "in-reply-", "reply-", "return-", "list-", "dkim-", "arc-", "authentication-", "received-", "delivered-", "user-", "resent-", "auto-", "thread-", "disposition-", "errors-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

func blank(line []byte) bool { return len(line) == lineEnd(line) }

// fromLine tells the line that an mbox puts before a mail.
func fromLine(line []byte) bool {
	return bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))
}

func looksLikeField(line []byte) bool {
	if bytes.IndexByte(line, 0) >= 0 {
		line = bytes.ReplaceAll(line, []byte{0}, nil)
	}
	i := bytes.IndexByte(line, ':')
	return i > 0 && fieldName(string(line[:i])) != ""
}
