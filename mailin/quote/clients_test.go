package quote

import (
	"strings"
	"testing"
)

const anna = "Anna <anna@customer.example>"

// sentences are what programs write above the mail they answer, which they quote
// with ">".
var sentences = []struct{ program, language, sentence string }{
	{"Gmail", "English", "On Mon, Nov 2, 2026 at 10:00\u202fAM Support <support@desk.example> wrote:"},
	{"Gmail", "British English", "On Mon, 2 Nov 2026 at 10:00, Support <support@desk.example> wrote:"},
	{"Gmail", "English, wrapped in the address", "On Mon, Nov 2, 2026 at 10:00\u202fAM Acme Customer Support Department <\nsupport@desk.example> wrote:"},
	{"Gmail", "English, wrapped before wrote", "On Mon, Nov 2, 2026 at 10:00\u202fAM Acme Support <support@desk.example>\nwrote:"},
	{"Gmail", "English, over three lines", "On Mon, Nov 2, 2026 at 10:00 AM The Very Long Named Customer Support\nDepartment of Acme Incorporated via the List\n<support@desk.example> wrote:"},
	{"Gmail", "English, without address", "On Mon, Nov 2, 2026 at 10:00 AM Support wrote:"},
	{"Gmail", "English, for a group", "On Mon, Nov 2, 2026 at 10:00 AM 'Support' via Acme Helpdesk <\nhelp@desk.example> wrote:"},
	{"Gmail", "English, on behalf of", "On Mon, Nov 2, 2026 at 10:00 AM Support <support@desk.example> on behalf of Anna wrote:"},
	{"Gmail", "English with bidi marks", "\u202aOn Mon, Nov 2, 2026 at 10:00 AM \u202bSupport\u202c\u200f <\u202asupport@desk.example\u202c\u200f> wrote:\u202c"},
	{"Gmail", "Danish", "Den man. 2. nov. 2026 kl. 10.00 skrev Support <support@desk.example>:"},
	{"Gmail", "Danish, wrapped", "Den man. 2. nov. 2026 kl. 10.00 skrev Acme kundeservice og support <\nsupport@desk.example>:"},
	{"Gmail", "Norwegian", "man. 2. nov. 2026 kl. 10:00 skrev Support <support@desk.example>:"},
	{"Gmail", "Swedish", "Den mån 2 nov. 2026 kl 10:00 skrev Support <support@desk.example>:"},
	{"Gmail", "Dutch", "Op ma 2 nov 2026 om 10:00 schreef Support <support@desk.example>:"},
	{"Gmail", "German", "Am Mo., 2. Nov. 2026 um 10:00\u202fUhr schrieb Support <support@desk.example>:"},
	{"Gmail", "French", "Le lun. 2 nov. 2026 à 10:00, Support <support@desk.example> a écrit\u00a0:"},
	{"Gmail", "French, wrapped", "Le lun. 2 nov. 2026 à 10:00, Service clientèle d'Acme <support@desk.example> a\nécrit :"},
	{"Gmail", "Spanish", "El lun, 2 nov 2026 a las 10:00, Support (<support@desk.example>) escribió:"},
	{"Gmail", "Italian", "Il giorno lun 2 nov 2026 alle ore 10:00 Support <support@desk.example>\nha scritto:"},
	{"Gmail", "Portuguese", "Support <support@desk.example> escreveu (segunda, 2/11/2026 à(s) 10:00):"},
	{"Gmail", "Brazilian Portuguese", "Em seg., 2 de nov. de 2026 às 10:00, Support <support@desk.example>\nescreveu:"},
	{"Gmail", "Polish", "pon., 2 lis 2026 o 10:00 Support <support@desk.example> napisał(a):"},
	{"Gmail", "Finnish", "ma 2. marrask. 2026 klo 10.00 Support (support@desk.example) kirjoitti:"},
	{"Gmail", "Russian", "пн, 2 нояб. 2026 г. в 10:00, Support <support@desk.example>:"},
	{"Gmail", "Russian, as it was", "2 ноября 2026 г., 10:00 пользователь Support <support@desk.example>\nнаписал:"},
	{"Gmail", "simplified Chinese", "Support <support@desk.example> 于2026年11月2日周一 10:00写道："},
	{"Gmail", "traditional Chinese", "Support <support@desk.example> 於 2026年11月2日 週一 上午10:00寫道："},
	{"Gmail", "Japanese", "2026年11月2日(月) 10:00 Support <support@desk.example>:"},

	{"Apple Mail", "English", "On 2 Nov 2026, at 10:00, Support <support@desk.example> wrote:"},
	{"Apple Mail", "American English", "On Nov 2, 2026, at 10:00\u202fAM, Support <support@desk.example> wrote:"},
	{"Apple Mail", "Danish", "Den 2. nov. 2026 kl. 10.00 skrev Support <support@desk.example>:"},
	{"Apple Mail", "Norwegian", "2. nov. 2026 kl. 10:00 skrev Support <support@desk.example>:"},
	{"Apple Mail", "Swedish", "2 nov. 2026 kl. 10:00 skrev Support <support@desk.example>:"},
	{"Apple Mail", "Dutch", "Op 2 nov 2026, om 10:00 heeft Support <support@desk.example> het volgende geschreven:"},
	{"Apple Mail", "German", "Am 02.11.2026 um 10:00 schrieb Support <support@desk.example>:"},
	{"Apple Mail", "French", "Le 2 nov. 2026 à 10:00, Support <support@desk.example> a écrit :"},
	{"Apple Mail", "Spanish", "El 2 nov 2026, a las 10:00, Support <support@desk.example> escribió:"},
	{"Apple Mail", "Italian", "Il giorno 2 nov 2026, alle ore 10:00, Support <support@desk.example> ha scritto:"},
	{"Apple Mail", "Portuguese", "No dia 2 de nov. de 2026, às 10:00, Support <support@desk.example> escreveu:"},
	{"Apple Mail", "Brazilian Portuguese", "Em 2 de nov. de 2026, à(s) 10:00, Support <support@desk.example> escreveu:"},
	{"Apple Mail", "Polish", "Wiadomość napisana przez Support <support@desk.example> w dniu 2 lis 2026, o godz. 10:00:"},
	{"Apple Mail", "Finnish", "Support <support@desk.example> kirjoitti 2.11.2026 kello 10.00:"},
	{"Apple Mail", "Russian", "2 нояб. 2026 г., в 10:00, Support <support@desk.example> написал(а):"},
	{"Apple Mail", "simplified Chinese", "2026年11月2日 10:00，Support <support@desk.example> 写道："},
	{"Apple Mail", "traditional Chinese", "Support <support@desk.example> 於 2026年11月2日 上午10:00 寫道："},
	{"Apple Mail", "Japanese", "2026/11/02 10:00、Support <support@desk.example>のメール:"},

	{"Thunderbird", "English", "On 11/2/26 10:00 AM, Support wrote:"},
	{"Thunderbird", "Danish", "Den 02.11.2026 kl. 10.00 skrev Support:"},
	{"Thunderbird", "Norwegian", "Den 02.11.2026 10:00, skrev Support:"},
	{"Thunderbird", "Swedish", "Den 2026-11-02 kl. 10:00, skrev Support:"},
	{"Thunderbird", "Dutch", "Op 02-11-2026 om 10:00 schreef Support:"},
	{"Thunderbird", "German", "Am 02.11.26 um 10:00 schrieb Support:"},
	{"Thunderbird", "French", "Le 02/11/2026 à 10:00, Support a écrit :"},
	{"Thunderbird", "Spanish", "El 2/11/26 a las 10:00, Support escribió:"},
	{"Thunderbird", "Italian", "Il 02/11/2026 10:00, Support ha scritto:"},
	{"Thunderbird", "Portuguese", "Às 10:00 de 02/11/2026, Support escreveu:"},
	{"Thunderbird", "Brazilian Portuguese", "Em 02/11/2026 10:00, Support escreveu:"},
	{"Thunderbird", "Polish", "W dniu 2.11.2026 o 10:00, Support pisze:"},
	{"Thunderbird", "Finnish", "Support kirjoitti 2.11.2026 klo 10.00:"},
	{"Thunderbird", "Russian", "02.11.2026 10:00, Support пишет:"},
	{"Thunderbird", "simplified Chinese", "在 2026/11/2 10:00, Support 写道:"},
	{"Thunderbird", "traditional Chinese", "Support 於 2026/11/2 上午 10:00 寫道:"},
	{"Thunderbird", "Japanese", "On 2026/11/02 10:00, Support wrote:"},

	{"Proton", "English", "On Monday, November 2nd, 2026 at 10:00 AM, Support <support@desk.example> wrote:"},
	{"Proton", "English, as it was", "‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐\nOn Monday, 2 November 2026 10:00, Support <support@desk.example> wrote:"},
	{"Proton", "English, original", "------- Original Message -------\nOn Monday, November 2nd, 2026 at 10:00, Support <support@desk.example> wrote:"},
	{"Proton", "German", "Am Montag, 2. November 2026 um 10:00, Support <support@desk.example> schrieb:"},
	{"Proton", "French", "Le lundi 2 novembre 2026 à 10:00, Support <support@desk.example> a écrit :"},
	{"Proton", "Spanish", "El lunes, 2 de noviembre de 2026 a las 10:00, Support <support@desk.example> escribió:"},

	{"mutt", "English", "On Mon, Nov 02, 2026 at 10:00:00AM +0100, Support wrote:"},
	{"Gnus", "English", "Support <support@desk.example> writes:"},
	{"pine", "English", "On Mon, 2 Nov 2026, Support wrote:"},
	{"Fastmail", "English", "On Mon, Nov 2, 2026, at 10:00 AM, Support wrote:"},
	{"Roundcube", "English", "On 2026-11-02 10:00, Support wrote:"},
	{"Roundcube", "German", "Am 02.11.2026 10:00, schrieb Support:"},
	{"K-9", "German", "Am 2. November 2026 10:00:00 MEZ schrieb Support <support@desk.example>:"},
	{"K-9", "English", "On November 2, 2026 10:00:00 AM GMT+01:00, Support <support@desk.example> wrote:"},
	{"Horde", "English", "Quoting Support <support@desk.example>:"},
	{"Horde", "German", "Zitat von Support <support@desk.example>:"},
	{"Tuta", "English", "2 Nov 2026, 10:00 by support@desk.example:"},
	{"Zoho", "English", "---- On Mon, 02 Nov 2026 10:00:00 +0100 Support <support@desk.example> wrote ----"},
	{"Zimbra", "English", "----- On Nov 2, 2026, at 10:00 AM, Support support@desk.example wrote:"},
	{"Mail.ru", "Russian", "Понедельник, 2 ноября 2026, 10:00 +03:00 от Support <support@desk.example>:"},
	{"Yandex", "Russian", "02.11.2026, 10:00, \"Support\" <support@desk.example>:"},
	{"163", "simplified Chinese", "在 2026-11-02 10:00:00，\"Support\" <support@desk.example> 写道："},
	{"163", "English", "At 2026-11-02 10:00:00, \"Support\" <support@desk.example> wrote:"},
	{"Outlook mobile", "German", "Support <support@desk.example> schrieb am Mo., 2. Nov. 2026,\n10:00:"},
	{"HEY", "English", "On November 2, 2026, Support <support@desk.example> wrote:"},
	{"Windows Mail", "Dutch", "Op 2-11-2026 10:00 schreef Support <support@desk.example>:"},
}

