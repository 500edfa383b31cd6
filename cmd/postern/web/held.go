package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"postern/core"
)

// heldPage lists mail that waits for an agent's word.
type heldPage struct {
	frame
	Mails []core.HeldLine
	Older string // address of the next page, "" if there is surely none
}

// heldMailPage is one of them, and why it is held.
type heldMailPage struct {
	frame
	core.HeldView
	Source string // as it came, made readable
	Cut    bool   // Source is only its beginning
}

// heldAPage is how many lines the desk gives at once.
const heldAPage = 50

func (p *pages) held(w http.ResponseWriter, v *visit) error {
	before, err := strconv.ParseInt(v.URL.Query().Get("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0 // from the newest
	}
	page := heldPage{frame: p.frame(v)}
	if page.Mails, err = p.desk.HeldMail(v.Context(), v.viewer, before); err != nil {
		return err
	}
	if n := len(page.Mails); n >= heldAPage {
		page.Older = "/held?before=" + strconv.FormatInt(page.Mails[n-1].Ledger, 10)
	}
	return p.render(w, http.StatusOK, "held", page)
}

func (p *pages) heldMail(w http.ResponseWriter, v *visit) error {
	ledger, err := number(v, "ledger")
	if err != nil {
		return err
	}
	view, err := p.desk.HeldMailView(v.Context(), v.viewer, ledger)
	if err != nil {
		return err
	}
	return p.render(w, http.StatusOK, "held-mail", heldMailPage{
		p.frame(v), view, source(view.Raw), int64(len(view.Raw)) < view.Size})
}

func (p *pages) release(w http.ResponseWriter, v *visit) error { return p.decide(w, v, p.desk.Release) }

func (p *pages) refuse(w http.ResponseWriter, v *visit) error { return p.decide(w, v, p.desk.Refuse) }

// decide carries out an agent's word on one mail and goes back to the list.
func (p *pages) decide(w http.ResponseWriter, v *visit, word func(context.Context, core.Viewer, int64) error) error {
	ledger, err := number(v, "ledger")
	if err != nil {
		return err
	}
	err = word(v.Context(), v.viewer, ledger)
	if errors.Is(err, core.ErrNotAllowed) || errors.Is(err, core.ErrExpired) {
		// a colleague was first
		return p.render(w, http.StatusConflict, "message", message{
			frame: p.frame(v), Says: "held-gone", Back: "/held", BackTo: "message.held"})
	}
	if err != nil {
		return err
	}
	http.Redirect(w, v.Request, "/held", http.StatusSeeOther)
	return nil
}
