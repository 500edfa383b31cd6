package flow

import (
	"regexp"
	"slices"
	"strings"
)

var (
	keyPattern      = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	prefixPattern   = regexp.MustCompile(`^[A-Z][A-Z0-9]{1,15}$`)
	languagePattern = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z]{2})?$`)
	addressPattern  = regexp.MustCompile(`^[^\s@<>,;"]+@[^\s@<>,;"]+$`)
)

// checker reports what has the right shape but makes no sense.
type checker struct {
	*report
	*Desk
	root *node
}

func check(d *Desk, root *node, r *report) {
	c := &checker{r, d, root}
	if c.tooMuch() {
		return
	}
	c.desk()
	c.keys()
	for i, s := range d.Statuses {
		c.status(i, s)
	}
	for i, m := range d.Moves {
		c.move(i, m)
	}
	c.twoMoves()
	c.relays()
	c.templates()
	c.clashingWords()
	if len(c.found) == 0 { // a name mistyped above would make half of the statuses unreachable
		c.reach()
	}
}

// tooMuch bounds what the other checks compare with each other.
func (c *checker) tooMuch() bool {
	words := 0
	for _, m := range c.Moves {
		for _, list := range m.Words {
			words += len(list)
		}
	}
	before := len(c.found)
	for _, count := range []struct {
		n, most int
		of      string
	}{
		{len(c.Statuses), maxStatuses, "statuses"},
		{len(c.Moves), maxMoves, "moves"},
		{len(c.Relays), maxItems, "relays"},
		{len(c.Templates), maxItems, "templates"},
		{len(c.Types), maxItems, "types"},
		{len(c.Priorities), maxItems, "priorities"},
		{words, maxWords, "reply words"},
	} {
		if count.n > count.most {
			c.add(0, "%d %s: at most %d", count.n, count.of, count.most)
		}
	}
	return len(c.found) > before
}

// says reports a problem with the value at a path.
func (c *checker) says(path []any, format string, args ...any) {
	c.add(c.root.place(path...), format, args...)
}

func path(steps ...any) []any { return steps }

func (c *checker) desk() {
	if c.Prefix != "" && !prefixPattern.MatchString(c.Prefix) {
		c.says(path("prefix"), `prefix %q: 2 to 16 capitals and digits, a capital first, as in "CASE"`, c.Prefix)
	}
	c.checkLanguages()
	for i, address := range c.Notify {
		if address != "" && !addressPattern.MatchString(address) {
			c.says(path("notify", i), `%q is no address: as in "anna@example.org"`, address)
		}
	}
	if s, ok := c.known(path("initial"), c.Initial); ok && s.Class != New {
		c.says(path("initial"), "a new case begins in a status of class new: %q is %s; %s", s.Key, s.Class, c.ofClass(New))
	}
	c.checkReopen()
	for _, class := range []Class{New, Closed} {
		if len(c.Statuses) > 0 && !slices.ContainsFunc(c.Statuses, func(s Status) bool { return s.Class == class }) {
			c.says(path("status"), "no status of class %s: every case begins in new and must be able to end in closed", class)
		}
	}
}

func (c *checker) checkLanguages() {
	if c.root.get("languages") != nil && len(c.Languages) == 0 {
		c.says(path("languages"), `no language: the desk's own first, as in ["en", "nl"]`)
	}
	for i, lang := range c.Languages {
		switch {
		case !languagePattern.MatchString(lang):
			c.says(path("languages", i), `unknown language %q: a code such as "en", "nl" or "nb"`, lang)
		case slices.Index(c.Languages, lang) < i:
			c.says(path("languages", i), "language %q stands twice: leave one away", lang)
		}
	}
}

func (c *checker) checkReopen() {
	switch {
	case c.Reopen.Days != 0 && c.Reopen.To == "":
		c.says(path("reopen"), "to is missing: the status that a reopened case gets; %s", c.ofClass(Open))
	case c.Reopen.Days == 0 && c.Reopen.To != "":
		c.says(path("reopen", "days"), "a case that is never reopened needs no to: leave it away, or give days")
	}
	if s, ok := c.known(path("reopen", "to"), c.Reopen.To); ok && s.Class != Open && s.Class != New {
		c.says(path("reopen", "to"), "a reopened case is the desk's to work on: %q is %s; %s", s.Key, s.Class, c.ofClass(Open, New))
	}
}

