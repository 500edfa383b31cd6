package coretest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"postern/core/coretest"
)

const mail = "From: anna@customer.example\r\nSubject: Printer\r\n\r\nIt is on fire.\r\n"

func TestStartDovecot_takesAndShowsMail(t *testing.T) {
	d := coretest.StartDovecot(t, coretest.DovecotOptions{})
	c := logIn(t, d, "support@example.org")
	appendMail(t, c, mail)
	if selected := choose(t, c, "INBOX"); selected.NumMessages != 1 {
		t.Errorf("INBOX holds %d mails", selected.NumMessages)
	}
	for _, wanted := range []imap.Cap{imap.CapMove, imap.CapUIDPlus, imap.CapIdle} {
		if !c.Caps().Has(wanted) {
			t.Errorf("no %s", wanted)
		}
	}
}

func TestStartDovecot_mailPutIntoTheMaildirArrives(t *testing.T) {
	d := coretest.StartDovecot(t, coretest.DovecotOptions{})
	c := logIn(t, d, "support@example.org")
	choose(t, c, "INBOX") // makes the folders
	file := filepath.Join(d.MailDir("support@example.org"), "new", "1.1.here")
	if err := os.WriteFile(file, []byte(mail), 0o644); err != nil {
		t.Fatal(err)
	}
	if selected := choose(t, c, "INBOX"); selected.NumMessages != 1 {
		t.Errorf("INBOX holds %d mails", selected.NumMessages)
	}
}

func TestStartDovecot_hidesWhatItIsTold(t *testing.T) {
	d := coretest.StartDovecot(t, coretest.DovecotOptions{Capabilities: "IMAP4rev1 LITERAL+"})
	c := logIn(t, d, "support")
	for _, hidden := range []imap.Cap{imap.CapMove, imap.CapUIDPlus, imap.CapIdle} {
		if c.Caps().Has(hidden) {
			t.Errorf("%s is still there", hidden)
		}
	}
}

func TestNewUIDValidity(t *testing.T) {
	d := coretest.StartDovecot(t, coretest.DovecotOptions{})
	c := logIn(t, d, "support")
	appendMail(t, c, mail)
	if err := c.Create("Done", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"INBOX", "Done"} {
		before := choose(t, c, folder)
		if err := c.Unselect().Wait(); err != nil {
			t.Fatal(err)
		}
		if err := d.NewUIDValidity("support", folder); err != nil {
			t.Fatal(err)
		}
		after := choose(t, logIn(t, d, "support"), folder)
		if before.UIDValidity == after.UIDValidity {
			t.Errorf("%s still has UIDVALIDITY %d", folder, after.UIDValidity)
		}
		if before.NumMessages != after.NumMessages {
			t.Errorf("%s had %d mails and has %d", folder, before.NumMessages, after.NumMessages)
		}
	}
}

func TestRunDovecot_stopLeavesNothingRunning(t *testing.T) {
	dir, err := os.MkdirTemp("", "dovecot-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	d, err := coretest.RunDovecot(dir, coretest.DovecotOptions{})
	if err != nil {
		t.Fatal(err)
	}
	logIn(t, d, "support") // a session with processes of its own
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(d.PID(), 0); err == nil {
		t.Errorf("process %d still runs", d.PID())
	}
	out, _ := exec.Command("ps", "-e", "-o", "args").Output() // without ps there is nothing to see
	if strings.Contains(string(out), dir) {
		t.Errorf("still running:\n%s", out)
	}
}

func logIn(t *testing.T, d *coretest.Dovecot, user string) *imapclient.Client {
	t.Helper()
	c, err := imapclient.DialInsecure(d.Addr(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Login(user, "any password").Wait(); err != nil {
		t.Fatal(err)
	}
	return c
}

func appendMail(t *testing.T, c *imapclient.Client, mail string) {
	t.Helper()
	a := c.Append("INBOX", int64(len(mail)), nil)
	if _, err := a.Write([]byte(mail)); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Wait(); err != nil {
		t.Fatal(err)
	}
}

func choose(t *testing.T, c *imapclient.Client, folder string) *imap.SelectData {
	t.Helper()
	selected, err := c.Select(folder, nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	return selected
}
