package web

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"postern/core"
)

// What the pages themselves refuse.
var (
	errStale       = errors.New("nonce missing or of another browser")
	errBadForm     = errors.New("form not readable")
	errSignInFirst = errors.New("not signed in")
)

// message is the page that says one thing.
type message struct {
	frame
	Says    string // key of its words: message.<Says>, message.<Says>-more
	Request string // id, where somebody may have to look it up
	Back    string // where to go from here
	BackTo  string // key of the words for it
}

// fail answers with what went wrong, in words; the log has the rest.
func (p *pages) fail(w http.ResponseWriter, v *visit, err error) {
	m := message{frame: p.frame(v), Back: "/", BackTo: "message.home"}
	m.Here = "" // what is not there belongs to no entry of the menu
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, errSignInFirst):
		p.askToSignIn(w, v)
		return
	case errors.Is(err, core.ErrNotFound):
		status, m.Says = http.StatusNotFound, "not-found"
	case errors.Is(err, core.ErrExpired):
		status, m.Says = http.StatusGone, "expired"
	case errors.Is(err, core.ErrTooMany):
		status, m.Says = http.StatusTooManyRequests, "too-many"
	case errors.Is(err, core.ErrNotAllowed):
		status, m.Says = http.StatusForbidden, "not-allowed"
	case errors.Is(err, errStale):
		status, m.Says = http.StatusForbidden, "stale"
	case errors.Is(err, errBadForm):
		status, m.Says = http.StatusBadRequest, "stale"
	case errors.Is(err, core.ErrUnavailable):
		status, m.Says, m.Request = http.StatusServiceUnavailable, "unavailable", v.id
		w.Header().Set("Retry-After", "30")
	default:
		m.Says, m.Request = "failed", v.id
	}
	if m.Request != "" && !errors.Is(v.Context().Err(), context.Canceled) {
		// the pattern, not the path: paths hold secrets
		p.log.Error("page failed", "request", v.id, "page", v.Pattern, "err", err)
	}
	if err := p.render(w, status, "message", m); err != nil {
		p.log.Error("error page failed", "request", v.id, "err", err)
		http.Error(w, "500 "+v.id, http.StatusInternalServerError)
	}
}

// askToSignIn leads to the sign-in and remembers where somebody was going.
func (p *pages) askToSignIn(w http.ResponseWriter, v *visit) {
	if v.Method == http.MethodGet && ownPath(v.URL.RequestURI()) && len(v.URL.RequestURI()) < 1000 {
		p.setText(w, nextCookie, v.URL.RequestURI(), askedLife)
	}
	http.Redirect(w, v.Request, "/sign-in", http.StatusSeeOther)
}

// nothing is the page of every address that is none.
func (p *pages) nothing(http.ResponseWriter, *visit) error { return core.ErrNotFound }

// denied is what a form of another site gets.
func (p *pages) denied(http.ResponseWriter, *visit) error { return errStale }

// requestKey is where the request's id travels.
type requestKey struct{}

func requestID(r *http.Request) string {
	id, _ := r.Context().Value(requestKey{}).(string)
	return id
}

// safely gives each request an id, and turns a panic into an error page.
func (p *pages) safely(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()[:10]
		w.Header().Set("X-Request-Id", id)
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, id))
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler {
				panic(cause)
			}
			v := &visit{Request: r, id: id, words: p.words.choose("", r.Header.Get("Accept-Language"))}
			p.fail(w, v, fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
		}()
		next.ServeHTTP(w, r)
	})
}
