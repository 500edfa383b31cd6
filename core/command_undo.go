package core

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"postern/core/token"
)

// undoChars of a token carry 60 bits, for a day, and for one agent who is proved.
const undoChars = 12

// undoToken is what takes back the block that a transcript tells of.
func undoToken(key token.Key, messageID string) string {
	return key.Reply("undo", messageID)[:undoChars]
}

// undoStep is one thing that a block changed, as the table of undos keeps it.
type undoStep struct {
	Field  string `json:"field"`
	Was    string `json:"was,omitempty"`
	Became string `json:"became,omitempty"`
	Quiet  bool   `json:"quiet,omitempty"` // the customer's side was told nothing
}

// What can be taken back.
const (
	fieldStatus   = "status"
	fieldOwner    = "owner"
	fieldPriority = "priority"
	fieldType     = "type"
	fieldDue      = "due"
	fieldTime     = "time"
	fieldCc       = "cc"
	fieldBlock    = "block"
	fieldLink     = "link"
)

// undoField is how a thing is taken back. A new command that can be brings its
// row here.
type undoField struct {
	events []string // kinds of event by which others change the same thing
	// holds says that the thing is still as the block left it
	holds func(r *reading, c *caseRow, s undoStep) bool
	// restore plans what was, and says it; false if that is possible no longer
	restore func(r *reading, b *block, s undoStep) (Change, bool)
}

var undoFields = map[string]undoField{
	fieldStatus: {[]string{"status"},
		func(_ *reading, c *caseRow, s undoStep) bool {
			return statusStamp(c.Status, timeOr(c.WakeAt)) == s.Became
		},
		restoreStatus},
	fieldOwner: {[]string{"owner"},
		func(_ *reading, c *caseRow, s undoStep) bool { return idText(idOr(c.Owner)) == s.Became },
		restoreOwner},
	fieldPriority: {[]string{"priority"},
		func(_ *reading, c *caseRow, s undoStep) bool { return c.Priority == s.Became },
		restoreOption(columnPriority)},
	fieldType: {[]string{"type"},
		func(_ *reading, c *caseRow, s undoStep) bool { return c.Type == s.Became },
		restoreOption(columnType)},
	fieldDue: {[]string{"due"},
		func(_ *reading, c *caseRow, s undoStep) bool { return stamp(timeOr(c.DueAt)) == s.Became },
		restoreDue},
	fieldTime: {nil,
		func(_ *reading, c *caseRow, s undoStep) bool { return c.Spent-number(s.Became) >= 0 },
		restoreTime},
	fieldCc: {[]string{"participant", "removed"},
		func(r *reading, _ *caseRow, s undoStep) bool {
			if s.Became == "" && r.f.undo.given() { // perhaps to another organisation (R63)
				return false
			}
			return slices.Contains(r.f.undo.Participants, s.Became+s.Was) == (s.Became != "")
		},
		restoreCc},
	fieldBlock: {[]string{"blocked", "unblocked"},
		func(r *reading, _ *caseRow, s undoStep) bool {
			return r.f.undo.Blocked == (s.Became == "blocked") && !r.f.undo.given() // or it was somebody else
		},
		restoreBlock},
	fieldLink: {[]string{"linked", "unlinked"}, linkHolds, restoreLink},
}

// undoRow is what the table knows of a token that a mail names.
type undoRow struct {
	Hash         []byte
	CaseID       int64
	Person       int64
	MadeAt       time.Time
	Until        time.Time
	UsedAt       *time.Time
	Steps        []undoStep
	Since        []undoSince // events on the case since then, newest first
	Participants []string    // all addresses of those who take part now
	Blocked      bool        // the requester is
}

type undoSince struct {
	Kind   string `json:"kind"`
	Actor  string `json:"actor"`
	Became string `json:"became"`
}

// given says that the case is another requester's since.
func (u *undoRow) given() bool {
	return slices.ContainsFunc(u.Since, func(e undoSince) bool { return e.Kind == "requester" })
}

// takesBack is "#undo TOKEN". It stands alone: isAgents hands a mail that begins
// with it to undoes, whatever case the mail names.
type takesBack struct{}

func readUndo(_ commandInput, words string) (order, error) { return takesBack{}, nil }

func (takesBack) sets() string                  { return "" }
func (takesBack) refuse(*reading, *block) error { return wrong{code: "undo-alone"} }
func (takesBack) carry(*reading, *block)        {}

func isUndo(name string) bool {
	k, ok := findCommand(name)
	return ok && k.name == "undo"
}

// asksUndo says that a mail is nothing but a command to take something back.
func (r *reading) asksUndo() bool {
	lines, _ := r.commandBlock()
	if len(lines) != 1 {
		return false
	}
	name, _ := r.commandIn(lines[0])
	return isUndo(name)
}

