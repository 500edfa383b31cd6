package demo

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-msgauth/dkim"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/miekg/dns"
)

// start runs a world on free ports until the test ends.
func start(t *testing.T, dir string) *World {
	t.Helper()
	w, err := Start(t.Context(), options(dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return w
}

func options(dir string) Options {
	const free = "127.0.0.1:0"
	return Options{StateDir: dir, HTTPAddr: free, IMAPAddr: free, SMTPAddr: free, DNSAddr: free, DeskURL: "http://127.0.0.1:8080/"}
}

func person(t *testing.T, w *World, id string) player {
	t.Helper()
	p, ok := personByID(id)
	if !ok {
		t.Fatalf("nobody is called %s", id)
	}
	return w.player(p)
}

// login opens an IMAP connection as somebody.
func login(t *testing.T, w *World, address string) *imapclient.Client {
	t.Helper()
	c, err := imapclient.DialInsecure(w.IMAPAddr(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.Login(address, password).Wait(); err != nil {
		t.Fatal(err)
	}
	return c
}

// mails reads a whole mailbox without marking anything.
func mails(t *testing.T, c *imapclient.Client, mailbox string) []*imapclient.FetchMessageBuffer {
	t.Helper()
	selected, err := c.Select(mailbox, nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	if selected.NumMessages == 0 {
		return nil
	}
	all := imap.SeqSet{}
	all.AddRange(1, selected.NumMessages)
	found, err := c.Fetch(all, &imap.FetchOptions{
		UID: true, Flags: true, InternalDate: true, RFC822Size: true,
		BodySection: []*imap.FetchItemBodySection{{Peek: true}},
	}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func rawMail(from, to, subject string) []byte {
	return fmt.Appendf(nil, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%s@test>\r\n\r\nHello.\r\n",
		from, to, subject, time.Now().Format(time.RFC1123Z), rand.Text())
}

func submit(t *testing.T, w *World, as, from, to string, raw []byte) error {
	t.Helper()
	var who sasl.Client
	if as != "" {
		who = sasl.NewPlainClient("", as, password)
	}
	return deliver(t.Context(), w.SMTPAddr(), who, from, []string{to}, raw)
}

// resolver asks the world's own name server.
func resolver(w *World) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, w.DNSAddr())
	}}
}

func verified(t *testing.T, w *World, raw []byte) []*dkim.Verification {
	t.Helper()
	found, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) { return resolver(w).LookupTXT(t.Context(), name) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestSubmittedMailArrivesSignedForItsDomain(t *testing.T) {
	w := start(t, t.TempDir())
	raw := rawMail("Anna <anna@northwind.example>", serviceAddress, "A question")
	if err := submit(t, w, "anna@northwind.example", "anna@northwind.example", serviceAddress, raw); err != nil {
		t.Fatal(err)
	}
	arrived := mails(t, login(t, w, serviceAddress), inbox)
	if len(arrived) != 1 {
		t.Fatalf("the service mailbox has %d mails, want 1", len(arrived))
	}
	got := arrived[0].BodySection[0].Bytes
	if !bytes.HasSuffix(got, raw) {
		t.Errorf("the mail was changed on its way:\n%s", got)
	}
	for i, want := range []string{"Return-Path: <anna@northwind.example>", "Delivered-To: support@desk.example", "Received: from "} {
		if row := strings.Split(string(got), "\r\n")[i]; !strings.HasPrefix(row, want) {
			t.Errorf("line %d is %q, want %q", i+1, row, want)
		}
	}
	if arrived[0].RFC822Size != int64(len(got)) {
		t.Errorf("RFC822.SIZE is %d, the mail has %d bytes", arrived[0].RFC822Size, len(got))
	}
	v := verified(t, w, got)
	if len(v) != 1 || v[0].Err != nil || v[0].Domain != "northwind.example" {
		t.Fatalf("signatures: %+v", v)
	}
}

func TestOnlyTheProvidersOwnMailIsSigned(t *testing.T) {
	w := start(t, t.TempDir())
	tests := []struct{ name, as, from string }{
		{"a stranger who claims to be Mia", "", "Mia <mia@desk.example>"},
		{"Anna in the name of another domain", "anna@northwind.example", "Mia <mia@desk.example>"},
		{"Anna with a second author", "anna@northwind.example", "anna@northwind.example, mia@desk.example"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := submit(t, w, test.as, "x@stranger.example", "tom@desk.example", rawMail(test.from, "tom@desk.example", test.name)); err != nil {
				t.Fatal(err)
			}
			arrived := mails(t, login(t, w, "tom@desk.example"), inbox)
			last := arrived[len(arrived)-1].BodySection[0].Bytes
			if !bytes.Contains(last, []byte("Subject: "+test.name)) || bytes.Contains(last, []byte("DKIM-Signature:")) {
				t.Errorf("want the mail unsigned:\n%s", last)
			}
		})
	}
}

func TestAddressesAndSignIn(t *testing.T) {
	w := start(t, t.TempDir())
	raw := rawMail("bo@northwind.example", serviceAddress, "plus")
	if err := submit(t, w, "", "", "Support+AbC@desk.example", raw); err != nil {
		t.Fatal(err)
	}
	got := mails(t, login(t, w, serviceAddress), inbox)[0].BodySection[0].Bytes
	if !bytes.HasPrefix(got, []byte("Return-Path: <>\r\nDelivered-To: Support+AbC@desk.example\r\n")) {
		t.Errorf("the plus address or the null sender is lost:\n%s", got)
	}

	var refused *smtp.SMTPError
	err := submit(t, w, "", "", "nobody@desk.example", raw)
	if !errors.As(err, &refused) || refused.Code != 550 || refused.EnhancedCode != (smtp.EnhancedCode{5, 1, 1}) {
		t.Errorf("an unknown recipient got %v, want 550 5.1.1", err)
	}
	err = deliver(t.Context(), w.SMTPAddr(), sasl.NewPlainClient("", "anna@northwind.example", "wrong"), "", []string{serviceAddress}, raw)
	if !errors.As(err, &refused) || refused.Code != 535 {
		t.Errorf("a wrong password got %v, want 535", err)
	}
	c, err := imapclient.DialInsecure(w.IMAPAddr(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.Login("anna@northwind.example", "wrong").Wait(); err == nil {
		t.Error("IMAP let a wrong password in")
	}
}

func TestSecondStartHasTheSameMails(t *testing.T) {
	dir := t.TempDir()
	w := start(t, dir)
	for _, subject := range []string{"one", "two", "three", "four"} {
		if err := submit(t, w, "", "", "mia@desk.example", rawMail("a@b.example", "mia@desk.example", subject)); err != nil {
			t.Fatal(err)
		}
	}
	c := login(t, w, "mia@desk.example")
	before := mails(t, c, inbox)
	seen := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagSeen, imap.FlagFlagged, "$Forwarded"}}
	if err := c.Store(imap.UIDSetNum(before[0].UID), seen, nil).Close(); err != nil {
		t.Fatal(err)
	}
	moved, err := c.Move(imap.UIDSetNum(before[1].UID), "Trash").Wait()
	if err != nil {
		t.Fatal(err)
	}
	validity := mustSelect(t, c, inbox).UIDValidity
	if moved.UIDValidity != validity {
		t.Errorf("COPYUID says UIDVALIDITY %d, SELECT %d", moved.UIDValidity, validity)
	}
	if err := c.Create("Cases/Old & .. new", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Copy(imap.UIDSetNum(before[2].UID), "Cases/Old & .. new").Wait(); err != nil {
		t.Fatal(err)
	}
	deleted := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}
	if err := c.Store(imap.UIDSetNum(before[3].UID), deleted, nil).Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.UIDExpunge(imap.UIDSetNum(before[3].UID)).Close(); err != nil {
		t.Fatal(err)
	}
	type kept struct {
		mailbox, raw string
		flags        []imap.Flag
		arrived      time.Time
	}
	state := func(c *imapclient.Client) (all []kept) {
		for _, mailbox := range []string{inbox, "Trash", "Cases/Old & .. new"} {
			for _, m := range mails(t, c, mailbox) {
				slices.Sort(m.Flags)
				all = append(all, kept{mailbox, string(m.BodySection[0].Bytes), m.Flags, m.InternalDate.UTC()})
			}
		}
		return all
	}
	was := state(c)
	if len(was) != 4 {
		t.Fatalf("%d mails before the second start, want 4", len(was))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	again := start(t, dir)
	c = login(t, again, "mia@desk.example")
	is := state(c)
	if fmt.Sprint(is) != fmt.Sprint(was) {
		t.Errorf("after the second start:\n%v\nbefore:\n%v", is, was)
	}
	if next := mustSelect(t, c, inbox).UIDValidity; next <= validity {
		t.Errorf("UIDVALIDITY went from %d to %d: old UIDs would seem valid", validity, next)
	}
	// and the old keys still prove the old mail
	if err := submit(t, again, "tom@desk.example", "tom@desk.example", "mia@desk.example", rawMail("tom@desk.example", "mia@desk.example", "five")); err != nil {
		t.Fatal(err)
	}
	all := mails(t, c, inbox)
	if v := verified(t, again, all[len(all)-1].BodySection[0].Bytes); len(v) != 1 || v[0].Err != nil {
		t.Errorf("signatures after the second start: %+v", v)
	}
}

func mustSelect(t *testing.T, c *imapclient.Client, mailbox string) *imap.SelectData {
	t.Helper()
	data, err := c.Select(mailbox, nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestHalfWrittenAndAlienFilesArePassedOver(t *testing.T) {
	dir := t.TempDir()
	w := start(t, dir)
	if err := submit(t, w, "", "", "mia@desk.example", rawMail("a@b.example", "mia@desk.example", "whole")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "mail", "mia@desk.example", inbox)
	alien := []string{"half-123.tmp", "notes.txt", "00000007_20250101T000000Z_5000_.eml", "x_20250101T000000Z_1_.eml"}
	for _, name := range alien {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("From: cut@of"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	o := options(dir)
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	again, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	found := mails(t, login(t, again, "mia@desk.example"), inbox)
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 {
		t.Errorf("%d mails were read, want the whole one", len(found))
	}
	for _, name := range alien {
		if !strings.Contains(log.String(), name) {
			t.Errorf("the log does not name %s:\n%s", name, log.String())
		}
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			t.Errorf("%s was touched: %v", name, err)
		}
	}
}

// Some servers, and the memory server this one is built on, give nothing at
// all for a mail whose header they cannot parse.
func TestBrokenMailIsServedByteForByte(t *testing.T) {
	w := start(t, t.TempDir())
	broken := []string{
		"no colon in this line\r\nFrom: a@b.example\r\n\r\ntext\r\n",
		"Subject: no blank line and no end",
		"From: a@b.example\r\nSubject: \x00\xff\r\n\r\n\x00\xff\r\n",
		"\r\nonly a body\r\n",
	}
	for _, raw := range broken {
		if err := submit(t, w, "", "x@y.example", serviceAddress, []byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	arrived := mails(t, login(t, w, serviceAddress), inbox)
	if len(arrived) != len(broken) {
		t.Fatalf("%d mails arrived, want %d", len(arrived), len(broken))
	}
	for i, m := range arrived {
		got := m.BodySection[0].Bytes
		if want := strings.TrimSuffix(broken[i], "\r\n"); !strings.Contains(string(got), want) || m.RFC822Size != int64(len(got)) {
			t.Errorf("served %q, want it to hold %q", got, want)
		}
		readLetter(got) // does not panic
	}
}

func TestIdleHearsWhatCame(t *testing.T) {
	w := start(t, t.TempDir())
	news := make(chan uint32, 10)
	c, err := imapclient.DialInsecure(w.IMAPAddr(), &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: func(data *imapclient.UnilateralDataMailbox) {
			if data.NumMessages != nil {
				news <- *data.NumMessages
			}
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.Login(serviceAddress, password).Wait(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []imap.Cap{imap.CapIdle, imap.CapMove, imap.CapUIDPlus} {
		if !c.Caps().Has(want) {
			t.Errorf("%s is not offered", want)
		}
	}
	mustSelect(t, c, inbox)
	// this one comes between SELECT and IDLE
	if err := submit(t, w, "", "", serviceAddress, rawMail("a@b.example", serviceAddress, "before")); err != nil {
		t.Fatal(err)
	}
	idle, err := c.Idle()
	if err != nil {
		t.Fatal(err)
	}
	if n := <-news; n != 1 {
		t.Errorf("EXISTS %d, want 1", n)
	}
	if err := submit(t, w, "", "", serviceAddress, rawMail("a@b.example", serviceAddress, "during")); err != nil {
		t.Fatal(err)
	}
	if n := <-news; n != 2 {
		t.Errorf("EXISTS %d, want 2", n)
	}
	if err := idle.Close(); err != nil {
		t.Fatal(err)
	}
	if err := idle.Wait(); err != nil {
		t.Fatal(err)
	}
	// a MOVE of what is gone is no error and no lost connection
	if _, err := c.Move(imap.UIDSetNum(77), "Processed").Wait(); err != nil {
		t.Errorf("moving a UID that is gone: %v", err)
	}
	if _, err := c.Copy(imap.UIDSetNum(77), "Processed").Wait(); err != nil {
		t.Errorf("copying a UID that is gone: %v", err)
	}
	if _, err := c.Move(imap.UIDSetNum(1), "Nowhere").Wait(); err == nil {
		t.Error("a move into a missing folder succeeded")
	}
	if n := len(mails(t, c, inbox)); n != 2 {
		t.Errorf("%d mails are left, want 2", n)
	}
}

func TestStartSaysWhatToDo(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	addr := taken.Addr().String()
	notAFolder := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(notAFolder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"the IMAP port", func(o *Options) { o.IMAPAddr = addr }, "port " + addr + " is taken: stop the program that uses it, or choose another with --imap 127.0.0.1:PORT"},
		{"the SMTP port", func(o *Options) { o.SMTPAddr = addr }, "--smtp 127.0.0.1:PORT"},
		{"the page's port", func(o *Options) { o.HTTPAddr = addr }, "--http 127.0.0.1:PORT"},
		{"the DNS port", func(o *Options) { o.DNSAddr = addr }, "--dns 127.0.0.1:PORT"},
		{"the folder", func(o *Options) { o.StateDir = filepath.Join(notAFolder, "state") }, "cannot be written (not a directory): make it writable, or choose another with --state FOLDER"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := options(t.TempDir())
			test.change(&o)
			w, err := Start(t.Context(), o)
			if err == nil {
				_ = w.Close()
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("said %q, want %q", err, test.want)
			}
		})
	}
}

func TestRunStopsCleanly(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w, err := Start(ctx, options(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	login(t, w, "anna@northwind.example") // somebody is still there
	done := make(chan error)
	go func() { done <- w.Run(ctx) }()
	cancel()
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Errorf("a second close: %v", err)
	}
	for _, addr := range []string{w.IMAPAddr(), w.SMTPAddr(), w.DNSAddr(), w.webAddr} {
		if conn, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			_ = conn.Close()
			t.Errorf("%s still answers", addr)
		}
	}
}

func TestBannerIsTrue(t *testing.T) {
	w := start(t, t.TempDir())
	banner := w.Banner("http://127.0.0.1:8080/")
	for _, want := range []string{w.URL(), "http://127.0.0.1:8080/", w.IMAPAddr(), w.SMTPAddr(), password, serviceAddress, "Ctrl-C"} {
		if !strings.Contains(banner, want) {
			t.Errorf("%q is missing:\n%s", want, banner)
		}
	}
	for _, p := range w.People() {
		if !strings.Contains(banner, p.Address) {
			t.Errorf("%s is missing:\n%s", p.Address, banner)
		}
	}
}

func TestDNS(t *testing.T) {
	var d DNS
	long := "v=DKIM1; p=" + strings.Repeat("x", 700)
	d.Set("A._domainkey.Long.example", long)
	if err := d.Serve("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	d.Set("b._domainkey.late.example", "set while serving")
	ask := func(network, name string, kind uint16) *dns.Msg {
		t.Helper()
		q := new(dns.Msg)
		q.SetQuestion(dns.Fqdn(name), kind)
		a, _, err := (&dns.Client{Net: network}).Exchange(q, d.Addr())
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	text := func(a *dns.Msg) string {
		if len(a.Answer) != 1 {
			return ""
		}
		return strings.Join(a.Answer[0].(*dns.TXT).Txt, "")
	}
	if got := text(ask("udp", "B._DomainKey.late.example", dns.TypeTXT)); got != "set while serving" {
		t.Errorf("by UDP: %q", got)
	}
	if !ask("udp", "a._domainkey.long.example", dns.TypeTXT).Truncated {
		t.Error("a long answer by UDP is not marked as cut")
	}
	if got := text(ask("tcp", "a._domainkey.long.example", dns.TypeTXT)); got != long {
		t.Errorf("by TCP: %d bytes, want %d", len(got), len(long))
	}
	if got := ask("udp", "nothing.example", dns.TypeTXT).Rcode; got != dns.RcodeNameError {
		t.Errorf("an unknown name: %s, want NXDOMAIN", dns.RcodeToString[got])
	}
	if a := ask("udp", "b._domainkey.late.example", dns.TypeA); a.Rcode != dns.RcodeSuccess || len(a.Answer) != 0 {
		t.Errorf("another type of a known name: %v", a)
	}
	d.Set("b._domainkey.late.example")
	if got := ask("udp", "b._domainkey.late.example", dns.TypeTXT).Rcode; got != dns.RcodeNameError {
		t.Errorf("a forgotten name: %s, want NXDOMAIN", dns.RcodeToString[got])
	}
}

func TestSignerSignsWithBothKindsOfKey(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(s *Signer, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		signed, err := s.Sign(rawMail("a@signed.example", "b@c.example", "signed"))
		if err != nil {
			t.Fatal(err)
		}
		name, record := s.Record()
		found, err := dkim.VerifyWithOptions(bytes.NewReader(signed), &dkim.VerifyOptions{LookupTXT: func(asked string) ([]string, error) {
			if asked != name {
				t.Errorf("asked for %s, the record is %s", asked, name)
			}
			return []string{record}, nil
		}})
		if err != nil || len(found) != 1 || found[0].Err != nil {
			t.Errorf("verified: %+v, %v", found, err)
		}
	}
	sign(NewSigner("signed.example", "s1", rsaKey))
	sign(NewSigner("signed.example", "s1", edKey))
}

func TestFileNamesKeepWhatTheySay(t *testing.T) {
	f := file{number: 12, arrived: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), size: 99}
	for _, flags := range [][]imap.Flag{nil, {`\Seen`}, {`\Seen`, `\Answered`, `\Deleted`}, {"$Junk", "a+b", "x_y", "../up"}} {
		f.change(imap.StoreFlagsSet, flags)
		back, ok := parseFileName(f.name())
		if !ok || fmt.Sprint(back) != fmt.Sprint(f) {
			t.Errorf("%s became %v, %v", f.name(), back, ok)
		}
		if strings.ContainsAny(f.name(), "/\\") {
			t.Errorf("%s leaves its folder", f.name())
		}
	}
	for _, name := range []string{"", ".eml", "1_2_3_4.eml", "00000012_20260304T050607Z_99_S", "12_20260304T050607Z_99_S.eml"} {
		if _, ok := parseFileName(name); ok {
			t.Errorf("%q passed for one of ours", name)
		}
	}
	for _, mailbox := range []string{"INBOX", "..", ".", "a/b", "Entwürfe & mehr"} {
		folder := mailboxFolder(mailbox)
		back, err := folderMailbox(folder)
		if err != nil || back != mailbox || folder != filepath.Base(folder) || strings.HasPrefix(folder, ".") {
			t.Errorf("%q became %q, then %q, %v", mailbox, folder, back, err)
		}
	}
}
