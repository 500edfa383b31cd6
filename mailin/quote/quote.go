// Package quote finds the visible reply in the text of a mail: what the writer
// added, without quoted history and signature; and it finds mail that was
// forwarded in the text.
//
// It knows the habits of mail programs in tables of words, one a language
// (words.go), and nothing of MIME, people or cases. Text comes in as a mail's
// whole text, HTML having been made text before, so that quotes begin with ">".
//
// It never loses what somebody wrote: history is cut only if everything after
// it is quoted, or if a header block, a sentence beyond doubt or our own line
// begins it. Answers between and below quotes stay whole. A forwarded mail is no
// reply, unless nothing is written above it: then it is all there is. In doubt
// everything stays. Time is linear in the text.
package quote

import "strings"

// Above is a line that our notices carry above their text: whatever follows it
// in a reply is ours.
const Above = "-- >8 --"

// Cut parts a text into the visible reply and the rest. Nothing is lost:
// together they hold all lines.
func Cut(text string) (reply, rest string) {
	t := newLines(text)
	at, forward := t.history()
	if !forward {
		at = t.signature(at)
	}
	return strings.TrimSpace(t.join(0, at)), strings.Trim(t.join(at, len(t.all)), "\n")
}

// line is one line of a text.
type line struct {
	raw    string
	bare   string // without space at both ends and without bidirectional marks
	quoted bool   // begins with ">"
	// tail says that from here on there is nothing but quotes, empty lines and
	// perhaps a last signature.
	tail  bool
	is    meaning  // of a header field
	knows features // looked at when asked for
}

// lines is a text taken apart once.
type lines struct {
	all []line
	// first is the first line somebody wrote: no quote, no ruler, not empty;
	// lastQuote is the last quoted one, -1 if there is none.
	first, lastQuote int
}

func newLines(text string) *lines {
	all := make([]line, strings.Count(text, "\n")+1)
	for i := range all {
		raw, after, _ := strings.Cut(text, "\n")
		text = after
		raw = strings.TrimSuffix(raw, "\r")
		if raw == "" {
			continue
		}
		l := &all[i]
		l.raw, l.bare = raw, strings.TrimSpace(unmarked(raw))
		if l.bare != "" {
			l.quoted = l.bare[0] == '>'
			l.is, _ = field(l.bare)
		}
	}
	t := &lines{all: all, first: len(all), lastQuote: -1}
	const longestSignature = 12
	below := 0 // lines somebody wrote, from here to the end
	tail, plainEnd := true, true
	for i := len(all) - 1; i >= 0; i-- {
		l := &all[i]
		switch {
		case l.quoted:
			if t.lastQuote < 0 {
				t.lastQuote = i
			}
			plainEnd = false
		case l.bare == "":
		case plainEnd && delimiter(l.raw) && below <= longestSignature:
			tail = true
			below++
		case plainEnd && below == 0 && footer(l.bare):
		default:
			tail = false
			below++
		}
		l.tail = tail
		if !l.quoted && l.bare != "" && !ruler(l.bare) {
			t.first = i
		}
	}
	return t
}

// unmarked drops marks of writing direction and makes every space a plain one.
func unmarked(s string) string {
	i := 0
	for i < len(s) && s[i] != 0xc2 && s[i] != 0xe2 && s[i] != 0xe3 && s[i] != 0xef {
		i++
	}
	if i == len(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x80:
			return r
		case r >= 0x200b && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2060 && r <= 0x2069, r == 0xfeff:
			return -1
		case r == 0xa0, r >= 0x2000 && r <= 0x200a, r == 0x202f, r == 0x3000:
			return ' '
		}
		return r
	}, s)
}

func (t *lines) join(from, to int) string {
	var b strings.Builder
	size := 0
	for i := from; i < to; i++ {
		size += len(t.all[i].raw) + 1
	}
	b.Grow(size)
	for i := from; i < to; i++ {
		if i > from {
			b.WriteByte('\n')
		}
		b.WriteString(t.all[i].raw)
	}
	return b.String()
}

// written says that somebody wrote something above line i.
func (t *lines) written(i int) bool { return t.first < i }

func (t *lines) look(i int) features {
	l := &t.all[i]
	if l.knows == 0 {
		l.knows = look(l.bare)
	}
	return l.knows
}

// history is the line at which the quoted history or a forwarded mail begins, or
// the end. forward says that the mail forwards another, and nobody wrote anything
// around it: then all of it is the reply.
func (t *lines) history() (at int, forward bool) {
	end := len(t.all)
	own := false // the last quote is the writer's own
	for i := range t.all {
		l := &t.all[i]
		if strings.Contains(l.bare, Above) && (!l.quoted || l.tail) {
			return t.opening(i), false
		}
		if l.bare == "" || forward {
			continue // in a forwarded mail our own line alone ends the reply
		}
		if t.forwards(i) {
			forward = true
			if at := t.above(i); (!l.quoted || l.tail) && t.wrote(at) && !t.goesOn(i) {
				if _, ok := t.announcedAt(i); ok {
					return at, false
				}
			}
			continue
		}
		switch {
		case (copied(l.bare) || betweenArrows(l.bare)) && t.written(i):
			return t.above(i), false
		case l.quoted:
			// without a line that says who wrote: only below something written
			if own = own || l.tail && t.introduced(i); l.tail && !own && (t.written(i) || t.beginsWithSentence(i)) {
				return i, false
			}
		case t.written(i) && t.bareHeaders(i):
			return t.above(i), false
		case t.headers(i) && t.sent(i):
			at := t.above(i)
			if t.written(at) {
				return at, false
			}
			forward = true
		case sentenceEnds(l.bare):
			if at, ok := t.attributed(i); ok {
				return t.above(at), false
			}
		}
	}
	return end, forward
}

