// Package web is what people see in a browser: signing in, the lists, one case,
// the pages behind the links of mails, and held mail for agents.
//
// It knows HTTP, pages and cookies. It does not know who may see or do what:
// it hands the viewer to the desk, and what the desk does not find is not there
// (R63). It knows no SQL, IMAP, SMTP or MIME, and cleans no HTML: that is done
// when a mail is filed.
//
// Three habits hold for every page:
//
//   - GET and HEAD change nothing; a person presses a button (R46). Each button
//     carries the nonce of a page that this browser fetched: see nonce.go.
//   - A page is rendered whole before its status is sent, so a mistake in the
//     middle is an error page and never half a page.
//   - No script anywhere, and a policy that would not let one run.
package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Options are what the pages are made of.
type Options struct {
	Desk    Desk
	BaseURL string // scheme and host as people type them; https makes cookies Secure
	Log     *slog.Logger
	Zone    *time.Location // of the times on the pages; nil: UTC

	Health, Metrics http.Handler // at /healthz and /metrics; nil: not there
	Mails           SampleMails  // what agents can look at before customers do; nil: not there
	// TrustedProxies may tell by X-Forwarded-For who asks.
	TrustedProxies []netip.Prefix
}

// pages serves every page.
type pages struct {
	desk    Desk
	log     *slog.Logger
	zone    *time.Location
	secure  bool // cookies travel over https only
	views   *views
	mails   SampleMails
	words   *dictionary
	brake   *brake
	proxies []netip.Prefix
}

// New is the web view.
func New(o Options) (http.Handler, error) {
	base, err := url.Parse(o.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("base_url: %w", err)
	}
	if base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("base_url %q: wanted is something like https://desk.example", o.BaseURL)
	}
	if base.Path != "" && base.Path != "/" || base.RawQuery != "" {
		return nil, fmt.Errorf("base_url %q: the pages need a host of their own, without a path", o.BaseURL)
	}
	if o.Desk == nil || o.Log == nil {
		return nil, errors.New("web: no desk or no log")
	}
	words, err := readWords()
	if err != nil {
		return nil, err
	}
	views, err := parseViews()
	if err != nil {
		return nil, err
	}
	p := &pages{
		desk: o.Desk, log: o.Log, zone: o.Zone, secure: base.Scheme == "https",
		views: views, mails: o.Mails, words: words, brake: newBrake(time.Now), proxies: o.TrustedProxies,
	}
	if p.zone == nil {
		p.zone = time.UTC
	}

	mux := http.NewServeMux()
	for _, r := range p.routes() {
		mux.Handle(r.pattern, p.page(r))
	}
	mux.Handle("GET "+views.stylePath, asset(views.style, "text/css; charset=utf-8"))
	mux.Handle("GET "+views.iconPath, asset(views.icon, "image/svg+xml"))
	if o.Health != nil {
		mux.Handle("GET /healthz", o.Health)
	}
	if o.Metrics != nil {
		mux.Handle("GET /metrics", o.Metrics)
	}

	guard := http.NewCrossOriginProtection()
	if err := guard.AddTrustedOrigin(base.Scheme + "://" + base.Host); err != nil {
		return nil, fmt.Errorf("base_url %q: %w", o.BaseURL, err)
	}
	guard.SetDenyHandler(p.page(route{who: anybody, show: p.denied, pattern: "cross-origin"}))
	return p.safely(headers(guard.Handler(mux), referrerPolicy(base))), nil
}

// who may ask for a page. The desk judges again.
type who int

const (
	anybody who = iota
	signedIn
	agents
)

// route is one page: a pattern of net/http, who may see it, and what shows it.
// A pattern with POST is behind the nonce.
type route struct {
	pattern string
	who     who
	show    func(http.ResponseWriter, *visit) error
}

func (p *pages) routes() []route {
	return []route{
		{"GET /{$}", anybody, p.home},
		{"GET /sign-in", anybody, p.signInForm},
		{"POST /sign-in", anybody, p.requestSignIn},
		{"GET /sign-in/{link}", anybody, p.signInLink},
		{"POST /sign-in/{link}", anybody, p.signInByLink},
		{"GET /code", anybody, p.codeForm},
		{"POST /code", anybody, p.signInByCode},
		{"POST /sign-out", anybody, p.signOut},

		{"GET /invitation", anybody, p.invitationForm},
		{"POST /invitation", anybody, p.acceptByCode},
		{"GET /invitation/{link}", anybody, p.invitation},
		{"POST /invitation/{link}", anybody, p.acceptByLink},

		{"GET /m/{link}", anybody, p.moveLink},
		{"POST /m/{link}", anybody, p.pressMove},
		{"GET /o/{link}", anybody, p.optOut},
		{pressOptOut, anybody, p.pressOptOut},
		{"GET /u/{link}", anybody, p.undoLink},
		{"POST /u/{link}", anybody, p.pressUndo},
		{"GET /q/{link}", anybody, p.question},
		{"POST /q/{link}", anybody, p.pressQuestion},

		{"GET /cases", signedIn, p.cases},
		{"GET /cases/{number}", signedIn, p.oneCase},
		{"POST /cases/{number}/move", signedIn, p.moveCase},
		{"POST /cases/{number}/comment/{id}/human", agents, p.treatAsHuman},
		{"POST /cases/{number}/letters/{id}", agents, p.settleLetter},
		{"POST /cases/{number}/participants", signedIn, p.addParticipant},
		{"GET /cases/{number}/files/{id}", signedIn, p.file},
		{"GET /cases/{number}/{kind}/{id}/html", signedIn, p.entryHTML},
		{"GET /cases/{number}/{kind}/{id}/inline", signedIn, p.inlineFile},

		{"GET /held", agents, p.held},
		{"GET /held/{ledger}", agents, p.heldMail},
		{"POST /held/{ledger}/release", agents, p.release},
		{"POST /held/{ledger}/case", agents, p.releaseAsCase},
		{"POST /held/{ledger}/attach", agents, p.attach},
		{"POST /held/{ledger}/refuse", agents, p.refuse},
		{"POST /held/{ledger}/block", agents, p.block},
		{"POST /held/{ledger}/unblock", agents, p.unblock},

		{"GET /mails", agents, p.sampleMails},
		{"GET /mails/{name}/{language}", agents, p.sampleMail},
		{"GET /mails/{name}/{language}/html", agents, p.sampleHTML},

		{"GET /account", signedIn, p.account},
		{"GET /account/mail", signedIn, p.wishes},
		{"POST /account/mail", signedIn, p.setWishes},
		{"POST /account/sign-out-everywhere", signedIn, p.signOutEverywhere},

		{"/", anybody, p.nothing},
	}
}
