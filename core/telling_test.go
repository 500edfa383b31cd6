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

// gathering is a world in which news waits for a minute.
func gathering(t testing.TB) *world {
	t.Helper()
	return newWorld(t, func(s *core.Settings) { s.Gather = time.Minute })
}

// later is what is due after so long.
func (w *world) later(d time.Duration) []core.Letter {
	w.t.Helper()
	w.Clock.Advance(d)
	return w.letters()
}

// said are letters in short: "answer to anna", "status to anna: Open -> Resolved".
func said(letters []core.Letter) string {
	var all []string
	for _, l := range letters {
		name, _, _ := strings.Cut(l.To.Address, "@")
		s := string(l.Kind) + " to " + name
		if l.Payload.Changed {
			s += ": " + l.Payload.Was + " -> " + l.Payload.Status
		}
		if len(l.Texts) > 0 {
			s += fmt.Sprintf(" %q", l.Texts)
		}
		all = append(all, s)
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

func (w *world) wantsSaid(t testing.TB, letters []core.Letter, want ...string) {
	t.Helper()
	if got := said(letters); got != strings.Join(want, "; ") {
		t.Errorf("sent: %s\nwant: %s", got, strings.Join(want, "; "))
	}
}

// taken is a case of Anna's that is Mia's, some while after the last mail.
func (w *world) taken() opened {
	w.t.Helper()
	o := w.opens(mail{from: anna})
	w.later(time.Hour)
	w.receive(fromMia(o, "I look.", false))
	w.letters()
	w.later(time.Hour)
	return o
}

func (w *world) fromAnna(o opened, text string) {
	w.t.Helper()
	w.receive(mail{from: anna, subject: "Re: [" + o.Case + "]", text: text})
}

func TestFold_severalEventsWithinAMinuteAreOneMail(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*world, opened)
		now  []string // what goes out at once
		then []string // and within a minute and a half
	}{
		{"an ordinary comment goes out at once", func(w *world, o opened) { w.fromAnna(o, "It smokes.") },
			[]string{"notice-comment to mia"}, nil},
		{"an ordinary answer goes out at once, with its status", func(w *world, o opened) { w.receive(fromMia(o, "#status resolved\nUse water.", false)) },
			[]string{"answer to anna: In progress -> Resolved", "transcript to mia: In progress -> Resolved"}, nil},
		{"news of a status waits", func(w *world, o opened) { w.receive(fromMia(o, "#status need-input", false)) },
			[]string{"transcript to mia: In progress -> Need input"}, []string{"status to anna: In progress -> Need input"}},
		{"two changes are one, from the first to the last", func(w *world, o opened) {
			w.receive(fromMia(o, "#status need-input", false))
			w.Clock.Advance(20 * time.Second)
			w.receive(fromMia(o, "#status third-party", false))
		}, []string{"transcript to mia: In progress -> Need input", "transcript to mia: Need input -> 3rd Party"}, []string{"status to anna: In progress -> 3rd Party"}},
		{"a status that comes back is no news", func(w *world, o opened) {
			w.receive(fromMia(o, "#status need-input", false))
			w.Clock.Advance(20 * time.Second)
			w.receive(fromMia(o, "#status in-progress", false))
		}, []string{"transcript to mia: In progress -> Need input", "transcript to mia: Need input -> In progress"}, nil},
		{"an answer takes the news up, and is not late for it", func(w *world, o opened) {
			w.receive(fromMia(o, "#status need-input", false))
			w.Clock.Advance(20 * time.Second)
			w.receive(fromMia(o, "Which printer?", false))
		}, []string{"answer to anna: In progress -> Need input", "transcript to mia: In progress -> Need input"}, nil},
		{"an answer after a status that came back says nothing of it", func(w *world, o opened) {
			w.receive(fromMia(o, "#status need-input", false))
			w.Clock.Advance(20 * time.Second)
			w.receive(fromMia(o, "#status in-progress\nI know already.", false))
		}, []string{"answer to anna", "transcript to mia: In progress -> Need input", "transcript to mia: Need input -> In progress"}, nil},
		{"a comment and what it moves is one mail", func(w *world, o opened) {
			w.exec(`update cases set status = 'need-input', class = 'customer'`)
			w.fromAnna(o, "The blue one.")
		}, []string{"notice-comment to mia: Need input -> In progress"}, nil},
	} {
		t.Run("R47/"+c.name, func(t *testing.T) {
			w := gathering(t)
			o := w.taken()
			c.do(w, o)
			w.wantsSaid(t, w.letters(), c.now...)
			w.wantsSaid(t, w.later(90*time.Second), c.then...)
			w.wantsSaid(t, w.later(time.Hour))
		})
	}
}

