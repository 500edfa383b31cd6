package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Mail that no rule may decide is held for an agent of its desk. The agent says
// one of four words, on a page, by mail or through the operator; the mail is
// then filed by Receive like any other, and its trace says whose word it was.

// HeldWord is what an agent can say of held mail.
type HeldWord string

const (
	ReleaseIt HeldWord = "release" // file it by the rules, on the agent's word
	MakeCase  HeldWord = "case"    // a new case of its author, whatever it is
	AttachIt  HeldWord = "attach"  // a comment of its author on a case that the agent names
	RefuseIt  HeldWord = "refuse"  // no effect; its bytes stay
)

// HeldKind is who most likely wrote held mail, so that people's mail does not
// drown among the rest.
type HeldKind string

const (
	HeldPeople   HeldKind = "people"
	HeldMachines HeldKind = "machines"
	HeldSpam     HeldKind = "spam"
)

// HeldKinds are all of them, in the order in which they matter.
var HeldKinds = []HeldKind{HeldPeople, HeldMachines, HeldSpam}

// heldReason is what a reason says of the mail.
type heldReason struct {
	kind   HeldKind
	cannot []HeldWord // what would have it held again
}

var noOneToFileItFor = []HeldWord{ReleaseIt, MakeCase, AttachIt}

// heldReasons are the codes of all reasons for which mail is held. People read
// the words of templates/words for each, [held-reason] and [held-then].
var heldReasons = map[string]heldReason{
	"unknown":           {kind: HeldPeople},
	"two-organisations": {kind: HeldPeople, cannot: []HeldWord{ReleaseIt}},
	"agent-forged":      {kind: HeldPeople},
	"agent-elsewhere":   {kind: HeldPeople},
	"relay":             {kind: HeldPeople},
	"agent-unproved":    {kind: HeldPeople},
	"question-over":     {kind: HeldPeople},
	"question-other":    {kind: HeldPeople},
	"list-other":        {kind: HeldPeople},
	"attach-gone":       {kind: HeldPeople},
	"from":              {kind: HeldPeople, cannot: noOneToFileItFor},
	"too-large":         {kind: HeldPeople, cannot: noOneToFileItFor},
	quarantinedReason:   {kind: HeldPeople},
	"budget":            {kind: HeldMachines},
	"own-address":       {kind: HeldMachines},
	"automatic":         {kind: HeldMachines},
	"bulk":              {kind: HeldMachines},
	"loop":              {kind: HeldMachines},
	"bounce":            {kind: HeldMachines, cannot: []HeldWord{ReleaseIt}},
	"spam":              {kind: HeldSpam},
	"blocked":           {kind: HeldSpam},
	"failed":            {kind: HeldSpam},
}

// quarantinedReason stands for the many reasons why a mail could not be filed.
const quarantinedReason = "quarantined"

