package localpg_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"postern/core/localpg"
)

// TestMain doubles as the process that gets killed: with childFolder set it
// starts a server there, says where, and lives until its input ends.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		os.Exit(child(dir))
	}
	code := m.Run()
	if madeBefore != "" {
		os.RemoveAll(madeBefore)
	}
	os.Exit(code)
}

// madeBefore is a state folder whose cluster exists, for tests of what comes
// later; making one takes most of the time here. They use it one at a time.
var madeBefore string

func folderMadeBefore(t *testing.T) string {
	t.Helper()
	if madeBefore != "" {
		return madeBefore
	}
	dir := newFolder(t)
	madeBefore = dir
	stop(t, start(t, localpg.Options{Dir: dir}))
	return dir
}

const childFolder = "LOCALPG_TEST_CHILD"

func child(dir string) int {
	s, err := localpg.Start(context.Background(), localpg.Options{Dir: dir})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(s.PID(), s.URL())
	io.Copy(io.Discard, os.Stdin)
	if err := s.Stop(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func TestStart_aSecondStartContinuesWithTheData(t *testing.T) {
	dir := folder(t)
	s := start(t, localpg.Options{Dir: dir})
	if want := filepath.Join(dir, "postgres"); s.Folder() != want {
		t.Fatalf("the cluster is in %s, want %s", s.Folder(), want)
	}
	query(t, s.URL(), "create table kept (word text)")
	query(t, s.URL(), "insert into kept values ('grüße')")
	if got := query(t, s.URL(), "show fsync"); got != "on" {
		t.Errorf("fsync is %s for data that must last", got)
	}
	stop(t, s)

	s = start(t, localpg.Options{Dir: dir, Settings: map[string]string{"commit_delay": "5000"}})
	if got := query(t, s.URL(), "select upper(word) from kept"); got != "GRÜSSE" && got != "GRÜßE" {
		t.Errorf("after the second start the table holds %q", got)
	}
	if got := query(t, s.URL(), "show commit_delay"); got != "5000" {
		t.Errorf("commit_delay is %s", got)
	}
}

func TestStart_twoAtOnceOnOneFolder(t *testing.T) {
	dir := folderMadeBefore(t)
	s := start(t, localpg.Options{Dir: dir})
	_, err := localpg.Start(t.Context(), localpg.Options{Dir: dir})
	mustSay(t, err, "already in use by another Postern")
	query(t, s.URL(), "select 'still here'")
}

func TestStart_aKilledParentLeavesNoServerBehind(t *testing.T) {
	dir := folderMadeBefore(t)
	cmd, _, pid, url := startChild(t, nil, dir)
	query(t, url, "create table found as select 42 as n")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// At once, while the server may still be on its way out.
	s := start(t, localpg.Options{Dir: dir})
	if got := query(t, s.URL(), "select n::text from found"); got != "42" {
		t.Errorf("the table holds %q", got)
	}
	mustEnd(t, pid)
}

func TestStart_aServerStartedByHandIsLeftAlone(t *testing.T) {
	dir := folderMadeBefore(t)
	// What a live server of somebody else looks like from here: its pid file.
	other := startProcess(t, "postgres")
	pidFile := filepath.Join(dir, "postgres", "data", "postmaster.pid")
	write(t, pidFile, fmt.Sprintf("%d\n%s\n", other, filepath.Dir(pidFile)))
	t.Cleanup(func() { os.Remove(pidFile) })
	_, err := localpg.Start(t.Context(), localpg.Options{Dir: dir})
	mustSay(t, err, fmt.Sprintf("another PostgreSQL (process %d) already runs", other))
}

func TestStart_aPidFileWhoseNumberAnotherProcessHasNowIsStale(t *testing.T) {
	dir := folderMadeBefore(t)
	pidFile := filepath.Join(dir, "postgres", "data", "postmaster.pid")
	write(t, pidFile, fmt.Sprintf("%d\n%s\n", os.Getpid(), filepath.Dir(pidFile)))
	start(t, localpg.Options{Dir: dir})
}

func TestStart_aClusterHalfMadeIsMadeAgain(t *testing.T) {
	dir := folder(t)
	half := filepath.Join(dir, "postgres", "data.new")
	if err := os.MkdirAll(half, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(half, "PG_VERSION"), "15\n")
	start(t, localpg.Options{Dir: dir})
}

func TestStart_aClusterOfAnotherVersionIsKept(t *testing.T) {
	dir := folder(t)
	data := filepath.Join(dir, "postgres", "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(data, "PG_VERSION"), "9\n")
	write(t, filepath.Join(data, "precious"), "data")
	_, err := localpg.Start(t.Context(), localpg.Options{Dir: dir})
	mustSay(t, err, "was made by PostgreSQL 9 but")
	if _, err := os.Stat(filepath.Join(data, "precious")); err != nil {
		t.Errorf("the data folder was touched: %v", err)
	}
}

func TestStart_aFolderThatCannotBeMade(t *testing.T) {
	file := filepath.Join(folder(t), "file")
	write(t, file, "")
	_, err := localpg.Start(t.Context(), localpg.Options{Dir: filepath.Join(file, "state")})
	mustSay(t, err, "cannot be written by user")
}

func TestStart_aFolderThatIsNotOurs(t *testing.T) {
	dir := folder(t)
	as := nobody
	if os.Geteuid() != 0 {
		as, dir = nil, "/" // nobody in particular may write there
	}
	cmd := exec.Command(copyOfUs(t))
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), childFolder+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	out, err := cmd.Output()
	if err == nil {
		t.Fatal("it started")
	}
	mustSay(t, errors.New(strings.TrimSpace(string(out))), "cannot be written by user")
}

// Below a home of mode 0700 root gets a system folder, the same one each time.
func TestStart_belowAClosedHome(t *testing.T) {
	dir := t.TempDir() // its parent is closed
	s := start(t, localpg.Options{Dir: dir})
	query(t, s.URL(), "create table kept as select 42 as n")
	if os.Geteuid() == 0 {
		system, found := strings.CutSuffix(s.Folder(), "/postgres")
		if !found || !strings.HasPrefix(system, "/var/lib/postern-") {
			t.Fatalf("the cluster is in %s", s.Folder())
		}
		t.Cleanup(func() { s.Stop(); os.RemoveAll(system) })
	}
	stop(t, s)
	again := start(t, localpg.Options{Dir: dir})
	if got := query(t, again.URL(), "select n::text from kept"); got != "42" {
		t.Errorf("the table holds %q", got)
	}
	stop(t, again)
}

func TestStart_withoutPostgreSQL(t *testing.T) {
	_, err := localpg.Start(t.Context(), localpg.Options{Dir: folder(t), Bin: t.TempDir()})
	mustSay(t, err, "there is no PostgreSQL in")
}

func TestStart_aSettingThatPostgreSQLRefuses(t *testing.T) {
	_, err := localpg.Start(t.Context(), localpg.Options{Dir: folderMadeBefore(t), Settings: map[string]string{"shared_buffers": "many"}})
	mustSay(t, err, `invalid value for parameter "shared_buffers"`)
}

func TestStart_aPathTooLongForASocket(t *testing.T) {
	dir := filepath.Join(folder(t), strings.Repeat("long/", 25))
	s := start(t, localpg.Options{Dir: dir, Ephemeral: true})
	query(t, s.URL(), "select 'reached'")
	stop(t, s)
	if left, _ := filepath.Glob("/tmp/postern-socket-*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestStart_ephemeralLeavesNothing(t *testing.T) {
	s := start(t, localpg.Options{Ephemeral: true})
	if got := query(t, s.URL(), "show fsync"); got != "off" {
		t.Errorf("fsync is %s", got)
	}
	stop(t, s)
	if _, err := os.Stat(s.Folder()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", s.Folder(), err)
	}
	select {
	case <-s.Done():
	default:
		t.Error("the server is stopped but not done")
	}
}

func TestStart_ephemeralFoldersOfTheDeadAreSwept(t *testing.T) {
	t.Setenv("TMPDIR", folder(t))
	dead := filepath.Join(os.TempDir(), "postern-pg-1")
	young := filepath.Join(os.TempDir(), "postern-pg-2")
	for _, dir := range []string{dead, young} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	longAgo := time.Now().Add(-time.Hour)
	if err := os.Chtimes(dead, longAgo, longAgo); err != nil {
		t.Fatal(err)
	}
	start(t, localpg.Options{Ephemeral: true})
	if _, err := os.Stat(dead); err == nil {
		t.Error("the old folder is still there")
	}
	if _, err := os.Stat(young); err != nil {
		t.Error("a folder that may be in use is gone")
	}
}

func TestStart_aContextThatEndsStopsTheStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := localpg.Start(ctx, localpg.Options{Ephemeral: true}); err == nil {
		s.Stop()
		t.Error("it started")
	}
}

// TestStart_asAnOrdinaryUser runs as nobody when the tests run as root, and as
// oneself otherwise: either way, not as root.
func TestStart_asAnOrdinaryUser(t *testing.T) {
	dir := folder(t)
	var as *syscall.Credential
	if os.Geteuid() == 0 {
		as = nobody
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	cmd, input, pid, _ := startChild(t, as, dir)
	input.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("the child ended with %v", err)
	}
	mustEnd(t, pid)
	// Root finds the folder to be somebody's and starts as that user.
	start(t, localpg.Options{Dir: dir})
}

func TestFindBinaries(t *testing.T) {
	bin, err := localpg.FindBinaries()
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"initdb", "postgres"} {
		if _, err := os.Stat(filepath.Join(bin, program)); err != nil {
			t.Error(err)
		}
	}
}

// nobody's numbers on Debian.
var nobody = &syscall.Credential{Uid: 65534, Gid: 65534}

// folder is a temporary folder that other users can reach; t.TempDir is not.
func folder(t *testing.T) string {
	t.Helper()
	dir := newFolder(t)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func newFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "localpg-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func start(t *testing.T, o localpg.Options) *localpg.Server {
	t.Helper()
	s, err := localpg.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop() })
	return s
}

