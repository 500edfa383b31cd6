package quote

import (
	"strings"
	"testing"

	"postern/mailin/fixtures"
)

// A forwarded mail as each program writes it: what stands above its text, and
// how it names author, date and subject.
var forwarded = []struct {
	name, head          string
	from, date, subject string
	announced           bool
}{
	{"Gmail, English", "---------- Forwarded message ---------\nFrom: Bob Jones <bob@customer.example>\nDate: Mon, Nov 2, 2026 at 10:00\u202fAM\nSubject: Printer\nTo: Agent <agent@desk.example>\n\n", "Bob Jones <bob@customer.example>", "Mon, Nov 2, 2026 at 10:00 AM", "Printer", true},
	{"Gmail, Danish", "---------- Forwarded message ---------\nFra: Bob Jones <bob@customer.example>\nDate: man. 2. nov. 2026 kl. 10.00\nSubject: Printer\nTo: Agent <agent@desk.example>\n\n", "Bob Jones <bob@customer.example>", "man. 2. nov. 2026 kl. 10.00", "Printer", true},
	{"Gmail, German", "---------- Forwarded message ---------\nVon: Bob Jones <bob@customer.example>\nDate: Mo., 2. Nov. 2026 um 10:00 Uhr\nSubject: Printer\nTo: Agent <agent@desk.example>\n\n", "Bob Jones <bob@customer.example>", "Mo., 2. Nov. 2026 um 10:00 Uhr", "Printer", true},
	{"Gmail, French", "---------- Forwarded message ---------\nDe : Bob Jones <bob@customer.example>\nDate: lun. 2 nov. 2026 à 10:00\nSubject: Printer\nTo: Agent <agent@desk.example>\n\n", "Bob Jones <bob@customer.example>", "lun. 2 nov. 2026 à 10:00", "Printer", true},
	{"Gmail, Spanish", "---------- Forwarded message ---------\nDe: Bob Jones <bob@customer.example>\nDate: lun, 2 nov 2026 a las 10:00\nSubject: Printer\nTo: Agent <agent@desk.example>\n\n", "Bob Jones <bob@customer.example>", "lun, 2 nov 2026 a las 10:00", "Printer", true},
	{"Gmail, Italian", "---------- Forwarded message ---------\nDa: Bob Jones <bob@customer.example>\nDate: lun 2 nov 2026 alle ore 10:00\nSubject: Printer\nTo: Agent <agent@desk.example>\n\n", "Bob Jones <bob@customer.example>", "lun 2 nov 2026 alle ore 10:00", "Printer", true},
	{"Gmail, Portuguese", "---------- Forwarded message ---------\nDe: Bob Jones <bob@customer.example>\nDate: seg., 2 de nov. de 2026 às 10:00\nSubject: Printer\nTo: Agent <agent@desk.example>\n\n", "Bob Jones <bob@customer.example>", "seg., 2 de nov. de 2026 às 10:00", "Printer", true},
	{"Gmail, Polish", "---------- Forwarded message ---------\nOd: Bob Jones <bob@customer.example>\nDate: pon., 2 lis 2026 o 10:00\nSubject: Printer\nTo: Agent <agent@desk.example>\n\n", "Bob Jones <bob@customer.example>", "pon., 2 lis 2026 o 10:00", "Printer", true},
	{"Gmail, Swedish", "---------- Forwarded message ---------\nFrån: Bob Jones <bob@customer.example>\nDate: mån 2 nov. 2026 kl 10:00\nSubject: Printer\nTo: Agent <agent@desk.example>\n\n", "Bob Jones <bob@customer.example>", "mån 2 nov. 2026 kl 10:00", "Printer", true},
	{"Gmail, Dutch", "---------- Forwarded message ---------\nVan: Bob Jones <bob@customer.example>\nDate: ma 2 nov 2026 om 10:00\nSubject: Printer\nTo: Agent <agent@desk.example>\n\n", "Bob Jones <bob@customer.example>", "ma 2 nov 2026 om 10:00", "Printer", true},
	{"Gmail, Finnish", "---------- Forwarded message ---------\nLähettäjä: Bob Jones <bob@customer.example>\nDate: ma 2. marrask. 2026 klo 10.00\nSubject: Printer\nTo: Agent <agent@desk.example>\n\n", "Bob Jones <bob@customer.example>", "ma 2. marrask. 2026 klo 10.00", "Printer", true},
	{"Gmail, Russian", "---------- Forwarded message ---------\nОт: Bob Jones <bob@customer.example>\nDate: пн, 2 нояб. 2026 г. в 10:00\nSubject: Printer\nTo: Agent <agent@desk.example>\n\n", "Bob Jones <bob@customer.example>", "пн, 2 нояб. 2026 г. в 10:00", "Printer", true},
	{"Gmail, Japanese", "---------- Forwarded message ---------\nFrom: Bob Jones <bob@customer.example>\nDate: 2026年11月2日(月) 10:00\nSubject: プリンター\nTo: Agent <agent@desk.example>\n\n", "Bob Jones <bob@customer.example>", "2026年11月2日(月) 10:00", "プリンター", true},
	{"Gmail, simplified Chinese", "---------- Forwarded message ---------\n发件人： Bob Jones <bob@customer.example>\nDate: 2026年11月2日周一 10:00\nSubject: 打印机\nTo: Agent <agent@desk.example>\n\n", "Bob Jones <bob@customer.example>", "2026年11月2日周一 10:00", "打印机", true},
	{"Gmail, subject over two lines", "---------- Forwarded message ---------\nFrom: Bob Jones <bob@customer.example>\nDate: Mon, Nov 2, 2026\nSubject: The printer on the second floor prints nothing but stripes since\nMonday\nTo: Agent <agent@desk.example>\n\n", "Bob Jones <bob@customer.example>", "Mon, Nov 2, 2026", "The printer on the second floor prints nothing but stripes since Monday", true},
	{"Gmail, author over two lines", "---------- Forwarded message ---------\nFrom: Bob Jones of the Customer Department <\nbob@customer.example>\nDate: Mon, Nov 2, 2026\nSubject: Printer\nTo: Agent <agent@desk.example>\n\n", "Bob Jones of the Customer Department <bob@customer.example>", "Mon, Nov 2, 2026", "Printer", true},
	{"Gmail, receivers over two lines", "---------- Forwarded message ---------\nFrom: Bob Jones <bob@customer.example>\nDate: Mon, Nov 2, 2026\nSubject: Printer\nTo: Agent <agent@desk.example>, Carl <carl@customer.example>,\nDora <dora@customer.example>\nCc: Eve <eve@customer.example>\n\n", "Bob Jones <bob@customer.example>", "Mon, Nov 2, 2026", "Printer", true},

	{"Apple Mail, English", "> Begin forwarded message:\n> \n> From: Bob Jones <bob@customer.example>\n> Subject: Printer\n> Date: 2 November 2026 at 10:00:00 CET\n> To: Agent <agent@desk.example>\n> \n", "Bob Jones <bob@customer.example>", "2 November 2026 at 10:00:00 CET", "Printer", true},
	{"Apple Mail, Danish", "> Start på videresendt besked:\n> \n> Fra: Bob Jones <bob@customer.example>\n> Emne: Printer\n> Dato: 2. november 2026 kl. 10.00.00 CET\n> Til: Agent <agent@desk.example>\n> \n", "Bob Jones <bob@customer.example>", "2. november 2026 kl. 10.00.00 CET", "Printer", true},
	{"Apple Mail, Norwegian", "> Videresendt melding:\n> \n> Fra: Bob Jones <bob@customer.example>\n> Emne: Printer\n> Dato: 2. november 2026 kl. 10:00:00 CET\n> Til: Agent <agent@desk.example>\n> \n", "Bob Jones <bob@customer.example>", "2. november 2026 kl. 10:00:00 CET", "Printer", true},
	{"Apple Mail, Swedish", "> Vidarebefordrat brev:\n> \n> Från: Bob Jones <bob@customer.example>\n> Ämne: Printer\n> Datum: 2 november 2026 10:00:00 CET\n> Till: Agent <agent@desk.example>\n> \n", "Bob Jones <bob@customer.example>", "2 november 2026 10:00:00 CET", "Printer", true},
	{"Apple Mail, Dutch", "> Begin doorgestuurd bericht:\n> \n> Van: Bob Jones <bob@customer.example>\n> Onderwerp: Printer\n> Datum: 2 november 2026 om 10:00:00 CET\n> Aan: Agent <agent@desk.example>\n> \n", "Bob Jones <bob@customer.example>", "2 november 2026 om 10:00:00 CET", "Printer", true},
	{"Apple Mail, German", "> Anfang der weitergeleiteten Nachricht:\n> \n> Von: Bob Jones <bob@customer.example>\n> Betreff: Printer\n> Datum: 2. November 2026 um 10:00:00 MEZ\n> An: Agent <agent@desk.example>\n> \n", "Bob Jones <bob@customer.example>", "2. November 2026 um 10:00:00 MEZ", "Printer", true},
	{"Apple Mail, French", "> Début du message transféré :\n> \n> De: Bob Jones <bob@customer.example>\n> Objet: Printer\n> Date: 2 novembre 2026 à 10:00:00 UTC+1\n> À: Agent <agent@desk.example>\n> \n", "Bob Jones <bob@customer.example>", "2 novembre 2026 à 10:00:00 UTC+1", "Printer", true},
	{"Apple Mail, Spanish", "> Inicio del mensaje reenviado:\n> \n> De: Bob Jones <bob@customer.example>\n> Asunto: Printer\n> Fecha: 2 de noviembre de 2026, 10:00:00 CET\n> Para: Agent <agent@desk.example>\n> \n", "Bob Jones <bob@customer.example>", "2 de noviembre de 2026, 10:00:00 CET", "Printer", true},
	{"Apple Mail, Italian", "> Inizio messaggio inoltrato:\n> \n> Da: Bob Jones <bob@customer.example>\n> Oggetto: Printer\n> Data: 2 novembre 2026 alle ore 10:00:00 CET\n> A: Agent <agent@desk.example>\n> \n", "Bob Jones <bob@customer.example>", "2 novembre 2026 alle ore 10:00:00 CET", "Printer", true},
	{"Apple Mail, Portuguese", "> Início da mensagem reencaminhada:\n> \n> De: Bob Jones <bob@customer.example>\n> Assunto: Printer\n> Data: 2 de novembro de 2026 às 10:00:00 WET\n> Para: Agent <agent@desk.example>\n> \n", "Bob Jones <bob@customer.example>", "2 de novembro de 2026 às 10:00:00 WET", "Printer", true},
	{"Apple Mail, Brazilian Portuguese", "> Início da mensagem encaminhada:\n> \n> De: Bob Jones <bob@customer.example>\n> Assunto: Printer\n> Data: 2 de novembro de 2026 10:00:00 BRT\n> Para: Agent <agent@desk.example>\n> \n", "Bob Jones <bob@customer.example>", "2 de novembro de 2026 10:00:00 BRT", "Printer", true},
	{"Apple Mail, Polish", "> Początek przekazywanej wiadomości:\n> \n> Od: Bob Jones <bob@customer.example>\n> Temat: Printer\n> Data: 2 listopada 2026 10:00:00 CET\n> Do: Agent <agent@desk.example>\n> \n", "Bob Jones <bob@customer.example>", "2 listopada 2026 10:00:00 CET", "Printer", true},
	{"Apple Mail, Finnish", "> Välitetty viesti alkaa:\n> \n> Lähettäjä: Bob Jones <bob@customer.example>\n> Aihe: Printer\n> Päivämäärä: 2. marraskuuta 2026 klo 10.00.00 UTC+2\n> Vastaanottaja: Agent <agent@desk.example>\n> \n", "Bob Jones <bob@customer.example>", "2. marraskuuta 2026 klo 10.00.00 UTC+2", "Printer", true},
	{"Apple Mail, Russian", "> Начало переадресованного сообщения:\n> \n> От: Bob Jones <bob@customer.example>\n> Тема: Printer\n> Дата: 2 ноября 2026 г. в 10:00:00 GMT+3\n> Кому: Agent <agent@desk.example>\n> \n", "Bob Jones <bob@customer.example>", "2 ноября 2026 г. в 10:00:00 GMT+3", "Printer", true},
	{"Apple Mail, simplified Chinese", "> 下面是被转发的邮件：\n> \n> 发件人: Bob Jones <bob@customer.example>\n> 主题: 打印机\n> 日期: 2026年11月2日 GMT+8 10:00:00\n> 收件人: Agent <agent@desk.example>\n> \n", "Bob Jones <bob@customer.example>", "2026年11月2日 GMT+8 10:00:00", "打印机", true},
	{"Apple Mail, traditional Chinese", "> 以下是轉寄的郵件：\n> \n> 寄件人: Bob Jones <bob@customer.example>\n> 主旨: 印表機\n> 日期: 2026年11月2日 上午10:00:00\n> 收件人: Agent <agent@desk.example>\n> \n", "Bob Jones <bob@customer.example>", "2026年11月2日 上午10:00:00", "印表機", true},
	{"Apple Mail, Japanese", "> 転送されたメッセージ:\n> \n> 差出人: Bob Jones <bob@customer.example>\n> 件名: プリンター\n> 日付: 2026年11月2日 10:00:00 JST\n> 宛先: Agent <agent@desk.example>\n> \n", "Bob Jones <bob@customer.example>", "2026年11月2日 10:00:00 JST", "プリンター", true},
	{"iPhone, English, not quoted", "Begin forwarded message:\n\nFrom: Bob Jones <bob@customer.example>\nDate: 2 November 2026 at 10:00:00 CET\nTo: agent@desk.example\nSubject: Printer\n\n", "Bob Jones <bob@customer.example>", "2 November 2026 at 10:00:00 CET", "Printer", true},
	{"iPhone, French, not quoted", "Début du message réexpédié :\n\nDe: Bob Jones <bob@customer.example>\nDate: 2 novembre 2026 à 10:00:00 UTC+1\nÀ: agent@desk.example\nObjet: Printer\n\n", "Bob Jones <bob@customer.example>", "2 novembre 2026 à 10:00:00 UTC+1", "Printer", true},
	{"iPhone, reply address", "Begin forwarded message:\n\nFrom: Bob Jones <bob@customer.example>\nSubject: Printer\nDate: 2 November 2026\nTo: agent@desk.example\nReply-To: other@customer.example\n\n", "Bob Jones <bob@customer.example>", "2 November 2026", "Printer", true},

	{"Thunderbird, English", "-------- Forwarded Message --------\nSubject: \tPrinter\nDate: \tMon, 2 Nov 2026 10:00:00 +0100\nFrom: \tBob Jones <bob@customer.example>\nTo: \tAgent <agent@desk.example>\n\n\n\n", "Bob Jones <bob@customer.example>", "Mon, 2 Nov 2026 10:00:00 +0100", "Printer", true},
	{"Thunderbird, English, subject folded", "-------- Forwarded Message --------\nSubject: \tThe printer on the second floor prints nothing\n but stripes\nDate: \tMon, 2 Nov 2026 10:00:00 +0100\nFrom: \tBob Jones <bob@customer.example>\nTo: \tAgent <agent@desk.example>\n\n\n", "Bob Jones <bob@customer.example>", "Mon, 2 Nov 2026 10:00:00 +0100", "The printer on the second floor prints nothing but stripes", true},
	{"Thunderbird, Danish", "-------- Videresendt besked --------\nEmne: \tPrinter\nDato: \tMon, 2 Nov 2026 10:00:00 +0100\nFra: \tBob Jones <bob@customer.example>\nTil: \tAgent <agent@desk.example>\n\n\n", "Bob Jones <bob@customer.example>", "Mon, 2 Nov 2026 10:00:00 +0100", "Printer", true},
	{"Thunderbird, Norwegian", "-------- Videresendt melding --------\nEmne: \tPrinter\nDato: \tMon, 2 Nov 2026 10:00:00 +0100\nFra: \tBob Jones <bob@customer.example>\nTil: \tAgent <agent@desk.example>\n\n\n", "Bob Jones <bob@customer.example>", "Mon, 2 Nov 2026 10:00:00 +0100", "Printer", true},
	{"Thunderbird, Swedish", "-------- Vidarebefordrat meddelande --------\nÄmne: \tPrinter\nDatum: \tMon, 2 Nov 2026 10:00:00 +0100\nFrån: \tBob Jones <bob@customer.example>\nTill: \tAgent <agent@desk.example>\n\n\n", "Bob Jones <bob@customer.example>", "Mon, 2 Nov 2026 10:00:00 +0100", "Printer", true},
	{"Thunderbird, Dutch", "-------- Doorgestuurd bericht --------\nOnderwerp: \tPrinter\nDatum: \tMon, 2 Nov 2026 10:00:00 +0100\nVan: \tBob Jones <bob@customer.example>\nAan: \tAgent <agent@desk.example>\n\n\n", "Bob Jones <bob@customer.example>", "Mon, 2 Nov 2026 10:00:00 +0100", "Printer", true},
	{"Thunderbird, German", "-------- Weitergeleitete Nachricht --------\nBetreff: \tPrinter\nDatum: \tMon, 2 Nov 2026 10:00:00 +0100\nVon: \tBob Jones <bob@customer.example>\nAn: \tAgent <agent@desk.example>\n\n\n", "Bob Jones <bob@customer.example>", "Mon, 2 Nov 2026 10:00:00 +0100", "Printer", true},
	{"Thunderbird, French", "-------- Message transféré --------\nSujet : \tPrinter\nDate : \tMon, 2 Nov 2026 10:00:00 +0100\nDe : \tBob Jones <bob@customer.example>\nPour : \tAgent <agent@desk.example>\n\n\n", "Bob Jones <bob@customer.example>", "Mon, 2 Nov 2026 10:00:00 +0100", "Printer", true},
	{"Thunderbird, Spanish", "-------- Mensaje reenviado --------\nAsunto: \tPrinter\nFecha: \tMon, 2 Nov 2026 10:00:00 +0100\nDe: \tBob Jones <bob@customer.example>\nPara: \tAgent <agent@desk.example>\n\n\n", "Bob Jones <bob@customer.example>", "Mon, 2 Nov 2026 10:00:00 +0100", "Printer", true},
	{"Thunderbird, Italian", "-------- Messaggio inoltrato --------\nOggetto: \tPrinter\nData: \tMon, 2 Nov 2026 10:00:00 +0100\nMittente: \tBob Jones <bob@customer.example>\nA: \tAgent <agent@desk.example>\n\n\n", "Bob Jones <bob@customer.example>", "Mon, 2 Nov 2026 10:00:00 +0100", "Printer", true},
	{"Thunderbird, Portuguese", "-------- Mensagem reencaminhada --------\nAssunto: \tPrinter\nData: \tMon, 2 Nov 2026 10:00:00 +0100\nDe: \tBob Jones <bob@customer.example>\nPara: \tAgent <agent@desk.example>\n\n\n", "Bob Jones <bob@customer.example>", "Mon, 2 Nov 2026 10:00:00 +0100", "Printer", true},
	{"Thunderbird, Brazilian Portuguese", "-------- Mensagem encaminhada --------\nAssunto: \tPrinter\nData: \tMon, 2 Nov 2026 10:00:00 +0100\nDe: \tBob Jones <bob@customer.example>\nPara: \tAgent <agent@desk.example>\n\n\n", "Bob Jones <bob@customer.example>", "Mon, 2 Nov 2026 10:00:00 +0100", "Printer", true},
	{"Thunderbird, Polish", "-------- Przekazana wiadomość --------\nTemat: \tPrinter\nData: \tMon, 2 Nov 2026 10:00:00 +0100\nNadawca: \tBob Jones <bob@customer.example>\nAdresat: \tAgent <agent@desk.example>\n\n\n", "Bob Jones <bob@customer.example>", "Mon, 2 Nov 2026 10:00:00 +0100", "Printer", true},
	{"Thunderbird, Finnish", "-------- Välitetty viesti --------\nAihe: \tPrinter\nPäiväys: \tMon, 2 Nov 2026 10:00:00 +0100\nLähettäjä: \tBob Jones <bob@customer.example>\nVastaanottaja: \tAgent <agent@desk.example>\n\n\n", "Bob Jones <bob@customer.example>", "Mon, 2 Nov 2026 10:00:00 +0100", "Printer", true},
	{"Thunderbird, Russian", "-------- Перенаправленное сообщение --------\nТема: \tPrinter\nДата: \tMon, 2 Nov 2026 10:00:00 +0100\nОт: \tBob Jones <bob@customer.example>\nКому: \tAgent <agent@desk.example>\n\n\n", "Bob Jones <bob@customer.example>", "Mon, 2 Nov 2026 10:00:00 +0100", "Printer", true},
	{"Thunderbird, simplified Chinese", "-------- 转发的消息 --------\n主题: \t打印机\n日期: \tMon, 2 Nov 2026 10:00:00 +0100\n发件人: \tBob Jones <bob@customer.example>\n收件人: \tAgent <agent@desk.example>\n\n\n", "Bob Jones <bob@customer.example>", "Mon, 2 Nov 2026 10:00:00 +0100", "打印机", true},
	{"Thunderbird, Japanese", "-------- Forwarded Message --------\n件名: \tプリンター\n日付: \tMon, 2 Nov 2026 10:00:00 +0100\n差出人: \tBob Jones <bob@customer.example>\n宛先: \tAgent <agent@desk.example>\n\n\n", "Bob Jones <bob@customer.example>", "Mon, 2 Nov 2026 10:00:00 +0100", "プリンター", true},

	{"Outlook, English", "From: Bob Jones <bob@customer.example>\nSent: Monday, November 2, 2026 10:00 AM\nTo: Agent <agent@desk.example>\nSubject: Printer\n\n", "Bob Jones <bob@customer.example>", "Monday, November 2, 2026 10:00 AM", "Printer", false},
	{"Outlook, English, attachments named", "From: Bob Jones <bob@customer.example>\nSent: Monday, November 2, 2026 10:00 AM\nTo: Agent <agent@desk.example>\nCc: Carl <carl@customer.example>\nSubject: Printer\nImportance: High\n\n", "Bob Jones <bob@customer.example>", "Monday, November 2, 2026 10:00 AM", "Printer", false},
	{"Outlook, English, address linked", "From: Bob Jones <bob@customer.example<mailto:bob@customer.example>>\nSent: Monday, November 2, 2026 10:00 AM\nTo: Agent <agent@desk.example<mailto:agent@desk.example>>\nSubject: Printer\n\n", "Bob Jones <bob@customer.example>", "Monday, November 2, 2026 10:00 AM", "Printer", false},
	{"Outlook on the web, English", "________________________________\nFrom: Bob Jones <bob@customer.example>\nSent: Monday, November 2, 2026 10:00 AM\nTo: Agent <agent@desk.example>\nSubject: Printer\n\n", "Bob Jones <bob@customer.example>", "Monday, November 2, 2026 10:00 AM", "Printer", false},
	{"Outlook, Danish", "Fra: Bob Jones <bob@customer.example>\nSendt: 2. november 2026 10:00\nTil: Agent <agent@desk.example>\nEmne: Printer\n\n", "Bob Jones <bob@customer.example>", "2. november 2026 10:00", "Printer", false},
	{"Outlook, Swedish", "Från: Bob Jones <bob@customer.example>\nSkickat: den 2 november 2026 10:00\nTill: Agent <agent@desk.example>\nÄmne: Printer\n\n", "Bob Jones <bob@customer.example>", "den 2 november 2026 10:00", "Printer", false},
	{"Outlook, Dutch", "Van: Bob Jones <bob@customer.example>\nVerzonden: maandag 2 november 2026 10:00\nAan: Agent <agent@desk.example>\nOnderwerp: Printer\n\n", "Bob Jones <bob@customer.example>", "maandag 2 november 2026 10:00", "Printer", false},
	{"Outlook, German", "Von: Bob Jones <bob@customer.example>\nGesendet: Montag, 2. November 2026 10:00\nAn: Agent <agent@desk.example>\nBetreff: Printer\n\n", "Bob Jones <bob@customer.example>", "Montag, 2. November 2026 10:00", "Printer", false},
	{"Outlook, French", "De : Bob Jones <bob@customer.example>\nEnvoyé : lundi 2 novembre 2026 10:00\nÀ : Agent <agent@desk.example>\nObjet : Printer\n\n", "Bob Jones <bob@customer.example>", "lundi 2 novembre 2026 10:00", "Printer", false},
	{"Outlook, Finnish", "Lähettäjä: Bob Jones <bob@customer.example>\nLähetetty: maanantai 2. marraskuuta 2026 10.00\nVastaanottaja: Agent <agent@desk.example>\nAihe: Printer\n\n", "Bob Jones <bob@customer.example>", "maanantai 2. marraskuuta 2026 10.00", "Printer", false},
	{"Outlook, Japanese", "差出人: Bob Jones <bob@customer.example>\n送信日時: 2026年11月2日 10:00\n宛先: Agent <agent@desk.example>\n件名: プリンター\n\n", "Bob Jones <bob@customer.example>", "2026年11月2日 10:00", "プリンター", false},
	{"Outlook of the year 2010, English", "-----Original Message-----\nFrom: Bob Jones [mailto:bob@customer.example]\nSent: Monday, November 2, 2026 10:00 AM\nTo: Agent\nSubject: Printer\n\n", "Bob Jones <bob@customer.example>", "Monday, November 2, 2026 10:00 AM", "Printer", false},
	{"Samsung, English", "-------- Original message --------\nFrom: Bob Jones <bob@customer.example> \nDate: 02/11/2026  10:00  (GMT+01:00) \nTo: agent@desk.example \nSubject: Printer \n\n", "Bob Jones <bob@customer.example>", "02/11/2026  10:00  (GMT+01:00)", "Printer", false},
	{"GMX, German", "Gesendet: Montag, 2. November 2026 um 10:00\nVon: \"Bob Jones\" <bob@customer.example>\nAn: agent@desk.example\nBetreff: Printer\n\n", "\"Bob Jones\" <bob@customer.example>", "Montag, 2. November 2026 um 10:00", "Printer", false},

	{"Yahoo, English", "   ----- Forwarded Message -----\nFrom: Bob Jones <bob@customer.example>\nTo: Agent <agent@desk.example>\nSent: Monday, November 2, 2026 at 10:00:00 AM GMT+1\nSubject: Printer\n\n", "Bob Jones <bob@customer.example>", "Monday, November 2, 2026 at 10:00:00 AM GMT+1", "Printer", true},
	{"Yahoo, English, in one line", "   ----- Forwarded Message ----- From: Bob Jones <bob@customer.example>To: Agent <agent@desk.example>Sent: Monday, November 2, 2026 at 10:00:00 AM GMT+1Subject: Printer\n\n", "Bob Jones <bob@customer.example>", "Monday, November 2, 2026 at 10:00:00 AM GMT+1", "Printer", true},
	{"Yahoo, German, in one line", "   ----- Weitergeleitete Nachricht ----- Von: Bob Jones <bob@customer.example>An: Agent <agent@desk.example>Gesendet: Montag, 2. November 2026 um 10:00:00 MEZBetreff: Printer\n\n", "Bob Jones <bob@customer.example>", "Montag, 2. November 2026 um 10:00:00 MEZ", "Printer", true},
	{"mutt, English", "----- Forwarded message from Bob Jones <bob@customer.example> -----\n\nDate: Mon, 2 Nov 2026 10:00:00 +0100\nFrom: Bob Jones <bob@customer.example>\nTo: Agent <agent@desk.example>\nSubject: Printer\n\n", "Bob Jones <bob@customer.example>", "Mon, 2 Nov 2026 10:00:00 +0100", "Printer", true},
	{"Yahoo, German", "   ----- Weitergeleitete Nachricht -----\nVon: Bob Jones <bob@customer.example>\nAn: Agent <agent@desk.example>\nGesendet: Montag, 2. November 2026 um 10:00:00 MEZ\nBetreff: Printer\n\n", "Bob Jones <bob@customer.example>", "Montag, 2. November 2026 um 10:00:00 MEZ", "Printer", true},
	{"Notes, English", "----- Forwarded by Agent/Desk on 02-11-2026 11:00 -----\n\nFrom:        Bob Jones <bob@customer.example>\nTo:        Agent <agent@desk.example>\nDate:        02-11-2026 10:00\nSubject:        Printer\n\n", "Bob Jones <bob@customer.example>", "02-11-2026 10:00", "Printer", true},
	{"Zimbra, English", "----- Forwarded Message -----\nFrom: \"Bob Jones\" <bob@customer.example>\nTo: \"Agent\" <agent@desk.example>\nSent: Monday, November 2, 2026 10:00:00 AM\nSubject: Printer\n\n", "\"Bob Jones\" <bob@customer.example>", "Monday, November 2, 2026 10:00:00 AM", "Printer", true},
	{"Zoho, English", "============ Forwarded message ============\nFrom: Bob Jones <bob@customer.example>\nTo: <agent@desk.example>\nDate: Mon, 02 Nov 2026 10:00:00 +0100\nSubject: Printer\n============ Forwarded message ============\n\n", "Bob Jones <bob@customer.example>", "Mon, 02 Nov 2026 10:00:00 +0100", "Printer", true},
	{"Yandex, Russian", "-------- Пересылаемое сообщение --------\n02.11.2026, 10:00, \"Bob Jones\" <bob@customer.example>:\n\n", "\"Bob Jones\" <bob@customer.example>", "02.11.2026, 10:00", "", true},
	{"Roundcube, English", "-------- Original Message --------\nSubject: Printer\nDate: 2026-11-02 10:00\nFrom: Bob Jones <bob@customer.example>\nTo: agent@desk.example\n\n", "Bob Jones <bob@customer.example>", "2026-11-02 10:00", "Printer", false},
	{"163, simplified Chinese", "---- 转发的原邮件 ----\n发件人: Bob Jones<bob@customer.example>\n日期: 2026年11月02日 10:00\n收件人: agent<agent@desk.example>\n主题: 打印机\n\n", "Bob Jones<bob@customer.example>", "2026年11月02日 10:00", "打印机", true},
}

