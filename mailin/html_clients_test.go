package mailin

import (
	"strings"
	"testing"

	"postern/core"
)

func ofHTML(t testing.TB, subject, html string) core.Mail {
	t.Helper()
	return parse(t, []byte("From: Anna <anna@customer.example>\r\nTo: support@desk.example\r\nSubject: "+subject+
		"\r\nDate: Mon, 2 Nov 2026 11:00:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"+html))
}

// htmlReplies are answers as mail programs write them when they write HTML alone.
var htmlReplies = []struct{ name, html, reply string }{
	{"Gmail on the web",
		`<div dir="ltr">That did it, thanks!<div><br></div><div>Anna</div></div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">On Mon, Nov 2, 2026 at 10:00 AM Support &lt;<a href="mailto:support@desk.example">support@desk.example</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex"><div>Dear Anna,<br>please try again.</div></blockquote></div>`,
		"That did it, thanks!\n\nAnna"},
	{"Gmail on the web in a language without a table",
		`<div dir="ltr">Paldies!</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">Pirmd., 2026. g. 2. nov., plkst. 10:00 — lietotājs Support (&lt;<a href="mailto:support@desk.example">support@desk.example</a>&gt;) rakstīja:<br></div><blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #ccc solid;padding-left:1ex">Dear Anna</blockquote></div>`,
		"Paldies!"},
	{"Gmail with a signature",
		`<div dir="ltr"><div>Done.</div><div><br clear="all"></div><div><br></div><span class="gmail_signature_prefix">-- </span><br><div dir="ltr" class="gmail_signature" data-smartmail="gmail_signature"><div dir="ltr">Anna Smith<br>Acme Inc.</div></div></div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Mon, 2 Nov 2026 at 10:00, Support &lt;support@desk.example&gt; wrote:<br></div><blockquote class="gmail_quote">Dear Anna</blockquote></div>`,
		"Done."},
	{"Gmail with a signature without dashes",
		`<div dir="ltr">Done.<br clear="all"><div><br></div><div dir="ltr" class="gmail_signature" data-smartmail="gmail_signature">Anna Smith<br>Acme Inc.</div></div><br><div class="gmail_quote"><div class="gmail_attr">On Mon, 2 Nov 2026 at 10:00, Support wrote:<br></div><blockquote class="gmail_quote">Dear Anna</blockquote></div>`,
		"Done."},
	{"Gmail, words below the signature stay",
		`<div dir="ltr">Done.<div class="gmail_signature">Anna Smith</div><div>One more thing.</div></div><br><div class="gmail_quote"><div class="gmail_attr">On Mon, 2 Nov 2026 at 10:00, Support wrote:<br></div><blockquote class="gmail_quote">Dear Anna</blockquote></div>`,
		"Done.\nAnna Smith\nOne more thing."},
	{"Gmail, an answer below the quote",
		`<div class="gmail_quote"><div class="gmail_attr">On Mon, 2 Nov 2026 at 10:00, Support wrote:<br></div><blockquote class="gmail_quote">Which floor?</blockquote><div>The second.</div></div>`,
		"> On Mon, 2 Nov 2026 at 10:00, Support wrote:\n>\n> Which floor?\n\nThe second."},
	{"Gmail, answers between the quotes",
		`<div dir="ltr"><div class="gmail_quote"><div class="gmail_attr">On Mon, 2 Nov 2026 at 10:00, Support wrote:<br></div><blockquote class="gmail_quote">Which floor?</blockquote><div>The second.</div><blockquote class="gmail_quote">Which printer?</blockquote><div>The big one.</div></div></div>`,
		"> On Mon, 2 Nov 2026 at 10:00, Support wrote:\n>\n> Which floor?\n\nThe second.\n\n> Which printer?\n\nThe big one."},
	{"Gmail as it was",
		`<div dir="ltr">Thanks.</div><div class="gmail_extra"><br><div class="gmail_quote">On Mon, Nov 2, 2026 at 10:00 AM, Support <span dir="ltr">&lt;<a href="mailto:support@desk.example" target="_blank">support@desk.example</a>&gt;</span> wrote:<br><blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #ccc solid;padding-left:1ex">Dear Anna</blockquote></div><br></div>`,
		"Thanks."},
	{"Gmail on Android",
		`<div dir="auto">Works now</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">Den man. 2. nov. 2026 10.00 skrev Support &lt;<a href="mailto:support@desk.example">support@desk.example</a>&gt;:<br></div><blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #ccc solid;padding-left:1ex">Kære Anna</blockquote></div>`,
		"Works now"},
	{"Gmail on iOS",
		`<div><div dir="auto">Geht wieder</div></div><div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">Am Mo., 2. Nov. 2026 um 10:00 schrieb Support &lt;<a href="mailto:support@desk.example">support@desk.example</a>&gt;:<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex">Hallo Anna</blockquote></div></div>`,
		"Geht wieder"},
	{"Outlook on the desktop",
		`<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns="http://www.w3.org/TR/REC-html40"><head><meta name=Generator content="Microsoft Word 15 (filtered medium)"><style><!-- p.MsoNormal {margin:0cm;} --></style></head><body lang=EN-US link="#0563C1" style='word-wrap:break-word'><div class=WordSection1><p class=MsoNormal>Please close it.<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>Kind regards<o:p></o:p></p><p class=MsoNormal>Anna<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in'><p class=MsoNormal><b>From:</b> Support &lt;support@desk.example&gt; <br><b>Sent:</b> Monday, November 2, 2026 10:00 AM<br><b>To:</b> Anna &lt;anna@customer.example&gt;<br><b>Subject:</b> RE: Printer<o:p></o:p></p></div></div><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>Dear Anna,<o:p></o:p></p></div></body></html>`,
		"Please close it.\n\nKind regards\nAnna"},
	{"Outlook on the desktop in a language without a table",
		`<div class=WordSection1><p class=MsoNormal>Lūdzu slēgt.<o:p></o:p></p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal><b>No:</b> Support &lt;support@desk.example&gt; <br><b>Nosūtīts:</b> pirmdiena, 2026. gada 2. novembris 10:00<br><b>Kam:</b> Anna &lt;anna@customer.example&gt;<br><b>Tēma:</b> RE: Printer<o:p></o:p></p></div></div><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>Dear Anna</p></div>`,
		"Lūdzu slēgt."},
	{"Outlook of the year 2007",
		`<div class=Section1><p class=MsoNormal><span style='color:#1F497D'>Bitte schließen.<o:p></o:p></span></p><p class=MsoNormal><span style='color:#1F497D'><o:p>&nbsp;</o:p></span></p><div style='border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal><b><span lang=DE style='font-size:10.0pt;font-family:"Tahoma","sans-serif"'>Von:</span></b><span lang=DE style='font-size:10.0pt'> Support [mailto:support@desk.example] <br><b>Gesendet:</b> Montag, 2. November 2026 10:00<br><b>An:</b> Anna<br><b>Betreff:</b> AW: Drucker<o:p></o:p></span></p></div><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>Hallo Anna<o:p></o:p></p></div>`,
		"Bitte schließen."},
	{"Outlook on the web",
		`<html><head><style type="text/css" style="display:none;"> P {margin-top:0;margin-bottom:0;} </style></head><body dir="ltr"><div class="elementToProof" style="font-family: Aptos, sans-serif; font-size: 12pt; color: rgb(0, 0, 0);">Luk den bare.</div><div class="elementToProof"><br></div><div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif" style="font-size:11pt" color="#000000"><b>Fra:</b> Support &lt;support@desk.example&gt;<br><b>Sendt:</b> 2. november 2026 10:00<br><b>Til:</b> Anna &lt;anna@customer.example&gt;<br><b>Emne:</b> SV: Printer</font><div>&nbsp;</div></div><div><p>Kære Anna</p></div></body></html>`,
		"Luk den bare."},
	{"Outlook on the web with a signature",
		`<div class="elementToProof">Close it.</div><div id="Signature" class="elementToProof"><p>Anna Smith</p><p>Acme Inc.</p></div><div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><b>From:</b> Support &lt;support@desk.example&gt;<br><b>Sent:</b> Monday, November 2, 2026 10:00 AM<br><b>To:</b> Anna<br><b>Subject:</b> Re: Printer<div>&nbsp;</div></div><div>Dear Anna</div>`,
		"Close it."},
	{"the new Outlook",
		`<body dir="ltr"><div style="font-family: Aptos, Aptos_EmbeddedFont; font-size: 12pt;" class="elementToProof">Merci.</div><div class="elementToProof"><br></div><hr tabindex="-1" style="display: inline-block; width: 98%;"><div id="divRplyFwdMsg"><div style="direction: ltr; font-family: Calibri, sans-serif; font-size: 11pt;"><b>De :</b>&nbsp;Support &lt;support@desk.example&gt;<br><b>Envoyé :</b>&nbsp;lundi 2 novembre 2026 10:00<br><b>À :</b>&nbsp;Anna &lt;anna@customer.example&gt;<br><b>Objet :</b>&nbsp;RE: Imprimante</div><div style="direction: ltr;">&nbsp;</div></div><div>Bonjour</div></body>`,
		"Merci."},
	{"Outlook on iOS",
		`<html><head></head><body><div dir="ltr">Ok</div><div id="ms-outlook-mobile-body-separator-line" dir="ltr"><br></div><div id="ms-outlook-mobile-signature" dir="ltr"><div></div>Get <a href="https://aka.ms/o0ukef">Outlook for iOS</a></div><div id="mail-editor-reference-message-container" class="ms-outlook-mobile-reference-message skipProofing"><meta http-equiv="Content-Type" content="text/html; charset=utf-8"><hr style="display:inline-block;width:98%"><div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif" style="font-size:11pt"><b>From:</b> Support &lt;support@desk.example&gt;<br><b>Sent:</b> Monday, November 2, 2026 10:00:00 AM<br><b>To:</b> Anna &lt;anna@customer.example&gt;<br><b>Subject:</b> Re: Printer</font><div>&nbsp;</div></div><div>Dear Anna</div></div></body></html>`,
		"Ok"},
	{"Outlook for Mac",
		`<div class="WordSection1"><p class="MsoNormal">Tak.<o:p></o:p></p><p class="MsoNormal"><o:p>&nbsp;</o:p></p><div id="mail-editor-reference-message-container"><div><div style="border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal" style="margin-bottom:12.0pt"><b><span style="font-size:12.0pt;color:black">Fra: </span></b><span style="font-size:12.0pt;color:black">Support &lt;support@desk.example&gt;<br><b>Dato: </b>mandag den 2. november 2026 kl. 10.00<br><b>Til: </b>Anna &lt;anna@customer.example&gt;<br><b>Emne: </b>SV: Printer<o:p></o:p></span></p></div><p class="MsoNormal">Kære Anna<o:p></o:p></p></div></div></div>`,
		"Tak."},
	{"Outlook for Mac of the year 2011",
		`<div>Thanks.</div><div><br></div><span id="OLK_SRC_BODY_SECTION"><div style="font-family:Calibri; font-size:11pt; text-align:left; color:black; BORDER-BOTTOM: medium none; BORDER-LEFT: medium none; PADDING-TOP: 3pt; BORDER-TOP: #b5c4df 1pt solid; BORDER-RIGHT: medium none"><span style="font-weight:bold">From: </span> Support &lt;<a href="mailto:support@desk.example">support@desk.example</a>&gt;<br><span style="font-weight:bold">Date: </span> Monday, 2 November 2026 10:00<br><span style="font-weight:bold">To: </span> Anna &lt;anna@customer.example&gt;<br><span style="font-weight:bold">Subject: </span> Re: Printer<br></div><div><br></div><div>Dear Anna</div></span>`,
		"Thanks."},
	{"Apple Mail on macOS",
		`<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head><body style="overflow-wrap: break-word; -webkit-nbsp-mode: space; line-break: after-white-space;">Yes please.<br id="lineBreakAtBeginningOfMessage"><div><br><blockquote type="cite"><div>On 2 Nov 2026, at 10:00, Support &lt;support@desk.example&gt; wrote:</div><br class="Apple-interchange-newline"><div><div>Shall we close it?</div></div></blockquote></div><br></body></html>`,
		"Yes please."},
	{"Apple Mail on macOS with an answer between",
		`<body><blockquote type="cite"><div>On 2 Nov 2026, at 10:00, Support &lt;support@desk.example&gt; wrote:</div><br class="Apple-interchange-newline"><div>Which floor?</div></blockquote><div>The second.</div><blockquote type="cite"><div>Which printer?</div></blockquote><div>The big one.</div></body>`,
		"> On 2 Nov 2026, at 10:00, Support <support@desk.example> wrote:\n>\n> Which floor?\n\nThe second.\n\n> Which printer?\n\nThe big one."},
	{"Apple Mail on the iPhone",
		`<html><head></head><body dir="auto"><div dir="ltr">Ja tak</div><div dir="ltr"><br></div><div dir="ltr">Sendt fra min iPhone</div><div dir="ltr"><br><blockquote type="cite">Den 2. nov. 2026 kl. 10.00 skrev Support &lt;support@desk.example&gt;:<br><br></blockquote></div><blockquote type="cite"><div dir="ltr">&#65279;Skal vi lukke?</div></blockquote></body></html>`,
		"Ja tak"},
	{"Apple Mail on an older iPhone",
		`<body dir="auto"><div>Ja bitte</div><div id="AppleMailSignature" dir="ltr"><div><br></div>Von meinem iPhone gesendet</div><div dir="ltr"><br>Am 02.11.2026 um 10:00 schrieb Support &lt;<a href="mailto:support@desk.example">support@desk.example</a>&gt;:<br><br></div><blockquote type="cite"><div dir="ltr">Schließen?</div></blockquote></body>`,
		"Ja bitte"},
	{"Apple Mail on the iPad",
		`<body dir="auto">はい、お願いします。<br id="lineBreakAtBeginningOfSignature"><div dir="ltr">iPadから送信</div><div dir="ltr"><br><blockquote type="cite">2026/11/02 10:00、Support &lt;support@desk.example&gt;のメール:<br><br></blockquote></div><blockquote type="cite"><div dir="ltr">閉じますか。</div></blockquote></body>`,
		"はい、お願いします。"},
	{"Yahoo on the web",
		`<html><head></head><body><div class="ydp1a2b3cyahoo-style-wrap" style="font-family:Helvetica Neue, Helvetica, Arial, sans-serif;font-size:16px;"><div></div><div dir="ltr" data-setdir="false">It works.</div><div><br></div></div><div id="yahoo_quoted_1234567890" class="yahoo_quoted"><div style="font-family:'Helvetica Neue', Helvetica, Arial, sans-serif;font-size:13px;color:#26282a;"><div>                On Monday, November 2, 2026 at 10:00:00 AM GMT+1, Support &lt;support@desk.example&gt; wrote:            </div><div><br></div><div><br></div><div><div id="yiv123"><div>Dear Anna,<br>please try again.</div></div></div></div></div></body></html>`,
		"It works."},
	{"Yahoo in a language without a table",
		`<div dir="ltr">Hvala.</div><div id="ydpabcyahoo_quoted_12" class="yahoo_quoted"><div><div>U ponedjeljak, 2. studenoga 2026., Support je napisao/la:</div><div>Dear Anna</div></div></div>`,
		"Hvala."},
	{"Yahoo on Android",
		`<p dir="ltr">Works</p><div id="ymail_android_signature" class="ymail_android_signature"><a id="ymail_android_signature_link" href="https://mail.onelink.me/107872968?pid=nativeplacement">Yahoo Mail: Search, Organize, Conquer</a></div><br> <blockquote style="margin: 0 0 20px 0;"> <div style="font-family:Roboto, sans-serif; color:#6D00F6;"> <div>On Mon, Nov 2, 2026 at 10:00, Support</div><div>&lt;support@desk.example&gt; wrote:</div> </div> <div style="padding: 10px 0 0 20px;"> Dear Anna </div></blockquote>`,
		"Works"},
	{"Thunderbird",
		`<!DOCTYPE html><html><head><meta http-equiv="Content-Type" content="text/html; charset=UTF-8"></head><body><p>Yes.</p><div class="moz-cite-prefix">On 02/11/2026 10:00, Support wrote:<br></div><blockquote type="cite" cite="mid:c1@desk.example"><p>Shall we close it?</p></blockquote></body></html>`,
		"Yes."},
	{"Thunderbird, an answer below the quote, and a signature",
		`<body><div class="moz-cite-prefix">Am 02.11.26 um 10:00 schrieb Support:<br></div><blockquote type="cite" cite="mid:c1@desk.example"><p>Schließen?</p></blockquote><p>Ja.</p><div class="moz-signature">-- <br>Anna Schmidt<br>Beispiel GmbH</div></body>`,
		"> Am 02.11.26 um 10:00 schrieb Support:\n>\n> Schließen?\n\nJa."},
	{"Thunderbird, a signature as plain text",
		`<body><p>Ja.</p><pre class="moz-signature" cols="72">-- 
Anna Schmidt</pre><div class="moz-cite-prefix">Am 02.11.26 um 10:00 schrieb Support:<br></div><blockquote type="cite" cite="mid:c1@desk.example"><pre class="moz-quote-pre" wrap="">Schließen?</pre></blockquote></body>`,
		"Ja."},
	{"Thunderbird with header fields",
		`<body><p>Yes.</p><p><br></p><div class="moz-cite-prefix">-------- Original Message --------<br><table class="moz-email-headers-table" cellspacing="0" cellpadding="0" border="0"><tbody><tr><th valign="BASELINE" nowrap="nowrap" align="RIGHT">Subject: </th><td>Re: Printer</td></tr><tr><th align="RIGHT">Date: </th><td>Mon, 2 Nov 2026 10:00:00 +0100</td></tr><tr><th align="RIGHT">From: </th><td>Support <a class="moz-txt-link-rfc2396E" href="mailto:support@desk.example">&lt;support@desk.example&gt;</a></td></tr><tr><th align="RIGHT">To: </th><td>Anna</td></tr></tbody></table></div><blockquote type="cite" cite="mid:x">Dear Anna</blockquote></body>`,
		"Yes."},
	{"Proton",
		`<div style="font-family: Arial, sans-serif; font-size: 14px;">Close it, please.</div><div style="font-family: Arial; font-size: 14px;"><br></div><div class="protonmail_signature_block" style="font-family: Arial; font-size: 14px;"><div class="protonmail_signature_block-user">Anna</div><div class="protonmail_signature_block-proton">Sent with <a target="_blank" href="https://proton.me/mail/home" rel="noopener noreferrer">Proton Mail</a> secure email.</div></div><div style="font-family: Arial; font-size: 14px;"><br></div><div class="protonmail_quote">On Monday, November 2nd, 2026 at 10:00 AM, Support &lt;support@desk.example&gt; wrote:<br><br><blockquote class="protonmail_quote" type="cite"><div>Dear Anna</div></blockquote><br></div>`,
		"Close it, please."},
	{"Tuta",
		`<div>Thanks.<br></div><div><br></div><div>-- <br></div><div> Secured with Tuta Mail: <br></div><div><br></div><div>2 Nov 2026, 10:00 by support@desk.example:<br></div><blockquote class="tutanota_quote" style="border-left: 1px solid #93A3B8; padding-left: 10px; margin-left: 5px;"><div>Dear Anna</div></blockquote>`,
		"Thanks."},
	{"Zoho",
		`<div style="font-family: Verdana, Arial, Helvetica, sans-serif; font-size: 10pt;"><div>Done.<br></div><div><br></div><div class="zmail_extra_hr" style="border-top: 1px solid rgb(204, 204, 204); min-height: 0px; margin-top: 10px;"><br></div><div class="zmail_extra" data-zbluepencil-ignore="true"><div><br></div><div id="Zm-_Id_-Sgn1">---- On Mon, 02 Nov 2026 10:00:00 +0100 <b>Support &lt;support@desk.example&gt;</b> wrote ---<br></div><div><br></div><blockquote id="blockquote_zmail" style="margin: 0px;"><div>Dear Anna</div></blockquote></div></div>`,
		"Done."},
	{"Samsung",
		`<html><head></head><body dir="auto"><div dir="auto">Ok</div><div><br></div><div id="composer_signature"><div style="font-size:14px;color:#575757" dir="auto">Sent from my Galaxy</div></div><div><br></div><div align="left" dir="auto" style="font-size:100%;color:#000000"><div>-------- Original message --------</div><div>From: Support &lt;support@desk.example&gt; </div><div>Date: 02/11/2026  10:00  (GMT+01:00) </div><div>To: Anna &lt;anna@customer.example&gt; </div><div>Subject: Re: Printer </div><div><br></div></div><div>Dear Anna</div></body></html>`,
		"Ok"},
	{"GMX and web.de",
		`<html><head></head><body><div style="font-family: Verdana;font-size: 12.0px;"><div>Danke, geht.</div><div>&nbsp;</div><div><div name="quote" style="margin:10px 5px 5px 10px; padding: 10px 0 10px 10px; border-left:2px solid #C3D9E5; word-wrap: break-word;"><div style="margin:0 0 10px 0;"><b>Gesendet:</b>&nbsp;Montag, 2. November 2026 um 10:00<br/><b>Von:</b>&nbsp;&quot;Support&quot; &lt;support@desk.example&gt;<br/><b>An:</b>&nbsp;anna@customer.example<br/><b>Betreff:</b>&nbsp;Aw: Drucker</div><div name="quoted-content">Hallo Anna</div></div></div></div></body></html>`,
		"Danke, geht."},
	{"Notes",
		`<html><body><font size=2 face="sans-serif">Please close it.</font><br><br><font size=2 face="sans-serif">Anna</font><br><br><br><br><font size=1 color=#5f5f5f face="sans-serif">From: &nbsp; &nbsp; &nbsp; &nbsp;</font><font size=1 face="sans-serif">Support &lt;support@desk.example&gt;</font><br><font size=1 color=#5f5f5f face="sans-serif">To: &nbsp; &nbsp; &nbsp; &nbsp;</font><font size=1 face="sans-serif">Anna/Acme</font><br><font size=1 color=#5f5f5f face="sans-serif">Date: &nbsp; &nbsp; &nbsp; &nbsp;</font><font size=1 face="sans-serif">02-11-2026 10:00</font><br><font size=1 color=#5f5f5f face="sans-serif">Subject: &nbsp; &nbsp; &nbsp; &nbsp;</font><font size=1 face="sans-serif">Re: Printer</font><br><hr noshade><br><br><tt><font size=2>Dear Anna</font></tt></body></html>`,
		"Please close it.\n\nAnna"},
	{"Zimbra",
		`<html><body><div style="font-family: arial, helvetica, sans-serif; font-size: 12pt; color: #000000"><div>C'est bon.</div><div><br></div><hr id="zwchr" data-marker="__DIVIDER__"><div data-marker="__HEADERS__"><b>De: </b>"Support" &lt;support@desk.example&gt;<br><b>À: </b>"Anna" &lt;anna@customer.example&gt;<br><b>Envoyé: </b>Lundi 2 Novembre 2026 10:00:00<br><b>Objet: </b>Re: Imprimante<br></div><div><br></div><div data-marker="__QUOTED_TEXT__">Bonjour</div></div></body></html>`,
		"C'est bon."},
	{"Roundcube",
		`<html><head><meta http-equiv="Content-Type" content="text/html; charset=UTF-8" /></head><body style='font-size: 10pt; font-family: Verdana,Geneva,sans-serif'><p>Fertig.</p><p id="reply-intro">Am 02.11.2026 10:00, schrieb Support:</p><blockquote type="cite" style="padding: 0 0.4em; border-left: #1010ff 2px solid; margin: 0"><div id="replybody1"><p>Hallo</p></div></blockquote></body></html>`,
		"Fertig."},
	{"words that are indented stay",
		`<div dir="ltr">I saw this:<div><br></div><blockquote style="margin:0 0 0 40px;border:none;padding:0px"><div>ERROR 5</div></blockquote></div>`,
		"I saw this:\n\nERROR 5"},
	{"a table of data stays",
		`<p class=MsoNormal>Here:</p><table class=MsoTableGrid border=1 cellspacing=0 cellpadding=0 style='border-collapse:collapse;border:none'><tr><td width=100 valign=top style='border:solid windowtext 1.0pt'><p class=MsoNormal>4711<o:p></o:p></p></td><td><p class=MsoNormal>2<o:p></o:p></p></td></tr><tr><td><p class=MsoNormal>4712<o:p></o:p></p></td><td><p class=MsoNormal>3<o:p></o:p></p></td></tr></table>`,
		"Here:\n\n| 4711 | 2 |\n| 4712 | 3 |"},
}

