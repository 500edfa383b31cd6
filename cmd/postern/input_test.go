package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"postern/core"
	"postern/core/localpg"
)

// scene is the desk on which bad mail comes in: with a case of Anna's, which
// Mia has answered, and one of a stranger whose mailbox is gone by now.
type scene struct {
	*desk
	number    string // of Anna's case
	confirmed letter // what Anna got
	noticed   letter // what Mia got
	gone      letter // what the stranger got
}

const (
	anna     = "Anna Berg <anna@northwind.example>"
	mia      = "Mia <mia@desk.example>"
	stranger = "vanished@gone.example"
)

func playScene(t *testing.T, open func(*testing.T) account) *scene {
	t.Helper()
	s := &scene{desk: newDesk(t, open)}
	s.sink.listen(t)
	s.serve()
	s.plus()
	s.box.put([]byte(s.signed(mailOf(anna, "Printer E-204", "It stops after three labels."))))
	s.number = s.filed(`l.subject = 'Printer E-204'`).Case
	s.box.put([]byte(mailOf(stranger, "Once", "Only once.")))
	s.filed(`l.subject = 'Once'`)
	s.settled()
	s.confirmed = s.sink.sentTo("anna@northwind.example")[0]
	s.noticed = s.sink.sentTo("mia@desk.example")[0]
	s.gone = s.sink.sentTo(stranger)[0]
	return s
}

// talk is all that the customer's side of Anna's case consists of, and where it
// stands.
func (s *scene) talk() string {
	return ask[string](s.desk, `
		select format('%s, %s comments, %s notes', c.status,
			(select count(*) from comment where case_id = c.id), (select count(*) from note where case_id = c.id))
		from cases c where 'CASE-' || c.number = $1`, s.number)
}

// deep nests a text in so many multiparts.
func deep(levels int) string {
	var b strings.Builder
	for i := range levels {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	b.WriteString("Content-Type: text/plain\r\n\r\nat the bottom\r\n")
	for i := levels - 1; i >= 0; i-- {
		fmt.Fprintf(&b, "--b%d--\r\n", i)
	}
	return b.String()
}

// bounceOf is what a mail server writes about a mail that it could not deliver.
func bounceOf(to, recipient, returned string) string {
	return "Return-Path: <>\r\n" + mailOf("Mail Delivery System <MAILER-DAEMON@mx.example>", "Undelivered Mail Returned to Sender", `--dsn
Content-Type: text/plain

I could not deliver your mail.
--dsn
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; `+recipient+`
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--dsn
Content-Type: text/rfc822-headers

Message-ID: <`+returned+`>
Subject: whatever

--dsn--`, "To: "+to, "Auto-Submitted: auto-replied", "MIME-Version: 1.0",
		"Content-Type: multipart/report; report-type=delivery-status; boundary=dsn")
}

// badMail is one kind of bad input. The mail carries the address bad@..., so
// that its row is found whatever its header holds.
type badMail struct {
	name string
	raw  func(*scene) string
	want string   // state, outcome, reason
	told []string // who gets mail of it, beside notices to agents
	then func(*testing.T, *scene, fileStory)
}

var opened = string(core.Filed) + ", opens a case, "

// title and text of the case that a mail opened.
func (s *scene) title(f fileStory) string {
	return ask[string](s.desk, `select title from cases where id = $1`, f.CaseID)
}
func (s *scene) text(f fileStory) string {
	return ask[string](s.desk, `select description from cases where id = $1`, f.CaseID)
}

func mentions(t *testing.T, what, text string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%s lacks %q: %q", what, want, text)
		}
	}
}

func lacks(t *testing.T, what, text string, unwanted ...string) {
	t.Helper()
	for _, not := range unwanted {
		if strings.Contains(text, not) {
			t.Errorf("%s holds %q: %q", what, not, text)
		}
	}
}

var badMails = []badMail{
	{"R7/a mail without a Message-ID opens a case",
		func(*scene) string { return mailOf("noid@one.example", "No id", "Help!", "Message-ID: -") },
		opened, []string{"confirmation to noid@one.example"},
		func(t *testing.T, s *scene, f fileStory) {
			got := s.sink.sentTo("noid@one.example")[0]
			mentions(t, "the confirmation", got.Subject, f.Case)
			if len(got.InReplyTo) > 0 {
				t.Errorf("it answers %q", got.InReplyTo)
			}
		}},
	{"R17/a mail without From is held",
		func(*scene) string { return mailOf("x@x.example", "No sender", "Who am I?", "From: -") },
		"held, held, from", nil, nil},
	{"R17/a mail with two authors is held",
		func(*scene) string {
			return mailOf("x@x.example", "Two", "We.", "From: one@two.example, other@two.example")
		},
		"held, held, from", nil, nil},
	{"R47/a mail without a subject opens a case titled by its text",
		func(*scene) string {
			return mailOf("nosubject@three.example", "", "The scanner hums.\nLoudly.", "Subject: -")
		},
		opened, []string{"confirmation to nosubject@three.example"},
		func(t *testing.T, s *scene, f fileStory) { mentions(t, "the title", s.title(f), "The scanner hums.") }},
	{"R51/a mail with an empty body opens a case",
		func(*scene) string { return mailOf("empty@four.example", "Nothing", "") },
		opened, []string{"confirmation to empty@four.example"},
		func(t *testing.T, s *scene, f fileStory) {
			if text := s.text(f); text != "" {
				t.Errorf("its text is %q", text)
			}
		}},
	{"R19/a mail with NUL and invalid UTF-8 opens a case in clean text",
		func(*scene) string {
			return mailOf("nul@five.example", "Bad \x00 \xc3\x28 \xff subject", "before\x00after \xc3\x28 \xff end",
				"MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit")
		},
		opened, []string{"confirmation to nul@five.example"},
		func(t *testing.T, s *scene, f fileStory) {
			title, text := s.title(f), s.text(f)
			mentions(t, "the title", title, "Bad ", "subject")
			mentions(t, "the text", text, "before", "after", " end")
			if !utf8.ValidString(title+text) || strings.ContainsRune(title+text, 0) {
				t.Errorf("not clean: %q, %q", title, text)
			}
		}},
	{"R20/a mail in an unknown charset opens a case that can be read",
		func(*scene) string {
			return mailOf("charset@six.example", "=?x-klingon?q?nuqneH?= all", "caf\xc3\xa9 costs", "MIME-Version: 1.0",
				"Content-Type: text/plain; charset=x-klingon", "Content-Transfer-Encoding: 8bit")
		},
		opened, []string{"confirmation to charset@six.example"},
		func(t *testing.T, s *scene, f fileStory) {
			mentions(t, "the title", s.title(f), "all")
			mentions(t, "the text", s.text(f), "café costs")
		}},
	{"R17/a mail in an unknown transfer encoding opens a case with a file",
		func(*scene) string {
			return mailOf("encoding@seven.example", "Packed", "01101000", "MIME-Version: 1.0",
				"Content-Type: text/plain", "Content-Transfer-Encoding: x-morse")
		},
		opened, []string{"confirmation to encoding@seven.example"},
		func(t *testing.T, s *scene, f fileStory) {
			if n := ask[int](s.desk, `select count(*) from file where case_id = $1 and blob is not null`, f.CaseID); n != 1 {
				t.Errorf("%d files", n)
			}
		}},
	{"R18/a mail without a closing boundary opens a case with text and file",
		func(*scene) string {
			return mailOf("open@eight.example", "Unclosed", `--x
Content-Type: text/plain

The text.
--x
Content-Type: application/pdf; name=a.pdf
Content-Disposition: attachment; filename=a.pdf
Content-Transfer-Encoding: base64

JVBERi0xLjQK`, "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=x")
		},
		opened, []string{"confirmation to open@eight.example"},
		func(t *testing.T, s *scene, f fileStory) {
			mentions(t, "the text", s.text(f), "The text.")
			if name := ask[string](s.desk, `select name from file where case_id = $1`, f.CaseID); name != "a.pdf" {
				t.Errorf("the file is %q", name)
			}
		}},
	{"R17/a mail nested 30 levels deep opens a case with one opaque file",
		func(*scene) string {
			return strings.TrimSuffix(mailOf("deep@nine.example", "Deep", "", "MIME-Version: 1.0"), "\r\n\r\n") + deep(30)
		},
		opened, []string{"confirmation to deep@nine.example"},
		func(t *testing.T, s *scene, f fileStory) {
			if n := ask[int](s.desk, `select count(*) from file where case_id = $1`, f.CaseID); n != 1 {
				t.Errorf("%d files", n)
			}
		}},
	{"R17/a mail of 60 MB is held, stays on the server and is told once",
		func(*scene) string {
			return mailOf("big@ten.example", "Big", strings.Repeat(strings.Repeat("x", 75)+"\n", 60<<20/76))
		},
		"held, held, too-large", []string{"too-large to big@ten.example"},
		func(t *testing.T, s *scene, f fileStory) {
			kept := ask[int64](s.desk, `select b.size from ledger l join blob b on b.id = l.blob where l.id = $1 and l.header_only and l.size > 60000000`, f.ID)
			if kept > 256<<10 {
				t.Errorf("%d bytes are kept", kept)
			}
			lacks(t, "the answer", string(s.sink.sentTo("big@ten.example")[0].raw), "CASE-")
		}},
	{"R54/a mail that is a bounce of ours is an event on its case",
		func(s *scene) string { return bounceOf(s.gone.envelope, stranger, s.gone.MessageID) },
		"filed, event: a bounce, ", nil,
		func(t *testing.T, s *scene, f fileStory) {
			if n := ask[int](s.desk, `select count(*) from event where case_id = $1 and kind = 'bounce' and internal`, f.CaseID); n != 1 {
				t.Errorf("%d events", n)
			}
			if ask[bool](s.desk, `select suppressed_at is null from address where address = $1`, stranger) {
				t.Error("the address still gets automatic mail")
			}
		}},
	{"R54/a mail that is a bounce of ours without its address is known by the Message-ID",
		func(s *scene) string { return bounceOf(service, stranger, s.gone.MessageID) },
		"filed, event: a bounce, ", nil, nil},
	{"R54/a mail that is a bounce of nothing is held",
		func(*scene) string { return bounceOf(service, "nobody@else.example", "unknown@else.example") },
		"held, held, bounce", nil, nil},
	{"R28/a mail that says out of office is an event on its case",
		func(s *scene) string {
			return s.signed(mailOf(anna, "Out of office: "+s.confirmed.Subject, "I am away. close", "Auto-Submitted: auto-replied",
				"In-Reply-To: <"+s.confirmed.MessageID+">", "To: "+s.confirmed.ReplyTo[0].Address))
		},
		"filed, event, ", nil,
		func(t *testing.T, s *scene, f fileStory) {
			if f.Case != s.number {
				t.Errorf("it went to %q", f.Case)
			}
		}},
	{"R26/a mail that says out of office to nothing is held",
		func(s *scene) string {
			return mailOf("away@twelve.example", "Abwesend", "Bin weg.", "Auto-Submitted: auto-replied")
		},
		"held, held, automatic", nil, nil},
	{"R26/a mail that is our own notice coming back is an event",
		func(s *scene) string { return "Return-Path: <mia@desk.example>\r\n" + string(s.noticed.raw) },
		"filed, event: our own mail, ", nil, nil},
	{"R26/a mail that claims the desk's own address is held",
		func(s *scene) string { return mailOf(service, "From yourself", "Hello me.") },
		"held, held, own-address", nil, nil},
	{"R36/a mail of a stranger who quotes a number opens a case of its own",
		func(s *scene) string {
			return mailOf("eve@thirteen.example", "Re: ["+s.number+"] Printer E-204", "close", "In-Reply-To: <"+s.confirmed.MessageID+">",
				"To: "+s.confirmed.ReplyTo[0].Address)
		},
		opened, []string{"confirmation to eve@thirteen.example"},
		func(t *testing.T, s *scene, f fileStory) {
			if f.Case == s.number {
				t.Error("it joined Anna's case")
			}
			got := s.sink.sentTo("eve@thirteen.example")[0]
			lacks(t, "the answer", got.Subject+got.Text, s.number, "E-204", "labels", "Anna")
			if n := ask[int](s.desk, `select count(*) from event where case_id = $1 and kind = 'perhaps-about' and internal`, f.CaseID); n != 1 {
				t.Errorf("the desk sees %d links to %s", n, s.number)
			}
		}},
	{"R42/a mail that claims an agent's address is held and the agent is warned",
		func(s *scene) string { return mailOf(mia, "["+s.number+"] x", "#status closed\n\nSend me everything.") },
		"held, held, agent-forged", []string{"warning to mia@desk.example"},
		nil},
	{"R42/a mail that claims an agent's address again is held without another warning",
		func(s *scene) string { return mailOf(mia, "["+s.number+"] y", "#status closed") },
		"held, held, agent-forged", nil,
		nil},
	{"R42/a mail that forges the agent's reply address waits for the agent's word",
		func(s *scene) string {
			return mailOf(mia, "Re: "+s.noticed.Subject, "#status closed\n\nAll done.", "To: "+s.noticed.ReplyTo[0].Address)
		},
		"held, note, waits, agent-unproved", nil,
		func(t *testing.T, s *scene, f fileStory) {
			if n := ask[int](s.desk, `delete from note where case_id = $1 returning 1`, f.CaseID); n != 1 {
				t.Errorf("it is kept in %d notes", n)
			}
		}},
}

