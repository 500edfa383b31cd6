package core

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"postern/core/flow"
)

// commandKind is one command that agents may write on top of a reply (R42).
// What it does is said to people by the templates, under its name.
type commandKind struct {
	name  string
	alias []string // the same in other languages
	takes string   // what stands behind it, in capitals, as #help shows it
	read  func(in commandInput, words string) (order, error)
	// whether its words are the desk's own, so that a desk file which uses it is
	// checked with them
	ofDesk bool
}

// commandInput is what a command line is understood by.
type commandInput struct {
	desk   *flow.Desk
	now    time.Time
	agents []agentRow // of the desk
	me     int64      // who writes
}

// order is a command line that was understood.
type order interface {
	// sets is what it sets on the case ("status", "owner"): no block sets one
	// thing twice. "" for what may stand more than once.
	sets() string
	// refuse says why it cannot be carried out on this case now, and what could
	// be; nil if it can.
	refuse(r *reading, b *block) error
	// carry plans it, and tells the block what changes.
	carry(r *reading, b *block)
}

// block is a command block on its way through: what stood on top of a mail,
// what stood below, and what comes of it.
type block struct {
	c        *caseRow
	agent    provenAgent
	language string // of the agent
	text     string // below the commands
	lines    []string
	orders   []order
	canned   []flow.Template // whose text goes above the agent's
	note     bool            // the text is for colleagues only
	quiet    bool            // no mail to the customer's side
	changed  []Change        // what was done, for the transcript
	undo     []undoStep      // and how to take it back
	help     bool
	history  bool
	problems []Problem // why nothing of it was carried out
}

// hasText says that the other side gets something to read.
func (b *block) hasText() bool { return b.text != "" || len(b.canned) > 0 }

// did tells of a change, and how to take it back.
func (b *block) did(c Change, undo ...undoStep) {
	b.changed = append(b.changed, c)
	b.undo = append(b.undo, undo...)
}

// commandTable is what agents may write on top of a reply. A new concept of
// the desk brings its command here, in one place.
var commandTable = []commandKind{
	{name: "status", takes: "STATUS [DATE]", read: readStatus, ofDesk: true},
	{name: "wait", alias: []string{"wacht", "wachten", "vent", "vente", "warte", "warten"}, takes: "DATE", read: readWait},
	{name: "close", alias: []string{"sluit", "sluiten", "luk", "lukk", "schließen", "schliessen"}, read: readClose},
	{name: "reject", alias: []string{"afwijzen", "afvis", "avvis", "ablehnen"}, takes: "REASON", read: readReject},
	{name: "reopen", alias: []string{"heropen", "heropenen", "genåbn", "genåben", "gjenåpne", "wiederöffnen"}, read: readReopen},
	{name: "assign", alias: []string{"toewijzen", "tildel", "zuweisen"}, takes: "me|NAME|ADDRESS|nobody", read: readAssign},
	{name: "priority", alias: []string{"prioriteit", "prioritet", "priorität"}, takes: "PRIORITY", read: readPriority, ofDesk: true},
	{name: "type", alias: []string{"soort", "typ"}, takes: "TYPE", read: readType, ofDesk: true},
	{name: "due", alias: []string{"deadline", "termijn", "frist"}, takes: "DATE|none", read: readDue},
	{name: "time", alias: []string{"tijd", "tid", "zeit"}, takes: "45m|1h30|1.5h|90|-30m", read: readTime},
	{name: "cc", alias: []string{"kopie", "kopi"}, takes: "add|remove ADDRESS ...", read: readCc},
	{name: "template", alias: []string{"sjabloon", "skabelon", "mal", "vorlage"}, takes: "NAME", read: readTemplate, ofDesk: true},
	{name: "note", alias: []string{"notitie", "notat", "notiz"}, read: readNote},
	{name: "spam", read: readSpam},
	{name: "block", alias: []string{"blokkeer", "blokkeren", "bloker", "blokker", "blockieren"}, read: readBlock},
	{name: "unblock", alias: []string{"deblokkeren", "fjernblokering", "fjernblokkering", "entsperren"}, read: readUnblock},
	{name: "merge", alias: []string{"samenvoegen", "flet", "slåsammen", "zusammenführen"}, takes: "CASE", read: readMerge},
	{name: "split", alias: []string{"splits", "splitsen", "opdel", "oppdel", "aufteilen", "abtrennen"}, takes: "TITLE", read: readSplit},
	{name: "link", alias: []string{"koppel", "koppelen", "tilknyt", "knytt", "verknüpfen"}, takes: "CASE", read: readLink},
	{name: "unlink", alias: []string{"ontkoppel", "ontkoppelen", "fjernlink", "fjernknytning", "entkoppeln"}, takes: "CASE", read: readUnlink},
	{name: "requester", alias: []string{"aanvrager", "rekvirent", "innmelder", "anfrager"}, takes: "ADDRESS", read: readRequester},
	{name: "history", alias: []string{"geschiedenis", "historik", "historikk", "verlauf"}, read: readHistory},
	{name: "help", alias: []string{"hulp", "hjælp", "hjelp", "hilfe"}, read: readHelp},
	{name: "undo", alias: []string{"terugdraaien", "fortryd", "angre", "rückgängig"}, takes: "TOKEN", read: readUndo},
}

