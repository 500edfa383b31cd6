package mailout

import (
	"maps"
	"slices"
	"time"

	"postern/core"
	"postern/core/flow"
)

// Languages are those that there are words for, a desk's own among them.
func (c *Composer) Languages(desk string) []string {
	languages := c.languages
	if own := c.desks[desk]; own != nil {
		languages = own
	}
	return slices.Sorted(maps.Keys(languages))
}

// Kinds are all mails that there are words for.
func Kinds() []core.Kind { return slices.Clone(kinds) }

// Sampled is a letter to look at.
type Sampled struct {
	Name   string // of the kind, and of what is special about it: "status-closed"
	Letter core.Letter
}

// Samples are letters of every kind, and of a kind whose words differ by what
// happened one of each.
func Samples(language string) []Sampled {
	var all []Sampled
	for _, k := range kinds {
		all = append(all, Sampled{string(k), Sample(k, language)})
		for _, s := range special {
			if s.kind == k {
				l := Sample(k, language)
				s.change(&l)
				all = append(all, Sampled{string(k) + "-" + s.name, l})
			}
		}
	}
	return all
}

// special are letters whose words differ from those of an ordinary day.
var special = []struct {
	kind   core.Kind
	name   string
	change func(*core.Letter)
}{
	{core.Confirmation, "unverified", func(l *core.Letter) { l.Payload.Fixed = true }},
	{core.Confirmation, "closed-desk", func(l *core.Letter) {
		l.Payload.When = time.Date(2026, 3, 5, 8, 0, 0, 0, time.UTC)
		l.Payload.Lines, l.Payload.Documents, l.Files = nil, nil, nil
	}},
	{core.Answer, "question", func(l *core.Letter) {
		l.Text, l.Files = "Hello Anna,\n\nwhich of the two printers in hall 2 is it?\n\nMia", nil
		becomes(l, flow.Customer, "Need input", "We need something from you to go on. Please answer our question.")
	}},
	{core.StatusNews, "customer", func(l *core.Letter) {
		becomes(l, flow.Customer, "On hold", "As agreed with you, the case rests. Answer as soon as we should go on.")
		l.Payload.When = time.Date(2026, 4, 1, 7, 0, 0, 0, time.UTC)
	}},
	{core.StatusNews, "blocked", func(l *core.Letter) {
		becomes(l, flow.Blocked, "3rd Party", "We are waiting for another party. You need not do anything.")
	}},
	{core.StatusNews, "resolved", func(l *core.Letter) {
		becomes(l, flow.Resolved, "Resolved", "We have offered a solution. Please tell us whether you agree; if we hear nothing, the case closes.")
		l.Payload.Words = []core.Word{{Word: "CLOSE", Does: "Closed"}, {Word: "DISAGREE", Does: "In progress"}}
		l.Payload.Links = []core.Link{{Purpose: "move", Label: "Closed", Word: "close", URL: "https://desk.example/m/abcdefghijklmnopqrstuvwxyz"}}
	}},
	{core.StatusNews, "closed", func(l *core.Letter) {
		becomes(l, flow.Closed, "Closed", "The case is closed. You need not do anything.")
		l.Payload.Words = []core.Word{{Word: "REOPEN", Does: "In progress"}}
	}},
	{core.StatusNews, "rejected", func(l *core.Letter) {
		becomes(l, flow.Rejected, "Cancelled", "The case has ended without a solution. You need not do anything.")
		l.Payload.Words, l.Payload.Reason = nil, "the same as CASE-10098, where we go on"
	}},
	{core.StatusNews, "reopened", func(l *core.Letter) {
		becomes(l, flow.Open, "In progress", "We are working on your case. You need not do anything.")
		l.Payload.Was, l.Payload.From = "Closed", flow.Closed
	}},
	{core.Meeting, "proposed", func(l *core.Letter) { l.Payload.Reason, l.Payload.Page = "proposed", "" }},
}

// becomes gives a sample another status.
func becomes(l *core.Letter, class flow.Class, status, means string) {
	p := &l.Payload
	p.Changed, p.Was, p.From = true, "In progress", flow.Open
	p.Class, p.Status, p.Means = class, status, means
	p.Words = []core.Word{{Word: "CLOSE", Does: "Closed"}, {Word: "CANCEL", Does: "Cancelled"}}
	p.Links = nil
}

