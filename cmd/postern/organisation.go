package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"postern/core"
)

func organisationAddCommand(f *flag.FlagSet) action {
	var domains words
	f.Var(&domains, "domain", "mail from this `DOMAIN` belongs to it; may be repeated")
	return func(ctx context.Context, p *program, args []string) error {
		name, err := one(args, "name")
		if err != nil {
			return err
		}
		if name = strings.TrimSpace(name); name == "" {
			return usageError("the name is empty")
		}
		list, err := plainDomains(domains)
		if err != nil {
			return err
		}
		d, _, err := p.open(ctx)
		if err != nil {
			return err
		}
		defer d.Close()
		if err := d.AddOrganisation(ctx, name, list); err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "organisation %s is known%s\n", name, withDomains(list))
		return nil
	}
}

func withDomains(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return " with " + strings.Join(list, ", ")
}

// plainDomains reads domains: lower case, ASCII form.
func plainDomains(list []string) ([]string, error) {
	var all []string
	for _, text := range list {
		domain, err := idna.Lookup.ToASCII(strings.ToLower(strings.TrimPrefix(strings.TrimSpace(text), "@")))
		if err != nil || !strings.Contains(domain, ".") || strings.ContainsAny(domain, "@/ ") {
			return nil, usageError(fmt.Sprintf("--domain %s: must be a domain, as customer.example", text))
		}
		all = append(all, domain)
	}
	return all, nil
}

func organisationListCommand(f *flag.FlagSet) action {
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
		all, err := d.Organisations(ctx)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, o := range all {
			if *asJSON {
				line := struct {
					Name    string   `json:"name"`
					Domains []string `json:"domains"`
				}{o.Name, append([]string{}, o.Domains...)}
				if err := printJSON(p.stdout, line); err != nil {
					return err
				}
			}
			rows = append(rows, []string{o.Name, strings.Join(o.Domains, ", ")})
		}
		switch {
		case *asJSON:
			return nil
		case len(rows) == 0:
			fmt.Fprintln(p.stdout, "there are no organisations yet: postern organisation add NAME makes one")
			return nil
		}
		return columns(p.stdout, "NAME DOMAINS", rows)
	}
}

func inviteCommand(f *flag.FlagSet) action {
	var r core.InviteRequest
	f.StringVar(&r.Organisation, "organisation", "", "`NAME` of the person's organisation; made if it is new")
	f.StringVar(&r.Desk, "desk", "", "`KEY` of the desk that invites, if there are several")
	f.StringVar(&r.Name, "name", "", "the person's `NAME`")
	f.StringVar(&r.Role, "role", "user", "`ROLE` in the organisation: user or power")
	f.StringVar(&r.Language, "language", "", "`CODE` of the mail's language; without it, the organisation's or the desk's")
	var domains words
	f.Var(&domains, "domain", "mail from this `DOMAIN` belongs to the organisation; may be repeated")
	return func(ctx context.Context, p *program, args []string) error {
		var err error
		if r.Address, err = oneAddress(args); err != nil {
			return err
		}
		if r.Organisation == "" {
			return usageError("--organisation is missing: the customer to which this person belongs")
		}
		if roles := []string{"user", "power"}; !slices.Contains(roles, r.Role) {
			return usageError(fmt.Sprintf("--role %s: must be %s", r.Role, alternatives(roles)))
		}
		list, err := plainDomains(domains)
		if err != nil {
			return err
		}
		d, s, err := p.open(ctx)
		if err != nil {
			return err
		}
		defer d.Close()
		if r.Desk, err = s.chooseDesk(r.Desk); err != nil {
			return err
		}
		if m := s.ownAddress(r.Address); m != "" {
			return usageError(fmt.Sprintf("%s is an address of mailbox.%s: nobody is there to be invited", r.Address, m))
		}
		if err := d.AddOrganisation(ctx, r.Organisation, list); err != nil {
			return err
		}
		if err := d.Invite(ctx, r); err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "an invitation for %s is on its way (postern serve sends it)\n", r.Address)
		return nil
	}
}
