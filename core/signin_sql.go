package core

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"postern/core/token"
)

type letIn struct {
	Person   int64
	Name     string
	Language string
	Desk     int
	Recent   int64
}

// requestSignIn queues a sign-in mail, if the address is let in and within its
// budget.
func (d *Desk) requestSignIn(ctx context.Context, t *tx, address, browser string) error {
	rows, _ := t.Query(ctx, `
		select p.id as person, p.name, coalesce(nullif(p.language, ''), o.language, '') as language,
			coalesce((select min(g.desk) from agent g where g.person = p.id),
				(select max(c.desk) from cases c where c.requester = p.id),
				(select max(c.desk) from participant x join cases c on c.id = x.case_id where x.person = p.id),
				(select min(id) from desk)) as desk,
			(select count(*) from secret s where s.address = a.address and s.kind = 'sign-in' and s.made_at > $2) as recent
		from address a
		join person p on p.id = a.person
		left join member m on m.person = p.id
		left join organisation o on o.id = m.organisation
		where a.address = $1 and p.blocked_at is null
			and (m.person is not null or exists (select from agent g where g.person = p.id)
				or exists (select from cases c where c.requester = p.id)
				or exists (select from participant x where x.person = p.id))`,
		address, t.now.Add(-d.set.Budgets.Links.Within))
	in, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[letIn])
	if err == pgx.ErrNoRows {
		return nil
	}
	if err != nil {
		return err
	}
	if n := d.set.Budgets.Links.Count; n > 0 && in.Recent >= int64(n) {
		return nil
	}
	desk, err := d.deskByID(in.Desk)
	if err != nil {
		return err
	}
	language := desk.language(in.Language)
	return d.mailSecret(ctx, t, desk, draft{kind: SignIn, secret: "sign-in", expires: signInLife,
		to:      recipient{person: in.Person, name: in.Name, address: address, language: language},
		payload: Payload{When: t.now.Add(signInLife)}}, token.Hash(browser), nil)
}

