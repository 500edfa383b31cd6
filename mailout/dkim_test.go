package mailout

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"postern/core"
)

// inPEM is a private key as its file holds it.
func inPEM(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func newSigner(t testing.TB, key crypto.Signer) *Signer {
	t.Helper()
	s, err := NewSigner("Example.org", "Postern", inPEM(t, key))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newKeys are one of each kind.
func newKeys(t testing.TB) map[string]crypto.Signer {
	t.Helper()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]crypto.Signer{"ed25519": ed, "RSA": r}
}

func TestSigner(t *testing.T) {
	for name, key := range newKeys(t) {
		s := newSigner(t, key)
		c := newComposer(t)
		c.Sign("support@example.org", s)
		verified := func(t *testing.T, raw []byte) *dkim.Verification {
			t.Helper()
			record, text := s.Record()
			found, err := dkim.VerifyWithOptions(bytes.NewReader(raw), &dkim.VerifyOptions{LookupTXT: func(asked string) ([]string, error) {
				if asked != record {
					t.Errorf("asked for %s, not for %s", asked, record)
				}
				return []string{text}, nil
			}})
			if err != nil || len(found) != 1 {
				t.Fatalf("%v, %v", found, err)
			}
			return found[0]
		}
		t.Run("R53/every kind is signed by a key of "+name+", and every field of it", func(t *testing.T) {
			for _, k := range kinds {
				l := full(k, "en")
				raw, err := c.Compose(l, fiveBytes)
				if err != nil {
					t.Fatal(k, err)
				}
				v := verified(t, raw)
				if v.Err != nil || v.Domain != "example.org" {
					t.Errorf("%s: %+v", k, v)
				}
				p := parse(t, raw)
				signature := strings.Join(strings.Fields(p.header.Get("Dkim-Signature")), "")
				if strings.Contains(signature, "l=") || !strings.Contains(signature, "c=relaxed/relaxed") {
					t.Errorf("%s: %s", k, signature)
				}
				signed := map[string]int{}
				for _, f := range v.HeaderKeys {
					signed[strings.ToLower(f)]++
				}
				for f := range p.header {
					switch f = strings.ToLower(f); f {
					case "dkim-signature", "x-auto-response-suppress", "precedence", "x-postern-loop":
					case "from":
						if signed[f] != 2 {
							t.Errorf("%s: From stands %d times in h=", k, signed[f])
						}
					default:
						if signed[f] != 1 {
							t.Errorf("%s: %s stands %d times in h=", k, f, signed[f])
						}
					}
				}
			}
		})
		t.Run("R53/a second From breaks a signature of "+name, func(t *testing.T) {
			raw, err := c.Compose(full(core.Answer, "en"), fiveBytes)
			if err != nil {
				t.Fatal(err)
			}
			if v := verified(t, append([]byte("From: eve@evil.example\r\n"), raw...)); v.Err == nil {
				t.Error("it still holds")
			}
		})
		t.Run("R53/a published key of "+name+" is told from others", func(t *testing.T) {
			_, text := s.Record()
			_, public, _ := strings.Cut(text, "p=")
			kind := s.kind()
			for says, records := range map[string][]string{
				"":               {text},
				"no record":      nil,
				"2 records":      {text, text},
				"another key":    {strings.Replace(text, "p="+public[:40], "p="+strings.Repeat("A", 40), 1)},
				"revokes":        {"v=DKIM1; k=" + kind + "; p="},
				"only tried out": {text + "; t=s:y"},
				"no DKIM record": {"v=spf1 -all"},
			} {
				if err := s.Published(records); says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
					t.Errorf("%q: %v, want %q", records, err, says)
				}
			}
			if err := s.Published([]string{"p=" + public[:20] + " " + public[20:] + "; k=" + kind}); err != nil {
				t.Errorf("with blanks, and the tags in another order: %v", err)
			}
			if k, ok := key.Public().(*rsa.PublicKey); ok {
				older := base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(k))
				if err := s.Published([]string{"v=DKIM1; p=" + older}); err != nil {
					t.Errorf("in the older form: %v", err)
				}
			}
		})
	}
	t.Run("R53/mail of another address is not signed", func(t *testing.T) {
		c := newComposer(t)
		c.Sign("sales@example.org", newSigner(t, newKeys(t)["ed25519"]))
		raw, err := c.Compose(full(core.Answer, "en"), fiveBytes)
		if err != nil || bytes.Contains(raw, []byte("DKIM-Signature")) {
			t.Errorf("%v\n%.200s", err, raw)
		}
	})
}

