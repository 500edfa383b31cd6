package core

import (
	"regexp"
	"slices"
	"strings"
)

// structureFacts are what commands about cases as such are decided by; of the
// cases that the mail names.
type structureFacts struct {
	writers []writerRow // who wrote comments for the customer's side, or one that became the case
	done    []doneRow   // what other agents did in public, oldest first
	splits  []splitRow  // comments that could become a case, oldest first
	pairs   []linkRow   // which of the cases are linked
	desks   []int       // whose agent the sender is
	// number of the case that one becomes
	splitNumber int64
	notices     []noticeRow // when the sender was told of a case last
}

// writerRow is somebody of the customer's side who wrote in a case.
type writerRow struct {
	CaseID int64
	Person int64
	Member *int64 // organisation
	Agent  bool   // of this desk
}

// structure is what a command block does to cases as such.
type structure struct {
	gives  *given
	merges *merged
	splits *split
	links  []linking
}

// commandsOnTop are the names of the commands on top of a mail.
func (r *reading) commandsOnTop() (names []string) {
	lines, _ := r.commandBlock()
	for _, line := range lines {
		name, _ := r.commandIn(line)
		if k, ok := findCommand(name); ok {
			names = append(names, k.name)
		}
	}
	return names
}

// commandInput is what the commands of this mail are understood by.
func (r *reading) commandInput() commandInput {
	return commandInput{desk: r.desk.Desk, now: r.now, agents: r.f.agents, me: r.plan.person}
}

func (r *reading) commands(names ...string) bool {
	return slices.ContainsFunc(r.commandsOnTop(), func(n string) bool { return slices.Contains(names, n) })
}

// isNew says that this very mail opens the case.
func (r *reading) isNew(c *caseRow) bool { return r.f.caseByID(c.ID) != c }

// compact is a list of what is not empty.
func compact(all ...string) []string {
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

// oneNumber is a case number as people write it: [CASE-10001], case-10001.
var oneNumber = regexp.MustCompile(`(?i)^\[?([A-Z][A-Z0-9]{1,15}-[0-9]{1,30})\]?[.,;]?$`)

// caseNamed finds the case of this desk that a command names. One that there is
// not, and one that is not this agent's to see, are one answer (R63).
func (r *reading) caseNamed(number string) (*caseRow, error) {
	none := wrong{code: "no-case", name: number}
	n, ok := r.desk.readNumber(number)
	if !ok {
		return nil, none
	}
	for i := range r.f.cases {
		if c := &r.f.cases[i]; c.Desk == r.desk.id && c.Number == n && c.Visible {
			return c, nil
		}
	}
	if r.manyNamed() {
		return nil, wrong{code: "many-cases", name: idText(namedByCommands)}
	}
	return nil, none
}

// manyNamed says that the block names more cases than were looked up.
func (r *reading) manyNamed() bool {
	lines, _ := r.commandBlock()
	n := 0
	for _, line := range lines {
		n += len(bareNumber.FindAllString(line, namedByCommands+1))
	}
	return n > namedByCommands
}

// readCaseNumber reads the one case that a command is about.
func readCaseNumber(words string) (string, bool) {
	if i := strings.LastIndex(words, "/cases/"); i >= 0 { // the address of its page
		words = words[i+len("/cases/"):]
	}
	m := oneNumber.FindStringSubmatch(words)
	if m == nil {
		return "", false
	}
	return strings.ToUpper(m[1]), true
}