func TestForwarded_byProgram(t *testing.T) {
	const body = "The printer burns.\n\nHelp!\n\n-- \nBob\nSent from my iPhone"
	for _, f := range forwarded {
		quotedBody := body
		if strings.HasPrefix(f.head, ">") {
			quotedBody = strings.TrimSpace("> " + strings.ReplaceAll(body, "\n", "\n> "))
		}
		want := Quote{f.from, f.date, f.subject, body, f.announced, ""}
		for _, above := range []string{"", "Please take this.\n\nKind regards\nAgent"} {
			name := "R64/" + f.name
			if above != "" {
				name += ", with words above"
			}
			text := strings.TrimLeft(above+"\n\n"+f.head+quotedBody+"\n", "\n")
			t.Run(name, func(t *testing.T) {
				before, q, ok := Forwarded(text)
				q.fromField = "" // TestIsForward has it
				if !ok || before != above || q != want {
					t.Errorf("got  %q %+v %v\nwant %q %+v", before, q, ok, above, want)
				}
				reply, rest := Cut(text)
				checkLossless(t, text, reply, rest)
				if above == "" {
					if want := strings.TrimSpace(text); reply != want {
						t.Errorf("all of a forwarded mail is kept, not %q", reply)
					}
				} else if reply != above {
					t.Errorf("the reply is what stands above: reply = %q", reply)
				}
			})
		}
	}
}

