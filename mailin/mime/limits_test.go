package mime

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestRead_limits is R17's table, as far as it is about reading: for each limit
// a mail just under it, of which nothing is lost, and one just over it.
func TestRead_limits(t *testing.T) {
	const (
		from  = "From: a@customer.example\r\n"
		multi = from + "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
		first = "--b\r\n\r\nThe text.\r\n"
		last  = "--b\r\nContent-Type: text/csv; name=last.csv\r\n\r\n1,2\r\n--b--\r\n"
		image = "--b\r\nContent-Type: image/png; name=a.png\r\n\r\n"
	)
	rep := strings.Repeat
	nest := func(levels int) string {
		var b strings.Builder
		b.WriteString(from)
		for i := range levels {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=l%d\r\n\r\n--l%d\r\n", i, i)
		}
		b.WriteString("Content-Type: text/plain\r\n\r\nThe text.\r\n")
		for i := levels - 1; i >= 0; i-- {
			fmt.Fprintf(&b, "--l%d--\r\n", i)
		}
		return b.String()
	}
	list := func(m *Message, field string) int { return len(m.Header.Addresses(field, untimed.Addresses)) }
	type check func(m *Message) (ok bool)
	text := func(want string) check { return func(m *Message) bool { return m.Text == want } }
	all := func(checks ...check) check {
		return func(m *Message) bool {
			for _, c := range checks {
				if !c(m) {
					return false
				}
			}
			return true
		}
	}
	told := func(flaw string) check { return func(m *Message) bool { return flawed(m, flaw) } }
	sound := func(m *Message) bool { return len(m.Flaws) == 0 && m.Err == nil }
	files := func(n int, listed int) check {
		return func(m *Message) bool {
			only := 0
			for _, f := range m.Files {
				if f.Open == nil {
					only++
				}
			}
			return len(m.Files) == n && only == listed
		}
	}
	lastFile := func(m *Message) bool {
		return len(m.Files) > 0 && m.Files[len(m.Files)-1].Name == "last.csv"
	}
	smaller := untimed
	smaller.FileBytes, smaller.AllBytes = 1000, 2500

	for _, c := range []struct {
		name   string
		limits Limits
		raw    string
		want   check
	}{
		{"header block, under", untimed, from + rep("X: "+rep("y", 995)+"\r\n", 250) + "\r\nThe text.", all(sound, text("The text."), func(m *Message) bool { return len(m.Header) == 251 })},
		{"header block, over", untimed, from + rep("X: "+rep("y", 995)+"\r\n", 300) + "\r\nThe text.", all(told("header cut at 256 KiB"), text("The text."), func(m *Message) bool { return m.Err == nil && list(m, "From") == 1 && len(m.Header) > 250 })},
		{"header block to be refused, under", untimed, from + rep("X: "+rep("y", 995)+"\r\n", 1040) + "\r\nThe text.", func(m *Message) bool { return m.Err == nil && m.Text == "The text." }},
		{"header block to be refused, over", untimed, from + rep("X: "+rep("y", 995)+"\r\n", 1060) + "\r\nThe text.", func(m *Message) bool { return m.Err == ErrHeaderTooLarge && list(m, "From") == 1 }},
		{"one field, under", untimed, "X: " + rep("y", 64<<10-10) + "\r\n" + from + "\r\nThe text.", all(sound, text("The text."), func(m *Message) bool { return len(m.Header.First("X")) == 64<<10-10 })},
		{"one field, over", untimed, "X: " + rep("y", 64<<10+10) + "\r\n" + from + "\r\nThe text.", all(told("field X cut at 64 KiB"), text("The text."), func(m *Message) bool { return len(m.Header.First("X")) <= 64<<10 && list(m, "From") == 1 })},
		{"fields, under", untimed, from + rep("X: y\r\n", 999) + "\r\nThe text.", all(sound, text("The text."), func(m *Message) bool { return len(m.Header) == 1000 })},
		{"fields, over", untimed, from + rep("X: y\r\n", 1000) + "\r\nThe text.", all(told("more than 1000 header fields"), text("The text."), func(m *Message) bool { return len(m.Header) == 1000 && list(m, "From") == 1 })},
		{"depth, under", untimed, nest(20), all(sound, text("The text."), files(0, 0))},
		{"depth, over", untimed, nest(21), all(told("nested deeper than 20: kept as one file"), files(1, 0), func(m *Message) bool {
			return m.Files[0].Type == "multipart/mixed" && m.Files[0].Size > int64(len("The text."))
		})},
		{"parts, under", untimed, multi + first + rep("--b\r\n\r\nx\r\n", 498) + last, all(sound, files(1, 0), lastFile)},
		{"parts, over", untimed, multi + first + rep("--b\r\n\r\nx\r\n", 499) + last, all(told("more than 500 parts: the rest is kept as one file"), files(1, 0), func(m *Message) bool {
			return strings.HasPrefix(m.Text, "The text.") && m.Files[0].Size > 0
		})},
		{"files, under", untimed, multi + first + rep(image+"x\r\n", 99) + last, all(sound, text("The text."), files(100, 0), lastFile)},
		{"files, over", untimed, multi + first + rep(image+"x\r\n", 100) + last, all(told("more than 100 files: the rest is listed only"), text("The text."), files(101, 1), lastFile)},
		{"one file, under", smaller, multi + first + image + rep("x", 1000) + "\r\n" + last, all(sound, text("The text."), files(2, 0))},
		{"one file, over", smaller, multi + first + image + rep("x", 1001) + "\r\n" + last, all(told("listed only"), text("The text."), files(2, 1), lastFile, func(m *Message) bool { return m.Files[0].Size == 1001 })},
		{"one file of the default size, under", untimed, multi + first + image + rep(rep("x", 1023)+"\n", 25<<10-1) + "\r\n" + last, all(sound, files(2, 0))},
		{"one file of the default size, over", untimed, multi + first + image + rep(rep("x", 1023)+"\n", 25<<10+1) + "\r\n" + last, all(told("file over 25 MiB: listed only"), text("The text."), files(2, 1), lastFile)},
		{"all files, under", smaller, multi + first + rep(image+rep("x", 800)+"\r\n", 3) + last, all(sound, text("The text."), files(4, 0))},
		{"all files, over", smaller, multi + first + rep(image+rep("x", 900)+"\r\n", 3) + last, all(told("in all: the rest is listed only"), text("The text."), files(4, 2), lastFile)},
		{"text, under", untimed, from + "\r\n" + rep("ø", 1<<19-1), all(sound, text(rep("ø", 1<<19-1)))},
		{"text, over", untimed, multi + "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nx" + rep("ø", 1<<19) + "\r\n" + last, all(told("text cut at 1 MiB"), lastFile, func(m *Message) bool { return len(m.Text) == 1<<20-1 && utf8.ValidString(m.Text) })},
		{"HTML, under", untimed, from + "Content-Type: text/html\r\n\r\n" + rep("<p>"+rep("x", 1000)+"</p>\r\n", 2070), all(files(0, 0), func(m *Message) bool { return strings.Contains(m.HTML, "<p>") && !flawed(m, "HTML over") })},
		{"HTML, over", untimed, from + "Content-Type: multipart/alternative; boundary=b\r\n\r\n" + first + "--b\r\nContent-Type: text/html\r\n\r\n" + rep("<p>"+rep("x", 1000)+"</p>\r\n", 2100) + "--b--\r\n", all(told("HTML over 2 MiB: kept as file"), text("The text."), files(1, 0), func(m *Message) bool { return !strings.Contains(m.HTML, "<p>") })},
		{"HTML depth, under", untimed, from + "Content-Type: text/html\r\n\r\n" + rep("<div>", 100) + "The text." + rep("</div>", 100), all(sound, text("The text."), func(m *Message) bool { return strings.Count(m.HTML, "<div>") >= 90 })},
		{"HTML depth, over", untimed, from + "Content-Type: text/html\r\n\r\n" + rep("<div>", 101) + "The text." + rep("</div>", 101), all(told("nested too deep"), text("The text."))},
		{"HTML elements, under", untimed, from + "Content-Type: text/html\r\n\r\n" + rep("<b>x</b>", 50_000), all(sound, func(m *Message) bool { return strings.Contains(m.HTML, "<b>") })},
		{"HTML elements, under, paragraphs", untimed, from + "Content-Type: text/html\r\n\r\n" + rep("<p>x</p>", 50_000), all(sound, func(m *Message) bool { return strings.Contains(m.HTML, "<p>") })},
		{"HTML elements, over, by ends without beginnings", untimed, from + "Content-Type: text/html\r\n\r\n" + rep("x</p>", 50_001), all(told("too many elements"), func(m *Message) bool { return strings.HasPrefix(m.Text, "x") })},
		{"HTML elements, over", untimed, from + "Content-Type: text/html\r\n\r\n" + rep("<b>x</b>", 50_001), all(told("too many elements"), text(rep("x", 50_001)))},
		{"file name, under", untimed, multi + first + "--b\r\nContent-Type: image/png; name=\"" + rep("ø", 146) + ".png\"\r\n\r\nx\r\n" + last, all(sound, lastFile, func(m *Message) bool { return m.Files[0].Name == rep("ø", 146)+".png" })},
		{"file name, over", untimed, multi + first + "--b\r\nContent-Type: image/png; name=\"" + rep("ø", 147) + ".png\"\r\n\r\nx\r\n" + last, all(lastFile, func(m *Message) bool { return m.Files[0].Name == rep("ø", 146)+".png" })},
		{"subject, under", untimed, from + "Subject: " + rep("ø", 250) + "\r\n\r\n", func(m *Message) bool { return m.Header.Text("Subject", untimed.SubjectRunes) == rep("ø", 250) }},
		{"subject, over", untimed, from + "Subject: " + rep("ø", 251) + "\r\n\r\n", func(m *Message) bool { return m.Header.Text("Subject", untimed.SubjectRunes) == rep("ø", 250) }},
		{"name, under", untimed, "From: " + rep("ø", 100) + " <a@customer.example>\r\n\r\n", func(m *Message) bool {
			return m.Header.Addresses("From", 1)[0] == Address{rep("ø", 100), "a@customer.example"}
		}},
		{"name, over", untimed, "From: " + rep("ø", 101) + " <a@customer.example>\r\n\r\n", func(m *Message) bool {
			return m.Header.Addresses("From", 1)[0] == Address{rep("ø", 100), "a@customer.example"}
		}},
		{"addresses, under", untimed, "To: " + rep("a@x.example, ", 39) + "last@x.example\r\n\r\n", func(m *Message) bool {
			return list(m, "To") == 40 && m.Header.Addresses("To", 40)[39].Address == "last@x.example"
		}},
		{"addresses, over", untimed, "To: " + rep("a@x.example, ", 41) + "\r\nCc: c@x.example\r\n\r\n", func(m *Message) bool { return list(m, "To") == 40 && list(m, "Cc") == 1 }},
		{"time, over", func() Limits { l := untimed; l.Time = time.Nanosecond; return l }(), multi + first + last, func(m *Message) bool { return m.Err == ErrTooSlow && list(m, "From") == 1 }},
	} {
		t.Run("R17/"+c.name, func(t *testing.T) {
			m := readWith(c.raw, c.limits)
			if !c.want(m) {
				t.Errorf("text of %d octets %.40q, HTML of %d, %d files, %d fields, flaws %q, error %v", len(m.Text), m.Text, len(m.HTML), len(m.Files), len(m.Header), m.Flaws, m.Err)
			}
			checkStrings(t, m)
		})
	}
}
