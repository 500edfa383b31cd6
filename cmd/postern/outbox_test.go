package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestOutbox_commands(t *testing.T) {
	w, config := onDesk(t)
	say := func(words ...string) (int, string, string) {
		return typed(t, "", append(words, "--config", config)...)
	}
	code, stdout, stderr := say("agent", "add", "eva@desk.example", "--role", "admin")
	must(t, code, stdout, stderr)
	code, stdout, stderr = say("invite", "anna@customer.example", "--organisation", "Customer")
	must(t, code, stdout, stderr)
	if _, err := w.DB.Exec(t.Context(), `update outbox set state = 'uncertain', resent = true, bytes = 'mail', reason = 'timeout'`); err != nil {
		t.Fatal(err)
	}
	var id int64
	if err := w.DB.QueryRow(t.Context(), `select id from outbox`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	letter := fmt.Sprint(id)
	t.Run("R59/doctor and ledger check say what to type", func(t *testing.T) {
		if _, stdout, _ := say("doctor"); !strings.Contains(stdout, "-> postern outbox list --state uncertain, then postern outbox settle") {
			t.Error(stdout)
		}
	})
	t.Run("R59/the list names it", func(t *testing.T) {
		code, stdout, stderr := say("outbox", "list", "--state", "uncertain")
		must(t, code, stdout, stderr, letter+" ", "anna@customer.example", "timeout", "postern outbox settle")
		code, stdout, stderr = say("outbox")
		must(t, code, stdout, stderr, "anna@customer.example")
		code, stdout, stderr = say("outbox", "list", "--state", "sent")
		must(t, code, stdout, stderr, "there is no such mail")
		code, stdout, stderr = say("outbox", "list", "--json")
		must(t, code, stdout, stderr, `"state":"uncertain"`, `"waits":true`)
	})
	t.Run("R59/show says what it is and what can be done", func(t *testing.T) {
		code, stdout, stderr := say("outbox", "show", letter)
		must(t, code, stdout, stderr, "mail "+letter+", uncertain", "invitation", "message-id", "4 octets", "--again", "--give-up")
		code, stdout, stderr = say("outbox", "show", letter, "--json")
		must(t, code, stdout, stderr, `"message_id":`, `"bytes":4`)
	})
	for name, c := range map[string]struct {
		words string
		code  int
		says  string
	}{
		"no word":                     {"outbox settle " + letter + " --by eva@desk.example", wrongUse, "say one of --sent, --again and --give-up"},
		"two words":                   {"outbox settle " + letter + " --sent --again --by eva@desk.example", wrongUse, "say one of"},
		"nobody's word":               {"outbox settle " + letter + " --sent", wrongUse, "--by is missing"},
		"the word of no address":      {"outbox settle " + letter + " --sent --by eva", wrongUse, "no mail address"},
		"a stranger's word":           {"outbox settle " + letter + " --sent --by eve@evil.example", failed, "neither an agent of its desk nor an operator"},
		"no mail":                     {"outbox settle --sent --by eva@desk.example", wrongUse, "postern outbox list shows them"},
		"a mail that is not there":    {"outbox settle 4711 --sent --by eva@desk.example", failed, "mail 4711: there is no such letter"},
		"no id":                       {"outbox show x", wrongUse, "postern outbox list shows them"},
		"an id that is not there":     {"outbox show 4711", failed, "there is no mail 4711 in the outbox"},
		"a state that does not exist": {"outbox list --state lost", wrongUse, `"uncertain"`},
		"a limit out of bounds":       {"outbox list --limit 0", wrongUse, "from 1 to 1000"},
	} {
		t.Run("R59/"+name, func(t *testing.T) {
			if code, _, stderr := say(strings.Fields(c.words)...); code != c.code || !strings.Contains(stderr, c.says) {
				t.Errorf("%d: %s", code, stderr)
			}
		})
	}
	t.Run("R59/a word ends it, and a second one comes too late", func(t *testing.T) {
		code, stdout, stderr := say("outbox", "settle", letter, "--by", "Eva@desk.example", "--give-up")
		must(t, code, stdout, stderr, "mail "+letter+" counts as failed")
		if code, _, stderr := say("outbox", "settle", letter, "--by", "eva@desk.example", "--sent"); code != failed || !strings.Contains(stderr, "it is failed, not uncertain") {
			t.Errorf("%d: %s", code, stderr)
		}
	})
}
