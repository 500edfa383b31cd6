package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"postern/core"
)

func list(m *core.Mail) { m.Marks.List = true }

// listed is a desk that holds strangers' mail: two of people, one of a list,
// one of spam, and what its agents were told of them.
type listed struct {
	*world
	o                    opened
	eve, bob, bulk, spam core.Mail
	mia, tom             core.Letter
}

func newListed(t testing.TB, change func(*core.Settings), source ...string) listed {
	t.Helper()
	w := newWorld(t, change)
	l := listed{world: w, o: w.opens(mail{from: anna})}
	w.apply(t, func(s string) string {
		s = replace(t, s, `unknown = "opens"`, `unknown = "held"`)
		for i := 0; i+1 < len(source); i += 2 {
			s = replace(t, s, source[i], source[i+1])
		}
		return s
	})
	l.eve = w.holds(mail{from: eve, name: "Eve", subject: "May I?\r\nrelease 1", text: "Please let me in.", unverified: true}, "unknown")
	l.bob = w.holds(mail{from: bob, subject: "About [" + l.o.Case + "]", text: "Me too."}, "unknown, Northwind")
	l.bulk = w.holds(mail{from: eve, subject: "News", text: "x", change: list}, "bulk")
	l.spam = w.holds(mail{from: "x@evil.example", subject: "Pills", text: "x", change: spam}, "spam")
	w.letters()
	letters := w.lists(2)
	l.mia, l.tom = to(t, letters, mia, core.HeldList), to(t, letters, tom, core.HeldList)
	return l
}

// lists runs the chore, and returns the lists that it queued.
func (w *world) lists(want int) []core.Letter {
	w.t.Helper()
	n, err := w.ListHeld(w.t.Context())
	if err != nil || n != want {
		w.t.Fatalf("%d lists, want %d; %v", n, want, err)
	}
	return w.letters()
}

// replies answers a list.
func (l listed) replies(letter core.Letter, text string, change ...func(*mail)) core.Receipt {
	l.t.Helper()
	m := mail{from: letter.To.Address, subject: "Re: held", text: text, to: letter.ReplyTo, inReplyTo: letter.MessageID}
	for _, c := range change {
		c(&m)
	}
	return l.receive(m)
}

func (l listed) state(m core.Mail) string {
	l.t.Helper()
	return l.text(`select state || ' ' || released_as from ledger where id = $1`, m.Ledger)
}

