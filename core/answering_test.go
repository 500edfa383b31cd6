package core_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"postern/core"
)

func TestReceive_anUnverifiedSendersAnswerRepeatsNothing(t *testing.T) {
	w := newWorld(t, nil)
	m := mail{from: eve, name: "Buy my pills", subject: "Cheap http://evil.example", text: "Click http://evil.example", unverified: true}
	o := w.opens(m)
	if !o.confirmation.Payload.Fixed {
		t.Error("R51: the confirmation is not marked as fixed")
	}
	if o.mia.Payload.Fixed || o.mia.Payload.Title != m.subject || o.mia.Text != m.text {
		t.Errorf("R51: agents do not read the mail: %+v", o.mia)
	}
	w.receive(mail{from: eve, subject: o.Case, text: "cancel", unverified: true, to: o.confirmation.ReplyTo})
	if l := to(t, w.letters(), eve, core.StatusNews); !l.Payload.Fixed {
		t.Error("R51: news of a case whose requester was never verified is not fixed")
	}
	o = w.opens(m)
	answer := w.answers(o, "#status resolved\nNo, thank you.")
	if answer.Payload.Fixed {
		t.Error("R51: a person's text is fixed")
	}
	w.receive(mail{from: eve, subject: o.Case, text: "close", unverified: true, to: answer.ReplyTo})
	if l := to(t, w.letters(), eve, core.StatusNews); l.Payload.Fixed {
		t.Error("R51: after the desk has written the phrase is still fixed")
	}
}

func TestReceive_aVerifiedSendersAnswerTellsTheTitle(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	if o.confirmation.Payload.Fixed || o.confirmation.Payload.Title != "Printer on fire" || !o.confirmation.Automatic || !o.confirmation.Replied {
		t.Errorf("R51: %+v", o.confirmation)
	}
}

func TestReceive_budgetsOfConfirmations(t *testing.T) {
	for _, c := range []struct {
		name       string
		unverified bool
		within     int
	}{
		{"R48/ten an hour to a verified sender", false, 10},
		{"R48/three an hour to an unverified one", true, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, func(s *core.Settings) { s.Budgets.CasesUnknown, s.Budgets.PerAddress = nil, nil })
			send := func(n int) int {
				w.receive(mail{from: eve, subject: fmt.Sprint("case ", n), text: "x", unverified: c.unverified})
				got := len(kinds(w.letters(), core.Confirmation))
				w.Clock.Advance(time.Minute)
				return got
			}
			got := 0
			for n := range c.within + 2 {
				got += send(n)
			}
			if got != c.within {
				t.Errorf("%d confirmations", got)
			}
			if n := w.count(`select count(*) from outbox where state = 'withheld' and kind = 'confirmation' and reason like '%R48%'`); n != 2 {
				t.Errorf("R49: %d are withheld with their reason", n)
			}
			if n := w.count(`select count(*) from cases`); int(n) != c.within+2 {
				t.Errorf("R49: %d cases: over budget the mail is still filed", n)
			}
			w.Clock.Advance(time.Hour)
			if send(100) != 1 {
				t.Error("R48: an hour later none goes out")
			}
		})
	}
}

func TestReceive_budgetOfNewCases(t *testing.T) {
	w := newWorld(t, nil)
	for n := range 12 {
		r := w.receive(mail{from: eve, subject: fmt.Sprint("case ", n), text: "x", unverified: true})
		if n < 10 {
			wants(t, r, core.Filed, "opens a case", "")
		} else {
			wants(t, r, core.Held, "held", "budget")
		}
	}
	wants(t, w.receive(mail{from: eve, subject: "verified", text: "x"}), core.Filed, "opens a case", "")
	wants(t, w.receive(mail{from: "other@evil.example", subject: "somebody else", text: "x", unverified: true}), core.Filed, "opens a case", "")
	for n := range 15 {
		wants(t, w.receive(mail{from: mia, subject: fmt.Sprint("agent's ", n), text: "x"}), core.Filed, "opens a case", "")
	}
	w.Clock.Advance(time.Hour)
	wants(t, w.receive(mail{from: eve, subject: "an hour later", text: "x", unverified: true}), core.Filed, "opens a case", "")
}

