package core

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"postern/core/flow"
)

// carryOut writes down what was decided, in one round trip; files beyond 2 MiB
// are streamed before it. It decides nothing.
func (d *Desk) carryOut(ctx context.Context, t *tx, r *reading, p *plan) error {
	b := &pgx.Batch{}
	if c := r.f.caseByID(p.caseID); c != nil {
		p.number = r.desk.caseNumber(c.Number)
	}
	queuePerson(b, t, r, p)
	queueBehalf(b, p)
	if p.opens != nil {
		queueCase(b, t, r, p)
	}
	if r.released && p.state == Filed {
		dropWaiting(b, r.m.Ledger, p.entry != nil && p.entry.note)
	}
	if p.entry != nil {
		queueEntry(b, t, r, p)
	}
	if p.opens != nil || p.entry != nil {
		if err := writeFiles(ctx, t, b, r, p); err != nil {
			return err
		}
	}
	for _, e := range p.events {
		queueEvent(b, t, p.caseID, e, r.m)
	}
	if p.change != nil || p.owner != 0 || p.deskWrote || p.entry != nil && p.opens == nil {
		queueCaseChange(b, t, r, p)
	}
	for _, f := range p.sets {
		b.Queue(`update cases set `+string(f.column)+` = $2, changed_at = $3 where id = $1`, p.caseID, f.value, t.now)
	}
	if p.joins != 0 {
		b.Queue(`
			insert into participant (case_id, person, since) values ($1, $2, $3)
			on conflict do nothing`, p.caseID, p.joins, t.now)
	}
	queueTurnOff(b, p.optOut)
	queueLeaving(b, t, p)
	if p.spends != 0 {
		queueSpent(b, t, r, p)
	}
	if p.undone {
		b.Queue(`update undo set used_at = $2 where hash = $1 and used_at is null`, r.f.undo.Hash, t.now)
	}
	queueRemoved(b, p)
	queueInvited(b, t, p)
	queueRepliesTo(b, p)
	d.queueStructure(b, t, r, p)
	caused := "ledger"
	if r.released {
		caused = "released" // it may have been answered as held mail before
	}
	for _, l := range p.letters {
		d.queueLetter(b, t, cause{caused, r.m.Ledger}, r.desk, cmp.Or(l.about, p.caseID), l)
	}
	queueMorning(b, r, p)
	if p.suppress != "" {
		b.Queue(`
			update address set suppressed_at = $2, suppressed_reason = $3
			where address = $1 and suppressed_at is null`, p.suppress, t.now, p.suppressWhy)
		b.Queue(`delete from reply_to where address = $1`, p.suppress)
	}
	if p.probe != nil {
		b.Queue(`update probe set back_at = $2, return_path = $3 where hash = $1 and back_at is null`,
			p.probe.Hash, t.now, p.probeReturn)
		if p.probeReturn { // plus envelopes are taken again
			b.Queue(`delete from instance where key = 'plain-envelope-' || $1::int`, r.desk.id)
		}
	}
	if p.border != nil {
		queueBorderBack(b, t, p)
	}
	if p.block != 0 {
		queueBlock(b, t, p)
	}
	if p.rescued != 0 {
		queueRescue(b, t, p.rescued, r.m.Ledger)
	}
	for _, question := range p.release {
		queueRelease(b, t, question, p.person)
	}
	if p.waits {
		d.queueQuestion(b, t, r)
	}
	for _, s := range p.heldWords {
		queueHeldWord(b, t, p.person, s)
	}
	if p.twin != nil {
		queueTwin(b, t, r, p)
	}
	if err := queueEnd(b, t, r, p); err != nil {
		return err
	}
	if r.f.erased {
		queueErased(b, r.m.Ledger)
	}
	return run(ctx, t, b)
}

func queuePerson(b *pgx.Batch, t *tx, r *reading, p *plan) {
	if n := p.newPerson; n != nil {
		b.Queue(`
			insert into person (id, name, verified_at) values ($1, $2, case when $3 then $4::timestamptz end)`,
			n.id, personName(Address{Name: n.name}), p.verify, t.now)
		b.Queue(`insert into address (address, person) values ($1, $2)`, n.address, n.id)
		if p.joinOrg != nil {
			b.Queue(`insert into member (person, organisation, by) values ($1, $2, 'domain')`, n.id, *p.joinOrg)
		}
		return
	}
	if p.joinOrg != nil {
		b.Queue(`insert into member (person, organisation, by) values ($1, $2, 'domain') on conflict do nothing`, p.person, *p.joinOrg)
	}
	if p.verify {
		b.Queue(`update person set verified_at = $2 where id = $1 and verified_at is null`, p.person, t.now)
	}
	if p.lift {
		b.Queue(`update address set suppressed_at = null, suppressed_reason = '' where address = $1`, r.from().Address)
	}
	if s := r.f.sender; s != nil && s.Name == "" && r.sure && r.from().Name != "" {
		b.Queue(`update person set name = $2 where id = $1 and name = ''`, s.ID, personName(r.from()))
	}
}