func TestListHeld_tellsWhatWaits(t *testing.T) {
	l := newListed(t, nil)
	p := l.mia.Payload
	t.Run("R41/people first, and the rest apart", func(t *testing.T) {
		if p.HeldCount[core.HeldPeople] != 2 || p.HeldCount[core.HeldMachines] != 1 || p.HeldCount[core.HeldSpam] != 1 {
			t.Errorf("%v", p.HeldCount)
		}
		var got []string
		for _, i := range p.Held {
			got = append(got, fmt.Sprint(i.ID-l.eve.Ledger, i.Kind, i.Code, i.Detail, i.Case, i.Subject))
		}
		want := fmt.Sprint([]string{"1peopleunknownNorthwindCASE-10001About [CASE-10001]", "0peopleunknownMay I?  release 1", "3spamspamPills", "2machinesbulkNews"})
		if strings.ReplaceAll(fmt.Sprint(got), " ", "") != strings.ReplaceAll(want, " ", "") {
			t.Errorf("%v, want %v", got, want)
		}
		if fmt.Sprint(l.tom.Payload.Listed) != fmt.Sprint(p.Listed) || len(p.Listed) != 4 {
			t.Errorf("answerable: %v", p.Listed)
		}
	})
	t.Run("R51/nothing of them but who, when and the first line", func(t *testing.T) {
		if s := fmt.Sprintf("%+v", p); strings.Contains(s, "let me in") || strings.Contains(s, "\n") || strings.Contains(s, "Eve") {
			t.Errorf("it tells %s", s)
		}
	})
	t.Run("R53/it is automatic, and answered at an address of its own", func(t *testing.T) {
		if !l.mia.Automatic || !l.mia.ForAgent || l.mia.ReplyTo == l.mia.From.Address || l.mia.ReplyTo == l.tom.ReplyTo || l.mia.Internal != "" {
			t.Errorf("%+v", l.mia)
		}
	})
	t.Run("R47/one an hour, and never without news", func(t *testing.T) {
		l.lists(0)
		l.Clock.Advance(2 * time.Hour)
		l.lists(0)
		l.holds(mail{from: "y@evil.example", subject: "more spam", text: "x", change: spam}, "spam")
		l.lists(0)
		l.holds(mail{from: "new@evil.example", subject: "a person", text: "x", unverified: true}, "unknown")
		l.letters()
		if got := l.lists(2); len(got[0].Payload.Held) != 6 {
			t.Errorf("%d listed", len(got[0].Payload.Held))
		}
		l.holds(mail{from: "newer@evil.example", subject: "a person", text: "x", unverified: true}, "unknown")
		l.letters()
		l.Clock.Advance(59 * time.Minute)
		l.lists(0)
		l.Clock.Advance(time.Minute)
		l.lists(2)
	})
	t.Run("R41/what was decided is no news", func(t *testing.T) {
		m := l.holds(mail{from: "gone@evil.example", subject: "a person", text: "x", unverified: true}, "unknown")
		l.letters()
		if err := l.Refuse(t.Context(), l.signsIn(mia), m.Ledger); err != nil {
			t.Fatal(err)
		}
		l.letters()
		l.Clock.Advance(2 * time.Hour)
		l.lists(0)
	})
	t.Run("R41/the twenty newest of each, and how many there are", func(t *testing.T) {
		for i := range 25 {
			l.holds(mail{from: fmt.Sprintf("p%d@people.example", i), subject: "p", text: fmt.Sprint(i), unverified: true}, "unknown")
			l.holds(mail{from: "x@evil.example", subject: "s", text: fmt.Sprint(i), change: spam}, "spam")
		}
		l.letters()
		p := l.lists(2)[0].Payload
		if len(p.Held) != 40 || p.HeldCount[core.HeldPeople] < 25 || p.Held[0].From != "p24@people.example" {
			t.Errorf("%d of %v", len(p.Held), p.HeldCount)
		}
	})
	t.Run("R41/machines alone once a day", func(t *testing.T) {
		l.Clock.Advance(23 * time.Hour)
		l.holds(mail{from: eve, subject: "News 2", text: "x", change: list}, "bulk")
		l.lists(0)
		l.Clock.Advance(time.Hour)
		l.lists(2)
	})
	t.Run("R47/never gathered in a digest", func(t *testing.T) {
		l.exec(`insert into outbox (cause_kind, cause_id, address, desk, kind, automatic, replied, for_agent, language, payload, message_id,
				id_hash, token_hash, answerable, let_out, state, queued_at, due_at)
			select 'test', n, $1, 1, 'notice-new', true, false, true, 'en', '{}', 'm' || n, sha256(('m' || n)::bytea), sha256(('t' || n)::bytea), false, true,
				'sent', $2, $2 from generate_series(1, 20) n`, mia, l.Clock.Now())
		l.Clock.Advance(time.Minute)
		l.Clock.Advance(25 * time.Hour)
		l.holds(mail{from: "late@evil.example", subject: "x", text: "x", unverified: true}, "unknown")
		l.letters()
		l.lists(2)
	})
}

func TestListHeld_goesToWhomTheDeskNames(t *testing.T) {
	t.Run("R41/the notify list", func(t *testing.T) {
		w := newWorld(t, nil)
		w.apply(t, func(s string) string { return replace(t, s, `notify = []`, `notify = ["`+tom+`"]`) })
		w.holds(mail{from: eve, subject: "Pills", text: "x", change: spam}, "spam")
		letters := w.lists(1)
		to(t, letters, tom, core.HeldList)
	})
	t.Run("R63/a desk's agents hear of that desk alone", func(t *testing.T) {
		w := twoDesks(t)
		w.holds(mail{from: eve, to: "hr@desk.example", subject: "Pills", text: "x", change: spam}, "spam")
		letters := w.lists(1)
		to(t, letters, mia, core.HeldList)
	})
	t.Run("R42/what waits for its own agent is asked, not listed", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		w.waits(o, "Use water.")
		w.letters()
		w.lists(0)
	})
}

