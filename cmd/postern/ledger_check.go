package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"postern/core"
	"postern/mailin"
)

// fates are the states of a mail, in the order in which people ask for them.
var fates = []struct {
	state core.State
	means string
}{
	{core.StateStored, "kept, waits to be filed"},
	{core.Filed, "part of a case, or an event"},
	{core.Duplicate, "known before, no effect"},
	{core.Held, "waits for a person: postern ledger list"},
	{core.Quarantined, "could not be filed: postern ledger list --state quarantined"},
	{core.Refused, "a person's word on held mail"},
	{core.Gone, "the mail server had no bytes for it"},
}

// report is what ledger check prints, for programs as it stands.
type report struct {
	Balanced  bool             `json:"balanced"`
	Problems  []string         `json:"problems"` // sentences: why it does not balance
	Mailboxes []mailboxReport  `json:"mailboxes"`
	Received  int64            `json:"received"`
	States    map[string]int64 `json:"states"`
	Stored    []storedReport   `json:"stored"`
	Letters   []letterObject   `json:"letters"`
}

type mailboxReport struct {
	Mailbox string         `json:"mailbox"`
	Error   string         `json:"error,omitempty"`
	Folders []folderReport `json:"folders"`
}

type folderReport struct {
	Folder      string   `json:"folder"`
	There       bool     `json:"there"`
	UIDValidity uint32   `json:"uidvalidity"`
	Server      int      `json:"server"`
	Known       int      `json:"known"`
	New         int      `json:"new"`
	Unknown     int      `json:"unknown"`
	UnknownUIDs []uint32 `json:"unknown_uids"`
	Removed     int      `json:"removed"`
}

type storedReport struct {
	ID     int64  `json:"id"`
	Kept   string `json:"kept"`
	Due    string `json:"due"`
	Tries  int    `json:"tries"`
	Reason string `json:"reason"`
}

func ledgerCheckCommand(f *flag.FlagSet) action {
	asJSON := f.Bool("json", false, "print one JSON object")
	return func(ctx context.Context, p *program, args []string) error {
		if err := none(args); err != nil {
			return err
		}
		d, s, err := p.open(ctx)
		if err != nil {
			return err
		}
		defer d.Close()
		r := report{Problems: []string{}, Mailboxes: []mailboxReport{}, States: map[string]int64{}, Stored: []storedReport{}, Letters: []letterObject{}}
		for _, m := range s.Mailboxes {
			if err := r.mailbox(ctx, d, s, m); err != nil {
				return err
			}
		}
		if err := r.ledger(ctx, d); err != nil {
			return err
		}
		r.Balanced = len(r.Problems) == 0
		if *asJSON {
			err = printJSON(p.stdout, r)
		} else {
			err = r.print(p)
		}
		if err == nil && !r.Balanced {
			err = errSaid
		}
		return err
	}
}

func (r *report) problem(format string, args ...any) {
	r.Problems = append(r.Problems, oneLineOf(fmt.Sprintf(format, args...), 500))
}

// oneLineOf is a sentence with what others wrote in it.
func oneLineOf(text string, most int) string {
	return cut(strings.Join(strings.Fields(harmless(text)), " "), most)
}

// mailbox compares one with its server. Its error is one of the database.
func (r *report) mailbox(ctx context.Context, d *core.Desk, s *Settings, m Mailbox) error {
	ctx, cancel := context.WithTimeout(ctx, comparing)
	defer cancel()
	folders, held, err := mailin.Balance(ctx, d, mailin.Account{
		Name: m.Name, Server: m.imap(), Inboxes: append(m.inboxes(), m.Junk),
		Others: []string{m.Processed, m.Quarantine}, PollEvery: s.Limits.Poll,
	})
	line := mailboxReport{Mailbox: m.Name, Folders: []folderReport{}}
	unknown := 0
	for _, f := range folders {
		line.Folders = append(line.Folders, folderReport{f.Folder, !f.Missing, f.UIDValidity, f.Server, f.Known, f.New, f.Unknown, append([]uint32{}, f.UIDs...), f.Removed})
		if unknown += f.Unknown; f.Unknown > 0 {
			r.problem("mailbox %s, folder %s: the ledger does not have %s (%s). %s", m.Name, f.Folder, mails(f.Unknown), uidList(f), whenCompared(held))
		}
	}
	if err != nil {
		line.Error = oneLineOf(err.Error(), 500)
		r.problem("mailbox %s could not be compared: %v", m.Name, err)
	}
	r.Mailboxes = append(r.Mailboxes, line)
	if unknown == 0 {
		return nil
	}
	return d.CompareAgain(context.WithoutCancel(ctx), m.Name)
}

