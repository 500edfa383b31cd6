package flow

import (
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the same zones on every machine, also where none are installed
)

// fields says how each key of a table is read.
type fields map[string]func(*node)

// reader turns the tree into a desk and reports what has the wrong shape.
// Whether the values make sense together is left to check.
type reader struct {
	*report
	languages []string
}

// table reads the keys of a table, and misses those that are required.
func (r *reader) table(n *node, known fields, required ...string) {
	if !r.is(n, aTable) {
		return
	}
	for _, e := range n.entries {
		if read, ok := known[e.key]; ok {
			read(e.value)
			continue
		}
		r.add(e.at, "unknown key %q: %s", e.key, instead(e.key, known))
	}
	for _, key := range required {
		if n.get(key) == nil {
			r.add(n.at, "%s is missing: %s", key, wanted[key])
		}
	}
}

// wanted says what a required key is for.
var wanted = map[string]string{
	"name":      `what the desk is called, as in name = "Customer Service"`,
	"prefix":    `what case numbers begin with, as in prefix = "CASE"`,
	"languages": `the desk's own first, as in languages = ["en", "nl"]`,
	"timezone":  `where its days begin and end, as in timezone = "Europe/Amsterdam"`,
	"unknown":   `what becomes of mail of unknown people, "opens" or "held"`,
	"sees":      `which cases a contact sees, "organisation" or "own"`,
	"initial":   `the status of a new case, one of class "new"`,
	"status":    `at least one [[status]] of class "new" and one of class "closed"`,
	"move":      `at least one [[move]]`,
	"days":      `for how long a closed case can be reopened; 0 never, -1 always`,
	"key":       `its name in the file, of a to z, 0 to 9 and hyphens; never shown`,
	"label":     `what people read, a string, or { en = "...", nl = "..." }`,
	"means":     `a sentence that says what it means and whether the customer must act`,
	"class":     `what the engine understands of it, one of ` + quoted(classes),
	"from":      `a status, a list of them, or "*" for every active one`,
	"to":        `the status that it leads to`,
	"by":        `who may, some of ` + quoted(everybody),
	"text":      `what it writes, a string, or { en = "...", nl = "..." }; {name} and the like are filled in`,
	"requester": `which field names whom it writes for, one of ` + quoted(requesterFields),
}

// instead says what to write in place of an unknown key.
func instead(key string, known fields) string {
	var near, all []string
	for k := range known {
		all = append(all, k)
		if n := Distance(key, k); n <= 2 && n < len(key)-1 { // "by" is not nearly "to"
			near = append(near, k)
		}
	}
	slices.Sort(near)
	slices.Sort(all)
	if len(near) > 0 {
		return "perhaps " + strings.Join(near, " or ")
	}
	return "known here are " + strings.Join(all, ", ")
}

// is reports a value that is something else than expected.
func (r *reader) is(n *node, want kind) bool {
	if n.kind != want {
		r.add(n.at, "this is %s: %s is wanted", n.kind, want)
	}
	return n.kind == want
}

func (r *reader) each(n *node, name string, read func(*node)) {
	if n.kind != aList {
		r.add(n.at, "this is %s: write [[%s]] once for each", n.kind, name)
		return
	}
	for _, item := range n.items {
		read(item)
	}
}

func (r *reader) string(to *string) func(*node) {
	return func(n *node) {
		if !r.is(n, aString) {
			return
		}
		if strings.TrimSpace(n.text) == "" {
			r.add(n.at, "this is empty: write something, or leave the key away")
			return
		}
		*to = n.text
	}
}

func (r *reader) oneOf(to *string, allowed ...string) func(*node) {
	return func(n *node) {
		if !r.is(n, aString) {
			return
		}
		if !slices.Contains(allowed, n.text) {
			r.add(n.at, "unknown value %q: one of %s", n.text, quoted(allowed))
			return
		}
		*to = n.text
	}
}

func (r *reader) number(to *int64, least, most int64) func(*node) {
	return func(n *node) {
		if !r.is(n, aNumber) {
			return
		}
		if n.number < least || n.number > most {
			r.add(n.at, "%d is out of range: from %d to %d", n.number, least, most)
			return
		}
		*to = n.number
	}
}

func (r *reader) bool(to *bool) func(*node) {
	return func(n *node) {
		if r.is(n, aBool) {
			*to = n.yes
		}
	}
}

// stringList reads a list of strings; a string alone is a list of one.
func (r *reader) stringList(to *[]string) func(*node) {
	return func(n *node) {
		if n.kind == aString {
			n = &node{kind: aList, at: n.at, items: []*node{n}}
		}
		if n.kind != aList {
			r.add(n.at, "this is %s: a string or a list of strings is wanted", n.kind)
			return
		}
		if len(n.items) > maxItems {
			r.add(n.at, "a list of %d: at most %d", len(n.items), maxItems)
			return
		}
		for _, item := range n.items {
			var s string
			r.string(&s)(item)
			*to = append(*to, s) // empty ones too: positions count them
		}
	}
}

// days reads days of silence, ascending.
func (r *reader) days(to *[]Days) func(*node) {
	return func(n *node) {
		if !r.is(n, aList) {
			return
		}
		last := int64(0)
		for _, item := range n.items {
			day := int64(0)
			r.number(&day, 1, 365)(item)
			if day > 0 && day <= last {
				r.add(item.at, "day %d does not come after day %d: write them ascending", day, last)
			}
			last = max(last, day)
			*to = append(*to, Days(day))
		}
	}
}

// text reads a text by language; a string alone is the same in all.
func (r *reader) text(to *Text) func(*node) {
	return func(n *node) {
		if n.kind == aString {
			var s string
			if r.string(&s)(n); s != "" {
				*to = Text{"en": s}
			}
			return
		}
		if n.kind != aTable {
			r.add(n.at, `this is %s: a string is wanted, or { en = "...", nl = "..." }`, n.kind)
			return
		}
		*to = Text{}
		r.byLanguage(n, func(lang string, n *node) {
			var s string
			if r.string(&s)(n); s != "" {
				(*to)[lang] = s
			}
		})
	}
}

// words reads reply words by language; a list alone is the same in all.
func (r *reader) words(to *map[string][]string) func(*node) {
	return func(n *node) {
		*to = map[string][]string{}
		if n.kind == aTable {
			r.byLanguage(n, func(lang string, n *node) {
				var words []string
				r.stringList(&words)(n)
				(*to)[lang] = words
			})
			return
		}
		var words []string
		r.stringList(&words)(n)
		(*to)["en"] = words
	}
}

// byLanguage reads a table by language. English is what everybody falls back
// to, so it must be there.
func (r *reader) byLanguage(n *node, read func(lang string, n *node)) {
	for _, e := range n.entries {
		if e.key != "en" && !slices.Contains(r.languages, e.key) {
			r.add(e.at, "language %q is none of the desk's: one of %s", e.key, quoted(r.languages))
			continue
		}
		read(e.key, e.value)
	}
	if n.get("en") == nil {
		r.add(n.at, `en is missing: write it, or a string alone for what is the same in all languages`)
	}
}

// zone loads a time zone. "Local" and "" are refused: they differ from machine
// to machine.
func (r *reader) zone(root *node, name string) *time.Location {
	if name == "" {
		return time.UTC
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		r.add(root.place("timezone"), `unknown time zone %q: a name such as "Europe/Amsterdam" or "UTC"`, name)
		return time.UTC
	}
	return zone
}

func names(cc []Class) []string {
	out := make([]string, len(cc))
	for i, c := range cc {
		out[i] = string(c)
	}
	return out
}
