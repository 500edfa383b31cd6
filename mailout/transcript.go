package mailout

import (
	"net/url"
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
}

// transcript fills in what became of a command block. Texts of others are quoted,
// so that none of their lines can be taken for a command.
func (v *view) transcript(l core.Letter, lang *language, zone *time.Location) {
	p := l.Payload
	for _, c := range p.Changes {
		c.Was, c.Became = unmarked(c.Was), unmarked(c.Became)
		if c.What == "due" || c.What == "wakes" {
			c.Was, c.Became = lang.stamped(c.Was, zone), lang.stamped(c.Became, zone)
		}
		v.Changes = append(v.Changes, c)
	}
	for _, w := range p.Problems {
		v.Problems = append(v.Problems, problem{unmarked(w.Line), w.Code, unmarked(w.Name), w.What, unmarked(strings.Join(w.Meant, ", "))})
	}
	if p.Help != nil {
		h := *p.Help
		h.Agents = slices.Clone(h.Agents)
		for i := range h.Agents {
			h.Agents[i] = unmarked(h.Agents[i])
		}
		v.Help = &h
	}
	if l.Undo != "" {
		v.Undo = "#undo " + l.Undo
		to := l.ReplyTo
		if to == "" || to == l.Internal {
			to = l.From.Address
		}
		v.UndoURL = mailSaying(to, l.Number, v.Undo)
	}
	for _, e := range l.History {
		v.History = append(v.History, timelineEntry{At: lang.date(e.At, zone), Kind: e.Kind, Author: unmarked(e.Author),
			Quoted: quoted(written(unmarked(e.Text))), Event: e.Event, Was: unmarked(e.Was), Became: unmarked(e.Became), Why: cutShort(strings.Join(strings.Fields(unmarked(e.Why)), " "), 200)})
	}
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

// mailSaying is the address of a mail that is written already (RFC 6068): one
// line, with the case in its subject.
func mailSaying(to, number, line string) string {
	escaped := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	at := max(strings.LastIndexByte(to, '@'), 0)
	s := "mailto:" + strings.ReplaceAll(url.PathEscape(to[:at]), "&", "%26") + to[at:] + "?"
	if number != "" {
		s += "subject=" + escaped("["+number+"]") + "&"
	}
	return s + "body=" + escaped(line+"\r\n")
}
