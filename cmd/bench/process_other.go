//go:build !linux

package main

import (
	"errors"
	"syscall"
	"time"
)

func childProcess() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func cpuClock(int) (time.Duration, error) { return 0, errors.New("CPU time is read on Linux only") }
