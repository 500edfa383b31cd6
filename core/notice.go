package core

import (
	"slices"

	"postern/core/flow"
)

// audience is everybody whom what happens to a case may concern.
type audience struct {
	agents []agentRow
	people []caseperson      // of the customer's side
	own    func(string) bool // own addresses are never told (R52)
}

// happened is what they are told of, in one mail.
type happened struct {
	events []flow.Event // the one that the mail is about first
	by     []int64      // who did it, or knows it: they are not told
	// receipt says that a customer who did it is told all the same: their word
	// ended or reopened the case, and the mail says that it counted (R45)
	receipt bool
}

// told is the one place that says who is told of what happened to a case, and
// how: by the desk's table, and what each person has said for themselves. Nobody
// is told twice: who is both a customer and an agent hears of what concerns
// customers as one of them.
func told(d *running, c caseRow, in audience, h happened) []recipient {
	var all []recipient
	seen, addresses := map[int64]bool{0: true}, map[string]bool{}
	add := func(to recipient, how flow.How) {
		if how == flow.Untold || addresses[to.address] || in.own != nil && in.own(to.address) {
			return
		}
		to.digest = how == flow.InDigest && !to.own
		seen[to.person], addresses[to.address] = true, true
		all = append(all, to)
	}
	agents := agentsOf(d, c, in.agents)
	customers := func(events []flow.Event) {
		for _, p := range in.people {
			did := slices.Contains(h.by, p.Person)
			_, isAgent := agents.find(p.Person)
			if p.CaseID != c.ID || seen[p.Person] || did && !h.receipt || isAgent && !p.Requester || p.Left && !p.Requester && !did {
				continue
			}
			add(recipient{person: p.Person, name: p.Name, address: p.Address, language: d.language(p.Language),
				suppressed: p.Suppressed, quiet: p.Quiet, left: p.Left && !did, own: did}, p.hears(d, events))
		}
	}
	customers(h.events[:1])
	for _, a := range agents {
		if seen[a.Person] || slices.Contains(h.by, a.Person) {
			continue
		}
		add(recipient{person: a.Person, name: a.Name, address: a.Address, language: d.language(a.Language), agent: true,
			suppressed: a.Suppressed, notices: a.Notices}, a.hears(d, h.events))
	}
	customers(h.events)
	return all
}

// hears is how somebody of the customer's side is told. For themselves they can
// only ask for less, and only of what they can do without.
func (p caseperson) hears(d *running, events []flow.Event) flow.How {
	role := flow.RoleParticipant
	if p.Requester {
		role = flow.RoleRequester
	}
	most := flow.Untold
	for _, e := range events {
		how := d.Tell(e, role)
		if wish, ok := wished(p.Wishes, e, false); ok && wish.Less(how) {
			how = wish
		}
		most = most.More(how)
	}
	return most
}

// deskAgent is an agent, at the one address where they get notices, and what
// they are to a case.
type deskAgent struct {
	agentRow
	roles []flow.Role
}

type deskAgents []deskAgent

func (all deskAgents) find(person int64) (int, bool) {
	i := slices.IndexFunc(all, func(a deskAgent) bool { return a.Person == person })
	return i, i >= 0
}

// agentsOf are the agents of a desk, each once: at the address that the desk's
// notify names, or else at the first of theirs.
func agentsOf(d *running, c caseRow, rows []agentRow) deskAgents {
	owned := c.Owner != nil && slices.ContainsFunc(rows, func(a agentRow) bool { return a.Person == *c.Owner })
	var all deskAgents
	for _, row := range rows {
		i, known := all.find(row.Person)
		if !known {
			i = len(all)
			all = append(all, deskAgent{agentRow: row, roles: []flow.Role{flow.RoleAgents}})
			if owned && row.Person == *c.Owner {
				all[i].roles = append(all[i].roles, flow.RoleOwner)
			}
			if row.Role == "admin" {
				all[i].roles = append(all[i].roles, flow.RoleAdmins)
			}
		}
		named := slices.Contains(d.Notify, row.Address)
		if (len(d.Notify) == 0 || named) && !slices.Contains(all[i].roles, flow.RoleNotify) {
			all[i].agentRow = row
			all[i].roles = append(all[i].roles, flow.RoleNotify)
			if !owned {
				all[i].roles = append(all[i].roles, flow.RoleUnowned)
			}
		}
	}
	return all
}

// hears is how an agent is told: as they have said for themselves, else as the
// desk says.
func (a deskAgent) hears(d *running, events []flow.Event) flow.How {
	most := flow.Untold
	for _, e := range events {
		how := flow.Untold
		for _, r := range a.roles {
			how = how.More(d.Tell(e, r))
		}
		if wish, ok := wished(a.Wishes, e, true); ok && (how != flow.Untold || a.raises(e, wish)) {
			how = wish
		}
		most = most.More(how)
	}
	return most
}

// raises says that a wish makes an agent hear of what the desk does not tell
// them. Who asks for mails gets them of every case; who asks for a digest wants
// less of their own cases, not some of all others.
func (a deskAgent) raises(e flow.Event, wish flow.How) bool {
	if slices.Contains(a.roles, flow.RoleOwner) || e == flow.EventNew {
		return true
	}
	return wish == flow.ByMail && e != flow.EventAssigned
}

// wished is what a person has said of an event, if they have and may.
func wished(wishes map[string]string, e flow.Event, agent bool) (flow.How, bool) {
	wish, ok := wishes[string(e)]
	return flow.How(wish), ok && slices.Contains(flow.Wishes(agent), e) && slices.Contains(flow.Ways(e), flow.How(wish))
}

// statusEvent is the event that a change of status is.
func statusEvent(to flow.Status) flow.Event {
	if to.Class.Ended() {
		return flow.EventClosed
	}
	return flow.EventStatus
}
