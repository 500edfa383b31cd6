package quote

import "strings"

// language is what mail programs write in one language around what people
// write. Lists are parted by "|"; letters' case does not matter.
type language struct {
	wrote string // in a sentence like "On ... Anna wrote:"
	on    string // the words such a sentence begins with, weekdays among them
	// the names of header fields above an earlier mail
	from, date, to, cc, subject string
	original                    string // between strokes above an answered mail
	forwarded                   string // between strokes above a forwarded mail
	begin                       string // the line above a forwarded mail that ends with a colon
	prefix                      string // what stands before the colon in the subject of a forwarded mail, "fw" and "fwd" apart
	footer                      string // how the line begins that phones add; "a…b" begins with a and holds b
}

var languages = map[string]language{
	"en": {
		wrote: "wrote|writes|quoting", on: "on|at|mon|tue|wed|thu|fri|sat|sun|monday|tuesday|wednesday|thursday|friday|saturday|sunday",
		from: "from|sender", date: "date|sent|sent at|date sent|sent on", to: "to|recipient", cc: "cc|bcc|copy", subject: "subject",
		original:  "original message|original appointment|original mail|original email|reply message|previous message",
		forwarded: "forwarded message|forwarded mail|forwarded email|message forwarded|original message forwarded",
		begin:     "begin forwarded message",
		footer: "sent from my |sent from outlook|sent from mail for |sent from yahoo|sent from proton|sent from samsung|sent from the |sent with proton|sent from gmail|" +
			"sent with [proton|sent via the samsung|sent via blackberry|sent using zoho|sent with aquamail|sent with spark|sent from tutanota|sent with tuta|get outlook for |" +
			"download outlook|yahoo mail: search|sent from nine|sent from blue|secured with tuta|sent from hcl verse|sent from workspace one|sent from thunderbird|sent via superhuman|get bluemail for ",
	},
	"da": {
		wrote: "skrev|skriver", on: "den|d|man|tir|tirs|ons|tor|tors|fre|lør|søn|mandag|tirsdag|onsdag|torsdag|fredag|lørdag|søndag",
		from: "fra", date: "sendt|dato", to: "til", cc: "kopi|kopi til", subject: "emne|vedr",
		original:  "oprindelig meddelelse|oprindelig besked|original besked|original meddelelse|oprindelig mail",
		forwarded: "videresendt besked|videresendt meddelelse|videresendt mail|videresendt e-mail",
		begin:     "start på videresendt besked|begynd videresendt besked|start på videresendt meddelelse|videresendt besked",
		prefix:    "vs|videresend", footer: "sendt fra min |sendt fra mit |sendt fra outlook|sendt fra mail |sendt fra yahoo|sendt fra proton|sendt med proton|hent outlook|få outlook|sendt fra samsung",
	},
	"nb": {
		wrote: "skrev|skreiv", on: "tirsdag|laurdag|sundag|tysdag|måndag|lau|sun|tys|mån|på",
		from: "frå", date: "sendt", to: "til", cc: "kopi", subject: "emne",
		original:  "opprinnelig melding|opprinnelig e-post|original melding|originalt budskap|opphavleg melding",
		forwarded: "videresendt melding|videresendt e-post|vidaresend melding",
		begin:     "start på videresendt melding|videresendt melding|begynnelse på videresendt melding|videresendt melding følger",
		prefix:    "vs", footer: "sendt fra min |skaff deg outlook|last ned outlook|sendt frå |sendt fra e-post |sendt med ",
	},
	"sv": {
		wrote: "skrev", on: "den|mån|tis|tors|lör|sön|måndag|tisdag|onsdag|torsdag|lördag|söndag",
		from: "från", date: "skickat|datum|skickat den", to: "till", cc: "kopia", subject: "ämne",
		original:  "ursprungligt meddelande|originalmeddelande|ursprungligt e-postmeddelande|ursprungligt mejl",
		forwarded: "vidarebefordrat meddelande|vidarebefordrat mail|vidarebefordrat mejl|vidarebefordrat brev",
		begin:     "vidarebefordrat brev|vidarebefordrat meddelande|början på vidarebefordrat brev|påbörja vidarebefordrat meddelande",
		prefix:    "vb", footer: "skickat från min |skickat från mitt |skickat från outlook|skickat från e-post|skickat från yahoo|skickades från |skickat med proton|hämta outlook|skaffa outlook",
	},
	"nl": {
		wrote: "schreef|geschreven", on: "op|ma|di|wo|do|vr|za|zo|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag",
		from: "van", date: "verzonden|datum|verstuurd|verzonden op", to: "aan", cc: "kopie", subject: "onderwerp|betreft",
		original:  "oorspronkelijk bericht|origineel bericht|oorspronkelijke bericht|oorspronkelijke e-mail",
		forwarded: "doorgestuurd bericht|doorgestuurde bericht|doorgezonden bericht|doorgestuurde e-mail",
		begin:     "begin doorgestuurd bericht|begin van doorgestuurd bericht",
		prefix:    "doorst|doorgestuurd", footer: "verzonden vanaf mijn |verstuurd vanaf mijn |verstuurd vanaf |verzonden vanuit |verzonden met proton|verzonden via mijn |outlook voor |download outlook|" +
			"verzonden vanaf outlook|verstuurd met |verzonden met mijn |verzonden met outlook|haal outlook|outlook downloaden",
	},
	"de": {
		wrote: "schrieb|schreibt|zitat|geschrieben", on: "am|mo|di|mi|do|fr|sa|so|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag",
		from: "von", date: "gesendet|datum|gesendet am", to: "an", cc: "kopie|kopie an", subject: "betreff|betr",
		original:  "ursprüngliche nachricht|originalnachricht|original-nachricht|original nachricht|ursprüngliche mail|originalmail|originaltermin",
		forwarded: "weitergeleitete nachricht|weitergeleitete mail|weitergeleitete e-mail|weitergeleitete originalnachricht",
		begin:     "anfang der weitergeleiteten nachricht|beginn der weitergeleiteten nachricht",
		prefix:    "wg", footer: "von meinem …gesendet|von meiner …gesendet|gesendet von meinem |gesendet von meiner |gesendet von mail |gesendet von outlook|gesendet von yahoo|gesendet mit |gesendet aus |outlook für |" +
			"holen sie sich outlook|diese nachricht wurde von meinem |von unterwegs gesendet|mit …mail gesendet|laden sie outlook",
	},
	"fr": {
		wrote: "écrit", on: "le|lun|mar|mer|jeu|ven|sam|dim|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche",
		from: "de|expéditeur", date: "envoyé|date|date d'envoi|envoyé le|message du", to: "à|a|pour|destinataire", cc: "copie|copie à", subject: "objet|sujet",
		original:  "message d'origine|message original|mail original|courriel original|e-mail d'origine",
		forwarded: "message transféré|message suivi|message réexpédié|courriel transféré|mail transféré",
		begin:     "début du message réexpédié|début du message transféré",
		prefix:    "tr", footer: "envoyé de mon |envoyé depuis mon |envoyé à partir de |envoyé depuis outlook|envoyé depuis yahoo|envoyé depuis l'|envoyé avec |envoyé par mon |télécharger outlook|téléchargez outlook|" +
			"obtenir outlook|obtenez outlook|provenance : courrier",
	},
	"es": {
		wrote: "escribió|escribio", on: "el|lun|mié|jue|vie|sáb|dom|lunes|martes|miércoles|jueves|viernes|sábado|domingo",
		from: "de", date: "enviado|fecha|enviado el", to: "para", cc: "copia|con copia a", subject: "asunto",
		original:  "mensaje original|correo original",
		forwarded: "mensaje reenviado|correo reenviado",
		begin:     "inicio del mensaje reenviado|comienzo del mensaje reenviado|comenzar mensaje reenviado",
		prefix:    "rv", footer: "enviado desde mi |enviado desde outlook|enviado desde yahoo|enviado desde correo |enviado con |enviado desde el |obtener outlook|obtén outlook|descargar outlook|" +
			"descarga outlook",
	},
	"it": {
		wrote: "scritto|scrive", on: "il|lun|mar|mer|gio|ven|sab|dom|lunedì|martedì|mercoledì|giovedì|venerdì|sabato|domenica",
		from: "da|mittente", date: "inviato|data|inviato il", to: "a|destinatario", cc: "copia", subject: "oggetto",
		original:  "messaggio originale|messaggio di origine",
		forwarded: "messaggio inoltrato",
		begin:     "inizio messaggio inoltrato|inizio del messaggio inoltrato",
		prefix:    "i", footer: "inviato da iphone|inviato da ipad|inviato dal mio |inviato dalla mia |inviato da outlook|inviato da yahoo|inviato da posta |inviato con |inviato da libero|scarica outlook|ottieni outlook|inviato da android",
	},
	"pt": {
		wrote: "escreveu", on: "em|no|a|seg|ter|qua|qui|sex|sáb|dom|segunda|terça|quarta|quinta|sexta|sábado|segunda-feira|terça-feira|quarta-feira|quinta-feira|sexta-feira",
		from: "de|remetente", date: "enviado|enviada|data|enviada em|enviado em|enviado a", to: "para", cc: "cópia", subject: "assunto",
		original:  "mensagem original|e-mail original",
		forwarded: "mensagem encaminhada|mensagem reencaminhada|mensagem reenviada",
		begin:     "início da mensagem encaminhada|início da mensagem reencaminhada|início de mensagem reencaminhada|começo da mensagem reenviada",
		prefix:    "enc", footer: "enviado do meu |enviada do meu |enviado a partir do |enviado do outlook|enviado do yahoo|enviado do email |enviado do correio |enviado pelo |enviado com |enviado via |obter o outlook|" +
			"baixar o outlook|obtenha o outlook|baixe o outlook",
	},
	"pl": {
		wrote: "napisał|napisana|napisała|napisano|pisze", on: "w|dnia|dn|pon|wt|śr|czw|pt|sob|niedz|poniedziałek|wtorek|środa|czwartek|piątek|sobota|niedziela",
		from: "od|nadawca", date: "wysłano|data|wysłane|data wysłania", to: "do|adresat", cc: "dw|do wiadomości|kopia", subject: "temat",
		original:  "oryginalna wiadomość|wiadomość oryginalna|treść oryginalnej wiadomości",
		forwarded: "wiadomość przekazana dalej|przekazana wiadomość|wiadomość przekazana|treść przekazanej wiadomości|wiadomość przesłana dalej|przesłana wiadomość",
		begin:     "początek przekazywanej wiadomości|początek przekazanej wiadomości|początek przekazywanej dalej wiadomości",
		prefix:    "pd|pdl", footer: "wysłane z |wysłano z |wysłane za pomocą|wysłano za pomocą|pobierz aplikację outlook|pobierz program outlook|pobierz outlook|uzyskaj aplikację outlook|uzyskaj outlook",
	},
	"fi": {
		wrote: "kirjoitti|kirjoittaa", on: "ma|ti|ke|to|pe|la|su|maanantai|tiistai|keskiviikko|torstai|perjantai|lauantai|sunnuntai|maanantaina|tiistaina|torstaina|perjantaina",
		from: "lähettäjä", date: "lähetetty|päivämäärä|päiväys|lähetyspäivä", to: "vastaanottaja|saaja", cc: "kopio", subject: "aihe",
		original:  "alkuperäinen viesti|alkuperäinen sanoma",
		forwarded: "edelleenlähetetty viesti|välitetty viesti|edelleen välitetty viesti",
		begin:     "välitetty viesti alkaa|edelleenlähetetty viesti alkaa|välitetty viesti",
		prefix:    "vl", footer: "lähetetty iphone|lähetetty ipad|lähetetty outlook|lähetetty samsung|lähetetty android|lähetetty puhelimesta|lähetetty windows|lähetetty yahoo|lähetetty proton|hanki outlook|lataa outlook",
	},
	"ru": {
		wrote: "написал|написала|писал|пишет|написано", on: "пн|вт|ср|чт|пт|сб|вс|понедельник|вторник|среда|четверг|пятница|суббота|воскресенье|в",
		from: "от|от кого|отправитель", date: "отправлено|дата|дата отправки", to: "кому", cc: "копия", subject: "тема",
		original:  "исходное сообщение|оригинальное сообщение|исходное письмо|первоначальное сообщение",
		forwarded: "пересылаемое сообщение|перенаправленное сообщение|пересланное сообщение|переадресованное сообщение|пересылаемое письмо",
		begin:     "начало переадресованного сообщения|начало пересылаемого сообщения",
		footer:    "отправлено с |отправлено из |отправлено через |скачать outlook|получите outlook|получить outlook|загрузить outlook",
	},
	"zh": {
		wrote: "写道|寫道|编写|写到|寫到", on: "在|于|於",
		from: "发件人|寄件者|寄件人|发信人|發件人", date: "发送时间|日期|发送日期|寄件日期|傳送時間|时间|時間|傳送日期|已傳送|已发送|发件时间", to: "收件人|收件者|发送至", cc: "抄送|副本|密件抄送|抄送人",
		subject:   "主题|主旨|主題|标题",
		original:  "原始邮件|原始郵件|邮件原件|原邮件|原始信件|原始訊息|回复的原邮件|回覆的原郵件",
		forwarded: "转发的邮件|轉寄的郵件|转发邮件信息|轉寄郵件|转发邮件|转发的消息|轉寄的訊息|已转发的邮件|已轉寄的郵件|转发的原邮件",
		begin:     "下面是被转发的邮件|开始转发的邮件|以下是轉寄的郵件|開始轉寄郵件|开始转发邮件|以下為轉寄郵件|轉寄郵件開始",
		prefix:    "转发|轉寄|轉發|转寄", footer: "发自我的|发自|從我的 …傳送|从我的 …发送|从我的|傳送自我的|寄自我的|获取 outlook|取得 outlook|下載 outlook|下载 outlook|从 windows |從 windows |下载适用于|取得適用於|获取适用于|发送自|从我的iphone|從我的iphone",
	},
	"ja": {
		wrote: "書きました|書き込みました|のメール|のメッセージ|のコメント", on: "",
		from: "差出人|送信元|送信者", date: "送信日時|日時|日付|送信日", to: "宛先", cc: "", subject: "件名",
		original:  "元のメッセージ|オリジナルメッセージ|元のメール|元の予定",
		forwarded: "転送されたメッセージ|転送メッセージ|転送されたメール|転送元メッセージ",
		begin:     "転送されたメッセージ|以下は転送されたメッセージです",
		prefix:    "転送", footer: "iphoneから送信|ipadから送信|iphone から送信|ipad から送信|androidから送信|galaxyから送信|windows …から送信|outlook for …を入手|ios 版 outlook|android 版 outlook|yahoo!メール|xperia",
	},
	"cs": {
		wrote: "napsal|napsala", on: "dne|po|út|st|čt|pá|so|ne", from: "odesílatel", date: "odesláno|datum", to: "komu", cc: "kopie", subject: "předmět",
		original: "původní zpráva|původní e-mail", forwarded: "přeposlaná zpráva", begin: "začátek přeposílané zprávy|začátek přeposlané zprávy", footer: "odesláno z |získat outlook",
	},
	"tr": {
		wrote: "yazdı|şunları yazdı", on: "pzt|sal|çar|per|cum|cmt|paz", from: "kimden|gönderen", date: "gönderildi|tarih|gönderme tarihi", to: "kime|alıcı", cc: "bilgi", subject: "konu",
		original: "orijinal mesaj|özgün ileti", forwarded: "yönlendirilen mesaj|iletilen mesaj", begin: "iletilen mesaj başlangıcı", prefix: "ilt|i̇lt", footer: "iphone'umdan gönderildi|ipad'imden gönderildi",
	},
	"ko": {
		wrote: "작성", on: "", from: "보낸 사람|보낸사람|발신", date: "보낸 날짜|날짜|보낸날짜", to: "받는 사람|받는사람|수신", cc: "참조", subject: "제목",
		original: "원본 메시지|원본 메일", forwarded: "전달된 메시지|전달된 메일", begin: "전달된 메시지", prefix: "전달", footer: "나의 iphone에서 보냄|내 iphone에서 보냄",
	},
}

