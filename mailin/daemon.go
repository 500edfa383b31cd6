package mailin

import (
	"strings"

	"postern/mailin/mime"
)

// daemon says that From names a mail system without any address, as several
// write it in their bounces: "MAILER-DAEMON (Mail Delivery System)".
func daemon(h mime.Header) bool {
	if len(h.Addresses("From", 1)) > 0 || len(h.All("From")) != 1 {
		return false
	}
	from := withoutComments(h.First("From"))
	if _, in, ok := strings.Cut(from, "<"); ok {
		from, _, _ = strings.Cut(in, ">")
	}
	switch strings.ToLower(strings.TrimSpace(from)) {
	case "mailer-daemon", "postmaster":
		return true
	}
	return false
}

// withoutComments takes out what stands in brackets outside of quotes (RFC 5322
// §3.2.2); a comment that never ends hides the rest.
func withoutComments(s string) string {
	var out strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && (quoted || depth > 0):
			if depth == 0 && i+1 < len(s) {
				out.WriteString(s[i : i+2])
			}
			i++
		case c == '"' && depth == 0:
			quoted = !quoted
			out.WriteByte(c)
		case c == '(' && !quoted:
			depth++
		case c == ')' && !quoted && depth > 0:
			depth--
		case depth == 0:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// returnPath is the topmost Return-Path: nil if there is none, "" for the
// empty sender (R29).
func returnPath(h mime.Header) *string {
	if !h.Has("Return-Path") {
		return nil
	}
	path := ""
	if a := mime.ParseAddresses(h.First("Return-Path"), 1); len(a) > 0 {
		path = a[0].Address
	} else if text := strings.Trim(withoutComments(h.Text("Return-Path", 320)), "<> \t"); text != "" {
		path = strings.ToLower(text) // something stands there: not the empty sender
	}
	return &path
}
