package core_test

import (
	"strings"
	"testing"
	"time"

	"postern/core"
)

// forwards is what mailin finds in a mail that forwards another.
func forwards(above, from, text string) func(*core.Mail) {
	return func(m *core.Mail) {
		m.Forwarded = append(m.Forwarded, core.Quote{Above: above, From: core.Address{Name: "Anna Berg", Address: from},
			Subject: "Printer on fire", Text: text})
		m.HTML = "<p>" + above + text + "</p>"
	}
}

// cameOf is what a mail became: whose case, and what stands in it.
type cameOf struct {
	requester, company, title, description, note string
}

func (w *world) cameOf(r core.Receipt) cameOf {
	w.t.Helper()
	var c cameOf
	err := w.DB.QueryRow(w.t.Context(), `
		select (select min(address) from address a where a.person = c.requester), coalesce((select name from organisation o where o.id = c.organisation), ''),
			c.title, c.description, coalesce((select string_agg(text, '|') from note n where n.case_id = c.id), '')
		from cases c where c.id = $1`, r.CaseID).Scan(&c.requester, &c.company, &c.title, &c.description, &c.note)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func TestReceive_whatAnAgentForwards(t *testing.T) {
	const ask = "Please look at this. Between us: they never pay."
	for _, c := range []struct {
		name    string
		known   bool // Anna is a contact already
		change  func(*core.Mail)
		outcome string
		want    cameOf
		tells   string // a line of the transcript
	}{
		{"a new customer of a known domain", false, forwards(ask, anna, "It burns."), "opens a case for a customer",
			cameOf{anna, "Northwind", "Printer on fire", "It burns.", ask}, "requester:  -> " + anna},
		{"a known contact", true, forwards(ask, anna, "It burns."), "opens a case for a customer",
			cameOf{anna, "Northwind", "Printer on fire", "It burns.", ask}, "requester:  -> " + anna},
		{"a stranger", false, forwards(ask, zed, "It burns."), "opens a case for a customer",
			cameOf{zed, "", "Printer on fire", "It burns.", ask}, "requester:  -> " + zed},
		{"without a word of the agent's own", false, forwards("", anna, "It burns."), "opens a case for a customer",
			cameOf{anna, "Northwind", "Printer on fire", "It burns.", ""}, "requester:  -> " + anna},
		{"the outermost of two counts", false, chain(forwards(ask, anna, "It burns."), forwards("", carl, "inner")), "opens a case for a customer",
			cameOf{anna, "Northwind", "Printer on fire", "It burns.", ask}, "requester:  -> " + anna},
		{"commands above it are carried out", false, forwards("#status in-progress\n"+ask, anna, "It burns."), "opens a case for a customer",
			cameOf{anna, "Northwind", "Printer on fire", "It burns.", ask}, "status: Open -> In progress"},
		{"one without an address is the agent's own case", false, forwards(ask, "", "It burns."), "opens a case",
			cameOf{mia, "", "Fwd: Printer", ask + "\n\nIt burns.", ""}, "no-author"},
		{"one of ours is the agent's own case", false, forwards(ask, "support@desk.example", "It burns."), "opens a case",
			cameOf{mia, "", "Fwd: Printer", ask + "\n\nIt burns.", ""}, "our-address"},
		{"a tagged address of ours too", false, forwards(ask, "support+abcdefghijklmnopqrst@desk.example", "It burns."), "opens a case",
			cameOf{mia, "", "Fwd: Printer", ask + "\n\nIt burns.", ""}, "our-address"},
		{"an agent's is the agent's own case", false, forwards(ask, tom, "It burns."), "opens a case",
			cameOf{mia, "", "Fwd: Printer", ask + "\n\nIt burns.", ""}, "an-agent"},
		{"the agent's own too", false, forwards(ask, mia, "It burns."), "opens a case",
			cameOf{mia, "", "Fwd: Printer", ask + "\n\nIt burns.", ""}, "an-agent"},
		{"one that no mail reaches too", false, forwards(ask, "a b@c", "It burns."), "opens a case",
			cameOf{mia, "", "Fwd: Printer", ask + "\n\nIt burns.", ""}, "unreachable"},
	} {
		t.Run("R64/"+c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			if c.known {
				w.opens(mail{from: anna, name: "Anna Berg"})
			}
			r := w.receive(mail{from: mia, subject: "Fwd: Printer", text: ask + "\n\nIt burns.", change: chain(c.change, attach("photo.png", "png"))})
			wants(t, r, core.Filed, c.outcome, "")
			if got := w.cameOf(r); got != c.want {
				t.Errorf("%+v\nwant %+v", got, c.want)
			}
			letters := w.letters()
			noneTo(t, letters, anna, zed, carl)
			l := to(t, letters, mia, core.Transcript)
			if !strings.Contains(saysInTranscript(l), c.tells) || l.Number != r.Case {
				t.Errorf("the transcript of %s tells %q", l.Number, saysInTranscript(l))
			}
			if notice := to(t, letters, tom, core.NoticeNew); c.want.requester != mia && (notice.Text != "It burns." || len(notice.Files) != 1 || !strings.HasPrefix(notice.Payload.Customer, c.want.requester) && notice.Payload.Customer != "Anna Berg") {
				t.Errorf("the notice: %q of %q, files %+v", notice.Text, notice.Payload.Customer, notice.Files)
			}
			view := w.view(tom, r.Case)
			if len(view.Files) != 1 || view.Files[0].Internal {
				t.Errorf("files %+v", view.Files)
			}
			if n := w.count(`select count(*) from ledger where answered`); n != map[bool]int64{true: 1}[c.known] {
				t.Errorf("%d mails were answered", n)
			}
		})
	}
}

