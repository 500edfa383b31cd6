package mailin

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/miekg/dns"

	"postern/core"
	"postern/mailin/mime"
)

const (
	verifyTime    = 5 * time.Second // R31: all look-ups of one mail
	verifyMost    = 5               // signatures of one mail
	clockSkew     = time.Hour       // how far in the future a signature may be made
	longestAnswer = time.Hour       // R31: how long any answer is believed
	longestNo     = 5 * time.Minute // a name that does not exist yet may soon
	cachedAnswers = 10_000
)

// Verifier checks DKIM signatures (RFC 6376). It is safe for concurrent use and
// keeps the keys it has looked up.
type Verifier struct {
	servers []string      // host:port, asked in turn
	time    time.Duration // of all look-ups of one mail
	now     func() time.Time
	udp     *dns.Client
	tcp     *dns.Client

	mu      sync.Mutex
	answers map[string]answer
	asking  map[string]*question
}

// answer is what the DNS said of one name, and until when it holds.
type answer struct {
	txt   []string
	err   error // nil or a *net.DNSError that says the name is not there
	until time.Time
}

// question is a look-up under way: who asks for the same name waits for it.
type question struct {
	done   chan struct{}
	answer answer
}

// NewVerifier makes a Verifier that asks the DNS server host:port, or the
// system's servers if it is "".
func NewVerifier(server string) *Verifier {
	v := &Verifier{
		time:    verifyTime,
		now:     time.Now,
		udp:     &dns.Client{Net: "udp", Timeout: 1500 * time.Millisecond, UDPSize: 1232},
		tcp:     &dns.Client{Net: "tcp", Timeout: 2 * time.Second},
		answers: map[string]answer{},
		asking:  map[string]*question{},
	}
	if server != "" {
		v.servers = []string{server}
	} else if c, err := dns.ClientConfigFromFile("/etc/resolv.conf"); err == nil {
		for _, s := range c.Servers {
			v.servers = append(v.servers, net.JoinHostPort(s, c.Port))
		}
	}
	if len(v.servers) == 0 {
		v.servers = []string{"127.0.0.1:53"} // what resolv.conf(5) says then
	}
	return v
}

// twoWays is why no signature of a mail counts whose header two programs may
// take for different fields: what is signed need not be what is read then.
const twoWays = "the header block can be read in two ways"

// Verify checks the signatures of one mail: up to five, in five seconds in all.
// CheckLater means that the DNS gave no answer that decides; a signature of
// From's own domain that holds makes the others' keys unnecessary.
//
// go-msgauth checks a signature with its own reading of the header, and mime
// reads what is believed afterwards. So nothing is looked up unless the header
// is so plain that both must see the same fields (strictHeader, sameFields).
func (v *Verifier) Verify(ctx context.Context, r io.ReaderAt, size int64) ([]core.Signature, core.Checked) {
	src := &disk{at: r}
	h := headerOf(src, size)
	strict, plain := strictHeader(src, size)
	if src.failed.Load() {
		return nil, core.CheckLater
	}
	if !plain || !sameFields(strict, h) {
		return unproved(h.All("DKIM-Signature")), core.CheckDone
	}
	fields := all(strict, "DKIM-Signature")
	if len(fields) == 0 {
		return nil, core.CheckDone
	}
	fields = fields[:min(len(fields), verifyMost)]
	ctx, stop := context.WithTimeout(ctx, v.time)
	defer stop()
	keys := keyring{look: func(name string) ([]string, error) { return v.txt(ctx, name) }}
	results, err := dkim.VerifyWithOptions(io.NewSectionReader(src, 0, size), &dkim.VerifyOptions{
		LookupTXT:        keys.txt,
		MaxVerifications: verifyMost,
	})
	failed := err != nil && !errors.Is(err, dkim.ErrTooManySignatures)
	if !failed && !belong(results, fields) {
		if src.failed.Load() {
			return nil, core.CheckLater
		}
		return unproved(fields), core.CheckDone
	}
	fromOrg := ""
	if from := h.Addresses("From", 2); len(from) == 1 {
		fromOrg = organisation(core.Address(from[0]).Domain())
	}
	checked, decided := core.CheckDone, false
	var signatures []core.Signature
	for i, field := range fields {
		s := describe(field)
		if failed {
			s.Why = mime.Clean(err.Error(), 200)
			signatures = append(signatures, s)
			continue
		}
		result := results[i]
		s.Covers = covers(strict, result.HeaderKeys)
		switch {
		case result.Err != nil:
			s.Why = mime.Clean(strings.TrimPrefix(result.Err.Error(), "dkim: "), 200)
			if dkim.IsTempFail(result.Err) {
				checked = core.CheckLater
			}
		case !plainDomain(result.Domain):
			s.Why = "d= is no domain name"
		case result.Time.After(v.now().Add(clockSkew)):
			s.Why = "it was made in the future"
		case keys.isStrict(result, s.Selector) && !strings.HasSuffix(result.Identifier, "@"+result.Domain):
			s.Why = "i= is a sub-domain, which the key forbids"
		default:
			s.Valid, s.ToOpen = true, s.Covers && toOpen(strict, result.HeaderKeys)
			s.Domain = strings.ToLower(strings.TrimSuffix(result.Domain, "."))
			s.Org = organisation(s.Domain)
			decided = decided || s.Covers && !s.Limited && s.Org != "" && s.Org == fromOrg
		}
		signatures = append(signatures, s)
	}
	switch {
	case src.failed.Load():
		checked = core.CheckLater // the mail was not read: nothing is known of it
	case decided:
		checked = core.CheckDone
	}
	return signatures, checked
}

