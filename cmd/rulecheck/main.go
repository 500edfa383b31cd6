// Command rulecheck reads what `go test -json` writes, prints what `go test`
// would print, and fails unless every rule stands in the
// name of a subtest that ran and passed: t.Run("R26/empty return-path", ...).
//
//	go test -json ./... | go run ./cmd/rulecheck
//
// It knows the numbers of the rules (rules.go) and nothing of what they say.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func main() {
	if !check(os.Stdin, os.Stdout, required()) {
		os.Exit(1)
	}
}

// event is a line of test2json (go doc test2json).
type event struct {
	Action     string
	Package    string
	Test       string
	Output     string
	ImportPath string // of what is built, instead of Package
}

// output is one piece of what a package printed; of no test: the package's own.
type output struct{ test, text string }

// pack is a package whose tests run.
type pack struct {
	ends    map[string]string // of tests: run, pass, fail, skip
	parents map[string]bool   // tests that have subtests
	printed []output
}

// checker follows the tests of all packages.
type checker struct {
	out    io.Writer
	under  map[string]*pack // packages that have begun and not ended
	ended  int
	rules  map[int]bool // seen in the name of a test that passed
	faults []string     // why it is not well
}

// check copies in to out and says whether all is well. Every rule of required
// must have passed.
func check(in io.Reader, out io.Writer, required []int) bool {
	c := &checker{out: out, under: map[string]*pack{}, rules: map[int]bool{}}
	if err := c.read(bufio.NewReader(in)); err != nil {
		c.fault("the output of go test cannot be read: %v", err)
	}
	for _, name := range sorted(c.under) {
		c.print(c.under[name], true)
		c.fault("%s began and never ended: the output is cut", name)
	}
	if c.ended == 0 {
		c.fault("no package was tested")
	}
	var missing []string
	for _, n := range required {
		if !c.rules[n] {
			missing = append(missing, fmt.Sprintf("R%d", n))
		}
	}
	if missing != nil {
		c.fault("no subtest that names it ran and passed: %s", strings.Join(missing, ", "))
	} else {
		fmt.Fprintf(out, "rules: each of the %d has a test that passes\n", len(required))
	}
	for _, f := range c.faults {
		fmt.Fprintln(out, "rulecheck:", f)
	}
	return c.faults == nil
}

func sorted(packs map[string]*pack) (names []string) {
	for name := range packs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (c *checker) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

// read follows the stream to its end.
func (c *checker) read(in *bufio.Reader) error {
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil || e.Action == "" {
				fmt.Fprintf(c.out, "%s\n", strings.TrimRight(string(line), "\r\n"))
				c.fault("a line that go test -json does not write: %.60q", line)
			} else {
				c.take(e)
			}
		}
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (c *checker) take(e event) {
	switch e.Action {
	case "build-output":
		fmt.Fprint(c.out, e.Output)
		return
	case "build-fail":
		c.fault("%s cannot be built", e.ImportPath)
		return
	}
	p := c.under[e.Package]
	if p == nil {
		p = &pack{ends: map[string]string{}, parents: map[string]bool{}}
		c.under[e.Package] = p
	}
	switch e.Action {
	case "output":
		p.printed = append(p.printed, output{e.Test, e.Output})
	case "run":
		p.ends[e.Test] = "run"
		for i, r := range e.Test {
			if r == '/' {
				p.parents[e.Test[:i]] = true
			}
		}
	case "pass", "fail", "skip":
		if e.Test != "" {
			if p.ends[e.Test] == "run" { // what did not run does not count
				p.ends[e.Test] = e.Action
			}
			return
		}
		delete(c.under, e.Package)
		c.end(e.Package, e.Action, p)
	}
}

// end judges a package: skip means that it has no tests.
func (c *checker) end(name, how string, p *pack) {
	c.ended++
	if how == "fail" {
		c.fault("%s failed", name)
	}
	unfinished := false
	for test, end := range p.ends {
		switch {
		case end == "pass" && !p.parents[test]: // a parent passes though all its subtests were skipped
			for _, n := range rulesOf(test) {
				c.rules[n] = true
			}
		case end == "fail" && how != "fail":
			c.fault("%s failed in a package that says it passed: %s", test, name)
			unfinished = true
		case end == "run" && how != "fail":
			c.fault("%s of %s never ended", test, name)
			unfinished = true
		}
	}
	c.print(p, how == "fail" || unfinished)
}

// print writes what go test writes: of a package that failed all that tests
// printed which did not pass, of others the one line.
func (c *checker) print(p *pack, whole bool) {
	for _, o := range p.printed {
		switch {
		case o.test == "" && (whole || strings.HasPrefix(o.text, "ok  \t") || strings.HasPrefix(o.text, "?   \t")):
		case o.test != "" && whole && (p.ends[o.test] == "fail" || p.ends[o.test] == "run") && !strings.HasPrefix(o.text, "=== "):
		default:
			continue
		}
		fmt.Fprint(c.out, o.text)
	}
}

// ruleElement is a part of a test's name that is a rule's number; go adds #01
// to the second of a name.
var ruleElement = regexp.MustCompile(`^R([1-9][0-9]*)(#[0-9]+)?$`)

// rulesOf are the rules that the name of a subtest names.
func rulesOf(test string) (all []int) {
	parts := strings.Split(test, "/")
	for _, part := range parts[1:] {
		if found := ruleElement.FindStringSubmatch(part); found != nil {
			n, err := strconv.Atoi(found[1])
			if err == nil {
				all = append(all, n)
			}
		}
	}
	return all
}
