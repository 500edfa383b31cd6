package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/jackc/pgx/v5"
)

// exec changes a table, where no use case does.
func (d *desk) exec(query string, args ...any) {
	d.t.Helper()
	if _, err := d.db.Exec(context.Background(), query, args...); err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
}

// folders are what a test adds to the settings of a mailbox.
const folders = "processed = \"Processed\"\nquarantine = \"Quarantine\"\n[smtp]"

// settings changes the settings file.
func (d *desk) settings(old, new string) {
	d.t.Helper()
	raw, err := os.ReadFile(d.config)
	if err == nil {
		err = os.WriteFile(d.config, []byte(strings.Replace(string(raw), old, new, 1)), 0o600)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// putAt brings a mail into a folder with an INTERNALDATE.
func (a account) putAt(folder string, at time.Time, raw string) {
	a.t.Helper()
	c := a.login()
	defer c.Close()
	cmd := c.Append(folder, int64(len(raw)), &imap.AppendOptions{Time: at})
	_, err := cmd.Write([]byte(raw))
	if err == nil {
		err = cmd.Close()
	}
	if err == nil {
		_, err = cmd.Wait()
	}
	if err != nil {
		a.t.Fatal(err)
	}
}

// deleteIn takes the first mail of a folder away, as a person does.
func (a account) deleteIn(folder string) {
	a.t.Helper()
	c := a.login()
	defer c.Close()
	_, err := c.Select(folder, nil).Wait()
	if err == nil {
		err = c.Store(imap.SeqSetNum(1), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close()
	}
	if err == nil {
		err = c.Expunge().Close()
	}
	if err != nil {
		a.t.Fatal(err)
	}
}

// checked is what ledger check says.
func (d *desk) checked() (report, int) {
	d.t.Helper()
	code, stdout, stderr := typed(d.t, "", "ledger", "check", "--json", "--config", d.config)
	var r report
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		d.t.Fatal(err, stderr)
	}
	if r.Balanced != (code == done) || r.Balanced != (len(r.Problems) == 0) {
		d.t.Errorf("balanced %v, code %d, problems %q", r.Balanced, code, r.Problems)
	}
	return r, code
}

// folder is a line of a report.
func (r report) folder(name string) folderReport {
	for _, f := range r.Mailboxes[0].Folders {
		if f.Folder == name {
			return f
		}
	}
	return folderReport{}
}

func TestLedgerCheck(t *testing.T) {
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			d := newDesk(t, server.open)
			d.settings("[smtp]", folders)
			d.sink.listen(t)
			t.Run("R3/a mailbox that was never polled is said", func(t *testing.T) {
				r, code := d.checked()
				if code != failed || !strings.Contains(r.Problems[0], "INBOX was never polled") {
					t.Errorf("got %+v", r)
				}
			})
			d.box.putAt("INBOX", time.Now().Add(-48*time.Hour), mailOf("old@northwind.example", "old", "x"))
			stop := d.serve()
			d.customers(0, 3)
			for i := range 3 {
				d.filed(`l.subject = $1 and l.told`, fmt.Sprint("Case ", i))
			}
			stop()
			t.Run("R3/it balances, and mail from before the start does not count", func(t *testing.T) {
				r, _ := d.checked()
				in, processed := r.folder("INBOX"), r.folder("Processed")
				if !r.Balanced || in.Unknown+in.New+processed.Unknown > 0 || processed.Known < 3 || r.Received != int64(in.Known+processed.Known) || r.States["filed"] != r.Received {
					t.Errorf("got %+v", r)
				}
				text := typedOK(t, d.config, "ledger", "check")
				if !strings.Contains(text, "It balances: every mail on the servers is in the ledger") {
					t.Errorf("got %s", text)
				}
			})
			t.Run("R8/what a person removed is no fault", func(t *testing.T) {
				d.box.deleteIn("Processed")
				r, _ := d.checked()
				if !r.Balanced || r.folder("Processed").Removed != 1 {
					t.Errorf("got %+v", r)
				}
			})
			t.Run("R8/a mail that has just come is new", func(t *testing.T) {
				d.box.put([]byte(mailOf("new@northwind.example", "just now", "x")))
				r, _ := d.checked()
				if f := r.folder("INBOX"); !r.Balanced || f.New != 1 || f.Unknown != 0 {
					t.Errorf("got %+v", r)
				}
			})
			// the mailbox is one of long ago, and a mail was overlooked in each folder
			d.exec(`update mailbox set added_at = added_at - interval '40 days', polled_at = now() - interval '1 hour'`)
			ago := time.Now().Add(-36 * 24 * time.Hour)
			for _, folder := range []string{"INBOX", "Processed", "Quarantine"} {
				d.box.putAt(folder, ago, mailOf("lost@northwind.example", "lost in "+folder, "x "+folder))
			}
			t.Run("R8/a mail that the ledger does not have is named", func(t *testing.T) {
				r, code := d.checked()
				// INBOX has the old one too, which the start excluded before
				if code != failed || r.folder("INBOX").Unknown != 2 || r.folder("Processed").Unknown != 1 || r.folder("Quarantine").Unknown != 1 ||
					len(r.folder("INBOX").UnknownUIDs) != 2 || !strings.Contains(strings.Join(r.Problems, "\n"), "postern serve is not running for this mailbox") {
					t.Errorf("got %+v", r)
				}
			})
			t.Run("R8/serve then takes it in, wherever it lies, and it balances", func(t *testing.T) {
				stop := d.serve()
				for _, folder := range []string{"INBOX", "Processed", "Quarantine"} {
					if s := d.filed(`l.subject = $1`, "lost in "+folder); s.State != "filed" {
						t.Errorf("%s: %+v", folder, s)
					}
				}
				d.filed(`l.subject = 'old' and l.told`)
				d.filed(`l.subject = 'just now' and l.told`)
				by(t, soon, "it balances while serve runs", func() bool { r, _ := d.checked(); return r.Balanced })
				if n := ask[int](d, `select count(*) from outbox where address = 'lost@northwind.example' and automatic and state <> 'withheld'`); n != 0 {
					t.Errorf("R8: %d automatic mails for what was taken in late", n)
				}
				d.box.putAt("INBOX", ago, mailOf("list@northwind.example", "forgotten", "y", "List-Id: <l.northwind.example>"))
				d.filed(`l.subject = 'forgotten' and l.told`)
				d.exec(`delete from ledger where subject = 'forgotten'`)
				r, code := d.checked()
				if code != failed || r.folder("Quarantine").Unknown != 1 || !strings.Contains(r.Problems[0], "has been told to compare at its next poll") {
					t.Errorf("got %+v", r)
				}
				d.filed(`l.subject = 'forgotten'`)
				by(t, soon, "it balances again", func() bool { r, _ := d.checked(); return r.Balanced })
				stop()
			})
		})
	}
}

