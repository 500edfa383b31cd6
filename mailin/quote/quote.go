// Package quote finds the visible reply in the text of a mail: what the writer
// added, without quoted history and signature; and it finds mail that was
// forwarded in the text.
//
// It knows the habits of mail programs in a table of words (words.go), and
// nothing of MIME, people or cases. Text comes in as a mail's whole text,
// HTML having been made text before, so that quotes begin with ">".
//
// It never loses what somebody wrote: history is cut only if everything after
// it is quoted, or if a header block or our own line begins it. Answers between
// quotes stay whole; in doubt everything stays. Time is linear in the text.
package quote

import "strings"

// Above is a line that our notices carry above their text: whatever follows it
// in a reply is ours.
const Above = "-- >8 --"

// Cut parts a text into the visible reply and the rest. Nothing is lost:
// together they hold all lines.
func Cut(text string) (reply, rest string) {
	t := newLines(text)
	at := t.history()
	at = t.signature(at)
	return strings.TrimSpace(t.join(0, at)), strings.Trim(t.join(at, len(t.all)), "\n")
}

// lines is a text taken apart once.
type lines struct {
	all    []string
	bare   []string // without space at both ends and without bidirectional marks
	quoted []bool   // begins with ">"
	// tail says that from here on there is nothing but quotes, empty lines and
	// perhaps a last signature.
	tail []bool
	// first is the first line somebody wrote: no quote, no ruler, not empty;
	// lastQuote is the last quoted one, -1 if there is none.
	first, lastQuote int
}

func newLines(text string) *lines {
	all := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	t := &lines{all: all, bare: make([]string, len(all)), quoted: make([]bool, len(all)), tail: make([]bool, len(all)+1)}
	for i, line := range all {
		b := strings.TrimSpace(line)
		if strings.ContainsAny(b, "\u200e\u200f\u202a\u202c\u00a0\u202f\ufeff") {
			b = strings.TrimSpace(marks.Replace(b))
		}
		t.bare[i] = b
		t.quoted[i] = strings.HasPrefix(b, ">")
	}
	t.tail[len(all)] = true
	t.first, t.lastQuote = len(all), -1
	const longestSignature = 12
	sinceQuote := 0 // unquoted lines from here to the end, none of them a quote
	plainEnd := true
	for i := len(all) - 1; i >= 0; i-- {
		switch {
		case t.quoted[i]:
			if t.lastQuote < 0 {
				t.lastQuote = i
			}
			plainEnd = false
			t.tail[i] = t.tail[i+1]
		case t.bare[i] == "":
			t.tail[i] = t.tail[i+1]
		case plainEnd && delimiter(all[i]) && sinceQuote <= longestSignature:
			t.tail[i] = true
			sinceQuote++
		default:
			t.tail[i] = false
			sinceQuote++
		}
		if !t.quoted[i] && t.bare[i] != "" && !ruler(t.bare[i]) {
			t.first = i
		}
	}
	return t
}

var marks = strings.NewReplacer("\u200e", "", "\u200f", "", "\u202a", "", "\u202c", "", "\ufeff", "", "\u00a0", " ", "\u202f", " ")

func (t *lines) join(from, to int) string { return strings.Join(t.all[from:to], "\n") }

// written says that somebody wrote something above line i.
func (t *lines) written(i int) bool { return t.first < i }

// history is the line at which the quoted history begins, or the end.
func (t *lines) history() int {
	end := len(t.all)
	for i := range t.all {
		switch {
		case strings.Contains(t.bare[i], Above):
			if !t.quoted[i] || t.tail[i] {
				return t.opening(i)
			}
		case t.quoted[i]:
			// without a line that says who wrote: only below something written
			if t.tail[i] && t.written(i) {
				return i
			}
		case t.headerBlock(i) >= 3 || original(t.bare[i]) && t.headerSoon(i):
			if at := t.above(i); t.written(at) {
				return at
			}
			// nothing written above: the mail is a forwarded one
		case strings.HasSuffix(t.bare[i], ":"):
			if at, ok := t.attributed(i); ok {
				return at
			}
		}
	}
	return end
}

