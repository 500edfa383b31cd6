package core

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"postern/core/flow"
)

// A query asks by mail for lists, searches and cases: each line of the visible
// reply is one, sent to the command address (desk+command@domain), or to the desk
// itself if the mail holds nothing else. It changes nothing, so that a mail which
// is no query is never in the way of becoming a case.

// What a line can ask for.
const (
	asksList    = "list"
	asksSearch  = "search"
	asksShow    = "show"
	asksHistory = "history"
	asksHelp    = "help"
	asksMorning = "morning" // the digest of the morning, on or off
)

// queryWords are the words by language; the first of each is shown. All are
// understood, whatever the language.
var queryWords = []struct {
	verb string
	said map[string][]string
}{
	{asksList, map[string][]string{"en": {"list"}, "nl": {"lijst"}, "da": {"liste"}, "nb": {"liste"}, "de": {"liste"}}},
	{asksSearch, map[string][]string{"en": {"search", "find"}, "nl": {"zoek", "zoeken"}, "da": {"søg"}, "nb": {"søk"}, "de": {"suche", "suchen"}}},
	{asksShow, map[string][]string{"en": {"show"}, "nl": {"toon", "tonen"}, "da": {"vis"}, "nb": {"vis"}, "de": {"zeige", "zeigen"}}},
	{asksHistory, map[string][]string{"en": {"history"}, "nl": {"geschiedenis", "historie"}, "da": {"historik"}, "nb": {"historikk"}, "de": {"verlauf"}}},
	{asksHelp, map[string][]string{"en": {"help"}, "nl": {"hulp"}, "da": {"hjælp"}, "nb": {"hjelp"}, "de": {"hilfe"}}},
	{asksMorning, map[string][]string{"en": {"morning"}, "nl": {"ochtend"}, "da": {"morgen"}, "nb": {"morgen"}, "de": {"morgen"}}},
}

// queryScopes are what may stand behind "list", in the order in which help names
// them.
var queryScopes = []struct {
	scope  string
	agents bool // for agents alone
	said   map[string][]string
}{
	{"mine", false, map[string][]string{"en": {"mine", "my cases"}, "nl": {"mijn", "mijn cases"}, "da": {"mine"}, "nb": {"mine"}, "de": {"meine"}}},
	{"open", false, map[string][]string{"en": {"open"}, "nl": {"open"}, "da": {"åbne"}, "nb": {"åpne"}, "de": {"offene", "offen"}}},
	{"waiting", true, map[string][]string{"en": {"waiting"}, "nl": {"wachtend"}, "da": {"ventende"}, "nb": {"ventende"}, "de": {"wartende", "wartend"}}},
	{"overdue", true, map[string][]string{"en": {"overdue"}, "nl": {"te laat"}, "da": {"overskredne"}, "nb": {"forfalte"}, "de": {"überfällige", "überfällig"}}},
	{"unassigned", true, map[string][]string{"en": {"unassigned"}, "nl": {"niet toegewezen"}, "da": {"ikke tildelte"}, "nb": {"ikke tildelte"}, "de": {"nicht zugewiesene", "nicht zugewiesen"}}},
	{"closed", false, map[string][]string{"en": {"closed"}, "nl": {"gesloten"}, "da": {"lukkede"}, "nb": {"lukkede"}, "de": {"geschlossene", "geschlossen"}}},
}

// switchWords turn something on and off.
var switchWords = map[string]map[string]string{
	"on":  {"en": "on", "nl": "aan", "da": "til", "nb": "på", "de": "an"},
	"off": {"en": "off", "nl": "uit", "da": "fra", "nb": "av", "de": "aus"},
}

// Bounds of what one mail may ask.
const (
	queriesInMail = 10
	queryLines    = 200 // lines that are looked at
	searchChars   = 500
	searchTerms   = 8
)

// query is one line that was understood, or is nearly one.
type query struct {
	line   string // as it was written
	verb   string
	scope  string // of list: "" is what this person works on; of morning: "on", "off"
	words  string // of search
	number string // of show and history, as it was written
	wrong  string // code of what is wrong with it
	meant  string // what would be right
	agents bool   // for agents alone
}

