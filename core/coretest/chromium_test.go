package coretest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"postern/core/coretest"
)

func TestBrowser_showsAPage(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, `<h1>Grüße</h1><script>document.title = "ran"</script>`)
	}))
	defer server.Close()

	ctx, cancel := context.WithTimeout(coretest.Browser(t), 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL)); err != nil {
		t.Fatal(err)
	}
	heading, err := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("h1")))
	if err != nil || heading != "Grüße" {
		t.Errorf("the heading is %q, %v", heading, err)
	}
	title, err := chromedp.Run(ctx, chromedp.Title())
	if err != nil || title != "ran" {
		t.Errorf("the title is %q, %v", title, err)
	}
}
