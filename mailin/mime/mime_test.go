package mime

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"postern/mailin/fixtures"
)

// untimed are the usual limits without the clock: a busy machine is no finding.
var untimed = func() Limits {
	l := DefaultLimits
	l.Time = 0
	return l
}()

func read(raw string) *Message { return readWith(raw, DefaultLimits) }

func readWith(raw string, l Limits) *Message {
	return Read(strings.NewReader(raw), int64(len(raw)), l)
}

func flawed(m *Message, part string) bool { return strings.Contains(strings.Join(m.Flaws, "; "), part) }

func TestParseAddresses(t *testing.T) {
	for _, c := range []struct{ field, want string }{
		{`anna@customer.example`, "|anna@customer.example"},
		{`Anna Smith <Anna@Customer.Example>`, "Anna Smith|anna@customer.example"},
		{`"Smith, Anna" <anna@customer.example>`, "Smith, Anna|anna@customer.example"},
		{`Smith, Anna <anna@customer.example>`, "Smith, Anna|anna@customer.example"},
		{`anna@customer.example (Anna Smith)`, "Anna Smith|anna@customer.example"},
		{`<anna@customer.example>`, "|anna@customer.example"},
		{`a@x.example; b@y.example`, "|a@x.example |b@y.example"},
		{`Friends: a@x.example, B <b@y.example>;`, "|a@x.example B|b@y.example"},
		{`undisclosed-recipients:;`, ""},
		{`a@x.example b@y.example`, "|a@x.example |b@y.example"},
		{`<a@x.example> <b@y.example>`, "|a@x.example |b@y.example"},
		{`a@x.example, broken, @x.example, b@, <>, c@y.example`, "|a@x.example |c@y.example"},
		{`=?utf-8?q?boss=40corp=2Eexample?=`, ""},
		{`=?utf-8?q?boss=40corp=2Eexample_=3C?= <evil@x.example>`, "boss@corp.example <|evil@x.example"},
		{`"boss@corp.example" <evil@x.example>`, "boss@corp.example|evil@x.example"},
		{`=?utf-8?q?=3Cboss=40corp.example=3E?= <evil@x.example>`, "<boss@corp.example>|evil@x.example"},
		{`boss@corp.example <evil@x.example>`, "boss@corp.example|evil@x.example"},
		{`<@relay.example,@b.example:anna@customer.example>`, "|anna@customer.example"},
		{`"john doe"@x.example`, `|"john doe"@x.example`},
		{`"john"@x.example`, `|john@x.example`},
		{`anna@[192.0.2.1]`, "|anna@[192.0.2.1]"},
		{`søren@blåbær.example`, "|søren@xn--blbr-roah.example"},
		{`anna@customer.example.`, "|anna@customer.example"},
		{`anna@-_.example, anna@a..example, anna@.example`, "|anna@-_.example"},
		{`mailto:anna@customer.example`, "|anna@customer.example"},
		{`<mailto:anna@customer.example>`, "|anna@customer.example"},
		{`Anna <anna@customer.example`, "Anna|anna@customer.example"},
		{`"Anna <anna@customer.example>`, "Anna|anna@customer.example"},
		{"An\u202ena\u0007 <anna@customer.example>", "Anna|anna@customer.example"},
		{"anna\u202e@customer.example", ""},
		{"an na@customer.example", "an|na@customer.example"},
		{`'Anna' <anna@customer.example>`, "'Anna'|anna@customer.example"},
		{"", ""},
	} {
		var got []string
		for _, a := range ParseAddresses(c.field, 10) {
			got = append(got, a.Name+"|"+a.Address)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("R20/%s\n got %q\nwant %q", c.field, got, c.want)
		}
	}
	if n := len(ParseAddresses(strings.Repeat("a@x.example,", 100), 40)); n != 40 {
		t.Errorf("R17/addresses: %d", n)
	}
}

