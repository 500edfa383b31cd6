package core_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"postern/core"
)

// fromMia is a mail of Mia's to the public or the internal address of her
// notice.
func fromMia(o opened, text string, unverified bool) mail {
	return mail{from: mia, subject: "Re: [" + o.Case + "]", text: text, to: o.mia.ReplyTo, inReplyTo: o.mia.MessageID, unverified: unverified}
}

func TestReceive_aReplyToTheInternalAddressIsANote(t *testing.T) {
	for name, m := range map[string]func(opened) mail{
		"in To": func(o opened) mail { return mail{from: mia, to: o.mia.Internal, text: "Between us."} },
		"beside the public address": func(o opened) mail {
			return mail{from: mia, to: o.mia.ReplyTo, text: "Between us.", change: func(m *core.Mail) {
				m.Cc = []core.Address{{Address: o.mia.Internal}}
			}}
		},
		"with the number and threading of the public one": func(o opened) mail {
			m := fromMia(o, "Between us.", false)
			m.to = o.mia.Internal
			return m
		},
		"after the address has expired": func(o opened) mail {
			m := fromMia(o, "Between us.", false)
			m.to = o.mia.Internal
			m.name = "expired"
			return m
		},
		"to the public address with #note": func(o opened) mail { return fromMia(o, "#note\nBetween us.", false) },
		"of a customer to whom it was forwarded": func(o opened) mail {
			return mail{from: anna, to: o.mia.Internal, subject: "Re: " + o.Case, text: "Between us."}
		},
	} {
		t.Run("R40/"+name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			sent := m(o)
			if sent.name == "expired" {
				w.Clock.Advance(91 * 24 * time.Hour)
			}
			sent.change = chain(sent.change, attach("secret.txt", "internal only"))
			r := w.receive(sent)
			wants(t, r, core.Filed, "note", "")
			letters := w.letters()
			noneTo(t, letters, anna)
			notice := to(t, letters, tom, core.NoticeNote)
			if notice.Text != "Between us." || notice.ReplyTo != notice.Internal || notice.Internal == "" {
				t.Errorf("R33: the colleague's notice: %q, reply to %q, internal %q", notice.Text, notice.ReplyTo, notice.Internal)
			}
			customer, agent := w.view(anna, o.Case), w.view(tom, o.Case)
			for _, e := range customer.Entries {
				if e.Kind == "note" || strings.Contains(e.Text+e.Rest, "Between us") || len(e.Files) > 0 {
					t.Errorf("the customer sees %+v", e)
				}
			}
			if len(customer.Files) != 0 || len(agent.Files) != 1 || !agent.Files[0].Internal {
				t.Errorf("files: the customer's %+v, the agent's %+v", customer.Files, agent.Files)
			}
			for _, f := range agent.Files {
				if _, _, err := w.File(t.Context(), w.signsIn(anna), o.Case, f.ID); !errors.Is(err, core.ErrNotFound) {
					t.Errorf("the customer opens the note's file: %v", err)
				}
			}
			for _, e := range agent.Entries {
				if e.Kind == "note" {
					if _, err := w.EntryHTML(t.Context(), w.signsIn(anna), o.Case, "note", e.ID); !errors.Is(err, core.ErrNotFound) {
						t.Errorf("the customer reads the note's HTML: %v", err)
					}
				}
			}
		})
	}
}

func chain(changes ...func(*core.Mail)) func(*core.Mail) {
	return func(m *core.Mail) {
		for _, c := range changes {
			if c != nil {
				c(m)
			}
		}
	}
}

func attach(name, content string) func(*core.Mail) {
	return func(m *core.Mail) {
		m.HTML = "<p>" + m.Text + "</p>"
		m.Files = append(m.Files, core.File{Name: name, Type: "text/plain", Size: int64(len(content)), SHA256: sha256.Sum256([]byte(content)),
			Inline: true, ContentID: name + "@client", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }})
	}
}