// names are all names of a command.
func (k commandKind) names() []string { return append([]string{k.name}, k.alias...) }

// commandsByName finds a command by each of its names.
var commandsByName = sync.OnceValue(func() map[string]commandKind {
	all := map[string]commandKind{}
	for _, k := range commandTable {
		for _, name := range k.names() {
			all[name] = k
		}
	}
	return all
})

// findCommand is the command of this name, in whatever language.
func findCommand(name string) (commandKind, bool) {
	k, ok := commandsByName()[strings.ToLower(name)]
	return k, ok
}

// commandLine is '#' and a word: a heading of Markdown has a blank there.
// Whatever else than a letter or digit stands behind the word ends it, so that
// "#note." is a command, too.
var commandLine = regexp.MustCompile(`^\s*#([\pL\pM]+)(?:[^\pL\pM\pN_].*)?$`)

// asTyped is a line as the keys were meant: programs put in marks that nobody
// sees, spaces that do not break, and a '#' of East Asian width.
func asTyped(line string) string {
	line = strings.TrimRight(line, "\r\n \t")
	plain := true
	for i := range len(line) {
		plain = plain && line[i] < 0x80
	}
	if plain {
		return line
	}
	line = strings.Map(func(c rune) rune {
		switch {
		case unicode.Is(unicode.Cf, c):
			return -1
		case unicode.Is(unicode.Zs, c):
			return ' '
		}
		return c
	}, line)
	line = strings.TrimSpace(line)
	for _, wide := range []string{"＃", "﹟"} {
		if rest, ok := strings.CutPrefix(line, wide); ok {
			return "#" + rest
		}
	}
	return line
}

// commandIn is splitCommand with a desk's own words replaced by what they stand
// for.
func commandIn(d *flow.Desk, line string) (name, words string) {
	name, words = splitCommand(line)
	if means, ok := d.Alias(name); ok {
		return splitCommand("#" + strings.TrimSpace(means+" "+words))
	}
	return name, words
}

func (r *reading) commandIn(line string) (name, words string) { return commandIn(r.desk.Desk, line) }

// commandBlock is the block of this mail, by the words of its desk.
func (r *reading) commandBlock() (lines []string, text string) {
	return CommandBlock(r.m.Reply, r.desk.AliasWords()...)
}

// unseen is what may stand before a command without being text.
func unseen(c rune) bool { return unicode.IsSpace(c) || unicode.Is(unicode.Cf, c) }

// splitCommand takes a line apart into a command's name and the words behind
// it; "" if it is no command line.
func splitCommand(line string) (name, words string) {
	line = asTyped(line)
	m := commandLine.FindStringSubmatch(line)
	if m == nil {
		return "", ""
	}
	_, words, _ = strings.Cut(line, m[1])
	words = strings.TrimLeft(words, " \t")
	if words != "" && strings.ContainsRune(":.,;!=", rune(words[0])) {
		words = words[1:]
	}
	return m[1], strings.TrimSpace(words)
}

