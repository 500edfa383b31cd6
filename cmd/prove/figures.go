package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// progress is one line that changes, on a terminal; elsewhere nothing.
type progress struct {
	w    io.Writer
	last int
}

func newProgress(w io.Writer) *progress {
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return &progress{w: w}
		}
	}
	return &progress{}
}

func (p *progress) say(format string, args ...any) {
	if p.w == nil {
		return
	}
	line := fmt.Sprintf(format, args...)
	fmt.Fprintf(p.w, "\r%-*s", p.last, line)
	p.last = len(line)
}

func (p *progress) end() {
	if p.w != nil && p.last > 0 {
		fmt.Fprintf(p.w, "\r%*s\r", p.last, "")
	}
}

// result is what came of everything.
type result struct {
	seed      uint64
	roles     map[role]int
	by        map[string]int
	kills     map[string]int // by point
	idle      int
	lives     int
	letters   map[string]int // by kind, that the sink has
	gathered  int
	twice     map[string]int // by reason
	resent    int            // once and no more: their first try never arrived
	person    map[string]int // letters killed twice at their dot, by how often they arrived
	takenAnew int            // duplicates in the ledger: mail moved, and not noted
	slowest   time.Duration  // recovery
	after     string         // which kill
	took      time.Duration
	wrong     []string
}

func (r *result) print(w io.Writer) {
	named := 0
	for point, n := range r.kills {
		if point != "" {
			named += n
		}
	}
	total := r.roles[opens] + r.roles[joins] + r.roles[answers]
	fmt.Fprintf(w, "seed        %d\n", r.seed)
	fmt.Fprintf(w, "mails       %d: %d new, %d replies of customers, %d answers of agents\n", total, r.roles[opens], r.roles[joins], r.roles[answers])
	fmt.Fprintf(w, "replies     %s\n", counts(r.by))
	fmt.Fprintf(w, "kills       %d while work was under way: %d at random moments, %d at points (%s)\n", r.kills[""]+named, r.kills[""], named, counts(without(r.kills, "")))
	if r.idle > 0 {
		fmt.Fprintf(w, "            %d more found nothing under way and do not count\n", r.idle)
	}
	fmt.Fprintf(w, "starts      %d\n", r.lives)
	fmt.Fprintf(w, "sent        %s; %d notices gathered for digests\n", counts(r.letters), r.gathered)
	fmt.Fprintf(w, "sent twice  %d", sum(r.twice))
	if len(r.twice) > 0 {
		fmt.Fprintf(w, ": %s", counts(r.twice))
	}
	fmt.Fprintf(w, "\nsent again  %d more, whose first try had not arrived\n", r.resent)
	if len(r.person) > 0 {
		fmt.Fprintf(w, "uncertain   %d killed at their dot and again when they were sent again: a person decides (%s)\n", sum(r.person), counts(r.person))
	}
	fmt.Fprintf(w, "taken anew  %d mails, moved before a kill and not noted: known as duplicates\n", r.takenAnew)
	fmt.Fprintf(w, "recovery    %s at most from a kill to the end of all that it caught (%s)\n", r.slowest.Round(10*time.Millisecond), cmp.Or(r.after, "random"))
	fmt.Fprintf(w, "took        %s\n", r.took.Round(time.Second))
	if len(r.wrong) == 0 {
		fmt.Fprint(w, "\nnothing was lost and nothing happened twice\n")
		return
	}
	fmt.Fprintln(w, "\nwrong:")
	for _, line := range r.wrong {
		fmt.Fprintln(w, "-", line)
	}
}

// counts writes "3 these, 4 those".
func counts[N ~int](m map[string]N) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%d %s", m[key], key))
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, ", ")
}

func sum(m map[string]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

func without(m map[string]int, key string) map[string]int {
	m = maps.Clone(m)
	delete(m, key)
	return m
}
