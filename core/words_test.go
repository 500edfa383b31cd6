package core_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"postern/core"
)

// resolved is a case of Anna's that Mia has solved.
func (w *world) resolved() (opened, core.Letter) {
	w.t.Helper()
	o := w.opens(mail{from: anna})
	return o, w.answers(o, "#status resolved\nUse water.")
}

func TestReceive_wordsOfACustomer(t *testing.T) {
	for _, c := range []struct {
		name    string
		text    string
		forged  bool   // nothing verifies the mail
		token   string // whose: "own", "agent's", "colleague's", ""
		from    string
		status  string
		refused string // the reason in the answer
	}{
		{name: "close, verified", text: "Close", status: "closed"},
		{name: "close, in Dutch", text: "Akkoord.", status: "closed"},
		{name: "close with a thank-you below", text: "Close.\n\nThank you!", status: "closed"},
		{name: "close, unverified, with one's own live token", text: "close", forged: true, token: "own", status: "closed"},
		{name: "close, unverified, without a token, is asked on a page", text: "close", forged: true, status: "resolved", refused: "unproved"},
		{name: "close, unverified, with somebody else's token, is asked on a page", text: "close", forged: true, token: "agent's", status: "resolved", refused: "unproved"},
		{name: "close by a colleague, verified", text: "close", from: bob, status: "closed"},
		{name: "cancel, verified", text: "cancel", status: "cancelled"},
		{name: "cancel, unverified, is asked on a page", text: "cancel", forged: true, status: "resolved", refused: "unproved"},
		{name: "disagree without a text is asked why", text: "disagree", status: "resolved", refused: "comment"},
		{name: "disagree with a text leads back", text: "Disagree\nIt still burns.", status: "in-progress"},
		{name: "disagree, unverified, leads back: it binds nobody", text: "Disagree\nIt still burns.", forged: true, status: "in-progress"},
		{name: "a question is no word", text: "closed?", status: "in-progress"},
		{name: "a sentence is no word", text: "please close it", status: "in-progress"},
		{name: "a plain answer leads to in progress", text: "It still burns.", status: "in-progress"},
		{name: "another status' word is an answer", text: "reopen", status: "in-progress"},
	} {
		t.Run("R45/"+c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o, answer := w.resolved()
			if c.from == "" {
				c.from = anna
			}
			m := mail{from: c.from, subject: "Re: [" + o.Case + "]", text: c.text, unverified: c.forged}
			switch c.token {
			case "own":
				m.to = answer.ReplyTo
			case "agent's":
				m.to = o.tom.ReplyTo
			}
			r := w.receive(m)
			if r.State != core.Filed || r.CaseID != o.CaseID {
				t.Fatalf("%+v", r)
			}
			if got := w.status(o); got != c.status {
				t.Errorf("the case is %s, want %s: %v", got, c.status, r.Trace)
			}
			letters := w.letters()
			refused := kinds(letters, core.WordRefused)
			if (len(refused) == 1) != (c.refused != "") {
				t.Fatalf("%d answers to the word", len(refused))
			}
			if c.refused == "" {
				return
			}
			if l := refused[0]; l.Payload.Reason != c.refused || l.To.Address != c.from || len(l.Payload.Links) != 1 || len(l.Payload.Words) == 0 {
				t.Errorf("the answer: %+v", l.Payload)
			}
			if got := w.entries(w.signsIn(anna), o.Case, "comment"); got[len(got)-1] != c.text {
				t.Errorf("the text is lost: %q", got)
			}
		})
	}
}

func TestReceive_aCustomersAnswerEndsTheWaiting(t *testing.T) {
	for from, to := range map[string]string{"need-input": "in-progress", "on-hold": "in-progress", "third-party": "third-party", "open": "open", "in-progress": "in-progress"} {
		t.Run("R45/from "+from, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			if from != "open" {
				w.receive(fromMia(o, "#status "+from+"\nWell.", false))
				w.letters()
			}
			w.receive(mail{from: anna, subject: o.Case, text: "Here it is.", unverified: true})
			if got := w.status(o); got != to {
				t.Errorf("to %s, want %s", got, to)
			}
		})
	}
}

