package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/jackc/pgx/v5"

	"postern/cmd/postern/demo"
	"postern/core"
	"postern/core/coretest"
	"postern/mailin"
	"postern/mailin/mime"
)

// TestMain is the program itself where a test starts one, to send it a signal.
func TestMain(m *testing.M) {
	if os.Getenv("POSTERN_TEST_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

// by waits for a fact, and fails if it does not come in time.
func by(t *testing.T, within time.Duration, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// soon is more than anything takes that needs no second try.
const soon = 30 * time.Second

// service is the address of the desk in these tests.
const service = "support@desk.example"

// account is the desk's mailbox on a real IMAP server.
type account struct {
	t              *testing.T
	addr, password string
	put            func(raw []byte) // mail arrives
}

// servers are those on which mail comes in.
var servers = []struct {
	name string
	open func(*testing.T) account
}{
	{"imapmemserver", memoryAccount},
	{"dovecot", dovecotAccount},
}

// memoryAccount is the demo world's mailbox: the in-memory server, which gives
// out a mail byte for byte however broken it is.
func memoryAccount(t *testing.T) account {
	t.Helper()
	const free = "127.0.0.1:0"
	world, err := demo.Start(t.Context(), demo.Options{StateDir: t.TempDir(), HTTPAddr: free, IMAPAddr: free, SMTPAddr: free, DNSAddr: free})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	a := account{t: t, addr: world.IMAPAddr(), password: "postern"}
	c := a.login()
	var one sync.Mutex
	a.put = func(raw []byte) {
		one.Lock()
		defer one.Unlock()
		cmd := c.Append("INBOX", int64(len(raw)), nil)
		_, err := cmd.Write(raw)
		if err == nil {
			err = cmd.Close()
		}
		if err == nil {
			_, err = cmd.Wait()
		}
		if err != nil {
			t.Errorf("append: %v", err)
		}
	}
	return a
}

// dovecotAccount takes mail as files in its Maildir, as a local delivery agent
// leaves them there.
func dovecotAccount(t *testing.T) account {
	t.Helper()
	d := coretest.StartDovecot(t, coretest.DovecotOptions{})
	a := account{t: t, addr: d.Addr(), password: "any"}
	a.list() // makes the folders
	var n atomic.Int64
	a.put = func(raw []byte) {
		name := fmt.Sprintf("%d.%06d.here", time.Now().Unix(), n.Add(1))
		half := filepath.Join(d.MailDir(service), "tmp", name)
		err := os.WriteFile(half, raw, 0o644)
		if err == nil {
			err = os.Rename(half, filepath.Join(d.MailDir(service), "new", name))
		}
		if err != nil {
			t.Errorf("deliver: %v", err)
		}
	}
	return a
}

func (a account) login() *imapclient.Client {
	a.t.Helper()
	c, err := imapclient.DialInsecure(a.addr, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { c.Close() })
	if err := c.Login(service, a.password).Wait(); err != nil {
		a.t.Fatal(err)
	}
	return c
}

// list is what stands in INBOX, and how much of it is marked as seen.
func (a account) list() (mails, seen int) {
	a.t.Helper()
	c := a.login()
	defer c.Close()
	selected, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		a.t.Fatal(err)
	}
	found, err := c.UIDSearch(&imap.SearchCriteria{Flag: []imap.Flag{imap.FlagSeen}}, nil).Wait()
	if err != nil {
		a.t.Fatal(err)
	}
	return int(selected.NumMessages), len(found.AllUIDs())
}

// letter is one mail that Postern sent.
type letter struct {
	core.Mail
	envelope string
	raw      []byte
}

// sink is an SMTP server that keeps what it takes. Mail for the desk itself
// goes back into its mailbox, as at any provider.
type sink struct {
	socket int // bound, and not listening while the sink is away
	port   int
	back   func(raw []byte)

	mu      sync.Mutex
	letters []letter
	hold    chan struct{}  // answers to the final dot wait for it, if not nil
	others  func(l letter) // what people and machines outside do with mail to them; may be nil
	atDot   chan struct{}  // told when a mail has come whole
}

// newSink takes a port and does not listen on it yet: connections are refused.
func newSink(t *testing.T, back func([]byte)) *sink {
	t.Helper()
	k := &sink{back: back, atDot: make(chan struct{}, 1000)}
	var err error
	if k.socket, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0); err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(k.socket)
	t.Cleanup(func() {
		if k.socket >= 0 {
			syscall.Close(k.socket)
		}
	})
	if err := syscall.Bind(k.socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	at, err := syscall.Getsockname(k.socket)
	if err != nil {
		t.Fatal(err)
	}
	k.port = at.(*syscall.SockaddrInet4).Port
	return k
}

// listen takes mail from now on, until the test ends.
func (k *sink) listen(t *testing.T) {
	t.Helper()
	if err := syscall.Listen(k.socket, 128); err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(k.socket), "sink")
	l, err := net.FileListener(file)
	k.socket = -1
	file.Close()
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &delivery{sink: k}, nil }))
	server.Domain, server.AllowInsecureAuth, server.EnableSMTPUTF8 = "mx.example", true, true
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		server.Serve(l)
	}()
	t.Cleanup(func() {
		server.Close()
		<-ended
	})
}

