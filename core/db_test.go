package core

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestUnavailable(t *testing.T) {
	said := func(code string) error { return fmt.Errorf("keep: %w", &pgconn.PgError{Code: code}) }
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"R65/the database's disk is full":          {said("53100"), true},
		"R65/it has no memory left":                {said("53200"), true},
		"R65/it has no connection left":            {said("53300"), true},
		"R65/it can only be read":                  {said("25006"), true},
		"R65/its disk is broken":                   {said("58030"), true},
		"R10/it is shutting down":                  {said("57P01"), true},
		"R10/it hung up":                           {io.ErrUnexpectedEOF, true},
		"R10/a row that it does not like is a row": {said("22021"), false},
		"R10/a key that is there already":          {said("23505"), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := errors.Is(unavailable(c.err), ErrUnavailable); got != c.want {
				t.Errorf("unavailable: %v", got)
			}
		})
	}
}
