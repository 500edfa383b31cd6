package core_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"postern/core"
)

// sendTo replaces what a mail was delivered to, and To.
func sendTo(delivered string, to ...string) func(*core.Mail) {
	return func(m *core.Mail) {
		m.Delivered, m.To = nil, nil
		if delivered != "" {
			m.Delivered = []string{delivered}
		}
		for _, a := range to {
			m.To = append(m.To, core.Address{Address: a})
		}
	}
}

// Which case a customer's mail joins, by each sign that there is, on a database
// with two cases of hers and one of another company's.
func TestReceive_whichCase(t *testing.T) {
	const us = "support@desk.example"
	for _, c := range []struct {
		name string
		mail func(w *world, one, two, theirs opened, m *mail)
		want int // 1 or 2: joins that; 0: opens a case
	}{
		{"R33/a token in Delivered-To", func(w *world, one, two, theirs opened, m *mail) { m.change = sendTo(two.confirmation.ReplyTo, us) }, 2},
		{"R33/a token in To", func(w *world, one, two, theirs opened, m *mail) { m.change = sendTo(us, two.confirmation.ReplyTo) }, 2},
		{"R33/a token in Cc", func(w *world, one, two, theirs opened, m *mail) {
			m.change = chain(sendTo(us, us), cc(two.confirmation.ReplyTo))
		}, 2},
		{"R33/a token in capitals", func(w *world, one, two, theirs opened, m *mail) {
			tag, at, _ := strings.Cut(two.confirmation.ReplyTo, "@")
			plus := strings.IndexByte(tag, '+')
			m.change = sendTo(us, tag[:plus]+strings.ToUpper(tag[plus:])+"@"+at)
		}, 2},
		{"R33/Delivered-To comes before To", func(w *world, one, two, theirs opened, m *mail) {
			m.change = sendTo(two.confirmation.ReplyTo, one.confirmation.ReplyTo)
		}, 2},
		{"R33/To comes before Cc", func(w *world, one, two, theirs opened, m *mail) {
			m.change = chain(sendTo(us, two.confirmation.ReplyTo), cc(one.confirmation.ReplyTo))
		}, 2},
		{"R33/the first of several in To decides", func(w *world, one, two, theirs opened, m *mail) {
			m.change = sendTo(us, two.confirmation.ReplyTo, one.confirmation.ReplyTo)
		}, 2},
		{"R33/a token after 90 days is none", func(w *world, one, two, theirs opened, m *mail) {
			w.Clock.Advance(90*24*time.Hour + time.Second)
			w.lease()
			m.change = sendTo(two.confirmation.ReplyTo, us)
		}, 0},
		{"R33/a withdrawn token is none, and the next sign decides", func(w *world, one, two, theirs opened, m *mail) {
			if n, err := w.WithdrawTokens(w.t.Context(), two.confirmation.ReplyTo); n != 1 || err != nil {
				w.t.Fatalf("%d, %v", n, err)
			}
			m.subject, m.change = one.Case, sendTo(two.confirmation.ReplyTo, us)
		}, 1},
		{"R33/a guessed token is none", func(w *world, one, two, theirs opened, m *mail) {
			m.change = sendTo("support+aaaaaaaaaaaaaaaaaaaa@desk.example", us)
		}, 0},
		{"R33/a token in somebody else's address is none", func(w *world, one, two, theirs opened, m *mail) {
			m.change = sendTo(us, strings.Replace(two.confirmation.ReplyTo, "@desk.example", "@evil.example", 1))
		}, 0},
		{"R33/a bounce address is no reply address", func(w *world, one, two, theirs opened, m *mail) {
			m.change = sendTo(strings.Replace(two.confirmation.ReplyTo, "+", "+b-", 1), us)
		}, 0},
		{"R34/(a) another person's token of a case one may see names it", func(w *world, one, two, theirs opened, m *mail) { m.change = sendTo(two.tom.ReplyTo, us) }, 2},
		{"R34/(a) a token of another company's case is not weighed", func(w *world, one, two, theirs opened, m *mail) {
			m.subject, m.change = two.Case, sendTo(theirs.confirmation.ReplyTo, us)
		}, 2},
		{"R34/(a) it comes before In-Reply-To and the number", func(w *world, one, two, theirs opened, m *mail) {
			m.subject, m.inReplyTo, m.change = one.Case, one.confirmation.MessageID, sendTo(two.confirmation.ReplyTo, us)
		}, 2},
		{"R34/(b) In-Reply-To of ours", func(w *world, one, two, theirs opened, m *mail) { m.inReplyTo = two.confirmation.MessageID }, 2},
		{"R34/(b) it comes before References", func(w *world, one, two, theirs opened, m *mail) {
			m.inReplyTo = two.confirmation.MessageID
			m.change = func(c *core.Mail) { c.References = []string{one.confirmation.MessageID} }
		}, 2},
		{"R34/(b) References from right to left", func(w *world, one, two, theirs opened, m *mail) {
			m.change = func(c *core.Mail) {
				c.References = []string{one.confirmation.MessageID, two.confirmation.MessageID, theirs.confirmation.MessageID}
			}
		}, 2},
		{"R34/(b) ours in References comes before hers in In-Reply-To", func(w *world, one, two, theirs opened, m *mail) {
			m.inReplyTo = "one@client.example"
			m.change = func(c *core.Mail) { c.References = []string{two.confirmation.MessageID} }
		}, 2},
		{"R34/(b) among a hundred References", func(w *world, one, two, theirs opened, m *mail) {
			m.change = func(c *core.Mail) {
				for i := range 100 {
					c.References = append(c.References, fmt.Sprintf("%d@elsewhere.example", i))
				}
				c.References = append(c.References, two.confirmation.MessageID)
			}
		}, 2},
		{"R34/(c) In-Reply-To of a mail that was taken in", func(w *world, one, two, theirs opened, m *mail) { m.inReplyTo = "two@client.example" }, 2},
		{"R34/(c) it comes before the number", func(w *world, one, two, theirs opened, m *mail) {
			m.subject, m.inReplyTo = "["+one.Case+"]", "two@client.example"
		}, 2},
		{"R34/(d) a tagged number", func(w *world, one, two, theirs opened, m *mail) { m.subject = "AW: [" + two.Case + "] Printer" }, 2},
		{"R34/(d) it comes before a bare one", func(w *world, one, two, theirs opened, m *mail) { m.subject = one.Case + " or [" + two.Case + "]" }, 2},
		{"R34/(d) the leftmost of two", func(w *world, one, two, theirs opened, m *mail) { m.subject = "[" + two.Case + "] [" + one.Case + "]" }, 2},
		{"R34/(d) a retired prefix is known for ever", func(w *world, one, two, theirs opened, m *mail) {
			w.apply(w.t, func(s string) string { return replace(w.t, s, `prefix = "CASE"`, `prefix = "HELP"`) })
			m.subject = "[" + two.Case + "]"
		}, 2},
		{"R34/(d) somebody else's prefix is none", func(w *world, one, two, theirs opened, m *mail) {
			m.subject = "[" + strings.Replace(two.Case, "CASE", "JIRA", 1) + "]"
		}, 0},
		{"R34/(e) a bare number, in small letters", func(w *world, one, two, theirs opened, m *mail) {
			m.subject = "about " + strings.ToLower(two.Case) + "!"
		}, 2},
		{"R34/body text never", func(w *world, one, two, theirs opened, m *mail) {
			m.text = "[" + two.Case + "] " + two.confirmation.ReplyTo + " " + two.confirmation.MessageID
			m.change = func(c *core.Mail) { c.HTML, c.Rest = "<p>["+two.Case+"]</p>", two.Case }
		}, 0},
		{"R30/Reply-To and Sender's names never", func(w *world, one, two, theirs opened, m *mail) {
			m.change = func(c *core.Mail) {
				c.ReplyTo = []core.Address{{Name: two.Case, Address: two.confirmation.ReplyTo}}
				c.From[0].Name = "[" + two.Case + "]"
			}
		}, 0},
		{"R34/every sign of another company's case beside a bare number of hers", func(w *world, one, two, theirs opened, m *mail) {
			m.subject, m.inReplyTo = "["+theirs.Case+"] "+two.Case, theirs.confirmation.MessageID
			m.change = chain(sendTo(theirs.confirmation.ReplyTo, theirs.mia.ReplyTo), func(c *core.Mail) { c.References = []string{"theirs@client.example"} })
		}, 2},
		{"R63/signs of another company's case alone", func(w *world, one, two, theirs opened, m *mail) {
			m.subject, m.inReplyTo = "["+theirs.Case+"]", theirs.confirmation.MessageID
			m.change = sendTo(theirs.confirmation.ReplyTo, us)
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.t = t
			one := w.opens(mail{from: anna, id: "one@client.example"})
			two := w.opens(mail{from: anna, id: "two@client.example", subject: "Another"})
			theirs := w.opens(mail{from: carl, id: "theirs@client.example"})
			m := mail{from: anna, subject: "Hello", text: "More."}
			c.mail(w, one, two, theirs, &m)
			r := w.receive(m)
			want := map[int]int64{1: one.CaseID, 2: two.CaseID}[c.want]
			if c.want == 0 {
				wants(t, r, core.Filed, "opens a case", "")
			} else if wants(t, r, core.Filed, "joins", ""); r.CaseID != want {
				t.Errorf("filed in case %d, not %d: %v", r.CaseID, want, r.Trace)
			}
			if n := w.count(`select count(*) from comment where case_id = $1`, theirs.CaseID); n != 0 {
				t.Error("R63: a comment on another company's case")
			}
		})
	}
}

