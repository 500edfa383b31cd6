package core

import (
	"slices"
	"strings"
	"time"
)

// dateWithin is how far a Date field may be from now in a mail that uses an
// agent's powers: an old signed mail cannot be sent again later (R42).
const dateWithin = 7 * 24 * time.Hour

// provenAgent is an agent of this desk whose identity is proved (R42). Agents'
// powers take one, and only prove makes one.
type provenAgent struct {
	person  int64
	name    string
	byToken bool // by a reply token alone: good for its case, and nothing new
}

// prove says whether the mail is an agent's beyond doubt, and if not, why.
func (r *reading) prove() (provenAgent, string) {
	s := r.f.sender
	agent := provenAgent{person: s.ID, name: nameOr(s.Name, r.from().Address)}
	away := r.now.Sub(r.m.Date).Abs()
	switch {
	case r.released && *r.f.row.ReleasedBy == s.ID:
		return agent, ""
	case r.released:
		return provenAgent{}, "a colleague released it"
	case away > dateWithin:
		return provenAgent{}, "its Date is more than 7 days away"
	case r.plan.assurance == Verified && r.sure && r.wroteToDesk():
		return agent, ""
	case r.desk.AgentProof == "token" && r.plan.assurance != Failed && (r.liveToken() != nil || r.listToken() != nil):
		r.say("R42", "this desk takes a live token of the agent as proof")
		agent.byToken = true
		return agent, ""
	}
	switch {
	case r.plan.assurance != Verified:
		return provenAgent{}, "nothing proves that the agent wrote it"
	case !r.sure:
		return provenAgent{}, "it was sent before"
	}
	return provenAgent{}, notToDesk
}

// notToDesk is why a verified mail of an agent has no power here.
const notToDesk = "nothing proves that the agent wrote it to this desk"

// wroteToDesk says that a verified mail was written to this desk: whoever got a
// signed mail from an agent could else hand it to us, and have it answer a case.
// The desk stands in To or Cc, and no signature that proves From leaves those
// open. A border that vouches tells nothing of To.
func (r *reading) wroteToDesk() bool {
	if !r.toDesk {
		return false
	}
	open := false
	for _, s := range r.m.Signatures {
		if s.proves(r.m.FromOrg) == "" {
			if !s.ToOpen {
				return true
			}
			open = true
		}
	}
	return !open
}

// liveToken is the letter to this very agent whose token the mail came to.
func (r *reading) liveToken() *letterRow {
	for _, e := range gather(r.f, r.tokens, r.m, r.numbers, r.now) {
		if e.part == "a" && e.letter.Person != nil && *e.letter.Person == r.f.sender.ID && e.letter.Address == r.from().Address {
			return e.letter
		}
	}
	return nil
}

// isAgents files the mail of an address that is an agent's of this desk.
func (r *reading) isAgents() bool {
	if r.f.sender == nil || r.f.sender.Role == "" {
		return false
	}
	agent, why := r.prove()
	if why != "" && !r.released {
		return r.unproved(why)
	}
	var steps []Step
	r.thread, steps = findCase(r.f, gather(r.f, r.tokens, r.m, r.numbers, r.now), r.desk.id)
	r.plan.trace = append(r.plan.trace, steps...)
	if why != "" {
		return r.vouchedFor()
	}
	r.say("R42", "an agent of this desk, proved")
	if !agent.byToken && !r.isAboutMerged() { // a token alone is good for its case
		r.goesOn()
	}
	if c := r.variantOf(); c != nil && c.Visible && r.reaches(agent, c) {
		return r.agentsVariant(c, agent)
	}
	switch c := r.thread.found; {
	case r.toNew && !agent.byToken:
		r.say("R64", "it came to the address that opens cases")
		return r.agentOpens(agent)
	case r.thread.conflict:
		return r.hold("R34", "two-organisations", "it names cases of two organisations")
	case agent.byToken && (r.toNew || !r.reaches(agent, c)):
		return r.unproved("a token alone opens no case")
	case r.plan.class == Human && !r.isInternal() && r.asksUndo():
		return r.undoes(agent)
	case c == nil:
		return r.agentOpens(agent)
	case r.isInternal():
		r.say("R40", "it came to an internal address: a note")
		return r.writesNote(c, agent, r.m.Reply)
	case r.plan.class == PerhapsMachine:
		r.say("R28", "perhaps a machine: a note, nothing public")
		return r.writesNote(c, agent, r.m.Reply)
	case len(r.m.Forwarded) > 0 && r.thread.by.part > "b":
		return r.forwardsInto(c, agent)
	default:
		return r.writes(c, agent)
	}
}

