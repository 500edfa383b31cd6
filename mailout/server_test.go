package mailout

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postern/core"
)

var loopback = net.IPv4(127, 0, 0, 1)

func TestCheck(t *testing.T) {
	own := newAuthority(t)
	good, pin := own.certificate(t, nil, loopback)
	other, otherPin := own.certificate(t, []string{"mail.elsewhere.example"})
	noPEM := filepath.Join(t.TempDir(), "no.pem")
	if err := os.WriteFile(noPEM, []byte("not a certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	plain, secure, upgraded := newSink(t), newSink(t, withTLS(good)), newSink(t, withSTARTTLS(good))
	wrongName, wrongNameUpgraded := newSink(t, withTLS(other)), newSink(t, withSTARTTLS(other))

	for _, c := range []struct {
		name   string
		sink   *sink
		change func(*Server)
		says   string // part of the error; "" for none
	}{
		{"plain text to loopback, if configured", plain, func(s *Server) {}, ""},
		{"R14/STARTTLS with a company's own authority", upgraded, func(s *Server) { s.TLS, s.CAFile = StartTLS, own.file }, ""},
		{"R14/STARTTLS is the default", upgraded, func(s *Server) { s.TLS, s.CAFile = "", own.file }, ""},
		{"R14/implicit TLS with a company's own authority", secure, func(s *Server) { s.TLS, s.CAFile = Implicit, own.file }, ""},
		{"R14/implicit TLS with the one certificate named", secure, func(s *Server) { s.TLS, s.CertSHA256 = Implicit, strings.ToUpper(pin) }, ""},
		{"R14/STARTTLS with the one certificate named", upgraded, func(s *Server) { s.TLS, s.CertSHA256 = StartTLS, pin }, ""},
		{"R14/an unknown authority is refused", secure, func(s *Server) { s.TLS = Implicit }, "authority that is not known here"},
		{"R14/also after STARTTLS", upgraded, func(s *Server) { s.TLS = StartTLS }, "authority that is not known here"},
		{"R14/a certificate for another name is refused", wrongName, func(s *Server) { s.TLS, s.CAFile = Implicit, own.file }, "for another name"},
		{"R14/also after STARTTLS, for another name", wrongNameUpgraded, func(s *Server) { s.TLS, s.CAFile = StartTLS, own.file }, "for another name"},
		{"R14/another certificate than the one named is refused", secure, func(s *Server) { s.TLS, s.CertSHA256 = Implicit, otherPin }, "cert_sha256"},
		{"R14/a server without STARTTLS is not used", plain, func(s *Server) { s.TLS = StartTLS }, "offers no STARTTLS"},
		{"R14/a server that speaks no TLS is not used", plain, func(s *Server) { s.TLS = Implicit }, "does not speak TLS on this port"},
		{"a file of authorities that is not there", secure, func(s *Server) { s.TLS, s.CAFile = Implicit, "/nowhere.pem" }, "ca_file cannot be read"},
		{"a file of authorities that holds none", secure, func(s *Server) { s.TLS, s.CAFile = Implicit, noPEM }, "no certificate in PEM form"},
		{"a fingerprint that is none", secure, func(s *Server) { s.TLS, s.CertSHA256 = Implicit, "abc" }, "64 hexadecimal digits"},
		{"an unheard-of kind of TLS", plain, func(s *Server) { s.TLS = "ssl" }, `use "starttls"`},
		{"the right password", plain, func(s *Server) { s.User, s.Password = "postern", "right" }, ""},
		{"the right password, over TLS", secure, func(s *Server) { s.TLS, s.CAFile, s.User, s.Password = Implicit, own.file, "postern", "right" }, ""},
		{"the right password, after STARTTLS", upgraded, func(s *Server) { s.TLS, s.CAFile, s.User, s.Password = StartTLS, own.file, "postern", "right" }, ""},
		{"a wrong password", plain, func(s *Server) { s.User, s.Password = "postern", "wrong" }, "the login of postern is refused"},
		{"a host that does not exist", plain, func(s *Server) { s.Host = "no-such-host.invalid" }, "no-such-host.invalid"},
		{"a server that is away", &sink{port: 1}, func(s *Server) {}, "no connection"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.sink.server()
			c.change(&s)
			err := Check(context.Background(), s)
			switch {
			case c.says == "" && err != nil:
				t.Fatalf("refused: %v", err)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Fatalf("says %v, want %q", err, c.says)
			}
			var e *ServerError
			if err != nil && !errors.As(err, &e) {
				t.Errorf("%T is no ServerError", err)
			}
			if err != nil && strings.Contains(err.Error(), "wrong") && strings.Contains(c.name, "password") {
				t.Errorf("R61/the error tells the password: %v", err)
			}
		})
	}
}

func TestDial_nothingInClearLeavesThisMachine(t *testing.T) {
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	spoken := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, "220 hello\r\n")
		b, _ := io.ReadAll(c)
		spoken <- string(b)
	}()
	host, ok := outsideAddress(t)
	if !ok { // then nobody else can be spoken to in clear either; what counts as this machine is left
		if isLoopback(&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}) || !isLoopback(&net.TCPAddr{IP: loopback}) {
			t.Error("R14/loopback is not told from the rest")
		}
		return
	}
	err = Check(context.Background(), Server{Host: host, Port: l.Addr().(*net.TCPAddr).Port, TLS: NoTLS})
	if err == nil || !strings.Contains(err.Error(), "this machine only") {
		t.Fatalf("R14/%v", err)
	}
	if said := <-spoken; said != "" {
		t.Errorf("R14/%q was said in clear", said)
	}
}

