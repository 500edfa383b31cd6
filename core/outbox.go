package core

// The outbox holds every mail we owe. A row goes
//
//	            claim              all but the dot is sent        250
//	queued -------------> sending ------------------------> dotted ----> sent
//	  |                   |  ^ |                             |    |
//	  | gate: withheld    |  | | 4xx: retry <------------- 4xx   | no answer, or found
//	  v                   |  | |  5xx: failed <------------ 5xx   | after a crash
//	withheld              |  +-+  too late: expired               v
//	                      |    retry, when due                 uncertain
//	                      v                                       | once more, the same
//	             a lease that ends without the dot                | bytes, after 15 min
//	             goes back by itself: nobody got it               v
//	                                                           sending
//
// dotted is committed just before the final dot, so that after a crash it is
// known which mails may have arrived: those alone may reach somebody twice
// (R58, R59). Sent, failed, expired and withheld are ends; so is uncertain
// after its one re-send: then a person decides (settleByHand).

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"postern/core/token"
)

// cause is what a letter is owed for; unique with the recipient's address, so
// that nothing is owed twice.
type cause struct {
	kind string // "ledger", "released", "event", "clock", "secret" ...
	id   int64
}

// tokenLife is how long a reply address is good for (R33).
const tokenLife = 90 * 24 * time.Hour

// tokenLife is how long an answer to this letter finds what it is about.
func (w draft) tokenLife() time.Duration {
	if w.kind == Question {
		return questionLife
	}
	return tokenLife
}

// ClaimLetters takes due letters for a holder, at most limit. Letters whose
// holder died are among them: before the dot they are sent again, after it
// they become uncertain first.
func (d *Desk) ClaimLetters(ctx context.Context, holder string, limit int) ([]Letter, error) {
	var letters []Letter
	err := d.inTx(ctx, func(tx *tx) (err error) {
		letters, err = d.claim(ctx, tx, holder, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("claim letters: %w", err)
	}
	return letters, nil
}

// RenewLetters keeps a holder's letters for another lease.
func (d *Desk) RenewLetters(ctx context.Context, holder string, ids []int64) error {
	return d.inTx(ctx, func(tx *tx) error { return renewLetters(ctx, tx, holder, ids, d.set.Lease) })
}

// ReleaseLetters gives back what was claimed and not begun; it costs nothing.
func (d *Desk) ReleaseLetters(ctx context.Context, holder string, ids []int64) error {
	return d.inTx(ctx, func(tx *tx) error { return releaseLetters(ctx, tx, holder, ids) })
}

// Settle commits, in one transaction, the ends of attempts and the `dotted` of
// the letters that come next. It returns those that the holder still holds:
// for no other one may the dot be sent.
func (d *Desk) Settle(ctx context.Context, holder string, ended []Delivery, next []Dotting) ([]int64, error) {
	mine, err := d.settle(ctx, holder, ended, next)
	if err != nil {
		return nil, fmt.Errorf("settle letters: %w", err)
	}
	return mine, nil
}

// OpenBlob reads the bytes of a file.
func (d *Desk) OpenBlob(ctx context.Context, blob int64) (io.ReadCloser, error) {
	r, w := io.Pipe()
	go func() {
		w.CloseWithError(d.readTx(ctx, func(tx *tx) error { return writeBlob(ctx, tx, blob, w) }))
	}()
	return r, nil
}

// retryAfter is how long a letter waits after its n-th failed attempt (R60):
// 1, 5, 15, 30, 60 min, then hourly.
func retryAfter(tries int) time.Duration {
	steps := []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute}
	if tries < len(steps) {
		return steps[tries]
	}
	return time.Hour
}

// giveUpAfter is how long a letter is tried (R60).
const giveUpAfter = 5 * 24 * time.Hour

// refusals say no to a mail. They go out with the empty sender where the server
// takes that, so that nothing ever answers them (R53).
var refusals = map[Kind]bool{TooLarge: true, WordRefused: true}

// blamesNull says that a server does not take the empty sender: at MAIL, or by
// a word on policy before it has seen the mail.
func blamesNull(e Delivery) bool {
	return e.Envelope == "" && (e.Result == SenderRefused || e.Result == Permanent && strings.HasPrefix(e.Enhanced, "5.7."))
}

// fate is what an attempt makes of a letter.
type fate struct {
	state string
	wait  time.Duration // until it is due again
	tried bool          // the attempt counts
}

// fateOf is R59 and R60: what becomes of a letter after this attempt.
func fateOf(d Delivery, tries int, queued, now time.Time, uncertain time.Duration) fate {
	switch d.Result {
	case Accepted:
		return fate{state: "sent"}
	case Unanswered:
		return fate{state: "uncertain", wait: uncertain, tried: true}
	case Permanent, Uncomposable:
		return fate{state: "failed", tried: true}
	case SenderRefused:
		return fate{state: "retry"} // not the mail's failure: due at once, with a plain envelope (queueDelivery)
	}
	if d.Result == Unsent && now.Sub(queued) < time.Hour {
		return fate{state: "retry", wait: 15 * time.Second} // a broken connection is hardly the mail's fault
	}
	if now.Sub(queued) > giveUpAfter {
		return fate{state: "failed", tried: true}
	}
	return fate{state: "retry", wait: retryAfter(tries), tried: true}
}

// hashesOf are the hashes of a letter's tokens, derived from its Message-ID
// (R33). Its bounce address holds the same token as its reply address.
// answerable says that an answer to it is public.
func (d *Desk) hashesOf(w draft, messageID string, about bool) (public, note []byte, answerable bool) {
	public = token.Hash(d.set.Key.Reply("public", messageID))
	if w.to.agent && about {
		note = token.Hash(d.set.Key.Reply("note", messageID))
	}
	return public, note, about && !w.internal || w.kind == Question || w.kind == HeldList || w.kind == HeldDone
}