// HeldReasons are the codes of all reasons.
func HeldReasons() []string {
	var codes []string
	for code := range heldReasons {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	return codes
}

// codesOf are the codes of a kind, for SQL.
func codesOf(kind HeldKind) []string {
	var codes []string
	for code, r := range heldReasons {
		if r.kind == kind {
			codes = append(codes, code)
		}
	}
	return codes
}

// heldCode splits the reason of a row into its code and what it names: an
// organisation, or the error of a mail that could not be filed.
func heldCode(state State, reason string) (code, detail string) {
	if state == Quarantined {
		return quarantinedReason, reason
	}
	code, detail, _ = strings.Cut(reason, ", ")
	return code, detail
}

// May says whether a word does anything for this mail: some would be held
// again at once.
func (l HeldLine) May(word HeldWord) bool {
	code := l.Code
	if code == "" {
		code, _ = heldCode(l.State, l.Reason)
	}
	return !slices.Contains(heldReasons[code].cannot, word)
}

// HeldMail lists mail that waits for a person, of the desks whose agent the
// viewer is, newest first.
func (d *Desk) HeldMail(ctx context.Context, v Viewer, q HeldQuery) (HeldPage, error) {
	var page HeldPage
	err := d.readTx(ctx, func(tx *tx) (err error) {
		page, err = d.heldPage(ctx, tx, v, q)
		return err
	})
	return page, err
}

// HeldMailView shows one held mail with the rules that held it.
func (d *Desk) HeldMailView(ctx context.Context, v Viewer, ledger int64) (HeldView, error) {
	var view HeldView
	err := d.readTx(ctx, func(tx *tx) (err error) {
		view, err = d.heldView(ctx, tx, v, ledger)
		return err
	})
	return view, err
}

// Release files a held mail by the rules, on an agent's word. Like the three
// other words it returns ErrNotFound for what is not held or not the viewer's
// (R63), ErrDecided if a colleague was first, and ErrNotAllowed if the word
// does nothing for this mail.
func (d *Desk) Release(ctx context.Context, v Viewer, ledger int64) error {
	return d.sayOfHeld(ctx, v.person, saidOfHeld{ledger: ledger, word: ReleaseIt})
}

// ReleaseAsCase makes a held mail a new case of its author.
func (d *Desk) ReleaseAsCase(ctx context.Context, v Viewer, ledger int64) error {
	return d.sayOfHeld(ctx, v.person, saidOfHeld{ledger: ledger, word: MakeCase})
}

// Attach makes a held mail a comment on a case of its desk. ErrNoCase: the
// number is none of this desk's.
func (d *Desk) Attach(ctx context.Context, v Viewer, ledger int64, number string) error {
	return d.sayOfHeld(ctx, v.person, saidOfHeld{ledger: ledger, word: AttachIt, number: number})
}

// Refuse ends a held mail. Its bytes stay.
func (d *Desk) Refuse(ctx context.Context, v Viewer, ledger int64) error {
	return d.sayOfHeld(ctx, v.person, saidOfHeld{ledger: ledger, word: RefuseIt})
}

// ReleaseByOperator says a word other than refuse on the operator's word, in
// the name of an agent of the mail's desk. number is the case of AttachIt.
func (d *Desk) ReleaseByOperator(ctx context.Context, ledger int64, agent string, word HeldWord, number string) error {
	return d.inTx(ctx, func(tx *tx) error {
		person, err := agentByAddress(ctx, tx, agent)
		if err != nil {
			return err
		}
		if err := waitsFor(ctx, tx, ledger, Held, Quarantined); err != nil {
			return err
		}
		err = d.hears(ctx, tx, person, saidOfHeld{ledger: ledger, word: word, number: number})
		if errors.Is(err, ErrNotFound) {
			return fmt.Errorf("it does not wait for a word of %s: %w", clean(agent, 80), err)
		}
		return err
	})
}

// RefuseByOperator ends a held mail. Its bytes stay.
func (d *Desk) RefuseByOperator(ctx context.Context, ledger int64) error {
	return d.inTx(ctx, func(tx *tx) error { return refuseByOperator(ctx, tx, ledger) })
}

// saidOfHeld is one word on one mail.
type saidOfHeld struct {
	ledger int64
	word   HeldWord
	number string // of AttachIt: the case, as it was written
	caseID int64  // and as it was found
}

func (d *Desk) sayOfHeld(ctx context.Context, person int64, s saidOfHeld) error {
	return d.inTx(ctx, func(tx *tx) error { return d.hears(ctx, tx, person, s) })
}

// ListHeld mails the agents of each desk what waits for their word, if
// something new does. It returns how many mails it queued.
func (d *Desk) ListHeld(ctx context.Context) (int, error) {
	n := 0
	for _, key := range d.Desks() {
		desk, err := d.desk(key)
		if err != nil {
			return n, err
		}
		if desk.from == "" {
			continue // another process serves this desk
		}
		var queued int
		err = d.inTx(ctx, func(tx *tx) (err error) {
			queued, err = d.listHeld(ctx, tx, desk)
			return err
		})
		if err != nil {
			return n, err
		}
		n += queued
	}
	if n > 0 {
		d.hint()
	}
	return n, nil
}

// How often agents hear of held mail at most. What machines and spammers send
// is no news worth a mail each hour, and an agent's own out-of-office reply to
// such a mail must not cause the next one.
const (
	heldListEvery   = time.Hour
	heldOthersEvery = 24 * time.Hour
	heldListed      = 20 // of people's mail, and of the rest
)

// heldListDue says whether agents are told now: fresh is what they have not
// been told of yet, last when one of them was told something.
func heldListDue(fresh map[HeldKind]int, last *time.Time, now time.Time) bool {
	switch {
	case fresh[HeldPeople] > 0:
		return last == nil || !last.After(now.Add(-heldListEvery))
	case fresh[HeldMachines]+fresh[HeldSpam] > 0:
		return last == nil || !last.After(now.Add(-heldOthersEvery))
	}
	return false
}

// item is a held mail as a letter to agents tells of it. Nothing proves who
// wrote it: the first line of its subject is all that is repeated (R51).
func (l HeldLine) item() HeldItem {
	return HeldItem{ID: l.Ledger, Kind: l.Kind, From: clean(l.From, 100), Subject: clean(l.Subject, 100),
		Code: l.Code, Detail: clean(l.Detail, 100), Case: l.About, At: l.Received}
}
