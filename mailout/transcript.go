package mailout

import (
	"slices"
	"strings"
	"time"

	"postern/core"
)

// problem is a command line that could not be carried out.
type problem struct {
	Line, Code, Name, What string
	Meant                  string // what would be right
}

// timelineEntry is one line of a case's history.
type timelineEntry struct {
	At, Kind, Author string
	Quoted           string // the beginning of its text
	Event            string
	Was, Became, Why string
	Until            string // of a status that wakes by itself
}

// transcript fills in what became of a command block. Texts of others are quoted,
// so that none of their lines can be taken for a command.
func (v *view) transcript(l core.Letter, lang *language, zone *time.Location) {
	p := l.Payload
	for _, c := range p.Changes {
		if c.What == "due" || c.What == "wakes" {
			c.Was, c.Became = lang.stamped(c.Was, zone), lang.stamped(c.Became, zone)
		}
		v.Changes = append(v.Changes, c)
	}
	for _, w := range p.Problems {
		v.Problems = append(v.Problems, problem{w.Line, w.Code, w.Name, w.What, strings.Join(w.Meant, ", ")})
	}
	v.Help = p.Help
	if l.Undo != "" {
		v.Undo = "#undo " + l.Undo
		to := l.ReplyTo
		if to == "" || to == l.Internal {
			to = l.From.Address
		}
		v.UndoURL = v.mailto(to, v.Undo)
	}
	for _, e := range l.History {
		v.History = append(v.History, timelineEntry{At: lang.date(e.At, zone), Kind: e.Kind, Author: shown(e.Author),
			Quoted: quoted(written(shownLines(e.Text))), Event: e.Event, Was: shown(e.Was), Became: shown(e.Became), Until: lang.date(e.Until, zone), Why: cutShort(strings.Join(strings.Fields(shown(e.Why)), " "), 200)})
	}
}

// shownHelp is help whose values are as a template may have them: a desk file
// names statuses and aliases, and agents their names.
func shownHelp(of *core.Help) *core.Help {
	if of == nil {
		return nil
	}
	h := *of
	for _, list := range []*[]string{&h.Statuses, &h.Types, &h.Priorities, &h.Templates, &h.Agents} {
		*list = slices.Clone(*list)
		for i := range *list {
			(*list)[i] = shown((*list)[i])
		}
	}
	for _, list := range []*[]core.HelpCommand{&h.Commands, &h.Aliases} {
		*list = slices.Clone(*list)
		for i := range *list {
			c := &(*list)[i]
			c.Name, c.Takes = shown(c.Name), shown(c.Takes)
			c.Also = slices.Clone(c.Also)
			for j := range c.Also {
				c.Also[j] = shown(c.Also[j])
			}
		}
	}
	return &h
}

func cutShort(s string, most int) string {
	if letters := []rune(s); len(letters) > most {
		return string(letters[:most]) + "..."
	}
	return s
}

// stamped is an instant of a Change as people write it.
func (l *language) stamped(s string, zone *time.Location) string {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return s
	}
	return l.date(t, zone)
}
