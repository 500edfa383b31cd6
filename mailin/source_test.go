package mailin

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
)

// all reads what there is: "name text", or "name: error".
func sourcesOf(t *testing.T, base string, sources iter.Seq2[Source, error]) (got []string) {
	t.Helper()
	for s, err := range sources {
		name := strings.TrimPrefix(s.Name, base+"/")
		if err != nil {
			got = append(got, name+": "+strings.ReplaceAll(err.Error(), base+"/", ""))
			continue
		}
		b, err := io.ReadAll(iotest.OneByteReader(io.NewSectionReader(s.Mail, 0, s.Size)))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %q", name, b))
	}
	return got
}

const line = "From a@b.example Mon Nov  2 10:00:00 2026"

func TestFiles_anMboxThatIsNamedIsTakenApart(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"R67/one of two mails", line + "\nSubject: one\n\nFrom here on it burns.\n\n" + line + "\nSubject: two\n\ntext\n\n",
			[]string{`box#1 "Subject: one\n\nFrom here on it burns.\n"`, `box#2 "Subject: two\n\ntext\n"`}},
		{"R67/one of one mail keeps its name", line + "\nSubject: one\n\nx\n", []string{`box "Subject: one\n\nx\n"`}},
		{"R67/with CRLF", line + "\r\nSubject: one\r\n\r\nx\r\n\r\n" + line + "\r\nSubject: two\r\n\r\ny",
			[]string{`box#1 "Subject: one\r\n\r\nx\r\n"`, `box#2 "Subject: two\r\n\r\ny"`}},
		{"R67/without an empty line between", line + "\nSubject: one\n\nx\n" + line + " +0100\nSubject: two\n\ny\n",
			[]string{`box#1 "Subject: one\n\nx\n"`, `box#2 "Subject: two\n\ny\n"`}},
		{"R67/a sentence with a time is not taken for a mail", line + "\nSubject: one\n\nx\nFrom Monday at 10:00 in 2026 on\n", []string{`box "Subject: one\n\nx\nFrom Monday at 10:00 in 2026 on\n"`}},
		{"R67/quoted From lines are read as they were", line + "\n\n>From me\n>>From you\n>Frome\n> From\n\n" + line + "\n\nplain\n",
			[]string{`box#1 "\nFrom me\n>From you\n>Frome\n> From\n"`, `box#2 "\nplain\n"`}},
		{"R67/mails without anything", line + "\n" + line + "\n\n" + line, []string{`box#1 ""`, `box#2 ""`, `box#3 ""`}},
		{"R67/what only looks like one is one mail", "From the start, it burns.\n", []string{`box "From the start, it burns.\n"`}},
		{"R67/a mail with quoted lines and no mbox line", "Subject: x\n\n>From me\n", []string{`box "Subject: x\n\n>From me\n"`}},
		{"R67/nothing", "", []string{`box ""`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, filepath.Join(dir, "box"), c.text)
			if got := sourcesOf(t, dir, Files([]string{filepath.Join(dir, "box")})); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			if got := sourcesOf(t, dir, Stream("box", strings.NewReader(c.text))); !slices.Equal(got, c.want) {
				t.Errorf("from standard input: got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFiles_aFolderHoldsOneMailAFile(t *testing.T) {
	dir := t.TempDir()
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(dir, "box/cur/1.host:2,S"), "Subject: b\n\nb\n")
	put(t, filepath.Join(dir, "box/new/2"), line+"\nSubject: one\n\nx\n\n"+line+"\nSubject: two\n\ny\n")
	put(t, filepath.Join(dir, "box/tmp/3"), "")
	put(t, filepath.Join(dir, "box/a\nb\xff.eml"), "x")
	link("nowhere", "box/lost")
	link("round", "box/round")
	link("../box", "box/up")
	link("cur/1.host:2,S", "box/linked")
	link("box", "entry")
	if err := syscall.Mkfifo(filepath.Join(dir, "box/pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(dir, "box/socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	want := []string{
		"box/a\nb\xff.eml \"x\"", `box/cur/1.host:2,S "Subject: b\n\nb\n"`, `box/linked "Subject: b\n\nb\n"`,
		"box/lost: stat box/lost: no such file or directory",
		fmt.Sprintf("box/new/2 %q", line+"\nSubject: one\n\nx\n\n"+line+"\nSubject: two\n\ny\n"),
		"box/pipe: a pipe, not a file", "box/round: stat box/round: too many levels of symbolic links",
		"box/socket: a socket, not a file", `box/tmp/3 ""`,
	}
	t.Run("R67/in the order of names, whatever lies there", func(t *testing.T) {
		if got := sourcesOf(t, dir, Files([]string{filepath.Join(dir, "box")})); !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
	t.Run("R67/by a link to the folder", func(t *testing.T) {
		if got := sourcesOf(t, dir, Files([]string{filepath.Join(dir, "entry")})); len(got) != len(want) || !strings.HasPrefix(got[1], "entry/cur/1") {
			t.Errorf("got  %q", got)
		}
	})
	t.Run("R67/what is missing does not stop the rest", func(t *testing.T) {
		paths := []string{filepath.Join(dir, "missing"), filepath.Join(dir, "box/tmp/3")}
		if got := sourcesOf(t, dir, Files(paths)); len(got) != 2 || !strings.HasPrefix(got[0], "missing: ") || got[1] != `box/tmp/3 ""` {
			t.Errorf("got %q", got)
		}
	})
}

func TestFiles_whatIsNoFileNeverHangs(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("R67/a pipe without a writer", func(t *testing.T) {
		if got := sourcesOf(t, dir, Files([]string{fifo})); len(got) != 1 || !strings.Contains(got[0], "nobody writes into") {
			t.Errorf("got %q", got)
		}
	})
	t.Run("R67/a pipe with one", func(t *testing.T) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		go func() {
			io.WriteString(w, "Subject: x\n\ny\n")
			w.Close()
		}()
		name := fmt.Sprintf("/dev/fd/%d", r.Fd())
		if got := sourcesOf(t, "", Files([]string{name})); len(got) != 1 || !strings.HasSuffix(got[0], `"Subject: x\n\ny\n"`) {
			t.Errorf("got %q", got)
		}
	})
	t.Run("R67/a device", func(t *testing.T) {
		if got := sourcesOf(t, "", Files([]string{"/dev/zero"})); len(got) != 1 || !strings.HasSuffix(got[0], "a device, not a file") {
			t.Errorf("got %q", got)
		}
	})
	t.Run("R67/a disk that breaks", func(t *testing.T) {
		var got error
		splitMbox("x", brokenAt{errors.New("disk")}, 10, func(_ Source, err error) bool { got = err; return true })
		if got == nil || got.Error() != "disk" {
			t.Errorf("got %v", got)
		}
	})
}

func FuzzMbox(f *testing.F) {
	f.Add(line + "\nSubject: one\n\n>From me\n\n" + line + "\nSubject: two\n\ntext\n\n")
	f.Add(line + "\r\n" + line + "\r\n\r\n")
	f.Add("From the start\n")
	f.Fuzz(func(t *testing.T, text string) {
		n, bytes := 0, int64(0)
		for s, err := range Stream("box", strings.NewReader(text)) {
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(io.NewSectionReader(s.Mail, 0, s.Size))
			if err != nil || int64(len(b)) != s.Size {
				t.Fatalf("%d of %d octets, %v", len(b), s.Size, err)
			}
			n++
			bytes += s.Size
		}
		if n == 0 || bytes > int64(len(text)) {
			t.Errorf("%d mails of %d octets in %d", n, bytes, len(text))
		}
	})
}
