package core_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"postern/core"
)

// claim takes what is due for a holder.
func (w *world) claim(holder string, limit int) []core.Letter {
	w.t.Helper()
	letters, err := w.ClaimLetters(context.Background(), holder, limit)
	if err != nil {
		w.t.Fatal(err)
	}
	return letters
}

// dot commits that a letter's dot may be sent; false if it is not the holder's.
func (w *world) dot(holder string, l core.Letter, bytes string) bool {
	w.t.Helper()
	mine, err := w.Settle(context.Background(), holder, nil, []core.Dotting{{ID: l.ID, Bytes: []byte(bytes), Envelope: l.Envelope}})
	if err != nil {
		w.t.Fatal(err)
	}
	return len(mine) == 1 && mine[0] == l.ID
}

func (w *world) ends(holder string, l core.Letter, result core.Result, answer string) {
	w.t.Helper()
	if _, err := w.Settle(context.Background(), holder, []core.Delivery{{ID: l.ID, Result: result, Answer: answer, Envelope: l.Envelope}}, nil); err != nil {
		w.t.Fatal(err)
	}
}

// letterState is what the outbox says of a letter.
func (w *world) letterState(l core.Letter) string {
	w.t.Helper()
	return w.text(`select state from outbox where id = $1`, l.ID)
}

// confirmation opens a case and leaves its one letter to Anna due; the agents'
// are out.
func (w *world) confirmation(holder string) core.Letter {
	w.t.Helper()
	w.receive(mail{from: anna, subject: "x", text: "y"})
	w.exec(`update outbox set state = 'withheld' where address <> $1 and state = 'queued'`, anna)
	letters := w.claim(holder, 10)
	return to(w.t, letters, anna, core.Confirmation)
}

func TestOutbox_aCauseOwesAnAddressOneLetter(t *testing.T) {
	w := newWorld(t, nil)
	m := w.keep(mail{from: anna, subject: "x", text: "y"})
	for range 3 {
		w.receiveOne(m)
	}
	if n := w.count(`select count(*) from outbox`); n != 3 {
		t.Errorf("R58: %d letters to a customer and two agents", n)
	}
}

