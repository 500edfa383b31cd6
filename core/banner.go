package core

import (
	"regexp"
	"strings"
	"sync"
)

// bannerStarts are the first words of the notices that mail systems put on top
// of a mail, each up to the end of its sentence or line. Spaces stand for any
// space.
var bannerStarts = bannerPatterns(
	// English
	`(caution|warning|attention|notice|note|alert|important|be careful|security notice|think before you click) ?[:!.-]* ?((this|the) )?((is an )?external|this (e-?mail|message|mail)|(e-?mail|message) (was|is|has been|originated|came|comes))[^.!\n]{0,200}(outside|external)[^.!\n]{0,120}[.!]?`,
	`(caution|warning|attention|notice|alert) ?[:!-]* ?external (sender|e-?mail|message|mail)[.!:]*`,
	`(this|the) (e-?mail|message|mail) (was sent|was received|is|has been sent|has been received|originated|originates|originating|came|comes) (from )?(an )?(external|outside|someone outside|a sender outside|a person outside|a source outside)[^.!\n]{0,160}[.!]?`,
	`(caution|warning|attention|notice|alert) ?[:!-]* ?external( \([^)\n]{1,320}\))?`,
	`external( (e-?mail|sender|message|mail))?( warning| notice| alert)?[.!:]*`,
	`you don.t often get e-?mail from [^\s]{1,320}\.?`,
	`some people who received this message don.t often get e-?mail from [^\s]{1,320}\.?`,
	`(the )?sender of this message (is|was) (not verified|external)[^.!\n]{0,100}[.!]?`,
	`the sender of this message could not be validated[^.!\n]{0,120}[.!]?`,
	`this sender (is|might be|may be) [^.!\n]{0,40}(external|unverified|outside)[^.!\n]{0,80}[.!]?`,
	`this message needs your attention[.!]?`,
	// German
	`(achtung|vorsicht|warnung|hinweis|wichtig) ?[:!.-]* ?(die|diese|externe|dies ist eine externe)[^.!\n]{0,200}(extern|außerhalb|ausserhalb)[^.!\n]{0,120}[.!]?`,
	`(achtung|vorsicht|warnung|hinweis) ?[:!-]* ?externe (e-?mail|nachricht|mail)[.!:]*`,
	`externe (e-?mail|nachricht|mail)[.!:]*`, `externer absender[.!:]*`,
	`diese (e-?mail|nachricht|mail) (stammt|kommt|wurde) von (einem |einer )?(extern|außerhalb|ausserhalb)[^.!\n]{0,160}[.!]?`,
	`sie erhalten nicht (oft|häufig) (eine )?e-?mails? von [^\s]{1,320}\.?`,
	// Dutch
	`(let op|waarschuwing|pas op|attentie) ?[:!.-]* ?(deze|dit|externe)[^.!\n]{0,200}(extern|buiten)[^.!\n]{0,120}[.!]?`,
	`externe (e-?mail|afzender|mail)[.!:]*`,
	`(deze|dit) (e-?mail|bericht|mail) (is|komt|werd) (afkomstig |verzonden )?van (buiten|een externe)[^.!\n]{0,160}[.!]?`,
	`u ontvangt niet vaak e-?mail van [^\s]{1,320}\.?`, `je ontvangt niet vaak e-?mail van [^\s]{1,320}\.?`,
	// Danish, Norwegian
	`(advarsel|obs|pas på|bemærk|forsigtig|vær opmærksom|merk|forsiktig|vigtigt|viktig) ?[:!.-]* ?(denne|ekstern)[^.!\n]{0,200}(ekstern|uden for|udefra|utenfor|udenfor)[^.!\n]{0,120}[.!]?`,
	`(advarsel|obs) ?[:!-]* ?ekstern (e-?mail|e-?post|mail|afsender|avsender)[.!:]*`,
	`ekstern (e-?mail|e-?post|mail|afsender|avsender)[.!:]*`,
	`denne (e-?mail|mail|besked|e-?post|e-posten|meddelelse) (er|kommer|blev|ble) (sendt )?(fra|udefra|utenfra)[^.!\n]{0,30}(ekstern|uden ?for|utenfor)[^.!\n]{0,120}[.!]?`,
	`du (får|modtager|mottar) (ikke ofte|sjældent) (mails?|e-?mails?|e-?post) fra [^\s]{1,320}\.?`, `du får ikke så ofte mails? fra [^\s]{1,320}\.?`,
	// Swedish
	`(varning|obs|observera|var försiktig|viktigt) ?[:!.-]* ?(detta|det här|externt)[^.!\n]{0,200}(extern|utanför|utifrån)[^.!\n]{0,120}[.!]?`,
	`externt (e-?post|e-?postmeddelande|mail|mejl)[.!:]*`, `extern avsändare[.!:]*`,
	`(detta|det här) (e-?postmeddelandet|e-?postmeddelande|mejlet|mailet|mail|meddelande|meddelandet) (kommer|kom|skickades) från (en extern|utanför|någon utanför)[^.!\n]{0,160}[.!]?`,
	`du får inte ofta e-?post från [^\s]{1,320}\.?`,
	// Finnish
	`(varoitus|huomio|huom) ?[:!.-]* ?tämä[^.!\n]{0,200}(ulkopuoli|ulkoi|ulkopuolelta)[^.!\n]{0,120}[.!]?`,
	// French
	`(attention|avertissement|prudence|mise en garde|important) ?[:!.-]* ?(ce|cet|courriel externe|message externe|e-?mail externe|cette)[^.!\n]{0,200}(extern|extérieur|hors de|en dehors)[^.!\n]{0,120}[.!]?`,
	`(courriel|message|e-?mail|expéditeur) externe[.!:]*`,
	`(ce|cet) (message|courriel|e-?mail|mail) (provient|a été envoyé|émane)[^.!\n]{0,40}(extern|extérieur|en dehors|hors de)[^.!\n]{0,120}[.!]?`,
	`vous n.obtenez pas souvent d.e-?mail (à partir )?de [^\s]{1,320}\.?`, `vous ne recevez pas souvent de (courriers?|e-?mails?|messages) de [^\s]{1,320}\.?`,
	// Spanish
	`(atención|advertencia|precaución|cuidado|aviso) ?[:!.-]* ?(este|correo extern)[^.!\n]{0,200}(extern|fuera de)[^.!\n]{0,120}[.!]?`,
	`correo (electrónico )?externo[.!:]*`, `remitente externo[.!:]*`,
	`no suele recibir correos? electrónicos? de [^\s]{1,320}\.?`,
	// Italian
	`(attenzione|avviso|avvertenza) ?[:!.-]* ?(questa|questo|mail esterna|e-?mail esterna)[^.!\n]{0,200}(estern|fuori)[^.!\n]{0,120}[.!]?`,
	`(e-?mail|mittente|messaggio) estern[oa][.!:]*`,
	`non si ricevono spesso messaggi di posta elettronica da [^\s]{1,320}\.?`,
	// Portuguese
	`(atenção|cuidado|aviso|advertência) ?[:!.-]* ?(este|esta|e-?mail extern)[^.!\n]{0,200}(extern|fora d)[^.!\n]{0,120}[.!]?`,
	`(e-?mail|remetente|mensagem) extern[oa][.!:]*`,
	`você não costuma receber e-?mails? de [^\s]{1,320}\.?`,
	// Polish
	`(uwaga|ostrzeżenie) ?[:!.-]* ?(ta|ten|wiadomość)[^.!\n]{0,200}(zewnętrzn|spoza)[^.!\n]{0,120}[.!]?`,
	`(wiadomość zewnętrzna|zewnętrzny nadawca|nadawca zewnętrzny)[.!:]*`,
	// Russian, Chinese, Japanese
	`(внимание|осторожно|предупреждение) ?[:!.-]* ?(это|данное|внешн)[^.!\n]{0,300}(внешн|извне|за пределами)[^.!\n]{0,200}[.!]?`,
	`(внешняя почта|внешний отправитель|внешнее письмо)[.!:]*`,
	`(注意|警告|小心|提醒)[:：!！ ]*(此|本|该|這|这)?[^。！\n]{0,60}(外部|组织外|組織外)[^。！\n]{0,80}[。！]?`,
	`(外部邮件|外部郵件|外部メール)[:：。!！]*`,
	`(注意|警告|ご注意)[:：!！ ]*(この|本|外部)[^。！\n]{0,60}(外部|社外)[^。！\n]{0,80}[。！]?`,
)

