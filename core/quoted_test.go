package core_test

import (
	"errors"
	"testing"
	"time"

	"postern/core"
)

// An agent answers a notice by mail, and most programs quote it: what it tells
// agents alone must not come back on the customer's page.
func TestCase_whatAnAgentQuotesIsForAgents(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	o := w.opens(mail{from: anna})
	m := fromMia(o, "#status resolved\nUse water.", false)
	m.change = func(m *core.Mail) {
		m.Rest, m.HTML = "> perhaps about CASE-99", "<p>#status resolved</p><p>Use water.</p><p>perhaps about CASE-99</p>"
	}
	wants(t, w.receive(m), core.Filed, "answers", "")
	m = mail{from: anna, subject: o.Case, text: "It helped.", change: func(m *core.Mail) {
		m.Rest, m.HTML = "> Use water.", "<p>It helped.</p><blockquote>Use water.</blockquote>"
	}}
	comment := func(who string, side string) (core.Entry, error) {
		t.Helper()
		v := w.signsIn(who)
		view, err := w.Case(ctx, v, o.Case)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range view.Entries {
			if e.Kind == "comment" && e.Side == side {
				_, err := w.EntryHTML(ctx, v, o.Case, "comment", e.ID)
				return e, err
			}
		}
		t.Fatalf("no comment of the %s", side)
		return core.Entry{}, nil
	}
	t.Run("R40/the customer sees the agent's text alone", func(t *testing.T) {
		if e, err := comment(anna, "desk"); e.Text != "Use water." || e.Rest != "" || e.HasHTML || !errors.Is(err, core.ErrNotFound) {
			t.Errorf("%+v, its HTML: %v", e, err)
		}
	})
	t.Run("R40/a colleague sees all of it", func(t *testing.T) {
		if e, err := comment(tom, "desk"); e.Rest == "" || !e.HasHTML || err != nil {
			t.Errorf("%+v, its HTML: %v", e, err)
		}
	})
	if err := w.AddParticipant(ctx, w.signsIn(mia), o.Case, zed); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Minute)
	w.receive(m)
	t.Run("R38/a participant does not get the history by what others quote", func(t *testing.T) {
		if e, err := comment(zed, "customer"); e.Text != "It helped." || e.Rest != "" || e.HasHTML || !errors.Is(err, core.ErrNotFound) {
			t.Errorf("%+v, its HTML: %v", e, err)
		}
	})
	t.Run("R38/the requester sees it", func(t *testing.T) {
		if e, err := comment(anna, "customer"); e.Rest == "" || !e.HasHTML || err != nil {
			t.Errorf("%+v, its HTML: %v", e, err)
		}
	})
}