// The answer to a note's notice stays internal, however it is threaded.
func TestReceive_anAnswerToANotesNoticeStaysInternal(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	w.receive(mail{from: mia, to: o.mia.Internal, text: "Between us."})
	notice := to(t, w.letters(), tom, core.NoticeNote)
	wants(t, w.receive(mail{from: tom, subject: "Re: [" + o.Case + "]", to: notice.ReplyTo, inReplyTo: notice.MessageID, text: "Yes."}), core.Filed, "note", "")
	noneTo(t, w.letters(), anna)
}

// Where plus addresses do not come through, the notice that is answered says
// whether the answer is internal.
func TestReceive_withoutPlusAddressesAnAnswerToANotesNoticeStaysInternal(t *testing.T) {
	w := newWorld(t, func(s *core.Settings) { s.ReplyTokens = "off" })
	o := w.opens(mail{from: anna})
	if o.mia.ReplyTo != "support@desk.example" || o.mia.Internal != "" {
		t.Fatalf("R33: reply to %s, internal %s", o.mia.ReplyTo, o.mia.Internal)
	}
	w.receive(mail{from: mia, subject: "[" + o.Case + "]", inReplyTo: o.mia.MessageID, text: "#note\nBetween us."})
	notice := to(t, w.letters(), tom, core.NoticeNote)
	wants(t, w.receive(mail{from: tom, subject: "[" + o.Case + "]", inReplyTo: notice.MessageID, text: "Yes."}), core.Filed, "note", "")
	noneTo(t, w.letters(), anna)
	wants(t, w.receive(mail{from: tom, subject: "[" + o.Case + "]", inReplyTo: o.tom.MessageID, text: "Use water."}), core.Filed, "answers", "")
	to(t, w.letters(), anna, core.Answer)
}

func TestReceive_whatProvesAnAgent(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*core.Mail)
		token   bool
		outcome string
		state   core.State
		reason  string
	}{
		{"verified, and to the token", nil, true, "answers", core.Filed, ""},
		{"verified alone", nil, false, "answers", core.Filed, ""},
		{"unknown with the live token waits", unsigned, true, "note, waits", core.Held, "agent-unproved"},
		{"unknown without a token is held", unsigned, false, "held", core.Held, "agent-forged"},
		{"verified with a Date of last month waits", dated(-30 * 24 * time.Hour), true, "note, waits", core.Held, "agent-unproved"},
		{"verified with a Date of last month and no token is held", dated(-30 * 24 * time.Hour), false, "held", core.Held, "agent-forged"},
		{"verified with a Date next month is held", dated(30 * 24 * time.Hour), false, "held", core.Held, "agent-forged"},
		{"verified six days ago is proved", dated(-6 * 24 * time.Hour), false, "answers", core.Filed, ""},
		{"verified without a Date is held", func(m *core.Mail) { m.Date = time.Time{} }, false, "held", core.Held, "agent-forged"},
		{"failed is held even with the token", func(m *core.Mail) {
			m.Signatures = nil
			m.Trusted = []core.AuthField{{Name: "Authentication-Results", Value: "mx.google.com; dmarc=fail (p=REJECT)"}}
		}, true, "held", core.Held, "failed"},
	} {
		t.Run("R42/"+c.name, func(t *testing.T) {
			w := newWorld(t, func(s *core.Settings) { s.Mailboxes[0].Border = "google" })
			o := w.opens(mail{from: anna})
			m := fromMia(o, "#status resolved\nUse water.", false)
			m.change = c.change
			if !c.token {
				m.to = ""
			}
			wants(t, w.receive(m), c.state, c.outcome, c.reason)
			letters := w.letters()
			if c.state == core.Filed {
				to(t, letters, anna, core.Answer)
				return
			}
			noneTo(t, letters, anna)
			if got := w.status(o); got != "open" {
				t.Errorf("the case is %s", got)
			}
			want := core.Warning
			if c.reason == "agent-unproved" {
				want = core.Question
			}
			to(t, letters, mia, want)
		})
	}
}

func unsigned(m *core.Mail) { m.Signatures = nil }

func dated(away time.Duration) func(*core.Mail) {
	return func(m *core.Mail) { m.Date = m.Date.Add(away) }
}

