package core

import (
	"slices"
	"testing"
	"time"
)

func TestFold_whatBecomesOfALetterBesideOthers(t *testing.T) {
	const anna, mia = "anna@northwind.example", "mia@desk.example"
	news := func(was, is string) Payload { return Payload{Changed: true, Was: was, Status: is, Actor: "Tom"} }
	open := func(kind Kind, to string, p Payload) openLetter {
		return openLetter{ID: 5, CaseID: 7, Address: to, Kind: kind, MessageID: "m", QueuedAt: noon.Add(-20 * time.Second), Payload: p}
	}
	letter := func(kind Kind, to string, p Payload) cleared {
		return cleared{draft: draft{kind: kind, to: recipient{address: to}, payload: p}}
	}
	withheld := func(c cleared, why string) cleared { c.withheld = why; return c }
	assigned := Payload{Actor: "Tom", Status: "Open"}
	type want struct {
		withheld string
		due      time.Duration // after noon
		into     Kind
		takes    bool
		moot     bool
		was, is  string
		marks    []string
		actor    string
	}
	for _, c := range []struct {
		name   string
		c      cleared
		open   []openLetter
		lately time.Duration // before noon; 0: nothing
		want   want
	}{
		{"R47/news waits", letter(StatusNews, anna, news("Open", "Done")), nil, 0, want{due: time.Minute, was: "Open", is: "Done", actor: "Tom"}},
		{"R47/a text does not", letter(NoticeComment, mia, Payload{Actor: "Anna"}), nil, 0, want{actor: "Anna"}},
		{"R47/a text soon after another mail waits for the end of the minute", letter(NoticeComment, mia, Payload{}), nil, 20 * time.Second, want{due: 40 * time.Second}},
		{"R47/a confirmation never waits", letter(Confirmation, anna, Payload{}), nil, time.Second, want{}},
		{"R47/a transcript never waits", letter(Transcript, mia, news("Open", "Done")), []openLetter{open(NoticeStatus, mia, news("New", "Open"))}, time.Second, want{was: "Open", is: "Done", actor: "Tom"}},
		{"R47/a bounce never waits", letter(NoticeBounce, mia, Payload{}), nil, time.Second, want{}},
		{"R47/a reminder never waits", letter(Reminder, anna, Payload{}), nil, time.Second, want{}},
		{"R47/an owner is told with the status that waits", letter(NoticeAssigned, mia, assigned), []openLetter{open(NoticeStatus, mia, news("New", "Open"))}, 0,
			want{withheld: toldBefore, into: NoticeAssigned, was: "New", is: "Open", actor: "Tom"}},
		{"R47/a status with the owner that waits", letter(NoticeStatus, mia, Payload{Changed: true, Was: "Open", Status: "Done", Actor: "Anna"}), []openLetter{open(NoticeAssigned, mia, assigned)}, 0,
			want{withheld: toldBefore, into: NoticeAssigned, was: "Open", is: "Done", actor: "Tom"}},
		{"R47/an owner is told even if the status came back", letter(NoticeAssigned, mia, Payload{Actor: "Tom", Changed: true, Was: "Done", Status: "Open"}), []openLetter{open(NoticeStatus, mia, news("Open", "Done"))}, 0,
			want{withheld: toldBefore, into: NoticeAssigned, is: "Open", actor: "Tom"}},
		{"R47/a text takes the owner up", letter(NoticeComment, mia, Payload{Actor: "Anna"}), []openLetter{open(NoticeAssigned, mia, assigned)}, 0,
			want{takes: true, marks: []string{"assigned"}, actor: "Anna"}},
		{"R47/and says to others whose it is", letter(NoticeComment, mia, Payload{Actor: "Anna"}), []openLetter{open(NoticeAssigned, mia, Payload{Owner: "Zoe"})}, 0,
			want{takes: true, marks: []string{"assigned: Zoe"}, actor: "Anna"}},
		{"R47/a text that waits tells the owner", letter(NoticeAssigned, mia, assigned), []openLetter{open(NoticeComment, mia, Payload{Actor: "Anna", Comment: 3})}, 0,
			want{withheld: toldBefore, into: NoticeComment, marks: []string{"assigned"}, is: "Open", actor: "Anna"}},
		{"R47/a status that came back is told by nobody", letter(StatusNews, anna, news("Done", "Open")), []openLetter{open(StatusNews, anna, news("Open", "Done"))}, 0,
			want{withheld: backAgain, moot: true, was: "Done", is: "Open", actor: "Tom"}},
		{"R47/another person's letter is left alone", letter(StatusNews, anna, news("Done", "Open")), []openLetter{open(StatusNews, mia, news("Open", "Done"))}, 0,
			want{due: time.Minute, was: "Done", is: "Open", actor: "Tom"}},
		{"R47/the eleventh notice is told in one that waits, if there is one", withheld(letter(NoticeStatus, mia, news("Open", "Done")), gathered), []openLetter{open(NoticeStatus, mia, news("New", "Open"))}, 0,
			want{withheld: toldBefore, into: NoticeStatus, was: "New", is: "Done", actor: "Tom"}},
		{"R47/else it is gathered", withheld(letter(NoticeStatus, mia, news("Open", "Done")), gathered), nil, 0,
			want{withheld: gathered, was: "Open", is: "Done", actor: "Tom"}},
		{"R48/what a budget stops is told in a mail that counts already", withheld(letter(StatusNews, anna, news("Open", "Done")), "budget (R48)"), []openLetter{open(StatusNews, anna, news("New", "Open"))}, 0,
			want{withheld: toldBefore, into: StatusNews, was: "New", is: "Done", actor: "Tom"}},
		{"R48/a text that a budget stops leaves the news alone", withheld(letter(NoticeComment, mia, Payload{}), gathered), []openLetter{open(NoticeStatus, mia, news("New", "Open"))}, 0,
			want{withheld: gathered}},
		{"R55/what must not leave is told nowhere", withheld(letter(StatusNews, anna, news("Open", "Done")), "suppressed (R55)"), []openLetter{open(StatusNews, anna, news("New", "Open"))}, 0,
			want{withheld: "suppressed (R55)", was: "Open", is: "Done", actor: "Tom"}},
		{"R47/what is for the digest is no mail", withheld(letter(StatusNews, anna, news("Open", "Done")), forDigest), []openLetter{open(StatusNews, anna, news("New", "Open"))}, 0,
			want{withheld: forDigest, was: "Open", is: "Done", actor: "Tom"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := beside{waiting: c.open}
			if c.lately != 0 {
				s.lately = []recentLetter{{ID: 4, CaseID: 7, Address: c.c.to.address, At: noon.Add(-c.lately)},
					{ID: 3, CaseID: 8, Address: c.c.to.address, At: noon}, {ID: 2, CaseID: 7, Address: "zoe@desk.example", At: noon}}
			}
			got := s.fold(c.c, 7, time.Minute, noon)
			p, is := got.payload, want{withheld: got.withheld, takes: got.takes == 5, moot: got.moot == 5}
			if got.into != nil {
				is.into, p = got.into.kind, got.into.payload
				if got.into.id != 5 || got.into.messageID != "m" {
					t.Errorf("into %+v", got.into)
				}
			}
			if !got.due.IsZero() {
				is.due = got.due.Sub(noon)
			}
			is.was, is.is, is.marks, is.actor = p.Was, p.Status, p.Marks, p.Actor
			if !slices.Equal(is.marks, c.want.marks) {
				t.Errorf("marks %q, want %q", is.marks, c.want.marks)
			}
			is.marks, c.want.marks = nil, nil
			if is.withheld != c.want.withheld || is.due != c.want.due || is.into != c.want.into || is.takes != c.want.takes || is.moot != c.want.moot ||
				is.was != c.want.was || is.is != c.want.is || is.actor != c.want.actor {
				t.Errorf("got  %+v\nwant %+v", is, c.want)
			}
			if p.Changed != (p.Was != "") {
				t.Errorf("changed %v, was %q", p.Changed, p.Was)
			}
			if got := s.fold(c.c, 7, 0, noon); got.into != nil || got.takes != 0 || got.moot != 0 || !got.due.IsZero() {
				t.Errorf("without gathering: %+v", got)
			}
		})
	}
}

