package coretest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"text/template"
	"time"
)

// DovecotOptions make Dovecot less able than it is.
type DovecotOptions struct {
	Capabilities string // what CAPABILITY says; empty: all. Without MOVE, say, to see what a client then does

	// TokenInfo switches signing in by OAuth on: Dovecot shows tokens to this
	// URL, with the token behind it, and is told {"user": ..., "active": "true"}, or 401.
	TokenInfo string
}

// Dovecot is a real IMAP server on loopback, without TLS. Every user exists and
// every password is right.
type Dovecot struct {
	dir  string
	addr string
	cmd  *exec.Cmd
	done chan struct{}
}

// StartDovecot runs a Dovecot until the test ends.
func StartDovecot(t testing.TB, o DovecotOptions) *Dovecot {
	t.Helper()
	// t.TempDir is closed to other users, and its long names fill up the path of
	// a socket.
	dir, err := os.MkdirTemp("", "postern-dovecot-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d, err := RunDovecot(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("dovecot: %s", d.log())
		}
	})
	return d
}

// RunDovecot runs a Dovecot that keeps everything in dir, until Stop or until
// this process dies. As root it serves as user nobody.
func RunDovecot(dir string, o DovecotOptions) (*Dovecot, error) {
	program, err := findDovecot()
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	// The port is free when we look and may be taken when Dovecot does.
	for range 3 {
		var d *Dovecot
		if d, err = runDovecot(program, dir, o); err == nil {
			return d, nil
		}
	}
	return nil, err
}

func runDovecot(program, dir string, o DovecotOptions) (*Dovecot, error) {
	config, addr, err := writeDovecotConfig(dir, o)
	if err != nil {
		return nil, err
	}
	d := &Dovecot{dir: dir, addr: addr, done: make(chan struct{})}
	d.cmd = exec.Command(program, "-F", "-c", config) // in the foreground: our child
	d.cmd.Dir = "/"
	d.cmd.SysProcAttr = dovecotProcess()
	started := make(chan error, 1)
	go d.live(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("dovecot: %w", err)
	}
	if err := d.ready(); err != nil {
		return nil, errors.Join(err, d.Stop())
	}
	return d, nil
}

// live keeps the thread that started Dovecot: when it ends, Dovecot does.
func (d *Dovecot) live(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := d.cmd.Start()
	started <- err
	if err == nil {
		d.cmd.Wait()
	}
	close(d.done)
}

// ready waits for the greeting.
func (d *Dovecot) ready() error {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		select {
		case <-d.done:
			return fmt.Errorf("dovecot ended: %s", d.log())
		default:
		}
		if d.greets() {
			return nil
		}
	}
	return fmt.Errorf("dovecot does not answer on %s: %s", d.addr, d.log())
}

