package core

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"postern/core/flow"
)

// plan is what becomes of one mail: a value, with its trace. carryOut writes
// it down; nothing else in it decides.
type plan struct {
	state     State
	outcome   string // "opens a case", "joins", "note" ...: for logs and explain
	reason    string // why it is held
	class     Class
	assurance Assurance
	evidence  []Step // of the assurance
	trace     []Step

	person    int64      // who From is; 0: nobody we know
	newPerson *newPerson // made with reserved id person
	joinOrg   *int64     // becomes a member of it, by domain
	verify    bool       // the person is verified from now on
	lift      bool       // its address is suppressed no longer (R55)

	caseID     int64
	number     string // of the case; of a new one it is known after carryOut
	opens      *newCase
	entry      *newEntry
	events     []newEvent
	change     *statusChange
	owner      int64 // becomes the case's owner
	sets       []caseField
	spends     int        // minutes that its author spent; less than 0: taken back
	saidOwner  bool       // it says whose the case is, and nothing else in it does
	saidStatus bool       // and which status it has
	undone     bool       // it takes back what f.undo tells of
	removed    []string   // addresses of who takes part no longer
	joins      int64      // becomes a participant
	leaves     *caseLeave // the sender leaves the case, or comes back (R38)
	joining    []invited  // and so do these
	proposed   []invited
	repliesTo  *string // where the sender wants the mail of this case; "": at their own address again (R39)
	behalf     *behalf // whom an agent opened the case for (R64)
	deskWrote  bool
	answered   bool // a confirmation was let out

	letters     []cleared
	suppress    string // address that bounces for good
	suppressWhy string
	probe       *probeRow
	probeReturn bool       // the probe came back with our bounce address in Return-Path
	border      *borderRow // a border test that came in (R32)
	forged      bool       // with its forged field
	release     []int64    // waiting mails that their agent has confirmed
	waits       bool       // it waits for its agent's word
	block       int64      // person that is blocked, or no longer (R72)
	blocked     bool
	rescued     int64        // held row of the junk folder from which a person took this mail
	about       int64        // the case that held mail names (R36)
	heldWords   []saidOfHeld // an agent's words on held mail
	optOut      *optOut      // mail of a kind that the sender wants no more (R53)
	morning     string       // "on" or "off": the agent's digest of the morning
	twin        *twinRow     // the case that the same mail opened on another desk (R5)

	structure structure // what an agent does to cases as such: merge, split ...
}

type newPerson struct {
	id            int64
	name, address string
}

type newCase struct {
	id           int64
	title        string
	requester    int64
	organisation *int64
	status       flow.Status
	linked       *int64
	openedBy     int64   // the agent who opened it for the requester (R64); 0: the requester
	author       int64   // of the description; 0: the requester
	text         *string // the description, if it is not the whole mail
	internal     bool    // its files are a note's
	marks        []string
}

// newEntry is a comment or a note.
type newEntry struct {
	id     int64
	note   bool
	author int64 // 0: nobody we know for sure
	side   string
	text   string
	rest   string
	html   string
	marks  []string
}

type newEvent struct {
	kind     string
	actor    int64
	was      string
	became   string
	why      string
	internal bool
}

type statusChange struct {
	from, to flow.Status
	actor    int64
	until    time.Time // wakes then, if not zero
	why      string    // a reason given with it, which the customer reads
}

// caseField is a column of a case that a command sets.
type caseField struct {
	column caseColumn
	value  any // nil: none
}

type caseColumn string

const (
	columnOwner    caseColumn = "owner"
	columnPriority caseColumn = "priority"
	columnType     caseColumn = "type"
	columnDue      caseColumn = "due_at"
	columnMerged   caseColumn = "merged_into"
)

// reading is a mail on its way through the rules.
type reading struct {
	m          Mail
	f          *facts
	desk       *running
	set        *Settings
	border     string
	relay      *spokenFor // it came from a relay, and From is whom it speaks for (R73)
	junk       string     // folder of what the mailbox's mail system took for spam
	now        time.Time
	tokens     []string // of the reply addresses it was sent to
	bounces    []string // and of bounce addresses
	numbers    []subjectNumber
	ownID      bool // its Message-ID or loop token is ours
	isOwn      func(string) bool
	toDesk     bool            // an address of this desk stands in To or Cc
	toNew      bool            // it was sent to the address that opens cases
	inCommands []subjectNumber // the cases that its commands name
	collided   *Collision      // what another agent did meanwhile
	opening    *block          // what an agent wrote on top of a mail that opens a case

	asked     queryMail     // the queries in it
	toCommand bool          // it was sent to the command address
	heldLines []heldCommand // what it says of held mail, if it answers a list of it

	sure     bool // assurance is verified, or an agent released it
	released bool
	notSpam  bool // a person says so: it came out of the junk folder by hand (R72)
	thread   thread
	other    flow.Event // what is told of is another case than the mail's, and this is what it is
	// notBehalf says, by a code of the templates, why an agent's mail became their own case
	notBehalf string
	plan      plan
}

