package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"postern/core"
)

func contactShowCommand(f *flag.FlagSet) action {
	asJSON := f.Bool("json", false, "print one JSON object")
	return func(ctx context.Context, p *program, args []string) error {
		address, err := oneAddress(args)
		if err != nil {
			return err
		}
		d, _, err := p.open(ctx)
		if err != nil {
			return err
		}
		defer d.Close()
		c, err := d.Contact(ctx, address)
		if errors.Is(err, core.ErrNotFound) {
			return fmt.Errorf("nobody is known by %s", address)
		}
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(p.stdout, struct {
				Address      string     `json:"address"`
				Name         string     `json:"name"`
				Organisation string     `json:"organisation"`
				Verified     bool       `json:"verified"`
				Blocked      *time.Time `json:"blocked"`
				Suppressed   *time.Time `json:"suppressed"`
				Reason       string     `json:"reason"`
				Cases        int64      `json:"cases"`
			}{c.Address, c.Name, c.Organisation, c.Verified, c.Blocked, c.Suppressed, c.Reason, c.Cases})
		}
		fmt.Fprintf(p.stdout, "%s %s\n", c.Address, oneLine(c.Name))
		if c.Organisation != "" {
			fmt.Fprintf(p.stdout, "  of %s\n", oneLine(c.Organisation))
		}
		fmt.Fprintf(p.stdout, "  asked for %d cases; verified: %v\n", c.Cases, c.Verified)
		if c.Blocked != nil {
			fmt.Fprintf(p.stdout, "  blocked since %s: mail is held (postern contact unblock %s)\n", moment(*c.Blocked), c.Address)
		}
		if c.Suppressed != nil {
			fmt.Fprintf(p.stdout, "  gets no automatic mail since %s: %s (postern contact unsuppress %s)\n", moment(*c.Suppressed), oneLine(c.Reason), c.Address)
		}
		return nil
	}
}

// contactCommand is one that does something to an address and says so.
func contactCommand(do func(*core.Desk, context.Context, string) error, done string) func(*flag.FlagSet) action {
	return func(*flag.FlagSet) action {
		return func(ctx context.Context, p *program, args []string) error {
			address, err := oneAddress(args)
			if err != nil {
				return err
			}
			d, _, err := p.open(ctx)
			if err != nil {
				return err
			}
			defer d.Close()
			if err := do(d, ctx, address); err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, "%s %s\n", address, done)
			return nil
		}
	}
}
