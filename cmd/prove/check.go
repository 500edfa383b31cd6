package main

import (
	"bytes"
	"fmt"
	"net/mail"
	"strings"
)

// checker compares what was fed with what came of it.
type checker struct {
	*result
	run   *proof
	facts facts

	rows     map[string][]ledgerRow // by Message-ID
	caseOf   map[*fed]int64         // of the mails that opened one
	ids      []string               // of letters, as the sink got them
	copies   map[string][]*handed
	letterOf map[string]*outboxRow // by Message-ID
	waits    map[string]bool       // "ledger row, kind" of letters that wait for a person
}

func check(r *proof, f facts) *result {
	c := &checker{
		result: &result{seed: r.options.seed, roles: map[role]int{}, by: map[string]int{}, kills: map[string]int{}, idle: r.idle, lives: r.life,
			letters: map[string]int{}, twice: map[string]int{}, person: map[string]int{}, took: r.took},
		run: r, facts: f,
		rows: map[string][]ledgerRow{}, caseOf: map[*fed]int64{}, letterOf: map[string]*outboxRow{}, waits: map[string]bool{},
	}
	var err error
	if c.ids, c.copies, err = r.world.sink.all(); err != nil {
		c.say("the sink: %v", err)
	}
	for _, row := range f.ledger {
		c.rows[row.MessageID] = append(c.rows[row.MessageID], row)
	}
	for i := range f.outbox {
		c.letterOf[f.outbox[i].MessageID] = &f.outbox[i]
	}
	c.mails()
	c.ledger()
	c.mailbox()
	c.outbox()
	c.owed()
	c.recovery()
	c.log()
	return c.result
}