// TestCut_sentence holds each sentence in the places where it is met.
func TestCut_sentence(t *testing.T) {
	const words = "It works now.\n\nKind regards, Anna"
	for _, s := range sentences {
		name := s.program + ", " + s.language
		cut := func(name, text, want string) {
			t.Run(name, func(t *testing.T) {
				reply, rest := Cut(text)
				if reply != want {
					t.Errorf("reply = %q\nwant    %q", reply, want)
				}
				checkLossless(t, text, reply, rest)
				if _, q, ok := Forwarded(text); ok {
					t.Errorf("R64: taken for a forward: %+v", q)
				}
			})
		}
		cut(name, words+"\n\n"+s.sentence+"\n\n> Dear Anna,\n>\n> please try again.\n>\n", words)
		cut(name+", no line between", words+"\n"+s.sentence+"\n> Dear Anna,\n> please try again.\n", words)
		if !strings.Contains(s.sentence, "\n") {
			cut(name+", quoted itself", words+"\n\n> "+s.sentence+"\n> \n> Dear Anna\n", words)
		}
		below := s.sentence + "\n> Did it help?\n\nYes.\n\n> Shall we close it?\n\nPlease do."
		cut(name+", answers below and between stay", below, below)
	}
}

// unmarked are sentences of programs that do not quote what follows.
var unmarkedHistory = []struct{ name, sentence string }{
	{"Yahoo, English", "    On Monday, November 2, 2026 at 10:00:00 AM GMT+1, Support <support@desk.example> wrote:  "},
	{"Yahoo, Danish", "    Den mandag 2. november 2026 kl. 10.00.00 CET skrev Support <support@desk.example>:  "},
	{"Yahoo, Norwegian", "    mandag 2. november 2026 kl. 10:00:00 CET skrev Support <support@desk.example>:  "},
	{"Yahoo, Swedish", "    Den måndag 2 november 2026 kl. 10:00:00 CET, Support <support@desk.example> skrev:  "},
	{"Yahoo, Dutch", "    Op maandag 2 november 2026 om 10:00:00 CET schreef Support <support@desk.example>:  "},
	{"Yahoo, German", "    Am Montag, 2. November 2026 um 10:00:00 MEZ hat Support <support@desk.example> Folgendes geschrieben:  "},
	{"Yahoo, French", "    Le lundi 2 novembre 2026 à 10:00:00 UTC+1, Support <support@desk.example> a écrit :  "},
	{"Yahoo, Spanish", "    El lunes, 2 de noviembre de 2026, 10:00:00 CET, Support <support@desk.example> escribió:  "},
	{"Yahoo, Italian", "    Il lunedì 2 novembre 2026 alle ore 10:00:00 CET, Support <support@desk.example> ha scritto:  "},
	{"Yahoo, Portuguese", "    Em segunda-feira, 2 de novembro de 2026 às 10:00:00 BRT, Support <support@desk.example> escreveu:  "},
	{"Yahoo, Polish", "    W dniu poniedziałek, 2 listopada 2026 10:00:00 CET użytkownik Support <support@desk.example> napisał:  "},
	{"Yahoo, Finnish", "    maanantai 2. marraskuuta 2026 klo 10.00.00 UTC+2, Support <support@desk.example> kirjoitti:  "},
	{"GMX on Android, German", "Am 02.11.2026, 10:00 schrieb Support <support@desk.example>:"},
	{"Zoho, English", "---- On Mon, 02 Nov 2026 10:00:00 +0100 Support <support@desk.example> wrote ---"},
}

