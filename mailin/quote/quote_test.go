package quote

import (
	"strings"
	"testing"
)

// Samples have the shape that the programs really send; addresses are
// example domains.
var samples = []struct{ name, text, reply string }{
	{"Gmail, English", "Thanks, that did it.\n\nOn Mon, Nov 2, 2026 at 10:00 AM Support <support@desk.example> wrote:\n\n> Dear Anna,\n>\n> please try again.\n", "Thanks, that did it."},
	{"Gmail, attribution wrapped", "Works now.\n\nOn Mon, Nov 2, 2026 at 10:00 AM Acme Support Department <\nsupport@desk.example> wrote:\n\n> Dear Anna\n", "Works now."},
	{"Gmail, Danish", "Tak, det virker.\n\nDen man. 2. nov. 2026 kl. 10.00 skrev Support <support@desk.example>:\n\n> Kære Anna\n", "Tak, det virker."},
	{"Gmail, Norwegian", "Takk!\n\nman. 2. nov. 2026 kl. 10:00 skrev Support <support@desk.example>:\n\n> Hei Anna\n> prøv igjen\n", "Takk!"},
	{"Gmail, Dutch", "Dank u, het werkt.\n\nOp ma 2 nov 2026 om 10:00 schreef Support <support@desk.example>:\n\n> Beste Anna\n", "Dank u, het werkt."},
	{"Gmail, German", "Danke, geht.\n\nAm Mo., 2. Nov. 2026 um 10:00 Uhr schrieb Support <\nsupport@desk.example>:\n\n> Hallo Anna\n", "Danke, geht."},
	{"Gmail, French", "Merci !\n\nLe lun. 2 nov. 2026 à 10:00, Support <support@desk.example> a écrit :\n\n> Bonjour\n", "Merci !"},
	{"Gmail, Spanish", "Gracias.\n\nEl lun, 2 nov 2026 a las 10:00, Support (<support@desk.example>) escribió:\n\n> Hola\n", "Gracias."},
	{"Gmail, Italian", "Grazie.\n\nIl giorno lun 2 nov 2026 alle ore 10:00 Support <support@desk.example> ha scritto:\n\n> Ciao\n", "Grazie."},
	{"Gmail, Portuguese", "Obrigado.\n\nEm seg., 2 de nov. de 2026 às 10:00, Support <support@desk.example> escreveu:\n\n> Olá\n", "Obrigado."},
	{"Gmail, Polish", "Dziękuję.\n\npon., 2 lis 2026 o 10:00 Support <support@desk.example> napisał(a):\n\n> Cześć\n", "Dziękuję."},
	{"Gmail, Swedish", "Tack.\n\nDen mån 2 nov. 2026 kl 10:00 skrev Support <support@desk.example>:\n\n> Hej\n", "Tack."},
	{"Gmail, HTML made text", "Thanks.\n\nOn Mon, Nov 2, 2026 at 10:00 AM Support <[support@desk.example](mailto:support@desk.example)> wrote:\n\n> Dear Anna,\n> \n> please try again.", "Thanks."},
	{"Apple Mail, English", "Yes please.\n\n> On 2 Nov 2026, at 10:00, Support <support@desk.example> wrote:\n> \n> Shall we close it?\n", "Yes please."},
	{"Apple Mail, Danish", "Ja tak\n\nVenlig hilsen\nAnna\n\n> Den 2. nov. 2026 kl. 10.00 skrev Support <support@desk.example>:\n> \n> Skal vi lukke?\n", "Ja tak\n\nVenlig hilsen\nAnna"},
	{"Apple Mail, Dutch", "Graag.\n\n> Op 2 nov 2026 om 10:00 heeft Support <support@desk.example> het volgende geschreven:\n> \n> Sluiten?\n", "Graag."},
	{"Apple Mail, German, unquoted sentence", "Ja bitte\n\nAm 02.11.2026 um 10:00 schrieb Support <support@desk.example>:\n\n> Schließen?\n\n", "Ja bitte"},
	{"iPhone, footer", "ok\n\nSent from my iPhone\n\n> On 2 Nov 2026, at 10:00, Support <support@desk.example> wrote:\n> \n> Shall we?\n", "ok"},
	{"iPhone, Danish footer", "ok\n\nSendt fra min iPhone\n\n> Den 2. nov. 2026 kl. 10.00 skrev Support <support@desk.example>:\n> hej\n", "ok"},
	{"Thunderbird, English", "On 02/11/2026 10:00, Support wrote:\n> Shall we close it?\n> \n\nYes, please close it.\n", "On 02/11/2026 10:00, Support wrote:\n> Shall we close it?\n> \n\nYes, please close it."},
	{"Thunderbird, top", "Yes.\n\nOn 02/11/2026 10:00, Support wrote:\n> Shall we close it?\n", "Yes."},
	{"Thunderbird, Danish", "Ja.\n\nDen 02-11-2026 kl. 10:00 skrev Support:\n> Skal vi lukke?\n", "Ja."},
	{"Thunderbird, Dutch", "Ja.\n\nOp 02-11-2026 om 10:00 schreef Support:\n> Sluiten?\n", "Ja."},
	{"Thunderbird, German, with signature", "Ja.\n\n-- \nAnna Schmidt\nBeispiel GmbH\n\nAm 02.11.2026 um 10:00 schrieb Support:\n> Schließen?\n", "Ja."},
	{"Yahoo, English, history not marked", "It works.\n\n    On Monday, November 2, 2026 at 10:00:00 AM GMT+1, Support <support@desk.example> wrote:  \n \n Dear Anna,\nplease try again.\n", "It works."},
	{"Yahoo, Danish", "Det virker.\n\n    Den mandag 2. november 2026 kl. 10.00.00 CET skrev Support <support@desk.example>:  \n \n Kære Anna\n", "Det virker."},
	{"Outlook desktop, English", "Please close.\n\nKind regards\nAnna\n\nFrom: Support <support@desk.example>\nSent: Monday, November 2, 2026 10:00 AM\nTo: Anna Smith <anna@customer.example>\nSubject: [CASE-10001] Printer\n\nDear Anna,\nplease try again.\n", "Please close.\n\nKind regards\nAnna"},
	{"Outlook desktop, Danish", "Luk den bare.\n\nFra: Support <support@desk.example>\nSendt: 2. november 2026 10:00\nTil: Anna Hansen <anna@customer.example>\nEmne: [CASE-10001] Printer\n\nKære Anna\n", "Luk den bare."},
	{"Outlook desktop, Norwegian", "Takk.\n\nFra: Support <support@desk.example>\nSendt: mandag 2. november 2026 10:00\nTil: Anna <anna@customer.example>\nEmne: [CASE-10001]\n\nHei\n", "Takk."},
	{"Outlook desktop, Dutch", "Sluiten graag.\n\nVan: Support <support@desk.example>\nVerzonden: maandag 2 november 2026 10:00\nAan: Anna <anna@customer.example>\nOnderwerp: [CASE-10001]\n\nBeste\n", "Sluiten graag."},
	{"Outlook desktop, German", "Bitte schließen.\n\nVon: Support <support@desk.example>\nGesendet: Montag, 2. November 2026 10:00\nAn: Anna <anna@customer.example>\nBetreff: [CASE-10001]\n\nHallo\n", "Bitte schließen."},
	{"Outlook 2010, divider", "Done.\n\n-----Original Message-----\nFrom: Support [mailto:support@desk.example]\nSent: Monday, November 2, 2026 10:00 AM\nTo: Anna\nSubject: [CASE-10001]\n\nDear Anna\n", "Done."},
	{"Outlook, German divider", "Ok.\n\n-----Ursprüngliche Nachricht-----\nVon: Support\nGesendet: Montag\nAn: Anna\nBetreff: x\n\nHallo\n", "Ok."},
	{"Outlook web, HTML made text", "Please close.\n\n* * *\n\n**From:** Support <support@desk.example>\n**Sent:** Monday, November 2, 2026 10:00 AM\n**To:** Anna <anna@customer.example>\n**Subject:** \\[CASE-10001\\] Printer\n\nDear Anna", "Please close."},
	{"Outlook web, text", "Please close.\n________________________________\nFrom: Support <support@desk.example>\nSent: Monday, November 2, 2026 10:00 AM\nTo: Anna <anna@customer.example>\nSubject: x\n\nDear Anna", "Please close."},
	{"Outlook mobile", "Ok\n\nGet Outlook for iOS<https://aka.ms/o0ukef>\n________________________________\nFrom: Support <support@desk.example>\nSent: Monday, November 2, 2026 10:00:00 AM\nTo: Anna <anna@customer.example>\nSubject: x\n\nDear Anna", "Ok"},
	{"Samsung", "Ok\n\n-------- Original message --------\nFrom: Support <support@desk.example>\nDate: 02/11/2026 10:00 (GMT+01:00)\nTo: Anna\nSubject: x\n\nDear Anna", "Ok"},
	{"our line, Outlook without a block", "Yes\n\n-- >8 --\n\nDear Anna,\nwe have news.", "Yes"},
	{"our line, quoted", "Yes\n\nOn Mon, Support wrote:\n\n> -- >8 --\n>\n> Dear Anna\n", "Yes"},
	{"our line under a strange sentence", "Yes\n\nFoo Bar kirjoitti 2.11.2026 klo 10:\n\n> -- >8 --\n> Dear Anna\n", "Yes"},
	{"our line below a header block", "Yes\n\nFrom: Support\nSent: Monday\nTo: Anna\nSubject: x\n\n-- >8 --\n\nDear Anna,", "Yes"},
	{"nothing written above our line", "-- >8 --\n\nDear Anna,\n", ""},
	{"nothing written above a quote", "On Mon, Nov 2, 2026 at 10:00 AM Support <support@desk.example> wrote:\n\n> Dear Anna\n", ""},
	{"nothing written above a quote that holds its sentence", "> On 2 Nov 2026, at 10:00, Support <support@desk.example> wrote:\n> \n> Shall we?\n", ""},
	{"a quote alone, without sentence, stays", "> the old text\n> goes on\n", "> the old text\n> goes on"},
	{"answers between quotes stay whole", "> Which floor?\nThe second.\n> Which printer?\nThe big one.\n", "> Which floor?\nThe second.\n> Which printer?\nThe big one."},
	{"answers between quotes below a sentence", "Hi,\n\nOn Mon, Nov 2, 2026 at 10:00 AM Support <support@desk.example> wrote:\n> Which floor?\n\nThe second.\n\n> Which printer?\n\nThe big one.\n", "Hi,\n\nOn Mon, Nov 2, 2026 at 10:00 AM Support <support@desk.example> wrote:\n> Which floor?\n\nThe second.\n\n> Which printer?\n\nThe big one."},
	{"answers below our quoted line stay", "On Mon, Support wrote:\n> -- >8 --\n> Which floor?\n\nThe second.\n", "On Mon, Support wrote:\n> -- >8 --\n> Which floor?\n\nThe second."},
	{"a quote without a sentence at the end", "See below.\n\n> the old text\n> goes on\n", "See below."},
	{"a quote that the writer promised stays", "The screen says:\n\n> Error 50.2\n> Fuser fault\n", "The screen says:\n\n> Error 50.2\n> Fuser fault"},
	{"a quote that the writer promised, our line below", "The screen says:\n\n> Error 50.2\n\nFrom: Support <support@desk.example>\nSent: Monday, 10:00\nTo: Anna\nSubject: x\n\n-- >8 --\nDear Anna", "The screen says:\n\n> Error 50.2"},
	{"a quote below a name and a verb is history", "Yes.\n\nAnna wrote:\n> Shall we?\n", "Yes.\n\nAnna wrote:"},
	{"Gmail, Romanian, wrapped", "Da.\n\nÎn lun., 2 nov. 2026 la 10:00, Support <\nsupport@desk.example> a scris:\n\n> Hello\n", "Da."},
	{"Gmail, Greek", "Ναι.\n\nΣτις Δευ 2 Νοε 2026 στις 10:00 π.μ., ο χρήστης Support <support@desk.example> έγραψε:\n\n> Hello\n", "Ναι."},
	{"Gmail, Hungarian", "Igen.\n\nSupport <support@desk.example> ezt írta (időpont: 2026. nov. 2., H, 10:00):\n\n> Hello\n", "Igen."},
	{"a form of the writer's stays", "Please order:\n\nFrom: Warehouse A\nTo: Warehouse B\nDate: 2 Nov 2026\nSubject: 40 toner\n\nPlease hurry.", "Please order:\n\nFrom: Warehouse A\nTo: Warehouse B\nDate: 2 Nov 2026\nSubject: 40 toner\n\nPlease hurry."},
	{"header fields with names alone and a time", "Done.\n\nFrom: Support\nSent: Monday, 2 November 2026 10:00\nTo: Anna\nSubject: x\n\nHello", "Done."},
	{"eM Client, fields without colons", "Yes.\n\n\n------ Original Message ------\nFrom \"Support\" <support@desk.example>\nTo anna@customer.example\nDate 02/11/2026 10:00:00\nSubject x\n\n> Is it on?\n", "Yes."},
	{"Samsung, some fields without colons", "Yes.\n\n-------- Original message --------\nFrom Support <support@desk.example> \nDate: 02/11/2026  10:00  (GMT+01:00) \nTo anna@customer.example \nSubject x \n \nHello", "Yes."},
	{"NetEase, fields in a table", "开了\n\n\n---- 回复的原邮件 ----\n| 发件人 | Support<support@desk.example> |\n| 发送日期 | 2026年11月02日 10:00 |\n| 收件人 | anna<anna@customer.example> |\n| 主题 | x |\nHello", "开了"},
	{"Yandex, fields above the sentence", "Да.\n\n----------------\nКому: Anna (anna@customer.example);\nТема: x;\n02.11.2026, 10:00, \"Support\" <support@desk.example>:\n\nHello", "Да."},
	{"GroupWise", "Yes.\n\n>>> Support <support@desk.example> 11/2/2026 10:00 AM >>>\nHello", "Yes."},
	{"SFR", "Oui.\n\n========================================\n\nMessage du : 02/11/2026 10:00\nDe : \"Support\" <support@desk.example>\nA : anna@customer.example\nCopie à : \nSujet : x\n\nHello", "Oui."},
	{"Seznam", "Ano.\n\n---------- Původní e-mail ----------\nOd: Support <support@desk.example>\nKomu: anna@customer.example\nDatum: 2. 11. 2026 10:00:00\nPředmět: x\nHello", "Ano."},
	{"AquaMail, its link below its line", "Yes.\n\nSent with AquaMail for Android\nhttps://www.mobisystems.com/aqua-mail\n\nOn November 2, 2026 10:00:00 Support <support@desk.example> wrote:\n\n> Hello", "Yes."},
	{"BlueMail", "Yes.\n\nGet BlueMail for Android \u200b\n\nOn 2 Nov 2026, at 10:00, Support <support@desk.example> wrote:\n>Hello", "Yes."},
	{"Superhuman", "Yes.\n\nSent via Superhuman ( https://sprh.mn/?vip=a )\n\nOn Mon, Nov 02, 2026 at 10:00 AM, Support < support@desk.example > wrote:\n\n> Hello", "Yes."},
	{"prompts of a shell between arrows stay", "It prints\n\n>>> print(1) >>>\n1", "It prints\n\n>>> print(1) >>>\n1"},
	{"a list below a ruler stays", "Two things\n\n-----\nTo: do\nSubject: to change\nand more:\n\nyes", "Two things\n\n-----\nTo: do\nSubject: to change\nand more:\n\nyes"},
	{"signature", "Close it.\n\n-- \nAnna\n+45 12 34 56 78", "Close it."},
	{"a signature that is the text stays", "-- \nAnna", "-- \nAnna"},
	{"a sentence with wrote and a colon", "My colleague wrote:\n\nThe printer is on fire.\n", "My colleague wrote:\n\nThe printer is on fire."},
	{"from in a sentence", "From: what I see, it works.\nThanks", "From: what I see, it works.\nThanks"},
	{"a forwarded mail stays whole", "From: Bob <bob@customer.example>\nSent: Monday\nTo: Anna\nSubject: Printer\n\nIt burns.\n", "From: Bob <bob@customer.example>\nSent: Monday\nTo: Anna\nSubject: Printer\n\nIt burns."},
	{"no history", "Just text.\n\nMore.", "Just text.\n\nMore."},
	{"CRLF", "Yes.\r\n\r\nOn Mon, Nov 2, 2026 at 10:00 AM Support <s@desk.example> wrote:\r\n> a\r\n", "Yes."},
	{"bidirectional marks in the sentence", "نعم\n\n\u202bOn Mon, Nov 2, 2026 at 10:00 AM \u200eSupport\u200e <\u200esupport@desk.example\u200e> wrote:\u202c\n\n> a\n", "نعم"},
	{"empty", "", ""},
}

