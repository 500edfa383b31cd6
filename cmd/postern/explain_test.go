package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
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
	want++ // the mbox holds two
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
	code, stdout, stderr := typed(t, "", "explain", "--json", filepath.Join(t.TempDir(), "missing.eml"), good)
	if code != failed || strings.Count(stdout, "\n") != 1 || !strings.Contains(stderr, "missing.eml") {
		t.Errorf("got %d, %s, %s", code, stdout, stderr)
	}
}
