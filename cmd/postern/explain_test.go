package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const plainMail = "From: Anna <anna@customer.example>\r\nTo: desk+abcdefghijklmnopqrst@example.org\r\nSubject: Re: [CASE-10001] it is broken (see INC-77)\r\n" +
	"Date: Mon, 02 Nov 2026 10:00:00 +0100\r\nMessage-ID: <m2@customer.example>\r\nIn-Reply-To: <m1@example.org>\r\n\r\n#status resolved\r\nIt works again.\r\n"

// hostile are files that somebody may find in a folder of mail.
func hostile() map[string]string {
	deep := "Content-Type: multipart/mixed; boundary=b0\r\n\r\n"
	for i := range 400 {
		deep += fmt.Sprintf("--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n", i, i+1)
	}
	return map[string]string{
		"empty.eml":      "",
		"nul.eml":        "Subject: a\x00b\r\n\r\n\x00\xff\xfe",
		"binary.bin":     "\x7fELF\x00\x01\x02\xff\xff",
		"header.eml":     "Subject: " + strings.Repeat("x", 2<<20) + "\r\n\r\nbody",
		"no-header.txt":  "just some text\nwithout any header",
		"deep.eml":       deep,
		"escape.eml":     "Subject: \x1b]0;owned\x07hello\r\n\r\n\x1b[2J\u202egone",
		"encoded.eml":    "Subject: =?utf-8?b?////?= =?nope?q?x?=\r\nContent-Transfer-Encoding: 8-bit\r\nContent-Type: text/plain; charset=klingon\r\n\r\nx",
		"open.eml":       "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nnot closed",
		"two\nlines.eml": plainMail,
		"box.mbox":       "From anna@customer.example Mon Nov  2 10:00:00 2026\n" + plainMail + "\nFrom bo@customer.example Mon Nov  2 10:00:00 2026\nSubject: second\n\ntext\n",
	}
}

func TestExplain_saysSomethingOfEveryFile(t *testing.T) {
	dir := t.TempDir()
	want := 0
	for name, text := range hostile() {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		want++
	}
	code, stdout, stderr := typed(t, "", "explain", "--json", dir)
	if code != done {
		t.Errorf("got %d, %s", code, stderr)
	}
	lines := 0
	for line := range strings.Lines(stdout) {
		lines++
		var got map[string]any
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("line %d is no JSON: %v", lines, err)
		}
		for _, key := range strings.Fields("file class assurance subject from from_name to cc reply_to date message_id in_reply_to references text reply html attachments dsn forwarded commands evidence decision trace") {
			if _, there := got[key]; !there {
				t.Errorf("%v: no %s", got["file"], key)
			}
		}
		if got["class"] == "" {
			t.Errorf("%v: no class", got["file"])
		}
	}
	if lines != want {
		t.Errorf("got %d objects, want %d", lines, want)
	}
	if _, text, _ := typed(t, "", "explain", dir); strings.ContainsAny(text, "\x1b\x07\x00\u202e") {
		t.Error("what a mail holds reaches the terminal as it is")
	}
}

