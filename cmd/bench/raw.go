package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // texts are converted to UTF-8, as Postern's are
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
)

// The raw pipeline is the yardstick: what the same work costs without a single
// rule. It is a process of its own, on the same kind of mailbox, database and
// sink as Postern:
//
//	one connection   FETCH in batches of 50 mails and 8 MiB, one at a time
//	8 workers        parse everything with go-message; one transaction a mail:
//	                 the raw bytes and five rows, those of mails out among them
//	16 senders       kept connections; claims in batches; one commit a mail: its
//	                 `dotted` with the `sent` of the one before (R58)

const (
	rawWorkers = 8
	rawSenders = 16
	claimMost  = 64
)

// rawOrder is what the process is told on its standard input.
type rawOrder struct {
	Database string
	IMAP     string
	User     string
	SMTP     string
	Mails    int
	Out      int  // mails to be sent in all
	Ready    bool // they wait in the table of letters, with their bytes: nothing is fetched
}

// rawDone is its answer.
type rawDone struct {
	Began, Ended time.Time
}

// runRaw is that process.
func runRaw(ctx context.Context, in io.Reader, out io.Writer) error {
	var o rawOrder
	if err := json.NewDecoder(in).Decode(&o); err != nil {
		return err
	}
	config, err := pgxpool.ParseConfig(o.Database)
	if err != nil {
		return err
	}
	config.MaxConns = rawWorkers + rawSenders + 1
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	defer pool.Close()
	done := rawDone{Began: time.Now()}
	if err := (&raw{rawOrder: o, pool: pool, filed: make(chan struct{}, 1)}).run(ctx); err != nil {
		return err
	}
	done.Ended = time.Now()
	return json.NewEncoder(out).Encode(done)
}

type raw struct {
	rawOrder
	pool  *pgxpool.Pool
	filed chan struct{} // mails out were written
}

func (r *raw) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	if r.Ready {
		r.sendAll(ctx, group)
		return group.Wait()
	}
	mails := make(chan rawMail, 50)
	group.Go(func() error {
		defer close(mails)
		return r.fetch(ctx, mails)
	})
	for range rawWorkers {
		group.Go(func() error {
			for m := range mails {
				if err := r.file(ctx, m); err != nil {
					return err
				}
			}
			return nil
		})
	}
	r.sendAll(ctx, group)
	return group.Wait()
}

// sendAll starts the senders.
func (r *raw) sendAll(ctx context.Context, group *errgroup.Group) {
	letters := make(chan rawLetter, claimMost)
	group.Go(func() error {
		defer close(letters)
		return r.claim(ctx, letters)
	})
	for range rawSenders {
		group.Go(func() error { return r.send(ctx, letters) })
	}
}

type rawMail struct {
	uid   uint32
	bytes []byte
}

func (r *raw) fetch(ctx context.Context, mails chan<- rawMail) error {
	conn, err := net.Dial("tcp", r.IMAP)
	if err != nil {
		return err
	}
	c := imapclient.New(conn, nil)
	defer c.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := c.Login(r.User, "any").Wait(); err != nil {
		return err
	}
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		return err
	}
	var everything imap.UIDSet
	everything.AddRange(1, 0)
	heads, err := c.Fetch(everything, &imap.FetchOptions{UID: true, RFC822Size: true}).Collect()
	if err != nil {
		return err
	}
	for len(heads) > 0 {
		var batch imap.UIDSet
		n, bytes := 0, int64(0)
		for n < len(heads) && n < 50 && (n == 0 || bytes+heads[n].RFC822Size <= 8<<20) {
			batch.AddNum(heads[n].UID)
			bytes += heads[n].RFC822Size
			n++
		}
		if err := fetchBatch(ctx, c, batch, mails); err != nil {
			return err
		}
		heads = heads[n:]
	}
	return nil
}

func fetchBatch(ctx context.Context, c *imapclient.Client, uids imap.UIDSet, mails chan<- rawMail) error {
	whole := &imap.FetchItemBodySection{Peek: true}
	cmd := c.Fetch(uids, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{whole}})
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		var m rawMail
		for item := msg.Next(); item != nil; item = msg.Next() {
			switch item := item.(type) {
			case imapclient.FetchItemDataUID:
				m.uid = uint32(item.UID)
			case imapclient.FetchItemDataBodySection:
				m.bytes = make([]byte, item.Literal.Size())
				if _, err := io.ReadFull(item.Literal, m.bytes); err != nil {
					return err
				}
			}
		}
		if m.bytes == nil {
			continue // flags
		}
		select {
		case mails <- m:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return cmd.Close()
}

