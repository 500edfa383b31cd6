package core

import (
	"slices"
	"strings"
)

// behalf is whom an agent opened a case for.
type behalf struct {
	address, name string
	company       string
	verified      bool
	isNew         bool // nobody has this address yet
	id            int64
}

// agentOpens opens a case by an agent's mail: for whom a command names, for the
// author of what it forwards, for the one customer it is addressed to, else the
// agent's own (R64). The commands on top of it are carried out on the new case;
// one bad line among them, and none is.
func (r *reading) agentOpens(agent provenAgent) bool {
	r.sure = true
	if r.plan.class != Human {
		return r.opensCase(nil)
	}
	q, above := Quote{}, r.m.Reply
	if len(r.m.Forwarded) > 0 {
		q, above = r.m.Forwarded[0], r.m.Forwarded[0].Above
	}
	b := &block{agent: agent, language: r.sender().language}
	b.lines, b.text = CommandBlock(above, r.desk.AliasWords()...)
	r.opening = b
	byMail, why := r.behalfByMail(q)
	whom := byMail
	if named := r.behalfByCommand(b); named != nil {
		whom = named
	}
	b.c = r.newCaseRow(whom, q)
	b.problems = r.understand(b)
	for i, o := range b.orders {
		if _, ok := o.(canned); ok { // a case's description is what somebody wrote
			b.problems = append(b.problems, problemOf(b.lines[i], wrong{code: "new-template"}))
		}
	}
	if b.problems != nil {
		r.say("R43", "the command block is refused: %s", asText(b.problems))
		b.orders, whom = nil, byMail
		b.c = r.newCaseRow(whom, q)
	}
	if whom == nil {
		if r.notBehalf = why; why == "" && r.toNew {
			r.notBehalf = "nobody"
		}
		return r.opensCase(nil)
	}
	return r.opensFor(b, whom, q)
}

// behalfByMail is whom a new case is for by what the mail forwards, or by whom
// it is addressed to.
func (r *reading) behalfByMail(q Quote) (*behalf, string) {
	if len(r.m.Forwarded) > 0 {
		b, why := r.customerAt(q.From)
		if why != "" {
			r.say("R64", "forwarded mail, but %s", why)
			return nil, why
		}
		r.say("R64", "forwarded: its author is %s", clean(q.From.Address, 100))
		return b, ""
	}
	var to []Address
	for _, a := range r.m.To {
		if o := r.f.other(a.Address); o != nil && !o.Agent || o == nil && !r.isOwn(a.Address) && a.Address != r.from().Address {
			to = append(to, a)
		}
	}
	if len(to) != 1 {
		return nil, ""
	}
	b, why := r.customerAt(to[0])
	if why == "" {
		r.say("R64", "addressed to one customer: %s", clean(to[0].Address, 100))
	}
	return b, ""
}

// behalfByCommand is whom a #requester names, if it can be carried out.
func (r *reading) behalfByCommand(b *block) *behalf {
	orders, _ := readCommands(r.commandInput(), b.lines)
	for _, o := range orders {
		if o, ok := o.(setsRequester); ok {
			whom, why := r.customerAt(o.Address)
			if why == "" {
				r.say("R64", "a command names the requester: %s", clean(whom.address, 100))
				return whom
			}
		}
	}
	return nil
}

// newCaseRow is the case that an agent's mail opens, for somebody or for
// themself.
func (r *reading) newCaseRow(whom *behalf, q Quote) *caseRow {
	status, _ := r.desk.Status(r.desk.Initial)
	c := &caseRow{ID: r.f.ids[1], Desk: r.desk.id, Title: nameOr(q.Subject, r.m.Subject), Requester: r.plan.person,
		Status: status.Key, Class: string(status.Class), OpenedAt: r.m.Received, Visible: true}
	if whom == nil {
		c.Title = r.m.Subject
		return c
	}
	c.Requester, c.Company, c.Organisation = whom.id, whom.company, r.f.other(whom.address).Organisation
	return c
}

// customerAt is the person for whom an agent opens a case; why says why there
// is none.
func (r *reading) customerAt(a Address) (*behalf, string) {
	switch o := r.f.other(a.Address); {
	case a.Address == "":
		return nil, "no-author"
	case r.isOwn(a.Address):
		return nil, "our-address"
	case a.Address == r.from().Address || o != nil && o.Agent:
		return nil, "an-agent"
	case o == nil:
		return nil, "unreachable"
	case o.Person == nil:
		return &behalf{address: o.Address, name: personName(a), company: o.Company, isNew: true, id: r.f.ids[0]}, ""
	default:
		return &behalf{address: o.Address, name: nameOr(o.Name, personName(a)), company: o.Company, verified: o.Verified, id: *o.Person}, ""
	}
}

