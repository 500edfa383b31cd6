package mime

import (
	"strconv"
	"strings"
	"time"
)

// parseDate reads a Date field: RFC 5322 with its old forms, what C's asctime
// and ISO 8601 write, and months in the languages in which programs put them
// by mistake. It is zero for what cannot be understood, and for years in which
// nobody sent mail. The day of the week, which is often wrong, is not looked
// at.
func parseDate(s string) time.Time {
	const longest = 200
	if len(s) > longest {
		return time.Time{}
	}
	s = stripComments(s)
	if t, ok := isoDate(s); ok {
		return sane(t)
	}
	var d dateParts
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' || r == '\u00a0' }) {
		if !d.word(word) {
			return time.Time{}
		}
	}
	return sane(d.time())
}

// dateParts is what was found so far; 0 is not yet.
type dateParts struct {
	day, month, year   int
	hour, minute, secs int
	timed, zoned, sure bool
	zone               int // seconds east
	afternoon, morning bool
}

func (d *dateParts) word(w string) bool {
	switch {
	case strings.Contains(w, ":") && !d.timed:
		return d.clock(w)
	case (w[0] == '+' || w[0] == '-') && d.timed:
		return d.offset(w)
	case w[0] >= '0' && w[0] <= '9' && strings.ContainsAny(w, "-/"):
		for _, part := range strings.FieldsFunc(w, func(r rune) bool { return r == '-' || r == '/' }) {
			if !d.word(part) { // 2-Nov-2026
				return false
			}
		}
		return true
	case w[0] >= '0' && w[0] <= '9':
		return d.number(strings.TrimRight(w, ".thndrsº"))
	}
	return d.name(w)
}

func (d *dateParts) number(w string) bool {
	n, err := strconv.Atoi(w)
	switch {
	case err != nil || n < 0:
		return false
	case d.day == 0 && n <= 31 && len(w) <= 2:
		d.day = n
		return n > 0
	case d.year == 0 && len(w) >= 2 && len(w) <= 4:
		switch d.year = n; { // RFC 5322 §4.3
		case len(w) == 2 && n < 50:
			d.year += 2000
		case len(w) <= 3:
			d.year += 1900
		}
		return true
	}
	return d.zoned // what follows the zone is a remark
}

func (d *dateParts) clock(w string) bool {
	zone := ""
	if i := strings.IndexAny(w, "+-"); i > 0 { // nobody left a space
		w, zone = w[:i], w[i:]
	}
	part := strings.Split(w, ":")
	if len(part) > 3 {
		return false
	}
	at := []*int{&d.hour, &d.minute, &d.secs}
	for i, p := range part {
		p, _, _ = strings.Cut(p, ".")
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 || n > 60 {
			return false
		}
		*at[i] = n
	}
	d.timed = true
	return d.hour < 24 && (zone == "" || d.offset(zone))
}

func (d *dateParts) offset(w string) bool {
	digits := strings.ReplaceAll(w[1:], ":", "")
	if len(digits) == 3 {
		digits = "0" + digits
	}
	n, err := strconv.Atoi(digits)
	if err != nil || len(digits) > 4 {
		return d.zoned
	}
	if len(digits) <= 2 {
		n *= 100
	}
	if n%100 >= 60 || n/100 > 14 {
		n = 0 // no such zone: best reading
	}
	d.zone = (n/100*60 + n%100) * 60
	if w[0] == '-' {
		d.zone = -d.zone
	}
	d.zoned = true
	return true
}

// name takes months and zones; days and anything else say nothing.
func (d *dateParts) name(w string) bool {
	if d.timed {
		if hours, ok := zones[strings.ToUpper(w)]; ok {
			if !d.zoned {
				d.zone, d.zoned = hours*3600, true
			}
			return true
		}
		for _, utc := range []string{"GMT", "UTC"} { // GMT+0200
			if rest, ok := strings.CutPrefix(strings.ToUpper(w), utc); ok && (rest[0] == '+' || rest[0] == '-') {
				return d.offset(rest)
			}
		}
	}
	switch strings.ToUpper(w) {
	case "AM":
		d.morning = true
	case "PM":
		d.afternoon = true
	}
	switch m := monthOf(w); {
	case m == 0 || d.timed:
	case d.day > 0 && !d.sure: // behind the day: no day of the week (French mar. is one, too)
		d.month, d.sure = m, true
	case d.day == 0 && months[lower(w[:min(len(w), 3)])] > 0:
		d.month = m
	}
	return true
}

func (d *dateParts) time() time.Time {
	if d.day == 0 || d.month == 0 || d.year == 0 {
		return time.Time{}
	}
	switch {
	case d.afternoon && d.hour < 12:
		d.hour += 12
	case d.morning && d.hour == 12:
		d.hour = 0
	}
	t := time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute, d.secs, 0, time.FixedZone("", d.zone))
	if t.Day() != d.day && d.secs < 60 && d.hour < 24 {
		return time.Time{} // 31 February
	}
	return t
}

// isoDate reads ISO 8601 and what databases make of it.
func isoDate(s string) (time.Time, bool) {
	if len(s) < 10 || s[4] != '-' {
		return time.Time{}, false
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02T15:04:05-0700", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// sane drops years that no mail is from.
func sane(t time.Time) time.Time {
	if y := t.Year(); y < 1970 || y > 2200 {
		return time.Time{}
	}
	return t
}

// zones are hours east. The letters of the military are not known to be used
// right (RFC 5322 §4.3): they are not here, and count as UTC.
var zones = map[string]int{
	"UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "BST": 1, "CET": 1, "MET": 1, "WEST": 1, "CEST": 2, "MEST": 2, "MESZ": 2, "MEZ": 1, "EET": 2, "EEST": 3, "MSK": 3,
	"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "JST": 9, "KST": 9, "HKT": 8, "SGT": 8, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}

// months are the beginnings of month names.
var months = map[string]int{"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12}

// foreignMonths are in Danish, Dutch, Finnish, French, German, Italian,
// Norwegian, Polish, Portuguese, Russian, Spanish and Swedish.
var foreignMonths = func() map[string]int {
	m := map[string]int{}
	for i, names := range []string{
		"gen ene sty tam янв", "fév fev lut hel фев", "mär mrt maa мар", "avr abr kwi huh апр", "mai maj mei mag май мая tou",
		"juin giu cze kes июн", "juil lug lip hei июл", "aoû ago sie elo авг", "set wrz syy сен", "okt out ott paź lok окт", "lis ноя", "déc dez dic gru jou дек",
	} {
		for name := range strings.FieldsSeq(names) {
			m[name] = i + 1
		}
	}
	return m
}()

// monthOf tells a month by its first three letters, or four.
func monthOf(w string) int {
	letters := []rune(lower(strings.TrimSuffix(w, ".")))
	if n := months[string(letters[:min(len(letters), 3)])]; n > 0 {
		return n
	}
	if n := foreignMonths[string(letters[:min(len(letters), 4)])]; n > 0 {
		return n
	}
	return foreignMonths[string(letters[:min(len(letters), 3)])]
}
