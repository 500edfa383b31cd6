package web

import (
	"errors"
	"net/http"
	"net/url"

	"postern/core"
)

// treatAsHuman makes a comment of perhaps a machine count as a person's (R28).
func (p *pages) treatAsHuman(w http.ResponseWriter, v *visit) error {
	id, err := number(v, "id")
	if err != nil {
		return err
	}
	if err := p.desk.TreatAsHuman(v.Context(), v.viewer, v.PathValue("number"), id); err != nil {
		return err
	}
	http.Redirect(w, v.Request, casePath(v.PathValue("number"))+"#comment-"+url.PathEscape(v.PathValue("id")), http.StatusSeeOther)
	return nil
}

// settleLetter is an agent's word on a mail that may have arrived or not (R59).
func (p *pages) settleLetter(w http.ResponseWriter, v *visit) error {
	id, err := number(v, "id")
	if err != nil {
		return err
	}
	number := v.PathValue("number")
	err = p.desk.SettleLetter(v.Context(), v.viewer, number, id, core.LetterWord(v.PostForm.Get("word")))
	if errors.Is(err, core.ErrNotAllowed) {
		// somebody was first, or the server has answered since
		return p.render(w, http.StatusConflict, "message", message{
			frame: p.frame(v), Says: "letter-gone", Back: casePath(number), BackTo: "message.case"})
	}
	if err != nil {
		return err
	}
	http.Redirect(w, v.Request, casePath(number), http.StatusSeeOther)
	return nil
}

func (p *pages) block(w http.ResponseWriter, v *visit) error { return p.blockSender(w, v, true) }

func (p *pages) unblock(w http.ResponseWriter, v *visit) error { return p.blockSender(w, v, false) }

// blockSender holds the later mail of a held mail's sender, or files it again
// (R72).
func (p *pages) blockSender(w http.ResponseWriter, v *visit, blocked bool) error {
	return p.decide(w, v, func(ledger int64) error {
		return p.desk.BlockSender(v.Context(), v.viewer, ledger, blocked)
	})
}
