package core

import (
	"slices"
	"strings"

	"postern/core/flow"
)

// assigns is "#assign tom": the case becomes somebody's, or nobody's.
type assigns struct {
	to   int64 // 0: nobody
	name string
}

var (
	meWords     = []string{"me", "myself", "mij", "mezelf", "mig", "meg", "mich", "mir"}
	nobodyWords = append([]string{"nobody", "niemand", "niemandem"}, noneWords...)
)

func readAssign(in commandInput, words string) (order, error) {
	people := agentsOnce(in.agents)
	word := strings.ToLower(strings.Trim(words, " \t\"'“”„‘’‚<>,."))
	switch {
	case word == "":
		return nil, wrong{code: "assign-whom", meant: listed(people)}
	case strings.Contains(word, "@"):
		for _, a := range in.agents {
			if a.Address == strings.TrimPrefix(word, "mailto:") {
				return assigns{a.Person, shownAgent(people, a.Person)}, nil
			}
		}
		return nil, wrong{code: "no-agent", name: words, meant: suggested(people, word)}
	}
	named := func(fits func(name string) bool) (found []agentRow) {
		for _, a := range people {
			if fits(strings.ToLower(a.Name)) {
				found = append(found, a)
			}
		}
		return found
	}
	found := named(func(name string) bool { return name == word })
	switch {
	case len(found) > 0: // an agent may be called like one of the words below
	case slices.Contains(meWords, word):
		return assigns{in.me, shownAgent(people, in.me)}, nil
	case slices.Contains(nobodyWords, word):
		return assigns{}, nil
	default:
		found = named(func(name string) bool { first, _, _ := strings.Cut(name, " "); return first == word })
	}
	switch len(found) {
	case 0:
		return nil, wrong{code: "no-agent", name: words, meant: suggested(people, word)}
	case 1:
		return assigns{found[0].Person, shownAgent(people, found[0].Person)}, nil
	}
	return nil, wrong{code: "two-agents", name: words, meant: listed(found)}
}

func (assigns) sets() string                  { return "owner" }
func (assigns) refuse(*reading, *block) error { return nil }

func (o assigns) carry(r *reading, b *block) {
	r.plan.saidOwner = true
	was := int64(0)
	if b.c.Owner != nil {
		was = *b.c.Owner
	}
	if was == o.to {
		return
	}
	r.setsOwner(o.to)
	from := shownAgent(agentsOnce(r.f.agents), was)
	r.plan.events = append(r.plan.events, newEvent{kind: "owner", actor: b.agent.person, was: from, became: o.name, internal: true})
	b.did(Change{"owner", from, o.name}, undoStep{Field: fieldOwner, Was: idText(was), Became: idText(o.to)})
}

// setsOwner plans whose case it is; 0: nobody's.
func (r *reading) setsOwner(person int64) {
	var value any
	if person != 0 {
		value = person
	}
	r.plan.sets = append(r.plan.sets, caseField{columnOwner, value})
}

// agentsOnce are the agents of a desk, each at the first of their addresses.
func agentsOnce(rows []agentRow) (all []agentRow) {
	for _, a := range rows {
		if !slices.ContainsFunc(all, func(b agentRow) bool { return a.Person == b.Person }) {
			all = append(all, a)
		}
	}
	return all
}

// shownAgent is an agent's name, with the address if there is another one of
// that name; "" for one who is none any longer.
func shownAgent(people []agentRow, person int64) string {
	for _, a := range people {
		if a.Person != person {
			continue
		}
		if slices.ContainsFunc(people, func(b agentRow) bool { return b.Person != person && strings.EqualFold(a.Name, b.Name) }) {
			return agentWithAddress(a)
		}
		return clean(nameOr(a.Name, a.Address), 100)
	}
	return ""
}

func agentWithAddress(a agentRow) string {
	if a.Name == "" {
		return a.Address
	}
	return clean(a.Name, 60) + " <" + a.Address + ">"
}

// suggestedAgents is how many agents a message names.
const suggestedAgents = 20

func listed(people []agentRow) (all []string) {
	for _, a := range people[:min(len(people), suggestedAgents)] {
		all = append(all, agentWithAddress(a))
	}
	return all
}

// suggested are the agents who may have been meant; all if nobody is near.
func suggested(people []agentRow, word string) []string {
	if len(word) > 60 {
		return listed(people)
	}
	most := 2
	if len(word) <= 3 {
		most = 1
	}
	var near []agentRow
	for _, a := range people {
		names := append(strings.Fields(strings.ToLower(a.Name)), strings.ToLower(a.Name), a.Address, a.Address[:strings.LastIndexByte(a.Address, '@')])
		if slices.ContainsFunc(names, func(name string) bool {
			return strings.HasPrefix(name, word) || len(name) < 100 && flow.Distance(word, name) <= most
		}) {
			near = append(near, a)
		}
	}
	if near == nil {
		return listed(people)
	}
	return listed(near)
}
