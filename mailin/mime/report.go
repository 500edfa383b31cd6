package mime

import (
	"bytes"
	"io"
	"strings"
)

// Report is the machine part of a bounce (RFC 3464) or a receipt (RFC 8098).
type Report struct {
	Recipients []Recipient
	ReturnedID string // Message-ID of the returned mail, without brackets
}

// Recipient is what a report says of one recipient.
type Recipient struct {
	Address    string // lower case
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
	if returned != nil {
		if id := rd.returnedID(returned); id != "" {
			r.ReturnedID = id
		}
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
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	for block := range bytes.SplitSeq(raw, []byte("\n\n")) {
		h := rd.headerOf(block)
		if id := MessageID(h.First("Original-Message-Id")); id != "" {
			r.ReturnedID = id
		}
		to := typed(h.First("Final-Recipient"))
		if to == "" {
			to = typed(h.First("Original-Recipient"))
		}
		if to == "" || len(r.Recipients) >= mostReported {
			continue
		}
		action := h.Token("Action")
		if action == "" && h.Has("Disposition") {
			_, kind, _ := strings.Cut(stripComments(h.First("Disposition")), ";")
			action, _, _ = strings.Cut(lower(strings.TrimSpace(kind)), "/")
			action = Clean(action, 40)
		}
		r.Recipients = append(r.Recipients, Recipient{
			Address:    address(to),
			Action:     action,
			Status:     status(h.First("Status")),
			Diagnostic: Clean(DecodeWords(typed(h.First("Diagnostic-Code"))), 500),
		})
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

// customs reads the bounces of qmail, Exim and old Exchange, which carry no
// machine part. Only mail that comes from a mail system by its own word is
// looked at.
func (rd *reader) customs(returned *part) *Report {
	h := rd.msg.Header
	failed := h.First("X-Failed-Recipients")
	from := h.Addresses("From", 1)
	local := ""
	if len(from) > 0 {
		local, _, _ = strings.Cut(from[0].Address, "@")
	} else if f := lower(h.First("From")); strings.Contains(f, "mailer-daemon") || strings.Contains(f, "postmaster") {
		local = "mailer-daemon"
	}
	if failed == "" && local != "mailer-daemon" && local != "postmaster" {
		return nil
	}
	r := &Report{}
	text, copied := splitReturned(rd.msg.Text)
	for _, to := range ParseAddresses(failed, mostReported) {
		r.Recipients = append(r.Recipients, Recipient{Address: to.Address, Action: "failed", Status: status(text)})
	}
	if failed == "" {
		r.named(text)
	}
	if returned != nil {
		r.ReturnedID = rd.returnedID(returned)
	} else if copied != "" {
		r.ReturnedID = MessageID(rd.headerOf([]byte(copied)).First("Message-Id"))
	}
	if len(r.Recipients) == 0 && r.ReturnedID == "" {
		return nil
	}
	return r
}

// named reads lines that begin with an address and the reason below them.
func (r *Report) named(text string) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		t := strings.TrimSpace(line)
		in, rest, ok := strings.Cut(strings.TrimPrefix(t, "<"), ">")
		if !ok || !strings.HasPrefix(t, "<") || len(r.Recipients) >= mostReported {
			continue
		}
		to := Normal(in)
		if to == "" {
			continue
		}
		why := []string{strings.TrimLeft(rest, ": ")}
		for _, more := range lines[i+1 : min(i+6, len(lines))] {
			if strings.TrimSpace(more) == "" || strings.HasPrefix(strings.TrimSpace(more), "<") {
				break
			}
			why = append(why, more)
		}
		reason := Clean(strings.Join(why, " "), 500)
		r.Recipients = append(r.Recipients, Recipient{Address: to, Action: "failed", Status: status(reason), Diagnostic: reason})
	}
}

// splitReturned cuts a bounce's text where the returned mail begins.
func splitReturned(text string) (before, copied string) {
	for _, mark := range []string{
		"--- Below this line is a copy of the message",
		"------ This is a copy of the message",
		"--- The header of the original message is following",
		"----- Original message -----",
		"Original message headers:",
	} {
		if i := strings.Index(text, mark); i >= 0 {
			_, rest, _ := strings.Cut(text[i:], "\n")
			if j := strings.Index(rest, "Return-Path:"); j > 0 && j < 300 {
				rest = rest[j:]
			}
			return text[:i], strings.TrimLeft(rest, "\n")
		}
	}
	return text, ""
}
