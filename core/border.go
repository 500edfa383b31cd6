package core

import (
	"context"
	"fmt"
	"strings"
	"time"

	"postern/core/token"
)

// borderMark begins the Message-ID of a mail that tests a border: the token
// behind it is known by its hash, as a probe's is.
const borderMark = "postern-border."

// BorderTest is what has to stand in a mail that tests a border.
type BorderTest struct {
	Token     string // in the forged fields
	MessageID string // without angle brackets
	To        string // address of the mailbox
}

// BeginBorderTest prepares a test of whether the mail system in front of a
// mailbox takes forged fields of name out of mail from outside (R32).
func (d *Desk) BeginBorderTest(ctx context.Context, mailbox, name string) (BorderTest, error) {
	var test BorderTest
	for _, m := range d.set.Mailboxes {
		if m.Name == mailbox && len(m.Addresses) > 0 {
			test.To = m.Addresses[0]
		}
	}
	if test.To == "" {
		return test, fmt.Errorf("mailbox %q: %w", clean(mailbox, 60), ErrNotFound)
	}
	test.Token = token.Nonce()
	test.MessageID = borderMark + test.Token + "@" + Address{Address: test.To}.Domain()
	err := d.inTx(ctx, func(tx *tx) error {
		return beginBorderTest(ctx, tx, token.Hash(test.Token), mailbox, strings.ToLower(name))
	})
	return test, err
}

// BorderState is what the tests of a border have shown.
type BorderState struct {
	MadeAt *time.Time // of the newest test; nil: none was made
	BackAt *time.Time // when one last came in; nil: none did
	Proved bool       // the forged fields were gone, and no later test came in with them
}

// Border tells what the tests of authserv:name have shown for a mailbox.
func (d *Desk) Border(ctx context.Context, mailbox, name string) (BorderState, error) {
	var s BorderState
	err := d.readTx(ctx, func(tx *tx) (err error) {
		s, err = borderState(ctx, tx, mailbox, strings.ToLower(name))
		return err
	})
	return s, err
}

// borderToken is the token of a mail that tests a border, "" of all others.
func borderToken(m Mail) string {
	t, ok := strings.CutPrefix(m.MessageID, borderMark)
	if !ok {
		return ""
	}
	t, _, _ = strings.Cut(t, "@")
	return t
}

type borderRow struct {
	Hash    []byte
	Mailbox string
	Name    string
}

// isBorderTest knows the mail by which we find out whether forged fields get
// through (R32). It comes before all other rules: whoever forged it was us.
func (r *reading) isBorderTest() bool {
	test := r.f.border
	if test == nil {
		return false
	}
	if r.m.Mailbox != test.Mailbox {
		r.say("R32", "a border test that came in at another mailbox: it shows nothing")
		return r.end(Filed, "border test", "")
	}
	r.plan.border, r.plan.forged = test, survived(r.m, test.Name, borderToken(r.m))
	if r.plan.forged {
		r.say("R32", "the border test came in with a forged field of %s: nothing of that name can be believed", clean(test.Name, 100))
	} else {
		r.say("R32", "the border test came in without its forged fields of %s", clean(test.Name, 100))
	}
	return r.end(Filed, "border test", "")
}

// survived says that a forged field is read as one of name.
func survived(m Mail, name, token string) bool {
	for _, f := range m.Trusted {
		if strings.EqualFold(f.Name, "Authentication-Results") && readResults(f.Value, true).id == name &&
			strings.Contains(strings.ToLower(f.Value), strings.ToLower(token)) {
			return true
		}
	}
	return false
}

// LedgerBrief is one mail of the ledger, to read its bytes.
type LedgerBrief struct {
	ID       int64
	Received time.Time
}

// NewestMail lists the last mails of a mailbox, newest first.
func (d *Desk) NewestMail(ctx context.Context, mailbox string, limit int) ([]LedgerBrief, error) {
	var rows []LedgerBrief
	err := d.readTx(ctx, func(tx *tx) (err error) {
		rows, err = newestMail(ctx, tx, mailbox, limit)
		return err
	})
	return rows, err
}
