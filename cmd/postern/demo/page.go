package demo

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-smtp"
)

//go:embed pages
var files embed.FS

// page is the site on which one person plays everybody. It holds nothing: each
// request reads the mailboxes anew.
type page struct {
	world *World
	log   *slog.Logger
}

// pages are parsed once; each is the layout with a title and a main of its own.
var pages = func() map[string]*template.Template {
	all := make(map[string]*template.Template)
	for _, name := range []string{"overview", "folder", "mail", "write", "forge", "problem"} {
		all[name] = template.Must(template.New("layout.html").Funcs(template.FuncMap{"clock": clock}).
			ParseFS(files, "pages/layout.html", "pages/"+name+".html"))
	}
	return all
}()

const (
	overviewLines = 6
	folderLines   = 200

	maxUpload    = 10 << 20 // of all files of one mail
	maxDraftText = 1 << 20
)

// newPage is the site. Every page works without its script, which only fetches
// the lists anew.
func newPage(w *World) http.Handler {
	p := &page{world: w, log: w.log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.overview)
	mux.HandleFunc("GET /people/{id}/folders/{box}", p.folder)
	mux.HandleFunc("GET /people/{id}/folders/{box}/{uid}", p.mail)
	mux.HandleFunc("GET /people/{id}/folders/{box}/{uid}/source", p.source)
	mux.HandleFunc("GET /people/{id}/folders/{box}/{uid}/files/{n}", p.file)
	mux.HandleFunc("GET /people/{id}/write", p.write)
	mux.HandleFunc("POST /people/{id}/write", p.send)
	mux.HandleFunc("GET /forge", p.forge)
	mux.HandleFunc("POST /forge", p.sendForged)
	for _, name := range []string{"style.css", "refresh.js", "icon.svg"} {
		mux.HandleFunc("GET /"+name, asset(name))
	}
	mux.HandleFunc("/", func(rw http.ResponseWriter, r *http.Request) {
		p.problem(rw, r, http.StatusNotFound, "There is no such page here.")
	})
	return guarded(http.NewCrossOriginProtection().Handler(mux))
}

// guarded keeps hostile mail from doing anything in the page.
func guarded(next http.Handler) http.Handler {
	const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; " +
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		h := rw.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(rw, r)
	})
}

func asset(name string) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		content, err := files.ReadFile("pages/" + name)
		if err != nil {
			http.NotFound(rw, r)
			return
		}
		rw.Header().Set("Content-Type", mime.TypeByExtension(name[strings.LastIndex(name, "."):]))
		_, _ = rw.Write(content)
	}
}

// frame is what every page needs for its layout.
type frame struct {
	DeskURL string
	Live    bool // a list that is fetched anew
	Notice  string
}

func (p *page) frame(r *http.Request) frame {
	return frame{DeskURL: p.world.deskURL, Notice: notices[r.URL.Query().Get("done")]}
}

// notices are what a page says after a press of a button.
var notices = map[string]string{
	"sent":   "Sent. What comes of it appears in the inboxes within seconds.",
	"forged": "Sent without a signature. See what becomes of it: no answer should tell a stranger anything.",
}

