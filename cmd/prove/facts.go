package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// facts are what the database holds at the end.
type facts struct {
	ledger   []ledgerRow
	cases    []caseRow
	comments []commentRow
	notes    int
	files    map[int64]int // of a case
	outbox   []outboxRow
}

type ledgerRow struct {
	ID        int64
	MessageID string
	State     string
	Outcome   string
	Reason    string
	Assurance string
	CaseID    *int64
	Folder    string
	AtUID     int64
	Told      bool
	EndedAt   *time.Time
}

type caseRow struct {
	ID          int64
	Number      int64
	Ledger      *int64
	Description string
}

type commentRow struct {
	ID     int64
	CaseID int64
	Ledger *int64
	Side   string
	Text   string
}

type outboxRow struct {
	ID        int64
	CauseKind string
	CauseID   int64
	Address   string
	CaseID    *int64
	Kind      string
	ForAgent  bool
	MessageID string
	State     string
	Reason    string
	Resent    bool
	SentAt    *time.Time
}

func readFacts(ctx context.Context, pool *pgxpool.Pool) (f facts, err error) {
	f.ledger, err = table[ledgerRow](ctx, pool, `
		select id, message_id, state, outcome, reason, assurance, case_id, folder, at_uid, told, ended_at from ledger order by id`)
	if err != nil {
		return f, err
	}
	if f.cases, err = table[caseRow](ctx, pool, `select id, number, ledger, description from cases order by id`); err != nil {
		return f, err
	}
	if f.comments, err = table[commentRow](ctx, pool, `select id, case_id, ledger, side, text from comment order by id`); err != nil {
		return f, err
	}
	f.outbox, err = table[outboxRow](ctx, pool, `
		select id, cause_kind, cause_id, address, case_id, kind, for_agent, message_id, state, reason, resent, sent_at
		from outbox order by id`)
	if err != nil {
		return f, err
	}
	if err = pool.QueryRow(ctx, `select count(*) from note`).Scan(&f.notes); err != nil {
		return f, err
	}
	f.files = make(map[int64]int)
	var id int64
	var n int
	rows, _ := pool.Query(ctx, `select case_id, count(*) from file group by case_id`)
	_, err = pgx.ForEachRow(rows, []any{&id, &n}, func() error { f.files[id] = n; return nil })
	return f, err
}

func table[T any](ctx context.Context, pool *pgxpool.Pool, query string) ([]T, error) {
	rows, _ := pool.Query(ctx, query)
	return pgx.CollectRows(rows, pgx.RowToStructByName[T])
}
