package mailin

import (
	"slices"
	"time"

	"postern/core"
)

// waitForNamed is how long a mail waits for one that it names and that could
// not be filed yet (R75).
const waitForNamed = 5 * time.Minute

// freshFor is how long ago mail may have come in to be filed by the workers
// that no backlog keeps busy.
const freshFor = 10 * time.Minute

// item is a row on its way through the filer.
type item struct {
	relation
	row   core.Stored
	feed  *feed
	raw   *spool // nil: it is read back from the ledger
	fresh bool

	place   int64 // in the order; related items go by it
	running bool
	gone    bool // taken out before its turn
	listed  bool // in a ready list
}

func (it *item) held() int64 {
	if it.raw == nil {
		return 0
	}
	return it.raw.held()
}

// order decides whose turn it is: items that share a key go one after another,
// the others side by side. It is a plain value; the filer's lock guards it.
//
// Every key has a queue. An item is ready when it is first in all of its
// queues and nothing with one of its keys is in work. Queues are sorted by
// place, one order for all, so that no two items ever wait for each other.
type order struct {
	queues map[string]*queue
	items  map[*item]struct{}
	old    []*item // ready
	fresh  []*item // ready, and just come in
	parked []*item // ready, but naming a mail that is late
	missed map[string]time.Time
	last   int64
}

type queue struct {
	running *item
	waiting []*item
}

const (
	placeGap  = 1 << 20
	mostLate  = 10_000 // Message-IDs; with more, nobody waits for the rest
	freshOnes = 100    // beyond a backlog, in the window
)

func newOrder() order {
	return order{queues: map[string]*queue{}, items: map[*item]struct{}{}, missed: map[string]time.Time{}}
}

// add puts an item behind those before it; or before a mail that names it and
// came in first.
func (o *order) add(it *item) {
	o.last += placeGap
	it.place = o.last
	if child := o.childOf(it); child != nil {
		it.place = o.before(child)
	}
	o.items[it] = struct{}{}
	o.enqueue(it)
}

func (o *order) enqueue(it *item) {
	for _, key := range it.keys {
		q := o.queues[key]
		if q == nil {
			q = &queue{}
			o.queues[key] = q
		}
		at := len(q.waiting)
		for at > 0 && q.waiting[at-1].place > it.place {
			at--
		}
		q.waiting = slices.Insert(q.waiting, at, it)
	}
	o.offer(it)
}

func (o *order) childOf(it *item) *item {
	if it.own == "" || o.queues[it.own] == nil {
		return nil
	}
	for _, c := range o.queues[it.own].waiting {
		if slices.Contains(c.names, it.own) {
			return c
		}
	}
	return nil
}

// before is a place between an item and the one ahead of it. Rare, so it looks
// at all.
func (o *order) before(it *item) int64 {
	ahead := it.place - placeGap
	for other := range o.items {
		if other.place < it.place {
			ahead = max(ahead, other.place)
		}
	}
	if it.place-ahead < 2 {
		return o.last
	}
	return ahead + (it.place-ahead)/2
}

func (o *order) ready(it *item) bool {
	if it.running || it.gone {
		return false
	}
	for _, key := range it.keys {
		if q := o.queues[key]; q.running != nil || q.waiting[0] != it {
			return false
		}
	}
	return true
}

// offer lists an item if it is ready.
func (o *order) offer(it *item) {
	if it.listed || !o.ready(it) {
		return
	}
	it.listed = true
	if it.fresh {
		o.fresh = append(o.fresh, it)
	} else {
		o.old = append(o.old, it)
	}
}

// take gives the item whose turn it is, and nil if there is none.
func (o *order) take(freshOnly bool, now time.Time) *item {
	lists := []*[]*item{&o.old, &o.fresh}
	if freshOnly {
		lists = lists[1:]
	}
	for _, list := range lists {
		for len(*list) > 0 {
			it := (*list)[0]
			*list = (*list)[1:]
			it.listed = false
			switch {
			case !o.ready(it): // its mother came in meanwhile, or it is gone
			case o.waits(it, now):
				it.listed = true
				o.parked = append(o.parked, it)
			default:
				o.start(it)
				return it
			}
		}
	}
	return nil
}

func (o *order) start(it *item) {
	it.running = true
	for _, key := range it.keys {
		q := o.queues[key]
		q.waiting = q.waiting[1:]
		q.running = it
	}
}

// finish takes an item out after its try.
func (o *order) finish(it *item) {
	it.gone = true
	delete(o.items, it)
	o.leave(it)
}

// remove takes out an item whose turn has not come.
func (o *order) remove(it *item) {
	o.finish(it)
}

// putBack gives an item its old place again.
func (o *order) putBack(it *item) {
	o.leave(it)
	it.running = false
	o.enqueue(it)
}

func (o *order) leave(it *item) {
	for _, key := range it.keys {
		q := o.queues[key]
		if q.running == it {
			q.running = nil
		} else if at := slices.Index(q.waiting, it); at >= 0 {
			q.waiting = slices.Delete(q.waiting, at, at+1)
		}
		if q.running == nil && len(q.waiting) == 0 {
			delete(o.queues, key)
		}
	}
	for _, key := range it.keys {
		if q := o.queues[key]; q != nil && len(q.waiting) > 0 {
			o.offer(q.waiting[0])
		}
	}
}

// late says that a row was tried and is still stored. True: those that name it
// wait for it from now on.
func (o *order) late(own string, until time.Time) bool {
	if _, known := o.missed[own]; known || len(o.missed) >= mostLate {
		return false // five minutes in all
	}
	o.missed[own] = until
	return true
}

// came says that a row is at its end.
func (o *order) came(own string) {
	if _, known := o.missed[own]; known {
		delete(o.missed, own)
		o.unpark()
	}
}

func (o *order) waits(it *item, now time.Time) bool {
	for _, name := range it.names {
		if until, known := o.missed[name]; known && now.Before(until) {
			return true
		}
	}
	return false
}

// unpark has all that wait looked at again.
func (o *order) unpark() {
	now := time.Now()
	for name, until := range o.missed {
		// A minute more: a row that fails again must not hold others up anew.
		if now.After(until.Add(time.Minute)) {
			delete(o.missed, name)
		}
	}
	parked := o.parked
	o.parked = nil
	for _, it := range parked {
		it.listed = false
		o.offer(it)
	}
}
