package mailin

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"

	"postern/core/coretest"
)

// imapServer is a real server with one user, "desk".
type imapServer struct {
	t        *testing.T
	name     string
	addr     string
	renumber func() // gives INBOX a new UIDVALIDITY; nobody may have it selected

	newNumbers      func(folder string) error // Dovecot: of any folder
	renumberFolders []string                  // before the next start
	beforeStart     func()
	duringTake      func()      // once, after mail was listed and before it is fetched
	armed           atomic.Bool // for that
}

// able are the capabilities of a server; -MOVE and the like take some away.
type able struct{ move, uidplus, idle bool }

var ableAll = able{true, true, true}

func (a able) caps() imap.CapSet {
	caps := imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapESearch: {}, imap.CapNamespace: {}}
	for c, has := range map[imap.Cap]bool{imap.CapMove: a.move, imap.CapUIDPlus: a.uidplus, imap.CapIdle: a.idle} {
		if has {
			caps[c] = struct{}{}
		}
	}
	return caps
}

func (a able) dovecot() string {
	if a == ableAll {
		return ""
	}
	list := []string{"IMAP4rev1", "SASL-IR", "LITERAL+", "ESEARCH", "NAMESPACE"}
	if a.move {
		list = append(list, "MOVE")
	}
	if a.uidplus {
		list = append(list, "UIDPLUS")
	}
	if a.idle {
		list = append(list, "IDLE")
	}
	return strings.Join(list, " ")
}

// onEachServer runs a story against the in-memory server and against Dovecot.
func onEachServer(t *testing.T, a able, story func(t *testing.T, s *imapServer)) {
	t.Run("imapmemserver", func(t *testing.T) {
		t.Parallel()
		story(t, memoryServer(t, a))
	})
	t.Run("dovecot", func(t *testing.T) {
		t.Parallel()
		d := coretest.StartDovecot(t, coretest.DovecotOptions{Capabilities: a.dovecot()})
		s := &imapServer{t: t, name: "dovecot", addr: d.Addr()}
		s.renumber = func() {
			if err := d.NewUIDValidity("desk", "INBOX"); err != nil {
				t.Fatal(err)
			}
		}
		s.newNumbers = func(folder string) error { return d.NewUIDValidity("desk", folder) }
		story(t, s)
	})
}

func memoryServer(t *testing.T, a able) *imapServer {
	t.Helper()
	user := imapmemserver.NewUser("desk", "secret")
	if err := user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	var validity atomic.Uint32
	validity.Store(1)
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &memorySession{user: user, validity: &validity}, nil, nil
		},
		Caps: a.caps(), InsecureAuth: true, Logger: log.New(io.Discard, "", 0),
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	s := &imapServer{t: t, name: "imapmemserver", addr: listener.Addr().String()}
	s.renumber = func() { validity.Add(1000) }
	return s
}

type memorySession struct {
	*imapmemserver.UserSession
	user     *imapmemserver.User
	validity *atomic.Uint32
}

func (m *memorySession) Login(user, password string) error {
	if err := m.user.Login(user, password); err != nil {
		return err
	}
	m.UserSession = imapmemserver.NewUserSession(m.user)
	return nil
}

func (m *memorySession) Close() error {
	if m.UserSession == nil {
		return nil
	}
	return m.UserSession.Close()
}

func (m *memorySession) Select(name string, o *imap.SelectOptions) (*imap.SelectData, error) {
	data, err := m.UserSession.Select(name, o)
	if err == nil && name == "INBOX" {
		data.UIDValidity = m.validity.Load()
	}
	return data, err
}

func (m *memorySession) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	if err := m.UserSession.Poll(w, true); err != nil {
		return err
	}
	return m.UserSession.Idle(w, stop)
}

func (s *imapServer) settings() Server {
	host, port, _ := net.SplitHostPort(s.addr)
	n, _ := strconv.Atoi(port)
	return Server{Host: host, Port: n, TLS: "none", User: "desk", Password: "secret"}
}

// as is somebody else's mail program.
func (s *imapServer) as(work func(c *imapclient.Client)) {
	s.t.Helper()
	c, err := imapclient.DialInsecure(s.addr, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login("desk", "secret").Wait(); err != nil {
		s.t.Fatal(err)
	}
	work(c)
}

// put brings mails into a folder.
func (s *imapServer) put(folder string, at time.Time, flags []imap.Flag, mails ...string) {
	s.t.Helper()
	s.as(func(c *imapclient.Client) {
		for _, raw := range mails {
			cmd := c.Append(folder, int64(len(raw)), &imap.AppendOptions{Flags: flags, Time: at})
			_, err := io.Copy(cmd, strings.NewReader(raw))
			if err == nil {
				err = cmd.Close()
			}
			if err == nil {
				_, err = cmd.Wait()
			}
			if err != nil {
				s.t.Fatal(err)
			}
		}
	})
}

// list is what a folder holds: subjects and flags, in the order of the server.
func (s *imapServer) list(folder string) []string {
	s.t.Helper()
	var list []string
	s.as(func(c *imapclient.Client) {
		if data, err := c.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil || data.NumMessages == 0 {
			return
		}
		section := &imap.FetchItemBodySection{Specifier: imap.PartSpecifierHeader, HeaderFields: []string{"Subject"}, Peek: true}
		messages, err := c.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{Flags: true, BodySection: []*imap.FetchItemBodySection{section}}).Collect()
		if err != nil {
			s.t.Fatal(err)
		}
		for _, m := range messages {
			subject := strings.TrimPrefix(string(bytes.TrimSpace(m.FindBodySection(section))), "Subject: ")
			for _, f := range []imap.Flag{imap.FlagSeen, imap.FlagDeleted} {
				for _, has := range m.Flags {
					if strings.EqualFold(string(has), string(f)) {
						subject += " " + string(f)
					}
				}
			}
			list = append(list, subject)
		}
	})
	return list
}

// becomes waits until a folder holds exactly these.
func (s *imapServer) becomes(folder string, want ...string) {
	s.t.Helper()
	var got []string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if got = s.list(folder); fmt.Sprint(got) == fmt.Sprint(want) {
			return
		}
	}
	s.t.Fatalf("%s holds %q, not %q", folder, got, want)
}

func letter(subject string, fields ...string) string {
	return "From: " + subject + "@customer.example\r\nSubject: " + subject + "\r\nMessage-ID: <" + subject + "@customer.example>\r\n" +
		strings.Join(append(fields, ""), "\r\n") + "\r\nHello\r\n"
}
