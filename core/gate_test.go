package core

import (
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

// ago is n instants, each so long before noon.
func ago(n int, d time.Duration) []time.Time {
	var all []time.Time
	for range n {
		all = append(all, noon.Add(-d))
	}
	return all
}

func TestGate_whoGetsAutomaticMail(t *testing.T) {
	anna := recipient{person: 1, address: "anna@northwind.example"}
	mia := recipient{person: 2, address: "mia@desk.example", agent: true}
	verified := &causing{class: Human, assurance: Verified}
	unknown := &causing{class: Human, assurance: Unknown}
	caused := func(change func(*causing)) *causing {
		c := *verified
		change(&c)
		return &c
	}
	dead := func(r recipient) recipient { r.suppressed = true; return r }
	hourly := func(r recipient) recipient { r.digest = true; return r }
	noticed := func(n int) recipient { r := mia; r.notices = n; return r }
	for _, c := range []struct {
		name     string
		draft    draft
		cause    *causing
		spent    counts
		withheld string // what the reason holds; "" for let out
	}{
		{"R47/a person's verified mail is answered", draft{kind: Confirmation, to: anna}, verified, counts{}, ""},
		{"R47/a person's unknown mail is answered", draft{kind: Confirmation, to: anna}, unknown, counts{}, ""},
		{"R47/a chore's mail goes out", draft{kind: Reminder, to: anna}, nil, counts{}, ""},
		{"R47/what a person wrote passes whatever caused it", draft{kind: Answer, human: true, to: dead(anna)},
			caused(func(c *causing) { c.class, c.late = PerhapsMachine, true }), counts{}, ""},
		{"R41/failed mail is not answered", draft{kind: HeldAnswer, to: anna}, caused(func(c *causing) { c.assurance = Failed }), counts{}, "R41"},
		{"R47/an empty Return-Path is not answered", draft{kind: Confirmation, to: anna}, caused(func(c *causing) { c.nullPath = true }), counts{}, "R47"},
		{"R27/X-Auto-Response-Suppress is obeyed", draft{kind: Confirmation, to: anna}, caused(func(c *causing) { c.suppress = true }), counts{}, "R27"},
		{"R8/late mail is not answered", draft{kind: Confirmation, to: anna}, caused(func(c *causing) { c.late = true }), counts{}, "R8"},
		{"R8/late mail gives agents no notice either", draft{kind: NoticeNew, to: mia}, caused(func(c *causing) { c.late = true }), counts{}, "R8"},
		{"R55/a suppressed address gets nothing automatic", draft{kind: Confirmation, to: dead(anna)}, verified, counts{}, "R55"},
		{"R55/a suppressed agent too", draft{kind: NoticeNew, to: dead(mia)}, verified, counts{}, "R55"},
		{"R47/agents hear of a machine's mail", draft{kind: NoticeNew, to: mia}, caused(func(c *causing) { c.class, c.nullPath, c.suppress = PerhapsMachine, true, true }), counts{}, ""},
		{"R27/an agent's mail that wants no answer gets none", draft{kind: Transcript, to: mia, replied: true}, caused(func(c *causing) { c.suppress = true }), counts{}, "R27"},
		{"R47/agents have no budget", draft{kind: NoticeNew, to: mia}, verified, counts{automatic: ago(1000, time.Second)}, ""},
		{"R47/an agent's tenth notice in ten minutes goes out", draft{kind: NoticeNew, to: noticed(9)}, verified, counts{}, ""},
		{"R47/the eleventh is gathered", draft{kind: NoticeNew, to: noticed(10)}, verified, counts{}, gathered},
		{"R47/a question is never gathered", draft{kind: Question, to: noticed(50)}, nil, counts{}, ""},
		{"R47/a warning is never gathered", draft{kind: Warning, to: noticed(50)}, nil, counts{}, ""},
		{"R47/a transcript is never gathered", draft{kind: Transcript, to: noticed(50)}, verified, counts{}, ""},
		{"R47/who hears in a digest gets no mail", draft{kind: StatusNews, to: hourly(anna)}, verified, counts{}, forDigest},
		{"R47/nor does an agent", draft{kind: NoticeComment, to: hourly(noticed(10))}, verified, counts{}, forDigest},
		{"R48/a digest is no mail yet: no budget stops it", draft{kind: StatusNews, to: hourly(anna)}, nil, counts{automatic: ago(60, time.Minute)}, forDigest},
		{"R47/a person's text for a digest waits too", draft{kind: Answer, human: true, to: hourly(anna)}, nil, counts{}, forDigest},
		{"R55/but is mailed where no digest goes", draft{kind: Answer, human: true, to: hourly(dead(anna))}, nil, counts{}, ""},
		{"R55/of a suppressed address no digest knows", draft{kind: StatusNews, to: hourly(dead(anna))}, nil, counts{}, "R55"},
		{"R8/nor of late mail", draft{kind: StatusNews, to: hourly(anna)}, caused(func(c *causing) { c.late = true }), counts{}, "R8"},
		{"R48/ten confirmations an hour for a verified sender", draft{kind: Confirmation, to: anna}, verified, counts{confirmed: ago(9, 30*time.Minute)}, ""},
		{"R48/and no eleventh", draft{kind: Confirmation, to: anna}, verified, counts{confirmed: ago(10, 30*time.Minute)}, "R48"},
		{"R48/fifty a day", draft{kind: Confirmation, to: anna}, verified, counts{confirmed: ago(50, 23*time.Hour)}, "R48"},
		{"R48/and again after a day", draft{kind: Confirmation, to: anna}, verified, counts{confirmed: ago(50, 25*time.Hour)}, ""},
		{"R48/three an hour for an unknown one", draft{kind: Confirmation, to: anna}, unknown, counts{confirmed: ago(2, 30*time.Minute)}, ""},
		{"R48/and no fourth", draft{kind: Confirmation, to: anna}, unknown, counts{confirmed: ago(3, 30*time.Minute)}, "R48"},
		{"R48/ten a day for an unknown one", draft{kind: Confirmation, to: anna}, unknown, counts{confirmed: ago(10, 23*time.Hour)}, "R48"},
		{"R48/a contact who was verified before has the larger budget", draft{kind: Confirmation, to: anna},
			&causing{class: Human, assurance: Unknown, before: true}, counts{confirmed: ago(9, 30*time.Minute)}, ""},
		{"R48/and it ends too", draft{kind: Confirmation, to: anna},
			&causing{class: Human, assurance: Unknown, before: true}, counts{confirmed: ago(10, 30*time.Minute)}, "R48"},
		{"R48/answers to held mail are confirmations", draft{kind: HeldAnswer, to: anna}, unknown, counts{confirmed: ago(3, 30*time.Minute)}, "R48"},
		{"R48/unverified senders have a minute's budget in all", draft{kind: Confirmation, to: anna}, unknown, counts{answered: ago(120, 30*time.Second)}, "R48"},
		{"R48/and an hour's", draft{kind: Confirmation, to: anna}, unknown, counts{answered: ago(1000, 30*time.Minute)}, "R48"},
		{"R48/verified senders do not share it", draft{kind: Confirmation, to: anna}, verified, counts{answered: ago(1000, 30*time.Second), sameHost: 1000}, ""},
		{"R48/sixty an hour to one unverified domain", draft{kind: Confirmation, to: anna}, unknown, counts{sameHost: 60}, "R48"},
		{"R48/the fifty-nine before it are let out", draft{kind: Confirmation, to: anna}, unknown, counts{sameHost: 59}, ""},
		{"R48/a public provider's domain has three hundred", draft{kind: Confirmation, to: recipient{address: "anna@gmail.com"}}, unknown, counts{sameHost: 299}, ""},
		{"R48/and no more", draft{kind: Confirmation, to: recipient{address: "anna@gmail.com"}}, unknown, counts{sameHost: 300}, "R48"},
		{"R48/ten automatic mails in ten minutes", draft{kind: StatusNews, to: anna}, verified, counts{automatic: ago(10, 9*time.Minute)}, "R48"},
		{"R48/twenty an hour", draft{kind: StatusNews, to: anna}, verified, counts{automatic: ago(20, 50*time.Minute)}, "R48"},
		{"R48/sixty a day", draft{kind: StatusNews, to: anna}, nil, counts{automatic: ago(60, 23*time.Hour)}, "R48"},
		{"R48/nineteen an hour are let out", draft{kind: StatusNews, to: anna}, nil, counts{automatic: ago(19, 50*time.Minute)}, ""},
		{"R48/an answer to a word counts apart", draft{kind: WordRefused, to: anna}, verified, counts{automatic: ago(60, time.Minute)}, ""},
		{"R48/five in ten minutes on one case", draft{kind: StatusNews, to: anna}, verified, onCase(7, 5, time.Minute), "case"},
		{"R48/other cases do not count for it", draft{kind: StatusNews, to: anna}, verified, onCase(8, 5, time.Minute), ""},
		{"R48/twenty-five in ten hours on one case", draft{kind: StatusNews, to: anna}, nil, onCase(7, 25, 9*time.Hour), "case"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := gate(c.draft, c.cause, c.spent, DefaultBudgets(), 7, noon)
			switch {
			case c.withheld == "" && got.withheld != "":
				t.Errorf("withheld: %s", got.withheld)
			case c.withheld != "" && !strings.Contains(got.withheld, c.withheld):
				t.Errorf("withheld %q, want a reason with %q", got.withheld, c.withheld)
			}
			if got.kind != c.draft.kind || got.to.address != c.draft.to.address {
				t.Error("the gate changed the letter")
			}
		})
	}
}

