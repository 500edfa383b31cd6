package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/mail"
	"net/smtp"
	"strings"
	"testing"
	"time"
)

func TestProfile_sameMailsAtEveryRun(t *testing.T) {
	p := profile{series: "mixed", mails: 20, replies: "half"}
	for n := range p.mails {
		var both [2]string
		for i := range both {
			raw, err := p.at(n)
			if err != nil {
				t.Fatal(err)
			}
			_, both[i], _ = strings.Cut(string(raw), "\r\nSubject: ") // the signature's time stands above
		}
		if both[0] != both[1] || both[0] == "" {
			t.Errorf("mail %d differs from itself", n)
		}
	}
}

func TestProfile_sharesAndReplies(t *testing.T) {
	p := profile{series: "mixed", mails: 1000, replies: "half"}
	kinds := map[kind]int{}
	replies := 0
	for i := range p.mails {
		kinds[p.kindOf(i)]++
		if _, parent, ok := p.parentOf(i); ok {
			replies++
			if parent >= i || parent%2 != 0 || p.senderOf(parent) != p.senderOf(i) {
				t.Fatalf("mail %d answers %d, which is no earlier new mail of the same sender", i, parent)
			}
		}
	}
	if kinds[small] != 600 || kinds[html] != 300 || kinds[files] != 100 || replies != 500 {
		t.Errorf("kinds %v, %d replies", kinds, replies)
	}
}

func TestProfile_sizes(t *testing.T) {
	p := profile{series: "large", mails: 10, replies: "half", huge: 1}
	within := map[kind][2]int{small: {2 << 10, 9 << 10}, html: {20_000, 90 << 10}, files: {200_000, 3 << 20}, huge: {389 << 20 / 10, 39 << 20}}
	for n := range p.mails + p.huge {
		raw, err := p.at(n)
		if err != nil {
			t.Fatal(err)
		}
		k := huge
		if n < p.mails {
			k = p.kindOf(n)
		}
		if limits := within[k]; len(raw) < limits[0] || len(raw) > limits[1] {
			t.Errorf("mail %d of kind %d has %d bytes", n, k, len(raw))
		}
		m, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil || m.Header.Get("DKIM-Signature") == "" {
			t.Errorf("mail %d: %v, signature %q", n, err, m.Header.Get("DKIM-Signature"))
		}
	}
}

func TestSink_tellsOfEveryMail(t *testing.T) {
	r, w := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- runSink(ctx, "0s", w) }()
	said := bufio.NewScanner(r)
	said.Scan()
	addr := said.Text()
	for n := range 3 {
		to := fmt.Sprintf("person%d@company.example", n)
		body := []byte("Subject: x\r\n\r\n" + strings.Repeat(strings.Repeat("y", n*100_000)+".\r\n", 2) + ".\r\n..\r\n")
		sent := make(chan error, 1)
		go func() { sent <- smtp.SendMail(addr, nil, "desk@desk.example", []string{to}, body) }()
		said.Scan()
		var at int64
		var who string
		if _, err := fmt.Sscan(said.Text(), &at, &who); err != nil || who != to || time.Since(time.Unix(0, at)) > time.Minute {
			t.Errorf("said %q: %v", said.Text(), err)
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestTimes_nearestRank(t *testing.T) {
	var all times
	for n := 100; n > 0; n-- {
		all = append(all, time.Duration(n))
	}
	for percent, want := range map[int]time.Duration{50: 50, 95: 95, 100: 100, 1: 1} {
		if got := all.at(percent); got != want {
			t.Errorf("p%d is %d", percent, got)
		}
	}
	if times(nil).at(50) != 0 {
		t.Error("nothing has a middle")
	}
}

func TestRawPipeline_sendsAsManyAsAsked(t *testing.T) {
	for _, out := range []int{0, 1, 528, 1000, 2999} {
		r := raw{rawOrder: rawOrder{Mails: 1000, Out: out}}
		sum := 0
		for uid := 1; uid <= r.Mails; uid++ {
			sum += r.lettersOf(uid)
		}
		if sum != out {
			t.Errorf("%d letters, not %d", sum, out)
		}
	}
}
