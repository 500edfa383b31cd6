package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"postern/core"
	"postern/core/token"
	"postern/mailin"
	"postern/mailin/mime"
)

// explainer says what Postern makes of mails.
type explainer struct {
	*program
	asJSON    bool
	limits    mime.Limits
	mailBytes int64            // of a larger mail only the header block is read
	verifier  *mailin.Verifier // nil: signatures are not checked
	desk      *core.Desk       // nil: nothing is decided
	mailbox   string           // whose mail it would be
	failed    bool             // some file could not be read
}

func explainCommand(f *flag.FlagSet) action {
	asJSON := f.Bool("json", false, "print one JSON object a line, one for each mail")
	dns := f.Bool("dns", false, "check DKIM signatures, which asks the DNS")
	live := f.Bool("live", false, "add assurance, case, rights and the decision that would be taken now; reads settings and database, changes nothing; checks signatures too")
	mailbox := f.String("mailbox", "", "with --live: `NAME` of the mailbox in which it would have arrived; without it, the first of the settings")
	return func(ctx context.Context, p *program, args []string) error {
		if len(args) == 0 {
			return usageError("what is to be explained? name files, folders or mboxes, or - for standard input")
		}
		if *mailbox != "" && !*live && !*dns {
			return usageError("--mailbox is for --live: bytes alone are in no mailbox")
		}
		e := &explainer{program: p, asJSON: *asJSON, limits: mime.DefaultLimits, mailBytes: 40 << 20}
		server := ""
		if *live || *dns && p.config != "" {
			s, err := p.settings()
			if err != nil {
				return err
			}
			server, e.limits, e.mailBytes = s.Instance.DNS, s.Limits.Reading, s.Limits.MailBytes
			if err := e.choose(s, *mailbox); err != nil {
				return err
			}
			if *live {
				if e.desk, err = openAsIs(ctx, s); err != nil {
					return err
				}
				defer e.desk.Close()
			}
		}
		if *live || *dns {
			e.verifier = mailin.NewVerifier(server)
		}
		for _, path := range args {
			if err := e.path(ctx, path); err != nil {
				return err
			}
		}
		if e.failed {
			return errSaid
		}
		return nil
	}
}

// decision is what would become of a mail.
type decision struct {
	State   string `json:"state"`
	Outcome string `json:"outcome"`
	Reason  string `json:"reason"`
}

// choose finds the mailbox in which the mails would have arrived.
func (e *explainer) choose(s *Settings, asked string) error {
	var names []string
	for _, m := range s.Mailboxes {
		if asked == "" || m.Name == asked {
			e.mailbox = m.Name
			return nil
		}
		names = append(names, m.Name)
	}
	return usageError(fmt.Sprintf("there is no mailbox %q: the settings have %s", asked, alternatives(names)))
}

