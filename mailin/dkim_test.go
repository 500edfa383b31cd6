package mailin

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/miekg/dns"

	"postern/core"
	"postern/mailin/mime"
)

// zone is a DNS server on loopback with TXT records.
type zone struct {
	addr    string
	asked   atomic.Int64
	rcode   atomic.Int64 // given to everybody if not 0
	silent  atomic.Bool
	mu      sync.Mutex
	records map[string]string
	ttl     uint32
}

func newZone(t testing.TB) *zone {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	z := &zone{addr: pc.LocalAddr().String(), records: map[string]string{}, ttl: 300}
	ready := make(chan struct{})
	s := &dns.Server{PacketConn: pc, Handler: z, NotifyStartedFunc: func() { close(ready) }}
	go s.ActivateAndServe()
	<-ready
	t.Cleanup(func() { s.Shutdown() })
	return z
}

func (z *zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	z.asked.Add(1)
	if z.silent.Load() {
		return
	}
	a := new(dns.Msg)
	a.SetReply(q)
	z.mu.Lock()
	defer z.mu.Unlock()
	name := strings.ToLower(q.Question[0].Name)
	if txt, ok := z.records[name]; z.rcode.Load() != 0 {
		a.Rcode = int(z.rcode.Load())
	} else if !ok {
		a.Rcode = dns.RcodeNameError
	} else {
		rr := &dns.TXT{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: z.ttl}}
		for len(txt) > 255 {
			rr.Txt, txt = append(rr.Txt, txt[:255]), txt[255:]
		}
		rr.Txt = append(rr.Txt, txt)
		a.Answer = append(a.Answer, rr)
	}
	w.WriteMsg(a)
}

