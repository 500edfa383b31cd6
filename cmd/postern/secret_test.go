package main

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestKey_isMadeOnceByWhoeverComesFirst(t *testing.T) {
	s := Instance{StateDir: filepath.Join(t.TempDir(), "state")}
	prints := make([]string, 8)
	var all sync.WaitGroup
	for i := range prints {
		all.Go(func() {
			key, err := s.key()
			if err != nil {
				t.Error(err)
				return
			}
			prints[i] = key.Fingerprint()
		})
	}
	all.Wait()
	for _, p := range prints {
		if p != prints[0] {
			t.Fatalf("processes that start together have different keys: %v", prints)
		}
	}
	info, err := os.Stat(filepath.Join(s.StateDir, "secret"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secret's file: %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(s.StateDir, ".secret-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestKey_isNotMadeAnewBesideABrokenOne(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := (&Instance{StateDir: dir}).key()
	if err == nil || !strings.Contains(err.Error(), "at least 32") || strings.Contains(err.Error(), "short") {
		t.Errorf("got %v", err)
	}
}

func TestKey_saysWhatToDoWhereItCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := (&Instance{StateDir: filepath.Join(file, "below")}).key()
	if err == nil || !strings.Contains(err.Error(), "instance.state_dir") {
		t.Errorf("got %v", err)
	}
}

func TestSettings_secretFileIsChecked(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte("too short"), 0o600); err != nil {
		t.Fatal(err)
	}
	source := strings.Replace(goodSettings, `state_dir = "/var/lib/postern"`, `secret_file = "key"`, 1)
	_, err := parseSettings(filepath.Join(dir, "postern.toml"), []byte(source), environment())
	if err == nil || !strings.Contains(err.Error(), "postern.toml:3:15: instance.secret_file") {
		t.Errorf("got %v", err)
	}
}
