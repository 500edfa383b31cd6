package main

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"postern/core"
	"postern/core/token"
)

// signInSettings reads how we sign in. One account has one signIn, however many
// servers it is used for.
func (r *settingsReader) signInSettings(section, purpose string, s *Server) {
	s.Auth = "password"
	r.oneOf(section+".auth", &s.Auth, "password", "xoauth2", "oauthbearer")
	o, given := r.oauth(section+".oauth", purpose, s.Auth != "password")
	switch {
	case s.Auth == "password" && given:
		r.complain(section+".oauth", `[%s.oauth] is for auth = "xoauth2" or "oauthbearer": set %s.auth, or take it out`, section, section)
	case s.Auth != "password" && s.Password.Reveal() != "":
		r.complain(section+".password", "%s.password is not used with auth = %q: take it out", section, s.Auth)
	case s.Auth != "password" && s.User == "":
		r.complain(section+".user", "%s.user is missing: the account's name, mostly its address", section)
	}
	if s.Auth == "password" {
		return
	}
	for _, known := range r.signIns {
		if known.same(o) {
			s.signIn = known
			return
		}
	}
	s.signIn = newSignIn(o)
	r.signIns = append(r.signIns, s.signIn)
}

var tenantShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$`)

// providers are the presets: what the documents of the provider name.
var providers = []string{"microsoft365", "google"}

// purposes are the scopes of Microsoft's for a person's refresh token.
var purposes = map[string]string{
	"imap": "https://outlook.office.com/IMAP.AccessAsUser.All",
	"smtp": "https://outlook.office.com/SMTP.Send",
}

// oauth reads a table of OAuth settings; given says that something stands there.
func (r *settingsReader) oauth(section, purpose string, wanted bool) (o OAuth, given bool) {
	before := len(r.wrong)
	var provider, tenant, grant, scope string
	keys := []string{"provider", "tenant", "grant", "scope", "token_url", "client_id", "client_secret", "client_secret_file", "refresh_token", "refresh_token_file"}
	for _, key := range keys {
		_, here := r.look(section + "." + key)
		given = given || here
	}
	if !wanted {
		return o, given
	}
	r.oneOf(section+".provider", &provider, providers...)
	r.text(section+".tenant", &tenant)
	r.text(section+".scope", &scope)
	r.text(section+".token_url", &o.TokenURL)
	r.required(section+".client_id", &o.ClientID, "the id of the application that was registered with the provider")
	r.secret(section+".client_secret", &o.ClientSecret)
	r.secret(section+".refresh_token", &o.Refresh)
	grant = "client_credentials"
	if o.Refresh.Reveal() != "" || provider == "google" {
		grant = "refresh_token"
	}
	r.oneOf(section+".grant", &grant, "client_credentials", "refresh_token")
	if len(r.wrong) > before {
		return o, given
	}
	switch {
	case provider == "google" && grant == "client_credentials":
		r.complain(section+".grant", `%s.grant = %q: Google gives none for mailboxes: must be "refresh_token"`, section, grant)
	case grant == "refresh_token" && o.Refresh.Reveal() == "":
		r.complain(section+".refresh_token_file", "%s.refresh_token_file is missing: the file with the refresh token that the account's owner consented to", section)
	case grant == "client_credentials" && o.Refresh.Reveal() != "":
		r.complain(section+".grant", `%s.grant = %q uses no refresh token: take refresh_token out, or say "refresh_token"`, section, grant)
	case grant == "client_credentials" && o.ClientSecret.Reveal() == "":
		r.complain(section+".client_secret_file", "%s.client_secret_file is missing: the file with the application's secret", section)
	}
	r.preset(section, purpose, provider, tenant, grant, &o, &scope)
	o.Scopes = strings.Fields(scope)
	r.tokenURL(section+".token_url", o.TokenURL)
	return o, given
}

// preset fills in what the provider's documents say and the settings do not.
func (r *settingsReader) preset(section, purpose, provider, tenant, grant string, o *OAuth, scope *string) {
	var tokenURL, usual string
	switch provider {
	case "microsoft365":
		if !tenantShape.MatchString(tenant) && o.TokenURL == "" {
			r.complain(section+".tenant", `%s.tenant must be the id of your directory at Microsoft, or its domain, as "example.org"`, section)
		}
		tokenURL = "https://login.microsoftonline.com/" + tenant + "/oauth2/v2.0/token"
		usual = "https://outlook.office365.com/.default"
		if grant == "refresh_token" {
			usual = "offline_access " + purposes[purpose]
		}
	case "google":
		tokenURL, usual = "https://oauth2.googleapis.com/token", "https://mail.google.com/"
	}
	if provider != "microsoft365" && tenant != "" {
		r.complain(section+".tenant", `%s.tenant is for provider = "microsoft365" only`, section)
	}
	if o.TokenURL == "" {
		o.TokenURL = tokenURL
	}
	if *scope == "" {
		*scope = usual
	}
}

func (r *settingsReader) tokenURL(path, text string) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		r.complain(path, "%s is missing: where tokens are got, or provider: %s", path, alternatives(providers))
	case err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" ||
		u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())):
		r.complain(path, `%s = %q: must be an https address, as "https://login.example/token": the secret goes there`, path, text)
	}
}

// signIns are those by OAuth, each once.
func (s *Settings) signIns() []*signIn {
	var all []*signIn
	for _, m := range s.Mailboxes {
		all = append(all, m.signIn)
	}
	all = append(all, s.SMTP.signIn)
	var once []*signIn
	for _, one := range all {
		if one != nil && !slices.Contains(once, one) {
			once = append(once, one)
		}
	}
	return once
}

// keepTokens says where refresh tokens that change are kept.
func (s *Settings) keepTokens(desk *core.Desk, key token.Key) {
	for _, one := range s.signIns() {
		one.keep(desk, key)
	}
}