func TestOutbox_holdersNeverShareALetter(t *testing.T) {
	w := newWorld(t, func(s *core.Settings) { s.Budgets = core.Budgets{} })
	for n := range 40 {
		w.receive(mail{from: fmt.Sprintf("c%d@northwind.example", n), subject: "x", text: "y"})
		if n%4 == 0 {
			w.Clock.Advance(11 * time.Minute)
		}
	}
	owed := w.count(`select count(*) from outbox where state = 'queued'`)
	var mu sync.Mutex
	holder := map[int64]string{}
	var all sync.WaitGroup
	for h := range 6 {
		all.Go(func() {
			name := fmt.Sprint("holder ", h)
			for {
				letters, err := w.ClaimLetters(context.Background(), name, 7)
				if err != nil {
					t.Error(err)
					return
				}
				if len(letters) == 0 {
					return
				}
				mu.Lock()
				for _, l := range letters {
					if other := holder[l.ID]; other != "" {
						t.Errorf("R58: letter %d is claimed by %s and %s", l.ID, other, name)
					}
					holder[l.ID] = name
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if int64(len(holder)) != owed {
		t.Errorf("R58: %d letters claimed of %d", len(holder), owed)
	}
}

func TestOutbox_aHolderThatDiesBeforeTheDotCostsItsLeaseAlone(t *testing.T) {
	w := newWorld(t, nil)
	l := w.confirmation("dead")
	w.Clock.Advance(59 * time.Second)
	if again := w.claim("next", 10); len(again) != 0 {
		t.Errorf("R58: claimed within the lease: %d", len(again))
	}
	if err := w.RenewLetters(t.Context(), "dead", []int64{l.ID}); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(59 * time.Second)
	if again := w.claim("next", 10); len(again) != 0 {
		t.Errorf("R58: claimed within the renewed lease: %d", len(again))
	}
	w.Clock.Advance(2 * time.Second)
	again := w.claim("next", 10)
	if len(again) != 1 || again[0].ID != l.ID || again[0].MessageID != l.MessageID {
		t.Fatalf("R58: after the lease: %+v", again)
	}
	if w.dot("dead", l, "mail") {
		t.Error("R58: the old holder may still send the dot")
	}
	if !w.dot("next", l, "mail") {
		t.Error("R58: the new holder may not")
	}
	w.ends("dead", l, core.Permanent, "550 no")
	if state := w.letterState(l); state != "dotted" {
		t.Errorf("R58: the old holder made it %s", state)
	}
	w.ends("next", l, core.Accepted, "250 ok")
	if state := w.letterState(l); state != "sent" {
		t.Errorf("R58: it is %s", state)
	}
}

// Between the dot and its answer nobody knows whether it arrived: once more,
// with the same bytes, and then a person decides.
func TestOutbox_aCrashAfterTheDotIsUncertain(t *testing.T) {
	w := newWorld(t, nil)
	l := w.confirmation("a")
	if !w.dot("a", l, "the very bytes") {
		t.Fatal("no dot")
	}
	w.Clock.Advance(61 * time.Second)
	if again := w.claim("b", 10); len(again) != 0 || w.letterState(l) != "uncertain" {
		t.Fatalf("R59: after the crash it is %s, claimed %d", w.letterState(l), len(again))
	}
	w.Clock.Advance(14*time.Minute - 2*time.Second)
	if again := w.claim("b", 10); len(again) != 0 {
		t.Error("R59: re-sent within 15 minutes")
	}
	w.Clock.Advance(2 * time.Second)
	again := w.claim("b", 10)
	if len(again) != 1 || string(again[0].Bytes) != "the very bytes" {
		t.Fatalf("R59: after 15 minutes: %+v", again)
	}
	if !w.dot("b", l, "other bytes") {
		t.Fatal("no dot for the re-send")
	}
	var kept []byte
	if err := w.DB.QueryRow(t.Context(), `select bytes from outbox where id = $1`, l.ID).Scan(&kept); err != nil || !bytes.Equal(kept, []byte("the very bytes")) {
		t.Errorf("R58: its bytes are now %q, %v", kept, err)
	}
	for range 5 {
		w.Clock.Advance(24 * time.Hour)
		if again := w.claim("c", 10); len(again) != 0 {
			t.Fatal("R59: sent a third time")
		}
	}
	if state := w.letterState(l); state != "uncertain" {
		t.Errorf("R59: it is %s", state)
	}
}

func TestOutbox_anUnansweredDotIsSentOnceMore(t *testing.T) {
	w := newWorld(t, nil)
	l := w.confirmation("a")
	w.dot("a", l, "mail")
	w.ends("a", l, core.Unanswered, "timeout")
	w.Clock.Advance(15 * time.Minute)
	if again := w.claim("a", 10); len(again) != 1 {
		t.Fatalf("R59: %d re-sends", len(again))
	}
	w.dot("a", l, "mail")
	w.ends("a", l, core.Unanswered, "timeout")
	w.Clock.Advance(30 * 24 * time.Hour)
	if again := w.claim("a", 10); len(again) != 0 || w.letterState(l) != "uncertain" {
		t.Errorf("R59: %d more, and it is %s", len(again), w.letterState(l))
	}
}

func TestOutbox_temporaryFailuresAreTriedForFiveDays(t *testing.T) {
	w := newWorld(t, nil)
	l := w.confirmation("a")
	start := w.Clock.Now()
	for try := 0; ; try++ {
		w.ends("a", l, core.Temporary, "450 later")
		if w.letterState(l) != "retry" {
			break
		}
		want := []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute}
		wait := time.Hour
		if try < len(want) {
			wait = want[try]
		}
		w.Clock.Advance(wait - time.Second)
		if n := len(w.claim("a", 10)); n != 0 {
			t.Fatalf("R60: after try %d it is due before %v", try+1, wait)
		}
		w.Clock.Advance(time.Second)
		if n := len(w.claim("a", 10)); n != 1 {
			t.Fatalf("R60: after try %d it is not due after %v", try+1, wait)
		}
	}
	if over := w.Clock.Now().Sub(start); over < 5*24*time.Hour || over > 5*24*time.Hour+2*time.Hour || w.letterState(l) != "failed" {
		t.Errorf("R60: %s after %v", w.letterState(l), over)
	}
}

func TestOutbox_whatServersSay(t *testing.T) {
	for _, c := range []struct {
		name    string
		result  core.Result
		state   string
		tries   int64
		again   time.Duration // due after; 0: at once; -1: never
		compose bool          // its bytes are made anew
	}{
		{"R60/5xx fails", core.Permanent, "failed", 1, -1, false},
		{"R58/what cannot be composed fails", core.Uncomposable, "failed", 1, -1, false},
		{"R60/a broken connection costs no try", core.Unsent, "retry", 0, 15 * time.Second, false},
		{"R60/a refused sender costs no try and is due at once", core.SenderRefused, "retry", 0, 0, true},
		{"R60/4xx is tried in a minute", core.Temporary, "retry", 1, time.Minute, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			l := w.confirmation("a")
			w.dot("a", l, "mail")
			if c.result == core.SenderRefused {
				l.Envelope = "support+b-aaaaaaaaaaaaaaaaaaaa@desk.example"
			}
			w.ends("a", l, c.result, "its words")
			if state := w.letterState(l); state != c.state {
				t.Errorf("it is %s", state)
			}
			if tries := w.count(`select tries from outbox where id = $1`, l.ID); tries != c.tries {
				t.Errorf("%d tries counted", tries)
			}
			if c.again < 0 {
				w.Clock.Advance(30 * 24 * time.Hour)
				if n := len(w.claim("a", 10)); n != 0 {
					t.Error("sent again")
				}
				return
			}
			w.Clock.Advance(c.again)
			again := w.claim("a", 10)
			if len(again) != 1 || (again[0].Bytes == nil) != c.compose || again[0].MessageID != l.MessageID {
				t.Errorf("again: %+v", again)
			}
		})
	}
}

func TestOutbox_aRefusedSenderFallsBackToThePlainEnvelope(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	if err := w.Probe(ctx); err != nil {
		t.Fatal(err)
	}
	probe := kinds(w.letters(), core.ProbeMail)[0]
	w.receive(mail{from: "support@desk.example", to: probe.To.Address, subject: "probe",
		change: func(m *core.Mail) { m.MessageID, m.Marks.ReturnPath = probe.MessageID, &probe.Envelope }})
	first := w.confirmation("a")
	if first.Envelope != "support+b-"+first.Loop[:20]+"@desk.example" {
		t.Fatalf("R53: the envelope is %s", first.Envelope)
	}
	w.ends("a", first, core.SenderRefused, "550 5.7.60 not your address")
	again := w.claim("a", 10)
	if len(again) != 1 || again[0].Envelope != "support@desk.example" {
		t.Fatalf("R60: again with %+v", again)
	}
	if next := w.confirmation("a"); next.Envelope != "support@desk.example" {
		t.Errorf("R60: the next letter goes out with %s", next.Envelope)
	}
}

func TestOutbox_aPersonsTextThatFailsIsTheAgentsToKnow(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	w.receive(fromMia(o, "Use water.", false))
	w.exec(`update outbox set state = 'withheld' where for_agent and state = 'queued'`)
	l := to(t, w.claim("a", 10), anna, core.Answer)
	w.ends("a", l, core.Permanent, "550 5.1.1 no such user")
	notice := to(t, w.letters(), mia, core.NoticeBounce)
	if notice.Text != "Use water." || notice.Payload.Actor != anna || notice.Payload.Reason != "550 5.1.1 no such user" {
		t.Errorf("R54: %+v", notice)
	}
}

func TestOutbox_codesExpireRatherThanGoLate(t *testing.T) {
	for name, late := range map[string]func(*world){
		"R60/while it waited": func(w *world) { w.Clock.Advance(16 * time.Minute) },
		"R60/while it was tried again": func(w *world) {
			w.ends("a", w.claim("a", 1)[0], core.Temporary, "450")
			w.Clock.Advance(16 * time.Minute)
		},
		"R60/after its holder had died": func(w *world) { w.claim("a", 1); w.Clock.Advance(16 * time.Minute) },
		"R60/after an unanswered dot": func(w *world) {
			l := w.claim("a", 1)[0]
			w.dot("a", l, "mail")
			w.ends("a", l, core.Unanswered, "")
			w.Clock.Advance(16 * time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			if err := w.RequestSignIn(t.Context(), mia, "b"); err != nil {
				t.Fatal(err)
			}
			late(w)
			if letters := w.claim("b", 10); len(letters) != 0 {
				t.Errorf("sent %s late", letters[0].Kind)
			}
		})
	}
}

func TestOutbox_bytesWithASecretGoWhenTheyAreSent(t *testing.T) {
	w := newWorld(t, nil)
	if err := w.RequestSignIn(t.Context(), mia, "b"); err != nil {
		t.Fatal(err)
	}
	secretive := w.claim("a", 1)[0]
	w.dot("a", secretive, "the link")
	w.ends("a", secretive, core.Accepted, "250")
	plain := w.confirmation("a")
	w.exec(`update outbox set secret = false where id = $1`, plain.ID) // as if it had no links
	w.dot("a", plain, "thank you")
	w.ends("a", plain, core.Accepted, "250")
	kept := func(l core.Letter) bool { return w.count(`select count(bytes) from outbox where id = $1`, l.ID) == 1 }
	if kept(secretive) || !kept(plain) {
		t.Errorf("R58: with a secret %v, without %v", kept(secretive), kept(plain))
	}
	w.Clock.Advance(29 * 24 * time.Hour)
	if err := w.Prune(t.Context()); err != nil || !kept(plain) {
		t.Errorf("R58: gone after 29 days, %v", err)
	}
	w.Clock.Advance(2 * 24 * time.Hour)
	if err := w.Prune(t.Context()); err != nil || kept(plain) {
		t.Errorf("R58: still there after 31 days, %v", err)
	}
}

func TestOutbox_whatWasGivenBackIsDueAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	l := w.confirmation("a")
	if err := w.ReleaseLetters(t.Context(), "another", []int64{l.ID}); err != nil {
		t.Fatal(err)
	}
	if n := len(w.claim("b", 10)); n != 0 {
		t.Error("R58: another holder gave it back")
	}
	if err := w.ReleaseLetters(t.Context(), "a", []int64{l.ID}); err != nil {
		t.Fatal(err)
	}
	if n := len(w.claim("b", 10)); n != 1 || w.count(`select tries from outbox where id = $1`, l.ID) != 0 {
		t.Errorf("R58: given back, %d are due", n)
	}
}

// Until our own mail to a plus address has come back, no plus address is used.
func TestProbe_decidesOnPlusAddresses(t *testing.T) {
	for _, c := range []struct {
		name     string
		back     bool
		path     bool
		replyTo  bool
		envelope bool
	}{
		{"R33/not back: the desk's address", false, false, false, false},
		{"R33/back: plus addresses", true, false, true, false},
		{"R53/back with its bounce address: that too", true, true, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, func(s *core.Settings) { s.ReplyTokens = "auto" })
			if err := w.Probe(t.Context()); err != nil {
				t.Fatal(err)
			}
			sent := kinds(w.letters(), core.ProbeMail)
			if len(sent) != 1 || sent[0].From.Address != "support@desk.example" {
				t.Fatalf("probes: %+v", sent)
			}
			if c.back {
				r := w.receive(mail{from: "support@desk.example", to: sent[0].To.Address, subject: "probe", change: func(m *core.Mail) {
					m.MessageID = sent[0].MessageID
					path := "support@desk.example"
					if c.path {
						path = sent[0].Envelope
					}
					m.Marks.ReturnPath = &path
				}})
				wants(t, r, core.Filed, "probe", "")
			}
			if err := w.Probe(t.Context()); err != nil || len(w.letters()) != 0 {
				t.Errorf("a second probe at once: %v", err)
			}
			o := w.opens(mail{from: anna})
			if got := o.confirmation.ReplyTo != "support@desk.example"; got != c.replyTo {
				t.Errorf("reply to %s", o.confirmation.ReplyTo)
			}
			if got := o.confirmation.Envelope != "support@desk.example"; got != c.envelope {
				t.Errorf("envelope %s", o.confirmation.Envelope)
			}
			if lines, err := w.ProbeState(t.Context()); err != nil || len(lines) != 1 || (lines[0].BackAt != nil) != c.back || lines[0].ReturnPath != c.path {
				t.Errorf("state %+v, %v", lines, err)
			}
		})
	}
}