// A reason that was taken back before anybody read it is nobody's to read.
func TestFold_aReasonGoesWithItsStatus(t *testing.T) {
	w := gathering(t)
	o := w.taken()
	w.receive(fromMia(o, "#status need-input", false))
	w.later(time.Hour)
	w.receive(fromMia(o, "#reject meant for somebody else", false))
	w.receive(fromMia(o, "#reopen", false))
	t.Run("R47/and not with the next one", func(t *testing.T) {
		for _, l := range w.later(time.Hour) {
			if l.Kind != core.Transcript && (l.Payload.Reason != "" || l.Payload.Class == "rejected") {
				t.Errorf("%s to %s: %s, %q", l.Kind, l.To.Address, l.Payload.Status, l.Payload.Reason)
			}
		}
	})
}

func TestFold_severalTextsAreOneMail(t *testing.T) {
	t.Run("R47/the first at once, the others together and in order", func(t *testing.T) {
		w := gathering(t)
		o := w.taken()
		w.fromAnna(o, "It smokes.")
		w.wantsSaid(t, w.letters(), "notice-comment to mia")
		w.Clock.Advance(10 * time.Second)
		w.receive(mail{from: anna, name: "Anna Berg", subject: "Re: [" + o.Case + "]", text: "Now it burns."})
		w.Clock.Advance(10 * time.Second)
		w.receive(mail{from: bob, name: "Bob Roe", subject: "Re: [" + o.Case + "]", text: "I have water."})
		w.wantsSaid(t, w.letters())
		letters := w.later(45 * time.Second)
		w.wantsSaid(t, letters, `notice-comment to mia ["Now it burns." "I have water."]`)
		l := to(t, letters, mia, core.NoticeComment)
		if l.Payload.Actor != "Anna Berg, Bob Roe" || len(l.Payload.Texts) != 2 || l.Payload.Texts[1].Actor != "Bob Roe" ||
			l.Payload.Texts[1].At.Sub(l.Payload.Texts[0].At) != 10*time.Second {
			t.Errorf("who wrote when: %q, %+v", l.Payload.Actor, l.Payload.Texts)
		}
		w.wantsSaid(t, w.later(time.Hour))
	})
	t.Run("R47/a status that follows is told with the text that waits", func(t *testing.T) {
		w := gathering(t)
		o := w.taken()
		w.receive(fromMia(o, "One.", false))
		w.wantsSaid(t, w.letters(), "answer to anna")
		w.receive(fromMia(o, "Two.", false))
		w.receive(fromMia(o, "#status resolved\nThree.", false))
		w.receive(fromMia(o, "#status need-input", false))
		w.letters()
		letters := w.later(time.Minute)
		w.wantsSaid(t, letters, `answer to anna: In progress -> Need input ["Two." "Three."]`)
		if l := to(t, letters, anna, core.Answer); l.Automatic || len(l.Payload.Links) != 2 {
			t.Errorf("automatic: %v, links %v", l.Automatic, l.Payload.Links)
		}
	})
	t.Run("R47/the link of a folded letter works", func(t *testing.T) {
		w := gathering(t)
		o := w.taken()
		w.receive(fromMia(o, "One.", false))
		w.letters()
		w.receive(fromMia(o, "Two.", false))
		w.receive(fromMia(o, "#status resolved\nThree.", false))
		w.letters()
		l := to(t, w.later(time.Minute), anna, core.Answer)
		if m, err := w.PressMove(t.Context(), secret(t, l), ""); err != nil || !m.Done || w.status(o) != "closed" {
			t.Errorf("%+v, %v, the case is %s", m, err, w.status(o))
		}
	})
	t.Run("R40/a note and a comment are never one mail", func(t *testing.T) {
		w := gathering(t)
		o := w.taken()
		w.exec(`update cases set owner = (select person from address where address = $1)`, tom)
		w.fromAnna(o, "First.")
		w.letters()
		w.fromAnna(o, "It smokes.")
		w.receive(mail{from: mia, to: o.mia.Internal, text: "Between us."})
		w.wantsSaid(t, w.later(time.Minute), "notice-comment to tom", "notice-note to tom")
	})
	t.Run("R58/files of all texts go along", func(t *testing.T) {
		w := gathering(t)
		o := w.taken()
		w.fromAnna(o, "First.")
		w.letters()
		for _, name := range []string{"one.txt", "two.txt"} {
			w.receive(mail{from: anna, subject: o.Case, text: "See " + name, change: attach(name, name)})
		}
		l := to(t, w.later(time.Minute), mia, core.NoticeComment)
		if len(l.Files) != 2 || len(l.Texts) != 2 {
			t.Errorf("%d files, %d texts", len(l.Files), len(l.Texts))
		}
	})
}

