package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"postern/core"
)

// signInPage is the home of everybody who is not signed in.
type signInPage struct {
	frame
	Address string
	Problem string // key of the words, "" for none
}

// linkPage is a page with one button: what a mailed link leads to.
type linkPage struct {
	frame
	Action string // where the button posts to
}

// codePage takes the code of a sign-in mail or, with Invited, of an invitation.
type codePage struct {
	frame
	Address string
	Asked   bool // a mail is on its way to Address, if it may sign in
	Invited bool
	Problem string
}

func (p *pages) home(w http.ResponseWriter, v *visit) error {
	if v.signedIn {
		http.Redirect(w, v.Request, "/cases", http.StatusSeeOther)
		return nil
	}
	return p.signInForm(w, v)
}

func (p *pages) signInForm(w http.ResponseWriter, v *visit) error {
	return p.render(w, http.StatusOK, "sign-in", signInPage{frame: p.frame(v)})
}

// requestSignIn leads everybody to the same page (R46).
func (p *pages) requestSignIn(w http.ResponseWriter, v *visit) error {
	address := typedAddress(v)
	if address == "" {
		return p.render(w, http.StatusUnprocessableEntity, "sign-in",
			signInPage{p.frame(v), line(v.PostForm.Get("address")), "sign-in.problem"})
	}
	if !p.brake.allow(p.client(v.Request)) {
		return core.ErrTooMany
	}
	err := p.desk.RequestSignIn(v.Context(), address, askingBrowser(v.browser))
	if err != nil && !errors.Is(err, core.ErrNotFound) && !errors.Is(err, core.ErrTooMany) {
		return err // the database is away: that tells nothing of the address
	}
	p.setText(w, askedCookie, address, askedLife)
	http.Redirect(w, v.Request, "/code", http.StatusSeeOther)
	return nil
}

// typedAddress is the address of a form, "" if it cannot be one.
func typedAddress(v *visit) string {
	address := strings.ToLower(strings.TrimSpace(v.PostForm.Get("address")))
	at := strings.LastIndexByte(address, '@')
	if at < 1 || at == len(address)-1 || len(address) > 254 || address != line(address) || strings.ContainsAny(address, " <>,;") {
		return ""
	}
	return address
}

func (p *pages) signInLink(w http.ResponseWriter, v *visit) error {
	return p.render(w, http.StatusOK, "sign-in-link",
		linkPage{p.frame(v), "/sign-in/" + url.PathEscape(v.PathValue("link"))})
}

func (p *pages) signInByLink(w http.ResponseWriter, v *visit) error {
	session, err := p.desk.SignInByLink(v.Context(), v.PathValue("link"), askingBrowser(v.browser), v.UserAgent())
	if errors.Is(err, core.ErrNotFound) || errors.Is(err, core.ErrExpired) {
		return p.render(w, http.StatusGone, "message", message{
			frame: p.frame(v), Says: "sign-in-expired", Back: "/sign-in", BackTo: "message.sign-in"})
	}
	if err != nil {
		return err
	}
	p.signIn(w, v, session)
	return nil
}

func (p *pages) codeForm(w http.ResponseWriter, v *visit) error {
	address := p.askedFor(v.Request)
	return p.render(w, http.StatusOK, "code", codePage{frame: p.frame(v), Address: address, Asked: address != ""})
}

// askedFor is the address this browser asked a sign-in mail for.
func (p *pages) askedFor(r *http.Request) string {
	c, err := r.Cookie(p.cookieName(askedCookie))
	if err != nil {
		return ""
	}
	address, err := url.QueryUnescape(c.Value)
	if err != nil {
		return ""
	}
	return line(address)
}

func (p *pages) signInByCode(w http.ResponseWriter, v *visit) error {
	return p.byCode(w, v, codePage{frame: p.frame(v), Asked: v.PostForm.Has("asked")},
		func(ctx context.Context, address, code string) (string, error) {
			return p.desk.SignInByCode(ctx, address, code, askingBrowser(v.browser), v.UserAgent())
		})
}

// byCode signs in with an address and a code, or shows the form again and why.
func (p *pages) byCode(w http.ResponseWriter, v *visit, form codePage,
	accept func(ctx context.Context, address, code string) (string, error)) error {
	form.Address = line(v.PostForm.Get("address"))
	address, code := typedAddress(v), typedCode(v)
	status := http.StatusUnprocessableEntity
	switch {
	case address == "":
		form.Problem, form.Asked = "sign-in.problem", false
	case code == "":
		form.Problem = "code.problem"
	case !p.brake.allow(p.client(v.Request)):
		status, form.Problem = http.StatusTooManyRequests, "code.too-many"
	default:
		session, err := accept(v.Context(), address, code)
		switch {
		case err == nil:
			p.signIn(w, v, session)
			return nil
		case errors.Is(err, core.ErrTooMany):
			status, form.Problem = http.StatusTooManyRequests, "code.too-many"
		case errors.Is(err, core.ErrExpired) || errors.Is(err, core.ErrNotFound):
			form.Problem = "code.wrong"
		default:
			return err
		}
	}
	return p.render(w, status, "code", form)
}

// typedCode is the code of a form as it was mailed: people add spaces and dashes.
func typedCode(v *visit) string {
	code := strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "\u00A0", "").Replace(line(v.PostForm.Get("code"))))
	if len(code) > 20 {
		return ""
	}
	return code
}

// signOut ends this browser's session; also one that is over already.
func (p *pages) signOut(w http.ResponseWriter, v *visit) error {
	if v.signedIn {
		if err := p.desk.SignOut(v.Context(), v.session); err != nil && !errors.Is(err, core.ErrNotFound) {
			return err
		}
	}
	p.dropCookie(w, sessionCookie)
	http.Redirect(w, v.Request, "/sign-in", http.StatusSeeOther)
	return nil
}