// opensFor opens a case for a customer. What they wrote is its description, and
// the agent's own text above it a note; without a forwarded mail the agent's
// text is the description. The customer gets nothing before an agent writes to
// them publicly.
func (r *reading) opensFor(b *block, whom *behalf, q Quote) bool {
	c, agent := b.c, b.agent
	status, _ := r.desk.Status(c.Status)
	r.plan.caseID, r.plan.behalf = c.ID, whom
	n := &newCase{id: c.ID, requester: whom.id, organisation: c.Organisation, status: status, openedBy: agent.person, marks: r.m.Flaws}
	r.plan.opens = n
	r.plan.events = append(r.plan.events, newEvent{kind: "opened", actor: agent.person, became: status.Key})
	b.changed = append(b.changed, Change{What: "requester", Became: shownPerson(whom.name, whom.address, whom.company)})
	if len(r.m.Forwarded) > 0 {
		b.carryOut(r)
		n.text = &q.Text
		if o := r.f.other(q.From.Address); r.isOwn(q.From.Address) || q.From.Address == r.from().Address || o != nil && o.Agent {
			n.author = agent.person // a command says whose case it is: no customer wrote this
		}
		if b.text != "" {
			r.plan.entry = &newEntry{id: r.f.ids[3], note: true, author: agent.person, text: b.text}
			b.changed = append(b.changed, Change{What: "note"})
		}
	} else {
		n.author = agent.person
		b.note = len(b.problems) > 0 // which of its lines was to keep the text from the customer?
		r.carriesOutOn(n, b)
	}
	if c.Title == "" && !n.internal {
		c.Title = firstLines(nameOr(q.Text, b.text), 1, 80)
	}
	n.title = c.Title
	r.invites(c, true)
	r.tellDesk(c, NoticeNew, agent.name, nil)
	r.answered(b, "for-customer")
	return r.end(Filed, "opens a case for a customer", "")
}

// carriesOutOn carries out the commands of a mail whose text describes a new
// case: no command line stands in it, and a #note keeps it for colleagues.
func (r *reading) carriesOutOn(n *newCase, b *block) {
	b.carryOut(r)
	if len(b.lines) == 0 {
		return
	}
	text := b.text
	if lines, whole := CommandBlock(r.m.Text, r.desk.AliasWords()...); slices.Equal(lines, b.lines) {
		text = whole // the visible reply is less than the mail
	}
	if b.note {
		b.changed = append(b.changed, Change{What: "note"})
		r.plan.entry = &newEntry{id: r.f.ids[3], note: true, author: b.agent.person, text: text}
		n.internal, text = true, ""
		n.title, b.c.Title = r.m.Subject, r.m.Subject // and names no case, either
	}
	n.text = &text
}

func (b *block) carryOut(r *reading) {
	for _, o := range b.orders {
		o.carry(r, b)
	}
}

// forwardsInto keeps mail that an agent forwards into a case, by a number in its
// subject or the threading of somebody's mail: it answers no letter of ours, so
// neither the agent's remark nor somebody else's mail goes public.
func (r *reading) forwardsInto(c *caseRow, agent provenAgent) bool {
	r.say("R64", "forwarded into a case: a note, nothing public")
	r.writesNote(c, agent, r.m.Reply)
	r.answered(&block{c: c, agent: agent}, "forwarded")
	return true
}

// forwardsInText says that a mail forwards another in its text, and not as a
// file.
func (m *Mail) forwardsInText() bool {
	return len(m.Forwarded) > 0 && m.Forwarded[0].Above != m.Text
}

// withForward is what a note says of which text is the visible reply: with the
// mail that it forwards in its text, which the visible reply leaves out.
func (r *reading) withForward(text string) (all, rest string) {
	if !r.m.forwardsInText() {
		return text, r.m.Rest
	}
	return strings.TrimSpace(text + "\n\n" + r.m.Rest), ""
}

func shownPerson(name, address, company string) string {
	var s strings.Builder
	s.WriteString(address)
	if name != "" {
		s.WriteString(" (" + clean(name, 100) + ")")
	}
	if company != "" {
		s.WriteString(", " + clean(company, 100))
	}
	return s.String()
}
