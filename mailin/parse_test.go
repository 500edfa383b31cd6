package mailin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"postern/core"
	"postern/mailin/mime"
)

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(t testing.TB, raw []byte) core.Mail {
	t.Helper()
	m, err := ParseContext(context.Background(), bytes.NewReader(raw), int64(len(raw)), mime.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// fact reads one thing of a mail as text, for the table below.
func fact(m core.Mail, name string) string {
	list := func(all []core.Address) string {
		var s []string
		for _, a := range all {
			s = append(s, strings.TrimSpace(a.Name+" <"+a.Address+">"))
		}
		return strings.Join(s, ", ")
	}
	switch name {
	case "from":
		return list(m.From)
	case "to":
		return list(m.To)
	case "cc":
		return list(m.Cc)
	case "subject":
		return m.Subject
	case "id":
		return m.MessageID
	case "refs":
		return strings.Join(m.References, " ")
	case "parent":
		return strings.Join(m.InReplyTo, " ")
	case "text":
		return m.Text
	case "reply":
		return m.Reply
	case "html":
		return m.HTML
	case "org":
		return m.FromOrg
	case "delivered":
		return strings.Join(m.Delivered, " ")
	case "date":
		return m.Date.UTC().Format(time.RFC3339)
	case "flaws":
		return strings.Join(m.Flaws, "; ")
	case "files":
		var s []string
		for _, f := range m.Files {
			s = append(s, fmt.Sprintf("%s %s %d %v", f.Name, f.Type, f.Size, f.Inline))
		}
		return strings.Join(s, "; ")
	case "report":
		if m.Report == nil {
			return "none"
		}
		var all []string
		for _, r := range m.Report.Recipients {
			all = append(all, fmt.Sprintf("{%s %s %s %s}", r.Address, r.Action, r.Status, r.Diagnostic))
		}
		return fmt.Sprintf("%v returned %s", all, m.Report.ReturnedID)
	case "forwarded":
		var s []string
		for _, q := range m.Forwarded {
			if q.Above != "" {
				s = append(s, "above "+q.Above)
			}
			s = append(s, fmt.Sprintf("%s <%s>|%s|%s|%s", q.From.Name, q.From.Address, q.Date, q.Subject, q.Text))
		}
		return strings.Join(s, "; ")
	case "return-path":
		if m.Marks.ReturnPath == nil {
			return "unknown"
		}
		return "<" + *m.Marks.ReturnPath + ">"
	case "marks":
		k := m.Marks
		return fmt.Sprintf("auto=%q precedence=%q suppress=%q rules=%v list=%v %q report=%q loop=%q spam=%v received=%d",
			k.AutoSubmitted, k.Precedence, k.Suppress, k.InboxRules, k.List, k.ListID, k.ReportType, k.Loop, k.Spam, k.Received)
	case "trusted":
		var s []string
		for _, f := range m.Trusted {
			s = append(s, f.Name+": "+f.Value)
		}
		return strings.Join(s, "; ")
	}
	panic("no such fact: " + name)
}

const noMarks = `auto="" precedence="" suppress="" rules=false list=false "" report="" loop="" spam=false received=0`

// Expected facts, written by hand. "~x" is contained, "!x" is not, anything
// else is the whole.
var parsed = []struct {
	name, file, fact, want string
}{
	{"text as it is", "plain", "text", "The printer on the second floor is broken.\n\nAnna"},
	{"R30/from", "plain", "from", "Anna Smith <anna@customer.example>"},
	{"R31/organisational domain", "plain", "org", "customer.example"},
	{"date", "plain", "date", "2026-11-02T09:00:00Z"},
	{"id", "plain", "id", "m1@customer.example"},
	{"no flaws", "plain", "flaws", ""},
	{"LF line ends", "plain-lf", "text", "The printer on the second floor is broken.\n\nAnna"},
	{"R7/no id", "no-message-id", "id", ""},
	{"R7/malformed id", "bad-message-id", "id", ""},
	{"R7/over-long id", "long-message-id", "id", ""},
	{"no from", "no-from", "from", ""},
	{"no from, text", "no-from", "text", "No sender."},
	{"no from, envelope unknown", "no-from", "return-path", "unknown"},
	{"two from", "two-from", "from", "Anna <anna@customer.example>, Bob <bob@customer.example>"},
	{"no subject", "no-subject", "subject", ""},
	{"empty body", "empty-body", "text", ""},
	{"header without end", "no-header-end", "subject", "The printer"},
	{"nothing at all", "empty", "text", ""},
	{"R19/nul in the body", "nul-and-bad-utf8", "text", "nul: bad:æø\ufffd end"},
	{"R19/nul in the subject", "nul-and-bad-utf8", "subject", "Printer \ufffdæø"},
	{"R19/nul is told", "nul-and-bad-utf8", "flaws", "~NUL in the header"},
	{"R19/nul in quoted-printable", "nul-in-qp", "text", "beforeafter æ"},
	{"R19/nul in base64", "nul-in-base64", "text", "onetwo"},
	{"R19/nul in an encoded word", "nul-in-base64", "subject", "ab"},
	{"R19/nul in html", "nul-in-html", "html", "!\x00"},
	{"R20/undeclared latin-1", "latin1-undeclared", "text", "EN: rød grød"},
	{"R20/unknown charset", "unknown-charset", "text", "rød grød"},
	{"R20/unknown charset is told", "unknown-charset", "flaws", "unknown charset x-klingon"},
	{"R20/iso-2022-jp", "charset-iso-2022-jp", "text", "プリンターが壊れました"},
	{"R20/iso-2022-jp subject", "charset-iso-2022-jp", "subject", "プリンターが壊れました"},
	{"R20/gb18030", "charset-gb18030", "text", "打印机坏了"},
	{"R20/gb18030 subject", "charset-gb18030", "subject", "打印机坏了"},
	{"R20/shift_jis", "charset-shift-jis", "text", "プリンター"},
	{"R20/koi8-r", "charset-koi8-r", "text", "Принтер сломан"},
	{"R20/windows-1251", "charset-windows-1251", "subject", "Принтер сломан"},
	{"R20/windows-1252", "charset-windows-1252", "text", "“Große” – 5 €"},
	{"R20/utf-16", "charset-utf-16", "text", "Der Drucker – kaputt"},
	{"R20/charset in meta", "html-charset-in-meta", "text", "Принтер"},
	{"unknown transfer encoding, text stays", "unknown-encoding", "text", "The text."},
	{"unknown transfer encoding, kept as file", "unknown-encoding", "files", "file-1.txt text/plain 30 false"},
	{"unknown transfer encoding is told", "unknown-encoding", "flaws", "unknown transfer encoding x-strange: kept as file"},
	{"transfer encoding 8-bit", "encoding-8-bit", "text", "rød grød"},
	{"no closing boundary, text", "no-closing-boundary", "text", "The text."},
	{"no closing boundary, file", "no-closing-boundary", "files", "a.pdf application/pdf 14 false"},
	{"no closing boundary is told", "no-closing-boundary", "flaws", "no closing boundary"},
	{"inner boundary unclosed, html", "inner-boundary-unclosed", "html", "<p>The <b>text</b>.</p>"},
	{"inner boundary unclosed, file after it", "inner-boundary-unclosed", "files", "a.csv text/csv 3 false"},
	{"multipart without boundary", "no-boundary", "text", "Just text under a wrong heading."},
	{"multipart without boundary is told", "no-boundary", "flaws", "~multipart without boundary"},
	{"boundary not named", "boundary-not-named", "text", "The text."},
	{"R17/30 levels, 20 are read", "nested-30", "text", "~level 19"},
	{"R17/30 levels, the rest is not text", "nested-30", "text", "!level 20"},
	{"R17/30 levels, the rest is one file", "nested-30", "files", "~file-1 multipart/mixed"},
	{"R17/30 levels are told", "nested-30", "flaws", "nested deeper than 20: kept as one file"},
	{"mbox from line", "mbox-from-line", "from", "Anna Smith <anna@customer.example>"},
	{"mbox from line is no flaw", "mbox-from-line", "flaws", ""},
	{"header line without colon", "header-line-without-colon", "subject", "The printer"},
	{"header line without colon, field before it", "header-line-without-colon", "to", "Support <support@desk.example>"},
	{"truncated base64", "truncated-base64", "files", "a.png image/png 12 false"},
	{"truncated base64 is told", "truncated-base64", "flaws", "~base64 is damaged"},
	{"dirty base64", "dirty-base64", "text", "The printer is broken."},
	{"dirty quoted-printable", "dirty-qp", "text", "50=% off =ZZ and æ and a soft break"},
	{"format=flowed", "format-flowed", "text", "This is one paragraph that flows.\n\n> a quoted paragraph\n\n-- \nAnna"},
	{"R20/encoded word adds no address", "encoded-word-address", "from", "Boss <boss@corp.example>, <mallory@evil.example>"},
	{"R20/encoded word adds no line", "encoded-word-line-break", "subject", "one Bcc: two@evil.example"},
	{"R20/characters cut in two", "split-characters", "subject", "Prinzø"},
	{"R21/subject", "bidi-and-control", "subject", "paytxt.exe now"},
	{"R21/name", "bidi-and-control", "from", "Anna Smith <anna@customer.example>"},
	{"R17/long subject", "long-subject", "subject", strings.Repeat("ø", 250)},
	{"one bad address", "bad-address-in-list", "cc", "Bob <bob@customer.example>, Doe, Jane <jane@customer.example>, Smith, John <john@customer.example>"},
	{"R30/domain in ASCII form", "idn-sender", "from", "Søren <soren@xn--blbrgrd-fxak7p.example>"},
	{"R22/names", "rfc2231-name", "files", "rød grød.pdf application/pdf 1 false; rød.pdf application/pdf 1 false; passwd application/octet-stream 1 false; a.doc application/octet-stream 1 false"},
	{"html made text", "html-only", "text", "The printer on floor 2:\n\n- stripes\n- noise\n\n| Part | State |\n|---|---|\n| drum | worn |\n\n1*2 and a_b"},
	{"R23/no script", "html-hostile", "html", "!steal"},
	{"R23/no script in text", "html-hostile", "text", "!steal"},
	{"R23/no remote source", "html-hostile", "html", `~<img alt="pic" data-src="https://evil.example/pixel.png"/>`},
	{"R23/cid stays", "html-hostile", "html", `~src="cid:logo@customer.example"`},
	{"R23/no data image", "html-hostile", "html", "!data:image"},
	{"R23/no form", "html-hostile", "html", "!<form"},
	{"R23/no input", "html-hostile", "html", "!<input"},
	{"R23/no frame", "html-hostile", "html", "!iframe"},
	{"R23/no svg", "html-hostile", "html", "!svg"},
	{"R23/no outside style", "html-hostile", "html", `~<div style="color:red;">styled</div>`},
	{"R23/link", "html-hostile", "html", `~href="https://good.example/x?a=1&amp;b=2"`},
	{"R23/no ids", "html-hostile", "html", "~<p>ids</p>"},
	{"R23/balanced", "html-hostile", "html", "!</table>"},
	{"R17/html too deep", "html-deep", "html", "~deep text"},
	{"R17/html too deep, text", "html-deep", "text", "deep text"},
	{"R17/html too deep is told", "html-deep", "flaws", "~nested too deep"},
	{"related, text", "related-inline-image", "text", "See the picture.\n\n[image: x.png]"},
	{"related, html", "related-inline-image", "html", `~<img src="cid:img1@customer.example" width="10"/>`},
	{"related, file", "related-inline-image", "files", "x.png image/png 10 true"},
	{"Gmail reply", "gmail-reply", "reply", "That did it, thanks!"},
	{"Gmail reply, parent", "gmail-reply", "parent", "c1@desk.example"},
	{"Gmail reply, references", "gmail-reply", "refs", "c0@desk.example c1@desk.example"},
	{"Gmail reply, delivered", "gmail-reply", "delivered", "support@desk.example"},
	{"Gmail reply of HTML alone", "gmail-reply-html-only", "reply", "That did it, thanks!"},
	{"Outlook reply of HTML alone", "outlook-reply-html-only", "reply", "Please close it.\n\nKind regards\nAnna"},
	{"Outlook on the web of HTML alone", "outlook-web-reply-html-only", "reply", "Luk den bare."},
	{"Apple reply of HTML alone", "apple-reply-html-only", "reply", "Ja tak"},
	{"a reply is no forward", "gmail-reply", "forwarded", ""},
	{"an Outlook reply is no forward", "outlook-reply-html-only", "forwarded", ""},
	{"R64/attached mail", "thunderbird-forward-attached", "forwarded", "above Please open a case.; Bob Jones <bob@customer.example>|Sun, 1 Nov 2026 10:00:00 +0100|Broøken|It burns."},
	{"R64/attached mail is a file", "thunderbird-forward-attached", "files", "Broken.eml message/rfc822 226 false"},
	{"R64/attached mail, text", "thunderbird-forward-attached", "text", "Please open a case."},
	{"R64/forwarded in the text", "outlook-forward", "forwarded", "above Please take this.; Bob Jones <bob@customer.example>|Sunday, November 1, 2026 10:00 AM|Broken|It burns."},
	{"R64/own text", "outlook-forward", "reply", "Please take this."},
	{"R54/Postfix", "bounce-postfix", "report", "[{anna@customer.example failed 5.1.1 550 5.1.1 <anna@customer.example>: Recipient address rejected: User unknown}] returned n42@desk.example"},
	{"R29/empty return path", "bounce-postfix", "return-path", "<>"},
	{"R26/bounce", "bounce-postfix", "marks", `auto="auto-replied" precedence="" suppress="" rules=false list=false "" report="delivery-status" loop="" spam=false received=0`},
	{"bounce, text", "bounce-postfix", "text", "I could not deliver your message."},
	{"R54/qmail", "bounce-qmail", "report", "[{anna@customer.example failed 5.1.1 192.0.2.1 does not like recipient. Remote host said: 550 5.1.1 User unknown}] returned n42@desk.example"},
	{"R54/Exim", "bounce-exim", "report", "[{anna@customer.example failed 5.2.1 host mx [192.0.2.1] SMTP error from remote mail server after RCPT TO:<anna@customer.example>: 550 5.2.1 mailbox disabled}] returned n42@desk.example"},
	{"R26/receipt", "receipt", "report", "[{anna@customer.example displayed  }] returned n42@desk.example"},
	{"no report", "plain", "report", "none"},
	{"R26/out of office", "out-of-office", "marks", `auto="auto-generated" precedence="bulk" suppress="All" rules=true list=false "" report="" loop="" spam=false received=0`},
	{"R26/list", "list-mail", "marks", `auto="" precedence="" suppress="" rules=false list=true "printers <printers.lists.example>" report="" loop="" spam=false received=0`},
	{"R26/human", "plain", "marks", noMarks},
	{"R29/topmost return path", "return-path-below", "return-path", "<real@customer.example>"},
	{"R32/all, topmost first", "auth-results", "trusted", "Authentication-Results: mx.desk.example; dmarc=pass header.from=customer.example; dkim=pass header.d=customer.example; Authentication-Results: evil.example; dmarc=pass"},
	{"R25/loop and spam", "auth-results", "marks", `auto="" precedence="" suppress="" rules=false list=false "" report="" loop="abc 2" spam=true received=1`},
	{"invitation, text", "calendar-invitation", "text", "Let us meet."},
	{"invitation, file", "calendar-invitation", "files", "file-1.ics text/calendar 30 false"},
	{"text, picture, text", "text-image-text", "text", "Before the picture.\n\nAfter the picture."},
	{"text, picture, text: file", "text-image-text", "files", "IMG_1.jpeg image/jpeg 6 true"},
	{"signed", "signed-smime", "text", "Signed words."},
	{"signed, file", "signed-smime", "files", "smime.p7s application/pkcs7-signature 3 false"},
	{"text that only points at the HTML", "stub-text", "text", "The real text."},
	{"references in bad order", "references-bare", "refs", "c0@desk.example c1@desk.example broken@desk.example"},
	{"in-reply-to in prose", "references-bare", "parent", "c1@desk.example"},
	{"folded subject", "folded-everything", "subject", "a very long subject"},
	{"folded from", "folded-everything", "from", "Smith, Anna <anna@customer.example>"},
}

func TestParse(t *testing.T) {
	used := map[string]bool{}
	for _, c := range parsed {
		used[c.file] = true
		t.Run(c.name, func(t *testing.T) {
			got := fact(parse(t, fixture(t, c.file)), c.fact)
			switch {
			case strings.HasPrefix(c.want, "~"):
				if !strings.Contains(got, c.want[1:]) {
					t.Errorf("%s of %s = %q, want it to hold %q", c.fact, c.file, got, c.want[1:])
				}
			case strings.HasPrefix(c.want, "!"):
				if got == "" || strings.Contains(got, c.want[1:]) {
					t.Errorf("%s of %s = %q, must not hold %q", c.fact, c.file, got, c.want[1:])
				}
			case got != c.want:
				t.Errorf("%s of %s\n got %q\nwant %q", c.fact, c.file, got, c.want)
			}
		})
	}
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".eml"); !used[name] {
			t.Errorf("%s has no expectation", f)
		}
	}
}

