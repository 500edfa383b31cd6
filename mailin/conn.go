package mailin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// pace is how long a server may take (R15).
type pace struct {
	connect time.Duration // from the dial to the greeting
	command time.Duration // a whole command, bodies apart
	silence time.Duration // without a byte while we wait for an answer
	resting time.Duration // without a byte while nothing is asked
}

var usualPace = pace{
	connect: 30 * time.Second,
	command: 2 * time.Minute,
	silence: time.Minute,
	resting: 26 * time.Minute, // IDLE is renewed after 25 at the latest
}

// slowest is the rate below which a body is given up: a server that sends one
// byte a minute is never silent and never done.
const slowest = 16 << 10 // octets a second

// guardConn gives every wait an end: go-imap's own limits hold only inside a
// response, and none of its methods takes a context.
type guardConn struct {
	net.Conn

	mu    sync.Mutex
	idle  time.Duration
	cause error // why we closed it
}

func (g *guardConn) Read(p []byte) (int, error) {
	g.mu.Lock()
	g.Conn.SetReadDeadline(time.Now().Add(g.idle)) // progress, not total time
	g.mu.Unlock()
	n, err := g.Conn.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		g.mu.Lock()
		idle := g.idle
		g.mu.Unlock()
		g.fail(fmt.Errorf("the server sent nothing for %s", idle)) // or the decoder tries again
	}
	return n, err
}

// SetReadDeadline does nothing: the library resets it at each response.
func (g *guardConn) SetReadDeadline(time.Time) error { return nil }

// limit holds at once, for a Read that is waiting too.
func (g *guardConn) limit(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.idle = d
	g.Conn.SetReadDeadline(time.Now().Add(d))
}

// fail closes the connection. The first cause is the one reported: the library
// flattens errors to text.
func (g *guardConn) fail(cause error) {
	g.mu.Lock()
	if g.cause == nil {
		g.cause = cause
	}
	g.mu.Unlock()
	g.Conn.Close()
}

func (g *guardConn) why() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.cause
}

// Conn is a signed-in connection to an IMAP server. It is used by one
// goroutine, one command at a time: with two FETCH in flight Dovecot mixes
// their answers and the library hangs.
type Conn struct {
	client *imapclient.Client
	guard  *guardConn
	caps   imap.CapSet
	pace   pace
	news   chan struct{} // the server said that a mail came in
}

// Abilities are the capabilities that matter here and that the server has.
func (c *Conn) Abilities() []string {
	var list []string
	for _, ability := range []imap.Cap{imap.CapIdle, imap.CapMove, imap.CapUIDPlus} {
		if c.caps.Has(ability) {
			list = append(list, string(ability))
		}
	}
	return list
}

// Folder looks whether a folder is there and how many mails it holds. The
// answer to a missing folder is an error that says so.
func (c *Conn) Folder(ctx context.Context, name string) (mails uint32, err error) {
	err = c.do(ctx, "STATUS "+name, func() error {
		data, err := c.client.Status(name, &imap.StatusOptions{NumMessages: true}).Wait()
		if err == nil && data.NumMessages != nil {
			mails = *data.NumMessages
		}
		return err
	})
	return mails, err
}

// Close ends the connection; politely, if the server answers at once.
func (c *Conn) Close() error {
	if c.guard.why() == nil {
		c.guard.limit(time.Second)
		polite := time.AfterFunc(time.Second, func() { c.guard.fail(net.ErrClosed) })
		c.client.Logout().Wait()
		polite.Stop()
	}
	c.guard.fail(net.ErrClosed)
	return nil
}

// do runs one command under the limits of R15.
func (c *Conn) do(ctx context.Context, what string, command func() error) error {
	return c.doWithin(ctx, c.pace.command, what, command)
}

func (c *Conn) doWithin(ctx context.Context, most time.Duration, what string, command func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.guard.limit(c.pace.silence)
	defer c.guard.limit(c.pace.resting)
	watchdog := time.AfterFunc(most, func() { c.guard.fail(fmt.Errorf("no end after %s", most)) })
	defer watchdog.Stop()
	defer context.AfterFunc(ctx, func() { c.guard.fail(context.Cause(ctx)) })()
	return c.reason(what, command())
}

// reason adds what was asked, and says why we hung up if we did.
func (c *Conn) reason(what string, err error) error {
	var answer *imap.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &answer):
		return &refusal{what, answer}
	}
	if cause := c.guard.why(); cause != nil {
		err = cause
	}
	return fmt.Errorf("%s: connection lost: %w", what, err)
}

// refusal is a NO or BAD: the server answered, the connection lives.
type refusal struct {
	what   string
	answer *imap.Error
}

func (r *refusal) Error() string {
	return fmt.Sprintf("%s: the server says %s %q", r.what, r.answer.Type, oneLine(r.answer.Text))
}

func (r *refusal) Unwrap() error { return r.answer }

func refused(err error) bool {
	var r *refusal
	return errors.As(err, &r)
}