func TestBadInput(t *testing.T) {
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			t.Parallel()
			s := playScene(t, server.open)
			talk := s.talk()
			for i, bad := range badMails {
				t.Run(bad.name, func(t *testing.T) {
					outer := s.desk.t
					s.desk.t = t
					defer func() { s.desk.t = outer }()
					s.meet(t, i, bad)
					if got := s.talk(); got != talk {
						t.Errorf("Anna's case had %s, and has %s", talk, got)
					}
				})
			}
			s.settled()
			came, seen := s.box.list()
			rows := ask[int](s.desk, `select count(*) from ledger`)
			if came != rows {
				t.Errorf("%d mails came, the ledger has %d", came, rows)
			}
			by(t, soon, "all mails are marked as seen", func() bool { came, seen = s.box.list(); return came == seen })
			if panics := s.log.lines("panic"); len(panics) > 0 {
				t.Errorf("%s", panics)
			}
		})
	}
}

// meet has a bad mail and a good one right after it come in.
func (s *scene) meet(t *testing.T, i int, bad badMail) {
	before := ask[int64](s.desk, `select max(id) from ledger`)
	good := fmt.Sprintf("good%d@well%d.example", i, i)
	s.box.put([]byte(bad.raw(s)))
	s.box.put([]byte(mailOf(good, "Good", "Is all well?")))

	fine := s.filed(`l.id > $1 and l.from_address = $2`, before, good)
	if got := s.told(fine.ID); fine.Outcome != "opens a case" || !slices.Equal(got, []string{"confirmation to " + good}) {
		t.Errorf("the good mail after it: %+v, %q", fine, got)
	}
	f := s.filed(`l.id > $1 and l.from_address <> $2`, before, good)
	if got := fmt.Sprintf("%s, %s, %s", f.State, f.Outcome, f.Reason); got != bad.want {
		t.Errorf("it ends as %q, wanted %q", got, bad.want)
	}
	if got := s.told(f.ID); !slices.Equal(got, bad.told) {
		t.Errorf("told were %q, wanted %q", got, bad.told)
	}
	row := "ledger=" + strconv.FormatInt(f.ID, 10) + " "
	lines := s.log.lines(row)
	if len(lines) != 1 || len(s.log.lines(row, `level=INFO msg="mail in"`, "fate="+f.State)) != 1 {
		t.Errorf("the log says %d lines of it:\n%s", len(lines), strings.Join(lines, "\n"))
	}
	if bad.then != nil && !t.Failed() {
		bad.then(t, s, f)
	}
}

