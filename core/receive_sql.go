package core

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"postern/core/token"
)

// lookUp reads everything that matters to a mail in one round trip, with the
// sender and the cases in question locked. Without lock nothing is locked, and
// nothing reserved.
func (d *Desk) lookUp(ctx context.Context, t *tx, m Mail, lock bool) (*reading, error) {
	desk, border, err := d.deskOf(m)
	if err != nil {
		return nil, err
	}
	if border, err = d.provedBorder(ctx, t, m.Mailbox, border); err != nil {
		return nil, err
	}
	r := &reading{m: m, f: &facts{}, desk: desk, set: &d.set, border: border, now: t.now, isOwn: d.isOwn}
	r.toDesk = d.isTo(m, desk.Key)
	early, steps := judge(m, border)
	if m.DKIM == NotChecked && m.Ledger != 0 { // it was judged before, and is not judged again
		if early, steps, err = judgedBefore(ctx, t, m.Ledger, early); err != nil {
			return nil, err
		}
	}
	if r.relay = relayed(desk.Desk, m, early, steps, d.isOwn); r.relay != nil {
		r.m, early = r.relay.mail(m), Unknown
		m = r.m
	}
	a := d.keysOf(r)
	sure := early == Verified
	f := r.f
	b := &pgx.Batch{}
	if lock && a.from != "" {
		// two mails of one sender are filed one after the other, whatever process has them
		b.Queue(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, a.from)
	}
	if lock { // no desk file is applied between this look and the commit
		b.Queue(`select pg_advisory_xact_lock_shared($1::int, $2::int)`, deskLock, desk.id)
	}
	var version int
	b.Queue(`select version from desk where id = $1`, desk.id).QueryRow(func(row pgx.Row) error { return row.Scan(&version) })
	var row *ledgerRecord
	if m.Ledger != 0 {
		queueLedgerRow(b, m.Ledger, lock, &row)
	}
	b.Queue(`select exists (select from erased where hash = $1)`, d.saltedMail(a.content)).Query(value(&f.erased))
	queueSender(b, a, desk.id, t.now, f)
	queueNamed(b, a, desk.id, sure, lock, t.now, f)
	queueBeside(b, theNamed, nil, lock, t.now, d.set.Gather, &f.beside)
	if a.undo != nil {
		queueUndoNamed(b, a, lock, f)
	}
	queueOthers(b, a, desk.id, f)
	queueCounts(b, a, desk.id, sure, t.now, d.set.Budgets, f)
	queueTalks(b, a, sure, t.now, f)
	if test := borderToken(m); test != "" {
		queueBorderTest(b, token.Hash(test), f)
	}
	if m.Report != nil || len(r.bounces) > 0 {
		queueBounced(b, a, t.now, f)
	}
	r.heldLines, r.asked = readHeldCommands(m.Reply), readQueries(m.Reply, m.Subject)
	queueListed(b, a, desk, r.heldLines, lock, f)
	d.queueTwins(b, a, desk.id, f)
	r.queueStructureFacts(b, a, lock)
	if a.probe != nil {
		b.Queue(`select hash, desk from probe where hash = $1`, a.probe).Query(one(&f.probe))
	}
	if lock {
		// person, case, comment, note; and an id and a blob for each file
		b.Queue(`
			select nextval('person_id_seq') union all select nextval('cases_id_seq')
			union all select nextval('comment_id_seq') union all select nextval('note_id_seq')
			union all select nextval('file_id_seq') from generate_series(1, $1::int)
			union all select nextval('blob_id_seq') from generate_series(1, $1::int)`,
			len(m.Files)).Query(values(&f.ids))
	} else {
		f.ids = make([]int64, 4+2*len(m.Files))
	}
	if err := run(ctx, t, b); err != nil {
		return nil, err
	}
	if version != desk.version || lock && f.mergedMeanwhile() {
		return nil, errStale
	}
	if err := d.lookUpQueries(ctx, t, r, a, sure); err != nil {
		return nil, err
	}
	if m.Ledger != 0 && row == nil {
		return nil, ErrNotFound
	}
	if row != nil {
		f.row = row.facts()
	} else {
		f.row.State = StateStored
	}
	r.ownID = ours(m, f)
	r.junk = d.junkOf(m.Mailbox)
	if r.junk != "" && f.row.Folder == r.junk {
		r.m.Marks.Spam = true
	}
	return r, nil
}