func TestCut_unmarkedHistory(t *testing.T) {
	for _, s := range unmarkedHistory {
		t.Run(s.name, func(t *testing.T) {
			text := "It works.\n\n" + s.sentence + "\n \n Dear Anna,\nplease try again.\n"
			reply, rest := Cut(text)
			if reply != "It works." {
				t.Errorf("%q", reply)
			}
			checkLossless(t, text, reply, rest)
		})
	}
}

// blocks are the header fields that programs write above the mail they answer,
// with what divides them from the answer.
var blocks = []struct{ name, block string }{
	{"Outlook, English", "From: Support <support@desk.example>\nSent: Monday, November 2, 2026 10:00 AM\nTo: " + anna + "\nSubject: RE: Printer"},
	{"Outlook, English, Cc and importance", "From: Support <support@desk.example>\nSent: 02 November 2026 10:00\nTo: " + anna + "\nCc: Bob <bob@customer.example>; Carl <carl@customer.example>\nSubject: RE: Printer\nImportance: High"},
	{"Outlook, English, on behalf of", "From: support@desk.example <support@desk.example> On Behalf Of Anna\nSent: Monday, November 2, 2026 10:00 AM\nTo: Bob\nSubject: RE: Printer"},
	{"Outlook, English, addresses over several lines", "From: Support <support@desk.example>\nSent: Monday, November 2, 2026 10:00 AM\nTo: Anna <anna@customer.example>; Bob <bob@customer.example>;\nCarl <carl@customer.example>; Dora <dora@customer.example>;\nEve <eve@customer.example>\nSubject: RE: Printer"},
	{"Outlook, Danish", "Fra: Support <support@desk.example>\nSendt: 2. november 2026 10:00\nTil: " + anna + "\nEmne: SV: Printer"},
	{"Outlook, Danish, with a copy", "Fra: Support <support@desk.example>\nSendt: 2. november 2026 10:00\nTil: " + anna + "\nCc: Bo <bo@customer.example>\nEmne: SV: Printer"},
	{"Outlook, Norwegian", "Fra: Support <support@desk.example>\nSendt: mandag 2. november 2026 10:00\nTil: " + anna + "\nEmne: SV: Printer"},
	{"Outlook, Swedish", "Från: Support <support@desk.example>\nSkickat: den 2 november 2026 10:00\nTill: " + anna + "\nÄmne: SV: Printer"},
	{"Outlook, Dutch", "Van: Support <support@desk.example>\nVerzonden: maandag 2 november 2026 10:00\nAan: " + anna + "\nOnderwerp: RE: Printer"},
	{"Outlook, German", "Von: Support <support@desk.example>\nGesendet: Montag, 2. November 2026 10:00\nAn: " + anna + "\nBetreff: AW: Drucker"},
	{"Outlook, French", "De\u00a0: Support <support@desk.example>\nEnvoyé\u00a0: lundi 2 novembre 2026 10:00\nÀ\u00a0: " + anna + "\nObjet\u00a0: RE: Imprimante"},
	{"Outlook, Spanish", "De: Support <support@desk.example>\nEnviado: lunes, 2 de noviembre de 2026 10:00\nPara: " + anna + "\nAsunto: RE: Impresora"},
	{"Outlook, Spanish, enviado el", "De: Support <support@desk.example>\nEnviado el: lunes, 2 de noviembre de 2026 10:00\nPara: " + anna + "\nAsunto: RE: Impresora"},
	{"Outlook, Italian", "Da: Support <support@desk.example>\nInviato: lunedì 2 novembre 2026 10:00\nA: " + anna + "\nOggetto: R: Stampante"},
	{"Outlook, Portuguese", "De: Support <support@desk.example>\nEnviado: 2 de novembro de 2026 10:00\nPara: " + anna + "\nAssunto: RE: Impressora"},
	{"Outlook, Brazilian Portuguese", "De: Support <support@desk.example>\nEnviada em: segunda-feira, 2 de novembro de 2026 10:00\nPara: " + anna + "\nAssunto: RES: Impressora"},
	{"Outlook, Polish", "Od: Support <support@desk.example>\nWysłano: poniedziałek, 2 listopada 2026 10:00\nDo: " + anna + "\nTemat: Odp: Drukarka"},
	{"Outlook, Finnish", "Lähettäjä: Support <support@desk.example>\nLähetetty: maanantai 2. marraskuuta 2026 10.00\nVastaanottaja: " + anna + "\nAihe: VS: Tulostin"},
	{"Outlook, Russian", "От: Support <support@desk.example>\nОтправлено: 2 ноября 2026 г. 10:00\nКому: " + anna + "\nТема: RE: Принтер"},
	{"Outlook, simplified Chinese", "发件人: Support <support@desk.example>\n发送时间: 2026年11月2日 10:00\n收件人: " + anna + "\n主题: 答复: 打印机"},
	{"Outlook, simplified Chinese, wide colons", "发件人： Support <support@desk.example>\n发送时间： 2026年11月2日 10:00\n收件人： " + anna + "\n抄送： Bob\n主题： 答复: 打印机"},
	{"Outlook, traditional Chinese", "寄件者: Support <support@desk.example>\n寄件日期: 2026年11月2日 上午 10:00\n收件者: " + anna + "\n主旨: 回覆: 印表機"},
	{"Outlook, Japanese", "差出人: Support <support@desk.example>\n送信日時: 2026年11月2日 10:00\n宛先: " + anna + "\n件名: Re: プリンター"},
	{"Outlook, Czech", "Od: Support <support@desk.example>\nOdesláno: pondělí 2. listopadu 2026 10:00\nKomu: " + anna + "\nPředmět: RE: Tiskárna"},
	{"Outlook for Mac, English", "From: Support <support@desk.example>\nDate: Monday, 2 November 2026 at 10:00\nTo: " + anna + "\nSubject: Re: Printer"},
	{"Outlook for Mac, German", "Von: Support <support@desk.example>\nDatum: Montag, 2. November 2026 um 10:00\nAn: " + anna + "\nBetreff: AW: Drucker"},
	{"Outlook for Mac, Danish", "Fra: Support <support@desk.example>\nDato: mandag den 2. november 2026 kl. 10.00\nTil: " + anna + "\nEmne: SV: Printer"},
	{"Outlook read by another program, stars", "*From:* Support <support@desk.example>\n*Sent:* Monday, November 2, 2026 10:00 AM\n*To:* " + anna + "\n*Subject:* RE: Printer"},
	{"Outlook read by another program, bold of Markdown", "**From:** Support <support@desk.example>\n**Sent:** Monday, November 2, 2026 10:00 AM\n**To:** " + anna + "\n**Subject:** RE: Printer"},
	{"Outlook of the year 2010, English", "-----Original Message-----\nFrom: Support [mailto:support@desk.example]\nSent: Monday, November 2, 2026 10:00 AM\nTo: Anna\nSubject: RE: Printer"},
	{"Outlook of the year 2010, Danish", "-----Oprindelig meddelelse-----\nFra: Support [mailto:support@desk.example]\nSendt: 2. november 2026 10:00\nTil: Anna\nEmne: SV: Printer"},
	{"Outlook of the year 2010, Norwegian", "-----Opprinnelig melding-----\nFra: Support [mailto:support@desk.example]\nSendt: 2. november 2026 10:00\nTil: Anna\nEmne: SV: Printer"},
	{"Outlook of the year 2010, Swedish", "-----Ursprungligt meddelande-----\nFrån: Support [mailto:support@desk.example]\nSkickat: den 2 november 2026 10:00\nTill: Anna\nÄmne: SV: Printer"},
	{"Outlook of the year 2010, Dutch", "-----Oorspronkelijk bericht-----\nVan: Support [mailto:support@desk.example]\nVerzonden: maandag 2 november 2026 10:00\nAan: Anna\nOnderwerp: RE: Printer"},
	{"Outlook of the year 2010, German", "-----Ursprüngliche Nachricht-----\nVon: Support [mailto:support@desk.example]\nGesendet: Montag, 2. November 2026 10:00\nAn: Anna\nBetreff: AW: Drucker"},
	{"Outlook of the year 2010, French", "-----Message d’origine-----\nDe : Support [mailto:support@desk.example]\nEnvoyé : lundi 2 novembre 2026 10:00\nÀ : Anna\nObjet : RE: Imprimante"},
	{"Outlook of the year 2010, Spanish", "-----Mensaje original-----\nDe: Support [mailto:support@desk.example]\nEnviado el: lunes, 2 de noviembre de 2026 10:00\nPara: Anna\nAsunto: RE: Impresora"},
	{"Outlook of the year 2010, Italian", "-----Messaggio originale-----\nDa: Support [mailto:support@desk.example]\nInviato: lunedì 2 novembre 2026 10:00\nA: Anna\nOggetto: R: Stampante"},
	{"Outlook of the year 2010, Portuguese", "-----Mensagem original-----\nDe: Support [mailto:support@desk.example]\nEnviada em: segunda-feira, 2 de novembro de 2026 10:00\nPara: Anna\nAssunto: RES: Impressora"},
	{"Outlook of the year 2010, Polish", "-----Oryginalna wiadomość-----\nOd: Support [mailto:support@desk.example]\nWysłano: 2 listopada 2026 10:00\nDo: Anna\nTemat: Odp: Drukarka"},
	{"Outlook of the year 2010, Finnish", "-----Alkuperäinen viesti-----\nLähettäjä: Support [mailto:support@desk.example]\nLähetetty: 2. marraskuuta 2026 10:00\nVastaanottaja: Anna\nAihe: VS: Tulostin"},
	{"Outlook of the year 2010, Russian", "-----Исходное сообщение-----\nОт: Support [mailto:support@desk.example]\nОтправлено: 2 ноября 2026 г. 10:00\nКому: Anna\nТема: RE: Принтер"},
	{"Outlook of the year 2010, simplified Chinese", "-----邮件原件-----\n发件人: Support [mailto:support@desk.example]\n发送时间: 2026年11月2日 10:00\n收件人: Anna\n主题: 答复: 打印机"},
	{"Outlook of the year 2010, traditional Chinese", "-----原始郵件-----\n寄件者: Support [mailto:support@desk.example]\n寄件日期: 2026年11月2日 10:00\n收件者: Anna\n主旨: 回覆: 印表機"},
	{"Outlook of the year 2010, Japanese", "-----元のメッセージ-----\n差出人: Support [mailto:support@desk.example]\n送信日時: 2026年11月2日 10:00\n宛先: Anna\n件名: Re: プリンター"},
	{"Outlook on the web, English", "________________________________\nFrom: Support <support@desk.example>\nSent: Monday, November 2, 2026 10:00 AM\nTo: " + anna + "\nSubject: Re: Printer"},
	{"Outlook on the web, French", "________________________________\nDe : Support <support@desk.example>\nEnvoyé : lundi 2 novembre 2026 10:00\nÀ : " + anna + "\nObjet : Re: Imprimante"},
	{"Outlook on the web in a language without a table", "________________________________\nNo: Support <support@desk.example>\nNosūtīts: 2026. gada 2. novembris 10:00\nKam: " + anna + "\nTēma: Re: Printeris"},
	{"Samsung, English", "-------- Original message --------\nFrom: Support <support@desk.example> \nDate: 02/11/2026  10:00  (GMT+01:00) \nTo: " + anna + " \nSubject: Re: Printer "},
	{"Samsung, Danish", "-------- Oprindelig meddelelse --------\nFra: Support <support@desk.example> \nDato: 02.11.2026  10.00  (GMT+01:00) \nTil: " + anna + " \nEmne: Re: Printer "},
	{"Samsung, German", "-------- Ursprüngliche Nachricht --------\nVon: Support <support@desk.example> \nDatum: 02.11.26  10:00  (GMT+01:00) \nAn: " + anna + " \nBetreff: Re: Drucker "},
	{"Samsung, Dutch", "-------- Oorspronkelijk bericht --------\nVan: Support <support@desk.example> \nDatum: 02-11-2026  10:00  (GMT+01:00) \nAan: " + anna + " \nOnderwerp: Re: Printer "},
	{"Samsung, French", "-------- Message d'origine --------\nDe : Support <support@desk.example> \nDate : 02/11/2026  10:00  (GMT+01:00) \nÀ : " + anna + " \nObjet : Re: Imprimante "},
	{"Samsung, Spanish", "-------- Mensaje original --------\nDe: Support <support@desk.example> \nFecha: 2/11/26  10:00  (GMT+01:00) \nPara: " + anna + " \nAsunto: Re: Impresora "},
	{"Samsung, Italian", "-------- Messaggio originale --------\nDa: Support <support@desk.example> \nData: 02/11/26  10:00  (GMT+01:00) \nA: " + anna + " \nOggetto: Re: Stampante "},
	{"Samsung, Polish", "-------- Oryginalna wiadomość --------\nOd: Support <support@desk.example> \nData: 02.11.2026  10:00  (GMT+01:00) \nDo: " + anna + " \nTemat: Re: Drukarka "},
	{"GMX, German", "Gesendet: Montag, 2. November 2026 um 10:00\nVon: Support <support@desk.example>\nAn: " + anna + "\nBetreff: Aw: Drucker"},
	{"GMX, English", "Sent: Monday, November 02, 2026 at 10:00 AM\nFrom: Support <support@desk.example>\nTo: " + anna + "\nSubject: Re: Printer"},
	{"web.de, German, names alone", "Gesendet: Montag, 02. November 2026 um 10:00 Uhr\nVon: \"Support\" <support@desk.example>\nAn: anna@customer.example\nBetreff: Re: Drucker"},
	{"Notes, English", "From:        Support <support@desk.example>\nTo:        " + anna + "\nDate:        02-11-2026 10:00\nSubject:        Re: Printer"},
	{"Notes, German", "Von:        Support <support@desk.example>\nAn:        " + anna + "\nDatum:        02.11.2026 10:00\nBetreff:        Re: Drucker"},
	{"Notes on the web, English", "-----Support <support@desk.example> wrote: -----\nTo: " + anna + "\nFrom: Support <support@desk.example>\nDate: 11/02/2026 10:00AM\nSubject: Re: Printer"},
	{"Notes on the web, German", "-----Support <support@desk.example> schrieb: -----\nAn: " + anna + "\nVon: Support <support@desk.example>\nDatum: 02.11.2026 10:00\nBetreff: Re: Drucker"},
	{"Zimbra, English", "----- Original Message -----\nFrom: \"Support\" <support@desk.example>\nTo: \"Anna\" <anna@customer.example>\nSent: Monday, November 2, 2026 10:00:00 AM\nSubject: Re: Printer"},
	{"Zimbra, French", "----- Mail original -----\nDe: \"Support\" <support@desk.example>\nÀ: \"Anna\" <anna@customer.example>\nEnvoyé: Lundi 2 Novembre 2026 10:00:00\nObjet: Re: Imprimante"},
	{"Zimbra, German", "----- Ursprüngliche Mail -----\nVon: \"Support\" <support@desk.example>\nAn: \"Anna\" <anna@customer.example>\nGesendet: Montag, 2. November 2026 10:00:00\nBetreff: Re: Drucker"},
	{"QQ, simplified Chinese", "------------------ 原始邮件 ------------------\n发件人: \"Support\" <support@desk.example>;\n发送时间: 2026年11月2日(星期一) 上午10:00\n收件人: \"Anna\"<anna@customer.example>;\n主题: Re: 打印机"},
	{"163, simplified Chinese", "---- 回复的原邮件 ----\n发件人: Support<support@desk.example>\n日期: 2026年11月02日 10:00\n收件人: anna<anna@customer.example>\n主题: Re: 打印机"},
	{"Thunderbird with header fields, English", "-------- Original Message --------\nSubject: \tRe: Printer\nDate: \tMon, 2 Nov 2026 10:00:00 +0100\nFrom: \tSupport <support@desk.example>\nTo: \t" + anna},
	{"Thunderbird with header fields, German", "-------- Originalnachricht --------\nBetreff: \tRe: Drucker\nDatum: \tMon, 2 Nov 2026 10:00:00 +0100\nVon: \tSupport <support@desk.example>\nAn: \t" + anna},
	{"Thunderbird with header fields, Danish", "-------- Original meddelelse --------\nEmne: \tRe: Printer\nDato: \tMon, 2 Nov 2026 10:00:00 +0100\nFra: \tSupport <support@desk.example>\nTil: \t" + anna},
	{"Yahoo Japan, Japanese", "----- Original Message -----\nFrom: Support <support@desk.example>\nTo: " + anna + "\nDate: 2026/11/2, Mon 10:00\nSubject: Re: プリンター"},
	{"Exchange, Turkish", "Kimden: Support <support@desk.example>\nGönderildi: 2 Kasım 2026 10:00\nKime: " + anna + "\nKonu: RE: Yazıcı"},
	{"Exchange, Korean", "보낸 사람: Support <support@desk.example>\n보낸 날짜: 2026년 11월 2일 10:00\n받는 사람: " + anna + "\n제목: RE: 프린터"},
}

