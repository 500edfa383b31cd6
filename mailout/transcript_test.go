package mailout

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"postern/core"
)

// transcriptCodes are the codes that core gives to the templates, as its source
// holds them.
func transcriptCodes(t *testing.T, pattern string) (codes []string) {
	t.Helper()
	files, err := os.ReadDir("../core")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		source, err := os.ReadFile("../core/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(source), -1) {
			if !slices.Contains(codes, m[1]) {
				codes = append(codes, m[1])
			}
		}
	}
	if len(codes) < 30 {
		t.Fatalf("only %q", codes)
	}
	return codes
}

func TestTranscript_everyProblemHasASentenceInEveryLanguage(t *testing.T) {
	c := newComposer(t)
	codes := append(transcriptCodes(t, `(?:wrong\{code: |noWay\([a-z.]+, |code = )"([a-z-]+[a-z])"`), "needs-comment", "needs-reason")
	for _, lang := range []string{"en", "nl", "da", "nb", "de"} {
		for _, code := range codes {
			t.Run("R43/"+lang+" "+code, func(t *testing.T) {
				l := Sample(core.Transcript, lang)
				l.Payload.Changes, l.Undo, l.Payload.Reason = nil, "", "refused"
				l.Payload.Problems = []core.Problem{{Line: "#line", Code: code, Name: "NAME", What: "owner", Meant: []string{"MEANT"}}}
				_, plain, _, err := c.Words(l)
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(plain, "#line: NAME\n") || strings.Contains(plain, "#line: \n") || !strings.Contains(plain, "#line: ") {
					t.Errorf("no sentence:\n%s", plain)
				}
			})
		}
	}
}

func TestTranscript_everyChangeHasAWordInEveryLanguage(t *testing.T) {
	c := newComposer(t)
	for _, lang := range []string{"en", "nl", "da", "nb", "de"} {
		for _, what := range []string{"status", "owner", "priority", "type", "due", "time", "wakes", "cc-add", "cc-remove", "template", "note", "blocked", "unblocked"} {
			t.Run("R43/"+lang+" "+what, func(t *testing.T) {
				l := Sample(core.Transcript, lang)
				l.Payload.Changes = []core.Change{{What: what, Was: "WAS", Became: "BECAME"}}
				_, plain, _, err := c.Words(l)
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(plain, "  "+what+": ") || strings.Contains(plain, "  "+what+"\n") {
					t.Errorf("no word for it:\n%s", plain)
				}
			})
		}
		for _, field := range []string{"status", "owner", "priority", "type", "due", "time", "cc", "block"} {
			t.Run("R42/"+lang+" left "+field, func(t *testing.T) {
				l := Sample(core.Transcript, lang)
				l.Payload.Reason = "undone"
				l.Payload.Changes = []core.Change{{What: "left", Was: field, Became: "Tom"}, {What: "left", Was: field}}
				_, plain, _, err := c.Words(l)
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(plain, "  "+field+": ") || strings.Count(plain, "Tom") != 1 {
					t.Errorf("no word for it:\n%s", plain)
				}
			})
		}
	}
}

func TestTranscript_helpExplainsEveryCommandInEveryLanguage(t *testing.T) {
	c := newComposer(t)
	for _, lang := range []string{"en", "nl", "da", "nb", "de"} {
		l := Sample(core.Transcript, lang)
		l.Payload.Changes, l.Undo = nil, ""
		l.Payload.Help = &core.Help{Commands: core.Commands(), Aliases: []core.HelpCommand{{Name: "erledigt", Takes: "status resolved"}},
			Statuses: []string{"open", "resolved"}, Agents: []string{"Mia Holm <mia@example.org>"}}
		_, plain, _, err := c.Words(l)
		if err != nil {
			t.Fatal(err)
		}
		t.Run("R43/"+lang, func(t *testing.T) {
			for _, k := range core.Commands() {
				line := "  #" + k.Name
				if k.Takes != "" {
					line += " " + k.Takes
				}
				if !strings.Contains(plain, line+" - ") || strings.Contains(plain, line+" - "+k.Name+"\n") || strings.Contains(plain, line+" - "+k.Name+" (") {
					t.Errorf("#%s is not explained", k.Name)
				}
			}
			for _, want := range []string{"  #erledigt - #status resolved", "open, resolved", "Mia Holm <mia@example.org>"} {
				if !strings.Contains(plain, want) {
					t.Errorf("no %q in\n%s", want, plain)
				}
			}
		})
	}
}

func TestTranscript_historyQuotesWhatOthersWrote(t *testing.T) {
	c := newComposer(t)
	l := Sample(core.Transcript, "en")
	l.History = []core.HistoryEntry{
		{At: l.QueuedAt.Add(-time.Hour), Kind: "description", Author: "Anna Berg", Text: "It stops.\n#close\n\x03<b>"},
		{At: l.QueuedAt, Kind: "event", Author: "Mia Holm", Event: "status", Was: "Open", Became: "Resolved", Why: "two\nlines"},
	}
	_, plain, rich, err := c.Words(l)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("R43/no line of theirs is a command", func(t *testing.T) {
		for _, want := range []string{"Wednesday 4 March 2026 at 09:30, Anna Berg: description\n> It stops.\n> #close\n", "Mia Holm: status: Open -> Resolved (two lines)"} {
			if !strings.Contains(plain, want) {
				t.Errorf("no %q in\n%s", want, plain)
			}
		}
		if strings.Contains(rich, "<b>") {
			t.Error("their text is markup")
		}
	})
}

func TestTranscript_undoIsAMailThatIsWrittenAlready(t *testing.T) {
	c := newComposer(t)
	for name, test := range map[string]struct {
		change func(*core.Letter)
		to     string
	}{
		"to the reply address":                                          {func(*core.Letter) {}, "support+abcdefghijklmnopqrst@example.org"},
		"to the desk where there are none":                              {func(l *core.Letter) { l.ReplyTo, l.Internal = "", "" }, "support@example.org"},
		"never to the address of notes, which is no place for commands": {func(l *core.Letter) { l.ReplyTo = l.Internal }, "support@example.org"},
	} {
		t.Run("R42/"+name, func(t *testing.T) {
			l := Sample(core.Transcript, "en")
			test.change(&l)
			_, plain, rich, err := c.Words(l)
			if err != nil {
				t.Fatal(err)
			}
			link := "mailto:" + test.to + "?subject=%5BCASE-10123%5D&body=%23undo%20abcdefghijkl%0D%0A"
			if !strings.Contains(plain, "  Take it back: "+link) || !strings.Contains(rich, strings.ReplaceAll(link, "&", "&amp;")) {
				t.Errorf("no %s in\n%s", link, plain)
			}
			if !strings.Contains(plain, "#undo abcdefghijkl") {
				t.Errorf("no line to type:\n%s", plain)
			}
		})
	}
}
