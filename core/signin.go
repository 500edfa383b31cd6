package core

import (
	"context"
	"time"
)

// Lives of secrets and sessions (R46).
const (
	signInLife     = 15 * time.Minute
	invitationLife = 7 * 24 * time.Hour
	codeTries      = 5
	sessionIdle    = 12 * time.Hour
	sessionLife    = 30 * 24 * time.Hour
)

// RequestSignIn mails a link and a code to an address, if it is an agent's or
// a contact's whom some desk lets in. Everybody gets the same answer: nil,
// unless the database is away. browser is the asking browser's nonce: the link
// works there alone.
func (d *Desk) RequestSignIn(ctx context.Context, address, browser string) error {
	address, err := checkAddress(address)
	if err != nil || browser == "" {
		return nil
	}
	err = d.inTx(ctx, func(tx *tx) error { return d.requestSignIn(ctx, tx, address, browser) })
	d.hint()
	return err
}

// SignInByLink starts a session for the link of a sign-in mail, in the browser
// that asked for it. ErrExpired: used, too old, or another browser's.
func (d *Desk) SignInByLink(ctx context.Context, link, browser, userAgent string) (string, error) {
	var session string
	err := d.inTx(ctx, func(tx *tx) (err error) {
		session, err = signInByLink(ctx, tx, link, browser, userAgent)
		return err
	})
	return session, err
}

// SignInByCode starts a session for the code of a sign-in mail, typed into the
// browser that asked for it. ErrTooMany after five tries.
func (d *Desk) SignInByCode(ctx context.Context, address, code, browser, userAgent string) (string, error) {
	address, err := checkAddress(address)
	if err != nil || browser == "" {
		return "", ErrExpired
	}
	return d.byCode(ctx, "sign-in", address, code, browser, userAgent)
}

// byCode spends one try of a code, whatever comes of it, and starts a session
// if it is right.
func (d *Desk) byCode(ctx context.Context, kind, address, code, browser, userAgent string) (string, error) {
	var session string
	var verdict error
	err := d.inTx(ctx, func(tx *tx) (err error) {
		session, verdict, err = d.useCode(ctx, tx, kind, address, code, browser, userAgent)
		return err
	})
	if err != nil {
		return "", err
	}
	return session, verdict
}

// Session tells who holds a session. ErrNotFound: nobody, or no longer.
func (d *Desk) Session(ctx context.Context, session string) (Viewer, error) {
	var v Viewer
	err := again(func() error {
		var err error
		v, err = d.viewer(ctx, session)
		return err
	})
	return v, err
}

// Sessions lists the places where a person is signed in.
func (d *Desk) Sessions(ctx context.Context, v Viewer, current string) ([]SessionLine, error) {
	var lines []SessionLine
	err := d.readTx(ctx, func(tx *tx) (err error) {
		lines, err = sessionLines(ctx, tx, v, current)
		return err
	})
	return lines, err
}

// SignOut ends a session.
func (d *Desk) SignOut(ctx context.Context, session string) error {
	return d.inTx(ctx, func(tx *tx) error { return signOut(ctx, tx, session) })
}

// SignOutEverywhere ends all sessions of a person.
func (d *Desk) SignOutEverywhere(ctx context.Context, v Viewer) error {
	return d.inTx(ctx, func(tx *tx) error { return signOutEverywhere(ctx, tx, v) })
}

// InviteRequest says who is invited, and to what.
type InviteRequest struct {
	Desk         string
	Address      string
	Name         string
	Organisation string // its name
	Role         string // "user", "power"
	Language     string
	By           string // who invites, as shown; "" for the desk
}

// Invite makes a person a contact of an organisation and mails an invitation
// with a link and a code. Asked again, it mails a new one.
func (d *Desk) Invite(ctx context.Context, q InviteRequest) error {
	address, err := checkAddress(q.Address)
	if err != nil {
		return err
	}
	q.Address = address
	desk, err := d.desk(q.Desk)
	if err != nil {
		return err
	}
	err = d.inTx(ctx, func(tx *tx) error { return d.invite(ctx, tx, desk, q) })
	d.hint()
	return err
}

// InvitationByLink shows an invitation. ErrExpired: used or too old.
func (d *Desk) InvitationByLink(ctx context.Context, link string) (InvitationView, error) {
	var v InvitationView
	err := d.readTx(ctx, func(tx *tx) (err error) {
		v, err = d.invitationView(ctx, tx, link)
		return err
	})
	return v, err
}

// AcceptByLink accepts an invitation by its link and signs the person in.
func (d *Desk) AcceptByLink(ctx context.Context, link, userAgent string) (string, error) {
	var session string
	err := d.inTx(ctx, func(tx *tx) (err error) {
		session, err = acceptByLink(ctx, tx, link, userAgent)
		return err
	})
	return session, err
}

// AcceptByCode accepts an invitation by hand: the address and the code.
func (d *Desk) AcceptByCode(ctx context.Context, address, code, userAgent string) (string, error) {
	address, err := checkAddress(address)
	if err != nil {
		return "", ErrExpired
	}
	return d.byCode(ctx, "invitation", address, code, "", userAgent)
}
