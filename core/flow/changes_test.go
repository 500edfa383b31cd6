package flow

import (
	"slices"
	"strings"
	"testing"
)

func smallDesk(t *testing.T, oldnew ...string) *Desk {
	t.Helper()
	d, err := Parse("help", []byte(strings.NewReplacer(oldnew...).Replace(small)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestChanges(t *testing.T) {
	old := smallDesk(t)
	for _, test := range []struct {
		name   string
		change []string
		want   []string
	}{
		{"nothing", nil, nil},
		{"a comment only", []string{"[[move]]", "# hello\n[[move]]"}, nil},
		{"a label", []string{`nl = "Werk"`, `nl = "Bezig"`},
			[]string{`status work: label was "en Work / nl Werk", is "en Work / nl Bezig"`}},
		{"another key of a status", []string{`"you"`, `"yours"`}, []string{
			"status yours: added", "move work -> yours by agent: added",
			"status you: removed", "move work -> you by agent: removed"}},
		{"the reach of a move", []string{`by = ["customer", "agent"]`, `by = "agent"`},
			[]string{"move * -> done by agent: binding was \"true\", is \"false\"", "move * -> done by customer: removed"}},
		{"a setting", []string{`"held"`, `"opens"`}, []string{`desk: unknown was "held", is "opens"`}},
		{"a requirement", []string{"requires = \"comment\"\n", ""},
			[]string{`move done -> work by customer: requires was "comment", is nothing`}},
		{"a type", []string{"[[status]]\nkey = \"fresh\"", "[[type]]\nkey=\"bug\"\nlabel=\"Bug\"\n[[status]]\nkey = \"fresh\""},
			[]string{"type bug: added"}},
	} {
		if got := smallDesk(t, test.change...).Changes(old); !slices.Equal(got, test.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", test.name, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		}
	}
}

func TestChanges_ofANewDeskAreAllOfIt(t *testing.T) {
	got := smallDesk(t).Changes(nil)
	if len(got) != 1+4+4 || got[0] != "desk: added" {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestRemovedKeys(t *testing.T) {
	types := []string{"[[status]]\nkey = \"fresh\"", "[[type]]\nkey=\"bug\"\nlabel=\"Bug\"\n[[priority]]\nkey=\"p1\"\nlabel=\"P1\"\n[[status]]\nkey = \"fresh\""}
	old, now := smallDesk(t, types...), smallDesk(t, `"you"`, `"yours"`)
	if got := now.RemovedKeys(old); !slices.Equal(got, []string{"you", "bug", "p1"}) {
		t.Errorf("got %q", got)
	}
	if got := now.RemovedKeys(nil); got != nil {
		t.Errorf("without an older file: got %q", got)
	}
}
