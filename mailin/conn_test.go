package mailin

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"postern/core"
)

// wire is the server's end of a scripted connection.
type wire struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	nth  int // connection
}

// script runs a server that does what it is told, for each connection.
func script(t *testing.T, play func(w *wire)) Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for n := 0; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				defer func() {
					if r := recover(); r != nil && r != errHungUp {
						panic(r)
					}
				}()
				play(&wire{t, conn, bufio.NewReader(conn), n})
			}()
		}
	}()
	port := l.Addr().(*net.TCPAddr).Port
	return Server{Host: "127.0.0.1", Port: port, TLS: "none", User: "desk", Password: "secret", pace: &quick}
}

// quick is for servers that never answer.
var quick = pace{connect: 2 * time.Second, command: 2 * time.Second, silence: 500 * time.Millisecond, resting: 5 * time.Second}

var errHungUp = errors.New("the client hung up")

func (w *wire) raw(s string) {
	if _, err := w.conn.Write([]byte(s)); err != nil {
		panic(errHungUp)
	}
}

func (w *wire) say(lines ...string) {
	for _, l := range lines {
		w.raw(l + "\r\n")
	}
}

func (w *wire) line() string {
	line, err := w.in.ReadString('\n')
	if err != nil {
		panic(errHungUp)
	}
	return strings.TrimSpace(line)
}

// expect reads commands until one of the given name, and returns its tag.
// CAPABILITY, which the library sends by itself, is answered in passing.
func (w *wire) expect(command string) string {
	for {
		tag, rest, _ := strings.Cut(w.line(), " ")
		if strings.HasPrefix(rest, command) {
			return tag
		}
		if strings.HasPrefix(rest, "CAPABILITY") {
			w.say("* CAPABILITY IMAP4rev1", tag+" OK .")
		}
	}
}

func (w *wire) answer(command, untagged string) {
	tag := w.expect(command)
	if untagged != "" {
		w.say(untagged)
	}
	w.say(tag + " OK done")
}

func (w *wire) signIn(caps string) {
	w.say("* OK [CAPABILITY " + caps + "] hello")
	tag := w.expect("LOGIN")
	w.say(tag + " OK [CAPABILITY " + caps + "] in")
}

// hang answers nothing more.
func (w *wire) hang() {
	for {
		w.line()
	}
}

func imapNow() string { return time.Now().Format("02-Jan-2006 15:04:05 -0700") }