func TestCut(t *testing.T) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			reply, rest := Cut(s.text)
			if reply != s.reply {
				t.Errorf("reply = %q\nwant    %q", reply, s.reply)
			}
			checkLossless(t, s.text, reply, rest)
		})
	}
}

// checkLossless holds that every word is in the reply or in the rest.
func checkLossless(t *testing.T, text, reply, rest string) {
	t.Helper()
	if got, want := strings.Join(strings.Fields(reply+"\n"+rest), " "), strings.Join(strings.Fields(text), " "); got != want {
		t.Errorf("reply and rest hold %q, the text %q", got, want)
	}
}

func TestForwarded(t *testing.T) {
	const body = "The printer burns.\nHelp!"
	for _, c := range []struct {
		name, text, before string
		want               Quote
	}{
		{"Gmail", "FYI\n\n---------- Forwarded message ---------\nFrom: Bob Jones <bob@customer.example>\nDate: Mon, Nov 2, 2026 at 10:00 AM\nSubject: Printer\nTo: Agent <agent@desk.example>\n\n\n" + body, "FYI",
			Quote{"Bob Jones <bob@customer.example>", "Mon, Nov 2, 2026 at 10:00 AM", "Printer", body, true, ""}},
		{"Gmail, HTML made text", "---------- Forwarded message ---------\nFrom: **Bob Jones** <[bob@customer.example](mailto:bob@customer.example)>\nDate: Mon\nSubject: Printer\nTo: x\n\n" + body, "",
			Quote{"Bob Jones <bob@customer.example>", "Mon", "Printer", body, true, ""}},
		{"Gmail, Danish fields", "Se her\n\n---------- Forwarded message ---------\nFra: Bob <bob@customer.example>\nDate: man. 2. nov. 2026 kl. 10.00\nSubject: Printer\nTo: x\n\n" + body, "Se her",
			Quote{"Bob <bob@customer.example>", "man. 2. nov. 2026 kl. 10.00", "Printer", body, true, ""}},
		{"Apple", "Please look.\n\nBegin forwarded message:\n\nFrom: Bob <bob@customer.example>\nSubject: Printer\nDate: 2 November 2026 at 10:00:00 CET\nTo: agent@desk.example\n\n" + body, "Please look.",
			Quote{"Bob <bob@customer.example>", "2 November 2026 at 10:00:00 CET", "Printer", body, true, ""}},
		{"Apple, quoted", "Please look.\n\n> Begin forwarded message:\n> \n> From: Bob <bob@customer.example>\n> Subject: Printer\n> Date: 2 November 2026\n> To: a@b\n> \n> The printer burns.\n> Help!", "Please look.",
			Quote{"Bob <bob@customer.example>", "2 November 2026", "Printer", body, true, ""}},
		{"Apple, Danish", "Start på videresendt besked:\n\nFra: Bob <bob@customer.example>\nEmne: Printer\nDato: 2. november 2026 kl. 10.00\nTil: a@b\n\n" + body, "",
			Quote{"Bob <bob@customer.example>", "2. november 2026 kl. 10.00", "Printer", body, true, ""}},
		{"Apple, Dutch", "Begin doorgestuurd bericht:\n\nVan: Bob <bob@customer.example>\nOnderwerp: Printer\nDatum: 2 november 2026\nAan: a@b\n\n" + body, "",
			Quote{"Bob <bob@customer.example>", "2 november 2026", "Printer", body, true, ""}},
		{"Apple, German", "Anfang der weitergeleiteten Nachricht:\n\nVon: Bob <bob@customer.example>\nBetreff: Printer\nDatum: 2. November 2026\nAn: a@b\n\n" + body, "",
			Quote{"Bob <bob@customer.example>", "2. November 2026", "Printer", body, true, ""}},
		{"Apple, French", "Début du message réexpédié :\n\nDe: Bob <bob@customer.example>\nObjet: Printer\nDate: 2 novembre 2026\nÀ: a@b\n\n" + body, "",
			Quote{"Bob <bob@customer.example>", "2 novembre 2026", "Printer", body, true, ""}},
		{"Thunderbird", "FYI\n\n-------- Forwarded Message --------\nSubject: \tPrinter\nDate: \tMon, 2 Nov 2026 10:00:00 +0100\nFrom: \tBob <bob@customer.example>\nTo: \ta@b\n\n\n\n" + body, "FYI",
			Quote{"Bob <bob@customer.example>", "Mon, 2 Nov 2026 10:00:00 +0100", "Printer", body, true, ""}},
		{"Thunderbird, German", "-------- Weitergeleitete Nachricht --------\nBetreff: \tPrinter\nDatum: \tMo\nVon: \tBob <bob@customer.example>\nAn: \ta@b\n\n" + body, "",
			Quote{"Bob <bob@customer.example>", "Mo", "Printer", body, true, ""}},
		{"Outlook", "Can you take this?\n\nFrom: Bob Jones <bob@customer.example>\nSent: Monday, November 2, 2026 10:00 AM\nTo: Agent <agent@desk.example>\nSubject: Printer\n\n" + body, "Can you take this?",
			Quote{"Bob Jones <bob@customer.example>", "Monday, November 2, 2026 10:00 AM", "Printer", body, false, ""}},
		{"Outlook, Dutch", "Graag oppakken\n\nVan: Bob <bob@customer.example>\nVerzonden: maandag 2 november 2026 10:00\nAan: x\nOnderwerp: Printer\n\n" + body, "Graag oppakken",
			Quote{"Bob <bob@customer.example>", "maandag 2 november 2026 10:00", "Printer", body, false, ""}},
		{"Outlook 2010", "Hi\n\n-----Original Message-----\nFrom: Bob [mailto:bob@customer.example]\nSent: Monday\nTo: x\nSubject: Printer\n\n" + body, "Hi",
			Quote{"Bob <bob@customer.example>", "Monday", "Printer", body, false, ""}},
	} {
		t.Run("R64/"+c.name, func(t *testing.T) {
			before, q, ok := Forwarded(c.text)
			q.fromField = "" // TestIsForward has it
			if !ok || before != c.before || q != c.want {
				t.Errorf("got  %q %+v %v\nwant %q %+v", before, q, ok, c.before, c.want)
			}
		})
	}
	for _, text := range []string{"", "Nothing here.", "From: me to you\nTo: all\n", "Forwarded message\nhello"} {
		if _, q, ok := Forwarded(text); ok {
			t.Errorf("%q: found %+v", text, q)
		}
	}
}

func FuzzCut(f *testing.F) {
	for _, s := range samples {
		f.Add(s.text)
	}
	for _, s := range sentences {
		f.Add("Yes.\n\n" + s.sentence + "\n\n> a\n")
	}
	for _, b := range blocks {
		f.Add("Yes.\n\n" + b.block + "\n\na\n")
	}
	for _, raw := range seventh() {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, text string) {
		reply, rest := Cut(text)
		checkLossless(t, text, reply, rest)
		Forwarded(text)
	})
}

func BenchmarkCut(b *testing.B) {
	text := "Thanks.\n\nOn Mon, Nov 2, 2026 at 10:00 AM Support <support@desk.example> wrote:\n\n" + strings.Repeat("> Dear Anna, please try again and tell us what you see.\n", 1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Cut(text)
	}
}
