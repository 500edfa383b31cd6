package core

import (
	"slices"
	"time"

	"postern/core/flow"
)

// askedLife is how long an answer to "tell us why" makes the move that was
// asked for.
const askedLife = 14 * 24 * time.Hour

// Marks of a comment whose first line reads like a word of the desk and was
// taken for text: nothing was done for it, and somebody of the desk should
// look (R45).
const (
	markWord   = "word"  // a word that the case's status does not allow
	markWishes = "wish-" // and what the customer wants, if it is one of flow's wishes
)

// wishes are the marks of a reply whose first line is no word that can be
// followed now. settled says that nothing is left to do for it: all that it says
// is what the case is already.
func (r *reading) wishes(c *caseRow) (marks []string, settled bool) {
	line, rest := firstLine(r.m.Reply)
	move, known := r.desk.AnyWord(line, flow.ByCustomer)
	wish := flow.WishOf(line)
	switch {
	case wish == flow.WishClose && flow.Class(c.Class) == flow.Closed, wish == flow.WishCancel && flow.Class(c.Class).Ended(),
		known && move.To == c.Status:
		settled = endsThere(rest)
		if settled {
			r.say("R45", "%s: so it is", clean(line, 40))
		}
		return nil, settled
	case wish != "":
		r.say("R45", "%s is no word that the customer may use now: a comment, marked", clean(line, 40))
		return []string{markWishes + string(wish)}, false
	case known:
		r.say("R45", "%s is a word of another status: a comment, marked", clean(line, 40))
		return []string{markWord}, false
	}
	return nil, false
}

// askedBefore is the move that the sender was asked to explain, if this mail
// answers that question: theirs, about this case, whose status has not changed
// since (R45).
func (r *reading) askedBefore(c *caseRow) (flow.Move, bool) {
	l := r.thread.letter
	if l == nil || l.Kind != WordRefused || l.Asked == "" || r.thread.by.part > "b" {
		return flow.Move{}, false
	}
	if l.Person == nil || *l.Person != r.plan.person || l.Address != r.from().Address || l.CaseID == nil || *l.CaseID != c.ID {
		return flow.Move{}, false
	}
	if r.now.Sub(l.Queued) > askedLife || l.Queued.Before(c.StatusAt) || r.isEmpty() {
		return flow.Move{}, false
	}
	m, ok := customersMove(r.desk, *c, l.Asked, r.now)
	if !ok || m.Binding && !r.meant(c) && !r.ownToken() {
		return flow.Move{}, false
	}
	r.say("R45", "the text that was asked for: it leads from %s to %s", c.Status, m.To)
	return m, true
}

// isEmpty says that the mail brings no text of its own.
func (r *reading) isEmpty() bool {
	_, text := splitBanner(r.m.Reply)
	return endsThere(text)
}

// customersMove is the move by a word that leads a case to a status, if its
// customers may make it now.
func customersMove(d *running, c caseRow, to string, now time.Time) (flow.Move, bool) {
	if flow.Class(c.Class).Ended() && !canReopen(d.Desk, c, now) {
		return flow.Move{}, false
	}
	for _, m := range d.MovesFrom(c.Status, flow.ByCustomer) {
		if m.To == to && len(m.Words) > 0 {
			return m, true
		}
	}
	return flow.Move{}, false
}

// showsWords says the words of a status again, to somebody who answered
// without one: where the desk file lets a plain answer lead nowhere, because a
// test or an agreement is asked for, and gives words for that.
func (r *reading) showsWords(c *caseRow) {
	s, ok := r.desk.Status(c.Status)
	if !ok || s.Answer != s.Key || len(r.desk.Words("", s.Key, flow.ByCustomer)) == 0 {
		return
	}
	r.say("R45", "a plain answer is a comment in %s: its words are shown again", s.Key)
	w := draft{kind: WordRefused, to: r.sender(), replied: true, inReplyTo: r.m.MessageID}
	w.payload = r.about(c, w.to.language)
	w.payload.Reason = "words"
	offer(r.desk, &w, s.Key)
	r.send(w, c.ID)
}

// offeredLinks is how many one-press links one mail holds at most.
const offeredLinks = 3

// offer puts into a letter what the customer can do from a status: the words,
// and links that do the same by one press.
func offer(d *running, w *draft, status string) {
	w.payload.Words = words(d, w.to.language, status)
	for _, reply := range d.Words(w.to.language, status, flow.ByCustomer) {
		if len(w.payload.Links) < offeredLinks {
			offerLink(d, w, reply.Move)
		}
	}
}

// offerLink puts one link into a letter that makes this move by a press.
func offerLink(d *running, w *draft, m flow.Move) {
	if slices.ContainsFunc(w.payload.Links, func(l Link) bool { return l.Move == m.To }) {
		return
	}
	to, _ := d.Status(m.To)
	w.secret = "move"
	w.payload.Links = append(w.payload.Links, Link{Purpose: "move", Move: to.Key, Label: to.Label.In(w.to.language),
		Word: d.FirstWord(m, w.to.language)})
}
