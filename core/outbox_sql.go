package core

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"postern/core/token"
)

// queueLetter writes a letter that passed the gate, or was withheld by it.
// The same cause and address queue nothing twice. Secrets in it are derived
// from its Message-ID: the database holds their hashes.
func (d *Desk) queueLetter(b *pgx.Batch, t *tx, c cause, desk *running, caseID int64, l cleared) string {
	id := newMessageID(desk.from)
	public, note, answerable := d.hashesOf(l.draft, id, caseID != 0)
	state := "queued"
	if l.withheld != "" {
		state, note = "withheld", nil // nobody gets it, so nobody answers it
	}
	for i := range l.payload.Links {
		l.payload.Links[i].Nonce = id
	}
	payload, err := json.Marshal(l.payload)
	if err != nil {
		panic(err) // strings, numbers and times: it always can be written
	}
	var person, about, expires any
	if l.to.person != 0 {
		person = l.to.person
	}
	if caseID != 0 {
		about = caseID
	}
	if l.secret != "" && l.expires != 0 {
		expires = t.now.Add(l.expires)
	}
	due := l.due
	if due.IsZero() {
		due = t.now
	}
	b.Queue(`
		insert into outbox (cause_kind, cause_id, address, person, desk, case_id, kind, automatic, replied, for_agent, secret,
			language, payload, message_id, in_reply_to, id_hash, token_hash, note_hash, answerable, token_until,
			let_out, state, reason, queued_at, due_at, expires_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
			$25, $21, $22, $23, $26, $24)
		on conflict (cause_kind, cause_id, address) do nothing`,
		c.kind, c.id, strings.ToLower(l.to.address), person, desk.id, about, l.kind, !l.human, l.replied, l.to.agent,
		l.secret != "", l.to.language, payload, id, l.inReplyTo, hashID(id), public, note, answerable, t.now.Add(l.tokenLife()),
		state, l.withheld, t.now, expires, l.withheld == "", due)
	if l.withheld == "" {
		d.queuePressLinks(b, t, desk, l.draft, about)
	}
	d.queueFold(b, t, desk, caseID, l)
	if l.payload.Undo && l.withheld == "" {
		d.queueUndoMade(b, t, id, caseID, l.to.person, l.undo)
	}
	return id
}

type claimed struct {
	ID          int64
	Desk        int
	CaseID      *int64
	Number      *int64
	Kind        string
	Automatic   bool
	Replied     bool
	ForAgent    bool
	Language    string
	Payload     []byte
	Address     string
	Name        string
	MessageID   string
	InReplyTo   string
	Answerable  bool
	NoteHash    []byte
	QueuedAt    time.Time
	Bytes       []byte
	Refs        []string
	Told        string
	Text        string
	Said        string
	Texts       []string
	ReplyTokens bool // plus addresses come back (R33)
	ReturnPath  bool // and so does our bounce address (R53)
	PlainSince  bool // a server refused the plus envelope (R60)
	NullRefused bool // and one refused the empty sender (R53)
	Resent      bool
}

// sending are the desks that this process can send for: it knows their file,
// and an address of theirs. Letters of others wait for a process that does.
func (d *Desk) sending() []int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var ids []int
	for _, r := range d.desks {
		if r.from != "" {
			ids = append(ids, r.id)
		}
	}
	return ids
}

// idsOf are the ids that the recipient of a letter o has of its case: the first,
// and the newest of those before it. A letter that is on its way counts, too:
// one that goes out beside it must not begin a thread of its own. (+ 0: the
// index of a case is what finds them, never half of the outbox.)
const idsOf = `case when o.case_id is null then '{}' else array(
	select message_id from (
		select message_id, at, row_number() over (order by at, own) as n, count(*) over () as all_of_them, own from (
			select l.message_id, l.ended_at as at, 0 as own from ledger l
			where l.case_id = o.case_id and l.from_address = o.address and l.message_id <> '' and l.state = 'filed' and l.ended_at <= o.queued_at
			union all
			select s.message_id, s.queued_at, 1 from outbox s
			where s.case_id = o.case_id and s.address = o.address and s.id + 0 < o.id and s.state not in ('withheld', 'failed', 'expired')
		) have
	) numbered
	where n = 1 or n > all_of_them - 20 order by n) end`