func TestReceive_aReplyAfterTheEnd(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		name    string
		end     string
		after   time.Duration
		text    string
		outcome string
		status  string // of the old case
	}{
		{"R36/within 14 days it reopens", "closed", 13 * day, "It burns again.", "reopens", "in-progress"},
		{"R36/on the last day it reopens", "closed", 14*day - time.Minute, "It burns again.", "reopens", "in-progress"},
		{"R36/a day too late it opens a linked case", "closed", 15 * day, "It burns again.", "opens a case", "closed"},
		{"R45/the word reopens it", "closed", day, "reopen", "reopens", "in-progress"},
		{"R45/the word comes too late", "closed", 15 * day, "reopen", "opens a case", "closed"},
		{"R36/a cancelled case stays so", "cancelled", day, "It burns again.", "opens a case", "cancelled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			w.receive(fromMia(o, "#status "+c.end+"\nBye.", false))
			w.letters()
			w.Clock.Advance(c.after)
			r := w.receive(mail{from: anna, subject: "[" + o.Case + "]", text: c.text})
			wants(t, r, core.Filed, c.outcome, "")
			if got := w.status(o); got != c.status {
				t.Errorf("the old case is %s", got)
			}
			if n := w.count(`select count(*) from cases where linked = $1`, o.CaseID); (n == 1) != (c.outcome == "opens a case") {
				t.Errorf("%d linked cases", n)
			}
		})
	}
}

func TestMoveLink_worksOnceAndOnlyByAPress(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	o, answer := w.resolved()
	link := secret(t, answer)
	before := w.everything()
	for range 3 {
		m, err := w.MoveByLink(ctx, link)
		if err != nil || m.Number != o.Case || m.Now != "Resolved" || m.To != "Closed" || m.Done {
			t.Fatalf("R46: the page shows %+v, %v", m, err)
		}
	}
	if w.status(o) != "resolved" || w.everything() != before {
		t.Fatal("R46: looking at the page changed something")
	}
	m, err := w.PressMove(ctx, link, "")
	if err != nil || !m.Done || m.Now != "Closed" {
		t.Fatalf("R46: pressed: %+v, %v", m, err)
	}
	if w.status(o) != "closed" {
		t.Errorf("the case is %s", w.status(o))
	}
	letters := w.letters()
	to(t, letters, anna, core.StatusNews)
	to(t, letters, mia, core.NoticeStatus)
	w.receive(mail{from: anna, subject: o.Case, text: "reopen"})
	w.letters()
	if m, err := w.PressMove(ctx, link, ""); err != nil || !m.Done {
		t.Errorf("R46: pressed again: %+v, %v", m, err)
	}
	if w.status(o) != "in-progress" {
		t.Errorf("R46: a used link moved the case to %s", w.status(o))
	}
	if letters := w.letters(); len(letters) != 0 {
		t.Errorf("R46: a used link sent %d letters", len(letters))
	}
}

func TestMoveLink_isNoLongerGoodAfterAFortnightNorByGuessing(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	o, answer := w.resolved()
	for _, link := range []string{"", " ", "-", "guess", strings.Repeat("a", 26), secret(t, answer)[1:]} {
		if _, err := w.MoveByLink(ctx, link); !errors.Is(err, core.ErrExpired) {
			t.Errorf("R46/%q: %v", link, err)
		}
		if _, err := w.PressMove(ctx, link, ""); !errors.Is(err, core.ErrExpired) {
			t.Errorf("R46/%q pressed: %v", link, err)
		}
	}
	w.Clock.Advance(14*24*time.Hour + time.Second)
	if _, err := w.PressMove(ctx, secret(t, answer), ""); !errors.Is(err, core.ErrExpired) {
		t.Errorf("R46/an old link: %v", err)
	}
	if w.status(o) != "resolved" {
		t.Errorf("the case is %s", w.status(o))
	}
}

// The link of an unproved word goes to the stored address: whoever forged the
// mail does not get it, and the press of who does is proof.
func TestMoveLink_provesAnUnprovedWord(t *testing.T) {
	w := newWorld(t, nil)
	o, _ := w.resolved()
	w.receive(mail{from: anna, subject: o.Case, text: "close", unverified: true, change: func(m *core.Mail) { m.ReplyTo = []core.Address{{Address: eve}} }})
	l := to(t, w.letters(), anna, core.WordRefused)
	if _, err := w.PressMove(t.Context(), secret(t, l), ""); err != nil || w.status(o) != "closed" {
		t.Errorf("R45: %s, %v", w.status(o), err)
	}
}

