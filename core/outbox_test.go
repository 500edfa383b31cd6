package core

import (
	"testing"
	"time"
)

func TestRetryAfter_growsToAnHour(t *testing.T) {
	want := []time.Duration{1, 5, 15, 30, 60, 60, 60}
	for tries, minutes := range want {
		if got := retryAfter(tries); got != minutes*time.Minute {
			t.Errorf("R60/after %d tries: %v, want %d min", tries, got, minutes)
		}
	}
}

func TestFateOf_eachAnswerOfAServer(t *testing.T) {
	const uncertain = 15 * time.Minute
	for _, c := range []struct {
		name   string
		result Result
		tries  int
		age    time.Duration
		want   fate
	}{
		{"R58/250 after the dot is sent", Accepted, 3, time.Hour, fate{state: "sent"}},
		{"R60/4xx is tried again in a minute", Temporary, 0, 0, fate{"retry", time.Minute, true}},
		{"R60/and later with patience", Temporary, 4, 2 * time.Hour, fate{"retry", time.Hour, true}},
		{"R60/for five days", Temporary, 120, 5 * 24 * time.Hour, fate{"retry", time.Hour, true}},
		{"R60/and then no more", Temporary, 121, 5*24*time.Hour + time.Second, fate{state: "failed", tried: true}},
		{"R60/5xx fails at once", Permanent, 0, 0, fate{state: "failed", tried: true}},
		{"R58/what cannot be composed fails", Uncomposable, 0, 0, fate{state: "failed", tried: true}},
		{"R60/5xx that blames the sender costs nothing and is due at once", SenderRefused, 2, time.Hour, fate{state: "retry"}},
		{"R60/a connection that broke before the dot costs no attempt", Unsent, 2, 59 * time.Minute, fate{state: "retry", wait: 15 * time.Second}},
		{"R60/when that goes on for an hour it is the network, and counts", Unsent, 2, time.Hour, fate{"retry", 15 * time.Minute, true}},
		{"R60/for five days", Unsent, 120, 5*24*time.Hour + time.Second, fate{state: "failed", tried: true}},
		{"R59/no answer to the dot is uncertain", Unanswered, 0, 0, fate{"uncertain", uncertain, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := fateOf(Delivery{Result: c.result}, c.tries, noon.Add(-c.age), noon, uncertain); got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}