func TestNewSigner(t *testing.T) {
	for name, c := range map[string]struct{ file, says string }{
		"R53/an empty file is no key":               {"", "no key in PEM form"},
		"R53/a text is no key":                      {"hunter2", "no key in PEM form"},
		"R53/damaged PEM is no key":                 {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "cannot be read"},
		"R53/RSA of 512 bits is too short":          {smallKey, "512 bits"},
		"R53/a key of an elliptic curve is refused": {curveKey, "neither RSA nor ed25519"},
		"R53/and so is its own form":                {curveForm, "ec p"},
		"R53/an encrypted key is refused":           {encryptedKey, "passphrase"},
		"R53/a public key is refused":               {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "public key"},
		"R53/a certificate is refused":              {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewSigner("example.org", "postern", []byte(c.file))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
}

const (
	smallKey = `-----BEGIN PRIVATE KEY-----
MIIBVgIBADANBgkqhkiG9w0BAQEFAASCAUAwggE8AgEAAkEAsF1L6MoDi1utV9KJ
sws5raj1iyQdvJ6gGKf2n38VeHOcObq9qiYbtHCDd7gEdUMTAxtlhv4yhyZ2B1dV
SBoXfQIDAQABAkEAmfd5E6t42KqadDcrW5GLMx5z7psDEu3wmlXYKnoJxnLEhjj2
5Il0NCFuXRmoB/XmntnA/rGycwgioe2DRv1RSQIhANZEyQU5MVFBUi4Y0Eym08T5
QmvHC4yIQuYoNWjdaOH3AiEA0ralAYB/s10NX4jEj9MY8hzIG5DGew5HQPggQzfs
NSsCIQCbhTGi6PAy2gacDsah3DS5M3JSaBap2f00sNqTUqFd4QIgEAFTk0Ohb4xX
4bPPymTsdid9g6qBiQNSojq2qKRsyrUCIQCXnP5DtWf/SCswGGsbPZajyJXvBh0x
tk5LeMX78bRUWQ==
-----END PRIVATE KEY-----
`
	curveKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLue+i1LMnj8cPZN+
XRiLB93Nx5BZsf3TBFkNToZwWiqhRANCAATNUPXhkPwUOMJ4Wx2foxmhSrpP4QkP
gHnRqr+uvWhRqEX/ZnZKCLjyo1ahJM0FZ+fBIO7cJlC/bBd+Dc/zvCZe
-----END PRIVATE KEY-----
`
	curveForm = `-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIKynCnScQuDxDCmjt3imqhgsKfOPrIyM7VEBK1serOLNoAoGCCqGSM49
AwEHoUQDQgAEUWfkjoUwU/WdN7lOBRdp9zMetjzOV42HZS2YrnVvJ05rpUq0dJZy
U0r/Csvll3hA+e3k/2i7X2jFjuA+YCvTCg==
-----END EC PRIVATE KEY-----
`
	encryptedKey = `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIIC3TBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIYsIjQREIkgwCAggA
MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBCSM23qtxPqXpUtSUbkyW/iBIIC
gBCRIF6RLt3pa2M6p+aTO/f8EgfZJMnwO4n08IfIZkVU+fGWjkqWvUTJUAjOEfFF
I7x+FRk2Jys+kj//DXu/4Z8hy/hfVtTcpqmVMbhuQOX5nvh6BRv13dxj6NbiH9I6
MZcclPDUpNPF+6f0rfbHnBum+CvDM9iNIWY3uvmClCwKb0K6eYggzwX28A2wtruM
iw2DTqudm4+0BSxivSrcBdNMysCw7797uUnMKId2DPg5080B9hhWarTFaCGVQWVW
OH2ewv+v9WWspAYl0luMHt+G3vsHmkrwDIFQR2nLoJbPys0Ne6kQmTLtbbCxY+Td
kOVr6cH7TJ4YvjcBVFJ71ejhkUxphesRhZLiDkBPG0ghkw1DkvQwHBPOf6nWIEF3
Ug4spCewKpTEQtiY4SXIca78YPv5KwgAoJpqC9jFxdgk1HE7jqeFt9QrSqqXBhLA
bTrQJ+o5pa1w3XjwsJ+6EX9ciIQSz31oEFh0JWDl6C7VJOgfR+V6Mq1u5hXKYfdH
5/R9xzdvSdyk/VynKU0yz4K535zo5OiuD67bFUb9nZgZ1zHSIDwNMywwJzPPAQUG
3pPJKqRSqbsQ4EAQGZxg8P0Z0ByYvTgkMCMGSwSc7wbnGncDPkrnO9ys6GQl6hhy
tA8/ktm4QVlVVvDNjPJS/qJ1FocHbADiRKZ3BmZfBDBSr8jr5KNK/bZmqrhDuE96
cS8Bdb4CuTM9nSFnELeuNfF9gah4VoNCdLqQuBY4B3mmopMKfGt4iKTN8kK/i9X2
WQrNkg3LXs5Zgb0Ven7zHJqFrSnB47BmXbmmli8hcJvNtye+lN0K9Zw0m+wCk+jp
FDPUHGDuHA7n/vASrSjJY+s=
-----END ENCRYPTED PRIVATE KEY-----
`
)