func TestForwarded_endsAtMuttsLine(t *testing.T) {
	t.Run("R64/what stands below the end is not forwarded", func(t *testing.T) {
		_, q, ok := Forwarded("----- Forwarded message from Bob <bob@customer.example> -----\n\nFrom: Bob <bob@customer.example>\nSubject: Printer\n\nIt burns.\n\n----- End forwarded message -----\n\n-- \nAgent")
		if !ok || q.Text != "It burns." {
			t.Errorf("%+v %v", q, ok)
		}
	})
}

func TestForwarded_levels(t *testing.T) {
	inner := "-------- Forwarded Message --------\nSubject: \tFwd: Stripes\nDate: \tMon\nFrom: \tCarl <carl@customer.example>\nTo: \tBob\n\n" +
		"From: Dora <dora@customer.example>\nSent: Sunday\nTo: Carl\nSubject: Stripes\n\nIt prints stripes."
	text := "Please take this.\n\n---------- Forwarded message ---------\nFrom: Bob <bob@customer.example>\nDate: Tue\nSubject: Fwd: Fwd: Stripes\nTo: Agent\n\nDo you know?\n\n" + inner
	t.Run("R64/the outermost comes first, and each holds the next", func(t *testing.T) {
		var authors []string
		for range 5 {
			_, q, ok := Forwarded(text)
			if !ok {
				break
			}
			authors = append(authors, q.From)
			text = q.Text
		}
		if got := strings.Join(authors, "; "); got != "Bob <bob@customer.example>; Carl <carl@customer.example>; Dora <dora@customer.example>" {
			t.Errorf("%s", got)
		}
		if text != "It prints stripes." {
			t.Errorf("%q", text)
		}
	})
}

