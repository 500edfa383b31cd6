package core_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"postern/core"
)

const zed = "zed@supplier.example" // takes part in nothing

// cc puts addresses into Cc.
func cc(addresses ...string) func(*core.Mail) {
	return func(m *core.Mail) {
		for _, a := range addresses {
			m.Cc = append(m.Cc, core.Address{Address: a})
		}
	}
}

// participants and proposed are addresses, in order.
func (w *world) participants(o opened) string {
	return w.text(`select coalesce(string_agg(a.address, ' ' order by a.address), '') from participant p
		join address a on a.person = p.person where p.case_id = $1`, o.CaseID)
}

func (w *world) proposed(o opened) string {
	return w.text(`select coalesce(string_agg(address, ' ' order by address), '') from proposal where case_id = $1`, o.CaseID)
}

func TestReceive_whoIsInvitedAndWhoIsProposed(t *testing.T) {
	many := make([]string, 60)
	for i := range many {
		many[i] = fmt.Sprintf("p%02d@supplier.example", i)
	}
	for _, c := range []struct {
		name     string
		mail     mail
		held     bool // the desk holds unknown people
		known    bool // Bob is a contact
		joins    string
		proposed string
	}{
		{name: "a verified contact invites a colleague", mail: mail{from: anna, change: cc(bob)}, known: true, joins: bob},
		{name: "and one whom only the domain shows", mail: mail{from: anna, change: cc(bob)}, joins: bob},
		{name: "a desk that holds unknown people takes no domain for that", mail: mail{from: anna, change: cc(bob)}, held: true, proposed: bob},
		{name: "but a contact is invited there too", mail: mail{from: anna, change: cc(bob)}, held: true, known: true, joins: bob},
		{name: "a stranger is proposed", mail: mail{from: anna, change: cc(zed)}, proposed: zed},
		{name: "somebody of another organisation is proposed", mail: mail{from: anna, change: cc(carl)}, proposed: carl},
		{name: "a sub-domain is another domain", mail: mail{from: anna, change: cc("bob@mail.northwind.example")}, proposed: "bob@mail.northwind.example"},
		{name: "an unverified sender invites nobody", mail: mail{from: anna, unverified: true, change: cc(bob, zed)}, known: true, proposed: bob + " " + zed},
		{name: "people in To count as those in Cc", mail: mail{from: anna, change: func(m *core.Mail) {
			m.To = append(m.To, core.Address{Address: bob}, core.Address{Address: zed})
		}}, known: true, joins: bob, proposed: zed},
		{name: "own addresses, agents and the sender are left out", mail: mail{from: anna,
			change: cc("support@desk.example", "support+abcdefghijklmnopqrst@desk.example", mia, tom, anna)}},
		{name: "what is no address is left out", mail: mail{from: anna, change: cc("", "x", "@", "a b@c.example", "undisclosed-recipients", "Ä@c.example", "ä@c.example", "A@c.example", "a@b@c.example", strings.Repeat("a", 300)+"@c.example")}},
		{name: "at most ten are proposed", mail: mail{from: anna, change: cc(many...)}, proposed: strings.Join(many[:10], " ")},
		{name: "forty are looked at", mail: mail{from: anna, change: cc(append(slices.Repeat([]string{mia}, 39), zed)...)}},
		{name: "twice is once", mail: mail{from: anna, change: cc(zed, zed, bob, bob)}, joins: bob, proposed: zed},
		{name: "a machine's mail invites and proposes nobody", mail: mail{from: anna, change: chain(cc(bob, zed), func(m *core.Mail) { m.Marks.AutoSubmitted = "auto-generated" })}},
	} {
		for _, opening := range []bool{true, false} {
			t.Run(fmt.Sprintf("R38/%s, opening %v", c.name, opening), func(t *testing.T) {
				w := newWorld(t, nil)
				if c.known {
					w.opens(mail{from: bob})
				}
				var o opened
				m := c.mail
				m.subject, m.text = "Printer", "It burns."
				if c.held {
					w.opens(mail{from: anna}) // a contact from before
					w.exec(`update member set by = 'invitation'`)
					w.apply(t, func(s string) string { return replace(t, s, `unknown = "opens"`, `unknown = "held"`) })
				}
				if opening {
					o.Receipt = w.receive(m)
				} else {
					o = w.opens(mail{from: anna})
					m.subject = o.Case
					w.receive(m)
				}
				letters := w.letters()
				if got := w.participants(o); got != c.joins {
					t.Errorf("participants %q, want %q", got, c.joins)
				}
				if got := w.proposed(o); got != c.proposed {
					t.Errorf("proposed %q, want %q", got, c.proposed)
				}
				noneTo(t, letters, bob, zed, carl)
				told := 0
				for _, l := range letters {
					if l.ForAgent {
						told++
						if got := strings.Join(l.Payload.Proposed, " "); got != c.proposed {
							t.Errorf("%s to %s tells %q, want %q", l.Kind, l.To.Address, got, c.proposed)
						}
					} else if len(l.Payload.Proposed) > 0 {
						t.Errorf("%s to %s tells who is proposed", l.Kind, l.To.Address)
					}
				}
				if told == 0 {
					t.Error("no agent was told")
				}
				if n := w.count(`select count(*) from event where kind = 'participant' and case_id = $1 and not internal`, o.CaseID); int(n) != len(strings.Fields(c.joins)) {
					t.Errorf("%d events", n)
				}
			})
		}
	}
}

