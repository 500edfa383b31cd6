package main

import (
	"context"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// typed runs the program as if its words had been typed.
func typed(t *testing.T, stdin string, words ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	code = run(t.Context(), words, environment(), strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

func TestRun(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		name           string
		words          string
		code           int
		stdout, stderr string // must hold this
	}{
		{"nothing typed shows what there is", "", wrongUse, "postern COMMAND", ""},
		{"help is no mistake", "help", done, "example: postern demo", ""},
		{"--help is the same", "--help", done, "example: postern demo", ""},
		{"help of a command has an example", "help serve", done, "example: postern serve", ""},
		{"a command's --help has an example", "serve --help", done, "example: postern serve", ""},
		{"-h behind arguments too", "explain a.eml -h", done, "example: postern explain", ""},
		{"help of two words", "help desk check", done, "usage: postern desk check [--json] FILE", ""},
		{"help of a first word lists", "help agent", done, "agent list", ""},
		{"--help behind a first word lists", "desk --help", done, "desk graph", ""},
		{"a first word alone is not enough", "agent", wrongUse, "", "agent add"},
		{"an unknown command suggests one", "explian", wrongUse, "", `is "explain" meant?`},
		{"so does an unknown second word", "ledger shwo 3", wrongUse, "", `is "ledger show" meant?`},
		{"and nothing is suggested for nothing like it", "xylophone", wrongUse, "", `no command "xylophone": postern help`},
		{"help of an unknown command", "help explian", wrongUse, "", `is "explain" meant?`},
		{"--help lists the group of a command that runs alone", "ledger --help", done, "ledger release", ""},
		{"a first word and a flag are not enough", "contact --config x", wrongUse, "", "contact block"},
		{"a summary that asks ends with a question mark", "help ledger check", done, "does it balance?\n", ""},
		{"an unknown flag", "serve --holt", wrongUse, "", "there is no flag --holt\nusage: postern serve"},
		{"a flag without what it needs", "ledger list --limit", wrongUse, "", "something is missing behind --limit\n"},
		{"a flag that takes a number", "ledger list --limit many", wrongUse, "", "invalid value \"many\" for --limit\n"},
		{"a mailbox for bytes alone", "explain --mailbox support a.eml", wrongUse, "", "--mailbox is for --live"},
		{"a missing argument", "desk check", wrongUse, "", "the desk file is missing"},
		{"an argument too much", "migrate now", wrongUse, "", `"now" is too much`},
		{"an address that is none", "agent add eva", wrongUse, "", `"eva" is no mail address`},
		{"a role that is none", "agent add eva@example.org --role king", wrongUse, "", `must be "agent" or "admin"`},
		{"an id that is none", "ledger show abc", wrongUse, "", "is no id of a mail"},
		{"an invitation to nowhere", "invite anna@customer.example", wrongUse, "", "--organisation is missing"},
		{"ledger alone checks", "ledger", failed, "", "there is no postern.toml"},
		{"no settings", "serve", failed, "", "try postern demo"},
		{"settings that are not there", "serve --config nowhere.toml", failed, "", "nowhere.toml"},
		{"--config before the command", "--config nowhere.toml serve", failed, "", "nowhere.toml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := typed(t, "", strings.Fields(c.words)...)
			if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
				t.Errorf("got %d\nstdout: %s\nstderr: %s", code, stdout, stderr)
			}
		})
	}
}

func TestRun_tellsAllThatIsWrongInTheSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "postern.toml")
	if err := os.WriteFile(path, []byte("[smtp]\nport = 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := typed(t, "", "serve", "--config", path)
	if code != failed || !strings.Contains(stderr, "things are wrong in the settings, nothing was started:\n"+path) {
		t.Errorf("got %d, %s", code, stderr)
	}
}

func TestCommands_eachSaysWhatANewcomerNeeds(t *testing.T) {
	for _, c := range commands() {
		if c.summary == "" || !strings.HasPrefix(c.example, "postern "+c.name) {
			t.Errorf("%s: summary %q, example %q", c.name, c.summary, c.example)
		}
		flags, act := c.flagSet(&program{})
		if act == nil {
			t.Errorf("%s does nothing", c.name)
		}
		flags.VisitAll(func(f *flag.Flag) {
			if f.Name != "config" && !strings.Contains(c.usage, "--"+f.Name) && len(c.usage) > 0 && c.name != "demo" {
				t.Errorf("%s: its usage does not name --%s", c.name, f.Name)
			}
		})
	}
}

func TestParse_takesFlagsWhereverTheyStand(t *testing.T) {
	for _, c := range []struct{ words, want string }{
		{"a.eml --json b.eml", "a.eml b.eml"},
		{"--json a.eml", "a.eml"},
		{"a.eml -- --json", "a.eml --json"},
		{"--json -", "-"},
	} {
		flags := flag.NewFlagSet("", flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		asJSON := flags.Bool("json", false, "")
		words, err := parse(flags, strings.Fields(c.words))
		if err != nil || strings.Join(words, " ") != c.want {
			t.Errorf("%s: got %v, %v", c.words, words, err)
		}
		if !*asJSON && !strings.Contains(c.words, "-- ") {
			t.Errorf("%s: the flag was lost", c.words)
		}
	}
}

func TestNearest(t *testing.T) {
	list := []string{"serve", "doctor", "desk check", "ledger"}
	for word, want := range map[string]string{"sevre": "serve", "docter": "doctor", "deks check": "desk check", "xyz": "", "": "", "ledgr": "ledger"} {
		if got := nearest(word, list); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func TestRun_stopsWhenItIsToldTo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out strings.Builder
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.eml"), []byte("Subject: x\r\n\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := run(ctx, []string{"explain", dir}, environment(), nil, &out, io.Discard); code != failed {
		t.Errorf("got %d, %s", code, out.String())
	}
}