func TestReceive_aForgedAgentIsWarnedOnceAnHour(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	forge := func() []core.Letter {
		w.receive(mail{from: mia, subject: o.Case, text: "#status closed", unverified: true})
		return w.letters()
	}
	l := to(t, forge(), mia, core.Warning)
	if len(l.Payload.Lines) != 1 || l.Payload.Lines[0] != o.Case {
		t.Errorf("R42: the warning tells %q", l.Payload.Lines)
	}
	for range 3 {
		w.Clock.Advance(15 * time.Minute)
		if letters := forge(); len(letters) != 0 {
			t.Errorf("R42: a second warning within the hour: %s", letters[0].Kind)
		}
	}
	w.Clock.Advance(16 * time.Minute)
	to(t, forge(), mia, core.Warning)
	if got := w.status(o); got != "open" {
		t.Errorf("the case is %s", got)
	}
}

// An agent of the desk who writes to another agent's token proves nothing by
// it.
func TestReceive_aColleaguesTokenProvesNothing(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	r := w.receive(mail{from: tom, subject: o.Case, to: o.mia.ReplyTo, text: "Use water.", unverified: true})
	wants(t, r, core.Held, "held", "agent-forged")
}

func TestReceive_aDeskThatTakesATokenAsProof(t *testing.T) {
	w := newWorld(t, nil)
	w.apply(t, func(s string) string { return replace(t, s, `agent_proof = "verified"`, `agent_proof = "token"`) })
	o := w.opens(mail{from: anna})
	wants(t, w.receive(mail{from: tom, subject: o.Case, to: o.mia.ReplyTo, text: "x", unverified: true}), core.Held, "held", "agent-forged")
	wants(t, w.receive(mail{from: mia, subject: o.Case, text: "x", unverified: true}), core.Held, "held", "agent-forged")
	wants(t, w.receive(fromMia(o, "Use water.", true)), core.Filed, "answers", "")
}

// Who holds one token of an agent has no other case by it: neither by a
// Message-ID of the agent's, nor by a list of held mail beside it.
func TestReceive_aTokenIsGoodForItsCaseAlone(t *testing.T) {
	w := newWorld(t, nil)
	w.apply(t, func(s string) string { return replace(t, s, `agent_proof = "verified"`, `agent_proof = "token"`) })
	one, two := w.opens(mail{from: anna}), w.opens(mail{from: carl})
	m := fromMia(one, "Use water.", false)
	m.id = "known@desk.example"
	w.receive(m)
	w.letters()
	t.Run("R42/a Message-ID of another case", func(t *testing.T) {
		r := w.receive(mail{from: mia, to: two.mia.ReplyTo, text: "Give him the keys.", id: m.id, unverified: true})
		if n := w.count(`select count(*) from note where case_id = $1`, one.CaseID); n != 0 || r.CaseID != two.CaseID {
			t.Errorf("%d notes there; %+v", n, r)
		}
	})
}

// A block that is refused is no reason to lose what came with it.
func TestReceive_aRefusedBlockKeepsItsFiles(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	m := fromMia(o, "#status blue", false)
	m.change = chain(attach("plan.txt", "plan"), func(m *core.Mail) { m.Files[0].Inline = false })
	t.Run("R43/as a note's", func(t *testing.T) {
		wants(t, w.receive(m), core.Filed, "commands refused, text kept as a note", "")
		if n := w.count(`select count(*) from entry_file e join file f on f.id = e.file where e.note is not null and f.internal`); n != 1 {
			t.Errorf("%d files", n)
		}
	})
	t.Run("R43/but not a signature's picture", func(t *testing.T) {
		m.text, m.change = "#status green", attach("logo.png", "png")
		wants(t, w.receive(m), core.Filed, "commands refused", "")
	})
}

// waits has an unproved answer of Mia's wait, and returns its row.
func (w *world) waits(o opened, text string, change ...func(*core.Mail)) core.Mail {
	w.t.Helper()
	m := fromMia(o, text, true)
	m.change = chain(change...)
	c := w.keep(m)
	wants(w.t, w.receiveOne(c), core.Held, "note, waits", "agent-unproved")
	return c
}

