package core

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"postern/core/flow"
	"postern/core/token"
)

// press is what a press brings beside the new status.
type press struct {
	text    string
	binding bool      // a customer's binding word: it can be taken back
	undone  bool      // it takes one back
	until   time.Time // the status has this date
}

// brought is what became of it.
type brought struct {
	comment int64
	wake    *time.Time // date of the status that the case leaves
}

// queuePress writes the comment and the events of a press.
func queuePress(ctx context.Context, t *tx, b *pgx.Batch, c caseRow, person int64, of press) (brought, error) {
	var got brought
	if of.binding {
		if err := t.QueryRow(ctx, `select wake_at from cases where id = $1`, c.ID).Scan(&got.wake); err != nil {
			return got, err
		}
	}
	if of.text != "" {
		if err := t.QueryRow(ctx, `select nextval('comment_id_seq')`).Scan(&got.comment); err != nil {
			return got, err
		}
		b.Queue(`
			insert into comment (id, case_id, at, written_at, author, side, text)
			values ($1, $2, $3, $3, $4, 'customer', $5)`, got.comment, c.ID, t.now, person, of.text)
	}
	if of.undone {
		queueEvent(b, t, c.ID, newEvent{kind: "undone", actor: person}, Mail{})
	}
	return got, nil
}

// offerUndo puts into the news of a binding word that was pressed on a page the
// link that takes it back.
func offerUndo(w *draft, from flow.Status, wake *time.Time) {
	if w.secret == "" {
		w.secret = "undo"
	}
	w.wake = wake
	w.payload.Links = append(w.payload.Links, Link{Purpose: "undo", Move: from.Key, Label: from.Label.In(w.to.language)})
}

// derivedFrom is what the secret of a link is derived from, beside the letter:
// one letter may hold several.
func (k Link) derivedFrom() string {
	if k.Move == "" {
		return k.Purpose
	}
	return k.Purpose + " " + k.Move
}

// queuePressLinks keeps the hashes of a letter's links to one press. A letter
// that still waits, and tells more now, may have had them before.
func (d *Desk) queuePressLinks(b *pgx.Batch, t *tx, desk *running, w draft, about any) {
	for _, k := range w.payload.Links {
		life := map[string]time.Duration{"move": moveLinkLife, "undo": undoLife}[k.Purpose]
		if life == 0 || w.to.person == 0 {
			continue
		}
		var wake *time.Time
		if k.Purpose == "undo" {
			wake = w.wake
		}
		b.Queue(`
			insert into secret (kind, link_hash, person, address, desk, case_id, move, wake_at, made_at, expires_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
			on conflict (link_hash) do update
				set move = excluded.move, wake_at = excluded.wake_at, made_at = excluded.made_at, expires_at = excluded.expires_at`,
			k.Purpose, token.Hash(d.set.Key.Link(k.derivedFrom(), k.Nonce)), w.to.person, w.to.address, desk.id, about, k.Move,
			wake, t.now, t.now.Add(life))
	}
}

type moveRow struct {
	ID     int64
	Person int64
	CaseID int64
	Move   string
	MadeAt time.Time
	WakeAt *time.Time
	UsedAt *time.Time
	Gone   bool // too old, and never used
}

type linkedCase struct {
	caseRow
	Wrote bool // somebody of the desk wrote publicly
	Sure  bool // its requester was verified
	Lang  string
	Org   string
}

