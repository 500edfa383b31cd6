package core

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

// AgentLine is one agent of a desk.
type AgentLine struct {
	Desk    string
	Address string
	Name    string
	Role    string
}

// OrganisationLine is one organisation.
type OrganisationLine struct {
	Name    string
	Domains []string
	Members int64
}

var domainShape = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$`)

// addressShape is a dot-atom and a domain (RFC 5321 section 4.1.2), without the
// quoted local parts that nobody types.
var addressShape = regexp.MustCompile("^[a-z0-9!#$%&'*+/=?^_`{|}~\\x{80}-\\x{10ffff}-]+(\\.[a-z0-9!#$%&'*+/=?^_`{|}~\\x{80}-\\x{10ffff}-]+)*@[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$")

// checkAddress reads an address that a person typed.
func checkAddress(s string) (string, error) {
	a := strings.ToLower(strings.TrimSpace(s))
	if len(a) > 254 || !addressShape.MatchString(a) {
		return "", fmt.Errorf("%q is no mail address: write somebody@company.example", clean(s, 80))
	}
	return a, nil
}

// publicProviders are domains in which anybody can have an address: they
// identify no organisation.
var publicProviders = strings.Fields(`
	gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com icloud.com me.com mac.com
	aol.com gmx.net gmx.de gmx.com gmx.at gmx.ch web.de t-online.de freenet.de mail.com mail.ru yandex.ru yandex.com
	protonmail.com proton.me pm.me tutanota.com tuta.io fastmail.com hey.com zoho.com
	hotmail.nl live.nl outlook.dk hotmail.dk live.dk hotmail.no live.no hotmail.se live.se hotmail.co.uk live.co.uk
	hotmail.fr live.fr hotmail.de live.de outlook.de outlook.fr yahoo.co.uk yahoo.fr yahoo.de yahoo.es yahoo.it
	ziggo.nl kpnmail.nl xs4all.nl planet.nl home.nl hetnet.nl online.no jubii.dk mail.dk stofanet.dk telia.com
	orange.fr wanadoo.fr free.fr laposte.net sfr.fr libero.it tin.it virgilio.it qq.com 163.com 126.com naver.com`)

func isPublicProvider(domain string) bool {
	for _, p := range publicProviders {
		if p == domain {
			return true
		}
	}
	return false
}

// AddAgent makes a person an agent of a desk. No mail can do this (R71).
func (d *Desk) AddAgent(ctx context.Context, deskKey, address, name, role string) error {
	address, err := checkAddress(address)
	if err != nil {
		return err
	}
	if role != "agent" && role != "admin" {
		return fmt.Errorf("role %q: agent or admin", role)
	}
	if d.isOwn(address) {
		return fmt.Errorf("%s is a service address: an agent needs one of their own", address)
	}
	desk, err := d.desk(deskKey)
	if err != nil {
		return err
	}
	return d.inTx(ctx, func(tx *tx) error { return addAgent(ctx, tx, desk.id, address, clean(name, 100), role) })
}

// Agents lists the agents of all desks.
func (d *Desk) Agents(ctx context.Context) ([]AgentLine, error) {
	var lines []AgentLine
	err := d.readTx(ctx, func(tx *tx) (err error) {
		lines, err = agentLines(ctx, tx)
		return err
	})
	return lines, err
}

// AddOrganisation makes an organisation, or gives one that there is more
// domains. A public provider's domain identifies nobody and is refused.
func (d *Desk) AddOrganisation(ctx context.Context, name string, domains []string) error {
	name = clean(name, 100)
	if name == "" {
		return fmt.Errorf("an organisation needs a name")
	}
	for i, domain := range domains {
		domains[i] = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(domain), "@"))
		if !domainShape.MatchString(domains[i]) {
			return fmt.Errorf("%q is no domain: write company.example", clean(domain, 80))
		}
		if isPublicProvider(domains[i]) {
			return fmt.Errorf("%s is a public mail provider: everybody has an address there, so it identifies no organisation", domains[i])
		}
	}
	return d.inTx(ctx, func(tx *tx) error { return addOrganisation(ctx, tx, name, domains) })
}

// Organisations lists all organisations.
func (d *Desk) Organisations(ctx context.Context) ([]OrganisationLine, error) {
	var lines []OrganisationLine
	err := d.readTx(ctx, func(tx *tx) (err error) {
		lines, err = organisationLines(ctx, tx)
		return err
	})
	return lines, err
}
