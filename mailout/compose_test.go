package mailout

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"regexp"
	"strings"
	"testing"
	"time"

	"postern/core"
	"postern/core/flow"
	"postern/templates"
)

func newComposer(t testing.TB) *Composer {
	t.Helper()
	c, err := NewComposer(templates.Mail)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func noFiles(int64) (io.ReadCloser, error) { return nil, errors.New("no file was asked for") }

// full is a letter that has everything a letter can have.
func full(k core.Kind, lang string) core.Letter {
	forAgent := map[core.Kind]bool{
		core.NoticeNew: true, core.NoticeComment: true, core.NoticeNote: true, core.NoticeStatus: true,
		core.NoticeBounce: true, core.Transcript: true, core.Question: true, core.Warning: true, core.Digest: true, core.Alarm: true,
		core.HeldList: true, core.HeldDone: true, core.Escalation: true, core.Worklist: true, core.CaseSheet: true, core.Morning: true,
	}
	l := core.Letter{
		ID: 1, Kind: k, Language: lang, Automatic: k != core.Answer, Replied: k == core.Confirmation, ForAgent: forAgent[k],
		Desk:    "support",
		From:    core.Address{Name: "Example Support", Address: "support@example.org"},
		To:      core.Address{Name: "Anna Berg", Address: "anna@customer.example"},
		ReplyTo: "support+abcdefghijklmnopqrst@example.org", Internal: "support+zyxwvutsrqponmlkjihg@example.org",
		Envelope:  "support+b-abcdefghijklmnopqrst@example.org",
		MessageID: "0123456789abcdef0123456789abcdef@example.org", InReplyTo: "her-3@customer.example",
		References: []string{"her-1@customer.example", "our-2@example.org"},
		Loop:       "abcdefghijklmnopqrst 1",
		QueuedAt:   time.Date(2026, 3, 4, 9, 30, 0, 0, time.UTC),
		Number:     "CASE-10001", Case: "https://desk.example/cases/CASE-10001",
		Payload: core.Payload{
			Title: "Printer on the second floor is on fire", Actor: "Jan de Vries", Customer: "Anna Berg", Company: "Customer Ltd",
			Desk: "Example Service Desk", Contact: "Phone +31 20 555 01 23, 09:00 to 17:00\nMain Street 1, Utrecht",
			Status: "Need input", Means: "we need something from you before we can go on", Changed: true, Was: "In progress",
			Words: []core.Word{{Word: "CLOSE", Does: "Closed"}, {Word: "CANCEL", Does: "Cancelled"}},
			Links: []core.Link{{Purpose: "move", Label: "Closed", URL: "https://desk.example/l/onetimesecret"}},
			Code:  "7F3K-92QX", Marks: []string{"unverified"}, Reason: "it is not possible in this status",
			Class: flow.Customer, From: flow.Open,
			Actions: []core.Action{{Does: core.ActionStatus, Label: "Resolved", Command: "#status resolved"},
				{Does: core.ActionAssign, Command: "#assign me"}, {Does: core.ActionNote, Command: "#note"}},
			Documents: []core.Document{{Title: "What to do: fire", URL: "https://desk.example/documents/7"}},
			Lines:     []string{"in-progress", "resolved"}, PerhapsAbout: "CASE-10007", Proposed: []string{"carl@fabrikam.example", "eve@evil.example"},
			When: time.Date(2026, 3, 11, 16, 0, 0, 0, time.UTC), Zone: "Europe/Amsterdam",
			Items: []core.Waiting{{Number: "CASE-10002", Title: "Another case", Text: "first line\nsecond line", At: time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)}},
		},
		Said:    "It burns since this morning.\n\nCome quickly.",
		Command: "support+command@example.org",
		Text:    "Hello Jan,\n\n\nplease come quickly.\n\nAnna",
		Files: []core.LetterFile{
			{Name: "smoke.png", Type: "image/png", Size: 5, Attach: true, Blob: 7},
			{Name: "film.mp4", Type: "video/mp4", Size: 30 << 20},
		},
	}
	p := &l.Payload
	item := core.CaseItem{Number: "CASE-10002", Title: "Another case", Status: "In progress", Customer: "Anna Berg", Overdue: true,
		Changed: time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)}
	switch k {
	case core.Worklist:
		p.Answers = []core.QueryAnswer{{Verb: "list", Scope: "mine", Cases: []core.CaseItem{item, item}, More: 12},
			{Line: "list opne", Verb: "list", Problem: "no-scope", Meant: "list open"}}
	case core.CaseSheet:
		p.Answers = []core.QueryAnswer{{Verb: "history", Sheet: &core.Sheet{CaseItem: item, Left: 3, Entries: []core.SheetEntry{
			{Kind: "note", Author: "Jan de Vries", Text: "first line\nsecond line", Marks: []string{"unverified"}}, {Kind: "comment", Cut: true},
			{Kind: "event", Event: "status", Became: "In progress"}, {Kind: "event", Event: "other", Was: "a", Became: "b", Why: "c"}}}}}
	case core.Morning:
		p.Answers = []core.QueryAnswer{{Verb: "morning", Scope: "mine", Cases: []core.CaseItem{item}}}
		p.Unassigned, p.HeldCount = 3, map[core.HeldKind]int{core.HeldPeople: 2}
	}
	return l
}

