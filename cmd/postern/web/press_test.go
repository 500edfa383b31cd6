package web

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"postern/core"
)

func TestPress_ofAgentsOnCommentsAndHeldMail(t *testing.T) {
	desk := newFakeDesk()
	desk.view.ForAgent = true
	desk.view.Entries = append(desk.view.Entries,
		core.Entry{ID: 7, Kind: "comment", Side: "customer", Author: "Ada", Text: "Yes.", Marks: []string{"machine"}, At: noon},
		core.Entry{ID: 8, Kind: "comment", Side: "customer", Author: "Ada", Text: "No.", Marks: []string{"unverified"}, At: noon})
	site := newSite(t, desk, nil)
	agent := visitSite(t, site, "agent")
	page := agent.get("/cases/CASE-10001").wants(t, http.StatusOK).body
	t.Run("R28/a comment that perhaps a machine wrote has its press, others have none", func(t *testing.T) {
		if strings.Count(page, "/human\"") != 1 || !strings.Contains(page, `action="/cases/CASE-10001/comment/7/human"`) {
			t.Errorf("%d presses", strings.Count(page, "/human\""))
		}
	})
	t.Run("R28/the press treats it as a person's", func(t *testing.T) {
		agent.post("/cases/CASE-10001/comment/7/human", agent.nonce("/account")).wants(t, http.StatusSeeOther)
		if made := desk.changesMade(); !slices.Equal(made, []string{"TreatAsHuman"}) {
			t.Errorf("%v", made)
		}
	})
	t.Run("R28/a customer has no such press", func(t *testing.T) {
		desk.view.ForAgent = false
		if body := visitSite(t, site, "customer").get("/cases/CASE-10001").body; strings.Contains(body, "/human") {
			t.Error("it has")
		}
		visitSite(t, site, "customer").post("/cases/CASE-10001/comment/7/human", visitSite(t, site, "customer").nonce("/account")).wants(t, http.StatusForbidden)
		if made := desk.changesMade(); len(made) != 0 {
			t.Errorf("%v", made)
		}
	})
	t.Run("R72/an agent's address, or our own, has no press that blocks it", func(t *testing.T) {
		desk.heldView.Barred = true
		defer func() { desk.heldView.Barred = false }()
		if body := agent.get("/held/9").wants(t, http.StatusOK).body; strings.Contains(body, "/held/9/block") {
			t.Error("it has")
		}
	})
	t.Run("R73/the lines for a relay stand as the desk file needs them", func(t *testing.T) {
		was := desk.heldView
		defer func() { desk.heldView = was }()
		desk.heldView.Code, desk.heldView.Reason = "own-address", `own-address, [[relay]] from = "web@desk.example", requester = "reply-to"`
		body := agent.get("/held/9").wants(t, http.StatusOK).body
		if !strings.Contains(body, "[[relay]]\nfrom = &#34;web@desk.example&#34;\nrequester = &#34;reply-to&#34;\n</pre>") || !strings.Contains(body, "add to the desk file:<") {
			t.Error(body)
		}
	})
	for _, blocked := range []bool{false, true} {
		word := map[bool]string{false: "block", true: "unblock"}[blocked]
		t.Run("R72/a held mail offers to "+word+" its sender", func(t *testing.T) {
			desk.heldView.Blocked = blocked
			body := agent.get("/held/9").wants(t, http.StatusOK).body
			if !strings.Contains(body, `action="/held/9/`+word+`"`) || strings.Count(body, "block\"") != 1 {
				t.Error("it does not")
			}
			agent.post("/held/9/"+word, agent.nonce("/account")).wants(t, http.StatusSeeOther)
			if made := desk.changesMade(); !slices.Equal(made, []string{"BlockSender"}) {
				t.Errorf("%v", made)
			}
		})
	}
}
