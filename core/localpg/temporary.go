package localpg

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

const temporaryPrefix = "postern-pg-"

// temporaryHome is a folder for an ephemeral server, in the first place for
// temporary files that the user who runs PostgreSQL can reach.
func temporaryHome() (*home, error) {
	var failed error
	for _, place := range temporaryPlaces() {
		dir, err := os.MkdirTemp(place, temporaryPrefix)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		h, err := takeHome(dir)
		if err == nil {
			h.made = true
			return h, nil
		}
		os.Remove(dir)
		failed = errors.Join(failed, err)
	}
	return nil, failed
}

func temporaryPlaces() []string {
	return slices.Compact([]string{filepath.Clean(os.TempDir()), "/tmp", "/var/tmp"})
}

// sweep removes the folders of ephemeral servers whose process died before it
// could: their lock is free and PostgreSQL has followed its parent. A folder
// less than a minute old may be about to be locked.
func sweep() {
	for _, place := range temporaryPlaces() {
		left, _ := filepath.Glob(filepath.Join(place, temporaryPrefix+"*"))
		for _, dir := range left {
			info, err := os.Stat(dir)
			if err != nil || time.Since(info.ModTime()) < time.Minute {
				continue
			}
			if abandoned(&home{dir: dir}) {
				os.RemoveAll(dir) // another user's folder stays
			}
		}
	}
}

func abandoned(h *home) bool {
	lock, err := os.OpenFile(h.path("lock"), os.O_RDWR, 0)
	if err != nil {
		return errors.Is(err, os.ErrNotExist)
	}
	defer lock.Close()
	return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil && h.postmaster() == 0
}
