package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"postern/core"
)

// fakeMails are two mails of two desks.
type fakeMails struct{}

func (fakeMails) Desks() []string           { return []string{"support", "other"} }
func (fakeMails) Languages(string) []string { return []string{"en", "nl"} }
func (fakeMails) Names() []string           { return []string{"confirmation", "status"} }

func (f fakeMails) Mail(desk, name, language string) (SampleMail, error) {
	if !slices.Contains(f.Names(), name) || !slices.Contains(f.Languages(desk), language) {
		return SampleMail{}, core.ErrNotFound
	}
	script := ""
	if language == "nl" {
		script = `<script>top.document.title = document.title = "owned"</script>`
	}
	return SampleMail{"<b>Subject</b> of " + desk, "Text of " + desk + strings.Repeat(" word", 60) + "\n<script>",
		`<!DOCTYPE html><p id="mail" style="color:red">Formatted</p>` + script + `<a href="mailto:a@b.example">write</a>`}, nil
}

func TestMails_agentsLookAtThem(t *testing.T) {
	site := newSite(t, newFakeDesk(), nil)
	for _, c := range []struct {
		name, who, path string
		status          int
		want            string
	}{
		{"the list", "agent", "/mails", http.StatusOK, `href="/mails/status/nl?desk=support"`},
		{"the list of another desk", "agent", "/mails?desk=other", http.StatusOK, `href="/mails/status/nl?desk=other"`},
		{"one, escaped", "agent", "/mails/status/en", http.StatusOK, "&lt;b&gt;Subject&lt;/b&gt; of support"},
		{"in the words of another desk", "agent", "/mails/status/en?desk=other", http.StatusOK, "Text of other"},
		{"no such desk", "agent", "/mails/status/en?desk=none", http.StatusNotFound, ""},
		{"no such mail", "agent", "/mails/stat/en", http.StatusNotFound, ""},
		{"no such language", "agent", "/mails/status/fr/html", http.StatusNotFound, ""},
		{"not for customers", "customer", "/mails", http.StatusNotFound, ""},
		{"nor its HTML", "customer", "/mails/status/en/html", http.StatusNotFound, ""},
	} {
		t.Run("R57/"+c.name, func(t *testing.T) {
			got := visitSite(t, site, c.who).do(http.MethodGet, c.path, nil, nil)
			if got.StatusCode != c.status || !strings.Contains(got.body, c.want) {
				t.Errorf("%d, no %q in\n%s", got.StatusCode, c.want, got.body)
			}
		})
	}
	t.Run("R23/the HTML can do nothing in its frame", func(t *testing.T) {
		got := visitSite(t, site, "agent").do(http.MethodGet, "/mails/status/en/html", nil, nil)
		policy := got.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "sandbox; default-src 'none'; style-src 'unsafe-inline';") || !strings.Contains(policy, "frame-ancestors 'self'") ||
			got.Header.Get("X-Frame-Options") != "" || !strings.Contains(got.body, "Formatted") {
			t.Errorf("%q\n%s", policy, got.body)
		}
	})
}

func TestBrowser_mailsByKeyboard(t *testing.T) {
	site := newSite(t, newFakeDesk(), nil)
	ctx := browse(t)
	do(t, ctx, as(site.URL, "agent"), chromedp.EmulateViewport(360, 740), chromedp.Navigate(site.URL+"/mails"))
	tabTo(t, ctx, "button") // the first of the list
	do(t, ctx, chromedp.KeyEvent(kb.Enter))
	until(t, ctx, `location.pathname == "/mails/confirmation/en" && document.readyState == "complete"`)
	tabTo(t, ctx, "nl")
	do(t, ctx, chromedp.KeyEvent(kb.Enter))
	until(t, ctx, `location.pathname == "/mails/confirmation/nl" && document.readyState == "complete"`)
	t.Run("R23/nothing of a mail runs", func(t *testing.T) {
		if title := sees[string](t, ctx, "document.title"); title == "owned" || title == "" {
			t.Errorf("the title is %q", title)
		}
	})
}