// footerLinks are the addresses that the lines of phones lead to, in whatever
// language the words are.
var footerLinks = []string{"aka.ms/o0ukef", "aka.ms/aab9ysg", "aka.ms/ghei36", "aka.ms/qtex0l", "aka.ms/ymb", "go.microsoft.com/fwlink/?linkid=550986",
	"go.onelink.me/107872968", "proton.me/mail/home", "mail.onelink.me/107872968",
	"mobisystems.com/aqua-mail"}

// meaning of a header field.
type meaning uint8

const (
	noField meaning = iota
	from
	date
	to
	cc
	subject
	other
)

// What the languages say, for looking up.
var (
	fields    = map[string]meaning{}
	verbs     = map[string]bool{}
	verbsCJK  []string // written without space around them
	openers   = map[string]bool{}
	originals = map[string]bool{}
	prefixes  = map[string][]string{} // with the names of the field From in each language that has them
	forwards  = map[string]bool{}
	begins    = map[string]bool{}
	footers   = map[byte][][2]string{} // by first octet
)

func init() {
	each := func(list string, do func(string)) {
		for w := range strings.SplitSeq(list, "|") {
			if w != "" {
				do(w)
			}
		}
	}
	for _, w := range []string{"reply-to", "reply to", "antwort an", "antwort-an", "antwoord-aan", "répondre à", "svar til", "svar-til", "responder a",
		"importance", "attachments", "attachment", "organization", "organisation", "priority", "vigtighed", "wichtigkeit", "anlagen", "bijlagen", "pièces jointes",
		"vedhæftede filer", "x-mailer", "message-id", "return-path", "user-agent", "newsgroups", "bilagor", "vedlegg", "allegati", "datos adjuntos", "anexos",
		"importancia", "importance haute", "sensitivity", "categories", "附件", "重要性", "添付ファイル", "重要度", "załączniki", "вложения", "важность", "liitteet"} {
		fields[w] = other
	}
	for _, l := range languages {
		for m, list := range map[meaning]string{from: l.from, date: l.date, to: l.to, cc: l.cc, subject: l.subject} {
			each(list, func(w string) { fields[w] = m })
		}
		each(l.wrote, func(w string) {
			if w[0] >= 0xe3 { // U+3000 and above
				verbsCJK = append(verbsCJK, w)
			} else {
				verbs[w] = true
			}
		})
		each(l.on, func(w string) { openers[w] = true })
		each(l.original, func(w string) { originals[w] = true })
		each(l.prefix, func(w string) { prefixes[w] = append(prefixes[w], strings.Split(l.from, "|")...) })
		each(l.forwarded, func(w string) { forwards[w] = true })
		each(l.begin, func(w string) { begins[w] = true })
		each(l.footer, func(w string) {
			head, in, _ := strings.Cut(w, "…")
			footers[head[0]] = append(footers[head[0]], [2]string{head, in})
		})
	}
}

