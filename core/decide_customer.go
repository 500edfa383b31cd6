package core

import (
	"slices"

	"postern/core/flow"
)

// isCustomers files the mail of everybody who is no agent of this desk.
func (r *reading) isCustomers() bool {
	var steps []Step
	r.thread, steps = findCase(r.f, gather(r.f, r.tokens, r.m, r.numbers, r.now), r.desk.id)
	r.plan.trace = append(r.plan.trace, steps...)
	r.goesOn()
	if c := r.variantOf(); c != nil && c.Visible && !r.isInternal() {
		return r.variant(c)
	}
	switch {
	case r.thread.conflict:
		return r.hold("R34", "two-organisations", "it names cases of two organisations")
	case r.thread.found == nil && r.thread.aside != nil:
		return r.aside(r.thread.aside)
	case r.thread.found == nil:
		return r.opensCase(r.thread.hidden)
	case r.leavesCase():
		return true
	case r.reopensNoMore():
		r.say("R36", "may see %s, but it is over: a new case, linked to it", r.desk.caseNumber(r.thread.found.Number))
		return r.opensCase(r.thread.found)
	case r.f.sender == nil && !r.released && r.desk.Unknown == "held":
		return r.holdUnknown()
	}
	r.newPerson()
	if r.isInternal() {
		return r.customersNote()
	}
	return r.joins()
}

// customersNote keeps what came to an internal address, whoever got hold of
// it, from the customer's side (R40).
func (r *reading) customersNote() bool {
	r.say("R40", "it came to an internal address: a note")
	marks := append([]string{}, r.m.Flaws...)
	if !r.sure {
		marks = append(marks, "unverified")
	}
	r.plan.caseID = r.thread.found.ID
	text, rest := r.withForward(r.m.Reply)
	r.plan.entry = &newEntry{id: r.f.ids[3], note: true, author: r.plan.person, text: text, rest: rest,
		html: r.m.HTML, marks: marks}
	r.tellDesk(r.thread.found, NoticeNote, "", marks)
	return r.end(Filed, "note", "")
}

// reopensNoMore says that the case named has ended, and a reply does not bring
// it back.
func (r *reading) reopensNoMore() bool {
	c := r.thread.found
	class := flow.Class(c.Class)
	if !class.Ended() || r.plan.class != Human {
		return false
	}
	return !canReopen(r.desk.Desk, *c, r.now)
}

// variant keeps another text under a known Message-ID beside the first (R6).
func (r *reading) variant(c *caseRow) bool {
	r.say("R6", "the Message-ID of an earlier mail with another text: a comment, and no automatic mail")
	r.plan.caseID = c.ID
	marks := []string{"variant"}
	if !r.sure {
		marks = append(marks, "unverified")
	}
	if r.plan.class != Human {
		marks = append(marks, "machine")
	}
	r.comment(c, r.m.Reply, marks...)
	return r.end(Filed, "joins as a variant", "")
}

// joins makes the mail a comment on the case it names.
func (r *reading) joins() bool {
	c := r.thread.found
	r.plan.caseID = c.ID
	marks := []string{}
	if !r.sure {
		marks = append(marks, "unverified")
		r.say("R36", "joins, marked unverified: nothing proves From, so nothing binding is done")
	} else {
		r.say("R36", "joins: may see the case, and is verified")
	}
	if r.plan.class != Human {
		marks = append(marks, "machine")
		r.comment(c, r.m.Reply, marks...)
		r.tellDesk(c, NoticeComment, "", marks)
		r.say("R28", "perhaps a machine: it moves nothing")
		return r.end(Filed, "joins", "")
	}
	text, move, word := r.word(c)
	switch {
	case word && move == nil: // refused: said so, and kept whole
		r.comment(c, r.m.Reply, marks...)
	case word:
		r.setStatus(c, move.To, r.plan.person)
		if text != "" || len(r.m.Files) > 0 || r.m.forwardsInText() {
			r.comment(c, text, marks...)
		}
	default:
		marks = r.plainAnswer(c, marks)
	}
	r.joinsCase(c)
	r.invites(c, r.mayInvite(c))
	r.asksForReplies(c)
	r.tellDesk(c, r.noticeKind(), "", marks)
	r.tellCustomers(c)
	return r.end(Filed, r.joinOutcome(), "")
}

