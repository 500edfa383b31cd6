package main

import (
	"errors"
	"os"
	"slices"

	"postern/cmd/postern/web"
	"postern/core"
	"postern/mailout"
	"postern/templates"
)

// mailTemplates reads where a desk's own mails stand, and tries them: a mail that
// cannot be written is to be known before it is owed.
func (r *settingsReader) mailTemplates(path string, d *DeskFile) {
	var folder string
	r.text(path, &folder)
	if folder == "" {
		return
	}
	d.MailTemplates = r.located(path, folder)
	if info, err := os.Stat(d.MailTemplates); err != nil || !info.IsDir() {
		r.complain(path, "%s = %q: must be a folder with files as confirmation.en.txt", path, folder)
		return
	}
	c, err := mailout.NewComposer(templates.Mail)
	if err != nil {
		r.complain(path, "%s: %v", path, err)
		return
	}
	for _, err := range c.Own(d.Key, os.DirFS(d.MailTemplates), d.MailTemplates) {
		r.wrong = append(r.wrong, templateProblems(err)...)
	}
}

// templateProblems are what is wrong with a desk's mails, as it is told of the
// settings.
func templateProblems(err error) problems {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		var found problems
		for _, err := range all.Unwrap() {
			found = append(found, templateProblems(err)...)
		}
		return found
	}
	var p mailout.TemplateProblem
	if errors.As(err, &p) {
		return problems{{file: p.File, line: p.Line, column: p.Column, message: p.Message}}
	}
	return problems{{file: "mail_templates", message: err.Error()}}
}

// newComposer writes mails in the words of each desk.
func newComposer(desks []DeskFile) (*mailout.Composer, error) {
	c, err := mailout.NewComposer(templates.Mail)
	if err != nil {
		return nil, err
	}
	for _, d := range desks {
		if d.MailTemplates == "" {
			continue
		}
		if found := c.Own(d.Key, os.DirFS(d.MailTemplates), d.MailTemplates); found != nil {
			return nil, errors.Join(found...)
		}
	}
	return c, nil
}

// sampleMails are the mails that the pages show to agents.
type sampleMails struct {
	composer *mailout.Composer
	desks    []string
}

func newSampleMails(c *mailout.Composer, desks []DeskFile) sampleMails {
	all := sampleMails{composer: c}
	for _, d := range desks {
		all.desks = append(all.desks, d.Key)
	}
	return all
}

func (s sampleMails) Desks() []string { return s.desks }

func (s sampleMails) Languages(desk string) []string { return s.composer.Languages(desk) }

func (s sampleMails) Names() []string {
	var names []string
	for _, sample := range mailout.Samples("en") {
		names = append(names, sample.Name)
	}
	return names
}

func (s sampleMails) Mail(desk, name, language string) (web.SampleMail, error) {
	samples := mailout.Samples(language)
	i := slices.IndexFunc(samples, func(s mailout.Sampled) bool { return s.Name == name })
	if i < 0 || !slices.Contains(s.desks, desk) || !slices.Contains(s.Languages(desk), language) {
		return web.SampleMail{}, core.ErrNotFound
	}
	l := samples[i].Letter
	l.Desk = desk
	subject, plain, rich, err := s.composer.Words(l)
	return web.SampleMail{Subject: subject, Text: plain, HTML: rich}, err
}
