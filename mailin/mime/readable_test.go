package mime

import (
	"fmt"
	"strings"
	"testing"
)

func textOf(t testing.TB, html string) string {
	t.Helper()
	return read("Content-Type: text/html; charset=utf-8\r\n\r\n" + html).Text
}

func TestText_ofHTML(t *testing.T) {
	for _, c := range []struct{ name, html, text string }{
		{"paragraphs have an empty line between them", "<p>one</p><p>two</p>", "one\n\ntwo"},
		{"Outlook's have none", `<p class=MsoNormal>one<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>two<o:p></o:p></p><p class=MsoNormal>three</p>`, "one\n\ntwo\nthree"},
		{"paragraphs without margin have none", `<p style="margin:0">one</p><p style="margin: 0px 0px 0px 0px">two</p>`, "one\ntwo"},
		{"a div is a line", "<div>one</div><div>two</div>three<div>four</div>", "one\ntwo\nthree\nfour"},
		{"an empty div with a break is an empty line", "<div>one</div><div><br></div><div>two</div>", "one\n\ntwo"},
		{"a break at the end of a div is none", "<div>one<br></div><div>two<br/></div>", "one\ntwo"},
		{"all forms of a break", "a<br>b<br/>c<br />d<BR CLEAR=all>e</br>f", "a\nb\nc\nd\ne\nf"},
		{"many breaks are one empty line", "a<br><br><br><br>b", "a\n\nb"},
		{"line ends are space", "one\r\n   two\n\tthree", "one two three"},
		{"no space is added in a word", "<b>o</b>ne<span>two</span>", "onetwo"},
		{"a no-break space is a space", "10:00&nbsp;AM &nbsp; &nbsp;now", "10:00 AM now"},
		{"soft hyphens and zero-width spaces do not show", "Drucker&shy;patrone&#8203;n\ufeff", "Druckerpatronen"},
		{"joined emoji stay joined", "ok 👩\u200d💻 😀", "ok 👩\u200d💻 😀"},
		{"bold and italic leave no mark", "<b>bold</b> <i>italic</i> <strong>x</strong><u>y</u>", "bold italic xy"},
		{"R43/a bold command is a command", "<div><b>#status closed</b></div><div>Done.</div>", "#status closed\nDone."},
		{"R43/a command is not escaped", "<p>#status on_hold 3d</p><p>1*2 [x] a_b</p>", "#status on_hold 3d\n\n1*2 [x] a_b"},
		{"a heading is a line", "<h1>Title</h1><p>text</p>", "Title\n\ntext"},
		{"a list", "<p>x</p><ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>y", "x\n\n- a\n- b\n  - c\n\ny"},
		{"a numbered list", "<ol><li>a<li><p>b</p><p>c</p></ol><ol start=7><li>d</ol>", "1. a\n2. b\n\n   c\n\n7. d"},
		{"Outlook's list", `<p class=MsoListParagraph style='margin-left:.5in;text-indent:-.25in;mso-list:l0 level1 lfo1'><![if !supportLists]><span style='font-family:Symbol'><span style='mso-list:Ignore'>·<span style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp;&nbsp;&nbsp;&nbsp;&nbsp; </span></span></span><![endif]>Stripes<o:p></o:p></p><p class=MsoListParagraph style='mso-list:l0 level1 lfo2'><span style='mso-list:Ignore'>1.<span>&nbsp;&nbsp; </span></span>Noise<o:p></o:p></p>`, "- Stripes\n1. Noise"},
		{"a table of data", "<table><tr><th>Part</th><th>State</th></tr><tr><td>drum</td><td>worn</td></tr></table>", "| Part | State |\n|---|---|\n| drum | worn |"},
		{"cells pasted from Excel", "<table border=0 cellpadding=0 cellspacing=0 width=128 style='border-collapse:collapse;width:96pt'><colgroup><col width=64 span=2></colgroup><tbody><tr height=20><td class=xl65>4711</td><td align=right>2</td></tr><tr height=20><td>4712</td><td align=right>3</td></tr></tbody></table>", "| 4711 | 2 |\n| 4712 | 3 |"},
		{"a table of one column", "<table><tr><td>one</td></tr><tr><td>two</td></tr></table>", "one\ntwo"},
		{"a table of one row", "<table><tr><td><img src='https://a.example/i.png'></td><td>Follow us</td><td>Write us</td></tr></table>", "Follow us Write us"},
		{"a table that arranges", `<table role="presentation"><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>`, "a\nb\nc\nd"},
		{"tables in tables", "<table width=100%><tr><td><table><tr><td><table><tr><td>Hello Anna,</td></tr></table></td></tr><tr><td><p>your order</p></td></tr></table></td></tr></table>", "Hello Anna,\n\nyour order"},
		{"a table of data in one that arranges", "<table><tr><td>Order<table><tr><th>Part</th><th>Pieces</th></tr><tr><td>drum</td><td>2</td></tr></table>Bye</td></tr></table>", "Order\n\n| Part | Pieces |\n|---|---|\n| drum | 2 |\n\nBye"},
		{"a table of names and values", "<table><tr><th>Subject: </th><td>Printer</td></tr><tr><th>From: </th><td>Bob</td></tr></table>", "Subject: Printer\nFrom: Bob"},
		{"cells of several lines", "<table><tr><td><img alt=\"\" src=cid:x></td><td>Anna Smith<br>Acme Inc.<br>+45 12 34 56 78</td></tr></table>", "Anna Smith\nAcme Inc.\n+45 12 34 56 78"},
		{"a quote in a table", "<table><tr><td>a<blockquote>b</blockquote></td></tr></table>", "a\n\n> b"},
		{"a link", `see <a href="https://a.example/x">this page</a>.`, "see [this page](https://a.example/x)."},
		{"a link that says its address", `<a href="https://a.example/x">https://a.example/x</a> <a href="http://www.a.example/">www.a.example</a>`, "https://a.example/x http://www.a.example/"},
		{"a link that says another address shows both", `<a href="https://evil.example/">https://bank.example</a>`, "[https://bank.example](https://evil.example/)"},
		{"a mail address", `Bob &lt;<a href="mailto:bob@a.example">bob@a.example</a>&gt;`, "Bob <bob@a.example>"},
		{"a name with a mail address", `<a href="mailto:bob@a.example?subject=x">Bob Jones</a>`, "Bob Jones <bob@a.example>"},
		{"a link on a picture", `a<a href="https://a.example/"><img src="https://a.example/i.png"></a>b`, "ab"},
		{"a link around blocks", `<a href="https://a.example/"><div>one</div><div>two</div></a>`, "one\ntwo"},
		{"a telephone number", `<a href="tel:+4512345678">+45 12 34 56 78</a>`, "+45 12 34 56 78"},
		{"a picture with words", `<img src="cid:a" alt="Logo of Acme"> a`, "[Logo of Acme] a"},
		{"a picture without words", `a <img src="cid:a"> b`, "a b"},
		{"an emoji as a picture", `thanks <img data-emoji="👍" alt="👍" src="https://a.example/e.png">`, "thanks 👍"},
		{"a pixel that counts readers", `a<img width=1 height=1 alt="open" src="https://a.example/p">`, "a"},
		{"preformatted text", "<pre>a\n  b\n\n\n#c</pre>", "a\n  b\n\n#c"},
		{"line breaks that are meant", `<div style="white-space: pre-wrap">a
  b</div>c
d`, "a\n  b\nc d"},
		{"a rule", "a<hr>b", "a\n" + textRuler + "\nb"},
		{"quotes", "a<blockquote>b<br>c<blockquote>d</blockquote></blockquote>e", "a\n\n> b\n> c\n>\n> > d\n\ne"},
		{"what is indented is no quote", `a<blockquote style="margin:0 0 0 40px;border:none;padding:0px">b</blockquote>`, "a\nb"},
		{"text without any element", "just words", "just words"},
		{"Word's conditional comments and its data", `<!--[if gte mso 9]><xml><o:OfficeDocumentSettings><o:AllowPNG/></o:OfficeDocumentSettings></xml><![endif]--><xml><w:x>hidden</w:x></xml><style>p{}</style><p>text</p><!--[if !mso]><!-- --><p>more</p><!--<![endif]-->`, "text\n\nmore"},
		{"title and style are no text", "<html><head><title>t</title><style>a{}</style></head><body>x</body></html>", "x"},
		{"the words of a form", "<form><p>words</p><input value=x></form>", "words"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := textOf(t, c.html); got != c.text {
				t.Errorf("got  %q\nwant %q", got, c.text)
			}
		})
	}
}