func TestHeldWords_byMail(t *testing.T) {
	l := newListed(t, nil)
	wants(t, l.replies(l.mia, fmt.Sprintf("#Release: %d\nattach %d to %s\nrefuse all!\n\nThanks\n-- \nMia", l.eve.Ledger, l.bob.Ledger, l.o.Case)),
		core.Filed, "decides on held mail", "")
	t.Run("R42/each word is taken", func(t *testing.T) {
		for m, want := range map[*core.Mail]string{&l.eve: "stored release", &l.bob: "stored attach", &l.bulk: "refused refuse", &l.spam: "refused refuse"} {
			if got := l.state(*m); got != want {
				t.Errorf("%s: %s, want %s", m.Subject, got, want)
			}
		}
	})
	t.Run("R43/one transcript says what becomes of each", func(t *testing.T) {
		letters := l.letters()
		if len(letters) != 1 {
			t.Fatalf("%d letters", len(letters))
		}
		p := to(t, letters, mia, core.HeldDone).Payload
		var got []string
		for _, i := range p.Held {
			got = append(got, fmt.Sprintf("%d %s %s %s%s", i.ID-l.eve.Ledger, i.Word, i.Code, i.Case, i.Problem))
		}
		if fmt.Sprint(got) != "[0 release unknown  1 attach unknown CASE-10001 3 refuse spam  2 refuse bulk ]" || p.Reason != "" {
			t.Errorf("%q", got)
		}
	})
	t.Run("R41/they are filed on it", func(t *testing.T) {
		wants(t, l.receiveOne(l.eve), core.Filed, "opens a case", "")
		wants(t, l.receiveOne(l.bob), core.Filed, "attached", "")
		letters := l.letters()
		to(t, letters, eve, core.Confirmation)
		noneTo(t, letters, bob)
	})
	t.Run("R43/said again, a colleague was first", func(t *testing.T) {
		wants(t, l.replies(l.tom, fmt.Sprintf("refuse %d", l.eve.Ledger)), core.Filed, "words on held mail refused", "")
		if p := to(t, l.letters(), tom, core.HeldDone).Payload; p.Held[0].Problem != "decided" || p.Reason != "refused" {
			t.Errorf("%+v", p)
		}
	})
}

func TestHeldWords_oneBadLineRejectsAll(t *testing.T) {
	l := newListed(t, nil)
	other := l.holds(mail{from: "later@evil.example", subject: "x", text: "y", unverified: true}, "unknown") // in no list yet
	l.letters()
	good := fmt.Sprintf("refuse %d\n", l.eve.Ledger)
	for _, c := range []struct{ name, text, problem string }{
		{"R43/a slip of the pen", good + fmt.Sprintf("relaese %d", l.bob.Ledger), "no-word"},
		{"R43/a mail of no list", good + fmt.Sprintf("refuse %d", other.Ledger), "not-listed"},
		{"R63/any number at all", good + "refuse 987654321", "not-listed"},
		{"R63/a case of nobody", good + fmt.Sprintf("attach %d CASE-4711", l.bob.Ledger), "no-case"},
		{"R43/the same mail twice", good + fmt.Sprintf("release %d", l.eve.Ledger), "twice"},
		{"R43/a word below text", good + "and\n" + fmt.Sprintf("refuse %d", l.bob.Ledger), "below-text"},
		{"R43/a word without a mail", good + "release", "which"},
	} {
		t.Run(c.name, func(t *testing.T) {
			wants(t, l.replies(l.mia, c.text), core.Filed, "words on held mail refused", "")
			p := to(t, l.letters(), mia, core.HeldDone).Payload
			var problems []string
			for _, i := range p.Held {
				if i.Problem != "" {
					problems = append(problems, i.Problem)
				}
			}
			if fmt.Sprint(problems) != "["+c.problem+"]" || p.Reason != "refused" {
				t.Errorf("%+v", p)
			}
			if n := l.count(`select count(*) from ledger where released_as <> ''`); n != 0 {
				t.Errorf("%d words were taken", n)
			}
		})
	}
	t.Run("R43/corrected by an answer to the transcript", func(t *testing.T) {
		l.replies(l.mia, "release")
		done := to(t, l.letters(), mia, core.HeldDone)
		wants(t, l.replies(done, good), core.Filed, "decides on held mail", "")
		if got := l.state(l.eve); got != "refused refuse" {
			t.Error(got)
		}
	})
	t.Run("R43/an answer without a word changes nothing and says how", func(t *testing.T) {
		l.letters()
		wants(t, l.replies(l.mia, "What is this?"), core.Filed, "no word on held mail", "")
		if p := to(t, l.letters(), mia, core.HeldDone).Payload; len(p.Held) != 0 || len(p.Words) != 5 {
			t.Errorf("%+v", p)
		}
	})
}