func (d *Dovecot) greets() bool {
	conn, err := net.Dial("tcp", d.addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	greeting := make([]byte, len("* OK"))
	_, err = conn.Read(greeting)
	return err == nil && string(greeting) == "* OK"
}

// Addr is host:port of the IMAP server.
func (d *Dovecot) Addr() string { return d.addr }

// PID is the process id of Dovecot's master.
func (d *Dovecot) PID() int { return d.cmd.Process.Pid }

// MailDir is the Maildir of a user's INBOX. A file put into its folder new is a
// mail that arrived; other folders are MailDir/.Name.
func (d *Dovecot) MailDir(user string) string {
	return filepath.Join(d.dir, "mail", strings.ToLower(user), "Maildir")
}

// NewUIDValidity makes the server forget every UID of a folder, as after a
// restore from backup. Nobody may have the folder selected.
func (d *Dovecot) NewUIDValidity(user, folder string) error {
	dir := d.MailDir(user)
	if folder != "INBOX" {
		dir = filepath.Join(dir, "."+folder)
	}
	index, err := filepath.Glob(filepath.Join(dir, "dovecot*"))
	if err != nil {
		return err
	}
	for _, file := range index {
		// This one holds the last UIDVALIDITY given out: without it the next may
		// be the same, within the same second.
		if strings.HasPrefix(filepath.Base(file), "dovecot-uidvalidity") {
			continue
		}
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	return nil
}

// Stop ends Dovecot with all its sessions and waits.
func (d *Dovecot) Stop() error {
	d.cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended already
	select {
	case <-d.done:
		return nil
	case <-time.After(20 * time.Second):
		d.cmd.Process.Kill() // the others notice and follow
		<-d.done
		return errors.New("dovecot did not stop in 20 s and was killed")
	}
}

func (d *Dovecot) log() string {
	raw, err := os.ReadFile(filepath.Join(d.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

func findDovecot() (string, error) {
	if program, err := exec.LookPath("dovecot"); err == nil {
		return program, nil
	}
	const sbin = "/usr/sbin/dovecot" // not in the PATH of ordinary users
	if _, err := os.Stat(sbin); err != nil {
		return "", errors.New("Dovecot is not installed: apt-get install dovecot-imapd")
	}
	return sbin, nil
}

// dovecotConfig is for Dovecot 2.3; 2.4 has another syntax.
var dovecotConfig = template.Must(template.New("dovecot.conf").Parse(`
protocols = imap
listen = 127.0.0.1
base_dir = {{.Dir}}/run
state_dir = {{.Dir}}/run
log_path = {{.Dir}}/log
ssl = no
disable_plaintext_auth = no
auth_username_format = %Lu
default_internal_user = {{.User}}
default_internal_group = {{.Group}}
default_login_user = {{.User}}
mail_uid = {{.User}}
mail_gid = {{.Group}}
first_valid_uid = 1
mail_location = maildir:{{.Dir}}/mail/%u/Maildir
mail_max_userip_connections = 200
mail_fsync = never
{{with .Capabilities}}imap_capability = {{.}}{{end}}
{{if .TokenInfo}}
auth_mechanisms = plain login xoauth2 oauthbearer
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {{.Dir}}/oauth2.conf
}
{{end}}
passdb {
  driver = static
{{if .TokenInfo}}  mechanisms = plain login{{end}}
  args = nopassword=y
}
userdb {
  driver = static
  args = uid={{.User}} gid={{.Group}} home={{.Dir}}/mail/%u
}
service imap-login {
  chroot =
  inet_listener imap {
    port = {{.Port}}
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
`))

// writeDovecotConfig makes the folders and the configuration, and chooses the
// port.
func writeDovecotConfig(dir string, o DovecotOptions) (config, addr string, err error) {
	owner, err := dovecotUser()
	if err != nil {
		return "", "", err
	}
	group, err := user.LookupGroupId(owner.Gid)
	if err != nil {
		return "", "", err
	}
	mail := filepath.Join(dir, "mail")
	if err := os.MkdirAll(mail, 0o755); err != nil {
		return "", "", err
	}
	if os.Geteuid() == 0 {
		if err := open(dir, mail, owner); err != nil {
			return "", "", err
		}
	}
	port, err := freePort()
	if err != nil {
		return "", "", err
	}
	if o.TokenInfo != "" {
		text := "tokeninfo_url = " + o.TokenInfo + "\nusername_attribute = user\nactive_attribute = active\nactive_value = true\n"
		if err := os.WriteFile(filepath.Join(dir, "oauth2.conf"), []byte(text), 0o644); err != nil {
			return "", "", err
		}
	}
	config = filepath.Join(dir, "dovecot.conf")
	f, err := os.Create(config)
	if err != nil {
		return "", "", err
	}
	defer f.Close()
	err = dovecotConfig.Execute(f, map[string]any{
		"Dir": dir, "User": owner.Username, "Group": group.Name,
		"Port": port, "Capabilities": o.Capabilities, "TokenInfo": o.TokenInfo,
	})
	return config, fmt.Sprintf("127.0.0.1:%d", port), err
}

// dovecotUser is who reads the mail: nobody instead of root, else ourselves.
func dovecotUser() (*user.User, error) {
	if os.Geteuid() == 0 {
		return user.Lookup("nobody")
	}
	return user.Current()
}

// open lets the owner pass through dir and gives the mail to it.
func open(dir, mail string, owner *user.User) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	var uid, gid int
	if _, err := fmt.Sscan(owner.Uid+" "+owner.Gid, &uid, &gid); err != nil {
		return err
	}
	return os.Chown(mail, uid, gid)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
