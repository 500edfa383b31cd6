package mailout

import (
	"fmt"
	netmail "net/mail"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxIDOctets keeps "References: <id>" within a line of 998 octets.
const maxIDOctets = 980

// Of the ids of a long talk the first and the newest ten go along, within
// 1,500 octets (R53).
const (
	maxReferences      = 10
	maxReferenceOctets = 1500
)

// plain refuses what could end a header line (R56).
func plain(field, value string) error {
	if strings.ContainsAny(value, "\r\n\x00") {
		return fmt.Errorf("%s: a line break or NUL cannot stand in a header", field)
	}
	return nil
}

// unturned takes out what embeds, overrides or isolates a direction of writing:
// it would turn what a mail program shows behind it (R21).
func unturned(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069' {
			return -1
		}
		return r
	}, s)
}

// printable says whether s is ASCII without control characters.
func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// validID says whether id may stand between angle brackets. Ids of other
// people's mails come in every shape; one that cannot is left out.
func validID(id string) bool {
	return id != "" && len(id) <= maxIDOctets && printable(id) && !strings.ContainsAny(id, " <>")
}

// checkAddress refuses what is no local@domain.
func checkAddress(a string) error {
	at := strings.LastIndexByte(a, '@')
	switch {
	case at < 1 || at == len(a)-1 || len(a) > 254 || !utf8.ValidString(a):
		return fmt.Errorf("%q is no mail address", a)
	case strings.ContainsFunc(a[:at], func(r rune) bool { return r < ' ' || r == 0x7f || strings.ContainsRune("<>@,;:", r) }):
		return fmt.Errorf("%q is no mail address", a)
	case !printable(a[at:]) || strings.ContainsAny(a[at+1:], " <>\"(),;@\\"):
		return fmt.Errorf("%q has no domain in ASCII form", a)
	}
	return nil
}

// path is an address as MAIL and RCPT want it; "" is the null sender.
func path(a string) (string, error) {
	if a == "" {
		return "<>", nil
	}
	if err := checkAddress(a); err != nil {
		return "", err
	}
	return (&netmail.Address{Address: a}).String(), nil
}

// tagged puts the case's number before the title, once, whatever an answer to
// an answer has piled up there.
func tagged(number, title string) string {
	if number == "" {
		return undecoded(title)
	}
	tag := "[" + number + "]"
	for {
		i := indexFold(title, tag)
		if i < 0 {
			break
		}
		title = title[:i] + " " + title[i+len(tag):]
	}
	title = strings.Join(strings.Fields(title), " ")
	for {
		rest, found := cutReply(title)
		if !found {
			return strings.TrimSpace(tag + " " + undecoded(title))
		}
		title = rest
	}
}

// replyMarks are what mail programs put before the subject of an answer. Marks
// of forwarded mail stay: they say something about it.
var replyMarks = []string{"re", "aw", "antw", "antwoord", "betr", "sv", "vs", "rif", "odp"}

func cutReply(s string) (rest string, found bool) {
	head, rest, found := strings.Cut(s, ":")
	if !found || len(head) > 12 {
		return s, false
	}
	head, _, _ = strings.Cut(head, "[") // Re[2]:
	if !slices.Contains(replyMarks, strings.ToLower(strings.TrimSpace(head))) {
		return s, false
	}
	return strings.TrimSpace(rest), true
}

// indexFold is strings.Index without regard to case, for an ASCII sub.
func indexFold(s, sub string) int {
	for i := 0; i+len(sub) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(sub)], sub) {
			return i
		}
	}
	return -1
}

// undecoded keeps a title that looks like an encoded word from being read as
// one: what somebody wrote is shown, never decoded a second time (R20).
func undecoded(s string) string { return strings.ReplaceAll(s, "=?", "= ?") }

// references is the value of References: the first id, the newest ones, and
// the mail answered last, RFC 5322 §3.6.4.
func references(ids []string, answered string) string {
	var keep []string
	for i, id := range ids {
		if validID(id) && !slices.Contains(keep, id) && (id != answered || i == 0) {
			keep = append(keep, id)
		}
	}
	if validID(answered) && !slices.Contains(keep, answered) {
		keep = append(keep, answered)
	}
	if len(keep) > 1+maxReferences {
		keep = slices.Delete(keep, 1, len(keep)-maxReferences)
	}
	for len(keep) > 1 && joinedOctets(keep) > maxReferenceOctets {
		keep = slices.Delete(keep, 1, 2)
	}
	if len(keep) == 0 {
		return ""
	}
	return "<" + strings.Join(keep, "> <") + ">"
}

func joinedOctets(ids []string) int {
	n := 0
	for _, id := range ids {
		n += len(id) + len("<> ")
	}
	return n - 1
}
