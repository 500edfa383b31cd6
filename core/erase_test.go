package core_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	pg "github.com/jackc/pgx/v5"

	"postern/core"
)

const (
	gone     = "anna.lindqvist@northwind.example"
	goneName = "Anna Lindqvist"
	goneText = "the violet ledger burns"
)

// kept files a mail whose raw bytes hold what it says.
func (w *world) kept(m mail) core.Receipt {
	w.t.Helper()
	c := w.keep(m)
	raw := fmt.Sprintf("From: %s <%s>\r\nSubject: %s\r\n\r\n%s\r\n", m.name, m.from, m.subject, m.text)
	w.exec(`update blob_chunk set bytes = $1 where blob = (select blob from ledger where id = $2)`, []byte(raw), c.Ledger)
	return w.receiveOne(c)
}

// brings adds a file to a mail.
func brings(name, content string) func(*core.Mail) {
	return func(m *core.Mail) {
		m.Files = append(m.Files, core.File{Name: name, Type: "text/plain", Size: int64(len(content)), SHA256: sha256.Sum256([]byte(content)),
			Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }})
	}
}

// holding are the columns of the whole database that hold a text, whatever its
// case: "table.column".
func (w *world) holding(text string) (found []string) {
	w.t.Helper()
	ctx := context.Background()
	rows, _ := w.DB.Query(ctx, `
		select c.table_name, c.column_name, c.udt_name from information_schema.columns c
		join information_schema.tables t using (table_schema, table_name)
		where c.table_schema = current_schema() and t.table_type = 'BASE TABLE'
			and c.udt_name not in ('int2', 'int4', 'int8', '_int8', 'bool', 'timestamptz', 'timestamp', 'float8', 'numeric')
		order by 1, 2`)
	columns, err := pg.CollectRows(rows, func(r pg.CollectableRow) (c [3]string, err error) { return c, r.Scan(&c[0], &c[1], &c[2]) })
	if err != nil {
		w.t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, c := range columns {
		kinds[c[2]] = true
		value := pg.Identifier{c[1]}.Sanitize() + "::text"
		if c[2] == "bytea" {
			value = "encode(" + pg.Identifier{c[1]}.Sanitize() + ", 'escape')"
		}
		if w.count(`select count(*) from `+pg.Identifier{c[0]}.Sanitize()+` where position(lower($1) in lower(`+value+`)) > 0`, text) > 0 {
			found = append(found, c[0]+"."+c[1])
		}
	}
	for _, want := range []string{"text", "_text", "jsonb", "bytea"} {
		if !kinds[want] {
			w.t.Errorf("no column of type %s was looked at", want)
		}
	}
	return found
}

// annasStory has a customer leave traces wherever one can.
func annasStory(w *world) (o opened, joined opened) {
	w.t.Helper()
	o = w.opens(mail{from: gone, name: goneName, subject: "Violet trouble", text: "Hello, " + goneText + ". " + goneName, id: "first@northwind.example", change: brings("violet.txt", goneText)})
	w.kept(mail{from: gone, name: goneName, subject: "Re: " + o.Case, text: "And " + goneText + " again.", to: o.confirmation.ReplyTo, inReplyTo: o.confirmation.MessageID,
		change: func(m *core.Mail) {
			brings("shared.txt", "we both have this")(m)
			m.HTML = "<p>And " + goneText + " again.</p>"
		}})
	// Mia answers, quotes, brings the same file and names her
	w.kept(mail{from: mia, subject: "Re: Violet trouble", text: "Dear " + goneName + ", we look at it.", to: o.mia.ReplyTo, inReplyTo: o.mia.MessageID,
		change: func(m *core.Mail) {
			brings("mine.txt", "we both have this")(m)
			m.Rest = "> " + goneText
			m.HTML = "<p>we look</p><blockquote>" + goneText + "</blockquote>"
		}})
	w.kept(mail{from: mia, subject: "Re: Violet trouble", text: "Note: " + goneName + " writes from " + strings.ToUpper(gone) + ".", to: o.mia.Internal, inReplyTo: o.mia.MessageID})
	// a bounce and an auto-reply, which name and quote her
	w.kept(mail{from: "mailer-daemon@northwind.example", subject: "Undelivered", text: "could not reach " + gone, to: o.confirmation.Envelope,
		change: func(m *core.Mail) {
			empty := ""
			m.Marks.ReturnPath, m.Marks.ReportType = &empty, "delivery-status"
			m.Report = &core.Report{ReturnedID: o.confirmation.MessageID, Recipients: []core.ReportRecipient{{Address: gone, Action: "failed", Status: "4.2.2", Diagnostic: "452 <" + gone + "> is full"}}}
		}})
	w.kept(mail{from: gone, name: goneName, subject: "Away", text: goneText + ", and I am away", to: o.confirmation.ReplyTo, inReplyTo: o.confirmation.MessageID,
		change: func(m *core.Mail) { m.Marks.AutoSubmitted = "auto-replied" }})
	// her colleague's case, on which she comments
	joined = w.opens(mail{from: bob, name: "Bob", subject: "Bob's matter", text: "Please ask " + goneName + " (" + gone + ")."})
	w.exec(`insert into participant (case_id, person, since) select $1, person, now() from address where address = $2`, joined.CaseID, gone)
	w.kept(mail{from: gone, name: goneName, subject: "Re: " + joined.Case, text: "Here " + goneText + " too."})
	// she was proposed for one case, and wants the mail of another elsewhere
	w.exec(`insert into proposal (case_id, address, name, made_at) values ($1, $2, $3, now())`, joined.CaseID, gone, goneName)
	w.exec(`insert into reply_to (case_id, person, address) select $1, person, 'violet.desk@northwind.example' from address where address = $2
		on conflict (case_id, person) do update set address = excluded.address`, o.CaseID, gone)
	// Mia splits a comment off, takes Anna out of Bob's case, reads and asks about her
	for _, block := range []string{"#split The other piece", "#history", "#type incident\n#note\n\nAsk " + goneName} {
		w.kept(mail{from: mia, subject: "Re: " + o.Case, text: block, to: o.mia.ReplyTo, inReplyTo: o.mia.MessageID})
	}
	w.kept(mail{from: mia, subject: "Re: " + joined.Case, text: "#cc remove " + gone, to: joined.mia.ReplyTo, inReplyTo: joined.mia.MessageID})
	w.kept(mail{from: mia, to: "support+command@desk.example", subject: "q", text: "search hall\nhistory " + o.Case + "\nlist open"})
	// a held mail, one that waits to be sent, a session
	w.kept(mail{from: gone, name: goneName, subject: "Violet list", text: goneText, change: func(m *core.Mail) { m.Marks.List = true }})
	w.signsIn(gone)
	w.letters()
	w.exec(`update outbox set bytes = convert_to('To: ' || address || ' Violet trouble ' || $1, 'UTF8')
		where case_id = any($2) or address = $3`, goneText, []int64{o.CaseID, joined.CaseID}, gone)
	w.kept(mail{from: gone, name: goneName, subject: "Violet second", text: goneText})
	return o, joined
}

func TestErase(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	o, joined := annasStory(w)
	needles := []string{gone, goneName, goneText, "violet"}
	for _, n := range needles {
		if len(w.holding(n)) < 4 {
			t.Fatalf("the story left too little of %q: %v", n, w.holding(n))
		}
	}
	before := w.everything()
	t.Run("R66/a rehearsal says what would go, and changes nothing", func(t *testing.T) {
		e, err := w.Erase(ctx, strings.ToUpper(gone), true)
		if err != nil || e.Addresses != 1 || e.Mails < 6 || e.Cases != 3 || e.Entries < 2 || e.Files != 2 || e.Letters < 3 || e.Secrets < 2 || e.Mentions == 0 {
			t.Errorf("%+v, %v", e, err)
		}
		if after := w.everything(); after != before {
			t.Errorf("%d rows were %d", after, before)
		}
	})
	t.Run("R66/who is an agent is not erased", func(t *testing.T) {
		if _, err := w.Erase(ctx, mia, false); err == nil || !strings.Contains(err.Error(), "agent of desk support") {
			t.Errorf("%v", err)
		}
	})
	t.Run("R66/nobody's address, an own one and none at all are said", func(t *testing.T) {
		if _, err := w.Erase(ctx, "nobody@nowhere.example", false); !errors.Is(err, core.ErrNobody) {
			t.Errorf("%v", err)
		}
		if _, err := w.Erase(ctx, "support@desk.example", false); err == nil || !strings.Contains(err.Error(), "of a mailbox") {
			t.Errorf("%v", err)
		}
		if _, err := w.Erase(ctx, "anna", false); err == nil || !strings.Contains(err.Error(), "no mail address") {
			t.Errorf("%v", err)
		}
	})
	t.Run("R66/nobody is erased while a mail of theirs is being sent", func(t *testing.T) {
		w.exec(`update outbox set state = 'sending' where id = (select max(id) from outbox where address = $1)`, gone)
		if _, err := w.Erase(ctx, gone, false); err == nil || !strings.Contains(err.Error(), "try again") {
			t.Errorf("%v", err)
		}
		w.exec(`update outbox set state = 'queued' where state = 'sending'`)
	})
	if _, err := w.Erase(ctx, gone, false); err != nil {
		t.Fatal(err)
	}
	t.Run("R66/neither address, name, text nor file is left in any column", func(t *testing.T) {
		for _, n := range append(needles, "first@northwind.example") {
			if found := w.holding(n); found != nil {
				t.Errorf("%q is left in %v", n, found)
			}
		}
	})
	t.Run("R66/what others wrote is left", func(t *testing.T) {
		v := w.signsIn(mia)
		if got := w.entries(v, o.Case, "comment"); !slices.Equal(got, []string{"", "Dear [erased], we look at it."}) {
			t.Errorf("%q", got)
		}
		if got := w.entries(v, joined.Case, "description"); !slices.Equal(got, []string{"Please ask [erased] ([erased])."}) {
			t.Errorf("%q", got)
		}
		if n := w.count(`select count(*) from comment where 'erased' = any(marks)`); n != 2 {
			t.Errorf("%d comments are marked", n)
		}
		if got := w.text(`select string_agg(name, ' ') from file`); got != "mine.txt" {
			t.Errorf("files %q", got)
		}
	})
	t.Run("R66/nothing is sent to them any more", func(t *testing.T) {
		w.Clock.Advance(time.Hour)
		for _, l := range w.letters() {
			if strings.Contains(l.To.Address, "erased") || l.To.Address == gone || l.To.Address == "" {
				t.Errorf("%s to %q", l.Kind, l.To.Address)
			}
		}
		if n := w.count(`select count(*) from session`) - w.count(`select count(*) from session s join agent g on g.person = s.person`); n != 0 {
			t.Errorf("%d sessions", n)
		}
	})
	t.Run("R66/the mail that still lies on the server does not come back", func(t *testing.T) {
		letters := w.count(`select count(*) from outbox`)
		r := w.kept(mail{from: gone, name: goneName, subject: "Violet trouble", text: "Hello, " + goneText + ". " + goneName, id: "first@northwind.example"})
		wants(t, r, core.Duplicate, "erased", "")
		for _, n := range needles {
			if found := w.holding(n); found != nil {
				t.Errorf("%q is back in %v", n, found)
			}
		}
		if n := w.count(`select count(*) from outbox`); n != letters {
			t.Errorf("%d letters for it", n-letters)
		}
	})
	t.Run("R66/a second time there is nobody to be erased", func(t *testing.T) {
		if _, err := w.Erase(ctx, gone, false); !errors.Is(err, core.ErrNobody) {
			t.Errorf("%v", err)
		}
	})
	t.Run("R66/who writes again is somebody new", func(t *testing.T) {
		if r := w.receive(mail{from: gone, name: goneName, subject: "New", text: "Here I am."}); r.Outcome != "opens a case" {
			t.Errorf("%+v", r)
		}
	})
}

func TestErase_ofSomebodyWhoseMailWasOnlyHeld(t *testing.T) {
	w := newWorld(t, nil)
	r := w.kept(mail{from: eve, name: "Eve Unknown", subject: "list", text: "violet", unverified: true, change: func(m *core.Mail) { m.Marks.List = true }})
	wants(t, r, core.Held, "held", "bulk")
	t.Run("R66/a held mail is erased with its writer", func(t *testing.T) {
		if _, err := w.Erase(t.Context(), eve, false); err != nil {
			t.Fatal(err)
		}
		for _, n := range []string{eve, "violet"} {
			if found := w.holding(n); found != nil {
				t.Errorf("%q is left in %v", n, found)
			}
		}
		if got := w.text(`select state || ' ' || reason from ledger`); got != "refused erased" {
			t.Errorf("the row is %s", got)
		}
	})
}

// dump is the whole database as a backup would have it.
func (w *world) dump() (restore func()) {
	w.t.Helper()
	ctx := context.Background()
	rows, _ := w.DB.Query(ctx, `select table_name from information_schema.tables where table_schema = current_schema() and table_type = 'BASE TABLE' and table_name <> 'goose_db_version'`)
	tables, err := pg.CollectRows(rows, pg.RowTo[string])
	if err != nil {
		w.t.Fatal(err)
	}
	saved := map[string]*bytes.Buffer{}
	for _, table := range tables {
		saved[table] = new(bytes.Buffer)
		if _, err := w.DB.PgConn().CopyTo(ctx, saved[table], `copy "`+table+`" to stdout (format binary)`); err != nil {
			w.t.Fatal(err)
		}
	}
	return func() {
		w.t.Helper()
		w.exec(`set session_replication_role = replica`) // as pg_restore --disable-triggers
		for table, rows := range saved {
			w.exec(`delete from "` + table + `"`)
			if _, err := w.DB.PgConn().CopyFrom(ctx, rows, `copy "`+table+`" from stdin (format binary)`); err != nil {
				w.t.Fatal(err)
			}
		}
		w.exec(`set session_replication_role = origin`)
	}
}

func TestRestored(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	if _, err := w.Erase(ctx, w.opens(mail{from: carl, name: "Carl"}).confirmation.To.Address, false); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Hour)
	carls := w.opens(mail{from: carl, name: "Carl", text: "I am back."}) // erased before the backup, and back
	o, _ := annasStory(w)
	restore := w.dump()
	w.Clock.Advance(time.Hour)
	late := mail{from: gone, name: goneName, subject: "Late", text: goneText + " late", id: "late@northwind.example"}
	w.kept(late)
	if _, err := w.Erase(ctx, gone, false); err != nil {
		t.Fatal(err)
	}
	w.letters()
	last := w.opens(mail{from: bob, subject: "after the backup"})
	kept, err := w.ErasedHashes(ctx)
	if err != nil || len(kept) < 5 {
		t.Fatal(kept, err)
	}
	restore()
	w.exec(`select setval('case_number_1', $1)`, w.count(`select max(number) from cases`))
	w.lease()
	if w.holding(gone) == nil {
		t.Fatal("the backup brought nothing back")
	}
	t.Run("R8/not while a process serves the database", func(t *testing.T) {
		if _, err := w.Restored(ctx, kept, false); !errors.Is(err, core.ErrServed) {
			t.Errorf("%v", err)
		}
	})
	r, err := w.Restored(ctx, kept, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("R66/who was erased since the backup is erased again", func(t *testing.T) {
		if !slices.Equal(r.Erased, []string{gone}) || r.Hashes == 0 {
			t.Errorf("%+v", r)
		}
		for _, n := range []string{gone, goneText} {
			if found := w.holding(n); found != nil {
				t.Errorf("%q is left in %v", n, found)
			}
		}
	})
	t.Run("R66/nor does a mail come back that the backup did not have", func(t *testing.T) {
		w.lease()
		wants(t, w.kept(late), core.Duplicate, "erased", "")
	})
	t.Run("R66/who came back before it is not", func(t *testing.T) {
		if w.holding(carl) == nil || w.text(`select description from cases where id = $1`, carls.CaseID) != "I am back." {
			t.Error("erased")
		}
	})
	t.Run("R8/no number is given twice", func(t *testing.T) {
		w.lease()
		w.letters()
		next := w.opens(mail{from: bob, subject: "after the restore"})
		if next.Case == last.Case || next.Case != r.Numbers["support"] {
			t.Errorf("%s after %s, told was %s", next.Case, last.Case, r.Numbers["support"])
		}
		if number := w.count(`select number from cases where id = $1`, next.CaseID); number <= w.count(`select number from cases where id = $1`, o.CaseID)+1000 {
			t.Errorf("number %d", number)
		}
	})
	t.Run("R8/every mailbox is compared from its start on", func(t *testing.T) {
		if r.Boxes != 1 {
			t.Errorf("%+v", r)
		}
		var again core.Mailbox
		if _, err := w.Restored(ctx, kept, true); err != nil {
			t.Fatal(err)
		}
		boxes, err := w.MailboxesOf(ctx, "support")
		if err == nil {
			again = boxes[0].Mailbox
		}
		if err != nil || again.UIDValidity != 0 || again.NextUID != 1 || boxes[0].Held || again.Epoch <= w.mb.Epoch {
			t.Errorf("%+v, %v", boxes, err)
		}
	})
	t.Run("R8/a second call costs a thousand numbers and nothing else", func(t *testing.T) {
		w.lease()
		before := w.everything()
		second, err := w.Restored(ctx, kept, true)
		if err != nil || second.Erased != nil || second.Hashes != 0 || w.everything() != before {
			t.Errorf("%+v, %v", second, err)
		}
	})
}
