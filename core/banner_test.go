package core

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// banners have the words that mail systems really put on top.
var banners = []struct{ name, banner string }{
	{"Exchange, English", "CAUTION: This email originated from outside of the organization. Do not click links or open attachments unless you recognize the sender and know the content is safe."},
	{"Exchange, English, wrapped", "CAUTION: This email originated from outside of the organization. Do not\nclick links or open attachments unless you recognize the sender and know\nthe content is safe."},
	{"Exchange, English, an organisation named", "CAUTION: This email originated from outside of Acme Inc. Do not click on links or open attachments unless you recognise the sender."},
	{"English, external", "EXTERNAL EMAIL: Do not click any links or open any attachments unless you trust the sender and know the content is safe."},
	{"English, in brackets", "[EXTERNAL]"},
	{"English, in brackets with a word", "[EXTERNAL EMAIL]"},
	{"English, in stars", "*** EXTERNAL ***"},
	{"English, external sender", "External Sender"},
	{"English, warning with an exclamation", "WARNING! External email. Exercise caution when opening links or attachments!"},
	{"English, with a sign", "⚠️ Caution: External (anna@customer.example)"},
	{"English, this message came", "This message came from outside the company. Please do not click links or open attachments unless you recognise the source."},
	{"Exchange's tip, English", "You don't often get email from anna@customer.example. Learn why this is important<https://aka.ms/LearnAboutSenderIdentification>"},
	{"Exchange's tip made of HTML", "You don't often get email from anna@customer.example. [Learn why this is important](https://aka.ms/LearnAboutSenderIdentification)"},
	{"Exchange's tip, several readers", "Some people who received this message don't often get email from anna@customer.example. Learn why this is important at https://aka.ms/LearnAboutSenderIdentification"},
	{"a tip, and below it a banner", "You don't often get email from anna@customer.example. Learn why this is important<https://aka.ms/LearnAboutSenderIdentification>\n\nCAUTION: This email originated from outside of the organization. Do not click links or open attachments unless you recognize the sender."},
	{"a cell of a table", "| CAUTION: This email originated from outside your organization. Exercise caution when opening attachments or clicking links. |"},
	{"German", "ACHTUNG: Diese E-Mail stammt von einem externen Absender. Bitte vermeiden Sie es, Anhänge oder externe Links zu öffnen."},
	{"German, short", "[EXTERNE E-MAIL]"},
	{"German, warning", "Vorsicht: Externe E-Mail. Klicken Sie nicht auf Links und öffnen Sie keine Anhänge, wenn Sie den Absender nicht kennen."},
	{"Exchange's tip, German", "Sie erhalten nicht oft eine E-Mail von anna@customer.example. Erfahren Sie, warum dies wichtig ist<https://aka.ms/LearnAboutSenderIdentification>"},
	{"Dutch", "LET OP: Deze e-mail is afkomstig van buiten de organisatie. Klik niet op links en open geen bijlagen tenzij u de afzender vertrouwt."},
	{"Exchange's tip, Dutch", "U ontvangt niet vaak e-mail van anna@customer.example. Meer informatie over waarom dit belangrijk is<https://aka.ms/LearnAboutSenderIdentification>"},
	{"Danish", "ADVARSEL: Denne e-mail er sendt fra en ekstern afsender. Klik ikke på links, og åbn ikke vedhæftede filer, medmindre du kender afsenderen."},
	{"Danish, short", "EKSTERN MAIL"},
	{"Exchange's tip, Danish", "Du får ikke ofte mails fra anna@customer.example. Få mere at vide om, hvorfor dette er vigtigt<https://aka.ms/LearnAboutSenderIdentification>"},
	{"Norwegian", "OBS! Denne e-posten kommer fra en ekstern avsender. Ikke klikk på lenker eller åpne vedlegg med mindre du kjenner avsenderen."},
	{"Swedish", "VARNING: Detta mejl kommer från en extern avsändare. Klicka inte på länkar och öppna inte bilagor om du inte känner igen avsändaren."},
	{"Exchange's tip, Swedish", "Du får inte ofta e-post från anna@customer.example. Läs om varför det här är viktigt<https://aka.ms/LearnAboutSenderIdentification>"},
	{"Finnish", "HUOMIO: Tämä viesti on lähetetty organisaation ulkopuolelta. Älä avaa linkkejä tai liitteitä, ellet tunne lähettäjää."},
	{"French", "ATTENTION : Ce courriel provient de l'extérieur de l'organisation. Ne cliquez pas sur les liens et n'ouvrez pas les pièces jointes."},
	{"French, short", "[COURRIEL EXTERNE]"},
	{"Spanish", "ATENCIÓN: Este correo proviene de fuera de la organización. No haga clic en enlaces ni abra adjuntos."},
	{"Italian", "ATTENZIONE: Questa e-mail proviene da un mittente esterno. Non aprire link o allegati se non si conosce il mittente."},
	{"Portuguese", "ATENÇÃO: Este e-mail foi enviado por um remetente externo. Não clique em links nem abra anexos."},
	{"Polish", "UWAGA: Ta wiadomość pochodzi spoza organizacji. Nie klikaj linków ani nie otwieraj załączników."},
	{"Russian", "ВНИМАНИЕ: Это письмо от внешнего отправителя. Не открывайте ссылки и вложения."},
	{"Chinese", "注意：此邮件来自外部。请勿点击链接或打开附件。"},
	{"Japanese", "注意：このメールは外部から送信されました。リンクや添付ファイルを開かないでください。"},
}

