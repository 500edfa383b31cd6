package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"postern/core"
)

// linkTo is the secret of a letter's link of this purpose that leads to a status.
func linkTo(t testing.TB, l core.Letter, purpose, status string) string {
	t.Helper()
	for _, k := range l.Payload.Links {
		if k.Purpose == purpose && k.Move == status {
			return k.URL[strings.LastIndexByte(k.URL, '/')+1:]
		}
	}
	t.Fatalf("%s has no link %s to %s: %+v", l.Kind, purpose, status, l.Payload.Links)
	return ""
}

// marks are those of the newest comment of a case.
func (w *world) marks(o opened) string {
	w.t.Helper()
	return w.text(`select array_to_string(marks, ' ') from comment where case_id = $1 order by id desc limit 1`, o.CaseID)
}

func TestReceive_wordsAsPeopleWriteThem(t *testing.T) {
	w := newWorld(t, nil)
	o, _ := w.resolved()
	for _, c := range []struct{ name, text, status string }{
		{"with please", "Close please", "closed"},
		{"in the other language, with thanks", "Sluiten a.u.b.", "closed"},
		{"with politeness of a language that the desk does not have", "Bitte close, danke!", "closed"},
		{"in quotes and capitals", "\u201cCLOSE\u201d.", "closed"},
		{"with a signature below", "close\n\nKind regards\nAnna Berg\nNorthwind", "closed"},
		{"below the banner of a mail system", "CAUTION: This email originated from outside of the organization. Do not click links or open attachments.\n\nClose", "closed"},
		{"not to close is text", "Please do not close", "in-progress"},
		{"a question is text", "close please?", "in-progress"},
	} {
		t.Run("R45/"+c.name, func(t *testing.T) {
			w.exec(`update cases set status = 'resolved', class = 'resolved', status_at = $1`, w.Clock.Now())
			w.receive(mail{from: anna, subject: "Re: [" + o.Case + "]", text: c.text})
			if got := w.status(o); got != c.status {
				t.Errorf("the case is %s", got)
			}
			w.Clock.Advance(time.Hour)
		})
	}
}

func TestReceive_politenessBelowAWordIsNoComment(t *testing.T) {
	w := newWorld(t, nil)
	o, _ := w.resolved()
	for _, c := range []struct {
		name, text string
		comments   int
	}{
		{"a closing and the name", "Close, thank you!\n\nKind regards,\nAnna", 0},
		{"in Dutch, with thanks", "Akkoord\n\nBedankt!\n\nMet vriendelijke groet,\n\nAnna Berg", 0},
		{"what stands below the name is text", "close\n\nKind regards,\nAnna\n\nPS: the other one still burns", 1},
		{"a telephone is text", "close\n\nRegards\nAnna\n+31 20 5550123", 1},
	} {
		t.Run("R45/"+c.name, func(t *testing.T) {
			w.exec(`update cases set status = 'resolved', class = 'resolved', status_at = $1`, w.Clock.Now())
			before := w.text(`select count(*)::text from comment`)
			w.receive(mail{from: anna, name: "Anna Berg", subject: "Re: [" + o.Case + "]", text: c.text})
			if got := w.text(`select (count(*) - $1::int)::text from comment`, before); got != fmt.Sprint(c.comments) || w.status(o) != "closed" {
				t.Errorf("%s comments, the case is %s", got, w.status(o))
			}
			w.Clock.Advance(time.Hour)
		})
	}
}

