package web

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"golang.org/x/text/language"

	files "postern/templates/words"
)

// languages of the pages; the first is shown to those who want none of them.
var languages = []string{"en", "nl"}

// words are the words of one language, by key: "cases.title".
type words struct {
	Lang string
	text map[string]string
}

// T is the text of a key, with {name} replaced by what follows the name:
// T("cases.of", "name", "Ada").
func (w words) T(key string, pairs ...any) (string, error) {
	text, ok := w.text[key]
	if !ok {
		return "", fmt.Errorf("no word %q in %s", key, w.Lang)
	}
	var values []string
	for i := 0; i+1 < len(pairs); i += 2 {
		values = append(values, fmt.Sprintf("{%v}", pairs[i]), fmt.Sprint(pairs[i+1]))
	}
	return strings.NewReplacer(values...).Replace(text), nil
}

// Known is T for keys that others make up: the key itself where there is no
// word for it.
func (w words) Known(table, key string) string {
	if text, ok := w.text[table+"."+key]; ok {
		return text
	}
	return line(key)
}

// dictionary is every language.
type dictionary struct {
	byLang  map[string]words
	matcher language.Matcher
}

func readWords() (*dictionary, error) {
	d := &dictionary{byLang: map[string]words{}}
	var tags []language.Tag
	for _, lang := range languages {
		source, err := files.Files.ReadFile(lang + ".toml")
		if err != nil {
			return nil, err
		}
		var tables map[string]map[string]string
		if err := toml.Unmarshal(source, &tables); err != nil {
			return nil, fmt.Errorf("words of %s: %w", lang, err)
		}
		w := words{Lang: lang, text: map[string]string{}}
		for table, texts := range tables {
			for key, text := range texts {
				w.text[table+"."+key] = text
			}
		}
		d.byLang[lang] = w
		tags = append(tags, language.MustParse(lang))
	}
	d.matcher = language.NewMatcher(tags)
	return d, nil
}

// choose is the person's language, else the best of what the browser accepts.
func (d *dictionary) choose(person, accepted string) words {
	if w, ok := d.byLang[person]; ok {
		return w
	}
	wanted, _, err := language.ParseAcceptLanguage(accepted)
	if err != nil || len(accepted) > 500 {
		wanted = nil
	}
	_, n, _ := d.matcher.Match(wanted...)
	return d.byLang[languages[max(0, min(n, len(languages)-1))]]
}

// keys are all keys, sorted.
func (w words) keys() []string {
	keys := make([]string, 0, len(w.text))
	for key := range w.text {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
