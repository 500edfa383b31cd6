package web

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"postern/core"
)

// pathOf fills in a pattern with what the fake desk has.
func pathOf(pattern string) string {
	_, p, _ := strings.Cut(pattern, " ")
	return strings.NewReplacer("{$}", "", "{link}", "good", "{name}", "status", "{language}", "en", "{number}", "CASE-10001", "{kind}", "comment",
		"{id}/html", "2/html", "{id}/inline", "2/inline?cid=logo", "{id}", "5", "{ledger}", "9").Replace(p)
}

func isPost(r route) bool { return strings.HasPrefix(r.pattern, "POST ") }

func TestNew_refusesWhatCannotWork(t *testing.T) {
	for _, base := range []string{"", "desk.example", "ftp://desk.example", "https://desk.example/help", "https://desk.example/?x=1"} {
		if _, err := New(Options{Desk: newFakeDesk(), Log: testLog(t), BaseURL: base}); err == nil {
			t.Errorf("base_url %q was taken", base)
		}
	}
}

// Every route, also those that only take a form, is looked at by everybody with
// GET and HEAD: the desk must not be asked to change anything.
func TestPages_onlyAPressChanges(t *testing.T) {
	desk := newFakeDesk()
	site := newSite(t, desk, nil)
	for _, r := range (&pages{}).routes() {
		for _, who := range []string{"", "customer", "agent"} {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				t.Run(fmt.Sprintf("R46/get changes nothing/%s %s as %q", method, pathOf(r.pattern), who), func(t *testing.T) {
					got := visitSite(t, site, who).do(method, pathOf(r.pattern), nil, nil)
					if made := desk.changesMade(); len(made) > 0 {
						t.Errorf("%v was called", made)
					}
					if got.StatusCode >= 500 {
						t.Errorf("answered %d", got.StatusCode)
					}
				})
			}
		}
	}
}

