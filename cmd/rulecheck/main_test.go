package main

import (
	"go/version"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// stream writes events as go test -json does: "action package [test] [output]",
// separated by a bar.
func stream(lines ...string) string {
	var all strings.Builder
	for _, line := range lines {
		p := append(strings.Split(line, "|"), "", "", "")
		all.WriteString(`{"Time":"2026-11-03T10:00:00Z","Action":"` + p[0] + `"`)
		if strings.HasPrefix(p[0], "build-") {
			all.WriteString(`,"ImportPath":"` + p[1] + `"`)
		} else {
			all.WriteString(`,"Package":"` + p[1] + `"`)
		}
		if p[2] != "" {
			all.WriteString(`,"Test":"` + p[2] + `"`)
		}
		if p[3] != "" {
			all.WriteString(`,"Output":"` + p[3] + `"`)
		}
		all.WriteString("}\n")
	}
	return all.String()
}

func TestCheck(t *testing.T) {
	begin := []string{"start|p", "run|p|TestA", "run|p|TestA/R1/one", "output|p|TestA/R1/one|=== RUN TestA/R1/one\\n"}
	end := []string{"pass|p|TestA", `output|p||PASS\n`, `output|p||ok  \tp\t0.1s\n`, "pass|p"}
	with := func(middle ...string) []string { return slices.Concat(begin, middle, end) }
	for _, c := range []struct {
		name     string
		stream   string
		required []int
		well     bool
		prints   []string
		not      []string
	}{
		{"a rule whose subtest passed is well", stream(with("pass|p|TestA/R1/one")...), []int{1}, true,
			[]string{"ok  \tp\t0.1s\n", "rules: each of the 1"}, []string{"PASS", "=== RUN"}},
		{"a rule without a subtest is named", stream(with("pass|p|TestA/R1/one")...), []int{1, 2, 30}, false,
			[]string{"no subtest that names it ran and passed: R2, R30\n"}, nil},
		{"a skipped subtest does not count", stream(with("skip|p|TestA/R1/one")...), []int{1}, false, []string{": R1\n"}, nil},
		{"a subtest whose own subtests were all skipped does not count",
			stream(with("run|p|TestA/R1/one/x", "skip|p|TestA/R1/one/x", "pass|p|TestA/R1/one")...), []int{1}, false, []string{": R1\n"}, nil},
		{"a subtest that did not run does not count", stream(with("pass|p|TestA/R1/one", "pass|p|TestA/R2/never")...), []int{1, 2}, false, []string{": R2\n"}, nil},
		{"a subtest that never ended is a fault", stream(with()...), nil, false, []string{"TestA/R1/one of p never ended"}, nil},
		{"a top-level name does not count", stream("start|p", "run|p|TestR1", "pass|p|TestR1", "run|p|R1", "pass|p|R1", "pass|p"), []int{1}, false, []string{": R1\n"}, nil},
		{"a failure is printed in full, and nothing of what passed",
			stream("start|p", "run|p|TestA", "run|p|TestA/R1", `output|p|TestA/R1|    a_test.go:1: no\n`, "fail|p|TestA/R1", `output|p|TestA|--- FAIL: TestA\n`, "fail|p|TestA",
				"run|p|TestB", `output|p|TestB|quiet\n`, "pass|p|TestB", `output|p||FAIL\n`, "fail|p"),
			nil, false, []string{"    a_test.go:1: no\n", "--- FAIL: TestA\n", "FAIL\n", "p failed"}, []string{"quiet"}},
		{"a panic prints what the test under way wrote", stream("start|p", "run|p|TestA", `output|p|TestA|panic: no\n`, `output|p||FAIL\tp\t0.1s\n`, "fail|p"),
			nil, false, []string{"panic: no\n", "FAIL\tp"}, nil},
		{"a package that cannot be built", stream("build-output|p||p.go:1: wrong\\n", "build-fail|p", "start|p", `output|p||FAIL\tp [build failed]\n`, "fail|p"),
			nil, false, []string{"p.go:1: wrong", "p cannot be built", "[build failed]"}, nil},
		{"a package without tests does not count", stream("start|p", `output|p||?   \tp\t[no test files]\n`, "skip|p"), []int{1}, false, []string{"?   \tp\t[no test files]", ": R1\n"}, nil},
		{"output that is cut between lines", stream(begin...), nil, false, []string{"p began and never ended"}, nil},
		{"output that is cut within a line", strings.TrimSuffix(stream(with("pass|p|TestA/R1/one")...), "\"}\n"), []int{1}, false, []string{"does not write", "p began and never ended"}, nil},
		{"no output at all", "", nil, false, []string{"no package was tested"}, nil},
		{"a line that is none of go test's", stream(with("pass|p|TestA/R1/one")...) + "killed\n", []int{1}, false, []string{"killed\n", "does not write"}, nil},
		{"a failure in a package that says it passed", stream(with("fail|p|TestA/R1/one")...), nil, false, []string{"TestA/R1/one failed in a package"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			if well := check(strings.NewReader(c.stream), &out, c.required); well != c.well {
				t.Errorf("well: %v\n%s", well, out.String())
			}
			for _, want := range c.prints {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in\n%s", want, out.String())
				}
			}
			for _, not := range c.not {
				if strings.Contains(out.String(), not) {
					t.Errorf("%q in\n%s", not, out.String())
				}
			}
		})
	}
}

func TestRulesOf(t *testing.T) {
	for name, want := range map[string][]int{
		"TestX": nil, "R1": nil, "R1/x": nil, "TestX/R26/empty_return-path": {26}, "TestX/R26": {26}, "TestX/R26#01": {26},
		"TestX/gmail/R31/R32/both": {31, 32}, "TestX/R26x/y": nil, "TestX/R26_and": nil, "TestX/R0": nil, "TestX/R": nil,
		"TestX/R99999999999999999999": nil, "TestX//R7/": {7},
	} {
		if got := rulesOf(name); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// What is required are all rules that are written down.
func TestRequired_areTheRulesOfTheDocuments(t *testing.T) {
	raw, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	all := required()
	for i, n := range all {
		if n != i+1 {
			t.Errorf("the %d. rule is R%d", i+1, n)
		}
	}
	highest := 0
	for _, m := range regexp.MustCompile(`\*\*R([0-9]+)\*\*`).FindAllSubmatch(raw, -1) {
		for _, n := range rulesOf("/R" + string(m[1])) {
			highest = max(highest, n)
		}
	}
	if highest != last || len(all) != last {
		t.Errorf("docs/rules.md ends with R%d, the list with R%d, and %d rules are judged", highest, last, len(all))
	}
}

// The standard library's mail packages must have their known fixes.
func TestToolchain(t *testing.T) {
	const least = "go1.26.4"
	t.Run("R70/go.mod asks for a release with the fixes", func(t *testing.T) {
		raw, err := os.ReadFile("../../go.mod")
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`(?m)^go ([0-9.]+)$`).FindSubmatch(raw)
		if found == nil || version.Compare("go"+string(found[1]), least) < 0 {
			t.Errorf("go.mod says %q, want %s or later", found, least)
		}
	})
	t.Run("R70/what builds this has the fixes", func(t *testing.T) {
		if v, _, _ := strings.Cut(runtime.Version(), " "); version.Compare(v, least) < 0 {
			t.Errorf("built by %s, want %s or later", v, least)
		}
	})
}