func TestReceive_aWordWithoutItsTextIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		name   string
		first  string
		change func(*testing.T, *world, opened, *mail)
		status string
	}{
		{name: "the answer to the question is the text", status: "in-progress"},
		{name: "a closing with a name is no text yet", first: "Disagree.\n\nKind regards\nAnna", status: "in-progress"},
		{name: "by In-Reply-To where plus addresses do not come through", status: "in-progress",
			change: func(t *testing.T, w *world, o opened, m *mail) { m.to = "" }},
		{name: "a word on top of the answer goes before it", status: "closed",
			change: func(t *testing.T, w *world, o opened, m *mail) { m.text = "close" }},
		{name: "somebody else's answer to it is a comment", status: "resolved",
			change: func(t *testing.T, w *world, o opened, m *mail) { m.from = bob }},
		{name: "a fortnight later it is a comment", status: "resolved",
			change: func(t *testing.T, w *world, o opened, m *mail) { w.Clock.Advance(14*24*time.Hour + time.Minute) }},
		{name: "after the status has changed it is a comment", status: "resolved",
			change: func(t *testing.T, w *world, o opened, m *mail) {
				w.Clock.Advance(time.Minute)
				w.exec(`update cases set status_at = $1`, w.Clock.Now())
			}},
	} {
		t.Run("R45/"+c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			// a plain answer moves nothing here, so what moves is the word
			w.apply(t, func(s string) string {
				return replace(t, s, "label = \"Resolved\"\nanswer = \"in-progress\"", "label = \"Resolved\"\nanswer = \"resolved\"")
			})
			o, _ := w.resolved()
			if c.first == "" {
				c.first = "disagree"
			}
			w.receive(mail{from: anna, subject: o.Case, text: c.first})
			q := to(t, w.letters(), anna, core.WordRefused)
			if q.Payload.Reason != "comment" || len(q.Payload.Words) != 1 || q.Payload.Words[0].Word != "disagree" || w.status(o) != "resolved" {
				t.Fatalf("%s: %+v", w.status(o), q.Payload)
			}
			linkTo(t, q, "move", "in-progress")
			m := mail{from: anna, subject: "Re: " + o.Case, text: "It still burns.", to: q.ReplyTo, inReplyTo: q.MessageID}
			if c.change != nil {
				c.change(t, w, o, &m)
			}
			w.lease()
			r := w.receive(m)
			if got := w.status(o); got != c.status || r.CaseID != o.CaseID {
				t.Errorf("the case is %s, want %s: %v", got, c.status, r.Trace)
			}
			if got := w.entries(w.signsIn(anna), o.Case, "comment"); m.text != "close" && got[len(got)-1] != m.text {
				t.Errorf("the text is lost: %q", got)
			}
		})
	}
}

// testing is a desk of which customers may neither close nor cancel, and which
// shows its two words again while a test is asked for.
const testingDesk = `
name = "Onboarding"
prefix = "CASE"
languages = ["en", "da"]
timezone = "Europe/Copenhagen"
unknown = "opens"
sees = "organisation"
initial = "new"
[reopen]
days = -1
to = "received"
[[status]]
key = "new"
class = "new"
label = "10 - New"
taken = "started"
means = "We have it."
[[status]]
key = "received"
class = "new"
label = "11 - Received"
taken = "started"
means = "We have it again."
[[status]]
key = "started"
class = "open"
label = "31 - Started"
means = "We work on it."
[[status]]
key = "migrated"
class = "customer"
label = "40 - Migrated to Test"
answer = "migrated"
means = "Please test."
[[status]]
key = "test-ok"
class = "open"
label = "51 - Test OK"
means = "You tested it, and it works."
[[status]]
key = "test-not-ok"
class = "open"
label = "52 - Test not OK"
means = "You tested it, and it does not work."
[[status]]
key = "closed"
class = "closed"
label = "90 - Closed"
means = "It is over."
[[move]]
from = "*"
to = "started"
by = "agent"
[[move]]
from = "started"
to = "migrated"
by = "agent"
[[move]]
from = "migrated"
to = "test-ok"
by = "customer"
words = { en = ["test ok"], da = ["test ok", "testen gik godt"] }
[[move]]
from = "migrated"
to = "test-not-ok"
by = "customer"
words = { en = ["test not ok"], da = ["test ikke ok"] }
requires = "comment"
binding = true
[[move]]
from = "*"
to = "closed"
by = "agent"
[[move]]
from = "closed"
to = "received"
by = "customer"
words.en = ["reopen"]
`

// onTest is a case of Anna's in status 40 of that desk.
func onTest(t *testing.T) (*world, opened) {
	w := newWorld(t, nil)
	moves := map[string]string{}
	for _, key := range []string{"open", "in-progress", "need-input", "on-hold", "third-party", "resolved", "cancelled"} {
		moves[key] = "new"
	}
	if _, err := w.ApplyDesk(t.Context(), "support", []byte(testingDesk), moves, false); err != nil {
		t.Fatal(err)
	}
	o := w.opens(mail{from: anna})
	w.receive(fromMia(o, "#status started\nWe start.", false))
	w.letters()
	w.receive(fromMia(o, "#status migrated\nPlease test.", false))
	l := to(t, w.letters(), anna, core.Answer)
	linkTo(t, l, "move", "test-ok")
	linkTo(t, l, "move", "test-not-ok")
	return w, o
}

func TestReceive_aPlainAnswerWhileATestIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		name, text string
		status     string
		mark       string
		reason     string // of the answer
	}{
		{"shows the two words again", "I will look at it tomorrow.", "migrated", "", "words"},
		{"a wish to close is marked, and the words are shown", "Please close this case", "migrated", "wish-close", "words"},
		{"so is one to cancel, in a language of the desk", "Annuller sagen, tak", "migrated", "wish-cancel", "words"},
		{"and one of another language", "Diesen Fall schließen", "migrated", "wish-close", "words"},
		{"a word of another status is marked", "reopen", "migrated", "wish-reopen", "words"},
		{"the word makes the move", "Test OK!", "test-ok", "", ""},
		{"in the other language too", "testen gik godt, mange tak", "test-ok", "", ""},
		{"the word that needs a text is asked about", "test not ok", "migrated", "", "comment"},
		{"with its text it makes the move", "test not ok\nTheimport fails.", "test-not-ok", "", ""},
	} {
		t.Run("R45/"+c.name, func(t *testing.T) {
			w, o := onTest(t)
			r := w.receive(mail{from: anna, subject: o.Case, text: c.text})
			if got := w.status(o); got != c.status {
				t.Errorf("the case is %s: %v", got, r.Trace)
			}
			letters := w.letters()
			refused := kinds(letters, core.WordRefused)
			if (len(refused) == 1) != (c.reason != "") || len(refused) == 1 && refused[0].Payload.Reason != c.reason {
				t.Errorf("answers %+v", refused)
			}
			if c.reason == "words" && (len(refused[0].Payload.Words) != 2 || len(refused[0].Payload.Links) != 2) {
				t.Errorf("%+v", refused[0].Payload)
			}
			if c.status != "migrated" {
				return
			}
			if got := w.marks(o); got != c.mark {
				t.Errorf("marks %q, want %q", got, c.mark)
			}
			for _, l := range letters {
				if l.ForAgent && strings.Join(l.Payload.Marks, " ") != c.mark {
					t.Errorf("%s to %s tells %q", l.Kind, l.To.Address, l.Payload.Marks)
				}
			}
		})
	}
	t.Run("R45/an unproved binding word with its text is asked for on a page, and the answer to the question is not enough", func(t *testing.T) {
		w, o := onTest(t)
		w.receive(mail{from: anna, subject: o.Case, text: "test not ok\nIt fails.", unverified: true})
		l := to(t, w.letters(), anna, core.WordRefused)
		if l.Payload.Reason != "unproved" || w.status(o) != "migrated" {
			t.Fatalf("%+v", l.Payload)
		}
		w.receive(mail{from: anna, subject: o.Case, text: "It fails.", unverified: true, inReplyTo: l.MessageID})
		if w.status(o) != "migrated" {
			t.Errorf("the case is %s", w.status(o))
		}
	})
	t.Run("R48/the words are shown five times in ten minutes at most", func(t *testing.T) {
		w, o := onTest(t)
		for i := range 8 {
			w.receive(mail{from: anna, subject: o.Case, text: strings.Repeat("Tomorrow. ", i+1)})
		}
		if n := len(kinds(w.letters(), core.WordRefused)); n != 5 {
			t.Errorf("%d times", n)
		}
	})
}

func TestReceive_aWordThatIsFulfilledAlreadyMovesNothing(t *testing.T) {
	w := newWorld(t, nil)
	o, _ := w.resolved()
	w.receive(mail{from: anna, subject: o.Case, text: "close"})
	for text, status := range map[string]string{"Close please.": "closed", "close\nKind regards\nAnna": "closed", "close\nBut it still burns.": "in-progress"} {
		t.Run("R45/"+text, func(t *testing.T) {
			w.exec(`update cases set status = 'closed', class = 'closed'`)
			w.receive(mail{from: anna, subject: o.Case, text: text})
			if got := w.status(o); got != status {
				t.Errorf("a closed case became %s", got)
			}
		})
	}
}

