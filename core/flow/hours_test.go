package flow

import (
	"strings"
	"testing"
	"time"
)

func withHours(t *testing.T, lines string) *Desk {
	t.Helper()
	d, err := Parse("help", []byte(strings.Replace(strings.Replace(small, "unknown =", lines+"\nunknown =", 1), `"UTC"`, `"Europe/Amsterdam"`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestHours_saysWhenTheDeskOpens(t *testing.T) {
	d := withHours(t, `hours = ["mon-fri 09:00-12:30", "mon-thu 13:00-17:00", "sat 10:00-24:00"]
holidays = ["2026-04-06", "12-25"]`)
	at := func(s string) time.Time {
		instant, err := time.ParseInLocation("2006-01-02 15:04", s, d.Zone())
		if err != nil {
			t.Fatal(err)
		}
		return instant
	}
	for _, test := range []struct{ name, now, opens string }{
		{"before it opens", "2026-03-04 08:59", "2026-03-04 09:00"},
		{"when it opens", "2026-03-04 09:00", ""},
		{"during the break", "2026-03-04 12:30", "2026-03-04 13:00"},
		{"in the last minute", "2026-03-04 16:59", ""},
		{"when it closes", "2026-03-04 17:00", "2026-03-05 09:00"},
		{"on a day with shorter hours", "2026-03-06 12:30", "2026-03-07 10:00"},
		{"at the last minute of a day", "2026-03-07 23:59", ""},
		{"over the day without hours", "2026-03-08 00:00", "2026-03-09 09:00"},
		{"over a holiday", "2026-04-04 24:00", "2026-04-07 09:00"},
		{"over a holiday of every year", "2031-12-24 18:00", "2031-12-26 09:00"},
		{"over the night in which the clocks change", "2026-03-28 23:00", ""},
		{"after it", "2026-03-29 01:30", "2026-03-30 09:00"},
	} {
		t.Run(test.name, func(t *testing.T) {
			now := at(strings.Replace(test.now, "04 24:00", "05 00:00", 1))
			opens, closed := d.OpensAgain(now.UTC())
			if got := opens.Format("2006-01-02 15:04"); closed != (test.opens != "") || closed && got != test.opens {
				t.Errorf("closed %v, opens %s, want %q", closed, got, test.opens)
			}
		})
	}
	for _, test := range []struct {
		name        string
		year, m, d  int
		opens, open string
	}{
		{"a day's first hour", 2026, 3, 4, "09:00", "+01:00"},
		{"a day's first hour in summer", 2026, 7, 4, "10:00", "+02:00"},
		{"a holiday", 2026, 12, 25, "", ""},
		{"a day without hours", 2026, 3, 8, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			opens, ok := d.OpensAt(test.year, time.Month(test.m), test.d)
			if got := opens.Format("15:04-07:00"); ok != (test.opens != "") || ok && got != test.opens+test.open {
				t.Errorf("%v, %s", ok, got)
			}
		})
	}
}

func TestHours_aDeskThatNamesNoneIsOpen(t *testing.T) {
	d := withHours(t, "")
	if _, closed := d.OpensAgain(time.Now()); closed {
		t.Error("it is closed")
	}
	if _, ok := d.OpensAt(2026, 3, 4); ok {
		t.Error("it has an hour at which it opens")
	}
}

func TestHours_saysWhatIsWrongAndWhere(t *testing.T) {
	for _, test := range []struct{ name, lines, want string }{
		{"no days", `hours = "09:00-17:00"`, `5:9: "09:00-17:00" is no line of office hours`},
		{"no times", `hours = "mon-fri"`, `5:9: "mon-fri" is no line of office hours`},
		{"a day that is none", `hours = ["mon 09:00-17:00", "man-fre 09:00-17:00"]`, `5:29: "man-fre 09:00-17:00": the days are called "sun", "mon"`},
		{"times in disorder", `hours = "mon 17:00-09:00"`, `5:9: "mon 17:00-09:00": the first time must come before the second`},
		{"no time of a day", `hours = "mon 09:00-25:00"`, `5:9: "mon 09:00-25:00": the first time must`},
		{"no minute of an hour", `hours = "mon 09:60-10:00"`, `5:9: "mon 09:60-10:00": the first time must`},
		{"times that overlap", `hours = ["mon-fri 09:00-17:00", "fri 16:00-18:00"]`, `5:33: "fri 16:00-18:00": fri is open at that time already`},
		{"a number", `hours = 9`, `5:9: this is a whole number: a string or a list of strings is wanted`},
		{"nothing", `hours = ["", "mon 09:00-17:00"]`, `5:10: this is empty`},
		{"a holiday without hours", `holidays = "12-25"`, `5:12: holidays have no effect without hours`},
		{"a day of no month", "hours = \"mon 09:00-17:00\"\nholidays = [\"12-25\", \"2026-02-29\"]", `6:22: "2026-02-29" is no day`},
		{"a day as people write it", "hours = \"mon 09:00-17:00\"\nholidays = \"25.12.2026\"", `6:12: "25.12.2026" is no day: as in "2026-12-25"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("help", []byte(strings.Replace(small, "unknown =", test.lines+"\nunknown =", 1)))
			if err == nil || !strings.Contains("\n"+err.Error(), "\n"+test.want) {
				t.Errorf("got\n%v\nwant\n%s", err, test.want)
			}
		})
	}
}

func TestHours_aChangeIsTold(t *testing.T) {
	was := withHours(t, `hours = "mon-tue 9:00-17:00"`)
	is := withHours(t, "hours = \"tue-mon 09:00-17:00\"\nholidays = [\"02-29\", \"2026-12-31\"]")
	got := strings.Join(is.Changes(was), "\n")
	for _, want := range []string{"mon 09:00-17:00, tue 09:00-17:00, wed", "sun 09:00-17:00", "02-29 2026-12-31"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
