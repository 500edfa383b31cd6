package core

import "fmt"

// links is "#link CASE-2" and "#unlink CASE-2": cases that belong together, for
// the desk's eyes alone.
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
		return nil, fmt.Errorf("write one case, like #%s %s-10001", links{linked: linked}.name(), in.desk.Prefix)
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

func (o links) refuse(r *reading, b *block) string {
	other, why := r.caseNamed(o.number)
	switch {
	case b.agent.byToken:
		why = byTokenAlone
	case why != "":
	case other.ID == b.c.ID:
		why = "it is this very case"
	case !o.linked && !r.f.structure.linked(b.c.ID, other.ID):
		why = "it is not linked to this case"
	}
	if why != "" {
		return fmt.Sprintf("#%s %s: %s", o.name(), o.number, why)
	}
	return ""
}

func (o links) carry(r *reading, b *block) {
	other, _ := r.caseNamed(o.number)
	if !r.f.structure.link(b.c.ID, other.ID, o.linked) {
		return // they are, or the line stands twice
	}
	r.plan.structure.links = append(r.plan.structure.links, linking{other.ID, o.linked})
	r.plan.events = append(r.plan.events, newEvent{kind: o.name() + "ed", actor: b.agent.person, became: r.numberOf(other), internal: true})
	b.tells(o.name()+"ed: "+r.numberOf(other), "", "")
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
