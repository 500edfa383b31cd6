package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/smtp"
	"os"
	"strings"
	"time"

	"postern/core"
	"postern/mailin"
)

// border says what is believed of the mail system in front of the mailbox (R32).
func (d *doctor) border(ctx context.Context, desk *core.Desk, m Mailbox) {
	about := "mailbox " + m.Name
	name, named := strings.CutPrefix(m.Border, "authserv:")
	switch {
	case m.Border == "none":
		d.say(fine, about, "", "border is none: only DKIM signatures that we checked ourselves prove who wrote a mail")
	case !named:
		d.say(warning, about, "postern doctor border --mailbox "+m.Name, "border is %s: how its headers are read was not yet seen live", m.Border)
	case desk != nil:
		d.authserv(ctx, desk, m, name)
	}
}

// authserv says what the tests of a named server have shown.
func (d *doctor) authserv(ctx context.Context, desk *core.Desk, m Mailbox, name string) {
	about, next := "mailbox "+m.Name, "postern doctor border --mailbox "+m.Name+" --send YOUR-MX"
	s, err := desk.Border(ctx, m.Name, name)
	switch {
	case err != nil:
		d.say(broken, about, "", "%v", err)
	case s.Proved:
		d.say(fine, about, "", "border is %s: a test of %s came in without the fields it had forged", m.Border, moment(*s.BackAt))
	case s.BackAt != nil:
		d.say(broken, about, "have the mail server take fields of that name out of mail from outside (RFC 8601 section 5), then: "+next,
			"border is %s and nothing is believed: a test of %s came in with the fields it had forged", m.Border, moment(*s.BackAt))
	case s.MadeAt != nil:
		d.say(warning, about, "postern doctor, when the mail of the test has arrived", "border is %s and nothing is believed yet: the test of %s did not come in", m.Border, moment(*s.MadeAt))
	default:
		d.say(warning, about, next, "border is %s and nothing is believed yet: it was not tested whether forged fields of that name get through", m.Border)
	}
}

func doctorBorderCommand(f *flag.FlagSet) action {
	asked := f.String("mailbox", "", "`NAME` of the mailbox, if there are several")
	border := f.String("border", "", "`VALUE` to try instead of the one in the settings")
	send := f.String("send", "", "deliver a test with forged fields to the mail exchanger `HOST[:PORT]`, as a stranger would")
	write := f.String("write", "", "write that test into `FILE` instead, to be sent from outside by other means")
	from := f.String("from", "", "`ADDRESS` that sends the test; the operator's if left away")
	asJSON := f.Bool("json", false, "print one JSON object a line, one for each mail")
	return func(ctx context.Context, p *program, args []string) error {
		if err := none(args); err != nil {
			return err
		}
		s, err := p.settings()
		if err != nil {
			return err
		}
		m, err := s.chooseMailbox(*asked)
		if err != nil {
			return err
		}
		value := cmp.Or(*border, m.Border)
		if !isBorder(value) {
			return usageError(fmt.Sprintf(`--border %s: must be "google", "microsoft365" or "authserv:NAME"`, value))
		}
		name, named := strings.CutPrefix(value, "authserv:")
		testing := *send != "" || *write != ""
		switch {
		case *send != "" && *write != "":
			return usageError("--send and --write: one of them")
		case testing && !named:
			return usageError(fmt.Sprintf("only a border of authserv:NAME is tested by a forged mail, not %q", value))
		case testing && *asJSON:
			return usageError("--json is for the list of mails: leave --send and --write away")
		case value == "none":
			return usageError("nothing is believed with border none: say which one to try with --border google, microsoft365 or authserv:NAME")
		}
		desk, err := openAsIs(ctx, s)
		if err != nil {
			return err
		}
		defer desk.Close()
		if !testing {
			return previewBorder(ctx, p, desk, s, m, value, *asJSON)
		}
		sender, err := borderSender(*from, s.Instance.Operator)
		if err != nil {
			return err
		}
		test, err := desk.BeginBorderTest(ctx, m.Name, name)
		if err != nil {
			return err
		}
		again := "postern doctor border --mailbox " + m.Name + " --border " + value
		raw := borderMail(test, sender, name, time.Now())
		if *write != "" {
			if err := writeNew(*write, raw); err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, "%s: send it from outside, without signing in, to %s; when it has arrived: %s\n", *write, test.To, again)
			return nil
		}
		how, err := deliver(ctx, *send, cmp.Or(s.SMTP.HELO, hostname()), sender, test.To, raw)
		if err != nil {
			return fmt.Errorf("the test was not taken: %w", err)
		}
		fmt.Fprintf(p.stdout, "%s took the test for %s (%s); when it has arrived: %s\n", *send, test.To, how, again)
		return nil
	}
}

