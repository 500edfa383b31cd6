package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"postern/core"
)

// movePage is what the link of a mail leads to: one button that moves a case, or
// takes a move back.
type movePage struct {
	frame
	core.MoveLink
	Action  string
	Pressed bool   // just now
	Text    string // what was written into the form
	Problem string // "no-text", "long-text", or ""
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
	return p.showMove(w, v, movePage{MoveLink: move, Action: "/m/" + url.PathEscape(link)}, err)
}

func (p *pages) pressMove(w http.ResponseWriter, v *visit) error {
	link, text := v.PathValue("link"), v.PostForm.Get("text")
	move, err := p.desk.PressMove(v.Context(), link, text)
	page := movePage{MoveLink: move, Action: "/m/" + url.PathEscape(link), Text: text, Pressed: err == nil}
	if errors.Is(err, core.ErrNoText) { // what they wrote stays in the form
		page.Problem, err = "no-text", nil
		if strings.TrimSpace(text) != "" {
			page.Problem = "long-text"
		}
	}
	return p.showMove(w, v, page, err)
}

func (p *pages) undoLink(w http.ResponseWriter, v *visit) error {
	link := v.PathValue("link")
	move, err := p.desk.UndoByLink(v.Context(), link)
	return p.showMove(w, v, movePage{MoveLink: move, Action: "/u/" + url.PathEscape(link)}, err)
}

func (p *pages) pressUndo(w http.ResponseWriter, v *visit) error {
	link := v.PathValue("link")
	move, err := p.desk.PressUndo(v.Context(), link)
	return p.showMove(w, v, movePage{MoveLink: move, Action: "/u/" + url.PathEscape(link), Pressed: err == nil}, err)
}

// showMove shows what a press will do, has done, or can do no longer.
func (p *pages) showMove(w http.ResponseWriter, v *visit, page movePage, err error) error {
	status := http.StatusOK
	switch {
	case errors.Is(err, core.ErrNotAllowed):
		page.Gone = true
	case err != nil:
		return linkOver(err)
	}
	switch {
	case page.Gone:
		status = http.StatusConflict
	case page.Problem != "":
		status = http.StatusUnprocessableEntity
	}
	page.frame = p.frame(v)
	return p.render(w, status, "move", page)
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
