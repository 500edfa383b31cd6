package core

import (
	"slices"

	"postern/core/flow"
)

// toldOfFailure are the agents who hear that people's texts did not arrive:
// whoever is told of the case's mail, and the agents who wrote them (R54, R60).
func toldOfFailure(d *running, c caseRow, in audience, authors []int64) []recipient {
	h := happened{events: []flow.Event{flow.EventBounce}}
	all := told(d, c, in, h)
	for _, author := range authors {
		if slices.ContainsFunc(all, func(a recipient) bool { return a.person == author }) {
			continue
		}
		c.Owner = &author // as if it were theirs: nobody but them, if they are still an agent of the desk
		for _, a := range told(d, c, in, h) {
			if a.person == author {
				all = append(all, a)
			}
		}
	}
	return all
}
