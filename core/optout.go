package core

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"postern/core/token"
)

// optional are the mails that their reader may do without, each with the event
// of the reader's preferences that turns it off. They alone carry List-Id and
// List-Unsubscribe (R53).
var optional = map[Kind]string{
	Digest:   "digest",
	News:     "digest",
	Morning:  "morning",
	Reminder: "reminder",
}

// unsubscribe is the word by which such a mail is turned off.
const unsubscribe = "unsubscribe"

// turnsOff says how a letter is turned off: by a mail, and by a press where the
// pages have https, without which no mail program would press (RFC 8058 §3.1).
func (d *Desk) turnsOff(l *Letter, messageID string, plus bool) {
	if l.Optional = optional[l.Kind]; l.Optional == "" {
		return
	}
	to := l.From.Address
	if plus {
		to = token.Plus(to, token.Public, d.set.Key.Reply("public", messageID))
	}
	l.Unsubscribe = append(l.Unsubscribe, "mailto:"+url.PathEscape(to)+"?subject="+unsubscribe+"%20"+l.Optional+"&body="+unsubscribe)
	if strings.HasPrefix(d.set.BaseURL, "https://") {
		l.Unsubscribe = append(l.Unsubscribe, d.set.BaseURL+"/o/"+d.optOutLink(l.ID, messageID))
	}
}

// optOutLink is derived from the letter, so that nothing needs to be kept.
func (d *Desk) optOutLink(letter int64, messageID string) string {
	return strconv.FormatInt(letter, 36) + "-" + d.set.Key.Link(unsubscribe, messageID)
}

// OptOut is what the page behind List-Unsubscribe shows.
type OptOut struct {
	Event   string // "digest", "morning", "reminder"
	Desk    string // its name
	Address string
	Done    bool // it is turned off
}

// OptOutByLink says what a link of List-Unsubscribe turns off. ErrExpired: it
// is none of ours.
func (d *Desk) OptOutByLink(ctx context.Context, link string) (OptOut, error) {
	var v OptOut
	err := d.readTx(ctx, func(tx *tx) (err error) {
		v, _, err = d.optOutByLink(ctx, tx, link)
		return err
	})
	return v, err
}

// PressOptOut turns off what a link of List-Unsubscribe names, for its
// recipient. A second press changes nothing.
func (d *Desk) PressOptOut(ctx context.Context, link string) (OptOut, error) {
	var v OptOut
	err := d.inTx(ctx, func(tx *tx) error {
		found, l, err := d.optOutByLink(ctx, tx, link)
		if err != nil {
			return err
		}
		v = found
		v.Done = true
		return turnOff(ctx, tx, l)
	})
	if err != nil {
		return OptOut{}, fmt.Errorf("unsubscribe: %w", err)
	}
	return v, nil
}

// optOut is a mail of one kind that somebody wants no more.
type optOut struct {
	person int64
	desk   int
	event  string
}

// optsOut is an answer to List-Unsubscribe: the word alone, to the reply address
// of such a mail of the sender's own, or where those do not come through with
// the event in the subject, verified and written to this desk. It joins no case.
func (r *reading) optsOut() bool {
	if r.plan.class != Human || r.f.sender == nil || !strings.EqualFold(strings.TrimSpace(r.m.Reply), unsubscribe) {
		return false
	}
	l := optOut{person: r.f.sender.ID, desk: r.desk.id}
	for _, t := range r.tokens {
		for i := range r.f.tokens {
			letter := &r.f.tokens[i]
			own := letter.Person != nil && *letter.Person == l.person && letter.Address == r.from().Address
			live := letter.TokenUntil != nil && letter.TokenUntil.After(r.now)
			if own && live && optional[letter.Kind] != "" && slices.Equal(token.Hash(t), letter.TokenHash) {
				l.event = optional[letter.Kind]
			}
		}
	}
	if l.event == "" && r.sure && r.wroteToDesk() && len(r.tokens) == 0 {
		word, event, _ := strings.Cut(strings.ToLower(strings.TrimSpace(r.m.Subject)), " ")
		for _, known := range optional {
			if word == unsubscribe && event == known {
				l.event = known
			}
		}
	}
	if l.event == "" || r.plan.assurance == Failed {
		return false
	}
	r.plan.optOut = &l
	r.say("R53", "it asks for no more mail of the kind %q: turned off for its sender", l.event)
	return r.end(Filed, "unsubscribes", "")
}

// readOptOutLink takes a link of optOutLink apart.
func readOptOutLink(link string) (letter int64, secret string) {
	id, secret, _ := strings.Cut(link, "-")
	letter, err := strconv.ParseInt(id, 36, 64)
	if err != nil || letter < 1 || len(link) > 60 {
		return 0, ""
	}
	return letter, secret
}

func sameSecret(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(strings.ToLower(a)), []byte(b)) == 1
}
