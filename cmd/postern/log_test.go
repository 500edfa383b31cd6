package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"postern/core"
	"postern/mailin"
	"postern/mailin/mime"
)

// logged takes a line apart: its keys and values, unquoted.
func logged(t *testing.T, line string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, m := range regexp.MustCompile(`([a-z_]+)=("(?:[^"\\]|\\.)*"|\S*)`).FindAllStringSubmatch(line, -1) {
		value := m[2]
		if strings.HasPrefix(value, `"`) {
			var err error
			if value, err = strconv.Unquote(value); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
		found[m[1]] = value
	}
	return found
}

// What strangers write in their mails reaches the log through the filer, if at
// all, in a form that cannot pass for another line.
func TestLog_ofHostileMails(t *testing.T) {
	w, _ := onDesk(t)
	evil := "\x1b[31m\r\ntime=now level=INFO msg=forged\u202e\u2028" + strings.Repeat("long ", 400)
	var raws []string
	for _, raw := range hostile() {
		raws = append(raws, raw)
	}
	fixtures, err := filepath.Glob("../../mailin/testdata/*.eml")
	if err != nil || len(fixtures) == 0 {
		t.Fatal(fixtures, err)
	}
	for _, name := range fixtures {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		raws = append(raws, string(raw))
	}
	raws = append(raws,
		mailFrom(evil, "a@northwind.example", "named "+evil, evil),
		"Message-ID: <"+evil+"@x.example>\r\nFrom: a@northwind.example\r\nSubject: x\r\n\r\n"+evil,
		"Message-ID: <=?utf-8?q?=1b=5b31m=0d=0aforged?=@x.example>\r\nFrom: =?utf-8?q?=0d=0aforged?= <b@northwind.example>\r\n\r\nx",
		"Subject: panics "+evil+"\r\n\r\nx", "Subject: fails "+evil+"\r\n\r\nx")
	const good = 40
	for i := range good { // between and behind the bad ones
		raws = append(raws, mailFrom("Good", fmt.Sprintf("good%d@northwind.example", i), fmt.Sprint("good ", i), "Help."))
	}
	for _, raw := range raws {
		keep(t, w, raw)
	}
	book := &logBook{}
	filer := &mailin.Filer{
		Desk: w.Desk, StateDir: t.TempDir(), Log: newLog(book),
		Parse: func(ctx context.Context, r io.ReaderAt, size int64) (core.Mail, error) {
			m, err := mailin.ParseContext(ctx, r, size, mime.DefaultLimits)
			switch {
			case strings.HasPrefix(m.Subject, "panics"):
				panic(evil)
			case strings.HasPrefix(m.Subject, "fails"):
				err = errors.New(evil)
			}
			return m, err
		},
	}
	mb, err := w.OpenMailbox(t.Context(), "support", "INBOX", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	filer.Hold(mb, func() {})
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- filer.Run(ctx) }()
	number := func(sql string) (n int) {
		t.Helper()
		if err := w.DB.QueryRow(context.Background(), sql).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	by(t, time.Minute, "every mail is at its end", func() bool {
		w.Clock.Advance(10 * time.Minute) // what failed is due again
		filer.Wake()
		return len(book.lines(`msg="mail in"`))+len(book.lines(`msg="mail is put aside"`)) == len(raws)
	})
	lines := book.lines()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	t.Run("R10/one bad mail never stops another", func(t *testing.T) {
		if n := number(`select count(*) from ledger where state = 'filed' and subject like 'good %'`); n != good {
			t.Errorf("%d of %d good mails are filed", n, good)
		}
	})
	t.Run("R10/after five tries it is set aside with the reason", func(t *testing.T) {
		if n := number(`select count(*) from ledger where state = 'quarantined' and tries = 5 and (reason like 'panic: %' or reason like 'read: %')`); n != 2 {
			t.Errorf("%d mails", n)
		}
	})
	perMail := map[string]int{}
	t.Run("R69/every line is one of ours, with ids", func(t *testing.T) {
		for _, line := range lines {
			if !regexp.MustCompile(`^time=\S+ level=(INFO|WARN|ERROR) msg=("[a-z ]+"|[a-z]+) .*\bledger=\d+\b`).MatchString(line) {
				t.Errorf("%q", line)
			}
			perMail[logged(t, line)["ledger"]]++
		}
		if len(perMail) != len(raws) {
			t.Errorf("%d mails have lines, of %d", len(perMail), len(raws))
		}
	})
	t.Run("R69/control characters are escaped", func(t *testing.T) {
		for _, line := range lines {
			if strings.ContainsFunc(line, func(r rune) bool {
				return r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Zl, r)
			}) {
				t.Errorf("%q", line)
			}
		}
	})
	t.Run("R69/a value has 200 characters at most", func(t *testing.T) {
		longest := 0
		for _, line := range lines {
			for key, value := range logged(t, line) {
				n := utf8.RuneCountInString(value)
				if longest = max(longest, n); n > 200 {
					t.Errorf("%s has %d characters: %q", key, n, line)
				}
			}
		}
		if longest < 200 {
			t.Errorf("nothing was cut: the longest has %d", longest)
		}
	})
	t.Run("R69/a mail causes 20 lines at most", func(t *testing.T) {
		most := 0
		for id, n := range perMail {
			if most = max(most, n); n > 20 {
				t.Errorf("ledger row %s: %d lines", id, n)
			}
		}
		if most < 5 {
			t.Errorf("no mail was tried five times: %d lines at most", most)
		}
	})
}