// bannerSentences may follow in the same paragraph.
var bannerSentences = bannerPatterns(
	`(please )?(do not|don.t|never|avoid|be careful|be cautious|exercise caution|use caution|think|take care)[^.!\n]{0,120}(click|link|attachment|respond|reply|open)[^.!\n]{0,200}[.!]?`,
	`(please )?(report|forward)[^.!\n]{0,80}(suspicious|phish|security|help ?desk)[^.!\n]{0,120}[.!]?`,
	`if (you|in doubt|unsure|this)[^.!\n]{0,120}(sender|suspicious|doubt|unsure|unexpected)[^.!\n]{0,160}[.!]?`,
	`(only )?(click|open)[^.!\n]{0,60}(links?|attachments?)[^.!\n]{0,60}(if|unless|when) you[^.!\n]{0,120}[.!]?`,
	`verify the sender[^.!\n]{0,120}[.!]?`, `treat (links|attachments|it)[^.!\n]{0,120}[.!]?`,
	`(feedback|report|mark as safe|powered by [^.!\n]{1,30}|block sender)`,
	`learn why this is important( at)?\.?`, `erfahren sie, warum dies wichtig ist\.?`, `meer informatie over waarom dit belangrijk is\.?`, `ontdek waarom dit belangrijk is\.?`,
	`få mere at vide om,? hvorfor dette er vigtigt\.?`, `finn ut hvorfor dette er viktig\.?`, `läs om varför det här är viktigt\.?`, `lär dig varför det här är viktigt\.?`,
	`découvrez pourquoi (ceci|cela) est important\.?`, `découvrir pourquoi cela est important\.?`, `por qué es esto importante\.?`, `descubra por qué (esto )?es importante\.?`, `scopri perché (questo )?è importante\.?`, `saiba por que isso é importante\.?`,
	`(bitte )?(klicken|öffnen|folgen|antworten|seien|vermeiden)[^.!\n]{0,160}(links?|anhänge|anhang|anlagen|vorsichtig|absender)[^.!\n]{0,200}[.!]?`,
	`(klik|open|wees|reageer)[^.!\n]{0,120}(links?|bijlagen?|koppelingen|voorzichtig|afzender)[^.!\n]{0,200}[.!]?`,
	`(klik|åbn|åpne|undgå|unngå|undlad|vær|lad være|ikke)[^.!\n]{0,120}(links?|vedhæft|vedlegg|lenker|forsigtig|forsiktig|afsender|avsender|opmærksom)[^.!\n]{0,200}[.!]?`,
	`(klicka|öppna|undvik|var)[^.!\n]{0,120}(länk|bilag|bifogad|försiktig|avsändare)[^.!\n]{0,200}[.!]?`,
	`(ne |n.ouvrez|veuillez|évitez|soyez)[^.!\n]{0,160}(liens?|pièces?|prudent|expéditeur|vigilant)[^.!\n]{0,200}[.!]?`,
	`(no |evite|por favor)[^.!\n]{0,160}(enlaces?|adjuntos?|vínculos?|remitente)[^.!\n]{0,200}[.!]?`,
	`(non |evitare|prestare)[^.!\n]{0,160}(link|allegati|collegamenti|mittente|attenzione)[^.!\n]{0,200}[.!]?`,
	`(não |evite)[^.!\n]{0,160}(links?|anexos?|remetente)[^.!\n]{0,200}[.!]?`,
	`(nie |prosimy|zachowaj)[^.!\n]{0,160}(link|łącz|załącznik|ostrożność|nadawc)[^.!\n]{0,200}[.!]?`,
	`(älä|ole)[^.!\n]{0,160}(linkk|liittei|varovainen|lähettäj)[^.!\n]{0,200}[.!]?`,
	`(не |пожалуйста|будьте)[^.!\n]{0,200}(ссылк|вложени|осторожн|отправител)[^.!\n]{0,300}[.!]?`,
	`(请|請|切勿|不要|除非)[^。！\n]{0,80}(链接|連結|附件|点击|點擊)[^。！\n]{0,80}[。！]?`,
	`[^。！\n]{0,60}(リンク|添付)[^。！\n]{0,80}[。！]?`,
)

