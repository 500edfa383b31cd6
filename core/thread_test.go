package core

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"postern/core/token"
)

var prefixesOfTests = map[string]int{"CASE": 1, "OLD": 1, "SAK2": 2}

func TestSubjectNumbers_findsOurNumbersOnly(t *testing.T) {
	tagged := func(desk int, n int64, text string) subjectNumber { return subjectNumber{desk, n, true, text} }
	bare := func(desk int, n int64, text string) subjectNumber { return subjectNumber{desk, n, false, text} }
	for _, c := range []struct {
		name    string
		subject string
		want    []subjectNumber
	}{
		{"R34/a tagged number comes first and is a bare one too", "Re: [CASE-10001] Printer",
			[]subjectNumber{tagged(1, 10001, "CASE-10001"), bare(1, 10001, "CASE-10001")}},
		{"R34/of two tagged numbers the leftmost is first", "[CASE-2] and [CASE-1]",
			[]subjectNumber{tagged(1, 2, "CASE-2"), tagged(1, 1, "CASE-1"), bare(1, 2, "CASE-2"), bare(1, 1, "CASE-1")}},
		{"R34/a tagged number comes before a bare one to its left", "CASE-1 is [CASE-2]",
			[]subjectNumber{tagged(1, 2, "CASE-2"), bare(1, 1, "CASE-1"), bare(1, 2, "CASE-2")}},
		{"R34/a bare number counts last", "about case-10001, please", []subjectNumber{bare(1, 10001, "CASE-10001")}},
		{"R34/a prefix is read without case", "[Case-7]", []subjectNumber{tagged(1, 7, "CASE-7"), bare(1, 7, "CASE-7")}},
		{"R34/a retired prefix is still known", "[OLD-5]", []subjectNumber{tagged(1, 5, "OLD-5"), bare(1, 5, "OLD-5")}},
		{"R34/a prefix with digits is another desk's", "SAK2-5", []subjectNumber{bare(2, 5, "SAK2-5")}},
		{"R34/somebody else's prefix is none", "[JIRA-10001]", nil},
		{"R34/a prefix inside a word is none", "STAIRCASE-10001", nil},
		{"R34/a number inside a longer one is none", "CASE-10001x", nil},
		{"R34/a number too long for any case is none", "[CASE-12345678901234567890]", nil},
		{"R34/a number without a prefix is none", "[10001] #10001", nil},
		{"R34/a blank within is none", "[CASE - 10001]", nil},
		{"R34/an empty subject names nothing", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := subjectNumbers(c.subject, prefixesOfTests); !reflect.DeepEqual(got, c.want) {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

func FuzzSubjectNumbers(f *testing.F) {
	f.Add("Re: [CASE-10001] CASE-2")
	f.Add(strings.Repeat("CASE-1 ", 50))
	f.Add("[case-000000000000001][]\x00é")
	f.Fuzz(func(t *testing.T, subject string) {
		all := subjectNumbers(subject, prefixesOfTests)
		if len(all) > 20 {
			t.Errorf("%d numbers", len(all))
		}
		sawBare := false
		for _, n := range all {
			if n.number < 0 || n.desk == 0 {
				t.Errorf("%+v", n)
			}
			if n.tagged && sawBare {
				t.Errorf("a tagged number after a bare one: %+v", all)
			}
			sawBare = sawBare || !n.tagged
			if !strings.Contains(strings.ToUpper(subject), n.text) {
				t.Errorf("%s is not in %q", n.text, subject)
			}
		}
	})
}

func id(n int64) *int64 { return &n }

// sample is what the database knows in the tests of evidence: cases 1 and 2 of
// organisation 10, case 3 of organisation 20, case 4 nobody's, case 5 another
// desk's.
func sample(now time.Time) *facts {
	f := &facts{}
	for n, organisation := range map[int64]*int64{1: id(10), 2: id(10), 3: id(20), 4: nil, 5: id(10)} {
		desk := 1
		if n == 5 {
			desk = 2
		}
		f.cases = append(f.cases, caseRow{ID: n, Desk: desk, Number: 10000 + n, Organisation: organisation, Visible: true})
		until := now.Add(time.Hour)
		f.tokens = append(f.tokens, letterRow{ID: 100 + n, CaseID: id(n), TokenUntil: &until,
			TokenHash: token.Hash(fmt.Sprintf("public%d", n)), Answerable: true, NoteHash: token.Hash(fmt.Sprintf("note%d", n))})
		f.ours = append(f.ours, letterRow{ID: 100 + n, CaseID: id(n), IDHash: hashID(fmt.Sprintf("ours%d@desk", n))})
		f.known = append(f.known, knownRow{ID: 200 + n, CaseID: id(n), IDHash: hashID(fmt.Sprintf("theirs%d@client", n))})
	}
	return f
}

func TestFindCase_theFirstEvidenceDecides(t *testing.T) {
	now := time.Date(2026, 11, 3, 10, 0, 0, 0, time.UTC)
	hide := func(n int64) func(*facts) {
		return func(f *facts) { f.caseByID(n).Visible = false }
	}
	expire := func(n int64, at *time.Time) func(*facts) {
		return func(f *facts) {
			for i := range f.tokens {
				if *f.tokens[i].CaseID == n {
					f.tokens[i].TokenUntil = at
				}
			}
		}
	}
	over := now.Add(-time.Second)
	for _, c := range []struct {
		name     string
		tokens   []string
		mail     Mail
		change   func(*facts)
		want     int64 // 0: none
		part     string
		hidden   int64
		conflict bool
	}{
		{name: "nothing names nothing"},
		{name: "a token comes before everything", tokens: []string{"public2"},
			mail: Mail{InReplyTo: []string{"ours1@desk"}, References: []string{"theirs1@client"}, Subject: "[CASE-10001]"}, want: 2, part: "a"},
		{name: "an internal token is one too", tokens: []string{"note2"}, mail: Mail{Subject: "[CASE-10001]"}, want: 2, part: "a"},
		{name: "the first of two tokens decides", tokens: []string{"public1", "public2"}, want: 1, part: "a"},
		{name: "an unknown token names nothing", tokens: []string{"guessed"}},
		{name: "an expired token is no evidence", tokens: []string{"public2"}, change: expire(2, &over)},
		{name: "a withdrawn token is no evidence", tokens: []string{"public2"}, change: expire(2, nil)},
		{name: "our Message-ID comes before one that we took in",
			mail: Mail{InReplyTo: []string{"theirs1@client"}, References: []string{"ours2@desk"}}, want: 2, part: "b"},
		{name: "In-Reply-To comes before References",
			mail: Mail{InReplyTo: []string{"ours1@desk"}, References: []string{"ours2@desk"}}, want: 1, part: "b"},
		{name: "References are read from right to left",
			mail: Mail{References: []string{"ours1@desk", "ours2@desk", "unknown@x"}}, want: 2, part: "b"},
		{name: "a mail that we took in comes before a number",
			mail: Mail{References: []string{"theirs1@client"}, Subject: "[CASE-10002]"}, want: 1, part: "c"},
		{name: "a tagged number comes before a bare one", mail: Mail{Subject: "CASE-10001 [CASE-10002]"}, want: 2, part: "d"},
		{name: "a bare number is better than nothing", mail: Mail{Subject: "about CASE-10001"}, want: 1, part: "e"},
		{name: "the body is never read", mail: Mail{Text: "[CASE-10001]", Reply: "[CASE-10001]"}},
		{name: "a case of another desk is not weighed", tokens: []string{"public5"}, mail: Mail{Subject: "[CASE-10001]"}, want: 1, part: "d"},
		{name: "a case this person may not see is not weighed", tokens: []string{"public3"}, mail: Mail{Subject: "[CASE-10001]"},
			change: hide(3), want: 1, part: "d", hidden: 3},
		{name: "only a case this person may not see is remembered as perhaps meant", mail: Mail{Subject: "[CASE-10003]"}, change: hide(3), hidden: 3},
		{name: "a number that no case has names nothing", mail: Mail{Subject: "[CASE-19999]"}},
		{name: "cases of two organisations are a conflict", tokens: []string{"public1"}, mail: Mail{Subject: "[CASE-10003]"},
			want: 1, part: "a", conflict: true},
		{name: "an organisation's case and nobody's are a conflict", tokens: []string{"public1"}, mail: Mail{Subject: "[CASE-10004]"},
			want: 1, part: "a", conflict: true},
		{name: "two cases of one organisation are none", tokens: []string{"public1"}, mail: Mail{Subject: "[CASE-10002]"}, want: 1, part: "a"},
		{name: "a hidden case of another organisation makes no conflict", tokens: []string{"public1"}, mail: Mail{Subject: "[CASE-10003]"},
			change: hide(3), want: 1, part: "a", hidden: 3},
	} {
		t.Run("R34/"+c.name, func(t *testing.T) {
			f := sample(now)
			if c.change != nil {
				c.change(f)
			}
			got, steps := findCase(f, gather(f, c.tokens, c.mail, subjectNumbers(c.mail.Subject, prefixesOfTests), now), 1)
			if n := caseID(got.found); n != c.want || got.by.part != c.part {
				t.Errorf("case %d by (%s), want %d by (%s): %v", n, got.by.part, c.want, c.part, steps)
			}
			if n := caseID(got.hidden); n != c.hidden {
				t.Errorf("hidden %d, want %d", n, c.hidden)
			}
			if got.conflict != c.conflict {
				t.Errorf("conflict %v: %v", got.conflict, steps)
			}
			if c.want+c.hidden == 0 && len(c.tokens)+len(c.mail.Subject) == 0 && len(steps) == 0 {
				t.Error("nothing in the trace")
			}
		})
	}
}

func caseID(c *caseRow) int64 {
	if c == nil {
		return 0
	}
	return c.ID
}