// comparing is how long one mailbox may take: a search in a hundred thousand
// mails has its time, a server that hangs does not.
const comparing = 5 * time.Minute

// whenCompared says when what is unknown is taken in (R8).
func whenCompared(held bool) string {
	if held {
		return "postern serve has been told to compare at its next poll and takes them in: check again in a minute."
	}
	return "postern serve is not running for this mailbox: it compares and takes them in when it starts."
}

func mails(n int) string {
	if n == 1 {
		return "1 mail"
	}
	return fmt.Sprintf("%d mails", n)
}

func uidList(f mailin.FolderBalance) string {
	uids := make([]string, len(f.UIDs))
	for i, u := range f.UIDs {
		uids[i] = fmt.Sprint(u)
	}
	list := "UID " + strings.Join(uids, ", ")
	if f.Unknown > len(f.UIDs) {
		list += fmt.Sprintf(" and %d more", f.Unknown-len(f.UIDs))
	}
	return list
}

// ledger adds what became of all mails.
func (r *report) ledger(ctx context.Context, d *core.Desk) error {
	b, err := d.Balance(ctx)
	if err != nil {
		return err
	}
	r.Received = b.Received
	var ends int64
	for _, fate := range fates {
		r.States[string(fate.state)] = b.States[fate.state]
		ends += b.States[fate.state]
	}
	if ends != b.Received {
		r.problem("the ledger has %d rows and %d of them in a state that is known: the database was changed by hand, or by a newer postern", b.Received, ends)
	}
	for _, w := range b.Waiting {
		r.Stored = append(r.Stored, storedReport{w.Ledger, stamp(w.KeptAt), stamp(w.DueAt), w.Tries, w.Reason})
	}
	if late := slices.IndexFunc(b.Waiting, func(w core.WaitingRow) bool { return w.Late }); late >= 0 {
		r.problem("mail %d is due since %s and nobody files it: is postern serve running?", b.Waiting[late].Ledger, moment(b.Waiting[late].DueAt))
	}
	for _, l := range b.Letters {
		r.Letters = append(r.Letters, letterObject{l.ID, string(l.Kind), l.Address, l.State, l.Reason})
	}
	return nil
}

// print writes it for a person.
func (r *report) print(p *program) error {
	var rows [][]string
	for _, m := range r.Mailboxes {
		if m.Error != "" {
			rows = append(rows, []string{m.Mailbox, "-", "-", "-", "-", "-", "-", "could not be compared"})
		}
		for _, f := range m.Folders {
			note := ""
			if !f.There {
				note = "there is no such folder yet"
			} else if f.Removed > 0 {
				note = "removed: moved or deleted by a person, no fault"
			}
			rows = append(rows, []string{m.Mailbox, f.Folder, fmt.Sprint(f.Server), fmt.Sprint(f.Known), fmt.Sprint(f.New), fmt.Sprint(f.Unknown), fmt.Sprint(f.Removed), note})
		}
	}
	if err := columns(p.stdout, "MAILBOX FOLDER SERVER KNOWN NEW UNKNOWN REMOVED NOTE", rows); err != nil {
		return err
	}
	fmt.Fprintln(p.stdout)
	rows = nil
	for _, fate := range fates {
		rows = append(rows, []string{string(fate.state), fmt.Sprint(r.States[string(fate.state)]), fate.means})
	}
	rows = append(rows, []string{"all", fmt.Sprint(r.Received), "every mail ever taken in"})
	if err := columns(p.stdout, "STATE MAILS MEANS", rows); err != nil {
		return err
	}
	if len(r.Stored) > 0 {
		fmt.Fprintln(p.stdout, "\nmail that waits for some minutes: postern ledger show ID")
		for _, w := range r.Stored {
			why := w.Reason
			if why == "" {
				why = "not tried yet"
			}
			fmt.Fprintf(p.stdout, "  %d  kept %s, %d tries, next at %s: %s\n", w.ID, w.Kept, w.Tries, w.Due, oneLine(why))
		}
	}
	if len(r.Letters) > 0 {
		fmt.Fprintln(p.stdout, "\nmail of ours that a person should know of")
		for _, l := range r.Letters {
			fmt.Fprintf(p.stdout, "  %d  %s to %s is %s: %s\n", l.ID, l.Kind, oneLine(l.Address), l.State, oneLine(l.Reason))
		}
	}
	fmt.Fprintln(p.stdout)
	if r.Balanced {
		_, err := fmt.Fprintln(p.stdout, "It balances: every mail on the servers is in the ledger, and every mail in the ledger has its fate.")
		return err
	}
	fmt.Fprintln(p.stdout, "It does not balance.")
	for _, problem := range r.Problems {
		fmt.Fprintln(p.stdout, "-", problem)
	}
	return nil
}