// plainAnswer files a reply that is no word: a comment that moves what waited
// for it. It returns what agents are to know of it.
func (r *reading) plainAnswer(c *caseRow, marks []string) []string {
	if m, ok := r.askedBefore(c); ok {
		r.setStatus(c, m.To, r.plan.person)
		r.comment(c, r.m.Reply, marks...)
		return marks
	}
	more, settled := r.wishes(c)
	marks = append(marks, more...)
	r.comment(c, r.m.Reply, marks...)
	if !settled {
		r.answers(c)
		r.showsWords(c)
	}
	return marks
}

func (r *reading) noticeKind() Kind {
	if r.plan.entry == nil && r.plan.change != nil {
		return NoticeStatus
	}
	return NoticeComment
}

func (r *reading) joinOutcome() string {
	switch {
	case r.plan.change != nil && r.plan.change.from.Class.Ended():
		return "reopens"
	case r.plan.change != nil:
		return "joins and moves to " + r.plan.change.to.Key
	}
	return "joins"
}

// joinsCase makes a colleague of the requester a participant, if the desk lets
// them join by writing: from now on they get what is written (R38).
func (r *reading) joinsCase(c *caseRow) {
	if !r.sure {
		return
	}
	for _, p := range r.f.people {
		if p.CaseID == c.ID && p.Person == r.plan.person {
			return
		}
	}
	switch {
	case slices.Contains(r.f.left, c.ID): // who left comes back by their own word alone
	case r.desk.Join == "writing":
		r.plan.joins = r.plan.person
	case r.desk.Join == "asked":
		from := r.from()
		r.plan.proposed = append(r.plan.proposed, invited{from.Address, personName(from)})
		r.say("R38", "%s is proposed to the desk", clean(from.Address, 100))
	}
}

// word reads the first line of the reply as a word of the desk's moves. done
// says that there is one; move is nil if it may not be followed (R45).
func (r *reading) word(c *caseRow) (text string, move *flow.Move, done bool) {
	if r.thread.mergedFrom != nil { // it was said of the other case
		return "", nil, false
	}
	line, rest := firstLine(r.m.Reply)
	m, ok := r.desk.Word(line, c.Status, flow.ByCustomer)
	if !ok {
		return "", nil, false
	}
	from, _ := r.desk.Status(c.Status)
	if from.Class.Ended() && !canReopen(r.desk.Desk, *c, r.now) {
		return "", nil, false
	}
	if m.Binding && !r.meant(c) && !r.ownToken() {
		r.say("R45", "the word %s is binding and nothing proves who wrote it for this case: a page asks", clean(line, 40))
		r.refuseWord(c, m, "unproved")
		return "", nil, true
	}
	if m.NeedsText() && endsThere(rest) {
		r.say("R45", "the word %s needs a text with it", clean(line, 40))
		r.refuseWord(c, m, "comment")
		return "", nil, true
	}
	r.say("R45", "the word %s leads from %s to %s", clean(line, 40), c.Status, m.To)
	if r.signsOff(rest) {
		rest = ""
	}
	return rest, &m, true
}

// meant says that somebody beyond doubt wrote this mail about this case: to this
// desk, or with the case's number in the Subject, which is signed. Threading is
// not: whoever gets a signed mail that says "approved" could else hand it to us.
func (r *reading) meant(c *caseRow) bool {
	if !r.sure || r.released || r.wroteToDesk() {
		return r.sure
	}
	return slices.ContainsFunc(r.numbers, func(n subjectNumber) bool { return n.desk == c.Desk && n.number == c.Number })
}

// ownToken says that the mail answers a letter that went to this very person,
// by its live token (R45).
func (r *reading) ownToken() bool {
	l := r.thread.letter
	return l != nil && r.thread.by.part == "a" && l.Person != nil && *l.Person == r.plan.person &&
		l.Address == r.from().Address && r.plan.assurance != Failed
}

