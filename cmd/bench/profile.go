package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// buildPostern builds the program. With profiling a file is laid over it that
// records where its time goes.
func buildPostern(ctx context.Context, dir string, profiling bool) (string, error) {
	program := filepath.Join(dir, "postern")
	args := []string{"build", "-buildvcs=false", "-o", program}
	if profiling {
		overlay, err := profilingOverlay(ctx, dir)
		if err != nil {
			return "", err
		}
		args = append(args, "-overlay", overlay)
	}
	out, err := exec.CommandContext(ctx, "go", append(args, "postern/cmd/postern")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("postern cannot be built: %w\n%s", err, out)
	}
	return program, nil
}

// profilingFile is added to the program where it is built to be profiled.
const profilingFile = `package main

import (
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"syscall"
)

func init() {
	dir := os.Getenv("BENCH_PROFILE")
	if dir == "" || len(os.Args) < 2 || os.Args[1] != "serve" {
		return
	}
	runtime.SetBlockProfileRate(100_000)
	runtime.SetMutexProfileFraction(20)
	cpu, err := os.Create(dir + "/cpu")
	if err != nil {
		panic(err)
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		panic(err)
	}
	enough := make(chan os.Signal, 1)
	signal.Notify(enough, syscall.SIGUSR1)
	go func() {
		<-enough
		pprof.StopCPUProfile()
		cpu.Close()
		for _, name := range []string{"block", "mutex", "heap", "allocs"} {
			if f, err := os.Create(dir + "/" + name); err == nil {
				pprof.Lookup(name).WriteTo(f, 0)
				f.Close()
			}
		}
		os.WriteFile(dir + "/done", nil, 0o644)
	}()
}
`

func profilingOverlay(ctx context.Context, dir string) (string, error) {
	folder, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "postern/cmd/postern").Output()
	if err != nil {
		return "", err
	}
	source := filepath.Join(dir, "profiling.go")
	if err := os.WriteFile(source, []byte(profilingFile), 0o644); err != nil {
		return "", err
	}
	place := filepath.Join(strings.TrimSpace(string(folder)), "zz_profiling.go")
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{place: source}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o644)
}

// keepProfile has Postern write down where its time went.
func (i *instance) keepProfile(ctx context.Context, p *process) error {
	if i.profile == "" {
		return nil
	}
	if err := p.Process.Signal(syscall.SIGUSR1); err != nil {
		return err
	}
	for range 200 {
		if _, err := os.Stat(filepath.Join(i.profile, "done")); err == nil {
			return i.keepStatements(ctx)
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("no profile in %s", i.profile)
}

// keepStatements writes down which statements took PostgreSQL's time.
func (i *instance) keepStatements(ctx context.Context) error {
	rows, _ := i.db.Query(ctx, `
		select calls, plans, round(total_plan_time), round(total_exec_time), wal_bytes, regexp_replace(query, '\s+', ' ', 'g')
		from pg_stat_statements join pg_database d on d.oid = dbid
		where d.datname = $1
		order by total_plan_time + total_exec_time desc limit 60`, i.database)
	var calls, plans int64
	var planning, running, wal float64
	var query string
	var b bytes.Buffer
	b.WriteString("   calls    plans  plan ms   exec ms    WAL KiB  statement\n")
	_, err := pgx.ForEachRow(rows, []any{&calls, &plans, &planning, &running, &wal, &query}, func() error {
		_, err := fmt.Fprintf(&b, "%8d %8d %8.0f  %8.0f %10.0f  %s\n", calls, plans, planning, running, wal/1024, query)
		return err
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(i.profile, "statements.txt"), b.Bytes(), 0o644)
}