// claim takes due letters and reads all that they tell, in two round trips.
func (d *Desk) claim(ctx context.Context, t *tx, holder string, limit int) ([]Letter, error) {
	b := &pgx.Batch{}
	b.Queue(`
		update outbox set state = 'uncertain', holder = '', due_at = dotted_at + $2::interval, reason = 'its process died after the dot'
		where id in (select id from outbox where state = 'dotted' and lease_until < $1 for update skip locked)`, t.now, d.set.Uncertain)
	b.Queue(`
		update outbox set state = 'expired', sent_at = $1, bytes = null
		where id in (
			select id from outbox
			where expires_at < $1 and expires_at is not null and state in ('queued', 'retry', 'sending', 'uncertain')
				and case state when 'sending' then lease_until < $1 else due_at <= $1 end
			for update skip locked)`, t.now)
	var ids []int64
	b.Queue(`
		update outbox set holder = $1, lease_until = $2,
			resent = resent or state = 'uncertain', state = 'sending'
		where id in (
			select id from outbox
			where desk = any($5) and ((state in ('queued', 'retry') and due_at <= $3)
				or (state = 'sending' and lease_until < $3)
				or (state = 'uncertain' and not resent and due_at <= $3))
			order by due_at, id limit $4
			for update skip locked)
		returning id`, holder, t.now.Add(d.set.Lease), t.now, limit, d.sending()).Query(values(&ids))
	if err := run(ctx, t, b); err != nil || len(ids) == 0 {
		return nil, err
	}
	rows, _ := t.Query(ctx, `
		select o.id, o.desk, o.case_id, c.number, o.kind, o.automatic, o.replied, o.for_agent, o.language, o.payload, o.address,
			coalesce(p.name, '') as name, o.message_id, o.in_reply_to, o.answerable, o.note_hash, o.queued_at, o.bytes, o.resent,
			`+idsOf+` as refs,
			coalesce((select s.payload->>'title' from outbox s
				where s.case_id = o.case_id and s.address = o.address and s.id + 0 < o.id and s.state not in ('withheld', 'expired')
					and s.payload->>'title' <> '' and s.payload->>'fixed' is null
				order by s.id limit 1), '') as told,
			coalesce((select text from comment x where x.id = (o.payload->>'comment')::bigint),
				(select text from note x where x.id = (o.payload->>'note')::bigint),
				case when o.kind = 'notice-new' then c.description end, '') as text,
			case when o.kind = any($3) then `+lastWords+` else '' end as said,
			array(select coalesce(case when o.payload ? 'note' then (select x.text from note x where x.id = (q.e->>'id')::bigint)
					else (select x.text from comment x where x.id = (q.e->>'id')::bigint) end, '')
				from jsonb_array_elements(o.payload->'texts') with ordinality q (e, n) order by q.n) as texts,
			coalesce((select pr.back_at is not null from probe pr where pr.desk = o.desk and pr.back_at is not null
				and pr.sent_at > $2 order by pr.sent_at desc limit 1), false) as reply_tokens,
			coalesce((select pr.return_path from probe pr where pr.desk = o.desk and pr.back_at is not null
				and pr.sent_at > $2 order by pr.sent_at desc limit 1), false) as return_path,
			exists (select from instance i where i.key = 'plain-envelope-' || o.desk) as plain_since,
			exists (select from instance i where i.key = 'null-envelope-' || o.desk) as null_refused
		from outbox o
		left join cases c on c.id = o.case_id
		left join person p on p.id = o.person
		where o.id = any($1)
		order by o.due_at, o.id`, ids, t.now.Add(-probeLife), remindful)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[claimed])
	if err != nil {
		return nil, err
	}
	files, err := letterFiles(ctx, t, found)
	if err != nil {
		return nil, err
	}
	histories, err := d.histories(ctx, t, found)
	if err != nil {
		return nil, err
	}
	letters := make([]Letter, 0, len(found))
	for _, c := range found {
		l, err := d.letter(c, files[c.ID])
		if err != nil {
			return nil, err
		}
		l.History = histories[c.ID]
		letters = append(letters, l)
	}
	return letters, nil
}