// holdAnswers keeps all further mails waiting for the answer to their dot until
// the channel is closed; nil: none waits.
func (k *sink) holdAnswers(until chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.hold = until
}

// delivery is one SMTP connection.
type delivery struct {
	*sink
	from string
	to   string
}

func (d *delivery) AuthMechanisms() []string { return []string{sasl.Plain} }
func (d *delivery) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, _, _ string) error { return nil }), nil
}
func (d *delivery) Mail(from string, _ *smtp.MailOptions) error { d.from = from; return nil }
func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error   { d.to = to; return nil }
func (d *delivery) Reset()                                      {}
func (d *delivery) Logout() error                               { return nil }

func (d *delivery) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	d.mu.Lock()
	hold := d.hold
	d.mu.Unlock()
	d.atDot <- struct{}{}
	if hold != nil {
		<-hold
	}
	m := mailin.Parse(bytes.NewReader(raw), int64(len(raw)), mime.DefaultLimits)
	d.mu.Lock()
	d.letters = append(d.letters, letter{m, d.from, raw})
	others := d.others
	d.mu.Unlock()
	if local, _, _ := strings.Cut(d.to, "@"); strings.HasPrefix(local, "support+") && d.back != nil {
		d.back(fmt.Appendf(nil, "Return-Path: <%s>\r\nDelivered-To: %s\r\n%s", d.from, d.to, raw))
	} else if others != nil {
		others(letter{m, d.from, raw})
	}
	return nil
}

// sentTo are the letters to one address, in the order in which they came.
func (k *sink) sentTo(address string) []letter {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []letter
	for _, l := range k.letters {
		if l.To[0].Address == address {
			all = append(all, l)
		}
	}
	return all
}

// copies says how often the letter with a Message-ID came.
func (k *sink) copies(id string) (n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, l := range k.letters {
		if l.MessageID == id {
			n++
		}
	}
	return n
}

// logBook is a log that is read while it is written.
type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// lines are those that hold all these words.
func (l *logBook) lines(words ...string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for line := range strings.Lines(l.text.String()) {
		line = strings.TrimSuffix(line, "\n")
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line+" ", w) }) {
			all = append(all, line)
		}
	}
	return all
}

// desk is everything around one gateway: a mailbox, an SMTP server, a DNS and a
// database.
type desk struct {
	t      *testing.T
	config string
	box    account
	sink   *sink
	db     *pgx.Conn
	url    string // of the database
	signer map[string]*demo.Signer
	log    *logBook
}

// newDesk makes a desk with Mia and Tom as agents, and with customers at
// northwind.example and fabrikam.example. Nothing serves it yet.
func newDesk(t *testing.T, open func(*testing.T) account) *desk {
	t.Helper()
	world := coretest.NewDesk(t, nil)
	return deskOn(t, world.URL, open)
}