func TestReceive_whoIsInvitedGetsWhatIsWrittenLater(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna, change: cc(bob)})
	t.Run("R38/an answer goes to them with its text, and the history does not", func(t *testing.T) {
		r := w.receive(fromMia(o, "Use water.", false))
		wants(t, r, core.Filed, "answers", "")
		l := to(t, w.letters(), bob, core.Answer)
		if l.Text != "Use water." || len(l.References) > 1 {
			t.Errorf("%q, references %v", l.Text, l.References)
		}
	})
	t.Run("R38/an invited colleague is a contact and no power user", func(t *testing.T) {
		if got := w.text(`select m.role || ' ' || m.by from member m join address a on a.person = m.person where a.address = $1`, bob); got != "user domain" {
			t.Errorf("R71: %s", got)
		}
	})
	t.Run("R38/they may write to the case", func(t *testing.T) {
		r := w.receive(mail{from: bob, subject: o.Case, text: "me too", unverified: true})
		wants(t, r, core.Filed, "joins", "")
	})
}

// Whoever is asked for by an agent's Cc is treated alike: the agent's own press
// adds strangers, a Cc does not.
func TestReceive_anAgentsCcInvitesColleaguesAndProposesOthers(t *testing.T) {
	for _, c := range []struct {
		name, text string
		internal   bool
		joins      string
		proposed   string
	}{
		{"R38/of a public answer", "Use water.", false, bob, zed},
		{"R38/not of a note", "Between us.", true, "", ""},
		{"R38/not of a note by command", "#note\nBetween us.", false, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			m := fromMia(o, c.text, false)
			if c.internal {
				m.to = o.mia.Internal
			}
			m.change = cc(bob, zed)
			w.receive(m)
			noneTo(t, w.letters(), bob, zed)
			if got := w.participants(o); got != c.joins {
				t.Errorf("participants %q", got)
			}
			if got := w.proposed(o); got != c.proposed {
				t.Errorf("proposed %q", got)
			}
		})
	}
}