func bannerPatterns(patterns ...string) func() []*regexp.Regexp {
	return sync.OnceValue(func() (all []*regexp.Regexp) {
		for _, p := range patterns {
			all = append(all, regexp.MustCompile(`^(?i:`+strings.NewReplacer(" ?", `\s*`, " ", `\s+`).Replace(p)+`)`))
		}
		return all
	})
}

// splitBanner takes the notices of mail systems off the top of a visible reply,
// for reading the commands and words below them (R43); what is stored keeps
// them. It takes whole lines only, in which nothing else stands: a banner whose
// end is unknown is text.
func splitBanner(reply string) (banner, rest string) {
	const most = 3
	rest = reply
	for range most {
		n := bannerEnd(rest)
		if n == 0 {
			break
		}
		rest = rest[n:]
	}
	return reply[:len(reply)-len(rest)], rest
}

// bannerEnd is the length of the banner on top of s with the line ends around
// it, 0 if there is none.
func bannerEnd(s string) int {
	const longest, mostSentences = 1500, 12
	top := len(s) - len(strings.TrimLeft(s, "\r\n\t "))
	text := s[top:]
	if len(text) > longest {
		text = text[:longest]
	}
	if i := paragraphEnd.FindStringIndex(text); i != nil {
		text = text[:i[0]]
	}
	if strings.HasPrefix(text, "#") {
		return 0
	}
	text = unwrapped(text)
	end, whole := 0, 0
	patterns := bannerStarts()
	for range mostSentences {
		at := end + decorated(text[end:])
		n := 0
		for _, p := range patterns {
			if m := p.FindStringIndex(text[at:]); m != nil && endsWord(text[at:], m[1]) {
				n = max(n, m[1])
			}
		}
		if n == 0 {
			break
		}
		end = at + n
		after := end + decorated(text[end:])
		if i := strings.IndexByte(text[end:after], '\n'); i >= 0 || after == len(text) {
			whole = after
			if i >= 0 {
				whole = end + i + 1
			}
		}
		end, patterns = after, bannerSentences()
	}
	if whole == 0 {
		return 0
	}
	if top+whole == len(s) {
		return len(s)
	}
	if s[top+whole-1] != '\n' {
		if i := strings.IndexByte(s[top+whole:], '\n'); i >= 0 {
			whole += i + 1
		}
	}
	return top + whole
}

