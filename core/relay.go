package core

import (
	"fmt"
	"strings"

	"postern/core/flow"
)

// spokenFor is the mail of a relay that the desk file names (R73).
type spokenFor struct {
	flow.Relay
	person Address // whom it speaks for; "" if its field names nobody, or more than one
	how    string  // how it was known
	steps  []Step  // what was judged of the relay itself
}

// knownRelay begins the step by which a relay's mail is known again when it is
// filed a second time: its own assurance is not kept, the requester's is.
const knownRelay = "a relay of the desk file, "

// relayed finds the relay that a mail comes from: by its address, if the mail
// is verified or bears the List-Id named there, or by the List-Id alone where a
// list leaves From as it was.
// A forged mail is nobody's, whatever it bears.
func relayed(desk *flow.Desk, m Mail, sure Assurance, steps []Step, own func(string) bool) *spokenFor {
	if len(m.From) != 1 || sure == Failed {
		return nil
	}
	for _, relay := range desk.Relays {
		listed := relay.ListID != "" && listName(m.Marks.ListID) == relay.ListID
		its := m.From[0].Address == relay.From
		how := ""
		switch {
		case its && knownBefore(steps, relay):
			how = "as it was when it was first read"
		case its && listed, listed && relay.Requester == "from":
			how = "by its List-Id"
		case its && sure == Verified:
			how = "verified"
		default:
			continue
		}
		return &spokenFor{relay, namedBy(relay, m, own), how, steps}
	}
	return nil
}

func knownBefore(steps []Step, relay flow.Relay) bool {
	for _, s := range steps {
		if s.Rule == "R73" && strings.HasPrefix(s.Says, knownRelay+relay.From+",") {
			return true
		}
	}
	return false
}

// listName is what stands in the brackets of a List-Id.
func listName(field string) string {
	if _, in, ok := strings.Cut(field, "<"); ok {
		field, _, _ = strings.Cut(in, ">")
	}
	return strings.TrimSpace(strings.ToLower(field))
}

// namedBy is the one person that the relay's field names. The desk's own
// addresses and the relay's are nobody.
func namedBy(relay flow.Relay, m Mail, own func(string) bool) Address {
	list := m.From
	switch relay.Requester {
	case "reply-to":
		list = m.ReplyTo
	case "x-original-from":
		list = m.Original
	}
	if len(list) != 1 || list[0].Domain() == "" || own(list[0].Address) ||
		list[0].Address == relay.From && relay.Requester != "from" {
		return Address{}
	}
	return list[0]
}

// mail is the mail as if the person had sent it: unproved, for the relay vouches
// for nobody, and not a list's.
func (s *spokenFor) mail(m Mail) Mail {
	if s.person.Address == "" {
		return m
	}
	m.From = []Address{s.person}
	m.FromOrg = ""
	m.Marks.List = false
	switch firstWord(m.Marks.Precedence) {
	case "list", "bulk":
		m.Marks.Precedence = "" // the list's mark too
	}
	return m
}

// evidence says why the person's assurance is unknown, whatever proves the
// relay.
func (s *spokenFor) evidence() []Step {
	return append(append([]Step{}, s.steps...),
		Step{"R73", fmt.Sprintf("%s%s, %s: it speaks for %s", knownRelay, s.From, s.how, nameOr(clean(s.person.Address, 100), "nobody"))},
		Step{"R31", "unknown: a relay proves nobody but itself"})
}

// isMuteRelay holds a relay's mail whose field names nobody for sure.
func (r *reading) isMuteRelay() bool {
	if r.relay == nil || r.relay.person.Address != "" || r.released {
		return false
	}
	return r.hold("R73", "relay", fmt.Sprintf("it came from the relay %s, and its %s names not one person", r.relay.From, r.relay.Requester))
}

// perhapsRelay adds to the reason why a mail is held what to write in the desk
// file, if the mail looks as if somebody wrote through another's address.
func (r *reading) perhapsRelay(reason string) string {
	if r.relay != nil || len(r.m.From) != 1 || r.plan.assurance == Failed {
		return reason
	}
	from, field := r.m.From[0].Address, ""
	other := func(list []Address) bool {
		return len(list) == 1 && list[0].Address != from && list[0].Domain() != "" && !r.isOwn(list[0].Address)
	}
	list := listName(r.m.Marks.ListID)
	switch {
	case other(r.m.Original):
		field = "x-original-from"
	case (list != "" || r.isOwn(from)) && other(r.m.ReplyTo):
		field = "reply-to"
	default:
		return reason
	}
	lines := fmt.Sprintf(relayTable+" from = %q, requester = %q", from, field)
	if list != "" {
		lines += fmt.Sprintf(", list_id = %q", clean(list, 100))
	}
	return reason + ", " + lines
}

const relayTable = "[[relay]]"

// Relay are the lines that a desk file needs for what looks like mail of a
// relay, as they are written there (R73); nil for other mail.
func (l HeldLine) Relay() []string {
	_, keys, ok := strings.Cut(l.Reason, ", "+relayTable+" ")
	if !ok || l.State != Held {
		return nil
	}
	for _, key := range []string{"requester", "list_id"} {
		keys = strings.Replace(keys, ", "+key+" = ", "\n"+key+" = ", 1)
	}
	return append([]string{relayTable}, strings.Split(keys, "\n")...)
}
