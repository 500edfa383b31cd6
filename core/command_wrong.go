package core

import (
	"errors"
	"strings"
)

// Problem is one command line that could not be carried out, and why. The
// sentence stands in the templates, under its code.
type Problem struct {
	Line  string   `json:"line,omitempty"`  // as it was written
	Code  string   `json:"code,omitempty"`  // one of those in the templates; "": Name is the sentence
	Name  string   `json:"name,omitempty"`  // what it is about
	What  string   `json:"what,omitempty"`  // the same, as the code of a Change
	Meant []string `json:"meant,omitempty"` // what would be right
}

// wrong is why a command line cannot be carried out.
type wrong struct {
	code  string
	name  string
	what  string
	meant []string
}

func (w wrong) Error() string {
	s := strings.Join(strings.Fields(w.code+" "+w.what+" "+w.name), " ")
	if len(w.meant) > 0 {
		s += ": " + strings.Join(w.meant, ", ")
	}
	return s
}

// problemOf is what a transcript says of a line.
func problemOf(line string, why error) Problem {
	line = clean(strings.TrimSpace(line), 100)
	var w wrong
	if errors.As(why, &w) {
		return Problem{Line: line, Code: w.code, Name: clean(w.name, 100), What: w.what, Meant: w.meant}
	}
	return Problem{Line: line, Name: clean(why.Error(), 300)}
}

// String is a problem in a trace.
func (p Problem) String() string {
	return p.Line + ": " + wrong{p.Code, p.Name, p.What, p.Meant}.Error()
}

// asText is what the trace says of problems.
func asText(problems []Problem) string {
	var all []string
	for _, p := range problems {
		all = append(all, p.String())
	}
	return clean(strings.Join(all, "; "), 300)
}

// takesNoWords refuses words behind a command that stands alone.
func takesNoWords(words, name string) error {
	if words == "" {
		return nil
	}
	return wrong{code: "no-words", name: "#" + name}
}