func TestCut_headerBlock(t *testing.T) {
	const words = "Please close it.\n\nKind regards,\nAnna"
	for _, b := range blocks {
		t.Run(b.name, func(t *testing.T) {
			for what, text := range map[string]string{
				"text below":      words + "\n\n" + b.block + "\n\nDear Anna,\n\nplease try again.\n",
				"quotes below":    words + "\n\n" + b.block + "\n\n> Dear Anna,\n> please try again.\n",
				"no empty line":   words + "\n" + b.block + "\n\nDear Anna\n",
				"CRLF":            strings.ReplaceAll(words+"\n\n"+b.block+"\n\nDear Anna\n", "\n", "\r\n"),
				"a footer above":  words + "\n\nGet Outlook for iOS<https://aka.ms/o0ukef>\n" + b.block + "\n\nDear Anna\n",
				"an inner answer": words + "\n\n" + b.block + "\n\nDear Anna\n\nOn 1 Nov 2026, at 10:00, Anna <anna@customer.example> wrote:\n\n> Help\n",
			} {
				reply, rest := Cut(text)
				if strings.ReplaceAll(reply, "\r", "") != words {
					t.Errorf("%s: reply = %q", what, reply)
				}
				checkLossless(t, text, reply, rest)
				if _, q, ok := Forwarded(text); ok && q.Announced {
					t.Errorf("R64: %s: taken for announced: %+v", what, q)
				}
			}
			alone := b.block + "\n\nIt burns.\n"
			if reply, _ := Cut(alone); reply != strings.TrimSpace(alone) {
				t.Errorf("nothing written above, all stays: %q", reply)
			}
		})
	}
}

