// Command postern is the email-driven helpdesk gateway: the commands an
// operator types, the settings, and the wiring of the parts. It knows every
// part and decides nothing of what becomes of a mail; core does.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"postern/core"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // who presses Ctrl-C twice does not want to wait
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes.
const (
	done     = 0
	failed   = 1
	wrongUse = 2
)

// command is one thing Postern can be told to do.
type command struct {
	name    string // one word, or two: "desk check"
	summary string
	usage   string // what follows the name
	example string
	more    string // what else there is to know, if anything
	alone   bool   // its first word alone means it too
	flags   func(*flag.FlagSet) action
}

// action does it. args are the words that are no flags.
type action func(ctx context.Context, p *program, args []string) error

// program is what an action may use of the world.
type program struct {
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
	config         string // --config
}

// settings are read by each command that needs them.
func (p *program) settings() (*Settings, error) {
	return loadSettings(cmp.Or(p.config, p.getenv("POSTERN_CONFIG")), p.getenv)
}

// usageError is a command that was written wrongly.
type usageError string

func (e usageError) Error() string { return string(e) }

// errSaid ends a command that has said itself what is wrong.
var errSaid = errors.New("said already")

// run is the program.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{getenv: getenv, stdin: stdin, stdout: stdout, stderr: stderr}
	args, help := p.global(args)
	c, rest, found := findCommand(args)
	switch {
	case len(args) == 0:
		overview(stdout)
		if help {
			return done
		}
		return wrongUse
	case found && help && strings.Join(args, " ") == c.name:
		c.help(stdout)
		return done
	case found && !help:
		return c.run(ctx, p, rest)
	}
	return unfound(stdout, stderr, args, help)
}

// unfound helps with words that are no command: with a list, if they are the
// first word of several.
func unfound(stdout, stderr io.Writer, args []string, help bool) int {
	group, name := groupOf(args[0]), args[0]
	help = help || slices.ContainsFunc(args[1:], isHelp)
	switch {
	case len(group) > 0 && help:
		list(stdout, group)
		return done
	case len(group) > 0 && (len(args) == 1 || strings.HasPrefix(args[1], "-")):
		list(stderr, group)
		return wrongUse
	case len(group) > 0:
		name += " " + args[1]
	}
	fmt.Fprintf(stderr, "postern: there is no command %q%s: postern help lists them\n", name, suggestion(name))
	return wrongUse
}

func isHelp(word string) bool {
	return slices.Contains([]string{"help", "-h", "-help", "--help"}, word)
}

// global takes what stands before the command: --config, and whether it is help
// that is wanted.
func (p *program) global(args []string) (rest []string, help bool) {
	for len(args) > 0 {
		switch first := args[0]; {
		case isHelp(first):
			help, args = true, args[1:]
		case (first == "--config" || first == "-config") && len(args) > 1:
			p.config, args = args[1], args[2:]
		case strings.HasPrefix(first, "--config="):
			p.config, args = strings.TrimPrefix(first, "--config="), args[1:]
		default:
			return args, help
		}
	}
	return nil, help
}

// findCommand looks for the command of two words first.
func findCommand(args []string) (c command, rest []string, found bool) {
	for n := min(2, len(args)); n > 0; n-- {
		name := strings.Join(args[:n], " ")
		for _, c := range commands() {
			if c.name == name {
				return c, args[n:], true
			}
		}
	}
	if len(args) == 0 || len(args) > 1 && (!strings.HasPrefix(args[1], "-") || isHelp(args[1])) {
		return command{}, nil, false
	}
	for _, c := range groupOf(args[0]) {
		if c.alone {
			return c, args[1:], true
		}
	}
	return command{}, nil, false
}

// groupOf are the commands whose first word this is.
func groupOf(word string) []command {
	var group []command
	for _, c := range commands() {
		if strings.HasPrefix(c.name, word+" ") {
			group = append(group, c)
		}
	}
	return group
}

func suggestion(name string) string {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	if near := nearest(name, names); near != "" {
		return fmt.Sprintf(" (is %q meant?)", near)
	}
	return ""
}

