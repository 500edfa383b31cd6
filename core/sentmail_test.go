package core_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"postern/core"
)

// answered is a case of Anna's that Mia has answered; the letter with the answer
// is claimed by "a", and nothing else is due.
func answered(w *world) (opened, core.Letter) {
	w.t.Helper()
	o := w.opens(mail{from: anna})
	w.receive(fromMia(o, "Use water.", false))
	w.exec(`update outbox set state = 'withheld' where for_agent and state = 'queued'`)
	return o, to(w.t, w.claim("a", 10), anna, core.Answer)
}

// unknownFate has nobody answer to the dot of a letter, twice.
func (w *world) unknownFate(l core.Letter) {
	w.t.Helper()
	w.dot("a", l, "the very bytes")
	w.ends("a", l, core.Unanswered, "timeout")
	w.Clock.Advance(15 * time.Minute)
	if again := w.claim("a", 10); len(again) != 1 {
		w.t.Fatalf("%d re-sends", len(again))
	}
	w.dot("a", l, "the very bytes")
	w.ends("a", l, core.Unanswered, "timeout")
}

// sentOf is what an agent sees of the mails that brought a text.
func (w *world) sentOf(v core.Viewer, number, text string) []core.SentMail {
	w.t.Helper()
	view, err := w.Case(w.t.Context(), v, number)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range view.Entries {
		if e.Text == text {
			return e.Sent
		}
	}
	w.t.Fatalf("no %q in %s", text, number)
	return nil
}

func TestSentMail_isToldToAgentsBesideItsText(t *testing.T) {
	w := newWorld(t, nil)
	o, l := answered(w)
	mias, annas := w.signsIn(mia), w.signsIn(anna)
	w.exec(`update outbox set state = 'withheld' where state = 'queued'`)
	one := func(t *testing.T) core.SentMail {
		t.Helper()
		sent := w.sentOf(mias, o.Case, "Use water.")
		if len(sent) != 1 || sent[0].Address != anna || sent[0].Kind != core.Answer || sent[0].ID != l.ID {
			t.Fatalf("%+v", sent)
		}
		return sent[0]
	}
	t.Run("R60/tried again since, with the last answer", func(t *testing.T) {
		w.ends("a", l, core.Temporary, "450 4.2.0 mailbox busy")
		s := one(t)
		if s.State != "retry" || s.Answer != "450 4.2.0 mailbox busy" || s.Queued.IsZero() || !s.Next.After(w.Clock.Now()) || s.Over() {
			t.Errorf("%+v", s)
		}
	})
	t.Run("R59/uncertain, before its re-send and after", func(t *testing.T) {
		w.Clock.Advance(time.Minute)
		w.claim("a", 10)
		w.dot("a", l, "mail")
		w.ends("a", l, core.Unanswered, "timeout")
		if s := one(t); s.State != "uncertain" || s.Waits || s.Over() || !s.Kept {
			t.Errorf("%+v", s)
		}
		w.Clock.Advance(15 * time.Minute)
		w.claim("a", 10)
		w.dot("a", l, "mail")
		w.ends("a", l, core.Unanswered, "timeout")
		if s := one(t); s.State != "uncertain" || !s.Waits || !s.Over() || !s.Next.IsZero() {
			t.Errorf("%+v", s)
		}
	})
	t.Run("R58/sent, with the instant", func(t *testing.T) {
		w.exec(`update outbox set state = 'sending', holder = 'a' where id = $1`, l.ID)
		w.ends("a", l, core.Accepted, "250 2.0.0 queued")
		if s := one(t); s.State != "sent" || !s.At.Equal(w.Clock.Now()) || s.Answer != "250 2.0.0 queued" {
			t.Errorf("%+v, now %v", s, w.Clock.Now())
		}
	})
	t.Run("R54/failed, and why", func(t *testing.T) {
		w.exec(`update outbox set state = 'sending', holder = 'a' where id = $1`, l.ID)
		w.ends("a", l, core.Permanent, "550 5.1.1 no such user")
		if s := one(t); s.State != "failed" || s.Answer != "550 5.1.1 no such user" {
			t.Errorf("%+v", s)
		}
	})
	t.Run("R55/withheld, and why", func(t *testing.T) {
		w.exec(`update outbox set state = 'withheld', reason = 'suppressed: mail to this address came back (R55)' where kind = 'confirmation'`)
		view, err := w.Case(t.Context(), mias, o.Case)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range view.Entries {
			if e.Kind == "description" && (len(e.Sent) != 1 || e.Sent[0].State != "withheld" || !strings.Contains(e.Sent[0].Answer, "R55")) {
				t.Errorf("%+v", e.Sent)
			}
		}
	})
	t.Run("R53/a mail that brings no text stands by itself", func(t *testing.T) {
		if err := w.MoveCase(t.Context(), mias, o.Case, "resolved"); err != nil {
			t.Fatal(err)
		}
		view, err := w.Case(t.Context(), mias, o.Case)
		if err != nil {
			t.Fatal(err)
		}
		if len(view.Sent) != 1 || view.Sent[0].Kind != core.StatusNews || view.Sent[0].Address != anna {
			t.Errorf("%+v", view.Sent)
		}
	})
	t.Run("R63/the customer's side sees nothing of it", func(t *testing.T) {
		view, err := w.Case(t.Context(), annas, o.Case)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range view.Entries {
			if len(e.Sent) > 0 || e.Event == "undelivered" {
				t.Errorf("%+v", e)
			}
		}
		if len(view.Sent) > 0 {
			t.Errorf("%+v", view.Sent)
		}
	})
}

