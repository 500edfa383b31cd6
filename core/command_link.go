package core

import (
	"slices"
	"strings"
)

// links is "#link CASE-2" and "#unlink CASE-2": cases that belong together, for
// agents' eyes alone. The other may be of another desk whose agent this is, too.
type links struct {
	number string
	linked bool
}

// linkRow is two cases that are linked, the lower id first.
type linkRow struct{ A, B int64 }

func readLink(in commandInput, words string) (order, error)   { return readLinks(in, words, true) }
func readUnlink(in commandInput, words string) (order, error) { return readLinks(in, words, false) }

func readLinks(in commandInput, words string, linked bool) (order, error) {
	number, ok := readCaseNumber(words)
	if !ok {
		return nil, wrong{code: "link-which", name: "#" + links{linked: linked}.name() + " " + in.desk.Prefix + "-10001"}
	}
	return links{number, linked}, nil
}

func (links) sets() string { return "" }

func (o links) name() string {
	if o.linked {
		return "link"
	}
	return "unlink"
}

func (o links) refuse(r *reading, b *block) error {
	other, number, err := r.caseToLink(o.number)
	switch {
	case b.agent.byToken:
		return wrong{code: "token-proof"}
	case err != nil:
		return err
	case other.ID == b.c.ID:
		return wrong{code: "this-case", name: number}
	case !o.linked && !r.f.structure.linked(b.c.ID, other.ID):
		return wrong{code: "not-linked", name: number}
	}
	return nil
}

func (o links) carry(r *reading, b *block) {
	other, number, _ := r.caseToLink(o.number)
	if !r.f.structure.link(b.c.ID, other.ID, o.linked) {
		return // they are, or the line stands twice
	}
	r.linksWith(b, linking{other.ID, o.linked}, number)
	b.did(Change{o.name() + "ed", "", number}, linkStep(other.ID, number, o.linked))
}

// linksWith plans to link the case with another, or no longer.
func (r *reading) linksWith(b *block, l linking, number string) {
	r.plan.structure.links = append(r.plan.structure.links, l)
	kind := links{linked: l.linked}.name() + "ed"
	r.plan.events = append(r.plan.events, newEvent{kind: kind, actor: b.agent.person, became: number, internal: true})
}

// caseToLink finds the case that a line names on this desk, or on another one
// whose agent the sender is, and its number there.
func (r *reading) caseToLink(number string) (*caseRow, string, error) {
	c, err := r.caseNamed(number)
	if err == nil {
		return c, r.numberOf(c), nil
	}
	for _, n := range r.inCommands {
		if n.text != number || !slices.Contains(r.f.structure.desks, n.desk) {
			continue
		}
		for i := range r.f.cases {
			if c := &r.f.cases[i]; c.Desk == n.desk && c.Number == n.number && c.Visible {
				return c, number, nil
			}
		}
	}
	return nil, "", err
}

// linkStep is how a link is taken back: by the other case's id, which its number
// follows.
func linkStep(other int64, number string, linked bool) undoStep {
	s := idText(other) + " " + number
	if linked {
		return undoStep{Field: fieldLink, Became: s}
	}
	return undoStep{Field: fieldLink, Was: s}
}

func linkHolds(r *reading, c *caseRow, s undoStep) bool {
	id, _, _ := strings.Cut(s.Was+s.Became, " ")
	return r.f.structure.linked(c.ID, number(id)) == (s.Became != "")
}

func restoreLink(r *reading, b *block, s undoStep) (Change, bool) {
	id, other, _ := strings.Cut(s.Was+s.Became, " ")
	l := linking{number(id), s.Was != ""}
	r.linksWith(b, l, other)
	return Change{links{linked: l.linked}.name() + "ed", "", other}, true
}

// linking is one case to be linked to that of the mail, or no longer.
type linking struct {
	other  int64
	linked bool
}

func (f *structureFacts) linked(a, b int64) bool {
	for _, l := range f.pairs {
		if l == (linkRow{min(a, b), max(a, b)}) {
			return true
		}
	}
	return false
}

// link notes that two cases are linked, or no longer; false if that is so
// already.
func (f *structureFacts) link(a, b int64, linked bool) bool {
	pair := linkRow{min(a, b), max(a, b)}
	if f.linked(a, b) == linked {
		return false
	}
	if linked {
		f.pairs = append(f.pairs, pair)
		return true
	}
	for i, l := range f.pairs {
		if l == pair {
			f.pairs = append(f.pairs[:i:i], f.pairs[i+1:]...)
			break
		}
	}
	return true
}
