package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"postern/core/token"
)

// errStale says that a desk's file is newer in the database than here, or that a
// case was merged while it was looked for.
var errStale = errors.New("desk file or case has changed")

// Receive files one mail that the ledger keeps. In a single transaction it
// opens or continues a case, queues what is owed for it, and ends the ledger
// row (R4): a crash leaves all of that or none. The same mail twice changes
// nothing, so callers may retry.
func (d *Desk) Receive(ctx context.Context, m Mail) (Receipt, error) {
	var p plan
	var before *Receipt
	err := d.fresh(ctx, func() error {
		return d.inTx(ctx, func(tx *tx) error {
			r, err := d.lookUp(ctx, tx, m, true)
			if err != nil {
				return err
			}
			if r.f.row.State != StateStored {
				before = &Receipt{State: r.f.row.State, Outcome: "was at its end before"}
				return nil
			}
			p = decide(r)
			return d.carryOut(ctx, tx, r, &p)
		})
	})
	switch {
	case err != nil:
		return Receipt{}, fmt.Errorf("receive ledger row %d: %w", m.Ledger, err)
	case before != nil:
		return *before, nil
	}
	letters := 0
	for _, l := range p.letters {
		if l.withheld == "" {
			letters++
		}
	}
	if letters > 0 {
		d.hint()
	}
	return Receipt{State: p.state, Outcome: p.outcome, Reason: p.reason, Letters: letters, Trace: p.trace,
		Class: p.class, Assurance: p.assurance, CaseID: p.caseID, Case: p.number}, nil
}

// Decision is what would become of a mail.
type Decision struct {
	Class     Class
	Assurance Assurance
	State     State
	Decision  string
	Reason    string
	Trace     []Step
}

// Explain says what would become of a mail, and changes nothing: it reads in a
// transaction that cannot write (R67).
func (d *Desk) Explain(ctx context.Context, m Mail) (Decision, error) {
	var p plan
	err := d.fresh(ctx, func() error {
		return d.readTx(ctx, func(tx *tx) error {
			r, err := d.lookUp(ctx, tx, m, false)
			if err != nil {
				return err
			}
			p = decide(r)
			return nil
		})
	})
	if err != nil {
		return Decision{}, fmt.Errorf("explain: %w", err)
	}
	return Decision{p.class, p.assurance, p.state, p.outcome, p.reason, p.trace}, nil
}

// fresh runs work, and once more after reading the desks again if a newer file
// rules than the one this process knows.
func (d *Desk) fresh(ctx context.Context, work func() error) error {
	for range 3 {
		err := work()
		if !errors.Is(err, errStale) {
			return err
		}
		if err := d.loadDesks(ctx); err != nil {
			return err
		}
	}
	return errStale
}

// deskOf is the desk a mail belongs to: that of the first own address it was
// delivered or written to, else its mailbox's.
func (d *Desk) deskOf(m Mail) (*running, string, error) {
	key, border := "", "none"
	for _, mb := range d.set.Mailboxes {
		if mb.Name == m.Mailbox {
			key, border = mb.Desk, mb.Border
		}
	}
	if border == "" {
		border = "none"
	}
	var first string
	for _, a := range m.Delivered {
		if first == "" {
			first = d.deskAt(a)
		}
	}
	for _, list := range [][]Address{m.To, m.Cc} {
		for _, a := range list {
			if first == "" {
				first = d.deskAt(a.Address)
			}
		}
	}
	if first != "" {
		key = first
	}
	desk, err := d.desk(key)
	return desk, border, err
}

// deskAt is the key of the desk whose address this is, "" if it is none of ours.
func (d *Desk) deskAt(address string) string {
	if k, ok := d.own[address]; ok {
		return k
	}
	plain, _, _, _ := token.Split(address)
	return d.own[plain]
}

// isTo says that a mail names an address of a desk in To or Cc.
func (d *Desk) isTo(m Mail, desk string) bool {
	return slices.ContainsFunc(copied(m), func(a Address) bool { return d.deskAt(a.Address) == desk })
}