// attributed says whether line i ends a sentence like "On ... Anna wrote:", with
// quoted history below it, and where that sentence begins. Some programs do not
// mark the history: then the sentence must be beyond doubt.
func (t *lines) attributed(i int) (at int, ok bool) {
	next := i + 1
	for next < len(t.all) && t.bare[next] == "" {
		next++
	}
	quotes := next < len(t.all) && t.quoted[next]
	if quotes && !t.tail[next] {
		return 0, false // answers between quotes
	}
	sentence, short := "", 0
	for at = i; at >= 0 && i-at < 4 && t.bare[at] != "" && !t.quoted[at]; at-- {
		sentence = t.bare[at] + " " + sentence
		if len(sentence) > 600 {
			return 0, false
		}
		kind := attribution(sentence)
		switch {
		case kind == certain && (quotes || t.lastQuote < next && t.written(at) && next < len(t.all)):
			return at, true
		case kind == none || !quotes:
		case opens(sentence):
			return at, true
		case !ok:
			short, ok = at, true // unless the lines above complete it
		}
	}
	return short, ok
}

// opening is where a quote that holds our line at i begins: above the quoted
// lines before it and the sentence that says who wrote.
func (t *lines) opening(i int) int {
	at := i
	for at > 0 && (t.quoted[at-1] || t.bare[at-1] == "") {
		at--
	}
	top := t.above(at)
	if j := at - 1; j >= 0 && strings.HasSuffix(t.bare[j], ":") {
		sentence := ""
		for k := j; k >= 0 && j-k < 4 && t.bare[k] != ""; k-- {
			sentence = t.bare[k] + " " + sentence
			if attribution(sentence) != none {
				return k
			}
		}
	}
	// or a header block stands above it
	for k := at - 1; k >= 0 && at-k < 12; k-- {
		if t.headerBlock(k) >= 3 {
			return t.above(k)
		}
	}
	return top
}

// above moves up over rulers, empty lines and "Original Message".
func (t *lines) above(i int) int {
	for i > 0 && (t.bare[i-1] == "" || ruler(t.bare[i-1]) || original(t.bare[i-1])) {
		i--
	}
	return i
}

// headerBlock counts the different known fields in the five lines from i on, if
// i is one that says From.
func (t *lines) headerBlock(i int) int {
	if key, _ := field(t.bare[i]); key != "from" {
		return 0
	}
	seen := map[string]bool{}
	for j := i; j < len(t.all) && j < i+6 && len(seen) < 3; j++ {
		if key, _ := field(t.bare[j]); key != "" {
			seen[key] = true
		}
	}
	return len(seen)
}

// headerSoon says that a line that names a field follows within three lines.
func (t *lines) headerSoon(i int) bool {
	for j := i + 1; j < len(t.all) && j <= i+3; j++ {
		if key, _ := field(t.bare[j]); key != "" {
			return true
		}
	}
	return false
}

// signature moves the end of the reply above a signature.
func (t *lines) signature(end int) int {
	const longest = 20
	for i := end - 1; i >= 0 && i >= end-longest*2; i-- {
		if t.quoted[i] {
			break
		}
		if delimiter(t.all[i]) && t.written(i) {
			end = i
			break
		}
	}
	last := end
	for last > 0 && (t.bare[last-1] == "" || ruler(t.bare[last-1])) {
		last--
	}
	if last > 0 && footer(t.bare[last-1]) {
		return last - 1
	}
	return end
}

// delimiter is the line that begins a signature (RFC 3676 §4.3); converters and
// editors drop its last space.
func delimiter(line string) bool {
	return line == "-- " || line == "--" || line == "-- \r"
}

// ruler is a line of nothing but strokes.
func ruler(bare string) bool {
	return len(bare) >= 3 && strings.Trim(bare, "_-*= ") == "" && !strings.Contains(bare, Above)
}
