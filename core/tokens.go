package core

import (
	"context"
	"fmt"

	"postern/core/token"
)

// WithdrawTokens makes reply addresses worthless from now on (R33): the one
// given, or all that a person's letters have, by any address of that person. It
// returns how many they were. A person's links to one press end with them. What
// is answered by Message-ID or number is found as before, by whoever may see the
// case.
func (d *Desk) WithdrawTokens(ctx context.Context, address string) (int64, error) {
	address, err := checkAddress(address)
	if err != nil {
		return 0, err
	}
	_, mode, t, ok := token.Split(address)
	if d.isOwn(address) && (!ok || mode == token.Probe || t == "") {
		return 0, fmt.Errorf("%s is a service address: name a reply address, or a person's", address)
	}
	var n int64
	err = d.inTx(ctx, func(tx *tx) (err error) {
		if d.isOwn(address) {
			n, err = withdrawToken(ctx, tx, token.Hash(t))
		} else {
			n, err = withdrawTokensOf(ctx, tx, address)
		}
		return err
	})
	return n, err
}
