//go:build prove

package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"postern/core"
)

// pointed is a desk at which this process kills itself with SIGKILL, once, when
// it comes by a point for the n-th time while a file exists: as long as work is
// under way, that is. POSTERN_PROVE_KILL names all three, as in
// "receive-after 3 /tmp/prove/busy". Without it nothing happens.
type pointed struct {
	*core.Desk
	point  string
	passes *atomic.Int64 // that are left
	file   string
}

func atPoints(d *core.Desk) pointed {
	p := pointed{Desk: d, passes: new(atomic.Int64)}
	asked := os.Getenv("POSTERN_PROVE_KILL")
	if asked == "" {
		return p
	}
	words := strings.SplitN(asked, " ", 3)
	n, err := int64(0), error(nil)
	if len(words) == 3 {
		n, err = strconv.ParseInt(words[1], 10, 64)
	}
	if err != nil || n < 1 {
		panic(fmt.Sprintf("POSTERN_PROVE_KILL=%q: must be a point, a number and a file", asked))
	}
	p.point, p.file = words[0], words[2]
	p.passes.Store(n)
	return p
}

// pass does not return from the kill.
func (p pointed) pass(point string) {
	if p.point != point {
		return
	}
	if _, err := os.Stat(p.file); err != nil || p.passes.Add(-1) != 0 {
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func (p pointed) LeaseMailbox(ctx context.Context, id int64, holder string, lease time.Duration) (core.Mailbox, bool, error) {
	mb, held, err := p.Desk.LeaseMailbox(ctx, id, holder, lease)
	if held && err == nil {
		p.pass("lease-after")
	}
	return mb, held, err
}

func (p pointed) Keep(ctx context.Context, mb core.Mailbox, uidValidity uint32, batch []core.Incoming, next uint32) ([]core.Stored, error) {
	if len(batch) == 0 { // the cursor alone
		return p.Desk.Keep(ctx, mb, uidValidity, batch, next)
	}
	p.pass("keep-before")
	rows, err := p.Desk.Keep(ctx, mb, uidValidity, batch, next)
	if err == nil {
		p.pass("keep-after")
	}
	return rows, err
}

func (p pointed) Receive(ctx context.Context, m core.Mail) (core.Receipt, error) {
	p.pass("receive-before")
	receipt, err := p.Desk.Receive(ctx, m)
	if err == nil {
		p.pass("receive-after")
	}
	return receipt, err
}

// Told is called when the mail server has been told already.
func (p pointed) Told(ctx context.Context, mailbox int64, told []core.Told) error {
	p.pass("told-before")
	err := p.Desk.Told(ctx, mailbox, told)
	if err == nil {
		p.pass("told-after")
	}
	return err
}

func (p pointed) ClaimLetters(ctx context.Context, holder string, limit int) ([]core.Letter, error) {
	p.pass("claim-before")
	letters, err := p.Desk.ClaimLetters(ctx, holder, limit)
	if err == nil && len(letters) > 0 {
		p.pass("claim-after")
	}
	return letters, err
}

// Settle is called before the final dot of the letters in next, and after the
// answer to it of those in ended.
func (p pointed) Settle(ctx context.Context, holder string, ended []core.Delivery, next []core.Dotting) ([]int64, error) {
	p.settling("before", ended, next)
	mine, err := p.Desk.Settle(ctx, holder, ended, next)
	if err == nil {
		p.settling("after", ended, next)
	}
	return mine, err
}

func (p pointed) settling(when string, ended []core.Delivery, next []core.Dotting) {
	if len(next) > 0 {
		p.pass("dotted-" + when)
	}
	if len(ended) > 0 {
		p.pass("sent-" + when)
	}
}
