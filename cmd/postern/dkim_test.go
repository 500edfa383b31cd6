package main

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postern/cmd/postern/demo"
	"postern/core"
	"postern/mailin"
)

// keyFile writes a private key beside the settings.
func keyFile(t *testing.T, dir string, key crypto.Signer, mode os.FileMode) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "dkim.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func newEd25519(t *testing.T) crypto.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// inSettings adds lines to the end of a table of a settings file.
func inSettings(t *testing.T, config, table, lines string) {
	t.Helper()
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, bytes.Replace(text, []byte(table+"\n"), []byte(table+"\n"+lines+"\n"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What leaves over SMTP is checked as any receiver checks it, by the record that
// the command prints.
func TestDKIM(t *testing.T) {
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"ed25519": newEd25519(t), "RSA": long} {
		t.Run("R53/mail that leaves is signed by a key of "+name+", and its record proves it", func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, memoryAccount)
			keyFile(t, filepath.Dir(d.config), key, 0o600)
			inSettings(t, d.config, fmt.Sprintf("password = %q", d.box.password), "dkim.selector = \"out\"\ndkim.key_file = \"dkim.pem\"")
			d.sink.listen(t)
			d.serve()
			d.box.put([]byte(d.signed(mailOf("anna@northwind.example", "Printer", "It burns."))))
			d.told(d.filed("l.from_address = 'anna@northwind.example'").ID)
			sent := d.sink.sentTo("mia@desk.example")[0] // without a link in it, which would end its bytes

			names := publish(t, typedOK(t, d.config, "dkim"))
			found, checked := mailin.NewVerifier(names.Addr()).Verify(t.Context(), bytes.NewReader(sent.raw), int64(len(sent.raw)))
			if checked != core.CheckDone || len(found) != 1 || !found[0].Valid || !found[0].Covers || found[0].Limited || found[0].Domain != "desk.example" {
				t.Errorf("%v, %+v\n%s", checked, found, sent.raw)
			}
			if kept := ask[[]byte](d, `select bytes from outbox where message_id = $1`, sent.MessageID); !bytes.Equal(kept, sent.raw) {
				t.Error("R58: what is kept for a retry is not what was sent")
			}
		})
	}
}