const rawTables = `
create table mail (uid bigint primary key, raw bytea not null);
alter table mail alter raw set storage external;
create table item (mail bigint not null references mail, title text not null, primary key (mail));
create table entry (id bigint generated always as identity primary key, mail bigint not null references mail, author text not null, body text not null);
create table happening (id bigint generated always as identity primary key, mail bigint not null references mail, kind text not null, at timestamptz not null);
create table letter (
	id bigint generated always as identity primary key,
	mail bigint references mail,
	address text not null,
	bytes bytea,
	state text not null default 'queued',
	due_at timestamptz not null,
	holder text not null default '',
	lease_until timestamptz,
	dotted_at timestamptz,
	sent_at timestamptz
);
alter table letter alter bytes set storage external;
create index letter_due on letter (due_at) where state = 'queued';
create index letter_mail on letter (mail);`

// file parses a mail and writes it down in one transaction, which is one round
// trip: PostgreSQL takes a batch as one transaction.
func (r *raw) file(ctx context.Context, m rawMail) error {
	subject, from, text := parseRaw(m.bytes)
	now := time.Now()
	b := &pgx.Batch{}
	b.Queue("insert into mail (uid, raw) values ($1, $2)", m.uid, m.bytes)
	b.Queue("insert into item (mail, title) values ($1, $2)", m.uid, subject)
	b.Queue("insert into entry (mail, author, body) values ($1, $2, $3)", m.uid, from, text)
	out := r.lettersOf(int(m.uid))
	for range out {
		b.Queue("insert into letter (mail, address, due_at) values ($1, $2, $3)", m.uid, from, now)
	}
	for range max(0, 3-out) {
		b.Queue("insert into happening (mail, kind, at) values ($1, 'opened', $2)", m.uid, now)
	}
	if err := r.pool.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("mail %d: %w", m.uid, err)
	}
	if out > 0 {
		r.hint()
	}
	return nil
}

// lettersOf spreads the mails out evenly.
func (r *raw) lettersOf(uid int) int { return uid*r.Out/r.Mails - (uid-1)*r.Out/r.Mails }

func (r *raw) hint() {
	select {
	case r.filed <- struct{}{}:
	default:
	}
}

// parseRaw decodes all of a mail. The text is that of its first text part.
func parseRaw(raw []byte) (subject, from, text string) {
	e, err := message.Read(bytes.NewReader(raw))
	if e == nil || err != nil && !message.IsUnknownCharset(err) {
		return "", "", ""
	}
	subject, _ = e.Header.Text("Subject")
	from, _ = e.Header.Text("From")
	if at := strings.IndexByte(from, '<'); at >= 0 {
		from = strings.Trim(from[at:], "<>")
	}
	return subject, from, parseParts(e)
}

func parseParts(e *message.Entity) string {
	if parts := e.MultipartReader(); parts != nil {
		text := ""
		for {
			p, err := parts.NextPart()
			if err != nil {
				return text
			}
			if t := parseParts(p); text == "" {
				text = t
			}
		}
	}
	if t, _, _ := e.Header.ContentType(); !strings.HasPrefix(t, "text/") {
		_, _ = io.Copy(io.Discard, e.Body)
		return ""
	}
	body, _ := io.ReadAll(e.Body)
	return strings.ToValidUTF8(strings.ReplaceAll(string(body), "\x00", ""), "\uFFFD")
}

// drainRaw has the raw pipeline empty a mailbox like Postern's, and send as
// many mails as Postern did.
func (w *world) drainRaw(ctx context.Context, s *store, out int, delay time.Duration) (d drain, err error) {
	user := w.next("box")
	if err := s.fill(w.dovecot.MailDir(user)); err != nil {
		return d, err
	}
	database, err := w.newDatabase(ctx, delay)
	if err != nil {
		return d, err
	}
	defer w.dropDatabase(context.WithoutCancel(ctx), database)
	if err := w.rawTables(ctx, database); err != nil {
		return d, err
	}
	order, err := json.Marshal(rawOrder{
		Database: w.databaseURL(database), IMAP: w.dovecot.Addr(), User: user, SMTP: w.sink.addr,
		Mails: len(s.files), Out: out,
	})
	if err != nil {
		return d, err
	}
	w.sink.forget()
	cmd := exec.Command(ourselves(), "raw")
	var said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(order), &said, os.Stderr
	spent := w.spent(0)
	p, err := start(cmd)
	if err != nil {
		return d, err
	}
	if err := p.wait(ctx); err != nil {
		return d, fmt.Errorf("raw pipeline: %w", err)
	}
	d.cpu = w.spent(0).minus(spent)
	d.cpu.pipeline = p.ProcessState.UserTime() + p.ProcessState.SystemTime()
	var done rawDone
	if err := json.Unmarshal(said.Bytes(), &done); err != nil {
		return d, err
	}
	d.mails, d.took = len(s.files), done.Ended.Sub(done.Began)
	if d.sent, _ = w.sink.mails(); d.sent != out {
		return d, fmt.Errorf("raw pipeline: %d mails sent, not %d", d.sent, out)
	}
	return d, nil
}

func (w *world) rawTables(ctx context.Context, database string) error {
	conn, err := pgx.Connect(ctx, w.databaseURL(database))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, rawTables)
	return err
}
