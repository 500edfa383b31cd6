package main

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"postern/core"
)

// Secret is a setting that must not be read by accident: however it is printed,
// logged or encoded, it shows as three stars. It holds a pointer, because
// printing by reflection stops there.
type Secret struct{ text *string }

// NewSecret hides a text.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal is the only way to the text.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

const stars = "***"

func (s Secret) String() string               { return stars }
func (s Secret) Format(f fmt.State, _ rune)   { io.WriteString(f, stars) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(stars), nil }
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(stars) }

// settingsReader looks settings up, in the environment and then in the file,
// and collects everything that is wrong with them.
type settingsReader struct {
	file   *settingsFile
	getenv func(string) string
	asked  map[string]bool // every key there is
	wrong  problems

	signIns []*signIn // by OAuth, so far
}

// environmentName is the path in upper case, joined by _.
func environmentName(path string) string {
	return "POSTERN_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(path))
}

// look finds a setting; the environment wins.
func (r *settingsReader) look(path string) (value, bool) {
	r.asked[path] = true
	if text := r.getenv(environmentName(path)); text != "" {
		return value{kind: aText, text: text}, true
	}
	v, ok := r.file.values[path]
	return v, ok
}

// complain notes a problem where the setting stands.
func (r *settingsReader) complain(path, format string, args ...any) {
	p := problem{file: r.file.name, message: fmt.Sprintf(format, args...)}
	if name := environmentName(path); r.getenv(name) != "" {
		p.file, p.name = "", name
	} else {
		p.line, p.column = r.file.place(path)
	}
	r.wrong = append(r.wrong, p)
}

// expected says what a setting is and what it should be.
func (r *settingsReader) expected(path string, v value, right string) {
	switch v.kind {
	case aText, aNumber:
		r.complain(path, "%s = %q: %s", path, v.text, right)
	default:
		r.complain(path, "%s: %s", path, right)
	}
}

func (r *settingsReader) text(path string, into *string) {
	v, ok := r.look(path)
	switch {
	case !ok:
	case v.kind != aText:
		r.expected(path, v, "must be a string in quotes")
	case strings.ContainsFunc(v.text, func(c rune) bool { return c < ' ' }):
		r.complain(path, "%s has a line break or control character in it", path)
	default:
		*into = strings.TrimSpace(v.text)
	}
}

// required is a text that must be there. what says what belongs there.
func (r *settingsReader) required(path string, into *string, what string) {
	r.text(path, into)
	if v, ok := r.look(path); *into == "" && (!ok || v.kind == aText) {
		r.complain(path, "%s is missing: %s", path, what)
	}
}

func (r *settingsReader) oneOf(path string, into *string, words ...string) {
	v, ok := r.look(path)
	if !ok {
		return
	}
	if v.kind != aText || !slices.Contains(words, v.text) {
		r.expected(path, v, "must be "+alternatives(words))
		return
	}
	*into = v.text
}

func (r *settingsReader) list(path string, into *[]string) {
	v, ok := r.look(path)
	switch {
	case !ok:
	case v.kind == aList:
		*into = v.list
	case v.kind == aText:
		*into = nil
		for item := range strings.SplitSeq(v.text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				*into = append(*into, item)
			}
		}
	default:
		r.expected(path, v, `must be a list of strings: ["...", "..."]`)
	}
}

// number reads a whole number. It is a function because methods have no type
// parameters.
func number[T int | int64](r *settingsReader, path string, into *T, low, high T) {
	v, ok := r.look(path)
	if !ok {
		return
	}
	n, err := strconv.ParseInt(v.text, 0, 64)
	if err != nil || v.kind == aText && r.getenv(environmentName(path)) == "" || T(n) < low || T(n) > high {
		r.expected(path, v, fmt.Sprintf("must be a whole number from %d to %d", low, high))
		return
	}
	*into = T(n)
}

var sizeUnits = []struct {
	suffix string
	bytes  int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"B", 1}, {"", 1}}

