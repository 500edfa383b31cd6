package coretest

import "syscall"

// dovecotProcess keeps Ctrl-C for us and ends Dovecot when we die.
func dovecotProcess() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