func TestDecodeWords(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plain", "plain"},
		{"=?utf-8?Q?r=C3=B8d_gr=C3=B8d?=", "rød grød"},
		{"=?ISO-8859-1?B?cvhk?= end", "rød end"},
		{"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"},
		{"=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b"},
		{"=?utf-8?q?=C3?= =?utf-8?q?=B8?=", "ø"},
		{"=?utf-8*da?q?a?=", "a"},
		{"=?utf-8?q?=3D=3Futf-8=3Fq=3Fevil=3F=3D?=", "=?utf-8?q?evil?="},
		{"=?x-klingon?q?a=F8?=", "aø"},
		{"=?utf-8?x?a?=", "=?utf-8?x?a?="},
		{"=?utf-8?q?open", "=?utf-8?q?open"},
		{"=?utf-8?b?cvhk", "=?utf-8?b?cvhk"},
		{"=?utf-8?b?////?=", "\ufffd\ufffd\ufffd"},
		{"=?utf-8?q?a=00b?=", "ab"},
		{"=?", "=?"},
		{"=?utf-8?q?has space?=", "has space"},
	} {
		got := DecodeWords(c.in)
		if c.in == "=?utf-8?b?////?=" { // windows-1252 reads it too: valid is what counts
			if !utf8.ValidString(got) {
				t.Errorf("R19/%s: %q", c.in, got)
			}
			continue
		}
		if got != c.want {
			t.Errorf("R20/%s\n got %q\nwant %q", c.in, got, c.want)
		}
	}
}

func TestMessageIDs(t *testing.T) {
	for in, want := range map[string]string{
		"<a@b>": "a@b", "a@b": "a@b", "": "", "<>": "", "< >": "", "<a b@c>": "", "<a@b> (comment)": "a@b", "<a@b> <c@d>": "",
		"<a@b": "", "<no-at>": "", "word": "", "<" + strings.Repeat("a", 999) + ">": "",
	} {
		if got := MessageID(in); got != want {
			t.Errorf("R7/%.40q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"<a@b> <c@d>": "a@b c@d", "<a@b><c@d> <a@b>": "a@b c@d", "a@b c@d": "a@b c@d", "text <a@b> text": "a@b",
		"<a@b <c@d>": "c@d", "": "", "<a\t b@c>": "ab@c", "nobody": "",
	} {
		if got := strings.Join(MessageIDs(in), " "); got != want {
			t.Errorf("R7/%.40q: %q, want %q", in, got, want)
		}
	}
	if n := len(MessageIDs(strings.Repeat("<a@b>", 10) + func() (s string) {
		for i := range 1000 {
			s += fmt.Sprintf("<%d@b>", i)
		}
		return
	}())); n != mostIDs {
		t.Errorf("%d ids", n)
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"a\r\nb": "a b", " a  b ": "a b", "a\x00b\x1b[0m": "ab[0m", "a\u202eb\u2066c\u2069": "abc", "\u200fא": "\u200fא", "a\u2028b": "a b", "\ufeffa": "a",
	} {
		if got := Clean(in, 0); got != want {
			t.Errorf("R21/%q: %q, want %q", in, got, want)
		}
	}
	if got := Clean(strings.Repeat("ø ", 100), 5); got != "ø ø ø" {
		t.Errorf("R17/cut: %q", got)
	}
}

func TestFileName(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"../../etc/passwd", "passwd"}, {`C:\a\b.doc`, "b.doc"}, {"..", "file-1.pdf"}, {"", "file-1.pdf"}, {"a\u202efdp.exe", "afdp.exe"},
		{"a\nb.pdf", "a b.pdf"}, {strings.Repeat("x", 300) + ".pdf", strings.Repeat("x", 146) + ".pdf"},
	} {
		if got := fileName(c.in, "application/pdf", 1, 150); got != c.want {
			t.Errorf("R22/%q: %q, want %q", c.in, got, c.want)
		}
	}
}

