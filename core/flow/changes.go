package flow

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Changes says, for a person, what differs from an older file of the same
// desk; nil if nothing does. Without an older file everything is new.
func (d *Desk) Changes(old *Desk) []string {
	if old == nil {
		old = &Desk{}
	}
	was, is := old.facts(), d.facts()
	var lines []string
	for _, subject := range is.subjects {
		before, existed := was.about[subject]
		after := is.about[subject]
		if !existed {
			lines = append(lines, subject+": added")
			continue
		}
		all := maps.Clone(before)
		maps.Copy(all, after)
		for _, what := range slices.Sorted(maps.Keys(all)) {
			if before[what] != after[what] {
				lines = append(lines, fmt.Sprintf("%s: %s was %s, is %s", subject, what, shown(before[what]), shown(after[what])))
			}
		}
	}
	for _, subject := range was.subjects {
		if _, still := is.about[subject]; !still {
			lines = append(lines, subject+": removed")
		}
	}
	return lines
}

// RemovedKeys returns the keys of statuses, types and priorities that the older
// file has and this one has not. Cases that have them need another.
func (d *Desk) RemovedKeys(old *Desk) []string {
	if old == nil {
		return nil
	}
	var removed []string
	for _, s := range old.Statuses {
		if _, ok := d.Status(s.Key); !ok {
			removed = append(removed, s.Key)
		}
	}
	for _, list := range []struct{ was, is []Option }{{old.Types, d.Types}, {old.Priorities, d.Priorities}} {
		for _, o := range list.was {
			if !slices.ContainsFunc(list.is, func(n Option) bool { return n.Key == o.Key }) {
				removed = append(removed, o.Key)
			}
		}
	}
	return removed
}

// facts is a desk taken apart for comparing: what can be said about each of
// its parts.
type facts struct {
	subjects []string // in the order of the file
	about    map[string]map[string]string
}

func (d *Desk) facts() *facts {
	f := &facts{about: map[string]map[string]string{}}
	if d.Prefix != "" {
		f.add("desk",
			"name", d.Name.all(),
			"prefix", d.Prefix,
			"first_number", fmt.Sprint(d.FirstNumber),
			"languages", strings.Join(d.Languages, ", "),
			"timezone", d.Timezone,
			"contact", d.Contact.all(),
			"unknown", d.Unknown,
			"sees", d.Sees,
			"bulk", d.Bulk,
			"agent_proof", d.AgentProof,
			"notify", strings.Join(d.Notify, ", "),
			"initial", d.Initial,
			"reopen days", fmt.Sprint(d.Reopen.Days),
			"reopen to", d.Reopen.To)
	}
	for _, s := range d.Statuses {
		f.add("status "+s.Key,
			"class", string(s.Class),
			"label", s.Label.all(),
			"means", s.Means.all(),
			"answer", s.Answer,
			"taken", s.Taken,
			"remind", strings.Trim(fmt.Sprint(s.Remind), "[]"),
			"close_after", fmt.Sprint(s.CloseAfter),
			"announce", fmt.Sprint(s.Announce),
			"close_to", s.CloseTo,
			"wake_to", s.WakeTo)
	}
	for _, m := range d.Moves {
		for _, from := range m.From {
			for _, by := range m.By {
				f.add(fmt.Sprintf("move %s -> %s by %s", from, m.To, by),
					"words", allWords(m.Words),
					"requires", strings.Join(m.Requires, ", "),
					"binding", fmt.Sprint(m.Binding))
			}
		}
	}
	for _, r := range d.Relays {
		f.add(strings.TrimSpace("relay "+r.From+" "+r.ListID), "requester", r.Requester)
	}
	for _, t := range d.Templates {
		f.add("template "+t.Key, "label", t.Label.all(), "text", t.Text.all())
	}
	for _, a := range d.Aliases {
		f.add("alias "+a.Word, "means", a.Means)
	}
	f.options("type", d.Types)
	f.options("priority", d.Priorities)
	return f
}

func (f *facts) options(name string, options []Option) {
	for i, o := range options {
		f.add(name+" "+o.Key, "place", fmt.Sprint(i+1), "label", o.Label.all(), "means", o.Means.all())
	}
}

// add notes what is said about a subject: names and values in turn.
func (f *facts) add(subject string, said ...string) {
	f.subjects = append(f.subjects, subject)
	f.about[subject] = map[string]string{}
	for i := 0; i < len(said); i += 2 {
		f.about[subject][said[i]] = said[i+1]
	}
}

// all writes a text in all its languages.
func (t Text) all() string {
	if len(t) == 1 && t["en"] != "" {
		return t["en"]
	}
	var parts []string
	for _, lang := range slices.Sorted(maps.Keys(t)) {
		parts = append(parts, lang+" "+t[lang])
	}
	return strings.Join(parts, " / ")
}

func allWords(words map[string][]string) string {
	joined := Text{}
	for lang, ww := range words {
		joined[lang] = strings.Join(ww, ", ")
	}
	return joined.all()
}

func shown(value string) string {
	if value == "" {
		return "nothing"
	}
	return fmt.Sprintf("%q", value)
}