// An agent who gets a case by a command that comes later hears of it.
func TestTell_theNewOwnerHearsThatTheCaseIsTheirs(t *testing.T) {
	tell := func(entry *newEntry, change *statusChange, to int64) string {
		agents := []agentRow{{Person: 1, Name: "Mia", Address: "mia@desk.example", Role: "agent"}, {Person: 2, Name: "Tom", Address: "tom@desk.example", Role: "agent"},
			{Person: 3, Name: "Zoe", Address: "zoe@desk.example", Role: "agent", Wishes: map[string]string{"note": "mail"}}}
		set := Settings{Budgets: DefaultBudgets()}
		r := &reading{f: &facts{agents: agents}, desk: &running{Desk: shippedDesk(t)}, set: &set, now: noon, isOwn: func(string) bool { return false },
			plan: plan{person: 1, class: Human, assurance: Verified, entry: entry, change: change, sets: []caseField{{columnOwner, to}}}}
		r.m.Received = noon
		c := &caseRow{ID: 7, Status: "in-progress"}
		if entry != nil {
			r.tellDesk(c, NoticeNote, "Mia", nil)
		} else {
			r.tellColleagues(c, provenAgent{person: 1, name: "Mia"})
		}
		var all string
		for _, l := range r.plan.letters {
			all += string(l.kind) + " to " + l.to.address
			for _, m := range l.payload.Marks {
				all += ", " + m
			}
			all += "; "
		}
		return all
	}
	d := shippedDesk(t)
	from, _ := d.Status("in-progress")
	to, _ := d.Status("third-party")
	for _, c := range []struct {
		name   string
		entry  *newEntry
		change *statusChange
		to     int64
		want   string
	}{
		{"R47/alone", nil, nil, 2, "notice-assigned to tom@desk.example; "},
		{"R47/with a status, in one mail", nil, &statusChange{from: from, to: to}, 2, "notice-status to tom@desk.example, assigned; "},
		{"R47/with a note, in one mail", &newEntry{note: true}, nil, 2, "notice-note to tom@desk.example, assigned; notice-note to zoe@desk.example; "},
		{"R52/not whoever takes it", nil, nil, 1, ""},
		{"R52/nobody, if nobody gets it", nil, nil, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := tell(c.entry, c.change, c.to); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}