func TestFold_whatCannotWaitIsNeverFolded(t *testing.T) {
	t.Run("R47/one that a sender has taken is left alone", func(t *testing.T) {
		w := gathering(t)
		o := w.taken()
		w.receive(fromMia(o, "#status need-input", false))
		w.letters()
		w.Clock.Advance(time.Minute)
		held := w.claim("another", 10)
		if len(held) != 1 || held[0].Kind != core.StatusNews {
			t.Fatalf("claimed: %s", said(held))
		}
		w.receive(fromMia(o, "#status third-party", false))
		w.receive(fromMia(o, "Which printer?", false))
		w.wantsSaid(t, held, "status to anna: In progress -> Need input")
		w.dot("another", held[0], "mail")
		w.ends("another", held[0], core.Accepted, "250 ok")
		letters := append(w.letters(), w.later(time.Minute)...)
		w.wantsSaid(t, letters, "answer to anna: Need input -> 3rd Party", "transcript to mia: Need input -> 3rd Party")
	})
	t.Run("R47/one that was put back waits again", func(t *testing.T) {
		w := gathering(t)
		o := w.taken()
		w.receive(fromMia(o, "#status need-input", false))
		w.letters()
		w.Clock.Advance(time.Minute)
		held := w.claim("another", 10)
		if err := w.ReleaseLetters(t.Context(), "another", []int64{held[0].ID}); err != nil {
			t.Fatal(err)
		}
		w.receive(fromMia(o, "#status third-party", false))
		w.wantsSaid(t, w.letters(), "status to anna: In progress -> 3rd Party", "transcript to mia: Need input -> 3rd Party")
	})
	t.Run("R47/one that was withheld tells nothing more", func(t *testing.T) {
		w := gathering(t)
		o := w.taken()
		w.exec(`update address set suppressed_at = now() where address = $1`, anna)
		w.receive(fromMia(o, "#status need-input", false))
		w.exec(`update address set suppressed_at = null`)
		w.receive(fromMia(o, "#status third-party", false))
		w.letters()
		w.wantsSaid(t, w.later(time.Minute), "status to anna: Need input -> 3rd Party")
	})
	t.Run("R47/another case is another mail", func(t *testing.T) {
		w := gathering(t)
		a, b := w.taken(), w.opens(mail{from: anna, subject: "Another"})
		w.later(time.Hour)
		w.fromAnna(a, "It smokes.")
		w.fromAnna(b, "It smokes, too.")
		w.wantsSaid(t, w.letters(), "notice-comment to mia", "notice-comment to mia", "notice-comment to tom")
	})
	t.Run("R45/the receipt of a customer's own word is not late", func(t *testing.T) {
		w := gathering(t)
		o := w.taken()
		w.receive(fromMia(o, "#status resolved", false)) // this news is waiting still
		w.letters()
		w.fromAnna(o, "close")
		w.wantsSaid(t, w.letters(), "status to anna: In progress -> Closed")
		w.wantsSaid(t, w.later(time.Minute), "notice-status to mia: Resolved -> Closed")
	})
}

