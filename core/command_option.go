package core

import "postern/core/flow"

// setsOption is "#priority p1" and "#type incident".
type setsOption struct {
	what string // "priority" or "type"
	to   flow.Option
}

func readPriority(in commandInput, words string) (order, error) {
	return readOption("priority", in.desk.Priorities, words)
}

func readType(in commandInput, words string) (order, error) {
	return readOption("type", in.desk.Types, words)
}

func readOption(what string, options []flow.Option, words string) (order, error) {
	if len(options) == 0 {
		return nil, wrong{code: "no-options", what: what}
	}
	o, ok := flow.FindOption(options, words)
	if !ok {
		return nil, wrong{code: "no-option", what: what, meant: flow.SuggestOptions(options, words)}
	}
	return setsOption{what, o}, nil
}

func (o setsOption) sets() string                { return o.what }
func (setsOption) refuse(*reading, *block) error { return nil }

func (o setsOption) carry(r *reading, b *block) {
	was, column, field, options := b.c.Priority, columnPriority, fieldPriority, r.desk.Priorities
	if o.what == "type" {
		was, column, field, options = b.c.Type, columnType, fieldType, r.desk.Types
	}
	if was == o.to.Key {
		return
	}
	r.plan.sets = append(r.plan.sets, caseField{column, o.to.Key})
	r.plan.events = append(r.plan.events, newEvent{kind: o.what, actor: b.agent.person, was: was, became: o.to.Key})
	b.did(Change{o.what, option(options, was, b.language), o.to.Label.In(b.language)},
		undoStep{Field: field, Was: was, Became: o.to.Key})
}
