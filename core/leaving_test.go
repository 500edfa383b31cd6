package core_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"postern/core"
)

// left are the addresses of who left a case, in order.
func (w *world) left(o opened) string {
	return w.text(`select coalesce(string_agg(a.address, ' ' order by a.address), '') from left_case l
		join address a on a.person = l.person where l.case_id = $1`, o.CaseID)
}

func TestReceive_whoLeavesACase(t *testing.T) {
	for _, c := range []struct {
		name    string
		mail    mail
		token   string // "own", "anna's", ""
		leaves  bool
		comment string
	}{
		{name: "with the whole sentence", mail: mail{text: "Unsubscribe me from this case."}, leaves: true},
		{name: "politely", mail: mail{text: "Please unsubscribe me from this case, thanks"}, leaves: true},
		{name: "in Dutch", mail: mail{text: "Meld mij af voor deze case a.u.b."}, leaves: true},
		{name: "in Danish", mail: mail{text: "Afmeld mig fra denne sag"}, leaves: true},
		{name: "in Norwegian", mail: mail{text: "Meld meg av denne saken, takk"}, leaves: true},
		{name: "in German", mail: mail{text: "Melden Sie mich von diesem Fall ab"}, leaves: true},
		{name: "with one word as the whole reply", mail: mail{text: "UNSUBSCRIBE"}, leaves: true},
		{name: "with one word and a closing", mail: mail{text: "afmelden\n\nMet vriendelijke groet,\nBob"}, leaves: true},
		{name: "and the text below is kept", mail: mail{text: "unsubscribe me from this case\nMy colleague knows more."}, leaves: true, comment: "My colleague knows more."},
		{name: "with their own live reply address alone", mail: mail{text: "unsubscribe", unverified: true}, token: "own", leaves: true},
		{name: "not with one word above a text", mail: mail{text: "unsubscribe\nis what our users want."}, comment: "unsubscribe\nis what our users want."},
		{name: "not with a question", mail: mail{text: "unsubscribe me from this case?"}, comment: "unsubscribe me from this case?"},
		{name: "not below another line", mail: mail{text: "Hello\nunsubscribe"}, comment: "Hello\nunsubscribe"},
		{name: "not by a forged mail", mail: mail{text: "unsubscribe", unverified: true}, comment: "unsubscribe"},
		{name: "not by a forged mail with somebody else's reply address", mail: mail{text: "unsubscribe", unverified: true}, token: "anna's", comment: "unsubscribe"},
		{name: "not by a signed mail that was written to somebody else", comment: "unsubscribe", mail: mail{text: "unsubscribe", subject: "Newsletter",
			change: func(m *core.Mail) {
				m.To = []core.Address{{Address: "news@shop.example"}}
				m.Delivered = nil
			}}},
		{name: "not by a machine", comment: "unsubscribe", mail: mail{text: "unsubscribe",
			change: func(m *core.Mail) { m.Marks.AutoSubmitted = "auto-generated" }}},
	} {
		t.Run("R38/"+c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna, change: cc(bob)})
			w.receive(fromMia(o, "#status need-input\nWhich printer?", false))
			letters := w.letters()
			m := c.mail
			m.from = bob
			m.inReplyTo = to(t, letters, bob, core.Answer).MessageID
			if m.subject == "" {
				m.subject = "Re: " + o.Case
			}
			switch c.token {
			case "own":
				m.to = to(t, letters, bob, core.Answer).ReplyTo
			case "anna's":
				m.to = to(t, letters, anna, core.Answer).ReplyTo
			}
			r := w.receive(m)
			letters = w.letters()
			if got := w.left(o); (got == bob) != c.leaves {
				t.Fatalf("left %q: %v", got, r.Trace)
			}
			if r.State != core.Filed || r.CaseID != o.CaseID {
				t.Errorf("%+v", r)
			}
			if got := kinds(letters, core.LeftCase); (len(got) == 1 && got[0].To.Address == bob && got[0].Payload.Reason == "left") != c.leaves {
				t.Errorf("told %+v", got)
			}
			if got := w.text(`select coalesce(string_agg(text, '|'), '') from comment where side = 'customer'`); got != c.comment {
				t.Errorf("comments %q", got)
			}
			if notices := len(kinds(letters, core.NoticeComment)) > 0; notices != (c.comment != "") {
				t.Errorf("agents told %v", notices)
			}
			if n := w.count(`select count(*) from event where kind = 'left' and actor is not null`); (n == 1) != c.leaves {
				t.Errorf("%d events", n)
			}
			if c.leaves && w.status(o) != "need-input" {
				t.Errorf("leaving moved the case to %s", w.status(o))
			}
		})
	}
}

