package flow

import (
	"regexp"
	"slices"
	"strings"
)

// Template is a canned answer, which agents put above their own text by
// #template.
type Template struct {
	Key   string
	Label Text // what agents may call it, too
	Text  Text
}

// Placeholders may stand in a template's text.
var Placeholders = []string{"number", "title", "name", "desk", "agent", "status"}

// placeholder is a word in braces; "{ a: 1 }" is text.
var placeholder = regexp.MustCompile(`\{([\pL_-]+)\}`)

// Fill returns the text in this language with its placeholders filled. What a
// value holds is not looked at again: a title that says {name} stays.
func (t Template) Fill(language string, values map[string]string) string {
	var pairs []string
	for _, p := range Placeholders {
		pairs = append(pairs, "{"+p+"}", values[p])
	}
	return strings.NewReplacer(pairs...).Replace(strings.TrimSpace(t.Text.In(language)))
}

// FindTemplate returns the template that a person means by a word, as
// FindStatus does.
func (d *Desk) FindTemplate(word string) (Template, bool) {
	o, ok := FindOption(d.templateNames(), word)
	if !ok {
		return Template{}, false
	}
	i := slices.IndexFunc(d.Templates, func(t Template) bool { return t.Key == o.Key })
	return d.Templates[i], true
}

// SuggestTemplates returns the keys of those that a person may have meant.
func (d *Desk) SuggestTemplates(word string) []string {
	return SuggestOptions(d.templateNames(), word)
}

func (d *Desk) templateNames() []Option {
	var names []Option
	for _, t := range d.Templates {
		names = append(names, Option{Key: t.Key, Label: t.Label})
	}
	return names
}

func (r *reader) template(n *node) Template {
	var t Template
	r.table(n, fields{
		"key":   r.string(&t.Key),
		"label": r.text(&t.Label),
		"text":  r.text(&t.Text),
	}, "key", "label", "text")
	return t
}

// templates checks keys, placeholders, and that no line would be a command: it
// would reach the customer.
func (c *checker) templates() {
	keys := make([]string, len(c.Templates))
	for i, t := range c.Templates {
		keys[i] = t.Key
	}
	c.keysOf("template", keys)
	for i, t := range c.Templates {
		for lang, text := range t.Text {
			for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
				if !slices.Contains(Placeholders, m[1]) {
					c.says(path("template", i, "text", lang), "unknown placeholder %s: one of {%s}", m[0], strings.Join(Placeholders, "}, {"))
				}
			}
			for line := range strings.Lines(text) {
				if commandLike.MatchString(line) {
					c.says(path("template", i, "text", lang), "the line %q looks like a command, which nobody should be sent: begin it with another word", clip(strings.TrimSpace(line)))
				}
			}
		}
	}
}

// commandLike is a line that agents write to have something done.
var commandLike = regexp.MustCompile(`^\s*[#＃﹟]\pL`)

func clip(s string) string {
	if letters := []rune(s); len(letters) > 40 {
		return string(letters[:40]) + "..."
	}
	return s
}