// size reads a number of octets: "40MiB", or a number.
func size[T int | int64](r *settingsReader, path string, into *T, low, high T) {
	v, ok := r.look(path)
	if !ok {
		return
	}
	for _, unit := range sizeUnits {
		digits, found := strings.CutSuffix(v.text, unit.suffix)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err == nil && n >= 0 && n <= int64(high)/unit.bytes && n*unit.bytes >= int64(low) {
			*into = T(n * unit.bytes)
			return
		}
		break
	}
	r.expected(path, v, fmt.Sprintf(`must be a size from %s to %s, as "512KiB" or "40MiB"`, inBytes(low), inBytes(high)))
}

func inBytes[T int | int64](n T) string {
	for _, unit := range []int{2, 1, 0} {
		if u := sizeUnits[unit]; int64(n) >= u.bytes && int64(n)%u.bytes == 0 {
			return fmt.Sprintf("%d%s", int64(n)/u.bytes, u.suffix)
		}
	}
	return fmt.Sprintf("%dB", n)
}

func (r *settingsReader) duration(path string, into *time.Duration, low, high time.Duration) {
	v, ok := r.look(path)
	if !ok {
		return
	}
	d, err := time.ParseDuration(v.text)
	if err != nil || v.kind != aText || d < low || d > high {
		r.expected(path, v, fmt.Sprintf(`must be a duration from %s to %s, as "90s", "15m" or "24h"`, short(low), short(high)))
		return
	}
	*into = d
}

// short writes 24h where String writes 24h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// windows reads budgets: "10/1h" is at most 10 in any hour.
func (r *settingsReader) windows(path string, into *[]core.Window) {
	var items []string
	if _, ok := r.look(path); !ok {
		return
	}
	before := len(r.wrong)
	r.list(path, &items)
	if len(r.wrong) > before {
		return
	}
	found := make([]core.Window, 0, len(items))
	for _, item := range items {
		count, within, _ := strings.Cut(item, "/")
		n, err1 := strconv.Atoi(strings.TrimSpace(count))
		d, err2 := time.ParseDuration(strings.TrimSpace(within))
		if err1 != nil || err2 != nil || n < 1 || d <= 0 {
			r.complain(path, `%s: %q must be a number and a duration, as "10/1h": at most 10 in any hour`, path, item)
			continue
		}
		found = append(found, core.Window{Count: n, Within: d})
	}
	*into = found
}

func (r *settingsReader) window(path string, into *core.Window) {
	list := []core.Window{*into}
	r.windows(path, &list)
	if len(list) != 1 {
		r.complain(path, `%s must be one budget, as "60/1h"`, path)
		return
	}
	*into = list[0]
}

// secret reads a secret from its key, or from the file that KEY_file or
// POSTERN_..._FILE names. Its text is in no message.
func (r *settingsReader) secret(path string, into *Secret) {
	v, here := r.look(path)
	inFile := path + "_file"
	f, there := r.look(inFile)
	switch {
	case here && there:
		r.complain(inFile, "%s and %s are both set: one of them must go", path, inFile)
	case here && v.kind != aText:
		r.complain(path, "%s must be a string in quotes", path)
	case here:
		*into = NewSecret(v.text)
	case there && f.kind != aText:
		r.expected(inFile, f, "must be the name of a file")
	case there:
		raw, err := readSmall(r.located(inFile, f.text))
		raw = bytes.TrimRight(raw, "\r\n")
		switch {
		case err != nil:
			r.complain(inFile, "%s: %v", inFile, err)
		case len(raw) == 0:
			r.complain(inFile, "%s: %s is empty: the secret must stand in it", inFile, f.text)
		default:
			*into = NewSecret(string(raw))
		}
	}
}

// readable reads the name of a file that must be there, and gives what is in it.
func (r *settingsReader) readable(path string, into *string) []byte {
	r.text(path, into)
	if *into == "" {
		return nil
	}
	*into = r.located(path, *into)
	raw, err := readSmall(*into)
	if err != nil {
		r.complain(path, "%s: %v", path, err)
		return nil
	}
	return raw
}