// keys checks the pattern of keys, that none stands twice, and that no label
// names two statuses.
func (c *checker) keys() {
	statuses := make([]string, len(c.Statuses))
	for i, s := range c.Statuses {
		statuses[i] = s.Key
	}
	c.keysOf("status", statuses)
	for list, options := range map[string][]Option{"priority": c.Priorities, "type": c.Types} {
		keys := make([]string, len(options))
		for i, o := range options {
			keys[i] = o.Key
		}
		c.keysOf(list, keys)
	}
	named := map[string]string{}
	for _, s := range c.Statuses {
		named[plainName(s.Key)] = s.Key
	}
	for i, s := range c.Statuses {
		for lang, label := range s.Label {
			switch other, ok := named[plainName(label)]; {
			case plainName(label) == "":
				c.says(path("status", i, "label", lang), "label %q: at most %d bytes, with letters or digits", label, maxWordBytes)
			case !ok:
				named[plainName(label)] = s.Key
			case other != s.Key:
				c.says(path("status", i, "label", lang), "label %q already names status %q: people could not tell them apart", label, other)
			}
		}
	}
}

func (c *checker) keysOf(list string, keys []string) {
	for i, key := range keys {
		switch {
		case key == "":
		case !keyPattern.MatchString(key) || len(key) > 40:
			c.says(path(list, i, "key"), `key %q: up to 40 of a to z, 0 to 9 and single hyphens between them, as in "in-progress"`, key)
		case slices.Index(keys, key) < i:
			c.says(path(list, i, "key"), "%s %q stands twice: give one of them another key", list, key)
		}
	}
}

func (c *checker) status(i int, s Status) {
	has := func(key string) bool { return c.root.get("status").items[i].get(key) != nil }
	only := func(key, why string, allowed ...Class) {
		if s.Class != "" && has(key) && !slices.Contains(allowed, s.Class) {
			c.says(path("status", i, key), "%s has no effect in a status of class %s: %s; allowed in %s", key, s.Class, why, quoted(allowed))
		}
	}
	only("answer", "a customer's answer does not move it", Customer, Blocked, Resolved)
	only("taken", "only a new case can be taken", New)
	only("remind", "only the customer's turn is reminded of", Customer)
	only("close_after", "a case closes by itself only while the customer is silent", Resolved, Customer)
	only("wake_to", "only a waiting case wakes", Customer, Blocked)
	if s.Class == Customer && !has("answer") {
		c.says(path("status", i), "answer is missing: where a customer's answer leads; %q if it is only a comment", s.Key)
	}

	c.known(path("status", i, "answer"), s.Answer)
	c.known(path("status", i, "taken"), s.Taken)
	c.known(path("status", i, "wake_to"), s.WakeTo)
	for key, to := range map[string]string{"answer": s.Answer, "taken": s.Taken, "wake_to": s.WakeTo} {
		if other, ok := c.Status(to); ok && other.Class.Ended() {
			c.says(path("status", i, key), "%s must not end a case: %q is %s", key, to, other.Class)
		}
	}
	if s.WakeTo == s.Key && s.WakeTo != "" {
		c.says(path("status", i, "wake_to"), "a case cannot wake to where it sleeps: name another status")
	}
	c.closing(i, s, has)
}

// closing checks when a case closes by itself.
func (c *checker) closing(i int, s Status, has func(string) bool) {
	switch other, ok := c.known(path("status", i, "close_to"), s.CloseTo); {
	case s.CloseAfter == 0:
		for _, key := range []string{"announce", "close_to"} {
			if has(key) {
				c.says(path("status", i, key), "%s has no effect without close_after: give the days of silence, or leave it away", key)
			}
		}
		return
	case s.CloseTo == "":
		c.says(path("status", i, "close_after"), "close_to is missing: the status a case gets after %d days of silence; %s", s.CloseAfter, c.ofClass(Closed, Rejected))
	case ok && !other.Class.Ended():
		c.says(path("status", i, "close_to"), "close_to must end the case: %q is %s; %s", other.Key, other.Class, c.ofClass(Closed, Rejected))
	}
	if s.Announce >= s.CloseAfter {
		c.says(path("status", i, "announce"), "announced %d days before, but the case closes after %d: less than that", s.Announce, s.CloseAfter)
	}
	for j, day := range s.Remind {
		if int(day) >= s.CloseAfter {
			c.says(path("status", i, "remind", j), "reminded after %d days, but the case closes after %d: less than that", day, s.CloseAfter)
		}
	}
}

