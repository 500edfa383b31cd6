package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"postern/core"
)

func eraseCommand(f *flag.FlagSet) action {
	yes := f.Bool("yes", false, "do it; without, only what would go is told")
	return func(ctx context.Context, p *program, args []string) error {
		address, err := oneAddress(args)
		if err != nil {
			return err
		}
		d, s, err := p.open(ctx)
		if err != nil {
			return err
		}
		defer d.Close()
		if *yes { // before anything goes it is sure that its hash can be kept
			if err := keepHashes(ctx, d, s); err != nil {
				return err
			}
		}
		e, err := d.Erase(ctx, address, !*yes)
		if errors.Is(err, core.ErrNobody) {
			return fmt.Errorf("%s is nobody's: no person has it, and no mail came from it", address)
		}
		if err != nil {
			return err
		}
		printErasure(p, address, e, *yes)
		if !*yes {
			fmt.Fprintf(p.stdout, "nothing was changed: postern erase --yes %s does it, and there is no way back\n", address)
			return nil
		}
		if err := keepHashes(ctx, d, s); err != nil {
			return fmt.Errorf("it is done in the database, but a restore would not know of it: %w: type it once more", err)
		}
		fmt.Fprintf(p.stdout, "backups from before still hold it all: delete them, after %s was kept apart\n", hashesPath(s))
		return nil
	}
}

func printErasure(p *program, address string, e core.Erasure, done bool) {
	what := "would go"
	if done {
		what = "is gone"
	}
	fmt.Fprintf(p.stdout, "of %s %s\n", address, what)
	for _, line := range []struct {
		n    int64
		what string
	}{
		{e.Addresses, "addresses, with the name of the person"},
		{e.Mails, "mails in: all but that they came, and salted hashes"},
		{e.Cases, "cases: title and description"},
		{e.Entries, "comments and notes: their text"},
		{e.Files, "files that nobody else brought"},
		{e.Letters, "mails to them: recipient and content"},
		{e.Raw, "raw mails, of others in these cases too"},
		{e.Secrets, "sessions, links and codes"},
		{e.Mentions, "places where others wrote the address, or the name in these cases"},
	} {
		fmt.Fprintf(p.stdout, "  %6d  %s\n", line.n, line.what)
	}
	for _, key := range e.DeskFiles {
		fmt.Fprintf(p.stdout, "  the file of desk %s names the address: change it and apply it (postern desk show %s)\n", key, key)
	}
}

func ledgerRestoredCommand(f *flag.FlagSet) action {
	yes := f.Bool("yes", false, "even if postern serve is running")
	return func(ctx context.Context, p *program, args []string) error {
		if err := none(args); err != nil {
			return err
		}
		d, s, err := p.open(ctx)
		if err != nil {
			return err
		}
		defer d.Close()
		kept, err := readHashes(hashesPath(s))
		if err != nil {
			return err
		}
		r, err := d.Restored(ctx, kept, *yes)
		if errors.Is(err, core.ErrServed) {
			return errors.New("postern serve is running on this database: stop it first, or wait a minute if it was killed. --yes goes on all the same")
		}
		if err != nil {
			return err
		}
		for _, key := range slices.Sorted(maps.Keys(r.Numbers)) {
			fmt.Fprintf(p.stdout, "desk %s: the next case is %s\n", key, r.Numbers[key])
		}
		if kept == nil {
			fmt.Fprintf(p.stdout, "nobody is known to have been erased: there is no %s\n", hashesPath(s))
		} else {
			fmt.Fprintf(p.stdout, "%d addresses were erased again, as they had been since the backup\n", len(r.Erased))
		}
		fmt.Fprintf(p.stdout, "%d folders are compared with the mail servers from their start on, at the next poll\n", r.Boxes)
		if r.Queued > 0 {
			fmt.Fprintf(p.stdout, "%d mails wait to be sent, as they did at the backup: those that left since then go out a second time\n", r.Queued)
		}
		if err := keepHashes(ctx, d, s); err != nil {
			return err
		}
		fmt.Fprintln(p.stdout, "now start postern serve; then postern ledger check says whether it balances")
		return nil
	}
}

// hashesPath is where hashes of what was erased are kept outside the database:
// a backup of it from before an erasure does not have them (R66).
func hashesPath(s *Settings) string { return filepath.Join(s.Instance.StateDir, "erased") }

// keepHashes brings the file up to what the database knows, and more: what
// stands in it stays.
func keepHashes(ctx context.Context, d *core.Desk, s *Settings) error {
	path := hashesPath(s)
	all, err := readHashes(path)
	if err != nil {
		return err
	}
	known, err := d.ErasedHashes(ctx)
	if err != nil {
		return err
	}
	newest := map[string]core.ErasedHash{}
	for _, h := range append(all, known...) {
		if had, ok := newest[string(h.Hash)]; !ok || h.At.After(had.At) {
			newest[string(h.Hash)] = h
		}
	}
	var lines []string
	for _, h := range newest {
		lines = append(lines, fmt.Sprintf("%s %s %x\n", h.At.UTC().Format(time.RFC3339Nano), h.Kind, h.Hash))
	}
	slices.Sort(lines)
	return replaceFile(path, []byte(strings.Join(lines, "")))
}

// replaceFile writes a file that is whole at any moment.
func replaceFile(path string, content []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".erased-*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if bad := f.Close(); err == nil {
		err = bad
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}

// readHashes reads the file; nil if there is none.
func readHashes(path string) ([]core.ErasedHash, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all := []core.ErasedHash{}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 {
			continue
		}
		if len(words) == 3 && (words[1] == "address" || words[1] == "mail") {
			at, bad := time.Parse(time.RFC3339Nano, words[0])
			hash, wrong := hex.DecodeString(words[2])
			if bad == nil && wrong == nil && len(hash) == 32 {
				all = append(all, core.ErasedHash{Kind: words[1], Hash: hash, At: at})
				continue
			}
		}
		return nil, fmt.Errorf("%s:%d: not a hash of something erased: put back the file as it was", path, n)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w: put back the file as it was", path, err)
	}
	return all, nil
}
