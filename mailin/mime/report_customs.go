package mime

import (
	"strings"
)

// Mail servers that write no machine part tell people which address failed and
// why. Their customs differ in words and agree in shape: an address on a line
// of its own or at the beginning of one, and the reason behind or below it.

const (
	customBytes  = 64 << 10 // of a text that are looked at
	customLines  = 2000
	reasonLines  = 8 // of one recipient
	reasonLength = 500
)

// customs reads a bounce without a machine part. Only mail that comes from a
// mail system by its own word is looked at.
func (rd *reader) customs(returned *part) *Report {
	h := rd.msg.Header
	failed := h.First("X-Failed-Recipients")
	if failed == "" && !rd.fromDaemon() {
		return nil
	}
	r := &Report{}
	before, copied := splitReturned(rd.msg.Text)
	r.told(rd, before)
	named := ParseAddresses(failed, mostReported)
	if len(named) > 0 { // Exim and Gmail say who failed in a field, and why in the text
		why := r.Recipients
		r.Recipients = nil
		for _, to := range named {
			p := Recipient{Address: to.Address, Action: actionOf(before), Diagnostic: soleReason(before, to.Address)}
			for _, w := range why {
				if w.Address == to.Address {
					p = w
				}
			}
			if p.Status == "" {
				p.Status = statusOf(p.Diagnostic, p.Action)
			}
			r.Recipients = append(r.Recipients, p)
		}
	}
	if returned != nil {
		r.ReturnedID = rd.returnedID(returned)
	}
	if r.ReturnedID == "" {
		r.ReturnedID = copiedID(copied)
	}
	if len(r.Recipients) == 0 && r.ReturnedID == "" {
		return nil
	}
	return r
}

func (rd *reader) fromDaemon() bool {
	from := rd.msg.Header.Addresses("From", 1)
	if len(from) == 0 {
		f := lower(rd.msg.Header.First("From"))
		return strings.Contains(f, "mailer-daemon") || strings.Contains(f, "postmaster")
	}
	local, _, _ := strings.Cut(from[0].Address, "@")
	return local == "mailer-daemon" || local == "postmaster"
}

// told reads the recipients that a text names, with the reasons beside them.
func (r *Report) told(rd *reader, text string) {
	if i := strings.Index(lower(text), "final-recipient:"); i >= 0 { // a machine part without a part of its own
		r.statuses(rd, []byte(text[strings.LastIndexByte(text[:i], '\n')+1:]))
		if len(r.Recipients) > 0 {
			return
		}
	}
	never := map[string]bool{} // who reports, and who sent it
	for _, name := range []string{"From", "To", "Delivered-To"} {
		for _, a := range rd.msg.Header.Addresses(name, 5) {
			never[a.Address] = true
		}
	}
	action, over := actionOf(text), gaveUp(text)
	at := map[string]int{}
	current := -1
	var why []string
	end := func() { // of several reasons the first with a code
		if reason := Clean(strings.Join(why, " "), reasonLength); current >= 0 && reason != "" {
			if p := &r.Recipients[current]; p.Diagnostic == "" || !coded(p.Diagnostic) && coded(reason) {
				p.Diagnostic = reason
			}
		}
		why = nil
	}
	lines := strings.SplitN(text, "\n", customLines+1)
	for i, line := range lines[:min(len(lines), customLines)] {
		line = strings.TrimSpace(line)
		to, rest := lineAddress(line)
		if to == "" {
			to, rest = phraseAddress(line, next(lines, i))
		}
		switch _, known := at[to]; {
		case line == "" || strings.Trim(line, "-=_*|# ") == "" || strings.HasPrefix(line, "-----"):
		case to == "" || never[to]:
			if len(why) < reasonLines && current >= 0 && !isLabel(line) {
				why = append(why, line)
			}
		case known: // said again, nearer to the reason
			end()
			current = at[to]
			if rest != "" {
				why = append(why, rest)
			}
		case len(r.Recipients) < mostReported:
			end()
			at[to], current = len(r.Recipients), len(r.Recipients)
			r.Recipients = append(r.Recipients, Recipient{Address: to, Action: action})
			if rest != "" {
				why = append(why, rest)
			}
		}
	}
	end()
	for i := range r.Recipients {
		p := &r.Recipients[i]
		if !coded(p.Diagnostic) {
			if sole := soleReason(text, p.Address); p.Diagnostic == "" || len(r.Recipients) == 1 && sole != "" {
				p.Diagnostic = sole
			}
		}
		p.Status = statusOf(p.Diagnostic, p.Action)
		if p.Status != "" && p.Status[0] == '4' && action == "failed" && !over {
			p.Action = "delayed"
		}
	}
}

func next(lines []string, i int) string {
	if i+1 < len(lines) {
		return strings.TrimSpace(lines[i+1])
	}
	return ""
}

