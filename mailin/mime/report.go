package mime

import (
	"bytes"
	"io"
	"iter"
	"strings"
)

// Report is the machine part of a bounce (RFC 3464) or a receipt (RFC 8098).
type Report struct {
	Recipients []Recipient
	ReturnedID string // Message-ID of the returned mail, without brackets
}

// Recipient is what a report says of one recipient.
type Recipient struct {
	Address    string // final recipient, lower case
	Original   string // the address that was written to, if the report says another one
	Action     string // failed, delayed, delivered, relayed, expanded; of a receipt: displayed, deleted ...
	Status     string // "5.1.1"
	Diagnostic string
}

const (
	reportBytes   = 256 << 10
	mostReported  = 100
	returnedBytes = 64 << 10
)

func bytesAt(b []byte) io.ReaderAt { return bytes.NewReader(b) }

func machinePart(mediaType string) bool {
	switch mediaType {
	case "message/delivery-status", "message/global-delivery-status",
		"message/disposition-notification", "message/global-disposition-notification",
		"message/feedback-report":
		return true
	}
	return false
}

// report reads the machine part wherever it stands, and the id of the returned
// mail. Mail servers that write no such part are read by their customs.
func (rd *reader) report(root *part) {
	if rd.nested {
		return
	}
	var machine, returned *part
	var find func(p *part)
	find = func(p *part) {
		switch {
		case machinePart(p.mediaType) && machine == nil && !p.multipart:
			machine = p
		case returnedPart(p.mediaType) && returned == nil && !p.multipart && p != root:
			returned = p
		}
		for _, kid := range p.kids {
			find(kid)
		}
	}
	find(root)
	if machine == nil && root.mediaType != "multipart/report" {
		rd.msg.Report = rd.customs(returned)
		return
	}
	r := &Report{}
	if machine != nil {
		raw, _ := rd.content(machine, reportBytes)
		r.statuses(rd, raw)
	}
	before, copied := splitReturned(rd.msg.Text)
	if len(r.Recipients) == 0 && (rd.msg.ReportType == "" || rd.msg.ReportType == "delivery-status") {
		r.told(rd, before) // announced as a report, and written for people alone
	}
	if returned != nil {
		if id := rd.returnedID(returned); id != "" {
			r.ReturnedID = id
		}
	}
	if r.ReturnedID == "" {
		r.ReturnedID = copiedID(copied)
	}
	rd.msg.Report = r
}

func returnedPart(mediaType string) bool {
	switch mediaType {
	case "message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers":
		return true
	}
	return false
}

func (rd *reader) returnedID(p *part) string {
	raw, _ := rd.content(p, returnedBytes)
	return MessageID(rd.headerOf(raw).First("Message-Id"))
}

// headerOf parses the fields of a block of octets up to its first empty line.
func (rd *reader) headerOf(raw []byte) Header {
	raw = bytes.TrimLeft(raw, "\r\n")
	for _, gap := range [][]byte{[]byte("\r\n\r\n"), []byte("\n\n")} {
		if i := bytes.Index(raw, gap); i >= 0 {
			raw = raw[:i+2]
		}
	}
	quiet := reader{limits: rd.limits, msg: &Message{}}
	return quiet.fields(raw, rd.limits.Fields, func(string) bool { return true })
}

// statuses reads the blocks of a delivery status: the first speaks of the mail,
// each further one of a recipient. A receipt has one block alone.
func (r *Report) statuses(rd *reader, raw []byte) {
	for block := range statusBlocks(raw) {
		h := rd.headerOf(block)
		if id := MessageID(h.First("Original-Message-Id")); id != "" {
			r.ReturnedID = id
		}
		final, original := typed(h.First("Final-Recipient")), typed(h.First("Original-Recipient"))
		if final == "" || !strings.Contains(final, "@") && strings.Contains(original, "@") {
			final, original = original, ""
		}
		if final == "" || len(r.Recipients) >= mostReported {
			continue
		}
		action := h.Token("Action")
		if action == "" && h.Has("Disposition") {
			_, kind, _ := strings.Cut(stripComments(h.First("Disposition")), ";")
			action, _, _ = strings.Cut(lower(strings.TrimSpace(kind)), "/")
			action = Clean(action, 40)
		}
		to := Recipient{
			Address:    address(final),
			Action:     action,
			Status:     status(h.First("Status")),
			Diagnostic: Clean(DecodeWords(typed(h.First("Diagnostic-Code"))), 500),
		}
		if o := address(original); original != "" && o != to.Address {
			to.Original = o
		}
		if !h.Has("Disposition") {
			to.complete()
		}
		r.Recipients = append(r.Recipients, to)
	}
}

// statusBlocks cuts a delivery status at its empty lines, and before a second
// recipient of one block: not every server writes the empty line.
func statusBlocks(raw []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		var block []byte
		told := false // the block names its final recipient
		for line := range bytes.Lines(raw) {
			final := len(line) > 15 && strings.EqualFold(string(line[:16]), "final-recipient:")
			if len(bytes.TrimSpace(line)) > 0 && !(final && told) {
				block, told = append(block, line...), told || final
				continue
			}
			if len(block) > 0 && !yield(block) {
				return
			}
			block, told = nil, final
			if final {
				block = append(block, line...)
			}
		}
		if len(block) > 0 {
			yield(block)
		}
	}
}

// complete fills in what a server left out and its other words tell.
func (p *Recipient) complete() {
	if p.Status == "" {
		p.Status = statusOf(p.Diagnostic, p.Action)
	}
	if p.Action == "" && p.Status != "" {
		p.Action = map[byte]string{'2': "delivered", '4': "delayed", '5': "failed"}[p.Status[0]]
	}
}

// typed is a value like "rfc822; a@b" without its type.
func typed(s string) string {
	if kind, v, ok := strings.Cut(s, ";"); ok && !strings.ContainsAny(kind, " @") {
		return strings.TrimSpace(v)
	}
	return strings.TrimSpace(s)
}

// address is a recipient as others compare it; an odd one stays readable.
func address(s string) string {
	s = strings.Trim(s, "<> \t")
	if n := Normal(s); n != "" {
		return n
	}
	return lower(Clean(s, longestEmail))
}

// status finds the first enhanced status code (RFC 3463) in s.
func status(s string) string {
	for i := 0; i+4 < len(s); i++ {
		if s[i] != '2' && s[i] != '4' && s[i] != '5' || s[i+1] != '.' || i > 0 && (digit(s[i-1]) || s[i-1] == '.') {
			continue
		}
		j := i + 2
		for j < len(s) && digit(s[j]) {
			j++
		}
		if j == i+2 || j-i > 5 || j >= len(s) || s[j] != '.' {
			continue
		}
		k := j + 1
		for k < len(s) && digit(s[k]) {
			k++
		}
		if k > j+1 && k-j <= 4 && (k >= len(s) || s[k] != '.') {
			return s[i:k]
		}
	}
	return ""
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
