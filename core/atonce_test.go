package core_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"postern/core"
)

// Two agents and a customer write at once, to cases that are merged, split and
// undone meanwhile, while letters are claimed and sent, and whoever does it is
// killed again and again: all of it happens once, or is refused.
func TestReceive_commandsAtOnceAndKilled(t *testing.T) {
	w := newWorld(t, func(s *core.Settings) { s.Gather = time.Minute })
	one := w.opens(mail{from: anna, subject: "one"})
	two := w.opens(mail{from: anna, subject: "two"})
	w.Clock.Advance(2 * time.Minute)
	w.receive(mail{from: anna, subject: one.Case, text: "And another matter."})
	comment := to(t, w.letters(), mia, core.NoticeComment)
	undo := to(t, w.lettersOf(mail{from: mia, subject: one.Case, to: one.mia.ReplyTo, text: "#priority p1\n#time 30m"}), mia, core.Transcript).Undo
	var mails []core.Mail
	by := func(from string, about core.Letter, text string) {
		mails = append(mails, w.keep(mail{from: from, subject: about.Number, to: about.ReplyTo, inReplyTo: about.MessageID, text: text}))
	}
	for _, text := range []string{"#merge " + two.Case, "#split Another matter", "#undo " + undo, "#status need-input", "#link " + two.Case, "Hello Anna, one."} {
		by(mia, comment, text)
	}
	by(mia, one.mia, "#undo "+undo)
	by(mia, one.mia, "#split Another matter")
	by(mia, two.mia, "#merge "+one.Case)
	by(tom, two.tom, "#merge "+one.Case)
	by(tom, one.tom, "#status in-progress\nHello Anna, two.")
	by(tom, one.tom, "Hello Anna, three.")
	by(tom, two.tom, "#status resolved")
	by(anna, one.confirmation, "Some more.")
	by(anna, two.confirmation, "And more.")
	serving, stop := context.WithCancel(t.Context())
	var sending, all sync.WaitGroup
	sending.Go(func() {
		for serving.Err() == nil {
			ctx, kill := context.WithTimeout(context.Background(), time.Duration(rand.IntN(20))*time.Millisecond)
			letters, err := w.ClaimLetters(ctx, "sender", 3)
			if err == nil {
				for _, l := range letters {
					if mine, err := w.Settle(ctx, "sender", nil, []core.Dotting{{ID: l.ID, Bytes: []byte("x"), Envelope: "e"}}); err == nil && len(mine) == 1 {
						_, _ = w.Settle(ctx, "sender", []core.Delivery{{ID: l.ID, Result: core.Accepted, Answer: "250"}}, nil)
					}
				}
			}
			kill()
		}
	})
	for _, m := range mails {
		for range 2 { // processes
			all.Go(func() {
				for range 6 {
					ctx, kill := context.WithTimeout(context.Background(), time.Duration(rand.IntN(60))*time.Millisecond)
					_, _ = w.Receive(ctx, m)
					kill()
				}
				if _, err := w.Receive(context.Background(), m); err != nil {
					t.Errorf("%v", err)
				}
			})
		}
	}
	all.Wait()
	stop()
	sending.Wait()
	for what, sql := range map[string]string{
		"mails not at their end":           `select count(*) from ledger where state = 'stored'`,
		"cases that go on as themselves":   `select count(*) from cases a join cases b on b.id = a.merged_into where b.merged_into = a.id`,
		"transcripts more than one a mail": `select count(*) from (select from outbox where kind = 'transcript' group by cause_id, address having count(*) > 1) x`,
		"blocks taken back more than once": `select greatest(count(*) - 1, 0) from event where kind = 'taken-back'`,
		"minutes other than 0 and 30":      `select count(*) from (select sum(minutes) from time_spent having sum(minutes) not in (0, 30)) x`,
		"cases of one comment":             `select greatest(count(*) - 1, 0) from cases where split_of is not null`,
		"texts told to nobody, or twice": `select count(*) from comment c where c.side = 'desk' and (
			select count(*) from outbox o where o.kind = 'answer' and o.state <> 'withheld'
				and (o.payload->'texts' @> jsonb_build_array(jsonb_build_object('id', c.id))
					or not o.payload ? 'texts' and (o.payload->>'comment')::bigint = c.id)) <> 1`,
	} {
		if n := w.count(sql); n != 0 {
			t.Errorf("R4: %d %s", n, what)
		}
	}
}

// lettersOf are the letters that a mail causes.
func (w *world) lettersOf(m mail) []core.Letter {
	w.t.Helper()
	w.receive(m)
	return w.letters()
}
