package web

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"postern/core"
)

func TestOptOut_turnsMailOffByOnePress(t *testing.T) {
	desk := newFakeDesk()
	desk.optOut = core.OptOut{Event: "reminder", Desk: "Customer Service", Address: ada}
	site := newSite(t, desk, nil)
	// oneClick is what a mail program's server sends: no cookie, no page before.
	oneClick := func(t *testing.T, link, contentType string, body []byte, origin string) int {
		t.Helper()
		r := httptest.NewRequest("POST", "/o/"+link, bytes.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		if origin != "" {
			r.Header.Set("Origin", origin)
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		}
		w := httptest.NewRecorder()
		site.Config.Handler.ServeHTTP(w, r)
		return w.Code
	}
	form := []byte(url.Values{"List-Unsubscribe": {"One-Click"}}.Encode())
	var parts bytes.Buffer
	w := multipart.NewWriter(&parts)
	w.WriteField("List-Unsubscribe", "One-Click")
	w.Close()
	const encoded = "application/x-www-form-urlencoded"
	for name, c := range map[string]struct {
		link, contentType string
		body              []byte
		origin            string
		code              int
		made              bool
	}{
		"R53/one press of a mail program turns it off":        {"good", encoded, form, "", http.StatusOK, true},
		"R53/also as multipart, as RFC 8058 prefers":          {"good", w.FormDataContentType(), parts.Bytes(), "", http.StatusOK, true},
		"R53/a link that is none of ours":                     {"bad", encoded, form, "", http.StatusGone, false},
		"R46/a blind post without the words changes nothing":  {"good", encoded, []byte("x=y"), "", http.StatusForbidden, false},
		"R46/nor does an empty one":                           {"good", encoded, nil, "", http.StatusForbidden, false},
		"R46/nor one that another site has a browser send":    {"good", encoded, form, "https://evil.example", http.StatusForbidden, false},
		"R46/nor one that is larger than a form":              {"good", encoded, append(slices.Clone(form), bytes.Repeat([]byte("&x=y"), 30_000)...), "", http.StatusBadRequest, false},
		"R46/the words open no other press without its nonce": {"../m/good", encoded, form, "", http.StatusForbidden, false},
	} {
		t.Run(name, func(t *testing.T) {
			desk.changesMade()
			if strings.HasPrefix(c.link, "../") {
				r := httptest.NewRequest("POST", c.link[2:], bytes.NewReader(c.body))
				r.Header.Set("Content-Type", c.contentType)
				w := httptest.NewRecorder()
				site.Config.Handler.ServeHTTP(w, r)
				if w.Code != c.code || len(desk.changesMade()) > 0 {
					t.Errorf("%d", w.Code)
				}
				return
			}
			code := oneClick(t, c.link, c.contentType, c.body, c.origin)
			if made := desk.changesMade(); code != c.code || (len(made) == 1 && made[0] == "PressOptOut") != c.made {
				t.Errorf("%d, %v", code, made)
			}
		})
	}
	v := visitSite(t, site, "")
	t.Run("R46/looking at the page changes nothing, and it says what a press does", func(t *testing.T) {
		page := v.get("/o/good").wants(t, http.StatusOK).body
		for _, want := range []string{"Reminders of cases that wait for you", "Customer Service", ada, "Turn it off</button>", "Nothing happens before you press."} {
			if !strings.Contains(page, want) {
				t.Errorf("no %s", want)
			}
		}
		if made := desk.changesMade(); len(made) > 0 {
			t.Errorf("%v", made)
		}
		v.get("/o/bad").wants(t, http.StatusGone)
	})
	t.Run("R53/a person's press turns it off", func(t *testing.T) {
		got := v.post("/o/good", v.nonce("/o/good")).wants(t, http.StatusOK)
		if made := desk.changesMade(); !slices.Equal(made, []string{"PressOptOut"}) || !strings.Contains(got.body, "It is turned off.") {
			t.Errorf("%v\n%s", made, got.body)
		}
	})
}