func TestForwarded_notInHistory(t *testing.T) {
	const forward = "---------- Forwarded message ---------\nFrom: Bob <bob@customer.example>\nDate: Mon\nSubject: Printer\nTo: x\n\nIt burns."
	quoted := "> " + strings.ReplaceAll(forward, "\n", "\n> ")
	for name, text := range map[string]string{
		"a reply to a forwarded mail is none":             "Yes.\n\nOn Mon, Nov 2, 2026 at 10:00 AM Support <support@desk.example> wrote:\n\n" + quoted,
		"nor below our line":                              "Yes.\n\n-- >8 --\n\n" + forward,
		"nor below quotes without sentence":               "Yes.\n\n> Dear Anna\n>\n" + quoted,
		"nor in unmarked history":                         "Yes.\n\nOn Monday, November 2, 2026 at 10:00:00 AM GMT+1, Support <support@desk.example> wrote:\n\n" + forward,
		"a phrase alone is none":                          "---------- Forwarded message ---------\n\nsays the program.",
		"a heading without strokes is none":               "Forwarded message\nFrom: Bob\nSubject: x\n",
		"fields without an author are none":               "---------- Forwarded message ---------\nTo: Bob\nSubject: x\n\ntext",
		"an author alone is none":                         "---------- Forwarded message ---------\nFrom: Bob\n\ntext",
		"a quote that begins otherwise announces nothing": "See:\n\n> some words\n> Begin forwarded message:\n>\n> From: Bob\n> Subject: x\n\nmore",
	} {
		t.Run("R64/"+name, func(t *testing.T) {
			if _, q, ok := Forwarded(text); ok {
				t.Errorf("%+v", q)
			}
		})
	}
	t.Run("R64/what an Outlook reply quotes is not announced, whatever it holds", func(t *testing.T) {
		_, q, ok := Forwarded("Yes.\n\nFrom: Support <support@desk.example>\nSent: Monday\nTo: Anna\nSubject: RE: Printer\n\nDear Anna\n\n" + forward)
		if !ok || q.Announced || q.From != "Support <support@desk.example>" {
			t.Errorf("%+v %v", q, ok)
		}
	})
}