// render writes a page only when it is whole.
func (p *page) render(rw http.ResponseWriter, status int, name string, view any) {
	var b bytes.Buffer
	if err := pages[name].Execute(&b, view); err != nil {
		p.log.Error("a page of the demo is broken", "page", name, "err", err)
		http.Error(rw, "This page is broken; the log says why.", http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.WriteHeader(status)
	_, _ = b.WriteTo(rw)
}

type problemView struct {
	frame
	Text string
}

func (p *page) problem(rw http.ResponseWriter, r *http.Request, status int, text string) {
	p.render(rw, status, "problem", problemView{p.frame(r), text})
}

// failed answers for a mail server that did not.
func (p *page) failed(rw http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errNoSuchMail) {
		p.problem(rw, r, http.StatusNotFound, "This mail is not here any more.")
		return
	}
	var answered *imap.Error
	if errors.As(err, &answered) {
		p.problem(rw, r, http.StatusNotFound, "There is no such folder.")
		return
	}
	p.log.Warn("the demo page cannot reach the mail servers", "err", err)
	p.problem(rw, r, http.StatusBadGateway, "The mail servers of the demo do not answer. Start it again.")
}

// clock shows a time as mail programs do: today's by the clock, others by the
// day.
func clock(t time.Time) string {
	t, today := t.Local(), time.Now()
	if t.YearDay() == today.YearDay() && t.Year() == today.Year() {
		return t.Format("15:04")
	}
	return t.Format("2 Jan")
}

// inboxView is one person's inbox among the others.
type inboxView struct {
	Person
	Inbox folder
	Sent  int
}

// column is one company.
type column struct {
	Company string
	About   string
	People  []inboxView
}

type overviewView struct {
	frame
	Steps   []step
	Days    []day
	Columns []column
	Service inboxView
}

func (p *page) overview(rw http.ResponseWriter, r *http.Request) {
	views := make([]inboxView, len(cast))
	errs := make([]error, len(cast))
	var all sync.WaitGroup
	for i, person := range cast {
		all.Go(func() {
			views[i].Person = person
			views[i].Inbox, views[i].Sent, errs[i] = p.world.player(person).glance(r.Context(), overviewLines)
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		p.failed(rw, r, err)
		return
	}
	view := overviewView{frame: p.frame(r), Steps: steps(views), Days: days}
	view.Live = true
	for _, v := range views {
		if v.Role == Service {
			view.Service = v
			continue
		}
		if n := len(view.Columns); n == 0 || view.Columns[n-1].Company != v.Company {
			view.Columns = append(view.Columns, column{Company: v.Company, About: companies[v.Company]})
		}
		last := &view.Columns[len(view.Columns)-1]
		last.People = append(last.People, v)
	}
	p.render(rw, http.StatusOK, "overview", view)
}

type folderView struct {
	frame
	Person Person
	Boxes  []string
	Box    folder
}

func (p *page) folder(rw http.ResponseWriter, r *http.Request) {
	who, ok := p.world.playerOf(r)
	if !ok {
		p.problem(rw, r, http.StatusNotFound, "Nobody of that name lives here.")
		return
	}
	found, err := who.list(r.Context(), r.PathValue("box"), folderLines)
	if err != nil {
		p.failed(rw, r, err)
		return
	}
	view := folderView{frame: p.frame(r), Person: who.Person, Boxes: foldersOf(who.Person), Box: found}
	view.Live = true
	p.render(rw, http.StatusOK, "folder", view)
}

type mailView struct {
	frame
	Person Person
	Box    string
	UID    string
	Letter letter
	Blocks []block
	Reply  string // the path where an answer is written; empty: nobody answers from here
	Other  []otherReply
}

// otherReply is an answer to an address that the mail names beside its
// Reply-To.
type otherReply struct{ Address, Path string }

// opened reads the mail that a path names, or answers for it.
func (p *page) opened(rw http.ResponseWriter, r *http.Request) (who player, raw []byte, ok bool) {
	who, ok = p.world.playerOf(r)
	if !ok {
		p.problem(rw, r, http.StatusNotFound, "Nobody of that name lives here.")
		return who, nil, false
	}
	uid, err := strconv.ParseUint(r.PathValue("uid"), 10, 32)
	if err != nil || uid == 0 {
		p.failed(rw, r, errNoSuchMail)
		return who, nil, false
	}
	raw, err = who.open(r.Context(), r.PathValue("box"), imap.UID(uid))
	if err != nil {
		p.failed(rw, r, err)
		return who, nil, false
	}
	return who, raw, true
}

func (p *page) mail(rw http.ResponseWriter, r *http.Request) {
	who, raw, ok := p.opened(rw, r)
	if !ok {
		return
	}
	l := readLetter(raw)
	view := mailView{
		frame: p.frame(r), Person: who.Person, Box: r.PathValue("box"), UID: r.PathValue("uid"),
		Letter: l, Blocks: blocks(l.Text, who.Person),
	}
	if who.Role != Service {
		view.Reply = "/people/" + who.ID() + "/write?" + url.Values{"box": {view.Box}, "uid": {view.UID}}.Encode()
		for _, address := range otherAddresses(l) {
			view.Other = append(view.Other, otherReply{address, view.Reply + "&to=" + url.QueryEscape(address)})
		}
	}
	p.render(rw, http.StatusOK, "mail", view)
}

func (p *page) source(rw http.ResponseWriter, r *http.Request) {
	_, raw, ok := p.opened(rw, r)
	if !ok {
		return
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = rw.Write(raw)
}

func (p *page) file(rw http.ResponseWriter, r *http.Request) {
	_, raw, ok := p.opened(rw, r)
	if !ok {
		return
	}
	attached := readLetter(raw).Files
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 0 || n >= len(attached) {
		p.problem(rw, r, http.StatusNotFound, "This mail has no such file.")
		return
	}
	rw.Header().Set("Content-Type", "application/octet-stream")
	rw.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": attached[n].Name}))
	_, _ = rw.Write(attached[n].Content)
}

type writeView struct {
	frame
	Person Person
	Draft  draft
	Box    string // of the mail that is answered
	UID    string
	Wrong  string
	Is     string // what this is: a title
}

// write shows the form for a mail: new, from a link, or the answer to one.
func (p *page) write(rw http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	who, ok := p.world.playerOf(r)
	if !ok || who.Role == Service {
		p.problem(rw, r, http.StatusNotFound, "Nobody of that name writes from here.")
		return
	}
	view := writeView{frame: p.frame(r), Person: who.Person, Is: "A new mail", Draft: draft{To: serviceAddress}}
	switch {
	case q.Get("uid") != "":
		r.SetPathValue("box", q.Get("box"))
		r.SetPathValue("uid", q.Get("uid"))
		_, raw, ok := p.opened(rw, r)
		if !ok {
			return
		}
		view.Is, view.Box, view.UID = "A reply", q.Get("box"), q.Get("uid")
		view.Draft = reply(readLetter(raw))
		if to := q.Get("to"); to != "" {
			view.Draft.To = to
		}
	case q.Get("mailto") != "":
		d, err := mailto(q.Get("mailto"))
		if err != nil {
			p.problem(rw, r, http.StatusBadRequest, "This link does not say whom to write to.")
			return
		}
		view.Draft = d
	case samples[q.Get("sample")].To != "":
		view.Draft = samples[q.Get("sample")]
	case who.Role == Agent:
		view.Draft.To = ""
	}
	p.render(rw, http.StatusOK, "write", view)
}

func (p *page) send(rw http.ResponseWriter, r *http.Request) {
	who, ok := p.world.playerOf(r)
	if !ok || who.Role == Service {
		p.problem(rw, r, http.StatusNotFound, "Nobody of that name writes from here.")
		return
	}
	d, ok := p.draft(rw, r)
	if !ok {
		return
	}
	wrong := func(text string) {
		p.render(rw, http.StatusUnprocessableEntity, "write", writeView{
			frame: p.frame(r), Person: who.Person, Draft: d, Wrong: text, Is: "Not sent yet",
			Box: r.PostFormValue("box"), UID: r.PostFormValue("uid"),
		})
	}
	raw, to, err := d.compose(who.Person)
	if err != nil {
		wrong(sentence(err))
		return
	}
	if err := who.send(r.Context(), to, raw); err != nil {
		wrong(refusal(err))
		return
	}
	http.Redirect(rw, r, "/?done=sent", http.StatusSeeOther)
}

type forgeView struct {
	frame
	People []Person
	As     string
	Draft  draft
	Wrong  string
}

func (p *page) forge(rw http.ResponseWriter, r *http.Request) {
	p.render(rw, http.StatusOK, "forge", forgeView{
		frame: p.frame(r), People: people(), As: "mia", Draft: forgery,
	})
}

// sendForged plays a stranger who writes somebody's name into From. The mail
// comes in without a sign-in, so no provider signs it.
func (p *page) sendForged(rw http.ResponseWriter, r *http.Request) {
	d, ok := p.draft(rw, r)
	if !ok {
		return
	}
	wrong := func(text string) {
		p.render(rw, http.StatusUnprocessableEntity, "forge", forgeView{
			frame: p.frame(r), People: people(), As: r.PostFormValue("as"), Draft: d, Wrong: text,
		})
	}
	victim, found := personByID(r.PostFormValue("as"))
	if !found || victim.Role == Service {
		wrong("Choose whose name is forged.")
		return
	}
	raw, to, err := d.compose(victim)
	if err != nil {
		wrong(sentence(err))
		return
	}
	if err := deliver(r.Context(), p.world.smtpAddr, nil, victim.Address, to, raw); err != nil {
		wrong(refusal(err))
		return
	}
	http.Redirect(rw, r, "/?done=forged", http.StatusSeeOther)
}

// draft reads a sent form, or answers for it.
func (p *page) draft(rw http.ResponseWriter, r *http.Request) (draft, bool) {
	r.Body = http.MaxBytesReader(rw, r.Body, maxUpload+maxDraftText)
	err := r.ParseMultipartForm(maxUpload + maxDraftText)
	var tooMuch *http.MaxBytesError
	switch {
	case errors.As(err, &tooMuch):
		p.problem(rw, r, http.StatusRequestEntityTooLarge, "The files are more than 10 MB together. Go back and take smaller ones.")
		return draft{}, false
	case err != nil && !errors.Is(err, http.ErrNotMultipart):
		p.problem(rw, r, http.StatusBadRequest, "The form came in broken. Go back and send it again.")
		return draft{}, false
	}
	d := draft{
		To: r.PostFormValue("to"), Subject: r.PostFormValue("subject"), Text: r.PostFormValue("text"),
		InReplyTo: r.PostFormValue("in-reply-to"), References: strings.Fields(r.PostFormValue("references")),
	}
	if r.MultipartForm == nil {
		return d, true
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }()
	for _, upload := range r.MultipartForm.File["file"] {
		content, err := uploaded(upload)
		if err != nil {
			p.problem(rw, r, http.StatusBadRequest, "A file came in broken. Go back and send it again.")
			return draft{}, false
		}
		d.Files = append(d.Files, attachment{Name: clean(upload.Filename), Content: content})
	}
	return d, true
}

func uploaded(header *multipart.FileHeader) ([]byte, error) {
	f, err := header.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(f)
}

// refusal tells the writer what the mail server said.
func refusal(err error) string {
	var said *smtp.SMTPError
	if errors.As(err, &said) {
		return fmt.Sprintf("The mail server refused it: %d %s", said.Code, said.Message)
	}
	return "The mail server did not take it: " + err.Error()
}

func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// people are those who can be played.
func people() []Person {
	var all []Person
	for _, p := range cast {
		if p.Role != Service {
			all = append(all, p)
		}
	}
	return all
}
