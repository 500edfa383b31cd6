package core_test

import (
	"strings"
	"testing"

	"postern/core"
)

const newCases = "support+new@desk.example"

func TestReceive_casesThatAgentsOpen(t *testing.T) {
	for _, c := range []struct {
		name    string
		m       mail
		known   bool // Anna is a contact already
		outcome string
		want    cameOf
		status  string
		tells   string
	}{
		{"R64/a phone call: the command names the customer", mail{to: newCases, subject: "Phone: printer", text: "#requester anna@northwind.example\n\nShe called: it burns."},
			false, "opens a case for a customer", cameOf{anna, "Northwind", "Phone: printer", "She called: it burns.", ""}, "open", "requester:  -> anna@northwind.example, Northwind"},
		{"R64/the service address does the same", mail{subject: "Phone: printer", text: "#requester Anna Berg <anna@northwind.example>\nShe called: it burns."},
			false, "opens a case for a customer", cameOf{anna, "Northwind", "Phone: printer", "She called: it burns.", ""}, "open", "requester:  -> anna@northwind.example (Anna Berg), Northwind"},
		{"R64/a stranger becomes somebody we know", mail{to: newCases, subject: "Phone", text: "#requester <ZED@stranger.example>\nHe called."},
			false, "opens a case for a customer", cameOf{"zed@stranger.example", "", "Phone", "He called.", ""}, "open", "requester:  -> zed@stranger.example"},
		{"R42/other commands are carried out on it", mail{to: newCases, subject: "Phone", text: "#requester anna@northwind.example\n#status on hold 3d\nShe called."},
			true, "opens a case for a customer", cameOf{anna, "Northwind", "Phone", "She called.", ""}, "on-hold", "status: Open -> On hold"},
		{"R40/a note keeps the text for colleagues", mail{to: newCases, subject: "Phone", text: "#requester anna@northwind.example\n#note\nShe never pays."},
			true, "opens a case for a customer", cameOf{anna, "Northwind", "Phone", "", "She never pays."}, "open", ""},
		{"R64/a command above forwarded mail names another author", mail{subject: "Fwd: printer", text: "#requester carl@fabrikam.example\nSee below.\n\nIt burns.",
			change: forwards("#requester carl@fabrikam.example\nSee below.", anna, "It burns.")},
			false, "opens a case for a customer", cameOf{carl, "Fabrikam", "Printer on fire", "It burns.", "See below."}, "open", "requester:  -> carl@fabrikam.example"},
		{"R64/and the author of mail that does not say it", mail{subject: "Fwd: printer", text: "#requester carl@fabrikam.example\nSee below.\n\nIt burns.",
			change: forwards("#requester carl@fabrikam.example\nSee below.", "", "It burns.")},
			false, "opens a case for a customer", cameOf{carl, "Fabrikam", "Printer on fire", "It burns.", "See below."}, "open", ""},
		{"R43/one bad line, and the case is opened without commands", mail{to: newCases, subject: "Phone", text: "#requester anna@northwind.example\n#status blue\nShe called."},
			false, "opens a case", cameOf{mia, "", "Phone", "She called.", ""}, "open", "#status blue: no-status"},
		{"R43/the same above forwarded mail, which has an author", mail{subject: "Fwd: printer", text: "#requester carl@fabrikam.example\n#status blue\nSee below.\n\nIt burns.",
			change: forwards("#requester carl@fabrikam.example\n#status blue\nSee below.", anna, "It burns.")},
			false, "opens a case for a customer", cameOf{anna, "Northwind", "Printer on fire", "It burns.", "See below."}, "open", "#status blue: no-status"},
		{"R43/without one the text is kept for colleagues: which line was to do that?", mail{to: newCases, subject: "Phone", text: "#note\n#status blue\nShe never pays.",
			change: func(m *core.Mail) { m.To = append(m.To, core.Address{Address: anna}) }},
			true, "opens a case for a customer", cameOf{anna, "Northwind", "Phone", "", "She never pays."}, "open", "#status blue: no-status"},
		{"R40/a note names no case", mail{to: newCases, text: "#requester anna@northwind.example\n#note\nShe never pays."},
			true, "opens a case for a customer", cameOf{anna, "Northwind", "", "", "She never pays."}, "open", ""},
		{"R40/nor does it on an agent's own, in which customers may take part", mail{to: newCases, text: "#cc add anna@northwind.example\n#note\nShe never pays."},
			true, "opens a case", cameOf{mia, "", "", "", "She never pays."}, "open", ""},
		{"R64/an agent is nobody's customer here", mail{to: newCases, subject: "Phone", text: "#requester tom@desk.example\nx"},
			false, "opens a case", cameOf{mia, "", "Phone", "x", ""}, "open", "requester-agent"},
		{"R64/nor is an address of ours", mail{to: newCases, subject: "Phone", text: "#requester support+x@desk.example\nx"},
			false, "opens a case", cameOf{mia, "", "Phone", "x", ""}, "open", "own-address"},
		{"R43/nor is what is no address", mail{to: newCases, subject: "Phone", text: "#requester anna@@x\nx"},
			false, "opens a case", cameOf{mia, "", "Phone", "x", ""}, "open", "bad-address"},
		{"R64/without a customer it is the agent's own", mail{to: newCases, subject: "Toner", text: "We need toner."},
			false, "opens a case", cameOf{mia, "", "Toner", "We need toner.", ""}, "open", ""},
		{"R42/with its commands", mail{to: newCases, subject: "Toner", text: "#status in-progress\nWe need toner."},
			false, "opens a case", cameOf{mia, "", "Toner", "We need toner.", ""}, "in-progress", "status: Open -> In progress"},
		{"R64/without a subject its text is the title", mail{to: newCases, text: "#requester anna@northwind.example\nIt burns."},
			false, "opens a case for a customer", cameOf{anna, "Northwind", "It burns.", "It burns.", ""}, "open", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			if c.known {
				w.opens(mail{from: anna})
			}
			c.m.from = mia
			r := w.receive(c.m)
			wants(t, r, core.Filed, c.outcome, "")
			if got := w.cameOf(r); got != c.want {
				t.Errorf("%+v\nwant %+v", got, c.want)
			}
			if got := w.text(`select status from cases where id = $1`, r.CaseID); got != c.status {
				t.Errorf("status %s", got)
			}
			letters := w.letters()
			noneTo(t, letters, anna, carl, "zed@stranger.example")
			if c.tells == "" {
				return
			}
			l := to(t, letters, mia, core.Transcript)
			if !strings.Contains(saysInTranscript(l), c.tells) || l.Number != r.Case {
				t.Errorf("the transcript of %s tells %q", l.Number, saysInTranscript(l))
			}
		})
	}
	t.Run("R64/an answer to its transcript is the first that the customer gets", func(t *testing.T) {
		w := newWorld(t, nil)
		r := w.receive(mail{from: mia, to: newCases, subject: "Phone", text: "#requester anna@northwind.example\nShe called."})
		l := to(t, w.letters(), mia, core.Transcript)
		wants(t, w.receive(mail{from: mia, to: l.ReplyTo, inReplyTo: l.MessageID, subject: "Re: " + r.Case, text: "#status resolved\nUse water."}), core.Filed, "answers", "")
		if a := to(t, w.letters(), anna, core.Answer); a.Text != "Use water." {
			t.Errorf("%q", a.Text)
		}
	})
	t.Run("R64/the address opens a case whatever case the mail names", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		r := w.receive(mail{from: mia, to: newCases, subject: "Fwd: [" + o.Case + "]", text: "#requester carl@fabrikam.example\nHe asks the same.", inReplyTo: o.mia.MessageID})
		wants(t, r, core.Filed, "opens a case for a customer", "")
		if r.Case == o.Case {
			t.Error("it joined the case")
		}
	})
	t.Run("R42/an agent who is not proved opens none", func(t *testing.T) {
		w := newWorld(t, nil)
		wants(t, w.receive(mail{from: mia, to: newCases, text: "#requester anna@northwind.example\nx", unverified: true}), core.Held, "held", "agent-forged")
	})
	t.Run("R42/nor does one by a token alone", func(t *testing.T) {
		w := newWorld(t, nil)
		w.apply(t, func(s string) string { return replace(t, s, `agent_proof = "verified"`, `agent_proof = "token"`) })
		o := w.opens(mail{from: anna})
		r := w.receive(mail{from: mia, to: newCases, subject: o.Case, text: "#requester carl@fabrikam.example\nx", unverified: true,
			change: func(m *core.Mail) { m.To = append(m.To, core.Address{Address: o.mia.ReplyTo}) }})
		wants(t, r, core.Held, "note, waits", "agent-unproved")
	})
	t.Run("R42/a customer's mail to it is like any, and their commands are text", func(t *testing.T) {
		w := newWorld(t, nil)
		r := w.receive(mail{from: anna, to: newCases, subject: "Printer", text: "#requester carl@fabrikam.example\nIt burns."})
		wants(t, r, core.Filed, "opens a case", "")
		if got := w.cameOf(r); got.requester != anna || got.description != "#requester carl@fabrikam.example\nIt burns." {
			t.Errorf("%+v", got)
		}
	})
}

