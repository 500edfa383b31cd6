package core_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"postern/core"
)

const command = "support+command@desk.example"

// queries has somebody ask at the command address, and returns the one answer.
func (w *world) queries(from, text string, change ...func(*mail)) core.Letter {
	w.t.Helper()
	m := mail{from: from, to: command, subject: fmt.Sprint("? ", w.uid), text: text}
	for _, c := range change {
		c(&m)
	}
	w.letters()
	w.Clock.Advance(2 * time.Minute)
	wants(w.t, w.receive(m), core.Filed, "answers a query", "")
	letters := w.letters()
	if len(letters) != 1 || letters[0].To.Address != from {
		w.t.Fatalf("%d letters to %s's question", len(letters), from)
	}
	return letters[0]
}

// tells is all that a letter tells.
func tells(l core.Letter) string {
	b, err := json.Marshal(l.Payload)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// numbersIn are the numbers of a list.
func numbersIn(a core.QueryAnswer) string {
	var all []string
	for _, c := range a.Cases {
		all = append(all, strings.TrimPrefix(c.Number, "CASE-100"))
	}
	return strings.Join(all, " ")
}

// lists is a desk with six cases: of Anna (1, 2, 3), of Bob, her colleague (4),
// of Carl (5) and of Eve (6).
func newLists(t testing.TB) (*world, []opened) {
	t.Helper()
	w := newWorld(t, nil)
	var all []opened
	for i, from := range []string{anna, anna, anna, bob, carl, eve} {
		all = append(all, w.opens(mail{from: from, name: strings.Split(from, "@")[0], subject: fmt.Sprintf("Subject %d", i+1), text: fmt.Sprintf("Text %d", i+1)}))
		w.Clock.Advance(time.Hour)
	}
	return w, all
}

func TestQueries_ofAgents(t *testing.T) {
	w, o := newLists(t)
	w.answers(o[1], "Use water.")
	w.Clock.Advance(time.Minute)
	w.receive(mail{from: mia, text: "#status need-input\nWhich?", to: o[2].mia.ReplyTo, inReplyTo: o[2].mia.MessageID})
	w.receive(mail{from: tom, text: "#status closed\nDone.", to: o[3].tom.ReplyTo, inReplyTo: o[3].tom.MessageID})
	w.receive(mail{from: anna, subject: o[1].Case, text: "It burns still."})
	w.exec(`update cases set due_at = $1 where id = any($2)`, w.Clock.Now().Add(-time.Hour), []int64{o[1].CaseID, o[3].CaseID, o[4].CaseID})
	w.exec(`update cases set due_at = $1 where id = $2`, w.Clock.Now().Add(time.Hour), o[5].CaseID)
	for _, c := range []struct{ name, ask, want string }{
		{"list is one's own, overdue first", "list", "02 03"},
		{"list mine", "list mine", "02 03"},
		{"list open: overdue first, then the oldest", "list open", "02 05 01 03 06"},
		{"list overdue", "list overdue", "02 05"},
		{"list unassigned", "list unassigned", "05 01 06"},
		{"list waiting: the customer wrote last", "list waiting", "02"},
		{"list closed", "list closed", "04"},
	} {
		t.Run("R42/"+c.name, func(t *testing.T) {
			l := w.queries(mia, c.ask)
			if l.Kind != core.Worklist || len(l.Payload.Answers) != 1 || numbersIn(l.Payload.Answers[0]) != c.want {
				t.Errorf("%s: %+v", l.Kind, l.Payload.Answers)
			}
		})
	}
	t.Run("R33/an answer to a list asks again, and reaches no case", func(t *testing.T) {
		l := w.queries(mia, "list mine")
		if l.ReplyTo != command || l.Command != command || !l.Automatic || !l.Replied || l.Number != "" {
			t.Errorf("%+v", l)
		}
		again := w.queries(mia, "show CASE-10002", func(m *mail) { m.to, m.inReplyTo = l.ReplyTo, l.MessageID })
		if again.Kind != core.CaseSheet {
			t.Errorf("%s", again.Kind)
		}
	})
	t.Run("R42/what a list tells of a case", func(t *testing.T) {
		c := w.queries(mia, "list mine").Payload.Answers[0].Cases[0]
		if c.Title != "Subject 2" || c.Status != "In progress" || c.Customer != "anna" || c.Company != "Northwind" || c.Owner != "Mia" || !c.Overdue || !c.Turn || c.Changed.IsZero() {
			t.Errorf("%+v", c)
		}
	})
	t.Run("R40/the answer about one case goes where a notice's does", func(t *testing.T) {
		l := w.queries(mia, "show CASE-10002")
		if l.Kind != core.CaseSheet || l.Number != "CASE-10002" || l.ReplyTo == l.From.Address || l.Internal == "" || l.Internal == l.ReplyTo || l.Payload.Customer != "anna" {
			t.Fatalf("%+v", l)
		}
		wants(t, w.receive(mail{from: mia, text: "Is it out?", to: l.ReplyTo, inReplyTo: l.MessageID}), core.Filed, "answers", "")
		to(t, w.letters(), anna, core.Answer)
		wants(t, w.receive(mail{from: mia, text: "She is slow.", to: l.Internal, inReplyTo: l.MessageID}), core.Filed, "note", "")
		noneTo(t, w.letters(), anna)
	})
	t.Run("R40/and a question in answer to it is a question still", func(t *testing.T) {
		l := w.queries(mia, "show CASE-10002")
		next := w.queries(mia, "show CASE-10003", func(m *mail) { m.to, m.inReplyTo, m.subject = l.ReplyTo, l.MessageID, "Re: [CASE-10002]" })
		if next.Number != "CASE-10003" {
			t.Errorf("%s", next.Number)
		}
	})
	t.Run("R42/show has the last entries, history all of them, oldest first", func(t *testing.T) {
		kindsOf := func(l core.Letter) string {
			var all []string
			for _, e := range l.Payload.Answers[0].Sheet.Entries {
				all = append(all, e.Kind+e.Event)
			}
			return strings.Join(all, " ")
		}
		if got := kindsOf(w.queries(mia, "show CASE-10002")); got != "description comment comment comment note" {
			t.Errorf("show: %s", got)
		}
		if got := kindsOf(w.queries(mia, "history CASE-10002")); got != "description eventopened comment eventowner eventstatus comment comment note" {
			t.Errorf("history: %s", got)
		}
		if got := kindsOf(w.queries(anna, "history CASE-10002")); got != "description eventopened comment eventstatus comment comment" {
			t.Errorf("the customer's: %s", got)
		}
	})
	t.Run("R42/ten questions in a mail, one answer", func(t *testing.T) {
		l := w.queries(mia, "list mine\nshow CASE-10001\nhelp\nlist nonsense\nshow CASE-99999\n"+strings.Repeat("list open\n", 8))
		p := l.Payload
		if len(p.Answers) != 10 || !p.Over || p.Answers[3].Problem != "no-scope" || p.Answers[4].Problem != "no-case" || p.Answers[1].Sheet == nil || len(p.Words) < 10 {
			t.Errorf("%+v", p)
		}
	})
	t.Run("R43/what is no query is said so, with all the words, and opens no case", func(t *testing.T) {
		before := w.count(`select count(*) from cases`)
		p := w.queries(mia, "Please do it").Payload
		if p.Reason != "not-understood" || len(p.Words) < 10 || p.Unread != "Please do it" {
			t.Errorf("%+v", p)
		}
		if p = w.queries(mia, "serach printer").Payload; p.Answers[0].Problem != "no-word" || p.Answers[0].Meant != "search printer" {
			t.Errorf("%+v", p)
		}
		if n := w.count(`select count(*) from cases`); n != before {
			t.Errorf("%d cases more", n-before)
		}
	})
	t.Run("R47/a machine that answers our answers is not answered for ever", func(t *testing.T) {
		w.letters()
		n := 0
		for range 15 {
			w.receive(mail{from: tom, to: command, text: "I have got your mail."})
			n += len(w.letters())
		}
		if n >= 15 || n == 0 {
			t.Errorf("%d answers", n)
		}
		if l := w.queries(tom, "list open"); len(l.Payload.Answers) != 1 {
			t.Error("and then a query is not answered")
		}
	})
	t.Run("R5/twice is once", func(t *testing.T) {
		m := mail{from: mia, to: command, text: "list open", id: "same@desk.example"}
		w.receive(m)
		w.letters()
		wants(t, w.receive(m), core.Duplicate, "duplicate", "")
		if l := w.letters(); len(l) != 0 {
			t.Errorf("%d letters", len(l))
		}
	})
	t.Run("R8/late mail is not answered", func(t *testing.T) {
		w.receive(mail{from: mia, to: command, text: "list waiting", change: func(m *core.Mail) { m.Received = m.Received.Add(-48 * time.Hour); m.Date = m.Received }})
		if l := w.letters(); len(l) != 0 {
			t.Errorf("%d letters", len(l))
		}
	})
}

func TestQueries_agentsNeedProof(t *testing.T) {
	w, o := newLists(t)
	for name, change := range map[string]func(*mail){
		"R42/unverified":  func(m *mail) { m.unverified = true },
		"R42/an old date": func(m *mail) { m.change = func(m *core.Mail) { m.Date = m.Date.Add(-8 * 24 * time.Hour) } },
		"R42/To unsigned": func(m *mail) { m.change = func(m *core.Mail) { m.Signatures[0].ToOpen = true } },
	} {
		for _, address := range []string{command, "support@desk.example"} {
			t.Run(name+" to "+address, func(t *testing.T) {
				w.Clock.Advance(2 * time.Hour)
				m := mail{from: mia, to: address, subject: "?", text: "list open\nshow CASE-10001"}
				change(&m)
				if r := w.receive(m); r.State != core.Held || !strings.HasPrefix(r.Reason, "agent-") {
					t.Errorf("%+v", r)
				}
				for _, l := range w.letters() {
					if l.Kind != core.Warning || len(l.Payload.Answers) > 0 {
						t.Errorf("%s: %+v", l.Kind, l.Payload)
					}
				}
			})
		}
	}
	t.Run("R42/a token alone shows no list", func(t *testing.T) {
		w.apply(t, func(s string) string { return replace(t, s, `agent_proof = "verified"`, `agent_proof = "token"`) })
		r := w.receive(mail{from: mia, to: command, text: "list open", unverified: true, change: func(m *core.Mail) {
			m.Cc = []core.Address{{Address: o[0].mia.ReplyTo}}
		}})
		if r.State != core.Held {
			t.Errorf("%+v", r)
		}
		if l := kinds(w.letters(), core.Worklist); len(l) != 0 {
			t.Error("a list went out")
		}
	})
	t.Run("R28/a machine's mail to the command address is held", func(t *testing.T) {
		wants(t, w.receive(mail{from: mia, to: command, text: "list closed", change: func(m *core.Mail) { m.Marks.AutoSubmitted = "auto-generated" }}),
			core.Held, "held", "automatic")
	})
	t.Run("R28/an out-of-office reply to a list comes to nothing", func(t *testing.T) {
		wants(t, w.receive(mail{from: mia, to: command, text: "I am away.", change: func(m *core.Mail) { m.Marks.AutoSubmitted = "auto-replied" }}),
			core.Filed, "event", "")
	})
}

// Where plus addresses do not come through, the words work at the desk's own
// address.
func TestQueries_atTheServiceAddress(t *testing.T) {
	w, o := newLists(t)
	service := func(m *mail) { m.to, m.subject = "support@desk.example", "" }
	if got := numbersIn(w.queries(tom, "list open", service).Payload.Answers[0]); got != "01 02 03 04 05 06" {
		t.Errorf("R42/%s", got)
	}
	for _, c := range []struct{ name, from, subject, text, outcome string }{
		{"a text that begins with a word", tom, "x", "list open\nand then close it", "opens a case"},
		{"a text below", tom, "x", "list open\n\nPlease look into it.", "opens a case"},
		{"a word that is misspelt", tom, "x", "lst open", "opens a case"},
		{"a mail that names a case", tom, "[" + o[0].Case + "]", "list open", "answers"},
		{"a mail that names no case that is", anna, "[CASE-99999]", "list", "opens a case"},
		{"a report that begins like a search", anna, "Your shop", "Search is broken", "opens a case"},
		{"a cry for help", anna, "", "help", "opens a case"},
		{"an agents' word of a customer", anna, "", "list overdue", "opens a case"},
	} {
		t.Run("R45/is as ever: "+c.name, func(t *testing.T) {
			wants(t, w.receive(mail{from: c.from, subject: c.subject, text: c.text}), core.Filed, c.outcome, "")
		})
	}
	for name, subject := range map[string]string{"no subject": "", "the same in the subject": "search subject"} {
		t.Run("R45/a customer's search with "+name, func(t *testing.T) {
			l := w.queries(anna, "search subject", func(m *mail) { m.to, m.subject = "support@desk.example", subject })
			if got := numbersIn(l.Payload.Answers[0]); got != "01 04 03 02" {
				t.Errorf("%s", got)
			}
		})
	}
	t.Run("R33/without plus addresses lists are answered at the desk's address", func(t *testing.T) {
		w := newWorld(t, func(s *core.Settings) { s.ReplyTokens = "off" })
		w.opens(mail{from: anna})
		l := w.queries(mia, "list open", service)
		if l.ReplyTo != "support@desk.example" || l.Command != l.ReplyTo {
			t.Errorf("%s %s", l.ReplyTo, l.Command)
		}
		again := w.queries(mia, "show CASE-10001", func(m *mail) { m.to, m.subject, m.inReplyTo = l.ReplyTo, "Re: lists", l.MessageID })
		if again.Kind != core.CaseSheet {
			t.Errorf("%s", again.Kind)
		}
	})
}

func TestQueries_ofCustomers(t *testing.T) {
	w, o := newLists(t)
	w.exec(`update cases set status = 'closed', class = 'closed' where id = $1`, o[2].CaseID)
	for _, c := range []struct{ name, from, ask, want string }{
		{"what the organisation has that is not over", anna, "list", "01 02 04"},
		{"their own alone", anna, "list mine", "01 02"},
		{"what is over", anna, "list closed", "03"},
		{"in another language", anna, "lijst gesloten", "03"},
		{"somebody of another organisation", carl, "list", "05"},
		{"somebody of none", eve, "list", "06"},
		{"a search within the wall", carl, "search subject", "05"},
		{"a search in the texts of others", carl, `search "text 1"`, ""},
	} {
		t.Run("R45/"+c.name, func(t *testing.T) {
			l := w.queries(c.from, c.ask)
			if got := numbersIn(l.Payload.Answers[0]); got != c.want || l.ForAgent {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
	t.Run("R63/not theirs and none at all are one answer", func(t *testing.T) {
		for _, verb := range []string{"show ", "history "} {
			hidden, missing := w.queries(carl, verb+"CASE-10001"), w.queries(carl, verb+"CASE-10099")
			h, m := tells(hidden), tells(missing)
			if strings.ReplaceAll(h, "10001", "10099") != m || hidden.Kind != missing.Kind || hidden.Payload.Answers[0].Problem != "no-case" {
				t.Errorf("%s\n%s", h, m)
			}
		}
	})
	t.Run("R63/nothing of another organisation in any answer", func(t *testing.T) {
		for _, ask := range []string{"list", "list closed", "list open", "search anna", "search northwind", "search 10001", "search CASE-10001", "search text", "show CASE-10001", "history CASE-10001\nlist"} {
			if s := tells(w.queries(carl, ask)); strings.Contains(s, "Subject 1") || strings.Contains(s, "Text 1") || strings.Contains(s, "anna@") {
				t.Errorf("%s: %s", ask, s)
			}
			w.Clock.Advance(time.Hour)
		}
	})
	t.Run("R40/a history has no note, and no internal event", func(t *testing.T) {
		w.receive(mail{from: mia, text: "Between us.", to: o[0].mia.Internal, inReplyTo: o[0].mia.MessageID})
		l := w.queries(anna, "history CASE-10001")
		if s := tells(l); strings.Contains(s, "Between us") || !strings.Contains(s, "Text 1") {
			t.Error(s)
		}
		if l.Internal != "" || l.ReplyTo == l.From.Address || l.Number != "CASE-10001" {
			t.Errorf("%+v", l)
		}
		wants(t, w.receive(mail{from: anna, text: "One more thing.", to: l.ReplyTo, inReplyTo: l.MessageID}), core.Filed, "joins", "")
	})
	t.Run("R45/an agents' word is none of theirs", func(t *testing.T) {
		p := w.queries(anna, "list mine\nlist overdue\nmorning on").Payload
		if p.Answers[1].Problem == "" || p.Answers[2].Problem == "" || w.count(`select count(*) from preference`) != 0 {
			t.Errorf("%+v", p.Answers)
		}
		wants(t, w.receive(mail{from: anna, to: command, subject: "x", text: "list overdue"}), core.Filed, "opens a case", "")
	})
	for name, m := range map[string]mail{
		"unverified":                  {text: "list", unverified: true},
		"a machine's":                 {text: "list", change: func(m *core.Mail) { m.Marks.AutoSubmitted = "auto-generated" }},
		"a signed mail handed on":     {text: "list", change: func(m *core.Mail) { m.Signatures[0].ToOpen = true }},
		"text at the command address": {text: "My printer burns."},
	} {
		t.Run("R45/as ever: "+name, func(t *testing.T) {
			w.Clock.Advance(24 * time.Hour)
			m.from, m.to, m.subject = anna, command, "x"
			wants(t, w.receive(m), core.Filed, "opens a case", "")
			if l := kinds(w.letters(), core.Worklist); len(l) != 0 {
				t.Errorf("%+v", l)
			}
		})
	}
	t.Run("R45/unverified, with a live reply address of theirs", func(t *testing.T) {
		with := func(token string) func(*mail) {
			return func(m *mail) {
				m.unverified = true
				m.change = func(m *core.Mail) { m.Cc = []core.Address{{Address: token}} }
			}
		}
		if got := numbersIn(w.queries(bob, "list", with(o[3].confirmation.ReplyTo)).Payload.Answers[0]); got == "" {
			t.Error("nothing is listed")
		}
		m := mail{from: bob, to: command, subject: "x", text: "list closed"}
		with(o[0].confirmation.ReplyTo)(&m)
		if r := w.receive(m); r.Outcome == "answers a query" {
			t.Error("another's token opened a list")
		}
	})
	t.Run("R48/answers count apart, and have an end", func(t *testing.T) {
		w, _ := newLists(t)
		n := 0
		for i := range 12 {
			w.receive(mail{from: carl, to: command, subject: fmt.Sprint(i), text: "list"})
			n += len(kinds(w.letters(), core.Worklist))
			w.Clock.Advance(5 * time.Second)
		}
		if n != 5 {
			t.Errorf("%d answers", n)
		}
		o := w.opens(mail{from: carl, subject: "Next"})
		if o.confirmation.To.Address != carl {
			t.Error("and no confirmation is left")
		}
	})
}

// Nobody proved who wrote this case: what is mailed of it repeats nothing.
func TestQueries_ofACaseThatNobodyProved(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: bob, name: "Buy now", subject: "Cheap pills", text: "https://evil.example", unverified: true})
	w.opens(mail{from: anna})
	t.Run("R51/neither title nor text, to a colleague who asks", func(t *testing.T) {
		for _, ask := range []string{"list", "show " + o.Case, "history " + o.Case, "search pills"} {
			l := w.queries(anna, ask)
			if s := tells(l); strings.Contains(s, "Cheap") || strings.Contains(s, "evil") || strings.Contains(s, "Buy now") {
				t.Errorf("%s: %s", ask, s)
			}
		}
	})
	t.Run("R42/agents read all of it", func(t *testing.T) {
		if s := tells(w.queries(mia, "show "+o.Case)); !strings.Contains(s, "evil") || !strings.Contains(s, "unverified") {
			t.Error(s)
		}
	})
}

func TestQueries_whoTakesPartSeesWhatCameSince(t *testing.T) {
	w := newWorld(t, nil)
	w.opens(mail{from: carl, subject: "Carl's"})
	o := w.opens(mail{from: anna, subject: "Anna's", text: "An old secret."})
	w.Clock.Advance(time.Hour)
	w.exec(`insert into participant (case_id, person, since) select $1, person, $2 from address where address = $3`, o.CaseID, w.Clock.Now(), carl)
	w.Clock.Advance(time.Hour)
	w.answers(o, "A new answer.")
	t.Run("R38/in a history", func(t *testing.T) {
		s := tells(w.queries(carl, "history "+o.Case))
		if strings.Contains(s, "old secret") || !strings.Contains(s, "A new answer") {
			t.Error(s)
		}
	})
	t.Run("R38/in a search", func(t *testing.T) {
		for search, want := range map[string]string{"secret": "", "answer": "02", "anna": "02"} {
			if got := numbersIn(w.queries(carl, "search "+search).Payload.Answers[0]); got != want {
				t.Errorf("%s: %q", search, got)
			}
		}
	})
}

func TestSearch_inTexts(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna, name: "Anna Berg", subject: "Printer in Hall-2 says E-204", text: "Der Drücker über dem Flur. Serial 12.34-X"})
	other := w.opens(mail{from: carl, subject: "Invoice", text: "nothing"})
	w.receive(mail{from: mia, text: "Clean the roller.", to: o.mia.ReplyTo, inReplyTo: o.mia.MessageID})
	w.receive(mail{from: mia, text: "She forgot the contract.", to: o.mia.Internal, inReplyTo: o.mia.MessageID})
	w.receive(mail{from: anna, subject: o.Case, text: "Nothing helps.", change: func(m *core.Mail) { m.Rest = "quoted zebra" }})
	agent, customer, stranger := w.signsIn(mia), w.signsIn(anna), w.signsIn(carl)
	for _, c := range []struct {
		name, search string
		agent, own   bool // who finds the case
	}{
		{"title", "printer", true, true},
		{"the beginning of a word", "prin", true, true},
		{"with a star", "prin*", true, true},
		{"not its end", "inter", false, false},
		{"description", "drücker", true, true},
		{"capitals", "DRÜCKER ÜBER", true, true},
		{"a code with a dash", "E-204", true, true},
		{"a part of it", "204", true, true},
		{"dots and dashes", "12.34-x", true, true},
		{"a comment of the desk", "roller", true, true},
		{"a comment of the customer", "helps", true, true},
		{"words of several texts", "roller helps printer", true, true},
		{"a word too many", "roller elephant", false, false},
		{"a phrase", `"clean the roller"`, true, true},
		{"a phrase in another order", `"roller clean"`, false, false},
		{"the requester's name", "anna berg", true, true},
		{"the requester's address", "anna@northwind.example", true, true},
		{"the organisation", "northwind", true, true},
		{"the number", "case-10001", true, true},
		{"the bare number", "10001", true, true},
		{"the number among words", "printer CASE-10001", true, true},
		{"a note", "contract", true, false},
		{"quoted history", "zebra", false, false},
		{"nothing that could be found", "***", false, false},
		{"the language of searches", "printer | invoice", false, false},
		{"a hostile search", `') or 1=1 --' & !x <-> :* \`, false, false},
	} {
		t.Run("R17/"+c.name, func(t *testing.T) {
			found := func(v core.Viewer, q core.CaseQuery) bool {
				q.Search = c.search
				all := w.numbers(v, q)
				return fmt.Sprint(all) == "["+o.Case+"]"
			}
			for scope, want := range map[string]bool{"desk": c.agent, "organisation": false} {
				if got := found(agent, core.CaseQuery{Scope: scope}); got != want {
					t.Errorf("agent, %s: %v", scope, got)
				}
			}
			if got := found(customer, core.CaseQuery{Scope: "mine"}); got != c.own {
				t.Errorf("customer: %v", got)
			}
			if found(stranger, core.CaseQuery{Scope: "mine"}) {
				t.Error("a stranger finds it")
			}
			if got := numbersIn(w.queries(mia, "search "+c.search).Payload.Answers[0]) == "01"; got != c.agent {
				t.Errorf("by mail: %v", got)
			}
		})
	}
	if got := w.numbers(agent, core.CaseQuery{Scope: "desk", Search: "nothing"}); fmt.Sprint(got) != "["+other.Case+" "+o.Case+"]" && len(got) != 2 {
		t.Errorf("R17/%v", got)
	}
	t.Run("R17/a text of whatever kind and size is kept, and its beginning searched", func(t *testing.T) {
		for name, text := range map[string]string{
			"letters":   strings.Repeat("a b.c/d ", 40_000),
			"addresses": manyWords(func(i int) string { return fmt.Sprintf("%x.%x/%x-%x ", i, i, i, i) }),
			"numbers":   manyWords(func(i int) string { return fmt.Sprintf("%d ", i) }),
			"Chinese":   manyWords(func(i int) string { return string(rune(0x4e00+i%20000)) + string(rune(0x4e00+i/20000)) + " " }),
			"one word":  strings.Repeat("x", 1<<20),
			"emoji":     strings.Repeat("🔥", 1<<18),
		} {
			r := w.receive(mail{from: anna, subject: "Big " + name, text: "needle " + text})
			wants(t, r, core.Filed, "opens a case", "")
			if got := w.numbers(agent, core.CaseQuery{Scope: "desk", Search: "needle big " + name}); fmt.Sprint(got) != "["+r.Case+"]" {
				t.Errorf("%s: %v", name, got)
			}
		}
	})
}

// manyWords is a text of a MiB in which hardly a word is twice.
func manyWords(word func(int) string) string {
	var b strings.Builder
	for i := 0; b.Len() < 1<<20; i++ {
		b.WriteString(word(i))
	}
	return b.String()
}

func TestHistory_hasAnEnd(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna, text: "first " + strings.Repeat("a", 1<<20)})
	for i := range 6 {
		w.Clock.Advance(time.Minute)
		w.receive(mail{from: anna, subject: o.Case, text: fmt.Sprintf("comment %d %s", i, strings.Repeat("ä ", 30_000))})
	}
	w.Clock.Advance(time.Hour)
	size := func(s *core.Sheet) (n int) {
		for _, e := range s.Entries {
			n += len(e.Text)
		}
		return n
	}
	t.Run("R42/200 KiB, the newest, and how many are left out", func(t *testing.T) {
		s := w.queries(mia, "history "+o.Case).Payload.Answers[0].Sheet
		last := s.Entries[len(s.Entries)-1]
		if n := size(s); n > 210<<10 || n < 150<<10 || s.Left < 3 || !strings.HasPrefix(last.Text, "comment 5") || last.Cut {
			t.Errorf("%d bytes, %d left, ends with %.20q", n, s.Left, last.Text)
		}
	})
	t.Run("R42/show cuts each text", func(t *testing.T) {
		s := w.queries(mia, "show "+o.Case).Payload.Answers[0].Sheet
		if n := size(s); n > 5*8<<10 || len(s.Entries) != 5 || !s.Entries[0].Cut || s.Left != 2 {
			t.Errorf("%d bytes, %d entries, %d left", n, len(s.Entries), s.Left)
		}
	})
	t.Run("R42/ten histories in a mail are no larger than one", func(t *testing.T) {
		n := 0
		for _, a := range w.queries(mia, strings.Repeat("history "+o.Case+"\n", 10)).Payload.Answers {
			n += size(a.Sheet)
		}
		if n > 900<<10 {
			t.Errorf("%d bytes", n)
		}
	})
}

func TestList_hasAnEnd(t *testing.T) {
	w := newWorld(t, nil)
	w.opens(mail{from: anna})
	w.exec(`insert into cases (desk, number, title, description, requester, organisation, status, class, opened_at, changed_at, status_at)
		select desk, number + n, 'Case ' || n, '', requester, organisation, status, class, opened_at + n * interval '1 minute', changed_at, status_at
		from cases, generate_series(1, 120) n`)
	t.Run("R42/fifty, the oldest first, and how many more", func(t *testing.T) {
		for from, ask := range map[string]string{mia: "list open", anna: "list", tom: "search case"} {
			a := w.queries(from, ask).Payload.Answers[0]
			if len(a.Cases) != 50 || a.More != 71 && from != tom || from == mia && a.Cases[0].Number != "CASE-10001" {
				t.Errorf("%s: %d and %d, first %s", from, len(a.Cases), a.More, a.Cases[0].Number)
			}
		}
	})
}

func TestSendMornings(t *testing.T) {
	w, o := newLists(t)
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	morning := func(day, hour, minute int) { w.Clock.Set(time.Date(2026, 11, day, hour, minute, 0, 0, zone)) }
	sends := func(want int) []core.Letter {
		t.Helper()
		w.letters()
		n, err := w.SendMornings(t.Context())
		if err != nil || n != want {
			t.Errorf("%d sent, want %d; %v", n, want, err)
		}
		return kinds(w.letters(), core.Morning)
	}
	morning(4, 9, 0)
	t.Run("R42/off until an agent says so", func(t *testing.T) { sends(0) })
	w.queries(mia, "morning on")
	w.queries(tom, "ochtend aan")
	w.queries(tom, "morning off")
	w.answers(o[0], "Mine now.")
	w.answers(o[1], "And mine.")
	w.receive(mail{from: mia, text: "Mine.", to: o[4].mia.ReplyTo, inReplyTo: o[4].mia.MessageID})
	w.Clock.Advance(time.Second)
	w.receive(mail{from: anna, subject: o[1].Case, text: "Still burning."})
	w.exec(`update cases set due_at = $1 where id = $2`, w.Clock.Now().Add(-time.Hour), o[4].CaseID)
	w.holds(mail{from: eve, subject: "Pills", text: "x", change: spam}, "spam")
	t.Run("R42/what the day holds, in the order in which it matters", func(t *testing.T) {
		l := sends(1)[0]
		var got []string
		for _, a := range l.Payload.Answers {
			got = append(got, a.Scope+" "+numbersIn(a))
		}
		if fmt.Sprint(got) != "[overdue 05 waiting 02 mine 01]" || l.Payload.Unassigned != 3 || l.Payload.HeldCount[core.HeldSpam] != 1 || l.To.Address != mia || l.ReplyTo != command {
			t.Errorf("%v, %+v", got, l)
		}
	})
	t.Run("R62/once a day, whoever asks again", func(t *testing.T) {
		sends(0)
		morning(4, 11, 59)
		sends(0)
	})
	t.Run("R62/at the opening of the next day", func(t *testing.T) {
		morning(5, 8, 59)
		sends(0)
		morning(5, 9, 0)
		sends(1)
	})
	t.Run("R62/not in the afternoon, not at the weekend", func(t *testing.T) {
		morning(6, 12, 0)
		sends(0)
		morning(7, 9, 0)
		sends(0)
		morning(8, 9, 0)
		sends(0)
	})
	t.Run("R42/nothing to say is not said", func(t *testing.T) {
		w.exec(`update cases set status = 'closed', class = 'closed'`)
		w.exec(`update ledger set state = 'refused' where state = 'held'`)
		morning(9, 9, 0)
		sends(0)
	})
	t.Run("R42/off is off", func(t *testing.T) {
		w.exec(`update cases set status = 'open', class = 'new', owner = null`)
		w.queries(mia, "morning off")
		morning(10, 9, 0)
		sends(0)
	})
	t.Run("R44/who is an agent no more hears nothing", func(t *testing.T) {
		w.queries(mia, "morning on")
		w.exec(`delete from agent where person = (select person from address where address = $1)`, mia)
		morning(11, 9, 0)
		sends(0)
	})
}

func TestQueries_ofErasedPeople(t *testing.T) {
	w, o := newLists(t)
	w.queries(mia, "list open")
	w.queries(mia, "history "+o[4].Case)
	if _, err := w.Erase(t.Context(), carl, false); err != nil {
		t.Fatal(err)
	}
	if n := w.count(`select count(*) from outbox where payload::text ilike '%Subject 5%' or payload::text ilike '%Text 5%'`); n != 0 {
		t.Errorf("R66/%d letters tell of them", n)
	}
}
