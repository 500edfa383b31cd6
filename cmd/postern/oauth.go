package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"postern/core/token"
)

// OAuth is how a token to sign in with is got (R15).
type OAuth struct {
	TokenURL     string
	ClientID     string
	ClientSecret Secret
	Scopes       []string
	Refresh      Secret // empty: client credentials
}

// same says that two sign-ins are one: a mailbox and the SMTP server mostly
// have the same account.
func (o OAuth) same(other OAuth) bool {
	return o.TokenURL == other.TokenURL && o.ClientID == other.ClientID && slices.Equal(o.Scopes, other.Scopes) &&
		o.ClientSecret.Reveal() == other.ClientSecret.Reveal() && o.Refresh.Reveal() == other.Refresh.Reveal()
}

// sealedStore keeps refresh tokens that change, and sees that one process at a
// time renews one.
type sealedStore interface {
	ClaimSealed(ctx context.Context, name, holder string, lease time.Duration) (secret []byte, mine bool, err error)
	KeepSealed(ctx context.Context, name, holder string, secret []byte) error
}

const (
	tokenAnswer = 30 * time.Second // of a token server
	tokenLease  = time.Minute      // longer than that
	tokenAgain  = time.Minute      // after a failed renewal
	tokenLife   = 30 * time.Minute // of one that does not say
)

// signIn gets tokens for one account and renews them in time. It may be used
// by any number of connections at once.
type signIn struct {
	OAuth
	name   string // of what is kept; also what it is sealed for
	holder string
	store  sealedStore // nil until there is a database
	key    token.Key
	answer time.Duration // what a token server may take

	turn    chan struct{} // one asks, the others wait for the answer
	have    grant
	unsaved bool // have.Refresh could not be kept
}

// grant is what a token server gave.
type grant struct {
	Access  string    `json:"access"`
	Refresh string    `json:"refresh"`
	RenewAt time.Time `json:"renew_at"`
	Ends    time.Time `json:"ends"`
}

// usable says that a token may be shown to a mail server.
func (g grant) usable(refused string) bool {
	return g.Access != "" && g.Access != refused && time.Now().Add(5*time.Second).Before(g.Ends)
}

// fresh says that it need not be renewed yet: renewed early, a token server that
// is away for a while is no harm.
func (g grant) fresh(refused string) bool {
	return g.Access != "" && g.Access != refused && time.Now().Before(g.RenewAt)
}

func newSignIn(o OAuth) *signIn {
	h := sha256.New()
	for _, part := range []string{o.TokenURL, o.ClientID, strings.Join(o.Scopes, " "), o.Refresh.Reveal()} {
		fmt.Fprintf(h, "%d %s\n", len(part), part)
	}
	return &signIn{OAuth: o, name: "oauth " + hex.EncodeToString(h.Sum(nil)[:16]), holder: rand.Text(),
		answer: tokenAnswer, turn: make(chan struct{}, 1)}
}

// keep says where refresh tokens are kept. It is called before any is used.
func (s *signIn) keep(store sealedStore, key token.Key) { s.store, s.key = store, key }

// Token gives a token that is not refused. While the old one is good, a token
// server that fails is no error.
func (s *signIn) Token(ctx context.Context, refused string) (string, error) {
	g, err := s.get(ctx, refused)
	if g.usable(refused) {
		return g.Access, nil
	}
	if err == nil {
		err = errors.New("oauth: the token server gives tokens that have ended already: compare the clocks")
	}
	return "", err
}

// get renews if it is time to, and returns what there is.
func (s *signIn) get(ctx context.Context, refused string) (grant, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return grant{}, context.Cause(ctx)
	}
	if s.have.fresh(refused) {
		return s.have, nil
	}
	renew := s.ask
	if s.Refresh.Reveal() != "" {
		renew = s.renew
	}
	got, err := renew(ctx, refused)
	if err == nil {
		s.have = got
	}
	return s.have, err
}

