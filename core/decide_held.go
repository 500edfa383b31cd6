package core

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"postern/core/flow"
)

// perhapsAbout keeps which case held mail names, whoever wrote it: the desk's
// agents see it, and nobody else does (R36).
func (r *reading) perhapsAbout() {
	if r.plan.state != Held || r.plan.caseID != 0 {
		return
	}
	if c := r.namedCase(); c != nil && c.Desk == r.desk.id {
		r.plan.about = c.ID
		r.say("R36", "perhaps about %s: for agents to see", r.desk.caseNumber(c.Number))
	}
}

// asAnAgentSaid files what an agent made a case, or attached to one, whatever
// the mail's class, evidence and sender are.
func (r *reading) asAnAgentSaid() bool {
	switch r.f.row.ReleasedAs {
	case MakeCase:
		return r.madeCase()
	case AttachIt:
		return r.attached()
	}
	return false
}

func (r *reading) madeCase() bool {
	var steps []Step
	r.thread, steps = findCase(r.f, gather(r.f, r.tokens, r.m, r.numbers, r.now), r.desk.id)
	r.plan.trace = append(r.plan.trace, steps...)
	r.say("R28", "%s made it a case", clean(r.f.row.Releaser, 60))
	if r.thread.found != nil {
		return r.opensCase(r.thread.found)
	}
	return r.opensCase(r.thread.hidden)
}

// attached makes the mail a comment of its author on the case that an agent
// named. It moves nothing, is not answered, and makes nobody a participant.
func (r *reading) attached() bool {
	c := r.f.caseByID(r.f.row.ReleasedCase)
	if c == nil || c.Desk != r.desk.id {
		return r.hold("R63", "attach-gone", "the case it was to be attached to is none of this desk")
	}
	r.say("R36", "%s attached it to %s", clean(r.f.row.Releaser, 60), r.desk.caseNumber(c.Number))
	r.event(c, newEvent{kind: "attached", actor: *r.f.row.ReleasedBy, internal: true})
	r.sure = r.plan.assurance == Verified // that it belongs here does not say who wrote it
	marks := []string{"attached"}
	if !r.sure {
		marks = append(marks, "unverified")
	}
	if r.plan.class != Human {
		marks = append(marks, "machine")
	}
	if s := r.f.sender; s != nil && s.Role != "" {
		// nothing public in an agent's name (R42)
		text, rest := r.withForward(r.m.Reply)
		r.plan.entry = &newEntry{id: r.f.ids[3], note: true, text: text, rest: rest, html: r.m.HTML,
			marks: append(marks, r.m.Flaws...)}
		if r.sure {
			r.plan.entry.author = s.ID
		}
		r.tellDesk(c, NoticeNote, "", marks)
		return r.end(Filed, "attached as a note", "")
	}
	r.newPerson()
	r.comment(c, r.m.Reply, marks...)
	r.tellDesk(c, NoticeComment, "", marks)
	return r.end(Filed, "attached", "")
}

// heldCommand is one line of an answer to a list of held mail.
type heldCommand struct {
	line   string
	word   HeldWord
	ids    []int64
	all    bool   // whatever the list shows and no other line names
	number string // of AttachIt: the case
	wrong  string // code of what is wrong with it, [held-problem] in templates/words
	meant  string // what would be right
}

// heldWordsSaid are the words by language, in the order in which lists show
// them; the first of each is shown. All are understood, whatever the language.
var heldWordsSaid = []struct {
	word HeldWord
	said map[string][]string
}{
	{ReleaseIt, map[string][]string{"en": {"release"}, "nl": {"vrijgeven", "vrijgeef"}}},
	{MakeCase, map[string][]string{"en": {"case"}, "nl": {"zaak", "case"}}},
	{AttachIt, map[string][]string{"en": {"attach"}, "nl": {"koppelen", "koppel"}}},
	{RefuseIt, map[string][]string{"en": {"refuse"}, "nl": {"weigeren", "weiger"}}},
}

// allSaid are the words for "whatever else the list shows".
var allSaid = map[string]string{"en": "all", "nl": "alles"}

// fillers are words that people put between: "attach 12 to CASE-10001".
var fillers = []string{"to", "and", "mail", "aan", "bij", "en", "met"}

// heldWordsIn are the words of a language: what is written, and what it does.
func heldWordsIn(language string) []Word {
	if _, ok := allSaid[language]; !ok {
		language = "en"
	}
	var words []Word
	for _, w := range heldWordsSaid {
		words = append(words, Word{w.said[language][0], string(w.word)})
	}
	return append(words, Word{words[len(words)-1].Word + " " + allSaid[language], "refuse-all"})
}

