package mailout

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"postern/core"
)

func folder(pairs ...string) fstest.MapFS {
	f := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		f[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return f
}

const (
	short  = `{{define "subject"}}{{or .Title "Hi"}}{{end}}{{define "body"}}`
	french = `{{define "months"}}janvier février mars avril mai juin juillet août septembre octobre novembre décembre{{end}}
{{define "days"}}dimanche lundi mardi mercredi jeudi vendredi samedi{{end}}
{{define "ordinal"}}{{end}}{{define "decimal"}},{{end}}{{define "midway"}}à{{end}}`
)

func TestOwn_replacesSingleMailsOfOneDesk(t *testing.T) {
	c := newComposer(t)
	if found := c.Own("support", folder(
		"confirmation.en.txt", short+"Ahoy! {{template \"case\" .}}{{end}}",
		"parts.nl.txt", `{{define "hello"}}Beste{{with .Name}} {{.}}{{end}},

{{end}}`,
		"parts.fr.txt", french,
		"confirmation.fr.txt", short+"Merci, c'est {{.Number}}. {{.When}}{{end}}",
		"README.md", "ours",
	), "texts"); found != nil {
		t.Fatal(found)
	}
	text := func(desk, language string, k core.Kind) string {
		l := Sample(k, language)
		l.Desk = desk
		_, plain, _, err := c.Words(l)
		if err != nil {
			t.Fatal(err)
		}
		return plain
	}
	for _, test := range []struct {
		name, desk, language string
		kind                 core.Kind
		want                 string
	}{
		{"its own mail", "support", "en", core.Confirmation, "Ahoy!"},
		{"another mail is as it was", "support", "en", core.Reminder, "A short reminder"},
		{"another language too", "support", "nl", core.Confirmation, "Bedankt, uw mail is aangekomen"},
		{"a part of all mails", "support", "nl", core.Reminder, "Beste Anna Berg,"},
		{"a language of its own", "support", "fr", core.Confirmation, "c'est CASE-10123"},
		{"in which the rest is English", "support", "fr", core.Reminder, "A short reminder"},
		{"another desk", "other", "en", core.Confirmation, "Thank you, your mail has arrived"},
		{"which has no French", "other", "fr", core.Confirmation, "Thank you, your mail has arrived"},
	} {
		t.Run("R57/"+test.name, func(t *testing.T) {
			if got := text(test.desk, test.language, test.kind); !strings.Contains(got, test.want) {
				t.Errorf("no %q in\n%s", test.want, got)
			}
		})
	}
}

func TestOwn_saysWhatIsWrongAndWhere(t *testing.T) {
	for _, test := range []struct {
		name  string
		files fstest.MapFS
		want  string
	}{
		{"an unknown field", folder("confirmation.en.txt", short+"\n\nIt is {{.Numbr}}.{{end}}"), "texts/confirmation.en.txt:3:"},
		{"its name", folder("confirmation.en.txt", short+"\n\nIt is {{.Numbr}}.{{end}}"), ".Numbr: there is nothing called Numbr"},
		{"an unknown field where no sample comes", folder("status.nl.txt", short+"x\n{{if eq .Class \"never\"}}{{.Nonsense}}{{end}}{{end}}"), "texts/status.nl.txt:2:"},
		{"a field of something else", folder("status.nl.txt", short+"x\n{{.Size}}{{end}}"), "texts/status.nl.txt:2:3: .Size: there is nothing called Size here"},
		{"an unknown variable's field", folder("status.nl.txt", short+"x\n{{range .Words}}{{$.Wrod}}{{end}}{{end}}"), "$.Wrod: there is nothing called Wrod"},
		{"a mail without a body", folder("status.nl.txt", `{{define "subject"}}x{{end}}`), `texts/status.nl.txt: there is no {{define "body"}}`},
		{"a mail without a subject", folder("status.nl.txt", `{{define "body"}}x{{end}}`), `texts/status.nl.txt: there is no {{define "subject"}}`},
		{"an empty body", folder("status.nl.txt", short+" {{card}}{{.Reason}}{{endcard}} {{end}}"), "texts/status.nl.txt: the body is empty"},
		{"a subject that may not be told", folder("status.nl.txt", `{{define "subject"}}{{.Title}}{{end}}{{define "body"}}x{{end}}`), "texts/status.nl.txt: the subject is empty for a mail that may not tell the title"},
		{"what is no template", folder("status.nl.txt", short+"\n{{if}}{{end}}"), "texts/status.nl.txt:2: "},
		{"an unknown function", folder("status.nl.txt", short+"\n{{env \"HOME\"}}{{end}}"), `texts/status.nl.txt:2: function "env" not defined`},
		{"a part that there is not", folder("status.nl.txt", short+"\n\n{{template \"fot\" .}}{{end}}"), `texts/status.nl.txt:3:12: there is no part "fot"`},
		{"a part that breaks other mails", folder("parts.de.txt", "\n{{define \"hello\"}}{{.Nmae}}{{end}}"), "texts/parts.de.txt:2:"},
		{"a mail that there is not", folder("confrmation.en.txt", "x"), `texts/confrmation.en.txt: there is no mail "confrmation": there are confirmation, `},
		{"a name that is none", folder("confirmation.txt", "x"), "texts/confirmation.txt: no mail has such a name"},
		{"a language without its parts", folder("confirmation.fr.txt", short+"x{{end}}"), `texts/parts.fr.txt: `},
		{"too few months", folder("parts.fr.txt", strings.Replace(french, "janvier", "", 1)), `{{define "months"}} must hold 12 words`},
		{"a part that calls itself", folder("parts.en.txt", `{{define "hello"}}{{template "hello" .}}{{end}}`), "texts/parts.en.txt:1:"},
		{"a file without end", folder("status.nl.txt", short+strings.Repeat("x", maxTemplateBytes)+"{{end}}"), "texts/status.nl.txt: the file has 6"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newComposer(t)
			found := c.Own("support", test.files, "texts")
			if len(found) == 0 {
				t.Fatal("nothing is found")
			}
			all := errors.Join(found...).Error()
			if !strings.Contains(all, test.want) {
				t.Errorf("no %q in\n%s", test.want, all)
			}
			for _, err := range found {
				var p TemplateProblem
				if !errors.As(err, &p) || p.File == "" {
					t.Errorf("%v does not say where", err)
				}
			}
			l := Sample(core.StatusNews, "nl")
			if _, plain, _, err := c.Words(l); err != nil || !strings.Contains(plain, "De status is gewijzigd") {
				t.Errorf("the desk has lost the words it had: %v\n%s", err, plain)
			}
		})
	}
}

