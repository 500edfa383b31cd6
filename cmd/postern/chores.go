package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/robfig/cron/v3"

	"postern/core"
)

// chore is what is due from time to time. Each asks what is due by now, so a
// tick that nobody was there for costs nothing but time.
type chore struct {
	spec string // minute hour day month weekday, UTC
	name string // of its ticks in the database: never renamed
	do   doing
}

// doing does what is due and says how much that was.
type doing func(context.Context, *core.Desk, *slog.Logger) (int, error)

// chores are all of them. Each tick of one runs in one process.
var chores = []chore{
	{"* * * * *", "wake-up", counting((*core.Desk).WakeUp)},
	{"*/5 * * * *", "remind", counting((*core.Desk).Remind)},
	{"*/5 * * * *", "close-silent", counting((*core.Desk).CloseSilent)},
	{"* * * * *", "questions", counting((*core.Desk).AskAgents)},
	{"*/5 * * * *", "held-list", counting((*core.Desk).ListHeld)},
	{"*/5 * * * *", "mornings", counting((*core.Desk).SendMornings)}, // it knows the desks' hours
	{"*/10 * * * *", "digest", counting((*core.Desk).SendDigests)},
	{"0 * * * *", "hourly-digest", counting((*core.Desk).SendHourly)},
	{"*/10 * * * *", "alarms", alarms},
	{"*/15 * * * *", "probe", silent((*core.Desk).Probe)}, // it knows itself when one is owed
	{"40 4 * * *", "prune", silent((*core.Desk).Prune)},
}

// counting is a chore that says how much it did.
func counting(do func(*core.Desk, context.Context) (int, error)) doing {
	return func(ctx context.Context, d *core.Desk, _ *slog.Logger) (int, error) { return do(d, ctx) }
}

// silent is a chore that says nothing.
func silent(do func(*core.Desk, context.Context) error) doing {
	return func(ctx context.Context, d *core.Desk, _ *slog.Logger) (int, error) { return 0, do(d, ctx) }
}

// alarms says what needs a person in the log; the desk mails the operator.
func alarms(ctx context.Context, d *core.Desk, log *slog.Logger) (int, error) {
	lines, err := d.Alarms(ctx)
	for _, line := range lines {
		log.Error("a person must act", "alarm", line)
	}
	return 0, err
}

// choreTime is how long one may take.
const choreTime = 10 * time.Minute

// runChores runs the clock until ctx ends, and then waits for the chore in
// hand.
func runChores(ctx context.Context, d *core.Desk, log *slog.Logger) error {
	quiet := cron.PrintfLogger(slog.NewLogLogger(log.Handler(), slog.LevelWarn)) // says panics only
	clock := cron.New(cron.WithLocation(time.UTC), cron.WithChain(cron.Recover(quiet)), cron.WithLogger(cron.DiscardLogger))
	for _, c := range chores {
		var id cron.EntryID
		job := cron.NewChain(cron.SkipIfStillRunning(cron.DiscardLogger)).Then(cron.FuncJob(func() {
			// the scheduled time: all processes name the same tick by it
			runChore(context.WithoutCancel(ctx), d, c, clock.Entry(id).Prev, log)
		}))
		var err error
		if id, err = clock.AddJob(c.spec, job); err != nil {
			return fmt.Errorf("chore %s: %w", c.name, err)
		}
	}
	clock.Start()
	<-ctx.Done()
	<-clock.Stop().Done()
	return nil
}

// runChore runs a chore if this process is the first to name the tick. It ends
// the line of errors: the next tick tries again.
func runChore(ctx context.Context, d *core.Desk, c chore, tick time.Time, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, choreTime)
	defer cancel()
	started := time.Now()
	won, err := d.Tick(ctx, c.name, tick)
	if err != nil {
		log.Warn("chore not run: the next tick tries again", "chore", c.name, "err", err)
		return
	}
	if !won {
		return
	}
	n, err := c.do(ctx, d, log)
	switch {
	case err != nil:
		log.Warn("chore broke off: the next tick tries again", "chore", c.name, "did", n, "err", err)
	case n > 0:
		log.Info("chore", "chore", c.name, "did", n, "took", time.Since(started))
	}
}
