package mailin

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
)

func TestBusy(t *testing.T) {
	said := func(code imap.ResponseCode, text string) error {
		return fmt.Errorf("session: %w", &refusal{"UID FETCH", &imap.Error{Type: imap.StatusResponseTypeNo, Code: code, Text: text}})
	}
	for name, c := range map[string]struct {
		err  error
		want time.Duration
	}{
		"R15/UNAVAILABLE":                           {said("UNAVAILABLE", "try later"), unnamed},
		"R15/INUSE":                                 {said("INUSE", "locked"), unnamed},
		"R15/LIMIT":                                 {said("LIMIT", "too much"), unnamed},
		"R15/OVERQUOTA of Gmail":                    {said("OVERQUOTA", "Account exceeded command or bandwidth limits."), unnamed},
		"R15/THROTTLED of Gmail":                    {said("THROTTLED", "System Error"), unnamed},
		"R15/too many connections at Gmail":         {said("ALERT", "Too many simultaneous connections. (Failure)"), unnamed},
		"R15/Exchange names a time":                 {said("", "Request is throttled. Suggested Backoff Time: 299822 milliseconds"), 299822 * time.Millisecond},
		"R15/Exchange names a time below a second":  {said("", "Request is throttled. Suggested Backoff Time: 12 milliseconds"), 12 * time.Millisecond},
		"R15/nobody is left alone for a day":        {said("", "Suggested Backoff Time: 86400000 milliseconds"), longestBusy},
		"R15/a number out of all reason is ignored": {said("", "Request is throttled. Suggested Backoff Time: 99999999999999999999 milliseconds"), unnamed},
		"R15/a missing mail is no such thing":       {said("NONEXISTENT", "no such message"), 0},
		"R15/a wrong password is no such thing":     {said("AUTHENTICATIONFAILED", "go away"), 0},
		"R15/a broken connection is no such thing":  {errors.New("throttled"), 0},
		"R15/nothing is wrong":                      {nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := busy(c.err); got != c.want {
				t.Errorf("%s, not %s", got, c.want)
			}
		})
	}
}

// stages are the commands of a session, in order.
var stages = []string{"LOGIN", "SELECT", "UID SEARCH", "UID FETCH 1 (UID RFC822.SIZE", "UID FETCH 1 (UID BODY", "UID STORE"}

// inStage says whether a command belongs to a stage, in whatever order its
// items come.
func inStage(stage, command string) bool {
	switch {
	case strings.Contains(stage, "BODY"):
		return strings.HasPrefix(command, "UID FETCH") && strings.Contains(command, "BODY")
	case strings.Contains(stage, "SIZE"):
		return strings.HasPrefix(command, "UID FETCH") && strings.Contains(command, "SIZE")
	}
	return strings.HasPrefix(command, stage)
}

// atStage has a server do something odd so many times at one stage.
func atStage(stage string, times int, odd func(w *wire, tag string)) func(w *wire, tag, command string) bool {
	var mu sync.Mutex
	return func(w *wire, tag, command string) bool {
		if !inStage(stage, command) {
			return false
		}
		mu.Lock()
		times--
		now := times >= 0
		mu.Unlock()
		if now {
			odd(w, tag)
		}
		return now
	}
}

