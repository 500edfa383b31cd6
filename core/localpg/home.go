package localpg

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// systemState is where a cluster goes when root's own folder is closed to the
// user that runs PostgreSQL.
const systemState = "/var/lib"

// maxSocketPath is what fits into sockaddr_un, less the name of the socket.
const maxSocketPath = 107 - len("/.s.PGSQL."+port)

// lockGrace is how long a process that was just killed may take to be gone.
const lockGrace = time.Second

var errOutOfReach = errors.New("out of reach")

// home is the folder of one cluster, locked for this process.
type home struct {
	dir  string
	as   *syscall.Credential // who runs PostgreSQL; nil: we ourselves
	lock *os.File
	made bool // by us, so an ephemeral server may remove it
}

// openHome finds a folder that the user who runs PostgreSQL can use, and takes
// it.
func openHome(o Options) (*home, error) {
	if o.Ephemeral {
		sweep()
	}
	if o.Dir == "" {
		if !o.Ephemeral {
			return nil, errors.New("the database needs a state folder: none was given")
		}
		return temporaryHome()
	}
	state, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	h, err := takeHome(filepath.Join(state, "postgres"))
	if !errors.Is(err, errOutOfReach) {
		return h, err
	}
	if o.Ephemeral {
		return temporaryHome()
	}
	elsewhere := filepath.Join(systemState, fmt.Sprintf("postern-%x", sha256.Sum256([]byte(state)))[:len("postern-")+12])
	h, err = takeHome(filepath.Join(elsewhere, "postgres"))
	if err == nil {
		o.Log.Warn("the database lives elsewhere: its user cannot reach the state folder",
			"state", state, "folder", h.dir, "user", h.userName())
	}
	return h, err
}

// takeHome makes dir if need be, gives it to the user who runs PostgreSQL, and
// locks it. errOutOfReach means that this user cannot get there, and that
// nothing of value is there yet.
func takeHome(dir string) (*home, error) {
	h := &home{dir: dir}
	if err := h.make(); err != nil {
		return nil, h.notWritable(err)
	}
	if err := h.settleOwner(); err != nil {
		return nil, err
	}
	if err := h.reach(); err != nil {
		if h.made {
			os.Remove(dir)
		}
		return nil, err
	}
	if err := h.take(); err != nil {
		return nil, err
	}
	return h, nil
}

func (h *home) make() error {
	if err := os.MkdirAll(filepath.Dir(h.dir), 0o755); err != nil {
		return err
	}
	err := os.Mkdir(h.dir, 0o700)
	h.made = err == nil
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	return err
}

// settleOwner decides who runs PostgreSQL. It refuses to run as root, so root
// lends the folder to user postgres or nobody, once: later starts, by root or
// by that user, find it theirs.
func (h *home) settleOwner() error {
	info, err := os.Stat(h.dir)
	if err != nil {
		return h.notWritable(err)
	}
	if !info.IsDir() {
		return h.notWritable(syscall.ENOTDIR)
	}
	owner := info.Sys().(*syscall.Stat_t)
	switch us := os.Geteuid(); {
	case us != 0 && int(owner.Uid) != us:
		return fmt.Errorf("the database in %s belongs to user %s: start as that user or as root, or choose another state folder",
			h.dir, name(owner.Uid))
	case us != 0:
		return nil
	case owner.Uid != 0:
		h.as = &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}
		return nil
	}
	if h.as, err = serviceUser(); err != nil {
		return err
	}
	if err := os.Chown(h.dir, int(h.as.Uid), int(h.as.Gid)); err != nil {
		return h.notWritable(err)
	}
	return nil
}

func serviceUser() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("user %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL cannot run as root and there is neither a user postgres nor nobody: start as an ordinary user")
}

// reach tries the folder as the user who will live in it: below a home of mode
// 0700 the folder's own mode says nothing.
func (h *home) reach() error {
	cmd := h.command("/bin/sh", "-c", "test -w .")
	cmd.Dir = h.dir
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case h.as == nil:
		return h.notWritable(err)
	case h.version() != "":
		return fmt.Errorf("user %s, who owns the database in %s, cannot reach it: open the folders above it (chmod o+x) or choose another state folder",
			h.userName(), h.dir)
	default:
		return errOutOfReach
	}
}