// Sample is a letter of a kind as a desk sends it on an ordinary day: for
// `postern mail preview` and for the tests.
func Sample(k core.Kind, language string) core.Letter {
	l := core.Letter{
		ID: 1, Kind: k, Language: language, Automatic: k != core.Answer, Replied: k == core.Confirmation,
		Desk:     "support",
		From:     core.Address{Name: "Customer Service", Address: "support@example.org"},
		To:       core.Address{Name: "Anna Berg", Address: "anna@northwind.example"},
		ReplyTo:  "support+abcdefghijklmnopqrst@example.org",
		Envelope: "support+b-abcdefghijklmnopqrst@example.org",

		MessageID: "0123456789abcdef0123456789abcdef@example.org",
		QueuedAt:  time.Date(2026, 3, 4, 9, 30, 0, 0, time.UTC),
		Number:    "CASE-10123", Case: "https://desk.example/cases/CASE-10123",
		Payload: core.Payload{
			Title: "The label printer stops after three labels", Customer: "Anna Berg", Company: "Northwind",
			Desk: "Customer Service", Contact: "Phone +31 20 555 01 23, working days 09:00 to 17:00",
			Status: "In progress", Means: "We are working on your case. You need not do anything.",
			Zone: "Europe/Amsterdam",
		},
	}
	p := &l.Payload
	p.Class = flow.Open
	agent := func() {
		l.ForAgent, l.To = true, core.Address{Name: "Mia Holm", Address: "mia@example.org"}
		l.Internal = "support+zyxwvutsrqponmlkjihg@example.org"
		p.Lines = []string{"open", "in-progress", "need-input", "on-hold", "third-party", "resolved", "closed", "cancelled"}
	}
	acts := func() {
		p.Actions = []core.Action{
			{Does: core.ActionStatus, Label: "Resolved", Command: "#status resolved"},
			{Does: core.ActionStatus, Label: "Need input", Command: "#status need-input"},
			{Does: core.ActionAssign, Command: "#assign me"},
			{Does: core.ActionNote, Command: "#note"},
		}
	}
	const asked = "Hello,\n\nsince this morning the label printer in hall 2 stops after three labels. It shows E-204.\n\nWhat can we do?\n\nAnna Berg"
	files := []core.LetterFile{
		{Name: "display.png", Type: "image/png", Size: 48 << 10, Attach: true, Blob: 7},
		{Name: "film.mp4", Type: "video/mp4", Size: 30 << 20},
	}
	offered := func() {
		p.Words = []core.Word{{Word: "CLOSE", Does: "Closed"}, {Word: "CANCEL", Does: "Cancelled"}}
	}
	resolved := func() {
		p.Class, p.Status, p.Means = flow.Resolved, "Resolved", "We have offered a solution. Please tell us whether you agree; if we hear nothing, the case closes."
		p.Words = []core.Word{{Word: "CLOSE", Does: "Closed"}, {Word: "DISAGREE", Does: "In progress"}}
		p.Links = []core.Link{{Purpose: "move", Label: "Closed", Word: "close", URL: "https://desk.example/m/abcdefghijklmnopqrstuvwxyz"},
			{Purpose: "move", Label: "In progress", Word: "disagree", URL: "https://desk.example/m/zyxwvutsrqponmlkjihgfedcba"}}
	}
	switch k {
	case core.Confirmation:
		p.Class, p.Status, p.Means = flow.New, "Open", "We have your case and will look at it. You need not do anything."
		l.Said, l.Files = asked, []core.LetterFile{{Name: "display.png", Type: "image/png", Size: 48 << 10}}
		p.Lines = []string{"Environment: TEST", "Product: Labels 4"}
		p.Documents = []core.Document{{Title: "Cleaning the rollers of a label printer", URL: "https://desk.example/documents/12"}}
		offered()
	case core.Answer:
		p.Actor, l.Text, l.Files = "Mia Holm", "Hello Anna,\n\nE-204 is a worn roller. Please take it out as in the picture and clean it:\n\n  1. open the lid,\n  2. press both grey levers,\n  3. lift the roller.\n\nThe manual: https://docs.example.org/printer?page=12\n\nMia", files
		p.Changed, p.Was, p.From = true, "Open", flow.New
		resolved()
	case core.StatusNews:
		p.Changed, p.Was, p.From = true, "Open", flow.New
		l.Said = asked
		offered()
		p.Links = []core.Link{{Purpose: "undo", Label: "Resolved", URL: "https://desk.example/u/abcdefghijklmnopqrstuvwxyz"}}
	case core.Reminder:
		p.Class, p.Status, p.Means = flow.Customer, "Need input", "We need something from you to go on. Please answer our question."
		l.Said = asked
		offered()
	case core.ClosingSoon:
		resolved()
		p.When = time.Date(2026, 3, 11, 8, 0, 0, 0, time.UTC)
		l.Said = "I cleaned the roller, but I cannot try it before Monday."
	case core.WordRefused:
		resolved()
		p.Words, p.Links = p.Words[1:], p.Links[1:]
		p.Reason = "comment"
	case core.SplitOff:
		p.SplitOf, p.Title = "CASE-10100", "No access to the customer portal"
		p.Status, p.Means = "Open", "We have your case and will look at it. You need not do anything."
		offered()
	case core.LeftCase:
		p.Reason = "left"
	case core.SignIn:
		l.Number, l.Case = "", ""
		p.Links = []core.Link{{Purpose: "sign-in", URL: "https://desk.example/sign-in/abcdefghijklmnopqrstuvwxyz"}}
		p.Code, p.When = "402913", l.QueuedAt.Add(15*time.Minute)
	case core.Invitation:
		l.Number, l.Case = "", ""
		p.Actor = "Mia Holm"
		p.Links = []core.Link{{Purpose: "invitation", URL: "https://desk.example/invitation/abcdefghijklmnopqrstuvwxyz"}}
		p.Code, p.When = "7F3K-92QX", l.QueuedAt.Add(7*24*time.Hour)
	case core.Approval:
		p.Class, p.Status, p.Means = flow.Customer, "Need input", "We ask for your approval. Nothing is done before."
		l.Text = "A second print queue for hall 2, so that labels go on while a roller is changed."
		l.Files = []core.LetterFile{{Name: "design.pdf", Type: "application/pdf", Size: 48 << 10, Attach: true, Blob: 7}}
		p.Lines = []string{"Hours: 6", "Cost: by your contract, 6 hours at its rate"}
		p.Words = []core.Word{{Word: "APPROVE", Does: "Approved"}, {Word: "DECLINE", Does: "Declined"}}
		p.Links = []core.Link{{Purpose: "move", Label: "Approved", Word: "agree", URL: "https://desk.example/m/abcdefghijklmnopqrstuvwxyz"}}
		p.When = time.Date(2026, 3, 18, 16, 0, 0, 0, time.UTC)
	case core.Meeting:
		p.Actor, p.Page = "Mia Holm", "https://meet.example.org/abc-defg-hij"
		p.When = time.Date(2026, 3, 10, 13, 0, 0, 0, time.UTC)
		p.Lines = []string{"45 minutes, online"}
	case core.PasswordReset:
		l.Number, l.Case = "", ""
		p.Links = []core.Link{{Purpose: "password", URL: "https://desk.example/password/abcdefghijklmnopqrstuvwxyz"}}
		p.When = l.QueuedAt.Add(time.Hour)
	case core.Satisfaction:
		p.Class, p.Status, p.Means = flow.Closed, "Closed", "The case is closed. You need not do anything."
		for _, w := range []string{"VERY SATISFIED", "SATISFIED", "DISSATISFIED", "VERY DISSATISFIED"} {
			p.Words = append(p.Words, core.Word{Word: w})
		}
	case core.Escalation:
		agent()
		acts()
		p.Actor, p.Reason = "Anna Berg", "the printer has stood still since Monday"
		p.Lines = []string{"Level 2: coordinator"}
	case core.HeldAnswer, core.TooLarge:
		p.Fixed = true
	case core.NoticeNew:
		agent()
		acts()
		p.Status, p.Actor, p.Marks = "Open", "Anna Berg", []string{"unverified"}
		l.Text, l.Files = asked, files
	case core.NoticeComment:
		agent()
		acts()
		p.Actor, l.Text = "Anna Berg", "I cleaned the roller. It works again, thank you!"
	case core.NoticeNote:
		agent()
		acts()
		p.Actor, l.Text = "Tom Visser", "The same printer had this in January. We should swap it."
		l.ReplyTo = l.Internal
	case core.NoticeStatus:
		agent()
		acts()
		p.Actor, p.Changed, p.Was, p.Status, p.From, p.Class = "Anna Berg", true, "Resolved", "Closed", flow.Resolved, flow.Closed
		p.Actions = p.Actions[2:]
	case core.NoticeAssigned:
		agent()
		p.Actor = "Tom Visser"
	case core.NoticeBounce:
		agent()
		p.Actor, p.Reason, p.Lines = "anna@northwind.example", "5.1.1 smtp; 550 5.1.1 no such user", nil
		l.Text = "Hello Anna,\n\nE-204 is a worn roller."
	case core.Transcript:
		agent()
		p.Lines = nil
		p.Changes = []core.Change{{What: "status", Was: "In progress", Became: "On hold"}, {What: "wakes", Became: "2026-03-11T08:00:00Z"},
			{What: "owner", Became: "Mia Holm"}, {What: "time", Was: "0:45", Became: "1:30"}, {What: "cc-add", Became: "bob@northwind.example"}}
		l.Undo = "abcdefghijkl"
	case core.Question:
		agent()
		l.Number, l.Case, p.Lines = "", "", nil
		p.Links = []core.Link{{Purpose: "question", URL: "https://desk.example/q/abcdefghijklmnopqrstuvwxyz"}}
		p.When = l.QueuedAt.Add(7 * 24 * time.Hour)
		p.Items = []core.Waiting{{Number: "CASE-10123", Title: p.Title, Text: "#status resolved\nPlease clean the roller.", At: l.QueuedAt.Add(-time.Minute)}}
	case core.Warning:
		agent()
		l.Number, l.Case, p.Lines = "", "", []string{"Re: [CASE-10123] The label printer stops"}
		p.Reason = "agent-forged"
	case core.Digest:
		agent()
		l.Number, l.Case, p.Lines = "", "", nil
		p.Items = []core.Waiting{
			{Number: "CASE-10123", Title: p.Title, Text: "It stops again.", At: l.QueuedAt.Add(-4 * time.Minute)},
			{Number: "CASE-10124", Title: "No access to the portal", Text: "Since the update I cannot sign in.\nCan you help?", At: l.QueuedAt.Add(-2 * time.Minute)},
		}
	case core.News:
		l.Number, l.Case, l.ReplyTo = "", "", "support@example.org"
		p.Items = []core.Waiting{
			{Number: "CASE-10123", Title: p.Title, Text: "Open -> In progress", At: l.QueuedAt.Add(-40 * time.Minute)},
			{Number: "CASE-10124", Title: "No access to the portal", Text: "You can sign in again.\n\nIn progress -> Resolved", At: l.QueuedAt.Add(-20 * time.Minute)},
		}
	case core.HeldList:
		agent()
		l.Number, l.Case, l.Internal, p.Lines = "", "", "", nil
		p.Page = "https://desk.example/held"
		p.HeldCount = map[core.HeldKind]int{core.HeldPeople: 2, core.HeldMachines: 1, core.HeldSpam: 1}
		p.Words = []core.Word{{Word: "release", Does: "release"}, {Word: "case", Does: "case"}, {Word: "attach", Does: "attach"},
			{Word: "refuse", Does: "refuse"}, {Word: "refuse all", Does: "refuse-all"}}
		p.Held = []core.HeldItem{
			{ID: 4712, Kind: core.HeldPeople, From: "carl@fabrikam.example", Subject: "Re: [CASE-10123] The label printer", Code: "unknown",
				Detail: "Fabrikam", At: l.QueuedAt.Add(-5 * time.Minute), Case: "CASE-10123"},
			{ID: 4709, Kind: core.HeldPeople, From: "mia@example.org", Subject: "Fwd: invoice", Code: "agent-forged", At: l.QueuedAt.Add(-40 * time.Minute)},
			{ID: 4711, Kind: core.HeldMachines, From: "news@shop.example", Subject: "March offers", Code: "bulk", At: l.QueuedAt.Add(-10 * time.Minute)},
			{ID: 4710, Kind: core.HeldSpam, From: "win@lottery.example", Subject: "You won", Code: "spam", At: l.QueuedAt.Add(-20 * time.Minute)},
		}
	case core.HeldDone:
		agent()
		l.Number, l.Case, l.Internal, p.Lines = "", "", "", nil
		p.Page = "https://desk.example/held"
		p.Held = []core.HeldItem{
			{ID: 4712, From: "carl@fabrikam.example", Subject: "Re: [CASE-10123] The label printer", Code: "unknown", Detail: "Fabrikam",
				Line: "attach 4712 CASE-10123", Word: "attach", Case: "CASE-10123"},
			{ID: 4711, From: "news@shop.example", Subject: "March offers", Code: "bulk", Line: "refuse 4711", Word: "refuse"},
		}
	case core.Worklist, core.CaseSheet, core.Morning:
		sampleQuery(&l)
	case core.Alarm:
		l.ForAgent, l.Number, l.Case = true, "", ""
		l.To = core.Address{Address: "ops@example.org"}
		p.Desk, p.Contact = "https://desk.example", ""
		p.Lines = []string{"mailbox support (INBOX): no good poll since 2026-03-04 09:12 UTC", "2 mails are quarantined: postern ledger list"}
	case core.ProbeMail:
		l.Number, l.Case = "", ""
		l.To.Address = "support+p-abcdefghijklmnopqrst@example.org"
	}
	return l
}
