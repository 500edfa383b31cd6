package core

import "slices"

// told are the agents who get a notice of a case: of a new one those whom the
// desk names, or all; afterwards its owner, or again those while nobody owns
// it; never the one who did it. One mail for each, at the first of their
// addresses.
func told(d *running, c caseRow, agents []agentRow, kind Kind, but int64) []recipient {
	owned := kind != NoticeNew && c.Owner != nil &&
		slices.ContainsFunc(agents, func(a agentRow) bool { return a.Person == *c.Owner })
	var all []recipient
	seen := map[int64]bool{but: true}
	for _, a := range agents {
		switch {
		case seen[a.Person]:
			continue
		case owned && a.Person != *c.Owner:
			continue
		case !owned && len(d.Notify) > 0 && !slices.Contains(d.Notify, a.Address):
			continue
		}
		seen[a.Person] = true
		all = append(all, recipient{person: a.Person, name: a.Name, address: a.Address,
			language: d.language(a.Language), agent: true, suppressed: a.Suppressed, notices: a.Notices})
	}
	return all
}
