package mime

import (
	"runtime"
	"testing"
	"time"

	"postern/mailin/mime/bombs"
)

// TestRead_bombs holds R18: four times the mail is some four times the work,
// and never much of it. What a busy machine adds is allowed for several times
// over; what grows with the square is found all the same.
func TestRead_bombs(t *testing.T) {
	const (
		small   = 128 << 10
		factor  = 4
		widely  = 3 * factor
		slack   = time.Second // below this nothing is said about growth
		longest = 5 * time.Second
		most    = 600 << 20 // octets allocated in all, collected as they go
	)
	for _, b := range bombs.All() {
		t.Run("R18/"+b.Name, func(t *testing.T) {
			_, few, _ := readBomb(b, small)
			m, many, allocated := readBomb(b, factor*small)
			for range 3 { // somebody else may have had the processor
				if many > slack {
					_, again, _ := readBomb(b, factor*small)
					many = min(many, again)
				}
			}
			if many > slack && many > widely*few {
				t.Errorf("%d KiB took %v, four times as much %v", small>>10, few, many)
			}
			if many > longest {
				t.Errorf("%d KiB took %v", factor*small>>10, many)
			}
			if allocated > most {
				t.Errorf("%d MiB allocated in all", allocated>>20)
			}
			if m.Err != nil && m.Err != ErrHeaderTooLarge {
				t.Error(m.Err)
			}
			if len(m.HTML) > 20<<20 || len(m.Text) > untimed.TextBytes {
				t.Errorf("gave %d octets of HTML, %d of text", len(m.HTML), len(m.Text))
			}
			checkStrings(t, m)
		})
	}
}

func readBomb(b bombs.Bomb, n int) (m *Message, took time.Duration, allocated uint64) {
	raw := b.Make(n)
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	m = readWith(raw, untimed)
	took = time.Since(start)
	runtime.ReadMemStats(&after)
	return m, took, after.TotalAlloc - before.TotalAlloc
}