func TestReceive_aCustomerForWhomACaseWasOpenedHearsNothingBeforeAnAgentWrites(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	const ask = "Between us: they never pay."
	r := w.receive(mail{from: mia, subject: "Fwd: Printer", text: ask + "\n\nIt burns.", change: chain(forwards(ask, anna, "It burns."), attach("photo.png", "png"))})
	wants(t, r, core.Filed, "opens a case for a customer", "")
	transcript := to(t, w.letters(), mia, core.Transcript)
	agent := w.signsIn(mia)
	t.Run("R64/not by a press, a command, a note or the clock", func(t *testing.T) {
		if err := w.MoveCase(ctx, agent, r.Case, "need-input"); err != nil {
			t.Fatal(err)
		}
		wants(t, w.receive(mail{from: tom, subject: r.Case, text: "#status in-progress"}), core.Filed, "commands", "")
		wants(t, w.receive(mail{from: mia, to: transcript.Internal, text: "A note."}), core.Filed, "note", "")
		if err := w.MoveCase(ctx, agent, r.Case, "need-input"); err != nil {
			t.Fatal(err)
		}
		for range 40 {
			w.Clock.Advance(24 * time.Hour)
			w.lease()
			if _, err := w.Remind(ctx); err != nil {
				t.Fatal(err)
			}
		}
		noneTo(t, w.letters(), anna)
		if n := w.count(`select count(*) from outbox where address = $1 and state <> 'withheld'`, anna); n != 0 {
			t.Errorf("%d letters", n)
		}
		if n := w.count(`select count(*) from outbox where address = $1 and reason like '%R64%'`, anna); n == 0 {
			t.Error("nothing was withheld: the test shows nothing")
		}
	})
	t.Run("R64/the agent's answer to the transcript is the first they get, without the agent's own words", func(t *testing.T) {
		a := w.receive(mail{from: mia, subject: "Re: " + r.Case, to: transcript.Internal, text: "#status resolved\nUse water."})
		wants(t, a, core.Filed, "note", "")
		a = w.receive(mail{from: mia, subject: "Re: [" + r.Case + "]", text: "#status resolved\nUse water, really."})
		wants(t, a, core.Filed, "answers", "")
		l := to(t, w.letters(), anna, core.Answer)
		if l.Text != "Use water, really." {
			t.Errorf("%q", l.Text)
		}
	})
	t.Run("R64/their page shows what they wrote and not the agent's text", func(t *testing.T) {
		v := w.signsIn(anna)
		view, err := w.Case(ctx, v, r.Case)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range view.Entries {
			if strings.Contains(e.Text+e.Rest, "never pay") {
				t.Errorf("they see %+v", e)
			}
			if e.Kind == "description" && (e.Text != "It burns." || e.Side != "customer" || e.HasHTML) {
				t.Errorf("the description: %+v", e)
			}
		}
		if html, err := w.EntryHTML(ctx, v, r.Case, "description", 0); err == nil {
			t.Errorf("the formatted text: %q", html)
		}
		if len(view.Files) != 1 {
			t.Errorf("files %+v", view.Files)
		}
	})
	t.Run("R64/from then on they are told as anybody", func(t *testing.T) {
		if err := w.MoveCase(ctx, agent, r.Case, "closed"); err != nil {
			t.Fatal(err)
		}
		to(t, w.letters(), anna, core.StatusNews)
	})
}

