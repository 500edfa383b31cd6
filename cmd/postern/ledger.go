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

// listable are the states in which a mail waits for somebody.
var listable = []string{string(core.Held), string(core.Quarantined), string(core.StateStored)}

func ledgerListCommand(f *flag.FlagSet) action {
	asJSON := f.Bool("json", false, "print one JSON object a line")
	state := f.String("state", "", "only mail in this `STATE`: held, quarantined or stored; without it, held and quarantined")
	before := f.Int64("before", 0, "only mail with a smaller id than `ID`: the next page")
	limit := f.Int("limit", 50, "at most `N` mails")
	return func(ctx context.Context, p *program, args []string) error {
		if err := none(args); err != nil {
			return err
		}
		states := []core.State{core.Held, core.Quarantined}
		if *state != "" {
			if !slices.Contains(listable, *state) {
				return usageError(fmt.Sprintf("--state %s: must be %s", *state, alternatives(listable)))
			}
			states = []core.State{core.State(*state)}
		}
		if err := checkLimit(*limit); err != nil {
			return err
		}
		d, _, err := p.open(ctx)
		if err != nil {
			return err
		}
		defer d.Close()
		list, err := d.ListLedger(ctx, states, *before, *limit)
		if err != nil {
			return err
		}
		if *asJSON {
			return printEachJSON(p.stdout, list, heldJSON)
		}
		return listLedger(p, list, *limit)
	}
}

func listLedger(p *program, list []core.HeldLine, limit int) error {
	if len(list) == 0 {
		fmt.Fprintln(p.stdout, "there is no such mail")
		return nil
	}
	var rows [][]string
	for _, l := range list {
		rows = append(rows, []string{fmt.Sprint(l.Ledger), string(l.State), moment(l.Received), l.Class, l.Assurance, cut(l.From, 40), cut(l.Subject, 40), l.Reason})
	}
	if err := columns(p.stdout, "ID STATE RECEIVED CLASS ASSURANCE FROM SUBJECT REASON", rows); err != nil {
		return err
	}
	if len(list) == limit {
		fmt.Fprintf(p.stdout, "\nolder ones: --before %d\n", list[len(list)-1].Ledger)
	}
	fmt.Fprintln(p.stdout, "\npostern ledger show ID tells why; release, refuse and retry end it")
	return nil
}

// heldObject is a line of the ledger for programs.
type heldObject struct {
	ID        int64  `json:"id"`
	State     string `json:"state"`
	Reason    string `json:"reason"`
	From      string `json:"from"`
	Subject   string `json:"subject"`
	Received  string `json:"received"`
	Size      int64  `json:"size"`
	Class     string `json:"class"`
	Assurance string `json:"assurance"`
}

func heldJSON(l core.HeldLine) heldObject {
	return heldObject{l.Ledger, string(l.State), l.Reason, l.From, l.Subject, stamp(l.Received), l.Size, l.Class, l.Assurance}
}

// stamp is a time for programs.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// writeTrace writes the rules that decided, one a line.
func writeTrace(p *program, trace []core.Step) {
	for _, s := range trace {
		fmt.Fprintf(p.stdout, "  %-4s  %s\n", s.Rule, oneLine(s.Says))
	}
}

func ledgerRetryCommand(*flag.FlagSet) action {
	return eachID("is filed again: postern ledger show %d tells what became of it", func(ctx context.Context, d *core.Desk, id int64) error { return d.Retry(ctx, id) })
}

