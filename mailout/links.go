package mailout

import "postern/core"

// Presses are the links that do by one press what a word does.
func (v *view) Presses() (all []core.Link) {
	for _, l := range v.Links {
		if l.Purpose != "undo" {
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
