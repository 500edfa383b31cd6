package main

import (
	"fmt"
	"strings"
	"testing"

	"postern/core"
)

// The commands' address, and the one for new cases.
const (
	commandAddress = "support+command@desk.example"
	newCase        = "support+new@desk.example"
)

// day is a town on a working day: Mia and Tom are agents, Anna and Bo work at
// Northwind, Carla at Fabrikam.
type day struct {
	*town
	anna, bo, carla, mia, tom resident
}

func newDay(t *testing.T) *day {
	t.Helper()
	w := newTown(t, func(file string) string {
		return strings.Replace(file, "[reopen]", `[[template]]
key = "ribbon"
label = "The other ribbon"
text.en = "Hello {name},\n\nplease try the other ribbon, and tell us about {number}."

[reopen]`, 1)
	})
	d := &day{
		town:  w,
		anna:  w.lives("Anna Berg", "anna@northwind.example"),
		bo:    w.lives("Bo Lind", "bo@northwind.example"),
		carla: w.lives("Carla Ross", "carla@fabrikam.example"),
		mia:   w.lives("Mia Holm", "mia@desk.example"),
		tom:   w.lives("Tom Vale", "tom@desk.example"),
	}
	w.serve()
	w.plus()
	return d
}

// caseIs waits until a column of a case, as text, has a value.
func (d *day) caseIs(number, column, want string) {
	d.t.Helper()
	var got string
	defer func() {
		if got != want {
			d.t.Logf("%s of %s is %q", column, number, got)
		}
	}()
	by(d.t, soon, fmt.Sprintf("%s of %s is %q", column, number, want), func() bool {
		got = ask[string](d.desk, `
			select coalesce((`+column+`)::text, '') from cases c
			left join person owner on owner.id = c.owner left join person requester on requester.id = c.requester
			where 'CASE-' || c.number = $1`, number)
		return got == want
	})
}

// numberOf is the case number in a mail's subject.
func numberOf(t *testing.T, m core.Mail) string {
	t.Helper()
	_, after, _ := strings.Cut(m.Subject, "[")
	number, _, found := strings.Cut(after, "]")
	if !found {
		t.Fatalf("no case number in %q", m.Subject)
	}
	return number
}

// An agent works a whole day without a browser.
func TestDay_ofAnAgent(t *testing.T) {
	d := newDay(t)
	anna, carla, mia, tom := d.anna, d.carla, d.mia, d.tom

	// In the morning there is nothing. Then Anna's printer stops.
	mia.writes(commandAddress, "", "list open")
	mia.reads("Open cases: none")
	anna.writes(service, "The label printer stopped", "It shows E-204 after three labels.")
	number := numberOf(t, anna.reads("It is case"))
	notice := mia.reads(number, "E-204")

	// One press of a link in the notice makes it hers; the same mail client has
	// written the command. The answer says what was before and what is now.
	mia.presses(notice, "#assign me")
	mia.reads(number, "#undo")
	d.caseIs(number, "owner.name", "Mia")

	// An answer with a block on top is one mail to Anna: text and status.
	mia.answers(notice, "#status need input\n#priority p2\n#due 3d\n#time 20m\n\nWhich ribbon is in it?")
	asked := anna.reads(number, "Which ribbon is in it?", "Need input")
	lacks(t, "her mail", asked.Text, "#status", "#due", "#time")
	d.caseIs(number, "status", "need-input")
	d.caseIs(number, "priority", "p2")
	d.caseIs(number, "(select sum(minutes) from time_spent s where s.case_id = c.id)", "20")

	// A line with a mistake carries nothing out and sends nothing to Anna.
	mia.answers(notice, "#statsu resolved\n\nThis must stay here.")
	mia.reads(number, "#statsu", "#status")
	d.caseIs(number, "status", "need-input")

	// Tom leaves a note for her: nobody outside sees a word of it.
	toms := tom.reads(number, "E-204")
	tom.answersTo(internalOf(t, toms), toms, "Has Northwind paid its ribbons?")
	mia.reads(number, "Has Northwind paid its ribbons?")

	// Tom answers Anna; Mia, who has not seen it, does too. Hers goes out, and she
	// is told of his.
	tom.answers(toms, "Please tell us the serial number, too.")
	anna.reads(number, "serial number, too")
	mia.answers(notice, "And does it happen with short labels?")
	anna.reads(number, "short labels")
	mia.reads(number, "Tom answered this case", "Your answer has gone out as well", "serial number, too")

	// What was a mistake is taken back by the link in the transcript.
	mia.answers(notice, "#priority p4")
	d.caseIs(number, "priority", "p4")
	mia.presses(mia.reads(number, "P2 High -> P4 Low", "#undo"), "#undo")
	d.caseIs(number, "priority", "p2")

	// A canned answer, and done.
	mia.answers(notice, "#template ribbon\n#status resolved")
	anna.reads(number, "Hello Anna Berg,", "please try the other ribbon", "Resolved")
	d.caseIs(number, "status", "resolved")

	// Carla rings up: a case on her behalf, with what to do about it.
	mia.writes(newCase, "No labels since noon", "#requester carla@fabrikam.example\n#priority p2\n#assign tom\n\nCarla rang: nothing comes out.")
	opened := mia.reads("carla@fabrikam.example", "No labels since noon")
	hers := numberOf(t, opened)
	d.caseIs(hers, "requester.name", "")
	d.caseIs(hers, "owner.name", "Tom")
	d.caseIs(hers, "priority", "p2")

	// Carla wrote to Mia herself: what Mia forwards is a case of Carla's.
	carla.writes(mia.address, "Second printer", "The second one does it, too.")
	forwarded := mia.reads("Second printer")
	mia.writes(service, "Fwd: Second printer", "See below.\n\n---------- Forwarded message ---------\nFrom: Carla Ross <carla@fabrikam.example>\n"+
		"Date: Tue, 3 Nov 2026 at 10:00\nSubject: Second printer\nTo: <mia@desk.example>\n\n"+forwarded.Text)
	second := numberOf(t, mia.reads("Second printer", "carla@fabrikam.example", "for a customer"))

	// Both are one: the second goes on in the first.
	tomsNotice := tom.reads(second)
	tom.answers(tomsNotice, "#merge "+hers)
	tom.reads(second, hers)
	d.caseIs(second, "(select 'CASE-' || m.number from cases m where m.id = c.merged_into)", hers)

	// Two questions in one case become two cases.
	anna.answers(anna.reads(number, "please try the other ribbon"), "It works. Another thing: may we have a second printer?")
	wish := mia.reads(number, "a second printer?")
	mia.answers(wish, "#split A second printer for Northwind")
	split := numberOf(t, anna.reads("A second printer for Northwind", "a case of its own"))
	d.caseIs(split, "requester.name", "Anna Berg")
	if split == number {
		t.Error("it is the same case")
	}

	// He looks for things, and reads what there is.
	tom.writes(commandAddress, "", "search ribbon")
	tom.reads(number, "The label printer stopped", "search ribbon")
	tom.writes(commandAddress, "", "show "+number)
	tom.reads(number, "Need input", "Anna Berg")
	tom.writes(commandAddress, "", "history "+number)
	tom.reads(number, "Has Northwind paid its ribbons?", "Which ribbon is in it?")

	// In the evening her list holds what is open and hers.
	mia.writes(commandAddress, "", "list mine")
	evening := mia.reads("Your cases: 1", number)
	lacks(t, "her list", evening.Text, hers)

	// In all of it Carla learned nothing of Northwind, and got nothing before
	// somebody wrote to her.
	d.settled()
	if got := carla.inbox(); len(got) != 0 {
		t.Errorf("Carla got %q", got[0].Text)
	}
	for _, m := range anna.inbox() {
		lacks(t, "a mail to Anna", m.Subject+m.Text, "paid its ribbons", "This must stay here", "Carla")
	}
}

