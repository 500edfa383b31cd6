package localpg

import (
	"os/exec"
	"runtime"
)

// startAndWait is the life of a child. It keeps its thread: the signal that
// dieWithUs asks for is sent when the thread that started the child ends, not
// when the process does.
func startAndWait(cmd *exec.Cmd, started chan<- error, done chan<- struct{}) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Start()
	started <- err
	if err == nil {
		cmd.Wait()
	}
	close(done)
}
