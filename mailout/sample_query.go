package mailout

import (
	"time"

	"postern/core"
)

// sampleQuery fills in what somebody asked for.
func sampleQuery(l *core.Letter) {
	p := &l.Payload
	at := func(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 15, 0, 0, time.UTC) }
	cases := []core.CaseItem{
		{Number: "CASE-10098", Title: "Invoice 2026-117 shows the old address", Status: "In progress", Customer: "Per Olsen", Company: "Fabrikam",
			Owner: "Mia Holm", Opened: at(1, 8), Changed: at(3, 16), Due: at(4, 8), Overdue: true},
		{Number: "CASE-10123", Title: "The label printer in hall 2 stops after three labels and shows E-204", Status: "In progress", Customer: "Anna Berg",
			Company: "Northwind", Owner: "Mia Holm", Opened: at(3, 9), Changed: at(4, 9), Turn: true},
		{Number: "CASE-10131", Title: "New colleague", Status: "Need input", Customer: "Annabel van der Heijden", Company: "Northwind",
			Owner: "Mia Holm", Opened: at(4, 8), Changed: at(4, 8)},
	}
	l.Command = "support+command@example.org"
	p.Title, p.Company, p.Status, p.Means, p.Contact = "", "", "", "", ""
	word := map[string][]string{
		"en": {"list open", "search", "show", "history", "morning off"}, "nl": {"lijst open", "zoek", "toon", "geschiedenis", "ochtend uit"},
		"da": {"liste åbne", "søg", "vis", "historik", "morgen fra"}, "nb": {"liste åpne", "søk", "vis", "historikk", "morgen av"},
		"de": {"liste offene", "suche", "zeige", "verlauf", "morgen aus"},
	}[l.Language]
	for i, does := range []string{"list-open", "search", "show", "history", "morning-off"} {
		if word != nil && (does != "morning-off" || l.Kind == core.Morning) {
			p.Words = append(p.Words, core.Word{Word: word[i], Does: does})
		}
	}
	agent := func() {
		l.ForAgent, l.To = true, core.Address{Name: "Mia Holm", Address: "mia@example.org"}
	}
	switch l.Kind {
	case core.Worklist:
		agent()
		l.Number, l.Case, l.ReplyTo = "", "", l.Command
		p.Answers = []core.QueryAnswer{
			{Line: "list mine", Verb: "list", Scope: "mine", Cases: cases, More: 12},
			{Line: "search elephant", Verb: "search"},
			{Line: "list opne", Verb: "list", Problem: "no-scope", Meant: "list open"},
		}
		p.Unread = "Kind regards\nMia"
	case core.CaseSheet:
		p.Title, p.Status, p.Means = cases[1].Title, cases[1].Status, ""
		p.Answers = []core.QueryAnswer{{Line: "show CASE-10123", Verb: "show", Sheet: &core.Sheet{CaseItem: cases[1], Type: "Incident",
			Participants: []string{"Bo Berg"}, Left: 2, Entries: []core.SheetEntry{
				{Kind: "comment", At: at(3, 11), Author: "Mia Holm", Text: "Hello Anna,\n\nE-204 is a worn roller. Please clean it."},
				{Kind: "event", At: at(3, 11), Author: "Mia Holm", Event: "status", Was: "Open", Became: "In progress"},
				{Kind: "comment", At: at(4, 9), Author: "Anna Berg", Text: "It stops still.", Cut: true},
			}}}}
	case core.Morning:
		agent()
		l.Number, l.Case, l.ReplyTo = "", "", l.Command
		p.Answers = []core.QueryAnswer{{Verb: "morning", Scope: "overdue", Cases: cases[:1]},
			{Verb: "morning", Scope: "waiting", Cases: cases[1:2]}, {Verb: "morning", Scope: "mine", Cases: cases[2:]}}
		p.Unassigned, p.HeldCount, p.Page = 4, map[core.HeldKind]int{core.HeldPeople: 2, core.HeldSpam: 1}, "https://desk.example/held"
	}
}
