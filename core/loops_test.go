package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"postern/core"
)

// respond has a machine answer each mail that it gets until it gets no more,
// and says how many those were.
func (w *world) respond(address string, after time.Duration, answer func(n int, l core.Letter) mail) int {
	w.t.Helper()
	got := 0
	for {
		var mine []core.Letter
		for _, l := range w.letters() {
			if l.To.Address == address {
				mine = append(mine, l)
			}
		}
		if len(mine) == 0 || got > 40 {
			return got
		}
		for _, l := range mine {
			got++
			w.Clock.Advance(after)
			w.receive(answer(got, l))
		}
	}
}

func TestReceive_exchangesWithMachinesEnd(t *testing.T) {
	const most = 6
	for _, c := range []struct {
		name       string
		from       string
		unverified bool
		after      time.Duration
		answer     func(n int, l core.Letter) mail
	}{
		{"R50/a machine that nothing marks and that answers", anna, false, 3 * time.Second,
			func(n int, l core.Letter) mail {
				return mail{from: anna, subject: "Re: " + l.Number, text: fmt.Sprint("I am away. ", n), to: l.ReplyTo, inReplyTo: l.MessageID}
			}},
		{"R50/a machine that changes the subject and names nothing", anna, false, 3 * time.Second,
			func(n int, l core.Letter) mail {
				return mail{from: anna, subject: fmt.Sprint("Ticket ", n, " received"), text: fmt.Sprint("Thank you. ", n)}
			}},
		{"R50/the same without a signature", eve, true, 3 * time.Second,
			func(n int, l core.Letter) mail {
				return mail{from: eve, subject: fmt.Sprint("Ticket ", n, " received"), text: fmt.Sprint("Thank you. ", n), unverified: true}
			}},
		{"R50/a machine that moves the case each time", anna, false, time.Minute,
			func(n int, l core.Letter) mail {
				return mail{from: anna, subject: l.Number, text: []string{"reopen", "close"}[n%2], to: l.ReplyTo, inReplyTo: l.MessageID,
					change: func(m *core.Mail) { m.Hash[0] = byte(n) }}
			}},
		{"R26/a machine that says so", anna, false, 3 * time.Second,
			func(n int, l core.Letter) mail {
				return mail{from: anna, subject: "Re: " + l.Number, text: "Away", to: l.ReplyTo, inReplyTo: l.MessageID,
					change: func(m *core.Mail) { m.Marks.AutoSubmitted = "auto-replied" }}
			}},
		{"R25/our own mail that comes back", anna, false, time.Second,
			func(n int, l core.Letter) mail {
				return mail{from: anna, subject: "Fwd: " + l.Number, text: "x", change: func(m *core.Mail) { m.Marks.Loop = l.Loop }}
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			first := w.receive(mail{from: c.from, subject: "Printer on fire", text: "It burns.", unverified: c.unverified})
			wants(t, first, core.Filed, "opens a case", "")
			if got := w.respond(c.from, c.after, c.answer); got > most {
				t.Errorf("%d mails of ours", got)
			}
		})
	}
}

func TestReceive_aPingPongIsMutedForADay(t *testing.T) {
	w := newWorld(t, nil)
	again := func(n int) mail {
		return mail{from: anna, subject: fmt.Sprint("Ticket ", n, " received"), text: fmt.Sprint("Thank you. ", n)}
	}
	w.receive(again(0))
	if got := w.respond(anna, 3*time.Second, func(n int, _ core.Letter) mail { return again(n) }); got != 4 {
		t.Fatalf("R50: %d confirmations before it stopped", got)
	}
	muted := w.text(`select 'CASE-' || number from cases order by id desc limit 1`)
	t.Run("R50/agents are told", func(t *testing.T) {
		if n := w.count(`select count(*) from outbox where kind = 'notice-new' and payload->'marks' ? 'ping-pong' and address = $1`, mia); n != 1 {
			t.Errorf("%d notices say so", n)
		}
	})
	t.Run("R49/the case page has one line of it", func(t *testing.T) {
		view, err := w.Case(t.Context(), w.signsIn(mia), muted)
		if err != nil {
			t.Fatal(err)
		}
		lines := 0
		for _, e := range view.Entries {
			if e.Event == "withheld" && strings.Contains(e.Why, "R50") && e.Was == anna {
				lines++
			}
		}
		if lines != 1 {
			t.Errorf("%d lines", lines)
		}
	})
	w.Clock.Advance(23 * time.Hour)
	w.letters()
	w.receive(mail{from: anna, subject: "another question", text: "Hello?"})
	noneTo(t, w.letters(), anna)
	w.Clock.Advance(2 * time.Hour)
	t.Run("R50/after the day automatic mail goes out again", func(t *testing.T) {
		r := w.receive(mail{from: anna, subject: "the day after", text: "Hello?"})
		wants(t, r, core.Filed, "opens a case", "")
		to(t, w.letters(), anna, core.Confirmation)
	})
	t.Run("R50/what a person writes goes out all the while", func(t *testing.T) {
		w := newWorld(t, nil)
		w.receive(again(0))
		w.respond(anna, 3*time.Second, func(n int, _ core.Letter) mail { return again(n) })
		w.receive(mail{from: mia, subject: "CASE-10005", text: "Are you a machine?"})
		to(t, w.letters(), anna, core.Answer)
	})
	t.Run("R50/others on other cases are not muted", func(t *testing.T) {
		w.receive(mail{from: bob, subject: "bob's", text: "Hello?"})
		to(t, w.letters(), bob, core.Confirmation)
	})
}

