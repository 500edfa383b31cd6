package main

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"time"
)

// ports are what a server listens on if nothing else is said.
type ports struct{ implicit, starttls int }

// server reads what IMAP and SMTP servers have in common.
func (r *settingsReader) server(section string, s *Server, usual ports, tls string) {
	r.required(section+".host", &s.Host, `the server's name, as "mail.example.org"`)
	number(r, section+".port", &s.Port, 1, 65535)
	s.TLS = tls
	switch s.Port {
	case usual.implicit:
		s.TLS = "implicit"
	case usual.starttls:
		s.TLS = "starttls"
	}
	r.oneOf(section+".tls", &s.TLS, "implicit", "starttls", "none")
	if s.TLS == "none" && s.Host != "" && !loopback(s.Host) {
		r.complain(section+".tls", `%s.tls = "none": %s is another machine, and mail and passwords go there only encrypted: must be "implicit" or "starttls"`, section, s.Host)
	}
	if s.Port == 0 {
		s.Port = usual.starttls
		if s.TLS == "implicit" {
			s.Port = usual.implicit
		}
	}
	r.authority(section+".ca_file", &s.CAFile)
	r.text(section+".user", &s.User)
	r.secret(section+".password", &s.Password)
	r.fingerprint(section+".cert_sha256", &s.CertSHA256)
}

func (r *settingsReader) fingerprint(path string, into *string) {
	r.text(path, into)
	if raw, err := hex.DecodeString(strings.ReplaceAll(*into, ":", "")); *into != "" && (err != nil || len(raw) != sha256.Size) {
		r.complain(path, "%s must be the SHA-256 fingerprint of a certificate: 64 hexadecimal digits", path)
	}
}

func (r *settingsReader) mailbox(name string, known []DeskFile) Mailbox {
	section := "mailbox." + name
	m := Mailbox{Name: name, Inbox: "INBOX", Border: "none"}
	r.properName(section, name)
	r.server(section, &m.Server, ports{993, 143}, "implicit")
	r.signInSettings(section, "imap", &m.Server)
	if m.User == "" && m.Auth == "password" {
		r.complain(section+".user", "%s.user is missing: the account's name at the IMAP server", section)
	}
	if m.Password.Reveal() == "" && m.Auth == "password" {
		r.complain(section+".password", "%s.password is missing: name a file with password_file or %s, or set %s",
			section, environmentName(section+".password_file"), environmentName(section+".password"))
	}
	r.mailboxDesk(section, &m, known)
	r.addressList(section+".addresses", &m.Addresses)
	if v, ok := r.look(section + ".addresses"); !ok || v.kind == aList && len(v.list) == 0 {
		r.complain(section+".addresses", `%s.addresses is missing: the addresses whose mail arrives here, as ["support@example.org"]; the first one sends`, section)
	}
	for _, a := range m.Addresses {
		if strings.Contains(a[:strings.LastIndexByte(a, '@')], "+") {
			r.complain(section+".addresses", "%s.addresses: %q has a plus tag: every own address is known with any tag by itself", section, a)
		}
	}
	r.inboxes(section+".inbox", &m)
	for key, folder := range map[string]*string{"processed": &m.Processed, "quarantine": &m.Quarantine, "junk": &m.Junk} {
		r.text(section+"."+key, folder)
	}
	for key, folder := range map[string]string{"processed": m.Processed, "quarantine": m.Quarantine} {
		if m.Junk != "" && strings.EqualFold(m.Junk, folder) {
			r.complain(section+".junk", "%s.junk is the %s folder too: what lies in it is held as spam, so name another one, or none", section, key)
		}
	}
	for _, folder := range m.inboxes() {
		if m.Junk != "" && strings.EqualFold(m.Junk, folder) {
			r.complain(section+".junk", "%s.junk is the inbox folder too: what lies in it is held as spam, so name another one, or none", section)
		}
		if m.Processed != "" && strings.EqualFold(m.Processed, folder) {
			r.complain(section+".processed", "%s.processed is the folder that is read: name another one, or none", section)
		}
		if len(m.Further) > 0 && m.Quarantine != "" && strings.EqualFold(m.Quarantine, folder) {
			r.complain(section+".quarantine", "%s.quarantine is a folder that is read: name another one, or none", section)
		}
	}
	r.deleteAfter(section+".delete_processed_after", &m)
	r.border(section+".border", &m.Border)
	r.since(section+".since", &m.Since)
	m.DKIM = r.dkim(section+".dkim", m.Addresses)
	return m
}