// queryMail is what a mail asks.
type queryMail struct {
	lines  []query
	whole  bool   // its visible reply is queries, all understood, and nothing else
	unread string // the beginning of what stood below them
	over   bool   // it asks for more than is answered at a time
}

// understood says that at least one line is a query.
func (q queryMail) understood() bool {
	return slices.ContainsFunc(q.lines, func(l query) bool { return l.wrong == "" })
}

// readQueries reads the lines on top of a visible reply, below a mail system's
// banner, up to the first that is none: what follows is a signature, or text.
// Below an empty line only what is surely a query is one. Where the reply has
// none, the subject may be one.
func readQueries(reply, subject string) queryMail {
	_, reply = splitBanner(reply)
	q, rest := readQueryLines(reply)
	if q.lines == nil {
		if lines, ok := readQuery(subject); ok && lines[0].wrong == "" {
			q.add(lines)
		}
		q.unread = firstLines(reply, 2, 100)
		return q
	}
	q.unread = firstLines(rest, 2, 100)
	q.whole = q.unread == "" && !slices.ContainsFunc(q.lines, func(l query) bool { return l.wrong != "" })
	return q
}

func readQueryLines(reply string) (q queryMail, rest string) {
	rest = strings.TrimLeft(reply, "\r\n\t ")
	gap := false
	for n := 0; rest != "" && n < queryLines; n++ {
		line, after, _ := strings.Cut(rest, "\n")
		line = strings.TrimSpace(line)
		lines, ok := readQuery(line)
		if !ok || gap && lines[0].wrong != "" {
			break
		}
		q.add(lines)
		rest = strings.TrimLeft(after, "\r\n\t ") // lines of an HTML mail are paragraphs
		gap = strings.HasPrefix(strings.TrimLeft(after, " \t\r"), "\n")
	}
	return q, strings.TrimSpace(rest)
}

func (q *queryMail) add(lines []query) {
	q.lines = append(q.lines, lines...)
	if len(q.lines) > queriesInMail {
		q.lines, q.over = q.lines[:queriesInMail], true
	}
}

// readQuery reads one line; false if it is text. A line that names several cases
// is several queries.
func readQuery(line string) ([]query, bool) {
	if strings.HasPrefix(line, ">") {
		return nil, false
	}
	line = strings.TrimLeft(clean(head(line, 4*searchChars), 4*searchChars), "#*- ")
	first, rest, _ := strings.Cut(strings.Join(strings.Fields(line), " "), " ")
	first = strings.ToLower(strings.TrimRight(first, ":,.;!?"))
	verb, near := queryVerb(first)
	if verb == "" && near == "" {
		return nil, false
	}
	asked := verb
	if verb == "" {
		asked, _ = queryVerb(near)
	}
	lines, ok := readRest(asked, rest)
	if !ok || verb == "" && lines[0].wrong != "" {
		return nil, false
	}
	for i := range lines {
		l := &lines[i]
		l.line, l.verb = clean(line, 100), asked
		switch {
		case verb == "":
			l.wrong, l.meant = "no-word", clean(strings.TrimSpace(near+" "+rest), 100)
		case l.meant != "":
			l.meant = first + " " + l.meant
		}
	}
	if verb == "" {
		lines = lines[:1]
	}
	return lines, true
}

// queryVerb is what a word asks for. near is the word within two letters of it,
// if it is none itself.
func queryVerb(said string) (verb, near string) {
	best := 3
	for _, w := range queryWords {
		for _, language := range queryLanguages {
			for _, known := range w.said[language] {
				if n := flow.Distance(said, known); n == 0 {
					return w.verb, ""
				} else if n < best && len(said) > n+1 {
					best, near = n, known
				}
			}
		}
	}
	return "", near
}

var queryLanguages = []string{"en", "nl", "da", "nb", "de"}

