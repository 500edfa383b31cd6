package core

import (
	"testing"
	"time"
)

// turns is a talk of n turns before noon: our mail leaves, and the answer comes
// so long after it; the next mail of ours leaves at once.
func turns(n int, answer time.Duration, answers bool) (t talk) {
	at := noon.Add(-time.Duration(n) * answer)
	for range n {
		t.Came, t.Answers = append(t.Came, at), append(t.Answers, answers)
		t.Sent = append(t.Sent, at)
		at = at.Add(answer)
	}
	return t
}

func TestTalk_pingPong(t *testing.T) {
	for _, c := range []struct {
		name    string
		talk    talk
		answers bool
		want    bool
	}{
		{"R50/nobody has written", talk{}, true, false},
		{"R50/four quick answers are a ping-pong", turns(4, time.Minute, true), true, true},
		{"R50/three are none", turns(3, time.Minute, true), true, false},
		{"R50/a longer one is one", turns(7, time.Minute, true), true, true},
		{"R50/two minutes are no quick answer", turns(4, 2*time.Minute, true), true, false},
		{"R50/a second less is one", turns(4, 2*time.Minute-time.Second, true), true, true},
		{"R50/new mails are a ping-pong if nobody writes that fast", turns(4, 19*time.Second, false), false, true},
		{"R50/four questions in four minutes are a person's", turns(4, time.Minute, false), false, false},
		{"R50/one slow answer breaks it", func() talk {
			t := turns(4, time.Minute, true)
			t.Came[0], t.Sent[0] = t.Came[0].Add(-2*time.Minute), t.Sent[0].Add(-2*time.Minute)
			return t
		}(), true, false},
		{"R50/a person of the desk in between breaks it", func() talk {
			t := turns(4, time.Minute, true)
			t.Wrote = []time.Time{t.Sent[2]}
			return t
		}(), true, false},
		{"R50/a person before it does not", func() talk {
			t := turns(4, time.Minute, true)
			t.Wrote = []time.Time{t.Came[0].Add(-time.Second)}
			return t
		}(), true, true},
		{"R50/mail that we did not answer is no turn", func() talk {
			t := turns(4, time.Minute, true)
			t.Sent = t.Sent[:1]
			return t
		}(), true, false},
		{"R50/five mails at once are no turns", func() talk {
			t := turns(4, 0, false)
			t.Sent = nil // the answers have not left yet
			return t
		}(), false, false},
		{"R50/a mailbox that dates by whole seconds hides none", func() talk {
			t := turns(4, time.Second, true)
			for i := range t.Sent {
				t.Sent[i] = t.Sent[i].Add(400 * time.Millisecond)
			}
			return t
		}(), true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.talk.pingPong(noon, c.answers); got != c.want {
				t.Errorf("%v", got)
			}
			c.talk.Muted = true
			if got := c.talk.stopped(noon, c.answers); got != mutedReason {
				t.Errorf("muted: %q", got)
			}
		})
	}
}