func onCase(caseID int64, n int, d time.Duration) counts {
	var c counts
	for _, at := range ago(n, d) {
		c.onCase = append(c.onCase, caseTime{caseID, at})
	}
	return c
}

func TestGate_onlyHumanMailIsAnswered(t *testing.T) {
	for _, class := range []Class{Own, OwnAddress, BounceMail, ReceiptMail, AutoReply, Bulk, PerhapsMachine, Human} {
		c := gate(draft{kind: Confirmation, to: recipient{address: "anna@northwind.example"}},
			&causing{class: class, assurance: Verified}, counts{}, DefaultBudgets(), 1, noon)
		if (c.withheld == "") != (class == Human) {
			t.Errorf("R27/%s: withheld %q", class, c.withheld)
		}
	}
}

func TestOver_windowsSlide(t *testing.T) {
	windows := []Window{{2, 10 * time.Minute}, {3, time.Hour}}
	for _, c := range []struct {
		name string
		at   []time.Time
		want bool
	}{
		{"none is within", nil, false},
		{"one of two is within", ago(1, time.Minute), false},
		{"two of two are not", ago(2, time.Minute), true},
		{"one that left the window counts no more", append(ago(1, time.Minute), ago(1, 10*time.Minute)...), false},
		{"one about to leave it counts", append(ago(1, time.Minute), ago(1, 10*time.Minute-time.Nanosecond)...), true},
		{"the longer window counts too", ago(3, 30*time.Minute), true},
		{"the order does not matter", append(ago(2, 2*time.Hour), ago(2, time.Minute)...), true},
	} {
		if got := over(c.at, windows, noon); got != c.want {
			t.Errorf("R48/%s: %v", c.name, got)
		}
	}
	if over(ago(1000, time.Second), nil, noon) {
		t.Error("R48: no window is a limit")
	}
}