// judgedBefore is the assurance that is kept of a mail, or what it would be now.
func judgedBefore(ctx context.Context, t *tx, ledger int64, now Assurance) (Assurance, []Step, error) {
	var kept []byte
	var steps []Step
	err := t.QueryRow(ctx, `select coalesce(nullif(assurance, ''), $2), evidence from ledger where id = $1`, ledger, string(now)).
		Scan((*string)(&now), &kept)
	if err == nil && kept != nil {
		err = json.Unmarshal(kept, &steps)
	}
	return now, steps, notFound(err)
}

type ledgerRecord struct {
	ID         int64
	State      string
	ReleasedBy *int64
	Releaser   string
	Assurance  string
	Evidence   []byte
	Folder     string
	Begun      time.Time

	ReleasedAs   string
	ReleasedCase *int64
}

func (r ledgerRecord) facts() ledgerRow {
	row := ledgerRow{ID: r.ID, State: State(r.State), ReleasedBy: r.ReleasedBy, Releaser: r.Releaser,
		Assurance: Assurance(r.Assurance), Folder: r.Folder, Begun: r.Begun, ReleasedAs: HeldWord(r.ReleasedAs)}
	if r.ReleasedCase != nil {
		row.ReleasedCase = *r.ReleasedCase
	}
	if r.Evidence != nil {
		row.Judged = json.Unmarshal(r.Evidence, &row.Evidence) == nil
	}
	return row
}

func queueLedgerRow(b *pgx.Batch, id int64, lock bool, into **ledgerRecord) {
	q := `
		select l.id, l.state, l.released_by, l.assurance, l.evidence,
			(select b.folder from mailbox b where b.id = l.mailbox) as folder, l.released_as, l.released_case,
			(select date_trunc('second', b.begun_at) from mailbox b where b.id = l.mailbox) as begun,
			coalesce((select nullif(p.name, '') from person p where p.id = l.released_by), 'an agent') as releaser
		from ledger l where l.id = $1`
	if lock {
		q += ` for update of l`
	}
	b.Queue(q, id).Query(one(into))
}

// queueSender asks who From is, and who the desk's agents are.
func queueSender(b *pgx.Batch, a asked, desk int, now time.Time, f *facts) {
	b.Queue(`
		select p.id, p.name, p.language, p.verified_at is not null as verified,
			p.blocked_at is not null as blocked, a.suppressed_at is not null as suppressed,
			coalesce(g.role, '') as role, m.organisation as member,
			coalesce(o.name, '') as member_name, coalesce(o.language, '') as member_lang
		from address a
		join person p on p.id = a.person
		left join agent g on g.person = p.id and g.desk = $2
		left join member m on m.person = p.id
		left join organisation o on o.id = m.organisation
		where a.address = $1`, a.from, desk).Query(one(&f.sender))
	b.Queue(`
		select d.organisation, o.name, o.language
		from domain d join organisation o on o.id = d.organisation
		where d.domain = $1`, a.domain).Query(one(&f.domain))
	b.Queue(`
		select g.person, p.name, a.address, p.language, a.suppressed_at is not null as suppressed,
			(select count(*) from (
				select from outbox x
				where x.address = a.address and x.automatic and x.let_out
					and x.kind not in `+workedFor+` and x.queued_at > $2
				limit `+noticesCounted+`) recent) as notices,
			g.role, `+wishesOf("g.person", "g.desk")+`
		from agent g
		join person p on p.id = g.person
		join address a on a.person = p.id
		where g.desk = $1
		order by g.person, a.address`, desk, now.Add(-noticeWindow)).Query(all(&f.agents))
}

const letterColumns = `o.id, o.kind, o.case_id, o.person, o.address, o.automatic, o.for_agent, o.id_hash,
	o.token_hash, o.note_hash, o.answerable, o.token_until, coalesce((o.payload->>'comment')::bigint, 0) as comment,
	` + authors + `,
	array(select x::bigint from jsonb_array_elements_text(o.payload->'listed') x) as listed,
	coalesce(o.payload->>'asked', '') as asked, o.queued_at as queued,
	coalesce(o.payload->'texts', '[]') as texts`

