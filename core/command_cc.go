package core

import (
	"slices"
	"strings"
)

// copies is "#cc add anna@northwind.example": who takes part in the case, and
// gets what is written from now on (R38).
type copies struct {
	add       bool
	addresses []string
}

var (
	addWords    = []string{"add", "+", "toevoegen", "voeg", "tilføj", "legg", "hinzufügen", "hinzu"}
	removeWords = []string{"remove", "rm", "-", "verwijderen", "verwijder", "fjern", "entfernen"}
	ccFillers   = []string{"til", "to", "toe", "and", "en", "og", "und"} // "legg til", "voeg toe"
)

func readCc(_ commandInput, words string) (order, error) {
	fields := strings.FieldsFunc(words, func(c rune) bool { return strings.ContainsRune(" \t,;", c) })
	if len(fields) == 0 {
		return nil, wrong{code: "cc-how"}
	}
	o := copies{add: true}
	switch {
	case isOneOf(fields[0], removeWords):
		o.add, fields = false, fields[1:]
	case isOneOf(fields[0], addWords):
		fields = fields[1:]
	case !strings.Contains(fields[0], "@"):
		return nil, wrong{code: "cc-how"}
	}
	for _, f := range fields {
		if isOneOf(f, ccFillers) {
			continue
		}
		address, err := checkAddress(strings.TrimPrefix(strings.Trim(f, "<>()\"'“”"), "mailto:"))
		if err != nil || !isReachable(address) {
			return nil, wrong{code: "bad-address", name: f}
		}
		if !slices.Contains(o.addresses, address) {
			o.addresses = append(o.addresses, address)
		}
	}
	switch {
	case len(o.addresses) == 0:
		return nil, wrong{code: "cc-how"}
	case len(o.addresses) > namedByCommands:
		return nil, wrong{code: "cc-many", name: idText(namedByCommands)}
	}
	return o, nil
}

func (copies) sets() string { return "" }

func (o copies) refuse(r *reading, b *block) error {
	if o.add && b.agent.byToken { // a token alone invites nobody (R42)
		return wrong{code: "token-proof"}
	}
	for _, a := range o.addresses {
		if err := o.refuseOne(r, b, a); err != nil {
			return err
		}
	}
	return nil
}

func (o copies) refuseOne(r *reading, b *block, address string) error {
	other := r.f.other(address)
	switch {
	case r.isOwn(address):
		return wrong{code: "own-address", name: address}
	case address == r.from().Address || other != nil && other.Agent:
		return wrong{code: "cc-agent", name: address}
	case other == nil:
		return wrong{code: "cc-many", name: idText(namedByCommands)}
	case !o.add && other.Person != nil && *other.Person == b.c.Requester:
		return wrong{code: "cc-requester", name: address}
	case !o.add && !r.takesPart(b.c, other):
		return wrong{code: "cc-nobody", name: address, meant: r.participants(b.c)}
	case o.add && other.Organisation != nil:
		if c := r.companyAfter(b); c != nil && *other.Organisation != *c {
			return wrong{code: "cc-elsewhere", name: address} // R63
		}
	}
	return nil
}

// companyAfter is the organisation whose case it is when all of the block is
// carried out: a #requester in it may give the case away.
func (r *reading) companyAfter(b *block) *int64 {
	for _, o := range b.orders {
		if g, ok := o.(setsRequester); ok {
			if other := r.f.other(g.Address.Address); other != nil {
				return other.Organisation
			}
		}
	}
	return b.c.Organisation
}

// participants are the addresses of those who take part beside the requester.
func (r *reading) participants(c *caseRow) (all []string) {
	for _, p := range r.f.people {
		if p.CaseID == c.ID && !p.Requester {
			all = append(all, p.Address)
		}
	}
	return all
}

func (o copies) carry(r *reading, b *block) {
	for _, address := range o.addresses {
		other := r.f.other(address)
		leaves := slices.Contains(r.plan.removed, address)
		there := slices.ContainsFunc(r.plan.joining, Address{Address: address}.is) || r.takesPart(b.c, other) && !leaves
		switch {
		case o.add && !there:
			r.joinsByWord(b.agent.person, address, other.Name)
			b.did(Change{"cc-add", "", address}, undoStep{Field: fieldCc, Became: address})
		case !o.add && !leaves:
			r.leavesByWord(b.agent.person, address)
			b.did(Change{"cc-remove", "", address}, undoStep{Field: fieldCc, Was: address})
		}
	}
}

func (r *reading) joinsByWord(agent int64, address, name string) {
	r.plan.joining = append(r.plan.joining, invited{address, name})
	r.plan.events = append(r.plan.events, newEvent{kind: "participant", actor: agent, became: address})
}

func (r *reading) leavesByWord(agent int64, address string) {
	r.plan.removed = append(r.plan.removed, address)
	r.plan.events = append(r.plan.events, newEvent{kind: "removed", actor: agent, became: address})
}
