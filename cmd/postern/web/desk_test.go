package web

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"postern/core"
	"postern/core/flow"
)

var _ Desk = (*core.Desk)(nil)

// fakeDesk is a desk that answers as it is told, and fails on cue.
type fakeDesk struct {
	mu      sync.Mutex
	changes []string         // names of the methods called that change something
	fail    map[string]error // by method
	crash   string           // the method that panics

	viewers  map[string]core.Viewer // by session
	page     core.CasePage
	asked    core.CaseQuery // of the last list
	view     core.CaseView
	html     string
	content  []byte
	fileName string
	fileType string
	move     core.MoveLink
	question core.QuestionView
	optOut   core.OptOut
	held     []core.HeldLine
	heldOf   core.HeldQuery // of the last list
	heldMore bool
	heldView core.HeldView
	browser  string              // told by the last sign-in request
	struck   []int64             // by the last question pressed
	wishes   map[string]flow.How // by the last form of wishes
}

var noon = time.Date(2026, 3, 9, 11, 5, 0, 0, time.UTC)

const ada = "ada@customer.example"

func newFakeDesk() *fakeDesk {
	line := core.CaseLine{Number: "CASE-10001", Title: "The scanner is offline", Status: "In progress", Class: "open",
		Requester: "Ada Byron", Company: "Customer Ltd", Owner: "Grace", Opened: noon.Add(-48 * time.Hour), Changed: noon}
	return &fakeDesk{
		fail: map[string]error{},
		viewers: map[string]core.Viewer{
			"customer": {Name: "Ada Byron", Address: ada, Language: "en"},
			"agent":    {Name: "Grace", Address: "grace@desk.example", Language: "en", Agent: true, Desks: []string{"support"}},
			"dutch":    {Name: "Wim", Address: "wim@klant.example", Language: "nl"},
		},
		page: core.CasePage{Cases: []core.CaseLine{line}},
		view: core.CaseView{CaseLine: line, Desk: "Customer Service", Means: "We are working on your case.",
			Entries: []core.Entry{
				{ID: 1, Kind: "event", Event: "opened", At: noon.Add(-48 * time.Hour)},
				{ID: 10001, Kind: "description", At: noon.Add(-48 * time.Hour), Author: "Ada Byron", Side: "customer", Text: "It does not scan."},
				{ID: 2, Kind: "comment", At: noon, Author: "Grace", Side: "desk", Text: "Try again.", Rest: "> It does not scan.", HasHTML: true,
					Files: []core.FileLine{{ID: 5, Name: "steps.pdf", Type: "application/pdf", Size: 120_000}}},
			},
			Files: []core.FileLine{{ID: 5, Name: "steps.pdf", Type: "application/pdf", Size: 120_000}},
			Moves: []core.CaseMove{{To: "closed", Label: "Closed", Word: "close"}},
		},
		html:     "<p>Try <b>again</b>.</p>",
		content:  []byte("%PDF-1.4 ..."),
		fileName: "steps.pdf", fileType: "application/pdf",
		move:     core.MoveLink{Number: "CASE-10001", Title: "The scanner is offline", Now: "Resolved", To: "Closed", Class: "closed"},
		question: core.QuestionView{Address: "grace@desk.example", Items: []core.QuestionItem{{Ledger: 7, Waiting: core.Waiting{Number: "CASE-10001", Title: "The scanner", Text: "Done.", At: noon}}}},
		held: []core.HeldLine{{Ledger: 9, State: core.Held, Reason: "own-address", From: "x@desk.example", Subject: "Hello",
			Received: noon, Size: 2048, Class: "own-address", Assurance: "unknown", Code: "own-address", Kind: core.HeldMachines}},
		heldView: core.HeldView{HeldLine: core.HeldLine{Ledger: 9, State: core.Held, Reason: "own-address", From: "x@desk.example", Subject: "Hello", Received: noon, Size: 2048,
			Code: "own-address", Kind: core.HeldMachines, About: "CASE-10001"},
			Mailbox: "support", Trace: []core.Step{{Rule: "R26", Says: "From is one of our addresses"}}, Raw: []byte("From: x@desk.example\r\n\r\nHello\r\n")},
	}
}

// changed notes a call that changes something.
func (f *fakeDesk) changed(method string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes = append(f.changes, method)
	return f.fail[method]
}

func (f *fakeDesk) looked(method string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.crash == method {
		panic("on cue")
	}
	return f.fail[method]
}

// changesMade are the changing calls so far, forgotten by asking.
func (f *fakeDesk) changesMade() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	made := f.changes
	f.changes = nil
	return made
}

func (f *fakeDesk) RequestSignIn(_ context.Context, _, browser string) error {
	f.browser = browser
	return f.changed("RequestSignIn")
}

func (f *fakeDesk) SignInByLink(_ context.Context, link, browser, _ string) (string, error) {
	if err := f.changed("SignInByLink"); err != nil {
		return "", err
	}
	if link != "good" || browser != f.browser {
		return "", core.ErrExpired
	}
	return "customer", nil
}