// lastLines are lines that phones and services add.
var lastLines = []struct{ name, line string }{
	{"iPhone, English", "Sent from my iPhone"}, {"iPad, English", "Sent from my iPad"},
	{"iPhone, Danish", "Sendt fra min iPhone"}, {"iPhone, Norwegian", "Sendt fra min iPhone"}, {"iPhone, Swedish", "Skickat från min iPhone"},
	{"iPhone, Dutch", "Verstuurd vanaf mijn iPhone"}, {"iPhone, German", "Von meinem iPhone gesendet"}, {"iPhone, French", "Envoyé de mon iPhone"},
	{"iPhone, Spanish", "Enviado desde mi iPhone"}, {"iPhone, Italian", "Inviato da iPhone"}, {"iPhone, Portuguese", "Enviado do meu iPhone"},
	{"iPhone, Polish", "Wysłane z iPhone'a"}, {"iPhone, Finnish", "Lähetetty iPhonesta"}, {"iPhone, Russian", "Отправлено с iPhone"},
	{"iPhone, simplified Chinese", "发自我的iPhone"}, {"iPhone, traditional Chinese", "從我的 iPhone 傳送"}, {"iPhone, Japanese", "iPhoneから送信"},
	{"Outlook on iOS, English", "Get Outlook for iOS<https://aka.ms/o0ukef>"}, {"Outlook on Android, English", "Get Outlook for Android<https://aka.ms/AAb9ysg>"},
	{"Outlook on iOS, Danish", "Hent Outlook til iOS<https://aka.ms/o0ukef>"}, {"Outlook on iOS, German", "Outlook für iOS beziehen<https://aka.ms/o0ukef>"},
	{"Outlook on iOS, French", "Télécharger Outlook pour iOS<https://aka.ms/o0ukef>"}, {"Outlook on iOS, Spanish", "Obtener Outlook para iOS<https://aka.ms/o0ukef>"},
	{"Outlook on iOS, Norwegian", "Skaff deg Outlook for iOS<https://aka.ms/o0ukef>"}, {"Outlook on iOS, Swedish", "Hämta Outlook för iOS<https://aka.ms/o0ukef>"},
	{"Outlook on iOS, Dutch", "Outlook voor iOS downloaden<https://aka.ms/o0ukef>"}, {"Outlook on iOS, Italian", "Scarica Outlook per iOS<https://aka.ms/o0ukef>"},
	{"Outlook on iOS, Portuguese", "Obter o Outlook para iOS<https://aka.ms/o0ukef>"}, {"Outlook on iOS, Polish", "Pobierz program Outlook dla systemu iOS<https://aka.ms/o0ukef>"},
	{"Outlook on iOS, Finnish", "Hanki Outlook for iOS<https://aka.ms/o0ukef>"}, {"Outlook on iOS, Russian", "Получите Outlook для iOS<https://aka.ms/o0ukef>"},
	{"Outlook on iOS, Japanese", "Outlook for iOS を入手<https://aka.ms/o0ukef>"}, {"Outlook on iOS, Chinese", "获取 Outlook for iOS<https://aka.ms/o0ukef>"},
	{"Outlook on iOS, any other language", "Nabavite Outlook za iOS<https://aka.ms/o0ukef>"},
	{"Outlook made of HTML", "[Get Outlook for iOS](https://aka.ms/o0ukef)"},
	{"Windows Mail, English", "Sent from Mail for Windows"}, {"Windows Mail, German", "Gesendet von Mail für Windows"},
	{"Proton", "Sent with Proton Mail secure email."}, {"Proton, bracketed", "Sent with [Proton Mail](https://proton.me/mail/home) secure email."},
	{"Yahoo on Android", "Sent from Yahoo Mail on Android"}, {"Yahoo on iPhone", "Sent from Yahoo Mail for iPhone"}, {"Yahoo, German", "Gesendet von Yahoo Mail auf Android"},
	{"Yahoo, new", "Yahoo Mail: Search, Organize, Conquer"},
	{"Samsung, English", "Sent from my Galaxy"}, {"Samsung, phone", "Sent from my Samsung Galaxy smartphone."}, {"Samsung, Danish", "Sendt fra min Galaxy"}, {"Samsung, German", "Von meinem Galaxy gesendet"},
	{"GMX, German", "Gesendet mit der GMX Mail App"}, {"GMX on Android, German", "Diese Nachricht wurde von meinem Android Mobiltelefon mit GMX Mail gesendet."},
	{"K-9, English", "Sent from my Android device with K-9 Mail. Please excuse my brevity."},
	{"BlackBerry", "Sent from my BlackBerry 10 smartphone."},
}