func TestParse_replyOfHTMLAlone(t *testing.T) {
	for _, c := range htmlReplies {
		t.Run(c.name, func(t *testing.T) {
			m := ofHTML(t, "Re: Printer", c.html)
			if m.Reply != c.reply {
				t.Errorf("reply = %q\nwant    %q\ntext    %q", m.Reply, c.reply, m.Text)
			}
			if got, want := strings.Join(strings.Fields(m.Reply+"\n"+m.Rest), " "), strings.Join(strings.Fields(m.Text), " "); got != want {
				t.Errorf("reply and rest hold %q, the text %q", got, want)
			}
			if len(m.Forwarded) > 0 {
				t.Errorf("R64: taken for a forward: %+v", m.Forwarded)
			}
		})
	}
}

// htmlForwards are forwarded mails as mail programs write them in HTML alone.
var htmlForwards = []struct {
	name, html string
}{
	{"Gmail", `<div dir="ltr">Please take this.</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">---------- Forwarded message ---------<br>From: <strong class="gmail_sendername" dir="auto">Bob Jones</strong> <span dir="auto">&lt;<a href="mailto:bob@customer.example">bob@customer.example</a>&gt;</span><br>Date: Mon, Nov 2, 2026 at 10:00 AM<br>Subject: Printer<br>To: Agent &lt;<a href="mailto:agent@desk.example">agent@desk.example</a>&gt;<br></div><br><br><div dir="ltr">It burns.</div></div>`},
	{"Gmail, what is forwarded begins with a quote", `<div dir="ltr">Please take this.</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">---------- Forwarded message ---------<br>From: Bob Jones &lt;bob@customer.example&gt;<br>Date: Mon, Nov 2, 2026 at 10:00 AM<br>Subject: Printer<br>To: Agent<br></div><blockquote>It burns.</blockquote></div>`},
	{"Apple Mail", `<body>Please take this.<br><div><br><blockquote type="cite"><div>Begin forwarded message:</div><br class="Apple-interchange-newline"><div style="margin-top: 0px; margin-right: 0px; margin-bottom: 0px; margin-left: 0px;"><span style="font-family: -webkit-system-font, Helvetica Neue, Helvetica, sans-serif; color:rgba(0, 0, 0, 1.0);"><b>From: </b></span><span style="font-family: -webkit-system-font;">Bob Jones &lt;<a href="mailto:bob@customer.example">bob@customer.example</a>&gt;<br></span></div><div><b>Subject: </b><b>Printer</b><br></div><div><b>Date: </b>Mon, Nov 2, 2026 at 10:00 AM<br></div><div><b>To: </b>agent@desk.example<br></div><br><div><div>It burns.</div></div></blockquote></div></body>`},
	{"Thunderbird", `<body><p>Please take this.</p><div class="moz-forward-container"><br><br>-------- Forwarded Message --------<table class="moz-email-headers-table" cellspacing="0" cellpadding="0" border="0"><tbody><tr><th valign="BASELINE" nowrap="nowrap" align="RIGHT">Subject: </th><td>Printer</td></tr><tr><th valign="BASELINE" align="RIGHT">Date: </th><td>Mon, Nov 2, 2026 at 10:00 AM</td></tr><tr><th align="RIGHT">From: </th><td>Bob Jones <a class="moz-txt-link-rfc2396E" href="mailto:bob@customer.example">&lt;bob@customer.example&gt;</a></td></tr><tr><th align="RIGHT">To: </th><td>Agent</td></tr></tbody></table><br><br><p>It burns.</p></div></body>`},
	{"Outlook on the desktop", `<div class=WordSection1><p class=MsoNormal>Please take this.<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in'><p class=MsoNormal><b>From:</b> Bob Jones &lt;bob@customer.example&gt; <br><b>Sent:</b> Mon, Nov 2, 2026 at 10:00 AM<br><b>To:</b> Agent<br><b>Subject:</b> Printer<o:p></o:p></p></div></div><p class=MsoNormal>It burns.<o:p></o:p></p></div>`},
	{"Outlook on the web", `<div>Please take this.</div><div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif"><b>From:</b> Bob Jones &lt;bob@customer.example&gt;<br><b>Sent:</b> Mon, Nov 2, 2026 at 10:00 AM<br><b>To:</b> Agent<br><b>Subject:</b> Printer</font><div>&nbsp;</div></div><div>It burns.</div>`},
	{"Yahoo", `<div dir="ltr">Please take this.</div><div id="yahoo_quoted_12" class="yahoo_quoted"><div>----- Forwarded Message -----</div><div><b>From:</b> Bob Jones &lt;bob@customer.example&gt;</div><div><b>To:</b> Agent</div><div><b>Sent:</b> Mon, Nov 2, 2026 at 10:00 AM</div><div><b>Subject:</b> Printer</div><div><br></div><div>It burns.</div></div>`},
	{"Proton", `<div>Please take this.</div><div><br></div><div class="protonmail_quote">------- Forwarded Message -------<br>From: Bob Jones &lt;bob@customer.example&gt;<br>Date: Mon, Nov 2, 2026 at 10:00 AM<br>Subject: Printer<br>To: Agent<br><br><blockquote class="protonmail_quote" type="cite"><div>It burns.</div></blockquote></div>`},
	{"Zoho", `<div>Please take this.</div><div class="zmail_extra"><br>============ Forwarded message ============<br>From: Bob Jones &lt;bob@customer.example&gt;<br>To: &lt;agent@desk.example&gt;<br>Date: Mon, Nov 2, 2026 at 10:00 AM<br>Subject: Printer<br>============ Forwarded message ============<br><br><div>It burns.</div></div>`},
	{"GMX and web.de", `<div>Please take this.</div><div name="quote" style="margin:10px 5px 5px 10px;"><div style="margin:0 0 10px 0;"><b>Gesendet:</b>&nbsp;Mon, Nov 2, 2026 at 10:00 AM<br/><b>Von:</b>&nbsp;Bob Jones &lt;bob@customer.example&gt;<br/><b>An:</b>&nbsp;agent@desk.example<br/><b>Betreff:</b>&nbsp;Printer</div><div name="quoted-content">It burns.</div></div>`},
}

func TestParse_forwardOfHTMLAlone(t *testing.T) {
	for _, c := range htmlForwards {
		t.Run("R64/"+c.name, func(t *testing.T) {
			m := ofHTML(t, "Fwd: Printer", c.html)
			if len(m.Forwarded) != 1 {
				t.Fatalf("%d forwarded in %q", len(m.Forwarded), m.Text)
			}
			q := m.Forwarded[0]
			if q.From.Address != "bob@customer.example" || q.From.Name != "Bob Jones" || q.Date != "Mon, Nov 2, 2026 at 10:00 AM" || q.Subject != "Printer" || q.Text != "It burns." {
				t.Errorf("%+v\nof %q", q, m.Text)
			}
			if m.Reply != "Please take this." || !strings.Contains(m.Rest, "It burns.") {
				t.Errorf("reply = %q", m.Reply)
			}
		})
	}
}
