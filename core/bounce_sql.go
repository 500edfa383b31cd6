package core

import (
	"time"

	"github.com/jackc/pgx/v5"
)

// queueBounced counts the failures within a week of the addresses whose letters
// a bounce may speak of.
func queueBounced(b *pgx.Batch, a asked, now time.Time, f *facts) {
	b.Queue(`
		select o.address, count(*)
		from (
			select address from outbox where token_hash = any($1)
			union
			select address from outbox where id_hash = any($2)
		) o
		join event e on e.was = o.address
		where e.kind = 'bounce' and e.at > $3 and e.became like '5.%'
		group by o.address`, a.tokens, a.ids, now.Add(-strikeWindow)).Query(func(rows pgx.Rows) error {
		f.bounced = map[string]int{}
		var address string
		var n int
		_, err := pgx.ForEachRow(rows, []any{&address, &n}, func() error {
			f.bounced[address] = n
			return nil
		})
		return err
	})
}