// heldWord reads a word. near is the word that is within two letters of it, if
// it is none itself.
func heldWord(said string) (word HeldWord, near string) {
	best := 3
	for _, k := range heldWordsSaid {
		for _, words := range k.said {
			for _, known := range words {
				if n := flow.Distance(strings.ToLower(said), known); n == 0 {
					return k.word, ""
				} else if n < best && len(said) > n+2 {
					best, near = n, known
				}
			}
		}
	}
	return "", near
}

// longestHeldAnswer bounds what is read of an answer: a list shows 40 mails.
const longestHeldAnswer = 200

// readHeldCommands reads the lines on top of an answer to a list of held mail,
// and below a mail system's banner, until the first that is none: text may stand
// below them, and never among or above them, where quoted text of strangers could be taken for an answer
// (R43).
func readHeldCommands(reply string) []heldCommand {
	_, reply = splitBanner(reply)
	var lines []heldCommand
	text := false
	n := 0
	for line := range strings.Lines(reply) {
		if n++; n > longestHeldAnswer {
			break
		}
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		c, ok := readHeldCommand(line)
		switch {
		case !ok && len(lines) == 0:
			return nil
		case !ok:
			text = true
		case text && c.wrong == "":
			c.wrong = "below-text"
			lines = append(lines, c)
		case !text:
			lines = append(lines, c)
		}
	}
	return lines
}