// lineAddress is the address that a line begins with, and what stands behind
// it; also behind one of a few labels.
func lineAddress(line string) (to, rest string) {
	for _, label := range addressLabels {
		if len(line) > len(label) && strings.EqualFold(line[:len(label)], label) {
			line = strings.TrimSpace(line[len(label):])
			break
		}
	}
	line = strings.TrimPrefix(line, "* ")
	if line == "" {
		return "", ""
	}
	var in string
	switch line[0] {
	case '<', '"', '[', '\'', '(':
		closing := map[byte]string{'<': ">", '"': "\"", '[': "]", '\'': "'", '(': ")"}[line[0]]
		var ok bool
		if in, rest, ok = strings.Cut(line[1:], closing); !ok {
			return "", ""
		}
		rest = strings.TrimPrefix(rest, "'")
		in = strings.Trim(in, "<>\"")
	default:
		in, rest, _ = strings.Cut(line, " ")
		if i := strings.IndexByte(in, ':'); i > 0 {
			in, rest = in[:i], in[i+1:]+" "+rest
		}
		in = strings.TrimRight(in, ".,;")
	}
	in = strings.TrimPrefix(lower(in), "mailto:")
	if strings.HasPrefix(in, "smtp:") || strings.HasPrefix(in, "rfc822;") {
		in = in[strings.IndexAny(in, ":;")+1:]
	}
	to = Normal(in)
	rest = strings.TrimSpace(strings.TrimLeft(rest, ": \t"))
	if strings.HasPrefix(rest, "<mailto:") || strings.HasPrefix(rest, "(mailto:") {
		_, rest, _ = strings.Cut(rest, rest[:1])
		rest = strings.TrimSpace(rest[min(len(rest), strings.IndexAny(rest+">", ">)")+1):])
	}
	if to != "" && line[0] != '<' && line[0] != '"' && line[0] != '[' && line[0] != '\'' && isSentence(rest) {
		return "", "" // an address in running text
	}
	return to, rest
}

// addressLabels stand before an address on its line.
var addressLabels = []string{
	"failed address:", "failed recipient:", "failed recipients:", "recipient address:", "recipient:", "recipients:", "original recipient:",
	"final recipient:", "undeliverable to:", "failed to deliver to", "[status: error, address:", "invalid recipient:", "rcpt to:", ">>> rcpt to:",
}

// isSentence says that what follows an address goes on with the sentence that
// the address is part of.
func isSentence(rest string) bool {
	word, _, _ := strings.Cut(lower(rest), " ")
	switch word {
	case "and", "or", "if", "for", "to", "is", "was", "has", "will", "who", "with", "from":
		return true
	}
	return false
}

// isLabel says that a line only announces what comes below it.
func isLabel(line string) bool {
	return strings.HasSuffix(line, ":") && strings.Count(line, " ") < 4 && !coded(line)
}

// coded says that a reason holds a code.
func coded(reason string) bool { return status(reason) != "" || replyCode(reason) != "" }

// phrases come directly before the address that they speak of.
var phrases = []string{
	"your message wasn't delivered to ", "your message wasn\u2019t delivered to ", "wasn't delivered to ", "was not delivered to ",
	"your message to ", "could not be delivered to ", "couldn't be delivered to ", "couldn\u2019t be delivered to ",
	"delivery to the following recipient failed permanently: ", "unable to deliver your message to ", "unable to deliver message to ",
	"delivering your message to ", "deliver mail to ", "problem delivering your message to ", "issue delivering your message to ", "message sent to ",
	"failed to deliver to ", "nachricht an ", "konnte nicht an ", "zustellung an ",
}

// phraseAddress is an address in a sentence that says that it failed; the
// sentence may go on in the next line.
func phraseAddress(line, next string) (to, rest string) {
	low := lower(line)
	for _, phrase := range phrases {
		i := strings.Index(low+" ", phrase)
		if i < 0 || len(low) != len(line) {
			continue
		}
		word := line[min(len(line), i+len(phrase)):]
		if strings.TrimSpace(word) == "" {
			word = next
		}
		word, rest, _ = strings.Cut(strings.TrimSpace(word), " ")
		if to = Normal(strings.Trim(word, "<>()[]\"'*.,;:")); to != "" {
			return to, strings.TrimSpace(rest)
		}
	}
	return "", ""
}

// soleReason is the first line with a code of SMTP, where a text tells its
// reason apart from the address: if several recipients failed, one that names
// this one.
func soleReason(text, to string) string {
	first := ""
	n := 0
	for line := range strings.Lines(text) {
		if n++; n > customLines {
			break
		}
		if status(line) == "" && replyCode(line) == "" {
			continue
		}
		if strings.Contains(lower(line), to) {
			return Clean(line, reasonLength)
		}
		if first == "" && !strings.Contains(line, "@") {
			first = line
		}
	}
	return Clean(first, reasonLength)
}

// delays are words of reports that give up nothing yet.
var delays = []string{
	"warning message only", "has been delayed", "will be retried", "will keep trying", "no action is required on your part", "delay reason",
	"has not yet been delivered", "still being retried", "will continue to try", "will continue trying", "delivery attempts will continue",
	"delays in delivering", "delivery incomplete", "temporary problem delivering", "wird weiter versucht",
}