// junkOf is the folder of a mailbox into which its mail system sorts spam.
func (d *Desk) junkOf(mailbox string) string {
	for _, mb := range d.set.Mailboxes {
		if mb.Name == mailbox {
			return mb.Junk
		}
	}
	return ""
}

// prefixes says to which desk a prefix of a case number belongs.
func (d *Desk) prefixes() map[string]int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	all := map[string]int{}
	for _, r := range d.desks {
		for p := range r.prefixes {
			all[p] = r.id
		}
	}
	return all
}

// keysOf is what the database is asked for a mail.
func (d *Desk) keysOf(r *reading) asked {
	m := r.m
	a := asked{ledger: m.Ledger, id: hashID(m.MessageID), content: m.Hash[:]}
	if len(m.From) == 1 {
		a.from, a.domain = m.From[0].Address, m.From[0].Domain()
	}
	if m.Gist != [32]byte{} {
		a.gist = m.Gist[:]
	}
	to := d.sentTo(m)
	r.toCommand = len(to[token.Command]) > 0
	r.toNew = len(to[token.New]) > 0
	r.tokens, r.bounces = to[token.Public], to[token.Bounce]
	for _, t := range append(append([]string{}, r.tokens...), r.bounces...) {
		a.tokens = append(a.tokens, token.Hash(t))
	}
	if t := loopToken(m.Marks.Loop); t != "" {
		a.tokens = append(a.tokens, token.Hash(t))
	}
	if probes := to[token.Probe]; len(probes) > 0 {
		a.probe = token.Hash(probes[0])
	}
	ids := append(append([]string{}, m.InReplyTo...), m.References...)
	if m.Report != nil && m.Report.ReturnedID != "" {
		ids = append(ids, m.Report.ReturnedID)
	}
	if len(ids) > 60 {
		ids = append(ids[:20:20], ids[len(ids)-40:]...)
	}
	for _, id := range ids {
		a.ids = append(a.ids, hashID(id))
	}
	r.numbers = subjectNumbers(m.Subject, d.prefixes())
	for _, n := range r.numbers {
		a.desks, a.numbers = append(a.desks, int32(n.desk)), append(a.numbers, n.number)
	}
	for _, f := range m.Files {
		sum := f.SHA256
		a.files = append(a.files, sum[:])
	}
	for _, o := range others(m, d.isOwn) {
		a.others = append(a.others, o.Address)
	}
	r.nameInCommands(&a, d)
	return a
}

// namedByCommands is how many cases and people one block may name.
const namedByCommands = 10

// nameInCommands adds the cases and addresses that the command lines on top of a
// mail name. They are looked up, and are no evidence of anything.
func (r *reading) nameInCommands(a *asked, d *Desk) {
	lines, _ := r.commandBlock()
	cases, people := 0, 0
	for _, line := range lines {
		if name, words := r.commandIn(line); isUndo(name) {
			a.undo = token.Hash(clean(words, 100))
		}
		for _, n := range subjectNumbers(line, d.prefixes()) {
			if cases++; cases <= namedByCommands {
				r.inCommands = append(r.inCommands, n)
				a.desks, a.numbers = append(a.desks, int32(n.desk)), append(a.numbers, n.number)
			}
		}
		for _, word := range strings.Fields(line) {
			address, err := checkAddress(strings.Trim(word, "<>,;\"'"))
			if err != nil || d.isOwn(address) || slices.Contains(a.others, address) {
				continue
			}
			if people++; people <= namedByCommands {
				a.others = append(a.others, address)
			}
		}
	}
}

// ours says whether the mail itself is one of our letters: by its Message-ID,
// or by a loop token that we gave out (R26).
func ours(m Mail, f *facts) bool {
	h := hashID(m.MessageID)
	for _, l := range f.ours {
		if h != nil && string(h) == string(l.IDHash) {
			return true
		}
	}
	t := token.Hash(loopToken(m.Marks.Loop))
	for _, l := range f.tokens {
		if t != nil && string(t) == string(l.TokenHash) {
			return true
		}
	}
	return false
}

// personName is a display name as it is kept of a person.
func personName(a Address) string { return clean(strings.Trim(a.Name, `"' `), 100) }
