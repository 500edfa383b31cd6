package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"strings"

	"postern/core"
	"postern/core/flow"
	"postern/templates/desks"
)

// readDesk reads a desk file, or one of those that come with Postern.
func readDesk(path string) ([]byte, error) {
	source, err := readSmall(path)
	if errors.Is(err, fs.ErrNotExist) {
		if builtIn, err := desks.Files.ReadFile(path); err == nil {
			return builtIn, nil
		}
	}
	return source, err
}

// checkedDesk reads and checks a desk file without a database. What is wrong is
// said on w, a line each.
func checkedDesk(p *program, path string) (*flow.Desk, error) {
	source, err := readDesk(path)
	if err != nil {
		return nil, err
	}
	desk, err := core.ParseDesk("desk", source)
	if err == nil {
		return desk, nil
	}
	fmt.Fprintln(p.stderr, deskProblems(path, err).Error())
	return nil, errSaid
}

func deskCheckCommand(f *flag.FlagSet) action {
	asJSON := f.Bool("json", false, "print one JSON object with all problems")
	return func(_ context.Context, p *program, args []string) error {
		path, err := one(args, "desk file")
		if err != nil {
			return err
		}
		if *asJSON {
			return deskCheckJSON(p, path)
		}
		desk, err := checkedDesk(p, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "%s is right: %s, numbers from %s-%d, %d statuses, %d moves, languages %s\n", path,
			desk.Name.In(desk.Languages[0]), desk.Prefix, desk.FirstNumber, len(desk.Statuses), len(desk.Moves), strings.Join(desk.Languages, " "))
		return nil
	}
}

func deskCheckJSON(p *program, path string) error {
	type line struct {
		Line    int    `json:"line"`
		Column  int    `json:"column"`
		Message string `json:"message"`
	}
	result := struct {
		File     string `json:"file"`
		Problems []line `json:"problems"`
	}{path, []line{}}
	source, err := readDesk(path)
	if err != nil {
		return err
	}
	if _, err := core.ParseDesk("desk", source); err != nil {
		for _, p := range deskProblems(path, err) {
			result.Problems = append(result.Problems, line{p.line, p.column, p.message})
		}
	}
	if err := printJSON(p.stdout, result); err != nil {
		return err
	}
	if len(result.Problems) > 0 {
		return errSaid
	}
	return nil
}

func deskGraphCommand(f *flag.FlagSet) action {
	language := f.String("language", "", "`CODE` of the labels' language; without it, the desk's own")
	return func(_ context.Context, p *program, args []string) error {
		path, err := one(args, "desk file")
		if err != nil {
			return err
		}
		desk, err := checkedDesk(p, path)
		if err != nil {
			return err
		}
		if *language == "" {
			*language = desk.Languages[0]
		}
		_, err = p.stdout.Write(desk.Graph(*language))
		return err
	}
}

func deskApplyCommand(f *flag.FlagSet) action {
	asked := f.String("desk", "", "`KEY` of the desk that gets the file, if there are several")
	dry := f.Bool("dry-run", false, "show what would change and leave it at that")
	var moves words
	f.Var(&moves, "move", "`OLD=NEW`: cases with status OLD get status NEW; may be repeated")
	return func(ctx context.Context, p *program, args []string) error {
		path, err := one(args, "desk file")
		if err != nil {
			return err
		}
		instead, err := pairs(moves)
		if err != nil {
			return err
		}
		if _, err := checkedDesk(p, path); err != nil { // before anything is opened
			return err
		}
		source, err := readDesk(path)
		if err != nil {
			return err
		}
		d, s, err := p.open(ctx)
		if err != nil {
			return err
		}
		defer d.Close()
		key, err := s.chooseDesk(*asked)
		if err != nil {
			return err
		}
		changes, err := d.ApplyDesk(ctx, key, source, instead, *dry)
		for _, line := range changes {
			fmt.Fprintln(p.stdout, line)
		}
		switch {
		case errors.Is(err, core.ErrInUse):
			return fmt.Errorf("nothing was changed: %w", err)
		case err != nil:
			return err
		case len(changes) == 0:
			fmt.Fprintf(p.stdout, "desk %s: nothing changes\n", key)
		case *dry:
			fmt.Fprintf(p.stdout, "desk %s: nothing was changed (--dry-run)\n", key)
		default:
			fmt.Fprintf(p.stdout, "desk %s: in use from now on\n", key)
		}
		return nil
	}
}

// pairs reads OLD=NEW.
func pairs(list []string) (map[string]string, error) {
	all := make(map[string]string)
	for _, text := range list {
		from, to, ok := strings.Cut(text, "=")
		if !ok || from == "" || to == "" {
			return nil, usageError(fmt.Sprintf("--move %s: must be OLD=NEW, two keys of statuses", text))
		}
		if _, twice := all[from]; twice {
			return nil, usageError(fmt.Sprintf("--move %s: %s was moved already", text, from))
		}
		all[from] = to
	}
	return all, nil
}

func deskShowCommand(*flag.FlagSet) action {
	return func(ctx context.Context, p *program, args []string) error {
		asked := ""
		if len(args) > 0 {
			var err error
			if asked, err = one(args, "desk"); err != nil {
				return err
			}
		}
		d, s, err := p.open(ctx)
		if err != nil {
			return err
		}
		defer d.Close()
		key, err := s.chooseDesk(asked)
		if err != nil {
			return err
		}
		source, _, err := d.DeskSource(ctx, key)
		if err != nil {
			return err
		}
		_, err = p.stdout.Write(source)
		return err
	}
}
