package mailout

import (
	"bytes"
	"cmp"
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
	core.Approval, core.Meeting, core.PasswordReset, core.Satisfaction,
	core.TooLarge, core.WordRefused, core.LeftCase, core.SplitOff, core.SignIn, core.News, core.Invitation,
	core.Worklist, core.CaseSheet, core.Morning,
	core.NoticeNew, core.NoticeComment, core.NoticeNote, core.NoticeStatus, core.NoticeAssigned, core.NoticeBounce,
	core.Transcript, core.HeldList, core.HeldDone, core.Question, core.Warning, core.Digest, core.Alarm, core.ProbeMail,
	core.Escalation,
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
	from            map[core.Kind]texts // where they stand
	months, days    []string
	decimal, midway string   // "2.4 MB"; between date and time
	ordinal         string   // behind a day's number
	columns         []string // of a list of cases, and what is said in it
	says            sayings
}

// NewComposer reads the templates: mail/<kind>.<language>.txt, each with a
// "subject" and a "body", and mail/parts.<language>.txt.
func NewComposer(files fs.FS) (*Composer, error) {
	files, err := fs.Sub(files, "mail")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "parts.*.txt")
	if err != nil {
		return nil, err
	}
	c := &Composer{files: files, languages: map[string]*language{}, desks: map[string]map[string]*language{}}
	for _, name := range names {
		code := strings.TrimSuffix(strings.TrimPrefix(name, "parts."), ".txt")
		if c.languages[code], err = readLanguage(code, texts{files, "mail"}); err != nil {
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

// functions are what templates may call.
var functions = template.FuncMap{
	"join":    strings.Join,
	"example": example,
	"card":    func() string { return "\n" + beginCard + "\n" },
	"endcard": func() string { return "\n" + endCard + "\n" },
	"foot":    func() string { return "\n\n" + foot + "\n" },
}

// sharedParts are the files of which every mail may use what they define: those
// of all, and those of lists and cases that somebody asked for.
var sharedParts = []string{"parts", "queries"}

// readLanguage reads one language's words; where several folders have the same
// file, the last one counts.
func readLanguage(code string, folders ...texts) (*language, error) {
	parts := template.New("").Option("missingkey=error").Funcs(functions)
	for _, f := range folders {
		for _, shared := range sharedParts {
			if err := f.parse(parts, shared+"."+code+".txt"); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
		}
	}
	lang := &language{code: code, kinds: map[core.Kind]*template.Template{}, from: map[core.Kind]texts{}}
	for _, k := range kinds {
		name := string(k) + "." + code + ".txt"
		for _, f := range slices.Backward(folders) {
			t := template.Must(parts.Clone())
			err := f.parse(t, name)
			if errors.Is(err, fs.ErrNotExist) {
				continue // another has it, or the fallback
			}
			if err != nil {
				return nil, err
			}
			for _, part := range []string{"subject", "body"} {
				if t.Lookup(part) == nil {
					return nil, TemplateProblem{File: f.path(name), Message: fmt.Sprintf("there is no {{define %q}}: a mail needs a subject and a body", part)}
				}
			}
			lang.kinds[k], lang.from[k] = t, f
			break
		}
	}
	return lang, lang.readParts(parts, folders[len(folders)-1].path("parts."+code+".txt"))
}

// readParts reads how dates and sizes are written.
func (l *language) readParts(parts *template.Template, file string) (err error) {
	for name, into := range map[string]*string{"decimal": &l.decimal, "ordinal": &l.ordinal, "midway": &l.midway} {
		if *into, err = run(parts, name, nil); err != nil {
			return TemplateProblem{File: file, Message: fmt.Sprintf("there is no {{define %q}}: every language needs one", name)}
		}
	}
	for name, into := range map[string]*[]string{"months": &l.months, "days": &l.days} {
		text, err := run(parts, name, nil)
		want := map[string]int{"months": 12, "days": 7}[name]
		if *into = strings.Fields(text); err != nil || len(*into) != want {
			return TemplateProblem{File: file, Message: fmt.Sprintf("{{define %q}} must hold %d words, of days Sunday first", name, want)}
		}
	}
	if l.says, err = readSayings(l.code); err != nil || parts.Lookup("columns") == nil {
		return err
	}
	columns, err := run(parts, "columns", nil)
	if l.columns = strings.Split(columns, "|"); err != nil || len(l.columns) != columnWords {
		return TemplateProblem{File: file, Message: fmt.Sprintf("{{define %q}} must hold %d words with | between them", "columns", columnWords)}
	}
	return nil
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
	l = prepared(l)
	if subject, plain, rich, err = c.words(l); err == nil {
		subject, err = c.steady(l, subject)
	}
	return tagged(l.Number, subject), plain, rich, err
}

// words renders subject and body of l, which is prepared, in its language: the body as plain text
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
	plain = strings.ReplaceAll(v.withTables(tidied(marks.Replace(body))), textGoesHere, valid(v.written))
	return strings.TrimSpace(subject), plain, rich, nil
}

func valid(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\uFFFD")
}

// template finds the words of l, the desk's own before ours: in its language, in
// the same language of another region, in English.
func (c *Composer) template(l core.Letter) (*language, *template.Template) {
	languages := c.languages
	if own := c.desks[l.Desk]; own != nil {
		languages = own
	}
	code := strings.ToLower(l.Language)
	base, _, _ := strings.Cut(code, "-")
	for _, code := range []string{code, base, fallback} {
		if lang := languages[code]; lang != nil && lang.kinds[l.Kind] != nil {
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
	SplitOf                     string
	Class                       string // of the status: "resolved"
	Changed, Fixed              bool
	Reopened                    bool // it had ended, and has not now
	Note                        bool // an answer becomes a note
	ReplyTo, Internal, To, Name string
	Above                       string
	Text                        string // "" or a placeholder
	Quoted                      string // the text with "> " before each line
	Said                        string // so, what the reader wrote last: its beginning
	Marks, Lines, Proposed      []string
	PerhapsAbout                string
	Reason                      string
	Words                       []core.Word
	Links                       []core.Link
	Actions                     []action
	Documents                   []core.Document
	Code                        string
	Owner                       string // who has the case now; "": the recipient
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

	// of queries, and of the morning
	Agent      bool
	Command    string // where to ask
	Answers    []answer
	Unread     string
	Over       bool
	Unassigned int64
	HeldInAll  int
	tables     []table

	written  string
	answerTo string
	forAgent bool
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
	v := &view{
		Number: l.Number, Title: p.Title, Case: l.Case,
		Desk: p.Desk, Contact: p.Contact,
		Actor: p.Actor, Customer: p.Customer, Company: p.Company,
		Status: p.Status, Means: p.Means, Was: p.Was, Class: string(p.Class), GoesOn: p.GoesOn, SplitOf: p.SplitOf,
		Changed: p.Changed, Fixed: p.Fixed, Reopened: p.From.Ended() && !p.Class.Ended(),
		ReplyTo: l.ReplyTo, Internal: l.Internal, To: l.To.Address, Name: l.To.Name,
		Above: Above, Note: l.Kind == core.NoticeNote || l.Internal != "" && l.ReplyTo == l.Internal,
		Marks: p.Marks, Lines: p.Lines, Reason: p.Reason,
		Proposed: p.Proposed, PerhapsAbout: p.PerhapsAbout,
		Words: p.Words, Links: p.Links, Code: p.Code, Owner: p.Owner, Documents: p.Documents,
		answerTo: cmp.Or(l.ReplyTo, l.From.Address), forAgent: l.ForAgent,
		Said: quoted(beginning(written(l.Said), saidLines, saidRunes)),
	}
	if v.GoesOn != "" { // how it ended means nothing to its people: it did not
		v.Changed, v.Status, v.Means, v.Was = false, "", "", ""
	}
	v.Actions = v.actions(l)
	if v.Desk == "" {
		v.Desk = l.From.Name
	}
	if v.Desk == "" {
		v.Desk = l.From.Address
	}
	if len(p.Texts) > 1 {
		l.Text = severalTexts(l, lang)
	}
	if v.written = written(l.Text); v.written != "" {
		v.Text = textGoesHere
		v.Quoted = quoted(v.written)
	}
	zone := zoneOf(p.Zone)
	v.When = lang.date(p.When, zone)
	for _, w := range p.Items {
		v.Items = append(v.Items, item{w.Number, w.Title, lang.date(w.At, zone), quoted(written(w.Text))})
	}
	if c := p.Collision; c != nil {
		v.Collision = &collision{shown(c.Name), lang.date(c.When, zone), quoted(written(shownLines(c.Text))), shown(c.Status)}
	}
	v.transcript(l, lang, zone)
	v.held(p, lang, func(i core.HeldItem) string { return lang.date(i.At, zone) })
	v.queries(l, p, lang, zone)
	for _, f := range l.Files {
		one := file{shown(f.Name), lang.size(f.Size)}
		if f.Attach {
			v.Attached = append(v.Attached, one)
		} else {
			v.Named = append(v.Named, one)
		}
	}
	return v
}

// zones are those of desks: the library reads a file each time it is asked.
var zones sync.Map

func zoneOf(name string) *time.Location {
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	zones.Store(name, zone)
	return zone
}

// severalTexts is one text of several, each below who wrote it and when.
func severalTexts(l core.Letter, lang *language) string {
	var b strings.Builder
	for i, t := range l.Payload.Texts {
		if i > 0 {
			b.WriteString("\n\n")
		}
		if t.Actor != "" {
			b.WriteString(shown(t.Actor) + ", ")
		}
		b.WriteString(lang.date(t.At, zoneOf(l.Payload.Zone)) + ":\n\n")
		if i < len(l.Texts) {
			b.WriteString(written(shownLines(l.Texts[i])))
		}
	}
	return b.String()
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
