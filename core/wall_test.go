package core_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"postern/core"
)

// numbers are the cases that a viewer finds.
func (w *world) numbers(v core.Viewer, q core.CaseQuery) (all []string) {
	w.t.Helper()
	page, err := w.Cases(w.t.Context(), v, q)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range page.Cases {
		all = append(all, c.Number)
	}
	return all
}

// A customer of one company finds nothing of another's in any way there is,
// and each answer is the one for what does not exist.
func TestWall_nothingOfAnotherOrganisation(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	theirs := w.opens(mail{from: anna, subject: "Northwind secret", change: attach("plan.txt", "the plan")})
	w.receive(mail{from: anna, subject: theirs.Case, text: "more", change: attach("more.txt", "more")})
	w.opens(mail{from: carl, subject: "Fabrikam"})
	w.opens(mail{from: eve, subject: "Nobody's"})
	agent := w.view(mia, theirs.Case)
	file := agent.Files[0].ID
	var comment int64
	for _, e := range agent.Entries {
		if e.Kind == "comment" {
			comment = e.ID
		}
	}
	for name, v := range map[string]core.Viewer{"a customer of another company": w.signsIn(carl), "a customer without a company": w.signsIn(eve), "nobody": {}} {
		t.Run("R63/"+name, func(t *testing.T) {
			for _, scope := range []string{"mine", "organisation", "desk", "", "everything"} {
				for _, search := range []string{"", theirs.Case, "Northwind", "secret", "%", "_", "*", "\\"} {
					for _, number := range w.numbers(v, core.CaseQuery{Scope: scope, Search: search, Closed: true}) {
						if number == theirs.Case {
							t.Errorf("found by scope %q, search %q", scope, search)
						}
					}
				}
			}
			same := func(what string, of func(number string) error) {
				t.Helper()
				hidden, missing := of(theirs.Case), of("CASE-99999")
				if !errors.Is(hidden, core.ErrNotFound) || hidden.Error() != missing.Error() {
					t.Errorf("%s: %v for theirs, %v for none", what, hidden, missing)
				}
			}
			same("Case", func(n string) error { _, err := w.Case(ctx, v, n); return err })
			same("File", func(n string) error { _, _, err := w.File(ctx, v, n, file); return err })
			same("InlineFile", func(n string) error {
				_, _, err := w.InlineFile(ctx, v, n, "comment", comment, "more.txt@client")
				return err
			})
			same("EntryHTML of a comment", func(n string) error { _, err := w.EntryHTML(ctx, v, n, "comment", comment); return err })
			same("EntryHTML of the description", func(n string) error { _, err := w.EntryHTML(ctx, v, n, "description", 0); return err })
			same("MoveCase", func(n string) error { return w.MoveCase(ctx, v, n, "closed") })
			if got := w.status(theirs); got != "open" {
				t.Errorf("the case is %s", got)
			}
		})
	}
	t.Run("R63/the files of one's own case are no way to another's", func(t *testing.T) {
		v := w.signsIn(carl)
		own := w.numbers(v, core.CaseQuery{})[0]
		if _, _, err := w.File(ctx, v, own, file); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("File: %v", err)
		}
		if _, _, err := w.InlineFile(ctx, v, own, "comment", comment, "more.txt@client"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("InlineFile: %v", err)
		}
		if _, err := w.EntryHTML(ctx, v, own, "comment", comment); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("EntryHTML: %v", err)
		}
	})
	t.Run("R63/and Anna finds all of it", func(t *testing.T) {
		v := w.signsIn(anna)
		for _, q := range []core.CaseQuery{{Scope: "mine"}, {Scope: "organisation"}, {Search: theirs.Case}, {Search: "case-10001"}, {Search: "NORTH sec"}, {Search: "*secret*"}} {
			if got := w.numbers(v, q); len(got) != 1 || got[0] != theirs.Case {
				t.Errorf("%+v finds %v", q, got)
			}
		}
		f, from, err := w.InlineFile(ctx, v, theirs.Case, "comment", comment, "more.txt@client")
		if err != nil {
			t.Fatal(err)
		}
		defer from.Close()
		if got, err := io.ReadAll(from); err != nil || string(got) != "more" || f.Name != "more.txt" {
			t.Errorf("%q, %+v, %v", got, f, err)
		}
	})
}

