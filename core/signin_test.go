package core_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postern/core"
)

// asks has a browser ask for a sign-in mail, and returns it.
func (w *world) asks(address, browser string) core.Letter {
	w.t.Helper()
	w.letters()
	if err := w.RequestSignIn(w.t.Context(), address, browser); err != nil {
		w.t.Fatal(err)
	}
	return to(w.t, w.letters(), address, core.SignIn)
}

func TestSignIn_aLinkWorksOnceInTheBrowserThatAsked(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	link := secret(t, w.asks(mia, "hers"))
	for name, try := range map[string][2]string{
		"another browser": {link, "another"}, "no browser": {link, ""}, "a guessed link": {"guess", "hers"}, "an empty link": {"", "hers"}, "nothing": {"", ""},
	} {
		if s, err := w.SignInByLink(ctx, try[0], try[1], "x"); !errors.Is(err, core.ErrExpired) || s != "" {
			t.Errorf("R46/%s: %q, %v", name, s, err)
		}
	}
	session, err := w.SignInByLink(ctx, link, "hers", "Firefox")
	if err != nil {
		t.Fatal(err)
	}
	v, err := w.Session(ctx, session)
	if err != nil || v.Address != mia || !v.Agent || len(v.Desks) != 1 || !v.SignedIn() {
		t.Errorf("R46: %+v, %v", v, err)
	}
	if _, err := w.SignInByLink(ctx, link, "hers", "Firefox"); !errors.Is(err, core.ErrExpired) {
		t.Errorf("R46/used twice: %v", err)
	}
}

func TestSignIn_aLinkAndACodeLastAQuarterOfAnHour(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	l := w.asks(mia, "hers")
	w.Clock.Advance(15*time.Minute - time.Second)
	if _, err := w.SignInByLink(ctx, secret(t, l), "hers", ""); err != nil {
		t.Errorf("R46/in the last second: %v", err)
	}
	l = w.asks(mia, "hers")
	w.Clock.Advance(15 * time.Minute)
	if _, err := w.SignInByLink(ctx, secret(t, l), "hers", ""); !errors.Is(err, core.ErrExpired) {
		t.Errorf("R46/a link after it: %v", err)
	}
	if _, err := w.SignInByCode(ctx, mia, l.Payload.Code, "hers", ""); !errors.Is(err, core.ErrExpired) {
		t.Errorf("R46/a code after it: %v", err)
	}
}

func TestSignIn_aCodeHasFiveTries(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	l := w.asks(mia, "hers")
	wrong := "000000"
	if l.Payload.Code == wrong {
		wrong = "000001"
	}
	if len(l.Payload.Code) != 6 {
		t.Fatalf("R46: code %q", l.Payload.Code)
	}
	if _, err := w.SignInByCode(ctx, mia, l.Payload.Code, "another", ""); !errors.Is(err, core.ErrExpired) {
		t.Errorf("R46/in another browser: %v", err)
	}
	if _, err := w.SignInByCode(ctx, tom, l.Payload.Code, "hers", ""); !errors.Is(err, core.ErrExpired) {
		t.Errorf("R46/for another address: %v", err)
	}
	for _, code := range []string{"", " ", wrong, wrong, l.Payload.Code[1:]} {
		if _, err := w.SignInByCode(ctx, mia, code, "hers", ""); err == nil {
			t.Fatalf("R46/%q let somebody in", code)
		}
	}
	if _, err := w.SignInByCode(ctx, mia, l.Payload.Code, "hers", ""); !errors.Is(err, core.ErrTooMany) {
		t.Errorf("R46/the sixth try: %v", err)
	}
	again := w.asks(mia, "hers")
	if s, err := w.SignInByCode(ctx, " MIA@desk.example ", again.Payload.Code[:3]+" "+again.Payload.Code[3:], "hers", "Firefox"); err != nil || s == "" {
		t.Errorf("R46/a new code, typed with a blank: %v", err)
	}
	if _, err := w.SignInByCode(ctx, mia, again.Payload.Code, "hers", ""); err == nil {
		t.Errorf("R46/used twice: %v", err)
	}
}

