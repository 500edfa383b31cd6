package mailout

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	tree "text/template/parse"

	"postern/core"
)

// A desk may have words of its own over those that come along: a folder with
// files of the same names. Each file replaces one mail in one language, or, as
// parts.<language>.txt, single parts that several mails share. All of them are
// tried before the first mail goes out.

// TemplateProblem is one thing wrong with a template: where, and what.
type TemplateProblem struct {
	File         string
	Line, Column int // from 1; 0 if it concerns the whole file
	Message      string
}

func (p TemplateProblem) Error() string {
	where := p.File
	for _, n := range []int{p.Line, p.Column} {
		if n > 0 {
			where += ":" + strconv.Itoa(n)
		}
	}
	return where + ": " + p.Message
}

// maxTemplateBytes bounds one file.
const maxTemplateBytes = 64 << 10

// texts is a folder of templates.
type texts struct {
	fs.FS
	name string // for people
}

func (f texts) path(name string) string { return f.name + "/" + name }

// parse adds a file's definitions to t.
func (f texts) parse(t *template.Template, name string) error {
	info, err := fs.Stat(f, name)
	if err != nil {
		return err
	}
	if info.Size() > maxTemplateBytes {
		return TemplateProblem{File: f.path(name), Message: fmt.Sprintf("the file has %d bytes: at most %d", info.Size(), maxTemplateBytes)}
	}
	if _, err := t.ParseFS(f, name); err != nil {
		return f.problem(err)
	}
	return nil
}

// templateError is how text/template says where: "template: name:line:column: ...".
var templateError = regexp.MustCompile(`^template: ([^\s:]+):([0-9]+)(?::([0-9]+))?: (.*)$`)

// notThere is how it says that a value has no such field.
var notThere = regexp.MustCompile(`at <(\$?\.?[^>]*)>: (?:can't evaluate field (\w+) in type|nil data; no entry for key)`)

// problem makes an error of text/template one for people.
func (f texts) problem(of error) error {
	m := templateError.FindStringSubmatch(strings.ReplaceAll(of.Error(), "\n", " "))
	if m == nil {
		return of
	}
	line, _ := strconv.Atoi(m[2])
	column, err := strconv.Atoi(m[3])
	if err == nil {
		column++ // they count from 0
	}
	message := m[4]
	if field := notThere.FindStringSubmatch(message); field != nil {
		message = fmt.Sprintf("%s: there is nothing called %s here", field[1], field[2])
	}
	return TemplateProblem{f.path(m[1]), line, column, message}
}

// Own gives a desk the words of a folder, over those that come along. It
// returns every problem of them, and then the desk keeps the words that it had.
func (c *Composer) Own(desk string, files fs.FS, name string) []error {
	own := texts{files, name}
	codes, found := own.languages()
	all := maps.Clone(c.languages)
	for _, code := range codes {
		lang, err := readLanguage(code, texts{c.files, "mail"}, own)
		if err == nil {
			if lang.columns == nil { // a language of the desk's own, without lists
				lang.columns = c.languages[fallback].columns
			}
			err = lang.check(own)
		}
		if err != nil {
			found = append(found, err)
			continue
		}
		all[code] = lang
	}
	if found == nil {
		c.desks[desk] = all
	}
	return found
}

var templateName = regexp.MustCompile(`^([a-z-]+)\.([a-z]{2,3}(?:-[a-z]{2})?)\.txt$`)

// languages are those that a folder has files of. A file that no mail is made
// of would be words that nobody ever reads: it is a problem.
func (f texts) languages() (codes []string, found []error) {
	entries, err := fs.ReadDir(f, ".")
	if err != nil {
		return nil, []error{fmt.Errorf("%s: %w", f.name, err)}
	}
	for _, e := range entries {
		if e.IsDir() || !strings.HasSuffix(e.Name(), ".txt") {
			continue // a README, what editors leave
		}
		m := templateName.FindStringSubmatch(e.Name())
		switch {
		case m == nil:
			found = append(found, TemplateProblem{File: f.path(e.Name()), Message: "no mail has such a name: it is KIND.LANGUAGE.txt, as confirmation.en.txt"})
		case !slices.Contains(sharedParts, m[1]) && !slices.Contains(kinds, core.Kind(m[1])):
			found = append(found, TemplateProblem{File: f.path(e.Name()), Message: fmt.Sprintf("there is no mail %q: there are %s", m[1], join(kinds))})
		case !slices.Contains(codes, m[2]):
			codes = append(codes, m[2])
		}
	}
	return codes, found
}