// minimal is what a letter has at least.
func minimal(k core.Kind, lang string) core.Letter {
	l := full(k, lang)
	return core.Letter{
		ID: 1, Kind: k, Language: lang, Automatic: l.Automatic, ForAgent: l.ForAgent, Desk: l.Desk,
		From: core.Address{Address: l.From.Address}, To: core.Address{Address: l.To.Address},
		MessageID: l.MessageID, QueuedAt: l.QueuedAt, Number: l.Number,
	}
}

func fiveBytes(int64) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("flame")), nil }

type parsed struct {
	raw     string
	header  netmail.Header
	subject string
	text    string
	html    string
	files   map[string]string // name to decoded content
}

func parse(t testing.TB, raw []byte) parsed {
	t.Helper()
	for i, line := range strings.Split(string(raw), "\r\n") {
		if len(line) > 998 || strings.ContainsAny(line, "\r\n\x00") {
			t.Errorf("line %d is no mail line: %.80q", i+1, line)
		}
	}
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	p := parsed{raw: string(raw), header: m.Header, files: map[string]string{}}
	if p.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	media, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	p.read(t, media, params["boundary"], m.Header.Get("Content-Transfer-Encoding"), m.Body)
	return p
}

// read takes text, HTML and files of a part.
func (p *parsed) read(t testing.TB, media, boundary, encoding string, body io.Reader) {
	t.Helper()
	switch media {
	case "text/plain":
		p.text = decoded(t, encoding, body)
		return
	case "text/html":
		p.html = decoded(t, encoding, body)
		return
	}
	for r := multipart.NewReader(body, boundary); ; {
		part, err := r.NextRawPart()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		encoding := part.Header.Get("Content-Transfer-Encoding")
		if disposition, params, _ := mime.ParseMediaType(part.Header.Get("Content-Disposition")); disposition == "attachment" {
			p.files[params["filename"]] = decoded(t, encoding, part)
			continue
		}
		media, params, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		p.read(t, media, params["boundary"], encoding, part)
	}
}

