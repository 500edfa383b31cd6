package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
)

// watcher is a bare IMAP client that idles: it shows when the server tells of a
// new mail.
type watcher struct {
	client *imapclient.Client
	idle   *imapclient.IdleCommand
	news   chan time.Time
}

func watch(addr, user string) (*watcher, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	w := &watcher{news: make(chan time.Time, 100)}
	w.client = imapclient.New(conn, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Mailbox: func(data *imapclient.UnilateralDataMailbox) {
			if data.NumMessages == nil {
				return
			}
			select {
			case w.news <- time.Now():
			default:
			}
		},
	}})
	if err := w.begin(user); err != nil {
		w.client.Close()
		return nil, fmt.Errorf("bare IDLE: %w", err)
	}
	return w, nil
}

func (w *watcher) begin(user string) error {
	if err := w.client.Login(user, "any").Wait(); err != nil {
		return err
	}
	if _, err := w.client.Select("INBOX", nil).Wait(); err != nil {
		return err
	}
	var err error
	w.idle, err = w.client.Idle()
	return err
}

// delay is how long after its arrival the server tells of a mail.
func (w *watcher) delay(ctx context.Context, arrive func() error) (time.Duration, error) {
	for len(w.news) > 0 {
		<-w.news
	}
	began := time.Now()
	if err := arrive(); err != nil {
		return 0, err
	}
	select {
	case at := <-w.news:
		return at.Sub(began), nil
	case <-ctx.Done():
		return 0, fmt.Errorf("bare IDLE: no news: %w", ctx.Err())
	}
}

func (w *watcher) close() { w.client.Close() }
