package flow

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Problem is one thing wrong in a desk file: what, and what would be right.
type Problem struct {
	Line, Column int // from 1; the column counts characters, as editors do
	Message      string
}

// Problems are all things wrong in a desk file, in the order of the file.
type Problems []Problem

// Error returns a line for each problem: "12:5: unknown status ...".
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = fmt.Sprintf("%d:%d: %s", problem.Line, problem.Column, problem.Message)
	}
	return strings.Join(lines, "\n")
}

// report collects problems while a file is read.
type report struct {
	source []byte
	found  []finding
}

// finding is a problem whose line is not yet counted.
type finding struct {
	offset  int
	message string
}

// add notes a problem at a byte of the source.
func (r *report) add(offset int, format string, args ...any) {
	if !r.full() {
		r.found = append(r.found, finding{offset, fmt.Sprintf(format, args...)})
	}
}

// full reports that nobody will read more. Only a hostile file gets here.
func (r *report) full() bool { return len(r.found) >= 10*maxProblems }

// err returns what was found as an error, nil if nothing was.
func (r *report) err() error {
	if len(r.found) == 0 {
		return nil
	}
	slices.SortFunc(r.found, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.offset, b.offset), cmp.Compare(a.message, b.message))
	})
	r.found = slices.Compact(r.found)
	var problems Problems
	for i, f := range r.found {
		if i == maxProblems {
			last := &problems[i-1]
			last.Message = fmt.Sprintf("%d more problems from here on", len(r.found)-i+1)
			break
		}
		problems = append(problems, r.at(f))
	}
	return &problems
}

func (r *report) at(f finding) Problem {
	before := r.source[:min(f.offset, len(r.source))]
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	return Problem{
		Line:    1 + bytes.Count(before, []byte{'\n'}),
		Column:  1 + utf8.RuneCount(line),
		Message: f.message,
	}
}

// quoted writes a list of words for a message: `"a", "b"`.
func quoted[T ~string](words []T) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = fmt.Sprintf("%q", string(w))
	}
	return strings.Join(out, ", ")
}
