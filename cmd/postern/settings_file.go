package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// kind is what a value of the settings file is.
type kind string

const (
	aText   kind = "a string"
	aNumber kind = "a number"
	aList   kind = "a list of strings"
	another kind = "another value" // dates apart, which are texts: the settings have none
)

// value is what stands behind a key.
type value struct {
	kind kind
	text string // of a number, its digits
	list []string
	at   int // byte in the source
}

// settingsFile is postern.toml, flat: "mailbox.support.host" and what stands
// behind it. go-toml decodes without positions, and stops at the first value of
// the wrong type; we report all of them with their lines.
type settingsFile struct {
	name   string
	source []byte
	keys   []string // as they come
	values map[string]value
	tables map[string]int // "mailbox.support": where it begins
}

// problem is one thing wrong in the settings: where, what, and what would be
// right.
type problem struct {
	file         string // "" for the environment
	line, column int    // from 1; 0 if it concerns the whole file
	name         string // of the environment variable
	message      string
}

func (p problem) String() string {
	switch {
	case p.name != "":
		return p.name + ": " + p.message
	case p.line > 0:
		return fmt.Sprintf("%s:%d:%d: %s", p.file, p.line, p.column, p.message)
	default:
		return p.file + ": " + p.message
	}
}

// problems are all of them: those of the file in its order, then those of the
// environment.
type problems []problem

func (p problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// readSettingsFile takes the source apart. What is no TOML at all is one
// problem: nothing after it can be trusted.
func readSettingsFile(name string, source []byte) (*settingsFile, *problem) {
	f := &settingsFile{
		name:   name,
		source: bytes.TrimPrefix(source, []byte("\uFEFF")), // Windows editors write it
		values: make(map[string]value),
		tables: make(map[string]int),
	}
	var ignored map[string]any // finds repeated keys and tables too, which the parser below does not
	if err := toml.Unmarshal(f.source, &ignored); err != nil {
		p := problem{file: name, line: 1, column: 1, message: "not readable as TOML: " + strings.TrimPrefix(err.Error(), "toml: ")}
		var d *toml.DecodeError
		if errors.As(err, &d) {
			p.line, p.column = d.Position()
		}
		return f, &p
	}
	var parser unstable.Parser
	parser.Reset(f.source)
	table := ""
	for parser.NextExpression() {
		switch e := parser.Expression(); e.Kind {
		case unstable.Table:
			table = f.open("", e.Key())
		case unstable.ArrayTable:
			table = f.open("", e.Key())
			f.set(table, value{kind: another, at: f.tables[table]})
		case unstable.KeyValue:
			f.pair(table, e)
		}
	}
	if err := parser.Error(); err != nil {
		return f, &problem{file: name, message: "not readable as TOML: " + err.Error()}
	}
	return f, nil
}

// open notes the tables that a header or a dotted key opens and returns the
// path of the last.
func (f *settingsFile) open(path string, keys unstable.Iterator) string {
	for keys.Next() {
		key := keys.Node()
		path = join(path, string(key.Data))
		if _, known := f.tables[path]; !known {
			f.tables[path] = int(key.Raw.Offset)
		}
	}
	return path
}

func (f *settingsFile) pair(table string, e *unstable.Node) {
	keys := e.Key()
	for keys.Next() {
		key := keys.Node()
		path, at := join(table, string(key.Data)), int(key.Raw.Offset)
		if !keys.IsLast() {
			if _, known := f.tables[path]; !known {
				f.tables[path] = at
			}
			table = path
			continue
		}
		v := e.Value()
		if v.Kind == unstable.InlineTable {
			f.tables[path] = at
			for pairs := v.Children(); pairs.Next(); {
				f.pair(path, pairs.Node())
			}
			continue
		}
		f.set(path, plain(v, at))
	}
}

func (f *settingsFile) set(path string, v value) {
	if _, known := f.values[path]; !known {
		f.keys = append(f.keys, path)
	}
	f.values[path] = v
}

// plain reads a value. Lists have no position of their own: they stand where
// their key does.
func plain(v *unstable.Node, at int) value {
	if v.Raw.Length > 0 {
		at = int(v.Raw.Offset)
	}
	switch v.Kind {
	case unstable.String, unstable.LocalDate, unstable.DateTime:
		return value{kind: aText, text: string(v.Data), at: at}
	case unstable.Integer:
		return value{kind: aNumber, text: strings.ReplaceAll(string(v.Data), "_", ""), at: at}
	case unstable.Array:
		list := value{kind: aList, at: at}
		for items := v.Children(); items.Next(); {
			if items.Node().Kind != unstable.String {
				return value{kind: another, at: at}
			}
			list.list = append(list.list, string(items.Node().Data))
		}
		return list
	}
	return value{kind: another, at: at}
}

// names are the tables right under one: "support" for [mailbox.support].
func (f *settingsFile) names(table string) []string {
	var found []string
	for path := range f.tables {
		if name, ok := strings.CutPrefix(path, table+"."); ok && !strings.Contains(name, ".") {
			found = append(found, name)
		}
	}
	slices.SortFunc(found, func(a, b string) int { return f.tables[table+"."+a] - f.tables[table+"."+b] })
	return found
}

// place finds the path, or what comes nearest to it: a missing key is missed
// where its table begins.
func (f *settingsFile) place(path string) (line, column int) {
	for ; path != ""; path = parent(path) {
		at, known := f.tables[path]
		if v, isValue := f.values[path]; isValue {
			at, known = v.at, true
		}
		if known {
			before := f.source[:at]
			return 1 + bytes.Count(before, []byte{'\n'}),
				1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
		}
	}
	return 0, 0
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func parent(path string) string {
	return path[:max(0, strings.LastIndexByte(path, '.'))]
}
