package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/chromedp/chromedp"
	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"
	"golang.org/x/net/html"

	"postern/core/coretest"
)

// answerDesk stands in for Postern, by IMAP and SMTP alone: it answers each
// customer's mail, and tells Mia of it with two addresses to answer to.
func answerDesk(t *testing.T, w *World) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	desk := person(t, w, "support")
	done := make(chan error, 1)
	go func() {
		for {
			err := answerOnce(ctx, desk)
			switch {
			case ctx.Err() != nil:
				done <- nil
				return
			case err != nil:
				done <- err
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the stand-in for the desk: %v", err)
		}
	})
}

func answerOnce(ctx context.Context, desk player) error {
	var arrived [][]byte
	err := desk.reading(ctx, func(c *imapclient.Client) error {
		selected, err := c.Select(inbox, nil).Wait()
		if err != nil || selected.NumMessages == 0 {
			return err
		}
		var all imap.SeqSet
		all.AddRange(1, selected.NumMessages)
		found, err := c.Fetch(all, &imap.FetchOptions{UID: true, Flags: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}}).Collect()
		if err != nil {
			return err
		}
		for _, m := range found {
			if !seen(m.Flags) {
				arrived = append(arrived, m.BodySection[0].Bytes)
			}
		}
		read := &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{imap.FlagSeen}}
		return c.Store(all, read, nil).Close()
	})
	if err != nil {
		return err
	}
	for _, raw := range arrived {
		l := readLetter(raw)
		for _, answer := range []struct{ to, replyTo, text string }{
			{l.From, "support+customertoken@desk.example", "We have your mail.\nSee http://127.0.0.1:8080/cases/CASE-10001."},
			{"mia@desk.example", "support+publictoken@desk.example", "An answer goes to the customer.\nA note: support+notetoken@desk.example."},
		} {
			raw := fmt.Appendf(nil, "From: Desk <%s>\r\nTo: %s\r\nReply-To: %s\r\nSubject: [CASE-10001] %s\r\nMessage-ID: <%d@desk.example>\r\nReferences: <first@desk.example>\r\nDate: %s\r\n\r\n%s\r\n",
				serviceAddress, answer.to, answer.replyTo, l.Subject, time.Now().UnixNano(), time.Now().Format(time.RFC1123Z), strings.ReplaceAll(answer.text, "\n", "\r\n"))
			to, _, _ := strings.Cut(answer.to[strings.LastIndex(answer.to, "<")+1:], ">")
			if err := deliver(ctx, desk.smtpAddr, sasl.NewPlainClient("", desk.Address, desk.Password), serviceAddress, []string{to}, raw); err != nil {
				return err
			}
		}
	}
	return nil
}

// get reads a page of the demo.
func get(t *testing.T, w *World, path string) (status int, text string) {
	t.Helper()
	answer, err := http.Get(strings.TrimSuffix(w.URL(), "/") + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(content)
}

// fields are a form's values by name.
func fields(t *testing.T, page string) map[string]string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for n := range root.Descendants() {
		var name, value string
		for _, a := range n.Attr {
			switch a.Key {
			case "name":
				name = a.Val
			case "value":
				value = a.Val
			}
		}
		switch {
		case n.Data == "input" && name != "":
			found[name] = value
		case n.Data == "textarea":
			if n.FirstChild != nil {
				value = n.FirstChild.Data
			}
			found[name] = value
		}
	}
	return found
}

