package core

import (
	"context"
	"fmt"
	"slices"

	"postern/core/flow"
)

// DeskWishes is what a person may say, and has said, of how they hear of what
// happens on one desk.
type DeskWishes struct {
	Desk  string // key
	Name  string
	Agent bool
	Lines []WishLine
}

// WishLine is one event.
type WishLine struct {
	Event flow.Event
	Gives flow.How   // what the desk gives them of a case that is theirs
	Wish  flow.How   // what they have said; "": nothing
	Ways  []flow.How // what they may say
}

// Preferences are a person's wishes, desk by desk.
func (d *Desk) Preferences(ctx context.Context, v Viewer) ([]DeskWishes, error) {
	var all []DeskWishes
	err := d.readTx(ctx, func(tx *tx) error {
		rows, err := preferenceRows(ctx, tx, v.person)
		if err != nil {
			return err
		}
		for _, row := range rows {
			desk, err := d.deskByID(row.Desk)
			if err != nil {
				return err
			}
			all = append(all, row.wishes(desk, v.Language))
		}
		return nil
	})
	return all, err
}

// SetPreferences keeps what a person says of the events of one desk, "" for what
// the desk says. All of it counts, or none: ErrNotFound for a desk with which
// they have nothing to do, ErrNotAllowed for what is not theirs to say.
func (d *Desk) SetPreferences(ctx context.Context, v Viewer, desk string, wishes map[string]string) error {
	r, err := d.desk(desk)
	if err != nil {
		return err
	}
	return d.inTx(ctx, func(tx *tx) error {
		for event, how := range wishes {
			if err := d.setPreference(ctx, tx, v.person, r.id, event, how); err != nil {
				return err
			}
		}
		return nil
	})
}

// setPreference keeps what a person says of one event, in a transaction.
func (d *Desk) setPreference(ctx context.Context, t *tx, person int64, desk int, event, how string) error {
	rows, err := preferenceRows(ctx, t, person)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rows, func(r preferenceRow) bool { return r.Desk == desk })
	if i < 0 {
		return fmt.Errorf("desk %d: %w", desk, ErrNotFound)
	}
	r, err := d.deskByID(desk)
	if err != nil {
		return err
	}
	for _, l := range rows[i].wishes(r, "").Lines {
		if string(l.Event) != event {
			continue
		}
		if how != "" && !slices.Contains(l.Ways, flow.How(how)) {
			return fmt.Errorf("%s of %s: %w", clean(how, 20), event, ErrNotAllowed)
		}
		return writePreference(ctx, t, person, desk, l.Event, flow.How(how))
	}
	return fmt.Errorf("event %s: %w", clean(event, 20), ErrNotAllowed)
}

// wishes are the events of a desk as this person hears of them.
func (row preferenceRow) wishes(desk *running, language string) DeskWishes {
	all := DeskWishes{Desk: desk.Key, Name: desk.Name.In(desk.language(language)), Agent: row.Agent}
	roles := []flow.Role{flow.RoleRequester}
	if row.Agent {
		roles = []flow.Role{flow.RoleOwner, flow.RoleUnowned, flow.RoleNotify, flow.RoleAgents}
		if row.Admin {
			roles = append(roles, flow.RoleAdmins)
		}
	}
	for _, e := range flow.Wishes(row.Agent) {
		l := WishLine{Event: e, Gives: flow.Untold}
		for _, r := range roles {
			l.Gives = l.Gives.More(desk.Tell(e, r))
		}
		for _, how := range flow.Ways(e) {
			if row.Agent || how.Less(l.Gives) { // a contact only asks for less
				l.Ways = append(l.Ways, how)
			}
		}
		if wish, ok := wished(row.Wishes, e, row.Agent); ok && slices.Contains(l.Ways, wish) {
			l.Wish = wish
		}
		all.Lines = append(all.Lines, l)
	}
	return all
}
