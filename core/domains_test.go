package core_test

import (
	"context"
	"testing"

	"postern/core"
)

func TestReceive_peopleByDomain(t *testing.T) {
	const zoe = "zoe@northwind.example"
	member := func(w *world, address string) string {
		return w.text(`select coalesce((select o.name || ' ' || m.role || ' ' || m.by from member m
			join address a on a.person = m.person join organisation o on o.id = m.organisation where a.address = $1), '')`, address)
	}
	reads := func(w *world, address string, o opened) bool {
		_, err := w.Case(context.Background(), w.signsIn(address), o.Case)
		return err == nil
	}
	t.Run("R71/an unknown person of a known domain becomes a contact, and no power user", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: zoe, unverified: true})
		if got := member(w, zoe); got != "Northwind user domain" {
			t.Errorf("%q", got)
		}
		if n := w.count(`select count(*) from cases c join organisation o on o.id = c.organisation where o.name = 'Northwind' and c.id = $1`, o.CaseID); n != 1 {
			t.Error("R63: the case is not the organisation's")
		}
	})
	t.Run("R71/until a mail of theirs was verified it is for their own cases", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		mine := w.opens(mail{from: zoe, unverified: true})
		wants(t, w.receive(mail{from: zoe, subject: mine.Case, text: "more", unverified: true}), core.Filed, "joins", "")
		wants(t, w.receive(mail{from: zoe, subject: o.Case, text: "let me in", unverified: true}), core.Filed, "opens a case", "")
		wants(t, w.receive(mail{from: zoe, subject: o.Case, text: "it is me", to: o.confirmation.ReplyTo, unverified: true}), core.Filed, "opens a case", "")
		wants(t, w.receive(mail{from: zoe, subject: o.Case, text: "signed", change: cc(bob)}), core.Filed, "joins", "")
		if got := w.participants(o); got != bob+" "+zoe {
			t.Errorf("invited: %q", got)
		}
		wants(t, w.receive(mail{from: zoe, subject: o.Case, text: "and then unsigned", unverified: true}), core.Filed, "joins", "")
	})
	t.Run("R71/or they signed in by a mailed link", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		w.opens(mail{from: zoe, unverified: true})
		if !reads(w, zoe, o) {
			t.Error("signed in, and does not see the organisation's case")
		}
		wants(t, w.receive(mail{from: zoe, subject: o.Case, text: "me", unverified: true}), core.Filed, "joins", "")
	})
	t.Run("R71/a person whom we knew before the domain belongs to it from their next mail on", func(t *testing.T) {
		w := newWorld(t, nil)
		w.opens(mail{from: zed, unverified: true})
		if err := w.AddOrganisation(t.Context(), "Supplier", []string{"supplier.example"}); err != nil {
			t.Fatal(err)
		}
		o := w.opens(mail{from: zed, subject: "Again", unverified: true})
		if got := member(w, zed); got != "Supplier user domain" {
			t.Errorf("%q", got)
		}
		if n := w.count(`select count(*) from cases where id = $1 and organisation is not null`, o.CaseID); n != 1 {
			t.Error("the case is nobody's")
		}
	})
	t.Run("R71/a member elsewhere stays so, whatever the domain", func(t *testing.T) {
		w := newWorld(t, nil)
		w.opens(mail{from: carl})
		w.exec(`update domain set organisation = (select id from organisation where name = 'Northwind') where domain = 'fabrikam.example'`)
		w.opens(mail{from: carl, subject: "Again"})
		if got := member(w, carl); got != "Fabrikam user domain" {
			t.Errorf("%q", got)
		}
	})
	for name, address := range map[string]string{"a sub-domain": "zoe@mail.northwind.example", "a domain above": "zoe@example", "a domain that ends alike": "zoe@notnorthwind.example", "the domain as a local part": "northwind.example@evil.example"} {
		t.Run("R71/"+name+" is nobody's", func(t *testing.T) {
			w := newWorld(t, nil)
			o := w.opens(mail{from: anna})
			wants(t, w.receive(mail{from: address, subject: o.Case, text: "let me in"}), core.Filed, "opens a case", "")
			if got := member(w, address); got != "" {
				t.Errorf("%q", got)
			}
		})
	}
	t.Run("R71/a public provider's domain is no organisation's", func(t *testing.T) {
		w := newWorld(t, nil)
		for _, d := range []string{"gmail.com", "GMAIL.com", "@outlook.com", "web.de"} {
			if err := w.AddOrganisation(t.Context(), "Everybody", []string{d}); err == nil {
				t.Errorf("%s was taken", d)
			}
		}
	})
	t.Run("R71/a desk that holds unknown people holds a colleague by domain, and names the organisation", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		w.apply(t, func(s string) string { return replace(t, s, `unknown = "opens"`, `unknown = "held"`) })
		for _, m := range []mail{{from: zoe, subject: "New", text: "a"}, {from: zoe, subject: o.Case, text: "b"}, {from: zoe, subject: "x", text: "c", to: o.confirmation.ReplyTo, unverified: true}} {
			wants(t, w.receive(m), core.Held, "held", "unknown, Northwind")
		}
		wants(t, w.receive(mail{from: eve, subject: "New", text: "a"}), core.Held, "held", "unknown")
		if got := member(w, zoe); got != "" {
			t.Errorf("held, and a member: %q", got)
		}
	})
	t.Run("R71/no mail makes an agent", func(t *testing.T) {
		w := newWorld(t, nil)
		o := w.opens(mail{from: anna})
		const new = "new@desk.example"
		for _, m := range []mail{
			{from: new, subject: o.Case, text: "#status closed"},
			{from: new, subject: "x", text: "#status closed", to: o.mia.ReplyTo},
			{from: new, subject: "x", text: "y", to: o.mia.Internal},
			{from: mia, subject: o.Case, text: "Use water.", change: cc(new)},
			{from: mia, subject: "Fwd", text: "x", change: forwards("x", new, "y")},
		} {
			w.receive(m)
		}
		if n := w.count(`select count(*) from agent`); n != 2 {
			t.Errorf("%d agents", n)
		}
		if got := w.status(o); got == "closed" {
			t.Error("the case is closed")
		}
	})
}