// named asks for every case that any evidence of a mail names, by what the mail
// has of each kind: most have none but their own id.
func named(a asked) (string, []any) {
	var parts []string
	var args []any
	part := func(sql string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			sql = strings.Replace(sql, "?", "$"+strconv.Itoa(len(args)), 1)
		}
		parts = append(parts, sql)
	}
	part(`select case_id from ledger where id_hash = ?`, a.id)
	part(`select case_id from outbox where id_hash = ?`, a.id)
	part(`select released_case from ledger where id = ?`, a.ledger)
	if len(a.tokens) > 0 {
		part(`select case_id from outbox where token_hash = any(?)`, a.tokens)
		part(`select case_id from outbox where note_hash = any(?)`, a.tokens)
	}
	if len(a.ids) > 0 {
		part(`select case_id from outbox where id_hash = any(?)`, a.ids)
		part(`select case_id from ledger where id_hash = any(?)`, a.ids)
	}
	if a.undo != nil {
		part(`select case_id from undo where hash = ?`, a.undo)
	}
	if len(a.numbers) > 0 {
		part(`select c.id from unnest(?::int[], ?::bigint[]) as s (desk, number)
			join cases c on c.desk = s.desk and c.number = s.number`, a.desks, a.numbers)
	}
	return strings.Join(parts, " union all "), args
}

// theNamed are those cases in the statements that follow in the same batch:
// what named finds is found once, and kept for the transaction.
const theNamed = `any (current_setting('postern.named')::bigint[])`

// commandedColumns are what commands set on a case c.
const commandedColumns = `c.priority, c.type, c.due_at, c.merged_into, c.wake_at,
			(select coalesce(sum(s.minutes), 0) from time_spent s where s.case_id = c.id) as spent,
			c.opened_by is not null as by_agent`

