package core_test

import (
	"strings"
	"testing"
	"time"

	"postern/core"
)

// commands sends Mia's block as an answer to a notice, and returns what the
// transcript says.
func (w *world) commands(o opened, text string) (core.Receipt, string) {
	w.t.Helper()
	r := w.receive(mail{from: mia, subject: "Re: " + o.Case, to: o.mia.ReplyTo, inReplyTo: o.mia.MessageID, text: text})
	w.last = w.letters()
	l := to(w.t, w.last, mia, core.Transcript)
	return r, saysInTranscript(l)
}

func says(t testing.TB, got, want string) {
	t.Helper()
	if !strings.Contains(got, want) {
		t.Errorf("the transcript says %q; want %q in it", got, want)
	}
}

func (w *world) requesterOf(o opened) cameOf {
	w.t.Helper()
	c := w.cameOf(o.Receipt)
	return cameOf{requester: c.requester, company: c.company}
}

func TestReceive_givesACaseToAnotherRequester(t *testing.T) {
	phoned := func(w *world, address string) opened {
		r := w.receive(mail{from: mia, to: newCases, subject: "Phone", text: "#requester " + address + "\nThey called."})
		return opened{Receipt: r, mia: to(w.t, w.letters(), mia, core.Transcript)}
	}
	t.Run("R64/within the organisation: the former requester takes part from then on", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		r, told := w.commands(o, "#requester "+bob)
		wants(t, r, core.Filed, "commands", "")
		says(t, told, "requester: "+anna+" -> "+bob+", Northwind")
		noneTo(t, w.last, anna, bob)
		if got := w.requesterOf(o); got != (cameOf{requester: bob, company: "Northwind"}) {
			t.Errorf("%+v", got)
		}
		if got := w.participants(o); got != anna {
			t.Errorf("participants %q", got)
		}
		if len(w.entries(w.signsIn(anna), o.Case, "comment")) != 0 {
			t.Error("a comment")
		}
		t.Run("R64/they hear nothing before an agent writes to them", func(t *testing.T) {
			w.commands(o, "#status need-input")
			noneTo(t, w.last, bob)
			to(t, w.last, anna, core.StatusNews)
			w.receive(mail{from: mia, subject: o.Case, to: o.mia.ReplyTo, text: "Hello Bob."})
			letters := w.letters()
			to(t, letters, bob, core.Answer)
			to(t, letters, anna, core.Answer)
			w.commands(o, "#status resolved")
			to(t, w.last, bob, core.StatusNews)
		})
	})
	t.Run("R66/what it says stays with whoever wrote it", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna, name: "Anna", text: "My own words."})
		w.commands(o, "#requester "+bob)
		described := func() core.Entry {
			c, err := w.Case(t.Context(), w.signsIn(mia), o.Case)
			if err != nil || len(c.Entries) == 0 {
				t.Fatalf("%v, %+v", err, c)
			}
			return c.Entries[0]
		}
		if e := described(); e.Author != "Anna" || e.Side != "customer" {
			t.Errorf("written by %q, of the side of the %s", e.Author, e.Side)
		}
		w.receive(mail{from: mia, subject: o.Case, to: o.mia.ReplyTo, text: "Hello Bob."})
		w.letters()
		w.Clock.Advance(time.Hour)
		w.commands(o, "#status resolved")
		if l := to(t, w.last, bob, core.StatusNews); l.Said != "" {
			t.Errorf("R51: Bob is told that he wrote %q", l.Said)
		}
		if _, err := w.Erase(t.Context(), anna, false); err != nil {
			t.Fatal(err)
		}
		if found := w.holding("My own words"); found != nil {
			t.Errorf("it is left in %v", found)
		}
	})
	t.Run("R64/the text below the command is the first that the new requester gets", func(t *testing.T) {
		w := newWorld(t, nil)
		o := phoned(w, anna)
		r, _ := w.commands(o, "#requester "+bob+"\nHello Bob.")
		wants(t, r, core.Filed, "answers", "")
		if l := to(t, w.last, bob, core.Answer); l.Text != "Hello Bob." {
			t.Errorf("%q", l.Text)
		}
	})
	t.Run("R63/a phone call goes to a customer of another organisation, and nothing of it stays with the first", func(t *testing.T) {
		w := newWorld(t, nil)
		w.opens(mail{from: anna})
		o := phoned(w, anna)
		w.exec(`insert into participant (case_id, person, since) select $1, person, now() from address where address = $2`, o.CaseID, anna)
		_, told := w.commands(o, "#requester "+carl)
		says(t, told, "requester: "+anna)
		if got := w.requesterOf(o); got != (cameOf{requester: carl, company: "Fabrikam"}) {
			t.Errorf("%+v", got)
		}
		if got := w.participants(o); got != "" {
			t.Errorf("participants %q", got)
		}
		if _, err := w.Case(t.Context(), w.signsIn(anna), o.Case); err == nil {
			t.Error("Anna sees it")
		}
		if n := w.count(`select count(*) from outbox where case_id = $1 and address = $2 and token_until is not null`, o.CaseID, anna); n != 0 {
			t.Errorf("%d live tokens", n)
		}
	})
	t.Run("R63/what another organisation wrote stays theirs", func(t *testing.T) {
		for name, prepare := range map[string]func(w *world) opened{
			"a case that a customer opened": func(w *world) opened { return w.opens(mail{from: anna}) },
			"one with a customer's comment": func(w *world) opened {
				o := phoned(w, anna)
				w.exec(`insert into comment (case_id, at, written_at, author, side, text) select $1, now(), now(), person, 'customer', 'x' from address where address = $2`, o.CaseID, anna)
				return o
			},
			"one in which the desk wrote to a customer": func(w *world) opened {
				o := phoned(w, anna)
				w.receive(mail{from: mia, to: o.mia.ReplyTo, text: "Hello Anna."})
				w.letters()
				return o
			},
		} {
			w := newWorld(t, nil)
			o := prepare(w)
			r, told := w.commands(o, "#requester "+carl+"\nHello Carl.")
			wants(t, r, core.Filed, "commands refused, text kept as a note", "")
			says(t, told, "requester-elsewhere")
			if got := w.requesterOf(o); got.requester != anna {
				t.Errorf("%s: %+v", name, got)
			}
			noneTo(t, w.last, carl, anna)
		}
	})
	t.Run("R63/nor does it go by way of a split", func(t *testing.T) {
		for name, open := range map[string]func(w *world) opened{
			"of a case opened for them": func(w *world) opened { return phoned(w, anna) },
			"of an agent's own": func(w *world) opened {
				r := w.receive(mail{from: mia, subject: "Phone", text: "She called."})
				o := opened{Receipt: r, mia: to(t, w.letters(), mia, core.Confirmation)}
				w.exec(`insert into participant (case_id, person, since) select $1, person, now() from address where address = $2`, o.CaseID, anna)
				return o
			},
		} {
			w := newWorld(t, nil)
			w.opens(mail{from: anna})
			o := open(w)
			w.receive(mail{from: anna, subject: o.Case, text: "Our password is 4711."})
			w.letters()
			w.commands(o, "#split Password")
			n := w.splitOf(o)
			wants(t, w.receive(mail{from: mia, subject: n.Case, text: "#requester " + carl}), core.Filed, "commands refused", "")
			if got := w.requesterOf(n); got.requester == carl {
				t.Errorf("%s: %+v reads %q", name, got, w.cameOf(n.Receipt).description)
			}
		}
	})
	t.Run("R63/nor does a colleague come along with it", func(t *testing.T) {
		for _, block := range []string{"#cc add " + bob + "\n#requester " + carl, "#requester " + carl + "\n#cc add " + bob} {
			w := newWorld(t, nil)
			o := phoned(w, anna)
			r, told := w.commands(o, block)
			wants(t, r, core.Filed, "commands refused", "")
			says(t, told, "cc-elsewhere "+bob)
			if got := w.participants(o); got != "" {
				t.Errorf("%q: participants %q", block, got)
			}
			r, _ = w.commands(o, "#requester "+carl+"\n#cc add zoe@fabrikam.example")
			wants(t, r, core.Filed, "commands", "")
			if got := w.participants(o); got != "zoe@fabrikam.example" {
				t.Errorf("participants %q", got)
			}
		}
	})
	t.Run("R63/nor is who took part told, or brought back", func(t *testing.T) {
		w := newWorld(t, nil)
		o := phoned(w, anna)
		w.commands(o, "#cc add "+bob)
		w.commands(o, "#cc remove "+bob)
		undo := to(t, w.last, mia, core.Transcript).Undo
		w.commands(o, "#block")
		w.commands(o, "#unblock")
		unblocked := to(t, w.last, mia, core.Transcript).Undo
		w.Clock.Advance(time.Minute)
		w.commands(o, "#requester "+carl)
		w.Clock.Advance(time.Minute)
		_, told := w.commands(o, "#undo "+undo)
		says(t, told, "left: cc")
		if got := w.participants(o); got != "" {
			t.Errorf("participants %q", got)
		}
		_, told = w.commands(o, "#undo "+unblocked)
		says(t, told, "left: block")
		if n := w.count(`select count(*) from person where blocked_at is not null`); n != 0 {
			t.Error("the new requester is blocked")
		}
		for _, e := range w.view(carl, o.Case).Entries {
			if strings.Contains(e.Became+e.Was+e.Author, "northwind") {
				t.Errorf("Carl reads %+v", e)
			}
		}
		if l := w.queries(carl, "history "+o.Case); strings.Contains(tells(l), "northwind") {
			t.Errorf("Carl is told %s", tells(l))
		}
	})
	t.Run("R64/an agent's own case goes to the customer who called", func(t *testing.T) {
		w := newWorld(t, nil)
		r := w.receive(mail{from: mia, subject: "Phone", text: "She called."})
		o := opened{Receipt: r, mia: to(t, w.letters(), mia, core.Confirmation)}
		_, told := w.commands(o, "#requester Anna <"+anna+">")
		says(t, told, "requester: "+mia+" -> "+anna+" (Anna), Northwind")
		if got := w.participants(o); got != "" {
			t.Errorf("participants %q", got)
		}
	})
	t.Run("R64/nothing changes for who is the requester already", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		_, told := w.commands(o, "#requester "+strings.ToUpper(anna))
		if told != "" {
			t.Errorf("the transcript says %q", told)
		}
	})
	for _, c := range []struct{ name, line, why string }{
		{"R64/an agent is no requester", "#requester " + tom, "requester-agent"},
		{"R64/nor is the writer", "#requester " + mia, "requester-agent"},
		{"R52/nor is an address of ours", "#requester support@desk.example", "own-address"},
		{"R43/an address is needed", "#requester", "requester-whom"},
		{"R43/a name alone is none", "#requester Anna Berg", "requester-whom"},
		{"R43/two are one too many", "#requester " + anna + " " + bob, "requester-one"},
		{"R43/nor can it be set twice", "#requester " + anna + "\n#requester " + bob, "twice requester"},
		{"R19/what mail cannot reach is none", "#requester ännä@northwind.example", "bad-address"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			r, told := w.commands(o, c.line)
			wants(t, r, core.Filed, "commands refused", "")
			says(t, told, c.why)
			if got := w.requesterOf(o); got.requester != anna {
				t.Errorf("%+v", got)
			}
		})
	}
	t.Run("R42/a token alone changes no requester", func(t *testing.T) {
		w := newWorld(t, nil)
		w.apply(t, func(s string) string { return replace(t, s, `agent_proof = "verified"`, `agent_proof = "token"`) })
		o := w.opens(mail{from: anna})
		r := w.receive(mail{from: mia, subject: o.Case, to: o.mia.ReplyTo, text: "#requester " + bob, unverified: true})
		wants(t, r, core.Filed, "commands refused", "")
		says(t, saysInTranscript(to(t, w.letters(), mia, core.Transcript)), "token-proof")
	})
}
