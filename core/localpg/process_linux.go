package localpg

import (
	"os/exec"
	"syscall"
)

// dieWithUs has the kernel signal the child when we are gone, even by SIGKILL.
func dieWithUs(cmd *exec.Cmd, signal syscall.Signal) { cmd.SysProcAttr.Pdeathsig = signal }
