package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// player is one person's mail client.
type player struct {
	Person
	imapAddr, smtpAddr string
}

// patience is how long a person waits for the provider.
const patience = 15 * time.Second

// headBytes are enough of a mail to list it.
const headBytes = 16 << 10

// line is a mail in a list.
type line struct {
	UID     imap.UID
	Unread  bool
	Arrived time.Time
	From    string // the name, else the address
	To      string
	Subject string
}

// folder is the newest mails of a mailbox, newest first.
type folder struct {
	Name   string
	Total  int
	Unread int // of those listed
	Lines  []line
}

var errNoSuchMail = errors.New("no such mail")

// reading signs in by IMAP for the time of work.
func (p player) reading(ctx context.Context, work func(*imapclient.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.imapAddr)
	if err != nil {
		return fmt.Errorf("read as %s: %w", p.Address, err)
	}
	c := imapclient.New(conn, nil)
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer func() { _ = c.Close() }()
	if err := c.Login(p.Address, p.Password).Wait(); err != nil {
		return fmt.Errorf("read as %s: %w", p.Address, err)
	}
	if err := work(c); err != nil {
		return fmt.Errorf("read as %s: %w", p.Address, err)
	}
	return c.Logout().Wait()
}

// list reads the heads of the newest mails of one mailbox.
func (p player) list(ctx context.Context, mailbox string, limit int) (folder, error) {
	found := folder{Name: mailbox}
	err := p.reading(ctx, func(c *imapclient.Client) (err error) {
		found, err = list(c, mailbox, limit)
		return err
	})
	return found, err
}

func list(c *imapclient.Client, mailbox string, limit int) (folder, error) {
	found := folder{Name: mailbox}
	selected, err := c.Select(mailbox, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil || selected.NumMessages == 0 {
		return found, err
	}
	found.Total = int(selected.NumMessages)
	var newest imap.SeqSet
	newest.AddRange(uint32(max(1, found.Total-limit+1)), selected.NumMessages)
	head := &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Size: headBytes}}
	mails, err := c.Fetch(newest, &imap.FetchOptions{
		UID: true, Flags: true, InternalDate: true, BodySection: []*imap.FetchItemBodySection{head},
	}).Collect()
	if err != nil {
		return found, err
	}
	for _, m := range mails {
		if len(m.BodySection) == 0 {
			continue // removed while we looked
		}
		l := summary(m.BodySection[0].Bytes)
		l.UID, l.Arrived, l.Unread = m.UID, m.InternalDate, !seen(m.Flags)
		if l.Unread {
			found.Unread++
		}
		found.Lines = append([]line{l}, found.Lines...)
	}
	return found, nil
}

func seen(flags []imap.Flag) bool {
	for _, f := range flags {
		if f == imap.FlagSeen {
			return true
		}
	}
	return false
}

// glance lists the inbox and counts what was sent.
func (p player) glance(ctx context.Context, limit int) (in folder, sent int, err error) {
	err = p.reading(ctx, func(c *imapclient.Client) (err error) {
		if in, err = list(c, inbox, limit); err != nil || p.Role == Service {
			return err
		}
		status, err := c.Status(sentFolder, &imap.StatusOptions{NumMessages: true}).Wait()
		if err == nil && status.NumMessages != nil {
			sent = int(*status.NumMessages)
		}
		return nil // no Sent folder: nothing sent
	})
	return in, sent, err
}

// open reads a whole mail, which marks it as read.
func (p player) open(ctx context.Context, mailbox string, uid imap.UID) (raw []byte, err error) {
	err = p.reading(ctx, func(c *imapclient.Client) error {
		// Postern's mailbox is only looked at
		if _, err := c.Select(mailbox, &imap.SelectOptions{ReadOnly: p.Role == Service}).Wait(); err != nil {
			return errNoSuchMail
		}
		mails, err := c.Fetch(imap.UIDSetNum(uid), &imap.FetchOptions{
			UID: true, BodySection: []*imap.FetchItemBodySection{{}},
		}).Collect()
		if err != nil {
			return err
		}
		if len(mails) != 1 || len(mails[0].BodySection) != 1 {
			return errNoSuchMail
		}
		raw = mails[0].BodySection[0].Bytes
		return nil
	})
	return raw, err
}

const sentFolder = "Sent"

// send submits a mail and keeps a copy in Sent, as mail clients do.
func (p player) send(ctx context.Context, to []string, raw []byte) error {
	if err := deliver(ctx, p.smtpAddr, sasl.NewPlainClient("", p.Address, p.Password), p.Address, to, raw); err != nil {
		return err
	}
	return p.reading(ctx, func(c *imapclient.Client) error {
		copied := c.Append(sentFolder, int64(len(raw)), &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen}})
		if _, err := copied.Write(raw); err != nil {
			return err
		}
		if err := copied.Close(); err != nil {
			return err
		}
		_, err := copied.Wait()
		return err
	})
}

// deliver sends one mail by SMTP. Without who it comes from a stranger.
func deliver(ctx context.Context, addr string, who sasl.Client, from string, to []string, raw []byte) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	c := smtp.NewClient(conn)
	defer func() { _ = c.Close() }()
	if who != nil {
		if err := c.Auth(who); err != nil {
			return err
		}
	}
	if err := c.SendMail(from, to, bytes.NewReader(raw)); err != nil {
		return err
	}
	return c.Quit()
}

// playerOf finds who is played on a page.
func (w *World) playerOf(r *http.Request) (player, bool) {
	p, ok := personByID(r.PathValue("id"))
	return w.player(p), ok
}

func (w *World) player(p Person) player {
	return player{Person: p, imapAddr: w.imapAddr, smtpAddr: w.smtpAddr}
}