// readRest reads what follows the word; false if that makes the line a text.
func readRest(verb, rest string) ([]query, bool) {
	switch verb {
	case asksList:
		return readScope(rest)
	case asksSearch:
		if len(readTerms(rest)) == 0 {
			return []query{{wrong: "no-words"}}, true
		}
		return []query{{words: head(rest, searchChars)}}, true
	case asksShow, asksHistory:
		return readNumbers(rest)
	case asksMorning:
		said := strings.ToLower(strings.TrimRight(rest, ".!"))
		for way, words := range switchWords {
			for _, word := range words {
				if said == word {
					return []query{{scope: way, agents: true}}, true
				}
			}
		}
		return nil, false // good morning
	}
	return []query{{}}, strings.Trim(rest, ".!?") == ""
}

func readScope(rest string) ([]query, bool) {
	said := strings.ToLower(strings.Trim(rest, " .!,;:"))
	if said == "" {
		return []query{{}}, true
	}
	best, near := 3, ""
	for _, s := range queryScopes {
		for _, language := range queryLanguages {
			for _, known := range s.said[language] {
				if n := flow.Distance(said, known); n == 0 {
					return []query{{scope: s.scope, agents: s.agents}}, true
				} else if len(said) > n+1 && (n < best || n == best && near != "" && near[0] != said[0] && known[0] == said[0]) {
					best, near = n, known
				}
			}
		}
	}
	if near == "" && strings.Count(said, " ") > 0 {
		return nil, false // "list of the printers that ..." is a text
	}
	return []query{{wrong: "no-scope", meant: near}}, true
}

// someNumber is how people write the number of a case.
var someNumber = regexp.MustCompile(`^[\[#(]*(?:[A-Za-z][A-Za-z0-9]{1,15}-)?[0-9]{1,15}[\])]*$`)

// numberFillers are words that people put between numbers.
var numberFillers = []string{"and", "en", "og", "und", "case", "zaak", "sag", "sak", "fall"}

func readNumbers(rest string) ([]query, bool) {
	var lines []query
	words := 0
	for _, part := range strings.FieldsFunc(rest, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == ';' }) {
		part = strings.TrimRight(part, ".!?")
		switch {
		case part == "" || slices.Contains(numberFillers, strings.ToLower(part)):
		case someNumber.MatchString(part):
			if len(lines) <= queriesInMail {
				lines = append(lines, query{number: strings.Trim(part, "[]()#")})
			}
		default:
			words++
		}
	}
	switch {
	case words == 0 && lines != nil:
		return lines, true
	case words > 1:
		return nil, false // "show me the way"
	}
	return []query{{wrong: "no-number"}}, true
}

// searchTerm is one thing that a search wants to be there: words that follow
// each other, the last of which may go on if open.
type searchTerm struct {
	raw   string // as it was written: perhaps a number
	words []string
	open  bool
}

// readTerms reads a search: words, which match what begins with them, with or
// without a *, and phrases in quotes, which match as they are. Whatever parts
// words parts them here, as it does in what is searched: E-204 is the phrase
// "e 204".
func readTerms(search string) []searchTerm {
	var terms []searchTerm
	add := func(s string, open bool) {
		if words := searchWords(s); len(words) > 0 && len(terms) < searchTerms {
			terms = append(terms, searchTerm{s, words, open})
		}
	}
	quoted := false
	for search = head(search, searchChars); search != ""; quoted = !quoted {
		part := search
		search = ""
		if i := strings.IndexFunc(part, isQuote); i >= 0 {
			_, quote := utf8.DecodeRuneInString(part[i:])
			part, search = part[:i], part[i+quote:]
		}
		if quoted {
			add(part, false)
			continue
		}
		for _, word := range strings.Fields(part) {
			add(word, true)
		}
	}
	return terms
}

func isQuote(r rune) bool { return strings.ContainsRune("\"\u201c\u201d\u201e\u00ab\u00bb", r) }

// searchWords are the words of a text as the index parts them: by everything
// that is no letter, mark or digit.
func searchWords(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
}

// head is at most the first max characters.
func head(s string, max int) string {
	for i := range s {
		if max--; max < 0 {
			return s[:i]
		}
	}
	return s
}

