package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"postern/mailin/fixtures"
)

// explained is one object of explain --json, as far as the table speaks of it.
type explained struct {
	fixtures.Want
	Evidence []struct{ Rule, Says string }
}

// What a user runs over a folder, held against the table that made the folder's
// mails.
func TestConformance(t *testing.T) {
	const dir = "../../mailin/testdata/conformance"
	code, stdout, stderr := typed(t, "", "explain", "--json", dir)
	if code != done || stderr != "" {
		t.Fatalf("got %d, %s", code, stderr)
	}
	said := map[string]explained{}
	for line := range strings.Lines(stdout) {
		var e explained
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(e.File)
		if _, twice := said[name]; twice {
			t.Errorf("%s is explained twice", name)
		}
		said[name] = e
	}
	for _, f := range fixtures.All() {
		name := f.Name
		if f.Rule != "" {
			name = f.Rule + "/" + name
		}
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join(dir, f.Name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			var want fixtures.Want
			if err := json.Unmarshal(b, &want); err != nil {
				t.Fatal(err)
			}
			got, ok := said[want.File]
			if !ok {
				t.Fatal("explain says nothing of it")
			}
			compare(t, got, want)
		})
	}
}

func compare(t *testing.T, got explained, want fixtures.Want) {
	same := func(key string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			g, _ := json.Marshal(got)
			w, _ := json.Marshal(want)
			t.Errorf("%s\n got %s\nwant %s", key, g, w)
		}
	}
	read := func(s string) string { return s }
	if want.AsSeen {
		read = asSeen
	}
	same("class", got.Class, want.Class)
	same("assurance", got.Assurance, want.Assurance)
	same("subject", got.Subject, want.Subject)
	same("from", got.From, want.From)
	same("from_name", got.FromName, want.FromName)
	same("to", got.To, want.To)
	same("cc", got.Cc, want.Cc)
	same("reply_to", got.ReplyTo, want.ReplyTo)
	same("date", got.Date, want.Date)
	same("message_id", got.MessageID, want.MessageID)
	same("in_reply_to", got.InReplyTo, want.InReplyTo)
	same("references", got.References, want.References)
	same("text", read(got.Text), read(want.Text))
	same("reply", read(got.Reply), read(want.Reply))
	same("attachments", got.Attachments, want.Attachments)
	same("commands", got.Commands, want.Commands)
	same("decision", got.Decision, want.Decision)
	if got.Forwarded != nil && want.Forwarded != nil {
		got.Forwarded.Text, want.Forwarded.Text = read(got.Forwarded.Text), read(want.Forwarded.Text)
	}
	same("forwarded", got.Forwarded, want.Forwarded)
	if got.DSN != nil && want.DSN != nil && want.DSN.DiagnosticHas != nil {
		for i, status := range want.DSN.Status {
			if strings.HasSuffix(status, ".") && i < len(got.DSN.Status) && strings.HasPrefix(got.DSN.Status[i], status) {
				want.DSN.Status[i] = got.DSN.Status[i]
			}
		}
		for i, part := range want.DSN.DiagnosticHas {
			if i >= len(got.DSN.Diagnostic) || !strings.Contains(got.DSN.Diagnostic[i], part) {
				t.Errorf("dsn.diagnostic %q holds no %q", got.DSN.Diagnostic, part)
			}
		}
		want.DSN.Diagnostic, want.DSN.DiagnosticHas = got.DSN.Diagnostic, nil
	}
	same("dsn", got.DSN, want.DSN)
	switch {
	case got.HTML == nil:
		t.Error("no html")
	case want.HTML != nil:
		same("html", *got.HTML, *want.HTML)
	default:
		for _, s := range want.HTMLHas {
			if !strings.Contains(*got.HTML, s) {
				t.Errorf("html %q holds no %q", *got.HTML, s)
			}
		}
		for _, s := range want.HTMLLacks {
			if strings.Contains(strings.ToLower(*got.HTML), strings.ToLower(s)) {
				t.Errorf("html %q holds %q", *got.HTML, s)
			}
		}
	}
	var signs []string
	for _, e := range got.Evidence {
		signs = append(signs, e.Says)
	}
	for _, sign := range want.EvidenceHas {
		letter, what, _ := strings.Cut(sign, " ")
		found := false
		for _, s := range signs {
			letters, _, _ := strings.Cut(s, ")")
			found = found || strings.HasPrefix(s, "(") && strings.Contains(letters, letter) && strings.Contains(s, what)
		}
		if !found {
			t.Errorf("evidence %q holds no (%s) of %s", signs, letter, what)
		}
	}
	for _, s := range want.EvidenceLacks {
		if strings.Contains(strings.Join(signs, "\n"), s) {
			t.Errorf("evidence %q holds %s", signs, s)
		}
	}
}

var (
	seenImage = regexp.MustCompile(`!?\[image: [^\]]*\]|!\[[^\]]*\]\([^)]*\)`)
	seenLink  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	seenMarks = regexp.MustCompile(`(?m)^[ \t>]*(?:(?:\* ){2,}\*$|[-*_]{3,}$|\|(?:[-: ]+\|)+$|[-*] |#{1,6} )?`)
	inline    = strings.NewReplacer("**", "", "```", "", "|", " ")
)

// asSeen is text that was HTML as a reader sees it: without the marks that stand
// for quotes, bold, lists, tables and links, in one line.
func asSeen(s string) string {
	s = seenLink.ReplaceAllString(seenImage.ReplaceAllString(s, ""), "$1")
	s = inline.Replace(seenMarks.ReplaceAllString(s, ""))
	return strings.Join(strings.Fields(s), " ")
}
