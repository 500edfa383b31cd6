package core_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"postern/core"
)

const (
	anna = "anna@northwind.example" // a customer
	bob  = "bob@northwind.example"  // her colleague
	carl = "carl@fabrikam.example"  // a customer of another company
	eve  = "eve@evil.example"       // nobody
	mia  = "mia@desk.example"       // an agent, and admin
	tom  = "tom@desk.example"       // an agent
)

// opened is a case with the letters that its opening caused.
type opened struct {
	core.Receipt
	confirmation, mia, tom core.Letter
}

// opens receives a mail that opens a case.
func (w *world) opens(m mail) opened {
	w.t.Helper()
	if m.subject == "" {
		m.subject = "Printer on fire"
	}
	if m.text == "" {
		m.text = "It burns."
	}
	r := w.receive(m)
	if r.State != core.Filed || r.Outcome != "opens a case" {
		w.t.Fatalf("opens no case: %+v", r)
	}
	letters := w.letters()
	return opened{r, to(w.t, letters, m.from, core.Confirmation), to(w.t, letters, mia, core.NoticeNew), to(w.t, letters, tom, core.NoticeNew)}
}

// answers has Mia answer a case with a text, and returns the answer that the
// customer got.
func (w *world) answers(o opened, text string) core.Letter {
	w.t.Helper()
	r := w.receive(mail{from: mia, subject: "Re: " + o.Case, text: text, to: o.mia.ReplyTo, inReplyTo: o.mia.MessageID})
	if r.Outcome != "answers" {
		w.t.Fatalf("answers nothing: %+v", r)
	}
	return to(w.t, w.letters(), o.confirmation.To.Address, core.Answer)
}

// receiveOne files a mail that is kept, also once more.
func (w *world) receiveOne(m core.Mail) core.Receipt {
	w.t.Helper()
	r, err := w.Receive(context.Background(), m)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// wants checks what became of a mail.
func wants(t testing.TB, r core.Receipt, state core.State, outcome, reason string) {
	t.Helper()
	if r.State != state || r.Outcome != outcome || r.Reason != reason {
		t.Errorf("%s, %q, reason %q; want %s, %q, reason %q\n%v", r.State, r.Outcome, r.Reason, state, outcome, reason, r.Trace)
	}
}

// noneTo checks that no letter goes to an address.
func noneTo(t testing.TB, letters []core.Letter, addresses ...string) {
	t.Helper()
	for _, l := range letters {
		if slices.Contains(addresses, l.To.Address) {
			t.Errorf("%s to %s", l.Kind, l.To.Address)
		}
	}
}

// kinds are the letters of a kind, whoever gets them.
func kinds(letters []core.Letter, kind core.Kind) (found []core.Letter) {
	for _, l := range letters {
		if l.Kind == kind {
			found = append(found, l)
		}
	}
	return found
}

// count asks the tables for a number.
func (w *world) count(query string, args ...any) int64 {
	w.t.Helper()
	var n int64
	if err := w.DB.QueryRow(context.Background(), query, args...).Scan(&n); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// text asks the tables for a text.
func (w *world) text(query string, args ...any) string {
	w.t.Helper()
	var s string
	if err := w.DB.QueryRow(context.Background(), query, args...).Scan(&s); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	return s
}

// exec changes a table, where no use case does yet.
func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	if _, err := w.DB.Exec(context.Background(), query, args...); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
}

// status is a case's status.
func (w *world) status(o opened) string {
	w.t.Helper()
	return w.text(`select status from cases where id = $1`, o.CaseID)
}

// secret is the secret at the end of a letter's first one-time link.
func secret(t testing.TB, l core.Letter) string {
	t.Helper()
	if len(l.Payload.Links) == 0 {
		t.Fatalf("%s without a link", l.Kind)
	}
	return l.Payload.Links[0].URL[strings.LastIndexByte(l.Payload.Links[0].URL, '/')+1:]
}

// signsIn signs an address in, by the mailed link.
func (w *world) signsIn(address string) core.Viewer {
	w.t.Helper()
	v, _ := w.session(address)
	return v
}

func (w *world) session(address string) (core.Viewer, string) {
	w.t.Helper()
	ctx := context.Background()
	w.letters()
	if err := w.RequestSignIn(ctx, address, "nonce of "+address); err != nil {
		w.t.Fatal(err)
	}
	session, err := w.SignInByLink(ctx, secret(w.t, to(w.t, w.letters(), address, core.SignIn)), "nonce of "+address, "Firefox")
	if err != nil {
		w.t.Fatalf("sign %s in: %v", address, err)
	}
	v, err := w.Session(ctx, session)
	if err != nil {
		w.t.Fatal(err)
	}
	return v, session
}

// entries are the texts of a kind in a case, as a viewer sees them.
func (w *world) entries(v core.Viewer, number, kind string) (texts []string) {
	w.t.Helper()
	view, err := w.Case(context.Background(), v, number)
	if err != nil {
		w.t.Fatalf("case %s: %v", number, err)
	}
	for _, e := range view.Entries {
		if e.Kind == kind {
			texts = append(texts, e.Text)
		}
	}
	return texts
}