// unproved describes signatures that were not checked, as twoWays.
func unproved(fields []string) []core.Signature {
	var signatures []core.Signature
	for _, field := range fields[:min(len(fields), verifyMost)] {
		s := describe(field)
		s.Why = twoWays
		signatures = append(signatures, s)
	}
	return signatures
}

// belong says that each result is that of the field in its place, by d=. A
// result that failed before d= was read has no domain.
func belong(results []*dkim.Verification, fields []string) bool {
	if len(results) != len(fields) {
		return false
	}
	for i, r := range results {
		if r == nil || (r.Err == nil || r.Domain != "") && !strings.EqualFold(r.Domain, tag(fields[i], "d")) {
			return false
		}
	}
	return true
}

// tag is a tag's value without space, as go-msgauth takes it; "" if the field
// has the tag not once.
func tag(field, name string) string {
	found, n := "", 0
	for t := range strings.SplitSeq(field, ";") {
		if k, v, _ := strings.Cut(t, "="); strings.TrimSpace(k) == name {
			found, n = strings.Join(strings.Fields(v), ""), n+1
		}
	}
	if n != 1 {
		return ""
	}
	return found
}

// plainDomain says that d is one for the DNS and for the public suffix list
// alike: no escapes, nothing that mime.Clean would take out or cut.
func plainDomain(d string) bool {
	for i := 0; i < len(d); i++ {
		c := d[i] | 0x20
		if !(c >= 'a' && c <= 'z' || d[i] >= '0' && d[i] <= '9' || d[i] == '-' || d[i] == '.' || d[i] == '_') {
			return false
		}
	}
	return d != "" && len(d) <= 253
}

// disk remembers that reading failed, which says nothing about a signature.
type disk struct {
	at     io.ReaderAt
	failed atomic.Bool
}

func (d *disk) ReadAt(p []byte, off int64) (int, error) {
	n, err := d.at.ReadAt(p, off)
	if err != nil && err != io.EOF {
		d.failed.Store(true)
	}
	return n, err
}

// headerOf reads the header block alone as Parse does, with the same limits.
func headerOf(r io.ReaderAt, size int64) mime.Header {
	const usual = 16 << 10
	most := int64(mime.DefaultLimits.HeaderBytes) + usual // a larger one is cut, and never strict
	for n := int64(usual); ; n *= 4 {
		n = min(n, size, most)
		block := make([]byte, n)
		k, _ := r.ReadAt(block, 0)
		block = block[:k]
		if end := headerEnd(block); end >= 0 {
			block = block[:end]
		} else if n < size && n < most {
			continue
		}
		return mime.Read(bytes.NewReader(block), int64(len(block)), mime.DefaultLimits).Header
	}
}

func headerEnd(b []byte) int {
	crlf, lf := bytes.Index(b, []byte("\r\n\r\n")), bytes.Index(b, []byte("\n\n"))
	if crlf < 0 || lf >= 0 && lf < crlf {
		return lf
	}
	return crlf
}

// strictField is one header field as it stands: the value with its line ends.
type strictField struct{ name, value string }

