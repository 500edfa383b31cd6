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

func readSpam(d *flow.Desk, words string, _ time.Time) (command, error) {
	if words != "" {
		return command{}, fmt.Errorf("it takes no words: write #spam alone")
	}
	s, ok := rejectedStatus(d)
	if !ok {
		return command{}, fmt.Errorf("this desk has no status of class rejected: use #status")
	}
	return command{status: &s, spam: true}, nil
}

func readBlock(_ *flow.Desk, words string, _ time.Time) (command, error) {
	if words != "" {
		return command{}, fmt.Errorf("it takes no words: it blocks whoever asked for the case")
	}
	return command{block: "block"}, nil
}

func readUnblock(_ *flow.Desk, words string, _ time.Time) (command, error) {
	if words != "" {
		return command{}, fmt.Errorf("it takes no words: it is about whoever asked for the case")
	}
	return command{block: "unblock"}, nil
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

// allowedSpam checks the commands about spam.
func (r *reading) allowedSpam(c *caseRow, agent provenAgent, commands []command) (problems []string) {
	statuses := 0
	for _, x := range commands {
		if x.status != nil {
			statuses++
		}
		if x.block == "" {
			continue
		}
		switch {
		case agent.byToken:
			problems = append(problems, "#"+x.block+": a reply address alone is not proof enough")
		case r.requesterIsAgent(c):
			problems = append(problems, "#"+x.block+": an agent asked for this case, and agents are not blocked")
		}
	}
	if spammed(commands) && statuses > 1 {
		problems = append(problems, "#spam: it sets the status itself: leave #status away")
	}
	return problems
}

func spammed(commands []command) bool {
	for _, x := range commands {
		if x.spam {
			return true
		}
	}
	return false
}

func (r *reading) requesterIsAgent(c *caseRow) bool {
	for _, p := range r.f.people {
		if p.CaseID == c.ID && p.Requester && p.Agent { // of another desk, too: theirs would be held there
			return true
		}
	}
	return r.agentOf(c.Requester) || r.f.sender != nil && r.f.sender.ID == c.Requester
}

// carryBlock plans to block whoever asked for a case, or not to any longer.
func (r *reading) carryBlock(c *caseRow, agent provenAgent, commands []command) {
	for _, x := range commands {
		switch x.block {
		case "block", "unblock":
			r.plan.block, r.plan.blocked = c.Requester, x.block == "block"
			r.plan.events = append(r.plan.events, newEvent{kind: x.block + "ed", actor: agent.person, was: r.requesterAddress(c), internal: true})
			r.say("R72", "the requester is %sed", x.block)
		}
	}
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
