package flow

import "slices"

// way is one arrow of the status flow, whoever goes it.
type way struct {
	from, to string
	free     bool // only because any active status leads there
}

// ways returns every arrow of the flow once: the file's moves, what statuses
// imply, and reopening.
func (d *Desk) ways() []way {
	var ways []way
	add := func(w way) {
		if w.from == w.to || w.to == "" {
			return
		}
		i := slices.IndexFunc(ways, func(o way) bool { return o.from == w.from && o.to == w.to })
		if i < 0 {
			ways = append(ways, w)
		} else if !w.free {
			ways[i].free = false
		}
	}
	for _, s := range d.Statuses {
		for _, m := range s.implied() {
			add(way{from: s.Key, to: m.To})
		}
		if s.Class == Closed && d.Reopen.Days != 0 {
			add(way{from: s.Key, to: d.Reopen.To})
		}
		for _, m := range d.Moves {
			switch {
			case slices.Contains(m.From, s.Key):
				add(way{from: s.Key, to: m.To})
			case slices.Contains(m.From, Any) && s.Class.Active():
				add(way{from: s.Key, to: m.To, free: true})
			}
		}
	}
	return ways
}

// shortest returns the shortest path from a new case to one that ended well:
// over the arrows the desk drew itself if they lead there, over all otherwise.
func (d *Desk) shortest(ways []way) []string {
	own := slices.DeleteFunc(slices.Clone(ways), func(w way) bool { return w.free })
	if path := d.search(own); path != nil {
		return path
	}
	return d.search(ways)
}

func (d *Desk) search(ways []way) []string {
	paths := map[string][]string{d.Initial: {d.Initial}}
	for queue := []string{d.Initial}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if s, _ := d.Status(at); s.Class == Closed {
			return paths[at]
		}
		for _, w := range ways {
			if _, seen := paths[w.to]; w.from == at && !seen {
				paths[w.to] = append(slices.Clone(paths[at]), w.to)
				queue = append(queue, w.to)
			}
		}
	}
	return nil
}
