package mailin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strconv"
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
	left  int64 // octets that may still come for what was asked
	cause error // why we closed it
}

// talk is what a server may say about anything beside the bodies that we ask
// for: 100,000 UIDs one by one are 700 KB. Beyond it, it would fill our memory.
const talk = 32 << 20

func (g *guardConn) Read(p []byte) (int, error) {
	g.mu.Lock()
	g.Conn.SetReadDeadline(time.Now().Add(g.idle)) // progress, not total time
	g.mu.Unlock()
	n, err := g.Conn.Read(p)
	g.mu.Lock()
	g.left -= int64(n)
	flood := g.left < 0
	g.mu.Unlock()
	if flood {
		g.fail(errFlood)
		return 0, errFlood
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		g.mu.Lock()
		idle := g.idle
		g.mu.Unlock()
		g.fail(fmt.Errorf("the server sent nothing for %s", idle)) // or the decoder tries again
	}
	return n, err
}

var errFlood = errors.New("the server sends without end what nobody asked for")

// SetReadDeadline does nothing: the library resets it at each response.
func (g *guardConn) SetReadDeadline(time.Time) error { return nil }

// limit holds at once, for a Read that is waiting too.
func (g *guardConn) limit(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.idle, g.left = d, talk
	g.Conn.SetReadDeadline(time.Now().Add(d))
}

// expect lets so many octets more come.
func (g *guardConn) expect(octets int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left += octets
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
	way    string        // how we signed in
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

// SignIn is how the server let us in: AUTH=PLAIN, LOGIN, AUTH=XOAUTH2 ...
func (c *Conn) SignIn() string { return c.way }

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

// over says that the connection has ended.
func (c *Conn) over() bool {
	select {
	case <-c.client.Closed():
		return true
	default:
		return c.guard.why() != nil
	}
}

var errLineBroke = errors.New("the connection broke while nobody used it")

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
	return c.doWithin(ctx, c.pace.command, 0, what, command)
}

// doWithin is do for a command that brings octets of bodies.
func (c *Conn) doWithin(ctx context.Context, most time.Duration, octets int64, what string, command func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.guard.limit(c.pace.silence)
	c.guard.expect(octets)
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

// busyCodes are refusals that say nothing of what was asked (RFC 5530): it is
// asked again later.
var busyCodes = map[imap.ResponseCode]bool{
	imap.ResponseCodeUnavailable: true, imap.ResponseCodeInUse: true, imap.ResponseCodeLimit: true,
	imap.ResponseCodeServerBug: true, imap.ResponseCodeOverQuota: true, imap.ResponseCodeContactAdmin: true,
	"THROTTLED": true,
}

// busyText is how servers say the same without a code: Exchange names the time
// that it wants to be left alone.
var busyText = regexp.MustCompile(`(?i)throttl|too many simultaneous|server (?:is )?(?:busy|unavailable)|backoff time: ?(\d{1,9}) ?milliseconds`)

// unnamed is for a server that names no time: the usual waits do.
const unnamed = time.Millisecond

// longestBusy bounds what a server may ask for: mail waits meanwhile.
const longestBusy = 15 * time.Minute

// busy is how long a server that cannot serve us now wants to be left alone;
// 0 if it is not that.
func busy(err error) time.Duration {
	var r *refusal
	if !errors.As(err, &r) {
		return 0
	}
	found := busyText.FindAllStringSubmatch(r.answer.Text, -1)
	if !busyCodes[r.answer.Code] && found == nil {
		return 0
	}
	wait := unnamed
	for _, m := range found {
		if ms, err := strconv.Atoi(m[1]); err == nil {
			wait = max(wait, time.Duration(ms)*time.Millisecond)
		}
	}
	return min(wait, longestBusy)
}