func TestReceive_budgetOfBytes(t *testing.T) {
	w := newWorld(t, func(s *core.Settings) { s.Budgets.BytesUnknown = 100 })
	big := func(n int64) func(*core.Mail) { return func(m *core.Mail) { m.Size = n } }
	r := w.receive(mail{from: eve, subject: "1", text: "x", unverified: true, change: big(100)})
	wants(t, r, core.Filed, "opens a case", "")
	wants(t, w.receive(mail{from: eve, subject: "2", text: "x", unverified: true, change: big(101)}), core.Held, "held", "budget")
	wants(t, w.receive(mail{from: eve, subject: "3", text: "x", change: big(101)}), core.Filed, "opens a case", "")
}

// The eleventh notice in ten minutes and all that follow wait for one digest.
func TestReceive_fromTheEleventhNoticeOnThereIsOneDigest(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	notices := 0
	for n := range 14 {
		w.receive(mail{from: anna, subject: fmt.Sprint("case ", n), text: "x"})
		for _, l := range w.letters() {
			if l.To.Address == mia {
				notices++
			}
		}
	}
	if notices != 10 {
		t.Errorf("R47: %d notices", notices)
	}
	n, err := w.SendDigests(ctx)
	if err != nil || n != 2 {
		t.Fatalf("R47: %d digests, %v", n, err)
	}
	letters := w.letters()
	digest := to(t, letters, mia, core.Digest)
	to(t, letters, tom, core.Digest)
	var numbers []string
	for _, i := range digest.Payload.Items {
		numbers = append(numbers, i.Number)
	}
	if got := strings.Join(numbers, " "); got != "CASE-10011 CASE-10012 CASE-10013 CASE-10014" {
		t.Errorf("R47: the digest lists %s", got)
	}
	if n, err := w.SendDigests(ctx); err != nil || n != 0 {
		t.Errorf("R47: %d digests of nothing, %v", n, err)
	}
	w.Clock.Advance(11 * time.Minute)
	w.receive(mail{from: anna, subject: "later", text: "x"})
	to(t, w.letters(), mia, core.NoticeNew)
}

// Who works fast by commands is told of what customers write at once.
func TestReceive_answersToCommandsDelayNoNotice(t *testing.T) {
	t.Run("R47/a dozen transcripts are no notices", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		for n := range 12 {
			w.receive(fromMia(o, fmt.Sprintf("#time %dm", n+1), false))
			to(t, w.letters(), mia, core.Transcript)
		}
		w.receive(mail{from: anna, subject: o.Case, text: "It still burns."})
		to(t, w.letters(), mia, core.NoticeComment)
	})
}

// Nor do the lists that they ask for; what is no question has an end of its own.
func TestReceive_listsDelayNoNotice(t *testing.T) {
	w := newWorld(t, nil)
	asks := func(text string) (answers int) {
		for i := range 12 {
			w.receive(mail{from: mia, to: command, subject: fmt.Sprint(text, i), text: text})
			w.Clock.Advance(5 * time.Second)
			answers += len(kinds(w.letters(), core.Worklist))
		}
		return answers
	}
	if n := asks("list open"); n != 12 {
		t.Errorf("R48: %d lists", n)
	}
	w.receive(mail{from: anna, subject: "the next one", text: "x"})
	letters := w.letters()
	t.Run("R47/a new case is told at once", func(t *testing.T) { to(t, letters, mia, core.NoticeNew) })
	t.Run("R47/what is no query is answered ten times", func(t *testing.T) {
		w.Clock.Advance(11 * time.Minute)
		if n := asks("well, hello"); n != 10 {
			t.Errorf("%d answers", n)
		}
	})
}