func TestReceive_overBudgetAgentsSeeOneLine(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*core.Settings)
	}{
		{"R49/confirmations", func(s *core.Settings) { s.Budgets.ConfirmVerified = []core.Window{{Count: 1, Within: time.Hour}} }},
		{"R49/automatic mail to one address", func(s *core.Settings) { s.Budgets.PerAddress = []core.Window{{Count: 1, Within: time.Hour}} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.set)
			w.opens(mail{from: anna})
			w.Clock.Advance(5 * time.Minute)
			r := w.receive(mail{from: anna, subject: "second", text: "x"})
			wants(t, r, core.Filed, "opens a case", "")
			letters := w.letters()
			noneTo(t, letters, anna)
			to(t, letters, mia, core.NoticeNew)
			if n := w.count(`select count(*) from event where case_id = $1 and kind = 'withheld' and internal`, r.CaseID); n != 1 {
				t.Errorf("%d lines on the case", n)
			}
		})
	}
}

func TestReceive_recipients(t *testing.T) {
	t.Run("R52/an own address is never a recipient, with or without a tag", func(t *testing.T) {
		w := newWorld(t, nil)
		for _, from := range []string{"support@desk.example", "support+x@desk.example"} {
			wants(t, w.receive(mail{from: from, subject: "me", text: "x"}), core.Held, "held", "own-address")
		}
		noneTo(t, w.letters(), "support@desk.example", "support+x@desk.example")
	})
	t.Run("R52/each recipient gets a mail of their own", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		w.receive(mail{from: bob, subject: "Re: " + o.Case, text: "Me too."})
		w.letters()
		w.receive(mail{from: mia, subject: "Re: " + o.Case, text: "Use water.", to: o.mia.ReplyTo, inReplyTo: o.mia.MessageID})
		answers := kinds(w.letters(), core.Answer)
		if len(answers) != 2 || answers[0].To.Address == answers[1].To.Address || answers[0].ReplyTo == answers[1].ReplyTo {
			t.Errorf("%d answers: %+v", len(answers), answers)
		}
	})
}

// Forged mail that follows our confirmations quickly looks like a ping-pong
// with its victim. What is verified is not muted by it.
func TestReceive_forgedMailMutesNobody(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	w.Clock.Advance(2 * time.Hour)
	for n := range 6 {
		w.Clock.Advance(5 * time.Second)
		w.receive(mail{from: anna, subject: fmt.Sprint("Forged ", n), text: fmt.Sprint("x ", n), unverified: true})
		w.letters()
	}
	if n := w.count(`select count(*) from outbox where reason = 'ping-pong (R50)'`); n == 0 {
		t.Fatal("R50: the forged talk was not stopped at all")
	}
	t.Run("R50/the next forged mail is not answered", func(t *testing.T) {
		w.receive(mail{from: anna, subject: "Forged again", text: "x", unverified: true})
		noneTo(t, w.letters(), anna)
	})
	w.Clock.Advance(2 * time.Hour)
	t.Run("R50/the victim's own verified mail is", func(t *testing.T) {
		w.receive(mail{from: anna, subject: "Truly", text: "Help!"})
		to(t, w.letters(), anna, core.Confirmation)
	})
	t.Run("R50/and they hear of what the desk does", func(t *testing.T) {
		w.receive(fromMia(o, "#status resolved", false))
		to(t, w.letters(), anna, core.StatusNews)
	})
	t.Run("R50/one by a page too", func(t *testing.T) {
		if err := w.MoveCase(t.Context(), w.signsIn(mia), o.Case, "in-progress"); err != nil {
			t.Fatal(err)
		}
		to(t, w.letters(), anna, core.StatusNews)
	})
	t.Run("R50/a machine whose mail is verified is muted as ever", func(t *testing.T) {
		w := newWorld(t, nil)
		for n := range 6 {
			w.Clock.Advance(3 * time.Second)
			w.receive(mail{from: anna, subject: fmt.Sprint("Ticket ", n), text: fmt.Sprint("Thanks ", n)})
			w.letters()
		}
		w.receive(mail{from: anna, subject: "The same hour", text: "Hello?"})
		noneTo(t, w.letters(), anna)
	})
}
