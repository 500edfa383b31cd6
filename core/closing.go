package core

import (
	"slices"
	"strings"
	"unicode"

	"postern/core/flow"
)

// closings end a mail. Below one stand names and the like, no text.
var closings = flow.Phrases(
	"regards", "kind regards", "best regards", "warm regards", "best wishes", "best", "yours sincerely", "sincerely", "yours faithfully", "br", "kr",
	"met vriendelijke groet", "met vriendelijke groeten", "vriendelijke groet", "vriendelijke groeten", "hartelijke groet", "hartelijke groeten",
	"groet", "groeten", "groetjes", "mvg", "m.v.g",
	"med venlig hilsen", "venlig hilsen", "med venlige hilsner", "de bedste hilsner", "bedste hilsner", "hilsen", "mvh", "m.v.h", "vh",
	"med vennlig hilsen", "vennlig hilsen", "beste hilsen",
	"mit freundlichen grüßen", "mit freundlichen grüssen", "mit freundlichem gruß", "freundliche grüße", "viele grüße", "beste grüße", "liebe grüße",
	"schöne grüße", "herzliche grüße", "grüße", "gruß", "mfg", "lg", "vg",
)

// thanks are lines that say nothing but thank you.
var thanks = flow.Phrases("thanks", "thank you", "thanks in advance", "bedankt", "alvast bedankt", "dank u", "dank u wel", "tak", "på forhånd tak",
	"takk", "på forhånd takk", "danke", "vielen dank", "danke im voraus", "vielen dank im voraus", "best thanks", "many thanks", "mange tak", "tusen takk")

// signsOff says that what follows a word is politeness alone: thanks, and a
// closing with nothing below it but names that we know the sender by. A line
// that may say more is text, and text is never lost (R45).
func (r *reading) signsOff(rest string) bool {
	if rest == "" || !endsThere(rest) {
		return false
	}
	known := []string{r.from().Name}
	if s := r.f.sender; s != nil {
		known = append(known, s.Name, s.MemberName)
	}
	if r.f.domain != nil {
		known = append(known, r.f.domain.Name)
	}
	names := strings.FieldsFunc(strings.ToLower(strings.Join(known, " ")), notInName)
	for line := range strings.Lines(rest) {
		if flow.Says(line, closings) || flow.Says(line, thanks) {
			continue
		}
		for _, word := range strings.FieldsFunc(strings.ToLower(line), notInName) {
			if !slices.Contains(names, word) {
				return false
			}
		}
	}
	return true
}

func notInName(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }

// nameLines is how many lines below a closing can be somebody's name, firm and
// telephone. More than that is taken for text.
const nameLines = 8

// endsThere says that what follows a first line is no text: nothing, thanks, or
// a closing with a name below.
func endsThere(rest string) bool {
	if len(rest) > 2000 {
		return false
	}
	lines := strings.Split(strings.TrimSpace(rest), "\n")
	below := -1 // lines since the closing
	for _, line := range lines {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case below >= 0:
			if below++; below > nameLines || len(line) > 100 {
				return false
			}
		case flow.Says(line, closings):
			below = 0
		case flow.Says(line, thanks):
		default:
			return false
		}
	}
	return true
}