// reaches says that the proof of an agent is good for a case: a token alone is
// for its own, and that of a list of held mail for none (R42).
func (r *reading) reaches(agent provenAgent, c *caseRow) bool {
	if !agent.byToken {
		return true
	}
	l := r.liveToken()
	return l != nil && c != nil && c.ID == *l.CaseID
}

// agentsVariant keeps another text under the Message-ID of an earlier mail of
// the agent (R6): a note, for the first may have been one (R40).
func (r *reading) agentsVariant(c *caseRow, agent provenAgent) bool {
	r.say("R6", "the Message-ID of an earlier mail with another text: a note, and no mail")
	r.plan.caseID = c.ID
	text, rest := r.withForward(r.m.Reply)
	r.plan.entry = &newEntry{id: r.f.ids[3], note: true, author: agent.person, text: text, rest: rest,
		html: r.m.HTML, marks: append([]string{"variant"}, r.m.Flaws...)}
	return r.end(Filed, "note, a variant", "")
}

// vouchedFor files what a colleague released: nobody but the agent can lend
// it the agent's powers, so it is a note, or a case like anybody's.
func (r *reading) vouchedFor() bool {
	r.say("R42", "released by a colleague: nothing is done in the agent's name")
	if c := r.thread.found; c != nil && !r.thread.conflict {
		r.plan.caseID = c.ID
		text, rest := r.withForward(r.m.Reply)
		r.plan.entry = &newEntry{id: r.f.ids[3], note: true, text: text, rest: rest, html: r.m.HTML,
			marks: []string{"unverified"}}
		r.tellDesk(c, NoticeNote, "", nil)
		return r.end(Filed, "note", "")
	}
	return r.opensCase(nil)
}

// isInternal says that the mail came to an internal reply address.
func (r *reading) isInternal() bool {
	for _, t := range r.tokens {
		for i := range r.f.tokens {
			if isNoteToken(t, &r.f.tokens[i]) {
				return true
			}
		}
	}
	// where plus addresses do not come through, the notice that is answered says it
	l := r.thread.letter
	return len(r.tokens) == 0 && l != nil && r.thread.by.part == "b" && l.Kind == NoticeNote
}

// unproved sets aside what an agent's address sent without proof: with a live
// token of that agent it waits as a note for one word of theirs, otherwise it
// is held and they are warned (R42).
func (r *reading) unproved(why string) bool {
	l := r.liveToken()
	if l == nil || l.CaseID == nil {
		reason := "agent-forged"
		if why == notToDesk {
			reason = "agent-elsewhere"
		}
		r.hold("R42", reason, why+", and it came to no reply address of theirs")
		r.warn()
		return true
	}
	c := r.f.caseByID(*l.CaseID)
	if c == nil || !c.Visible {
		return r.hold("R44", "agent-forged", "the agent may no longer see the case")
	}
	r.say("R42", "%s: kept as a note, it waits for the agent's word", why)
	r.plan.caseID = c.ID
	// with its command lines: what the agent is asked about is all that would be done
	text, rest := r.withForward(r.m.Reply)
	r.plan.entry = &newEntry{id: r.f.ids[3], note: true, author: 0, text: text, rest: rest, html: r.m.HTML,
		marks: []string{"waits", "unverified"}}
	r.plan.waits = true
	return r.end(Held, "note, waits", "agent-unproved")
}

