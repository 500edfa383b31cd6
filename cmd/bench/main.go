// Command bench measures how fast Postern is, beside a pipeline that does the
// same work without a single rule, in one run on one machine: a private
// PostgreSQL with its usual, durable settings, a real Dovecot, and an SMTP sink
// that takes everything. Postern is the program itself with a settings file.
//
// The mails are the same at every run (mails.go). Every drain begins with an
// empty database and a mailbox of its own. CPU time is that of the process
// trees of Postern or the raw pipeline, PostgreSQL, Dovecot and the sink; this
// process, which makes mails and answers for the DNS, counts for nobody.
//
// It is no test: machines differ and are busy. A figure that misses its aim is
// marked, and the exit code says only whether everything could be measured.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// options are what a person may choose.
type options struct {
	mails   int
	rounds  int
	small   bool
	quick   bool
	only    string
	profile string
	set     string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run is the program, or one of the two processes that it starts of itself.
func run(ctx context.Context, args []string) int {
	var err error
	switch {
	case len(args) == 2 && args[0] == "sink":
		err = runSink(ctx, args[1], os.Stdout)
	case slices.Equal(args, []string{"raw"}):
		err = runRaw(ctx, os.Stdin, os.Stdout)
	default:
		var o options
		if o, err = parse(args, os.Stdout); errors.Is(err, flag.ErrHelp) {
			return 0
		} else if err != nil {
			fmt.Fprintf(os.Stderr, "bench: %v (--help tells more)\n", err)
			return 2
		}
		if err = bench(ctx, o, os.Stdout); ctx.Err() != nil {
			err = errors.New("interrupted: everything was stopped and removed")
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	return 0
}

// ourselves is this program.
func ourselves() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}

func parse(args []string, out io.Writer) (o options, err error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.IntVar(&o.mails, "mails", 1000, "mails in a mailbox")
	f.IntVar(&o.rounds, "rounds", 3, "how often Postern and the raw pipeline take turns; the middle one counts")
	f.BoolVar(&o.small, "small", false, "small mails only, in every measure")
	f.BoolVar(&o.quick, "quick", false, "a short version for developers: 200 mails, one round, fewer repetitions")
	f.StringVar(&o.only, "only", "", "one measure: "+strings.Join(measureNames(), ", "))
	f.StringVar(&o.profile, "profile", "", "write profiles of Postern's last drain into this folder: for go tool pprof, and statements.txt of PostgreSQL")
	f.StringVar(&o.set, "set", "", "settings of every database, to try them out: \"jit=off work_mem='8MB'\"")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			help(f, out)
		}
		return o, err
	}
	return o, o.check(f)
}

func (o *options) check(f *flag.FlagSet) error {
	if f.NArg() > 0 {
		return fmt.Errorf("%q is no flag", f.Arg(0))
	}
	if o.only != "" && !slices.Contains(measureNames(), o.only) {
		return fmt.Errorf("there is no measure %q: it must be %s", o.only, strings.Join(measureNames(), ", "))
	}
	if o.mails < 20 || o.rounds < 1 {
		return errors.New("it takes 20 mails and one round at least")
	}
	chosen := map[string]bool{}
	f.Visit(func(f *flag.Flag) { chosen[f.Name] = true })
	if o.quick && !chosen["mails"] {
		o.mails = 200
	}
	if o.quick && !chosen["rounds"] {
		o.rounds = 1
	}
	if o.profile == "" {
		return nil
	}
	var err error
	if o.profile, err = filepath.Abs(o.profile); err == nil {
		err = os.MkdirAll(o.profile, 0o755)
	}
	return err
}

func help(f *flag.FlagSet, out io.Writer) {
	fmt.Fprint(out, "bench measures how fast Postern is, beside a pipeline without rules.\n\n"+
		"usage: go run ./cmd/bench [FLAGS]\nexample: go run ./cmd/bench -only drain -mails 2000\n\n")
	f.SetOutput(out)
	f.PrintDefaults()
	fmt.Fprintln(out, "\nmeasures:")
	for _, m := range measures {
		fmt.Fprintf(out, "  %-9s %s\n", m.name, m.what)
	}
}

// bench measures, and prints what it found as it goes and all of it at the end.
func bench(ctx context.Context, o options, out io.Writer) (err error) {
	fmt.Fprintln(out, "building Postern, starting PostgreSQL, Dovecot and the sink")
	w, err := newWorld(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	b := &suite{world: w, options: o, out: out}
	if b.commit, err = w.commitTime(ctx, 0); err != nil {
		return err
	}
	b.say("a commit takes %s (p50 of %d)", ms(b.commit.at(50)), len(b.commit))
	for _, m := range measures {
		if o.only != "" && o.only != m.name {
			continue
		}
		fmt.Fprintf(out, "\n%s: %s\n", m.name, m.what)
		if err := m.do(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return b.summary(ctx)
}
