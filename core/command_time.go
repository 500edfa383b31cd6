package core

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// spends is "#time 45m": time that the agent spent, in minutes; less than 0
// takes some back.
type spends struct{ minutes int }

// minutesAtOnce is what one command can add: more is a mistake.
const minutesAtOnce = 100 * 60

var (
	hoursAndMinutes = regexp.MustCompile(`^([0-9]{1,4}) ?[hut:] ?([0-9]{1,2})(?: ?m(?:in)?)?$`) // 1h30, 1:30, 1u30
	hoursOnly       = regexp.MustCompile(`^([0-9]{1,4})(?:[.,]([0-9]{1,2}))? ?(?:h|u|t|std|uur|hours?|timer?|stunden?)$`)
	minutesOnly     = regexp.MustCompile(`^([0-9]{1,5}) ?(?:m|min|minutes?|minuten|minutter)?$`)
)

func readTime(_ commandInput, words string) (order, error) {
	bad := wrong{code: "bad-time", name: words}
	s := strings.ToLower(strings.Trim(words, " \t.\"'“”"))
	back := false
	for _, minus := range []string{"-", "−", "–", "‑", "‐"} { // as programs write it
		if rest, ok := strings.CutPrefix(s, minus); ok {
			s, back = strings.TrimSpace(rest), true
			break
		}
	}
	s = strings.TrimPrefix(s, "+")
	minutes := 0
	if m := hoursAndMinutes.FindStringSubmatch(s); m != nil {
		h, _ := strconv.Atoi(m[1])
		rest, _ := strconv.Atoi(m[2])
		if rest > 59 {
			return nil, bad
		}
		minutes = 60*h + rest
	} else if m := hoursOnly.FindStringSubmatch(s); m != nil {
		h, _ := strconv.Atoi(m[1])
		hundredths, _ := strconv.Atoi((m[2] + "00")[:2])
		minutes = 60*h + (hundredths*60+50)/100
	} else if m := minutesOnly.FindStringSubmatch(s); m != nil {
		minutes, _ = strconv.Atoi(m[1])
	}
	switch {
	case minutes == 0:
		return nil, bad
	case minutes > minutesAtOnce:
		return nil, wrong{code: "time-much", name: hoursText(minutesAtOnce)}
	case back:
		minutes = -minutes
	}
	return spends{minutes}, nil
}

func (spends) sets() string { return "time" }

func (o spends) refuse(_ *reading, b *block) error {
	if b.c.Spent+int64(o.minutes) < 0 {
		return wrong{code: "time-below", name: hoursText(b.c.Spent)}
	}
	return nil
}

func (o spends) carry(r *reading, b *block) {
	r.spend(b.c, b.agent, o.minutes)
	b.did(Change{"time", hoursText(b.c.Spent), hoursText(b.c.Spent + int64(o.minutes))},
		undoStep{Field: fieldTime, Became: strconv.Itoa(o.minutes)})
}

// spend plans to write time down.
func (r *reading) spend(c *caseRow, agent provenAgent, minutes int) {
	r.plan.spends = minutes
	r.plan.events = append(r.plan.events, newEvent{kind: "time", actor: agent.person, internal: true,
		was: hoursText(c.Spent), became: hoursText(c.Spent + int64(minutes))})
}

// hoursText is a number of minutes as people read it: "1:30".
func hoursText(minutes int64) string { return fmt.Sprintf("%d:%02d", minutes/60, minutes%60) }
