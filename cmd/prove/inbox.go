package main

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/mail"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// folders are those of the service's account.
var folders = []string{"INBOX", "Processed", "Quarantine"}

// inbox is the IMAP server with the one account that Postern reads.
type inbox struct {
	user     *imapmemserver.User
	server   *imapserver.Server
	listener net.Listener
}

func openInbox() (*inbox, error) {
	b := &inbox{user: imapmemserver.NewUser(service, password)}
	for _, f := range folders {
		if err := b.user.Create(f, nil); err != nil {
			return nil, err
		}
	}
	b.server = imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &session{user: b.user}, nil, nil
		},
		Caps: imap.CapSet{
			imap.CapIMAP4rev1: {}, imap.CapIdle: {}, imap.CapMove: {}, imap.CapUIDPlus: {}, imap.CapNamespace: {},
			imap.CapESearch: {},
		},
		InsecureAuth: true, // loopback
		Logger:       log.New(io.Discard, "", 0),
	})
	var err error
	if b.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	go func() { _ = b.server.Serve(b.listener) }() // ends by close
	return b, nil
}

func (b *inbox) port() int { return b.listener.Addr().(*net.TCPAddr).Port }

func (b *inbox) close() error { return b.server.Close() }

// add delivers a mail.
func (b *inbox) add(raw []byte) error {
	_, err := b.user.Append("INBOX", bytes.NewReader(raw), &imap.AppendOptions{Time: time.Now()})
	return err
}

// session is the memory server's, but for two things.
type session struct {
	*imapmemserver.UserSession // nil before Login

	user *imapmemserver.User
}

var _ imapserver.SessionMove = (*session)(nil)

func (s *session) Login(user, password string) error {
	if err := s.user.Login(user, password); err != nil {
		return err
	}
	s.UserSession = imapmemserver.NewUserSession(s.user)
	return nil
}

func (s *session) Close() error {
	if s.UserSession == nil {
		return nil
	}
	return s.UserSession.Close()
}

// Idle tells first what happened before it: the memory server does not.
func (s *session) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	if err := s.Poll(w, true); err != nil {
		return err
	}
	return s.UserSession.Idle(w, stop)
}

// place is where a mail lies.
type place struct {
	folder string
	uid    int64
}

// list says where every mail lies, by its Message-ID, as an ordinary client
// sees it.
func (b *inbox) list() (map[place]string, error) {
	c, err := imapclient.DialInsecure(b.listener.Addr().String(), nil)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.Login(service, password).Wait(); err != nil {
		return nil, err
	}
	found := make(map[place]string)
	for _, folder := range folders {
		selected, err := c.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait()
		if err != nil {
			return nil, err
		}
		if selected.NumMessages == 0 {
			continue
		}
		header := &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, Peek: true}
		all := imap.SeqSet{{Start: 1, Stop: 0}}
		mails, err := c.Fetch(all, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{header}}).Collect()
		if err != nil {
			return nil, err
		}
		for _, m := range mails {
			found[place{folder, int64(m.UID)}] = messageID(m.FindBodySection(header))
		}
	}
	return found, c.Logout().Wait()
}

// messageID is without its angle brackets; empty if there is none.
func messageID(raw []byte) string {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return ""
	}
	return strings.Trim(m.Header.Get("Message-ID"), "<> ")
}
