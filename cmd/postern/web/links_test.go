package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"postern/core"
)

func TestLinks_sayWhatWillHappenAndWhatDid(t *testing.T) {
	for _, kind := range []struct{ path, changes string }{{"/m/good", "PressMove"}, {"/u/good", "PressUndo"}} {
		t.Run("R46/"+kind.path+" names both statuses and moves by a press", func(t *testing.T) {
			desk := newFakeDesk()
			v := visitSite(t, newSite(t, desk, nil), "")
			page := v.get(kind.path).wants(t, http.StatusOK)
			for _, want := range []string{"CASE-10001", "The scanner is offline", "Resolved", "Closed", "Nothing happens before you press."} {
				if !strings.Contains(page.body, want) {
					t.Errorf("the page does not say %q", want)
				}
			}
			if made := desk.changesMade(); len(made) > 0 {
				t.Fatalf("%v was called", made)
			}
			after := v.post(kind.path, v.nonce(kind.path)).wants(t, http.StatusOK)
			if made := desk.changesMade(); !slices.Equal(made, []string{kind.changes}) || strings.Contains(after.body, "<form method") {
				t.Errorf("%v, %s", made, after.body)
			}
		})
		t.Run("R46/"+kind.path+" used before says when and what came after", func(t *testing.T) {
			desk := newFakeDesk()
			desk.move.Done, desk.move.Used, desk.move.Now = true, noon, "In progress"
			page := visitSite(t, newSite(t, desk, nil), "").get(kind.path).wants(t, http.StatusOK)
			if !strings.Contains(page.body, "9 Mar 2026") || !strings.Contains(page.body, "Since then the case became In progress") || strings.Contains(page.body, "<form method") {
				t.Error(page.body)
			}
		})
		t.Run("R46/"+kind.path+" overtaken by another status says so", func(t *testing.T) {
			desk := newFakeDesk()
			desk.move.Gone, desk.move.Now = true, "Cancelled"
			v := visitSite(t, newSite(t, desk, nil), "")
			page := v.get(kind.path).wants(t, http.StatusConflict)
			if !strings.Contains(page.body, "it is Cancelled now") || strings.Contains(page.body, "<form method") {
				t.Error(page.body)
			}
		})
		t.Run("R46/"+kind.path+" of a case that was merged says where it goes on", func(t *testing.T) {
			desk := newFakeDesk()
			desk.move.Gone, desk.move.GoesOn = true, "CASE-10007"
			if page := visitSite(t, newSite(t, desk, nil), "").get(kind.path).wants(t, http.StatusConflict); !strings.Contains(page.body, "goes on as CASE-10007") {
				t.Error(page.body)
			}
		})
		t.Run("R46/"+kind.path+" overtaken between the page and the press says so", func(t *testing.T) {
			desk := newFakeDesk()
			v := visitSite(t, newSite(t, desk, nil), "")
			nonce := v.nonce(kind.path)
			desk.fail[kind.changes] = core.ErrNotAllowed
			desk.move.Now = "Cancelled"
			if page := v.post(kind.path, nonce).wants(t, http.StatusConflict); !strings.Contains(page.body, "it is Cancelled now") {
				t.Error(page.body)
			}
		})
		t.Run("R63/"+kind.path[:3]+" of nobody is one answer", func(t *testing.T) {
			v := visitSite(t, newSite(t, newFakeDesk(), nil), "")
			v.get(kind.path[:3]+"guessed").wants(t, http.StatusGone)
			v.post(kind.path[:3]+"guessed", v.nonce(kind.path)).wants(t, http.StatusGone)
		})
	}
}

func TestLinks_aTextIsAskedForWhereTheMoveNeedsOne(t *testing.T) {
	t.Run("R46/without it nothing is done, and what was written stays", func(t *testing.T) {
		desk := newFakeDesk()
		desk.move.NeedsText = true
		v := visitSite(t, newSite(t, desk, nil), "")
		if page := v.get("/m/good").wants(t, http.StatusOK); !strings.Contains(page.body, "<textarea") || !strings.Contains(page.body, "required") {
			t.Error(page.body)
		}
		if page := v.post("/m/good", v.nonce("/m/good"), "text", " \r\n ").wants(t, http.StatusUnprocessableEntity); !strings.Contains(page.body, "without them nothing is changed") {
			t.Error(page.body)
		}
		long := strings.Repeat("é<", 5_001)
		page := v.post("/m/good", v.nonce("/m/good"), "text", long).wants(t, http.StatusUnprocessableEntity)
		if !strings.Contains(page.body, "longer than 10,000") || !strings.Contains(page.body, strings.Repeat("é&lt;", 5_001)) {
			t.Error("what was written is gone")
		}
		if made := desk.changesMade(); len(made) > 0 {
			t.Errorf("%v was called", made)
		}
		v.post("/m/good", v.nonce("/m/good"), "text", "It still burns.").wants(t, http.StatusOK)
		if made := desk.changesMade(); !slices.Equal(made, []string{"PressMove"}) {
			t.Errorf("%v", made)
		}
	})
	t.Run("R46/ten thousand characters of any alphabet fit into the form", func(t *testing.T) {
		desk := newFakeDesk()
		v := visitSite(t, newSite(t, desk, nil), "")
		v.post("/m/good", v.nonce("/m/good"), "text", strings.Repeat("字", 10_000)).wants(t, http.StatusOK)
	})
	t.Run("R46/by keyboard and without script", func(t *testing.T) {
		desk := newFakeDesk()
		desk.move.NeedsText = true
		site := newSite(t, desk, nil)
		ctx := browse(t)
		do(t, ctx, func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
			return chromedp.Void{}, err
		}, chromedp.Navigate(site.URL+"/m/good"))
		tabTo(t, ctx, "text")
		do(t, ctx, chromedp.KeyEvent("It still burns."))
		tabTo(t, ctx, "main") // the button
		do(t, ctx, chromedp.KeyEvent(" "), chromedp.WaitVisible(chromedp.CSS(".done")))
		if made := desk.changesMade(); !slices.Equal(made, []string{"PressMove"}) {
			t.Errorf("%v", made)
		}
	})
}

// Every page of a link, in each of its states, on a phone and on a desk.
func TestLinks_fitEveryWindow(t *testing.T) {
	long := "Averyveryverylongwordwithoutanyplacetobreakitanywhereatallwhichpeoplepasteintosubjects"
	for name, change := range map[string]func(*core.MoveLink){
		"open": func(*core.MoveLink) {}, "text": func(m *core.MoveLink) { m.NeedsText = true },
		"used": func(m *core.MoveLink) { m.Done, m.Used = true, noon }, "gone": func(m *core.MoveLink) { m.Gone = true },
		"untitled": func(m *core.MoveLink) { m.Title = "" },
	} {
		desk := newFakeDesk()
		desk.move.Title = long
		change(&desk.move)
		site := newSite(t, desk, nil)
		ctx := browse(t)
		for _, path := range []string{"/m/good", "/u/good"} {
			for _, width := range []int{360, 1280} {
				t.Run(fmt.Sprintf("R46/%s %s at %d", path, name, width), func(t *testing.T) {
					do(t, ctx, chromedp.EmulateViewport(int64(width), 740), chromedp.Navigate(site.URL+path))
					if n := sees[int](t, ctx, `document.documentElement.scrollWidth - innerWidth`); n != 0 {
						t.Errorf("it is %d wider than the window", n)
					}
					if n := sees[int](t, ctx, `document.querySelectorAll("h1").length`); n != 1 {
						t.Errorf("%d main headings", n)
					}
				})
			}
		}
	}
}
