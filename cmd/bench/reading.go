package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"postern/core"
	"postern/mailin"
	"postern/mailin/mime"
	"postern/mailin/mime/bombs"
)

// measureReading reads the usual mailbox from memory and decides what kind of
// mail each is: what Postern does before it asks anybody.
func measureReading(_ context.Context, b *suite) error {
	const atOnce = 100 // mails in memory
	var octets int64
	var cpu time.Duration
	p := b.mixed()
	for first := 0; first < p.mails; first += atOnce {
		var mails [][]byte
		for i := first; i < min(first+atOnce, p.mails); i++ {
			raw, err := p.mail(i)
			if err != nil {
				return err
			}
			mails = append(mails, raw)
			octets += int64(len(raw))
		}
		spent, err := cpuOf(func() {
			for _, raw := range mails {
				core.Classify(mailin.Parse(bytes.NewReader(raw), int64(len(raw)), mime.DefaultLimits))
			}
		})
		if err != nil {
			return err
		}
		cpu += spent
	}
	rate, volume := float64(p.mails)/cpu.Seconds(), mib(octets)/cpu.Seconds()
	b.say("%d mails, %.0f MiB: %.2f s CPU", p.mails, mib(octets), cpu.Seconds())
	b.add(row{"reading and class, per core", fmt.Sprintf("%s, %.0f MiB/s", perSecond(rate), volume), "", 0,
		aim{"> 1,000/s or 50 MiB/s", rate > 1000 || volume > 50}})
	return nil
}

// cpuOf is the CPU time of this process while it does something, its garbage
// collector with it.
func cpuOf(do func()) (time.Duration, error) {
	before, err := cpuClock(os.Getpid())
	if err != nil {
		return 0, fmt.Errorf("CPU time: %w", err)
	}
	do()
	after, err := cpuClock(os.Getpid())
	return after - before, err
}

// input is one mail that might cost more than its size.
type input struct {
	name string
	raw  func() ([]byte, error)
}

const (
	smallest = 16 << 10 // what is smaller counts as much: no cost per mail is one per octet
	bombSize = 2 << 20
)

// measureWorst reads every fixture and every bomb by itself, and finds those
// that cost most for their size. Memory is that of the program on all of them.
func measureWorst(ctx context.Context, b *suite) error {
	inputs, err := fixtures("mailin/testdata")
	if err != nil {
		return err
	}
	known := len(inputs)
	dir := b.path(b.next("bombs"))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	for i, bomb := range bombs.All() {
		for _, n := range []int{smallest, bombSize / 8, bombSize} {
			inputs = append(inputs, input{fmt.Sprintf("%s, %d KiB", bomb.Name, n>>10), func() ([]byte, error) { return []byte(bomb.Make(n)), nil }})
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d.eml", i)), []byte(bomb.Make(bombSize)), 0o600); err != nil {
			return err
		}
	}
	var perKB, longest times
	var slowest, steepest string
	for _, in := range inputs {
		if err := ctx.Err(); err != nil {
			return err
		}
		raw, err := in.raw()
		if err != nil {
			return err
		}
		took := readingTime(raw)
		each := took * 1024 / time.Duration(max(len(raw), smallest))
		if each >= perKB.at(100) {
			steepest = in.name
		}
		if took >= longest.at(100) {
			slowest = in.name
		}
		perKB, longest = append(perKB, each), append(longest, took)
	}
	peak, err := explainPeak(ctx, b.program, dir, "mailin/testdata")
	if err != nil {
		return err
	}
	b.say("%d fixtures, %d bombs: steepest is %s, slowest %s", known, len(inputs)-known, steepest, slowest)
	b.add(row{"reading, worst time per KiB", ms(perKB.at(100)), "", 0, aim{"< 10 ms", perKB.at(100) < 10*time.Millisecond}})
	b.add(row{"reading, longest", ms(longest.at(100)), "", 0, aim{"< 5 s", longest.at(100) < 5*time.Second}})
	b.add(row{"reading, peak memory over all of them", inMiB(peak), "", 0, aim{"< 300 MiB", peak < 300<<20}})
	return nil
}

// readingTime is the shortest of three: what else the machine does is no cost
// of the mail.
func readingTime(raw []byte) time.Duration {
	var all times
	limits := mime.DefaultLimits
	limits.Time = 0 // how long it takes, not when it would be given up
	for range 3 {
		start := time.Now()
		core.Classify(mailin.Parse(bytes.NewReader(raw), int64(len(raw)), limits))
		all = append(all, time.Since(start))
	}
	return all.at(1)
}

// fixtures are the mails below a folder of the repository.
func fixtures(dir string) ([]input, error) {
	var all []input
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(name, ".eml") {
			all = append(all, input{name, func() ([]byte, error) { return os.ReadFile(name) }})
		}
		return err
	})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("no mails in %s: bench runs in the folder of the project", dir)
	}
	return all, err
}

// explainPeak is the most memory that the program takes to explain all mails of
// some folders.
func explainPeak(ctx context.Context, program string, dirs ...string) (int64, error) {
	cmd := exec.CommandContext(ctx, program, append([]string{"explain", "--json"}, dirs...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	p, err := start(cmd)
	if err != nil {
		return 0, err
	}
	var peak int64
	buf := make([]byte, 1<<20)
	for {
		_, err := out.Read(buf)
		if now, err := peakMemory(p.Process.Pid); err == nil {
			peak = max(peak, now)
		}
		if err != nil {
			break
		}
	}
	return peak, p.wait(ctx)
}
