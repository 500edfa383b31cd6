package flow

import (
	"regexp"
	"slices"
	"strings"
)

// Alias is a desk's own name for a command line of agents. Which commands there
// are this package does not know: who does checks Means, and says where it
// stands.
type Alias struct {
	Word  string // lower case, without '#'
	Means string // the line it stands for, without '#': "status resolved"

	at int // byte of the file
}

// Alias returns the line that a desk's own word stands for.
func (d *Desk) Alias(word string) (means string, ok bool) {
	word = strings.ToLower(word)
	for _, a := range d.Aliases {
		if a.Word == word {
			return a.Means, true
		}
	}
	return "", false
}

// AliasWords are the desk's own words for commands.
func (d *Desk) AliasWords() []string {
	var words []string
	for _, a := range d.Aliases {
		words = append(words, a.Word)
	}
	return words
}

// AliasProblems are what check says of the aliases, with their lines, as an
// error like that of Parse; nil if it says nothing.
func (d *Desk) AliasProblems(check func(Alias) string) error {
	r := &report{source: []byte(strings.TrimPrefix(string(d.Source), "\uFEFF"))}
	for _, a := range d.Aliases {
		if says := check(a); says != "" {
			r.add(a.at, "%s", says)
		}
	}
	return r.err()
}

var (
	aliasWord  = regexp.MustCompile(`^\pL{2,40}$`)
	aliasMeans = regexp.MustCompile(`^\pL+(?:[ \t]\S[^\r\n]*)?$`)
)

// aliases reads a table of words and the lines they stand for.
func (r *reader) aliases(to *[]Alias) func(*node) {
	return func(n *node) {
		if !r.is(n, aTable) {
			return
		}
		if len(n.entries) > maxItems {
			r.add(n.at, "%d aliases: at most %d", len(n.entries), maxItems)
			return
		}
		for _, e := range n.entries {
			a := Alias{Word: strings.ToLower(e.key), at: e.at}
			r.string(&a.Means)(e.value)
			a.Means = strings.TrimSpace(a.Means)
			switch {
			case !aliasWord.MatchString(a.Word):
				r.add(e.at, "alias %q: 2 to 40 letters and nothing else, as in erledigt = \"status resolved\"", e.key)
			case slices.ContainsFunc(*to, func(b Alias) bool { return b.Word == a.Word }):
				r.add(e.at, "alias %q stands twice: capitals make no difference; leave one away", e.key)
			case a.Means == "": // said already
			case !aliasMeans.MatchString(a.Means) || len(a.Means) > 200:
				r.add(e.value.at, "%q: one command without its #, as in \"status resolved\"", a.Means)
			default:
				*to = append(*to, a)
			}
		}
	}
}
