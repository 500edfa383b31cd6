package core

import (
	"slices"
	"strings"

	"postern/core/flow"
)

// asksOnly answers mail that asks for lists and cases. It opens no case and
// changes none; whoever may not ask this way is heard as ever.
func (r *reading) asksOnly() bool {
	s := r.f.sender
	if s == nil || r.relay != nil || !r.toCommand && (!r.asked.whole || r.isAboutACase()) {
		return false
	}
	if s.Role != "" {
		return r.agentAsks()
	}
	return r.customerAsks()
}

// isAboutACase says that the mail names a case, be there one or not. A case
// that we showed on being asked is only where the next question came from.
func (r *reading) isAboutACase() bool {
	signs := gather(r.f, r.tokens, r.m, r.numbers, r.now)
	if len(signs) > 0 && signs[0].letter != nil && signs[0].letter.Kind == CaseSheet {
		return false
	}
	return len(signs) > 0 || len(r.numbers) > 0
}

func (r *reading) agentAsks() bool {
	agent, why := r.prove()
	switch {
	case why != "" && (r.released || !r.toCommand):
		return false
	case why != "":
		return r.unproved(why)
	case agent.byToken:
		return r.unproved("a token alone shows no list")
	case r.plan.class != Human && !r.toCommand:
		return false
	case r.plan.class != Human:
		return r.hold("R28", "automatic", "perhaps a machine's mail to the command address")
	}
	r.say("R42", "an agent of this desk, proved: %d queries", len(r.asked.lines))
	r.setMorning()
	return r.answerQueries(true)
}

// customerAsks answers customers beyond doubt, or with a live reply address of
// theirs (R45), with what the wall lets them see. Text of theirs is never taken
// for a query by half.
func (r *reading) customerAsks() bool {
	mine := func(q query) bool { return q.wrong == "" && !q.agents }
	switch {
	case r.plan.class != Human || r.released:
		return false
	case !slices.ContainsFunc(r.asked.lines, mine):
		return false
	case !r.toCommand && (slices.ContainsFunc(r.asked.lines, func(q query) bool { return !mine(q) }) || r.asksInPassing()):
		return false
	case !(r.sure && r.wroteToDesk()) && !r.holdsToken():
		r.say("R45", "it asks for cases, and nothing proves who does: handled as any mail")
		return false
	}
	r.say("R45", "a customer, proved: %d queries", len(r.asked.lines))
	return r.answerQueries(false)
}

// asksInPassing says that a mail to the desk itself is perhaps a report that
// begins like a query: "search is broken", under a subject that says more; or
// "help".
func (r *reading) asksInPassing() bool {
	if slices.ContainsFunc(r.m.Files, func(f File) bool { return !f.Inline }) || len(r.m.Forwarded) > 0 {
		return true
	}
	_, subject := readQuery(r.m.Subject)
	answers := slices.ContainsFunc(r.f.ours, func(l letterRow) bool { return l.Kind == Worklist || l.Kind == CaseSheet })
	return slices.ContainsFunc(r.asked.lines, func(q query) bool {
		return q.verb == asksHelp || q.verb == asksSearch && strings.TrimSpace(r.m.Subject) != "" && !subject && !answers
	})
}

// holdsToken says that the mail came to a live reply address of this very
// person, too.
func (r *reading) holdsToken() bool {
	return r.plan.assurance != Failed && slices.ContainsFunc(r.f.tokens, func(l letterRow) bool {
		return l.TokenUntil != nil && l.TokenUntil.After(r.now) && l.Person != nil && *l.Person == r.f.sender.ID &&
			l.Address == r.from().Address && slices.ContainsFunc(r.tokens, func(t string) bool { return isReplyToken(t, &l) })
	})
}

// setMorning turns an agent's digest of the morning on or off; the last word
// counts.
func (r *reading) setMorning() {
	for _, q := range r.asked.lines {
		if q.verb == asksMorning && q.wrong == "" {
			r.plan.morning = q.scope
		}
	}
}

