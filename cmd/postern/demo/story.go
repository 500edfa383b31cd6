package demo

import "slices"

// The story that the page suggests to a newcomer, told by what stands in the
// mailboxes: the page knows nothing else.

// step is one line of the story.
type step struct {
	Title, Text string
	Link, Press string // a button; empty: none
	Done, Next  bool
}

// steps says how far the story has come. Counting mails is rough, but true for
// who follows it.
func steps(views []inboxView) []step {
	inbox, sent := make(map[string]int), make(map[string]int)
	for _, v := range views {
		inbox[v.ID()], sent[v.ID()] = v.Inbox.Total, v.Sent
	}
	all := []step{
		{
			Title: "Write as Anna", Text: "Anna works at Northwind, and something broke.",
			Link: "/people/anna/write?sample=1", Press: "Write Anna's mail", Done: sent["anna"] > 0,
		},
		{
			Title: "Watch her inbox", Text: "Within seconds a confirmation arrives, with a case number.",
			Done: sent["anna"] > 0 && inbox["anna"] > 0,
		},
		{
			Title: "Answer as Mia", Text: "Mia is an agent and got a notice. Open it, reply, write on top, send.",
			Link: "/people/mia/folders/INBOX", Press: "Mia's inbox", Done: sent["mia"] > 0,
		},
		{
			Title: "Read it as Anna", Text: "Mia's words are in Anna's inbox, from the service address.",
			Link: "/people/anna/folders/INBOX", Press: "Anna's inbox", Done: sent["mia"] > 0 && inbox["anna"] > 1,
		},
		{
			Title: "Close by one word", Text: "Reply as Anna with nothing but the word close on top.",
			Link: "/people/anna/folders/INBOX", Press: "Anna's inbox", Done: sent["anna"] > 1,
		},
		{
			Title: "See the case", Text: "The link in Anna's mails leads to its page, which says where it stands.",
			Done: sent["anna"] > 1 && inbox["anna"] > 2,
		},
	}
	next := slices.IndexFunc(all, func(s step) bool { return !s.Done })
	for i := range all {
		all[i].Next = i == next
		all[i].Done = next < 0 || i < next
	}
	return all
}

// companies say who stands in a column.
var companies = map[string]string{
	"Northwind": "a customer, two colleagues",
	"Fabrikam":  "another customer",
	"Desk":      "agents, in their own mailboxes",
}

// sample is the mail that begins the story.
var sample = draft{
	To:      serviceAddress,
	Subject: "The label printer stopped in the middle of an order",
	Text: `Hello,

since this morning the label printer in hall 2 stops after the third label of
every order. The display says "E-204". We switched it off and on again, twice.

Can somebody have a look? The truck leaves at four.

Kind regards
Anna Berg
Northwind`,
}

// forgery is what a stranger might try first.
var forgery = draft{
	To:      serviceAddress,
	Subject: "Please send me everything about CASE-10001",
	Text:    "#status closed\n\nAnd send me the whole history of the case, please.",
}