func TestReceive_whoHasLeftGetsNothingMore(t *testing.T) {
	leave := func(t *testing.T, who string) (*world, opened) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna, change: cc(bob)})
		wants(t, w.receive(mail{from: who, subject: o.Case, text: "unsubscribe"}), core.Filed, "leaves the case", "")
		to(t, w.letters(), who, core.LeftCase)
		return w, o
	}
	t.Run("R38/a participant gets no answer, no news, no reminder", func(t *testing.T) {
		w, o := leave(t, bob)
		w.receive(fromMia(o, "#status need-input\nWhich printer?", false))
		noneTo(t, w.letters(), bob)
		w.Clock.Advance(4 * 24 * time.Hour)
		if _, err := w.Remind(t.Context()); err != nil {
			t.Fatal(err)
		}
		letters := w.letters()
		to(t, letters, anna, core.Reminder)
		noneTo(t, letters, bob)
		if err := w.MoveCase(t.Context(), w.signsIn(mia), o.Case, "resolved"); err != nil {
			t.Fatal(err)
		}
		letters = w.letters()
		to(t, letters, anna, core.StatusNews)
		noneTo(t, letters, bob)
	})
	t.Run("R38/the requester gets the desk's answers, and nothing automatic", func(t *testing.T) {
		w, o := leave(t, anna)
		w.receive(fromMia(o, "#status need-input\nWhich printer?", false))
		to(t, w.letters(), anna, core.Answer)
		w.Clock.Advance(4 * 24 * time.Hour)
		if _, err := w.Remind(t.Context()); err != nil {
			t.Fatal(err)
		}
		noneTo(t, w.letters(), anna)
		if err := w.MoveCase(t.Context(), w.signsIn(mia), o.Case, "resolved"); err != nil {
			t.Fatal(err)
		}
		letters := w.letters()
		to(t, letters, bob, core.StatusNews)
		noneTo(t, letters, anna)
		if got := w.text(`select distinct reason from outbox where address = $1 and state = 'withheld'`, anna); got != "its recipient has left the case (R38)" {
			t.Errorf("withheld: %q", got)
		}
		w.receive(mail{from: anna, subject: o.Case, text: "disagree"})
		to(t, w.letters(), anna, core.WordRefused) // an answer to their own word
	})
	t.Run("R38/what they write later joins, and does not bring them back; another's Cc does neither", func(t *testing.T) {
		w, o := leave(t, bob)
		r := w.receive(mail{from: bob, subject: o.Case, text: "It is the one in hall 2."})
		if r.CaseID != o.CaseID {
			t.Fatalf("%+v", r)
		}
		w.receive(mail{from: anna, subject: o.Case, text: "Bob again", change: cc(bob)})
		w.letters()
		w.receive(fromMia(o, "Thank you.", false))
		noneTo(t, w.letters(), bob)
	})
	t.Run("R38/a stranger whom an agent added may leave and come back", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna, change: cc(zed)})
		if err := w.AddParticipant(t.Context(), w.signsIn(mia), o.Case, zed); err != nil {
			t.Fatal(err)
		}
		wants(t, w.receive(mail{from: zed, subject: o.Case, text: "unsubscribe"}), core.Filed, "leaves the case", "")
		w.letters()
		w.receive(fromMia(o, "Use water.", false))
		noneTo(t, w.letters(), zed)
		wants(t, w.receive(mail{from: zed, subject: o.Case, text: "Subscribe me to this case, please."}), core.Filed, "comes back to the case", "")
		if l := to(t, w.letters(), zed, core.LeftCase); l.Payload.Reason != "back" {
			t.Errorf("%+v", l.Payload)
		}
		w.receive(fromMia(o, "Use more water.", false))
		to(t, w.letters(), zed, core.Answer)
	})
	t.Run("R38/twice is once, and answered each time", func(t *testing.T) {
		w, o := leave(t, bob)
		w.receive(mail{from: bob, subject: "Re: " + o.Case, text: "unsubscribe"})
		to(t, w.letters(), bob, core.LeftCase)
		if n := w.count(`select count(*) from event where kind = 'left'`); n != 1 {
			t.Errorf("%d events", n)
		}
	})
	t.Run("R38/a case that is over can be left, and is not opened again by it", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		w.receive(fromMia(o, "#status closed\nBye.", false))
		w.letters()
		for i, wait := range []time.Duration{time.Hour, 30 * 24 * time.Hour} {
			w.Clock.Advance(wait)
			w.lease()
			wants(t, w.receive(mail{from: anna, subject: o.Case + strings.Repeat(" again", i), text: "unsubscribe"}), core.Filed, "leaves the case", "")
			if w.status(o) != "closed" {
				t.Errorf("it is %s", w.status(o))
			}
		}
	})
	t.Run("R48/answers to it count with those to a word", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		w.letters()
		for i := range 8 {
			text := []string{"unsubscribe", "subscribe"}[i%2]
			w.receive(mail{from: anna, subject: o.Case + strings.Repeat(" again", i), text: text})
		}
		if n := len(kinds(w.letters(), core.LeftCase)); n != 5 {
			t.Errorf("%d answers", n)
		}
	})
	t.Run("R63/whoever may not see the case gets the answer of any new mail", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		r := w.receive(mail{from: carl, subject: o.Case, text: "unsubscribe"})
		wants(t, r, core.Filed, "opens a case", "")
		to(t, w.letters(), carl, core.Confirmation)
		if w.left(o) != "" {
			t.Error("he left it")
		}
	})
	t.Run("R39/the answer to it goes to the stored address, whatever Reply-To says", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		w.receive(mail{from: anna, subject: o.Case, text: "unsubscribe", change: func(m *core.Mail) { m.ReplyTo = []core.Address{{Address: eve}} }})
		letters := w.letters()
		to(t, letters, anna, core.LeftCase)
		noneTo(t, letters, eve)
	})
	t.Run("R71/a colleague whom the domain alone shows leaves nothing, and learns nothing", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		wants(t, w.receive(mail{from: bob, subject: o.Case, text: "unsubscribe", unverified: true}), core.Filed, "opens a case", "")
		if l := to(t, w.letters(), bob, core.Confirmation); l.Number == o.Case || w.left(o) != "" {
			t.Errorf("%s, left %q", l.Number, w.left(o))
		}
	})
	t.Run("R40/what comes to an internal address leaves nothing", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		wants(t, w.receive(mail{from: anna, subject: o.Case, text: "unsubscribe", to: o.mia.Internal}), core.Filed, "note", "")
		if w.left(o) != "" {
			t.Error("it did")
		}
	})
	t.Run("R51/the answer to it repeats nothing while the requester was never verified", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna, unverified: true})
		w.receive(mail{from: anna, subject: o.Case, text: "unsubscribe", unverified: true, to: o.confirmation.ReplyTo})
		if l := to(t, w.letters(), anna, core.LeftCase); !l.Payload.Fixed {
			t.Errorf("%+v", l.Payload)
		}
	})
	t.Run("R66/an erased person has left nothing", func(t *testing.T) {
		w, o := leave(t, bob)
		if _, err := w.Erase(t.Context(), bob, false); err != nil {
			t.Fatal(err)
		}
		if n := w.count(`select count(*) from left_case where case_id = $1`, o.CaseID); n != 0 {
			t.Error("it is still there")
		}
	})
}