func TestQuestion_oneInTenMinutesForAllThatWaits(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	o := w.opens(mail{from: anna})
	w.waits(o, "First.")
	first := to(t, w.letters(), mia, core.Question)
	if len(first.Payload.Items) != 1 || first.Payload.Items[0].Number != o.Case || first.Payload.Items[0].Text != "First." {
		t.Errorf("R42: the question shows %+v", first.Payload.Items)
	}
	w.waits(o, "#status resolved\nSecond.")
	w.Clock.Advance(5 * time.Minute)
	w.waits(o, "Third.")
	if n, err := w.AskAgents(ctx); err != nil || n != 0 {
		t.Errorf("R42: %d questions within ten minutes, %v", n, err)
	}
	w.Clock.Advance(5*time.Minute + time.Second)
	if n, err := w.AskAgents(ctx); err != nil || n != 1 {
		t.Fatalf("R42: %d questions after ten minutes, %v", n, err)
	}
	second := to(t, w.letters(), mia, core.Question)
	var shown []string
	for _, i := range second.Payload.Items {
		shown = append(shown, i.Text)
	}
	if !slices.Equal(shown, []string{"#status resolved\nSecond.", "Third."}) {
		t.Errorf("R42: the second question shows %q", shown)
	}
	w.Clock.Advance(time.Hour)
	if n, err := w.AskAgents(ctx); err != nil || n != 0 {
		t.Errorf("R42: %d questions for nothing new, %v", n, err)
	}
}

// Somebody who has a token of the agent may put commands and much text where
// the agent sees a few words of thanks.
func TestQuestion_showsWhatWouldBeDone(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	o := w.opens(mail{from: anna})
	w.waits(o, "#status closed\n#block\nThank you for your patience.")
	w.waits(o, "1\n2\n3\n4\n5\n6\nPay to another account.")
	first := to(t, w.letters(), mia, core.Question)
	t.Run("R42/the commands of a waiting mail stand in the question", func(t *testing.T) {
		if got := first.Payload.Items[0].Text; got != "#status closed\n#block\nThank you for your patience." {
			t.Errorf("it shows %q", got)
		}
		view, err := w.QuestionByLink(ctx, secret(t, first))
		if err != nil || len(view.Items) != 1 || view.Items[0].Text != first.Payload.Items[0].Text {
			t.Errorf("and its page %+v, %v", view.Items, err)
		}
	})
	t.Run("R42/and that there is more text than is shown", func(t *testing.T) {
		w.Clock.Advance(11 * time.Minute)
		if _, err := w.AskAgents(ctx); err != nil {
			t.Fatal(err)
		}
		if got := to(t, w.letters(), mia, core.Question).Payload.Items[0].Text; got != "1\n2\n3\n4\n5\n6\n[...]" {
			t.Errorf("it shows %q", got)
		}
	})
}

func TestQuestion_answeredByMailFilesWhatItShowed(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	waiting := w.waits(o, "#status resolved\nUse water.", attach("how.txt", "pour"))
	question := to(t, w.letters(), mia, core.Question)
	later := w.waits(o, "Not shown.")
	if got := w.entries(w.signsIn(mia), o.Case, "note"); !slices.Equal(got, []string{"#status resolved\nUse water.", "Not shown."}) {
		t.Errorf("R42: the desk sees %q", got)
	}
	r := w.receive(mail{from: mia, subject: "Re: did you write these?", text: "yes", to: question.ReplyTo, unverified: true})
	wants(t, r, core.Filed, "confirms what waits", "")
	wants(t, w.receiveOne(waiting), core.Filed, "answers", "")
	answer := to(t, w.letters(), anna, core.Answer)
	if answer.Text != "Use water." || answer.Payload.Status != "Resolved" || len(answer.Files) != 1 {
		t.Errorf("R42: the answer: %q, %s, files %+v", answer.Text, answer.Payload.Status, answer.Files)
	}
	if got := w.entries(w.signsIn(mia), o.Case, "note"); !slices.Equal(got, []string{"Not shown."}) {
		t.Errorf("R42: notes %q", got)
	}
	wants(t, w.receiveOne(later), core.Held, "was at its end before", "")
	if view := w.view(anna, o.Case); len(view.Files) != 1 || view.Files[0].Internal {
		t.Errorf("files %+v", view.Files)
	}
}