func TestPages_aFormNeedsTheNonceOfItsBrowser(t *testing.T) {
	desk := newFakeDesk()
	site := newSite(t, desk, nil)
	others := visitSite(t, site, "agent").nonce("/account") // same session, another browser
	presses := 0
	for _, r := range (&pages{}).routes() {
		if !isPost(r) {
			continue
		}
		form := []string{"address", ada, "code", "123456", "to", "closed"}
		for name, nonce := range map[string]string{"no nonce": "", "another browser's nonce": others, "a made-up nonce": "AAAAAAAAAAAAAAAAAAAAAA"} {
			t.Run("R46/"+name+"/"+pathOf(r.pattern), func(t *testing.T) {
				v := visitSite(t, site, "agent")
				v.get("/account") // this browser has its cookie
				v.post(pathOf(r.pattern), nonce, form...).wants(t, http.StatusForbidden)
				if made := desk.changesMade(); len(made) > 0 {
					t.Errorf("%v was called", made)
				}
			})
		}
		t.Run("R46/a browser without cookie/"+pathOf(r.pattern), func(t *testing.T) {
			visitSite(t, site, "").post(pathOf(r.pattern), others, form...).wants(t, http.StatusForbidden)
		})
		t.Run("R46/the form of another site/"+pathOf(r.pattern), func(t *testing.T) {
			v := visitSite(t, site, "agent")
			body := "nonce=" + v.nonce("/account") + "&address=" + ada
			for _, header := range []http.Header{
				{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://evil.example"}}, {"Origin": {"null"}},
			} {
				header.Set("Content-Type", "application/x-www-form-urlencoded")
				v.do(http.MethodPost, pathOf(r.pattern), strings.NewReader(body), header).wants(t, http.StatusForbidden)
			}
			if made := desk.changesMade(); len(made) > 0 {
				t.Errorf("%v was called", made)
			}
		})
		t.Run("R46/the page's own nonce works/"+pathOf(r.pattern), func(t *testing.T) {
			v := visitSite(t, site, "agent")
			if got := v.post(pathOf(r.pattern), v.nonce("/account"), form...); got.StatusCode == http.StatusForbidden {
				t.Fatalf("refused: %s", got.body)
			}
			if len(desk.changesMade()) == 0 {
				t.Error("nothing was changed: the tests above prove nothing")
			}
		})
		presses++
	}
	if presses < 10 {
		t.Fatalf("only %d forms were tried", presses)
	}
}

func TestPages_theNonceIsOfOneSession(t *testing.T) {
	t.Run("R46/a page from before signing in", func(t *testing.T) {
		desk := newFakeDesk()
		site := newSite(t, desk, nil)
		v := visitSite(t, site, "")
		before := v.nonce("/sign-in")
		v.post("/sign-in", before, "address", ada).wants(t, http.StatusSeeOther)
		v.post("/sign-in/good", before).wants(t, http.StatusSeeOther)
		desk.changesMade()
		v.post("/sign-out", before).wants(t, http.StatusForbidden)
		if made := desk.changesMade(); len(made) > 0 {
			t.Errorf("%v was called", made)
		}
	})
}

func TestPages_headers(t *testing.T) {
	site := newSite(t, newFakeDesk(), nil)
	agent := visitSite(t, site, "agent")
	for _, r := range append((&pages{}).routes(), route{pattern: "GET /no/such/page"}) {
		if isPost(r) {
			continue
		}
		t.Run(pathOf(r.pattern), func(t *testing.T) {
			got := agent.get(pathOf(r.pattern))
			h := got.Header
			policy := h.Get("Content-Security-Policy")
			if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script-src") || strings.Contains(policy, "allow-scripts") {
				t.Errorf("policy %q", policy)
			}
			for key, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"} {
				if h.Get(key) != want {
					t.Errorf("%s is %q", key, h.Get(key))
				}
			}
			if strings.Contains(strings.ToLower(got.body), "<script") || strings.Contains(got.body, " onclick") {
				t.Error("there is script in it")
			}
		})
	}
	t.Run("the strict policy of a page", func(t *testing.T) {
		want := "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'"
		if got := agent.get("/cases").Header.Get("Content-Security-Policy"); got != want {
			t.Errorf("it is %q", got)
		}
	})
	t.Run("the style is kept for ever, and changes its name", func(t *testing.T) {
		href, _, _ := strings.Cut(strings.SplitN(agent.get("/cases").body, `rel="stylesheet" href="`, 2)[1], `"`)
		got := agent.get(href).wants(t, http.StatusOK)
		if !strings.Contains(got.Header.Get("Cache-Control"), "immutable") || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/css") {
			t.Errorf("%v", got.Header)
		}
	})
}

func TestPages_cookies(t *testing.T) {
	handler := func(base string) http.Handler {
		h, err := New(Options{Desk: newFakeDesk(), Log: testLog(t), BaseURL: base})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	t.Run("R46/over https they are Secure and bound to the host", func(t *testing.T) {
		c := cookiesOf(handler("https://desk.example"), "/sign-in")[0]
		if c.Name != "__Host-postern-browser" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("%+v", c)
		}
	})
	t.Run("R46/over http they work too", func(t *testing.T) {
		c := cookiesOf(handler("http://127.0.0.1:8080"), "/sign-in")[0]
		if c.Name != "postern-browser" || c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
			t.Errorf("%+v", c)
		}
	})
}

func TestPages_whoMaySeeWhat(t *testing.T) {
	desk := newFakeDesk()
	site := newSite(t, desk, nil)
	for _, r := range (&pages{}).routes() {
		if isPost(r) {
			continue
		}
		t.Run(pathOf(r.pattern), func(t *testing.T) {
			nobody, customer := visitSite(t, site, "").get(pathOf(r.pattern)), visitSite(t, site, "customer").get(pathOf(r.pattern))
			if r.who >= signedIn && (nobody.StatusCode != http.StatusSeeOther || nobody.Header.Get("Location") != "/sign-in") {
				t.Errorf("nobody gets %d", nobody.StatusCode)
			}
			if r.who == agents && customer.StatusCode != http.StatusNotFound {
				t.Errorf("a customer gets %d", customer.StatusCode)
			}
		})
	}
	t.Run("a session that is over is none", func(t *testing.T) {
		got := visitSite(t, site, "over").get("/cases").wants(t, http.StatusSeeOther)
		if !strings.Contains(strings.Join(got.Header.Values("Set-Cookie"), "\n"), sessionCookie+"=;") {
			t.Error("its cookie stays")
		}
	})
}

