// Command prove shows that nothing is lost and nothing happens twice. It feeds
// Postern mail over real sockets, kills it with SIGKILL again and again while
// work is under way, starts it again each time, and then compares what was fed
// with what is in the database, in the mailbox and with the customers.
//
// It plays everything around Postern: the mail server that keeps the mailbox,
// the one that takes mail, the name server with the customers' keys. It knows
// Postern by its program, its settings and its tables; the rules of a mail are
// not its business.
//
//	world.go   the folder, the database, the servers, the settings
//	inbox.go   the IMAP server
//	sink.go    the SMTP server, which keeps each copy of each mail
//	people.go  who writes, and what
//	feed.go    new mails and replies, 20 a second
//	kill.go    the rounds: start, feed, kill
//	facts.go   what the database holds at the end
//	check.go   whether that is right
//	figures.go what is printed
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `Prove that nothing is lost and nothing happens twice: feed mail to Postern, kill
it with SIGKILL while mail is on its way, start it again, and compare everything
at the end.

usage: go run ./cmd/prove [FLAGS]

example: go run ./cmd/prove -mails 100 -kills 10 -seed 7

`

// options are the flags.
type options struct {
	seed  uint64
	mails int
	kills int
	keep  bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program. Its result is the exit code: 0 proved, 1 not, 2 wrong
// use.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("prove", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Uint64Var(&o.seed, "seed", 1, "`NUMBER` from which mails and kills are drawn")
	flags.IntVar(&o.mails, "mails", 500, "`COUNT` of mails; every fifth is a reply")
	flags.IntVar(&o.kills, "kills", 50, "`COUNT` of kills; two in five at named points of the program")
	flags.BoolVar(&o.keep, "keep", false, "keep the temporary folder, with Postern's log")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return 0
	case err == nil && flags.NArg() > 0:
		err = fmt.Errorf("it takes no words: %q", flags.Args())
	case err == nil && (o.mails < 10 || o.mails > 2000):
		err = errors.New("-mails must be 10 to 2000: with more the budgets of automatic mail would be spent")
	case err == nil && (o.kills < 0 || o.kills > o.mails/5):
		err = errors.New("-kills must be 0 to a fifth of -mails: each needs mail under way")
	}
	if err != nil {
		fmt.Fprintf(stderr, "prove: %v (--help says more)\n", err)
		return 2
	}
	if err := prove(ctx, o, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "prove:", err)
		return 1
	}
	return 0
}

// prove does everything once and says what came of it.
func prove(ctx context.Context, o options, stdout, stderr io.Writer) (err error) {
	w, err := openWorld(ctx, o, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	r, err := newRun(ctx, w, o, newProgress(stderr))
	if err != nil {
		return err
	}
	if err := r.all(ctx); err != nil {
		return fmt.Errorf("%w%s", err, w.lastWords())
	}
	f, err := readFacts(ctx, w.pool)
	if err != nil {
		return err
	}
	result := check(r, f)
	result.print(stdout)
	if len(result.wrong) > 0 {
		return fmt.Errorf("%d things are wrong", len(result.wrong))
	}
	return nil
}