func (f *fakeDesk) SignInByCode(_ context.Context, address, code, browser, _ string) (string, error) {
	if err := f.changed("SignInByCode"); err != nil {
		return "", err
	}
	if address != ada || code != "123456" || browser != f.browser {
		return "", core.ErrExpired
	}
	return "customer", nil
}

func (f *fakeDesk) Session(_ context.Context, session string) (core.Viewer, error) {
	if err := f.looked("Session"); err != nil {
		return core.Viewer{}, err
	}
	v, ok := f.viewers[session]
	if !ok {
		return core.Viewer{}, core.ErrNotFound
	}
	return v, nil
}

func (f *fakeDesk) Sessions(context.Context, core.Viewer, string) ([]core.SessionLine, error) {
	return []core.SessionLine{
		{Browser: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36", Made: noon.Add(-time.Hour), Seen: noon, Current: true},
		{Browser: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1", Made: noon.Add(-72 * time.Hour), Seen: noon.Add(-20 * time.Hour)},
	}, f.looked("Sessions")
}

func (f *fakeDesk) Preferences(_ context.Context, v core.Viewer) ([]core.DeskWishes, error) {
	return []core.DeskWishes{{Desk: "support", Name: "Customer Service", Agent: v.Agent, Lines: []core.WishLine{
		{Event: flow.EventStatus, Gives: flow.ByMail, Wish: f.wishes["status"], Ways: []flow.How{flow.InDigest, flow.Untold}},
		{Event: flow.EventReminder, Gives: flow.ByMail, Ways: []flow.How{flow.InDigest, flow.Untold}},
	}}}, f.looked("Preferences")
}

func (f *fakeDesk) SetPreferences(_ context.Context, _ core.Viewer, desk string, wishes map[string]string) error {
	f.wishes = map[string]flow.How{"desk": flow.How(desk)}
	for event, how := range wishes {
		f.wishes[event] = flow.How(how)
	}
	return f.changed("SetPreferences")
}

func (f *fakeDesk) SignOut(context.Context, string) error { return f.changed("SignOut") }

func (f *fakeDesk) SignOutEverywhere(context.Context, core.Viewer) error {
	return f.changed("SignOutEverywhere")
}

func (f *fakeDesk) InvitationByLink(_ context.Context, link string) (core.InvitationView, error) {
	if link != "good" {
		return core.InvitationView{}, core.ErrExpired
	}
	return core.InvitationView{Address: ada, Desk: "Customer Service", Organisation: "Customer Ltd", Expires: noon.Add(7 * 24 * time.Hour)}, f.looked("InvitationByLink")
}

func (f *fakeDesk) AcceptByLink(_ context.Context, link, _ string) (string, error) {
	if err := f.changed("AcceptByLink"); err != nil || link != "good" {
		return "", core.ErrExpired
	}
	return "customer", nil
}

func (f *fakeDesk) AcceptByCode(_ context.Context, address, code, _ string) (string, error) {
	if err := f.changed("AcceptByCode"); err != nil {
		return "", err
	}
	if address != ada || code != "ABCD2345" {
		return "", core.ErrExpired
	}
	return "customer", nil
}

func (f *fakeDesk) Cases(_ context.Context, _ core.Viewer, q core.CaseQuery) (core.CasePage, error) {
	f.asked = q
	return f.page, f.looked("Cases")
}

// mine says whether a case is there for anybody: CASE-777 exists, and is not.
func (f *fakeDesk) mine(number string) bool { return number == f.view.Number }

func (f *fakeDesk) Case(_ context.Context, v core.Viewer, number string) (core.CaseView, error) {
	if err := f.looked("Case"); err != nil {
		return core.CaseView{}, err
	}
	if !f.mine(number) {
		return core.CaseView{}, core.ErrNotFound
	}
	view := f.view
	view.ForAgent = v.Agent
	view.Entries = slices.Clone(view.Entries)
	return view, nil
}

func (f *fakeDesk) EntryHTML(_ context.Context, _ core.Viewer, number, kind string, _ int64) (string, error) {
	if !f.mine(number) || kind != "comment" && kind != "description" {
		return "", core.ErrNotFound
	}
	return f.html, f.looked("EntryHTML")
}

func (f *fakeDesk) File(_ context.Context, _ core.Viewer, number string, id int64) (core.FileLine, io.ReadCloser, error) {
	if err := f.looked("File"); err != nil || !f.mine(number) || id != 5 {
		return core.FileLine{}, nil, core.ErrNotFound
	}
	return core.FileLine{ID: id, Name: f.fileName, Type: f.fileType, Size: int64(len(f.content))}, io.NopCloser(bytes.NewReader(f.content)), nil
}

func (f *fakeDesk) InlineFile(ctx context.Context, v core.Viewer, number, _ string, _ int64, contentID string) (core.FileLine, io.ReadCloser, error) {
	if !strings.HasPrefix(contentID, "logo") {
		return core.FileLine{}, nil, core.ErrNotFound
	}
	return f.File(ctx, v, number, 5)
}

func (f *fakeDesk) MoveCase(_ context.Context, _ core.Viewer, number, _ string) error {
	if !f.mine(number) {
		return core.ErrNotFound
	}
	return f.changed("MoveCase")
}

func (f *fakeDesk) AddParticipant(_ context.Context, v core.Viewer, number, address string) error {
	if !f.mine(number) {
		return core.ErrNotFound
	}
	if !v.Agent {
		return core.ErrNotAllowed
	}
	return f.changed("AddParticipant " + address)
}

func (f *fakeDesk) MoveByLink(_ context.Context, link string) (core.MoveLink, error) {
	if link != "good" {
		return core.MoveLink{}, core.ErrNotFound
	}
	return f.move, f.looked("MoveByLink")
}

func (f *fakeDesk) PressMove(_ context.Context, link, text string) (core.MoveLink, error) {
	if link == "good" && f.move.NeedsText && (strings.TrimSpace(text) == "" || len(text) > 10_000) {
		return f.move, core.ErrNoText
	}
	return f.press("PressMove", link)
}

func (f *fakeDesk) UndoByLink(ctx context.Context, link string) (core.MoveLink, error) {
	undo, err := f.MoveByLink(ctx, link)
	undo.Undo = err == nil
	return undo, err
}

func (f *fakeDesk) PressUndo(_ context.Context, link string) (core.MoveLink, error) {
	undo, err := f.press("PressUndo", link)
	undo.Undo = true
	return undo, err
}

func (f *fakeDesk) press(method, link string) (core.MoveLink, error) {
	err := f.changed(method)
	switch {
	case link != "good":
		return core.MoveLink{}, core.ErrExpired
	case err != nil:
		return f.move, err
	}
	done := f.move
	done.Done, done.Now, done.Used = true, done.To, noon
	return done, nil
}

func (f *fakeDesk) QuestionByLink(_ context.Context, link string) (core.QuestionView, error) {
	if link != "good" {
		return core.QuestionView{}, core.ErrExpired
	}
	return f.question, f.looked("QuestionByLink")
}

func (f *fakeDesk) PressQuestion(_ context.Context, _ string, struck []int64) error {
	f.struck = struck
	return f.changed("PressQuestion")
}

func (f *fakeDesk) HeldMail(_ context.Context, _ core.Viewer, q core.HeldQuery) (core.HeldPage, error) {
	f.heldOf = q
	return core.HeldPage{Mails: f.held, Count: map[core.HeldKind]int{core.HeldPeople: 1, core.HeldSpam: 12}, More: f.heldMore}, f.looked("HeldMail")
}

func (f *fakeDesk) HeldMailView(_ context.Context, _ core.Viewer, ledger int64) (core.HeldView, error) {
	if ledger != f.heldView.Ledger {
		return core.HeldView{}, core.ErrNotFound
	}
	return f.heldView, f.looked("HeldMailView")
}

func (f *fakeDesk) TreatAsHuman(context.Context, core.Viewer, string, int64) error {
	return f.changed("TreatAsHuman")
}

func (f *fakeDesk) OptOutByLink(_ context.Context, link string) (core.OptOut, error) {
	if link != "good" {
		return core.OptOut{}, core.ErrExpired
	}
	return f.optOut, f.looked("OptOutByLink")
}

func (f *fakeDesk) PressOptOut(ctx context.Context, link string) (core.OptOut, error) {
	v, err := f.OptOutByLink(ctx, link)
	if err != nil {
		return v, err
	}
	v.Done = true
	return v, f.changed("PressOptOut")
}

func (f *fakeDesk) SettleLetter(_ context.Context, _ core.Viewer, _ string, id int64, word core.LetterWord) error {
	return cmp.Or(f.fail["SettleLetter"], f.changed(fmt.Sprintf("SettleLetter %d %s", id, word)))
}

func (f *fakeDesk) BlockSender(context.Context, core.Viewer, int64, bool) error {
	return f.changed("BlockSender")
}

func (f *fakeDesk) ReleaseAsCase(context.Context, core.Viewer, int64) error {
	return f.changed("ReleaseAsCase")
}

// Attach knows one case.
func (f *fakeDesk) Attach(_ context.Context, _ core.Viewer, _ int64, number string) error {
	if err := f.changed("Attach"); err != nil {
		return err
	}
	if number != "CASE-10001" {
		return core.ErrNoCase
	}
	return nil
}

func (f *fakeDesk) Release(context.Context, core.Viewer, int64) error { return f.changed("Release") }
func (f *fakeDesk) Refuse(context.Context, core.Viewer, int64) error  { return f.changed("Refuse") }