var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func (z *zone) publish(t testing.TB, domain string) {
	t.Helper()
	pub, err := x509.MarshalPKIXPublicKey(signingKey().Public())
	if err != nil {
		t.Fatal(err)
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	z.records["s1._domainkey."+domain+"."] = "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(pub)
}

func signed(t testing.TB, domain, raw string, change func(*dkim.SignOptions)) []byte {
	t.Helper()
	o := &dkim.SignOptions{
		Domain: domain, Selector: "s1", Signer: signingKey(), Hash: crypto.SHA256,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		HeaderKeys: []string{"From", "To", "Subject", "Date"},
	}
	if change != nil {
		change(o)
	}
	var b bytes.Buffer
	if err := dkim.Sign(&b, strings.NewReader(raw), o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const unsigned = "From: Anna <anna@customer.example>\r\nTo: support@desk.example\r\nSubject: The printer\r\nDate: Mon, 2 Nov 2026 10:00:00 +0100\r\n\r\nIt burns.\r\n"

func verify(v *Verifier, raw []byte) ([]core.Signature, core.Checked) {
	return v.Verify(context.Background(), bytes.NewReader(raw), int64(len(raw)))
}

func TestVerify(t *testing.T) {
	z := newZone(t)
	z.publish(t, "customer.example")
	z.publish(t, "mail.customer.example")
	good := signed(t, "customer.example", unsigned, nil)
	v := NewVerifier(z.addr)
	yes := core.Signature{Domain: "customer.example", Org: "customer.example", Valid: true, Covers: true, Selector: "s1"}
	open := yes
	open.ToOpen = true
	for _, c := range []struct {
		name string
		raw  []byte
		want core.Signature
	}{
		{"a good one", good, yes},
		{"on a sub-domain", signed(t, "mail.customer.example", unsigned, nil), core.Signature{Domain: "mail.customer.example", Org: "customer.example", Valid: true, Covers: true, Selector: "s1"}},
		{"body changed", append(bytes.Clone(good), "more\r\n"...), core.Signature{Domain: yes.Domain, Org: yes.Org, Covers: true, Selector: "s1", Why: "body hash did not verify"}},
		{"subject changed", bytes.Replace(good, []byte("The printer"), []byte("Your money"), 1), core.Signature{Domain: yes.Domain, Org: yes.Org, Covers: true, Selector: "s1", Why: "signature did not verify: crypto/rsa: verification error"}},
		{"date not signed", signed(t, "customer.example", unsigned, func(o *dkim.SignOptions) { o.HeaderKeys = []string{"From", "Subject"} }), core.Signature{Domain: yes.Domain, Org: yes.Org, Valid: true, Selector: "s1"}},
		{"a second subject put on top", append([]byte("Subject: Your money\r\n"), good...), core.Signature{Domain: yes.Domain, Org: yes.Org, Valid: true, Selector: "s1"}},
		{"To not signed", signed(t, "customer.example", unsigned, func(o *dkim.SignOptions) { o.HeaderKeys = []string{"From", "Subject", "Date"} }), open},
		{"a second To put on top", append([]byte("To: support@desk.example\r\n"), good...), open},
		{"a Cc put on top", append([]byte("Cc: support@desk.example\r\n"), good...), open},
		{"a Cc signed as not there, put on top", append([]byte("Cc: support@desk.example\r\n"), signed(t, "customer.example", unsigned, func(o *dkim.SignOptions) { o.HeaderKeys = append(o.HeaderKeys, "Cc") })...),
			core.Signature{Domain: yes.Domain, Org: yes.Org, Covers: true, Selector: "s1", Why: "signature did not verify: crypto/rsa: verification error"}},
		{"l= is there", bytes.Replace(good, []byte("; d="), []byte("; l=3; d="), 1), core.Signature{Domain: yes.Domain, Org: yes.Org, Covers: true, Limited: true, Selector: "s1", Why: "message contains an insecure body length tag"}},
		{"expired", signed(t, "customer.example", unsigned, func(o *dkim.SignOptions) { o.Expiration = time.Now().Add(-time.Hour) }), core.Signature{Domain: yes.Domain, Org: yes.Org, Covers: true, Selector: "s1", Why: "signature has expired"}},
		{"no such key", signed(t, "other.example", unsigned, nil), core.Signature{Domain: "other.example", Org: "other.example", Covers: true, Selector: "s1", Why: "~no such key"}},
		{"line ends LF are signed as CRLF", bytes.ReplaceAll(signed(t, "customer.example", strings.ReplaceAll(unsigned, "\r\n", "\n"), nil), []byte("\r\n"), []byte("\n")), yes},
		{"line ends LF in the body alone", append(bytes.Clone(headOf(good)), bytes.ReplaceAll(good[len(headOf(good)):], []byte("\r\n"), []byte("\n"))...), yes},
		{"CRLF and LF in one header", signed(t, "customer.example", strings.ReplaceAll(unsigned, "\r\n", "\n"), nil), core.Signature{Domain: yes.Domain, Org: yes.Org, Selector: "s1", Why: twoWays}},
		{"simple, LF", bytes.ReplaceAll(signed(t, "customer.example", unsigned, simple), []byte("\r\n"), []byte("\n")), yes},
		{"folded fields", signed(t, "customer.example", strings.Replace(unsigned, "The printer", "The\r\n\tprinter\r\n burns", 1), simple), yes},
		{"UTF-8 in values", signed(t, "customer.example", strings.NewReplacer("Anna", "Änna", "The printer", "打印机").Replace(unsigned), nil), yes},
		{"1,000 fields", fillers(990, good), yes},
		{"d= in capitals", signed(t, "Customer.Example", unsigned, nil), yes},
		{"two From", append([]byte("From: \r\n"), signed(t, "customer.example", unsigned, func(o *dkim.SignOptions) { o.HeaderKeys = []string{"From", "From", "Subject", "Date"} })...), core.Signature{Domain: yes.Domain, Org: yes.Org, Selector: "s1", Why: "~signature did not verify"}},
	} {
		t.Run("R31/"+c.name, func(t *testing.T) {
			got, checked := verify(v, c.raw)
			if checked != core.CheckDone || len(got) != 1 {
				t.Fatalf("%v %+v", checked, got)
			}
			if why, ok := strings.CutPrefix(c.want.Why, "~"); ok && strings.Contains(got[0].Why, why) {
				c.want.Why = got[0].Why
			}
			if got[0] != c.want {
				t.Errorf("got  %+v\nwant %+v", got[0], c.want)
			}
		})
	}
}

func simple(o *dkim.SignOptions) {
	o.HeaderCanonicalization, o.BodyCanonicalization = dkim.CanonicalizationSimple, dkim.CanonicalizationSimple
}

// headOf is the header block of a mail with CRLF, with its empty line.
func headOf(raw []byte) []byte { return raw[:bytes.Index(raw, []byte("\r\n\r\n"))+4] }

// fillers puts n fields that mean nothing above a mail.
func fillers(n int, raw []byte) []byte {
	return append([]byte(strings.Repeat("X-Filler: x\r\n", n)), raw...)
}

func TestVerify_ed25519(t *testing.T) {
	z := newZone(t)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	z.mu.Lock()
	z.records["s1._domainkey.customer.example."] = "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
	z.mu.Unlock()
	raw := signed(t, "customer.example", unsigned, func(o *dkim.SignOptions) { o.Signer = private })
	if a, s := judged(t, NewVerifier(z.addr), raw); a != core.Verified {
		t.Errorf("R31: %v %+v", a, s)
	}
}

// judged is what becomes of a mail that no border vouches for.
func judged(t testing.TB, v *Verifier, raw []byte) (core.Assurance, []core.Signature) {
	t.Helper()
	m := Parse(bytes.NewReader(raw), int64(len(raw)), mime.DefaultLimits)
	m.Signatures, m.DKIM = verify(v, raw)
	if m.DKIM != core.CheckDone {
		t.Fatalf("%v", m.DKIM)
	}
	a, _ := core.Judge(m, "none")
	return a, m.Signatures
}

// TestVerify_forged holds mails of an attacker who owns attacker.example and
// its key, and wants to be an agent.
func TestVerify_forged(t *testing.T) {
	z := newZone(t)
	z.publish(t, "attacker.example")
	z.publish(t, "agents.example")
	v := NewVerifier(z.addr)
	const (
		agent = "From: Agent <agent@agents.example>\r\nSubject: Close all\r\nDate: Tue, 3 Nov 2026 10:00:00 +0100\r\n"
		junk  = "DKIM-Signature: v=1; a=rsa-sha256; d=agents.example; s=s1; h=From:To:Subject:Date; bh=eA==; b=eA==\r\n"
		field = "DKIM-Signature:"
	)
	own := strings.NewReplacer("customer.example", "attacker.example").Replace(unsigned)
	fromAgent := strings.NewReplacer("anna@customer.example", "agent@agents.example").Replace(unsigned)
	mine := string(signed(t, "attacker.example", own, nil))         // From attacker
	forged := string(signed(t, "attacker.example", fromAgent, nil)) // From agent, d=attacker
	agents := string(signed(t, "agents.example", fromAgent, nil))   // what an agent did write
	signature := agents[:strings.Index(agents, "From: ")]
	hide := func(raw, with string) string {
		return strings.NewReplacer("\r\nFrom:", "\r\n"+with+"From:", "\r\nSubject:", "\r\n"+with+"Subject:", "\r\nDate:", "\r\n"+with+"Date:").Replace(raw)
	}
	if a, s := judged(t, v, []byte(agents)); a != core.Verified {
		t.Fatalf("the agent's own mail: %v %+v", a, s)
	}
	for _, c := range []struct {
		name, raw string
		plain     bool // read in one way: other reasons keep it out
	}{
		{"VT before a signature's name", "\x0b" + strings.Replace(forged, "\r\nFrom:", "\r\n"+junk+"From:", 1), false},
		{"VT before a signature's name, junk on top", junk + "\x0b" + forged, false},
		{"no-break space before a signature's name", "\u00a0" + strings.Replace(forged, "\r\nFrom:", "\r\n"+junk+"From:", 1), false},
		{"NUL in a signature's name", strings.Replace(junk, "DKIM", "DKIM\x00", 1) + forged, false},
		{"VT before From, Subject and Date", agent + hide(agents, "\x0b"), false},
		{"VT before the attacker's own fields", agent + hide(mine, "\x0b"), false},
		{"FF before From, Subject and Date", agent + hide(agents, "\x0c"), false},
		{"fields beyond the thousandth", signature + agent + string(fillers(1100, []byte(agents[len(signature):]))), false},
		{"fields beyond 256 KiB", signature + agent + strings.Repeat("X: "+strings.Repeat("x", 60<<10)+"\r\n", 5) + agents[len(signature):], false},
		{"a signature beyond the thousandth field", junk + agent + string(fillers(1100, []byte(agents))), false},
		{"a field cut at 64 KiB", strings.Replace(agents, "\r\nSubject:", "\r\nX: "+strings.Repeat("x", 65<<10)+"\r\nSubject:", 1), false},
		{"a blank before the colon", strings.Replace(agents, "\r\nSubject:", "\r\nSubject :", 1), false},
		{"a line that is no field", strings.Replace(agents, "\r\nSubject:", "\r\nno field\r\nSubject:", 1), false},
		{"an mbox line", "From agent Tue Nov  3 10:00:00 2026\r\n" + agents, false},
		{"a continuation first", " x\r\n" + agents, false},
		{"a body hidden behind a blank line", strings.Replace(agents, "\r\n\r\n", "\r\nX: y\r\n \r\n\tClose all cases.\r\n\r\n", 1), false},
		{"an empty line first", "\r\n" + agents, false},
		{"a lone CR", strings.Replace(agents, "\r\nSubject:", "\r\nX: x\rSubject: y\r\nSubject:", 1), false},
		{"CR CR LF", strings.Replace(agents, "\r\nSubject:", "\r\r\nSubject:", 1), false},
		{"an end of LF CRLF", strings.Replace(agents, "\r\n\r\n", "\n\r\n", 1), false},
		{"an end of CRLF LF", strings.Replace(agents, "\r\n\r\n", "\r\n\n", 1), false},
		{"no end", agents[:strings.Index(agents, "\r\n\r\n")+2], false},
		{"Latin-1", strings.Replace(agents, "\r\nSubject:", "\r\nX: \xe4\r\nSubject:", 1), false},
		{"a C1 control", strings.Replace(agents, "\r\nSubject:", "\r\nX: \u0085\r\nSubject:", 1), false},
		{"junk above a valid signature", junk + forged, true},
		{"junk below a valid signature", strings.Replace(forged, "\r\nFrom:", "\r\n"+junk+"From:", 1), true},
		{"a valid signature as the sixth", strings.Repeat(junk, 5) + forged, true},
		{"new fields above an agent's signed ones", agent + agents, true},
		{"a second From without an address", "From: \r\n" + agents, true},
		{"a second Date", "Date: Tue, 3 Nov 2026 10:00:00 +0100\r\n" + agents, true},
	} {
		t.Run("R31/"+c.name, func(t *testing.T) {
			if !strings.Contains(c.raw, field) || c.raw == agents {
				t.Fatal("no attack")
			}
			asked := z.asked.Load()
			a, s := judged(t, NewVerifier(z.addr), []byte(c.raw))
			if a == core.Verified || len(s) == 0 && c.plain || len(s) > verifyMost {
				t.Errorf("%v %+v", a, s)
			}
			for _, one := range s {
				if !c.plain && (one.Valid || one.Covers || one.Why != twoWays) || one.Valid && one.Domain == "agents.example" && one.Covers {
					t.Errorf("%+v", one)
				}
			}
			if !c.plain && z.asked.Load() != asked {
				t.Error("the DNS was asked")
			}
		})
	}
	t.Run("R31/results that are not the fields'", func(t *testing.T) {
		fields := []string{" v=1; d=agents.example", " v=1; d=Attacker.\r\n\texample"}
		ok := func(d string) *dkim.Verification { return &dkim.Verification{Domain: d} }
		for _, c := range []struct {
			results []*dkim.Verification
			want    bool
		}{
			{[]*dkim.Verification{ok("agents.example"), ok("attacker.example")}, true},
			{[]*dkim.Verification{{Err: errors.New("malformed")}, ok("attacker.example")}, true},
			{[]*dkim.Verification{ok("attacker.example"), ok("agents.example")}, false},
			{[]*dkim.Verification{ok("agents.example")}, false},
			{[]*dkim.Verification{ok("agents.example"), ok("")}, false},
			{[]*dkim.Verification{ok("agents.example"), nil}, false},
		} {
			if got := belong(c.results, fields); got != c.want {
				t.Errorf("%+v: %v", c.results, got)
			}
		}
	})
}

// strictSeeds are headers at the edges of what strictHeader takes.
var strictSeeds = []string{
	unsigned, strings.ReplaceAll(unsigned, "\r\n", "\n"), "", "\r\n", "A:\r\n\r\n", "A:\n\nB: c\n\n", "A: b\n\r\nC: d\r\n\r\n", "A: b\r\n\nx",
	"A: b\r\n \r\n\tc\r\n\r\nx", "\x0bA: b\r\n\r\n", "A\x00: b\r\n\r\n", "A : b\r\n\r\n", ": b\r\n\r\n", "\u00a0A: b\r\n\r\n", "A: \xe4\r\n\r\n", "A: ä\u2028\r\n\r\n",
	"From x\r\nA: b\r\n\r\n", "A: b\rC: d\r\n\r\n", "A: b\r\r\n\r\n", "A: b\r\n", "A: b\r\n C: d\r\nE: :\r\n\r\n\r\n", strings.Repeat("A:b\n", 1000) + "\n", strings.Repeat("A:b\n", 1001) + "\n",
	"A:" + strings.Repeat("x", 64<<10-4) + "\r\n\r\n", "A:" + strings.Repeat("x", 64<<10) + "\r\nB: c\r\n\r\n", "DKIM-Signature: v=1; d=a.example;\r\n\tb=x\r\nFrom: a@a.example\r\n\r\n--x\r\n",
}

// oneReading says whether strictHeader takes raw, and fails if go-msgauth or
// mime then see other fields.
func oneReading(t testing.TB, raw []byte) bool {
	t.Helper()
	fields, ok := strictHeader(bytes.NewReader(raw), int64(len(raw)))
	if !ok {
		return false
	}
	names := func(n int, name func(int) string) (all []string) {
		for i := range n {
			all = append(all, name(i))
		}
		return all
	}
	want := names(len(fields), func(i int) string { return fields[i].name })
	read := mime.Read(bytes.NewReader(raw), int64(len(raw)), mime.DefaultLimits)
	if got := names(len(read.Header), func(i int) string { return read.Header[i].Name }); !slices.Equal(got, want) {
		t.Errorf("%.300q: mime sees %q, not %q", raw, got, want)
	}
	if !sameFields(fields, read.Header) || !sameFields(fields, headerOf(bytes.NewReader(raw), int64(len(raw)))) {
		t.Errorf("%.300q: mime sees other values", raw)
	}
	// as go-msgauth's readHeader and parseHeaderField do
	in := bufio.NewReader(bytes.NewReader(raw))
	tr := textproto.NewReader(in)
	var theirs []string
	for {
		l, err := tr.ReadLine()
		if err != nil {
			t.Errorf("%.300q: go-msgauth: %v", raw, err)
			return true
		}
		if l == "" {
			break
		}
		if len(theirs) > 0 && (l[0] == ' ' || l[0] == '\t') {
			theirs[len(theirs)-1] += l + "\r\n"
		} else {
			theirs = append(theirs, l+"\r\n")
		}
	}
	for i, l := range theirs {
		k, v, _ := strings.Cut(l, ":")
		if i < len(fields) && strings.TrimSpace(v) != strings.TrimSpace(strings.NewReplacer("\r\n", "\r\n", "\n", "\r\n").Replace(fields[i].value)) {
			t.Errorf("%.300q: go-msgauth sees another %s", raw, k)
		}
		theirs[i] = strings.TrimSpace(k)
	}
	if !slices.Equal(theirs, want) {
		t.Errorf("%.300q: go-msgauth sees %q, not %q", raw, theirs, want)
	}
	rest, err := io.ReadAll(in)
	if err != nil || int64(len(raw)-len(rest)) != read.BodyAt {
		t.Errorf("%.300q: the body begins at %d for mime, at %d for go-msgauth (%v)", raw, read.BodyAt, len(raw)-len(rest), err)
	}
	return true
}

func FuzzStrictHeader(f *testing.F) {
	for _, s := range strictSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { oneReading(t, raw) })
}

// TestVerify_strictHeader is the fuzz target with the corpus and changes made
// by chance, always the same ones.
func TestVerify_strictHeader(t *testing.T) {
	seeds := make([][]byte, 0, 200)
	for _, s := range strictSeeds {
		seeds = append(seeds, []byte(s))
	}
	files, _ := filepath.Glob("testdata/*.eml")
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		seeds = append(seeds, raw)
	}
	chance := mathrand.New(mathrand.NewPCG(31, 1))
	odd := []string{"\r", "\n", "\r\n", "\n\n", "\r\n\r\n", " ", "\t", ":", "\x00", "\x0b", "\x0c", "\x7f", "\xe4", "\u0085", "\u00a0", "\u2028", "\ufeff", "A: b\n", "A: b\r\n", "From ", "--x\r\n", ""}
	taken, tried := 0, 0
	for _, seed := range seeds {
		if tried++; oneReading(t, seed) {
			taken++
		}
		if len(seed) > 4096 {
			continue
		}
		for range 100 {
			raw := bytes.Clone(seed)
			for range 1 + chance.IntN(3) {
				at := chance.IntN(len(raw) + 1)
				cut := min(len(raw), at+chance.IntN(3))
				raw = slices.Concat(raw[:at], []byte(odd[chance.IntN(len(odd))]), raw[cut:])
			}
			if tried++; oneReading(t, raw) {
				taken++
			}
		}
	}
	if taken < tried/20 || taken > tried*19/20 {
		t.Errorf("R31: %d of %d taken", taken, tried)
	}
	t.Logf("R31: %d of %d taken", taken, tried)
}

func TestVerify_asksNobodyForUnsignedMail(t *testing.T) {
	z := newZone(t)
	if s, checked := verify(NewVerifier(z.addr), []byte(unsigned)); s != nil || checked != core.CheckDone || z.asked.Load() != 0 {
		t.Errorf("R31: %v %v, %d questions", s, checked, z.asked.Load())
	}
}

func TestVerify_keepsAnswers(t *testing.T) {
	t.Run("R31/answers are kept for their TTL, an hour at most", func(t *testing.T) {
		z := newZone(t)
		z.publish(t, "customer.example")
		v := NewVerifier(z.addr)
		now := time.Now()
		v.now = func() time.Time { return now }
		good, unknown := signed(t, "customer.example", unsigned, nil), signed(t, "other.example", unsigned, nil)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if s, _ := verify(v, good); len(s) != 1 || !s[0].Valid {
					t.Errorf("%+v", s)
				}
				verify(v, unknown)
			})
		}
		wg.Wait()
		if n := z.asked.Load(); n != 2 {
			t.Errorf("R31: 2 names took %d questions", n)
		}
		now = now.Add(301 * time.Second) // beyond the TTL
		verify(v, good)
		if n := z.asked.Load(); n != 3 {
			t.Errorf("R31: %d questions after the TTL", n)
		}
		z.mu.Lock()
		z.ttl = 7 * 24 * 3600
		z.mu.Unlock()
		now = now.Add(301 * time.Second)
		verify(v, good)
		now = now.Add(61 * time.Minute)
		verify(v, good)
		if n := z.asked.Load(); n != 5 {
			t.Errorf("R31: an hour at most: %d questions", n)
		}
	})
}

