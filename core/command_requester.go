package core

import (
	"slices"
	"strings"
)

// setsRequester is "#requester anna@northwind.example": whose case it is (R64).
type setsRequester struct{ Address }

// given is a case on its way to another requester.
type given struct {
	to           int64
	organisation *int64
	moved        bool  // to another organisation
	former       int64 // becomes a participant; 0: takes part no longer
	leaving      []int64
}

// readRequester reads an address, with a name before it or not.
func readRequester(_ commandInput, words string) (order, error) {
	var o setsRequester
	var name []string
	for _, word := range strings.Fields(words) {
		address, err := checkAddress(strings.TrimPrefix(strings.Trim(word, "<>,;\"'()"), "mailto:"))
		switch {
		case err != nil && strings.Contains(word, "@"):
			return nil, wrong{code: "bad-address", name: word}
		case err != nil:
			name = append(name, word)
		case !isReachable(address):
			return nil, wrong{code: "bad-address", name: word}
		case o.Address.Address != "" && o.Address.Address != address:
			return nil, wrong{code: "requester-one"}
		default:
			o.Address.Address = address
		}
	}
	if o.Address.Address == "" {
		return nil, wrong{code: "requester-whom"}
	}
	o.Name = personName(Address{Name: clean(strings.Join(name, " "), 100)})
	return o, nil
}

func (setsRequester) sets() string { return "requester" }

func (o setsRequester) refuse(r *reading, b *block) error {
	to := o.Address.Address
	other := r.f.other(to)
	switch {
	case b.agent.byToken:
		return wrong{code: "token-proof"}
	case r.isOwn(to):
		return wrong{code: "own-address", name: to}
	case to == r.from().Address || other != nil && other.Agent:
		return wrong{code: "requester-agent", name: to}
	case other == nil:
		return wrong{code: "cc-many", name: idText(namedByCommands)}
	case r.isNew(b.c) || other.Person != nil && *other.Person == b.c.Requester:
	case !r.mayGive(b.c, other):
		return wrong{code: "requester-elsewhere", name: to}
	}
	return nil
}

// mayGive says that nothing of another organisation becomes readable to a new
// requester (R63): they are of the organisation whose case it is; or an agent
// opened it, and neither anybody else's customer wrote in it nor the desk to one.
func (r *reading) mayGive(c *caseRow, to *otherRow) bool {
	if r.isColleague(c, to) {
		return true
	}
	agents := r.requesterIsAgent(c)
	if !agents && (!c.ByAgent || c.DeskWroteAt != nil) {
		return false
	}
	return !slices.ContainsFunc(r.f.structure.writers, func(w writerRow) bool {
		switch {
		case w.CaseID != c.ID || w.Agent || to.Person != nil && w.Person == *to.Person:
			return false
		case to.Organisation == nil:
			return true
		}
		return !sameOrganisation(w.Member, to.Organisation)
	})
}

func (o setsRequester) carry(r *reading, b *block) {
	other := r.f.other(o.Address.Address)
	if r.isNew(b.c) || other.Person != nil && *other.Person == b.c.Requester {
		return // it was opened for them, or is theirs
	}
	to, _ := r.customerAt(o.Address)
	was := r.requesterAddress(b.c)
	g := &given{to: to.id, organisation: other.Organisation}
	g.moved = !sameOrganisation(b.c.Organisation, g.organisation)
	var stay []caseperson
	for _, p := range r.f.people {
		switch {
		case p.CaseID != b.c.ID:
		case p.Person == to.id:
			continue // is more than a participant now
		case p.Requester && !p.Agent && g.organisation != nil && sameOrganisation(p.Member, g.organisation):
			g.former, p.Requester = p.Person, false
		case p.Requester || g.moved && !r.agentOf(p.Person) && (g.organisation == nil || !sameOrganisation(p.Member, g.organisation)):
			if !p.Agent {
				g.leaving = append(g.leaving, p.Person)
			}
			continue
		}
		stay = append(stay, p)
	}
	r.f.people = append(stay, caseperson{CaseID: b.c.ID, Person: to.id, Name: to.name, Address: to.address,
		Language: other.Language, Verified: to.verified, Requester: true, Member: other.Organisation, Quiet: true})
	b.c.Requester, b.c.Organisation, b.c.Company = to.id, other.Organisation, other.Company
	r.plan.behalf, r.plan.structure.gives = to, g
	r.plan.events = append(r.plan.events, newEvent{kind: "requester", actor: b.agent.person, was: was, became: to.address, internal: true})
	r.say("R64", "%s is the requester from now on", clean(to.address, 100))
	b.did(Change{"requester", was, shownPerson(to.name, to.address, to.company)})
}
