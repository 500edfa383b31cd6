package main

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// childProcess keeps Ctrl-C for us and ends the child when we die.
func childProcess() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// cpuClock is the CPU time of a process in nanoseconds: clock_getcpuclockid(3).
func cpuClock(pid int) (time.Duration, error) {
	const scheduled = 2 // CPUCLOCK_SCHED
	var t unix.Timespec
	err := unix.ClockGettime(int32(^pid<<3|scheduled), &t)
	return time.Duration(t.Nano()), err
}
