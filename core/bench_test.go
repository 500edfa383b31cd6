package core_test

import (
	"fmt"
	"testing"
)

// What filing one new mail costs, look-ups and writes, without reading it.
func BenchmarkReceive_newCase(b *testing.B) {
	w := newWorld(b, nil)
	n := 0
	for b.Loop() {
		n++
		w.receive(mail{from: fmt.Sprintf("p%d@northwind.example", n%200), subject: fmt.Sprintf("Subject %d", n), text: "It burns."})
	}
}

// What filing a reply costs.
func BenchmarkReceive_reply(b *testing.B) {
	w := newWorld(b, nil)
	w.receive(mail{from: "anna@northwind.example", subject: "Printer", text: "It burns.", id: "first@northwind.example"})
	n := 0
	for b.Loop() {
		n++
		w.receive(mail{from: "anna@northwind.example", subject: "Re: Printer", text: fmt.Sprint("It burns ", n), inReplyTo: "first@northwind.example"})
	}
}
