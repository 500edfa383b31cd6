package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
)

func agentAddCommand(f *flag.FlagSet) action {
	asked := f.String("desk", "", "`KEY` of the desk, if there are several")
	name := f.String("name", "", "the agent's `NAME`, as customers read it")
	role := f.String("role", "agent", "`ROLE` on the desk: agent or admin")
	return func(ctx context.Context, p *program, args []string) error {
		address, err := oneAddress(args)
		if err != nil {
			return err
		}
		if roles := []string{"agent", "admin"}; !slices.Contains(roles, *role) {
			return usageError(fmt.Sprintf("--role %s: must be %s", *role, alternatives(roles)))
		}
		d, s, err := p.open(ctx)
		if err != nil {
			return err
		}
		defer d.Close()
		key, err := s.chooseDesk(*asked)
		if err != nil {
			return err
		}
		if m := s.ownAddress(address); m != "" {
			return usageError(fmt.Sprintf("%s is an address of mailbox.%s: an agent needs an address of their own", address, m))
		}
		if err := d.AddAgent(ctx, key, address, *name, *role); err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "%s is %s of desk %s\n", address, map[string]string{"agent": "an agent", "admin": "an admin"}[*role], key)
		return nil
	}
}

// ownAddress is the mailbox whose address this is, "" if none.
func (s *Settings) ownAddress(address string) string {
	for _, m := range s.Mailboxes {
		if slices.Contains(m.Addresses, address) {
			return m.Name
		}
	}
	return ""
}

func agentListCommand(f *flag.FlagSet) action {
	asJSON := f.Bool("json", false, "print one JSON object a line")
	return func(ctx context.Context, p *program, args []string) error {
		if err := none(args); err != nil {
			return err
		}
		d, _, err := p.open(ctx)
		if err != nil {
			return err
		}
		defer d.Close()
		agents, err := d.Agents(ctx)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, a := range agents {
			if *asJSON {
				line := struct {
					Address string `json:"address"`
					Name    string `json:"name"`
					Desk    string `json:"desk"`
					Role    string `json:"role"`
				}{a.Address, a.Name, a.Desk, a.Role}
				if err := printJSON(p.stdout, line); err != nil {
					return err
				}
			}
			rows = append(rows, []string{a.Desk, a.Role, a.Address, a.Name})
		}
		switch {
		case *asJSON:
			return nil
		case len(rows) == 0:
			fmt.Fprintln(p.stdout, "there are no agents yet: postern agent add ADDRESS makes the first")
			return nil
		}
		return columns(p.stdout, "DESK ROLE ADDRESS NAME", rows)
	}
}
