package core

import (
	"fmt"
	"time"

	"postern/core/flow"
)

// ParseDesk reads a desk file as flow.Parse does, and checks the desk's own
// names for commands, which flow does not know.
func ParseDesk(key string, source []byte) (*flow.Desk, error) {
	d, err := flow.Parse(key, source)
	if err != nil {
		return nil, err
	}
	if err := d.AliasProblems(func(a flow.Alias) string { return checkAlias(d, a) }); err != nil {
		return nil, err
	}
	return d, nil
}

// checkAlias says what is wrong with an alias, "" if nothing is: it must not
// hide a command, and must stand for one.
func checkAlias(d *flow.Desk, a flow.Alias) string {
	if k, ok := findCommand(a.Word); ok {
		return fmt.Sprintf("alias %q: #%s is a command already, and cannot mean something else: choose another word", a.Word, k.name)
	}
	name, words := splitCommand("#" + a.Means)
	k, ok := findCommand(name)
	switch _, alias := d.Alias(name); {
	case !ok && alias:
		return fmt.Sprintf("alias %q: %q is an alias, too: write the command that it stands for", a.Word, name)
	case !ok && nearestCommand(name, nil) != "":
		return fmt.Sprintf("alias %q: there is no command %q: perhaps %s", a.Word, name, nearestCommand(name, nil))
	case !ok:
		return fmt.Sprintf("alias %q: there is no command %q", a.Word, name)
	case k.ofDesk && words != "":
		if _, err := k.read(commandInput{desk: d, now: time.Now()}, words); err != nil {
			return fmt.Sprintf("alias %q: #%s: %s", a.Word, a.Means, aliasFault(err))
		}
	}
	return ""
}

// aliasFault says what is wrong with the words of an alias, in the language of
// desk check.
func aliasFault(err error) string {
	w, _ := err.(wrong)
	switch w.code {
	case "no-status", "no-option", "no-template":
		return "the desk has none of that name; there are: " + quotedList(w.meant)
	case "no-options", "no-templates":
		return "the desk has none"
	}
	return w.name + " is not what stands behind it"
}

func quotedList(words []string) (s string) {
	for i, w := range words {
		if i > 0 {
			s += ", "
		}
		s += w
	}
	return s
}