// remindful are the kinds that quote what their reader wrote last.
var remindful = []Kind{Confirmation, StatusNews, Reminder, ClosingSoon}

// lastWords is what the recipient of letter o wrote last on case c before it was
// queued, the beginning of it; nothing of other people, and nothing that does
// not prove to be theirs: it would go out in our name (R51).
const lastWords = `coalesce(
	(select case when 'unverified' = any(x.marks) then '' else left(x.text, 4000) end from comment x
		where x.case_id = o.case_id and x.author = o.person and x.written_at <= o.queued_at
		order by x.at desc, x.id desc limit 1),
	case when coalesce(c.author, c.requester) = o.person and not 'unverified' = any(c.marks) then left(c.description, 4000) end, '')`

// attachBytes is how much of a comment's files goes along with it (R58).
const attachBytes = 10 << 20

// letterFiles finds the files that letters carry or name.
func letterFiles(ctx context.Context, t *tx, letters []claimed) (map[int64][]LetterFile, error) {
	var ids, cases, comments, notes []int64
	named := map[int64]bool{} // letters whose reader has the files
	for _, l := range letters {
		var p Payload
		if l.CaseID == nil || l.Bytes != nil || json.Unmarshal(l.Payload, &p) != nil {
			continue
		}
		if p.Comment == 0 && p.Note == 0 && Kind(l.Kind) != NoticeNew && Kind(l.Kind) != Confirmation {
			continue
		}
		named[l.ID] = Kind(l.Kind) == Confirmation
		entries := []TextOf{{ID: p.Comment + p.Note}}
		if len(p.Texts) > 0 {
			entries = p.Texts
		}
		for _, e := range entries {
			comment, note := e.ID, int64(0)
			if p.Note != 0 {
				comment, note = 0, e.ID
			}
			ids, cases = append(ids, l.ID), append(cases, *l.CaseID)
			comments, notes = append(comments, comment), append(notes, note)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	rows, _ := t.Query(ctx, `
		select q.id, e.name, f.type, f.size, coalesce(f.blob, 0)
		from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) as q (id, case_id, comment, note)
		join lateral (
			select e.* from entry_file e where q.comment <> 0 and e.comment = q.comment
			union all select e.* from entry_file e where q.note <> 0 and e.note = q.note
			union all select e.* from file x join entry_file e on e.file = x.id
				where q.comment = 0 and q.note = 0 and x.case_id = q.case_id and not x.internal
					and e.comment is null and e.note is null
		) e on true
		join file f on f.id = e.file
		order by q.id, f.id`, ids, cases, comments, notes)
	all := map[int64][]LetterFile{}
	total := map[int64]int64{}
	var id int64
	var f LetterFile
	_, err := pgx.ForEachRow(rows, []any{&id, &f.Name, &f.Type, &f.Size, &f.Blob}, func() error {
		f.Attach = f.Blob != 0 && !named[id] && total[id]+f.Size <= attachBytes
		if f.Attach {
			total[id] += f.Size
		}
		all[id] = append(all[id], f)
		return nil
	})
	return all, err
}

// letter makes a Letter of a claimed row.
func (d *Desk) letter(c claimed, files []LetterFile) (Letter, error) {
	desk, err := d.deskByID(c.Desk)
	if err != nil {
		return Letter{}, err
	}
	l := Letter{ID: c.ID, Kind: Kind(c.Kind), Language: c.Language, Automatic: c.Automatic, Replied: c.Replied,
		ForAgent: c.ForAgent, Desk: desk.Key, From: Address{Name: desk.Name.In(c.Language), Address: desk.from},
		To: Address{Name: c.Name, Address: c.Address}, ReplyTo: desk.from, MessageID: c.MessageID, InReplyTo: c.InReplyTo,
		References: c.Refs, Told: c.Told, QueuedAt: c.QueuedAt, Text: c.Text, Texts: c.Texts, Said: c.Said,
		Files: files, Bytes: c.Bytes, Envelope: desk.from}
	if err := json.Unmarshal(c.Payload, &l.Payload); err != nil {
		return Letter{}, err
	}
	if c.Number != nil {
		l.Number = desk.caseNumber(*c.Number)
		l.Case = d.set.BaseURL + "/cases/" + l.Number
	}
	public := d.set.Key.Reply("public", c.MessageID)
	l.Loop = public + " 1"
	plus := d.set.ReplyTokens == "on" || d.set.ReplyTokens == "auto" && c.ReplyTokens
	switch {
	case !plus:
	case c.Answerable:
		l.ReplyTo = token.Plus(desk.from, token.Public, public)
		if c.NoteHash != nil {
			l.Internal = token.Plus(desk.from, token.Public, d.set.Key.Reply("note", c.MessageID))
		}
	case c.NoteHash != nil:
		l.ReplyTo = token.Plus(desk.from, token.Public, d.set.Key.Reply("note", c.MessageID))
		l.Internal = l.ReplyTo
	}
	l.Command = desk.from
	if plus {
		l.Command = token.Plus(desk.from, token.Command, "")
	}
	if l.Kind == Worklist || l.Kind == Morning {
		l.ReplyTo = l.Command
	}
	if d.set.Envelope == "auto" && c.ReturnPath && !c.PlainSince {
		l.Envelope = token.Plus(desk.from, token.Bounce, public)
	}
	if d.set.Envelope == "auto" && refusals[l.Kind] && !c.NullRefused {
		l.Envelope = ""
	}
	if l.Kind == ProbeMail {
		l.To.Address = token.Plus(desk.from, token.Probe, d.set.Key.Reply("probe", c.MessageID))
		if d.set.Envelope == "auto" { // a probe tries it again, whatever was refused before
			l.Envelope = token.Plus(desk.from, token.Bounce, public)
		}
	}
	d.turnsOff(&l, c.MessageID, plus)
	d.reveal(&l)
	return l, nil
}

// paths of the pages behind one-time links.
var linkPaths = map[string]string{"move": "/m/", "undo": "/u/", "question": "/q/", "sign-in": "/sign-in/", "invitation": "/invitation/"}

// reveal puts a letter's secrets in clear: they are derived again from the
// nonce, and stand nowhere else.
func (d *Desk) reveal(l *Letter) {
	if l.Payload.Undo {
		l.Undo = undoToken(d.set.Key, l.MessageID)
	}
	for i := range l.Payload.Links {
		k := &l.Payload.Links[i]
		k.URL = d.set.BaseURL + linkPaths[k.Purpose] + d.set.Key.Link(k.derivedFrom(), k.Nonce)
		switch k.Purpose {
		case "sign-in":
			l.Payload.Code = d.set.Key.Digits(k.Purpose, k.Nonce, 6)
		case "invitation":
			l.Payload.Code = d.set.Key.Code(k.Purpose, k.Nonce)
		}
	}
}

// renewLetters passes over rows that are being settled at this moment: they
// are over or get a lease of their own, and to wait for one of them while
// holding another would be a deadlock.
func renewLetters(ctx context.Context, t *tx, holder string, ids []int64, lease time.Duration) error {
	_, err := t.Exec(ctx, `
		update outbox set lease_until = $3
		where id in (
			select id from outbox
			where id = any($1) and holder = $2 and state in ('sending', 'dotted')
			for update skip locked)`, ids, holder, t.now.Add(lease))
	return err
}

func releaseLetters(ctx context.Context, t *tx, holder string, ids []int64) error {
	_, err := t.Exec(ctx, `
		update outbox set holder = '', lease_until = null,
			state = case when resent then 'uncertain' when tries > 0 then 'retry' else 'queued' end,
			resent = false
		where id = any($1) and holder = $2 and state = 'sending'`, ids, holder)
	return err
}

// settle writes ends and dots. Nearly always every end is a success: then all
// of it goes in one round trip, as one implicit transaction.
func (d *Desk) settle(ctx context.Context, holder string, ended []Delivery, next []Dotting) ([]int64, error) {
	if slices.ContainsFunc(ended, func(e Delivery) bool { return e.Result != Accepted && e.Result != LostLease }) {
		var mine []int64
		err := d.inTx(ctx, func(t *tx) error {
			b := &pgx.Batch{}
			for _, e := range ended {
				if err := d.queueDelivery(ctx, t, b, holder, e); err != nil {
					return err
				}
			}
			mine = nil
			d.queueDots(b, t.now, holder, next, &mine)
			return run(ctx, t, b)
		})
		return mine, err
	}
	var mine []int64
	err := again(func() error {
		mine = nil
		now := d.now()
		b := &pgx.Batch{}
		for _, e := range ended {
			queueSent(b, now, holder, e)
		}
		d.queueDots(b, now, holder, next, &mine)
		if b.Len() == 0 {
			return nil
		}
		return d.pool.SendBatch(ctx, b).Close()
	})
	return mine, err
}

// queueSent writes that the server took a letter. That is so even if the news
// comes late, when the letter was taken for uncertain.
func queueSent(b *pgx.Batch, now time.Time, holder string, e Delivery) {
	if e.Result == LostLease {
		return
	}
	b.Queue(`
		update outbox set state = 'sent', sent_at = $3, reason = $4, return_path = $5, holder = '', lease_until = null,
			bytes = case when secret then null else bytes end
		where id = $1 and (state in ('sending', 'dotted') and holder = $2 or state = 'uncertain')`,
		e.ID, holder, now, clean(e.Answer, 200), e.Envelope)
}

// queueDots commits that the dots of these letters may be sent, for those that
// are still the holder's.
func (d *Desk) queueDots(b *pgx.Batch, now time.Time, holder string, next []Dotting, mine *[]int64) {
	for _, n := range next {
		b.Queue(`
			update outbox set state = 'dotted', dotted_at = $3, lease_until = $4,
				bytes = coalesce(bytes, $5), return_path = $6
			where id = $1 and state = 'sending' and holder = $2
			returning id`, n.ID, holder, now, now.Add(d.set.Lease), n.Bytes, n.Envelope).Query(
			func(rows pgx.Rows) error {
				ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
				*mine = append(*mine, ids...)
				return err
			})
	}
}

// queueDelivery writes the end of one attempt.
func (d *Desk) queueDelivery(ctx context.Context, t *tx, b *pgx.Batch, holder string, e Delivery) error {
	if e.Result == Accepted || e.Result == LostLease {
		queueSent(b, t.now, holder, e)
		return nil
	}
	var tries, desk int
	var queued time.Time
	var kind string
	err := t.QueryRow(ctx, `
		select tries, queued_at, desk, kind from outbox
		where id = $1 and state in ('sending', 'dotted') and holder = $2 for update`, e.ID, holder).
		Scan(&tries, &queued, &desk, &kind)
	if err == pgx.ErrNoRows {
		return nil // another process has it
	}
	if err != nil {
		return err
	}
	null := blamesNull(e)
	if null {
		e.Result = SenderRefused
	}
	plus := e.Result == SenderRefused && strings.Contains(e.Envelope, "+")
	if e.Result == SenderRefused && (!plus && !null || Kind(kind) == ProbeMail) {
		e.Result = Permanent // there is no plainer envelope to fall back to; of a probe that is the answer
		if !plus {
			e.Result = Temporary // a server that refuses our very address: perhaps not tomorrow
		}
	}
	f := fateOf(e, tries, queued, t.now, d.set.Uncertain)
	if null {
		b.Queue(`insert into instance (key, value) values ('null-envelope-' || $1::int, $2) on conflict do nothing`,
			desk, clean(e.Answer, 200))
	}
	if plus {
		b.Queue(`insert into instance (key, value) values ('plain-envelope-' || $1::int, $2) on conflict do nothing`,
			desk, clean(e.Answer, 200))
	}
	b.Queue(`
		update outbox set state = $3, due_at = $4, tries = tries + $5, reason = $6,
			sent_at = case when $3 = 'failed' then $7::timestamptz end,
			holder = '', lease_until = null,
			bytes = case when $3 = 'failed' and secret or $8 then null else bytes end
		where id = $1 and holder = $2`,
		e.ID, holder, f.state, t.now.Add(f.wait), map[bool]int{true: 1}[f.tried], clean(e.Answer, 300), t.now,
		plus)
	if e.Result == Permanent && goneForGood(e.Enhanced) {
		b.Queue(`
			update address set suppressed_at = $2, suppressed_reason = $3
			where address = (select o.address from outbox o where o.id = $1) and suppressed_at is null`,
			e.ID, t.now, clean(e.Answer, 200))
		b.Queue(`delete from reply_to where address = (select o.address from outbox o where o.id = $1)`, e.ID)
	}
	if f.state == "failed" {
		return d.queueFailed(ctx, t, b, e.ID, clean(e.Answer, 300))
	}
	return nil
}

type failedLetter struct {
	CaseID  *int64
	Desk    int
	Address string
	Payload []byte
	Kind    string
	Authors []int64 // of the texts in it
}

// authors are those who wrote the texts that a letter to customers carries.
const authors = `array(select distinct x.author from comment x
	where x.id = (payload->>'comment')::bigint
		or not payload ? 'note' and x.id in (select (e->>'id')::bigint from jsonb_array_elements(payload->'texts') e)) as authors`

// queueFailed tells the agents that a person's text did not arrive.
func (d *Desk) queueFailed(ctx context.Context, t *tx, b *pgx.Batch, id int64, reason string) error {
	rows, _ := t.Query(ctx, `select case_id, desk, address, payload, kind, `+authors+` from outbox where id = $1`, id)
	l, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[failedLetter])
	if err != nil || l.CaseID == nil || Kind(l.Kind) != Answer {
		return err
	}
	var p Payload
	if err := json.Unmarshal(l.Payload, &p); err != nil {
		return err
	}
	return d.queueUndelivered(ctx, t, b, undelivered{cause{"undelivered", id}, *l.CaseID, l.Desk, l.Address, p, l.Authors, reason})
}

// undelivered is a person's text that has not reached the customer.
type undelivered struct {
	cause   cause
	caseID  int64
	desk    int
	address string
	text    Payload // of the letter
	authors []int64 // who wrote it
	reason  string
}

// queueUndelivered tells the case's agents of it, and the case itself.
func (d *Desk) queueUndelivered(ctx context.Context, t *tx, b *pgx.Batch, u undelivered) error {
	desk, err := d.deskByID(u.desk)
	if err != nil {
		return err
	}
	c, agents, err := caseAndAgents(ctx, t, u.caseID)
	if err != nil {
		return err
	}
	queueEvent(b, t, c.ID, newEvent{kind: "undelivered", was: u.address, why: u.reason, internal: true}, Mail{})
	for _, a := range toldOfFailure(desk, c, audience{agents: agents, own: d.isOwn}, u.authors) {
		w := draft{kind: NoticeBounce, to: a, payload: Payload{Title: c.Title, Actor: u.address, Comment: u.text.Comment, Texts: u.text.Texts,
			Reason: u.reason, Desk: desk.Name.In(a.language), Zone: desk.Timezone}}
		d.queueLetter(b, t, u.cause, desk, c.ID, gate(w, nil, counts{}, d.set.Budgets, c.ID, t.now))
	}
	return nil
}
