package core

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"postern/core/flow"
)

// command is one line of a command block that was understood.
type command struct {
	status *flow.Status
	until  time.Time // of a status that rests: zero if no date was given
	note   bool      // the whole mail is internal
	spam   bool      // status ends the case without a word to the customer
	block  string    // "block" or "unblock" whoever asked for the case
}

// commandTable is what agents may write on top of a reply. A new concept of
// the desk brings its command here, in one place.
var commandTable = []struct {
	name string
	read func(d *flow.Desk, words string, now time.Time) (command, error)
}{
	{"status", readStatus},
	{"spam", readSpam},
	{"block", readBlock},
	{"unblock", readUnblock},
	{"note", func(*flow.Desk, string, time.Time) (command, error) { return command{note: true}, nil }},
}

// commandLine is '#' and a letter: a heading of Markdown has a blank there.
var commandLine = regexp.MustCompile(`^\s*#([A-Za-z]+)(?:[ \t:]+(.*))?$`)

// CommandBlock takes the command lines off the top of a visible reply, below the
// banner of a mail system if there is one (R43). lines are as they were written;
// text is the reply without them. A word that is no command, nor within two
// letters of one, is text.
func CommandBlock(reply string) (lines []string, text string) {
	banner, rest := splitBanner(reply)
	rest = strings.TrimLeft(rest, "\r\n\t ")
	for rest != "" {
		line, after, _ := strings.Cut(rest, "\n")
		m := commandLine.FindStringSubmatch(strings.TrimRight(line, "\r \t"))
		if m == nil || nearestCommand(m[1]) == "" {
			break
		}
		lines = append(lines, strings.TrimSpace(line))
		rest = strings.TrimLeft(after, "\r\n\t ")
	}
	if lines == nil {
		return nil, strings.TrimSpace(reply)
	}
	return lines, withBanner(banner, strings.TrimSpace(rest))
}

// readCommands understands a block. One bad line rejects all of it; problems
// says what is wrong with each, and what would be right.
func readCommands(d *flow.Desk, lines []string, now time.Time) (commands []command, problems []string) {
	for _, line := range lines {
		m := commandLine.FindStringSubmatch(line)
		name := strings.ToLower(m[1])
		known := false
		for _, c := range commandTable {
			if c.name != name {
				continue
			}
			known = true
			got, err := c.read(d, strings.TrimSpace(m[2]), now)
			if err != nil {
				problems = append(problems, fmt.Sprintf("%s: %v", clean(line, 100), err))
			}
			commands = append(commands, got)
		}
		if !known {
			problems = append(problems, fmt.Sprintf("%s: no such command; did you mean #%s?", clean(line, 100), nearestCommand(name)))
		}
	}
	if problems != nil {
		return nil, problems
	}
	return commands, nil
}

// strayCommands finds command lines below the first line of the text: they
// would reach the customer, and do nothing (R43).
func strayCommands(text string) (problems []string) {
	for line := range strings.Lines(text) {
		m := commandLine.FindStringSubmatch(strings.TrimRight(line, "\r\n \t"))
		if m == nil {
			continue
		}
		if name := strings.ToLower(m[1]); name == nearestCommand(name) {
			problems = append(problems, fmt.Sprintf("%s: commands stand first, above the text", clean(strings.TrimSpace(line), 100)))
		}
	}
	return problems
}

// nearestCommand is the command within two letters of word, "" if there is
// none.
func nearestCommand(word string) string {
	best, at := "", 3
	for _, c := range commandTable {
		if n := editDistance(strings.ToLower(word), c.name); n < at {
			best, at = c.name, n
		}
	}
	return best
}

// readStatus reads "resolved", "on hold 3d" or "on hold until 2026-12-01".
func readStatus(d *flow.Desk, words string, now time.Time) (command, error) {
	if s, ok := d.FindStatus(words); ok {
		return command{status: &s}, nil
	}
	name, when := words, ""
	if i := strings.LastIndexAny(words, " \t"); i > 0 {
		name, when = strings.TrimSpace(words[:i]), words[i+1:]
		name = strings.TrimSpace(strings.TrimSuffix(strings.ToLower(name), " until"))
	}
	s, ok := d.FindStatus(name)
	if !ok {
		return command{}, fmt.Errorf("no such status; there are: %s", strings.Join(d.Suggest(words), ", "))
	}
	if s.WakeTo == "" {
		return command{}, fmt.Errorf("%s takes no date", s.Key)
	}
	until, err := readDate(when, d.Zone(), now)
	if err != nil {
		return command{}, err
	}
	return command{status: &s, until: until}, nil
}

// opening is the hour of the day at which a date begins for a desk that has
// named no office hours.
const opening = 9

// readDate reads "3d" as three calendar days, "2026-12-01", or day-month-year,
// at opening time in the desk's zone.
func readDate(s string, zone *time.Location, now time.Time) (time.Time, error) {
	today := now.In(zone)
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, opening, 0, 0, 0, zone) }
	if n, ok := strings.CutSuffix(strings.ToLower(s), "d"); ok {
		if days, err := strconv.Atoi(n); err == nil && days > 0 && days <= 366 {
			return day(today.Year(), today.Month(), today.Day()+days), nil
		}
	}
	for _, layout := range []string{"2006-01-02", "2-1-2006", "2.1.2006", "2/1/2006"} {
		t, err := time.ParseInLocation(layout, s, zone)
		if err != nil {
			continue
		}
		at := day(t.Year(), t.Month(), t.Day())
		switch {
		case !at.After(now):
			return time.Time{}, fmt.Errorf("%s is over", s)
		case at.After(now.AddDate(2, 0, 0)):
			return time.Time{}, fmt.Errorf("%s is more than two years away", s)
		}
		return at, nil
	}
	return time.Time{}, fmt.Errorf("%q is no date: write 3d, or 2026-12-01", clean(s, 30))
}

// editDistance counts the letters to change, add or drop to get from a to b.
func editDistance(a, b string) int {
	if len(a) > 40 {
		a = a[:40]
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal, row[j+1] = row[j+1], min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// firstLine splits a reply into its first line that is not empty, below the
// banner of a mail system, and the reply without it.
func firstLine(reply string) (line, rest string) {
	banner, rest := splitBanner(reply)
	line, rest, _ = strings.Cut(strings.TrimSpace(rest), "\n")
	return strings.TrimSpace(line), withBanner(banner, strings.TrimSpace(rest))
}
