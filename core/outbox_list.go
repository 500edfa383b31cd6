package core

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// OutboxStates are the states of a letter, in the order in which it has them.
var OutboxStates = []string{"queued", "sending", "dotted", "sent", "retry", "failed", "uncertain", "expired", "withheld"}

// OutboxLine is one letter of the outbox as the operator sees it.
type OutboxLine struct {
	LetterLine
	Case     string // its number, "" if it is about none
	QueuedAt time.Time
	DueAt    time.Time // of the next attempt, if there is one
	DottedAt *time.Time
	EndedAt  *time.Time
	Tries    int
	Resent   bool // it was sent a second time (R59)
}

// OutboxView is all that is known of one letter.
type OutboxView struct {
	OutboxLine
	Desk      string
	Title     string
	MessageID string
	Envelope  string // the envelope sender of the last attempt
	Bytes     int64  // of the mail as it was composed; 0: not composed, or no longer kept
	Secret    bool   // a link or code in it is good for one use
	ExpiresAt *time.Time
}

// Waits says that only a person can end it: it was sent twice, and nobody knows
// whether it arrived.
func (o OutboxLine) Waits() bool { return o.State == "uncertain" && o.Resent }

// LetterWord is a person's word on an uncertain letter (R59).
type LetterWord string

// The words.
const (
	ItArrived LetterWord = "sent"    // the recipient has it, or the server's log says so
	SendAgain LetterWord = "again"   // the same bytes once more
	GiveUp    LetterWord = "give-up" // it counts as failed
)

// LetterWords are all of them.
var LetterWords = []LetterWord{ItArrived, SendAgain, GiveUp}

// Outbox lists letters in these states, or in any, newest first; before is the
// last one of the page before, or 0.
func (d *Desk) Outbox(ctx context.Context, states []string, before int64, limit int) ([]OutboxLine, error) {
	var lines []OutboxLine
	err := d.readTx(ctx, func(tx *tx) (err error) {
		lines, err = d.outboxLines(ctx, tx, states, before, limit)
		return err
	})
	return lines, err
}

// OutboxLetter shows one letter.
func (d *Desk) OutboxLetter(ctx context.Context, id int64) (OutboxView, error) {
	var v OutboxView
	err := d.readTx(ctx, func(tx *tx) (err error) {
		v, err = d.outboxView(ctx, tx, id)
		return err
	})
	return v, err
}

// SettleByOperator is the operator's word on an uncertain letter. by is the
// address of an agent of its desk, or of an operator of the settings: what was
// done, and who did it, is an event on the letter's case.
func (d *Desk) SettleByOperator(ctx context.Context, id int64, word LetterWord, by string) error {
	err := d.inTx(ctx, func(tx *tx) error {
		l, err := uncertain(ctx, tx, id, 0)
		if err != nil {
			return err
		}
		who := saidBy{}
		if who.person, err = agentOfDesk(ctx, tx, l.Desk, by); err != nil {
			return err
		}
		switch {
		case who.person != 0:
		case slices.Contains(d.set.Operator, by):
			who.operator = by
		default:
			return fmt.Errorf("%s is neither an agent of its desk nor an operator of the settings: %w", clean(by, 80), ErrNotAllowed)
		}
		return d.settleByHand(ctx, tx, l, word, who)
	})
	d.hint()
	return err
}

// SettleLetter is an agent's word on an uncertain letter of a case.
// ErrNotFound: no such letter of a case of theirs; ErrNotAllowed: it is
// uncertain no longer.
func (d *Desk) SettleLetter(ctx context.Context, v Viewer, number string, id int64, word LetterWord) error {
	err := d.inTx(ctx, func(tx *tx) error {
		c, err := d.visibleCase(ctx, tx, v, number)
		if err != nil {
			return err
		}
		if !c.ForAgent {
			return ErrNotFound
		}
		l, err := uncertain(ctx, tx, id, c.ID)
		if err != nil {
			return err
		}
		return d.settleByHand(ctx, tx, l, word, saidBy{person: v.person})
	})
	if err != nil {
		return fmt.Errorf("letter %d of %s: %w", id, clean(number, 40), err)
	}
	d.hint()
	return nil
}

// saidBy is who decided: a person, or an operator who is none that we know.
type saidBy struct {
	person   int64
	operator string
}

// settledWhy is what stands as the letter's last word.
var settledWhy = map[LetterWord]string{
	ItArrived: "a person knows that it arrived",
	SendAgain: "sent again on a person's word",
	GiveUp:    "given up by a person",
}
