package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/smtp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5"

	"postern/core"
	"postern/core/coretest"
	"postern/mailin"
	"postern/mailin/mime"
)

// stage is the demo, as `postern demo` starts it, and one person before it with
// a browser.
type stage struct {
	t      *testing.T
	ctx    context.Context // of the browser
	page   string          // where everybody is played
	web    string          // the desk's own pages
	smtp   string
	config string
	read   map[string]core.Mail // by path on the page
}

// raise runs `postern demo` on ports of its own until stop is called.
func (s *stage) raise(dir string) (stop func()) {
	s.t.Helper()
	const free = "127.0.0.1:0"
	var out, wrong logBook
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() {
		words := []string{"demo", "--state", dir, "--web", free, "--http", free, "--imap", free, "--smtp", free, "--dns", free}
		ended <- run(ctx, words, environment(), nil, &out, &wrong)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		if code := <-ended; code != done {
			s.t.Errorf("the demo ended with %d: %s", code, wrong.lines())
		}
	})
	s.t.Cleanup(stop)
	by(s.t, soon, "the demo says where it is", func() bool {
		select {
		case code := <-ended:
			ended <- code
			s.t.Fatalf("the demo ended with %d: %s", code, wrong.lines())
		default:
		}
		return len(out.lines("Other commands look into it")) == 1
	})
	banner := strings.Join(out.lines(), "\n")
	urls := regexp.MustCompile(`http://[^\s]+`).FindAllString(banner, -1)
	s.page, s.web = strings.TrimRight(urls[0], "/"), strings.TrimRight(urls[1], "/")
	s.smtp = regexp.MustCompile(`smtp://(\S+)`).FindStringSubmatch(banner)[1]
	s.config = filepath.Join(dir, "postern.toml")
	s.read = map[string]core.Mail{}
	return stop
}

// do plays steps in the browser.
func (s *stage) do(steps ...chromedp.Action[chromedp.Void]) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, soon)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		s.t.Fatalf("%v, on a page that says:\n%s", err, s.text())
	}
}

// see evaluates an expression in the page.
func see[T any](s *stage, expression string) T {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, soon)
	defer cancel()
	got, err := chromedp.Run(ctx, chromedp.EvaluateAsDevTools[T](expression))
	if err != nil {
		s.t.Fatalf("%s: %v", expression, err)
	}
	return got
}

// text is what the page says.
func (s *stage) text() string {
	s.t.Helper()
	return see[string](s, `document.body.innerText`)
}

// at waits until a page of that path has been loaded.
func (s *stage) at(path string) {
	s.t.Helper()
	by(s.t, soon, "the page "+path, func() bool {
		return see[bool](s, fmt.Sprintf(`location.pathname == %q && document.readyState == "complete"`, path))
	})
}

// fetch reads a page of the demo without the browser.
func (s *stage) fetch(path string) string {
	s.t.Helper()
	answer, err := http.Get(s.page + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %d, %v", path, answer.StatusCode, err)
	}
	return string(body)
}

// mailLine is a mail in a list of the demo's page.
var mailLine = regexp.MustCompile(`id="mail-(\d+)"`)

// inbox is all mail of a person, newest first, by its path on the page.
func (s *stage) inbox(who string) (paths []string) {
	s.t.Helper()
	folder := "/people/" + who + "/folders/INBOX"
	for _, found := range mailLine.FindAllStringSubmatch(s.fetch(folder), -1) {
		path := folder + "/" + found[1]
		paths = append(paths, path)
		if _, known := s.read[path]; !known {
			raw := s.fetch(path + "/source")
			s.read[path] = mailin.Parse(strings.NewReader(raw), int64(len(raw)), mime.DefaultLimits)
		}
	}
	return paths
}

// mail waits for one whose subject and text hold all these words.
func (s *stage) mail(who string, words ...string) (path string, m core.Mail) {
	s.t.Helper()
	by(s.t, soon, fmt.Sprintf("a mail to %s with %q", who, words), func() bool {
		for _, path = range s.inbox(who) {
			m = s.read[path]
			all := m.Subject + "\n" + m.Text
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(all, w) }) {
				return true
			}
		}
		return false
	})
	return path, m
}