func TestReceive_anAside(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(o opened, m *mail)
		outcome string
		marks   string
	}{
		{"an answer to the mail in whose Cc they stood is an aside", func(o opened, m *mail) { m.inReplyTo = "2@client.example" }, "aside", "aside"},
		{"an answer to one of ours is", func(o opened, m *mail) { m.inReplyTo = o.confirmation.MessageID }, "aside", "aside"},
		{"References name it as well", func(o opened, m *mail) {
			m.change = func(c *core.Mail) { c.References = []string{"1@client.example", "unknown@x"} }
		}, "aside", "aside"},
		{"what is not verified is marked so", func(o opened, m *mail) { m.inReplyTo, m.unverified = "1@client.example", true }, "aside", "aside unverified"},
		{"what a machine may have written too", func(o opened, m *mail) {
			m.inReplyTo = "1@client.example"
			m.change = func(c *core.Mail) { c.Marks.AutoSubmitted = "auto-generated" }
		}, "aside", "aside machine"},
		{"a reply token beside it changes nothing", func(o opened, m *mail) { m.inReplyTo, m.to = "1@client.example", o.confirmation.ReplyTo }, "aside", "aside"},
		{"a word in it is text", func(o opened, m *mail) { m.inReplyTo, m.text = "1@client.example", "close" }, "aside", "aside"},
		{"a command in it is text", func(o opened, m *mail) { m.inReplyTo, m.text = "1@client.example", "#status closed" }, "aside", "aside"},
		{"a number alone is none", func(o opened, m *mail) { m.subject = "[" + o.Case + "]" }, "opens a case", ""},
		{"a token alone is none", func(o opened, m *mail) { m.to = o.confirmation.ReplyTo }, "opens a case", ""},
		{"somebody else's answer is none", func(o opened, m *mail) { m.inReplyTo, m.from = "1@client.example", eve }, "opens a case", ""},
	} {
		t.Run("R38/"+c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna, change: cc(zed)})
			w.receive(mail{from: anna, subject: o.Case, text: "And smokes."})
			w.letters()
			m := mail{from: zed, subject: "Re: Printer on fire", text: "I sold it.", inReplyTo: ""}
			c.change(o, &m)
			r := w.receive(m)
			wants(t, r, core.Filed, c.outcome, "")
			letters := w.letters()
			if c.outcome != "aside" {
				if n := w.count(`select count(*) from comment where case_id = $1`, o.CaseID); n != 1 {
					t.Errorf("%d comments", n)
				}
				return
			}
			if r.CaseID != o.CaseID {
				t.Errorf("filed in case %d", r.CaseID)
			}
			noneTo(t, letters, anna, zed)
			notice := to(t, letters, mia, core.NoticeComment)
			if !slices.Contains(notice.Payload.Marks, "aside") {
				t.Errorf("the notice's marks: %q", notice.Payload.Marks)
			}
			if got := w.text(`select array_to_string(marks, ' ') || '/' || text from comment order by id desc limit 1`); got != c.marks+"/"+m.text {
				t.Errorf("the comment: %q", got)
			}
			if got := w.status(o); got != "open" {
				t.Errorf("the case is %s", got)
			}
			if got := w.participants(o); got != "" {
				t.Errorf("participants %q", got)
			}
			if _, err := w.Case(t.Context(), w.signsInIfLetIn(zed), o.Case); !errors.Is(err, core.ErrNotFound) {
				t.Errorf("they see the case: %v", err)
			}
		})
	}
	t.Run("R38/failed is held", func(t *testing.T) {
		w := newWorld(t, func(s *core.Settings) { s.Mailboxes[0].Border = "google" })
		w.opens(mail{from: anna, change: cc(zed)})
		r := w.receive(mail{from: zed, subject: "x", text: "y", inReplyTo: "1@client.example", change: func(m *core.Mail) {
			m.Signatures = nil
			m.Trusted = []core.AuthField{{Name: "Authentication-Results", Value: "mx.google.com; dmarc=fail (p=REJECT)"}}
		}})
		wants(t, r, core.Held, "held", "failed")
	})
	t.Run("R38/an aside to an internal address is a note", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna, change: cc(zed)})
		wants(t, w.receive(mail{from: zed, subject: "x", text: "y", to: o.mia.Internal, inReplyTo: "1@client.example"}), core.Filed, "aside", "")
		if n := w.count(`select (select count(*) from note) * 10 + (select count(*) from comment)`); n != 10 {
			t.Errorf("R40: notes and comments %d", n)
		}
	})
	t.Run("R38/an aside brings no closed case back", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna, change: cc(zed)})
		w.receive(fromMia(o, "#status closed\nBye.", false))
		wants(t, w.receive(mail{from: zed, subject: "x", text: "y", inReplyTo: "1@client.example"}), core.Filed, "aside", "")
		if got := w.status(o); got != "closed" {
			t.Errorf("the case is %s", got)
		}
	})
	t.Run("R38/once added they take part like anybody", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna, change: cc(zed)})
		if err := w.AddParticipant(t.Context(), w.signsIn(mia), o.Case, zed); err != nil {
			t.Fatal(err)
		}
		wants(t, w.receive(mail{from: zed, subject: "x", text: "y", inReplyTo: "1@client.example"}), core.Filed, "joins", "")
	})
}