// tsquery writes a term in PostgreSQL's language of searches. Nothing in its
// words has a meaning there: they are letters and digits.
func (t searchTerm) tsquery() string {
	var b strings.Builder
	for i, word := range t.words {
		if i > 0 {
			b.WriteString(" <-> ")
		}
		b.WriteString("'" + head(word, 100) + "'")
		if t.open && i == len(t.words)-1 {
			b.WriteString(":*")
		}
	}
	return b.String()
}

// QueryAnswer is what one line of a mail with queries is answered with.
type QueryAnswer struct {
	Line    string     `json:"line,omitempty"`  // as it was asked
	Verb    string     `json:"verb,omitempty"`  // list, search, show, history, help, morning
	Scope   string     `json:"scope,omitempty"` // of list; of morning: on, off
	Problem string     `json:"problem,omitempty"`
	Meant   string     `json:"meant,omitempty"` // what would be right
	Cases   []CaseItem `json:"cases,omitempty"`
	More    int        `json:"more,omitempty"` // how many are not shown
	Sheet   *Sheet     `json:"sheet,omitempty"`
}

// CaseItem is one case in a list by mail.
type CaseItem struct {
	Number   string    `json:"number"`
	Title    string    `json:"title,omitempty"`
	Status   string    `json:"status,omitempty"`
	Priority string    `json:"priority,omitempty"`
	Customer string    `json:"customer,omitempty"`
	Company  string    `json:"company,omitempty"`
	Owner    string    `json:"owner,omitempty"`
	Opened   time.Time `json:"opened,omitzero"`
	Changed  time.Time `json:"changed,omitzero"`
	Due      time.Time `json:"due,omitzero"`
	Overdue  bool      `json:"overdue,omitempty"`
	Turn     bool      `json:"turn,omitempty"` // it waits for the reader
}

// Sheet is one case on paper, as one reader may see it.
type Sheet struct {
	CaseItem
	Type         string       `json:"type,omitempty"`
	Means        string       `json:"means,omitempty"`
	Participants []string     `json:"participants,omitempty"`
	Entries      []SheetEntry `json:"entries,omitempty"` // oldest first
	Left         int          `json:"left,omitempty"`    // older ones that are left out
}

// SheetEntry is one line of a case's timeline.
type SheetEntry struct {
	Kind   string    `json:"kind"` // description, comment, note, event
	At     time.Time `json:"at"`
	Author string    `json:"author,omitempty"`
	Text   string    `json:"text,omitempty"`
	Cut    bool      `json:"cut,omitempty"` // there is more of it
	Marks  []string  `json:"marks,omitempty"`
	Event  string    `json:"event,omitempty"`
	Was    string    `json:"was,omitempty"`
	Became string    `json:"became,omitempty"`
	Why    string    `json:"why,omitempty"`
	Until  time.Time `json:"until,omitzero"` // of a status that wakes by itself
}

// queryWordsIn are the words of a language, for people to write: all that a
// reader may use.
func queryWordsIn(language string, agent bool) []Word {
	if !slices.Contains(queryLanguages, language) {
		language = "en"
	}
	verb := func(v string) string {
		for _, w := range queryWords {
			if w.verb == v {
				return w.said[language][0]
			}
		}
		return v
	}
	var words []Word
	for _, s := range queryScopes {
		if agent || !s.agents {
			words = append(words, Word{verb(asksList) + " " + s.said[language][0], "list-" + s.scope})
		}
	}
	words = append(words, Word{verb(asksSearch), asksSearch}, Word{verb(asksShow), asksShow}, Word{verb(asksHistory), asksHistory})
	if agent {
		words = append(words, Word{verb(asksMorning) + " " + switchWords["on"][language], "morning-on"},
			Word{verb(asksMorning) + " " + switchWords["off"][language], "morning-off"})
	}
	return words
}

// Queries are the lines of a mail that ask for lists or cases, for people to
// read: toCommand says that it went to a command address, whole that it holds
// nothing else.
func Queries(m Mail) (lines []string, whole bool) {
	q := readQueries(m.Reply, m.Subject)
	for _, l := range q.lines {
		if l.wrong == "" {
			lines = append(lines, l.line)
		}
	}
	return lines, q.whole
}
