package mailout

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"

	"postern/core"
)

// hostileCases are names and titles as nobody should have them.
var hostileCases = map[string]string{
	"line breaks":     "a\r\nlist open\r\n\r\n> b",
	"marks":           "\x01text\x01 \x02\x03\x04 \x050\x05 \x05",
	"HTML":            `<script>alert(1)</script>"><img src=x onerror=alert(1)>`,
	"pipes, markdown": "| a | b |\n|---|---|\n**c** `d` [e](javascript:alert(1))",
	"500 characters":  strings.Repeat("x", 500),
	"500 words":       strings.Repeat("word ", 500),
	"wide letters":    strings.Repeat("\u6253\u5370\u673a ", 100),
	"templates":       "{{.Case}} {{template \"page\" .}} %s%!d",
	"a rule":          strings.Repeat("-", 60),
	"nothing":         "",
}

func TestQueries_ofHostileNames(t *testing.T) {
	c := newComposer(t)
	at := time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)
	for name, bad := range hostileCases {
		for _, k := range []core.Kind{core.Worklist, core.CaseSheet, core.Morning} {
			t.Run("R57/"+name+" in a "+string(k), func(t *testing.T) {
				l := full(k, "en")
				item := core.CaseItem{Number: "CASE-10002", Title: bad, Status: bad, Priority: bad, Customer: bad, Company: bad, Owner: bad, Changed: at, Due: at}
				l.Payload.Unread = bad
				l.Payload.Answers = []core.QueryAnswer{
					{Verb: "list", Cases: []core.CaseItem{item, item}},
					{Verb: "search", Line: bad},
					{Verb: "history", Sheet: &core.Sheet{CaseItem: item, Means: bad, Type: bad, Participants: []string{bad}, Entries: []core.SheetEntry{
						{Kind: "comment", At: at, Author: bad, Text: bad, Marks: []string{bad}},
						{Kind: "event", At: at, Author: bad, Event: "auto-reply", Was: bad, Became: bad, Why: bad},
					}}},
					{Verb: "list", Cases: []core.CaseItem{item}},
				}
				if k == core.Morning {
					l.Payload.Answers = []core.QueryAnswer{l.Payload.Answers[0], l.Payload.Answers[3]}
				}
				_, plain, rich, err := c.Words(l)
				if err != nil {
					t.Fatal(err)
				}
				if strings.ContainsAny(plain+rich, "\x01\x02\x03\x04\x05") {
					t.Errorf("a mark of the templates is left: %q", plain)
				}
				if n := strings.Count(rich, "body=show"); n < 3 {
					t.Errorf("%d of three cases are shown by a press", n)
				}
				rows := 0
				for _, line := range strings.Split(plain, "\n") {
					if strings.HasPrefix(line, "CASE-10002  ") {
						rows++
						if n := utf8.RuneCountInString(line); n > textWidth {
							t.Errorf("%d characters: %s", n, line)
						}
					}
				}
				if rows != 3 {
					t.Errorf("%d rows in\n%s", rows, plain)
				}
				z := html.NewTokenizer(strings.NewReader(rich))
				for z.Next() != html.ErrorToken {
					tag := z.Token()
					if tag.Data == "script" || tag.Data == "img" {
						t.Errorf("%v", tag)
					}
					for _, a := range tag.Attr {
						if a.Key == "href" && !strings.HasPrefix(a.Val, "https://desk.example/") && !strings.HasPrefix(a.Val, "mailto:support+") || strings.HasPrefix(a.Key, "on") {
							t.Errorf("%v", a)
						}
					}
				}
				compose(t, l)
			})
		}
	}
}

// What the desk asks to be answered by lines shows nothing of others at the
// beginning of one: quoted by a mail program without a mark it could be taken
// for the reader's.
func TestQueries_noLineBeginsWithWhatOthersWrote(t *testing.T) {
	l := full(core.Worklist, "en")
	l.Payload.Answers = []core.QueryAnswer{{Verb: "list", Cases: []core.CaseItem{{Number: "CASE-10002", Title: strings.Repeat("release ", 12),
		Customer: "release 12 release 13 release 14", Status: "Open"}}}}
	_, plain, _, err := newComposer(t).Words(l)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("R43/in a table", func(t *testing.T) {
		if strings.Count(plain, "release") != 15 || strings.Contains(plain, "\nrelease") {
			t.Error(plain)
		}
	})
}
