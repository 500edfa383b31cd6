package mailout

import (
	"maps"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"testing"

	"postern/core"
)

// rows are the fields of R53 that not every mail has, and when one has them.
var rows = map[string]func(core.Letter) bool{
	"Reply-To":                 func(l core.Letter) bool { return l.ReplyTo != "" },
	"In-Reply-To":              func(l core.Letter) bool { return l.InReplyTo != "" },
	"References":               func(l core.Letter) bool { return l.InReplyTo != "" || len(l.References) > 0 },
	"Auto-Submitted":           func(l core.Letter) bool { return l.Automatic },
	"X-Auto-Response-Suppress": func(l core.Letter) bool { return l.Automatic },
	"Precedence":               func(l core.Letter) bool { return l.Optional != "" },
	"List-Id":                  func(l core.Letter) bool { return l.Optional != "" },
	"List-Unsubscribe":         func(l core.Letter) bool { return l.Optional != "" },
	"List-Unsubscribe-Post":    func(l core.Letter) bool { return len(l.Unsubscribe) == 2 },
	"X-Postern-Loop":           func(l core.Letter) bool { return l.Loop != "" },
}

// always are those that every mail has.
var always = []string{"From", "To", "Subject", "Date", "Message-Id", "Mime-Version", "Content-Type"}

// TestHeader_everyRowOfEveryKind composes every kind bare, in full, and as mail
// that can be turned off, and looks at each field of it.
func TestHeader_everyRowOfEveryKind(t *testing.T) {
	c := newComposer(t)
	for _, k := range kinds {
		t.Run("R53/every field of "+string(k)+" is as the table says", func(t *testing.T) {
			bare, whole := Sample(k, "en"), Sample(k, "en")
			bare.ReplyTo, bare.Internal = "", ""
			whole.Loop, whole.InReplyTo, whole.References = "abcdefghijklmnopqrst 1", "her-3@northwind.example", []string{"her-1@northwind.example", "our-2@example.org"}
			off, replied := whole, whole
			off.Optional, off.Unsubscribe = "digest", []string{"mailto:support+abcdefghijklmnopqrst@example.org?subject=unsubscribe%20digest&body=unsubscribe", "https://desk.example/o/1-abc"}
			replied.Replied = true
			for _, l := range []core.Letter{bare, whole, off, replied} {
				l.Files = nil
				raw, err := c.Compose(l, noFiles)
				if err != nil {
					t.Fatal(err)
				}
				p := parse(t, raw)
				rowsOf(t, l, p)
			}
		})
	}
}

