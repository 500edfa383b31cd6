package mailin

import (
	"bytes"
	"io"
	"iter"
	"mime"
	"regexp"
	"strings"
)

// relation is what a mail may share with others (R75), read from its header
// block without parsing it: a wrong guess costs order or speed, never a mail.
type relation struct {
	own   string   // key of its Message-ID, "" if none
	names []string // keys of the Message-IDs it names
	keys  []string // all of them, and sender, token, numbers: each once
}

// Bounds of the scan, so that its cost does not depend on the mail.
const (
	scanBytes  = 64 << 10
	scanField  = 8 << 10
	scanIDs    = 40 // the newest: a thread's references grow at the end
	scanTokens = 20
)

// relate reads the fields that relate mails.
func relate(raw []byte) relation {
	raw = raw[:min(len(raw), scanBytes)]
	var from, own, replyTo, references, subject string
	var to []string
	for name, value := range fields(raw) {
		switch name {
		case "from":
			from += " " + unfold(value)
		case "message-id":
			own = unfold(value)
		case "in-reply-to":
			replyTo = unfold(value)
		case "references":
			references = unfold(value)
		case "subject":
			subject = unfold(value)
		case "to", "cc", "delivered-to", "x-original-to":
			to = append(to, unfold(value))
		}
	}
	var r relation
	seen := map[string]bool{}
	add := func(key string) {
		if !seen[key] {
			seen[key] = true
			r.keys = append(r.keys, key)
		}
	}
	for _, a := range addressLike.FindAllString(from, 5) {
		add("from " + strings.ToLower(a))
	}
	if ids := messageIDs(own); len(ids) > 0 {
		r.own = "id " + ids[0]
		add(r.own)
	}
	for _, id := range append(messageIDs(references), messageIDs(replyTo)...) {
		if key := "id " + id; !seen[key] {
			r.names = append(r.names, key)
			add(key)
		}
	}
	for _, field := range to {
		for _, m := range tokenLike.FindAllStringSubmatch(field, scanTokens) {
			add("token " + strings.ToLower(m[1]))
		}
	}
	for _, number := range numberLike.FindAllString(decoded(subject), 3) {
		add("number " + strings.ToUpper(number))
	}
	return r
}

// fields walks the header block. Lines that are no field are passed over.
func fields(raw []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for len(raw) > 0 {
			line, rest := cutLine(raw)
			if len(line) == 0 {
				return
			}
			for len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') {
				_, rest = cutLine(rest)
			}
			name, value, ok := bytes.Cut(raw[:len(raw)-len(rest)], []byte(":"))
			raw = rest
			if ok && len(name) < 40 && !yield(strings.ToLower(string(bytes.TrimSpace(name))), value) {
				return
			}
		}
	}
}

// unfold makes one line of a field: its end if it is long, where a thread's
// newest references are.
func unfold(value []byte) string {
	value = value[max(0, len(value)-scanField):]
	return strings.TrimSpace(strings.NewReplacer("\r", "", "\n", "").Replace(string(value)))
}

func cutLine(raw []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(raw, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), rest
}

var (
	addressLike = regexp.MustCompile(`[^\s<>",;:()]+@[^\s<>",;:()]+`)
	tokenLike   = regexp.MustCompile(`\+([A-Za-z0-9-]{16,64})@`)
	numberLike  = regexp.MustCompile(`\b[A-Za-z][A-Za-z0-9]{1,15}-[0-9]{1,18}\b`)
)

// messageIDs gives what stands in angle brackets, the last ones of many.
func messageIDs(field string) []string {
	var ids []string
	for {
		_, after, ok := strings.Cut(field, "<")
		if !ok {
			break
		}
		id, rest, ok := strings.Cut(after, ">")
		if !ok {
			break
		}
		if id = strings.TrimSpace(id); id != "" && len(id) <= 998 {
			ids = append(ids, id)
		}
		field = rest
	}
	return ids[max(0, len(ids)-scanIDs):]
}

// decoded reads encoded words: a number may stand in one. Its charset does not
// matter for that.
func decoded(subject string) string {
	if !strings.Contains(subject, "=?") {
		return subject
	}
	text, err := anyCharset.DecodeHeader(subject)
	if err != nil {
		return subject
	}
	return text
}

var anyCharset = mime.WordDecoder{CharsetReader: func(_ string, in io.Reader) (io.Reader, error) { return in, nil }}
