package core

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"postern/core/flow"
)

// commandKind is one command that agents may write on top of a reply (R42).
type commandKind struct {
	name  string
	alias []string // the same in other languages
	takes string   // what stands behind it, in capitals, as #help shows it
	read  func(in commandInput, words string) (order, error)
}

// commandInput is what a command line is understood by.
type commandInput struct {
	desk *flow.Desk
	now  time.Time
}

// order is a command line that was understood.
type order interface {
	// sets is what it sets on the case ("status", "owner"): no block sets one
	// thing twice. "" for what may stand more than once.
	sets() string
	// refuse says why it cannot be carried out on this case now, and what could
	// be; "" if it can.
	refuse(r *reading, b *block) string
	// carry plans it, and tells the block what changes.
	carry(r *reading, b *block)
}

// block is a command block on its way through: what stood on top of a mail,
// what stood below, and what comes of it.
type block struct {
	c        *caseRow
	agent    provenAgent
	text     string   // below the commands
	lines    []string // as they were written
	orders   []order
	note     bool     // the text is for colleagues only
	quiet    bool     // no mail to the customer's side
	changed  []change // what was done, for the transcript
	problems []string // why nothing of it was carried out
}

// change is one thing that a block changed: before and after.
type change struct {
	what, was, became string
}

func (c change) String() string {
	if c.was == "" && c.became == "" {
		return c.what
	}
	return fmt.Sprintf("%s: %s -> %s", c.what, nameOr(c.was, "none"), nameOr(c.became, "none"))
}

// commandTable is what agents may write on top of a reply. A new concept of
// the desk brings its command here, in one place.
var commandTable = []commandKind{
	{name: "status", takes: "STATUS [DATE]", read: readStatus},
	{name: "note", read: readNote},
	{name: "spam", read: readSpam},
	{name: "block", read: readBlock},
	{name: "unblock", read: readUnblock},
	{name: "merge", takes: "CASE", read: readMerge},
	{name: "split", takes: "TITLE", read: readSplit},
	{name: "link", takes: "CASE", read: readLink},
	{name: "unlink", takes: "CASE", read: readUnlink},
	{name: "requester", takes: "ADDRESS", read: readRequester},
}

// names are all names of a command.
func (k commandKind) names() []string { return append([]string{k.name}, k.alias...) }

// findCommand is the command of this name, in whatever language.
func findCommand(name string) (commandKind, bool) {
	name = strings.ToLower(name)
	for _, k := range commandTable {
		if slices.Contains(k.names(), name) {
			return k, true
		}
	}
	return commandKind{}, false
}

// commandLine is '#' and a letter: a heading of Markdown has a blank there.
var commandLine = regexp.MustCompile(`^\s*#(\pL+)(?:[ \t:]+(.*))?$`)

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
func readCommands(in commandInput, lines []string) (orders []order, problems []string) {
	setBy := map[string]string{}
	for _, line := range lines {
		m := commandLine.FindStringSubmatch(line)
		bad := func(format string, args ...any) {
			problems = append(problems, clean(line, 100)+": "+fmt.Sprintf(format, args...))
		}
		k, ok := findCommand(m[1])
		if !ok {
			bad("no such command; did you mean #%s?", nearestCommand(m[1]))
			continue
		}
		o, err := k.read(in, strings.TrimSpace(m[2]))
		if err != nil {
			bad("%v", err)
			continue
		}
		if what := o.sets(); what != "" {
			if first := setBy[what]; first != "" {
				bad("the %s is set by %s already", what, first)
				continue
			}
			setBy[what] = clean(line, 100)
		}
		orders = append(orders, o)
	}
	if problems != nil {
		return nil, problems
	}
	return orders, nil
}

// strayCommands finds command lines below the first line of the text: they
// would reach the customer, and do nothing (R43).
func strayCommands(text string) (problems []string) {
	for line := range strings.Lines(text) {
		m := commandLine.FindStringSubmatch(strings.TrimRight(line, "\r\n \t"))
		if m == nil {
			continue
		}
		if _, known := findCommand(m[1]); known {
			problems = append(problems, fmt.Sprintf("%s: commands stand first, above the text", clean(strings.TrimSpace(line), 100)))
		}
	}
	return problems
}

// nearestCommand is the name within two letters of word, "" if there is none.
func nearestCommand(word string) string {
	best, at := "", 3
	for _, k := range commandTable {
		for _, name := range k.names() {
			if n := editDistance(strings.ToLower(word), name); n < at {
				best, at = name, n
			}
		}
	}
	return best
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
