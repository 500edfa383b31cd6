package mailout

import (
	"bufio"
	"bytes"
	"io"
	"net/textproto"
	"strings"
	"testing"
)

func TestWriteMail(t *testing.T) {
	for name, c := range map[string]struct{ raw, read string }{
		"R56/lines that begin with a dot keep it":   {".a\r\n..b\r\n.\r\nc\r\n", ".a\n..b\n.\nc\n"},
		"R56/a lone line feed ends a line, no mail": {"a\n.\nMAIL FROM:<eve@evil.example>\n", "a\n.\nMAIL FROM:<eve@evil.example>\n"},
		"R56/nor does a lone carriage return":       {"a\r.\rb\r\n", "a\n.\nb\n"},
		"R56/nor both, mixed up":                    {"a\n.\r\nb\r\n.\nc\r.\r\n", "a\n.\nb\n.\nc\n.\n"},
		"R56/a last line without an end gets one":   {"a\r\nb", "a\nb\n"},
		"R56/a mail of nothing is one empty line":   {"", "\n"},
		"R56/a long one goes through whole":         {strings.Repeat(".x\r\n", 50_000), strings.Repeat(".x\n", 50_000)},
		"R56/an end that stands in it is none":      {"a\r\n.\r\n.\r\nb\r\n", "a\n.\n.\nb\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var wire bytes.Buffer
			w := bufio.NewWriter(&wire)
			if err := writeMail(w, []byte(c.raw)); err != nil {
				t.Fatal(err)
			}
			w.WriteString(".\r\nnext\r\n")
			w.Flush()
			if strings.Contains(strings.ReplaceAll(wire.String(), "\r\n", ""), "\n") || strings.Contains(strings.ReplaceAll(wire.String(), "\r\n", ""), "\r") {
				t.Errorf("a lone CR or LF: %.80q", wire.String())
			}
			r := textproto.NewReader(bufio.NewReader(&wire))
			read, err := io.ReadAll(r.DotReader())
			if err != nil || string(read) != c.read {
				t.Errorf("%v, %.80q, want %.80q", err, read, c.read)
			}
			if next, err := r.ReadLine(); err != nil || next != "next" {
				t.Errorf("the server reads on at %.80q, %v", next, err)
			}
		})
	}
}