func TestUncertain_aPersonEndsIt(t *testing.T) {
	for name, c := range map[string]struct {
		word  core.LetterWord
		state string
		again bool // it is due once more
		told  bool // agents are
	}{
		"R59/it arrived":         {core.ItArrived, "sent", false, false},
		"R59/send it once more":  {core.SendAgain, "retry", true, false},
		"R59/it is given up":     {core.GiveUp, "failed", false, true},
		"R59/an unknown word":    {"perhaps", "uncertain", false, false},
		"R59/no word is no word": {"", "uncertain", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(s *core.Settings) { s.Operator = []string{"ops@desk.example"} })
			o, l := answered(w)
			w.unknownFate(l)
			err := w.SettleByOperator(t.Context(), l.ID, c.word, mia)
			if (err == nil) != (c.state != "uncertain") {
				t.Fatal(err)
			}
			if got := w.letterState(l); got != c.state {
				t.Errorf("it is %s", got)
			}
			events := w.count(`select count(*) from event e join person p on p.id = e.actor join address a on a.person = p.id
				where e.kind = 'letter-' || $1 and e.was = $2 and a.address = $3 and e.internal`, string(c.word), anna, mia)
			if (events == 1) != (err == nil) {
				t.Errorf("%d events that name who did it", events)
			}
			letters := w.claim("b", 10)
			if again := len(letters) > 0 && letters[0].ID == l.ID; again != c.again {
				t.Errorf("due once more: %v", again)
			} else if again && string(letters[0].Bytes) != "the very bytes" {
				t.Errorf("with other bytes: %q", letters[0].Bytes)
			}
			if told := len(kinds(letters, core.NoticeBounce)) > 0; told != c.told {
				t.Errorf("agents are told: %v", told)
			}
			if !c.again {
				return
			}
			w.dot("b", l, "other")
			w.ends("b", l, core.Unanswered, "timeout")
			w.Clock.Advance(24 * time.Hour)
			if n := w.claim("b", 10); len(n) != 0 || w.letterState(l) != "uncertain" {
				t.Errorf("after a third silence %d are due, and it is %s: a person decides again", len(n), w.letterState(l))
			}
			if err := w.SettleByOperator(t.Context(), l.ID, core.ItArrived, "ops@desk.example"); err != nil {
				t.Fatal(err)
			}
			if got := w.text(`select why from event where kind = 'letter-sent'`); got != "ops@desk.example" {
				t.Errorf("R59: the event names %q", got)
			}
			_ = o
		})
	}
	w := newWorld(t, nil)
	o, l := answered(w)
	t.Run("R59/a letter that is not uncertain has no end to give", func(t *testing.T) {
		if err := w.SettleByOperator(t.Context(), l.ID, core.GiveUp, mia); !errors.Is(err, core.ErrNotAllowed) || !strings.Contains(err.Error(), "it is sending, not uncertain") {
			t.Error(err)
		}
	})
	w.unknownFate(l)
	t.Run("R59/a letter that is not there", func(t *testing.T) {
		if err := w.SettleByOperator(t.Context(), 4711, core.GiveUp, mia); !errors.Is(err, core.ErrNotFound) {
			t.Error(err)
		}
	})
	t.Run("R59/whose word it is must be known", func(t *testing.T) {
		for _, by := range []string{"", anna, "ops@desk.example"} {
			if err := w.SettleByOperator(t.Context(), l.ID, core.GiveUp, by); !errors.Is(err, core.ErrNotAllowed) {
				t.Errorf("%q: %v", by, err)
			}
		}
	})
	t.Run("R63/a press is an agent's of the case, on a letter of it", func(t *testing.T) {
		other := w.opens(mail{from: carl})
		for name, v := range map[string]core.Viewer{"the customer": w.signsIn(anna), "nobody": {}} {
			if err := w.SettleLetter(t.Context(), v, o.Case, l.ID, core.ItArrived); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := w.SettleLetter(t.Context(), w.signsIn(mia), other.Case, l.ID, core.ItArrived); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("by another case: %v", err)
		}
		if got := w.letterState(l); got != "uncertain" {
			t.Errorf("it is %s", got)
		}
	})
	t.Run("R59/what is no longer kept is not sent again", func(t *testing.T) {
		w.exec(`update outbox set bytes = null where id = $1`, l.ID)
		if err := w.SettleByOperator(t.Context(), l.ID, core.SendAgain, mia); !errors.Is(err, core.ErrNotAllowed) || !strings.Contains(err.Error(), "no longer kept") {
			t.Error(err)
		}
	})
	t.Run("R59/a press of an agent ends it, and the first counts", func(t *testing.T) {
		v := w.signsIn(mia)
		if err := w.SettleLetter(t.Context(), v, o.Case, l.ID, core.ItArrived); err != nil {
			t.Fatal(err)
		}
		if err := w.SettleLetter(t.Context(), v, o.Case, l.ID, core.GiveUp); !errors.Is(err, core.ErrNotAllowed) {
			t.Error(err)
		}
		if got := w.letterState(l); got != "sent" {
			t.Errorf("it is %s", got)
		}
	})
	t.Run("R59/the outbox lists it, and what is known of it", func(t *testing.T) {
		w.exec(`update outbox set state = 'uncertain' where id = $1`, l.ID)
		list, err := w.Outbox(t.Context(), []string{"uncertain"}, 0, 10)
		if err != nil || len(list) != 1 || list[0].ID != l.ID || list[0].Case != o.Case || !list[0].Waits() || list[0].Address != anna {
			t.Errorf("%v, %+v", err, list)
		}
		v, err := w.OutboxLetter(t.Context(), l.ID)
		if err != nil || v.MessageID != l.MessageID || v.Desk != "support" || v.Title != "Printer on fire" {
			t.Errorf("%v, %+v", err, v)
		}
		if _, err := w.OutboxLetter(t.Context(), 4711); !errors.Is(err, core.ErrNotFound) {
			t.Error(err)
		}
	})
	t.Run("R59/the alarm names the command", func(t *testing.T) {
		lines, err := w.Alarms(t.Context())
		if err != nil || !strings.Contains(strings.Join(lines, "\n"), "postern outbox settle") {
			t.Errorf("%v, %q", err, lines)
		}
	})
}

