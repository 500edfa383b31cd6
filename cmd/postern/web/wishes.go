package web

import (
	"net/http"
	"net/url"
	"strings"

	"postern/core"
)

// wishesPage is where people say how they hear of what happens.
type wishesPage struct {
	frame
	Desks []core.DeskWishes
	Saved string // name of the desk whose wishes were kept just now
}

func (p *pages) wishes(w http.ResponseWriter, v *visit) error {
	desks, err := p.desk.Preferences(v.Context(), v.viewer)
	if err != nil {
		return err
	}
	page := wishesPage{frame: p.frame(v), Desks: desks}
	for _, d := range desks {
		if d.Desk == v.URL.Query().Get("saved") {
			page.Saved = d.Name
		}
	}
	return p.render(w, http.StatusOK, "wishes", page)
}

// setWishes keeps one desk's form: a field for each event, "" for what the desk
// says.
func (p *pages) setWishes(w http.ResponseWriter, v *visit) error {
	desk, wishes := v.PostForm.Get("desk"), map[string]string{}
	for field := range v.PostForm {
		if event, ok := strings.CutPrefix(field, "tell-"); ok {
			wishes[event] = v.PostForm.Get(field)
		}
	}
	if err := p.desk.SetPreferences(v.Context(), v.viewer, desk, wishes); err != nil {
		return err
	}
	http.Redirect(w, v.Request, "/account/mail?saved="+url.QueryEscape(desk), http.StatusSeeOther)
	return nil
}