// queueNamed asks what the mail's evidence names: letters of ours, earlier
// mails, and the cases, which it locks in order of id (R75).
func queueNamed(b *pgx.Batch, a asked, desk int, sure, lock bool, now time.Time, f *facts) {
	ids, args := named(a)
	b.Queue(`
		select set_config('postern.named',
			(select coalesce(array_agg(case_id), '{}') from (`+withMerged(ids)+`) n where case_id is not null)::text, true)`, args...)
	q := `
		select c.id, c.desk, c.number, c.title, c.requester, c.organisation,
			coalesce((select o.name from organisation o where o.id = c.organisation), '') as company,
			c.owner, c.status, c.class, c.status_at, c.desk_wrote_at, c.opened_at,
			` + commandedColumns + `,
			coalesce((select true from ` + seerByAddress + ` where ` + wall + `), false) as visible
		from cases c where c.id = ` + theNamed + `
		order by c.id`
	if lock {
		q += ` for update of c`
	}
	b.Queue(q, a.from, a.domain, sure).Query(all(&f.cases))
	if len(a.tokens) > 0 {
		b.Queue(`
			select `+letterColumns+` from outbox o where o.token_hash = any($1)
			union all
			select `+letterColumns+` from outbox o where o.note_hash = any($1)`, a.tokens).Query(all(&f.tokens))
	}
	// its own id among them: then it is a letter of ours that came back
	b.Queue(`select `+letterColumns+` from outbox o where o.id_hash = any($1) limit 100`,
		append([][]byte{a.id}, a.ids...)).Query(all(&f.ours))
	if len(a.ids) > 0 {
		b.Queue(`
			select l.id, l.id_hash, l.content_hash, l.case_id, l.state, b.account, b.folder, l.received_at as received
			from ledger l join mailbox b on b.id = l.mailbox
			where l.id_hash = any($1) and l.case_id is not null
			order by l.id limit 100`, a.ids).Query(all(&f.known))
	}
	b.Queue(`
		select l.id, l.id_hash, l.content_hash, l.case_id, l.state, b.account, b.folder, l.received_at as received
		from ledger l join mailbox b on b.id = l.mailbox
		where l.desk = $1 and l.from_address = $2 and (l.id_hash = $3 or l.content_hash = $4)
			and l.state not in ('stored', 'duplicate', 'gone') and l.id <> $5
		order by l.id limit 20`, desk, a.from, a.id, a.content, a.ledger).Query(all(&f.same))
	if sure && a.gist != nil {
		b.Queue(`
			select exists (select from ledger l
				where l.gist = $1 and l.desk = $2 and l.from_address = $3 and l.id <> $4
					and (l.id_hash is distinct from $5 or $5::bytea is null)
					and l.state not in ('stored', 'duplicate', 'gone'))`,
			a.gist, desk, a.from, a.ledger, a.id).Query(value(&f.resent))
	}
	b.Queue(`
		select distinct on (s.case_id, s.person) s.case_id, s.person, p.name, a.address,
			coalesce(nullif(p.language, ''), o.language, '') as language,
			p.verified_at is not null as verified, a.suppressed_at is not null as suppressed, s.requester,
			m.organisation as member,
			exists (select from agent g where g.person = p.id) as agent,
			`+quietCase+` as quiet, a.asked, `+hasLeft+` as left,
			`+wishesOf("s.person", "(select k.desk from cases k where k.id = s.case_id)")+`,
			`+recentMail+`
		from (
			select c.id as case_id, c.requester as person, true as requester from cases c where c.id = `+theNamed+`
			union all
			select p.case_id, p.person, false from participant p join cases c on c.id = p.case_id
			where p.case_id = `+theNamed+` and p.person <> c.requester
		) s
		join person p on p.id = s.person
		cross join lateral (`+mailedAt+`) a
		left join member m on m.person = p.id
		left join organisation o on o.id = m.organisation
		order by s.case_id, s.person, (a.address = $2) desc, a.suppressed_at nulls first, a.address
		limit 200`, now, a.from).Query(all(&f.people))
	if len(a.files) > 0 {
		b.Queue(`
			select f.id, f.case_id, f.internal, f.sha256 from file f
			where f.sha256 = any($1) and f.case_id = `+theNamed, a.files).Query(all(&f.files))
	}
}

// recentMail is what a person got of automatic mail within a day, to any of
// its cases and to this one: a is the address, s.case_id the case, $1 now.
const recentMail = `array(select x.queued_at from outbox x
				where x.address = a.address and x.automatic and x.let_out and not x.for_agent
					and x.kind not in ('sign-in', 'word-refused', 'left-case', 'worklist', 'case-sheet') and x.queued_at > $1::timestamptz - interval '1 day'
				order by x.queued_at desc limit 100) as automatic,
			array(select x.queued_at from outbox x
				where x.address = a.address and x.automatic and x.let_out and not x.for_agent
					and x.case_id = s.case_id and x.kind <> 'case-sheet' and x.queued_at > $1::timestamptz - interval '1 day'
				order by x.queued_at desc limit 100) as on_case,
			exists (select from outbox x
				where x.reason = '` + pingPongReason + `' and x.queued_at > $1::timestamptz - interval '1 day'
					and (x.address = a.address or x.case_id = s.case_id)
					and (p.verified_at is null or ` + byVerified + `)) as muted`

// byVerified says that the mail which caused letter x was verified.
const byVerified = `exists (select from ledger v
				where x.cause_kind in ('ledger', 'released') and v.id = x.cause_id and v.assurance = 'verified')`

