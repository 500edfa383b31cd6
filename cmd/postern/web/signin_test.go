package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"postern/core"
)

func TestSignIn_everybodySeesTheSame(t *testing.T) {
	for _, c := range []struct {
		name string
		fail error
	}{{"a known address", nil}, {"one that is unknown", core.ErrNotFound}, {"one that asked too often", core.ErrTooMany}} {
		t.Run("R46/"+c.name, func(t *testing.T) {
			desk := newFakeDesk()
			desk.fail["RequestSignIn"] = c.fail
			v := visitSite(t, newSite(t, desk, nil), "")
			got := v.post("/sign-in", v.nonce("/sign-in"), "address", " Ada@Customer.Example ").wants(t, http.StatusSeeOther)
			if got.Header.Get("Location") != "/code" {
				t.Errorf("led to %s", got.Header.Get("Location"))
			}
			if page := v.get("/code").wants(t, http.StatusOK).body; !strings.Contains(page, ada) {
				t.Error("the address is not on the page")
			}
		})
	}
}

func TestSignIn_refusesWhatIsNoAddress(t *testing.T) {
	desk := newFakeDesk()
	v := visitSite(t, newSite(t, desk, nil), "")
	nonce := v.nonce("/sign-in")
	for _, address := range []string{"", "ada", "@customer.example", "ada@", "a b@c.example", "a@b.example, c@d.example", "<ada@customer.example>", "a\r\nBcc: x@y.example", strings.Repeat("x", 300) + "@y.example"} {
		got := v.post("/sign-in", nonce, "address", address).wants(t, http.StatusUnprocessableEntity)
		if !strings.Contains(got.body, `role="alert"`) {
			t.Errorf("%q: no word why", address)
		}
	}
	if made := desk.changesMade(); len(made) > 0 {
		t.Errorf("%v was called", made)
	}
}

// signedInAs is the session that an answer sets, "" if none.
func signedInAs(a answer) string {
	for _, c := range a.Cookies() {
		if c.Name == sessionCookie && c.MaxAge > 0 {
			return c.Value
		}
	}
	return ""
}

func TestSignIn_byLinkAndByCode(t *testing.T) {
	begin := func(t *testing.T) (*fakeDesk, *visitor) {
		desk := newFakeDesk()
		v := visitSite(t, newSite(t, desk, nil), "")
		v.post("/sign-in", v.nonce("/sign-in"), "address", ada).wants(t, http.StatusSeeOther)
		return desk, v
	}
	t.Run("R46/the link works in the asking browser", func(t *testing.T) {
		_, v := begin(t)
		got := v.post("/sign-in/good", v.nonce("/sign-in/good")).wants(t, http.StatusSeeOther)
		if signedInAs(got) == "" || got.Header.Get("Location") != "/cases" {
			t.Errorf("%v", got.Header)
		}
		v.get("/cases").wants(t, http.StatusOK)
	})
	t.Run("R46/the link does not work in another browser", func(t *testing.T) {
		_, v := begin(t)
		other := visitSite(t, v.site, "")
		if got := other.post("/sign-in/good", other.nonce("/sign-in/good")).wants(t, http.StatusGone); signedInAs(got) != "" {
			t.Error("signed in")
		}
	})
	t.Run("R46/the code works as it is typed", func(t *testing.T) {
		_, v := begin(t)
		if got := v.post("/code", v.nonce("/code"), "address", ada, "code", " 123 456 "); signedInAs(got) != "customer" {
			t.Errorf("%d", got.StatusCode)
		}
	})
	t.Run("R46/a wrong code can be tried again", func(t *testing.T) {
		_, v := begin(t)
		got := v.post("/code", v.nonce("/code"), "asked", "yes", "address", ada, "code", "000000").wants(t, http.StatusUnprocessableEntity)
		if signedInAs(got) != "" || !strings.Contains(got.body, `role="alert"`) || !strings.Contains(got.body, ada) {
			t.Errorf("%s", got.body)
		}
	})
	t.Run("R46/after too many tries", func(t *testing.T) {
		desk, v := begin(t)
		desk.fail["SignInByCode"] = core.ErrTooMany
		v.post("/code", v.nonce("/code"), "address", ada, "code", "123456").wants(t, http.StatusTooManyRequests)
	})
	t.Run("R46/an invitation by link and by hand", func(t *testing.T) {
		v := visitSite(t, newSite(t, newFakeDesk(), nil), "")
		if got := v.post("/invitation/good", v.nonce("/invitation/good")); signedInAs(got) == "" {
			t.Errorf("%d", got.StatusCode)
		}
		v = visitSite(t, v.site, "")
		if got := v.post("/invitation", v.nonce("/invitation"), "address", ada, "code", "abcd-2345"); signedInAs(got) == "" {
			t.Errorf("%d", got.StatusCode)
		}
		v = visitSite(t, v.site, "")
		v.post("/invitation/old", v.nonce("/invitation")).wants(t, http.StatusGone)
		v.get("/invitation/old").wants(t, http.StatusGone)
	})
	t.Run("a client that tries codes is slowed down", func(t *testing.T) {
		desk, v := begin(t)
		nonce := v.nonce("/code")
		for range brakeTries {
			v.post("/code", nonce, "address", ada, "code", "000000")
		}
		desk.changesMade()
		if last := v.post("/code", nonce, "address", ada, "code", "123456"); last.StatusCode != http.StatusTooManyRequests || len(desk.changesMade()) > 0 {
			t.Errorf("answered %d", last.StatusCode)
		}
	})
}

