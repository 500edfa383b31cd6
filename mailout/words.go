package mailout

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"time"

	"postern/core"
)

// kinds are all mails there are words for; every one has them in English.
var kinds = []core.Kind{
	core.Confirmation, core.Answer, core.StatusNews, core.Reminder, core.ClosingSoon, core.HeldAnswer,
	core.TooLarge, core.WordRefused, core.SignIn, core.Invitation,
	core.NoticeNew, core.NoticeComment, core.NoticeNote, core.NoticeStatus, core.NoticeBounce,
	core.Transcript, core.HeldList, core.HeldDone, core.Question, core.Warning, core.Digest, core.Alarm, core.ProbeMail,
}

// fallback is the language that has every mail.
const fallback = "en"

// Above is the line of a notice above which an answer is written. Whoever
// reads the answer cuts there when nothing else marks the quoted notice.
const Above = "-- >8 --"

// language is one language's words.
type language struct {
	code            string
	kinds           map[core.Kind]*template.Template
	months, days    []string
	decimal, midway string // "2.4 MB"; between date and time
	ordinal         string // behind a day's number
	says            sayings
}

// NewComposer reads the templates: mail/<kind>.<language>.txt, each with a
// "subject" and a "body", and mail/parts.<language>.txt.
func NewComposer(files fs.FS) (*Composer, error) {
	names, err := fs.Glob(files, "mail/parts.*.txt")
	if err != nil {
		return nil, err
	}
	c := &Composer{languages: map[string]*language{}}
	for _, name := range names {
		code := strings.TrimSuffix(strings.TrimPrefix(name, "mail/parts."), ".txt")
		if c.languages[code], err = readLanguage(files, code); err != nil {
			return nil, err
		}
	}
	var missing []error
	for _, k := range kinds {
		if en := c.languages[fallback]; en == nil || en.kinds[k] == nil {
			missing = append(missing, fmt.Errorf("mail/%s.%s.txt: there are no words for this mail", k, fallback))
		}
	}
	return c, errors.Join(missing...)
}

func readLanguage(files fs.FS, code string) (*language, error) {
	parts, err := template.New("").Option("missingkey=error").Funcs(template.FuncMap{
		"join":    strings.Join,
		"example": example,
		"card":    func() string { return "\n" + beginCard + "\n" },
		"endcard": func() string { return "\n" + endCard + "\n" },
		"foot":    func() string { return "\n\n" + foot + "\n" },
	}).ParseFS(files, "mail/parts."+code+".txt")
	if err != nil {
		return nil, err
	}
	lang := &language{code: code, kinds: map[core.Kind]*template.Template{}}
	for _, k := range kinds {
		name := "mail/" + string(k) + "." + code + ".txt"
		if _, err := fs.Stat(files, name); err != nil {
			continue // the fallback has it
		}
		t, err := template.Must(parts.Clone()).ParseFS(files, name)
		if err != nil {
			return nil, err
		}
		if t.Lookup("subject") == nil || t.Lookup("body") == nil {
			return nil, fmt.Errorf("%s: a mail needs a subject and a body", name)
		}
		lang.kinds[k] = t
	}
	for name, into := range map[string]*[]string{"months": &lang.months, "days": &lang.days} {
		text, err := run(parts, name, nil)
		if err != nil {
			return nil, err
		}
		*into = strings.Fields(text)
	}
	if len(lang.months) != 12 || len(lang.days) != 7 {
		return nil, fmt.Errorf("mail/parts.%s.txt: twelve months and seven days are needed, Sunday first", code)
	}
	if lang.decimal, err = run(parts, "decimal", nil); err != nil {
		return nil, err
	}
	if lang.ordinal, err = run(parts, "ordinal", nil); err != nil {
		return nil, err
	}
	if lang.midway, err = run(parts, "midway", nil); err != nil {
		return nil, err
	}
	lang.says, err = readSayings(code)
	return lang, err
}

