package core

import (
	"fmt"
	"strings"
	"testing"
)

// asks writes queries down shortly: "list mine; show CASE-1; no-number!".
func asks(q queryMail) string {
	var all []string
	for _, l := range q.lines {
		s := strings.Join(strings.Fields(l.verb+" "+l.scope+l.words+l.number), " ")
		if l.wrong != "" {
			s = strings.TrimSpace(l.wrong + "! " + l.meant)
		}
		all = append(all, s)
	}
	s := strings.Join(all, "; ")
	if q.whole {
		s += " ."
	}
	if q.unread != "" {
		s += " | " + strings.ReplaceAll(q.unread, "\n", "/")
	}
	return strings.TrimSpace(s)
}

func TestReadQueries(t *testing.T) {
	for _, c := range []struct{ name, reply, subject, want string }{
		{"R42/one word", "list mine", "x", "list mine ."},
		{"R42/the word alone", "List.", "", "list ."},
		{"R42/several lines", "list open\nlist overdue\n#Search: printer hall 2\r\nshow [CASE-10001]\n* history case-10002", "", "list open; list overdue; search printer hall 2; show CASE-10001; history case-10002 ."},
		{"R42/each scope", "list mine\nlist waiting\nlist unassigned\nlist closed\nhelp\nmorning on\nmorning off", "", "list mine; list waiting; list unassigned; list closed; help; morning on; morning off ."},
		{"R45/in Dutch", "lijst gesloten\nzoek printer\ntoon CASE-1\ngeschiedenis CASE-1\nochtend aan", "", "list closed; search printer; show CASE-1; history CASE-1; morning on ."},
		{"R45/in Danish", "liste åbne\nsøg printer\nvis CASE-1\nhistorik CASE-1\nhjælp", "", "list open; search printer; show CASE-1; history CASE-1; help ."},
		{"R45/in Norwegian", "liste ikke tildelte\nsøk printer\nvis SAK-1\nhistorikk SAK-1\nmorgen av", "", "list unassigned; search printer; show SAK-1; history SAK-1; morning off ."},
		{"R45/in German", "Liste offene\nSuche Drucker\nZeige CASE-1\nVerlauf CASE-1\nHilfe!", "", "list open; search Drucker; show CASE-1; history CASE-1; help ."},
		{"R42/several cases on a line", "show CASE-1, CASE-2 and 3.", "", "show CASE-1; show CASE-2; show 3 ."},
		{"R42/the subject, where the text says nothing", "", "list mine", "list mine"},
		{"R42/the subject, above a signature", "Mia Holm\nDesk", "list mine", "list mine | Mia Holm/Desk"},
		{"R42/a signature below", "list mine\n\nKind regards\nMia", "", "list mine | Kind regards/Mia"},
		{"R43/paragraphs of an HTML mail", "list mine\r\n\r\nshow CASE-1\n\n\nlist open\n", "", "list mine; show CASE-1; list open ."},
		{"R42/a signature that is nearly a query", "list mine\n\nLiset", "", "list mine | Liset"},
		{"R42/a signature just below", "list mine\nMia Holm", "", "list mine | Mia Holm"},
		{"R43/nothing that is known", "Please do something", "Hello", "| Please do something"},
		{"R43/nothing at all", " \n ", "", ""},
		{"R43/a slip of the pen", "serach printer\nlst open\nhistry CASE-1", "", "no-word! search printer; no-word! list open; no-word! history CASE-1"},
		{"R43/a list that is none", "list opn\nlist foo", "", "no-scope! list open; no-scope!"},
		{"R43/a word without what it takes", "search\nsearch ***\nshow\nshow printer", "", "no-words!; no-words!; no-number!; no-number!"},
		{"R43/what is quoted says nothing", "> list mine", "", "| > list mine"},
		{"R45/a text that begins like one", "list of printers that are broken", "x", "| list of printers that are broken"},
		{"R45/a wish", "show me how the printer works", "x", "| show me how the printer works"},
		{"R45/a greeting", "Good morning\n\nthe printer burns", "x", "| Good morning/"},
		{"R45/another greeting", "Morning all,", "x", "| Morning all,"},
		{"R45/a cry", "Help me!", "x", "| Help me!"},
		{"R21/control characters and bidi marks", "show\x00 CASE-1\u202e", "", "show CASE-1 ."},
		{"R43/below the banner of a mail system", "CAUTION: This email originated from outside of the organization.\n\nlist mine", "", "list mine ."},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := asks(readQueries(c.reply, c.subject)); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	t.Run("R18/hostile text is read in no time, and ten queries of it at most", func(t *testing.T) {
		for _, s := range []string{strings.Repeat("list mine\n", 100_000), "show " + strings.Repeat("CASE-1 ", 100_000), "search " + strings.Repeat("x", 1_000_000),
			strings.Repeat("search ", 100_000), strings.Repeat("\n", 1_000_000), "show " + strings.Repeat("9", 1_000_000), "list " + strings.Repeat("m", 1_000_000)} {
			q := readQueries(s, s)
			if len(q.lines) > queriesInMail {
				t.Errorf("%d queries of %.20q", len(q.lines), s)
			}
			for _, l := range q.lines {
				if len(l.line) > 400 || len(l.words) > 4*searchChars || len(l.meant) > 800 {
					t.Errorf("%.20q keeps a line of %d", s, len(l.line)+len(l.words))
				}
			}
		}
		if q := readQueries("show "+strings.Repeat("CASE-1 ", 1000), ""); len(q.lines) != queriesInMail || !q.over {
			t.Errorf("%d of a thousand, more: %v", len(q.lines), q.over)
		}
	})
}

func TestReadTerms(t *testing.T) {
	for _, c := range []struct{ name, search, want string }{
		{"words begin what they find", "Printer hall", `'Printer':* & 'hall':*`},
		{"a star says the same", "print*", `'print':*`},
		{"quotes are exact, and in order", `"hall two" x`, `'hall' <-> 'two' & 'x':*`},
		{"other quotes, too", "„Halle zwei“ «trois»", `'Halle' <-> 'zwei' & 'trois'`},
		{"a quote left open", `a "b c`, `'a':* & 'b' <-> 'c'`},
		{"quotes around nothing", `"" a """"`, `'a':*`},
		{"punctuation parts words", "E-204 anna@northwind.example", `'E' <-> '204':* & 'anna' <-> 'northwind' <-> 'example':*`},
		{"the language of searches is no language here", `a:* & !b | (c) <-> 'd' \ e:A`, `'a':* & 'b':* & 'c':* & 'd':* & 'e' <-> 'A':*`},
		{"eight terms", "1 2 3 4 5 6 7 8 9 10", `'1':* & '2':* & '3':* & '4':* & '5':* & '6':* & '7':* & '8':*`},
		{"nothing", " * '' -- \x00 ", ""},
	} {
		t.Run("R17/"+c.name, func(t *testing.T) {
			var got []string
			for _, term := range readTerms(c.search) {
				got = append(got, term.tsquery())
			}
			if s := strings.Join(got, " & "); s != c.want {
				t.Errorf("%s, want %s", s, c.want)
			}
		})
	}
}

func TestQueryWords_areUnderstoodInEveryLanguage(t *testing.T) {
	for _, language := range append(queryLanguages, "fr") {
		for _, w := range queryWordsIn(language, true) {
			t.Run(fmt.Sprintf("R43/%s %s", language, w.Word), func(t *testing.T) {
				line := w.Word
				switch w.Does {
				case asksSearch, asksShow, asksHistory:
					line += " 10001"
				}
				q := readQueries(line, "")
				if len(q.lines) != 1 || q.lines[0].wrong != "" || !strings.HasPrefix(w.Does, q.lines[0].verb) || !strings.HasSuffix(w.Does, q.lines[0].scope) {
					t.Errorf("%+v", q)
				}
			})
		}
	}
}