// What names cases of two organisations, both of which the sender may see, is
// held: for an agent's mail nobody but they can tell.
func TestReceive_evidenceOfTwoOrganisations(t *testing.T) {
	for name, m := range map[string]func(one, two opened) mail{
		"a token and a number": func(one, two opened) mail { return mail{to: one.mia.ReplyTo, subject: two.Case} },
		"two tokens": func(one, two opened) mail {
			return mail{to: one.mia.ReplyTo, subject: "x", change: cc(two.mia.ReplyTo)}
		},
		"a token and References": func(one, two opened) mail {
			return mail{to: one.mia.ReplyTo, subject: "x", change: func(m *core.Mail) { m.References = []string{two.mia.MessageID} }}
		},
		"In-Reply-To and a customer's id": func(one, two opened) mail {
			return mail{inReplyTo: one.mia.MessageID, subject: "x", change: func(m *core.Mail) { m.References = []string{"two@client.example"} }}
		},
		"two numbers": func(one, two opened) mail { return mail{subject: one.Case + " " + two.Case} },
	} {
		t.Run("R34/"+name, func(t *testing.T) {
			w := newWorld(t, nil)
			one, two := w.opens(mail{from: anna}), w.opens(mail{from: carl, id: "two@client.example"})
			sent := m(one, two)
			sent.from, sent.text = mia, "Use water."
			wants(t, w.receive(sent), core.Held, "held", "two-organisations")
			noneTo(t, w.letters(), anna, carl)
		})
	}
}