// inboxes reads one folder or a list of them.
func (r *settingsReader) inboxes(path string, m *Mailbox) {
	v, ok := r.look(path)
	if !ok {
		return
	}
	folders := []string{v.text}
	if v.kind == aList || r.getenv(environmentName(path)) != "" {
		r.list(path, &folders)
	} else {
		r.text(path, &folders[0])
	}
	for i, f := range folders {
		twice := slices.ContainsFunc(folders[:i], func(other string) bool { return strings.EqualFold(other, f) })
		if v.kind == aList && strings.TrimSpace(f) == "" || strings.ContainsFunc(f, func(c rune) bool { return c < ' ' }) || twice {
			r.complain(path, "%s: %q must be the name of a folder, and stand there once", path, f)
			return
		}
	}
	switch {
	case len(folders) == 0:
		r.complain(path, "%s names no folder: leave it out, or name one", path)
	case folders[0] != "":
		m.Inbox, m.Further = folders[0], folders[1:]
	}
}

// inboxes are the folders that are read, junk apart.
func (m Mailbox) inboxes() []string { return append([]string{m.Inbox}, m.Further...) }

// leastKept is the least that a mail lies in the folder of what is done with (R13).
const leastKept = 30 * 24 * time.Hour

func (r *settingsReader) deleteAfter(path string, m *Mailbox) {
	if _, ok := r.look(path); !ok {
		return
	}
	r.duration(path, &m.DeleteProcessedAfter, leastKept, 10*365*24*time.Hour)
	if m.Processed == "" {
		r.complain(path, "%s is for mail in the folder processed, and none is named", path)
	}
}

func (r *settingsReader) mailboxDesk(section string, m *Mailbox, known []DeskFile) {
	path := section + ".desk"
	r.text(path, &m.Desk)
	keys := make([]string, len(known))
	for i, d := range known {
		keys[i] = d.Key
	}
	switch {
	case len(keys) == 0: // said once for all, by together
	case m.Desk == "" && len(keys) == 1:
		m.Desk = keys[0]
	case m.Desk == "":
		r.complain(path, "%s is missing: the desk its mail belongs to, %s", path, alternatives(keys))
	case !slices.Contains(keys, m.Desk):
		r.complain(path, "%s = %q: there is no [desk.%s]: must be %s", path, m.Desk, m.Desk, alternatives(keys))
	}
}

func (r *settingsReader) border(path string, into *string) {
	r.text(path, into)
	if !isBorder(*into) {
		r.complain(path, `%s = %q: must be "none", "google", "microsoft365" or "authserv:NAME", NAME being the id your mail server writes in Authentication-Results`, path, *into)
	}
}

func isBorder(value string) bool {
	name, named := strings.CutPrefix(value, "authserv:")
	return value == "none" || value == "google" || value == "microsoft365" || named && authservName.MatchString(name)
}

// authservName is an id as servers write theirs: a token of RFC 2045.
var authservName = regexp.MustCompile(`^[!#-'*+.0-9A-Z^-~-]{1,250}$`)

func (r *settingsReader) since(path string, into *time.Time) {
	var text string
	r.text(path, &text)
	if text == "" {
		return
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			*into = t.UTC()
			return
		}
	}
	r.complain(path, `%s = %q: must be a date, as "2026-01-31", or a time, as "2026-01-31T08:00:00Z"`, path, text)
}