// refuseWord answers a word that cannot be followed as it came: a text is asked
// for, or a press on a page, that proves whose word it is.
func (r *reading) refuseWord(c *caseRow, m flow.Move, why string) {
	w := draft{kind: WordRefused, to: r.sender(), replied: true, inReplyTo: r.m.MessageID}
	w.payload = r.about(c, w.to.language)
	w.payload.Reason = why
	to, _ := r.desk.Status(m.To)
	if why == "comment" { // the answer to it is the text, whatever its first line
		w.payload.Asked = m.To
		w.payload.Words = slices.DeleteFunc(words(r.desk, w.to.language, c.Status), func(word Word) bool { return word.Does != to.Label.In(w.to.language) })
	} else {
		w.payload.Words = words(r.desk, w.to.language, c.Status)
	}
	offerLink(r.desk, &w, m)
	r.send(w, c.ID)
}

// answers moves a case that waited for the customer, and reopens one that had
// ended.
func (r *reading) answers(c *caseRow) {
	s, ok := r.desk.Status(c.Status)
	switch {
	case !ok:
	case s.Class.Ended():
		r.say("R36", "a reply reopens the case: %s", r.desk.Reopen.To)
		r.setStatus(c, r.desk.Reopen.To, r.plan.person)
	case s.Answer != "" && s.Answer != s.Key:
		r.say("R45", "an answer leads from %s to %s", s.Key, s.Answer)
		r.setStatus(c, s.Answer, r.plan.person)
	}
}

func (r *reading) setStatus(c *caseRow, to string, actor int64) {
	from, _ := r.desk.Status(c.Status)
	s, ok := r.desk.Status(to)
	if !ok || s.Key == c.Status {
		return
	}
	r.plan.change = &statusChange{from: from, to: s, actor: actor}
}

// opensCase makes the mail a new case, if this desk opens cases for its sender.
func (r *reading) opensCase(linked *caseRow) bool {
	s := r.f.sender
	known := s != nil && (s.Member != nil || s.Role != "")
	if !known && !r.released && r.desk.Unknown == "held" {
		return r.holdUnknown()
	}
	if why := r.tooManyCases(known); why != "" {
		return r.hold("R48", "budget", why)
	}
	r.newPerson()
	c := &caseRow{ID: r.f.ids[1], Desk: r.desk.id, Title: r.m.Subject, Requester: r.plan.person,
		Status: r.desk.Initial, Visible: true}
	if c.Title == "" {
		c.Title = firstLines(r.m.Reply, 1, 80)
		if r.opening != nil {
			c.Title = firstLines(r.opening.text, 1, 80)
		}
	}
	c.Organisation, c.Company = r.organisation()
	status, _ := r.desk.Status(r.desk.Initial)
	c.Class = string(status.Class)
	r.plan.caseID = c.ID
	r.plan.opens = &newCase{id: c.ID, title: c.Title, requester: r.plan.person, organisation: c.Organisation, status: status}
	if linked != nil {
		r.plan.opens.linked = &linked.ID
		r.plan.events = append(r.plan.events, newEvent{kind: "perhaps-about", became: r.desk.caseNumber(linked.Number), internal: true})
	}
	r.say("R34", "opens a case")
	var marks []string
	if !r.sure {
		marks = append(marks, "unverified")
	}
	if r.plan.class != Human {
		marks = append(marks, "machine")
	}
	r.plan.opens.marks = append(slices.Clone(marks), r.m.Flaws...)
	r.plan.events = append(r.plan.events, newEvent{kind: "opened", actor: r.plan.person, became: status.Key})
	r.linkTwin()
	if b := r.opening; b != nil && (r.notBehalf != "" || len(b.lines) > 0) {
		b.c = c
		r.carriesOutOn(r.plan.opens, b)
		r.answered(b, "own-case")
	} else {
		r.confirm(c, status)
	}
	r.invites(c, r.mayInvite(c))
	r.asksForReplies(c)
	r.tellDesk(c, NoticeNew, r.writer(), marks)
	return r.end(Filed, "opens a case", "")
}

// holdUnknown holds the mail of somebody whom this desk does not know, and
// answers it without a number (R41).
func (r *reading) holdUnknown() bool {
	reason := "unknown"
	if r.f.domain != nil {
		reason = "unknown, " + r.f.domain.Name
	}
	if c := r.thread.hidden; c != nil {
		r.say("R37", "perhaps about %s", r.desk.caseNumber(c.Number))
	}
	r.hold("R41", reason, "this desk holds mail of people it does not know")
	r.send(draft{kind: HeldAnswer, to: r.sender(), replied: true, inReplyTo: r.m.MessageID, payload: Payload{Fixed: true}}, 0)
	return true
}

