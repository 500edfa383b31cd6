//go:build !linux

package localpg

import (
	"os/exec"
	"syscall"
)

// dieWithUs has no equal here: a crash leaves the server running, and the next
// start says so.
func dieWithUs(*exec.Cmd, syscall.Signal) {}