func TestPages_notYoursIsNotThere(t *testing.T) {
	desk := newFakeDesk()
	site := newSite(t, desk, nil)
	v := visitSite(t, site, "customer")
	v.get("/cases") // the browser's cookie
	missing := v.get("/no/such/page").wants(t, http.StatusNotFound).body
	for _, path := range []string{
		"/cases/CASE-777", "/cases/CASE-99999", "/cases/x", "/cases/CASE-777/files/5", "/cases/CASE-10001/files/6",
		"/cases/CASE-10001/files/x", "/cases/CASE-10001/files/-1", "/cases/CASE-10001/files/05", "/cases/CASE-777/comment/2/html",
		"/cases/CASE-10001/note/2/html", "/cases/CASE-777/comment/2/inline?cid=logo", "/cases/CASE-10001/comment/2/inline?cid=other",
		"/cases/CASE-10001/comment/2/inline", "/held", "/held/9", "/held/777",
	} {
		t.Run("R63/"+path, func(t *testing.T) {
			if got := v.get(path).wants(t, http.StatusNotFound).body; got != missing {
				t.Errorf("the page differs:\n%s", got)
			}
		})
	}
	t.Run("R63/moving a case of others", func(t *testing.T) {
		nonce := v.nonce("/account")
		theirs := v.post("/cases/CASE-777/move", nonce, "to", "closed").wants(t, http.StatusNotFound).body
		none := v.post("/cases/CASE-99999/move", nonce, "to", "closed").wants(t, http.StatusNotFound).body
		if theirs != none {
			t.Error("the answers differ")
		}
	})
}

func TestPages_failures(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want int
	}{
		{"an unknown failure is a plain 500", errors.New("secret detail of the database"), http.StatusInternalServerError},
		{"the database is away", fmt.Errorf("dial: %w", core.ErrUnavailable), http.StatusServiceUnavailable},
		{"seen but not to be done", core.ErrNotAllowed, http.StatusForbidden},
		{"too many", core.ErrTooMany, http.StatusTooManyRequests},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			desk := newFakeDesk()
			desk.fail["Case"] = c.err
			got := visitSite(t, newSite(t, desk, &log), "customer").get("/cases/CASE-10001").wants(t, c.want)
			if strings.Contains(got.body, "secret") || strings.Contains(got.body, "dial") {
				t.Error("the page tells the error")
			}
			if id := got.Header.Get("X-Request-Id"); c.want >= 500 && (!strings.Contains(got.body, id) || !strings.Contains(log.String(), id)) {
				t.Errorf("request %s is not on the page and in the log: %s", id, log.String())
			}
			if c.want < 500 && log.Len() > 0 {
				t.Errorf("logged: %s", log.String())
			}
		})
	}
	t.Run("a panic is a 500 too", func(t *testing.T) {
		var log bytes.Buffer
		desk := newFakeDesk()
		desk.crash = "Cases"
		got := visitSite(t, newSite(t, desk, &log), "customer").get("/cases").wants(t, http.StatusInternalServerError)
		if !strings.Contains(got.body, got.Header.Get("X-Request-Id")) || !strings.Contains(log.String(), "on cue") {
			t.Errorf("page %q, log %q", got.body, log.String())
		}
	})
	t.Run("R61/no link in the log", func(t *testing.T) {
		var log bytes.Buffer
		desk := newFakeDesk()
		desk.fail["MoveByLink"] = errors.New("broken")
		visitSite(t, newSite(t, desk, &log), "").get("/m/good").wants(t, http.StatusInternalServerError)
		if strings.Contains(log.String(), "/m/good") || !strings.Contains(log.String(), "/m/{link}") {
			t.Errorf("log: %s", log.String())
		}
	})
	t.Run("a form that is too long", func(t *testing.T) {
		v := visitSite(t, newSite(t, newFakeDesk(), nil), "customer")
		v.post("/sign-in", v.nonce("/account"), "address", strings.Repeat("x", maxFormBytes)).wants(t, http.StatusBadRequest)
	})
}

