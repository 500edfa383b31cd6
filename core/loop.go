package core

import (
	"slices"
	"time"
)

// A ping-pong is a talk between our automatic mail and a machine that nothing
// marks as one (R50). It ends after so many turns, each an automatic mail of
// ours and a mail that came soon after it, without a person of the desk in
// between; then automatic mail stops for a day.
//
// A mail that names none of ours may be a customer's next question: it is a
// turn only if it came faster than people write.
const (
	pingPongTurns = 4
	answerTime    = 2 * time.Minute
	promptTime    = 20 * time.Second
	mutedFor      = 24 * time.Hour

	// longestPingPong is how far back turns are looked for.
	longestPingPong = 2 * pingPongTurns * answerTime
)

// Reasons of withheld letters. The first one stands in indexes, and is what
// mutes those that follow.
const (
	pingPongReason = "ping-pong (R50)"
	mutedReason    = "muted after a ping-pong (R50)"
)

// talk is who wrote when lately, to and from one outside address or on one
// case: each list oldest first.
type talk struct {
	CaseID  int64       // 0: of the sender's address
	Came    []time.Time // mails that came in, but for the one in hand
	Answers []bool      // which of them were filed on a case that there was
	Sent    []time.Time // automatic mails that left
	Wrote   []time.Time // what people of the desk wrote
	Muted   bool        // a ping-pong was stopped within the day
}

// stopped says why automatic mail must not go on in this talk, "" if it may.
// came is when the mail in hand came in; answers: it names a mail of ours.
func (t talk) stopped(came time.Time, answers bool) string {
	switch {
	case t.Muted:
		return mutedReason
	case t.pingPong(came, answers):
		return pingPongReason
	}
	return ""
}

func (t talk) pingPong(came time.Time, answers bool) bool {
	var person time.Time
	if n := len(t.Wrote); n > 0 {
		person = t.Wrote[n-1]
	}
	in, out := len(t.Came)-1, len(t.Sent)-1
	for turn := 1; ; turn++ {
		// mail servers date what they take in by whole seconds
		for out >= 0 && t.Sent[out].Truncate(time.Second).After(came) {
			out--
		}
		limit := promptTime
		if answers {
			limit = answerTime
		}
		if out < 0 || came.Sub(t.Sent[out]) >= limit || !t.Sent[out].After(person) {
			return false
		}
		if turn == pingPongTurns {
			return true
		}
		for in >= 0 && t.Came[in].After(t.Sent[out]) {
			in--
		}
		if in < 0 || t.Sent[out].Sub(t.Came[in]) >= answerTime {
			return false
		}
		came, answers = t.Came[in], t.Answers[in]
		in, out = in-1, out-1
	}
}

// stopped says why a case's customers get no automatic mail now: its own talk,
// or the sender's, who may open a new case each time.
func (r *reading) stopped(caseID int64) string {
	for _, t := range r.f.talks {
		if t.CaseID == 0 || t.CaseID == caseID {
			if why := t.stopped(r.m.Received, r.namesOurs()); why != "" {
				return why
			}
		}
	}
	return ""
}

// namesOurs says that the mail names a letter of ours, by its address or by a
// Message-ID.
func (r *reading) namesOurs() bool { return len(r.f.tokens) > 0 || len(r.f.ours) > 0 }

// withheldLine tells agents on the case's page that an automatic mail did not
// go out (R49): one line a mail, whatever it would have caused.
func (r *reading) withheldLine(c cleared, caseID int64) {
	if caseID == 0 || c.to.agent || !worthALine(c.withheld) ||
		slices.ContainsFunc(r.plan.events, func(e newEvent) bool { return e.kind == "withheld" }) {
		return
	}
	r.plan.events = append(r.plan.events, newEvent{kind: "withheld", was: c.to.address, why: c.withheld, internal: true})
}