// Whatever a waiting mail was meant to be, it becomes that, and its waiting
// note goes.
func TestQuestion_confirmedMailBecomesWhatItWasMeantToBe(t *testing.T) {
	for _, c := range []struct {
		name, text string
		internal   bool
		outcome    string
		notes      []string
		status     string
	}{
		{"an answer", "Use water.", false, "answers", nil, "in-progress"},
		{"a note to the internal address", "Between us.", true, "note", []string{"Between us."}, "open"},
		{"a note by command", "#note\nBetween us.", false, "note", []string{"Between us."}, "open"},
		{"commands alone", "#status resolved", false, "commands", nil, "resolved"},
		{"a refused command", "#status blue\nText.", false, "commands refused, text kept as a note", []string{"Text."}, "open"},
	} {
		t.Run("R42/"+c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			change := []func(*core.Mail){}
			if c.name != "commands alone" {
				change = append(change, attach("a.txt", "with a file"))
			}
			if c.internal {
				change = append(change, func(m *core.Mail) { m.To = []core.Address{{Address: o.mia.Internal}}; m.Delivered = nil })
			}
			waiting := w.waits(o, c.text, change...)
			question := to(t, w.letters(), mia, core.Question)
			if err := w.PressQuestion(t.Context(), secret(t, question), nil); err != nil {
				t.Fatal(err)
			}
			wants(t, w.receiveOne(waiting), core.Filed, c.outcome, "")
			if got := w.entries(w.signsIn(tom), o.Case, "note"); !slices.Equal(got, c.notes) {
				t.Errorf("notes %q, want %q", got, c.notes)
			}
			if n := w.count(`select count(*) from note where 'waits' = any(marks)`); n != 0 {
				t.Errorf("%d notes still wait", n)
			}
			if got := w.status(o); got != c.status {
				t.Errorf("the case is %s, want %s", got, c.status)
			}
			if n := w.count(`select count(*) from file`); c.name != "commands alone" && n != 1 {
				t.Errorf("%d files", n)
			}
		})
	}
}

func TestQuestion_onItsPageEachMailCanBeStruckOut(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	o := w.opens(mail{from: anna})
	w.waits(o, "Shown in the first question.")
	forged, mine := w.waits(o, "Forged."), w.waits(o, "Mine.")
	w.letters()
	w.Clock.Advance(11 * time.Minute)
	if n, err := w.AskAgents(ctx); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	link := secret(t, to(t, w.letters(), mia, core.Question))
	v, err := w.QuestionByLink(ctx, link)
	if err != nil || v.Address != mia || len(v.Items) != 2 || v.Items[0].Ledger != forged.Ledger || v.Items[1].Text != "Mine." {
		t.Fatalf("R42: the page shows %+v, %v", v, err)
	}
	other := w.waits(o, "In no question yet.")
	if err := w.PressQuestion(ctx, link, []int64{forged.Ledger, other.Ledger, 999}); err != nil {
		t.Fatal(err)
	}
	wants(t, w.receiveOne(mine), core.Filed, "answers", "")
	if l := to(t, w.letters(), anna, core.Answer); l.Text != "Mine." {
		t.Errorf("the answer is %q", l.Text)
	}
	for m, want := range map[int64]string{forged.Ledger: "refused", other.Ledger: "held"} {
		if state := w.text(`select state from ledger where id = $1`, m); state != want {
			t.Errorf("R42: a mail is %s, want %s", state, want)
		}
	}
	if _, err := w.QuestionByLink(ctx, link); !errors.Is(err, core.ErrExpired) {
		t.Errorf("R46: the question is still open: %v", err)
	}
	if err := w.PressQuestion(ctx, link, nil); !errors.Is(err, core.ErrExpired) {
		t.Errorf("R46: pressed twice: %v", err)
	}
}