// rules are asked in this order; the first that returns true has decided.
var rules = []func(*reading) bool{
	(*reading).isBorderTest,
	(*reading).isErased,
	(*reading).isDuplicate,
	(*reading).comesBack,
	(*reading).isOwnMail,
	(*reading).isTooMuch,
	(*reading).asAnAgentSaid,
	(*reading).isBounce,
	(*reading).isMuteRelay,
	(*reading).isUnwanted,
	(*reading).isMachine,
	(*reading).answersQuestion,
	(*reading).answersHeldList,
	(*reading).optsOut,
	(*reading).asksOnly,
	(*reading).isAgents,
	(*reading).isCustomers,
}

// decide says what becomes of a mail. It reads no clock and no database.
func decide(r *reading) plan {
	r.released = r.f.row.ReleasedBy != nil
	r.classify()
	r.assure()
	r.who()
	for _, rule := range rules {
		if rule(r) {
			break
		}
	}
	r.perhapsAbout()
	return r.plan
}

func (r *reading) say(rule, format string, args ...any) {
	r.plan.trace = append(r.plan.trace, Step{rule, fmt.Sprintf(format, args...)})
}

func (r *reading) classify() {
	class, step := classify(r.m, r.ownID, r.ownAddress())
	if r.released {
		switch class {
		case BounceMail:
			if r.f.row.ReleasedAs == MakeCase || r.f.row.ReleasedAs == AttachIt {
				class, step = PerhapsMachine, Step{"R28", "an agent filed it by hand: a bounce, and no person's word"}
			}
		case Own:
		case AutoReply, ReceiptMail:
			class, step = PerhapsMachine, Step{"R28", "an agent released it: filed by hand, and still not a person's word"}
		default:
			class, step = Human, Step{"R28", "an agent released it: filed by hand, as human"}
		}
	}
	r.plan.class = class
	r.plan.trace = append(r.plan.trace, step)
}

// ownAddress says that From is one of ours; an agent who writes from the
// service address is not known by it either.
func (r *reading) ownAddress() bool {
	for _, a := range r.m.From {
		if r.isOwn(a.Address) {
			return true
		}
	}
	return false
}

func (r *reading) assure() {
	if r.f.row.Judged {
		r.plan.assurance, r.plan.evidence = r.f.row.Assurance, r.f.row.Evidence
	} else {
		r.plan.assurance, r.plan.evidence = judge(r.m, r.border)
	}
	if r.relay != nil { // what was judged before the desk file named it is said of the relay alone
		r.plan.assurance = Unknown
		if !knownBefore(r.plan.evidence, r.relay.Relay) {
			r.plan.evidence = r.relay.evidence()
		}
	}
	r.plan.trace = append(r.plan.trace, r.plan.evidence...)
	if r.released {
		r.say("R71", "%s answers for it", clean(r.f.row.Releaser, 60))
	}
	r.sure = r.plan.assurance == Verified || r.released
	if r.sure && !r.released && r.isResent() {
		r.say("R42", "the same text and Date came before under another Message-ID: what was signed once proves nothing twice")
		r.sure = false
	}
}

func (r *reading) who() {
	s := r.f.sender
	if s == nil {
		return
	}
	r.plan.person = s.ID
	r.plan.verify = r.plan.assurance == Verified && !s.Verified
	r.plan.lift = r.plan.assurance == Verified && s.Suppressed
}

// from is the one address of From.
func (r *reading) from() Address {
	if len(r.m.From) == 1 {
		return r.m.From[0]
	}
	return Address{}
}

// late says that the mail was taken in long after it came, or is older than the
// mailbox is here (R74): filed, but without any automatic mail (R8).
func (r *reading) late() bool {
	return !r.released && (r.m.Received.Before(r.now.Add(-r.set.Answer)) || r.m.Received.Before(r.f.row.Begun))
}

func (r *reading) end(state State, outcome, reason string) bool {
	r.plan.state, r.plan.outcome, r.plan.reason = state, outcome, reason
	return true
}

func (r *reading) hold(rule, reason, why string) bool {
	r.say(rule, "held: %s", why)
	return r.end(Held, "held", reason)
}

// comesBack knows the mail by which we find out whether plus addresses work
// (R33, R53).
func (r *reading) comesBack() bool {
	if r.f.probe == nil {
		return false
	}
	r.plan.probe = r.f.probe
	if p := r.m.Marks.ReturnPath; p != nil {
		r.plan.probeReturn = *p != "" && r.isOwn(*p) && *p != r.desk.from
	}
	r.say("R33", "our own probe came back")
	return r.end(Filed, "probe", "")
}

