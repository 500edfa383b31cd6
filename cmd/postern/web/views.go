package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"postern/core"
	"postern/templates"
)

// views are the parsed pages, and the two files they name.
type views struct {
	byName    map[string]*template.Template
	style     []byte
	stylePath string // with a hash of its content: it may be kept for ever
	icon      []byte
	iconPath  string
}

// shared are the files every page is parsed with.
var shared = []string{"web/layout.html", "web/parts.html"}

// bare are pages without our layout: documents of their own.
var bare = map[string]bool{"mail": true}

func parseViews() (*views, error) {
	vs := &views{byName: map[string]*template.Template{}}
	var err error
	if vs.style, err = templates.Web.ReadFile("web/style.css"); err != nil {
		return nil, err
	}
	if vs.icon, err = templates.Web.ReadFile("web/icon.svg"); err != nil {
		return nil, err
	}
	vs.stylePath = versioned("style", ".css", vs.style)
	vs.iconPath = versioned("icon", ".svg", vs.icon)
	funcs := template.FuncMap{
		"line":  line,
		"size":  size,
		"style": func() string { return vs.stylePath },
		"icon":  func() string { return vs.iconPath },

		"picture":     isPicture,
		"filesOf":     func(c *casePage, lines []core.FileLine) shownFiles { return shownFiles{c, lines} },
		"frameRights": func() string { return frameRights },
	}
	names, err := fs.Glob(templates.Web, "web/*.html")
	if err != nil {
		return nil, err
	}
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if file == shared[0] || file == shared[1] {
			continue
		}
		t, err := template.New(name).Funcs(funcs).Option("missingkey=error").
			ParseFS(templates.Web, append(shared[:len(shared):len(shared)], file)...)
		if err != nil {
			return nil, err
		}
		vs.byName[name] = t
	}
	return vs, nil
}

func versioned(name, ext string, content []byte) string {
	sum := sha256.Sum256(content)
	return "/" + name + "." + hex.EncodeToString(sum[:6]) + ext
}

// asset serves a file whose address changes with its content.
func asset(content []byte, mediaType string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", mediaType)
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		if r.Method != http.MethodHead {
			w.Write(content)
		}
	})
}

// frame is what every page has around it.
type frame struct {
	words
	Viewer   core.Viewer
	SignedIn bool
	Nonce    string // of the page's buttons
	Here     string // which entry of the menu this page is
	zone     *time.Location
}

func (p *pages) frame(v *visit) frame {
	return frame{
		words: v.words, Viewer: v.viewer, SignedIn: v.signedIn, zone: p.zone,
		Nonce: formNonce(v.browser, v.session), Here: strings.Split(v.URL.Path+"//", "/")[1],
	}
}

// Time is an instant as people read it, in a <time>: never relative, the zone named.
func (f frame) Time(t time.Time) (template.HTML, error) {
	months, err := f.T("date.months")
	if err != nil {
		return "", err
	}
	t = t.In(f.zone)
	month := strings.Fields(months)[t.Month()-1]
	return template.HTML(fmt.Sprintf(`<time datetime="%s">%d %s %s</time>`,
		t.UTC().Format(time.RFC3339), t.Day(), template.HTMLEscapeString(month), t.Format("2006, 15:04 MST"))), nil
}

// render writes a page whole, or not at all.
func (p *pages) render(w http.ResponseWriter, status int, name string, page any) error {
	t, ok := p.views.byName[name]
	if !ok {
		return fmt.Errorf("no page %q", name)
	}
	entry := "layout"
	if bare[name] {
		entry = name
	}
	var body bytes.Buffer
	if err := t.ExecuteTemplate(&body, entry, page); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(body.Bytes()) // net/http drops it for HEAD
	return nil
}
