package web

import (
	"net/http"
	"net/url"

	"postern/core"
)

// casesPage is one page of a list.
type casesPage struct {
	frame
	core.CaseQuery
	core.CasePage
	Scopes []scope
	Older  string // address of the next page, "" if this is the last
	Newest string // address of the first page, "" if this is it
}

// scope is one tab.
type scope struct {
	Key  string
	Path string
	Here bool
}

func (p *pages) cases(w http.ResponseWriter, v *visit) error {
	page := casesPage{frame: p.frame(v), CaseQuery: wantedCases(v)}
	var err error
	if page.CasePage, err = p.desk.Cases(v.Context(), v.viewer, page.CaseQuery); err != nil {
		return err
	}
	for _, key := range scopesOf(v.viewer) {
		q := page.CaseQuery
		q.Scope, q.Before = key, ""
		page.Scopes = append(page.Scopes, scope{key, casesPath(q), key == page.Scope})
	}
	q := page.CaseQuery
	if q.Before = page.Next; q.Before != "" {
		page.Older = casesPath(q)
	}
	if q.Before = ""; page.Before != "" {
		page.Newest = casesPath(q)
	}
	return p.render(w, http.StatusOK, "cases", page)
}

// scopesOf are the lists a person has; the first is what they see first.
func scopesOf(v core.Viewer) []string {
	if v.Agent {
		return []string{"desk", "mine", "organisation"}
	}
	return []string{"mine", "organisation"}
}

// wantedCases reads the query of a list; what it does not know it leaves out.
func wantedCases(v *visit) core.CaseQuery {
	given := v.URL.Query()
	q := core.CaseQuery{
		Closed: given.Get("closed") != "",
		Search: cut(line(given.Get("search")), 200),
		Before: cut(line(given.Get("before")), 200),
	}
	scopes := scopesOf(v.viewer)
	q.Scope = scopes[0]
	for _, key := range scopes {
		if key == given.Get("scope") {
			q.Scope = key
		}
	}
	return q
}

func casesPath(q core.CaseQuery) string {
	given := url.Values{"scope": {q.Scope}}
	if q.Closed {
		given.Set("closed", "yes")
	}
	if q.Search != "" {
		given.Set("search", q.Search)
	}
	if q.Before != "" {
		given.Set("before", q.Before)
	}
	return "/cases?" + given.Encode()
}

// cut keeps the first n characters.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
