package web

import (
	"net/http"
	"strings"

	"postern/core"
)

// accountPage shows where a person is signed in.
type accountPage struct {
	frame
	Sessions []place
}

// place is one browser in which somebody is signed in.
type place struct {
	core.SessionLine
	Program, System string // of the browser, "" where we do not know it
}

func (p *pages) account(w http.ResponseWriter, v *visit) error {
	sessions, err := p.desk.Sessions(v.Context(), v.viewer, v.session)
	if err != nil {
		return err
	}
	page := accountPage{frame: p.frame(v)}
	for _, s := range sessions {
		page.Sessions = append(page.Sessions, place{s, named(s.Browser, programs), named(s.Browser, systems)})
	}
	return p.render(w, http.StatusOK, "account", page)
}

func (p *pages) signOutEverywhere(w http.ResponseWriter, v *visit) error {
	if err := p.desk.SignOutEverywhere(v.Context(), v.viewer); err != nil {
		return err
	}
	p.dropCookie(w, sessionCookie)
	http.Redirect(w, v.Request, "/sign-in", http.StatusSeeOther)
	return nil
}

// Browsers call themselves by the names of all before them: the first that is
// found here is the one it is.
var (
	programs = [][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"},
		{"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}}
	systems = [][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"},
		{"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}}
)

func named(userAgent string, known [][2]string) string {
	for _, k := range known {
		if strings.Contains(userAgent, k[0]) {
			return k[1]
		}
	}
	return ""
}