// deskOn is newDesk on a database that has the desk already.
func deskOn(t *testing.T, url string, open func(*testing.T) account) *desk {
	t.Helper()
	d := &desk{t: t, box: open(t), url: url, log: &logBook{}, signer: map[string]*demo.Signer{}}
	d.sink = newSink(t, func(raw []byte) { d.box.put(raw) })
	d.connect()

	names := new(demo.DNS)
	if err := names.Serve("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { names.Close() })
	for _, domain := range []string{"northwind.example", "fabrikam.example", "desk.example"} {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if d.signer[domain], err = demo.NewSigner(domain, "test", key); err != nil {
			t.Fatal(err)
		}
		names.Set(d.signer[domain].Record())
	}

	dir := t.TempDir()
	host, port, err := net.SplitHostPort(d.box.addr)
	if err != nil {
		t.Fatal(err)
	}
	d.config = filepath.Join(dir, "postern.toml")
	text := fmt.Sprintf(`[instance]
base_url = "http://desk.example"
listen = "127.0.0.1:0"
state_dir = %q
dns = %q
[database]
url = %q
connections = 8
[mailbox.support]
addresses = [%q]
host = %q
port = %s
tls = "none"
user = %q
password = %q
[smtp]
host = "127.0.0.1"
port = %d
tls = "none"
[limits]
poll = "2s"
gather = "0s"
lease = "3s"
[desk.support]
file = "default.toml"
`, dir, names.Addr(), url, service, host, port, service, d.box.password, d.sink.port)
	for name, text := range map[string]string{"postern.toml": text, "secret": "a secret of tests, longer than thirty-two bytes"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what Postern said:\n%s", strings.Join(d.log.lines(), "\n"))
		}
	})
	return d
}

// connect opens the connection by which the test looks at tables.
func (d *desk) connect() {
	d.t.Helper()
	db, err := pgx.Connect(context.Background(), d.url)
	if err != nil {
		d.t.Fatal(err)
	}
	d.db = db
	d.t.Cleanup(func() { db.Close(context.Background()) })
}

// serve runs `postern serve` in this process. stop ends it as a signal does.
func (d *desk) serve(words ...string) (stop func()) {
	d.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"serve", "--config", d.config}, words...), environment(), nil, io.Discard, d.log)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if code := <-ended; code != done {
			d.t.Errorf("serve ended with %d", code)
		}
	})
	d.t.Cleanup(stop)
	by(d.t, soon, "the mailbox is polled", func() bool {
		select {
		case code := <-ended:
			ended <- code
			d.t.Fatalf("serve ended with %d", code)
		default:
		}
		return ask[int](d, `select count(*) from mailbox where polled_at is not null`) > 0
	})
	return stop
}

// plus waits until plus addresses are known to work, so that letters have them.
func (d *desk) plus() {
	d.t.Helper()
	by(d.t, soon, "the probe comes back", func() bool {
		return ask[int](d, `select count(*) from probe where back_at is not null`) > 0
	})
}

// ask reads one value from the database.
func ask[T any](d *desk, query string, args ...any) T {
	d.t.Helper()
	var v T
	if err := d.db.QueryRow(context.Background(), query, args...).Scan(&v); err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	return v
}

// askAll reads a column.
func askAll[T any](d *desk, query string, args ...any) []T {
	d.t.Helper()
	rows, _ := d.db.Query(context.Background(), query, args...)
	all, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	return all
}

// signed is a mail as its author's provider lets it out.
func (d *desk) signed(raw string) string {
	d.t.Helper()
	m := mailin.Parse(strings.NewReader(raw), int64(len(raw)), mime.DefaultLimits)
	out, err := d.signer[m.From[0].Domain()].Sign([]byte(raw))
	if err != nil {
		d.t.Fatal(err)
	}
	return string(out)
}

// mailOf writes a plain mail to the desk. More fields are whole lines.
func mailOf(from, subject, text string, more ...string) string {
	head := []string{
		"From: " + from, "To: " + service, "Subject: " + subject,
		"Date: " + time.Now().Format(time.RFC1123Z),
		"Message-ID: <" + strings.ToLower(rand.Text()) + "@elsewhere.example>",
	}
	for _, field := range more {
		name, _, _ := strings.Cut(field, ":")
		head = slices.DeleteFunc(head, func(h string) bool { return strings.HasPrefix(h, name+":") })
		if !strings.HasSuffix(field, ": -") { // no such field at all
			head = append(head, field)
		}
	}
	return strings.Join(head, "\r\n") + "\r\n\r\n" + strings.ReplaceAll(text, "\n", "\r\n") + "\r\n"
}

