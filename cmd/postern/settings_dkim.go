package main

import (
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"postern/mailout"
)

// DKIM is how the mail of a mailbox's first address is signed.
type DKIM struct {
	Domain   string
	Selector string
	KeyFile  string

	signer *mailout.Signer
}

var selectorShape = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

// dkim reads [mailbox.NAME.dkim]; nil if nothing stands there.
func (r *settingsReader) dkim(section string, addresses []string) *DKIM {
	var d DKIM
	given := false
	for _, key := range []string{"domain", "selector", "key_file"} {
		_, here := r.look(section + "." + key)
		given = given || here
	}
	if _, table := r.file.tables[section]; !given && !table {
		return nil
	}
	before := len(r.wrong)
	from := ""
	if len(addresses) > 0 {
		_, from, _ = strings.Cut(addresses[0], "@")
	}
	d.Domain = from
	r.text(section+".domain", &d.Domain)
	domain, err := idna.Lookup.ToASCII(strings.ToLower(strings.TrimSuffix(d.Domain, ".")))
	_, noDomain := publicsuffix.EffectiveTLDPlusOne(domain)
	switch {
	case from == "": // said with the addresses
	case err != nil || noDomain != nil:
		r.complain(section+".domain", `%s.domain = %q: must be a domain, as "example.org"`, section, d.Domain)
	case from != domain && !strings.HasSuffix(from, "."+domain):
		r.complain(section+".domain", "%s.domain = %q: mail is sent from %s, so it must be %s or a domain above it: a signature of another one proves nothing",
			section, d.Domain, addresses[0], from)
	}
	d.Domain = domain
	r.required(section+".selector", &d.Selector, `the name under which the key is published, as "postern": the record is of that name below _domainkey`)
	d.Selector = strings.ToLower(d.Selector)
	if d.Selector != "" && !selectorShape.MatchString(d.Selector) {
		r.complain(section+".selector", `%s.selector = %q: must be letters, digits and dashes, as "postern"`, section, d.Selector)
	}
	file := section + ".key_file"
	r.required(file, &d.KeyFile, "the PEM file with the private key, as made by openssl genrsa -out dkim.pem 2048")
	if raw := r.readable(file, &d.KeyFile); raw != nil && len(r.wrong) == before {
		if d.signer, err = mailout.NewSigner(d.Domain, d.Selector, raw); err != nil {
			r.complain(file, "%s: %s: %v", file, d.KeyFile, err)
		}
	}
	return &d
}

// signing checks that what has a key sends: a desk sends from the first address
// of its first mailbox.
func (r *settingsReader) signing(s *Settings) {
	var sending []string // desks
	for _, m := range s.Mailboxes {
		if first := slices.Contains(sending, m.Desk); first && m.DKIM != nil {
			r.complain("mailbox."+m.Name+".dkim", "[mailbox.%s.dkim]: no mail is sent from this mailbox, as another one of desk %s stands before it: put it there", m.Name, m.Desk)
		}
		sending = append(sending, m.Desk)
	}
}
