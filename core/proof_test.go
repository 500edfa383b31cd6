package core

import "testing"

// Proof by a list of held mail is proof for that list, whatever case the mail
// names beside it.
func TestReaches_aListsTokenIsGoodForNoCase(t *testing.T) {
	c := caseRow{ID: 7}
	r := &reading{f: &facts{cases: []caseRow{c}, sender: &senderRow{}}}
	for _, x := range []struct {
		name  string
		agent provenAgent
		c     *caseRow
		want  bool
	}{
		{"R42/a signed mail is good for any case", provenAgent{}, &c, true},
		{"R42/a list's token for none", provenAgent{byToken: true}, &c, false},
		{"R42/and not for no case at all", provenAgent{byToken: true}, nil, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			if got := r.reaches(x.agent, x.c); got != x.want {
				t.Errorf("%v", got)
			}
		})
	}
}