// queueTalks asks who wrote when lately: the sender and we, and on each case
// that is named (R50). For a verified mail only what was verified counts: a few
// forged mails would else keep automatic mail from their victim for a day.
func queueTalks(b *pgx.Batch, a asked, sure bool, now time.Time, f *facts) {
	const sql = `
		select %[1]s as case_id,
			array(select l.received_at from ledger l where l.%[2]s and l.ended_at > $2
				and (not $4 or l.assurance = 'verified') order by l.id) as came,
			array(select l.state = 'filed' and l.outcome <> 'opens a case' from ledger l
				where l.%[2]s and l.ended_at > $2 and (not $4 or l.assurance = 'verified') order by l.id) as answers,
			array(select x.dotted_at from outbox x where x.%[3]s and x.automatic and x.let_out and not x.for_agent
				and x.kind not in ('sign-in', 'worklist', 'case-sheet') and x.dotted_at > $2 and x.queued_at > $2 order by x.dotted_at) as sent,
			array(select x.queued_at from outbox x where x.%[3]s and not x.automatic and x.queued_at > $2 order by x.queued_at) as wrote,
			exists (select from outbox x where x.%[3]s and x.reason = '` + pingPongReason + `' and x.queued_at > $3
				and (not $4 or ` + byVerified + `)) as muted
		%[4]s`
	lately, aDay := now.Add(-longestPingPong), now.Add(-mutedFor)
	into := func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[talk])
		f.talks = append(f.talks, found...)
		return err
	}
	if a.from != "" {
		b.Queue(fmt.Sprintf(sql, "0::bigint", "from_address = $1", "address = $1", ""), a.from, lately, aDay, sure).Query(into)
	}
	b.Queue(fmt.Sprintf(sql, "c.id", "case_id = c.id", "case_id = c.id", "from cases c where $1 and c.id = "+theNamed), true, lately, aDay, sure).Query(into)
}

// queueCounts asks for what the budgets are compared with (R48).
func queueCounts(b *pgx.Batch, a asked, desk int, sure bool, now time.Time, budgets Budgets, f *facts) {
	if a.from == "" {
		return
	}
	day := now.Add(-24 * time.Hour)
	b.Queue(`
		select queued_at, kind, case_id from outbox
		where address = $1 and automatic and let_out and queued_at > $2 and not for_agent
		order by queued_at desc limit 100`, a.from, day).Query(func(rows pgx.Rows) error {
		var at time.Time
		var kind string
		var c *int64
		_, err := pgx.ForEachRow(rows, []any{&at, &kind, &c}, func() error {
			switch Kind(kind) {
			case Confirmation, HeldAnswer, TooLarge:
				f.counts.confirmed = append(f.counts.confirmed, at)
				f.counts.automatic = append(f.counts.automatic, at)
			case Worklist, CaseSheet:
				f.counts.refused = append(f.counts.refused, at)
				return nil
			case WordRefused, LeftCase:
				f.counts.refused = append(f.counts.refused, at)
			case SignIn:
			default:
				f.counts.automatic = append(f.counts.automatic, at)
			}
			if c != nil {
				f.counts.onCase = append(f.counts.onCase, caseTime{*c, at})
			}
			return nil
		})
		return err
	})
	b.Queue(`
		select max(queued_at) filter (where kind = 'question'), max(queued_at) filter (where kind = 'warning')
		from outbox where address = $1 and kind in ('question', 'warning') and queued_at > $2`, a.from, day).QueryRow(
		func(row pgx.Row) error { return row.Scan(&f.counts.asked, &f.counts.warned) })
	b.Queue(`
		select ended_at, size, outcome = 'opens a case' from ledger
		where from_address = $1 and ended_at > $2 order by ended_at desc limit 200`, a.from, day).Query(
		func(rows pgx.Rows) error {
			var at time.Time
			var size int64
			var opened bool
			_, err := pgx.ForEachRow(rows, []any{&at, &size, &opened}, func() error {
				f.counts.bytes += size
				if opened {
					f.counts.opened = append(f.counts.opened, at)
				}
				return nil
			})
			return err
		})
	if sure {
		return
	}
	most, longest := 1, time.Duration(0)
	for _, w := range budgets.AllUnknown {
		most, longest = max(most, w.Count), max(longest, w.Within)
	}
	domain := budgets.domainWindow(a.domain)
	b.Queue(`
		select ended_at from ledger
		where answered and assurance <> 'verified' and ended_at > $1
		order by ended_at desc limit $2`, now.Add(-longest), most).Query(values(&f.counts.answered))
	b.Queue(`
		select count(*) from (select from ledger
			where answered and assurance <> 'verified' and from_domain = $1 and ended_at > $2 limit $3) recent`,
		a.domain, now.Add(-domain.Within), domain.Count+1).Query(value(&f.counts.sameHost))
}