// signsInIfLetIn signs an address in, if it gets the mail to do so.
func (w *world) signsInIfLetIn(address string) core.Viewer {
	w.t.Helper()
	w.letters()
	if err := w.RequestSignIn(w.t.Context(), address, "n"); err != nil {
		w.t.Fatal(err)
	}
	letters := w.letters()
	if len(letters) == 0 {
		return core.Viewer{}
	}
	session, err := w.SignInByLink(w.t.Context(), secret(w.t, letters[0]), "n", "Firefox")
	if err != nil {
		w.t.Fatal(err)
	}
	v, err := w.Session(w.t.Context(), session)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func TestAddParticipant_isAnAgentsPress(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	o := w.opens(mail{from: anna, text: "The history.", change: chain(cc(zed), attach("old.txt", "old"))})
	w.opens(mail{from: zed})
	agent := w.signsIn(mia)
	view, err := w.Case(ctx, agent, o.Case)
	if err != nil || len(view.Proposed) != 1 || view.Proposed[0].Address != zed {
		t.Fatalf("R38: the page proposes %+v, %v", view.Proposed, err)
	}
	t.Run("R38/nobody else may", func(t *testing.T) {
		if view := w.view(anna, o.Case); view.Proposed != nil || view.About != nil {
			t.Errorf("the customer's page shows %+v %+v", view.Proposed, view.About)
		}
		if err := w.AddParticipant(ctx, w.signsIn(anna), o.Case, zed); !errors.Is(err, core.ErrNotAllowed) {
			t.Errorf("the requester: %v", err)
		}
		for name, v := range map[string]core.Viewer{"another customer": w.signsIn(zed), "nobody": {}} {
			hidden, none := w.AddParticipant(ctx, v, o.Case, zed), w.AddParticipant(ctx, v, "CASE-99999", zed)
			if !errors.Is(hidden, core.ErrNotFound) || hidden.Error() != none.Error() {
				t.Errorf("R63: %s: %v, and of no case %v", name, hidden, none)
			}
		}
	})
	t.Run("R38/own addresses, agents and what is no address are refused", func(t *testing.T) {
		for _, a := range []string{"support@desk.example", "support+abcdefghijklmnopqrst@desk.example", tom, "", "x", "a@b", strings.Repeat("a", 300) + "@b.example", "a@b.example\r\nBcc: c@d.example"} {
			if err := w.AddParticipant(ctx, agent, o.Case, a); !errors.Is(err, core.ErrNotAllowed) {
				t.Errorf("%.40q: %v", a, err)
			}
		}
	})
	t.Run("R38/twice is once, and adding is an event", func(t *testing.T) {
		w.Clock.Advance(time.Minute)
		for range 2 {
			if err := w.AddParticipant(ctx, agent, o.Case, strings.ToUpper(zed)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.AddParticipant(ctx, agent, o.Case, anna); err != nil { // the requester is there already
			t.Error(err)
		}
		if got := w.participants(o); got != zed {
			t.Errorf("participants %q", got)
		}
		if n := w.count(`select count(*) from event where kind = 'participant' and became = $1 and actor is not null`, zed); n != 1 {
			t.Errorf("%d events", n)
		}
		if view := w.view(mia, o.Case); len(view.Proposed) != 0 {
			t.Errorf("still proposed: %+v", view.Proposed)
		}
		noneTo(t, w.letters(), zed, anna)
	})
	t.Run("R38/they get what is written later, never the history", func(t *testing.T) {
		w.receive(fromMia(o, "Use water.", false))
		if l := to(t, w.letters(), zed, core.Answer); l.Text != "Use water." {
			t.Errorf("%q", l.Text)
		}
		v := w.signsIn(zed)
		view, err := w.Case(ctx, v, o.Case)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, e := range view.Entries {
			if e.Kind != "event" {
				texts = append(texts, e.Text)
			}
		}
		if !slices.Equal(texts, []string{"Use water."}) || len(view.Files) != 0 {
			t.Errorf("the page shows %q, files %+v", texts, view.Files)
		}
		file := w.view(mia, o.Case).Files[0].ID
		if _, _, err := w.File(ctx, v, o.Case, file); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("a file of the history: %v", err)
		}
		if _, err := w.EntryHTML(ctx, v, o.Case, "description", 0); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("the description: %v", err)
		}
		if _, _, err := w.InlineFile(ctx, v, o.Case, "description", 0, "old.txt@client"); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("a picture of the history: %v", err)
		}
		for _, e := range w.view(anna, o.Case).Entries {
			if e.Kind == "description" && e.Text == "The history." {
				return
			}
		}
		t.Error("the requester does not see the history")
	})
}