// Whether a mail may join the case that it names: everybody, however sure it is
// who they are, and whatever became of the case.
func TestReceive_whetherItJoins(t *testing.T) {
	const day = 24 * time.Hour
	who := map[string]string{"the requester": anna, "a member": bob, "a participant": zed, "an outsider": eve, "an agent": mia}
	w := newWorld(t, func(s *core.Settings) { s.Mailboxes[0].Border, s.Budgets = "google", core.Budgets{} })
	w.opens(mail{from: bob})
	agent := w.signsIn(mia)
	for name, from := range who {
		for _, assurance := range []core.Assurance{core.Verified, core.Unknown, core.Failed} {
			for _, state := range []string{"open", "closed", "over"} {
				for _, by := range []string{"number", "token"} {
					t.Run(fmt.Sprintf("R36/%s, %s, case %s, by %s", name, assurance, state, by), func(t *testing.T) {
						w.t = t
						w.Clock.Advance(time.Hour)
						w.lease()
						o := w.opens(mail{from: anna, text: "It burns at " + w.Clock.Now().String()})
						if err := w.AddParticipant(t.Context(), agent, o.Case, zed); err != nil {
							t.Fatal(err)
						}
						if state != "open" {
							w.receive(fromMia(o, "#status closed\nBye, "+o.Case, false))
						}
						if state == "over" {
							w.Clock.Advance(15 * day)
							w.lease()
						}
						w.letters()
						before := w.status(o)
						m := mail{from: from, subject: "Re: " + o.Case, text: "More of " + o.Case, unverified: assurance != core.Verified}
						if by == "token" {
							m.subject, m.to = "Re", o.mia.ReplyTo
						}
						if assurance == core.Failed {
							m.change = func(m *core.Mail) {
								m.Trusted = []core.AuthField{{Name: "Authentication-Results", Value: "mx.google.com; dmarc=fail (p=REJECT)"}}
							}
						}
						r := w.receive(m)
						outcome, reason, moves := "joins", "", false
						switch {
						case assurance == core.Failed:
							outcome, reason = "held", "failed"
						case from == eve || from != mia && state == "over":
							outcome = "opens a case"
						case from != mia && state == "closed":
							outcome, moves = "reopens", true
						case from == mia && assurance == core.Verified:
							outcome, moves = "answers", state == "open"
						case from == mia && by == "token":
							outcome, reason = "note, waits", "agent-unproved"
						case from == mia:
							outcome, reason = "held", "agent-forged"
						}
						held := map[bool]core.State{true: core.Held, false: core.Filed}[reason != ""]
						wants(t, r, held, outcome, reason)
						if (r.CaseID == o.CaseID) != (outcome != "held" && outcome != "opens a case") {
							t.Errorf("filed in case %d, the one it names is %d", r.CaseID, o.CaseID)
						}
						if (w.status(o) != before) != moves {
							t.Errorf("the case was %s and is %s", before, w.status(o))
						}
						if outcome == "joins" || outcome == "reopens" {
							want := map[core.Assurance]string{core.Verified: "", core.Unknown: "unverified"}[assurance]
							if got := w.text(`select array_to_string(marks, ' ') from comment order by id desc limit 1`); got != want {
								t.Errorf("marks %q", got)
							}
						}
						if letters := w.letters(); assurance == core.Failed {
							noneTo(t, letters, anna, bob, zed, eve)
						} else if outcome == "opens a case" {
							l := to(t, letters, from, core.Confirmation)
							if l.Number == o.Case || l.Number == "" {
								t.Errorf("R37: confirmed as %q", l.Number)
							}
							if n := w.count(`select count(*) from cases where id = $1 and linked = $2`, r.CaseID, o.CaseID); n != 1 {
								t.Error("no link to the case that it names")
							}
						}
					})
				}
			}
		}
	}
}

