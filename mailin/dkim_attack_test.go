package mailin

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"postern/core"
	"postern/mailin/mime"
)

// record publishes a key record as it stands.
func (z *zone) record(name, txt string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.records[name+"."] = txt
}

// keyText is the public half of the tests' key.
func keyText(t testing.TB, key *rsa.PrivateKey) string {
	t.Helper()
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(pub)
}

// Each signature is one that its key does sign, or that somebody altered: what
// stands in want is the reason why it proves nothing, "" that it does.
func TestVerify_whatASignatureProves(t *testing.T) {
	z := newZone(t)
	key := keyText(t, signingKey())
	z.publish(t, "customer.example")
	z.publish(t, "mail.customer.example")
	z.publish(t, "co.uk")
	z.publish(t, "customer.co.uk")
	z.publish(t, "other.co.uk")
	z.publish(t, "evilcustomer.example")
	z.record("test._domainkey.customer.example", "v=DKIM1; t=y; p="+key)
	z.record("tests._domainkey.customer.example", "v=DKIM1; t=s : y; p="+key)
	z.record("strict._domainkey.customer.example", "v=DKIM1; t=s; p="+key)
	z.record("revoked._domainkey.customer.example", "v=DKIM1; k=rsa; p=")
	z.record("web._domainkey.customer.example", "v=DKIM1; s=web; p="+key)
	z.record("sha1._domainkey.customer.example", "v=DKIM1; h=sha1; p="+key)
	z.record("broken._domainkey.customer.example", "v=DKIM1; p=!!!")
	t.Setenv("GODEBUG", "rsa1024min=0") // to make what nobody should
	weak, err := rsa.GenerateKey(rand.Reader, 768)
	if err != nil {
		t.Fatal(err)
	}
	z.record("weak._domainkey.customer.example", "v=DKIM1; p="+keyText(t, weak))
	v := NewVerifier(z.addr)
	uk := strings.ReplaceAll(unsigned, "customer.example", "customer.co.uk")
	sub := strings.ReplaceAll(unsigned, "customer.example", "mail.customer.example")
	with := func(selector string) func(*dkim.SignOptions) {
		return func(o *dkim.SignOptions) { o.Selector = selector }
	}
	good := signed(t, "customer.example", unsigned, nil)
	for _, c := range []struct {
		name string
		raw  []byte
		want string
	}{
		{"a good one verifies", good, ""},
		{"a sub-domain's signature verifies its parent's mail", signed(t, "mail.customer.example", unsigned, nil), ""},
		{"the parent's signature verifies its sub-domain's mail", signed(t, "customer.example", sub, nil), ""},
		{"a public suffix signs for nobody", signed(t, "co.uk", uk, nil), "another organisation's domain"},
		{"a neighbour under a public suffix signs for nobody else", signed(t, "other.co.uk", uk, nil), "another organisation's domain"},
		{"an organisation under a public suffix signs for itself", signed(t, "customer.co.uk", uk, nil), ""},
		{"a domain that only ends like From's is another", signed(t, "evilcustomer.example", unsigned, nil), "another organisation's domain"},
		{"l= proves nothing of what was added", bytes.Replace(good, []byte("; d="), []byte("; l=3; d="), 1), "insecure body length"},
		{"h= without From is no signature", bytes.Replace(good, []byte("h=From:To:"), []byte("h=To:"), 1), "From field not signed"},
		{"h= without Subject does not cover it", signed(t, "customer.example", unsigned, func(o *dkim.SignOptions) { o.HeaderKeys = []string{"From", "Date"} }), "does not cover"},
		{"h= without Date does not cover it", signed(t, "customer.example", unsigned, func(o *dkim.SignOptions) { o.HeaderKeys = []string{"From", "Subject"} }), "does not cover"},
		{"a From put above the signed one is nobody's", append([]byte("From: eve@customer.example\r\n"), good...), "not one address"},
		{"a From put below the signed one is nobody's", bytes.Replace(good, []byte("\r\nTo:"), []byte("\r\nFrom: eve@customer.example\r\nTo:"), 1), "not one address"},
		{"a footer added to the body breaks it", append(bytes.Clone(good), "-- \r\nScanned by a gateway\r\n"...), "body hash did not verify"},
		{"blank lines at the end of the body do not", append(bytes.Clone(good), "\r\n\r\n"...), ""},
		{"a subject that was tagged breaks it", bytes.Replace(good, []byte("Subject: "), []byte("Subject: [EXTERNAL] "), 1), "did not verify"},
		{"x= in the past is over", signed(t, "customer.example", unsigned, func(o *dkim.SignOptions) { o.Expiration = time.Now().Add(-time.Minute) }), "expired"},
		{"x= in the future is not", signed(t, "customer.example", unsigned, func(o *dkim.SignOptions) { o.Expiration = time.Now().Add(time.Hour) }), ""},
		{"i= of another domain is a mismatch", bytes.Replace(good, []byte("; d="), []byte("; i=@evil.example; d="), 1), "domain mismatch"},
		{"i= of a domain that only ends like d= is a mismatch", bytes.Replace(good, []byte("; d="), []byte("; i=@evilcustomer.example; d="), 1), "domain mismatch"},
		{"i= of a sub-domain is none", signed(t, "customer.example", unsigned, func(o *dkim.SignOptions) { o.Identifier = "anna@mail.customer.example" }), ""},
		{"i= of a sub-domain is one if the key says so", signed(t, "customer.example", unsigned, func(o *dkim.SignOptions) {
			o.Selector, o.Identifier = "strict", "anna@mail.customer.example"
		}), "which the key forbids"},
		{"a strict key signs for its own domain", signed(t, "customer.example", unsigned, with("strict")), ""},
		{"a key for testing proves nothing", signed(t, "customer.example", unsigned, with("test")), "for testing"},
		{"a key for testing among other flags proves nothing", signed(t, "customer.example", unsigned, with("tests")), "for testing"},
		{"a revoked key proves nothing", signed(t, "customer.example", unsigned, with("revoked")), "key revoked"},
		{"a key of another service proves nothing", signed(t, "customer.example", unsigned, with("web")), "inappropriate service"},
		{"a key for another hash proves nothing", signed(t, "customer.example", unsigned, with("sha1")), "inappropriate hash"},
		{"a key that cannot be read proves nothing", signed(t, "customer.example", unsigned, with("broken")), "key syntax error"},
		{"a key that is not there proves nothing", signed(t, "customer.example", unsigned, with("gone")), "no such key"},
		{"SHA-1 proves nothing", bytes.Replace(good, []byte("rsa-sha256"), []byte("rsa-sha1"), 1), "hash algorithm too weak"},
		{"a short RSA key proves nothing", signed(t, "customer.example", unsigned, func(o *dkim.SignOptions) { o.Selector, o.Signer = "weak", weak }), "too short"},
		{"a tag twice is no tag", bytes.Replace(good, []byte("; d="), []byte("; d=evil.example; d="), 1), "duplicate tag"},
		{"an unknown way to the key leads nowhere", bytes.Replace(good, []byte("; d="), []byte("; q=http; d="), 1), "unsupported public key query method"},
	} {
		t.Run("R31/"+c.name, func(t *testing.T) {
			m := Parse(bytes.NewReader(c.raw), int64(len(c.raw)), mime.DefaultLimits)
			m.Signatures, m.DKIM = verify(v, c.raw)
			if m.DKIM != core.CheckDone {
				t.Fatalf("%s: %+v", m.DKIM, m.Signatures)
			}
			a, steps := core.Judge(m, "none")
			var why strings.Builder
			for _, s := range steps {
				why.WriteString(s.Says + "\n")
			}
			if (a == core.Verified) != (c.want == "") || a == core.Failed || !strings.Contains(why.String(), c.want) {
				t.Errorf("%s, want %q:\n%s", a, c.want, why.String())
			}
		})
	}
}

