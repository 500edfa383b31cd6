package core

import (
	"slices"

	"postern/core/flow"
)

// What people write, on the first line of a mail, who want no more mail of a
// case or want it again (R38). A phrase that names no case counts only if it is
// all that the mail says.
var (
	leavePhrases = flow.Phrases(
		"unsubscribe me from {case}", "unsubscribe from {case}", "unsubscribe {case}", "remove me from {case}", "take me off {case}",
		"meld mij af voor {case}", "meld me af voor {case}", "meld mij af van {case}", "meld me af van {case}", "afmelden voor {case}", "schrijf mij uit voor {case}",
		"uitschrijven voor {case}",
		"afmeld mig fra {case}", "afmeld mig {case}", "frameld mig {case}", "frameld mig fra {case}", "fjern mig fra {case}",
		"meld meg av {case}", "meld meg av fra {case}", "avmeld meg fra {case}", "fjern meg fra {case}",
		"melde mich von {case} ab", "melden sie mich von {case} ab", "von {case} abmelden", "abmelden von {case}", "mich von {case} abmelden")
	leaveAlone = flow.Phrases("unsubscribe", "unsubscribe me", "afmelden", "uitschrijven", "meld mij af", "meld me af", "afmeld", "afmeld mig", "frameld",
		"frameld mig", "avmeld", "avmeld meg", "meld meg av", "abmelden", "melde mich ab", "melden sie mich ab")
	backPhrases = flow.Phrases(
		"subscribe me to {case}", "subscribe to {case}", "subscribe me to {case} again",
		"meld mij aan voor {case}", "meld me aan voor {case}", "aanmelden voor {case}", "schrijf mij in voor {case}",
		"tilmeld mig {case}", "tilmeld mig til {case}",
		"meld meg på {case}", "påmeld meg {case}",
		"melde mich für {case} an", "melden sie mich für {case} an", "für {case} anmelden", "anmelden für {case}")
	backAlone = flow.Phrases("subscribe", "subscribe me", "aanmelden", "meld mij aan", "meld me aan", "tilmeld", "tilmeld mig", "meld meg på", "påmeld",
		"anmelden", "melde mich an", "melden sie mich an")
)

// caseLeave is somebody who leaves a case, or comes back to it.
type caseLeave struct{ back bool }

// leavesCase takes somebody out of the mail of a case who asks for that on the
// first line, or back into it: a participant gets nothing more of it, its
// requester only what the desk writes. It takes what a binding word takes: a
// forged mail must silence nobody.
func (r *reading) leavesCase() bool {
	c := r.thread.found
	if c == nil || r.f.sender == nil || r.plan.class != Human || r.isInternal() {
		return false
	}
	line, rest := firstLine(r.m.Reply)
	alone := endsThere(rest)
	leaves := flow.Says(line, leavePhrases) || alone && flow.Says(line, leaveAlone)
	back := flow.Says(line, backPhrases) || alone && flow.Says(line, backAlone)
	requester := r.plan.person == c.Requester
	takesPart := requester || slices.ContainsFunc(r.f.people, func(p caseperson) bool { return p.CaseID == c.ID && p.Person == r.plan.person })
	left := slices.Contains(r.f.left, c.ID)
	switch {
	case !leaves && !back:
		return false
	case !r.meant(c) && !r.ownToken():
		r.say("R38", "it asks for more or less mail of the case, and nothing proves who wrote it for this case: a comment")
		return false
	case back && !takesPart && !left && (!r.sure || r.desk.Join != "writing"):
		return false // a colleague like any other who writes
	}
	r.plan.caseID = c.ID
	says := "left"
	switch {
	case back:
		says = "back"
		if !takesPart {
			r.plan.joins = r.plan.person
		}
	case requester:
		says = "left-requester"
	}
	r.say("R38", "%s: %s", clean(line, 60), says)
	if leaves != left {
		r.plan.leaves = &caseLeave{back: back}
		r.plan.events = append(r.plan.events, newEvent{kind: map[bool]string{true: "back", false: "left"}[back], actor: r.plan.person})
	}
	if !alone || len(r.m.Files) > 0 {
		var marks []string
		if !r.sure {
			marks = append(marks, "unverified")
		}
		r.comment(c, rest, marks...)
		r.tellDesk(c, NoticeComment, "", marks)
	}
	w := draft{kind: LeftCase, to: r.sender(), replied: true, inReplyTo: r.m.MessageID}
	w.payload = r.about(c, w.to.language)
	w.payload.Reason = says
	r.send(w, c.ID)
	return r.end(Filed, map[bool]string{true: "comes back to the case", false: "leaves the case"}[back], "")
}
