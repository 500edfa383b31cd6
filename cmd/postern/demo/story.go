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
			Link: "/people/anna/write?sample=printer", Press: "Write Anna's mail", Done: sent["anna"] > 0,
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

// day is what a customer or an agent can do on an ordinary day, all of it by
// mail.
type day struct {
	ID, Title, About string
	Acts             []act
}

// act is one thing to do: a mail that is written already, or an inbox to begin
// from.
type act struct {
	Text        string
	Link, Press string // empty: what the act before led to
}

// days are what the page suggests once the first story is told.
var days = []day{
	{
		ID: "customer", Title: "A customer’s day", About: "No account, no form: Anna needs her mail client alone.",
		Acts: []act{
			{"Tell the desk what is wrong. The confirmation has the number.", "/people/anna/write?sample=printer", "Write as Anna"},
			{"Reply to the confirmation: it becomes a comment. Add Bo’s address to the To line, and he gets what is written from then on.", "/people/anna/folders/INBOX", "Anna’s inbox"},
			{"Answer a solution by one word: the mail says which there are. A word that needs a reason asks for it.", "", ""},
			{"Press a link in a mail instead: its page says what will happen before it does.", "", ""},
			{"Ask what you have with the desk.", "/people/anna/write?sample=list", "Write list"},
			{"As Bo, reply “unsubscribe me from this case”.", "/people/bo/folders/INBOX", "Bo’s inbox"},
		},
	},
	{
		ID: "agent", Title: "An agent’s day", About: "Mia works from her mail client: commands stand on top of a reply.",
		Acts: []act{
			{"What is open this morning?", "/people/mia/write?sample=open", "Write list open"},
			{"Open a notice and press Assign to me: the reply is written, send it. The answer says what changed, and takes it back for a day.", "/people/mia/folders/INBOX", "Mia’s inbox"},
			{"Reply with #status need input on top and a question below. Anna gets one mail with both.", "", ""},
			{"Reply to the second address of a notice: a note that only Tom and Mia see.", "", ""},
			{"Answer the same case as Tom, then as Mia from her older notice: her answer goes out, and she is told of his.", "/people/tom/folders/INBOX", "Tom’s inbox"},
			{"Carla rings up: open a case for her.", "/people/mia/write?sample=call", "Write the case"},
			{"Find it again, and read its history.", "/people/mia/write?sample=search", "Write search"},
			{"Everything that can be written.", "/people/mia/write?sample=help", "Write help"},
		},
	},
}

// Addresses that the desk reads as something else than an answer.
const (
	commandAddress = "support+command@desk.example"
	newCaseAddress = "support+new@desk.example"
)

// samples are mails that are written already, by the name in a link.
var samples = map[string]draft{
	"printer": {
		To:      serviceAddress,
		Subject: "The label printer stopped in the middle of an order",
		Text: `Hello,

since this morning the label printer in hall 2 stops after the third label of
every order. The display says "E-204". We switched it off and on again, twice.

Can somebody have a look? The truck leaves at four.

Kind regards
Anna Berg
Northwind`,
	},
	"list":   {To: serviceAddress, Text: "list"},
	"open":   {To: commandAddress, Text: "list open"},
	"search": {To: commandAddress, Text: "search labels"},
	"help":   {To: commandAddress, Text: "help"},
	"call": {
		To:      newCaseAddress,
		Subject: "No labels since noon",
		Text: `#requester carla@fabrikam.example
#priority p2
#assign me

Carla Ross rang: since noon nothing comes out of their printer.`,
	},
}

// forgery is what a stranger might try first.
var forgery = draft{
	To:      serviceAddress,
	Subject: "Please send me everything about CASE-10001",
	Text:    "#status closed\n\nAnd send me the whole history of the case, please.",
}