// features are what tells a sentence that introduces a quote.
type features uint8

const (
	verb     features = 1 << iota
	clock             // 10:00
	year              // 2026, or another date in digits
	address           // a mail address
	opening           // begins as programs begin it
	finished          // ends as people end a sentence
	strokes           // between strokes
	looked
)

// longestSentence is how long the lines of such a sentence can be in all.
const longestSentence = 600

// look reads the features of one line.
func look(bare string) features {
	f := looked
	if len(bare) > longestSentence || bare == "" {
		return f
	}
	if strings.IndexByte(bare, '@') > 0 {
		f |= address
	}
	if strings.HasPrefix(bare, "--") {
		f |= strokes
	}
	s := strings.ToLower(strings.Trim(bare, " *_\"-—‐"))
	f |= numbers(s)
	first, start := true, -1 // of the word
	for i, r := range s + " " {
		if letter(r) {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 {
			w := s[start:i]
			if verbs[w] {
				f |= verb
			}
			if first && (openers[w] || digit(w[0])) {
				f |= opening
			}
			first, start = false, -1
		}
	}
	for _, v := range verbsCJK {
		if strings.Contains(s, v) {
			f |= verb
			break
		}
	}
	if strings.HasPrefix(s, "在") || strings.HasPrefix(s, "于") || strings.HasPrefix(s, "於") {
		f |= opening
	}
	switch last := bare[len(bare)-1]; {
	case last == '!' || last == '?':
		f |= finished
	case last == '.' && len(bare) > 5:
		n := 0
		for i := len(bare) - 2; i >= 0 && bare[i]|0x20 >= 'a' && bare[i]|0x20 <= 'z'; i-- {
			n++
		}
		if n >= 4 { // "kl.", "nov." are abbreviations
			f |= finished
		}
	}
	return f
}

func letter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 0xc0 && r < 0x2000 || r >= 0x3040 && r < 0xff00
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// numbers finds a time (10:00, 10.00, 10h00) and a date with its year, or with
// three numbers.
func numbers(s string) (f features) {
	runs := 0
	for i := 0; i < len(s); i++ {
		if !digit(s[i]) {
			continue
		}
		end := i
		for end < len(s) && digit(s[end]) {
			end++
		}
		runs++
		switch n := end - i; {
		case n == 4 && (s[i:i+2] == "19" || s[i:i+2] == "20"):
			f |= year
		case n <= 2 && end+2 < len(s) && (s[end] == ':' || s[end] == '.' || s[end] == 'h') && digit(s[end+1]) && digit(s[end+2]) && (end+3 == len(s) || !digit(s[end+3])):
			f |= clock
		}
		i = end
	}
	if f&clock != 0 && runs >= 5 { // 02/11/26, 10:00
		f |= year
	}
	return f
}

// field reads a line like "*From:* Anna <a@b>" as a known field. Marks of bold
// text, quotes and table rules around the name are ignored.
func field(bare string) (is meaning, value string) {
	const longestName = 40
	if len(bare) < 3 || len(bare) > 4000 {
		return noField, ""
	}
	s := strings.TrimLeft(bare, ">*|_ \t")
	head := s[:min(len(s), longestName)]
	i, wide := strings.IndexByte(head, ':'), 1
	if j := strings.Index(head, "："); j > 0 && (i < 0 || j < i) {
		i, wide = j, len("：")
	}
	if i <= 0 {
		return noField, ""
	}
	is = fields[fieldName(head[:i])]
	if is == noField {
		return noField, ""
	}
	return is, strings.Trim(strings.TrimLeft(s[i+wide:], "*_"), " |\t")
}

// fieldName is a field's name as the languages hold it; more may follow its colon.
func fieldName(s string) string {
	if i := strings.IndexAny(s, ":："); i >= 0 {
		s = s[:i]
	}
	return strings.ReplaceAll(strings.ToLower(strings.Trim(s, ">*|_. \t")), "’", "'")
}

// bareField is field for lines like `From "Anna" <a@b>` and "| From | Anna |".
func bareField(bare string) meaning {
	s := strings.TrimLeft(bare, "*|_ \t")
	name, _, ok := strings.Cut(s[:min(len(s), 100)], " ")
	if !ok {
		return noField
	}
	return fields[strings.ToLower(strings.TrimRight(name, ":：*|"))]
}

// phrase is what stands between strokes, in lower case: "--- Original Message ---".
func phrase(bare string) string {
	const strokes = "-‐_=*— "
	s := strings.TrimLeft(bare, "> ")
	if len(s) > 160 || len(s) < 6 {
		return ""
	}
	switch {
	case s[0] == '-' && s[1] == '-', s[0] == '_' && s[1] == '_', s[0] == '=' && s[1] == '=', s[0] == '*' && s[1] == '*', strings.HasPrefix(s, "‐‐"), strings.HasPrefix(s, "——"):
	default:
		return ""
	}
	return strings.ReplaceAll(strings.ToLower(strings.Trim(s, strokes)), "’", "'")
}

// copies stand between strokes where a mail server tells in prose that it gave a
// mail up, above that mail.
var copies = map[string]bool{
	"below this line is a copy of the message.":                  true, // qmail, Yahoo
	"below this line is the original bounce.":                    true,
	"below this line is a copy of the message":                   true,
	"this is a copy of the message, including all the headers.":  true, // exim
	"this is a copy of your message, including all the headers.": true,
	"this is a copy of the message's headers.":                   true,
	"this is a copy of the message's body.":                      true,
	"original message follows":                                   true, // sendmail
	"unsent message follows":                                     true,
	"message header follows":                                     true,
	"returned message":                                           true,
}

// copied tells the line above the mail that a server gives back.
func copied(bare string) bool {
	p := phrase(bare)
	return p != "" && copies[p]
}

// original tells "-----Original Message-----".
func original(bare string) bool {
	p := phrase(bare)
	return p != "" && originals[p]
}

// announced tells the line that programs put above a mail they forward.
func announced(bare string) bool {
	if inner, _, runs := runTogether(bare); runs {
		return forwards[inner]
	}
	if p := phrase(bare); p != "" {
		return forwards[p] || strings.HasPrefix(p, "forwarded by ") || strings.HasPrefix(p, "forwarded message from ") || strings.HasPrefix(p, "weitergeleitet von ") || strings.HasPrefix(p, "transféré par ") ||
			strings.HasPrefix(p, "videresendt af ") || strings.HasPrefix(p, "doorgestuurd door ")
	}
	s := strings.Trim(bare, "> *")
	if len(s) > 120 {
		return false
	}
	for _, colon := range []string{":", "："} {
		if head, ok := strings.CutSuffix(s, colon); ok {
			return begins[strings.ToLower(strings.TrimSpace(head))]
		}
	}
	return false
}

// runTogether parts Yahoo's "----- Forwarded Message ----- From: a@bTo: c@d": one
// line for all fields.
func runTogether(bare string) (phrase, rest string, ok bool) {
	const strokes = "-----"
	s := strings.TrimLeft(bare, "> ")
	if !strings.HasPrefix(s, strokes) {
		return "", "", false
	}
	s = strings.TrimLeft(s, "-")
	phrase, rest, ok = strings.Cut(s[:min(len(s), 4000)], strokes)
	rest = strings.Trim(rest, "- ")
	return strings.ToLower(strings.TrimSpace(phrase)), rest, ok && rest != ""
}

// apart cuts a line of several fields before each known name but the first.
func apart(s string) (fieldLines []string) {
	const most = 8
	start := 0
	for i := 0; i < len(s) && len(fieldLines) < most; i++ {
		if s[i] != ':' {
			continue
		}
		for j := max(start+1, i-20); j < i; j++ {
			if c := s[j]; c < 0x80 && !(c >= 'A' && c <= 'Z') || c >= 0x80 && c < 0xc0 {
				continue // a name begins with a capital
			}
			if is := fields[strings.ToLower(s[j:i])]; is != noField {
				fieldLines = append(fieldLines, strings.TrimSpace(s[start:j]))
				start = j
				break
			}
		}
	}
	return append(fieldLines, strings.TrimSpace(s[start:]))
}

// footer tells the one line that phones and services put under what people
// write.
func footer(bare string) bool {
	if len(bare) > 200 {
		return false
	}
	s := strings.ReplaceAll(strings.ToLower(strings.Trim(bare, "*_ [(-—")), "’", "'")
	if s == "" {
		return false
	}
	for _, f := range footers[s[0]] {
		if strings.HasPrefix(s, f[0]) && strings.Contains(s[len(f[0]):], f[1]) {
			return true
		}
	}
	for _, l := range footerLinks {
		if strings.Contains(s, l) {
			return true
		}
	}
	return false
}
