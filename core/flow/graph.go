package flow

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// Sizes of the picture, in pixels.
const (
	nodeWidth  = 150
	nodeHeight = 52
	lineHeight = 17
	labelWidth = 17 // characters of a label in one line
	rowGap     = 42 // leaves room for the arrow from any status
	trackGap   = 11 // between arrows side by side
	gutter     = 30 // beside the arrows between two columns
	margin     = 24
)

// Colours that can be read on white and on black. They are attributes, not
// styles: a page's content security policy may forbid those.
const (
	red   = "#b3261e" // the end
	grey  = "#6b7280" // the customer must act
	pale  = "#e8eef9" // the desk's turn
	dark  = "#1b2333"
	white = "#ffffff"
	green = "#2e9e4f" // the shortest path
	line  = "#8a94a6"
)

// Graph draws the status flow as SVG, with labels in this language: ends are
// red, grey is where the customer must act, green is the shortest path to a
// good end. An arrow with a star comes from any active status.
func (d *Desk) Graph(lang string) []byte {
	ways := d.ways()
	p := &picture{desk: d, lang: lang, boxes: map[string]*box{}}
	p.place(d.shortest(ways), ways)
	for _, w := range ways {
		if w.free {
			p.boxes[w.to].from = append(p.boxes[w.to].from, w.from)
			continue
		}
		p.arrows = append(p.arrows, p.arrow(w))
	}
	p.route()
	return p.draw()
}

type picture struct {
	desk    *Desk
	lang    string
	path    []string
	columns [][]*box
	boxes   map[string]*box
	arrows  []*arrow
	lanes   int   // of arrows below all boxes
	tracks  []int // of arrows in the gutter right of each column
}

// box is a status.
type box struct {
	Status
	column, row int
	x, y        int
	left, right []*end
	from        []string // statuses that lead here because any active one does
}

// arrow is a way and the course it takes: out of one side of a box, up or down
// between two columns, and into a side of the other. A long one goes below all
// boxes and has two stretches between columns.
type arrow struct {
	way
	green      bool
	start, end *end
	track      [2]int // in the gutters it uses
	gutters    []int
	lane       int
}

// end is where an arrow touches a box.
type end struct {
	box   *box
	right bool // which side
	other *box // at the far end
	arrow *arrow
	y     int
}

// place gives each status its column: the shortest path makes the first row,
// the others stand below the status they belong to.
func (p *picture) place(path []string, ways []way) {
	p.path = path
	last := max(0, len(path)-1)
	p.columns = make([][]*box, last+1)
	for i, key := range path {
		s, _ := p.desk.Status(key)
		p.put(s, i)
	}
	for _, s := range p.desk.Statuses {
		if p.boxes[s.Key] == nil {
			p.put(s, p.columnOf(s, ways, last))
		}
	}
}

func (p *picture) put(s Status, column int) {
	b := &box{Status: s, column: column, row: len(p.columns[column])}
	p.boxes[s.Key] = b
	p.columns[column] = append(p.columns[column], b)
}

func (p *picture) columnOf(s Status, ways []way, last int) int {
	switch {
	case s.Class.Ended():
		return last
	case s.Class == New:
		return 0
	}
	for _, key := range p.path[:last] {
		if slices.Contains(ways, way{from: key, to: s.Key}) {
			return slices.Index(p.path, key)
		}
	}
	for i, key := range p.path {
		on, _ := p.desk.Status(key)
		if on.Class == Open || slices.Contains(ways, way{from: s.Key, to: key}) {
			return i
		}
	}
	return 0
}

// arrow decides which sides and gutters an arrow uses.
func (p *picture) arrow(w way) *arrow {
	from, to := p.boxes[w.from], p.boxes[w.to]
	i := slices.Index(p.path, w.from)
	a := &arrow{
		way:   w,
		green: i >= 0 && i+1 < len(p.path) && p.path[i+1] == w.to,
		start: &end{box: from, other: to, right: from.column <= to.column},
		end:   &end{box: to, other: from, right: from.column >= to.column},
	}
	a.start.arrow, a.end.arrow = a, a
	out, in := from.column, to.column-1 // the gutters right of from and left of to
	if from.column > to.column {
		out, in = from.column-1, to.column
	}
	switch {
	case a.green: // a straight line
	case from.column == to.column || out == in:
		a.gutters = []int{out}
	default:
		a.gutters = []int{out, in}
	}
	for _, e := range []*end{a.start, a.end} {
		if e.right {
			e.box.right = append(e.box.right, e)
		} else {
			e.box.left = append(e.box.left, e)
		}
	}
	return a
}