// A question can be answered once, within a week; what an answer after that
// says is not pretended to have been done.
func TestQuestion_anAnswerToAQuestionThatIsOverConfirmsNothing(t *testing.T) {
	for name, over := range map[string]func(*world, core.Letter){
		"after a week": func(w *world, q core.Letter) { w.Clock.Advance(7*24*time.Hour + time.Minute) },
		"answered before": func(w *world, q core.Letter) {
			if err := w.PressQuestion(t.Context(), secret(t, q), nil); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run("R42/"+name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			w.waits(o, "Use water.")
			question := to(t, w.letters(), mia, core.Question)
			over(w, question)
			r := w.receive(mail{from: mia, subject: "Re: did you write these?", text: "yes", to: question.ReplyTo, unverified: true})
			wants(t, r, core.Held, "held", "question-over")
		})
	}
}

func TestQuestion_theTokenInOtherHandsConfirmsNothing(t *testing.T) {
	for name, m := range map[string]mail{
		"of a stranger":            {from: eve, unverified: true},
		"of a verified customer":   {from: anna},
		"of a verified colleague":  {from: tom},
		"of the agent's responder": {from: mia, unverified: true, change: func(m *core.Mail) { m.Marks.AutoSubmitted = "auto-generated" }},
		"of a forged agent": {from: mia, change: func(m *core.Mail) {
			m.Trusted, m.Signatures = []core.AuthField{{Name: "Authentication-Results", Value: "mx.google.com; dmarc=fail (p=REJECT)"}}, nil
		}},
	} {
		t.Run("R42/"+name, func(t *testing.T) {
			w := newWorld(t, func(s *core.Settings) { s.Mailboxes[0].Border = "google" })
			o := w.opens(mail{from: anna})
			waiting := w.waits(o, "Use water.")
			m.to, m.subject, m.text = to(t, w.letters(), mia, core.Question).ReplyTo, "Re: did you write these?", "yes"
			if r := w.receive(m); r.State != core.Held {
				t.Errorf("%+v", r)
			}
			wants(t, w.receiveOne(waiting), core.Held, "was at its end before", "")
			noneTo(t, w.letters(), anna)
		})
	}
	w := newWorld(t, nil)
	for _, link := range []string{"", "guess", strings.Repeat("a", 26)} {
		if err := w.PressQuestion(context.Background(), link, nil); !errors.Is(err, core.ErrExpired) {
			t.Errorf("R46/link %q: %v", link, err)
		}
	}
}

func TestReceive_commandsOfAnAgent(t *testing.T) {
	for _, c := range []struct {
		name, text string
		outcome    string
		status     string
		refused    bool
		says       string // the transcript
		answer     string // the customer reads; "" for no answer
		note       string
	}{
		{"R43/a good line moves and its text goes out without it", "#status need-input\nWhich printer?", "answers", "need-input", false, "Open -> Need input", "Which printer?", ""},
		{"R43/a line alone moves", "#status resolved", "commands", "resolved", false, "Open -> Resolved", "", ""},
		{"R43/a mistyped command moves nothing and keeps the text as a note", "#statsu resolved\nUse water.",
			"commands refused, text kept as a note", "open", true, "#status", "", "Use water."},
		{"R43/an unknown status moves nothing", "#status blue\nUse water.", "commands refused, text kept as a note", "open", true, "resolved", "", "Use water."},
		{"R43/one bad line rejects the good one", "#status resolved\n#status blue\nUse water.", "commands refused, text kept as a note", "open", true, "blue", "", "Use water."},
		{"R43/a bad line alone leaves nothing", "#status blue", "commands refused", "open", true, "blue", "", ""},
		{"R43/a move that the desk does not have is refused", "#status closed 3d\nBye.", "commands refused, text kept as a note", "open", true, "no-date-taken closed", "", "Bye."},
		{"R43/what needs a reason is refused without", "#status cancelled", "commands refused", "open", true, "reason", "", ""},
		{"R43/and done with one", "#status cancelled\nA duplicate.", "answers", "cancelled", false, "Open -> Cancelled", "A duplicate.", ""},
		{"R43/a note with a move tells the customer the move alone", "#status resolved\n#note\nI think.", "note", "resolved", false, "Resolved", "", "I think."},
		{"R42/the first answer takes the case", "Use water.", "answers", "in-progress", false, "", "Use water.", ""},
		{"R43/an explicit status beats taking the case", "#status open\nStill looking.", "answers", "open", false, "", "Still looking.", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			wants(t, w.receive(fromMia(o, c.text, false)), core.Filed, c.outcome, "")
			letters := w.letters()
			if got := w.status(o); got != c.status {
				t.Errorf("the case is %s, want %s", got, c.status)
			}
			if c.says != "" {
				l := to(t, letters, mia, core.Transcript)
				if (l.Payload.Reason == "refused") != c.refused || !strings.Contains(saysInTranscript(l), c.says) {
					t.Errorf("the transcript says %q, %q", l.Payload.Reason, saysInTranscript(l))
				}
			} else if n := len(kinds(letters, core.Transcript)); strings.HasPrefix(c.text, "Use") && n != 0 {
				t.Error("a transcript of no command")
			}
			if c.answer != "" {
				if l := to(t, letters, anna, core.Answer); l.Text != c.answer || strings.Contains(l.Text, "#") {
					t.Errorf("the customer reads %q", l.Text)
				}
			} else if n := len(kinds(letters, core.Answer)); n != 0 {
				t.Errorf("%d answers", n)
			}
			if c.answer == "" && c.status != "open" {
				to(t, letters, anna, core.StatusNews)
			}
			var notes []string
			if c.note != "" {
				notes = []string{c.note}
			}
			if got := w.entries(w.signsIn(tom), o.Case, "note"); !slices.Equal(got, notes) {
				t.Errorf("notes %q, want %q", got, notes)
			}
		})
	}
}

