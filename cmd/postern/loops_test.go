package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// machine is what answers mail at an address, by itself.
type machine struct {
	name    string
	address string
	// first is the mail that begins it, "" for one from the address itself.
	first func(d *desk) string
	// answers are the mails that come back for one of ours.
	answers func(d *desk, n int, l letter) []string
	// told says how agents learn of it: a query that counts
	told string
}

const noticed = `select count(*) from outbox where for_agent and kind like 'notice-%' and state = 'sent'`

// TestMachines_exchangesEnd has machines write to a desk over real IMAP and
// SMTP for as long as they like: each gets at most six mails of ours, and agents
// are told.
func TestMachines_exchangesEnd(t *testing.T) {
	const most = 6
	for _, m := range []machine{
		{name: "R50/an autoresponder that nothing marks", address: "away@well.example",
			answers: func(d *desk, n int, l letter) []string {
				return []string{mailOf("away@well.example", "Re: "+l.Subject, fmt.Sprintf("I am out of the office (%d).", n),
					"In-Reply-To: <"+l.MessageID+">", "To: "+replyTo(l))}
			},
			told: noticed},
		{name: "R50/one that changes the subject and names nothing", address: "tickets@well.example",
			answers: func(d *desk, n int, _ letter) []string {
				return []string{mailOf("tickets@well.example", fmt.Sprintf("Your request %d was received", n), fmt.Sprintf("Thank you for request %d.", n))}
			},
			told: noticed},
		{name: "R50/the same, signed", address: "anna@northwind.example",
			answers: func(d *desk, n int, _ letter) []string {
				return []string{d.signed(mailOf("anna@northwind.example", fmt.Sprintf("Your request %d was received", n), fmt.Sprintf("Thank you for request %d.", n)))}
			},
			told: `select count(*) from outbox where for_agent and payload->'marks' ? 'ping-pong'`},
		{name: "R54/a bouncing server", address: "gone@well.example",
			answers: func(d *desk, _ int, l letter) []string {
				return []string{bounceOf(l.envelope, "gone@well.example", l.MessageID)}
			},
			told: noticed},
		{name: "R26/a server whose bounces look like a person's mail", address: "lost@well.example",
			answers: func(d *desk, n int, l letter) []string {
				return []string{mailOf("postmaster@well.example", "Undeliverable: "+l.Subject, fmt.Sprintf("Nobody here has that name (%d).", n))}
			},
			told: noticed},
		{name: "R26/a mailing list", address: "list@lists.example",
			first: func(d *desk) string {
				return mailOf("member@well.example", "[list] Hello all", "Anybody there?", "List-Id: <list.lists.example>", "Return-Path: <list-bounces@lists.example>")
			},
			answers: func(d *desk, _ int, l letter) []string {
				return []string{"List-Id: <list.lists.example>\r\nReturn-Path: <list-bounces@lists.example>\r\n" + string(l.raw)}
			},
			told: `select count(*) from ledger where state = 'held' and reason = 'bulk'`},
		{name: "R26/a list that has no List fields and writes in its own name", address: "all@lists.example",
			answers: func(d *desk, n int, l letter) []string {
				return []string{mailOf("all@lists.example", "[all] "+l.Subject, l.Text+fmt.Sprint(n))}
			},
			told: noticed},
		{name: "R26/a list that sends us our own mail back", address: "echo@lists.example",
			answers: func(d *desk, _ int, l letter) []string { return []string{string(l.raw)} },
			told:    noticed},
	} {
		t.Run(m.name, func(t *testing.T) {
			d := newDesk(t, memoryAccount)
			d.sink.listen(t)
			var put, got atomic.Int64
			deliver := func(raw string) {
				put.Add(1)
				d.box.put([]byte(raw))
			}
			var one sync.Mutex
			d.sink.others = func(l letter) {
				if len(l.To) == 0 || l.To[0].Address != m.address && l.To[0].Address != "postmaster@well.example" {
					return
				}
				one.Lock()
				defer one.Unlock()
				n := got.Add(1)
				if n > 40 {
					return
				}
				for _, raw := range m.answers(d, int(n), l) {
					deliver(raw)
				}
			}
			d.serve()
			d.plus()
			if m.first != nil {
				deliver(m.first(d))
			} else if m.address == "anna@northwind.example" {
				deliver(d.signed(mailOf(m.address, "Printer", "It burns.")))
			} else {
				deliver(mailOf(m.address, "Printer", "It burns."))
			}
			by(t, soon*2, "the exchange comes to rest", func() bool {
				n := put.Load() // a letter that has left was answered before
				return ask[bool](d, `select
					(select count(*) from ledger where state <> 'stored' and outcome <> 'probe') = $1
					and not exists (select from outbox where state not in ('sent', 'withheld'))`, n) && put.Load() == n
			})
			if n := got.Load(); n < 1 && m.first == nil || n > most {
				t.Errorf("%d mails of ours", n)
			}
			if ask[int](d, m.told) == 0 {
				t.Error("agents are not told")
			}
		})
	}
}

