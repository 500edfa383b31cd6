package core

import (
	"time"

	"postern/core/token"
)

// Settings are what the desk needs to know of the instance. cmd reads and
// checks them.
type Settings struct {
	DatabaseURL string
	Connections int       // of the pool; 0: 16
	BaseURL     string    // of the web view, without a slash at the end
	Key         token.Key // secrets of mails are derived from it
	Operator    []string  // alarms go to these
	Mailboxes   []MailboxSettings
	ReplyTokens string // "auto", "on", "off" (R33)
	Envelope    string // "auto", "plain" (R53)
	Budgets     Budgets
	Answer      time.Duration    // mail older than this is filed without automatic mail (R8); 0: 24 h
	Lease       time.Duration    // of the outbox (R58); 0: 60 s
	Uncertain   time.Duration    // R59; 0: 15 min
	Gather      time.Duration    // how long news waits to become one mail with what follows; 0: not at all
	Now         func() time.Time // tests own the clock; nil: the database's (R62)
}

// MailboxSettings is what the rules need to know of a mailbox.
type MailboxSettings struct {
	Name      string
	Desk      string   // key of its desk
	Addresses []string // own addresses, lower case; the first sends
	Inbox     string   // the folder that is read; "": INBOX
	Further   []string // folders that are read too
	Junk      string   // folder of what the mail system took for spam; "" for none (R72)
	Border    string   // "none", "google", "microsoft365", "authserv:NAME" (R32)
}

// polled are the folders that are polled, as two lists: a mailbox that was
// taken out of the settings worries nobody.
func (s Settings) polled() (accounts, folders []string) {
	add := func(account, folder string) {
		accounts, folders = append(accounts, account), append(folders, folder)
	}
	for _, m := range s.Mailboxes {
		if m.Inbox == "" {
			m.Inbox = "INBOX"
		}
		add(m.Name, m.Inbox)
		for _, folder := range m.Further {
			add(m.Name, folder)
		}
		if m.Junk != "" {
			add(m.Name, m.Junk)
		}
	}
	return accounts, folders
}

// Window is a budget: at most Count within Within, sliding.
type Window struct {
	Count  int
	Within time.Duration
}

// Budgets are the numbers of R48; a nil list means no limit of that kind.
type Budgets struct {
	ConfirmVerified []Window // confirmations to one address that is or was verified
	ConfirmUnknown  []Window // to any other
	PerAddress      []Window // automatic mail to one outside address
	PerCase         []Window // the same on one case
	DomainUnknown   Window   // confirmations to unverified senders of one domain
	PublicUnknown   Window   // the same for a public provider's domain
	AllUnknown      []Window // the same in all
	CasesUnknown    []Window // new cases of one unknown sender
	CasesVerified   []Window // and of a verified one
	BytesUnknown    int64    // of one unknown sender in a day
	Links           Window   // sign-in links and invitations to one address
}

// DefaultBudgets are the numbers of R48.
func DefaultBudgets() Budgets {
	const m, h, day = time.Minute, time.Hour, 24 * time.Hour
	return Budgets{
		ConfirmVerified: []Window{{10, h}, {50, day}},
		ConfirmUnknown:  []Window{{3, h}, {10, day}},
		PerAddress:      []Window{{10, 10 * m}, {20, h}, {60, day}},
		PerCase:         []Window{{5, 10 * m}, {10, h}, {25, 10 * h}},
		DomainUnknown:   Window{60, h},
		PublicUnknown:   Window{300, h},
		AllUnknown:      []Window{{120, m}, {1000, h}},
		CasesUnknown:    []Window{{10, h}, {50, day}},
		CasesVerified:   []Window{{100, h}},
		BytesUnknown:    200 << 20,
		Links:           Window{5, h},
	}
}