// A person's text that does not arrive goes back to whoever wrote it, also when
// the case is a colleague's.
func TestUndelivered_isTheWritersToKnow(t *testing.T) {
	for name, fails := range map[string]func(*world, core.Letter){
		"R54/refused at once": func(w *world, l core.Letter) { w.ends("a", l, core.Permanent, "550 5.7.1 no") },
		"R60/given up after five days": func(w *world, l core.Letter) {
			w.Clock.Advance(5*24*time.Hour + time.Minute)
			w.exec(`update outbox set holder = 'a', state = 'sending' where id = $1`, l.ID)
			w.ends("a", l, core.Temporary, "450 later")
		},
		"R54/a bounce later": func(w *world, l core.Letter) {
			w.dot("a", l, "mail")
			w.ends("a", l, core.Accepted, "250")
			w.receive(bounces(l, "5.1.1", "failed", false))
		},
		"R60/not out for four hours": func(w *world, l core.Letter) {
			w.ends("a", l, core.Temporary, "450 later")
			w.Clock.Advance(4*time.Hour + time.Minute)
			w.exec(`update outbox set due_at = $2 where id = $1`, l.ID, w.Clock.Now().Add(time.Hour))
			if _, err := w.Alarms(w.t.Context()); err != nil {
				w.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			o, l := answered(w)
			w.exec(`update cases set owner = (select person from address where address = $1) where id = $2`, tom, o.CaseID)
			fails(w, l)
			letters := kinds(w.letters(), core.NoticeBounce)
			if len(letters) != 2 {
				t.Fatalf("%d notices", len(letters))
			}
			for _, who := range []string{mia, tom} {
				if n := to(t, letters, who, core.NoticeBounce); n.Text != "Use water." || n.Payload.Actor != anna {
					t.Errorf("%s: %+v", who, n)
				}
			}
		})
	}
}
