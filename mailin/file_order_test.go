package mailin

import (
	"testing"
	"time"
)

// A plain value needs no clock: now is told.
func TestOrder_aMailWaitsAWhileForOneItNames(t *testing.T) {
	start := time.Now()
	child := func() (*order, *item) {
		o := newOrder()
		it := &item{relation: relation{own: "id child", names: []string{"id mother"}, keys: []string{"id child"}}}
		o.late("id mother", start.Add(waitForNamed))
		o.add(it)
		return &o, it
	}
	for _, c := range []struct {
		name  string
		after time.Duration
		turn  bool
	}{
		{"R75/a mail waits for one it names that is still stored", 0, false},
		{"R75/it waits almost five minutes", 5*time.Minute - time.Second, false},
		{"R75/it waits no longer than five minutes", 5*time.Minute + time.Second, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, it := child()
			if got := o.take(false, start.Add(c.after)); (got == it) != c.turn {
				t.Errorf("its turn: %v", got == it)
			}
		})
	}
	t.Run("R75/it waits no longer than the other takes", func(t *testing.T) {
		o, it := child()
		if got := o.take(false, start); got != nil {
			t.Fatal("it did not wait")
		}
		o.came("id mother")
		if got := o.take(false, start); got != it {
			t.Error("it still waits")
		}
	})
	t.Run("R75/one that is late again holds nobody up anew", func(t *testing.T) {
		o, _ := child()
		if o.late("id mother", start.Add(10*waitForNamed)) {
			t.Error("it does")
		}
	})
}