// Whatever a server does at whatever stage, the mail is kept once, filed, and
// marked in the end, and is blamed for nothing.
func TestPoll_R15_serversInTrouble(t *testing.T) {
	mail := letter("whole")
	type trouble struct {
		times int
		odd   func(w *wire, tag string)
	}
	for name, c := range map[string]trouble{
		"silent":      {1, func(w *wire, tag string) { w.hang() }},
		"says BYE":    {3, func(w *wire, tag string) { w.say("* BYE going down"); panic(errHungUp) }},
		"UNAVAILABLE": {6, func(w *wire, tag string) { w.say(tag + " NO [UNAVAILABLE] try later") }},
		"INUSE":       {6, func(w *wire, tag string) { w.say(tag + " NO [INUSE] locked") }},
		"LIMIT":       {6, func(w *wire, tag string) { w.say(tag + " NO [LIMIT] too much") }},
		"OVERQUOTA":   {6, func(w *wire, tag string) { w.say(tag + " NO [OVERQUOTA] bandwidth") }},
		"hangs up":    {3, func(w *wire, tag string) { panic(errHungUp) }},
		"talks rubbish": {3, func(w *wire, tag string) {
			w.say("* 1 FETCH (UID 1 RFC822.SIZE", "\x00\xff garbage", tag+" OK done")
			w.hang()
		}},
		"floods": {1, func(w *wire, tag string) {
			line := strings.Repeat("* OK still here\r\n", 4096)
			for {
				w.raw(line)
			}
		}},
		"sends a line without end": {1, func(w *wire, tag string) {
			w.raw("* OK ")
			line := strings.Repeat("x", 1<<16)
			for {
				w.raw(line)
			}
		}},
	} {
		t.Run("R15/"+name, func(t *testing.T) {
			for _, stage := range stages {
				t.Run(strings.Fields(stage)[len(strings.Fields(stage))-1], func(t *testing.T) {
					t.Parallel()
					box := newLittleBox(mail)
					box.hook = atStage(stage, c.times, c.odd)
					d := newFakeDesk()
					p := poller(t, d, script(t, box.play))
					p.shortest = 5 * time.Millisecond
					p.Filer = filer(t, d)
					running(t, p, p.Filer)
					d.wait(t, "the mail is kept, filed and told", func() bool { return len(d.rows) > 0 && d.rows[0].told })
					defer d.lock()()
					if len(d.rows) != 1 || string(d.rows[0].raw) != mail || len(d.received) != 1 || !box.marked(1) {
						t.Errorf("%d rows, %d filed, marked %v%s", len(d.rows), len(d.received), box.marked(1), d.dump())
					}
				})
			}
		})
	}
	t.Run("R15/silent in IDLE", func(t *testing.T) {
		t.Parallel()
		box := newLittleBox(mail)
		box.caps = "IMAP4rev1 IDLE"
		box.hook = atStage("IDLE", 1, func(w *wire, tag string) { w.hang() })
		d := newFakeDesk()
		running(t, poller(t, d, script(t, box.play)))
		d.opened(t)
		box.put(letter("later"))
		d.wait(t, "the later mail", func() bool { return len(d.rows) == 2 })
	})
}

func TestPoll_R15_throttled(t *testing.T) {
	t.Run("R15/a server that names a time is left alone for it", func(t *testing.T) {
		const asks = 1200 * time.Millisecond
		var mu sync.Mutex
		var tries []time.Time
		box := newLittleBox(letter("one"))
		box.hook = func(w *wire, tag, command string) bool {
			if !strings.HasPrefix(command, "SELECT") {
				return false
			}
			mu.Lock()
			defer mu.Unlock()
			tries = append(tries, time.Now())
			if len(tries) > 1 {
				return false
			}
			w.say(tag + " NO Request is throttled. Suggested Backoff Time: 1200 milliseconds")
			return true
		}
		d := newFakeDesk()
		running(t, poller(t, d, script(t, box.play)))
		d.wait(t, "kept", func() bool { return len(d.rows) == 1 })
		mu.Lock()
		defer mu.Unlock()
		if waited := tries[1].Sub(tries[0]); waited < asks {
			t.Errorf("it was asked again after %s", waited)
		}
	})
	t.Run("R15/a server that is unavailable has not refused the password", func(t *testing.T) {
		box := newLittleBox()
		box.hook = atStage("LOGIN", 1, func(w *wire, tag string) { w.say(tag + " NO [UNAVAILABLE] Temporary authentication failure.") })
		_, err := Dial(t.Context(), script(t, box.play))
		var login *LoginError
		if err == nil || errors.As(err, &login) {
			t.Errorf("%v", err)
		}
	})
}