// R19: no string of any fixture holds NUL or invalid UTF-8.
func TestParse_givesCleanStrings(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.eml")
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		eachString(reflect.ValueOf(parse(t, raw)), func(s string) {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
				t.Errorf("R19/%s: %q", f, s)
			}
		})
	}
}

func eachString(v reflect.Value, see func(string)) {
	switch v.Kind() {
	case reflect.String:
		see(v.String())
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			eachString(v.Field(i), see)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachString(v.Index(i), see)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			eachString(v.Elem(), see)
		}
	}
}

func TestParse_filesOpenAsHashed(t *testing.T) {
	for _, name := range []string{"rfc2231-name", "related-inline-image", "truncated-base64", "thunderbird-forward-attached"} {
		for _, f := range parse(t, fixture(t, name)).Files {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			if err != nil || r.Close() != nil {
				t.Fatal(err)
			}
			if int64(len(b)) != f.Size || sha256.Sum256(b) != f.SHA256 {
				t.Errorf("%s: %s: %d octets, said %d", name, f.Name, len(b), f.Size)
			}
		}
	}
}

func TestParse_contentHash(t *testing.T) {
	base := "From: Anna <anna@customer.example>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0100\r\nSubject: a\r\n"
	hash := func(raw string) [32]byte { return parse(t, []byte(raw)).Hash }
	one := hash(base + "\r\nText\r\nmore\r\n")
	want := sha256.Sum256([]byte("Anna <anna@customer.example>\r\nMon, 2 Nov 2026 10:00:00 +0100\r\na\r\nText\r\nmore"))
	if one != want {
		t.Errorf("R5/shape: %x, want %x", one, want)
	}
	for name, raw := range map[string]string{
		"other fields on the way":  "Received: x\r\nX-Spam: no\r\n" + base + "\r\nText\r\nmore\r\n",
		"line ends LF":             strings.ReplaceAll(base+"\r\nText\r\nmore\r\n", "\r\n", "\n"),
		"line ends CR in the body": base + "\r\nText\rmore\r",
		"trailing empty lines":     base + "\r\nText\r\nmore\r\n\r\n\r\n",
		"no last line end":         base + "\r\nText\r\nmore",
		"encoded and folded":       strings.Replace(base, "Subject: a", "Subject:\r\n =?utf-8?q?a?=", 1) + "\r\nText\r\nmore\r\n",
	} {
		if hash(raw) != one {
			t.Errorf("R5/%s: another hash", name)
		}
	}
	for name, raw := range map[string]string{
		"text":         base + "\r\nText\r\nmore!\r\n",
		"subject":      strings.Replace(base, "Subject: a", "Subject: b", 1) + "\r\nText\r\nmore\r\n",
		"inner blanks": base + "\r\nText\r\n\r\nmore\r\n",
		"space":        base + "\r\nText \r\nmore\r\n",
	} {
		if hash(raw) == one {
			t.Errorf("R5/%s: the same hash", name)
		}
	}
}