func submitForm(t *testing.T, w *World, path string, form map[string]string, files map[string]string) (status int, where, text string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for name, value := range form {
		if name != "file" {
			if err := m.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, content := range files {
		f, err := m.CreateFormFile("file", name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Post(strings.TrimSuffix(w.URL(), "/")+path, m.FormDataContentType(), &b)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header.Get("Location"), string(content)
}

// eventually waits for a fact.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func contains(t *testing.T, page string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
}

func TestPlayingTheStory(t *testing.T) {
	w := start(t, t.TempDir())
	answerDesk(t, w)

	_, page := get(t, w, "/people/anna/write?sample=printer")
	form := fields(t, page)
	if form["to"] != serviceAddress || form["subject"] == "" {
		t.Fatalf("the sample mail is not ready to send: %v", form)
	}
	status, where, _ := submitForm(t, w, "/people/anna/write", form, map[string]string{"picture.png": "not really"})
	if status != http.StatusSeeOther || where != "/?done=sent" {
		t.Fatalf("sending gave %d to %q", status, where)
	}
	eventually(t, "a confirmation for Anna and a notice for Mia", func() bool {
		_, page := get(t, w, "/")
		return strings.Contains(page, `id="anna-1"`) && strings.Contains(page, `id="mia-1"`)
	})
	_, page = get(t, w, "/")
	contains(t, page, "[CASE-10001] The label printer stopped", "unread", "Sent (1)", `<noscript><meta http-equiv="refresh" content="5"></noscript>`)

	_, page = get(t, w, "/people/anna/folders/INBOX/1")
	contains(t, page, `<a href="http://127.0.0.1:8080/cases/CASE-10001" target="_blank" rel="noopener noreferrer">`, "support&#43;customertoken@desk.example")
	if _, overview := get(t, w, "/"); strings.Contains(overview, `<li class="unread">
    <a id="anna-1"`) {
		t.Error("an opened mail is still unread")
	}

	// Mia's answer: to Reply-To, threaded, the notice quoted
	_, page = get(t, w, "/people/mia/folders/INBOX/1")
	contains(t, page, "to=support%2Bnotetoken%40desk.example")
	_, page = get(t, w, "/people/mia/write?box=INBOX&uid=1")
	if strings.Contains(page, "http-equiv") || strings.Contains(page, "refresh.js") {
		t.Error("a page where somebody types reloads itself")
	}
	form = fields(t, page)
	if form["to"] != "support+publictoken@desk.example" {
		t.Errorf("the answer goes to %q, want Reply-To", form["to"])
	}
	if !strings.HasPrefix(form["subject"], "Re: [CASE-10001]") {
		t.Errorf("the subject is %q", form["subject"])
	}
	contains(t, form["text"], "wrote:\n\n> An answer goes to the customer.\n> A note: support+notetoken@desk.example.")
	form["text"] = "Try the other ribbon.\n" + form["text"]
	if status, _, page := submitForm(t, w, "/people/mia/write", form, nil); status != http.StatusSeeOther {
		t.Fatalf("sending gave %d:\n%s", status, page)
	}
	sent := mails(t, login(t, w, "mia@desk.example"), sentFolder)[0].BodySection[0].Bytes
	l := readLetter(sent)
	if len(l.References) != 2 || l.References[0] != "<first@desk.example>" {
		t.Errorf("References are %v", l.References)
	}
	if got := readHeader(sent); got.Get("In-Reply-To") != l.References[1] {
		t.Errorf("In-Reply-To is %q, References %v", got.Get("In-Reply-To"), l.References)
	}
	if !strings.HasPrefix(l.Text, "Try the other ribbon.\n\n\nOn ") {
		t.Errorf("the text is %q", l.Text)
	}

	// the note
	_, page = get(t, w, "/people/mia/write?box=INBOX&uid=1&to=support%2Bnotetoken%40desk.example")
	if to := fields(t, page)["to"]; to != "support+notetoken@desk.example" {
		t.Errorf("the note goes to %q", to)
	}

	// what arrived is signed and carries the file
	arrived := mails(t, login(t, w, serviceAddress), inbox)[0].BodySection[0].Bytes
	if v := verified(t, w, arrived); len(v) != 1 || v[0].Err != nil {
		t.Errorf("signatures: %+v", v)
	}
	_, page = get(t, w, "/people/support/folders/INBOX/1")
	contains(t, page, "picture.png")
	if status, content := get(t, w, "/people/support/folders/INBOX/1/files/0"); status != http.StatusOK || content != "not really" {
		t.Errorf("the file: %d %q", status, content)
	}
}

func TestHostileMailIsOnlyText(t *testing.T) {
	w := start(t, t.TempDir())
	const attack = `<script>alert(1)</script><img src=x onerror=alert(2)>`
	raws := []string{
		"From: \"" + attack + "\" <x@y.example>\r\nSubject: " + attack + "\r\nReply-To: " + attack + "\r\n\r\n" + attack + " http://x.example/\"onmouseover=alert(3) javascript:alert(4)\r\n",
		"From: x@y.example\r\nSubject: html\r\nContent-Type: text/html\r\n\r\n<style>p{}</style><p>Hello &lt;script&gt;</p><a href=\"javascript:alert(5)\">press</a><script>alert(6)</script>\r\n",
		"From: x@y.example\r\nSubject: file\r\nContent-Type: application/pdf; name=\"" + `<b>\"a.pdf` + "\"\r\n\r\nx\r\n",
		"From: x@y.example\r\nSubject: =?utf-8?q?turned_=E2=80=AEaround?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: nonsense\r\n\r\nstill shown\r\n",
	}
	for _, raw := range raws {
		if err := submit(t, w, "", "x@y.example", "anna@northwind.example", []byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	for n := range raws {
		for _, path := range []string{"/", "/people/anna/folders/INBOX", fmt.Sprintf("/people/anna/folders/INBOX/%d", n+1), fmt.Sprintf("/people/anna/write?box=INBOX&uid=%d", n+1)} {
			status, page := get(t, w, path)
			if status != http.StatusOK {
				t.Errorf("%s: %d", path, status)
			}
			root, err := html.Parse(strings.NewReader(page))
			if err != nil {
				t.Fatal(err)
			}
			for node := range root.Descendants() {
				for _, a := range node.Attr {
					if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(strings.ToLower(a.Val), "javascript:") {
						t.Errorf("%s: %s=%q lives", path, a.Key, a.Val)
					}
					if node.Data == "script" && a.Key == "src" && a.Val != "/refresh.js" || node.Data == "img" && a.Key == "src" && a.Val != "/icon.svg" {
						t.Errorf("%s: <%s src=%q>", path, node.Data, a.Val)
					}
				}
				if node.Data == "script" && node.FirstChild != nil {
					t.Errorf("%s: a script of a mail: %s", path, node.FirstChild.Data)
				}
			}
		}
	}
	_, page := get(t, w, "/people/anna/folders/INBOX/4")
	contains(t, page, "still shown", "turned around")

	answer, err := http.Get(w.URL())
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if policy := answer.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %q", policy)
	}
}

func TestPagesSayWhatIsWrong(t *testing.T) {
	w := start(t, t.TempDir())
	for _, path := range []string{"/nothing", "/people/zoe/folders/INBOX", "/people/anna/folders/Nowhere", "/people/anna/folders/INBOX/7", "/people/anna/folders/INBOX/x", "/people/support/write", "/people/anna/write?box=INBOX&uid=9"} {
		if status, page := get(t, w, path); status != http.StatusNotFound || !strings.Contains(page, "That did not work") {
			t.Errorf("%s: %d", path, status)
		}
	}
	form := map[string]string{"to": "nobody@desk.example", "subject": "kept", "text": "kept too"}
	status, _, page := submitForm(t, w, "/people/anna/write", form, nil)
	if status != http.StatusUnprocessableEntity {
		t.Errorf("an unknown address gave %d", status)
	}
	contains(t, page, "550", "kept", "kept too")
	form["to"] = "not an address"
	_, _, page = submitForm(t, w, "/people/anna/write", form, nil)
	contains(t, page, "is no address to write to")

	// another site's form does not send mail
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.URL()+"people/anna/write", strings.NewReader(url.Values{"to": {serviceAddress}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden {
		t.Errorf("another site's form gave %d", answer.StatusCode)
	}
}

func TestForgedMailGoesOutUnsigned(t *testing.T) {
	w := start(t, t.TempDir())
	_, page := get(t, w, "/forge")
	form := fields(t, page)
	form["as"] = "mia"
	if status, _, page := submitForm(t, w, "/forge", form, nil); status != http.StatusSeeOther {
		t.Fatalf("forging gave %d:\n%s", status, page)
	}
	got := mails(t, login(t, w, serviceAddress), inbox)[0].BodySection[0].Bytes
	if l := readLetter(got); !strings.Contains(l.From, "mia@desk.example") || bytes.Contains(got, []byte("DKIM-Signature")) {
		t.Errorf("want Mia's name and no signature:\n%s", got)
	}
}

func TestMailtoLinksFillTheForm(t *testing.T) {
	w := start(t, t.TempDir())
	link := "mailto:support+token@desk.example?subject=Re%3A%20x&body=close"
	_, page := get(t, w, "/people/anna/write?mailto="+url.QueryEscape(link))
	form := fields(t, page)
	if form["to"] != "support+token@desk.example" || form["subject"] != "Re: x" || form["text"] != "close" {
		t.Errorf("the form holds %v", form)
	}
	pieces := blocks("press "+link+".", cast[0])[0].Pieces
	if len(pieces) != 3 || !pieces[1].Mail || pieces[1].Link != "/people/anna/write?mailto="+url.QueryEscape(link) {
		t.Errorf("pieces: %+v", pieces)
	}
}

func FuzzReadLetter(f *testing.F) {
	f.Add([]byte("From: a@b.example\r\nSubject: =?utf-8?q?x=00?=\r\n\r\ntext http://x.example/.\r\n> quoted\r\n"))
	f.Add([]byte("no colon\r\n folded\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<a href=x>y</a><script>\r\n--b--"))
	f.Add([]byte("Content-Type: text/plain; charset=nonsense\r\nContent-Transfer-Encoding: base64\r\n\r\n////"))
	f.Add([]byte(strings.Repeat("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n", 40)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l := readLetter(raw)
		for _, shown := range []string{l.From, l.To, l.Subject, l.Text} {
			if !utf8.ValidString(shown) || strings.ContainsRune(shown, 0) {
				t.Errorf("shown: %q", shown)
			}
		}
		var again strings.Builder
		for _, b := range blocks(l.Text, cast[0]) {
			for _, p := range b.Pieces {
				again.WriteString(p.Text)
			}
		}
		if got, want := strings.TrimSpace(again.String()), strings.TrimSpace(l.Text); got != want {
			t.Errorf("the page would show %q of %q", got, want)
		}
		d := reply(l)
		d.To = serviceAddress
		answer, _, err := d.compose(cast[0])
		if err != nil {
			t.Fatalf("the answer cannot be written: %v", err)
		}
		head, _, _ := strings.Cut(string(answer), "\r\n\r\n")
		if h := readHeader(answer); len(h.Values("From")) != 1 || len(h.Values("To")) != 1 || len(h.Values("Bcc")) != 0 {
			t.Errorf("a hostile mail changed the answer's header:\n%s", head)
		}
	})
}

func TestPlayingInABrowser(t *testing.T) {
	browser := coretest.Browser(t)
	w := start(t, t.TempDir())
	answerDesk(t, w)
	ctx, cancel := context.WithTimeout(browser, time.Minute)
	defer cancel()

	do := func(steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, steps...); err != nil {
			t.Fatal(err)
		}
	}
	do(
		chromedp.Navigate(w.URL()),
		chromedp.Click(chromedp.CSS(".story .next .button")),
		chromedp.WaitVisible(chromedp.CSS("#send")),
		chromedp.Click(chromedp.CSS("#send")),
		chromedp.WaitVisible(chromedp.CSS(".notice")),
		// the script brings the confirmation without a reload
		chromedp.WaitVisible(chromedp.CSS("#anna-1")),
		chromedp.Click(chromedp.CSS("#mia-1")),
		chromedp.WaitVisible(chromedp.CSS("#reply")),
		chromedp.Click(chromedp.CSS("#reply")),
		chromedp.WaitVisible(chromedp.CSS("#text")),
		// the cursor waits above the quoted notice, as in a mail client
		chromedp.SendKeys(chromedp.CSS("#text"), "Try the other ribbon."),
		chromedp.Click(chromedp.CSS("#send")),
		chromedp.WaitVisible(chromedp.CSS(".notice")),
	)
	sent := readLetter(mails(t, login(t, w, "mia@desk.example"), sentFolder)[0].BodySection[0].Bytes)
	if !strings.HasPrefix(sent.Text, "Try the other ribbon.\n\nOn ") || !strings.Contains(sent.To, "support+publictoken@") {
		t.Errorf("Mia's answer to %s:\n%s", sent.To, sent.Text)
	}
	wide, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > document.documentElement.clientWidth`))
	if err != nil || wide {
		t.Errorf("the page is wider than the window: %v, %v", wide, err)
	}
}

// Whatever the page suggests can be pressed.
func TestOverview_everySuggestionLeadsSomewhere(t *testing.T) {
	w := start(t, t.TempDir())
	_, overview := get(t, w, "/")
	for _, d := range days {
		contains(t, overview, d.Title)
		for _, a := range d.Acts {
			if a.Link == "" {
				continue
			}
			t.Run(d.ID+"/"+a.Press, func(t *testing.T) {
				contains(t, overview, `<a href="`+a.Link+`">`+a.Press+`</a>`)
				status, page := get(t, w, a.Link)
				if status != http.StatusOK {
					t.Fatalf("%s: %d", a.Link, status)
				}
				if _, name, is := strings.Cut(a.Link, "sample="); is {
					if form := fields(t, page); form["to"] != samples[name].To || form["text"] != samples[name].Text {
						t.Errorf("the mail is not written: %v", form)
					}
				}
			})
		}
	}
}
