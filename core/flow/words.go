package flow

import (
	"slices"
	"strings"
	"unicode"
)

// maxWordBytes bounds what is compared with a desk's words; a longer line is
// never one of them.
const maxWordBytes = 100

// Reply is a word by which a move can be made.
type Reply struct {
	Word string
	Move Move
}

// Word returns the move that this side makes from a status by replying with
// this line. The line must be the word and nothing else; case, spaces around
// it, quotes, a full stop after it and politeness do not matter. A question mark
// does: "closed?" is a question.
func (d *Desk) Word(text, from string, by By) (Move, bool) {
	return wordOf(text, d.MovesFrom(from, by))
}

// AnyWord returns the first move of this side, from whatever status, that this
// line is a word of.
func (d *Desk) AnyWord(text string, by By) (Move, bool) {
	return wordOf(text, slices.DeleteFunc(slices.Clone(d.Moves), func(m Move) bool { return !slices.Contains(m.By, by) }))
}

// wordOf finds the move that a line names. What the line says as it stands goes
// before what it says without politeness: that may be part of a word.
func wordOf(text string, moves []Move) (Move, bool) {
	for _, says := range readings(text) {
		for _, m := range moves {
			for _, words := range m.Words {
				if slices.ContainsFunc(words, func(w string) bool { return plain(w) == says }) {
					return m, true
				}
			}
		}
	}
	return Move{}, false
}

// NeedsText says that the move is made only with a text.
func (m Move) NeedsText() bool { return len(m.Requires) > 0 }

// Words returns, for each move this side can make from a status by a word, its
// first word in this language, to be shown in mails.
func (d *Desk) Words(lang, from string, by By) []Reply {
	var replies []Reply
	for _, m := range d.MovesFrom(from, by) {
		if word := d.FirstWord(m, lang); word != "" {
			replies = append(replies, Reply{word, m})
		}
	}
	return replies
}

// FirstWord is the word of a move that mails in this language show, "" if it has none.
func (d *Desk) FirstWord(m Move, lang string) string {
	for _, l := range append([]string{lang, "en"}, d.Languages...) {
		if words := m.Words[l]; len(words) > 0 {
			return words[0]
		}
	}
	return ""
}

// FindStatus returns the status that a person means by a word: its key or its
// label in any language, in any case, with spaces or hyphens.
func (d *Desk) FindStatus(word string) (Status, bool) {
	name := plainName(word)
	if name == "" {
		return Status{}, false
	}
	for _, s := range d.Statuses {
		if slices.Contains(s.names(), name) {
			return s, true
		}
	}
	return Status{}, false
}

// Suggest returns the keys of the statuses that a person may have meant by a
// word that is none; all of them if nothing is near.
func (d *Desk) Suggest(word string) []string {
	var near, all []string
	name := plainName(word)
	for _, s := range d.Statuses {
		all = append(all, s.Key)
		if slices.ContainsFunc(s.names(), func(n string) bool { return Distance(n, name) <= 2 }) {
			near = append(near, s.Key)
		}
	}
	if len(near) > 0 {
		return near
	}
	return all
}

// names returns what a status is called, for comparing.
func (s Status) names() []string {
	names := []string{plainName(s.Key)}
	for _, label := range s.Label {
		names = append(names, plainName(label))
	}
	return names
}

// plain returns a line for comparing with a word, empty if it cannot be one:
// folded, invisible characters dropped, quotes, brackets, dashes and bold marks
// around it and closing punctuation after it cut, spaces made one.
func plain(line string) string {
	if len(line) > maxWordBytes {
		return ""
	}
	line = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1 // zero-width marks: pasted text is full of them
		}
		return fold(r)
	}, line)
	const around = "\"'*_`“”„‘’‚«»‹›()[]-–—•·"
	line = strings.TrimLeftFunc(line, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(around, r)
	})
	line = strings.TrimRightFunc(line, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(around+".,;:!…", r)
	})
	return strings.Join(strings.Fields(line), " ")
}

// plainName is plain for the names of statuses, in which spaces, hyphens and
// underscores are the same.
func plainName(name string) string {
	return strings.Join(strings.FieldsFunc(plain(name), func(r rune) bool {
		return r == '-' || r == '_' || r == ' '
	}), "-")
}

// fold maps the cases of a letter to one of them, as strings.EqualFold does.
func fold(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	return unicode.ToLower(least)
}

// Distance is how many letters must be changed, added or dropped to make one
// word of the other; beyond a difference of 2 in length it does not look.
func Distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	if n := len(s) - len(t); n > 2 || n < -2 {
		return 3
	}
	row := make([]int, len(t)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range s {
		diagonal := row[0]
		row[0] = i + 1
		for j, c := range t {
			change := diagonal
			if r != c {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(t)]
}
