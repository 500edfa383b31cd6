package mailout

import (
	"bytes"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// limits are how long each step may take; RFC 5321 §4.5.3.2 says how long a
// client should be ready to wait.
type limits struct {
	connect time.Duration // until the login has been taken
	greet   time.Duration // one answer until then
	command time.Duration // MAIL, RCPT, DATA, RSET
	block   time.Duration // writing some of the mail
	dot     time.Duration // the answer to the final dot (R59)
}

var defaultLimits = limits{
	connect: time.Minute,
	greet:   30 * time.Second,
	command: 5 * time.Minute,
	block:   3 * time.Minute,
	dot:     10 * time.Minute,
}

// wire is a connection with a time limit on each read and write rather than on
// the whole: the limit is on silence, not on size.
type wire struct {
	net.Conn
	within atomic.Int64
	broken atomic.Bool // a write failed: what was written last never left
	shut   atomic.Bool

	// Until the handshake begins, what the server says after its answer to
	// STARTTLS was slipped in by somebody (R14).
	handshake bool
	answer    []byte
}

var errInjected = errors.New("something was slipped in between its answer to STARTTLS and the handshake")

func (w *wire) limit(d time.Duration) { w.within.Store(int64(d)) }

// expectHandshake is called before STARTTLS is sent.
func (w *wire) expectHandshake() { w.handshake = true }

func (w *wire) Read(p []byte) (int, error) {
	if err := w.Conn.SetReadDeadline(time.Now().Add(time.Duration(w.within.Load()))); err != nil {
		return 0, err
	}
	n, err := w.Conn.Read(p)
	if !w.handshake {
		return n, err
	}
	w.answer = append(w.answer, p[:n]...)
	if end := answerEnd(w.answer); end >= 0 {
		injected := end < len(w.answer)
		w.handshake, w.answer = false, nil
		if injected {
			return 0, errInjected
		}
	}
	return n, err
}

// answerEnd is where the first whole answer in b ends, -1 if it is not whole.
func answerEnd(b []byte) int {
	for at := 0; ; {
		n := bytes.IndexByte(b[at:], '\n')
		if n < 0 {
			return -1
		}
		if line := b[at : at+n]; len(line) < 4 || line[3] != '-' {
			return at + n + 1
		}
		at += n + 1
	}
}

func (w *wire) Write(p []byte) (int, error) {
	if err := w.Conn.SetWriteDeadline(time.Now().Add(time.Duration(w.within.Load()))); err != nil {
		w.broken.Store(true)
		return 0, err
	}
	n, err := w.Conn.Write(p)
	if err != nil {
		w.broken.Store(true)
	}
	return n, err
}

// Close may be called while others read and write.
func (w *wire) Close() error {
	w.shut.Store(true)
	return w.Conn.Close()
}

// The libraries above set deadlines for a whole exchange; ours are in Read and
// Write.
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }
