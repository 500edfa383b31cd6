package web

import (
	"fmt"
	"iter"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"postern/core"
)

func TestCases_askedFor(t *testing.T) {
	for _, c := range []struct {
		name, session, query string
		want                 core.CaseQuery
	}{
		{"a customer's own first", "customer", "", core.CaseQuery{Scope: "mine"}},
		{"an agent's desk first", "agent", "", core.CaseQuery{Scope: "desk"}},
		{"the organisation's, closed ones too", "customer", "?scope=organisation&closed=yes&search=+10001+", core.CaseQuery{Scope: "organisation", Closed: true, Search: "10001"}},
		{"R63/the desk's list is not a customer's", "customer", "?scope=desk", core.CaseQuery{Scope: "mine"}},
		{"the next page", "agent", "?scope=mine&before=abc", core.CaseQuery{Scope: "mine", Before: "abc"}},
		{"a search of any length", "agent", "?search=" + strings.Repeat("x", 5000), core.CaseQuery{Scope: "desk", Search: strings.Repeat("x", 200)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			desk := newFakeDesk()
			visitSite(t, newSite(t, desk, nil), c.session).get("/cases"+c.query).wants(t, http.StatusOK)
			if desk.asked != c.want {
				t.Errorf("asked %+v", desk.asked)
			}
		})
	}
	t.Run("leads on and back", func(t *testing.T) {
		desk := newFakeDesk()
		desk.page.Next = "n=1&x"
		got := visitSite(t, newSite(t, desk, nil), "customer").get("/cases?search=a%26b&before=p")
		for _, want := range []string{"/cases?before=n%3D1%26x&amp;scope=mine&amp;search=a%26b", `href="/cases?scope=mine&amp;search=a%26b"`} {
			if !strings.Contains(strings.ReplaceAll(got.body, "&search=", "&amp;search="), want) {
				t.Errorf("no %s", want)
			}
		}
	})
}

func TestCase_page(t *testing.T) {
	desk := newFakeDesk()
	desk.view.Entries = append(desk.view.Entries, core.Entry{ID: 9, Kind: "note", At: noon, Author: "Linus", Side: "desk", Text: "Known fault."})
	site := newSite(t, desk, nil)
	page := visitSite(t, site, "agent").get("/cases/CASE-10001").wants(t, http.StatusOK).body
	t.Run("the description comes first", func(t *testing.T) {
		if strings.Index(page, "It does not scan.") > strings.Index(page, "Case opened") {
			t.Error("it does not")
		}
	})
	t.Run("R40/a note says that it is one", func(t *testing.T) {
		note := page[strings.Index(page, `id="note-9"`):]
		if !strings.Contains(note, "Internal note") || !strings.Contains(note, "Only the desk sees this.") {
			t.Error(note)
		}
	})
	t.Run("the sides differ in words, not only in colour", func(t *testing.T) {
		if !strings.Contains(page, "Customer Service\n</span>") && !strings.Contains(page, "Customer Service</span>") || !strings.Contains(page, "Customer</span>") {
			t.Error("no word for a side")
		}
	})
	t.Run("what the status means", func(t *testing.T) {
		if !strings.Contains(page, "We are working on your case.") {
			t.Error("not said")
		}
	})
	t.Run("a press moves the case", func(t *testing.T) {
		v := visitSite(t, site, "customer")
		desk.changesMade()
		got := v.post("/cases/CASE-10001/move", v.nonce("/cases/CASE-10001"), "to", "closed").wants(t, http.StatusSeeOther)
		if got.Header.Get("Location") != "/cases/CASE-10001" || !slices.Equal(desk.changesMade(), []string{"MoveCase"}) {
			t.Errorf("%v", got.Header)
		}
	})
	t.Run("R38/a press adds who is proposed, and whom the case is about", func(t *testing.T) {
		desk.view.Proposed = []core.PersonLine{{Address: "zed@supplier.example", Name: "Zed"}}
		desk.view.About = &core.AboutLine{Number: "CASE-10002", PersonLine: core.PersonLine{Address: "eve@evil.example"}}
		v := visitSite(t, site, "agent")
		page := v.get("/cases/CASE-10001").wants(t, http.StatusOK).body
		for _, want := range []string{"Add zed@supplier.example</button>", `action="/cases/CASE-10001/participants"`,
			"Add eve@evil.example to CASE-10002</button>", `action="/cases/CASE-10002/participants"`, "never the history"} {
			if !strings.Contains(page, want) {
				t.Errorf("no %s", want)
			}
		}
		desk.changesMade()
		got := v.post("/cases/CASE-10001/participants", v.nonce("/cases/CASE-10001"), "address", "zed@supplier.example").wants(t, http.StatusSeeOther)
		if got.Header.Get("Location") != "/cases/CASE-10001" || !slices.Equal(desk.changesMade(), []string{"AddParticipant zed@supplier.example"}) {
			t.Errorf("%v", got.Header)
		}
		v.post("/cases/CASE-10001/participants", "", "address", "zed@supplier.example").wants(t, http.StatusForbidden)
		c := visitSite(t, site, "customer")
		c.post("/cases/CASE-10001/participants", c.nonce("/cases/CASE-10001"), "address", "zed@supplier.example").wants(t, http.StatusForbidden)
		if made := desk.changesMade(); len(made) > 0 {
			t.Errorf("%v", made)
		}
	})
	t.Run("R37/cases beside it are a press away", func(t *testing.T) {
		desk.view.GoesOn, desk.view.MergedFrom, desk.view.Linked = "CASE-10002", []string{"CASE-10003"}, []string{"CASE-10004"}
		desk.view.Entries = append(desk.view.Entries, core.Entry{ID: 77, Kind: "event", Event: "split", Became: "CASE-10005", At: noon})
		page := visitSite(t, site, "agent").get("/cases/CASE-10001").wants(t, http.StatusOK).body
		for _, want := range []string{`Goes on as</dt><dd><a href="/cases/CASE-10002">`, `Goes on here</dt><dd><a href="/cases/CASE-10003">`,
			`Linked to</dt><dd><a href="/cases/CASE-10004">`, `A comment became:</span> <a href="/cases/CASE-10005">`} {
			if !strings.Contains(page, want) {
				t.Errorf("no %s", want)
			}
		}
	})
	t.Run("a press that comes too late", func(t *testing.T) {
		v := visitSite(t, site, "customer")
		desk.fail["MoveCase"] = core.ErrNotAllowed
		v.post("/cases/CASE-10001/move", v.nonce("/cases/CASE-10001"), "to", "closed").wants(t, http.StatusConflict)
	})
}

