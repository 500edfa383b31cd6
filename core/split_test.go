package core_test

import (
	"strings"
	"testing"
	"time"

	"postern/core"
)

// splitOf is the case that a transcript says a comment became.
func (w *world) splitOf(o opened) opened {
	w.t.Helper()
	var r core.Receipt
	err := w.DB.QueryRow(w.t.Context(), `
		select n.id, 'CASE-' || n.number from cases n join comment x on x.id = n.split_of where x.case_id = $1 order by n.id desc limit 1`, o.CaseID).Scan(&r.CaseID, &r.Case)
	if err != nil {
		w.t.Fatal(err)
	}
	return opened{Receipt: r}
}

func TestReceive_splitsACommentOff(t *testing.T) {
	// commented is a case with two comments, and Mia's notice of the first.
	commented := func(w *world, from string) (opened, core.Letter) {
		o := w.opens(mail{from: anna})
		w.receive(mail{from: mia, subject: o.Case, to: o.mia.ReplyTo, text: "We look at it."})
		w.letters()
		w.Clock.Advance(time.Minute)
		w.receive(mail{from: from, subject: o.Case, text: "By the way, I have no access.", change: attach("screen.png", "png")})
		notice := to(w.t, w.letters(), mia, core.NoticeComment)
		w.Clock.Advance(time.Minute)
		w.receive(mail{from: anna, subject: o.Case, text: "It still burns."})
		w.letters()
		w.Clock.Advance(time.Minute)
		return o, notice
	}
	t.Run("R37/the comment that the notice told of becomes a case of its own", func(t *testing.T) {
		w := newWorld(t, nil)
		o, notice := commented(w, anna)
		o.mia = notice
		r, told := w.commands(o, "#split No access to the portal\nUse water.")
		wants(t, r, core.Filed, "answers", "")
		n := w.splitOf(o)
		says(t, told, "split: By the way, I have no access. -> "+n.Case)
		if got, want := w.cameOf(n.Receipt), (cameOf{anna, "Northwind", "No access to the portal", "By the way, I have no access.", ""}); got != want {
			t.Errorf("%+v\nwant %+v", got, want)
		}
		if a, c := to(t, w.last, anna, core.Answer), to(t, w.last, anna, core.SplitOff); a.Number != o.Case || a.Text != "Use water." || c.Number != n.Case || c.Payload.Title != "No access to the portal" {
			t.Errorf("%s %q, %s %q", a.Number, a.Text, c.Number, c.Payload.Title)
		}
		if l := to(t, w.last, tom, core.NoticeNew); l.Number != n.Case || l.Text != "By the way, I have no access." || len(l.Files) != 1 || l.Payload.Customer != "anna@northwind.example" {
			t.Errorf("%s %q of %q, %d files", l.Number, l.Text, l.Payload.Customer, len(l.Files))
		}
		old, made := w.view(tom, o.Case), w.view(tom, n.Case)
		if len(w.entries(w.signsIn(tom), o.Case, "comment")) != 4 || len(old.Files) != 1 || len(made.Files) != 1 || made.Owner != "" {
			t.Errorf("%+v\n%+v", old, made)
		}
		if n := w.count(`select count(distinct blob) from file`); n != 1 || w.count(`select count(*) from file`) != 2 {
			t.Errorf("%d blobs of the two files", n)
		}
		if len(old.Linked) != 1 || old.Linked[0] != n.Case || made.Linked[0] != o.Case {
			t.Errorf("linked: %q, %q", old.Linked, made.Linked)
		}
		if v := w.view(anna, n.Case); len(v.Linked) != 0 || len(v.Files) != 1 || v.Entries[0].Side != "customer" {
			t.Errorf("Anna's page: %+v", v)
		}
		t.Run("R38/an answer to the confirmation is the new case's", func(t *testing.T) {
			if r := w.receive(mail{from: anna, to: to(t, w.last, anna, core.SplitOff).ReplyTo, text: "Please."}); r.Case != n.Case {
				t.Errorf("%+v", r)
			}
		})
		t.Run("R37/once", func(t *testing.T) {
			w.letters()
			r, told := w.commands(o, "#split Again")
			wants(t, r, core.Filed, "commands refused", "")
			says(t, told, "split-before "+n.Case)
		})
		t.Run("R66/erasing whose it is takes it away on both", func(t *testing.T) {
			w.letters()
			if _, err := w.Erase(t.Context(), anna, false); err != nil {
				t.Fatal(err)
			}
			if n := w.count(`select count(*) from cases where description <> ''`) + w.count(`select count(*) from file`); n != 0 {
				t.Errorf("%d are left", n)
			}
		})
	})
	t.Run("R37/by a number alone it is the newest comment", func(t *testing.T) {
		w := newWorld(t, nil)
		o, _ := commented(w, anna)
		w.receive(mail{from: mia, subject: o.Case, text: "#split Fire"})
		if got := w.cameOf(w.splitOf(o).Receipt).description; got != "It still burns." {
			t.Errorf("%q", got)
		}
	})
	t.Run("R38/a colleague's comment is the requester's case, and the colleague takes part", func(t *testing.T) {
		w := newWorld(t, nil)
		o, notice := commented(w, bob)
		o.mia = notice
		w.commands(o, "#split Access")
		n := w.splitOf(o)
		if got := w.cameOf(n.Receipt).requester; got != anna || w.participants(n) != bob {
			t.Errorf("%s, %q", got, w.participants(n))
		}
		e := w.view(tom, n.Case).Entries[0]
		if e.Kind != "description" || e.Side != "customer" || e.Author != bob {
			t.Errorf("%+v", e)
		}
		t.Run("R66/and erasing the colleague takes the words away, and the file from both", func(t *testing.T) {
			w.letters()
			if _, err := w.Erase(t.Context(), bob, false); err != nil {
				t.Fatal(err)
			}
			if got := w.cameOf(n.Receipt).description; got != "" || w.count(`select count(*) from file`) != 0 {
				t.Errorf("%q", got)
			}
		})
	})
	t.Run("R64/the customer of a quiet case hears nothing", func(t *testing.T) {
		w := newWorld(t, nil)
		r := w.receive(mail{from: mia, to: newCases, subject: "Phone", text: "#requester " + anna + "\nShe called."})
		o := opened{Receipt: r, mia: to(t, w.letters(), mia, core.Transcript)}
		w.exec(`insert into comment (case_id, at, written_at, author, side, text) select $1, now(), now(), person, 'customer', 'And more.' from address where address = $2`, r.CaseID, anna)
		w.commands(o, "#split More")
		noneTo(t, w.last, anna)
		if n := w.count(`select count(*) from outbox where address = $1 and kind = 'split' and state = 'withheld'`, anna); n != 1 {
			t.Errorf("%d withheld", n)
		}
	})
	t.Run("R63/what another organisation's case has is not split here", func(t *testing.T) {
		w := newWorld(t, nil)
		w.opens(mail{from: anna})
		o, other := w.opens(mail{from: carl, subject: "Other"}), w.opens(mail{from: bob})
		w.receive(mail{from: bob, subject: other.Case, text: "Ours."})
		notice := to(t, w.letters(), mia, core.NoticeComment)
		// the token is Carl's case, the thread Bob's
		r := w.receive(mail{from: mia, subject: "Re: x", to: o.mia.ReplyTo, inReplyTo: notice.MessageID, text: "#split Stolen"})
		wants(t, r, core.Held, "held", "two-organisations")
		if n := w.count(`select count(*) from cases where split_of is not null`); n != 0 {
			t.Errorf("%d cases", n)
		}
	})
	for _, c := range []struct{ name, line, why string }{
		{"R43/a title is needed", "#split", "split-title"},
		{"R43/one of nothing but marks is none", "#split \u202e", "split-title"},
		{"R37/there must be a comment", "#split Access", "split-none"},
		{"R43/one split of a block", "#split A\n#split B", "twice split"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			r, told := w.commands(o, c.line)
			wants(t, r, core.Filed, "commands refused", "")
			says(t, told, c.why)
		})
	}
	t.Run("R75/two agents who split the same comment: one of them does", func(t *testing.T) {
		w := newWorld(t, nil)
		o, _ := commented(w, anna)
		w.atOnce(w.keep(mail{from: mia, subject: o.Case, text: "#split A"}), w.keep(mail{from: tom, subject: o.Case, text: "#split B"}))
		if n := w.count(`select count(*) from cases where split_of is not null`); n != 1 {
			t.Errorf("%d cases", n)
		}
	})
	t.Run("R17/a long title is cut", func(t *testing.T) {
		w := newWorld(t, nil)
		o, _ := commented(w, anna)
		w.receive(mail{from: mia, subject: o.Case, text: "#split " + strings.Repeat("é", 4000)})
		if got := []rune(w.cameOf(w.splitOf(o).Receipt).title); len(got) > 250 {
			t.Errorf("%d characters", len(got))
		}
	})
}