// An agent who forgets to say whose a new case is hears so, and how to say it.
func TestReceive_aNewCaseOfNobody(t *testing.T) {
	w := newWorld(t, nil)
	w.receive(mail{from: mia, to: "support+new@desk.example", subject: "A call", text: "A customer called."})
	letters := w.letters()
	t.Run("R64/to the address for new cases is told, not confirmed", func(t *testing.T) {
		if l := to(t, letters, mia, core.Transcript); l.Payload.Reason != "own-case" || strings.Join(l.Payload.Lines, " ") != "nobody" {
			t.Errorf("%+v", l.Payload)
		}
	})
	t.Run("R45/a link knows the word that does the same", func(t *testing.T) {
		o := w.opens(mail{from: anna})
		for _, l := range o.confirmation.Payload.Links {
			if want := map[string]string{"closed": "close", "cancelled": "cancel"}[l.Move]; l.Word != want {
				t.Errorf("%s: %q", l.Move, l.Word)
			}
		}
	})
	t.Run("R43/the history by query has labels, and the date of a rest", func(t *testing.T) {
		o := w.opens(mail{from: anna, subject: "Another"})
		w.receive(mail{from: mia, subject: o.Case, text: "#wait 3d\n#priority p2"})
		w.receive(mail{from: mia, to: "support+command@desk.example", text: "history " + o.Case})
		var until, labelled bool
		for _, l := range w.letters() {
			for _, a := range l.Payload.Answers {
				for _, e := range a.Sheet.Entries {
					until = until || e.Event == "status" && !e.Until.IsZero() && e.Why == ""
					labelled = labelled || e.Event == "priority" && strings.HasPrefix(e.Became, "P2 ")
				}
			}
		}
		if !until || !labelled {
			t.Errorf("until: %v, labels: %v", until, labelled)
		}
	})
}