// outsideAddress is one of this machine's addresses that is not loopback.
func outsideAddress(t *testing.T) (string, bool) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && n.IP.To4() != nil {
			return n.IP.String(), true
		}
	}
	return "", false
}

// scripted is a server that says what it is told to, one answer a line.
func scripted(t *testing.T, answers ...string) Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		lines := bufio.NewReader(c)
		for i, answer := range answers {
			if i > 0 {
				if _, err := lines.ReadString('\n'); err != nil {
					return
				}
			}
			_, _ = io.WriteString(c, answer)
		}
		_, _ = io.Copy(io.Discard, lines)
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: StartTLS}
}

func TestDial_R14_wordsSlippedInBeforeTheHandshake(t *testing.T) {
	const ehlo = "250-localhost\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"
	for name, answer := range map[string]string{
		"another answer":    "220 go ahead\r\n250 injected\r\n",
		"half a line":       "220 go ahead\r\n2",
		"after a long 220-": "220-go\r\n220 ahead\r\n250-x\r\n",
	} {
		err := Check(context.Background(), scripted(t, "220 hello\r\n", ehlo, answer))
		if err == nil || !errors.Is(err, errInjected) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDial_serversThatAreWrongFromTheStart(t *testing.T) {
	for name, c := range map[string]struct {
		server Server
		config bool
	}{
		"a 554 instead of a greeting": {scripted(t, "554 go away\r\n"), true},
		"a 421 instead of a greeting": {scripted(t, "421 too busy\r\n"), false},
		"no SMTP at all":              {scripted(t, "* OK IMAP4rev2 ready\r\n"), false},
		"no login, where one is set": {func() Server {
			s := scripted(t, "220 hello\r\n", "250 localhost\r\n")
			s.TLS, s.User, s.Password = NoTLS, "a", "b"
			return s
		}(), true},
		"only a login we do not know": {func() Server {
			s := scripted(t, "220 hello\r\n", "250-localhost\r\n250 AUTH GSSAPI\r\n", "221 bye\r\n")
			s.TLS, s.User, s.Password = NoTLS, "a", "b"
			return s
		}(), true},
	} {
		err := Check(context.Background(), c.server)
		var e *ServerError
		if !errors.As(err, &e) || e.Config != c.config {
			t.Errorf("%s: config %v: %v", name, e != nil && e.Config, err)
		}
	}
}

func TestSender_overTLSWithALogin(t *testing.T) {
	own := newAuthority(t)
	cert, _ := own.certificate(t, []string{"localhost"}, loopback)
	for kind, k := range map[string]*sink{StartTLS: newSink(t, withSTARTTLS(cert)), Implicit: newSink(t, withTLS(cert))} {
		d := newDesk()
		c := quick(k)
		c.Server.TLS, c.Server.CAFile, c.Server.User, c.Server.Password = kind, own.file, "postern", "right"
		start(t, d, c)
		for n := range int64(10) {
			d.queue(letterNo(n))
		}
		eventually(t, "all are sent", func() bool { return d.states()["sent"] == 10 })
		if k.user != "postern" {
			t.Errorf("%s: logged in as %q", kind, k.user)
		}
	}
}

func TestSender_aWrongCertificateSendsNothing(t *testing.T) {
	cert, _ := newAuthority(t).certificate(t, nil, loopback)
	d, k := newDesk(), newSink(t, withSTARTTLS(cert))
	c := quick(k)
	c.Server.TLS = StartTLS
	s, _ := start(t, d, c)
	d.queue(letterNo(1))
	eventually(t, "R61/a person is needed", func() bool { return s.Status().NeedsPerson })
	if mails, _ := k.total(); mails > 0 || d.results(1) != "" {
		t.Errorf("R61/%d mails, settled %q", mails, d.results(1))
	}
}

func TestJudge(t *testing.T) {
	network := io.ErrUnexpectedEOF
	said := func(code int, words string) error { return &textproto.Error{Code: code, Msg: words} }
	for _, c := range []struct {
		name    string
		at      stage
		err     error
		dotGone bool
		want    core.Result
		channel bool
	}{
		{"R60/421 to MAIL pauses", atMail, said(421, "4.4.2 idle"), true, core.Temporary, true},
		{"R60/421 to DATA pauses", atData, said(421, "4.7.0 too many"), true, core.Temporary, true},
		{"R60/4.3.2 to RCPT pauses", atRcpt, said(450, "4.3.2 not now"), true, core.Temporary, true},
		{"R60/4.7.28 to RCPT pauses", atRcpt, said(450, "4.7.28 rate limit"), true, core.Temporary, true},
		{"R60/421 to the dot is about the mail", atDot, said(421, "4.3.0 closing"), true, core.Temporary, false},
		{"R60/4.7.0 to the dot is about the mail", atDot, said(451, "4.7.0 not this"), true, core.Temporary, false},
		{"R60/4.2.2 to RCPT is about the mail", atRcpt, said(452, "4.2.2 mailbox full"), true, core.Temporary, false},
		{"R60/a wish for a login pauses", atMail, said(530, "5.7.0 authenticate first"), true, "", true},
		{"R60/5xx to MAIL blames the sender", atMail, said(550, "no"), true, core.SenderRefused, false},
		{"R60/5.2.252 after the dot too", atDot, said(550, "5.2.252 SendAsDenied"), true, core.SenderRefused, false},
		{"R60/5.7.60 in a long answer", atDot, said(550, "5.7.60 SMTP;\n5.7.60 more"), true, core.SenderRefused, false},
		{"R60/5.7.606 is another code", atRcpt, said(550, "5.7.606 banned"), true, core.Permanent, false},
		{"R60/5xx to RCPT", atRcpt, said(550, "5.1.1 unknown"), true, core.Permanent, false},
		{"R60/5xx to DATA", atData, said(554, "no valid recipients"), true, core.Permanent, false},
		{"R60/the network before the dot", atWrite, network, true, core.Unsent, false},
		{"R59/the network after the dot", atDot, network, true, core.Unanswered, false},
		{"R59/the network, and the dot never left", atDot, network, false, core.Unsent, false},
		{"R59/nonsense after the dot", atDot, textproto.ProtocolError("short response"), true, core.Unanswered, false},
		{"R59/a 354 after the dot", atDot, said(354, "go on"), true, core.Unanswered, false},
		{"another 2xx after the dot is a yes", atDot, said(251, "will forward"), true, core.Accepted, false},
		{"a 250 instead of a 354", atData, said(250, "ok"), true, core.Unsent, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if v := judge(c.at, c.err, c.dotGone); v.Result != c.want || v.Channel != c.channel {
				t.Errorf("%q, channel %v", v.Result, v.Channel)
			}
		})
	}
	t.Run("R69/what a server says is one plain line", func(t *testing.T) {
		v := judge(atRcpt, said(550, "5.1.1 no\n5.1.1 \x1b[31mreally\u202e "+strings.Repeat("x", 1000)), true)
		if strings.ContainsAny(v.Answer, "\n\x1b\u202e") || len([]rune(v.Answer)) > 200 || v.Enhanced != "5.1.1" {
			t.Errorf("%q", v.Answer)
		}
	})
}

func TestTLSConfig_verificationIsNeverOff(t *testing.T) {
	for _, kind := range []string{"", StartTLS, Implicit} {
		c, err := tlsConfig(Server{Host: "mail.example", TLS: kind})
		if err != nil || c.InsecureSkipVerify || c.MinVersion != tls.VersionTLS12 || c.ServerName != "mail.example" {
			t.Errorf("R14/%q: %+v, %v", kind, c, err)
		}
	}
}