// hostile is text that tries to be more than text.
const hostile = `"><script>document.title='owned'</script><img src=x onerror=alert(1)>'` + "\u202Egnp.exe\u2066\u2028\x07{{.}}{desk}"

// hostileDesk holds hostile text wherever somebody outside can put some.
func hostileDesk() *fakeDesk {
	desk := newFakeDesk()
	h := hostile
	line := core.CaseLine{Number: "CASE-10001", Title: h, Status: h, Class: h, YourTurn: true, Requester: h, Company: h, Owner: h, Opened: noon, Changed: noon}
	files := []core.FileLine{{ID: 5, Name: h, Type: h, Size: 3, Internal: true}, {ID: 6, Name: "a.png", Type: "image/png"}}
	desk.page = core.CasePage{Cases: []core.CaseLine{line}, Next: h}
	desk.view = core.CaseView{CaseLine: line, Desk: h, Means: h, Priority: h, Type: h, Files: files,
		Moves:    []core.CaseMove{{To: h, Label: h, Word: h}, {To: h, Label: h}},
		Proposed: []core.PersonLine{{Address: h, Name: h}}, About: &core.AboutLine{Number: h, PersonLine: core.PersonLine{Address: h, Name: h}}}
	for i, kind := range []string{"description", "comment", "note", "event", h} {
		desk.view.Entries = append(desk.view.Entries, core.Entry{ID: int64(i), Kind: kind, At: noon, Author: h, Side: h, Text: h, Rest: h,
			HasHTML: true, Marks: []string{h}, Files: files, Event: h, Was: h, Became: h, Why: h})
	}
	for key, v := range desk.viewers {
		v.Name, v.Address = h, h
		desk.viewers[key] = v
	}
	desk.move = core.MoveLink{Number: h, Title: h, Now: h, To: h, Class: h}
	desk.question = core.QuestionView{Address: h, Items: []core.QuestionItem{{Ledger: 1, Waiting: core.Waiting{Number: h, Title: h, Text: h, At: noon}}}}
	desk.heldView = core.HeldView{HeldLine: core.HeldLine{Ledger: 9, State: core.State(h), Reason: h, From: h, Subject: h, Class: h, Assurance: h},
		Mailbox: h, Trace: []core.Step{{Rule: h, Says: h}}, Raw: []byte(h)}
	desk.held = []core.HeldLine{desk.heldView.HeldLine}
	return desk
}

