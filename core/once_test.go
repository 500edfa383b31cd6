package core_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"postern/core"
)

func TestReceive_theSameMailTwiceOpensOneCase(t *testing.T) {
	w := newWorld(t, nil)
	m := w.keep(mail{from: anna, subject: "x", text: "y"})
	first, second := w.receiveOne(m), w.receiveOne(m)
	wants(t, first, core.Filed, "opens a case", "")
	wants(t, second, core.Filed, "was at its end before", "")
	letters := w.letters()
	to(t, letters, anna, core.Confirmation)
	if n := w.count(`select count(*) from cases`); n != 1 || len(letters) != 3 {
		t.Errorf("R4: %d cases, %d letters", n, len(letters))
	}
}

// Eight processes have one row each of eight copies, and one of them eight
// times: whatever meets, there is one case and one confirmation.
func TestReceive_theSameMailAtOnceEightTimesOpensOneCase(t *testing.T) {
	for name, keep := range map[string]func(*world) []core.Mail{
		"one row": func(w *world) []core.Mail {
			m := w.keep(mail{from: anna, subject: "x", text: "y", id: "same@client.example"})
			return []core.Mail{m, m, m, m, m, m, m, m}
		},
		"eight rows": func(w *world) (all []core.Mail) {
			for range 8 {
				all = append(all, w.keep(mail{from: anna, subject: "x", text: "y", id: "same@client.example"}))
			}
			return all
		},
		"eight rows without a Message-ID": func(w *world) (all []core.Mail) {
			for range 8 {
				all = append(all, w.keep(mail{from: "new@northwind.example", subject: "x", text: "y", change: func(m *core.Mail) { m.MessageID = "" }}))
			}
			return all
		},
	} {
		t.Run("R4/"+name, func(t *testing.T) {
			w := newWorld(t, nil)
			var all sync.WaitGroup
			start := make(chan bool)
			for _, m := range keep(w) {
				all.Go(func() {
					<-start
					if _, err := w.Receive(context.Background(), m); err != nil {
						t.Error(err)
					}
				})
			}
			close(start)
			all.Wait()
			if n := w.count(`select count(*) from cases`); n != 1 {
				t.Errorf("%d cases", n)
			}
			if n := w.count(`select count(*) from outbox where kind = 'confirmation'`); n != 1 {
				t.Errorf("%d confirmations", n)
			}
			if n := w.count(`select count(*) from ledger where state not in ('filed', 'duplicate')`); n != 0 {
				t.Errorf("%d mails are not at their end", n)
			}
			if n := w.count(`select count(*) from person where id in (select person from address where address = any($1))`,
				[]string{anna, "new@northwind.example"}); n != 1 {
				t.Errorf("%d persons", n)
			}
		})
	}
}

