package core

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// unavailable marks errors that say nothing of the work but that the database
// cannot be used now, as ErrUnavailable (R10, R65).
func unavailable(err error) error {
	if err == nil || errors.Is(err, ErrUnavailable) {
		return err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code[:2] {
		case "08", "53", "57", "58": // connection, out of resources, shutdown, i/o
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if pg.Code == "25006" { // read-only: a standby, or a disk that is full
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return err
	}
	var connect *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &connect) || errors.As(err, &network) && !errors.Is(err, context.Canceled) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrUnexpectedEOF) || pgconn.SafeToRetry(err) {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

// conflicted says that a transaction met another one and may be run again:
// a unique key, a deadlock, a serialisation failure.
func conflicted(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	switch pg.Code {
	case "23505", "40001", "40P01":
		return true
	}
	return false
}

// notFound turns "no row" into ErrNotFound.
func notFound(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// run sends a batch and reads all its answers.
func run(ctx context.Context, t *tx, b *pgx.Batch) error {
	if b.Len() == 0 {
		return nil
	}
	return t.SendBatch(ctx, b).Close()
}

// one makes a row reader that fills into, or leaves it if there is no row.
func one[T any](into **T) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		v, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[T])
		if errors.Is(err, pgx.ErrNoRows) {
			*into = nil
			return nil
		}
		*into = v
		return err
	}
}

// all makes a row reader that fills into with every row.
func all[T any](into *[]T) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		v, err := pgx.CollectRows(rows, pgx.RowToStructByName[T])
		*into = v
		return err
	}
}

// values makes a row reader that fills into with a column.
func values[T any](into *[]T) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		v, err := pgx.CollectRows(rows, pgx.RowTo[T])
		*into = v
		return err
	}
}

// value makes a row reader that fills into with one value, or leaves it.
func value[T any](into *T) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		v, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		*into = v
		return err
	}
}
