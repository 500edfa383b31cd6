package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDeskCheck(t *testing.T) {
	code, stdout, _ := typed(t, "", "desk", "check", "default.toml")
	if code != done || !strings.Contains(stdout, "default.toml is right: Customer Service, numbers from CASE-10001") {
		t.Errorf("got %d, %s", code, stdout)
	}
	if !strings.Contains(stdout, "\n  comment   owner mail, unowned mail\n") {
		t.Errorf("it does not say who is told of what:\n%s", stdout)
	}
}

func TestDeskCheck_tellsAllProblemsWithTheirLines(t *testing.T) {
	path := written(t, "my-desk.toml", "prefix = \"c\"\nunknown = \"perhaps\"\ncolour = \"blue\"\n")
	code, stdout, stderr := typed(t, "", "desk", "check", path)
	if code != failed || stdout != "" {
		t.Errorf("got %d, %s", code, stdout)
	}
	for _, line := range []string{":1:", ":2:", ":3:"} {
		if !strings.Contains(stderr, path+line) {
			t.Errorf("no problem in line %s:\n%s", line, stderr)
		}
	}
}

func TestDeskCheck_json(t *testing.T) {
	path := written(t, "my-desk.toml", "prefix = \"c\"\n")
	code, stdout, _ := typed(t, "", "desk", "check", "--json", path)
	var got struct {
		File     string
		Problems []struct {
			Line, Column int
			Message      string
		}
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != failed || got.File != path || len(got.Problems) == 0 || got.Problems[0].Line != 1 {
		t.Errorf("got %d, %+v, %v", code, got, err)
	}
	if code, stdout, _ := typed(t, "", "desk", "check", "--json", "default.toml"); code != done || !strings.Contains(stdout, `"problems":[]`) {
		t.Errorf("a right one: got %d, %s", code, stdout)
	}
}

func TestDeskGraph_isAPicture(t *testing.T) {
	for _, language := range []string{"en", "nl"} {
		code, stdout, stderr := typed(t, "", "desk", "graph", "--language", language, "default.toml")
		if code != done || !strings.Contains(stdout, "<svg") {
			t.Fatalf("got %d, %s", code, stderr)
		}
		d := xml.NewDecoder(strings.NewReader(stdout))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestDeskApply_readsMovesBeforeAnythingElse(t *testing.T) {
	for _, wrong := range []string{"a", "=b", "a="} {
		if code, _, stderr := typed(t, "", "desk", "apply", "default.toml", "--move", wrong); code != wrongUse || !strings.Contains(stderr, "must be OLD=NEW") {
			t.Errorf("%s: got %d, %s", wrong, code, stderr)
		}
	}
}