func TestFold_nothingIsLost(t *testing.T) {
	t.Run("R4/a transaction that fails leaves what waits as it was", func(t *testing.T) {
		w := gathering(t)
		o := w.taken()
		w.fromAnna(o, "First.")
		w.letters()
		w.fromAnna(o, "Second.")
		kept := w.keep(mail{from: anna, subject: o.Case, text: "Third."})
		w.exec(`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`)
		w.exec(`create trigger refuse before update on ledger for each row execute function refuse()`)
		if _, err := w.Receive(t.Context(), kept); err == nil {
			t.Fatal("nothing failed")
		}
		if n := w.count(`select count(*) from outbox where payload ? 'texts'`); n != 0 {
			t.Errorf("%d letters tell of what was not filed", n)
		}
		w.exec(`drop trigger refuse on ledger`)
		w.receiveOne(kept)
		w.receiveOne(kept)
		w.wantsSaid(t, w.later(time.Minute), `notice-comment to mia ["Second." "Third."]`)
	})
	t.Run("R58/each text is told once, whoever claims meanwhile", func(t *testing.T) {
		w := newWorld(t, func(s *core.Settings) { s.Gather, s.Lease = time.Minute, 24*time.Hour }) // the clock runs fast
		o := w.taken()
		var mails []core.Mail
		for n := range 40 {
			mails = append(mails, w.keep(mail{from: []string{anna, bob}[n%2], subject: o.Case, text: fmt.Sprintf("Text %d.", n)}))
		}
		ctx := context.Background()
		var filing, sending sync.WaitGroup
		done := make(chan struct{})
		var mu sync.Mutex
		told := map[string]int{}
		sends := func(holder string) {
			letters, err := w.ClaimLetters(ctx, holder, 5)
			if err != nil {
				t.Error(err)
			}
			for _, l := range letters {
				ids, err := w.Settle(ctx, holder, nil, []core.Dotting{{ID: l.ID, Bytes: []byte("mail"), Envelope: l.Envelope}})
				if err != nil || len(ids) != 1 {
					t.Errorf("settle: %v, %v", ids, err)
				}
				if _, err := w.Settle(ctx, holder, []core.Delivery{{ID: l.ID, Result: core.Accepted}}, nil); err != nil {
					t.Error(err)
				}
				mu.Lock()
				for _, text := range append(l.Texts, l.Text) {
					if l.Kind == core.NoticeComment && (len(l.Texts) == 0 || text != l.Text || slices.Contains(l.Texts, text)) {
						told[text]++
					}
				}
				if len(l.Texts) > 0 {
					told[l.Text]-- // it is the first of Texts
				}
				mu.Unlock()
			}
		}
		for _, holder := range []string{"one", "two"} {
			sending.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
						sends(holder)
						w.Clock.Advance(2 * time.Second)
					}
				}
			})
		}
		for _, m := range mails {
			filing.Go(func() {
				if _, err := w.Receive(ctx, m); err != nil {
					t.Error(err)
				}
			})
		}
		filing.Wait()
		close(done)
		sending.Wait()
		w.Clock.Advance(5 * time.Minute)
		sends("three")
		for n := range 40 {
			if text := fmt.Sprintf("Text %d.", n); told[text] != 1 {
				t.Errorf("%q was told %d times", text, told[text])
			}
		}
		if n := w.count(`select count(*) from outbox where state not in ('sent', 'withheld')`); n != 0 {
			t.Errorf("%d letters are left", n)
		}
	})
	t.Run("R48/budgets count mails", func(t *testing.T) {
		w := gathering(t)
		o := w.taken()
		before := w.count(`select count(*) from outbox where address = $1 and automatic and let_out`, anna)
		for range 4 {
			w.receive(fromMia(o, "#status need-input", false))
			w.receive(fromMia(o, "#status third-party", false))
		}
		if n := w.count(`select count(*) from outbox where address = $1 and automatic and let_out`, anna) - before; n != 1 {
			t.Errorf("eight changes count as %d mails", n)
		}
		w.letters()
		w.wantsSaid(t, w.later(time.Minute), "status to anna: In progress -> 3rd Party")
	})
	t.Run("R54/an answer of two texts that comes back brings both", func(t *testing.T) {
		w := gathering(t)
		o := w.taken()
		w.receive(fromMia(o, "One.", false))
		w.letters()
		w.receive(fromMia(o, "Two.", false))
		w.receive(fromMia(o, "Three.", false))
		w.Clock.Advance(time.Minute)
		held := w.claim("another", 10)
		l := to(t, held, anna, core.Answer)
		w.ends("another", l, core.Permanent, "550 no")
		bounce := to(t, w.letters(), mia, core.NoticeBounce)
		if !slices.Equal(bounce.Texts, []string{"Two.", "Three."}) {
			t.Errorf("it brings %q", bounce.Texts)
		}
	})
}

