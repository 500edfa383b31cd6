package core

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"time"

	"postern/core/token"
)

func isReplyToken(t string, l *letterRow) bool {
	return l.Answerable && bytes.Equal(token.Hash(t), l.TokenHash)
}
func isNoteToken(t string, l *letterRow) bool { return bytes.Equal(token.Hash(t), l.NoteHash) }

// strikes is how many failures within a week, of whatever kind, make an address
// one that gets no more automatic mail (R54).
const (
	strikes      = 3
	strikeWindow = 7 * 24 * time.Hour
)

// isBounce files a bounce as a delivery event on the case of the mail that
// came back: by its bounce address, else by the returned Message-ID if that
// went to the recipient named (R54). It never opens, reopens or disables
// anything.
func (r *reading) isBounce() bool {
	if r.plan.class != BounceMail {
		return false
	}
	l, said := r.bounced()
	if l == nil {
		return r.hold("R54", "bounce", "a bounce of no mail of ours")
	}
	code := said.code()
	r.say("R54", "a bounce of letter %d: status %s, action %s", l.ID, nameOr(clean(code, 20), "none"), nameOr(clean(said.Action, 20), "none"))
	before := r.f.bounced[l.Address]
	switch {
	case !said.failed():
	case goneForGood(code):
		r.suppress(l, said, "there is no such mailbox: it gets no more automatic mail")
	case strings.HasPrefix(code, "5.") && before+1 >= strikes:
		r.suppress(l, said, fmt.Sprintf("%d failures within 7 days: it gets no more automatic mail", before+1))
	}
	var c *caseRow
	if l.CaseID != nil {
		c = r.f.caseByID(*l.CaseID)
	}
	if c == nil {
		return r.end(Filed, "event: a bounce", "")
	}
	r.event(c, newEvent{kind: said.event(), was: l.Address, became: clean(code, 20), why: clean(said.Diagnostic, 300), internal: true})
	if !l.Automatic && said.failed() {
		r.tellBounce(c, l, said)
	}
	return r.end(Filed, "event: a bounce", "")
}

func (r *reading) suppress(l *letterRow, said ReportRecipient, why string) {
	r.plan.suppress, r.plan.suppressWhy = l.Address, clean(said.code()+" "+said.Diagnostic, 200)
	r.say("R54", "%s", why)
}

// bounced is the letter that came back, and what the bounce says of it.
func (r *reading) bounced() (*letterRow, ReportRecipient) {
	var all []ReportRecipient
	if r.m.Report != nil {
		all = r.m.Report.Recipients
	}
	for _, t := range r.bounces {
		for i := range r.f.tokens {
			if l := &r.f.tokens[i]; bytes.Equal(token.Hash(t), l.TokenHash) {
				return l, saidOf(all, l.Address)
			}
		}
	}
	if r.m.Report == nil || r.m.Report.ReturnedID == "" {
		return nil, ReportRecipient{}
	}
	h := hashID(r.m.Report.ReturnedID)
	for i := range r.f.ours {
		if l := &r.f.ours[i]; bytes.Equal(h, l.IDHash) {
			for _, p := range all {
				if p.is(l.Address) {
					return l, p
				}
			}
		}
	}
	return nil, ReportRecipient{}
}

// saidOf is what a report says of a letter's one recipient. Its address may
// have become another on the way; then the first that failed is meant.
func saidOf(all []ReportRecipient, address string) ReportRecipient {
	for _, p := range all {
		if p.is(address) {
			return p
		}
	}
	for _, p := range all {
		if p.failed() {
			return p
		}
	}
	if len(all) > 0 {
		return all[0]
	}
	return ReportRecipient{}
}

func (p ReportRecipient) is(address string) bool {
	return p.Address == address || p.Original == address
}

// failed says that the mail was given up for this recipient.
func (p ReportRecipient) failed() bool {
	return p.Action == "failed" || p.Action == "" && strings.HasPrefix(p.code(), "5.")
}

// event is the kind of event that a report makes.
func (p ReportRecipient) event() string {
	switch p.Action {
	case "delayed":
		return "delayed"
	case "delivered", "relayed", "expanded":
		return "delivered"
	}
	return "bounce"
}

var enhancedCode = regexp.MustCompile(`(?:^|[^0-9.])([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[^0-9.]|\.?$|\.[^0-9])`)

// code is the status; where the server gave only a general one (5.0.0), the
// one in the other server's words.
func (p ReportRecipient) code() string {
	status := strings.TrimSpace(p.Status)
	if status != "" && !strings.HasSuffix(status, ".0.0") {
		return status
	}
	if m := enhancedCode.FindStringSubmatch(p.Diagnostic); m != nil && (status == "" || m[1][0] == status[0]) {
		return m[1]
	}
	return status
}

// goneForGood says whether a status code means that there is no such mailbox,
// today or tomorrow (RFC 3463).
func goneForGood(status string) bool {
	return status == "5.1.1" || status == "5.1.10" || status == "5.2.1"
}

// tellBounce returns a person's failed mail to the agent who owns the case, or
// to all while nobody does.
func (r *reading) tellBounce(c *caseRow, l *letterRow, p ReportRecipient) {
	for _, a := range toldOfFailure(r.desk, *c, audience{agents: r.f.agents, own: r.isOwn}, l.Authors) {
		w := draft{kind: NoticeBounce, to: a}
		w.payload = r.about(c, a.language)
		w.payload.Fixed = false
		w.payload.Actor, w.payload.Customer = l.Address, r.requester(c)
		w.payload.Reason = clean(p.Status+" "+p.Diagnostic, 300)
		w.payload.Comment, w.payload.Texts = l.Comment, l.Texts
		r.send(w, c.ID)
	}
}