func TestMoveCase_byThePressOfAButton(t *testing.T) {
	for _, c := range []struct {
		name, from, to string
		who            string
		err            error
		after          time.Duration
	}{
		{"the customer closes", "resolved", "closed", anna, nil, 0},
		{"a verified colleague closes", "resolved", "closed", bob, nil, 0},
		{"the customer turns down by mail only: a text is needed", "resolved", "in-progress", anna, core.ErrNotAllowed, 0},
		{"the customer cannot resolve", "open", "resolved", anna, core.ErrNotAllowed, 0},
		{"the customer cannot set what is no status", "open", "blue", anna, core.ErrNotAllowed, 0},
		{"the customer reopens in time", "closed", "in-progress", anna, nil, 13 * 24 * time.Hour},
		{"and not too late", "closed", "in-progress", anna, core.ErrNotAllowed, 15 * 24 * time.Hour},
		{"an agent reopens at any time", "closed", "in-progress", mia, nil, 365 * 24 * time.Hour},
		{"an agent cancels by mail only: a reason is needed", "open", "cancelled", mia, core.ErrNotAllowed, 0},
		{"another company's customer finds no such case", "resolved", "closed", carl, core.ErrNotFound, 0},
	} {
		t.Run("R45/"+c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			w.opens(mail{from: bob})
			w.opens(mail{from: carl})
			if c.from != "open" {
				w.receive(fromMia(o, "#status "+c.from+"\nSo.", false))
			}
			w.Clock.Advance(c.after)
			v := w.signsIn(c.who)
			err := w.MoveCase(t.Context(), v, o.Case, c.to)
			want := c.from
			if c.err == nil {
				want = c.to
			}
			if !errors.Is(err, c.err) || w.status(o) != want {
				t.Errorf("%v, the case is %s", err, w.status(o))
			}
			if letters := w.letters(); (len(letters) > 0) != (c.err == nil) {
				t.Errorf("%d letters", len(letters))
			}
		})
	}
}

// What a page offers can be done, and what it does not offer cannot.
func TestCase_offersExactlyTheMovesThatWork(t *testing.T) {
	w := newWorld(t, nil)
	var all []string
	for _, line := range strings.Split(string(source(t, w)), "\n") {
		if key, ok := strings.CutPrefix(line, `key = "`); ok {
			all = append(all, strings.TrimSuffix(key, `"`))
		}
	}
	w.opens(mail{from: anna})
	customer, agent := w.signsIn(anna), w.signsIn(mia)
	for _, from := range []string{"open", "in-progress", "need-input", "on-hold", "third-party", "resolved", "closed", "cancelled"} {
		for _, v := range []core.Viewer{customer, agent} {
			offered := map[string]bool{}
			for _, key := range all {
				w.exec(`update cases set status = $1, class = $2, status_at = $3`, from, class(from), w.Clock.Now())
				if key == from {
					continue
				}
				view, err := w.Case(t.Context(), v, "CASE-10001")
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range view.Moves {
					offered[m.To] = true
				}
				err = w.MoveCase(t.Context(), v, "CASE-10001", key)
				if (err == nil) != offered[key] {
					t.Errorf("R45/%s from %s to %s: offered %v, pressed %v", v.Address, from, key, offered[key], err)
				}
			}
		}
	}
}

func class(status string) string {
	switch status {
	case "open":
		return "new"
	case "in-progress":
		return "open"
	case "need-input", "on-hold":
		return "customer"
	case "third-party":
		return "blocked"
	case "cancelled":
		return "rejected"
	}
	return status
}

func source(t testing.TB, w *world) []byte {
	t.Helper()
	s, _, err := w.DeskSource(t.Context(), "support")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestReceive_wordsThatCannotBeFollowedAreAnsweredFiveTimes(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	w.letters()
	for i := range 9 {
		w.receive(mail{from: anna, subject: "Re: [" + o.Case + "]", text: "close", unverified: true, id: fmt.Sprintf("w%d@client.example", i)})
	}
	n := 0
	for _, l := range w.letters() {
		if l.Kind == core.WordRefused {
			n++
		}
	}
	if n != 5 {
		t.Errorf("R48: %d answers to a word within 10 minutes", n)
	}
}