func ledgerReleaseCommand(f *flag.FlagSet) action {
	agent := f.String("agent", "", "`ADDRESS` of the agent on whose word it is filed")
	as := f.String("as", "", "`case`: make it a new case of its author, whatever the rules say")
	to := f.String("to", "", "make it a comment on the case with this `NUMBER`")
	release := eachID("is released: postern ledger show %d tells what became of it", func(ctx context.Context, d *core.Desk, id int64) error {
		word := core.ReleaseIt
		switch {
		case *as != "":
			word = core.MakeCase
		case *to != "":
			word = core.AttachIt
		}
		return d.ReleaseByOperator(ctx, id, *agent, word, *to)
	})
	return func(ctx context.Context, p *program, args []string) error {
		if *as != "" && *as != "case" {
			return usageError(fmt.Sprintf("--as %s: must be case", *as))
		}
		if *as != "" && *to != "" {
			return usageError("--as and --to: one of them, not both")
		}
		if *agent == "" {
			return usageError("--agent is missing: the agent on whose word it is filed (postern agent list)")
		}
		return release(ctx, p, args)
	}
}

func ledgerRefuseCommand(*flag.FlagSet) action {
	return eachID("is refused; its bytes are kept: postern ledger show --raw %d", func(ctx context.Context, d *core.Desk, id int64) error { return d.RefuseByOperator(ctx, id) })
}

// eachID does something to each mail; what cannot be done to one of them does
// not keep the others waiting.
func eachID(done string, do func(context.Context, *core.Desk, int64) error) action {
	return func(ctx context.Context, p *program, args []string) error {
		list, err := ids(args)
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
			if err := do(ctx, d, id); err != nil {
				wrong = append(wrong, fmt.Sprintf("mail %d: %s", id, plainly(err)))
				continue
			}
			fmt.Fprintf(p.stdout, "mail %d "+done+"\n", id, id)
		}
		if wrong != nil {
			return fmt.Errorf("%s", strings.Join(wrong, "\n"))
		}
		return nil
	}
}

func ledgerShowCommand(f *flag.FlagSet) action {
	asJSON := f.Bool("json", false, "print one JSON object")
	raw := f.Bool("raw", false, "write the mail itself, byte for byte")
	return func(ctx context.Context, p *program, args []string) error {
		if *asJSON && *raw {
			return usageError("--json or --raw, not both")
		}
		id, err := one(args, "id")
		if err != nil {
			return err
		}
		list, err := ids([]string{id})
		if err != nil {
			return err
		}
		d, _, err := p.open(ctx)
		if err != nil {
			return err
		}
		defer d.Close()
		if *raw {
			if err := d.Raw(ctx, list[0], p.stdout); errors.Is(err, core.ErrNotFound) {
				return fmt.Errorf("there are no bytes of mail %d: it is not in the ledger, or they are no longer kept", list[0])
			} else if err != nil {
				return err
			}
			return nil
		}
		v, err := d.LedgerRow(ctx, list[0])
		if errors.Is(err, core.ErrNotFound) {
			return fmt.Errorf("there is no mail %d in the ledger", list[0])
		}
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(p.stdout, ledgerJSON(v))
		}
		showMail(p, v)
		return nil
	}
}

// showMail writes all that is known of a mail for a person.
func showMail(p *program, v core.LedgerView) {
	fmt.Fprintf(p.stdout, "mail %d, %s\n", v.Ledger, v.State)
	ended := ""
	if v.EndedAt != nil {
		ended = moment(*v.EndedAt)
	}
	for _, fact := range [][2]string{
		{"outcome", v.Outcome}, {"case", v.Case}, {"reason", v.Reason},
		{"mailbox", fmt.Sprintf("%s, folder %s, uid %d (uidvalidity %d)", v.Mailbox, v.Folder, v.UID, v.UIDValidity)},
		{"received", moment(v.Received)}, {"kept", moment(v.KeptAt)}, {"ended", ended},
		{"size", fmt.Sprint(v.Size)}, {"tries", fmt.Sprint(v.Tries)},
		{"from", v.From}, {"subject", v.Subject}, {"message-id", v.MessageID}, {"class", v.Class}, {"assurance", v.Assurance},
	} {
		if fact[1] != "" {
			fmt.Fprintf(p.stdout, "  %-10s  %s\n", fact[0], cut(oneLine(fact[1]), 200))
		}
	}
	fmt.Fprintln(p.stdout, "why")
	writeTrace(p, v.Trace)
	if len(v.Letters) > 0 {
		fmt.Fprintln(p.stdout, "mails it caused")
	}
	for _, l := range v.Letters {
		fmt.Fprintf(p.stdout, "  %d  %s to %s: %s\n", l.ID, l.Kind, oneLine(l.Address), oneLine(strings.TrimRight(l.State+", "+l.Reason, ", ")))
	}
	if lines := v.Relay(); lines != nil {
		fmt.Fprintln(p.stdout, "-> if it is a relay of yours, add to the desk file and use it with postern desk apply:")
		for _, line := range lines {
			fmt.Fprintln(p.stdout, "     "+harmless(line))
		}
	}
	for _, hint := range whatNext(v) {
		fmt.Fprintln(p.stdout, "->", hint)
	}
}