// CommandBlock takes the command lines off the top of a visible reply, below the
// banner of a mail system if there is one (R43). lines are as they were written;
// text is the reply without them. A word that is no command, nor nearly one, is
// text. also are names that the desk has for commands beside ours. One line more
// than a block may have is enough to refuse it.
func CommandBlock(reply string, also ...string) (lines []string, text string) {
	banner, rest := splitBanner(reply)
	rest = strings.TrimLeftFunc(rest, unseen)
	for rest != "" && len(lines) <= commandsInAMail {
		line, after, _ := strings.Cut(rest, "\n")
		name, _ := splitCommand(line)
		if name == "" || nearestCommand(name, also) == "" {
			break
		}
		lines = append(lines, strings.TrimSpace(line))
		rest = strings.TrimLeftFunc(after, unseen)
	}
	if lines == nil {
		return nil, strings.TrimSpace(reply)
	}
	return lines, withBanner(banner, strings.TrimSpace(rest))
}

// commandsInAMail is how many lines a block may have: nobody writes more.
const commandsInAMail = 50

// readCommands understands a block. One bad line rejects all of it; problems
// says what is wrong with each, and what would be right.
func readCommands(in commandInput, lines []string) (orders []order, problems []Problem) {
	if len(lines) > commandsInAMail {
		return nil, []Problem{problemOf(lines[commandsInAMail], wrong{code: "too-many", name: "50"})}
	}
	setBy := map[string]string{}
	for _, line := range lines {
		bad := func(err error) { problems = append(problems, problemOf(line, err)) }
		name, words := commandIn(in.desk, line)
		k, ok := findCommand(name)
		if !ok {
			bad(wrong{code: "no-command", name: "#" + nearestCommand(name, in.desk.AliasWords())})
			continue
		}
		o, err := k.read(in, words)
		if err != nil {
			bad(err)
			continue
		}
		if what := o.sets(); what != "" {
			if first := setBy[what]; first != "" {
				bad(wrong{code: "twice", what: what, name: first})
				continue
			}
			setBy[what] = clean(line, 100)
		}
		orders = append(orders, o)
	}
	if problems != nil {
		return nil, problems
	}
	return orders, nil
}

// strayCommands finds command lines below the first line of the text: they
// would reach the customer, and do nothing (R43).
func strayCommands(text string, also ...string) (problems []Problem) {
	for line := range strings.Lines(text) {
		name, _ := splitCommand(line)
		if name == "" {
			continue
		}
		if _, known := findCommand(name); known || slices.Contains(also, strings.ToLower(name)) {
			problems = append(problems, problemOf(line, wrong{code: "stands-first"}))
		}
	}
	return problems
}

// nearestCommand is the name that a word may have been meant for, "" if there is
// none: within two letters of it (R43), within one if it is short, and if it has
// three nothing but itself. "#C" and "#mail" are no commands. What commands are
// called in other languages must be a little nearer: there are many.
func nearestCommand(word string, also []string) string {
	word = strings.ToLower(word)
	if _, ok := findCommand(word); ok || slices.Contains(also, word) {
		return word
	}
	best, at := "", 3
	look := func(name string, most int) {
		if d := flow.Distance(word, name); most > 0 && d <= min(2, most) && d < at {
			best, at = name, d
		}
	}
	for _, k := range commandTable {
		look(k.name, len(k.name)-3)
		for _, name := range k.alias {
			look(name, (utf8.RuneCountInString(name)-2)/2)
		}
	}
	for _, name := range also {
		look(name, (utf8.RuneCountInString(name)-2)/2)
	}
	return best
}

// firstLine splits a reply into its first line that is not empty, below the
// banner of a mail system, and the reply without it.
func firstLine(reply string) (line, rest string) {
	banner, rest := splitBanner(reply)
	line, rest, _ = strings.Cut(strings.TrimSpace(rest), "\n")
	return strings.TrimSpace(line), withBanner(banner, strings.TrimSpace(rest))
}
