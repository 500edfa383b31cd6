package flow

import (
	"slices"
	"strings"
)

// What people write around a word to be polite, in the languages that mails
// come in. It changes nothing of what the word says: no yes, no no, no not.
var politeness = phrases(
	// English
	"please", "pls", "plz", "kindly", "thanks", "thank you", "thank you very much", "thanks a lot", "many thanks", "thx", "ty", "cheers",
	// Dutch
	"alstublieft", "alsjeblieft", "aub", "a.u.b", "svp", "s.v.p", "graag", "bedankt", "alvast bedankt", "dank", "dank u", "dank je", "dank u wel",
	"dank je wel", "dankuwel", "dankjewel", "hartelijk dank", "vriendelijk bedankt",
	// Danish
	"venligst", "gerne", "tak", "mange tak", "tusind tak", "på forhånd tak",
	// Norwegian Bokmål
	"vennligst", "gjerne", "takk", "mange takk", "tusen takk", "på forhånd takk",
	// German
	"bitte", "danke", "dankeschön", "danke schön", "danke sehr", "vielen dank", "besten dank", "herzlichen dank", "gerne",
)

// Wish is something that a customer may want of a case, whatever the desk calls
// it and whether or not it lets customers do it.
type Wish string

const (
	WishClose  Wish = "close"
	WishCancel Wish = "cancel"
	WishReopen Wish = "reopen"
)

// wishes are the ways to say so in one line. {case} stands for each of
// caseNouns.
var wishes = []struct {
	wish Wish
	says []string
}{
	{WishClose, phrases(
		"close", "close it", "close {case}", "you can close {case}", "you may close {case}", "{case} can be closed",
		"sluiten", "sluit", "sluit {case}", "{case} sluiten", "{case} kan gesloten worden", "{case} mag gesloten worden", "{case} mag dicht",
		"luk", "lukkes", "afslut", "luk {case}", "afslut {case}", "{case} kan lukkes", "{case} kan afsluttes",
		"lukk", "avslutt", "lukk {case}", "avslutt {case}", "{case} kan lukkes", "{case} kan avsluttes",
		"schließen", "schliessen", "abschließen", "abschliessen", "{case} schließen", "{case} schliessen", "{case} abschließen", "{case} abschliessen",
		"{case} kann geschlossen werden")},
	{WishCancel, phrases(
		"cancel", "cancel it", "cancel {case}", "withdraw", "withdraw {case}",
		"annuleren", "annuleer", "annuleer {case}", "{case} annuleren", "intrekken", "{case} intrekken", "{case} kan vervallen",
		"annuller", "annuller {case}", "annullér", "annullér {case}", "{case} kan annulleres",
		"avbryt", "avbryt {case}", "kanseller", "kanseller {case}", "{case} kan annulleres", "{case} kan avbrytes",
		"stornieren", "{case} stornieren", "abbrechen", "{case} abbrechen", "zurückziehen", "{case} zurückziehen")},
	{WishReopen, phrases(
		"reopen", "re-open", "reopen it", "reopen {case}", "re-open {case}", "open again", "open {case} again",
		"heropenen", "heropen", "heropen {case}", "{case} heropenen", "opnieuw openen", "{case} opnieuw openen",
		"genåbn", "genåbn {case}", "åbn igen", "åbn {case} igen",
		"gjenåpne", "gjenåpne {case}", "åpne igjen", "åpne {case} igjen",
		"wieder öffnen", "wiedereröffnen", "{case} wieder öffnen", "{case} wiedereröffnen", "erneut öffnen", "{case} erneut öffnen")},
}

// caseNouns are what customers call a case.
var caseNouns = []string{
	"case", "the case", "this case", "my case", "the ticket", "this ticket", "my ticket", "the request", "this request", "my request",
	"de case", "deze case", "mijn case", "het ticket", "dit ticket", "mijn ticket", "de zaak", "deze zaak", "mijn zaak", "deze melding", "de melding",
	"mijn melding", "deze aanvraag", "de aanvraag", "mijn aanvraag", "deze serviceaanvraag",
	"sagen", "denne sag", "min sag", "saken", "denne saken", "saken min", "min sak",
	"den fall", "diesen fall", "der fall", "dieser fall", "meinen fall", "das ticket", "dieses ticket", "mein ticket",
	"die anfrage", "diese anfrage", "meine anfrage", "den vorgang", "diesen vorgang", "diesem fall", "diesem ticket", "diesem vorgang", "dieser anfrage",
}

// WishOf says what a line wishes, "" if it is no such wish. It must stand alone
// in the line, like a word; politeness around it does not matter.
func WishOf(line string) Wish {
	for _, w := range wishes {
		if Says(line, w.says) {
			return w.wish
		}
	}
	return ""
}

// Phrases are lines for Says; {case} stands for each noun of a case.
func Phrases(all ...string) []string { return phrases(all...) }

func phrases(all ...string) []string {
	var made []string
	for _, p := range all {
		if !strings.Contains(p, "{case}") {
			made = append(made, plain(p))
			continue
		}
		for _, noun := range caseNouns {
			made = append(made, plain(strings.ReplaceAll(p, "{case}", noun)))
		}
	}
	slices.Sort(made)
	return slices.Compact(made)
}

// Says reports whether a line is one of these phrases and nothing else, as
// Word compares: case, punctuation, quotes and politeness do not matter.
func Says(line string, phrases []string) bool {
	return slices.ContainsFunc(readings(line), func(r string) bool {
		_, found := slices.BinarySearch(phrases, r)
		return found
	})
}

// readings are what a line may say: itself, and without the politeness around
// it. A line that is nothing but politeness says nothing.
func readings(line string) []string {
	word := plain(line)
	if word == "" {
		return nil
	}
	all := []string{word}
	for range 4 { // "please close, thank you very much"
		bare := impolite(word)
		if bare == word || bare == "" {
			break
		}
		all = append(all, bare)
		word = bare
	}
	return all
}

// longestPoliteness is how many words one phrase of politeness has at most.
const longestPoliteness = 4

// impolite cuts the longest phrase of politeness off either end.
func impolite(line string) string {
	fields := strings.Fields(line)
	for n := min(longestPoliteness, len(fields)); n > 0; n-- {
		if isPolite(fields[:n]) {
			fields = fields[n:]
			break
		}
	}
	for n := min(longestPoliteness, len(fields)); n > 0; n-- {
		if isPolite(fields[len(fields)-n:]) {
			fields = fields[:len(fields)-n]
			break
		}
	}
	return plain(strings.Join(fields, " "))
}

func isPolite(fields []string) bool {
	_, found := slices.BinarySearch(politeness, plain(strings.Join(fields, " ")))
	return found
}
