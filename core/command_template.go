package core

import (
	"strings"

	"postern/core/flow"
)

// canned is "#template password": the text of a desk's template goes above the
// agent's own, or is the whole answer.
type canned struct{ flow.Template }

func readTemplate(in commandInput, words string) (order, error) {
	if len(in.desk.Templates) == 0 {
		return nil, wrong{code: "no-templates"}
	}
	t, ok := in.desk.FindTemplate(words)
	if !ok {
		return nil, wrong{code: "no-template", name: words, meant: in.desk.SuggestTemplates(words)}
	}
	return canned{t}, nil
}

func (canned) sets() string                  { return "" }
func (canned) refuse(*reading, *block) error { return nil }

func (o canned) carry(_ *reading, b *block) {
	b.changed = append(b.changed, Change{"template", "", o.Label.In(b.language)})
}

// written is all that a block writes: its templates, in the language of the
// case's requester, and the agent's own text.
func (r *reading) written(b *block) string {
	language := r.requesterLanguage(b.c)
	status, _ := r.desk.Status(b.c.Status)
	if r.plan.change != nil {
		status = r.plan.change.to
	}
	values := map[string]string{
		"number": r.desk.caseNumber(b.c.Number),
		"title":  clean(b.c.Title, 250),
		"name":   clean(r.requester(b.c), 100),
		"desk":   r.desk.Name.In(language),
		"agent":  clean(b.agent.name, 100),
		"status": status.Label.In(language),
	}
	var parts []string
	for _, t := range b.canned {
		parts = append(parts, t.Fill(language, values))
	}
	if b.text != "" {
		parts = append(parts, b.text)
	}
	return strings.Join(parts, "\n\n")
}

func (r *reading) requesterLanguage(c *caseRow) string {
	for _, p := range r.f.people {
		if p.CaseID == c.ID && p.Requester {
			return r.desk.language(p.Language)
		}
	}
	return r.desk.language()
}
