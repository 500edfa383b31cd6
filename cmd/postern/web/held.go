package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"postern/core"
)

// heldPage lists mail that waits for an agent's word.
type heldPage struct {
	frame
	Mails []core.HeldLine
	Kinds []heldKind
	Older string // address of the next page, "" if this is the last
}

// heldKind is one tab.
type heldKind struct {
	Key  string
	Path string
	N    int
	Here bool
}

// heldMailPage is one of them, why it is held, and what can be done with it.
type heldMailPage struct {
	frame
	core.HeldView
	Source  string // as it came, made readable
	Cut     bool   // Source is only its beginning
	To      string // what was typed as the number of a case
	Problem string // key of the words for what is wrong with it
}

// Why says in words why a mail is held.
func (f frame) Why(l core.HeldLine) string {
	key := "held-reason." + l.Code
	if _, ok := f.text[key+"-of"]; ok && l.Detail != "" {
		key += "-of"
	}
	why, err := f.T(key, "name", line(l.Detail))
	if err != nil {
		return line(l.Reason) // a reason that a newer process gave
	}
	return why
}

// Means is why the mail is held, for a page that shows the lines of a relay
// apart.
func (p heldMailPage) Means() string {
	if p.Relay() != nil {
		if means, err := p.T("held-reason."+p.Code+"-of", "name", ""); err == nil {
			return strings.TrimSpace(means)
		}
	}
	return p.Why(p.HeldLine)
}

func (p *pages) held(w http.ResponseWriter, v *visit) error {
	q := core.HeldQuery{Kind: core.HeldKind(v.URL.Query().Get("kind"))}
	if !slices.Contains(core.HeldKinds, q.Kind) {
		q.Kind = ""
	}
	if before, err := strconv.ParseInt(v.URL.Query().Get("before"), 10, 64); err == nil && before > 0 {
		q.Before = before
	}
	found, err := p.desk.HeldMail(v.Context(), v.viewer, q)
	if err != nil {
		return err
	}
	page := heldPage{frame: p.frame(v), Mails: found.Mails}
	all := heldKind{Key: "all", Path: "/held", Here: q.Kind == ""}
	for _, n := range found.Count {
		all.N += n
	}
	page.Kinds = append(page.Kinds, all)
	for _, kind := range core.HeldKinds {
		page.Kinds = append(page.Kinds, heldKind{string(kind), heldPath(core.HeldQuery{Kind: kind}), found.Count[kind], kind == q.Kind})
	}
	if found.More {
		q.Before = found.Mails[len(found.Mails)-1].Ledger
		page.Older = heldPath(q)
	}
	return p.render(w, http.StatusOK, "held", page)
}

func heldPath(q core.HeldQuery) string {
	given := url.Values{}
	if q.Kind != "" {
		given.Set("kind", string(q.Kind))
	}
	if q.Before != 0 {
		given.Set("before", strconv.FormatInt(q.Before, 10))
	}
	return "/held?" + given.Encode()
}

func (p *pages) heldMail(w http.ResponseWriter, v *visit) error {
	return p.showHeld(w, v, http.StatusOK, "", "")
}

// showHeld shows a held mail, with what is wrong with the number typed on it.
func (p *pages) showHeld(w http.ResponseWriter, v *visit, status int, to, problem string) error {
	ledger, err := number(v, "ledger")
	if err != nil {
		return err
	}
	view, err := p.desk.HeldMailView(v.Context(), v.viewer, ledger)
	if err != nil {
		return err
	}
	if to == "" {
		to = view.About // the case it names, if it names one
	}
	return p.render(w, status, "held-mail", heldMailPage{
		p.frame(v), view, source(view.Raw), int64(len(view.Raw)) < view.Size, to, problem})
}

func (p *pages) release(w http.ResponseWriter, v *visit) error {
	return p.decide(w, v, func(ledger int64) error { return p.desk.Release(v.Context(), v.viewer, ledger) })
}

func (p *pages) releaseAsCase(w http.ResponseWriter, v *visit) error {
	return p.decide(w, v, func(ledger int64) error { return p.desk.ReleaseAsCase(v.Context(), v.viewer, ledger) })
}

func (p *pages) refuse(w http.ResponseWriter, v *visit) error {
	return p.decide(w, v, func(ledger int64) error { return p.desk.Refuse(v.Context(), v.viewer, ledger) })
}

func (p *pages) attach(w http.ResponseWriter, v *visit) error {
	to := cut(line(v.PostForm.Get("to")), 40)
	err := p.decide(w, v, func(ledger int64) error { return p.desk.Attach(v.Context(), v.viewer, ledger, to) })
	if errors.Is(err, core.ErrNoCase) {
		return p.showHeld(w, v, http.StatusUnprocessableEntity, to, "held.attach-problem")
	}
	return err
}

// decide carries out an agent's word on one mail and goes back to the list.
func (p *pages) decide(w http.ResponseWriter, v *visit, word func(ledger int64) error) error {
	ledger, err := number(v, "ledger")
	if err != nil {
		return err
	}
	err = word(ledger)
	m := message{frame: p.frame(v), Back: "/held", BackTo: "message.held"}
	switch {
	case errors.Is(err, core.ErrDecided):
		m.Says = "held-gone"
	case errors.Is(err, core.ErrNotAllowed):
		m.Says, m.Back = "held-cannot", "/held/"+strconv.FormatInt(ledger, 10)
	case err != nil:
		return err
	default:
		http.Redirect(w, v.Request, "/held", http.StatusSeeOther)
		return nil
	}
	return p.render(w, http.StatusConflict, "message", m)
}
