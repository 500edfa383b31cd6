package web

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"postern/core"
	"postern/core/coretest"
)

// browse is a Chromium, for a minute.
func browse(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(coretest.Browser(t), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// as makes the browser hold the session of that name.
func as(site, session string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.SetCookie, network.SetCookieParams{Name: sessionCookie, Value: session, URL: site, HTTPOnly: new(true)})
		return err
	})
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// sees evaluates an expression in the page: what a person would see, or reach.
func sees[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	got, err := chromedp.Run(ctx, chromedp.EvaluateAsDevTools[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return got
}

// until waits for an expression to become true.
func until(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	for !sees[bool](t, ctx, expression) {
		select {
		case <-ctx.Done():
			t.Fatalf("never: %s\n%s", expression, sees[string](t, context.WithoutCancel(ctx), "document.body.innerText"))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

const focused = `(document.activeElement.id || document.activeElement.className || document.activeElement.textContent.trim())`

// tabTo presses the Tab key until the element is in focus, and fails if one on
// the way cannot be seen to have it.
func tabTo(t *testing.T, ctx context.Context, element string) {
	t.Helper()
	for range 15 {
		do(t, ctx, chromedp.KeyEvent(kb.Tab))
		if outline := sees[string](t, ctx, `getComputedStyle(document.activeElement).outlineStyle`); outline == "none" {
			t.Errorf("the focus on %q cannot be seen", sees[string](t, ctx, focused))
		}
		if sees[string](t, ctx, focused) == element {
			return
		}
	}
	t.Fatalf("no Tab leads to %q", element)
}

func TestBrowser_signsInByKeyboardOnly(t *testing.T) {
	t.Run("R46/the code", func(t *testing.T) {
		site := newSite(t, newFakeDesk(), nil)
		ctx := browse(t)
		do(t, ctx, chromedp.Navigate(site.URL+"/"), chromedp.KeyEvent(kb.Tab))
		if first := sees[string](t, ctx, focused); first != "skip" {
			t.Errorf("the first Tab leads to %q", first)
		}
		tabTo(t, ctx, "address")
		do(t, ctx, chromedp.KeyEvent(ada), chromedp.KeyEvent(kb.Enter))
		until(t, ctx, `location.pathname == "/code" && document.readyState == "complete"`)
		tabTo(t, ctx, "code")
		do(t, ctx, chromedp.KeyEvent("000000"), chromedp.KeyEvent(kb.Enter))
		until(t, ctx, `document.querySelector("[role=alert]") != null && document.readyState == "complete"`)
		tabTo(t, ctx, "code")
		do(t, ctx, chromedp.KeyEvent("123456"))
		tabTo(t, ctx, "main") // the button
		do(t, ctx, chromedp.KeyEvent(" "))
		until(t, ctx, `location.pathname == "/cases" && document.readyState == "complete"`)
		if got := sees[string](t, ctx, `document.querySelector("td.number a").textContent`); got != "CASE-10001" {
			t.Errorf("the list begins with %q", got)
		}
		if cookie := sees[string](t, ctx, "document.cookie"); cookie != "" {
			t.Errorf("scripts can read %q", cookie)
		}
	})
}

func TestBrowser_worksWithoutScripts(t *testing.T) {
	site := newSite(t, newFakeDesk(), nil)
	ctx := browse(t)
	do(t, ctx, as(site.URL, "customer"),
		func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
			return chromedp.Void{}, err
		},
		chromedp.Navigate(site.URL+"/cases"),
		chromedp.Click(chromedp.CSS("td.title a")),
		chromedp.WaitVisible(chromedp.CSS(".state")),
		chromedp.Click(chromedp.CSS(".rest summary")),
		chromedp.WaitVisible(chromedp.CSS(".rest .text")),
		chromedp.Click(chromedp.CSS(".buttons button")),
		chromedp.WaitVisible(chromedp.CSS(".state")),
	)
}

func TestBrowser_runsNothingOfAMail(t *testing.T) {
	desk := hostileDesk()
	desk.content = png
	desk.html = `<p id="x">formatted</p><script>top.document.title = document.title = "owned"</script>
		<img src="cid:logo"><img src="x" onerror="parent.document.title = 'owned'"><svg onload="document.title='owned'"></svg>
		<a href="javascript:parent.document.title='owned'">click</a><iframe srcdoc="<script>top.document.title='owned'</script>"></iframe>
		<form action="/sign-out" method="post"><button>press</button></form><meta http-equiv="refresh" content="0;url=/account">`
	site := newSite(t, desk, nil)
	ctx := browse(t)
	titles := func(t *testing.T) {
		t.Helper()
		if title := sees[string](t, ctx, "document.title"); title == "owned" || title == "" {
			t.Errorf("the title is %q", title)
		}
	}
	t.Run("R23/on the case's page", func(t *testing.T) {
		do(t, ctx, as(site.URL, "customer"), chromedp.Navigate(site.URL+"/cases/CASE-10001"),
			chromedp.Click(chromedp.CSS("#comment-1 .formatted summary")))
		until(t, ctx, `document.querySelector("#comment-1 iframe").contentDocument?.querySelector("#x") != null`)
		until(t, ctx, `document.querySelector("#comment-1 iframe").contentDocument.images[0].complete`)
		titles(t)
	})
	t.Run("R23/a picture of the mail is shown", func(t *testing.T) {
		if width := sees[int](t, ctx, `document.querySelector("#comment-1 iframe").contentDocument.images[0].naturalWidth`); width != 1 {
			t.Errorf("its width is %d", width)
		}
	})
	t.Run("R23/in a tab of its own", func(t *testing.T) {
		do(t, ctx, chromedp.Navigate(site.URL+"/cases/CASE-10001/comment/1/html"))
		titles(t)
		if where := sees[string](t, ctx, "location.pathname"); !strings.HasSuffix(where, "/html") {
			t.Errorf("led to %s", where)
		}
	})
}

// Every page fits a small phone, has one main heading, and a label for each field.
func TestBrowser_pagesAreWellMade(t *testing.T) {
	desk := newFakeDesk()
	desk.view.Title = "Averyveryverylongwordwithoutanyplacetobreakitanywhereatallwhichpeoplepasteintosubjects"
	desk.view.Entries[2].Text = strings.Repeat("x", 400)
	desk.view.Entries = append(desk.view.Entries, core.Entry{ID: 3, Kind: "note", At: noon, Text: "internal", Author: "Linus"})
	desk.page.Cases[0].Title = desk.view.Title
	site := newSite(t, desk, nil)
	ctx := browse(t)
	do(t, ctx, chromedp.EmulateViewport(360, 740))
	for _, r := range (&pages{}).routes() {
		if isPost(r) || strings.Contains(r.pattern, "/files/") || strings.Contains(r.pattern, "/inline") || strings.HasSuffix(r.pattern, "/html") {
			continue
		}
		for _, who := range []string{"over", "agent"} {
			t.Run(pathOf(r.pattern)+" as "+who, func(t *testing.T) {
				do(t, ctx, as(site.URL, who), chromedp.Navigate(site.URL+pathOf(r.pattern)))
				for what, expression := range map[string]string{
					"it is wider than the window":     `document.documentElement.scrollWidth - innerWidth`,
					"it has not one main heading":     `document.querySelectorAll("h1").length - 1`,
					"it has not one main part":        `document.querySelectorAll("main").length - 1`,
					"fields without a label":          `[...document.querySelectorAll("input:not([type=hidden]), textarea, select")].filter(i => !i.labels.length).length`,
					"things to press without a name":  `[...document.querySelectorAll("button, a, summary")].filter(b => !b.textContent.trim()).length`,
					"names that stand there twice":    `(ids => ids.length - new Set(ids).size)([...document.querySelectorAll("[id]")].map(e => e.id))`,
					"times that machines cannot read": `[...document.querySelectorAll("time")].filter(e => isNaN(Date.parse(e.dateTime))).length`,
				} {
					if n := sees[int](t, ctx, expression); n != 0 {
						t.Errorf("%s: %d", what, n)
					}
				}
			})
		}
	}
}
