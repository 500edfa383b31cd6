package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postern/core"
)

// writeAll writes files into a folder.
func writeAll(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

const ahoy = `{{define "subject"}}Ahoy{{end}}
{{define "body"}}
Ahoy, {{.Number}}!
{{end}}
`

func TestMailTemplates_aDeskHasItsOwn(t *testing.T) {
	dir := t.TempDir()
	writeAll(t, dir, map[string]string{
		"postern.toml":               goodSettings + "mail_templates = \"mails\"\n",
		"mails/confirmation.en.txt":  ahoy,
		"mails/.confirmation.en.swp": "what an editor leaves",
	})
	config := filepath.Join(dir, "postern.toml")
	out := filepath.Join(dir, "out")
	if code, _, stderr := typed(t, "", "mail", "preview", "--config", config, "--language", "en", out); code != done {
		t.Fatal(stderr)
	}
	for name, want := range map[string]string{
		"confirmation.en.txt": "Ahoy, CASE-10123!", "status-rejected.en.txt": "ended without a solution",
		"confirmation.en.html": "Ahoy, CASE-10123!", "confirmation.en.eml": "Ahoy",
	} {
		text, err := os.ReadFile(filepath.Join(out, name))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v, no %q in\n%.300s", name, err, want, text)
		}
	}
	t.Run("without settings those that come along are shown", func(t *testing.T) {
		t.Chdir(t.TempDir())
		if code, _, stderr := typed(t, "", "mail", "preview", "--language", "en", "--kind", "confirmation", "out"); code != done {
			t.Fatal(stderr)
		}
		if text, err := os.ReadFile("out/confirmation-unverified.en.txt"); err != nil || !strings.Contains(string(text), "Thank you, your mail has arrived") {
			t.Errorf("%v\n%s", err, text)
		}
	})
	t.Run("a kind that there is not", func(t *testing.T) {
		for kind, want := range map[string]string{"confirmatoin": "confirmation is meant, perhaps", "x": `there is "confirmation", `} {
			if code, _, stderr := typed(t, "", "mail", "preview", "--config", config, "--kind", kind, out); code != wrongUse || !strings.Contains(stderr, want) {
				t.Errorf("%d: %s", code, stderr)
			}
		}
	})
	t.Run("a desk that there is not", func(t *testing.T) {
		if code, _, stderr := typed(t, "", "mail", "preview", "--config", config, "--desk", "none", out); code != wrongUse || !strings.Contains(stderr, `there is no desk "none"`) {
			t.Errorf("%d: %s", code, stderr)
		}
	})
}

func TestMailTemplates_areRefusedAtTheStart(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"a field that there is not", map[string]string{"mails/confirmation.en.txt": strings.Replace(ahoy, ".Number", ".Numbr", 1)},
			"mails/confirmation.en.txt:3:9: .Numbr: there is nothing called Numbr"},
		{"a mail without a body", map[string]string{"mails/status.nl.txt": `{{define "subject"}}x{{end}}`},
			`mails/status.nl.txt: there is no {{define "body"}}`},
		{"no folder", nil, `postern.toml:17:18: desk.support.mail_templates = "mails": must be a folder`},
		{"a file", map[string]string{"mails": ahoy}, `desk.support.mail_templates = "mails": must be a folder`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			writeAll(t, dir, map[string]string{"postern.toml": goodSettings + "mail_templates = \"mails\"\n"})
			writeAll(t, dir, c.files)
			code, _, stderr := typed(t, "", "serve", "--config", filepath.Join(dir, "postern.toml"))
			if code != failed || !strings.Contains(stderr, c.want) || strings.Contains(stderr, "PostgreSQL") {
				t.Errorf("%d, no %q in\n%s", code, c.want, stderr)
			}
		})
	}
}

// What agents find under /mails is each mail in the words of the desk.
func TestSampleMails_areThoseOfTheDesk(t *testing.T) {
	dir := t.TempDir()
	writeAll(t, dir, map[string]string{"confirmation.en.txt": ahoy})
	desks := []DeskFile{{Key: "support", MailTemplates: dir}, {Key: "other"}}
	c, err := newComposer(desks)
	if err != nil {
		t.Fatal(err)
	}
	s := newSampleMails(c, desks)
	for _, desk := range s.Desks() {
		for _, language := range s.Languages(desk) {
			for _, name := range s.Names() {
				m, err := s.Mail(desk, name, language)
				if err != nil || m.Subject == "" || m.Text == "" || !strings.HasPrefix(m.HTML, "<!DOCTYPE html>") {
					t.Errorf("%s %s %s: %v", desk, name, language, err)
				}
				if own := desk == "support" && strings.HasPrefix(name, "confirmation") && language == "en"; strings.Contains(m.Text, "Ahoy") != own {
					t.Errorf("%s %s %s: its own words: %v", desk, name, language, !own)
				}
			}
		}
	}
	for _, wrong := range [][3]string{{"none", "status", "en"}, {"support", "stat", "en"}, {"support", "status", "fr"}} {
		if _, err := s.Mail(wrong[0], wrong[1], wrong[2]); !errors.Is(err, core.ErrNotFound) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}