// renew uses the refresh token that counts now: often each use gives another
// one and ends the one before. So one process at a time does it, and all take
// what it got.
func (s *signIn) renew(ctx context.Context, refused string) (grant, error) {
	if s.store == nil {
		return grant{}, errors.New("oauth: a refresh token that changes is kept in the database, which is not there yet")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, 2*tokenLease, errors.New("oauth: another process is renewing the token and does not come to an end"))
	defer cancel()
	for {
		sealed, mine, err := s.store.ClaimSealed(ctx, s.name, s.holder, tokenLease)
		if err != nil {
			return grant{}, cmp.Or(context.Cause(ctx), err)
		}
		kept, err := s.open(sealed)
		switch {
		case err != nil:
			return grant{}, err
		case kept.fresh(refused) && !s.unsaved:
			if mine {
				err = s.store.KeepSealed(ctx, s.name, s.holder, sealed)
			}
			return kept, err
		case mine:
			return s.renewMine(ctx, kept, sealed)
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return grant{}, context.Cause(ctx)
		}
	}
}

func (s *signIn) renewMine(ctx context.Context, kept grant, sealed []byte) (grant, error) {
	was := cmp.Or(kept.Refresh, s.Refresh.Reveal())
	if s.unsaved {
		was = s.have.Refresh
	}
	got, err := s.exchange(ctx, was)
	// what was got is kept, even if nobody waits for it any more
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), tokenAnswer)
	defer cancel()
	if err != nil {
		return grant{}, errors.Join(err, s.store.KeepSealed(last, s.name, s.holder, sealed))
	}
	got.Refresh = cmp.Or(got.Refresh, was)
	s.unsaved = s.store.KeepSealed(last, s.name, s.holder, s.seal(got)) != nil
	return got, nil
}

func (s *signIn) seal(g grant) []byte {
	plain, err := json.Marshal(g)
	if err != nil {
		panic(err) // strings and times
	}
	return s.key.Seal(s.name, plain)
}

func (s *signIn) open(sealed []byte) (g grant, err error) {
	if len(sealed) == 0 {
		return g, nil
	}
	plain, err := s.key.Open(s.name, sealed)
	if err == nil {
		err = json.Unmarshal(plain, &g)
	}
	if err != nil {
		return grant{}, fmt.Errorf("oauth: the refresh token that is kept cannot be read: %w", err)
	}
	return g, nil
}

// ask is for client credentials: every process has tokens of its own.
func (s *signIn) ask(ctx context.Context, _ string) (grant, error) { return s.exchange(ctx, "") }

// exchange asks the token server.
func (s *signIn) exchange(ctx context.Context, refresh string) (grant, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.answer, fmt.Errorf("no answer in %s", s.answer))
	defer cancel()
	c := clientcredentials.Config{
		ClientID: s.ClientID, ClientSecret: s.ClientSecret.Reveal(), TokenURL: s.TokenURL, Scopes: s.Scopes,
		// never tried both ways: a wrong secret would count twice
		AuthStyle: oauth2.AuthStyleInParams,
	}
	if refresh != "" {
		c.EndpointParams = url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}
	}
	asked := time.Now()
	t, err := c.Token(context.WithValue(ctx, oauth2.HTTPClient, tokenClient))
	switch {
	case err != nil:
		return grant{}, s.explain(ctx, err, refresh)
	case t.AccessToken == "" || strings.ContainsFunc(t.AccessToken, func(r rune) bool { return r <= ' ' || r > '~' }):
		return grant{}, fmt.Errorf("oauth: %s answers without a token that can be used: is this the token URL?", s.host())
	}
	life := tokenLife
	if !t.Expiry.IsZero() {
		life = t.Expiry.Sub(asked)
	}
	return grant{Access: t.AccessToken, Refresh: t.RefreshToken, RenewAt: asked.Add(life * 4 / 5), Ends: asked.Add(life)}, nil
}

