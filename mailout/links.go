package mailout

import (
	"unicode"
	"unicode/utf8"

	"postern/core"
)

// Presses are the links that do by one press what a word does, and are called by
// it: "Reopen" says what a press does, "In progress" does not.
func (v *view) Presses() (all []core.Link) {
	for _, l := range v.Links {
		if l.Purpose != "undo" {
			if first, n := utf8.DecodeRuneInString(l.Word); n > 0 {
				l.Label = string(unicode.ToUpper(first)) + l.Word[n:]
			}
			all = append(all, l)
		}
	}
	return all
}

// UndoLink is the address that takes back what the recipient pressed, "" if there is none.
func (v *view) UndoLink() string {
	for _, l := range v.Links {
		if l.Purpose == "undo" {
			return l.URL
		}
	}
	return ""
}