// tooManyCases says that the sender's budget of new cases is spent (R48).
func (r *reading) tooManyCases(known bool) string {
	if r.released || r.relay != nil || r.f.sender != nil && r.f.sender.Role != "" {
		return "" // a relay's mail comes from many people
	}
	windows := r.set.Budgets.CasesUnknown
	if r.sure {
		windows = r.set.Budgets.CasesVerified
	}
	if over(r.f.counts.opened, windows, r.now) {
		return "more new cases of one sender than the budget allows"
	}
	if limit := r.set.Budgets.BytesUnknown; !r.sure && limit > 0 && r.f.counts.bytes+r.m.Size > limit {
		return "more bytes of one sender in a day than the budget allows"
	}
	return ""
}

// newPerson makes From somebody we know: a contact of the organisation of its
// domain, for their own cases (R71).
func (r *reading) newPerson() {
	if s := r.f.sender; s != nil {
		if s.Member == nil && s.Role == "" && r.f.domain != nil { // known before the domain was
			r.plan.joinOrg = &r.f.domain.Organisation
		}
		return
	}
	from := r.from()
	r.plan.newPerson = &newPerson{id: r.f.ids[0], name: from.Name, address: from.Address}
	r.plan.person = r.f.ids[0]
	r.plan.verify = r.plan.assurance == Verified
	if r.f.domain != nil {
		r.plan.joinOrg = &r.f.domain.Organisation
		r.say("R71", "a new contact of %s, by domain", clean(r.f.domain.Name, 60))
	}
}

func (r *reading) organisation() (*int64, string) {
	switch {
	case r.f.sender != nil && r.f.sender.Member != nil:
		return r.f.sender.Member, r.f.sender.MemberName
	case r.f.domain != nil && (r.f.sender == nil || r.f.sender.Role == ""):
		return &r.f.domain.Organisation, r.f.domain.Name
	}
	return nil, ""
}

// writer is the sender as shown to agents.
func (r *reading) writer() string {
	if !r.sure {
		return r.from().Address // a name in an unproved From is anybody's to choose
	}
	if s := r.f.sender; s != nil && s.Name != "" {
		return s.Name
	}
	if n := r.from().Name; n != "" {
		return n
	}
	return r.from().Address
}

// confirm answers the mail that opened a case (R51).
func (r *reading) confirm(c *caseRow, status flow.Status) {
	w := draft{kind: Confirmation, to: r.sender(), replied: true, inReplyTo: r.m.MessageID}
	w.payload = r.about(c, w.to.language)
	w.payload.Fixed = w.payload.Fixed || !r.sure // whoever From names: it is not sure that they wrote it
	if back, closed := r.desk.OpensAgain(r.now); closed {
		w.payload.When = back
	}
	offer(r.desk, &w, status.Key)
	r.send(w, c.ID)
}

// comment adds a public comment of the customer's side.
func (r *reading) comment(c *caseRow, text string, marks ...string) {
	rest := r.m.Rest
	if r.m.forwardsInText() {
		text, rest = r.m.Text, ""
	}
	r.plan.entry = &newEntry{id: r.f.ids[2], author: r.plan.person, side: "customer",
		text: text, rest: rest, html: r.m.HTML, marks: append(marks, r.m.Flaws...)}
}

// about is what every letter of a case tells.
func (r *reading) about(c *caseRow, language string) Payload {
	status, _ := r.desk.Status(c.Status)
	changed := false
	if ch := r.plan.change; ch != nil {
		status, changed = ch.to, true
	}
	p := Payload{Title: c.Title, Company: c.Company, Fixed: r.fixed(c)}
	p.describes(status, language)
	if changed {
		p.changedFrom(r.plan.change.from, language)
	}
	return p
}

// fixed says that an automatic mail of this case repeats nothing of what was
// written: its requester was never verified, and nobody of the desk has
// written to them publicly (R51).
func (r *reading) fixed(c *caseRow) bool {
	if r.plan.deskWrote || c.DeskWroteAt != nil || r.plan.change != nil && r.plan.change.why != "" {
		return false
	}
	if c.Requester == r.plan.person {
		return !r.sure && (r.f.sender == nil || !r.f.sender.Verified)
	}
	for _, p := range r.f.people {
		if p.CaseID == c.ID && p.Requester {
			return !p.Verified
		}
	}
	return true
}

