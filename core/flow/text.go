package flow

import (
	"maps"
	"slices"
)

// Text is a label or a sentence in several languages, by language: "en", "nl".
// One that is the same in all languages has "en" only.
type Text map[string]string

// In returns the text in this language; else in English; else in the first
// language it has.
func (t Text) In(lang string) string {
	if s, ok := t[lang]; ok {
		return s
	}
	if s, ok := t["en"]; ok {
		return s
	}
	for _, other := range slices.Sorted(maps.Keys(t)) {
		return t[other]
	}
	return ""
}