func TestReceive_ownAddressesAreNeverRecipients(t *testing.T) {
	w := newWorld(t, func(s *core.Settings) {
		s.Mailboxes[0].Addresses = append(s.Mailboxes[0].Addresses, "help@desk.example")
	})
	// an own address that got into the tables, by import say
	w.opens(mail{from: anna})
	w.exec(`update address set address = 'help@desk.example' where address = $1`, anna)
	w.receive(mail{from: mia, subject: "CASE-10001", text: "Use water."})
	noneTo(t, w.letters(), "help@desk.example", "support@desk.example")
	if err := w.AddAgent(t.Context(), "support", "help+x@desk.example", "Loop", "agent"); err == nil {
		t.Error("R52: a service address became an agent")
	}
}

func TestReceive_heldAndAnsweredWithoutANumber(t *testing.T) {
	w := newWorld(t, nil)
	w.apply(t, func(s string) string { return replace(t, s, `unknown = "opens"`, `unknown = "held"`) })
	m := w.keep(mail{from: eve, name: "Eve", subject: "May I?", text: "Please.", unverified: true})
	wants(t, w.receiveOne(m), core.Held, "held", "unknown")
	letters := w.letters()
	l := to(t, letters, eve, core.HeldAnswer)
	if l.Number != "" || !l.Payload.Fixed || l.Payload.Title != "" || len(letters) != 1 {
		t.Errorf("R51: %+v", l)
	}
	if b, _ := json.Marshal(l.Payload); strings.Contains(string(b), "May I") || strings.Contains(string(b), "Eve") {
		t.Errorf("R51: the answer repeats the mail: %s", b)
	}
	if err := w.Release(t.Context(), w.signsIn(mia), m.Ledger); err != nil {
		t.Fatal(err)
	}
	wants(t, w.receiveOne(m), core.Filed, "opens a case", "")
	if l := to(t, w.letters(), eve, core.Confirmation); l.Number != "CASE-10001" || l.InReplyTo != m.MessageID {
		t.Errorf("R41: after the release: %+v", l)
	}
	w.invites(anna)
	wants(t, w.receive(mail{from: anna, subject: "a contact", text: "x"}), core.Filed, "opens a case", "")
}

func TestReceive_suppressedAddressesGetNoAutomaticMail(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	w.exec(`update address set suppressed_at = $1 where address = $2`, w.Clock.Now(), anna)
	w.receive(mail{from: anna, subject: "another", text: "x", unverified: true})
	noneTo(t, w.letters(), anna)
	w.receive(fromMia(o, "Use water.", false))
	to(t, w.letters(), anna, core.Answer) // a person's text still goes out
	w.receive(mail{from: anna, subject: "a verified one", text: "x"})
	to(t, w.letters(), anna, core.Confirmation)
	if n := w.count(`select count(*) from address where suppressed_at is not null`); n != 0 {
		t.Error("R55: a verified mail did not lift it")
	}
}

// Threading of what we send: the mail that is answered, and the ids that this
// recipient has.
func TestLetters_threadForTheirRecipient(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna, id: "first@client.example"})
	w.Clock.Advance(time.Minute)
	answer := w.answers(o, "Use water.")
	w.Clock.Advance(time.Minute)
	if got := strings.Join(answer.References, " "); got != "first@client.example "+o.confirmation.MessageID {
		t.Errorf("R53: the customer's references are %s", got)
	}
	w.receive(mail{from: anna, subject: o.Case, text: "It still burns.", to: answer.ReplyTo, id: "second@client.example"})
	notice := to(t, w.letters(), mia, core.NoticeComment)
	for _, id := range notice.References {
		if strings.HasSuffix(id, "@client.example") && strings.HasPrefix(id, "first") || id == answer.MessageID {
			t.Errorf("R53: the agent's references name %s, which the agent never got", id)
		}
	}
	if len(notice.References) == 0 || notice.References[0] != o.mia.MessageID {
		t.Errorf("R53: the agent's references are %v", notice.References)
	}
}
