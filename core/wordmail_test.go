package core_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/mailin"
	"postern/mailin/mime"
)

// understood is the text of a mail as mailin reads it from its bytes.
func understood(t *testing.T, raw string) func(*core.Mail) {
	t.Helper()
	raw = strings.ReplaceAll(raw, "\n", "\r\n")
	p, err := mailin.ParseContext(context.Background(), bytes.NewReader([]byte(raw)), int64(len(raw)), mime.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	return func(m *core.Mail) {
		m.Text, m.Reply, m.Rest, m.HTML, m.Files = p.Text, p.Reply, p.Rest, p.HTML, p.Files
	}
}

const (
	wordHead = "From: Anna <anna@northwind.example>\nTo: support@desk.example\nSubject: Re: Printer\nMessage-ID: <w1@client.example>\nMIME-Version: 1.0\n"
	wordHTML = wordHead + "Content-Type: text/html; charset=utf-8\n\n"
	wordText = wordHead + "Content-Type: text/plain; charset=utf-8\n\n"
	wordQuoT = "\n\nOn Tue, 3 Nov 2026 at 10:00, Customer Service <support@desk.example> wrote:\n> Answer with one word:\n>   cancel - the status becomes Cancelled\n"
	wordQuoH = `<div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Tue, 3 Nov 2026 at 10:00, Customer Service &lt;<a href="mailto:support@desk.example">support@desk.example</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0 0 0 .8ex">cancel</blockquote></div>`
)

// The words, from the bytes of mails as programs write them.
func TestReceive_wordsOfWholeMails(t *testing.T) {
	w := newWorld(t, nil)
	o, _ := w.resolved()
	for _, c := range []struct {
		name, raw string
		status    string
		comment   string // beside the move
	}{
		{"plain text above a quotation", wordText + "Close." + wordQuoT, "closed", ""},
		{"HTML alone", wordHTML + "<html><body><div>Close please</div></body></html>", "closed", ""},
		{"HTML alone, above a quotation", wordHTML + `<div dir="ltr"><b>Sluiten</b> a.u.b.</div><br>` + wordQuoH, "closed", ""},
		{"HTML alone, in a paragraph of Word", wordHTML + `<p class=MsoNormal><span lang=EN-US style='font-size:11.0pt'>&#8220;CLOSE&#8221;<o:p></o:p></span></p><p class=MsoNormal>&nbsp;</p>`, "closed", ""},
		{"a signature below its delimiter", wordText + "close\n\n-- \nAnna Berg\nNorthwind\n", "closed", ""},
		{"a text below it is both", wordText + "Close\n\nIt was the fuse after all." + wordQuoT, "closed", "It was the fuse after all."},
		{"HTML below a banner", wordHTML + `<table><tr><td>CAUTION: This email originated from outside of the organization.</td></tr></table><div>Close</div>`, "closed", ""},
		{"the word in the quotation alone is no word", wordText + "Thank you, it still burns." + wordQuoT, "in-progress", "Thank you, it still burns."},
		{"a quoted word on top is no word", wordText + "> close\n\nIt still burns.", "in-progress", ""},
		{"a word that HTML hides is no word", wordHTML + `<div style="display:none">close</div><div>It still burns.</div>`, "in-progress", "It still burns."},
	} {
		t.Run("R45/"+c.name, func(t *testing.T) {
			w.Clock.Advance(time.Hour)
			w.lease()
			w.exec(`update cases set status = 'resolved', class = 'resolved', status_at = $1`, w.Clock.Now())
			w.exec(`delete from comment where side = 'customer'`)
			r := w.receive(mail{from: anna, subject: "Re: " + o.Case, text: c.name, change: understood(t, c.raw)})
			if got := w.status(o); got != c.status {
				t.Errorf("the case is %s: %v", got, r.Trace)
			}
			got := w.text(`select coalesce(string_agg(text, '|'), '') from comment where side = 'customer'`)
			if c.comment != "" && got != c.comment || c.status == "closed" && got != c.comment {
				t.Errorf("comments %q", got)
			}
		})
	}
}