// route gives every box its place and every arrow its own line.
func (p *picture) route() {
	p.tracks = make([]int, len(p.columns))
	for _, a := range p.arrows {
		for i, g := range a.gutters {
			a.track[i] = p.tracks[g]
			p.tracks[g]++
		}
		if len(a.gutters) == 2 {
			a.lane = p.lanes
			p.lanes++
		}
	}
	first := nodeHeight
	for _, column := range p.columns {
		if len(column) > 0 {
			first = max(first, column[0].height())
		}
	}
	x := margin
	for i, column := range p.columns {
		y := margin + rowGap/2
		for row, b := range column {
			b.x, b.y = x, y
			b.ends(b.left)
			b.ends(b.right)
			if y += b.height() + rowGap; row == 0 {
				y = margin + rowGap/2 + first + rowGap
			}
		}
		x += nodeWidth + p.gutterWidth(i)
	}
}

// ends spreads the arrows of a side so that few of them cross.
func (b *box) ends(side []*end) {
	slices.SortStableFunc(side, func(v, w *end) int { return cmp.Compare(v.rank(), w.rank()) })
	y := b.y + 28
	for _, e := range side {
		if e.arrow.green {
			e.y = b.y + 16
			continue
		}
		e.y = y
		y += trackGap
	}
}

// rank orders the arrows of a side from the top: the path, arrows to the next
// column, those that go below all boxes with the outermost first, and those of
// the same column with the farthest first.
func (e *end) rank() int {
	switch {
	case e.arrow.green:
		return 0
	case len(e.arrow.gutters) == 2:
		return 2_000_000 - e.arrow.lane
	case e.other.column == e.box.column:
		return 3_000_000 - e.other.row
	default:
		return 1 + e.other.row
	}
}

func (b *box) height() int {
	return max(nodeHeight, 28+trackGap*max(len(b.left), len(b.right)))
}

func (p *picture) gutterWidth(column int) int {
	return 2*gutter + trackGap*max(0, p.tracks[column]-1)
}

// course returns the corners of an arrow.
func (p *picture) course(a *arrow, bottom int) [][2]int {
	at := func(i int) int {
		x := margin
		for c := range a.gutters[i] {
			x += nodeWidth + p.gutterWidth(c)
		}
		return x + nodeWidth + gutter + trackGap*a.track[i]
	}
	start, end := a.start.point(), a.end.point()
	switch len(a.gutters) {
	case 0:
		return [][2]int{start, end}
	case 1:
		return [][2]int{start, {at(0), start[1]}, {at(0), end[1]}, end}
	default:
		lane := bottom + trackGap*a.lane
		return [][2]int{start, {at(0), start[1]}, {at(0), lane}, {at(1), lane}, {at(1), end[1]}, end}
	}
}

func (e *end) point() [2]int {
	if e.right {
		return [2]int{e.box.x + nodeWidth, e.y}
	}
	return [2]int{e.box.x, e.y}
}

func (p *picture) draw() []byte {
	bottom, width := 0, margin
	for i, column := range p.columns {
		for _, b := range column {
			bottom = max(bottom, b.y+b.height()+rowGap/2)
		}
		if width += nodeWidth; i < len(p.columns)-1 || p.tracks[i] > 0 {
			width += p.gutterWidth(i)
		}
	}
	width += margin
	height := bottom + trackGap*p.lanes + margin/2

	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" font-family="sans-serif" font-size="14">`+"\n",
		width, height, width, height)
	fmt.Fprintf(&out, "<title>%s</title>\n", escaped(p.desk.Name.In(p.lang)))
	ordered := slices.Clone(p.arrows)
	slices.SortStableFunc(ordered, func(a, b *arrow) int { // green on top
		return cmp.Compare(colour(a), colour(b)) * -1
	})
	for _, a := range ordered {
		p.drawArrow(&out, a, p.course(a, bottom))
	}
	for _, column := range p.columns {
		for _, b := range column {
			p.drawBox(&out, b)
		}
	}
	out.WriteString("</svg>\n")
	return out.Bytes()
}

func colour(a *arrow) string {
	if a.green {
		return green
	}
	return line
}

