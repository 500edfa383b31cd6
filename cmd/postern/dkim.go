package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"strings"
	"time"
)

func dkimCommand(*flag.FlagSet) action {
	return func(_ context.Context, p *program, args []string) error {
		if err := none(args); err != nil {
			return err
		}
		s, err := p.settings()
		if err != nil {
			return err
		}
		none := true
		for _, m := range s.Mailboxes {
			if m.DKIM == nil {
				continue
			}
			none = false
			name, text := m.DKIM.signer.Record()
			fmt.Fprintf(p.stdout, "; mail from %s (mailbox %s) is signed by a key of %s\n", m.Addresses[0], m.Name, m.DKIM.signer.Kind())
			fmt.Fprintf(p.stdout, "%s. 3600 IN TXT %s\n", name, inQuotes(text))
		}
		if none {
			return errors.New("no mailbox has a key: name one in [mailbox.NAME.dkim], with selector and key_file")
		}
		return nil
	}
}

// inQuotes writes a TXT record's text: its parts have 255 octets at most.
func inQuotes(text string) string {
	var parts []string
	for len(text) > 255 {
		parts, text = append(parts, text[:255]), text[255:]
	}
	return `"` + strings.Join(append(parts, text), `" "`) + `"`
}

// signatures says whether others can check those of our mail.
func (d *doctor) signatures(ctx context.Context, s *Settings) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	resolver, which := s.Instance.resolver()
	for _, m := range s.Mailboxes {
		if m.DKIM == nil {
			continue
		}
		about, signer := "dkim "+m.Name, m.DKIM.signer
		d.readableByOthers(about, m.DKIM.KeyFile)
		name, _ := signer.Record()
		records, err := resolver.LookupTXT(ctx, name+".")
		if gone := (*net.DNSError)(nil); errors.As(err, &gone) && gone.IsNotFound {
			records, err = nil, nil
		}
		switch wrong := signer.Published(records); {
		case err != nil:
			d.say(broken, about, "check the network, /etc/resolv.conf or instance.dns", "%s does not say what it has of %s: %v", which, name, err)
		case wrong != nil:
			d.say(broken, about, "publish what postern dkim prints",
				"mail from %s is signed, and nobody can check it: %s: %v", m.Addresses[0], name, wrong)
		default:
			d.say(fine, about, "", "mail from %s is signed (%s), and the record %s is of the same key", m.Addresses[0], signer.Kind(), name)
		}
	}
}
