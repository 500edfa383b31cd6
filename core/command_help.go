package core

import "postern/core/flow"

// Help is what an agent can write to a desk, for the template that explains it.
type Help struct {
	Commands   []HelpCommand `json:"commands"`
	Aliases    []HelpCommand `json:"aliases,omitempty"` // the desk's own
	Statuses   []string      `json:"statuses"`
	Types      []string      `json:"types,omitempty"`
	Priorities []string      `json:"priorities,omitempty"`
	Templates  []string      `json:"templates,omitempty"`
	Agents     []string      `json:"agents"`
}

// HelpCommand is one command: what stands behind it, and what else it is called.
// Of an alias Takes is the line it stands for.
type HelpCommand struct {
	Name  string   `json:"name"`
	Takes string   `json:"takes,omitempty"`
	Also  []string `json:"also,omitempty"`
}

// showsHelp is "#help".
type showsHelp struct{}

func readHelp(_ commandInput, words string) (order, error) {
	return showsHelp{}, takesNoWords(words, "help")
}

func (showsHelp) sets() string                  { return "" }
func (showsHelp) refuse(*reading, *block) error { return nil }
func (showsHelp) carry(_ *reading, b *block)    { b.help = true }

// help is what can be written to a desk now.
func help(d *flow.Desk, agents []agentRow) *Help {
	h := &Help{Commands: Commands(), Agents: listed(agentsOnce(agents))}
	for _, a := range d.Aliases {
		h.Aliases = append(h.Aliases, HelpCommand{Name: a.Word, Takes: a.Means})
	}
	for _, s := range d.Statuses {
		h.Statuses = append(h.Statuses, s.Key)
	}
	for _, t := range d.Templates {
		h.Templates = append(h.Templates, t.Key)
	}
	for _, o := range d.Types {
		h.Types = append(h.Types, o.Key)
	}
	for _, o := range d.Priorities {
		h.Priorities = append(h.Priorities, o.Key)
	}
	return h
}

// Commands are all commands that agents may write on top of a mail.
func Commands() []HelpCommand {
	var all []HelpCommand
	for _, k := range commandTable {
		all = append(all, HelpCommand{k.name, k.takes, k.alias})
	}
	return all
}

// showsHistory is "#history".
type showsHistory struct{}

func readHistory(_ commandInput, words string) (order, error) {
	return showsHistory{}, takesNoWords(words, "history")
}

func (showsHistory) sets() string                  { return "" }
func (showsHistory) refuse(*reading, *block) error { return nil }
func (showsHistory) carry(_ *reading, b *block)    { b.history = true }
