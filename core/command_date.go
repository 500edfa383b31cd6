package core

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// opening is the hour of the day at which a date begins for a desk that has
// named no office hours.
const opening = 9

// dayWords name a day in the languages that there are mails in: tomorrow, and
// the weekdays, Sunday first.
var (
	tomorrowWords = []string{"tomorrow", "morgen", "i morgen", "imorgen"}
	weekdayWords  = [7][]string{
		{"sunday", "zondag", "søndag", "sonntag"},
		{"monday", "maandag", "mandag", "montag"},
		{"tuesday", "dinsdag", "tirsdag", "dienstag"},
		{"wednesday", "woensdag", "onsdag", "mittwoch"},
		{"thursday", "donderdag", "torsdag", "donnerstag"},
		{"friday", "vrijdag", "fredag", "freitag"},
		{"saturday", "zaterdag", "lørdag", "samstag", "sonnabend"},
	}
	noneWords = []string{"none", "geen", "ingen", "intet", "kein", "keine", "keiner", "-"}
)

var daysPattern = regexp.MustCompile(`^([0-9]{1,4}) ?([dw])$`)

// readDate reads "3d" as three calendar days, "2w", a weekday, "tomorrow",
// "2026-12-01", or day-month-year, at opening time in the desk's zone.
func readDate(s string, zone *time.Location, now time.Time) (time.Time, error) {
	written := s
	s = strings.ToLower(strings.Trim(s, " \t.\"'“”„‘’‚«»"))
	today := now.In(zone)
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, opening, 0, 0, 0, zone) }
	in := func(days int) time.Time { return day(today.Year(), today.Month(), today.Day()+days) }
	if m := daysPattern.FindStringSubmatch(s); m != nil {
		days, _ := strconv.Atoi(m[1])
		if m[2] == "w" {
			days *= 7
		}
		if days > 0 && days <= 366 {
			return in(days), nil
		}
		return time.Time{}, wrong{code: "bad-date", name: written}
	}
	if slices.Contains(tomorrowWords, s) {
		return in(1), nil
	}
	for weekday, words := range weekdayWords {
		if slices.Contains(words, s) { // the next one that is not today
			return in((weekday-int(today.Weekday())+6)%7 + 1), nil
		}
	}
	for _, layout := range []string{"2006-1-2", "2-1-2006", "2.1.2006", "2/1/2006"} {
		t, err := time.ParseInLocation(layout, s, zone)
		if err != nil {
			continue
		}
		at := day(t.Year(), t.Month(), t.Day())
		switch {
		case !at.After(now):
			return time.Time{}, wrong{code: "date-over", name: written}
		case at.After(now.AddDate(2, 0, 0)):
			return time.Time{}, wrong{code: "date-far", name: written}
		}
		return at, nil
	}
	return time.Time{}, wrong{code: "bad-date", name: written}
}

// stamp is an instant in a Change or in a step of undo, shownStamp in an event,
// which is read as it stands.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func readStamp(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

func shownStamp(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format("2006-01-02 15:04")
}

func timeOr(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
