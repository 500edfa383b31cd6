package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"postern/core"
)

// commands are all of them, in the order in which somebody meets them. It is a
// function because help reads it, and help is one of its users.
func commands() []command {
	return []command{
		{
			name: "demo", summary: "everything on this machine, nothing to configure",
			usage: "[--state DIR]", example: "postern demo", flags: demoCommand,
			more: "Starts a private PostgreSQL, a mail server on loopback, Postern between them, and a\npage on which one person plays customers and agents. Ctrl-C stops it all; the next\nstart continues where this one stopped.",
		},
		{
			name: "serve", summary: "the gateway: poll, file, send, chores, web",
			usage: "[--hold]", example: "postern serve --config /etc/postern/postern.toml", flags: serveCommand,
			more: "Any number of processes may serve one database: they divide the work.",
		},
		{
			name: "migrate", summary: "bring the database to this version (serve does it too)",
			usage: "", example: "postern migrate", flags: migrateCommand,
		},
		{
			name: "doctor", summary: "check settings, database, IMAP, SMTP, TLS, and whether marks survive the round trip",
			usage: "[--json] [--probe]", example: "postern doctor", flags: doctorCommand,
			more: "Changes nothing, except that --probe mails the desks themselves to see whether plus\naddresses come back. Exits with 1 if something fails.",
		},
		{
			name: "doctor border", summary: "what a border would have believed of the last mails; test one by a forged mail",
			usage: "[--mailbox NAME] [--border VALUE] [--json] [--send HOST[:PORT] | --write FILE] [--from ADDRESS]", example: "postern doctor border --border authserv:mx.example.org --send mx.example.org", flags: doctorBorderCommand,
			more: "By itself it lists the last 50 mails of the mailbox with what that border says of each.\n--send delivers a mail with forged fields to the mail exchanger, as a stranger would;\n--write makes that mail a file. A border of authserv:NAME is believed once the mail\ncame in without them; the list ends with what the tests have shown.",
		},
		{
			name: "explain", summary: "what Postern makes of a mail: class, evidence, words, and why",
			usage: "[--json] [--dns] [--live [--mailbox NAME]] FILE|DIR|MBOX...", example: "postern explain --json suspicious.eml", flags: explainCommand,
			more: "By itself it reads bytes alone: no network, no settings. --dns checks signatures,\n--live adds what would be decided now, without doing it. - reads standard input.\n\nA file that is named may be an mbox: each of its mails is explained. In a folder every\nfile is one mail, in the order of names; links to folders are not followed, archives\nnot unpacked. What cannot be read is told, with --json as {\"file\", \"error\"}, the rest\nis explained all the same, and the exit code is 1.",
		},
		{
			name: "desk check", summary: "is a desk file right? every mistake with its line",
			usage: "[--json] FILE", example: "postern desk check my-desk.toml", flags: deskCheckCommand,
		},
		{
			name: "desk graph", summary: "draw the status flow of a desk file as SVG",
			usage: "[--language CODE] FILE > FILE.svg", example: "postern desk graph my-desk.toml > my-desk.svg", flags: deskGraphCommand,
		},
		{
			name: "desk apply", summary: "show what a desk file changes, then use it",
			usage: "[--desk KEY] [--move OLD=NEW]... [--dry-run] FILE", example: "postern desk apply my-desk.toml --move waiting=need-input", flags: deskApplyCommand,
			more: "A status that cases still have cannot go without saying what they get instead.",
		},
		{
			name: "desk show", summary: "print the desk file that is in use",
			usage: "[KEY]", example: "postern desk show support > my-desk.toml", flags: deskShowCommand,
		},
		{
			name: "agent add", summary: "make somebody an agent of a desk; the first one too",
			usage: "[--desk KEY] [--name NAME] [--role agent|admin] ADDRESS", example: `postern agent add eva@example.org --desk support --name "Eva de Boer" --role admin`, flags: agentAddCommand,
		},
		{
			name: "agent list", summary: "list the agents of all desks",
			usage: "[--json]", example: "postern agent list", flags: agentListCommand,
		},
		{
			name: "organisation add", summary: "make a customer's organisation known, with its domains",
			usage: "[--domain DOMAIN]... NAME", example: `postern organisation add "Bakkerij Zon" --domain bakkerijzon.example`, flags: organisationAddCommand,
		},
		{
			name: "organisation list", summary: "list the organisations and their domains",
			usage: "[--json]", example: "postern organisation list", flags: organisationListCommand,
		},
		{
			name: "contact show", summary: "what is known of an address: blocked, suppressed, cases",
			usage: "[--json] ADDRESS", example: "postern contact show anna@customer.example", flags: contactShowCommand,
		},
		{
			name: "contact block", summary: "hold an address's later mail, unanswered",
			usage: "ADDRESS", example: "postern contact block pills@spam.example", flags: contactCommand((*core.Desk).Block, "is blocked: its mail is held"),
			more: "Agents do the same with #block in an answer, or on the page of a held mail.",
		},
		{
			name: "contact unblock", summary: "file a blocked address's mail again",
			usage: "ADDRESS", example: "postern contact unblock anna@customer.example", flags: contactCommand((*core.Desk).Unblock, "is blocked no longer"),
			more: "What is held stays held: postern ledger release lets it in.",
		},
		{
			name: "contact unsuppress", summary: "mail an address again that bounced",
			usage: "ADDRESS", example: "postern contact unsuppress anna@customer.example", flags: contactCommand((*core.Desk).Unsuppress, "gets automatic mail again"),
			more: "A verified mail from the address does the same.",
		},
		{
			name: "invite", summary: "mail somebody of a customer an invitation to the web view",
			usage:   "--organisation NAME [--desk KEY] [--name NAME] [--role user|power] [--language CODE] [--domain DOMAIN]... ADDRESS",
			example: `postern invite anna@customer.example --organisation "Customer Ltd"`, flags: inviteCommand,
			more: "The organisation is made if it is new. The mail holds a link and a code, good for\nseven days.",
		},
		{
			name: "mail preview", summary: "write every mail that Postern sends, with sample facts, into a folder",
			usage: "[--language CODE] [--kind KIND] [--desk KEY] DIR", example: "postern mail preview /tmp/mails", flags: mailPreviewCommand,
			more: "Each as the mail itself, its text and its HTML; index.html shows them all. A desk's own\ntexts (mail_templates in the settings) are used if the settings name one desk, or --desk\nsays which.",
		},
		{
			name: "dkim", summary: "print the DNS records with which others check the signatures of our mail",
			usage: "", example: "postern dkim", flags: dkimCommand,
			more: "One record for each mailbox with a key ([mailbox.NAME.dkim] in the settings), as a zone\nfile has it. Where a provider's page asks for one text, leave the quotes between its\nparts out. postern doctor says whether the record is there and is of the same key.",
		},
		{
			name: "token withdraw", summary: "make the reply addresses in somebody's mails worthless, or a single one",
			usage: "ADDRESS|REPLY-ADDRESS", example: "postern token withdraw anna@customer.example", flags: tokenWithdrawCommand,
			more: "A reply address only says which case a mail belongs to: nobody gets in by it who may\nnot see the case. Withdraw them all the same when somebody's mailbox was read by others.",
		},
		{
			name: "erase", summary: "remove a person: names, addresses, texts, files and raw mail",
			usage: "[--yes] ADDRESS", example: "postern erase anna@customer.example", flags: eraseCommand,
			more: "Without --yes it says what would go. Of the cases is left that they were, and what\nothers wrote. Salted hashes stay in the database and in the file \"erased\" of the state\nfolder: keep that file apart from the backups of the database, postern ledger restored\nneeds it. Backups from before are to be deleted. Mail on the mail server is yours to\ndelete: it does not come back.",
		},
		{
			name: "outbox list", summary: "list mail that has not left, or whose fate nobody knows",
			usage: "[--state STATE] [--before ID] [--limit N] [--json]", example: "postern outbox list --state uncertain", flags: outboxListCommand, alone: true,
		},
		{
			name: "outbox show", summary: "one mail that we owe or sent: to whom, its state, the server's last words",
			usage: "[--json] ID", example: "postern outbox show 4711", flags: outboxShowCommand,
		},
		{
			name: "outbox settle", summary: "end mail that may have arrived or not",
			usage: "--by ADDRESS --sent|--again|--give-up ID...", example: "postern outbox settle 4711 --by ops@example.org --sent", flags: outboxSettleCommand,
			more: "A mail is uncertain if the server never answered to its end, or this program died in\nthat moment. After uncertain_after the same bytes are sent once more; if that stays\nunanswered too, a person decides. The server's log tells by the Message-ID (postern\noutbox show) whether it took the mail. The case shows what was decided, and by whom.",
		},
		{
			name: "ledger check", summary: "compare the mailboxes with the ledger: does it balance?",
			usage: "[--json]", example: "postern ledger check", flags: ledgerCheckCommand, alone: true,
			more: "KNOWN mails are in the ledger. NEW ones have just come. UNKNOWN ones should be in it\nand are not: postern serve is told to compare at its next poll, and takes them in.\nREMOVED are rows whose mail a person moved or deleted: no fault. Exits with 1 if it\ndoes not balance, or if a mailbox cannot be reached.",
		},
		{
			name: "ledger restored", summary: "after the database came from a backup: make good what it cannot know",
			usage: "[--yes]", example: "postern ledger restored", flags: ledgerRestoredCommand,
			more: "Moves every desk's case numbers on by 1,000, so that none is given twice; erases again\nwho was erased since the backup; has every mailbox compared with the ledger from its\nstart on. Stop postern serve first: --yes goes on all the same. A second time does no\nharm but to skip another 1,000 numbers.",
		},
		{
			name: "ledger list", summary: "list held and quarantined mail",
			usage: "[--state held|quarantined|stored] [--before ID] [--limit N] [--json]", example: "postern ledger list --state quarantined", flags: ledgerListCommand,
		},
		{
			name: "ledger show", summary: "one mail, with the trace of the rules that decided its fate",
			usage: "[--json|--raw] ID", example: "postern ledger show 4711", flags: ledgerShowCommand,
		},
		{
			name: "ledger retry", summary: "file quarantined mail once more",
			usage: "ID...", example: "postern ledger retry 4711", flags: ledgerRetryCommand,
		},
		{
			name: "ledger release", summary: "let held mail be filed by the rules, as a case, or on a case",
			usage: "--agent ADDRESS [--as case | --to NUMBER] ID...", example: "postern ledger release --agent eva@example.org 4711 4712", flags: ledgerReleaseCommand,
		},
		{
			name: "ledger refuse", summary: "end held mail without filing it; its bytes are kept",
			usage: "ID...", example: "postern ledger refuse 4711", flags: ledgerRefuseCommand,
		},
	}
}