func queueCase(b *pgx.Batch, t *tx, r *reading, p *plan) {
	n := p.opens
	text, html, marks := r.m.Text, r.m.HTML, n.marks
	if marks == nil {
		marks = []string{}
	}
	if n.text != nil { // the HTML holds what the agent wrote above it, too
		text, html = *n.text, ""
	}
	b.Queue(`
		insert into cases (id, desk, number, title, description, rest, html, requester, organisation,
			status, class, opened_at, changed_at, status_at, linked, ledger, opened_by, author, marks)
		values ($1, $2, nextval($3::text::regclass), $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14, $15, nullif($16::bigint, 0), nullif($17::bigint, 0), $18)
		returning number`,
		n.id, r.desk.id, fmt.Sprintf("case_number_%d", r.desk.id), n.title, text, "", html,
		n.requester, n.organisation, n.status.Key, n.status.Class, r.m.Received, t.now, n.linked, r.m.Ledger, n.openedBy, n.author, marks).QueryRow(
		func(row pgx.Row) error {
			var number int64
			err := row.Scan(&number)
			p.number = r.desk.caseNumber(number)
			return err
		})
}

func queueEntry(b *pgx.Batch, t *tx, r *reading, p *plan) {
	e := p.entry
	if e.marks == nil {
		e.marks = []string{}
	}
	if e.note {
		b.Queue(`
			insert into note (id, case_id, at, written_at, author, text, rest, html, marks, ledger)
			values ($1, $2, $3, $4, nullif($5::bigint, 0), $6, $7, $8, $9, $10)`,
			e.id, p.caseID, r.m.Received, t.now, e.author, e.text, e.rest, e.html, e.marks, r.m.Ledger)
		return
	}
	b.Queue(`
		insert into comment (id, case_id, at, written_at, author, side, text, rest, html, marks, ledger)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		e.id, p.caseID, r.m.Received, t.now, e.author, e.side, e.text, e.rest, e.html, e.marks, r.m.Ledger)
}

// dropWaiting takes the waiting note of a mail away that its agent has
// confirmed: what it says is written again, as what it was meant to be. If that
// is a note again, its files stay: the case has them.
func dropWaiting(b *pgx.Batch, ledger int64, keepFiles bool) {
	b.Queue(`
		with waited as (select id from note where ledger = $1 and 'waits' = any(marks)),
		brought as (delete from entry_file where note in (select id from waited) returning file),
		gone as (
			delete from file where not $2 and id in (select file from brought)
				and not exists (select from entry_file e where e.file = file.id
					and (e.note is null or e.note not in (select id from waited)))
			returning blob
		)
		delete from blob where id in (select blob from gone)`, ledger, keepFiles)
	b.Queue(`delete from note where ledger = $1 and 'waits' = any(marks)`, ledger)
}

// batchedBytes is how much of files goes in the one batch of all writes. More
// is streamed before it, a chunk in memory at a time.
const batchedBytes = 2 << 20

// savedFile is a file of the mail that the case does not have yet.
type savedFile struct {
	File
	blob int64
}

// writeFiles writes the mail's files, each once by content within a case, and
// says which entry brought it.
func writeFiles(ctx context.Context, t *tx, b *pgx.Batch, r *reading, p *plan) error {
	var comment, note *int64
	internal := false
	if e := p.entry; p.opens != nil {
		// the description's: beside it stands at most an agent's note on what they forwarded
		if p.opens.internal {
			note, internal = &e.id, true
		}
	} else if e != nil && e.note {
		note, internal = &e.id, true
	} else if e != nil {
		comment = &e.id
	}
	have := map[[32]byte]int64{}
	for _, f := range r.f.files {
		if f.CaseID == p.caseID && f.Internal == internal {
			have[[32]byte(f.SHA256)] = f.ID
		}
	}
	var saved []savedFile
	var total int64
	n := len(r.m.Files)
	for i, f := range r.m.Files {
		id, known := have[f.SHA256]
		if !known {
			var blob *int64
			id = r.f.ids[4+i]
			have[f.SHA256] = id
			if f.Open != nil {
				blob = &r.f.ids[4+n+i]
				b.Queue(`insert into blob (id, size, sha256) values ($1, $2, $3)`, *blob, f.Size, f.SHA256[:])
				saved = append(saved, savedFile{f, *blob})
				total += f.Size
			}
			b.Queue(`
				insert into file (id, case_id, internal, blob, sha256, name, type, size)
				values ($1, $2, $3, $4, $5, $6, $7, $8)`,
				id, p.caseID, internal, blob, f.SHA256[:], f.Name, f.Type, f.Size)
		}
		b.Queue(`
			insert into entry_file (file, comment, note, name, inline, content_id)
			values ($1, $2, $3, $4, $5, $6)`, id, comment, note, f.Name, f.Inline, f.ContentID)
	}
	chunks := fileChunks{files: saved}
	defer chunks.close()
	if total > batchedBytes {
		chunks.buf = make([]byte, chunkBytes)
		_, err := t.CopyFrom(ctx, pgx.Identifier{"blob_chunk"}, []string{"blob", "n", "bytes"}, pgx.CopyFromFunc(chunks.next))
		return err
	}
	for {
		row, err := chunks.next()
		if row == nil || err != nil {
			return err
		}
		b.Queue(`insert into blob_chunk (blob, n, bytes) values ($1, $2, $3)`, row...)
	}
}

// fileChunks reads files chunk by chunk.
type fileChunks struct {
	files []savedFile
	from  io.ReadCloser // of the first of files; nil before it is opened
	n     int
	buf   []byte // used again for each chunk; nil: each gets its own
}

// next is a row of blob_chunk; nil after the last one.
func (c *fileChunks) next() ([]any, error) {
	for len(c.files) > 0 {
		f := c.files[0]
		if c.from == nil {
			var err error
			if c.from, err = f.Open(); err != nil {
				return nil, fmt.Errorf("file %q: %w", clean(f.Name, 40), err)
			}
		}
		part := c.buf
		if part == nil {
			part = make([]byte, min(chunkBytes, max(0, f.Size-int64(c.n)*chunkBytes)+1))
		}
		got, err := io.ReadFull(c.from, part)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return nil, fmt.Errorf("file %q: %w", clean(f.Name, 40), err)
		}
		row := []any{f.blob, c.n, part[:got]}
		if c.n++; err != nil { // its last chunk
			c.close()
			c.files, c.n = c.files[1:], 0
		}
		if got > 0 {
			return row, nil
		}
	}
	return nil, nil
}

func (c *fileChunks) close() {
	if c.from != nil {
		c.from.Close()
		c.from = nil
	}
}

func queueEvent(b *pgx.Batch, t *tx, caseID int64, e newEvent, m Mail) {
	var ledger *int64
	at := t.now
	if m.Ledger != 0 {
		ledger, at = &m.Ledger, m.Received
	}
	b.Queue(`
		insert into event (case_id, at, written_at, kind, actor, was, became, why, internal, ledger)
		values ($1, $2, $3, $4, nullif($5::bigint, 0), $6, $7, $8, $9, $10)`,
		caseID, at, t.now, e.kind, e.actor, e.was, e.became, e.why, e.internal, ledger)
}

// queueCaseChange moves a case and marks it as changed.
func queueCaseChange(b *pgx.Batch, t *tx, r *reading, p *plan) {
	if ch := p.change; ch != nil {
		queueStatus(b, t, p.caseID, ch, r.m)
	}
	b.Queue(`
		update cases set changed_at = $2,
			owner = coalesce(nullif($3::bigint, 0), owner),
			desk_wrote_at = case when $4 then $2 else desk_wrote_at end
		where id = $1`, p.caseID, t.now, p.owner, p.deskWrote)
}

// queueStatus sets a status, and its date if it has one.
func queueStatus(b *pgx.Batch, t *tx, caseID int64, ch *statusChange, m Mail) {
	var wake any
	if !ch.until.IsZero() {
		wake = ch.until
	}
	if ch.from.Class == flow.Rejected {
		queueUnmerged(b, t, caseID, ch.actor)
	}
	b.Queue(`
		update cases set status = $2, class = $3, status_at = $4, changed_at = $4, wake_at = $5, merged_into = null
		where id = $1`, caseID, ch.to.Key, ch.to.Class, t.now, wake)
	why := ch.why
	if !ch.until.IsZero() {
		why = ch.until.UTC().Format(untilLayout)
	}
	queueEvent(b, t, caseID, newEvent{kind: "status", actor: ch.actor, was: ch.from.Key, became: ch.to.Key, why: why}, m)
}

// queueEnd ends the ledger row, with what was read and decided.
func queueEnd(b *pgx.Batch, t *tx, r *reading, p *plan) error {
	trace, err := json.Marshal(p.trace)
	if err != nil {
		return err
	}
	evidence, err := json.Marshal(p.evidence)
	if err != nil {
		return err
	}
	person := any(nil)
	if p.person != 0 {
		person = p.person
	}
	caseID := any(nil)
	if p.caseID != 0 {
		caseID = p.caseID
	}
	var gist []byte
	if p.assurance == Verified && r.m.Gist != [32]byte{} {
		gist = r.m.Gist[:]
	}
	from := r.from()
	b.Queue(`
		update ledger set state = $2, outcome = $3, reason = $4, desk = $5, class = $6, assurance = $7, evidence = $8,
			from_address = $9, from_domain = $10, subject = $11, message_id = $12, id_hash = $13, content_hash = $14,
			person = $15, case_id = $16, answered = $17, trace = $18, ended_at = $19, told = false,
			about = nullif($20::bigint, 0), gist = $21
		where id = $1 and state = 'stored'`,
		r.m.Ledger, p.state, p.outcome, p.reason, r.desk.id, p.class, p.assurance, evidence,
		from.Address, from.Domain(), r.m.Subject, r.m.MessageID, hashID(r.m.MessageID), r.m.Hash[:],
		person, caseID, p.answered, trace, t.now, p.about, gist)
	return nil
}