// An outsider who names a case opens one of their own: an agent may add them to
// the one they named.
func TestAddParticipant_theOutsiderWhoNamedACase(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	o := w.opens(mail{from: anna})
	r := w.receive(mail{from: zed, subject: "About " + o.Case, text: "I sold it."})
	wants(t, r, core.Filed, "opens a case", "")
	t.Run("R37/the notice and the page tell the agents", func(t *testing.T) {
		letters := w.letters()
		if l := to(t, letters, mia, core.NoticeNew); l.Payload.PerhapsAbout != o.Case {
			t.Errorf("the notice: perhaps about %q", l.Payload.PerhapsAbout)
		}
		if l := to(t, letters, zed, core.Confirmation); l.Payload.PerhapsAbout != "" {
			t.Errorf("the stranger is told: %q", l.Payload.PerhapsAbout)
		}
		about := w.view(mia, r.Case).About
		if about == nil || about.Number != o.Case || about.Address != zed {
			t.Errorf("the page: %+v", about)
		}
		if about := w.view(zed, r.Case).About; about != nil {
			t.Errorf("the stranger's page: %+v", about)
		}
	})
	t.Run("R37/one press adds them there", func(t *testing.T) {
		if err := w.AddParticipant(ctx, w.signsIn(mia), o.Case, zed); err != nil {
			t.Fatal(err)
		}
		if about := w.view(mia, r.Case).About; about != nil {
			t.Errorf("still offered: %+v", about)
		}
		wants(t, w.receive(mail{from: zed, subject: o.Case, text: "hello"}), core.Filed, "joins", "")
	})
	t.Run("R37/a held mail's trace says what it is perhaps about", func(t *testing.T) {
		w.apply(t, func(s string) string { return replace(t, s, `unknown = "opens"`, `unknown = "held"`) })
		r := w.receive(mail{from: eve, subject: "hi", to: o.confirmation.ReplyTo, text: "I sold it."})
		wants(t, r, core.Held, "held", "unknown")
		if !slices.ContainsFunc(r.Trace, func(s core.Step) bool { return strings.Contains(s.Says, "perhaps about "+o.Case) }) {
			t.Errorf("%+v", r.Trace)
		}
	})
}

