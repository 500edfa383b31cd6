package core

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"postern/core/flow"
)

// EnsureDesk makes a desk from a file if the database has none of that key;
// otherwise the text in the database rules and source is not read.
func (d *Desk) EnsureDesk(ctx context.Context, key string, source []byte) error {
	if _, err := d.desk(key); err == nil {
		return nil
	}
	f, err := ParseDesk(key, source)
	if err != nil {
		return err
	}
	err = d.inTx(ctx, func(tx *tx) error { return insertDesk(ctx, tx, f) })
	if err != nil {
		return fmt.Errorf("make desk %s: %w", key, err)
	}
	return d.loadDesks(ctx)
}

// ApplyDesk checks a desk file against the cases, and stores it in one
// transaction unless dry is set. moves says which status a case with a removed
// one gets. It returns what changes, for a person to read. Errors:
// *flow.Problems for a wrong file, ErrInUse if cases have a key that it lacks.
func (d *Desk) ApplyDesk(ctx context.Context, key string, source []byte, moves map[string]string, dry bool) ([]string, error) {
	f, err := ParseDesk(key, source)
	if err != nil {
		return nil, err
	}
	var changes []string
	err = d.inTx(ctx, func(tx *tx) error {
		row, err := deskRow(ctx, tx, key)
		if err != nil {
			return err
		}
		if err := lockDesk(ctx, tx, row.ID); err != nil {
			return err
		}
		if row, err = deskRow(ctx, tx, key); err != nil { // as it is now that nobody changes it
			return err
		}
		old, err := flow.Parse(key, []byte(row.Source))
		if err != nil {
			old = nil // an older version's rules: everything counts as new
		}
		changes = f.Changes(old)
		for from, to := range moves {
			if _, ok := f.Status(to); !ok {
				return fmt.Errorf("move %s=%s: the file has no status %s", from, to, to)
			}
		}
		if old != nil {
			if err := removedKeys(ctx, tx, row.ID, f.RemovedKeys(old), moves); err != nil {
				return err
			}
		}
		if dry {
			return nil
		}
		for from, to := range moves {
			status, _ := f.Status(to)
			if err := moveAll(ctx, tx, row.ID, from, status); err != nil {
				return err
			}
		}
		return updateDesk(ctx, tx, row.ID, f)
	})
	if err != nil {
		return changes, fmt.Errorf("apply desk %s: %w", key, err)
	}
	if dry {
		return changes, nil
	}
	return changes, d.loadDesks(ctx)
}

// removedKeys fails with ErrInUse if cases have one of the keys and moves does
// not say what they get.
func removedKeys(ctx context.Context, tx *tx, desk int, keys []string, moves map[string]string) error {
	used, err := usedKeys(ctx, tx, desk, keys)
	if err != nil {
		return err
	}
	var left []string
	for _, u := range used {
		if moves[u.Key] == "" {
			left = append(left, fmt.Sprintf("%s (%d cases)", u.Key, u.Cases))
		}
	}
	if len(left) == 0 {
		return nil
	}
	sort.Strings(left)
	return fmt.Errorf("%w: %s; say what they get instead with --move OLD=NEW", ErrInUse, strings.Join(left, ", "))
}

// DeskSource returns the running file of a desk and its version.
func (d *Desk) DeskSource(ctx context.Context, key string) ([]byte, int, error) {
	var row deskRecord
	err := d.readTx(ctx, func(tx *tx) (err error) {
		row, err = deskRow(ctx, tx, key)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("desk %s: %w", key, err)
	}
	return []byte(row.Source), row.Version, nil
}

// caseNumber writes a case's number as people see it.
func (r *running) caseNumber(n int64) string { return fmt.Sprintf("%s-%d", r.Prefix, n) }

// language picks the language in which somebody is written to: the person's,
// else the organisation's, else the desk's first; never guessed from text.
func (r *running) language(wishes ...string) string {
	for _, w := range wishes {
		for _, l := range r.Languages {
			if w == l {
				return w
			}
		}
	}
	return r.Languages[0]
}