// say notes what is wrong.
func (c *checker) say(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

// row is the one row of a mail that has an effect; the others found that it was
// known.
func (c *checker) row(id string) *ledgerRow {
	var found *ledgerRow
	for i, row := range c.rows[id] {
		switch {
		case row.State == "duplicate":
		case found != nil:
			c.say("mail %s has two ledger rows with an effect: %d and %d", id, found.ID, row.ID)
		default:
			found = &c.rows[id][i]
		}
	}
	return found
}

// mails: each was filed, and once.
func (c *checker) mails() {
	byLedger := map[int64][]caseRow{}
	for _, k := range c.facts.cases {
		if k.Ledger != nil {
			byLedger[*k.Ledger] = append(byLedger[*k.Ledger], k)
		}
	}
	said := map[int64][]commentRow{}
	for _, k := range c.facts.comments {
		if k.Ledger != nil {
			said[*k.Ledger] = append(said[*k.Ledger], k)
		}
	}
	opened := 0
	for _, m := range c.run.feeder.all() {
		c.roles[m.role]++
		if m.by != "" {
			c.by["by "+m.by]++
		}
		row := c.row(m.id)
		switch {
		case row == nil:
			c.say("mail %s is not in the ledger", m.id)
			continue
		case row.State != "filed":
			c.say("mail %s is %s (%s), ledger row %d", m.id, row.State, row.Reason, row.ID)
			continue
		case row.Assurance != "verified":
			c.say("mail %s is signed and counts as %s, ledger row %d", m.id, row.Assurance, row.ID)
		}
		cases, comments := byLedger[row.ID], said[row.ID]
		if m.role == opens {
			opened++
			if len(cases) != 1 || len(comments) != 0 {
				c.say("new mail %s made %d cases and %d comments (%s)", m.id, len(cases), len(comments), row.Outcome)
				continue
			}
			c.caseOf[m] = cases[0].ID
			if !strings.Contains(cases[0].Description, m.marker) {
				c.say("case %d has not the text of mail %s", cases[0].Number, m.id)
			}
			if n := c.facts.files[cases[0].ID]; m.file != (n == 1) {
				c.say("case %d has %d files", cases[0].Number, n)
			}
			continue
		}
		if len(cases) != 0 || len(comments) != 1 {
			c.say("reply %s by %s made %d cases and %d comments (%s)", m.id, m.by, len(cases), len(comments), row.Outcome)
			continue
		}
		if k := comments[0]; k.CaseID != c.caseOf[m.about] || !strings.Contains(k.Text, m.marker) || (k.Side == "desk") != (m.role == answers) {
			c.say("reply %s by %s is a comment of the %s's side on case id %d and belongs on %d: %.40q", m.id, m.by, k.Side, k.CaseID, c.caseOf[m.about], k.Text)
		}
	}
	if n := len(c.facts.cases); n != opened {
		c.say("%d new mails, but %d cases", opened, n)
	}
	if n, want := len(c.facts.comments), c.roles[joins]+c.roles[answers]; n != want {
		c.say("%d replies, but %d comments", want, n)
	}
	if c.facts.notes > 0 {
		c.say("%d notes that nobody wrote", c.facts.notes)
	}
}

// ledger: it holds what was fed and our own mail to ourselves, and nothing
// else.
func (c *checker) ledger() {
	known := map[string]bool{}
	for _, m := range c.run.feeder.all() {
		known[m.id] = true
	}
	for id, rows := range c.rows {
		if letter := c.letterOf[id]; !known[id] && (letter == nil || letter.Kind != "probe") {
			c.say("ledger row %d is of a mail that nobody fed: %s", rows[0].ID, id)
		}
		if len(c.copies[id]) == 0 {
			c.takenAnew += len(rows) - 1
		}
		for _, row := range rows {
			if row.State == "stored" || row.EndedAt == nil {
				c.say("ledger row %d of mail %s is not at its end: %s", row.ID, id, row.State)
			}
		}
	}
}

// mailbox: every mail there has one row that says where it lies, and every row
// has a mail, or another row that has it.
func (c *checker) mailbox() {
	lies := map[place]*ledgerRow{}
	has := map[string]bool{}
	for i, row := range c.facts.ledger {
		p := place{row.Folder, row.AtUID}
		if !row.Told {
			c.say("ledger row %d: the mail server was not told", row.ID)
		}
		if c.run.places[p] != row.MessageID {
			continue
		}
		if other := lies[p]; other != nil {
			c.say("ledger rows %d and %d both lie at %s %d", other.ID, row.ID, p.folder, p.uid)
		}
		lies[p], has[row.MessageID] = &c.facts.ledger[i], true
	}
	count := map[string]int{}
	for p, id := range c.run.places {
		count[id]++
		switch row := lies[p]; {
		case row == nil:
			c.say("no ledger row lies at %s %d, where mail %s is", p.folder, p.uid, id)
		case p.folder != "Processed":
			c.say("mail %s, ledger row %d, is %s and lies in %s", id, row.ID, row.State, p.folder)
		}
	}
	for _, m := range c.run.feeder.all() {
		if count[m.id] != 1 {
			c.say("mail %s is %d times in the mailbox", m.id, count[m.id])
		}
	}
	for id, rows := range c.rows {
		if !has[id] {
			c.say("ledger row %d lies nowhere: %s %d", rows[0].ID, rows[0].Folder, rows[0].AtUID)
		}
	}
}

// outbox: each letter that is sent arrived once, and nothing else arrived.
func (c *checker) outbox() {
	for _, id := range c.ids {
		if letter := c.letterOf[id]; letter == nil {
			c.say("a mail to %s was sent that is not in the outbox: %s", c.copies[id][0].to, id)
		} else {
			c.letters[letter.Kind]++
		}
	}
	for i := range c.facts.outbox {
		o := &c.facts.outbox[i]
		copies := c.copies[o.MessageID]
		switch {
		case o.State == "withheld":
			if o.Reason == "gathered" || o.Reason == "in a digest" {
				c.gathered++
			} else {
				c.say("letter %d (%s to %s) was withheld: %s", o.ID, o.Kind, o.Address, o.Reason)
			}
			if len(copies) > 0 {
				c.say("letter %d was withheld and is with %s", o.ID, o.Address)
			}
		case o.State == "uncertain" && o.Resent && len(c.caughtAtDot(o)) > 1:
			arrived := [...]string{"never arrived", "arrived once", "arrived twice"}
			if len(copies) >= len(arrived) {
				c.say("letter %d (%s to %s) arrived %d times", o.ID, o.Kind, o.Address, len(copies))
				continue
			}
			c.person[arrived[len(copies)]]++
			c.same(o, copies)
			c.waits[fmt.Sprintf("%d %s", o.CauseID, o.Kind)] = true
		case o.State != "sent":
			c.say("letter %d (%s to %s) is not at its end: %s (%s)", o.ID, o.Kind, o.Address, o.State, o.Reason)
		case len(copies) == 0:
			c.say("letter %d (%s to %s) counts as sent and never arrived", o.ID, o.Kind, o.Address)
		case len(copies) == 1 && o.Resent:
			c.resent++
		case len(copies) == 2:
			c.again(o, copies)
		case len(copies) > 2:
			c.say("letter %d (%s to %s) arrived %d times", o.ID, o.Kind, o.Address, len(copies))
		}
	}
}

// caughtAtDot are the kills that found a letter dotted: its dot may have been
// sent, and nobody knew of an answer.
func (c *checker) caughtAtDot(o *outboxRow) []kill {
	var found []kill
	for _, k := range c.run.kills {
		if k.outbox[o.ID] == "dotted" {
			found = append(found, k)
		}
	}
	return found
}

// again judges a letter that arrived twice: only a kill between the final dot
// and its answer excuses that (R59). The answer counts once Postern has
// committed it.
func (c *checker) again(o *outboxRow, copies []*handed) {
	c.same(o, copies)
	first := copies[0]
	var by *kill
	for _, k := range c.caughtAtDot(o) {
		if k.life == first.life {
			by = &k
		}
	}
	switch {
	case !o.Resent || by == nil:
		c.say("letter %d (%s to %s) arrived twice, and no kill caught it at its dot: lives %d and %d", o.ID, o.Kind, o.Address, first.life, copies[1].life)
	case first.answered.IsZero() || first.answered.After(by.at):
		c.twice["killed before the answer to the dot"]++
	case !first.heard:
		c.twice["killed when the answer was on its way"]++
	default:
		c.twice["killed before the answer was committed"]++
	}
}

func (c *checker) same(o *outboxRow, copies []*handed) {
	for _, h := range copies[min(1, len(copies)):] {
		if !bytes.Equal(h.raw, copies[0].raw) || h.from != copies[0].from || h.to != copies[0].to {
			c.say("letter %d (%s to %s) arrived twice, and the copies differ", o.ID, o.Kind, o.Address)
		}
	}
}

// owed: each mail caused the letters that it must, as the people see them and
// as the outbox has them.
func (c *checker) owed() {
	confirmed := map[string][]string{} // Message-IDs of the answers to a mail
	for _, id := range c.ids {
		m, err := mail.ReadMessage(bytes.NewReader(c.copies[id][0].raw))
		if err != nil {
			c.say("mail %s cannot be read: %v", id, err)
			continue
		}
		to := c.copies[id][0].to
		if m.Header.Get("Auto-Submitted") == "auto-replied" {
			key := strings.Trim(m.Header.Get("In-Reply-To"), "<> ") + " " + to
			confirmed[key] = append(confirmed[key], id)
		}
	}
	type owedFor struct {
		ledger int64
		kind   string
	}
	owed := map[owedFor][]string{}
	for _, o := range c.facts.outbox {
		if o.CauseKind == "ledger" {
			key := owedFor{o.CauseID, o.Kind}
			owed[key] = append(owed[key], o.Address)
		}
	}
	agents := len(c.run.world.people.agents)
	for _, m := range c.run.feeder.all() {
		row := c.row(m.id)
		if row == nil || row.State != "filed" {
			continue
		}
		switch m.role {
		case opens:
			ids := confirmed[m.id+" "+m.from.address]
			if len(ids) != 1 && !(len(ids) == 0 && c.waits[fmt.Sprintf("%d confirmation", row.ID)]) {
				c.say("mail %s was confirmed to its sender by %d mails", m.id, len(ids))
			}
			if n := len(owed[owedFor{row.ID, "confirmation"}]); n != 1 {
				c.say("mail %s has %d confirmations in the outbox", m.id, n)
			}
			if n := len(owed[owedFor{row.ID, "notice-new"}]); n != agents {
				c.say("mail %s has %d notices of a new case for %d agents", m.id, n, agents)
			}
		case joins:
			if n := len(owed[owedFor{row.ID, "notice-comment"}]); n < 1 || n > agents {
				c.say("reply %s has %d notices for %d agents", m.id, n, agents)
			}
		case answers:
			if to := owed[owedFor{row.ID, "answer"}]; len(to) != 1 || to[0] != m.about.from.address {
				c.say("answer %s went to %q and is for %s", m.id, to, m.about.from.address)
			}
		}
	}
}

// recovery is how long what a kill caught took to come to its end, over
// whatever kills came after it.
func (c *checker) recovery() {
	for _, k := range c.run.kills {
		c.kills[k.point]++
		last := k.at
		for _, row := range c.facts.ledger {
			if k.ledger[row.ID] && row.EndedAt != nil && row.EndedAt.After(last) {
				last = *row.EndedAt
			}
		}
		for _, o := range c.facts.outbox {
			if k.outbox[o.ID] != "" && o.SentAt != nil && o.SentAt.After(last) {
				last = *o.SentAt
			}
		}
		if took := last.Sub(k.at); took > c.slowest {
			c.slowest, c.after = took, k.point
		}
	}
}

// log: nothing of this is for a person to act on.
func (c *checker) log() {
	lines, err := c.run.world.errorLines()
	if err != nil {
		c.say("the log: %v", err)
	}
	for i, line := range lines {
		if i == 5 {
			c.say("the log has %d more lines of errors", len(lines)-i)
			break
		}
		c.say("the log has an error: %s", line)
	}
}
