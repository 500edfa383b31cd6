package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"time"
)

// A button works only for the browser that fetched its page (R46). Every
// browser has a random secret in a cookie; a form carries a nonce made from
// that secret and the session's. Another site can make a browser send the
// cookie, but cannot read it, so it cannot make the nonce; and a planted
// browser cookie does not help, because the session's secret is in it too.
// Nothing is kept here: any process answers any form.

// Cookies. Over https their names get the prefix __Host-, by which browsers
// keep other hosts of the domain from setting them (RFC 6265bis §4.1.3.2).
const (
	browserCookie = "postern-browser"
	sessionCookie = "postern-session"
	askedCookie   = "postern-asked" // the address a sign-in was asked for
	nextCookie    = "postern-next"  // the page that was wanted before signing in
)

// newSecret is 128 random bits as text.
func newSecret() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// formNonce is what the forms of a page carry.
func formNonce(browser, session string) string { return derive(browser, "form\n"+session) }

// askingBrowser is what the desk is told of a browser: enough to know it again,
// no use as its cookie.
func askingBrowser(browser string) string { return derive(browser, "sign-in") }

func derive(secret, purpose string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(purpose))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// validNonce compares what a form carries with what this browser's pages hold.
// Empty never matches.
func validNonce(nonce, browser, session string) bool {
	if nonce == "" || browser == "" {
		return false
	}
	return hmac.Equal([]byte(nonce), []byte(formNonce(browser, session)))
}

func (p *pages) cookieName(name string) string {
	if p.secure {
		return "__Host-" + name
	}
	return name
}

// browserCookie is the secret of this browser; "" if it has none that we made.
func (p *pages) browserCookie(r *http.Request) string {
	c, err := r.Cookie(p.cookieName(browserCookie))
	if err != nil {
		return ""
	}
	if b, err := base64.RawURLEncoding.DecodeString(c.Value); err != nil || len(b) != 16 {
		return ""
	}
	return c.Value
}

func (p *pages) sessionCookie(r *http.Request) string {
	c, err := r.Cookie(p.cookieName(sessionCookie))
	if err != nil || len(c.Value) > 200 {
		return ""
	}
	return c.Value
}

func (p *pages) setCookie(w http.ResponseWriter, name, value string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: p.cookieName(name), Value: value, Path: "/", MaxAge: int(life.Seconds()),
		Secure: p.secure, HttpOnly: true,
		SameSite: http.SameSiteLaxMode, // Strict would leave people signed out behind every link of a mail
	})
}

func (p *pages) dropCookie(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{
		Name: p.cookieName(name), Path: "/", MaxAge: -1,
		Secure: p.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// setText is setCookie for text that people typed.
func (p *pages) setText(w http.ResponseWriter, name, text string, life time.Duration) {
	p.setCookie(w, name, url.QueryEscape(text), life)
}
