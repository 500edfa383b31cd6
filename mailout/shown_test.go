package mailout

import (
	"net/url"
	"strings"
	"testing"

	"postern/core"
)

func TestNotice_itsLinksAreMailsWrittenAlready(t *testing.T) {
	const desk, public, internal = "support@example.org", "support+abcdefghijklmnopqrst@example.org", "support+zyxwvutsrqponmlkjihg@example.org"
	for _, test := range []struct {
		name              string
		kind              core.Kind
		replyTo, internal string
		status, note      string // where they go
		noteSays          string
	}{
		{"R42/with plus addresses", core.NoticeNew, public, internal, public, internal, ""},
		{"R33/without them the subject carries the case", core.NoticeComment, desk, "", desk, desk, "#note\r\n"},
		{"R40/of a note: a status is set in public", core.NoticeNote, internal, internal, desk, internal, ""},
		{"R33/of a note without plus addresses", core.NoticeNote, desk, "", desk, desk, "#note\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newComposer(t)
			l := Sample(test.kind, "en")
			l.ReplyTo, l.Internal = test.replyTo, test.internal
			_, plain, rich, err := c.Words(l)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]*url.URL{}
			for line := range strings.Lines(plain) {
				if label, link := labelled(strings.TrimSpace(line)); strings.HasPrefix(link, "mailto:") {
					if got[label], err = url.Parse(link); err != nil || strings.ContainsAny(link, " \"<>") {
						t.Errorf("%q: %v", link, err)
					}
					if !strings.Contains(rich, strings.ReplaceAll(link, "&", "&amp;")) {
						t.Errorf("no such link in the HTML: %s", link)
					}
				}
			}
			for label, want := range map[string][2]string{
				"Resolved": {test.status, "#status resolved\r\n"}, "Need input": {test.status, "#status need-input\r\n"},
				"Assign to me": {test.status, "#assign me\r\n"}, "Note": {test.note, test.noteSays},
			} {
				u := got[label]
				if u == nil || u.Opaque != want[0] || u.Query().Get("subject") != "[CASE-10123]" || u.Query().Get("body") != want[1] {
					t.Errorf("%s: %v", label, u)
				}
			}
		})
	}
}

func TestMailto_holdsWhateverItIsGiven(t *testing.T) {
	v := &view{Number: "UFSTONB2-3144"}
	for _, test := range []struct{ to, line, want string }{
		{"a@b.example", "#status x", "mailto:a@b.example?subject=%5BUFSTONB2-3144%5D&body=%23status%20x%0D%0A"},
		{"a&b?c#d+e@b.example", "", "mailto:a%26b%3Fc%23d+e@b.example?subject=%5BUFSTONB2-3144%5D"},
		{"a@b.example", "sluiten & klaar + ü\"<>", "mailto:a@b.example?subject=%5BUFSTONB2-3144%5D&body=sluiten%20%26%20klaar%20%2B%20%C3%BC%22%3C%3E%0D%0A"},
		{"", "x", ""},
	} {
		if got := v.mailto(test.to, test.line); got != test.want {
			t.Errorf("%s\nwant %s", got, test.want)
		}
	}
	if got := (&view{}).mailto("a@b.example", "x"); got != "mailto:a@b.example?body=x%0D%0A" {
		t.Errorf("of no case: %s", got)
	}
}

// A word that a button covers is not a second way to do the same.
func TestWords_areLinksWhereNoButtonIs(t *testing.T) {
	c := newComposer(t)
	l := Sample(core.Answer, "en")
	l.Payload.Links = l.Payload.Links[:1]
	_, _, rich, err := c.Words(l)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(rich, ">CLOSE</a>") || !strings.Contains(rich, `body=DISAGREE%0D%0A" style="color:#1a56c4">DISAGREE</a>`) {
		t.Error(rich)
	}
	_, _, rich, err = c.Words(Sample(core.HeldList, "en"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(rich, "mailto:") {
		t.Error("words that need a number are links")
	}
}

func TestBeginning(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"short text stays", "one\ntwo", "one\ntwo"},
		{"twelve lines stay", strings.Repeat("x\n", 11) + "x", strings.Repeat("x\n", 11) + "x"},
		{"thirteen lines are cut", strings.Repeat("x\n", 12) + "y", strings.Repeat("x\n", 12) + "..."},
		{"a long line is cut between words", strings.Repeat("word ", 200), strings.TrimSpace(strings.Repeat("word ", 180)) + "\n..."},
		{"a word without end is cut in it", strings.Repeat("ü", 901), strings.Repeat("ü", 900) + "\n..."},
		{"nothing stays nothing", "", ""},
	} {
		t.Run("R51/"+test.name, func(t *testing.T) {
			if got := beginning(test.text, saidLines, saidRunes); got != test.want {
				t.Errorf("%q", got)
			}
		})
	}
}
