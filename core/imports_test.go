package core_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "postern/"

// rule is what one package may import outside its tests. A path that ends in
// /... stands for the package and everything below it.
type rule struct {
	pkg    string
	ours   []string // packages of this module
	others []string // packages of other modules; "..." is all
	not    []string // of these and of the standard library, not
	why    string
}

const (
	pgx      = "github.com/jackc/pgx/v5/..."
	goose    = "github.com/pressly/goose/v3/..."
	toml     = "github.com/pelletier/go-toml/v2/..."
	emersion = "github.com/emersion/..."
	x        = "golang.org/x/..."
	all      = "..."
)

var (
	http = []string{"net/http/..."}
	// pure packages compute: nothing they import can reach out.
	outside = []string{"net/...", "os/...", "database/sql/...", "log/...", "syscall", "flag"}
	// core knows no protocol, no words, no settings and no logger. Package net
	// itself is there for its errors, which tell a database that is away.
	protocols = []string{"net/http/...", "net/smtp", "net/mail", "net/textproto", "net/rpc/...", "mime/...",
		"html/template", "text/template", "log/...", "os/...", "flag", "syscall", "database/sql/..."}
)

var rules = []rule{
	{"core", []string{"core/flow", "core/hours", "core/token"}, []string{pgx}, protocols,
		"core holds the rules and the tables: no IMAP, SMTP, MIME, HTTP, templates, settings or logger"},
	{"core/flow", nil, []string{toml}, outside, "a desk file is read and judged without the world"},
	{"core/hours", nil, nil, outside, "working hours are computed without the world"},
	{"core/token", nil, nil, outside, "tokens are made and checked without the world"},
	{"core/localpg", nil, []string{pgx}, http, "it runs PostgreSQL and does not know what for"},
	{"core/coretest", []string{"core/...", "migrations", "templates/..."}, []string{all}, http,
		"a desk, a mailbox and a browser for tests; everything above core is what they test"},

	{"mailin", []string{"core", "core/flow", "mailin/..."}, []string{emersion, "github.com/miekg/dns", "golang.org/x/net/...", "golang.org/x/text/...", "golang.org/x/sync/..."}, http,
		"from a mailbox to core.Desk, with facts and no judgement"},
	{"mailin/mime", []string{"mailin/quote"}, []string{emersion, "github.com/microcosm-cc/bluemonday", "golang.org/x/net/...", "golang.org/x/text/..."}, http,
		"bytes to parts: it does not know what a case is"},
	{"mailin/mime/bombs", nil, nil, outside, "hostile mails for tests and measures: octets, and nothing of the program"},
	{"mailin/quote", nil, []string{"golang.org/x/text/..."}, outside, "the visible reply is a function of the text"},
	{"mailin/fixtures", nil, []string{"golang.org/x/text/..."}, http,
		"mails and what is to be understood of them: nothing of the program may have a hand in it"},
	{"mailout", []string{"core", "core/flow", "templates/..."}, []string{"github.com/wneessen/go-mail/...", "github.com/emersion/go-msgauth/dkim", toml, x}, http,
		"from the outbox to an SMTP server"},

	{"migrations", nil, []string{goose, pgx}, http, "tables, and the few lines that bring them about"},
	{"templates", []string{"templates/..."}, nil, http, "words: data, no logic"},
	{"templates/desks", nil, nil, http, "desk files: data, no logic"},
	{"templates/mail", nil, nil, http, "bodies of mails: data, no logic"},
	{"templates/web", nil, nil, http, "pages: data, no logic"},
	{"templates/words", nil, nil, http, "one file per language: data, no logic"},

	{"cmd/postern", []string{all}, []string{all}, nil, "the program wires everything, and is no place for tests' tools"},
	{"cmd/postern/web", []string{"core", "core/flow", "core/hours", "core/token", "templates/..."}, []string{all}, []string{pgx},
		"pages over core; mail and tables are behind it"},
	{"cmd/postern/demo", []string{"core/localpg", "templates/..."}, []string{all}, []string{pgx},
		"the demo plays people: by IMAP, SMTP and HTTP, as they would"},
	{"cmd/bench", []string{all}, []string{all}, nil, "it measures everything"},
	{"cmd/prove", []string{all}, []string{all}, nil, "it kills everything"},
	{"cmd/rulecheck", nil, nil, http, "it reads what go test writes, and knows the numbers of rules alone"},
}

