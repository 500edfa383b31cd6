package flow

import (
	"bytes"
	"slices"
)

// Bounds that no desk comes near; they keep a hostile file from costing more
// than a moment.
const (
	maxFileBytes = 128 << 10
	maxStatuses  = 60
	maxMoves     = 200
	maxWords     = 1000
	maxItems     = 60 // of a list within the file
	maxProblems  = 100
)

// Parse reads a desk file. key is what the settings call the desk. If the file
// is wrong, the error is *Problems and names everything that is.
func Parse(key string, source []byte) (*Desk, error) {
	r := &report{source: bytes.TrimPrefix(source, []byte("\uFEFF"))} // Windows editors write it
	switch at := firstInvalid(r.source); {
	case len(source) > maxFileBytes:
		r.add(0, "the file has %d bytes: a desk file has at most %d", len(source), maxFileBytes)
	case at >= 0:
		r.add(at, "not UTF-8: save the file with the encoding UTF-8")
	case len(bytes.TrimSpace(r.source)) == 0:
		r.add(0, "the file is empty: copy default.toml and change it")
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	root := grow(r.source, r)
	if root == nil {
		return nil, r.err()
	}
	d := readDesk(root, r)
	d.Key, d.Source = key, slices.Clone(source)
	check(d, root, r)
	if err := r.err(); err != nil {
		return nil, err
	}
	return d, nil
}

func readDesk(root *node, report *report) *Desk {
	r := &reader{report: report}
	d := &Desk{FirstNumber: 10001, AgentProof: "verified", Bulk: "held"}
	if list := root.get("languages"); list != nil { // first: texts are checked against them
		r.stringList(&d.Languages)(list)
		r.languages = d.Languages
	}
	r.table(root, fields{
		"name":         r.text(&d.Name),
		"prefix":       r.string(&d.Prefix),
		"first_number": r.number(&d.FirstNumber, 1, 1<<53),
		"languages":    func(*node) {},
		"timezone":     r.string(&d.Timezone),
		"contact":      r.text(&d.Contact),
		"unknown":      r.oneOf(&d.Unknown, "opens", "held"),
		"sees":         r.oneOf(&d.Sees, "organisation", "own"),
		"bulk":         r.oneOf(&d.Bulk, "held", "human"),
		"agent_proof":  r.oneOf(&d.AgentProof, "verified", "token"),
		"notify":       r.stringList(&d.Notify),
		"initial":      r.string(&d.Initial),
		"reopen":       func(n *node) { r.readReopen(n, &d.Reopen) },
		"priority": func(n *node) {
			r.each(n, "priority", func(n *node) { d.Priorities = append(d.Priorities, r.option(n)) })
		},
		"type":   func(n *node) { r.each(n, "type", func(n *node) { d.Types = append(d.Types, r.option(n)) }) },
		"status": func(n *node) { r.each(n, "status", func(n *node) { d.Statuses = append(d.Statuses, r.status(n)) }) },
		"relay":  func(n *node) { r.each(n, "relay", func(n *node) { d.Relays = append(d.Relays, r.relay(n)) }) },
		"template": func(n *node) {
			r.each(n, "template", func(n *node) { d.Templates = append(d.Templates, r.template(n)) })
		},
		"aliases": r.aliases(&d.Aliases),
		"move":    func(n *node) { r.each(n, "move", func(n *node) { d.Moves = append(d.Moves, r.move(n)) }) },
	}, "name", "prefix", "languages", "timezone", "unknown", "sees", "initial", "status", "move")
	d.zone = r.zone(root, d.Timezone)
	for i, m := range d.Moves {
		// unless the file says otherwise, only a customer we are sure of ends a case
		if to, _ := d.Status(m.To); root.get("move").items[i].get("binding") == nil {
			d.Moves[i].Binding = slices.Contains(m.By, ByCustomer) && to.Class.Ended()
		}
	}
	return d
}

func (r *reader) readReopen(n *node, to *Reopen) {
	days := int64(0)
	r.table(n, fields{
		"days": r.number(&days, Always, 3650),
		"to":   r.string(&to.To),
	}, "days")
	to.Days = int(days)
}

func (r *reader) option(n *node) Option {
	var o Option
	r.table(n, fields{
		"key":   r.string(&o.Key),
		"label": r.text(&o.Label),
		"means": r.text(&o.Means),
	}, "key", "label")
	return o
}

func (r *reader) status(n *node) Status {
	var s Status
	var closeAfter int64
	announce := int64(-1)
	r.table(n, fields{
		"key":         r.string(&s.Key),
		"class":       r.oneOf((*string)(&s.Class), names(classes)...),
		"label":       r.text(&s.Label),
		"means":       r.text(&s.Means),
		"answer":      r.string(&s.Answer),
		"taken":       r.string(&s.Taken),
		"remind":      r.days(&s.Remind),
		"close_after": r.number(&closeAfter, 0, 3650),
		"announce":    r.number(&announce, 0, 3650),
		"close_to":    r.string(&s.CloseTo),
		"wake_to":     r.string(&s.WakeTo),
	}, "key", "class", "label", "means")
	s.CloseAfter, s.Announce = int(closeAfter), int(announce)
	if announce < 0 {
		s.Announce = max(0, min(2, s.CloseAfter-1))
	}
	return s
}

func (r *reader) move(n *node) Move {
	var m Move
	var by []string
	r.table(n, fields{
		"from":     r.stringList(&m.From),
		"to":       r.string(&m.To),
		"by":       r.stringList(&by),
		"words":    r.words(&m.Words),
		"requires": r.stringList(&m.Requires),
		"binding":  r.bool(&m.Binding),
	}, "from", "to", "by")
	for _, who := range by {
		m.By = append(m.By, By(who))
	}
	return m
}