// never checks that no mail to a person holds a word.
func (s *stage) never(who string, words ...string) {
	s.t.Helper()
	for _, path := range s.inbox(who) {
		lacks(s.t, "a mail to "+who, s.read[path].Subject+"\n"+s.read[path].Text, words...)
	}
}

// answers writes a reply on top of an opened mail, as a person does. It goes
// where the button leads.
func (s *stage) answers(path, button, text string) {
	s.t.Helper()
	s.do(
		chromedp.Navigate(s.page+path),
		chromedp.Click(chromedp.CSS(button)),
		chromedp.WaitVisible(chromedp.CSS("#text")),
		chromedp.SendKeys(chromedp.CSS("#text"), text),
		chromedp.Click(chromedp.CSS("#send")),
		chromedp.WaitVisible(chromedp.CSS(".notice")),
	)
}

// Buttons of a mail on the demo's page.
const (
	reply      = "#reply"
	replyInner = ".other" // to the second address that the mail names
)

// stored reads a value from the demo's database.
func stored[T any](s *stage, query string, args ...any) T {
	s.t.Helper()
	set, err := loadSettings(s.config, environment())
	if err != nil {
		s.t.Fatal(err)
	}
	db, err := pgx.Connect(s.t.Context(), set.Database.URL.Reveal())
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close(context.Background())
	var v T
	if err := db.QueryRow(s.t.Context(), query, args...).Scan(&v); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return v
}

// status is where a case stands.
func (s *stage) status(number string) string {
	s.t.Helper()
	return stored[string](s, `select status from cases where 'CASE-' || number = $1`, number)
}

func (s *stage) becomes(number, status string) {
	s.t.Helper()
	by(s.t, soon, number+" becomes "+status, func() bool { return s.status(number) == status })
}

// linkIn is the address in a mail that leads to one of the desk's pages.
func (s *stage) linkIn(m core.Mail, path string) string {
	s.t.Helper()
	found := regexp.MustCompile(regexp.QuoteMeta(s.web+path) + `\S+`).FindString(m.Text)
	if found == "" {
		s.t.Fatalf("no link to %s in:\n%s", path, m.Text)
	}
	return found
}

// signIn goes through the mailed link in this browser.
func (s *stage) signIn(who, address string) {
	s.t.Helper()
	s.do(
		chromedp.Navigate(s.web+"/sign-in"),
		chromedp.SendKeys(chromedp.CSS("#address"), address),
		chromedp.Click(chromedp.CSS("button.main")),
	)
	s.at("/code")
	_, m := s.mail(who, "Your link to sign in")
	s.do(chromedp.Navigate(s.linkIn(m, "/sign-in/")), chromedp.Click(chromedp.CSS("button.main")))
	s.at("/cases")
}

func (s *stage) signOut() {
	s.t.Helper()
	s.do(chromedp.Click(chromedp.CSS("form.out button")))
	s.at("/sign-in")
}

// download reads a file as the signed-in browser would.
func (s *stage) download(url string) string {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		jar, err := cdp.Call(ctx, tab, network.GetCookies, network.GetCookiesParams{URLs: []string{s.web}})
		for _, c := range jar.Cookies {
			request.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
		}
		return err
	}))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || !strings.HasPrefix(answer.Header.Get("Content-Disposition"), "attachment") {
		s.t.Errorf("the file: %d, %q, %v", answer.StatusCode, answer.Header.Get("Content-Disposition"), err)
	}
	return string(body)
}

// lookAt opens a page and says how it was answered.
func (s *stage) lookAt(path string) (status int, text string) {
	s.t.Helper()
	s.do(chromedp.Navigate(s.web + path))
	return see[int](s, `performance.getEntriesByType("navigation")[0].responseStatus`), s.text()
}

// calm waits until nothing is on its way.
func (s *stage) calm() {
	s.t.Helper()
	const underWay = `select concat_ws(', ',
		(select string_agg(format('mail %s: %s %s', id, state, reason), ', ') from ledger where state = 'stored'),
		(select string_agg(format('%s to %s: %s %s', kind, address, state, reason), ', ') from outbox where state not in ('sent', 'withheld')))`
	var left string
	defer func() {
		if left != "" {
			s.t.Logf("on their way: %s", left)
		}
	}()
	by(s.t, soon, "everything is filed and sent", func() bool {
		left = stored[string](s, underWay)
		return left == ""
	})
}

