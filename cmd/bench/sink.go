package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// The sink is an SMTP server that takes every mail and keeps none. It is a
// process of its own, so that its CPU time can be told apart. On its standard
// output it says where it listens, and then a line for each mail.

// runSink is that process, until ctx ends. Every answer of it takes a while.
func runSink(ctx context.Context, while string, out io.Writer) error {
	wait, err := time.ParseDuration(while)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { l.Close() })()
	fmt.Fprintln(out, l.Addr())
	said := &lines{to: out}
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		} else if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			_ = takeMail(conn, wait, said) // a client that hangs up ends it
		}()
	}
}

// lines lets many connections write whole lines.
type lines struct {
	mu sync.Mutex
	to io.Writer
}

func (l *lines) say(at time.Time, to []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.to, "%d %s\n", at.UnixNano(), to)
}

// takeMail speaks as much SMTP as it takes.
func takeMail(conn net.Conn, wait time.Duration, said *lines) error {
	in := bufio.NewReaderSize(conn, 64<<10)
	answer := func(text string) error {
		time.Sleep(wait)
		_, err := io.WriteString(conn, text)
		return err
	}
	if err := answer("220 sink ESMTP\r\n"); err != nil {
		return err
	}
	var to []byte
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		switch verb := string(bytes.ToUpper(line[:min(4, len(line))])); verb {
		case "EHLO":
			err = answer("250-sink\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n")
		case "RCPT":
			to = append(to[:0], bytes.Trim(line[len("RCPT TO:"):], " <>\r\n")...)
			err = answer("250 OK\r\n")
		case "DATA":
			if err = answer("354 go on\r\n"); err == nil {
				err = passOver(in)
			}
			if err == nil {
				said.say(time.Now(), to)
				err = answer("250 OK\r\n")
			}
		case "QUIT":
			return answer("221 bye\r\n")
		default:
			err = answer("250 OK\r\n")
		}
		if err != nil {
			return err
		}
	}
}

// passOver reads a mail to the dot at its end.
func passOver(in *bufio.Reader) error {
	begins := true // of a line, not of a piece of a long one
	for {
		line, err := in.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			return err
		}
		if begins && len(line) == 3 && line[0] == '.' && line[1] == '\r' {
			return nil
		}
		begins = err == nil
	}
}

// sink is our end of that process.
type sink struct {
	*process
	addr string

	mu    sync.Mutex
	taken []taken
	news  chan struct{}
}

// taken is one mail that the sink has taken.
type taken struct {
	at time.Time
	to string
}

func startSink(wait time.Duration) (*sink, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(ourselves(), "sink", wait.String())
	cmd.Stdout, cmd.Stderr = w, os.Stderr
	s := &sink{news: make(chan struct{}, 1)}
	s.process, err = start(cmd)
	w.Close()
	if err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	in := bufio.NewReader(r)
	line, err := in.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	s.addr = strings.TrimSpace(line)
	go s.listen(in)
	return s, nil
}

// listen notes what the sink takes, until it ends.
func (s *sink) listen(in *bufio.Reader) {
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		var nanos int64
		var to string
		if n, _ := fmt.Sscan(line, &nanos, &to); n < 2 {
			continue
		}
		s.mu.Lock()
		s.taken = append(s.taken, taken{time.Unix(0, nanos), to})
		s.mu.Unlock()
		select {
		case s.news <- struct{}{}:
		default:
		}
	}
}

// forget begins anew.
func (s *sink) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = nil
}

// mails are those taken since forget, but for mail to the desk itself: that is
// the probe.
func (s *sink) mails() (n int, last time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.taken {
		if strings.HasSuffix(t.to, "@"+deskDomain) {
			continue
		}
		n++
		if t.at.After(last) {
			last = t.at
		}
	}
	return n, last
}

// wait waits for a mail to an address.
func (s *sink) wait(ctx context.Context, to string) (time.Time, error) {
	for {
		s.mu.Lock()
		for _, t := range s.taken {
			if t.to == to {
				s.mu.Unlock()
				return t.at, nil
			}
		}
		s.mu.Unlock()
		select {
		case <-s.news:
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("no confirmation to %s: %w", to, ctx.Err())
		}
	}
}
