package core

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// draft is a letter that a decision wants to send. It leaves only through
// gate, which makes a cleared of it.
type draft struct {
	kind      Kind
	to        recipient
	human     bool // a person's own text: no Auto-Submitted, no gate (R53)
	replied   bool // answers this very mail
	internal  bool // an answer to it is a note
	payload   Payload
	inReplyTo string
	secret    string // purpose of the one-time secret in it, "" for none
	expires   time.Duration
	wake      *time.Time // of an undo link: the date of the status it goes back to
	about     int64      // the case it is about, if that is not the mail's
	undo      []undoStep // how what it tells is taken back
}

// recipient is the one address a letter goes to: always a stored one, never
// one that a mail's header names for answers (R39).
type recipient struct {
	person     int64
	name       string
	address    string
	language   string
	agent      bool
	suppressed bool
	digest     bool // hears of it in the digest of the hour, as the desk or they themselves say
	own        bool // did it themselves, and is told that it counted
	quiet      bool // an agent opened the case for them, and nobody has written to them yet (R64)
	left       bool // wants no more mail of the case, and gets what the desk writes alone (R38)
	notices    int  // to this agent in the last 10 minutes
	answers    int  // to what they asked by mail, in the same time
}

// cleared is a draft after the gate: it goes out, or is kept as withheld with
// the reason. Only gate makes one.
type cleared struct {
	draft
	withheld string

	// what fold made of it
	due   time.Time // zero: at once
	into  *folding  // the waiting letter that tells it
	takes int64     // the waiting letter whose news it tells; 0: none
	moot  int64     // the waiting letter that has no news any more
}

// causing is what the gate knows of the mail that caused a letter; nil if no
// mail did (a chore, a page).
type causing struct {
	class     Class
	assurance Assurance
	before    bool // some earlier mail of this person was verified
	nullPath  bool // Return-Path is empty
	suppress  bool // X-Auto-Response-Suppress forbids answers
	late      bool // taken in long after it came (R8)
}

// neverGathered are mails to agents that answer them, or tell of more than one
// thing already.
var neverGathered = []Kind{Worklist, CaseSheet, Morning, Question, Warning, Transcript, HeldList, HeldDone}

// gathered is the gate's word for an agent's notice that waits for the digest.
const gathered = "gathered"

// forDigest is its word for what waits for the digest of the hour.
const forDigest = "for the digest"

// noticesInARow is how many notices an agent gets within 10 minutes;
// what follows is gathered into one digest (R47).
const (
	noticesInARow = 10
	noticeWindow  = 10 * time.Minute

	noticesCounted = "11" // in SQL: whether there are ten is all that matters

	// workedFor are answers to an agent's own commands and questions, in SQL: who works fast has
	// not been told much.
	workedFor = `('transcript', 'case-sheet', 'worklist')`
)

// gate is the one way out for automatic mail (R47). cause is the mail it
// answers, spent what the budgets of R48 are compared with.
func gate(w draft, cause *causing, spent counts, b Budgets, caseID int64, now time.Time) cleared {
	return cleared{draft: w, withheld: withhold(w, cause, spent, b, caseID, now)}
}

// withhold says why a letter must not leave, "" if it may.
func withhold(w draft, cause *causing, spent counts, b Budgets, caseID int64, now time.Time) string {
	if w.human {
		if w.to.digest && !w.to.suppressed {
			return forDigest
		}
		return ""
	}
	if w.to.quiet {
		return "opened for them, and nobody of the desk has written yet (R64)"
	}
	if w.to.left && !w.replied {
		return "its recipient has left the case (R38)"
	}
	if w.to.suppressed {
		return "suppressed: mail to this address came back (R55)"
	}
	if cause != nil && cause.late {
		return "the mail was taken in late (R8)"
	}
	if w.to.agent {
		if w.replied && cause != nil && cause.suppress {
			return "X-Auto-Response-Suppress (R27)"
		}
		if w.kind == Worklist && w.payload.Reason != "" && w.to.answers >= noticesInARow {
			return "what is no query was answered often enough (R47)"
		}
		if w.to.digest {
			return forDigest
		}
		if !slices.Contains(neverGathered, w.kind) && w.to.notices >= noticesInARow {
			return gathered
		}
		return ""
	}
	if cause != nil {
		switch {
		case cause.class != Human:
			return fmt.Sprintf("class %s is not answered (R27)", cause.class)
		case cause.assurance == Failed:
			return "failed mail is never answered (R41)"
		case cause.nullPath:
			return "empty Return-Path (R47)"
		case cause.suppress:
			return "X-Auto-Response-Suppress (R27)"
		}
	}
	if spent.stopped != "" {
		return spent.stopped
	}
	if w.to.digest {
		return forDigest
	}
	return overBudget(w, cause, spent, b, caseID, now)
}

// worthALine says that agents want to know of a withheld answer: the sender
// waits for it, and neither the mail nor its class says why it does not come.
func worthALine(withheld string) bool {
	return strings.HasSuffix(withheld, "(R48)") || strings.HasSuffix(withheld, "(R50)") || strings.HasSuffix(withheld, "(R55)")
}

// overBudget says which budget of R48 is spent.
func overBudget(w draft, cause *causing, spent counts, b Budgets, caseID int64, now time.Time) string {
	if w.kind == Confirmation || w.kind == HeldAnswer || w.kind == TooLarge {
		windows := b.ConfirmUnknown
		sure := cause != nil && cause.assurance == Verified
		if sure || cause != nil && cause.before {
			windows = b.ConfirmVerified
		}
		if over(spent.confirmed, windows, now) {
			return "budget of confirmations to this address (R48)"
		}
		if !sure && over(spent.answered, b.AllUnknown, now) {
			return "budget of confirmations to unverified senders (R48)"
		}
		domain := b.domainWindow(Address{Address: w.to.address}.Domain())
		if !sure && domain.Count > 0 && spent.sameHost >= domain.Count {
			return "budget of confirmations to unverified senders of this domain (R48)"
		}
	}
	if w.kind == WordRefused || w.kind == LeftCase || w.kind == Worklist || w.kind == CaseSheet {
		if over(spent.refused, b.PerCase, now) { // they count apart, by the windows of a case
			return "budget of answers to a word (R48)"
		}
		return ""
	}
	if over(spent.automatic, b.PerAddress, now) {
		return "budget of automatic mail to this address (R48)"
	}
	var onCase []time.Time
	for _, c := range spent.onCase {
		if c.CaseID == caseID {
			onCase = append(onCase, c.At)
		}
	}
	if caseID != 0 && over(onCase, b.PerCase, now) {
		return "budget of automatic mail on this case (R48)"
	}
	return ""
}

// domainWindow is the budget of confirmations to unverified senders of one
// domain: a public provider's has more people in it.
func (b Budgets) domainWindow(domain string) Window {
	if isPublicProvider(domain) {
		return b.PublicUnknown
	}
	return b.DomainUnknown
}

// over says whether one more would break a window.
func over(at []time.Time, windows []Window, now time.Time) bool {
	for _, w := range windows {
		n := 0
		for _, t := range at {
			if t.After(now.Add(-w.Within)) {
				n++
			}
		}
		if n >= w.Count {
			return true
		}
	}
	return false
}
