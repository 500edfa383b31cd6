package core_test

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/mailout"
	"postern/templates"
)

// headed is a mail as a mail program sees it.
type headed struct {
	id, subject string
	refs        []string // References, and In-Reply-To last
}

// mailProgram is all that one person has of a case.
type mailProgram struct{ mails []headed }

// gets takes a letter as it comes out of the composer.
func (p *mailProgram) gets(t *testing.T, c *mailout.Composer, l core.Letter) {
	t.Helper()
	raw, err := c.Compose(l, func(int64) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("")), nil })
	if err != nil {
		t.Fatal(err)
	}
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	refs := strings.Fields(m.Header.Get("References"))
	if n := len(m.Header.Get("References")); n > 1500 || len(refs) > 12 {
		t.Errorf("%d references of %d octets", len(refs), n)
	}
	p.mails = append(p.mails, headed{m.Header.Get("Message-Id"), subject, append(refs, strings.Fields(m.Header.Get("In-Reply-To"))...)})
}

// threads joins mails as jwz's algorithm does: each with those it refers to,
// also with ones that are not there; and counts what is left.
func (p *mailProgram) threads() int {
	parent := map[string]string{}
	var root func(string) string
	root = func(id string) string {
		if up, ok := parent[id]; ok && up != id {
			return root(up)
		}
		return id
	}
	for _, m := range p.mails {
		for _, ref := range m.refs {
			if a, b := root(m.id), root(ref); a != b {
				parent[a] = b
			}
		}
	}
	roots := map[string]bool{}
	for _, m := range p.mails {
		roots[root(m.id)] = true
	}
	return len(roots)
}

// strangers are mails, but for the first, that refer to none that was there
// before them: a program that joins as mails come (Gmail, Apple Mail) needs that.
func (p *mailProgram) strangers() (ids []string) {
	have := map[string]bool{}
	for i, m := range p.mails {
		joined := i == 0
		for _, ref := range m.refs {
			joined = joined || have[ref]
		}
		if !joined {
			ids = append(ids, m.subject)
		}
		have[m.id] = true
	}
	return ids
}

func (p *mailProgram) subjects() (all []string) {
	for _, m := range p.mails {
		s := strings.TrimPrefix(m.subject, "Re: ")
		if len(all) == 0 || all[len(all)-1] != s {
			all = append(all, s)
		}
	}
	return all
}

func TestThreading_aCaseIsOneThreadForEachRecipient(t *testing.T) {
	w := newWorld(t, func(s *core.Settings) { s.Budgets = core.Budgets{} })
	c, err := mailout.NewComposer(templates.Mail)
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]*mailProgram{anna: {}, bob: {}, mia: {}, tom: {}}
	var last map[string]core.Letter
	number := ""
	// deliver sends what is due; several at once, as the sender claims them.
	deliver := func() {
		t.Helper()
		for _, l := range w.letters() {
			if p := have[l.To.Address]; p != nil && l.Number == number {
				p.gets(t, c, l)
				last[l.To.Address] = l
			}
		}
	}
	writes := func(from, text string) {
		t.Helper()
		w.Clock.Advance(3 * time.Minute)
		answered := last[from]
		id := fmt.Sprintf("%d.%s", w.Clock.Now().UnixNano(), from)
		r := w.receive(mail{from: from, subject: "Re: [" + number + "] Printer on fire", text: text, to: answered.ReplyTo, id: id,
			inReplyTo: answered.MessageID})
		if r.State != core.Filed {
			t.Fatalf("%+v", r)
		}
		have[from].mails = append(have[from].mails, headed{"<" + id + ">", "Re: [" + number + "] Printer on fire", []string{"<" + answered.MessageID + ">"}})
	}

	last = map[string]core.Letter{}
	first := mail{from: anna, subject: "Printer on fire", text: "It burns.", id: "first@northwind.example"}
	number = w.receive(first).Case
	// more comes before anything has left: its notice has nothing to refer to but
	// one that is on its way beside it
	w.Clock.Advance(time.Second)
	w.receive(mail{from: anna, subject: "[" + number + "]", text: "Badly.", id: "second@northwind.example", inReplyTo: "first@northwind.example"})
	deliver()
	for n := range 30 {
		writes(anna, fmt.Sprintf("Question %d", n))
		deliver()
		switch n {
		case 5: // an agent takes it, and Bob comes in
			writes(mia, "Have you tried water?")
			deliver()
			if err := w.AddParticipant(t.Context(), w.signsIn(mia), number, bob); err != nil {
				t.Fatal(err)
			}
		case 9:
			w.exec(`update cases set title = 'Printer in hall 2 burns' where desk = (select id from desk) and title = 'Printer on fire'`)
		case 12:
			writes(bob, "I saw it, too.")
		case 15:
			writes(mia, "#status need input\nWhich printer?")
			deliver()
			w.Clock.Advance(3*24*time.Hour + time.Hour)
			if _, err := w.Remind(t.Context()); err != nil {
				t.Fatal(err)
			}
		case 20:
			w.exec(`update outbox set state = 'failed' where id = (select max(id) from outbox where address = $1)`, anna)
		default:
			writes(mia, fmt.Sprintf("Answer %d", n))
		}
		deliver()
	}
	for address, p := range have {
		t.Run("R53/one thread for "+address, func(t *testing.T) {
			if len(p.mails) < 3 {
				t.Fatalf("only %d mails: nothing is shown", len(p.mails))
			}
			if n := p.threads(); n != 1 {
				t.Errorf("%d threads of %d mails", n, len(p.mails))
			}
			if s := p.strangers(); len(s) > 0 {
				t.Errorf("refer to nothing that was there before: %q", s)
			}
			if s := p.subjects(); len(s) != 1 || s[0] != "["+number+"] Printer on fire" {
				t.Errorf("the subject changes: %q", s)
			}
		})
	}
}

func TestThreading_anUnprovedCustomersMailsHaveOneSubject(t *testing.T) {
	t.Run("R51/while nothing may be repeated, all mails of a case have one subject", func(t *testing.T) {
		w := newWorld(t, nil)
		c, err := mailout.NewComposer(templates.Mail)
		if err != nil {
			t.Fatal(err)
		}
		r := w.receive(mail{from: anna, subject: "Buy my pills", text: "x", unverified: true})
		p := &mailProgram{}
		for _, l := range w.letters() {
			if l.To.Address == anna {
				p.gets(t, c, l)
			}
		}
		w.Clock.Advance(time.Hour)
		if err := w.MoveCase(t.Context(), w.signsIn(mia), r.Case, "resolved"); err != nil {
			t.Fatal(err)
		}
		for _, l := range w.letters() {
			if l.To.Address == anna {
				p.gets(t, c, l)
			}
		}
		if len(p.mails) != 2 || p.threads() != 1 || len(p.subjects()) != 1 || strings.Contains(p.subjects()[0], "pills") {
			t.Errorf("%d mails, %d threads, %q", len(p.mails), p.threads(), p.subjects())
		}
	})
}