// moveByLink shows what the press of a link would do, or what it did. A link
// that is no one's, one too old, and one of somebody who may see the case no
// longer are one answer: ErrExpired (R63).
func (d *Desk) moveByLink(ctx context.Context, t *tx, kind, link string, lock bool) (MoveLink, moveRow, error) {
	q := `
		select id, coalesce(person, 0) as person, case_id, move, made_at, wake_at, used_at, expires_at <= $3 and used_at is null as gone
		from secret where kind = $1 and link_hash = $2`
	if lock {
		q += ` for update`
	}
	rows, _ := t.Query(ctx, q, kind, token.Hash(link), t.now)
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[moveRow])
	if err == pgx.ErrNoRows {
		return MoveLink{}, row, ErrExpired
	}
	if err != nil {
		return MoveLink{}, row, err
	}
	q = `
		select c.id, c.desk, c.number, c.title, c.requester, c.organisation, '' as company, c.owner,
			c.status, c.class, c.status_at, c.desk_wrote_at, c.opened_at, ` + commandedColumns + `, true as visible,
			c.desk_wrote_at is not null as wrote,
			exists (select from person p where p.id = c.requester and p.verified_at is not null) as sure,
			(select p.language from person p where p.id = s.person) as lang,
			coalesce((select o.language from organisation o where o.id = s.organisation), '') as org
		from ` + seerByPerson + `, cases c
		where c.id = $2 and ` + wall
	if lock {
		q += ` for update of c`
	}
	rows, _ = t.Query(ctx, q, row.Person, row.CaseID)
	c, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[linkedCase])
	if err == pgx.ErrNoRows || err == nil && row.Gone {
		return MoveLink{}, row, ErrExpired
	}
	if err != nil {
		return MoveLink{}, row, err
	}
	desk, err := d.deskByID(c.Desk)
	if err != nil {
		return MoveLink{}, row, err
	}
	to, ok := desk.Status(row.Move)
	if !ok {
		return MoveLink{}, row, ErrExpired // the desk has this status no longer
	}
	lang := desk.language(c.Lang, c.Org)
	m := MoveLink{Number: desk.caseNumber(c.Number), Title: c.Title, Now: statusLabel(desk, c.Status, lang),
		To: to.Label.In(lang), Class: string(to.Class), Undo: kind == "undo"}
	if !c.Wrote && !c.Sure {
		m.Title = "" // R51
	}
	if row.UsedAt != nil {
		m.Used = *row.UsedAt
	}
	m.Done = row.UsedAt != nil || c.Status == row.Move && c.MergedInto == nil
	if c.MergedInto != nil && !m.Done {
		m.Gone = true
		m.GoesOn, err = d.goesOn(ctx, t, row.Person, *c.MergedInto)
		return m, row, err
	}
	if m.Undo {
		m.Gone = !m.Done && !c.StatusAt.Equal(row.MadeAt)
		return m, row, nil
	}
	move, can := customersMove(desk, c.caseRow, row.Move, t.now)
	m.Gone, m.NeedsText = !m.Done && !can, move.NeedsText()
	return m, row, nil
}

// goesOn is the number of a case into which another was merged, "" if this
// person may not see it.
func (d *Desk) goesOn(ctx context.Context, t *tx, person, id int64) (string, error) {
	var desk int
	var number int64
	err := t.QueryRow(ctx, `select c.desk, c.number from `+seerByPerson+`, cases c where c.id = $2 and `+wall, person, id).Scan(&desk, &number)
	if err == pgx.ErrNoRows {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	r, err := d.deskByID(desk)
	if err != nil {
		return "", err
	}
	return r.caseNumber(number), nil
}

func (d *Desk) pressMove(ctx context.Context, t *tx, link, text string) (MoveLink, error) {
	m, row, err := d.moveByLink(ctx, t, "move", link, true)
	text = pressText(text)
	switch {
	case err != nil || m.Done:
		return m, err
	case m.Gone:
		return m, ErrNotAllowed
	case !m.NeedsText:
		text = ""
	case text == "" || utf8.RuneCountInString(text) > maxPressText:
		return m, ErrNoText
	}
	if err := d.pressed(ctx, t, caseRow{ID: row.CaseID}, row.Move, row.Person, flow.ByCustomer, text); err != nil {
		return m, err
	}
	return m.pressed(t.now), useLink(ctx, t, row)
}

func (d *Desk) pressUndo(ctx context.Context, t *tx, link string) (MoveLink, error) {
	m, row, err := d.moveByLink(ctx, t, "undo", link, true)
	switch {
	case err != nil || m.Done:
		return m, err
	case m.Gone:
		return m, ErrNotAllowed
	}
	c, agents, err := caseAndAgents(ctx, t, row.CaseID)
	if err != nil {
		return m, err
	}
	desk, err := d.deskByID(c.Desk)
	if err != nil {
		return m, err
	}
	of := press{undone: true}
	if row.WakeAt != nil {
		of.until = *row.WakeAt
	}
	if err := d.moveAndTellOf(ctx, t, desk, c, agents, row.Move, row.Person, of); err != nil {
		return m, err
	}
	return m.pressed(t.now), useLink(ctx, t, row)
}

func (m MoveLink) pressed(now time.Time) MoveLink {
	m.Now, m.Done, m.Used = m.To, true, now
	return m
}

func useLink(ctx context.Context, t *tx, row moveRow) error {
	_, err := t.Exec(ctx, `update secret set used_at = $2 where id = $1`, row.ID, t.now)
	return err
}

// pressText is a text as a page's form sends it, without what no text may hold
// (R19).
func pressText(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	text = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	return strings.TrimSpace(text)
}