func join(kinds []core.Kind) string {
	var names []string
	for _, k := range kinds {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// check tries the words of a language on letters of every kind, with all that
// a letter can tell and with nothing, and looks at what no letter reaches.
func (l *language) check(own texts) error {
	var found []error
	for _, k := range kinds {
		t := l.kinds[k]
		if t == nil {
			continue
		}
		if err := l.checkFields(t, own); err != nil {
			found = append(found, err)
			continue
		}
		for _, letter := range trials(k, l.code) {
			if err := l.try(t, own, letter); err != nil {
				found = append(found, err)
				break
			}
		}
	}
	found = slices.CompactFunc(found, func(a, b error) bool { return a.Error() == b.Error() }) // a part that many use
	return errors.Join(found...)
}

// trials are the letters that words are tried on.
func trials(k core.Kind, code string) []core.Letter {
	all := []core.Letter{everything(k, code), nothing(k, code)}
	for _, s := range Samples(code) {
		if s.Letter.Kind == k {
			all = append(all, s.Letter)
		}
	}
	return all
}

func (l *language) try(t *template.Template, own texts, letter core.Letter) error {
	v := newView(prepared(letter), l)
	subject, err := run(t, "subject", v)
	if err != nil {
		return own.problem(err)
	}
	body, err := run(t, "body", v)
	if err != nil {
		return own.problem(err)
	}
	file := own.path(string(letter.Kind) + "." + l.code + ".txt")
	if strings.TrimSpace(subject) == "" {
		return TemplateProblem{File: file, Message: `the subject is empty for a mail that may not tell the title: as in {{or .Title "We received your mail"}}`}
	}
	if strings.TrimSpace(marks.Replace(body)) == "" {
		return TemplateProblem{File: file, Message: "the body is empty for a mail that tells nothing but its number"}
	}
	return nil
}

// known are the names of all that a template may ask for, wherever it is.
var known = func() map[string]bool {
	names := map[string]bool{}
	for _, of := range []any{view{}, item{}, file{}, heldMail{}, action{}, answer{}, problem{}, timelineEntry{}, collision{}, core.Change{}, core.Help{}, sheet{}, sheetEntry{}, core.Word{}, core.HelpCommand{}, core.Link{}, core.Document{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(of)) {
			names[f.Name] = f.IsExported()
		}
	}
	for of, i := reflect.TypeFor[*view](), 0; i < of.NumMethod(); i++ {
		names[of.Method(i).Name] = true
	}
	return names
}()

// checkFields finds names and parts that there are not, in branches too that no
// letter takes.
func (l *language) checkFields(t *template.Template, own texts) error {
	for _, part := range t.Templates() {
		if part.Tree == nil {
			continue
		}
		var problem error
		walk(part.Tree.Root, func(n tree.Node) {
			name, wrong := "", ""
			switch n := n.(type) {
			case *tree.FieldNode:
				name = n.Ident[0]
			case *tree.VariableNode:
				if n.Ident[0] == "$" && len(n.Ident) > 1 {
					name = n.Ident[1]
				}
			case *tree.TemplateNode:
				if t.Lookup(n.Name) == nil {
					wrong = fmt.Sprintf("there is no part %q", n.Name)
				}
			}
			if name != "" && !known[name] {
				wrong = fmt.Sprintf("%s: there is nothing called %s", n, name)
			}
			if wrong != "" && problem == nil {
				at, _ := part.Tree.ErrorContext(n) // "name:line:column"
				problem = own.problem(fmt.Errorf("template: %s: %s", at, wrong))
			}
		})
		if problem != nil {
			return problem
		}
	}
	return nil
}

// walk visits every node of a template.
func walk(n tree.Node, visit func(tree.Node)) {
	if n == nil || reflect.ValueOf(n).IsNil() {
		return
	}
	visit(n)
	branch := func(b *tree.BranchNode) {
		walk(b.Pipe, visit)
		walk(b.List, visit)
		walk(b.ElseList, visit)
	}
	switch n := n.(type) {
	case *tree.ListNode:
		for _, child := range n.Nodes {
			walk(child, visit)
		}
	case *tree.ActionNode:
		walk(n.Pipe, visit)
	case *tree.IfNode:
		branch(&n.BranchNode)
	case *tree.WithNode:
		branch(&n.BranchNode)
	case *tree.RangeNode:
		branch(&n.BranchNode)
	case *tree.TemplateNode:
		walk(n.Pipe, visit)
	case *tree.PipeNode:
		for _, command := range n.Cmds {
			walk(command, visit)
		}
	case *tree.CommandNode:
		for _, arg := range n.Args {
			walk(arg, visit)
		}
	case *tree.ChainNode:
		walk(n.Node, visit)
	}
}

// everything is a letter that tells all that any letter can, and nothing one that
// tells no more than each must.
func everything(k core.Kind, code string) core.Letter {
	l := Sample(k, code)
	notice, asked, done, confirmed := Sample(core.NoticeNew, code), Sample(core.HeldList, code), Sample(core.HeldDone, code), Sample(core.Confirmation, code)
	l.Number, l.Case = notice.Number, notice.Case
	l.Text, l.Said, l.Files, l.Internal = notice.Text, confirmed.Said, notice.Files, notice.Internal
	p := &l.Payload
	p.Actor, p.Reason, p.Was, p.Changed, p.Page = "Mia Holm", cmp.Or(p.Reason, "a reason"), "Open", true, asked.Payload.Page
	p.Class, p.From = "rejected", "open"
	p.Marks, p.Lines, p.Proposed, p.PerhapsAbout = []string{"unverified", "cut"}, []string{"resolved"}, []string{"carl@fabrikam.example"}, "CASE-10007"
	p.Words, p.Actions, p.Documents = asked.Payload.Words, notice.Payload.Actions, confirmed.Payload.Documents
	p.Links, p.Code = []core.Link{{Label: "Closed", URL: "https://desk.example/m/x"}}, "402913"
	p.When = l.QueuedAt
	p.Items = Sample(core.Digest, code).Payload.Items
	p.Held = append(slices.Clone(asked.Payload.Held), done.Payload.Held...)
	p.Held = append(p.Held, core.HeldItem{Line: "relase 4711", Problem: "no-word", Meant: "release 4711"})
	p.HeldCount = asked.Payload.HeldCount
	return l
}

func nothing(k core.Kind, code string) core.Letter {
	l := Sample(k, code)
	return core.Letter{Kind: k, Language: code, Desk: l.Desk, From: core.Address{Address: l.From.Address},
		To: core.Address{Address: l.To.Address}, MessageID: l.MessageID, QueuedAt: l.QueuedAt, Number: l.Number}
}