func TestExplain_onePlainMail(t *testing.T) {
	code, stdout, stderr := typed(t, plainMail, "explain", "--json", "-")
	var got struct {
		File, Class, From, Subject, Date, Text string
		MessageID                              string `json:"message_id"`
		Commands                               []string
		Evidence, Trace                        []struct{ Rule, Says string }
		Decision                               any
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != done {
		t.Fatalf("got %d, %v, %s", code, err, stderr)
	}
	if got.File != "-" || got.Class != "human" || got.From != "anna@customer.example" || got.Date != "2026-11-02T09:00:00Z" || got.Decision != nil {
		t.Errorf("got %+v", got)
	}
	if len(got.Commands) != 1 || got.Commands[0] != "#status resolved" {
		t.Errorf("commands: got %v", got.Commands)
	}
	var signs []string
	for _, s := range got.Evidence {
		signs = append(signs, s.Rule+" "+s.Says)
	}
	want := "R34 (a) a reply token at desk@example.org|R34 (b, c) In-Reply-To m1@example.org|R34 (d) [CASE-10001] in the subject|R34 (e) INC-77 in the subject"
	if strings.Join(signs, "|") != want {
		t.Errorf("evidence: got %s", strings.Join(signs, "|"))
	}
	if strings.Contains(stdout, "abcdefghijklmnopqrst in") {
		t.Error("a token stands in the evidence")
	}
}

func TestExplain_goesOnAfterAFileThatCannotBeRead(t *testing.T) {
	good := written(t, "good.eml", plainMail)
	missing := filepath.Join(t.TempDir(), "missing.eml")
	code, stdout, stderr := typed(t, "", "explain", "--json", missing, good)
	if code != failed || !strings.Contains(stderr, "missing.eml") {
		t.Errorf("got %d, %s", code, stderr)
	}
	lines := strings.Split(stdout, "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], `{"file":"`+missing+`","error":"`) || !strings.Contains(lines[1], `"class":"human"`) {
		t.Errorf("got %s", stdout)
	}
}

func TestExplain_showsWhatProvesAndCites(t *testing.T) {
	raw := "DKIM-Signature: v=1; d=customer.example; s=x\r\nAuthentication-Results: mx.example; dmarc=pass\r\n" + plainMail
	_, stdout, _ := typed(t, raw, "explain", "--json", "-")
	t.Run("R67/signs of assurance stand in the evidence", func(t *testing.T) {
		for _, want := range []string{`{"rule":"R31","says":"a DKIM signature of \"customer.example\""}`, `{"rule":"R32","says":"Authentication-Results: mx.example; dmarc=pass"}`} {
			if !strings.Contains(stdout, want) {
				t.Errorf("no %s in %s", want, stdout)
			}
		}
	})
	t.Run("R67/a mail beyond the limit is read by its header block", func(t *testing.T) {
		path := written(t, "huge.eml", plainMail)
		if err := os.Truncate(path, 2<<30); err != nil {
			t.Fatal(err)
		}
		code, stdout, stderr := typed(t, "", "explain", "--json", path)
		if code != done || strings.Count(stdout, "\n") != 1 || !strings.Contains(stdout, `"from":"anna@customer.example"`) || !strings.Contains(stdout, "2048 MiB are more than is taken") {
			t.Errorf("got %d, %.500s, %s", code, stdout, stderr)
		}
	})
	t.Run("R67/an mbox that is named is one line a mail", func(t *testing.T) {
		code, stdout, stderr := typed(t, "", "explain", "--json", written(t, "box", hostile()["box.mbox"]))
		if code != done || strings.Count(stdout, "\n") != 2 || !strings.Contains(stdout, `box#2"`) {
			t.Errorf("got %d, %s, %s", code, stdout, stderr)
		}
	})
}