func TestReceive_anAgentsNewMailToACustomer(t *testing.T) {
	toAnd := func(addresses ...string) func(*core.Mail) {
		return func(m *core.Mail) {
			for _, a := range addresses {
				m.To = append(m.To, core.Address{Name: "Anna Berg", Address: a})
			}
		}
	}
	for _, c := range []struct {
		name      string
		change    func(*core.Mail)
		requester string
		proposed  string
		joins     string
	}{
		{"the one customer in To is the requester", toAnd(anna), anna, "", ""},
		{"the desk may stand in Cc", func(m *core.Mail) {
			m.Cc = m.To
			m.To = []core.Address{{Address: anna}}
		}, anna, "", ""},
		{"agents beside them do not count", toAnd(anna, tom), anna, "", ""},
		{"a colleague in Cc takes part, a stranger is proposed", chain(toAnd(anna), cc(bob, zed)), anna, zed, bob},
		{"two customers in To make it the agent's own", toAnd(anna, bob), mia, anna + " " + bob, ""},
		{"a customer in Cc makes it the agent's own", cc(anna), mia, anna, ""},
		{"nobody else makes it the agent's own", nil, mia, "", ""},
		{"a machine's mail is the agent's own", chain(toAnd(anna), func(m *core.Mail) { m.Marks.AutoSubmitted = "auto-generated" }), mia, "", ""},
	} {
		t.Run("R64/"+c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			r := w.receive(mail{from: mia, subject: "Your printer", text: "It will be fetched.", change: c.change})
			if r.State != core.Filed || !strings.HasPrefix(r.Outcome, "opens a case") {
				t.Fatalf("%+v", r)
			}
			if got := w.cameOf(r); got.requester != c.requester || got.description != "It will be fetched." || got.title != "Your printer" {
				t.Errorf("%+v", got)
			}
			o := opened{Receipt: r}
			if got := w.proposed(o); got != c.proposed {
				t.Errorf("proposed %q", got)
			}
			if got := w.participants(o); got != c.joins {
				t.Errorf("participants %q", got)
			}
			letters := w.letters()
			noneTo(t, letters, anna, bob, zed)
			if c.requester == mia {
				return
			}
			to(t, letters, mia, core.Transcript)
			for _, e := range w.view(tom, r.Case).Entries {
				if e.Kind == "description" && (e.Side != "desk" || e.Author != "Mia") {
					t.Errorf("the agent's text is shown as %s's, side %s", e.Author, e.Side)
				}
			}
			if n := w.count(`select count(*) from person where verified_at is not null and id in (select person from address where address = $1)`, anna); n != 0 {
				t.Error("R31: the customer is verified by an agent's mail")
			}
		})
	}
}