func TestDial_saysWhatToCheck(t *testing.T) {
	authority, certificate := makeCertificate(t, "localhost")
	tlsServer := func(t *testing.T) Server {
		s := script(t, func(w *wire) {
			conn := tls.Server(w.conn, &tls.Config{Certificates: []tls.Certificate{certificate}})
			w.conn, w.in = conn, bufio.NewReader(conn)
			w.signIn("IMAP4rev1 IDLE MOVE UIDPLUS")
			w.answer("CAPABILITY", "* CAPABILITY IMAP4rev1 IDLE")
			w.hang()
		})
		s.Host, s.TLS, s.CAFile = "localhost", "implicit", authority
		return s
	}
	for name, c := range map[string]struct {
		server func(t *testing.T) Server
		want   string // "": it works
	}{
		"R14/a company's own authority": {tlsServer, ""},
		"R14/an unknown authority": {func(t *testing.T) Server {
			s := tlsServer(t)
			s.CAFile = ""
			return s
		}, "ca_file"},
		"R14/another name": {func(t *testing.T) Server {
			s := tlsServer(t)
			s.Host = "127.0.0.1"
			return s
		}, "host must be the name in the certificate"},
		"R14/no TLS on the port": {func(t *testing.T) Server {
			s := script(t, func(w *wire) { w.signIn("IMAP4rev1") })
			s.TLS = "implicit"
			return s
		}, "starttls"},
		"R14/no STARTTLS": {func(t *testing.T) Server {
			s := script(t, func(w *wire) {
				w.say("* OK hello")
				w.say(w.expect("STARTTLS") + " BAD what?")
				w.hang()
			})
			s.TLS = "starttls"
			return s
		}, "no STARTTLS"},
		"R14/PREAUTH before TLS": {func(t *testing.T) Server {
			s := script(t, func(w *wire) { w.say("* PREAUTH welcome back"); w.hang() })
			s.TLS = "starttls"
			return s
		}, "PREAUTH"},
		"R14/PREAUTH without TLS": {func(t *testing.T) Server {
			return script(t, func(w *wire) { w.say("* PREAUTH welcome back"); w.hang() })
		}, "PREAUTH"},
		"R14/bytes before the handshake": {func(t *testing.T) Server {
			s := script(t, func(w *wire) {
				w.say("* OK hello")
				w.raw(w.expect("STARTTLS") + " OK go\r\n* CAPABILITY AUTH=PLAIN\r\n")
				w.hang()
			})
			s.TLS = "starttls"
			return s
		}, "between the answer to STARTTLS and TLS"},
		"R14/STARTTLS": {func(t *testing.T) Server {
			s := script(t, func(w *wire) {
				w.say("* OK [CAPABILITY IMAP4rev1 STARTTLS] hello")
				w.say(w.expect("STARTTLS") + " OK go")
				conn := tls.Server(w.conn, &tls.Config{Certificates: []tls.Certificate{certificate}})
				w.conn, w.in = conn, bufio.NewReader(conn)
				w.say(w.expect("LOGIN") + " OK in")
				w.expect("nothing")
			})
			s.Host, s.TLS, s.CAFile = "localhost", "starttls", authority
			return s
		}, ""},
		"R15/silence instead of a greeting": {func(t *testing.T) Server {
			return script(t, func(w *wire) { w.hang() })
		}, "no answer in 2s"},
		"R15/silence instead of TLS": {func(t *testing.T) Server {
			s := script(t, func(w *wire) { w.hang() })
			s.TLS = "implicit"
			return s
		}, "no answer in 2s"},
		"a wrong password": {func(t *testing.T) Server {
			return script(t, func(w *wire) {
				w.say("* OK [CAPABILITY IMAP4rev1] hello")
				w.say(w.expect("LOGIN") + " NO [AUTHENTICATIONFAILED] go away")
				w.hang()
			})
		}, "check user and password"},
		"no passwords": {func(t *testing.T) Server {
			return script(t, func(w *wire) {
				w.say("* OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=XOAUTH2] hello")
				w.say("* CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=XOAUTH2", strings.Fields(w.line())[0]+" OK .")
				w.hang()
			})
		}, "OAuth"},
		"nobody listens": {func(t *testing.T) Server {
			return Server{Host: "127.0.0.1", Port: freePort(t), TLS: "none"}
		}, "nothing listens there"},
		"an unknown name": {func(t *testing.T) Server {
			return Server{Host: "imap.invalid", Port: 993, TLS: "implicit"}
		}, "check host"},
		"R14/plain text to another machine": {func(t *testing.T) Server {
			return Server{Host: notLoopback(t), Port: 143, TLS: "none", pace: &quick}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := c.server(t)
			if name == "R14/plain text to another machine" {
				// refused by the address alone, whoever listens there
				_, err := server.secure(t.Context(), &guardConn{Conn: elsewhere{}}, nil)
				if err == nil || !strings.Contains(err.Error(), "this machine only") {
					t.Fatalf("err = %v", err)
				}
				return
			}
			conn, err := Dial(t.Context(), server)
			if c.want == "" && err != nil {
				t.Fatalf("err = %v", err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("err = %v, without %q", err, c.want)
			}
			if err == nil {
				conn.Close()
			} else if strings.Contains(err.Error(), "secret") {
				t.Error("R61/the password is in the error")
			}
		})
	}
}

type elsewhere struct{ net.Conn }

func (elsewhere) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 143} }

func notLoopback(*testing.T) string { return "192.0.2.1" }

func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func TestConn_ctxEndsAnyWait(t *testing.T) {
	server := script(t, func(w *wire) { w.signIn("IMAP4rev1"); w.answer("CAPABILITY", "* CAPABILITY IMAP4rev1"); w.hang() })
	server.pace = nil // the usual minutes
	c, err := Dial(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	began := time.Now()
	if _, err := c.heads(ctx, []uint32{1}); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("took %s", took)
	}
}

