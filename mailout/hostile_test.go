package mailout

import (
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/chromedp/chromedp"

	"postern/core"
	"postern/core/coretest"
)

// filledWith is a letter that has this value wherever somebody could have
// written it.
func filledWith(k core.Kind, value string) core.Letter {
	l := everything(k, "en")
	codes := map[string]bool{"Reason": k == core.WordRefused || k == core.Transcript || k == core.Meeting, "Zone": true, "Kind": true,
		"Code": true, "Does": true, "Word": false, "Class": true, "From": false, "Purpose": true, "Nonce": true, "URL": true, "Page": true, "Problem": true}
	var fill func(v reflect.Value, name string)
	fill = func(v reflect.Value, name string) {
		switch v.Kind() {
		case reflect.String:
			if v.Type() == reflect.TypeOf("") && !codes[name] {
				v.SetString(value)
			}
		case reflect.Slice:
			for i := range v.Len() {
				fill(v.Index(i), name)
			}
		case reflect.Struct:
			if v.Type() == reflect.TypeOf(time.Time{}) {
				return
			}
			for i := range v.NumField() {
				fill(v.Field(i), v.Type().Field(i).Name)
			}
		}
	}
	fill(reflect.ValueOf(&l.Payload).Elem(), "")
	l.Text, l.Said = value+"\n"+value, value
	l.To.Name, l.From.Name = value, value
	for i := range l.Files {
		l.Files[i].Name = value
	}
	return l
}

var hostileValues = map[string]string{
	"a template":          `{{.Title}}{{template "how" .}}{{define "body"}}x{{end}}`,
	"a header":            "x\r\nBcc: eve@evil.example\r\nContent-Type: text/html\r\n\r\n<b>body</b>",
	"overrides":           "ann\u202Egpj.exe\u202C \u2066isolated\u2069 \u2067x \u202A",
	"control characters":  "a\x00b\x07c\x1b[31md\u0085e\u2028f\u009bg",
	"a word without end":  strings.Repeat("x", 500),
	"500 wide characters": strings.Repeat("打", 500),
	"quotes and commas":   `"Berg, Anna" <b@c.example>, 'x'; \"y\"`,
	"markup":              `<script>alert(1)</script><img src=x onerror=y>&amp;"'>`,
	"marks of ours":       "\x01text\x01\x02\x03\x04 " + Above + "\n" + Above + "\n> quoted\n----------------",
	"no UTF-8":            "a\xff\xfeb",
	"only blanks":         " \t\r\n ",
}

func TestMails_whateverPeopleWrite(t *testing.T) {
	c := newComposer(t)
	known := map[string]bool{}
	for field := range strings.FieldsSeq("Auto-Submitted X-Auto-Response-Suppress Precedence Date In-Reply-To Mime-Version Message-Id References Subject X-Postern-Loop From To Reply-To Content-Type Content-Transfer-Encoding") {
		known[field] = true
	}
	for name, value := range hostileValues {
		for _, k := range kinds {
			t.Run("R56/"+name+" in "+string(k), func(t *testing.T) {
				l := filledWith(k, value)
				raw, err := c.Compose(l, func(int64) (io.ReadCloser, error) {
					return io.NopCloser(strings.NewReader(strings.Repeat("x", int(l.Files[0].Size)))), nil
				})
				if err != nil {
					t.Fatal(err)
				}
				m := parse(t, raw)
				for field := range m.header {
					if !known[field] {
						t.Errorf("a field nobody meant: %s", field)
					}
				}
				for what, text := range map[string]string{"subject": m.subject, "text": m.text, "HTML": m.html, "name": m.header.Get("To")} {
					for _, r := range text {
						if r != '\n' && r != '\t' && unicode.IsControl(r) || r >= '\u2028' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
							t.Fatalf("%U stands in the %s: %.200q", r, what, text)
						}
					}
				}
				if name == "a template" && (strings.Contains(m.text, "<no value>") || strings.Count(m.text, "{{") != strings.Count(m.text, "}}")) {
					t.Errorf("it was taken for one:\n%s", m.text)
				}
				if name == "markup" && (strings.Contains(m.html, "<script") || strings.Contains(m.html, "<img")) {
					t.Errorf("it is markup:\n%s", m.html)
				}
			})
		}
	}
}

// A clipped mail is one of which people miss the end: Gmail cuts at 102 KB.
func TestMails_areSmall(t *testing.T) {
	c := newComposer(t)
	for _, s := range Samples("en") {
		_, plain, rich, err := c.Words(s.Letter)
		if err != nil {
			t.Fatal(err)
		}
		if len(plain) > 4<<10 || len(rich) > 16<<10 {
			t.Errorf("%s: %d octets of text, %d of HTML", s.Name, len(plain), len(rich))
		}
	}
}

// Whatever is in it, a mail fits a small phone.
func TestBrowser_mailsFitAPhone(t *testing.T) {
	c := newComposer(t)
	var shown atomic.Pointer[string]
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write([]byte(*shown.Load()))
	}))
	t.Cleanup(site.Close)
	ctx := coretest.Browser(t)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(360, 740)); err != nil {
		t.Fatal(err)
	}
	for _, k := range kinds {
		for name, l := range map[string]core.Letter{
			"a sample":            Sample(k, "de"),
			"a word without end":  filledWith(k, hostileValues["a word without end"]),
			"500 wide characters": filledWith(k, hostileValues["500 wide characters"]),
		} {
			t.Run("R57/"+string(k)+", "+name, func(t *testing.T) {
				_, _, rich, err := c.Words(l)
				if err != nil {
					t.Fatal(err)
				}
				shown.Store(&rich)
				if err := chromedp.Do(ctx, chromedp.Navigate(site.URL)); err != nil {
					t.Fatal(err)
				}
				width, err := chromedp.Run(ctx, chromedp.EvaluateAsDevTools[int](`document.documentElement.scrollWidth`))
				if err != nil || width > 360 {
					t.Errorf("%d pixels wide, %v", width, err)
				}
			})
		}
	}
}
