package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a child of ours that ends with us, whatever happens.
type process struct {
	*exec.Cmd
	done chan struct{}
	err  error // why it ended; read it after done
}

// start runs a program in its own process group, so that Ctrl-C reaches us
// alone and we can stop things in order.
func start(cmd *exec.Cmd) (*process, error) {
	p := &process{Cmd: cmd, done: make(chan struct{})}
	cmd.SysProcAttr = childProcess()
	started := make(chan error, 1)
	go func() {
		// The kernel ends the child when the thread that started it ends.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
		close(p.done)
	}()
	return p, <-started
}

// stop asks the process to end, and waits. It may be called twice.
func (p *process) stop() error {
	_ = p.Process.Signal(syscall.SIGTERM) // an error means that it has ended already
	select {
	case <-p.done:
		return nil
	case <-time.After(40 * time.Second):
		_ = p.Process.Kill()
		<-p.done
		return fmt.Errorf("%s did not stop and was killed", filepath.Base(p.Path))
	}
}

// wait waits for the process to end by itself.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return errors.Join(ctx.Err(), p.stop())
	}
}

// treeCPU is the CPU time of a process and of all below it, with those that
// have ended already.
func treeCPU(root int) time.Duration {
	family := map[int]bool{root: true}
	table := processTable()
	for grown := true; grown; {
		grown = false
		for _, s := range table {
			if family[s.parent] && !family[s.pid] {
				family[s.pid], grown = true, true
			}
		}
	}
	var total time.Duration
	for _, s := range table {
		if !family[s.pid] {
			continue
		}
		own, err := cpuClock(s.pid) // finer than the ticks of /proc
		if err != nil {
			own = s.own
		}
		total += own + s.reaped
	}
	return total
}

// stat is what /proc/PID/stat says, proc(5).
type stat struct {
	pid, parent int
	own         time.Duration // of the process
	reaped      time.Duration // of its children that ended and were waited for
}

func processTable() []stat {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	table := make([]stat, 0, len(files))
	for _, file := range files {
		if s, err := readStat(file); err == nil { // else it has just ended
			table = append(table, s)
		}
	}
	return table
}

func readStat(file string) (stat, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return stat{}, err
	}
	// The name stands in brackets and may hold anything, brackets too.
	begin, end := bytes.IndexByte(raw, ' '), bytes.LastIndexByte(raw, ')')
	if begin < 0 || end < 0 {
		return stat{}, fmt.Errorf("%s: %q", file, raw)
	}
	fields := strings.Fields(string(raw[end+1:]))
	const tick = time.Second / 100 // USER_HZ, the same on all machines of today
	var n [15]int64                // fields 3 (state) to 17 (cstime)
	if len(fields) < len(n) {
		return stat{}, fmt.Errorf("%s: %q", file, raw)
	}
	for i := 1; i < len(n); i++ {
		n[i], _ = strconv.ParseInt(fields[i], 10, 64)
	}
	pid, err := strconv.Atoi(string(raw[:begin]))
	return stat{pid: pid, parent: int(n[1]),
		own: time.Duration(n[11]+n[12]) * tick, reaped: time.Duration(n[13]+n[14]) * tick}, err
}

// peakMemory is the most memory that a process ever had resident, in bytes.
func peakMemory(pid int) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib << 10, nil
		}
	}
	return 0, errors.New("no VmHWM in /proc: peak memory cannot be read here")
}