func (s *Settings) chooseMailbox(asked string) (Mailbox, error) {
	var names []string
	for _, m := range s.Mailboxes {
		if m.Name == asked || asked == "" && len(s.Mailboxes) == 1 {
			return m, nil
		}
		names = append(names, m.Name)
	}
	if asked == "" {
		return Mailbox{}, usageError("say which mailbox with --mailbox: " + alternatives(names))
	}
	return Mailbox{}, usageError(fmt.Sprintf("there is no mailbox %q: the settings have %s", asked, alternatives(names)))
}

// previewed is how many of the last mails a preview shows.
const previewed = 50

// headEnough is how much of a mail holds its header block (R17).
const headEnough = 300 << 10

// errEnough ends the reading of bytes of which enough are there.
var errEnough = errors.New("enough")

// head keeps the beginning of what is written to it.
type head struct{ bytes.Buffer }

func (h *head) Write(p []byte) (int, error) {
	if h.Len()+len(p) > headEnough {
		h.Buffer.Write(p[:headEnough-h.Len()])
		return 0, errEnough
	}
	return h.Buffer.Write(p)
}

// previewBorder says what a border would have believed of the last mails, by
// its own evidence alone: our check of signatures stands beside it.
func previewBorder(ctx context.Context, p *program, desk *core.Desk, s *Settings, m Mailbox, border string, asJSON bool) error {
	mails, err := desk.NewestMail(ctx, m.Name, previewed)
	if err != nil {
		return err
	}
	counts := map[core.Assurance]int{}
	var rows [][]string
	for _, brief := range mails {
		var raw head
		if err := desk.Raw(ctx, brief.ID, &raw); err != nil && !errors.Is(err, errEnough) {
			if errors.Is(err, core.ErrNotFound) {
				continue // its bytes are no longer kept
			}
			return err
		}
		mail := mailin.Parse(bytes.NewReader(raw.Bytes()), int64(raw.Len()), s.Limits.Reading)
		says, steps := core.Judge(mail, border)
		counts[says]++
		from, why := "", ""
		if len(mail.From) == 1 {
			from = mail.From[0].Address
		}
		for _, step := range steps {
			if step.Says != "DKIM was not checked" && !strings.HasPrefix(step.Says, "unknown: nothing") {
				why = step.Says
			}
		}
		if asJSON {
			line := struct {
				Ledger int64  `json:"ledger"`
				Date   string `json:"date"`
				From   string `json:"from"`
				Says   string `json:"says"`
				Why    string `json:"why"`
			}{brief.ID, brief.Received.UTC().Format(time.RFC3339), from, string(says), harmless(why)}
			if err := printJSON(p.stdout, line); err != nil {
				return err
			}
		}
		rows = append(rows, []string{fmt.Sprint(brief.ID), moment(brief.Received), from, string(says), why})
	}
	switch {
	case asJSON:
		return nil
	case len(rows) == 0:
		fmt.Fprintf(p.stdout, "mailbox %s has no mail in the ledger yet\n", m.Name)
		return nil
	}
	if err := columns(p.stdout, "LEDGER DATE FROM SAYS WHY", rows); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "of the last %d mails border %s would have called %d verified, %d failed, %d unknown\n", len(rows), border,
		counts[core.Verified], counts[core.Failed], counts[core.Unknown])
	if name, named := strings.CutPrefix(border, "authserv:"); named {
		return sayTested(ctx, p, desk, m, name)
	}
	if border == "google" || border == "microsoft365" {
		fmt.Fprintf(p.stdout, "how %s writes its headers was not yet seen live: compare some of them with postern ledger show\n", border)
	}
	return nil
}

