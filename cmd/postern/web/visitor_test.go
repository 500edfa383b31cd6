package web

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// newSite serves the pages over a desk. The log, if anybody wants it, goes to out.
func newSite(t *testing.T, desk Desk, out io.Writer) *httptest.Server {
	t.Helper()
	if out == nil {
		out = io.Discard
	}
	server := httptest.NewUnstartedServer(nil)
	handler, err := New(Options{Desk: desk, BaseURL: "http://" + server.Listener.Addr().String(),
		Mails: fakeMails{}, Log: slog.New(slog.NewTextHandler(out, nil))})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = handler
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// visitor is a browser as far as cookies and forms go. It follows no redirects.
type visitor struct {
	t    *testing.T
	site *httptest.Server
	http *http.Client
}

// visit is a visitor with the session of that name, or none.
func visitSite(t *testing.T, site *httptest.Server, session string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	if session != "" {
		home, err := url.Parse(site.URL)
		if err != nil {
			t.Fatal(err)
		}
		jar.SetCookies(home, []*http.Cookie{{Name: sessionCookie, Value: session, Path: "/"}})
	}
	return &visitor{t, site, &http.Client{Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// answer is a response that was read.
type answer struct {
	*http.Response
	body string
}

func (v *visitor) do(method, path string, body io.Reader, header http.Header) answer {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.site.URL+path, body)
	if err != nil {
		v.t.Fatal(err)
	}
	for key, values := range header {
		req.Header[key] = values
	}
	resp, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer{resp, string(got)}
}

func (v *visitor) get(path string) answer {
	v.t.Helper()
	return v.do(http.MethodGet, path, nil, nil)
}

var nonceField = regexp.MustCompile(`name="nonce" value="([^"]+)"`)

// nonce is the one of the forms of a page.
func (v *visitor) nonce(page string) string {
	v.t.Helper()
	found := nonceField.FindStringSubmatch(v.get(page).body)
	if found == nil {
		v.t.Fatalf("%s has no form with a nonce", page)
	}
	return found[1]
}

// post sends a form as a browser would.
func (v *visitor) post(path, nonce string, pairs ...string) answer {
	v.t.Helper()
	form := url.Values{}
	if nonce != "" {
		form.Set("nonce", nonce)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return v.do(http.MethodPost, path, strings.NewReader(form.Encode()),
		http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}})
}

// wants fails the test unless the status is the one wanted.
func (a answer) wants(t *testing.T, status int) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: %d, wanted %d\n%s", a.Request.Method, a.Request.URL.Path, a.StatusCode, status, a.body)
	}
	return a
}
