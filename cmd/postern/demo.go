package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"golang.org/x/sync/errgroup"

	"postern/cmd/postern/demo"
	"postern/core"
	"postern/core/localpg"
)

func demoCommand(f *flag.FlagSet) action {
	var o demo.Options
	state := f.String("state", ".state/demo", "keep everything in this `FOLDER`")
	listen := f.String("web", "127.0.0.1:8080", "`ADDRESS` of Postern's web view")
	f.StringVar(&o.HTTPAddr, "http", "127.0.0.1:8025", "`ADDRESS` of the page where everybody is played")
	f.StringVar(&o.IMAPAddr, "imap", "127.0.0.1:1143", "`ADDRESS` of the mail server, for reading")
	f.StringVar(&o.SMTPAddr, "smtp", "127.0.0.1:1025", "`ADDRESS` of the mail server, for sending")
	f.StringVar(&o.DNSAddr, "dns", "127.0.0.1:1053", "`ADDRESS` of the name server with the DKIM keys")
	return func(ctx context.Context, p *program, args []string) error {
		if err := none(args); err != nil {
			return err
		}
		folder, err := filepath.Abs(*state)
		if err != nil {
			return err
		}
		o.StateDir = folder
		return runDemo(ctx, p, o, *listen, privateDatabase)
	}
}

// database starts what the demo keeps its cases in.
type database func(ctx context.Context, dir string, log *slog.Logger) (*localpg.Server, error)

func privateDatabase(ctx context.Context, dir string, log *slog.Logger) (*localpg.Server, error) {
	return localpg.Start(ctx, localpg.Options{Dir: dir, Log: log})
}

// runDemo starts everything, says where it is, and stops it in reverse order
// when ctx ends.
func runDemo(ctx context.Context, p *program, o demo.Options, listen string, start database) (err error) {
	l, err := listenWeb(ctx, listen)
	if err != nil {
		return fmt.Errorf("%w: stop the program that uses it, or choose another with --web 127.0.0.1:PORT", err)
	}
	defer l.Close()
	o.DeskURL = "http://" + l.Addr().String()

	log, logFile, err := demoLog(o.StateDir)
	if err != nil {
		return err
	}
	defer logFile.Close()
	o.Log = log
	world, err := demo.Start(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, world.Close()) }()

	fmt.Fprintln(p.stderr, "starting PostgreSQL in", o.StateDir)
	server, err := start(ctx, o.StateDir, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()

	s, err := demoSettings(o.StateDir, world, server.URL(), l)
	if err != nil {
		return err
	}
	g, err := newGateway(ctx, s, l, log, false)
	if err != nil {
		return err
	}
	defer g.desk.Close()
	if err := populate(ctx, g.desk, s.Desks[0].Key, world.People()); err != nil {
		return err
	}
	return playDemo(ctx, p, g, world)
}

// playDemo runs Postern in its world. The world goes on until Postern has
// finished what is in hand.
func playDemo(ctx context.Context, p *program, g *gateway, world *demo.World) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	around, end := context.WithCancel(context.WithoutCancel(ctx))
	var group errgroup.Group
	group.Go(func() error {
		defer stop() // without its world there is nothing to do
		return world.Run(around)
	})
	group.Go(func() error {
		defer end()
		return g.run(ctx)
	})
	if ready(ctx, g) {
		fmt.Fprint(p.stdout, world.Banner(g.settings.Instance.BaseURL))
		fmt.Fprintf(p.stdout, "\nOther commands look into it with --config %s; the log is %s.\n",
			g.settings.File, filepath.Join(g.settings.Instance.StateDir, demoLogName))
	}
	return group.Wait()
}

// ready waits until Postern has looked into its mailbox.
func ready(ctx context.Context, g *gateway) bool {
	for {
		polled := true
		for _, p := range g.pollers {
			polled = polled && !p.Status().PolledAt.IsZero()
		}
		if polled {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
}

const demoLogName = "postern.log"

// demoLog writes into a file: the terminal is for the banner.
func demoLog(dir string) (*slog.Logger, *os.File, error) {
	err := os.MkdirAll(dir, 0o700)
	var f *os.File
	if err == nil {
		f, err = os.OpenFile(filepath.Join(dir, demoLogName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the folder %s cannot be written (%w): make it writable, or choose another with --state FOLDER", dir, err)
	}
	return newLog(f), f, nil
}

// demoFile are the demo's settings. They are written to a file, so that the
// other commands work on a running demo too.
var demoFile = template.Must(template.New("postern.toml").Funcs(template.FuncMap{"q": quoted}).Parse(`# Settings of the demo world, written at each start.
[instance]
base_url = {{q .BaseURL}}
listen = {{q .Listen}}
state_dir = {{q .StateDir}}
dns = {{q .DNS}}
[database]
url = {{q .Database}}
[mailbox.support]
desk = "support"
addresses = [{{q .Service.Address}}]
host = {{q .IMAPHost}}
port = {{.IMAPPort}}
tls = "none"
user = {{q .Service.Address}}
password = {{q .Service.Password}}
[smtp]
host = {{q .SMTPHost}}
port = {{.SMTPPort}}
tls = "none"
user = {{q .Service.Address}}
password = {{q .Service.Password}}
[desk.support]
file = "default.toml"
[limits]
gather = "3s" # nobody waits a minute to see what happens
lease = "5s" # what a killed demo held is free again soon: nobody else is there
`))

// quoted writes a basic string of TOML.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

func demoSettings(dir string, world *demo.World, database string, l net.Listener) (*Settings, error) {
	facts := map[string]any{
		"BaseURL": "http://" + l.Addr().String(), "Listen": l.Addr().String(), "StateDir": dir,
		"DNS": world.DNSAddr(), "Database": database,
	}
	for _, person := range world.People() {
		if person.Role == demo.Service {
			facts["Service"] = person
		}
	}
	for name, address := range map[string]string{"IMAP": world.IMAPAddr(), "SMTP": world.SMTPAddr()} {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		facts[name+"Host"], facts[name+"Port"] = host, port
	}
	var text bytes.Buffer
	if err := demoFile.Execute(&text, facts); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "postern.toml")
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		return nil, err
	}
	// nothing of the environment: the demo is the same everywhere
	return loadSettings(path, func(string) string { return "" })
}

// populate makes the agents and the customers' organisations, unless a start
// before this one did.
func populate(ctx context.Context, desk *core.Desk, key string, people []demo.Person) error {
	known := make(map[string]bool)
	agents, err := desk.Agents(ctx)
	if err != nil {
		return err
	}
	for _, a := range agents {
		known[a.Address] = true
	}
	organisations, err := desk.Organisations(ctx)
	if err != nil {
		return err
	}
	for _, o := range organisations {
		known[o.Name] = true
	}
	admin := false
	for _, person := range people {
		switch {
		case person.Role == demo.Agent && !known[person.Address]:
			role := "agent"
			if len(agents) == 0 && !admin {
				role, admin = "admin", true // the first one
			}
			err = desk.AddAgent(ctx, key, person.Address, person.Name, role)
		case person.Role == demo.Customer && !known[person.Company]:
			known[person.Company] = true
			_, domain, _ := strings.Cut(person.Address, "@")
			err = desk.AddOrganisation(ctx, person.Company, []string{domain})
		}
		if err != nil {
			return fmt.Errorf("demo: %s: %w", person.Address, err)
		}
	}
	return nil
}
