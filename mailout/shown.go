package mailout

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"postern/core"
)

// This file is what stands between what people wrote and a template: here it
// loses what could take a mail apart, and nowhere else.

// shown is a name, a title or another value of one line: line breaks become
// spaces, and the marks of the templates, control characters and bidirectional
// embeddings, overrides and isolates are gone (R21).
func shown(s string) string {
	return strings.TrimSpace(kept(s, false))
}

// shownLines is a text: its lines stay.
func shownLines(s string) string { return kept(s, true) }

func kept(s string, lines bool) string {
	if !strings.ContainsFunc(s, unkept) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			if !lines {
				return ' '
			}
			return r
		case r == '\u0085' || r == '\u2028' || r == '\u2029': // line breaks, for some
			return ' '
		case unkept(r):
			return -1
		}
		return r
	}, s)
}

// unkept says of a rune that it needs a look. The bidirectional marks that only
// say which way they read (U+200E, U+200F, U+061C) stay.
func unkept(r rune) bool {
	return unicode.IsControl(r) || r >= '\u2028' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// shownPayload is a payload whose values are as a template may have them.
func shownPayload(p core.Payload) core.Payload {
	each := func(values ...*string) {
		for _, v := range values {
			*v = shown(*v)
		}
	}
	each(&p.Title, &p.Actor, &p.Owner, &p.GoesOn, &p.SplitOf, &p.Customer, &p.Company, &p.Desk, &p.Status, &p.Means, &p.Was, &p.Reason, &p.PerhapsAbout)
	p.Contact = strings.TrimSpace(shownLines(p.Contact))
	for _, list := range []*[]string{&p.Marks, &p.Lines, &p.Proposed} {
		*list = slices.Clone(*list)
		for i := range *list {
			each(&(*list)[i])
		}
	}
	p.Words, p.Links, p.Items, p.Held = slices.Clone(p.Words), slices.Clone(p.Links), slices.Clone(p.Items), slices.Clone(p.Held)
	p.Actions, p.Documents = slices.Clone(p.Actions), slices.Clone(p.Documents)
	for i := range p.Words {
		each(&p.Words[i].Word, &p.Words[i].Does)
	}
	for i := range p.Links {
		each(&p.Links[i].Label, &p.Links[i].Word)
	}
	for i := range p.Actions {
		each(&p.Actions[i].Label, &p.Actions[i].Command)
	}
	for i := range p.Documents {
		each(&p.Documents[i].Title, &p.Documents[i].URL)
	}
	for i := range p.Items {
		each(&p.Items[i].Number, &p.Items[i].Title)
		p.Items[i].Text = shownLines(p.Items[i].Text)
	}
	p.Changes, p.Problems = slices.Clone(p.Changes), slices.Clone(p.Problems)
	for i := range p.Changes {
		c := &p.Changes[i]
		each(&c.What, &c.Was, &c.Became)
	}
	for i := range p.Problems {
		w := &p.Problems[i]
		each(&w.Line, &w.Name, &w.What)
		w.Meant = slices.Clone(w.Meant)
		for j := range w.Meant {
			each(&w.Meant[j])
		}
	}
	p.Help = shownHelp(p.Help)
	p.Unread = shownLines(p.Unread)
	p.Answers = shownAnswers(p.Answers)
	for i := range p.Held {
		h := &p.Held[i]
		each(&h.From, &h.Subject, &h.Detail, &h.Line, &h.Case, &h.Meant)
	}
	return p
}

// How much of their own words people see again.
const (
	saidLines = 12
	saidRunes = 900
)

// beginning is a text of so many lines and characters, and says by dots that
// there is more.
func beginning(text string, lines, runes int) string {
	short := text
	if all := strings.SplitAfterN(short, "\n", lines+1); len(all) > lines {
		short = strings.Join(all[:lines], "")
	}
	if utf8.RuneCountInString(short) > runes {
		short = string([]rune(short)[:runes])
		if i := strings.LastIndexAny(short, " \n"); i > len(short)/2 { // a whole word
			short = short[:i]
		}
	}
	if short == text {
		return text
	}
	return strings.TrimRight(short, " \t\n") + "\n..."
}

// mailto is the address of a mail that is written already (RFC 6068): its
// subject carries the case, its body is one line.
func (v *view) mailto(to, line string) string {
	if to == "" {
		return ""
	}
	at := strings.LastIndexByte(to, '@')
	local := strings.ReplaceAll(url.PathEscape(to[:max(at, 0)]), "&", "%26")
	query := ""
	if v.Number != "" {
		query = "subject=" + escaped("["+v.Number+"]")
	}
	if line != "" {
		query = strings.TrimPrefix(query+"&body="+escaped(line+"\r\n"), "&")
	}
	return strings.TrimSuffix("mailto:"+local+to[max(at, 0):]+"?"+query, "?")
}

// escaped is a value of a mailto address: a plus there is a plus, so that a
// space cannot be one.
func escaped(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// action is a command of a notice, with the mail that sends it.
type action struct {
	core.Action
	URL string
}

// actions are the commands that a notice offers. A status is set at a public
// address: what comes to an internal one is a note, whatever it says (R40). A
// note goes to the internal address, where it needs no command.
func (v *view) actions(l core.Letter) (all []action) {
	public := l.ReplyTo
	if public == "" || public == l.Internal {
		public = l.From.Address
	}
	for _, a := range l.Payload.Actions {
		to, line := public, a.Command
		if a.Does == core.ActionNote && l.Internal != "" {
			to, line = l.Internal, ""
		}
		all = append(all, action{a, v.mailto(to, line)})
	}
	return all
}