// Whoever does something knows it.
func TestTell_nobodyIsToldOfWhatTheyDid(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name string
		do   func(t *testing.T, w *world, o opened)
		want string // in a minute
	}{
		{"by mail, a customer", func(t *testing.T, w *world, o opened) { w.fromAnna(o, "It smokes.") }, "notice-comment to mia"},
		{"by mail, an agent", func(t *testing.T, w *world, o opened) { w.receive(fromMia(o, "Look.", false)) }, "answer to anna"},
		{"by a note", func(t *testing.T, w *world, o opened) {
			w.receive(mail{from: tom, to: o.tom.Internal, text: "Between us."})
		}, "notice-note to mia"},
		{"by a command", func(t *testing.T, w *world, o opened) { w.receive(fromMia(o, "#status need-input", false)) },
			"status to anna: In progress -> Need input; transcript to mia: In progress -> Need input"},
		{"by the command of a colleague, which the owner hears of", func(t *testing.T, w *world, o opened) {
			w.receive(mail{from: tom, subject: o.Case, text: "#status need-input", to: o.tom.ReplyTo})
		}, "notice-status to mia: In progress -> Need input; status to anna: In progress -> Need input; transcript to tom: In progress -> Need input"},
		{"by a page, an agent", func(t *testing.T, w *world, o opened) {
			if err := w.MoveCase(ctx, w.signsIn(mia), o.Case, "need-input"); err != nil {
				t.Fatal(err)
			}
		}, "status to anna: In progress -> Need input"},
		{"by a page, a customer, but for the receipt of a word that ends it", func(t *testing.T, w *world, o opened) {
			if err := w.MoveCase(ctx, w.signsIn(anna), o.Case, "closed"); err != nil {
				t.Fatal(err)
			}
		}, "notice-status to mia: In progress -> Closed; status to anna: In progress -> Closed"},
		{"by a link", func(t *testing.T, w *world, o opened) {
			w.exec(`update cases set status = 'closed', class = 'closed'`)
			link := w.linkTo(t, o)
			if _, err := w.PressMove(ctx, link, ""); err != nil {
				t.Fatal(err)
			}
		}, "notice-status to mia: Closed -> In progress; status to anna: Closed -> In progress"},
		{"by the clock, which is nobody", func(t *testing.T, w *world, o opened) {
			w.exec(`update cases set status = 'on-hold', class = 'customer', wake_at = $1`, w.Clock.Now())
			if _, err := w.WakeUp(ctx); err != nil {
				t.Fatal(err)
			}
		}, "notice-status to mia: On hold -> In progress; status to anna: On hold -> In progress"},
	} {
		t.Run("R52/"+c.name, func(t *testing.T) {
			w := gathering(t)
			o := w.taken()
			c.do(t, w, o)
			letters := slices.DeleteFunc(append(w.letters(), w.later(time.Minute)...), func(l core.Letter) bool { return l.Kind == core.SignIn })
			w.wantsSaid(t, letters, c.want)
		})
	}
}

// linkTo is the one-press link of an answer to Anna.
func (w *world) linkTo(t testing.TB, o opened) string {
	t.Helper()
	w.receive(fromMia(o, "Well?", false))
	return secret(t, to(t, w.letters(), anna, core.Answer))
}