// tokenClient follows no redirect: the secret goes to the token URL alone.
var tokenClient = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func (s *signIn) host() string {
	if u, err := url.Parse(s.TokenURL); err == nil {
		return u.Host
	}
	return "the token server"
}

// oauthError says what to check.
type oauthError struct {
	says    string
	refused bool // it stays so until a person changes something
}

func (e *oauthError) Error() string      { return "oauth: " + e.says }
func (e *oauthError) TokenRefused() bool { return e.refused }

// advice is what to check for what token servers answer: Microsoft's numbers
// first, which say more.
var advice = []struct{ sign, says string }{
	{"AADSTS7000222", "the client secret has expired: make a new one and put it in oauth.client_secret_file"},
	{"AADSTS7000215", "check oauth.client_secret_file: it must hold the secret's value, not its id"},
	{"AADSTS700082", "the refresh token has expired: make a new one and put it in oauth.refresh_token_file"},
	{"AADSTS700016", "check oauth.client_id and oauth.tenant: the tenant does not know this application"},
	{"AADSTS90002", "check oauth.tenant"},
	{"AADSTS65001", "an administrator has not consented to the application's permissions"},
	{"invalid_client", "check oauth.client_id and oauth.client_secret_file"},
	{"invalid_grant", "the refresh token is expired or withdrawn: make a new one and put it in oauth.refresh_token_file"},
	{"unauthorized_client", "the application may not do this: check its permissions, the consent given to them, and oauth.grant"},
	{"consent_required", "consent is missing: an administrator must give it"},
	{"interaction_required", "a person must sign in and consent once more: make a new refresh token"},
	{"invalid_scope", "check oauth.scope, and the consent given"},
	{"access_denied", "consent is missing or was refused"},
}

func (s *signIn) explain(ctx context.Context, err error, refresh string) error {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		return fmt.Errorf("oauth: %s cannot be asked for a token: %s", s.host(), s.clean(cmp.Or(context.Cause(ctx), err).Error(), refresh))
	}
	status := 0
	if answer.Response != nil {
		status = answer.Response.StatusCode
	}
	e := &oauthError{refused: answer.ErrorCode != "" || status/100 == 3 || status/100 == 4}
	switch {
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status/100 == 5,
		answer.ErrorCode == "temporarily_unavailable", answer.ErrorCode == "server_error", answer.ErrorCode == "slow_down":
		e.refused = false
	}
	code := cmp.Or(answer.ErrorCode, fmt.Sprintf("status %d", status))
	e.says = fmt.Sprintf("%s answers %s", s.host(), s.clean(code+" "+answer.ErrorDescription, refresh))
	for _, a := range advice {
		if strings.Contains(code+" "+answer.ErrorDescription, a.sign) {
			e.says = a.says + " (" + e.says + ")"
			break
		}
	}
	return e
}

// clean makes a stranger's text fit for a log, and sees that no secret of ours
// is in it.
func (s *signIn) clean(text, refresh string) string {
	for _, secret := range []string{refresh, s.Refresh.Reveal(), s.ClientSecret.Reveal(), s.have.Access, s.have.Refresh} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, stars)
		}
	}
	return cut(strings.Join(strings.Fields(harmless(text)), " "), 200)
}

// Run renews tokens at 80 % of their life, so that a connection that breaks
// finds a good one, and trouble is heard of before the old one ends.
func (s *signIn) Run(ctx context.Context, log *slog.Logger) error {
	for ctx.Err() == nil {
		g, err := s.get(ctx, "")
		wait := tokenAgain
		if err == nil {
			wait = max(time.Until(g.RenewAt), 100*time.Millisecond)
		} else if ctx.Err() == nil {
			log.Warn("no token to sign in with", "client", s.ClientID, "err", err, "good_until", g.Ends.UTC(), "again", wait)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}
