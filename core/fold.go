package core

import (
	"slices"
	"strings"
	"time"
)

// Several events within a minute are one mail. What a person wrote goes out at
// once, unless its recipient had a mail about the case within the minute; other
// news waits that long. While a letter waits and nobody has taken it to be sent,
// it tells what happens next as well:
//
//	waits \ comes    a text                       a change of status, an owner
//	a text           of the same kind: both       the text, with the new status
//	                 texts, in order
//	news             the text takes it up,        the first status and the last;
//	                 and is not late for it       nothing, if they are the same
//
// Every event leaves a row of its own in the outbox: one that another letter
// tells ends as withheld, with the reason.

// Reasons of letters whose news another letter tells, or that have none left.
const (
	toldBefore = "told in a mail that was waiting"
	toldAfter  = "told in the next mail"
	backAgain  = "the status is what it was before"
)

// openLetter is a letter that nobody has taken to be sent yet. It is locked: it
// cannot be claimed before this transaction ends.
type openLetter struct {
	ID        int64
	CaseID    int64
	Address   string
	Kind      Kind
	MessageID string
	QueuedAt  time.Time
	Payload   Payload
}

// recentLetter is a mail about a case within the minute.
type recentLetter struct {
	ID      int64
	CaseID  int64
	Address string
	At      time.Time
}

// beside is what there is beside the letters that a transaction queues.
type beside struct {
	waiting []openLetter
	lately  []recentLetter
}

// folding is a waiting letter as it will tell more.
type folding struct {
	id        int64
	kind      Kind
	messageID string
	payload   Payload
}

// isText says that a letter of this kind brings what a person wrote.
func (k Kind) isText() bool { return k == Answer || k == NoticeComment || k == NoticeNote }

// isNews says that it tells what became of the case, and can wait.
func (k Kind) isNews() bool { return k == StatusNews || k == NoticeStatus || k == NoticeAssigned }

// foldable are the kinds of letters that wait, or that others are told in.
var foldable = []Kind{Answer, NoticeComment, NoticeNote, StatusNews, NoticeStatus, NoticeAssigned}

// notices are the kinds of which one within the minute makes the next wait.
var notices = append(slices.Clone(foldable), NoticeNew, Reminder, ClosingSoon)

// fold says when a letter is due, and whether it is one with others.
func (s beside) fold(c cleared, caseID int64, gather time.Duration, now time.Time) cleared {
	atOnce := c.replied || c.to.own || c.payload.GoesOn != "" // it answers what its recipient has just done, or is the last of its case
	spent := c.withheld == gathered || strings.HasSuffix(c.withheld, "(R48)")
	if gather <= 0 || caseID == 0 || !c.kind.isText() && !c.kind.isNews() || c.withheld != "" && !spent {
		return c
	}
	var text, news *openLetter
	for i := range s.waiting {
		w := &s.waiting[i]
		switch {
		case w.CaseID != caseID || w.Address != strings.ToLower(c.to.address):
		case w.Kind.isNews():
			news = w
		case text == nil && (w.Kind == c.kind || c.kind.isNews()):
			text = w
		}
	}
	switch {
	case spent && (atOnce || text == nil && (news == nil || c.kind.isText())):
		return c // a mail of its own would be one too many
	case atOnce && news != nil:
		c.payload, c.takes = news.Payload.then(c.payload), news.ID
	case atOnce:
	case c.kind.isText():
		if news != nil {
			c.payload, c.takes = news.Payload.then(c.payload), news.ID
			c.payload.Marks = union(c.payload.Marks, news.given())
		}
		if text == nil {
			c.due = s.after(c, caseID, gather, now)
			break
		}
		c.into = &folding{text.ID, text.Kind, text.MessageID, text.with(c.payload, now)}
	case text != nil:
		p := text.Payload.then(c.payload)
		p.Fixed, p.Actor, p.Comment, p.Note, p.Texts = text.Payload.Fixed, text.Payload.Actor, text.Payload.Comment, text.Payload.Note, text.Payload.Texts
		p.Marks = union(p.Marks, (&openLetter{Kind: c.kind, Payload: c.payload}).given())
		c.into = &folding{text.ID, text.Kind, text.MessageID, p}
	case news != nil:
		p, kind := news.Payload.then(c.payload), c.kind
		if news.Kind == NoticeAssigned && kind != NoticeAssigned {
			kind, p.Actor, p.Owner = NoticeAssigned, news.Payload.Actor, news.Payload.Owner
		}
		if !p.Changed && kind != NoticeAssigned {
			c.moot, c.withheld = news.ID, backAgain
			return c
		}
		c.into = &folding{news.ID, kind, news.MessageID, p}
	default:
		c.due = now.Add(gather)
	}
	if c.into != nil {
		c.withheld = toldBefore
	}
	return c
}

// given is the mark by which a notice of something else says whose the case is.
func (w *openLetter) given() []string {
	switch {
	case w.Kind != NoticeAssigned:
		return nil
	case w.Payload.Owner == "":
		return []string{"assigned"}
	}
	return []string{"assigned: " + w.Payload.Owner}
}

// after is when a text is due: at once, or as long after the last mail about the
// case as events are gathered.
func (s beside) after(c cleared, caseID int64, gather time.Duration, now time.Time) time.Time {
	due := now
	for _, l := range s.lately {
		if l.CaseID != caseID || l.Address != strings.ToLower(c.to.address) || l.ID == c.takes {
			continue
		}
		if at := l.At.Add(gather); at.After(due) {
			due = at
		}
	}
	if latest := now.Add(gather); due.After(latest) {
		return latest
	}
	return due
}

// then is what a letter tells of p and of what came after it: the status is the
// last one, and was what it was first.
func (p Payload) then(next Payload) Payload {
	all := next
	if p.Changed {
		all.Changed, all.Was, all.From = true, p.Was, p.From
	}
	if all.Changed && all.Was == all.Status {
		all.Changed, all.Was, all.From = false, "", ""
	}
	if all.Actor == "" {
		all.Actor = p.Actor
	}
	if all.Reason == "" && !next.Changed { // a reason is that of the last status
		all.Reason = p.Reason
	}
	if len(all.Lines) == 0 {
		all.Lines = p.Lines
	}
	all.Marks, all.Proposed = union(p.Marks, next.Marks), union(p.Proposed, next.Proposed)
	return all
}

// with is a letter with one more text, in the order in which they were written.
func (w *openLetter) with(next Payload, now time.Time) Payload {
	p := w.Payload.then(next)
	p.Comment, p.Note, p.Texts = w.Payload.Comment, w.Payload.Note, slices.Clone(w.Payload.Texts)
	if len(p.Texts) == 0 {
		p.Texts = []TextOf{{w.Payload.Comment + w.Payload.Note, w.Payload.Actor, w.QueuedAt}}
	}
	p.Texts = append(p.Texts, TextOf{next.Comment + next.Note, next.Actor, now})
	var names []string
	for _, t := range p.Texts {
		names = union(names, []string{t.Actor})
	}
	p.Actor = strings.Join(names, ", ")
	return p
}

func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}