func (p *picture) drawArrow(out *bytes.Buffer, a *arrow, course [][2]int) {
	fmt.Fprintf(out, `<g><title>%s → %s</title>`, escaped(p.label(a.from)), escaped(p.label(a.to)))
	stroke := 1.5
	if a.green {
		stroke = 3
	}
	fmt.Fprintf(out, `<path d="%s" fill="none" stroke="%s" stroke-width="%g"/>`, rounded(course), colour(a), stroke)
	tip, back := course[len(course)-1], -9
	if a.end.right {
		back = 9
	}
	fmt.Fprintf(out, `<path d="M%d %dl%d -5v10z" fill="%s"/></g>`+"\n", tip[0], tip[1], back, colour(a))
}

// rounded draws a line with soft corners.
func rounded(course [][2]int) string {
	const radius = 6
	toward := func(from, to [2]int) [2]int { // a point near from on the way to the other
		for i := range from {
			from[i] += max(-radius, min(radius, (to[i]-from[i])/2))
		}
		return from
	}
	var b strings.Builder
	fmt.Fprintf(&b, "M%d %d", course[0][0], course[0][1])
	for i := 1; i < len(course)-1; i++ {
		in, out := toward(course[i], course[i-1]), toward(course[i], course[i+1])
		fmt.Fprintf(&b, "L%d %dQ%d %d %d %d", in[0], in[1], course[i][0], course[i][1], out[0], out[1])
	}
	last := course[len(course)-1]
	fmt.Fprintf(&b, "L%d %d", last[0], last[1])
	return b.String()
}

func (p *picture) drawBox(out *bytes.Buffer, b *box) {
	fill, text := pale, dark
	switch {
	case b.Class.Ended():
		fill, text = red, white
	case b.Class == Customer:
		fill, text = grey, white
	}
	stroke, strokeWidth := line, 1
	if slices.Contains(p.path, b.Key) {
		stroke, strokeWidth = green, 3
	}
	if len(b.from) > 0 {
		p.drawStar(out, b)
	}
	fmt.Fprintf(out, `<g><title>%s</title>`, escaped(b.Means.In(p.lang)))
	fmt.Fprintf(out, `<rect x="%d" y="%d" width="%d" height="%d" rx="8" fill="%s" stroke="%s" stroke-width="%d"/>`,
		b.x, b.y, nodeWidth, b.height(), fill, stroke, strokeWidth)
	lines := wrapped(p.label(b.Key))
	y := b.y + b.height()/2 - lineHeight*(len(lines)-1)/2 + 5
	for i, l := range lines {
		fmt.Fprintf(out, `<text x="%d" y="%d" text-anchor="middle" fill="%s">%s</text>`, b.x+nodeWidth/2, y+i*lineHeight, text, escaped(l))
	}
	out.WriteString("</g>\n")
}

// drawStar draws the arrow from any active status.
func (p *picture) drawStar(out *bytes.Buffer, b *box) {
	var labels []string
	for _, from := range b.from {
		labels = append(labels, p.label(from))
	}
	x := b.x + nodeWidth - 22
	fmt.Fprintf(out, `<g><title>%s → %s</title><path d="M%d %dv10" stroke="%s" stroke-width="1.5"/><path d="M%d %dl-5 -9h10z" fill="%s"/>`,
		escaped(strings.Join(labels, ", ")), escaped(p.label(b.Key)), x, b.y-18, line, x, b.y-1, line)
	fmt.Fprintf(out, `<text x="%d" y="%d" fill="%s" font-size="18">*</text></g>`+"\n", x+7, b.y-3, line)
}

func (p *picture) label(key string) string {
	s, _ := p.desk.Status(key)
	return cmp.Or(s.Label.In(p.lang), key)
}

// wrapped breaks a label into at most two lines.
func wrapped(label string) []string {
	lines := []string{""}
	for _, word := range strings.Fields(label) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case len([]rune(*last))+1+len([]rune(word)) <= labelWidth || len(lines) == 2:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	for i, l := range lines {
		if r := []rune(l); len(r) > labelWidth {
			lines[i] = string(r[:labelWidth-1]) + "…"
		}
	}
	return lines
}

// escaped writes text for XML; what XML cannot hold at all becomes U+FFFD.
func escaped(text string) string {
	var b bytes.Buffer
	xml.EscapeText(&b, []byte(text)) // a Buffer never fails
	return b.String()
}
