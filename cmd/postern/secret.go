package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"postern/core/token"
)

// newKey makes the key of what a secret file holds; a line end behind it does
// not count.
func newKey(raw []byte) (token.Key, error) {
	return token.NewKey(bytes.TrimRight(raw, "\r\n"))
}

// existingKey is the instance's key, if there is one.
func (s *Instance) existingKey() (token.Key, error) {
	raw := s.secret
	if raw == nil {
		var err error
		if raw, err = readSmall(s.secretPath()); err != nil {
			return token.Key{}, fmt.Errorf("the secret cannot be read: %w", err)
		}
	}
	key, err := newKey(raw)
	if err != nil {
		return token.Key{}, fmt.Errorf("%s: %w: put back the one of a backup", s.secretPath(), err)
	}
	return key, nil
}

// key is the instance's key. If the settings name no file, one is made in the
// state folder at the first start. Losing it makes every reply address and link
// that is out worthless, so it is never made anew beside an unreadable one.
func (s *Instance) key() (token.Key, error) {
	key, err := s.existingKey()
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeSecret(s.secretPath()); err == nil {
			return s.existingKey()
		}
		err = fmt.Errorf("the secret cannot be made: %w", err)
	}
	var disk *fs.PathError
	if errors.As(err, &disk) {
		err = fmt.Errorf("%w: give %s to the user that runs postern, or set instance.state_dir or instance.secret_file", err, filepath.Dir(s.secretPath()))
	}
	return key, err
}

// makeSecret writes 32 random bytes as hex. The file appears whole or not at
// all, and only one of several processes that start together makes it.
func makeSecret(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".secret-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	var random [32]byte
	rand.Read(random[:]) // never fails, crypto/rand
	_, err = fmt.Fprintln(f, hex.EncodeToString(random[:]))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