func TestParseContext_quarantine(t *testing.T) {
	raw := fixture(t, "plain")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := ParseContext(ctx, bytes.NewReader(raw), int64(len(raw)), mime.DefaultLimits); !errors.Is(err, mime.ErrTooSlow) {
		t.Errorf("R17/time: %v", err)
	}
	large := "From: a@b.example\r\nX-Large: " + strings.Repeat("x", 2<<20) + "\r\nSubject: s\r\n\r\nText\r\n"
	if m, err := ParseContext(context.Background(), strings.NewReader(large), int64(len(large)), mime.DefaultLimits); !errors.Is(err, mime.ErrHeaderTooLarge) || m.Text != "Text" || len(m.From) != 1 {
		t.Errorf("R17/header: %v, %q", err, m.Text)
	}
	disk := errors.New("disk")
	if _, err := ParseContext(context.Background(), brokenAt{disk}, 100, mime.DefaultLimits); !errors.Is(err, disk) {
		t.Errorf("a broken disk is told: %v", err)
	}
}

type brokenAt struct{ err error }

func (b brokenAt) ReadAt([]byte, int64) (int, error) { return 0, b.err }

func TestNewExplanation(t *testing.T) {
	e := NewExplanation("x.eml", parse(t, fixture(t, "bounce-postfix")))
	if e.DSN == nil || !reflect.DeepEqual(e.DSN.Status, []string{"5.1.1"}) || e.To[0] != "support@desk.example" || *e.Date != "2026-11-02T09:00:00Z" {
		t.Errorf("R67/bounce: %+v", e)
	}
	e = NewExplanation("x.eml", parse(t, fixture(t, "empty")))
	if e.Date != nil || e.To == nil || e.Attachments == nil || e.DSN != nil || e.Forwarded != nil {
		t.Errorf("R67/empty: %+v", e)
	}
}

func BenchmarkParse(b *testing.B) {
	for _, name := range []string{"plain", "gmail-reply", "outlook-reply-html-only"} {
		b.Run(name, func(b *testing.B) {
			raw := fixture(b, name)
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				Parse(bytes.NewReader(raw), int64(len(raw)), mime.DefaultLimits)
			}
		})
	}
}

func TestParse_autoSubmitted(t *testing.T) {
	for _, c := range []struct{ name, fields, want string }{
		{"R26/none", "", ""},
		{"R26/one", "Auto-Submitted: auto-replied (vacation)\r\n", "auto-replied"},
		{"R26/no, and below it a machine's", "Auto-Submitted: no\r\nAuto-Submitted: Auto-Generated; x=y\r\n", "auto-generated"},
		{"R26/the topmost of two machines", "Auto-Submitted: auto-replied\r\nAuto-Submitted: auto-generated\r\n", "auto-replied"},
		{"R26/no, twice", "Auto-Submitted: no\r\nAuto-Submitted: no\r\n", "no"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := parse(t, []byte("From: a@customer.example\r\n"+c.fields+"\r\nx\r\n")).Marks.AutoSubmitted; got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
