package quote

import "strings"

// How sure a sentence is one that introduces a quote.
type kind int

const (
	none    kind = iota
	likely       // has the verb
	certain      // has the verb, a time and an address
)

// verbs of "On ... Anna wrote:" in en, da, nb, sv, nl, de, fr, es, it, pt, pl
// and fi.
var verbs = []string{
	"wrote", "skrev", "skreiv", "schreef", "geschreven", "schrieb", "a écrit", "escribió", "ha scritto",
	"escreveu", "napisał", "napisała", "napisał(a)", "pisze", "kirjoitti", "skriver", "writes",
}

// attribution judges a sentence, which may have been put together from several
// lines.
func attribution(s string) kind {
	s = strings.ToLower(strings.Trim(s, " *_"))
	if !strings.HasSuffix(s, ":") {
		return none
	}
	found := false
	for _, v := range verbs {
		if word(s, v) {
			found = true
			break
		}
	}
	if !found {
		return none
	}
	if strings.Contains(s, "@") && clock(s) {
		return certain
	}
	return likely
}

// opens says that a sentence begins as programs begin it: with a word for "on" or
// a weekday, or with a date.
func opens(s string) bool {
	s = strings.ToLower(strings.TrimLeft(s, " *_"))
	if s == "" || !strings.ContainsAny(s, "0123456789") {
		return false
	}
	first, _, _ := strings.Cut(s, " ")
	switch strings.TrimRight(first, ".,") {
	case "on", "den", "op", "am", "le", "el", "il", "em", "no", "dnia", "w",
		"man", "tir", "ons", "tor", "fre", "lør", "søn", "pon", "wt", "śr", "czw", "pt", "sob", "niedz":
		return true
	}
	return digit(s[0])
}

// word finds v in s as a whole word.
func word(s, v string) bool {
	for from := 0; ; {
		i := strings.Index(s[from:], v)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(v)
		if (i == 0 || !letter(s[i-1])) && (end == len(s) || !letter(s[end])) {
			return true
		}
		from = end
	}
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 0x80 }

// clock finds a time like 10:00 or 10.00.
func clock(s string) bool {
	for i := 1; i+2 < len(s); i++ {
		if (s[i] == ':' || s[i] == '.') && digit(s[i-1]) && digit(s[i+1]) && digit(s[i+2]) && (i+3 >= len(s) || !digit(s[i+3])) {
			return true
		}
	}
	return false
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// keys are the fields that programs write above a quoted or forwarded mail, by
// what they mean.
var keys = map[string]string{}

func init() {
	for meaning, words := range map[string]string{
		"from":    "from fra von van från de da od lähettäjä",
		"date":    "sent date sendt dato gesendet datum verzonden skickat envoyé enviado inviato enviada data wysłano fecha lähetetty date_d'envoi",
		"to":      "to til an aan till à para a do vastaanottaja pour",
		"cc":      "cc kopi kopie kopia copie dw cc: cópia",
		"subject": "subject emne betreff onderwerp ämne objet asunto oggetto assunto temat aihe betr",
		"reply":   "reply-to svar antwort-an antwoord-aan",
	} {
		for w := range strings.FieldsSeq(words) {
			keys[strings.ReplaceAll(w, "_", " ")] = meaning
		}
	}
}

// field reads a line like "*From:* Anna <a@b>" as a known field. Marks of bold
// text, quotes and table rules around the key are ignored.
func field(bare string) (key, value string) {
	if len(bare) < 3 || len(bare) > 2000 {
		return "", ""
	}
	s := strings.TrimLeft(bare, ">*|_ \t")
	i := strings.IndexByte(s[:min(len(s), 30)], ':')
	if i <= 0 {
		return "", ""
	}
	key = keys[strings.ToLower(strings.Trim(s[:i], " *_\u00a0"))]
	if key == "" {
		return "", ""
	}
	return key, strings.Trim(strings.TrimLeft(s[i+1:], "*_"), " |\t\u00a0")
}

// original tells "-----Original Message-----" in many languages.
func original(bare string) bool {
	s := phrase(bare)
	if s == "" {
		return false
	}
	for _, p := range []string{
		"original message", "oprindelig meddelelse", "opprinnelig melding", "oprindelig besked", "ursprungligt meddelande",
		"ursprüngliche nachricht", "originalnachricht", "original-nachricht", "oorspronkelijk bericht", "message d'origine", "message original",
		"mensaje original", "messaggio originale", "mensagem original", "oryginalna wiadomość", "wiadomość oryginalna", "alkuperäinen viesti",
		"original besked", "originalt budskap", "original appointment",
	} {
		if s == p {
			return true
		}
	}
	return false
}

// phrase is what stands between strokes, lower case: "--- Original Message ---".
func phrase(bare string) string {
	s := strings.TrimLeft(bare, "> ")
	if len(s) > 120 || !strings.HasPrefix(s, "--") && !strings.HasPrefix(s, "__") {
		return ""
	}
	return strings.ToLower(strings.Trim(s, "-_ *"))
}

// announced tells the line that programs put above a mail they forward.
func announced(bare string) bool {
	s := strings.ToLower(strings.Trim(bare, "> *"))
	if len(s) > 120 {
		return false
	}
	switch strings.TrimSpace(strings.TrimSuffix(s, ":")) {
	case "begin forwarded message", "start på videresendt besked", "begynd videresendt besked", "videresendt besked",
		"begin doorgestuurd bericht", "anfang der weitergeleiteten nachricht", "début du message réexpédié",
		"début du message transféré", "start på videresendt melding", "vidarebefordrat brev":
		return strings.HasSuffix(s, ":")
	}
	switch phrase(bare) {
	case "forwarded message", "videresendt besked", "videresendt meddelelse", "videresendt melding", "doorgestuurd bericht",
		"weitergeleitete nachricht", "message transféré", "message forwarded", "forwarded by", "vidarebefordrat meddelande",
		"message suivi", "mensaje reenviado", "messaggio inoltrato", "mensagem encaminhada", "wiadomość przekazana dalej":
		return true
	}
	return false
}

// footer tells the one line that phones put under what people write.
func footer(bare string) bool {
	s := strings.ToLower(strings.Trim(bare, "*_ "))
	if len(s) > 120 {
		return false
	}
	s = strings.TrimPrefix(s, "[")
	for _, p := range []string{
		"sent from my ", "sent from outlook", "sent from mail for ", "sent from yahoo", "sent via ", "sent with proton",
		"sendt fra min ", "sendt fra mit ", "sendt fra outlook", "sendt fra mail ", "hent outlook ", "get outlook for ", "skaff deg outlook ",
		"verzonden vanaf mijn ", "verstuurd vanaf mijn ", "verzonden met ", "outlook voor ", "download outlook ",
		"von meinem ", "gesendet von ", "gesendet mit ", "outlook für ", "skickat från min ", "skickat från outlook", "hämta outlook ",
		"envoyé de mon ", "envoyé depuis mon ", "télécharger outlook ", "obtenir outlook ", "enviado desde mi ", "enviado do meu ", "inviato da ", "obtener outlook",
	} {
		if strings.HasPrefix(s, p) {
			return !strings.HasPrefix(s, "von meinem ") || strings.Contains(s, "gesendet")
		}
	}
	return false
}
