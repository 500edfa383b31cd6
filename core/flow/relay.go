package flow

import "strings"

// Relay is an address that writes for others: a web form, a group, a list in
// front of the mailbox, a monitor.
type Relay struct {
	From      string // its address, lower case
	Requester string // which field names whom it writes for: "reply-to", "x-original-from", "from"
	ListID    string // of its mail, lower case, without brackets; empty: its mail must be verified
}

// requesterFields are the values of Relay.Requester.
var requesterFields = []string{"reply-to", "x-original-from", "from"}

func (r *reader) relay(n *node) Relay {
	var relay Relay
	r.table(n, fields{
		"from":      r.string(&relay.From),
		"requester": r.oneOf(&relay.Requester, requesterFields...),
		"list_id":   r.string(&relay.ListID),
	}, "requester")
	if n.kind == aTable && n.get("from") == nil {
		r.add(n.at, `from is missing: the address that writes for others, as in from = "form@example.org"`)
	}
	relay.From = strings.ToLower(strings.TrimSpace(relay.From))
	relay.ListID = strings.ToLower(strings.Trim(strings.TrimSpace(relay.ListID), "<>"))
	return relay
}

// relays checks that each names an address and stands once, and that a list's
// name is the one in its brackets.
func (c *checker) relays() {
	first := map[Relay]int{}
	for i, relay := range c.Relays {
		if relay.From != "" && !addressPattern.MatchString(relay.From) {
			c.says(path("relay", i, "from"), `%q is no address: as in "form@example.org"`, relay.From)
		}
		if strings.ContainsAny(relay.ListID, "<>@ \t\"") {
			c.says(path("relay", i, "list_id"), `list_id %q: only what stands in the brackets of List-Id, as in "support.example.org"`, relay.ListID)
		}
		same := Relay{From: relay.From, ListID: relay.ListID}
		if other, ok := first[same]; ok && relay.From != "" {
			c.says(path("relay", i), "a second relay from %q: the first stands in line %d; make them one", relay.From, c.line("relay", other))
		} else {
			first[same] = i
		}
	}
}