// told is an outsider's answer, without what differs in any two answers.
func told(t *testing.T, l core.Letter) string {
	t.Helper()
	l.ID, l.MessageID, l.ReplyTo, l.Envelope, l.Loop, l.QueuedAt = 0, "", "", "", "", time.Time{}
	l.InReplyTo, l.References = "", l.References[:min(len(l.References), 1)]
	for i := range l.References {
		l.References[i] = ""
	}
	for i := range l.Payload.Links {
		l.Payload.Links[i].Nonce = ""
	}
	l.Case = strings.ReplaceAll(l.Case, l.Number, "N")
	l.Number = "N"
	s, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	return string(s)
}

// The same mail names a case that there is, or none: outsiders get the same
// answer, after the same number of round trips to the database.
func TestReceive_anOutsiderCannotTellWhetherACaseExists(t *testing.T) {
	for _, unknown := range []string{"opens", "held"} {
		for _, from := range []string{eve, carl, "new@fabrikam.example", bob} {
			for _, unverified := range []bool{false, true} {
				if from == bob && (!unverified || unknown == "held") {
					continue // a colleague may see it once verified
				}
				t.Run(fmt.Sprintf("R37/%s, unverified %v, desk %s", from, unverified, unknown), func(t *testing.T) {
					trips := &tripCounter{}
					w := newWorld(t, nil)
					o := w.opens(mail{from: anna})
					if unknown == "held" {
						w.apply(t, func(s string) string { return replace(t, s, `unknown = "opens"`, `unknown = "held"`) })
					}
					counted, err := w.another(t, func(s *core.Settings) {
						s.DatabaseURL = trips.before(t, s.DatabaseURL)
						s.Connections = 2 // one listens, so that all mails go by the other one
					})
					if err != nil {
						t.Fatal(err)
					}
					ask := func(m mail) (core.Receipt, string, int64) {
						t.Helper()
						w.Clock.Advance(4 * time.Hour) // within any budget
						w.lease()
						w.letters()
						m.from, m.text, m.unverified = from, "What is it?", unverified
						c := w.keep(m)
						c.Hash = sha256.Sum256([]byte(c.MessageID))
						at := trips.n.Load()
						r, err := counted.Receive(t.Context(), c)
						used := trips.n.Load() - at
						if err != nil {
							t.Fatal(err)
						}
						kind := core.Confirmation
						if unknown == "held" {
							kind = core.HeldAnswer
						}
						return r, told(t, to(t, w.letters(), from, kind)), used
					}
					for _, sign := range []struct {
						says        string
						none, there mail
					}{
						{"a number", mail{subject: "About CASE-77777"}, mail{subject: "About " + o.Case}},
						{"a token", mail{to: "support+aaaaaaaaaaaaaaaaaaaa@desk.example"}, mail{to: o.confirmation.ReplyTo}},
						{"a note's token", mail{to: "support+aaaaaaaaaaaaaaaaaaaa@desk.example"}, mail{to: o.mia.Internal}},
						{"an id", mail{inReplyTo: "guessed@desk.example"}, mail{inReplyTo: o.confirmation.MessageID}},
						{"a customer's id", mail{inReplyTo: "guessed@client.example"}, mail{inReplyTo: "1@client.example"}},
					} {
						ask(sign.none) // whoever wrote before is known, and statements are prepared
						ask(sign.none)
						r1, none, trips1 := ask(sign.none)
						r2, there, trips2 := ask(sign.there)
						if there = strings.ReplaceAll(there, "About "+o.Case, "About CASE-77777"); none != there {
							t.Errorf("%s, there is none: %s\nthere is one: %s", sign.says, none, there)
						}
						if trips1 != trips2 || trips1 == 0 {
							t.Errorf("R63: %s: %d round trips if there is none, %d if there is one", sign.says, trips1, trips2)
						}
						if r1.State != r2.State || r1.Outcome != r2.Outcome || r1.Reason != r2.Reason || r2.CaseID == o.CaseID {
							t.Errorf("%s: %+v and %+v", sign.says, r1, r2)
						}
					}
				})
			}
		}
	}
}