// What comes along passes the same trial.
func TestOwn_theWordsThatComeAlongPass(t *testing.T) {
	c := newComposer(t)
	for _, code := range []string{"en", "nl", "da", "nb", "de"} {
		lang := c.languages[code]
		if lang == nil {
			t.Fatalf("no %s", code)
		}
		for _, k := range kinds {
			if lang.kinds[k] == nil {
				t.Errorf("no %s in %s", k, code)
			}
		}
		if err := lang.check(texts{c.files, "mail"}); err != nil {
			t.Error(err)
		}
		for table, want := range map[string]int{"held-reason": len(c.languages["en"].says["held-reason"]), "held-problem": len(c.languages["en"].says["held-problem"])} {
			if n := len(lang.says[table]); n != want {
				t.Errorf("%s has %d of %d sentences of %s", code, n, want, table)
			}
		}
	}
}

func BenchmarkOwn(b *testing.B) {
	c := newComposer(b)
	f := folder("parts.en.txt", `{{define "hello"}}Hi,{{end}}`)
	for b.Loop() {
		if found := c.Own("support", f, "texts"); found != nil {
			b.Fatal(fmt.Sprint(found))
		}
	}
}

// Whoever writes a template finds every mail and every value in the document.
func TestDocument_namesEveryMailAndEveryValue(t *testing.T) {
	source, err := os.ReadFile("../docs/mails.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kinds {
		if !strings.Contains(string(source), "`"+string(k)+"`") {
			t.Errorf("no %s", k)
		}
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[view]()) {
		// what only our own mails to agents are made of
		inner := []string{"Fixed", "Note", "ReplyTo", "Internal", "Above", "Marks", "Proposed", "PerhapsAbout",
			"People", "Others", "Done", "PeopleCount", "OtherCount", "MorePeople", "MoreOthers"}
		if f.IsExported() && !slices.Contains(inner, f.Name) && !strings.Contains(string(source), "`."+f.Name+"`") {
			t.Errorf("no .%s", f.Name)
		}
	}
}
