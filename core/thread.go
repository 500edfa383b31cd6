package core

import (
	"bytes"
	"fmt"
	"slices"
	"time"
)

// gather lists every sign of which case a mail belongs to, in the order of
// R34: reply token, ids of ours, ids of mails we took in, tagged number, bare
// number. The body's text is never read for it.
func gather(f *facts, tokens []string, m Mail, numbers []subjectNumber, now time.Time) []evidence {
	var found []evidence
	for _, t := range tokens {
		for i := range f.tokens {
			l := &f.tokens[i]
			if l.CaseID == nil || !isReplyToken(t, l) && !isNoteToken(t, l) {
				continue
			}
			if l.TokenUntil == nil || l.TokenUntil.Before(now) {
				continue // withdrawn or expired: no evidence at all
			}
			found = append(found, evidence{"a", "a reply token", l, *l.CaseID})
		}
	}
	var ids []string
	ids = append(ids, m.InReplyTo...)
	for i := len(m.References) - 1; i >= 0; i-- {
		ids = append(ids, m.References[i])
	}
	for _, id := range ids {
		h := hashID(id)
		for i := range f.ours {
			if l := &f.ours[i]; l.CaseID != nil && bytes.Equal(h, l.IDHash) {
				found = append(found, evidence{"b", "it answers a mail of ours", l, *l.CaseID})
			}
		}
	}
	for _, id := range ids {
		h := hashID(id)
		for _, k := range f.known {
			if k.CaseID != nil && bytes.Equal(h, k.IDHash) {
				found = append(found, evidence{"c", "it answers a mail that we took in", nil, *k.CaseID})
			}
		}
	}
	for _, tagged := range []bool{true, false} {
		part := map[bool]string{true: "d", false: "e"}[tagged]
		for _, n := range numbers {
			for _, c := range f.cases {
				if n.tagged == tagged && c.Desk == n.desk && c.Number == n.number {
					found = append(found, evidence{part, n.text + " in the subject", nil, c.ID})
				}
			}
		}
	}
	return found
}

// thread is which case a mail's evidence names.
type thread struct {
	found    *caseRow   // the case it names, that the sender may see
	by       evidence   // the sign that decided
	hidden   *caseRow   // the first case named that the sender may not see
	conflict bool       // it names cases of two organisations
	letter   *letterRow // the letter that is answered, if the sign is one
	aside    *caseRow   // the first hidden case for which the sender is proposed, by an answer to a mail of it
	asideBy  evidence

	mergedFrom *caseRow // the case that it names goes on as found
}

// findCase weighs the evidence: the first sign that names a case decides
// (R34). What names cases that this person may not see is not weighed; what is
// left must not name cases of two organisations.
func findCase(f *facts, signs []evidence, desk int) (thread, []Step) {
	var t thread
	var steps []Step
	var organisations []*int64
	for _, e := range signs {
		c := f.caseByID(e.caseID)
		switch {
		case c == nil || c.Desk != desk:
			continue
		case !c.Visible:
			if t.hidden == nil {
				t.hidden = c
				steps = append(steps, Step{"R34", fmt.Sprintf("(%s) %s: a case this person may not see is not weighed", e.part, e.says)})
			}
			if t.aside == nil && (e.part == "b" || e.part == "c") && slices.Contains(f.proposed, c.ID) {
				t.aside, t.asideBy = c, e
			}
			continue
		case t.found == nil:
			t.found, t.by, t.letter = c, e, e.letter
			steps = append(steps, Step{"R34", fmt.Sprintf("(%s) %s", e.part, e.says)})
		}
		organisations = append(organisations, c.Organisation)
	}
	for _, o := range organisations {
		if !sameOrganisation(o, organisations[0]) {
			t.conflict = true
			steps = append(steps, Step{"R34", "its evidence names cases of two organisations"})
			break
		}
	}
	if len(signs) == 0 {
		steps = append(steps, Step{"R34", "nothing in it names a case"})
	}
	return t, steps
}

func sameOrganisation(a, b *int64) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

func (f *facts) caseByID(id int64) *caseRow {
	for i := range f.cases {
		if f.cases[i].ID == id {
			return &f.cases[i]
		}
	}
	return nil
}