// authority reads a ca_file: certificates in PEM.
func (r *settingsReader) authority(path string, into *string) {
	if raw := r.readable(path, into); raw != nil && !x509.NewCertPool().AppendCertsFromPEM(raw) {
		r.complain(path, "%s: %s holds no certificate: it must be PEM, -----BEGIN CERTIFICATE-----", path, *into)
	}
}

// located is a file's name as its setting means it: one in the settings file
// is seen from that file's folder, one in the environment from ours.
func (r *settingsReader) located(path, name string) string {
	if filepath.IsAbs(name) || r.getenv(environmentName(path)) != "" {
		return name
	}
	return filepath.Join(filepath.Dir(r.file.name), name)
}

// smallFile bounds what is read for a setting.
const smallFile = 1 << 20

func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, smallFile+1))
	if err == nil && len(raw) > smallFile {
		err = fmt.Errorf("%s is larger than %s", path, inBytes(int64(smallFile)))
	}
	return raw, err
}

// addressList reads own addresses: lower case, domain in ASCII form (R30).
func (r *settingsReader) addressList(path string, into *[]string) {
	var items []string
	r.list(path, &items)
	for _, item := range items {
		address, err := plainAddress(item)
		if err != nil {
			r.complain(path, "%s: %v", path, err)
			continue
		}
		*into = append(*into, address)
	}
}

// plainAddress reads name@domain, without a display name.
func plainAddress(text string) (string, error) {
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Name != "" || strings.ContainsAny(parsed.Address, " \"\\") {
		return "", fmt.Errorf("%q is no mail address: it must look like name@example.org", text)
	}
	at := strings.LastIndexByte(parsed.Address, '@')
	domain, err := idna.Lookup.ToASCII(strings.ToLower(parsed.Address[at+1:]))
	if err != nil {
		return "", fmt.Errorf("%q is no mail address: the part after @ is no domain", text)
	}
	return strings.ToLower(parsed.Address[:at]) + "@" + domain, nil
}

func (r *settingsReader) hostPort(path, example string, into *string) {
	r.text(path, into)
	if *into == "" {
		return
	}
	_, port, err := net.SplitHostPort(*into)
	n, err2 := strconv.Atoi(port)
	if err != nil || err2 != nil || n < 0 || n > 65535 {
		r.complain(path, "%s = %q: must be an address and a port, as %q", path, *into, example)
	}
}

// unknown complains of keys in the file that no setting has.
func (r *settingsReader) unknown() {
	known := slices.Sorted(maps.Keys(r.asked))
	for _, path := range r.file.keys {
		if r.asked[path] {
			continue
		}
		if near := nearest(path, known); near != "" {
			r.complain(path, "there is no setting %s: %s is meant, perhaps", path, near)
		} else {
			r.complain(path, "there is no setting %s", path)
		}
	}
	for path := range r.file.tables {
		if top := strings.SplitN(path, ".", 2)[0]; path == top && !r.section(top, known) {
			if near := nearest(top, sections); near != "" {
				r.complain(path, "there is no section [%s]: [%s] is meant, perhaps", top, near)
			} else {
				r.complain(path, "there is no section [%s]: there are %s", top, strings.Join(sections, ", "))
			}
		}
	}
}

func (r *settingsReader) section(top string, known []string) bool {
	return slices.Contains(sections, top) ||
		slices.ContainsFunc(r.file.keys, func(k string) bool { return k == top || strings.HasPrefix(k, top+".") }) // said above
}

// inOrder sorts the problems: the file's by line, then the environment's.
func (r *settingsReader) inOrder() problems {
	slices.SortStableFunc(r.wrong, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	return slices.Compact(r.wrong)
}

// alternatives writes `"a", "b" or "c"`.
func alternatives(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(w)
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}