// strictHeader reads the header block to the letter. It is ok only if no
// program can take it for other fields than these: names of RFC 5322 §3.6.8
// directly before their colon, one kind of line end (CRLF, or LF as a store may
// keep it, which go-msgauth signs as CRLF), an empty line at its end, UTF-8
// without control characters, and all of it within what mime keeps.
func strictHeader(r io.ReaderAt, size int64) (fields []strictField, ok bool) {
	limits := mime.DefaultLimits
	in := bufio.NewReader(io.NewSectionReader(r, 0, size))
	var block []byte
	var starts []int         // of the fields in block
	eol, hollow := "", false // hollow: the line before holds nothing but space
	for {
		start := len(block)
		for {
			piece, err := in.ReadSlice('\n')
			if block = append(block, piece...); len(block) > limits.HeaderBytes {
				return nil, false
			}
			if err == nil {
				break
			} else if err != bufio.ErrBufferFull {
				return nil, false // no empty line, or not read
			}
		}
		end := "\n"
		if bytes.HasSuffix(block[start:], []byte("\r\n")) {
			end = "\r\n"
		}
		if eol == "" {
			eol = end
		}
		line := block[start : len(block)-len(end)]
		switch {
		case end != eol || !plainText(line):
			return nil, false
		case len(line) == 0:
			return cutFields(block[:start], starts, limits.FieldBytes)
		case line[0] == ' ' || line[0] == '\t':
			if len(starts) == 0 || len(bytes.TrimSpace(line)) == 0 { // mime takes a blank line for the header's end
				return nil, false
			}
			hollow = len(bytes.TrimSpace(line)) == 0
		case !strictName(line) || len(starts) >= limits.Fields || hollow: // mime may take a line of nothing but space for the empty one
			return nil, false
		default:
			starts = append(starts, start)
		}
	}
}

// cutFields cuts a block into the fields that begin at starts, none longer than
// most.
func cutFields(block []byte, starts []int, most int) (fields []strictField, ok bool) {
	for i, start := range starts {
		end := len(block)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		if end-start > most {
			return nil, false
		}
		name, value, _ := strings.Cut(string(block[start:end]), ":")
		fields = append(fields, strictField{name, value})
	}
	return fields, len(fields) > 0
}

// strictName says that line begins with ftext and a colon.
func strictName(line []byte) bool {
	colon := bytes.IndexByte(line, ':')
	for _, c := range line[:max(colon, 0)] {
		if c <= ' ' || c >= 127 {
			return false
		}
	}
	return colon > 0
}

// plainText says that line is UTF-8 (of any other charset mime makes a guess)
// without control characters but TAB.
func plainText(line []byte) bool {
	for _, c := range line {
		if c < ' ' && c != '\t' || c == 127 {
			return false
		}
	}
	return utf8.Valid(line) && bytes.IndexFunc(line, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }) < 0
}

// sameFields says that mime made the same of the header: the same names in the
// same order, and the same text in all that is believed.
func sameFields(strict []strictField, h mime.Header) bool {
	if len(strict) != len(h) {
		return false
	}
	for i, f := range strict {
		if f.name != h[i].Name {
			return false
		}
		switch strings.ToLower(f.name) {
		case "from", "subject", "date", "to", "cc", "dkim-signature":
			if !slices.Equal(strings.Fields(f.value), strings.Fields(h[i].Value)) {
				return false
			}
		}
	}
	return true
}

// all is the values of all fields of that name, topmost first.
func all(fields []strictField, name string) []string {
	var values []string
	for _, f := range fields {
		if strings.EqualFold(f.name, name) {
			values = append(values, f.value)
		}
	}
	return values
}

// describe reads the tags of a DKIM-Signature field. It only tells what the
// field says of itself: what was checked stands in go-msgauth's result.
func describe(field string) (s core.Signature) {
	for tag := range strings.SplitSeq(field, ";") {
		name, value, _ := strings.Cut(tag, "=")
		value = strings.Join(strings.Fields(value), "")
		switch strings.TrimSpace(name) {
		case "d":
			s.Domain = strings.ToLower(mime.Clean(strings.TrimSuffix(value, "."), 253))
			s.Org = organisation(s.Domain)
		case "s":
			s.Selector = mime.Clean(value, 253)
		case "l":
			s.Limited = true
		}
	}
	return s
}

// covers says that From, Subject and Date are signed, and that there is no
// second one of any: a Subject put above the signed one would else be the one
// that people read.
func covers(fields []strictField, signed []string) bool {
	for _, name := range []string{"From", "Subject", "Date"} {
		n := len(all(fields, name))
		if n > 1 || n == 0 && name == "From" {
			return false
		}
		if !slices.ContainsFunc(signed, func(s string) bool { return strings.EqualFold(s, name) }) {
			return false
		}
	}
	return true
}

