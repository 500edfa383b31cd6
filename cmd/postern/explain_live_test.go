package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"postern/core/coretest"
)

// content is all that stands in the tables and sequences of a database.
func content(t *testing.T, w *coretest.World) string {
	t.Helper()
	ctx := context.Background()
	rows, _ := w.DB.Query(ctx, `select relname, relkind::text from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'S') order by 1`)
	all, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (o [2]string, err error) { return o, r.Scan(&o[0], &o[1]) })
	if err != nil || len(all) < 20 {
		t.Fatal(all, err)
	}
	var text strings.Builder
	for _, o := range all {
		sql := `select coalesce(string_agg(x::text, ' ' order by x::text), '') from ` + pgx.Identifier{o[0]}.Sanitize() + ` x`
		if o[1] == "S" {
			sql = `select last_value || ' ' || is_called from ` + pgx.Identifier{o[0]}.Sanitize()
		}
		var s string
		if err := w.DB.QueryRow(ctx, sql).Scan(&s); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "%s: %s\n", o[0], s)
	}
	return text.String()
}

func TestExplainLive(t *testing.T) {
	w, config := onDesk(t)
	_, opened := fileMail(t, w, mailFrom("Anna", "anna@northwind.example", "Printer", "It burns."))
	mails := map[string]struct{ raw, decision, rule string }{
		"new.eml":   {mailFrom("Bob", "bob@northwind.example", "Other", "It smokes."), `"opens a case"`, `"R71"`},
		"joins.eml": {mailFrom("Anna", "anna@northwind.example", "Re: ["+opened.Case+"]", "Still."), `"joins"`, `"R36"`},
		"again.eml": {mailFrom("Anna", "anna@northwind.example", "Printer", "It burns."), `"duplicate"`, `"R5"`},
		"list.eml":  {mailFrom("News", "news@northwind.example", "News", "News.", "List-Id: <n.northwind.example>"), `"held"`, `"R26"`},
		"odd.eml":   {"\x00\xff", `"held"`, `"R17"`},
	}
	var paths []string
	for name, m := range mails {
		paths = append(paths, written(t, name, m.raw))
	}
	before := content(t, w)
	var name string
	if err := w.DB.QueryRow(t.Context(), `select current_database()`).Scan(&name); err != nil {
		t.Fatal(err)
	}
	// from now on every connection that writes fails
	if _, err := w.DB.Exec(t.Context(), `alter database `+pgx.Identifier{name}.Sanitize()+` set default_transaction_read_only = on`); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := typed(t, "", append([]string{"explain", "--json", "--live", "--config", config}, paths...)...)
	t.Run("R67/live it says what would be decided, where nothing can be written", func(t *testing.T) {
		if code != done || strings.Count(stdout, "\n") != len(mails) {
			t.Fatalf("got %d, %s, %s", code, stdout, stderr)
		}
		for line := range strings.Lines(stdout) {
			var got struct {
				File      string
				Assurance string
				Decision  struct{ State, Outcome, Reason string }
				Trace     []struct{ Rule, Says string }
			}
			if err := json.Unmarshal([]byte(line), &got); err != nil {
				t.Fatal(err)
			}
			want := mails[filepath.Base(got.File)]
			if fmt.Sprintf("%q", got.Decision.Outcome) != want.decision || !strings.Contains(line, want.rule) || got.Assurance == "" {
				t.Errorf("%s: %+v, want %s by %s", got.File, got, want.decision, want.rule)
			}
			for _, s := range got.Trace {
				if s.Rule == "" || s.Says == "" {
					t.Errorf("%s: a step without a rule: %+v", got.File, s)
				}
			}
		}
	})
	t.Run("R67/and leaves no trace in any table or sequence", func(t *testing.T) {
		if after := content(t, w); after != before {
			t.Errorf("was\n%s\nis\n%s", before, after)
		}
	})
}