// whatNext is what a person may type about a mail.
func whatNext(v core.LedgerView) []string {
	id := fmt.Sprint(v.Ledger)
	var hints []string
	switch {
	case v.State == core.Held && v.HeaderOnly:
		hints = append(hints, "postern ledger refuse "+id+", when it was answered where it lies: on the mail server")
	case v.State == core.Held, v.State == core.Quarantined:
		if v.State == core.Quarantined {
			hints = append(hints, "postern ledger retry "+id+" files it once more")
		}
		switch {
		case v.May(core.ReleaseIt):
			hints = append(hints, "postern ledger release --agent ADDRESS "+id+" files it on an agent's word")
		case v.May(core.MakeCase):
			hints = append(hints, "postern ledger release --agent ADDRESS --as case "+id+" makes it a case on an agent's word")
		}
		hints = append(hints, "postern ledger refuse "+id+" ends it unfiled")
	case v.State == core.StateStored:
		hints = append(hints, "postern serve tries it again at "+moment(v.DueAt))
	}
	if v.State != core.Gone {
		hints = append(hints, "postern ledger show --raw "+id+" writes the mail itself")
	}
	return hints
}

// ledgerObject is all that is known of a mail, for programs.
type ledgerObject struct {
	heldObject
	Mailbox     string         `json:"mailbox"`
	Folder      string         `json:"folder"`
	UIDValidity int64          `json:"uidvalidity"`
	UID         int64          `json:"uid"`
	Kept        string         `json:"kept"`
	Ended       *string        `json:"ended"` // null: not yet
	HeaderOnly  bool           `json:"header_only"`
	Outcome     string         `json:"outcome"`
	Case        string         `json:"case"`
	MessageID   string         `json:"message_id"`
	Tries       int            `json:"tries"`
	Trace       []core.Step    `json:"trace"`
	Letters     []letterObject `json:"letters"`
}

type letterObject struct {
	ID      int64  `json:"id"`
	Kind    string `json:"kind"`
	Address string `json:"address"`
	State   string `json:"state"`
	Reason  string `json:"reason"`
}

func ledgerJSON(v core.LedgerView) ledgerObject {
	o := ledgerObject{
		heldObject: heldJSON(v.HeldLine), Mailbox: v.Mailbox, Folder: v.Folder, UIDValidity: v.UIDValidity, UID: v.UID,
		Kept: stamp(v.KeptAt), HeaderOnly: v.HeaderOnly, Outcome: v.Outcome,
		Case: v.Case, MessageID: v.MessageID, Tries: v.Tries, Trace: append([]core.Step{}, v.Trace...), Letters: []letterObject{},
	}
	if v.EndedAt != nil {
		ended := stamp(*v.EndedAt)
		o.Ended = &ended
	}
	for _, l := range v.Letters {
		o.Letters = append(o.Letters, letterObject{l.ID, string(l.Kind), l.Address, l.State, l.Reason})
	}
	return o
}