// mailSecret queues a letter with a link and a code, and keeps their hashes.
func (d *Desk) mailSecret(ctx context.Context, t *tx, desk *running, w draft, browser []byte, organisation *int64) error {
	w.payload.Desk, w.payload.Zone = desk.Name.In(w.to.language), desk.Timezone
	w.payload.Links = []Link{{Purpose: w.secret}}
	var id int64
	if err := t.QueryRow(ctx, `select nextval('secret_id_seq')`).Scan(&id); err != nil {
		return err
	}
	b := &pgx.Batch{}
	nonce := d.queueLetter(b, t, cause{"secret", id}, desk, 0, gate(w, nil, counts{}, d.set.Budgets, 0, t.now))
	code := d.set.Key.Code(w.secret, nonce)
	if w.secret == "sign-in" {
		code = d.set.Key.Digits(w.secret, nonce, 6)
	}
	b.Queue(`
		insert into secret (id, kind, link_hash, code_hash, browser, person, address, desk, organisation, made_at, expires_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		id, w.secret, token.Hash(d.set.Key.Link(w.secret, nonce)), codeHash(id, code), browser, w.to.person, w.to.address,
		desk.id, organisation, t.now, t.now.Add(w.expires))
	return run(ctx, t, b)
}

// codeHash binds a short code to its secret's row: equal codes of two people
// have different hashes.
func codeHash(id int64, code string) []byte { return token.Hash(fmt.Sprintf("%d:%s", id, code)) }

func signInByLink(ctx context.Context, t *tx, link, browser, userAgent string) (string, error) {
	var id, person int64
	err := t.QueryRow(ctx, `
		update secret set used_at = $3
		where kind = 'sign-in' and link_hash = $1 and browser = $2 and used_at is null and expires_at > $3
		returning id, person`, token.Hash(link), token.Hash(browser), t.now).Scan(&id, &person)
	if err == pgx.ErrNoRows {
		return "", ErrExpired
	}
	if err != nil {
		return "", err
	}
	return startSession(ctx, t, person, userAgent)
}

type codeRow struct {
	ID           int64
	Person       int64
	CodeHash     []byte
	Tries        int
	Organisation *int64
}

// useCode tries a code against the newest secrets of an address. verdict is
// what the person is told; err is the database's.
func (d *Desk) useCode(ctx context.Context, t *tx, kind, address, code, browser, userAgent string) (session string, verdict, err error) {
	rows, _ := t.Query(ctx, `
		select id, person, code_hash, tries, organisation from secret
		where kind = $1 and address = $2 and used_at is null and expires_at > $3
			and (browser is null or browser = $4)
		order by made_at desc limit 5 for update`, kind, address, t.now, token.Hash(browser))
	secrets, err := pgx.CollectRows(rows, pgx.RowToStructByName[codeRow])
	if err != nil {
		return "", nil, err
	}
	verdict = ErrExpired
	for _, s := range secrets {
		if s.Tries >= codeTries {
			verdict = ErrTooMany
			continue
		}
		if h := codeHash(s.ID, cleanCode(code)); h == nil || !bytes.Equal(h, s.CodeHash) {
			if _, err := t.Exec(ctx, `update secret set tries = tries + 1 where id = $1`, s.ID); err != nil {
				return "", nil, err
			}
			continue
		}
		if _, err := t.Exec(ctx, `update secret set used_at = $2 where id = $1`, s.ID, t.now); err != nil {
			return "", nil, err
		}
		if s.Organisation != nil {
			if err := joinByInvitation(ctx, t, s.Person, *s.Organisation); err != nil {
				return "", nil, err
			}
		}
		session, err := startSession(ctx, t, s.Person, userAgent)
		return session, nil, err
	}
	return "", verdict, nil
}

// cleanCode drops what people put between the characters of a code.
func cleanCode(code string) string {
	keep := []rune{}
	for _, r := range code {
		if r != ' ' && r != '-' && len(keep) < 20 {
			keep = append(keep, r)
		}
	}
	return string(keep)
}

// startSession signs a person in: who reads the mail of an address is verified
// as its owner (R71).
func startSession(ctx context.Context, t *tx, person int64, userAgent string) (string, error) {
	session := token.Nonce() + token.Nonce()
	b := &pgx.Batch{}
	b.Queue(`
		insert into session (hash, person, made_at, seen_at, agent_text) values ($1, $2, $3, $3, $4)`,
		token.Hash(session), person, t.now, clean(userAgent, 200))
	b.Queue(`update person set verified_at = $2 where id = $1 and verified_at is null`, person, t.now)
	b.Queue(`delete from session where made_at < $1 or seen_at < $2`, t.now.Add(-sessionLife), t.now.Add(-sessionIdle))
	return session, run(ctx, t, b)
}

type viewerRow struct {
	Person   int64
	Name     string
	Language string
	Address  string
	Desks    []string
	SeenAt   time.Time
}

// viewer reads who holds a session, and notes once a minute that it is used.
func (d *Desk) viewer(ctx context.Context, session string) (Viewer, error) {
	hash := token.Hash(session)
	if hash == nil {
		return Viewer{}, ErrNotFound
	}
	now := d.now()
	rows, _ := d.pool.Query(ctx, `
		select p.id as person, p.name, coalesce(nullif(p.language, ''), o.language, '') as language,
			coalesce((select min(a.address) from address a where a.person = p.id), '') as address,
			array(select k.key from agent g join desk k on k.id = g.desk where g.person = p.id order by k.key) as desks,
			s.seen_at
		from session s
		join person p on p.id = s.person
		left join member m on m.person = p.id
		left join organisation o on o.id = m.organisation
		where s.hash = $1 and s.made_at > $2 and s.seen_at > $3 and p.blocked_at is null`,
		hash, now.Add(-sessionLife), now.Add(-sessionIdle))
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[viewerRow])
	if err != nil {
		return Viewer{}, notFound(err)
	}
	if now.Sub(row.SeenAt) > time.Minute {
		if _, err := d.pool.Exec(ctx, `update session set seen_at = $2 where hash = $1`, hash, now); err != nil {
			return Viewer{}, err
		}
	}
	return Viewer{person: row.Person, Name: row.Name, Address: row.Address, Language: row.Language,
		Agent: len(row.Desks) > 0, Desks: row.Desks}, nil
}

func sessionLines(ctx context.Context, t *tx, v Viewer, current string) ([]SessionLine, error) {
	rows, _ := t.Query(ctx, `
		select agent_text as browser, made_at as made, seen_at as seen, coalesce(hash = $2, false) as current from session
		where person = $1 and made_at > $3 and seen_at > $4
		order by seen_at desc limit 50`, v.person, token.Hash(current), t.now.Add(-sessionLife), t.now.Add(-sessionIdle))
	return pgx.CollectRows(rows, pgx.RowToStructByName[SessionLine])
}

func signOut(ctx context.Context, t *tx, session string) error {
	_, err := t.Exec(ctx, `delete from session where hash = $1`, token.Hash(session))
	return err
}

func signOutEverywhere(ctx context.Context, t *tx, v Viewer) error {
	_, err := t.Exec(ctx, `delete from session where person = $1`, v.person)
	return err
}

// invite makes the contact and mails the secret.
func (d *Desk) invite(ctx context.Context, t *tx, desk *running, q InviteRequest) error {
	organisation, language, err := organisationNamed(ctx, t, q.Organisation)
	if err != nil {
		return err
	}
	person, err := personAt(ctx, t, q.Address, clean(q.Name, 100))
	if err != nil {
		return err
	}
	role := q.Role
	if role == "" {
		role = "user"
	}
	if role != "user" && role != "power" {
		return fmt.Errorf("role %q: user or power", clean(role, 20))
	}
	var recent int64
	b := &pgx.Batch{}
	b.Queue(`
		insert into member (person, organisation, role, by) values ($1, $2, $3, 'agent')
		on conflict (person) do update set organisation = excluded.organisation, role = excluded.role, by = 'agent'`,
		person, organisation, role)
	b.Queue(`update secret set used_at = $2 where kind = 'invitation' and person = $1 and used_at is null`, person, t.now)
	if q.Language != "" {
		b.Queue(`update person set language = $2 where id = $1`, person, q.Language)
	}
	b.Queue(`select count(*) from secret where kind = 'invitation' and address = $1 and made_at > $2`,
		q.Address, t.now.Add(-d.set.Budgets.Links.Within)).Query(value(&recent))
	if err := run(ctx, t, b); err != nil {
		return err
	}
	if n := d.set.Budgets.Links.Count; n > 0 && recent >= int64(n) {
		return fmt.Errorf("%s was invited %d times within %v: %w", q.Address, recent, d.set.Budgets.Links.Within, ErrTooMany)
	}
	name, company := clean(q.Name, 100), ""
	if err := t.QueryRow(ctx, `select p.name, o.name from person p, organisation o where p.id = $1 and o.id = $2`,
		person, organisation).Scan(&name, &company); err != nil {
		return err
	}
	to := recipient{person: person, name: name, address: q.Address, language: desk.language(q.Language, language)}
	return d.mailSecret(ctx, t, desk, draft{kind: Invitation, secret: "invitation", expires: invitationLife, to: to,
		payload: Payload{Company: company, Actor: q.By, When: t.now.Add(invitationLife)}}, nil, &organisation)
}

func (d *Desk) invitationView(ctx context.Context, t *tx, link string) (InvitationView, error) {
	var v InvitationView
	var desk int
	err := t.QueryRow(ctx, `
		select s.address, s.expires_at, s.desk, o.name
		from secret s join organisation o on o.id = s.organisation
		where s.kind = 'invitation' and s.link_hash = $1 and s.used_at is null and s.expires_at > $2`,
		token.Hash(link), t.now).Scan(&v.Address, &v.Expires, &desk, &v.Organisation)
	if err == pgx.ErrNoRows {
		return v, ErrExpired
	}
	if err != nil {
		return v, err
	}
	r, err := d.deskByID(desk)
	if err == nil {
		v.Desk = r.Name.In(r.Languages[0])
	}
	return v, err
}

func acceptByLink(ctx context.Context, t *tx, link, userAgent string) (string, error) {
	var person, organisation int64
	err := t.QueryRow(ctx, `
		update secret set used_at = $2
		where kind = 'invitation' and link_hash = $1 and used_at is null and expires_at > $2
		returning person, organisation`, token.Hash(link), t.now).Scan(&person, &organisation)
	if err == pgx.ErrNoRows {
		return "", ErrExpired
	}
	if err != nil {
		return "", err
	}
	if err := joinByInvitation(ctx, t, person, organisation); err != nil {
		return "", err
	}
	return startSession(ctx, t, person, userAgent)
}

func joinByInvitation(ctx context.Context, t *tx, person, organisation int64) error {
	_, err := t.Exec(ctx, `
		insert into member (person, organisation, by) values ($1, $2, 'invitation')
		on conflict (person) do update set organisation = excluded.organisation, by = 'invitation'`, person, organisation)
	return err
}