// tripCounter counts the round trips that pass between a desk and its database.
type tripCounter struct{ n atomic.Int64 }

// before stands between: it is the URL to use instead.
func (c *tripCounter) before(t testing.TB, url string) string {
	t.Helper()
	config, err := pgconn.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	network, address := pgconn.NetworkAddress(config.Host, config.Port)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				client.Close()
				continue
			}
			go func() {
				io.Copy(client, server)
				client.Close()
			}()
			go func() {
				c.count(client, server)
				server.Close()
			}()
		}
	}()
	at := l.Addr().(*net.TCPAddr)
	return fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/%s?sslmode=disable", config.User, config.Password, at.Port, config.Database)
}

// count hands messages on. In a transaction each Sync and each simple Query
// waits for an answer; what the pool and the listener ask stands outside of one.
func (c *tripCounter) count(client io.Reader, server io.Writer) {
	begun, inTx := false, false
	for {
		head := make([]byte, 4, 5)
		if begun {
			head = head[:5]
		}
		if _, err := io.ReadFull(client, head); err != nil {
			return
		}
		rest := make([]byte, max(0, int(binary.BigEndian.Uint32(head[len(head)-4:]))-4))
		if _, err := io.ReadFull(client, rest); err != nil {
			return
		}
		if begun && head[0] == 'Q' {
			inTx = inTx || strings.HasPrefix(string(rest), "begin")
		}
		if begun && inTx && (head[0] == 'S' || head[0] == 'Q') {
			c.n.Add(1)
		}
		if begun && head[0] == 'Q' && !strings.HasPrefix(string(rest), "begin") {
			inTx = false // committed
		}
		begun = true // the first message has no letter
		if _, err := server.Write(append(head, rest...)); err != nil {
			return
		}
	}
}
