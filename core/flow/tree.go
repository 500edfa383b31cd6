package flow

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// kind is what a value of the file is.
type kind string

const (
	aTable   kind = "a table"
	aList    kind = "a list"
	aString  kind = "a string"
	aNumber  kind = "a whole number"
	aBool    kind = "true or false"
	anything kind = "another value" // dates, fractions: a desk file has none
)

// node is a value of the file and where it stands. go-toml decodes without
// positions, and nearly every mistake in a desk file is one that only we can
// see, so we keep the tree.
type node struct {
	kind    kind
	at      int // byte in the source
	text    string
	number  int64
	yes     bool
	entries []entry // of a table, in the order of the file
	items   []*node // of a list
}

// entry is one key of a table.
type entry struct {
	key   string
	at    int
	value *node
}

func (n *node) get(key string) *node {
	for _, e := range n.entries {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

// place returns where the value at this path stands (keys and indexes), or what
// comes nearest to it: a missing key is missed where its table begins, and a
// text written once for all languages is its own text in each.
func (n *node) place(path ...any) int {
	for _, step := range path {
		var next *node
		switch step := step.(type) {
		case string:
			if n.kind != aTable {
				continue
			}
			next = n.get(step)
		case int:
			if step < len(n.items) {
				next = n.items[step]
			}
		}
		if next == nil {
			break
		}
		n = next
	}
	return n.at
}

// grow reads the source into a tree. It returns nil, with a problem reported,
// if the source is no TOML.
func grow(source []byte, r *report) *node {
	// go-toml finds what is wrong with it as TOML, repeated keys too, but stops
	// at the first mistake
	var ignored map[string]any
	if err := toml.Unmarshal(source, &ignored); err != nil {
		r.add(offsetOf(source, err), "%s", tomlMessage(err))
		return nil
	}
	g := &grower{root: &node{kind: aTable}}
	g.parser.Reset(source)
	table := g.root
	for g.parser.NextExpression() {
		e := g.parser.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = g.header(e)
		case unstable.KeyValue:
			g.keyValue(table, e)
		}
	}
	if err := g.parser.Error(); err != nil {
		r.add(0, "not readable as TOML: %v", err)
		return nil
	}
	return g.root
}

type grower struct {
	parser unstable.Parser
	root   *node
}

// header follows [a.b] or [[a.b]] and returns the table it opens.
func (g *grower) header(e *unstable.Node) *node {
	table := g.root
	keys := e.Key()
	for keys.Next() {
		key := keys.Node()
		at := int(key.Raw.Offset)
		if e.Kind != unstable.ArrayTable || !keys.IsLast() {
			table = table.descend(string(key.Data), at)
			continue
		}
		list := table.get(string(key.Data))
		if list == nil {
			list = &node{kind: aList, at: at}
			table.entries = append(table.entries, entry{string(key.Data), at, list})
		}
		table = &node{kind: aTable, at: at}
		list.items = append(list.items, table)
	}
	return table
}

// keyValue adds `a.b = value` to a table.
func (g *grower) keyValue(table *node, e *unstable.Node) {
	keys := e.Key()
	for keys.Next() {
		key := keys.Node()
		at := int(key.Raw.Offset)
		if !keys.IsLast() {
			table = table.descend(string(key.Data), at)
			continue
		}
		table.entries = append(table.entries, entry{string(key.Data), at, g.value(e.Value(), at)})
	}
}

// value reads a value. The parser gives no position for lists and inline
// tables: they stand where their key does.
func (g *grower) value(v *unstable.Node, at int) *node {
	if v.Raw.Length > 0 {
		at = int(v.Raw.Offset)
	}
	n := &node{kind: anything, at: at}
	switch v.Kind {
	case unstable.String:
		n.kind, n.text = aString, string(v.Data)
	case unstable.Integer:
		n.kind = aNumber
		n.number, _ = strconv.ParseInt(string(v.Data), 0, 64) // go-toml has checked it
	case unstable.Bool:
		n.kind, n.yes = aBool, string(v.Data) == "true"
	case unstable.Array:
		n.kind = aList
		for items := v.Children(); items.Next(); {
			n.items = append(n.items, g.value(items.Node(), at))
		}
	case unstable.InlineTable:
		n.kind = aTable
		for pairs := v.Children(); pairs.Next(); {
			g.keyValue(n, pairs.Node())
		}
	}
	return n
}

// descend returns the table under a key, of a list the last one. It makes one
// if there is none.
func (n *node) descend(key string, at int) *node {
	below := n.get(key)
	if below == nil {
		below = &node{kind: aTable, at: at}
		n.entries = append(n.entries, entry{key, at, below})
	}
	if below.kind == aList && len(below.items) > 0 {
		return below.items[len(below.items)-1]
	}
	return below
}

// offsetOf returns the byte at which go-toml stopped.
func offsetOf(source []byte, err error) int {
	var d *toml.DecodeError
	if !errors.As(err, &d) {
		return 0
	}
	row, column := d.Position()
	offset := 0
	for ; row > 1; row-- {
		offset += bytes.IndexByte(source[offset:], '\n') + 1
	}
	return offset + column - 1
}

func tomlMessage(err error) string {
	return "not readable as TOML: " + string(bytes.TrimPrefix([]byte(err.Error()), []byte("toml: ")))
}

// firstInvalid returns the first byte that is not UTF-8, or -1.
func firstInvalid(source []byte) int {
	for i := 0; i < len(source); {
		r, size := utf8.DecodeRune(source[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}