// arbitrary fills a folder with files as nobody would make them on purpose, and
// says how many they are.
func arbitrary(t *testing.T, dir string) (n int) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	mails, err := filepath.Glob("../../mailin/testdata/*.eml")
	if err != nil || len(mails) == 0 {
		t.Fatal(mails, err)
	}
	write := func(raw []byte) string {
		t.Helper()
		name := filepath.Join(dir, fmt.Sprint(n%7), fmt.Sprintf("%05d", n))
		n++
		err := os.MkdirAll(filepath.Dir(name), 0o700)
		if err == nil {
			err = os.WriteFile(name, raw, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return name
	}
	noise := func(size int) []byte {
		b := make([]byte, size)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	for range 500 {
		write(noise(random.IntN(3000)))
	}
	for i := range 2500 { // mutated mails
		raw, err := os.ReadFile(mails[i%len(mails)])
		if err != nil {
			t.Fatal(err)
		}
		for range random.IntN(20) {
			if len(raw) == 0 {
				break
			}
			at := random.IntN(len(raw))
			switch random.IntN(4) {
			case 0:
				raw[at] = byte(random.Uint32())
			case 1:
				raw = raw[:at]
			case 2:
				raw = slices.Insert(raw, at, noise(1+random.IntN(40))...)
			case 3:
				raw = slices.Concat(raw[:at], raw[at/2:])
			}
			raw = raw[:min(len(raw), 1<<20)]
		}
		write(raw)
	}
	head := "From: Anna <anna@customer.example>\r\nSubject: large\r\n"
	for _, huge := range []string{
		head + "\r\n" + strings.Repeat("It burns. ", 3_900_000),
		head + "\r\n" + strings.Repeat("> \r\n", 9_000_000),
		head + "Content-Type: text/html\r\n\r\n" + strings.Repeat("<div>", 2_000_000),
		head + "Content-Transfer-Encoding: base64\r\nContent-Type: application/pdf\r\n\r\n" + strings.Repeat("QUFB", 9_000_000),
		strings.Repeat("X: y\r\n", 5_000_000),
		head + "To: " + strings.Repeat("a@b.example, ", 2_000_000) + "\r\n\r\n",
		"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + strings.Repeat("--x\r\n\r\n", 4_000_000),
		line2000 + strings.Repeat(line2000, 20_000),
	} {
		write([]byte(huge))
	}
	for _, begin := range []string{"", head + "\r\n", "From a@b.example Mon Nov  2 10:00:00 2026\n"} {
		if err := os.Truncate(write([]byte(begin)), 2<<30); err != nil { // sparse: no disk is used
			t.Fatal(err)
		}
	}
	return n
}

var line2000 = "From a@b.example Mon Nov  2 10:00:00 2026\n" + strings.Repeat("x", 1950) + "\n\n"

// mostMemory is far above what it takes, and far below the sum of what it reads.
// The race detector alone multiplies it.
const mostMemory = 600 << 20

func TestExplain_thousandsOfArbitraryFiles(t *testing.T) {
	dir := t.TempDir()
	want := arbitrary(t, dir)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// standard input stays open: the program still runs when it has explained
	// the folder, so that its peak can be read
	child := exec.CommandContext(t.Context(), program, "explain", "--json", dir, "-")
	child.Env = append(os.Environ(), "POSTERN_TEST_MAIN=1")
	stdin, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	child.Stderr = &stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReaderSize(stdout, 1<<20)
	var names []string
	for range want {
		text, err := in.ReadBytes('\n')
		var got struct{ File, Class, Error string }
		if err == nil {
			err = json.Unmarshal(text, &got)
		}
		if err != nil || got.Class == "" || got.Error != "" {
			t.Fatalf("line %d: %v, %+v, %s", len(names), err, got, stderr.String())
		}
		names = append(names, got.File)
	}
	t.Run("R67/in bounded memory", func(t *testing.T) {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", child.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
		if found == nil {
			t.Fatalf("no peak in %s", status)
		}
		peak, _ := strconv.Atoi(string(found[1]))
		t.Logf("%d MiB at the peak", peak>>10)
		if peak<<10 > mostMemory {
			t.Errorf("%d MiB at the peak", peak>>10)
		}
	})
	stdin.Close()
	rest, err := io.ReadAll(in)
	if end := child.Wait(); err != nil || end != nil {
		t.Fatalf("%v, %v: %s", err, end, stderr.String())
	}
	t.Run("R67/one line a file, in the order of names", func(t *testing.T) {
		if !slices.IsSorted(names) || strings.Count(string(rest), "\n") != 1 || stderr.Len() > 0 {
			t.Errorf("sorted: %v, then %s, %s", slices.IsSorted(names), rest, stderr.String())
		}
	})
}

func TestExplain_aMailThatAsks(t *testing.T) {
	mail := func(to, subject, kind, body string) string {
		return "From: Mia <mia@example.org>\r\nTo: " + to + "\r\nSubject: " + subject + "\r\nDate: Mon, 02 Nov 2026 10:00:00 +0100\r\n" +
			"Content-Type: " + kind + "; charset=utf-8\r\nMessage-ID: <q@example.org>\r\n\r\n" + body
	}
	for name, c := range map[string]struct{ mail, want string }{
		"R67/to the command address":             {mail("desk+command@example.org", "x", "text/plain", "list mine\r\n\r\nMia\r\n"), "a query, at the command address: list mine"},
		"R67/by the subject":                     {mail("desk+command@example.org", "list mine", "text/plain", ""), "a query, at the command address: list mine"},
		"R67/to the desk, and nothing else":      {mail("desk@example.org", "x", "text/plain", "list mine\r\nshow CASE-1\r\n-- \r\nMia\r\n"), "a query, if it names no case: list mine; show CASE-1"},
		"R43/in HTML only":                       {mail("desk+command@example.org", "x", "text/html", "<p>list <b>mine</b></p><p>show CASE-1</p>"), "a query, at the command address: list mine; show CASE-1"},
		"R43/to the desk with a text below":      {mail("desk@example.org", "x", "text/plain", "list mine\r\nand more\r\n"), ""},
		"R43/in quotes only":                     {mail("desk+command@example.org", "x", "text/plain", "> list mine\r\n> show CASE-1\r\n"), ""},
		"R43/quoted below a sentence":            {mail("desk+command@example.org", "x", "text/plain", "Hello\r\n\r\nOn Mon, 2 Nov 2026 at 10:00, Desk <desk@example.org> wrote:\r\n> list mine\r\n"), ""},
		"R43/a subject of a mail that says more": {mail("desk@example.org", "list mine", "text/plain", "my printer burns"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := typed(t, c.mail, "explain", "-")
			if code != done || strings.Contains(stdout, "a query") != (c.want != "") || !strings.Contains(stdout, c.want) {
				t.Errorf("%d, %s%s", code, stdout, stderr)
			}
		})
	}
}