// Two mails of two people to one case, and replies to two cases in either
// order, wait for each other and for nothing else.
func TestReceive_repliesAtOnceAreAllFiled(t *testing.T) {
	w := newWorld(t, nil)
	one, two := w.opens(mail{from: anna}), w.opens(mail{from: bob})
	var mails []core.Mail
	for i := range 8 {
		from, about := anna, one.Case+" "+two.Case
		if i%2 == 1 {
			from, about = bob, two.Case+" "+one.Case
		}
		mails = append(mails, w.keep(mail{from: from, subject: about, text: strings.Repeat("x", i+1)}))
	}
	var all sync.WaitGroup
	for _, m := range mails {
		all.Go(func() {
			if _, err := w.Receive(context.Background(), m); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := w.count(`select count(*) from comment`); n != 8 {
		t.Errorf("R75: %d comments of 8", n)
	}
}

// The connection breaks while a file of the mail is written: the case, the
// person, the comment and the letters before it are gone too.
func TestReceive_aTransactionThatFailsLeavesNothing(t *testing.T) {
	w := newWorld(t, nil)
	for name, m := range map[string]mail{
		"a new case of a new person": {from: "new@northwind.example", subject: "x", text: "y"},
		"a reply":                    {from: anna, subject: w.opens(mail{from: anna}).Case, text: "y"},
	} {
		before := w.everything()
		ctx, cancel := context.WithCancel(t.Context())
		m.change = func(c *core.Mail) {
			c.Files = []core.File{{Name: "log.txt", Type: "text/plain", Size: 9 << 20, SHA256: sha256.Sum256([]byte(name)),
				Open: func() (io.ReadCloser, error) {
					return io.NopCloser(&broken{left: 9<<20 - 100, end: cancel}), nil
				}}}
		}
		c := w.keep(m)
		if _, err := w.Receive(ctx, c); err == nil {
			t.Fatalf("R4/%s: filed without its file", name)
		}
		if after := w.everything(); after != before+2 { // the ledger row and its bytes
			t.Errorf("R4/%s: %d rows are left", name, after-before-2)
		}
		if state := w.text(`select state from ledger where id = $1`, c.Ledger); state != "stored" {
			t.Errorf("R4/%s: the mail is %s", name, state)
		}
		c.Files = nil
		if r := w.receiveOne(c); r.State != core.Filed {
			t.Errorf("R4/%s: tried again: %+v", name, r)
		}
	}
}

// broken is a file that ends the world before its last byte.
type broken struct {
	left int
	end  func()
}

func (b *broken) Read(p []byte) (int, error) {
	if b.left == 0 {
		b.end()
		return 0, errors.New("the connection broke")
	}
	n := min(len(p), b.left)
	clear(p[:n])
	b.left -= n
	return n, nil
}

// everything counts the rows that filing a mail could leave.
func (w *world) everything() int64 {
	w.t.Helper()
	var n int64
	for _, table := range []string{"cases", "comment", "note", "event", "file", "entry_file", "blob", "outbox", "secret", "person",
		"address", "member", "participant", "ledger"} {
		n += w.count(`select count(*) from ` + table)
	}
	return n
}

func TestReceive_duplicatesAndVariants(t *testing.T) {
	first := mail{from: anna, subject: "Printer", text: "It burns.", id: "one@client.example"}
	with := func(change func(*mail)) mail {
		m := first
		change(&m)
		return m
	}
	noID := func(m *mail) { m.id = "x"; m.change = func(c *core.Mail) { c.MessageID = "" } }
	for _, c := range []struct {
		name          string
		first, second mail
		state         core.State
		outcome       string
		cases         int64
		comments      int64
		letters       bool // the second causes some
	}{
		{"R5/the same mail is a duplicate", first, first, core.Duplicate, "duplicate", 1, 0, false},
		{"R6/another text under the same Message-ID is a variant, without automatic mail", first,
			with(func(m *mail) { m.text = "It burns. -- \nA list's footer" }), core.Filed, "joins as a variant", 1, 1, false},
		{"R6/the same Message-ID of somebody else is another mail", first, with(func(m *mail) { m.from = carl }), core.Filed, "opens a case", 2, 0, true},
		{"R5/another Message-ID with the same content is another mail", first, with(func(m *mail) { m.id = "two@client.example" }),
			core.Filed, "opens a case", 2, 0, true},
		{"R7/without a Message-ID the content is the key", with(noID), with(noID), core.Duplicate, "duplicate", 1, 0, false},
		{"R7/without a Message-ID another content is another mail", with(noID), with(func(m *mail) { noID(m); m.text = "Other" }),
			core.Filed, "opens a case", 2, 0, true},
		{"R7/a copy that lost its Message-ID is a duplicate", first, with(noID), core.Duplicate, "duplicate", 1, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.receive(c.first)
			w.letters()
			r := w.receive(c.second)
			wants(t, r, c.state, c.outcome, "")
			if letters := w.letters(); (len(letters) > 0) != c.letters {
				t.Errorf("%d letters", len(letters))
			}
			if n := w.count(`select count(*) from cases`); n != c.cases {
				t.Errorf("%d cases, want %d", n, c.cases)
			}
			if n := w.count(`select count(*) from comment where 'variant' = any(marks)`); n != c.comments {
				t.Errorf("%d variants, want %d", n, c.comments)
			}
		})
	}
}

// A list's footer makes a second copy of an agent's answer: the customer gets
// it once.
func TestReceive_aVariantOfAnAgentsAnswerReachesNoCustomer(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	answer := mail{from: mia, subject: o.Case, text: "Use water.", to: o.mia.ReplyTo, id: "answer@desk.example"}
	w.receive(answer)
	to(t, w.letters(), anna, core.Answer)
	answer.text += "\n-- \nFooter"
	r := w.receive(answer)
	if r.State != core.Filed {
		t.Fatalf("R6: %+v", r)
	}
	noneTo(t, w.letters(), anna)
	if got := w.entries(w.signsIn(anna), o.Case, "comment"); len(got) > 2 {
		t.Errorf("R6: the customer sees %q", got)
	}
}

func TestReceive_aCopyOfHeldMailDoesNotTakeItsPlace(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	bulk := mail{from: anna, subject: "x", text: "y", id: "one@client.example", change: func(m *core.Mail) { m.Marks.List = true }}
	m := w.keep(bulk)
	wants(t, w.receiveOne(m), core.Held, "held", "bulk")
	wants(t, w.receive(bulk), core.Duplicate, "duplicate", "")
	if err := w.Release(ctx, w.signsIn(mia), m.Ledger); err != nil {
		t.Fatal(err)
	}
	wants(t, w.receiveOne(m), core.Filed, "opens a case", "")
	if n := w.count(`select count(*) from cases`); n != 1 {
		t.Errorf("R5: %d cases of a released mail and its copy", n)
	}
}

func TestReceive_aCaseHasItsFilesOnceByContent(t *testing.T) {
	w := newWorld(t, nil)
	picture := func(name string) func(*core.Mail) {
		return func(m *core.Mail) {
			m.Files = []core.File{{Name: name, Type: "image/png", Size: 300_000, SHA256: sha256.Sum256([]byte("picture")),
				Open: func() (io.ReadCloser, error) {
					return io.NopCloser(strings.NewReader(strings.Repeat("x", 300_000))), nil
				}}}
		}
	}
	o := w.opens(mail{from: anna, change: picture("before.png")})
	w.receive(mail{from: anna, subject: o.Case, text: "again", change: picture("after.png")})
	v := w.signsIn(anna)
	view, err := w.Case(t.Context(), v, o.Case)
	if err != nil {
		t.Fatal(err)
	}
	if len(view.Files) != 1 || view.Files[0].Name != "before.png" {
		t.Errorf("files %+v", view.Files)
	}
	var named []string
	for _, e := range view.Entries {
		for _, f := range e.Files {
			named = append(named, e.Kind+" "+f.Name)
		}
	}
	if strings.Join(named, ", ") != "description before.png, comment after.png" {
		t.Errorf("entries name %q", named)
	}
	_, from, err := w.File(t.Context(), v, o.Case, view.Files[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	if got, err := io.ReadAll(from); err != nil || len(got) != 300_000 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestReceive_lateMailIsFiledWithoutAutomaticMail(t *testing.T) {
	for _, c := range []struct {
		name  string
		age   time.Duration
		quiet bool
	}{
		{"R8/of 23 hours is answered", 23 * time.Hour, false},
		{"R8/of 25 hours is not", 25 * time.Hour, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			m := w.keep(mail{from: anna, subject: "x", text: "y"})
			m.Received = w.Clock.Now()
			w.Clock.Advance(c.age)
			wants(t, w.receiveOne(m), core.Filed, "opens a case", "")
			if n := len(w.letters()); (n == 0) != c.quiet {
				t.Errorf("%d letters", n)
			}
			if n := w.count(`select count(*) from outbox where state = 'withheld' and reason like '%R8%'`); (n > 0) != c.quiet {
				t.Errorf("%d letters withheld for it", n)
			}
		})
	}
}