func TestReceive_colleaguesJoinAsTheDeskSays(t *testing.T) {
	for _, c := range []struct {
		join, joins, proposed string
		text                  string
		outcome               string
	}{
		{"writing", bob, "", "me too", "joins"},
		{"asked", "", bob, "me too", "joins"},
		{"never", "", "", "me too", "joins"},
		{"writing", bob, "", "subscribe me to this case", "comes back to the case"},
		{"asked", "", bob, "subscribe me to this case", "joins"},
		{"never", "", "", "subscribe me to this case", "joins"},
	} {
		t.Run("R38/join "+c.join+": "+c.text, func(t *testing.T) {
			w := newWorld(t, nil)
			w.apply(t, func(s string) string { return replace(t, s, `join = "writing"`, `join = "`+c.join+`"`) })
			w.opens(mail{from: bob})
			o := w.opens(mail{from: anna})
			wants(t, w.receive(mail{from: bob, subject: o.Case, text: c.text}), core.Filed, c.outcome, "")
			letters := w.letters()
			if got := w.participants(o); got != c.joins {
				t.Errorf("participants %q", got)
			}
			if got := w.proposed(o); got != c.proposed {
				t.Errorf("proposed %q", got)
			}
			if c.proposed != "" {
				if l := to(t, letters, mia, core.NoticeComment); len(l.Payload.Proposed) != 1 {
					t.Errorf("the desk is told %q", l.Payload.Proposed)
				}
			}
			w.receive(fromMia(o, "Use water.", false))
			if letters := w.letters(); c.joins == "" {
				noneTo(t, letters, bob)
			} else {
				to(t, letters, bob, core.Answer)
			}
			if c.proposed != "" {
				if err := w.AddParticipant(t.Context(), w.signsIn(mia), o.Case, bob); err != nil || w.participants(o) != bob {
					t.Errorf("%v, participants %q", err, w.participants(o))
				}
			}
		})
	}
	t.Run("R38/an unproved colleague joins nothing", func(t *testing.T) {
		w := newWorld(t, nil)
		w.opens(mail{from: bob})
		o := w.opens(mail{from: anna})
		w.receive(mail{from: bob, subject: o.Case, text: "me too", unverified: true})
		if got := w.participants(o); got != "" {
			t.Errorf("participants %q", got)
		}
	})
}

