package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"postern/core"
)

func TestSent_agentsSeeWhatBecameOfEachMail(t *testing.T) {
	desk := newFakeDesk()
	desk.view.ForAgent = true
	mail := func(id int64, state string, change func(*core.SentMail)) core.SentMail {
		m := core.SentMail{ID: id, Kind: core.Answer, Address: ada, State: state, Answer: "said " + state, Queued: noon, MessageID: "x@desk.example"}
		if change != nil {
			change(&m)
		}
		return m
	}
	desk.view.Entries[2].Sent = []core.SentMail{
		mail(20, "sent", func(m *core.SentMail) { m.At = noon }), mail(21, "retry", func(m *core.SentMail) { m.Next = noon }),
		mail(22, "failed", func(m *core.SentMail) { m.At = noon }), mail(23, "withheld", nil),
		mail(24, "uncertain", func(m *core.SentMail) { m.Waits, m.Kept = true, true }), mail(25, "uncertain", nil),
	}
	desk.view.Sent = []core.SentMail{mail(30, "expired", func(m *core.SentMail) { m.Kind = core.Reminder })}
	site := newSite(t, desk, nil)
	agent := visitSite(t, site, "agent")
	page := agent.get("/cases/CASE-10001").wants(t, http.StatusOK).body
	for name, want := range map[string]string{
		"R54/sent, with the instant":            "Sent to " + ada + "</bdi> <time",
		"R60/tried again, since when, and why":  "Not yet delivered to " + ada + ", tried since</bdi> <time",
		"R60/the server's last words":           "said retry",
		"R60/when it is tried next":             "next try <time",
		"R60/failed":                            "Could not be delivered to " + ada,
		"R59/uncertain, and it rests":           "the server gave no answer, twice.",
		"R59/uncertain, and it is sent again":   "It is sent once more.",
		"R59/what to look for":                  "x@desk.example",
		"R49/withheld":                          "Not sent to " + ada,
		"R60/a mail without a text says what":   "Reminder:</span> <bdi>Came too late",
		"R59/the presses that end it":           `action="/cases/CASE-10001/letters/24"`,
		"R59/those before the re-send":          `action="/cases/CASE-10001/letters/25"`,
		"R59/send again, while bytes are kept":  `value="again"`,
		"R59/each press says what it does":      "Give it up</button>",
		"R54/a mail by itself has its own line": `id="sent-30"`,
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(page, want) {
				t.Errorf("no %s", want)
			}
		})
	}
	t.Run("R59/what is not kept is not sent again", func(t *testing.T) {
		if n := strings.Count(page, `value="again"`); n != 1 {
			t.Errorf("%d presses", n)
		}
	})
	t.Run("R59/a press ends it", func(t *testing.T) {
		desk.changesMade()
		got := agent.post("/cases/CASE-10001/letters/24", agent.nonce("/cases/CASE-10001"), "word", "sent").wants(t, http.StatusSeeOther)
		if got.Header.Get("Location") != "/cases/CASE-10001" || !slices.Equal(desk.changesMade(), []string{"SettleLetter 24 sent"}) {
			t.Errorf("%v", got.Header)
		}
		agent.post("/cases/CASE-10001/letters/24", "", "word", "sent").wants(t, http.StatusForbidden)
		agent.post("/cases/CASE-10001/letters/x", agent.nonce("/cases/CASE-10001"), "word", "sent").wants(t, http.StatusNotFound)
		if made := desk.changesMade(); len(made) != 0 {
			t.Errorf("%v", made)
		}
	})
	t.Run("R59/a press that comes too late says so", func(t *testing.T) {
		desk.fail["SettleLetter"] = core.ErrNotAllowed
		defer delete(desk.fail, "SettleLetter")
		agent.post("/cases/CASE-10001/letters/24", agent.nonce("/cases/CASE-10001"), "word", "sent").wants(t, http.StatusConflict)
		desk.changesMade()
	})
	t.Run("R54/a customer sees nothing of it, and presses nothing", func(t *testing.T) {
		desk.view.ForAgent = false
		c := visitSite(t, site, "customer")
		if body := c.get("/cases/CASE-10001").wants(t, http.StatusOK).body; strings.Contains(body, "Sent to") || strings.Contains(body, "said") || strings.Contains(body, "/letters/") {
			t.Error(body)
		}
		c.post("/cases/CASE-10001/letters/24", c.nonce("/account"), "word", "sent").wants(t, http.StatusNotFound)
		if made := desk.changesMade(); len(made) != 0 {
			t.Errorf("%v", made)
		}
	})
}