// path explains a file, a folder, an mbox, or standard input.
func (e *explainer) path(ctx context.Context, path string) error {
	sources := mailin.Files([]string{path})
	if path == "-" {
		sources = mailin.Stream(path, e.stdin)
	}
	for source, err := range sources {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			err = e.unread(source.Name, err)
		} else {
			err = e.one(ctx, source)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unread says that a file could not be read; for programs in a line of its own.
func (e *explainer) unread(name string, why error) error {
	e.failed = true
	fmt.Fprintf(e.stderr, "postern: %s: %v\n", oneLine(name), oneLine(why.Error()))
	if !e.asJSON {
		return nil
	}
	return printJSON(e.stdout, struct {
		File  string `json:"file"`
		Error string `json:"error"`
	}{strings.ToValidUTF8(name, "\ufffd"), strings.ToValidUTF8(why.Error(), "\ufffd")})
}

// one explains a mail. Its error is one of the output or the database, never
// one of the mail.
func (e *explainer) one(ctx context.Context, source mailin.Source) error {
	m, steps, err := e.read(ctx, source)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return e.unread(source.Name, err)
	}
	class, why := core.Classify(m)
	trace := append(append([]core.Step{why}, steps...), asked(m)...)
	out := mailin.NewExplanation(source.Name, m)
	out.Class = string(class)
	out.Evidence = append(proofs(m, source), signs(m)...)
	commands, _ := core.CommandBlock(m.Reply)
	out.Commands = append([]string{}, commands...)
	switch {
	case e.desk != nil:
		m.Mailbox, m.Received = e.mailbox, time.Now()
		d, err := e.desk.Explain(ctx, m)
		if err != nil {
			return fmt.Errorf("%s: %w", source.Name, err)
		}
		out.Class, out.Assurance = string(d.Class), string(d.Assurance)
		out.Decision = decision{string(d.State), d.Decision, d.Reason}
		trace = append(append(steps, asked(m)...), d.Trace...)
	case e.verifier != nil:
		// without settings there is no border to believe: our own check alone
		assurance, judged := core.Judge(m, "none")
		out.Assurance, trace = string(assurance), append(trace, judged...)
	}
	out.Trace = trace
	if e.asJSON {
		return printJSON(e.stdout, out)
	}
	return e.print(out, m, trace)
}

// read reads one mail, whatever it holds: an error is one of the file. A panic
// is a defect of ours: it is told, and the next mail is explained all the same
// (R10).
func (e *explainer) read(ctx context.Context, source mailin.Source) (m core.Mail, steps []core.Step, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			fmt.Fprintf(e.stderr, "postern: %s: reading it broke, please report this: %v\n%s", oneLine(source.Name), broken, debug.Stack())
			steps, err = append(steps, core.Step{Rule: "R10", Says: "reading it broke: it would be quarantined"}), nil
			e.failed = true
		}
	}()
	mail, size := source.Mail, source.Size
	tooLarge := size > e.mailBytes
	if tooLarge {
		header, err := mailin.HeaderOnly(mail, size)
		if err != nil {
			return m, nil, err
		}
		mail, size = header, header.Size()
		steps = append(steps, core.Step{Rule: "R17", Says: fmt.Sprintf("%d MiB are more than is taken: its header block alone is read", source.Size>>20)})
	}
	m, err = mailin.ParseContext(ctx, mail, size, e.limits)
	m.Size, m.HeaderOnly = source.Size, tooLarge
	limit := errors.Is(err, mime.ErrTooSlow) || errors.Is(err, mime.ErrHeaderTooLarge)
	if err != nil && !limit {
		return m, nil, err
	}
	if limit {
		steps = append(steps, core.Step{Rule: "R17", Says: fmt.Sprintf("%v: it would be quarantined", err)})
	}
	for _, flaw := range m.Flaws {
		steps = append(steps, core.Step{Rule: "R17", Says: flaw})
	}
	if e.verifier != nil && !limit && !tooLarge {
		m.Signatures, m.DKIM = e.verifier.Verify(ctx, mail, size)
	}
	return m, steps, nil
}

// proofs are the signs of who wrote a mail that its bytes show. What they are
// worth, a check of the signatures and the border say.
func proofs(m core.Mail, source mailin.Source) []core.Step {
	all := []core.Step{}
	for _, domain := range mailin.SignedBy(source.Mail, source.Size) {
		all = append(all, core.Step{Rule: "R31", Says: fmt.Sprintf("a DKIM signature of %q", cut(domain, 100))})
	}
	for i, f := range m.Trusted {
		if i == 5 {
			break
		}
		all = append(all, core.Step{Rule: "R32", Says: fmt.Sprintf("%s: %s", f.Name, cut(oneLine(f.Value), 200))})
	}
	return all
}

var (
	taggedNumber = regexp.MustCompile(`\[[A-Za-z][A-Za-z0-9]{1,15}-[0-9]{1,18}\]`)
	bareNumber   = regexp.MustCompile(`\b[A-Za-z][A-Za-z0-9]{1,15}-[0-9]{1,18}\b`)
)