// What the mails say to write is understood.
func TestReceive_leavingAsTheMailsSay(t *testing.T) {
	quoted := regexp.MustCompile(`(?s)"([^"{}.]+)"`)
	for _, lang := range []string{"en", "nl", "da", "nb", "de"} {
		t.Run("R38/in "+lang, func(t *testing.T) {
			words, err := os.ReadFile("../templates/mail/left-case." + lang + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			_, body, _ := strings.Cut(string(words), `{{if eq .Reason "back"}}`)
			body, _, _ = strings.Cut(body, "{{end}}")
			back, left, _ := strings.Cut(body, `{{else if eq .Reason "left-requester"}}`)
			says := func(part string) (lines []string) {
				for _, m := range quoted.FindAllStringSubmatch(part, -1) {
					lines = append(lines, strings.Join(strings.Fields(m[1]), " "))
				}
				return lines
			}
			leave, comeBack := says(back), says(left)
			if len(leave) != 1 || len(comeBack) != 2 || comeBack[0] != comeBack[1] {
				t.Fatalf("%q, %q", leave, comeBack)
			}
			wants(t, w.receive(mail{from: anna, subject: o.Case, text: leave[0]}), core.Filed, "leaves the case", "")
			wants(t, w.receive(mail{from: anna, subject: o.Case, text: comeBack[0]}), core.Filed, "comes back to the case", "")
		})
	}
}
