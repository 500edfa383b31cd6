package web

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"postern/core"
)

// harmless are the types a download may keep (R24); all others are octets.
var harmless = map[string]bool{
	"application/pdf": true, "application/zip": true, "text/plain": true, "text/csv": true,
	"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true,
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   true,
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         true,
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": true,
	"application/vnd.oasis.opendocument.text":                                   true,
	"application/vnd.oasis.opendocument.spreadsheet":                            true,
}

// pictures may be shown in a page, if their content says that they are.
var pictures = map[string]bool{"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true}

// file gives a file of a case: to keep or, with ?view, to look at.
func (p *pages) file(w http.ResponseWriter, v *visit) error {
	id, err := number(v, "id")
	if err != nil {
		return err
	}
	f, content, err := p.desk.File(v.Context(), v.viewer, v.PathValue("number"), id)
	if err != nil {
		return err
	}
	return p.send(w, v, f, content, v.URL.Query().Has("view"))
}

// inlineFile gives a picture that stands inside a formatted text.
func (p *pages) inlineFile(w http.ResponseWriter, v *visit) error {
	id, err := number(v, "id")
	if err != nil {
		return err
	}
	contentID := v.URL.Query().Get("cid")
	if contentID == "" {
		return core.ErrNotFound
	}
	f, content, err := p.desk.InlineFile(v.Context(), v.viewer, v.PathValue("number"), v.PathValue("kind"), id, contentID)
	if err != nil {
		return err
	}
	return p.send(w, v, f, content, true)
}

// send writes a file as an attachment, or inline if that is wanted and it is a
// picture by its content, whatever it says it is (R24).
func (p *pages) send(w http.ResponseWriter, v *visit, f core.FileLine, content io.ReadCloser, inline bool) error {
	defer content.Close()
	head := make([]byte, 512) // all that http.DetectContentType looks at
	n, err := io.ReadFull(content, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return fmt.Errorf("file %d: %w", f.ID, err)
	}
	head = head[:n]
	found := http.DetectContentType(head)
	mediaType, disposition := "application/octet-stream", "attachment"
	switch {
	case pictures[found]:
		mediaType = found
		if inline {
			disposition = "inline"
		}
	case harmless[f.Type] && !pictures[f.Type]:
		mediaType = f.Type
	}
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": fileName(f.Name)}))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; img-src 'self'; frame-ancestors 'none'")
	h.Set("Content-Length", strconv.FormatInt(f.Size, 10))
	if v.Method == http.MethodHead {
		return nil
	}
	if _, err := io.Copy(w, io.MultiReader(bytes.NewReader(head), content)); err != nil {
		if v.Context().Err() == nil {
			p.log.Warn("file not sent whole", "request", v.id, "file", f.ID, "err", err)
		}
		panic(http.ErrAbortHandler) // else half a file looks whole
	}
	return nil
}

// fileName is a label that cannot be taken for a path (R22).
func fileName(name string) string {
	name = strings.NewReplacer("/", "_", `\`, "_").Replace(line(name))
	if strings.Trim(name, ". ") == "" {
		return "file"
	}
	return cut(name, 150)
}

// mailPage is a formatted text as a document of its own.
type mailPage struct {
	words
	HTML   template.HTML
	Remote int    // pictures from elsewhere that are not shown
	Show   string // address of this page with them
}

// What a formatted text may do in its frame: nothing but be read, and open
// links in a new tab. allow-same-origin is there for the cookie: without it the
// frame is a stranger to us and its own pictures are refused. It lets nothing
// run: that would take allow-scripts.
const (
	frameRights = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"
	framePolicy = "sandbox " + frameRights + "; default-src 'none'; style-src 'unsafe-inline'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'self'; img-src 'self'"
)

// entryHTML gives a text as its sender formatted it. What is in it was cleaned
// when it was filed; here its pictures get our addresses, and its tags are
// balanced.
func (p *pages) entryHTML(w http.ResponseWriter, v *visit) error {
	id, err := number(v, "id")
	if err != nil {
		return err
	}
	cleaned, err := p.desk.EntryHTML(v.Context(), v.viewer, v.PathValue("number"), v.PathValue("kind"), id)
	if err != nil {
		return err
	}
	here := casePath(v.PathValue("number")) + "/" + url.PathEscape(v.PathValue("kind")) + "/" + strconv.FormatInt(id, 10)
	remote := v.URL.Query().Has("remote")
	body, left, err := rewrite(cleaned, here+"/inline", remote)
	if err != nil {
		return core.ErrNotFound // over 512 open elements: the text is on the case's page
	}
	h := w.Header()
	h.Set("Content-Security-Policy", framePolicy)
	if remote {
		h.Set("Content-Security-Policy", framePolicy+" https:")
	}
	h.Del("X-Frame-Options") // ours to frame: frame-ancestors 'self'
	return p.render(w, http.StatusOK, "mail", mailPage{v.words, template.HTML(body), left, here + "/html?remote"})
}

// rewrite balances the tags of cleaned HTML and gives its pictures addresses of
// ours. Pictures from elsewhere go, and are counted, unless a reader asked for
// them (R23).
func rewrite(cleaned, inline string, remote bool) (body string, left int, err error) {
	nodes, err := html.ParseFragment(strings.NewReader(cleaned),
		&html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		return "", 0, err
	}
	var b strings.Builder
	for _, n := range nodes {
		for d := range n.Descendants() {
			left += relocate(d, inline, remote)
		}
		left += relocate(n, inline, remote)
		if err := html.Render(&b, n); err != nil {
			return "", 0, err
		}
	}
	return b.String(), left, nil
}

// remoteSource is where the cleaner put the address of a picture elsewhere
// (R23): nothing is fetched from there until a reader asks for it.
const remoteSource = "data-src"

// relocate gives one picture its address; 1 if it lost one.
func relocate(n *html.Node, inline string, remote bool) (lost int) {
	if n.Type != html.ElementNode || n.DataAtom != atom.Img {
		return 0
	}
	kept := n.Attr[:0]
	for _, a := range n.Attr {
		if a.Key == "src" || a.Key == remoteSource {
			scheme, rest, _ := strings.Cut(a.Val, ":")
			away := strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http")
			switch {
			case strings.EqualFold(scheme, "cid"):
				if id, err := url.PathUnescape(rest); err == nil {
					rest = id
				}
				a.Val = inline + "?cid=" + url.QueryEscape(rest)
			case remote && strings.EqualFold(scheme, "https"):
				a.Key = "src"
			case away:
				lost++
				continue
			default:
				continue
			}
		}
		if a.Key != "srcset" {
			kept = append(kept, a)
		}
	}
	n.Attr = kept
	return lost
}

// number reads an id of a path; what is none is not found.
func number(v *visit, name string) (int64, error) {
	n, err := strconv.ParseInt(v.PathValue(name), 10, 64)
	if err != nil || n < 0 || v.PathValue(name) != strconv.FormatInt(n, 10) {
		return 0, core.ErrNotFound
	}
	return n, nil
}

// isPicture says whether a file is worth a link to look at it; its content is
// checked when it is sent.
func isPicture(f core.FileLine) bool {
	return pictures[f.Type] || f.Type == "application/octet-stream" && pictures[mime.TypeByExtension(path.Ext(f.Name))]
}
