package core

import (
	"fmt"
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

// agentOpens opens a case by an agent's mail: for the author of what it
// forwards, for the one customer it is addressed to, else the agent's own
// (R64).
func (r *reading) agentOpens(agent provenAgent) bool {
	r.sure = true
	if r.plan.class != Human {
		return r.opensCase(nil)
	}
	if len(r.m.Forwarded) > 0 {
		q := r.m.Forwarded[0]
		b, why := r.customerAt(q.From)
		if why != "" {
			r.say("R64", "forwarded mail, but %s: the agent's own case", why)
			r.notBehalf = why
			return r.opensCase(nil)
		}
		r.say("R64", "forwarded: its author %s becomes the requester", clean(q.From.Address, 100))
		return r.opensFor(agent, b, q)
	}
	var to []Address
	for _, a := range r.m.To {
		if o := r.f.other(a.Address); o != nil && !o.Agent || o == nil && !r.isOwn(a.Address) && a.Address != r.from().Address {
			to = append(to, a)
		}
	}
	if len(to) != 1 {
		return r.opensCase(nil)
	}
	b, why := r.customerAt(to[0])
	if why != "" {
		return r.opensCase(nil)
	}
	r.say("R64", "addressed to one customer: %s becomes the requester", clean(to[0].Address, 100))
	return r.opensFor(agent, b, Quote{})
}

// customerAt is the person for whom an agent opens a case; why says why there
// is none.
func (r *reading) customerAt(a Address) (*behalf, string) {
	switch o := r.f.other(a.Address); {
	case a.Address == "":
		return nil, "it does not say by one address who wrote it"
	case r.isOwn(a.Address):
		return nil, "an address of ours wrote it"
	case a.Address == r.from().Address || o != nil && o.Agent:
		return nil, "an agent of this desk wrote it"
	case o == nil:
		return nil, "its author's address is none that mail could reach"
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
func (r *reading) opensFor(agent provenAgent, b *behalf, q Quote) bool {
	status, _ := r.desk.Status(r.desk.Initial)
	c := &caseRow{ID: r.f.ids[1], Desk: r.desk.id, Title: nameOr(q.Subject, r.m.Subject), Requester: b.id,
		Company: b.company, Status: status.Key, Class: string(status.Class), Visible: true}
	c.Organisation = r.f.other(b.address).Organisation
	r.plan.caseID, r.plan.behalf = c.ID, b
	n := &newCase{id: c.ID, requester: b.id, organisation: c.Organisation, status: status, openedBy: agent.person, marks: r.m.Flaws}
	lines := []string{"requester: " + shownPerson(b.name, b.address, b.company)}
	if q.From.Address != "" {
		n.text = &q.Text
		if commands, _ := CommandBlock(q.Above); commands != nil {
			for _, line := range commands {
				lines = append(lines, fmt.Sprintf("%s: not carried out, the case is new", clean(line, 100)))
			}
		}
		if q.Above != "" {
			r.plan.entry = &newEntry{id: r.f.ids[3], note: true, author: agent.person, text: q.Above}
			lines = append(lines, "your own text: a note")
		}
	} else {
		n.author = agent.person
	}
	if c.Title == "" {
		c.Title = firstLines(nameOr(q.Text, r.m.Reply), 1, 80)
	}
	n.title = c.Title
	r.plan.opens = n
	r.plan.events = append(r.plan.events, newEvent{kind: "opened", actor: agent.person, became: status.Key})
	r.invites(c, true)
	r.tellDesk(c, NoticeNew, agent.name, nil)
	r.tellOpener(c, "for-customer", lines)
	return r.end(Filed, "opens a case for a customer", "")
}

// forwardsInto keeps mail that an agent forwards into a case, by a number in its
// subject or the threading of somebody's mail: it answers no letter of ours, so
// neither the agent's remark nor somebody else's mail goes public.
func (r *reading) forwardsInto(c *caseRow, agent provenAgent) bool {
	r.say("R64", "forwarded into a case: a note, nothing public")
	r.writesNote(c, agent, r.m.Reply)
	r.tellOpener(c, "forwarded", nil)
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

// tellOpener tells an agent whose case a mail of theirs became.
func (r *reading) tellOpener(c *caseRow, reason string, lines []string) {
	to := r.sender()
	to.agent = true
	w := draft{kind: Transcript, to: to, replied: true, inReplyTo: r.m.MessageID}
	w.payload = r.about(c, to.language)
	w.payload.Fixed = false
	w.payload.Customer, w.payload.Lines, w.payload.Reason = r.requester(c), lines, reason
	r.send(w, c.ID)
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