func TestMailAgainIsADuplicate(t *testing.T) {
	t.Parallel()
	s := newDesk(t, memoryAccount)
	s.sink.listen(t)
	s.serve()
	for from, mail := range map[string]string{
		"twice@one.example": mailOf("twice@one.example", "Once", "Help!"),
		"noid@two.example":  mailOf("noid@two.example", "No id", "Help!", "Message-ID: -"),
	} {
		s.box.put([]byte(mail))
		first := s.filed(`l.from_address = $1`, from)
		s.box.put([]byte(mail))
		again := s.filed(`l.from_address = $1 and l.id > $2`, from, first.ID)
		if again.State != string(core.Duplicate) || again.Case != first.Case {
			t.Errorf("R5: it became %+v after %+v", again, first)
		}
		if told := s.told(again.ID); len(told) > 0 {
			t.Errorf("R5: told were %q", told)
		}
	}
}

// A day passes by the clocks of all rows: what was owed is owed since then.
const aDayPasses = `
	with l as (update ledger set received_at = received_at - '1 day'::interval, kept_at = kept_at - '1 day'::interval, due_at = due_at - '1 day'::interval),
		c as (update cases set opened_at = opened_at - '1 day'::interval, changed_at = changed_at - '1 day'::interval, status_at = status_at - '1 day'::interval),
		s as (update secret set made_at = made_at - '1 day'::interval, expires_at = expires_at - '1 day'::interval)
	update outbox set queued_at = queued_at - '1 day'::interval, due_at = due_at - '1 day'::interval, expires_at = expires_at - '1 day'::interval`

func TestSMTPAwayForADayLosesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t, memoryAccount)
	d.serve() // connections to the sink are refused
	const n = 20
	d.customers(0, n)
	by(t, soon, "all are filed", func() bool {
		return ask[int](d, `select count(*) from ledger where state = 'filed'`) == n
	})
	typedOK(t, d.config, "invite", "carla@fabrikam.example", "--organisation", "Fabrikam")
	by(t, soon, "the log says that the server is away", func() bool { return len(d.log.lines("level=WARN", "the server is away: sending pauses")) > 0 })
	for range 7 { // an invitation lives as long
		if _, err := d.db.Exec(context.Background(), aDayPasses); err != nil {
			t.Fatal(err)
		}
	}
	if n := ask[int](d, `select count(*) from outbox where tries > 0 or state not in ('queued', 'sending', 'withheld')`); n > 0 {
		t.Errorf("R60: a server that is away cost %d letters an attempt", n)
	}
	d.sink.listen(t)
	by(t, time.Minute, "all is sent, but for the invitation", func() bool {
		return ask[int](d, `select count(*) from outbox where state not in ('sent', 'withheld', 'expired')`) == 0
	})
	d.once(n)
	if state := ask[string](d, `select state from outbox where kind = 'invitation'`); state != "expired" {
		t.Errorf("R60: the invitation that came to its end meanwhile is %s", state)
	}
}

