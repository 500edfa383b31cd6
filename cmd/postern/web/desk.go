package web

import (
	"context"
	"io"

	"postern/core"
)

// Desk is what the pages need of core.Desk: one small interface for each group
// of pages. Whether the viewer may is the desk's to judge: what is not theirs
// it does not find (R63).
type Desk interface {
	SignIns
	Wishes
	Invitations
	Cases
	Files
	Links
	HeldMails
}

// SignIns are the ways in and out (R46).
type SignIns interface {
	// RequestSignIn answers the same for everybody, whether a mail goes out or
	// not. browser names the asking browser, the only one in which the link works.
	RequestSignIn(ctx context.Context, address, browser string) error
	SignInByLink(ctx context.Context, link, browser, userAgent string) (session string, err error)
	SignInByCode(ctx context.Context, address, code, browser, userAgent string) (session string, err error)
	Session(ctx context.Context, session string) (core.Viewer, error)
	Sessions(ctx context.Context, v core.Viewer, current string) ([]core.SessionLine, error)
	SignOut(ctx context.Context, session string) error
	SignOutEverywhere(ctx context.Context, v core.Viewer) error
}

// Wishes are what people say of how they hear of what happens.
type Wishes interface {
	Preferences(ctx context.Context, v core.Viewer) ([]core.DeskWishes, error)
	SetPreferences(ctx context.Context, v core.Viewer, desk string, wishes map[string]string) error
}

// Invitations make a guest a person who is signed in.
type Invitations interface {
	InvitationByLink(ctx context.Context, link string) (core.InvitationView, error)
	AcceptByLink(ctx context.Context, link, userAgent string) (session string, err error)
	AcceptByCode(ctx context.Context, address, code, userAgent string) (session string, err error)
}

// Cases are the lists, the case and its moves.
type Cases interface {
	Cases(ctx context.Context, v core.Viewer, q core.CaseQuery) (core.CasePage, error)
	Case(ctx context.Context, v core.Viewer, number string) (core.CaseView, error)
	MoveCase(ctx context.Context, v core.Viewer, number, to string) error
	TreatAsHuman(ctx context.Context, v core.Viewer, number string, comment int64) error
	AddParticipant(ctx context.Context, v core.Viewer, number, address string) error
	// SettleLetter is an agent's word on a mail that may have arrived or not (R59).
	SettleLetter(ctx context.Context, v core.Viewer, number string, letter int64, word core.LetterWord) error
}

// Files are what came with a case: files, pictures, and texts as they were
// formatted, cleaned at filing (R23).
type Files interface {
	EntryHTML(ctx context.Context, v core.Viewer, number, kind string, id int64) (string, error)
	File(ctx context.Context, v core.Viewer, number string, id int64) (core.FileLine, io.ReadCloser, error)
	InlineFile(ctx context.Context, v core.Viewer, number, kind string, entry int64, contentID string) (core.FileLine, io.ReadCloser, error)
}

// Links are the one-time links of mails. Looking changes nothing, pressing does.
type Links interface {
	MoveByLink(ctx context.Context, link string) (core.MoveLink, error)
	PressMove(ctx context.Context, link, text string) (core.MoveLink, error)
	UndoByLink(ctx context.Context, link string) (core.MoveLink, error)
	PressUndo(ctx context.Context, link string) (core.MoveLink, error)
	QuestionByLink(ctx context.Context, link string) (core.QuestionView, error)
	OptOutByLink(ctx context.Context, link string) (core.OptOut, error)
	PressOptOut(ctx context.Context, link string) (core.OptOut, error)
	PressQuestion(ctx context.Context, link string, struck []int64) error
}

// HeldMails are the mails that wait for an agent's word.
type HeldMails interface {
	HeldMail(ctx context.Context, v core.Viewer, q core.HeldQuery) (core.HeldPage, error)
	HeldMailView(ctx context.Context, v core.Viewer, ledger int64) (core.HeldView, error)
	Release(ctx context.Context, v core.Viewer, ledger int64) error
	ReleaseAsCase(ctx context.Context, v core.Viewer, ledger int64) error
	Attach(ctx context.Context, v core.Viewer, ledger int64, number string) error
	Refuse(ctx context.Context, v core.Viewer, ledger int64) error
	BlockSender(ctx context.Context, v core.Viewer, ledger int64, blocked bool) error
}