// wrote says that somebody wrote more above line i than a signature.
func (t *lines) wrote(i int) bool {
	for j := t.first; j < i; j++ {
		l := &t.all[j]
		if delimiter(l.raw) {
			return false
		}
		if l.bare != "" && !l.quoted && !ruler(l.bare) && !footer(l.bare) {
			return true
		}
	}
	return false
}

// goesOn says that the mail forwarded at line i has an end, as mutt marks it,
// and that somebody wrote more below it than a signature.
func (t *lines) goesOn(i int) bool {
	for i < len(t.all) && !ends(t.all[i].bare) {
		i++
	}
	for i++; i < len(t.all); i++ {
		if delimiter(t.all[i].raw) {
			return false
		}
		if b := t.all[i].bare; b != "" && !ruler(b) && !footer(b) {
			return true
		}
	}
	return false
}

// introduced says that the line above the quote at i promises it ("The screen
// says:") and no program wrote that line: it names nobody and no time. Then the
// quote is the writer's own.
func (t *lines) introduced(i int) bool {
	for i--; i >= 0 && t.all[i].bare == ""; i-- {
	}
	if i < 0 || t.all[i].quoted || t.all[i].is != noField || !sentenceEnds(t.all[i].bare) {
		return false
	}
	for from := i; i >= 0 && from-i < 4 && t.all[i].bare != "" && !t.all[i].quoted; i-- {
		if t.look(i)&(verb|clock|year|address|strokes) != 0 || ruler(t.all[i].bare) || len(t.all[i].bare) > longestSentence {
			return false
		}
	}
	return true
}

// betweenArrows tells GroupWise's ">>> Anna <a@b> 11/2/2026 10:00 AM >>>".
func betweenArrows(bare string) bool {
	return strings.HasPrefix(bare, ">>> ") && strings.HasSuffix(bare, " >>>") && look(bare)&(clock|year) == clock|year
}

// bareHeaders says that the header fields of an earlier mail begin below line i
// in a form that headers does not know: below "Original Message" names without
// colons (eM Client, Samsung) or in a table (NetEase); below a ruler Yandex' To
// and Subject, and then its sentence.
func (t *lines) bareHeaders(i int) bool {
	l := &t.all[i]
	divides := t.divides(i)
	if !divides && !(l.bare[0] == '-' && ruler(l.bare)) {
		return false
	}
	var seen [other + 1]bool
	n := 0
	for j := i + 1; j < len(t.all) && j <= i+8 && !t.all[j].quoted; j++ {
		b := t.all[j].bare
		switch {
		case b == "":
			continue
		case !divides && seen[to] && seen[subject] && sentenceEnds(b):
			return t.look(j)&(clock|year|address) == clock|year|address
		}
		is := t.all[j].is
		if divides {
			is = bareField(b)
		}
		if is == noField {
			return false
		}
		if !seen[is] && is != other {
			n++
		}
		seen[is] = true
		if divides && n >= 3 && seen[from] && seen[subject] {
			return true
		}
	}
	return false
}

// beginsWithSentence says that a quote begins at line i, with the sentence that
// says who wrote in it, as Apple's do: a mail of nothing else is no text.
func (t *lines) beginsWithSentence(i int) bool {
	if i > 0 && t.all[i-1].quoted {
		return false
	}
	var f features
	for j := i; j < len(t.all) && j < i+3 && t.all[j].quoted; j++ {
		g := look(strings.TrimLeft(t.all[j].bare, "> "))
		if f |= g; j == i && g&(opening|verb) == 0 {
			return false
		}
		if sentenceEnds(t.all[j].bare) {
			return f&verb != 0 && f&(clock|year) != 0 || f&(clock|year|address) == clock|year|address
		}
	}
	return false
}

// forwards says that line i announces a forwarded mail. One that is quoted does
// if the quote begins with it: Apple quotes what it forwards.
func (t *lines) forwards(i int) bool {
	l := &t.all[i]
	if !announced(l.bare) {
		return false
	}
	if _, rest, runs := runTogether(l.bare); (!runs || !strings.Contains(rest, ":")) && !t.fieldSoon(i) {
		return false
	}
	if !l.quoted {
		return true
	}
	for i--; i >= 0 && (t.all[i].bare == "" || strings.Trim(t.all[i].bare, "> ") == ""); i-- {
	}
	return i < 0 || !t.all[i].quoted
}