// open reads the settings and opens the database at this program's version,
// with every desk of the settings in it. The caller closes the desk.
func (p *program) open(ctx context.Context) (*core.Desk, *Settings, error) {
	s, err := p.settings()
	if err != nil {
		return nil, nil, err
	}
	d, err := openDesk(ctx, s)
	return d, s, err
}

// openAsIs opens the database for somebody who only looks: nothing is made in
// it or for it.
func openAsIs(ctx context.Context, s *Settings) (*core.Desk, error) {
	key, err := s.Instance.existingKey()
	if err != nil {
		return nil, err
	}
	switch _, tables, err := databaseState(ctx, s.Database.URL.Reveal()); {
	case err != nil:
		return nil, answers(err)
	case tables == 0:
		return nil, errors.New("there are no tables yet in the database: postern migrate makes them")
	}
	return core.Open(ctx, s.core(key))
}

// chooseDesk is the desk that is named, or the only one there is.
func (s *Settings) chooseDesk(asked string) (string, error) {
	keys := make([]string, len(s.Desks))
	for i, d := range s.Desks {
		keys[i] = d.Key
		if d.Key == asked {
			return asked, nil
		}
	}
	switch {
	case asked != "":
		return "", usageError(fmt.Sprintf("there is no desk %q: the settings have %s", asked, alternatives(keys)))
	case len(keys) == 1:
		return keys[0], nil
	}
	return "", usageError("say which desk with --desk: " + alternatives(keys))
}