func TestReceive_onlyAProvedAgentForwards(t *testing.T) {
	for _, c := range []struct {
		name          string
		m             mail
		reason        string
		state         core.State
		requesterAnna bool
	}{
		{"an unverified agent is held", mail{from: mia, unverified: true}, "agent-forged", core.Held, false},
		{"a customer's forwarded mail is the customer's case", mail{from: carl}, "", core.Filed, false},
		{"an agent of another desk is a customer here", mail{from: "otto@desk.example"}, "", core.Filed, false},
	} {
		t.Run("R64/"+c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.opens(mail{from: "otto@desk.example"})
			c.m.subject, c.m.text, c.m.change = "Fwd: Printer", "x", forwards("x", anna, "It burns.")
			r := w.receive(c.m)
			if r.State != c.state || r.Reason != c.reason {
				t.Errorf("%+v", r)
			}
			if n := w.count(`select count(*) from cases c join address a on a.person = c.requester where a.address = $1`, anna); n != 0 {
				t.Error("Anna is a requester")
			}
			noneTo(t, w.letters(), anna)
		})
	}
	t.Run("R64/what an agent releases of their own is as if it were proved", func(t *testing.T) {
		w := newWorld(t, nil)
		m := w.keep(mail{from: mia, subject: "Fwd: Printer", text: "x", unverified: true, change: forwards("x", anna, "It burns.")})
		wants(t, w.receiveOne(m), core.Held, "held", "agent-forged")
		w.letters()
		if err := w.Release(t.Context(), w.signsIn(mia), m.Ledger); err != nil {
			t.Fatal(err)
		}
		wants(t, w.receiveOne(m), core.Filed, "opens a case for a customer", "")
		noneTo(t, w.letters(), anna)
	})
	t.Run("R64/forwarded into a case by its number it is a note", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: carl})
		r := w.receive(mail{from: mia, subject: "Fwd: [" + o.Case + "]", text: "They never pay.\n\nIt burns.",
			change: chain(forwards("They never pay.", anna, "It burns."), visible("They never pay.", "It burns."))})
		wants(t, r, core.Filed, "note", "")
		if text := w.text(`select text || '|' || rest from note`); text != "They never pay.\n\nIt burns.|" {
			t.Errorf("the note: %q", text)
		}
		letters := w.letters()
		noneTo(t, letters, anna, carl)
		to(t, letters, mia, core.Transcript)
		r = w.receive(mail{from: mia, subject: "Re: " + o.Case, to: o.mia.ReplyTo, text: "Use water.", change: forwards("", anna, "quoted")})
		wants(t, r, core.Filed, "answers", "")
		to(t, w.letters(), carl, core.Answer)
	})
}

// visible is how mailin parts the text of a mail.
func visible(reply, rest string) func(*core.Mail) {
	return func(m *core.Mail) { m.Reply, m.Rest = reply, rest }
}

func TestReceive_whatACustomerForwardsIntoTheirCase(t *testing.T) {
	for _, c := range []struct {
		name, reply, want, status string
		attached                  bool
	}{
		{"stands in their comment, for all to see", "See what they say.", "See what they say.\n\nIt burns.|", "in-progress", false},
		{"stands in it below a word that is carried out, too", "Close", "Close\n\nIt burns.|", "closed", false},
		{"as a file it leaves the text alone", "See what they say.", "See what they say.|It burns.", "in-progress", true},
	} {
		t.Run("R64/"+c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o, answer := w.resolved()
			text := c.reply + "\n\nIt burns."
			above := c.reply
			if c.attached {
				above = text
			}
			r := w.receive(mail{from: anna, subject: "Re: " + o.Case, to: answer.ReplyTo, text: text,
				change: chain(forwards(above, bob, "It burns."), visible(c.reply, "It burns."))})
			if r.State != core.Filed {
				t.Fatalf("%+v", r)
			}
			if got := w.text(`select text || '|' || rest from comment where side = 'customer'`); got != c.want {
				t.Errorf("the comment: %q, want %q", got, c.want)
			}
			if got := w.status(o); got != c.status {
				t.Errorf("status %s", got)
			}
		})
	}
}
