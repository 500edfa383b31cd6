package web

import (
	"net/http"
	"net/url"
	"slices"

	"postern/core"
)

// SampleMails are the mails that Postern sends, with sample facts, in the words
// of each desk.
type SampleMails interface {
	Desks() []string
	Languages(desk string) []string
	Names() []string // "status-closed"
	Mail(desk, name, language string) (SampleMail, error)
}

// SampleMail is one of them.
type SampleMail struct{ Subject, Text, HTML string }

// mailsPage lists every mail in every language.
type mailsPage struct {
	frame
	Desks     []tab // empty if there is only one
	Languages []string
	Mails     []mailRow
}

type tab struct {
	Key, Path string
	Here      bool
}

type mailRow struct {
	Name  string
	Links []tab // a language each
}

// sampleMailPage shows one, as text and as HTML.
type sampleMailPage struct {
	frame
	SampleMail
	Name, Desk string
	Languages  []tab
	HTMLPath   string
	Up         string
}

// mailFramePolicy is that of a mail in its frame: it may look like itself, and
// nothing more.
const mailFramePolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// sampleDesk is whose words are asked for; the first desk's if nobody's are.
func (p *pages) sampleDesk(v *visit) (string, error) {
	if p.mails == nil || len(p.mails.Desks()) == 0 {
		return "", core.ErrNotFound
	}
	asked := v.URL.Query().Get("desk")
	if asked == "" {
		return p.mails.Desks()[0], nil
	}
	if !slices.Contains(p.mails.Desks(), asked) {
		return "", core.ErrNotFound
	}
	return asked, nil
}

func (p *pages) sampleMails(w http.ResponseWriter, v *visit) error {
	desk, err := p.sampleDesk(v)
	if err != nil {
		return err
	}
	page := mailsPage{frame: p.frame(v), Languages: p.mails.Languages(desk)}
	if desks := p.mails.Desks(); len(desks) > 1 {
		for _, key := range desks {
			page.Desks = append(page.Desks, tab{key, "/mails?desk=" + url.QueryEscape(key), key == desk})
		}
	}
	for _, name := range p.mails.Names() {
		row := mailRow{Name: name}
		for _, language := range page.Languages {
			row.Links = append(row.Links, tab{Key: language, Path: mailPath(desk, name, language, "")})
		}
		page.Mails = append(page.Mails, row)
	}
	return p.render(w, http.StatusOK, "mails", page)
}

func mailPath(desk, name, language, form string) string {
	return "/mails/" + url.PathEscape(name) + "/" + url.PathEscape(language) + form + "?desk=" + url.QueryEscape(desk)
}

func (p *pages) sampleMail(w http.ResponseWriter, v *visit) error {
	desk, err := p.sampleDesk(v)
	if err != nil {
		return err
	}
	name, language := v.PathValue("name"), v.PathValue("language")
	mail, err := p.mails.Mail(desk, name, language)
	if err != nil {
		return err
	}
	page := sampleMailPage{frame: p.frame(v), SampleMail: mail, Name: name, Desk: desk,
		HTMLPath: mailPath(desk, name, language, "/html"), Up: "/mails?desk=" + url.QueryEscape(desk)}
	for _, l := range p.mails.Languages(desk) {
		page.Languages = append(page.Languages, tab{l, mailPath(desk, name, l, ""), l == language})
	}
	return p.render(w, http.StatusOK, "sample-mail", page)
}

// sampleHTML is the HTML of one, as it is sent, for a frame.
func (p *pages) sampleHTML(w http.ResponseWriter, v *visit) error {
	desk, err := p.sampleDesk(v)
	if err != nil {
		return err
	}
	mail, err := p.mails.Mail(desk, v.PathValue("name"), v.PathValue("language"))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Security-Policy", mailFramePolicy)
	h.Del("X-Frame-Options") // ours to frame: frame-ancestors 'self'
	h.Set("Content-Type", "text/html; charset=utf-8")
	_, err = w.Write([]byte(mail.HTML))
	return err
}
