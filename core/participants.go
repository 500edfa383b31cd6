package core

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// lookedAt is how many addresses of To and Cc are looked at, proposedOfOne how
// many of one mail are proposed (R17, R38).
const (
	lookedAt      = 40
	proposedOfOne = 10
)

// otherRow is somebody whom a mail names beside its sender: in To, in Cc, or as
// the author of what it forwards.
type otherRow struct {
	Address      string
	Person       *int64
	Name         string
	Language     string
	Verified     bool
	Agent        bool // of this desk
	Member       bool // of Organisation; else that is its domain's
	Organisation *int64
	Company      string
}

// others are the addresses that a mail names beside its sender's and ours: of
// To and Cc, and last the author of what it forwards.
func others(m Mail, isOwn func(string) bool) []Address {
	var all []Address
	add := func(a Address) {
		if a.Address == "" || isOwn(a.Address) || len(m.From) == 1 && a.Address == m.From[0].Address {
			return
		}
		if !isReachable(a.Address) {
			return
		}
		if !slices.ContainsFunc(all, func(b Address) bool { return a.Address == b.Address }) {
			all = append(all, a)
		}
	}
	for _, a := range copied(m) {
		add(a)
	}
	if len(m.Forwarded) > 0 {
		add(m.Forwarded[0].From)
	}
	return all
}

// copied are the addresses of To and Cc that are looked at.
func copied(m Mail) []Address {
	all := slices.Concat(m.To, m.Cc)
	return all[:min(len(all), lookedAt)]
}

func (f *facts) other(address string) *otherRow {
	for i := range f.others {
		if f.others[i].Address == address {
			return &f.others[i]
		}
	}
	return nil
}

// invited is somebody who is made a participant, or proposed as one.
type invited struct {
	address, name string
}

// invites reads To and Cc of a mail that became part of a case. They make
// nobody a participant unless the sender may invite: a verified contact invites
// people of the organisation whose case it is, and so does an agent. Others are
// proposed to the desk (R38).
func (r *reading) invites(c *caseRow, may bool) {
	if r.plan.class != Human {
		return
	}
	for _, a := range copied(r.m) {
		o := r.f.other(a.Address)
		switch {
		case o == nil || o.Agent || r.takesPart(c, o):
			continue
		case slices.ContainsFunc(r.plan.joining, a.is) || slices.ContainsFunc(r.plan.proposed, a.is):
			continue
		case may && r.isColleague(c, o):
			r.plan.joining = append(r.plan.joining, invited{a.Address, personName(a)})
			r.plan.events = append(r.plan.events, newEvent{kind: "participant", actor: r.plan.person, became: a.Address})
			r.say("R38", "%s is invited: of the organisation whose case it is", clean(a.Address, 100))
		case len(r.plan.proposed) < proposedOfOne:
			r.plan.proposed = append(r.plan.proposed, invited{a.Address, personName(a)})
			r.say("R38", "%s is proposed to the desk", clean(a.Address, 100))
		}
	}
}

func (a Address) is(i invited) bool { return a.Address == i.address }

// mayInvite says that the sender is a contact of the organisation whose case it
// is, by a verified mail (R38, R71).
func (r *reading) mayInvite(c *caseRow) bool {
	mine, _ := r.organisation()
	return r.plan.assurance == Verified && r.sure && c.Organisation != nil && sameOrganisation(mine, c.Organisation)
}

// isColleague says that somebody belongs to the organisation whose case it is.
// A desk that holds unknown people takes nobody's domain for that (R71).
func (r *reading) isColleague(c *caseRow, o *otherRow) bool {
	return c.Organisation != nil && sameOrganisation(o.Organisation, c.Organisation) && (o.Member || r.desk.Unknown != "held")
}

// takesPart says that somebody is the requester or a participant already.
func (r *reading) takesPart(c *caseRow, o *otherRow) bool {
	if b := r.plan.behalf; b != nil && b.address == o.Address {
		return true
	}
	return o.Person != nil && (*o.Person == c.Requester || slices.ContainsFunc(r.f.people, func(p caseperson) bool {
		return p.CaseID == c.ID && p.Person == *o.Person
	}))
}

// proposals are the addresses that a mail brought, for the notice of it.
func (r *reading) proposals() (all []string) {
	for _, p := range r.plan.proposed {
		all = append(all, p.address)
	}
	return all
}

// aside files what somebody who is proposed for a case, and not added yet,
// answered to a mail of it: a marked comment, which moves nothing and is
// answered by nothing (R38).
func (r *reading) aside(c *caseRow) bool {
	r.say("R38", "(%s) %s: proposed for the case and not added yet: an aside", r.thread.asideBy.part, r.thread.asideBy.says)
	r.newPerson()
	r.plan.caseID = c.ID
	marks := []string{"aside"}
	if !r.sure {
		marks = append(marks, "unverified")
	}
	if r.plan.class != Human {
		marks = append(marks, "machine")
	}
	kind := NoticeComment
	r.comment(c, r.m.Reply, marks...)
	if r.isInternal() { // it came to an internal address as well (R40)
		r.plan.entry.id, r.plan.entry.note, kind = r.f.ids[3], true, NoticeNote
	}
	r.tellDesk(c, kind, "", marks)
	return r.end(Filed, "aside", "")
}

// AddParticipant makes somebody take part in a case: they get what is written
// from now on, never the history. It is an agent's press: ErrNotAllowed for
// anybody else who sees the case.
func (d *Desk) AddParticipant(ctx context.Context, v Viewer, number, address string) error {
	address, err := checkAddress(address)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotAllowed, err)
	}
	if d.isOwn(address) {
		return fmt.Errorf("%s is a service address: %w", address, ErrNotAllowed)
	}
	return d.inTx(ctx, func(tx *tx) error {
		c, err := d.visibleCase(ctx, tx, v, number)
		if err != nil {
			return err
		}
		if !c.ForAgent {
			return ErrNotAllowed
		}
		return addParticipant(ctx, tx, c.caseRow, address, v.person)
	})
}

// isReachable says that an address that a mail names is one we could write to.
// Local parts beyond ASCII need more of every server on the way (RFC 6531).
func isReachable(address string) bool {
	a, err := checkAddress(address)
	return err == nil && a == address && !strings.ContainsFunc(a, func(c rune) bool { return c >= 0x80 })
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }
