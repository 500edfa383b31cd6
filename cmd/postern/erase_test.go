package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postern/core"
	"postern/core/coretest"
	"postern/mailin"
	"postern/mailin/mime"
)

// files a mail as the filer does.
func fileMail(t *testing.T, w *coretest.World, raw string) (int64, core.Receipt) {
	t.Helper()
	id := keep(t, w, raw)
	m, err := mailin.ParseContext(t.Context(), strings.NewReader(raw), int64(len(raw)), mime.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	m.Ledger, m.Mailbox, m.Received, m.Size = id, "support", w.Clock.Now(), int64(len(raw))
	r, err := w.Receive(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return id, r
}

func mailFrom(name, address, subject, text string, fields ...string) string {
	return fmt.Sprintf("From: %s <%s>\r\nTo: support@desk.example\r\nSubject: %s\r\nMessage-ID: <%x@client.example>\r\n%s\r\n%s\r\n",
		name, address, subject, subject+text, strings.Join(append(fields, ""), "\r\n"), text)
}

func TestErase_isRehearsedDoneAndKeptInMindOutsideTheDatabase(t *testing.T) {
	w, config := onDesk(t)
	raw := mailFrom("Anna Lind", "anna@northwind.example", "Violet", "It burns.")
	fileMail(t, w, raw)
	hashes := filepath.Join(filepath.Dir(config), "erased")
	run := func(words ...string) (int, string, string) {
		t.Helper()
		return typed(t, "", append(words, "--config", config)...)
	}
	t.Run("R66/without --yes nothing is changed", func(t *testing.T) {
		code, stdout, stderr := run("erase", "Anna@Northwind.example")
		must(t, code, stdout, stderr, "of anna@northwind.example would go", "1  mails in", "1  cases", "postern erase --yes anna@northwind.example does it")
		if _, err := os.Stat(hashes); err == nil {
			t.Error("hashes were written")
		}
		if m, err := w.LedgerRow(t.Context(), 1); err != nil || m.From != "anna@northwind.example" {
			t.Errorf("%+v, %v", m, err)
		}
	})
	t.Run("R66/a file of hashes that cannot be read stops it before it begins", func(t *testing.T) {
		if err := os.WriteFile(hashes, []byte("2026-11-03T10:00:00Z address 00\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, stderr := run("erase", "--yes", "anna@northwind.example")
		if code != failed || !strings.Contains(stderr, "erased:1: not a hash") {
			t.Errorf("got %d, %s", code, stderr)
		}
		if err := os.Remove(hashes); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("R66/with --yes it is done", func(t *testing.T) {
		code, stdout, stderr := run("erase", "--yes", "anna@northwind.example")
		must(t, code, stdout, stderr, "of anna@northwind.example is gone", "backups from before still hold it all")
		kept, err := os.ReadFile(hashes)
		if err != nil || strings.Count(string(kept), "\n") != 2 || bytes.Contains(kept, []byte("northwind")) {
			t.Errorf("%s, %v", kept, err)
		}
		if info, err := os.Stat(hashes); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
	})
	t.Run("R66/an address that is nobody's is said", func(t *testing.T) {
		code, _, stderr := run("erase", "anna@northwind.example")
		if code != failed || !strings.Contains(stderr, "anna@northwind.example is nobody's") {
			t.Errorf("got %d, %s", code, stderr)
		}
	})
	t.Run("R66/an agent is not erased", func(t *testing.T) {
		code, _, stderr := run("erase", "--yes", "mia@desk.example")
		if code != failed || !strings.Contains(stderr, "agent of desk support") {
			t.Errorf("got %d, %s", code, stderr)
		}
	})
	t.Run("R66/ledger restored erases again what came back with a backup", func(t *testing.T) {
		for _, sql := range []string{`delete from erased`, `insert into person (id, name) values (900, 'Anna Lind')`, `insert into address (address, person) values ('anna@northwind.example', 900)`,
			`update mailbox set lease_until = now() + interval '1 hour'`} {
			if _, err := w.DB.Exec(context.Background(), sql); err != nil {
				t.Fatal(err)
			}
		}
		code, _, stderr := run("ledger", "restored")
		if code != failed || !strings.Contains(stderr, "postern serve is running on this database") {
			t.Errorf("R8: with a live lease: %d, %s", code, stderr)
		}
		code, stdout, stderr := run("ledger", "restored", "--yes")
		must(t, code, stdout, stderr, "desk support: the next case is CASE-11002", "1 addresses were erased again", "1 folders are compared", "now start postern serve")
		if _, err := w.DB.Exec(context.Background(), `update mailbox set next_uid = 50`); err != nil { // the server numbers it anew
			t.Fatal(err)
		}
		if _, r := fileMail(t, w, raw); r.Outcome != "erased" {
			t.Errorf("the mail came back: %+v", r)
		}
	})
	t.Run("R8/and a second time only numbers are skipped", func(t *testing.T) {
		code, stdout, stderr := run("ledger", "restored", "--yes")
		must(t, code, stdout, stderr, "the next case is CASE-12002", "0 addresses were erased again")
	})
}

func TestLedger_endsHeldMailAndSaysWhatCannotBeDone(t *testing.T) {
	w, config := onDesk(t)
	list := "List-Id: <news.northwind.example>"
	var held []string
	for i := range 3 {
		raw := mailFrom("News", fmt.Sprintf("news%d@northwind.example", i), "News", "News.", list)
		id, r := fileMail(t, w, raw)
		if r.State != core.Held {
			t.Fatalf("%+v", r)
		}
		held = append(held, fmt.Sprint(id))
		if i == 0 {
			t.Run("R3/show --raw writes the mail byte for byte", func(t *testing.T) {
				code, stdout, stderr := typed(t, "", "ledger", "show", "--raw", held[0], "--config", config)
				if code != done || stdout != raw {
					t.Errorf("got %d, %q, %s", code, stdout, stderr)
				}
			})
		}
	}
	tooLarge := keep(t, w, mailFrom("Anna", "anna@northwind.example", "Large", "x"))
	filed, _ := fileMail(t, w, mailFrom("Anna", "anna@northwind.example", "Plain", "x"))
	for _, sql := range []string{`update ledger set state = 'held', reason = 'too-large', header_only = true where id = ` + fmt.Sprint(tooLarge)} {
		if _, err := w.DB.Exec(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name   string
		words  string
		code   int
		stdout []string
		stderr []string
	}{
		{"R3/a held mail says what may be typed", "ledger show " + held[0], done,
			[]string{"-> postern ledger release --agent ADDRESS " + held[0], "-> postern ledger refuse " + held[0], "R26"}, nil},
		{"R3/a mail too large to take says that too", fmt.Sprint("ledger show ", tooLarge), done, []string{"when it was answered where it lies"}, nil},
		{"R3/show --json tells all", "ledger show --json " + held[0], done, []string{`"state":"held"`, `"uidvalidity":1`, `"header_only":false`, `"ended":"2026-11-03T10:00:00Z"`, `"trace":[{"rule":"R26"`}, nil},
		{"R3/json and raw at once are wrong use", "ledger show --json --raw " + held[0], wrongUse, nil, []string{"not both"}},
		{"R3/several are released, and what cannot be does not stop the rest",
			fmt.Sprintf("ledger release --agent mia@desk.example %s 4711 %d %d %s", held[0], filed, tooLarge, held[1]), failed,
			[]string{"mail " + held[0] + " is released", "mail " + held[1] + " is released"},
			[]string{"mail 4711: there is no such mail in the ledger", fmt.Sprintf("mail %d: it is filed, not held or quarantined", filed), fmt.Sprintf("mail %d: its body was too large to take, it lies on the mail server", tooLarge)}},
		{"R3/nobody is released on the word of who is no agent", "ledger release --agent anna@northwind.example " + held[2], failed, nil, []string{"is no agent", "postern agent list"}},
		{"R3/a held mail is refused", "ledger refuse " + held[2], done, []string{"mail " + held[2] + " is refused; its bytes are kept"}, nil},
		{"R3/and not once more", "ledger refuse " + held[2], failed, nil, []string{"mail " + held[2] + ": it is refused, not held or quarantined"}},
		{"R3/a mail that is filed is not filed again", fmt.Sprint("ledger retry ", filed), failed, nil, []string{"it is filed, not quarantined"}},
		{"R3/no mail has no bytes", "ledger show --raw 4711", failed, nil, []string{"there are no bytes of mail 4711"}},
		{"R3/a word is no id", "ledger refuse all", wrongUse, nil, []string{`"all" is no id of a mail`}},
		{"R3/released mail waits to be filed", "ledger list --state stored --json", done, []string{`"id":` + held[0], `"id":` + held[1]}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := typed(t, "", append(strings.Fields(c.words), "--config", config)...)
			if code != c.code {
				t.Errorf("got %d\n%s%s", code, stdout, stderr)
			}
			for _, want := range c.stdout {
				if !strings.Contains(stdout, want) {
					t.Errorf("no %q in\n%s", want, stdout)
				}
			}
			for _, want := range c.stderr {
				if !strings.Contains(stderr, want) {
					t.Errorf("no %q in\n%s", want, stderr)
				}
			}
		})
	}
}