func TestCut_lastLine(t *testing.T) {
	for _, s := range lastLines {
		t.Run(s.name, func(t *testing.T) {
			for what, text := range map[string]string{
				"at the end":    "Ok, thanks.\n\n" + s.line + "\n",
				"above history": "Ok, thanks.\n\n" + s.line + "\n\nOn 2 Nov 2026, at 10:00, Support <support@desk.example> wrote:\n\n> Dear Anna\n",
				"below history": "Ok, thanks.\n\nOn 2 Nov 2026, at 10:00, Support <support@desk.example> wrote:\n\n> Dear Anna\n\n" + s.line + "\n",
				"delimited":     "Ok, thanks.\n\n-- \n" + s.line + "\n",
			} {
				reply, rest := Cut(text)
				if reply != "Ok, thanks." {
					t.Errorf("%s: %q", what, reply)
				}
				checkLossless(t, text, reply, rest)
			}
			if reply, _ := Cut(s.line); reply != s.line {
				t.Errorf("alone it is the text: %q", reply)
			}
		})
	}
}

// TestCut_keeps: what looks like history or signature and may be somebody's
// words.
func TestCut_keeps(t *testing.T) {
	for name, text := range map[string]string{
		"a sentence with wrote above a quote":       "Please fix what Bob wrote:\n\n> The printer burns.\n\nIt is urgent.",
		"a greeting by name":                        "The printer is broken.\n\nKind regards,\nAnna Smith\nAcme Inc.",
		"a legal disclaimer":                        "The printer is broken.\n\nThis e-mail is confidential and may be privileged. If you are not the intended recipient, delete it.",
		"a disclaimer below history keeps all":      "Yes.\n\nOn 2 Nov 2026, at 10:00, Support <support@desk.example> wrote:\n> Dear Anna\n\nThis e-mail is confidential.",
		"a journey in the shape of fields":          "I travel\n\nFrom: Copenhagen\nTo: Oslo\nDate: 3 May",
		"a form in the shape of fields":             "Name: Anna\nFrom: Acme\nTo: you\nPhone: 123",
		"two fields":                                "Look:\n\nFrom: Bob\nSubject: Printer\n\nDid you get it?",
		"a log with times":                          "The log says\n\n10:00 Support wrote:\nERROR 5\n",
		"what a colleague wrote":                    "My colleague bob@customer.example wrote at 10:00:\n\nThe printer is on fire.",
		"a sentence that ends with a colon":         "On Monday at 10:00 we saw this:\n\nERROR 5",
		"a quote in the middle":                     "The manual says\n\n> press the button\n\nbut there is none.",
		"a quoted command line":                     "Run this:\n> ls -l\nand tell me.",
		"two dashes in a text":                      "one\n--\ntwo\n" + strings.Repeat("more\n", 45) + "end",
		"a line of underscores":                     "Name: ____________\n____________________\nAnna",
		"sent from my office in a longer sentence":  "I sent from my phone a picture. Did you get it?",
		"an indented list of fields without author": "Settings:\nTo: all\nSubject: news\nDate: today",
		"a heading about a forwarded message":       "Forwarded message\n\nis what my boss calls it.",
		"a question about the original message":     "----- Original Message -----\nis what it shows above.",
		"only quotes":                               "> Dear Anna\n> please",
		"the last line opens with on":               "On Nov 2, 2026 at 10:00 we called.",
	} {
		t.Run(name, func(t *testing.T) {
			reply, rest := Cut(text)
			if want := strings.TrimSpace(text); reply != want || rest != "" {
				t.Errorf("reply = %q\nrest = %q", reply, rest)
			}
		})
	}
}