func TestPostgreSQLAwayWhileMailComesInLosesNothing(t *testing.T) {
	t.Parallel()
	dir := reachable(t)
	if err := os.Mkdir(filepath.Join(dir, "postgres"), 0o700); err != nil { // ours: it stays when PostgreSQL stops
		t.Fatal(err)
	}
	start := func() *localpg.Server {
		server, err := localpg.Start(t.Context(), localpg.Options{Dir: dir, Ephemeral: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { server.Stop() })
		return server
	}
	server := start()
	d := deskOn(t, server.URL(), dovecotAccount)
	d.sink.listen(t)
	typedOK(t, d.config, "agent", "add", "mia@desk.example", "--name", "Mia")
	d.serve()
	d.plus()
	d.customers(0, 8) // in the middle of these
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	d.customers(8, 16)
	by(t, soon, "the log says that the database is away", func() bool { return len(d.log.lines("level=WARN", "err=")) > 0 })
	before, seen := d.box.list()
	if before-seen < 8 {
		t.Errorf("R1: %d mails of %d are marked as seen, with nothing kept of the last 8", seen, before)
	}
	again := start()
	if again.URL() != server.URL() {
		t.Fatalf("the database moved to %s", again.URL())
	}
	d.connect()
	back := time.Now()
	by(t, time.Minute, "R65: all is filed and sent by itself", func() bool {
		return ask[int](d, `select count(*) from ledger where state = 'filed' and outcome = 'opens a case'`) == 16 &&
			ask[int](d, `select count(*) from outbox where state not in ('sent', 'withheld')`) == 0
	})
	t.Logf("after %v", time.Since(back))
	d.customers(16, 17)
	d.filed(`l.subject = 'Case 16'`)
	d.settled()
	d.once(17)
	if quarantined := balance(t, d.config)["quarantined"]; quarantined > 0 {
		t.Errorf("R10: %d mails were blamed for it", quarantined)
	}
}

func TestServeHoldSendsNothingAndALaterServeDoes(t *testing.T) {
	t.Parallel()
	d := newDesk(t, memoryAccount)
	d.sink.listen(t)
	stop := d.serve("--hold")
	d.customers(0, 3)
	by(t, soon, "all are filed", func() bool { return ask[int](d, `select count(*) from ledger where state = 'filed'`) == 3 })
	stop()
	if n := ask[int](d, `select count(*) from outbox where state <> 'queued'`); n > 0 || len(d.sink.letters) > 0 {
		t.Errorf("%d letters are not queued, %d went out", n, len(d.sink.letters))
	}
	d.serve()
	d.settled()
	d.once(3)
}

func TestSIGTERMFinishesWhatIsInHand(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dovecotAccount)
	d.sink.listen(t)
	release := make(chan struct{})
	d.sink.holdAnswers(release)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	serve := exec.Command(program, "serve", "--config", d.config)
	serve.Env = append(os.Environ(), "POSTERN_TEST_MAIN=yes")
	serve.Stderr = d.log
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- serve.Wait() }()
	t.Cleanup(func() { serve.Process.Kill() })
	by(t, soon, "a mail is with the server, all but its answer", func() bool { return len(d.sink.atDot) > 0 })
	d.customers(0, 4)
	by(t, soon, "all are filed", func() bool { return ask[int](d, `select count(*) from ledger where state = 'filed'`) == 4 })
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	by(t, soon, "the mailbox is let go", func() bool {
		return ask[bool](d, `select bool_and(lease_until < now()) from mailbox`)
	})
	select {
	case err := <-ended:
		t.Fatalf("R68: it ended (%v) with a mail in hand", err)
	default:
	}
	close(release)
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(soon):
		t.Fatal("R68: it does not end")
	}
	if len(d.log.lines("postern stopped")) != 1 {
		t.Error("the log does not say that it stopped")
	}
	if n := ask[int](d, `select count(*) from outbox where state in ('sending', 'dotted', 'uncertain') or tries > 0`); n > 0 {
		t.Errorf("R68: %d letters are left in the middle", n)
	}
	d.sink.holdAnswers(nil)
	d.serve()
	by(t, soon, "the probe's mail is in", func() bool { return ask[int](d, `select count(*) from ledger`) == 5 })
	d.settled()
	d.once(4)
}

func TestTwoGatewaysOnOneMailboxShareWithoutDoubling(t *testing.T) {
	t.Parallel()
	d := newDesk(t, dovecotAccount)
	d.sink.listen(t)
	stopFirst := d.serve()
	d.serve()
	d.plus()
	d.customers(0, 15)
	d.filed(`l.subject = 'Case 3'`)
	stopFirst() // in the middle of its work
	d.customers(15, 30)
	by(t, soon, "all are filed", func() bool { return ask[int](d, `select count(*) from ledger where outcome = 'opens a case'`) == 30 })
	d.settled()
	d.once(30)
	if n := ask[int](d, `select count(*) from ledger`); n != 31 {
		t.Errorf("30 mails and a probe are %d rows", n)
	}
}
