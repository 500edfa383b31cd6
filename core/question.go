package core

import (
	"context"
	"strings"
)

// AskAgents puts one question to each agent with mail that waits for their
// word and that no question has shown yet (R42). It returns how many were put.
func (d *Desk) AskAgents(ctx context.Context) (int, error) {
	asked := 0
	err := d.inTx(ctx, func(tx *tx) error {
		asked = 0
		rows, err := unasked(ctx, tx)
		if err != nil {
			return err
		}
		for len(rows) > 0 {
			first := rows[0]
			n := 0
			var ids []int64
			var items []Waiting
			desk, err := d.deskByID(first.Desk)
			if err != nil {
				return err
			}
			for n < len(rows) && rows[n].Person == first.Person {
				w := rows[n]
				ids = append(ids, w.Ledger)
				items = append(items, Waiting{Number: desk.caseNumber(w.Number), Title: w.Title, At: w.At, Text: shownOfWaiting(w.Text)})
				n++
			}
			to := recipient{person: first.Person, name: first.Name, address: first.Address,
				language: desk.language(first.Language), agent: true}
			if err := d.askOne(ctx, tx, desk, to, ids, items); err != nil {
				return err
			}
			asked++
			rows = rows[n:]
		}
		return nil
	})
	if asked > 0 {
		d.hint()
	}
	return asked, err
}

// shownOfWaiting is what a question shows of a mail that waits: its first lines
// as they came, commands among them, and a sign that there is more.
func shownOfWaiting(text string) string {
	text = strings.TrimSpace(text)
	shown := strings.TrimSpace(firstLines(text, 6, 500))
	if shown != text {
		shown += "\n[...]"
	}
	return shown
}

// QuestionByLink shows what a question asks about. ErrExpired: it is over.
func (d *Desk) QuestionByLink(ctx context.Context, link string) (QuestionView, error) {
	var v QuestionView
	err := d.readTx(ctx, func(tx *tx) error {
		q, err := questionByLink(ctx, tx, link, false)
		if err != nil {
			return err
		}
		v.Address = q.Address
		v.Items, err = questionItems(ctx, tx, d, q.Waiting)
		return err
	})
	return v, err
}

// PressQuestion files what a question showed in its agent's name, but for what
// was struck out, which is refused.
func (d *Desk) PressQuestion(ctx context.Context, link string, struck []int64) error {
	return d.inTx(ctx, func(tx *tx) error {
		q, err := questionByLink(ctx, tx, link, true)
		if err != nil {
			return err
		}
		return pressQuestion(ctx, tx, q, struck)
	})
}