func TestReceive_whereAnswersGo(t *testing.T) {
	const desk2 = "team@northwind.example"
	replyTo := func(addresses ...string) func(*core.Mail) {
		return func(m *core.Mail) {
			for _, a := range addresses {
				m.ReplyTo = append(m.ReplyTo, core.Address{Address: a})
			}
		}
	}
	for _, c := range []struct {
		name string
		from string
		mail func(*mail)
		want string
	}{
		{"a verified sender's Reply-To of the same domain is used", anna, func(m *mail) { m.change = replyTo(desk2) }, desk2},
		{"without one the stored address is", anna, func(m *mail) {}, anna},
		{"the sender's own address changes nothing", anna, func(m *mail) { m.change = replyTo(anna) }, anna},
		{"another domain's is never used", anna, func(m *mail) { m.change = replyTo(eve) }, anna},
		{"a sub-domain's is another domain's", anna, func(m *mail) { m.change = replyTo("team@mail.northwind.example") }, anna},
		{"the domain above it too", "joe@a.client.example", func(m *mail) { m.change = replyTo("joe@client.example") }, "joe@a.client.example"},
		{"several addresses are never used", anna, func(m *mail) { m.change = replyTo(desk2, "more@northwind.example") }, anna},
		{"an unverified sender's is never used", anna, func(m *mail) { m.unverified, m.change = true, replyTo(desk2) }, anna},
		{"what is no address is never used", anna, func(m *mail) { m.change = replyTo("a b@northwind.example") }, anna},
		{"a public provider's domain is nobody's", "joe@gmail.com", func(m *mail) { m.change = replyTo("victim@gmail.com") }, "joe@gmail.com"},
		{"an address of ours is never used", "joe@desk.example", func(m *mail) { m.change = replyTo("support@desk.example") }, "joe@desk.example"},
		{"nor one with a tag", "joe@desk.example", func(m *mail) { m.change = replyTo("support+x@desk.example") }, "joe@desk.example"},
		{"what a machine may have written is never used", anna, func(m *mail) {
			m.change = chain(replyTo(desk2), func(c *core.Mail) { c.Marks.AutoSubmitted = "auto-generated" })
		}, anna},
	} {
		t.Run("R39/"+c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			m := mail{from: c.from, subject: "Printer", text: "It burns."}
			c.mail(&m)
			var o opened
			o.Receipt = w.receive(m)
			letters := w.letters()
			for _, l := range letters {
				if !l.ForAgent && l.To.Address != c.from {
					t.Errorf("R51: %s to %s", l.Kind, l.To.Address)
				}
			}
			o.mia = to(t, letters, mia, core.NoticeNew)
			w.receive(fromMia(o, "Use water.", false))
			l := to(t, w.letters(), c.want, core.Answer)
			if n := w.count(`select count(*) from address where address = $1`, desk2); n != 0 {
				t.Error("R30: a Reply-To became somebody's address")
			}
			if c.want == desk2 {
				// who answers from there is who they are, not Anna
				r := w.receive(mail{from: desk2, subject: "Re", text: "close", to: l.ReplyTo, unverified: true})
				if r.CaseID == o.CaseID || w.status(o) == "closed" {
					t.Errorf("R30: the answer from there: %+v, the case is %s", r, w.status(o))
				}
			}
		})
	}
	t.Run("R39/the next verified mail without one ends it", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna, change: replyTo(desk2)})
		w.receive(mail{from: anna, subject: o.Case, text: "forged", unverified: true})
		w.letters()
		w.receive(fromMia(o, "One.", false))
		to(t, w.letters(), desk2, core.Answer)
		w.receive(mail{from: anna, subject: o.Case, text: "Back again."})
		w.letters()
		w.receive(fromMia(o, "Two.", false))
		to(t, w.letters(), anna, core.Answer)
	})
	t.Run("R39/it counts for its case alone", func(t *testing.T) {
		w := newWorld(t, nil)
		w.opens(mail{from: anna, change: replyTo(desk2)})
		two := w.opens(mail{from: anna, subject: "Another"})
		w.receive(fromMia(two, "Two.", false))
		to(t, w.letters(), anna, core.Answer)
	})
	t.Run("R39/what bounces there goes to the stored address again", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna, change: replyTo(desk2)})
		w.receive(fromMia(o, "One.", false))
		for _, l := range w.claim("s", 10) {
			if l.To.Address == desk2 && w.dot("s", l, "x") {
				if _, err := w.Settle(t.Context(), "s", []core.Delivery{{ID: l.ID, Result: core.Permanent, Code: 550, Enhanced: "5.1.1", Answer: "no such user"}}, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		w.Clock.Advance(time.Hour)
		w.receive(fromMia(o, "Two.", false))
		to(t, w.letters(), anna, core.Answer)
	})
}

// Two customers invite the same new colleague at once: one person is made.
func TestReceive_twoInviteTheSameNewColleagueAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	one, two := w.opens(mail{from: anna}), w.opens(mail{from: bob})
	mails := []core.Mail{
		w.keep(mail{from: anna, subject: one.Case, text: "a", change: cc("new@northwind.example", "newer@northwind.example")}),
		w.keep(mail{from: bob, subject: two.Case, text: "b", change: cc("newer@northwind.example", "new@northwind.example")}),
	}
	failed := make(chan error, len(mails))
	for _, m := range mails {
		go func() {
			_, err := w.Receive(t.Context(), m)
			failed <- err
		}()
	}
	for range mails {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	t.Run("R38/both take part in both cases, and are one person each", func(t *testing.T) {
		for _, o := range []opened{one, two} {
			if got := w.participants(o); got != "new@northwind.example newer@northwind.example" {
				t.Errorf("participants %q", got)
			}
		}
		if n := w.count(`select count(*) from person p where not exists (select from address a where a.person = p.id)`); n != 0 {
			t.Errorf("%d people without an address", n)
		}
	})
}

func TestErase_takesProposalsAndReplyToAlong(t *testing.T) {
	t.Run("R66/no table of participants names them any more", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna, change: chain(cc(zed, bob), func(m *core.Mail) { m.ReplyTo = []core.Address{{Address: "team@northwind.example"}} })})
		w.opens(mail{from: zed})
		for _, address := range []string{zed, bob, anna} {
			if _, err := w.Erase(t.Context(), address, false); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.proposed(o) + w.participants(o); got != "" {
			t.Errorf("still there: %s", got)
		}
		if n := w.count(`select (select count(*) from reply_to) + (select count(*) from event where became like '%@%')`); n != 0 {
			t.Errorf("%d rows", n)
		}
	})
}