func TestVerify_boundedCache(t *testing.T) {
	v := NewVerifier("127.0.0.1:1")
	v.mu.Lock()
	for i := range 3 * cachedAnswers {
		v.keep(fmt.Sprint(i), answer{until: time.Now().Add(time.Hour)})
	}
	n := len(v.answers)
	v.mu.Unlock()
	if n > cachedAnswers {
		t.Errorf("%d answers kept", n)
	}
}

func TestVerify_laterWithoutDNS(t *testing.T) {
	t.Run("R31/without an answer of the DNS nothing is known yet", func(t *testing.T) {
		z := newZone(t)
		v := NewVerifier(z.addr)
		good := signed(t, "customer.example", unsigned, nil)
		z.rcode.Store(dns.RcodeServerFailure)
		if s, checked := verify(v, good); checked != core.CheckLater || len(s) != 1 || s[0].Valid {
			t.Errorf("R31/SERVFAIL: %v %+v", checked, s)
		}
		z.rcode.Store(0)
		z.publish(t, "customer.example")
		if s, checked := verify(v, good); checked != core.CheckDone || !s[0].Valid {
			t.Errorf("R31/a failure is not kept: %v %+v", checked, s)
		}
		// a signature of From's own domain that holds decides; the other's key may be away
		z.silent.Store(true)
		ctx, stop := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer stop()
		other := signed(t, "away.example", unsigned, nil)
		two := append(other[:bytes.Index(other, []byte("From: "))], good...)
		start := time.Now()
		s, checked := v.Verify(ctx, bytes.NewReader(two), int64(len(two)))
		if len(s) != 2 || s[0].Valid || !s[1].Valid || checked != core.CheckDone {
			t.Errorf("R31/one decides: %v %+v", checked, s)
		}
		ctx, stop = context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer stop()
		if _, checked := v.Verify(ctx, bytes.NewReader(other), int64(len(other))); checked != core.CheckLater {
			t.Errorf("R31/silence: %v", checked)
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("R31/silence took %v", took)
		}
	})
}