func decoded(t testing.TB, encoding string, r io.Reader) string {
	t.Helper()
	switch encoding {
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "base64":
		r = base64Reader(r)
	default:
		t.Fatalf("Content-Transfer-Encoding %q", encoding)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

func compose(t testing.TB, l core.Letter) parsed {
	t.Helper()
	raw, err := newComposer(t).Compose(l, fiveBytes)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, raw)
}

// required is what a mail of a kind cannot do without.
var required = map[core.Kind]map[string][]string{
	core.Confirmation:  {"en": {"CASE-10001", "Need input - we need", "CLOSE - the status becomes Closed", "Answer this mail to add something", "+31 20", "https://desk.example/l/", "https://desk.example/cases"}, "nl": {"Case CASE-10001", "Status: Need input", "CLOSE - de status wordt Closed", "Beantwoord", "+31 20"}},
	core.Answer:        {"en": {"please come quickly", "Jan de Vries", "The status is Need input now, it was In progress", "film.mp4 (30 MB)", "CLOSE"}, "nl": {"please come quickly", "Jan de Vries", "De status is nu Need input", "film.mp4 (30 MB)"}},
	core.StatusNews:    {"en": {"from In progress to Need input", "we need something", "CASE-10001"}, "nl": {"van In progress in Need input", "CASE-10001"}},
	core.Reminder:      {"en": {"CASE-10001", "Wednesday 11 March 2026 at 17:00"}, "nl": {"CASE-10001", "woensdag 11 maart 2026 om 17:00"}},
	core.ClosingSoon:   {"en": {"CASE-10001", "Wednesday 11 March 2026 at 17:00"}, "nl": {"CASE-10001", "woensdag 11 maart 2026 om 17:00"}},
	core.HeldAnswer:    {"en": {"colleague will look"}, "nl": {"collega bekijkt"}},
	core.TooLarge:      {"en": {"too large"}, "nl": {"te groot"}},
	core.WordRefused:   {"en": {"could not do", "CLOSE", "onetimesecret"}, "nl": {"niet uitvoeren", "CLOSE"}},
	core.SignIn:        {"en": {"onetimesecret", "7F3K-92QX", "17:00"}, "nl": {"onetimesecret", "7F3K-92QX", "17:00"}},
	core.Invitation:    {"en": {"onetimesecret", "7F3K-92QX", "anna@customer.example", "Customer Ltd", "Jan de Vries"}, "nl": {"onetimesecret", "7F3K-92QX", "Customer Ltd"}},
	core.NoticeNew:     {"en": {"please come quickly", "Requester: Anna Berg (Customer Ltd)", "Status: Need input", "Please note: not verified", "#status resolved", "in-progress, resolved", "film.mp4", "https://desk.example/cases", "Perhaps about CASE-10007", "not part of the case: carl@fabrikam.example, eve@evil.example."}, "nl": {"please come", "Aanvrager: Anna Berg (Customer Ltd)", "Let op: niet geverifieerd", "#status resolved", "misschien over CASE-10007", "carl@fabrikam.example, eve@evil.example."}},
	core.NoticeComment: {"en": {"Jan de Vries wrote, in public.", "please come"}, "nl": {"Jan de Vries schreef", "please come"}},
	core.NoticeNote:    {"en": {"Jan de Vries wrote a note.", "please come"}, "nl": {"schreef een notitie", "please come"}},
	core.NoticeStatus:  {"en": {"Jan de Vries changed the status from In progress to Need input"}, "nl": {"heeft de status gewijzigd van In progress in Need input"}},
	core.NoticeBounce:  {"en": {"to Jan de Vries did not arrive", "not possible"}, "nl": {"niet aangekomen"}},
	core.Transcript:    {"en": {"  in-progress\n  resolved"}, "nl": {"  in-progress\n  resolved"}},
	core.Question:      {"en": {"CASE-10002: Another case", "> first line\n> second line", "onetimesecret", "Answer this mail"}, "nl": {"CASE-10002: Another case", "> first line", "Beantwoord deze mail"}},
	core.Warning:       {"en": {"set aside", "in-progress"}, "nl": {"apart gezet", "in-progress"}},
	core.Digest:        {"en": {"CASE-10002", "> first line"}, "nl": {"CASE-10002", "> first line"}},
	core.Worklist:      {"en": {"Your cases: 14", "CASE-10002  Another case  In progress,    Anna Berg  2026-03-04\n                          overdue", "Not shown: 12 more", "support+command@example.org", "Did you mean: list open"}, "nl": {"Uw cases: 14", "Niet getoond: nog 12"}},
	core.CaseSheet:     {"en": {"goes to Anna Berg", "Requester: Anna Berg", "> first line\n> second line", "Status: In progress", "(note)", "https://desk.example/cases"}, "nl": {"Aanvrager: Anna Berg", "> first line", "notitie"}},
	core.Morning:       {"en": {"Cases that nobody owns: 3", "Held mail that waits for a word: 2", "CASE-10002"}, "nl": {"Cases zonder behandelaar: 3"}},
	core.Alarm:         {"en": {"in-progress", "not possible"}},
	core.ProbeMail:     {"en": {"plus addresses"}, "nl": {"plusadressen"}},
	core.Approval:      {"en": {"please come quickly", "smoke.png", "before Wednesday 11 March 2026", "CLOSE", "onetimesecret"}, "nl": {"goedkeuring", "please come quickly"}},
	core.Meeting:       {"en": {"Wednesday 11 March 2026 at 17:00", "Jan de Vries", "in-progress"}, "nl": {"Jan de Vries", "woensdag 11 maart 2026"}},
	core.PasswordReset: {"en": {"onetimesecret", "17:00"}, "nl": {"onetimesecret", "17:00"}},
	core.Satisfaction:  {"en": {"  CLOSE\n  CANCEL\n", "onetimesecret"}, "nl": {"tevreden"}},
	core.Escalation:    {"en": {"Jan de Vries escalates", "not possible", "%23status%20resolved", "https://desk.example/cases"}, "nl": {"escaleert"}},
}

func TestCompose_whatBecameOfAnAgentsMail(t *testing.T) {
	for reason, want := range map[string]map[string]string{
		"":             {"en": "What became of your mail:", "nl": "Wat er met uw mail is gebeurd:"},
		"refused":      {"en": "Nothing in your mail was carried out", "nl": "Niets uit uw mail is uitgevoerd"},
		"for-customer": {"en": "They get nothing of it before", "nl": "De klant krijgt er niets van"},
		"own-case":     {"en": "a case of your own", "nl": "een eigen case"},
		"forwarded":    {"en": "kept as a note", "nl": "bewaard als notitie"},
	} {
		for lang, words := range want {
			t.Run("R64/"+reason+" "+lang, func(t *testing.T) {
				l := full(core.Transcript, lang)
				l.Payload.Reason = reason
				if m := compose(t, l); !strings.Contains(m.text, words) {
					t.Errorf("no %q in\n%s", words, m.text)
				}
			})
		}
	}
}

func TestCompose_everyKindInBothLanguages(t *testing.T) {
	for _, k := range kinds {
		for _, lang := range []string{"en", "nl"} {
			for size, l := range map[string]core.Letter{"full": full(k, lang), "minimal": minimal(k, lang)} {
				t.Run(fmt.Sprint(k, " ", lang, " ", size), func(t *testing.T) {
					m := compose(t, l)
					if strings.TrimSpace(strings.TrimPrefix(m.subject, "[CASE-10001]")) == "" {
						t.Errorf("the subject is empty: %q", m.subject)
					}
					for _, bad := range []string{"<no value>", "%!", "<nil>", "\x01", " \n", "()", "  -"} {
						if strings.Contains(m.text, bad) {
							t.Errorf("%q stands in\n%s", bad, m.text)
						}
					}
					words := m.text
					if l.Text != "" {
						words = strings.ReplaceAll(words, l.Text, "what a person wrote")
					}
					if strings.Contains(words, "\n\n\n") || strings.HasPrefix(words, "\n") || strings.HasSuffix(words, "\n\n") {
						t.Errorf("empty lines pile up in\n%q", m.text)
					}
					if size == "minimal" {
						return
					}
					want := required[k][lang]
					if want == nil {
						want = required[k]["en"]
					}
					for _, part := range want {
						if !strings.Contains(m.text, part) {
							t.Errorf("%q is missing in\n%s", part, m.text)
						}
					}
				})
			}
		}
	}
}

func TestCompose_whatAnAgentReadsFirst(t *testing.T) {
	public := []core.Kind{core.NoticeNew, core.NoticeComment, core.NoticeStatus, core.NoticeBounce, core.Transcript}
	for _, k := range public {
		lines := strings.Split(compose(t, full(k, "en")).text, "\n")
		want := []string{
			"An answer to this mail goes to Anna Berg (Customer Ltd), in public.",
			"For a note that only colleagues see, write to support+zyxwvutsrqponmlkjihg@example.org",
			"-- >8 --",
		}
		if fmt.Sprint(lines[:3]) != fmt.Sprint(want) {
			t.Errorf("%s begins with %q", k, lines[:3])
		}
	}
	note := full(core.NoticeNote, "nl")
	note.ReplyTo = note.Internal
	lines := strings.Split(compose(t, note).text, "\n")
	if lines[0] != "Een antwoord op deze mail is een notitie: alleen collega's lezen die." || lines[1] != Above {
		t.Errorf("a notice of a note begins with %q", lines[:2])
	}
}

func TestCompose_header(t *testing.T) {
	m := compose(t, full(core.Confirmation, "en"))
	for field, want := range map[string]string{
		"From":                     `"Example Support" <support@example.org>`,
		"To":                       `"Anna Berg" <anna@customer.example>`,
		"Reply-To":                 `"Example Support" <support+abcdefghijklmnopqrst@example.org>`,
		"Subject":                  "[CASE-10001] Printer on the second floor is on fire",
		"Date":                     "Wed, 04 Mar 2026 09:30:00 +0000",
		"Message-Id":               "<0123456789abcdef0123456789abcdef@example.org>",
		"In-Reply-To":              "<her-3@customer.example>",
		"References":               "<her-1@customer.example> <our-2@example.org> <her-3@customer.example>",
		"Auto-Submitted":           "auto-replied",
		"X-Auto-Response-Suppress": "All",
		"X-Postern-Loop":           "abcdefghijklmnopqrst 1",
		"Mime-Version":             "1.0",
		"Precedence":               "", "List-Id": "", "User-Agent": "", "X-Mailer": "", "Sender": "", "Cc": "", "Bcc": "",
	} {
		if got := m.header.Get(field); got != want {
			t.Errorf("R53/%s is %q, want %q", field, got, want)
		}
	}
	if got := m.files["smoke.png"]; got != "flame" {
		t.Errorf("smoke.png holds %q", got)
	}
	if len(m.files) != 1 {
		t.Errorf("files beyond the limit go along: %d", len(m.files))
	}
	status := compose(t, full(core.StatusNews, "en"))
	if got := status.header.Get("Auto-Submitted"); got != "auto-generated" {
		t.Errorf("R53/a status mail is %q", got)
	}
	answer := compose(t, full(core.Answer, "en"))
	if answer.header.Get("Auto-Submitted") != "" || answer.header.Get("X-Auto-Response-Suppress") != "" {
		t.Error("R53/what a person wrote is called automatic")
	}
}

func TestCompose_subjectCarriesTheNumberOnce(t *testing.T) {
	for _, c := range []struct{ title, want string }{
		{"Printer", "[CASE-10001] Printer"},
		{"[CASE-10001] Printer", "[CASE-10001] Printer"},
		{"Re: [case-10001] Printer", "[CASE-10001] Printer"},
		{"Aw: Re: [CASE-10001] Antw: [CASE-10001]  Printer", "[CASE-10001] Printer"},
		{"RE[2]: Printer", "[CASE-10001] Printer"},
		{"Re: Fwd: Printer", "[CASE-10001] Fwd: Printer"},
		{"Re: [CASE-10002] Printer", "[CASE-10001] [CASE-10002] Printer"},
		{"Regarding: printers", "[CASE-10001] Regarding: printers"},
		{"Drücker æøå 打印机", "[CASE-10001] Drücker æøå 打印机"},
		{"=?utf-8?q?not_decoded?=", "[CASE-10001] = ?utf-8?q?not_decoded?="},
		{strings.Repeat("ä", 250), "[CASE-10001] " + strings.Repeat("ä", 250)},
		{strings.Repeat("x", 250), "[CASE-10001] " + strings.Repeat("x", 250)},
	} {
		l := full(core.Answer, "en")
		l.Payload.Title = c.title
		if got := compose(t, l).subject; got != c.want {
			t.Errorf("%q becomes %q, want %q", c.title, got, c.want)
		}
	}
}

func TestCompose_R56(t *testing.T) {
	c := newComposer(t)
	for name, change := range map[string]func(*core.Letter){
		"a line break in an address":                 func(l *core.Letter) { l.To.Address = "a@b.example\r\nBcc: c@d.example" },
		"two addresses in one":                       func(l *core.Letter) { l.To.Address = "a@b.example, c@d.example" },
		"an address without a domain":                func(l *core.Letter) { l.To.Address = "anna" },
		"angle brackets in an address":               func(l *core.Letter) { l.To.Address = "a> <b@c.example" },
		"a line break in Reply-To":                   func(l *core.Letter) { l.ReplyTo = "a@b.example\n" },
		"a line break in our Message-ID":             func(l *core.Letter) { l.MessageID = "a@b\r\nX: y" },
		"no Message-ID":                              func(l *core.Letter) { l.MessageID = "" },
		"a line break in X-Postern-Loop":             func(l *core.Letter) { l.Loop = "a\r\nX: y" },
		"R52: a mail of the desk to its own address": func(l *core.Letter) { l.To.Address = l.From.Address },
	} {
		t.Run(name, func(t *testing.T) {
			l := full(core.Answer, "en")
			change(&l)
			if raw, err := c.Compose(l, fiveBytes); err == nil {
				t.Errorf("composed:\n%.600s", raw)
			}
		})
	}
	t.Run("R56/a title and names with line breaks and NUL become one line each", func(t *testing.T) {
		l := full(core.Answer, "en")
		l.Payload.Title, l.From.Name, l.To.Name = "x\x00y\r\nBcc: all@example.org", "desk\nBcc: y@example.org", "Anna\rBcc: y@example.org\x00"
		m := compose(t, l)
		to, err := m.header.AddressList("To")
		if err != nil || m.header.Get("Bcc") != "" || m.subject != "[CASE-10001] xy Bcc: all@example.org" || to[0].Name != "Anna Bcc: y@example.org" {
			t.Errorf("%q, %v, %v", m.subject, to, m.header)
		}
	})
	t.Run("R56/the builder of headers refuses them by itself", func(t *testing.T) {
		for _, bad := range []string{"a\rb", "a\nb", "a\x00b"} {
			if _, err := headerAddress("To", core.Address{Name: bad, Address: "a@b.example"}); err == nil {
				t.Errorf("a name %q passes", bad)
			}
			if err := plain("Subject", bad); err == nil {
				t.Errorf("a subject %q passes", bad)
			}
		}
	})
	t.Run("ids of other people that cannot stand in a header are left out", func(t *testing.T) {
		l := full(core.Answer, "en")
		l.InReplyTo = "x\r\nBcc: y"
		l.References = []string{"ok@a.example", "with space", "", "<b@c>", "é@x", strings.Repeat("l", 2000)}
		m := compose(t, l)
		if m.header.Get("In-Reply-To") != "" || m.header.Get("References") != "<ok@a.example>" {
			t.Errorf("%q, %q", m.header.Get("In-Reply-To"), m.header.Get("References"))
		}
	})
	t.Run("names and file names of every alphabet arrive as they are", func(t *testing.T) {
		l := full(core.Answer, "en")
		l.To.Name = `Jörg "J." Møller, 打印机 <x@y>`
		name := strings.Repeat("打印机 ü", 30) + ".pdf"
		l.Files = []core.LetterFile{
			{Name: name, Type: "application/pdf", Size: 5, Attach: true},
			{Name: "../etc/pass\"wd\r\nX: y", Type: "text/html\r\nX: y", Size: 5, Attach: true},
			{Name: "mail.eml", Type: "message/rfc822", Size: 5, Attach: true},
		}
		m := compose(t, l)
		to, err := m.header.AddressList("To")
		if err != nil || len(to) != 1 || to[0].Name != l.To.Name {
			t.Errorf("To: %v %v", to, err)
		}
		if m.files[name] != "flame" || m.files[".._etc_pass_wd__X_ y"] != "flame" {
			t.Errorf("%q", m.files)
		}
		if strings.Contains(m.raw, "message/rfc822") {
			t.Error("a message in base64, against RFC 2046")
		}
	})
	t.Run("a local part that needs quotes gets them", func(t *testing.T) {
		if got, err := path("anna berg@customer.example"); err != nil || got != `<"anna berg"@customer.example>` {
			t.Errorf("%s, %v", got, err)
		}
	})
	t.Run("what people write keeps its lines, whatever ends them", func(t *testing.T) {
		l := full(core.Answer, "en")
		l.Text = "one\rtwo\r\nthree\n\n\nfour\n.\n.dot\nFrom here " + strings.Repeat("long ", 400) + "\x00end"
		if m := compose(t, l); !strings.HasPrefix(m.text, "one\ntwo\nthree\n\n\nfour\n.\n.dot\nFrom here long") {
			t.Errorf("%.200q", m.text)
		}
	})
}

func TestCompose_referencesStayShort(t *testing.T) {
	var ids []string
	for i := range 40 {
		ids = append(ids, fmt.Sprintf("id-%02d@example.org", i))
	}
	got := strings.Fields(references(ids, "answered@x.example"))
	if len(got) != 11 || got[0] != "<id-00@example.org>" || got[10] != "<answered@x.example>" || got[1] != "<id-31@example.org>" {
		t.Errorf("R53/the first and the newest ten: %q", got)
	}
	for i := range ids {
		ids[i] = strings.Repeat("x", 300) + ids[i]
	}
	if long := references(ids, "answered@x.example"); len(long) > 1500 || !strings.HasSuffix(long, "<answered@x.example>") {
		t.Errorf("R53/%d octets", len(long))
	}
	if got := references([]string{"a@x", "b@x", "a@x"}, "a@x"); got != "<a@x> <b@x>" {
		t.Errorf("no id twice: %s", got)
	}
}

func TestCompose_R51(t *testing.T) {
	secret := regexp.MustCompile(`(?i)printer|fire|anna berg|customer ltd|come quickly|smoke|film\.mp4|Jan de Vries|possible`)
	for _, k := range kinds {
		if k == core.Answer || full(k, "en").ForAgent || k == core.SignIn || k == core.Invitation {
			continue
		}
		for _, lang := range []string{"en", "nl"} {
			l := full(k, lang)
			l.Payload.Fixed = true
			m := compose(t, l)
			text := m.subject + "\n" + m.header.Get("To") + "\n" + m.text
			if found := secret.FindString(text); found != "" || len(m.files) > 0 {
				t.Errorf("%s %s tells an unverified sender %q:\n%s", k, lang, found, text)
			}
			numbered := strings.Contains(text, "10001")
			if held := k == core.HeldAnswer || k == core.TooLarge; numbered == (held || k == core.ProbeMail) && k != core.ProbeMail {
				t.Errorf("%s %s: number told: %v", k, lang, numbered)
			}
		}
	}
}

func TestCompose_languageFallsBack(t *testing.T) {
	for lang, want := range map[string]string{"nl-BE": "Bedankt", "NL": "Bedankt", "fr": "Thank you", "": "Thank you"} {
		if m := compose(t, full(core.Confirmation, lang)); !strings.Contains(m.text, want) {
			t.Errorf("%q: no %q in\n%s", lang, want, m.text)
		}
	}
}

func TestCompose_aFileThatFailsIsNoDefectOfTheLetter(t *testing.T) {
	c := newComposer(t)
	gone := errors.New("database is away")
	for name, open := range map[string]func(int64) (io.ReadCloser, error){
		"cannot be opened": func(int64) (io.ReadCloser, error) { return nil, gone },
		"breaks off":       func(int64) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("fl")), nil },
		"breaks while read": func(int64) (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader("fl"), brokenReader{gone})), nil
		},
	} {
		raw, err := c.Compose(full(core.Answer, "en"), open)
		var file *FileError
		if !errors.As(err, &file) || file.Blob != 7 || raw != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type brokenReader struct{ err error }

func (b brokenReader) Read([]byte) (int, error) { return 0, b.err }

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0,1 KB", 500: "0,5 KB", 2048: "2,0 KB", 20 << 10: "20 KB", 1020 << 10: "1,0 MB", 30 << 20: "30 MB"} {
		if got := newComposer(t).languages["nl"].size(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func BenchmarkCompose(b *testing.B) {
	c := newComposer(b)
	for _, k := range []core.Kind{core.Confirmation, core.NoticeNew} {
		b.Run(string(k), func(b *testing.B) {
			l := full(k, "en")
			l.Files = nil
			for b.Loop() {
				if _, err := c.Compose(l, noFiles); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func base64Reader(r io.Reader) io.Reader { return base64.NewDecoder(base64.StdEncoding, r) }

// Whatever people are called and write, one mail comes out that has exactly
// the fields we meant, or none.
func FuzzCompose(f *testing.F) {
	f.Add("Printer", "Anna", "anna@customer.example", "Hello", "a.txt", "text/plain", "id@x")
	f.Add("Re: [CASE-10001] ä\r\nBcc: x@y", "\"A\" <b@c>", "a b@c", "\x01text\x01\r.\r\n.", "ü\".pdf", "message/rfc822", "<a> <b>")
	f.Add("=?utf-8?q?=0d=0aX:_y?=", "=?utf-8?b?w7w=?=", "ü@example.org", "From me\n-- >8 --\n\xff\xfe", "../..", "a/b; c=\"\r\n\"", "é")
	c, err := NewComposer(templates.Mail)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, title, name, address, text, fileName, fileType, id string) {
		l := full(core.Answer, "en")
		l.Payload.Title, l.To.Name, l.To.Address, l.Text, l.InReplyTo = title, name, address, text, id
		l.References = []string{id, "known@example.org"}
		l.Files = []core.LetterFile{{Name: fileName, Type: fileType, Size: 5, Attach: true, Blob: 7}, {Name: fileName, Size: 5}}
		raw, err := c.Compose(l, fiveBytes)
		if err != nil {
			return
		}
		head, _, _ := strings.Cut(string(raw), "\r\n\r\n")
		for line := range strings.SplitSeq(string(raw), "\r\n") {
			if len(line) > 998 || strings.ContainsAny(line, "\r\n\x00") {
				t.Fatalf("no mail line: %.100q", line)
			}
		}
		known := " Date In-Reply-To MIME-Version Message-ID References Subject X-Postern-Loop From To Reply-To Content-Type "
		for line := range strings.SplitSeq(head, "\r\n") {
			field, _, _ := strings.Cut(line, ":")
			if !strings.HasPrefix(line, " ") && !strings.Contains(known, " "+field+" ") {
				t.Fatalf("a field nobody meant: %q", line)
			}
		}
		m := parse(t, raw)
		if to, err := m.header.AddressList("To"); err != nil || len(to) != 1 || to[0].Address != address {
			t.Fatalf("To %q became %v, %v", address, to, err)
		}
		if !strings.HasPrefix(m.subject, "[CASE-10001]") || len(m.files) != 1 {
			t.Fatalf("subject %q, %d files", m.subject, len(m.files))
		}
	})
}

func TestCompose_aLargeFileIsHeldOnce(t *testing.T) {
	c := newComposer(t)
	l := full(core.Answer, "en")
	const size = 10 << 20
	l.Files = []core.LetterFile{
		{Name: "a.bin", Type: "application/octet-stream", Size: size, Attach: true},
		{Name: "empty", Type: "text/plain", Size: 0, Attach: true, Blob: 1},
	}
	content := bytes.Repeat([]byte("0123456789abcde\x00"), size/16)
	open := func(blob int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content[:size*(1-blob)])), nil
	}
	raw, err := c.Compose(l, open)
	if err != nil {
		t.Fatal(err)
	}
	if m := parse(t, raw); m.files["a.bin"] != string(content) || m.files["empty"] != "" || len(m.files) != 2 {
		t.Errorf("%d files, %d octets", len(m.files), len(m.files["a.bin"]))
	}
	if cap(raw) > size*14/10 {
		t.Errorf("%d octets of memory for a file of %d", cap(raw), size)
	}
}

func BenchmarkCompose_file(b *testing.B) {
	c := newComposer(b)
	l := full(core.Answer, "en")
	content := bytes.Repeat([]byte("x"), 2<<20)
	l.Files = []core.LetterFile{{Name: "a.bin", Type: "application/octet-stream", Size: 2 << 20, Attach: true}}
	b.SetBytes(2 << 20)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Compose(l, func(int64) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }); err != nil {
			b.Fatal(err)
		}
	}
}