func TestLedgerCheck_namesWhatIsNotAtItsEnd(t *testing.T) {
	d := newDesk(t, memoryAccount)
	d.sink.listen(t)
	d.settings("[smtp]", `[mailbox.away]
addresses = ["away@desk.example"]
desk = "support"
host = "127.0.0.1"
port = 1
tls = "none"
user = "away"
password = "hunter2"
[smtp]`)
	stop := d.serve()
	d.customers(0, 1)
	d.filed(`l.subject = 'Case 0' and l.told`)
	d.settled()
	stop()
	t.Run("R3/one mailbox that cannot be reached does not keep the others from being checked", func(t *testing.T) {
		r, code := d.checked()
		if code != failed || len(r.Mailboxes) != 2 || r.folder("INBOX").Known == 0 || r.Mailboxes[1].Error == "" || len(r.Problems) != 1 ||
			!strings.Contains(r.Problems[0], "mailbox away could not be compared") {
			t.Errorf("got %+v", r)
		}
	})
	d.settings("[mailbox.away]", "#")
	d.settings("addresses = [\"away@desk.example\"]\ndesk = \"support\"\nhost = \"127.0.0.1\"\nport = 1\ntls = \"none\"\nuser = \"away\"\npassword = \"hunter2\"\n", "\n")
	t.Run("R3/a mail that is tried again is named with why, and is no fault", func(t *testing.T) {
		d.exec(`insert into ledger (mailbox, uidvalidity, uid, folder, at_validity, at_uid, received_at, kept_at, size, due_at, tries, reason)
			select min(id), 1, 4000000000, 'INBOX', 1, 0, now(), now() - interval '1 hour', 10, now() + interval '9 min', 3, 'reading took too long' from mailbox`)
		r, _ := d.checked()
		if !r.Balanced || len(r.Stored) != 1 || r.Stored[0].Tries != 3 || r.Stored[0].Reason != "reading took too long" {
			t.Errorf("got %+v", r)
		}
		if text := typedOK(t, d.config, "ledger", "check"); !strings.Contains(text, "3 tries") || !strings.Contains(text, "reading took too long") {
			t.Errorf("got %s", text)
		}
	})
	t.Run("R3/a mail that nobody files is a fault", func(t *testing.T) {
		d.exec(`update ledger set due_at = now() - interval '1 hour' where state = 'stored'`)
		if r, code := d.checked(); code != failed || !strings.Contains(r.Problems[0], "nobody files it") {
			t.Errorf("got %+v", r)
		}
		d.exec(`delete from ledger where state = 'stored'`)
	})
	t.Run("R3/letters that a person must know of are named, and are no fault", func(t *testing.T) {
		d.exec(`update outbox set state = 'failed', reason = '550 no such user' where id = (select min(id) from outbox)`)
		r, _ := d.checked()
		if !r.Balanced || len(r.Letters) != 1 || r.Letters[0].State != "failed" || r.Letters[0].Reason != "550 no such user" {
			t.Errorf("got %+v", r)
		}
	})
}

