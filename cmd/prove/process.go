package main

import (
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is one life of Postern.
type process struct {
	cmd   *exec.Cmd
	began time.Time
	done  chan struct{} // closed when it has ended
	ended time.Time
}

// start begins a life. point is where it shall kill itself, or empty.
func (w *world) start(point string) (*process, error) {
	p := &process{cmd: exec.Command(w.program, "serve", "--config", w.config), began: time.Now(), done: make(chan struct{})}
	p.cmd.Env = environment(point)
	p.cmd.Stdout, p.cmd.Stderr = w.log, w.log
	dieWithUs(p.cmd)
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // dieWithUs follows the thread
		defer runtime.UnlockOSThread()
		defer close(p.done)
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // how it ended is asked for by killed and stopped
			p.ended = time.Now()
		}
	}()
	return p, <-started
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // an error means that it has ended already
	<-p.done
}

func (p *process) over() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// killed says whether SIGKILL ended it, and nothing else.
func (p *process) killed() error {
	if s, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() && s.Signal() == syscall.SIGKILL {
		return nil
	}
	return fmt.Errorf("postern ended by itself: %s", p.cmd.ProcessState)
}

// stop ends it as an operator does.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop postern: %w", err)
	}
	select {
	case <-p.done:
	case <-time.After(time.Minute):
		p.kill()
		return fmt.Errorf("postern did not stop within a minute")
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("postern stopped with code %d", code)
	}
	return nil
}
