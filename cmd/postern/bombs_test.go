package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"postern/mailin/mime/bombs"
)

// beyondLimits are mails that break a limit of R17 for a whole mail: what the
// reader alone meets is in the tests of mailin/mime.
func beyondLimits() []bombs.Bomb {
	fixed := func(name, raw string) bombs.Bomb {
		return bombs.Bomb{Name: name, Make: func(int) string { return raw }}
	}
	return []bombs.Bomb{
		fixed("a mail larger than we take", mailOf("big@well.example", "big", strings.Repeat("x", 300<<10))),
		fixed("a header block over 1 MiB", "From: header@well.example\r\n"+strings.Repeat("X-Filler: "+strings.Repeat("x", 900)+"\r\n", 1200)+"\r\nx\r\n"),
		fixed("two From addresses", mailOf("a@well.example, b@well.example", "two", "x")),
		fixed("fifty-one Received fields", strings.Repeat("Received: from a by b; Mon, 2 Nov 2026 10:00:00 +0000\r\n", 51)+mailOf("loop@well.example", "loop", "x")),
		fixed("no octet at all but line ends", "\r\n\r\n"),
		fixed("noise", string(noise(20<<10))),
	}
}

func noise(n int) []byte {
	b := make([]byte, n)
	x := uint32(7)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// TestBombs sends each hostile mail over IMAP, and a good one behind it: the
// good one is filed before the bad one is tried a second time (R10, R17).
func TestBombs(t *testing.T) {
	d := newDesk(t, memoryAccount)
	text, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	smaller := strings.Replace(string(text), "[limits]\n", "[limits]\nmail = \"256 KiB\"\n", 1)
	if err := os.WriteFile(d.config, []byte(smaller), 0o600); err != nil {
		t.Fatal(err)
	}
	d.sink.listen(t)
	d.serve()
	d.plus()
	const octets = 24 << 10
	for i, b := range append(beyondLimits(), bombs.All()...) {
		t.Run("R10/"+b.Name, func(t *testing.T) {
			good := fmt.Sprintf("good %d", i)
			d.box.put([]byte(b.Make(octets)))
			d.box.put([]byte(mailOf(fmt.Sprintf("good%d@well%d.example", i, i), good, "Help!")))
			f := d.filed(`l.subject = $1`, good)
			if f.State != "filed" || f.Outcome != "opens a case" {
				t.Errorf("the good mail: %+v", f)
			}
			if n := ask[int](d, `
				select count(*) from ledger b join ledger g on g.mailbox = b.mailbox and g.uid = b.uid + 1
				where g.id = $1 and b.tries <= 1`, f.ID); n != 1 {
				t.Errorf("%d rows for the bad mail that were tried once", n)
			}
		})
	}
	by(t, soon, "every bad mail has come to an end, or waits for its second try", func() bool {
		return ask[int](d, `select count(*) from ledger where state = 'stored' and tries = 0`) == 0
	})
}
