package core

import (
	"bytes"
	"strings"

	"postern/core/token"
)

func isReplyToken(t string, l *letterRow) bool {
	return l.Answerable && bytes.Equal(token.Hash(t), l.TokenHash)
}
func isNoteToken(t string, l *letterRow) bool { return bytes.Equal(token.Hash(t), l.NoteHash) }

// isBounce files a bounce as a delivery event on the case of the mail that
// came back: by its bounce address, else by the returned Message-ID if that
// went to the recipient named (R54). It never opens, reopens or disables
// anything.
func (r *reading) isBounce() bool {
	if r.plan.class != BounceMail {
		return false
	}
	l, failed := r.bounced()
	if l == nil {
		return r.hold("R54", "bounce", "a bounce of no mail of ours")
	}
	r.say("R54", "a bounce of letter %d: status %s, action %s", l.ID, clean(failed.Status, 20), clean(failed.Action, 20))
	if r.suppresses(failed) {
		r.plan.suppress, r.plan.suppressWhy = l.Address, clean(failed.Status+" "+failed.Diagnostic, 200)
		r.say("R54", "its address gets no more automatic mail")
	}
	if l.CaseID == nil {
		return r.end(Filed, "event: a bounce", "")
	}
	c := r.f.caseByID(*l.CaseID)
	if c == nil {
		return r.end(Filed, "event: a bounce", "")
	}
	r.event(c, newEvent{kind: "bounce", was: l.Address, became: clean(failed.Status, 20), why: clean(failed.Diagnostic, 300), internal: true})
	if !l.Automatic && failed.Action != "delayed" {
		r.tellBounce(c, l, failed)
	}
	return r.end(Filed, "event: a bounce", "")
}

// bounced is the letter that came back, and what the bounce says of it.
func (r *reading) bounced() (*letterRow, ReportRecipient) {
	var said ReportRecipient
	if r.m.Report != nil && len(r.m.Report.Recipients) > 0 {
		said = r.m.Report.Recipients[0]
	}
	for _, t := range r.bounces {
		for i := range r.f.tokens {
			if bytes.Equal(token.Hash(t), r.f.tokens[i].TokenHash) {
				return &r.f.tokens[i], said
			}
		}
	}
	if r.m.Report == nil || r.m.Report.ReturnedID == "" {
		return nil, said
	}
	h := hashID(r.m.Report.ReturnedID)
	for i := range r.f.ours {
		if !bytes.Equal(h, r.f.ours[i].IDHash) {
			continue
		}
		for _, p := range r.m.Report.Recipients {
			if p.Address == r.f.ours[i].Address {
				return &r.f.ours[i], p
			}
		}
	}
	return nil, said
}

// suppresses says whether a bounce means that the address is no more.
func (r *reading) suppresses(p ReportRecipient) bool {
	if p.Action != "" && p.Action != "failed" {
		return false
	}
	return goneForGood(strings.TrimSpace(p.Status))
}

// goneForGood says whether a status code means that there is no such mailbox,
// today or tomorrow (RFC 3463).
func goneForGood(status string) bool {
	return status == "5.1.1" || status == "5.1.10" || status == "5.2.1"
}

// tellBounce returns a person's failed mail to the agent who owns the case, or
// to all while nobody does.
func (r *reading) tellBounce(c *caseRow, l *letterRow, p ReportRecipient) {
	for _, a := range r.agentsTold(c, NoticeBounce) {
		w := draft{kind: NoticeBounce, to: a}
		w.payload = r.about(c, a.language)
		w.payload.Fixed = false
		w.payload.Actor, w.payload.Customer = l.Address, r.requester(c)
		w.payload.Reason = clean(p.Status+" "+p.Diagnostic, 300)
		w.payload.Comment = l.Comment
		r.send(w, c.ID)
	}
}