func TestRead_dates(t *testing.T) {
	for in, want := range map[string]string{
		"Mon, 2 Nov 2026 10:00:00 +0100": "2026-11-02T09:00:00Z", "2 Nov 2026 10:00 GMT": "2026-11-02T10:00:00Z", "Mon, 02 Nov 2026 10:00:00 +0100 (CET)": "2026-11-02T09:00:00Z",
		"Mon Nov  2 10:00:00 2026": "2026-11-02T10:00:00Z", "2026-11-02T10:00:00Z": "2026-11-02T10:00:00Z", "yesterday": "", "": "", "Mon, 2 Nov 9999 10:00:00 +0100": "",
		"Mon, 1 Jan 0000 10:00:00 +0000": "", "Mon, 1 Jan 1900 10:00:00 +0000": "", "Thu, 31 Feb 2026 10:00:00 +0000": "", "Mon, 2 Nov 2026 25:00:00 +0000": "", "11/02/2026 10:00": "",
		"Fri, 2 Nov 2026 10:00:00 +0100": "2026-11-02T09:00:00Z", "Mon, 2 Nov 2026 10:00:00": "2026-11-02T10:00:00Z", "Mon, 2 Nov 2026 10:00:00 EST": "2026-11-02T15:00:00Z",
		"Mon, 2 Nov 2026 10:00:00+0100": "2026-11-02T09:00:00Z", "Mon, 2 Nov 2026 10:00:00 +9900": "2026-11-02T10:00:00Z", "Mon, 2 Nov 26 10:00:00 GMT+0200": "2026-11-02T08:00:00Z",
		"mar., 3 mars 2026 10:00:00 +0100": "2026-03-03T09:00:00Z", "Mi, 4 Dez 2026 10:00:00 +0100": "2026-12-04T09:00:00Z", "Пн, 2 ноя 2026 10:00:00 +0300": "2026-11-02T07:00:00Z",
		"2-Nov-2026 10:00:00 GMT": "2026-11-02T10:00:00Z", "Monday, November 2, 2026 10:00 PM": "2026-11-02T22:00:00Z", "Mon, 2 Nov 2026 10:00:60 +0000": "2026-11-02T10:01:00Z",
	} {
		got := ""
		if d := parseDate(in); !d.IsZero() {
			got = d.UTC().Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// generated is a mail of any size that is nowhere in memory: a head, base64
// lines, a tail.
type generated struct {
	head, line, tail string
	lines            int64
}

func (g generated) size() int64 {
	return int64(len(g.head)) + g.lines*int64(len(g.line)) + int64(len(g.tail))
}

func (g generated) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	body := g.lines * int64(len(g.line))
	for n < len(p) && off < g.size() {
		var from string
		switch at := off - int64(len(g.head)); {
		case at < 0:
			from = g.head[off:]
		case at < body:
			from = g.line[at%int64(len(g.line)):]
		default:
			from = g.tail[at-body:]
		}
		k := copy(p[n:], from)
		n += k
		off += int64(k)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func TestRead_40MiBInLittleMemory(t *testing.T) {
	line := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("ab\x00"), 19)) + "\r\n"
	g := generated{
		head: "From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee the file.\r\n--b\r\nContent-Type: video/mp4; name=a.mp4\r\nContent-Transfer-Encoding: base64\r\n\r\n",
		line: line, tail: "--b--\r\n", lines: 39 << 20 / int64(len(line)),
	}
	l := untimed
	l.FileBytes = 40 << 20
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m := Read(g, g.size(), l)
	runtime.ReadMemStats(&after)
	if m.Text != "See the file." || len(m.Files) != 1 || m.Files[0].Size != g.lines*57 {
		t.Fatalf("%q %+v %v", m.Text, m.Files, m.Flaws)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
		t.Errorf("R18: %d octets allocated in all", used)
	}
	r, err := m.Files[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil || [32]byte(sum.Sum(nil)) != m.Files[0].SHA256 {
		t.Errorf("opened otherwise than hashed: %v", err)
	}
}

func TestRead_base64Whole(t *testing.T) {
	for n := range 400 {
		raw := make([]byte, n*7)
		rand.Read(raw)
		text := base64.StdEncoding.EncodeToString(raw)
		var folded strings.Builder
		for len(text) > 60 {
			folded.WriteString(text[:60] + "\r\n")
			text = text[60:]
		}
		folded.WriteString(text)
		m := read("Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + folded.String() + "\r\n")
		if len(m.Files) != 1 || m.Files[0].SHA256 != sha256.Sum256(raw) {
			t.Fatalf("%d octets: %+v %v", len(raw), m.Files, m.Flaws)
		}
	}
}

func checkClean(t *testing.T, m *Message) {
	t.Helper()
	checkStrings(t, m)
	checkHTML(t, m.HTML)
}

// checkStrings holds R19 to R22 for all that was read.
func checkStrings(t *testing.T, m *Message) {
	t.Helper()
	see := func(s string) {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			t.Errorf("R19: %.100q", s)
		}
	}
	for _, s := range append([]string{m.Text, m.HTML, m.Type, m.Header.Text("Subject", 250)}, m.Flaws...) {
		see(s)
	}
	for _, f := range m.Header {
		see(f.Value)
		if strings.ContainsAny(f.Value, "\r\n") {
			t.Errorf("R20: a line break in %q", f.Value)
		}
	}
	for _, f := range m.Files {
		see(f.Name)
		see(f.ContentID)
		if strings.ContainsAny(f.Name, "/\\\n") {
			t.Errorf("R22: %q", f.Name)
		}
	}
	if m.Report != nil {
		for _, r := range m.Report.Recipients {
			see(r.Address + r.Action + r.Status + r.Diagnostic)
		}
	}
	for _, n := range m.Nested {
		see(n.Text + n.Subject + n.Date)
	}
}

func seeds(f *testing.F) [][]byte {
	files, err := filepath.Glob("../testdata/*.eml")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	var all [][]byte
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, b)
	}
	return append(all, seventh()...)
}

// seventh is every seventh mail of the conformance table.
func seventh() (raws [][]byte) {
	for i, raw := range fixtures.Raws() {
		if i%7 == 0 {
			raws = append(raws, raw)
		}
	}
	return raws
}

func FuzzRead(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := Read(bytes.NewReader(raw), int64(len(raw)), untimed)
		if m.Err != nil && m.Err != ErrHeaderTooLarge {
			t.Fatal(m.Err)
		}
		checkClean(t, m)
		for _, file := range m.Files {
			if file.Open == nil {
				continue
			}
			r, err := file.Open()
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.New()
			if n, _ := io.Copy(sum, r); n != file.Size || [32]byte(sum.Sum(nil)) != file.SHA256 {
				t.Errorf("%s: opened otherwise than hashed", file.Name)
			}
		}
		if again := Read(bytes.NewReader(raw), int64(len(raw)), untimed); !reflect.DeepEqual(again.Text, m.Text) || again.HTML != m.HTML {
			t.Error("read otherwise the second time")
		}
	})
}

