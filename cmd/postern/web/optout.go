package web

import (
	"net/http"
	"net/url"

	"postern/core"
)

// optOutPage turns off mail that its reader can do without.
type optOutPage struct {
	frame
	core.OptOut
	Action string
}

// pressOptOut is the one press that needs no nonce: a mail program's server
// makes it, without any page of ours (RFC 8058).
const pressOptOut = "POST /o/{link}"

// oneClick says whether a request is such a press. The link is in the header of
// one mail alone, and does no more than turn off one kind of mail.
func oneClick(v *visit, r route) bool {
	if r.pattern != pressOptOut {
		return false
	}
	_ = v.ParseMultipartForm(maxFormBytes) // the form RFC 8058 prefers; of another the values are there already
	return v.PostForm.Get("List-Unsubscribe") == "One-Click"
}

func (p *pages) optOut(w http.ResponseWriter, v *visit) error {
	link := v.PathValue("link")
	found, err := p.desk.OptOutByLink(v.Context(), link)
	if err != nil {
		return linkOver(err)
	}
	return p.render(w, http.StatusOK, "opt-out", optOutPage{p.frame(v), found, "/o/" + url.PathEscape(link)})
}

func (p *pages) pressOptOut(w http.ResponseWriter, v *visit) error {
	found, err := p.desk.PressOptOut(v.Context(), v.PathValue("link"))
	if err != nil {
		return linkOver(err)
	}
	return p.render(w, http.StatusOK, "opt-out", optOutPage{frame: p.frame(v), OptOut: found})
}