// Everybody sees the same page; only whom a desk lets in gets a mail.
func TestSignIn_onlyPeopleTheDeskKnowsGetAMail(t *testing.T) {
	w := newWorld(t, nil)
	w.opens(mail{from: anna})
	w.opens(mail{from: eve, unverified: true})
	for address, want := range map[string]bool{
		mia: true, anna: true, eve: true, "nobody@northwind.example": false, "nobody@nowhere.example": false,
		"support@desk.example": false, "no address": false, "": false, "anna@northwind.example\r\nBcc: eve@evil.example": false,
	} {
		if err := w.RequestSignIn(t.Context(), address, "b"); err != nil {
			t.Errorf("R46/%q gets another answer: %v", address, err)
		}
		letters := w.letters()
		if (len(letters) == 1) != want {
			t.Errorf("R46/%q: %d letters", address, len(letters))
		}
	}
	w.exec(`update person set blocked_at = $1 where id = (select person from address where address = $2)`, w.Clock.Now(), eve)
	if err := w.RequestSignIn(t.Context(), eve, "b"); err != nil || len(w.letters()) != 0 {
		t.Errorf("R72/a blocked person: %v", err)
	}
}

func TestSignIn_fiveMailsAnHour(t *testing.T) {
	w := newWorld(t, nil)
	for range 5 {
		w.asks(mia, "b")
		w.Clock.Advance(time.Minute)
	}
	if err := w.RequestSignIn(t.Context(), mia, "b"); err != nil || len(w.letters()) != 0 {
		t.Errorf("R48: a sixth mail: %v", err)
	}
	w.Clock.Advance(56 * time.Minute)
	w.asks(mia, "b")
}