// readHeldCommand reads one line; false if it is text.
func readHeldCommand(line string) (heldCommand, bool) {
	if strings.HasPrefix(line, ">") {
		return heldCommand{}, false
	}
	parts := strings.FieldsFunc(cut(line, 2000), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' })
	if len(parts) == 0 {
		return heldCommand{}, false
	}
	c := heldCommand{line: clean(line, 100)}
	word, near := heldWord(parts[0])
	rest := parts[1:]
	if word == "" {
		if near == "" || len(rest) == 0 || !startsWithDigit(rest[0]) {
			return c, false
		}
		c.wrong, c.meant = "no-word", near+" "+strings.Join(rest, " ")
		return c, true
	}
	c.word = word
	for _, part := range rest {
		part = strings.Trim(part, "-")
		id, err := strconv.ParseInt(part, 10, 64)
		switch {
		case part == "" || slices.Contains(fillers, strings.ToLower(part)):
		case word == AttachIt && len(c.ids) == 1 && c.number == "":
			c.number = part
		case err == nil && id > 0:
			c.ids = append(c.ids, id)
		case word == RefuseIt && slices.Contains([]string{allSaid["en"], allSaid["nl"]}, strings.ToLower(part)):
			c.all = true
		default:
			c.wrong = "no-number"
		}
	}
	switch {
	case c.wrong != "":
	case word == AttachIt && (len(c.ids) != 1 || c.number == ""):
		c.wrong = "attach-what"
	case len(c.ids) == 0 && !c.all:
		c.wrong = "which"
	}
	return c, true
}

func startsWithDigit(s string) bool { return s[0] >= '0' && s[0] <= '9' }

// listedRow is a mail that a list of held mail showed, as it is now.
type listedRow struct {
	wordRow
	From    string
	Subject string
	Person  *int64
}

// heldList is the list of held mail that this mail answers, or what we said to
// an earlier answer, which is answered to correct it: by its reply
// address, or where plus addresses do not come through by In-Reply-To (R34).
func (r *reading) heldList() *letterRow {
	for _, t := range r.tokens {
		for i := range r.f.tokens {
			if l := &r.f.tokens[i]; isReplyToken(t, l) || isNoteToken(t, l) {
				return ifList(l)
			}
		}
	}
	ids := append(slices.Clone(r.m.References), r.m.InReplyTo...)
	if len(ids) == 0 {
		return nil
	}
	h := string(hashID(ids[len(ids)-1]))
	for i := range r.f.ours {
		if string(r.f.ours[i].IDHash) == h {
			return ifList(&r.f.ours[i])
		}
	}
	return nil
}

func ifList(l *letterRow) *letterRow {
	if l.Kind != HeldList && l.Kind != HeldDone {
		return nil
	}
	return l
}

// namesHeldList says that the mail names a list of held mail, by whatever sign:
// what is held must not grow by the out-of-office replies to what tells of it.
func (r *reading) namesHeldList() bool {
	isList := func(l letterRow) bool { return ifList(&l) != nil }
	return slices.ContainsFunc(r.f.tokens, isList) || slices.ContainsFunc(r.f.ours, isList)
}

// listToken is a live list of held mail that went to this very agent, by whose
// reply address the mail came.
func (r *reading) listToken() *letterRow {
	l := r.heldList()
	if l == nil || len(r.tokens) == 0 || l.TokenUntil == nil || l.TokenUntil.Before(r.now) ||
		l.Person == nil || *l.Person != r.f.sender.ID || l.Address != r.from().Address {
		return nil
	}
	return l
}

// answersHeldList carries out what an agent answers to a list of held mail.
// Whoever is no agent of this desk is not heard by it, whatever they hold.
func (r *reading) answersHeldList() bool {
	l := r.heldList()
	s := r.f.sender
	if l == nil || s == nil || s.Role == "" || r.released && *r.f.row.ReleasedBy != s.ID {
		return false
	}
	agent, why := r.prove()
	switch {
	case why != "":
		return r.unproved(why)
	case r.plan.class != Human:
		return r.hold("R28", "automatic", "perhaps a machine's answer to a list of held mail")
	case l.Person == nil || *l.Person != s.ID || l.Address != r.from().Address:
		return r.hold("R42", "list-other", "it answers a list of held mail that went to somebody else")
	}
	done, refused := r.heldWords(l, agent)
	outcome := "decides on held mail"
	switch {
	case len(done) == 0:
		r.say("R43", "no line of it is a word on held mail")
		outcome = "no word on held mail"
	case refused:
		r.say("R43", "one line is wrong: nothing is done")
		outcome = "words on held mail refused"
		r.plan.heldWords = nil
	default:
		r.say("R42", "an agent of this desk, proved: %d words on held mail", len(r.plan.heldWords))
	}
	to := r.sender()
	to.agent = true
	w := draft{kind: HeldDone, to: to, replied: true, inReplyTo: r.m.MessageID, payload: Payload{
		Held: done, Listed: l.Listed, Page: r.set.BaseURL + "/held", Words: heldWordsIn(to.language)}}
	if refused {
		w.payload.Reason = "refused"
	}
	r.send(w, 0)
	return r.end(Filed, outcome, "")
}

// heldWords checks the lines of an answer against what the list showed, and
// says for each mail what becomes of it. One bad line rejects all (R43).
func (r *reading) heldWords(l *letterRow, agent provenAgent) (done []HeldItem, refused bool) {
	rows := map[int64]*listedRow{}
	for i := range r.f.listed {
		if row := &r.f.listed[i]; slices.Contains(l.Listed, row.ID) {
			rows[row.ID] = row
		}
	}
	named := map[int64]bool{}
	for _, c := range r.heldLines {
		for _, id := range c.ids {
			named[id] = true
		}
	}
	said := map[int64]bool{}
	for _, c := range r.heldLines {
		if c.wrong != "" {
			done = append(done, HeldItem{Line: c.line, Problem: c.wrong, Meant: c.meant})
			refused = true
			continue
		}
		ids := c.ids
		if c.all {
			for _, id := range l.Listed {
				if row := rows[id]; row != nil && !named[id] && row.may(c.word) == nil {
					ids = append(ids, id)
				}
			}
		}
		if len(ids) == 0 { // all, and nothing is left
			done = append(done, HeldItem{Line: c.line, Problem: "none-left"})
		}
		for _, id := range ids {
			item := HeldItem{Line: c.line, ID: id, Word: string(c.word)}
			s := saidOfHeld{ledger: id, word: c.word}
			if row := rows[id]; row == nil {
				item.Problem = "not-listed"
			} else {
				item.From, item.Subject = clean(row.From, 100), clean(row.Subject, 100)
				item.Code, item.Detail = heldCode(row.State, row.Reason)
				item.Problem = r.mayNot(c.word, row, agent)
			}
			if c.word == AttachIt && item.Problem == "" {
				number, _ := r.desk.readNumber(c.number)
				item.Case, s.caseID = r.desk.caseNumber(number), r.f.attachTo[number]
				if s.caseID == 0 {
					item.Problem, item.Case = "no-case", clean(c.number, 30)
				}
			}
			if said[id] {
				item.Problem = "twice"
			}
			said[id] = true
			refused = refused || item.Problem != ""
			done = append(done, item)
			r.plan.heldWords = append(r.plan.heldWords, s)
		}
	}
	return done, refused
}

// mayNot says why a word cannot be said of a listed mail, "" if it can. A token
// alone opens no case, and vouches for no mail in the agent's own name (R42).
func (r *reading) mayNot(word HeldWord, row *listedRow, agent provenAgent) string {
	err := row.may(word)
	switch {
	case row.Decided:
		return "decided"
	case row.State != Held && row.State != Quarantined:
		return "not-listed"
	case err != nil:
		return "cannot"
	case agent.byToken && (word == ReleaseIt || word == MakeCase):
		return "token"
	}
	return ""
}