func TestReceive_linksCases(t *testing.T) {
	w := newWorld(t, nil)
	one, other := w.opens(mail{from: anna}), w.opens(mail{from: carl, subject: "Other"})
	tomSees := w.signsIn(tom)
	page := func(number string) core.CaseView {
		t.Helper()
		v, err := w.Case(t.Context(), tomSees, number)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	t.Run("R63/cases are linked for the desk's eyes alone", func(t *testing.T) {
		_, told := w.commands(one, "#link ["+strings.ToLower(other.Case)+"]\n#link "+other.Case)
		says(t, told, "linked:  -> "+other.Case)
		noneTo(t, w.last, anna, carl)
		for seen, want := range map[string]string{one.Case: other.Case, other.Case: one.Case} {
			if v := page(seen); len(v.Linked) != 1 || v.Linked[0] != want {
				t.Errorf("%s: %q", seen, v.Linked)
			}
			events := 0
			for _, e := range page(seen).Entries {
				if e.Event == "linked" && e.Became == want {
					events++
				}
			}
			if events != 1 {
				t.Errorf("%d events on %s", events, seen)
			}
		}
		for address, number := range map[string]string{anna: one.Case, carl: other.Case} {
			v := w.view(address, number)
			for _, e := range v.Entries {
				if e.Event == "linked" {
					t.Errorf("%s sees %+v", address, e)
				}
			}
			if len(v.Linked) != 0 {
				t.Errorf("%s sees %q", address, v.Linked)
			}
		}
	})
	t.Run("R63/and no longer", func(t *testing.T) {
		_, told := w.commands(other, "#unlink "+one.Case)
		says(t, told, "unlinked:  -> "+one.Case)
		if v := page(one.Case); len(v.Linked) != 0 {
			t.Errorf("%q", v.Linked)
		}
		_, told = w.commands(other, "#unlink: "+one.Case)
		says(t, told, "not-linked")
	})
	t.Run("R64/a new case is linked to another", func(t *testing.T) {
		r := w.receive(mail{from: mia, to: newCases, subject: "Phone", text: "#requester " + anna + "\n#link " + other.Case + "\nShe called."})
		wants(t, r, core.Filed, "opens a case for a customer", "")
		if v := page(other.Case); len(v.Linked) != 1 || v.Linked[0] != r.Case {
			t.Errorf("%q", v.Linked)
		}
		if n := w.count(`select count(*) from event where kind = 'linked' and became = $1`, r.Case); n != 1 {
			t.Errorf("%d events name it", n)
		}
		w.letters()
	})
	many := ""
	for range 12 {
		many += "#link CASE-9999\n"
	}
	for _, c := range []struct{ name, line, why string }{
		{"R63/a number of nobody is none", "#link CASE-99", "no-case CASE-99"},
		{"R63/nor is an unknown prefix", "#link nope-1", "no-case NOPE-1"},
		{"R34/its own is none", "#link " + one.Case, "this-case"},
		{"R43/a number is needed", "#link", "link-which"},
		{"R43/ten in one line are not one", "#link " + strings.Repeat(other.Case+" ", 10), "link-which"},
		{"R43/nor are twelve lines looked up", many, "many-cases 10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, told := w.commands(one, c.line)
			wants(t, r, core.Filed, "commands refused", "")
			says(t, told, c.why)
		})
	}
}
