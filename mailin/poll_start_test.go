package mailin

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"postern/core"
)

// hugeBox plays a mailbox of so many mails, a minute apart, the last one a
// minute old, without holding one of them.
type hugeBox struct {
	mails   int
	esearch bool
	mu      sync.Mutex
	asked   map[string]int // commands, by their first words
}

func (b *hugeBox) at(uid int) time.Time {
	return time.Now().Add(-time.Duration(b.mails-uid+1) * time.Minute)
}

func (b *hugeBox) play(w *wire) {
	caps := "IMAP4rev1"
	if b.esearch {
		caps += " ESEARCH"
	}
	w.say("* OK [CAPABILITY " + caps + "] hello")
	for {
		tag, command, _ := strings.Cut(w.line(), " ")
		words := strings.Fields(command)
		b.mu.Lock()
		b.asked[strings.Join(words[:min(2, len(words))], " ")]++
		b.mu.Unlock()
		var out strings.Builder
		var from, to int
		if len(words) > 2 {
			if n, _ := fmt.Sscanf(words[2], "%d:%d", &from, &to); n == 1 {
				to = from
			}
		}
		switch {
		case words[0] == "CAPABILITY":
			fmt.Fprintf(&out, "* CAPABILITY %s\r\n", caps)
		case words[0] == "SELECT":
			fmt.Fprintf(&out, "* %d EXISTS\r\n* OK [UIDVALIDITY 7] .\r\n* OK [UIDNEXT %d] .\r\n", b.mails, b.mails+1)
		case strings.HasPrefix(command, "UID SEARCH"):
			first := 1
			if _, date, ok := strings.Cut(command, "SINCE "); ok {
				day, _ := time.Parse("2-Jan-2006", strings.Trim(strings.Fields(date)[0], `")`))
				first = max(1, b.mails+1-int(time.Since(day)/time.Minute))
			} else if _, uids, ok := strings.Cut(command, "UID "); ok {
				fmt.Sscanf(uids[strings.LastIndex(uids, "UID ")+4:], "%d", &first)
			}
			if b.esearch {
				fmt.Fprintf(&out, "* ESEARCH (TAG %q) UID", tag)
				if first <= b.mails {
					fmt.Fprintf(&out, " ALL %d:%d", first, b.mails)
				}
			} else {
				out.WriteString("* SEARCH")
				for uid := first; uid <= b.mails; uid++ {
					fmt.Fprintf(&out, " %d", uid)
				}
			}
			out.WriteString("\r\n")
		case strings.HasPrefix(command, "UID FETCH") && strings.Contains(command, "BODY"):
			for uid := from; uid <= to; uid++ {
				raw := hugeMail(uid)
				fmt.Fprintf(&out, "* %d FETCH (UID %d BODY[] {%d}\r\n%s)\r\n", uid, uid, len(raw), raw)
			}
		case strings.HasPrefix(command, "UID FETCH"):
			for uid := from; uid <= to; uid++ {
				fmt.Fprintf(&out, "* %d FETCH (UID %d RFC822.SIZE %d INTERNALDATE %q)\r\n", uid, uid, len(hugeMail(uid)), b.at(uid).Format("02-Jan-2006 15:04:05 -0700"))
			}
		}
		w.raw(out.String() + tag + " OK done\r\n")
	}
}

func hugeMail(uid int) string { return fmt.Sprintf("Subject: mail %d\r\n\r\nHello\r\n", uid) }

func (b *hugeBox) times(command string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked[command]
}

// tallyDesk counts what it keeps, and sees that it comes in order.
type tallyDesk struct {
	*fakeDesk
	kept    int
	last    uint32
	first   uint32
	wrong   string
	largest int
}

func (d *tallyDesk) Keep(ctx context.Context, mb core.Mailbox, validity uint32, batch []core.Incoming, next uint32) ([]core.Stored, error) {
	defer d.lock()()
	for _, in := range batch {
		if in.UID <= d.last {
			d.wrong = fmt.Sprintf("UID %d after %d", in.UID, d.last)
		}
		if d.first == 0 {
			d.first = in.UID
		}
		d.last = in.UID
		d.kept++
	}
	d.largest = max(d.largest, len(batch))
	b := d.box(mb.ID)
	b.UIDValidity, b.NextUID = validity, max(b.NextUID, next)
	return nil, nil
}

func (d *tallyDesk) Unknown(ctx context.Context, mb core.Mailbox, folder string, validity uint32, uids []uint32) ([]uint32, error) {
	defer d.lock()()
	d.asked += len(uids)
	var unknown []uint32
	for _, uid := range uids {
		if uid > d.last {
			unknown = append(unknown, uid)
		}
	}
	return unknown, nil
}