func (c *checker) move(i int, m Move) {
	for j, from := range m.From {
		switch {
		case from == Any && len(m.From) > 1:
			c.says(path("move", i, "from", j), `"*" stands for every active status: write it alone`)
		case from == Any:
		case from == m.To && from != "":
			c.says(path("move", i, "from", j), "a move from %q to itself: name another status", from)
		case slices.Index(m.From, from) < j:
			c.says(path("move", i, "from", j), "%q stands twice: leave one away", from)
		default:
			c.known(path("move", i, "from", j), from)
		}
	}
	if len(m.From) == 0 && c.root.get("move").items[i].get("from") != nil {
		c.says(path("move", i, "from"), `no status: a list of them, or "*" for every active one`)
	}
	c.known(path("move", i, "to"), m.To)
	c.moveBy(i, m)
	for j, what := range m.Requires {
		if what != "comment" && what != "reason" {
			c.says(path("move", i, "requires", j), `unknown requirement %q: "comment" or "reason"`, what)
		}
	}
	for lang, words := range m.Words {
		for j, word := range words {
			if word != "" && (plain(word) == "" || strings.ContainsAny(word, "\r\n") || strings.HasPrefix(word, "#")) {
				c.says(path("move", i, "words", lang, j), `word %q: one line of at most %d bytes, with letters, and no # before it`, word, maxWordBytes)
			}
		}
	}
}

func (c *checker) moveBy(i int, m Move) {
	if len(m.By) == 0 && c.root.get("move").items[i].get("by") != nil {
		c.says(path("move", i, "by"), "nobody: some of %s", quoted(everybody))
	}
	for j, by := range m.By {
		if by != "" && !slices.Contains(everybody, by) {
			c.says(path("move", i, "by", j), "unknown side %q: some of %s", by, quoted(everybody))
		}
	}
	if len(m.Words) > 0 && !slices.Contains(m.By, ByCustomer) && !slices.Contains(m.By, ByAgent) {
		c.says(path("move", i, "words"), "words are for people: this move is made by %s", quoted(m.By))
	}
}

// twoMoves finds moves between the same statuses by the same side: only the
// first could ever be made.
func (c *checker) twoMoves() {
	type made struct {
		from, to string
		by       By
	}
	first := map[made]int{}
	for i, m := range c.Moves {
		for j, from := range m.From {
			for _, by := range m.By {
				w := made{from, m.To, by}
				if other, ok := first[w]; ok && other != i {
					c.says(path("move", i, "from", j), "a second move from %q to %q by %s: the first stands in line %d; make them one",
						from, m.To, by, c.line("move", other))
				} else {
					first[w] = i
				}
			}
		}
	}
}

// clashingWords finds words that mean two moves from the same status.
func (c *checker) clashingWords() {
	for _, s := range c.Statuses {
		for _, by := range everybody {
			meaning := map[string]int{}
			for i, m := range c.Moves {
				if !slices.Contains(m.By, by) || !c.leaves(m, s.Key, by) {
					continue
				}
				for lang, words := range m.Words {
					for j, word := range words {
						other, ok := meaning[plain(word)]
						if ok && other != i {
							c.says(path("move", i, "words", lang, j), "from %q the word %q already leads to %q (line %d): choose another",
								s.Key, word, c.Moves[other].To, c.line("move", other))
							continue
						}
						meaning[plain(word)] = i
					}
				}
			}
		}
	}
}

// reach finds statuses no case comes to, and those no case ever leaves.
func (c *checker) reach() {
	next := map[string][]string{}
	for _, e := range c.ways() {
		next[e.from] = append(next[e.from], e.to)
	}
	reached := map[string]bool{c.Initial: true}
	for queue := []string{c.Initial}; len(queue) > 0; queue = queue[1:] {
		for _, to := range next[queue[0]] {
			if !reached[to] {
				reached[to] = true
				queue = append(queue, to)
			}
		}
	}
	for i, s := range c.Statuses {
		if !reached[s.Key] {
			c.says(path("status", i), "no case ever comes to %q: name it in a move, or leave the status away", s.Key)
		}
		if len(next[s.Key]) == 0 && s.Class.Active() {
			c.says(path("status", i), "no case ever leaves %q: it is not an end, so add a move from it", s.Key)
		}
	}
}

// known reports a name that is no status.
func (c *checker) known(at []any, name string) (Status, bool) {
	if name == "" {
		return Status{}, false
	}
	s, ok := c.Status(name)
	if !ok && !c.full() {
		c.says(at, "unknown status %q: one of %s", name, strings.Join(c.Suggest(name), ", "))
	}
	return s, ok
}

// ofClass names the statuses of these classes.
func (c *checker) ofClass(cc ...Class) string {
	var keys []string
	for _, s := range c.Statuses {
		if slices.Contains(cc, s.Class) {
			keys = append(keys, s.Key)
		}
	}
	if len(keys) == 0 {
		return "the file has no such status yet"
	}
	return "one of " + strings.Join(keys, ", ")
}

func (c *checker) line(path ...any) int {
	return 1 + strings.Count(string(c.source[:c.root.place(path...)]), "\n")
}