// shownLines are the texts of a page, but for what people wrote in their mails:
// there a direction mark is the writer's own, and ends with the line it stands in.
func shownLines(t *testing.T, page string) iter.Seq[string] {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(string) bool) {
		for n := range root.Descendants() {
			written := n.Parent != nil && slices.Contains(n.Parent.Attr, html.Attribute{Key: "class", Val: "text"})
			if n.Type == html.TextNode && !written && !yield(n.Data) {
				return
			}
			for _, a := range n.Attr {
				if (a.Key == "title" || a.Key == "aria-label" || a.Key == "alt") && !yield(a.Val) {
					return
				}
			}
		}
	}
}

func TestPages_escapeEverything(t *testing.T) {
	site := newSite(t, hostileDesk(), nil)
	for _, r := range (&pages{}).routes() {
		if isPost(r) || strings.Contains(r.pattern, "/files/") || strings.Contains(r.pattern, "/inline") {
			continue
		}
		for _, who := range []string{"", "customer", "agent"} {
			t.Run(fmt.Sprintf("R21/%s as %q", pathOf(r.pattern), who), func(t *testing.T) {
				page := visitSite(t, site, who).get(pathOf(r.pattern)).body
				if strings.Contains(page, "<script") || strings.Contains(page, "<img src=x") {
					t.Errorf("it is markup: %s", page)
				}
				for text := range shownLines(t, page) {
					if strings.ContainsAny(text, "\u202E\u2066\x07") {
						t.Errorf("shown as it came: %q", text)
					}
				}
			})
		}
	}
	t.Run("R21/a hostile query", func(t *testing.T) {
		got := visitSite(t, newSite(t, newFakeDesk(), nil), "customer").get("/cases?search=%22%3E%3Cscript%3Ealert(1)%3C/script%3E%E2%80%AE")
		if strings.Contains(got.body, "<script") || strings.Contains(got.body, "\u202E") {
			t.Error(got.body)
		}
	})
	t.Run("the source of a mail shows what does not print", func(t *testing.T) {
		if got := source([]byte("a\r\nb\xff\x00\u202e\uFFFD")); got != "a\nb\\xff\\u0000\\u202e\uFFFD" {
			t.Errorf("%q", got)
		}
	})
}