func TestReceive_theFirstAgentWhoAnswersOwnsTheCase(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	w.answers(o, "Use water.")
	w.receive(mail{from: anna, subject: o.Case, text: "It still burns."})
	letters := w.letters()
	to(t, letters, mia, core.NoticeComment)
	noneTo(t, letters, tom)
	if got := w.view(tom, o.Case).Owner; got != "Mia" {
		t.Errorf("owner %q", got)
	}
}

// Rights are those of now: who is no agent any more answers as anybody.
func TestReceive_aFormerAgentsTokenGivesNothing(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	w.exec(`delete from agent where person = (select person from address where address = $1)`, mia)
	r := w.receive(fromMia(o, "#status closed\nBye.", false))
	if r.Outcome != "opens a case" || r.CaseID == o.CaseID {
		t.Errorf("R44: %+v", r)
	}
	noneTo(t, w.letters(), anna)
}

func TestQuestion_aReleasedAutoReplyConfirmsNothing(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	w.waits(o, "Forged.")
	question := to(t, w.letters(), mia, core.Question)
	away := w.keep(mail{from: mia, subject: "Automatic reply", text: "I am away.", to: question.ReplyTo,
		change: func(m *core.Mail) { m.Marks.AutoSubmitted = "auto-replied" }})
	r, err := w.Receive(t.Context(), away)
	if err != nil || r.State != core.Held {
		t.Fatalf("R28: %+v %v", r, err)
	}
	if err := w.Release(t.Context(), w.signsIn(mia), away.Ledger); err != nil {
		t.Fatal(err)
	}
	if r, err = w.Receive(t.Context(), away); err != nil || r.Outcome == "confirms what waits" {
		t.Errorf("R28, R42: %+v %v", r, err)
	}
	if n := w.count(`select count(*) from ledger where state = 'held' and reason = 'agent-unproved'`); n != 1 {
		t.Errorf("R42: %d mails wait", n)
	}
	for _, l := range w.letters() {
		if l.To.Address == anna && l.Kind == core.Answer {
			t.Errorf("R42: the customer got %q", l.Text)
		}
	}
}

func TestReceive_aCommandBelowTheTextReachesNoCustomer(t *testing.T) {
	w := newWorld(t, nil)
	o := w.opens(mail{from: anna})
	r := w.receive(mail{from: mia, subject: "Re: " + o.Case, to: o.mia.ReplyTo, text: "Turn it off.\n#status resolved"})
	if !strings.HasPrefix(r.Outcome, "commands refused") {
		t.Errorf("R43: %+v", r)
	}
	letters := w.letters()
	noneTo(t, letters, anna)
	to(t, letters, mia, core.Transcript)
}