func TestPoll_R74_aHundredThousandOldMails(t *testing.T) {
	const many = 100_000 // 69 days of a mail a minute
	for _, esearch := range []bool{true, false} {
		name := map[bool]string{true: "with ESEARCH", false: "without ESEARCH"}[esearch]
		start := func(t *testing.T, since time.Time) (*hugeBox, *tallyDesk) {
			box := &hugeBox{mails: many, esearch: esearch, asked: map[string]int{}}
			d := &tallyDesk{fakeDesk: newFakeDesk()}
			p := poller(t, d.fakeDesk, script(t, box.play))
			p.Desk, p.Since, p.PollEvery = d, since, time.Hour
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			running(t, p)
			d.wait(t, "the first poll", func() bool { return d.polls > 0 })
			runtime.ReadMemStats(&after)
			if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 48<<20 {
				t.Errorf("the heap grew by %d MiB", grown>>20)
			}
			if d.boxes["support/INBOX"].NextUID != many+1 {
				t.Errorf("the cursor is %d", d.boxes["support/INBOX"].NextUID)
			}
			return box, d
		}
		t.Run("R74/100,000 old mails are left alone, "+name, func(t *testing.T) {
			box, d := start(t, time.Time{})
			// SINCE has whole days, and one more for the zone
			if bodies := d.kept; bodies != 0 || d.asked > 3*24*60 || box.times("UID FETCH") > 3*24*60/windowUIDs+1 {
				t.Errorf("kept %d, compared %d, %d FETCH", bodies, d.asked, box.times("UID FETCH"))
			}
			if box.times("UID STORE")+box.times("UID MOVE") > 0 {
				t.Error("old mail was touched")
			}
		})
		t.Run("R74/since takes in what came from a date on, in order, "+name, func(t *testing.T) {
			since := time.Now().Add(-10 * 24 * time.Hour)
			_, d := start(t, since)
			want := 10 * 24 * 60
			if d.kept < want-2 || d.kept > want+2 || d.wrong != "" || d.largest > batchUIDs || d.last != many {
				t.Errorf("kept %d of about %d, UIDs %d to %d, at most %d at once; %s", d.kept, want, d.first, d.last, d.largest, d.wrong)
			}
		})
	}
	t.Run("R74/since takes in all 100,000, in order and in bounded memory", func(t *testing.T) {
		box := &hugeBox{mails: many, asked: map[string]int{}}
		d := &tallyDesk{fakeDesk: newFakeDesk()}
		p := poller(t, d.fakeDesk, script(t, box.play))
		p.Desk, p.Since, p.PollEvery = d, time.Now().AddDate(-1, 0, 0), time.Hour
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		running(t, p)
		d.wait(t, "all", func() bool { return d.kept == many })
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 48<<20 {
			t.Errorf("the heap grew by %d MiB", grown>>20)
		}
		if d.wrong != "" || d.first != 1 || d.last != many {
			t.Errorf("UIDs %d to %d; %s", d.first, d.last, d.wrong)
		}
	})
}

func TestPoll_R74_sinceIsUnanswered(t *testing.T) {
	t.Run("R74/what since takes in is filed oldest first and not answered, what is new is", func(t *testing.T) {
		onEachServer(t, ableAll, func(t *testing.T, s *imapServer) {
			r := newRealDesk(t)
			const week = 7 * 24 * time.Hour
			s.put("INBOX", time.Now().Add(-3*week), nil, request("ancient"))
			s.put("INBOX", time.Now().Add(-week), nil, request("older"))
			s.put("INBOX", time.Now().Add(-time.Hour), nil, request("young"))
			r.run(t, s.settings(), func(p *Poller) { p.Since, p.Processed = time.Now().Add(-2*week), "" })
			r.until("two of three", `select count(*) from ledger where state = 'filed' and told`, 2)
			s.becomes("INBOX", "ancient", `older \Seen`, `young \Seen`)
			if n := r.number(`select count(*) from outbox where let_out and address = 'anna@northwind.example'`); n != 0 {
				t.Errorf("%d automatic mails for old mail", n)
			}
			if n := r.number(`select count(*) from ledger a join ledger b on a.subject = 'older' and b.subject = 'young' and a.id < b.id and a.case_id < b.case_id`); n != 1 {
				t.Error("not oldest first")
			}
			s.put("INBOX", time.Now(), nil, request("new"))
			r.until("the new one is answered", `select count(*) from outbox where let_out and address = 'anna@northwind.example'`, 1)
		})
	})
}
