package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"postern/core"
)

// invitationPage is what the link of an invitation leads to.
type invitationPage struct {
	frame
	core.InvitationView
	Action string
}

func (p *pages) invitation(w http.ResponseWriter, v *visit) error {
	link := v.PathValue("link")
	invitation, err := p.desk.InvitationByLink(v.Context(), link)
	if err != nil {
		return p.invitationOver(w, v, err)
	}
	return p.render(w, http.StatusOK, "invitation",
		invitationPage{p.frame(v), invitation, "/invitation/" + url.PathEscape(link)})
}

func (p *pages) acceptByLink(w http.ResponseWriter, v *visit) error {
	session, err := p.desk.AcceptByLink(v.Context(), v.PathValue("link"), v.UserAgent())
	if err != nil {
		return p.invitationOver(w, v, err)
	}
	p.signIn(w, v, session)
	return nil
}

// invitationOver explains a link that leads nowhere; it may have been used by
// the same person, who can then sign in.
func (p *pages) invitationOver(w http.ResponseWriter, v *visit, err error) error {
	if !errors.Is(err, core.ErrNotFound) && !errors.Is(err, core.ErrExpired) {
		return err
	}
	return p.render(w, http.StatusGone, "message", message{
		frame: p.frame(v), Says: "invitation-expired", Back: "/sign-in", BackTo: "message.sign-in"})
}

func (p *pages) invitationForm(w http.ResponseWriter, v *visit) error {
	return p.render(w, http.StatusOK, "code", codePage{frame: p.frame(v), Invited: true})
}

func (p *pages) acceptByCode(w http.ResponseWriter, v *visit) error {
	return p.byCode(w, v, codePage{frame: p.frame(v), Invited: true},
		func(ctx context.Context, address, code string) (string, error) {
			return p.desk.AcceptByCode(ctx, address, code, v.UserAgent())
		})
}
