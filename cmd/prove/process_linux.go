package main

import (
	"os/exec"
	"syscall"
)

// dieWithUs leaves nothing running if we are killed ourselves.
func dieWithUs(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