func TestDigest_ofTheHour(t *testing.T) {
	tells := func(w *world, t testing.TB, table string) {
		w.apply(t, func(s string) string { return s + "\n[tell]\n" + table + "\n" })
	}
	t.Run("R47/what waits goes out in one mail", func(t *testing.T) {
		w := newWorld(t, nil)
		tells(w, t, `comment = { owner = "digest", unowned = "digest" }`)
		a, b := w.taken(), w.taken()
		w.fromAnna(a, "It smokes.")
		w.fromAnna(b, "It burns.")
		w.wantsSaid(t, w.letters())
		letters := w.chore(w.SendHourly)
		w.wantsSaid(t, letters, "news to mia")
		if items := letters[0].Payload.Items; len(items) != 2 || items[0].Text != "It smokes." || items[1].Number != b.Case {
			t.Errorf("%+v", items)
		}
		w.wantsSaid(t, w.chore(w.SendHourly))
		w.wantsSaid(t, w.chore(w.SendDigests))
	})
	t.Run("R47/a customer's, who can answer it if it is of one case", func(t *testing.T) {
		w := newWorld(t, nil)
		tells(w, t, `status = { requester = "digest" }`)
		o := w.taken()
		w.receive(fromMia(o, "#status need-input", false))
		w.receive(fromMia(o, "#status third-party", false))
		w.wantsSaid(t, w.letters(), "transcript to mia: In progress -> Need input", "transcript to mia: Need input -> 3rd Party")
		letters := w.chore(w.SendHourly)
		w.wantsSaid(t, letters, "news to anna")
		l := letters[0]
		if l.Number != o.Case || !l.Automatic || len(l.Payload.Items) != 2 || l.Payload.Items[1].Text != "Need input -> 3rd Party" {
			t.Errorf("%s: %+v", l.Number, l.Payload.Items)
		}
		r := w.receive(mail{from: anna, subject: "Re: news", text: "Good.", to: l.ReplyTo, inReplyTo: l.MessageID})
		if r.CaseID != o.CaseID || r.Outcome != "joins" {
			t.Errorf("an answer %s, case %d", r.Outcome, r.CaseID)
		}
	})
	t.Run("R47/of two cases it names both", func(t *testing.T) {
		w := newWorld(t, nil)
		tells(w, t, `status = { requester = "digest" }`)
		a, b := w.taken(), w.taken()
		w.receive(fromMia(a, "#status need-input", false))
		w.receive(fromMia(b, "#status need-input", false))
		w.letters()
		letters := w.chore(w.SendHourly)
		w.wantsSaid(t, letters, "news to anna")
		if letters[0].Number != "" || len(letters[0].Payload.Items) != 2 {
			t.Errorf("%q: %+v", letters[0].Number, letters[0].Payload.Items)
		}
	})
	t.Run("R44/who is an agent no longer gets nothing that waited", func(t *testing.T) {
		w := newWorld(t, nil)
		tells(w, t, `note = { owner = "digest" }`)
		o := w.taken()
		w.receive(mail{from: tom, subject: o.Case, text: "#note\nThe vault opens by 4711."})
		w.letters()
		w.exec(`delete from agent where person = (select person from address where address = $1)`, mia)
		w.wantsSaid(t, w.chore(w.SendHourly))
	})
	t.Run("R63/nor who may see the case no longer", func(t *testing.T) {
		w := newWorld(t, nil)
		tells(w, t, `status = { requester = "digest" }`)
		r := w.receive(mail{from: mia, to: newCases, subject: "Phone", text: "#requester " + anna + "\nShe called."})
		o := opened{Receipt: r, mia: to(t, w.letters(), mia, core.Transcript)}
		w.exec(`update cases set opened_by = null where id = $1`, o.CaseID)
		w.receive(fromMia(o, "#status need-input", false))
		w.exec(`update cases set requester = (select person from address where address = $2), organisation = null where id = $1`, o.CaseID, mia)
		w.letters()
		w.wantsSaid(t, w.chore(w.SendHourly))
	})
	t.Run("R51/of a requester whom nothing has verified it repeats nothing", func(t *testing.T) {
		w := newWorld(t, nil)
		tells(w, t, `status = { requester = "digest" }`)
		o := w.opens(mail{from: eve, subject: "Buy gold", unverified: true})
		if err := w.MoveCase(t.Context(), w.signsIn(mia), o.Case, "need-input"); err != nil {
			t.Fatal(err)
		}
		w.letters()
		l := to(t, w.chore(w.SendHourly), eve, core.News)
		if p := l.Payload; !p.Fixed || p.Title != "" || len(p.Items) != 1 || p.Items[0].Title != "" || p.Items[0].Text != "Open -> Need input" {
			t.Errorf("%+v", p)
		}
	})
	t.Run("R48/it is in the budget of an address, and waits if that is spent", func(t *testing.T) {
		w := newWorld(t, func(s *core.Settings) { s.Budgets.PerAddress = []core.Window{{Count: 2, Within: time.Hour}} })
		tells(w, t, `status = { requester = "digest" }`)
		o := w.opens(mail{from: anna})
		w.opens(mail{from: anna, subject: "Another"})
		w.receive(fromMia(o, "#status need-input", false))
		w.letters()
		w.wantsSaid(t, w.chore(w.SendHourly))
		w.Clock.Advance(time.Hour)
		w.wantsSaid(t, w.chore(w.SendHourly), "news to anna")
	})
}

