//go:build !linux

package coretest

import "syscall"

// dovecotProcess keeps Ctrl-C for us; Dovecot outlives a crash of ours here.
func dovecotProcess() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