// png is the smallest picture there is.
var png = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xfc\xcf\xc0P\x0f\x00\x04\x85\x01\x80\x84\xa9\x8c!\x00\x00\x00\x00IEND\xaeB`\x82")

func TestFiles_headers(t *testing.T) {
	const kept, shown = "/cases/CASE-10001/files/5", "/cases/CASE-10001/files/5?view"
	const inMail = "/cases/CASE-10001/comment/2/inline?cid=logo%40x"
	for _, c := range []struct {
		name, path, fileName, fileType, content string
		disposition, mediaType                  string
	}{
		{"a document is kept as what it is", kept, "a.pdf", "application/pdf", "%PDF-1.4", "attachment", "application/pdf"},
		{"a page is octets", kept, "a.html", "text/html", "<html><script>", "attachment", "application/octet-stream"},
		{"svg is octets", shown, "a.svg", "image/svg+xml", "<svg onload=alert(1)>", "attachment", "application/octet-stream"},
		{"a picture is kept", kept, "a.png", "image/png", string(png), "attachment", "image/png"},
		{"a picture is shown if asked", shown, "a.png", "image/png", string(png), "inline", "image/png"},
		{"a picture without its type", shown, "a.png", "application/octet-stream", string(png), "inline", "image/png"},
		{"a page that says it is a picture", shown, "a.png", "image/png", "<html><script>alert(1)</script>", "attachment", "application/octet-stream"},
		{"a picture in a mail", inMail, "a.png", "image/png", string(png), "inline", "image/png"},
		{"a page as a picture in a mail", inMail, "a.png", "image/png", "<html>", "attachment", "application/octet-stream"},
		{"an empty file", shown, "a.png", "image/png", "", "attachment", "application/octet-stream"},
	} {
		t.Run("R24/"+c.name, func(t *testing.T) {
			desk := newFakeDesk()
			desk.fileName, desk.fileType, desk.content = c.fileName, c.fileType, []byte(c.content)
			got := visitSite(t, newSite(t, desk, nil), "customer").get(c.path).wants(t, http.StatusOK)
			disposition, params, err := mime.ParseMediaType(got.Header.Get("Content-Disposition"))
			if err != nil || disposition != c.disposition || params["filename"] != c.fileName {
				t.Errorf("disposition %q", got.Header.Get("Content-Disposition"))
			}
			if got.Header.Get("Content-Type") != c.mediaType || got.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%v", got.Header)
			}
			if !strings.HasPrefix(got.Header.Get("Content-Security-Policy"), "sandbox;") {
				t.Error("not sandboxed")
			}
			if got.body != c.content || got.Header.Get("Content-Length") != strconv.Itoa(len(c.content)) {
				t.Errorf("%d bytes", len(got.body))
			}
		})
	}
	for given, want := range map[string]string{
		"../../etc/passwd": ".._.._etc_passwd", `C:\x\y.doc`: "C:_x_y.doc", "": "file", "..": "file", "a\r\nb\u202Efdp.exe": "a  bfdp.exe",
		"Übersicht – 日本.pdf": "Übersicht – 日本.pdf",
	} {
		t.Run("R22/"+strconv.Quote(given), func(t *testing.T) {
			desk := newFakeDesk()
			desk.fileName = given
			got := visitSite(t, newSite(t, desk, nil), "customer").get(kept)
			if _, params, err := mime.ParseMediaType(got.Header.Get("Content-Disposition")); err != nil || params["filename"] != want {
				t.Errorf("it is %q, %v", params["filename"], err)
			}
		})
	}
}

func TestEntryHTML_document(t *testing.T) {
	desk := newFakeDesk()
	desk.html = `</div></div><p>Hi<b>there<img src="cid:logo%40x" onerror="1"><img src="https://t.example/p.gif"><img src="http://t.example/q.gif"><img src="/sign-out"><img alt=x></p>`
	v := visitSite(t, newSite(t, desk, nil), "customer")
	got := v.get("/cases/CASE-10001/comment/2/html").wants(t, http.StatusOK)
	t.Run("R23/its own policy", func(t *testing.T) {
		want := "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; img-src 'self'"
		if h := got.Header.Get("Content-Security-Policy"); h != want {
			t.Errorf("%q", h)
		}
	})
	t.Run("R23/pictures are the mail's own or none", func(t *testing.T) {
		if !strings.Contains(got.body, `src="/cases/CASE-10001/comment/2/inline?cid=logo%40x"`) {
			t.Error("its own picture has no address")
		}
		for _, bad := range []string{"t.example", `src="/sign-out"`} {
			if strings.Contains(got.body, bad) {
				t.Errorf("%s is still there", bad)
			}
		}
	})
	t.Run("R23/pictures from elsewhere after a click", func(t *testing.T) {
		if !strings.Contains(got.body, "/cases/CASE-10001/comment/2/html?remote") {
			t.Fatal("no way to see them")
		}
		all := v.get("/cases/CASE-10001/comment/2/html?remote").wants(t, http.StatusOK)
		if !strings.Contains(all.body, "https://t.example/p.gif") || strings.Contains(all.body, "http://t.example") ||
			!strings.HasSuffix(all.Header.Get("Content-Security-Policy"), "img-src 'self' https:") || all.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%v\n%s", all.Header, all.body)
		}
	})
	t.Run("R23/its tags are balanced", func(t *testing.T) {
		if strings.Contains(got.body, "</div>") || !strings.Contains(got.body, "</b></p>") {
			t.Error(got.body)
		}
	})
	t.Run("R18/too deep is not shown", func(t *testing.T) {
		desk.html = strings.Repeat("<div>", 2000)
		v.get("/cases/CASE-10001/comment/2/html").wants(t, http.StatusNotFound)
	})
}

func TestQuestion_struckOut(t *testing.T) {
	desk := newFakeDesk()
	v := visitSite(t, newSite(t, desk, nil), "")
	v.post("/q/good", v.nonce("/q/good"), "struck", "7", "struck", "8").wants(t, http.StatusOK)
	if !slices.Equal(desk.struck, []int64{7, 8}) {
		t.Errorf("struck %v", desk.struck)
	}
	desk.changesMade()
	v.post("/q/good", v.nonce("/q/good"), "struck", "x").wants(t, http.StatusBadRequest)
	if made := desk.changesMade(); len(made) > 0 {
		t.Errorf("%v was called", made)
	}
}