func stop(t *testing.T, s *localpg.Server) {
	t.Helper()
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	mustEnd(t, s.PID())
}

// query runs one statement and returns its first column as text.
func query(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectOneRow(rows, pgx.RowTo[string])
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		t.Fatal(err)
	}
	return got
}

// startChild runs this test program as a process of its own that starts a
// server in dir. The server ends with its input.
func startChild(t *testing.T, as *syscall.Credential, dir string) (*exec.Cmd, io.Closer, int, string) {
	t.Helper()
	cmd := exec.Command(copyOfUs(t))
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), childFolder+"="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("the child said %q and %v", line, err)
	}
	first, url, _ := strings.Cut(strings.TrimSpace(line), " ")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatalf("the child said %q", line)
	}
	return cmd, input, pid, url
}

// copyOfUs is this test program where every user can run it; go test builds it
// in a closed folder.
func copyOfUs(t *testing.T) string {
	t.Helper()
	us, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return copyProgram(t, us, "localpg.test")
}

func copyProgram(t *testing.T, program, name string) string {
	t.Helper()
	raw, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(folder(t), name)
	if err := os.WriteFile(to, raw, 0o755); err != nil {
		t.Fatal(err)
	}
	return to
}

// startProcess runs something harmless under the given name.
func startProcess(t *testing.T, name string) int {
	t.Helper()
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(copyProgram(t, sleep, name), "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd.Process.Pid
}

// mustEnd waits until a process has ended. One that only waits to be reaped,
// by whoever inherits orphans here, has.
func mustEnd(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if syscall.Kill(pid, 0) != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
	}
	t.Errorf("process %d still runs", pid)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func mustSay(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want an error that says %q", err, want)
		return
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("not one sentence: %v", err)
	}
	t.Log(err)
}