func TestPages_languages(t *testing.T) {
	site := newSite(t, newFakeDesk(), nil)
	for _, c := range []struct{ name, session, accepts, want string }{
		{"the viewer's own", "dutch", "en", "nl"},
		{"the viewer's own, whatever the browser wants", "customer", "nl", "en"},
		{"the browser's", "", "fr, nl-BE;q=0.8, en;q=0.5", "nl"},
		{"English for all others", "", "fr", "en"},
		{"English where nothing is asked for", "", "", "en"},
		{"English for nonsense", "", ";;;", "en"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := visitSite(t, site, c.session).do(http.MethodGet, "/no/such/page", nil, http.Header{"Accept-Language": {c.accepts}})
			if !strings.Contains(got.body, `<html lang="`+c.want+`">`) {
				t.Errorf("wanted %s:\n%s", c.want, got.body[:200])
			}
		})
	}
}

func TestBrake_slowsOneClient(t *testing.T) {
	now := noon
	b := newBrake(func() time.Time { return now })
	one, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for range brakeTries {
		if !b.allow(one) {
			t.Fatal("stopped too early")
		}
	}
	if b.allow(one) {
		t.Error("not stopped")
	}
	if !b.allow(other) {
		t.Error("another client is stopped too")
	}
	now = now.Add(brakeWindow + time.Second)
	if !b.allow(one) {
		t.Error("never released")
	}
}

func TestClient_believesOnlyTrustedProxies(t *testing.T) {
	p := &pages{proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for _, c := range []struct{ name, remote, forwarded, want string }{
		{"no proxy", "198.51.100.7:123", "", "198.51.100.7"},
		{"a stranger who claims", "198.51.100.7:123", "203.0.113.9", "198.51.100.7"},
		{"our proxy", "10.1.1.1:123", "203.0.113.9", "203.0.113.9"},
		{"our proxy, and a claim before it", "10.1.1.1:123", "1.1.1.1, 203.0.113.9", "203.0.113.9"},
		{"two proxies of ours", "10.1.1.1:123", "203.0.113.9, 10.2.2.2", "203.0.113.9"},
		{"our proxy and nonsense", "10.1.1.1:123", "x", "10.1.1.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: c.remote, Header: http.Header{}}
			if c.forwarded != "" {
				r.Header.Set("X-Forwarded-For", c.forwarded)
			}
			if got := p.client(r).String(); got != c.want {
				t.Errorf("it is %s", got)
			}
		})
	}
}

func TestReferrerPolicy_keepsFormsWorkingOverPlainHTTP(t *testing.T) {
	for base, want := range map[string]string{
		"https://desk.example": "no-referrer", "http://127.0.0.1:8080": "no-referrer",
		"http://localhost": "no-referrer", "http://desk.office": "same-origin",
	} {
		h, err := New(Options{Desk: newFakeDesk(), Log: testLog(t), BaseURL: base})
		if err != nil {
			t.Fatal(err)
		}
		if got := headersOf(h, "/sign-in").Get("Referrer-Policy"); got != want {
			t.Errorf("%s: %q", base, got)
		}
	}
}

func TestWords_eachLanguageHasTheSame(t *testing.T) {
	d, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	first := d.byLang[languages[0]]
	for _, lang := range languages[1:] {
		if other := d.byLang[lang]; !slices.Equal(first.keys(), other.keys()) {
			for _, key := range append(first.keys(), other.keys()...) {
				if (first.text[key] == "") != (other.text[key] == "") {
					t.Errorf("%q is in one of %s and %s only", key, languages[0], lang)
				}
			}
		}
	}
}
