package main

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"postern/core"
	"postern/core/flow"
	"postern/core/token"
	"postern/mailin"
	"postern/mailin/mime"
	"postern/mailout"
	"postern/templates/desks"
)

// Settings is everything that postern.toml and POSTERN_* say, checked.
type Settings struct {
	File      string // where they were read
	Instance  Instance
	Database  Database
	Mailboxes []Mailbox // in the order of the file
	SMTP      SMTP
	Desks     []DeskFile
	Budgets   core.Budgets
	Limits    Limits
}

// Instance is this installation as a whole.
type Instance struct {
	BaseURL        string // without a slash at the end
	Listen         string
	StateDir       string
	Operator       []string
	SecretFile     string // empty: StateDir/secret, made at the first start
	DNS            string // host:port; empty: the system's
	TrustedProxies []netip.Prefix

	secret []byte // what SecretFile holds; nil if it is not set
}

// Database is where everything is kept.
type Database struct {
	URL         Secret // may hold a password
	Connections int
}

// Server is how to reach an IMAP or SMTP server.
type Server struct {
	Host     string
	Port     int
	TLS      string // "implicit", "starttls"; "none" on loopback only (R14)
	CAFile   string
	User     string
	Password Secret
	Auth     string // "password", "xoauth2", "oauthbearer"

	CertSHA256 string  // of the one certificate that is right, in hex
	signIn     *signIn // by OAuth; nil: by password
}

// Mailbox is one IMAP account.
type Mailbox struct {
	Server
	Name       string
	Desk       string
	Addresses  []string // own addresses; the first sends
	Inbox      string   // the first folder that is read
	Further    []string // folders that are read as the first is
	Processed  string   // empty: nothing is moved
	Quarantine string
	Junk       string    // what lies there is held as spam; empty: not read (R72)
	Border     string    // R32
	Since      time.Time // R74; zero: the moment the mailbox was added

	DeleteProcessedAfter time.Duration // R13; 0: never

	DKIM *DKIM // nil: what is sent is not signed by us
}

// SMTP is the server that takes our mail.
type SMTP struct {
	Server
	Envelope      string // "auto", "plain" (R53)
	ReplyTokens   string // "auto", "on", "off" (R33)
	Connections   int
	RatePerMinute int    // 0: no limit
	HELO          string // the name we introduce ourselves by; empty: the machine's
}

// DeskFile is a desk and the file it begins with.
type DeskFile struct {
	Key    string
	File   string
	Source []byte

	MailTemplates string // folder of its own mails; empty: it has none
}

// Limits are the numbers that are not budgets.
type Limits struct {
	MailBytes      int64 // R17: of a whole mail
	WorkBytes      int64 // of all mails in work at one time
	Reading        mime.Limits
	Poll           time.Duration // R15: between polls, beside IDLE
	Lease          time.Duration // R58: how long a sender may hold a mail
	UncertainAfter time.Duration // R59
	Gather         time.Duration // how long news waits to become one mail with what follows
	AnswerWithin   time.Duration // R8: older mail is filed without automatic mail
}

var sections = []string{"instance", "database", "mailbox", "smtp", "desk", "budgets", "limits"}

// settingsPlaces are where postern.toml is looked for.
var settingsPlaces = []string{"postern.toml", "/etc/postern/postern.toml"}

// noSettings is that they are in none of settingsPlaces.
type noSettings struct{}

func (noSettings) Error() string {
	return fmt.Sprintf("there is no %s: write one (see README.md), name one with --config, or try postern demo, which needs none",
		strings.Join(settingsPlaces, " and no "))
}