// isDuplicate has no effect on a mail that we have already (R5); another text
// under the same Message-ID is a comment on the same case (R6).
func (r *reading) isDuplicate() bool {
	id := hashID(r.m.MessageID)
	for _, k := range r.f.same {
		sameID := id == nil || string(id) == string(k.IDHash)
		if sameID && string(r.m.Hash[:]) == string(k.ContentHash) && r.rescued(k) {
			r.say("R72", "a person took it out of the junk folder, where it was ledger row %d", k.ID)
			r.plan.rescued = k.ID
			if k.Received.Equal(r.m.Received) {
				r.m.Marks.Spam, r.notSpam = false, true
			}
			continue
		}
		if sameID && string(r.m.Hash[:]) == string(k.ContentHash) {
			r.say("R5", "the same mail as ledger row %d", k.ID)
			if k.CaseID != nil {
				r.plan.caseID = *k.CaseID
			}
			return r.end(Duplicate, "duplicate", "")
		}
	}
	return false
}

// isResent says that a mail of the same sender, Date and text was taken in under
// another Message-ID, which need not be signed: anybody who has a signed mail
// can send it again, with other spaces if its signature lets them change.
func (r *reading) isResent() bool {
	if r.f.resent {
		return true
	}
	id := hashID(r.m.MessageID)
	for _, k := range r.f.same {
		if id != nil && string(r.m.Hash[:]) == string(k.ContentHash) && string(id) != string(k.IDHash) {
			return true
		}
	}
	return false
}

// variantOf is the case that an earlier mail of the same sender under the same
// Message-ID, but with another content, became part of.
func (r *reading) variantOf() *caseRow {
	id := hashID(r.m.MessageID)
	for _, k := range r.f.same {
		if id != nil && string(id) == string(k.IDHash) && k.CaseID != nil && k.State == Filed {
			return r.f.caseByID(*k.CaseID)
		}
	}
	return nil
}

// isOwnMail keeps our own mail that came back as an event, and holds what
// claims to be ours without a sign of it.
func (r *reading) isOwnMail() bool {
	switch r.plan.class {
	case Own:
		if c := r.namedCase(); c != nil {
			r.event(c, newEvent{kind: "own-mail", internal: true})
		}
		return r.end(Filed, "event: our own mail", "")
	case OwnAddress:
		return r.hold("R26", r.perhapsRelay("own-address"), "From is an address of ours, and we did not write it")
	}
	return false
}

// namedCase is the case that any evidence names, whoever wrote the mail. It is
// good for an event that only the desk sees, and for nothing else.
func (r *reading) namedCase() *caseRow {
	for _, e := range gather(r.f, r.tokens, r.m, r.numbers, r.now) {
		if c := r.f.caseByID(e.caseID); c != nil && c.Desk == r.desk.id {
			return c
		}
	}
	for i := range r.f.tokens { // the loop token of a mail of ours that came back
		if id := r.f.tokens[i].CaseID; id != nil {
			if c := r.f.caseByID(*id); c != nil && c.Desk == r.desk.id {
				return c
			}
		}
	}
	return nil
}

func (r *reading) event(c *caseRow, e newEvent) {
	r.plan.caseID = c.ID
	r.plan.events = append(r.plan.events, e)
}

// isTooMuch holds what is beyond the limits of R17 for a whole mail.
func (r *reading) isTooMuch() bool {
	switch {
	case r.m.HeaderOnly:
		r.hold("R17", "too-large", fmt.Sprintf("%d MiB are more than we take; it stays on the mail server", r.m.Size>>20))
		if !r.unwanted() {
			r.send(draft{kind: TooLarge, to: r.sender(), replied: true, inReplyTo: r.m.MessageID,
				payload: Payload{Fixed: true}}, 0)
		}
		return true
	case len(r.m.From) != 1 && r.plan.class == BounceMail: // it is nobody's word, whoever From names
	case len(r.m.From) != 1 && !r.released:
		return r.hold("R17", "from", fmt.Sprintf("From names %d addresses: one is needed to know who wrote", len(r.m.From)))
	case len(r.m.From) != 1:
		return r.hold("R30", "from", "without one From address there is nobody to file it for")
	case r.m.Marks.Received > 50 && !r.released:
		return r.hold("R17", "loop", fmt.Sprintf("%d Received fields look like a loop", r.m.Marks.Received))
	}
	return false
}

