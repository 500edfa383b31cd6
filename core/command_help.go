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

// asksHelp is "#help".
type asksHelp struct{}

func readHelp(_ commandInput, words string) (order, error) {
	return asksHelp{}, takesNoWords(words, "help")
}

func (asksHelp) sets() string                  { return "" }
func (asksHelp) refuse(*reading, *block) error { return nil }
func (asksHelp) carry(_ *reading, b *block)    { b.help = true }

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

// asksHistory is "#history".
type asksHistory struct{}

func readHistory(_ commandInput, words string) (order, error) {
	return asksHistory{}, takesNoWords(words, "history")
}

func (asksHistory) sets() string                  { return "" }
func (asksHistory) refuse(*reading, *block) error { return nil }
func (asksHistory) carry(_ *reading, b *block)    { b.history = true }
