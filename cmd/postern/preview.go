package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"postern/core"
	"postern/mailout"
)

// mailPreviewCommand writes every mail that Postern sends, with sample facts, so
// that those who change a word see all of it before a customer does.
func mailPreviewCommand(f *flag.FlagSet) action {
	language := f.String("language", "", "only this `LANGUAGE`; without it, all")
	kind := f.String("kind", "", "only this `KIND` of mail; without it, all")
	asked := f.String("desk", "", "`KEY` of the desk whose words are used, if there are several")
	return func(_ context.Context, p *program, args []string) error {
		dir, err := one(args, "folder")
		if err != nil {
			return err
		}
		c, desk, err := previewComposer(p, *asked)
		if err != nil {
			return err
		}
		languages, kinds := c.Languages(desk), mailout.Kinds()
		if *language != "" {
			if !slices.Contains(languages, *language) {
				return usageError(fmt.Sprintf("there are no words in %q: there is %s", *language, alternatives(languages)))
			}
			languages = []string{*language}
		}
		if *kind != "" {
			if !slices.Contains(kinds, core.Kind(*kind)) {
				return usageError(fmt.Sprintf("there is no mail %q: %s", *kind, otherKinds(*kind, kinds)))
			}
			kinds = []core.Kind{core.Kind(*kind)}
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		var shown []mailPreviewed
		for _, lang := range languages {
			for _, s := range mailout.Samples(lang) {
				if !slices.Contains(kinds, s.Letter.Kind) {
					continue
				}
				s.Letter.Desk = desk
				one, err := previewMail(c, dir, s, lang)
				if err != nil {
					return err
				}
				shown = append(shown, one)
			}
		}
		var index bytes.Buffer
		if err := mailIndex.Execute(&index, shown); err != nil {
			return err
		}
		path := filepath.Join(dir, "index.html")
		if err := os.WriteFile(path, index.Bytes(), 0o644); err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "%d mails, each as .eml, .txt and .html: open %s\n", len(shown), path)
		return nil
	}
}

// otherKinds says what may be meant by a kind that there is not.
func otherKinds(asked string, kinds []core.Kind) string {
	var all []string
	for _, k := range kinds {
		all = append(all, string(k))
	}
	if meant := nearest(asked, all); meant != "" {
		return meant + " is meant, perhaps"
	}
	return "there is " + alternatives(all)
}

// previewComposer writes in the words of a desk of the settings. Without
// settings it writes in those that come along: to look at them needs no more.
func previewComposer(p *program, asked string) (c *mailout.Composer, desk string, err error) {
	s, err := p.settings()
	if errors.Is(err, noSettings{}) && asked == "" {
		c, err = newComposer(nil)
		return c, "", err
	}
	if err != nil {
		return nil, "", err
	}
	if desk = asked; len(s.Desks) == 1 || asked != "" {
		if desk, err = s.chooseDesk(asked); err != nil {
			return nil, "", err
		}
	}
	c, err = newComposer(s.Desks)
	return c, desk, err
}

type mailPreviewed struct{ Kind, Language, Subject, Name string }

// previewMail writes one mail as it is sent, and its two forms apart.
func previewMail(c *mailout.Composer, dir string, s mailout.Sampled, lang string) (mailPreviewed, error) {
	l := s.Letter
	name := s.Name + "." + lang
	file := func(int64) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(strings.Repeat("x", 48<<10))), nil
	}
	raw, err := c.Compose(l, file)
	if err != nil {
		return mailPreviewed{}, fmt.Errorf("%s: %w", name, err)
	}
	subject, plain, rich, err := c.Words(l)
	if err != nil {
		return mailPreviewed{}, fmt.Errorf("%s: %w", name, err)
	}
	for ending, content := range map[string]string{".eml": string(raw), ".txt": plain, ".html": rich} {
		if err := os.WriteFile(filepath.Join(dir, name+ending), []byte(content), 0o644); err != nil {
			return mailPreviewed{}, err
		}
	}
	return mailPreviewed{s.Name, lang, subject, name}, nil
}

var mailIndex = template.Must(template.New("index").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Mails</title>
<style>:root{color-scheme:light dark}body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}td{padding:.2em 1em .2em 0}</style></head>
<body><h1>Mails</h1><table><tbody>
{{range .}}<tr><td>{{.Kind}}</td><td>{{.Language}}</td><td>{{.Subject}}</td><td><a href="{{.Name}}.html">HTML</a> <a href="{{.Name}}.txt">text</a> <a href="{{.Name}}.eml">mail</a></td></tr>
{{end}}</tbody></table></body></html>
`))
