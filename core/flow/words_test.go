package flow

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestWord(t *testing.T) {
	d := defaultDesk(t)
	for _, test := range []struct {
		name, line, from string
		by               By
		to               string
	}{
		{"a word alone", "close", "resolved", ByCustomer, "closed"},
		{"capitals", "CLOSE", "open", ByCustomer, "closed"},
		{"a full stop and spaces", "  Close. ", "open", ByCustomer, "closed"},
		{"several marks", "akkoord!!", "resolved", ByCustomer, "closed"},
		{"quotes, as the mail shows the word", "“CLOSE”", "open", ByCustomer, "closed"},
		{"bold letters as plain text", "*close*", "open", ByCustomer, "closed"},
		{"a no-break space and zero-width marks", "\u200bniet\u00a0akkoord\ufeff", "resolved", ByCustomer, "in-progress"},
		{"the other language", "annuleren", "need-input", ByCustomer, "cancelled"},
		{"a reopening", "reopen", "closed", ByCustomer, "in-progress"},
		{"a word of another status", "reopen", "open", ByCustomer, ""},
		{"a word after the end", "cancel", "closed", ByCustomer, ""},
		{"politeness before it", "please close", "resolved", ByCustomer, "closed"},
		{"politeness after it", "Close please!", "resolved", ByCustomer, "closed"},
		{"politeness on both sides", "Please close, thank you very much.", "open", ByCustomer, "closed"},
		{"politeness of another language", "akkoord, danke", "resolved", ByCustomer, "closed"},
		{"Dutch politeness with full stops", "Sluiten a.u.b.", "open", ByCustomer, "closed"},
		{"Danish politeness", "cancel, mange tak", "open", ByCustomer, "cancelled"},
		{"brackets and a dash", "- [close]", "open", ByCustomer, "closed"},
		{"a smile", "close :-)", "open", ByCustomer, "closed"},
		{"a word within a sentence", "please close it", "resolved", ByCustomer, ""},
		{"a negation", "don't close", "resolved", ByCustomer, ""},
		{"a polite negation", "please do not close, thanks", "resolved", ByCustomer, ""},
		{"a Dutch negation", "niet sluiten graag", "resolved", ByCustomer, ""},
		{"a no thank you", "no, thanks", "resolved", ByCustomer, ""},
		{"a polite question", "close please?", "resolved", ByCustomer, ""},
		{"a question in brackets", "close (?)", "resolved", ByCustomer, ""},
		{"nothing but politeness", "thank you", "resolved", ByCustomer, ""},
		{"two words", "close cancel", "resolved", ByCustomer, ""},
		{"a question", "closed?", "resolved", ByCustomer, ""},
		{"a quoted line", "> close", "resolved", ByCustomer, ""},
		{"a command", "#close", "resolved", ByCustomer, ""},
		{"an agent's cancelling, which has no word", "cancel", "open", ByAgent, ""},
		{"nothing", " ", "open", ByCustomer, ""},
		{"a long line", "close" + strings.Repeat(" ", 200), "open", ByCustomer, ""},
		{"a status that is none", "close", "gone", ByCustomer, ""},
	} {
		m, ok := d.Word(test.line, test.from, test.by)
		if ok != (test.to != "") || m.To != test.to {
			t.Errorf("%s: got %q, want %q", test.name, m.To, test.to)
		}
	}
}

func TestWords_areShownInTheReadersLanguage(t *testing.T) {
	d := defaultDesk(t)
	for _, test := range []struct {
		lang, from string
		want       []string
	}{
		{"en", "resolved", []string{"agree", "disagree", "cancel"}},
		{"nl", "resolved", []string{"akkoord", "niet akkoord", "annuleren"}},
		{"da", "open", []string{"close", "cancel"}},
		{"nl", "closed", []string{"heropenen"}},
		{"nl", "cancelled", nil},
	} {
		var got []string
		for _, r := range d.Words(test.lang, test.from, ByCustomer) {
			got = append(got, r.Word)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s in %s: got %q, want %q", test.from, test.lang, got, test.want)
		}
	}
}

func TestFindStatus(t *testing.T) {
	d := defaultDesk(t)
	for _, test := range []struct{ name, word, want string }{
		{"a key", "in-progress", "in-progress"},
		{"a label", "In Progress", "in-progress"},
		{"an underscore", "NEED_INPUT", "need-input"},
		{"a label unlike its key", "3rd party", "third-party"},
		{"part of a label", "progress", ""},
		{"nothing", " - ", ""},
	} {
		s, _ := d.FindStatus(test.word)
		if s.Key != test.want {
			t.Errorf("%s: got %q, want %q", test.name, s.Key, test.want)
		}
	}
}

func TestSuggest(t *testing.T) {
	d := defaultDesk(t)
	if got := d.Suggest("reslved"); !slices.Equal(got, []string{"resolved"}) {
		t.Errorf("near one: got %q", got)
	}
	if got := d.Suggest("xyzzy-plugh"); len(got) != len(d.Statuses) {
		t.Errorf("near none: got %q, want all", got)
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"close", "close", 0}, {"clsoe", "close", 2}, {"clos", "close", 1}, {"", "ab", 2}, {"é", "e", 1}, {"a", "abcd", 3},
	} {
		if got := Distance(test.a, test.b); got != test.want {
			t.Errorf("%q and %q: got %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

func TestWord_everyWordOfTheFileMeansItsMove(t *testing.T) {
	d := defaultDesk(t)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(d.Statuses).Draw(t, "status")
		var words []Reply
		for _, m := range d.MovesFrom(s.Key, ByCustomer) {
			for _, ww := range m.Words {
				for _, w := range ww {
					words = append(words, Reply{w, m})
				}
			}
		}
		if len(words) == 0 {
			return
		}
		slices.SortFunc(words, func(a, b Reply) int { return strings.Compare(a.Word, b.Word) })
		word := rapid.SampledFrom(words).Draw(t, "word")
		line := rapid.SampledFrom([]string{"", " ", "\t", "\""}).Draw(t, "before") +
			rapid.SampledFrom([]string{word.Word, strings.ToUpper(word.Word)}).Draw(t, "case") +
			rapid.SampledFrom([]string{"", ".", " !", "\"", "\r\n"}).Draw(t, "after")
		if m, ok := d.Word(line, s.Key, ByCustomer); !ok || m.To != word.Move.To {
			t.Fatalf("%q from %s leads to %q, want %q", line, s.Key, m.To, word.Move.To)
		}
	})
}

func FuzzWord(f *testing.F) {
	d := defaultDesk(f)
	f.Add("CLOSE.", "resolved")
	f.Add("> close", "open")
	f.Add("niet akkoord", "resolved")
	f.Add("\xff\u200b", "closed")
	f.Fuzz(func(t *testing.T, line, from string) {
		m, ok := d.Word(line, from, ByCustomer)
		if ok {
			if _, can := d.CanMove(from, m.To, ByCustomer); !can || len(line) > maxWordBytes {
				t.Errorf("%q from %q makes a move that cannot be made", line, from)
			}
		}
		d.FindStatus(line)
		if len(d.Suggest(line)) == 0 {
			t.Errorf("nothing is suggested for %q", line)
		}
	})
}

func TestWishOf(t *testing.T) {
	for line, want := range map[string]Wish{
		"close": WishClose, "Please close this case.": WishClose, "Sluit deze case a.u.b.": WishClose, "Luk denne sag, tak": WishClose,
		"Lukk saken": WishClose, "Bitte Fall schließen": "", "Diesen Fall bitte schließen": "", "Bitte diesen Fall schließen": WishClose,
		"cancel": WishCancel, "Annuller denne sag": WishCancel, "Avbryt saken, takk": WishCancel, "Stornieren bitte": WishCancel, "annuleer": WishCancel,
		"Reopen the ticket": WishReopen, "Heropenen": WishReopen, "Genåbn sagen": WishReopen, "Gjenåpne saken": WishReopen, "Wieder öffnen": WishReopen,
		"do not close": "", "close?": "", "please": "", "": "", "close the window": "", "not closed": "",
	} {
		if got := WishOf(line); got != want {
			t.Errorf("%q wishes %q, want %q", line, got, want)
		}
	}
}

func TestAnyWord_isAWordOfSomeStatus(t *testing.T) {
	d := defaultDesk(t)
	for line, to := range map[string]string{"reopen": "in-progress", "Heropenen graag": "in-progress", "akkoord": "closed", "reopen?": "", "hello": ""} {
		m, ok := d.AnyWord(line, ByCustomer)
		if ok != (to != "") || m.To != to {
			t.Errorf("%q: %q", line, m.To)
		}
	}
}
