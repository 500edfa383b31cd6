package localpg

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// orphanGrace is how long a server whose parent died may take to notice, before
// we take it for somebody else's.
const orphanGrace = 3 * time.Second

// waitForPredecessor returns when no PostgreSQL serves the folder. We hold the
// lock, so one that is still there has lost its parent and is on its way out,
// or was started by hand.
func (h *home) waitForPredecessor(ctx context.Context) error {
	until := time.Now().Add(orphanGrace)
	for {
		pid := h.postmaster()
		if pid == 0 {
			return h.removeStalePidFile()
		}
		if !h.stopping() && time.Now().After(until) {
			return fmt.Errorf("another PostgreSQL (process %d) already runs on %s: stop it with kill -INT %d", pid, h.dir, pid)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for PostgreSQL (process %d) to leave %s: %w", pid, h.dir, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (h *home) pidFile() string { return filepath.Join(h.data(), "postmaster.pid") }

// postmaster is the process that serves the cluster, or 0.
func (h *home) postmaster() int {
	raw, err := os.ReadFile(h.pidFile())
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 0 {
		return 0
	}
	if syscall.Kill(pid, 0) == syscall.ESRCH || !isPostgres(pid) {
		return 0
	}
	return pid
}

// isPostgres tells a server from a process that got its number later, and from
// one that ended but was never reaped (containers without init). Without /proc
// the number is all there is.
func isPostgres(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)) // 42 (postgres) S ...
	if err != nil {
		return true
	}
	open, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if open < 0 || end < open {
		return true
	}
	command := string(stat[open+1 : end])
	ended := bytes.HasPrefix(stat[end+1:], []byte(" Z"))
	return !ended && (command == "postgres" || command == "postmaster")
}

// stopping is true once the server has begun its shutdown, which lasts as long
// as it has things to write.
func (h *home) stopping() bool {
	raw, err := os.ReadFile(h.pidFile())
	return err == nil && strings.HasSuffix(strings.TrimSpace(string(raw)), "stopping")
}

// removeStalePidFile clears what a killed server left. PostgreSQL does so
// itself, except when the number has gone to another process.
func (h *home) removeStalePidFile() error {
	if err := os.Remove(h.pidFile()); err != nil && !os.IsNotExist(err) {
		return h.notWritable(err)
	}
	return nil
}