// importers are who may import a package, for those that are not for everybody,
// whatever the rules above say.
var importers = []struct {
	pkg string
	by  []string
	why string
}{
	{"core/localpg", []string{"cmd/...", "core/coretest"}, "a private PostgreSQL is for the demo, tests and measurements"},
	{"core/coretest", []string{"cmd/bench", "cmd/prove"}, "tests' tools do not go into the program"},
	{"mailin/fixtures", []string{"cmd/bench", "cmd/prove"}, "tests' mails do not go into the program"},
}

// seam are the files of core that may see the database.
func seam(file string) bool {
	return file == "desk.go" || file == "db.go" || strings.HasSuffix(file, "_sql.go")
}

func TestImports(t *testing.T) {
	root := ".."
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if name == "testdata" || file != root && strings.HasPrefix(name, ".") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		imports, err := importsOf(file)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		for _, imported := range imports {
			if broken := judge(filepath.ToSlash(below), imported); broken != "" {
				t.Error(broken)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func importsOf(file string) ([]string, error) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	imports := []string{""} // a file without imports must have a rule, too
	for _, spec := range f.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		imports = append(imports, imported)
	}
	return imports, nil
}

// judge says which rule an import breaks, or nothing.
func judge(file, imported string) string {
	pkg := path.Dir(file)
	i := slices.IndexFunc(rules, func(r rule) bool { return r.pkg == pkg })
	if i < 0 {
		return fmt.Sprintf("%s: no rule for package %s: add one to core/imports_test.go", file, pkg)
	}
	r := rules[i]
	broken := func(why string) string { return fmt.Sprintf("%s imports %s: %s", file, imported, why) }
	own, isOurs := strings.CutPrefix(imported, module)
	switch {
	case imported == "":
		return ""
	case isOurs:
		for _, guarded := range importers {
			if own == guarded.pkg && !matches(pkg, guarded.by) {
				return broken(guarded.why)
			}
		}
		if !matches(own, r.ours) {
			return broken(r.why)
		}
	case matches(imported, r.not):
		return broken(r.why)
	case isStandard(imported):
		return ""
	case !matches(imported, r.others):
		return broken(r.why)
	case pkg == "core" && matches(imported, []string{pgx}) && !seam(path.Base(file)):
		return broken("in core only desk.go, db.go and *_sql.go see the database")
	}
	return ""
}

func matches(imported string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		tree, isTree := strings.CutSuffix(pattern, "...")
		return imported == pattern || isTree && strings.HasPrefix(imported+"/", tree)
	})
}

// isStandard: paths of other modules begin with a domain.
func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

func TestJudge(t *testing.T) {
	for _, test := range []struct {
		file, imported string
		broken         bool
	}{
		{"core/receive.go", "context", false},
		{"core/receive.go", "postern/core/flow", false},
		{"core/desk.go", "github.com/jackc/pgx/v5/pgxpool", false},
		{"core/case_sql.go", "github.com/jackc/pgx/v5", false},
		{"core/receive.go", "github.com/jackc/pgx/v5", true},
		{"core/receive.go", "net/http", true},
		{"core/receive.go", "log/slog", true},
		{"core/receive.go", "postern/templates", true},
		{"core/receive.go", "postern/core/coretest", true},
		{"core/receive.go", "github.com/emersion/go-imap/v2", true},
		{"core/flow/parse.go", "github.com/pelletier/go-toml/v2/unstable", false},
		{"core/flow/parse.go", "os", true},
		{"core/token/token.go", "crypto/hmac", false},
		{"core/token/token.go", "postern/core", true},
		{"core/coretest/desk.go", "postern/core/localpg", false},
		{"core/coretest/desk.go", "postern/mailin", true},
		{"mailin/poller.go", "postern/mailout", true},
		{"mailin/poller.go", "postern/mailin/mime", false},
		{"mailin/poller.go", "net/http/httputil", true},
		{"mailin/mime/parse.go", "postern/core", true},
		{"mailout/sender.go", "postern/mailin/mime", true},
		{"templates/templates.go", "embed", false},
		{"templates/templates.go", "postern/core", true},
		{"cmd/postern/serve.go", "postern/mailin", false},
		{"cmd/postern/serve.go", "postern/core/coretest", true},
		{"cmd/postern/web/page.go", "postern/mailout", true},
		{"cmd/postern/web/page.go", "net/http", false},
		{"cmd/postern/demo/people.go", "postern/core", true},
		{"cmd/postern/demo/people.go", "postern/core/localpg", false},
		{"cmd/bench/main.go", "postern/core/coretest", false},
		{"utils/utils.go", "", true},
	} {
		got := judge(test.file, test.imported)
		if (got != "") != test.broken {
			t.Errorf("%s imports %s: judged %q", test.file, test.imported, got)
		}
	}
}