// sentenceEnds tells the last line of "On ... Anna wrote:".
func sentenceEnds(bare string) bool {
	switch bare[len(bare)-1] {
	case ':', '*', '_', '-', "："[2]:
	default:
		return false
	}
	s := strings.TrimRight(bare, " *_")
	return strings.HasSuffix(s, ":") || strings.HasSuffix(s, "：") || strings.HasPrefix(bare, "--") && strings.HasSuffix(bare, "---")
}

// attributed says whether line i ends a sentence like "On ... Anna wrote:", with
// history below it, and where that sentence begins. Some programs do not mark
// the history: then the sentence must be beyond doubt.
func (t *lines) attributed(i int) (at int, ok bool) {
	next := i + 1
	for next < len(t.all) && t.all[next].bare == "" {
		next++
	}
	if next == len(t.all) {
		return 0, false
	}
	marked := t.all[next].quoted
	if marked && !t.all[next].tail {
		return 0, false // answers between quotes
	}
	if !marked && t.lastQuote >= next {
		return 0, false // what is between the sentence and the quotes may be an answer
	}
	var f features
	size := 0
	for at := i; at >= 0 && i-at < 4 && t.all[at].bare != "" && !t.all[at].quoted; at-- {
		if at < i && t.look(at)&finished != 0 {
			break
		}
		if size += len(t.all[at].bare); size > longestSentence {
			break
		}
		f = f&^(opening|strokes) | t.look(at)
		const sure = verb | clock | year | address
		switch {
		case f&strokes != 0 && f&verb != 0 && f&(clock|address) != 0 && (marked || t.written(at)):
			return at, true // "---- On ... Anna wrote ----"
		case marked && f&opening != 0 && f&verb != 0 && f&(clock|year) != 0:
			return at, true
		case marked && f&opening != 0 && f&(clock|year|address) == clock|year|address:
			return at, true // Japanese and Russian programs write no verb
		case marked && !ok && f&(verb|clock|year|address) == clock|year|address:
			return at, true // in whatever language
		case !marked && f&sure == sure && t.written(at) && f&opening != 0:
			return at, true
		case marked && !ok && f&verb != 0 && f&(clock|year|address) != 0:
			first, found := at, true // the name first: unless the lines above complete it
			if at = t.completed(i, at, size, f); at != first {
				return at, true
			}
			return first, found
		}
	}
	return 0, false
}

// completed looks for a better beginning of the sentence that ends at i than at.
func (t *lines) completed(i, at, size int, f features) int {
	for up := at - 1; up >= 0 && i-up < 4 && t.all[up].bare != "" && !t.all[up].quoted; up-- {
		g := t.look(up)
		if size += len(t.all[up].bare); size > longestSentence || g&finished != 0 {
			break
		}
		if f |= g &^ opening; g&opening != 0 && f&(clock|year) != 0 {
			return up
		}
	}
	return at
}

// opening is where a quote that holds our line at i begins: above the quoted
// lines before it and the sentence that says who wrote.
func (t *lines) opening(i int) int {
	at := i
	for at > 0 && (t.all[at-1].quoted || t.all[at-1].bare == "") {
		at--
	}
	top := t.above(at)
	if j := at - 1; j >= 0 && sentenceEnds(t.all[j].bare) {
		for k := j; k >= 0 && j-k < 4 && t.all[k].bare != ""; k-- {
			if f := t.look(k); f&verb != 0 && (k == j || f&(opening|address) != 0) || f&opening != 0 && f&(clock|year) != 0 {
				return t.above(t.completed(j, k, 0, f))
			}
		}
	}
	// or a header block stands above it
	for k := at - 1; k >= 0 && at-k < 16; k-- {
		if t.all[k].is == from || t.all[k].is == date || t.all[k].is == to || t.all[k].is == subject {
			top := k
			for top > 0 && t.all[top-1].is != noField {
				top--
			}
			if t.headers(top) {
				return t.above(top)
			}
		}
	}
	return top
}

// signature moves the end of the reply above a signature.
func (t *lines) signature(end int) int {
	const farthest = 40
	for i := end - 1; i >= 0 && i >= end-farthest; i-- {
		if t.all[i].quoted {
			break
		}
		if delimiter(t.all[i].raw) && t.written(i) {
			end = i
			break
		}
	}
	for range 2 {
		last := end
		for last > 0 && (t.all[last-1].bare == "" || ruler(t.all[last-1].bare)) {
			last--
		}
		if last == 0 || t.all[last-1].quoted || !footer(t.all[last-1].bare) || !t.written(last-1) {
			break
		}
		end = last - 1
	}
	return end
}

// delimiter is the line that begins a signature (RFC 3676 §4.3); converters and
// editors drop its last space.
func delimiter(raw string) bool {
	return raw == "-- " || raw == "--" || raw == "--\u00a0"
}

// ruler is a line of nothing but strokes.
func ruler(bare string) bool {
	if len(bare) < 3 {
		return false
	}
	switch bare[0] {
	case '_', '-', '*', '=', 0xe2:
		return strings.Trim(bare, "_-*=‐— ") == "" && !strings.Contains(bare, Above)
	}
	return false
}
