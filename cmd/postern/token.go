package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"postern/core"
)

func tokenWithdrawCommand(*flag.FlagSet) action {
	return func(ctx context.Context, p *program, args []string) error {
		address, err := oneAddress(args)
		if err != nil {
			return err
		}
		d, _, err := p.open(ctx)
		if err != nil {
			return err
		}
		defer d.Close()
		n, err := d.WithdrawTokens(ctx, address)
		if errors.Is(err, core.ErrNotFound) {
			return fmt.Errorf("%s is nobody's address here", address)
		}
		if err != nil {
			return err
		}
		if n == 1 {
			fmt.Fprintln(p.stdout, "1 reply address is withdrawn")
			return nil
		}
		fmt.Fprintf(p.stdout, "%d reply addresses are withdrawn\n", n)
		return nil
	}
}