func rowsOf(t *testing.T, l core.Letter, p parsed) {
	t.Helper()
	for name, values := range p.header {
		if len(values) != 1 {
			t.Errorf("%s stands %d times", name, len(values))
		}
		if slices.Contains(always, name) || name == "Content-Transfer-Encoding" {
			continue
		}
		known := false
		for row := range rows {
			known = known || textproto.CanonicalMIMEHeaderKey(row) == name
		}
		if !known {
			t.Errorf("%s is no row of the table", name)
		}
	}
	for _, name := range always {
		if p.header.Get(name) == "" {
			t.Errorf("no %s", name)
		}
	}
	for row, has := range rows {
		if got := p.header.Get(row) != ""; got != has(l) {
			t.Errorf("%s is there: %v (automatic %v, optional %q)", row, got, l.Automatic, l.Optional)
		}
	}
	submitted := map[bool]string{false: "auto-generated", true: "auto-replied"}[l.Replied]
	is := func(row, want string) {
		if got := p.header.Get(row); got != want && got != "" {
			t.Errorf("%s: %s, want %s", row, got, want)
		}
	}
	is("Auto-Submitted", submitted)
	is("X-Auto-Response-Suppress", "All")
	is("Precedence", "bulk")
	is("List-Id", "<digest.support.example.org>")
	is("List-Unsubscribe", "<mailto:support+abcdefghijklmnopqrst@example.org?subject=unsubscribe%20digest&body=unsubscribe>, <https://desk.example/o/1-abc>")
	is("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	is("X-Postern-Loop", l.Loop)
	is("Message-Id", "<"+l.MessageID+">")
	is("In-Reply-To", "<her-3@northwind.example>")
	is("References", "<her-1@northwind.example> <our-2@example.org> <her-3@northwind.example>")
	is("Date", "Wed, 04 Mar 2026 09:30:00 +0000")
	for field, want := range map[string]string{"From": l.From.Address, "To": l.To.Address, "Reply-To": l.ReplyTo} {
		list, err := p.header.AddressList(field)
		if want == "" && p.header.Get(field) == "" {
			continue
		}
		if err != nil || len(list) != 1 || list[0].Address != want {
			t.Errorf("%s: %v, %v, want %s", field, list, err, want)
		}
	}
	tagged := regexp.MustCompile(`^\[CASE-10123\] [^\[]`)
	if number := strings.Contains(p.subject, "[CASE-10123]"); number && !tagged.MatchString(p.subject) {
		t.Errorf("the number does not stand first, once: %s", p.subject)
	}
}

// hostile are texts that people put into names, titles and addresses.
var hostile = map[string]string{
	"a line break":            "a\r\nBcc: eve@evil.example",
	"a bare line feed":        "a\nBcc: eve@evil.example",
	"a bare carriage return":  "a\rBcc: eve@evil.example",
	"NUL":                     "a\x00b",
	"marks of direction":      "\u202Eexe.fdp\u202C \u2066x\u2069 \u200F",
	"500 characters":          strings.Repeat("tällä ", 83) + "ää",
	"500 without a blank":     strings.Repeat("ä", 500),
	"quotes and commas":       `"Anna", Berg <eve@evil.example>; x`,
	"an encoded word":         "=?utf-8?q?=0D=0ABcc:_eve@evil.example?=",
	"what looks like a field": "Subject: owned",
	"a template":              `{{.Secret}} {{template "x"}}`,
	"bad bytes":               "a\xff\xfe\xc3(",
	"an emoji of many parts":  "👩‍👩‍👧‍👦",
	"blanks":                  " \t  ",
	"a backslash":             `a\" <b@c.example>\`,
	"another number":          "[CASE-10999] [CASE-10123] Re: AW: x",
}

// TestHeader_hostileText: whatever stands in a name or title, the mail has the
// fields it should have, or is refused as a whole; nobody else ever gets it.
func TestHeader_hostileText(t *testing.T) {
	c := newComposer(t)
	for name, text := range hostile {
		t.Run("R56/"+name+" adds no field and no address, in any kind", func(t *testing.T) {
			for _, k := range kinds {
				for field, put := range map[string]func(*core.Letter){
					"the title":     func(l *core.Letter) { l.Payload.Title = text },
					"the recipient": func(l *core.Letter) { l.To.Name = text },
					"the sender":    func(l *core.Letter) { l.From.Name = text },
					"the actor":     func(l *core.Letter) { l.Payload.Actor = text },
					"the customer":  func(l *core.Letter) { l.Payload.Customer, l.Payload.Company = text, text },
					"the status":    func(l *core.Letter) { l.Payload.Status, l.Payload.Was = text, text },
					"the file": func(l *core.Letter) {
						l.Files = []core.LetterFile{{Name: text, Type: text, Size: 5, Attach: true, Blob: 1}}
					},
					"a reference":       func(l *core.Letter) { l.References, l.InReplyTo = []string{text}, text },
					"its address":       func(l *core.Letter) { l.To.Address = text + "@northwind.example" },
					"its reply address": func(l *core.Letter) { l.ReplyTo = text + "@example.org" },
					"its number":        func(l *core.Letter) { l.MessageID = text },
					"its loop mark":     func(l *core.Letter) { l.Loop = text },
					"its list":          func(l *core.Letter) { l.Optional, l.Unsubscribe = text, []string{text} },
				} {
					l := Sample(k, "en")
					l.Files = nil
					put(&l)
					raw, err := c.Compose(l, fiveBytes)
					if err != nil {
						if raw != nil || strings.ContainsAny(err.Error(), "\r\n\x00") {
							t.Errorf("%s, %s: %q", k, field, err)
						}
						continue
					}
					p := parse(t, raw)
					if strings.ContainsAny(p.subject+addressNames(t, p), "\u202A\u202B\u202C\u202D\u202E\u2066\u2067\u2068\u2069") {
						t.Errorf("%s, %s: it turns what follows: %q", k, field, p.subject)
					}
					for f := range p.header {
						if !slices.Contains(always, f) && f != "Content-Transfer-Encoding" && !slices.ContainsFunc(slices.Collect(maps.Keys(rows)), func(r string) bool { return strings.EqualFold(r, f) }) {
							t.Errorf("%s, %s: a field %s", k, field, f)
						}
					}
					for f, want := range map[string]string{"To": l.To.Address, "From": l.From.Address} {
						if list, err := p.header.AddressList(f); err != nil || len(list) != 1 || list[0].Address != want {
							t.Errorf("%s, %s: %s is %v, %v", k, field, f, list, err)
						}
					}
				}
			}
		})
	}
}

// addressNames are the names that stand beside addresses.
func addressNames(t *testing.T, p parsed) string {
	t.Helper()
	var all strings.Builder
	for _, f := range []string{"From", "To", "Reply-To"} {
		list, err := p.header.AddressList(f)
		if err != nil && p.header.Get(f) != "" {
			t.Errorf("%s: %v", f, err)
		}
		for _, a := range list {
			all.WriteString(a.Name)
		}
	}
	return all.String()
}
