package core

import (
	"context"
	"io"
	"strconv"
	"strings"

	"postern/core/flow"
)

// Cases lists cases that the viewer may see, last changed first.
func (d *Desk) Cases(ctx context.Context, v Viewer, q CaseQuery) (CasePage, error) {
	var page CasePage
	err := d.readTx(ctx, func(tx *tx) (err error) {
		page, err = d.casePage(ctx, tx, v, q)
		return err
	})
	return page, err
}

// Case shows one case as the viewer may see it. ErrNotFound: there is none, or
// not for them.
func (d *Desk) Case(ctx context.Context, v Viewer, number string) (CaseView, error) {
	var view CaseView
	err := d.readTx(ctx, func(tx *tx) (err error) {
		view, err = d.caseView(ctx, tx, v, number)
		return err
	})
	return view, err
}

// EntryHTML is the cleaned HTML of an entry: kind is "description", "comment"
// or "note".
func (d *Desk) EntryHTML(ctx context.Context, v Viewer, number, kind string, id int64) (string, error) {
	var html string
	err := d.readTx(ctx, func(tx *tx) error {
		c, err := d.visibleCase(ctx, tx, v, number)
		if err != nil {
			return err
		}
		html, err = entryHTML(ctx, tx, c, kind, id)
		return err
	})
	return html, err
}

// File opens a file of a case.
func (d *Desk) File(ctx context.Context, v Viewer, number string, id int64) (FileLine, io.ReadCloser, error) {
	return d.openFile(ctx, func(tx *tx) (FileLine, int64, error) {
		c, err := d.visibleCase(ctx, tx, v, number)
		if err != nil {
			return FileLine{}, 0, err
		}
		return fileOf(ctx, tx, c, id)
	})
}

// InlineFile opens the file that an entry's HTML names by its Content-ID.
func (d *Desk) InlineFile(ctx context.Context, v Viewer, number, kind string, entry int64, contentID string) (FileLine, io.ReadCloser, error) {
	return d.openFile(ctx, func(tx *tx) (FileLine, int64, error) {
		c, err := d.visibleCase(ctx, tx, v, number)
		if err != nil {
			return FileLine{}, 0, err
		}
		return inlineFileOf(ctx, tx, c, kind, entry, contentID)
	})
}

func (d *Desk) openFile(ctx context.Context, find func(*tx) (FileLine, int64, error)) (FileLine, io.ReadCloser, error) {
	var line FileLine
	var blob int64
	err := d.readTx(ctx, func(tx *tx) (err error) {
		line, blob, err = find(tx)
		return err
	})
	if err != nil {
		return FileLine{}, nil, err
	}
	from, err := d.OpenBlob(ctx, blob)
	return line, from, err
}

// MoveCase sets a status by the press of a button on the case's page.
// ErrNotAllowed: this viewer may not make that move now.
func (d *Desk) MoveCase(ctx context.Context, v Viewer, number, to string) error {
	err := d.inTx(ctx, func(tx *tx) error {
		c, err := d.visibleCase(ctx, tx, v, number)
		if err != nil {
			return err
		}
		by := flow.ByCustomer
		if c.ForAgent {
			by = flow.ByAgent
		}
		return d.pressed(ctx, tx, c.caseRow, to, v.person, by, "")
	})
	d.hint()
	return err
}

// MoveByLink shows what the press on a one-time link's page would do.
func (d *Desk) MoveByLink(ctx context.Context, link string) (MoveLink, error) {
	var m MoveLink
	err := d.readTx(ctx, func(tx *tx) (err error) {
		m, _, err = d.moveByLink(ctx, tx, "move", link, false)
		return err
	})
	return m, err
}

// PressMove makes the move of a one-time link, once (R46), with a text if it
// needs one. It needs no other proof: the link went to the person's address
// alone. ErrNoText: a text is missing, or too long; ErrNotAllowed: the case is no
// longer where this can be done.
func (d *Desk) PressMove(ctx context.Context, link, text string) (MoveLink, error) {
	var m MoveLink
	err := d.inTx(ctx, func(tx *tx) (err error) {
		m, err = d.pressMove(ctx, tx, link, text)
		return err
	})
	d.hint()
	return m, err
}

// UndoByLink shows what taking back a press would do.
func (d *Desk) UndoByLink(ctx context.Context, link string) (MoveLink, error) {
	var m MoveLink
	err := d.readTx(ctx, func(tx *tx) (err error) {
		m, _, err = d.moveByLink(ctx, tx, "undo", link, false)
		return err
	})
	return m, err
}

// PressUndo takes a press back: the case gets the status again that it had
// before, whatever the moves of the desk file say. ErrNotAllowed: somebody has
// changed it since.
func (d *Desk) PressUndo(ctx context.Context, link string) (MoveLink, error) {
	var m MoveLink
	err := d.inTx(ctx, func(tx *tx) (err error) {
		m, err = d.pressUndo(ctx, tx, link)
		return err
	})
	d.hint()
	return m, err
}

// splitNumber reads a case number as people write it; ok is false if it is
// none of ours.
func (d *Desk) splitNumber(s string) (desk int, number int64, ok bool) {
	prefix, digits, found := strings.Cut(strings.ToUpper(strings.TrimSpace(s)), "-")
	if !found {
		return 0, 0, false
	}
	desk, known := d.prefixes()[prefix]
	n, err := strconv.ParseInt(digits, 10, 64)
	return desk, n, known && err == nil && n > 0
}

// readNumber reads a case number of this desk as people write it: with its
// prefix or without. It is 0 if it is none.
func (r *running) readNumber(s string) (int64, bool) {
	prefix, digits, found := strings.Cut(strings.ToUpper(strings.Trim(s, " \t[]#.")), "-")
	if !found {
		prefix, digits = r.Prefix, prefix
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if _, known := r.prefixes[prefix]; !known || err != nil || n < 1 {
		return 0, false
	}
	return n, true
}