// toOpen says that some To or Cc of the mail is not signed: h= names a field as
// often as it is signed, the lowest first (RFC 6376 section 5.4.2).
func toOpen(fields []strictField, signed []string) bool {
	for _, name := range []string{"To", "Cc"} {
		n := 0
		for _, s := range signed {
			if strings.EqualFold(s, name) {
				n++
			}
		}
		if len(all(fields, name)) > n {
			return true
		}
	}
	return false
}

// txt looks a key up. The error of a DNS that gave no answer is temporary
// (net.Error), that of a name that is not there is not.
func (v *Verifier) txt(ctx context.Context, name string) ([]string, error) {
	name = dns.Fqdn(strings.ToLower(strings.TrimSpace(name)))
	if _, ok := dns.IsDomainName(name); !ok || len(name) > 254 {
		return nil, &net.DNSError{Err: "no name for the DNS", Name: name, IsNotFound: true}
	}
	v.mu.Lock()
	if a, ok := v.answers[name]; ok && v.now().Before(a.until) {
		v.mu.Unlock()
		return a.txt, a.err
	}
	if q, ok := v.asking[name]; ok {
		v.mu.Unlock()
		select {
		case <-q.done:
			return q.answer.txt, q.answer.err
		case <-ctx.Done():
			return nil, noAnswer(name, ctx.Err())
		}
	}
	q := &question{done: make(chan struct{})}
	v.asking[name] = q
	v.mu.Unlock()

	q.answer = v.ask(ctx, name)
	v.mu.Lock()
	delete(v.asking, name)
	if q.answer.until.After(v.now()) {
		v.keep(name, q.answer)
	}
	v.mu.Unlock()
	close(q.done)
	return q.answer.txt, q.answer.err
}

// keep stores an answer; v.mu is held. A full cache forgets what is over, and
// then any entries: map order is as good as a queue here.
func (v *Verifier) keep(name string, a answer) {
	if len(v.answers) >= cachedAnswers {
		now := v.now()
		for n, old := range v.answers {
			if !now.Before(old.until) {
				delete(v.answers, n)
			}
		}
		for n := range v.answers {
			if len(v.answers) < cachedAnswers*9/10 {
				break
			}
			delete(v.answers, n)
		}
	}
	v.answers[name] = a
}

func noAnswer(name string, err error) error {
	return &net.DNSError{Err: fmt.Sprint("no answer: ", err), Name: name, IsTemporary: true}
}

// ask asks the servers in turn, twice round, until one answers.
func (v *Verifier) ask(ctx context.Context, name string) answer {
	q := new(dns.Msg)
	q.SetQuestion(name, dns.TypeTXT)
	q.SetEdns0(v.udp.UDPSize, false)
	err := errors.New("no server")
	for range 2 {
		for _, server := range v.servers {
			if ctx.Err() != nil {
				return answer{err: noAnswer(name, ctx.Err())}
			}
			var reply *dns.Msg
			q.Id = dns.Id()
			if reply, _, err = v.udp.ExchangeContext(ctx, q, server); err == nil && reply.Truncated {
				reply, _, err = v.tcp.ExchangeContext(ctx, q, server)
			}
			if err != nil {
				continue
			}
			switch {
			case len(reply.Question) != 1 || !strings.EqualFold(reply.Question[0].Name, name):
				err = errors.New("an answer to another question")
			case reply.Rcode == dns.RcodeSuccess || reply.Rcode == dns.RcodeNameError:
				return v.read(name, reply)
			default:
				err = errors.New(dns.RcodeToString[reply.Rcode])
			}
		}
	}
	return answer{err: noAnswer(name, err)}
}

// read takes the TXT records out of a reply, whatever aliases led to them.
func (v *Verifier) read(name string, reply *dns.Msg) answer {
	var a answer
	ttl := longestAnswer
	for _, rr := range reply.Answer {
		ttl = min(ttl, time.Duration(rr.Header().Ttl)*time.Second)
		if txt, ok := rr.(*dns.TXT); ok {
			a.txt = append(a.txt, strings.Join(txt.Txt, ""))
		}
	}
	if len(a.txt) == 0 {
		ttl = time.Minute
		for _, rr := range reply.Ns {
			if soa, ok := rr.(*dns.SOA); ok { // RFC 2308 §5
				ttl = time.Duration(min(soa.Minttl, soa.Hdr.Ttl)) * time.Second
			}
		}
		ttl = min(ttl, longestNo)
		a.err = &net.DNSError{Err: "no such key", Name: name, IsNotFound: true}
	}
	a.until = v.now().Add(ttl)
	return a
}