// isMachine files what machines write as events, and never as anybody's words
// (R28).
func (r *reading) isMachine() bool {
	switch r.plan.class {
	case ReceiptMail, AutoReply:
		c := r.namedCase()
		if c == nil && (r.namesHeldList() || r.toCommand) {
			r.say("R28", "an automatic answer to a list: nothing comes of it")
			return r.end(Filed, "event", "")
		}
		if c == nil {
			return r.hold("R26", "automatic", "automatic mail that names no case")
		}
		e := newEvent{kind: string(r.plan.class), was: r.from().Address, internal: true, why: firstLines(r.m.Reply, 20, 2000)}
		if r.sure { // else the address in From is all that is known, and a name would look proved
			e.actor = r.plan.person
		}
		r.event(c, e)
		r.say("R28", "an event on its case, nothing more")
		return r.end(Filed, "event", "")
	case Bulk:
		if r.desk.Bulk == "human" {
			return false
		}
		return r.hold("R26", r.perhapsRelay("bulk"), "mail of a list")
	}
	return false
}

func (r *reading) isSpam() bool {
	return !r.notSpam && (r.m.Marks.Spam || spamByBorder(r.m, r.border))
}

// isBlocked says that the sender is blocked; who has become an agent of this desk
// since is not.
func (r *reading) isBlocked() bool {
	return r.f.sender != nil && r.f.sender.Blocked && r.f.sender.Role == ""
}
func (r *reading) unwanted() bool { return r.isSpam() || r.isBlocked() }

// isUnwanted holds marked spam, blocked senders, and mail that a trusted
// system says is forged.
func (r *reading) isUnwanted() bool {
	if r.released {
		return false
	}
	switch {
	case r.isSpam():
		return r.hold("R72", "spam", "marked as spam")
	case r.isBlocked():
		return r.hold("R72", "blocked", "its sender is blocked")
	case r.plan.assurance == Failed:
		r.hold("R41", "failed", "From is forged, as the mail system in front of us says")
		if r.f.sender != nil && r.f.sender.Role != "" {
			r.warn()
		}
		return true
	}
	return false
}

// send passes a draft through the gate.
func (r *reading) send(w draft, caseID int64) {
	cause := &causing{
		class:     r.plan.class,
		assurance: r.plan.assurance,
		before:    r.f.sender != nil && r.f.sender.Verified && r.relay == nil,
		nullPath:  r.m.Marks.ReturnPath != nil && *r.m.Marks.ReturnPath == "",
		suppress:  suppresses(r.m.Marks.Suppress, "all", "oof", "autoreply"),
		late:      r.late(),
	}
	if r.released && cause.assurance == Unknown {
		cause.nullPath = false
	}
	if w.to.address == "" || r.isOwn(w.to.address) {
		return // own addresses are never recipients (R52)
	}
	w.payload.Desk = r.desk.Name.In(w.to.language)
	w.payload.Contact = r.desk.Contact.In(w.to.language)
	w.payload.Zone = r.desk.Timezone
	r.tellsMerged(&w)
	spent := r.spent(w.to)
	if spent.stopped == "" {
		spent.stopped = r.stopped(caseID)
	}
	address := func(l cleared) string { return strings.ToLower(l.to.address) }
	c := gate(w, cause, spent, r.set.Budgets, caseID, r.now)
	if slices.ContainsFunc(r.plan.letters, func(l cleared) bool { return address(l) == address(c) }) {
		return // one mail for each recipient (R52): the outbox would not take a second
	}
	c = r.f.beside.fold(c, caseID, r.set.Gather, r.now)
	r.withheldLine(c, caseID)
	switch {
	case c.withheld == gathered:
		r.say("R47", "%s to an agent is gathered for the digest", w.kind)
	case c.into != nil:
		r.say("R47", "%s is told in letter %d, which was waiting", w.kind, c.into.id)
	case c.due.After(r.now):
		r.say("R47", "%s waits for what else happens, until %s", w.kind, c.due.Format("15:04:05"))
	case c.withheld != "":
		r.say("R47", "%s is withheld: %s", w.kind, c.withheld)
	default:
		r.say("R47", "%s is let out", w.kind)
	}
	if (w.kind == Confirmation || w.kind == HeldAnswer || w.kind == TooLarge) && c.withheld == "" {
		r.plan.answered = true
	}
	r.plan.letters = append(r.plan.letters, c)
}

// spent is what the recipient of a letter got lately.
func (r *reading) spent(to recipient) counts {
	if to.address == r.from().Address {
		return r.f.counts
	}
	for _, p := range r.f.people {
		if p.Address == to.address {
			return p.counts()
		}
	}
	return counts{}
}

// sender is the writer of the mail, as one who gets mail.
func (r *reading) sender() recipient {
	to := recipient{address: r.from().Address, name: r.from().Name, language: r.desk.language()}
	if s := r.f.sender; s != nil {
		to.person, to.name, to.suppressed = s.ID, s.Name, s.Suppressed && !r.plan.lift
		to.language = r.desk.language(s.Language, s.MemberLang)
	} else if r.plan.newPerson != nil {
		to.person = r.plan.newPerson.id
		if r.f.domain != nil {
			to.language = r.desk.language(r.f.domain.Language)
		}
	}
	return to
}