func TestMoveLink_oneForEachWord(t *testing.T) {
	ctx := context.Background()
	t.Run("R46/the link of a word that needs a text takes it, and refuses to go without", func(t *testing.T) {
		w := newWorld(t, nil)
		o, answer := w.resolved()
		link := linkTo(t, answer, "move", "in-progress")
		before := w.everything()
		if m, err := w.MoveByLink(ctx, link); err != nil || !m.NeedsText || m.Done || m.Gone {
			t.Fatalf("%+v, %v", m, err)
		}
		for _, text := range []string{"", " \r\n\t\x00 ", strings.Repeat("x", 10_001)} {
			if _, err := w.PressMove(ctx, link, text); !errors.Is(err, core.ErrNoText) {
				t.Errorf("%.20q: %v", text, err)
			}
		}
		if w.everything() != before {
			t.Fatal("a press without a text changed something")
		}
		if m, err := w.PressMove(ctx, link, "It still\r\nburns.\x00\xff"); err != nil || !m.Done {
			t.Fatalf("%+v, %v", m, err)
		}
		if w.status(o) != "in-progress" {
			t.Errorf("the case is %s", w.status(o))
		}
		letters := w.letters()
		if l := to(t, letters, mia, core.NoticeComment); l.Text != "It still\nburns.\uFFFD" || !l.Payload.Changed || l.Payload.Actor == "" {
			t.Errorf("R19: %q, %+v", l.Text, l.Payload)
		}
		for _, l := range letters {
			if slices.ContainsFunc(l.Payload.Links, func(k core.Link) bool { return k.Purpose == "undo" }) {
				t.Errorf("%s to %s takes back what binds nobody", l.Kind, l.To.Address)
			}
		}
		if got := w.entries(w.signsIn(anna), o.Case, "comment"); !slices.Contains(got, "It still\nburns.\uFFFD") {
			t.Errorf("comments %q", got)
		}
	})
	t.Run("R46/each is another secret, and a text where none is needed is not taken", func(t *testing.T) {
		w := newWorld(t, nil)
		o, answer := w.resolved()
		seen := map[string]bool{}
		for _, k := range answer.Payload.Links {
			seen[k.URL] = true
		}
		if len(seen) != 3 {
			t.Errorf("%d links", len(seen))
		}
		if _, err := w.PressMove(ctx, linkTo(t, answer, "move", "cancelled"), "junk"); err != nil || w.status(o) != "cancelled" {
			t.Errorf("%s, %v", w.status(o), err)
		}
		if n := w.count(`select count(*) from comment where text = 'junk'`); n != 0 {
			t.Error("a text came in")
		}
	})
	t.Run("R46/the confirmation offers what its words do", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		if _, err := w.PressMove(ctx, linkTo(t, o.confirmation, "move", "cancelled"), ""); err != nil || w.status(o) != "cancelled" {
			t.Errorf("%s, %v", w.status(o), err)
		}
	})
	t.Run("R46/another status meanwhile is said, and changes nothing", func(t *testing.T) {
		w := newWorld(t, nil)
		o, answer := w.resolved()
		link := linkTo(t, answer, "move", "closed")
		w.receive(mail{from: anna, subject: o.Case, text: "cancel"})
		w.letters()
		if m, err := w.MoveByLink(ctx, link); err != nil || !m.Gone || m.Now != "Cancelled" {
			t.Errorf("%+v, %v", m, err)
		}
		if m, err := w.PressMove(ctx, link, ""); !errors.Is(err, core.ErrNotAllowed) || m.Now != "Cancelled" || w.status(o) != "cancelled" {
			t.Errorf("%+v, %v, %s", m, err, w.status(o))
		}
	})
	t.Run("R46/a used one says what happened, also when it is old", func(t *testing.T) {
		w := newWorld(t, nil)
		_, answer := w.resolved()
		link := linkTo(t, answer, "move", "closed")
		if _, err := w.PressMove(ctx, link, ""); err != nil {
			t.Fatal(err)
		}
		at := w.Clock.Now()
		w.Clock.Advance(15 * 24 * time.Hour)
		if m, err := w.MoveByLink(ctx, link); err != nil || !m.Done || !m.Used.Equal(at) || m.To != "Closed" {
			t.Errorf("%+v, %v", m, err)
		}
	})
	t.Run("R63/who may see the case no longer learns nothing", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna, change: cc(bob)})
		w.receive(fromMia(o, "#status resolved\nUse water.", false))
		l := to(t, w.letters(), bob, core.Answer)
		link := linkTo(t, l, "move", "closed")
		if m, err := w.MoveByLink(ctx, link); err != nil || m.Number != o.Case {
			t.Fatalf("%+v, %v", m, err)
		}
		w.exec(`delete from participant`)
		w.exec(`delete from member where person = (select person from address where address = $1)`, bob)
		_, none := w.MoveByLink(ctx, "aaaaaaaaaaaaaaaaaaaaaaaaaa")
		if m, err := w.MoveByLink(ctx, link); !errors.Is(err, core.ErrExpired) || err.Error() != none.Error() || m != (core.MoveLink{}) {
			t.Errorf("%+v, %v", m, err)
		}
		if _, err := w.PressMove(ctx, link, ""); !errors.Is(err, core.ErrExpired) || w.status(o) != "resolved" {
			t.Errorf("%v, %s", err, w.status(o))
		}
	})
	t.Run("R46/a case that was merged says where it goes on, to who may see that", func(t *testing.T) {
		w := newWorld(t, nil)
		o, answer := w.resolved()
		other := w.opens(mail{from: anna, subject: "Another"})
		foreign := w.opens(mail{from: carl})
		link := linkTo(t, answer, "move", "closed")
		for into, goesOn := range map[int64]string{other.CaseID: other.Case, foreign.CaseID: ""} {
			w.exec(`update cases set merged_into = $1 where id = $2`, into, o.CaseID)
			m, err := w.MoveByLink(ctx, link)
			if err != nil || !m.Gone || m.GoesOn != goesOn {
				t.Errorf("%+v, %v", m, err)
			}
			if _, err := w.PressMove(ctx, link, ""); !errors.Is(err, core.ErrNotAllowed) || w.status(o) != "resolved" {
				t.Errorf("%v, %s", err, w.status(o))
			}
		}
	})
	t.Run("R33/who withdraws a person's reply addresses withdraws their links", func(t *testing.T) {
		w := newWorld(t, nil)
		o, answer := w.resolved()
		if _, err := w.WithdrawTokens(ctx, anna); err != nil {
			t.Fatal(err)
		}
		if _, err := w.PressMove(ctx, linkTo(t, answer, "move", "closed"), ""); !errors.Is(err, core.ErrExpired) || w.status(o) != "resolved" {
			t.Errorf("%v, %s", err, w.status(o))
		}
	})
	t.Run("R46/pressed many times at once, two links make one move", func(t *testing.T) {
		w := newWorld(t, nil)
		o, answer := w.resolved()
		links := []string{linkTo(t, answer, "move", "closed"), linkTo(t, answer, "move", "cancelled")}
		var all sync.WaitGroup
		for i := range 12 {
			all.Go(func() {
				if _, err := w.PressMove(ctx, links[i%2], ""); err != nil && !errors.Is(err, core.ErrNotAllowed) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := w.count(`select count(*) from event where case_id = $1 and kind = 'status' and was = 'resolved'`, o.CaseID); n != 1 {
			t.Errorf("%d moves", n)
		}
		if n := len(kinds(w.letters(), core.StatusNews)); n != 1 {
			t.Errorf("%d mails", n)
		}
	})
	t.Run("R46/a link of one purpose is none of another", func(t *testing.T) {
		w := newWorld(t, nil)
		_, answer := w.resolved()
		if _, err := w.UndoByLink(ctx, linkTo(t, answer, "move", "closed")); !errors.Is(err, core.ErrExpired) {
			t.Error(err)
		}
	})
}

func TestUndo_takesBackWhatWasPressedOnAPage(t *testing.T) {
	ctx := context.Background()
	// pressed is a case that Bob closed on its page; Anna asked for it.
	pressed := func(t *testing.T) (*world, opened, core.Letter, core.Letter) {
		w := newWorld(t, nil)
		w.opens(mail{from: bob})
		o := w.opens(mail{from: anna, change: cc(bob)})
		w.receive(fromMia(o, "#status on-hold 30d\nAs agreed.", false))
		v := w.signsIn(bob)
		if err := w.MoveCase(ctx, v, o.Case, "closed"); err != nil {
			t.Fatal(err)
		}
		letters := w.letters()
		return w, o, to(t, letters, bob, core.StatusNews), to(t, letters, anna, core.StatusNews)
	}
	for _, who := range []string{"who pressed", "the requester"} {
		t.Run("R45/by "+who+", within a day", func(t *testing.T) {
			w, o, bobs, annas := pressed(t)
			l := bobs
			if who != "who pressed" {
				l = annas
			}
			link := linkTo(t, l, "undo", "on-hold")
			w.Clock.Advance(23 * time.Hour)
			before := w.everything()
			if m, err := w.UndoByLink(ctx, link); err != nil || !m.Undo || m.Now != "Closed" || m.To != "On hold" || m.Done || m.Gone || w.everything() != before {
				t.Fatalf("R46: %+v, %v", m, err)
			}
			if m, err := w.PressUndo(ctx, link); err != nil || !m.Done || w.status(o) != "on-hold" {
				t.Fatalf("%+v, %v, %s", m, err, w.status(o))
			}
			if n := w.count(`select count(*) from cases where id = $1 and wake_at is not null`, o.CaseID); n != 1 {
				t.Error("its date is lost")
			}
			letters := w.letters()
			to(t, letters, mia, core.NoticeStatus)
			for _, k := range to(t, letters, bob, core.StatusNews).Payload.Links {
				if k.Purpose == "undo" {
					t.Error("the taking back can be taken back")
				}
			}
			if n := w.count(`select count(*) from event where case_id = $1 and kind = 'undone' and not internal and actor is not null`, o.CaseID); n != 1 {
				t.Errorf("%d events", n)
			}
			for _, other := range []core.Letter{bobs, annas} {
				if m, err := w.PressUndo(ctx, linkTo(t, other, "undo", "on-hold")); err != nil || !m.Done || m.Now != "On hold" {
					t.Errorf("R46: once more: %+v, %v", m, err)
				}
			}
			if n := w.count(`select count(*) from event where case_id = $1 and kind = 'undone'`, o.CaseID); n != 1 {
				t.Errorf("%d events after pressing again", n)
			}
		})
	}
	t.Run("R45/not after a day", func(t *testing.T) {
		w, o, l, _ := pressed(t)
		w.Clock.Advance(24*time.Hour + time.Second)
		if _, err := w.PressUndo(ctx, linkTo(t, l, "undo", "on-hold")); !errors.Is(err, core.ErrExpired) || w.status(o) != "closed" {
			t.Errorf("%v, %s", err, w.status(o))
		}
	})
	t.Run("R45/not if the case was changed since, though it is closed again", func(t *testing.T) {
		w, o, l, _ := pressed(t)
		w.Clock.Advance(time.Minute)
		w.receive(mail{from: anna, subject: o.Case, text: "reopen"})
		w.Clock.Advance(time.Minute)
		w.receive(mail{from: anna, subject: o.Case, text: "close", id: "again@client.example"})
		if m, err := w.PressUndo(ctx, linkTo(t, l, "undo", "on-hold")); !errors.Is(err, core.ErrNotAllowed) || !m.Gone || w.status(o) != "closed" {
			t.Errorf("%+v, %v, %s", m, err, w.status(o))
		}
	})
	t.Run("R45/a word by mail, and an agent's press, have none", func(t *testing.T) {
		w := newWorld(t, nil)
		o, _ := w.resolved()
		w.receive(mail{from: anna, subject: o.Case, text: "close"})
		letters := w.letters()
		w.receive(mail{from: anna, subject: o.Case, text: "reopen"})
		w.letters()
		if err := w.MoveCase(ctx, w.signsIn(mia), o.Case, "closed"); err != nil {
			t.Fatal(err)
		}
		for _, l := range append(letters, w.letters()...) {
			if slices.ContainsFunc(l.Payload.Links, func(k core.Link) bool { return k.Purpose == "undo" }) {
				t.Errorf("%s to %s has one", l.Kind, l.To.Address)
			}
		}
	})
	t.Run("R63/not by who may see the case no longer", func(t *testing.T) {
		w, o, l, _ := pressed(t)
		w.exec(`delete from participant`)
		w.exec(`delete from member where person = (select person from address where address = $1)`, bob)
		if _, err := w.PressUndo(ctx, linkTo(t, l, "undo", "on-hold")); !errors.Is(err, core.ErrExpired) || w.status(o) != "closed" {
			t.Errorf("%v, %s", err, w.status(o))
		}
	})
}
