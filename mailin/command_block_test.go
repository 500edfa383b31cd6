package mailin

import (
	"slices"
	"strings"
	"testing"

	"postern/core"
)

// TestParse_commandBlock: a block is read whichever part of the mail it came
// from (R43), as each program writes it.
func TestParse_commandBlock(t *testing.T) {
	const quote = `<br><div class="gmail_quote"><div class="gmail_attr">On Mon, 2 Nov 2026 at 10:00, Support wrote:<br></div><blockquote class="gmail_quote">#status closed</blockquote></div>`
	want := []string{"#status resolved", "#note"}
	for _, c := range []struct {
		name, html string
		lines      []string
		text       string
	}{
		{"Gmail", `<div dir="ltr">#status resolved<div>#note</div><div><br></div><div>Use water.</div></div>` + quote, want, "Use water."},
		{"Gmail, broken by br", `<div dir="ltr">#status resolved<br>#note<br><br>Use water.<br></div>` + quote, want, "Use water."},
		{"Outlook", `<div class=WordSection1><p class=MsoNormal>#status resolved<o:p></o:p></p><p class=MsoNormal>#note<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>Use water.<o:p></o:p></p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in'><p class=MsoNormal><b>From:</b> Support &lt;support@desk.example&gt;<br><b>Sent:</b> Monday<br><b>To:</b> Anna<br><b>Subject:</b> x<o:p></o:p></p></div></div><p class=MsoNormal>#status closed</p></div>`, want, "Use water."},
		{"Outlook, bold and in pieces", `<p class=MsoNormal><b><span lang=EN-US>#status</span></b><span>&nbsp;resolved</span><o:p></o:p></p><p class=MsoNormal>#<span class=SpellE>note</span><o:p></o:p></p><p class=MsoNormal>Use water.</p>`, want, "Use water."},
		{"Outlook on the web", `<div class="elementToProof" style="font-family: Calibri">#status resolved</div><div class="elementToProof">#note</div><div class="elementToProof"><br></div><div class="elementToProof">Use water.</div><div id="appendonsend"></div><hr style="display:inline-block;width:98%"><div id="divRplyFwdMsg"><b>From:</b> Support &lt;s@desk.example&gt;<br><b>Sent:</b> Monday<br><b>To:</b> Anna<br><b>Subject:</b> x</div><div>#status closed</div>`, want, "Use water."},
		{"Apple Mail", `<body>#status resolved<div>#note</div><div><br></div><div>Use water.</div><div><br><blockquote type="cite"><div>On 2 Nov 2026, at 10:00, Support &lt;s@desk.example&gt; wrote:</div><br><div>#status closed</div></blockquote></div></body>`, want, "Use water."},
		{"Thunderbird", `<body><p>#status resolved<br>#note<br></p><p>Use water.</p><div class="moz-cite-prefix">On 02/11/2026 10:00, Support wrote:<br></div><blockquote type="cite">#status closed</blockquote></body>`, want, "Use water."},
		{"plain text made HTML", `<pre>#status resolved
#note

Use water.</pre>`, want, "Use water."},
		{"a list is no block", `<ul><li>#status resolved</li></ul>`, nil, "- #status resolved"},
		{"a heading is none that Markdown makes", `<h1>status resolved</h1><p>x</p>`, nil, "status resolved\n\nx"},
		{"a banner of Exchange", `<div style="background-color:#FFEB9C; width:100%; border-style: solid; border-color:#9C6500; border-width:1pt; padding:2pt; font-size:10pt; line-height:12pt; font-family:'Calibri'; color:Black; text-align: left;"><span style="color:#9C6500; font-weight:bold;">CAUTION:</span> This email originated from outside of the organization. Do not click links or open attachments unless you recognize the sender and know the content is safe.</div><br><div><p class=MsoNormal>#status resolved</p><p class=MsoNormal>#note</p><p class=MsoNormal>Use water.</p></div>`, want, "CAUTION: This email originated from outside of the organization. Do not click links or open attachments unless you recognize the sender and know the content is safe.\n\nUse water."},
		{"Exchange's tip for a first mail", `<div><table align="left" border="0" cellspacing="0" cellpadding="0" style="display:table; width:100%; float:none;"><tbody><tr><td style="background:#A6A6A6; padding:7.2pt 2.25pt"></td><td width="100%" style="background:#EAEAEA; padding:7.2pt"><div>You don't often get email from anna@customer.example. <a href="https://aka.ms/LearnAboutSenderIdentification" data-auth="NotApplicable">Learn why this is important</a></div></td><td style="background:#EAEAEA;color:#212121"></td></tr></tbody></table></div><div dir="ltr">#status resolved<br>#note<br>Use water.</div>`, want, "You don't often get email from anna@customer.example. [Learn why this is important](https://aka.ms/LearnAboutSenderIdentification)\n\nUse water."},
		{"a banner in a table", `<table border="1" cellpadding="5"><tr><td bgcolor="#FFCC00"><b>ACHTUNG:</b> Diese E-Mail stammt von einem externen Absender.</td></tr></table><p>#status resolved</p><p>#note</p><p>Use water.</p>`, want, "ACHTUNG: Diese E-Mail stammt von einem externen Absender.\n\nUse water."},
		{"a hidden block is none", `<div style="display:none">#status resolved</div><div>Hello</div>`, nil, "Hello"},
		{"a hidden banner is none, and the block below it is one", `<span style="display:none;font-size:0">CAUTION: external</span><div>#status resolved</div><div>#note</div><div>Use water.</div>`, want, "Use water."},
		{"a quoted block is none", `<blockquote type="cite">#status resolved</blockquote><div>Hello</div>`, nil, "> #status resolved\n\nHello"},
		{"a block in history alone is none", quote, nil, ""},
		{"a block in a signature is none", `<div>Hello</div><div class="gmail_signature">#status resolved</div>`, nil, "Hello"},
		{"a block in a delimited signature is none", `<div>Hello</div><div>-- </div><div>#status resolved</div>`, nil, "Hello"},
		{"a comment is none", `<!-- #status resolved --><p>Hello</p>`, nil, "Hello"},
	} {
		t.Run("R43/"+c.name, func(t *testing.T) {
			m := ofHTML(t, "Re: Printer", c.html)
			lines, text := core.CommandBlock(m.Reply)
			if !slices.Equal(lines, c.lines) || text != c.text {
				t.Errorf("%q, %q\nof %q", lines, text, m.Text)
			}
		})
	}
	const block = "#status resolved\r\n#note\r\n\r\nUse water.\r\n\r\nOn 2 Nov 2026, at 10:00, Support <s@desk.example> wrote:\r\n\r\n> #status closed\r\n"
	head := "From: Anna <anna@customer.example>\r\nDate: Mon, 2 Nov 2026 11:00:00 +0100\r\nMIME-Version: 1.0\r\n"
	page := `<div>#status resolved<br>#note<br><br>Use water.</div><blockquote type="cite">#status closed</blockquote>`
	for name, raw := range map[string]string{
		"plain text":                       head + "\r\n" + block,
		"plain text and HTML":              head + "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n" + block + "--b\r\nContent-Type: text/html\r\n\r\n" + page + "\r\n--b--\r\n",
		"HTML beside an empty plain text":  head + "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n \r\n--b\r\nContent-Type: text/html\r\n\r\n" + page + "\r\n--b--\r\n",
		"HTML with a picture and a file":   head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/related; boundary=c\r\n\r\n--c\r\nContent-Type: text/html\r\n\r\n" + page + "\r\n--c\r\nContent-Type: image/png\r\nContent-ID: <a@b>\r\n\r\nx\r\n--c--\r\n--b\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\n#status closed\r\n--b--\r\n",
		"HTML in quoted-printable":         head + "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + strings.ReplaceAll(strings.ReplaceAll(page, "=", "=3D"), "#", "=23") + "\r\n",
		"plain text below a plain banner":  head + "\r\n[EXTERNAL EMAIL]\r\n\r\n" + block,
		"format=flowed":                    head + "Content-Type: text/plain; format=flowed\r\n\r\n" + block,
		"a byte order mark and empty line": head + "Content-Type: text/plain; charset=utf-8\r\n\r\n\xef\xbb\xbf\r\n" + block,
	} {
		t.Run("R43/"+name, func(t *testing.T) {
			m := parse(t, []byte(raw))
			lines, text := core.CommandBlock(m.Reply)
			if !slices.Equal(lines, want) || strings.TrimPrefix(text, "[EXTERNAL EMAIL]\n\n") != "Use water." {
				t.Errorf("%q, %q\nof %q", lines, text, m.Text)
			}
		})
	}
}