func TestCommandBlock_belowABanner(t *testing.T) {
	for _, b := range banners {
		for between, gap := range map[string]string{"an empty line below": "\n\n", "no empty line below": "\n", "many below": "\n\n \n\n", "CRLF": "\r\n\r\n"} {
			t.Run("R43/"+b.name+", "+between, func(t *testing.T) {
				reply := b.banner + gap + "#status resolved\n#note\nUse water.\nMore."
				if gap == "\r\n\r\n" {
					reply = strings.ReplaceAll(strings.ReplaceAll(reply, "\r", ""), "\n", "\r\n")
				}
				lines, text := CommandBlock(reply)
				plain := strings.ReplaceAll(text, "\r", "")
				if !slices.Equal(lines, []string{"#status resolved", "#note"}) || plain != b.banner+"\n\nUse water.\nMore." {
					t.Errorf("%q, %q", lines, text)
				}
				if lines, text := CommandBlock(b.banner + gap + "#status resolved"); len(lines) != 1 || text != "" {
					t.Errorf("a block alone: %q, %q: a banner is nobody's text", lines, text)
				}
				if gap != "\n" {
					if line, rest := firstLine(b.banner + gap + "Yes.\nThanks"); line != "Yes." || rest != b.banner+"\n\nThanks" {
						t.Errorf("R45: the first line is %q, and %q", line, rest)
					}
				}
				whole := b.banner + gap + "Just words."
				if lines, text := CommandBlock(whole); lines != nil || text != whole {
					t.Errorf("without commands all is text: %q, %q", lines, text)
				}
			})
		}
	}
}

func TestSplitBanner_takesNothingElse(t *testing.T) {
	for name, reply := range map[string]string{
		"words of the same line":              "[EXTERNAL] Please close it.",
		"a sentence about banners":            "External mail does not arrive.\n\n#status closed",
		"a caution of the writer":             "Caution: the printer is hot.\n\n#status closed",
		"a warning about something external":  "Warning: the external disk is full. I removed it\n\n#status closed",
		"words behind the banner's sentence":  "CAUTION: This email originated from outside of the organization. Hello Anna, please close it.\n\n#status closed",
		"a banner below words":                "Hello\n\nCAUTION: This email originated from outside of the organization.\n\n#status closed",
		"a quoted banner":                     "> CAUTION: This email originated from outside of the organization.\n\n#status closed",
		"a very long sentence":                "CAUTION: This email originated from outside " + strings.Repeat("of the organization ", 100) + "\n\n#status closed",
		"a line that begins like it":          "Externally we see nothing.\n#status closed",
		"a command is never part of a banner": "#external\n",
		"nothing":                             "",
		"space":                               " \n\n ",
	} {
		t.Run("R43/"+name, func(t *testing.T) {
			if banner, rest := splitBanner(reply); banner != "" || rest != reply {
				t.Errorf("%q, %q", banner, rest)
			}
			if lines, _ := CommandBlock(reply); lines != nil {
				t.Errorf("%q", lines)
			}
		})
	}
	t.Run("R43/of four banners three", func(t *testing.T) {
		banner, rest := splitBanner(strings.Repeat("[EXTERNAL]\n\n", 4))
		if strings.Count(banner, "EXTERNAL") != 3 || strings.Count(rest, "EXTERNAL") != 1 {
			t.Errorf("%q %q", banner, rest)
		}
	})
	t.Run("R43/words that follow in its paragraph stay", func(t *testing.T) {
		_, rest := splitBanner("CAUTION: This email originated from outside of the organization.\nApproved.\n\nAnna")
		if rest != "Approved.\n\nAnna" {
			t.Errorf("%q", rest)
		}
	})
}

func TestSplitBanner_isBounded(t *testing.T) {
	for name, unit := range map[string]string{
		"banners": "[EXTERNAL]\n\n", "sentences": "Report. ", "starts": "CAUTION: This email ", "no end": "external ", "signs": "*", "links": "(https://a.example) ",
		"spaces": " ", "line ends": "\n", "commands": "#status resolved\n", "half a banner": "CAUTION: This email originated from outside of the organization do not click ",
	} {
		text := strings.Repeat(unit, (1<<20)/len(unit))
		start := time.Now()
		banner, rest := splitBanner(text)
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s: 1 MiB took %v", name, took)
		}
		if banner+rest != text {
			t.Errorf("%s: parted otherwise than written", name)
		}
	}
}

func FuzzBanner(f *testing.F) {
	for _, b := range banners {
		f.Add(b.banner + "\n\n#status resolved\nx")
	}
	f.Fuzz(func(t *testing.T, reply string) {
		banner, rest := splitBanner(reply)
		if banner+rest != reply {
			t.Errorf("%q + %q is not %q", banner, rest, reply)
		}
		if strings.HasPrefix(strings.TrimSpace(banner), "#") || strings.Contains(banner, "\n#") {
			t.Errorf("a command line in the banner %q", banner)
		}
		if banner != "" && rest != "" && !strings.HasSuffix(banner, "\n") {
			t.Errorf("the banner %q ends within a line", banner)
		}
		lines, text := CommandBlock(reply)
		if _, plain := CommandBlock(rest); len(lines) > 0 && !strings.HasSuffix(text, plain) {
			t.Errorf("%q lost some of %q", text, plain)
		}
	})
}