// undoes takes back what a block of the same agent did, as far as nobody has
// changed it since. A token of somebody else, and one that is none, are answered
// alike (R63).
func (r *reading) undoes(agent provenAgent) bool {
	lines, text := r.commandBlock()
	u := r.f.undo
	var c *caseRow
	if u != nil {
		c = r.f.caseByID(u.CaseID)
	}
	mine := u != nil && u.Person == agent.person && c != nil && c.Desk == r.desk.id && c.Visible
	code := ""
	switch {
	case agent.byToken:
		code = "token-proof"
	case !mine:
		code = "undo-none"
	case u.UsedAt != nil:
		code = "undo-used"
	case !u.Until.After(r.now):
		code = "undo-over"
	}
	if code != "" {
		r.say("R42", "nothing is taken back: %s", code)
		if !mine {
			c = r.thread.found
		}
		if c != nil && c.Visible {
			r.plan.caseID = c.ID
		} else {
			c = nil
		}
		b := &block{c: c, agent: agent, lines: lines, language: r.sender().language}
		r.refused(b, []Problem{problemOf(lines[0], wrong{code: code})})
		if c == nil || text == "" {
			return r.end(Filed, "undo refused", "")
		}
		r.writesNote(c, agent, text)
		return r.end(Filed, "undo refused, text kept as a note", "")
	}
	b := &block{c: c, agent: agent, lines: lines, text: text, language: r.sender().language}
	r.plan.caseID, r.plan.undone = c.ID, true
	r.takeBack(b, u)
	if text != "" {
		r.writesNote(c, agent, text)
		b.changed = append(b.changed, Change{What: "note"})
	}
	if !b.quiet {
		r.tellCustomers(c)
	}
	r.answered(b, "undone")
	return r.end(Filed, "takes back", "")
}

// takeBack plans the steps of a block backwards.
func (r *reading) takeBack(b *block, u *undoRow) {
	var fields []string
	for _, s := range slices.Backward(u.Steps) {
		f, ok := undoFields[s.Field]
		if !ok {
			continue
		}
		if !f.holds(r, b.c, s) {
			b.changed = append(b.changed, Change{"left", s.Field, u.changedBy(f.events, s)})
			continue
		}
		done, ok := f.restore(r, b, s)
		if !ok {
			b.changed = append(b.changed, Change{"left", s.Field, ""})
			continue
		}
		b.quiet = b.quiet || s.Quiet
		b.changed = append(b.changed, done)
		fields = append(fields, s.Field)
	}
	if len(fields) > 0 {
		r.plan.events = append(r.plan.events, newEvent{kind: "taken-back", actor: b.agent.person, internal: true, was: strings.Join(fields, ", ")})
	}
	r.say("R43", "the block of %s is taken back: %s", u.MadeAt.UTC().Format(time.RFC3339), nameOr(strings.Join(fields, ", "), "nothing of it"))
}

// changedBy is who changed a thing since, "" if nobody knows.
func (u *undoRow) changedBy(kinds []string, s undoStep) string {
	for _, e := range u.Since {
		if slices.Contains(kinds, e.Kind) && (s.Field != fieldCc || e.Became == s.Became+s.Was) {
			return e.Actor
		}
	}
	return ""
}

func restoreStatus(r *reading, b *block, s undoStep) (Change, bool) {
	key, until, _ := strings.Cut(s.Was, " ")
	to, ok := r.desk.Status(key)
	from, _ := r.desk.Status(b.c.Status)
	if !ok {
		return Change{}, false
	}
	r.plan.saidStatus = true
	r.plan.change = &statusChange{from: from, to: to, actor: b.agent.person, until: readStamp(until)}
	return Change{"status", from.Label.In(b.language), to.Label.In(b.language)}, true
}

func restoreOwner(r *reading, b *block, s undoStep) (Change, bool) {
	people := agentsOnce(r.f.agents)
	was := number(s.Was)
	if was != 0 && !r.agentOf(was) {
		return Change{}, false
	}
	r.plan.saidOwner = true
	r.setsOwner(was)
	return Change{"owner", shownAgent(people, idOr(b.c.Owner)), shownAgent(people, was)}, true
}

func restoreOption(column caseColumn) func(*reading, *block, undoStep) (Change, bool) {
	return func(r *reading, b *block, s undoStep) (Change, bool) {
		options := r.desk.Priorities
		if column == columnType {
			options = r.desk.Types
		}
		if s.Was != "" && option(options, s.Was, b.language) == "" {
			return Change{}, false
		}
		r.plan.sets = append(r.plan.sets, caseField{column, s.Was})
		return Change{string(column), option(options, s.Became, b.language), option(options, s.Was, b.language)}, true
	}
}

func restoreDue(r *reading, _ *block, s undoStep) (Change, bool) {
	r.setsDue(readStamp(s.Was))
	return Change{"due", s.Became, s.Was}, true
}

func restoreTime(r *reading, b *block, s undoStep) (Change, bool) {
	r.plan.spends = -int(number(s.Became))
	return Change{"time", hoursText(b.c.Spent), hoursText(b.c.Spent + int64(r.plan.spends))}, true
}

func restoreCc(r *reading, _ *block, s undoStep) (Change, bool) {
	if s.Became != "" {
		r.plan.removed = append(r.plan.removed, s.Became)
		return Change{"cc-remove", "", s.Became}, true
	}
	if !isReachable(s.Was) { // erased since
		return Change{}, false
	}
	r.plan.joining = append(r.plan.joining, invited{address: s.Was})
	return Change{"cc-add", "", s.Was}, true
}

func restoreBlock(r *reading, b *block, s undoStep) (Change, bool) {
	r.plan.block, r.plan.blocked = b.c.Requester, s.Became != "blocked"
	return Change{What: blockWord(r.plan.blocked)}, true
}

// idText and number are an id in a step, "" for none.
func idText(id int64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}

func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

func idOr(id *int64) int64 {
	if id == nil {
		return 0
	}
	return *id
}