func TestPreferences_whatPeopleSayCounts(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	o := w.taken()
	agent, customer := w.signsIn(mia), w.signsIn(anna)
	set := func(v core.Viewer, event, how string) error {
		return w.SetPreferences(ctx, v, "support", map[string]string{event: how})
	}
	lines := func(v core.Viewer) map[string]core.WishLine {
		all, err := w.Preferences(ctx, v)
		if err != nil || len(all) != 1 {
			t.Fatalf("%d desks, %v", len(all), err)
		}
		m := map[string]core.WishLine{}
		for _, l := range all[0].Lines {
			m[string(l.Event)] = l
		}
		return m
	}
	t.Run("R47/an agent asks for a digest, and takes it back", func(t *testing.T) {
		if err := set(agent, "comment", "digest"); err != nil {
			t.Fatal(err)
		}
		w.fromAnna(o, "It smokes.")
		w.wantsSaid(t, w.letters())
		w.wantsSaid(t, w.chore(w.SendHourly), "news to mia")
		if l := lines(agent)["comment"]; l.Wish != "digest" || l.Gives != "mail" {
			t.Errorf("%+v", l)
		}
		if err := set(agent, "comment", ""); err != nil {
			t.Fatal(err)
		}
		w.fromAnna(o, "It burns.")
		w.wantsSaid(t, w.letters(), "notice-comment to mia")
	})
	t.Run("R47/an agent asks for the mail of every case", func(t *testing.T) {
		if err := set(w.signsIn(tom), "comment", "mail"); err != nil {
			t.Fatal(err)
		}
		w.fromAnna(o, "It glows.")
		w.wantsSaid(t, w.letters(), "notice-comment to mia", "notice-comment to tom")
	})
	t.Run("R47/a customer does without status news, never without answers", func(t *testing.T) {
		if err := set(customer, "status", "nothing"); err != nil {
			t.Fatal(err)
		}
		w.receive(fromMia(o, "#status need-input", false))
		w.wantsSaid(t, w.letters(), "transcript to mia: In progress -> Need input")
		w.receive(fromMia(o, "Which one?", false))
		w.wantsSaid(t, w.letters(), "answer to anna")
	})
	t.Run("R47/what is not theirs to say is refused, and changes nothing", func(t *testing.T) {
		for name, err := range map[string]error{
			"an answer":                set(customer, "answer", "nothing"),
			"more than the desk gives": set(customer, "reminder", "mail"),
			"an agent's event":         set(customer, "note", "mail"),
			"an unknown event":         set(agent, "weather", "mail"),
			"an unknown way":           set(agent, "note", "fax"),
			"a digest of a list":       set(agent, "morning", "digest"),
			"a reminder with others":   set(customer, "reminder", "digest"),
			"bounces":                  set(agent, "bounce", "nothing"),
			"one of several": w.SetPreferences(ctx, agent, "support", map[string]string{
				"note": "nothing", "new": "nothing", "weather": "mail"}),
		} {
			if !errors.Is(err, core.ErrNotAllowed) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := w.SetPreferences(ctx, agent, "nowhere", map[string]string{"note": "mail"}); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("a desk that is none: %v", err)
		}
		if l := lines(agent); l["note"].Wish != "" || l["new"].Wish != "" {
			t.Error("something was kept")
		}
		w.opens(mail{from: carl})
		if err := w.SetPreferences(ctx, w.signsIn(carl), "support", map[string]string{"status": "digest"}); err != nil {
			t.Error(err)
		}
		if all, err := w.Preferences(ctx, w.signsIn(carl)); err != nil || len(all) != 1 || all[0].Agent {
			t.Errorf("%+v, %v", all, err)
		}
	})
	t.Run("R47/an agent asks for the list of the day", func(t *testing.T) {
		if err := set(agent, "morning", "mail"); err != nil || lines(agent)["morning"].Wish != "mail" {
			t.Errorf("%v, %+v", err, lines(agent)["morning"])
		}
	})
}