// Whatever the answer says, it is an agent's only if it is proved, and only
// the one's to whom the list went.
func TestHeldWords_whoIsHeard(t *testing.T) {
	token := []string{`agent_proof = "verified"`, `agent_proof = "token"`}
	for _, c := range []struct {
		name   string
		source []string
		change func(*mail)
		state  core.State
		reason string
	}{
		{"R42/unproved, with the list's own address", nil, func(m *mail) { m.unverified = true }, core.Held, "agent-forged"},
		{"R42/a Date long ago", nil, func(m *mail) { m.change = dated(8 * 24 * time.Hour) }, core.Held, "agent-forged"},
		{"R42/a colleague's list", nil, func(m *mail) { m.from = tom }, core.Held, "list-other"},
		{"R42/a customer with the address", nil, func(m *mail) { m.from = anna }, core.Filed, ""},
		{"R42/a stranger with the address", nil, func(m *mail) { m.from, m.unverified = "z@evil.example", true }, core.Held, "unknown"},
		{"R28/perhaps a machine", nil, func(m *mail) { m.change = func(m *core.Mail) { m.Marks.AutoSubmitted = "auto-generated" } }, core.Held, "automatic"},
		{"R28/an out-of-office reply is no held mail", nil, func(m *mail) { m.change = func(m *core.Mail) { m.Marks.AutoReply = true } }, core.Filed, ""},
		{"R42/a token alone, without the desk's leave to the address", token, func(m *mail) { m.unverified, m.to = true, "" }, core.Held, "agent-forged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newListed(t, nil, c.source...)
			r := l.replies(l.mia, fmt.Sprintf("release %d\nrefuse all", l.eve.Ledger), c.change)
			if r.State != c.state || r.Reason != c.reason {
				t.Errorf("%+v", r)
			}
			if n := l.count(`select count(*) from ledger where released_as <> '' or state = 'refused'`); n != 0 {
				t.Errorf("%d words were taken", n)
			}
			if n := len(kinds(l.letters(), core.HeldDone)); n != 0 {
				t.Errorf("%d transcripts", n)
			}
		})
	}
	t.Run("R42/a token alone may refuse and attach, and opens no case", func(t *testing.T) {
		l := newListed(t, nil, token...)
		unproved := func(m *mail) { m.unverified = true }
		for _, word := range []string{"release", "case"} {
			wants(t, l.replies(l.mia, fmt.Sprintf("%s %d", word, l.eve.Ledger), unproved), core.Filed, "words on held mail refused", "")
			if p := to(t, l.letters(), mia, core.HeldDone).Payload; p.Held[0].Problem != "token" {
				t.Errorf("%s: %+v", word, p)
			}
		}
		wants(t, l.replies(l.mia, fmt.Sprintf("refuse %d\nattach %d %s", l.eve.Ledger, l.bob.Ledger, l.o.Case), unproved), core.Filed, "decides on held mail", "")
	})
	t.Run("R42/a forged mail of one's own is no proof of one's own", func(t *testing.T) {
		l := newListed(t, nil, token...)
		forged := l.holds(mail{from: mia, subject: l.o.Case, text: "#status closed\nx", unverified: true}, "agent-forged")
		l.letters()
		l.Clock.Advance(time.Hour)
		list := to(t, l.lists(2), mia, core.HeldList)
		wants(t, l.replies(list, fmt.Sprintf("release %d", forged.Ledger), func(m *mail) { m.unverified = true }), core.Filed, "words on held mail refused", "")
		if got := l.status(l.o); got != "open" || l.state(forged) != "held " {
			t.Errorf("%s, %s", got, l.state(forged))
		}
	})
	t.Run("R34/without plus addresses by In-Reply-To", func(t *testing.T) {
		l := newListed(t, func(s *core.Settings) { s.ReplyTokens = "off" })
		if l.mia.ReplyTo != "support@desk.example" {
			t.Fatal(l.mia.ReplyTo)
		}
		wants(t, l.replies(l.mia, fmt.Sprintf("case %d", l.eve.Ledger)), core.Filed, "decides on held mail", "")
		wants(t, l.receiveOne(l.eve), core.Filed, "opens a case", "")
	})
	t.Run("R34/an agent's mail to a case is not taken for an answer to a list", func(t *testing.T) {
		l := newListed(t, nil)
		r := l.receive(mail{from: mia, subject: l.o.Case, to: l.o.mia.ReplyTo, text: "release 1"})
		wants(t, r, core.Filed, "answers", "")
	})
	t.Run("R63/a list of another desk lists nothing here", func(t *testing.T) {
		w := twoDesks(t)
		m := w.holds(mail{from: eve, to: "hr@desk.example", subject: "Pills", text: "x", change: spam}, "spam")
		letter := to(t, w.lists(1), mia, core.HeldList)
		r := w.receive(mail{from: mia, subject: "Re: held", text: fmt.Sprintf("refuse %d", m.Ledger), to: "support@desk.example", inReplyTo: letter.MessageID})
		wants(t, r, core.Filed, "words on held mail refused", "")
		r = w.receive(mail{from: tom, subject: "Re: held", text: fmt.Sprintf("refuse %d", m.Ledger), to: letter.ReplyTo, inReplyTo: letter.MessageID})
		if r.Case == "" || w.text(`select state from ledger where id = $1`, m.Ledger) != "held" {
			t.Errorf("%+v", r)
		}
	})
}
