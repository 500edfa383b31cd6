package mailout

import (
	"slices"
	"time"

	"postern/core"
)

// Languages are those that there are words for.
func (c *Composer) Languages() []string {
	var all []string
	for code := range c.languages {
		all = append(all, code)
	}
	slices.Sort(all)
	return all
}

// Kinds are all mails that there are words for.
func Kinds() []core.Kind { return slices.Clone(kinds) }

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
	agent := func() {
		l.ForAgent, l.To = true, core.Address{Name: "Mia Holm", Address: "mia@example.org"}
		l.Internal = "support+zyxwvutsrqponmlkjihg@example.org"
		p.Lines = []string{"open", "in-progress", "need-input", "on-hold", "third-party", "resolved", "closed", "cancelled"}
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
		p.Status, p.Means = "Resolved", "We have offered a solution. Please tell us whether you agree; if we hear nothing, the case closes."
		p.Words = []core.Word{{Word: "CLOSE", Does: "Closed"}, {Word: "DISAGREE", Does: "In progress"}}
		p.Links = []core.Link{{Purpose: "move", Label: "Closed", URL: "https://desk.example/m/abcdefghijklmnopqrstuvwxyz"}}
	}
	switch k {
	case core.Confirmation:
		p.Status, p.Means = "Open", "We have your case and will look at it. You need not do anything."
		l.Text, l.Files = asked, files[:1]
		offered()
	case core.Answer:
		p.Actor, l.Text, l.Files = "Mia Holm", "Hello Anna,\n\nE-204 is a worn roller. Please take it out as in the picture and clean it:\n\n  1. open the lid,\n  2. press both grey levers,\n  3. lift the roller.\n\nThe manual: https://docs.example.org/printer?page=12\n\nMia", files
		p.Changed, p.Was = true, "Open"
		resolved()
	case core.StatusNews:
		p.Changed, p.Was = true, "Resolved"
		offered()
	case core.Reminder:
		p.Status, p.Means = "Need input", "We need something from you to go on. Please answer our question."
		offered()
	case core.ClosingSoon:
		resolved()
		p.When = time.Date(2026, 3, 11, 8, 0, 0, 0, time.UTC)
	case core.WordRefused:
		resolved()
		p.Reason = "unproved"
	case core.SignIn:
		l.Number, l.Case = "", ""
		p.Links = []core.Link{{Purpose: "sign-in", URL: "https://desk.example/sign-in/abcdefghijklmnopqrstuvwxyz"}}
		p.Code, p.When = "402913", l.QueuedAt.Add(15*time.Minute)
	case core.Invitation:
		l.Number, l.Case = "", ""
		p.Actor = "Mia Holm"
		p.Links = []core.Link{{Purpose: "invitation", URL: "https://desk.example/invitation/abcdefghijklmnopqrstuvwxyz"}}
		p.Code, p.When = "7F3K-92QX", l.QueuedAt.Add(7*24*time.Hour)
	case core.HeldAnswer, core.TooLarge:
		p.Fixed = true
	case core.NoticeNew:
		agent()
		p.Status, p.Actor, p.Marks = "Open", "Anna Berg", []string{"unverified"}
		l.Text, l.Files = asked, files
	case core.NoticeComment:
		agent()
		p.Actor, l.Text = "Anna Berg", "I cleaned the roller. It works again, thank you!"
	case core.NoticeNote:
		agent()
		p.Actor, l.Text = "Tom Visser", "The same printer had this in January. We should swap it."
		l.ReplyTo = l.Internal
	case core.NoticeStatus:
		agent()
		p.Actor, p.Changed, p.Was, p.Status = "Anna Berg", true, "Resolved", "Closed"
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