func TestSignIn_goesWhereOneWanted(t *testing.T) {
	t.Run("the page behind the sign-in", func(t *testing.T) {
		v := visitSite(t, newSite(t, newFakeDesk(), nil), "")
		v.get("/cases/CASE-10001?x=1").wants(t, http.StatusSeeOther)
		v.post("/sign-in", v.nonce("/sign-in"), "address", ada)
		got := v.post("/sign-in/good", v.nonce("/sign-in/good")).wants(t, http.StatusSeeOther)
		if to := got.Header.Get("Location"); to != "/cases/CASE-10001?x=1" {
			t.Errorf("led to %q", to)
		}
	})
	for path, want := range map[string]bool{
		"/cases": true, "/cases/CASE-1": true, "/held/9": true, "/account": true,
		"//evil.example/cases": false, `/\evil.example`: false, "https://evil.example/cases": false, "/casesx": false,
		"/sign-out": false, "": false, "cases": false, "/cases\r\nX: y": false,
	} {
		if ownPath(path) != want {
			t.Errorf("ownPath(%q) is %v", path, !want)
		}
	}
	t.Run("a planted cookie leads nowhere else", func(t *testing.T) {
		v := visitSite(t, newSite(t, newFakeDesk(), nil), "")
		home, err := url.Parse(v.site.URL)
		if err != nil {
			t.Fatal(err)
		}
		v.http.Jar.SetCookies(home, []*http.Cookie{{Name: nextCookie, Value: url.QueryEscape("//evil.example/cases"), Path: "/"}})
		if got := v.post("/invitation/good", v.nonce("/invitation/good")); got.Header.Get("Location") != "/cases" {
			t.Errorf("led to %q", got.Header.Get("Location"))
		}
	})
}

func TestSignOut(t *testing.T) {
	t.Run("here", func(t *testing.T) {
		desk := newFakeDesk()
		v := visitSite(t, newSite(t, desk, nil), "customer")
		v.post("/sign-out", v.nonce("/account")).wants(t, http.StatusSeeOther)
		v.get("/cases").wants(t, http.StatusSeeOther)
		if made := strings.Join(desk.changesMade(), " "); made != "SignOut" {
			t.Errorf("called %q", made)
		}
	})
	t.Run("everywhere", func(t *testing.T) {
		desk := newFakeDesk()
		v := visitSite(t, newSite(t, desk, nil), "customer")
		v.post("/account/sign-out-everywhere", v.nonce("/account")).wants(t, http.StatusSeeOther)
		if made := strings.Join(desk.changesMade(), " "); made != "SignOutEverywhere" {
			t.Errorf("called %q", made)
		}
	})
	t.Run("signing in again ends the session before", func(t *testing.T) {
		desk := newFakeDesk()
		v := visitSite(t, newSite(t, desk, nil), "agent")
		v.post("/invitation/good", v.nonce("/account")).wants(t, http.StatusSeeOther)
		if made := strings.Join(desk.changesMade(), " "); made != "AcceptByLink SignOut" {
			t.Errorf("called %q", made)
		}
	})
}