// A customer has her case handled without an account.
func TestDay_ofACustomer(t *testing.T) {
	d := newDay(t)
	anna, bo, carla, mia := d.anna, d.bo, d.carla, d.mia

	// Anna writes, with her colleague in copy: one confirmation, and both belong to
	// the case.
	anna.writes(service, "The label printer stopped", "It shows E-204.\n\nAnna", "Cc: bo@northwind.example")
	confirmation := anna.reads("It is case")
	number := numberOf(t, confirmation)
	notice := mia.reads(number, "E-204")

	// She adds something; Mia asks; both colleagues get it.
	anna.answers(confirmation, "It began this morning.")
	mia.reads(number, "It began this morning.")
	mia.answers(notice, "#status need input\n\nWhich ribbon is in it?")
	question := anna.reads(number, "Which ribbon is in it?")
	bos := bo.reads(number, "Which ribbon is in it?")

	// A plain answer sets the desk to work again.
	anna.answers(question, "The blue one.")
	d.caseIs(number, "status", "in-progress")

	// Bo has nothing to do with it any more.
	bo.answers(bos, "unsubscribe me from this case")
	bo.reads(number, "You get no more mail about this case.")
	mia.answers(notice, "#status resolved\n\nPlease put in the black one.")
	offered := anna.reads(number, "Please put in the black one.", "agree - ", "disagree - ")

	// She disagrees, and is asked why; her answer to that is enough.
	anna.answers(offered, "Disagree!")
	why := anna.reads(number, "why")
	d.caseIs(number, "status", "resolved")
	anna.answers(why, "There is no black one.")
	mia.reads(number, "There is no black one.")
	d.caseIs(number, "status", "in-progress")

	// The next solution is right: one word, with thanks below it.
	mia.answers(mia.reads(number, "There is no black one."), "#status resolved\n\nWe have sent you one.")
	anna.answers(anna.reads(number, "We have sent you one."), "close\n\nThank you all!")
	d.caseIs(number, "status", "closed")
	mia.reads(number, "Thank you all!")
	closed := anna.reads(number, "Closed")

	// It was not: an answer brings it back.
	anna.answers(closed, "It stopped again.")
	d.caseIs(number, "status", "in-progress")

	// What has she with the desk, and what was said?
	anna.writes(service, "", "list")
	anna.reads(number, "The label printer stopped", "In progress")
	anna.writes(service, "", "history "+number)
	told := anna.reads(number, "There is no black one.", "We have sent you one.", "This is the case you asked for")
	lacks(t, "her history", told.Text, "#status", "assigned")

	// Carla, a customer too, may ask as well: for her there is no such case.
	carla.writes(service, "Toner", "We need toner.")
	hers := numberOf(t, carla.reads("It is case"))
	carla.writes(service, "", "history "+number)
	none := carla.reads("history " + number)
	lacks(t, "Carla's answer", none.Text, "printer", "Anna", "Northwind")
	carla.writes(service, "", "list")
	lacks(t, "Carla's list", carla.reads("Your cases: 1", hers).Text, number, "printer")

	// Bo got nothing after he left.
	d.settled()
	for _, m := range bo.inbox() {
		lacks(t, "a mail to Bo", m.Text, "black one", "sent you one")
	}
}
