package mailin

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
)

func TestSpool(t *testing.T) {
	for _, size := range []int{0, 1, 511, 512, spoolBytes - 1, spoolBytes, spoolBytes + 1, 3 * spoolBytes} {
		for _, hint := range []int{0, size, size / 2} {
			folder := t.TempDir()
			want := []byte(strings.Repeat("0123456789", size/10+1))[:size]
			s, err := newSpool(folder, int64(hint))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.fill(folder, bytes.NewReader(want)); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(s.reader())
			if err != nil || !bytes.Equal(got, want) || s.size != int64(size) {
				t.Errorf("size %d, hint %d: %d octets, size %d, %v", size, hint, len(got), s.size, err)
			}
			if s.held() > spoolBytes+1 {
				t.Errorf("size %d, hint %d: %d octets in memory", size, hint, s.held())
			}
			if left, _ := os.ReadDir(folder); len(left) > 0 {
				t.Errorf("size %d: a crash would leave %v", size, left)
			}
			s.Close()
		}
	}
}

func TestEndOfHeader(t *testing.T) {
	for raw, want := range map[string]string{
		"A: b\r\n\r\nbody":     "A: b\r\n\r\n",
		"A: b\n\nbody\r\n\r\n": "A: b\n\n",
		"A: b\r\nno blank":     "A: b\r\nno blank",
		"\r\nbody":             "\r\n",
		"":                     "",
	} {
		if got := raw[:endOfHeader([]byte(raw))]; got != want {
			t.Errorf("%q: %q", raw, got)
		}
	}
}
