package core_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"postern/core"
)

// commands are those that a notice offers.
func commands(l core.Letter) string {
	var all []string
	for _, a := range l.Payload.Actions {
		all = append(all, a.Command)
	}
	return strings.Join(all, ", ")
}

func TestNotice_offersWhatAnAgentMayDo(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	t.Run("R42/of a new case all", func(t *testing.T) {
		if got := commands(o.mia); got != "#status resolved, #status need-input, #assign me, #note" {
			t.Errorf("offered: %s", got)
		}
		if label := o.mia.Payload.Actions[0].Label; label != "Resolved" {
			t.Errorf("called %q", label)
		}
	})
	w.answers(o, "#status need-input\nWhich printer?")
	w.receive(mail{from: anna, subject: "[" + o.Case + "]", text: "The one in hall 2."})
	t.Run("R42/not to take what is theirs", func(t *testing.T) {
		if got := commands(to(t, w.letters(), mia, core.NoticeComment)); got != "#status resolved, #status need-input, #note" {
			t.Errorf("offered: %s", got)
		}
	})
	w.receive(mail{from: mia, subject: "[" + o.Case + "]", text: "#status resolved"})
	w.receive(mail{from: anna, subject: "[" + o.Case + "]", text: "close"})
	t.Run("R44/no status that nobody may set from here", func(t *testing.T) {
		if got := commands(to(t, w.letters(), mia, core.NoticeStatus)); got != "#note" {
			t.Errorf("offered: %s", got)
		}
	})
	if got := commands(o.confirmation); got != "" {
		t.Errorf("a customer is offered %s", got)
	}
}

func TestLetter_saysOfWhichClassAStatusIs(t *testing.T) {
	w := newWorld(t, nil)
	o, answer := w.resolved()
	if p := answer.Payload; p.Class != "resolved" || p.From != "new" || p.Was != "Open" {
		t.Errorf("an answer: %+v", p)
	}
	w.receive(mail{from: anna, subject: "[" + o.Case + "]", text: "close"})
	if p := to(t, w.letters(), anna, core.StatusNews).Payload; p.Class != "closed" || p.From != "resolved" {
		t.Errorf("by mail: %+v", p)
	}
	if err := w.MoveCase(t.Context(), w.signsIn(anna), o.Case, "in-progress"); err != nil {
		t.Fatal(err)
	}
	if p := to(t, w.letters(), anna, core.StatusNews).Payload; p.Class != "open" || p.From != "closed" {
		t.Errorf("by a press: %+v", p)
	}
}

func TestLetter_quotesWhatItsReaderWroteLast(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna, text: "It burns.", change: func(m *core.Mail) {
		m.Files = []core.File{{Name: "smoke.png", Type: "image/png", Size: 5, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("flame")), nil }}}
	}})
	t.Run("R51/a confirmation quotes the mail and names its files", func(t *testing.T) {
		c := o.confirmation
		if c.Said != "It burns." || len(c.Files) != 1 || c.Files[0].Name != "smoke.png" || c.Files[0].Attach {
			t.Errorf("%q, files %+v", c.Said, c.Files)
		}
	})
	w.answers(o, "#status need-input\nWhich printer?")
	w.receive(mail{from: bob, subject: "[" + o.Case + "]", text: "Mine."})
	w.receive(mail{from: mia, subject: "[" + o.Case + "]", text: "#status resolved"})
	letters := w.letters()
	for _, c := range []struct{ who, said string }{{anna, "It burns."}, {bob, "Mine."}} {
		t.Run("R63/nobody else's words: "+c.who, func(t *testing.T) {
			var said []string
			for _, l := range kinds(letters, core.StatusNews) {
				if l.To.Address == c.who {
					said = append(said, l.Said)
				}
			}
			if len(said) == 0 || said[len(said)-1] != c.said {
				t.Errorf("%q", said)
			}
		})
	}
	w.receive(mail{from: anna, subject: "[" + o.Case + "]", text: "close", unverified: true})
	w.letters()
	w.receive(mail{from: anna, subject: "[" + o.Case + "]", text: "Buy our pills.", unverified: true})
	w.receive(mail{from: mia, subject: "[" + o.Case + "]", text: "#status resolved"})
	t.Run("R51/what may be forged is not sent on in our name", func(t *testing.T) {
		for _, l := range w.letters() {
			if l.To.Address == anna && strings.Contains(l.Said, "pills") {
				t.Errorf("%s quotes %q", l.Kind, l.Said)
			}
		}
	})
}

func TestConfirmation_saysWhenTheDeskOpens(t *testing.T) {
	for _, c := range []struct {
		name, hours string
		opens       string
	}{
		{"a desk without hours is open", "", "0001-01-01 00:00"},
		{"an open desk", `hours = "sun-sat 00:00-24:00"`, "0001-01-01 00:00"},
		{"a closed desk", `hours = "%s 10:30-11:00"`, "10:30"},
	} {
		t.Run("R51/"+c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			tomorrow := strings.ToLower(w.Clock.Now().AddDate(0, 0, 3).Format("Mon"))
			if strings.Contains(c.hours, "%s") {
				c.hours = fmt.Sprintf(c.hours, tomorrow)
			}
			w.apply(t, func(s string) string { return replace(t, s, `unknown = "opens"`, "unknown = \"opens\"\n"+c.hours) })
			zone, err := time.LoadLocation("Europe/Amsterdam")
			if err != nil {
				t.Fatal(err)
			}
			when := w.opens(mail{from: eve, unverified: true}).confirmation.Payload.When
			if when.IsZero() == (c.opens == "10:30") || !when.IsZero() && when.In(zone).Format("15:04") != c.opens {
				t.Errorf("it opens %s", when)
			}
		})
	}
}

// What a notice offers is carried out when the mail that is written already is
// sent: to whatever address, with nothing but the case in its subject.
func TestNotice_whatItOffersWorks(t *testing.T) {
	for command, want := range map[string]string{"#status resolved": "resolved", "#status need-input": "need-input", "#note": "open"} {
		t.Run("R42/"+command, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			if !strings.Contains(commands(o.mia), command) {
				t.Fatalf("offered: %s", commands(o.mia))
			}
			w.receive(mail{from: mia, subject: "[" + o.Case + "]", text: command + "\r\n"})
			if got := w.status(o); got != want {
				t.Errorf("the case is %s", got)
			}
			if n := w.count(`select count(*) from comment where case_id = $1`, o.CaseID); n != 0 {
				t.Errorf("%d comments", n)
			}
		})
	}
}

func TestStatusNews_saysWhenACaseThatRestsGoesOn(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	w.receive(mail{from: mia, subject: "[" + o.Case + "]", text: "#status on-hold 3d"})
	p := to(t, w.letters(), anna, core.StatusNews).Payload
	if at := w.text(`select to_char(wake_at, 'YYYY-MM-DD HH24:MI') from cases where id = $1`, o.CaseID); p.Class != "customer" || p.When.UTC().Format("2006-01-02 15:04") != at {
		t.Errorf("%s, wakes %s, told %s", p.Class, at, p.When)
	}
}
