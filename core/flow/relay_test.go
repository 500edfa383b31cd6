package flow

import (
	"slices"
	"strings"
	"testing"
)

const relayed = "[[relay]]\nfrom = \"Form@Example.org\"\nrequester = \"reply-to\"\n\n[[relay]]\nfrom = \"team@example.org\"\nrequester = \"x-original-from\"\nlist_id = \"<Team.example.org>\"\n\n"

func TestParse_relays(t *testing.T) {
	withRelays := func(text string) string { return strings.Replace(small, "[[status]]", text+"[[status]]", 1) }
	t.Run("R73/they are read", func(t *testing.T) {
		d, err := Parse("help", []byte(withRelays(relayed)))
		if err != nil {
			t.Fatal(err)
		}
		want := []Relay{{"form@example.org", "reply-to", ""}, {"team@example.org", "x-original-from", "team.example.org"}}
		if !slices.Equal(d.Relays, want) {
			t.Errorf("%+v", d.Relays)
		}
	})
	for _, c := range []struct{ name, old, new, want string }{
		{"an address that is none", "Form@Example.org", "form", `10:8: "form" is no address: as in`},
		{"no address", "from = \"Form@Example.org\"\n", "", `9:3: from is missing: the address that writes for others`},
		{"no field", "requester = \"reply-to\"\n", "", `9:3: requester is missing: which field names whom it writes for, one of "reply-to", "x-original-from", "from"`},
		{"an unknown field", "\"reply-to\"", "\"sender\"", `11:13: unknown value "sender": one of "reply-to", "x-original-from", "from"`},
		{"a list's address", "<Team.example.org>", "team@example.org", `16:11: list_id "team@example.org": only what stands in the brackets`},
		{"an unknown key", "list_id", "list", `16:1: unknown key "list": known here are from, list_id, requester`},
		{"the same twice", "team@example.org\"\nrequester = \"x-original-from\"\nlist_id = \"<Team.example.org>\"", "form@example.org\"\nrequester = \"from\"", `13:3: a second relay from "form@example.org": the first stands in line 9`},
		{"a table", "[[relay]]\nfrom = \"Form@Example.org\"\nrequester = \"reply-to\"\n\n[[relay]]\nfrom = \"team@example.org\"\nrequester = \"x-original-from\"\nlist_id = \"<Team.example.org>\"", "[relay]\nfrom = \"form@example.org\"\nrequester = \"from\"", `this is a table: write [[relay]] once for each`},
	} {
		t.Run("R73/"+c.name+" is told with its place", func(t *testing.T) {
			text := strings.Replace(relayed, c.old, c.new, 1)
			if text == relayed {
				t.Fatal("nothing is broken")
			}
			_, err := Parse("help", []byte(withRelays(text)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant %s", err, c.want)
			}
		})
	}
	t.Run("R73/a change is told", func(t *testing.T) {
		old, _ := Parse("help", []byte(small))
		d, _ := Parse("help", []byte(withRelays(relayed)))
		if lines := d.Changes(old); !slices.Equal(lines, []string{"relay form@example.org: added", "relay team@example.org team.example.org: added"}) {
			t.Errorf("%q", lines)
		}
	})
}