// backup copies the database to another, as it is now. Nothing serves it.
func (d *desk) backup() (url string) {
	d.t.Helper()
	ctx := context.Background()
	d.db.Close(ctx)
	config, err := pgx.ParseConfig(d.url)
	if err != nil {
		d.t.Fatal(err)
	}
	name := config.Database
	config.Database = "postgres"
	admin, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		d.t.Fatal(err)
	}
	defer admin.Close(ctx)
	// the desk that made it still has connections
	if _, err := admin.Exec(ctx, `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1`, name); err != nil {
		d.t.Fatal(err)
	}
	if _, err := admin.Exec(ctx, fmt.Sprintf(`create database %s_backup template %s`, name, name)); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		admin, err := pgx.ConnectConfig(context.Background(), config)
		if err != nil {
			return // the cluster is gone, and the database with it
		}
		defer admin.Close(context.Background())
		if _, err := admin.Exec(context.Background(), fmt.Sprintf(`drop database %s_backup with (force)`, name)); err != nil {
			d.t.Error(err)
		}
	})
	d.connect()
	return strings.Replace(d.url, "/"+name, "/"+name+"_backup", 1)
}

func TestLedgerRestored_nothingIsLostAndNoNumberGivenTwice(t *testing.T) {
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			d := newDesk(t, server.open)
			d.settings("[smtp]", folders)
			d.sink.listen(t)
			list := "List-Id: <news.northwind.example>"
			stop := d.serve()
			d.box.put([]byte(mailOf("one@northwind.example", "before", "x")))
			d.box.put([]byte(mailOf("news@northwind.example", "held before", "x", list)))
			first := d.filed(`l.subject = 'before' and l.told`)
			d.filed(`l.subject = 'held before' and l.told`)
			d.settled()
			stop()
			backup := d.backup()

			stop = d.serve()
			d.box.put([]byte(mailOf("two@northwind.example", "after", "x")))
			d.box.put([]byte(mailOf("more@northwind.example", "held after", "x", list)))
			told := d.filed(`l.subject = 'after' and l.told`)
			d.filed(`l.subject = 'held after' and l.told`)
			d.settled()
			stop()

			d.settings(fmt.Sprintf("%q", d.url), fmt.Sprintf("%q", backup))
			d.url = backup
			d.connect()
			if n := ask[int](d, `select count(*) from ledger where subject like '%after'`); n != 0 {
				t.Fatalf("the backup has %d of the mails that came later", n)
			}
			text := typedOK(t, d.config, "ledger", "restored")
			stop = d.serve()
			again := d.filed(`l.subject = 'after' and l.told`)
			held := d.filed(`l.subject = 'held after' and l.told`)
			t.Run("R8/mail that lies in Processed and Quarantine is taken in again", func(t *testing.T) {
				if again.State != "filed" || held.State != "held" {
					t.Errorf("%+v, %+v", again, held)
				}
			})
			t.Run("R8/a number that was told is never given twice", func(t *testing.T) {
				if again.Case == told.Case || !strings.Contains(text, "the next case is "+again.Case) {
					t.Errorf("%s was told, %s is given, after %s", told.Case, again.Case, text)
				}
			})
			t.Run("R8/what the backup had is not filed twice", func(t *testing.T) {
				by(t, soon, "it balances", func() bool { r, _ := d.checked(); return r.Balanced })
				if n := ask[int](d, `select count(*) from cases where title = 'before'`); n != 1 || first.Case == "" {
					t.Errorf("%d cases", n)
				}
				if n := ask[int](d, `select count(*) from ledger where subject in ('before', 'held before')`); n != 2 {
					t.Errorf("%d rows", n)
				}
			})
			stop()
		})
	}
}
