package core

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// HistoryEntry is one line of a case's timeline in a transcript.
type HistoryEntry struct {
	At     time.Time
	Kind   string // "description", "comment", "note", "event"
	Author string
	Text   string // its first lines
	Event  string
	Was    string
	Became string
	Why    string
	Until  time.Time `db:"-"` // of a status that wakes by itself
}

// What a history shows: the newest entries, and of each the beginning.
const (
	historyEntries = 40
	historyLines   = 6
	historyChars   = 400
)

// histories reads the timelines that transcripts show, as they were when these
// were written: nothing of it stands in the letters, so that erasing finds all.
func (d *Desk) histories(ctx context.Context, t *tx, letters []claimed) (map[int64][]HistoryEntry, error) {
	all := map[int64][]HistoryEntry{}
	for _, l := range letters {
		var p Payload
		if Kind(l.Kind) != Transcript || l.CaseID == nil || l.Bytes != nil || json.Unmarshal(l.Payload, &p) != nil || !p.History {
			continue
		}
		desk, err := d.deskByID(l.Desk)
		if err != nil {
			return nil, err
		}
		rows, _ := t.Query(ctx, `
			select e.at, e.kind, coalesce(nullif(p.name, ''), (select min(x.address) from address x where x.person = p.id), '') as author,
				e.text, e.event, e.was, e.became, e.why
			from (
				select c.opened_at as at, 'description' as kind, coalesce(c.author, c.requester) as person, left(c.description, 4000) as text,
					'' as event, '' as was, '' as became, '' as why, '-infinity'::timestamptz as written_at, 0 as rank, 0::bigint as id
				from cases c where c.id = $1
				union all
				select x.at, 'comment', x.author, left(x.text, 4000), '', '', '', '', x.written_at, 1, x.id from comment x where x.case_id = $1
				union all
				select x.at, 'note', x.author, left(x.text, 4000), '', '', '', '', x.written_at, 1, x.id from note x where x.case_id = $1
				union all
				select x.at, 'event', x.actor, '', x.kind, x.was, x.became, x.why, x.written_at, 2, x.id from event x
				where x.case_id = $1 and `+readersEvent("$4")+`
			) e left join person p on p.id = e.person
			where e.written_at <= $2
			order by e.at desc, e.written_at desc, e.rank desc, e.id desc limit $3`, *l.CaseID, l.QueuedAt, historyEntries, l.Address)
		found, err := pgx.CollectRows(rows, pgx.RowToStructByName[HistoryEntry])
		if err != nil {
			return nil, err
		}
		slices.Reverse(found)
		for i := range found {
			e := &found[i]
			e.Text = firstLines(e.Text, historyLines, historyChars)
			e.Was, e.Became = eventLabel(desk, e.Event, e.Was, l.Language), eventLabel(desk, e.Event, e.Became, l.Language)
			e.Why, e.Until = readUntil(e.Why)
		}
		all[l.ID] = found
	}
	return all, nil
}

// readersEvent is showsEvent for mails: an event x that names a case of another
// desk is for agents of that desk alone. The reader is whoever has this address.
func readersEvent(address string) string {
	return `(x.kind not in ('` + sameMail + `', 'linked', 'unlinked') or exists (
		select from prefix y join agent g on g.desk = y.desk join address q on q.person = g.person
		where y.prefix = split_part(x.became, '-', 1) and q.address = ` + address + `))`
}

// untilLayout is how the event of a status that wakes by itself says when.
const untilLayout = "until 2006-01-02 15:04 MST"

// readUntil takes that date out of an event's why.
func readUntil(why string) (string, time.Time) {
	if at, err := time.Parse(untilLayout, why); err == nil && strings.HasSuffix(why, " UTC") {
		return "", at
	}
	return why, time.Time{}
}

// eventLabel is what people call a value that an event holds by its key.
func eventLabel(d *running, event, value, language string) string {
	label := ""
	switch event {
	case "status", "opened":
		return statusLabel(d, value, language)
	case "priority":
		label = option(d.Priorities, value, language)
	case "type":
		label = option(d.Types, value, language)
	}
	return nameOr(label, value)
}