// The signer's clock stands still here, ours does not.
func TestVerify_signaturesOfAnotherTime(t *testing.T) {
	z := newZone(t)
	z.publish(t, "customer.example")
	good := signed(t, "customer.example", unsigned, nil)
	expires := signed(t, "customer.example", unsigned, func(o *dkim.SignOptions) { o.Expiration = time.Now().Add(48 * time.Hour) })
	for _, c := range []struct {
		name string
		raw  []byte
		now  time.Duration
		want bool
	}{
		{"t= of now holds", good, 0, true},
		{"t= of a clock that goes ahead by minutes holds", good, -50 * time.Minute, true},
		{"t= of tomorrow proves nothing", good, -24 * time.Hour, false},
		{"t= of last year holds", good, 365 * 24 * time.Hour, true},
		{"x= of the day after tomorrow holds", expires, 0, true},
	} {
		t.Run("R31/"+c.name, func(t *testing.T) {
			v := NewVerifier(z.addr)
			v.now = func() time.Time { return time.Now().Add(c.now) }
			if s, _ := verify(v, c.raw); len(s) != 1 || s[0].Valid != c.want {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestVerify_slowDNSEndsInTime(t *testing.T) {
	z := newZone(t)
	z.silent.Store(true)
	var many []byte
	for _, selector := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		raw := signed(t, "customer.example", unsigned, func(o *dkim.SignOptions) { o.Selector = selector })
		many = append(many, raw[:bytes.Index(raw, []byte("From: "))]...)
	}
	many = append(many, unsigned...)
	t.Run("R31/all look-ups of a mail share one time", func(t *testing.T) {
		v := NewVerifier(z.addr)
		if v.time != 5*time.Second {
			t.Errorf("%v in all", v.time)
		}
		v.time = 100 * time.Millisecond
		start := time.Now()
		s, checked := v.Verify(context.Background(), bytes.NewReader(many), int64(len(many)))
		if took := time.Since(start); checked != core.CheckLater || len(s) != verifyMost || took > 4*time.Second {
			t.Errorf("%s after %v: %+v", checked, took, s)
		}
	})
	t.Run("R31/no more than five signatures are looked at", func(t *testing.T) {
		if n := z.asked.Load(); n == 0 || n > 2*verifyMost {
			t.Errorf("%d questions", n)
		}
	})
}

// Relaxed canonicalization lets the spaces of a mail change: whoever has a
// signed one can make others of it, each with another content hash.
func TestVerify_whatStaysOfASignedMailSentOn(t *testing.T) {
	z := newZone(t)
	z.publish(t, "customer.example")
	v := NewVerifier(z.addr)
	good := signed(t, "customer.example", unsigned, nil)
	parse := func(raw []byte) core.Mail {
		t.Helper()
		m := Parse(bytes.NewReader(raw), int64(len(raw)), mime.DefaultLimits)
		if m.Signatures, m.DKIM = verify(v, raw); len(m.Signatures) != 1 || !m.Signatures[0].Valid {
			t.Fatalf("%+v\n%s", m.Signatures, raw)
		}
		return m
	}
	first := parse(good)
	for name, change := range map[string]func(string) string{
		"spaces at the end of a line": func(body string) string { return strings.Replace(body, "\r\n", " \t\r\n", 1) },
		"two spaces where one was":    func(body string) string { return strings.Replace(body, " ", "  ", 1) },
		"empty lines below":           func(body string) string { return body + " \r\n\r\n" },
	} {
		t.Run("R42/"+name, func(t *testing.T) {
			head, body, _ := strings.Cut(string(good), "\r\n\r\n")
			m := parse([]byte(strings.Replace(head, "Subject: ", "Subject:  ", 1) + "\r\n\r\n" + change(body)))
			if m.Hash == first.Hash || m.Gist != first.Gist {
				t.Errorf("the content hash is the same: %v, the other one: %v", m.Hash == first.Hash, m.Gist == first.Gist)
			}
		})
	}
	t.Run("R42/another text is another mail", func(t *testing.T) {
		other := []byte(strings.ReplaceAll(unsigned, "\r\n\r\n", "\r\n\r\nx"))
		if m := Parse(bytes.NewReader(other), int64(len(other)), mime.DefaultLimits); m.Gist == first.Gist {
			t.Error("it is taken for the same")
		}
	})
}