// sayTested says whether a named server may be believed: the list before it
// shows forged fields as it shows true ones.
func sayTested(ctx context.Context, p *program, desk *core.Desk, m Mailbox, name string) error {
	s, err := desk.Border(ctx, m.Name, name)
	if err != nil {
		return err
	}
	says := "it is believed only once a forged mail came in without its fields: try that with --send YOUR-MX"
	switch {
	case s.Proved:
		says = fmt.Sprintf("a test of %s came in without the fields it had forged: this border can be believed", moment(*s.BackAt))
	case s.BackAt != nil:
		says = fmt.Sprintf("a test of %s came in with the fields it had forged: nothing is believed of it. Have the mail server take fields of that name out of mail from outside (RFC 8601 section 5), then test again with --send YOUR-MX", moment(*s.BackAt))
	case s.MadeAt != nil:
		says = fmt.Sprintf("nothing is believed of it yet: the test of %s did not come in", moment(*s.MadeAt))
	}
	fmt.Fprintln(p.stdout, says)
	return nil
}

func borderSender(asked string, operators []string) (string, error) {
	if asked == "" && len(operators) > 0 {
		return operators[0], nil
	}
	if asked == "" {
		return "", usageError("say who sends the test with --from: instance.operator names nobody")
	}
	address, err := plainAddress(asked)
	if err != nil {
		return "", usageError("--from: " + err.Error())
	}
	return address, nil
}

// borderMail is a mail as a forger would write it: fields of the border's name
// in every spelling that is read as that name.
func borderMail(test core.BorderTest, from, name string, now time.Time) []byte {
	_, domain, _ := strings.Cut(from, "@")
	var b bytes.Buffer
	for _, id := range []string{name, strings.ToUpper(name), name + " 1", "(forged) " + name} {
		fmt.Fprintf(&b, "Authentication-Results: %s; dmarc=pass (p=reject)\r\n\theader.from=%s reason=\"%s\"\r\n", id, domain, test.Token)
	}
	fmt.Fprintf(&b, "From: <%s>\r\nTo: <%s>\r\nSubject: Postern border test\r\nDate: %s\r\nMessage-ID: <%s>\r\n"+
		"Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"+
		"This mail carries forged Authentication-Results fields. Postern looks whether\r\nthe mail server takes them away.\r\n",
		from, test.To, now.Format(time.RFC1123Z), test.MessageID)
	return b.Bytes()
}

// writeNew writes a file that is not there yet.
func writeNew(path string, raw []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(raw); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "localhost"
	}
	return name
}

// deliver hands a mail to a mail exchanger as a stranger does: nobody signs in,
// and TLS is used if it is offered and its certificate is right. It says how.
func deliver(ctx context.Context, server, helo, from, to string, raw []byte) (string, error) {
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		host, port = strings.Trim(server, "[]"), "25"
	}
	how := "without TLS"
	c, err := dialStranger(ctx, host, port, helo)
	if err != nil {
		return "", err
	}
	defer func() { c.Close() }()
	if ok, _ := c.Extension("STARTTLS"); ok {
		if err := c.StartTLS(&tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}); err == nil {
			how = "with TLS"
		} else { // the connection is of no use any more; a stranger would go on in clear
			c.Close()
			if c, err = dialStranger(ctx, host, port, helo); err != nil {
				return "", err
			}
		}
	}
	if err := c.Mail(from); err != nil {
		return "", fmt.Errorf("MAIL FROM:<%s>: %w", from, err)
	}
	if err := c.Rcpt(to); err != nil {
		return "", fmt.Errorf("RCPT TO:<%s>: %w", to, err)
	}
	w, err := c.Data()
	if err != nil {
		return "", fmt.Errorf("DATA: %w", err)
	}
	if _, err := w.Write(raw); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return how, c.Quit()
}

// dialStranger connects and says hello. Everything that follows has to end
// within the patience for one server.
func dialStranger(ctx context.Context, host, port, helo string) (*smtp.Client, error) {
	conn, err := (&net.Dialer{Timeout: 30 * time.Second}).DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(patience))
	c, err := smtp.NewClient(conn, host)
	if err == nil {
		err = c.Hello(helo)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}