// publish serves the records of a zone file's lines.
func publish(t *testing.T, zone string) *demo.DNS {
	t.Helper()
	names := new(demo.DNS)
	if err := names.Serve("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { names.Close() })
	for line := range strings.Lines(zone) {
		if strings.HasPrefix(line, ";") {
			continue
		}
		name, text, ok := strings.Cut(strings.TrimSpace(line), " 3600 IN TXT ")
		if !ok {
			t.Fatalf("no TXT record: %s", line)
		}
		for _, part := range strings.Split(text, `" "`) {
			if len(part) > 257 {
				t.Errorf("a part of %d octets", len(part))
			}
		}
		names.Set(name, strings.ReplaceAll(strings.Trim(text, `"`), `" "`, ""))
	}
	return names
}

func TestDoctor_saysWhetherSignaturesCanBeChecked(t *testing.T) {
	key := newEd25519(t)
	dir := t.TempDir()
	path := keyFile(t, dir, key, 0o600)
	names := publish(t, "")
	source := strings.Replace(goodSettings, "[smtp]", fmt.Sprintf("[mailbox.support.dkim]\nselector = \"out\"\nkey_file = %q\n[smtp]", path), 1)
	source = strings.Replace(source, "state_dir", fmt.Sprintf("dns = %q\nstate_dir", names.Addr()), 1)
	s := parsed(t, source)
	say := func() string {
		var out bytes.Buffer
		(&doctor{program: &program{stdout: &out}}).signatures(t.Context(), s)
		return out.String()
	}
	record, text := s.Mailboxes[0].DKIM.signer.Record()
	t.Run("R53/a record that is missing", func(t *testing.T) {
		if got := say(); !strings.Contains(got, "FAIL") || !strings.Contains(got, record+": there is no record") || !strings.Contains(got, "postern dkim") {
			t.Error(got)
		}
	})
	t.Run("R53/a record of another key", func(t *testing.T) {
		names.Set(record, "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
		if got := say(); !strings.Contains(got, "FAIL") || !strings.Contains(got, "another key") {
			t.Error(got)
		}
	})
	t.Run("R53/the right record", func(t *testing.T) {
		names.Set(record, text)
		if got := say(); !strings.HasPrefix(got, "OK") || strings.Contains(got, "FAIL") {
			t.Error(got)
		}
	})
	t.Run("R53/a key that everybody can read", func(t *testing.T) {
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		if got := say(); !strings.Contains(got, "WARN") || !strings.Contains(got, "chmod o-rwx "+path) {
			t.Error(got)
		}
	})
	t.Run("R53/a DNS that does not answer", func(t *testing.T) {
		names.Close()
		if got := say(); !strings.Contains(got, "FAIL") || !strings.Contains(got, "does not say") {
			t.Error(got)
		}
	})
}

func TestSettings_DKIM(t *testing.T) {
	dir := t.TempDir()
	path := keyFile(t, dir, newEd25519(t), 0o600)
	for name, c := range map[string]struct{ lines, says string }{
		"R53/the domain is that of the sender":                {"selector = \"out\"\nkey_file = \"" + path + "\"", ""},
		"R53/a domain above the sender's":                     {"domain = \"Example.org\"\nselector = \"out\"\nkey_file = \"" + path + "\"", ""},
		"R53/a domain that is not the sender's":               {"domain = \"example.com\"\nselector = \"out\"\nkey_file = \"" + path + "\"", "proves nothing"},
		"R53/a domain below the sender's":                     {"domain = \"a.example.org\"\nselector = \"out\"\nkey_file = \"" + path + "\"", "proves nothing"},
		"R53/a domain under which others are":                 {"domain = \"org\"\nselector = \"out\"\nkey_file = \"" + path + "\"", "must be a domain"},
		"R53/no selector":                                     {"key_file = \"" + path + "\"", "dkim.selector is missing"},
		"R53/a selector that is no name":                      {"selector = \"a b\"\nkey_file = \"" + path + "\"", "letters, digits and dashes"},
		"R53/no key":                                          {"selector = \"out\"", "dkim.key_file is missing"},
		"R53/a table with nothing in it":                      {"", "dkim.selector is missing"},
		"R53/a key that is not there":                         {"selector = \"out\"\nkey_file = \"nothing.pem\"", "no such file"},
		"R53/a key that cannot be read":                       {"selector = \"out\"\nkey_file = \"" + dir + "\"", "is a directory"},
		"R53/a setting that does not exist":                   {"selector = \"out\"\nkey_file = \"" + path + "\"\ncanon = \"simple\"", "there is no setting mailbox.support.dkim.canon"},
		"R53/the wrong type of a setting is told with a line": {"selector = 7\nkey_file = \"" + path + "\"", "must be a string"},
	} {
		t.Run(name, func(t *testing.T) {
			source := strings.Replace(goodSettings, "[smtp]", "[mailbox.support.dkim]\n"+c.lines+"\n[smtp]", 1)
			s, err := parseSettings(filepath.Join(dir, "postern.toml"), []byte(source), environment())
			switch {
			case c.says == "" && err != nil:
				t.Error(err)
			case c.says == "" && s.Mailboxes[0].DKIM.Domain != "example.org":
				t.Errorf("signs for %q", s.Mailboxes[0].DKIM.Domain)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
	t.Run("R53/a mailbox that sends nothing needs no key", func(t *testing.T) {
		source := goodSettings + "[mailbox.second]\naddresses = [\"second@example.org\"]\nhost = \"imap.example.org\"\nuser = \"second\"\npassword = \"hunter2\"\n" +
			"[mailbox.second.dkim]\nselector = \"out\"\nkey_file = \"" + path + "\"\n"
		_, err := parseSettings(filepath.Join(dir, "postern.toml"), []byte(source), environment())
		if err == nil || !strings.Contains(err.Error(), "no mail is sent from this mailbox") {
			t.Error(err)
		}
	})
}