func TestWall_whatTheDeskShowsWithinAnOrganisation(t *testing.T) {
	const zoe = "zoe@northwind.example"
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	w.opens(mail{from: bob})
	w.opens(mail{from: zoe, unverified: true})
	sees := func(address string) bool {
		t.Helper()
		_, err := w.Case(t.Context(), w.signsIn(address), o.Case)
		return err == nil
	}
	if !sees(bob) {
		t.Error("R63: a verified colleague does not see the organisation's case")
	}
	viewer := func(address string) bool { // without the proof that a sign-in is
		w.exec(`update person set verified_at = null where id = (select person from address where address = $1)`, address)
		_, found := w.view(mia, o.Case), false
		r := w.receive(mail{from: address, subject: o.Case, text: "hello " + w.Clock.Now().String(), unverified: true})
		found = r.CaseID == o.CaseID
		w.Clock.Advance(time.Hour)
		return found
	}
	if viewer(zoe) {
		t.Error("R71: a colleague by domain whom nothing verified joined")
	}
	w.apply(t, func(s string) string { return replace(t, s, `sees = "organisation"`, `sees = "own"`) })
	if sees(bob) {
		t.Error("R63: the desk shows own cases, and a colleague sees another's")
	}
	if !sees(anna) {
		t.Error("R63: she does not see her own case")
	}
	w.exec(`update member set role = 'power' where person = (select person from address where address = $1)`, bob)
	if !sees(bob) {
		t.Error("R63: a power user does not see the organisation's case")
	}
	if got := w.numbers(w.signsIn(bob), core.CaseQuery{Scope: "organisation"}); len(got) < 3 {
		t.Errorf("R63: a power user lists %v", got)
	}
}

func TestCases_pagesFollowEachOther(t *testing.T) {
	w := newWorld(t, nil)
	w.opens(mail{from: anna})
	w.exec(`
		insert into cases (desk, number, title, description, requester, organisation, status, class, opened_at, changed_at, status_at)
		select desk, number + n, 'case ' || n, '', requester, organisation, status, class, opened_at, changed_at + (n % 7) * interval '1 s', status_at
		from cases, generate_series(1, 119) as n`)
	v := w.signsIn(anna)
	seen := map[string]bool{}
	pages := 0
	for before := ""; ; {
		page, err := w.Cases(t.Context(), v, core.CaseQuery{Before: before})
		if err != nil {
			t.Fatal(err)
		}
		pages++
		for i, c := range page.Cases {
			if seen[c.Number] {
				t.Errorf("%s is on two pages", c.Number)
			}
			seen[c.Number] = true
			if i > 0 && c.Changed.After(page.Cases[i-1].Changed) {
				t.Errorf("%s stands too low", c.Number)
			}
		}
		if before = page.Next; before == "" {
			break
		}
	}
	if len(seen) != 120 || pages != 3 {
		t.Errorf("%d cases on %d pages", len(seen), pages)
	}
	for _, cursor := range []string{"x", "1", "1.x", ".", "9999999999999999999.1", "-1.-1"} {
		if _, err := w.Cases(t.Context(), v, core.CaseQuery{Before: cursor}); err != nil {
			t.Errorf("cursor %q: %v", cursor, err)
		}
	}
}

func TestCases_endedOnesAreShownWhenAskedFor(t *testing.T) {
	w := newWorld(t, nil)
	o, _ := w.resolved()
	v := w.signsIn(anna)
	page, err := w.Cases(t.Context(), v, core.CaseQuery{})
	if err != nil || len(page.Cases) != 1 || !page.Cases[0].YourTurn || page.Cases[0].Status != "Resolved" || page.Cases[0].Owner != "Mia" {
		t.Fatalf("%+v, %v", page, err)
	}
	if err := w.MoveCase(t.Context(), v, o.Case, "closed"); err != nil {
		t.Fatal(err)
	}
	for closed, want := range map[bool]int{false: 0, true: 1} {
		if got := w.numbers(v, core.CaseQuery{Closed: closed}); len(got) != want {
			t.Errorf("ended ones %v: %v", closed, got)
		}
	}
}

func TestCase_isFoundByItsNumberAlone(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	v := w.signsIn(anna)
	for number, want := range map[string]bool{
		o.Case: true, "case-10001": true, " Case-10001 ": true,
		"10001": false, "CASE-": false, "CASE-0": false, "CASE--1": false, "OTHER-10001": false, "CASE-10001x": false, "": false,
		"CASE-99999999999999999999": false, fmt.Sprint("CASE-", o.CaseID): false,
	} {
		if _, err := w.Case(t.Context(), v, number); (err == nil) != want || err != nil && !errors.Is(err, core.ErrNotFound) {
			t.Errorf("%q: %v", number, err)
		}
	}
}