func TestCut_forwarded(t *testing.T) {
	const forward = "---------- Forwarded message ---------\nFrom: Bob <bob@customer.example>\nDate: Mon\nSubject: Printer\nTo: x\n\nIt burns."
	const mutts = "----- Forwarded message from Bob <bob@customer.example> -----\n\nDate: Mon\nFrom: Bob <bob@customer.example>\nSubject: Printer\n\nIt burns.\n\n----- End forwarded message -----"
	const history = "On Mon, Nov 2, 2026 at 10:00 AM Support <support@desk.example> wrote:\n\n> "
	for _, c := range []struct{ name, text, reply string }{
		{"what stands above it is the reply", "Please look.\n\n" + forward, "Please look."},
		{"its signature is not", "Please look.\n\n-- \nAnna\n\n" + forward, "Please look."},
		{"with nothing above it, it is all there is", forward, forward},
		{"a signature above it is nothing", "-- \nAnna\n\n" + forward, "-- \nAnna\n\n" + forward},
		{"what a phone adds is nothing", "Sent from my iPhone\n\n" + forward, "Sent from my iPhone\n\n" + forward},
		{"one without an author is in doubt, and stays", "See:\n\n---------- Forwarded message ---------\nTo: Bob\nSubject: x\n\ntext", "See:\n\n---------- Forwarded message ---------\nTo: Bob\nSubject: x\n\ntext"},
		{"mutt's has an end", "Please look.\n\n" + mutts + "\n\n-- \nAnna", "Please look."},
		{"what is written below the end is not lost", "Please look.\n\n" + mutts + "\n\nWhat do you think?", "Please look.\n\n" + mutts + "\n\nWhat do you think?"},
		{"in quoted history it changes nothing", "Yes.\n\n" + history + strings.ReplaceAll(forward, "\n", "\n> "), "Yes."},
		{"below answers between quotes neither", "On Mon, Support wrote:\n> Which?\n\nThis one.\n\n> " + strings.ReplaceAll(forward, "\n", "\n> ") + "\n\nBye.", "On Mon, Support wrote:\n> Which?\n\nThis one.\n\n> " + strings.ReplaceAll(forward, "\n", "\n> ") + "\n\nBye."},
		{"a server's copy and the line above it are no reply", "I wasn't able to deliver your message.\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <a@desk.example>\nReceived: from x\n  by y\nFrom: a@desk.example\n\nDear Anna", "I wasn't able to deliver your message."},
	} {
		t.Run("R64/"+c.name, func(t *testing.T) {
			reply, rest := Cut(c.text)
			if reply != c.reply {
				t.Errorf("reply = %q\nwant    %q", reply, c.reply)
			}
			checkLossless(t, c.text, reply, rest)
		})
	}
}

