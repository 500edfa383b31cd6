package flow

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Hours are a desk's office hours: by weekday, Sunday first, when it is open,
// in the order of the day. A desk that names none is always open.
type Hours [7][]span

// span is a part of a day, in minutes since midnight. It ends after it begins.
type span struct{ from, to int }

// maxSpans bounds what one weekday holds.
const maxSpans = 8

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

var (
	hoursPattern = regexp.MustCompile(`^([a-z]{3})(?:\s*-\s*([a-z]{3}))?\s+([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})$`)
	dayPattern   = regexp.MustCompile(`^(?:([0-9]{4})-)?([0-9]{2})-([0-9]{2})$`)
)

// holiday is a day on which the desk is closed; of every year if year is 0.
type holiday struct {
	year  int
	month time.Month
	day   int
}

// hours reads "mon-fri 09:00-17:00", or a list of such lines.
func (r *reader) hours(to *Hours) func(*node) {
	return func(n *node) {
		r.eachString(n, func(n *node, line string) {
			m := hoursPattern.FindStringSubmatch(strings.ToLower(strings.TrimSpace(line)))
			if m == nil {
				r.add(n.at, `%q is no line of office hours: as in "mon-fri 09:00-17:00" or "sat 10:00-12:30"`, line)
				return
			}
			first, last := slices.Index(weekdays, m[1]), slices.Index(weekdays, cmp.Or(m[2], m[1]))
			open := span{minutes(m[3], m[4]), minutes(m[5], m[6])}
			switch {
			case first < 0 || last < 0:
				r.add(n.at, "%q: the days are called %s", line, quoted(weekdays))
				return
			case open.from < 0 || open.to < 0 || open.from >= open.to:
				r.add(n.at, "%q: the first time must come before the second, and the last is 24:00", line)
				return
			}
			for day := first; ; day = (day + 1) % 7 { // "sat-mon" goes over the weekend
				of := &to[day]
				if slices.ContainsFunc(*of, func(s span) bool { return open.from < s.to && s.from < open.to }) {
					r.add(n.at, "%q: %s is open at that time already by another line", line, weekdays[day])
					return
				}
				if len(*of) == maxSpans {
					r.add(n.at, "%q: %s has %d lines already: that is the most", line, weekdays[day], maxSpans)
					return
				}
				*of = append(*of, open)
				slices.SortFunc(*of, func(a, b span) int { return a.from - b.from })
				if day == last {
					return
				}
			}
		})
	}
}

// minutes are a time of the day, -1 if it is none.
func minutes(hour, minute string) int {
	h, _ := strconv.Atoi(hour)
	m, _ := strconv.Atoi(minute)
	if m > 59 || h*60+m > 24*60 {
		return -1
	}
	return h*60 + m
}

// holidays reads days: "2026-12-25", or "12-25" of every year.
func (r *reader) holidays(to *[]holiday) func(*node) {
	return func(n *node) {
		r.eachString(n, func(n *node, day string) {
			m := dayPattern.FindStringSubmatch(strings.TrimSpace(day))
			var year, month, date int
			if m != nil {
				year, _ = strconv.Atoi(m[1])
				month, _ = strconv.Atoi(m[2])
				date, _ = strconv.Atoi(m[3])
			}
			// a leap year, so that 29 February can be named
			at := time.Date(cmp.Or(year, 2000), time.Month(month), date, 0, 0, 0, 0, time.UTC)
			if m == nil || m[1] == "0000" || at.Month() != time.Month(month) || at.Day() != date {
				r.add(n.at, `%q is no day: as in "2026-12-25", or "12-25" of every year`, day)
				return
			}
			*to = append(*to, holiday{year, at.Month(), date})
		})
	}
}

// eachString visits a string, or each of a list of them.
func (r *reader) eachString(n *node, visit func(*node, string)) {
	var lines []string
	r.stringList(&lines)(n)
	items := []*node{n}
	if n.kind == aList {
		items = n.items
	}
	for i, line := range lines {
		if line != "" { // said already
			visit(items[i], line)
		}
	}
}

// OpensAt is when the desk begins work on this day of its zone; false if it is
// closed all day, or has named no office hours.
func (d *Desk) OpensAt(year int, month time.Month, day int) (time.Time, bool) {
	spans := d.open(year, month, day)
	if len(spans) == 0 {
		return time.Time{}, false
	}
	return clock(year, month, day, spans[0].from, d.Zone()), true
}

// OpensAgain is when the desk opens next, if it is closed now: closed is false
// if it is open, if it has named no hours, and if it does not open within a
// year.
func (d *Desk) OpensAgain(now time.Time) (at time.Time, closed bool) {
	now = now.In(d.Zone())
	for days := range 366 {
		year, month, day := now.AddDate(0, 0, days).Date()
		for _, s := range d.open(year, month, day) {
			from := clock(year, month, day, s.from, d.Zone())
			switch {
			case now.Before(from):
				return from, true
			case now.Before(clock(year, month, day, s.to, d.Zone())):
				return time.Time{}, false
			}
		}
	}
	return time.Time{}, false
}

// open is when the desk is open on a day.
func (d *Desk) open(year int, month time.Month, day int) []span {
	for _, h := range d.Holidays {
		if h.month == month && h.day == day && (h.year == 0 || h.year == year) {
			return nil
		}
	}
	return d.Hours[time.Date(year, month, day, 12, 0, 0, 0, d.Zone()).Weekday()]
}

// clock is a time of the day as clocks on the wall show it.
func clock(year int, month time.Month, day, minutes int, zone *time.Location) time.Time {
	return time.Date(year, month, day, minutes/60, minutes%60, 0, 0, zone)
}

// String is the hours as a file may say them, Monday first.
func (h Hours) String() string {
	var lines []string
	for i := range weekdays {
		day := (i + 1) % 7
		for _, s := range h[day] {
			lines = append(lines, fmt.Sprintf("%s %02d:%02d-%02d:%02d", weekdays[day], s.from/60, s.from%60, s.to/60, s.to%60))
		}
	}
	return strings.Join(lines, ", ")
}

func (h holiday) String() string {
	if h.year == 0 {
		return fmt.Sprintf("%02d-%02d", h.month, h.day)
	}
	return fmt.Sprintf("%04d-%02d-%02d", h.year, h.month, h.day)
}
