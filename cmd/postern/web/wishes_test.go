package web

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"postern/core"
	"postern/core/flow"
)

func TestWishes_aPersonSaysWhatTheyAreMailed(t *testing.T) {
	desk := newFakeDesk()
	site := newSite(t, desk, nil)
	v := visitSite(t, site, "customer")
	if body := v.get("/account").wants(t, http.StatusOK).body; !strings.Contains(body, `href="/account/mail"`) {
		t.Error("the account page does not lead there")
	}
	page := v.get("/account/mail").wants(t, http.StatusOK).body
	for _, want := range []string{"The status changed", "As the desk says (a mail)", `<option value="digest">a digest, once an hour</option>`, `name="tell-reminder"`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "every case of the desk") {
		t.Error("a script, or words that are for agents")
	}
	v.post("/account/mail", v.nonce("/account/mail"), "desk", "support", "tell-status", "digest", "tell-reminder", "").wants(t, http.StatusSeeOther)
	if want := map[string]flow.How{"desk": "support", "status": "digest", "reminder": ""}; !maps.Equal(desk.wishes, want) {
		t.Errorf("kept: %v", desk.wishes)
	}
	page = v.get("/account/mail?saved=support").wants(t, http.StatusOK).body
	if !strings.Contains(page, "Kept for Customer Service.") || !strings.Contains(page, `<option value="digest" selected>`) {
		t.Error("what was kept is not shown")
	}
	if page := v.get("/account/mail?saved=%3Cb%3E").wants(t, http.StatusOK).body; strings.Contains(page, "Kept for") {
		t.Error("something was kept for a desk that is none")
	}
	if page := visitSite(t, site, "agent").get("/account/mail").wants(t, http.StatusOK).body; !strings.Contains(page, "every case of the desk") {
		t.Error("agents are not told what a mail means")
	}
}

func TestWishes_whatIsNotTheirsToSayIsRefused(t *testing.T) {
	for err, status := range map[error]int{core.ErrNotAllowed: http.StatusForbidden, core.ErrNotFound: http.StatusNotFound} {
		desk := newFakeDesk()
		desk.fail["SetPreferences"] = err
		v := visitSite(t, newSite(t, desk, nil), "customer")
		v.post("/account/mail", v.nonce("/account/mail"), "desk", "other", "tell-answer", "nothing").wants(t, status)
	}
}
