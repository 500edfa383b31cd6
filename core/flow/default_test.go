package flow

import (
	"bytes"
	"os"
	"slices"
	"testing"
)

func defaultDesk(t testing.TB) *Desk {
	t.Helper()
	d, err := Parse("support", defaultFile(t))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func defaultFile(t testing.TB) []byte {
	t.Helper()
	source, err := os.ReadFile("../../templates/desks/default.toml")
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// The flow that Desk 3 of the presets promises its customers and agents.
func TestDefault_itsMoves(t *testing.T) {
	d := defaultDesk(t)
	for _, test := range []struct {
		name, from, to string
		by             By
		can, binding   bool
	}{
		{"an agent's first answer takes a case", "open", "in-progress", ByAgent, true, false},
		{"an agent offers a solution", "in-progress", "resolved", ByAgent, true, false},
		{"a customer agrees", "resolved", "closed", ByCustomer, true, true},
		{"a customer disagrees", "resolved", "in-progress", ByCustomer, true, false},
		{"a customer's answer wakes a case on hold", "on-hold", "in-progress", ByCustomer, true, false},
		{"a date wakes a case on hold", "on-hold", "in-progress", BySystem, true, false},
		{"a silence closes a solved case", "resolved", "closed", BySystem, true, false},
		{"a silence closes no case in progress", "in-progress", "closed", BySystem, false, false},
		{"a customer closes at any time", "open", "closed", ByCustomer, true, true},
		{"a customer cancels at any time", "third-party", "cancelled", ByCustomer, true, true},
		{"a customer solves nothing", "in-progress", "resolved", ByCustomer, false, false},
		{"a customer reopens a closed case", "closed", "in-progress", ByCustomer, true, false},
		{"a customer reopens no cancelled case", "cancelled", "in-progress", ByCustomer, false, false},
		{"an agent reopens a cancelled case", "cancelled", "in-progress", ByAgent, true, false},
		{"a closed case is not cancelled", "closed", "cancelled", ByAgent, false, false},
		{"nothing moves to where it is", "open", "open", ByAgent, false, false},
		{"nothing moves from a status that is none", "gone", "closed", ByAgent, false, false},
	} {
		m, can := d.CanMove(test.from, test.to, test.by)
		if can != test.can || m.Binding != test.binding {
			t.Errorf("%s: got %v, binding %v", test.name, can, m.Binding)
		}
	}
}

func TestDefault_agentsMoveBetweenAllActiveStatuses(t *testing.T) {
	d := defaultDesk(t)
	for _, from := range d.Statuses {
		for _, to := range d.Statuses {
			if _, can := d.CanMove(from.Key, to.Key, ByAgent); from.Class.Active() && from.Key != to.Key && !can {
				t.Errorf("no move from %s to %s", from.Key, to.Key)
			}
		}
	}
}

func TestDefault_itsValues(t *testing.T) {
	d := defaultDesk(t)
	if d.Key != "support" || d.Prefix != "CASE" || d.FirstNumber != 10001 || d.Zone().String() != "Europe/Amsterdam" ||
		d.Unknown != "opens" || d.Sees != "organisation" || d.AgentProof != "verified" || d.Initial != "open" ||
		d.Reopen != (Reopen{14, "in-progress"}) || len(d.Notify) != 0 || !bytes.Equal(d.Source, defaultFile(t)) {
		t.Errorf("got %+v", *d)
	}
	s, _ := d.Status("resolved")
	if s.Class != Resolved || s.CloseAfter != 7 || s.Announce != 2 || s.CloseTo != "closed" || s.Answer != "in-progress" {
		t.Errorf("got %+v", s)
	}
	if s, _ := d.Status("need-input"); !slices.Equal(s.Remind, []Days{3, 7}) {
		t.Errorf("reminds after %v", s.Remind)
	}
	if got := s.Label.In("nl"); got != "Resolved" {
		t.Errorf("in Dutch it is called %q", got)
	}
	for _, s := range d.Statuses {
		if s.Means["en"] == "" || s.Means["nl"] == "" {
			t.Errorf("%s: a sentence is missing", s.Key)
		}
	}
	if len(d.Types) != 4 || len(d.Priorities) != 4 || d.Priorities[0].Key != "p1" {
		t.Errorf("types %v, priorities %v", d.Types, d.Priorities)
	}
}