// signs are the signs of which case a mail belongs to, as far as its bytes show
// them, in the order in which R34 weighs them. What they are worth only the
// database knows.
func signs(m core.Mail) []core.Step {
	all := []core.Step{}
	say := func(format string, args ...any) {
		all = append(all, core.Step{Rule: "R34", Says: fmt.Sprintf(format, args...)})
	}
	to := append([]string{}, m.Delivered...)
	for _, a := range append(append([]core.Address{}, m.To...), m.Cc...) {
		to = append(to, a.Address)
	}
	told := make(map[string]bool)
	for _, a := range to {
		if plain, mode, _, ok := token.Split(a); ok && mode != token.Command && !told[a] {
			told[a] = true
			say("(a) a %s token at %s", map[token.Mode]string{token.Public: "reply", token.Bounce: "bounce", token.Probe: "probe"}[mode], plain)
		}
	}
	for _, id := range m.InReplyTo {
		say("(b, c) In-Reply-To %s", id)
	}
	for i := len(m.References) - 1; i >= 0; i-- {
		say("(b, c) References %s", m.References[i])
	}
	tagged := taggedNumber.FindAllString(m.Subject, 5)
	for _, number := range tagged {
		say("(d) %s in the subject", number)
	}
	for _, number := range bareNumber.FindAllString(taggedNumber.ReplaceAllString(m.Subject, " "), 5) {
		say("(e) %s in the subject", number)
	}
	return all
}

// asked says that a mail asks for lists or cases, and changes nothing: at a
// command address, or because it holds nothing else.
func asked(m core.Mail) []core.Step {
	lines, whole := core.Queries(m)
	if lines == nil {
		return nil
	}
	to := slices.Clone(m.Delivered)
	for _, a := range append(slices.Clone(m.To), m.Cc...) {
		to = append(to, a.Address)
	}
	says := "a query, if it names no case: "
	for _, a := range to {
		if _, mode, _, ok := token.Split(a); ok && mode == token.Command {
			whole, says = true, "a query, at the command address: "
		}
	}
	if !whole {
		return nil
	}
	return []core.Step{{Rule: "R43", Says: says + cut(strings.Join(lines, "; "), 200)}}
}

// print writes it for a person.
func (e *explainer) print(x mailin.Explanation, m core.Mail, trace []core.Step) error {
	w := e.stdout
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(w, "  %-12s %s\n", name, cut(oneLine(text), 300))
		}
	}
	fmt.Fprintf(w, "%s\n", oneLine(x.File))
	line("class", x.Class)
	line("assurance", x.Assurance)
	line("from", strings.TrimSpace(x.FromName+" <"+x.From+">"))
	line("to", strings.Join(x.To, ", "))
	line("cc", strings.Join(x.Cc, ", "))
	line("subject", x.Subject)
	if x.Date != nil {
		line("date", *x.Date)
	}
	line("message-id", x.MessageID)
	for _, a := range x.Attachments {
		line("file", fmt.Sprintf("%s (%s, %d bytes)", a.Name, a.Type, a.Size))
	}
	if x.DSN != nil {
		for i, recipient := range x.DSN.Recipient {
			line("bounce", fmt.Sprintf("%s %s %s", recipient, x.DSN.Action[i], x.DSN.Status[i]))
		}
	}
	if x.Forwarded != nil {
		line("forwards", fmt.Sprintf("%s: %s", x.Forwarded.From, x.Forwarded.Subject))
	}
	if commands, _ := core.CommandBlock(m.Reply); commands != nil {
		line("commands", strings.Join(commands, "; "))
	}
	for _, s := range x.Evidence.([]core.Step) {
		line("evidence", s.Says)
	}
	if d, ok := x.Decision.(decision); ok {
		line("decision", strings.TrimRight(d.State+": "+d.Outcome+", "+d.Reason, ", "))
	}
	fmt.Fprintln(w, "  why")
	for _, s := range trace {
		fmt.Fprintf(w, "    %-4s %s\n", s.Rule, oneLine(s.Says))
	}
	if reply := strings.TrimSpace(harmless(m.Reply)); reply != "" {
		fmt.Fprintf(w, "  reply\n    | %s\n", strings.ReplaceAll(reply, "\n", "\n    | "))
	}
	_, err := fmt.Fprintln(w)
	return err
}
