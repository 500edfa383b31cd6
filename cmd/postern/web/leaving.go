package web

import (
	"net/http"
	"net/url"

	"postern/core"
)

// leavingPage turns off mail that its reader can do without.
type leavingPage struct {
	frame
	core.Leaving
	Action string
}

// pressLeaving is the one press that needs no nonce: a mail program's server
// makes it, without any page of ours (RFC 8058).
const pressLeaving = "POST /o/{link}"

// oneClick says whether a request is such a press. The link is in the header of
// one mail alone, and does no more than turn off one kind of mail.
func oneClick(v *visit, r route) bool {
	if r.pattern != pressLeaving {
		return false
	}
	_ = v.ParseMultipartForm(maxFormBytes) // the form RFC 8058 prefers; of another the values are there already
	return v.PostForm.Get("List-Unsubscribe") == "One-Click"
}

func (p *pages) leaving(w http.ResponseWriter, v *visit) error {
	link := v.PathValue("link")
	found, err := p.desk.LeavingByLink(v.Context(), link)
	if err != nil {
		return linkOver(err)
	}
	return p.render(w, http.StatusOK, "leaving", leavingPage{p.frame(v), found, "/o/" + url.PathEscape(link)})
}

func (p *pages) pressLeaving(w http.ResponseWriter, v *visit) error {
	found, err := p.desk.PressLeaving(v.Context(), v.PathValue("link"))
	if err != nil {
		return linkOver(err)
	}
	return p.render(w, http.StatusOK, "leaving", leavingPage{frame: p.frame(v), Leaving: found})
}