// fileStory is what became of one mail, as the ledger tells it.
type fileStory struct {
	ID      int64
	State   string
	Outcome string
	Reason  string
	Case    string // "CASE-10001"
	CaseID  int64
}

// filed waits until the mail with this subject is at its end.
func (d *desk) filed(where string, args ...any) fileStory {
	d.t.Helper()
	var s fileStory
	by(d.t, soon, "the mail is at its end", func() bool {
		rows, _ := d.db.Query(context.Background(), `
			select l.id, l.state, l.outcome, l.reason, coalesce('CASE-' || c.number, '') as "case", coalesce(c.id, 0) as case_id
			from ledger l left join cases c on c.id = l.case_id
			where l.state <> 'stored' and `+where+` order by l.id limit 1`, args...)
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[fileStory])
		if err != nil {
			d.t.Fatal(err)
		}
		if len(found) == 1 {
			s = found[0]
		}
		return len(found) == 1
	})
	return s
}

// told waits until everything that a mail caused has been sent, once, and lists
// what went to people outside the desk, and warnings.
func (d *desk) told(ledger int64) []string {
	d.t.Helper()
	const mine = ` from outbox where cause_kind = 'ledger' and cause_id = $1 and state <> 'withheld'`
	by(d.t, soon, "its letters are sent", func() bool {
		return ask[int](d, `select count(*) `+mine+` and state <> 'sent'`, ledger) == 0
	})
	for _, id := range askAll[string](d, `select message_id `+mine, ledger) {
		if n := d.sink.copies(id); n != 1 {
			d.t.Errorf("letter %s went out %d times", id, n)
		}
	}
	return askAll[string](d, `select kind || ' to ' || address `+mine+` and (not for_agent or kind = 'warning') order by 1`, ledger)
}

// settled waits until no mail and no letter is on its way.
func (d *desk) settled() {
	d.t.Helper()
	by(d.t, time.Minute, "everything is filed and sent", func() bool {
		return ask[int](d, `select (select count(*) from ledger where state = 'stored')
			+ (select count(*) from outbox where state not in ('sent', 'withheld'))`) == 0
	})
}

// once checks that each of n customers' mails became one case, and each letter
// went out once.
func (d *desk) once(n int) {
	d.t.Helper()
	if got := ask[int](d, `select count(*) from cases where title like 'Case %'`); got != n {
		d.t.Errorf("%d mails became %d cases", n, got)
	}
	for i := range n {
		address := fmt.Sprintf("customer%d@well%d.example", i, i)
		if got := len(d.sink.sentTo(address)); got != 1 {
			d.t.Errorf("%s got %d confirmations", address, got)
		}
	}
	seen := map[string]int{}
	d.sink.mu.Lock()
	for _, l := range d.sink.letters {
		seen[l.MessageID]++
	}
	d.sink.mu.Unlock()
	for id, copies := range seen {
		if copies != 1 {
			d.t.Errorf("letter %s went out %d times", id, copies)
		}
	}
	sent := ask[int](d, `select count(*) from outbox where state = 'sent'`)
	if sent != len(seen) {
		d.t.Errorf("%d letters count as sent, %d arrived", sent, len(seen))
	}
}

// customers put mails number from to n into the mailbox.
func (d *desk) customers(from, n int) {
	for i := from; i < n; i++ {
		d.box.put([]byte(mailOf(fmt.Sprintf("customer%d@well%d.example", i, i), "Case "+strconv.Itoa(i), "Help!")))
	}
}

// typedOK runs a command on the desk of a settings file.
func typedOK(t *testing.T, config string, words ...string) string {
	t.Helper()
	var out, wrong strings.Builder
	if code := run(t.Context(), append(words, "--config", config), environment(), nil, &out, &wrong); code != done {
		t.Fatalf("postern %s: %d, %s", strings.Join(words, " "), code, wrong.String())
	}
	return out.String()
}

// reachable is a folder that other users can enter; t.TempDir is closed to them.
func reachable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "postern-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// balance is the ledger as `postern ledger check` counts it.
func balance(t *testing.T, config string) map[string]int64 {
	t.Helper()
	_, stdout, stderr := typed(t, "", "ledger", "check", "--json", "--config", config)
	var counted report
	if err := json.Unmarshal([]byte(stdout), &counted); err != nil {
		t.Fatal(err, stderr)
	}
	return counted.States
}