// unwrapped makes a space of each line end that only breaks a long line, so
// that every octet keeps its place.
func unwrapped(text string) string {
	const long = 55
	b := []byte(text)
	start := 0
	for i, c := range b {
		if c != '\n' {
			continue
		}
		line := strings.TrimRight(text[start:i], " \r")
		if len(line) >= long && !strings.ContainsAny(line[len(line)-1:], ".!?:|") {
			b[i] = ' '
		}
		start = i + 1
	}
	return string(b)
}

// paragraphEnd is an empty line or a line that begins with a command's mark.
var paragraphEnd = regexp.MustCompile(`\n[ \t\r|>]*\n|\n[ \t]*#`)

// decoration is what stands around the words of a banner: brackets, rules of
// tables, signs, and the address of a link.
var decoration = regexp.MustCompile(`^(?:[\s*_|\[\]{}=~()«»•!:.⚠️⛔🛑🚨❗✉-]|\]?\(https?://[^\s)]+\)|<?https?://[^\s>]+>?)+`)

func decorated(s string) int { return len(decoration.FindString(s)) }

// endsWord says that s[:n] does not end within a word.
func endsWord(s string, n int) bool {
	if n >= len(s) || n == 0 {
		return true
	}
	c, before := s[n], s[n-1]
	letter := func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' }
	return !letter(c) || !letter(before)
}

// withBanner puts a banner back above a text, if there is one.
func withBanner(banner, text string) string {
	if banner = strings.TrimSpace(banner); banner == "" || text == "" {
		return text
	}
	return banner + "\n\n" + text
}
