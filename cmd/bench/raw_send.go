package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

type rawLetter struct {
	id      int64
	address string
	bytes   []byte // nil: a text of ours
}

// claim takes letters in batches, until all have been taken.
func (r *raw) claim(ctx context.Context, letters chan<- rawLetter) error {
	for claimed := 0; claimed < r.Out; {
		rows, _ := r.pool.Query(ctx, `
			update letter set state = 'sending', holder = 'raw', lease_until = now() + interval '60 seconds'
			where id in (select id from letter where state = 'queued' order by due_at limit $1 for update skip locked)
			returning id, address, bytes`, claimMost)
		batch, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (l rawLetter, err error) {
			return l, row.Scan(&l.id, &l.address, &l.bytes)
		})
		if err != nil {
			return err
		}
		for _, l := range batch {
			select {
			case letters <- l:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if claimed += len(batch); len(batch) == claimMost || claimed == r.Out {
			continue
		}
		select {
		case <-r.filed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// send is one sender with its connection.
func (r *raw) send(ctx context.Context, letters <-chan rawLetter) error {
	c, err := dialRaw(r.SMTP)
	if err != nil {
		return err
	}
	defer c.Close()
	var last int64 // sent, and not yet written down
	for {
		var alone <-chan time.Time
		if last != 0 {
			alone = time.After(50 * time.Millisecond)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-alone:
			if err := r.settle(ctx, last, 0); err != nil {
				return err
			}
			last = 0
		case l, more := <-letters:
			if !more {
				return r.settle(ctx, last, 0)
			}
			err := c.send(l, func() error { return r.settle(ctx, last, l.id) })
			if err != nil {
				return err
			}
			last = l.id
		}
	}
}

// settle commits the `sent` of one letter with the `dotted` of another.
func (r *raw) settle(ctx context.Context, sent, dotted int64) error {
	b := &pgx.Batch{}
	if sent != 0 {
		b.Queue("update letter set state = 'sent', sent_at = now() where id = $1 and state = 'dotted' and holder = 'raw'", sent)
	}
	if dotted != 0 {
		b.Queue("update letter set state = 'dotted', dotted_at = now() where id = $1 and state = 'sending' and holder = 'raw'", dotted)
	}
	if b.Len() == 0 {
		return nil
	}
	return r.pool.SendBatch(ctx, b).Close()
}

// rawConn is an SMTP connection without any care.
type rawConn struct {
	net.Conn
	in  *bufio.Reader
	out *bufio.Writer
}

func dialRaw(addr string) (*rawConn, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &rawConn{conn, bufio.NewReader(conn), bufio.NewWriter(conn)}
	if err := c.answer('2'); err != nil {
		return nil, err
	}
	return c, c.say('2', "EHLO raw\r\n")
}

// answer reads one, of one line or several.
func (c *rawConn) answer(class byte) error {
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) < 4 || line[0] != class {
			return fmt.Errorf("sink: %s", line)
		}
		if line[3] != '-' {
			return nil
		}
	}
}

func (c *rawConn) say(class byte, text string) error {
	_, _ = c.out.WriteString(text) // Flush says what went wrong
	if err := c.out.Flush(); err != nil {
		return err
	}
	return c.answer(class)
}

func (c *rawConn) send(l rawLetter, beforeDot func() error) error {
	for _, step := range []struct {
		class byte
		text  string
	}{
		{'2', "MAIL FROM:<" + deskAddress + ">\r\n"},
		{'2', "RCPT TO:<" + l.address + ">\r\n"},
		{'3', "DATA\r\n"},
	} {
		if err := c.say(step.class, step.text); err != nil {
			return err
		}
	}
	if l.bytes != nil {
		_, _ = c.out.Write(bytes.ReplaceAll(l.bytes, []byte("\r\n."), []byte("\r\n..")))
	} else {
		c.text(l)
	}
	if err := c.out.Flush(); err != nil {
		return err
	}
	if err := beforeDot(); err != nil {
		return err
	}
	return c.say('2', ".\r\n")
}

func (c *rawConn) text(l rawLetter) {
	fmt.Fprintf(c.out, "From: %s\r\nTo: %s\r\nSubject: We have your mail\r\nMessage-ID: <raw.%d@%s>\r\n%s",
		deskAddress, l.address, l.id, deskDomain, rawBody)
}

// rawBody is about as long as a confirmation of Postern's.
var rawBody = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nAuto-Submitted: auto-replied\r\n\r\n" +
	strings.Repeat("We have your mail and will answer it as soon as we can.\r\n", 25)
