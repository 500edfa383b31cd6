package mailin

import (
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
)

// littleBox is a mailbox for scripts: it answers as a server without any
// extension does, and a hook may answer before it. Its folders are INBOX and
// what is created.
type littleBox struct {
	mu    sync.Mutex
	mails map[uint32]string
	last  uint32
	size  func(raw string) string // "": none is told
	caps  string
	flags map[uint32]string
	hook  func(w *wire, tag, command string) bool
}

func newLittleBox(mails ...string) *littleBox {
	b := &littleBox{mails: map[uint32]string{}, flags: map[uint32]string{}, caps: "IMAP4rev1",
		size: func(raw string) string { return fmt.Sprint("RFC822.SIZE ", len(raw)) }}
	b.put(mails...)
	return b
}

func (b *littleBox) put(mails ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range mails {
		b.last++
		b.mails[b.last] = m
	}
}

func (b *littleBox) marked(uid uint32) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Contains(b.flags[uid], `\Seen`)
}

func (b *littleBox) play(w *wire) {
	w.say("* OK [CAPABILITY " + b.caps + "] hello")
	for {
		line := w.line()
		tag, command, _ := strings.Cut(line, " ")
		if b.hook != nil && b.hook(w, tag, command) {
			continue
		}
		b.answer(w, tag, command)
		if strings.HasPrefix(command, "LOGOUT") {
			return
		}
	}
}

var uidsAsked = regexp.MustCompile(`^UID \w+ ([0-9:,*]+)`)

// those are the UIDs of the box that a command names, in order.
func (b *littleBox) those(command string) (uids []uint32) {
	var set imap.UIDSet
	if m := uidsAsked.FindStringSubmatch(command); m != nil {
		for _, part := range strings.Split(m[1], ",") {
			var from, to uint32
			if n, _ := fmt.Sscanf(part, "%d:%d", &from, &to); n < 2 {
				if to = from; strings.HasSuffix(part, "*") {
					to = 0
				}
			}
			set.AddRange(imap.UID(from), imap.UID(to))
		}
	}
	for uid := uint32(1); uid <= b.last; uid++ {
		if _, there := b.mails[uid]; there && (set == nil || set.Contains(imap.UID(uid)) || set.Dynamic()) {
			uids = append(uids, uid)
		}
	}
	return uids
}

func (b *littleBox) answer(w *wire, tag, command string) {
	b.mu.Lock()
	var out strings.Builder
	switch {
	case strings.HasPrefix(command, "CAPABILITY"):
		fmt.Fprintf(&out, "* CAPABILITY %s\r\n", b.caps)
	case strings.HasPrefix(command, "SELECT"):
		fmt.Fprintf(&out, "* %d EXISTS\r\n* OK [UIDVALIDITY 7] .\r\n* OK [UIDNEXT %d] .\r\n", len(b.mails), b.last+1)
	case strings.HasPrefix(command, "UID SEARCH"):
		out.WriteString("* SEARCH")
		for _, uid := range b.those("") {
			fmt.Fprintf(&out, " %d", uid)
		}
		out.WriteString("\r\n")
	case strings.HasPrefix(command, "UID FETCH") && strings.Contains(command, "BODY"):
		for _, uid := range b.those(command) {
			fmt.Fprintf(&out, "* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n", uid, uid, len(b.mails[uid]), b.mails[uid])
		}
	case strings.HasPrefix(command, "UID FETCH"):
		for _, uid := range b.those(command) {
			fmt.Fprintf(&out, "* %d FETCH (UID %d %s INTERNALDATE %q)\r\n", uid, uid, b.size(b.mails[uid]), imapNow())
		}
	case strings.HasPrefix(command, "UID STORE"):
		for _, uid := range b.those(command) {
			b.flags[uid] += command
		}
	case strings.HasPrefix(command, "IDLE"):
		b.mu.Unlock()
		w.say("+ idling")
		w.line()
		w.say(tag + " OK done")
		return
	}
	b.mu.Unlock()
	w.raw(out.String() + tag + " OK done\r\n")
}

// cutter lets so many octets through and then hangs up.
type cutter struct {
	net.Conn
	left int
	sent func(int)
}

func (c *cutter) Write(p []byte) (int, error) {
	n := min(len(p), c.left)
	c.left -= n
	c.sent(n)
	if n, err := c.Conn.Write(p[:n]); err != nil || n < len(p) {
		c.Conn.Close()
		return n, errHungUp
	}
	return n, nil
}

// The stream of a session breaks after each of its octets: nothing is kept half,
// nothing is lost or doubled, and the next session goes on.
func TestPoll_R15_cutAfterEachOctet(t *testing.T) {
	mail := letter("whole", "X-Fill: "+strings.Repeat("0123456789", 8))
	session := func(t *testing.T, most int) (sent int) {
		var mu sync.Mutex
		box := newLittleBox(mail)
		d := newFakeDesk()
		server := script(t, func(w *wire) {
			left := 1 << 20
			if w.nth == 0 {
				left = most
			}
			w.conn = &cutter{w.conn, left, func(n int) { mu.Lock(); sent += n; mu.Unlock() }}
			box.play(w)
		})
		p := poller(t, d, server)
		p.Filer, p.PollEvery = filer(t, d), 20*time.Millisecond
		stop := running(t, p, p.Filer)
		d.wait(t, "the mail is kept, filed and told", func() bool { return len(d.rows) > 0 && d.rows[0].told })
		stop()
		defer d.lock()()
		if len(d.rows) != 1 || string(d.rows[0].raw) != mail || len(d.received) != 1 {
			t.Errorf("cut after %d octets: %d rows, %d filed, kept %q", most, len(d.rows), len(d.received), d.rows[0].raw)
		}
		if !box.marked(1) {
			t.Errorf("cut after %d octets: the mail was not marked", most)
		}
		mu.Lock()
		defer mu.Unlock()
		return sent
	}
	whole := session(t, 1<<20)
	if whole < len(mail)+200 {
		t.Fatalf("a session has %d octets", whole)
	}
	const parts = 8
	for part := range parts {
		t.Run(fmt.Sprintf("R15/a stream cut after %d, %d, ... octets of %d loses and doubles nothing", part, part+parts, whole), func(t *testing.T) {
			t.Parallel()
			for most := part; most < whole; most += parts {
				session(t, most)
			}
		})
	}
}
