package flow

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

const canned = `
[[template]]
key = "password"
label = { en = "New password", nl = "Nieuw wachtwoord" }
text.en = """
Hello {name},

your password for {desk} ({number}) is new. { This } is text.
"""
text.nl = "Beste {name}, uw wachtwoord is nieuw. {agent}"
`

func TestTemplate_isFilledOnce(t *testing.T) {
	d, err := Parse("help", []byte(small+canned))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"password", "New Password", "nieuw wachtwoord", "“PASSWORD”"} {
		if tmpl, ok := d.FindTemplate(word); !ok || tmpl.Key != "password" {
			t.Errorf("%q is not found", word)
		}
	}
	if _, ok := d.FindTemplate("pasword"); ok {
		t.Error("a mistake is found")
	}
	if got := d.SuggestTemplates("pasword"); len(got) != 1 || got[0] != "password" {
		t.Errorf("suggested: %q", got)
	}
	values := map[string]string{"name": "{number} {desk}", "desk": "Help", "number": "HELP-1", "agent": "Mia"}
	if got, want := d.Templates[0].Fill("en", values), "Hello {number} {desk},\n\nyour password for Help (HELP-1) is new. { This } is text."; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := d.Templates[0].Fill("nl", values); got != "Beste {number} {desk}, uw wachtwoord is nieuw. Mia" {
		t.Errorf("got %q", got)
	}
}

func TestTemplate_saysWhatIsWrongAndWhere(t *testing.T) {
	first := strings.Count(small, "\n") + 2
	for _, test := range []struct{ name, old, new, want string }{
		{"an unknown placeholder", "{desk}", "{dsk}", `+3:11: unknown placeholder {dsk}: one of {number}, {title}, {name}, {desk}, {agent}, {status}`},
		{"one in another language", "{agent}", "{agents}", `+8:11: unknown placeholder {agents}`},
		{"a missing text", canned[strings.Index(canned, "text.en"):], "", `+0:3: text is missing: what it writes`},
		{"a missing label", `label = { en = "New password", nl = "Nieuw wachtwoord" }`, "", `+0:3: label is missing`},
		{"a text without English", "text.en", "text.fr", `language "fr" is none of the desk's`},
		{"a line that looks like a command", "Hello {name},", "#close", `+3:11: the line "#close" looks like a command`},
		{"a key that is none", `"password"`, `"Pass Word"`, `+1:7: key "Pass Word"`},
		{"the same key twice", "\n[[template]]", "\n[[template]]\nkey = \"password\"\nlabel = \"x\"\ntext = \"y\"\n[[template]]", `+5:7: template "password" stands twice`},
		{"an unknown key", "label =", "lable = \"x\"\nlabel =", `+2:1: unknown key "lable": perhaps label`},
	} {
		t.Run("R43/"+test.name, func(t *testing.T) {
			_, err := Parse("help", []byte(small+strings.Replace(canned, test.old, test.new, 1)))
			want := test.want
			if after, lines, ok := strings.Cut(want, "+"); ok && after == "" {
				n, rest, _ := strings.Cut(lines, ":")
				line, err := strconv.Atoi(n)
				if err != nil {
					t.Fatal(err)
				}
				want = fmt.Sprintf("%d:%s", first+line, rest)
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got\n%v\nwant\n%s", err, want)
			}
		})
	}
}

func TestOptions_foundByKeyOrLabel(t *testing.T) {
	options := []Option{{Key: "p1", Label: Text{"en": "P1 Critical", "nl": "P1 Kritiek"}}, {Key: "p2", Label: Text{"en": "P2 High"}}}
	for word, want := range map[string]string{"p1": "p1", "P2": "p2", "p1 critical": "p1", "P1-kritiek": "p1", "“p2 high”.": "p2", "p3": "", "": ""} {
		if o, _ := FindOption(options, word); o.Key != want {
			t.Errorf("%q: %q", word, o.Key)
		}
	}
	if got := SuggestOptions(options, "p2 hihg"); len(got) != 1 || got[0] != "p2" {
		t.Errorf("near: %q", got)
	}
	if got := SuggestOptions(options, "banana"); len(got) != 2 {
		t.Errorf("all: %q", got)
	}
}

func TestChanges_ofTemplatesAndAliases(t *testing.T) {
	was, err := Parse("help", []byte(small+canned))
	if err != nil {
		t.Fatal(err)
	}
	is, err := Parse("help", []byte(small+strings.Replace(canned, "is new", "has changed", 1)+"[aliases]\nfertig = \"close\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(is.Changes(was), "\n")
	for _, want := range []string{"template password: text was", "alias fertig: added"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