func (c command) run(ctx context.Context, p *program, args []string) int {
	flags, act := c.flagSet(p)
	words, err := parse(flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		c.help(p.stdout)
		return done
	case err == nil:
		err = act(ctx, p, words)
	default:
		err = usageError(flagProblem(err))
	}
	var wrong usageError
	switch {
	case err == nil:
		return done
	case errors.Is(err, errSaid):
		return failed
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		fmt.Fprintln(p.stderr, "postern: stopped")
		return failed
	case errors.As(err, &wrong):
		fmt.Fprintf(p.stderr, "postern %s: %s\nusage: postern %s %s\n", c.name, wrong, c.name, c.usage)
		return wrongUse
	}
	fmt.Fprintf(p.stderr, "postern: %s\n", message(err))
	return failed
}

// flagProblem says what is wrong with a flag as people write flags: with two
// dashes.
func flagProblem(err error) string {
	says := strings.TrimSuffix(err.Error(), ": parse error")
	for from, to := range map[string]string{
		"flag provided but not defined: -": "there is no flag --",
		"flag needs an argument: -":        "something is missing behind --",
	} {
		says = strings.Replace(says, from, to, 1)
	}
	return strings.Replace(says, "for flag -", "for --", 1)
}

// plainly says why something was not done, without the word that a program
// would look for.
func plainly(err error) string {
	says := err.Error()
	for _, kind := range []error{core.ErrNotFound, core.ErrNotAllowed} {
		says = strings.TrimSuffix(says, ": "+kind.Error())
	}
	return says
}

// message puts a list of problems under a line that says what it is.
func message(err error) string {
	var list problems
	if !errors.As(err, &list) {
		return plainly(err)
	}
	what := "one thing is"
	if len(list) > 1 {
		what = fmt.Sprintf("%d things are", len(list))
	}
	return what + " wrong in the settings, nothing was started:\n" + list.Error()
}

func (c command) flagSet(p *program) (*flag.FlagSet, action) {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // run and help say it in our words
	flags.StringVar(&p.config, "config", p.config, "read the settings from `FILE`, not from ./postern.toml or /etc/postern/postern.toml")
	return flags, c.flags(flags)
}

// parse takes flags wherever they stand, as people write them: the standard
// library stops at the first word that is none. All behind -- are words.
func parse(flags *flag.FlagSet, args []string) (words []string, err error) {
	var literal []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, literal = args[:i], args[i+1:]
	}
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return append(words, literal...), nil
		}
		words, args = append(words, flags.Arg(0)), flags.Args()[1:]
	}
}

func overview(w io.Writer) {
	fmt.Fprint(w, "Postern is an email-driven helpdesk gateway.\n\nusage: postern COMMAND [ARGUMENTS] [--config FILE]\n\n")
	list(w, commands())
	fmt.Fprint(w, "\nexample: postern demo\n")
	fmt.Fprint(w, "\npostern help COMMAND tells more about one.\n")
}

func list(w io.Writer, some []command) {
	width := 0
	for _, c := range some {
		width = max(width, len(c.name))
	}
	for _, c := range some {
		fmt.Fprintf(w, "  %-*s  %s\n", width, c.name, c.summary)
	}
}

func (c command) help(w io.Writer) {
	fmt.Fprintf(w, "%s\n\nusage: postern %s %s\n", sentence(c.summary), c.name, c.usage)
	if c.more != "" {
		fmt.Fprintf(w, "\n%s\n", c.more)
	}
	fmt.Fprintf(w, "\nexample: %s\n\n", c.example)
	flags, _ := c.flagSet(&program{})
	flags.VisitAll(func(f *flag.Flag) {
		argument, text := flag.UnquoteUsage(f)
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" {
			text += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(w, "  %-22s  %s\n", strings.TrimSpace("--"+f.Name+" "+argument), text)
	})
}

// sentence begins with a capital and ends with a full stop, or asks.
func sentence(s string) string {
	if s == "" {
		return s
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}