func TestPoll_R9_R11_whatServersTellOfAMail(t *testing.T) {
	mail := letter("whole") + strings.Repeat("0123456789", 2000)
	exactly := fmt.Sprint("RFC822.SIZE ", len(mail))
	for name, c := range map[string]struct {
		size  string
		date  bool
		large bool // the server's word: larger than we take
	}{
		"R11/the size is right":                         {exactly, true, false},
		"R11/the size is told too small":                {"RFC822.SIZE 1", true, false},
		"R11/the size is told as nothing":               {"RFC822.SIZE 0", true, false},
		"R11/the size is told too large":                {"RFC822.SIZE 65536", true, false},
		"R11/the size is beyond what we take, by error": {"RFC822.SIZE 4294967295", true, false},
		"R11/no size is told":                           {"", true, false},
		"R11/no INTERNALDATE is told":                   {exactly, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box := newLittleBox(mail, letter("next"))
			box.hook = func(w *wire, tag, command string) bool {
				if !strings.HasPrefix(command, "UID FETCH") {
					return false
				}
				if strings.Contains(command, "]<") { // one octet behind the most
					w.say(fmt.Sprintf(`* 1 FETCH (UID 1 BODY[]<%d> "")`, 40<<20), tag+" OK done")
					return true
				}
				if strings.Contains(command, "BODY") {
					return false
				}
				date := ""
				if c.date {
					date = fmt.Sprintf(" INTERNALDATE %q", imapNow())
				}
				w.say(fmt.Sprintf("* 1 FETCH (UID 1 %s)", strings.TrimSpace(c.size+date)))
				w.say(fmt.Sprintf("* 2 FETCH (UID 2 RFC822.SIZE %d INTERNALDATE %q)", len(letter("next")), imapNow()))
				w.say(tag + " OK done")
				return true
			}
			d := newFakeDesk()
			running(t, poller(t, d, script(t, box.play)))
			d.wait(t, "both", func() bool { return len(d.rows) == 2 })
			defer d.lock()()
			for i, want := range []string{mail, letter("next")} {
				r := d.rows[i]
				if string(r.raw) != want || r.HeaderOnly || r.Size != int64(len(want)) {
					t.Errorf("kept %d of %d octets, size %d, header only: %v", len(r.raw), len(want), r.Size, r.HeaderOnly)
				}
			}
		})
	}

	for name, odd := range map[string]string{
		"R9/longer than announced":        "* 1 FETCH (UID 1 BODY[] {%[3]d}\r\n%[2]s)\r\n",
		"R9/shorter than announced":       "* 1 FETCH (UID 1 BODY[] {%[4]d}\r\n%[2]s)\r\n",
		"R9/an answer about another mail": "* 9 FETCH (UID 9 BODY[] {%[1]d}\r\n%[2]s)\r\n",
		"R9/no answer at all":             "",
		"R9/no UID":                       "* 1 FETCH (BODY[] {%[1]d}\r\n%[2]s)\r\n",
	} {
		t.Run(name+", and then right", func(t *testing.T) {
			t.Parallel()
			box := newLittleBox(mail)
			box.hook = atStage("BODY", 1, func(w *wire, tag string) {
				if odd != "" {
					w.raw(fmt.Sprintf(odd+"%[5]s", len(mail), mail, len(mail)-10, len(mail)+10, ""))
				}
				w.say(tag + " OK done")
			})
			d := newFakeDesk()
			running(t, poller(t, d, script(t, box.play)))
			d.wait(t, "kept", func() bool { return len(d.rows) == 1 })
			defer d.lock()()
			if string(d.rows[0].raw) != mail {
				t.Errorf("kept %d of %d octets", len(d.rows[0].raw), len(mail))
			}
		})
	}
}

func TestPoll_R2_absurdUIDs(t *testing.T) {
	t.Run("R2/a UID out of all reason carries the cursor nowhere", func(t *testing.T) {
		box := newLittleBox(letter("one"))
		box.hook = func(w *wire, tag, command string) bool {
			if !strings.HasPrefix(command, "UID SEARCH") {
				return false
			}
			w.raw("* SEARCH 4294967295")
			for uid := range box.count() {
				w.raw(fmt.Sprint(" ", uid+1))
			}
			w.say("", tag+" OK done")
			return true
		}
		d := newFakeDesk()
		running(t, poller(t, d, script(t, box.play)))
		d.wait(t, "the first", func() bool { return len(d.rows) == 1 })
		box.put(letter("two"))
		d.wait(t, "the second", func() bool { return len(d.rows) == 2 })
		defer d.lock()()
		if next := d.boxes["support/INBOX"].NextUID; next > 3 {
			t.Errorf("the cursor is %d", next)
		}
	})
	t.Run("R2/all numbers there are is no list", func(t *testing.T) {
		box := newLittleBox(letter("one"))
		box.caps = "IMAP4rev1 ESEARCH"
		box.hook = func(w *wire, tag, command string) bool {
			if strings.HasPrefix(command, "UID SEARCH") {
				w.say(`* ESEARCH (TAG "`+tag+`") UID ALL 1:4294967295`, tag+" OK done")
				return true
			}
			return false
		}
		d := newFakeDesk()
		p := poller(t, d, script(t, box.play))
		running(t, p)
		for deadline := time.Now().Add(10 * time.Second); !strings.Contains(p.Status().Err, "that cannot be"); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("err = %q", p.Status().Err)
			}
		}
	})
	t.Run("R2/the last number there is has none after it", func(t *testing.T) {
		if after(1) != 2 || after(1<<32-1) != 1<<32-1 {
			t.Error("it begins anew")
		}
	})
}

func (b *littleBox) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.mails)
}
