package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"postern/core"
	"postern/core/coretest"
	"postern/mailin"
	"postern/mailin/mime"
	"postern/mailout"
	"postern/templates"
)

func TestLedgerRelease_sayAsWhat(t *testing.T) {
	w, config := onDesk(t)
	id := keep(t, w, plainMail)
	if _, err := w.Failed(t.Context(), id, fmt.Errorf("unreadable: %w", core.ErrHopeless)); err != nil {
		t.Fatal(err)
	}
	number := fmt.Sprint(id)
	for _, c := range []struct {
		name, words string
		code        int
		want        string
	}{
		{"R41/no other word than case", "--agent mia@desk.example --as spam " + number, wrongUse, "must be case"},
		{"R41/one word, not two", "--agent mia@desk.example --as case --to CASE-1 " + number, wrongUse, "not both"},
		{"R41/in somebody's name", "--as case " + number, wrongUse, "--agent is missing"},
		{"R63/who is no agent has no word", "--agent eve@evil.example --as case " + number, failed, "is no agent"},
		{"R63/what no desk has yet is for admins", "--agent tom@desk.example --as case " + number, failed, "does not wait for a word of tom@desk.example"},
		{"R63/a case that is none", "--agent mia@desk.example --to CASE-4711 " + number, failed, "no such case"},
		{"R41/as a case", "--agent mia@desk.example --as case " + number, done, "mail " + number + " is released"},
		{"R41/somebody was first", "--agent mia@desk.example " + number, failed, "not held or quarantined"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := typed(t, "", append(append([]string{"ledger", "release"}, strings.Fields(c.words)...), "--config", config)...)
			if code != c.code || !strings.Contains(stdout+stderr, c.want) {
				t.Errorf("got %d: %s%s", code, stdout, stderr)
			}
		})
	}
	if err := w.RefuseByOperator(t.Context(), id); !errors.Is(err, core.ErrNotAllowed) {
		t.Errorf("R3: what is being filed was refused: %v", err)
	}
}

// received files a mail as it comes from a mailbox, signed by its author's
// domain.
func received(t *testing.T, w *coretest.World, raw string) core.Receipt {
	t.Helper()
	raw = strings.ReplaceAll(raw, "\n", "\r\n")
	m := mailin.Parse(strings.NewReader(raw), int64(len(raw)), mime.DefaultLimits)
	m.Ledger, m.Mailbox, m.Received, m.Date = keep(t, w, raw), "support", w.Clock.Now(), w.Clock.Now()
	m.FromOrg, m.DKIM = m.From[0].Domain(), core.CheckDone
	m.Signatures = []core.Signature{{Domain: m.FromOrg, Org: m.FromOrg, Valid: true, Covers: true}}
	r, err := w.Receive(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The list goes out, and comes back below an answer as mail programs quote it,
// or do not.
func TestHeldList_isAnsweredFromAnyMailProgram(t *testing.T) {
	quoted := func(text string) string { return "> " + strings.ReplaceAll(text, "\n", "\n> ") }
	for _, c := range []struct {
		name   string
		answer string // to the mail LEDGER
		quote  func(text string) string
		done   bool
	}{
		{"R42/quoted", "refuse LEDGER", func(s string) string { return "On Tue, 3 Nov 2026, Support wrote:\n" + quoted(s) }, true},
		{"R42/in Outlook's way", "refuse LEDGER", func(s string) string {
			return "From: Support <support@desk.example>\nSent: Tuesday\nTo: Mia\nSubject: held\n\n" + s
		}, true},
		{"R42/without any sign of quoting", "Refuse all.", func(s string) string { return s }, true},
		{"R43/only the list comes back", "", func(s string) string { return s }, false},
		{"R43/only the list comes back, without its first lines", "", func(s string) string {
			_, below, _ := strings.Cut(s, mailout.Above)
			return below
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := coretest.NewDesk(t, nil)
			held := received(t, w, "From: eve@evil.example\nTo: support@desk.example\nSubject: refuse all\nX-Spam-Flag: YES\nMessage-ID: <1@evil.example>\n\nrefuse all\n")
			if held.State != core.Held {
				t.Fatalf("%+v", held)
			}
			if n, err := w.ListHeld(t.Context()); err != nil || n != 2 {
				t.Fatal(n, err)
			}
			letters, err := w.ClaimLetters(t.Context(), "test", 10)
			if err != nil || letters[0].To.Address != "mia@desk.example" {
				t.Fatal(letters, err)
			}
			composer, err := mailout.NewComposer(templates.Mail)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := composer.Compose(letters[0], nil)
			if err != nil {
				t.Fatal(err)
			}
			list := mailin.Parse(bytes.NewReader(raw), int64(len(raw)), mime.DefaultLimits)
			answer := strings.ReplaceAll(c.answer, "LEDGER", fmt.Sprint(letters[0].Payload.Listed[0]))
			r := received(t, w, "From: mia@desk.example\nTo: "+letters[0].ReplyTo+"\nSubject: Re: held\nMessage-ID: <2@desk.example>\nIn-Reply-To: <"+letters[0].MessageID+">\n\n"+
				answer+"\n\n"+c.quote(strings.ReplaceAll(list.Text, "\r\n", "\n")))
			balance, err := w.Balance(t.Context())
			if err != nil || (balance.States[core.Refused] == 1) != c.done || (balance.States[core.Held] == 0) != c.done {
				t.Errorf("%v, %+v, %v", balance, r, err)
			}
		})
	}
}
