package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// row is a line of the table at the end.
type row struct {
	what         string
	postern, raw string
	ratio        float64 // 0: there is nothing to compare with
	aim          aim
}

// aim is what a figure should be.
type aim struct {
	text string // "": none
	met  bool
}

func atLeast(ratio, bound float64) aim { return aim{fmt.Sprintf(">= %g", bound), ratio >= bound} }
func atMost(ratio, bound float64) aim  { return aim{fmt.Sprintf("<= %g", bound), ratio <= bound} }

func (b *suite) add(r row) { b.rows = append(b.rows, r) }

func (r row) cells() []string {
	ratio, verdict := "", ""
	if r.ratio != 0 {
		ratio = fmt.Sprintf("%.2f", r.ratio)
	}
	switch {
	case r.aim.text == "":
	case r.aim.met:
		verdict = "met"
	default:
		verdict = "MISSED"
	}
	return []string{r.what, r.postern, r.raw, ratio, r.aim.text, verdict}
}

// summary prints everything as one table, with the machine: for the README.
func (b *suite) summary(ctx context.Context) error {
	server := ""
	if err := b.db.QueryRow(ctx, "show server_version").Scan(&server); err != nil {
		return err
	}
	server, _, _ = strings.Cut(server, " ")
	fmt.Fprintf(b.out, "\n%s, Linux %s, %s, PostgreSQL %s, Dovecot %s; a commit takes %s.\n",
		processor(), kernel(), runtime.Version(), server, dovecotVersion(ctx), ms(b.commit.at(50)))
	missed := 0
	table := [][]string{{"measure", "Postern", "raw pipeline", "ratio", "aim", ""}}
	for _, r := range b.rows {
		table = append(table, r.cells())
		if r.aim.text != "" && !r.aim.met {
			missed++
		}
	}
	fmt.Fprintf(b.out, "%d mails a mailbox unless said otherwise, %s.\n\n", b.mails, counted(b.rounds, "round"))
	fmt.Fprint(b.out, markdown(table))
	if missed > 0 {
		fmt.Fprintf(b.out, "\nMISSED: %d of the aims\n", missed)
	}
	return nil
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// markdown aligns the columns, so that the table reads well as it is.
func markdown(table [][]string) string {
	width := make([]int, len(table[0]))
	for _, line := range table {
		for i, cell := range line {
			width[i] = max(width[i], utf8.RuneCountInString(cell), 3)
		}
	}
	rule := make([]string, len(width))
	for i, n := range width {
		rule[i] = strings.Repeat("-", n)
	}
	var b strings.Builder
	for _, line := range slices.Insert(slices.Clone(table), 1, rule) {
		for i, cell := range line {
			fmt.Fprintf(&b, "| %-*s ", width[i], cell)
		}
		b.WriteString("|\n")
	}
	return b.String()
}

func processor() string {
	model := runtime.GOARCH
	raw, _ := os.ReadFile("/proc/cpuinfo") // not there: the architecture has to do
	for line := range strings.Lines(string(raw)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	return fmt.Sprintf("%s of %s", counted(runtime.NumCPU(), "core"), model)
}

func kernel() string {
	raw, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(string(raw))
}

func dovecotVersion(ctx context.Context) string {
	for _, program := range []string{"dovecot", "/usr/sbin/dovecot"} {
		if out, err := exec.CommandContext(ctx, program, "--version").Output(); err == nil {
			version, _, _ := bytes.Cut(bytes.TrimSpace(out), []byte(" "))
			return string(version)
		}
	}
	return "?"
}

// times are measurements of the same thing.
type times []time.Duration

// at is a percentile: the nearest rank.
func (t times) at(percent int) time.Duration {
	if len(t) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(t))
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}

func ms(d time.Duration) string     { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }
func mib(n int64) float64           { return float64(n) / (1 << 20) }
func inMiB(n int64) string          { return fmt.Sprintf("%.0f MiB", mib(n)) }
func perSecond(rate float64) string { return fmt.Sprintf("%.0f/s", rate) }
func seconds(n float64) string      { return fmt.Sprintf("%.2f s", n) }
