package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"postern/core"
)

func TestLedgerRelease_sayAsWhat(t *testing.T) {
	w, config := onDesk(t)
	id := keep(t, w, plainMail)
	if _, err := w.Failed(t.Context(), id, fmt.Errorf("unreadable: %w", core.ErrHopeless)); err != nil {
		t.Fatal(err)
	}
	number := fmt.Sprint(id)
	for _, c := range []struct {
		name, words string
		code        int
		want        string
	}{
		{"R41/no other word than case", "--agent mia@desk.example --as spam " + number, wrongUse, "must be case"},
		{"R41/one word, not two", "--agent mia@desk.example --as case --to CASE-1 " + number, wrongUse, "not both"},
		{"R41/in somebody's name", "--as case " + number, wrongUse, "--agent is missing"},
		{"R63/who is no agent has no word", "--agent eve@evil.example --as case " + number, failed, "is no agent"},
		{"R63/what no desk has yet is for admins", "--agent tom@desk.example --as case " + number, failed, "does not wait for a word of tom@desk.example"},
		{"R63/a case that is none", "--agent mia@desk.example --to CASE-4711 " + number, failed, "no such case"},
		{"R41/as a case", "--agent mia@desk.example --as case " + number, done, "mail " + number + " is released"},
		{"R41/somebody was first", "--agent mia@desk.example " + number, failed, "not held or quarantined"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := typed(t, "", append(append([]string{"ledger", "release"}, strings.Fields(c.words)...), "--config", config)...)
			if code != c.code || !strings.Contains(stdout+stderr, c.want) {
				t.Errorf("got %d: %s%s", code, stdout, stderr)
			}
		})
	}
	if err := w.RefuseByOperator(t.Context(), id); !errors.Is(err, core.ErrNotAllowed) {
		t.Errorf("R3: what is being filed was refused: %v", err)
	}
}