// replyTo is where an answer to a letter goes.
func replyTo(l letter) string {
	if len(l.ReplyTo) > 0 {
		return l.ReplyTo[0].Address
	}
	return l.From[0].Address
}

// Two desks that run Postern and write to each other: what one sends by itself
// is answered by neither.
func TestMachines_twoPosterns(t *testing.T) {
	const other = "help@other.example"
	ours, theirs := newDesk(t, memoryAccount), newDesk(t, memoryAccount)
	text, err := os.ReadFile(theirs.config)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), fmt.Sprintf("addresses = [%q]", service), fmt.Sprintf("addresses = [%q]", other), 1)
	if err := os.WriteFile(theirs.config, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	var toThem, toUs atomic.Int64
	// each mail server takes what is for its own desk, with or without a tag
	route := func(address string, into *desk, n *atomic.Int64) func(letter) {
		local, domain, _ := strings.Cut(address, "@")
		return func(l letter) {
			a := l.To[0].Address
			if a == address || strings.HasPrefix(a, local+"+") && strings.HasSuffix(a, "@"+domain) {
				n.Add(1)
				into.box.put(fmt.Appendf(nil, "Return-Path: <%s>\r\nDelivered-To: %s\r\n%s", l.envelope, a, l.raw))
			}
		}
	}
	ours.sink.others = route(other, theirs, &toThem)
	theirs.sink.others = route(service, ours, &toUs)
	for _, d := range []*desk{ours, theirs} {
		d.sink.listen(t)
		d.serve()
	}
	ours.plus()
	rest := func() {
		t.Helper()
		ours.settled()
		theirs.settled()
		by(t, soon, "both have taken what was sent", func() bool {
			return ask[int](theirs, `select count(*) from ledger where state <> 'stored' and outcome <> 'probe'`) >= int(toThem.Load()) &&
				ask[int](ours, `select count(*) from ledger where state <> 'stored' and outcome <> 'probe'`) >= int(toUs.Load())+1
		})
		ours.settled()
		theirs.settled()
	}
	t.Run("R26/a confirmation is not confirmed", func(t *testing.T) {
		ours.box.put([]byte(mailOf(other, "Your desk", "Can you help us?")))
		ours.filed(`l.subject = 'Your desk'`)
		rest()
		if toThem.Load() != 1 || toUs.Load() != 0 {
			t.Errorf("%d mails to them, %d to us", toThem.Load(), toUs.Load())
		}
	})
	t.Run("R50/an agent's answer is confirmed once, and that is the end", func(t *testing.T) {
		notice := ours.sink.sentTo("mia@desk.example")[0]
		ours.box.put([]byte(ours.signed(mailOf("Mia <mia@desk.example>", "Re: "+notice.Subject, "Yes, we can.",
			"To: "+replyTo(notice), "In-Reply-To: <"+notice.MessageID+">"))))
		ours.filed(`l.outcome = 'answers'`)
		by(t, soon, "they confirm", func() bool { return toUs.Load() > 0 })
		rest()
		if toThem.Load() > 6 || toUs.Load() > 6 {
			t.Errorf("%d mails to them, %d to us", toThem.Load(), toUs.Load())
		}
		if n := ask[int](ours, `select count(*) from event where kind = 'auto-reply'`); n != 1 {
			t.Errorf("our agents see %d automatic answers", n)
		}
	})
}
