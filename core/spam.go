package core

import (
	"context"
	"fmt"
	"strings"
	"time"

	"postern/core/flow"
)

// What people do about spam (R72): #spam ends a case without a word to the
// customer, #block keeps the sender's later mail out until somebody has looked.
// Both are undone by their opposite: #status, #unblock.

// endsAsSpam is "#spam".
type endsAsSpam struct{ to flow.Status }

func readSpam(in commandInput, words string) (order, error) {
	s, ok := rejectedStatus(in.desk)
	if !ok {
		return nil, wrong{code: "no-rejected"}
	}
	return endsAsSpam{s}, takesNoWords(words, "spam")
}

func (endsAsSpam) sets() string                  { return "status" }
func (endsAsSpam) refuse(*reading, *block) error { return nil }

func (o endsAsSpam) carry(r *reading, b *block) {
	b.note, b.quiet = true, true
	setsStatus{to: o.to}.carry(r, b)
}

// blocks is "#block" and "#unblock".
type blocks struct{ blocked bool }

func readBlock(_ commandInput, words string) (order, error) {
	return blocks{true}, takesNoWords(words, "block")
}

func readUnblock(_ commandInput, words string) (order, error) {
	return blocks{false}, takesNoWords(words, "unblock")
}

func (blocks) sets() string { return "block" }

func (o blocks) name() string {
	if o.blocked {
		return "block"
	}
	return "unblock"
}

func (o blocks) refuse(r *reading, b *block) error {
	switch {
	case b.agent.byToken:
		return wrong{code: "token-proof"}
	case r.requesterIsAgent(b.c):
		return wrong{code: "agent-asked"}
	}
	return nil
}

// carry plans to block whoever asked for the case, or not to any longer.
func (o blocks) carry(r *reading, b *block) {
	r.plan.block, r.plan.blocked = b.c.Requester, o.blocked
	r.plan.events = append(r.plan.events, newEvent{kind: o.name() + "ed", actor: b.agent.person, was: r.requesterAddress(b.c), internal: true})
	r.say("R72", "the requester is %sed", o.name())
	word := blockWord(o.blocked)
	b.did(Change{What: word}, undoStep{Field: fieldBlock, Became: word})
}

// blockWord is what a block or its end is called, in events and changes.
func blockWord(blocked bool) string {
	if blocked {
		return "blocked"
	}
	return "unblocked"
}

// rejectedStatus is the status of a case that ended without: the first of its
// class in the file.
func rejectedStatus(d *flow.Desk) (flow.Status, bool) {
	for _, s := range d.Statuses {
		if s.Class == flow.Rejected {
			return s, true
		}
	}
	return flow.Status{}, false
}

// undoesSpam says that an agent's #status brings back what #spam ended: to
// where a case begins, or where a reopened one goes, whatever the file says of
// moves from a rejected one.
func undoesSpam(d *flow.Desk, c *caseRow, to string) bool {
	return flow.Class(c.Class) == flow.Rejected && (to == d.Initial || to == d.Reopen.To)
}

func (r *reading) requesterIsAgent(c *caseRow) bool {
	for _, p := range r.f.people {
		if p.CaseID == c.ID && p.Requester && p.Agent { // of another desk, too: theirs would be held there
			return true
		}
	}
	return r.agentOf(c.Requester) || r.f.sender != nil && r.f.sender.ID == c.Requester
}

func (r *reading) requesterAddress(c *caseRow) string {
	for _, p := range r.f.people {
		if p.CaseID == c.ID && p.Requester {
			return p.Address
		}
	}
	return ""
}

// rescued says that a person took a mail out of the junk folder by hand: k is
// the row of the mail as it lay there. A move keeps the time of arrival; where
// it does not, the mail is filed all the same, and its own marks count.
func (r *reading) rescued(k knownRow) bool {
	return r.junk != "" && k.State == Held && k.Account == r.m.Mailbox && k.Folder == r.junk && r.f.row.Folder != r.junk
}

// Contact is what is known of an address.
type Contact struct {
	Address      string
	Name         string
	Organisation string
	Verified     bool
	Blocked      *time.Time
	Suppressed   *time.Time
	Reason       string // why it is suppressed
	Cases        int64
}

// Contact shows what is known of an address.
func (d *Desk) Contact(ctx context.Context, address string) (Contact, error) {
	var c Contact
	err := d.readTx(ctx, func(tx *tx) (err error) {
		c, err = contact(ctx, tx, strings.ToLower(strings.TrimSpace(address)))
		return err
	})
	if err != nil {
		return c, fmt.Errorf("contact %s: %w", clean(address, 80), err)
	}
	return c, nil
}

// Block holds an address's later mail, also of one that nobody knows yet, and
// Unblock files it again (R72). Agents are not blocked.
func (d *Desk) Block(ctx context.Context, address string) error {
	return d.setBlocked(ctx, address, true)
}

// Unblock undoes Block.
func (d *Desk) Unblock(ctx context.Context, address string) error {
	return d.setBlocked(ctx, address, false)
}

func (d *Desk) setBlocked(ctx context.Context, address string, blocked bool) error {
	address, err := checkAddress(address)
	if err != nil {
		return err
	}
	if d.isOwn(address) {
		return fmt.Errorf("%s is a service address: %w", address, ErrNotAllowed)
	}
	return d.inTx(ctx, func(tx *tx) error { return setBlocked(ctx, tx, address, blocked) })
}

// Unsuppress lets automatic mail go to an address again that bounced (R55).
func (d *Desk) Unsuppress(ctx context.Context, address string) error {
	address, err := checkAddress(address)
	if err != nil {
		return err
	}
	return d.inTx(ctx, func(tx *tx) error { return unsuppress(ctx, tx, address) })
}

// BlockSender blocks the sender of a held mail, or no longer, on an agent's
// word. The mail itself stays held.
func (d *Desk) BlockSender(ctx context.Context, v Viewer, ledger int64, blocked bool) error {
	return d.inTx(ctx, func(tx *tx) error {
		address, err := heldSender(ctx, tx, v, ledger)
		if err != nil {
			return err
		}
		if address == "" || d.isOwn(address) {
			return fmt.Errorf("the sender of ledger row %d: %w", ledger, ErrNotAllowed)
		}
		return setBlocked(ctx, tx, address, blocked)
	})
}