// take locks the folder for as long as we live. The lock, unlike a pid file,
// cannot outlive us.
func (h *home) take() error {
	if err := os.Chmod(h.dir, 0o700); err != nil {
		return h.notWritable(err)
	}
	lock, err := os.OpenFile(h.path("lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return h.notWritable(err)
	}
	h.lock = lock
	if err = flock(lock); err == nil {
		err = h.own(lock)
	}
	if err != nil {
		lock.Close()
	}
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return fmt.Errorf("the database in %s is already in use by another Postern: stop that one or choose another state folder", h.dir)
	case err != nil:
		return h.notWritable(err)
	}
	return nil
}

func flock(f *os.File) error {
	until := time.Now().Add(lockGrace)
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(until) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// close gives the folder back. Only an ephemeral folder that we made is removed.
func (h *home) close(ephemeral bool) error {
	var err error
	if ephemeral && h.made {
		err = os.RemoveAll(h.dir)
	}
	return errors.Join(err, h.lock.Close())
}

// initialise makes the cluster beside its place and moves it there when it is
// whole, so a crash in between leaves nothing that looks like data.
func (h *home) initialise(ctx context.Context, bin string, ephemeral bool) error {
	fresh := h.path("data.new")
	if err := os.RemoveAll(fresh); err != nil {
		return h.notWritable(err)
	}
	locale := "C.UTF-8"
	if runtime.GOOS == "darwin" {
		locale = "C" // it has no other that is the same everywhere
	}
	args := []string{"-D", fresh, "-U", role, "-A", "trust", "--encoding=UTF8", "--locale=" + locale}
	if ephemeral {
		args = append(args, "--no-sync")
	}
	cmd := h.command(filepath.Join(bin, "initdb"), args...)
	dieWithUs(cmd, syscall.SIGTERM)
	runtime.LockOSThread() // dieWithUs follows the thread
	defer runtime.UnlockOSThread()
	if out, err := runUntil(ctx, cmd); err != nil {
		return fmt.Errorf("the database cluster could not be made in %s: %w: %s", h.dir, err, lastLine(out))
	}
	if err := os.Rename(fresh, h.data()); err != nil {
		return h.notWritable(err)
	}
	return nil
}

// socketFolder is the home, or a temporary folder if its path is too long for
// a socket.
func (h *home) socketFolder() (string, error) {
	if len(h.dir) <= maxSocketPath {
		return h.dir, nil
	}
	dir, err := os.MkdirTemp("/tmp", "postern-socket-")
	if err != nil {
		return "", err
	}
	if h.as != nil {
		err = os.Chown(dir, int(h.as.Uid), int(h.as.Gid))
	}
	return dir, err
}

// openLog begins a new log; the old one is of no use once PostgreSQL starts.
func (h *home) openLog() (*os.File, error) {
	log, err := os.OpenFile(h.path("log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, h.notWritable(err)
	}
	return log, h.own(log)
}

// command prepares a program to run as the user of the folder.
func (h *home) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = "/" // where we stand may be closed to that user
	cmd.Env = append(environment(), "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: h.as,
		Setpgid:    true, // Ctrl-C is for us; we then stop it in order
	}
	return cmd
}

// environment is ours without what steers PostgreSQL.
func environment() []string {
	var kept []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "PG") && !strings.HasPrefix(entry, "LC_") && !strings.HasPrefix(entry, "LANG") {
			kept = append(kept, entry)
		}
	}
	return kept
}

// version is the major version that made the cluster, empty if there is none.
func (h *home) version() string {
	raw, err := os.ReadFile(filepath.Join(h.data(), "PG_VERSION"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(raw))
}

func (h *home) data() string { return h.path("data") }

func (h *home) path(name string) string { return filepath.Join(h.dir, name) }

func (h *home) own(f *os.File) error {
	if h.as == nil {
		return nil
	}
	return f.Chown(int(h.as.Uid), int(h.as.Gid))
}

func (h *home) userName() string {
	if h.as == nil {
		return name(uint32(os.Geteuid()))
	}
	return name(h.as.Uid)
}

func (h *home) notWritable(err error) error {
	return fmt.Errorf("the folder %s cannot be written by user %s: make it writable or choose another state folder (%w)",
		h.dir, name(uint32(os.Geteuid())), err)
}

func name(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

// runUntil is CombinedOutput with an end: exec.CommandContext would kill initdb
// without giving it the chance to tidy up.
func runUntil(ctx context.Context, cmd *exec.Cmd) ([]byte, error) {
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { cmd.Process.Signal(syscall.SIGTERM) })()
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Wait()
	return []byte(out.String()), errors.Join(err, ctx.Err())
}
