package core

import (
	"fmt"
	"slices"
	"testing"

	"postern/core/flow"
)

// heard writes down who is told: "anna", "Mia" for agents, "(...)" in a digest.
func heard(all []recipient) (names []string) {
	for _, r := range all {
		name := r.address
		if r.agent {
			name = "agent " + name
		}
		if r.digest {
			name = "(" + name + ")"
		}
		if r.own {
			name += " as a receipt"
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func TestTold_whoHearsOfWhat(t *testing.T) {
	const anna, bob = int64(11), int64(12)
	mia, tom, zoe, gone := int64(1), int64(2), int64(3), int64(99)
	agents := func(wishes map[string]string) []agentRow {
		return []agentRow{
			{Person: mia, Address: "mia@desk.example", Role: "admin", Wishes: wishes},
			{Person: mia, Address: "mia@private.example", Role: "admin", Wishes: wishes},
			{Person: tom, Address: "tom@desk.example", Role: "agent"},
			{Person: zoe, Address: "zoe@desk.example", Role: "agent"},
		}
	}
	people := []caseperson{
		{CaseID: 7, Person: anna, Address: "anna@northwind.example", Requester: true},
		{CaseID: 7, Person: bob, Address: "bob@northwind.example"},
		{CaseID: 8, Person: 13, Address: "carl@fabrikam.example", Requester: true}, // of another case
	}
	both := []string{"anna@northwind.example", "bob@northwind.example"}
	all := []string{"agent mia@desk.example", "agent tom@desk.example", "agent zoe@desk.example"}
	type row struct {
		name   string
		tell   map[flow.Event]map[flow.Role]flow.How
		notify []string
		owner  *int64
		events []flow.Event
		by     int64
		wishes map[string]string // Mia's
		want   []string
	}
	for _, c := range []row{
		{name: "all agents of a new case", events: []flow.Event{flow.EventNew}, want: all},
		{name: "those whom the desk names of a new case", notify: []string{"tom@desk.example"}, events: []flow.Event{flow.EventNew}, want: all[1:2]},
		{name: "also of a new case that has an owner", notify: []string{"tom@desk.example"}, owner: &mia, events: []flow.Event{flow.EventNew}, want: all[1:2]},
		{name: "the owner of what a customer writes", owner: &tom, events: []flow.Event{flow.EventComment}, want: all[1:2]},
		{name: "the owner, though the desk names others", notify: []string{"tom@desk.example"}, owner: &mia, events: []flow.Event{flow.EventComment}, want: all[:1]},
		{name: "those whom the desk names while nobody owns it", notify: []string{"zoe@desk.example"}, events: []flow.Event{flow.EventComment}, want: all[2:]},
		{name: "at the address that the desk names", notify: []string{"mia@private.example"}, events: []flow.Event{flow.EventComment}, want: []string{"agent mia@private.example"}},
		{name: "everybody if the owner has left the desk", owner: &gone, events: []flow.Event{flow.EventComment}, want: all},
		{name: "never the agent who did it", events: []flow.Event{flow.EventNote}, by: mia, want: all[1:]},
		{name: "nobody if the owner did it", owner: &tom, events: []flow.Event{flow.EventNote}, by: tom},
		{name: "both sides of an answer", owner: &tom, events: []flow.Event{flow.EventAnswer}, by: mia, want: append([]string{"agent tom@desk.example"}, both...)},
		{name: "never the customer who did it", owner: &tom, events: []flow.Event{flow.EventStatus}, by: anna, want: []string{"agent tom@desk.example", "bob@northwind.example"}},
		{name: "agents of the text, customers of the status that changed with it", owner: &tom, events: []flow.Event{flow.EventComment, flow.EventStatus}, by: bob, want: []string{"agent tom@desk.example", "anna@northwind.example"}},
		{name: "the new owner of what was given to them", owner: &tom, events: []flow.Event{flow.EventAssigned}, by: mia, want: all[1:2]},
		{name: "nobody who takes a case", owner: &mia, events: []flow.Event{flow.EventAssigned}, by: mia},

		{name: "whom the table adds", tell: map[flow.Event]map[flow.Role]flow.How{flow.EventComment: {flow.RoleAdmins: flow.InDigest}},
			owner: &tom, events: []flow.Event{flow.EventComment}, want: []string{"(agent mia@desk.example)", "agent tom@desk.example"}},
		{name: "who is two things in the way that says most", tell: map[flow.Event]map[flow.Role]flow.How{flow.EventComment: {flow.RoleAdmins: flow.InDigest}},
			owner: &mia, events: []flow.Event{flow.EventComment}, want: all[:1]},
		{name: "nobody whom the table leaves out", tell: map[flow.Event]map[flow.Role]flow.How{flow.EventStatus: {flow.RoleParticipant: flow.Untold, flow.RoleOwner: flow.Untold}},
			owner: &tom, events: []flow.Event{flow.EventStatus}, want: both[:1]},
		{name: "participants in a digest", tell: map[flow.Event]map[flow.Role]flow.How{flow.EventAnswer: {flow.RoleParticipant: flow.InDigest}},
			owner: &tom, events: []flow.Event{flow.EventAnswer}, by: tom, want: []string{"(bob@northwind.example)", "anna@northwind.example"}},

		{name: "an agent in a digest who asked for one", owner: &mia, events: []flow.Event{flow.EventComment}, wishes: map[string]string{"comment": "digest"}, want: []string{"(agent mia@desk.example)"}},
		{name: "no agent who asked for nothing", owner: &mia, events: []flow.Event{flow.EventComment}, wishes: map[string]string{"comment": "nothing"}},
		{name: "an agent who asked for the mail of every case", owner: &tom, events: []flow.Event{flow.EventComment}, wishes: map[string]string{"comment": "mail"}, want: all[:2]},
		{name: "no digest of others' cases for who wants less of their own", owner: &tom, events: []flow.Event{flow.EventComment}, wishes: map[string]string{"comment": "digest"}, want: all[1:2]},
		{name: "no mail of what others are given", owner: &tom, events: []flow.Event{flow.EventAssigned}, wishes: map[string]string{"assigned": "mail"}, want: all[1:2]},
		{name: "by the event that is told more of, if it is one mail", owner: &mia, events: []flow.Event{flow.EventComment, flow.EventStatus}, wishes: map[string]string{"status": "nothing"}, want: append([]string{"agent mia@desk.example"}, both...)},
		{name: "agents of what cannot be switched off", owner: &mia, events: []flow.Event{flow.EventBounce}, wishes: map[string]string{"bounce": "nothing"}, want: all[:1]},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &running{Desk: shippedDesk(t)}
			d.Notify, d.Told = c.notify, c.tell
			got := heard(told(d, caseRow{ID: 7, Owner: c.owner}, audience{agents: agents(c.wishes), people: people},
				happened{events: c.events, by: []int64{c.by}}))
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestTold_whatCustomersSayForThemselves(t *testing.T) {
	d := &running{Desk: shippedDesk(t)}
	for _, c := range []struct {
		name  string
		wish  map[string]string
		event flow.Event
		want  string
	}{
		{"nothing: as the desk says", nil, flow.EventStatus, "[anna@northwind.example]"},
		{"status news in a digest", map[string]string{"status": "digest"}, flow.EventStatus, "[(anna@northwind.example)]"},
		{"no status news", map[string]string{"status": "nothing"}, flow.EventStatus, "[]"},
		{"no reminders", map[string]string{"reminder": "nothing"}, flow.EventReminder, "[]"},
		{"no answers: that is not theirs to say", map[string]string{"answer": "nothing"}, flow.EventAnswer, "[anna@northwind.example]"},
		{"no closings: that neither", map[string]string{"closing": "nothing"}, flow.EventClosing, "[anna@northwind.example]"},
	} {
		people := []caseperson{{CaseID: 7, Person: 11, Address: "anna@northwind.example", Requester: true, Wishes: c.wish}}
		got := fmt.Sprint(heard(told(d, caseRow{ID: 7}, audience{people: people}, happened{events: []flow.Event{c.event}})))
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	d.Told = map[flow.Event]map[flow.Role]flow.How{flow.EventStatus: {flow.RoleRequester: flow.InDigest}}
	people := []caseperson{{CaseID: 7, Person: 11, Address: "anna@northwind.example", Requester: true, Wishes: map[string]string{"status": "mail"}}}
	if got := heard(told(d, caseRow{ID: 7}, audience{people: people}, happened{events: []flow.Event{flow.EventStatus}})); fmt.Sprint(got) != "[(anna@northwind.example)]" {
		t.Errorf("more than the desk gives: %v", got)
	}
}

func TestTold_nobodyTwice(t *testing.T) {
	d := &running{Desk: shippedDesk(t)}
	tom := int64(2)
	agents := []agentRow{{Person: 2, Address: "tom@desk.example"}, {Person: 3, Address: "zoe@desk.example"}}
	of := func(people []caseperson, own func(string) bool, events ...flow.Event) string {
		return fmt.Sprint(heard(told(d, caseRow{ID: 7, Owner: &tom}, audience{agents, people, own}, happened{events: events})))
	}
	t.Run("R52/who is requester, participant and agent gets one mail, as requester", func(t *testing.T) {
		people := []caseperson{{CaseID: 7, Person: 2, Address: "tom@desk.example", Requester: true}, {CaseID: 7, Person: 2, Address: "tom@home.example"}}
		if got := of(people, nil, flow.EventAnswer, flow.EventStatus); got != "[tom@desk.example]" {
			t.Error(got)
		}
	})
	t.Run("R52/and as an agent, of what concerns agents", func(t *testing.T) {
		people := []caseperson{{CaseID: 7, Person: 2, Address: "tom@desk.example", Requester: true}}
		if got := of(people, nil, flow.EventComment, flow.EventStatus); got != "[agent tom@desk.example]" {
			t.Error(got)
		}
	})
	t.Run("R52/an agent who takes part is told as an agent", func(t *testing.T) {
		people := []caseperson{{CaseID: 7, Person: 2, Address: "tom@desk.example"}}
		if got := of(people, nil, flow.EventAnswer); got != "[agent tom@desk.example]" {
			t.Error(got)
		}
	})
	t.Run("R52/two people who want their mail at one address get it once", func(t *testing.T) {
		people := []caseperson{{CaseID: 7, Person: 11, Address: "team@northwind.example", Requester: true}, {CaseID: 7, Person: 12, Address: "team@northwind.example"}}
		if got := of(people, nil, flow.EventStatus); got != "[agent tom@desk.example team@northwind.example]" {
			t.Error(got)
		}
	})
	t.Run("R52/own addresses get nothing", func(t *testing.T) {
		people := []caseperson{{CaseID: 7, Person: 11, Address: "support@desk.example", Requester: true}}
		if got := of(people, func(a string) bool { return a == "support@desk.example" || a == "tom@desk.example" }, flow.EventStatus); got != "[]" {
			t.Error(got)
		}
	})
	t.Run("R52/who ended the case themselves gets a receipt", func(t *testing.T) {
		people := []caseperson{{CaseID: 7, Person: 11, Address: "anna@northwind.example", Requester: true}}
		h := happened{events: []flow.Event{flow.EventClosed}, by: []int64{11}, receipt: true}
		got := fmt.Sprint(heard(told(d, caseRow{ID: 7}, audience{people: people}, h)))
		if got != "[anna@northwind.example as a receipt]" {
			t.Error(got)
		}
	})
}