// example is the status that a hint names: one that exists.
func example(keys []string, usual string) string {
	if len(keys) == 0 || slices.Contains(keys, usual) {
		return usual
	}
	return keys[len(keys)-1]
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func run(t *template.Template, name string, values any) (string, error) {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	err := t.ExecuteTemplate(b, name, values)
	return b.String(), err
}

// Words are a letter's subject and body, as plain text and as HTML, without
// what must not be repeated (R51).
func (c *Composer) Words(l core.Letter) (subject, plain, rich string, err error) {
	l = withheld(l)
	subject, plain, rich, err = c.words(l)
	return tagged(l.Number, subject), plain, rich, err
}

// words renders subject and body of l in its language: the body as plain text
// and, made of the same, as HTML.
func (c *Composer) words(l core.Letter) (subject, plain, rich string, err error) {
	lang, t := c.template(l)
	if t == nil {
		return "", "", "", fmt.Errorf("there are no words for a mail of kind %q", l.Kind)
	}
	v := newView(l, lang)
	if subject, err = run(t, "subject", v); err != nil {
		return "", "", "", err
	}
	body, err := run(t, "body", v)
	if err != nil {
		return "", "", "", err
	}
	body = valid(body)
	rich = inHTML(lang.code, tidied(body), valid(v.written), v)
	plain = strings.ReplaceAll(tidied(marks.Replace(body)), textGoesHere, valid(v.written))
	return strings.TrimSpace(subject), plain, rich, nil
}

func valid(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\uFFFD")
}

// template finds the words of l: in its language, in the same language of
// another region, in English.
func (c *Composer) template(l core.Letter) (*language, *template.Template) {
	code := strings.ToLower(l.Language)
	base, _, _ := strings.Cut(code, "-")
	for _, code := range []string{code, base, fallback} {
		if lang := c.languages[code]; lang != nil && lang.kinds[l.Kind] != nil {
			return lang, lang.kinds[l.Kind]
		}
	}
	return nil, nil
}

// textGoesHere stands for the text of a person while the words around it are
// tidied: what people write is not touched.
const textGoesHere = "\x01text\x01"

// view is what a template sees of a letter.
type view struct {
	Number, Title, Case         string
	Desk, Contact               string
	Actor, Customer, Company    string
	Status, Means, Was, GoesOn  string
	Changed, Fixed              bool
	Note                        bool // an answer becomes a note
	ReplyTo, Internal, To, Name string
	Above                       string
	Text                        string // "" or a placeholder
	Quoted                      string // the text with "> " before each line
	Marks, Lines, Proposed      []string
	PerhapsAbout                string
	Reason                      string
	Words                       []core.Word
	Links                       []core.Link
	Code                        string
	When                        string // "Tuesday 4 March 2025 at 17:00", "" if there is none
	Items                       []item

	// of a transcript
	Changes  []core.Change
	Problems []problem
	Undo     string // "#undo TOKEN", "" if nothing can be taken back
	UndoURL  string // a mail that says it
	Help     *core.Help
	History  []timelineEntry

	Collision *collision

	Attached, Named []file

	// of held mail
	People, Others, Done    []heldMail
	PeopleCount, OtherCount int // how much there is in all
	MorePeople, MoreOthers  int // and how much of it is not listed
	Page                    string

	written string
}

// item is one thing gathered, for a question or a digest.
type item struct {
	Number, Title, At string
	Quoted            string // its first lines
}

type file struct{ Name, Size string }

// collision is what another agent did meanwhile.
type collision struct{ Name, At, Quoted, Status string }

func newView(l core.Letter, lang *language) *view {
	p := l.Payload
	p = unmarkedPayload(p)
	for _, value := range []*string{&l.To.Name, &l.From.Name, &l.Text} {
		*value = unmarked(*value)
	}
	v := &view{
		Number: l.Number, Title: p.Title, Case: l.Case,
		Desk: p.Desk, Contact: strings.TrimSpace(p.Contact),
		Actor: p.Actor, Customer: p.Customer, Company: p.Company,
		Status: p.Status, Means: p.Means, Was: p.Was, GoesOn: p.GoesOn,
		Changed: p.Changed, Fixed: p.Fixed,
		ReplyTo: l.ReplyTo, Internal: l.Internal, To: l.To.Address, Name: l.To.Name,
		Above: Above, Note: l.Kind == core.NoticeNote || l.Internal != "" && l.ReplyTo == l.Internal,
		Marks: p.Marks, Lines: p.Lines, Reason: p.Reason,
		Proposed: p.Proposed, PerhapsAbout: p.PerhapsAbout,
		Words: p.Words, Links: p.Links, Code: p.Code,
	}
	if v.Desk == "" {
		v.Desk = l.From.Name
	}
	if v.Desk == "" {
		v.Desk = l.From.Address
	}
	if v.written = written(l.Text); v.written != "" {
		v.Text = textGoesHere
		v.Quoted = quoted(v.written)
	}
	zone, err := time.LoadLocation(p.Zone)
	if err != nil {
		zone = time.UTC
	}
	v.When = lang.date(p.When, zone)
	for _, w := range p.Items {
		v.Items = append(v.Items, item{w.Number, w.Title, lang.date(w.At, zone), quoted(written(w.Text))})
	}
	if c := p.Collision; c != nil {
		v.Collision = &collision{unmarked(c.Name), lang.date(c.When, zone), quoted(written(unmarked(c.Text))), unmarked(c.Status)}
	}
	v.transcript(l, lang, zone)
	v.held(p, lang, func(i core.HeldItem) string { return lang.date(i.At, zone) })
	for _, f := range l.Files {
		shown := file{unmarked(f.Name), lang.size(f.Size)}
		if f.Attach {
			v.Attached = append(v.Attached, shown)
		} else {
			v.Named = append(v.Named, shown)
		}
	}
	return v
}

// written is a person's text as they wrote it, without the empty lines around.
func written(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n")
	return strings.TrimRight(strings.TrimLeft(text, "\n"), " \t\n")
}

func quoted(text string) string {
	if text == "" {
		return ""
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight("> "+line, " ")
	}
	return strings.Join(lines, "\n")
}

// tidied leaves one empty line where the parts of a template left several, and
// none at the ends.
func tidied(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	blank := false
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, " \t\r\n")
		if line == "" {
			blank = b.Len() > 0
			continue
		}
		if blank {
			b.WriteByte('\n')
			blank = false
		}
		b.WriteString(line)
		b.WriteByte('\n')
	}
	return b.String()
}

// date is an instant as people write it, in their zone.
func (l *language) date(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(zone)
	return l.days[t.Weekday()] + " " + strconv.Itoa(t.Day()) + l.ordinal + " " + l.months[t.Month()-1] + " " +
		strconv.Itoa(t.Year()) + " " + l.midway + " " + t.Format("15:04")
}

// size is a number of octets as people read it.
func (l *language) size(n int64) string {
	unit, value := "KB", float64(n)/(1<<10)
	if value >= 1000 {
		unit, value = "MB", value/(1<<10)
	}
	digits := strconv.FormatFloat(max(value, 0.1), 'f', 1, 64)
	if value >= 10 {
		digits = strconv.FormatFloat(value, 'f', 0, 64)
	}
	return strings.Replace(digits, ".", l.decimal, 1) + " " + unit
}
