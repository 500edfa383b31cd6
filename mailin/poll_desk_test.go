package mailin

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"postern/core"
	"postern/core/coretest"
	"postern/mailin/mime"
)

// The whole way in on real parts: Dovecot, PostgreSQL, the real parser.
func TestPoll_mailBecomesCasesInTheDatabase(t *testing.T) {
	w := coretest.NewDesk(t, func(s *core.Settings) { s.Now = nil })
	d := coretest.StartDovecot(t, coretest.DovecotOptions{})
	s := &imapServer{t: t, addr: d.Addr()}
	p := poller(t, nil, s.settings())
	p.Desk, p.Processed, p.Since = w.Desk, "Processed", time.Now().Add(-time.Hour)
	p.Filer = &Filer{
		Desk: w.Desk, StateDir: t.TempDir(), Log: p.Log,
		Parse: func(ctx context.Context, r io.ReaderAt, size int64) (core.Mail, error) {
			return ParseContext(ctx, r, size, mime.DefaultLimits)
		},
	}
	const people, each = 25, 4
	var mails []string
	for n := range each {
		for i := range people {
			fields := ""
			if n > 0 {
				fields = fmt.Sprintf("In-Reply-To: <m0-%d@northwind.example>\r\n", i)
			}
			mails = append(mails, fmt.Sprintf("From: P%d <p%d@northwind.example>\r\nTo: support@desk.example\r\n"+
				"Subject: trouble %d\r\nMessage-ID: <m%d-%d@northwind.example>\r\nDate: %s\r\n%s\r\nText %d\r\n",
				i, i, i, n, i, time.Now().Format(time.RFC1123Z), fields, n))
		}
	}
	s.put("INBOX", time.Now(), nil, mails...)
	stop := running(t, p, p.Filer)
	count := func(sql string) (n int) {
		if err := w.DB.QueryRow(t.Context(), sql).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for deadline := time.Now().Add(60 * time.Second); count(`select count(*) from ledger where state = 'filed' and told`) < len(mails); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			rows, _ := w.DB.Query(t.Context(), `select state || ' ' || reason || ' ' || told from ledger`)
			for rows.Next() {
				var text string
				rows.Scan(&text)
				t.Log(text)
			}
			t.Fatal("not all mails are filed")
		}
	}
	stop()
	if cases, comments := count(`select count(*) from cases`), count(`select count(*) from comment`); cases != people || comments != people*(each-1) {
		t.Errorf("%d cases and %d comments of %d and %d", cases, comments, people, people*(each-1))
	}
	if n := count(`select count(*) from ledger where folder = 'Processed' and at_uid > 0`); n != len(mails) {
		t.Errorf("R8/of %d mails we know where they are", n)
	}
	if held := count(`select count(*) from mailbox where holder <> ''`); held != 0 {
		t.Error("R68/the lease was not released")
	}
}