// answerQueries sends what was asked for. One case alone is a letter about that
// case: an answer to it goes where it says. All else is answered at the command
// address.
func (r *reading) answerQueries(agent bool) bool {
	to := r.sender()
	to.agent, to.answers = agent, r.f.answered
	w := draft{kind: Worklist, to: to, replied: true, inReplyTo: r.m.MessageID}
	p := &w.payload
	p.Unread, p.Over = r.asked.unread, r.asked.over
	help := len(r.asked.lines) == 0
	for i, q := range r.asked.lines {
		a := QueryAnswer{Line: q.line, Verb: q.verb, Scope: q.scope, Problem: q.wrong, Meant: q.meant}
		if !agent && q.agents {
			a.Problem, a.Meant = "no-scope", ""
		}
		if a.Problem == "" {
			r.answerQuery(q, r.f.found[i], agent, to.language, &a)
		}
		help = help || q.verb == asksHelp || a.Problem != "" && a.Problem != "no-case"
		p.Answers = append(p.Answers, a)
	}
	if !r.asked.understood() {
		p.Reason = "not-understood"
	}
	p.Words = queryWordsIn(to.language, agent)
	if !help {
		p.Words = slices.DeleteFunc(p.Words, func(x Word) bool {
			return x.Does != "list-open" && x.Does != asksSearch && x.Does != asksShow && x.Does != asksHistory
		})
	}
	if len(p.Answers) == 1 && p.Answers[0].Sheet != nil {
		r.aboutOneCase(&w, r.f.found[0].sheet)
	}
	r.send(w, 0)
	return r.end(Filed, "answers a query", "")
}

func (r *reading) aboutOneCase(w *draft, c *sheetCase) {
	sheet := w.payload.Answers[0].Sheet
	w.kind, w.about = CaseSheet, c.ID
	p := &w.payload
	p.Title, p.Customer, p.Company, p.Status, p.Means = sheet.Title, sheet.Customer, sheet.Company, sheet.Status, sheet.Means
}

func (r *reading) answerQuery(q query, found queryFound, agent bool, language string, a *QueryAnswer) {
	switch q.verb {
	case asksList, asksSearch:
		for _, c := range found.cases {
			a.Cases = append(a.Cases, r.item(c, agent, language))
		}
		if len(found.cases) > 0 {
			a.More = int(found.cases[0].Total) - len(found.cases)
		}
	case asksShow, asksHistory:
		if found.sheet == nil {
			a.Problem = "no-case"
			return
		}
		a.Sheet = r.sheet(*found.sheet, found.entries, q.verb == asksHistory, agent, language)
	}
}

// item is a case as a letter tells it.
func (r *reading) item(c listedCase, agent bool, language string) CaseItem {
	return caseItem(r.desk, c, agent, language)
}

func caseItem(d *running, c listedCase, agent bool, language string) CaseItem {
	class := flow.Class(c.Class)
	item := CaseItem{Number: d.caseNumber(c.Number), Title: clean(c.Title, 250), Status: statusLabel(d, c.Status, language),
		Priority: option(d.Priorities, c.Priority, language), Customer: clean(c.Requested, 100), Company: clean(c.Company, 100),
		Opened: c.OpenedAt, Changed: c.ChangedAt, Turn: class == flow.Customer || class == flow.Resolved}
	if agent {
		item.Owner, item.Overdue, item.Turn = clean(c.OwnerName, 100), c.Overdue, c.Answered
		if c.DueAt != nil {
			item.Due = *c.DueAt
		}
	} else if c.Fixed {
		item.Title, item.Customer = "", ""
	}
	return item
}

// sheet is a case and its newest entries, oldest first.
func (r *reading) sheet(c sheetCase, rows []timelineRow, history, agent bool, language string) *Sheet {
	status, _ := r.desk.Status(c.Status)
	s := &Sheet{CaseItem: r.item(c.listedCase, agent, language), Means: status.Means.In(language),
		Type: option(r.desk.Types, c.Type, language)}
	if c.Fixed && !agent { // nothing of what was written (R51)
		return s
	}
	for _, p := range c.Participants {
		s.Participants = append(s.Participants, clean(p, 100))
	}
	left := historyBytes
	for _, row := range rows { // newest first
		e := SheetEntry{Kind: row.Kind, At: row.At, Author: clean(row.Author, 100), Event: row.Event,
			Was: eventLabel(r.desk, row.Event, row.Was, language), Became: eventLabel(r.desk, row.Event, row.Became, language)}
		e.Why, e.Until = readUntil(row.Why)
		limit := left
		if !history {
			limit = entryBytes
		}
		e.Text = headBytes(row.Text, limit)
		e.Cut = int64(len(e.Text)) < row.Size
		left = max(0, left-len(e.Text))
		if agent {
			e.Marks = row.Marks
		}
		s.Entries = append(s.Entries, e)
	}
	slices.Reverse(s.Entries)
	if len(rows) > 0 {
		s.Left = int(rows[0].Total) - len(rows)
	}
	return s
}

// headBytes is the beginning of a text, of at most max octets.
func headBytes(s string, max int) string {
	if len(s) <= max {
		return s
	}
	return strings.ToValidUTF8(s[:max], "")
}
