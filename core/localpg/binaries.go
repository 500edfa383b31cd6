package localpg

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// ErrNotInstalled says what to type.
var ErrNotInstalled = errors.New("PostgreSQL is not installed: apt-get install postgresql")

// FindBinaries is the folder of initdb and postgres: the ones in PATH, else the
// highest version in the places where packages put them. Debian keeps them out
// of PATH.
func FindBinaries() (string, error) {
	found, err := candidates("")
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// candidates are all folders with both programs, the preferred one first. A
// folder that was asked for is the only one.
func candidates(asked string) ([]string, error) {
	if asked != "" {
		if !complete(asked) {
			return nil, fmt.Errorf("there is no PostgreSQL in %s: initdb and postgres must both be there", asked)
		}
		return []string{asked}, nil
	}
	var found []string
	if initdb, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(initdb); err == nil {
			found = append(found, filepath.Dir(real))
		}
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", // Debian, Ubuntu
		"/usr/pgsql-*/bin",          // Red Hat, from postgresql.org
		"/opt/homebrew/opt/postgresql*/bin",
		"/usr/local/opt/postgresql*/bin",
		"/Applications/Postgres.app/Contents/Versions/*/bin",
	} {
		folders, _ := filepath.Glob(pattern) // fails only for a bad pattern
		slices.SortFunc(folders, func(a, b string) int { return number(b) - number(a) })
		found = append(found, folders...)
	}
	found = slices.DeleteFunc(found, func(dir string) bool { return !complete(dir) })
	if len(found) == 0 {
		return nil, ErrNotInstalled
	}
	return found, nil
}

// complete is false for a folder with the client's programs alone.
func complete(dir string) bool {
	for _, program := range []string{"initdb", "postgres"} {
		if info, err := os.Stat(filepath.Join(dir, program)); err != nil || info.IsDir() {
			return false
		}
	}
	return true
}

var digits = regexp.MustCompile(`\d+`)

// number is the version in a folder's name, 0 without one.
func number(folder string) int {
	n, _ := strconv.Atoi(digits.FindString(folder))
	return n
}

// binaries picks the programs for this cluster: PostgreSQL reads only clusters
// of its own major version.
func (h *home) binaries(asked string) (string, error) {
	found, err := candidates(asked)
	if err != nil {
		return "", err
	}
	made := h.version()
	for _, bin := range found {
		major, err := h.major(bin)
		if err != nil {
			return "", err
		}
		if made == "" || made == major {
			return bin, nil
		}
	}
	first, _ := h.major(found[0])
	return "", fmt.Errorf("the database in %s was made by PostgreSQL %s but the one in %s is %s: install postgresql-%s or choose another state folder",
		h.dir, made, found[0], first, made)
}

// major asks the program itself, as the user that will run it.
func (h *home) major(bin string) (string, error) {
	out, err := h.command(filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return "", fmt.Errorf("user %s cannot run PostgreSQL in %s: %w", h.userName(), bin, err)
	}
	return digits.FindString(string(out)), nil
}
