package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"postern/core"
)

// maxFormBytes bounds what a form may send: the longest holds a text of 10,000
// characters, each of up to 12 bytes as a form sends it.
const maxFormBytes = 128 << 10

// visit is one request for a page and who makes it.
type visit struct {
	*http.Request
	id       string // of the request: on the error page and in the log
	browser  string // secret of this browser, never ""
	session  string // secret of the session, "" if there is none
	viewer   core.Viewer
	signedIn bool
	words    words
}

// page wraps a route in what all pages share: the browser's cookie, the nonce
// of buttons, the viewer, and the error page.
func (p *pages) page(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		req.Body = http.MaxBytesReader(w, req.Body, maxFormBytes)
		v := &visit{Request: req, id: requestID(req), words: p.words.choose("", req.Header.Get("Accept-Language"))}
		err := p.arrive(w, v, r)
		if err == nil {
			err = r.show(w, v)
		}
		if err != nil {
			p.fail(w, v, err)
		}
	})
}

// arrive finds out who visits, and refuses who may not.
func (p *pages) arrive(w http.ResponseWriter, v *visit, r route) error {
	known := p.browserCookie(v.Request)
	v.session = p.sessionCookie(v.Request)
	changes := v.Method != http.MethodGet && v.Method != http.MethodHead
	if changes {
		if err := v.ParseForm(); err != nil {
			return errBadForm
		}
		if !oneClick(v, r) && !validNonce(v.PostForm.Get("nonce"), known, v.session) {
			return errStale
		}
	}
	if v.browser = known; known == "" {
		v.browser = newSecret()
		p.setCookie(w, browserCookie, v.browser, browserLife)
	}
	if v.session != "" {
		viewer, err := p.desk.Session(v.Context(), v.session)
		switch {
		case err == nil:
			v.viewer, v.signedIn = viewer, true
			v.words = p.words.choose(viewer.Language, v.Header.Get("Accept-Language"))
		case errors.Is(err, core.ErrNotFound) || errors.Is(err, core.ErrExpired):
			p.dropCookie(w, sessionCookie)
		default:
			return err
		}
	}
	switch {
	case r.who >= signedIn && !v.signedIn:
		return errSignInFirst
	case r.who == agents && !v.viewer.Agent:
		return core.ErrNotFound
	}
	return nil
}

// signIn makes this browser the holder of a new session. The one it had before
// ends: nobody is two people in one browser.
func (p *pages) signIn(w http.ResponseWriter, v *visit, session string) {
	if v.signedIn {
		if err := p.desk.SignOut(context.WithoutCancel(v.Context()), v.session); err != nil && !errors.Is(err, core.ErrNotFound) {
			p.log.Warn("old session not ended", "request", v.id, "err", err)
		}
	}
	p.setCookie(w, sessionCookie, session, sessionLife)
	p.dropCookie(w, askedCookie)
	p.dropCookie(w, nextCookie)
	http.Redirect(w, v.Request, p.next(v.Request), http.StatusSeeOther)
}

// next is where somebody wanted to go before signing in.
func (p *pages) next(r *http.Request) string {
	c, err := r.Cookie(p.cookieName(nextCookie))
	if err != nil {
		return "/cases"
	}
	path, err := url.QueryUnescape(c.Value)
	if err != nil || !ownPath(path) {
		return "/cases"
	}
	return path
}

// ownPath says whether a path is that of a page behind the sign-in: never one
// of another host ("//host", "/\host").
func ownPath(path string) bool {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || strings.ContainsAny(path, "\\\r\n") {
		return false
	}
	for _, start := range []string{"/cases", "/held", "/mails", "/account"} {
		if u.Path == start || strings.HasPrefix(u.Path, start+"/") {
			return true
		}
	}
	return false
}

const (
	browserLife = 30 * 24 * time.Hour
	sessionLife = 30 * 24 * time.Hour // the longest there is; the desk ends it earlier (R46)
	askedLife   = 15 * time.Minute    // as long as the mailed link
)
