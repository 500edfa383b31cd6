package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"postern/core"
)

func outboxListCommand(f *flag.FlagSet) action {
	asJSON := f.Bool("json", false, "print one JSON object a line")
	state := f.String("state", "", "only mail in this `STATE`: "+strings.Join(core.OutboxStates, ", ")+"; without it, all that has not left")
	before := f.Int64("before", 0, "only mail with a smaller id than `ID`: the next page")
	limit := f.Int("limit", 50, "at most `N` mails")
	return func(ctx context.Context, p *program, args []string) error {
		if err := none(args); err != nil {
			return err
		}
		states := []string{"queued", "sending", "dotted", "retry", "failed", "uncertain", "expired"}
		if *state != "" {
			if !slices.Contains(core.OutboxStates, *state) {
				return usageError(fmt.Sprintf("--state %s: must be %s", *state, alternatives(core.OutboxStates)))
			}
			states = []string{*state}
		}
		if err := checkLimit(*limit); err != nil {
			return err
		}
		d, _, err := p.open(ctx)
		if err != nil {
			return err
		}
		defer d.Close()
		list, err := d.Outbox(ctx, states, *before, *limit)
		if err != nil {
			return err
		}
		if *asJSON {
			return printEachJSON(p.stdout, list, outboxJSON)
		}
		return listOutbox(p, list, *limit)
	}
}

func listOutbox(p *program, list []core.OutboxLine, limit int) error {
	if len(list) == 0 {
		fmt.Fprintln(p.stdout, "there is no such mail")
		return nil
	}
	var rows [][]string
	wait := false
	for _, l := range list {
		rows = append(rows, []string{fmt.Sprint(l.ID), stateOf(l), moment(l.QueuedAt), string(l.Kind), l.Case, cut(l.Address, 40), cut(l.Reason, 60)})
		wait = wait || l.State == "uncertain"
	}
	if err := columns(p.stdout, "ID STATE QUEUED KIND CASE TO REASON", rows); err != nil {
		return err
	}
	if len(list) == limit {
		fmt.Fprintf(p.stdout, "\nolder ones: --before %d\n", list[len(list)-1].ID)
	}
	fmt.Fprintln(p.stdout, "\npostern outbox show ID tells more")
	if wait {
		fmt.Fprintln(p.stdout, "postern outbox settle ends an uncertain one: look in the mail server's log whether it left")
	}
	return nil
}

// stateOf is a letter's state; of an uncertain one, whether it waits for a
// person.
func stateOf(l core.OutboxLine) string {
	if l.State == "uncertain" && !l.Waits() {
		return "uncertain (sent once more at " + moment(l.DueAt) + ")"
	}
	return l.State
}

// outboxObject is a letter for programs.
type outboxObject struct {
	letterObject
	Case   string  `json:"case"`
	Queued string  `json:"queued"`
	Dotted *string `json:"dotted"`
	Ended  *string `json:"ended"`
	Tries  int     `json:"tries"`
	Resent bool    `json:"resent"`
	Waits  bool    `json:"waits"` // for a person's word
}

func outboxJSON(l core.OutboxLine) outboxObject {
	return outboxObject{letterObject{l.ID, string(l.Kind), l.Address, l.State, l.Reason}, l.Case, stamp(l.QueuedAt),
		stampOf(l.DottedAt), stampOf(l.EndedAt), l.Tries, l.Resent, l.Waits()}
}

func stampOf(t *time.Time) *string {
	if t == nil {
		return nil
	}
	s := stamp(*t)
	return &s
}

func outboxShowCommand(f *flag.FlagSet) action {
	asJSON := f.Bool("json", false, "print one JSON object")
	return func(ctx context.Context, p *program, args []string) error {
		id, err := one(args, "id")
		if err != nil {
			return err
		}
		list, err := letterIDs([]string{id})
		if err != nil {
			return err
		}
		d, _, err := p.open(ctx)
		if err != nil {
			return err
		}
		defer d.Close()
		v, err := d.OutboxLetter(ctx, list[0])
		if errors.Is(err, core.ErrNotFound) {
			return fmt.Errorf("there is no mail %d in the outbox", list[0])
		}
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(p.stdout, struct {
				outboxObject
				Desk      string `json:"desk"`
				Title     string `json:"title"`
				MessageID string `json:"message_id"`
				Envelope  string `json:"envelope"`
				Bytes     int64  `json:"bytes"`
			}{outboxJSON(v.OutboxLine), v.Desk, v.Title, v.MessageID, v.Envelope, v.Bytes})
		}
		showLetter(p, v)
		return nil
	}
}