// play is a scene of the story.
func (s *stage) play(name string, scene func(t *testing.T)) {
	outer := s.t
	outer.Run(name, func(t *testing.T) {
		s.t = t
		defer func() { s.t = outer }()
		scene(t)
	})
}

// photograph keeps what the browser shows when the test fails.
func (s *stage) photograph() {
	if !s.t.Failed() {
		return
	}
	ctx, cancel := context.WithTimeout(s.ctx, 10*time.Second)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		return
	}
	file := filepath.Join(s.t.ArtifactDir(), "page.png")
	if os.WriteFile(file, picture, 0o644) == nil {
		s.t.Logf("the page is in %s", file)
	}
}

func TestStory(t *testing.T) {
	dir := reachable(t)
	s := &stage{t: t, ctx: coretest.Browser(t)}
	stop := s.raise(dir)
	t.Cleanup(s.photograph)

	// Anna writes, with a file, and is answered with a number.
	file := filepath.Join(t.TempDir(), "display.txt")
	if err := os.WriteFile(file, []byte("E-204"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.do(
		chromedp.Navigate(s.page),
		chromedp.Click(chromedp.CSS(".story .next .button")),
		chromedp.WaitVisible(chromedp.CSS("#send")),
		chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}),
		chromedp.Click(chromedp.CSS("#send")),
		chromedp.WaitVisible(chromedp.CSS(".notice")),
		chromedp.WaitVisible(chromedp.CSS("#anna-1")), // by itself
	)
	const number = "CASE-10001"
	_, confirmation := s.mail("anna", "["+number+"]", "It is case "+number)
	if len(confirmation.InReplyTo) != 1 || confirmation.Marks.AutoSubmitted != "auto-replied" || confirmation.Marks.Suppress != "All" {
		t.Errorf("R53: the confirmation answers %q, Auto-Submitted %q, suppresses %q",
			confirmation.InReplyTo, confirmation.Marks.AutoSubmitted, confirmation.Marks.Suppress)
	}

	// Mia is told. She asks Tom by a note, which never leaves the desk.
	notice, told := s.mail("mia", number, "label printer")
	mentions(t, "the first line of the notice", strings.SplitN(told.Text, "\n", 2)[0], "goes to Anna Berg (Northwind), in public")
	const note = "Has Northwind paid its ribbons?"
	s.answers(notice, replyInner, note)
	s.mail("tom", number, note)
	if s.status(number) != "open" {
		t.Errorf("a note moved the case to %s", s.status(number))
	}

	// She answers, and Anna gets the text and the status.
	s.answers(notice, reply, "#status resolved\n\nTry the other ribbon.")
	answer, got := s.mail("anna", number, "Try the other ribbon.", "The status is Resolved now")
	lacks(t, "the answer", got.Text, "#status", "goes to Anna")
	if got.Marks.AutoSubmitted != "" {
		t.Errorf("R53: a person's text says Auto-Submitted: %s", got.Marks.AutoSubmitted)
	}
	s.mail("mia", "What became of your mail", "Status: Open -> Resolved")

	// Tom's note on it reaches Mia, who owns the case now.
	tomsNotice, _ := s.mail("tom", number, note)
	s.answers(tomsNotice, reply, "They have paid.")
	s.mail("mia", number, "They have paid.")

	// Anna closes by one word, and reopens by a link whose page wants one press.
	s.answers(answer, reply, "close")
	s.becomes(number, "closed")
	_, closed := s.mail("anna", number, "has changed from Resolved to Closed")
	link := s.linkIn(closed, "/m/")
	s.do(chromedp.Navigate(link), chromedp.WaitVisible(chromedp.CSS("form button.main")))
	mentions(t, "the page of the link", s.text(), "Closed", "In progress", "Nothing happens before you press.")
	for range 2 { // as virus scanners and previews do
		if answer, err := http.Get(link); err != nil {
			t.Error(err)
		} else {
			answer.Body.Close()
		}
	}
	if status := s.status(number); status != "closed" {
		t.Errorf("R46: GET made it %s", status)
	}
	s.do(chromedp.Click(chromedp.CSS("form button.main")), chromedp.WaitVisible(chromedp.CSS(".done")))
	s.becomes(number, "in-progress")
	s.do(chromedp.Navigate(link), chromedp.WaitVisible(chromedp.CSS("main")))
	if see[bool](s, `document.querySelector("form button.main") != null`) {
		t.Errorf("R46: the link works twice: %s", s.text())
	}

	s.play("Anna sees her case and nobody's notes", func(t *testing.T) {
		s.signIn("anna", "anna@northwind.example")
		s.do(chromedp.Click(chromedp.CSS("td.number a")), chromedp.WaitVisible(chromedp.CSS(".timeline")))
		s.at("/cases/" + number)
		page := s.text()
		mentions(t, "her page", page, "label printer", "In progress", "Try the other ribbon.", "Mia Holm", "display.txt")
		lacks(t, "her page", page, note, "They have paid.")
		if content := s.download(see[string](s, `document.querySelector(".files a").href`)); content != "E-204" {
			t.Errorf("her file holds %q", content)
		}
		s.signOut()
	})

	s.play("Carla is invited by link and behind the wall", func(t *testing.T) {
		typedOK(t, s.config, "invite", "carla@fabrikam.example", "--organisation", "Fabrikam")
		_, m := s.mail("carla", "Your invitation to")
		s.do(chromedp.Navigate(s.linkIn(m, "/invitation/")), chromedp.Click(chromedp.CSS("button.main")))
		s.at("/cases")
		mentions(t, "her list", s.text(), "No open cases")
		hers, said := s.lookAt("/cases/" + number)
		none, saidOfNone := s.lookAt("/cases/CASE-99999")
		if hers != http.StatusNotFound || hers != none || said != saidOfNone {
			t.Errorf("R63: Anna's case is %d %q to her, none is %d %q", hers, said, none, saidOfNone)
		}
		s.do(chromedp.Navigate(s.web+"/cases"), chromedp.WaitVisible(chromedp.CSS("form.out")))
		s.signOut()
	})

	s.play("Bo is invited by code and sees his organisation's cases", func(t *testing.T) {
		typedOK(t, s.config, "invite", "bo@northwind.example", "--organisation", "Northwind")
		_, m := s.mail("bo", "Your invitation to")
		code := regexp.MustCompile(`(?m)^\s*([2-9A-Z]{8})\s*$`).FindStringSubmatch(m.Text)
		if code == nil {
			t.Fatalf("no code in:\n%s", m.Text)
		}
		s.do(
			chromedp.Navigate(s.web+"/invitation"),
			chromedp.SendKeys(chromedp.CSS("#address"), "bo@northwind.example"),
			chromedp.SendKeys(chromedp.CSS("#code"), code[1]),
			chromedp.Click(chromedp.CSS("button.main")),
		)
		s.at("/cases")
		s.do(chromedp.Navigate(s.web+"/cases?scope=organisation"), chromedp.WaitVisible(chromedp.CSS("form.out")))
		mentions(t, "his organisation's list", s.text(), number)
		s.signOut()
	})

	s.play("a forged Mia reaches nobody and Mia is warned", func(t *testing.T) {
		s.calm()
		before := len(s.inbox("anna"))
		s.do(
			chromedp.Navigate(s.page+"/forge"),
			chromedp.Click(chromedp.CSS("#send")),
			chromedp.WaitVisible(chromedp.CSS(".notice")),
		)
		_, warning := s.mail("mia", "A mail in your name was set aside")
		lacks(t, "the warning", warning.Text, "whole history")
		s.calm()
		if after := len(s.inbox("anna")); after != before {
			t.Errorf("Anna got %d mails of it", after-before)
		}
		if status := s.status(number); status != "in-progress" {
			t.Errorf("it made the case %s", status)
		}
	})

	s.play("Mia refuses one held mail and releases another", func(t *testing.T) {
		newsletter := "From: Carla Ross <carla@fabrikam.example>\r\nTo: support@desk.example\r\nSubject: Ribbons, cheap\r\nList-Id: <news.fabrikam.example>\r\n" +
			"Date: " + time.Now().Format(time.RFC1123Z) + "\r\nMessage-ID: <n1@fabrikam.example>\r\n\r\nBuy.\r\n"
		if err := smtp.SendMail(s.smtp, nil, "carla@fabrikam.example", []string{"support@desk.example"}, []byte(newsletter)); err != nil {
			t.Fatal(err)
		}
		s.signIn("mia", "mia@desk.example")
		by(t, soon, "both stand in the list", func() bool {
			s.do(chromedp.Navigate(s.web+"/held"), chromedp.WaitVisible(chromedp.CSS("main h1")))
			return see[int](s, `document.querySelectorAll("table.held td.title a").length`) == 2
		})
		decide := func(subject, word string) {
			t.Helper()
			s.do(chromedp.Navigate(s.web+"/held"), chromedp.WaitVisible(chromedp.CSS("table.held")))
			path := see[string](s, fmt.Sprintf(`[...document.querySelectorAll("table.held td.title a")].find(a => a.textContent.includes(%q)).href`, subject))
			s.do(chromedp.Navigate(path), chromedp.Click(chromedp.CSS(`form[action$="/`+word+`"] button`)))
			s.at("/held")
		}
		decide("everything about", "refuse")
		decide("Ribbons", "release")
		mentions(t, "the list", s.text(), "Nothing is held")
		by(t, time.Minute, "what was released opens a case", func() bool {
			return stored[int](s, `select count(*) from cases where title = 'Ribbons, cheap'`) == 1
		})
		s.mail("carla", "[CASE-10002]", "It is case CASE-10002")
		if state := stored[string](s, `select state from ledger where subject like '%everything about%'`); state != "refused" {
			t.Errorf("the refused one is %s", state)
		}
		s.do(chromedp.Navigate(s.web+"/cases"), chromedp.WaitVisible(chromedp.CSS("form.out")))
		s.signOut()
	})
	s.calm()
	s.never("anna", note, "They have paid.", "#status")
	s.never("carla", number, "label printer", "ribbon")

	s.play("a second start goes on without doubling anything", func(t *testing.T) {
		everybody := []string{"anna", "bo", "carla", "mia", "tom"}
		count := func() string {
			var b bytes.Buffer
			for _, who := range everybody {
				fmt.Fprintf(&b, "%s %d, ", who, len(s.inbox(who)))
			}
			fmt.Fprintf(&b, "%d cases, %d comments, %d notes, %d letters", stored[int](s, `select count(*) from cases`),
				stored[int](s, `select count(*) from comment`), stored[int](s, `select count(*) from note`), stored[int](s, `select count(*) from outbox`))
			return b.String()
		}
		before := count()
		rows := stored[int](s, `select count(*) from ledger`)
		numbered := stored[int64](s, `select max(uidvalidity) from ledger`)
		stop()
		s.raise(dir)
		by(t, soon, "R8: all mail is compared with the ledger, under its new numbers", func() bool {
			return stored[int](s, `select count(*) from ledger where uidvalidity > $1`, numbered) == rows
		})
		s.calm()
		if after := count(); after != before {
			t.Errorf("there were %s\nthere are %s", before, after)
		}
		s.do(
			chromedp.Navigate(s.page+"/people/bo/write"),
			chromedp.SendKeys(chromedp.CSS("#subject"), "The scanner hums"),
			chromedp.SendKeys(chromedp.CSS("#text"), "Since today."),
			chromedp.Click(chromedp.CSS("#send")),
			chromedp.WaitVisible(chromedp.CSS(".notice")),
		)
		_, m := s.mail("bo", "The scanner hums", "It is case CASE-")
		if n, _ := strconv.Atoi(regexp.MustCompile(`CASE-(\d+)`).FindStringSubmatch(m.Subject)[1]); n < 10003 {
			t.Errorf("the number %d was given before", n)
		}
		_, kept := s.lookAt("/sign-in")
		mentions(t, "the page", kept, "Sign in")
	})
}
