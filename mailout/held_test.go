package mailout

import (
	"strings"
	"testing"
	"time"

	"postern/core"
)

var heldAt = time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)

// heldList is a list of held mail, as a desk queues it.
func heldList(lang string, words ...core.Word) core.Letter {
	l := minimal(core.HeldList, lang)
	l.Number = ""
	l.Payload = core.Payload{Desk: "Service Desk", Zone: "Europe/Amsterdam", Page: "https://desk.example/held", Words: words,
		HeldCount: map[core.HeldKind]int{core.HeldPeople: 22, core.HeldMachines: 3, core.HeldSpam: 40},
		Held: []core.HeldItem{
			{ID: 12, Kind: core.HeldPeople, From: "eve@evil.example", Subject: "release 13", Code: "unknown", At: heldAt},
			{ID: 13, Kind: core.HeldPeople, From: "bob@northwind.example", Code: "unknown", Detail: "Northwind", Case: "CASE-10001", At: heldAt},
			{ID: 14, Kind: core.HeldSpam, From: "x@evil.example", Subject: "Pills", Code: "spam", At: heldAt},
		}}
	return l
}

var (
	englishWords = []core.Word{{Word: "release", Does: "release"}, {Word: "case", Does: "case"}, {Word: "attach", Does: "attach"}, {Word: "refuse", Does: "refuse"}, {Word: "refuse all", Does: "refuse-all"}}
	dutchWords   = []core.Word{{Word: "vrijgeven", Does: "release"}, {Word: "zaak", Does: "case"}, {Word: "koppelen", Does: "attach"}, {Word: "weigeren", Does: "refuse"}, {Word: "weigeren alles", Does: "refuse-all"}}
)

func TestCompose_aListOfHeldMail(t *testing.T) {
	t.Run("R41/in English, whole", func(t *testing.T) {
		m := compose(t, heldList("en", englishWords...))
		if m.subject != "22 mails wait for your word" {
			t.Errorf("subject %q", m.subject)
		}
		want := `An answer to this mail says what becomes of the mails below.
-- >8 --

Begin your answer with a line for each mail:
  release NUMBER - file it by the rules, as if nothing had held it
  case NUMBER - make it a new case of its author
  attach NUMBER CASE - make it a comment on that case
  refuse NUMBER - nothing comes of it, and nobody is told
  refuse all - the same for whatever else is listed here

They are held: nobody was answered, or only that a colleague will look.

12: release 13
  From: eve@evil.example, Wednesday 4 March 2026 at 10:00
  The desk does not know its sender, and holds mail of people it does not know.

13: (no subject)
  From: bob@northwind.example, Wednesday 4 March 2026 at 10:00
  The desk does not know its sender, whose address belongs to Northwind.
  Perhaps about: CASE-10001

Older ones, on the page alone: 20

Mail of machines, and what is marked as spam or forged: 43
  14: Pills

Older ones, on the page alone: 42

What they say, and all that waits: https://desk.example/held
`
		if m.text != want {
			t.Errorf("it says\n%s", m.text)
		}
	})
	t.Run("R41/in Dutch", func(t *testing.T) {
		m := compose(t, heldList("nl", dutchWords...))
		for _, part := range []string{"  weigeren alles - hetzelfde", "  vrijgeven NUMMER - ", "13: (geen onderwerp)", "het adres is van Northwind", "alles wat wacht: https://desk.example/held"} {
			if !strings.Contains(m.text, part) {
				t.Errorf("%q is missing in\n%s", part, m.text)
			}
		}
	})
	t.Run("R41/of machines alone", func(t *testing.T) {
		l := heldList("en", englishWords...)
		l.Payload.Held, l.Payload.HeldCount = l.Payload.Held[2:], map[core.HeldKind]int{core.HeldSpam: 1}
		if m := compose(t, l); m.subject != "Held: mail of machines, and spam" || strings.Contains(m.text, "Older") {
			t.Errorf("%q\n%s", m.subject, m.text)
		}
	})
	t.Run("R43/what strangers wrote begins no line", func(t *testing.T) {
		for line := range strings.Lines(compose(t, heldList("en", englishWords...)).text) {
			if strings.HasPrefix(strings.TrimSpace(line), "release 13") {
				t.Errorf("%q could be taken for an answer", line)
			}
		}
	})
}