func FuzzAddresses(f *testing.F) {
	for _, s := range []string{"a@b.example", `"x" <a@b.example>, c@d.example`, "g: a@b;", `<@r:a@b>`, "=?utf-8?q?a=40b?= <c@d>", `"\"`, "(((", "ø@å.example"} {
		f.Add(s)
	}
	for _, b := range seeds(f) {
		h := Read(bytes.NewReader(b), int64(len(b)), DefaultLimits).Header
		f.Add(h.First("From"))
		f.Add(h.First("Cc"))
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, a := range ParseAddresses(s, 40) {
			if Normal(a.Address) != a.Address {
				t.Errorf("R30: %q is not normal: %q", a.Address, Normal(a.Address))
			}
			if a.Name != Clean(a.Name, nameRunes) || !utf8.ValidString(a.Name) {
				t.Errorf("R21: %q", a.Name)
			}
			if strings.ContainsAny(a.Address, "\r\n\x00") {
				t.Errorf("%q", a.Address)
			}
		}
	})
}

func FuzzHeaderText(f *testing.F) {
	for _, s := range []string{"=?utf-8?q?a?=", "=?utf-8?b?cvhk?= =?utf-8?b?cvhk?=", "=?iso-2022-jp?b?GyRC?=", "=?=?=?q?", "a\r\n b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Header{{"Subject", repairUTF8([]byte(s))}}.Text("subject", 250)
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\x00\r\n\u202e\u2066") || utf8.RuneCountInString(got) > 250 || got != Clean(got, 250) {
			t.Errorf("R21: %q", got)
		}
	})
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"<p>a", "<a href=javascript:x>", "<svg><style><img src=x onerror=y>", "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=x&gt;\">", "<p style=\"color:red;background:url(x)\">", "<noscript><p title=\"</noscript><img src=x onerror=y>\">", "<table><td><table>", "<form><math><mtext></form><form><mglyph><style></math><img src onerror=x>", "<select><b>x", "<template><p>x"} {
		f.Add(s)
	}
	for _, h := range hostileHTML {
		f.Add(h.html)
	}
	for _, b := range seeds(f) {
		if _, body, ok := bytes.Cut(b, []byte("\r\n\r\n")); ok && bytes.Contains(body, []byte("<p")) {
			f.Add(string(body))
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		m := readWith("Content-Type: text/html; charset=utf-8\r\n\r\n"+s, untimed)
		checkClean(t, m)
	})
}
