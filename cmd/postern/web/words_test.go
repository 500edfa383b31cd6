package web

import (
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"postern/templates"
)

func testLog(t *testing.T) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

func headersOf(h http.Handler, path string) http.Header { return answerOf(h, path).Header }

func cookiesOf(h http.Handler, path string) []*http.Cookie { return answerOf(h, path).Cookies() }

func answerOf(h http.Handler, path string) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Result()
}

var (
	inPage   = regexp.MustCompile(`T "([a-z0-9-]+\.[a-z0-9-]+)"`)
	inCode   = regexp.MustCompile(`"((?:sign-in|code|message|date|held)\.[a-z0-9-]+)"`)
	saysWhat = regexp.MustCompile(`Says(?::|[^"\n]* =)[^"\n]*"([a-z-]+)"`)
	blanks   = regexp.MustCompile(`\{[a-z]+\}`)
)

// wordsInUse are the keys that pages and code ask for.
func wordsInUse(t *testing.T) []string {
	t.Helper()
	var keys []string
	pages, err := fs.Glob(templates.Web, "web/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range pages {
		page, err := templates.Web.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range inPage.FindAllStringSubmatch(string(page), -1) {
			keys = append(keys, m[1])
		}
	}
	sources, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range sources {
		if strings.HasSuffix(f.Name(), "_test.go") || !strings.HasSuffix(f.Name(), ".go") {
			continue
		}
		code, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range inCode.FindAllStringSubmatch(string(code), -1) {
			keys = append(keys, m[1])
		}
		for _, m := range saysWhat.FindAllStringSubmatch(string(code), -1) {
			key := "message." + m[1]
			keys = append(keys, key, key+"-more")
		}
	}
	for _, scope := range []string{"mine", "organisation", "desk"} {
		keys = append(keys, "scope."+scope)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func TestWords_whatPagesSayIsThere(t *testing.T) {
	d, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	keys := wordsInUse(t)
	if len(keys) < 100 {
		t.Fatalf("only %d keys were found in the pages", len(keys))
	}
	for _, lang := range languages {
		for _, key := range keys {
			if _, err := d.byLang[lang].T(key); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestWords_everyMailThatCanBeTurnedOffHasAName(t *testing.T) {
	d, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range []string{"digest", "morning", "reminder"} { // Optional of a letter
		for _, lang := range languages {
			for _, key := range []string{"opt-out-of." + event, "tell." + event} {
				if _, err := d.byLang[lang].T(key); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

func TestWords_whatIsThereIsSaid(t *testing.T) {
	d, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	named := []string{"event", "mark", "sent", "sent-kind", "opt-out-of", "state", "class", "assurance", "held-kind", "held-reason", "held-then", "held-problem", "tell", "tell-how"} // keys of others
	said := wordsInUse(t)
	for _, key := range d.byLang["en"].keys() {
		table, _, _ := strings.Cut(key, ".")
		if !slices.Contains(named, table) && !slices.Contains(said, key) {
			t.Errorf("nobody says %q", key)
		}
	}
}

func TestWords_blanksAreTheSame(t *testing.T) {
	d, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	for key, text := range d.byLang["en"].text {
		for _, lang := range languages[1:] {
			if a, b := blanks.FindAllString(text, -1), blanks.FindAllString(d.byLang[lang].text[key], -1); !slices.Equal(a, b) {
				t.Errorf("%q has the blanks %v in en, %v in %s", key, a, b, lang)
			}
		}
	}
}

func TestWords_whatIsFilledInIsNotReadAgain(t *testing.T) {
	w := words{Lang: "en", text: map[string]string{"x.y": "{a} and {b}"}}
	if got, err := w.T("x.y", "a", "{b}", "b", "2"); err != nil || got != "{b} and 2" {
		t.Errorf("%q, %v", got, err)
	}
}