// loadSettings reads the settings from path, or from the first of
// settingsPlaces. What is wrong with them comes back as one error, problems.
func loadSettings(path string, getenv func(string) string) (*Settings, error) {
	source, err := []byte(nil), error(nil)
	if path != "" {
		source, err = readSmall(path)
	} else {
		for _, path = range settingsPlaces {
			if source, err = readSmall(path); err == nil || !os.IsNotExist(err) {
				break
			}
		}
		if os.IsNotExist(err) {
			return nil, noSettings{}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	return parseSettings(path, source, getenv)
}

// parseSettings reads and checks everything at once, so that all problems are
// told together.
func parseSettings(path string, source []byte, getenv func(string) string) (*Settings, error) {
	file, unreadable := readSettingsFile(path, source)
	if unreadable != nil {
		return nil, problems{*unreadable}
	}
	r := &settingsReader{file: file, getenv: getenv, asked: make(map[string]bool)}
	s := &Settings{File: path}
	r.instance(&s.Instance)
	r.database(&s.Database)
	for _, key := range file.names("desk") {
		s.Desks = append(s.Desks, r.desk(key))
	}
	for _, name := range file.names("mailbox") {
		s.Mailboxes = append(s.Mailboxes, r.mailbox(name, s.Desks))
	}
	r.smtp(&s.SMTP)
	r.budgets(&s.Budgets)
	r.limits(&s.Limits)
	r.together(s)
	r.unknown()
	if len(r.wrong) > 0 {
		return nil, r.inOrder()
	}
	return s, nil
}

func (r *settingsReader) instance(s *Instance) {
	r.required("instance.base_url", &s.BaseURL, `the web view's address, as "https://desk.example"`)
	s.BaseURL = strings.TrimRight(s.BaseURL, "/")
	if u, err := url.Parse(s.BaseURL); s.BaseURL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" ||
		u.Hostname() == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil) {
		r.complain("instance.base_url", `instance.base_url = %q: must be http or https and a host, as "https://desk.example", and no more`, s.BaseURL)
	}
	s.Listen = "127.0.0.1:8080"
	r.hostPort("instance.listen", "127.0.0.1:8080", &s.Listen)
	s.StateDir = "/var/lib/postern"
	if dir, _, _ := strings.Cut(r.getenv("STATE_DIRECTORY"), ":"); dir != "" { // set by systemd
		s.StateDir = dir
	}
	r.text("instance.state_dir", &s.StateDir)
	s.StateDir = r.located("instance.state_dir", s.StateDir)
	r.addressList("instance.operator", &s.Operator)
	s.secret = r.readable("instance.secret_file", &s.SecretFile)
	if s.secret != nil {
		if _, err := newKey(s.secret); err != nil {
			r.complain("instance.secret_file", "instance.secret_file: %s: %v (head -c 32 /dev/urandom | base64 makes one)", s.SecretFile, err)
		}
	}
	r.hostPort("instance.dns", "127.0.0.1:53", &s.DNS)
	var proxies []string
	r.list("instance.trusted_proxies", &proxies)
	for _, text := range proxies {
		prefix, err := netip.ParsePrefix(text)
		if address, err2 := netip.ParseAddr(text); err2 == nil {
			prefix, err = address.Prefix(address.BitLen())
		}
		if err != nil {
			r.complain("instance.trusted_proxies", `instance.trusted_proxies: %q must be an IP address or network, as "10.0.0.0/8"`, text)
			continue
		}
		s.TrustedProxies = append(s.TrustedProxies, prefix)
	}
}

func (r *settingsReader) database(s *Database) {
	r.secret("database.url", &s.URL)
	u, err := url.Parse(s.URL.Reveal())
	switch {
	case s.URL.Reveal() == "":
		r.complain("database.url", `database.url is missing: where PostgreSQL is, as "postgres:///postern" or "postgres://user@host/postern"`)
	case err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql":
		r.complain("database.url", `database.url must look like "postgres://user@host:5432/postern" (it is not repeated here, as it may hold a password)`)
	}
	s.Connections = 16
	number(r, "database.connections", &s.Connections, 4, 1000)
}

func (r *settingsReader) smtp(s *SMTP) {
	s.Envelope, s.ReplyTokens, s.Connections = "auto", "auto", 16
	r.server("smtp", &s.Server, ports{465, 587}, "starttls")
	r.signInSettings("smtp", "smtp", &s.Server)
	if s.Auth == "password" && s.User != "" && s.Password.Reveal() == "" {
		r.complain("smtp.password", "smtp.password is missing for smtp.user: name a file with password_file or %s", environmentName("smtp.password_file"))
	}
	if s.User == "" && s.Password.Reveal() != "" {
		r.complain("smtp.user", "smtp.user is missing for smtp.password: the account's name at the SMTP server")
	}
	r.oneOf("smtp.envelope", &s.Envelope, "auto", "plain")
	r.oneOf("smtp.reply_tokens", &s.ReplyTokens, "auto", "on", "off")
	number(r, "smtp.connections", &s.Connections, 1, 200)
	r.text("smtp.helo", &s.HELO)
	number(r, "smtp.rate_per_minute", &s.RatePerMinute, 0, 1_000_000)
}

// desk reads which file a desk begins with: one beside the settings, or one of
// those that come with Postern.
func (r *settingsReader) desk(key string) DeskFile {
	section := "desk." + key
	d := DeskFile{Key: key, File: "default.toml"}
	r.properName(section, key)
	r.text(section+".file", &d.File)
	r.mailTemplates(section+".mail_templates", &d)
	path := r.located(section+".file", d.File)
	source, err := readSmall(path)
	if os.IsNotExist(err) {
		if builtIn, err2 := desks.Files.ReadFile(d.File); err2 == nil {
			d.Source = builtIn
			return d
		}
	}
	if err != nil {
		r.complain(section+".file", "%s.file: %v (and no desk file of that name comes with Postern)", section, err)
		return d
	}
	d.File, d.Source = path, source
	return d
}

var nameShape = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

func (r *settingsReader) properName(path, name string) {
	if !nameShape.MatchString(name) {
		r.complain(path, "[%s]: %q must be a name of small letters, digits and dashes that begins with a letter", path, name)
	}
}

func (r *settingsReader) budgets(b *core.Budgets) {
	*b = core.DefaultBudgets()
	for path, list := range map[string]*[]core.Window{
		"confirm_verified": &b.ConfirmVerified,
		"confirm_unknown":  &b.ConfirmUnknown,
		"per_address":      &b.PerAddress,
		"per_case":         &b.PerCase,
		"all_unknown":      &b.AllUnknown,
		"cases_unknown":    &b.CasesUnknown,
		"cases_verified":   &b.CasesVerified,
	} {
		r.windows("budgets."+path, list)
	}
	for path, one := range map[string]*core.Window{
		"domain_unknown": &b.DomainUnknown,
		"public_unknown": &b.PublicUnknown,
		"links":          &b.Links,
	} {
		r.window("budgets."+path, one)
	}
	size(r, "budgets.bytes_unknown", &b.BytesUnknown, 0, 1<<40)
}

func (r *settingsReader) limits(l *Limits) {
	*l = Limits{
		MailBytes: 40 << 20, WorkBytes: 32 << 20, Reading: mime.DefaultLimits,
		Poll: time.Minute, Lease: time.Minute, UncertainAfter: 15 * time.Minute, Gather: time.Minute, AnswerWithin: 24 * time.Hour,
	}
	m := &l.Reading
	size(r, "limits.mail", &l.MailBytes, 64<<10, 1<<30)
	size(r, "limits.work", &l.WorkBytes, 1<<20, 1<<34)
	// Never less than what a signature is checked on: a field that is read cut
	// would not be the field that was signed (R31).
	least := mime.DefaultLimits
	size(r, "limits.header", &m.HeaderBytes, least.HeaderBytes, 16<<20)
	size(r, "limits.header_refused", &m.HeaderRefused, least.HeaderBytes, 64<<20)
	size(r, "limits.field", &m.FieldBytes, least.FieldBytes, 16<<20)
	number(r, "limits.fields", &m.Fields, least.Fields, 100_000)
	number(r, "limits.depth", &m.Depth, 2, 100)
	number(r, "limits.parts", &m.Parts, 2, 10_000)
	number(r, "limits.files", &m.Files, 0, 10_000)
	size(r, "limits.file", &m.FileBytes, 0, 1<<30)
	size(r, "limits.all_files", &m.AllBytes, 0, 1<<32)
	size(r, "limits.text", &m.TextBytes, 1<<10, 64<<20)
	size(r, "limits.html", &m.HTMLBytes, 0, 64<<20)
	number(r, "limits.html_depth", &m.HTMLDepth, 10, 500) // x/net/html itself gives up at 512
	number(r, "limits.html_elements", &m.HTMLElements, 100, 10_000_000)
	number(r, "limits.subject", &m.SubjectRunes, 20, 1000)
	number(r, "limits.name", &m.NameRunes, 20, 1000)
	number(r, "limits.file_name", &m.FileNameRunes, 20, 255)
	number(r, "limits.addresses", &m.Addresses, 1, 1000)
	r.duration("limits.parse", &m.Time, 100*time.Millisecond, 10*time.Minute)
	r.duration("limits.poll", &l.Poll, time.Second, 24*time.Minute)
	r.duration("limits.lease", &l.Lease, time.Second, time.Hour)
	r.duration("limits.uncertain_after", &l.UncertainAfter, time.Second, 24*time.Hour)
	r.duration("limits.gather", &l.Gather, 0, time.Hour)
	r.duration("limits.answer_within", &l.AnswerWithin, time.Minute, 30*24*time.Hour)
	if m.HeaderRefused < m.HeaderBytes {
		r.complain("limits.header_refused", "limits.header_refused is less than limits.header: a header block is used up to %s, so it must be at least that", inBytes(m.HeaderBytes))
	}
}

// together checks what only the whole can show.
func (r *settingsReader) together(s *Settings) {
	if len(s.Desks) == 0 {
		r.complain("desk", `there is no desk: add [desk.support] with file = "default.toml"`)
	}
	if len(s.Mailboxes) == 0 {
		r.complain("mailbox", "there is no mailbox: add [mailbox.support] with host, user, password_file and addresses")
	}
	owner := make(map[string]string) // of an address
	for _, m := range s.Mailboxes {
		for _, a := range m.Addresses {
			if first, taken := owner[a]; taken {
				r.complain("mailbox."+m.Name+".addresses", "mailbox.%s.addresses: %s stands in mailbox.%s already: mail for it must arrive in one place", m.Name, a, first)
				continue
			}
			owner[a] = m.Name
		}
	}
	for _, a := range s.Instance.Operator {
		if name, own := owner[a]; own {
			r.complain("instance.operator", "instance.operator: %s is an own address of mailbox.%s: an alarm must reach a person", a, name)
		}
	}
	r.signing(s)
	prefixes := make(map[string]string) // to the desk that has it
	for _, d := range s.Desks {
		r.deskFile(d, s.Mailboxes, prefixes)
	}
}

// deskFile reads the file itself: a wrong one is refused before anything starts.
func (r *settingsReader) deskFile(d DeskFile, mailboxes []Mailbox, prefixes map[string]string) {
	path := "desk." + d.Key
	if len(mailboxes) > 0 && !slices.ContainsFunc(mailboxes, func(m Mailbox) bool { return m.Desk == d.Key }) {
		r.complain(path, "[%s]: no mailbox belongs to it, so it has no address: name it in one as desk = %q, or take it out", path, d.Key)
	}
	if d.Source == nil {
		return // said before
	}
	desk, err := core.ParseDesk(d.Key, d.Source)
	if err != nil {
		r.wrong = append(r.wrong, deskProblems(d.File, err)...)
		return
	}
	prefix := strings.ToUpper(desk.Prefix)
	if other, taken := prefixes[prefix]; taken {
		r.complain(path, "[%s]: its file has the prefix %s, and so has that of [desk.%s]: case numbers must differ", path, prefix, other)
	}
	prefixes[prefix] = d.Key
}

// deskProblems are the problems of a desk file as those of the settings are
// told.
func deskProblems(file string, err error) problems {
	found, ok := err.(*flow.Problems)
	if !ok {
		return problems{{file: file, message: err.Error()}}
	}
	all := make(problems, len(*found))
	for i, p := range *found {
		all[i] = problem{file: file, line: p.Line, column: p.Column, message: p.Message}
	}
	return all
}

// loopback says whether a host is this machine (R14). A name is looked up by
// nobody: only localhost is believed.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}

// core is what the desk needs to know of the settings.
func (s *Settings) core(key token.Key) core.Settings {
	c := core.Settings{
		DatabaseURL: s.Database.URL.Reveal(),
		Connections: s.Database.Connections,
		BaseURL:     s.Instance.BaseURL,
		Key:         key,
		Operator:    s.Instance.Operator,
		ReplyTokens: s.SMTP.ReplyTokens,
		Envelope:    s.SMTP.Envelope,
		Budgets:     s.Budgets,
		Answer:      s.Limits.AnswerWithin,
		Lease:       s.Limits.Lease,
		Uncertain:   s.Limits.UncertainAfter,
		Gather:      s.Limits.Gather,
	}
	for _, m := range s.Mailboxes {
		c.Mailboxes = append(c.Mailboxes, core.MailboxSettings{Name: m.Name, Desk: m.Desk, Addresses: m.Addresses, Border: m.Border, Inbox: m.Inbox, Further: m.Further, Junk: m.Junk})
	}
	return c
}

// address names a server for people: "mail.example.org:993".
func (s Server) address() string { return net.JoinHostPort(s.Host, fmt.Sprint(s.Port)) }

// imap is the mailbox as mailin wants it.
func (m Mailbox) imap() mailin.Server {
	s := mailin.Server{Host: m.Host, Port: m.Port, TLS: m.TLS, CAFile: m.CAFile, CertSHA256: m.CertSHA256,
		User: m.User, Password: m.Password.Reveal(), Auth: m.Auth}
	if m.signIn != nil {
		s.Token = m.signIn.Token
	}
	return s
}

// out is the SMTP server as mailout wants it.
func (s SMTP) out() mailout.Server {
	server := mailout.Server{Host: s.Host, Port: s.Port, TLS: s.TLS, CAFile: s.CAFile, CertSHA256: s.CertSHA256,
		User: s.User, Password: s.Password.Reveal(), Auth: s.Auth, HELO: s.HELO}
	if s.signIn != nil {
		server.Token = s.signIn.Token
	}
	return server
}

// secretPath is where the instance's secret lies.
func (s *Instance) secretPath() string {
	if s.SecretFile != "" {
		return s.SecretFile
	}
	return filepath.Join(s.StateDir, "secret")
}