func showLetter(p *program, v core.OutboxView) {
	at := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return moment(*t)
	}
	fmt.Fprintf(p.stdout, "mail %d, %s\n", v.ID, stateOf(v.OutboxLine))
	size := "not kept"
	if v.Bytes > 0 {
		size = fmt.Sprintf("%d octets", v.Bytes)
	}
	next := ""
	if v.State == "queued" || v.State == "retry" {
		next = moment(v.DueAt)
	}
	for _, fact := range [][2]string{
		{"kind", string(v.Kind)}, {"to", v.Address}, {"desk", v.Desk}, {"case", v.Case}, {"title", v.Title},
		{"queued", moment(v.QueuedAt)}, {"tries", fmt.Sprint(v.Tries)}, {"next", next}, {"dot sent", at(v.DottedAt)}, {"ended", at(v.EndedAt)},
		{"reason", v.Reason}, {"message-id", v.MessageID}, {"envelope", v.Envelope}, {"bytes", size},
	} {
		if fact[1] != "" {
			fmt.Fprintf(p.stdout, "  %-10s  %s\n", fact[0], cut(oneLine(fact[1]), 200))
		}
	}
	if v.State != "uncertain" {
		return
	}
	id := fmt.Sprint(v.ID)
	fmt.Fprintln(p.stdout, "-> the mail server never said whether it took it. Its log tells by the message-id. Then:")
	fmt.Fprintln(p.stdout, "   postern outbox settle "+id+" --by ADDRESS --sent     it arrived")
	if v.Bytes > 0 {
		fmt.Fprintln(p.stdout, "   postern outbox settle "+id+" --by ADDRESS --again    send the same mail once more")
	}
	fmt.Fprintln(p.stdout, "   postern outbox settle "+id+" --by ADDRESS --give-up  it did not arrive, and is not sent again")
}

func outboxSettleCommand(f *flag.FlagSet) action {
	said := map[core.LetterWord]*bool{
		core.ItArrived: f.Bool(string(core.ItArrived), false, "it arrived"),
		core.SendAgain: f.Bool(string(core.SendAgain), false, "send the same bytes once more: somebody may get the mail twice"),
		core.GiveUp:    f.Bool(string(core.GiveUp), false, "it did not arrive, and is not sent again; agents are told if a person wrote it"),
	}
	by := f.String("by", "", "your `ADDRESS`: an agent's of its desk, or one of instance.operator")
	return func(ctx context.Context, p *program, args []string) error {
		var words []core.LetterWord
		for _, w := range core.LetterWords {
			if *said[w] {
				words = append(words, w)
			}
		}
		if len(words) != 1 {
			return usageError("say one of --sent, --again and --give-up")
		}
		if *by == "" {
			return usageError("--by is missing: whose word it is, an agent of the mail's desk or an operator of the settings")
		}
		who, err := plainAddress(*by)
		if err != nil {
			return usageError(err.Error())
		}
		list, err := letterIDs(args)
		if err != nil {
			return err
		}
		d, _, err := p.open(ctx)
		if err != nil {
			return err
		}
		defer d.Close()
		var wrong []string
		for _, id := range list {
			if err := d.SettleByOperator(ctx, id, words[0], who); err != nil {
				wrong = append(wrong, fmt.Sprintf("mail %d: %s", id, plainly(err)))
				continue
			}
			fmt.Fprintf(p.stdout, "mail %d %s\n", id, settled[words[0]])
		}
		if wrong != nil {
			return errors.New(strings.Join(wrong, "\n"))
		}
		return nil
	}
}

var settled = map[core.LetterWord]string{
	core.ItArrived: "counts as sent",
	core.SendAgain: "is sent once more, the same bytes",
	core.GiveUp:    "counts as failed",
}

// letterIDs takes ids of the outbox.
func letterIDs(args []string) ([]int64, error) {
	list, err := ids(args)
	if err != nil {
		return nil, usageError(strings.ReplaceAll(err.Error(), "postern ledger list", "postern outbox list"))
	}
	return list, nil
}