// A server that refuses the plain address has nothing plainer to be offered:
// the letter is tried like any other, and the bounce address stays in use.
func TestOutbox_aRefusedPlainSenderIsTriedLater(t *testing.T) {
	w := newWorld(t, nil)
	l := w.confirmation("a")
	if l.Envelope != "support@desk.example" {
		t.Fatalf("envelope %s", l.Envelope)
	}
	w.dot("a", l, "mail")
	w.ends("a", l, core.SenderRefused, "550 5.7.60")
	if state, tries := w.letterState(l), w.count(`select tries from outbox where id = $1`, l.ID); state != "retry" || tries != 1 {
		t.Errorf("R60: %s after %d tries", state, tries)
	}
	if n := len(w.claim("a", 10)); n != 0 {
		t.Error("R60: due at once, for ever")
	}
	w.Clock.Advance(time.Minute)
	if n := len(w.claim("a", 10)); n != 1 {
		t.Error("R60: not due after a minute")
	}
	if n := w.count(`select count(*) from instance where key like 'plain-envelope-%'`); n != 0 {
		t.Error("R60: bounce addresses were given up for it")
	}
}

// A process whose settings name no mailbox of a desk leaves its letters to one
// that has them.
func TestOutbox_lettersOfADeskWithoutAnAddressWait(t *testing.T) {
	w := newWorld(t, nil)
	w.receive(mail{from: anna, subject: "x", text: "y"})
	other, err := w.another(t, func(s *core.Settings) { s.Mailboxes = nil })
	if err != nil {
		t.Fatal(err)
	}
	if letters, err := other.ClaimLetters(t.Context(), "other", 10); err != nil || len(letters) != 0 {
		t.Errorf("R58: %d letters claimed by a process that cannot send them, %v", len(letters), err)
	}
	to(t, w.letters(), anna, core.Confirmation)
}
