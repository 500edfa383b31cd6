package core

import "postern/core/flow"

// splitsOff is "#split TITLE": the comment that the notice told of becomes a case
// of its own. It stays where it is, too.
type splitsOff struct{ title string }

// splitRow is a comment that could become a case: one that a notice told of, or
// the newest of the customer's side.
type splitRow struct {
	ID     int64
	CaseID int64
	Author int64
	Text   string
	Marks  []string
	Became *int64 // number of the case that it became
}

// split is a case that a comment becomes.
type split struct {
	c       *caseRow
	status  string
	class   string
	comment splitRow
	by      int64     // the agent
	quiet   bool      // nothing goes to its requester yet (R64)
	joins   int64     // who wrote the comment, if that is not the requester
	letters []cleared // of the new case
}

func readSplit(_ commandInput, words string) (order, error) {
	title := clean(words, 250)
	if title == "" {
		return nil, wrong{code: "split-title"}
	}
	return splitsOff{title}, nil
}

func (splitsOff) sets() string { return "split" }

func (splitsOff) refuse(r *reading, b *block) error {
	switch x := r.toSplit(b.c); {
	case b.agent.byToken:
		return wrong{code: "token-proof"}
	case r.isNew(b.c):
		return wrong{code: "new-split"}
	case x == nil:
		return wrong{code: "split-none"}
	case x.Became != nil:
		return wrong{code: "split-before", name: r.desk.caseNumber(*x.Became)}
	}
	return nil
}

// toSplit is the customer's comment that the answered notice told of, else the
// newest one; nil if there is none.
func (r *reading) toSplit(c *caseRow) (found *splitRow) {
	for i := range r.f.structure.splits { // oldest first
		x := &r.f.structure.splits[i]
		if x.CaseID != c.ID {
			continue
		}
		found = x
		if l := r.thread.letter; l != nil && l.Comment == x.ID && len(l.Texts) == 0 {
			break
		}
	}
	return found
}

func (o splitsOff) carry(r *reading, b *block) {
	x := r.toSplit(b.c)
	status, _ := r.desk.Status(r.desk.Initial)
	c := &caseRow{ID: r.f.ids[1], Desk: r.desk.id, Number: r.f.structure.splitNumber, Title: o.title, Requester: b.c.Requester,
		Organisation: b.c.Organisation, Company: b.c.Company, Status: status.Key, Class: string(status.Class), Visible: true}
	s := &split{c: c, status: status.Key, class: string(status.Class), comment: *x, by: b.agent.person,
		quiet: b.c.ByAgent && b.c.DeskWroteAt == nil}
	for _, p := range r.f.people {
		if p.CaseID != b.c.ID {
			continue
		}
		if p.Person == x.Author && !p.Requester {
			s.joins = p.Person
		}
		if p.Requester {
			s.quiet = s.quiet || p.Quiet
			p.CaseID = c.ID
			r.f.people = append(r.f.people, p)
		}
	}
	number := r.numberOf(c)
	r.plan.structure.splits = s
	r.plan.events = append(r.plan.events, newEvent{kind: "split", actor: b.agent.person, became: number, internal: true})
	r.say("R37", "a comment becomes %s", number)
	b.did(Change{"split", firstLines(x.Text, 1, 80), number})
	s.letters = r.ofAnother(flow.EventNew, func() {
		r.confirmSplit(c, r.numberOf(b.c), status.Key)
		r.tellDesk(c, NoticeNew, b.agent.name, s.comment.Marks)
	})
}

// confirmSplit tells the requester the number of their new case, which was a
// comment of another one.
func (r *reading) confirmSplit(c *caseRow, of, status string) {
	for _, p := range r.f.people {
		if p.CaseID != c.ID || r.agentOf(p.Person) {
			continue
		}
		w := draft{kind: SplitOff, to: recipient{person: p.Person, name: p.Name, address: p.Address,
			language: r.desk.language(p.Language), suppressed: p.Suppressed, quiet: p.Quiet}}
		w.payload = r.about(c, w.to.language)
		w.payload.SplitOf = of
		offer(r.desk, &w, status)
		r.send(w, c.ID)
	}
}

// ofAnother are the letters that tell queues, which are of another case than the
// mail's and say nothing of what changes there.
func (r *reading) ofAnother(event flow.Event, tell func()) []cleared {
	mails := r.plan
	r.plan.change, r.plan.entry, r.plan.sets, r.plan.owner = nil, nil, nil, 0
	r.plan.letters, r.other = nil, event
	tell()
	letters, trace := r.plan.letters, r.plan.trace
	r.plan, r.other = mails, ""
	r.plan.trace = trace
	return letters
}