// mailboxWith plays a server with one mail, whose body is sent by body.
func mailboxWith(size int, body func(w *wire, tag string)) func(w *wire) {
	return func(w *wire) {
		w.signIn("IMAP4rev1")
		w.answer("SELECT", "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] .\r\n* OK [UIDNEXT 2] .")
		w.answer("UID SEARCH", "* SEARCH 1")
		w.answer("UID FETCH", fmt.Sprintf(`* 1 FETCH (UID 1 RFC822.SIZE %d INTERNALDATE %q)`, size, imapNow()))
		body(w, w.expect("UID FETCH"))
	}
}

func TestPoll_R9_R15_serversThatMisbehave(t *testing.T) {
	mail := letter("whole") + strings.Repeat("0123456789abcdef", 4000)
	whole := func(w *wire, tag string) {
		w.raw(fmt.Sprintf("* 1 FETCH (UID 1 BODY[] {%d}\r\n%s)\r\n%s OK done\r\n", len(mail), mail, tag))
		for {
			w.answer("UID SEARCH", "* SEARCH")
		}
	}
	for name, c := range map[string]struct {
		body func(w *wire, tag string)
		gone bool
	}{
		"R15/cut in the middle of a literal": {func(w *wire, tag string) {
			if w.nth < 3 {
				w.raw(fmt.Sprintf("* 1 FETCH (UID 1 BODY[] {%d}\r\n%s", len(mail), mail[:len(mail)/2]))
				return
			}
			whole(w, tag)
		}, false},
		"R15/silent in the middle of a literal": {func(w *wire, tag string) {
			if w.nth < 2 {
				w.raw(fmt.Sprintf("* 1 FETCH (UID 1 BODY[] {%d}\r\n%s", len(mail), mail[:len(mail)/2]))
				w.hang()
			}
			whole(w, tag)
		}, false},
		"R15/silent instead of an answer": {func(w *wire, tag string) {
			if w.nth < 2 {
				w.hang()
			}
			whole(w, tag)
		}, false},
		"R9/NIL twice": {func(w *wire, tag string) {
			w.raw("* 1 FETCH (UID 1 BODY[] NIL)\r\n" + tag + " OK done\r\n")
			w.answer("UID FETCH", "* 1 FETCH (UID 1 BODY[] NIL)")
			for {
				w.answer("UID SEARCH", "* SEARCH")
			}
		}, true},
		"R9/flags instead of a body, twice": {func(w *wire, tag string) {
			w.raw("* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n" + tag + " OK done\r\n")
			w.answer("UID FETCH", "")
			for {
				w.answer("UID SEARCH", "* SEARCH")
			}
		}, true},
		"R9/NIL once": {func(w *wire, tag string) {
			w.raw("* 1 FETCH (UID 1 BODY[] NIL)\r\n" + tag + " OK done\r\n")
			whole(w, w.expect("UID FETCH"))
		}, false},
		"R9/empty once": {func(w *wire, tag string) {
			w.raw("* 1 FETCH (UID 1 BODY[] \"\")\r\n" + tag + " OK done\r\n")
			whole(w, w.expect("UID FETCH"))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newFakeDesk()
			running(t, poller(t, d, script(t, mailboxWith(len(mail), c.body))))
			d.wait(t, "a row", func() bool { return len(d.rows) == 1 })
			defer d.lock()()
			r := d.rows[0]
			if c.gone != (r.state == core.Gone) {
				t.Errorf("state %s", r.state)
			}
			if !c.gone && string(r.raw) != mail {
				t.Errorf("kept %d of %d octets", len(r.raw), len(mail))
			}
		})
	}
}

func TestPoll_R15_wrongPasswordIsTriedOnceAMinute(t *testing.T) {
	var tries atomic.Int32
	server := script(t, func(w *wire) {
		tries.Add(1)
		w.say("* OK [CAPABILITY IMAP4rev1] hello")
		w.say(w.expect("LOGIN") + " NO [AUTHENTICATIONFAILED] go away")
		w.hang()
	})
	d := newFakeDesk()
	p := poller(t, d, server)
	running(t, p)
	for deadline := time.Now().Add(10 * time.Second); p.Status().Err == ""; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no error shown")
		}
	}
	time.Sleep(200 * time.Millisecond) // twenty of this poller's usual waits
	if n := tries.Load(); n != 1 {
		t.Errorf("%d tries", n)
	}
}

func makeCertificate(t *testing.T, name string) (authorityFile string, certificate tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "A company"}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	authorityFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authorityFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return authorityFile, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