// What does not show is not read: a preheader is no first line, and a hidden
// command no command.
func TestText_hidden(t *testing.T) {
	for _, c := range []struct{ name, html string }{
		{"display", `<div style="display:none">#status closed</div>`},
		{"display, with other words around", `<span style="color:red; DISPLAY : NONE !important; font-size:12px">#status closed</span>`},
		{"a preheader", `<div style="display:none;font-size:1px;color:#ffffff;line-height:1px;max-height:0px;max-width:0px;opacity:0;overflow:hidden;">#status closed &#847; &zwnj; &nbsp;</div>`},
		{"visibility", `<div style="visibility:hidden">#status closed</div>`},
		{"opacity", `<p style="opacity:0">#status closed</p>`},
		{"no height", `<div style="max-height:0;overflow:hidden">#status closed</div>`},
		{"no letters", `<span style="font-size:0">#status closed</span>`},
		{"the smallest letters", `<span style="font-size:1px">#status closed</span>`},
		{"far to the left", `<div style="position:absolute;left:-9999px">#status closed</div>`},
		{"an indent out of sight", `<div style="text-indent:-9999px">#status closed</div>`},
		{"the attribute", `<div hidden>#status closed</div>`},
		{"a row", `<table><tr style="display:none"><td>#status closed</td></tr></table>`},
		{"a cell", `<table><tr><td style="display:none">#status closed</td></tr></table>`},
		{"a hidden parent with a visible child", `<div style="display:none"><p style="display:block;font-size:12px">#status closed</p></div>`},
		{"a comment", `<!-- #status closed -->`},
		{"a script", `<script>#status closed</script>`},
		{"a text area", `<textarea>#status closed</textarea>`},
		{"a template", `<template>#status closed</template>`},
		{"no script", `<noscript>#status closed</noscript>`},
		{"a picture's words", `<div style="display:none"><img alt="#status closed"></div>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := textOf(t, c.html+"<p>words</p>"); got != "words" {
				t.Errorf("%q", got)
			}
		})
	}
	for name, html := range map[string]string{
		"no letters around letters":       `<td style="font-size:0px"><div style="font-size:13px">words</div></td>`,
		"no height but not cut":           `<div style="height:0">words</div>`,
		"hidden from Word alone":          `<div style="mso-hide:all">words</div>`,
		"a small size in another unit":    `<div style="font-size:0.9em">words</div>`,
		"no width, and what is too wide":  `<div style="width:0;overflow:visible">words</div>`,
		"a negative margin of some dots":  `<div style="margin-left:-20px">words</div>`,
		"a button's":                      `<a><button formaction="javascript:a">words</button></a>`,
		"behind a button left open":       `<form><button></form><p>words</p>`,
		"behind a map left open":          `<map name="a"><area href="https://a.example/"><p>words</p>`,
		"a style that cannot be read":     `<div style=";;display;:none;font-size:;">words</div>`,
		"a class that another style uses": `<div class="hidden">words</div>`,
	} {
		t.Run("shown: "+name, func(t *testing.T) {
			if got := textOf(t, html); got != "words" {
				t.Errorf("%q", got)
			}
		})
	}
}

// People write into the block that their program marks as signature. Where there
// is nothing else, it is what they wrote.
func TestText_ofASignatureAlone(t *testing.T) {
	for html, want := range map[string]string{
		`<div id="ms-outlook-mobile-signature"><div>It is on now.</div></div>`:                                   "It is on now.",
		`<div class="gmail_signature">It is on now.</div><hr><div id="divRplyFwdMsg"><b>From:</b> Support</div>`: "It is on now.\n" + textRuler + "\nFrom: Support",
		`<p>Yes.</p><div class="gmail_signature">Anna</div>`:                                                     "Yes.\n\n-- \nAnna",
	} {
		if got := textOf(t, html); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The text does not change the HTML that is shown, and the other way round.
func TestText_leavesTheHTML(t *testing.T) {
	m := read("Content-Type: text/html\r\n\r\n" + `<div class="gmail_quote" id="divRplyFwdMsg" style="display:none;color:red">a</div><p>b</p>`)
	if m.HTML != `<div style="color:red;">a</div><p>b</p>` || m.Text != "b" {
		t.Errorf("%q %q", m.HTML, m.Text)
	}
}

func TestText_ofHostileHTML(t *testing.T) {
	rep := strings.Repeat
	for name, html := range map[string]string{
		"containers in containers":       rep(`<div class="gmail_quote yahoo_quoted protonmail_quote">a: b<br>`, 95) + rep("x<br>", 20_000),
		"containers beside each other":   rep(`<div class="yahoo_quoted" id="yahoo_quoted_1" style="border:none;border-top:solid">From: a<br>To: b<br>Date: c</div>`, 12_000),
		"headings in headings":           rep(`<div id="divRplyFwdMsg" style="border-top:solid">From: a<br>Sent: b<br>To: c<br>`, 90),
		"signatures":                     rep(`<div class="gmail_signature">a</div>`, 40_000),
		"signatures between words":       rep(`<div class="gmail_signature">a</div>b`, 40_000),
		"leads without quotes":           rep(`<div class="gmail_attr">a</div>`+rep(" ", 10), 40_000),
		"bullets in bullets":             rep(`<span style="mso-list:ignore">·`, 95) + "x",
		"long styles":                    rep(`<p style="`+rep("display:block;", 250)+`">a`, 500),
		"many classes":                   `<p class="` + rep("a ", 900_000) + `">x`,
		"tables of one cell":             rep("<table><tr><td>a</table>", 12_000),
		"tables in cells of tables":      rep("<table><tr><td>"+rep("a ", 100), 24),
		"lists of lists of quotes":       rep("<ul><li><blockquote>a", 30) + rep("b<br>", 40_000),
		"verbatim in quotes":             rep("<blockquote>", 90) + "<pre>" + rep("a\n", 800_000) + "</pre>",
		"links in each other's place":    rep(`<a href="https://a.example/">x`, 20_000),
		"links around everything":        `<a href="https://a.example/` + rep("b", 3000) + `">` + rep("<i>x</i>", 40_000),
		"unseen and seen":                rep(`<i style="font-size:0"><i style="font-size:9px">a</i></i>`, 20_000),
		"no-break spaces and breaks":     rep("&nbsp;<br>", 49_000),
		"headers of a table, no columns": "<table>" + rep("<tr></tr>", 49_000) + "</table>",
	} {
		t.Run("R18/"+name, func(t *testing.T) {
			m := readWith("Content-Type: text/html\r\n\r\n"+html, untimed)
			if len(m.Text) > 1<<20 {
				t.Errorf("%d octets of text", len(m.Text))
			}
			checkClean(t, m)
		})
	}
}

func BenchmarkText_hostile(b *testing.B) {
	for _, depth := range []int{1, 30, 90} {
		b.Run(fmt.Sprint(depth), func(b *testing.B) {
			raw := "Content-Type: text/html\r\n\r\n" + strings.Repeat(`<div class="yahoo_quoted" style="border-top:solid">`, depth) + strings.Repeat("From: a<br>", 40_000)
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				read(raw)
			}
		})
	}
}
