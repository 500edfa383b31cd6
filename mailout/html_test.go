package mailout

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"postern/core"
)

var update = flag.Bool("update", false, "write the golden mails anew")

// What people get, word by word: a change of a template or of the HTML shows
// here, to be looked at. go test ./mailout -run Golden -update writes them.
func TestGolden(t *testing.T) {
	c := newComposer(t)
	for _, lang := range c.Languages() {
		for _, k := range kinds {
			t.Run(string(k)+"."+lang, func(t *testing.T) {
				subject, plain, rich, err := c.Words(Sample(k, lang))
				if err != nil {
					t.Fatal(err)
				}
				for ending, got := range map[string]string{".txt": "Subject: " + subject + "\n\n" + plain, ".html": rich} {
					path := filepath.Join("testdata", "golden", string(k)+"."+lang+ending)
					if *update {
						if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
							t.Fatal(err)
						}
						continue
					}
					want, err := os.ReadFile(path)
					if err != nil {
						t.Fatal(err)
					}
					if got != string(want) {
						t.Errorf("%s is not what it was:\n%s", path, got)
					}
				}
			})
		}
	}
}

// words are the words of a text, whatever stands between them.
var wordPattern = regexp.MustCompile(`[\pL\pN]+`)

// TestHTML_saysWhatTheTextSays holds that no template loses or adds a word on
// its way to HTML.
func TestHTML_saysWhatTheTextSays(t *testing.T) {
	c := newComposer(t)
	for _, k := range kinds {
		for name, l := range map[string]core.Letter{"a sample": Sample(k, "en"), "all there is": full(k, "en"), "hardly anything": minimal(k, "en")} {
			t.Run("R57/"+string(k)+", "+name, func(t *testing.T) {
				_, plain, rich, err := c.Words(l)
				if err != nil {
					t.Fatal(err)
				}
				var shown strings.Builder
				doc, err := html.Parse(strings.NewReader(rich))
				if err != nil {
					t.Fatal(err)
				}
				var walk func(n *html.Node)
				links := ""
				walk = func(n *html.Node) {
					if n.Type == html.ElementNode && n.Data == "style" {
						return
					}
					if n.Type == html.TextNode {
						shown.WriteString(n.Data + " ")
					}
					if n.Data == "a" {
						for _, a := range n.Attr {
							if a.Key == "href" {
								links += " " + a.Val
							}
						}
					}
					for c := n.FirstChild; c != nil; c = c.NextSibling {
						walk(c)
					}
				}
				walk(doc)
				in := map[string]int{}
				for _, w := range wordPattern.FindAllString(shown.String(), -1) {
					in[w]++
				}
				for _, line := range strings.Split(plain, "\n") {
					if i := strings.Index(line, "mailto:"); i >= 0 {
						if !strings.Contains(links, strings.TrimSpace(line[i:])) {
							t.Errorf("no link for %q", line)
						}
						line = line[:i]
					}
					if i := strings.Index(line, "https://"); i >= 0 && !strings.Contains(line[i:], " ") { // a button shows its label
						if !strings.Contains(links, strings.TrimSpace(line[i:])) {
							t.Errorf("no link for %q", line)
						}
						line = line[:i]
					}
					for _, w := range wordPattern.FindAllString(line, -1) {
						if in[w] == 0 {
							t.Errorf("%q is missing: %q", w, line)
						}
						in[w]--
					}
				}
			})
		}
	}
}

func TestHTML_isSafe(t *testing.T) {
	c := newComposer(t)
	const bad = `<script>alert(1)</script>"><img src=x onerror=alert(1)>` + "\x02\x03\x04\x01text\x01" + ` javascript:alert(1) &lt;b&gt; ${x}`
	for _, k := range kinds {
		t.Run("R57/"+string(k), func(t *testing.T) {
			l := full(k, "en")
			l.To.Name, l.Text = bad, "Look: "+bad+"\n  https://evil.example/?a=\"><script>\n> "+bad
			p := &l.Payload
			p.Title, p.Actor, p.Customer, p.Company, p.Desk, p.Contact = bad, bad, bad, bad, bad, bad+"\n"+bad
			p.Status, p.Means, p.Was, p.Reason, p.Lines = bad, bad, bad, bad, []string{bad}
			p.Words = []core.Word{{Word: bad, Does: bad}}
			p.Items = []core.Waiting{{Number: "CASE-1", Title: bad, Text: bad}}
			l.Files = []core.LetterFile{{Name: bad, Size: 1}}
			_, plain, rich, err := c.Words(l)
			if err != nil {
				t.Fatal(err)
			}
			if strings.ContainsAny(plain+rich, "\x01\x02\x03\x04") {
				t.Error("a mark of the templates is left")
			}
			z := html.NewTokenizer(strings.NewReader(rich))
			for z.Next() != html.ErrorToken {
				tag := z.Token()
				if tag.Type != html.StartTagToken && tag.Type != html.SelfClosingTagToken {
					continue
				}
				switch tag.Data {
				case "script", "img", "iframe", "form", "link", "object":
					t.Errorf("<%s>", tag.Data)
				}
				for _, a := range tag.Attr {
					if strings.HasPrefix(a.Key, "on") || a.Key == "href" && !strings.HasPrefix(a.Val, "https://") && !strings.HasPrefix(a.Val, "mailto:support+") {
						t.Errorf("<%s %s=%q>", tag.Data, a.Key, a.Val)
					}
				}
			}
			if strings.Contains(rich, "url(") || strings.Contains(rich, "background-image") || strings.Contains(rich, "http://") {
				t.Error("something outside is loaded")
			}
		})
	}
}

func TestWords_oneNoticeIsNotCounted(t *testing.T) {
	c := newComposer(t)
	for _, lang := range c.Languages() {
		l := Sample(core.Digest, lang)
		for n, counted := range map[int]bool{1: false, 2: true} {
			l.Payload.Items = make([]core.Waiting, n)
			subject, _, _, err := c.Words(l)
			if err != nil {
				t.Fatal(err)
			}
			if strings.ContainsAny(subject, "12") != counted {
				t.Errorf("R47/%s, %d: %q", lang, n, subject)
			}
		}
	}
}
