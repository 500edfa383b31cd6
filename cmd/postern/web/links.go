package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"postern/core"
)

// movePage is what the link of a mail leads to: one button that moves a case.
type movePage struct {
	frame
	core.MoveLink
	Action  string
	Pressed bool // just now
}

// questionPage asks an agent: did you write these? (R42)
type questionPage struct {
	frame
	core.QuestionView
	Action string
}

func (p *pages) moveLink(w http.ResponseWriter, v *visit) error {
	link := v.PathValue("link")
	move, err := p.desk.MoveByLink(v.Context(), link)
	if err != nil {
		return linkOver(err)
	}
	return p.render(w, http.StatusOK, "move", movePage{p.frame(v), move, "/m/" + url.PathEscape(link), false})
}

func (p *pages) pressMove(w http.ResponseWriter, v *visit) error {
	move, err := p.desk.PressMove(v.Context(), v.PathValue("link"))
	if errors.Is(err, core.ErrNotAllowed) {
		return p.render(w, http.StatusConflict, "message", message{
			frame: p.frame(v), Says: "move-gone", Back: "/", BackTo: "message.home"})
	}
	if err != nil {
		return linkOver(err)
	}
	return p.render(w, http.StatusOK, "move", movePage{p.frame(v), move, "", true})
}

func (p *pages) question(w http.ResponseWriter, v *visit) error {
	link := v.PathValue("link")
	question, err := p.desk.QuestionByLink(v.Context(), link)
	if err != nil {
		return linkOver(err)
	}
	return p.render(w, http.StatusOK, "question", questionPage{p.frame(v), question, "/q/" + url.PathEscape(link)})
}

func (p *pages) pressQuestion(w http.ResponseWriter, v *visit) error {
	var struck []int64
	for _, value := range v.PostForm["struck"] {
		ledger, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return errBadForm // releasing what somebody meant to strike out would be worse
		}
		struck = append(struck, ledger)
	}
	if err := p.desk.PressQuestion(v.Context(), v.PathValue("link"), struck); err != nil {
		return linkOver(err)
	}
	return p.render(w, http.StatusOK, "message", message{
		frame: p.frame(v), Says: "question-done", Back: "/", BackTo: "message.home"})
}

// linkOver is one answer for a link that was used, is too old or never was.
func linkOver(err error) error {
	if errors.Is(err, core.ErrNotFound) {
		return core.ErrExpired
	}
	return err
}