// warn tells an agent's stored address, once an hour at most, that mail in
// their name was set aside.
func (r *reading) warn() {
	if w := r.f.counts.warned; w != nil && w.After(r.now.Add(-time.Hour)) {
		return
	}
	to := r.sender()
	to.agent = true
	r.plan.letters = append(r.plan.letters, gate(draft{kind: Warning, to: to, payload: Payload{
		Desk: r.desk.Name.In(to.language), Zone: r.desk.Timezone, When: r.m.Received,
		Lines: []string{clean(r.m.Subject, 120)}, Reason: r.plan.reason,
	}}, nil, r.f.counts, r.set.Budgets, 0, r.now))
}

// writesNote adds what an agent writes for colleagues only (R40).
func (r *reading) writesNote(c *caseRow, agent provenAgent, text string) bool {
	r.plan.caseID = c.ID
	text, rest := r.withForward(text)
	r.plan.entry = &newEntry{id: r.f.ids[3], note: true, author: agent.person, text: text, rest: rest,
		html: r.m.HTML, marks: r.m.Flaws}
	r.tellDesk(c, NoticeNote, agent.name, nil)
	return r.end(Filed, "note", "")
}

// writes carries out an agent's public answer, with the commands on top of it.
func (r *reading) writes(c *caseRow, agent provenAgent) bool {
	r.plan.caseID = c.ID
	b := &block{c: c, agent: agent, language: r.sender().language}
	b.lines, b.text = r.commandBlock()
	if len(b.lines) > 0 {
		r.say("R43", "commands: %s", clean(strings.Join(b.lines, "; "), 300))
	}
	if problems := r.understand(b); problems != nil {
		r.say("R43", "the command block is refused: %s", asText(problems))
		r.refused(b, problems)
		if b.text == "" && !r.bringsFiles(b) {
			return r.end(Filed, "commands refused", "")
		}
		r.writesNote(c, agent, b.text)
		return r.end(Filed, "commands refused, text kept as a note", "")
	}
	for _, o := range b.orders {
		o.carry(r, b)
	}
	switch writes := b.hasText() || r.bringsFiles(b); {
	case writes && b.note:
		r.say("R40", "a command keeps the text for colleagues: a note")
		r.writesNote(c, agent, r.written(b))
		b.changed = append(b.changed, Change{What: "note"})
	case writes:
		r.takes(c, agent)
		r.answer(c, agent, r.written(b))
	}
	if (r.plan.entry == nil || r.plan.entry.note) && !b.quiet {
		r.tellCustomers(c)
	}
	if r.plan.entry == nil && !b.quiet {
		r.tellColleagues(c, agent)
	}
	if r.collides(c) || len(b.lines) > 0 {
		r.answered(b, "")
	}
	return r.end(Filed, r.agentOutcome(), "")
}

// bringsFiles says that the mail has files to hand on. Below commands alone the
// pictures within the text are a signature's.
func (r *reading) bringsFiles(b *block) bool {
	return slices.ContainsFunc(r.m.Files, func(f File) bool { return !f.Inline || len(b.lines) == 0 })
}

// understand reads the commands of a block; problems are why it is refused.
func (r *reading) understand(b *block) (problems []Problem) {
	b.orders, problems = readCommands(r.commandInput(), b.lines)
	if problems != nil {
		return problems
	}
	for _, o := range b.orders {
		if o, ok := o.(canned); ok {
			b.canned = append(b.canned, o.Template)
		}
	}
	problems = strayCommands(b.text, r.desk.AliasWords()...)
	for i, o := range b.orders {
		if err := o.refuse(r, b); err != nil {
			problems = append(problems, problemOf(b.lines[i], err))
		}
	}
	return problems
}

// takes makes a case that nobody has taken the agent's who answers it first,
// unless the mail itself says which status it has, and whose it is.
func (r *reading) takes(c *caseRow, agent provenAgent) {
	status, _ := r.desk.Status(c.Status)
	if r.plan.change == nil && !r.plan.saidStatus && status.Taken != "" && status.Taken != status.Key {
		r.say("R42", "the first answer takes the case: %s", status.Taken)
		r.setStatus(c, status.Taken, agent.person)
	}
	if c.Owner == nil && !r.plan.saidOwner {
		r.plan.owner = agent.person
		r.plan.events = append(r.plan.events, newEvent{kind: "owner", actor: agent.person, became: agent.name, internal: true})
	}
}

