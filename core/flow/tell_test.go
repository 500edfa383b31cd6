package flow

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// The table that the shipped file shows, as a comment, is the one that counts
// while it is a comment.
func TestTell_whatTheDefaultFileShowsIsWhatCounts(t *testing.T) {
	source := defaultFile(t)
	at := bytes.Index(source, []byte("# [tell]"))
	if at < 0 {
		t.Fatal("the default file shows no table")
	}
	shown := append(slices.Clone(source[:at]), bytes.ReplaceAll(source[at:], []byte("\n# "), []byte("\n"))[2:]...)
	d, err := Parse("support", shown)
	if err != nil {
		t.Fatal(err)
	}
	usual := defaultDesk(t)
	if len(d.Told) != len(TellEvents()) || len(usual.Told) != 0 {
		t.Errorf("it shows %d events of %d; the file itself sets %d", len(d.Told), len(TellEvents()), len(usual.Told))
	}
	for _, row := range tellTable {
		for _, role := range row.roles {
			if shown, counts := d.Told[row.event][role], usual.Tell(row.event, role); shown.More(Untold) != counts {
				t.Errorf("%s of %s: shown is %q, %q counts", role, row.event, shown, counts)
			}
		}
	}
	if lines := d.Changes(usual); lines != nil {
		t.Errorf("it counts as a change: %s", strings.Join(lines, "\n"))
	}
}

func TestTell_whatAFileSays(t *testing.T) {
	d := smallDesk(t, "[[status]]\nkey = \"fresh\"", "[tell]\nnew = { admins = \"digest\" }\ncomment = { owner = \"nothing\" }\n[[status]]\nkey = \"fresh\"")
	for _, c := range []struct {
		name  string
		event Event
		role  Role
		want  How
	}{
		{"what it says counts", EventNew, RoleAdmins, InDigest},
		{"what it does not say of an event stays", EventNew, RoleNotify, ByMail},
		{"what is switched off is off", EventComment, RoleOwner, Untold},
		{"an event it does not name stays", EventNote, RoleOwner, ByMail},
		{"nobody else is told", EventNote, RoleAgents, Untold},
		{"what no file changes", EventBounce, RoleOwner, ByMail},
	} {
		if got := d.Tell(c.event, c.role); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	want := []string{`desk: tell comment was "owner mail, unowned mail", is "unowned mail"`, `desk: tell new was "notify mail", is "notify mail, admins digest"`}
	if got := d.Changes(smallDesk(t)); !slices.Equal(got, want) {
		t.Errorf("changes: %q", got)
	}
}

func TestTell_whatIsWrongWithATable(t *testing.T) {
	for _, c := range []struct{ name, table, want string }{
		{"an unknown event", `comnent = { owner = "mail" }`, `10:1: unknown key "comnent": perhaps comment`},
		{"an unknown role", `new = { boss = "mail" }`, `10:9: unknown key "boss": known here are admins, agents, notify`},
		{"a role whom the event does not concern", `note = { requester = "mail" }`, `10:10: unknown key "requester": known here are admins, agents, notify, owner, unowned`},
		{"an unknown way", `new = { notify = "sms" }`, `10:18: unknown value "sms": one of "mail", "digest", "nothing"`},
		{"a way without a role", `new = "mail"`, `10:7: this is a string: a table is wanted`},
		{"no table", `new = 7`, `10:7: this is a whole number: a table is wanted`},
		{"answers that the requester does not get", `answer = { requester = "nothing" }`, `10:24: the requester waits for the desk's answers: they are always mailed`},
		{"answers that come late", `answer = { requester = "digest" }`, `10:24: the requester waits for the desk's answers`},
		{"a closing that nobody announced", `closing = { requester = "nothing" }`, `10:25: the requester is always told that a case will close: write announce = 0`},
		{"a reminder with others", `reminder = { participant = "digest" }`, `10:28: unknown value "digest": one of "mail", "nothing"`},
		{"a confirmation", `confirmation = { requester = "nothing" }`, `10:1: "confirmation" does not stand in the table: whoever opens a case is always told of it`},
		{"questions to agents", `question = { owner = "nothing" }`, `10:1: "question" does not stand in the table: an agent is always asked`},
		{"warnings to agents", `warning = { owner = "nothing" }`, `10:1: "warning" does not stand in the table: an agent is always warned`},
		{"the list of the day", `morning = { agents = "mail" }`, `10:1: "morning" does not stand in the table: each agent asks for`},
	} {
		source := strings.Replace(small, "[[status]]\nkey = \"fresh\"", "[tell]\n"+c.table+"\n[[status]]\nkey = \"fresh\"", 1)
		_, err := Parse("help", []byte(source))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got\n%v\nwant\n%s", c.name, err, c.want)
		}
	}
	source := strings.Replace(small, `sees = "own"`, "sees = \"own\"\ntell = [1]", 1)
	if _, err := Parse("help", []byte(source)); err == nil || !strings.HasPrefix(err.Error(), "7:1: this is a list: a table is wanted") {
		t.Errorf("a list: %v", err)
	}
}

func TestWishes_whatPeopleMaySayForThemselves(t *testing.T) {
	for _, e := range append(Wishes(false), EventNew) {
		if e == EventAnswer || e == EventClosing {
			t.Errorf("a contact may do without %s", e)
		}
	}
	agents := Wishes(true)
	for _, e := range []Event{EventNew, EventComment, EventAnswer, EventNote, EventStatus, EventClosed, EventAssigned, EventMorning, EventDigest} {
		if !slices.Contains(agents, e) {
			t.Errorf("an agent cannot ask for %s", e)
		}
	}
	for _, e := range []Event{EventBounce, EventHeld, EventReminder, EventClosing} {
		if slices.Contains(agents, e) {
			t.Errorf("an agent may ask for %s", e)
		}
	}
}
