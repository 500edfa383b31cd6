package web

import (
	"net/http"
	"strings"
	"testing"

	"postern/core"
)

// Whatever mail is held for, an agent reads a sentence, in both languages, and
// what releasing it would do.
func TestHeld_everyReasonIsASentence(t *testing.T) {
	d, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range languages {
		f := frame{words: d.byLang[lang]}
		for _, code := range core.HeldReasons() {
			t.Run("R41/"+code+" in "+lang, func(t *testing.T) {
				l := core.HeldLine{Code: code, Detail: "Northwind", Reason: code}
				if why := f.Why(l); !strings.HasSuffix(strings.TrimSuffix(why, "Northwind"), ".") && !strings.Contains(why, ": ") || strings.Contains(why, "{") {
					t.Errorf("why: %q", why)
				}
				if then := f.Known("held-then", code); !strings.HasSuffix(then, ".") {
					t.Errorf("what then: %q", then)
				}
			})
		}
		for table, codes := range map[string][]string{
			"held-kind":    {"all", "people", "machines", "spam"},
			"held-problem": {"no-word", "no-number", "which", "attach-what", "below-text", "twice", "not-listed", "decided", "cannot", "token", "no-case", "none-left"},
		} {
			for _, code := range codes {
				if _, err := f.T(table+"."+code, "name", "x"); err != nil {
					t.Error(err)
				}
			}
		}
	}
	t.Run("R41/a reason of a newer process is shown as it is", func(t *testing.T) {
		f := frame{words: d.byLang["en"]}
		if why := f.Why(core.HeldLine{Code: "brand-new", Reason: "brand-new"}); why != "brand-new" {
			t.Errorf("%q", why)
		}
	})
}

func TestHeld_list(t *testing.T) {
	desk := newFakeDesk()
	v := visitSite(t, newSite(t, desk, nil), "agent")
	t.Run("R41/all kinds, counted", func(t *testing.T) {
		body := v.get("/held").wants(t, http.StatusOK).body
		for _, part := range []string{"It carries an address of our own", `href="/held?kind=spam">Spam and forged (12)`, `aria-current="page">All (13)`} {
			if !strings.Contains(body, part) {
				t.Errorf("%q is missing", part)
			}
		}
	})
	t.Run("R41/one kind, and its next page", func(t *testing.T) {
		desk.heldMore = true
		body := v.get("/held?kind=spam&before=40").wants(t, http.StatusOK).body
		if desk.heldOf != (core.HeldQuery{Kind: core.HeldSpam, Before: 40}) || !strings.Contains(body, `href="/held?before=9&amp;kind=spam"`) {
			t.Errorf("asked %+v\n%s", desk.heldOf, body)
		}
	})
	t.Run("R41/what it does not know it leaves out", func(t *testing.T) {
		v.get("/held?kind=%00nonsense&before=-1").wants(t, http.StatusOK)
		if desk.heldOf != (core.HeldQuery{}) {
			t.Errorf("asked %+v", desk.heldOf)
		}
	})
}

func TestHeld_words(t *testing.T) {
	desk := newFakeDesk()
	v := visitSite(t, newSite(t, desk, nil), "agent")
	page := v.get("/held/9").wants(t, http.StatusOK).body
	t.Run("R41/four buttons, and what each does", func(t *testing.T) {
		for _, part := range []string{`/held/9/release"`, `/held/9/case"`, `/held/9/attach"`, `/held/9/refuse"`, "nobody is answered, for we do not write to ourselves"} {
			if !strings.Contains(page, part) {
				t.Errorf("%q is missing", part)
			}
		}
	})
	t.Run("R36/the case it names is linked, and proposed", func(t *testing.T) {
		if !strings.Contains(page, `Perhaps about <a href="/cases/CASE-10001">CASE-10001</a>`) || !strings.Contains(page, `value="CASE-10001"`) {
			t.Error(page)
		}
	})
	t.Run("R46/each word is one press", func(t *testing.T) {
		for path, method := range map[string]string{"release": "Release", "case": "ReleaseAsCase", "attach": "Attach", "refuse": "Refuse"} {
			v.post("/held/9/"+path, v.nonce("/held/9"), "to", "CASE-10001").wants(t, http.StatusSeeOther)
			if made := desk.changesMade(); len(made) != 1 || made[0] != method {
				t.Errorf("%s: %v", path, made)
			}
		}
	})
	t.Run("R63/a number of no case is said at the field, and kept", func(t *testing.T) {
		for _, number := range []string{"CASE-777", "", `"><b>`} {
			body := v.post("/held/9/attach", v.nonce("/held/9"), "to", number).wants(t, http.StatusUnprocessableEntity).body
			if !strings.Contains(body, "This desk has no such case.") || !strings.Contains(body, `aria-invalid="true"`) || strings.Contains(body, "<b>") {
				t.Error(body)
			}
			if number == "CASE-777" && !strings.Contains(body, `value="CASE-777"`) {
				t.Error("what was typed is gone")
			}
		}
	})
	t.Run("R41/the second of two agents is told", func(t *testing.T) {
		for path, method := range map[string]string{"release": "Release", "case": "ReleaseAsCase", "attach": "Attach", "refuse": "Refuse"} {
			desk.fail[method] = core.ErrDecided
			if body := v.post("/held/9/"+path, v.nonce("/account"), "to", "CASE-10001").wants(t, http.StatusConflict).body; !strings.Contains(body, "A colleague was first") {
				t.Errorf("%s: %s", path, body)
			}
			desk.fail[method] = core.ErrNotAllowed
			if body := v.post("/held/9/"+path, v.nonce("/account"), "to", "CASE-10001").wants(t, http.StatusConflict).body; !strings.Contains(body, "does not help") {
				t.Errorf("%s: %s", path, body)
			}
			desk.fail[method] = core.ErrNotFound
			v.post("/held/9/"+path, v.nonce("/account"), "to", "CASE-10001").wants(t, http.StatusNotFound)
		}
	})
	t.Run("R30/what cannot be filed has no button for it", func(t *testing.T) {
		desk.heldView.Code = "from"
		body := v.get("/held/9").wants(t, http.StatusOK).body
		if strings.Contains(body, "/held/9/release") || strings.Contains(body, "/held/9/case") || strings.Contains(body, "/held/9/attach") || !strings.Contains(body, "/held/9/refuse") || !strings.Contains(body, "nobody to file it for") {
			t.Error(body)
		}
	})
}