func TestVerify_brokenDisk(t *testing.T) {
	good := signed(t, "customer.example", unsigned, nil)
	if s, checked := NewVerifier("127.0.0.1:1").Verify(context.Background(), cutAt{good, int64(len(good) - 5)}, int64(len(good))); checked != core.CheckLater {
		t.Errorf("%v %+v", checked, s)
	}
}

// cutAt fails to read beyond an offset.
type cutAt struct {
	b    []byte
	last int64
}

func (c cutAt) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	if off < c.last {
		n = copy(p, c.b[off:c.last])
	}
	if n < len(p) {
		return n, errors.New("disk")
	}
	return n, nil
}

func TestVerify_oddMail(t *testing.T) {
	z := newZone(t)
	v := NewVerifier(z.addr)
	for _, raw := range []string{
		"", "DKIM-Signature:\r\n\r\n", "DKIM-Signature: d=\r\nno colon\r\n\r\nx", "DKIM-Signature: v=1; a=rsa-sha256; d=..; s= ; h=from; b=x; bh=y\r\nFrom: a@b.example\r\n\r\nx",
		strings.Repeat("DKIM-Signature: v=1; d=a.example; s=x\r\n", 50) + "\r\nx",
		"DKIM-Signature: v=1; a=rsa-sha256; d=" + strings.Repeat("a", 300) + ".example; s=x; h=from; b=eA==; bh=eA==\r\nFrom: a@b.example\r\n\r\nx",
		"X: " + strings.Repeat("x", 2<<20) + "\r\nDKIM-Signature: v=1\r\n\r\n",
	} {
		s, checked := verify(v, []byte(raw))
		if checked != core.CheckDone || len(s) > verifyMost {
			t.Errorf("%.60q: %v %+v", raw, checked, s)
		}
		for _, one := range s {
			if one.Valid || one.Why == "" {
				t.Errorf("%.60q: %+v", raw, one)
			}
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	z := newZone(b)
	z.publish(b, "customer.example")
	v := NewVerifier(z.addr)
	raw := signed(b, "customer.example", unsigned, nil)
	b.ReportAllocs()
	for b.Loop() {
		verify(v, raw)
	}
}
