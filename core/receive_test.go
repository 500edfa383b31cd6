package core_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
)

// world is a desk with a mailbox, into which tests put mail.
type world struct {
	*coretest.World
	t    testing.TB
	mb   core.Mailbox
	uid  uint32
	last []core.Letter // of the last command block
}

func newWorld(t testing.TB, change func(*core.Settings)) *world {
	t.Helper()
	w := &world{World: coretest.NewDesk(t, change), t: t}
	var err error
	if w.mb, err = w.OpenMailbox(t.Context(), "support", "INBOX", time.Time{}); err != nil {
		t.Fatal(err)
	}
	w.lease()
	return w
}

func (w *world) lease() {
	w.t.Helper()
	mb, ok, err := w.LeaseMailbox(context.Background(), w.mb.ID, "test", time.Hour)
	if err != nil || !ok {
		w.t.Fatalf("lease: %v %v", ok, err)
	}
	w.mb = mb
}

// mail is a mail in short; see fill for what is left out.
type mail struct {
	from, name, subject, text string
	to                        string
	id                        string
	inReplyTo                 string
	unverified                bool
	change                    func(*core.Mail)
}

// keep puts a mail into the ledger and returns it as mailin would.
func (w *world) keep(m mail) core.Mail {
	w.t.Helper()
	w.uid++
	raw := []byte(fmt.Sprintf("raw mail %d", w.uid))
	kept, err := w.Keep(context.Background(), w.mb, 7, []core.Incoming{{UIDValidity: 7, UID: w.uid, Received: w.Clock.Now(),
		Size: int64(len(raw)), Raw: io.NewSectionReader(bytes.NewReader(raw), 0, int64(len(raw)))}}, w.uid+1)
	if err != nil || len(kept) != 1 {
		w.t.Fatalf("keep: %d rows, %v", len(kept), err)
	}
	if m.to == "" {
		m.to = "support@desk.example"
	}
	if m.id == "" {
		m.id = fmt.Sprintf("%d@client.example", w.uid)
	}
	c := core.Mail{Ledger: kept[0].ID, Mailbox: "support", Received: w.Clock.Now(), Date: w.Clock.Now(), Size: int64(len(raw)),
		From: []core.Address{{Name: m.name, Address: m.from}}, To: []core.Address{{Address: m.to}}, Delivered: []string{m.to},
		Subject: m.subject, MessageID: m.id, Text: m.text, Reply: m.text,
		Hash:    sha256.Sum256([]byte(m.from + m.subject + m.text)),
		FromOrg: core.Address{Address: m.from}.Domain(), DKIM: core.CheckDone}
	if m.inReplyTo != "" {
		c.InReplyTo = []string{m.inReplyTo}
	}
	if !m.unverified {
		c.Signatures = []core.Signature{{Domain: c.FromOrg, Org: c.FromOrg, Valid: true, Covers: true}}
	}
	if m.change != nil {
		m.change(&c)
	}
	return c
}

// receive keeps and files a mail.
func (w *world) receive(m mail) core.Receipt {
	w.t.Helper()
	r, err := w.Receive(context.Background(), w.keep(m))
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// letters claims everything that is due, and says it was sent.
func (w *world) letters() []core.Letter {
	w.t.Helper()
	ctx := context.Background()
	letters, err := w.ClaimLetters(ctx, "sender", 100)
	if err != nil {
		w.t.Fatal(err)
	}
	var dots []core.Dotting
	var ends []core.Delivery
	for _, l := range letters {
		dots = append(dots, core.Dotting{ID: l.ID, Bytes: []byte("mail"), Envelope: l.Envelope})
		ends = append(ends, core.Delivery{ID: l.ID, Result: core.Accepted, Answer: "250 ok"})
	}
	if _, err := w.Settle(ctx, "sender", nil, dots); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.Settle(ctx, "sender", ends, nil); err != nil {
		w.t.Fatal(err)
	}
	return letters
}

// to finds the one letter of a kind to an address.
func to(t testing.TB, letters []core.Letter, address string, kind core.Kind) core.Letter {
	t.Helper()
	var found []core.Letter
	var all []string
	for _, l := range letters {
		all = append(all, fmt.Sprintf("%s to %s", l.Kind, l.To.Address))
		if l.To.Address == address && l.Kind == kind {
			found = append(found, l)
		}
	}
	if len(found) != 1 {
		t.Fatalf("want one %s to %s, have: %s", kind, address, strings.Join(all, ", "))
	}
	return found[0]
}

// The story of the main job, through the desk alone: a mail becomes a case, an
// agent answers, the customer closes by one word.
func TestReceive_aMailBecomesACaseAndIsAnsweredAndClosed(t *testing.T) {
	w := newWorld(t, nil)
	r := w.receive(mail{from: "anna@northwind.example", name: "Anna Berg", subject: "Printer on fire", text: "It burns."})
	if r.State != core.Filed || r.Outcome != "opens a case" {
		t.Fatalf("%+v", r)
	}
	letters := w.letters()
	confirmation := to(t, letters, "anna@northwind.example", core.Confirmation)
	if confirmation.Number != "CASE-10001" || confirmation.Payload.Title != "Printer on fire" || confirmation.InReplyTo != "1@client.example" {
		t.Errorf("confirmation %+v", confirmation)
	}
	notice := to(t, letters, "mia@desk.example", core.NoticeNew)
	to(t, letters, "tom@desk.example", core.NoticeNew)
	if notice.ReplyTo == notice.From.Address || notice.Internal == "" || notice.Text != "It burns." {
		t.Errorf("notice: reply to %s, internal %s, text %q", notice.ReplyTo, notice.Internal, notice.Text)
	}

	r = w.receive(mail{from: "mia@desk.example", subject: "Re: [CASE-10001] Printer on fire", text: "#status resolved\nUse water.",
		to: notice.ReplyTo, inReplyTo: notice.MessageID})
	if r.Outcome != "answers" {
		t.Fatalf("%+v", r)
	}
	letters = w.letters()
	answer := to(t, letters, "anna@northwind.example", core.Answer)
	if answer.Text != "Use water." || answer.Automatic || answer.Payload.Status != "Resolved" || !answer.Payload.Changed {
		t.Errorf("answer %+v", answer)
	}
	if len(answer.Payload.Links) != 3 || !strings.HasPrefix(answer.Payload.Links[0].URL, "http://desk.example/m/") {
		t.Errorf("links %+v", answer.Payload.Links)
	}
	to(t, letters, "mia@desk.example", core.Transcript)

	r = w.receive(mail{from: "anna@northwind.example", subject: "Re: [CASE-10001] Printer on fire", text: "Close.",
		to: answer.ReplyTo, inReplyTo: answer.MessageID})
	if r.Outcome != "joins and moves to closed" {
		t.Fatalf("%+v", r)
	}
	letters = w.letters()
	to(t, letters, "anna@northwind.example", core.StatusNews)
	to(t, letters, "mia@desk.example", core.NoticeStatus)
}

func TestReceive_olderMailThatSinceTakesInIsUnanswered(t *testing.T) {
	t.Run("R74/older mail that since takes in opens its case without a word to the customer", func(t *testing.T) {
		w := newWorld(t, nil)
		r := w.receive(mail{from: anna, subject: "Last year", text: "x", change: func(m *core.Mail) {
			m.Received = m.Received.Add(-300 * 24 * time.Hour)
		}})
		wants(t, r, core.Filed, "opens a case", "")
		if l := w.letters(); len(l) != 0 {
			t.Errorf("%s to %s", l[0].Kind, l[0].To.Address)
		}
	})
}