// answer is the agent's public text: a comment, which every person on the
// customer's side gets with its text.
func (r *reading) answer(c *caseRow, agent provenAgent, text string) {
	r.plan.entry = &newEntry{id: r.f.ids[2], author: agent.person, side: "desk", text: text, rest: r.m.Rest,
		html: r.m.HTML, marks: r.m.Flaws}
	r.plan.deskWrote = true
	status, _ := r.desk.Status(c.Status)
	if !agent.byToken {
		r.invites(c, true)
	}
	now := status.Key
	if r.plan.change != nil {
		now = r.plan.change.to.Key
	}
	customers, _ := r.told(c, r.events())
	for _, to := range customers {
		w := draft{kind: Answer, to: to, human: true}
		w.payload = r.about(c, to.language)
		w.payload.Fixed = false
		w.payload.Actor, w.payload.Comment = agent.name, r.plan.entry.id
		w.payload.Reason = r.reason()
		offer(r.desk, &w, now)
		r.send(w, c.ID)
	}
	r.tellDesk(c, NoticeComment, agent.name, nil)
}

// answered tells an agent what a command block did, and how to take it back.
// reason is "" for a block that was carried out.
func (r *reading) answered(b *block, reason string) {
	r.transcript(b, func(p *Payload) {
		p.Reason, p.Changes, p.Undo, p.History = reason, b.changed, len(b.undo) > 0, b.history
		p.Problems, p.Lines = b.problems[:min(len(b.problems), problemsTold)], compact(r.notBehalf)
		if b.help {
			p.Help = help(r.desk.Desk, r.f.agents)
		}
	})
}

// problemsTold is how many problems a transcript tells of.
const problemsTold = 20

// refused tells an agent why a command block was not carried out.
func (r *reading) refused(b *block, problems []Problem) {
	r.transcript(b, func(p *Payload) {
		p.Reason, p.Problems = "refused", problems[:min(len(problems), problemsTold)]
	})
}

func (r *reading) transcript(b *block, fill func(*Payload)) {
	to := r.sender()
	to.agent = true
	w := draft{kind: Transcript, to: to, replied: true, inReplyTo: r.m.MessageID, undo: b.undo}
	caseID := int64(0)
	if b.c != nil {
		caseID = b.c.ID
		w.payload = r.about(b.c, to.language)
		w.payload.Fixed, w.payload.Customer = false, r.requester(b.c)
		w.payload.Collision = r.collided
	}
	fill(&w.payload)
	r.send(w, caseID)
}

// reason is why the status changes, in the words of who changes it.
func (r *reading) reason() string {
	if r.plan.change == nil {
		return ""
	}
	return r.plan.change.why
}

func (r *reading) agentOutcome() string {
	switch {
	case r.plan.entry == nil:
		return "commands"
	case r.plan.entry.note:
		return "note"
	}
	return "answers"
}

// answersQuestion is an agent's word that what waits is theirs: the token of
// the question, which went to the stored address alone, came back from it
// (R42).
func (r *reading) answersQuestion() bool {
	if r.released {
		return false // the word is the agent's alone, and only a mail of theirs brings it
	}
	for _, t := range r.tokens {
		for i := range r.f.tokens {
			l := &r.f.tokens[i]
			if l.Kind != Question || !isReplyToken(t, l) {
				continue
			}
			switch {
			case l.TokenUntil == nil || l.TokenUntil.Before(r.now):
				return r.hold("R42", "question-over", "it answers a question that is over")
			case l.Person == nil || *l.Person != r.plan.person || l.Address != r.from().Address || r.plan.assurance == Failed || r.plan.class != Human:
				return r.hold("R42", "question-other", "it answers a question that was put to somebody else")
			}
			r.say("R42", "the agent confirms what waits")
			r.plan.release = []int64{l.ID}
			return r.end(Filed, "confirms what waits", "")
		}
	}
	return false
}