func TestSession_endsWhenIdleOrOld(t *testing.T) {
	for _, c := range []struct {
		name  string
		every time.Duration
		times int
		alive bool
	}{
		{"R46/used within 12 hours it goes on", 11 * time.Hour, 5, true},
		{"R46/after 12 idle hours it is over", 12 * time.Hour, 1, false},
		{"R46/used daily it lasts 29 days", 11 * time.Hour, 29 * 24 / 11, true},
		{"R46/and not 31", 11 * time.Hour, 31 * 24 / 11, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			_, session := w.session(mia)
			var err error
			for range c.times {
				w.Clock.Advance(c.every)
				_, err = w.Session(t.Context(), session)
			}
			if (err == nil) != c.alive || err != nil && !errors.Is(err, core.ErrNotFound) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestSession_nobodyHoldsAnEmptyOrGuessedOne(t *testing.T) {
	w := newWorld(t, nil)
	for _, s := range []string{"", " ", "-", "guess"} {
		if v, err := w.Session(t.Context(), s); !errors.Is(err, core.ErrNotFound) || v.SignedIn() {
			t.Errorf("R46/%q: %+v, %v", s, v, err)
		}
	}
}

func TestSignOut_hereAndEverywhere(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	v, one := w.session(mia)
	_, two := w.session(mia)
	_, toms := w.session(tom)
	lines, err := w.Sessions(ctx, v, two)
	if err != nil || len(lines) != 2 || lines[0].Browser != "Firefox" || lines[0].Current == lines[1].Current {
		t.Errorf("R46: her sessions: %+v, %v", lines, err)
	}
	if err := w.SignOut(ctx, one); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Session(ctx, one); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("R46: signed out: %v", err)
	}
	if _, err := w.Session(ctx, two); err != nil {
		t.Errorf("R46: signed out elsewhere: %v", err)
	}
	if err := w.SignOutEverywhere(ctx, v); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Session(ctx, two); !errors.Is(err, core.ErrNotFound) {
		t.Errorf("R46: signed out everywhere: %v", err)
	}
	if _, err := w.Session(ctx, toms); err != nil {
		t.Errorf("R46: Tom was signed out too: %v", err)
	}
}

func (w *world) invites(address string) core.Letter {
	w.t.Helper()
	err := w.Invite(w.t.Context(), core.InviteRequest{Desk: "support", Address: address, Name: "Bea", Organisation: "northwind", Language: "nl", By: "Mia"})
	if err != nil {
		w.t.Fatal(err)
	}
	return to(w.t, w.letters(), address, core.Invitation)
}

func TestInvitation_byLinkOrByCodeOnce(t *testing.T) {
	const bea = "bea@elsewhere.example"
	for name, accept := range map[string]func(*world, core.Letter) (string, error){
		"by link": func(w *world, l core.Letter) (string, error) {
			return w.AcceptByLink(t.Context(), secret(t, l), "Firefox")
		},
		"by code": func(w *world, l core.Letter) (string, error) {
			return w.AcceptByCode(t.Context(), "Bea@Elsewhere.example", l.Payload.Code[:4]+"-"+l.Payload.Code[4:], "Firefox")
		},
	} {
		t.Run("R46/"+name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			l := w.invites(bea)
			if l.Language != "nl" || l.Payload.Company != "Northwind" || l.Payload.Actor != "Mia" || len(l.Payload.Code) != 8 {
				t.Errorf("the invitation: %+v", l)
			}
			v, err := w.InvitationByLink(t.Context(), secret(t, l))
			if err != nil || v.Address != bea || v.Organisation != "Northwind" || !v.Expires.Equal(w.Clock.Now().Add(7*24*time.Hour)) {
				t.Errorf("its page: %+v, %v", v, err)
			}
			w.Clock.Advance(7*24*time.Hour - time.Second)
			session, err := accept(w, l)
			if err != nil {
				t.Fatal(err)
			}
			viewer, err := w.Session(t.Context(), session)
			if err != nil || viewer.Address != bea || viewer.Agent {
				t.Errorf("signed in as %+v, %v", viewer, err)
			}
			if _, err := w.Case(t.Context(), viewer, o.Case); err != nil {
				t.Errorf("R71: who was invited does not see the organisation's case: %v", err)
			}
			if _, err := accept(w, l); !errors.Is(err, core.ErrExpired) {
				t.Errorf("accepted twice: %v", err)
			}
		})
	}
}

func TestInvitation_isOverAfterAWeekFiveTriesOrANewOne(t *testing.T) {
	const bea = "bea@elsewhere.example"
	w := newWorld(t, nil)
	ctx := t.Context()
	over := func(name string, l core.Letter, want error) {
		t.Helper()
		if _, err := w.AcceptByLink(ctx, secret(t, l), ""); !errors.Is(err, core.ErrExpired) {
			t.Errorf("R46/%s, by link: %v", name, err)
		}
		if _, err := w.AcceptByCode(ctx, bea, l.Payload.Code, ""); !errors.Is(err, want) {
			t.Errorf("R46/%s, by code: %v", name, err)
		}
	}
	old := w.invites(bea)
	w.Clock.Advance(7 * 24 * time.Hour)
	over("after a week", old, core.ErrExpired)
	first, second := w.invites(bea), w.invites(bea)
	over("after a newer one", first, core.ErrExpired)
	for range 4 {
		if _, err := w.AcceptByCode(ctx, bea, "22222222", ""); err == nil {
			t.Fatal("R46: a guessed code was taken")
		}
	}
	if _, err := w.AcceptByCode(ctx, bea, "22222222", ""); err == nil {
		t.Fatal("R46: a guessed code was taken")
	}
	if _, err := w.AcceptByCode(ctx, bea, second.Payload.Code, ""); !errors.Is(err, core.ErrTooMany) {
		t.Errorf("R46/after five tries, by code: %v", err)
	}
	// whoever guesses codes cannot void the link, which nobody guesses
	if _, err := w.AcceptByLink(ctx, secret(t, second), ""); err != nil {
		t.Errorf("R46/after five tries of the code, by link: %v", err)
	}
	over("after it was used", second, core.ErrExpired)
	for _, link := range []string{"", "guess"} {
		if _, err := w.AcceptByLink(ctx, link, ""); !errors.Is(err, core.ErrExpired) {
			t.Errorf("R46/%q: %v", link, err)
		}
	}
	if n := w.count(`select count(*) from session`); n != 1 {
		t.Errorf("R46: %d sessions", n)
	}
}

func TestInvite_refusesWhatCannotBe(t *testing.T) {
	w := newWorld(t, nil)
	for name, q := range map[string]core.InviteRequest{
		"no such organisation": {Desk: "support", Address: "bea@x.example", Organisation: "Nowhere"},
		"no such desk":         {Desk: "sales", Address: "bea@x.example", Organisation: "Northwind"},
		"no such role":         {Desk: "support", Address: "bea@x.example", Organisation: "Northwind", Role: "king"},
		"no address":           {Desk: "support", Address: "bea", Organisation: "Northwind"},
		"a line break":         {Desk: "support", Address: "bea@x.example\r\nBcc: eve@evil.example", Organisation: "Northwind"},
	} {
		if err := w.Invite(t.Context(), q); err == nil {
			t.Errorf("R46/%s was invited", name)
		}
	}
	if n := w.count(`select count(*) from address where address like 'bea%'`) + int64(len(w.letters())); n != 0 {
		t.Errorf("R46: %d things are left", n)
	}
}

// What the database keeps is of no use to who reads it.
func TestSecrets_standNowhereInClear(t *testing.T) {
	w := newWorld(t, nil)
	l := w.asks(mia, "hers")
	session, err := w.SignInByLink(t.Context(), secret(t, l), "hers", "")
	if err != nil {
		t.Fatal(err)
	}
	o, answer := w.resolved()
	for name, s := range map[string]string{"link": secret(t, l), "code": l.Payload.Code, "session": session, "browser": "hers",
		"move link": secret(t, answer), "reply address": o.confirmation.ReplyTo[8:28], "note address": o.mia.Internal[8:28]} {
		n := w.count(`
			select (select count(*) from secret s where s::text like $1) + (select count(*) from session s where s::text like $1)
				+ (select count(*) from outbox o where (o.payload::text || o.message_id) like $1)`, "%"+s+"%")
		if n != 0 {
			t.Errorf("R61: the %s stands in %d rows", name, n)
		}
	}
}

// A secret that eight processes use at once is used once.
func TestSecrets_usedAtOnceAreUsedOnce(t *testing.T) {
	w := newWorld(t, nil)
	o, answer := w.resolved()
	signIn, invitation := w.asks(mia, "hers"), w.invites("bea@elsewhere.example")
	var all sync.WaitGroup
	var sessions, accepted atomic.Int64
	for range 8 {
		all.Go(func() {
			if _, err := w.PressMove(context.Background(), secret(t, answer), ""); err != nil {
				t.Error(err)
			}
			if _, err := w.SignInByLink(context.Background(), secret(t, signIn), "hers", ""); err == nil {
				sessions.Add(1)
			}
			if _, err := w.AcceptByCode(context.Background(), "bea@elsewhere.example", invitation.Payload.Code, ""); err == nil {
				accepted.Add(1)
			}
		})
	}
	all.Wait()
	if n := w.count(`select count(*) from event where case_id = $1 and kind = 'status' and became = 'closed'`, o.CaseID); n != 1 {
		t.Errorf("R46: moved %d times", n)
	}
	if sessions.Load() != 1 || accepted.Load() != 1 {
		t.Errorf("R46: %d sessions by one link, %d by one code", sessions.Load(), accepted.Load())
	}
}