func TestIsForward(t *testing.T) {
	block := func(from, sent, to, subject string) string {
		return "Hi.\n\n" + from + ": Bob <bob@customer.example>\n" + sent + ": 2026\n" + to + ": Agent <agent@desk.example>\n" + subject + ": x\n\nIt burns."
	}
	english, danish, finnish := block("From", "Sent", "To", "Subject"), block("Fra", "Sendt", "Til", "Emne"), block("Lähettäjä", "Lähetetty", "Vastaanottaja", "Aihe")
	for _, c := range []struct {
		name, subject, text string
		want                bool
	}{
		{"FW in English", "FW: x", english, true},
		{"Fwd in Danish", "Fwd: x", danish, true},
		{"VS in Danish", "VS: x", danish, true},
		{"VS in Finnish is an answer", "VS: x", finnish, false},
		{"VS in English may be one", "VS: x", english, false},
		{"VL in Finnish", "VL: x", finnish, true},
		{"a forward that was answered", "SV: VS: x", danish, false},
		{"I in English is a word", "I: x", english, false},
		{"I in Italian", "I: x", block("Da", "Inviato", "A", "Oggetto"), true},
		{"WG in German", "WG: x", block("Von", "Gesendet", "An", "Betreff"), true},
		{"TR in French", "TR : x", block("De ", "Envoyé ", "À ", "Objet "), true},
		{"RV in Spanish", "RV: x", block("De", "Enviado", "Para", "Asunto"), true},
		{"ENC in Portuguese", "ENC: x", block("De", "Enviado", "Para", "Assunto"), true},
		{"VB in Swedish", "VB: x", block("Från", "Skickat", "Till", "Ämne"), true},
		{"PD in Polish", "PD: x", block("Od", "Wysłane", "Do", "Temat"), true},
		{"Chinese, with its own colon", "转发：x", block("发件人", "发送时间", "收件人", "主题"), true},
		{"Taiwanese", "轉寄: x", block("寄件者", "寄件日期", "收件者", "主旨"), true},
		{"Japanese", "転送: x", block("差出人", "送信日時", "宛先", "件名"), true},
		{"no prefix", "x", english, false},
		{"no subject", "", english, false},
		{"announced, whatever the subject", "VS: x", "---- Välitetty viesti ----\n" + finnish[5:], true},
	} {
		t.Run("R64/"+c.name, func(t *testing.T) {
			_, q, ok := Forwarded(c.text)
			if !ok || q.IsForward(c.subject) != c.want {
				t.Errorf("%v %v of %+v", ok, q.IsForward(c.subject), q)
			}
		})
	}
}

func FuzzForwarded(f *testing.F) {
	for _, c := range forwarded {
		f.Add("Please take this.\n\n" + c.head + "It burns.")
	}
	for _, raw := range seventh() {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, text string) {
		before, q, ok := Forwarded(text)
		if !ok && (before != text || q != Quote{}) {
			t.Errorf("nothing is forwarded, but %q, %+v", before, q)
		}
		if len(before) > len(text) || len(q.Text) > len(text)+len(q.Text)/2 {
			t.Errorf("%d and %d octets of %d", len(before), len(q.Text), len(text))
		}
		if reply, rest := Cut(text); ok && q.Announced && rest != "" && !strings.HasPrefix(reply, strings.TrimSpace(before)) && !strings.HasPrefix(before, reply) {
			t.Errorf("before %q, the reply %q", before, reply)
		}
	})
}

// seventh is every seventh mail of the conformance table, as it stands.
func seventh() (raws []string) {
	for i, raw := range fixtures.Raws() {
		if i%7 == 0 {
			raws = append(raws, strings.ReplaceAll(string(raw), "\r\n", "\n"))
		}
	}
	return raws
}