// words are what the customer may answer by one word.
func words(d *running, language, status string) []Word {
	var all []Word
	for _, reply := range d.Words(language, status, flow.ByCustomer) {
		to, _ := d.Status(reply.Move.To)
		all = append(all, Word{reply.Word, to.Label.In(language)})
	}
	return all
}

// tellDesk gives notice to the agents who get it.
func (r *reading) tellDesk(c *caseRow, kind Kind, actor string, marks []string) {
	if actor == "" {
		actor = r.writer()
	}
	if r.stopped(c.ID) != "" {
		marks = append(slices.Clone(marks), "ping-pong")
	}
	for _, a := range r.agentsTold(c, kind) {
		w := draft{kind: kind, to: a, replied: false, internal: kind == NoticeNote}
		w.payload = r.about(c, a.language)
		w.payload.Fixed = false
		w.payload.Actor, w.payload.Customer, w.payload.Marks = actor, r.requester(c), r.assigned(&w, marks)
		w.payload.Proposed = r.proposals()
		if o := r.plan.opens; o != nil && o.linked != nil {
			w.payload.PerhapsAbout = r.desk.caseNumber(r.f.caseByID(*o.linked).Number)
		}
		if e := r.plan.entry; r.plan.opens != nil && !r.plan.opens.internal {
			// the description goes along
		} else if e != nil && e.note {
			w.payload.Note = e.id
		} else if e != nil {
			w.payload.Comment = e.id
		}
		w.payload.Lines = r.keys()
		w.payload.Actions = actions(r.desk.Desk, r.statusNow(c), a.language, r.ownerNow(c) == a.person)
		r.send(w, c.ID)
	}
}

// statusNow and ownerNow are what the case has when the mail is filed.
func (r *reading) statusNow(c *caseRow) string {
	if ch := r.plan.change; ch != nil {
		return ch.to.Key
	}
	return c.Status
}

func (r *reading) ownerNow(c *caseRow) int64 {
	if r.plan.owner != 0 || c.Owner == nil {
		return r.plan.owner
	}
	return *c.Owner
}

func (r *reading) agentsTold(c *caseRow, kind Kind) []recipient {
	events := r.events()
	if kind == NoticeBounce {
		events = []flow.Event{flow.EventBounce}
	}
	_, agents := r.told(c, events)
	return agents
}

// requester is the name of the case's requester, as shown to agents.
func (r *reading) requester(c *caseRow) string {
	if b := r.plan.behalf; b != nil {
		if b.verified {
			return nameOr(b.name, b.address)
		}
		return b.address
	}
	for _, p := range r.f.people {
		if p.CaseID == c.ID && p.Requester {
			if !p.Verified {
				return p.Address
			}
			return nameOr(p.Name, p.Address)
		}
	}
	return r.writer()
}

// keys are the statuses an agent may set, for the hint in notices.
func (r *reading) keys() []string {
	var keys []string
	for _, s := range r.desk.Statuses {
		keys = append(keys, s.Key)
	}
	return keys
}

// tellCustomers mails a status change to the customer's side, unless a person's
// text tells it in the same mail.
func (r *reading) tellCustomers(c *caseRow) {
	ch := r.plan.change
	if ch == nil {
		return
	}
	customers, _ := r.told(c, r.events())
	for _, to := range customers {
		w := draft{kind: StatusNews, to: to}
		if to.own {
			w.inReplyTo, w.replied = r.m.MessageID, true
		}
		w.payload = r.about(c, to.language)
		w.payload.Actor, w.payload.Reason = r.writer(), ch.why
		w.payload.When = ch.until
		offer(r.desk, &w, ch.to.Key)
		r.send(w, c.ID)
	}
}

func (r *reading) agentOf(person int64) bool {
	return slices.ContainsFunc(r.f.agents, func(a agentRow) bool { return a.Person == person })
}

func nameOr(name, address string) string {
	if name != "" {
		return name
	}
	return address
}