func actionOf(text string) string {
	low := lower(text)
	for _, d := range delays {
		if strings.Contains(low, d) && !gaveUp(low) {
			return "delayed"
		}
	}
	return "failed"
}

// gaveUp says that a server stopped trying, whatever the last answer was.
func gaveUp(text string) bool {
	low := lower(text)
	for _, end := range []string{"permanent error", "permanently", "giving up", "retry timeout exceeded", "not going to try again", "permanent fatal error"} {
		if strings.Contains(low, end) {
			return true
		}
	}
	return false
}

// reasons are what servers write instead of a code, and what they mean by it.
var reasons = []struct{ says, status string }{
	{"user unknown", "5.1.1"}, {"unknown user", "5.1.1"}, {"no such user", "5.1.1"}, {"no mailbox here by that name", "5.1.1"},
	{"not listed in", "5.1.1"}, {"unknown recipient", "5.1.1"}, {"recipient unknown", "5.1.1"}, {"recipient name is not recognized", "5.1.1"},
	{"address couldn't be found", "5.1.1"}, {"address couldn\u2019t be found", "5.1.1"}, {"wasn't found at", "5.1.1"}, {"wasn\u2019t found at", "5.1.1"},
	{"recipnotfound", "5.1.1"}, {"does not like recipient", "5.1.1"}, {"invalid address", "5.1.1"},
	{"mailbox is full", "5.2.2"}, {"mailbox full", "5.2.2"}, {"quota exceeded", "5.2.2"}, {"over quota", "5.2.2"}, {"exceeded storage", "5.2.2"},
	{"host not found", "5.1.2"}, {"host unknown", "5.1.2"}, {"unrouteable address", "5.1.2"}, {"couldn't find any host", "5.1.2"}, {"no such domain", "5.1.2"},
	{"size limit exceeded", "5.3.4"}, {"message too large", "5.3.4"}, {"retry timeout exceeded", "5.4.7"}, {"queue too long", "5.4.7"},
}

// statusOf is the status of a reason: the enhanced code in it, what its words
// mean, its SMTP code, or the class that the action is of.
func statusOf(reason, action string) string {
	if s := status(reason); s != "" {
		return s
	}
	class := "5"
	if code := replyCode(reason); code != "" {
		class = code[:1]
	} else if action == "delayed" {
		class = "4"
	}
	low := lower(reason)
	for _, r := range reasons {
		if strings.Contains(low, r.says) {
			return class + r.status[1:]
		}
	}
	switch {
	case action == "failed" || action == "delayed" || replyCode(reason) != "":
		return class + ".0.0"
	case action == "delivered" || action == "relayed" || action == "expanded":
		return "2.0.0"
	}
	return ""
}

// replyCode finds a reply code of SMTP that refuses: 4xx or 5xx, standing
// alone.
func replyCode(s string) string {
	for i := 0; i+3 <= len(s); i++ {
		if (s[i] == '4' || s[i] == '5') && s[i+1] >= '0' && s[i+1] <= '5' && digit(s[i+2]) &&
			(i == 0 || strings.IndexByte(" :'\"(#<-", s[i-1]) >= 0) && (i+3 == len(s) || strings.IndexByte(" -'\":,)_", s[i+3]) >= 0) {
			return s[i : i+3]
		}
	}
	return ""
}

// returnedMarks begin the returned mail in a bounce of one text.
var returnedMarks = []string{
	"--- Below this line is a copy of the message", "------ This is a copy of", "--- The header of the original message is following",
	"----- Original message -----", "Original message headers:", "----- Message header follows -----", "Message header follows:",
	"Message headers follow:", "--- Undelivered message follows ---", "----- Unsent message follows", "----- Returned message follows",
	"Your original message headers", "--- Original message follows", "------ Original message", "----- The original message -----",
	"Original Message:", "Received: from ",
}

// splitReturned cuts a bounce's text where the returned mail begins.
func splitReturned(text string) (before, copied string) {
	cut := len(text)
	for _, mark := range returnedMarks {
		if i := strings.Index(text[:cut], mark); i >= 0 {
			cut = strings.LastIndexByte(text[:i], '\n') + 1
		}
	}
	before, copied = text[:cut], text[cut:]
	return before[:min(len(before), customBytes)], copied[:min(len(copied), customBytes)]
}

// copiedID is the Message-ID in a returned mail that stands in a text.
func copiedID(copied string) string {
	n := 0
	lines := strings.SplitN(copied, "\n", customLines+1)
	for i, line := range lines[:min(len(lines), customLines)] {
		line = strings.TrimLeft(line, "> \t")
		if len(line) < 11 || !strings.EqualFold(line[:11], "message-id:") {
			continue
		}
		value := line[11:]
		if strings.TrimSpace(value) == "" {
			value = strings.TrimLeft(next(lines, i), "> \t")
		}
		if id := MessageID(value); id != "" {
			return id
		}
		if n++; n > 5 {
			break
		}
	}
	return ""
}
