package web

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"postern/core"
)

// casePage is one case.
type casePage struct {
	frame
	core.CaseView
	Timeline []entry
}

// entry is one line of the timeline as it is shown.
type entry struct {
	core.Entry
	Path string // address of its formatted version
	Name string // of the frame that shows it, and of its place on the page
	Case *casePage
}

// PerhapsMachine says that an agent may make the entry count as a person's.
func (e entry) PerhapsMachine() bool {
	return e.Kind == "comment" && slices.Contains(e.Marks, "machine")
}

// Human is where that press goes.
func (e entry) Human() string {
	return casePath(e.Case.Number) + "/comment/" + strconv.FormatInt(e.ID, 10) + "/human"
}

// Became is what became of a mail.
func (c *casePage) Became(m core.SentMail) (string, error) {
	state := m.State
	if m.Waits {
		state = "waits"
	}
	if _, ok := c.text["sent."+state]; !ok {
		return line(state + " " + m.Address), nil // a state that a newer process gave
	}
	return c.T("sent."+state, "address", line(m.Address))
}

// When is the instant that is told with it: when it was sent or ended, or since
// when it is tried. Nil: none.
func (e entry) When(m core.SentMail) *time.Time {
	switch {
	case m.State == "sent" || m.State == "failed":
		return &m.At
	case m.State == "retry":
		return &m.Queued
	}
	return nil
}

// Button is what the button of a move says: to a customer the word that does the
// same by mail, to an agent the status.
func (c *casePage) Button(m core.CaseMove) (string, error) {
	if c.ForAgent {
		return line(m.Label), nil
	}
	if word := line(m.Word); word != "" {
		first, rest := utf8.DecodeRuneInString(word)
		return string(unicode.ToUpper(first)) + word[rest:], nil
	}
	return c.T("move.press", "status", line(m.Label))
}

// shownFiles are the files of a case, or of one entry.
type shownFiles struct {
	Page  *casePage
	Lines []core.FileLine
}

func (p *pages) oneCase(w http.ResponseWriter, v *visit) error {
	view, err := p.desk.Case(v.Context(), v.viewer, v.PathValue("number"))
	if err != nil {
		return err
	}
	page := &casePage{frame: p.frame(v), CaseView: view}
	for _, e := range view.Entries {
		id := strconv.FormatInt(e.ID, 10)
		page.Timeline = append(page.Timeline, entry{
			Entry: e, Case: page, Name: e.Kind + "-" + id,
			Path: casePath(view.Number) + "/" + url.PathEscape(e.Kind) + "/" + id + "/html",
		})
	}
	for _, m := range view.Sent {
		if view.ForAgent {
			page.Timeline = append(page.Timeline, entry{Entry: core.Entry{ID: m.ID, Kind: "sent", At: m.Queued, Sent: []core.SentMail{m}},
				Case: page, Name: "sent-" + strconv.FormatInt(m.ID, 10)})
		}
	}
	// a mail's Received time may lie before that of the mail that opened the case
	slices.SortStableFunc(page.Timeline, func(a, b entry) int { return cmp.Or(first(a)-first(b), a.At.Compare(b.At)) })
	return p.render(w, http.StatusOK, "case", page)
}

func first(e entry) int {
	if e.Kind == "description" {
		return 0
	}
	return 1
}

func casePath(number string) string { return "/cases/" + url.PathEscape(number) }

func (p *pages) moveCase(w http.ResponseWriter, v *visit) error {
	number := v.PathValue("number")
	err := p.desk.MoveCase(v.Context(), v.viewer, number, v.PostForm.Get("to"))
	if errors.Is(err, core.ErrNotAllowed) {
		// the case moved on since the page was fetched
		return p.render(w, http.StatusConflict, "message", message{
			frame: p.frame(v), Says: "move-gone", Back: casePath(number), BackTo: "message.case"})
	}
	if err != nil {
		return err
	}
	http.Redirect(w, v.Request, casePath(number), http.StatusSeeOther)
	return nil
}

// addParticipant is an agent's press that makes somebody take part in a case.
func (p *pages) addParticipant(w http.ResponseWriter, v *visit) error {
	number := v.PathValue("number")
	if err := p.desk.AddParticipant(v.Context(), v.viewer, number, v.PostForm.Get("address")); err != nil {
		return err
	}
	http.Redirect(w, v.Request, casePath(number), http.StatusSeeOther)
	return nil
}