func TestHTML_theWordsOfAHeldListStandInOneColumn(t *testing.T) {
	for lang, want := range map[string][]string{
		"en": {"release NUMBER", "case NUMBER", "attach NUMBER CASE", "refuse NUMBER", "refuse all"},
		"nl": {"vrijgeven NUMMER", "zaak NUMMER", "koppelen NUMMER CASE", "weigeren NUMMER", "weigeren alles"},
	} {
		t.Run("R57/"+lang, func(t *testing.T) {
			words := englishWords
			if lang == "nl" {
				words = dutchWords
			}
			_, _, rich, err := newComposer(t).Words(heldList(lang, words...))
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range want {
				if !strings.Contains(rich, `font-weight:bold;color:#1c232b">`+w+"</td>") {
					t.Errorf("%q is not set as what one types", w)
				}
			}
		})
	}
}

func TestCompose_everyReasonInBothLanguages(t *testing.T) {
	for _, lang := range []string{"en", "nl"} {
		for _, code := range core.HeldReasons() {
			t.Run("R41/"+code+" in "+lang, func(t *testing.T) {
				l := heldList(lang)
				l.Payload.Held = []core.HeldItem{{ID: 1, Kind: core.HeldPeople, Code: code, Detail: "the name"}}
				text := compose(t, l).text
				if strings.Contains(text, "  "+code) || strings.Contains(text, "{") {
					t.Errorf("no words for %q in\n%s", code, text)
				}
			})
		}
	}
}

func TestCompose_whatBecameOfHeldMail(t *testing.T) {
	done := func(lang, refused string, items ...core.HeldItem) parsed {
		l := minimal(core.HeldDone, lang)
		l.Number, l.Payload = "", core.Payload{Desk: "Service Desk", Page: "https://desk.example/held", Words: englishWords, Held: items, Reason: refused}
		return compose(t, l)
	}
	eve := core.HeldItem{ID: 12, From: "eve@evil.example", Subject: "Hello", Code: "unknown", Line: "attach 12 CASE-10001", Word: "attach", Case: "CASE-10001"}
	typo := core.HeldItem{Line: "relese 13", Problem: "no-word", Meant: "release 13"}
	noCase := core.HeldItem{ID: 14, Line: "attach 14 CASE-7", Word: "attach", Case: "CASE-7", Problem: "no-case"}
	t.Run("R43/before and after", func(t *testing.T) {
		m := done("en", "", eve)
		want := `12: Hello, from eve@evil.example
  before: held. The desk does not know its sender, and holds mail of people it does not know.
  now: a comment on CASE-10001 within a minute
`
		if !strings.Contains(m.text, want) || strings.Contains(m.text, "NUMBER") {
			t.Errorf("it says\n%s", m.text)
		}
	})
	t.Run("R43/a bad line is named, and what was meant", func(t *testing.T) {
		m := done("en", "refused", eve, typo, noCase)
		for _, part := range []string{"Nothing was done", "now: the same", "relese 13\n  There is no such word. Did you mean: release 13", "This desk has no case CASE-7.", "release NUMBER"} {
			if !strings.Contains(m.text, part) {
				t.Errorf("%q is missing in\n%s", part, m.text)
			}
		}
		if nl := done("nl", "refused", eve, typo).text; !strings.Contains(nl, "Dit woord bestaat niet. Bedoelde u: release 13") {
			t.Errorf("it says\n%s", nl)
		}
	})
	t.Run("R43/nothing was understood", func(t *testing.T) {
		if m := done("en", ""); !strings.Contains(m.text, "No line of your answer") || !strings.Contains(m.text, "release NUMBER") {
			t.Errorf("it says\n%s", m.text)
		}
	})
}
