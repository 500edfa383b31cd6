package core

import (
	"context"
	"time"
)

// ClaimSealed takes a secret that changes, as others give us, for renewal: what
// is kept of it, sealed by the caller, and whether it is the holder's until the
// lease ends. Nobody else renews it meanwhile; a renewal is kept, or given up,
// by KeepSealed.
func (d *Desk) ClaimSealed(ctx context.Context, name, holder string, lease time.Duration) (secret []byte, mine bool, err error) {
	err = d.inTx(ctx, func(tx *tx) (err error) {
		secret, mine, err = claimSealed(ctx, tx, name, holder, lease)
		return err
	})
	return secret, mine, err
}

// KeepSealed keeps a secret and ends the holder's lease on it. It returns
// ErrLeaseLost if that ended before.
func (d *Desk) KeepSealed(ctx context.Context, name, holder string, secret []byte) error {
	return d.inTx(ctx, func(tx *tx) error { return keepSealed(ctx, tx, name, holder, secret) })
}

// TryWrite says whether the database takes what is written: a full disk or a
// standby lets everything be read (R65).
func (d *Desk) TryWrite(ctx context.Context) error {
	return d.inTx(ctx, func(tx *tx) error { return tryWrite(ctx, tx) })
}