// one takes the only argument of a command.
func one(args []string, what string) (string, error) {
	switch len(args) {
	case 0:
		return "", usageError("the " + what + " is missing")
	case 1:
		return args[0], nil
	}
	return "", usageError(fmt.Sprintf("only one %s at a time: %q is too much", what, args[1]))
}

func none(args []string) error {
	if len(args) > 0 {
		return usageError(fmt.Sprintf("%q is too much", args[0]))
	}
	return nil
}

// oneAddress takes a mail address as the only argument.
func oneAddress(args []string) (string, error) {
	text, err := one(args, "mail address")
	if err != nil {
		return "", err
	}
	address, err := plainAddress(text)
	if err != nil {
		return "", usageError(err.Error())
	}
	return address, nil
}

// ids takes ledger ids.
func ids(args []string) ([]int64, error) {
	if len(args) == 0 {
		return nil, usageError("the id is missing: postern ledger list shows them")
	}
	var all []int64
	for _, a := range args {
		id, err := strconv.ParseInt(strings.TrimPrefix(a, "#"), 10, 64)
		if err != nil || id < 1 {
			return nil, usageError(fmt.Sprintf("%q is no id of a mail: postern ledger list shows them", a))
		}
		all = append(all, id)
	}
	return all, nil
}

// words is a flag that may be given more than once.
type words []string

func (w *words) String() string         { return strings.Join(*w, ", ") }
func (w *words) Set(value string) error { *w = append(*w, value); return nil }
